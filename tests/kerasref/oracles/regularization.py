"""`regularization` in torch, whose batch normalization needs two values a channel. Torch draws its dropout's mask
itself, and its weight decay is no loss: test_regularization.py has other oracles of these."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
l2_penalty(weights,strength) l2_penalty_grad(weights,strength)
dropout(x,rate,rng) dropout_backward(upstream,mask,rate)
batch_norm_inference(x,gamma,beta,moving_mean,moving_variance,epsilon=0.001)
batch_norm_train(x,gamma,beta,moving_mean,moving_variance,momentum=0.99,epsilon=0.001)
batch_norm_backward(upstream,x,gamma,epsilon=0.001)
"""

NORMALIZED = (
    "F.batch_norm(x.movedim(-1, 1), None, None, gamma, {beta}, training=True, eps=epsilon).movedim(1, -1)"
)

CALLS = {
    "batch_norm_inference": (
        "F.batch_norm(x.movedim(-1, 1), moving_mean.detach(), moving_variance.detach(), gamma, beta, eps=epsilon)"
        ".movedim(1, -1)"
    ),
    "batch_norm_train": (
        f"({NORMALIZED.format(beta='beta')}, torch.lerp(x.flatten(0, -2).mean(0), moving_mean, momentum),"
        " torch.lerp(x.flatten(0, -2).var(0, correction=0), moving_variance, momentum))"
    ),
    "batch_norm_backward": (
        f"grad(upstream * {NORMALIZED.format(beta='None')}, x, gamma) + (upstream.flatten(0, -2).sum(0),)"
    ),
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for shape in [(2, 1), (7, 3), (3, 4, 2), (2, 3, 1, 4), (1, 2, 2, 3)]:
        scale, shift = rng.uniform(0.1, 4, shape[-1]), rng.normal(scale=3, size=shape[-1])
        x = shift + scale * rng.normal(size=shape)
        gamma, beta, moving_mean = rng.normal(size=(3, shape[-1]))
        given = {
            "x": x,
            "gamma": gamma,
            "beta": beta,
            "moving_mean": moving_mean,
            "moving_variance": rng.uniform(0, 3, shape[-1]),
            "epsilon": float(rng.choice([1e-3, 0.1, 1e-5])),
        }
        yield "batch_norm_inference", given
        yield "batch_norm_train", {**given, "momentum": float(rng.choice([0.99, 0.9, 0.0]))}
        backward = {"upstream": rng.normal(size=shape), "x": x, "gamma": gamma, "epsilon": given["epsilon"]}
        yield "batch_norm_backward", backward
        constant = np.broadcast_to(shift, shape).copy()
        yield "batch_norm_train", {**given, "x": constant, "momentum": 0.5}
