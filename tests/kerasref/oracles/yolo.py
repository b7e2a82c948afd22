"""`yolo` in torch. Grids, anchors and three maps have other oracles: test_yolo.py holds those against loops and OpenCV."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
encode_grid(boxes,labels,grid,classes,image_size)
decode_grid(predictions,boxes_per_cell,classes,image_size)
yolo_v1_loss(y_true,y_pred,boxes_per_cell=2,lambda_coord=5.0,lambda_noobj=0.5)
kmeans_anchors(sizes,k,rng,iterations=100)
decode_v2(predictions,anchors)
decode_v3(feature_maps,anchors,input_size)
filter_detections(boxes,confidence,class_probabilities,score_threshold=0.5,iou_threshold=0.5)
tiny_yolo(inputs,boxes_per_cell,classes)
"""

CELLS = (
    "torch.cartesian_prod(torch.arange(predictions.shape[0]), torch.arange(predictions.shape[1]))"
    ".reshape(*predictions.shape[:2], 1, 2).flip(-1)"
)
MAP = "torch.tensor([predictions.shape[1], predictions.shape[0]])"
CENTRES = f"(torch.sigmoid(predictions[..., :2]) + {CELLS}) / {MAP}"
HALVES = f"predictions[..., 2:4].exp() * anchors / {MAP} / 2"

# The truth and the predicted boxes as (batch, S, S, B, 4) corners, counted in cells; then the responsible boxes.
BOXES = "y_pred[..., :5 * boxes_per_cell].unflatten(-1, (boxes_per_cell, 5))"
TRUTH = f"y_true[..., None, :5].expand_as({BOXES})"
CORNERS = "(lambda b: torch.cat([b[..., :2] - b[..., 2:4] * b.shape[1] / 2, b[..., :2] + b[..., 2:4] * b.shape[1] / 2], -1))"
SHARED = (
    "(torch.minimum(t[..., 2:], p[..., 2:]) - torch.maximum(t[..., :2], p[..., :2])).clamp(min=0).prod(-1)"
)
AREAS = "(t[..., 2:] - t[..., :2]).prod(-1) + (p[..., 2:] - p[..., :2]).prod(-1)"
IOU = f"(lambda t, p: {SHARED} / ({AREAS} - {SHARED}))({CORNERS}({TRUTH}), {CORNERS}({BOXES}))"
LOSS = (
    "(lambda t, p, iou: (lambda mine: ("
    "lambda_coord * F.mse_loss(p[mine][:, :2], t[mine][:, :2], reduction='sum')"
    " + lambda_coord * F.mse_loss(p[mine][:, 2:4].sqrt(), t[mine][:, 2:4].sqrt(), reduction='sum')"
    " + F.mse_loss(p[mine][:, 4], iou[mine], reduction='sum')"
    " + lambda_noobj * p[~mine][:, 4].square().sum()"
    " + F.mse_loss(y_pred[..., 5 * boxes_per_cell:][y_true[..., 4] == 1], y_true[..., 5:][y_true[..., 4] == 1],"
    " reduction='sum')) / len(y_true))"
    "((t[..., 4] == 1) & F.one_hot(iou.argmax(-1), boxes_per_cell).bool()))"
)
CALLS = {
    "decode_v2": (
        f"(torch.cat([{CENTRES} - {HALVES}, {CENTRES} + {HALVES}], -1).flatten(0, 2),"
        " predictions[..., 4].sigmoid().flatten(), F.softmax(predictions[..., 5:], -1).flatten(0, 2))"
    ),
    "yolo_v1_loss": f"{LOSS}({TRUTH}, {BOXES}, {IOU})",
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for height, width, anchors, classes in [(1, 1, 1, 1), (2, 3, 2, 4), (3, 2, 5, 2)]:
        predictions = rng.normal(scale=2, size=(height, width, anchors, 5 + classes))
        yield "decode_v2", {"predictions": predictions, "anchors": rng.uniform(0.5, 3, size=(anchors, 2))}
    for batch, grid, boxes, classes in [(1, 1, 1, 1), (2, 3, 2, 4), (3, 2, 3, 1)]:
        there = rng.random((batch, grid, grid, 1)) < 0.6
        hot = np.eye(classes)[rng.integers(classes, size=(batch, grid, grid))]
        near = rng.uniform(0.2, 0.8, size=(batch, grid, grid, 4))
        noise = rng.uniform(-0.2, 0.2, size=(batch, grid, grid, boxes, 4))
        sure = rng.random((batch, grid, grid, boxes, 1))
        spoken = np.concatenate([near[..., None, :] + noise, sure], axis=-1).reshape(batch, grid, grid, -1)
        yield (
            "yolo_v1_loss",
            {
                "y_true": there * np.concatenate([near, np.ones((batch, grid, grid, 1)), hot], axis=-1),
                "y_pred": np.concatenate([spoken, rng.random((batch, grid, grid, classes))], axis=-1),
                "boxes_per_cell": boxes,
                "lambda_coord": 5.0,
                "lambda_noobj": 0.5,
            },
        )
