"""Checks of the assignment `yolo`."""

import numpy as np
import pytest

from grader.exercise import (
    assert_close,
    assert_refuses,
    assert_unchanged,
    core,
    driver,
    exercise,
    hidden,
)
from grader.wire import Rng

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
IMAGE = (48, 96)
"""Height and width: an image that is not square shows whether they were exchanged."""


def single(*given):
    """The arrays among these in float32; whole numbers stay what they are."""
    return [
        each.astype(np.float32) if isinstance(each, np.ndarray) and each.dtype.kind == "f" else each
        for each in given
    ]


def objects(rng, count, grid, image_size=IMAGE, classes=3):
    """Boxes inside the image with labels, their centres in different cells and well inside of them."""
    rows, columns = np.divmod(rng.permutation(grid * grid)[:count], grid)
    centres = (np.stack([columns, rows], axis=1) + rng.uniform(0.1, 0.9, size=(count, 2))) / grid
    halves = np.minimum(centres, 1 - centres) * rng.uniform(0.3, 1.0, size=(count, 2))
    height, width = image_size
    boxes = np.concatenate([centres - halves, centres + halves], axis=1) * [width, height, width, height]
    return boxes, rng.integers(classes, size=count)


def assert_grid(student, reference, *given, **tolerance):
    """Hold an encoded grid against the reference's, part by part, and the arguments against a change."""
    expected = reference.encode_grid(*given)
    came = assert_unchanged(student.encode_grid, *given)
    if np.shape(came) != expected.shape:
        assert_close(came, expected)
    parts = ("x y in the cell", "w h", "confidence", "one-hot classes")
    cuts = [2, 4, 5]
    assert_close(
        tuple(np.split(np.asarray(came), cuts, axis=2)),
        tuple(np.split(expected, cuts, axis=2)),
        parts,
        **tolerance,
    )


BOXES = ("boxes", "confidence", "class probabilities")


def assert_boxes(student, reference, *given, **tolerance):
    """Hold a decoded grid against the reference's, and the arguments against a change."""
    expected = reference.decode_grid(*given)
    assert_close(assert_unchanged(student.decode_grid, *given), expected, BOXES, **tolerance)


@exercise("encode_grid", functions=["encode_grid", "decode_grid"], points=5)
class TestGrid:
    """Boxes to a grid, and back."""

    hints = {
        "encode_grid": [
            "In which column is a centre 40 pixels from the left, when the image is 64 wide and has 4 columns? Where in that "
            "column, in shares of it?",
            "Count the centre in cells: `x = cx / width * grid`. Its whole part is the column, what is left is x in the cell. "
            "The same with y, the height and the row. Write only where the confidence is still 0.",
            "`column, row = int(x), int(y)`; `if target[row, column, 4] == 0: target[row, column, :5] = x - column, y - row, "
            "(x2 - x1) / width, (y2 - y1) / height, 1`, and a 1 at `5 + label`.",
        ],
        "decode_grid": [
            "Which reshape takes the first B * 5 numbers of a cell apart? And what do you add to x and y, before which division?",
            "`boxes = predictions[..., :5 * B].reshape(S, S, B, 5)`. Add each cell's column to x and its row to y, divide by S: "
            "now everything is a share of the image. x and w go with the width, y and h with the height.",
            "`row, column = np.mgrid[:S, :S][..., np.newaxis]`; `x = (column + boxes[..., 0]) / S * width`; corners are "
            "`x - w / 2` and so on, stacked on a last axis, then `.reshape(-1, 4)`; `np.repeat(classes, B, axis=1)`.",
        ],
    }

    @core
    def test_encoded(self, student, reference, rng):
        """`encode_grid` agrees with the reference on objects in cells of their own."""
        assert_grid(student, reference, *objects(rng, 6, 4), 4, 3, IMAGE)

    def test_single_object(self, student, reference):
        """One object: the cell, the place in it, the share of the image, worked out by hand in the lesson."""
        assert_grid(student, reference, np.array([[36.0, 4.0, 44.0, 16.0]]), np.array([1]), 4, 3, (32, 64))

    def test_parts_of_pixels(self, student, reference):
        """Cells need not measure whole pixels: four in a width of 11."""
        boxes = np.array([[2.0, 1.0, 3.0, 2.0], [7.0, 6.0, 9.0, 10.0]])
        assert_grid(student, reference, boxes, np.array([0, 1]), 4, 2, (10, 11))

    def test_first_keeps_its_cell(self, student, reference, rng):
        """Of three objects in one cell the first stays, neither the largest nor the smallest, with its own class alone."""
        boxes, _ = objects(rng, 4, 3, classes=4)
        for other, factor in ((1, 0.6), (3, 1.4)):
            centre = (boxes[0, :2] + boxes[0, 2:]) / 2 + rng.uniform(-1, 1, size=2)
            half = factor * (boxes[0, 2:] - boxes[0, :2]) / 2
            boxes[other] = [*(centre - half), *(centre + half)]
        assert_grid(student, reference, boxes, np.array([2, 0, 1, 3]), 3, 4, IMAGE)

    def test_no_objects(self, student, reference):
        """An image without objects gives zeros."""
        assert_grid(student, reference, np.zeros((0, 4)), np.zeros(0, int), 3, 2, IMAGE)

    @pytest.mark.parametrize(
        ("grid", "classes", "image_size"), [(1, 1, (10, 10)), (7, 20, (448, 300)), (2, 5, (5, 70))]
    )
    def test_sizes(self, student, reference, rng, grid, classes, image_size):
        """One cell or many, one class or twenty, images high and wide."""
        given = objects(rng, min(grid * grid, 5), grid, image_size, classes)
        assert_grid(student, reference, *given, grid, classes, image_size)

    def test_encoded_single_precision(self, student, reference, rng):
        """`encode_grid` takes `float32` too."""
        given = single(*objects(rng, 5, 4), 4, 3, IMAGE)
        assert_grid(student, reference, *given, **SINGLE)

    @core
    def test_decoded(self, student, reference, rng):
        """`decode_grid` agrees with the reference on random predictions."""
        assert_boxes(student, reference, rng.random((3, 3, 14)), 2, 4, IMAGE)

    def test_decoded_places(self, student, reference, rng):
        """Boxes without a size, in the corners of their cells: where the cells are."""
        predictions = np.zeros((3, 3, 6))
        predictions[..., 4:] = rng.random((3, 3, 2))
        assert_boxes(student, reference, predictions, 1, 1, IMAGE)

    @pytest.mark.parametrize(("grid", "boxes", "classes"), [(1, 1, 1), (2, 1, 5), (4, 3, 1), (5, 5, 5)])
    def test_decoded_sizes(self, student, reference, rng, grid, boxes, classes):
        """One cell, one box, one class, and more of each."""
        predictions = rng.random((grid, grid, 5 * boxes + classes))
        assert_boxes(student, reference, predictions, boxes, classes, (64, 40))

    def test_decoded_outside(self, student, reference, rng):
        """Boxes that reach out of the image, or out of their cell, are not clipped."""
        assert_boxes(student, reference, rng.normal(scale=2, size=(2, 2, 12)), 2, 2, IMAGE)

    def test_decoded_single_precision(self, student, reference, rng):
        """`decode_grid` takes `float32` too."""
        assert_boxes(student, reference, *single(rng.random((4, 4, 13)), 2, 3, IMAGE), rtol=1e-5, atol=1e-4)

    def test_there_and_back(self, student, rng):
        """Your `decode_grid` reads what your `encode_grid` wrote: the objects come back."""
        boxes, labels = objects(rng, 5, 4)
        grid = student.encode_grid(boxes, labels, 4, 3, IMAGE)
        found, confidence, probabilities = student.decode_grid(grid, 1, 3, IMAGE)
        there = np.flatnonzero(np.asarray(confidence) == 1)
        if len(there) != len(boxes):
            raise AssertionError(
                f"{len(boxes)} objects went in, {len(there)} boxes with the confidence 1 came back"
            )
        found, back = found[there], np.argmax(probabilities[there], axis=1)
        order, own = np.lexsort(boxes.T.round(6)), np.lexsort(found.T.round(6))
        assert_close((found[own], back[own]), (boxes[order], labels[order]), ("boxes", "labels"))

    @hidden
    def test_other_grids(self, student, reference, rng):
        """Both agree with the reference on finer grids of other images."""
        given = objects(rng, 9, 5, (300, 200), 4)
        assert_grid(student, reference, *given, 5, 4, (300, 200))
        assert_boxes(student, reference, rng.random((5, 5, 19)), 3, 4, (300, 200))


DETECTIONS = ("boxes", "scores", "labels")


def crowd(rng, count=14, classes=3):
    """Boxes in three heaps, with confidences and class probabilities."""
    heap = rng.integers(3, size=count)
    corner = np.array([[5.0, 5.0], [40.0, 10.0], [20.0, 45.0]])[heap] + rng.uniform(-3, 3, size=(count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(14, 22, size=(count, 2))], axis=1)
    return boxes, rng.uniform(0.3, 1.0, size=count), rng.dirichlet(np.full(classes, 0.3), size=count)


def in_order(detections):
    """Detections sorted by score, label and box, since any order is right."""
    if not isinstance(detections, list | tuple) or len(detections) != 3:
        return detections
    boxes, scores, labels = map(np.asarray, detections)
    if boxes.ndim != 2 or scores.shape != labels.shape or scores.shape != boxes.shape[:1]:
        return boxes, scores, labels
    order = np.lexsort([*boxes.T.round(4), labels, -scores.round(4)])
    return boxes[order], scores[order], labels[order]


def assert_detections(student, reference, *given, **tolerance):
    """Hold detections against the reference's in any order, and the arguments against a change."""
    expected = in_order(reference.filter_detections(*given))
    came = in_order(assert_unchanged(student.filter_detections, *given))
    if isinstance(came, tuple) and np.shape(came[1]) != expected[1].shape and np.ndim(came[1]) == 1:
        raise AssertionError(
            f"{len(came[1])} detections came with the scores {np.round(came[1], 3).tolist()}, expected "
            f"{len(expected[1])} with {np.round(expected[1], 3).tolist()}"
        )
    assert_close(came, expected, DETECTIONS, **tolerance)


@exercise("filter_detections", functions=["filter_detections"], points=3)
class TestFilterDetections:
    """Which boxes to report."""

    hints = {
        "filter_detections": [
            "What are a box's label and score, and which boxes stay before any two of them are compared?",
            "Label: `argmax` of the row. Score: the confidence times that row's `max`. Keep the scores that are at least the "
            "threshold, then call `nms` for each label on its own boxes only.",
            "`own = np.flatnonzero((labels == label) & (scores >= score_threshold))`; "
            "`kept.extend(own[nms(boxes[own], scores[own], iou_threshold)])`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on heaps of boxes."""
        for _ in range(3):
            assert_detections(student, reference, *crowd(rng), 0.3)

    def test_scores(self, student, reference):
        """The score is the confidence times the best class' probability: this, not one of the two, meets the threshold."""
        boxes = np.array([[0.0, 0.0, 9.0, 9.0], [20.0, 0.0, 29.0, 9.0], [40.0, 0.0, 49.0, 9.0]])
        confidence = np.array([0.9, 0.8, 0.4])
        probabilities = np.array([[0.4, 0.35, 0.25], [0.1, 0.1, 0.8], [0.0, 1.0, 0.0]])
        assert_detections(student, reference, boxes, confidence, probabilities, 0.5)

    def test_classes_let_each_other_be(self, student, reference):
        """Two boxes in one place: of one class the better stays, of two classes both do."""
        boxes = np.array([[10.0, 10.0, 30.0, 30.0], [11.0, 10.0, 31.0, 30.0]])
        for second in (0, 1):
            probabilities = np.eye(2)[[0, second]]
            assert_detections(student, reference, boxes, np.array([0.7, 0.9]), probabilities)

    def test_one_class_a_box(self, student, reference):
        """A box is reported for its best class alone, also where another one is sure enough."""
        boxes = np.array([[10.0, 10.0, 30.0, 30.0]])
        assert_detections(student, reference, boxes, np.array([1.0]), np.array([[0.4, 0.6]]), 0.3)

    @pytest.mark.parametrize("iou_threshold", [0.2, 0.7, 1.0])
    def test_iou_threshold(self, student, reference, rng, iou_threshold):
        """Follows `iou_threshold`."""
        assert_detections(student, reference, *crowd(rng), 0.2, iou_threshold)

    @pytest.mark.parametrize("score_threshold", [0.0, 0.4, 0.8])
    def test_score_threshold(self, student, reference, rng, score_threshold):
        """Follows `score_threshold`."""
        assert_detections(student, reference, *crowd(rng), score_threshold)

    def test_defaults(self, student, reference, rng):
        """Both thresholds are 0.5 when nobody says otherwise."""
        assert_detections(student, reference, *crowd(rng, 20))

    def test_the_dropped_drop_nobody(self, student, reference):
        """A box that was dropped does not drop another: the third overlaps only the second."""
        boxes = np.array([[0.0, 0.0, 20.0, 10.0], [6.0, 0.0, 26.0, 10.0], [12.0, 0.0, 32.0, 10.0]])
        assert_detections(student, reference, boxes, np.array([0.9, 0.8, 0.7]), np.ones((3, 1)))

    def test_at_the_threshold(self, student, reference):
        """Only an IoU above the threshold drops a box: the second, with exactly half, stays."""
        boxes = np.array([[0.0, 0.0, 20.0, 10.0], [0.0, 0.0, 10.0, 10.0]])
        assert_detections(student, reference, boxes, np.array([0.9, 0.8]), np.ones((2, 1)), 0.5, 0.5)

    def test_nothing_to_report(self, student, reference, rng):
        """Where no box is sure enough, or there is none, three empty arrays come: (0, 4), (0,) and (0,)."""
        assert_detections(student, reference, *crowd(rng), 1.5)
        assert_detections(student, reference, np.zeros((0, 4)), np.zeros(0), np.zeros((0, 3)))

    def test_from_a_perfect_grid(self, student, reference, rng):
        """Read off a grid that says the truth twice in each cell, every object is reported once."""
        boxes, labels = objects(rng, 4, 3)
        truth = reference.encode_grid(boxes, labels, 3, 3, IMAGE)
        twice = np.concatenate([truth[..., :5], truth], axis=2)
        given = reference.decode_grid(twice, 2, 3, IMAGE)
        assert_detections(student, reference, *given, 0.5, 0.99)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        assert_detections(student, reference, *single(*crowd(rng)), 0.3, **SINGLE)

    @hidden
    def test_other_crowds(self, student, reference, rng):
        """Agrees with the reference on larger crowds of one and of five classes."""
        for classes in (1, 5):
            assert_detections(student, reference, *crowd(rng, 30, classes), 0.25, 0.4)


def said(rng, batch=2, grid=3, boxes=2, classes=4, share=0.5):
    """Grids of the truth, and predictions that are near it in some places: (y_true, y_pred)."""
    there = rng.random((batch, grid, grid)) < share
    there[0, 0, 0], there[-1, -1, -1] = True, False
    y_true = np.concatenate(
        [
            rng.uniform(0.1, 0.9, size=(batch, grid, grid, 2)),
            rng.uniform(0.1, 0.8, size=(batch, grid, grid, 2)),
            np.ones((batch, grid, grid, 1)),
            np.eye(classes)[rng.integers(classes, size=(batch, grid, grid))],
        ],
        axis=3,
    )
    y_true[~there] = 0
    spread = rng.uniform(0.05, 0.4, size=(batch, grid, grid, boxes, 1))
    near = y_true[..., np.newaxis, :4] + spread * rng.normal(size=(batch, grid, grid, boxes, 4))
    near[..., 2:] = np.abs(near[..., 2:]) + 0.01
    spoken = np.concatenate([near, rng.random((batch, grid, grid, boxes, 1))], axis=4)
    parts = [spoken.reshape(batch, grid, grid, -1), rng.random((batch, grid, grid, classes))]
    return y_true, np.concatenate(parts, axis=3)


def assert_loss(student, reference, *given, **tolerance):
    """Hold a loss against the reference's, and the arguments against a change."""
    expected = reference.yolo_v1_loss(*given)
    assert_close(assert_unchanged(student.yolo_v1_loss, *given), expected, **tolerance)


@exercise("yolo_v1_loss", functions=["yolo_v1_loss"], points=6)
class TestLoss:
    """The first version's loss."""

    hints = {
        "yolo_v1_loss": [
            "Which boxes appear in which of the four sums? Make a mask of the responsible boxes first: shape (batch, S, S, B).",
            "Corners for the IoU, in shares of the image: centre `xy / S`, sides `wh`. Responsible: there is an object, and the "
            "box is the `argmax` of the IoU along the last axis. All boxes that are not responsible are to have confidence 0.",
            "`responsible = (y_true[..., 4:5] == 1) & (np.arange(B) == overlap.argmax(-1)[..., np.newaxis])`; then "
            "`lambda_coord * coordinates[responsible].sum() + ((overlap - c) ** 2)[responsible].sum() + "
            "lambda_noobj * (c[~responsible] ** 2).sum() + classes[there].sum()`, all of it over the batch.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on random grids."""
        assert_loss(student, reference, *said(rng))

    def test_perfect(self, student, reference, rng):
        """Is 0 where the first box says the truth and the second one nothing."""
        y_true, _ = said(rng)
        y_pred = np.concatenate([y_true[..., :5], np.zeros_like(y_true[..., :5]), y_true[..., 5:]], axis=3)
        assert_loss(student, reference, y_true, y_pred)

    def test_places(self, student, reference, rng):
        """Only the places are wrong: what `lambda_coord` weighs are the squares of the differences of x and y."""
        y_true, y_pred = said(rng, boxes=1)
        y_pred[..., 2:4] = y_true[..., 2:4]
        y_pred[..., 5:] = y_true[..., 5:]
        assert_loss(student, reference, y_true, y_pred, 1, 100.0, 0.0)

    def test_sizes(self, student, reference, rng):
        """Only the sizes are wrong: it is the square roots of w and h that are compared."""
        y_true, y_pred = said(rng, boxes=1)
        y_pred[..., :2] = y_true[..., :2]
        y_pred[..., 5:] = y_true[..., 5:]
        assert_loss(student, reference, y_true, y_pred, 1, 100.0, 0.0)

    def test_confidence(self, student, reference, rng):
        """The confidence of the responsible box is to be its IoU with the truth; no lambda weighs this."""
        y_true, y_pred = said(rng)
        y_pred[..., 10:] = y_true[..., 5:]
        assert_loss(student, reference, y_true, y_pred, 2, 0.0, 0.0)

    def test_silence(self, student, reference, rng):
        """In images without objects only `lambda_noobj` times the squared confidences of all boxes is left."""
        y_true, y_pred = said(rng)
        assert_loss(student, reference, np.zeros_like(y_true), y_pred)

    def test_the_others_are_silent(self, student, reference, rng):
        """Where every cell has an object, `lambda_noobj` weighs the confidences of the boxes that are not responsible."""
        y_true, y_pred = said(rng, share=1.0)
        y_true[-1, -1, -1] = y_true[0, 0, 0]
        assert_loss(student, reference, y_true, y_pred, 2, 0.0, 100.0)

    def test_classes(self, student, reference, rng):
        """With all boxes right, what is left are the squares of the class errors in the cells with an object."""
        y_true, y_pred = said(rng, boxes=1)
        y_pred[..., :5] = y_true[..., :5]
        assert_loss(student, reference, y_true, y_pred, 1)

    def test_responsible(self, student, reference):
        """Responsible is the box with the higher IoU, though the other is surer, and nearer in its numbers."""
        y_true = np.array([0.5, 0.5, 0.1, 0.1, 1, 1]).reshape(1, 1, 1, 6)
        inside, off = [0.5, 0.5, 0.2, 0.2, 0.3], [0.57, 0.57, 0.1, 0.1, 0.9]
        for boxes in ([inside, off], [off, inside]):
            assert_loss(
                student, reference, y_true, np.array([*boxes[0], *boxes[1], 0.8]).reshape(1, 1, 1, 11)
            )

    def test_units(self, student, reference):
        """For the IoU x and y, which count in cells, come to the unit of w and h: on a grid of 8 one box is far better."""
        y_true = np.zeros((1, 8, 8, 6))
        y_true[0, 2, 5] = [0.1, 0.1, 0.2, 0.2, 1, 1]
        y_pred = np.zeros((1, 8, 8, 11))
        y_pred[0, 2, 5] = [0.9, 0.9, 0.2, 0.2, 0.6, 0.1, 0.1, 0.5, 0.5, 0.4, 1.0]
        assert_loss(student, reference, y_true, y_pred)

    def test_ties(self, student, reference):
        """Of boxes with equal IoU the first is responsible, also where both miss the object."""
        y_true = np.array([0.5, 0.5, 0.2, 0.2, 1, 0, 1]).reshape(1, 1, 1, 7)
        for box in ([0.5, 0.5, 0.3, 0.3], [0.95, 0.95, 0.05, 0.05]):
            y_pred = np.array([*box, 0.2, *box, 0.7, 0.1, 0.8]).reshape(1, 1, 1, 12)
            assert_loss(student, reference, y_true, y_pred)
        missing = np.array([0.95, 0.95, 0.05, 0.05, 0.9, 0.1, 0.1, 0.02, 0.02, 0.3, 0.1, 0.8])
        assert_loss(student, reference, y_true, missing.reshape(1, 1, 1, 12))

    def test_batch(self, student, reference, rng):
        """The sum is divided by the number of images: three times the same image costs what one does."""
        y_true, y_pred = (each[:1] for each in said(rng))
        three = np.repeat(y_true, 3, axis=0), np.repeat(y_pred, 3, axis=0)
        assert_loss(student, reference, *three)
        assert_loss(student, reference, y_true, y_pred)

    @pytest.mark.parametrize(
        ("batch", "grid", "boxes", "classes"), [(1, 1, 1, 1), (2, 4, 3, 1), (3, 2, 1, 5), (1, 5, 2, 2)]
    )
    def test_shapes(self, student, reference, rng, batch, grid, boxes, classes):
        """One image, one cell, one box, one class, and more of each; other lambdas."""
        assert_loss(student, reference, *said(rng, batch, grid, boxes, classes), boxes, 2.0, 0.25)

    def test_no_size(self, student, reference, rng):
        """Predicted boxes without width or height are no trouble: their IoU is 0."""
        y_true, y_pred = said(rng)
        y_pred[..., 2], y_pred[:, 1, :, 7:9] = 0.0, 0.0
        assert_loss(student, reference, y_true, y_pred)

    def test_refuses_another_batch(self, student, rng):
        """Two batches of different sizes raise `ValueError`, instead of being stretched to one."""
        y_true, y_pred = said(rng)
        assert_refuses(student.yolo_v1_loss, y_true[:1], y_pred)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        assert_loss(student, reference, *single(*said(rng)), **SINGLE)

    @hidden
    def test_other_grids(self, student, reference, rng):
        """Agrees with the reference on larger batches and grids."""
        assert_loss(student, reference, *said(rng, 4, 6, 3, 3, share=0.2), 3)
        assert_loss(student, reference, *said(rng, 3, 4, 2, 6, share=0.8), 2, 3.0, 1.5)


def best_overlap(sizes, anchors):
    """The IoU, (n, k), of sizes and anchors laid corner on corner."""
    shared = np.minimum(sizes[:, np.newaxis], anchors).prod(axis=2)
    return shared / (sizes.prod(axis=1)[:, np.newaxis] + anchors.prod(axis=1) - shared)


def euclidean(sizes, anchors):
    """How near, (n, k), by the usual distance."""
    return -np.sum((sizes[:, np.newaxis] - anchors) ** 2, axis=2)


def means(sizes, anchors, nearness):
    """Where the anchors move in one round."""
    nearest = nearness(sizes, anchors).argmax(axis=1)
    return np.array(
        [
            sizes[nearest == j].mean(axis=0) if (nearest == j).any() else anchors[j]
            for j in range(len(anchors))
        ]
    )


def anchors_of(student, sizes, k, seed, **tolerance):
    """The anchors that came, once they are seen to be at rest: each the mean of the sizes nearest to it."""
    came = assert_unchanged(student.kmeans_anchors, sizes, k, rng=Rng(seed))
    anchors = np.asarray(came, dtype=float) if isinstance(came, np.ndarray) else came
    assert_close(np.zeros(np.shape(anchors)), np.zeros((k, 2)))
    if not np.isfinite(anchors).all():
        raise AssertionError(
            "the anchors have NaN or infinities: an anchor that is nearest to no size stays as it was"
        )
    wide = sizes.astype(float)
    strange = ((anchors < wide.min(axis=0) * (1 - 1e-5)) | (anchors > wide.max(axis=0) * (1 + 1e-5))).any(
        axis=1
    )
    if strange.any():
        raise AssertionError(
            f"{anchors[strange.argmax()].round(4).tolist()} came, outside of all sizes: an anchor that is nearest to no size "
            "stays as it was"
        )
    moved = means(wide, anchors, best_overlap)
    tolerance = {"rtol": 1e-6, "atol": 1e-9, **tolerance}
    if not np.allclose(moved, anchors, **tolerance):
        also = (
            "; they are at rest by the Euclidean distance"
            if np.allclose(means(wide, anchors, euclidean), anchors, **tolerance)
            else ""
        )
        worst = np.abs(moved - anchors).max(axis=1).argmax()
        raise AssertionError(
            f"the anchors are not at rest after 100 rounds{also}: {anchors[worst].round(4).tolist()} came, but the sizes "
            f"nearest to it by 1 - IoU have the mean {moved[worst].round(4).tolist()}"
        )
    return anchors


def heaps(rng, centres, each=20, spread=0.06):
    """Sizes around some typical ones, shuffled."""
    sizes = np.repeat(np.asarray(centres, float), each, axis=0)
    return rng.permutation(sizes * np.exp(rng.normal(scale=spread, size=sizes.shape)))


@exercise("kmeans_anchors", functions=["kmeans_anchors"], points=4)
class TestKmeansAnchors:
    """Typical sizes, by overlap."""

    hints = {
        "kmeans_anchors": [
            "What do two boxes of different sizes share, when they are laid corner on corner? Make it a table of all sizes with "
            "all anchors.",
            "`shared` is the product of the smaller width and the smaller height; the union is both areas less that. Each size "
            "goes to the anchor with the highest IoU; each anchor to the mean of its sizes, if it has any.",
            "`shared = np.minimum(sizes[:, np.newaxis], anchors).prod(axis=-1)`; `nearest = (shared / union).argmax(axis=1)`; "
            "`anchors[j] = sizes[nearest == j].mean(axis=0)` where `np.any(nearest == j)`. Start from "
            "`rng.choice(sizes, k, replace=False)`.",
        ]
    }

    @core
    def test_single_anchor(self, student, rng):
        """A single anchor is the mean of all sizes."""
        sizes = heaps(rng, [(10, 20), (30, 12)])
        assert_close(student.kmeans_anchors(sizes, 1, Rng(3)), sizes.mean(axis=0, keepdims=True))

    @core
    def test_at_rest(self, student, rng):
        """The anchors are at rest: each is the mean of the sizes that are nearest to it by `1 - IoU`."""
        sizes = rng.uniform(5, 80, size=(80, 2))
        for seed in range(4):
            anchors_of(student, sizes, 5, seed)

    @core
    def test_heaps_are_found(self, student, rng):
        """Of sizes in heaps that lie far apart it finds the heaps, if not in one try, then in one of twelve."""
        typical = np.array([(8, 30), (30, 8), (60, 60)])
        sizes = heaps(rng, typical)
        best = max(
            best_overlap(sizes, anchors_of(student, sizes, 3, seed)).max(axis=1).mean() for seed in range(12)
        )
        if best < 0.85:
            raise AssertionError(
                f"the mean IoU of the sizes with their best anchors is {best:.2f}, expected about 0.9"
            )

    def test_overlap_not_distance(self, student, rng):
        """Small boxes of two shapes and large ones that vary: what matters is the overlap, not the distance in pixels."""
        large = heaps(rng, [(160, 160)], each=30, spread=0.25)
        sizes = np.concatenate([heaps(rng, [(6, 18), (18, 6)]), large])
        for seed in range(6):
            anchors_of(student, sizes, 3, seed)

    def test_width_and_height(self, student, rng):
        """The width comes first, and both count: sizes and their mirror images have mirrored anchors."""
        sizes = heaps(rng, [(9, 40), (50, 20)])
        for given in (sizes, sizes[:, ::-1].copy()):
            anchors_of(student, given, 2, 5)

    def test_empty_clusters(self, student):
        """With fewer different sizes than anchors nothing turns into NaN: an anchor without sizes stays."""
        sizes = np.repeat([[10.0, 20.0], [30.0, 30.0]], 5, axis=0)
        tries = [anchors_of(student, sizes, 4, seed) for seed in range(4)]
        if all((best_overlap(sizes, anchors).max(axis=1) < 1 - 1e-6).any() for anchors in tries):
            raise AssertionError("one of the two sizes has no anchor that equals it, in none of four tries")

    def test_iterations(self, student, rng):
        """After a single round, `iterations=1`, the anchors of many scattered sizes are still on their way."""
        sizes = rng.uniform(5, 80, size=(120, 2))
        for seed in range(3):
            anchors = np.asarray(student.kmeans_anchors(sizes, 6, Rng(seed), 1))
            assert_close(np.zeros(anchors.shape), np.zeros((6, 2)))
            if not np.allclose(means(sizes, anchors, best_overlap), anchors):
                return
        raise AssertionError(
            "the anchors are at rest after one round, three times: `iterations` has no effect"
        )

    def test_generator(self, student, rng):
        """Draws from the generator that it is given: equal ones give equal anchors."""
        sizes = rng.uniform(5, 80, size=(40, 2))
        one, again = (np.asarray(student.kmeans_anchors(sizes, 6, Rng(8))) for _ in range(2))
        assert_close(np.zeros(one.shape), np.zeros((6, 2)))
        if not np.array_equal(one, again):
            raise AssertionError(
                "two equal generators gave different anchors: all chance must come from `rng`"
            )

    def test_single_precision(self, student, rng):
        """Takes `float32` too."""
        sizes = heaps(rng, [(10, 20), (40, 12)]).astype(np.float32)
        anchors_of(student, sizes, 2, 1, rtol=1e-4, atol=1e-4)

    @hidden
    def test_other_sizes(self, student, rng):
        """The anchors are at rest for five heaps, and two."""
        for centres in ([(8, 8), (20, 50), (60, 24), (90, 90), (200, 120)], [(10, 12), (90, 30)]):
            sizes = heaps(rng, centres, spread=0.15)
            for seed in range(3):
                anchors_of(student, sizes, len(centres), seed)


DECODED = ("centres", "widths and heights", "objectness", "class probabilities")


def by_part(decoded):
    """Decoded boxes with their centres and sides apart, which tells more of what is wrong."""
    if not isinstance(decoded, list | tuple) or len(decoded) != 3:
        return decoded
    boxes, objectness, probabilities = decoded
    if not isinstance(boxes, np.ndarray) or boxes.ndim != 2 or boxes.shape[1] != 4:
        return decoded
    return (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2], objectness, probabilities


def assert_decoded(came, expected, **tolerance):
    """Hold decoded boxes against the right ones."""
    apart = by_part(came)
    if apart is came or np.shape(came[0]) != expected[0].shape:
        assert_close(came, expected, ("boxes", *DECODED[2:]), **tolerance)
    else:
        assert_close(apart, by_part(expected), DECODED, **tolerance)


def raw(rng, height=2, width=3, anchors=2, classes=4):
    """What version 2 decodes: (predictions, anchors)."""
    predictions = rng.normal(scale=0.8, size=(height, width, anchors, 5 + classes))
    return predictions, rng.uniform(0.5, 3.0, size=(anchors, 2))


def assert_v2(student, reference, *given, **tolerance):
    """Hold a decoded map of version 2 against the reference's, and the arguments against a change."""
    assert_decoded(assert_unchanged(student.decode_v2, *given), reference.decode_v2(*given), **tolerance)


@exercise("decode_v2", functions=["decode_v2"], points=3)
class TestDecodeV2:
    """Anchors in every cell."""

    hints = {
        "decode_v2": [
            "Which numbers do you add to the sigmoids of tx and ty, so that a centre lies in its cell? In which unit is it then?",
            "`row, column = np.mgrid[:h, :w][..., np.newaxis]`: x goes with the column and is divided by the map's width. Sides "
            "are `anchor * exp(t)`, divided likewise.",
            "`x = (sigmoid(predictions[..., 0]) + column) / width`; `half_w = anchors[:, 0] * np.exp(predictions[..., 2]) / width "
            "/ 2`; stack the corners on a last axis, `.reshape(-1, 4)`; `softmax(predictions[..., 5:])`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on a map that is wider than high."""
        assert_v2(student, reference, *raw(rng))

    def test_zeros(self, student, reference, rng):
        """Zeros mean the anchor as it is, in the middle of its cell, with even chances."""
        predictions, anchors = raw(rng)
        assert_v2(student, reference, np.zeros_like(predictions), anchors)

    def test_places(self, student, reference, rng):
        """Only tx and ty differ from zero: the centre moves inside its cell."""
        predictions, anchors = raw(rng)
        predictions[..., 2:] = 0
        assert_v2(student, reference, 4 * predictions, anchors)

    def test_sizes(self, student, reference, rng):
        """Only tw and th differ from zero: the anchor is stretched."""
        predictions, anchors = raw(rng)
        predictions[..., :2], predictions[..., 4:] = 0, 0
        assert_v2(student, reference, predictions, anchors)

    @pytest.mark.parametrize("shape", [(1, 1, 1, 1), (4, 1, 3, 2), (1, 5, 2, 1), (3, 3, 3, 3)])
    def test_shapes(self, student, reference, rng, shape):
        """One cell, one column, one row, one anchor, one class, and more of each."""
        assert_v2(student, reference, *raw(rng, *shape))

    def test_large_numbers(self, student, reference, rng):
        """Stays finite where the network is very sure: logits of a thousand, above zero and below."""
        predictions, anchors = raw(rng)
        for place in (0, 1, 4, *range(5, 9)):
            predictions[..., place] = 1000 * rng.choice([-1, -0.5, 0.5, 1], size=predictions.shape[:3])
        predictions[0, 0, 0, 5:], predictions[0, 0, 1, 5:] = -1000, 1000
        assert_v2(student, reference, predictions, anchors)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        assert_v2(student, reference, *single(*raw(rng)), **SINGLE)

    @hidden
    def test_other_maps(self, student, reference, rng):
        """Agrees with the reference on larger maps with five anchors."""
        assert_v2(student, reference, *raw(rng, 5, 4, 5, 3))
        assert_v2(student, reference, *raw(rng, 4, 7, 5, 2))


def maps(rng, size=(64, 96), strides=(32, 16, 8), classes=2):
    """What version 3 decodes: (feature maps, anchors, input size)."""
    shapes = [(size[0] // stride, size[1] // stride, 3 * (5 + classes)) for stride in strides]
    anchors = rng.uniform(8, 60, size=(3, 3, 2))
    return [rng.normal(scale=0.8, size=shape) for shape in shapes], anchors, size


def assert_v3(student, reference, *given, **tolerance):
    """Hold the decoded maps of version 3 against the reference's, and the arguments against a change."""
    assert_decoded(assert_unchanged(student.decode_v3, *given), reference.decode_v3(*given), **tolerance)


@exercise("decode_v3", functions=["decode_v3"], points=3)
class TestDecodeV3:
    """Three maps, three anchors each."""

    hints = {
        "decode_v3": [
            "Which reshape gives a map of (h, w, 3 * (5 + C)) an axis of its own for the anchors? How many pixels is a cell wide?",
            "`raw = feature_map.reshape(h, w, 3, -1)`. Then as in version 2, but x times `input_width / w` and y times "
            "`input_height / h`; anchors are in pixels already. Sigmoids for the classes; join the maps at the end.",
            "`x = (sigmoid(raw[..., 0]) + column) * input_width / w`; `half_w = anchors[m][:, 0] * np.exp(raw[..., 2]) / 2`; "
            "`np.concatenate` the flat boxes, objectness and `sigmoid(raw[..., 5:])` of all maps.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on an input that is wider than high."""
        assert_v3(student, reference, *maps(rng))

    def test_zeros(self, student, reference, rng):
        """Zeros mean the anchor as it is, in the middle of its cell; each class has even chances of its own."""
        given, anchors, size = maps(rng)
        assert_v3(student, reference, [np.zeros_like(each) for each in given], anchors, size)

    def test_places(self, student, reference, rng):
        """Only tx and ty differ from zero: the centre moves inside its cell, whose size is the stride of its map."""
        given, anchors, size = maps(rng)
        for each in given:
            each.reshape(*each.shape[:2], 3, -1)[..., 2:] = 0
        assert_v3(student, reference, given, anchors, size)

    def test_classes(self, student, reference, rng):
        """Each class has a sigmoid of its own: all may be likely at once, or none."""
        given, anchors, size = maps(rng, (32, 32), classes=4)
        for each, level in zip(given, (6.0, -6.0, 0.0), strict=True):
            each.reshape(*each.shape[:2], 3, -1)[..., 5:] += level
        assert_v3(student, reference, given, anchors, size)

    def test_order(self, student, reference, rng):
        """Maps may come fine to coarse: the boxes follow them, and so do the anchors."""
        assert_v3(student, reference, *maps(rng, strides=(8, 16, 32)))

    def test_square_input(self, student, reference, rng):
        """One number is the size of a square input."""
        given, anchors, _ = maps(rng, (64, 64), classes=1)
        assert_v3(student, reference, given, anchors, 64)

    def test_large_numbers(self, student, reference, rng):
        """Stays finite where the network is very sure: logits of a thousand, above zero and below."""
        given, anchors, size = maps(rng, (32, 64))
        for each in given:
            table = each.reshape(*each.shape[:2], 3, -1)
            for place in (0, 1, *range(4, table.shape[3])):
                table[..., place] = 1000 * rng.choice([-1, -0.5, 0.5, 1], size=table.shape[:3])
        assert_v3(student, reference, given, anchors, size)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        given, anchors, size = maps(rng, (32, 64))
        assert_v3(student, reference, single(*given), *single(anchors, size), rtol=1e-5, atol=1e-4)

    @hidden
    def test_other_inputs(self, student, reference, rng):
        """Agrees with the reference on an input that is higher than wide, with five classes."""
        assert_v3(student, reference, *maps(rng, (96, 32), classes=5))


SIZE = 64
VARIANTS = [(2, 3), (1, 1), (3, 7)]
"""Boxes a cell, and classes."""


@driver
def shapes(tiny_yolo, size, variants):
    """The shape of what comes for each pair of boxes a cell and classes, or the type of what is no Keras tensor."""
    import keras

    found = []
    for boxes_per_cell, classes in variants:
        outputs = tiny_yolo(keras.Input((size, size, 3)), boxes_per_cell, classes)
        is_tensor = isinstance(outputs, keras.KerasTensor)
        found.append(list(outputs.shape) if is_tensor else type(outputs).__name__)
    return found


@driver
def answers(tiny_yolo, size, mix, shifts, seed):
    """What a network with shaken weights, two boxes a cell and three classes says to patches, mixed and moved."""
    import keras

    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    inputs = keras.Input((size, size, 3))
    model = keras.Model(inputs, tiny_yolo(inputs, 2, 3))
    for weight in model.trainable_weights:
        spread = np.prod(weight.shape[:-1]) ** -0.5 if len(weight.shape) > 1 else 0.3
        weight.assign(keras.ops.convert_to_numpy(weight) + rng.normal(scale=spread, size=weight.shape))
    patches = np.zeros((mix.shape[1], size, size, 3))
    patches[:, 8:24, 8:24] = rng.normal(size=(mix.shape[1], 16, 16, 3))
    images = np.tensordot(mix, patches, axes=1)
    moved = [np.roll(image, shift, axis=(0, 1)) for image, shift in zip(images, shifts, strict=True)]
    return keras.ops.convert_to_numpy(model(np.stack(moved).astype("float32")))


@driver
def kernels_moved(tiny_yolo, size, seed):
    """For each kernel in the order in which the network has them: its shape, and whether two steps moved it."""
    import keras

    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    inputs = keras.Input((size, size, 3))
    model = keras.Model(inputs, tiny_yolo(inputs, 2, 3))
    kernels = [weight for weight in model.weights if len(weight.shape) > 1]
    before = [keras.ops.convert_to_numpy(weight).copy() for weight in kernels]
    if model.trainable_weights:
        model.compile(keras.optimizers.Adam(0.01), "mse", run_eagerly=True)
        for _ in range(2):
            given, wanted = rng.random((4, size, size, 3)), rng.random((4, *model.output_shape[1:]))
            model.train_on_batch(given, wanted)
    after = [keras.ops.convert_to_numpy(weight) for weight in kernels]
    return [
        [list(old.shape), bool(np.abs(new - old).max() > 0)] for old, new in zip(before, after, strict=True)
    ]


@driver
def losses(tiny_yolo, size, objects, steps, seed):
    """The first version's loss of a network with one box a cell, step by step, on images of one bright square each."""
    import keras

    ops = keras.ops
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((size, size, 3))
    outputs = tiny_yolo(inputs, 1, 2)
    grid = outputs.shape[1]
    images = np.full((len(objects), size, size, 3), 0.2)
    truth = np.zeros((len(objects), grid, grid, 7))
    for image, cells, (x, y, side, label) in zip(images, truth, objects, strict=True):
        low, high = (np.array([y, x]) - side / 2) * size, (np.array([y, x]) + side / 2) * size
        image[int(low[0]) : int(high[0]), int(low[1]) : int(high[1]), int(label)] = 1.0
        row, column = int(y * grid), int(x * grid)
        cells[row, column, :5] = x * grid - column, y * grid - row, side, side, 1
        cells[row, column, 5 + int(label)] = 1

    def loss(y_true, y_pred):
        low, high = (
            joined(
                y_true[..., :2] / grid + way * y_true[..., 2:4],
                y_pred[..., :2] / grid + way * y_pred[..., 2:4],
            )
            for way, joined in ((-0.5, ops.maximum), (0.5, ops.minimum))
        )
        shared = ops.prod(ops.relu(high - low), axis=-1)
        union = ops.prod(y_true[..., 2:4], axis=-1) + ops.prod(y_pred[..., 2:4], axis=-1) - shared
        overlap = ops.stop_gradient(shared / ops.maximum(union, 1e-9))
        roots = ops.sqrt(ops.maximum(y_pred[..., 2:4], 1e-9)) - ops.sqrt(y_true[..., 2:4])
        places = ops.square(y_pred[..., :2] - y_true[..., :2])
        classes = ops.sum(ops.square(y_pred[..., 5:] - y_true[..., 5:]), axis=-1)
        there, sure = y_true[..., 4], y_pred[..., 4]
        object_ = 5 * ops.sum(places + ops.square(roots), axis=-1) + ops.square(overlap - sure) + classes
        return ops.sum(there * object_ + 0.5 * (1 - there) * ops.square(sure)) / len(objects)

    model = keras.Model(inputs, outputs)
    model.compile(keras.optimizers.Adam(2e-3), loss, jit_compile=False)
    return [float(model.train_on_batch(images, truth)) for _ in range(steps)]


def answers_of(student, mix, shifts=None, seed=0):
    """What the student's network says, once it is seen to be a grid of two boxes a cell and three classes."""
    mix = np.asarray(mix, dtype=np.float32)
    shifts = np.zeros((len(mix), 2), int) if shifts is None else np.asarray(shifts)
    came = student.tiny_yolo.driven_by(answers)(SIZE, mix, shifts, seed)
    if came.ndim != 4 or came.shape[3] != 13:
        raise AssertionError(f"the grids have shape {came.shape}, expected (images, S, S, 13)")
    if not np.isfinite(came).all():
        raise AssertionError("the grids have NaN or infinities")
    return came.astype(float)


def tell(held, message):
    """Fail with this message unless it holds."""
    if not held:
        raise AssertionError(message)


@exercise("tiny_yolo", functions=["tiny_yolo"], points=4, packages=["keras"])
class TestTinyYolo:
    """A network of your own design."""

    hints = {
        "tiny_yolo": [
            "How many times must you halve 64 pixels to come to 8 cells? And what does each cell have to see of the picture around it?",
            "Convolutions with strides of 2 (or pooling) down to the grid, each followed by a nonlinearity; one or two more at the "
            "size of the grid; at the end a 1 x 1 convolution with 5 * B + C filters, whose activation keeps w and h above 0.",
            "`x = keras.layers.Conv2D(32, 3, strides=2, padding='same', activation='relu')(x)`, three of the kind; then "
            "`return keras.layers.Conv2D(5 * boxes_per_cell + classes, 1, activation='sigmoid')(x)`.",
        ]
    }

    @core
    def test_shape(self, student):
        """A Keras tensor in, a Keras tensor out: (batch, S, S, 5 * B + C), the grid square and smaller than the image."""
        found = student.tiny_yolo.driven_by(shapes)(SIZE, VARIANTS)
        for (boxes, classes), shape in zip(VARIANTS, found, strict=True):
            asked = f"with {boxes} boxes a cell and {classes} classes"
            tell(
                not isinstance(shape, str),
                f"a {shape} came back, expected a Keras tensor: call your layers on `inputs`",
            )
            expected = f"expected (None, S, S, {5 * boxes + classes})"
            tell(
                len(shape) == 4,
                f"{asked} the output has the shape {tuple(shape)}, {expected}: a grid has rows and columns",
            )
            _, rows, columns, channels = shape
            tell(
                channels == 5 * boxes + classes,
                f"{asked} a cell has {channels} numbers, {expected}: five for each box, and the classes once",
            )
            tell(
                rows == columns,
                f"{asked} the grid has {rows} rows and {columns} columns, {expected}: it is square",
            )
            tell(
                1 < rows < SIZE,
                f"{asked} the grid has {rows} cells a side for {SIZE} pixels; expected more than 1 and fewer than the pixels",
            )

    @core
    def test_reads_the_picture(self, student):
        """What it says depends on what is in the picture, and on where it is."""
        first, other, empty, *moved = answers_of(
            student,
            [[1, 0], [0, 1], [0, 0], [1, 0], [1, 0]],
            [(0, 0), (0, 0), (0, 0), (24, 0), (0, 32)],
        )
        change = np.abs(first - empty).max()
        tell(change > 1e-5, "a patch in the picture changes nothing: the output does not depend on the input")
        tell(
            np.abs(first - other).max() > 0.01 * change,
            "two different patches in one place give the same grid",
        )
        tell(
            all(np.abs(first - each).max() > 0.1 * change for each in moved),
            "a patch at another place gives the same grid: somewhere the network has thrown away where things are",
        )

    @core
    def test_learns(self, student):
        """Every kernel gets a gradient, back to the first layer."""
        kernels = student.tiny_yolo.driven_by(kernels_moved)(SIZE, 1)
        tell(kernels, "the network has no kernels: there is nothing to learn")
        for place, (shape, moved) in enumerate(kernels, 1):
            tell(
                moved,
                f"kernel {place} of {len(kernels)}, of shape {tuple(shape)}, does not move in training: it is frozen, or no "
                "gradient comes back to it",
            )

    def test_loss_falls(self, student):
        """Thirty steps on eight scenes bring the loss of the first version well down."""
        places = [(0.3, 0.3), (0.7, 0.3), (0.3, 0.7), (0.7, 0.7)]
        objects = [(x, y, 0.25 + 0.15 * label, label) for x, y in places for label in (0, 1)]
        curve = student.tiny_yolo.driven_by(losses)(SIZE, np.array(objects, np.float32), 30, 2)
        tell(np.isfinite(curve).all(), "the loss is NaN or infinite")
        last = min(curve[-5:])
        tell(
            last < 0.6 * curve[0],
            f"in 30 steps the loss went from {curve[0]:.3g} to {last:.3g}: it should have fallen by half",
        )

    def test_sizes_are_not_negative(self, student):
        """Widths and heights are never below 0, whatever the weights: the loss takes their roots."""
        grids = answers_of(student, 4 * np.eye(4), seed=3)
        sides = grids[..., :10].reshape(-1, 5)[:, 2:4]
        tell(
            sides.min() >= 0,
            f"a width or height of {sides.min():.3g} came: end in something that cannot be negative, such as a sigmoid",
        )

    def test_numbers_are_free(self, student):
        """A cell's numbers do not have to share one sum: a softmax is for the classes at most."""
        grids = answers_of(student, 4 * np.eye(4), seed=4)
        for what, part in [
            ("all numbers of a cell", grids),
            ("the numbers of its boxes", grids[..., :10]),
            ("the five numbers of a box", grids[..., :5]),
        ]:
            tell(
                np.ptp(part.sum(axis=-1)) > 1e-4,
                f"{what} always sum to {part.sum(axis=-1).mean():.4g}: a sure box would have no place, no size and no class",
            )

    def test_nonlinear(self, student):
        """It is more than one linear layer: as a patch goes from dark to bright, not every number only rises or only falls."""
        brightness = np.linspace(-4, 4, 9)
        grids = answers_of(student, np.stack([brightness, 0 * brightness], axis=1), seed=5)[..., :10]
        steps, little = np.diff(grids, axis=0), 1e-4 * np.abs(grids).max(axis=0)
        one_way = (steps >= -little).all(axis=0) | (steps <= little).all(axis=0)
        tell(
            not one_way.all(),
            "before its last activation the network is linear: layers without a nonlinearity between them are one layer",
        )
