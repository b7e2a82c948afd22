"""References of the assignment `regularization`. Statistics are a channel's: taken over all axes but the last."""

import numpy as np

from kerasref.backend import keras
from kerasref.core import gradient, reference
from kerasref.validation import Arrays, Generator, fraction, not_negative, positive, same_shape, size

ops = keras.ops


@reference
def l2_penalty(weights: Arrays, strength: float):
    """`strength` times the sum of the squares of all weights.

    Args:
        weights: list of arrays of any shapes.
        strength: at least 0.

    Returns:
        One number.

    Source: `keras.regularizers.L2`, which computes in float32, written with `keras.ops`.
    """
    not_negative(strength=strength)
    return _penalty(weights, strength)


@reference
def l2_penalty_grad(weights: Arrays, strength: float):
    """Gradient of `l2_penalty` with respect to each array of weights.

    Args:
        weights: list of arrays of any shapes.
        strength: at least 0.

    Returns:
        List of arrays, of the shapes of `weights`.

    Source: autodiff of `l2_penalty`.
    """
    not_negative(strength=strength)
    return [gradient(lambda one: _penalty([one], strength), one) for one in weights]


@reference
def dropout(x, rate: float, rng: Generator):
    """Each element kept with probability `1 - rate` and divided by it, else 0: inverted dropout.

    Args:
        x: array of any shape.
        rate: share that is dropped, from 0 to below 1.
        rng: NumPy generator; one whole number is drawn, which seeds Keras.

    Returns:
        (y, mask): array of `x`'s shape; bools of `x`'s shape, True where kept.

    Source: `keras.random.dropout`.
    """
    fraction(rate=rate)
    seed = int(rng.integers(2**31))
    kept = keras.random.dropout(ops.ones_like(x), rate, seed=seed) > 0
    return keras.random.dropout(x, rate, seed=seed), kept


@reference
def dropout_backward(upstream, mask, rate: float):
    """Gradient of the loss with respect to the input of `dropout`.

    Args:
        upstream: gradient with respect to its output, any shape.
        mask: bools of `upstream`'s shape, True where kept.
        rate: share that was dropped, from 0 to below 1.

    Returns:
        Array of `upstream`'s shape.

    Source: autodiff of the output that `keras.layers.Dropout` gives with this mask.
    """
    same_shape(upstream=upstream, mask=mask)
    fraction(rate=rate)
    if not np.isin(mask, (0, 1)).all():
        raise ValueError(
            f"`mask` has {mask[~np.isin(mask, (0, 1))][0]}; expected bools: give True where kept."
        )
    kept = mask.astype(bool)
    return gradient(lambda x: upstream * ops.where(kept, x / (1 - rate), ops.zeros_like(x)), upstream)


@reference
def batch_norm_inference(x, gamma, beta, moving_mean, moving_variance, epsilon: float = 1e-3):
    """`gamma * (x - moving_mean) / sqrt(moving_variance + epsilon) + beta`.

    Args:
        x: (..., channels) array.
        gamma, beta, moving_mean, moving_variance: (channels,) arrays; no variance is negative.
        epsilon: above 0.

    Returns:
        Array of `x`'s shape.

    Source: `keras.ops.batch_normalization`.
    """
    _channels(x, gamma=gamma, beta=beta, moving_mean=moving_mean, moving_variance=moving_variance)
    _variances(moving_variance)
    positive(epsilon=epsilon)
    return _normalized(x, moving_mean, moving_variance, gamma, beta, epsilon)


@reference
def batch_norm_train(
    x, gamma, beta, moving_mean, moving_variance, momentum: float = 0.99, epsilon: float = 1e-3
):
    """Normalization by the batch's own mean and (population) variance, and the moving ones a step on.

    Args:
        x: (..., channels) array of at least two axes.
        gamma, beta, moving_mean, moving_variance: (channels,) arrays; no variance is negative.
        momentum: share of the moving statistics that stays, from 0 to below 1.
        epsilon: above 0.

    Returns:
        (y, moving_mean, moving_variance): array of `x`'s shape, two of (channels,).

    Source: `keras.layers.BatchNormalization`, its ops.
    """
    _channels(x, gamma=gamma, beta=beta, moving_mean=moving_mean, moving_variance=moving_variance)
    _variances(moving_variance)
    fraction(momentum=momentum)
    positive(epsilon=epsilon)
    mean, variance = _moments(x)
    return (
        _normalized(x, mean, variance, gamma, beta, epsilon),
        moving_mean * momentum + mean * (1 - momentum),
        moving_variance * momentum + variance * (1 - momentum),
    )


@reference
def batch_norm_backward(upstream, x, gamma, epsilon: float = 1e-3):
    """Gradients of the loss with respect to the arrays that `batch_norm_train` normalizes with.

    Args:
        upstream: gradient with respect to its `y`, of `x`'s shape.
        x: (..., channels) array of at least two axes.
        gamma: (channels,) array.
        epsilon: above 0.

    Returns:
        (dx, dgamma, dbeta): array of `x`'s shape, two of (channels,).

    Source: autodiff of `keras.ops.moments` and `keras.ops.batch_normalization`.
    """
    same_shape(x=x, upstream=upstream)
    _channels(x, gamma=gamma)
    positive(epsilon=epsilon)

    def weighted(x, gamma, beta):
        mean, variance = _moments(x)
        return upstream * _normalized(x, mean, variance, gamma, beta, epsilon)

    return gradient(weighted, x, gamma, np.zeros_like(gamma))


def _penalty(weights, strength):
    return strength * sum((ops.sum(ops.square(one)) for one in weights), start=np.float64(0))


def _moments(x):
    return ops.moments(x, axes=list(range(len(x.shape) - 1)))


def _normalized(x, mean, variance, gamma, beta, epsilon):
    return ops.batch_normalization(x, mean, variance, axis=-1, offset=beta, scale=gamma, epsilon=epsilon)


def _channels(x, **each):
    """Refuse an `x` without a batch or without elements, and arrays that are not one number a channel of it."""
    if x.ndim < 2 or x.size == 0:
        raise ValueError(
            f"`x` has shape {x.shape}; expected (batch, ..., channels) with at least one element: add an axis."
        )
    for name, given in each.items():
        if given.ndim != 1:
            raise ValueError(
                f"`{name}` has shape {given.shape}; expected (channels,), one number a channel: flatten it."
            )
    size(x.shape[-1], 0, "the channels of `x`", **each)


def _variances(moving_variance):
    if (moving_variance < 0).any():
        raise ValueError(
            f"`moving_variance` has {moving_variance.min()}; expected variances of at least 0: look where it comes from."
        )
