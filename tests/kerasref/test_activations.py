"""What the contract says of `activations` beyond torch's values."""

import numpy as np
import pytest

from kerasref import activations
from kerasref.backend import BACKEND
from tests.kerasref.oracles import TOLERANCE, assert_agrees

ELEMENTWISE = ["sigmoid", "tanh", "relu", "leaky_relu", "elu", "softplus"]
# In float32 a difference of 1e-5 drowns in rounding.
STEP, NEAR = (1e-5, 1e-8) if BACKEND == "tensorflow" else (1e-2, 1e-3)


@pytest.mark.parametrize(
    ("gradient", "parameters", "expected"),
    [
        ("relu_grad", {}, 0),
        ("leaky_relu_grad", {}, 0.01),
        ("leaky_relu_grad", {"negative_slope": 0.3}, 0.3),
        ("elu_grad", {}, 1),
        ("elu_grad", {"alpha": 0.3}, 0.3),
    ],
)
def test_gradient_at_the_kink_is_the_contracts(gradient, parameters, expected):
    assert_agrees(getattr(activations, gradient)([0.0, -0.0], **parameters), [expected, expected])


@pytest.mark.parametrize("function", ELEMENTWISE)
def test_gradient_is_the_slope(function):
    x = np.array([-9.1, -3.3, -1.2, -0.4, 0.2, 0.7, 1.9, 5.5, 12.3])
    values = getattr(activations, function)
    slope = (values(x + STEP) - values(x - STEP)) / (2 * STEP)
    np.testing.assert_allclose(getattr(activations, f"{function}_grad")(x), slope, rtol=NEAR, atol=NEAR)


def test_softmax_backward_is_the_slope():
    rng = np.random.default_rng(3)
    x, upstream = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    for axis in (0, 1):
        slope = np.zeros_like(x)
        for place in np.ndindex(x.shape):
            step = np.zeros_like(x)
            step[place] = STEP
            difference = activations.softmax(x + step, axis) - activations.softmax(x - step, axis)
            slope[place] = (upstream * difference).sum() / (2 * STEP)
        np.testing.assert_allclose(
            activations.softmax_backward(upstream, x, axis), slope, rtol=NEAR, atol=NEAR
        )


@pytest.mark.parametrize("function", [*ELEMENTWISE, *(f"{name}_grad" for name in ELEMENTWISE), "softmax"])
def test_is_finite_and_silent_up_to_ten_thousand(function):
    x = np.concatenate([-np.geomspace(1e4, 1e-300, 400), [0.0], np.geomspace(1e-300, 1e4, 400)])
    with np.errstate(over="raise", invalid="raise"):
        assert np.isfinite(getattr(activations, function)(x)).all()


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 1, 4)])
def test_softmax_sums_to_one_along_its_axis(shape):
    x = np.random.default_rng(4).normal(scale=5, size=shape)
    for axis in range(-len(shape), len(shape)):
        sums = activations.softmax(x, axis=axis).sum(axis=axis)
        np.testing.assert_allclose(sums, 1, rtol=max(TOLERANCE, 1e-12))


def test_elu_keeps_its_digits_near_zero():
    x = -np.geomspace(1e-3, 1e-12, 10)
    np.testing.assert_allclose(activations.elu(x), np.expm1(x), rtol=TOLERANCE, atol=0)


def test_sigmoid_and_softplus_belong_together():
    x = np.linspace(-30, 30, 61)
    assert_agrees(activations.softplus_grad(x), activations.sigmoid(x))
