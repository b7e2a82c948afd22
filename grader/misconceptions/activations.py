"""Well-known wrong answers to `activations`, each with what a teacher would say."""

import numpy as np

from grader.exercise import misconception


def _sigmoid(x):
    return 0.5 * (1 + np.tanh(0.5 * x))


def _softmax(x, axis=-1):
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


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
    "sigmoid.sigmoid_grad",
    "exp(-x) / (1 + exp(-x))**2 is right on paper, but for very negative x it is infinity over infinity. "
    "Use your stable sigmoid: s * (1 - s).",
)
def sigmoid_grad_overflowing(x):
    return np.exp(-x) / (1 + np.exp(-x)) ** 2


# tanh


@misconception(
    "tanh.tanh",
    "The brackets are missing: `1 - e / 1 + e` is 1 - e + e, which is 1 for every x. Write `(1 - e) / (1 + e)`.",
)
def tanh_without_brackets(x):
    e = np.exp(-2 * x)
    return 1 - e / 1 + e


@misconception(
    "tanh.tanh", "This is tanh(x / 2): the exponent is -2x, not -x (or, with sigmoids, 2 * sigmoid(2x) - 1)."
)
def tanh_of_half(x):
    return np.tanh(x / 2)


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


@misconception(
    "tanh.tanh_grad", "1 / cosh(x)**2 is right on paper, but cosh overflows at 1000. Use 1 - tanh(x)**2."
)
def tanh_grad_by_cosh(x):
    return 1 / np.cosh(x) ** 2


# relu


@misconception(
    "relu.relu",
    "`x[x < 0] = 0` writes into the array that you were given, and its owner loses his numbers. Build a new array, "
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


def _below(x):
    return np.exp(np.minimum(x, 0))


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


@misconception(
    "elu.elu",
    "The values are right, but `np.where` computes both branches everywhere, and exp(x) overflows at large x although "
    "nobody wants it there. Give the exponential `np.minimum(x, 0)`.",
)
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


@misconception(
    "elu.elu_grad",
    "The values are right, but `np.where` computes both branches everywhere, and exp(x) overflows at large x although "
    "nobody wants it there. Give the exponential `np.minimum(x, 0)`.",
)
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


@misconception(
    "softplus.softplus",
    "Cutting x off before the exponential keeps it finite, but the result stops growing: softplus(10000) is 10000. "
    "Use max(x, 0) + log1p(exp(-|x|)).",
)
def softplus_cut_off(x):
    return np.log1p(np.exp(np.clip(x, -500, 500)))


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
    "You subtract the largest score of the whole array. A row far below it underflows to 0/0: each row needs its own maximum "
    "(`axis`, `keepdims=True`).",
)
def softmax_shifted_by_the_overall_maximum(x, axis=-1):
    powers = np.exp(x - x.max())
    return powers / powers.sum(axis=axis, keepdims=True)


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
