"""Comparing what came with what was expected, in words that a student can use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from grader.wire import Rng


class Mismatch(AssertionError):
    """An answer that differs. `expected`, `actual` and the first `place` are kept for a picture and a closer look."""

    def __init__(
        self, message: str, expected: Any = None, actual: Any = None, place: tuple[int, ...] | None = None
    ) -> None:
        super().__init__(message)
        self.place = place
        self.expected = expected
        self.actual = actual


def assert_close(
    actual: Any,
    expected: Any,
    parts: Sequence[str] = (),
    /,
    *,
    rtol: float = 1e-9,
    atol: float = 1e-12,
) -> None:
    """Pass when `actual` has the shape of `expected` and its values within tolerance.

    Lists, tuples and dicts are compared part by part; NaN agrees with NaN and an infinity with itself.

    Args:
        actual: what the student's function returned: numbers, arrays, or lists, tuples, dicts of them.
        expected: what the reference returned.
        parts: what the parts of a tuple are called, `("dx", "dkernel")`, for the message.
        rtol: relative tolerance.
        atol: absolute tolerance.

    Raises:
        Mismatch: they differ; its message gives the shape first, then the first place and the largest error.
    """
    _compare(actual, expected, rtol, atol, "", parts)


def agree(actual: Any, expected: Any, rtol: float = 1e-9, atol: float = 1e-12) -> bool:
    """Whether `assert_close` would pass."""
    try:
        _compare(actual, expected, rtol, atol, "")
    except Mismatch:
        return False
    return True


def _compare(
    actual: Any, expected: Any, rtol: float, atol: float, where: str, parts: Sequence[str] = ()
) -> None:
    if isinstance(expected, dict):
        _same_kind(actual, dict, "a dict", where)
        if set(actual) != set(expected):
            raise Mismatch(
                f"{_the(where)} has the keys {sorted(map(str, actual))}, expected {sorted(map(str, expected))}"
            )
        for key in expected:
            _compare(actual[key], expected[key], rtol, atol, f"{where}[{key!r}]")
    elif isinstance(expected, list | tuple):
        _same_kind(actual, list | tuple, f"{_counted(len(expected), 'value')} together", where)
        if len(actual) != len(expected):
            raise Mismatch(f"{_the(where)} has {_counted(len(actual), 'part')}, expected {len(expected)}")
        for place, (one, other) in enumerate(zip(actual, expected, strict=True)):
            _compare(one, other, rtol, atol, f" {parts[place]}" if parts else f"{where}[{place}]")
    elif isinstance(expected, str | Rng) or expected is None:
        if type(actual) is not type(expected) or actual != expected:
            raise Mismatch(f"{_the(where)} is {_shown(actual)}, expected {expected!r}")
    else:
        _compare_arrays(actual, np.asarray(expected), rtol, atol, where)


def _compare_arrays(actual: Any, expected: np.ndarray, rtol: float, atol: float, where: str) -> None:
    if actual is None:
        raise Mismatch(f"{_the(where)} is None: does every path of your function end in a `return`?")
    if isinstance(actual, list | tuple | dict | str):
        raise Mismatch(f"{_the(where)} is a {type(actual).__name__}, expected {_kind(expected)}")
    got = np.asarray(actual)
    if got.dtype.kind not in "biufc":
        what = "a whole number too large for NumPy" if type(actual) is int else f"a {type(actual).__name__}"
        raise Mismatch(f"{_the(where)} is {what}, expected {_kind(expected)}")
    if got.shape != expected.shape:
        came = f"has shape {got.shape}" if got.ndim else "is one number"
        wanted = f"shape {expected.shape}" if expected.ndim else "one number"
        raise Mismatch(f"{_the(where)} {came}, expected {wanted}", expected, got)
    if got.dtype == expected.dtype and got.tobytes() == expected.tobytes():
        return
    one, other = np.atleast_1d(got), np.atleast_1d(expected)
    with np.errstate(all="ignore"):
        both = (
            one.astype(np.result_type(one, other, np.float64)),
            other.astype(np.result_type(one, other, np.float64)),
        )
        error = np.abs(both[0] - both[1])
        near = np.isfinite(error) & ((error <= atol) | (error <= rtol * np.abs(both[1])))
    wrong = ~(near | (both[0] == both[1]) | (np.isnan(both[0]) & np.isnan(both[1])))
    if not wrong.any():
        return
    first = tuple(int(i) for i in np.argwhere(wrong)[0])
    lines = []
    if expected.ndim:
        count = int(wrong.sum())
        lines.append(f"{_the(where)} differs in {count} of {_counted(wrong.size, 'place')}")
        wanted, came = _numbers(other[first], one[first])
        lines.append(f"first at {list(first)}: expected {wanted}, got {came}")
    else:
        wanted, came = _numbers(other[0], one[0])
        lines.append(f"{_the(where)} is {came}, expected {wanted}")
    finite = np.where(np.isfinite(error) & wrong, error, -1.0)
    if expected.ndim and finite.max() >= 0:
        worst = np.unravel_index(int(finite.argmax()), finite.shape)
        lines.append(f"largest error {finite.max():.3g} at {[int(i) for i in worst]}")
    elif expected.ndim == 0 and np.isfinite(error[0]):
        lines.append(f"off by {error[0]:.3g}")
    lines += _factor(both[0], both[1])
    if got.dtype in (np.float16, np.float32) and np.allclose(
        both[0], both[1], rtol=1e-2, atol=1e-3, equal_nan=True
    ):
        lines.append(f"yours is {got.dtype}, which has few digits: compute in the precision of the input")
    if np.isnan(both[0][wrong]).any():
        lines.append("NaN came: look for 0/0, inf - inf or inf * 0")
    raise Mismatch("; ".join(lines), expected, got, first if expected.ndim else None)


def _same_kind(actual: Any, kind: Any, words: str, where: str) -> None:
    if not isinstance(actual, kind):
        raise Mismatch(f"{_the(where)} is {_shown(actual)}, expected {words}")


def _the(where: str) -> str:
    if where.startswith(" "):
        return f"the part `{where[1:]}`"
    return f"result{where}" if where else "the result"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _kind(expected: np.ndarray) -> str:
    return f"an array of shape {expected.shape}" if expected.ndim else "one number"


def _shown(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _numbers(*values: Any) -> list[str]:
    """The numbers with as many digits as tell them apart; no bools, no minus zero."""
    short = [f"{value + 0.0:.10g}" for value in values]
    return short if len(set(short)) == len(values) else [f"{value + 0.0:.17g}" for value in values]


def _factor(actual: np.ndarray, expected: np.ndarray) -> list[str]:
    """That the result is the right one times a constant, where that tells something."""
    telling = (expected != 0) | (actual != 0)
    if not (np.isrealobj(actual) and np.isrealobj(expected) and telling.any()):
        return []
    with np.errstate(all="ignore"):
        ratios = actual[telling] / expected[telling]
    ratio = ratios[0]
    if not np.isfinite(ratios).all() or abs(ratio - 1) < 1e-3 or not 1e-6 < abs(ratio) < 1e6:
        return []
    return [f"that is {ratio:.6g} times what it should be"] if np.allclose(ratios, ratio, rtol=1e-6) else []
