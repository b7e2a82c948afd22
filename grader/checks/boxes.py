"""Checks of the assignment `boxes`."""

import numpy as np
import pytest

from grader.exercise import assert_close, assert_silent, assert_unchanged, core, exercise, hidden

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
FORMATS = ("xyxy", "xywh", "cxcywh")
NONE = np.zeros((0, 4))
PARTS = ("indices", "scores")
EMPTY = np.array(
    [[2, 3, 2, 8], [2, 3, 9, 3], [5, 5, 5, 5], [9, 2, 3, 8], [3, 9, 8, 2], [8, 8, 1, 1], [9.0, 9, 4, 2]]
)
"""Boxes without area: sides of zero, and corners that are swapped in x, in y, in both."""


def some_boxes(rng, count, span=20.0, low=0.0):
    """Boxes of all sizes, close enough together that many overlap."""
    corners = low + rng.uniform(0, span, size=(count, 2))
    return np.concatenate([corners, corners + rng.uniform(2, 14, size=(count, 2))], axis=1)


def in_single_precision(boxes):
    """In `float32`, at multiples of an eighth: differences of such places are exact, so only real work is rounded."""
    return (np.round(8 * boxes) / 8).astype(np.float32)


def some_scores(rng, count):
    """Scores in random order, no two of them near each other."""
    return (rng.permutation(count) + rng.uniform(0.2, 0.8, size=count)) / count


def heaps(rng, heap=4, each=6):
    """Boxes in heaps, as a detector reports them, with scores."""
    boxes = np.repeat(some_boxes(rng, heap, 30), each, axis=0) + rng.normal(scale=0.8, size=(heap * each, 4))
    return boxes, some_scores(rng, heap * each)


def scene(rng, images=4, classes=3, objects=4, noise=0.8):
    """A ground truth, and the predictions of a detector that finds most of it, some of it twice, and more besides."""
    truth, predictions = [], []
    for _ in range(images):
        boxes, labels = some_boxes(rng, objects, 60), rng.integers(classes, size=objects)
        seen = np.concatenate([rng.permutation(objects)[: objects - 1], rng.integers(objects, size=2)])
        close = boxes[seen] + rng.normal(scale=noise, size=(len(seen), 4))
        mistaken = np.where(rng.random(len(seen)) < 0.15, rng.integers(classes, size=len(seen)), labels[seen])
        truth.append({"boxes": boxes, "labels": labels})
        predictions.append(
            {
                "boxes": np.concatenate([close, some_boxes(rng, 2, 60)]),
                "labels": np.concatenate([mistaken, rng.integers(classes, size=2)]),
            }
        )
    scores = np.split(some_scores(rng, images * (objects + 3)), images)
    return [{**given, "scores": own} for given, own in zip(predictions, scores, strict=True)], truth


def detected(boxes, scores, labels=None):
    """The predictions for one image."""
    labels = np.zeros(len(boxes), int) if labels is None else np.array(labels)
    return {
        "boxes": np.array(boxes, float).reshape(-1, 4),
        "scores": np.array(scores, float),
        "labels": labels,
    }


def objects(boxes, labels=None):
    """The ground truth of one image."""
    labels = np.zeros(len(boxes), int) if labels is None else np.array(labels, int)
    return {"boxes": np.array(boxes, float).reshape(-1, 4), "labels": labels}


def as_indices(came):
    """Indices as an array, be they one or a list; what cannot index is refused."""
    given = np.array(came, dtype=int) if isinstance(came, list) and not len(came) else np.asarray(came)
    if given.dtype.kind not in "iu":
        why = "" if given.size else ": an array of nothing is floating point until you say `dtype=int`"
        raise AssertionError(f"indices are whole numbers, these are {given.dtype}{why}")
    return given


def assert_indices(came, expected):
    """Pass for the same indices in the same order."""
    assert_close(as_indices(came), expected)


@exercise("convert_boxes", functions=["convert_boxes"], points=2)
class TestConvertBoxes:
    """Three ways to write a box."""

    hints = {
        "convert_boxes": [
            "If every format could become `xyxy`, and `xyxy` every format, would you need the other pairs?",
            "First find the top left corner and the sides, whatever the source: from a centre the corner is half a side away.",
            "`np.concatenate([centre - sides / 2, centre + sides / 2], axis=1)` makes corners of `cxcywh`; the others are alike.",
        ]
    }

    @core
    def test_corners_to_the_others(self, student, reference, rng):
        """From two corners to a corner and sides, and to centre and sides."""
        boxes = some_boxes(rng, 5)
        for target in ("xywh", "cxcywh"):
            expected = reference.convert_boxes(boxes, "xyxy", target)
            assert_close(assert_unchanged(student.convert_boxes, boxes, "xyxy", target), expected)

    @core
    def test_the_others_to_corners(self, student, reference, rng):
        """From a corner and sides, and from centre and sides, to two corners."""
        boxes = some_boxes(rng, 5)
        for source in ("xywh", "cxcywh"):
            expected = reference.convert_boxes(boxes, source, "xyxy")
            assert_close(assert_unchanged(student.convert_boxes, boxes, source, "xyxy"), expected)

    def test_between_the_others(self, student, reference, rng):
        """From one format with sides to the other one."""
        boxes = some_boxes(rng, 4)
        for source, target in (("xywh", "cxcywh"), ("cxcywh", "xywh")):
            expected = reference.convert_boxes(boxes, source, target)
            assert_close(student.convert_boxes(boxes, source, target), expected)

    @pytest.mark.parametrize("name", FORMATS)
    def test_same_format(self, student, reference, rng, name):
        """A box that has the right format already stays as it is."""
        boxes = some_boxes(rng, 3)
        assert_close(student.convert_boxes(boxes, name, name), reference.convert_boxes(boxes, name, name))

    def test_one_and_none(self, student, reference, rng):
        """A single box, and no box at all: shape (0, 4) stays (0, 4)."""
        for boxes in (some_boxes(rng, 1, low=-20.0), NONE):
            for source, target in (("xyxy", "cxcywh"), ("cxcywh", "xyxy"), ("xyxy", "xywh")):
                expected = reference.convert_boxes(boxes, source, target)
                assert_close(student.convert_boxes(boxes, source, target), expected)

    def test_odd_integers(self, student, reference, rng):
        """Halves are not lost where boxes are whole numbers."""
        boxes = np.array([[1, 2, 4, 9], [0, 5, 7, 6]])
        for source, target in (("xyxy", "cxcywh"), ("cxcywh", "xyxy"), ("cxcywh", "xywh")):
            expected = reference.convert_boxes(boxes, source, target)
            assert_close(student.convert_boxes(boxes, source, target), expected)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        boxes = in_single_precision(some_boxes(rng, 4))
        for source, target in (("xyxy", "cxcywh"), ("xywh", "xyxy")):
            expected = reference.convert_boxes(boxes, source, target)
            assert_close(student.convert_boxes(boxes, source, target), expected, **SINGLE)


@exercise("iou", functions=["iou"], points=4)
class TestIou:
    """What two boxes share, of what they cover."""

    hints = {
        "iou": [
            "The box that two boxes share: is its left side the smaller or the larger of their left sides? And its right side?",
            "`a[:, np.newaxis]` is (n, 1, 4), `b[np.newaxis]` is (1, m, 4): together they make all pairs. A negative side of the "
            "intersection becomes 0 before you multiply; so does a negative side of a box.",
            "`sides = np.maximum(np.minimum(a2, b2) - np.maximum(a1, b1), 0)`; `shared = sides[..., 0] * sides[..., 1]`; the union "
            "is `area_a + area_b - shared`; divide only where it is above 0.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on random boxes, all of `a` with all of `b`."""
        a, b = some_boxes(rng, 7), some_boxes(rng, 5)
        assert_close(assert_unchanged(student.iou, a, b), reference.iou(a, b))

    def test_by_hand(self, student, reference):
        """A box of 4 by 4 and one of 4 by 2 share 2 by 1: 2 / (16 + 8 - 2)."""
        a, b = np.array([[0.0, 0, 4, 4]]), np.array([[2.0, 3, 6, 5]])
        assert_close(student.iou(a, b), reference.iou(a, b))

    def test_apart(self, student, reference, rng):
        """Boxes apart in x, in y and in both have an IoU of 0; one near enough to overlap has not."""
        a = np.array([[10.0, 10, 14, 15]])
        b = np.array([[20, 11, 24, 14], [11, 20, 13, 24], [20, 20, 25, 24], [1, 2, 5, 6], [12, 12, 18, 19.0]])
        assert_close(student.iou(a, b), reference.iou(a, b))
        assert_close(student.iou(b, a), reference.iou(b, a))

    def test_touching(self, student, reference):
        """Boxes that share a side or a corner share no area, those that share a strip do."""
        a = np.array([[0.0, 0, 4, 4]])
        b = np.array([[4, 0, 8, 4], [0, 4, 4, 8], [4, 4, 8, 8], [3, 0, 8, 4.0]])
        assert_close(student.iou(a, b), reference.iou(a, b))

    def test_inside(self, student, reference, rng):
        """A box in another has the ratio of their areas, equal boxes have 1."""
        a = np.array([[2.0, 3, 12, 9]])
        b = np.array([[4.0, 4, 7, 8], [0, 0, 20, 20], [2, 3, 12, 9]])
        assert_close(student.iou(a, b), reference.iou(a, b))

    def test_empty_boxes(self, student, reference, rng):
        """A box with a side of zero has IoU 0 with all, itself too, and NumPy has no reason to complain."""
        a = np.concatenate([EMPTY[:3], [[0.0, 0, 10, 10]]])
        assert_close(assert_silent(student.iou, a, a), reference.iou(a, a))

    def test_swapped_corners(self, student, reference, rng):
        """A box whose corners are swapped is empty: two negative sides make no area."""
        a = np.concatenate([[[0.0, 0, 10, 10]], EMPTY[3:]])
        assert_close(assert_silent(student.iou, a, a), reference.iou(a, a))

    def test_no_boxes(self, student, reference, rng):
        """Where one side has no boxes the table has no rows, or no columns; one box with one makes (1, 1)."""
        some = some_boxes(rng, 3)
        for a, b in ((NONE, some), (some, NONE), (NONE, NONE), (some[:1], some[:1] + 1)):
            assert_close(student.iou(a, b), reference.iou(a, b))

    def test_tiny_boxes(self, student, reference, rng):
        """Boxes in a thousandth of a unit have the same IoU as large ones."""
        a, b = some_boxes(rng, 4), some_boxes(rng, 4)
        for scale in (1e-3, 1e3):
            assert_close(student.iou(scale * a, scale * b), reference.iou(scale * a, scale * b))

    def test_negative_places(self, student, reference, rng):
        """Boxes may lie left of zero and above it."""
        a, b = some_boxes(rng, 4, low=-25.0), some_boxes(rng, 5, low=-20.0)
        assert_close(student.iou(a, b), reference.iou(a, b))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        a, b = in_single_precision(some_boxes(rng, 4)), in_single_precision(some_boxes(rng, 3))
        assert_close(student.iou(a, b), reference.iou(a, b), **SINGLE)

    @hidden
    def test_whole_numbers(self, student, reference, rng):
        """Boxes may be of whole numbers, and equally many on both sides."""
        a, b = (some_boxes(rng, 6).astype(int) for _ in range(2))
        assert_close(student.iou(a, b), reference.iou(a, b))


@exercise("giou", functions=["giou"], points=2)
class TestGiou:
    """An overlap that also sees the distance."""

    hints = {
        "giou": [
            "The smallest box around both: where is its left side, where its right one?",
            "IoU is intersection over union. So the union is what you had in `iou`, and what is to be taken off is "
            "`(around - union) / around`.",
            "`low = np.minimum(a1, b1)`, `high = np.maximum(a2, b2)`, `around` the product of `high - low`; then "
            "`iou(a, b) - (around - union) / around`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on random boxes."""
        a, b = some_boxes(rng, 6), some_boxes(rng, 4)
        assert_close(assert_unchanged(student.giou, a, b), reference.giou(a, b))

    def test_apart(self, student, reference):
        """Falls from 0 to -1 as a box goes away."""
        a = np.array([[0.0, 0, 2, 2]])
        b = np.array([[x, x, x + 2.0, x + 2.0] for x in (2, 4, 10, 1000)])
        assert_close(student.giou(a, b), reference.giou(a, b))
        assert_close(student.giou(b, a), reference.giou(b, a))

    def test_inside(self, student, reference):
        """Equals the IoU where one box lies in the other, and 1 where they are equal."""
        a = np.array([[2.0, 3, 12, 9]])
        b = np.array([[4.0, 4, 7, 8], [0, 0, 20, 20], [2, 3, 12, 9]])
        assert_close(student.giou(a, b), reference.giou(a, b))

    def test_empty_boxes(self, student, reference):
        """A box with a side of zero has no area, but a place; two in one place, or on one line, give 0 without a warning."""
        a = np.array([[5.0, 5, 5, 5], [5, 2, 5, 9], [0, 0, 10, 10]])
        b = np.array([[5.0, 5, 5, 5], [5, 12, 5, 14], [8, 2, 8, 7], [12, 1, 15, 6]])
        assert_close(assert_silent(student.giou, a, b), reference.giou(a, b))

    def test_no_boxes(self, student, reference, rng):
        """Where one side has no boxes the table has no rows, or no columns; one box with one makes (1, 1)."""
        some = some_boxes(rng, 3)
        for a, b in ((NONE, some), (some, NONE), (some[:1], some[1:2])):
            assert_close(student.giou(a, b), reference.giou(a, b))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        a, b = in_single_precision(some_boxes(rng, 4)), in_single_precision(some_boxes(rng, 3))
        assert_close(student.giou(a, b), reference.giou(a, b), **SINGLE)


@exercise("nms", functions=["nms"], points=4)
class TestNms:
    """One box of each heap."""

    hints = {
        "nms": [
            "The best box stays. Which boxes does it drop, and which one is the next that surely stays?",
            "Keep a list of the indices that are left, best first. Take its first, and keep of the rest those whose IoU with it is at "
            "most the threshold.",
            '`left = np.argsort(-scores, kind="stable")`; in a loop `best, left = left[0], left[1:]`, then '
            "`left = left[iou(boxes[best : best + 1], boxes[left])[0] <= iou_threshold]`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Keeps what the reference keeps of heaps of boxes, best first."""
        boxes, scores = heaps(rng)
        assert_indices(assert_unchanged(student.nms, boxes, scores), reference.nms(boxes, scores))

    @pytest.mark.parametrize("threshold", [0.0, 0.2, 0.7, 1.0])
    def test_thresholds(self, student, reference, rng, threshold):
        """Follows `iou_threshold`, from 0 (nothing may overlap) to 1 (everything may)."""
        boxes, scores = some_boxes(rng, 16), some_scores(rng, 16)
        assert_indices(student.nms(boxes, scores, threshold), reference.nms(boxes, scores, threshold))

    def test_a_chain(self, student, reference):
        """A dropped box drops nobody: of a chain in which each overlaps the next, the first and the third stay."""
        boxes = np.array([[x, 0, x + 10, 10] for x in (0.0, 3.0, 6.0, 9.0)])
        scores = np.array([0.9, 0.8, 0.7, 0.6])
        assert_indices(student.nms(boxes, scores, 0.4), reference.nms(boxes, scores, 0.4))

    def test_kept_boxes_far_back(self, student, reference):
        """A box is compared with every kept one, not with the last one only."""
        boxes = np.array([[0.0, 0, 10, 10], [50, 50, 60, 60], [1, 0, 11, 10], [51, 50, 61, 60]])
        scores = np.array([0.9, 0.8, 0.7, 0.6])
        assert_indices(student.nms(boxes, scores), reference.nms(boxes, scores))

    def test_at_the_threshold(self, student, reference):
        """A box whose IoU is exactly the threshold stays, one above it goes."""
        boxes = np.array([[0.0, 0, 4, 4], [0, 0, 4, 2], [0, 0, 4, 3]])
        scores = np.array([0.9, 0.8, 0.7])
        assert_indices(student.nms(boxes, scores, 0.5), reference.nms(boxes, scores, 0.5))

    def test_equal_scores(self, student, reference, rng):
        """Of equal scores the lower index comes first."""
        boxes, _ = heaps(rng)
        for scores in (np.full(24, 0.5), rng.integers(3, size=24) / 4):
            assert_indices(student.nms(boxes, scores), reference.nms(boxes, scores))

    def test_none_and_one(self, student, reference, rng):
        """No boxes leave no indices, and what comes can index all the same; a single box stays."""
        for count in (0, 1):
            boxes, scores = some_boxes(rng, count), rng.random(count)
            assert_indices(student.nms(boxes, scores), reference.nms(boxes, scores))

    def test_unusual_scores(self, student, reference, rng):
        """Scores need be no probabilities: negative ones and large ones rank as well."""
        boxes, scores = heaps(rng)
        for given in (scores - 5, 300 * scores - 150):
            assert_indices(student.nms(boxes, given), reference.nms(boxes, given))

    def test_empty_boxes(self, student, reference, rng):
        """A box without area overlaps nothing and is dropped by nobody."""
        boxes = np.concatenate([EMPTY[:3], EMPTY[:3], some_boxes(rng, 4)])
        scores = some_scores(rng, 10)
        assert_indices(student.nms(boxes, scores), reference.nms(boxes, scores))

    @hidden
    def test_many(self, student, reference, rng):
        """Is right for sixty boxes in disorder, also in `float32`."""
        boxes, scores = heaps(rng, heap=6, each=10)
        for dtype in (np.float64, np.float32):
            given = boxes.astype(dtype), scores.astype(dtype), 0.4
            assert_indices(student.nms(*given), reference.nms(*given))


@exercise("class_nms", functions=["class_nms"], points=2)
class TestClassNms:
    """Boxes of different labels are no rivals."""

    hints = {
        "class_nms": [
            "What would plain `nms` say of the boxes of one label alone? And into which array do its indices point?",
            "`own = np.flatnonzero(labels == label)` are the places of a label; `own[nms(boxes[own], scores[own])]` are places in "
            "the whole array. At the end sort all of them by score.",
            '`kept = np.sort(np.concatenate(parts))`, then `kept[np.argsort(-scores[kept], kind="stable")]`.',
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Keeps what the reference keeps of heaps in which labels are mixed, best first."""
        boxes, scores = heaps(rng)
        labels = rng.integers(3, size=24)
        expected = reference.class_nms(boxes, scores, labels)
        assert_indices(assert_unchanged(student.class_nms, boxes, scores, labels), expected)

    def test_same_place(self, student, reference):
        """Equal boxes of two labels both stay, equal boxes of one label do not."""
        boxes = np.tile([[2.0, 3, 9, 12]], (4, 1))
        scores, labels = np.array([0.4, 0.9, 0.7, 0.8]), np.array([0, 1, 1, 0])
        assert_indices(student.class_nms(boxes, scores, labels), reference.class_nms(boxes, scores, labels))

    def test_any_labels(self, student, reference, rng):
        """Labels may be far apart, and boxes may lie left of zero and above it."""
        boxes, scores = heaps(rng)
        labels = rng.choice([0, 1, 90], size=24)
        for moved in (boxes - boxes.max(), boxes + 500):
            expected = reference.class_nms(moved, scores, labels)
            assert_indices(student.class_nms(moved, scores, labels), expected)

    def test_thresholds(self, student, reference, rng):
        """Follows `iou_threshold`."""
        boxes, scores, labels = some_boxes(rng, 20), some_scores(rng, 20), rng.integers(2, size=20)
        for threshold in (0.1, 0.6):
            expected = reference.class_nms(boxes, scores, labels, threshold)
            assert_indices(student.class_nms(boxes, scores, labels, threshold), expected)

    def test_none_and_one(self, student, reference, rng):
        """No boxes leave no indices, and what comes can index all the same; a single box stays."""
        for count in (0, 1):
            boxes, scores, labels = some_boxes(rng, count), rng.random(count), np.full(count, 2)
            expected = reference.class_nms(boxes, scores, labels)
            assert_indices(student.class_nms(boxes, scores, labels), expected)

    @hidden
    def test_equal_scores(self, student, reference, rng):
        """Of equal scores the lower index comes first, whatever the labels."""
        boxes, _ = heaps(rng)
        labels, scores = rng.integers(3, size=24), rng.integers(3, size=24) / 4
        expected = reference.class_nms(boxes, scores, labels)
        assert_indices(student.class_nms(boxes, scores, labels), expected)


def assert_softly(student, reference, *given):
    """Hold soft-NMS against the reference: the same order, the same lowered scores."""
    indices, scores = reference.soft_nms(*given)
    came = assert_unchanged(student.soft_nms, *given)
    if not isinstance(came, list | tuple) or len(came) != 2:
        raise AssertionError("expected two things: the indices, and their lowered scores")
    assert_close((as_indices(came[0]), np.asarray(came[1])), (indices, scores), PARTS)


@exercise("soft_nms", functions=["soft_nms"], points=3)
class TestSoftNms:
    """Rivals are made quieter, not silent."""

    hints = {
        "soft_nms": [
            "After the first box was taken and the others lowered: is the order of the others still what it was?",
            "In a loop: the best of the scores *as they are now*, among those not taken; stop when it is below `score_threshold`; write "
            "down index and score; multiply the scores of the others by the decay.",
            "`current[left] *= np.exp(-(iou(boxes[best : best + 1], boxes[left])[0] ** 2) / sigma)`, where `current` is a copy of "
            "`scores` and `left` does not hold `best` any more.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Takes the same boxes in the same order as the reference, with the same scores."""
        assert_softly(student, reference, *heaps(rng))

    def test_one_decay(self, student, reference):
        """Two boxes with an IoU of one half: the second score is lowered once, and by `exp(-iou**2 / sigma)`."""
        boxes, scores = np.array([[0.0, 0, 4, 4], [0, 0, 4, 2]]), np.array([0.9, 0.8])
        for sigma in (0.5, 0.1, 2.0):
            assert_softly(student, reference, boxes, scores, sigma)

    def test_new_order(self, student, reference):
        """A box that is lowered falls behind one that was worse: the order is made anew each time."""
        boxes = np.array(
            [[0.0, 0, 10, 10], [1, 0, 11, 10], [40, 40, 50, 50], [2, 0, 12, 10], [43, 40, 53, 50]]
        )
        assert_softly(student, reference, boxes, np.array([0.9, 0.85, 0.5, 0.8, 0.45]))

    def test_low_overlaps(self, student, reference, rng):
        """Boxes that overlap a little are lowered a little, those apart keep their scores."""
        boxes = np.array([[0.0, 0, 10, 10], [8, 0, 18, 10], [40, 40, 50, 50], [9, 9, 19, 19]])
        assert_softly(student, reference, boxes, np.array([0.9, 0.8, 0.7, 0.6]))

    def test_score_threshold(self, student, reference, rng):
        """A box that falls below `score_threshold` is dropped; higher thresholds drop more."""
        boxes, scores = heaps(rng)
        for threshold in (0.0, 0.1, 0.4):
            assert_softly(student, reference, boxes, scores, 0.5, threshold)

    def test_at_the_threshold(self, student, reference):
        """A score of exactly `score_threshold` is kept, one below it is not."""
        boxes = np.array([[0.0, 0, 4, 4], [10, 10, 14, 14], [20, 20, 24, 24]])
        assert_softly(student, reference, boxes, np.array([0.5, 0.25, 0.249]), 0.5, 0.25)

    def test_none_and_one(self, student, reference, rng):
        """No boxes leave no indices and no scores; a single box keeps its score."""
        for count in (0, 1):
            assert_softly(student, reference, some_boxes(rng, count), rng.uniform(0.2, 0.9, size=count))

    @hidden
    def test_many(self, student, reference, rng):
        """Is right for forty boxes with other widths of the Gaussian."""
        boxes, scores = heaps(rng, heap=4, each=10)
        for sigma, threshold in ((0.3, 0.01), (1.5, 0.2)):
            assert_softly(student, reference, boxes, scores, sigma, threshold)


@exercise("encode_boxes", functions=["encode_boxes", "decode_boxes"], points=4)
class TestEncodeBoxes:
    """How a network speaks of boxes."""

    hints = {
        "encode_boxes": [
            "Which format has what the four formulas need?",
            "With both in `cxcywh`: the shift of the centre is divided by the side of the anchor, and of the ratio of the sides you "
            "take the logarithm.",
            "`(box[:, :2] - anchor[:, :2]) / anchor[:, 2:]` and `np.log(box[:, 2:] / anchor[:, 2:])`, side by side.",
        ],
        "decode_boxes": [
            "Solve `t = (b - a) / side` for b. What undoes a logarithm?",
            "With the anchors in `cxcywh`: the centre moves by delta times the anchor's side, the side is multiplied by `exp` of its "
            "delta. Then back to corners.",
            "`centre = anchor[:, :2] + deltas[:, :2] * anchor[:, 2:]`, `sides = anchor[:, 2:] * np.exp(deltas[:, 2:])`; the corners are "
            "half a side away from the centre.",
        ],
    }

    @core
    def test_encoded(self, student, reference, rng):
        """`encode_boxes` agrees with the reference on random boxes and anchors."""
        boxes, anchors = some_boxes(rng, 6), some_boxes(rng, 6)
        expected = reference.encode_boxes(boxes, anchors)
        assert_close(assert_unchanged(student.encode_boxes, boxes, anchors), expected)

    def test_encoded_shift(self, student, reference, rng):
        """A box of its anchor's size: only the shift of the centre is at work, in sides of the anchor."""
        anchors = some_boxes(rng, 5)
        boxes = anchors + np.tile(rng.normal(scale=5.0, size=(5, 2)), 2)
        assert_close(student.encode_boxes(boxes, anchors), reference.encode_boxes(boxes, anchors))

    def test_encoded_growth(self, student, reference):
        """A box with its anchor's centre: only the growth is at work, twice as wide and half as high."""
        anchors = np.array([[10.0, 20, 18, 26], [-3, 2, 1, 12]])
        boxes = np.array([[6.0, 21.5, 22, 24.5], [-5, 4.5, 3, 9.5]])
        assert_close(student.encode_boxes(boxes, anchors), reference.encode_boxes(boxes, anchors))

    def test_encoded_anchor(self, student, reference, rng):
        """Is 0 where the box is its anchor, and only there."""
        anchors = some_boxes(rng, 3)
        boxes = anchors + [[0.0] * 4, [0.0] * 4, [1.0, 1.0, 3.0, 2.0]]
        assert_close(student.encode_boxes(boxes, anchors), reference.encode_boxes(boxes, anchors))

    def test_decoded(self, student, reference, rng):
        """`decode_boxes` agrees with the reference on random deltas and anchors."""
        deltas, anchors = rng.normal(scale=0.7, size=(6, 4)), some_boxes(rng, 6)
        expected = reference.decode_boxes(deltas, anchors)
        assert_close(assert_unchanged(student.decode_boxes, deltas, anchors), expected)

    def test_decoded_shift(self, student, reference, rng):
        """With no growth the anchor is moved, in its own sides."""
        deltas, anchors = rng.normal(size=(5, 4)), some_boxes(rng, 5)
        deltas[:, 2:] = 0
        assert_close(student.decode_boxes(deltas, anchors), reference.decode_boxes(deltas, anchors))

    def test_decoded_growth(self, student, reference, rng):
        """With no shift the anchor grows or shrinks about its centre."""
        deltas, anchors = rng.normal(size=(5, 4)), some_boxes(rng, 5)
        deltas[:, :2] = 0
        assert_close(student.decode_boxes(deltas, anchors), reference.decode_boxes(deltas, anchors))

    def test_there_and_back(self, student, rng):
        """The two fit together: `decode_boxes` gives back what `encode_boxes` was given."""
        boxes, anchors = some_boxes(rng, 6), some_boxes(rng, 6)
        assert_close(student.decode_boxes(student.encode_boxes(boxes, anchors), anchors), boxes)

    def test_none_and_one(self, student, reference, rng):
        """No boxes make shape (0, 4), one box (1, 4), both ways."""
        for count in (0, 1):
            boxes, anchors, deltas = (
                some_boxes(rng, count),
                some_boxes(rng, count),
                rng.normal(size=(count, 4)),
            )
            assert_close(student.encode_boxes(boxes, anchors), reference.encode_boxes(boxes, anchors))
            assert_close(student.decode_boxes(deltas, anchors), reference.decode_boxes(deltas, anchors))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        boxes, anchors = (in_single_precision(some_boxes(rng, 4, low=50.0)) for _ in range(2))
        deltas = rng.uniform(-0.5, 0.5, size=(4, 4)).astype(np.float32)
        encoded, decoded = reference.encode_boxes(boxes, anchors), reference.decode_boxes(deltas, anchors)
        assert_close(student.encode_boxes(boxes, anchors), encoded, **SINGLE)
        assert_close(student.decode_boxes(deltas, anchors), decoded, **SINGLE)


@exercise("clip_boxes", functions=["clip_boxes"], points=1)
class TestClipBoxes:
    """What lies outside of the image is cut off."""

    hints = {
        "clip_boxes": [
            "Which of the four columns are held by the width, which by the height?",
            "`np.clip` takes an array as its upper bound: one number for each column.",
            "`np.clip(boxes, 0, [width, height, width, height])`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on boxes that reach over every border of an image that is not square."""
        boxes = some_boxes(rng, 12, span=40.0, low=-8.0)
        for height, width in ((15, 30), (30, 15)):
            expected = reference.clip_boxes(boxes, height, width)
            assert_close(assert_unchanged(student.clip_boxes, boxes, height, width), expected)

    def test_the_border(self, student, reference):
        """A box as large as the image stays as it is: the right border is at width, not at width - 1."""
        boxes = np.array([[0.0, 0, 12, 9], [3, 2, 11.5, 8.5], [-1, -1, 13, 10]])
        assert_close(student.clip_boxes(boxes, 9, 12), reference.clip_boxes(boxes, 9, 12))

    def test_outside(self, student, reference):
        """A box that lies outside altogether keeps its row, with both corners on the border."""
        boxes = np.array([[20.0, 3, 30, 6], [-9, -8, -2, -1], [3, 4, 5, 6]])
        assert_close(student.clip_boxes(boxes, 9, 12), reference.clip_boxes(boxes, 9, 12))

    @hidden
    def test_none(self, student, reference):
        """No boxes make shape (0, 4)."""
        boxes = np.array([[-2.0, 1, 3, 40]])
        for given in (NONE, boxes):
            assert_close(student.clip_boxes(given, 9, 12), reference.clip_boxes(given, 9, 12))


def a_ranking(rng, count, objects, share=0.6):
    """Recall and precision down a random ranking."""
    right = np.zeros(count, bool)
    right[rng.permutation(count)[: min(objects, round(share * count))]] = True
    found = np.cumsum(right)
    return found / objects, found / np.arange(1, count + 1)


@exercise("average_precision", functions=["average_precision"], points=3)
class TestAveragePrecision:
    """One number for a whole curve."""

    hints = {
        "average_precision": [
            "At a recall of 0.5 the precision is 0.6, and at a recall of 0.7 it is 0.8. Which of them would you rather offer at 0.5?",
            "The envelope is the largest precision *from here to the end*: a running maximum from the back. Each step of recall, the first "
            "one from 0, is as wide as recall grows and as high as the envelope at its end.",
            "`envelope = np.maximum.accumulate(precision[::-1])[::-1]`, then `np.sum(np.diff(recall, prepend=0) * envelope)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on random rankings."""
        for count, objects in ((12, 8), (25, 20), (40, 30)):
            recall, precision = a_ranking(rng, count, objects)
            expected = reference.average_precision(recall, precision)
            assert_close(assert_unchanged(student.average_precision, recall, precision), expected)

    def test_by_hand(self, student, reference):
        """Right, wrong, right, of two objects: 0.5 * 1 + 0.5 * 2/3."""
        recall, precision = np.array([0.5, 0.5, 1.0]), np.array([1.0, 0.5, 2 / 3])
        assert_close(
            student.average_precision(recall, precision), reference.average_precision(recall, precision)
        )

    def test_the_first_step(self, student, reference):
        """The area begins at a recall of 0, also where the first point lies far to the right of it."""
        for recall, precision in (([0.25], [1.0]), ([0.4, 0.8], [1.0, 1.0]), ([0.0, 0.5], [0.0, 0.5])):
            given = np.array(recall), np.array(precision)
            assert_close(student.average_precision(*given), reference.average_precision(*given))

    def test_objects_not_found(self, student, reference, rng):
        """Beyond the last recall there is nothing: who finds half of the objects has half at most."""
        recall, precision = a_ranking(rng, 10, 20)
        assert_close(
            student.average_precision(recall, precision), reference.average_precision(recall, precision)
        )
        recall, precision = np.arange(1, 6) / 10, np.ones(5)
        assert_close(
            student.average_precision(recall, precision), reference.average_precision(recall, precision)
        )

    def test_teeth(self, student, reference):
        """Precision that rises again fills the valley before it."""
        recall = np.array([0.0, 0.0, 0.2, 0.4, 0.4, 0.6, 0.8, 1.0])
        precision = np.array([0.0, 0.0, 1 / 3, 0.5, 0.4, 0.5, 4 / 7, 0.625])
        assert_close(
            student.average_precision(recall, precision), reference.average_precision(recall, precision)
        )

    def test_fine_steps(self, student, reference, rng):
        """Is exact, not read at eleven or a hundred and one recalls: 137 objects, found at uneven places."""
        recall, precision = a_ranking(rng, 150, 137, share=0.8)
        assert_close(
            student.average_precision(recall, precision), reference.average_precision(recall, precision)
        )

    def test_few_points(self, student, reference, rng):
        """Between two points the staircase is as high as the right one, also where points of the curve are left out."""
        recall, precision = a_ranking(rng, 30, 24)
        few = np.array([0.2, 0.5, 0.9]), np.array([0.9, 0.6, 0.3])
        for given in (few, (recall[::4], precision[::4])):
            assert_close(student.average_precision(*given), reference.average_precision(*given))

    def test_all_right(self, student, reference):
        """Is 1 when everything is found before the first mistake, whatever follows."""
        recall, precision = np.array([1 / 3, 2 / 3, 1, 1, 1]), np.array([1, 1, 1, 3 / 4, 3 / 5])
        assert_close(
            student.average_precision(recall, precision), reference.average_precision(recall, precision)
        )

    def test_nothing(self, student, reference):
        """Is 0 for a curve without points, and for one that never leaves 0; one point on top is 1."""
        for given in ([], [0.0, 0.0], [1.0]):
            curve = np.array(given)
            assert_close(
                assert_silent(student.average_precision, curve, curve),
                reference.average_precision(curve, curve),
            )

    @hidden
    def test_other_rankings(self, student, reference, rng):
        """Is right for short rankings and long ones, good ones and bad ones."""
        for count, objects, share in ((3, 5, 0.7), (60, 9, 0.1), (200, 190, 0.9)):
            recall, precision = a_ranking(rng, count, objects, share)
            expected = reference.average_precision(recall, precision)
            assert_close(student.average_precision(recall, precision), expected)


def assert_judged(student, reference, predictions, truth, **options):
    """Hold mAP against the reference, and its arguments against a change."""
    expected = reference.mean_average_precision(predictions, truth, **options)
    assert_close(assert_unchanged(student.mean_average_precision, predictions, truth, **options), expected)


@exercise("mean_average_precision", functions=["mean_average_precision"], points=6)
class TestMeanAveragePrecision:
    """The mark of a detector."""

    hints = {
        "mean_average_precision": [
            "For one class: which detections, of which images, are ranked together? And what must you remember about an object that has "
            "been found?",
            "A list of (score, image, box) over all images, sorted by score. For each: the IoUs with the free objects of its image and "
            "class. The largest at least at the threshold? Then it is right, and the object is not free any more.",
            "`found = np.cumsum(right)`; recall is `found / objects`, with the objects of the class in all images; precision is "
            "`found / np.arange(1, len(found) + 1)`; `average_precision` of these, and the mean over the classes in the ground truth.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on four images with three classes."""
        for _ in range(2):
            predictions, truth = scene(rng)
            assert_judged(student, reference, predictions, truth)

    @core
    def test_one_class(self, student, reference, rng):
        """With one class it is its average precision."""
        predictions, truth = scene(rng, images=3, classes=1, objects=5)
        assert_judged(student, reference, predictions, truth)

    def test_a_duplicate(self, student, reference):
        """The second box on an object is a false positive, however well it fits."""
        truth = [objects([[0, 0, 10, 10], [40, 40, 50, 50]])]
        predictions = [detected([[1, 0, 11, 10], [0, 0, 10, 10], [40, 41, 50, 51]], [0.9, 0.8, 0.7])]
        assert_judged(student, reference, predictions, truth)

    def test_the_best_is_taken(self, student, reference):
        """When the object that it overlaps most is taken, a detection takes the next one that it overlaps enough."""
        truth = [objects([[0, 0, 10, 10], [3, 0, 13, 10]])]
        predictions = [detected([[0, 0, 10, 10], [1, 0, 11, 10], [60, 0, 70, 10]], [0.9, 0.8, 0.7])]
        assert_judged(student, reference, predictions, truth)

    def test_the_best_is_free(self, student, reference):
        """A detection takes the object that it overlaps most, not the first that it overlaps enough."""
        truth = [objects([[0, 0, 10, 10], [2, 0, 12, 10]])]
        predictions = [detected([[2, 0, 12, 10], [-3, 0, 7, 10]], [0.9, 0.8])]
        assert_judged(student, reference, predictions, truth)

    def test_at_the_threshold(self, student, reference):
        """An IoU of exactly the threshold is enough."""
        truth = [objects([[0, 0, 4, 4]])]
        for low in (2, 3):
            predictions = [detected([[0, 0, 4, low]], [0.9])]
            for threshold in (0.5, 0.75):
                assert_judged(student, reference, predictions, truth, iou_threshold=threshold)

    @pytest.mark.parametrize("threshold", [0.3, 0.6, 0.8])
    def test_thresholds(self, student, reference, rng, threshold):
        """Follows `iou_threshold`."""
        predictions, truth = scene(rng, noise=1.0)
        assert_judged(student, reference, predictions, truth, iou_threshold=threshold)

    def test_one_ranking(self, student, reference):
        """All images are ranked together: a sure mistake in one image stands before an unsure hit in another."""
        truth = [objects([[0, 0, 10, 10]]), objects([[0, 0, 10, 10]])]
        predictions = [
            detected([[0, 0, 10, 10], [50, 0, 60, 10]], [0.3, 0.2]),
            detected([[0, 0, 10, 10], [50, 0, 60, 10], [70, 0, 80, 10]], [0.6, 0.9, 0.8]),
        ]
        assert_judged(student, reference, predictions, truth)

    def test_other_images(self, student, reference):
        """A box is held against the objects of its own image only."""
        truth = [objects([[0, 0, 10, 10]]), objects([[30, 0, 40, 10]])]
        predictions = [
            detected([[30, 0, 40, 10], [0, 0, 10, 10]], [0.9, 0.5]),
            detected([[0, 0, 10, 10], [30, 0, 40, 10]], [0.8, 0.7]),
        ]
        assert_judged(student, reference, predictions, truth)

    def test_classes(self, student, reference):
        """A box with the wrong label finds nothing; a class that is never predicted counts with 0."""
        truth = [objects([[0, 0, 10, 10], [30, 0, 40, 10], [60, 0, 70, 10]], [0, 4, 2])]
        predictions = [detected([[0, 0, 10, 10], [30, 0, 40, 10]], [0.9, 0.8], [0, 2])]
        assert_judged(student, reference, predictions, truth)

    def test_a_class_without_objects(self, student, reference):
        """What is predicted of a class that has no object anywhere does not count at all."""
        truth = [objects([[0, 0, 10, 10]], [1]), objects([[0, 0, 9, 9]], [1])]
        predictions = [
            detected([[0, 0, 10, 10], [0, 0, 10, 10]], [0.5, 0.9], [1, 0]),
            detected([[0, 0, 10, 10]], [0.7], [3]),
        ]
        assert_judged(student, reference, predictions, truth)

    def test_objects_in_any_order(self, student, reference, rng):
        """Neither the order of the boxes in an image nor that of the images matters."""
        predictions, truth = scene(rng, images=3)
        turned = [{key: value[::-1].copy() for key, value in each.items()} for each in predictions]
        assert_judged(student, reference, turned[::-1], truth[::-1])

    def test_empty_images(self, student, reference, rng):
        """Images without objects, without detections, without both; mistakes in an image without objects count."""
        truth = [
            objects([]),
            objects([[0, 0, 10, 10], [20, 0, 30, 10]]),
            objects([]),
            objects([[0, 0, 9, 9]]),
        ]
        predictions = [
            detected([[0, 0, 10, 10], [5, 5, 9, 9]], [0.9, 0.3]),
            detected([[0, 0, 10, 11], [20, 1, 30, 10]], [0.8, 0.5]),
            detected([], []),
            detected([], []),
        ]
        assert_judged(student, reference, predictions, truth)

    def test_nothing_at_all(self, student, reference):
        """Is 0 without a warning where there is no detection, no object, no image; and 1 where all is as it should be."""
        box = [[0, 0, 10, 10]]
        for predictions, truth in (
            ([detected([], [])], [objects(box)]),
            ([detected(box, [0.9])], [objects([])]),
            ([detected([], [])], [objects([])]),
            ([], []),
            ([detected(box, [0.9])], [objects(box)]),
        ):
            expected = reference.mean_average_precision(predictions, truth)
            assert_close(assert_silent(student.mean_average_precision, predictions, truth), expected)

    @hidden
    def test_many(self, student, reference, rng):
        """Is right for twelve crowded images, also in `float32`."""
        predictions, truth = scene(rng, images=12, classes=4, objects=6, noise=1.2)
        assert_judged(student, reference, predictions, truth)
        single = [{**each, "boxes": each["boxes"].astype(np.float32)} for each in predictions]
        expected = reference.mean_average_precision(single, truth, 0.4)
        assert_close(student.mean_average_precision(single, truth, 0.4), expected, **SINGLE)


@exercise("coco_mean_average_precision", functions=["coco_mean_average_precision"], points=2)
class TestCocoMeanAveragePrecision:
    """Ten thresholds, one number."""

    hints = {
        "coco_mean_average_precision": [
            "You have the number for one threshold. How many thresholds are there from 0.50 to 0.95, both counted?",
            "`np.linspace(0.5, 0.95, 10)` has them; `np.arange` may lose the last one. Then a mean.",
            "`np.mean([mean_average_precision(predictions, ground_truth, t) for t in np.linspace(0.5, 0.95, 10)])`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on random images."""
        predictions, truth = scene(rng, noise=0.6)
        expected = reference.coco_mean_average_precision(predictions, truth)
        assert_close(assert_unchanged(student.coco_mean_average_precision, predictions, truth), expected)

    def test_exact_boxes(self, student, reference):
        """A perfect box counts at all ten thresholds, one with an IoU of 0.92 at nine, one of 0.52 at one."""
        truth = [objects([[0, 0, 100, 100]])]
        for side in (100, 92, 52, 40):
            predictions = [detected([[0, 0, 100, side]], [0.9])]
            expected = reference.coco_mean_average_precision(predictions, truth)
            assert_close(student.coco_mean_average_precision(predictions, truth), expected)

    def test_nothing_at_all(self, student, reference):
        """Is 0 where there is no object, and where nothing was found."""
        box = [[0, 0, 10, 10]]
        for predictions, truth in (
            ([detected(box, [0.9])], [objects([])]),
            ([detected([], [])], [objects(box)]),
            ([detected(box, [0.9])], [objects(box)]),
        ):
            expected = reference.coco_mean_average_precision(predictions, truth)
            assert_close(student.coco_mean_average_precision(predictions, truth), expected)

    @hidden
    def test_many(self, student, reference, rng):
        """Is right for six crowded images."""
        predictions, truth = scene(rng, images=6, classes=2, objects=5, noise=1.0)
        expected = reference.coco_mean_average_precision(predictions, truth)
        assert_close(student.coco_mean_average_precision(predictions, truth), expected)
