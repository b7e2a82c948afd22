"""`multitask` in torch, which has no net with heads of its own; test_multitask.py looks at that one."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
hard_sharing_model(inputs,heads) soft_sharing_penalty(parameters,norm='l2') multitask_loss(losses,weights)
uncertainty_weighted_loss(losses,log_variances)
"""

STACKED = "torch.stack([torch.tensor(one).flatten() for one in parameters])"

CALLS = {
    "multitask_loss": "torch.inner(losses, weights)",
    "uncertainty_weighted_loss": (
        "2 * F.gaussian_nll_loss(losses.sqrt(), torch.zeros_like(losses), log_variances.exp(), eps=0, reduction='sum')"
    ),
    "soft_sharing_penalty": (
        "(lambda pairs: torch.linalg.matrix_norm(pairs, 'nuc') if norm == 'trace' else pairs.pow(2).sum())"
        f"((lambda p, i: p[i[0]] - p[i[1]])({STACKED}, torch.triu_indices(len(parameters), len(parameters), 1)))"
    ),
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for tasks in (1, 2, 5):
        losses = rng.exponential(2.0, tasks)
        yield "multitask_loss", {"losses": rng.normal(size=tasks), "weights": rng.uniform(0, 3, tasks)}
        yield "uncertainty_weighted_loss", {"losses": losses, "log_variances": rng.normal(0, 2, tasks)}
    for tasks, *shape in [(2, 4), (3, 2, 3), (5, 2), (4, 3, 1, 2), (3,)]:
        parameters = tuple(rng.normal(size=(tasks, *shape)))
        if not shape:
            parameters = tuple(np.array(one) for one in parameters)
        for norm in ("l2", "trace"):
            yield "soft_sharing_penalty", {"parameters": parameters, "norm": norm}
