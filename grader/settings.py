"""What an instructor may set: the limits of a hand-in, and the sandbox that it runs in.

In the course's nbgrader_config.py, where both ways of grading read it:

```python
c.Grade.limits = {"call_seconds": 20, "memory_bytes": "4GiB"}
c.Grade.sandbox = "landlock"
c.Grade.allow_unsandboxed = False
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from grader.course import Course, CourseError, UnknownName, known
from grader.sandbox import KINDS, Limits

if TYPE_CHECKING:
    from traitlets.config import Config

SANDBOXES = ("auto", *(kind for kind in KINDS if kind != "none"))

_UNITS = {"": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
_AMOUNT = re.compile(r"(\d{1,20}(?:\.\d+)?)\s*([A-Za-z]*)")


@dataclass(frozen=True)
class Settings:
    """How hand-ins are run.

    Attributes:
        limits: what one hand-in may use.
        sandbox: which one, or "auto" for the best that works.
        allow_unsandboxed: grade without one where none works.
    """

    limits: Limits = field(default_factory=Limits)
    sandbox: str = "auto"
    allow_unsandboxed: bool = False

    @classmethod
    def of(cls, course: Course) -> Settings:
        """What the course's nbgrader_config.py sets.

        Raises:
            UnknownName: it sets what there is not.
        """
        try:
            return cls().changed(**configuration(course).Grade)
        except UnknownName as wrong:
            raise UnknownName(f"nbgrader_config.py, c.Grade: {wrong}") from None

    def changed(self, **given: Any) -> Settings:
        """These with others in their place, None for as it is; of `limits`, name -> amount, those not named stay.

        Raises:
            UnknownName: no such setting, limit or sandbox, or a value that is none; says which there are.
        """
        for name in given:
            known(name, asdict(self), "setting")
        given = {
            **asdict(self),
            "limits": {},
            **{name: value for name, value in given.items() if value is not None},
        }
        limits = given["limits"]
        if not isinstance(limits, Mapping):
            raise UnknownName(
                f"limits is {limits!r}; write names and amounts, such as {{'call_seconds': 20}}"
            )
        if type(given["allow_unsandboxed"]) is not bool:
            raise UnknownName(f"allow_unsandboxed is {given['allow_unsandboxed']!r}; write True or False")
        return Settings(
            replace(self.limits, **{name: _amount(str(name), value) for name, value in limits.items()}),
            known(str(given["sandbox"]), SANDBOXES, "sandbox"),
            given["allow_unsandboxed"],
        )


def configuration(course: Course) -> Config:
    """What the course's nbgrader_config.py sets, and the gradebook that the course was given.

    Raises:
        CourseError: it cannot be run.
    """
    from traitlets.config.loader import PyFileConfigLoader

    try:
        config = PyFileConfigLoader("nbgrader_config.py", path=str(course.root)).load_config()
    except Exception as error:
        raise CourseError(f"nbgrader_config.py: {type(error).__name__}: {error}") from error
    config.CourseDirectory.db_url = course.db or config.CourseDirectory.get(
        "db_url", f"sqlite:///{course.root.resolve() / 'gradebook.db'}"
    )
    return config


def limits_from(words: Iterable[str]) -> dict[str, str]:
    """`NAME=VALUE` words as `Settings.changed` takes limits."""
    limits = {}
    for word in words:
        name, sign, amount = word.partition("=")
        if not sign:
            raise UnknownName(f"--limit {word}: write NAME=VALUE, such as call_seconds=20")
        limits[name] = amount
    return limits


def defaults() -> dict[str, str]:
    """Each limit with its default, as one would write it."""
    return {each.name: _written(each.name, each.default) for each in fields(Limits)}


def _amount(name: str, value: Any) -> Any:
    """A limit's value out of a number or of text, with a unit where it counts bytes."""
    known(name, defaults(), "limit")
    default = getattr(Limits, name)
    units, most = (_UNITS, 2**50) if name.endswith("_bytes") else ({"": 1}, 10**9)
    match = _AMOUNT.fullmatch(str(value).strip())
    if match and match[2] in units:
        amount = type(default)(float(match[1]) * units[match[2]])
        if 0 < amount <= most:
            return amount
    raise UnknownName(f"limit {name} is {value!r}; write a number above 0, such as {_written(name, default)}")


def _written(name: str, value: Any) -> str:
    if not name.endswith("_bytes"):
        return f"{value:g}"
    unit = next(unit for unit in ("GiB", "MiB", "KiB", "") if value % _UNITS[unit] == 0)
    return f"{value // _UNITS[unit]}{unit}"
