"""`segmentation` in torch, whose images have their channels first."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
bilinear_kernel(factor,channels) upsample_bilinear(x,factor)
fcn32s(pool3,pool4,pool5,classes) fcn16s(pool3,pool4,pool5,classes) fcn8s(pool3,pool4,pool5,classes)
pixel_cross_entropy(y_true,logits,ignore=255) mean_iou(y_true,y_pred,classes)
"""


def _resized(x: str) -> str:
    return f"F.interpolate({x}, scale_factor=factor, mode='bilinear', align_corners=False)"


CALLS = {
    "bilinear_kernel": (  # one pixel of each channel at a time, enlarged, and cut to where something is left
        "(lambda dot: (lambda k, s: dot.movedim(0, 3)[s:s + k, s:s + k])"
        "(2 * factor - factor % 2, (factor + factor % 2) // 2))"
        f"({_resized('F.pad(torch.eye(channels, dtype=torch.float64)[:, :, None, None], [1, 1, 1, 1])')}.movedim(1, 3))"
    ),
    "upsample_bilinear": (
        f"{_resized('F.pad(x.movedim(3, 1), [1, 1, 1, 1])')}"
        "[:, :, factor:-factor, factor:-factor].movedim(1, 3)"
    ),
    "pixel_cross_entropy": (
        "F.cross_entropy(logits.movedim(3, 1), y_true.long(), ignore_index=ignore, reduction='sum')"
        " / (y_true != ignore).sum().clamp(min=1)"
    ),
    "mean_iou": (
        "(lambda t, p: (lambda both, any: (both / any)[any > 0].mean())((t & p).sum(1).double(), (t | p).sum(1)))"
        "(*(each.flatten() == torch.arange(classes)[:, None] for each in (y_true, y_pred)))"
    ),
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for factor, channels in [(1, 1), (2, 1), (3, 2), (4, 3), (5, 1), (8, 1)]:
        yield "bilinear_kernel", {"factor": factor, "channels": channels}
    for factor, shape in [(1, (1, 2, 3, 1)), (2, (2, 3, 2, 2)), (3, (1, 2, 4, 1)), (8, (1, 1, 1, 2))]:
        yield "upsample_bilinear", {"x": rng.normal(size=shape).round(2), "factor": factor}
    for classes, ignore, share in [(2, 255, 0.0), (3, 255, 0.4), (4, -1, 0.2), (3, 1, 0.0), (3, 255, 1.0)]:
        y_true = rng.integers(classes, size=(2, 3, 4))
        y_true[rng.random(y_true.shape) < share] = ignore
        logits = 3 * rng.normal(size=(2, 3, 4, classes)).round(2)
        yield "pixel_cross_entropy", {"y_true": y_true.astype(float), "logits": logits, "ignore": ignore}
    for classes, used, shape in [(2, 2, (2, 3, 4)), (4, 4, (30,)), (5, 3, (3, 4)), (1, 1, (2, 2))]:
        y_true, y_pred = (rng.integers(used, size=shape).astype(float) for _ in range(2))
        yield "mean_iou", {"y_true": y_true, "y_pred": y_pred, "classes": classes}
