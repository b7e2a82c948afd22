# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Compression
#
# A trained network is mostly air. Nine weights in ten can go, and it hardly notices, if you choose well which, and let the
# others make up for it. You will cut off single weights, then whole filters; decide how fast; and put it together into
# the loop that practice uses: cut a little, train a little, again.

# %%
import keras
import numpy as np

from course import data, plots

# %% [markdown]
# ## Given: guards


# %%
def require_axes(**arrays):
    """Raise `ValueError` unless every array has an axis for each of its letters, and equal letters have equal sizes."""
    sizes = {}
    for name, (array, letters) in arrays.items():
        if np.ndim(array) != len(letters) or np.size(array) == 0:
            raise ValueError(
                f"{name} has shape {np.shape(array)}, expected ({', '.join(letters)}), none of them 0"
            )
        for letter, size in zip(letters, np.shape(array), strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"{name} has shape {np.shape(array)}, expected {letter} = {sizes[letter]}")


def require_share(**numbers):
    """Raise `ValueError` unless each number is from 0 to below 1."""
    for name, number in numbers.items():
        if not 0 <= number < 1:
            raise ValueError(f"{name} is {number}, expected 0 or more and below 1")


# %% [markdown]
# ## 1 What is small can go


# %% exercise="magnitude_mask"
def magnitude_mask(weights, sparsity):
    """Which weights stay when the smallest, by magnitude, are cut off.

    Args:
        weights: array of any shape.
        sparsity: share to cut off, from 0 to below 1.

    Returns:
        Bools of the shape of `weights`, True where a weight stays; `round(sparsity * n)` of n are False.

    Raises:
        ValueError: for a sparsity outside its range.
    """
    ### BEGIN SOLUTION
    require_share(sparsity=sparsity)
    weights = np.asarray(weights)
    mask = np.ones(weights.size, dtype=bool)
    mask[np.argsort(np.abs(weights), axis=None)[: round(sparsity * weights.size)]] = False
    return mask.reshape(weights.shape)
    ### END SOLUTION


# %% check="magnitude_mask"
check("magnitude_mask")

# %% [markdown]
# ## 2 Whole filters


# %% exercise="rank_filters"
def rank_filters(kernel, norm="l1"):
    """The filters of a convolution, smallest first.

    Args:
        kernel: shape (kh, kw, in, out).
        norm: `"l1"`, the sum of magnitudes, or `"l2"`, the root of the sum of squares.

    Returns:
        Whole numbers of shape (out,): indices of the filters, lowest norm first.

    Raises:
        ValueError: for an unknown norm or a kernel of another rank.
    """
    ### BEGIN SOLUTION
    require_axes(kernel=(kernel, "hwio"))
    if norm not in ("l1", "l2"):
        raise ValueError(f"norm is {norm!r}, expected 'l1' or 'l2'")
    sizes = np.abs(kernel) if norm == "l1" else np.square(kernel)
    return np.argsort(sizes.sum(axis=(0, 1, 2)))
    ### END SOLUTION


# %% check="rank_filters"
check("rank_filters")


# %% exercise="activity"
def mean_activation(activations):
    """The mean activation of each channel.

    Args:
        activations: shape (batch, ..., channels).

    Returns:
        Array of shape (channels,).
    """
    ### BEGIN SOLUTION
    return np.mean(activations, axis=tuple(range(np.ndim(activations) - 1)))
    ### END SOLUTION


def nonzero_fraction(activations):
    """The share of each channel's activations that are not zero.

    Args:
        activations: shape (batch, ..., channels).

    Returns:
        Array of shape (channels,), from 0 to 1.
    """
    ### BEGIN SOLUTION
    return np.mean(np.asarray(activations) != 0, axis=tuple(range(np.ndim(activations) - 1)))
    ### END SOLUTION


# %% check="activity"
check("activity")


# %% exercise="prune_filters"
def prune_filters(kernel, bias, next_kernel, keep):
    """A convolution without some of its filters, and the next one without the inputs that came from them.

    Args:
        kernel: shape (kh, kw, in, out).
        bias: shape (out,).
        next_kernel: shape (kh, kw, out, next).
        keep: indices of the filters that stay.

    Returns:
        (kernel, bias, next_kernel), smaller.

    Raises:
        ValueError: when the shapes do not fit together, or `keep` is not a list of different filters.
    """
    ### BEGIN SOLUTION
    require_axes(kernel=(kernel, "hwio"), bias=(bias, "o"))
    require_axes(bias=(bias, "o"), next_kernel=(next_kernel, "hwon"), keep=(keep, "k"))
    if not set(keep) <= set(range(len(bias))) or len(set(keep)) < len(keep):
        raise ValueError(f"keep is {keep}, expected different whole numbers from 0 to {len(bias) - 1}")
    return kernel[..., keep], bias[keep], next_kernel[:, :, keep]
    ### END SOLUTION


# %% check="prune_filters"
check("prune_filters")

# %% [markdown]
# ## 3 How fast


# %% exercise="sparsity_schedule"
def sparsity_schedule(step, start, end, initial, final):
    """The share to cut off at a step: it grows fast at first, then ever slower.

    Args:
        step: the step.
        start: before it, the share is `initial`.
        end: after it, the share is `final`.
        initial: share from 0 to below 1.
        final: share from 0 to below 1.

    Returns:
        One number.

    Raises:
        ValueError: for a share outside its range, or an end that is not after the start.
    """
    ### BEGIN SOLUTION
    require_share(initial=initial, final=final)
    if end <= start:
        raise ValueError(f"end is {end}, expected one after start, {start}")
    if step <= start:
        return initial
    if step >= end:
        return final
    progress = (step - start) / (end - start)
    return final + (initial - final) * (1 - progress) ** 3
    ### END SOLUTION


# %% check="sparsity_schedule"
check("sparsity_schedule")

# %% [markdown]
# ## 4 Cut, train, repeat


# %% exercise="iterative_pruning"
def iterative_pruning(model, data, rounds, sparsity=0.9, epochs=1):
    """Cut off more and more of a net's weights, and train the others in between.

    Args:
        model: a compiled Keras model.
        data: (x, y) to train on.
        rounds: how often to cut and train.
        sparsity: share of each kernel that is zero in the end.
        epochs: epochs of training after each cut.

    Returns:
        The model.

    Raises:
        ValueError: for a sparsity outside its range, or fewer rounds or epochs than 1.
    """
    ### BEGIN SOLUTION
    require_share(sparsity=sparsity)
    if rounds < 1 or epochs < 1:
        raise ValueError(f"rounds is {rounds} and epochs {epochs}, expected at least 1")
    kernels = [each for each in model.trainable_variables if len(each.shape) > 1]

    def cut(masks):
        for kernel, mask in zip(kernels, masks, strict=True):
            kernel.assign(kernel * mask)

    for step in range(1, rounds + 1):
        share = sparsity_schedule(step, 0, rounds, 0.0, sparsity)
        masks = [
            magnitude_mask(keras.ops.convert_to_numpy(each), share).astype(each.dtype) for each in kernels
        ]
        cut(masks)
        hold = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs, now=masks: cut(now))
        model.fit(*data, epochs=epochs, verbose=0, callbacks=[hold])
    return model
    ### END SOLUTION


# %% check="iterative_pruning"
check("iterative_pruning")
