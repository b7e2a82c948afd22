"""Well-known wrong answers to the assignment `losses`."""

import numpy as np

from grader.exercise import misconception

ALL_PAIRS = (
    "With shapes `(n,)` and `(n, 1)` NumPy made an `(n, n)` table of all pairs and took it for your errors: "
    "compare the shapes first, and raise `ValueError` when they differ."
)
NOT_ELEMENTS = "You divided by the number of rows: a mean over every element divides by `np.size(y_true)`."
NOT_CLASSES = "You divided by the number of classes: the mean is over the batch, so divide by the rows."
ONE_AXIS = (
    "The sum runs over one axis only: leave `axis` out (and take `np.sum`, not `sum`), a loss is one number."
)
ONE_A_COLUMN = "One mean a column came out: leave `axis` out, a loss is one number."
ONE_A_ROW = "One loss a row came out: take the mean over the rows too, a loss is one number."
IN_PLACE = "`-=` and its kind write into the array that was given: make a new one, `error = y_pred - y_true`."
LINE_FOR_DELTA_ONE = (
    "The constant of the line is right for delta = 1 only: it is `delta * (error - delta / 2)`."
)
LOG_OF_ZERO = "log 0 came in: clip the probabilities to [1e-7, 1 - 1e-7] before the logarithm."
RENORMALISED = (
    "You divided each row by its sum (as Keras does): here the probabilities are taken as they come."
)
TWO_STEPS = "First the sigmoid, then its logarithm: for large logits the sigmoid is exactly 0 or 1. Use max(z, 0) - z y + log(1 + exp(-|z|))."
GOES_FLAT = (
    "Clipping the probabilities, or adding a tiny number to them, hides the infinity, but the loss goes flat "
    "for large logits: work from the logits."
)
EXP_OF_MINUS_Z = "`exp(-z)` overflows for very negative logits: take max(z, 0) and exp(-|z|)."
LOGITS_CLIPPED = "You clipped the logits: beyond the bound the loss goes flat. With exp(-|z|) nothing overflows, and no bound is needed."
CLIPPED_ELSEWHERE = "You clipped, but at other bounds: here they are 1e-7 and 1 - 1e-7."


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def stable_sigmoid(x):
    return (1 + np.tanh(x / 2)) / 2


def yes_or_no(y_true, p):
    return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))


def one_of_many(y_true, p):
    return -np.sum(y_true * np.log(p)) / len(y_true)


def log_softmax(x):
    shifted = x - x.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def gram(x):
    return np.einsum("bhwc,bhwd->bcd", x, x) / (x.shape[1] * x.shape[2])


@misconception(
    "l1_loss.l1_loss",
    "This is the square: that loss is L2, whatever some cheat sheets print. L1 takes `np.abs`.",
)
def squares_called_l1(y_true, y_pred):
    return np.sum((y_true - y_pred) ** 2)


@misconception(
    "l1_loss.l1_loss", "Errors of opposite sign cancel: take the absolute value of each before you add up."
)
def signed_sum(y_true, y_pred):
    return np.sum(y_pred - y_true)


@misconception(
    "l1_loss.l1_loss",
    "The absolute value comes last here, after plus and minus have cancelled: take it of each error.",
)
def absolute_of_the_sum(y_true, y_pred):
    return np.abs(np.sum(y_pred - y_true))


@misconception(
    "l1_loss.l1_loss", "This is the mean: `l1_loss` is the sum, and `mean_absolute_error` comes next."
)
def mean_called_l1(y_true, y_pred):
    return np.mean(np.abs(y_true - y_pred))


@misconception("l1_loss.l1_loss", ONE_AXIS)
def absolute_sum_of_rows(y_true, y_pred):
    return np.sum(np.abs(y_true - y_pred), axis=-1)


@misconception("l1_loss.l1_loss", ONE_AXIS)
def absolute_sum_of_columns(y_true, y_pred):
    return np.sum(np.abs(y_true - y_pred), axis=0)


@misconception("l1_loss.l1_loss", IN_PLACE)
def l1_in_place(y_true, y_pred):
    y_pred -= y_true
    return np.sum(np.abs(y_pred))


@misconception("l1_loss.l1_loss", ALL_PAIRS)
def l1_of_all_pairs(y_true, y_pred):
    return np.sum(np.abs(y_true - y_pred))


@misconception(
    "l1_loss.l2_loss",
    "The root is too much: `l2_loss` is the sum of squares, not the length of the error (the L2 norm).",
)
def norm_called_l2(y_true, y_pred):
    return np.sqrt(np.sum((y_true - y_pred) ** 2))


@misconception("l1_loss.l2_loss", "This is the absolute error: that loss is L1. L2 squares each error.")
def absolutes_called_l2(y_true, y_pred):
    return np.sum(np.abs(y_true - y_pred))


@misconception(
    "l1_loss.l2_loss", "This is the mean: `l2_loss` is the sum, and `mean_squared_error` comes later."
)
def mean_called_l2(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


@misconception(
    "l1_loss.l2_loss", "You squared the sum: square each error first, then add up, or plus and minus cancel."
)
def square_of_the_sum(y_true, y_pred):
    return np.sum(y_true - y_pred) ** 2


@misconception(
    "l1_loss.l2_loss", "The half belongs to `linear_regression_cost`: `l2_loss` is the plain sum of squares."
)
def half_the_squares(y_true, y_pred):
    return np.sum((y_true - y_pred) ** 2) / 2


@misconception("l1_loss.l2_loss", ONE_AXIS)
def square_sum_of_rows(y_true, y_pred):
    return np.sum((y_true - y_pred) ** 2, axis=-1)


@misconception("l1_loss.l2_loss", ONE_AXIS)
def square_sum_of_columns(y_true, y_pred):
    return np.sum((y_true - y_pred) ** 2, axis=0)


@misconception(
    "l1_loss.l2_loss", "You subtracted the squares: square the difference, `(y_pred - y_true) ** 2`."
)
def difference_of_squares(y_true, y_pred):
    return np.sum(y_pred**2 - y_true**2)


@misconception("l1_loss.l2_loss", IN_PLACE)
def l2_in_place(y_true, y_pred):
    y_pred -= y_true
    return np.sum(y_pred**2)


@misconception("l1_loss.l2_loss", ALL_PAIRS)
def l2_of_all_pairs(y_true, y_pred):
    return np.sum((y_true - y_pred) ** 2)


@misconception("mean_absolute_error.mean_absolute_error", NOT_ELEMENTS)
def absolute_over_rows(y_true, y_pred):
    return np.sum(np.abs(y_true - y_pred)) / len(y_true)


@misconception(
    "mean_absolute_error.mean_absolute_error", "This is the sum: divide by the number of elements."
)
def sum_called_mean(y_true, y_pred):
    return np.sum(np.abs(y_true - y_pred))


@misconception(
    "mean_absolute_error.mean_absolute_error",
    "One mean a row came out: leave `axis` out, a loss is one number.",
)
def absolute_mean_of_rows(y_true, y_pred):
    return np.mean(np.abs(y_true - y_pred), axis=-1)


@misconception(
    "mean_absolute_error.mean_absolute_error", "These are squared errors: the absolute error takes `np.abs`."
)
def squared_called_absolute(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


@misconception("mean_absolute_error.mean_absolute_error", ONE_A_COLUMN)
def absolute_mean_of_columns(y_true, y_pred):
    return np.mean(np.abs(y_true - y_pred), axis=0)


@misconception(
    "mean_absolute_error.mean_absolute_error",
    "The absolute value is missing: errors of opposite sign cancel, take `np.abs` of each.",
)
def signed_mean(y_true, y_pred):
    return np.mean(y_pred - y_true)


@misconception(
    "mean_absolute_error.mean_absolute_error",
    "The absolute value comes last here, after plus and minus have cancelled: take it of each error.",
)
def absolute_of_the_mean(y_true, y_pred):
    return np.abs(np.mean(y_pred - y_true))


@misconception("mean_absolute_error.mean_absolute_error", IN_PLACE)
def absolute_in_place(y_true, y_pred):
    y_pred -= y_true
    return np.mean(np.abs(y_pred))


@misconception("mean_absolute_error.mean_absolute_error", ALL_PAIRS)
def absolute_of_all_pairs(y_true, y_pred):
    return np.mean(np.abs(y_true - y_pred))


@misconception("mean_squared_error.mean_squared_error", NOT_ELEMENTS)
def squared_over_rows(y_true, y_pred):
    return np.sum((y_true - y_pred) ** 2) / len(y_true)


@misconception(
    "mean_squared_error.mean_squared_error",
    "The half belongs to `linear_regression_cost`: the mean squared error has none.",
)
def half_the_mean(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2) / 2


@misconception("mean_squared_error.mean_squared_error", "This is the sum: divide by the number of elements.")
def sum_called_mean_squared(y_true, y_pred):
    return np.sum((y_true - y_pred) ** 2)


@misconception(
    "mean_squared_error.mean_squared_error", "This is the root mean squared error: leave the root away."
)
def root_mean_squared(y_true, y_pred):
    return np.sqrt(np.mean((y_true - y_pred) ** 2))


@misconception(
    "mean_squared_error.mean_squared_error",
    "One mean a row came out: leave `axis` out, a loss is one number.",
)
def squared_mean_of_rows(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2, axis=-1)


@misconception("mean_squared_error.mean_squared_error", ONE_A_COLUMN)
def squared_mean_of_columns(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2, axis=0)


@misconception(
    "mean_squared_error.mean_squared_error",
    "This is the variance of the errors, which forgives a prediction that is always 5 too high: subtract no mean.",
)
def variance(y_true, y_pred):
    return np.var(y_true - y_pred)


@misconception(
    "mean_squared_error.mean_squared_error",
    "You squared the mean: square each error first, or plus and minus cancel.",
)
def square_of_the_mean(y_true, y_pred):
    return np.mean(y_true - y_pred) ** 2


@misconception("mean_squared_error.mean_squared_error", IN_PLACE)
def squared_in_place(y_true, y_pred):
    y_pred -= y_true
    return np.mean(y_pred**2)


@misconception("mean_squared_error.mean_squared_error", ALL_PAIRS)
def squared_of_all_pairs(y_true, y_pred):
    return np.mean((y_true - y_pred) ** 2)


@misconception(
    "mean_squared_error.mean_squared_error_grad",
    "The sign is turned round, `y_true - y_pred`: this would lead uphill. The derivative is with respect to `y_pred`.",
)
def uphill(y_true, y_pred):
    return 2 * (y_true - y_pred) / y_true.size


@misconception(
    "mean_squared_error.mean_squared_error_grad",
    "The 1/n of the mean is missing: it is in the derivative too.",
)
def gradient_of_the_sum(y_true, y_pred):
    return 2 * (y_pred - y_true)


@misconception(
    "mean_squared_error.mean_squared_error_grad",
    "The 2 is missing: it comes down from the square, and no half cancels it here.",
)
def two_forgotten(y_true, y_pred):
    return (y_pred - y_true) / y_true.size


@misconception("mean_squared_error.mean_squared_error_grad", NOT_ELEMENTS)
def gradient_over_rows(y_true, y_pred):
    return 2 * (y_pred - y_true) / len(y_true)


@misconception(
    "mean_squared_error.mean_squared_error_grad",
    "You added the gradient up: it has one entry for each prediction.",
)
def summed_gradient(y_true, y_pred):
    return np.mean(2 * (y_pred - y_true))


@misconception("mean_squared_error.mean_squared_error_grad", IN_PLACE)
def gradient_in_place(y_true, y_pred):
    y_pred -= y_true
    y_pred *= 2 / y_pred.size
    return y_pred


@misconception(
    "linear_regression.linear_regression_cost",
    "The half is missing: this cost divides by 2m, so that the 2 of its derivative cancels.",
)
def cost_without_half(theta, x, y):
    return np.mean((x @ theta - y) ** 2)


@misconception(
    "linear_regression.linear_regression_cost", "The mean is missing: divide by 2m, not by 2 alone."
)
def cost_without_mean(theta, x, y):
    return np.sum((x @ theta - y) ** 2) / 2


@misconception(
    "linear_regression.linear_regression_cost",
    "m is the number of examples, the rows of `x`; you divided by the number of features.",
)
def cost_over_features(theta, x, y):
    return np.sum((x @ theta - y) ** 2) / (2 * len(theta))


@misconception(
    "linear_regression.linear_regression_cost",
    "The errors are not squared: with plus and minus cancelling, no fit would be bad.",
)
def cost_of_plain_errors(theta, x, y):
    return np.sum(x @ theta - y) / (2 * len(y))


@misconception(
    "linear_regression.linear_regression_cost",
    "`/ 2 * m` divides by 2 and then multiplies by m: put the product in brackets, `/ (2 * m)`.",
)
def cost_times_m(theta, x, y):
    return np.sum((x @ theta - y) ** 2) / 2 * len(y)


@misconception(
    "linear_regression.linear_regression_cost",
    "`y -= ...` writes into the targets that were given: make a new array, `error = x @ theta - y`.",
)
def cost_in_place(theta, x, y):
    y -= x @ theta
    return np.sum(y**2) / (2 * len(y))


@misconception(
    "linear_regression.linear_regression_cost",
    "`x *= theta` writes into the examples that were given: `x @ theta` makes a new array.",
)
def cost_of_scaled_examples(theta, x, y):
    x *= theta
    return np.sum((x.sum(axis=1) - y) ** 2) / (2 * len(y))


@misconception(
    "linear_regression.linear_regression_cost",
    "`x @ theta` of shape `(m,)` minus `y` of shape `(m, 1)` is a table of all pairs: check the shapes, raise `ValueError`.",
)
def cost_of_all_pairs(theta, x, y):
    return np.sum((x @ theta - y) ** 2) / (2 * len(y))


@misconception(
    "linear_regression.linear_regression_grad",
    "The 2 of the derivative and the half of the cost cancel: no 2 is left.",
)
def gradient_with_two(theta, x, y):
    return 2 * x.T @ (x @ theta - y) / len(y)


@misconception(
    "linear_regression.linear_regression_grad", "The mean is missing: divide by the number of examples."
)
def gradient_without_mean(theta, x, y):
    return x.T @ (x @ theta - y)


@misconception(
    "linear_regression.linear_regression_grad",
    "The sign is turned round, `y - x @ theta`: this would lead uphill.",
)
def gradient_uphill(theta, x, y):
    return x.T @ (y - x @ theta) / len(y)


@misconception(
    "linear_regression.linear_regression_grad",
    "The transpose is missing: each weight needs the errors weighed by its own column of `x`.",
)
def gradient_without_transpose(theta, x, y):
    return x @ (x @ theta - y) / len(y)


@misconception(
    "linear_regression.linear_regression_grad",
    "The half belongs to the cost only: its derivative divides by m, not by 2m.",
)
def gradient_halved(theta, x, y):
    return x.T @ (x @ theta - y) / (2 * len(y))


@misconception(
    "linear_regression.linear_regression_grad",
    "m is the number of examples, the rows of `x`; you divided by the number of features.",
)
def gradient_over_features(theta, x, y):
    return x.T @ (x @ theta - y) / len(theta)


@misconception(
    "linear_regression.linear_regression_grad",
    "m is the number of examples: divide by the rows of `x`, not by all its elements.",
)
def gradient_over_all(theta, x, y):
    return x.T @ (x @ theta - y) / x.size


@misconception(
    "linear_regression.linear_regression_grad",
    "A column came out: the gradient has the shape of `theta`, `(n,)`.",
)
def gradient_as_column(theta, x, y):
    return (x.T @ (x @ theta - y) / len(y))[:, np.newaxis]


@misconception(
    "linear_regression.linear_regression_grad", "You added the gradient up: it has one entry for each weight."
)
def gradient_as_one_number(theta, x, y):
    return np.mean((x @ theta - y)[:, np.newaxis] * x)


@misconception(
    "linear_regression.linear_regression_grad",
    "`-=` writes into the targets that were given: make a new array, `error = x @ theta - y`.",
)
def linear_gradient_in_place(theta, x, y):
    y -= x @ theta
    return -x.T @ y / len(y)


@misconception("huber.huber", "The half of the parabola is missing: at delta the two pieces would not meet.")
def parabola_without_half(y_true, y_pred, delta=1.0):
    error = np.abs(y_true - y_pred)
    return np.mean(np.where(error <= delta, error**2, delta * (error - delta / 2)))


@misconception(
    "huber.huber",
    "The line starts too high: it needs `- delta / 2` in the bracket, or the pieces do not meet.",
)
def line_without_constant(y_true, y_pred, delta=1.0):
    error = np.abs(y_true - y_pred)
    return np.mean(np.where(error <= delta, error**2 / 2, delta * error))


@misconception(
    "huber.huber",
    LINE_FOR_DELTA_ONE,
)
def constant_for_delta_one(y_true, y_pred, delta=1.0):
    error = np.abs(y_true - y_pred)
    return np.mean(np.where(error <= delta, error**2 / 2, delta * (error - 0.5)))


@misconception("huber.huber", "The slope of the line is delta: `delta * (error - delta / 2)`.")
def line_of_slope_one(y_true, y_pred, delta=1.0):
    error = np.abs(y_true - y_pred)
    return np.mean(np.where(error <= delta, error**2 / 2, error - delta / 2))


@misconception("huber.huber", "`delta` is not used: you compared with 1.")
def huber_at_one(y_true, y_pred, delta=1.0):
    error = np.abs(y_true - y_pred)
    return np.mean(np.where(error <= 1, error**2 / 2, error - 0.5))


@misconception("huber.huber", "The absolute value is missing: large negative errors took the parabola.")
def huber_of_signed_errors(y_true, y_pred, delta=1.0):
    error = y_pred - y_true
    return np.mean(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)))


@misconception("huber.huber", LINE_FOR_DELTA_ONE)
def half_off_the_line(y_true, y_pred, delta=1.0):
    error = np.abs(y_true - y_pred)
    return np.mean(np.where(error <= delta, error**2 / 2, delta * error - 0.5))


@misconception(
    "huber.huber",
    "This is smooth L1, Huber's loss divided by delta: half the square near zero, slope delta far away.",
)
def smooth_l1(y_true, y_pred, delta=1.0):
    error = np.abs(y_true - y_pred)
    return np.mean(np.where(error <= delta, error**2 / (2 * delta), error - delta / 2))


@misconception(
    "huber.huber",
    "This is the pseudo-Huber loss, a smooth imitation: here it is a parabola up to delta and a line beyond.",
)
def pseudo_huber(y_true, y_pred, delta=1.0):
    return np.mean(delta**2 * (np.sqrt(1 + ((y_true - y_pred) / delta) ** 2) - 1))


@misconception(
    "huber.huber", "The default of `delta` is not 1: keep the first line of the function as it was given."
)
def huber_of_another_default(y_true, y_pred, delta=1.35):
    error = np.abs(y_true - y_pred)
    return np.mean(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)))


@misconception("huber.huber", IN_PLACE)
def huber_in_place(y_true, y_pred, delta=1.0):
    y_pred -= y_true
    error = np.abs(y_pred)
    return np.mean(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)))


@misconception("huber.huber", "This is the sum: Huber's loss here is the mean over every element.")
def huber_summed(y_true, y_pred, delta=1.0):
    error = np.abs(y_true - y_pred)
    return np.sum(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)))


@misconception("huber.huber", NOT_ELEMENTS)
def huber_over_rows(y_true, y_pred, delta=1.0):
    error = np.abs(y_true - y_pred)
    return np.sum(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2))) / len(y_true)


@misconception("huber.huber", ALL_PAIRS)
def huber_of_all_pairs(y_true, y_pred, delta=1.0):
    error = np.abs(y_true - y_pred)
    return np.mean(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)))


@misconception("huber.huber_grad", "The 1/n of the mean is missing in the gradient.")
def huber_gradient_of_the_sum(y_true, y_pred, delta=1.0):
    return np.clip(y_pred - y_true, -delta, delta)


@misconception("huber.huber_grad", "The sign is turned round, `y_true - y_pred`: this would lead uphill.")
def huber_uphill(y_true, y_pred, delta=1.0):
    return np.clip(y_true - y_pred, -delta, delta) / y_true.size


@misconception(
    "huber.huber_grad",
    "Far away the slope is delta with the sign of the error; left of zero yours is positive.",
)
def huber_gradient_without_sign(y_true, y_pred, delta=1.0):
    error = y_pred - y_true
    return np.where(np.abs(error) <= delta, error, delta) / y_true.size


@misconception("huber.huber_grad", "Far away the slope is plus or minus `delta`, not plus or minus 1.")
def huber_gradient_of_slope_one(y_true, y_pred, delta=1.0):
    error = y_pred - y_true
    return np.where(np.abs(error) <= delta, error, np.sign(error)) / y_true.size


@misconception("huber.huber_grad", NOT_ELEMENTS)
def huber_gradient_over_rows(y_true, y_pred, delta=1.0):
    return np.clip(y_pred - y_true, -delta, delta) / len(y_true)


@misconception("huber.huber_grad", "`delta` is not used: you clipped at 1.")
def huber_gradient_at_one(y_true, y_pred, delta=1.0):
    return np.clip(y_pred - y_true, -1, 1) / y_true.size


@misconception(
    "huber.huber_grad", "You divided first and clipped after: clip the error at delta, then divide by n."
)
def huber_gradient_clipped_late(y_true, y_pred, delta=1.0):
    return np.clip((y_pred - y_true) / y_true.size, -delta, delta)


@misconception("huber.huber_grad", "Only one side is held: large negative errors need the bound `-delta`.")
def huber_gradient_held_above(y_true, y_pred, delta=1.0):
    return np.minimum(y_pred - y_true, delta) / y_true.size


@misconception("huber.huber_grad", "Only one side is held: large positive errors need the bound `delta`.")
def huber_gradient_held_below(y_true, y_pred, delta=1.0):
    return np.maximum(y_pred - y_true, -delta) / y_true.size


@misconception("huber.huber_grad", "The 2 of the square is cancelled by its half: no 2 is left.")
def huber_gradient_with_two(y_true, y_pred, delta=1.0):
    return 2 * np.clip(y_pred - y_true, -delta, delta) / y_true.size


@misconception(
    "huber.huber_grad",
    "This is the gradient of smooth L1, Huber's loss divided by delta: hold the error itself between -delta and delta.",
)
def smooth_l1_gradient(y_true, y_pred, delta=1.0):
    return np.clip((y_pred - y_true) / delta, -1, 1) / y_true.size


@misconception("huber.huber_grad", IN_PLACE)
def huber_gradient_in_place(y_true, y_pred, delta=1.0):
    y_pred -= y_true
    return np.clip(y_pred, -delta, delta) / y_pred.size


@misconception(
    "hinge.hinge",
    "Nothing keeps the cost from going below zero: `np.maximum(0, ...)`, or safe examples pay for wrong ones.",
)
def hinge_below_zero(y_true, y_pred):
    return np.mean(1 - y_true * y_pred)


@misconception(
    "hinge.hinge",
    "The 1 is missing: this is the perceptron's loss, content with any right sign. The hinge wants a margin of 1.",
)
def perceptron(y_true, y_pred):
    return np.mean(np.maximum(0, -y_true * y_pred))


@misconception(
    "hinge.hinge", "The sign is turned round: a margin above 1 is good, so the cost is `1 - y_true * y_pred`."
)
def hinge_reversed(y_true, y_pred):
    return np.mean(np.maximum(0, 1 + y_true * y_pred))


@misconception("hinge.hinge", "This is the squared hinge: leave the square away.")
def squared_hinge(y_true, y_pred):
    return np.mean(np.maximum(0, 1 - y_true * y_pred) ** 2)


@misconception("hinge.hinge", "This is the sum: divide by the number of elements.")
def hinge_summed(y_true, y_pred):
    return np.sum(np.maximum(0, 1 - y_true * y_pred))


@misconception("hinge.hinge", NOT_ELEMENTS)
def hinge_over_rows(y_true, y_pred):
    return np.sum(np.maximum(0, 1 - y_true * y_pred)) / len(y_true)


@misconception(
    "hinge.hinge", "`np.abs` makes safe examples pay: beyond the margin the cost is 0, `np.maximum(0, ...)`."
)
def hinge_absolute(y_true, y_pred):
    return np.mean(np.abs(1 - y_true * y_pred))


@misconception("hinge.hinge", "The margin is the product of label and score, not their difference.")
def hinge_of_differences(y_true, y_pred):
    return np.mean(np.maximum(0, 1 - (y_true - y_pred)))


@misconception(
    "hinge.hinge",
    "The maximum comes after the mean here, when safe examples have already paid for wrong ones: take it of each.",
)
def hinge_maximum_last(y_true, y_pred):
    return np.maximum(0, np.mean(1 - y_true * y_pred))


@misconception(
    "hinge.hinge",
    "You took the mean over the examples that cost something: divide by the number of all of them.",
)
def hinge_of_the_active(y_true, y_pred):
    cost = 1 - y_true * y_pred
    return np.mean(cost[cost > 0])


@misconception("hinge.hinge", "`2 * y - 1` is for labels 0 and 1: here they are -1 and 1 already.")
def hinge_of_converted_labels(y_true, y_pred):
    return np.mean(np.maximum(0, 1 - (2 * y_true - 1) * y_pred))


@misconception(
    "hinge.hinge",
    "You took the sign of the score: its size counts, a wrong answer costs the more the surer it is.",
)
def hinge_of_signs(y_true, y_pred):
    return np.mean(np.maximum(0, 1 - y_true * np.sign(y_pred)))


@misconception("hinge.hinge", ONE_A_ROW)
def hinge_of_rows(y_true, y_pred):
    return np.mean(np.maximum(0, 1 - y_true * y_pred), axis=-1)


@misconception("hinge.hinge", ONE_A_COLUMN)
def hinge_of_columns(y_true, y_pred):
    return np.mean(np.maximum(0, 1 - y_true * y_pred), axis=0)


@misconception(
    "hinge.hinge",
    "`*=` writes into the labels that were given: make a new array, `margin = y_true * y_pred`.",
)
def hinge_in_place(y_true, y_pred):
    y_true *= y_pred
    return np.mean(np.maximum(0, 1 - y_true))


@misconception("hinge.hinge", ALL_PAIRS)
def hinge_of_all_pairs(y_true, y_pred):
    return np.mean(np.maximum(0, 1 - y_true * y_pred))


@misconception(
    "cross_entropy.cross_entropy",
    "You took the mean over rows and classes: sum over the classes, mean over the batch.",
)
def mean_over_classes_too(y_true, probabilities):
    return -np.mean(y_true * np.log(np.clip(probabilities, 1e-7, 1 - 1e-7)))


@misconception("cross_entropy.cross_entropy", "This is the sum over the batch: divide by the number of rows.")
def cross_entropy_summed(y_true, probabilities):
    return -np.sum(y_true * np.log(np.clip(probabilities, 1e-7, 1 - 1e-7)))


@misconception(
    "cross_entropy.cross_entropy",
    "The minus is missing: the logarithm of a probability is negative, its price is not.",
)
def log_likelihood(y_true, probabilities):
    return np.sum(y_true * np.log(np.clip(probabilities, 1e-7, 1 - 1e-7))) / len(y_true)


@misconception(
    "cross_entropy.cross_entropy",
    LOG_OF_ZERO,
)
def unclipped(y_true, probabilities):
    return -np.sum(y_true * np.log(probabilities)) / len(y_true)


@misconception(
    "cross_entropy.cross_entropy",
    RENORMALISED,
)
def renormalised(y_true, probabilities):
    probabilities = probabilities / probabilities.sum(axis=1, keepdims=True)
    return -np.sum(y_true * np.log(np.clip(probabilities, 1e-7, 1 - 1e-7))) / len(y_true)


@misconception(
    "cross_entropy.cross_entropy",
    "Adding 1e-7 shifts every probability: clip instead, so that those inside the bounds stay as they are.",
)
def nudged(y_true, probabilities):
    return -np.sum(y_true * np.log(probabilities + 1e-7)) / len(y_true)


@misconception(
    "cross_entropy.cross_entropy", "Adding 1e-8 shifts every probability: clip to [1e-7, 1 - 1e-7] instead."
)
def nudged_by_1e8(y_true, probabilities):
    return one_of_many(y_true, probabilities + 1e-8)


@misconception(
    "cross_entropy.cross_entropy",
    "Adding 1e-15 keeps log 0 away, but at another price: clip to [1e-7, 1 - 1e-7] instead.",
)
def nudged_by_1e15(y_true, probabilities):
    return one_of_many(y_true, probabilities + 1e-15)


@misconception("cross_entropy.cross_entropy", RENORMALISED)
def renormalised_after_clipping(y_true, probabilities):
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return one_of_many(y_true, p / p.sum(axis=1, keepdims=True))


@misconception("cross_entropy.cross_entropy", LOG_OF_ZERO)
def unclipped_by_picking(y_true, probabilities):
    return -np.mean(np.log(probabilities[np.arange(len(y_true)), y_true.argmax(axis=1)]))


@misconception("cross_entropy.cross_entropy", CLIPPED_ELSEWHERE)
def clipped_at_1e8(y_true, probabilities):
    return one_of_many(y_true, np.clip(probabilities, 1e-8, 1 - 1e-8))


@misconception("cross_entropy.cross_entropy", CLIPPED_ELSEWHERE)
def clipped_at_1e10(y_true, probabilities):
    return one_of_many(y_true, np.clip(probabilities, 1e-10, 1 - 1e-10))


@misconception("cross_entropy.cross_entropy", CLIPPED_ELSEWHERE)
def clipped_at_1e12(y_true, probabilities):
    return one_of_many(y_true, np.clip(probabilities, 1e-12, 1 - 1e-12))


@misconception("cross_entropy.cross_entropy", CLIPPED_ELSEWHERE)
def clipped_at_1e15(y_true, probabilities):
    return one_of_many(y_true, np.clip(probabilities, 1e-15, 1 - 1e-15))


@misconception(
    "cross_entropy.cross_entropy", "This is the logarithm to base 10: take the natural one, `np.log`."
)
def to_base_ten(y_true, probabilities):
    return -np.sum(y_true * np.log10(np.clip(probabilities, 1e-7, 1 - 1e-7))) / len(y_true)


@misconception(
    "cross_entropy.cross_entropy",
    "The two are swapped: the labels weigh, and the logarithm is of the probabilities.",
)
def labels_in_the_logarithm(y_true, probabilities):
    return one_of_many(probabilities, np.clip(y_true, 1e-7, 1 - 1e-7))


@misconception("cross_entropy.cross_entropy", ONE_A_ROW)
def cross_entropy_of_rows(y_true, probabilities):
    return -np.sum(y_true * np.log(np.clip(probabilities, 1e-7, 1 - 1e-7)), axis=1)


@misconception("cross_entropy.cross_entropy", NOT_CLASSES)
def cross_entropy_over_classes(y_true, probabilities):
    return -np.sum(y_true * np.log(np.clip(probabilities, 1e-7, 1 - 1e-7))) / y_true.shape[1]


@misconception(
    "cross_entropy.cross_entropy",
    "You took each row's largest probability: the price is that of the true class, where `y_true` is 1.",
)
def price_of_the_favourite(y_true, probabilities):
    return -np.mean(np.log(np.clip(probabilities.max(axis=1), 1e-7, 1 - 1e-7)))


@misconception(
    "cross_entropy.cross_entropy",
    "You clipped into the array that was given: `np.clip` without `out` makes a new one.",
)
def clipped_in_place(y_true, probabilities):
    np.clip(probabilities, 1e-7, 1 - 1e-7, out=probabilities)
    return one_of_many(y_true, probabilities)


@misconception("cross_entropy.cross_entropy", "You clipped at 0 only: the upper bound is 1 - 1e-7.")
def clipped_below_only(y_true, probabilities):
    return -np.sum(y_true * np.log(np.maximum(probabilities, 1e-7))) / len(y_true)


@misconception(
    "cross_entropy.cross_entropy", "This is the logarithm to base 2: take the natural one, `np.log`."
)
def in_bits(y_true, probabilities):
    return -np.sum(y_true * np.log2(np.clip(probabilities, 1e-7, 1 - 1e-7))) / len(y_true)


@misconception(
    "cross_entropy.cross_entropy",
    "The other classes need no `(1 - y) log(1 - p)` here: that belongs to yes-or-no questions.",
)
def binary_for_many(y_true, probabilities):
    p = np.clip(probabilities, 1e-7, 1 - 1e-7)
    return -np.sum(y_true * np.log(p) + (1 - y_true) * np.log(1 - p)) / len(y_true)


@misconception(
    "cross_entropy.cross_entropy", "These are probabilities already: no softmax here, it would flatten them."
)
def softmax_of_probabilities(y_true, probabilities):
    return -np.sum(y_true * np.log(softmax(probabilities))) / len(y_true)


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy",
    TWO_STEPS,
)
def in_two_steps(y_true, logits):
    p = sigmoid(logits)
    return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy",
    GOES_FLAT,
)
def in_two_steps_clipped(y_true, logits):
    p = np.clip(sigmoid(logits), 1e-7, 1 - 1e-7)
    return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy",
    "`exp(z)` overflows for large logits: pull max(z, 0) out and keep exp(-|z|).",
)
def overflowing(y_true, logits):
    return np.mean(np.log(1 + np.exp(logits)) - logits * y_true)


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy",
    "The case y = 0 costs nothing in your loss: the term (1 - y) log(1 - p) is missing.",
)
def only_yes_counts(y_true, logits):
    return np.mean(y_true * np.logaddexp(0, -logits))


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy",
    "Logits are raw scores, not probabilities: the sigmoid belongs inside this loss.",
)
def logits_as_probabilities(y_true, logits):
    p = np.clip(logits, 1e-7, 1 - 1e-7)
    return -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", NOT_ELEMENTS)
def sigmoid_over_rows(y_true, logits):
    return np.sum(np.logaddexp(0, logits) - logits * y_true) / len(y_true)


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy", "This is the sum: divide by the number of elements."
)
def sigmoid_summed(y_true, logits):
    return np.sum(np.logaddexp(0, logits) - logits * y_true)


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", TWO_STEPS)
def in_two_stable_steps(y_true, logits):
    return yes_or_no(y_true, stable_sigmoid(logits))


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", GOES_FLAT)
def in_two_stable_steps_clipped(y_true, logits):
    return yes_or_no(y_true, np.clip(stable_sigmoid(logits), 1e-7, 1 - 1e-7))


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", GOES_FLAT)
def in_two_steps_clipped_at_1e15(y_true, logits):
    return yes_or_no(y_true, np.clip(sigmoid(logits), 1e-15, 1 - 1e-15))


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", GOES_FLAT)
def in_two_stable_steps_clipped_at_1e15(y_true, logits):
    return yes_or_no(y_true, np.clip(stable_sigmoid(logits), 1e-15, 1 - 1e-15))


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", GOES_FLAT)
def in_two_steps_nudged(y_true, logits):
    p = sigmoid(logits)
    return -np.mean(y_true * np.log(p + 1e-15) + (1 - y_true) * np.log(1 - p + 1e-15))


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", GOES_FLAT)
def in_two_stable_steps_nudged(y_true, logits):
    p = stable_sigmoid(logits)
    return -np.mean(y_true * np.log(p + 1e-15) + (1 - y_true) * np.log(1 - p + 1e-15))


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy",
    "The sign of the whole loss is turned round: no term of it is negative.",
)
def sigmoid_negative(y_true, logits):
    return -np.mean(np.maximum(logits, 0) - logits * y_true + np.log1p(np.exp(-np.abs(logits))))


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy",
    "The sign of `z * y` is wrong: a large logit for a yes must lower the loss, so it is subtracted.",
)
def sigmoid_plus_zy(y_true, logits):
    return np.mean(np.maximum(logits, 0) + logits * y_true + np.log1p(np.exp(-np.abs(logits))))


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy", "The bars of |z| are forgotten: `np.exp(-np.abs(logits))`."
)
def sigmoid_without_bars(y_true, logits):
    return np.mean(np.maximum(logits, 0) - logits * y_true + np.log1p(np.exp(-logits)))


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", EXP_OF_MINUS_Z)
def sigmoid_of_minus_z(y_true, logits):
    return np.mean(logits - logits * y_true + np.log1p(np.exp(-logits)))


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy",
    "The maximum is forgotten: the first term is max(z, 0), not z.",
)
def sigmoid_without_maximum(y_true, logits):
    return np.mean(logits - logits * y_true + np.log1p(np.exp(-np.abs(logits))))


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", LOGITS_CLIPPED)
def logits_clipped_at_500(y_true, logits):
    z = np.clip(logits, -500, 500)
    return np.mean(np.logaddexp(0, z) - z * y_true)


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", LOGITS_CLIPPED)
def logits_clipped_at_100(y_true, logits):
    z = np.clip(logits, -100, 100)
    return np.mean(np.logaddexp(0, z) - z * y_true)


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", LOGITS_CLIPPED)
def logits_clipped_at_30(y_true, logits):
    z = np.clip(logits, -30, 30)
    return np.mean(np.logaddexp(0, z) - z * y_true)


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", ONE_A_ROW)
def sigmoid_of_rows(y_true, logits):
    return np.mean(np.logaddexp(0, logits) - logits * y_true, axis=-1)


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy", ALL_PAIRS)
def sigmoid_of_all_pairs(y_true, logits):
    return np.mean(np.maximum(logits, 0) - logits * y_true + np.log1p(np.exp(-np.abs(logits))))


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy_grad",
    "`exp(-z)` overflows for very negative logits: use exp(-|z|), and one form of the sigmoid for each sign.",
)
def overflowing_gradient(y_true, logits):
    return (sigmoid(logits) - y_true) / y_true.size


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy_grad", "The 1/n of the mean is missing in the gradient."
)
def sigmoid_gradient_of_the_sum(y_true, logits):
    return np.exp(-np.logaddexp(0, -logits)) - y_true


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy_grad", "The sign is turned round: predicted minus true."
)
def sigmoid_uphill(y_true, logits):
    return (y_true - np.exp(-np.logaddexp(0, -logits))) / y_true.size


@misconception("sigmoid_cross_entropy.sigmoid_cross_entropy_grad", NOT_ELEMENTS)
def sigmoid_gradient_over_rows(y_true, logits):
    return (np.exp(-np.logaddexp(0, -logits)) - y_true) / len(y_true)


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy_grad",
    "One p (1 - p) too many: the logarithm's derivative cancels the sigmoid's, and p - y is what is left.",
)
def slope_of_the_sigmoid_twice(y_true, logits):
    p = np.exp(-np.logaddexp(0, -logits))
    return (p - y_true) * p * (1 - p) / y_true.size


@misconception(
    "sigmoid_cross_entropy.sigmoid_cross_entropy_grad",
    "The sigmoid is missing: subtract the labels from the probabilities, not from the logits.",
)
def logits_minus_labels(y_true, logits):
    return (logits - y_true) / y_true.size


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    "The exponentials overflow: subtract each row's largest logit first, nothing changes but the danger.",
)
def unshifted(y_true, logits):
    e = np.exp(logits)
    return -np.sum(y_true * np.log(e / e.sum(axis=1, keepdims=True))) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    "First the softmax, then its logarithm: a probability that underflows to 0 has no logarithm. Take the log of the sum instead.",
)
def log_of_softmax(y_true, logits):
    return -np.sum(y_true * np.log(softmax(logits))) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    GOES_FLAT,
)
def clipped_softmax(y_true, logits):
    return -np.sum(y_true * np.log(np.clip(softmax(logits), 1e-7, 1 - 1e-7))) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    "You subtracted the largest logit of the whole batch: rows far below it underflow. Each row has its own (`axis=1`, `keepdims=True`).",
)
def one_shift_for_all(y_true, logits):
    shifted = logits - logits.max()
    return -np.sum(y_true * (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    "You took the mean over rows and classes: sum over the classes, mean over the batch.",
)
def softmax_mean_over_classes(y_true, logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return -np.mean(y_true * (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))))


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    "This is the sum over the batch: divide by the number of rows.",
)
def softmax_summed(y_true, logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return -np.sum(y_true * (shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))))


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    "The softmax runs down the batch: each row, one example, sums to 1 over its classes (`axis=1`).",
)
def softmax_down_the_batch(y_true, logits):
    shifted = logits - logits.max(axis=0)
    return -np.sum(y_true * (shifted - np.log(np.exp(shifted).sum(axis=0)))) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    "The softmax runs over the whole batch: each row, one example, sums to 1 over its classes (`axis=1`).",
)
def softmax_of_everything(y_true, logits):
    shifted = logits - logits.max()
    return -np.sum(y_true * (shifted - np.log(np.exp(shifted).sum()))) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    "The minus is missing: the logarithm of a probability is negative, its price is not.",
)
def softmax_negative(y_true, logits):
    return np.sum(y_true * log_softmax(logits)) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    "The largest logit was subtracted inside the exponentials only: subtract it in the first term too.",
)
def softmax_half_shifted(y_true, logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return -np.sum(y_true * (logits - np.log(np.exp(shifted).sum(axis=1, keepdims=True)))) / len(y_true)


@misconception("softmax_cross_entropy.softmax_cross_entropy", GOES_FLAT)
def softmax_clipped_at_1e15(y_true, logits):
    return one_of_many(y_true, np.clip(softmax(logits), 1e-15, 1 - 1e-15))


@misconception("softmax_cross_entropy.softmax_cross_entropy", GOES_FLAT)
def softmax_nudged_by_1e300(y_true, logits):
    return one_of_many(y_true, softmax(logits) + 1e-300)


@misconception("softmax_cross_entropy.softmax_cross_entropy", GOES_FLAT)
def softmax_nudged_by_1e15(y_true, logits):
    return one_of_many(y_true, softmax(logits) + 1e-15)


@misconception("softmax_cross_entropy.softmax_cross_entropy", GOES_FLAT)
def softmax_nudged_by_1e7(y_true, logits):
    return one_of_many(y_true, softmax(logits) + 1e-7)


@misconception("softmax_cross_entropy.softmax_cross_entropy", NOT_CLASSES)
def softmax_over_classes(y_true, logits):
    return -np.sum(y_true * log_softmax(logits)) / y_true.shape[1]


@misconception("softmax_cross_entropy.softmax_cross_entropy", ONE_A_ROW)
def softmax_of_rows(y_true, logits):
    return -np.sum(y_true * log_softmax(logits), axis=1)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy",
    "`logits -= ...` writes into the array that was given: make a new one, `shifted = logits - ...`.",
)
def softmax_in_place(y_true, logits):
    logits -= logits.max(axis=1, keepdims=True)
    return -np.sum(y_true * log_softmax(logits)) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy_grad", "The 1/batch of the mean is missing in the gradient."
)
def softmax_gradient_of_the_sum(y_true, logits):
    return softmax(logits) - y_true


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy_grad",
    "You divided by the number of elements: this loss is a mean over the batch, so divide by the rows.",
)
def softmax_gradient_over_elements(y_true, logits):
    return (softmax(logits) - y_true) / y_true.size


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy_grad", "The sign is turned round: predicted minus true."
)
def softmax_uphill(y_true, logits):
    return (y_true - softmax(logits)) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy_grad",
    "The exponentials overflow: subtract each row's largest logit first.",
)
def unshifted_gradient(y_true, logits):
    e = np.exp(logits)
    return (e / e.sum(axis=1, keepdims=True) - y_true) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy_grad",
    "Only the true class has a gradient in your answer: the others share the denominator and are pushed down.",
)
def only_the_true_class(y_true, logits):
    return y_true * (softmax(logits) - 1) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy_grad",
    "This is the derivative with respect to the probabilities, -y / p: take it on through the softmax, and p - y is left.",
)
def gradient_of_probabilities(y_true, logits):
    return -y_true / softmax(logits) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy_grad",
    "The softmax runs down the batch: each row, one example, sums to 1 over its classes (`axis=1`).",
)
def softmax_gradient_down_the_batch(y_true, logits):
    e = np.exp(logits - logits.max(axis=0))
    return (e / e.sum(axis=0) - y_true) / len(y_true)


@misconception("softmax_cross_entropy.softmax_cross_entropy_grad", NOT_CLASSES)
def softmax_gradient_over_classes(y_true, logits):
    return (softmax(logits) - y_true) / y_true.shape[1]


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy_grad",
    "You subtracted the largest logit of the whole batch: rows far below it underflow to 0/0. Each row has its own (`axis=1`, `keepdims=True`).",
)
def one_shift_for_all_gradients(y_true, logits):
    e = np.exp(logits - logits.max())
    return (e / e.sum(axis=1, keepdims=True) - y_true) / len(y_true)


@misconception(
    "softmax_cross_entropy.softmax_cross_entropy_grad",
    "`logits -= ...` writes into the array that was given: make a new one, `shifted = logits - ...`.",
)
def softmax_gradient_in_place(y_true, logits):
    logits -= logits.max(axis=1, keepdims=True)
    return (softmax(logits) - y_true) / len(y_true)


@misconception(
    "total_variation.total_variation", "Only the steps down are counted: add those to the right (axis 2)."
)
def only_down(images):
    return np.abs(np.diff(images, axis=1)).sum(axis=(1, 2, 3))


@misconception(
    "total_variation.total_variation", "Only the steps to the right are counted: add those down (axis 1)."
)
def only_right(images):
    return np.abs(np.diff(images, axis=2)).sum(axis=(1, 2, 3))


@misconception(
    "total_variation.total_variation",
    "One number came for the whole batch: sum over axes 1, 2 and 3, so that each image keeps its own.",
)
def over_the_batch(images):
    return np.abs(np.diff(images, axis=1)).sum() + np.abs(np.diff(images, axis=2)).sum()


@misconception(
    "total_variation.total_variation",
    "These are squared steps: total variation takes the absolute value, which forgives edges.",
)
def squared_steps(images):
    return (np.diff(images, axis=1) ** 2).sum(axis=(1, 2, 3)) + (np.diff(images, axis=2) ** 2).sum(
        axis=(1, 2, 3)
    )


@misconception("total_variation.total_variation", "This is the mean: total variation is a sum.")
def mean_steps(images):
    down, right = np.abs(np.diff(images, axis=1)), np.abs(np.diff(images, axis=2))
    return down.mean(axis=(1, 2, 3)) + right.mean(axis=(1, 2, 3))


@misconception(
    "total_variation.total_variation",
    "`np.roll` wraps around: the last row became a neighbour of the first. Use differences inside the image only.",
)
def wrapped(images):
    return sum(np.abs(images - np.roll(images, 1, axis)).sum(axis=(1, 2, 3)) for axis in (1, 2))


@misconception(
    "total_variation.total_variation",
    "Steps up and down cancel: take the absolute value of each before you add up.",
)
def signed_steps(images):
    return np.diff(images, axis=1).sum(axis=(1, 2, 3)) + np.diff(images, axis=2).sum(axis=(1, 2, 3))


@misconception(
    "total_variation.total_variation",
    "You also counted steps from channel to channel: colours of one pixel are no neighbours.",
)
def across_channels(images):
    return sum(np.abs(np.diff(images, axis=axis)).sum(axis=(1, 2, 3)) for axis in (1, 2, 3))


@misconception(
    "total_variation.total_variation",
    "Axes 0 and 1 are the batch and the height: the steps run along axes 1 and 2.",
)
def axes_off_by_one(images):
    return np.abs(np.diff(images, axis=0)).sum() + np.abs(np.diff(images, axis=1)).sum(axis=(1, 2, 3))


@misconception(
    "total_variation.total_variation",
    "Every step is counted twice: down and to the right is enough, up and to the left are the same steps.",
)
def steps_counted_twice(images):
    return 2 * (
        np.abs(np.diff(images, axis=1)).sum(axis=(1, 2, 3))
        + np.abs(np.diff(images, axis=2)).sum(axis=(1, 2, 3))
    )


@misconception(
    "total_variation.total_variation",
    "The steps along the last row and the last column are missing: cut off one axis at a time.",
)
def interior_only(images):
    here = images[:, :-1, :-1]
    steps = np.abs(images[:, 1:, :-1] - here) + np.abs(images[:, :-1, 1:] - here)
    return steps.sum(axis=(1, 2, 3))


@misconception(
    "total_variation.total_variation",
    "This is the isotropic variation, a root of two squares: here both steps are added as absolute values.",
)
def isotropic(images):
    here = images[:, :-1, :-1]
    squares = (images[:, 1:, :-1] - here) ** 2 + (images[:, :-1, 1:] - here) ** 2
    return np.sqrt(squares).sum(axis=(1, 2, 3))


@misconception(
    "total_variation.total_variation",
    "The batch axis is gone where the batch is one image: leave `np.squeeze` out, the result has shape `(batch,)`.",
)
def squeezed(images):
    return np.squeeze(
        np.abs(np.diff(images, axis=1)).sum(axis=(1, 2, 3))
        + np.abs(np.diff(images, axis=2)).sum(axis=(1, 2, 3))
    )


@misconception(
    "total_variation.total_variation", "The summed axes stayed (`keepdims`): the result has shape `(batch,)`."
)
def axes_kept(images):
    down, right = np.abs(np.diff(images, axis=1)), np.abs(np.diff(images, axis=2))
    return down.sum(axis=(1, 2, 3), keepdims=True) + right.sum(axis=(1, 2, 3), keepdims=True)


@misconception(
    "total_variation.total_variation",
    "The last step is missing: an image of h rows has h - 1 steps down, `images[:, 1:] - images[:, :-1]`.",
)
def last_step_missing(images):
    down = np.abs(images[:, 1:-1] - images[:, :-2])
    right = np.abs(images[:, :, 1:-1] - images[:, :, :-2])
    return down.sum(axis=(1, 2, 3)) + right.sum(axis=(1, 2, 3))


@misconception(
    "total_variation.total_variation",
    "You compared pixels two apart: neighbours are one apart, `images[:, 1:] - images[:, :-1]`.",
)
def two_apart(images):
    down, right = np.abs(images[:, 2:] - images[:, :-2]), np.abs(images[:, :, 2:] - images[:, :, :-2])
    return down.sum(axis=(1, 2, 3)) + right.sum(axis=(1, 2, 3))


@misconception(
    "total_variation.total_variation",
    "The image was padded with zeros: the steps from its edge to the zeros are no part of it.",
)
def padded(images):
    images = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    return np.abs(np.diff(images, axis=1)).sum(axis=(1, 2, 3)) + np.abs(np.diff(images, axis=2)).sum(
        axis=(1, 2, 3)
    )


@misconception(
    "total_variation.total_variation",
    "The image was padded with zeros: the steps from its edge to the zeros are no part of it.",
)
def padded_at_the_end(images):
    images = np.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0)))
    return np.abs(np.diff(images, axis=1)).sum(axis=(1, 2, 3)) + np.abs(np.diff(images, axis=2)).sum(
        axis=(1, 2, 3)
    )


@misconception("total_variation.total_variation", "One number a channel came out: sum over axis 3 too.")
def channel_by_channel(images):
    return np.abs(np.diff(images, axis=1)).sum(axis=(1, 2)) + np.abs(np.diff(images, axis=2)).sum(axis=(1, 2))


@misconception(
    "total_variation.total_variation",
    "Axes 2 and 3 are the width and the channels: the steps run along axes 1 and 2.",
)
def width_and_channels(images):
    return np.abs(np.diff(images, axis=2)).sum(axis=(1, 2, 3)) + np.abs(np.diff(images, axis=3)).sum(
        axis=(1, 2, 3)
    )


@misconception(
    "total_variation.total_variation",
    "Only the first image was used: every image of the batch has its own number.",
)
def variation_of_the_first(images):
    images = images[:1]
    return np.abs(np.diff(images, axis=1)).sum(axis=(1, 2, 3)) + np.abs(np.diff(images, axis=2)).sum(
        axis=(1, 2, 3)
    )


@misconception("gram_matrix.gram_matrix", "The mean over places is missing: divide by height * width.")
def gram_summed(features):
    return np.einsum("bhwc,bhwd->bcd", features, features)


@misconception(
    "gram_matrix.gram_matrix",
    "You divided by height * width * channels: the sum runs over the places only, so divide by height * width.",
)
def gram_over_channels(features):
    _, h, w, c = features.shape
    return np.einsum("bhwc,bhwd->bcd", features, features) / (h * w * c)


@misconception(
    "gram_matrix.gram_matrix", "The 2 of `2 h w c` belongs to other definitions: divide by height * width."
)
def gram_as_in_a_course(features):
    _, h, w, c = features.shape
    return np.einsum("bhwc,bhwd->bcd", features, features) / (2 * h * w * c)


@misconception(
    "gram_matrix.gram_matrix", "Only the first image was used: every image of the batch has its own matrix."
)
def gram_of_the_first(features):
    return gram(features[:1])


@misconception(
    "gram_matrix.gram_matrix",
    "The images of the batch were thrown together: keep the batch axis out of the reshape.",
)
def gram_of_the_batch(features):
    flat = features.reshape(-1, features.shape[-1])
    return flat.T @ flat / len(flat)


@misconception(
    "gram_matrix.gram_matrix",
    "You subtracted the mean: that is the covariance. The Gram matrix takes the features as they are.",
)
def covariance(features):
    return gram(features - features.mean(axis=(1, 2), keepdims=True))


@misconception(
    "gram_matrix.gram_matrix",
    "This compares places with places: the transposed table comes first, so that channels meet channels.",
)
def gram_of_places(features):
    b, h, w, c = features.shape
    flat = features.reshape(b, h * w, c)
    return flat @ flat.transpose(0, 2, 1) / (h * w)


@misconception(
    "gram_matrix.gram_matrix",
    "The channels were torn apart: they are the last axis, so reshape to (batch, height * width, channels), not (batch, channels, ...).",
)
def gram_of_a_torn_table(features):
    b, h, w, c = features.shape
    flat = features.reshape(b, c, h * w)
    return flat @ flat.transpose(0, 2, 1) / (h * w)


@misconception(
    "gram_matrix.gram_matrix",
    "`/ h * w` divides by h and then multiplies by w: put the product in brackets, `/ (h * w)`.",
)
def gram_times_width(features):
    _, h, w, _ = features.shape
    return np.einsum("bhwc,bhwd->bcd", features, features) / h * w


@misconception("gram_matrix.gram_matrix", "You divided by the height squared: the places are height * width.")
def gram_over_height_squared(features):
    return np.einsum("bhwc,bhwd->bcd", features, features) / features.shape[1] ** 2


@misconception("gram_matrix.gram_matrix", "You divided by the height alone: the places are height * width.")
def gram_over_height(features):
    return np.einsum("bhwc,bhwd->bcd", features, features) / features.shape[1]


@misconception("gram_matrix.gram_matrix", "There is no 2 in this definition: divide by height * width.")
def gram_halved(features):
    return gram(features) / 2


@misconception(
    "gram_matrix.gram_matrix",
    "Only the diagonal is there, each channel with itself: the style is in the products of different channels.",
)
def gram_diagonal(features):
    return np.mean(features**2, axis=(1, 2))


@misconception(
    "gram_matrix.gram_matrix", "The images of the batch were added up: every image has its own matrix."
)
def gram_added_up(features):
    return gram(features).sum(axis=0)


@misconception(
    "gram_matrix.gram_matrix",
    "You divided by the channels' lengths, so that the diagonal is 1: divide by height * width only.",
)
def gram_of_cosines(features):
    g = gram(features)
    length = np.sqrt(np.einsum("bcc->bc", g))
    return g / length[:, :, np.newaxis] / length[:, np.newaxis]


@misconception(
    "gram_matrix.gram_matrix",
    "A reshaped array is a view: `/=` on it writes into the features that were given. Divide into a new array.",
)
def gram_in_place(features):
    features /= np.sqrt(features.shape[1] * features.shape[2])
    return np.einsum("bhwc,bhwd->bcd", features, features)


@misconception(
    "style_loss.style_loss",
    "This compares place by place, which is the content: style compares the Gram matrices.",
)
def style_as_content(style, generated):
    return np.mean((style - generated) ** 2)


@misconception(
    "style_loss.style_loss",
    "This is the sum: the style loss is the mean squared difference of the Gram matrices.",
)
def style_summed(style, generated):
    return np.sum((gram(style) - gram(generated)) ** 2)


@misconception(
    "style_loss.style_loss",
    "The quarter of the paper (1 / 4N²M²) goes with sums that are not averaged: here a plain mean is asked for.",
)
def style_of_the_paper(style, generated):
    return np.mean((gram(style) - gram(generated)) ** 2) / 4


@misconception("style_loss.style_loss", "This is the absolute difference: the style loss squares it.")
def style_absolute(style, generated):
    return np.mean(np.abs(gram(style) - gram(generated)))


@misconception("style_loss.style_loss", "The Gram matrices were not divided by height * width.")
def style_of_sums(style, generated):
    return np.mean((gram_summed.wrong(style) - gram_summed.wrong(generated)) ** 2)


@misconception(
    "style_loss.style_loss",
    "You divided by the batch only: the mean is over every entry of the Gram matrices.",
)
def style_over_batch(style, generated):
    return np.sum((gram(style) - gram(generated)) ** 2) / len(style)


@misconception(
    "style_loss.style_loss",
    "You divided by the entries of one Gram matrix: the mean is over the images of the batch too.",
)
def style_over_one_matrix(style, generated):
    return np.sum((gram(style) - gram(generated)) ** 2) / style.shape[-1] ** 2


@misconception(
    "style_loss.style_loss", "Only the first image was compared: the mean is over the whole batch."
)
def style_of_the_first(style, generated):
    return np.mean((gram(style)[0] - gram(generated)[0]) ** 2)


@misconception("style_loss.style_loss", "The root is too much: a plain mean of the squared differences.")
def style_rooted(style, generated):
    return np.sqrt(np.mean((gram(style) - gram(generated)) ** 2))


@misconception(
    "style_loss.style_loss",
    "This is the Gram matrix of the difference: take the difference of the two Gram matrices.",
)
def style_of_the_difference(style, generated):
    return np.mean(gram(style - generated) ** 2)


@misconception(
    "style_loss.content_loss",
    "The half of the paper is not asked for: a plain mean of the squared differences.",
)
def content_halved(content, generated):
    return np.mean((content - generated) ** 2) / 2


@misconception("style_loss.content_loss", "This is the sum: the content loss is the mean over every element.")
def content_summed(content, generated):
    return np.sum((content - generated) ** 2)


@misconception(
    "style_loss.content_loss",
    "This is the style: the content compares the features themselves, place by place.",
)
def content_as_style(content, generated):
    return np.mean((gram(content) - gram(generated)) ** 2)


@misconception("style_loss.content_loss", "This is the absolute difference: the content loss squares it.")
def content_absolute(content, generated):
    return np.mean(np.abs(content - generated))


@misconception("style_loss.content_loss", "You divided by the batch only: the mean is over every element.")
def content_over_batch(content, generated):
    return np.sum((content - generated) ** 2) / len(content)


@misconception(
    "style_loss.content_loss",
    "This is the content loss of Gatys' paper, half the sum: here it is the mean over every element.",
)
def content_of_the_paper(content, generated):
    return np.sum((content - generated) ** 2) / 2


@misconception("style_loss.content_loss", "The root is too much: a plain mean of the squared differences.")
def content_rooted(content, generated):
    return np.sqrt(np.mean((content - generated) ** 2))


@misconception(
    "style_loss.content_loss",
    "`-=` writes into the features that were given: make a new array, `generated - content`.",
)
def content_in_place(content, generated):
    generated -= content
    return np.mean(generated**2)
