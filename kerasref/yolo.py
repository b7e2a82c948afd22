"""References of the assignment `yolo`. Boxes are (x1, y1, x2, y2), image sizes (height, width), anchors (width, height)."""

from typing import Annotated, Any

import numpy as np

from kerasref.backend import keras
from kerasref.boxes import Boxes, class_nms, convert_boxes
from kerasref.core import reference
from kerasref.validation import (
    Arrays,
    Generator,
    Integers,
    array,
    at_least_1,
    labels_below,
    not_negative,
    pair,
    rank,
    size,
)

ops = keras.ops


def _sizes(name: str, value: Any) -> np.ndarray:
    """A float64 copy of widths and heights, above 0, along the last axis."""
    given = array(name, value)
    if given.ndim == 0 or given.shape[-1] != 2 or given.size == 0:
        raise ValueError(
            f"`{name}` has shape {given.shape}; expected a last axis of 2, width and height: reshape it."
        )
    if not (given > 0).all():
        raise ValueError(
            f"`{name}` has {given.min()}; expected widths and heights above 0: leave others out."
        )
    return given


Sizes = Annotated[np.ndarray, _sizes]
Size = Annotated[tuple[int, int], pair]


@reference
def encode_grid(boxes: Boxes, labels: Integers, grid: int, classes: int, image_size: Size):
    """What YOLO is to say of an image: each cell of the grid speaks for the object whose centre lies in it.

    Args:
        boxes: (n, 4) boxes in pixels, their centres in the image.
        labels: (n,) classes from 0.
        grid: cells along each side, S.
        classes: how many there are, C.
        image_size: (height, width) in pixels.

    Returns:
        (S, S, 5 + C): x, y of the centre in its cell, width and height as shares of the image's, confidence 1, one-hot
        class; zeros where there is no object. Of several objects in a cell the first stays.

    Source: Redmon et al. 2016, all boxes at once.
    """
    at_least_1(grid=grid, classes=classes)
    if labels.shape != (len(boxes),):
        raise ValueError(
            f"`labels` has shape {labels.shape}; expected ({len(boxes)},), one a box: make them agree."
        )
    labels_below(classes, labels=labels)
    height, width = image_size
    centre, sides = np.split(
        convert_boxes(boxes, "xyxy", "cxcywh") / [width, height, width, height], 2, axis=1
    )
    if not (sides > 0).all():
        raise ValueError(
            "`boxes` has a side that is not above 0; expected x1 < x2 and y1 < y2: leave it out."
        )
    if not ((centre >= 0) & (centre < 1)).all():
        raise ValueError(f"`boxes` has a centre outside of the image of {image_size}; expected it inside.")
    cell = np.floor(grid * centre).astype(int)
    taken, first = np.unique(cell[:, 1] * grid + cell[:, 0], return_index=True)
    rows = np.column_stack([grid * centre - cell, sides, np.ones(len(boxes)), np.eye(classes)[labels]])
    flat = np.zeros((grid * grid, 5 + classes))
    flat[taken] = rows[first]
    return flat.reshape(grid, grid, 5 + classes)


@reference
def decode_grid(predictions, boxes_per_cell: int, classes: int, image_size: Size):
    """The boxes that a grid of predictions speaks of.

    Args:
        predictions: (S, S, B * 5 + C): of each box x, y in its cell, width and height as shares of the image's,
            confidence; then the cell's class probabilities.
        boxes_per_cell: B.
        classes: C.
        image_size: (height, width) in pixels.

    Returns:
        (boxes (n, 4) in pixels, confidence (n,), class probabilities (n, C)), n = S * S * B: cells row by row, in each its
        boxes, which share its class probabilities.

    Source: Redmon et al. 2016, by a matrix of all cells' corners.
    """
    at_least_1(boxes_per_cell=boxes_per_cell, classes=classes)
    rank(3, "(S, S, B * 5 + C)", predictions=predictions)
    grid = len(predictions)
    size(grid, 1, "as many as rows", predictions=predictions)
    size(5 * boxes_per_cell + classes, 2, "B * 5 + C", predictions=predictions)
    height, width = image_size
    rows, columns = np.divmod(np.arange(grid * grid), grid)
    shift = np.zeros((grid * grid, boxes_per_cell, 5))
    shift[:, :, 0], shift[:, :, 1] = columns[:, np.newaxis], rows[:, np.newaxis]
    spoken, probabilities = np.split(predictions.reshape(grid * grid, -1), [5 * boxes_per_cell], axis=1)
    flat = (spoken.reshape(shift.shape) + shift).reshape(-1, 5)
    boxes = convert_boxes(flat[:, :4] * [width / grid, height / grid, width, height], "cxcywh", "xyxy")
    return boxes, flat[:, 4], np.repeat(probabilities, boxes_per_cell, axis=0)


@reference
def yolo_v1_loss(
    y_true, y_pred, boxes_per_cell: int = 2, lambda_coord: float = 5.0, lambda_noobj: float = 0.5
):
    """YOLO's sum of squares: places, roots of sizes, confidences and classes, over the batch.

    Args:
        y_true: (batch, S, S, 5 + C), as `encode_grid` makes it, confidences 0 or 1.
        y_pred: (batch, S, S, B * 5 + C), widths and heights at least 0.
        boxes_per_cell: B.
        lambda_coord: what places and sizes weigh.
        lambda_noobj: what the confidences of boxes without an object weigh.

    Returns:
        One number. Of an object's cell the box with the highest IoU is responsible, the first of equal ones, and its
        confidence is to be that IoU. All other boxes, there and in empty cells, are to have the confidence 0.

    Source: `grid_loss`, after Redmon et al. 2016.
    """
    at_least_1(boxes_per_cell=boxes_per_cell)
    not_negative(lambda_coord=lambda_coord, lambda_noobj=lambda_noobj)
    rank(4, "(batch, S, S, channels)", y_true=y_true, y_pred=y_pred)
    batch, grid, _, channels = y_true.shape
    size(grid, 2, "as many as rows", y_true=y_true)
    if channels < 6:
        raise ValueError(
            f"`y_true` has shape {y_true.shape}; expected 5 + C channels: give at least one class."
        )
    size(batch, 0, "the batch of `y_true`", y_pred=y_pred)
    for axis in (1, 2):
        size(grid, axis, "the grid of `y_true`", y_pred=y_pred)
    size(5 * boxes_per_cell + channels - 5, 3, "B * 5 + C", y_pred=y_pred)
    if not np.isin(y_true[..., 4], (0, 1)).all():
        raise ValueError(
            "`y_true` has confidences other than 0 and 1; expected 1 where an object is, else 0."
        )
    spoken = y_pred[..., : 5 * boxes_per_cell].reshape(*y_pred.shape[:3], boxes_per_cell, 5)
    for name, sides in [("y_true", y_true[..., 2:4]), ("y_pred", spoken[..., 2:4])]:
        if not (sides >= 0).all():
            raise ValueError(
                f"`{name}` has a width or height of {sides.min()}; expected at least 0: a root is taken of it."
            )
    truth, said = ops.convert_to_tensor(y_true), ops.convert_to_tensor(y_pred)
    return grid_loss(truth, said, boxes_per_cell, lambda_coord, lambda_noobj)


def grid_loss(
    y_true: Any,
    y_pred: Any,
    boxes_per_cell: int = 2,
    lambda_coord: float = 5.0,
    lambda_noobj: float = 0.5,
) -> Any:
    """`yolo_v1_loss` on tensors of any precision, to train with: no gradient flows into a confidence's target.

    Args and returns: as `yolo_v1_loss`, unchecked.
    """
    grid, coordinates = y_pred.shape[1], 5 * boxes_per_cell
    spoken = ops.reshape(y_pred[..., :coordinates], (-1, grid, grid, boxes_per_cell, 5))
    truth = y_true[..., None, :5]
    overlap = ops.stop_gradient(_overlap(truth, spoken, grid))
    best = ops.one_hot(ops.argmax(overlap, axis=-1), boxes_per_cell, dtype=y_pred.dtype)
    responsible = truth[..., 4] * best
    place = ops.sum(ops.square(truth[..., :2] - spoken[..., :2]), axis=-1)
    sides = ops.sum(ops.square(_root(truth[..., 2:4]) - _root(spoken[..., 2:4])), axis=-1)
    confidence = ops.square(overlap - spoken[..., 4])
    silence = (1 - responsible) * ops.square(spoken[..., 4])
    classes = ops.square(y_true[..., 5:] - y_pred[..., coordinates:])
    total = (
        ops.sum(responsible * (lambda_coord * (place + sides) + confidence))
        + lambda_noobj * ops.sum(silence)
        + ops.sum(y_true[..., 4:5] * classes)
    )
    return total / ops.cast(ops.shape(y_pred)[0], y_pred.dtype)


@reference
def kmeans_anchors(sizes: Sizes, k: int, rng: Generator, iterations: int = 100):
    """Sizes that stand for many: k-means in which near means a high IoU of boxes with one centre.

    Args:
        sizes: (n, 2) widths and heights.
        k: how many anchors, from 1 to n.
        rng: a `numpy.random.Generator`, which draws the first anchors from the sizes.
        iterations: most rounds.

    Returns:
        (k, 2) anchors in any order, each the mean of the sizes to which it is the nearest by `1 - IoU`; one that is
        nearest to none stays as it was.

    Source: Redmon and Farhadi 2017, the means as a product with the one-hot table of memberships.
    """
    rank(2, "(n, 2)", sizes=sizes)
    at_least_1(k=k, iterations=iterations)
    if k > len(sizes):
        raise ValueError(f"`k` is {k}; expected at most {len(sizes)}, one a size: ask for fewer.")
    anchors = rng.choice(sizes, k, replace=False)
    for _ in range(iterations):
        shared = np.minimum(sizes[:, np.newaxis], anchors).prod(axis=2)
        union = sizes.prod(axis=1, keepdims=True) + anchors.prod(axis=1) - shared
        members = np.eye(k)[np.argmax(shared / union, axis=1)]
        counts = members.sum(axis=0)[:, np.newaxis]
        moved = np.where(counts > 0, members.T @ sizes / np.maximum(counts, 1), anchors)
        if np.array_equal(moved, anchors):
            break
        anchors = moved
    return anchors


@reference
def decode_v2(predictions, anchors: Sizes):
    """The boxes of YOLOv2: a sigmoid places the centre in its cell, an exponential stretches the anchor.

    Args:
        predictions: (h, w, a, 5 + C), raw: tx, ty, tw, th, objectness, classes.
        anchors: (a, 2) widths and heights in cells.

    Returns:
        (boxes (n, 4) in 0..1 of the image, objectness (n,), class probabilities (n, C)), n = h * w * a: cells row by row,
        in each its anchors. Boxes are not clipped.

    Source: Redmon and Farhadi 2017, by `keras.ops.sigmoid` and `logsumexp`.
    """
    rank(4, "(h, w, a, 5 + C)", predictions=predictions)
    rank(2, "(a, 2)", anchors=anchors)
    size(predictions.shape[2], 0, "the anchors of `predictions`", anchors=anchors)
    height, width, _, channels = predictions.shape
    if channels < 6:
        raise ValueError(
            f"`predictions` has shape {predictions.shape}; expected 5 + C channels: give at least one class."
        )
    boxes, objectness = _stretched(predictions, anchors / [width, height])
    logits = _flat(ops.convert_to_tensor(predictions[..., 5:]))
    return boxes, objectness, ops.exp(logits - ops.logsumexp(logits, axis=-1, keepdims=True))


@reference
def decode_v3(feature_maps: Arrays, anchors: Sizes, input_size: Size):
    """The boxes of YOLOv3: maps of several scales with three anchors each, classes that do not exclude each other.

    Args:
        feature_maps: list of three (h, w, 3 * (5 + C)), raw: of each anchor tx, ty, tw, th, objectness, classes.
        anchors: (3, 3, 2) widths and heights in pixels, three for each map.
        input_size: (height, width) of the image in pixels; a number for both.

    Returns:
        (boxes (n, 4) in pixels, objectness (n,), class probabilities (n, C)): maps in the order given, in each the cells
        row by row, in each cell its anchors. Boxes are not clipped.

    Source: Redmon and Farhadi 2018, by `keras.ops.sigmoid`.
    """
    rank(3, "(3, 3, 2)", anchors=anchors)
    size(3, 0, "one group for each map", anchors=anchors)
    size(3, 1, "three for each map", anchors=anchors)
    if len(feature_maps) != 3:
        raise ValueError(f"`feature_maps` has {len(feature_maps)} maps; expected 3: give one for each scale.")
    channels = feature_maps[0].shape[-1] if feature_maps[0].ndim else 0
    if channels % 3 or channels < 18:
        raise ValueError(
            f"`feature_maps` has shape {feature_maps[0].shape} first; expected (h, w, 3 * (5 + C)): "
            "give three times 5 + C channels."
        )
    height, width = input_size
    parts = []
    for place, (each, own) in enumerate(zip(feature_maps, anchors, strict=True)):
        rank(3, "(h, w, 3 * (5 + C))", **{f"feature_maps[{place}]": each})
        size(channels, 2, "as in the first map", **{f"feature_maps[{place}]": each})
        raw = each.reshape(*each.shape[:2], 3, -1)
        boxes, objectness = _stretched(raw, own / [width, height])
        pixels = boxes * np.array([width, height, width, height], float)
        parts.append((pixels, objectness, _flat(ops.sigmoid(raw[..., 5:]))))
    return tuple(ops.concatenate(each, axis=0) for each in zip(*parts, strict=True))


@reference
def filter_detections(
    boxes: Boxes,
    confidence,
    class_probabilities,
    score_threshold: float = 0.5,
    iou_threshold: float = 0.5,
):
    """What is left to report: boxes that are sure enough of one class, and no two of a class on the same object.

    Args:
        boxes: (n, 4) boxes.
        confidence: (n,) how sure each is of an object.
        class_probabilities: (n, C).
        score_threshold: the least score, which is the confidence times the probability of the best class.
        iou_threshold: of two boxes of one class with an IoU above it the better one stays.

    Returns:
        (boxes (m, 4), scores (m,), labels (m,)), best first.

    Source: `kerasref.boxes.class_nms`.
    """
    if confidence.shape != (len(boxes),):
        raise ValueError(
            f"`confidence` has shape {confidence.shape}; expected ({len(boxes)},), one a box: make them agree."
        )
    if class_probabilities.ndim != 2 or class_probabilities.shape[1] == 0:
        raise ValueError(
            f"`class_probabilities` has shape {class_probabilities.shape}; expected (n, C): reshape it."
        )
    size(len(boxes), 0, "one row a box", class_probabilities=class_probabilities)
    labels = class_probabilities.argmax(axis=1)
    scores = confidence * class_probabilities.max(axis=1)
    sure = np.flatnonzero(scores >= score_threshold)
    stays = sure[class_nms(boxes[sure], scores[sure], labels[sure], iou_threshold)]
    return boxes[stays], scores[stays], labels[stays]


def tiny_yolo(inputs: Any, boxes_per_cell: int, classes: int) -> Any:
    """A small detector: strided convolutions down to a grid of an eighth of the image, all outputs in 0..1.

    Args:
        inputs: Keras tensor (batch, height, width, channels).
        boxes_per_cell: B.
        classes: C.

    Returns:
        Keras tensor (batch, height / 8, width / 8, B * 5 + C).

    Source: `keras.layers`; one design of many.
    """
    at_least_1(boxes_per_cell=boxes_per_cell, classes=classes)
    layers, x = keras.layers, inputs
    for filters, strides in [(16, 2), (32, 2), (64, 2), (64, 1)]:
        x = layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
        x = layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(x))
    return layers.Conv2D(5 * boxes_per_cell + classes, 1, activation="sigmoid")(x)


def _corners(boxes: Any, grid: int) -> tuple[Any, Any]:
    """Both corners as shares of the image, from the corner of the cell; x and y count in cells."""
    centre, half = boxes[..., :2] / grid, boxes[..., 2:4] / 2
    return centre - half, centre + half


def _overlap(truth: Any, spoken: Any, grid: int) -> Any:
    """IoU of boxes of one cell, 0 where both are empty."""
    (low, high), (other_low, other_high) = _corners(truth, grid), _corners(spoken, grid)
    shared = ops.prod(ops.relu(ops.minimum(high, other_high) - ops.maximum(low, other_low)), axis=-1)
    union = ops.prod(truth[..., 2:4], axis=-1) + ops.prod(spoken[..., 2:4], axis=-1) - shared
    return ops.where(union > 0, shared / ops.where(union > 0, union, 1.0), 0.0)


def _root(sides: Any) -> Any:
    """Square root, with the gradient 0 at 0 in the place of infinity."""
    return ops.where(sides > 0, ops.sqrt(ops.where(sides > 0, sides, 1.0)), 0.0)


def _stretched(raw: np.ndarray, anchors: np.ndarray) -> tuple[Any, Any]:
    """Boxes in 0..1 and objectness of raw predictions (h, w, a, ...) with anchors as shares of the image."""
    height, width = raw.shape[:2]
    at = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)[:, :, np.newaxis]
    centre = (ops.sigmoid(raw[..., :2]) + at) / np.array([width, height], float)
    half = ops.exp(raw[..., 2:4]) * anchors / 2
    return _flat(ops.concatenate([centre - half, centre + half], axis=-1)), ops.reshape(
        ops.sigmoid(raw[..., 4]), (-1,)
    )


def _flat(table: Any) -> Any:
    return ops.reshape(table, (-1, table.shape[-1]))
