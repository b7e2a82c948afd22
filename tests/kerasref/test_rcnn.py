"""`rcnn` against OpenCV, scikit-image, pictures and the definitions, edges, and bad input."""

import cv2
import numpy as np
import pytest
from skimage.segmentation import felzenszwalb

from course import data, scenes
from grader.notebooks import solution_namespace
from kerasref import rcnn
from kerasref.backend import keras
from kerasref.boxes import decode_boxes, iou
from kerasref.core import gradient
from tests.kerasref import assert_refused
from tests.kerasref.oracles import assert_agrees


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="module")
def solution():
    return solution_namespace("rcnn")


def some_region(rng, bins=5):
    x, y, w, h = rng.integers(1, 9, size=4)
    return {
        "colour": rng.dirichlet(np.ones(bins)),
        "texture": rng.dirichlet(np.ones(bins + 2)),
        "size": int(rng.integers(1, w * h + 1)),
        "box": np.array([x, y, x + w, y + h], float),
    }


def test_similarity_is_opencvs_intersection_and_the_sets_of_pixels(rng):
    for _ in range(5):
        a, b = some_region(rng), some_region(rng)
        shared = sum(
            cv2.compareHist(np.float32(a[key]), np.float32(b[key]), cv2.HISTCMP_INTERSECT)
            for key in ("colour", "texture")
        )
        canvas = np.zeros((20, 20), bool)
        (x1, y1), (x2, y2) = np.minimum(a["box"], b["box"])[:2], np.maximum(a["box"], b["box"])[2:]
        canvas[int(y1) : int(y2), int(x1) : int(x2)] = True
        sizes = a["size"] + b["size"]
        expected = shared + (1 - sizes / 400) + (1 - (canvas.sum() - sizes) / 400)
        assert rcnn.region_similarity(a, b, 400) == pytest.approx(expected, abs=1e-6)


def test_a_merged_histogram_is_that_of_all_pixels(rng):
    pixels = rng.integers(5, size=40), rng.integers(5, size=10)
    regions = [
        {**some_region(rng), "colour": np.bincount(each, minlength=5) / len(each), "size": len(each)}
        for each in pixels
    ]
    merged = rcnn.merge_regions(*regions)
    assert_agrees(merged["colour"], np.bincount(np.concatenate(pixels), minlength=5) / 50)
    assert merged["size"] == 50


@pytest.fixture(scope="module")
def astronaut():
    return data.picture("astronaut", size=96)


def search_of(where, solution):
    return rcnn.selective_search if where == "reference" else solution["selective_search"]


BOTH = pytest.mark.parametrize("where", ["reference", "solution"])


@BOTH
def test_a_real_picture_grows_from_its_segments_into_one(astronaut, solution, where):
    labels = felzenszwalb(astronaut, scale=100, sigma=0.8, min_size=30, channel_axis=2)
    boxes = search_of(where, solution)(astronaut, 100, 0.8, 30)
    assert len(boxes) == 2 * (labels.max() + 1) - 1
    for label in range(labels.max() + 1):
        rows, columns = np.nonzero(labels == label)
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert (boxes == box).all(axis=1).any()
    assert (boxes == [0, 0, 96, 96]).all(axis=1).any()


def test_a_larger_scale_gives_fewer_boxes(astronaut):
    counts = [len(rcnn.selective_search(astronaut, scale, 0.8, 20)) for scale in (30, 100, 300, 1000)]
    assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]


def test_merges_go_by_similarity_on_a_real_picture(astronaut, solution):
    """Merges replayed from scratch, by masks: each pair that merged was the most alike of all neighbours."""
    labels = felzenszwalb(astronaut, scale=200, sigma=0.8, min_size=60, channel_axis=2)
    boxes = solution["selective_search"](astronaut, 200, 0.8, 60)[::-1]
    describe = solution["selective_search"].__globals__["describe_regions"]
    count = labels.max() + 1
    for round_ in range(count - 1):
        regions = describe(astronaut, labels)
        below = np.stack([labels[:-1].ravel(), labels[1:].ravel()], axis=1)
        beside = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()], axis=1)
        pairs = [(a, b) for a, b in np.unique(np.concatenate([below, beside]), axis=0) if a != b]
        alike = [rcnn.region_similarity(regions[a], regions[b], labels.size) for a, b in pairs]
        a, b = pairs[int(np.argmax(alike))]
        merged = np.where(labels == a, b, labels)
        rows, columns = np.nonzero(merged == b)
        assert boxes[count + round_].tolist() == [
            columns.min(),
            rows.min(),
            columns.max() + 1,
            rows.max() + 1,
        ]
        labels = np.unique(merged, return_inverse=True)[1].reshape(labels.shape)


@BOTH
def test_most_drawn_objects_are_proposed(solution, where):
    images, truth = scenes.draw(20, seed=5)
    search = search_of(where, solution)
    best = []
    for image, each in zip(images, truth, strict=True):
        boxes = np.concatenate([search(image, scale, 0.8, 20) for scale in (50.0, 150.0)])
        best.append(iou(each["boxes"], boxes).max(axis=1))
    assert np.mean(np.concatenate(best) >= 0.5) >= 0.9


def test_warped_by_opencv(rng):
    image = rng.random((30, 40, 3))
    for box, size, context in [
        ([4, 5, 19, 17], (24, 20), 0),
        ([10, 8, 26, 20], (32, 32), 8),
        ([0, 0, 40, 30], (20, 20), 5),
    ]:
        x1, y1, x2, y2 = np.array(box, float)
        grow = np.array([size[1] / (size[1] - 2 * context), size[0] / (size[0] - 2 * context)])
        frame = 60
        framed = np.dstack([np.pad(c, frame, constant_values=c.mean()) for c in np.moveaxis(image, 2, 0)])
        cx, cy, w, h = (x1 + x2) / 2 + frame, (y1 + y2) / 2 + frame, (x2 - x1) * grow[0], (y2 - y1) * grow[1]
        left, right, top, bottom = (
            int(np.floor(v + 0.5)) for v in (cx - w / 2, cx + w / 2, cy - h / 2, cy + h / 2)
        )
        expected = cv2.resize(framed[top:bottom, left:right], size[::-1], interpolation=cv2.INTER_LINEAR)
        assert np.abs(rcnn.warp_region(image, box, size, context) - expected).max() < 1e-5


def test_roi_pool_walks_as_the_papers_code(rng):
    features = rng.normal(size=(7, 9, 2))
    boxes = np.concatenate([rng.uniform(-4, 14, size=(12, 4)), [[20.0, 1, 30, 4], [3.0, 3, 3, 3]]])
    boxes[:, 2:] = np.maximum(boxes[:, 2:], boxes[:, :2])
    for k in (1, 2, 3, 5):
        pooled = rcnn.roi_pool(features, boxes, k, 1.0)
        for n, box in enumerate(boxes):
            x1, y1, x2, y2 = np.floor(box + 0.5).astype(int)
            height, width = max(y2 - y1 + 1, 1) / k, max(x2 - x1 + 1, 1) / k
            for i in range(k):
                for j in range(k):
                    top, bottom = (
                        np.clip(v + y1, 0, 7) for v in (int(i * height), int(np.ceil((i + 1) * height)))
                    )
                    left, right = (
                        np.clip(v + x1, 0, 9) for v in (int(j * width), int(np.ceil((j + 1) * width)))
                    )
                    part = features[top:bottom, left:right]
                    expected = part.max(axis=(0, 1)) if part.size else np.zeros(2)
                    assert_agrees(pooled[n, i, j], expected)


def test_roi_align_of_the_whole_map_is_the_map(rng):
    features = rng.normal(size=(5, 6, 3))
    whole = np.array([[0.0, 0, 24, 20]])
    assert_agrees(rcnn.roi_align(features, whole, (5, 6), 0.25, 1)[0], features)
    halves = rcnn.roi_align(features, whole, (10, 12), 0.25, 1)[0]
    doubled = keras.layers.UpSampling2D(2, interpolation="bilinear")(features[None])[0]
    assert np.abs(halves - keras.ops.convert_to_numpy(doubled)).max() < 1e-6  # TensorFlow resizes in float32


def test_a_gradient_goes_through_roi_align(rng):
    features, boxes = rng.normal(size=(5, 5, 1)), np.array([[0.7, 1.2, 4.1, 3.9]])
    slopes = gradient(lambda x: rcnn.aligned(x, boxes, (2, 2), 1.0), features)
    assert_agrees(keras.ops.convert_to_numpy(slopes).sum(), 4.0)  # each bin's weights sum to 1


def test_anchors_have_their_area_and_ratio():
    anchors = rcnn.generate_anchors((3, 2), 16)
    sides = anchors[:, 2:] - anchors[:, :2]
    assert_agrees(
        np.prod(sides, axis=1).reshape(6, 3, 3),
        np.broadcast_to((np.array([8, 16, 32]) * 16.0) ** 2, (6, 3, 3)),
    )
    assert_agrees((sides[:, 1] / sides[:, 0]).reshape(6, 3, 3)[0], np.repeat([[0.5], [1], [2]], 3, axis=1))
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2
    assert_agrees(centres[::9], np.array([[8, 8], [24, 8], [8, 24], [24, 24], [8, 40], [24, 40]]))


def test_targets_move_anchors_onto_their_objects(rng):
    _, truth = scenes.draw(12, seed=3)
    anchors = rcnn.generate_anchors((8, 8), 8, (2, 3, 4))
    for each in truth:
        labels, deltas = rcnn.rpn_targets(anchors, each["boxes"])
        table = iou(anchors, each["boxes"])
        assert (table[labels == 1].shape[0] > 0) and set(np.unique(labels)) <= {-1, 0, 1}
        moved = decode_boxes(deltas, anchors)
        assert_agrees(moved[labels == 1], each["boxes"][table[labels == 1].argmax(axis=1)])
        assert_agrees(deltas[labels != 1], np.zeros((np.sum(labels != 1), 4)))
        for column in table.T:
            assert (labels[column == column.max()] == 1).all()
        assert (labels[(table.max(axis=1) < 0.3)] != -1).all()


def test_an_object_out_of_reach_has_no_best_anchor():
    labels, _ = rcnn.rpn_targets(np.array([[0.0, 0, 4, 4]]), np.array([[8.0, 8, 9, 9]]))
    assert labels.tolist() == [0]


def test_proposals_are_tensorflows_suppression(rng):
    tf = pytest.importorskip("tensorflow")
    anchors = rcnn.generate_anchors((5, 6), 10, (1, 2), (0.5, 1, 2))
    scores, deltas = rng.normal(size=len(anchors)), 0.2 * rng.normal(size=anchors.shape)
    boxes = np.clip(decode_boxes(deltas, anchors), 0, [60, 50, 60, 50])
    large = np.flatnonzero((boxes[:, 2:] - boxes[:, :2] >= 8).all(axis=1))
    best = large[np.argsort(-scores[large])][:80]
    kept = tf.image.non_max_suppression(boxes[best], scores[best], 20, 0.6).numpy()
    assert_agrees(rcnn.rpn_proposals(scores, deltas, anchors, (50, 60), 80, 20, 0.6, 8), boxes[best][kept])


def test_no_anchors_propose_nothing():
    none = np.zeros((0, 4))
    assert rcnn.rpn_proposals(np.zeros(0), none, none, (9, 9)).shape == (0, 4)
    assert [part.shape for part in rcnn.rpn_targets(none, none)] == [(0,), (0, 4)]


def test_smooth_l1_meets_itself_with_one_slope():
    for beta in (0.5, 2.0):
        near = np.array([beta - 1e-7, beta + 1e-7])
        below, above = rcnn.smooth_l1(np.zeros(2), near, beta)
        assert (above - below) / 2e-7 == pytest.approx(1, abs=1e-6)


def test_detection_loss_knows_background_and_nothing():
    none = np.zeros((0, 3)), np.zeros(0, int), np.zeros((0, 3, 4)), np.zeros((0, 4))
    assert rcnn.detection_loss(*none) == 0
    logits = np.array([[50.0, 0, 0]])
    assert rcnn.detection_loss(logits, [0], np.full((1, 3, 4), 9.0), np.zeros((1, 4))) == pytest.approx(
        0, abs=1e-12
    )


def test_pasted_masks_are_opencvs(rng):
    """Where the box has whole corners, pasting is resizing."""
    mask = rng.random((7, 7))
    pasted = rcnn.paste_mask(mask, [3, 2, 21, 18], (20, 24))
    inner = cv2.resize(mask, (18, 16), interpolation=cv2.INTER_LINEAR) >= 0.5
    expected = np.zeros((20, 24), bool)
    expected[2:18, 3:21] = inner
    assert (pasted == expected).all() and pasted.dtype == bool


def test_a_mask_comes_back_from_its_roi():
    _, truth = scenes.draw(8, seed=2)
    for each in truth:
        for box, mask in zip(each["boxes"], each["masks"], strict=True):
            small = rcnn.roi_align(mask[..., None].astype(float), box[None], 28, 1.0)[0, :, :, 0]
            back = rcnn.paste_mask(small, box, mask.shape)
            assert (back & mask).sum() / (back | mask).sum() > 0.93


REGION = {
    "colour": np.array([0.5, 0.5]),
    "texture": np.array([1.0]),
    "size": 4,
    "box": np.array([0.0, 0, 2, 2]),
}
WIDER = {**REGION, "colour": np.array([0.2, 0.3, 0.5])}
IMAGE, FEATURES, BOXES = np.zeros((8, 9, 3)), np.zeros((4, 5, 2)), np.array([[0.0, 0, 3, 3]])
SEARCH = {"image": IMAGE, "scale": 50.0, "sigma": 0.5, "min_size": 5}
WARP = {"image": IMAGE, "box": BOXES[0], "size": 8, "context": 2}
ROI = {"features": FEATURES, "boxes": BOXES, "output_size": 2, "spatial_scale": 1.0}
ANCHORS = {"feature_shape": (2, 2), "stride": 8}
RPN = {"anchors": BOXES, "gt_boxes": BOXES}
PROPOSE = {"scores": np.zeros(1), "deltas": np.zeros((1, 4)), "anchors": BOXES, "image_size": (9, 9)}
DETECT = {
    "class_logits": np.zeros((2, 3)),
    "labels": np.array([0, 2]),
    "deltas": np.zeros((2, 3, 4)),
    "target_deltas": np.zeros((2, 4)),
}
MASKS = {"mask_logits": np.zeros((2, 3, 4, 5)), "labels": np.array([0, 4]), "masks": np.zeros((2, 3, 4))}
PASTE = {"mask": np.zeros((4, 4)), "box": BOXES[0], "image_size": (8, 9)}

BAD = [
    (function, {**right, **bad}, *what)
    for function, right, mistakes in [
        ("region_similarity", {"a": REGION, "b": REGION, "image_size": 100}, [
            ({"b": WIDER}, "b['colour']", "(3,)"),
            ({"image_size": 0}, "image_size", "0"),
            ({"a": {**REGION, "box": np.zeros(3)}}, "a['box']", "(3,)"),
        ]),
        ("merge_regions", {"a": REGION, "b": REGION}, [({"b": WIDER}, "b['colour']", "(3,)")]),
        ("selective_search", SEARCH, [
            ({"image": IMAGE[..., 0]}, "image", "(8, 9)"),
            ({"image": IMAGE[..., :2]}, "image", "(8, 9, 2)"),
            ({"scale": 0}, "scale", "0"),
            ({"sigma": -1}, "sigma", "-1"),
            ({"min_size": 0}, "min_size", "0"),
        ]),
        ("warp_region", WARP, [
            ({"image": IMAGE[..., 0]}, "image", "(8, 9)"),
            ({"box": BOXES}, "box", "(1, 4)"),
            ({"size": 0}, "size", "0"),
            ({"size": (8, 8, 3)}, "size", "(8, 8, 3)"),
            ({"context": 4}, "context", "4"),
            ({"context": -1}, "context", "-1"),
        ]),
        *((function, ROI, [
            ({"features": FEATURES[..., 0]}, "features", "(4, 5)"),
            ({"boxes": BOXES[0]}, "boxes", "(4,)"),
            ({"boxes": BOXES[:, :3]}, "boxes", "(1, 3)"),
            ({"output_size": (0, 2)}, "output_size", "0"),
            ({"spatial_scale": 0}, "spatial_scale", "0"),
        ]) for function in ("roi_pool", "roi_align")),
        ("roi_align", ROI, [({"sampling_ratio": 0}, "sampling_ratio", "0")]),
        ("bilinear", {"features": FEATURES, "x": np.zeros(3), "y": np.zeros(3)}, [({"y": np.zeros(1)}, "y", "(1,)")]),
        ("generate_anchors", ANCHORS, [
            ({"feature_shape": (0, 2)}, "feature_shape", "0"),
            ({"stride": 0}, "stride", "0"),
            ({"scales": [1, -2]}, "scales", "-2"),
            ({"ratios": [0]}, "ratios", "0"),
            ({"ratios": [[1.0]]}, "ratios", "(1, 1)"),
        ]),
        ("rpn_targets", RPN, [
            ({"anchors": BOXES[0]}, "anchors", "(4,)"),
            ({"gt_boxes": np.zeros(0)}, "gt_boxes", "(0,)"),
            ({"positive": 1.1}, "positive", "1.1"),
            ({"negative": -0.1}, "negative", "-0.1"),
            ({"negative": 0.8}, "negative", "0.8"),
        ]),
        ("rpn_proposals", PROPOSE, [
            ({"scores": np.zeros((1, 1))}, "scores", "(1, 1)"),
            ({"deltas": np.zeros((2, 4))}, "deltas", "2"),
            ({"anchors": np.zeros((2, 4))}, "anchors", "2"),
            ({"pre_nms": 0}, "pre_nms", "0"),
            ({"post_nms": 0}, "post_nms", "0"),
            ({"min_size": -1}, "min_size", "-1"),
            ({"iou_threshold": 2}, "iou_threshold", "2"),
        ]),
        ("smooth_l1", {"y_true": np.zeros(3), "y_pred": np.zeros(3)}, [
            ({"y_pred": np.zeros((3, 1))}, "y_pred", "(3, 1)"),
            ({"beta": 0}, "beta", "0"),
        ]),
        ("detection_loss", DETECT, [
            ({"class_logits": np.zeros(3)}, "class_logits", "(3,)"),
            ({"labels": np.array([0, 3])}, "labels", "3"),
            ({"labels": np.array([0, 1, 1])}, "labels", "3"),
            ({"deltas": np.zeros((2, 2, 4))}, "deltas", "(2, 2, 4)"),
            ({"deltas": np.zeros((2, 3, 3))}, "deltas", "(2, 3, 3)"),
            ({"target_deltas": np.zeros((1, 4))}, "target_deltas", "1"),
            ({"weight": -1}, "weight", "-1"),
        ]),
        ("mask_loss", MASKS, [
            ({"mask_logits": np.zeros((2, 3, 4))}, "mask_logits", "(2, 3, 4)"),
            ({"labels": np.array([0, 5])}, "labels", "5"),
            ({"masks": np.zeros((2, 1, 4))}, "masks", "(2, 1, 4)"),
            ({"masks": np.zeros((1, 3, 4))}, "masks", "1"),
        ]),
        ("paste_mask", PASTE, [
            ({"mask": np.zeros((4, 4, 1))}, "mask", "(4, 4, 1)"),
            ({"box": BOXES}, "box", "(1, 4)"),
            ({"image_size": (0, 3)}, "image_size", "0"),
        ]),
    ]
    for bad, *what in mistakes
]  # fmt: skip


@pytest.mark.parametrize(("function", "arguments", "name", "came"), BAD)
def test_bad_input_is_refused_by_name(function, arguments, name, came):
    assert_refused(getattr(rcnn, function), arguments, name, came)


@pytest.mark.parametrize(("function", "arguments", "name", "came"), BAD)
def test_the_solution_refuses_it_too(solution, function, arguments, name, came):
    with pytest.raises(ValueError, match="expected"):
        solution[function](**arguments)


def test_regions_are_refused_by_what_is_wrong_with_them():
    for bad, message in [
        (7, "int"),
        ({"colour": np.ones(1)}, "colour"),
        ({**REGION, "colour": np.array([1.0, 1.0])}, "sums to 2"),
        ({**REGION, "size": 0}, "size"),
    ]:
        with pytest.raises(ValueError, match=message):
            rcnn.region_similarity(bad, REGION, 100)
