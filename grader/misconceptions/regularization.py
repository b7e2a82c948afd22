"""Well-known wrong answers to the assignment `regularization`."""

import numpy as np

from grader.exercise import misconception


def axes_of(x):
    return tuple(range(x.ndim - 1))


def moved(moving, own, momentum):
    return momentum * moving + (1 - momentum) * own


def trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, root):
    """What training returns, with these statistics and this root."""
    y = gamma * (x - mean) / root + beta
    return y, moved(moving_mean, mean, momentum), moved(moving_variance, variance, momentum)


def backward_parts(x, epsilon):
    """The axes, the normalized x and the root."""
    axes = axes_of(x)
    root = np.sqrt(x.var(axis=axes) + epsilon)
    return axes, (x - x.mean(axis=axes)) / root, root


def backward(upstream, x, gamma, epsilon):
    axes, x_hat, root = backward_parts(x, epsilon)
    dx = upstream - upstream.mean(axis=axes) - x_hat * (upstream * x_hat).mean(axis=axes)
    return gamma / root * dx, (upstream * x_hat).sum(axis=axes), upstream.sum(axis=axes)


@misconception(
    "l2_penalty.l2_penalty",
    "The half is another convention's: here, as in Keras, it is the strength times the sum of squares.",
)
def penalty_halved(weights, strength):
    return strength / 2 * sum(np.sum(w**2) for w in weights)


@misconception(
    "l2_penalty.l2_penalty",
    "That is a mean: a penalty is a sum, so that every weight pays its own price however many there are.",
)
def penalty_mean(weights, strength):
    return strength * sum(np.sum(w**2) for w in weights) / sum(np.size(w) for w in weights)


@misconception(
    "l2_penalty.l2_penalty",
    "You averaged each array: a penalty is a sum, so that every weight pays its own price.",
)
def penalty_mean_of_each(weights, strength):
    return strength * sum(np.mean(w**2) for w in weights)


@misconception("l2_penalty.l2_penalty", "The root is too much: the penalty is the *squared* length.")
def penalty_root(weights, strength):
    return strength * np.sqrt(sum(np.sum(w**2) for w in weights))


@misconception(
    "l2_penalty.l2_penalty", "You took the norm of each array: square it, the penalty has no root."
)
def penalty_norms(weights, strength):
    return strength * sum(np.sqrt(np.sum(w**2)) for w in weights)


@misconception("l2_penalty.l2_penalty", "That is L1, absolute values: L2 adds up squares.")
def penalty_absolute(weights, strength):
    return strength * sum(np.sum(np.abs(w)) for w in weights)


@misconception(
    "l2_penalty.l2_penalty",
    "You summed first and squared then, so that plus and minus cancel: square each weight.",
)
def penalty_square_of_sums(weights, strength):
    return strength * sum(np.sum(w) ** 2 for w in weights)


@misconception("l2_penalty.l2_penalty", "Only the first array was counted: add up over the whole list.")
def penalty_of_the_first(weights, strength):
    return strength * np.sum(weights[0] ** 2)


@misconception("l2_penalty.l2_penalty", "Only the last array was counted: does the loop add, or overwrite?")
def penalty_of_the_last(weights, strength):
    return strength * np.sum(weights[-1] ** 2)


@misconception(
    "l2_penalty.l2_penalty", "One number for each array came: add them up, the penalty is one number."
)
def penalty_of_each(weights, strength):
    return np.array([strength * np.sum(w**2) for w in weights])


@misconception("l2_penalty.l2_penalty", "The strength is missing: it says what a squared weight costs.")
def penalty_without_strength(weights, strength):
    return sum(np.sum(w**2) for w in weights)


@misconception(
    "l2_penalty.l2_penalty",
    "The strength was squared with the weights: it multiplies the sum of squares once.",
)
def penalty_strength_squared(weights, strength):
    return sum(np.sum((strength * w) ** 2) for w in weights)


@misconception(
    "l2_penalty.l2_penalty_grad",
    "The 2 of the square is missing: without a half in the penalty nothing eats it.",
)
def penalty_grad_without_2(weights, strength):
    return [strength * w for w in weights]


@misconception("l2_penalty.l2_penalty_grad", "The strength is missing: it is a factor of every derivative.")
def penalty_grad_without_strength(weights, strength):
    return [2 * w for w in weights]


@misconception(
    "l2_penalty.l2_penalty_grad",
    "That is the step, with its minus: a gradient points uphill, where the penalty grows.",
)
def penalty_grad_downhill(weights, strength):
    return [-2 * strength * w for w in weights]


@misconception(
    "l2_penalty.l2_penalty_grad",
    "These are the weights after a step: return the gradient alone, the optimizer takes the step.",
)
def penalty_grad_step_taken(weights, strength):
    return [w - 2 * strength * w for w in weights]


@misconception(
    "l2_penalty.l2_penalty_grad", "The sign alone is the gradient of L1: that of a square keeps the size."
)
def penalty_grad_of_l1(weights, strength):
    return [strength * np.sign(w) for w in weights]


@misconception(
    "l2_penalty.l2_penalty_grad",
    "That is the gradient of a norm, with its root: the penalty is the square, and its gradient grows with w.",
)
def penalty_grad_of_the_norm(weights, strength):
    length = np.sqrt(sum(np.sum(w**2) for w in weights))
    return [strength * w / length for w in weights]


@misconception(
    "l2_penalty.l2_penalty_grad", "You divided by the number of weights: the penalty is a sum, not a mean."
)
def penalty_grad_of_the_mean(weights, strength):
    return [2 * strength * w / np.size(w) for w in weights]


@misconception(
    "l2_penalty.l2_penalty_grad",
    "You added each array up: every single weight has a derivative of its own.",
)
def penalty_grad_summed(weights, strength):
    return [2 * strength * np.sum(w) for w in weights]


@misconception(
    "l2_penalty.l2_penalty_grad",
    "One long vector came: return a list, an array of the right shape for each array of weights.",
)
def penalty_grad_flat(weights, strength):
    return 2 * strength * np.concatenate([np.ravel(w) for w in weights])


@misconception(
    "l2_penalty.l2_penalty_grad",
    "`*=` on an array of the list changes the network's own weights: build new arrays, `2 * strength * w`.",
)
def penalty_grad_in_place(weights, strength):
    for w in weights:
        w *= 2 * strength
    return weights


@misconception(
    "dropout.dropout",
    "What is kept was not scaled: with a share of 1 - rate alive, the sum shrinks. Divide by 1 - rate.",
)
def dropout_unscaled(x, rate, rng):
    mask = rng.random(x.shape) >= rate
    return x * mask, mask


@misconception(
    "dropout.dropout", "You divided by the rate: what survives is the share 1 - rate, so divide by that."
)
def dropout_over_rate(x, rate, rng):
    mask = rng.random(x.shape) >= rate
    return x * mask / (rate or 1), mask


@misconception(
    "dropout.dropout",
    "You multiplied by 1 - rate, which makes small numbers smaller still: divide by it, so that the mean stays.",
)
def dropout_times_share(x, rate, rng):
    mask = rng.random(x.shape) >= rate
    return x * mask * (1 - rate), mask


@misconception(
    "dropout.dropout",
    "`rate` was taken for the share that is kept: it is the share that is dropped. Keep where the number drawn is at least `rate`.",
)
def dropout_keeps_the_rate(x, rate, rng):
    mask = rng.random(x.shape) < rate
    return x * mask / (rate or 1), mask


@misconception(
    "dropout.dropout",
    "The comparison is the wrong way round: a number drawn is below `rate` with probability `rate`, and that is the share to drop.",
)
def dropout_comparison_turned(x, rate, rng):
    mask = rng.random(x.shape) < rate
    return x * mask / (1 - rate), mask


@misconception(
    "dropout.dropout", "Your mask is True where an element was dropped: it should be True where it was kept."
)
def dropout_mask_of_the_dropped(x, rate, rng):
    dropped = rng.random(x.shape) < rate
    return np.where(dropped, 0, x / (1 - rate)), dropped


@misconception(
    "dropout.dropout",
    "The mask carries the scale: it says True or False, and the factor 1 / (1 - rate) belongs to y.",
)
def dropout_scaled_mask(x, rate, rng):
    mask = (rng.random(x.shape) >= rate) / (1 - rate)
    return x * mask, mask


@misconception(
    "dropout.dropout",
    "Whole examples are switched off: one number was drawn a row. Draw one for each element, `rng.random(x.shape)`.",
)
def dropout_by_rows(x, rate, rng):
    mask = rng.random((len(x),) + (1,) * (x.ndim - 1)) >= rate
    mask = np.broadcast_to(mask, x.shape)
    return x * mask / (1 - rate), mask


@misconception(
    "dropout.dropout",
    "Every example has the same mask: draw one number for each element of the batch, `rng.random(x.shape)`.",
)
def dropout_one_mask_for_all(x, rate, rng):
    mask = np.broadcast_to(rng.random(x.shape[1:]) >= rate, x.shape)
    return x * mask / (1 - rate), mask


@misconception(
    "dropout.dropout",
    "A channel lives or dies as a whole: that is spatial dropout. Here each element is drawn for itself.",
)
def dropout_by_channels(x, rate, rng):
    mask = np.broadcast_to(rng.random(x.shape[-1]) >= rate, x.shape)
    return x * mask / (1 - rate), mask


@misconception(
    "dropout.dropout",
    "You drop exactly the share `rate`: each element should be drawn for itself, and how many fall be left to chance.",
)
def dropout_of_an_exact_number(x, rate, rng):
    mask = np.ones(x.size, dtype=bool)
    mask[rng.permutation(x.size)[: round(rate * x.size)]] = False
    mask = mask.reshape(x.shape)
    return x * mask / (1 - rate), mask


@misconception(
    "dropout.dropout",
    "You divided by the share that happened to be kept: divide by 1 - rate, the share to be expected, which no draw changes.",
)
def dropout_over_its_own_share(x, rate, rng):
    mask = rng.random(x.shape) >= rate
    return x * mask / max(mask.mean(), 1e-7), mask


@misconception(
    "dropout.dropout",
    "The mask was read off y, and so a kept 0 counts as dropped: return what was drawn.",
)
def dropout_mask_read_off(x, rate, rng):
    y = x * (rng.random(x.shape) >= rate) / (1 - rate)
    return y, y != 0


@misconception(
    "dropout.dropout",
    "A generator of your own always drops the same elements, in every step of training: draw from `rng`.",
)
def dropout_with_its_own_seed(x, rate, rng):
    mask = np.random.default_rng(0).random(x.shape) >= rate
    return x * mask / (1 - rate), mask


@misconception("dropout.dropout", "`*=` writes into x, which the way back still needs: build a new array.")
def dropout_in_place(x, rate, rng):
    mask = rng.random(x.shape) >= rate
    x *= mask
    x /= 1 - rate
    return x, mask


@misconception("dropout.dropout", "Only y came back: return the mask too, the way back needs it.")
def dropout_without_mask(x, rate, rng):
    return x * (rng.random(x.shape) >= rate) / (1 - rate)


@misconception("dropout.dropout", "The mask comes before y: return y first, then the mask.")
def dropout_order(x, rate, rng):
    mask = rng.random(x.shape) >= rate
    return mask, x * mask / (1 - rate)


@misconception(
    "dropout.dropout",
    "That is what the old, not inverted dropout does in prediction: here elements fall, and those that are kept grow.",
)
def dropout_for_prediction(x, rate, rng):
    return x * (1 - rate), np.ones(x.shape, dtype=bool)


@misconception(
    "dropout.dropout_backward",
    "The factor 1 / (1 - rate) of the way forward is missing: y grew by it, so the gradient does too.",
)
def dropout_backward_unscaled(upstream, mask, rate):
    return upstream * mask


@misconception(
    "dropout.dropout_backward",
    "The mask has no say in it: nothing flows back to what was dropped.",
)
def dropout_backward_without_mask(upstream, mask, rate):
    return upstream / (1 - rate)


@misconception(
    "dropout.dropout_backward",
    "The gradient passed unchanged: it takes the same mask and the same factor as x.",
)
def dropout_backward_passes(upstream, mask, rate):
    return upstream


@misconception(
    "dropout.dropout_backward",
    "The mask is the wrong way round: it is True where an element was kept, and there the gradient flows.",
)
def dropout_backward_inverted(upstream, mask, rate):
    return upstream * ~np.asarray(mask, bool) / (1 - rate)


@misconception(
    "dropout.dropout_backward",
    "You multiplied by 1 - rate: the derivative of a quotient by 1 - rate is divided by it, not multiplied.",
)
def dropout_backward_times_share(upstream, mask, rate):
    return upstream * mask * (1 - rate)


@misconception("dropout.dropout_backward", "You divided by the rate: the forward way divides by 1 - rate.")
def dropout_backward_over_rate(upstream, mask, rate):
    return upstream * mask / (rate or 1)


@misconception(
    "dropout.dropout_backward",
    "You divided by the share that happened to be kept: the forward way divides by 1 - rate.",
)
def dropout_backward_over_own_share(upstream, mask, rate):
    return upstream * mask / max(np.mean(mask), 1e-7)


@misconception(
    "dropout.dropout_backward",
    "A new mask was drawn: the gradient flows where x flowed, so use the mask that is given.",
)
def dropout_backward_draws_anew(upstream, mask, rate):
    return upstream * (np.random.default_rng(0).random(np.shape(upstream)) >= rate) / (1 - rate)


@misconception(
    "batch_norm_inference.batch_norm_inference",
    "The batch's own statistics were used, so that an answer would depend on its neighbours: prediction uses the moving ones.",
)
def inference_by_the_batch(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    axes = axes_of(x)
    return gamma * (x - x.mean(axis=axes)) / np.sqrt(x.var(axis=axes) + epsilon) + beta


@misconception(
    "batch_norm_inference.batch_norm_inference",
    "Epsilon stands outside the root: `sqrt(variance + epsilon)`, not `sqrt(variance) + epsilon`.",
)
def inference_epsilon_outside(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    return gamma * (x - moving_mean) / (np.sqrt(moving_variance) + epsilon) + beta


@misconception(
    "batch_norm_inference.batch_norm_inference",
    "Epsilon is missing: it keeps channels that hardly vary from blowing up.",
)
def inference_without_epsilon(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    return gamma * (x - moving_mean) / np.sqrt(moving_variance) + beta


@misconception(
    "batch_norm_inference.batch_norm_inference",
    "Epsilon's default is PyTorch's, 1e-5: here, as in Keras, it is 1e-3.",
)
def inference_epsilon_of_pytorch(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-5):
    return gamma * (x - moving_mean) / np.sqrt(moving_variance + epsilon) + beta


@misconception(
    "batch_norm_inference.batch_norm_inference",
    "The root is missing: divide by the standard deviation, not by the variance.",
)
def inference_without_root(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    return gamma * (x - moving_mean) / (moving_variance + epsilon) + beta


@misconception(
    "batch_norm_inference.batch_norm_inference",
    "Gamma and beta have changed places: gamma scales, beta shifts.",
)
def inference_gamma_for_beta(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    return beta * (x - moving_mean) / np.sqrt(moving_variance + epsilon) + gamma


@misconception(
    "batch_norm_inference.batch_norm_inference",
    "Beta is scaled by gamma too: first scale, then shift, `gamma * x_hat + beta`.",
)
def inference_shifts_first(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    return gamma * ((x - moving_mean) / np.sqrt(moving_variance + epsilon) + beta)


@misconception(
    "batch_norm_inference.batch_norm_inference", "Beta is missing: what was normalized is shifted by it."
)
def inference_without_beta(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    return gamma * (x - moving_mean) / np.sqrt(moving_variance + epsilon)


@misconception(
    "batch_norm_inference.batch_norm_inference",
    "Gamma and beta are missing: after the normalization each channel gets a scale and a shift of its own.",
)
def inference_normalizes_only(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    return (x - moving_mean) / np.sqrt(moving_variance + epsilon)


@misconception(
    "batch_norm_inference.batch_norm_inference",
    "Brackets: the mean is subtracted from x before anything is divided, `(x - mean) / root`.",
)
def inference_without_brackets(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    return gamma * (x - moving_mean / np.sqrt(moving_variance + epsilon)) + beta


@misconception(
    "batch_norm_inference.batch_norm_inference",
    "`-=` and `*=` write into x, which is not yours to change: build a new array.",
)
def inference_in_place(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    x -= moving_mean
    x *= gamma / np.sqrt(moving_variance + epsilon)
    x += beta
    return x


@misconception(
    "batch_norm_train.batch_norm_train",
    "Momentum is the wrong way round: it is the share of the old that stays, `momentum * old + (1 - momentum) * batch`. (PyTorch counts the other way.)",
)
def train_momentum_turned(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    root = np.sqrt(variance + epsilon)
    return trained(x, gamma, beta, moving_mean, moving_variance, 1 - momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "The moving variance takes the batch's variance over n - 1, as PyTorch does: in Keras, and here, it is over n.",
)
def train_moves_unbiased(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    axes = axes_of(x)
    root = np.sqrt(x.var(axis=axes) + epsilon)
    n = x.size // x.shape[-1]
    unbiased = x.var(axis=axes) * n / max(n - 1, 1)
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, x.mean(axis=axes), unbiased, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "You divided the squares by n - 1: batch normalization uses the population's variance, over n (`np.var` as it comes).",
)
def train_unbiased(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    axes, n = axes_of(x), x.size // x.shape[-1]
    unbiased = x.var(axis=axes) * n / max(n - 1, 1)
    root = np.sqrt(unbiased + epsilon)
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, x.mean(axis=axes), unbiased, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "You normalized by the moving statistics: in training it is the batch's own mean and variance that count.",
)
def train_by_the_moving(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    axes = axes_of(x)
    y = gamma * (x - moving_mean) / np.sqrt(moving_variance + epsilon) + beta
    return (
        y,
        moved(moving_mean, x.mean(axis=axes), momentum),
        moved(moving_variance, x.var(axis=axes), momentum),
    )


@misconception(
    "batch_norm_train.batch_norm_train",
    "You normalized by the moving statistics once they had moved: in training the batch's own count.",
)
def train_by_the_moved(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    axes = axes_of(x)
    mean = moved(moving_mean, x.mean(axis=axes), momentum)
    variance = moved(moving_variance, x.var(axis=axes), momentum)
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta, mean, variance


@misconception(
    "batch_norm_train.batch_norm_train",
    "Epsilon stands outside the root: `sqrt(variance + epsilon)`, not `sqrt(variance) + epsilon`.",
)
def train_epsilon_outside(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    root = np.sqrt(variance) + epsilon
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "Epsilon is missing: a channel that hardly varies would be blown up, one that is constant divided by 0.",
)
def train_without_epsilon(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, np.sqrt(variance))


@misconception(
    "batch_norm_train.batch_norm_train",
    "The root is missing: divide by the standard deviation, not by the variance.",
)
def train_without_root(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    root = variance + epsilon
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "The moving variance took in epsilon: that belongs under the root alone.",
)
def train_moves_epsilon(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x)) + epsilon
    root = np.sqrt(variance)
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "The standard deviation went into the moving variance: keep variances, the root is taken when they are used.",
)
def train_moves_deviation(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    root = np.sqrt(variance + epsilon)
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, np.sqrt(variance), root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "You averaged over the batch axis alone: an image's places share their channel's statistics, so average over every axis but the last.",
)
def train_over_the_first_axis(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    root = np.sqrt(variance + epsilon)
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "You averaged within each example: that is layer normalization. Here a channel is averaged over the batch.",
)
def train_as_layer_norm(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=-1, keepdims=True), x.var(axis=-1, keepdims=True)
    root = np.sqrt(variance + epsilon)
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "Each example was normalized by itself: that is instance normalization. Average over the batch too.",
)
def train_as_instance_norm(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    axes = tuple(range(1, x.ndim - 1)) or (0,)
    mean, variance = x.mean(axis=axes, keepdims=True), x.var(axis=axes, keepdims=True)
    y = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    over = axes_of(x)
    return (
        y,
        moved(moving_mean, x.mean(axis=over), momentum),
        moved(moving_variance, x.var(axis=over), momentum),
    )


@misconception(
    "batch_norm_train.batch_norm_train",
    "The moving statistics kept axes of size 1 (`keepdims`): return them of shape (channels,).",
)
def train_keeps_axes(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean = x.mean(axis=axes_of(x), keepdims=True)
    variance = x.var(axis=axes_of(x), keepdims=True)
    root = np.sqrt(variance + epsilon)
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "Momentum's default is 0.9 in yours: here, as in Keras, it is 0.99.",
)
def train_another_default(x, gamma, beta, moving_mean, moving_variance, momentum=0.9, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    root = np.sqrt(variance + epsilon)
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "One mean for all channels: each channel has its own, over every axis but the last.",
)
def train_over_everything(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(), x.var()
    root = np.sqrt(variance + epsilon)
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "That is the mean of the squares: a variance is taken about the mean.",
)
def train_uncentred(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), np.mean(x**2, axis=axes_of(x))
    root = np.sqrt(variance + epsilon)
    return trained(x, gamma, beta, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "These are the batch's own statistics: return the moving ones, which take in a share of 1 - momentum of them.",
)
def train_returns_the_batchs(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta, mean, variance


@misconception(
    "batch_norm_train.batch_norm_train",
    "The moving statistics have not moved: let them take in the batch's own.",
)
def train_moves_nothing(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta, moving_mean, moving_variance


@misconception(
    "batch_norm_train.batch_norm_train",
    "`*=` and `+=` write into the statistics that were given: return new arrays and leave those as they were.",
)
def train_in_place(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    moving_mean *= momentum
    moving_mean += (1 - momentum) * mean
    moving_variance *= momentum
    moving_variance += (1 - momentum) * variance
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta, moving_mean, moving_variance


@misconception(
    "batch_norm_train.batch_norm_train",
    "The moving variance comes before the moving mean: return y, then the mean, then the variance.",
)
def train_order(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    y = gamma * (x - mean) / np.sqrt(variance + epsilon) + beta
    return y, moved(moving_variance, variance, momentum), moved(moving_mean, mean, momentum)


@misconception(
    "batch_norm_train.batch_norm_train",
    "Gamma and beta are missing: after the normalization each channel gets a scale and a shift of its own.",
)
def train_normalizes_only(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    root = np.sqrt(variance + epsilon)
    return trained(x, 1, 0, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train", "Gamma and beta have changed places: gamma scales, beta shifts."
)
def train_gamma_for_beta(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    root = np.sqrt(variance + epsilon)
    return trained(x, beta, gamma, moving_mean, moving_variance, momentum, mean, variance, root)


@misconception(
    "batch_norm_train.batch_norm_train",
    "Only y came back: return the new moving mean and moving variance too, prediction will need them.",
)
def train_returns_y_alone(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    mean, variance = x.mean(axis=axes_of(x)), x.var(axis=axes_of(x))
    return gamma * (x - mean) / np.sqrt(variance + epsilon) + beta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "Mean and variance were treated as constants: they are made of x, and the gradient flows through them too.",
)
def backward_constants(upstream, x, gamma, epsilon=1e-3):
    _, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    return upstream * gamma / backward_parts(x, epsilon)[2], dgamma, dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "The way through the variance is missing: x moves the variance too, which takes x̂ times the mean of upstream · x̂ away.",
)
def backward_without_variance(upstream, x, gamma, epsilon=1e-3):
    axes, _, root = backward_parts(x, epsilon)
    _, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    return gamma / root * (upstream - upstream.mean(axis=axes)), dgamma, dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "The way through the mean is missing: x moves its channel's mean too, which takes the mean of upstream away.",
)
def backward_without_mean(upstream, x, gamma, epsilon=1e-3):
    axes, x_hat, root = backward_parts(x, epsilon)
    _, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    return gamma / root * (upstream - x_hat * (upstream * x_hat).mean(axis=axes)), dgamma, dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "The ways through mean and variance were summed, not averaged: one x moves the mean by 1/n only.",
)
def backward_sums_for_means(upstream, x, gamma, epsilon=1e-3):
    _, x_hat, root = backward_parts(x, epsilon)
    _, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    return gamma / root * (upstream - dbeta - x_hat * dgamma), dgamma, dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "The ways through mean and variance were added: they take away, both have a minus.",
)
def backward_adds(upstream, x, gamma, epsilon=1e-3):
    axes, x_hat, root = backward_parts(x, epsilon)
    _, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    dx = upstream + upstream.mean(axis=axes) + x_hat * (upstream * x_hat).mean(axis=axes)
    return gamma / root * dx, dgamma, dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "Gamma is missing in dx: on the way back to x the gradient passes it first.",
)
def backward_dx_without_gamma(upstream, x, gamma, epsilon=1e-3):
    _, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    return backward(upstream, x, np.ones_like(gamma), epsilon)[0], dgamma, dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "The root is missing in dx: x̂ changes with x at the rate 1 over the standard deviation.",
)
def backward_dx_without_root(upstream, x, gamma, epsilon=1e-3):
    dx, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    return dx * backward_parts(x, epsilon)[2], dgamma, dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "dgamma weighs upstream by x itself: gamma multiplies the normalized x, so weigh by that.",
)
def backward_dgamma_by_x(upstream, x, gamma, epsilon=1e-3):
    dx, _, dbeta = backward(upstream, x, gamma, epsilon)
    return dx, (upstream * x).sum(axis=axes_of(x)), dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "dgamma weighs upstream by x less its mean: divide by the root too, gamma multiplies the normalized x.",
)
def backward_dgamma_by_centred_x(upstream, x, gamma, epsilon=1e-3):
    dx, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    return dx, dgamma * backward_parts(x, epsilon)[2], dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "dgamma and dbeta are means: every element adds its own share to them, so they are sums.",
)
def backward_means_for_sums(upstream, x, gamma, epsilon=1e-3):
    dx, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    n = x.size // x.shape[-1]
    return dx, dgamma / n, dbeta / n


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "dbeta and dgamma have changed places: return dx, dgamma, dbeta, in the order of the arguments.",
)
def backward_order(upstream, x, gamma, epsilon=1e-3):
    dx, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    return dx, dbeta, dgamma


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "dgamma has gamma in it: y = gamma x̂ + beta, and its derivative by gamma is x̂ alone.",
)
def backward_dgamma_times_gamma(upstream, x, gamma, epsilon=1e-3):
    dx, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    return dx, dgamma * gamma, dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "You summed over the batch axis alone: with images, sum and average over every axis but the last.",
)
def backward_over_the_first_axis(upstream, x, gamma, epsilon=1e-3):
    root = np.sqrt(x.var(axis=0) + epsilon)
    x_hat = (x - x.mean(axis=0)) / root
    dx = upstream - upstream.mean(axis=0) - x_hat * (upstream * x_hat).mean(axis=0)
    return gamma / root * dx, (upstream * x_hat).sum(axis=0), upstream.sum(axis=0)


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "Epsilon is missing: the root is the forward way's, `sqrt(variance + epsilon)`.",
)
def backward_without_epsilon(upstream, x, gamma, epsilon=1e-3):
    return backward(upstream, x, gamma, 0)


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "Epsilon stands outside the root: it is `sqrt(variance + epsilon)`, as on the way forward.",
)
def backward_epsilon_outside(upstream, x, gamma, epsilon=1e-3):
    axes = axes_of(x)
    root = np.sqrt(x.var(axis=axes)) + epsilon
    x_hat = (x - x.mean(axis=axes)) / root
    dx = upstream - upstream.mean(axis=axes) - x_hat * (upstream * x_hat).mean(axis=axes)
    return gamma / root * dx, (upstream * x_hat).sum(axis=axes), upstream.sum(axis=axes)


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "You divided the squares by n - 1: the variance is the population's, over n, as on the way forward.",
)
def backward_unbiased(upstream, x, gamma, epsilon=1e-3):
    axes = axes_of(x)
    root = np.sqrt(x.var(axis=axes, ddof=1) + epsilon)
    x_hat = (x - x.mean(axis=axes)) / root
    dx = upstream - upstream.mean(axis=axes) - x_hat * (upstream * x_hat).mean(axis=axes)
    return gamma / root * dx, (upstream * x_hat).sum(axis=axes), upstream.sum(axis=axes)


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "n is the batch size in your means: with sequences and images a channel has more elements, `x.size // x.shape[-1]`.",
)
def backward_n_of_the_batch(upstream, x, gamma, epsilon=1e-3):
    _, x_hat, root = backward_parts(x, epsilon)
    _, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    return gamma / root * (upstream - dbeta / len(x) - x_hat * dgamma / len(x)), dgamma, dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "The way through the variance has x less its mean where it needs the normalized x: a root is missing there.",
)
def backward_variance_by_centred_x(upstream, x, gamma, epsilon=1e-3):
    axes, x_hat, root = backward_parts(x, epsilon)
    _, dgamma, dbeta = backward(upstream, x, gamma, epsilon)
    through_variance = x_hat * root * (upstream * x_hat).mean(axis=axes)
    return gamma / root * (upstream - upstream.mean(axis=axes) - through_variance), dgamma, dbeta


@misconception(
    "batch_norm_backward.batch_norm_backward",
    "Only dx came back: return dx, dgamma and dbeta together.",
)
def backward_dx_alone(upstream, x, gamma, epsilon=1e-3):
    return backward(upstream, x, gamma, epsilon)[0]
