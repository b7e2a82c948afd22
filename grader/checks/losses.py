"""Checks of the assignment `losses`."""

import numpy as np
import pytest

from grader.exercise import (
    assert_close,
    assert_refuses,
    assert_silent,
    assert_unchanged,
    core,
    exercise,
    hidden,
)

SINGLE = {"rtol": 1e-5, "atol": 1e-6}


def two_arrays(rng, *shape):
    """A truth and a prediction that differ in sign, size and centre."""
    return rng.normal(size=shape), 1.5 * rng.normal(size=shape) + 0.3


def one_hot(rng, batch, classes):
    return np.eye(classes)[rng.integers(classes, size=batch)]


def binary(rng, *shape):
    return rng.integers(2, size=shape).astype(float)


def signs(rng, *shape):
    return 2 * binary(rng, *shape) - 1


def spread(rng, low, high, *shape):
    """Evenly spaced numbers in random order: small and large ones are surely among them."""
    return rng.permutation(np.linspace(low, high, np.prod(shape))).reshape(shape)


def assert_refuses_two_shapes(student, reference, loss, y_true, y_pred, *more):
    """A column against a row would quietly become a table of all pairs; two tables of one shape are fine.

    The tables come first and show any other mistake, so that whoever is refused here fails for the shapes alone.
    """
    function = getattr(student, loss)
    expected = getattr(reference, loss)(y_true, y_pred, *more)
    assert_close(assert_unchanged(function, y_true, y_pred, *more), expected)
    row, other = y_true[-1], y_pred[-1]
    assert_refuses(function, row, other[:, np.newaxis], *more)
    assert_refuses(function, row[:, np.newaxis], other, *more)


@exercise("l1_loss", functions=["l1_loss", "l2_loss"], points=2)
class TestL1AndL2:
    """Sums of absolute and of squared errors."""

    hints = {
        "l1_loss": [
            "Errors of +3 and -3: should they cancel? How do you add up over every axis, whatever their number?",
            "`np.abs` first, `np.sum` without an axis after. And the shapes, are they equal?",
            "`require_same_shape(y_true=y_true, y_pred=y_pred)`, then `np.sum(np.abs(y_pred - y_true))`.",
        ],
        "l2_loss": [
            "What becomes of an error of 3, and is a mean or a root asked for?",
            "Square each error and add up: no division, no square root.",
            "`np.sum((y_pred - y_true) ** 2)`, after the same guard as in `l1_loss`.",
        ],
    }

    @core
    def test_absolute_errors(self, student, reference, rng):
        """`l1_loss` adds up the absolute errors."""
        y_true, y_pred = two_arrays(rng, 6)
        assert_close(student.l1_loss(y_true, y_pred), reference.l1_loss(y_true, y_pred))

    def test_squared_errors(self, student, reference, rng):
        """`l2_loss` adds up the squared errors."""
        y_true, y_pred = two_arrays(rng, 6)
        assert_close(student.l2_loss(y_true, y_pred), reference.l2_loss(y_true, y_pred))

    def test_l1_over_every_axis(self, student, reference, rng):
        """`l1_loss` gives one number for arrays of two and of four axes, and leaves them as they were."""
        for shape in [(5, 3), (2, 3, 4, 2)]:
            y_true, y_pred = two_arrays(rng, *shape)
            y_pred -= 2  # too low on the whole
            assert_close(assert_unchanged(student.l1_loss, y_true, y_pred), reference.l1_loss(y_true, y_pred))

    def test_l2_over_every_axis(self, student, reference, rng):
        """`l2_loss` gives one number for arrays of two and of four axes, and leaves them as they were."""
        for shape in [(5, 3), (2, 3, 4, 2)]:
            y_true, y_pred = two_arrays(rng, *shape)
            assert_close(assert_unchanged(student.l2_loss, y_true, y_pred), reference.l2_loss(y_true, y_pred))

    def test_two_shapes(self, student, reference, rng):
        """Both take two tables of one shape, and refuse `(4,)` with `(4, 1)`, which NumPy would make all pairs of."""
        y_true, y_pred = two_arrays(rng, 3, 4)
        assert_refuses_two_shapes(student, reference, "l1_loss", y_true, y_pred)
        assert_refuses_two_shapes(student, reference, "l2_loss", y_true, y_pred)


@exercise("mean_absolute_error", functions=["mean_absolute_error"], points=1)
class TestMeanAbsoluteError:
    """The mean of the absolute errors."""

    hints = {
        "mean_absolute_error": [
            "What do you divide by when the predictions have shape (8, 3)?",
            "By the number of elements, `np.size(y_true)`, not by the number of rows.",
            "`l1_loss(y_true, y_pred) / np.size(y_true)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random predictions."""
        y_true, y_pred = two_arrays(rng, 7)
        assert_close(
            student.mean_absolute_error(y_true, y_pred), reference.mean_absolute_error(y_true, y_pred)
        )

    def test_over_every_element(self, student, reference, rng):
        """Takes the mean over every element, of two axes and of three."""
        for shape in [(8, 3), (2, 4, 3)]:
            y_true, y_pred = two_arrays(rng, *shape)
            y_pred -= 2  # too low on the whole
            expected = reference.mean_absolute_error(y_true, y_pred)
            assert_close(assert_unchanged(student.mean_absolute_error, y_true, y_pred), expected)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        y_true, y_pred = (array.astype(np.float32) for array in two_arrays(rng, 5, 4))
        expected = reference.mean_absolute_error(y_true, y_pred)
        assert_close(student.mean_absolute_error(y_true, y_pred), expected, **SINGLE)

    def test_two_shapes(self, student, reference, rng):
        """Takes two tables of one shape, and refuses `(4,)` with `(4, 1)`, which NumPy would make all pairs of."""
        assert_refuses_two_shapes(student, reference, "mean_absolute_error", *two_arrays(rng, 3, 4))


@exercise("mean_squared_error", functions=["mean_squared_error", "mean_squared_error_grad"], points=2)
class TestMeanSquaredError:
    """The mean of the squared errors, and its gradient."""

    hints = {
        "mean_squared_error": [
            "Squared, then averaged: over rows, or over every element?",
            "It is `l2_loss` over the number of elements. No half and no root.",
            "`l2_loss(y_true, y_pred) / np.size(y_true)`.",
        ],
        "mean_squared_error_grad": [
            "If a prediction is too high, which sign must its entry have so that going against it helps?",
            "Differentiate one term, (p - y)² / n, by p. Keep the 2, keep the 1/n.",
            "`2 * (y_pred - y_true) / np.size(y_true)`, an array of the prediction's shape.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random predictions."""
        y_true, y_pred = two_arrays(rng, 7)
        assert_close(student.mean_squared_error(y_true, y_pred), reference.mean_squared_error(y_true, y_pred))

    def test_over_every_element(self, student, reference, rng):
        """Takes the mean over every element, of two axes and of three."""
        for shape in [(8, 3), (2, 4, 3)]:
            y_true, y_pred = two_arrays(rng, *shape)
            expected = reference.mean_squared_error(y_true, y_pred)
            assert_close(assert_unchanged(student.mean_squared_error, y_true, y_pred), expected)

    def test_two_shapes(self, student, reference, rng):
        """Takes two tables of one shape, and refuses `(4,)` with `(4, 1)`, which NumPy would make all pairs of."""
        assert_refuses_two_shapes(student, reference, "mean_squared_error", *two_arrays(rng, 3, 4))

    def test_gradient(self, student, reference, rng):
        """The gradient agrees with automatic differentiation."""
        y_true, y_pred = two_arrays(rng, 6)
        assert_close(
            student.mean_squared_error_grad(y_true, y_pred), reference.mean_squared_error_grad(y_true, y_pred)
        )

    def test_gradient_of_tables(self, student, reference, rng):
        """The gradient of a table has its shape, and shares the mean over every element."""
        y_true, y_pred = two_arrays(rng, 4, 3)
        expected = reference.mean_squared_error_grad(y_true, y_pred)
        assert_close(assert_unchanged(student.mean_squared_error_grad, y_true, y_pred), expected)


@exercise("linear_regression", functions=["linear_regression_cost", "linear_regression_grad"], points=3)
class TestLinearRegression:
    """The cost of a linear model, and its gradient."""

    hints = {
        "linear_regression_cost": [
            "Which product of `x` and `theta` gives one prediction for each row?",
            "Predictions are `x @ theta`. Square the errors, add up, divide by 2m, where m is the number of rows.",
            "`l2_loss(y, x @ theta) / (2 * len(y))`.",
        ],
        "linear_regression_grad": [
            "The result needs one entry for each weight. Which product of `x` and the m errors has that shape?",
            "The transposed `x` times the errors `x @ theta - y`, over m: the half of the cost has eaten the 2.",
            "`x.T @ (x @ theta - y) / len(y)`.",
        ],
    }

    @core
    def test_cost(self, student, reference, rng):
        """The cost agrees with half of Keras' mean squared error."""
        theta, x, y = rng.normal(size=3), rng.normal(size=(7, 3)), rng.normal(size=7)
        assert_close(
            student.linear_regression_cost(theta, x, y), reference.linear_regression_cost(theta, x, y)
        )

    def test_cost_of_zero_weights(self, student, reference, rng):
        """With weights of zero the cost is that of the targets alone."""
        theta, x, y = np.zeros(2), rng.normal(size=(5, 2)), rng.normal(size=5) + 2
        assert_close(
            student.linear_regression_cost(theta, x, y), reference.linear_regression_cost(theta, x, y)
        )

    @pytest.mark.parametrize("m, n", [(6, 1), (1, 4)])
    def test_cost_of_narrow_tables(self, student, reference, rng, m, n):
        """The cost holds for a single feature and for a single example, and leaves its arguments as they were."""
        theta, x, y = rng.normal(size=n), rng.normal(size=(m, n)), rng.normal(size=m)
        expected = reference.linear_regression_cost(theta, x, y)
        assert_close(assert_unchanged(student.linear_regression_cost, theta, x, y), expected)

    def test_two_shapes(self, student, reference, rng):
        """The cost refuses targets of shape `(5, 1)`, which NumPy would broadcast to a table of all pairs."""
        theta, x, y = rng.normal(size=2), rng.normal(size=(5, 2)), rng.normal(size=5)
        expected = reference.linear_regression_cost(theta, x, y)
        assert_close(assert_unchanged(student.linear_regression_cost, theta, x, y), expected)
        assert_refuses(student.linear_regression_cost, theta, x, y[:, np.newaxis])

    def test_gradient(self, student, reference, rng):
        """The gradient agrees with automatic differentiation."""
        theta, x, y = rng.normal(size=3), rng.normal(size=(7, 3)), rng.normal(size=7)
        expected = reference.linear_regression_grad(theta, x, y)
        assert_close(assert_unchanged(student.linear_regression_grad, theta, x, y), expected)

    @pytest.mark.parametrize("m, n", [(6, 1), (1, 4)])
    def test_gradient_of_narrow_tables(self, student, reference, rng, m, n):
        """The gradient holds for a single feature and for a single example."""
        theta, x, y = rng.normal(size=n), rng.normal(size=(m, n)), rng.normal(size=m)
        assert_close(
            student.linear_regression_grad(theta, x, y), reference.linear_regression_grad(theta, x, y)
        )

    @hidden
    def test_gradient_of_a_square_table(self, student, reference, rng):
        """The gradient is right where as many examples as features would hide a missing transpose."""
        theta, x, y = rng.normal(size=4), rng.normal(size=(4, 4)), rng.normal(size=4)
        assert_close(
            student.linear_regression_grad(theta, x, y), reference.linear_regression_grad(theta, x, y)
        )


@exercise("huber", functions=["huber", "huber_grad"], points=3)
class TestHuber:
    """Squared near zero, linear far away."""

    hints = {
        "huber": [
            "What do the two pieces give at an error of exactly delta? They must agree there.",
            "Take the absolute error once. Half its square up to delta, `delta * (error - delta / 2)` beyond; then the mean.",
            "`np.mean(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)))`.",
        ],
        "huber_grad": [
            "How steep is each piece, and which sign has it left of zero?",
            "The error itself while it is small, then plus or minus delta: the error held between two bounds.",
            "`np.clip(y_pred - y_true, -delta, delta) / np.size(y_true)`.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on small and large errors."""
        y_true, y_pred = two_arrays(rng, 20)
        assert_close(student.huber(y_true, 2 * y_pred), reference.huber(y_true, 2 * y_pred))

    def test_small_errors(self, student, reference, rng):
        """Within delta it is half the square."""
        y_true = rng.normal(size=(5, 2))
        y_pred = y_true + rng.uniform(-0.9, 0.9, size=(5, 2))
        assert_close(assert_unchanged(student.huber, y_true, y_pred), reference.huber(y_true, y_pred))

    def test_large_errors(self, student, reference, rng):
        """Beyond delta it is a line, above zero on both sides."""
        y_true = np.zeros((4, 3))
        y_pred = signs(rng, 4, 3) * rng.uniform(5, 1000, size=(4, 3))
        assert_close(student.huber(y_true, y_pred), reference.huber(y_true, y_pred))

    @pytest.mark.parametrize("delta", [0.25, 1.0, 3.0])
    def test_delta(self, student, reference, rng, delta):
        """Follows `delta`, also for errors of exactly delta."""
        y_true, y_pred = two_arrays(rng, 12)
        y_true, y_pred = np.append(y_true, [0.0, 0.0]), np.append(2 * y_pred, [delta, -delta])
        expected = reference.huber(y_true, y_pred, delta)
        assert_close(assert_unchanged(student.huber, y_true, y_pred, delta), expected)
        assert_close(
            student.huber(np.zeros(2), y_pred[-2:], delta), reference.huber(np.zeros(2), y_pred[-2:], delta)
        )

    def test_two_shapes(self, student, reference, rng):
        """Takes two tables of one shape, and refuses `(4,)` with `(4, 1)`, which NumPy would make all pairs of."""
        y_true = rng.normal(size=(3, 4))
        y_pred = y_true + spread(rng, -3, 3, 3, 4)
        assert_close(student.huber(y_true, y_pred), reference.huber(y_true, y_pred))
        assert_refuses_two_shapes(student, reference, "huber", y_true, y_pred, 2.0)

    def test_gradient(self, student, reference, rng):
        """The gradient agrees with automatic differentiation on small and large errors."""
        y_true, y_pred = two_arrays(rng, 20)
        assert_close(student.huber_grad(y_true, 2 * y_pred), reference.huber_grad(y_true, 2 * y_pred))

    @pytest.mark.parametrize("delta", [0.25, 3.0])
    def test_gradient_follows_delta(self, student, reference, rng, delta):
        """The gradient follows `delta`, at exactly delta and at no error at all too."""
        y_true, y_pred = two_arrays(rng, 5, 3)
        y_true[0], y_pred[0] = 0.0, [delta, -delta, 0.0]
        expected = reference.huber_grad(y_true, y_pred, delta)
        assert_close(assert_unchanged(student.huber_grad, y_true, y_pred, delta), expected)

    @hidden
    def test_many_axes(self, student, reference, rng):
        """Takes the mean over every element of three axes."""
        y_true, y_pred = two_arrays(rng, 3, 4, 5)
        assert_close(student.huber(y_true, y_pred, 0.7), reference.huber(y_true, y_pred, 0.7))


@exercise("hinge", functions=["hinge"], points=2)
class TestHinge:
    """A margin of one, or pay."""

    hints = {
        "hinge": [
            "An example with margin 5: does it cost nothing, or earn something back?",
            "The margin is the product of label and score. What is missing to 1 is the cost, never below 0.",
            "`np.mean(np.maximum(0, 1 - y_true * y_pred))`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random scores."""
        y_true, y_pred = signs(rng, 12), 1.5 * rng.normal(size=12)
        assert_close(student.hinge(y_true, y_pred), reference.hinge(y_true, y_pred))

    def test_safely_right(self, student, reference, rng):
        """Beyond a margin of 1 an example costs nothing, and earns nothing back."""
        y_true = signs(rng, 9)
        y_pred = y_true * rng.uniform(0.2, 20, size=9)
        assert_close(student.hinge(y_true, y_pred), reference.hinge(y_true, y_pred))

    def test_far_wrong(self, student, reference, rng):
        """The cost of a wrong sign grows with the score, without a limit."""
        y_true = signs(rng, 6)
        y_pred = -y_true * rng.uniform(10, 1e4, size=6)
        assert_close(student.hinge(y_true, y_pred), reference.hinge(y_true, y_pred))

    def test_at_the_margin(self, student, reference):
        """Margins of exactly 0 and 1 cost 1 and 0."""
        y_true, y_pred = np.array([1.0, -1.0, 1.0, -1.0, 1.0]), np.array([1.0, -1.0, 0.0, 0.0, 0.5])
        assert_close(student.hinge(y_true, y_pred), reference.hinge(y_true, y_pred))

    def test_over_every_element(self, student, reference, rng):
        """Takes the mean over every element of two axes, and leaves its arguments as they were."""
        y_true, y_pred = signs(rng, 6, 4), rng.normal(size=(6, 4))
        assert_close(assert_unchanged(student.hinge, y_true, y_pred), reference.hinge(y_true, y_pred))

    def test_two_shapes(self, student, reference, rng):
        """Takes two tables of one shape, and refuses `(4,)` with `(4, 1)`, which NumPy would make all pairs of."""
        y_true = np.tile([-1.0, 1.0], (3, 2))
        margins = rng.uniform(1, 1.2) * np.linspace(-2, 4, 12).reshape(3, 4)
        assert_refuses_two_shapes(student, reference, "hinge", y_true, y_true * margins)


@exercise("cross_entropy", functions=["cross_entropy"], points=3)
class TestCrossEntropy:
    """The price of the probability given to what happened."""

    hints = {
        "cross_entropy": [
            "In a row of one-hot labels, how many terms of the sum over classes are not zero? And what is log 0?",
            "Clip the probabilities to [1e-7, 1 - 1e-7], take the logarithm, keep the true class, add up, divide by the rows.",
            "`-np.sum(y_true * np.log(np.clip(probabilities, 1e-7, 1 - 1e-7))) / len(y_true)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on rows of probabilities."""
        y_true, probabilities = one_hot(rng, 6, 4), rng.dirichlet(np.ones(4), size=6)
        assert_close(
            student.cross_entropy(y_true, probabilities), reference.cross_entropy(y_true, probabilities)
        )

    def test_rows_as_they_come(self, student, reference, rng):
        """Rows that do not sum to 1 are taken as they come."""
        y_true, probabilities = one_hot(rng, 5, 3), rng.uniform(0.05, 0.95, size=(5, 3))
        assert_close(
            student.cross_entropy(y_true, probabilities), reference.cross_entropy(y_true, probabilities)
        )

    def test_sure_and_wrong(self, student, reference):
        """A true class of probability 0 costs -log(1e-7), not infinity."""
        y_true, probabilities = np.eye(3), np.roll(np.eye(3), 1, axis=1)
        expected = reference.cross_entropy(y_true, probabilities)
        assert_close(assert_silent(student.cross_entropy, y_true, probabilities), expected)

    def test_sure_and_right(self, student, reference):
        """A true class of probability 1 costs -log(1 - 1e-7), and no NaN comes of 0 log 0."""
        y_true = np.eye(4)[[2, 0, 3]]
        expected = reference.cross_entropy(y_true, y_true.copy())
        assert_close(assert_silent(student.cross_entropy, y_true, y_true.copy()), expected)

    def test_near_zero(self, student, reference):
        """Clips at 1e-7: 1e-6 is left alone, 1e-9 is not."""
        y_true = np.array([[1.0, 0.0], [0.0, 1.0]])
        for tiny in (1e-6, 1e-9):
            probabilities = np.array([[tiny, 1 - tiny], [0.4, 0.6]])
            expected = reference.cross_entropy(y_true, probabilities)
            assert_close(assert_unchanged(student.cross_entropy, y_true, probabilities), expected)

    @pytest.mark.parametrize("batch, classes", [(1, 5), (9, 2)])
    def test_mean_over_the_batch(self, student, reference, rng, batch, classes):
        """The mean is over the batch, whatever the number of classes."""
        y_true, probabilities = one_hot(rng, batch, classes), rng.dirichlet(np.ones(classes), size=batch)
        assert_close(
            student.cross_entropy(y_true, probabilities), reference.cross_entropy(y_true, probabilities)
        )

    @hidden
    def test_everything_at_once(self, student, reference, rng):
        """Holds where rows are sure, unsure and no distributions at all."""
        y_true, probabilities = one_hot(rng, 12, 5), rng.uniform(-0.3, 1.3, size=(12, 5)).clip(0, 1)
        assert_close(
            student.cross_entropy(y_true, probabilities), reference.cross_entropy(y_true, probabilities)
        )


@exercise(
    "sigmoid_cross_entropy", functions=["sigmoid_cross_entropy", "sigmoid_cross_entropy_grad"], points=4
)
class TestSigmoidCrossEntropy:
    """Yes or no, from a raw score."""

    hints = {
        "sigmoid_cross_entropy": [
            "What does `np.exp` give for 1000? Which exponential in the formula stays below 1 for every logit?",
            "Never form the sigmoid: max(z, 0) - z y + log(1 + exp(-|z|)), and `np.log1p` for the last term.",
            "`np.mean(np.maximum(logits, 0) - logits * y_true + np.log1p(np.exp(-np.abs(logits))))`.",
        ],
        "sigmoid_cross_entropy_grad": [
            "Predicted minus true, shared by every element. How do you get the sigmoid of -1000 without exp(1000)?",
            "With e = exp(-|z|), the sigmoid is 1 / (1 + e) for z >= 0 and e / (1 + e) below.",
            "`np.where(logits >= 0, 1, e) / (1 + e)`, minus `y_true`, over `np.size(y_true)`.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random logits."""
        y_true, logits = binary(rng, 10), 2 * rng.normal(size=10)
        assert_close(
            student.sigmoid_cross_entropy(y_true, logits), reference.sigmoid_cross_entropy(y_true, logits)
        )

    def test_over_every_element(self, student, reference, rng):
        """Takes the mean over every element, of two axes and of three."""
        for shape in [(5, 3), (2, 3, 4)]:
            y_true, logits = binary(rng, *shape), rng.normal(size=shape)
            expected = reference.sigmoid_cross_entropy(y_true, logits)
            assert_close(assert_unchanged(student.sigmoid_cross_entropy, y_true, logits), expected)

    @pytest.mark.parametrize("size", [40.0, 1e3, 1e4])
    def test_large_logits(self, student, reference, size):
        """Stays finite and exact for logits up to 10,000, right and wrong, without a warning."""
        for label in (0.0, 1.0):
            for logit in (size, -size):
                y_true, logits = np.array([label]), np.array([logit])
                expected = reference.sigmoid_cross_entropy(y_true, logits)
                assert_close(assert_silent(student.sigmoid_cross_entropy, y_true, logits), expected)

    def test_two_shapes(self, student, reference, rng):
        """Takes two tables of one shape, and refuses `(4,)` with `(4, 1)`, which NumPy would make all pairs of."""
        y_true, logits = np.tile([0.0, 1.0], (3, 2)), rng.normal(size=(3, 4))
        logits[0] = [1e4, -1e4, -1e4, 1e4]
        assert_refuses_two_shapes(student, reference, "sigmoid_cross_entropy", y_true, logits)

    def test_gradient(self, student, reference, rng):
        """The gradient agrees with automatic differentiation, also of tables."""
        for shape in [(6,), (5, 3)]:
            y_true, logits = binary(rng, *shape), 2 * rng.normal(size=shape)
            expected = reference.sigmoid_cross_entropy_grad(y_true, logits)
            assert_close(assert_unchanged(student.sigmoid_cross_entropy_grad, y_true, logits), expected)

    def test_gradient_of_large_logits(self, student, reference):
        """The gradient of logits up to 10,000 is finite, without a warning."""
        logits = np.array([1e4, 1e4, -1e4, -1e4, 800.0, -800.0, 0.0])
        y_true = np.array([1.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0])
        expected = reference.sigmoid_cross_entropy_grad(y_true, logits)
        assert_close(assert_silent(student.sigmoid_cross_entropy_grad, y_true, logits), expected)

    @hidden
    def test_mixed_logits(self, student, reference, rng):
        """Holds where small and very large logits share a batch."""
        y_true = binary(rng, 6, 5)
        logits = rng.normal(size=(6, 5)) * 10.0 ** rng.integers(4, size=(6, 5))
        expected = reference.sigmoid_cross_entropy(y_true, logits)
        assert_close(assert_silent(student.sigmoid_cross_entropy, y_true, logits), expected)


@exercise(
    "softmax_cross_entropy", functions=["softmax_cross_entropy", "softmax_cross_entropy_grad"], points=4
)
class TestSoftmaxCrossEntropy:
    """One of many classes, from raw scores."""

    hints = {
        "softmax_cross_entropy": [
            "Adding a constant to a row of logits changes no probability. Which constant makes every exponential harmless?",
            "Subtract each row's own largest logit, then the logarithm of the row's sum of exponentials. Divide by the rows.",
            "`log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))`, then `-np.sum(y_true * log_p) / len(y_true)`.",
        ],
        "softmax_cross_entropy_grad": [
            "What was predicted, minus what was true. Divided by what?",
            "A stable softmax of each row, minus the labels, over the number of rows.",
            "`(probabilities - y_true) / len(y_true)`.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random logits."""
        y_true, logits = one_hot(rng, 6, 4), 2 * rng.normal(size=(6, 4))
        assert_close(
            student.softmax_cross_entropy(y_true, logits), reference.softmax_cross_entropy(y_true, logits)
        )

    @pytest.mark.parametrize("batch, classes", [(1, 5), (9, 2)])
    def test_mean_over_the_batch(self, student, reference, rng, batch, classes):
        """The mean is over the batch, whatever the number of classes."""
        y_true, logits = one_hot(rng, batch, classes), rng.normal(size=(batch, classes))
        expected = reference.softmax_cross_entropy(y_true, logits)
        assert_close(assert_unchanged(student.softmax_cross_entropy, y_true, logits), expected)

    def test_large_logits(self, student, reference, rng):
        """Stays finite and exact for logits up to 10,000, without a warning."""
        y_true = one_hot(rng, 6, 4)
        for logits in (9e3 + rng.normal(size=(6, 4)), rng.uniform(-1e4, 1e4, size=(6, 4))):
            expected = reference.softmax_cross_entropy(y_true, logits)
            assert_close(assert_silent(student.softmax_cross_entropy, y_true, logits), expected)

    def test_rows_far_apart(self, student, reference, rng):
        """Each row is made safe by its own largest logit."""
        y_true, logits = one_hot(rng, 3, 4), rng.normal(size=(3, 4)) + np.array([[5000.0], [0.0], [-5000.0]])
        expected = reference.softmax_cross_entropy(y_true, logits)
        assert_close(assert_silent(student.softmax_cross_entropy, y_true, logits), expected)

    def test_gradient(self, student, reference, rng):
        """The gradient agrees with automatic differentiation."""
        y_true, logits = one_hot(rng, 5, 3), 2 * rng.normal(size=(5, 3))
        expected = reference.softmax_cross_entropy_grad(y_true, logits)
        assert_close(assert_unchanged(student.softmax_cross_entropy_grad, y_true, logits), expected)

    def test_gradient_of_large_logits(self, student, reference, rng):
        """The gradient of logits up to 10,000 is finite, without a warning, in rows far apart too."""
        y_true = one_hot(rng, 3, 4)
        for logits in (
            9e3 + rng.normal(size=(3, 4)),
            rng.uniform(-1e4, 1e4, size=(3, 4)),
            rng.normal(size=(3, 4)) + np.array([[5e3], [0.0], [-5e3]]),
        ):
            expected = reference.softmax_cross_entropy_grad(y_true, logits)
            assert_close(assert_silent(student.softmax_cross_entropy_grad, y_true, logits), expected)

    @hidden
    def test_another_batch(self, student, reference, rng):
        """Holds for a batch of other shape, in `float32`."""
        y_true, logits = one_hot(rng, 11, 6).astype(np.float32), rng.normal(size=(11, 6)).astype(np.float32)
        expected = reference.softmax_cross_entropy(y_true, logits)
        assert_close(student.softmax_cross_entropy(y_true, logits), expected, **SINGLE)

    @hidden
    def test_gradient_of_another_batch(self, student, reference, rng):
        """The gradient holds where there are as many rows as classes, and for a single row."""
        for batch in (4, 1):
            y_true, logits = one_hot(rng, batch, 4), rng.normal(size=(batch, 4))
            expected = reference.softmax_cross_entropy_grad(y_true, logits)
            assert_close(student.softmax_cross_entropy_grad(y_true, logits), expected)


@exercise("total_variation", functions=["total_variation"], points=2)
class TestTotalVariation:
    """How restless an image is."""

    hints = {
        "total_variation": [
            "An image of three rows and four columns has how many steps down, how many to the right?",
            "`np.diff` along axis 1 and along axis 2; absolute values; summed over all axes but the batch.",
            "`np.abs(np.diff(images, axis=1)).sum(axis=(1, 2, 3))`, plus the same along axis 2.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with `tf.image.total_variation` on random images, one number each."""
        images = rng.uniform(size=(3, 5, 7, 3))
        assert_close(student.total_variation(images), reference.total_variation(images))

    def test_steps_down(self, student, reference, rng):
        """Where all columns are the same, only the steps down count."""
        images = np.broadcast_to(rng.normal(size=(2, 6, 1, 1)), (2, 6, 4, 1)).copy()
        assert_close(student.total_variation(images), reference.total_variation(images))

    def test_steps_to_the_right(self, student, reference, rng):
        """Where all rows are the same, only the steps to the right count."""
        images = np.broadcast_to(rng.normal(size=(2, 1, 6, 1)), (2, 4, 6, 1)).copy()
        assert_close(student.total_variation(images), reference.total_variation(images))

    def test_no_wrapping(self, student, reference):
        """The last row is no neighbour of the first, the last column none of the first."""
        images = np.arange(24.0).reshape(1, 4, 6, 1)
        assert_close(student.total_variation(images), reference.total_variation(images))

    @pytest.mark.parametrize("height, width", [(1, 5), (5, 1), (1, 1)])
    def test_thin_images(self, student, reference, rng, height, width):
        """Holds for one row, one column and one pixel."""
        images = rng.normal(size=(2, height, width, 2))
        assert_close(assert_unchanged(student.total_variation, images), reference.total_variation(images))


@exercise("gram_matrix", functions=["gram_matrix"], points=2)
class TestGramMatrix:
    """Which patterns keep company."""

    hints = {
        "gram_matrix": [
            "Which axes does the sum run over, and which remain? How many terms has it?",
            "Reshape to (batch, places, channels) and multiply the transpose of each table by the table, over h * w.",
            "`np.swapaxes(flat, 1, 2) @ flat / (height * width)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on random features."""
        features = rng.normal(size=(2, 4, 5, 3))
        assert_close(student.gram_matrix(features), reference.gram_matrix(features))

    def test_one_channel(self, student, reference, rng):
        """With one channel it is the mean square."""
        features = rng.normal(size=(2, 3, 5, 1))
        assert_close(student.gram_matrix(features), reference.gram_matrix(features))

    def test_one_place(self, student, reference, rng):
        """With one place it holds the products of the channels."""
        features = rng.normal(size=(2, 1, 1, 4))
        assert_close(student.gram_matrix(features), reference.gram_matrix(features))

    def test_each_image_its_own(self, student, reference, rng):
        """Each image of a batch gets its own matrix, and the features stay as they were."""
        features = rng.normal(size=(4, 3, 2, 5)) * np.arange(1.0, 5.0).reshape(4, 1, 1, 1)
        assert_close(assert_unchanged(student.gram_matrix, features), reference.gram_matrix(features))

    def test_shuffled_places(self, student, reference, rng):
        """Forgets where a pattern is: shuffled places give the same matrix."""
        features = rng.normal(size=(1, 4, 6, 3))
        shuffled = rng.permutation(features.reshape(24, 3)).reshape(1, 6, 4, 3)
        assert_close(student.gram_matrix(shuffled), reference.gram_matrix(features))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32` features after a ReLU."""
        features = np.maximum(rng.normal(size=(3, 6, 5, 8)), 0).astype(np.float32)
        assert_close(student.gram_matrix(features), reference.gram_matrix(features), **SINGLE)


@exercise("style_loss", functions=["style_loss", "content_loss"], points=2)
class TestStyleAndContent:
    """Painted like one picture, showing another."""

    hints = {
        "style_loss": [
            "Style forgets the place and keeps the company. Which of your functions does that?",
            "The mean squared difference of the two Gram matrices: two functions you have already, one inside the other. "
            "If it is off and looks right, look at those two.",
            "`mean_squared_error(gram_matrix(style), gram_matrix(generated))`.",
        ],
        "content_loss": [
            "Content keeps the place. Is anything left to do before you compare?",
            "The mean squared difference of the features themselves, over every element, without a half.",
            "`mean_squared_error(content, generated)`.",
        ],
    }

    @core
    def test_style(self, student, reference, rng):
        """The style loss agrees with the reference on random features."""
        style, generated = rng.normal(size=(2, 4, 5, 3)), rng.uniform(size=(2, 4, 5, 3))
        assert_close(student.style_loss(style, generated), reference.style_loss(style, generated))

    def test_content(self, student, reference, rng):
        """The content loss agrees with the reference on random features."""
        content, generated = two_arrays(rng, 2, 4, 5, 3)
        assert_close(student.content_loss(content, generated), reference.content_loss(content, generated))

    def test_style_of_a_batch(self, student, reference, rng):
        """The style loss is one number for a batch, the mean over images and pairs of channels."""
        style, generated = two_arrays(rng, 3, 2, 4, 5)
        assert_close(
            assert_unchanged(student.style_loss, style, generated), reference.style_loss(style, generated)
        )

    def test_content_of_a_batch(self, student, reference, rng):
        """The content loss is one number for a batch, the mean over every element."""
        content, generated = two_arrays(rng, 3, 2, 4, 5)
        assert_close(
            assert_unchanged(student.content_loss, content, generated),
            reference.content_loss(content, generated),
        )

    def test_style_of_a_moved_picture(self, student, reference, rng):
        """A picture moved sideways keeps its style."""
        picture = rng.normal(size=(1, 5, 6, 4))
        moved = np.roll(picture, 2, axis=2)
        assert_close(student.style_loss(picture, moved), reference.style_loss(picture, moved))

    def test_content_of_a_moved_picture(self, student, reference, rng):
        """A picture moved sideways has lost its content."""
        picture = rng.normal(size=(1, 5, 6, 4))
        moved = np.roll(picture, 2, axis=2)
        assert_close(student.content_loss(picture, moved), reference.content_loss(picture, moved))
