"""`boxes` against pycocotools, TensorFlow's and Keras' own, and what the contract says beyond their values."""

import contextlib
import io

import numpy as np
import pytest
import tensorflow as tf
from keras.utils import bounding_boxes as keras_boxes
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from kerasref import boxes
from tests.kerasref import assert_refused
from tests.kerasref.oracles import assert_agrees
from tests.kerasref.oracles.boxes import some_boxes

NONE = np.zeros((0, 4))
SQUARE = np.array([[0.0, 0, 10, 10]])
EMPTY = np.array([[2, 2, 2, 8], [2, 3, 9, 3], [5, 5, 5, 5], [9, 2, 3, 8], [3, 9, 8, 2], [8, 8, 1, 1.0]])
NO_OBJECTS = {"boxes": NONE, "labels": []}
NO_DETECTIONS = {**NO_OBJECTS, "scores": []}


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def in_eighths(rng, count):
    """Boxes that are the same numbers in float32, which TensorFlow computes in."""
    corners = rng.integers(0, 160, size=(count, 2)) / 8
    return np.concatenate([corners, corners + rng.integers(16, 112, size=(count, 2)) / 8], axis=1)


def detections(rng, images=6, classes=3, objects=5, noise=1.0):
    """A ground truth, and predictions of which some are right, some twice, some with a wrong label, some nowhere."""
    truth, predictions = [], []
    for _ in range(images):
        there, labels = 3 * some_boxes(rng, objects), rng.integers(classes, size=objects)
        seen = rng.integers(objects, size=objects + 2)
        wrong = rng.random(len(seen)) < 0.15
        truth.append({"boxes": there, "labels": labels})
        predictions.append(
            {
                "boxes": there[seen] + rng.normal(scale=noise, size=(len(seen), 4)),
                "scores": rng.random(len(seen)),
                "labels": np.where(wrong, rng.integers(classes + 1, size=len(seen)), labels[seen]),
            }
        )
    return predictions, truth


def by_pycocotools(predictions, truth, thresholds, recalls=None):
    """COCO's number, with its 101 recalls or, where `recalls` is "exact", with the middle of each step of recall."""

    def rows(images, **more):
        return [
            {
                "image_id": image,
                "category_id": int(label),
                "bbox": [x1, y1, x2 - x1, y2 - y1],
                **{key: each[value][place] for key, value in more.items()},
            }
            for image, each in enumerate(images, 1)
            for place, ((x1, y1, x2, y2), label) in enumerate(zip(each["boxes"], each["labels"], strict=True))
        ]

    objects = [
        {**row, "id": number, "area": row["bbox"][2] * row["bbox"][3], "iscrowd": 0}
        for number, row in enumerate(rows(truth), 1)
    ]
    labels = sorted({int(label) for each in [*truth, *predictions] for label in each["labels"]})
    with contextlib.redirect_stdout(io.StringIO()):
        known = COCO()
        known.dataset = {
            "info": {},
            "images": [{"id": image} for image in range(1, len(truth) + 1)],
            "annotations": objects,
            "categories": [{"id": label} for label in labels],
        }
        known.createIndex()
        found = known.loadRes(rows(predictions, score="scores"))
        areas = []
        for label in labels:
            count = sum(each["category_id"] == label for each in objects)
            judge = COCOeval(known, found, "bbox")
            judge.params.catIds, judge.params.iouThrs = [label], np.array(thresholds)
            judge.params.areaRng, judge.params.areaRngLbl, judge.params.maxDets = (
                [[-1e9, 1e9]],
                ["all"],
                [1000],
            )
            if recalls == "exact" and count:
                judge.params.recThrs = (np.arange(count) + 0.5) / count
            judge.evaluate()
            judge.accumulate()
            precision = judge.eval["precision"]
            areas.append(precision.mean() if count else np.nan)
    return np.nanmean(areas)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.75, 0.9])
@pytest.mark.parametrize("noise", [0.3, 1.5])
def test_map_is_pycocotools_at_the_exact_recalls(rng, threshold, noise):
    for _ in range(5):
        predictions, truth = detections(rng, noise=noise)
        expected = by_pycocotools(predictions, truth, [threshold], recalls="exact")
        assert_agrees(boxes.mean_average_precision(predictions, truth, threshold), expected)


def test_cocos_number_is_pycocotools(rng):
    for _ in range(5):
        predictions, truth = detections(rng, noise=0.6)
        given = predictions, truth, boxes.COCO_THRESHOLDS
        exact = boxes.coco_mean_average_precision(predictions, truth)
        assert_agrees(exact, by_pycocotools(*given, recalls="exact"))
        assert 0 < abs(exact - by_pycocotools(*given)) < 0.01


def test_map_of_crowds_is_pycocotools(rng):
    """Objects over each other, so that the best one is often taken."""
    for _ in range(20):
        there = np.tile(SQUARE, (4, 1)) + rng.normal(scale=1.5, size=(4, 4))
        truth = [{"boxes": there, "labels": np.zeros(4, int)}]
        seen = rng.integers(4, size=7)
        predictions = [
            {
                "boxes": there[seen] + rng.normal(scale=1.0, size=(7, 4)),
                "scores": rng.random(7),
                "labels": np.zeros(7, int),
            }
        ]
        assert_agrees(
            boxes.mean_average_precision(predictions, truth, 0.6),
            by_pycocotools(predictions, truth, [0.6], recalls="exact"),
        )


@pytest.mark.parametrize("threshold", [0.0, 0.25, 0.5, 0.8])
def test_nms_is_tensorflows(rng, threshold):
    for count in (1, 8, 40):
        for scores in (rng.random(count).astype("float32"), rng.integers(4, size=count) / 4):
            given = in_eighths(rng, count)
            expected = tf.image.non_max_suppression(given, scores, count, iou_threshold=threshold)
            np.testing.assert_array_equal(boxes.nms(given, scores, threshold), expected)


@pytest.mark.parametrize("sigma", [0.2, 0.5, 1.0])
def test_soft_nms_is_tensorflows(rng, sigma):
    """TensorFlow's decay is exp(-iou**2 / (2 sigma)), in float32, and it keeps scores above the threshold."""
    for count in (1, 10, 30):
        given, scores = in_eighths(rng, count), rng.random(count).astype("float32")
        indices, lowered = tf.image.non_max_suppression_with_scores(
            given, scores, count, iou_threshold=1.0, score_threshold=0.02, soft_nms_sigma=sigma / 2
        )
        came = boxes.soft_nms(given, scores, sigma, 0.02)
        np.testing.assert_array_equal(came[0], indices)
        np.testing.assert_allclose(came[1], lowered, rtol=1e-5)


def test_keras_has_the_same_in_single_precision(rng):
    a, b = some_boxes(rng, 6), some_boxes(rng, 6)
    single = {"rtol": 1e-4, "atol": 1e-5}
    overlaps = keras_boxes.compute_iou(a[np.newaxis], b[np.newaxis], "xyxy")[0]
    np.testing.assert_allclose(boxes.iou(a, b), overlaps, **single)
    deltas = keras_boxes.encode_box_to_deltas(a, b, "xyxy", "xyxy", encoding_format="center_xywh")
    np.testing.assert_allclose(boxes.encode_boxes(b, a), deltas, **single)
    decoded = keras_boxes.decode_deltas_to_boxes(a, deltas, "xyxy", "xyxy", "center_xywh")
    np.testing.assert_allclose(boxes.decode_boxes(deltas, a), decoded, **single)


def test_formats_go_there_and_back(rng):
    given = some_boxes(rng, 5)
    for source in ("xyxy", "xywh", "cxcywh"):
        for target in ("xyxy", "xywh", "cxcywh"):
            there = boxes.convert_boxes(given, source, target)
            assert_agrees(boxes.convert_boxes(there, target, source), given)


def test_empty_boxes_overlap_nothing():
    every = np.concatenate([EMPTY, SQUARE])
    expected = np.zeros((7, 7))
    expected[6, 6] = 1
    np.testing.assert_array_equal(boxes.iou(every, every), expected)
    np.testing.assert_array_equal(boxes.nms(np.tile(EMPTY, (2, 1)), np.arange(12)), np.arange(12)[::-1])


def test_touching_boxes_overlap_nothing():
    touching = np.array([[10, 0, 20, 10], [0, 10, 10, 20], [10, 10, 20, 20.0]])
    np.testing.assert_array_equal(boxes.iou(SQUARE, touching), np.zeros((1, 3)))
    np.testing.assert_array_equal(boxes.giou(SQUARE, touching), [[0, 0, -0.5]])


def test_giou_of_points():
    """Two points in one place have no box around them; two places have one, and it is all empty."""
    points = np.array([[5, 5, 5, 5], [7, 8, 7, 8.0]])
    np.testing.assert_array_equal(boxes.giou(points, points), [[0, -1], [-1, 0]])
    assert_agrees(boxes.giou(points[:1], SQUARE), np.zeros((1, 1)))


def test_no_boxes():
    assert boxes.convert_boxes(NONE, "xyxy", "cxcywh").shape == (0, 4)
    assert boxes.encode_boxes(NONE, NONE).shape == boxes.decode_boxes(NONE, NONE).shape == (0, 4)
    assert boxes.clip_boxes(NONE, 1, 1).shape == (0, 4)
    assert boxes.iou(NONE, SQUARE).shape == (0, 1)
    assert boxes.giou(SQUARE, NONE).shape == (1, 0)
    for indices in (boxes.nms(NONE, []), boxes.class_nms(NONE, [], []), boxes.soft_nms(NONE, [])[0]):
        assert indices.shape == (0,) and indices.dtype.kind == "i"
    assert boxes.average_precision([], []) == 0


def test_a_box_at_the_threshold_stays():
    halves = np.array([[0, 0, 4, 4], [0, 0, 4, 2.0]])
    np.testing.assert_array_equal(boxes.nms(halves, [2, 1], 0.5), [0, 1])
    np.testing.assert_array_equal(boxes.nms(halves, [2, 1], 0.499), [0])


def test_labels_are_no_rivals():
    same = np.tile(SQUARE, (4, 1))
    np.testing.assert_array_equal(boxes.class_nms(same, [0.4, 0.9, 0.7, 0.8], [0, 1, 1, 0]), [1, 3])


def test_a_score_at_the_threshold_is_kept():
    apart = np.concatenate([SQUARE, SQUARE + 20])
    indices, scores = boxes.soft_nms(apart, [0.5, 0.25], score_threshold=0.25)
    np.testing.assert_array_equal(indices, [0, 1])
    np.testing.assert_array_equal(scores, [0.5, 0.25])


def test_a_duplicate_is_a_false_positive():
    truth = [{"boxes": np.concatenate([SQUARE, SQUARE + 20]), "labels": [0, 0]}]
    found = np.concatenate([SQUARE, SQUARE, SQUARE + 20])
    predictions = [{"boxes": found, "scores": [0.9, 0.8, 0.7], "labels": [0, 0, 0]}]
    assert_agrees(boxes.mean_average_precision(predictions, truth), 0.5 + 0.5 * 2 / 3)


def test_without_ground_truth():
    found = {"boxes": SQUARE, "scores": [0.9], "labels": [0]}
    for judge in (boxes.mean_average_precision, boxes.coco_mean_average_precision):
        assert judge([], []) == judge([found], [NO_OBJECTS]) == judge([NO_DETECTIONS], [NO_OBJECTS]) == 0
        assert judge([NO_DETECTIONS], [{"boxes": SQUARE, "labels": [0]}]) == 0
        assert judge([found], [{"boxes": SQUARE, "labels": [0]}]) == 1


def test_a_class_without_objects_is_left_out():
    truth = [{"boxes": SQUARE, "labels": [4]}]
    predictions = [{"boxes": np.tile(SQUARE, (2, 1)), "scores": [0.5, 0.9], "labels": [4, 2]}]
    assert boxes.mean_average_precision(predictions, truth) == 1


IMAGE = {"boxes": SQUARE, "labels": [0]}
FOUND = {**IMAGE, "scores": [0.5]}
BAD = [
    # function, arguments, argument named, what came
    ("convert_boxes", {"boxes": [1, 2, 3, 4], "source": "xyxy", "target": "xywh"}, "boxes", "(4,)"),
    ("convert_boxes", {"boxes": SQUARE, "source": "xxyy", "target": "xywh"}, "source", "'xxyy'"),
    ("convert_boxes", {"boxes": SQUARE, "source": "xyxy", "target": None}, "target", "None"),
    ("iou", {"a": [], "b": SQUARE}, "a", "(0,)"),
    ("iou", {"a": SQUARE, "b": SQUARE[np.newaxis]}, "b", "(1, 1, 4)"),
    ("giou", {"a": SQUARE, "b": np.ones((2, 3))}, "b", "(2, 3)"),
    ("nms", {"boxes": SQUARE, "scores": [[1.0]]}, "scores", "(1, 1)"),
    ("nms", {"boxes": SQUARE, "scores": [1.0, 2.0]}, "scores", "(2,)"),
    ("nms", {"boxes": SQUARE, "scores": [1.0], "iou_threshold": 1.5}, "iou_threshold", "1.5"),
    ("class_nms", {"boxes": SQUARE, "scores": [1.0], "labels": [0, 1]}, "labels", "(2,)"),
    ("class_nms", {"boxes": SQUARE, "scores": [1.0], "labels": [0.5]}, "labels", "0.5"),
    ("soft_nms", {"boxes": SQUARE, "scores": []}, "scores", "(0,)"),
    ("soft_nms", {"boxes": SQUARE, "scores": [-0.5]}, "scores", "-0.5"),
    ("soft_nms", {"boxes": SQUARE, "scores": [0.5], "sigma": 0}, "sigma", "0.0"),
    ("encode_boxes", {"boxes": SQUARE, "anchors": np.tile(SQUARE, (2, 1))}, "anchors", "(2, 4)"),
    ("encode_boxes", {"boxes": EMPTY[:1], "anchors": SQUARE}, "boxes", "side"),
    ("encode_boxes", {"boxes": SQUARE, "anchors": EMPTY[3:4]}, "anchors", "side"),
    ("decode_boxes", {"deltas": [0, 0, 0, 0], "anchors": SQUARE}, "deltas", "(4,)"),
    ("decode_boxes", {"deltas": SQUARE, "anchors": EMPTY[1:2]}, "anchors", "side"),
    ("clip_boxes", {"boxes": SQUARE, "height": 0, "width": 5}, "height", "0"),
    ("clip_boxes", {"boxes": SQUARE, "height": 5, "width": 5.5}, "width", "5.5"),
    ("average_precision", {"recall": [[0.5]], "precision": [[0.5]]}, "recall", "(1, 1)"),
    ("average_precision", {"recall": [0.5], "precision": [0.5, 1]}, "precision", "(2,)"),
    ("average_precision", {"recall": [0.5, 0.4], "precision": [1, 1]}, "recall", "falls"),
    ("average_precision", {"recall": [0.5], "precision": [1.5]}, "precision", "1.5"),
    ("mean_average_precision", {"predictions": FOUND, "ground_truth": IMAGE}, "predictions", "dict"),
    ("mean_average_precision", {"predictions": [IMAGE], "ground_truth": [IMAGE]}, "predictions[0]", "labels"),
    ("mean_average_precision", {"predictions": [FOUND], "ground_truth": []}, "ground_truth", "length 0"),
    (
        "mean_average_precision",
        {"predictions": [FOUND], "ground_truth": [{**IMAGE, "labels": [-1]}]},
        "ground_truth[0]['labels']",
        "-1",
    ),
    (
        "mean_average_precision",
        {"predictions": [{**FOUND, "scores": [0.5, 0.6]}], "ground_truth": [IMAGE]},
        "predictions[0]['scores']",
        "(2,)",
    ),
    (
        "mean_average_precision",
        {"predictions": [FOUND], "ground_truth": [IMAGE], "iou_threshold": -0.1},
        "iou_threshold",
        "-0.1",
    ),
    (
        "coco_mean_average_precision",
        {"predictions": [FOUND], "ground_truth": [{**IMAGE, "boxes": [1, 2, 3, 4]}]},
        "ground_truth[0]['boxes']",
        "(4,)",
    ),
]


@pytest.mark.parametrize(("function", "arguments", "name", "came"), BAD)
def test_bad_input_is_refused(function, arguments, name, came):
    assert_refused(getattr(boxes, function), arguments, name, came)
