"""Right answers to the assignment `pooling`, written differently from the solution."""

import itertools
import math

import numpy as np
from numpy.lib.stride_tricks import as_strided, sliding_window_view

from tests.answers import right


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def spans(n, size, stride, padding):
    """For each window of one axis the pixels that it has: (begin, end)."""
    if padding == "valid":
        return [(start, start + size) for start in range(0, n - size + 1, stride)]
    count = math.ceil(n / stride)
    before = max((count - 1) * stride + size - n, 0) // 2
    starts = [window * stride - before for window in range(count)]
    return [(max(start, 0), min(start + size, n)) for start in starts]


def boxes(x, pool_size, strides, padding):
    """Row, column and the two slices of each window's pixels."""
    size, strides = pair(pool_size), pair(pool_size if strides is None else strides)
    down, right_ = (spans(x.shape[1 + axis], size[axis], strides[axis], padding) for axis in (0, 1))
    for (i, rows), (j, columns) in itertools.product(enumerate(down), enumerate(right_)):
        yield i, j, slice(*rows), slice(*columns)


def result_shape(x, pool_size, strides, padding):
    *_, (i, j, _, _) = boxes(x, pool_size, strides, padding)
    return x.shape[0], i + 1, j + 1, x.shape[3]


def padded_view(x, pool_size, strides, padding, fill):
    """Windows as a view (batch, rows, columns, channels, kh, kw) of the padded image."""
    size, strides = pair(pool_size), pair(pool_size if strides is None else strides)
    width = [(0, 0)]
    for axis in (0, 1):
        n = x.shape[1 + axis]
        short = n % strides[axis] or strides[axis]
        total = max(size[axis] - short, 0) if padding == "same" else 0
        width.append((total // 2, -(-total // 2)))
    padded = np.pad(x, [*width, (0, 0)], constant_values=fill)
    return sliding_window_view(padded, size, axis=(1, 2))[:, :: strides[0], :: strides[1]]


@right("placement")
def placement_by_spans(n, size, stride, padding):
    if padding == "valid":
        return len(spans(n, size, stride, padding)), 0, 0
    last = stride * ((n - 1) // stride)
    short = max(last + size - n, 0)
    return [1 + last // stride, math.floor(short / 2), math.ceil(short / 2)]


@right("placement")
def placement_from_the_total(n, size, stride, padding="valid"):
    total = max(size - (n % stride or stride), 0) if padding == "same" else 0
    return tuple(np.array([(n + total - size) // stride + 1, total // 2, (total + 1) // 2]))


@right("windows")
def windows_by_view(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    view = padded_view(x, pool_size, strides, padding, fill)
    return np.moveaxis(view.reshape(*view.shape[:4], -1), 4, 3)


@right("windows")
def windows_by_loops(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    (kh, kw), (sh, sw) = pair(pool_size), pair(pool_size if strides is None else strides)
    rows, top, bottom = placement_by_spans(x.shape[1], kh, sh, padding)
    columns, left, right_ = placement_by_spans(x.shape[2], kw, sw, padding)
    padded = np.full((len(x), x.shape[1] + top + bottom, x.shape[2] + left + right_, x.shape[3]), fill)
    padded[:, top : top + x.shape[1], left : left + x.shape[2]] = x
    out = np.empty((len(x), rows, columns, kh * kw, x.shape[3]))
    for i, j in itertools.product(range(rows), range(columns)):
        window = padded[:, i * sh : i * sh + kh, j * sw : j * sw + kw]
        out[:, i, j] = window.reshape(len(x), kh * kw, -1)
    return out


@right("windows_backward")
def windows_backward_by_loops(upstream, x, pool_size=2, strides=None, padding="valid"):
    (kh, kw), (sh, sw) = pair(pool_size), pair(pool_size if strides is None else strides)
    rows, top, _ = placement_by_spans(x.shape[1], kh, sh, padding)
    columns, left, _ = placement_by_spans(x.shape[2], kw, sw, padding)
    dx = np.zeros(x.shape)
    for i, j, u, v in itertools.product(range(rows), range(columns), range(kh), range(kw)):
        row, column = i * sh + u - top, j * sw + v - left
        if 0 <= row < x.shape[1] and 0 <= column < x.shape[2]:
            dx[:, row, column] += upstream[:, i, j, u * kw + v]
    return dx


@right("windows_backward")
def windows_backward_by_addresses(upstream, x, pool_size=2, strides=None, padding="valid"):
    """Each window's pixels know their address; -1 stands outside."""
    address = windows_by_view(np.arange(x.size).reshape(x.shape), pool_size, strides, padding, fill=-1)
    sums = np.bincount(address.ravel() + 1, weights=upstream.ravel(), minlength=x.size + 1)
    return sums[1:].reshape(x.shape)


@right("max_pool2d")
def max_by_loops(x, pool_size=2, strides=None, padding="valid"):
    y = np.zeros(result_shape(x, pool_size, strides, padding))
    for i, j, rows, columns in boxes(x, pool_size, strides, padding):
        y[:, i, j] = np.amax(x[:, rows, columns], axis=(1, 2))
    return y


@right("max_pool2d")
def max_by_view(x, pool_size=2, strides=None, padding="valid", keepdims=False):
    lowest = np.finfo(x.dtype).min
    return padded_view(x, pool_size, strides, padding, lowest).max(axis=(-2, -1), keepdims=keepdims)


@right("max_pool2d")
def max_with_edges_repeated(x, pool_size=2, strides=None, padding="valid"):
    """A border pixel that stands in its window twice is no larger for it."""
    size, strides = pair(pool_size), pair(pool_size if strides is None else strides)
    _, top, bottom = placement_by_spans(x.shape[1], size[0], strides[0], padding)
    _, left, right_ = placement_by_spans(x.shape[2], size[1], strides[1], padding)
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right_), (0, 0)), mode="edge")
    return padded_view(padded, size, strides, "valid", 0).max(axis=(4, 5))


@right("max_pool2d")
def max_one_axis_after_the_other(x, pool_size=2, strides=None, padding="valid"):
    (kh, kw), (sh, sw) = pair(pool_size), pair(pool_size if strides is None else strides)
    tall = np.stack([x[:, a:b].max(axis=1) for a, b in spans(x.shape[1], kh, sh, padding)], axis=1)
    return np.stack([tall[:, :, a:b].max(axis=2) for a, b in spans(x.shape[2], kw, sw, padding)], axis=2)


@right("max_pool2d_backward")
def max_backward_by_loops(upstream, x, pool_size=2, strides=None, padding="valid"):
    dx = np.zeros_like(x)
    for i, j, rows, columns in boxes(x, pool_size, strides, padding):
        for b, c in itertools.product(range(x.shape[0]), range(x.shape[3])):
            window = x[b, rows, columns, c]
            u, v = np.unravel_index(np.argmax(window), window.shape)
            dx[b, rows.start + u, columns.start + v, c] += upstream[b, i, j, c]
    return dx


@right("max_pool2d_backward")
def max_backward_by_add_at(upstream, x, pool_size=2, strides=None, padding="valid"):
    (kh, kw), (sh, sw) = pair(pool_size), pair(pool_size if strides is None else strides)
    seen = windows_by_view(x, pool_size, strides, padding, -np.inf)
    u, v = np.divmod(np.argmax(seen, axis=3), kw)
    _, top, _ = placement_by_spans(x.shape[1], kh, sh, padding)
    _, left, _ = placement_by_spans(x.shape[2], kw, sw, padding)
    b, i, j, c = np.indices(upstream.shape)
    dx = np.zeros(x.shape, dtype=x.dtype)
    np.add.at(dx, (b, i * sh + u - top, j * sw + v - left, c), upstream)
    return dx


@right("max_pool2d_backward")
def max_backward_by_one_hot(upstream, x, pool_size=2, strides=None, padding="valid"):
    seen = windows_by_view(x, pool_size, strides, padding, -np.inf)
    best = seen == seen.max(axis=3, keepdims=True)
    first = best & (np.cumsum(best, axis=3) == 1)
    share = np.einsum("bijkc,bijc->bijkc", first.astype(float), upstream)
    return windows_backward_by_addresses(share, x, pool_size, strides, padding)


@right("average_pool2d")
def average_by_loops(x, pool_size=2, strides=None, padding="valid"):
    y = np.zeros(result_shape(x, pool_size, strides, padding), dtype=x.dtype)
    for i, j, rows, columns in boxes(x, pool_size, strides, padding):
        y[:, i, j] = x[:, rows, columns].mean(axis=(1, 2))
    return y


@right("average_pool2d")
def average_without_what_is_nan(x, pool_size=2, strides=None, padding="valid"):
    return np.nanmean(padded_view(x, pool_size, strides, padding, np.nan), axis=(-2, -1))


@right("average_pool2d")
def average_by_running_sums(x, pool_size=2, strides=None, padding="valid"):
    sums = np.zeros((x.shape[0], x.shape[1] + 1, x.shape[2] + 1, x.shape[3]))
    sums[:, 1:, 1:] = x.cumsum(axis=1, dtype=float).cumsum(axis=2)
    y = np.zeros(result_shape(x, pool_size, strides, padding))
    for i, j, rows, columns in boxes(x, pool_size, strides, padding):
        (a, b), (c, d) = (rows.start, rows.stop), (columns.start, columns.stop)
        y[:, i, j] = (sums[:, b, d] - sums[:, a, d] - sums[:, b, c] + sums[:, a, c]) / ((b - a) * (d - c))
    return y


@right("average_pool2d_backward")
def average_backward_by_loops(upstream, x, pool_size=2, strides=None, padding="valid"):
    dx = np.zeros(x.shape)
    for i, j, rows, columns in boxes(x, pool_size, strides, padding):
        area = (rows.stop - rows.start) * (columns.stop - columns.start)
        dx[:, rows, columns] += upstream[:, i : i + 1, j : j + 1] / area
    return dx


@right("average_pool2d_backward")
def average_backward_by_two_matrices(upstream, x, pool_size=2, strides=None, padding="valid"):
    """A mean over a box is a mean down and a mean across: two matrices, and their transposes on the way back."""
    size, strides = pair(pool_size), pair(pool_size if strides is None else strides)
    means = []
    for axis in (0, 1):
        cuts = spans(x.shape[1 + axis], size[axis], strides[axis], padding)
        mean = np.zeros((len(cuts), x.shape[1 + axis]), dtype=x.dtype)
        for row, (a, b) in zip(mean, cuts, strict=True):
            row[a:b] = 1 / (b - a)
        means.append(mean)
    return np.einsum("bijc,ih,jw->bhwc", upstream, *means)


@right("global_average_pool2d")
def global_average_by_sum(x):
    return np.einsum("bhwc->bc", x) / (x.shape[1] * x.shape[2])


@right("global_average_pool2d")
def global_average_by_strides(x, data_format="channels_last"):
    x = np.ascontiguousarray(x)
    batch, height, width, channels = x.shape
    places = as_strided(
        x, (batch, height * width, channels), (x.strides[0], channels * x.itemsize, x.itemsize)
    )
    return np.array([[places[b, :, c].mean() for c in range(channels)] for b in range(batch)])
