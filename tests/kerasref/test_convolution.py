"""`convolution` against SciPy, TensorFlow's own functions and the definition, edges, and bad input."""

import itertools

import numpy as np
import pytest
from scipy import signal

from grader.notebooks import solution_namespace
from kerasref import convolution
from kerasref.backend import BACKEND, keras
from tests.kerasref import assert_refused
from tests.kerasref.oracles import assert_agrees

SIZES = list(itertools.product(range(1, 8), range(1, 6), range(1, 4)))
PADDINGS = pytest.mark.parametrize("padding", ["valid", "same"])


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def test_output_size_counts_the_windows():
    for (n, kernel, stride), padding in itertools.product(SIZES, (0, 1)):
        starts = [i for i in range(0, n + 2 * padding, stride) if i + kernel <= n + 2 * padding]
        if starts:
            assert convolution.output_size(n, kernel, stride, padding) == len(starts)
        else:
            with pytest.raises(ValueError, match="`kernel`"):
                convolution.output_size(n, kernel, stride, padding)


def test_same_padding_is_tensorflows_formula():
    for n, kernel, stride in SIZES:
        zeros = max((-(-n // stride) - 1) * stride + kernel - n, 0)
        before, after = convolution.same_padding(n, kernel, stride)
        assert (before, after) == (zeros // 2, zeros - zeros // 2)
        assert convolution.output_size(n + before + after, kernel, stride) == -(-n // stride)


@pytest.mark.parametrize("strides", [(1, 1), (2, 2), (3, 2)])
@pytest.mark.parametrize("kernel_size", [(3, 3), (2, 5), (1, 4)])
def test_valid_on_padded_images_is_same(rng, kernel_size, strides):
    for height, width in [(5, 6), (6, 7), (2, 3)]:
        x, kernel = rng.normal(size=(2, height, width, 3)), rng.normal(size=(*kernel_size, 3, 2))
        padded = convolution.pad(x, kernel_size, strides, "same")
        assert_agrees(
            convolution.conv2d(padded, kernel, strides=strides),
            convolution.conv2d(x, kernel, strides=strides, padding="same"),
        )


def test_conv2d_is_scipys_correlation(rng):
    x, kernel = rng.normal(size=(6, 7)), rng.normal(size=(3, 2))
    for mode in ("valid", "same"):
        ours = convolution.conv2d(x[None, :, :, None], kernel[:, :, None, None], padding=mode)
        assert_agrees(ours[0, :, :, 0], signal.correlate2d(x, kernel, mode))


def test_a_stride_of_two_leaves_every_second_place_out(rng):
    x, kernel = rng.normal(size=(1, 7, 6, 2)), rng.normal(size=(3, 3, 2, 2))
    assert_agrees(convolution.conv2d(x, kernel, strides=(2, 1)), convolution.conv2d(x, kernel)[:, ::2])


@PADDINGS
@pytest.mark.parametrize("strides", [1, 2, (2, 1)])
def test_transposed_is_the_transpose(rng, strides, padding):
    """<conv(x), y> = <x, transposed(y)>, with one kernel for both."""
    sh, sw = strides if isinstance(strides, tuple) else (strides, strides)
    kernel, y = rng.normal(size=(3, 2, 2, 4)), rng.normal(size=(1, 3, 4, 4))
    back = convolution.conv2d_transpose(y, kernel, strides, padding)
    assert back.shape[1:3] == (
        (3 * sh + max(3 - sh, 0), 4 * sw + max(2 - sw, 0)) if padding == "valid" else (3 * sh, 4 * sw)
    )
    x = rng.normal(size=back.shape)
    forth = convolution.conv2d(x, kernel, None, strides, padding)
    assert_agrees((forth * y).sum(), (x * back).sum())


@PADDINGS
def test_backward_is_the_slope(rng, padding):
    x, kernel, bias = rng.normal(size=(2, 5, 4, 2)), rng.normal(size=(2, 3, 2, 2)), rng.normal(size=2)
    forward = lambda *parts: convolution.conv2d(*parts, strides=2, padding=padding)  # noqa: E731
    upstream = rng.normal(size=forward(x, kernel, bias).shape)
    gradients = convolution.conv2d_backward(upstream, x, kernel, 2, padding)
    for place, (part, gradient) in enumerate(zip((x, kernel, bias), gradients, strict=True)):
        assert gradient.shape == part.shape
        step = rng.normal(size=part.shape)
        ahead, behind = ([x, kernel, bias] for _ in range(2))
        ahead[place], behind[place] = part + step, part - step
        slope = (upstream * (forward(*ahead) - forward(*behind))).sum() / 2  # exact: linear in each part
        assert_agrees(slope, (gradient * step).sum())


def test_im2col_times_kernel_is_conv2d(rng):
    x, kernel = rng.normal(size=(2, 6, 5, 3)), rng.normal(size=(3, 2, 3, 4))
    rows = convolution.im2col(x, (3, 2), (2, 1), "same")
    assert_agrees(rows @ kernel.reshape(-1, 4), convolution.conv2d(x, kernel, None, (2, 1), "same"))


@pytest.mark.skipif(BACKEND != "tensorflow", reason="other backends have other functions")
def test_tensorflows_own_functions(rng):
    import tensorflow as tf

    x, kernel = rng.normal(size=(2, 6, 5, 3)), rng.normal(size=(3, 3, 3, 2))
    patches = tf.image.extract_patches(x, (1, 3, 3, 1), (1, 2, 2, 1), (1, 1, 1, 1), "SAME").numpy()
    assert_agrees(convolution.im2col(x, 3, 2, "same"), patches)
    depthwise = tf.nn.depthwise_conv2d(x, kernel, (1, 2, 2, 1), "SAME").numpy()
    assert_agrees(convolution.depthwise_conv2d(x, kernel, 2, "same"), depthwise)
    mixing = rng.normal(size=(6, 4))
    separable = keras.ops.separable_conv(
        x, kernel, mixing[None, None], 2, "same", data_format="channels_last"
    ).numpy()
    assert_agrees(convolution.separable_conv2d(x, kernel, mixing, 2, "same"), separable)


X, K = np.ones((1, 4, 5, 2)), np.ones((3, 3, 2, 4))
HOW = [
    ({"strides": 0}, "strides", "0"),
    ({"strides": (1, -1)}, "strides", "-1"),
    ({"strides": (1, 2, 3)}, "strides", "(1, 2, 3)"),
    ({"strides": 1.5}, "strides", "1.5"),
    ({"padding": "full"}, "padding", "'full'"),
    ({"padding": 1}, "padding", "1"),
    ({"padding": None}, "padding", "None"),
]
BAD = [
    ("output_size", {"n": 0, "kernel": 1}, "n", "0"),
    ("output_size", {"n": 5, "kernel": 0}, "kernel", "0"),
    ("output_size", {"n": 5, "kernel": 3, "stride": 0}, "stride", "0"),
    ("output_size", {"n": 5, "kernel": 3, "padding": -1}, "padding", "-1"),
    ("output_size", {"n": 5, "kernel": 8, "padding": 1}, "kernel", "8"),
    ("same_padding", {"n": 0, "kernel": 3}, "n", "0"),
    ("same_padding", {"n": 3, "kernel": 0}, "kernel", "0"),
    ("same_padding", {"n": 3, "kernel": 3, "stride": 0}, "stride", "0"),
    *(
        ("pad", {"x": X, "kernel_size": 3, "strides": 1, "padding": "same", **bad}, *what)
        for bad, *what in HOW
    ),
    ("pad", {"x": X[0], "kernel_size": 3, "strides": 1, "padding": "same"}, "x", "(4, 5, 2)"),
    ("pad", {"x": X, "kernel_size": 0, "strides": 1, "padding": "same"}, "kernel_size", "0"),
    *(
        (function, {"x": X, "kernel": K, **bad}, *what)
        for function in ("conv2d", "conv2d_gemm")
        for bad, *what in [
            *HOW,
            ({"x": X[0]}, "x", "(4, 5, 2)"),
            ({"x": X[:0]}, "x", "(0, 4, 5, 2)"),
            ({"kernel": K[0]}, "kernel", "(3, 2, 4)"),
            ({"kernel": K[:, :, :1]}, "kernel", "(3, 3, 1, 4)"),
            ({"kernel": np.ones((5, 3, 2, 4))}, "kernel", "5"),
            ({"bias": np.ones(1)}, "bias", "(1,)"),
            ({"bias": np.ones((1, 4))}, "bias", "(1, 4)"),
        ]
    ),
    *(
        ("conv2d_backward", {"upstream": np.ones((1, 2, 3, 4)), "x": X, "kernel": K, **bad}, *what)
        for bad, *what in [
            *HOW,
            ({"upstream": np.ones((1, 2, 3, 1))}, "upstream", "(1, 2, 3, 1)"),
            ({"upstream": np.ones((2, 3, 4))}, "upstream", "(2, 3, 4)"),
            ({"x": X[..., :1]}, "kernel", "(3, 3, 2, 4)"),
        ]
    ),
    *(
        ("im2col", {"x": X, "kernel_size": (3, 3), **bad}, *what)
        for bad, *what in [
            *HOW,
            ({"kernel_size": (3, 6)}, "kernel_size", "6"),
            ({"kernel_size": 0}, "kernel_size", "0"),
            ({"x": X[..., 0]}, "x", "(1, 4, 5)"),
        ]
    ),
    *(
        ("depthwise_conv2d", {"x": X, "kernel": K, **bad}, *what)
        for bad, *what in [
            *HOW,
            ({"kernel": K[..., 0]}, "kernel", "(3, 3, 2)"),
            ({"kernel": K[:, :, :1]}, "kernel", "(3, 3, 1, 4)"),
        ]
    ),
    ("pointwise_conv2d", {"x": X, "kernel": np.ones((3, 4))}, "kernel", "(3, 4)"),
    ("pointwise_conv2d", {"x": X, "kernel": np.ones((1, 1, 2, 4))}, "kernel", "(1, 1, 2, 4)"),
    *(
        (
            "separable_conv2d",
            {"x": X, "depthwise_kernel": K, "pointwise_kernel": np.ones((8, 3)), **bad},
            *what,
        )
        for bad, *what in [
            *HOW,
            ({"depthwise_kernel": K[:, :, :1]}, "depthwise_kernel", "(3, 3, 1, 4)"),
            ({"pointwise_kernel": np.ones((2, 3))}, "pointwise_kernel", "(2, 3)"),
            ({"pointwise_kernel": np.ones((1, 1, 8, 3))}, "pointwise_kernel", "(1, 1, 8, 3)"),
        ]
    ),
    *(
        ("conv2d_transpose", {"x": X, "kernel": np.ones((3, 3, 4, 2)), **bad}, *what)
        for bad, *what in [*HOW, ({"x": X[0]}, "x", "(4, 5, 2)"), ({"kernel": K}, "kernel", "(3, 3, 2, 4)")]
    ),
]


@pytest.mark.parametrize(("function", "arguments", "name", "came"), BAD)
def test_bad_input_is_refused_by_name(function, arguments, name, came):
    assert_refused(getattr(convolution, function), arguments, name, came)


@pytest.fixture(scope="module")
def solution():
    return solution_namespace("convolution")


@pytest.mark.parametrize(("function", "arguments", "name", "came"), BAD)
def test_the_solution_refuses_it_too(solution, function, arguments, name, came):
    with pytest.raises(ValueError, match="expected"):
        solution[function](**arguments)
