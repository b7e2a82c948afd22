"""`losses` against scikit-learn and `tf.image`, and what the contract says beyond their values."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.linear_model import LinearRegression

from kerasref import losses
from kerasref.backend import BACKEND
from tests.kerasref.oracles import assert_agrees

STEP, NEAR = (1e-5, 1e-8) if BACKEND == "tensorflow" else (1e-2, 1e-3)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_hinge_is_scikit_learns(rng):
    y_true = np.array([1, -1, -1, 1, 1, -1, 1])
    y_pred = np.append(rng.normal(scale=2, size=6), 1.0)
    assert_agrees(losses.hinge(y_true, y_pred), metrics.hinge_loss(y_true, y_pred))
    assert_agrees(
        losses.hinge(y_true.reshape(7, 1), y_pred.reshape(7, 1)), metrics.hinge_loss(y_true, y_pred)
    )


@pytest.mark.parametrize("label", [-1, 1])
def test_hinge_of_one_label_only(label):
    assert_agrees(losses.hinge([label] * 4, [0.5, -0.5, 2, -2]), np.mean([0.5, 1.5, 0, 3]))


def test_linear_regression_is_scikit_learns(rng):
    x, theta, y = rng.normal(size=(20, 3)), rng.normal(size=3), rng.normal(size=20)
    fitted = LinearRegression(fit_intercept=False).fit(x, y).coef_
    assert_agrees(losses.linear_regression_grad(fitted, x, y), np.zeros(3))
    for some in (theta, fitted):
        cost = metrics.mean_squared_error(y, np.einsum("mn,n->m", x, some)) / 2
        assert_agrees(losses.linear_regression_cost(some, x, y), cost)


def test_errors_are_scikit_learns(rng):
    y_true, y_pred = rng.normal(size=(6, 2)), rng.normal(size=(6, 2))
    assert_agrees(losses.mean_absolute_error(y_true, y_pred), metrics.mean_absolute_error(y_true, y_pred))
    assert_agrees(losses.mean_squared_error(y_true, y_pred), metrics.mean_squared_error(y_true, y_pred))


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (2, 4, 3, 3), (3, 1, 5, 2), (1, 6, 1, 1)])
def test_total_variation_is_tensorflows(rng, shape):
    tf = pytest.importorskip("tensorflow")
    images = rng.uniform(size=shape)
    assert_agrees(losses.total_variation(images), tf.image.total_variation(tf.constant(images)).numpy())


def test_total_variation_takes_bytes_without_wrapping():
    assert_agrees(losses.total_variation(np.array([0, 255], np.uint8).reshape(1, 1, 2, 1)), [255])


def test_cross_entropy_does_not_renormalise():
    assert_agrees(losses.cross_entropy([[1, 0]], [[0.2, 0.2]]), -np.log(0.2))


def test_cross_entropy_clips():
    confident = [[1.0, 0.0]]
    assert_agrees(losses.cross_entropy([[1, 0]], confident), -np.log(1 - 1e-7))
    assert_agrees(losses.cross_entropy([[0, 1]], confident), -np.log(1e-7))


@pytest.mark.parametrize(
    "function",
    ["mean_squared_error", "huber", "sigmoid_cross_entropy", "softmax_cross_entropy", "linear_regression"],
)
def test_gradient_is_the_slope(rng, function):
    shape = (4, 3)
    y_true = np.eye(3)[rng.integers(3, size=4)]
    y_pred = rng.normal(scale=2, size=shape)
    if function == "linear_regression":
        x, y_pred, y = rng.normal(size=(4, 3)), rng.normal(size=3), rng.normal(size=4)
        value = lambda theta: losses.linear_regression_cost(theta, x, y)  # noqa: E731
        gradient = losses.linear_regression_grad(y_pred, x, y)
    else:
        value = lambda y_pred: getattr(losses, function)(y_true, y_pred)  # noqa: E731
        gradient = getattr(losses, f"{function}_grad")(y_true, y_pred)
    slope = np.zeros_like(y_pred)
    for place in np.ndindex(y_pred.shape):
        step = np.zeros_like(y_pred)
        step[place] = STEP
        slope[place] = (value(y_pred + step) - value(y_pred - step)) / (2 * STEP)
    np.testing.assert_allclose(gradient, slope, rtol=NEAR, atol=NEAR)


def test_style_of_itself_is_no_loss_whatever_its_places(rng):
    features = rng.normal(size=(1, 4, 4, 3))
    shuffled = rng.permutation(features.reshape(1, 16, 3), axis=1).reshape(1, 2, 8, 3)
    assert_agrees(losses.style_loss(features, shuffled), 0)
    assert losses.style_loss(features, 2 * features) > 0


@pytest.mark.parametrize("function", ["l1_loss", "l2_loss"])
def test_the_sum_over_nothing_is_zero(function):
    assert_agrees(getattr(losses, function)([], []), 0)
