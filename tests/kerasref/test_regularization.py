"""`regularization` against Keras' layers and scikit-learn, and what the contract says beyond their values."""

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from kerasref import regularization
from kerasref.backend import BACKEND, keras
from tests.kerasref.oracles import assert_agrees

STEP, NEAR = (1e-5, 1e-7) if BACKEND == "tensorflow" else (1e-2, 1e-2)


@pytest.fixture
def rng():
    return np.random.default_rng(8)


def statistics(rng, channels):
    """gamma, beta, moving_mean, moving_variance."""
    return [*rng.normal(size=(3, channels)), rng.uniform(0.5, 2, channels)]


def layer(given, shape, **settings):
    """Keras' layer for inputs of this shape, with these weights."""
    made = keras.layers.BatchNormalization(dtype="float64", **settings)
    made.build(shape)
    made.set_weights(given)
    return made


@pytest.mark.parametrize("shape", [(1, 3), (6, 2), (4, 3, 2), (2, 3, 3, 4)])
def test_batch_norm_is_keras_layer(rng, shape):
    x, given = rng.normal(2, 3, size=shape), statistics(rng, shape[-1])
    made = layer(given, shape, momentum=0.9, epsilon=0.01)
    expected = keras.ops.convert_to_numpy(made(x, training=False))
    assert_agrees(regularization.batch_norm_inference(x, *given, epsilon=0.01), expected)
    y = keras.ops.convert_to_numpy(made(x, training=True))
    moved = made.get_weights()[2:]
    assert_agrees(regularization.batch_norm_train(x, *given, momentum=0.9, epsilon=0.01), (y, *moved))


def test_defaults_are_keras_layers(rng):
    x, given = rng.normal(size=(5, 2)), statistics(rng, 2)
    made = layer(given, x.shape)
    y = keras.ops.convert_to_numpy(made(x, training=True))
    moved = made.get_weights()[2:]
    assert_agrees(regularization.batch_norm_train(x, *given), (y, *moved))


def test_variance_is_the_populations():
    _, mean, variance = regularization.batch_norm_train([[1.0], [3.0]], [1], [0], [0], [0], momentum=0)
    assert_agrees((mean, variance), (np.array([2.0]), np.array([1.0])))


@pytest.mark.parametrize("shape", [(1, 2), (5, 2), (2, 3, 2), (2, 2, 2, 3)])
def test_batch_norm_backward_is_the_slope(rng, shape):
    upstream, x = rng.normal(size=(2, *shape))
    gamma, beta, mean, variance = statistics(rng, shape[-1])

    def loss(x, gamma, beta):
        return np.sum(upstream * regularization.batch_norm_train(x, gamma, beta, mean, variance)[0])

    arrays = [x, gamma, beta]
    for place, found in enumerate(regularization.batch_norm_backward(upstream, x, gamma)):
        slope = np.zeros_like(arrays[place])
        for at in np.ndindex(slope.shape):
            up, down = ([each.copy() for each in arrays] for _ in range(2))
            up[place][at] += STEP
            down[place][at] -= STEP
            slope[at] = (loss(*up) - loss(*down)) / (2 * STEP)
        np.testing.assert_allclose(found, slope, rtol=NEAR, atol=NEAR)


def test_ridge_stands_still_where_loss_and_penalty_balance(rng):
    """Scikit-learn's ridge minimises `sum((y - x w)**2) + alpha sum(w**2)`."""
    x, y = rng.normal(size=(20, 3)), rng.normal(size=20)
    w = Ridge(alpha=2.5, fit_intercept=False).fit(x, y).coef_
    (penalty,) = regularization.l2_penalty_grad([w], 2.5)
    np.testing.assert_allclose(penalty, -2 * x.T @ (x @ w - y), rtol=1e-5, atol=1e-5)


def test_l2_is_keras_regularizer(rng):
    weights = [rng.normal(size=(3, 4)), rng.normal(size=4), np.float64(2.0)]
    expected = sum(float(keras.regularizers.L2(0.03)(one)) for one in weights)
    np.testing.assert_allclose(regularization.l2_penalty(weights, 0.03), expected, rtol=1e-6)
    assert_agrees(regularization.l2_penalty([], 0.1), 0.0)
    assert regularization.l2_penalty_grad([], 0.1) == []


@pytest.mark.parametrize("shape", [(), (5,), (2, 3, 4, 2)])
@pytest.mark.parametrize("rate", [0, 0.2, 0.75])
def test_dropout_keeps_and_scales_what_its_mask_says(rng, shape, rate):
    x = rng.normal(size=shape)
    y, mask = regularization.dropout(x, rate, rng)
    assert mask.dtype == bool
    assert_agrees(y, x * mask / (1 - rate))
    assert rate or np.all(mask)


def test_dropout_backward_is_the_layers_gradient(rng):
    x, upstream = rng.normal(size=(2, 30, 40))
    y = keras.ops.convert_to_numpy(keras.layers.Dropout(0.3, seed=1, dtype="float64")(x, training=True))
    assert_agrees(regularization.dropout_backward(x, y != 0, 0.3), y)
    assert_agrees(regularization.dropout_backward(upstream, y != 0, 0.3), upstream * y / x)


def test_dropout_drops_its_rate_anew_each_time(rng):
    _, first = regularization.dropout(np.zeros((100, 100)), 0.3, rng)
    _, second = regularization.dropout(np.zeros((100, 100)), 0.3, rng)
    assert abs(first.mean() - 0.7) < 0.05
    assert (first != second).any()


GIVEN = {
    "x": np.ones((2, 3)),
    "gamma": np.ones(3),
    "beta": np.ones(3),
    "moving_mean": np.ones(3),
    "moving_variance": np.ones(3),
}
BACKWARD = {"upstream": np.ones((2, 3)), "x": np.ones((2, 3)), "gamma": np.ones(3)}
RNG = np.random.default_rng(0)
BAD = [
    (
        "l2_penalty",
        {"weights": np.ones(3), "strength": 0.1},
        "`weights` is a ndarray; expected a list of arrays",
    ),
    ("l2_penalty", {"weights": [["a"]], "strength": 0.1}, r"`weights\[0\]` has dtype"),
    (
        "l2_penalty",
        {"weights": [[1]], "strength": -0.1},
        "`strength` is -0.1; expected a number of at least 0",
    ),
    ("l2_penalty_grad", {"weights": [[1]], "strength": -1}, "`strength` is -1.0"),
    ("l2_penalty_grad", {"weights": [[1]], "strength": np.nan}, "`strength` is nan"),
    ("dropout", {"x": [1], "rate": 1, "rng": RNG}, "`rate` is 1.0; expected a number from 0 to below 1"),
    ("dropout", {"x": [1], "rate": -0.1, "rng": RNG}, "`rate` is -0.1"),
    ("dropout", {"x": [1], "rate": 0.5, "rng": 7}, "`rng` is a int; expected a generator"),
    (
        "dropout_backward",
        {"upstream": np.ones(3), "mask": np.ones((3, 1)), "rate": 0.5},
        r"`mask` has shape \(3, 1\), `upstream` has \(3,\)",
    ),
    ("dropout_backward", {"upstream": [1, 1], "mask": [0, 2], "rate": 0.5}, "`mask` has 2.0; expected bools"),
    ("dropout_backward", {"upstream": [1], "mask": [True], "rate": 1}, "`rate` is 1.0"),
    *(
        (function, {**GIVEN, name: bad}, says)
        for function in ("batch_norm_train", "batch_norm_inference")
        for name, bad, says in [
            ("x", np.ones(3), r"`x` has shape \(3,\)"),
            ("x", np.ones((0, 3)), r"`x` has shape \(0, 3\)"),
            ("gamma", np.ones((1, 3)), r"`gamma` has shape \(1, 3\)"),
            ("beta", np.ones(1), r"`beta` has shape \(1,\); expected 3 along axis 0"),
            ("moving_mean", np.ones(2), "`moving_mean` has shape"),
            ("moving_variance", np.array(1.0), "`moving_variance` has shape"),
            ("moving_variance", [1, -1, 1], "`moving_variance` has -1.0"),
            ("epsilon", 0, "`epsilon` is 0.0; expected a number above 0"),
        ]
    ),
    ("batch_norm_train", {**GIVEN, "momentum": 1}, "`momentum` is 1.0; expected a number from 0 to below 1"),
    ("batch_norm_train", {**GIVEN, "momentum": -0.1}, "`momentum` is -0.1"),
    ("batch_norm_backward", {**BACKWARD, "upstream": np.ones(3)}, r"`upstream` has shape \(3,\)"),
    ("batch_norm_backward", {**BACKWARD, "gamma": np.ones(2)}, r"`gamma` has shape \(2,\)"),
    ("batch_norm_backward", {**BACKWARD, "epsilon": -1}, "`epsilon` is -1.0"),
]


@pytest.mark.parametrize(("function", "arguments", "says"), BAD)
def test_bad_input_is_named(function, arguments, says):
    with pytest.raises(ValueError, match=says):
        getattr(regularization, function)(**arguments)
