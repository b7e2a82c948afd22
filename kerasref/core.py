"""What makes a function a reference: NumPy in and out, validated, computed once, never narrower than float64."""

import copy
import functools
import hashlib
import inspect
import threading
import types
from collections import OrderedDict
from collections.abc import Callable
from typing import Annotated, Any, ParamSpec, TypeVar, Union, get_args, get_origin

import numpy as np

from kerasref import validation
from kerasref.backend import BACKEND, keras

P = ParamSpec("P")
R = TypeVar("R")

MEMO_BYTES = 64 * 2**20
_CONVERT = {
    float: validation.number,
    int: validation.integer,
    inspect.Parameter.empty: validation.array,
    Any: lambda name, value: value,
}


def reference(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function on float64 arrays, which may give tensors, a reference.

    A parameter annotated `float` or `int` takes one number; one without annotation takes an array, or anything
    NumPy makes one from, and is given as a float64 copy; `validation` has the other kinds (`Pair`, `Padding`, `Integers`,
    `Arrays`, ...). What is None by default may be None. One annotated `Any` is given as it is. Results are NumPy; a
    result of rank 0 is a scalar. Equal arguments are computed once, and each caller gets arrays of his own; a call with
    a function, or anything else that is not data, among its arguments is computed each time.

    Raises:
        ValueError: an argument is not what its parameter takes.
        TypeError: a result is narrower than float64 (TensorFlow only: JAX and PyTorch give float32 under Keras).
    """
    compute: Callable[..., Any] = function
    signature = inspect.signature(function, eval_str=True)
    convert = {name: _converter(parameter) for name, parameter in signature.parameters.items()}

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        arguments = {name: convert[name](name, value) for name, value in bound.arguments.items()}
        digest = hashlib.blake2b()
        if not _digested(arguments, digest.update):
            return _to_numpy(function.__name__, compute(**arguments))
        key = (function, digest.digest())
        result = _memo.get(key)
        if result is None:
            result = _to_numpy(function.__name__, compute(**arguments))
            _memo.put(key, result)
        return copy.deepcopy(result)

    return wrapper


def gradient(function: Callable[..., Any], *arrays: Any) -> Any:
    """The gradients of the sum of `function(*arrays)`, by autodiff: a tensor, or a tuple of them for several arrays."""
    tensors = [keras.ops.convert_to_tensor(array) for array in arrays]
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape() as tape:
            tape.watch(tensors)
            total = tf.reduce_sum(function(*tensors))
        gradients = tape.gradient(total, tensors, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    elif BACKEND == "jax":
        import jax

        every = tuple(range(len(tensors)))
        gradients = jax.grad(lambda *inputs: function(*inputs).sum(), argnums=every)(*tensors)
    elif BACKEND == "torch":
        import torch

        leaves = [tensor.detach().requires_grad_() for tensor in tensors]
        gradients = torch.autograd.grad(function(*leaves).sum(), leaves, materialize_grads=True)
    else:
        raise RuntimeError(f"The Keras backend {BACKEND!r} has no autodiff: set KERAS_BACKEND=tensorflow.")
    return gradients[0] if len(arrays) == 1 else tuple(gradients)


def _to_numpy(name: str, result: Any) -> Any:
    """Tensors, also inside a tuple, a list or a dict, as NumPy arrays; none of them narrower than float64."""
    if result is None or isinstance(result, str | int):
        return result
    if isinstance(result, tuple | list):
        return type(result)(_to_numpy(name, part) for part in result)
    if isinstance(result, dict):
        return {key: _to_numpy(name, part) for key, part in result.items()}
    if BACKEND == "torch" and keras.ops.is_tensor(result):
        result = result.detach().cpu().numpy()  # Keras' own conversion warns under NumPy 2
    array = np.array(keras.ops.convert_to_numpy(result))
    if BACKEND == "tensorflow" and array.dtype.kind == "f" and array.dtype.itemsize < 8:
        raise TypeError(f"The reference `{name}` gave {array.dtype}, not float64: an op in it narrows.")
    return array[()]


def _converter(parameter: inspect.Parameter) -> Callable[[str, Any], Any]:
    """What checks and converts the value of a parameter."""
    annotation = parameter.annotation
    if isinstance(annotation, types.UnionType) or get_origin(annotation) is Union:
        (annotation,) = (each for each in get_args(annotation) if each is not type(None))
    convert = annotation.__metadata__[0] if get_origin(annotation) is Annotated else _CONVERT[annotation]
    if parameter.default is not None:
        return convert
    return lambda name, value: None if value is None else convert(name, value)


def _digested(value: Any, update: Callable[[bytes], None]) -> bool:
    """Feed what tells one call's arguments from another's; False where they are not all data."""
    match value:
        case dict():
            update(f"{{{len(value)}".encode())
            return all(_digested(part, update) for item in value.items() for part in item)
        case list() | tuple():
            update(f"{type(value).__name__}{len(value)}".encode())
            return all(_digested(part, update) for part in value)
        case np.ndarray() if value.dtype.kind in "biuf":
            update(f"{value.dtype.str}{value.shape}".encode())
            update(value.tobytes())
        case None | str() | int() | float() | np.number():
            text = f"{value!r}"
            update(f"{type(value).__name__}{len(text)} {text}".encode("utf-8", "surrogatepass"))
        case _:
            return False
    return True


class _Memo:
    """Results by function and content; beyond `limit` bytes the least recently used are dropped."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.size = 0
        self._entries: OrderedDict[Any, Any] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Any) -> Any:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def put(self, key: Any, result: Any) -> None:
        with self._lock:
            if key not in self._entries:
                self._entries[key] = result
                self.size += _bytes(result)
            while self.size > self.limit:
                self.size -= _bytes(self._entries.popitem(last=False)[1])


def _bytes(result: Any) -> int:
    """Memory that an entry takes; its key and its objects are counted as 512 bytes."""
    if isinstance(result, dict):
        result = list(result.values())
    if isinstance(result, tuple | list):
        return sum(map(_bytes, result))
    return getattr(result, "nbytes", 0) + 512


_memo = _Memo(MEMO_BYTES)
