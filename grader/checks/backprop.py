"""Checks of the assignment `backprop`."""

import numpy as np
import pytest

from grader.exercise import (
    assert_close,
    assert_silent,
    assert_unchanged,
    core,
    driver,
    exercise,
    hidden,
)

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
SLOPE = {"rtol": 1e-6, "atol": 1e-8}
"""How near a central difference with a step of 1e-5 comes to a gradient."""


def slope(f, x, eps=1e-5):
    """Central differences of a function that gives a number."""
    steps = eps * np.eye(x.size).reshape(x.size, *x.shape)
    return np.array([f(x + step) - f(x - step) for step in steps]).reshape(x.shape) / (2 * eps)


def layer(rng, batch, inputs, outputs):
    """Inputs, weights and a bias."""
    return (
        rng.normal(size=(batch, inputs)),
        rng.normal(size=(inputs, outputs)),
        rng.normal(size=outputs) + 1,
    )


def network(rng, inputs, hidden, classes):
    """Parameters under which some hidden units are on and some are off."""
    return {
        "w1": rng.normal(size=(inputs, hidden)),
        "b1": rng.normal(size=hidden),
        "w2": rng.normal(size=(hidden, classes)),
        "b2": rng.normal(size=classes),
    }


def labels(rng, batch, classes):
    return np.eye(classes)[rng.integers(classes, size=batch)]


def loss_of(params, x, y_true):
    """The loss of a two-layer net alone, to take its slope numerically."""
    w1, b1, w2, b2 = params.values()
    logits = np.maximum(x @ w1 + b1, 0) @ w2 + b2
    return np.mean(np.logaddexp.reduce(logits, axis=1) - np.sum(y_true * logits, axis=1))


@driver
def three_links(chain_rule, x):
    functions = [np.sin, np.exp, np.square]
    derivatives = [np.cos, np.exp, lambda u: 2 * u]
    return chain_rule(functions, derivatives, x)


@driver
def one_link(chain_rule, x):
    return chain_rule([np.sin], [np.cos], x)


@driver
def square_then_sine(chain_rule, x):
    return chain_rule([np.square, np.sin], [lambda u: 2 * u, np.cos], x)


@driver
def sine_then_square(chain_rule, x):
    return chain_rule([np.sin, np.square], [np.cos, lambda u: 2 * u], x)


@driver
def lines_in_a_row(chain_rule, x, factors):
    functions = [lambda u, c=c: c * u + 1 for c in factors]
    derivatives = [lambda u, c=c: np.full_like(u, c) for c in factors]
    return chain_rule(functions, derivatives, x)


@driver
def many_links(chain_rule, x, count):
    return chain_rule([np.tanh] * count, [lambda u: 1 - np.tanh(u) ** 2] * count, x)


@driver
def no_link(chain_rule, x):
    return chain_rule([], [], x)


@exercise("chain_rule", functions=["chain_rule"], points=3)
class TestChainRule:
    """A chain of functions, and its slope."""

    hints = {
        "chain_rule": [
            "The second function never sees x. What does it see, and where must its derivative be taken?",
            "Walk along the chain with two numbers in hand: the value so far, and the slope so far. Which do you update first?",
            "For each pair: `slope = slope * derivative(value)`, and only then `value = function(value)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Follows a chain of three: the sine, its exponential, the square of that."""
        x = rng.uniform(-1, 1, size=6)
        assert_close(
            student.chain_rule.driven_by(three_links)(x), reference.chain_rule.driven_by(three_links)(x)
        )

    def test_one_link(self, student, reference, rng):
        """A chain of one function has that function's derivative."""
        x = rng.uniform(-2, 2, size=4)
        assert_close(student.chain_rule.driven_by(one_link)(x), reference.chain_rule.driven_by(one_link)(x))

    def test_order(self, student, reference, rng):
        """Applies the first function first: the sine of a square is not the square of a sine."""
        x = rng.uniform(0.5, 1.5, size=4)
        for links in (square_then_sine, sine_then_square):
            assert_close(student.chain_rule.driven_by(links)(x), reference.chain_rule.driven_by(links)(x))

    def test_factors_multiply(self, student, reference, rng):
        """Straight lines: their slopes multiply, wherever they are taken."""
        x, factors = rng.normal(size=3), rng.uniform(1.5, 3, size=4)
        assert_close(
            student.chain_rule.driven_by(lines_in_a_row)(x, factors),
            reference.chain_rule.driven_by(lines_in_a_row)(x, factors),
        )

    def test_elementwise(self, student, reference, rng):
        """Takes the slope of every element of a table by itself, and leaves the table as it was."""
        x = rng.uniform(-1, 1, size=(3, 4))
        expected = reference.chain_rule.driven_by(three_links)(x)
        assert_close(assert_unchanged(student.chain_rule.driven_by(three_links), x), expected)

    def test_no_function(self, student, reference):
        """No function at all leaves x as it is, and that has slope 1."""
        assert_close(student.chain_rule.driven_by(no_link)(0.7), reference.chain_rule.driven_by(no_link)(0.7))

    @hidden
    def test_a_long_chain(self, student, reference, rng):
        """Follows a chain of twenty."""
        x = rng.uniform(-2, 2, size=5)
        assert_close(
            student.chain_rule.driven_by(many_links)(x, 20), reference.chain_rule.driven_by(many_links)(x, 20)
        )


@driver
def of_cubes(numerical_gradient, x, eps):
    return numerical_gradient(lambda x: np.sum(x**3), x, eps)


@driver
def of_exponentials(numerical_gradient, x, weights):
    return numerical_gradient(lambda x: np.sum(weights * np.exp(x)), x)


@driver
def of_a_product(numerical_gradient, x):
    return numerical_gradient(np.prod, x)


@driver
def of_a_matrix(numerical_gradient, x):
    return numerical_gradient(lambda x: np.sum((x @ x.T) ** 2) / 2, x)


@driver
def of_squares(numerical_gradient, x):
    return numerical_gradient(lambda x: float(np.sum(np.square(x))), x, 0.125)


@exercise("numerical_gradient", functions=["numerical_gradient", "relative_error"], points=4)
class TestNumericalGradient:
    """A slow gradient to check fast ones with."""

    hints = {
        "numerical_gradient": [
            "A slope is a rise over a run. If you step `eps` to either side of an element, how long is the run?",
            "One element at a time (`np.ndindex(x.shape)` gives every place): two changed copies of `x`, as floats, two calls of `f`.",
            "`up[place] += eps; down[place] -= eps`, then `gradient[place] = (f(up) - f(down)) / (2 * eps)`.",
        ],
        "relative_error": [
            "Is an error of 0.001 large? Beside 1000, or beside 0.002?",
            "Element by element: the absolute difference over the sum of the two absolute values, but never over less than 1e-8. Then the worst.",
            "`np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)))`.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """`numerical_gradient` finds the slopes of a sum of exponentials, to four digits."""
        x, weights = rng.normal(size=5), rng.uniform(1, 2, size=5)
        assert_close(
            student.numerical_gradient.driven_by(of_exponentials)(x, weights),
            reference.numerical_gradient.driven_by(of_exponentials)(x, weights),
            rtol=1e-4,
        )

    @pytest.mark.parametrize("eps", [0.5, 0.1, 1e-3])
    def test_steps_to_both_sides(self, student, reference, rng, eps):
        """`numerical_gradient` takes x³ as far above as below, `eps` to each side: the slope comes out as 3x² + `eps`²."""
        x = rng.uniform(1, 2, size=4)
        assert_close(
            student.numerical_gradient.driven_by(of_cubes)(x, eps),
            reference.numerical_gradient.driven_by(of_cubes)(x, eps),
        )

    def test_one_element_at_a_time(self, student, reference, rng):
        """`numerical_gradient` moves one element and leaves all others where they were: a product tells."""
        x = rng.uniform(1, 2, size=4)
        assert_close(
            student.numerical_gradient.driven_by(of_a_product)(x),
            reference.numerical_gradient.driven_by(of_a_product)(x),
            **SLOPE,
        )

    def test_of_a_matrix(self, student, reference, rng):
        """`numerical_gradient` hands `f` arrays of x's own shape: a function that multiplies matrices tells."""
        x = rng.normal(size=(2, 3))
        assert_close(
            student.numerical_gradient.driven_by(of_a_matrix)(x),
            reference.numerical_gradient.driven_by(of_a_matrix)(x),
            **SLOPE,
        )

    @pytest.mark.parametrize("shape", [(1,), (4,), (3, 1), (2, 1, 3)])
    def test_any_shape(self, student, reference, rng, shape):
        """`numerical_gradient` takes any number of axes, and gives back x's shape."""
        x = rng.uniform(1, 2, size=shape)
        assert_close(
            student.numerical_gradient.driven_by(of_cubes)(x, 0.1),
            reference.numerical_gradient.driven_by(of_cubes)(x, 0.1),
        )

    def test_arguments_stay(self, student, reference, rng):
        """`numerical_gradient` leaves x as it was, to the last bit."""
        x = rng.uniform(1, 2, size=(3, 2))
        expected = reference.numerical_gradient.driven_by(of_cubes)(x, 1e-3)
        assert_close(assert_unchanged(student.numerical_gradient.driven_by(of_cubes), x, 1e-3), expected)

    def test_whole_numbers(self, student, reference):
        """`numerical_gradient` takes an x of integers, in which a step of 0.125 would be cut off."""
        x = np.array([[3, -2], [0, 7]])
        assert_close(
            student.numerical_gradient.driven_by(of_squares)(x),
            reference.numerical_gradient.driven_by(of_squares)(x),
        )

    def test_relative_error(self, student, reference, rng):
        """`relative_error` agrees with the reference on two nearly equal arrays."""
        a = rng.normal(size=(4, 3))
        b = a * (1 + rng.uniform(-1e-3, 1e-3, size=(4, 3)))
        expected = reference.relative_error(a, b)
        assert_close(assert_unchanged(student.relative_error, a, b), expected)

    def test_relative_error_is_the_worst(self, student, reference, rng):
        """`relative_error` tells of a single bad element, however good the others are."""
        a = rng.uniform(1, 2, size=20)
        b = a.copy()
        b[rng.integers(20)] += 0.5
        assert_close(student.relative_error(a, b), reference.relative_error(a, b))

    def test_relative_error_of_other_signs(self, student, reference, rng):
        """`relative_error` is 1 where the signs differ, whichever is the larger, and the same when both are swapped."""
        a, b = rng.uniform(1, 2, size=5), -rng.uniform(1, 2, size=5)
        assert_close(student.relative_error(a, b), reference.relative_error(a, b))
        assert_close(student.relative_error(b, a), reference.relative_error(b, a))
        assert_close(student.relative_error(a, 3 * a), reference.relative_error(a, 3 * a))
        assert_close(student.relative_error(3 * a, a), reference.relative_error(3 * a, a))

    def test_relative_error_near_zero(self, student, reference, rng):
        """`relative_error` divides by 1e-8 where both numbers are smaller, also where both are 0, without a warning."""
        a, b = np.array([0.0, 3e-12, 1.0]), np.array([0.0, -1e-12, 1.0])
        assert_close(assert_silent(student.relative_error, a, b), reference.relative_error(a, b))

    @hidden
    def test_relative_error_of_small_numbers(self, student, reference, rng):
        """`relative_error` compares numbers above 1e-8 with each other, not with 1e-8 added."""
        a = rng.uniform(2e-8, 4e-8, size=6)
        assert_close(student.relative_error(a, 1.2 * a), reference.relative_error(a, 1.2 * a))


@exercise("gemm", functions=["gemm"], points=2)
class TestGemm:
    """The product under everything."""

    hints = {
        "gemm": [
            "Which of the two products of NumPy, `*` and `@`, sums over the shared axis?",
            "A matrix product, scaled by alpha, and the array `c`, scaled by beta: two terms, one sum.",
            "`alpha * (a @ b) + beta * c`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random matrices, none of them square."""
        a, b, c = rng.normal(size=(4, 3)), rng.normal(size=(3, 5)), rng.normal(size=(4, 5))
        assert_close(student.gemm(1.5, a, b, -0.5, c), reference.gemm(1.5, a, b, -0.5, c))

    def test_product_alone(self, student, reference, rng):
        """With beta 0 it is alpha times the product."""
        a, b, c = rng.normal(size=(2, 5)), rng.normal(size=(5, 3)), rng.normal(size=(2, 3))
        assert_close(student.gemm(-2.0, a, b, 0.0, c), reference.gemm(-2.0, a, b, 0.0, c))

    def test_c_alone(self, student, reference, rng):
        """With alpha 0 it is beta times c."""
        a, b, c = rng.normal(size=(2, 5)), rng.normal(size=(5, 3)), rng.normal(size=(2, 3))
        assert_close(student.gemm(0.0, a, b, 3.0, c), reference.gemm(0.0, a, b, 3.0, c))

    def test_arguments_stay(self, student, reference, rng):
        """Leaves its matrices, `c` too, as they were."""
        a, b, c = rng.normal(size=(3, 2)), rng.normal(size=(2, 4)), rng.normal(size=(3, 4))
        expected = reference.gemm(2.0, a, b, 0.5, c)
        assert_close(assert_unchanged(student.gemm, 2.0, a, b, 0.5, c), expected)

    @pytest.mark.parametrize("m, k, n", [(1, 6, 1), (4, 1, 3), (3, 3, 3)])
    def test_thin_and_square(self, student, reference, rng, m, k, n):
        """Holds for a row by a column, a column by a row, and squares."""
        a, b, c = rng.normal(size=(m, k)), rng.normal(size=(k, n)), rng.normal(size=(m, n))
        assert_close(student.gemm(0.5, a, b, 2.0, c), reference.gemm(0.5, a, b, 2.0, c))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        a, b, c = (rng.normal(size=shape).astype(np.float32) for shape in [(4, 3), (3, 2), (4, 2)])
        assert_close(student.gemm(2.0, a, b, -1.0, c), reference.gemm(2.0, a, b, -1.0, c), **SINGLE)


@exercise("blocked_gemm", functions=["blocked_gemm"], points=3)
class TestBlockedGemm:
    """The same product, a tile at a time."""

    hints = {
        "blocked_gemm": [
            "A tile of the result needs a row of tiles of `a` and a column of tiles of `b`. How many products, and what becomes of them?",
            "Three loops that step by `block`: over rows, columns, and the shared axis. Start from zeros and add. A slice that runs over the end is cut by NumPy.",
            "`d[i : i + block, j : j + block] += a[i : i + block, p : p + block] @ b[p : p + block, j : j + block]`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the whole product where the tiles fit."""
        a, b = rng.normal(size=(4, 6)), rng.normal(size=(6, 8))
        assert_close(student.blocked_gemm(a, b, 2), reference.blocked_gemm(a, b, 2))

    @pytest.mark.parametrize("m, k, n", [(7, 4, 4), (4, 7, 4), (4, 4, 7), (5, 7, 6)])
    def test_tiles_left_over(self, student, reference, rng, m, k, n):
        """Takes the smaller tiles at the ends too, of the rows, of the shared axis, of the columns, and of all three."""
        a, b = rng.normal(size=(m, k)), rng.normal(size=(k, n))
        assert_close(student.blocked_gemm(a, b, 4), reference.blocked_gemm(a, b, 4))

    @pytest.mark.parametrize("block", [1, 3, 50])
    def test_block(self, student, reference, rng, block):
        """Gives the same product by single numbers, by tiles of three, and by one tile larger than everything."""
        a, b = rng.normal(size=(5, 4)), rng.normal(size=(4, 6))
        assert_close(student.blocked_gemm(a, b, block), reference.blocked_gemm(a, b, block))

    def test_thin(self, student, reference, rng):
        """Holds for a row by a column and a column by a row, and leaves them as they were."""
        row, column = rng.normal(size=(1, 7)), rng.normal(size=(7, 1))
        for a, b in [(row, column), (column, row)]:
            expected = reference.blocked_gemm(a, b, 3)
            assert_close(assert_unchanged(student.blocked_gemm, a, b, 3), expected)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        a, b = rng.normal(size=(5, 4)).astype(np.float32), rng.normal(size=(4, 3)).astype(np.float32)
        assert_close(student.blocked_gemm(a, b, 2), reference.blocked_gemm(a, b, 2), **SINGLE)


@exercise("matmul_backward", functions=["matmul_backward"], points=4)
class TestMatmulBackward:
    """A product, walked backwards."""

    hints = {
        "matmul_backward": [
            "dW must have W's shape. Which product of `upstream` (m, n) and `x` (k, n), one of them transposed, has?",
            "Each gradient is a product with the other factor, transposed, and `upstream` stays on the side where it stood.",
            "`upstream @ x.T` and `w.T @ upstream`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Both gradients agree with automatic differentiation."""
        upstream, w, x = rng.normal(size=(4, 5)), rng.normal(size=(4, 3)), rng.normal(size=(3, 5))
        expected = reference.matmul_backward(upstream, w, x)
        assert_close(student.matmul_backward(upstream, w, x), expected, ("dW", "dX"))

    def test_one_entry_of_d(self, student, reference, rng):
        """A gradient on one entry of D reaches one row of W and one column of X."""
        upstream, w, x = np.zeros((3, 4)), rng.normal(size=(3, 2)), rng.normal(size=(2, 4))
        upstream[rng.integers(3), rng.integers(4)] = 1
        expected = reference.matmul_backward(upstream, w, x)
        assert_close(assert_unchanged(student.matmul_backward, upstream, w, x), expected, ("dW", "dX"))

    def test_dw_is_the_slope(self, student, reference, rng):
        """dW is the slope of the sum of D, weighted by `upstream`, measured by small steps of W."""
        upstream, w, x = rng.normal(size=(2, 4)), rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
        numerical = slope(lambda w: np.sum(upstream * (w @ x)), w)
        expected = (numerical, reference.matmul_backward(upstream, w, x)[1])
        assert_close(student.matmul_backward(upstream, w, x), expected, ("dW", "dX"), **SLOPE)

    def test_dx_is_the_slope(self, student, reference, rng):
        """dX is the slope of the sum of D, weighted by `upstream`, measured by small steps of X."""
        upstream, w, x = rng.normal(size=(2, 4)), rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
        numerical = slope(lambda x: np.sum(upstream * (w @ x)), x)
        expected = (reference.matmul_backward(upstream, w, x)[0], numerical)
        assert_close(student.matmul_backward(upstream, w, x), expected, ("dW", "dX"), **SLOPE)

    def test_one_column(self, student, reference, rng):
        """Holds for a single column X, the usual picture of a layer and one example."""
        upstream, w, x = rng.normal(size=(3, 1)), rng.normal(size=(3, 4)), rng.normal(size=(4, 1))
        expected = reference.matmul_backward(upstream, w, x)
        assert_close(student.matmul_backward(upstream, w, x), expected, ("dW", "dX"))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        upstream, w, x = (rng.normal(size=s).astype(np.float32) for s in [(4, 2), (4, 3), (3, 2)])
        expected = reference.matmul_backward(upstream, w, x)
        assert_close(student.matmul_backward(upstream, w, x), expected, ("dW", "dX"), **SINGLE)

    @hidden
    def test_squares(self, student, reference, rng):
        """Is right for squares, where a missing transpose raises no error."""
        upstream, w, x = rng.normal(size=(3, 3, 3))
        expected = reference.matmul_backward(upstream, w, x)
        assert_close(student.matmul_backward(upstream, w, x), expected, ("dW", "dX"))


@exercise("affine", functions=["affine", "affine_backward"], points=4)
class TestAffine:
    """A layer of weights and biases, there and back."""

    hints = {
        "affine": [
            "`x` is (batch, in) and `w` is (in, out). Which product gives one row of outputs for each example?",
            "The product, and the bias added to each of its rows: NumPy lines shapes up from the right.",
            "`x @ w + b`.",
        ],
        "affine_backward": [
            "The bias was added to every row. How many ways lead from one bias to the loss?",
            "Name the shapes: `upstream` is (batch, out), dx (batch, in), dw (in, out), db (out,). Two products, each with one transpose, and one sum over the batch.",
            "`upstream @ w.T`, `x.T @ upstream` and `upstream.sum(axis=0)`.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """`affine` agrees with Keras on a random layer."""
        x, w, b = layer(rng, 5, 3, 4)
        assert_close(student.affine(x, w, b), reference.affine(x, w, b))

    def test_bias_alone(self, student, reference, rng):
        """`affine` gives the bias in every row when the inputs are zero."""
        x, w, b = layer(rng, 4, 3, 2)
        assert_close(student.affine(0 * x, w, b), reference.affine(0 * x, w, b))

    def test_product_alone(self, student, reference, rng):
        """`affine` gives the product alone when the bias is zero."""
        x, w, b = layer(rng, 4, 3, 2)
        assert_close(student.affine(x, w, 0 * b), reference.affine(x, w, 0 * b))

    @pytest.mark.parametrize("batch, inputs, outputs", [(1, 3, 4), (4, 1, 2), (3, 2, 1), (3, 3, 3)])
    def test_sizes(self, student, reference, rng, batch, inputs, outputs):
        """`affine` takes one example, one input, one output, and as many outputs as examples, which hides a bias laid across."""
        x, w, b = layer(rng, batch, inputs, outputs)
        assert_close(assert_unchanged(student.affine, x, w, b), reference.affine(x, w, b))

    def test_gradients(self, student, reference, rng):
        """`affine_backward` agrees with automatic differentiation."""
        x, w, b = layer(rng, 5, 3, 4)
        upstream = rng.normal(size=(5, 4))
        expected = reference.affine_backward(upstream, x, w, b)
        assert_close(
            assert_unchanged(student.affine_backward, upstream, x, w, b), expected, ("dx", "dw", "db")
        )

    def test_ones_count_the_batch(self, student, reference, rng):
        """`affine_backward` adds up over the batch: where `upstream` is all ones, each entry of db is the number of rows."""
        x, w, b = layer(rng, 6, 2, 3)
        expected = reference.affine_backward(np.ones((6, 3)), x, w, b)
        assert_close(student.affine_backward(np.ones((6, 3)), x, w, b), expected, ("dx", "dw", "db"))

    def test_one_example(self, student, reference, rng):
        """`affine_backward` takes a batch of one, and db keeps the shape of b."""
        x, w, b = layer(rng, 1, 3, 2)
        upstream = rng.normal(size=(1, 2))
        expected = reference.affine_backward(upstream, x, w, b)
        assert_close(student.affine_backward(upstream, x, w, b), expected, ("dx", "dw", "db"))

    def test_gradients_are_slopes(self, student, rng):
        """`affine_backward` gives the slopes of the sum of the outputs, weighted by `upstream`, measured by small steps."""
        x, w, b = layer(rng, 3, 2, 4)
        upstream = rng.normal(size=(3, 4))
        expected = (
            slope(lambda x: np.sum(upstream * (x @ w + b)), x),
            slope(lambda w: np.sum(upstream * (x @ w + b)), w),
            slope(lambda b: np.sum(upstream * (x @ w + b)), b),
        )
        assert_close(student.affine_backward(upstream, x, w, b), expected, ("dx", "dw", "db"), **SLOPE)

    def test_single_precision(self, student, reference, rng):
        """`affine_backward` takes `float32` too."""
        arrays = [array.astype(np.float32) for array in (rng.normal(size=(4, 2)), *layer(rng, 4, 3, 2))]
        expected = reference.affine_backward(*arrays)
        assert_close(student.affine_backward(*arrays), expected, ("dx", "dw", "db"), **SINGLE)

    @hidden
    def test_gradients_of_squares(self, student, reference, rng):
        """`affine_backward` is right where batch, inputs and outputs are equal, so that no shape betrays a mistake."""
        x, w, b = layer(rng, 4, 4, 4)
        upstream = rng.normal(size=(4, 4))
        expected = reference.affine_backward(upstream, x, w, b)
        assert_close(student.affine_backward(upstream, x, w, b), expected, ("dx", "dw", "db"))


@exercise("two_layer_net", functions=["two_layer_forward", "two_layer_loss_and_grads"], points=6)
class TestTwoLayerNet:
    """A network, its loss, and every gradient."""

    hints = {
        "two_layer_forward": [
            "Three steps, and you have written the first and the last already. What stands between them?",
            "`affine` with w1 and b1, then nothing below zero, then `affine` with w2 and b2. The logits come out raw.",
            "`affine(np.maximum(affine(x, w1, b1), 0), w2, b2)`, with the arrays from `params`.",
        ],
        "two_layer_loss_and_grads": [
            "Which numbers of the way forward do you need on the way back? Keep them as you pass.",
            "Backwards: the gradient of the loss with respect to the logits, through the second layer, through the ReLU, through the first.",
            "`dhidden, dw2, db2 = affine_backward(dlogits, hidden, w2, b2)`, then `dhidden * (z > 0)`, where `z` went into the ReLU, goes to the first layer's.",
        ],
    }

    @core
    def test_forward(self, student, reference, rng):
        """`two_layer_forward` agrees with Keras on a random network."""
        params, x = network(rng, 4, 6, 3), rng.normal(size=(5, 4))
        expected = reference.two_layer_forward(params, x)
        assert_close(assert_unchanged(student.two_layer_forward, params, x), expected)

    def test_forward_with_every_unit_off(self, student, reference, rng):
        """`two_layer_forward` gives the second bias, also below zero, where no hidden unit is on."""
        params, x = network(rng, 3, 5, 4), rng.normal(size=(2, 3))
        params["b1"] -= 50
        params["b2"] = np.array([-2.0, -1.0, 1.0, 2.0])
        assert_close(student.two_layer_forward(params, x), reference.two_layer_forward(params, x))

    def test_forward_with_every_unit_on(self, student, reference, rng):
        """`two_layer_forward` lets everything pass where every hidden unit is on."""
        params, x = network(rng, 3, 5, 4), rng.normal(size=(2, 3))
        params["b1"] += 50
        assert_close(student.two_layer_forward(params, x), reference.two_layer_forward(params, x))

    def test_loss_and_gradients(self, student, reference, rng):
        """`two_layer_loss_and_grads` agrees with automatic differentiation."""
        params, x, y_true = network(rng, 4, 6, 3), rng.normal(size=(5, 4)), labels(rng, 5, 3)
        expected = reference.two_layer_loss_and_grads(params, x, y_true)
        assert_close(
            assert_unchanged(student.two_layer_loss_and_grads, params, x, y_true),
            expected,
            ("loss", "gradient"),
        )

    def test_one_example(self, student, reference, rng):
        """`two_layer_loss_and_grads` takes a batch of one: a mean over the batch changes nothing there."""
        params, x, y_true = network(rng, 3, 4, 5), rng.normal(size=(1, 3)), labels(rng, 1, 5)
        expected = reference.two_layer_loss_and_grads(params, x, y_true)
        assert_close(student.two_layer_loss_and_grads(params, x, y_true), expected, ("loss", "gradient"))

    def test_an_example_four_times(self, student, reference, rng):
        """`two_layer_loss_and_grads` gives one example's loss and gradients for four copies of it: a mean, taken once."""
        params, x, y_true = network(rng, 3, 4, 5), rng.normal(size=(1, 3)), labels(rng, 1, 5)
        expected = reference.two_layer_loss_and_grads(params, x, y_true)
        copies = np.repeat(x, 4, axis=0), np.repeat(y_true, 4, axis=0)
        assert_close(student.two_layer_loss_and_grads(params, *copies), expected, ("loss", "gradient"))

    def test_units_that_are_off(self, student, reference, rng):
        """`two_layer_loss_and_grads` sends nothing through hidden units that are off."""
        params, x, y_true = network(rng, 4, 6, 3), rng.normal(size=(5, 4)), labels(rng, 5, 3)
        params["b1"][::2] -= 50
        expected = reference.two_layer_loss_and_grads(params, x, y_true)
        assert_close(student.two_layer_loss_and_grads(params, x, y_true), expected, ("loss", "gradient"))

    def test_gradients_are_slopes(self, student, reference, rng):
        """`two_layer_loss_and_grads` gives slopes: they predict how the loss changes by a small step of each parameter."""
        params = {
            "w1": rng.uniform(-0.5, 0.5, size=(4, 6)),
            "b1": np.array([3.0, -3.0, 3.0, -3.0, 3.0, -3.0]),  # far from the kink
            "w2": rng.normal(size=(6, 3)),
            "b2": rng.normal(size=3),
        }
        x, y_true = rng.uniform(-1, 1, size=(5, 4)), labels(rng, 5, 3)
        numerical = {
            name: slope(lambda array, name=name: loss_of({**params, name: array}, x, y_true), params[name])
            for name in params
        }
        expected = (reference.two_layer_loss_and_grads(params, x, y_true)[0], numerical)
        assert_close(
            student.two_layer_loss_and_grads(params, x, y_true), expected, ("loss", "gradient"), **SLOPE
        )

    def test_large_logits(self, student, reference, rng):
        """`two_layer_loss_and_grads` stays finite, without a warning, for logits in the thousands."""
        params, x, y_true = network(rng, 4, 6, 3), rng.normal(size=(5, 4)), labels(rng, 5, 3)
        params["w2"] *= 1000
        expected = reference.two_layer_loss_and_grads(params, x, y_true)
        assert_close(
            assert_silent(student.two_layer_loss_and_grads, params, x, y_true), expected, ("loss", "gradient")
        )

    def test_single_precision(self, student, reference, rng):
        """`two_layer_loss_and_grads` takes `float32` too."""
        params = {name: array.astype(np.float32) for name, array in network(rng, 4, 6, 3).items()}
        x, y_true = rng.normal(size=(5, 4)).astype(np.float32), labels(rng, 5, 3).astype(np.float32)
        expected = reference.two_layer_loss_and_grads(params, x, y_true)
        assert_close(
            student.two_layer_loss_and_grads(params, x, y_true), expected, ("loss", "gradient"), **SINGLE
        )

    @hidden
    def test_as_many_everything(self, student, reference, rng):
        """`two_layer_loss_and_grads` is right where batch, inputs, units and classes are equal in number."""
        params, x, y_true = network(rng, 4, 4, 4), rng.normal(size=(4, 4)), labels(rng, 4, 4)
        expected = reference.two_layer_loss_and_grads(params, x, y_true)
        assert_close(student.two_layer_loss_and_grads(params, x, y_true), expected, ("loss", "gradient"))
