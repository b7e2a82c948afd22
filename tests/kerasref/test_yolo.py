"""`yolo`: grids against loops, decoding against OpenCV's Darknet layers, anchors against every partition."""

import itertools
import re

import numpy as np
import pytest

from kerasref import yolo
from kerasref.backend import BACKEND, keras
from kerasref.boxes import iou
from kerasref.core import gradient
from tests.kerasref.oracles import assert_agrees


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def scene(rng, count, size):
    """Boxes in an image of (height, width), with labels of three classes."""
    limits = np.array(size[::-1])
    ends = np.sort(rng.uniform(0, 1, size=(count, 2, 2)), axis=1) * limits
    return ends.reshape(count, 4), rng.integers(3, size=count)


@pytest.mark.parametrize("grid", [1, 2, 7])
def test_encoded_cell_by_cell(rng, grid):
    boxes, labels = scene(rng, 12, (48, 96))
    found = yolo.encode_grid(boxes, labels, grid, 3, (48, 96))
    for row, column in np.ndindex(grid, grid):
        for (x1, y1, x2, y2), label in zip(boxes, labels, strict=True):
            x, y = (x1 + x2) / 2 / 96 * grid - column, (y1 + y2) / 2 / 48 * grid - row
            if 0 <= x < 1 and 0 <= y < 1:
                expected = [x, y, (x2 - x1) / 96, (y2 - y1) / 48, 1, *(label == np.arange(3))]
                break
        else:
            expected = [0] * 8
        assert_agrees(found[row, column], np.array(expected, float))


def test_a_centre_on_a_border_belongs_to_the_cell_after_it():
    grid = yolo.encode_grid([[12.0, 4.0, 20.0, 12.0]], [0], 4, 1, (32, 64))
    assert_agrees(grid[1, 1], np.array([0, 0, 0.125, 0.25, 1, 1]))


def test_a_grid_gives_back_what_was_put_in(rng):
    boxes, labels = scene(rng, 6, (300, 200))
    grid = yolo.encode_grid(boxes, labels, 40, 3, (300, 200))
    found, confidence, probabilities = yolo.decode_grid(grid, 1, 3, (300, 200))
    there = confidence == 1
    assert there.sum() == 6
    assert_agrees(found[there][np.lexsort(found[there].T)], boxes[np.lexsort(boxes.T)])
    assert sorted(probabilities[there].argmax(axis=1)) == sorted(labels)


def test_decoded_box_by_box(rng):
    predictions = rng.normal(size=(3, 3, 2 * 5 + 4))
    boxes, confidence, probabilities = yolo.decode_grid(predictions, 2, 4, (48, 96))
    for place, (row, column, box) in enumerate(np.ndindex(3, 3, 2)):
        x, y, w, h, sure = predictions[row, column, 5 * box : 5 * box + 5]
        x, y = (column + x) * 32, (row + y) * 16
        assert_agrees(boxes[place], np.array([x - 48 * w, y - 24 * h, x + 48 * w, y + 24 * h]))
        assert confidence[place] == sure
        assert_agrees(probabilities[place], predictions[row, column, 10:])


def batch(rng, grid=3, boxes=2):
    """Grids of two images, and predictions for them."""
    image = np.stack([yolo.encode_grid(*scene(rng, 5, (64, 64)), grid, 3, (64, 64)) for _ in range(2)])
    return image, rng.uniform(0.05, 0.95, size=(2, grid, grid, 5 * boxes + 3))


def test_the_loss_by_decoded_boxes(rng):
    """Responsible boxes found by the IoU of `boxes`, in pixels of an image that is not square."""
    y_true, y_pred = batch(rng)
    total = 0.0
    for truth, said in zip(y_true, y_pred, strict=True):
        real, there, _ = yolo.decode_grid(truth, 1, 3, (50, 80))
        found, sure, probabilities = yolo.decode_grid(said, 2, 3, (50, 80))
        overlap = np.array([iou(real[[i // 2]], found[[i]])[0, 0] for i in range(len(found))])
        for cell in range(9):
            pair = [2 * cell, 2 * cell + 1]
            best = pair[int(overlap[pair[1]] > overlap[pair[0]])] if there[cell] else None
            total += 0.5 * sum(sure[i] ** 2 for i in pair if i != best)
            if best is not None:
                t = truth.reshape(9, -1)[cell]
                p = said.reshape(9, -1)[cell, 5 * (best % 2) :]
                total += 5 * ((t[:2] - p[:2]) ** 2).sum() + 5 * ((t[2:4] ** 0.5 - p[2:4] ** 0.5) ** 2).sum()
                total += (overlap[best] - sure[best]) ** 2 + ((t[5:] - probabilities[best]) ** 2).sum()
    assert_agrees(yolo.yolo_v1_loss(y_true, y_pred), total / 2)


def test_the_loss_of_the_lesson_by_hand():
    """One cell; the first box has the truth's size and lies a half off, the second is it at half the width."""
    y_true = np.array([0.5, 0.5, 0.4, 0.4, 1, 1, 0]).reshape(1, 1, 1, 7)
    y_pred = np.array([0.7, 0.5, 0.4, 0.4, 0.9, 0.5, 0.5, 0.2, 0.4, 0.3, 0.8, 0.2]).reshape(1, 1, 1, 12)
    roots = (0.4**0.5 - 0.2**0.5) ** 2
    by_hand = 5 * roots + (0.5 - 0.3) ** 2 + 0.5 * 0.9**2 + 2 * 0.2**2
    assert_agrees(yolo.yolo_v1_loss(y_true, y_pred), by_hand)


@pytest.mark.parametrize("size", [0.3, 0.0])
def test_the_first_of_equals_is_responsible(size):
    y_true = np.array([0.5, 0.5, 0.3, 0.3, 1, 1]).reshape(1, 1, 1, 6)
    box = [0.5, 0.5, size, size]
    y_pred = np.array([*box, 0.1, *box, 0.8, 1.0]).reshape(1, 1, 1, 11)
    overlap = float(size == 0.3)
    assert_agrees(
        yolo.yolo_v1_loss(y_true, y_pred),
        (overlap - 0.1) ** 2 + 0.5 * 0.64 + 10 * (0.3**0.5 - size**0.5) ** 2,
    )


def test_the_loss_that_trains_has_a_gradient(rng):
    """Against differences, the targets of the confidences held: where sizes are 0 it is finite, too."""
    y_true, y_pred = batch(rng)
    slope = np.asarray(gradient(lambda p: yolo.grid_loss(keras.ops.convert_to_tensor(y_true), p), y_pred))
    for at in itertools.product((0, 1), (0, 1, 2), (0, 2), (0, 2, 3, 12)):
        if at[3] == 12 or y_true[(*at[:3], 4)] == 0:  # elsewhere a box moves its target as well
            step = np.zeros_like(y_pred)
            step[at] = 1e-5
            rise = (
                yolo.yolo_v1_loss(y_true, y_pred + step) - yolo.yolo_v1_loss(y_true, y_pred - step)
            ) / 2e-5
            np.testing.assert_allclose(slope[at], rise, atol=1e-4)
    y_pred[..., 2:4], y_pred[..., 7:9] = 0.0, 0.0
    slope = gradient(lambda p: yolo.grid_loss(keras.ops.convert_to_tensor(y_true), p), y_pred)
    assert np.isfinite(keras.ops.convert_to_numpy(slope)).all()


def test_the_gradient_of_a_confidence_ignores_its_target():
    """d/dc of (IoU - c)^2 is all there is: moving the box does not change what its confidence is to be."""
    y_true = np.array([0.5, 0.5, 0.4, 0.4, 1, 1]).reshape(1, 1, 1, 6)
    y_pred = np.array([0.6, 0.5, 0.4, 0.4, 0.1, 1.0]).reshape(1, 1, 1, 6)
    truth = keras.ops.convert_to_tensor(y_true)
    slope = keras.ops.convert_to_numpy(gradient(lambda p: yolo.grid_loss(truth, p, 1), y_pred)).ravel()
    np.testing.assert_allclose(slope, [1.0, 0, 0, 0, 2 * (0.1 - 0.6), 0], atol=1e-6)


def moved(sizes, anchors):
    corners = lambda table: np.concatenate([np.zeros_like(table), table], axis=1)  # noqa: E731
    nearest = iou(corners(sizes), corners(anchors)).argmax(axis=1)
    return np.array(
        [
            sizes[nearest == j].mean(axis=0) if (nearest == j).any() else anchors[j]
            for j in range(len(anchors))
        ]
    )


def test_anchors_come_to_rest_where_the_best_partition_is(rng):
    """Of all ways to part nine sizes in three, the one whose means overlap its members best is found from some start."""
    sizes = np.repeat([[4.0, 12.0], [15.0, 5.0], [30.0, 30.0]], 3, axis=0) * rng.uniform(
        0.8, 1.2, size=(9, 2)
    )

    def quality(anchors):
        shared = np.minimum(sizes[:, None], anchors).prod(2)
        return (shared / (sizes.prod(1)[:, None] + anchors.prod(1) - shared)).max(axis=1).mean()

    best = max(
        quality(np.array([sizes[np.array(parts) == j].mean(axis=0) for j in range(3)]))
        for parts in itertools.product(range(3), repeat=9)
        if set(parts) == {0, 1, 2}
    )
    found = [yolo.kmeans_anchors(sizes, 3, np.random.default_rng(seed)) for seed in range(10)]
    for anchors in found:
        assert_agrees(moved(sizes, anchors), anchors)
    assert max(map(quality, found)) == pytest.approx(best)


def test_one_round_moves_once(rng):
    sizes = rng.uniform(2, 40, size=(30, 2))
    start = np.random.default_rng(4).choice(sizes, 5, replace=False)
    assert_agrees(yolo.kmeans_anchors(sizes, 5, np.random.default_rng(4), iterations=1), moved(sizes, start))


def test_as_many_anchors_as_sizes_are_the_sizes(rng):
    sizes = rng.uniform(2, 40, size=(6, 2))
    anchors = yolo.kmeans_anchors(sizes, 6, rng)
    assert_agrees(anchors[np.lexsort(anchors.T)], sizes[np.lexsort(sizes.T)])


def test_an_anchor_without_sizes_stays():
    anchors = yolo.kmeans_anchors(np.full((5, 2), 3.0), 4, np.random.default_rng(0))
    assert_agrees(anchors, np.full((4, 2), 3.0))


def darknet(raw, layer):
    """What OpenCV's Darknet layer makes of a map (h, w, c): rows of x, y, w, h, objectness and classes times it."""
    cv2 = pytest.importorskip("cv2")
    height, width, channels = raw.shape
    text = (
        f"[net]\nwidth={width}\nheight={height}\nchannels={channels}\n\n"
        f"[convolutional]\nfilters={channels}\nsize=1\nstride=1\npad=1\nactivation=linear\n\n{layer}\n"
    )
    passes = np.concatenate([np.zeros(channels), np.eye(channels).ravel()]).astype("<f4").tobytes()
    version = np.array([0, 2, 0, 0, 0], "<i4").tobytes()
    net = cv2.dnn.readNetFromDarknet(
        *(np.frombuffer(each, np.uint8) for each in (text.encode(), version + passes))
    )
    net.setInput(raw.transpose(2, 0, 1)[np.newaxis].astype(np.float32))
    return net.forward()


def centred(boxes):
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def named(anchors):
    return ",".join(str(number) for number in anchors.ravel())


def test_version_2_is_opencvs(rng):
    raw, anchors = rng.normal(size=(2, 3, 2, 9)), rng.uniform(0.5, 2, size=(2, 2))
    theirs = darknet(
        raw.reshape(2, 3, 18), f"[region]\nanchors={named(anchors)}\nclasses=4\ncoords=4\nnum=2\nsoftmax=1"
    )
    boxes, objectness, probabilities = yolo.decode_v2(raw, anchors)
    np.testing.assert_allclose(centred(boxes), theirs[:, :4], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(objectness, theirs[:, 4], rtol=1e-5)
    scores, reported = (
        objectness[:, np.newaxis] * probabilities,
        theirs[:, 5:] > 0,
    )  # it leaves unsure boxes out
    assert reported.sum() > 12
    np.testing.assert_allclose(scores[reported], theirs[:, 5:][reported], rtol=1e-5)


def test_version_3_is_opencvs(rng):
    """OpenCV takes the sizes as shares of the network's input, which is the map itself here."""
    size, anchors = (64, 96), rng.uniform(8, 50, size=(3, 3, 2))
    maps = [rng.normal(size=(2 * n, 3 * n, 21)) for n in (1, 2, 4)]
    theirs = []
    for each, own in zip(maps, anchors, strict=True):
        layer = f"[yolo]\nmask=0,1,2\nanchors={named(own)}\nclasses=2\nnum=3\nthresh=0"
        rows = darknet(each, layer)
        rows[:, :2] *= [96, 64]
        rows[:, 2:4] *= each.shape[1::-1]
        theirs.append(rows)
    boxes, objectness, probabilities = yolo.decode_v3(maps, anchors, size)
    ours = np.concatenate([centred(boxes), objectness[:, None], objectness[:, None] * probabilities], axis=1)
    np.testing.assert_allclose(ours, np.concatenate(theirs), rtol=1e-4, atol=1e-4)


def test_one_number_is_a_square_input(rng):
    maps, anchors = [rng.normal(size=(n, n, 18)) for n in (1, 2, 4)], np.ones((3, 3, 2))
    assert_agrees(yolo.decode_v3(maps, anchors, 32), yolo.decode_v3(maps, anchors, (32, 32)))


def test_the_filter_is_nms_in_each_class(rng):
    boxes = rng.uniform(0, 20, size=(60, 2)).repeat(2, axis=0).reshape(60, 4)
    boxes[:, 2:] += rng.uniform(5, 15, size=(60, 2))
    sure, probabilities = rng.random(60), rng.dirichlet(np.ones(3), size=60)
    found, scores, labels = yolo.filter_detections(boxes, sure, probabilities, 0.2, 0.4)
    alive = {
        place: sure[place] * probabilities[place].max()
        for place in range(60)
        if sure[place] * probabilities[place].max() >= 0.2
    }
    kept = []
    while alive:
        best = max(alive, key=alive.get)
        kept.append((best, alive[best]))
        same = probabilities[best].argmax()
        alive = {
            place: score
            for place, score in alive.items()
            if place != best
            and (probabilities[place].argmax() != same or iou(boxes[[best]], boxes[[place]])[0, 0] <= 0.4)
        }
    assert_agrees(found, boxes[[place for place, _ in kept]])
    assert_agrees(scores, np.array([score for _, score in kept]))
    assert labels.tolist() == [probabilities[place].argmax() for place, _ in kept]
    assert 0 < len(kept) < 60


def test_nothing_to_report():
    for boxes, scores, labels in (
        yolo.filter_detections(np.zeros((0, 4)), [], np.zeros((0, 2))),
        yolo.filter_detections(np.ones((1, 4)), [0.4], [[1.0, 0.0]]),
    ):
        assert (boxes.shape, scores.shape, labels.shape) == ((0, 4), (0,), (0,))


@pytest.mark.skipif(BACKEND == "torch", reason="Keras' convolution on torch is not deterministic")
def test_the_net_puts_out_a_grid():
    outputs = yolo.tiny_yolo(keras.Input((64, 64, 3)), 2, 3)
    assert outputs.shape == (None, 8, 8, 13)


BOX = [[2.0, 2.0, 8.0, 6.0]]
ENCODED = {"boxes": BOX, "labels": [1], "grid": 2, "classes": 3, "image_size": (10, 10)}
DECODED = {"predictions": np.ones((2, 2, 13)), "boxes_per_cell": 2, "classes": 3, "image_size": (10, 10)}
LOSS = {"y_true": np.ones((1, 2, 2, 8)), "y_pred": np.ones((1, 2, 2, 13))}
HALF = np.full((1, 2, 2, 8), 0.5)
ANCHORS = {"sizes": np.ones((4, 2)), "k": 2, "rng": np.random.default_rng(0)}
V2 = {"predictions": np.ones((2, 3, 2, 7)), "anchors": np.ones((2, 2))}
V3 = {"feature_maps": [np.ones((1, 1, 18))] * 3, "anchors": np.ones((3, 3, 2)), "input_size": 32}
FILTERED = {"boxes": BOX, "confidence": [0.9], "class_probabilities": [[0.2, 0.8]]}
BAD = [
    # function, legal arguments, what is wrong, argument named, what came
    ("encode_grid", ENCODED, {"boxes": np.ones((1, 5))}, "boxes", "(1, 5)"),
    ("encode_grid", ENCODED, {"boxes": [[5.0, 2, 5, 6]]}, "boxes", "not above 0"),
    ("encode_grid", ENCODED, {"boxes": [[9.0, 2, 15, 6]]}, "boxes", "outside"),
    ("encode_grid", ENCODED, {"labels": [1, 2]}, "labels", "(2,)"),
    ("encode_grid", ENCODED, {"labels": [3]}, "labels", "3"),
    ("encode_grid", ENCODED, {"labels": [-1]}, "labels", "-1"),
    ("encode_grid", ENCODED, {"labels": [0.5]}, "labels", "0.5"),
    ("encode_grid", ENCODED, {"grid": 0}, "grid", "0"),
    ("encode_grid", ENCODED, {"classes": 0}, "classes", "0"),
    ("encode_grid", ENCODED, {"image_size": (10, 0)}, "image_size", "0"),
    ("decode_grid", DECODED, {"predictions": np.ones((2, 3, 13))}, "predictions", "(2, 3, 13)"),
    ("decode_grid", DECODED, {"predictions": np.ones((2, 2, 12))}, "predictions", "(2, 2, 12)"),
    ("decode_grid", DECODED, {"predictions": np.ones((1, 2, 2, 13))}, "predictions", "(1, 2, 2, 13)"),
    ("decode_grid", DECODED, {"boxes_per_cell": 0}, "boxes_per_cell", "0"),
    ("decode_grid", DECODED, {"classes": 4}, "predictions", "(2, 2, 13)"),
    ("yolo_v1_loss", LOSS, {"y_pred": np.ones((2, 2, 2, 13))}, "y_pred", "(2, 2, 2, 13)"),
    ("yolo_v1_loss", LOSS, {"y_pred": np.ones((1, 2, 3, 13))}, "y_pred", "(1, 2, 3, 13)"),
    ("yolo_v1_loss", LOSS, {"y_pred": np.ones((1, 2, 2, 8))}, "y_pred", "(1, 2, 2, 8)"),
    ("yolo_v1_loss", LOSS, {"y_pred": -np.ones((1, 2, 2, 13))}, "y_pred", "-1"),
    ("yolo_v1_loss", LOSS, {"y_true": HALF}, "y_true", "confidences"),
    ("yolo_v1_loss", LOSS, {"y_true": np.ones((2, 2, 8))}, "y_true", "(2, 2, 8)"),
    ("yolo_v1_loss", LOSS, {"y_true": np.ones((1, 2, 3, 8))}, "y_true", "(1, 2, 3, 8)"),
    ("yolo_v1_loss", LOSS, {"y_true": np.ones((1, 2, 2, 5))}, "y_true", "(1, 2, 2, 5)"),
    ("yolo_v1_loss", LOSS, {"boxes_per_cell": 0}, "boxes_per_cell", "0"),
    ("yolo_v1_loss", LOSS, {"lambda_coord": -1.0}, "lambda_coord", "-1"),
    ("yolo_v1_loss", LOSS, {"lambda_noobj": -0.5}, "lambda_noobj", "-0.5"),
    ("kmeans_anchors", ANCHORS, {"sizes": np.ones((4, 3))}, "sizes", "(4, 3)"),
    ("kmeans_anchors", ANCHORS, {"sizes": np.zeros((4, 2))}, "sizes", "0"),
    ("kmeans_anchors", ANCHORS, {"k": 0}, "k", "0"),
    ("kmeans_anchors", ANCHORS, {"k": 5}, "k", "5"),
    ("kmeans_anchors", ANCHORS, {"iterations": 0}, "iterations", "0"),
    ("kmeans_anchors", ANCHORS, {"rng": 3}, "rng", "int"),
    ("decode_v2", V2, {"predictions": np.ones((2, 3, 14))}, "predictions", "(2, 3, 14)"),
    ("decode_v2", V2, {"predictions": np.ones((2, 3, 2, 5))}, "predictions", "(2, 3, 2, 5)"),
    ("decode_v2", V2, {"anchors": np.ones((3, 2))}, "anchors", "(3, 2)"),
    ("decode_v2", V2, {"anchors": -np.ones((2, 2))}, "anchors", "-1"),
    ("decode_v3", V3, {"feature_maps": [np.ones((1, 1, 18))] * 2}, "feature_maps", "2 maps"),
    ("decode_v3", V3, {"feature_maps": [np.ones((1, 1, 17))] * 3}, "feature_maps", "(1, 1, 17)"),
    ("decode_v3", V3, {"feature_maps": np.ones((3, 1, 1, 18))}, "feature_maps", "ndarray"),
    ("decode_v3", V3, {"anchors": np.ones((3, 2))}, "anchors", "(3, 2)"),
    ("decode_v3", V3, {"anchors": np.ones((2, 3, 2))}, "anchors", "(2, 3, 2)"),
    ("decode_v3", V3, {"input_size": 0}, "input_size", "0"),
    ("filter_detections", FILTERED, {"boxes": np.ones((2, 4))}, "confidence", "(1,)"),
    ("filter_detections", FILTERED, {"confidence": [[0.9]]}, "confidence", "(1, 1)"),
    ("filter_detections", FILTERED, {"class_probabilities": [0.2]}, "class_probabilities", "(1,)"),
    ("filter_detections", FILTERED, {"iou_threshold": 1.5}, "iou_threshold", "1.5"),
    (
        "tiny_yolo",
        {"inputs": keras.Input((16, 16, 3)), "boxes_per_cell": 1, "classes": 1},
        {"classes": 0},
        "classes",
        "0",
    ),
]


@pytest.mark.parametrize(("function", "legal", "wrong", "named", "came"), BAD)
def test_bad_input_is_refused_by_name(function, legal, wrong, named, came):
    getattr(yolo, function)(**legal)
    with pytest.raises(ValueError, match=f"^`{named}`.*{re.escape(came)}"):
        getattr(yolo, function)(**{**legal, **wrong})
