"""Values cross unchanged, anything else is refused in words, and no bytes do harm."""

import enum
import struct
import tracemalloc
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from grader.wire import MAX_DEPTH, MAX_KEYS, MAX_NODES, Rng, WireError, decode, encode


def same(a, b):
    """Equal in type, value and bits."""
    if type(a) is not type(b):
        return False
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if type(a) is dict:
        return same(list(a.items()), list(b.items()))
    if isinstance(a, (np.ndarray, np.generic)):
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    if type(a) is float:
        return struct.pack("d", a) == struct.pack("d", b)
    if type(a) is complex:
        return same((a.real, a.imag), (b.real, b.imag))
    return a == b


dtypes = st.sampled_from(["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"])
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**500), 2**500)
    | st.floats()
    | st.complex_numbers()
    | st.text(st.characters(), max_size=20)
    | st.builds(Rng, st.integers(0, 2**128))
    | dtypes.flatmap(lambda name: npst.from_dtype(np.dtype(name)))
)
arrays = npst.arrays(dtypes, npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
keys = st.text() | st.integers() | st.tuples(st.integers(), st.text())
values = st.recursive(
    scalars | arrays,
    lambda inner: st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(keys, inner),
    max_leaves=20,
)


@settings(deadline=None)
@given(values)
@example("\ud83d\ude00 \udcff")
@example({1: "a", (1, None): {"b": np.bool_(True)}})
def test_plain_data_comes_back_the_same(value):
    assert same(decode(encode(value)), value)


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200) | values.map(encode), st.data())
def test_any_bytes_are_a_value_or_a_wire_error(data, draw):
    data = bytearray(b"kfs1" + data.removeprefix(b"kfs1"))
    for _ in range(draw.draw(st.integers(0, 3))):
        data[draw.draw(st.integers(4, len(data) - 1)) if len(data) > 4 else 0] = draw.draw(
            st.integers(0, 255)
        )
    try:
        value = decode(data)
    except WireError:
        return
    assert same(decode(encode(value)), value)


def test_arrays_come_back_native_contiguous_and_writable():
    big_endian = np.arange(6, dtype=">f4").reshape(2, 3).T
    back = decode(encode(big_endian))
    assert (
        back.dtype == np.float32 and back.dtype.isnative and back.flags.c_contiguous and back.flags.writeable
    )
    np.testing.assert_array_equal(back, big_endian)


def test_extended_precision_comes_back_double():
    assert same(decode(encode(np.longdouble(1.5))), np.float64(1.5))
    assert decode(encode(np.ones(2, np.clongdouble))).dtype == np.complex128


def test_rng_is_the_generator_of_its_seed():
    assert decode(encode(Rng(7))).generator().random() == np.random.default_rng(7).random()


class Colour(enum.IntEnum):
    RED = 1


class Text(str):
    pass


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (np.ones((2, 2)).view(np.matrix), "`numpy.matrix` is not a plain NumPy array"),
        (np.ma.array([1, 2]), "MaskedArray` is not a plain NumPy array"),
        (np.array([None]), "array of objects"),
        (np.array(["a"]), "type `<U1`"),
        (np.zeros(1, [("a", "f8")]), "array of the type"),
        (np.array(["2020-01-01"], "datetime64[D]"), "datetime64"),
        (np.datetime64("2020-01-01"), "numpy.datetime64"),
        (np.str_("a"), "only a kind of str"),
        (OrderedDict(a=1), "collections.OrderedDict` is only a kind of dict"),
        (namedtuple("Point", "x y")(1, 2), "Point` is only a kind of tuple"),
        (Colour.RED, "only a kind of int"),
        (Text("a"), "only a kind of str"),
        ({1, 2}, "`set` is not plain data: use a list"),
        (range(3), "`range` is not plain data: use a list"),
        ({}.keys(), "`dict_keys` is not plain data: use a list"),
        ((x for x in ()), "an iterator (`generator`)"),
        (map(abs, []), "an iterator (`map`)"),
        (len, "a function or class"),
        (np.sin, "a function or class"),
        (dict, "a function or class"),
        (np.random.default_rng(0), "a random generator"),
        (b"bytes", "`bytes` is not plain data"),
        (np, "`module` is not plain data"),
        (2**5000, "5,001 bits"),
        (np.broadcast_to(1.0, (2**20, 2**20)), "too large"),
        (Rng(-1), "not negative"),
    ],
)
def test_what_is_not_plain_is_refused_in_words(value, words):
    for wrapped in (value, [1, {"a": (value,)}]):
        with pytest.raises(WireError) as error:
            encode(wrapped)
        assert words in str(error.value)


def test_size_is_bounded_where_it_is_sent():
    loop: list = []
    loop.append(loop)
    doubled: list = [0]
    for _ in range(40):
        doubled = [doubled, doubled]
    for value, words in [(loop, "deep"), (doubled, "parts"), ([0] * (MAX_NODES + 1), "too long")]:
        with pytest.raises(WireError, match=words):
            encode(value)
    with pytest.raises(WireError, match="keys"):
        encode(dict.fromkeys(range(MAX_KEYS + 1)))


def u32(number):
    return struct.pack("<I", number)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"?", id="unknown tag"),
        pytest.param(b"NN", id="more after the end"),
        pytest.param(b"l" + u32(2**32 - 1), id="list of four billion"),
        pytest.param(b"d" + u32(2**31) + b"N" * 100, id="dict of two billion"),
        pytest.param(b"s" + u32(2**32 - 1) + b"a", id="string of four gigabytes"),
        pytest.param(b"s" + u32(1) + b"\xff", id="string that is no UTF-8"),
        pytest.param(b"i" + u32(2**31) + b"1", id="number of two gigabytes"),
        pytest.param((b"l" + u32(1)) * (MAX_DEPTH + 2) + b"N", id="too deep"),
        pytest.param((b"l" + u32(1)) * 100_000 + b"N", id="far too deep"),
        pytest.param(b"d" + u32(1) + b"l" + u32(0) + b"N", id="list as a key"),
        pytest.param(b"d" + u32(1) + b"aN", id="key cut"),
        pytest.param(b"d" + u32(2) + b"TN" + b"TN", id="the same key twice"),
        pytest.param(b"a\xff\x00", id="unknown array type"),
        pytest.param(b"a\x0b\x01" + struct.pack("<Q", 2**40), id="array of a terabyte"),
        pytest.param(b"a\x0b\x02" + struct.pack("<2Q", 0, 2**60), id="empty array of a huge shape"),
        pytest.param(b"a\x0b\x02" + struct.pack("<2Q", 2**63, 2), id="array whose size wraps around"),
        pytest.param(b"a\x0b\x40" + struct.pack("<64Q", *[1] * 64) + bytes(8), id="array of 64 dimensions"),
        pytest.param(b"a\x00\x01" + struct.pack("<Q", 1) + b"\x02", id="bool of two"),
        pytest.param(b"x\x00\x07", id="scalar bool of seven"),
        pytest.param(b"r" * 100_000, id="seeds of seeds"),
        pytest.param(b"rF", id="seed that is no number"),
    ],
)
def test_hostile_bytes_are_refused_without_taking_memory(body):
    data = b"kfs1" + body
    tracemalloc.start()
    try:
        with pytest.raises(WireError):
            decode(data)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


def test_colliding_keys_are_bounded():
    prime = 2**61 - 1
    pairs = b"".join(encode(key * prime)[4:] + b"N" for key in range(MAX_KEYS + 1))
    with pytest.raises(WireError, match="keys"):
        decode(b"kfs1d" + u32(MAX_KEYS + 1) + pairs)


def test_a_pickle_is_no_message():
    with pytest.raises(WireError):
        decode(b"\x80\x04N.")
