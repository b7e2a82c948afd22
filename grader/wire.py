"""Values as bytes, between a student's process and the grading process: plain data only, never code.

What crosses: None, bool, int, float, complex, str, list, tuple, dict, NumPy arrays and scalars of numbers, and
`Rng`, by exact type. Everything is bounded on both ends: `decode` reads bytes from a process that may be hostile, and
gives a value of these types or raises `WireError`, within `len(data)` bytes of buffers and some 200 bytes a node.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

MAX_BYTES = 2**28
MAX_NODES = 2**20
MAX_DEPTH = 64
MAX_INT_BYTES = 512
MAX_KEYS = 2**13  # parts of the keys of dicts, other than strings: their hashes can be made to collide
PLAIN = "a NumPy array, a number, a string, None, or a list, tuple or dict of these"

_MAGIC = b"kfs1"
_NAMES = ("?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16")
_DTYPES = [np.dtype(name) for name in _NAMES]
_CODES: dict[tuple[str, int], int] = {
    (dtype.kind, dtype.itemsize): code for code, dtype in enumerate(_DTYPES)
}
_SCALARS = {np.dtype(char).type for char in "?bhilqBHILQefdgFDG"}
_F8, _C16 = np.dtype("f8"), np.dtype("c16")
_COUNT, _REAL, _COMPLEX = struct.Struct("<I"), struct.Struct("<d"), struct.Struct("<dd")
_MAX_DIMENSIONS = 32


class WireError(ValueError):
    """A value that may not cross, or bytes that are no value. The message is written for a student."""


@dataclass(frozen=True)
class Rng:
    """A random generator on its way to a student's function: it travels as its seed."""

    seed: int

    def generator(self) -> np.random.Generator:
        """The generator that the function gets."""
        return np.random.default_rng(self.seed)


def encode(value: Any) -> bytes:
    """Turn plain data into bytes.

    Args:
        value: what is to be sent.

    Returns:
        The bytes that `decode` turns back into an equal value of the same types; `longdouble` comes back as
        `float64`, `clongdouble` as `complex128`, arrays in C order.

    Raises:
        WireError: it, or something in it, is not plain data, or it is too large.
    """
    writer = _Writer()
    writer.put(value, 0)
    return b"".join(writer.chunks)


def decode(data: bytes | bytearray | memoryview) -> Any:
    """Turn bytes back into the value they hold.

    Args:
        data: what `encode` made, or anything else.

    Returns:
        A value of exactly the types above, sharing no memory with `data`.

    Raises:
        WireError: `data` is not such a value.
    """
    if len(data) > MAX_BYTES:
        raise WireError(f"a message of {len(data):,} bytes is larger than the {MAX_BYTES:,} that may be sent")
    reader = _Reader(memoryview(data).cast("B"))
    if reader.take(len(_MAGIC)) != _MAGIC:
        raise WireError("the bytes are not a message")
    value = reader.get(0)
    if reader.at != len(reader.data):
        raise WireError("the message goes on after its end")
    return value


class _Writer:
    def __init__(self) -> None:
        self.chunks: list[bytes] = [_MAGIC]
        self.size = len(_MAGIC)
        self.nodes = 0
        self.keys = 0

    def add(self, *chunks: bytes) -> None:
        for chunk in chunks:
            self.size += len(chunk)
        if self.size > MAX_BYTES:
            raise WireError(f"the value takes more than the {MAX_BYTES:,} bytes that may be sent")
        self.chunks.extend(chunks)

    def put(self, value: Any, depth: int) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise WireError(
                f"the value has more than {MAX_NODES:,} parts: use NumPy arrays instead of long lists"
            )
        if depth > MAX_DEPTH:
            raise WireError(f"lists, tuples or dicts lie in each other more than {MAX_DEPTH} deep")
        put = _PUT.get(type(value))
        if put is not None:
            put(self, value, depth)
        elif type(value) in _SCALARS:
            self.scalar(value)
        else:
            raise WireError(_refusal(value))

    def none(self, value: None, depth: int) -> None:
        self.add(b"N")

    def boolean(self, value: bool, depth: int) -> None:
        self.add(b"T" if value else b"F")

    def integer(self, value: int, depth: int) -> None:
        count = value.bit_length() // 8 + 1
        if count > MAX_INT_BYTES:
            raise WireError(f"a whole number of {value.bit_length():,} bits is too large to be sent")
        self.add(b"i", _COUNT.pack(count), value.to_bytes(count, "little", signed=True))

    def real(self, value: float, depth: int) -> None:
        self.add(b"f", _REAL.pack(value))

    def complex(self, value: complex, depth: int) -> None:
        self.add(b"c", _COMPLEX.pack(value.real, value.imag))

    def string(self, value: str, depth: int) -> None:
        if len(value) > MAX_BYTES:
            raise WireError(f"a string of {len(value):,} characters is too long to be sent")
        data = value.encode("utf-8", "surrogatepass")
        self.add(b"s", _COUNT.pack(len(data)), data)

    def sequence(self, value: list | tuple, depth: int) -> None:
        if len(value) > MAX_NODES:
            raise WireError(
                f"a {type(value).__name__} of {len(value):,} parts is too long: use a NumPy array"
            )
        self.add(b"l" if type(value) is list else b"t", _COUNT.pack(len(value)))
        for item in value:
            self.put(item, depth + 1)

    def mapping(self, value: dict, depth: int) -> None:
        if len(value) > MAX_NODES:
            raise WireError(f"a dict of {len(value):,} keys is too large to be sent")
        self.add(b"d", _COUNT.pack(len(value)))
        for key, item in value.items():
            before = self.nodes
            self.put(key, depth + 1)
            self.keys += 0 if type(key) is str else self.nodes - before
            if self.keys > MAX_KEYS:
                raise WireError(f"a dict of {len(value):,} keys is too large to be sent")
            self.put(item, depth + 1)

    def array(self, value: np.ndarray, depth: int) -> None:
        kind, size = value.dtype.kind, value.dtype.itemsize
        if kind not in "biufc":
            raise WireError(_refused_dtype(value.dtype))
        if value.ndim > _MAX_DIMENSIONS:
            raise WireError(f"an array of {value.ndim} dimensions has too many to be sent")
        if value.nbytes > MAX_BYTES or not _bounded(value.shape, size):
            raise WireError(f"an array of shape {value.shape} is too large to be sent")
        dtype = _plain_dtype(kind, size)
        plain = value
        if value.dtype != dtype:
            with np.errstate(all="ignore"):
                plain = value.astype(dtype)
        shape = struct.pack(f"<{value.ndim}Q", *value.shape)
        self.add(b"a", bytes([_CODES[dtype.kind, dtype.itemsize], value.ndim]), shape, plain.tobytes())

    def scalar(self, value: np.generic) -> None:
        dtype = _plain_dtype(value.dtype.kind, value.dtype.itemsize)
        with np.errstate(all="ignore"):
            plain = value.astype(dtype)
        self.add(b"x", bytes([_CODES[dtype.kind, dtype.itemsize]]), plain.tobytes())

    def rng(self, value: Rng, depth: int) -> None:
        if type(value.seed) is not int or value.seed < 0:
            raise WireError("the seed of an Rng is a whole number, not negative")
        self.add(b"r")
        self.put(value.seed, depth)


_PUT: dict[type, Callable[[_Writer, Any, int], None]] = {
    type(None): _Writer.none,
    bool: _Writer.boolean,
    int: _Writer.integer,
    float: _Writer.real,
    complex: _Writer.complex,
    str: _Writer.string,
    list: _Writer.sequence,
    tuple: _Writer.sequence,
    dict: _Writer.mapping,
    np.ndarray: _Writer.array,
    Rng: _Writer.rng,
}


class _Reader:
    """A cursor over bytes that nobody vouches for: whatever a count claims is compared with what is left."""

    def __init__(self, data: memoryview) -> None:
        self.data = data
        self.at = 0
        self.nodes = 0
        self.keys = 0

    def take(self, count: int) -> memoryview:
        if count > len(self.data) - self.at:
            raise WireError("the message ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def unpack(self, form: struct.Struct) -> tuple:
        return form.unpack(self.take(form.size))

    def count(self, parts: int = 1) -> int:
        """How many items follow; each takes at least a byte."""
        (count,) = self.unpack(_COUNT)
        if count * parts > min(len(self.data) - self.at, MAX_NODES - self.nodes):
            raise WireError("the message claims more parts than it has")
        return count

    def get(self, depth: int) -> Any:
        self.nodes += 1
        if depth > MAX_DEPTH or self.nodes > MAX_NODES:
            raise WireError("the message has too many parts")
        get = _GET.get(self.take(1)[0])
        if get is None:
            raise WireError("the message has a part of no known type")
        return get(self, depth)

    def integer(self, depth: int) -> int:
        (count,) = self.unpack(_COUNT)
        if count > MAX_INT_BYTES:
            raise WireError("the message has too large a whole number")
        return int.from_bytes(self.take(count), "little", signed=True)

    def string(self, depth: int) -> str:
        (count,) = self.unpack(_COUNT)
        try:
            return str(self.take(count), "utf-8", "surrogatepass")
        except UnicodeDecodeError:
            raise WireError("the message has a broken string") from None

    def items(self, depth: int) -> list:
        return [self.get(depth + 1) for _ in range(self.count())]

    def mapping(self, depth: int) -> dict:
        value: dict = {}
        for _ in range(count := self.count(2)):
            before = self.nodes
            key = self.get(depth + 1)
            self.keys += 0 if type(key) is str else self.nodes - before
            if self.keys > MAX_KEYS:
                raise WireError("the message has too many keys")
            try:
                value[key] = None
            except TypeError:
                raise WireError("the message has a key that cannot be one") from None
            value[key] = self.get(depth + 1)
        if len(value) != count:
            raise WireError("the message has the same key twice")
        return value

    def dtype(self) -> np.dtype:
        code = self.take(1)[0]
        if code >= len(_DTYPES):
            raise WireError("the message has an array of no known type")
        return _DTYPES[code]

    def numbers(self, dtype: np.dtype, count: int) -> np.ndarray:
        data = self.take(count * dtype.itemsize)
        if dtype.kind == "b" and len(data) and np.frombuffer(data, np.uint8).max() > 1:
            raise WireError("the message has a bool that is neither true nor false")
        return np.frombuffer(data, dtype).copy()

    def array(self, depth: int) -> np.ndarray:
        dtype = self.dtype()
        dimensions = self.take(1)[0]
        if dimensions > _MAX_DIMENSIONS:
            raise WireError("the message has an array of too many dimensions")
        shape = struct.unpack(f"<{dimensions}Q", self.take(8 * dimensions))
        if not _bounded(shape, dtype.itemsize):
            raise WireError("the message has too large an array")
        count = 1
        for length in shape:
            count *= length
        return self.numbers(dtype, count).reshape(shape)

    def scalar(self, depth: int) -> np.generic:
        return self.numbers(self.dtype(), 1)[0]

    def rng(self, depth: int) -> Rng:
        seed = self.get(depth + 1)
        if type(seed) is not int or seed < 0:
            raise WireError("the message has a seed that cannot be one")
        return Rng(seed)


_GET: dict[int, Callable[[_Reader, int], Any]] = {
    ord("N"): lambda reader, depth: None,
    ord("T"): lambda reader, depth: True,
    ord("F"): lambda reader, depth: False,
    ord("i"): _Reader.integer,
    ord("f"): lambda reader, depth: reader.unpack(_REAL)[0],
    ord("c"): lambda reader, depth: complex(*reader.unpack(_COMPLEX)),
    ord("s"): _Reader.string,
    ord("l"): _Reader.items,
    ord("t"): lambda reader, depth: tuple(reader.items(depth)),
    ord("d"): _Reader.mapping,
    ord("a"): _Reader.array,
    ord("x"): _Reader.scalar,
    ord("r"): _Reader.rng,
}


def _bounded(shape: tuple, itemsize: int) -> bool:
    """Whether an array of this shape stays small, also when a length of zero in it becomes something else."""
    size = itemsize
    for length in shape:
        size *= max(length, 1)
    return size <= MAX_BYTES


def _plain_dtype(kind: str, size: int) -> np.dtype:
    """The type that an array of this kind travels as: native, and none wider than double precision."""
    code = _CODES.get((kind, size))
    return _DTYPES[code] if code is not None else {"f": _F8, "c": _C16}[kind]


def _refused_dtype(dtype: np.dtype) -> str:
    if dtype.kind == "O":
        return "a NumPy array of objects is not plain data (its rows may differ in length): use an array of numbers"
    return f"a NumPy array of the type `{dtype}` is not plain data: use an array of numbers"


def _refusal(value: Any) -> str:
    """The sentence that says why this value may not cross; trusts nothing of it but its type."""
    kind = type(value)
    module, name = str(kind.__module__), str(kind.__qualname__)
    what = name if module in ("builtins", "__main__") else f"{module}.{name}"
    if issubclass(kind, type) or kind.__name__ in (
        "function",
        "method",
        "builtin_function_or_method",
        "ufunc",
    ):
        return f"a function or class (`{what}`) is not plain data: use {PLAIN}; call it, perhaps?"
    if issubclass(kind, np.random.Generator):
        return f"a random generator (`{what}`) is not plain data: use {PLAIN}"
    if issubclass(kind, np.ndarray):
        return f"`{what}` is not a plain NumPy array: use `np.array(...)` of it"
    if issubclass(kind, Iterator):
        return f"an iterator (`{what}`) does not hold its values yet: use a list of them"
    if issubclass(kind, (set, frozenset, range)) or name in ("dict_keys", "dict_values", "dict_items"):
        return f"`{what}` is not plain data: use a list of its values"
    for base in (bool, int, float, complex, str, list, tuple, dict):
        if issubclass(kind, base):
            return f"`{what}` is only a kind of {base.__name__}: use a plain {base.__name__}"
    return f"a value of the type `{what}` is not plain data: use {PLAIN}"
