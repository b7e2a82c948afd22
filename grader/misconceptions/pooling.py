"""Well-known wrong answers to the assignment `pooling`."""

import numpy as np

from grader.exercise import misconception

STRIDE_1 = "Without `strides`, windows lie side by side: the stride is the size of the window, not 1."
ODD_FIRST = "The odd row and column of padding came at the top left: in Keras they go to the bottom right."
AS_IN_TORCH = (
    "You padded by the size of the window alone, alike on both sides. Same padding also looks at the stride: it adds only what "
    "ceil(n / stride) windows need, which at stride 2 is often one less."
)
SWAPPED = "A pair is (height, width): you took them the other way round, which squares cannot show."
ROUNDED_UP = "You rounded up and let the last window hang over the edge: valid leaves the rest out."
ASSIGNED = (
    "Where windows overlap, the last one overwrote what the others gave: a pixel gets the sum, so `+=`."
)
ALL_AFTER = "All of the padding came after the image: half of it, rounded down, comes before."
STRIDES_IGNORED = (
    "`strides` was not used: where it is given, windows begin so far apart, whatever their size."
)
MEAN_OVER_WINDOWS = "You took the mean over the windows of a pixel: it changes the loss through each of them, so it gets the sum."
PADDING_COUNTED = (
    "You divided by the size of the window: at the border it has fewer pixels, and padding is not counted."
)


def place(n, size, stride, padding):
    if padding == "valid":
        return (n - size) // stride + 1, 0, 0
    count = -(-n // stride)
    total = max((count - 1) * stride + size - n, 0)
    return count, total // 2, total - total // 2


def odd_first(n, size, stride, padding):
    count, before, after = place(n, size, stride, padding)
    return count, after, before


def all_after(n, size, stride, padding):
    count, before, after = place(n, size, stride, padding)
    return count, 0, before + after


def as_in_torch(n, size, stride, padding):
    if padding == "valid":
        return place(n, size, stride, padding)
    return -(-n // stride), (size - 1) // 2, size - 1 - (size - 1) // 2


def rounded_up(n, size, stride, padding):
    if padding == "same":
        return place(n, size, stride, padding)
    count = -(-(n - size) // stride) + 1
    return count, 0, (count - 1) * stride + size - n


def pair(size):
    return (size, size) if isinstance(size, int) else tuple(size)


def geometry(x, pool_size, strides, padding, placed):
    """For each axis: size, stride, windows, padding before and after."""
    size, strides = pair(pool_size), pair(pool_size if strides is None else strides)
    return [
        (size[axis], strides[axis], *placed(x.shape[1 + axis], size[axis], strides[axis], padding))
        for axis in (0, 1)
    ]


def look(x, pool_size, strides, padding, fill=0.0, placed=place):
    """The windows, (batch, rows, columns, pixels, channels)."""
    (kh, sh, rows, top, bottom), (kw, sw, columns, left, right) = geometry(
        x, pool_size, strides, padding, placed
    )
    sides = ((0, 0), (top, max(bottom, 0)), (left, max(right, 0)), (0, 0))
    padded = np.pad(x, sides, constant_values=fill)
    pixels = [(i, j) for i in range(kh) for j in range(kw)]
    return np.stack([padded[:, i : i + rows * sh : sh, j : j + columns * sw : sw] for i, j in pixels], axis=3)


def give(upstream, x, pool_size, strides, padding, placed=place, add=True):
    """The way back of `look`; without `add` the last window overwrites the others."""
    (kh, sh, rows, top, bottom), (kw, sw, columns, left, right) = geometry(
        x, pool_size, strides, padding, placed
    )
    height, width = x.shape[1:3]
    padded = np.zeros((len(x), top + height + bottom, left + width + right, x.shape[3]), upstream.dtype)
    if add:
        for pixel, (i, j) in enumerate(np.ndindex(kh, kw)):
            padded[:, i : i + rows * sh : sh, j : j + columns * sw : sw] += upstream[:, :, :, pixel]
    else:
        for i, j in np.ndindex(rows, columns):
            padded[:, i * sh : i * sh + kh, j * sw : j * sw + kw] = upstream[:, i, j].reshape(
                len(x), kh, kw, -1
            )
    return padded[:, top : top + height, left : left + width]


def winners(seen, upstream):
    """Upstream at the first of the largest pixels of each window, 0 elsewhere."""
    share = np.zeros_like(seen)
    np.put_along_axis(share, seen.argmax(axis=3)[:, :, :, None], upstream[:, :, :, None], axis=3)
    return share


def shared(x, upstream, pool_size, strides, padding, placed=place):
    """Upstream shared out among the pixels of each window."""
    inside = look(np.ones_like(x), pool_size, strides, padding, placed=placed)
    return inside * (upstream / inside.sum(axis=3))[:, :, :, None]


@misconception(
    "placement.placement",
    "The odd pixel of padding came before the image: in Keras it goes after, so before gets `total // 2`.",
)
def odd_pixel_before(n, size, stride, padding):
    return odd_first(n, size, stride, padding)


@misconception("placement.placement", ALL_AFTER)
def all_padding_after(n, size, stride, padding):
    return all_after(n, size, stride, padding)


@misconception("placement.placement", AS_IN_TORCH)
def padded_by_the_window_alone(n, size, stride, padding):
    return as_in_torch(n, size, stride, padding)


@misconception(
    "placement.placement",
    "The padding became negative where strides jump over pixels: take 0 then, nothing is cut off an image.",
)
def negative_padding(n, size, stride, padding):
    if padding == "valid":
        return place(n, size, stride, padding)
    count = -(-n // stride)
    total = (count - 1) * stride + size - n
    return count, total // 2, total - total // 2


@misconception(
    "placement.placement", "The first window is missing from the count: floor((n - size) / stride), plus 1."
)
def without_the_first(n, size, stride, padding):
    count, before, after = place(n, size, stride, padding)
    return (count - 1 if padding == "valid" else count), before, after


@misconception(
    "placement.placement",
    "The brackets are missing, as on some cheat sheets: subtract the window from n first, then divide by the stride.",
)
def without_brackets(n, size, stride, padding):
    count, before, after = place(n, size, stride, padding)
    return (n - size // stride + 1 if padding == "valid" else count), before, after


@misconception("placement.placement", ROUNDED_UP)
def a_window_over_the_edge(n, size, stride, padding):
    count, before, _ = rounded_up(n, size, stride, padding)
    return count, before, 0 if padding == "valid" else place(n, size, stride, padding)[2]


@misconception(
    "placement.placement",
    '"Same" keeps the size at stride 1 only: at stride s there are n / s windows, rounded up.',
)
def always_the_same_size(n, size, stride, padding):
    if padding == "valid":
        return place(n, size, stride, padding)
    total = max((n - 1) * stride + size - n, 0)
    return n, total // 2, total - total // 2


@misconception(
    "placement.placement",
    "n / stride was rounded down: with same padding every pixel has its window, so round up, `-(-n // stride)`.",
)
def same_rounded_down(n, size, stride, padding):
    if padding == "valid":
        return place(n, size, stride, padding)
    count = n // stride
    total = max((count - 1) * stride + size - n, 0)
    return count, total // 2, total - total // 2


@misconception(
    "windows.windows",
    "The pixels of a window came column by column: row by row means that the column changes fastest.",
)
def column_by_column(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    seen = look(x, pool_size, strides, padding, fill)
    kh, kw = pair(pool_size)
    apart = seen.reshape(*seen.shape[:3], kh, kw, -1)
    return apart.swapaxes(3, 4).reshape(seen.shape)


@misconception("windows.windows", STRIDE_1)
def windows_at_stride_1(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    return look(x, pool_size, strides or 1, padding, fill)


@misconception(
    "windows.windows", "Zeros stand outside whatever `fill` says: give it to `np.pad` as `constant_values`."
)
def zeros_outside(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    return look(x, pool_size, strides, padding)


@misconception("windows.windows", STRIDES_IGNORED)
def windows_without_strides(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    return look(x, pool_size, None, padding, fill)


@misconception("windows.windows", ALL_AFTER)
def windows_padded_after(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    return look(x, pool_size, strides, padding, fill, all_after)


@misconception("windows.windows", '`padding` was not used: with `"same"` some of it stands around the image.')
def never_padded(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    return look(x, pool_size, strides, "valid", fill)


@misconception("windows.windows", SWAPPED)
def windows_swapped(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    return look(x, pair(pool_size)[::-1], strides and pair(strides)[::-1], padding, fill)


@misconception("windows.windows", ODD_FIRST)
def windows_odd_first(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    return look(x, pool_size, strides, padding, fill, odd_first)


@misconception("windows.windows", AS_IN_TORCH)
def windows_as_in_torch(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    return look(x, pool_size, strides, padding, fill, as_in_torch)


@misconception(
    "windows.windows", "The border pixels were repeated into the padding: what stands outside is `fill`."
)
def edges_repeated(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    outside = look(np.ones_like(x), pool_size, strides, padding) == 0
    if not outside.any():
        return look(x, pool_size, strides, padding)
    (_, _, _, top, bottom), (_, _, _, left, right) = geometry(x, pool_size, strides, padding, place)
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), mode="edge")
    size = pair(pool_size)
    strides = size if strides is None else strides
    return look(padded, size, strides, "valid")


@misconception("windows_backward.windows_backward", ASSIGNED)
def windows_assigned(upstream, x, pool_size=2, strides=None, padding="valid"):
    return give(upstream, x, pool_size, strides, padding, add=False)


@misconception(
    "windows_backward.windows_backward",
    "You cut the padding off at the end only: some of it stands before the image, so cut from `top` and `left`.",
)
def cut_at_the_end(upstream, x, pool_size=2, strides=None, padding="valid"):
    return give(upstream, x, pool_size, strides, padding, all_after)


@misconception("windows_backward.windows_backward", MEAN_OVER_WINDOWS)
def mean_over_windows(upstream, x, pool_size=2, strides=None, padding="valid"):
    count = give(np.ones_like(upstream), x, pool_size, strides, padding)
    return give(upstream, x, pool_size, strides, padding) / np.maximum(count, 1)


@misconception("windows_backward.windows_backward", STRIDE_1)
def windows_back_at_stride_1(upstream, x, pool_size=2, strides=None, padding="valid"):
    return give(upstream, x, pool_size, strides or 1, padding)


@misconception("windows_backward.windows_backward", ODD_FIRST)
def windows_back_odd_first(upstream, x, pool_size=2, strides=None, padding="valid"):
    return give(upstream, x, pool_size, strides, padding, odd_first)


@misconception(
    "max_pool2d.max_pool2d",
    "Zeros stand outside and win where all pixels are negative: fill with minus infinity, which never wins.",
)
def zeros_win(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pool_size, strides, padding).max(axis=3)


@misconception("max_pool2d.max_pool2d", STRIDE_1)
def max_at_stride_1(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pool_size, strides or 1, padding, -np.inf).max(axis=3)


@misconception("max_pool2d.max_pool2d", "This is the mean: max pooling takes the largest value of a window.")
def mean_called_max(x, pool_size=2, strides=None, padding="valid"):
    return np.nanmean(look(x, pool_size, strides, padding, np.nan), axis=3)


@misconception(
    "max_pool2d.max_pool2d",
    "The value of largest size came out, sign left aside: -5 does not beat 2.",
)
def largest_size(x, pool_size=2, strides=None, padding="valid"):
    seen = look(x, pool_size, strides, padding, 0.0)
    return np.take_along_axis(seen, np.abs(seen).argmax(axis=3)[:, :, :, None], axis=3)[:, :, :, 0]


@misconception(
    "max_pool2d.max_pool2d",
    "The maximum runs over the channels too: each channel is pooled on its own.",
)
def over_the_channels(x, pool_size=2, strides=None, padding="valid"):
    seen = look(x, pool_size, strides, padding, -np.inf)
    return np.repeat(seen.max(axis=(3, 4))[..., None], x.shape[3], axis=3)


@misconception("max_pool2d.max_pool2d", ODD_FIRST)
def max_odd_first(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pool_size, strides, padding, -np.inf, odd_first).max(axis=3)


@misconception("max_pool2d.max_pool2d", ALL_AFTER)
def max_padded_after(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pool_size, strides, padding, -np.inf, all_after).max(axis=3)


@misconception("max_pool2d.max_pool2d", STRIDES_IGNORED)
def max_without_strides(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pool_size, None, padding, -np.inf).max(axis=3)


@misconception("max_pool2d.max_pool2d", AS_IN_TORCH)
def max_as_in_torch(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pool_size, strides, padding, -np.inf, as_in_torch).max(axis=3)


@misconception("max_pool2d.max_pool2d", ROUNDED_UP)
def max_rounded_up(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pool_size, strides, padding, -np.inf, rounded_up).max(axis=3)


@misconception("max_pool2d.max_pool2d", SWAPPED)
def max_swapped(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pair(pool_size)[::-1], strides and pair(strides)[::-1], padding, -np.inf).max(axis=3)


@misconception(
    "max_pool2d_backward.max_pool2d_backward",
    "Every one of several equal maxima got the whole upstream: only the first takes it, or more is handed out than came in.",
)
def all_that_tie(upstream, x, pool_size=2, strides=None, padding="valid"):
    seen = look(x, pool_size, strides, padding, -np.inf)
    tie = seen == seen.max(axis=3, keepdims=True)
    return give(tie * upstream[:, :, :, None], x, pool_size, strides, padding)


@misconception(
    "max_pool2d_backward.max_pool2d_backward",
    "Equal maxima shared the upstream: a fair rule, but not this one. The first of them takes it all.",
)
def fair_shares(upstream, x, pool_size=2, strides=None, padding="valid"):
    seen = look(x, pool_size, strides, padding, -np.inf)
    tie = seen == seen.max(axis=3, keepdims=True)
    share = tie * (upstream / tie.sum(axis=3))[:, :, :, None]
    return give(share, x, pool_size, strides, padding)


@misconception(
    "max_pool2d_backward.max_pool2d_backward",
    "The last of several equal maxima took the upstream (`>=` in a loop does this): here it is the first, row by row.",
)
def the_last_wins(upstream, x, pool_size=2, strides=None, padding="valid"):
    seen = look(x, pool_size, strides, padding, -np.inf)
    share = winners(seen[:, :, :, ::-1], upstream)[:, :, :, ::-1]
    return give(share, x, pool_size, strides, padding)


@misconception(
    "max_pool2d_backward.max_pool2d_backward",
    "Of equal maxima the first column by column took the upstream: go row by row.",
)
def first_of_the_columns(upstream, x, pool_size=2, strides=None, padding="valid"):
    turned = np.swapaxes(x, 1, 2)
    sizes = pair(pool_size)[::-1], strides and pair(strides)[::-1], padding
    seen = look(turned, *sizes, -np.inf)
    return np.swapaxes(give(winners(seen, np.swapaxes(upstream, 1, 2)), turned, *sizes), 1, 2)


@misconception("max_pool2d_backward.max_pool2d_backward", ASSIGNED)
def max_assigned(upstream, x, pool_size=2, strides=None, padding="valid"):
    (_, sh, _, top, _), (kw, sw, _, left, _) = geometry(x, pool_size, strides, padding, place)
    seen = look(x, pool_size, strides, padding, -np.inf).argmax(axis=3)
    dx = np.zeros_like(x)
    for b, i, j, c in np.ndindex(upstream.shape):
        u, v = divmod(seen[b, i, j, c], kw)
        dx[b, i * sh + u - top, j * sw + v - left, c] = upstream[b, i, j, c]
    return dx


@misconception(
    "max_pool2d_backward.max_pool2d_backward",
    "Windows overwrote each other's zeros and gradients: where they overlap, add to what is there, `+=`.",
)
def windows_overwritten(upstream, x, pool_size=2, strides=None, padding="valid"):
    share = winners(look(x, pool_size, strides, padding, -np.inf), upstream)
    return give(share, x, pool_size, strides, padding, add=False)


@misconception(
    "max_pool2d_backward.max_pool2d_backward",
    "Zeros in the padding win against negative pixels, and the gradient is lost there: fill with minus infinity.",
)
def gradient_lost_to_zeros(upstream, x, pool_size=2, strides=None, padding="valid"):
    return give(winners(look(x, pool_size, strides, padding), upstream), x, pool_size, strides, padding)


@misconception(
    "max_pool2d_backward.max_pool2d_backward",
    "These are the winners only: the chain rule multiplies each by the upstream of its window.",
)
def upstream_forgotten(upstream, x, pool_size=2, strides=None, padding="valid"):
    return give(
        winners(look(x, pool_size, strides, padding, -np.inf), np.ones_like(upstream)),
        x,
        pool_size,
        strides,
        padding,
    )


@misconception(
    "max_pool2d_backward.max_pool2d_backward",
    "Every pixel of a window got its upstream: only the largest moves the output, the others get 0.",
)
def everybody_wins(upstream, x, pool_size=2, strides=None, padding="valid"):
    area = np.prod(pair(pool_size))
    return give(np.repeat(upstream[:, :, :, None], area, axis=3), x, pool_size, strides, padding)


@misconception(
    "max_pool2d_backward.max_pool2d_backward",
    "This is the gradient of average pooling: the upstream is not shared out, the largest pixel takes it.",
)
def average_called_max(upstream, x, pool_size=2, strides=None, padding="valid"):
    return give(shared(x, upstream, pool_size, strides, padding), x, pool_size, strides, padding)


@misconception("max_pool2d_backward.max_pool2d_backward", MEAN_OVER_WINDOWS)
def mean_of_the_windows_won(upstream, x, pool_size=2, strides=None, padding="valid"):
    seen = look(x, pool_size, strides, padding, -np.inf)
    won = give(winners(seen, np.ones_like(upstream)), x, pool_size, strides, padding)
    return give(winners(seen, upstream), x, pool_size, strides, padding) / np.maximum(won, 1)


@misconception("max_pool2d_backward.max_pool2d_backward", ODD_FIRST)
def max_back_odd_first(upstream, x, pool_size=2, strides=None, padding="valid"):
    share = winners(look(x, pool_size, strides, padding, -np.inf, odd_first), upstream)
    return give(share, x, pool_size, strides, padding, odd_first)


@misconception("average_pool2d.average_pool2d", PADDING_COUNTED)
def padding_counted(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pool_size, strides, padding).mean(axis=3)


@misconception(
    "average_pool2d.average_pool2d", "This is the sum: divide by the number of pixels in the window."
)
def sum_called_mean(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pool_size, strides, padding).sum(axis=3)


@misconception("average_pool2d.average_pool2d", "This is the maximum: average pooling takes the mean.")
def max_called_mean(x, pool_size=2, strides=None, padding="valid"):
    return look(x, pool_size, strides, padding, -np.inf).max(axis=3)


@misconception(
    "average_pool2d.average_pool2d",
    "You counted the pixels that are not 0: a pixel of 0 is a pixel too. Count where the image is, not what it shows.",
)
def zeros_not_counted(x, pool_size=2, strides=None, padding="valid"):
    seen = look(x, pool_size, strides, padding)
    return seen.sum(axis=3) / np.maximum((seen != 0).sum(axis=3), 1)


@misconception("average_pool2d.average_pool2d", STRIDE_1)
def average_at_stride_1(x, pool_size=2, strides=None, padding="valid"):
    return np.nanmean(look(x, pool_size, strides or 1, padding, np.nan), axis=3)


@misconception("average_pool2d.average_pool2d", STRIDES_IGNORED)
def average_without_strides(x, pool_size=2, strides=None, padding="valid"):
    return np.nanmean(look(x, pool_size, None, padding, np.nan), axis=3)


@misconception("average_pool2d.average_pool2d", ODD_FIRST)
def average_odd_first(x, pool_size=2, strides=None, padding="valid"):
    return np.nanmean(look(x, pool_size, strides, padding, np.nan, odd_first), axis=3)


@misconception("average_pool2d.average_pool2d", ROUNDED_UP)
def average_rounded_up(x, pool_size=2, strides=None, padding="valid"):
    return np.nanmean(look(x, pool_size, strides, padding, np.nan, rounded_up), axis=3)


@misconception("average_pool2d.average_pool2d", SWAPPED)
def average_swapped(x, pool_size=2, strides=None, padding="valid"):
    seen = look(x, pair(pool_size)[::-1], strides and pair(strides)[::-1], padding, np.nan)
    return np.nanmean(seen, axis=3)


@misconception("average_pool2d_backward.average_pool2d_backward", PADDING_COUNTED)
def shares_lost_to_padding(upstream, x, pool_size=2, strides=None, padding="valid"):
    area = np.prod(pair(pool_size))
    return give(np.repeat(upstream[:, :, :, None] / area, area, axis=3), x, pool_size, strides, padding)


@misconception(
    "average_pool2d_backward.average_pool2d_backward",
    "Every pixel got the whole upstream: a mean divides by the number of pixels, and so does its gradient.",
)
def not_shared(upstream, x, pool_size=2, strides=None, padding="valid"):
    area = np.prod(pair(pool_size))
    return give(np.repeat(upstream[:, :, :, None], area, axis=3), x, pool_size, strides, padding)


@misconception("average_pool2d_backward.average_pool2d_backward", ASSIGNED)
def average_assigned(upstream, x, pool_size=2, strides=None, padding="valid"):
    share = shared(x, upstream, pool_size, strides, padding)
    return give(share, x, pool_size, strides, padding, add=False)


@misconception(
    "average_pool2d_backward.average_pool2d_backward",
    "Only the largest pixel got something: that is max pooling. All pixels of a window share its upstream alike.",
)
def max_called_average(upstream, x, pool_size=2, strides=None, padding="valid"):
    share = winners(look(x, pool_size, strides, padding, -np.inf), upstream)
    return give(share, x, pool_size, strides, padding)


@misconception("average_pool2d_backward.average_pool2d_backward", MEAN_OVER_WINDOWS)
def mean_over_the_windows(upstream, x, pool_size=2, strides=None, padding="valid"):
    inside = look(np.ones_like(x), pool_size, strides, padding)
    windows = give(inside, x, pool_size, strides, padding)
    share = shared(x, upstream, pool_size, strides, padding)
    return give(share, x, pool_size, strides, padding) / np.maximum(windows, 1)


@misconception("average_pool2d_backward.average_pool2d_backward", ODD_FIRST)
def average_back_odd_first(upstream, x, pool_size=2, strides=None, padding="valid"):
    share = shared(x, upstream, pool_size, strides, padding, odd_first)
    return give(share, x, pool_size, strides, padding, odd_first)


@misconception(
    "average_pool2d_backward.average_pool2d_backward",
    "The mean of the pixels slipped in: it is a linear function, so its gradient does not depend on `x` at all.",
)
def times_the_pixels(upstream, x, pool_size=2, strides=None, padding="valid"):
    share = shared(x, upstream, pool_size, strides, padding) * look(x, pool_size, strides, padding)
    return give(share, x, pool_size, strides, padding)


@misconception(
    "global_average_pool2d.global_average_pool2d",
    "The two axes are still there, with one place each: leave `keepdims` out, the result is (batch, channels).",
)
def axes_kept(x):
    return x.mean(axis=(1, 2), keepdims=True)


@misconception(
    "global_average_pool2d.global_average_pool2d",
    "The mean runs over the channels too: each channel keeps its own number.",
)
def over_everything(x):
    return x.mean(axis=(1, 2, 3))


@misconception(
    "global_average_pool2d.global_average_pool2d",
    "The mean runs over the batch too: each image keeps its own numbers.",
)
def over_the_batch(x):
    return x.mean(axis=(0, 1, 2))


@misconception(
    "global_average_pool2d.global_average_pool2d",
    "Channels come last here: height and width are axes 1 and 2, not 2 and 3.",
)
def channels_first(x):
    return x.mean(axis=(2, 3))


@misconception("global_average_pool2d.global_average_pool2d", "This is global max pooling: take the mean.")
def global_max(x):
    return x.max(axis=(1, 2))


@misconception(
    "global_average_pool2d.global_average_pool2d", "This is the sum: divide by the number of places."
)
def global_sum(x):
    return x.sum(axis=(1, 2))
