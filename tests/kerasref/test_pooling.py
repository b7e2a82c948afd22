"""`pooling` against loops over the windows, at every size, stride and padding, and what the contract says at ties."""

import numpy as np
import pytest
from skimage.measure import block_reduce

from kerasref import pooling
from kerasref.backend import BACKEND, keras
from kerasref.core import gradient
from tests.kerasref.oracles import assert_agrees

KERAS_PADS = (
    "Keras on PyTorch repeats the border in the place of an odd pixel of padding, and averages over it"
)
"""Harmless for the maximum."""


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def spans(n, size, stride, padding):
    """For each window of one axis the pixels in it."""
    before = 0
    starts = range(0, n - size + 1, stride)
    if padding == "same":
        starts = range(0, n, stride)
        before = max(starts[-1] + size - n, 0) // 2
    return [slice(max(start - before, 0), min(start - before + size, n)) for start in starts]


def by_loops(kind, x, pool_size, strides, padding, upstream):
    """The pooled values and the gradient, window by window."""
    rows, columns = (spans(x.shape[axis + 1], pool_size[axis], strides[axis], padding) for axis in (0, 1))
    y, dx = np.zeros((len(x), len(rows), len(columns), x.shape[3])), np.zeros_like(x)
    upstream = np.resize(upstream, y.shape)
    for b, i, j, c in np.ndindex(y.shape):
        window, back = x[b, rows[i], columns[j], c], dx[b, rows[i], columns[j], c]
        if kind == "max":
            y[b, i, j, c] = window.max()
            back[np.unravel_index(window.argmax(), window.shape)] += upstream[b, i, j, c]
        else:
            y[b, i, j, c] = window.mean()
            back += upstream[b, i, j, c] / window.size
    return y, upstream, dx


def ways(rng, count):
    """Images with many ties, all below 0, and ways to pool them: windows larger than the image, strides that jump."""
    while count:
        height, width, *rest = (int(number) for number in [*rng.integers(1, 8, 2), *rng.integers(1, 5, 4)])
        pool_size, strides = tuple(rest[:2]), tuple(rest[2:])
        padding = str(rng.choice(["valid", "same"]))
        if padding == "same" or (pool_size[0] <= height and pool_size[1] <= width):
            count -= 1
            yield rng.integers(-4, 0, size=(2, height, width, 2)).astype(float), pool_size, strides, padding


@pytest.mark.parametrize("kind, function", [("max", "max_pool2d"), ("average", "average_pool2d")])
def test_pooling_is_what_loops_give(rng, kind, function):
    if kind == "average" and BACKEND == "torch":
        pytest.skip(KERAS_PADS)
    for x, *how in ways(rng, 60):
        y, upstream, dx = by_loops(kind, x, *how, rng.normal(size=200))
        assert_agrees(getattr(pooling, function)(x, *how), y, how)
        assert_agrees(getattr(pooling, f"{function}_backward")(upstream, x, *how), dx, how)


def test_the_first_of_equal_maxima_takes_it():
    dx = pooling.max_pool2d_backward(np.ones((1, 1, 2, 1)), np.zeros((1, 2, 4, 1)))
    assert_agrees(dx[0, :, :, 0], [[1, 0, 1, 0], [0, 0, 0, 0]])


def test_the_first_of_equal_maxima_is_the_one_that_keras_takes(rng):
    if BACKEND != "tensorflow":
        pytest.skip("other backends decide otherwise")
    for x, *how in ways(rng, 30):
        y = pooling.max_pool2d(x, *how)
        upstream = rng.normal(size=y.shape)
        dx = gradient(lambda x, how=how, up=upstream: up * keras.ops.max_pool(x, *how), x)
        assert_agrees(pooling.max_pool2d_backward(upstream, x, *how), dx, how)


def test_windows_are_what_max_pooling_sees(rng):
    for x, *how in ways(rng, 30):
        assert_agrees(pooling.windows(x, *how, fill=-np.inf).max(axis=3), pooling.max_pool2d(x, *how), how)


@pytest.mark.skipif(BACKEND == "torch", reason=KERAS_PADS)
def test_windows_are_what_average_pooling_sees(rng):
    for x, *how in ways(rng, 30):
        mean = np.nanmean(pooling.windows(x, *how, fill=np.nan), axis=3)
        assert_agrees(pooling.average_pool2d(x, *how), mean, how)


def test_windows_backward_is_the_transpose(rng):
    """For a linear function f and its transpose g, the products of f(x) with u and of x with g(u) are the same."""
    for x, *how in ways(rng, 30):
        seen = pooling.windows(x, *how)
        upstream = rng.normal(size=seen.shape)
        assert_agrees(np.sum(seen * upstream), np.sum(x * pooling.windows_backward(upstream, x, *how)), how)


def test_placement_is_that_of_the_windows(rng):
    for n, size, stride in rng.integers(1, 9, size=(40, 3)):
        for padding in ("same", *(["valid"] if size <= n else [])):
            count, before, after = pooling.placement(n, size, stride, padding)
            axis = np.arange(1.0, n + 1)
            padded = np.pad(axis, (before, after))
            cut = [padded[stride * window :][:size] for window in range(count)]
            seen = pooling.windows(axis.reshape(1, -1, 1, 1), (size, 1), (stride, 1), padding)
            assert_agrees(cut, seen[0, :, 0, :, 0])
            assert 0 <= after - before <= 1
            assert after == 0 or len(padded) == stride * (count - 1) + size


def test_blocks_are_scikit_images(rng):
    x = rng.normal(size=(2, 6, 9, 3))
    assert_agrees(pooling.max_pool2d(x, (2, 3)), block_reduce(x, (1, 2, 3, 1), np.max))
    assert_agrees(pooling.average_pool2d(x, (2, 3)), block_reduce(x, (1, 2, 3, 1), np.mean))


def test_one_number_is_a_pair_of_it_and_the_stride_is_the_size(rng):
    x = rng.normal(size=(1, 7, 6, 2))
    assert_agrees(pooling.max_pool2d(x, 3), pooling.max_pool2d(x, (3, 3), (3, 3)))
    assert_agrees(pooling.average_pool2d(x, 3, 2, "same"), pooling.average_pool2d(x, (3, 3), (2, 2), "same"))


def test_a_flat_picture_stays_flat():
    x = np.full((1, 5, 7, 1), 3.5)
    for size, strides in [(2, None), (3, 2), ((5, 2), 1)]:
        y = pooling.average_pool2d(x, size, strides, "same")
        assert_agrees(y, np.full(y.shape, 3.5))


def test_global_average_is_one_window_of_the_whole(rng):
    x = rng.normal(size=(3, 4, 5, 2))
    assert_agrees(pooling.global_average_pool2d(x), pooling.average_pool2d(x, (4, 5))[:, 0, 0])


IMAGES = np.zeros((1, 4, 5, 2))
POOLS = ("windows", "max_pool2d", "average_pool2d")

BAD = [
    *((function, {"x": IMAGES[0]}, r"`x` has shape \(4, 5, 2\); expected rank 4") for function in POOLS),
    *((function, {"x": IMAGES[:, :0]}, "`x` has shape .* so it is empty") for function in POOLS),
    *((function, {"x": IMAGES, "pool_size": 5}, r"`pool_size` is \(5, 5\), larger") for function in POOLS),
    *((function, {"x": IMAGES, "pool_size": (4, 6)}, r"`pool_size` is \(4, 6\)") for function in POOLS),
    *((function, {"x": IMAGES, "pool_size": 0}, "`pool_size` is 0") for function in POOLS),
    *((function, {"x": IMAGES, "pool_size": (2, 2, 2)}, "`pool_size` is .* a pair") for function in POOLS),
    *((function, {"x": IMAGES, "strides": 0}, "`strides` is 0") for function in POOLS),
    *(
        (function, {"x": IMAGES, "strides": 1.5}, "`strides` is 1.5; expected an integer")
        for function in POOLS
    ),
    *((function, {"x": IMAGES, "padding": "full"}, "`padding` is 'full'") for function in POOLS),
    *(
        (f"{function}_backward", {"upstream": np.zeros((1, 3, 2, 2)), "x": IMAGES}, "`upstream` has shape")
        for function in POOLS
    ),
    *(
        (
            f"{function}_backward",
            {"upstream": np.zeros((1, 1, 1, 2)), "x": IMAGES, "pool_size": 6},
            "`pool_size`",
        )
        for function in POOLS
    ),
    ("windows", {"x": IMAGES, "fill": [0, 1]}, "`fill` has shape"),
    ("placement", {"n": 3, "size": 4, "stride": 1, "padding": "valid"}, "`size` is 4, larger than `n`, 3"),
    ("placement", {"n": 0, "size": 1, "stride": 1, "padding": "same"}, "`n` is 0"),
    ("placement", {"n": 3, "size": 1, "stride": 0, "padding": "same"}, "`stride` is 0"),
    ("placement", {"n": 3, "size": 1, "stride": 1, "padding": "none"}, "`padding` is 'none'"),
    ("global_average_pool2d", {"x": IMAGES[0]}, "`x` has shape"),
]


@pytest.mark.parametrize(("function", "arguments", "says"), BAD)
def test_bad_input_is_named(function, arguments, says):
    with pytest.raises(ValueError, match=says):
        getattr(pooling, function)(**arguments)
