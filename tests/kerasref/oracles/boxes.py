"""`boxes` in torch, which has neither NMS nor mAP without torchvision: test_boxes.py holds these against TensorFlow and pycocotools."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
convert_boxes(boxes,source,target) iou(a,b) giou(a,b) nms(boxes,scores,iou_threshold=0.5)
class_nms(boxes,scores,labels,iou_threshold=0.5) soft_nms(boxes,scores,sigma=0.5,score_threshold=0.001)
encode_boxes(boxes,anchors) decode_boxes(deltas,anchors) clip_boxes(boxes,height,width)
average_precision(recall,precision) mean_average_precision(predictions,ground_truth,iou_threshold=0.5)
coco_mean_average_precision(predictions,ground_truth)
"""

SHARED = "(torch.minimum(a[:, None, 2:], b[:, 2:]) - torch.maximum(a[:, None, :2], b[:, :2])).clamp(min=0).prod(-1)"
AREAS = "(a[:, None, 2:] - a[:, None, :2]).prod(-1) + (b[:, 2:] - b[:, :2]).prod(-1)"
AROUND = "(torch.maximum(a[:, None, 2:], b[:, 2:]) - torch.minimum(a[:, None, :2], b[:, :2])).prod(-1)"
CENTRE = "(anchors[:, :2] + anchors[:, 2:]) / 2"
SIDES = "(anchors[:, 2:] - anchors[:, :2])"

CALLS = {
    "convert_boxes": (
        "torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1) if target == 'xywh' else "
        "torch.cat([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], 1) if target == 'cxcywh' else "
        "torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1) if source == 'xywh' else "
        "torch.cat([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)"
    ),
    "iou": f"{SHARED} / ({AREAS} - {SHARED})",
    "giou": f"{SHARED} / ({AREAS} - {SHARED}) - ({AROUND} - ({AREAS} - {SHARED})) / ({AROUND})",
    "encode_boxes": (
        f"torch.cat([((boxes[:, :2] + boxes[:, 2:]) / 2 - {CENTRE}) / {SIDES}, "
        f"((boxes[:, 2:] - boxes[:, :2]) / {SIDES}).log()], 1)"
    ),
    "decode_boxes": (
        f"torch.cat([{CENTRE} + deltas[:, :2] * {SIDES} + sign / 2 * {SIDES} * deltas[:, 2:].exp() "
        "for sign in (-1, 1)], 1)"
    ),
    "clip_boxes": "boxes.clamp(torch.zeros(4).double(), torch.tensor([width, height, width, height]).double())",
    "average_precision": (
        "(recall.diff(prepend=torch.zeros(1).double()) * precision.flip(0).cummax(0).values.flip(0)).sum()"
    ),
}


def some_boxes(rng: np.random.Generator, count: int) -> np.ndarray:
    corners = rng.uniform(-5, 20, size=(count, 2))
    return np.concatenate([corners, corners + rng.uniform(1, 14, size=(count, 2))], axis=1)


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for source, target in [("xyxy", "xywh"), ("xyxy", "cxcywh"), ("xywh", "xyxy"), ("cxcywh", "xyxy")]:
        yield "convert_boxes", {"boxes": some_boxes(rng, 4), "source": source, "target": target}
    for n, m in [(5, 7), (1, 3), (4, 1)]:
        yield "iou", {"a": some_boxes(rng, n), "b": some_boxes(rng, m)}
        yield "giou", {"a": some_boxes(rng, n), "b": some_boxes(rng, m)}
    for n in (1, 6):
        yield "encode_boxes", {"boxes": some_boxes(rng, n), "anchors": some_boxes(rng, n)}
        yield "decode_boxes", {"deltas": rng.normal(size=(n, 4)), "anchors": some_boxes(rng, n)}
        yield "clip_boxes", {"boxes": some_boxes(rng, n), "height": 10 + n, "width": 20 - n}
    for n in (1, 8, 30):
        recall, precision = np.sort(rng.random(n)), rng.random(n)
        yield "average_precision", {"recall": recall, "precision": precision}
