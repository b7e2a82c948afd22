"""`losses` in torch. Torch has no hinge of labels -1 and 1, and no total variation: test_losses.py has others."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
l1_loss(y_true,y_pred) l2_loss(y_true,y_pred) mean_absolute_error(y_true,y_pred)
mean_squared_error(y_true,y_pred) mean_squared_error_grad(y_true,y_pred)
linear_regression_cost(theta,x,y) linear_regression_grad(theta,x,y)
huber(y_true,y_pred,delta=1.0) huber_grad(y_true,y_pred,delta=1.0) hinge(y_true,y_pred)
cross_entropy(y_true,probabilities)
sigmoid_cross_entropy(y_true,logits) sigmoid_cross_entropy_grad(y_true,logits)
softmax_cross_entropy(y_true,logits) softmax_cross_entropy_grad(y_true,logits)
total_variation(images) gram_matrix(features) style_loss(style,generated) content_loss(content,generated)
"""

CALLS = {
    "l1_loss": "F.l1_loss(y_pred, y_true, reduction='sum')",
    "l2_loss": "F.mse_loss(y_pred, y_true, reduction='sum')",
    "mean_absolute_error": "F.l1_loss(y_pred, y_true)",
    "mean_squared_error": "F.mse_loss(y_pred, y_true)",
    "mean_squared_error_grad": "grad(F.mse_loss(y_pred, y_true), y_pred)",
    "linear_regression_cost": "F.mse_loss(F.linear(x, theta), y) / 2",
    "linear_regression_grad": "grad(F.mse_loss(F.linear(x, theta), y) / 2, theta)",
    "huber": "F.huber_loss(y_pred, y_true, delta=delta)",
    "huber_grad": "grad(F.huber_loss(y_pred, y_true, delta=delta), y_pred)",
    "cross_entropy": "F.nll_loss(probabilities.clamp(1e-7, 1 - 1e-7).log(), y_true.argmax(1))",
    "sigmoid_cross_entropy": "F.binary_cross_entropy_with_logits(logits, y_true)",
    "sigmoid_cross_entropy_grad": "grad(F.binary_cross_entropy_with_logits(logits, y_true), logits)",
    "softmax_cross_entropy": "F.cross_entropy(logits, y_true.argmax(1))",
    "softmax_cross_entropy_grad": "grad(F.cross_entropy(logits, y_true.argmax(1)), logits)",
    "gram_matrix": "features.flatten(1, 2).mT @ features.flatten(1, 2) / features[0, :, :, 0].numel()",
    "style_loss": (
        "F.mse_loss(style.flatten(1, 2).mT @ style.flatten(1, 2) / style[0, :, :, 0].numel(),"
        " generated.flatten(1, 2).mT @ generated.flatten(1, 2) / generated[0, :, :, 0].numel())"
    ),
    "content_loss": "F.mse_loss(generated, content)",
}
LOGITS = np.array([0.0, -0.0, 1e-9, -1e-9, 1, -1, 37, -37, 710, -710, 1e4, -1e4])


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for shape in [(), (1,), (7,), (4, 1), (2, 3, 1, 2)]:
        y_true = np.asarray(rng.normal(size=shape))
        y_pred = np.asarray(y_true + rng.normal(scale=2, size=shape))
        for function in ("l1_loss", "l2_loss", "mean_absolute_error", "mean_squared_error"):
            yield function, {"y_true": y_true, "y_pred": y_pred}
        yield "mean_squared_error_grad", {"y_true": y_true, "y_pred": y_pred}
        yield "content_loss", {"content": y_true, "generated": y_pred}
        for function in ("huber", "huber_grad"):
            yield function, {"y_true": y_true, "y_pred": y_pred, "delta": float(rng.choice([1.0, 0.3, 5.0]))}
        labels = np.asarray(rng.uniform(size=shape))
        for function in ("sigmoid_cross_entropy", "sigmoid_cross_entropy_grad"):
            yield function, {"y_true": labels, "logits": y_pred}
    kinks = {"y_true": np.zeros(6), "y_pred": np.array([0.0, -0.0, 1.0, -1.0, 1e4, -1e4]), "delta": 1.0}
    for function in ("huber", "huber_grad"):
        yield function, kinks
    for function in ("sigmoid_cross_entropy", "sigmoid_cross_entropy_grad"):
        for label in (0.0, 1.0):
            yield function, {"y_true": np.full(LOGITS.shape, label), "logits": LOGITS}
    for batch, classes in [(1, 1), (1, 4), (6, 3)]:
        y_true = np.eye(classes)[rng.integers(classes, size=batch)]
        yield "cross_entropy", {"y_true": y_true, "probabilities": rng.uniform(size=(batch, classes))}
        for function in ("softmax_cross_entropy", "softmax_cross_entropy_grad"):
            yield function, {"y_true": y_true, "logits": rng.normal(scale=4, size=(batch, classes))}
    yield (
        "cross_entropy",
        {"y_true": np.eye(3), "probabilities": np.array([[0, 1, 0.0], [0, 1, 0], [1, 0, 5e-8]])},
    )
    extreme = np.array([[1e4, 0, -1e4], [1e4, 1e4, 0], [-1e4, -1e4, -1e4]])
    for function in ("softmax_cross_entropy", "softmax_cross_entropy_grad"):
        yield function, {"y_true": np.eye(3), "logits": extreme}
    for m, n in [(1, 1), (2, 5), (9, 3)]:
        for function in ("linear_regression_cost", "linear_regression_grad"):
            theta, x, y = rng.normal(size=n), rng.normal(size=(m, n)), rng.normal(size=m)
            yield function, {"theta": theta, "x": x, "y": y}
    for shape in [(1, 1, 1, 1), (2, 3, 2, 4)]:
        features, other = rng.normal(size=shape), rng.normal(size=(shape[0], 2, 5, shape[3]))
        yield "gram_matrix", {"features": features}
        yield "style_loss", {"style": features, "generated": other}
