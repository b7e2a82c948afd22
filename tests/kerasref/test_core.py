"""What every reference promises: NumPy in and out, float64, computed once, and nothing of the caller's changed."""

import inspect
import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from kerasref import activations, losses
from kerasref.backend import BACKEND, device, keras
from kerasref.core import _Memo, gradient, reference
from kerasref.validation import Arrays, Integers, NamedArrays, Padding, Pair
from tests.kerasref.oracles import assert_agrees

on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX and PyTorch compute in float32")


def run(code, **environment):
    """Standard output and standard error of a fresh interpreter."""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return ran.stdout.strip(), ran.stderr


def test_importing_the_package_imports_no_keras():
    heavy = "{'keras', 'tensorflow', 'torch', 'jax', 'numpy'}"
    assert run(f"import sys, kerasref; print({heavy} & set(sys.modules))")[0] == "set()"


@on_tensorflow
def test_a_module_settles_tensorflow_and_is_silent():
    code = """
import os
os.environ.pop("KERAS_BACKEND", None)
from kerasref import activations
import keras, tensorflow as tf
print(activations.sigmoid(0.0), keras.backend.backend(), keras.config.floatx())
print(tf.config.experimental.tensor_float_32_execution_enabled())
try:
    tf.random.normal([1])
except RuntimeError:
    print("deterministic: no random op without a seed")
"""
    out, err = run(code)
    assert out.split()[:5] == ["0.5", "tensorflow", "float64", "False", "deterministic:"]
    assert err == ""


def test_a_backend_already_chosen_is_kept():
    pytest.importorskip("torch")
    code = "from kerasref import activations; from kerasref.backend import device; print(device())"
    assert run(code, KERAS_BACKEND="torch")[0].startswith("torch ")


def test_the_device_in_force_is_named():
    assert device().startswith(f"{BACKEND} ")
    assert " on " in device()


@pytest.mark.parametrize(
    "x",
    [
        [[1, -2], [3, 4]],
        ((1, -2), (3, 4)),
        np.array([[1, -2], [3, 4]], np.int8),
        np.array([[1, -2], [3, 4]], np.float16),
        np.array([[1, -2], [3, 4]], np.float32, order="F"),
        np.array([[1, 0, -2, 0], [3, 0, 4, 0]])[:, ::2],
        [np.array([1.0, -2.0]), np.array([3.0, 4.0])],
    ],
)
def test_takes_whatever_numpy_makes_an_array_from(x):
    expected = activations.sigmoid(np.array([[1.0, -2.0], [3.0, 4.0]]))
    result = activations.sigmoid(x)
    assert isinstance(result, np.ndarray)
    assert np.array_equal(result, expected)


@on_tensorflow
def test_float32_is_computed_in_float64():
    x = np.float32(0.1)
    assert activations.sigmoid(x) == activations.sigmoid(float(x)) != activations.sigmoid(0.1)


@pytest.mark.parametrize("x", [2, 2.0, np.float64(2), np.array(2.0), True + True])
def test_a_number_gives_a_number(x):
    assert isinstance(activations.relu(x), np.floating)
    assert activations.relu(x) == 2


def test_keeps_its_public_face():
    assert str(inspect.signature(losses.mean_squared_error)) == "(y_true, y_pred)"
    assert activations.softplus.__name__ == "softplus"
    assert activations.softplus.__doc__.startswith("Smooth ReLU")
    with pytest.raises(TypeError):
        activations.softplus()


def test_arguments_stay_as_they_were():
    x, upstream = np.array([[1.0, -2.0]]), np.array([[0.5, 0.25]])
    x.flags.writeable = False
    activations.softmax_backward(upstream, x)
    assert np.array_equal(upstream, [[0.5, 0.25]])


def test_not_even_a_function_that_writes_reaches_the_callers_array():
    @reference
    def careless(x):
        x[0] = 7.0
        return x

    x = np.array([1.0, 2.0])
    careless(x)
    assert np.array_equal(x, [1, 2])


@pytest.fixture
def counted():
    """A reference, and the list of what it was called with."""
    calls = []

    @reference
    def double(x, times: float = 2.0):
        calls.append((x, times))
        return times * x, [x.sum()], {"same": x}

    return double, calls


def test_equal_arguments_are_computed_once(counted):
    double, calls = counted
    double([1, 2])
    double(np.array([1.0, 2.0]), 2)
    double(x=(1, 2), times=2.0)
    assert len(calls) == 1


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (([1, 2],), ([1, 3],)),
        (([1, 2],), ([[1, 2]],)),
        (([1, 2],), ([1, 2], 3)),
        (([0.0],), ([-0.0],)),
        ((np.zeros((2, 0)),), (np.zeros((0, 2)),)),
    ],
)
def test_different_arguments_are_computed_anew(counted, first, second):
    double, calls = counted
    double(*first)
    double(*second)
    assert len(calls) == 2


def test_writing_into_a_result_spoils_nobody_elses(counted):
    double, _ = counted
    doubled, (total,), named = double([1, 2])
    doubled[:] = named["same"][:] = 99
    again, _, same = double([1, 2])
    assert np.array_equal(again, [2, 4])
    assert np.array_equal(same["same"], [1, 2])
    assert total == 3


def test_memory_is_bounded_and_the_recent_stay():
    memo = _Memo(limit=3 * (800 + 512))
    for key in range(3):
        memo.put(key, np.full(100, float(key)))
    memo.get(0)
    memo.put(3, np.zeros(100))
    assert memo.get(1) is None
    assert memo.get(0)[0] == 0
    memo.put(4, np.zeros(10**6))
    assert memo.size <= memo.limit


@on_tensorflow
@pytest.mark.parametrize("wrap", [lambda x: x, lambda x: (x, x), lambda x: [x], lambda x: {"y": x}])
def test_a_result_narrower_than_float64_is_an_error(wrap):
    @reference
    def narrow(x):
        return wrap(keras.ops.cast(x, "float32"))

    with pytest.raises(TypeError, match="`narrow` gave float32"):
        narrow([1.0])


def test_whole_numbers_and_bools_are_no_floats():
    @reference
    def largest(x):
        return keras.ops.argmax(x), keras.ops.greater(x, 1)

    place, above = largest([1.0, 3.0, 2.0])
    assert place == 1
    assert above.tolist() == [False, True, True]


def test_gradient_of_several_arrays_and_of_one_that_plays_no_part():
    @reference
    def slopes(x, y):
        return gradient(lambda x, y: x * x, x, y)

    first, second = slopes([1, 2], [3, 4, 5])
    assert_agrees(first, [2, 4])
    assert_agrees(second, [0, 0, 0])


@pytest.fixture
def mixed():
    """A reference with parameters of every kind, and how often it was computed."""
    calls = []

    @reference
    def window(
        x,
        kernel_size: Pair,
        bias=None,
        strides: Pair | None = None,
        padding: Padding = "valid",
        weights: Arrays = (),
        params: NamedArrays | None = None,
        labels: Integers = 0,
        f: Any = None,
    ):
        calls.append(f)
        return x.sum(), kernel_size, bias, strides, padding, weights, params, labels.dtype.kind

    return window, calls


def test_every_kind_of_parameter_is_converted(mixed):
    window, calls = mixed
    given = {
        "strides": [1, 2],
        "weights": (np.ones(2, np.float32), [3]),
        "params": {"w": [1]},
        "labels": [1.0, 2],
    }
    total, kernel_size, bias, strides, padding, weights, params, labels = window([1, 2], 3, **given)
    assert (total, kernel_size, bias, strides, padding, labels) == (3, (3, 3), None, (1, 2), "valid", "i")
    assert [weight.dtype for weight in weights] == [np.float64] * 2 and params["w"].dtype == np.float64
    window([1, 2], (3, 3), **given)
    assert len(calls) == 1
    window([1, 2], (3, 3), **{**given, "params": {"v": [1]}})
    window([1, 2], (3, 3), **given, padding="same")
    assert len(calls) == 3


def test_a_call_with_a_function_is_computed_each_time(mixed):
    window, calls = mixed
    window([1], 1, f=np.sin)
    window([1], 1, f=np.cos)
    window([1], 1, f=np.sin)
    assert calls == [np.sin, np.cos, np.sin]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"kernel_size": 0}, r"`kernel_size` is 0; expected at least 1"),
        ({"kernel_size": (1, 2, 3)}, r"`kernel_size` is \(1, 2, 3\); expected one whole number or a pair"),
        ({"kernel_size": 1.5}, r"`kernel_size` is 1.5; expected an integer"),
        ({"padding": "full"}, r"`padding` is 'full'; expected 'valid' or 'same'"),
        ({"weights": np.ones(2)}, r"`weights` is a ndarray; expected a list of arrays"),
        ({"weights": [[1], "a"]}, r"`weights\[1\]` has dtype"),
        ({"params": [1]}, r"`params` is a list; expected a dict of arrays"),
        ({"labels": [0.5]}, r"`labels` has 0.5 at \[0\]; expected whole numbers"),
        ({"bias": "none"}, r"`bias` has dtype"),
    ],
)
def test_what_each_kind_refuses(mixed, given, says):
    with pytest.raises(ValueError, match=says):
        mixed[0](**{"x": [1.0], "kernel_size": 1, **given})
