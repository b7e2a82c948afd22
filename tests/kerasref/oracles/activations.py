"""`activations` in torch. `F.softplus` is linear above 20, so softplus is a `logaddexp`."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
sigmoid(x) sigmoid_grad(x) tanh(x) tanh_grad(x) relu(x) relu_grad(x)
leaky_relu(x,negative_slope=0.01) leaky_relu_grad(x,negative_slope=0.01)
elu(x,alpha=1.0) elu_grad(x,alpha=1.0) softplus(x) softplus_grad(x)
softmax(x,axis=-1) softmax_backward(upstream,x,axis=-1)
"""

CALLS = {
    "sigmoid": "torch.sigmoid(x)",
    "sigmoid_grad": "grad(torch.sigmoid(x), x)",
    "tanh": "torch.tanh(x)",
    "tanh_grad": "grad(torch.tanh(x), x)",
    "relu": "F.relu(x)",
    "relu_grad": "grad(F.relu(x), x)",
    "leaky_relu": "F.leaky_relu(x, negative_slope)",
    "leaky_relu_grad": "grad(F.leaky_relu(x, negative_slope), x)",
    "elu": "F.elu(x, alpha)",
    "elu_grad": "grad(F.elu(x, alpha), x)",
    "softplus": "torch.logaddexp(x, torch.zeros_like(x))",
    "softplus_grad": "grad(torch.logaddexp(x, torch.zeros_like(x)), x)",
    "softmax": "torch.softmax(x, axis)",
    "softmax_backward": "grad(upstream * torch.softmax(x, axis), x)",
}
EDGES = np.array([0.0, -0.0, 1e-300, 1e-9, -1e-9, 1e-3, -1e-3, 1, -1, 20.5, -37, 37, 710, -746, 1e4, -1e4])


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    shapes: list[tuple[int, ...]] = [(), (0,), (2, 0), (5,), (3, 1), (1, 2, 3, 2)]
    inputs = [EDGES, *(rng.normal(scale=4, size=shape) for shape in shapes)]
    for function in CALLS:
        if "softmax" in function:
            continue
        for x in inputs:
            yield function, {"x": np.asarray(x), **_parameter(function, rng)}
    scores = [(x, -1) for x in inputs if np.ndim(x)]
    scores += [(inputs[-1], axis) for axis in (0, 1, -2)]
    scores += [(np.array([[1e4, 1e4 - 1, -1e4], [-1e4, -1e4, -1e4]]), axis) for axis in (0, 1)]
    for x, axis in scores:
        yield "softmax", {"x": x, "axis": axis}
        yield "softmax_backward", {"upstream": rng.normal(size=x.shape), "x": x, "axis": axis}


def _parameter(function: str, rng: np.random.Generator) -> dict[str, float]:
    if function.startswith("leaky_relu"):
        return {"negative_slope": float(rng.choice([0.01, 0.2, 0.0, 1.7]))}
    if function.startswith("elu"):
        return {"alpha": float(rng.choice([1.0, 0.3, 2.5]))}
    return {}
