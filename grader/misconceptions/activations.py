"""Well-known wrong answers to `activations`, each with what a teacher would say."""

import numpy as np

from grader.exercise import misconception


def _sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def _elu(x, alpha):
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))


def _below(x):
    return np.exp(np.minimum(x, 0))


def _softmax(x, axis=-1):
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


IN_PLACE = (
    "You write into the array that you were given, and whoever gave it to you loses those numbers: `x[...] = ...`, `x -= ...` and "
    "`out=x` all do. Build a new array, or begin with `x.copy()`."
)

VECTORIZE = (
    "`np.vectorize` takes the type of all results from the first one: where that is a whole number, 0 or 1, the others "
    "lose their digits. `np.where` and `np.maximum` have no such trap, and no slow loop."
)


# sigmoid


@misconception(
    "sigmoid.sigmoid",
    "The sign in the exponent is missing: sigmoid is 1 / (1 + exp(-x)), and yours falls where it should rise.",
)
def sigmoid_falling(x):
    return 1 - _sigmoid(x)


@misconception(
    "sigmoid.sigmoid",
    "The brackets are missing: `1 / 1 + np.exp(-x)` divides 1 by 1 first. Write `1 / (1 + np.exp(-x))`.",
)
def sigmoid_without_brackets(x):
    return 1 / 1 + np.exp(-x)


@misconception(
    "sigmoid.sigmoid",
    "The values are right, but on the way exp(-x) overflows for very negative x (also inside an `np.where` that throws it "
    "away, because both branches are computed everywhere). exp(-|x|) never does: use it in both halves.",
)
def sigmoid_overflowing(x):
    return 1 / (1 + np.exp(-x))


@misconception(
    "sigmoid.sigmoid",
    "exp(x) / (1 + exp(x)) is infinity divided by infinity for large x. That form is for negative x; for positive x use "
    "1 / (1 + exp(-x)).",
)
def sigmoid_as_a_ratio(x):
    return np.exp(x) / (1 + np.exp(x))


@misconception(
    "sigmoid.sigmoid",
    "exp(-|x|) is the right idea, but your two halves are the same. For negative x the numerator is exp(-|x|), not 1.",
)
def sigmoid_without_sign(x):
    return _sigmoid(np.abs(x))


SIGMOID_CUT = (
    "You cut x off too early: from there on your sigmoid stands still, although it has not yet come to 0 or 1. "
    "Cut at 40 or later, or use exp(-|x|), which needs no cut."
)


@misconception("sigmoid.sigmoid", SIGMOID_CUT)
def sigmoid_cut_off_at_10(x):
    return _sigmoid(np.clip(x, -10, 10))


@misconception("sigmoid.sigmoid", SIGMOID_CUT)
def sigmoid_cut_off_at_20(x):
    return _sigmoid(np.clip(x, -20, 20))


@misconception("sigmoid.sigmoid", IN_PLACE)
def sigmoid_in_place(x):
    x[...] = _sigmoid(x)
    return x


@misconception("sigmoid.sigmoid", IN_PLACE)
def sigmoid_cut_off_in_place(x):
    x[x < -500] = -500
    return _sigmoid(x)


@misconception("sigmoid.sigmoid", "This is tanh, which runs from -1 to 1. The sigmoid runs from 0 to 1.")
def sigmoid_is_tanh(x):
    return np.tanh(x)


@misconception(
    "sigmoid.sigmoid_grad",
    "x * (1 - x) is the derivative written in terms of the sigmoid's output. You are given its input: compute "
    "s = sigmoid(x) first, then s * (1 - s).",
)
def sigmoid_grad_of_the_output(x):
    return x * (1 - x)


@misconception(
    "sigmoid.sigmoid_grad", "This is the sigmoid itself. Its derivative is s * (1 - s) with s = sigmoid(x)."
)
def sigmoid_grad_is_sigmoid(x):
    return _sigmoid(x)


@misconception(
    "sigmoid.sigmoid_grad", "1 - s**2 is how tanh's derivative looks. The sigmoid's is s * (1 - s)."
)
def sigmoid_grad_by_tanh_rule(x):
    return 1 - _sigmoid(x) ** 2


@misconception(
    "sigmoid.sigmoid_grad", "The sign is turned round: s * (1 - s), not s * (s - 1). The sigmoid never falls."
)
def sigmoid_grad_falling(x):
    return -_sigmoid(x) * _sigmoid(-x)


@misconception(
    "sigmoid.sigmoid_grad",
    "exp(-x) / (1 + exp(-x))**2 is right on paper, but for very negative x it is infinity over infinity. "
    "Use your stable sigmoid: s * (1 - s).",
)
def sigmoid_grad_overflowing(x):
    return np.exp(-x) / (1 + np.exp(-x)) ** 2


# tanh


TANH_BRACKETS = "The brackets are missing: `1 - e / 1 + e` is 1 - e + e, which is 1 for every x. Write `(1 - e) / (1 + e)`."


@misconception("tanh.tanh", TANH_BRACKETS)
def tanh_without_brackets(x):
    e = np.exp(-2 * x)
    return 1 - e / 1 + e


@misconception("tanh.tanh", TANH_BRACKETS)
def tanh_without_brackets_of_the_absolute(x):
    e = np.exp(-2 * np.abs(x))
    return 1 - e / 1 + e


@misconception("tanh.tanh", TANH_BRACKETS)
def tanh_without_brackets_with_a_sign(x):
    e = np.exp(-2 * np.abs(x))
    return np.sign(x) * (1 - e / 1 + e)


@misconception(
    "tanh.tanh", "This is tanh(x / 2): the exponent is -2x, not -x (or, with sigmoids, 2 * sigmoid(2x) - 1)."
)
def tanh_of_half(x):
    return np.tanh(x / 2)


TANH_CUT = (
    "You cut x off too early: from there on your tanh stands still, although it has not yet come to 1 or -1. "
    "Cut at 20 or later, or use exp(-2|x|), which needs no cut."
)


@misconception("tanh.tanh", TANH_CUT)
def tanh_cut_off_at_5(x):
    return np.tanh(np.clip(x, -5, 5))


@misconception("tanh.tanh", TANH_CUT)
def tanh_cut_off_at_10(x):
    return np.tanh(np.clip(x, -10, 10))


@misconception("tanh.tanh", "x / |x| is 0/0 where x is 0. `np.sign(x)` is the sign, and 0 there.")
def tanh_undefined_at_zero(x):
    return x / np.abs(x) * np.tanh(np.abs(x))


@misconception("tanh.tanh", IN_PLACE)
def tanh_in_place(x):
    x[...] = np.tanh(x)
    return x


@misconception("tanh.tanh", "The sign is turned round: with exp(-2x), the numerator is 1 - exp(-2x).")
def tanh_falling(x):
    return -np.tanh(x)


@misconception(
    "tanh.tanh",
    "(exp(x) - exp(-x)) / (exp(x) + exp(-x)) is right on paper, but at 1000 it is infinity over infinity, on both "
    "sides. Work with exp(-2|x|), which is at most 1, and put the sign back.",
)
def tanh_by_both_exponentials(x):
    return (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))


@misconception(
    "tanh.tanh",
    "exp(-2x) overflows for very negative x, and infinity over infinity is not a number. Tanh is odd: work with "
    "exp(-2|x|) and give the result the sign of x.",
)
def tanh_overflowing_left(x):
    return (1 - np.exp(-2 * x)) / (1 + np.exp(-2 * x))


@misconception(
    "tanh.tanh",
    "exp(2x) overflows for large x, and infinity over infinity is not a number. Tanh is odd: work with "
    "exp(-2|x|) and give the result the sign of x.",
)
def tanh_overflowing_right(x):
    return (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1)


@misconception(
    "tanh.tanh", "exp(-2|x|) is the right idea, but the sign of x has to come back: tanh(-x) = -tanh(x)."
)
def tanh_without_sign(x):
    return np.tanh(np.abs(x))


@misconception(
    "tanh.tanh_grad",
    "1 - x**2 is the derivative written in terms of tanh's output. You are given its input: 1 - tanh(x)**2.",
)
def tanh_grad_of_the_output(x):
    return 1 - x**2


@misconception("tanh.tanh_grad", "The square is missing: the derivative is 1 - tanh(x)**2.")
def tanh_grad_without_square(x):
    return 1 - np.tanh(x)


@misconception("tanh.tanh_grad", "t * (1 - t) is how the sigmoid's derivative looks. Tanh's is 1 - t**2.")
def tanh_grad_by_sigmoid_rule(x):
    return np.tanh(x) * (1 - np.tanh(x))


@misconception("tanh.tanh_grad", "The square is subtracted, not added: 1 - tanh(x)**2.")
def tanh_grad_with_a_plus(x):
    return 1 + np.tanh(x) ** 2


@misconception(
    "tanh.tanh_grad", "The sign is turned round: 1 - tanh(x)**2, not tanh(x)**2 - 1. Tanh never falls."
)
def tanh_grad_falling(x):
    return np.tanh(x) ** 2 - 1


@misconception(
    "tanh.tanh_grad",
    "1 / cosh(x)**2, or 4 / (exp(x) + exp(-x))**2, is right on paper, but overflows at 1000. Use 1 - tanh(x)**2.",
)
def tanh_grad_by_cosh(x):
    return 1 / np.cosh(x) ** 2


# relu


@misconception(
    "relu.relu",
    "`x[x < 0] = 0` writes into the array that you were given, and whoever gave it to you loses those numbers. Build a new array, "
    "for instance with `np.maximum`.",
)
def relu_in_place(x):
    x[x < 0] = 0
    return x


@misconception("relu.relu", "This is |x|: it turns negative numbers round. ReLU makes them 0.")
def relu_is_abs(x):
    return np.abs(x)


@misconception("relu.relu", "You kept the negative side: it is the larger of x and 0, not the smaller.")
def relu_of_the_wrong_side(x):
    return np.minimum(x, 0)


@misconception("relu.relu", "ReLU has no ceiling: what is positive passes as it is.")
def relu_with_a_ceiling(x):
    return np.clip(x, 0, 1)


@misconception("relu.relu", "This is ReLU6. ReLU has no ceiling: what is positive passes as it is.")
def relu_with_a_ceiling_of_six(x):
    return np.clip(x, 0, 6)


@misconception("relu.relu", "This is the leaky ReLU. The plain one makes negative numbers 0.")
def relu_is_leaky(x):
    return np.where(x > 0, x, 0.01 * x)


@misconception("relu.relu", VECTORIZE)
def relu_by_vectorize(x):
    return np.vectorize(lambda number: number if number > 0 else 0)(x)


@misconception(
    "relu.relu", "`np.max` gives the one largest number of the array. Place by place it is `np.maximum`."
)
def relu_by_max(x):
    return max(0, np.max(x))


@misconception("relu.relu", "This is the derivative, 0 or 1. ReLU itself lets x pass where it is positive.")
def relu_is_a_step(x):
    return np.where(x > 0, 1.0, 0.0)


@misconception("relu.relu_grad", "At 0 we agreed on a derivative of 0: compare with `x > 0`, not `x >= 0`.")
def relu_grad_of_one_at_zero(x):
    return np.where(x >= 0, 1.0, 0.0)


@misconception(
    "relu.relu_grad",
    "At 0 we agreed on a derivative of 0. One half is another choice, but not Keras' and not ours.",
)
def relu_grad_of_a_half_at_zero(x):
    return np.heaviside(x, 0.5)


@misconception(
    "relu.relu_grad", "`np.sign` is -1 on the negative side; there ReLU is flat, so the slope is 0."
)
def relu_grad_is_sign(x):
    return np.sign(x)


@misconception(
    "relu.relu_grad", "This is ReLU itself. Its slope is 1 wherever x is positive, however large x is."
)
def relu_grad_is_relu(x):
    return np.maximum(x, 0)


@misconception("relu.relu_grad", "It is turned round: the slope is 1 where x is positive, 0 elsewhere.")
def relu_grad_of_the_wrong_side(x):
    return np.where(x > 0, 0.0, 1.0)


@misconception("relu.relu_grad", "Divided by x it is 0/0 at 0. The slope needs a comparison only: `x > 0`.")
def relu_grad_by_division(x):
    return np.maximum(x, 0) / x


@misconception("relu.relu_grad", IN_PLACE)
def relu_grad_in_place(x):
    x[...] = x > 0
    return x


# leaky_relu


@misconception(
    "leaky_relu.leaky_relu",
    "The slope is on the wrong side: x passes where it is positive, and shrinks where it is negative.",
)
def leaky_relu_of_the_wrong_side(x, negative_slope=0.01):
    return np.where(x > 0, negative_slope * x, x)


@misconception(
    "leaky_relu.leaky_relu",
    "On the negative side you return the slope itself. The value there is the slope times x (the slope alone is the derivative).",
)
def leaky_relu_returns_the_slope(x, negative_slope=0.01):
    return np.where(x > 0, x, negative_slope)


@misconception(
    "leaky_relu.leaky_relu", "The leak has the wrong sign: a negative x stays negative, only smaller."
)
def leaky_relu_turned_up(x, negative_slope=0.01):
    return np.where(x > 0, x, -negative_slope * x)


@misconception("leaky_relu.leaky_relu", "0.01 is written into your code: use the argument `negative_slope`.")
def leaky_relu_of_a_fixed_slope(x, negative_slope=0.01):
    return np.where(x > 0, x, 0.01 * x)


SLOPE = "Where nobody gives a `negative_slope` it is 0.01: leave the first line, `negative_slope=0.01`, as it was."


@misconception("leaky_relu.leaky_relu", SLOPE)
def leaky_relu_of_default_tenth(x, negative_slope=0.1):
    return np.where(x > 0, x, negative_slope * x)


@misconception("leaky_relu.leaky_relu", SLOPE)
def leaky_relu_of_default_fifth(x, negative_slope=0.2):
    return np.where(x > 0, x, negative_slope * x)


@misconception("leaky_relu.leaky_relu", SLOPE)
def leaky_relu_of_keras_default(x, negative_slope=0.3):
    return np.where(x > 0, x, negative_slope * x)


@misconception("leaky_relu.leaky_relu", SLOPE)
def leaky_relu_without_default(x, negative_slope):
    return np.where(x > 0, x, negative_slope * x)


@misconception("leaky_relu.leaky_relu", "You divide by the slope: left of zero x is multiplied by it.")
def leaky_relu_divided(x, negative_slope=0.01):
    return np.where(x > 0, x, x / negative_slope)


@misconception("leaky_relu.leaky_relu", "This is the plain ReLU: the leak on the negative side is missing.")
def leaky_relu_is_relu(x, negative_slope=0.01):
    return np.maximum(x, 0)


@misconception(
    "leaky_relu.leaky_relu",
    "`x[x < 0] *= ...` writes into the array that you were given. Build a new array, for instance with `np.where`.",
)
def leaky_relu_in_place(x, negative_slope=0.01):
    x[x < 0] *= negative_slope
    return x


@misconception(
    "leaky_relu.leaky_relu_grad", "At 0 we agreed on `negative_slope`: compare with `x > 0`, not `x >= 0`."
)
def leaky_relu_grad_of_one_at_zero(x, negative_slope=0.01):
    return np.where(x >= 0, 1.0, negative_slope)


@misconception(
    "leaky_relu.leaky_relu_grad",
    "Your derivative at 0 is 0. There we agreed on `negative_slope`: 0 belongs to the left side.",
)
def leaky_relu_grad_of_zero_at_zero(x, negative_slope=0.01):
    return (x > 0) + negative_slope * (x < 0)


@misconception("leaky_relu.leaky_relu_grad", SLOPE)
def leaky_relu_grad_of_default_tenth(x, negative_slope=0.1):
    return np.where(x > 0, 1.0, negative_slope)


@misconception("leaky_relu.leaky_relu_grad", SLOPE)
def leaky_relu_grad_of_default_fifth(x, negative_slope=0.2):
    return np.where(x > 0, 1.0, negative_slope)


@misconception("leaky_relu.leaky_relu_grad", SLOPE)
def leaky_relu_grad_of_keras_default(x, negative_slope=0.3):
    return np.where(x > 0, 1.0, negative_slope)


@misconception(
    "leaky_relu.leaky_relu_grad", "The leak has the wrong sign: left of zero the slope is `negative_slope`."
)
def leaky_relu_grad_turned_up(x, negative_slope=0.01):
    return np.where(x > 0, 1.0, -negative_slope)


@misconception("leaky_relu.leaky_relu_grad", VECTORIZE)
def leaky_relu_grad_by_vectorize(x, negative_slope=0.01):
    return np.vectorize(lambda number: 1 if number > 0 else negative_slope)(x)


@misconception("leaky_relu.leaky_relu_grad", IN_PLACE)
def leaky_relu_grad_in_place(x, negative_slope=0.01):
    x[...] = np.where(x > 0, 1.0, negative_slope)
    return x


@misconception(
    "leaky_relu.leaky_relu_grad",
    "This is the plain ReLU's derivative: left of zero the slope is `negative_slope`.",
)
def leaky_relu_grad_is_relu_grad(x, negative_slope=0.01):
    return np.where(x > 0, 1.0, 0.0)


@misconception(
    "leaky_relu.leaky_relu_grad",
    "Left of zero you multiply by x. The function does; its slope there is `negative_slope` alone.",
)
def leaky_relu_grad_times_x(x, negative_slope=0.01):
    return np.where(x > 0, 1.0, negative_slope * x)


@misconception(
    "leaky_relu.leaky_relu_grad", "0.01 is written into your code: use the argument `negative_slope`."
)
def leaky_relu_grad_of_a_fixed_slope(x, negative_slope=0.01):
    return np.where(x > 0, 1.0, 0.01)


@misconception("leaky_relu.leaky_relu_grad", "The slope is on the wrong side: it is 1 where x is positive.")
def leaky_relu_grad_of_the_wrong_side(x, negative_slope=0.01):
    return np.where(x > 0, negative_slope, 1.0)


# elu


@misconception(
    "elu.elu", "The -1 is missing: left of zero it is alpha * (exp(x) - 1), so that both halves meet in 0."
)
def elu_without_minus_one(x, alpha=1.0):
    return np.where(x > 0, x, alpha * _below(x))


@misconception("elu.elu", "alpha multiplies the whole bracket: alpha * (exp(x) - 1), not alpha * exp(x) - 1.")
def elu_without_brackets(x, alpha=1.0):
    return np.where(x > 0, x, alpha * _below(x) - 1)


@misconception("elu.elu", "alpha stands before the bracket, not in the exponent: alpha * (exp(x) - 1).")
def elu_of_alpha_in_the_exponent(x, alpha=1.0):
    return np.where(x > 0, x, np.expm1(alpha * np.minimum(x, 0)))


@misconception("elu.elu", "Your result does not depend on `alpha`: it multiplies the negative side.")
def elu_without_alpha(x, alpha=1.0):
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


@misconception("elu.elu", "alpha belongs to the negative side only: positive x passes as it is.")
def elu_scaled_on_both_sides(x, alpha=1.0):
    return alpha * np.where(x > 0, x, np.expm1(np.minimum(x, 0)))


ALPHA = "Where nobody gives an `alpha` it is 1: leave the first line, `alpha=1.0`, as it was."

SEES_LARGE = (
    "The values are right, but the exponential is computed for large x too, and overflows there, although that result "
    "is thrown away. Let it never see them: give it `np.minimum(x, 0)`."
)

TIMES_ZERO = (
    "A mask does not switch off what it multiplies: at large x the exponential is infinite, and 0 times infinity is not "
    "a number. Give the exponential `np.minimum(x, 0)`."
)


@misconception(
    "elu.elu", "The bracket is turned round: alpha * (exp(x) - 1), which is negative left of zero."
)
def elu_turned_up(x, alpha=1.0):
    return np.where(x > 0, x, -alpha * np.expm1(np.minimum(x, 0)))


@misconception("elu.elu", ALPHA)
def elu_of_default_tenth(x, alpha=0.1):
    return _elu(x, alpha)


@misconception("elu.elu", ALPHA)
def elu_of_default_half(x, alpha=0.5):
    return _elu(x, alpha)


@misconception("elu.elu", IN_PLACE)
def elu_in_place(x, alpha=1.0):
    x[...] = _elu(x, alpha)
    return x


@misconception("elu.elu", TIMES_ZERO)
def elu_by_masks(x, alpha=1.0):
    return (x > 0) * x + (x <= 0) * alpha * (np.exp(x) - 1)


@misconception("elu.elu", SEES_LARGE)
def elu_overflowing(x, alpha=1.0):
    return np.where(x > 0, x, alpha * (np.exp(x) - 1))


@misconception(
    "elu.elu_grad",
    "The constant disappears when you differentiate: left of zero the slope is alpha * exp(x), without -1.",
)
def elu_grad_is_elu(x, alpha=1.0):
    return np.where(x > 0, 1.0, alpha * np.expm1(np.minimum(x, 0)))


@misconception(
    "elu.elu_grad",
    "Your derivative does not depend on `alpha`: left of zero it is alpha * exp(x).",
)
def elu_grad_without_alpha(x, alpha=1.0):
    return np.where(x > 0, 1.0, _below(x))


@misconception("elu.elu_grad", "elu(x) + 1 is the slope for alpha = 1 only; in general it is elu(x) + alpha.")
def elu_grad_plus_one(x, alpha=1.0):
    return np.where(x > 0, 1.0, alpha * np.expm1(np.minimum(x, 0)) + 1)


@misconception(
    "elu.elu_grad", "At 0 we agreed on a derivative of `alpha`: compare with `x > 0`, not `x >= 0`."
)
def elu_grad_of_one_at_zero(x, alpha=1.0):
    return np.where(x >= 0, 1.0, alpha * _below(x))


@misconception("elu.elu_grad", "alpha belongs to the negative side only: the slope is 1 where x is positive.")
def elu_grad_scaled_on_both_sides(x, alpha=1.0):
    return alpha * _below(x)


@misconception("elu.elu_grad", ALPHA)
def elu_grad_of_default_tenth(x, alpha=0.1):
    return np.where(x > 0, 1.0, alpha * _below(x))


@misconception("elu.elu_grad", ALPHA)
def elu_grad_of_default_half(x, alpha=0.5):
    return np.where(x > 0, 1.0, alpha * _below(x))


@misconception("elu.elu_grad", IN_PLACE)
def elu_grad_in_place(x, alpha=1.0):
    x[...] = np.where(x > 0, 1.0, alpha * _below(x))
    return x


@misconception("elu.elu_grad", VECTORIZE)
def elu_grad_by_vectorize(x, alpha=1.0):
    return np.vectorize(lambda number: 1 if number > 0 else alpha * np.exp(number))(x)


@misconception("elu.elu_grad", TIMES_ZERO)
def elu_grad_by_masks(x, alpha=1.0):
    return (x > 0) + (x <= 0) * alpha * np.exp(x)


@misconception("elu.elu_grad", SEES_LARGE)
def elu_grad_overflowing(x, alpha=1.0):
    return np.where(x > 0, 1.0, alpha * np.exp(x))


# softplus


@misconception(
    "softplus.softplus",
    "exp(x) overflows at 1000, and the logarithm of infinity is infinity. Take the large part out first: "
    "max(x, 0) + log1p(exp(-|x|)).",
)
def softplus_overflowing(x):
    return np.log(1 + np.exp(x))


@misconception("softplus.softplus", "log(1 + exp(-|x|)) is only the second half: max(x, 0) has to be added.")
def softplus_without_maximum(x):
    return np.log1p(np.exp(-np.abs(x)))


SOFTPLUS_CUT = (
    "Cutting x off before the exponential keeps it finite, but the result stops growing: softplus(10000) is 10000. "
    "Use max(x, 0) + log1p(exp(-|x|))."
)


@misconception("softplus.softplus", SOFTPLUS_CUT)
def softplus_cut_off(x):
    return np.log1p(np.exp(np.clip(x, -500, 500)))


@misconception("softplus.softplus", SOFTPLUS_CUT)
def softplus_cut_off_at_700(x):
    return np.log1p(np.exp(np.minimum(x, 700)))


@misconception(
    "softplus.softplus",
    "The values are right, but `np.where` computes both branches everywhere, and exp(x) overflows where you take x itself. "
    "max(x, 0) + log1p(exp(-|x|)) needs no branches.",
)
def softplus_by_where(x):
    return np.where(x > 30, x, np.log1p(np.exp(x)))


SOFTPLUS_STRAIGHT = (
    "You return x itself too early: softplus(10) is 10.0000454, and only beyond 20 may one forget the difference. "
    "max(x, 0) + log1p(exp(-|x|)) needs no such place."
)


@misconception("softplus.softplus", SOFTPLUS_STRAIGHT)
def softplus_straight_too_early(x):
    return np.where(x > 10, x, np.logaddexp(0, x))


@misconception("softplus.softplus", SOFTPLUS_STRAIGHT)
def softplus_straight_too_early_and_overflowing(x):
    return np.where(x > 10, x, np.log1p(np.exp(x)))


@misconception("softplus.softplus", "You add |x|: it is the larger of x and 0, max(x, 0) + log1p(exp(-|x|)).")
def softplus_plus_absolute(x):
    return np.abs(x) + np.log1p(np.exp(-np.abs(x)))


@misconception("softplus.softplus", IN_PLACE)
def softplus_in_place(x):
    x[...] = np.logaddexp(0, x)
    return x


@misconception(
    "softplus.softplus", "The sign in the exponent is turned round: softplus rises, log(1 + exp(x))."
)
def softplus_falling(x):
    return np.logaddexp(0, -x)


@misconception(
    "softplus.softplus", "This is another base: softplus takes the natural logarithm, `np.log` or `np.log1p`."
)
def softplus_of_base_two(x):
    return np.logaddexp(0, x) / np.log(2)


@misconception(
    "softplus.softplus_grad",
    "This is the slope of the plain ReLU. Softplus has no corner: its slope is sigmoid(x).",
)
def softplus_grad_is_a_step(x):
    return np.where(x > 0, 1.0, 0.0)


@misconception(
    "softplus.softplus_grad",
    "1 / (1 + exp(x)) lacks the inner derivative: the chain rule multiplies by exp(x), which gives sigmoid(x).",
)
def softplus_grad_without_chain_rule(x):
    return _sigmoid(-x)


@misconception(
    "softplus.softplus_grad",
    "That is one derivative too many: softplus' is sigmoid(x), and you returned the sigmoid's.",
)
def softplus_grad_twice(x):
    return _sigmoid(x) * _sigmoid(-x)


@misconception(
    "softplus.softplus_grad",
    "exp(x) / (1 + exp(x)) is infinity over infinity at 1000. It is the sigmoid: use your stable one.",
)
def softplus_grad_as_a_ratio(x):
    return np.exp(x) / (1 + np.exp(x))


@misconception(
    "softplus.softplus_grad",
    "The values are right, but exp(-x) overflows for very negative x. It is the sigmoid: use your stable one.",
)
def softplus_grad_overflowing(x):
    return 1 / (1 + np.exp(-x))


# softmax


@misconception(
    "softmax.softmax", "The sum runs over the whole batch: give each row its own (`axis`, `keepdims=True`)."
)
def softmax_over_everything(x, axis=-1):
    powers = np.exp(x - x.max())
    return powers / powers.sum()


@misconception(
    "softmax.softmax",
    "exp(1000) is infinity, and infinity over infinity is not a number. Subtract each row's maximum first: it changes "
    "nothing, since it cancels.",
)
def softmax_without_shift(x, axis=-1):
    return np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)


@misconception(
    "softmax.softmax",
    "You subtract the largest score of the whole array. In a row far below it all exponentials underflow to 0, and so does "
    "their sum: each row needs its own maximum (`axis`, `keepdims=True`).",
)
def softmax_shifted_by_the_overall_maximum(x, axis=-1):
    powers = np.exp(x - x.max())
    return powers / powers.sum(axis=axis, keepdims=True)


@misconception(
    "softmax.softmax",
    "You subtract the largest score of the whole array. In a row far below it all exponentials underflow to 0; a small "
    "number under the fraction only hides that. Each row needs its own maximum (`axis`, `keepdims=True`).",
)
def softmax_shifted_by_the_overall_maximum_and_patched(x, axis=-1):
    powers = np.exp(x - x.max())
    return powers / (powers.sum(axis=axis, keepdims=True) + 1e-300)


@misconception(
    "softmax.softmax",
    "You subtract the mean of each row. The largest score may still lie thousands above it: subtract the maximum.",
)
def softmax_shifted_by_the_mean(x, axis=-1):
    powers = np.exp(x - x.mean(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


@misconception(
    "softmax.softmax",
    "Cutting the scores off keeps them finite, but 1000 and 999 become the same. Subtract each row's maximum instead.",
)
def softmax_cut_off(x, axis=-1):
    powers = np.exp(np.clip(x, -700, 700))
    return powers / powers.sum(axis=axis, keepdims=True)


SOFTMAX_EPSILON = (
    "The small number that you add to the sum spoils every probability a little. With each row's maximum subtracted the "
    "sum is at least 1, and nothing can be divided by 0."
)


@misconception("softmax.softmax", SOFTMAX_EPSILON)
def softmax_with_epsilon_1e_8(x, axis=-1):
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / (powers.sum(axis=axis, keepdims=True) + 1e-8)


@misconception("softmax.softmax", SOFTMAX_EPSILON)
def softmax_with_epsilon_1e_7(x, axis=-1):
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / (powers.sum(axis=axis, keepdims=True) + 1e-7)


@misconception("softmax.softmax", IN_PLACE)
def softmax_in_place(x, axis=-1):
    x -= x.max(axis=axis, keepdims=True)
    return _softmax(x, axis)


AXIS = "Where nobody gives an `axis` it is the last one: leave the first line, `axis=-1`, as it was."


@misconception("softmax.softmax", AXIS)
def softmax_of_default_axis_0(x, axis=0):
    return _softmax(x, axis)


@misconception("softmax.softmax", AXIS)
def softmax_of_default_axis_1(x, axis=1):
    return _softmax(x, axis)


@misconception(
    "softmax.softmax",
    "Your result does not follow `axis`: it always works along axis 1, which an array of one axis does not even have.",
)
def softmax_along_axis_1(x, axis=-1):
    return _softmax(x, axis=1)


@misconception("softmax.softmax", "Your result does not follow `axis`: it always works along the last one.")
def softmax_along_the_last_axis(x, axis=-1):
    return _softmax(x)


@misconception(
    "softmax.softmax",
    "Your result always sums to one along the first axis, the batch: use the argument `axis`.",
)
def softmax_along_the_first_axis(x, axis=-1):
    return _softmax(x, axis=0)


@misconception(
    "softmax.softmax",
    "Without `keepdims=True` the maximum and the sum lose their axis, and then meet the wrong one of `x` when NumPy "
    "broadcasts.",
)
def softmax_without_keepdims(x, axis=-1):
    powers = np.exp(x - x.max(axis=axis))
    return powers / powers.sum(axis=axis)


@misconception(
    "softmax.softmax", "You divide the scores themselves by their sum: the exponential is missing."
)
def softmax_without_exponential(x, axis=-1):
    return x / x.sum(axis=axis, keepdims=True)


@misconception("softmax.softmax", "This is the logarithm of the softmax: take the exponential of it.")
def softmax_is_its_logarithm(x, axis=-1):
    shifted = x - x.max(axis=axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))


@misconception("softmax.softmax", "The exponentials are there, but they are not divided by their sum.")
def softmax_without_sum(x, axis=-1):
    return np.exp(x - x.max(axis=axis, keepdims=True))


@misconception(
    "softmax.softmax",
    "This is the sigmoid of every score by itself. In a softmax the scores of a row share one sum.",
)
def softmax_is_sigmoid(x, axis=-1):
    return _sigmoid(x)


@misconception(
    "softmax.softmax_backward",
    "p * (1 - p) * upstream is only the diagonal of the Jacobian. Each probability depends on every score of its row: "
    "p * (upstream - sum(upstream * p)).",
)
def softmax_backward_of_the_diagonal(upstream, x, axis=-1):
    p = _softmax(x, axis)
    return p * (1 - p) * upstream


@misconception(
    "softmax.softmax_backward", "The gradient does not follow `axis`: it always works along the last one."
)
def softmax_backward_along_the_last_axis(upstream, x, axis=-1):
    p = _softmax(x)
    return p * (upstream - (upstream * p).sum(axis=-1, keepdims=True))


@misconception(
    "softmax.softmax_backward",
    "The softmax follows `axis`, but the sum of upstream * p does not: it has to run along the same axis.",
)
def softmax_backward_sum_along_the_last_axis(upstream, x, axis=-1):
    p = _softmax(x, axis)
    return p * (upstream - (upstream * p).sum(axis=-1, keepdims=True))


@misconception(
    "softmax.softmax_backward",
    "The sum of upstream * p runs over the whole batch: each row has its own (`axis`, `keepdims=True`).",
)
def softmax_backward_sum_over_everything(upstream, x, axis=-1):
    p = _softmax(x, axis)
    return p * (upstream - (upstream * p).sum())


@misconception(
    "softmax.softmax_backward",
    "You use `x` as if it were the probabilities. It holds the scores: p = softmax(x, axis) comes first.",
)
def softmax_backward_of_the_output(upstream, x, axis=-1):
    return x * (upstream - (upstream * x).sum(axis=axis, keepdims=True))


@misconception(
    "softmax.softmax_backward",
    "The sum in the bracket has to be weighted by the probabilities: sum(upstream * p), not sum(upstream).",
)
def softmax_backward_of_an_unweighted_sum(upstream, x, axis=-1):
    return _softmax(x, axis) * (upstream - upstream.sum(axis=axis, keepdims=True))


@misconception(
    "softmax.softmax_backward",
    "In the bracket you subtract the plain mean of upstream. It is the mean weighted by the probabilities: sum(upstream * p).",
)
def softmax_backward_of_an_unweighted_mean(upstream, x, axis=-1):
    return _softmax(x, axis) * (upstream - upstream.mean(axis=axis, keepdims=True))


@misconception(
    "softmax.softmax_backward", "The factor p in front is missing: p * (upstream - sum(upstream * p))."
)
def softmax_backward_without_the_factor(upstream, x, axis=-1):
    p = _softmax(x, axis)
    return upstream - (upstream * p).sum(axis=axis, keepdims=True)


@misconception("softmax.softmax_backward", "The bracket is turned round: p * (upstream - sum(upstream * p)).")
def softmax_backward_turned_round(upstream, x, axis=-1):
    p = _softmax(x, axis)
    return p * ((upstream * p).sum(axis=axis, keepdims=True) - upstream)


@misconception(
    "softmax.softmax_backward", "The sum is subtracted, not added: p * (upstream - sum(upstream * p))."
)
def softmax_backward_with_a_plus(upstream, x, axis=-1):
    p = _softmax(x, axis)
    return p * (upstream + (upstream * p).sum(axis=axis, keepdims=True))


@misconception(
    "softmax.softmax_backward",
    "The second term is missing: raising one score also lowers all other probabilities of its row.",
)
def softmax_backward_of_the_first_term(upstream, x, axis=-1):
    return _softmax(x, axis) * upstream


@misconception(
    "softmax.softmax_backward",
    "p - upstream is the gradient of softmax and cross-entropy together, for a one-hot target. Here it is softmax alone.",
)
def softmax_backward_of_cross_entropy(upstream, x, axis=-1):
    return _softmax(x, axis) - upstream


@misconception(
    "softmax.softmax_backward", "The arguments are swapped: `upstream` comes first, the scores `x` second."
)
def softmax_backward_with_swapped_arguments(upstream, x, axis=-1):
    p = _softmax(upstream, axis)
    return p * (x - (x * p).sum(axis=axis, keepdims=True))


@misconception(
    "softmax.softmax_backward",
    "The softmax inside overflows for scores of a thousand: subtract each row's maximum there too (or call your `softmax`).",
)
def softmax_backward_without_shift(upstream, x, axis=-1):
    p = np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True)
    return p * (upstream - (upstream * p).sum(axis=axis, keepdims=True))


@misconception(
    "softmax.softmax_backward",
    "The softmax inside subtracts the largest score of the whole array, and a row far below it underflows to 0: subtract "
    "each row's own maximum (or call your `softmax`).",
)
def softmax_backward_shifted_by_the_overall_maximum(upstream, x, axis=-1):
    powers = np.exp(x - x.max())
    p = powers / powers.sum(axis=axis, keepdims=True)
    return p * (upstream - (upstream * p).sum(axis=axis, keepdims=True))


@misconception("softmax.softmax_backward", IN_PLACE)
def softmax_backward_in_place_of_x(upstream, x, axis=-1):
    x -= x.max(axis=axis, keepdims=True)
    p = _softmax(x, axis)
    return p * (upstream - (upstream * p).sum(axis=axis, keepdims=True))


@misconception("softmax.softmax_backward", IN_PLACE)
def softmax_backward_in_place_of_upstream(upstream, x, axis=-1):
    p = _softmax(x, axis)
    upstream -= (upstream * p).sum(axis=axis, keepdims=True)
    return p * upstream
