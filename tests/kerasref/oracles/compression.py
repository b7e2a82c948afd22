"""`compression` in torch. The schedule and the loop have other oracles, in test_compression.py."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
magnitude_mask(weights,sparsity) rank_filters(kernel,norm='l1') mean_activation(activations)
nonzero_fraction(activations) prune_filters(kernel,bias,next_kernel,keep)
sparsity_schedule(step,start,end,initial,final) iterative_pruning(model,data,rounds,sparsity=0.9,epochs=1)
"""

CALLS = {
    "magnitude_mask": (
        "(weights.abs() >= weights.abs().flatten().sort().values[round(sparsity * weights.numel())]).double()"
    ),
    "rank_filters": "kernel.flatten(0, 2).norm(p=int(norm[1]), dim=0).argsort()",
    "mean_activation": "activations.flatten(0, -2).mean(0)",
    "nonzero_fraction": "(activations != 0).double().flatten(0, -2).mean(0)",
    "prune_filters": "(kernel[..., keep.long()], bias[keep.long()], next_kernel[:, :, keep.long()])",
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for shape, sparsity in (((40,), 0.9), ((6, 7), 0.0), ((3, 3, 2, 5), 0.55)):
        yield "magnitude_mask", {"weights": rng.normal(size=shape), "sparsity": sparsity}
    for norm in ("l1", "l2"):
        yield "rank_filters", {"kernel": rng.normal(size=(3, 2, 4, 6)), "norm": norm}
    for shape in ((5, 4), (2, 3, 3, 6)):
        activations = np.maximum(rng.normal(size=shape), 0)
        yield "mean_activation", {"activations": activations}
        yield "nonzero_fraction", {"activations": activations}
    yield (
        "prune_filters",
        {
            "kernel": rng.normal(size=(3, 2, 2, 5)),
            "bias": rng.normal(size=5),
            "next_kernel": rng.normal(size=(1, 3, 5, 4)),
            "keep": np.array([4.0, 0.0, 3.0]),
        },
    )
