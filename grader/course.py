"""Where the course is, what it holds, and its secret seed."""

from __future__ import annotations

import difflib
import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

PUBLIC_SEED = "public"


class CourseError(Exception):
    """Something that a user can mend, said in one line."""


class UnknownName(CourseError):
    """A wrong word: says the nearest right ones."""


@dataclass(frozen=True)
class Entry:
    """One assignment in the syllabus."""

    name: str
    title: str
    needs: tuple[str, ...] = ()


@cache
def _listed() -> dict[str, Any]:
    return yaml.safe_load(resources.files("course").joinpath("syllabus.yml").read_text(encoding="utf-8"))


def wheel_address() -> str:
    """Where a notebook that finds no course package installs it from; empty: from the file beside it."""
    return _listed()["wheel"]


@cache
def syllabus() -> dict[str, Entry]:
    """The assignments by name, in the order in which they are taught."""
    return {
        row["name"]: Entry(row["name"], row["title"], tuple(row.get("needs", ())))
        for row in _listed()["assignments"]
    }


def known(name: str, names: Iterable[str], what: str) -> str:
    """`name`, when it is among `names`; else an `UnknownName` with the nearest ones."""
    names = list(names)
    if name in names:
        return name
    if nearest := difflib.get_close_matches(name, names, n=3):
        raise UnknownName(f"no {what} {name!r}; did you mean {' or '.join(nearest)}?")
    raise UnknownName(f"no {what} {name!r}; there are {', '.join(names)}")


@dataclass(frozen=True)
class Course:
    """The folder that holds a course.

    Attributes:
        root: the folder.
        db: the address of its gradebook, in the place of the one that nbgrader_config.py sets.
    """

    root: Path
    db: str | None = None

    @classmethod
    def find(cls, start: Path | None = None) -> Course:
        """The course around `start` (the folder one stands in), looking upward."""
        start = (start or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / "nbgrader_config.py").is_file() and (folder / "assignments").is_dir():
                return cls(folder)
        raise UnknownName(
            f"no course in {start} or above it: go to the folder that holds nbgrader_config.py and assignments/"
        )

    def copied_to(self, root: Path) -> Course:
        """A course of its own in another folder: this one's solutions and settings, nothing released, nobody in it."""
        (root / "assignments").mkdir(parents=True)
        shutil.copy(self.root / "nbgrader_config.py", root)
        shutil.copytree(self.solutions, root / "solutions", ignore=shutil.ignore_patterns("__pycache__"))
        return Course(root)

    @property
    def assignments(self) -> Path:
        return self.root / "assignments"

    @property
    def solutions(self) -> Path:
        return self.root / "solutions"

    @property
    def submitted(self) -> Path:
        return self.root / "submitted"

    @property
    def private(self) -> Path:
        """What must never be released or committed: the secret seed, its cases, result records."""
        folder = self.root / ".grader"
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def released(self, name: str) -> Path:
        """The released notebook of an assignment."""
        path = self.assignments / name / f"{name}.ipynb"
        if not path.is_file():
            raise CourseError(f"{name} is not released: run `grader release {name}`")
        return path

    def seed(self) -> str:
        """The secret seed of grading, made when it is first needed."""
        path = self.private / "seed"
        if not path.exists():
            self.rotate_seed()
        return path.read_text(encoding="ascii").strip()

    def rotate_seed(self) -> str:
        """Make a new secret seed. Marks given before are no longer reproduced to the last input."""
        seed = secrets.token_hex(16)
        aside = self.private / "seed.new"
        aside.touch(mode=0o600)
        aside.write_text(seed + "\n", encoding="ascii")
        os.replace(aside, self.private / "seed")
        return seed
