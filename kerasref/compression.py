"""References of the assignment `compression`. A filter is a slice of a kernel along its last axis."""

from typing import Any

import numpy as np

from kerasref.backend import keras
from kerasref.core import reference
from kerasref.validation import Integers, at_least_1, fraction, one_of, rank

ops = keras.ops


@reference
def magnitude_mask(weights, sparsity: float):
    """Which weights stay when the smallest ones, by magnitude, are cut off.

    Args:
        weights: array of any shape.
        sparsity: share that is cut off, from 0 to below 1.

    Returns:
        Array of bools of that shape, True where a weight stays; `round(sparsity * n)` of n are False. Which of equal
        magnitudes go first is open.

    Source: Han et al. 2015, by the rank of each magnitude.
    """
    fraction(sparsity=sparsity)
    ranks = ops.argsort(ops.argsort(ops.abs(ops.reshape(weights, (-1,)))))
    return ops.reshape(ranks >= round(sparsity * weights.size), weights.shape)


@reference
def rank_filters(kernel, norm: Any = "l1"):
    """The filters of a convolution from the smallest to the largest.

    Args:
        kernel: (kh, kw, in, out) array.
        norm: `"l1"`, the sum of magnitudes, or `"l2"`, the root of the sum of squares.

    Returns:
        (out,) array of int: indices of the filters, lowest norm first.

    Source: `keras.ops.norm` of each filter laid flat (Li et al. 2017).
    """
    rank(4, "(kh, kw, in, out)", kernel=kernel)
    order = 1 if one_of("norm", norm, "l1", "l2") == "l1" else 2
    flat = ops.reshape(kernel, (-1, kernel.shape[-1]))
    return ops.cast(ops.argsort(ops.norm(flat, ord=order, axis=0)), "int64")


@reference
def mean_activation(activations):
    """The mean activation of each channel.

    Args:
        activations: (batch, ..., channels) array.

    Returns:
        (channels,) array.

    Source: `keras.ops.mean`.
    """
    return ops.mean(_channels(activations), axis=0)


@reference
def nonzero_fraction(activations):
    """The share of each channel's activations that are not zero.

    Args:
        activations: (batch, ..., channels) array.

    Returns:
        (channels,) array in 0..1.

    Source: `keras.ops.count_nonzero`; one less the APoZ of Hu et al. 2016.
    """
    flat = _channels(activations)
    return ops.count_nonzero(flat, axis=0) / np.float64(flat.shape[0])


@reference
def prune_filters(kernel, bias, next_kernel, keep: Integers):
    """A convolution without some of its filters, and the next one without the inputs that came from them.

    Args:
        kernel: (kh, kw, in, out) array.
        bias: (out,) array.
        next_kernel: (kh, kw, out, next) array, of the layer behind.
        keep: indices of the filters that stay, each once, at least one.

    Returns:
        (kernel, bias, next_kernel) with `len(keep)` in the place of `out`, in the order of `keep`.

    Source: `keras.ops.take`.
    """
    rank(4, "(kh, kw, in, out)", kernel=kernel, next_kernel=next_kernel)
    rank(1, "(out,)", bias=bias)
    rank(1, "(filters that stay,)", keep=keep)
    filters = kernel.shape[-1]
    for name, came in (("bias", bias.shape[0]), ("next_kernel", next_kernel.shape[2])):
        if came != filters:
            raise ValueError(
                f"`{name}` is made for {came} filters, but `kernel` has {filters}; expected as many: make them agree."
            )
    if keep.min() < 0 or keep.max() >= filters or len(np.unique(keep)) < len(keep):
        raise ValueError(
            f"`keep` is {keep.tolist()}; expected different indices from 0 to {filters - 1}: mend the list."
        )
    return ops.take(kernel, keep, axis=-1), ops.take(bias, keep), ops.take(next_kernel, keep, axis=2)


@reference
def sparsity_schedule(step: float, start: float, end: float, initial: float, final: float):
    """How much is to be cut off at a step: much at first, ever less towards the end.

    Args:
        step: the step.
        start: the step before which it is `initial`.
        end: the step after which it is `final`; above `start`.
        initial: share at the start, from 0 to below 1.
        final: share at the end, from 0 to below 1.

    Returns:
        One number, `final + (initial - final) * (1 - progress)**3` between start and end.

    Source: Zhu and Gupta 2017, equation 1.
    """
    fraction(initial=initial, final=final)
    if not end > start:
        raise ValueError(f"`end` is {end}, `start` is {start}; expected a later end: give one.")
    left = ops.clip(np.float64((end - step) / (end - start)), 0.0, 1.0)
    return final + (initial - final) * ops.power(left, 3.0)


def iterative_pruning(model: Any, data: Any, rounds: int, sparsity: float = 0.9, epochs: int = 1) -> Any:
    """A net of which most weights are zero: cut off a few, train the others, and again.

    Each kernel, which is a trainable weight of rank 2 or more, loses the same share of its own. The share grows from
    round to round by `sparsity_schedule`. What is zero stays zero while the net is trained.

    Args:
        model: a compiled Keras model.
        data: (x, y) to train on.
        rounds: how many, at least 1.
        sparsity: share of each kernel that is zero in the end, from 0 to below 1.
        epochs: epochs of training in each round.

    Returns:
        The model.

    Source: Zhu and Gupta 2017, the masks held by a constraint on each kernel.
    """
    at_least_1(rounds=rounds, epochs=epochs)
    fraction(sparsity=sparsity)
    x, y = data
    kernels = [each for each in model.trainable_variables if len(each.shape) > 1]
    for step in range(1, rounds + 1):
        share = float(sparsity_schedule(step, 0.0, float(rounds), 0.0, sparsity))
        held = [_Held(each.numpy(), share) for each in kernels]
        for kernel, constraint in zip(kernels, held, strict=True):
            kernel.assign(constraint(kernel))
            kernel.constraint = constraint  # what an optimizer applies after each of its steps
        model.make_train_function(force=True)
        model.fit(x, y, epochs=epochs, verbose=0)
    for kernel in kernels:
        kernel.constraint = None
    return model


class _Held(keras.constraints.Constraint):
    """Zero where a weight was cut off."""

    def __init__(self, weights: np.ndarray, sparsity: float) -> None:
        self.mask = magnitude_mask(weights, sparsity).astype(weights.dtype)

    def __call__(self, w: Any) -> Any:
        return w * self.mask


def _channels(activations: np.ndarray) -> Any:
    """(n, channels): a row for each example and place."""
    if activations.ndim < 2 or activations.size == 0:
        raise ValueError(
            f"`activations` has shape {activations.shape}; expected (batch, ..., channels), none of them 0: give some."
        )
    return ops.reshape(activations, (-1, activations.shape[-1]))
