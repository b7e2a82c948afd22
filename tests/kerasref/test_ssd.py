"""`ssd`: what torch cannot say. Caffe's layers, as OpenCV has them, COCO's IoU, and the definitions in loops."""

import cv2
import numpy as np
import pytest
from pycocotools import mask as coco

from kerasref import ssd
from kerasref.backend import BACKEND, keras
from tests.kerasref import assert_refused
from tests.kerasref.oracles import assert_agrees

PRIORS = """
input: "picture" input_dim: 1 input_dim: 3 input_dim: 100 input_dim: 100
input: "map" input_dim: 1 input_dim: 1 input_dim: {rows} input_dim: {columns}
layer {{ type: "PriorBox" name: "priors" bottom: "map" bottom: "picture" top: "priors" prior_box_param {{
  min_size: {scale} max_size: {following} aspect_ratio: 3 aspect_ratio: 0.4 flip: false clip: false offset: 0.5
  variance: 0.1 variance: 0.1 variance: 0.2 variance: 0.2 }} }}
"""
DETECTIONS = """
input: "locations" input_dim: 1 input_dim: {numbers} input_dim: 1 input_dim: 1
input: "confidences" input_dim: 1 input_dim: {scores} input_dim: 1 input_dim: 1
input: "priors" input_dim: 1 input_dim: 2 input_dim: {numbers} input_dim: 1
layer {{ type: "DetectionOutput" name: "found" bottom: "locations" bottom: "confidences" bottom: "priors" top: "found"
  detection_output_param {{ num_classes: {classes} share_location: true background_label_id: 0 code_type: CENTER_SIZE
  nms_param {{ nms_threshold: 0.45 top_k: -1 }} keep_top_k: {top_k} confidence_threshold: 0.15 }} }}
"""


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def caffe(text, **inputs):
    """What a net of Caffe's gives, by OpenCV, in float32."""
    net = cv2.dnn.readNetFromCaffe(np.frombuffer(text.encode(), np.uint8))
    for name, value in inputs.items():
        net.setInput(np.ascontiguousarray(value, np.float32), name)
    return net.forward().astype(float)


def corners(boxes):
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)


def some_boxes(rng, n):
    """(cx, cy, w, h)."""
    return np.concatenate([rng.uniform(0.2, 0.8, size=(n, 2)), rng.uniform(0.1, 0.5, size=(n, 2))], axis=1)


@pytest.mark.parametrize("size", [1, 4, (2, 3), (5, 1)])
def test_default_boxes_are_caffes_priors(size):
    """Caffe puts the two squares first, in the order ratio 1, extra."""
    rows, columns = size if isinstance(size, tuple) else (size, size)
    blob = caffe(
        PRIORS.format(rows=rows, columns=columns, scale=20, following=45),
        picture=np.zeros((1, 3, 100, 100)),
        map=np.zeros((1, 1, rows, columns)),
    )
    theirs = blob[0, 0].reshape(-1, 4, 4)[:, [0, 2, 3, 1]].reshape(-1, 4)
    ours = ssd.default_boxes([size], [0.2, 0.45], [1, 3, 0.4])
    np.testing.assert_allclose(corners(ours), theirs, rtol=1e-5, atol=1e-6)


def test_the_300_of_the_paper_has_8732_boxes():
    scales = ssd.box_scales(6)
    boxes = [
        ssd.default_boxes([size], scales[k : k + 2], [1, 2, 1 / 2, 3, 1 / 3][: 3 if k in (0, 4, 5) else 5])
        for k, size in enumerate([38, 19, 10, 5, 3, 1])
    ]
    assert sum(map(len, boxes)) == 8732


def test_maps_follow_each_other():
    every = ssd.default_boxes([3, (1, 2)], [0.2, 0.4, 0.8], [1, 2])
    parts = [ssd.default_boxes([3], [0.2, 0.4], [1, 2]), ssd.default_boxes([(1, 2)], [0.4, 0.8], [1, 2])]
    assert_agrees(every, np.concatenate(parts))


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 0.9, 1.0])
def test_matching_is_its_definition(rng, threshold):
    for objects in (1, 2, 7):
        defaults, gt = some_boxes(rng, 40), some_boxes(rng, objects)
        gt[-1] = defaults[3] * [1, 1, 1.1, 0.95]
        by_side = [np.concatenate([corners(each)[:, :2], each[:, 2:]], axis=1) for each in (defaults, gt)]
        overlaps = coco.iou(*by_side, [0] * objects)
        expected = [int(row.argmax()) if row.max() >= threshold else -1 for row in overlaps]
        for box in range(objects):
            expected[overlaps[:, box].argmax()] = box
        np.testing.assert_array_equal(ssd.match_boxes(defaults, corners(gt), threshold), expected)


def test_matching_without_objects_and_with_two_of_one_best():
    defaults = np.array([[0.5, 0.5, 1.0, 1.0], [0.25, 0.25, 0.1, 0.1]])
    np.testing.assert_array_equal(ssd.match_boxes(defaults, np.zeros((0, 4))), [-1, -1])
    gt = np.array([[0, 0, 1, 0.95], [0, 0, 1, 0.9]])
    np.testing.assert_array_equal(ssd.match_boxes(defaults, gt), [1, -1])
    np.testing.assert_array_equal(ssd.match_boxes(defaults, gt[::-1]), [1, -1])


@pytest.mark.parametrize("top_k", [3, 200])
@pytest.mark.parametrize("classes", [2, 5])
def test_decoding_is_caffes_detection_output(rng, classes, top_k):
    for _ in range(5):
        defaults = np.repeat(some_boxes(rng, 12), 3, axis=0)
        locations = rng.normal(size=defaults.shape)
        confidences = rng.dirichlet(np.ones(classes), size=len(defaults))
        found = caffe(
            DETECTIONS.format(numbers=defaults.size, scores=confidences.size, classes=classes, top_k=top_k),
            locations=locations.reshape(1, -1, 1, 1),
            confidences=confidences.reshape(1, -1, 1, 1),
            priors=np.stack(
                [corners(defaults).ravel(), np.tile([0.1, 0.1, 0.2, 0.2], len(defaults))]
            ).reshape(1, 2, -1, 1),
        )[0, 0]
        found = found[found[:, 2] > 0]
        found = found[np.argsort(-found[:, 2])]
        boxes, scores, labels = ssd.decode_ssd(
            locations, confidences, defaults, score_threshold=0.15, top_k=top_k
        )
        np.testing.assert_array_equal(labels, found[:, 1])
        np.testing.assert_allclose(scores, found[:, 2], rtol=1e-5)
        np.testing.assert_allclose(boxes, found[:, 3:], rtol=1e-4, atol=1e-5)


def test_decoding_turns_encoding_round(rng):
    defaults, gt = some_boxes(rng, 30), corners(some_boxes(rng, 30))
    confidences = np.eye(31)[np.arange(1, 31)] * np.linspace(0.9, 0.6, 30)[:, np.newaxis]
    for variances in [(0.1, 0.2), (1.0, 0.3)]:
        targets = ssd.encode_ssd(gt, defaults, variances)
        boxes, scores, labels = ssd.decode_ssd(targets, confidences, defaults, variances)
        assert_agrees(boxes, gt)
        np.testing.assert_array_equal(labels, np.arange(1, 31))
        assert_agrees(scores, np.linspace(0.9, 0.6, 30))


def test_targets_are_zero_where_there_is_background(rng):
    defaults, gt = some_boxes(rng, 30), corners(some_boxes(rng, 3))
    labels, targets = ssd.ssd_targets(gt, [4, 1, 2], defaults, 0.3)
    index = ssd.match_boxes(defaults, gt, 0.3)
    np.testing.assert_array_equal(labels, np.where(index >= 0, np.array([4, 1, 2])[index], 0))
    assert (targets[index < 0] == 0).all()
    assert_agrees(targets[index >= 0], ssd.encode_ssd(gt[index[index >= 0]], defaults[index >= 0]))
    labels, targets = ssd.ssd_targets(np.zeros((0, 4)), [], defaults)
    assert not labels.any() and not targets.any()


def test_the_loss_of_a_batch_is_that_of_its_images(rng):
    """And its gradient reaches what counts, and nothing else."""
    labels = rng.integers(0, 3, size=(4, 12)) * (rng.random((4, 12)) < 0.3)
    labels[0] = 0
    logits, locations = rng.normal(size=(4, 12, 3)), rng.normal(size=(4, 12, 4))
    targets = rng.normal(size=(4, 12, 4))
    tensors = [keras.ops.convert_to_tensor(each) for each in (logits, locations, labels, targets)]
    together = keras.ops.convert_to_numpy(ssd.multibox_losses(*tensors, 2, 0.5))
    one_by_one = [
        ssd.multibox_loss(*each, 2, 0.5) for each in zip(logits, locations, labels, targets, strict=True)
    ]
    assert_agrees(together, np.array(one_by_one))
    assert together[0] == 0


@pytest.mark.skipif(BACKEND != "tensorflow", reason="one autodiff is enough")
def test_the_gradient_reaches_what_counts_and_nothing_else(rng):
    import tensorflow as tf

    labels = np.array([[0, 0, 0, 0, 0, 2, 0, 0, 0, 0]])
    logits, locations = tf.constant(rng.normal(size=(1, 10, 3))), tf.constant(rng.normal(size=(1, 10, 4)))
    with tf.GradientTape() as tape:
        tape.watch([logits, locations])
        losses = ssd.multibox_losses(logits, locations, labels, np.zeros((1, 10, 4)))
    d_logits, d_locations = tape.gradient(losses, [logits, locations])
    entropy = -tf.nn.log_softmax(logits)[0, :, 0].numpy()
    counted = ssd.hard_negative_mining(entropy, labels[0] > 0) | (labels[0] > 0)
    np.testing.assert_array_equal(np.any(d_logits[0] != 0, axis=1), counted)
    np.testing.assert_array_equal(np.any(d_locations[0] != 0, axis=1), labels[0] > 0)


BOXES = np.array([[0.5, 0.5, 0.2, 0.2], [0.3, 0.4, 0.2, 0.3]])
OBJECTS = np.array([[0.1, 0.1, 0.4, 0.5]])
MAPS = {"feature_sizes": [4, 2], "scales": [0.2, 0.4, 0.6], "aspect_ratios": [1, 2]}
MATCH = {"defaults": BOXES, "gt_boxes": OBJECTS}
ENCODE = {"boxes": np.tile(OBJECTS, (2, 1)), "defaults": BOXES}
MINE = {"losses": np.ones(3), "positives": [True, False, False]}
LOSS = {
    "class_logits": np.ones((3, 2)),
    "locations": np.ones((3, 4)),
    "labels": [0, 1, 0],
    "targets": np.ones((3, 4)),
}
TARGETS = {"boxes": OBJECTS, "labels": [1], "defaults": BOXES}
DECODE = {"locations": np.ones((2, 4)), "confidences": np.full((2, 3), 1 / 3), "defaults": BOXES}
BAD = [
    # function, legal arguments, what is wrong, argument named, what came
    ("box_scales", {"maps": 2}, {"maps": 1}, "maps", "1"),
    ("box_scales", {"maps": 2}, {"maps": 2.5}, "maps", "2.5"),
    ("box_scales", {"maps": 2}, {"smallest": 0.0}, "smallest", "0.0"),
    ("box_scales", {"maps": 2}, {"largest": 0.1}, "largest", "0.1"),
    ("default_boxes", MAPS, {"feature_sizes": []}, "feature_sizes", "[]"),
    ("default_boxes", MAPS, {"feature_sizes": 4}, "feature_sizes", "4"),
    ("default_boxes", MAPS, {"feature_sizes": [4, 0]}, "feature_sizes[1]", "0"),
    ("default_boxes", MAPS, {"feature_sizes": [4, (2, 2, 2)]}, "feature_sizes[1]", "(2, 2, 2)"),
    ("default_boxes", MAPS, {"scales": [0.2, 0.4]}, "scales", "(2,)"),
    ("default_boxes", MAPS, {"scales": [[0.2, 0.4, 0.6]]}, "scales", "(1, 3)"),
    ("default_boxes", MAPS, {"scales": [0.2, 0.4, 0.0]}, "scales[2]", "0.0"),
    ("default_boxes", MAPS, {"aspect_ratios": [1, -2]}, "aspect_ratios[1]", "-2.0"),
    ("default_boxes", MAPS, {"aspect_ratios": []}, "aspect_ratios", "(0,)"),
    ("match_boxes", MATCH, {"defaults": BOXES[0]}, "defaults", "(4,)"),
    ("match_boxes", MATCH, {"defaults": BOXES[:0]}, "defaults", "(0, 4)"),
    ("match_boxes", MATCH, {"gt_boxes": np.ones((2, 5))}, "gt_boxes", "(2, 5)"),
    ("match_boxes", MATCH, {"gt_boxes": np.zeros(0)}, "gt_boxes", "(0,)"),
    ("match_boxes", MATCH, {"threshold": 1.5}, "threshold", "1.5"),
    ("encode_ssd", ENCODE, {"boxes": OBJECTS}, "defaults", "(2, 4)"),
    ("encode_ssd", ENCODE, {"boxes": np.array([[0, 0, 1, 1], [1, 0, 0, 1]])}, "boxes", "not above 0"),
    ("encode_ssd", ENCODE, {"defaults": 0 * BOXES}, "defaults", "0.0"),
    ("encode_ssd", ENCODE, {"variances": (0.1,)}, "variances", "(0.1,)"),
    ("encode_ssd", ENCODE, {"variances": (0.1, 0.0)}, "variances", "(0.1, 0.0)"),
    ("hard_negative_mining", MINE, {"positives": [True, False]}, "positives", "(2,)"),
    ("hard_negative_mining", MINE, {"positives": [2, 0, 0]}, "positives", "other than 0 and 1"),
    ("hard_negative_mining", MINE, {"losses": np.ones((3, 1))}, "losses", "(3, 1)"),
    ("hard_negative_mining", MINE, {"ratio": -1}, "ratio", "-1"),
    ("hard_negative_mining", MINE, {"ratio": 2.5}, "ratio", "2.5"),
    ("multibox_loss", LOSS, {"class_logits": np.ones(3)}, "class_logits", "(3,)"),
    ("multibox_loss", LOSS, {"class_logits": np.ones((2, 2))}, "locations", "3"),
    ("multibox_loss", LOSS, {"locations": np.ones((3, 5))}, "locations", "(3, 5)"),
    ("multibox_loss", LOSS, {"targets": np.ones((3, 1))}, "targets", "(3, 1)"),
    ("multibox_loss", LOSS, {"labels": [0, 2, 0]}, "labels", "2"),
    ("multibox_loss", LOSS, {"labels": [0, -1, 0]}, "labels", "-1"),
    ("multibox_loss", LOSS, {"labels": [0, 0.5, 0]}, "labels", "0.5"),
    ("multibox_loss", LOSS, {"labels": [[0], [1], [0]]}, "labels", "(3, 1)"),
    ("multibox_loss", LOSS, {"labels": [0, 1]}, "labels", "2"),
    ("multibox_loss", LOSS, {"alpha": -0.5}, "alpha", "-0.5"),
    ("multibox_loss", LOSS, {"ratio": -3}, "ratio", "-3"),
    ("ssd_targets", TARGETS, {"labels": [0]}, "labels", "0"),
    ("ssd_targets", TARGETS, {"labels": [1, 2]}, "labels", "2"),
    ("ssd_targets", TARGETS, {"threshold": -0.1}, "threshold", "-0.1"),
    ("decode_ssd", DECODE, {"locations": np.ones((3, 4))}, "defaults", "(2, 4)"),
    ("decode_ssd", DECODE, {"locations": np.ones(8)}, "locations", "(8,)"),
    ("decode_ssd", DECODE, {"confidences": np.ones((3, 3))}, "confidences", "3"),
    ("decode_ssd", DECODE, {"confidences": np.ones(2)}, "confidences", "(2,)"),
    ("decode_ssd", DECODE, {"confidences": np.full((2, 3), 2.0)}, "confidences", "2.0"),
    ("decode_ssd", DECODE, {"defaults": -BOXES}, "defaults", "-0.3"),
    ("decode_ssd", DECODE, {"variances": (0.1, 0.2, 0.3)}, "variances", "0.3"),
    ("decode_ssd", DECODE, {"iou_threshold": 1.2}, "iou_threshold", "1.2"),
    ("decode_ssd", DECODE, {"top_k": 0}, "top_k", "0"),
]


@pytest.mark.parametrize(("function", "legal", "wrong", "named", "came"), BAD)
def test_bad_input_is_refused_by_name(function, legal, wrong, named, came):
    getattr(ssd, function)(**legal)
    assert_refused(getattr(ssd, function), {**legal, **wrong}, named, came)
