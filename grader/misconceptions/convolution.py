"""Well-known wrong answers to the assignment `convolution`."""

import math

import numpy as np

from grader.exercise import misconception

BRACKETS = "Only f is divided by the stride, as some cheat sheets print it: the brackets go around all of n + 2p - f."
ROUNDED_UP = "You rounded up, or to the nearest: a step that does not fit is not made. Round down, with `//`."
KEEPS_THE_SIZE = (
    'Under "same" your output keeps the size at every stride. It does so at stride 1 only: at stride s there are '
    "ceil(n / s) places."
)
ODD_ZERO_FIRST = "The odd zero went to the top and the left: the smaller half comes before, the larger after."
WHATEVER_THE_STRIDE = (
    'f - 1 zeros are right at stride 1 only: under "same" count what the last of the ceil(n / s) windows lacks, '
    "which is less at larger strides."
)
ALIKE_AT_BOTH_ENDS = (
    "You put as many zeros at both ends, (f - 1) // 2. For windows of even size, and at stride 2, the ends differ: "
    "ask how many are lacking in all."
)
HALF_AT_BOTH_ENDS = (
    "f // 2 zeros at both ends are one too many for windows of even size, and at stride 2 often for odd ones: ask how "
    "many are lacking in all."
)
FLIPPED = (
    "Your kernel is turned round: that is the convolution of mathematics. Here, as in every library, nothing is "
    "flipped: the weight at (u, v) meets the pixel at (i + u, j + v)."
)
TRANSPOSED_WINDOW = (
    "Rows and columns of the kernel have changed places: its first axis goes down, its second to the right."
)
STRIDES_SWAPPED = "The strides have changed places: a pair is (height, width), as everywhere."
ONE_STRIDE = "The height's stride is used for the width too: a pair has one for each."
STRIDE_NOT_MULTIPLIED = "The output has the right size, but its windows lie one pixel apart: place i starts at pixel i times the stride."
STRIDE_IGNORED = "`strides` has no effect: place i of the window starts at pixel i times the stride."
PADDING_IGNORED = '`padding` has no effect: pad the images first, and go on as for "valid".'
BIAS_FORGOTTEN = (
    "The bias has no effect: where one is given, add it to every place, one number for each channel."
)


def both(value):
    return value if isinstance(value, tuple) else (value, value)


def ends(n, k, s):
    zeros = max((-(-n // s) - 1) * s + k - n, 0)
    return zeros // 2, zeros - zeros // 2


def ends_odd_first(n, k, s):
    return ends(n, k, s)[::-1]


def ends_of_stride_one(n, k, s):
    return (k - 1) // 2, k // 2


def ends_alike(n, k, s):
    return (k - 1) // 2, (k - 1) // 2


def ends_of_half(n, k, s):
    return k // 2, k // 2


def ends_for_every_pixel(n, k, s):
    zeros = (n - 1) * s + k - n
    return zeros // 2, zeros - zeros // 2


def padded(x, size, strides, padding, ends=ends):
    axes = [(0, 0)] * 4
    if padding == "same":
        axes[1:3] = (ends(*axis) for axis in zip(x.shape[1:3], both(size), both(strides), strict=True))
    return np.pad(x, axes)


def slices(shape, size, strides):
    """For each weight of the window: its place, and the rows and columns of the padded images that it meets."""
    (kh, kw), (sh, sw) = both(size), both(strides)
    height, width = (shape[1] - kh) // sh + 1, (shape[2] - kw) // sw + 1
    for u, v in np.ndindex(kh, kw):
        yield u, v, slice(u, u + height * sh, sh), slice(v, v + width * sw, sw)


def convolved(x, kernel, bias=None, strides=1, padding="valid", ends=ends):
    p = padded(x, kernel.shape[:2], strides, padding, ends)
    y = sum(p[:, r, c] @ kernel[u, v] for u, v, r, c in slices(p.shape, kernel.shape[:2], strides))
    return y if bias is None else y + bias


def adjacent(x, kernel, bias, strides, padding):
    """As many places as the strides ask for, all next to each other."""
    p = padded(x, kernel.shape[:2], strides, padding)
    height, width = (
        (n - k) // s + 1 for n, k, s in zip(p.shape[1:], kernel.shape[:2], both(strides), strict=False)
    )
    return convolved(p, kernel, bias)[:, :height, :width]


def rows(x, size, strides=1, padding="valid", ends=ends):
    """Windows with axes of their own: (batch, height, width, kh, kw, channels)."""
    p = padded(x, size, strides, padding, ends)
    met = np.stack([p[:, r, c] for _, _, r, c in slices(p.shape, size, strides)], axis=3)
    return met.reshape(*met.shape[:3], *both(size), x.shape[3])


def joined(windows):
    return windows.reshape(*windows.shape[:3], -1)


def each_channel(x, kernel, strides=1, padding="valid"):
    """(batch, height, width, in, multiplier)."""
    return np.einsum("bijuvc,uvcm->bijcm", rows(x, kernel.shape[:2], strides, padding), kernel)


def went_back(upstream, x, kernel, strides=1, padding="valid"):
    """dx of the padded images, dkernel and dbias."""
    p = padded(x, kernel.shape[:2], strides, padding)
    dp, dkernel = np.zeros(p.shape), np.zeros(kernel.shape)
    for u, v, r, c in slices(p.shape, kernel.shape[:2], strides):
        dp[:, r, c] += upstream @ kernel[u, v].T
        dkernel[u, v] = np.einsum("bijc,bijo->co", p[:, r, c], upstream)
    return dp, dkernel, upstream.sum(axis=(0, 1, 2))


def image_of(dp, x, kernel, strides, padding, ends=ends):
    if padding == "valid":
        return dp
    top, left = (
        ends(n, k, s)[0] for n, k, s in zip(x.shape[1:3], kernel.shape[:2], both(strides), strict=True)
    )
    return dp[:, top : top + x.shape[1], left : left + x.shape[2]]


def painted(x, kernel, strides, assign=False):
    (sh, sw), (kh, kw) = both(strides), kernel.shape[:2]
    height, width = x.shape[1:3]
    y = np.zeros((len(x), height * sh + max(kh - sh, 0), width * sw + max(kw - sw, 0), kernel.shape[2]))
    for u, v in np.ndindex(kh, kw):
        target = y[:, u : u + height * sh : sh, v : v + width * sw : sw]
        target[...] = x @ kernel[u, v].T + (0 if assign else target)
    return y


def cut(y, x, kernel, strides, padding, before=lambda over: over // 2):
    if padding == "valid":
        return y
    (top, left) = (before(max(k - s, 0)) for k, s in zip(kernel.shape[:2], both(strides), strict=True))
    height, width = (n * s for n, s in zip(x.shape[1:3], both(strides), strict=True))
    return y[:, top : top + height, left : left + width]


@misconception(
    "output_size.output_size",
    "The 1 stands inside the brackets: it is the window's first place, whatever the stride. Add it after rounding down.",
)
def one_inside_the_brackets(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel + 1) // stride


@misconception("output_size.output_size", ROUNDED_UP)
def rounded_up(n, kernel, stride=1, padding=0):
    return math.ceil((n + 2 * padding - kernel) / stride) + 1


@misconception("output_size.output_size", ROUNDED_UP)
def rounded_to_the_nearest(n, kernel, stride=1, padding=0):
    return round((n + 2 * padding - kernel) / stride) + 1


@misconception(
    "output_size.output_size",
    "A fraction of a place came out: round down before you add 1. `//` does it for whole numbers.",
)
def never_rounded(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel) / stride + 1


@misconception("output_size.output_size", BRACKETS)
def brackets_forgotten(n, kernel, stride=1, padding=0):
    return n + 2 * padding - kernel / stride + 1


@misconception("output_size.output_size", BRACKETS)
def brackets_forgotten_and_cut(n, kernel, stride=1, padding=0):
    return int(n + 2 * padding - kernel / stride + 1)


@misconception("output_size.output_size", BRACKETS)
def brackets_forgotten_and_floored(n, kernel, stride=1, padding=0):
    return n + 2 * padding - kernel // stride + 1


@misconception(
    "output_size.output_size", "Padding is put at both ends: the input grows by 2p, you counted p once."
)
def padding_once(n, kernel, stride=1, padding=0):
    return (n + padding - kernel) // stride + 1


@misconception("output_size.output_size", "`padding` has no effect: the input grows by it at both ends.")
def padding_forgotten(n, kernel, stride=1, padding=0):
    return (n - kernel) // stride + 1


@misconception(
    "output_size.output_size",
    "The first place is not counted: n + 2p - f counts steps, and places are one more.",
)
def first_place_forgotten(n, kernel, stride=1, padding=0):
    return (n + 2 * padding - kernel) // stride


@misconception("output_size.output_size", "`stride` has no effect: divide the way of the window by it.")
def stride_forgotten(n, kernel, stride=1, padding=0):
    return n + 2 * padding - kernel + 1


@misconception("same_padding.same_padding", WHATEVER_THE_STRIDE)
def zeros_of_stride_one(n, kernel, stride=1):
    return ends_of_stride_one(n, kernel, stride)


@misconception(
    "same_padding.same_padding",
    "The odd zero comes first here: the smaller half goes before, the larger after.",
)
def odd_zero_first(n, kernel, stride=1):
    return ends_odd_first(n, kernel, stride)


@misconception("same_padding.same_padding", ALIKE_AT_BOTH_ENDS)
def zeros_alike(n, kernel, stride=1):
    return ends_alike(n, kernel, stride)


@misconception("same_padding.same_padding", HALF_AT_BOTH_ENDS)
def half_the_window(n, kernel, stride=1):
    return ends_of_half(n, kernel, stride)


@misconception(
    "same_padding.same_padding",
    "Fewer than 0 zeros came out: where the window is smaller than the stride it lacks nothing, so take `max(..., 0)`.",
)
def fewer_than_none(n, kernel, stride=1):
    zeros = (-(-n // stride) - 1) * stride + kernel - n
    return zeros // 2, zeros - zeros // 2


@misconception("same_padding.same_padding", KEEPS_THE_SIZE)
def as_many_places_as_pixels(n, kernel, stride=1):
    return ends_for_every_pixel(n, kernel, stride)


@misconception(
    "same_padding.same_padding",
    "The number of windows is n / s rounded up: you rounded down, and the last one is missing.",
)
def places_rounded_down(n, kernel, stride=1):
    zeros = max((n // stride - 1) * stride + kernel - n, 0)
    return zeros // 2, zeros - zeros // 2


@misconception(
    "same_padding.same_padding",
    "You counted the zeros that make the stride come out even, (n - f) % s, not what the last window lacks.",
)
def filled_up_to_the_stride(n, kernel, stride=1):
    zeros = (n - kernel) % stride
    return zeros // 2, zeros - zeros // 2


@misconception("pad.pad", ODD_ZERO_FIRST)
def padded_odd_first(x, kernel_size, strides, padding):
    return padded(x, kernel_size, strides, padding, ends_odd_first)


@misconception("pad.pad", WHATEVER_THE_STRIDE)
def padded_as_at_stride_one(x, kernel_size, strides, padding):
    return padded(x, kernel_size, strides, padding, ends_of_stride_one)


@misconception("pad.pad", ALIKE_AT_BOTH_ENDS)
def padded_alike(x, kernel_size, strides, padding):
    return padded(x, kernel_size, strides, padding, ends_alike)


@misconception("pad.pad", HALF_AT_BOTH_ENDS)
def padded_by_half(x, kernel_size, strides, padding):
    return padded(x, kernel_size, strides, padding, ends_of_half)


@misconception(
    "pad.pad",
    "Height and width of the window or of the strides have changed places: both are (height, width).",
)
def padded_with_axes_swapped(x, kernel_size, strides, padding):
    return padded(x, both(kernel_size)[::-1], both(strides)[::-1], padding)


@misconception(
    "pad.pad", "You repeated the edge's pixels: padding means zeros here, which is `np.pad`'s own choice."
)
def padded_with_edges(x, kernel_size, strides, padding):
    rows, columns = (
        ends(*axis) if padding == "same" else (0, 0)
        for axis in zip(x.shape[1:3], both(kernel_size), both(strides), strict=True)
    )
    return np.pad(x, [(0, 0), rows, columns, (0, 0)], mode="edge")


@misconception(
    "pad.pad",
    "You mirrored the image at its edges: padding means zeros here, which is `np.pad`'s own choice.",
)
def padded_with_reflections(x, kernel_size, strides, padding):
    rows, columns = (
        ends(*axis) if padding == "same" else (0, 0)
        for axis in zip(x.shape[1:3], both(kernel_size), both(strides), strict=True)
    )
    return np.pad(x, [(0, 0), rows, columns, (0, 0)], mode="reflect")


@misconception("pad.pad", '`padding` has no effect: "valid" adds no zeros at all.')
def padded_always(x, kernel_size, strides, padding):
    return padded(x, kernel_size, strides, "same")


@misconception("pad.pad", "The batch or the channels got zeros too: only the axes 1 and 2 are space.")
def padded_on_every_axis(x, kernel_size, strides, padding):
    return np.pad(x, ends(x.shape[1], both(kernel_size)[0], both(strides)[0])) if padding == "same" else x


@misconception("conv2d.conv2d", FLIPPED)
def mathematicians_convolution(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel[::-1, ::-1], bias, strides, padding)


@misconception("conv2d.conv2d", TRANSPOSED_WINDOW)
def transposed_window(x, kernel, bias=None, strides=1, padding="valid"):
    p = padded(x, kernel.shape[:2], strides, padding)
    return convolved(p, kernel.transpose(1, 0, 2, 3), bias, strides)


@misconception(
    "conv2d.conv2d",
    "The kernel's last two axes are (in, out): sum over the third, which goes with the channels of x.",
)
def channels_swapped(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel.transpose(0, 1, 3, 2), bias, strides, padding)


@misconception("conv2d.conv2d", BIAS_FORGOTTEN)
def bias_forgotten(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, None, strides, padding)


@misconception(
    "conv2d.conv2d",
    "The bias is added once for every weight of the window: add it once, after the loop.",
)
def bias_for_every_weight(x, kernel, bias=None, strides=1, padding="valid"):
    kh, kw = kernel.shape[:2]
    return convolved(x, kernel, None if bias is None else kh * kw * bias, strides, padding)


@misconception("conv2d.conv2d", STRIDES_SWAPPED)
def strides_swapped(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, both(strides)[::-1], padding)


@misconception("conv2d.conv2d", ONE_STRIDE)
def one_stride(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, both(strides)[0], padding)


@misconception("conv2d.conv2d", STRIDE_NOT_MULTIPLIED)
def windows_side_by_side(x, kernel, bias=None, strides=1, padding="valid"):
    return adjacent(x, kernel, bias, strides, padding)


@misconception("conv2d.conv2d", STRIDE_IGNORED)
def never_strides(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, 1, padding)


@misconception("conv2d.conv2d", PADDING_IGNORED)
def never_pads(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, strides)


@misconception("conv2d.conv2d", ODD_ZERO_FIRST)
def odd_zero_at_the_top_left(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, strides, padding, ends_odd_first)


@misconception("conv2d.conv2d", WHATEVER_THE_STRIDE)
def zeros_whatever_the_stride(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, strides, padding, ends_of_stride_one)


@misconception("conv2d.conv2d", KEEPS_THE_SIZE)
def stride_only_when_valid(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, 1 if padding == "same" else strides, padding)


@misconception("conv2d.conv2d", KEEPS_THE_SIZE)
def padded_until_the_size_is_kept(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, strides, padding, ends_for_every_pixel)


@misconception("conv2d.conv2d", ALIKE_AT_BOTH_ENDS)
def as_many_zeros_at_both_ends(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, strides, padding, ends_alike)


@misconception("conv2d.conv2d", HALF_AT_BOTH_ENDS)
def half_a_window_at_both_ends(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, strides, padding, ends_of_half)


@misconception(
    "conv2d.conv2d",
    "Only the first channel of x is seen: the sum runs over the window and over all channels.",
)
def first_channel_only(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x[..., :1], kernel[:, :, :1], bias, strides, padding)


@misconception(
    "conv2d.conv2d",
    "You took the mean over the window: a convolution adds up. The weights say how much each pixel counts.",
)
def mean_of_the_window(x, kernel, bias=None, strides=1, padding="valid"):
    kh, kw, channels, _ = kernel.shape
    return convolved(x, kernel / (kh * kw * channels), bias, strides, padding)


@misconception(
    "conv2d.conv2d",
    "The output was made with the dtype of x, so sums were cut to whole numbers, and bytes wrapped: make it of floats.",
)
def in_the_dtype_of_the_image(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, strides, padding).astype(x.dtype)


@misconception(
    "conv2d_backward.conv2d_backward", "dbias is the mean: it is a sum over batch, rows and columns."
)
def mean_bias(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, _ = went_back(upstream, x, kernel, strides, padding)
    return image_of(dp, x, kernel, strides, padding), dkernel, upstream.mean(axis=(0, 1, 2))


@misconception(
    "conv2d_backward.conv2d_backward",
    "dbias is summed over the batch only: one bias serves every place too, so sum over the axes 0, 1 and 2.",
)
def bias_of_every_place(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, _ = went_back(upstream, x, kernel, strides, padding)
    return image_of(dp, x, kernel, strides, padding), dkernel, upstream.sum(axis=0)


@misconception(
    "conv2d_backward.conv2d_backward",
    "dbias is one number: each output channel has a bias of its own, so leave the last axis out of the sum.",
)
def one_bias(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, _ = went_back(upstream, x, kernel, strides, padding)
    return image_of(dp, x, kernel, strides, padding), dkernel, upstream.sum()


@misconception(
    "conv2d_backward.conv2d_backward",
    "dkernel and dbias are divided by the batch: whether a loss is a mean is said by `upstream` already. Sum.",
)
def mean_over_the_batch(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    return image_of(dp, x, kernel, strides, padding), dkernel / len(x), dbias / len(x)


@misconception(
    "conv2d_backward.conv2d_backward",
    "dkernel is divided by the batch: whether a loss is a mean is said by `upstream` already. Sum.",
)
def mean_kernel(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    return image_of(dp, x, kernel, strides, padding), dkernel / len(x), dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    "dkernel knows the last image only: each image of the batch adds its share, so `+=` instead of `=` in that loop.",
)
def dkernel_of_the_last_image(upstream, x, kernel, strides=1, padding="valid"):
    dp, _, dbias = went_back(upstream, x, kernel, strides, padding)
    dkernel = went_back(upstream[-1:], x[-1:], kernel, strides, padding)[1]
    return image_of(dp, x, kernel, strides, padding), dkernel, dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    "Where windows overlap, a later one wrote over an earlier one in dx: each adds its share, so `+=` instead of `=`.",
)
def overlaps_overwritten(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    (kh, kw), (sh, sw) = kernel.shape[:2], both(strides)
    dp = np.zeros(dp.shape)
    for i, j in np.ndindex(upstream.shape[1:3]):
        dp[:, i * sh : i * sh + kh, j * sw : j * sw + kw] = np.einsum(
            "bo,uvco->buvc", upstream[:, i, j], kernel
        )
    return image_of(dp, x, kernel, strides, padding), dkernel, dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    "In dx a later weight of the window wrote over an earlier one: each adds its share, so `+=` instead of `=`.",
)
def weights_overwritten(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    dp = np.zeros(dp.shape)
    for u, v, r, c in slices(dp.shape, kernel.shape[:2], strides):
        dp[:, r, c] = upstream @ kernel[u, v].T
    return image_of(dp, x, kernel, strides, padding), dkernel, dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    "Your kernel is turned round in dx. Each place paints the kernel as it is; the flip in books belongs to another way, "
    "the sliding of the flipped kernel over the padded `upstream`, which comes to the same.",
)
def dx_with_flipped_kernel(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    dp, _, _ = went_back(upstream, x, kernel[::-1, ::-1], strides, padding)
    return image_of(dp, x, kernel, strides, padding), dkernel, dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    "dkernel is turned round: the weight at (u, v) met the slice that starts at (u, v), in the way back too.",
)
def dkernel_flipped(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    return image_of(dp, x, kernel, strides, padding), dkernel[::-1, ::-1], dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    "In dx the kernel's channels are not transposed: `upstream` has the output's channels, so `@ kernel[u, v].T`.",
)
def dx_without_transpose(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    dp = went_back(upstream, x, kernel.transpose(0, 1, 3, 2), strides, padding)[0]
    return image_of(dp, x, kernel, strides, padding), dkernel, dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    'Under "same" your dx is that of the padded images: cut the added zeros off, it has the shape of x.',
)
def dx_of_padded_images(upstream, x, kernel, strides=1, padding="valid"):
    return went_back(upstream, x, kernel, strides, padding)


@misconception(
    "conv2d_backward.conv2d_backward",
    'Under "same" your dx is cut off at the end only: first skip the zeros that were put before the image.',
)
def dx_from_the_corner(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    return dp[:, : x.shape[1], : x.shape[2]], dkernel, dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    'Under "same" your dx is cut in the wrong place: fewer zeros were put before the image than after it. You skipped the '
    "larger half.",
)
def dx_cut_by_the_larger_half(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    end = [sum(ends(*axis)) for axis in zip(x.shape[1:3], kernel.shape[:2], both(strides), strict=True)]
    dp = np.pad(dp, [(0, 0), (0, end[0]), (0, end[1]), (0, 0)])
    return image_of(dp, x, kernel, strides, padding, ends_odd_first), dkernel, dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    'Under "same" your dx is cut as at stride 1, (f - 1) // 2 before: at stride 2 fewer zeros were added.',
)
def dx_cut_as_at_stride_one(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    return image_of(dp, x, kernel, strides, padding, ends_of_stride_one), dkernel, dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    "The windows lie one pixel apart in your way back, whatever the stride: place i starts at pixel i times the stride.",
)
def back_side_by_side(upstream, x, kernel, strides=1, padding="valid"):
    p = padded(x, kernel.shape[:2], strides, padding)
    dp, dkernel = np.zeros(p.shape), np.zeros(kernel.shape)
    height, width = upstream.shape[1:3]
    for u, v in np.ndindex(kernel.shape[:2]):
        dp[:, u : u + height, v : v + width] += upstream @ kernel[u, v].T
        met = p[:, u : u + height, v : v + width]
        dkernel[u, v] = np.einsum("bijc,bijo->co", met, upstream)
    return image_of(dp, x, kernel, strides, padding), dkernel, upstream.sum(axis=(0, 1, 2))


@misconception(
    "conv2d_backward.conv2d_backward", "dkernel comes first in your answer: the order is dx, dkernel, dbias."
)
def kernel_first(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    return dkernel, image_of(dp, x, kernel, strides, padding), dbias


@misconception(
    "conv2d_backward.conv2d_backward",
    'Under "same" your dkernel is taken from images without their zeros: the weights met the padded ones.',
)
def dkernel_of_bare_images(upstream, x, kernel, strides=1, padding="valid"):
    dp, dkernel, dbias = went_back(upstream, x, kernel, strides, padding)
    bare = np.pad(x, [(0, 0), (0, dp.shape[1] - x.shape[1]), (0, dp.shape[2] - x.shape[2]), (0, 0)])
    dkernel = went_back(upstream, bare, kernel, strides)[1]
    return image_of(dp, x, kernel, strides, padding), dkernel, dbias


@misconception(
    "im2col.im2col",
    "The channels come first in your rows, (c, u, v), as in PyTorch: here they come last, those of a pixel side by side.",
)
def channels_first(x, kernel_size, strides=1, padding="valid"):
    return joined(rows(x, kernel_size, strides, padding).transpose(0, 1, 2, 5, 3, 4))


@misconception(
    "im2col.im2col",
    "Your rows go down the window's columns: go along its rows, from left to right.",
)
def columns_first(x, kernel_size, strides=1, padding="valid"):
    return joined(rows(x, kernel_size, strides, padding).transpose(0, 1, 2, 4, 3, 5))


@misconception(
    "im2col.im2col",
    "All windows stand in one table: keep the axes of batch, height and width, only the window becomes a row.",
)
def one_table(x, kernel_size, strides=1, padding="valid"):
    windows = joined(rows(x, kernel_size, strides, padding))
    return windows.reshape(-1, windows.shape[-1])


@misconception(
    "im2col.im2col",
    "The windows of an image stand in one long line: keep the axes of height and width apart.",
)
def one_line(x, kernel_size, strides=1, padding="valid"):
    windows = joined(rows(x, kernel_size, strides, padding))
    return windows.reshape(len(x), -1, windows.shape[-1])


@misconception(
    "im2col.im2col",
    "The window's axes are still apart: join rows, columns and channels to one axis, by `reshape`.",
)
def windows_not_joined(x, kernel_size, strides=1, padding="valid"):
    return rows(x, kernel_size, strides, padding)


@misconception("im2col.im2col", STRIDES_SWAPPED)
def rows_with_strides_swapped(x, kernel_size, strides=1, padding="valid"):
    return joined(rows(x, kernel_size, both(strides)[::-1], padding))


@misconception("im2col.im2col", STRIDE_IGNORED)
def rows_without_stride(x, kernel_size, strides=1, padding="valid"):
    return joined(rows(x, kernel_size, 1, padding))


@misconception("im2col.im2col", PADDING_IGNORED)
def rows_without_padding(x, kernel_size, strides=1, padding="valid"):
    return joined(rows(x, kernel_size, strides))


@misconception("im2col.im2col", ODD_ZERO_FIRST)
def rows_with_odd_zero_first(x, kernel_size, strides=1, padding="valid"):
    return joined(rows(x, kernel_size, strides, padding, ends_odd_first))


@misconception("im2col.im2col", WHATEVER_THE_STRIDE)
def rows_with_zeros_of_stride_one(x, kernel_size, strides=1, padding="valid"):
    return joined(rows(x, kernel_size, strides, padding, ends_of_stride_one))


@misconception("im2col.conv2d_gemm", BIAS_FORGOTTEN)
def product_without_bias(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, None, strides, padding)


@misconception(
    "im2col.conv2d_gemm",
    "`reshape(out, -1).T` shuffles the weights: the output channels are the kernel's last axis, so `reshape(-1, out)`.",
)
def kernel_shuffled(x, kernel, bias=None, strides=1, padding="valid"):
    out = kernel.shape[3]
    y = joined(rows(x, kernel.shape[:2], strides, padding)) @ kernel.reshape(out, -1).T
    return y if bias is None else y + bias


@misconception(
    "im2col.conv2d_gemm",
    "The kernel's weights stand with the channels first, (c, u, v), the rows' pixels with the channels last: use one order.",
)
def kernel_channels_first(x, kernel, bias=None, strides=1, padding="valid"):
    weights = kernel.transpose(2, 0, 1, 3).reshape(-1, kernel.shape[3])
    y = joined(rows(x, kernel.shape[:2], strides, padding)) @ weights
    return y if bias is None else y + bias


@misconception("im2col.conv2d_gemm", FLIPPED)
def product_with_flipped_kernel(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel[::-1, ::-1], bias, strides, padding)


@misconception("im2col.conv2d_gemm", STRIDE_IGNORED)
def product_without_stride(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, 1, padding)


@misconception("im2col.conv2d_gemm", PADDING_IGNORED)
def product_without_padding(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, strides)


@misconception(
    "im2col.conv2d_gemm",
    "The product is one table: give it back its axes, (batch, out height, out width, out).",
)
def product_as_one_table(x, kernel, bias=None, strides=1, padding="valid"):
    return convolved(x, kernel, bias, strides, padding).reshape(-1, kernel.shape[3])


@misconception(
    "separable_conv2d.depthwise_conv2d",
    "The channels are mixed: that is an ordinary convolution. Here each channel keeps to itself, the sum is over the "
    "window only.",
)
def ordinary_convolution(x, kernel, strides=1, padding="valid"):
    return convolved(x, kernel, None, strides, padding)


@misconception(
    "separable_conv2d.depthwise_conv2d",
    "The results stand window by window: those of one channel belong side by side, channel c with window q is c * m + q.",
)
def window_by_window(x, kernel, strides=1, padding="valid"):
    y = each_channel(x, kernel, strides, padding)
    return y.swapaxes(3, 4).reshape(*y.shape[:3], -1)


@misconception(
    "separable_conv2d.depthwise_conv2d",
    "Each channel got its first window only: the kernel's last axis, the multiplier, has more.",
)
def first_window_only(x, kernel, strides=1, padding="valid"):
    return each_channel(x, kernel, strides, padding)[..., 0]


@misconception(
    "separable_conv2d.depthwise_conv2d",
    "Channels and windows are two axes still: join them to one, of in * multiplier.",
)
def two_axes(x, kernel, strides=1, padding="valid"):
    return each_channel(x, kernel, strides, padding)


@misconception(
    "separable_conv2d.depthwise_conv2d",
    "The results of a channel's windows are added up: they stand side by side, in * multiplier of them.",
)
def windows_added_up(x, kernel, strides=1, padding="valid"):
    return each_channel(x, kernel, strides, padding).sum(axis=-1)


@misconception("separable_conv2d.depthwise_conv2d", FLIPPED)
def depthwise_flipped(x, kernel, strides=1, padding="valid"):
    y = each_channel(x, kernel[::-1, ::-1], strides, padding)
    return y.reshape(*y.shape[:3], -1)


@misconception("separable_conv2d.depthwise_conv2d", STRIDE_IGNORED)
def depthwise_without_stride(x, kernel, strides=1, padding="valid"):
    return joined(each_channel(x, kernel, 1, padding))


@misconception("separable_conv2d.depthwise_conv2d", PADDING_IGNORED)
def depthwise_without_padding(x, kernel, strides=1, padding="valid"):
    return joined(each_channel(x, kernel, strides))


@misconception(
    "separable_conv2d.pointwise_conv2d",
    "The kernel is (in, out): its rows are what comes in. You multiplied by its transpose.",
)
def mixed_by_the_transpose(x, kernel):
    return x @ kernel.T


@misconception(
    "separable_conv2d.pointwise_conv2d",
    "You took the mean over the channels: a convolution adds up.",
)
def mean_of_the_channels(x, kernel):
    return x @ kernel / len(kernel)


@misconception(
    "separable_conv2d.pointwise_conv2d",
    "The pixels lost their places: all axes of x but the last stay as they are.",
)
def pixels_in_one_table(x, kernel):
    return x.reshape(-1, x.shape[3]) @ kernel


@misconception(
    "separable_conv2d.separable_conv2d",
    "The stride is taken twice: it belongs to the depthwise part, the pointwise part moves by 1.",
)
def stride_twice(x, depthwise_kernel, pointwise_kernel, strides=1, padding="valid"):
    sh, sw = both(strides)
    looked = joined(each_channel(x, depthwise_kernel, strides, padding))
    return looked[:, ::sh, ::sw] @ pointwise_kernel


@misconception(
    "separable_conv2d.separable_conv2d",
    "The stride is taken in the pointwise part: it belongs to the depthwise part, where it also decides about the padding.",
)
def stride_at_last(x, depthwise_kernel, pointwise_kernel, strides=1, padding="valid"):
    sh, sw = both(strides)
    return joined(each_channel(x, depthwise_kernel, 1, padding))[:, ::sh, ::sw] @ pointwise_kernel


@misconception("separable_conv2d.separable_conv2d", "`strides` has no effect: hand it to the depthwise part.")
def separable_without_stride(x, depthwise_kernel, pointwise_kernel, strides=1, padding="valid"):
    return joined(each_channel(x, depthwise_kernel, 1, padding)) @ pointwise_kernel


@misconception("separable_conv2d.separable_conv2d", "`padding` has no effect: hand it to the depthwise part.")
def separable_without_padding(x, depthwise_kernel, pointwise_kernel, strides=1, padding="valid"):
    return joined(each_channel(x, depthwise_kernel, strides)) @ pointwise_kernel


@misconception(
    "separable_conv2d.separable_conv2d",
    "There is a ReLU between your two parts: a separable convolution has nothing between them.",
)
def relu_between(x, depthwise_kernel, pointwise_kernel, strides=1, padding="valid"):
    looked = joined(each_channel(x, depthwise_kernel, strides, padding))
    return np.maximum(looked, 0) @ pointwise_kernel


@misconception(
    "conv2d_transpose.conv2d_transpose",
    "The kernel is (kh, kw, out, in) here: its last axis goes with the channels of x. You took the third.",
)
def layout_of_conv2d(x, kernel, strides=1, padding="valid"):
    turned = kernel.transpose(0, 1, 3, 2)
    return cut(painted(x, turned, strides), x, kernel, strides, padding)


@misconception(
    "conv2d_transpose.conv2d_transpose",
    "Your kernel is turned round: each pixel paints it as it is. Where zeros are put between the pixels and a convolution "
    "slides over them, that convolution needs the kernel flipped, so that in the end it is not.",
)
def painted_flipped(x, kernel, strides=1, padding="valid"):
    return cut(painted(x, kernel[::-1, ::-1], strides), x, kernel, strides, padding)


@misconception(
    "conv2d_transpose.conv2d_transpose",
    "Where kernels overlap, a later one wrote over an earlier one: they add up, so `+=` instead of `=`.",
)
def painted_over(x, kernel, strides=1, padding="valid"):
    (sh, sw), (kh, kw) = both(strides), kernel.shape[:2]
    y = np.zeros(painted(x, kernel, strides).shape)
    for i, j in np.ndindex(x.shape[1:3]):
        y[:, i * sh : i * sh + kh, j * sw : j * sw + kw] = np.einsum("bc,uvoc->buvo", x[:, i, j], kernel)
    return cut(y, x, kernel, strides, padding)


@misconception(
    "conv2d_transpose.conv2d_transpose",
    "A later weight of the kernel wrote over an earlier one: they add up, so `+=` instead of `=`.",
)
def weights_painted_over(x, kernel, strides=1, padding="valid"):
    return cut(painted(x, kernel, strides, assign=True), x, kernel, strides, padding)


@misconception(
    "conv2d_transpose.conv2d_transpose",
    'Under "same" the larger half is cut off before the image: the smaller half goes there, the odd row and column are cut '
    "at the bottom and the right.",
)
def cut_larger_half_first(x, kernel, strides=1, padding="valid"):
    y = painted(x, kernel, strides)
    return cut(y, x, kernel, strides, padding, lambda over: over - over // 2)


@misconception(
    "conv2d_transpose.conv2d_transpose",
    'Under "same" you cut at the end only: what is too much, max(k - s, 0), is cut off at both, the smaller half before.',
)
def cut_at_the_end(x, kernel, strides=1, padding="valid"):
    return cut(painted(x, kernel, strides), x, kernel, strides, padding, lambda over: 0)


@misconception(
    "conv2d_transpose.conv2d_transpose",
    "Behind the last kernel zeros are missing: where the kernel is smaller than the stride, an axis still becomes n * s long.",
)
def ends_with_the_kernel(x, kernel, strides=1, padding="valid"):
    y = cut(painted(x, kernel, strides), x, kernel, strides, padding)
    height, width = (y.shape[1 + axis] - max(both(strides)[axis] - kernel.shape[axis], 0) for axis in (0, 1))
    return y[:, :height, :width]


@misconception(
    "conv2d_transpose.conv2d_transpose",
    'Under "same" you cut (k - 1) // 2 at each end, whatever the stride, as PyTorch would: cut max(k - s, 0) in all, so that '
    "n * s is left.",
)
def cut_alike_at_both_ends(x, kernel, strides=1, padding="valid"):
    y = painted(x, kernel, strides)
    if padding == "valid":
        return y
    (top, left) = ((k - 1) // 2 for k in kernel.shape[:2])
    height, width = (
        (n - 1) * s + k for n, s, k in zip(x.shape[1:3], both(strides), kernel.shape[:2], strict=True)
    )
    return y[:, top : height - top, left : width - left]


@misconception("conv2d_transpose.conv2d_transpose", '`padding` has no effect: "same" cuts down to n * s.')
def never_cut(x, kernel, strides=1, padding="valid"):
    return painted(x, kernel, strides)


@misconception("conv2d_transpose.conv2d_transpose", "`strides` has no effect: pixels paint a stride apart.")
def painted_side_by_side(x, kernel, strides=1, padding="valid"):
    return cut(painted(x, kernel, 1), x, kernel, 1, padding)


@misconception("conv2d_transpose.conv2d_transpose", STRIDES_SWAPPED)
def painted_with_strides_swapped(x, kernel, strides=1, padding="valid"):
    strides = both(strides)[::-1]
    return cut(painted(x, kernel, strides), x, kernel, strides, padding)


@misconception(
    "conv2d_transpose.conv2d_transpose",
    "Each pixel was made larger first and then convolved: a transposed convolution puts zeros between the pixels.",
)
def enlarged_first(x, kernel, strides=1, padding="valid"):
    (sh, sw), (kh, kw) = both(strides), kernel.shape[:2]
    y = painted(x.repeat(sh, axis=1).repeat(sw, axis=2), kernel, 1)
    height, width = x.shape[1] * sh + max(kh - sh, 0), x.shape[2] * sw + max(kw - sw, 0)
    return cut(y[:, :height, :width], x, kernel, strides, padding)
