"""`segmentation` against Keras' own layers, OpenCV, scikit-learn and the definition, edges, and bad input."""

import cv2
import numpy as np
import pytest
from sklearn.metrics import jaccard_score

from grader.notebooks import solution_namespace
from kerasref import segmentation
from kerasref.backend import BACKEND, keras
from tests.kerasref import assert_refused
from tests.kerasref.oracles import assert_agrees

FACTORS = pytest.mark.parametrize("factor", [2, 3, 4, 5, 8])
HEADS = {"fcn32s": (32,), "fcn16s": (2, 16), "fcn8s": (2, 2, 8)}
"""How often each head enlarges, and by how much."""


@pytest.fixture
def rng():
    return np.random.default_rng(6)


@FACTORS
def test_kernel_is_the_tent_of_the_paper(factor):
    size = 2 * factor - factor % 2
    away = np.abs(np.arange(size) - (size - 1) / 2)
    tent = 1 - away / factor
    assert_agrees(segmentation.bilinear_kernel(factor, 1)[:, :, 0, 0], np.outer(tent, tent))


@FACTORS
def test_kernel_mixes_no_channels_and_shares_itself_out(factor):
    kernel = segmentation.bilinear_kernel(factor, 3)
    assert (kernel[:, :, ~np.eye(3, dtype=bool)] == 0).all()
    each_phase = kernel[:, :, 0, 0][: 2 * factor - factor % 2].sum()
    assert_agrees(each_phase, factor**2)


@FACTORS
def test_upsampling_is_keras_layer_in_the_interior(rng, factor):
    x = rng.normal(size=(2, 5, 6, 2))
    ours = segmentation.upsample_bilinear(x, factor)
    theirs = np.asarray(keras.layers.UpSampling2D(factor, interpolation="bilinear", dtype="float32")(x))
    inside = slice(factor, -factor)
    np.testing.assert_allclose(ours[:, inside, inside], theirs[:, inside, inside], rtol=1e-5, atol=1e-5)
    assert np.abs(ours - theirs).max() > 0.1, "they differ at the border"


@FACTORS
def test_upsampling_is_opencvs_on_zeros_around(rng, factor):
    x = rng.normal(size=(4, 3))
    larger = cv2.resize(np.pad(x, 1), None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
    ours = segmentation.upsample_bilinear(x[None, :, :, None], factor)[0, :, :, 0]
    np.testing.assert_allclose(ours, larger[factor:-factor, factor:-factor], rtol=1e-5, atol=1e-6)


def test_factor_1_changes_nothing(rng):
    x = rng.normal(size=(1, 3, 4, 2))
    assert_agrees(segmentation.upsample_bilinear(x, 1), x)


def built(head, classes=3, size=(2, 3), channels=(4, 5, 6)):
    pools = [
        keras.Input((*(n * times for n in size), c), dtype="float32")
        for times, c in zip((4, 2, 1), channels, strict=True)
    ]
    return keras.Model(pools, getattr(segmentation, head)(*pools, classes))


@pytest.mark.parametrize("head", HEADS)
def test_heads_are_scores_enlarged_and_added(rng, head):
    """Each step by NumPy and OpenCV, with the model's own weights."""
    model = built(head)
    for weight in model.weights:
        weight.assign(rng.normal(size=weight.shape))
    pools = [rng.normal(size=(1, *pool.shape[1:])).astype(np.float32) for pool in model.inputs]
    scores = {}
    for layer in model.layers:
        if layer.weights:
            kernel, bias = (np.asarray(weight)[...] for weight in layer.weights)
            (pool,) = (each[0] for each in pools if each.shape[3] == kernel.shape[2])
            scores[kernel.shape[2]] = pool @ kernel[0, 0] + bias
    factors = HEADS[head]
    expected, *skips = [scores.get(channels) for channels in (6, 5, 4)][: len(factors)]
    for factor, skip in zip(factors, [*skips, 0], strict=True):
        large = cv2.resize(expected, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)
        expected = large + skip
    actual = keras.ops.convert_to_numpy(model(pools))[0]
    assert actual.shape == (64, 96, 3)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)


def test_cross_entropy_of_one_pixel_by_hand():
    logits = np.log([[[[1.0, 2.0, 5.0]]]])
    assert_agrees(segmentation.pixel_cross_entropy([[[2]]], logits), np.log(8 / 5))


def test_cross_entropy_is_finite_for_scores_of_thousands():
    logits = np.array([[[[1000.0, -1000.0], [-1000.0, 1000.0]]]])
    assert_agrees(segmentation.pixel_cross_entropy([[[1, 1]]], logits), 1000.0)


def test_pixels_that_do_not_count_change_nothing(rng):
    y_true, logits = rng.integers(3, size=(2, 4, 5)), rng.normal(size=(2, 4, 5, 3))
    y_true[0, :2] = 255
    other = np.where((y_true == 255)[..., None], 50.0, logits)
    ours = segmentation.pixel_cross_entropy(y_true, logits)
    assert_agrees(segmentation.pixel_cross_entropy(y_true, other), ours)
    chosen = np.take_along_axis(logits, np.where(y_true == 255, 0, y_true)[..., None], axis=3)[..., 0]
    by_hand = np.log(np.exp(logits).sum(axis=3)) - chosen
    assert_agrees(ours, by_hand[y_true != 255].mean())


def test_nothing_to_count_is_0():
    logits = np.ones((1, 2, 2, 3))
    assert segmentation.pixel_cross_entropy(np.full((1, 2, 2), 255), logits) == 0
    assert segmentation.pixel_cross_entropy(np.full((1, 2, 2), -1), logits, -1) == 0


@pytest.mark.skipif(BACKEND != "tensorflow", reason="taken with TensorFlow's tape")
def test_the_loss_that_trains_has_its_gradient(rng):
    import tensorflow as tf

    y_true, logits = rng.integers(3, size=(2, 3, 3)), tf.constant(rng.normal(size=(2, 3, 3, 3)))
    y_true[0, 0] = 255
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = segmentation.mean_pixel_loss(tf.constant(y_true), logits)
    assert_agrees(loss.numpy(), segmentation.pixel_cross_entropy(y_true, logits.numpy()))
    one_hot = np.eye(3)[np.where(y_true == 255, 0, y_true)]
    expected = (tf.nn.softmax(logits).numpy() - one_hot) * (y_true != 255)[..., None] / (y_true != 255).sum()
    assert_agrees(tape.gradient(loss, logits).numpy(), expected)


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_mean_iou_is_scikit_learns_and_keras(rng, classes):
    y_true, y_pred = rng.integers(3 if classes > 3 else classes, size=(2, 4, 5, 6))
    ours = segmentation.mean_iou(y_true, y_pred, classes)
    assert_agrees(ours, jaccard_score(y_true.ravel(), y_pred.ravel(), average="macro"))
    metric = keras.metrics.MeanIoU(classes)
    metric.update_state(y_true, y_pred)
    np.testing.assert_allclose(ours, metric.result(), rtol=1e-6)


def test_mean_iou_by_hand():
    """Class 0: 2 of 3, class 1: 1 of 3, class 2: 0 of 1, class 3 is nowhere."""
    assert_agrees(segmentation.mean_iou([[0, 0], [1, 1]], [[0, 0], [1, 2]], 4), (1 + 1 / 2 + 0) / 3)
    assert segmentation.mean_iou([3, 3], [3, 3], 9) == 1


X, Y = np.ones((1, 2, 3, 2)), np.zeros((1, 2, 3))
BAD = [
    ("bilinear_kernel", {"factor": 0, "channels": 1}, "factor", "0"),
    ("bilinear_kernel", {"factor": 2, "channels": 0}, "channels", "0"),
    ("upsample_bilinear", {"x": X[0], "factor": 2}, "x", "(2, 3, 2)"),
    ("upsample_bilinear", {"x": X[:0], "factor": 2}, "x", "(0, 2, 3, 2)"),
    ("upsample_bilinear", {"x": X, "factor": 0}, "factor", "0"),
    ("pixel_cross_entropy", {"y_true": Y[0], "logits": X}, "y_true", "(2, 3)"),
    ("pixel_cross_entropy", {"y_true": Y, "logits": X[0]}, "logits", "(2, 3, 2)"),
    ("pixel_cross_entropy", {"y_true": Y[:, :1], "logits": X}, "y_true", "(1, 1, 3)"),
    ("pixel_cross_entropy", {"y_true": Y + 2, "logits": X}, "y_true", "2"),
    ("pixel_cross_entropy", {"y_true": Y - 1, "logits": X}, "y_true", "-1"),
    ("pixel_cross_entropy", {"y_true": Y + 255, "logits": X, "ignore": 0}, "y_true", "255"),
    ("mean_iou", {"y_true": Y, "y_pred": Y[0], "classes": 2}, "y_pred", "(2, 3)"),
    ("mean_iou", {"y_true": Y[:0], "y_pred": Y[:0], "classes": 2}, "y_true", "(0, 2, 3)"),
    ("mean_iou", {"y_true": Y, "y_pred": Y, "classes": 0}, "classes", "0"),
    ("mean_iou", {"y_true": Y + 2, "y_pred": Y, "classes": 2}, "y_true", "2"),
    ("mean_iou", {"y_true": Y, "y_pred": Y - 1, "classes": 2}, "y_pred", "-1"),
]


@pytest.mark.parametrize(("function", "arguments", "name", "came"), BAD)
def test_bad_input_is_refused_by_name(function, arguments, name, came):
    assert_refused(getattr(segmentation, function), arguments, name, came)


@pytest.fixture(scope="module")
def solution():
    return solution_namespace("segmentation")


@pytest.mark.parametrize(("function", "arguments", "name", "came"), BAD)
def test_the_solution_refuses_it_too(solution, function, arguments, name, came):
    with pytest.raises(ValueError, match="expected"):
        solution[function](**arguments)


BAD_POOLS = [
    ((8, 8, 8), (4, 4, 8), (2, 1, 8), 3, "pool4"),
    ((4, 4, 8), (4, 4, 8), (2, 2, 8), 3, "pool3"),
    ((8, 8, 8), (4, 4, 8), (2, 2, 8), 0, "classes"),
]


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize(("pool3", "pool4", "pool5", "classes", "name"), BAD_POOLS)
def test_pools_that_do_not_fit_are_refused(solution, head, pool3, pool4, pool5, classes, name):
    pools = [keras.Input(shape) for shape in (pool3, pool4, pool5)]
    for heads in (vars(segmentation), solution):
        with pytest.raises(ValueError, match=f"{name}.*expected"):
            heads[head](*pools, classes)
