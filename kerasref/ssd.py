"""References of the assignment `ssd`. Images are 1 wide and 1 high; label 0 and column 0 are the background."""

from typing import Annotated, Any

import numpy as np

from kerasref.backend import keras
from kerasref.boxes import Boxes, class_nms, convert_boxes, decode_boxes, encode_boxes, iou
from kerasref.core import reference
from kerasref.validation import (
    Integers,
    array,
    at_least_1,
    labels_below,
    not_negative,
    pair,
    positive,
    rank,
    same_length,
    same_shape,
    size,
    within_0_1,
)

ops = keras.ops


def _feature_sizes(name: str, value: Any) -> list[tuple[int, int]]:
    """(rows, columns) of each map, from whole numbers or pairs."""
    given = value.tolist() if isinstance(value, np.ndarray) else value
    if not isinstance(given, list | tuple) or not given:
        raise ValueError(
            f"`{name}` is {value!r}; expected a list with the size of each map: put the sizes in one."
        )
    return [pair(f"{name}[{place}]", each) for place, each in enumerate(given)]


def _variances(name: str, value: Any) -> np.ndarray:
    """Two numbers above 0, each twice: those of x, y, w, h."""
    given = array(name, value)
    if given.shape != (2,) or not (given > 0).all():
        raise ValueError(
            f"`{name}` is {value!r}; expected two numbers above 0, for centres and for sides: give these."
        )
    return np.repeat(given, 2)


def _positives(name: str, value: Any) -> np.ndarray:
    """An array of bools; zeros and ones will do."""
    given = array(name, value)
    if not np.isin(given, (0, 1)).all():
        raise ValueError(
            f"`{name}` has numbers other than 0 and 1; expected True where a default box is matched."
        )
    return given.astype(bool)


FeatureSizes = Annotated[list[tuple[int, int]], _feature_sizes]
Variances = Annotated[np.ndarray, _variances]
Positives = Annotated[np.ndarray, _positives]


@reference
def box_scales(maps: int, smallest: float = 0.2, largest: float = 0.9):
    """The scale of the boxes of each map, at equal distances, and one more.

    Args:
        maps: number of maps, at least 2.
        smallest: scale of the first map, above 0.
        largest: scale of the last map, not below `smallest`.

    Returns:
        (maps + 1,) scales; the last is one step beyond `largest`.

    Source: Liu et al. 2016, equation 4, as a line through its two ends.
    """
    if maps < 2:
        raise ValueError(f"`maps` is {maps}; expected at least 2, a first and a last: give a larger one.")
    positive(smallest=smallest)
    if largest < smallest:
        raise ValueError(
            f"`largest` is {largest}; expected at least `smallest`, {smallest}: give a larger one."
        )
    inside = np.linspace(smallest, largest, maps)
    return np.append(inside, 2 * inside[-1] - inside[-2])


@reference
def default_boxes(feature_sizes: FeatureSizes, scales, aspect_ratios):
    """The boxes that an SSD starts from: some shapes round the centre of each cell of each map.

    Args:
        feature_sizes: a whole number or (rows, columns) for each map.
        scales: (maps + 1,), the scale of each map's boxes and one more.
        aspect_ratios: width over height of the boxes of a cell.

    Returns:
        (n, 4) boxes (cx, cy, w, h), not clipped: map by map, cell by cell, row by row; in a cell each ratio r at the
        map's scale s, `w = s sqrt(r)` and `h = s / sqrt(r)`, then a square at the geometric mean of s and the next scale.

    Source: Liu et al. 2016, section 2.2, as a table of centres beside one of shapes.
    """
    rank(1, "(maps + 1,)", scales=scales)
    rank(1, "(ratios,)", aspect_ratios=aspect_ratios)
    size(len(feature_sizes) + 1, 0, "one more than there are maps", scales=scales)
    for name, numbers in [("scales", scales), ("aspect_ratios", aspect_ratios)]:
        positive(**{f"{name}[{place}]": number for place, number in enumerate(numbers)})
    every = []
    for (rows, columns), scale, following in zip(feature_sizes, scales[:-1], scales[1:], strict=True):
        ratios = np.append(aspect_ratios, 1.0)
        areas = scale * np.append(np.full(len(aspect_ratios), scale), following)
        shapes = np.sqrt(np.column_stack([areas * ratios, areas / ratios]))
        x, y = np.meshgrid((np.arange(columns) + 0.5) / columns, (np.arange(rows) + 0.5) / rows)
        centres = np.column_stack([x.ravel(), y.ravel()])
        every.append(
            np.column_stack([np.repeat(centres, len(shapes), axis=0), np.tile(shapes, (len(centres), 1))])
        )
    return np.concatenate(every)


@reference
def match_boxes(defaults: Boxes, gt_boxes: Boxes, threshold: float = 0.5):
    """Which object each default box is to find.

    Args:
        defaults: (n, 4) boxes (cx, cy, w, h).
        gt_boxes: (m, 4) boxes (x1, y1, x2, y2), the objects; m may be 0.
        threshold: a default box takes the object that it overlaps most, if their IoU is at least this.

    Returns:
        (n,) integers: the index of an object, or -1. Each object also keeps the default box that overlaps it most,
        whatever their IoU; the later of two objects with the same one has it.

    Source: Liu et al. 2016, section 2.2, as one argmax over the claims that objects have on a default box.
    """
    if not 0 <= threshold <= 1:
        raise ValueError(f"`threshold` is {threshold}; expected an IoU from 0 to 1: give one.")
    if len(defaults) == 0:
        raise ValueError("`defaults` has shape (0, 4); expected at least one box: give some.")
    if len(gt_boxes) == 0:
        return np.full(len(defaults), -1)
    overlaps = iou(convert_boxes(defaults, "cxcywh", "xyxy"), gt_boxes)
    kept = np.arange(len(defaults))[:, np.newaxis] == overlaps.argmax(axis=0)
    claims = np.where(kept, 2 + np.arange(len(gt_boxes)), np.where(overlaps >= threshold, overlaps, -1))
    return np.where(claims.max(axis=1) < 0, -1, claims.argmax(axis=1))


@reference
def encode_ssd(boxes: Boxes, defaults: Boxes, variances: Variances = (0.1, 0.2)):  # type: ignore[assignment]
    """What moves each default box onto its box, in units of the variances.

    Args:
        boxes: (n, 4) boxes (x1, y1, x2, y2) with positive sides.
        defaults: (n, 4) boxes (cx, cy, w, h) with positive sides.
        variances: the units of centres and of sides.

    Returns:
        (n, 4) array: shift of the centre in sides of the default box, and logarithm of the growth of the sides.

    Source: `kerasref.boxes.encode_boxes` over the variances.
    """
    same_shape(boxes=boxes, defaults=defaults)
    _with_sides(defaults)
    return encode_boxes(boxes, convert_boxes(defaults, "cxcywh", "xyxy")) / variances


@reference
def hard_negative_mining(losses, positives: Positives, ratio: int = 3):
    """The negatives of one image that count: those with the largest losses.

    Args:
        losses: (n,), the loss of each default box.
        positives: (n,), True where a default box is matched to an object.
        ratio: negatives for each positive.

    Returns:
        (n,) bools, True for the `ratio * positives` negatives with the largest losses, or all if there are fewer.

    Source: `keras.ops.argsort`, twice, which gives ranks.
    """
    rank(1, "(n,)", losses=losses, positives=positives)
    same_shape(losses=losses, positives=positives)
    not_negative(ratio=ratio)
    return mined_negatives(losses, positives, ratio)


@reference
def multibox_loss(class_logits, locations, labels: Integers, targets, ratio: int = 3, alpha: float = 1.0):
    """The loss of one image: cross-entropy of positives and mined negatives, and smooth L1 of the positives' locations.

    Args:
        class_logits: (n, classes), the background in column 0.
        locations: (n, 4), predicted.
        labels: (n,) integers, 0 for the background.
        targets: (n, 4), what the locations should be; not read where the label is 0.
        ratio: mined negatives for each positive.
        alpha: weight of the locations.

    Returns:
        One number: both sums over the number of positives, 0 where there are none.

    Source: `keras.ops.sparse_categorical_crossentropy` and `keras.losses.huber`, by `multibox_losses`.
    """
    rank(2, "(n, classes)", class_logits=class_logits)
    rank(2, "(n, 4)", locations=locations)
    rank(1, "(n,)", labels=labels)
    size(4, 1, "a box", locations=locations)
    same_shape(locations=locations, targets=targets)
    same_length(class_logits=class_logits, locations=locations)
    same_length(class_logits=class_logits, labels=labels)
    labels_below(class_logits.shape[1], labels=labels)
    not_negative(ratio=ratio, alpha=alpha)
    logits, moves, truth, wanted = (each[np.newaxis] for each in (class_logits, locations, labels, targets))
    return multibox_losses(logits, moves, truth, wanted, ratio, alpha)[0]


@reference
def decode_ssd(
    locations: Boxes,
    confidences,
    defaults: Boxes,
    variances: Variances = (0.1, 0.2),  # type: ignore[assignment]
    score_threshold: float = 0.5,
    iou_threshold: float = 0.45,
    top_k: int = 200,
):
    """What an SSD has found in one image.

    Args:
        locations: (n, 4), as of `encode_ssd`.
        confidences: (n, classes), probabilities, the background in column 0.
        defaults: (n, 4) boxes (cx, cy, w, h) with positive sides.
        variances: the units of centres and of sides.
        score_threshold: a class of a default box is reported if its probability is at least this.
        iou_threshold: of two boxes of a class with an IoU above it, the worse one is dropped.
        top_k: at most so many are reported, of all classes together, after the suppression.

    Returns:
        (boxes, scores, labels), best first: (k, 4) boxes (x1, y1, x2, y2), not clipped, (k,), and (k,) labels from 1.

    Source: `kerasref.boxes.decode_boxes` and `class_nms`.
    """
    same_shape(locations=locations, defaults=defaults)
    rank(2, "(n, classes)", confidences=confidences)
    same_length(locations=locations, confidences=confidences)
    within_0_1(confidences=confidences)
    _with_sides(defaults)
    at_least_1(top_k=top_k)
    moved = decode_boxes(locations * variances, convert_boxes(defaults, "cxcywh", "xyxy"))
    place, label = np.nonzero(confidences[:, 1:] >= score_threshold)
    boxes, scores, labels = moved[place], confidences[place, label + 1], label + 1
    kept = class_nms(boxes, scores, labels, iou_threshold)[:top_k]
    return boxes[kept], scores[kept], labels[kept]


@reference
def ssd_targets(
    boxes: Boxes,
    labels: Integers,
    defaults: Boxes,
    threshold: float = 0.5,
    variances: Variances = (0.1, 0.2),  # type: ignore[assignment]
):
    """What an SSD should say of one image.

    Args:
        boxes: (m, 4) boxes (x1, y1, x2, y2), the objects; m may be 0.
        labels: (m,) integers from 1.
        defaults: (n, 4) boxes (cx, cy, w, h).
        threshold: as of `match_boxes`.
        variances: as of `encode_ssd`.

    Returns:
        (labels, targets): (n,) integers, 0 for background, and (n, 4) as of `encode_ssd`, zeros for background.

    Source: `match_boxes` and `encode_ssd`, the background being one more object, the last.
    """
    same_length(boxes=boxes, labels=labels)
    if len(labels) and labels.min() < 1:
        raise ValueError(f"`labels` has {labels.min()}; expected labels from 1, 0 is the background: add 1.")
    index = match_boxes(defaults, boxes, threshold)
    with_one_more = np.concatenate([boxes, convert_boxes(defaults[:1], "cxcywh", "xyxy")])
    targets = encode_ssd(with_one_more[index], defaults, variances[::2])
    return np.append(labels, 0)[index], np.where(index[:, np.newaxis] < 0, 0.0, targets)


def multibox_losses(
    class_logits: Any, locations: Any, labels: Any, targets: Any, ratio: Any = 3, alpha: Any = 1.0
) -> Any:
    """`multibox_loss` of each image of a batch, on tensors of any precision, with gradients: what an SSD trains with.

    Args:
        class_logits: (batch, n, classes).
        locations: (batch, n, 4).
        labels: (batch, n) integers.
        targets: (batch, n, 4).
        ratio, alpha: as in `multibox_loss`.

    Returns:
        Tensor (batch,).
    """
    positives = ops.greater(labels, 0)
    entropy = ops.sparse_categorical_crossentropy(labels, class_logits, from_logits=True)
    counted = ops.logical_or(positives, mined_negatives(ops.stop_gradient(entropy), positives, ratio))
    distance = 4 * keras.losses.huber(targets, locations)  # Keras gives the mean of the four
    each = ops.where(counted, entropy, 0.0) + ops.where(positives, alpha * distance, 0.0)
    return ops.sum(each, axis=-1) / ops.maximum(ops.sum(ops.cast(positives, each.dtype), axis=-1), 1)


def mined_negatives(losses: Any, positives: Any, ratio: Any) -> Any:
    """`hard_negative_mining` along the last axis of tensors."""
    ranks = ops.argsort(ops.argsort(ops.where(positives, np.inf, ops.negative(losses))))
    wanted = ratio * ops.sum(ops.cast(positives, ranks.dtype), axis=-1, keepdims=True)
    return ops.logical_and(ops.logical_not(positives), ranks < wanted)


def _with_sides(defaults: np.ndarray) -> None:
    """Refuse default boxes without area."""
    if not (defaults[:, 2:] > 0).all():
        raise ValueError(
            f"`defaults` has sides down to {defaults[:, 2:].min()}; expected sides above 0: give (cx, cy, w, h)."
        )
