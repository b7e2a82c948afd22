"""Recorded reference values, so that neither a student's machine nor a grading worker needs Keras.

A case is found by (test, function, number of the call in that test), not by the bytes of its input: `np.exp` and
friends differ in the last bit between processors, so inputs are compared within tolerance.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import zlib
from collections import Counter
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from grader import wire
from grader.compare import agree
from grader.course import PUBLIC_SEED
from grader.driver import Driver


class ReferenceFailed(Exception):
    """A reference value is not recorded, and computing it did not work."""


class CaseBook:
    """The reference values of an assignment's checks under one seed."""

    def __init__(self, assignment: str, seed: str, cases: dict[str, Any] | None = None) -> None:
        self.assignment = assignment
        self.seed = seed
        self.cases = cases or {}

    @classmethod
    def public(cls, assignment: str) -> CaseBook:
        """The cases that ship with the package, for visible checks."""
        shipped = resources.files("grader.cases").joinpath(f"{assignment}.cases")
        return cls(assignment, PUBLIC_SEED, _unpacked(shipped.read_bytes()) if shipped.is_file() else {})

    @classmethod
    def kept(cls, assignment: str, seed: str, folder: Path) -> CaseBook:
        """The cases kept in `folder` for this seed, these checks and these references; empty if there are none."""
        path = folder / f"{assignment}-{fingerprint(assignment, seed)}.cases"
        return cls(assignment, seed, _unpacked(path.read_bytes()) if path.is_file() else {})

    def keep(self, folder: Path) -> Path:
        """Write the cases where `kept` finds them."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.write(folder / f"{self.assignment}-{fingerprint(self.assignment, self.seed)}.cases")

    def write(self, path: Path) -> Path:
        """Write the cases to a file, atomically."""
        aside = path.with_suffix(f".{os.getpid()}")
        aside.write_bytes(zlib.compress(wire.encode(self.cases), 9))
        os.replace(aside, path)
        return path

    def references(self, test: str) -> References:
        """The references as one test sees them."""
        return References(self, test)


class References:
    """`reference.softmax(x)`: the recorded value, or Keras' where nothing is recorded."""

    def __init__(self, book: CaseBook, test: str) -> None:
        self._book = book
        self._test = test
        self._calls: Counter[str] = Counter()

    def __getattr__(self, function: str) -> ReferenceFunction:
        if function.startswith("_"):
            raise AttributeError(function)
        return ReferenceFunction(self, function)

    def _call(
        self, function: str, args: tuple[Any, ...], kwargs: dict[str, Any], driver: Driver | None
    ) -> Any:
        self._calls[function] += 1
        key = f"{self._test} {function} {self._calls[function]}"
        given = [[driver.source, *args] if driver else list(args), kwargs]
        case = self._book.cases.get(key)
        if case is not None and agree(given, case[0]):
            return wire.decode(wire.encode(case[1]))
        try:
            compute = getattr(_module(self._book.assignment), function)
            value = driver.function(compute, *args, **kwargs) if driver else compute(*args, **kwargs)
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise ReferenceFailed(f"reference.{function}: {error}") from error
        self._book.cases[key] = [given, value]
        return value


class ReferenceFunction:
    """One reference."""

    def __init__(self, references: References, name: str, driver: Driver | None = None) -> None:
        self._references, self._name, self._driver = references, name, driver

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What it returns."""
        return self._references._call(self._name, args, kwargs, self._driver)

    def driven_by(self, driver: Driver) -> ReferenceFunction:
        """What calls `driver` with the reference."""
        return ReferenceFunction(self._references, self._name, driver)


@cache
def fingerprint(assignment: str, seed: str) -> str:
    """What recorded values depend on: the seed, the checks and the references, by content."""
    digest = hashlib.sha256(seed.encode())
    root = Path(__file__).parent.parent.parent
    for path in (root / "grader" / "checks" / f"{assignment}.py", *sorted((root / "kerasref").glob("*.py"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _unpacked(packed: bytes) -> dict[str, Any]:
    return wire.decode(zlib.decompress(packed))


@cache
def _module(assignment: str) -> Any:
    try:
        return importlib.import_module(f"kerasref.{assignment}")
    except ModuleNotFoundError as missing:
        raise ReferenceFailed(
            f"this case is not recorded, and computing it needs Keras with its backend: `pip install keras tensorflow` ({missing})"
        ) from missing
