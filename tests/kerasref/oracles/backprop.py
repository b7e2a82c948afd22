"""`backprop` in torch. What takes functions or a dict is no plain call: test_backprop.py has oracles for it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
gemm(alpha,a,b,beta,c) blocked_gemm(a,b,block) matmul_backward(upstream,w,x)
affine(x,w,b) affine_backward(upstream,x,w,b)
chain_rule(functions,derivatives,x) numerical_gradient(f,x,eps=1e-05) relative_error(a,b)
two_layer_forward(params,x) two_layer_loss_and_grads(params,x,y_true)
"""

CALLS = {
    "gemm": "torch.addmm(c, a, b, beta=beta, alpha=alpha)",
    "blocked_gemm": "a.mm(b)",
    "matmul_backward": "grad(upstream * w.mm(x), w, x)",
    "affine": "F.linear(x, w.T, b)",
    "affine_backward": "grad(upstream * F.linear(x, w.T, b), x, w, b)",
    "relative_error": "((a - b).abs() / (a.abs() + b.abs()).clamp(min=1e-8)).max()",
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for m, k, n in [(1, 1, 1), (3, 4, 2), (5, 1, 6), (1, 7, 3), (4, 4, 4)]:
        a, b, c = rng.normal(size=(m, k)), rng.normal(size=(k, n)), rng.normal(size=(m, n))
        for alpha, beta in [(1.0, 0.0), (0.0, 1.0), (-2.5, 0.75)]:
            yield "gemm", {"alpha": alpha, "a": a, "b": b, "beta": beta, "c": c}
        yield "blocked_gemm", {"a": a, "b": b, "block": int(rng.integers(1, 6))}
        yield "matmul_backward", {"upstream": c, "w": a, "x": b}
        bias = rng.normal(size=n)
        yield "affine", {"x": a, "w": b, "b": bias}
        yield "affine_backward", {"upstream": c, "x": a, "w": b, "b": bias}
    for shape in [(), (1,), (5,), (2, 3, 2)]:
        a = np.asarray(rng.normal(size=shape))
        yield "relative_error", {"a": a, "b": np.asarray(a + rng.normal(scale=1e-3, size=shape))}
    yield "relative_error", {"a": np.array([0.0, 1e-9, -1e-12]), "b": np.array([0.0, -1e-9, 2e-12])}
