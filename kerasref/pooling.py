"""References of the assignment `pooling`. Windows without a whole number of pixels are refused before TensorFlow sees them."""

import numpy as np

from kerasref.backend import keras
from kerasref.core import gradient, reference
from kerasref.validation import Padding, Pair, at_least_1, rank

ops = keras.ops
IMAGES = "(batch, height, width, channels)"


@reference
def placement(n: int, size: int, stride: int, padding: Padding):
    """How many windows an axis has, and how much padding stands before and after it.

    Args:
        n: pixels along the axis.
        size: pixels of a window.
        stride: steps from one window to the next.
        padding: `"valid"` or `"same"`.

    Returns:
        (windows, pixels of padding before, pixels of padding after).

    Source: `keras.ops.image.extract_patches` of ones: what is 0 in the first and the last window is padding.
    """
    at_least_1(n=n, size=size, stride=stride)
    if padding == "valid" and size > n:
        raise ValueError(
            f"`size` is {size}, larger than `n`, {n}; expected a window that fits: make it smaller."
        )
    ones = _patches(np.ones((1, n, 1, 1)), (size, 1), (stride, 1), padding)[0, :, 0, :, 0]
    before, after = ops.argmax(ones[0]), ops.argmax(ops.flip(ones[-1]))
    return int(ones.shape[0]), int(before), int(after)


@reference
def windows(x, pool_size: Pair = 2, strides: Pair | None = None, padding: Padding = "valid", fill=0.0):
    """The pixels of every window, row by row.

    Args:
        x: (batch, height, width, channels).
        pool_size: height and width of a window, an int or a pair.
        strides: steps down and to the right, an int or a pair; `pool_size` when None.
        padding: `"valid"` or `"same"`.
        fill: the number that stands outside the image.

    Returns:
        (batch, rows of windows, columns of windows, pixels of a window, channels) array.

    Source: `keras.ops.image.extract_patches`, of the image and of ones, which tell the padding.
    """
    rank(4, IMAGES, x=x)
    rank(0, "one number", fill=fill)
    _fits(x, pool_size, padding)
    inside = _patches(np.ones_like(x), pool_size, strides, padding)
    return ops.where(inside > 0, _patches(x, pool_size, strides, padding), fill)


@reference
def windows_backward(
    upstream, x, pool_size: Pair = 2, strides: Pair | None = None, padding: Padding = "valid"
):
    """Gradient of `windows` with respect to `x`.

    Args:
        upstream: gradient with respect to the windows, of their shape.
        x: (batch, height, width, channels).
        pool_size: height and width of a window, an int or a pair.
        strides: steps down and to the right, an int or a pair; `pool_size` when None.
        padding: `"valid"` or `"same"`.

    Returns:
        Array of `x`'s shape.

    Source: autodiff of `keras.ops.image.extract_patches`.
    """
    return _backward(_patches, upstream, x, x, pool_size, strides, padding)


@reference
def max_pool2d(x, pool_size: Pair = 2, strides: Pair | None = None, padding: Padding = "valid"):
    """The largest value of every window; padding never is.

    Args:
        x: (batch, height, width, channels).
        pool_size: height and width of a window, an int or a pair.
        strides: steps down and to the right, an int or a pair; `pool_size` when None.
        padding: `"valid"` or `"same"`.

    Returns:
        (batch, rows of windows, columns of windows, channels) array.

    Source: `keras.ops.max_pool`.
    """
    rank(4, IMAGES, x=x)
    _fits(x, pool_size, padding)
    return ops.max_pool(ops.convert_to_tensor(x), pool_size, strides, padding)  # a NumPy array is narrowed


@reference
def max_pool2d_backward(
    upstream, x, pool_size: Pair = 2, strides: Pair | None = None, padding: Padding = "valid"
):
    """Gradient of `max_pool2d` with respect to `x`; of equal maxima the first, row by row, takes all.

    Args:
        upstream: gradient with respect to the pooled values, of their shape.
        x: (batch, height, width, channels).
        pool_size: height and width of a window, an int or a pair.
        strides: steps down and to the right, an int or a pair; `pool_size` when None.
        padding: `"valid"` or `"same"`.

    Returns:
        Array of `x`'s shape.

    Source: autodiff of `keras.ops.max_pool`, of ranks in the place of the values: these have no ties.
    """
    return _backward(ops.max_pool, upstream, x, _ranks(x), pool_size, strides, padding)


@reference
def average_pool2d(x, pool_size: Pair = 2, strides: Pair | None = None, padding: Padding = "valid"):
    """The mean of every window's pixels; padding is not counted.

    Args:
        x: (batch, height, width, channels).
        pool_size: height and width of a window, an int or a pair.
        strides: steps down and to the right, an int or a pair; `pool_size` when None.
        padding: `"valid"` or `"same"`.

    Returns:
        (batch, rows of windows, columns of windows, channels) array.

    Source: `keras.ops.average_pool`.
    """
    rank(4, IMAGES, x=x)
    _fits(x, pool_size, padding)
    return ops.average_pool(x, pool_size, strides, padding)


@reference
def average_pool2d_backward(
    upstream, x, pool_size: Pair = 2, strides: Pair | None = None, padding: Padding = "valid"
):
    """Gradient of `average_pool2d` with respect to `x`.

    Args:
        upstream: gradient with respect to the pooled values, of their shape.
        x: (batch, height, width, channels).
        pool_size: height and width of a window, an int or a pair.
        strides: steps down and to the right, an int or a pair; `pool_size` when None.
        padding: `"valid"` or `"same"`.

    Returns:
        Array of `x`'s shape.

    Source: autodiff of `keras.ops.average_pool`.
    """
    return _backward(ops.average_pool, upstream, x, x, pool_size, strides, padding)


@reference
def global_average_pool2d(x):
    """The mean of every channel over all places.

    Args:
        x: (batch, height, width, channels).

    Returns:
        (batch, channels) array.

    Source: `keras.layers.GlobalAveragePooling2D`.
    """
    rank(4, IMAGES, x=x)
    return keras.layers.GlobalAveragePooling2D(dtype="float64")(x)


def _patches(x, pool_size, strides, padding):
    patches = ops.image.extract_patches(x, pool_size, strides, padding=padding)
    return ops.reshape(patches, (*patches.shape[:3], -1, x.shape[-1]))


def _backward(pool, upstream, x, at, pool_size, strides, padding):
    """The gradient of `pool` at `at`, an image of `x`'s shape."""
    rank(4, IMAGES, x=x)
    _fits(x, pool_size, padding)
    expected = tuple(pool(ops.convert_to_tensor(at), pool_size, strides, padding).shape)
    if upstream.shape != expected:
        raise ValueError(
            f"`upstream` has shape {upstream.shape}; expected {expected}, that of the result for `x`: make them agree."
        )
    return gradient(lambda x: ops.multiply(upstream, pool(x, pool_size, strides, padding)), at)


def _ranks(x):
    """Numbers in the order of `x`'s, all different: of equal ones the first becomes the largest."""
    ranks = np.empty(x.size)
    ranks[np.argsort(-x.ravel(), kind="stable")] = np.arange(x.size, 0, -1)
    return ranks.reshape(x.shape)


def _fits(x, pool_size, padding):
    """Refuse a window larger than the image, which can kill TensorFlow; `"same"` pads until it fits."""
    if padding == "valid" and (pool_size[0] > x.shape[1] or pool_size[1] > x.shape[2]):
        raise ValueError(
            f"`pool_size` is {pool_size}, larger than the images, {x.shape[1:3]}; expected a window that fits: "
            'make it smaller, or `padding="same"`.'
        )
