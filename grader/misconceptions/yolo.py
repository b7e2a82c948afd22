"""Well-known wrong answers to the assignment `yolo`."""

import numpy as np

from grader.exercise import misconception

WIDTH_FIRST = (
    "Height and width of the image are exchanged: `image_size` is (height, width), like an array's shape; x goes with the "
    "width."
)
ROW_IS_X = "Row and column are exchanged: x runs along a row, so it counts columns. An array wants the row first, `[row, column]`."


def sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x)))


def softmax(x):
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def corners(x, y, w, h):
    return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=-1)


def iou(a, b):
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    union = np.prod(a[..., 2:] - a[..., :2], axis=-1) + np.prod(b[..., 2:] - b[..., :2], axis=-1) - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0)


def in_cells(box, grid, image_size):
    """Centre in cells, and the sides as shares of the image."""
    (x1, y1, x2, y2), (height, width) = box, image_size
    centre = (x1 + x2) / 2 / width * grid, (y1 + y2) / 2 / height * grid
    return *centre, (x2 - x1) / width, (y2 - y1) / height


def encoded(boxes, labels, grid, classes, image_size, numbers=None, last=False, all_labels=False):
    """A grid as it should be, but for `numbers`, which gives row, column and the first four numbers of an object."""
    target = np.zeros((grid, grid, 5 + classes))
    for box, label in zip(boxes, labels, strict=True):
        x, y, w, h = in_cells(box, grid, image_size)
        row, column, four = int(y), int(x), (x - int(x), y - int(y), w, h)
        if numbers is not None:
            row, column, four = numbers(box, row, column, four)
        if last:
            target[row, column] = 0
        if all_labels:
            target[row, column, 5 + label] = 1
        if target[row, column, 4] == 0:
            target[row, column, :5] = *four, 1
            target[row, column, 5 + label] = 1
    return target


ENCODE, DECODE = "encode_grid.encode_grid", "encode_grid.decode_grid"


@misconception(
    ENCODE,
    "Your x and y are shares of the image. They are places in the cell, from 0 at its left and top: take the column and the row "
    "off.",
)
def places_in_the_image(boxes, labels, grid, classes, image_size):
    def numbers(box, row, column, four):
        x, y, w, h = four
        return row, column, ((column + x) / grid, (row + y) / grid, w, h)

    return encoded(boxes, labels, grid, classes, image_size, numbers)


@misconception(
    ENCODE,
    "x and y still count cells from the edge of the image: take the column and the row off, what is left is 0 to 1.",
)
def places_in_cells_from_the_edge(boxes, labels, grid, classes, image_size):
    def numbers(box, row, column, four):
        x, y, w, h = four
        return row, column, (column + x, row + y, w, h)

    return encoded(boxes, labels, grid, classes, image_size, numbers)


@misconception(
    ENCODE,
    "Your w and h count in cells. An object may be larger than a cell: its sides are shares of the whole image.",
)
def sizes_in_cells(boxes, labels, grid, classes, image_size):
    def numbers(box, row, column, four):
        x, y, w, h = four
        return row, column, (x, y, w * grid, h * grid)

    return encoded(boxes, labels, grid, classes, image_size, numbers)


@misconception(ENCODE, "w and h are in pixels: divide them by the image's width and height.")
def sizes_in_pixels(boxes, labels, grid, classes, image_size):
    def numbers(box, row, column, four):
        return row, column, (*four[:2], box[2] - box[0], box[3] - box[1])

    return encoded(boxes, labels, grid, classes, image_size, numbers)


@misconception(ENCODE, ROW_IS_X)
def transposed_grid(boxes, labels, grid, classes, image_size):
    return encoded(
        boxes, labels, grid, classes, image_size, lambda box, row, column, four: (column, row, four)
    )


@misconception(ENCODE, WIDTH_FIRST)
def encoded_width_first(boxes, labels, grid, classes, image_size):
    height, width = image_size

    def numbers(box, row, column, four):
        x, y, w, h = in_cells(box, grid, (width, height))
        row, column = min(int(y), grid - 1), min(int(x), grid - 1)
        return row, column, (x - column, y - row, w, h)

    return encoded(boxes, labels, grid, classes, image_size, numbers)


@misconception(
    ENCODE,
    "The last object of a cell keeps it, the first should: write only where the confidence is still 0.",
)
def last_keeps_the_cell(boxes, labels, grid, classes, image_size):
    return encoded(boxes, labels, grid, classes, image_size, last=True)


@misconception(
    ENCODE,
    "A cell with two objects got both classes: the second object is to leave no trace in a cell that is taken.",
)
def two_classes_in_a_cell(boxes, labels, grid, classes, image_size):
    return encoded(boxes, labels, grid, classes, image_size, all_labels=True)


@misconception(
    ENCODE, "You went by the top left corner. The cell that speaks is the one in which the box's centre lies."
)
def cell_of_the_corner(boxes, labels, grid, classes, image_size):
    def numbers(box, row, column, four):
        x, y = box[0] / image_size[1] * grid, box[1] / image_size[0] * grid
        return int(y), int(x), (x - int(x), y - int(y), *four[2:])

    return encoded(boxes, labels, grid, classes, image_size, numbers)


def taken_apart(predictions, boxes_per_cell, classes):
    """x, y, w, h, confidence, each (S, S, B), with the row and the column and the flat class probabilities."""
    grid = len(predictions)
    boxes = predictions[..., : 5 * boxes_per_cell].reshape(grid, grid, boxes_per_cell, 5)
    probabilities = np.repeat(
        predictions[..., 5 * boxes_per_cell :].reshape(-1, classes), boxes_per_cell, axis=0
    )
    row, column = np.mgrid[:grid, :grid][..., np.newaxis]
    return np.moveaxis(boxes, -1, 0), row, column, probabilities


def flat(boxes, confidence, probabilities):
    return boxes.reshape(-1, 4), confidence.ravel(), probabilities


@misconception(
    DECODE, "The cells' own places are missing: add the column to x and the row to y before you divide by S."
)
def decoded_without_offsets(predictions, boxes_per_cell, classes, image_size):
    (x, y, w, h, sure), _, _, probabilities = taken_apart(predictions, boxes_per_cell, classes)
    grid, (height, width) = len(predictions), image_size
    return flat(corners(x / grid * width, y / grid * height, w * width, h * height), sure, probabilities)


@misconception(DECODE, ROW_IS_X)
def decoded_transposed(predictions, boxes_per_cell, classes, image_size):
    (x, y, w, h, sure), row, column, probabilities = taken_apart(predictions, boxes_per_cell, classes)
    grid, (height, width) = len(predictions), image_size
    x, y = (x + row) / grid * width, (y + column) / grid * height
    return flat(corners(x, y, w * width, h * height), sure, probabilities)


@misconception(DECODE, WIDTH_FIRST)
def decoded_width_first(predictions, boxes_per_cell, classes, image_size):
    (x, y, w, h, sure), row, column, probabilities = taken_apart(predictions, boxes_per_cell, classes)
    grid, (width, height) = len(predictions), image_size
    x, y = (x + column) / grid * width, (y + row) / grid * height
    return flat(corners(x, y, w * width, h * height), sure, probabilities)


@misconception(
    DECODE, "You divided w and h by S: x and y count in cells, but w and h are shares of the whole image."
)
def decoded_sizes_in_cells(predictions, boxes_per_cell, classes, image_size):
    (x, y, w, h, sure), row, column, probabilities = taken_apart(predictions, boxes_per_cell, classes)
    grid, (height, width) = len(predictions), image_size
    x, y = (x + column) / grid * width, (y + row) / grid * height
    return flat(corners(x, y, w / grid * width, h / grid * height), sure, probabilities)


@misconception(
    DECODE,
    "You took x and y for the top left corner: they are the centre, half of the size lies on each side.",
)
def decoded_from_the_corner(predictions, boxes_per_cell, classes, image_size):
    (x, y, w, h, sure), row, column, probabilities = taken_apart(predictions, boxes_per_cell, classes)
    grid, (height, width) = len(predictions), image_size
    x, y = (x + column) / grid * width, (y + row) / grid * height
    boxes = np.stack([x, y, x + w * width, y + h * height], axis=-1)
    return flat(boxes, sure, probabilities)


@misconception(
    DECODE, "The boxes are twice as wide and high: from the centre go half of the size to each side."
)
def decoded_twice_as_large(predictions, boxes_per_cell, classes, image_size):
    (x, y, w, h, sure), row, column, probabilities = taken_apart(predictions, boxes_per_cell, classes)
    grid, (height, width) = len(predictions), image_size
    x, y = (x + column) / grid * width, (y + row) / grid * height
    return flat(corners(x, y, 2 * w * width, 2 * h * height), sure, probabilities)


@misconception(
    DECODE,
    "The numbers of a cell's boxes are mixed up. They come box by box, x y w h confidence and then the next box: "
    "`reshape(S, S, B, 5)`.",
)
def decoded_number_by_number(predictions, boxes_per_cell, classes, image_size):
    grid = len(predictions)
    mixed = predictions[..., : 5 * boxes_per_cell].reshape(grid, grid, 5, boxes_per_cell)
    ordered = np.swapaxes(mixed, 2, 3).reshape(grid, grid, -1)
    predictions = np.concatenate([ordered, predictions[..., 5 * boxes_per_cell :]], axis=2)
    (x, y, w, h, sure), row, column, probabilities = taken_apart(predictions, boxes_per_cell, classes)
    height, width = image_size
    x, y = (x + column) / grid * width, (y + row) / grid * height
    return flat(corners(x, y, w * width, h * height), sure, probabilities)


@misconception(
    DECODE,
    "The class probabilities went to the wrong boxes: all boxes of a cell come one after the other, so each cell's row is "
    "repeated (`np.repeat`), not the whole table (`np.tile`).",
)
def decoded_tiled_classes(predictions, boxes_per_cell, classes, image_size):
    (x, y, w, h, sure), row, column, probabilities = taken_apart(predictions, boxes_per_cell, classes)
    grid, (height, width) = len(predictions), image_size
    x, y = (x + column) / grid * width, (y + row) / grid * height
    tiled = np.tile(probabilities[::boxes_per_cell], (boxes_per_cell, 1))
    return flat(corners(x, y, w * width, h * height), sure, tiled)


@misconception(
    DECODE, "You cut the boxes off at the edge of the image. Here they are given as they were predicted."
)
def decoded_and_clipped(predictions, boxes_per_cell, classes, image_size):
    (x, y, w, h, sure), row, column, probabilities = taken_apart(predictions, boxes_per_cell, classes)
    grid, (height, width) = len(predictions), image_size
    x, y = (x + column) / grid * width, (y + row) / grid * height
    boxes = corners(x, y, w * width, h * height)
    return flat(np.clip(boxes, 0, [width, height, width, height]), sure, probabilities)


FILTER = "filter_detections.filter_detections"


def suppressed(boxes, scores, threshold):
    order, kept = list(np.argsort(-scores, kind="stable")), []
    while order:
        best = order.pop(0)
        kept.append(best)
        order = [other for other in order if iou(boxes[best], boxes[other]) <= threshold]
    return np.array(kept, dtype=int)


def filtered(boxes, scores, labels, sure, iou_threshold):
    """Detections among those that are sure, suppressed within each class."""
    kept = np.zeros(0, int)
    for label in np.unique(labels):
        own = np.flatnonzero((labels == label) & sure)
        kept = np.append(kept, own[suppressed(boxes[own], scores[own], iou_threshold)])
    return boxes[kept], scores[kept], labels[kept]


@misconception(
    FILTER,
    "Your score is the confidence alone. That says whether something is there; times the class probability it says whether it "
    "is this.",
)
def confidence_alone(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    labels = class_probabilities.argmax(axis=1)
    return filtered(boxes, confidence, labels, confidence >= score_threshold, iou_threshold)


@misconception(
    FILTER,
    "Your score is the class probability alone. An empty cell has class probabilities too: multiply by the confidence.",
)
def probability_alone(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    labels, scores = class_probabilities.argmax(axis=1), class_probabilities.max(axis=1)
    return filtered(boxes, scores, labels, scores >= score_threshold, iou_threshold)


@misconception(
    FILTER,
    "You held the confidence against the threshold. It is the score, confidence times class probability, that has to reach it.",
)
def threshold_on_confidence(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    labels, scores = class_probabilities.argmax(axis=1), confidence * class_probabilities.max(axis=1)
    return filtered(boxes, scores, labels, confidence >= score_threshold, iou_threshold)


@misconception(
    FILTER,
    "Boxes of different classes suppress each other. What stands in front of something else is no duplicate: run `nms` for each "
    "class on its own.",
)
def class_blind(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    labels, scores = class_probabilities.argmax(axis=1), confidence * class_probabilities.max(axis=1)
    sure = np.flatnonzero(scores >= score_threshold)
    kept = sure[suppressed(boxes[sure], scores[sure], iou_threshold)]
    return boxes[kept], scores[kept], labels[kept]


@misconception(FILTER, "`score_threshold` has no effect: boxes whose score is below it are not reported.")
def without_score_threshold(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    labels, scores = class_probabilities.argmax(axis=1), confidence * class_probabilities.max(axis=1)
    return filtered(boxes, scores, labels, scores >= 0, iou_threshold)


@misconception(FILTER, "`iou_threshold` has no effect: hand it on to `nms`.")
def without_iou_threshold(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    labels, scores = class_probabilities.argmax(axis=1), confidence * class_probabilities.max(axis=1)
    return filtered(boxes, scores, labels, scores >= score_threshold, 0.5)


@misconception(FILTER, "One object is reported several times: run `nms` on the boxes of each class.")
def without_nms(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    labels, scores = class_probabilities.argmax(axis=1), confidence * class_probabilities.max(axis=1)
    sure = scores >= score_threshold
    return boxes[sure], scores[sure], labels[sure]


@misconception(
    FILTER,
    "A box is reported for several classes. Here each box has one label, that of its most probable class.",
)
def every_class_reports(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    classes = class_probabilities.shape[1]
    scores = (confidence[:, np.newaxis] * class_probabilities).ravel()
    labels = np.tile(np.arange(classes), len(boxes))
    return filtered(
        np.repeat(boxes, classes, axis=0), scores, labels, scores >= score_threshold, iou_threshold
    )


@misconception(
    FILTER,
    "The indices that `nms` gives count among the boxes that you handed to it: `own[nms(boxes[own], scores[own])]` are those among "
    "all.",
)
def indices_within_the_class(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    labels, scores = class_probabilities.argmax(axis=1), confidence * class_probabilities.max(axis=1)
    kept = np.zeros(0, int)
    for label in np.unique(labels):
        own = np.flatnonzero((labels == label) & (scores >= score_threshold))
        kept = np.append(kept, suppressed(boxes[own], scores[own], iou_threshold))
    return boxes[kept], scores[kept], labels[kept]


LOSS = "yolo_v1_loss.yolo_v1_loss"


def terms(y_true, y_pred, boxes_per_cell, root=np.sqrt, unit=None, target=None):
    """The terms of the loss, each for every box of every cell: (there, overlap, responsible, place, sides, sure, classes)."""
    batch, grid = y_true.shape[:2]
    boxes = y_pred[..., : 5 * boxes_per_cell].reshape(batch, grid, grid, boxes_per_cell, 5)
    truth = y_true[..., np.newaxis, :5]
    scale = grid if unit is None else unit
    overlap = iou(
        *(corners(b[..., 0] / scale, b[..., 1] / scale, b[..., 2], b[..., 3]) for b in (truth, boxes))
    )
    there = truth[..., 4] == 1
    responsible = there & (np.arange(boxes_per_cell) == overlap.argmax(axis=-1)[..., np.newaxis])
    place = np.sum((truth[..., :2] - boxes[..., :2]) ** 2, axis=-1)
    sides = np.sum((root(truth[..., 2:4]) - root(boxes[..., 2:4])) ** 2, axis=-1)
    classes = np.sum((y_true[..., 5:] - y_pred[..., 5 * boxes_per_cell :]) ** 2, axis=-1)
    return there, overlap, responsible, place, sides, boxes[..., 4], classes


def same_batch(y_true, y_pred):
    if y_true.shape[:3] != y_pred.shape[:3]:
        raise ValueError("the batches differ")


def summed(y_true, y_pred, weights, parts, responsible=None, target=None, silent=None):
    """The loss, with other responsible boxes, confidence targets or silent boxes than the right ones."""
    same_batch(y_true, y_pred)
    lambda_coord, lambda_noobj = weights
    there, overlap, right, place, sides, sure, classes = parts
    responsible = right if responsible is None else responsible
    silent = ~responsible if silent is None else silent
    total = lambda_coord * (place + sides)[responsible].sum()
    total += ((overlap if target is None else target) - sure)[responsible].__pow__(2).sum()
    return (total + lambda_noobj * (sure[silent] ** 2).sum() + classes[there[..., 0]].sum()) / len(y_true)


@misconception(
    LOSS,
    "Sizes are compared without the square roots: two pixels then cost a small box no more than a large one.",
)
def without_roots(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell, root=lambda sides: sides)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts)


@misconception(LOSS, "`lambda_coord` has no effect: places and sizes are to weigh more than the rest.")
def without_lambda_coord(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    return summed(y_true, y_pred, (1.0, lambda_noobj), terms(y_true, y_pred, boxes_per_cell))


@misconception(LOSS, "`lambda_coord` weighs the places only: it weighs the sizes too.")
def lambda_on_places_only(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    sides = parts[4][parts[2]].sum() / len(y_true)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts) + (1 - lambda_coord) * sides


@misconception(
    LOSS,
    "`lambda_noobj` has no effect: most cells are empty, and without it they drown what the few others have to say.",
)
def without_lambda_noobj(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    return summed(y_true, y_pred, (lambda_coord, 1.0), terms(y_true, y_pred, boxes_per_cell))


@misconception(
    LOSS,
    "The responsible box is to be sure of 1, whatever it looks like. Its confidence is to be its IoU with the truth, so that "
    "a good box comes to score higher than a poor one.",
)
def confidence_of_one(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    target = np.ones_like(parts[1])
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts, target=target)


@misconception(
    LOSS,
    "In a cell with an object the boxes that are not responsible are let off: their confidences are to be 0 too.",
)
def others_let_off(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    silent = np.broadcast_to(~parts[0], parts[5].shape)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts, silent=silent)


@misconception(
    LOSS,
    "The confidence of the responsible box is paid for twice: it is to be its IoU, and you also push it to 0. `lambda_noobj` is "
    "for all the other boxes.",
)
def responsible_pushed_down(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    silent = np.ones(parts[5].shape, bool)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts, silent=silent)


@misconception(
    LOSS,
    "You took `lambda_noobj` for the confidence of the responsible box as well: it weighs only the boxes without an object.",
)
def noobj_weighs_all_confidences(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    own = ((parts[1] - parts[5])[parts[2]] ** 2).sum() / len(y_true)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts) + (lambda_noobj - 1) * own


@misconception(
    LOSS,
    "All boxes of a cell with an object answer for it. Only the one with the highest IoU does, so that the boxes specialize.",
)
def all_are_responsible(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    responsible = np.broadcast_to(parts[0], parts[5].shape)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts, responsible)


@misconception(
    LOSS,
    "The surest box is responsible with you. Being sure is no merit: it is the box with the highest IoU with the truth.",
)
def surest_is_responsible(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    responsible = parts[0] & (np.arange(boxes_per_cell) == parts[5].argmax(axis=-1)[..., np.newaxis])
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts, responsible)


@misconception(
    LOSS, "The first box always answers for the object: it is the one with the highest IoU that does."
)
def first_is_responsible(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    responsible = parts[0] & (np.arange(boxes_per_cell) == 0)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts, responsible)


@misconception(
    LOSS, "Of boxes with equal IoU the last is responsible with you; it is the first: compare with >, not >=."
)
def last_of_equals(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    best = boxes_per_cell - 1 - parts[1][..., ::-1].argmax(axis=-1)
    responsible = parts[0] & (np.arange(boxes_per_cell) == best[..., np.newaxis])
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts, responsible)


@misconception(
    LOSS,
    "For the IoU you put x and y, which count in cells, beside w and h, which count in images. Divide x and y by S first. (The "
    "cell's row and column you may leave out: they move both boxes alike.)",
)
def mixed_units(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell, unit=1)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts)


@misconception(
    LOSS,
    "The class errors of empty cells are counted. A cell without an object has no class to be right about.",
)
def classes_everywhere(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    empty = parts[6][~parts[0][..., 0]].sum() / len(y_true)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts) + empty


@misconception(LOSS, "The class errors count once for each box of a cell. The cell says its classes once.")
def classes_for_each_box(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    again = (boxes_per_cell - 1) * parts[6][parts[0][..., 0]].sum() / len(y_true)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts) + again


@misconception(LOSS, "The sum is not divided by the number of images.")
def not_divided(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    return len(y_true) * summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts)


@misconception(
    LOSS,
    "You took the mean over the cells too. The sum is divided by the number of images, and by nothing else.",
)
def mean_over_cells(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    same_batch(y_true, y_pred)
    parts = terms(y_true, y_pred, boxes_per_cell)
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), parts) / y_true.shape[1] ** 2


@misconception(
    LOSS,
    "Two batches of different sizes slip through: NumPy stretches one to the other. Hold the shapes against each other first.",
)
def batches_stretched(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    y_true = np.broadcast_to(y_true, (*y_pred.shape[:3], y_true.shape[3]))
    return summed(y_true, y_pred, (lambda_coord, lambda_noobj), terms(y_true, y_pred, boxes_per_cell))


KMEANS = "kmeans_anchors.kmeans_anchors"


def overlaps(sizes, anchors):
    shared = np.minimum(sizes[:, np.newaxis], anchors).prod(axis=-1)
    return shared / (sizes.prod(axis=-1)[:, np.newaxis] + anchors.prod(axis=-1) - shared)


def clustered(sizes, k, rng, iterations, nearness=overlaps, centre=np.mean):
    anchors = rng.choice(sizes, k, replace=False)
    for _ in range(iterations):
        nearest = nearness(sizes, anchors).argmax(axis=1)
        anchors = np.array(
            [centre(sizes[nearest == j], axis=0) if np.any(nearest == j) else anchors[j] for j in range(k)]
        )
    return anchors


@misconception(
    KMEANS,
    "You clustered by the Euclidean distance. It cares for large boxes, where pixels are many; what counts is the overlap: "
    "each size goes to the anchor with the highest IoU.",
)
def by_distance(sizes, k, rng, iterations=100):
    def nearness(sizes, anchors):
        return -np.sum((sizes[:, np.newaxis] - anchors) ** 2, axis=-1)

    return clustered(sizes, k, rng, iterations, nearness)


@misconception(KMEANS, "The anchors move to the medians of their sizes. k-means takes the means.")
def by_medians(sizes, k, rng, iterations=100):
    return clustered(sizes, k, rng, iterations, centre=np.median)


@misconception(
    KMEANS,
    "An anchor to which no size belongs turned into NaN, the mean of nothing: leave it where it was.",
)
def empty_is_nan(sizes, k, rng, iterations=100):
    anchors = rng.choice(sizes, k, replace=False)
    for _ in range(iterations):
        nearest = overlaps(sizes, anchors).argmax(axis=1)
        anchors = np.array([sizes[nearest == j].mean(axis=0) for j in range(k)])
    return anchors


@misconception(
    KMEANS,
    "An anchor to which no size belongs fell to (0, 0), the sum of nothing: leave it where it was.",
)
def empty_is_zero(sizes, k, rng, iterations=100):
    anchors = rng.choice(sizes, k, replace=False)
    for _ in range(iterations):
        members = np.eye(k)[overlaps(sizes, anchors).argmax(axis=1)]
        anchors = members.T @ sizes / np.maximum(members.sum(axis=0), 1)[:, np.newaxis]
    return anchors


@misconception(KMEANS, "`iterations` has no effect: it is the most rounds that the anchors may move.")
def rounds_without_end(sizes, k, rng, iterations=100):
    return clustered(sizes, k, rng, 100)


@misconception(
    KMEANS,
    "The anchors are those you started from: they have to move, round after round, until nothing changes.",
)
def never_moved(sizes, k, rng, iterations=100):
    return rng.choice(sizes, k, replace=False)


@misconception(
    KMEANS,
    "The anchors moved once. Do it again and again, until they are at rest or `iterations` rounds are over.",
)
def moved_once(sizes, k, rng, iterations=100):
    return clustered(sizes, k, rng, 1)


@misconception(
    KMEANS, "Each size went to the anchor that it overlaps least: `1 - IoU` is to be small, the IoU large."
)
def farthest(sizes, k, rng, iterations=100):
    return clustered(sizes, k, rng, iterations, lambda sizes, anchors: -overlaps(sizes, anchors))


@misconception(
    KMEANS,
    "You go by the shared area alone. The largest anchor shares most with everybody: divide by the union.",
)
def by_shared_area(sizes, k, rng, iterations=100):
    def nearness(sizes, anchors):
        return np.minimum(sizes[:, np.newaxis], anchors).prod(axis=-1)

    return clustered(sizes, k, rng, iterations, nearness)


V2, V3 = "decode_v2.decode_v2", "decode_v3.decode_v3"


def decoded(raw, anchors, size, place=sigmoid, stretch=np.exp, offsets=1.0, swapped=False, per=None):
    """Boxes of raw predictions (h, w, a, ...) in the unit of `size`, (height, width); anchors in that unit too."""
    height, width = raw.shape[:2]
    row, column = offsets * np.mgrid[:height, :width][..., np.newaxis]
    if swapped:
        row, column = column, row
    cell_high, cell_wide = (size[0] / height, size[1] / width) if per is None else per
    x, y = (place(raw[..., 0]) + column) * cell_wide, (place(raw[..., 1]) + row) * cell_high
    w, h = anchors[:, 0] * stretch(raw[..., 2]), anchors[:, 1] * stretch(raw[..., 3])
    return corners(x, y, w, h).reshape(-1, 4)


def v2(predictions, boxes, objectness=sigmoid, classes=softmax):
    return (
        boxes,
        objectness(predictions[..., 4]).ravel(),
        classes(predictions[..., 5:]).reshape(len(boxes), -1),
    )


def per_cell(predictions):
    return np.array(predictions.shape[1::-1], float)


@misconception(V2, "tx and ty go through a sigmoid first, so that the centre cannot leave its cell.")
def v2_without_sigmoid(predictions, anchors):
    shares = anchors / per_cell(predictions)
    return v2(predictions, decoded(predictions, shares, (1, 1), place=lambda t: t))


@misconception(V2, "The cell's column and row are missing: all centres lie in the first cell.")
def v2_without_offsets(predictions, anchors):
    return v2(predictions, decoded(predictions, anchors / per_cell(predictions), (1, 1), offsets=0.0))


@misconception(
    V2, "The anchor is stretched by exp(t): 0 means the anchor as it is, and no size can be negative."
)
def v2_without_exponential(predictions, anchors):
    shares = anchors / per_cell(predictions)
    return v2(predictions, decoded(predictions, shares, (1, 1), stretch=lambda t: t))


@misconception(
    V2,
    "The anchors count in cells: divide them by the map's width and height to come to shares of the image.",
)
def v2_anchors_unscaled(predictions, anchors):
    return v2(predictions, decoded(predictions, anchors, (1, 1)))


@misconception(V2, "The boxes are in cells: divide x by the map's width and y by its height.")
def v2_in_cells(predictions, anchors):
    return v2(predictions, decoded(predictions, anchors, predictions.shape[:2]))


@misconception(V2, "Row and column are exchanged: the column goes with x, the row with y.")
def v2_row_with_x(predictions, anchors):
    return v2(predictions, decoded(predictions, anchors / per_cell(predictions), (1, 1), swapped=True))


@misconception(V2, "You divided x by the map's height and y by its width: it is the other way round.")
def v2_wrong_axis(predictions, anchors):
    height, width = predictions.shape[:2]
    shares = anchors / [height, width]
    return v2(predictions, decoded(predictions, shares, (1, 1), per=(1 / width, 1 / height)))


@misconception(V2, "The classes of version 2 exclude each other: softmax, not sigmoids.")
def v2_sigmoid_classes(predictions, anchors):
    boxes = decoded(predictions, anchors / per_cell(predictions), (1, 1))
    return v2(predictions, boxes, classes=sigmoid)


@misconception(V2, "The objectness is still a logit: it goes through a sigmoid.")
def v2_raw_objectness(predictions, anchors):
    boxes = decoded(predictions, anchors / per_cell(predictions), (1, 1))
    return v2(predictions, boxes, objectness=np.array)


@misconception(
    V2, "Those are centres and sizes. Boxes are (x1, y1, x2, y2): go half of the size to each side."
)
def v2_centres_and_sizes(predictions, anchors):
    boxes = decoded(predictions, anchors / per_cell(predictions), (1, 1))
    low, high = boxes[:, :2], boxes[:, 2:]
    return v2(predictions, np.concatenate([(low + high) / 2, high - low], axis=1))


@misconception(
    V2,
    "`exp` overflows in the sigmoid or the softmax when the network is very sure: use forms that are safe.",
)
def v2_unsafe(predictions, anchors):
    def plain_softmax(x):
        e = np.exp(x)
        return e / e.sum(axis=-1, keepdims=True)

    boxes = decoded(predictions, anchors / per_cell(predictions), (1, 1))
    return v2(predictions, boxes, classes=plain_softmax)


@misconception(
    V2, "You cut the boxes off at the edge of the image. Here they are given as they were predicted."
)
def v2_clipped(predictions, anchors):
    boxes = decoded(predictions, anchors / per_cell(predictions), (1, 1))
    return v2(predictions, boxes.clip(0, 1))


def v3(feature_maps, anchors, input_size, classes=sigmoid, scaled=None, layout=None, joined=None, **how):
    """Version 3 as it should be, but for what is given."""
    size = (input_size, input_size) if np.ndim(input_size) == 0 else input_size
    parts = []
    for feature_map, own in zip(feature_maps, anchors, strict=True):
        height, width = feature_map.shape[:2]
        raw = feature_map.reshape(height, width, 3, -1) if layout is None else layout(feature_map)
        own = own if scaled is None else scaled(own, height, width, size)
        per = how["per"](size, height, width) if "per" in how else None
        boxes = decoded(raw, own, size, **{**how, "per": per})
        flat_classes = classes(raw[..., 5:]).reshape(len(boxes), -1)
        parts.append((boxes, sigmoid(raw[..., 4]).ravel(), flat_classes))
    return tuple(np.concatenate(each) for each in zip(*parts, strict=True))


@misconception(
    V3, "The classes of version 3 do not exclude each other: a sigmoid for each, in the place of the softmax."
)
def v3_softmax(feature_maps, anchors, input_size):
    return v3(feature_maps, anchors, input_size, classes=softmax)


@misconception(
    V3,
    "The stride along x is the input's width over the map's width. You took the other axis of one of them, which goes "
    "unnoticed while everything is square.",
)
def v3_stride_of_the_wrong_axis(feature_maps, anchors, input_size):
    return v3(
        feature_maps,
        anchors,
        input_size,
        per=lambda size, height, width: (size[1] / height, size[0] / width),
    )


@misconception(V3, WIDTH_FIRST.replace("`image_size`", "`input_size`"))
def v3_width_first(feature_maps, anchors, input_size):
    size = input_size if np.ndim(input_size) == 0 else input_size[::-1]
    return v3(feature_maps, anchors, size)


@misconception(V3, "The anchors are in pixels already: do not multiply them by the stride.")
def v3_anchors_times_stride(feature_maps, anchors, input_size):
    def scaled(own, height, width, size):
        return own * [size[1] / width, size[0] / height]

    return v3(feature_maps, anchors, input_size, scaled=scaled)


@misconception(
    V3,
    "The channels come anchor by anchor, 5 + C numbers each: `reshape(h, w, 3, 5 + C)`, not `(h, w, 5 + C, 3)`.",
)
def v3_number_by_number(feature_maps, anchors, input_size):
    def layout(feature_map):
        return np.swapaxes(feature_map.reshape(*feature_map.shape[:2], -1, 3), 2, 3)

    return v3(feature_maps, anchors, input_size, layout=layout)


@misconception(V3, "Row and column are exchanged: the column goes with x, the row with y.")
def v3_row_with_x(feature_maps, anchors, input_size):
    return v3(feature_maps, anchors, input_size, swapped=True)


@misconception(V3, "The cell's column and row are missing: all centres lie in the first cell.")
def v3_without_offsets(feature_maps, anchors, input_size):
    return v3(feature_maps, anchors, input_size, offsets=0.0)


@misconception(V3, "tx and ty go through a sigmoid first, so that the centre cannot leave its cell.")
def v3_without_sigmoid(feature_maps, anchors, input_size):
    return v3(feature_maps, anchors, input_size, place=lambda t: t)


@misconception(
    V3, "The boxes are shares of the input: version 3's are in pixels, `(sigmoid(tx) + column) * stride`."
)
def v3_in_shares(feature_maps, anchors, input_size):
    high, wide = (input_size, input_size) if np.ndim(input_size) == 0 else input_size
    boxes, objectness, classes = v3(feature_maps, anchors, input_size)
    return boxes / [wide, high, wide, high], objectness, classes


@misconception(V3, "Each map has anchors of its own: `anchors[m]` belong to map m, in the order given.")
def v3_anchors_of_the_first_map(feature_maps, anchors, input_size):
    return v3(feature_maps, anchors[[0, 0, 0]], input_size)


@misconception(
    V3, "You cut the boxes off at the edge of the image. Here they are given as they were predicted."
)
def v3_clipped(feature_maps, anchors, input_size):
    high, wide = (input_size, input_size) if np.ndim(input_size) == 0 else input_size
    boxes, objectness, classes = v3(feature_maps, anchors, input_size)
    return np.clip(boxes, 0, [wide, high, wide, high]), objectness, classes


NET = "tiny_yolo.tiny_yolo"


def backbone(inputs, activation="relu", strides=(2, 2, 2)):
    import keras

    x = inputs
    for stride in strides:
        x = keras.layers.Conv2D(16, 3, strides=stride, padding="same", activation=activation)(x)
    return x


@misconception(
    NET,
    "That is one long vector. A detector says something for each place: keep rows and columns, or `Reshape` to (S, S, 5 * B + C).",
)
def vector_without_a_grid(inputs, boxes_per_cell, classes):
    import keras

    x = keras.layers.Flatten()(backbone(inputs))
    return keras.layers.Dense(8 * 8 * (5 * boxes_per_cell + classes), activation="sigmoid")(x)


@misconception(
    NET,
    "Every box has classes of its own with you, B * (5 + C) numbers. That is version 2. In the first version the cell says its "
    "classes once: B * 5 + C.",
)
def classes_a_box(inputs, boxes_per_cell, classes):
    import keras

    return keras.layers.Conv2D(boxes_per_cell * (5 + classes), 1, activation="sigmoid")(backbone(inputs))


@misconception(
    NET,
    "Nothing shrinks: the grid has a cell for each pixel. Halve the picture by strides or pooling, down to a few cells.",
)
def cell_for_each_pixel(inputs, boxes_per_cell, classes):
    import keras

    x = backbone(inputs, strides=(1, 1))
    return keras.layers.Conv2D(5 * boxes_per_cell + classes, 1, activation="sigmoid")(x)


@misconception(
    NET,
    "A softmax over all numbers of a cell makes them share the sum 1: the surer the box, the smaller it must be. Sigmoids do not.",
)
def softmax_over_everything(inputs, boxes_per_cell, classes):
    import keras

    return keras.layers.Conv2D(5 * boxes_per_cell + classes, 1, activation="softmax")(backbone(inputs))


@misconception(
    NET,
    "There is no nonlinearity between the layers: together they can do no more than one of them. Give each an activation.",
)
def layers_without_activation(inputs, boxes_per_cell, classes):
    import keras

    x = backbone(inputs, activation=None)
    return keras.layers.Conv2D(5 * boxes_per_cell + classes, 1, activation="sigmoid")(x)


@misconception(
    NET,
    "The last layer is linear, so widths and heights can be negative, and the loss takes their roots. End in a sigmoid, say.",
)
def linear_end(inputs, boxes_per_cell, classes):
    import keras

    return keras.layers.Conv2D(5 * boxes_per_cell + classes, 1)(backbone(inputs))


@misconception(
    NET,
    "Global pooling throws away where things are, and a detector has to say just that. Let the grid be what the convolutions "
    "leave.",
)
def pooled_globally(inputs, boxes_per_cell, classes):
    import keras

    channels = 5 * boxes_per_cell + classes
    x = keras.layers.GlobalAveragePooling2D()(backbone(inputs))
    return keras.layers.Reshape((4, 4, channels))(keras.layers.Dense(16 * channels, activation="sigmoid")(x))


@misconception(
    NET, "You return the model. Return its output, a Keras tensor: who calls it makes a model of it."
)
def returns_the_model(inputs, boxes_per_cell, classes):
    import keras

    outputs = keras.layers.Conv2D(5 * boxes_per_cell + classes, 1, activation="sigmoid")(backbone(inputs))
    return keras.Model(inputs, outputs)
