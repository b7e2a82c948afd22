"""References of the assignment `boxes`. Boxes are (x1, y1, x2, y2), continuous; one without area is empty."""

from collections.abc import Sequence
from typing import Annotated, Any

import numpy as np

from kerasref.backend import keras
from kerasref.core import reference
from kerasref.validation import (
    Integers,
    array,
    at_least_1,
    integers,
    one_of,
    positive,
    same_length,
    same_shape,
    within_0_1,
)

ops = keras.ops

# Boxes are linear in each other's formats: rows of `xyxy` are rows of a format times its matrix.
_TO_XYXY = {
    "xyxy": np.eye(4),
    "xywh": np.array([[1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 0], [0, 0, 0, 1.0]]),
    "cxcywh": np.array([[1, 0, 1, 0], [0, 1, 0, 1], [-0.5, 0, 0.5, 0], [0, -0.5, 0, 0.5]]),
}
_FROM_XYXY = {name: np.linalg.inv(matrix) for name, matrix in _TO_XYXY.items()}
COCO_THRESHOLDS = np.linspace(0.5, 0.95, 10).tolist()


def boxes_of(name: str, value: Any) -> np.ndarray:
    """A float64 copy of an array of boxes, (n, 4); n may be 0."""
    given = array(name, value)
    if given.ndim != 2 or given.shape[1] != 4:
        raise ValueError(
            f"`{name}` has shape {given.shape}; expected (n, 4), a box a row: reshape it, `(0, 4)` where there is none."
        )
    return given


def _images(name: str, value: Any, with_scores: bool) -> list[dict[str, np.ndarray]]:
    """A dict of boxes and labels, and maybe of scores, for each image; other keys are let go."""
    if not isinstance(value, list | tuple):
        raise ValueError(
            f"`{name}` is a {type(value).__name__}; expected a list of dicts, one an image: make one."
        )
    keys = ("boxes", "scores", "labels") if with_scores else ("boxes", "labels")
    images = []
    for place, each in enumerate(value):
        own = f"{name}[{place}]"
        if not isinstance(each, dict) or not set(keys) <= set(each):
            raise ValueError(
                f"`{own}` is {sorted(each) if isinstance(each, dict) else type(each).__name__}; "
                f"expected a dict of {', '.join(keys)}: add what is missing."
            )
        image = {"boxes": boxes_of(f"{own}['boxes']", each["boxes"])}
        image["labels"] = integers(f"{own}['labels']", each["labels"])
        if with_scores:
            image["scores"] = array(f"{own}['scores']", each["scores"])
        for key in keys[1:]:
            _one_a_box(image["boxes"], **{f"{own}[{key!r}]": image[key]})
        if (image["labels"] < 0).any():
            raise ValueError(
                f"`{own}['labels']` has {image['labels'].min()}; expected labels from 0: renumber them."
            )
        images.append(image)
    return images


def _predictions(name: str, value: Any) -> list[dict[str, np.ndarray]]:
    return _images(name, value, with_scores=True)


def _ground_truth(name: str, value: Any) -> list[dict[str, np.ndarray]]:
    return _images(name, value, with_scores=False)


Boxes = Annotated[np.ndarray, boxes_of]
Predictions = Annotated[list[dict[str, np.ndarray]], _predictions]
GroundTruth = Annotated[list[dict[str, np.ndarray]], _ground_truth]


@reference
def convert_boxes(boxes: Boxes, source: Any, target: Any):
    """The same boxes in another format.

    Args:
        boxes: (n, 4) boxes in the format `source`.
        source: `"xyxy"` (two corners), `"xywh"` (top left corner and sides) or `"cxcywh"` (centre and sides).
        target: one of these.

    Returns:
        (n, 4) array.

    Source: product with the matrix that takes one format to the other.
    """
    return _convert(boxes, one_of("source", source, *_TO_XYXY), one_of("target", target, *_TO_XYXY))


@reference
def iou(a: Boxes, b: Boxes):
    """Intersection over union of each box of `a` with each of `b`.

    Args:
        a: (n, 4) boxes.
        b: (m, 4) boxes.

    Returns:
        (n, m) array in 0..1; 0 where a box is empty.

    Source: Jaccard 1912, by cutting the boxes of `a` off at the sides of `b`.
    """
    return _iou(a, b)


@reference
def giou(a: Boxes, b: Boxes):
    """Generalized IoU: the IoU less the share of the smallest box around both that neither fills.

    Args:
        a: (n, 4) boxes.
        b: (m, 4) boxes.

    Returns:
        (n, m) array in -1..1; 0 where the box around both has no area. An empty box has area 0.

    Source: Rezatofighi et al. 2019, algorithm 1.
    """
    intersection = _intersection(a, b)
    union = _area(a)[:, None] + _area(b)[None] - intersection
    both = ops.concatenate(
        [ops.minimum(a[:, None, :2], b[None, :, :2]), ops.maximum(a[:, None, 2:], b[None, :, 2:])], axis=-1
    )
    around = _area(both)
    return _ratio(intersection, union) + _ratio(union, around) - ops.cast(around > 0, "float64")


@reference
def nms(boxes: Boxes, scores, iou_threshold: float = 0.5):
    """Non-maximum suppression: from the best box down, one stays unless it overlaps a box that stayed too much.

    Args:
        boxes: (n, 4) boxes.
        scores: (n,) scores; of equal ones the lower index comes first.
        iou_threshold: a box with an IoU above it is dropped; from 0 to 1.

    Returns:
        Indices of the boxes that stay, best first.

    Source: the fixed point of "stays if no better box that stays overlaps it", from the matrix of all IoUs.
    """
    return _nms(boxes, scores, np.zeros(len(boxes), int), iou_threshold)


@reference
def class_nms(boxes: Boxes, scores, labels: Integers, iou_threshold: float = 0.5):
    """Non-maximum suppression in which boxes of different labels let each other be.

    Args:
        boxes: (n, 4) boxes.
        scores: (n,) scores; of equal ones the lower index comes first.
        labels: (n,) integers.
        iou_threshold: a box with an IoU above it is dropped; from 0 to 1.

    Returns:
        Indices of the boxes that stay, best first whatever their label.

    Source: as `nms`, the matrix of IoUs being 0 between labels.
    """
    _one_a_box(boxes, labels=labels)
    return _nms(boxes, scores, labels, iou_threshold)


@reference
def soft_nms(boxes: Boxes, scores, sigma: float = 0.5, score_threshold: float = 0.001):
    """Soft-NMS: each box that is taken lowers the scores of the others by `exp(-iou**2 / sigma)`.

    Args:
        boxes: (n, 4) boxes.
        scores: (n,) scores, at least 0; of equal ones the lower index comes first.
        sigma: width of the Gaussian, above 0.
        score_threshold: boxes whose score falls below it are dropped.

    Returns:
        (indices in the order in which they were taken, their lowered scores).

    Source: Bodla et al. 2017, the exponents added up and the scores computed anew each round.
    """
    _one_a_box(boxes, scores=scores)
    positive(sigma=sigma)
    if (scores < 0).any():
        raise ValueError(
            f"`scores` has {scores.min()}; expected scores of at least 0: make them probabilities."
        )
    exponents = np.asarray(_iou(boxes, boxes)) ** 2 / sigma
    order: list[int] = []
    lowered: list[float] = []
    while len(order) < len(boxes):
        current = scores * np.exp(-exponents[order].sum(axis=0))
        current[order] = -np.inf
        best = int(current.argmax())
        if current[best] < score_threshold:
            break
        order.append(best)
        lowered.append(current[best])
    return np.array(order, dtype=np.int64), np.array(lowered)


@reference
def encode_boxes(boxes: Boxes, anchors: Boxes):
    """What moves each anchor onto its box: the shift in sides of the anchor, and the logarithm of the growth.

    Args:
        boxes: (n, 4) boxes with positive sides.
        anchors: (n, 4) boxes with positive sides.

    Returns:
        (n, 4) array, (tx, ty, tw, th).

    Source: Girshick et al. 2014, appendix C.
    """
    same_shape(boxes=boxes, anchors=anchors)
    _sides(boxes=boxes, anchors=anchors)
    box, anchor = _convert(boxes, "xyxy", "cxcywh"), _convert(anchors, "xyxy", "cxcywh")
    shift = (box[:, :2] - anchor[:, :2]) / anchor[:, 2:]
    return ops.concatenate([shift, ops.log(box[:, 2:]) - ops.log(anchor[:, 2:])], axis=1)


@reference
def decode_boxes(deltas, anchors: Boxes):
    """The boxes that `encode_boxes` was given, from its deltas and the anchors.

    Args:
        deltas: (n, 4) array, (tx, ty, tw, th).
        anchors: (n, 4) boxes with positive sides.

    Returns:
        (n, 4) boxes.

    Source: Girshick et al. 2014, appendix C.
    """
    boxes_of("deltas", deltas)
    same_shape(deltas=deltas, anchors=anchors)
    _sides(anchors=anchors)
    anchor = _convert(anchors, "xyxy", "cxcywh")
    centre = anchor[:, :2] + ops.multiply(deltas[:, :2], anchor[:, 2:])
    sides = ops.multiply(ops.exp(deltas[:, 2:]), anchor[:, 2:])
    return _convert(ops.concatenate([centre, sides], axis=1), "cxcywh", "xyxy")


@reference
def clip_boxes(boxes: Boxes, height: int, width: int):
    """Cut off what lies outside of the image.

    Args:
        boxes: (n, 4) boxes.
        height: of the image, at least 1.
        width: of the image, at least 1.

    Returns:
        (n, 4) boxes with corners in the image.

    Source: `keras.ops.clip`.
    """
    at_least_1(height=height, width=width)
    columns = [ops.clip(boxes[:, place], 0.0, limit) for place, limit in enumerate((width, height) * 2)]
    return ops.stack(columns, axis=1)


@reference
def average_precision(recall, precision):
    """Area under the precision envelope: at each recall the best precision at that recall or a higher one.

    Args:
        recall: (n,) array in 0..1 that never falls.
        precision: (n,) array in 0..1.

    Returns:
        One number in 0..1; 0 for empty arrays.

    Source: the same area by Lebesgue: for each precision the highest recall that has it or a better one.
    """
    if recall.ndim != 1:
        raise ValueError(f"`recall` has shape {recall.shape}; expected (n,): flatten it.")
    same_shape(recall=recall, precision=precision)
    within_0_1(recall=recall, precision=precision)
    if (np.diff(recall) < 0).any():
        raise ValueError(
            "`recall` falls; expected one that never does: rank the detections by score, best first."
        )
    return _area_under(recall, precision)


@reference
def mean_average_precision(predictions: Predictions, ground_truth: GroundTruth, iou_threshold: float = 0.5):
    """Mean over the classes of the average precision of their detections in all images.

    Args:
        predictions: a dict for each image: `boxes` (n, 4), `scores` (n,), `labels` (n,).
        ground_truth: a dict for each image: `boxes` (m, 4), `labels` (m,).
        iou_threshold: a detection takes the free object of its class that it overlaps most, if their IoU is at least this.

    Returns:
        One number in 0..1; classes without an object are left out, 0 where there is no object at all.

    Source: Everingham et al. 2010 with COCO's matching: image by image, then ranked.
    """
    _in_0_1(iou_threshold=iou_threshold)
    return _mean_average_precision(predictions, ground_truth, [iou_threshold])


@reference
def coco_mean_average_precision(predictions: Predictions, ground_truth: GroundTruth):
    """Mean of `mean_average_precision` over the IoU thresholds 0.50, 0.55, ..., 0.95.

    Args:
        predictions: a dict for each image: `boxes` (n, 4), `scores` (n,), `labels` (n,).
        ground_truth: a dict for each image: `boxes` (m, 4), `labels` (m,).

    Returns:
        One number in 0..1.

    Source: Lin et al. 2014, with the exact area in the place of 101 points.
    """
    return _mean_average_precision(predictions, ground_truth, COCO_THRESHOLDS)


def _convert(boxes: Any, source: str, target: str) -> Any:
    return ops.matmul(boxes, _TO_XYXY[source] @ _FROM_XYXY[target])


def _area(boxes: Any) -> Any:
    """Areas of boxes along the last axis; 0 of those with a side that is not positive."""
    return ops.prod(ops.relu(boxes[..., 2:] - boxes[..., :2]), axis=-1)


def _intersection(a: np.ndarray, b: np.ndarray) -> Any:
    """(n, m) areas that boxes have in common: the corners of `a` are moved into `b`."""
    low, high = b[None, :, :2], ops.maximum(b[None, :, :2], b[None, :, 2:])
    corners = [ops.minimum(ops.maximum(corner, low), high) for corner in (a[:, None, :2], a[:, None, 2:])]
    return _area(ops.concatenate(corners, axis=-1))


def _iou(a: np.ndarray, b: np.ndarray) -> Any:
    intersection = _intersection(a, b)
    return _ratio(intersection, _area(a)[:, None] + _area(b)[None] - intersection)


def _ratio(part: Any, whole: Any) -> Any:
    """`part / whole`, 0 where the whole is 0."""
    return ops.where(whole > 0, part / ops.where(whole > 0, whole, 1.0), 0.0)


def _nms(boxes: np.ndarray, scores: np.ndarray, labels: np.ndarray, iou_threshold: float) -> np.ndarray:
    _one_a_box(boxes, scores=scores)
    _in_0_1(iou_threshold=iou_threshold)
    order = np.argsort(-scores, kind="stable")
    overlaps = np.asarray(_iou(boxes[order], boxes[order])) > iou_threshold
    rivals = np.triu(overlaps & (labels[order][:, None] == labels[order]), k=1)
    stays = np.ones(len(boxes), bool)
    while not np.array_equal(stays, settled := ~rivals[stays].any(axis=0)):
        stays = settled
    return order[stays]


def _area_under(recall: np.ndarray, precision: np.ndarray) -> float:
    order = np.argsort(-precision)
    steps = precision[order] - np.append(precision[order][1:], 0.0)
    return float(steps @ np.maximum.accumulate(recall[order])) if len(order) else 0.0


def _mean_average_precision(
    predictions: list[dict[str, np.ndarray]],
    ground_truth: list[dict[str, np.ndarray]],
    thresholds: Sequence[float],
) -> float:
    same_length(predictions=predictions, ground_truth=ground_truth)
    classes = sorted({int(label) for truth in ground_truth for label in truth["labels"]})
    areas = []
    for label in classes:
        scores, found, objects = [], [], 0
        for given, truth in zip(predictions, ground_truth, strict=True):
            own = given["labels"] == label
            best_first = np.argsort(-given["scores"][own], kind="stable")
            there = truth["boxes"][truth["labels"] == label]
            overlaps = np.asarray(_iou(given["boxes"][own][best_first], there))
            scores.append(given["scores"][own][best_first])
            found.append(np.array([_matched(overlaps, threshold) for threshold in thresholds]))
            objects += len(there)
        ranking = np.argsort(-np.concatenate(scores), kind="stable")
        for hits in np.concatenate(found, axis=1)[:, ranking]:
            true_positives = np.cumsum(hits)
            areas.append(_area_under(true_positives / objects, true_positives / np.arange(1, hits.size + 1)))
    return float(np.mean(areas)) if areas else 0.0


def _matched(overlaps: np.ndarray, threshold: float) -> np.ndarray:
    """Which detections, best first, find a free object: (n, m) IoUs to (n,) bools."""
    free = overlaps.copy()
    hits = np.zeros(len(free), bool)
    for detection, row in enumerate(free):
        hits[detection] = row.max(initial=-1.0) >= threshold
        if hits[detection]:
            free[:, row.argmax()] = -1.0
    return hits


def _one_a_box(boxes: np.ndarray, **each: np.ndarray) -> None:
    for name, given in each.items():
        if given.shape != (len(boxes),):
            raise ValueError(
                f"`{name}` has shape {given.shape}; expected ({len(boxes)},), one a box: make them agree."
            )


def _sides(**each: np.ndarray) -> None:
    for name, given in each.items():
        if not (given[:, 2:] > given[:, :2]).all():
            raise ValueError(
                f"`{name}` has a box whose side is not above 0; expected x1 < x2 and y1 < y2: leave empty boxes out."
            )


def _in_0_1(**numbers: float) -> None:
    for name, given in numbers.items():
        if not 0 <= given <= 1:
            raise ValueError(f"`{name}` is {given}; expected a number from 0 to 1: give one.")
