"""What references refuse. Each error names the argument, what came, what was expected, and what to do.

Checks of named arguments take them by keyword: `same_shape(y_true=y_true, y_pred=y_pred)`.
"""

from typing import Annotated, Any

import numpy as np


def array(name: str, value: Any) -> np.ndarray:
    """A float64 copy of an array of real numbers, or of anything NumPy makes one from."""
    try:
        given = np.asarray(value)
    except ValueError as error:
        raise ValueError(
            f"`{name}` is a {type(value).__name__} that makes no array; expected numbers: give rows of equal length."
        ) from error
    if given.dtype.kind not in "biuf":
        raise ValueError(
            f"`{name}` has dtype {given.dtype} (a {type(value).__name__}); expected an array of real numbers: "
            "convert it first, for example with `np.asarray(..., dtype=float)`."
        )
    return np.array(given, dtype=np.float64, order="C")


def number(name: str, value: Any) -> float:
    """One finite real number as a float."""
    given = _scalar(name, value, "biuf", "a real number")
    if not np.isfinite(given):
        raise ValueError(f"`{name}` is {given}; expected a finite number: give one.")
    return float(given)


def integer(name: str, value: Any) -> int:
    """One whole number as an int."""
    return int(_scalar(name, value, "iu", "an integer"))


def pair(name: str, value: Any) -> tuple[int, int]:
    """A whole number of at least 1, or a pair of them, as a pair."""
    both = value if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2:
        raise ValueError(
            f"`{name}` is {value!r}; expected one whole number or a pair, (height, width): give these."
        )
    first, second = (integer(name, each) for each in both)
    at_least_1(**{name: min(first, second)})
    return first, second


def padding(name: str, value: Any) -> str:
    """`"valid"` or `"same"`."""
    return one_of(name, value, "valid", "same")


def one_of(name: str, value: Any, *known: str) -> str:
    """One of the known names."""
    if not isinstance(value, str) or value not in known:
        names = " or ".join(repr(each) for each in known)
        raise ValueError(f"`{name}` is {value!r}; expected {names}: choose one.")
    return value


def integers(name: str, value: Any) -> np.ndarray:
    """An int64 copy of an array of whole numbers, such as labels."""
    given = array(name, value)
    _refuse(
        name, given, ~(np.isfinite(given) & (given == np.round(given))), "whole numbers: round or encode them"
    )
    return given.astype(np.int64)


def arrays(name: str, value: Any) -> list[np.ndarray]:
    """A list or tuple of arrays, each as a float64 copy."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"`{name}` is a {type(value).__name__}; expected a list of arrays: put them in one.")
    return [array(f"{name}[{place}]", each) for place, each in enumerate(value)]


def named_arrays(name: str, value: Any) -> dict[str, np.ndarray]:
    """A dict of arrays, each as a float64 copy."""
    if not isinstance(value, dict):
        raise ValueError(f"`{name}` is a {type(value).__name__}; expected a dict of arrays: put them in one.")
    return {key: array(f"{name}[{key!r}]", each) for key, each in value.items()}


def generator(name: str, value: Any) -> np.random.Generator:
    """A NumPy random generator, as it is."""
    if not isinstance(value, np.random.Generator):
        raise ValueError(
            f"`{name}` is a {type(value).__name__}; expected a generator: make one by `np.random.default_rng(seed)`."
        )
    return value


Pair = Annotated[int | tuple[int, int], pair]
Padding = Annotated[str, padding]
Integers = Annotated[np.ndarray, integers]
Arrays = Annotated[list[np.ndarray], arrays]
Generator = Annotated[np.random.Generator, generator]
NamedArrays = Annotated[dict[str, np.ndarray], named_arrays]


def _scalar(name: str, value: Any, kinds: str, expected: str) -> Any:
    try:
        given = np.asarray(value)
    except ValueError:
        given = np.asarray(None)
    if given.ndim or given.dtype.kind not in kinds:
        raise ValueError(f"`{name}` is {value!r}; expected {expected}: give one number.")
    return given[()]


def same_shape(**arrays: np.ndarray) -> None:
    """Refuse arrays of different shapes: arguments do not broadcast against each other."""
    (first, expected), *others = arrays.items()
    for name, given in others:
        if given.shape != expected.shape:
            raise ValueError(
                f"`{name}` has shape {given.shape}, `{first}` has {expected.shape}; expected equal shapes, "
                f"arguments do not broadcast: reshape one of them."
            )


def alike(**arrays: np.ndarray) -> None:
    """Refuse arrays of different shapes, and arrays without elements, whose mean is undefined."""
    same_shape(**arrays)
    _not_empty(**arrays)


def rank(expected: int, axes: str, **arrays: np.ndarray) -> None:
    """Refuse arrays of another rank than `expected`, or with an axis of size 0; `axes` says what the axes are."""
    for name, given in arrays.items():
        if given.ndim != expected:
            raise ValueError(
                f"`{name}` has shape {given.shape}; expected rank {expected}, {axes}: add or drop an axis."
            )
    _not_empty(**arrays)


def size(expected: int, axis: int, why: str, **arrays: np.ndarray) -> None:
    """Refuse arrays whose `axis` is not of size `expected`; `why` says where that size comes from."""
    for name, given in arrays.items():
        if given.shape[axis] != expected:
            raise ValueError(
                f"`{name}` has shape {given.shape}; expected {expected} along axis {axis}, {why}: make them agree."
            )


def positive(**numbers: float) -> None:
    """Refuse numbers that are not above 0."""
    for name, given in numbers.items():
        if not given > 0:
            raise ValueError(f"`{name}` is {given}; expected a number above 0: give one.")


def not_negative(**numbers: float) -> None:
    """Refuse numbers below 0."""
    for name, given in numbers.items():
        if not given >= 0:
            raise ValueError(f"`{name}` is {given}; expected a number of at least 0: give one.")


def at_least_1(**numbers: int) -> None:
    """Refuse whole numbers below 1."""
    for name, given in numbers.items():
        if given < 1:
            raise ValueError(f"`{name}` is {given}; expected at least 1: give a larger one.")


def fraction(**numbers: float) -> None:
    """Refuse numbers outside [0, 1)."""
    for name, given in numbers.items():
        if not 0 <= given < 1:
            raise ValueError(f"`{name}` is {given}; expected a number from 0 to below 1: give one.")


def same_length(**each: Any) -> None:
    """Refuse arrays or lists of different lengths."""
    (first, expected), *others = each.items()
    for name, given in others:
        if len(given) != len(expected):
            raise ValueError(
                f"`{name}` has length {len(given)}, `{first}` has {len(expected)}; expected equal lengths: make them agree."
            )


def labels_below(classes: int, **labels: np.ndarray) -> None:
    """Refuse whole numbers outside 0 to `classes - 1`."""
    for name, given in labels.items():
        _refuse(
            name, given, (given < 0) | (given >= classes), f"classes from 0 to {classes - 1}: renumber them"
        )


def axis_of(x: np.ndarray, axis: int) -> int:
    """`axis` of `x`, counted from the front."""
    if not -x.ndim <= axis < x.ndim:
        axes = f"an axis from {-x.ndim} to {x.ndim - 1}" if x.ndim else "`x` to have an axis"
        raise ValueError(
            f"`axis` is {axis}, but `x` has shape {x.shape}; expected {axes}: change `axis` or reshape `x`."
        )
    return axis % x.ndim


def signs(**labels: np.ndarray) -> None:
    """Refuse labels other than -1 and 1."""
    for name, given in labels.items():
        _refuse(
            name, given, ~np.isin(given, (-1, 1)), "labels -1 or 1: convert labels 0 and 1 by `2 * y - 1`"
        )


def within_0_1(**labels: np.ndarray) -> None:
    """Refuse labels outside [0, 1]."""
    for name, given in labels.items():
        _refuse(name, given, ~((given >= 0) & (given <= 1)), "labels from 0 to 1: scale them")


def one_hot(**labels: np.ndarray) -> None:
    """Refuse rows that are not a single 1 among zeros."""
    for name, given in labels.items():
        _refuse(name, given, ~np.isin(given, (0, 1)), "one-hot rows of 0 and 1: encode the labels")
        sums = given.sum(axis=-1)
        if (sums != 1).any():
            row = np.argwhere(sums != 1)[0].tolist()
            raise ValueError(
                f"`{name}` has {int(sums[tuple(row)])} ones at row {row}; expected one-hot rows: give each a single 1."
            )


def _not_empty(**arrays: np.ndarray) -> None:
    for name, given in arrays.items():
        if given.size == 0:
            raise ValueError(
                f"`{name}` has shape {given.shape}, so it is empty; expected at least one element: give some."
            )


def _refuse(name: str, given: np.ndarray, wrong: np.ndarray, expected: str) -> None:
    """Refuse an array with a wrong element and show the first one."""
    if wrong.any():
        place = tuple(np.argwhere(wrong)[0].tolist())
        raise ValueError(f"`{name}` has {given[place]} at {list(place)}; expected {expected}.")
