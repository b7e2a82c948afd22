"""Checks of the assignment `pooling`."""

import numpy as np
import pytest

from grader.exercise import assert_close, assert_unchanged, core, exercise, hidden

SINGLE = {"rtol": 1e-5, "atol": 1e-6}


def distinct(rng, *shape):
    """Numbers without ties, half of them negative."""
    count = np.prod(shape)
    return (rng.permutation(count) - count / 2 + 0.5).reshape(shape)


def few(rng, *shape):
    """Numbers with many ties."""
    return rng.integers(-1, 2, size=shape).astype(float)


def upstream_for(rng, pool, x, **how):
    """A gradient with respect to what `pool` gives."""
    return rng.normal(size=pool(x, **how).shape)


def nudged(pool, upstream, x, **how):
    """The gradient for one image of distinct values, by moving each of its pixels a little up and down."""
    nudges = 0.25 * np.eye(x.size).reshape(-1, *x.shape[1:])
    change = pool(x + nudges, **how) - pool(x - nudges, **how)
    return (upstream * change).sum(axis=(1, 2, 3)).reshape(x.shape) / 0.5


@exercise("placement", functions=["placement"], points=2)
class TestPlacement:
    """Where the windows lie along one axis."""

    hints = {
        "placement": [
            "The last window must begin early enough to end inside. At which pixel can it begin at the latest?",
            "Valid: `(n - size) // stride + 1` windows, no padding. Same: n / stride of them, rounded up; the last begins at "
            "`(count - 1) * stride` and ends `size` later. How far outside is that? Half of it goes before, and the odd one?",
            "`count = -(-n // stride)`, `total = max((count - 1) * stride + size - n, 0)`, and `total // 2` before, the rest after.",
        ]
    }

    @core
    def test_valid(self, student, reference, rng):
        """Without padding, every window that fits counts, and a rest at the end is left over."""
        for _ in range(6):
            size, stride = (int(number) for number in rng.integers(2, 5, size=2))
            n = int(rng.integers(size, 30))
            assert_close(
                student.placement(n, size, stride, "valid"), reference.placement(n, size, stride, "valid")
            )

    def test_the_window_fills_the_axis(self, student, reference):
        """A window as large as the axis lies there once, at any stride."""
        for stride in (1, 5, 9):
            assert_close(student.placement(5, 5, stride, "valid"), reference.placement(5, 5, stride, "valid"))

    @pytest.mark.parametrize("size", [2, 3, 5])
    def test_same_at_stride_1(self, student, reference, size):
        """Same padding keeps the size at stride 1."""
        assert_close(student.placement(7, size, 1, "same"), reference.placement(7, size, 1, "same"))

    @pytest.mark.parametrize("n, size, stride", [(6, 2, 2), (5, 2, 2), (6, 3, 2), (7, 3, 2), (11, 4, 3)])
    def test_same_at_larger_strides(self, student, reference, n, size, stride):
        """Same padding gives n / stride windows, rounded up, and no more padding than they need."""
        assert_close(student.placement(n, size, stride, "same"), reference.placement(n, size, stride, "same"))

    def test_the_odd_pixel(self, student, reference):
        """An odd pixel of padding goes to the end."""
        for n, size, stride in [(5, 2, 2), (8, 3, 2), (9, 4, 1)]:
            assert_close(
                student.placement(n, size, stride, "same"), reference.placement(n, size, stride, "same")
            )

    def test_nothing_to_pad(self, student, reference):
        """Padding is never negative, also where strides jump over pixels."""
        for n, size, stride in [(5, 1, 3), (8, 2, 4), (9, 2, 5)]:
            assert_close(
                student.placement(n, size, stride, "same"), reference.placement(n, size, stride, "same")
            )

    @hidden
    def test_same(self, student, reference, rng):
        """Same padding holds for many sizes, windows larger than the axis among them."""
        for _ in range(12):
            n, size, stride = (int(number) for number in rng.integers(1, 8, size=3))
            assert_close(
                student.placement(n, size, stride, "same"), reference.placement(n, size, stride, "same")
            )


@exercise("windows", functions=["windows"], points=3)
class TestWindows:
    """The pixels of every window, side by side."""

    hints = {
        "windows": [
            "Which pixels of the image are the top left ones of all windows? Can one slice name them all?",
            "Pad first, by what `placement` says for each of the two axes. Pixel (i, j) of every window is one slice with a step: it begins at row i "
            "and goes on in strides. Stack these slices, row by row.",
            "`np.stack([padded[:, i : i + rows * sh : sh, j : j + columns * sw : sw] for i in range(kh) for j in range(kw)], axis=3)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random images, in windows of 2 by 2 side by side."""
        x = distinct(rng, 2, 4, 6, 3)
        assert_close(student.windows(x), reference.windows(x))

    def test_order(self, student, reference):
        """A window's pixels come row by row, and the windows too."""
        x = np.arange(54.0).reshape(1, 6, 9, 1)
        assert_close(student.windows(x, pool_size=3), reference.windows(x, pool_size=3))

    @pytest.mark.parametrize("pool_size", [(1, 3), (3, 2), (5, 1)])
    def test_pairs(self, student, reference, rng, pool_size):
        """`pool_size` may be a pair, (height, width), and is the stride where no other is given."""
        x = distinct(rng, 2, 6, 7, 2)
        assert_close(student.windows(x, pool_size=pool_size), reference.windows(x, pool_size=pool_size))

    @pytest.mark.parametrize("strides", [1, 2, (1, 3), (4, 2)])
    def test_strides(self, student, reference, rng, strides):
        """`strides` may be smaller than the window, which overlaps then, or larger, and a pair."""
        x = distinct(rng, 1, 8, 7, 2)
        expected = reference.windows(x, pool_size=3, strides=strides)
        assert_close(assert_unchanged(student.windows, x, pool_size=3, strides=strides), expected)

    def test_a_rest_is_left_over(self, student, reference, rng):
        """Rows and columns at the end which fill no window are left over."""
        x = distinct(rng, 1, 5, 7, 2)
        assert_close(student.windows(x), reference.windows(x))

    @pytest.mark.parametrize("height, width", [(5, 5), (5, 8), (7, 4)])
    def test_same(self, student, reference, rng, height, width):
        """Same padding puts zeros around, the odd row and column at the bottom right."""
        x = distinct(rng, 2, height, width, 2)
        for how in ({"pool_size": 2}, {"pool_size": 3, "strides": 2}, {"pool_size": (4, 3), "strides": 1}):
            assert_close(
                student.windows(x, padding="same", **how), reference.windows(x, padding="same", **how)
            )

    def test_fill(self, student, reference, rng):
        """`fill` is what stands outside, be it minus infinity."""
        x = distinct(rng, 1, 3, 5, 2)
        for fill in (7.5, -np.inf):
            expected = reference.windows(x, 2, padding="same", fill=fill)
            assert_close(student.windows(x, 2, padding="same", fill=fill), expected)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, and a window larger than the image where padding makes it fit."""
        x = distinct(rng, 2, 2, 3, 3).astype(np.float32)
        expected = reference.windows(x, (3, 5), (2, 1), "same", fill=-1.0)
        assert_close(student.windows(x, (3, 5), (2, 1), "same", fill=-1.0), expected, **SINGLE)


@exercise("windows_backward", functions=["windows_backward"], points=3)
class TestWindowsBackward:
    """From the windows back to the pixels."""

    hints = {
        "windows_backward": [
            "A pixel that stands in three windows: what does it get from them?",
            "Begin with zeros of the *padded* image. To each slice that `windows` took out, add what came back for it. At last cut the padding off.",
            "`padded[:, i : i + rows * sh : sh, j : j + columns * sw : sw] += upstream[:, :, :, i * kw + j]` for every i and j, then "
            "`padded[:, top : top + height, left : left + width]`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with automatic differentiation for windows side by side."""
        x = distinct(rng, 2, 4, 6, 3)
        upstream = upstream_for(rng, reference.windows, x)
        assert_close(student.windows_backward(upstream, x), reference.windows_backward(upstream, x))

    def test_each_pixel_counts_its_windows(self, student, reference):
        """With an upstream of ones, each pixel gets the number of windows that it stands in."""
        x = np.zeros((1, 5, 6, 1))
        upstream = np.ones((1, 4, 5, 4, 1))
        expected = reference.windows_backward(upstream, x, pool_size=2, strides=1)
        assert_close(student.windows_backward(upstream, x, pool_size=2, strides=1), expected)

    @pytest.mark.parametrize("strides", [1, 2, (1, 3), (4, 2)])
    def test_strides(self, student, reference, rng, strides):
        """Where windows overlap, what comes back adds up; pixels in no window get 0."""
        x = distinct(rng, 2, 8, 7, 2)
        how = {"pool_size": (3, 2), "strides": strides}
        upstream = upstream_for(rng, reference.windows, x, **how)
        value = assert_unchanged(student.windows_backward, upstream, x, **how)
        assert_close(value, reference.windows_backward(upstream, x, **how))

    @pytest.mark.parametrize("height, width", [(5, 5), (5, 8), (7, 4)])
    def test_same(self, student, reference, rng, height, width):
        """What goes to the padding is dropped, and the rest goes to the right pixel."""
        x = distinct(rng, 1, height, width, 2)
        for how in ({"pool_size": 2}, {"pool_size": 3, "strides": 2}, {"pool_size": (4, 3), "strides": 1}):
            upstream = upstream_for(rng, reference.windows, x, padding="same", **how)
            expected = reference.windows_backward(upstream, x, padding="same", **how)
            assert_close(student.windows_backward(upstream, x, padding="same", **how), expected)

    def test_numerically(self, student, reference, rng):
        """Agrees with what the windows do when each pixel is moved a little."""
        x, how = distinct(rng, 1, 4, 5, 1), {"pool_size": (2, 3), "strides": 1, "padding": "same"}
        upstream = upstream_for(rng, reference.windows, x, **how)
        flat = upstream.reshape(1, *upstream.shape[1:3], -1)

        def pool(images, **how):
            return reference.windows(images, **how).reshape(-1, *flat.shape[1:])

        assert_close(student.windows_backward(upstream, x, **how), nudged(pool, flat, x, **how))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, and images with a rest that fills no window."""
        x = distinct(rng, 3, 6, 5, 2).astype(np.float32)
        how = {"pool_size": (4, 2), "strides": (1, 2)}
        upstream = upstream_for(rng, reference.windows, x, **how).astype(np.float32)
        expected = reference.windows_backward(upstream, x, **how)
        assert_close(student.windows_backward(upstream, x, **how), expected, **SINGLE)


class Pooling:
    """What is asked of max and of average pooling alike."""

    function = ""

    def agrees(self, student, reference, x, **how):
        value = assert_unchanged(getattr(student, self.function), x, **how)
        assert_close(value, getattr(reference, self.function)(x, **how))

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random images, in windows of 2 by 2 side by side."""
        x = distinct(rng, 2, 4, 6, 3)
        assert_close(getattr(student, self.function)(x), getattr(reference, self.function)(x))

    @pytest.mark.parametrize("pool_size", [3, (1, 3), (3, 2), (6, 7)])
    def test_pool_size(self, student, reference, rng, pool_size):
        """`pool_size` may be a pair, (height, width), and is the stride where no other is given."""
        self.agrees(student, reference, distinct(rng, 2, 6, 7, 2), pool_size=pool_size)

    @pytest.mark.parametrize("strides", [1, 2, (1, 3), (4, 2)])
    def test_strides(self, student, reference, rng, strides):
        """`strides` may be smaller than the window, which overlaps then, or larger, and a pair."""
        self.agrees(student, reference, distinct(rng, 1, 8, 7, 2), pool_size=(3, 2), strides=strides)

    def test_a_rest_is_left_over(self, student, reference, rng):
        """Rows and columns at the end which fill no window are left over."""
        self.agrees(student, reference, distinct(rng, 1, 5, 7, 2))

    @pytest.mark.parametrize("height, width", [(4, 4), (5, 5), (5, 8), (7, 4)])
    def test_same(self, student, reference, rng, height, width):
        """Same padding holds for even and odd sizes; the odd row and column of it are at the bottom right."""
        x = distinct(rng, 2, height, width, 2)
        for how in ({"pool_size": 2}, {"pool_size": 3, "strides": 2}, {"pool_size": (4, 3), "strides": 1}):
            self.agrees(student, reference, x, padding="same", **how)

    @hidden
    def test_a_large_window(self, student, reference, rng):
        """Same padding makes a window larger than the image fit."""
        self.agrees(student, reference, distinct(rng, 2, 2, 3, 2), pool_size=(5, 4), padding="same")

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`."""
        x = rng.normal(size=(3, 7, 6, 4)).astype(np.float32)
        how = {"pool_size": (3, 2), "strides": (2, 1), "padding": "same"}
        expected = getattr(reference, self.function)(x, **how)
        assert_close(getattr(student, self.function)(x, **how), expected, **SINGLE)


class PoolingBackward:
    """What is asked of the gradients of both alike."""

    function = ""

    def agrees(self, student, reference, upstream, x, **how):
        backward = f"{self.function}_backward"
        value = assert_unchanged(getattr(student, backward), upstream, x, **how)
        assert_close(value, getattr(reference, backward)(upstream, x, **how))

    def agrees_at(self, student, reference, rng, x, **how):
        upstream = upstream_for(rng, getattr(reference, self.function), x, **how)
        self.agrees(student, reference, upstream, x, **how)

    @core
    def test_values(self, student, reference, rng):
        """Agrees with automatic differentiation for windows of 2 by 2 side by side."""
        self.agrees_at(student, reference, rng, distinct(rng, 2, 4, 6, 3))

    def test_upstream_of_ones(self, student, reference, rng):
        """With an upstream of ones, each window hands out exactly 1."""
        x = distinct(rng, 1, 4, 6, 2)
        self.agrees(student, reference, np.ones((1, 2, 3, 2)), x)

    @pytest.mark.parametrize("pool_size", [3, (1, 3), (3, 2), (6, 7)])
    def test_pool_size(self, student, reference, rng, pool_size):
        """`pool_size` may be a pair, (height, width), and is the stride where no other is given."""
        self.agrees_at(student, reference, rng, distinct(rng, 2, 6, 7, 2), pool_size=pool_size)

    @pytest.mark.parametrize("strides", [1, 2, (1, 2)])
    def test_overlap(self, student, reference, rng, strides):
        """Where windows overlap, a pixel gets the sum of what they give it."""
        self.agrees_at(student, reference, rng, distinct(rng, 1, 6, 7, 2), pool_size=3, strides=strides)

    def test_pixels_in_no_window(self, student, reference, rng):
        """Pixels in no window get 0, between windows as at the end."""
        x = distinct(rng, 1, 8, 7, 2)
        self.agrees_at(student, reference, rng, x, pool_size=(3, 2), strides=(4, 3))

    @pytest.mark.parametrize("height, width", [(5, 5), (5, 8), (7, 4)])
    def test_same(self, student, reference, rng, height, width):
        """Same padding holds for odd sizes; the odd row and column of it are at the bottom right."""
        x = distinct(rng, 1, height, width, 2)
        for how in ({"pool_size": 2}, {"pool_size": 3, "strides": 2}, {"pool_size": (4, 3), "strides": 1}):
            self.agrees_at(student, reference, rng, x, padding="same", **how)

    def test_numerically(self, student, reference, rng):
        """Agrees with what the pooled values do when each pixel is moved a little."""
        pool, x = getattr(reference, self.function), distinct(rng, 1, 5, 4, 1)
        how = {"pool_size": (2, 3), "strides": 1, "padding": "same"}
        upstream = upstream_for(rng, pool, x, **how)
        value = getattr(student, f"{self.function}_backward")(upstream, x, **how)
        assert_close(value, nudged(pool, upstream, x, **how))

    @hidden
    def test_a_large_window(self, student, reference, rng):
        """Same padding makes a window larger than the image fit."""
        self.agrees_at(student, reference, rng, distinct(rng, 2, 2, 3, 2), pool_size=(5, 4), padding="same")

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`."""
        x = distinct(rng, 3, 7, 6, 2).astype(np.float32)
        how = {"pool_size": (3, 2), "strides": (2, 1), "padding": "same"}
        upstream = upstream_for(rng, getattr(reference, self.function), x, **how).astype(np.float32)
        expected = getattr(reference, f"{self.function}_backward")(upstream, x, **how)
        value = getattr(student, f"{self.function}_backward")(upstream, x, **how)
        assert_close(value, expected, **SINGLE)


@exercise("max_pool2d", functions=["max_pool2d"], points=3)
class TestMaxPooling(Pooling):
    """The largest value of every window."""

    function = "max_pool2d"
    hints = {
        "max_pool2d": [
            "All pixels of a window are -3 and it hangs over the edge. What should come out, and which `fill` lets it?",
            "Take your `windows` with a fill that loses against every number, and the maximum along the axis of a window's pixels.",
            "`windows(x, pool_size, strides, padding, fill=-np.inf).max(axis=3)`.",
        ]
    }

    def test_padding_never_wins(self, student, reference, rng):
        """Where every pixel is negative, padding must not be the largest."""
        x = -1 - rng.uniform(size=(2, 5, 3, 2))
        for how in ({"pool_size": 2}, {"pool_size": 3, "strides": 1}):
            self.agrees(student, reference, x, padding="same", **how)

    def test_channels_apart(self, student, reference, rng):
        """Each image and each channel has its own maxima."""
        x = distinct(rng, 3, 4, 4, 1) + 100.0 * np.arange(3)
        self.agrees(student, reference, x)


@exercise("max_pool2d_backward", functions=["max_pool2d_backward"], points=4)
class TestMaxPoolingBackward(PoolingBackward):
    """The gradient goes to the winner."""

    function = "max_pool2d"
    hints = {
        "max_pool2d_backward": [
            "Make the largest pixel of a window a little larger: what does the output do? And any other pixel?",
            "`argmax` along the axis of a window's pixels gives the winners, and of equal ones the first. Write upstream there into an array of zeros of "
            "the windows' shape; `windows_backward` does the rest.",
            "`np.put_along_axis(share, winner[:, :, :, np.newaxis], upstream[:, :, :, np.newaxis], axis=3)`, then "
            "`windows_backward(share, x, pool_size, strides, padding)`.",
        ]
    }

    def test_ties(self, student, reference, rng):
        """Of equal maxima the first, row by row, takes everything."""
        self.agrees_at(student, reference, rng, np.ones((1, 4, 6, 1)))
        self.agrees_at(student, reference, rng, few(rng, 2, 6, 6, 2), pool_size=3, strides=2)

    def test_padding_never_wins(self, student, reference, rng):
        """Where every pixel is negative, padding takes no gradient away."""
        x = distinct(rng, 2, 5, 3, 2) - 100
        for how in ({"pool_size": 2}, {"pool_size": 3, "strides": 1}):
            self.agrees_at(student, reference, rng, x, padding="same", **how)


@exercise("average_pool2d", functions=["average_pool2d"], points=3)
class TestAveragePooling(Pooling):
    """The mean of every window."""

    function = "average_pool2d"
    hints = {
        "average_pool2d": [
            "A window hangs over the edge, and three of its nine places hold pixels. The sum is divided by what?",
            "Let zeros stand outside: they do not change the sum. To count the pixels, look at an image of ones through the same windows.",
            "`windows(x, ...).sum(axis=3) / windows(np.ones_like(x), ...).sum(axis=3)`, with the same four arguments in both.",
        ]
    }

    @pytest.mark.parametrize("size", [2, 3])
    def test_padding_is_not_counted(self, student, reference, size):
        """A flat image stays flat at its borders: padding is not counted."""
        x = np.full((1, 5, 3, 1), 6.0)
        self.agrees(student, reference, x, pool_size=size, strides=1, padding="same")
        self.agrees(student, reference, x, pool_size=size, padding="same")

    def test_zeros_are_counted(self, student, reference, rng):
        """A pixel of 0 is a pixel too."""
        self.agrees(student, reference, few(rng, 1, 6, 6, 2), pool_size=3, strides=1, padding="same")


@exercise("average_pool2d_backward", functions=["average_pool2d_backward"], points=3)
class TestAveragePoolingBackward(PoolingBackward):
    """The gradient is shared out."""

    function = "average_pool2d"
    hints = {
        "average_pool2d_backward": [
            "Make one pixel of a window larger by 1: by how much does the mean grow? And in a window that hangs over the edge?",
            "Every pixel of a window gets upstream over the number of pixels there, the number by which the forward pass divides. Spread it over the "
            "window's shape; `windows_backward` does the rest.",
            "`inside = windows(np.ones_like(x), ...)`; each place of a window gets "
            "`inside * (upstream / inside.sum(axis=3))[:, :, :, np.newaxis]`.",
        ]
    }

    @pytest.mark.parametrize("size", [2, 3])
    def test_padding_is_not_counted(self, student, reference, size):
        """A window that hangs over the edge hands out all of its gradient to the pixels it has."""
        x = np.zeros((1, 5, 3, 1))
        upstream = np.ones((1, 3, 2, 1) if size == 2 else (1, 2, 1, 1))
        self.agrees(student, reference, upstream, x, pool_size=size, padding="same")


@exercise("global_average_pool2d", functions=["global_average_pool2d"], points=1)
class TestGlobalAveragePooling:
    """One number a channel."""

    hints = {
        "global_average_pool2d": [
            "Which two axes disappear, and which two remain?",
            "The mean over height and width at once, axes 1 and 2: `x.mean(axis=(1, 2))`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random features."""
        x = rng.normal(size=(3, 4, 6, 5))
        assert_close(assert_unchanged(student.global_average_pool2d, x), reference.global_average_pool2d(x))

    @pytest.mark.parametrize("height, width", [(1, 1), (1, 7), (5, 1)])
    def test_thin_features(self, student, reference, rng, height, width):
        """Holds for one place, one row, one column, and for a batch and channels of one."""
        for batch, channels in [(1, 3), (2, 1)]:
            x = rng.normal(size=(batch, height, width, channels))
            assert_close(student.global_average_pool2d(x), reference.global_average_pool2d(x))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`."""
        x = (100 + rng.normal(size=(2, 9, 8, 3))).astype(np.float32)
        assert_close(student.global_average_pool2d(x), reference.global_average_pool2d(x), **SINGLE)
