"""Checks of the assignment `activations`."""

import numpy as np
import pytest

from grader.exercise import assert_close, assert_silent, assert_unchanged, core, exercise, hidden

LARGE = np.array([-1e4, -1000.0, -27.0, -20.0, -10.2, -1.5, 0.0, 17.5, 36.0, 400.0, 1000.0, 1e4])
"""Numbers whose exponentials (or their squares) overflow, and some just inside the places from which on a function may
be taken as flat or straight: tanh from 10.7, softplus from 18 and to -27.6, the sigmoid to -27.6, elu to -20.7."""

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
"""Tolerance for float32 inputs."""


def _mixed(rng):
    """Small and large numbers in one array, of three axes."""
    return rng.normal(size=(3, 2, 8)) * 10.0 ** rng.integers(-3, 4, size=(3, 2, 8))


@exercise("sigmoid", functions=["sigmoid", "sigmoid_grad"], points=4)
class TestSigmoid:
    """Any number into the interval from 0 to 1."""

    hints = {
        "sigmoid": [
            "For which x does exp(-x) overflow, and for which does exp(x)?",
            "exp(-|x|) is safe on both sides. Write the function for x >= 0 and for x < 0 with nothing but that.",
            "With `decay = np.exp(-np.abs(x))`, both halves divide by `1 + decay`; what differs is the numerator: 1 or `decay`.",
        ],
        "sigmoid_grad": [
            "The derivative can be written with the sigmoid alone. Is your formula in x, or in the sigmoid's output?",
            "Call your own `sigmoid` on x first, and give its value a name.",
            "With `s = sigmoid(x)`, the derivative is s times (1 - s).",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random numbers."""
        x = rng.normal(scale=3.0, size=(6, 7))
        assert_close(student.sigmoid(x), reference.sigmoid(x))

    def test_symmetry(self, student, reference, rng):
        """Gives `1 - sigmoid(x)` at `-x`, and one half at 0."""
        x = np.append(rng.uniform(0.1, 8.0, size=9), 0.0)
        assert_close(student.sigmoid(-x), 1 - reference.sigmoid(x))

    def test_large(self, student, reference):
        """Stays finite, without a warning, for numbers up to 10,000 on both sides."""
        assert_close(assert_silent(student.sigmoid, LARGE), reference.sigmoid(LARGE))

    def test_shapes(self, student, reference, rng):
        """Takes arrays of one and of three axes, and leaves them as they were."""
        for shape in [(5,), (2, 3, 4)]:
            x = rng.normal(size=shape)
            assert_close(assert_unchanged(student.sigmoid, x), reference.sigmoid(x))

    def test_single_precision(self, student, reference, rng):
        """Takes float32."""
        x = rng.normal(size=(3, 4)).astype(np.float32)
        assert_close(student.sigmoid(x), reference.sigmoid(x), **SINGLE)

    def test_gradient(self, student, reference, rng):
        """The derivative agrees with Keras' automatic one."""
        x = rng.normal(scale=3.0, size=(4, 5))
        assert_close(assert_unchanged(student.sigmoid_grad, x), reference.sigmoid_grad(x))

    def test_gradient_large(self, student, reference):
        """The derivative stays finite, without a warning, for numbers up to 10,000."""
        assert_close(assert_silent(student.sigmoid_grad, LARGE), reference.sigmoid_grad(LARGE))

    @hidden
    def test_mixed(self, student, reference, rng):
        """Holds on small and large numbers in one array."""
        x = _mixed(rng)
        assert_close(student.sigmoid(x), reference.sigmoid(x))

    @hidden
    def test_gradient_mixed(self, student, reference, rng):
        """The derivative holds on small and large numbers in one array."""
        x = _mixed(rng)
        assert_close(student.sigmoid_grad(x), reference.sigmoid_grad(x))


@exercise("tanh", functions=["tanh", "tanh_grad"], points=3, banned={"tanh": ["np.tanh"]})
class TestTanh:
    """Any number into the interval from -1 to 1."""

    hints = {
        "tanh": [
            "Which part of the fraction overflows at x = -1000, and what do you know of tanh(-x)?",
            "Work out the value for |x|, where exp(-2|x|) is at most 1, then put the sign back.",
            "With `decay = np.exp(-2 * np.abs(x))`: `np.sign(x)` times (1 - decay) / (1 + decay), brackets and all.",
        ],
        "tanh_grad": [
            "What does the derivative look like, written with tanh itself?",
            "Call your own `tanh` on x; you need its square.",
            "1 minus the square of `tanh(x)`.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random numbers."""
        x = rng.normal(scale=2.0, size=(6, 7))
        assert_close(student.tanh(x), reference.tanh(x))

    def test_symmetry(self, student, reference, rng):
        """Is odd: changes sign with `x`, and is 0 at 0."""
        x = np.append(rng.uniform(0.1, 5.0, size=9), 0.0)
        assert_close(student.tanh(-x), -reference.tanh(x))

    def test_large(self, student, reference):
        """Stays finite, without a warning, for numbers up to 10,000 on both sides."""
        assert_close(assert_silent(student.tanh, LARGE), reference.tanh(LARGE))

    def test_shapes(self, student, reference, rng):
        """Takes arrays of one and of three axes, and leaves them as they were."""
        for shape in [(5,), (2, 3, 4)]:
            x = rng.normal(size=shape)
            assert_close(assert_unchanged(student.tanh, x), reference.tanh(x))

    def test_single_precision(self, student, reference, rng):
        """Takes float32."""
        x = rng.normal(size=(3, 4)).astype(np.float32)
        assert_close(student.tanh(x), reference.tanh(x), **SINGLE)

    def test_gradient(self, student, reference, rng):
        """The derivative agrees with Keras' automatic one."""
        x = rng.normal(scale=2.0, size=(4, 5))
        assert_close(assert_unchanged(student.tanh_grad, x), reference.tanh_grad(x))

    def test_gradient_large(self, student, reference):
        """The derivative stays finite, without a warning, for numbers up to 10,000."""
        assert_close(assert_silent(student.tanh_grad, LARGE), reference.tanh_grad(LARGE))


@exercise("relu", functions=["relu", "relu_grad"], points=2)
class TestReLU:
    """What is positive passes."""

    hints = {
        "relu": [
            "Which of two numbers do you keep, at each place?",
            "NumPy has a function that takes the larger of two, place by place, and builds a new array.",
            "`np.maximum` of x and 0 (not `np.max`, which gives one number).",
        ],
        "relu_grad": [
            "What is the slope left of 0, and right of it? And what did we agree on at 0?",
            "A comparison gives True or False at every place.",
            "`np.where(x > 0, ..., ...)`: 1 where the comparison holds, 0 elsewhere, 0 included.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random numbers."""
        x = rng.normal(scale=3.0, size=(6, 7))
        assert_close(student.relu(x), reference.relu(x))

    def test_unchanged(self, student, reference, rng):
        """Builds a new array and leaves its argument as it was, for one axis and for three."""
        for shape in [(8,), (2, 3, 4)]:
            x = rng.normal(size=shape)
            assert_close(assert_unchanged(student.relu, x), reference.relu(x))

    def test_large(self, student, reference):
        """Holds for numbers up to 10,000 on both sides."""
        assert_close(assert_silent(student.relu, LARGE), reference.relu(LARGE))

    def test_gradient(self, student, reference, rng):
        """The derivative is 1 where `x` is positive and 0 where it is negative."""
        x = rng.normal(scale=3.0, size=(4, 5))
        assert_close(assert_unchanged(student.relu_grad, x), reference.relu_grad(x))

    def test_gradient_at_the_corner(self, student, reference):
        """The derivative is 0 at 0."""
        x = np.array([[-2.0, -1e-9, 0.0], [0.0, 1e-9, 2.0]])
        assert_close(student.relu_grad(x), reference.relu_grad(x))


@exercise("leaky_relu", functions=["leaky_relu", "leaky_relu_grad"], points=3)
class TestLeakyReLU:
    """A trickle on the negative side."""

    hints = {
        "leaky_relu": [
            "Which side is multiplied by `negative_slope`, and which stays as it is?",
            "`np.where(condition, a, b)` takes from a where the condition holds, else from b.",
            "`np.where(x > 0, x, ...)`; what stands left of zero is a product of two things you were given.",
        ],
        "leaky_relu_grad": [
            "A straight line has one slope. How many straight lines are there, and which holds at 0?",
            "The derivative is one of two numbers at each place; x itself does not appear in them.",
            "`np.where(x > 0, 1.0, ...)`, and the other number is the argument you were given.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random numbers, with the slope left at 0.01."""
        x = rng.normal(scale=3.0, size=(6, 7))
        assert_close(student.leaky_relu(x), reference.leaky_relu(x))

    @pytest.mark.parametrize("negative_slope", [0.0, 0.2, 0.75])
    def test_slope(self, student, reference, rng, negative_slope):
        """Follows `negative_slope`."""
        x = rng.normal(scale=3.0, size=(4, 5))
        expected = reference.leaky_relu(x, negative_slope=negative_slope)
        assert_close(student.leaky_relu(x, negative_slope=negative_slope), expected)

    def test_shapes(self, student, reference, rng):
        """Takes one axis and three, large numbers and 0, and leaves its argument as it was."""
        for x in [LARGE, rng.normal(size=(2, 3, 4))]:
            value = assert_silent(student.leaky_relu, x, negative_slope=0.1)
            assert_close(value, reference.leaky_relu(x, negative_slope=0.1))

    def test_gradient(self, student, reference, rng):
        """The derivative agrees with Keras' automatic one, with the slope left at 0.01."""
        x = rng.normal(scale=3.0, size=(4, 5))
        assert_close(assert_unchanged(student.leaky_relu_grad, x), reference.leaky_relu_grad(x))

    @pytest.mark.parametrize("negative_slope", [0.2, 0.75])
    def test_gradient_slope(self, student, reference, rng, negative_slope):
        """The derivative follows `negative_slope`."""
        x = rng.normal(scale=3.0, size=(3, 2, 4))
        expected = reference.leaky_relu_grad(x, negative_slope=negative_slope)
        assert_close(student.leaky_relu_grad(x, negative_slope=negative_slope), expected)

    def test_gradient_at_the_corner(self, student, reference):
        """The derivative at 0 is `negative_slope`."""
        x = np.array([2.0, 1e-9, 0.0, -1e-9, -2.0])
        expected = reference.leaky_relu_grad(x, negative_slope=0.3)
        assert_close(student.leaky_relu_grad(x, negative_slope=0.3), expected)


@exercise("elu", functions=["elu", "elu_grad"], points=3)
class TestELU:
    """A smooth floor at `-alpha`."""

    hints = {
        "elu": [
            "Which part of the formula is multiplied by `alpha`? And which x does the exponential ever need to see?",
            "`np.where` computes both branches everywhere: cut x off at 0 before the exponential.",
            "`np.minimum(x, 0)` is safe to exponentiate; `np.expm1` gives exp minus 1.",
        ],
        "elu_grad": [
            "Differentiate each branch. What happens to the constant -alpha?",
            "Left of zero, and at it, alpha * exp(x); right of it, 1. The exponential must not see large x.",
            "`np.where(x > 0, 1.0, ...)` with `alpha` times the exponential of `np.minimum(x, 0)`.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random numbers, with alpha left at 1."""
        x = rng.normal(scale=3.0, size=(6, 7))
        assert_close(student.elu(x), reference.elu(x))

    @pytest.mark.parametrize("alpha", [0.3, 2.0])
    def test_alpha(self, student, reference, rng, alpha):
        """Follows `alpha`."""
        x = rng.normal(scale=3.0, size=(4, 5))
        assert_close(student.elu(x, alpha=alpha), reference.elu(x, alpha=alpha))

    def test_large(self, student, reference):
        """Stays finite, without a warning, for numbers up to 10,000 on both sides."""
        assert_close(assert_silent(student.elu, LARGE), reference.elu(LARGE))

    def test_shapes(self, student, reference, rng):
        """Takes arrays of one and of three axes, and leaves them as they were."""
        for shape in [(8,), (2, 3, 4)]:
            x = rng.normal(size=shape)
            assert_close(assert_unchanged(student.elu, x, alpha=0.5), reference.elu(x, alpha=0.5))

    def test_gradient(self, student, reference, rng):
        """The derivative agrees with Keras' automatic one, with alpha left at 1."""
        x = rng.normal(scale=3.0, size=(4, 5))
        assert_close(assert_unchanged(student.elu_grad, x), reference.elu_grad(x))

    @pytest.mark.parametrize("alpha", [0.3, 2.0])
    def test_gradient_alpha(self, student, reference, rng, alpha):
        """The derivative follows `alpha`, and is `alpha` at 0."""
        x = np.concatenate([[1.5], rng.normal(scale=3.0, size=8), [0.0]])
        assert_close(student.elu_grad(x, alpha=alpha), reference.elu_grad(x, alpha=alpha))

    def test_gradient_large(self, student, reference):
        """The derivative stays finite, without a warning, for numbers up to 10,000."""
        assert_close(assert_silent(student.elu_grad, LARGE), reference.elu_grad(LARGE))

    @hidden
    def test_mixed(self, student, reference, rng):
        """Holds for any `alpha` on small and large numbers in one array."""
        x, alpha = _mixed(rng), rng.uniform(0.1, 3.0)
        assert_close(student.elu(x, alpha=alpha), reference.elu(x, alpha=alpha))

    @hidden
    def test_gradient_mixed(self, student, reference, rng):
        """The derivative holds for any `alpha` on small and large numbers in one array."""
        x, alpha = _mixed(rng), rng.uniform(0.1, 3.0)
        assert_close(student.elu_grad(x, alpha=alpha), reference.elu_grad(x, alpha=alpha))


@exercise("softplus", functions=["softplus", "softplus_grad"], points=3)
class TestSoftplus:
    """A ReLU with its corner rounded off."""

    hints = {
        "softplus": [
            "What is log(1 + exp(1000)), almost exactly? Where does your formula lose it?",
            "Take the larger of x and 0 out of the logarithm; what stays inside is 1 + exp(-|x|).",
            "`np.maximum(x, 0)` plus `np.log1p` of the safe exponential.",
        ],
        "softplus_grad": [
            "Differentiate log(1 + exp(x)) by the chain rule. Which fraction comes out?",
            "exp(x) / (1 + exp(x)): divide above and below by exp(x), and you know its name.",
            "You have written this function already: it was the first one.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random numbers."""
        x = rng.normal(scale=3.0, size=(6, 7))
        assert_close(student.softplus(x), reference.softplus(x))

    def test_large(self, student, reference):
        """Stays finite, without a warning, for numbers up to 10,000 on both sides."""
        assert_close(assert_silent(student.softplus, LARGE), reference.softplus(LARGE))

    def test_shapes(self, student, reference, rng):
        """Takes arrays of one and of three axes, and leaves them as they were."""
        for shape in [(5,), (2, 3, 4)]:
            x = rng.normal(size=shape)
            assert_close(assert_unchanged(student.softplus, x), reference.softplus(x))

    def test_single_precision(self, student, reference, rng):
        """Takes float32."""
        x = rng.normal(size=(3, 4)).astype(np.float32)
        assert_close(student.softplus(x), reference.softplus(x), **SINGLE)

    def test_gradient(self, student, reference, rng):
        """The derivative agrees with Keras' automatic one."""
        x = rng.normal(scale=3.0, size=(4, 5))
        assert_close(assert_unchanged(student.softplus_grad, x), reference.softplus_grad(x))

    def test_gradient_large(self, student, reference):
        """The derivative stays finite, without a warning, for numbers up to 10,000."""
        assert_close(assert_silent(student.softplus_grad, LARGE), reference.softplus_grad(LARGE))


@exercise("softmax", functions=["softmax", "softmax_backward"], points=6)
class TestSoftmax:
    """Scores to probabilities."""

    hints = {
        "softmax": [
            "Along which axis must the result sum to one? What can you take off every score of a row without changing it?",
            "Subtract each row's maximum, exponentiate, divide by each row's sum. `keepdims=True` keeps both in place.",
            "`np.exp(x - x.max(axis=axis, keepdims=True))`, divided by its own sum along the same axis.",
        ],
        "softmax_backward": [
            "If one probability of a row goes up, what must the others do? Does your formula know?",
            "Take, along `axis`, the mean of upstream weighted by the probabilities; the rest is one subtraction, one product.",
            "With `p = softmax(x, axis)`: p * (upstream - s), where s is the sum of upstream * p along `axis`, `keepdims=True`.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random scores."""
        scores = rng.normal(scale=2.0, size=(8, 10))
        assert_close(student.softmax(scores), reference.softmax(scores))

    def test_large_scores(self, student, reference, rng):
        """Stays finite, without a warning, for scores up to 10,000."""
        scores = np.array(
            [[1000.0, 999.0, -1000.0], [1e4, -1e4, 9999.5], [-1e4, -9998.0, -9999.0], [0.1, 0.2, 0.3]]
        )
        assert_close(assert_silent(student.softmax, scores), reference.softmax(scores))

    def test_shift(self, student, reference, rng):
        """Does not change when a number is added to all scores of a row."""
        scores = rng.normal(size=(4, 6))
        assert_close(
            student.softmax(scores + rng.normal(scale=50.0, size=(4, 1))),
            reference.softmax(scores),
            rtol=1e-8,
        )

    @pytest.mark.parametrize("axis", [0, 1, -1, -2])
    def test_axis(self, student, reference, rng, axis):
        """Follows `axis`, counted from the front or from the back."""
        scores = rng.normal(scale=2.0, size=(3, 4, 5))
        assert_close(student.softmax(scores, axis=axis), reference.softmax(scores, axis=axis))

    def test_shapes(self, student, reference, rng):
        """Takes one axis and four, and leaves the scores as they were."""
        for shape in [(6,), (2, 3, 2, 4)]:
            scores = rng.normal(size=shape)
            assert_close(assert_unchanged(student.softmax, scores), reference.softmax(scores))

    def test_single_precision(self, student, reference, rng):
        """Takes float32."""
        scores = rng.normal(size=(3, 4)).astype(np.float32)
        assert_close(student.softmax(scores), reference.softmax(scores), **SINGLE)

    def test_backward(self, student, reference, rng):
        """The gradient agrees with Keras' automatic one, for a random upstream."""
        upstream, scores = rng.normal(size=(2, 5, 7))
        assert_close(student.softmax_backward(upstream, scores), reference.softmax_backward(upstream, scores))

    @pytest.mark.parametrize("axis", [0, 1, -2])
    def test_backward_axis(self, student, reference, rng, axis):
        """The gradient follows `axis`."""
        upstream, scores = rng.normal(size=(2, 3, 4, 5))
        expected = reference.softmax_backward(upstream, scores, axis=axis)
        assert_close(student.softmax_backward(upstream, scores, axis=axis), expected)

    def test_backward_one_row(self, student, reference, rng):
        """The gradient of one row is right, and leaves both arguments as they were."""
        upstream, scores = rng.normal(size=(2, 6))
        value = assert_unchanged(student.softmax_backward, upstream, scores)
        assert_close(value, reference.softmax_backward(upstream, scores))

    def test_backward_large_scores(self, student, reference, rng):
        """The gradient stays finite, without a warning, for scores up to 10,000."""
        upstream = rng.normal(size=(3, 3))
        scores = np.array([[1000.0, 999.0, -1000.0], [1e4, -1e4, 9999.5], [0.1, 0.2, 0.3]])
        value = assert_silent(student.softmax_backward, upstream, scores)
        assert_close(value, reference.softmax_backward(upstream, scores))

    @hidden
    @pytest.mark.parametrize("axis", range(-4, 4))
    def test_four_axes(self, student, reference, rng, axis):
        """Follows every axis of an array of four."""
        scores = rng.normal(scale=3.0, size=(2, 3, 4, 5))
        assert_close(student.softmax(scores, axis=axis), reference.softmax(scores, axis=axis))

    @hidden
    @pytest.mark.parametrize("axis", range(-4, 4))
    def test_backward_four_axes(self, student, reference, rng, axis):
        """The gradient follows every axis of an array of four."""
        upstream, scores = rng.normal(scale=3.0, size=(2, 2, 3, 4, 5))
        expected = reference.softmax_backward(upstream, scores, axis=axis)
        assert_close(student.softmax_backward(upstream, scores, axis=axis), expected)
