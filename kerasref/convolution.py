"""References of the assignment `convolution`. Images are (batch, height, width, channels), kernels (kh, kw, in, out)."""

from kerasref.backend import keras
from kerasref.core import gradient, reference
from kerasref.validation import Padding, Pair, at_least_1, not_negative, rank, same_shape, size

ops = keras.ops
IMAGES = "(batch, height, width, channels)"
LAST = {"data_format": "channels_last"}


@reference
def output_size(n: int, kernel: int, stride: int = 1, padding: int = 0):
    """How many places a window has along one axis.

    Args:
        n: size of the input.
        kernel: size of the window, at most `n + 2 * padding`.
        stride: steps from one place to the next.
        padding: zeros at each end.

    Returns:
        A whole number, at least 1.

    Source: `keras.layers.Conv1D.compute_output_shape`.
    """
    at_least_1(n=n, kernel=kernel, stride=stride)
    not_negative(padding=padding)
    _window("kernel", kernel, n + 2 * padding)
    return keras.layers.Conv1D(1, kernel, stride).compute_output_shape((None, n + 2 * padding, 1))[1]


@reference
def same_padding(n: int, kernel: int, stride: int = 1):
    """Zeros that padding "same" puts before and after one axis.

    Args:
        n: size of the input.
        kernel: size of the window.
        stride: steps from one place to the next.

    Returns:
        (before, after), two whole numbers; after is before or one more.

    Source: read off the windows of `keras.ops.conv`.
    """
    at_least_1(n=n, kernel=kernel, stride=stride)
    return _edges(n, kernel, stride)


@reference
def pad(x, kernel_size: Pair, strides: Pair, padding: Padding):
    """Put the zeros around images that a window needs.

    Args:
        x: (batch, height, width, channels).
        kernel_size: of the window, one number or (height, width).
        strides: one number or (height, width).
        padding: "valid" or "same".

    Returns:
        (batch, padded height, padded width, channels) array.

    Source: `keras.ops.pad`, by as much as the windows of `keras.ops.conv` reach over the edge.
    """
    rank(4, IMAGES, x=x)
    return _padded(x, kernel_size, strides, padding)


@reference
def conv2d(x, kernel, bias=None, strides: Pair = 1, padding: Padding = "valid"):
    """Slide a kernel over images, unflipped: what deep learning calls a convolution.

    Args:
        x: (batch, height, width, in).
        kernel: (kh, kw, in, out).
        bias: (out,), or None for none.
        strides: one number or (height, width).
        padding: "valid" or "same".

    Returns:
        (batch, out height, out width, out) array.

    Source: `keras.ops.conv`.
    """
    _operands(x, kernel, padding)
    return _with_bias(_conv(x, kernel, strides, padding), kernel, bias)


@reference
def conv2d_backward(upstream, x, kernel, strides: Pair = 1, padding: Padding = "valid"):
    """Gradients of a loss with respect to the arguments of `conv2d`.

    Args:
        upstream: gradient with respect to the output, of its shape.
        x: (batch, height, width, in).
        kernel: (kh, kw, in, out).
        strides: one number or (height, width).
        padding: "valid" or "same".

    Returns:
        (dx, dkernel, dbias): arrays of the shapes of `x`, `kernel` and (out,).

    Source: autodiff of `keras.ops.conv`.
    """
    _operands(x, kernel, padding)
    same_shape(output=_conv(x, kernel, strides, padding), upstream=upstream)

    def loss(x, kernel, bias):
        return ops.sum(upstream * (_conv(x, kernel, strides, padding) + bias))

    return gradient(loss, x, kernel, ops.zeros(kernel.shape[3]))


@reference
def im2col(x, kernel_size: Pair, strides: Pair = 1, padding: Padding = "valid"):
    """Lay every window of images out as a row.

    Args:
        x: (batch, height, width, channels).
        kernel_size: of the window, one number or (height, width).
        strides: one number or (height, width).
        padding: "valid" or "same".

    Returns:
        (batch, out height, out width, kh * kw * channels) array; rows of the window, in them columns, in them channels.

    Source: `keras.ops.image.extract_patches`.
    """
    rank(4, IMAGES, x=x)
    _windows("kernel_size", x, kernel_size, padding)
    return ops.image.extract_patches(x, kernel_size, strides, padding=padding, **LAST)


@reference
def conv2d_gemm(x, kernel, bias=None, strides: Pair = 1, padding: Padding = "valid"):
    """`conv2d`, by whatever way.

    Args:
        x: (batch, height, width, in).
        kernel: (kh, kw, in, out).
        bias: (out,), or None for none.
        strides: one number or (height, width).
        padding: "valid" or "same".

    Returns:
        (batch, out height, out width, out) array.

    Source: `keras.ops.conv`.
    """
    _operands(x, kernel, padding)
    return _with_bias(_conv(x, kernel, strides, padding), kernel, bias)


@reference
def depthwise_conv2d(x, kernel, strides: Pair = 1, padding: Padding = "valid"):
    """Convolve each channel with kernels of its own.

    Args:
        x: (batch, height, width, in).
        kernel: (kh, kw, in, multiplier).
        strides: one number or (height, width).
        padding: "valid" or "same".

    Returns:
        (batch, out height, out width, in * multiplier) array, the results of one channel side by side.

    Source: `keras.ops.depthwise_conv` on padded images at stride 1, then thinned out: TensorFlow's strides are square.
    """
    _operands(x, kernel, padding)
    return _depthwise(x, kernel, strides, padding)


@reference
def pointwise_conv2d(x, kernel):
    """Mix the channels of each pixel, a 1 x 1 convolution.

    Args:
        x: (batch, height, width, in).
        kernel: (in, out).

    Returns:
        (batch, height, width, out) array.

    Source: `keras.ops.conv`.
    """
    rank(4, IMAGES, x=x)
    rank(2, "(in, out)", kernel=kernel)
    size(x.shape[3], 0, "the channels of `x`", kernel=kernel)
    return ops.conv(x, kernel[None, None], **LAST)


@reference
def separable_conv2d(x, depthwise_kernel, pointwise_kernel, strides: Pair = 1, padding: Padding = "valid"):
    """A depthwise convolution, then a pointwise one.

    Args:
        x: (batch, height, width, in).
        depthwise_kernel: (kh, kw, in, multiplier).
        pointwise_kernel: (in * multiplier, out).
        strides: of the depthwise part, one number or (height, width).
        padding: of the depthwise part, "valid" or "same".

    Returns:
        (batch, out height, out width, out) array.

    Source: `keras.ops.depthwise_conv` and `keras.ops.conv`.
    """
    _operands(x, depthwise_kernel, padding, name="depthwise_kernel")
    rank(2, "(in * multiplier, out)", pointwise_kernel=pointwise_kernel)
    channels = depthwise_kernel.shape[2] * depthwise_kernel.shape[3]
    size(channels, 0, "the channels of the depthwise part", pointwise_kernel=pointwise_kernel)
    return ops.conv(_depthwise(x, depthwise_kernel, strides, padding), pointwise_kernel[None, None], **LAST)


@reference
def conv2d_transpose(x, kernel, strides: Pair = 1, padding: Padding = "valid"):
    """The transpose of `conv2d`: each pixel of `x` adds the kernel, times its value, to the output.

    Args:
        x: (batch, height, width, in).
        kernel: (kh, kw, out, in).
        strides: one number or (height, width).
        padding: "valid" or "same".

    Returns:
        (batch, out height, out width, out) array; along an axis of n, `n * s + max(k - s, 0)` valid, `n * s` same.

    Source: `keras.ops.conv_transpose`.
    """
    rank(4, IMAGES, x=x)
    rank(4, "(kh, kw, out, in)", kernel=kernel)
    size(x.shape[3], 3, "the channels of `x`", kernel=kernel)
    return ops.conv_transpose(x, kernel, strides, padding, **LAST)


def _conv(x, kernel, strides, padding):
    return ops.conv(x, kernel, strides, padding, **LAST)


def _with_bias(y, kernel, bias):
    if bias is None:
        return y
    rank(1, "(out,)", bias=bias)
    size(kernel.shape[3], 0, "one for each output of `kernel`", bias=bias)
    return y + bias


def _depthwise(x, kernel, strides, padding):
    padded = _padded(x, kernel.shape[:2], strides, padding)
    return ops.depthwise_conv(padded, kernel, 1, "valid", **LAST)[:, :: strides[0], :: strides[1]]


def _padded(x, kernel_size, strides, padding):
    edges = [(0, 0)] * 4
    if padding == "same":
        edges[1:3] = [_edges(*axis) for axis in zip(x.shape[1:3], kernel_size, strides, strict=True)]
    return ops.pad(x, edges)


def _edges(n, kernel, stride):
    """Where the numbers 1 to n lie in the first window and in the last tells how far both reach over the edge."""
    ramp = ops.reshape(ops.arange(1, n + 1, dtype="float64"), (1, n, 1))
    each_place = ops.reshape(ops.eye(kernel, dtype="float64"), (kernel, 1, kernel))
    windows = ops.convert_to_numpy(ops.conv(ramp, each_place, stride, "same", **LAST))[0]
    first, last = windows[0].tolist(), windows[-1].tolist()
    return first.index(1), kernel - 1 - last.index(n) if n in last else 0


def _operands(x, kernel, padding, name="kernel"):
    rank(4, IMAGES, x=x)
    rank(4, "(kh, kw, in, out or multiplier)", **{name: kernel})
    size(x.shape[3], 2, "the channels of `x`", **{name: kernel})
    _windows(name, x, kernel.shape[:2], padding)


def _windows(name, x, kernel_size, padding):
    if padding == "valid":
        for kernel, n in zip(kernel_size, x.shape[1:3], strict=True):
            _window(name, kernel, n)


def _window(name, kernel, n):
    if kernel > n:
        raise ValueError(
            f"`{name}` makes a window of {kernel}, the padded input has {n}; expected a window that fits into it: "
            "make it smaller, or pad more."
        )
