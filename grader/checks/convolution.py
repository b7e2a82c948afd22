"""Checks of the assignment `convolution`."""

import numpy as np
import pytest

from grader.exercise import assert_close, assert_unchanged, core, exercise, hidden

SINGLE = {"rtol": 1e-5, "atol": 1e-5}
PARTS = ("dx", "dkernel", "dbias")
HALVED = pytest.mark.parametrize("height, width, k", [(5, 6, 3), (6, 5, 2), (7, 4, 4)])
"""At stride 2 under "same": an odd and an even axis, windows of odd and even size."""


def banned(*functions):
    return {function: ["np.convolve"] for function in functions}


def images(rng, *shape):
    """Pixels that differ in sign, size and centre."""
    return 1.5 * rng.normal(size=shape) + 0.3


def quarters(rng, *shape):
    """Small `float32` numbers whose products and sums are exact, in whatever order they are added up."""
    return (rng.integers(-8, 9, size=shape) / 4).astype(np.float32)


def numbered(*shape):
    """Images whose pixels are their own number, so that one sees where each went."""
    return np.arange(1.0, np.prod(shape) + 1).reshape(shape)


def one_weight(kh, kw, u, v):
    """A kernel of one channel with a single 1 at (u, v)."""
    kernel = np.zeros((kh, kw, 1, 1))
    kernel[u, v] = 1
    return kernel


@exercise("output_size", functions=["output_size"], points=1)
class TestOutputSize:
    """How many places a window has."""

    hints = {
        "output_size": [
            "Where does the first window start, and where is the last start from which it still fits?",
            "The last possible start is n + 2p - f. How many whole steps of s reach that far? And the start itself?",
            "`(n + 2 * padding - kernel) // stride + 1`.",
        ]
    }

    @core
    def test_stride_one(self, student, reference, rng):
        """At stride 1 the window has a place for every pixel that it can start at."""
        for kernel in (2, 3, 5):
            n = int(rng.integers(6, 30))
            assert_close(student.output_size(n, kernel), reference.output_size(n, kernel))

    def test_stride(self, student, reference):
        """A step that does not fit is not made: the size is rounded down."""
        for n in range(6, 12):
            for stride in (2, 3, 4):
                assert_close(student.output_size(n, 3, stride), reference.output_size(n, 3, stride))

    def test_padding(self, student, reference, rng):
        """Padding is at both ends."""
        for padding in (1, 2, 3):
            n = int(rng.integers(6, 30))
            assert_close(student.output_size(n, 3, 1, padding), reference.output_size(n, 3, 1, padding))

    def test_one_place(self, student, reference):
        """A window as large as the padded input has one place, at any stride."""
        for n, kernel, padding in [(5, 5, 0), (1, 1, 0), (3, 7, 2)]:
            expected = reference.output_size(n, kernel, 3, padding)
            assert_close(student.output_size(n, kernel, 3, padding), expected)

    @hidden
    def test_layers_of_known_nets(self, student, reference):
        """Holds for the first layers of well-known networks."""
        for n, kernel, stride, padding in [(227, 11, 4, 0), (224, 7, 2, 3), (28, 5, 1, 2), (55, 3, 2, 0)]:
            expected = reference.output_size(n, kernel, stride, padding)
            assert_close(student.output_size(n, kernel, stride, padding), expected)


@exercise("same_padding", functions=["same_padding"], points=1)
class TestSamePadding:
    """How many zeros `"same"` puts where."""

    hints = {
        "same_padding": [
            "Where does the last of the ceil(n / s) windows start, and where does it end?",
            "It ends at (ceil(n / s) - 1) s + f. What it lacks of n is shared, the larger half behind; never fewer than 0.",
            "`total = max((-(-n // stride) - 1) * stride + kernel - n, 0)`, then `total // 2, total - total // 2`.",
        ],
    }

    @core
    def test_ends_at_stride_one(self, student, reference):
        """Gives f - 1 zeros at stride 1, an odd one behind."""
        for n, kernel in [(5, 3), (5, 1), (7, 5), (5, 2), (6, 4)]:
            assert_close(student.same_padding(n, kernel, 1), reference.same_padding(n, kernel, 1))

    def test_ends_at_stride_two(self, student, reference):
        """Gives only what the last window lacks at stride 2, which differs for odd and even n."""
        for n in (5, 6, 7, 8):
            for kernel in (2, 3, 5):
                assert_close(student.same_padding(n, kernel, 2), reference.same_padding(n, kernel, 2))

    def test_ends_of_small_windows(self, student, reference):
        """Gives no zeros where windows smaller than the stride need none, and never fewer."""
        for n, kernel, stride in [(4, 1, 2), (5, 1, 2), (9, 2, 4), (6, 2, 3)]:
            assert_close(student.same_padding(n, kernel, stride), reference.same_padding(n, kernel, stride))


@exercise("pad", functions=["pad"], points=2)
class TestPad:
    """The zeros around an image."""

    hints = {
        "pad": [
            "Which of the four axes get zeros, and which of `kernel_size` and `strides` belongs to which?",
            "Split both into height and width with `pair`; ask `same_padding` for the rows and for the columns.",
            '`np.pad(x, [(0, 0), rows, columns, (0, 0)])`, both pairs (0, 0) for `"valid"`.',
        ],
    }

    @core
    def test_same(self, student, reference, rng):
        """`pad` keeps the size at stride 1: a window of 3 gets a zero on each side."""
        x = images(rng, 2, 4, 5, 2)
        assert_close(student.pad(x, 3, 1, "same"), reference.pad(x, 3, 1, "same"))

    def test_even_window(self, student, reference):
        """`pad` puts the odd row of zeros at the bottom, the odd column at the right."""
        x = numbered(1, 3, 4, 1)
        assert_close(student.pad(x, 2, 1, "same"), reference.pad(x, 2, 1, "same"))

    def test_stride_two(self, student, reference, rng):
        """`pad` at stride 2 gives an even axis fewer zeros than an odd one."""
        x = images(rng, 1, 5, 6, 2)
        assert_close(assert_unchanged(student.pad, x, 3, 2, "same"), reference.pad(x, 3, 2, "same"))

    def test_height_and_width(self, student, reference, rng):
        """`pad` takes the height first, of the window and of the strides."""
        x = images(rng, 1, 5, 5, 1)
        for kernel_size, strides in [((5, 2), (1, 1)), ((3, 3), (1, 2)), ((4, 1), (2, 1))]:
            expected = reference.pad(x, kernel_size, strides, "same")
            assert_close(student.pad(x, kernel_size, strides, "same"), expected)

    def test_valid(self, student, reference, rng):
        """`pad` adds nothing for `"valid"`, and for a window of one pixel."""
        x = images(rng, 2, 3, 4, 2)
        assert_close(student.pad(x, (3, 2), 1, "valid"), reference.pad(x, (3, 2), 1, "valid"))
        assert_close(student.pad(x, 1, 1, "same"), reference.pad(x, 1, 1, "same"))

    @hidden
    def test_large_windows(self, student, reference, rng):
        """`pad` holds for windows larger than the image, in `float32`."""
        x = quarters(rng, 2, 2, 3, 2)
        for strides in (1, (2, 3)):
            assert_close(
                student.pad(x, (5, 6), strides, "same"), reference.pad(x, (5, 6), strides, "same"), **SINGLE
            )


@exercise("conv2d", functions=["conv2d"], points=4, banned=banned("conv2d"))
class TestConv2D:
    """One window, everywhere."""

    hints = {
        "conv2d": [
            "The weight at (u, v) of the window meets which pixels of the padded image? Do they form a slice?",
            "Pad, ask `output_size` for height and width, and for every (u, v) add `slice @ kernel[u, v]`; the bias at last.",
            "`y = y + padded[:, u : u + height * sh : sh, v : v + width * sw : sw] @ kernel[u, v]`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random images and kernels of several channels."""
        x, kernel = images(rng, 2, 5, 6, 3), rng.normal(size=(3, 3, 3, 4))
        assert_close(student.conv2d(x, kernel), reference.conv2d(x, kernel))

    def test_sum_of_the_window(self, student, reference):
        """With weights of 1 each output is the sum of its window."""
        x, kernel = numbered(1, 4, 5, 1), np.ones((2, 3, 1, 1))
        assert_close(student.conv2d(x, kernel), reference.conv2d(x, kernel))

    def test_nothing_is_flipped(self, student, reference):
        """With a single 1 in a corner of the kernel, each output is the pixel in that corner of its window."""
        x = numbered(1, 4, 5, 1)
        for u, v in [(0, 0), (0, 2), (1, 0)]:
            kernel = one_weight(2, 3, u, v)
            assert_close(student.conv2d(x, kernel), reference.conv2d(x, kernel))

    def test_channels(self, student, reference, rng):
        """A window of one pixel mixes the channels, by `kernel[0, 0]` of shape (in, out)."""
        x, kernel = images(rng, 2, 2, 3, 4), rng.normal(size=(1, 1, 4, 4))
        assert_close(student.conv2d(x, kernel), reference.conv2d(x, kernel))

    def test_bias(self, student, reference, rng):
        """With a kernel of zeros only the bias is left, one number for each output channel."""
        x, kernel, bias = images(rng, 2, 3, 4, 2), np.zeros((2, 2, 2, 3)), rng.normal(size=3)
        assert_close(student.conv2d(x, kernel, bias), reference.conv2d(x, kernel, bias))

    def test_bias_and_kernel(self, student, reference, rng):
        """Bias and kernel go together, and no argument changes."""
        x, kernel, bias = images(rng, 2, 4, 3, 2), rng.normal(size=(2, 2, 2, 3)), rng.normal(size=3)
        assert_close(assert_unchanged(student.conv2d, x, kernel, bias), reference.conv2d(x, kernel, bias))

    def test_one_place(self, student, reference, rng):
        """A kernel as large as the image has one place."""
        x, kernel = images(rng, 2, 3, 4, 2), rng.normal(size=(3, 4, 2, 2))
        assert_close(student.conv2d(x, kernel), reference.conv2d(x, kernel))

    def test_strides(self, student, reference, rng):
        """Moves on by the stride, and leaves the last pixels where a step does not fit."""
        kernel = rng.normal(size=(3, 3, 2, 2))
        for height, width in [(7, 7), (6, 8)]:
            x = images(rng, 1, height, width, 2)
            assert_close(student.conv2d(x, kernel, None, 2), reference.conv2d(x, kernel, None, 2))

    def test_two_strides(self, student, reference, rng):
        """A pair of strides is (height, width)."""
        x, kernel = images(rng, 1, 6, 7, 1), rng.normal(size=(2, 3, 1, 2))
        for strides in [(2, 1), (1, 3)]:
            assert_close(
                student.conv2d(x, kernel, strides=strides), reference.conv2d(x, kernel, None, strides)
            )

    def test_same(self, student, reference, rng):
        """`"same"` keeps the size at stride 1, for windows of odd and of even size."""
        x = images(rng, 1, 4, 5, 2)
        for k in (3, 2, 4):
            kernel = rng.normal(size=(k, k, 2, 2))
            expected = reference.conv2d(x, kernel, None, 1, "same")
            assert_close(student.conv2d(x, kernel, padding="same"), expected)

    @HALVED
    def test_same_at_stride_two(self, student, reference, rng, height, width, k):
        """`"same"` at stride 2 halves odd and even axes, each with zeros of its own."""
        x, kernel = images(rng, 1, height, width, 1), rng.normal(size=(k, k, 1, 2))
        expected = reference.conv2d(x, kernel, None, 2, "same")
        assert_close(student.conv2d(x, kernel, None, 2, "same"), expected)

    def test_bytes(self, student, reference, rng):
        """Takes an image of bytes (`uint8`), and gives real numbers."""
        x, kernel = rng.integers(256, size=(1, 4, 4, 1)).astype(np.uint8), rng.normal(size=(2, 2, 1, 2))
        assert_close(student.conv2d(x, kernel), reference.conv2d(x, kernel))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, with everything at once."""
        x, kernel, bias = quarters(rng, 3, 7, 6, 2), quarters(rng, 3, 2, 2, 3), quarters(rng, 3)
        expected = reference.conv2d(x, kernel, bias, (2, 1), "same")
        assert_close(student.conv2d(x, kernel, bias, (2, 1), "same"), expected, **SINGLE)

    @hidden
    def test_small_windows(self, student, reference, rng):
        """Holds where the stride is larger than the window, so that pixels between are not seen."""
        x, kernel = images(rng, 2, 8, 7, 2), rng.normal(size=(2, 1, 2, 3))
        for padding in ("valid", "same"):
            expected = reference.conv2d(x, kernel, None, 3, padding)
            assert_close(student.conv2d(x, kernel, None, 3, padding), expected)


@exercise("conv2d_backward", functions=["conv2d_backward"], points=5, banned=banned("conv2d_backward"))
class TestConv2DBackward:
    """What each pixel and each weight did to the loss."""

    hints = {
        "conv2d_backward": [
            "A weight at (u, v) and a slice of pixels met in the forward pass. What does `upstream` say to each of them?",
            "For every (u, v): add `upstream @ kernel[u, v].T` to the slice of a padded dx, and let `dkernel[u, v]` be the "
            "slice times `upstream`, summed over batch and places. Cut dx to the image; dbias is a sum over three axes.",
            "`dpadded[:, rows, columns] += upstream @ kernel[u, v].T`, "
            "`dkernel[u, v] = met.reshape(-1, channels).T @ upstream.reshape(-1, out)`, `upstream.sum(axis=(0, 1, 2))`.",
        ]
    }

    def agrees(self, student, reference, *args, **tolerance):
        assert_close(student.conv2d_backward(*args), reference.conv2d_backward(*args), PARTS, **tolerance)

    @core
    def test_values(self, student, reference, rng):
        """dx, dkernel and dbias agree with automatic differentiation."""
        x, kernel = images(rng, 2, 4, 5, 2), rng.normal(size=(3, 3, 2, 3))
        self.agrees(student, reference, images(rng, 2, 2, 3, 3), x, kernel)

    def test_dx_and_dbias(self, student, reference, rng):
        """With images of zeros dkernel is zero: dx and dbias are left."""
        x, kernel = np.zeros((2, 4, 4, 1)), rng.normal(size=(2, 3, 1, 2))
        self.agrees(student, reference, images(rng, 2, 3, 2, 2), x, kernel)

    def test_dkernel_and_dbias(self, student, reference, rng):
        """With a kernel of zeros dx is zero: dkernel and dbias are left, sums over the batch and all places."""
        x, kernel = images(rng, 3, 4, 4, 2), np.zeros((3, 2, 2, 1))
        self.agrees(student, reference, images(rng, 3, 2, 3, 1), x, kernel)

    def test_one_place(self, student, reference, rng):
        """Where the loss hears of one place only, dx is the kernel, laid there, and dkernel is what lay under it."""
        x, kernel = numbered(1, 4, 4, 1), rng.normal(size=(2, 2, 1, 1))
        upstream = np.zeros((1, 3, 3, 1))
        upstream[0, 1, 2] = 1
        self.agrees(student, reference, upstream, x, kernel)

    def test_overlaps(self, student, reference):
        """With ones everywhere dx counts the windows that see a pixel: where they overlap, they add up."""
        self.agrees(student, reference, np.ones((1, 3, 3, 1)), np.ones((1, 5, 5, 1)), np.ones((3, 3, 1, 1)))

    def test_channels(self, student, reference, rng):
        """As many channels in as out do not hide a missing transpose."""
        x, kernel = images(rng, 2, 3, 3, 3), rng.normal(size=(2, 2, 3, 3))
        self.agrees(student, reference, images(rng, 2, 2, 2, 3), x, kernel)

    def test_strides(self, student, reference, rng):
        """At stride 2 pixels that no window saw have a gradient of zero."""
        x, kernel = images(rng, 1, 5, 6, 2), rng.normal(size=(3, 3, 2, 2))
        self.agrees(student, reference, images(rng, 1, 2, 2, 2), x, kernel, 2)

    def test_two_strides(self, student, reference, rng):
        """A pair of strides is (height, width)."""
        x, kernel = images(rng, 1, 6, 6, 1), rng.normal(size=(2, 3, 1, 2))
        self.agrees(student, reference, images(rng, 1, 3, 4, 2), x, kernel, (2, 1))

    def test_same(self, student, reference, rng):
        """Under `"same"` the gradients of the added zeros are cut off, of windows of odd and of even size."""
        x = images(rng, 1, 4, 3, 2)
        for k in (3, 2, 4):
            kernel = rng.normal(size=(k, k, 2, 2))
            self.agrees(student, reference, images(rng, 1, 4, 3, 2), x, kernel, 1, "same")

    @HALVED
    def test_same_at_stride_two(self, student, reference, rng, height, width, k):
        """`"same"` at stride 2 cuts off what was added, for odd and for even axes."""
        x, kernel = images(rng, 1, height, width, 1), rng.normal(size=(k, k, 1, 2))
        upstream = images(rng, 1, (height + 1) // 2, (width + 1) // 2, 2)
        self.agrees(student, reference, upstream, x, kernel, 2, "same")

    def test_slopes(self, student, reference, rng):
        """Along a random direction each gradient foretells how much the loss changes, by differences of `conv2d`."""
        parts = [images(rng, 2, 4, 3, 2), rng.normal(size=(2, 2, 2, 2)), np.zeros(2)]
        upstream = images(rng, 2, 2, 2, 2)
        steps = [rng.normal(size=part.shape) for part in parts]
        slopes = []
        for place, step in enumerate(steps):
            ahead, behind = list(parts), list(parts)
            ahead[place], behind[place] = parts[place] + step, parts[place] - step
            change = reference.conv2d(*ahead, 2, "same") - reference.conv2d(*behind, 2, "same")
            slopes.append(np.sum(upstream * change) / 2)  # exact at any length: the loss is linear in each
        gradients = assert_unchanged(student.conv2d_backward, upstream, parts[0], parts[1], 2, "same")
        foretold = tuple(np.sum(gradient * step) for gradient, step in zip(gradients, steps, strict=True))
        assert_close(
            foretold, tuple(slopes), ("dx along a step", "dkernel along a step", "dbias along a step")
        )

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, with everything at once."""
        operands = quarters(rng, 3, 4, 5, 3), quarters(rng, 3, 7, 5, 2), quarters(rng, 3, 2, 2, 3)
        self.agrees(student, reference, *operands, (2, 1), "same", **SINGLE)

    @hidden
    def test_small_windows(self, student, reference, rng):
        """Holds where the stride is larger than the window, and for a window as large as the image."""
        x = images(rng, 2, 7, 5, 1)
        self.agrees(student, reference, images(rng, 2, 3, 2, 2), x, rng.normal(size=(1, 2, 1, 2)), 3, "same")
        self.agrees(student, reference, images(rng, 2, 1, 1, 2), x, rng.normal(size=(7, 5, 1, 2)))


@exercise("im2col", functions=["im2col", "conv2d_gemm"], points=4, banned=banned("im2col", "conv2d_gemm"))
class TestIm2Col:
    """Windows as rows, convolution as one product."""

    hints = {
        "im2col": [
            "Which slices did `conv2d` multiply? In which order must they stand side by side?",
            "Collect the slices of all (u, v), rows of the window outside, columns inside; join them along the last axis.",
            "`np.concatenate([padded[:, u : u + height * sh : sh, v : v + width * sw : sw] for u in range(kh) for v in "
            "range(kw)], axis=-1)`.",
        ],
        "conv2d_gemm": [
            "A row of `im2col` has kh * kw * in numbers. Which shape must the kernel have to be multiplied from the right?",
            "`kernel.reshape(-1, out)` has the weights in the order of the rows: no transpose is needed. Then the bias.",
            "`im2col(x, kernel.shape[:2], strides, padding) @ kernel.reshape(-1, kernel.shape[3])`, plus the bias if any.",
        ],
    }

    @core
    def test_rows(self, student, reference):
        """`im2col` lays each window out, its rows one after the other."""
        x = numbered(1, 3, 4, 1)
        assert_close(student.im2col(x, (2, 3)), reference.im2col(x, (2, 3)))

    def test_channels(self, student, reference, rng):
        """`im2col` keeps the channels of a pixel side by side."""
        for x in (numbered(1, 3, 3, 2), images(rng, 2, 4, 5, 3)):
            assert_close(student.im2col(x, 2), reference.im2col(x, 2))

    def test_strides(self, student, reference, rng):
        """`im2col` follows the strides, (height, width), and leaves the image as it was."""
        x = images(rng, 2, 6, 7, 2)
        for strides in (2, (1, 3)):
            assert_close(
                assert_unchanged(student.im2col, x, (3, 2), strides), reference.im2col(x, (3, 2), strides)
            )

    @HALVED
    def test_same(self, student, reference, height, width, k):
        """`im2col` shows the added zeros, at stride 1 and at stride 2."""
        x = numbered(1, height, width, 1)
        for strides in (1, 2):
            expected = reference.im2col(x, k, strides, "same")
            assert_close(student.im2col(x, k, strides, "same"), expected)

    def test_product(self, student, reference, rng):
        """`conv2d_gemm` agrees with Keras' convolution."""
        x, kernel = images(rng, 2, 5, 4, 3), rng.normal(size=(3, 2, 3, 4))
        assert_close(assert_unchanged(student.conv2d_gemm, x, kernel), reference.conv2d_gemm(x, kernel))

    def test_product_and_bias(self, student, reference, rng):
        """`conv2d_gemm` adds the bias."""
        x, kernel, bias = images(rng, 1, 3, 4, 2), rng.normal(size=(2, 2, 2, 3)), rng.normal(size=3)
        assert_close(student.conv2d_gemm(x, kernel, bias), reference.conv2d_gemm(x, kernel, bias))

    def test_product_with_strides(self, student, reference, rng):
        """`conv2d_gemm` follows `strides` and `padding`."""
        x, kernel = images(rng, 1, 6, 5, 2), rng.normal(size=(3, 3, 2, 2))
        for strides, padding in [(2, "valid"), ((1, 2), "same"), (2, "same")]:
            expected = reference.conv2d_gemm(x, kernel, None, strides, padding)
            assert_close(student.conv2d_gemm(x, kernel, None, strides, padding), expected)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """`conv2d_gemm` takes `float32`, with everything at once."""
        x, kernel, bias = quarters(rng, 3, 5, 8, 3), quarters(rng, 2, 4, 3, 2), quarters(rng, 2)
        expected = reference.conv2d_gemm(x, kernel, bias, (1, 2), "same")
        assert_close(student.conv2d_gemm(x, kernel, bias, (1, 2), "same"), expected, **SINGLE)

    @hidden
    def test_one_place(self, student, reference, rng):
        """`im2col` of a window as large as the image is the image, as one row."""
        x = images(rng, 2, 3, 4, 2)
        assert_close(student.im2col(x, (3, 4)), reference.im2col(x, (3, 4)))


@exercise(
    "separable_conv2d",
    functions=["depthwise_conv2d", "pointwise_conv2d", "separable_conv2d"],
    points=4,
    banned=banned("depthwise_conv2d", "pointwise_conv2d", "separable_conv2d"),
)
class TestSeparableConv2D:
    """First look around, then mix."""

    hints = {
        "depthwise_conv2d": [
            "The sum runs over the window only. What must happen to the channels, which a matrix product would add up?",
            "Give the slice of (u, v) a last axis, multiply by `kernel[u, v]` of shape (in, multiplier), add up over (u, v); "
            "at last join the two axes.",
            "`y = y + met[..., np.newaxis] * kernel[u, v]`, then `y.reshape(*y.shape[:3], -1)`.",
        ],
        "pointwise_conv2d": [
            "Each pixel is a vector of `in` numbers, and should become one of `out`. Which operation does that?",
            "A matrix product over the last axis: NumPy's `@` does so for all pixels at once.",
            "`x @ kernel`.",
        ],
        "separable_conv2d": [
            "You have both parts. Which comes first, and to which do the strides belong?",
            "Depthwise with strides and padding; pointwise on the result, without either.",
            "`pointwise_conv2d(depthwise_conv2d(x, depthwise_kernel, strides, padding), pointwise_kernel)`.",
        ],
    }

    @core
    def test_depthwise(self, student, reference, rng):
        """`depthwise_conv2d` agrees with Keras, with one window a channel."""
        x, kernel = images(rng, 2, 4, 5, 3), rng.normal(size=(3, 2, 3, 1))
        assert_close(
            assert_unchanged(student.depthwise_conv2d, x, kernel), reference.depthwise_conv2d(x, kernel)
        )

    def test_channels_stay_apart(self, student, reference, rng):
        """In `depthwise_conv2d` a channel that is zero stays zero: nothing is mixed."""
        x, kernel = images(rng, 1, 4, 4, 3), rng.normal(size=(2, 2, 3, 1))
        x[..., [0, 2]] = 0
        assert_close(student.depthwise_conv2d(x, kernel), reference.depthwise_conv2d(x, kernel))

    def test_multiplier(self, student, reference, rng):
        """`depthwise_conv2d` puts the results of one channel side by side."""
        x = images(rng, 2, 3, 4, 2)
        for multiplier in (2, 3):
            kernel = rng.normal(size=(2, 2, 2, multiplier))
            assert_close(student.depthwise_conv2d(x, kernel), reference.depthwise_conv2d(x, kernel))

    @HALVED
    def test_depthwise_strides(self, student, reference, rng, height, width, k):
        """`depthwise_conv2d` follows `strides` and `padding`, of odd and even axes and windows."""
        x, kernel = images(rng, 1, height, width, 2), rng.normal(size=(k, k, 2, 1))
        for strides, padding in [((1, 2), "valid"), (1, "same"), (2, "same")]:
            expected = reference.depthwise_conv2d(x, kernel, strides, padding)
            assert_close(student.depthwise_conv2d(x, kernel, strides, padding), expected)

    def test_pointwise(self, student, reference, rng):
        """`pointwise_conv2d` agrees with Keras' convolution with a window of one pixel."""
        x, kernel = images(rng, 2, 3, 4, 3), rng.normal(size=(3, 5))
        assert_close(
            assert_unchanged(student.pointwise_conv2d, x, kernel), reference.pointwise_conv2d(x, kernel)
        )

    def test_pointwise_of_as_many(self, student, reference, rng):
        """`pointwise_conv2d` from three channels to three: the rows of the kernel are what comes in."""
        x, kernel = images(rng, 1, 2, 3, 3), rng.normal(size=(3, 3))
        assert_close(student.pointwise_conv2d(x, kernel), reference.pointwise_conv2d(x, kernel))

    def test_separable(self, student, reference, rng):
        """`separable_conv2d` looks around, then mixes, with a multiplier of 1 and of 2."""
        x = images(rng, 2, 4, 5, 2)
        for multiplier in (1, 2):
            around, mixing = rng.normal(size=(3, 2, 2, multiplier)), rng.normal(size=(2 * multiplier, 3))
            assert_close(
                assert_unchanged(student.separable_conv2d, x, around, mixing),
                reference.separable_conv2d(x, around, mixing),
            )

    def test_separable_strides(self, student, reference, rng):
        """`separable_conv2d` follows `strides` and `padding`, once."""
        x, around, mixing = images(rng, 1, 7, 6, 2), rng.normal(size=(3, 3, 2, 1)), rng.normal(size=(2, 3))
        for strides, padding in [(2, "valid"), (1, "same"), ((2, 1), "same"), (2, "same")]:
            expected = reference.separable_conv2d(x, around, mixing, strides, padding)
            assert_close(student.separable_conv2d(x, around, mixing, strides, padding), expected)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """`separable_conv2d` takes `float32`, with everything at once."""
        x, around, mixing = quarters(rng, 3, 5, 6, 3), quarters(rng, 2, 3, 3, 2), quarters(rng, 6, 4)
        expected = reference.separable_conv2d(x, around, mixing, (1, 2), "same")
        assert_close(student.separable_conv2d(x, around, mixing, (1, 2), "same"), expected, **SINGLE)


@exercise("conv2d_transpose", functions=["conv2d_transpose"], points=4, banned=banned("conv2d_transpose"))
class TestConv2DTranspose:
    """Each pixel paints a kernel."""

    hints = {
        "conv2d_transpose": [
            "How did dx come from `upstream`? Which axes of the kernel have changed places here?",
            "Zeros of the valid size; for every (u, v) add `x @ kernel[u, v].T` to the slice that starts there and steps by "
            'the stride. For `"same"` cut max(k - s, 0) off, the smaller half before.',
            "`y[:, u : u + height * sh : sh, v : v + width * sw : sw] += x @ kernel[u, v].T`, then "
            "`y[:, top : top + height * sh, left : left + width * sw]` with `top = max(kh - sh, 0) // 2`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras at stride 1, with kernels of shape (kh, kw, out, in)."""
        x, kernel = images(rng, 2, 3, 4, 3), rng.normal(size=(3, 2, 2, 3))
        assert_close(student.conv2d_transpose(x, kernel), reference.conv2d_transpose(x, kernel))

    def test_one_pixel(self, student, reference):
        """One pixel paints the kernel, as it is, times its value."""
        x, kernel = np.full((1, 1, 1, 1), 2.0), numbered(2, 3, 1, 1)
        for strides in (1, 2):
            expected = reference.conv2d_transpose(x, kernel, strides)
            assert_close(student.conv2d_transpose(x, kernel, strides), expected)

    def test_channels(self, student, reference, rng):
        """As many channels in as out do not hide that the kernel's are (out, in)."""
        x, kernel = images(rng, 1, 2, 2, 3), rng.normal(size=(1, 1, 3, 3))
        assert_close(student.conv2d_transpose(x, kernel), reference.conv2d_transpose(x, kernel))

    def test_overlaps(self, student, reference):
        """With ones everywhere each output counts the kernels that reach it: where they overlap, they add up."""
        x, kernel = np.ones((1, 3, 3, 1)), np.ones((3, 3, 1, 1))
        for strides in (1, 2):
            expected = reference.conv2d_transpose(x, kernel, strides)
            assert_close(student.conv2d_transpose(x, kernel, strides), expected)

    def test_strides(self, student, reference, rng):
        """Kernels lie a stride apart, and a pair of strides is (height, width)."""
        x, kernel = images(rng, 2, 3, 2, 2), rng.normal(size=(3, 4, 1, 2))
        for strides in (2, (1, 3), (2, 1)):
            expected = reference.conv2d_transpose(x, kernel, strides)
            assert_close(assert_unchanged(student.conv2d_transpose, x, kernel, strides), expected)

    def test_gaps(self, student, reference, rng):
        """A kernel smaller than the stride leaves gaps of zeros, one behind the last kernel too."""
        x, kernel = images(rng, 1, 2, 3, 1), rng.normal(size=(1, 2, 2, 1))
        for padding in ("valid", "same"):
            expected = reference.conv2d_transpose(x, kernel, 3, padding)
            assert_close(student.conv2d_transpose(x, kernel, 3, padding), expected)

    def test_same(self, student, reference, rng):
        """`"same"` at stride 1 keeps the size, for kernels of odd and of even size."""
        x = images(rng, 1, 3, 4, 1)
        for k in (3, 2, 4):
            kernel = rng.normal(size=(k, k, 2, 1))
            expected = reference.conv2d_transpose(x, kernel, 1, "same")
            assert_close(student.conv2d_transpose(x, kernel, 1, "same"), expected)

    def test_same_at_stride_two(self, student, reference):
        """`"same"` at stride 2 doubles the size: an odd row or column too many is cut off at the bottom or right."""
        x = numbered(1, 2, 3, 1)
        for k in (2, 3, 4, 5):
            kernel = numbered(k, k, 1, 1)
            expected = reference.conv2d_transpose(x, kernel, 2, "same")
            assert_close(student.conv2d_transpose(x, kernel, 2, "same"), expected)

    def test_transpose(self, student, reference, rng):
        """Is the transpose of `conv2d`: the sums of conv2d(y) * x and of y * conv2d_transpose(x) are equal."""
        x, kernel, y = images(rng, 2, 3, 2, 3), rng.normal(size=(3, 3, 2, 3)), images(rng, 2, 6, 4, 2)
        expected = np.sum(reference.conv2d(y, kernel, None, 2, "same") * x)
        assert_close(np.sum(y * student.conv2d_transpose(x, kernel, 2, "same")), expected)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, with everything at once."""
        x, kernel = quarters(rng, 3, 4, 3, 2), quarters(rng, 4, 3, 3, 2)
        expected = reference.conv2d_transpose(x, kernel, (3, 2), "same")
        assert_close(student.conv2d_transpose(x, kernel, (3, 2), "same"), expected, **SINGLE)
