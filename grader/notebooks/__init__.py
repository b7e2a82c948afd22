"""Notebooks: from percent source to release, and a hand-in rebuilt from the release copy."""

from grader.notebooks.build import (
    answered,
    build_release,
    build_wheel,
    filled_notebook,
    handout,
    keep_only,
    release_notebook,
    solution_answers,
    source_notebook,
    stale_assignments,
)
from grader.notebooks.handin import Cell, HandIn, UnreadableHandIn, read_hand_in, read_timestamp, rebuild
from grader.notebooks.source import SourceCell, SourceError, parse_solution, solution_namespace, sources

__all__ = [
    "answered",
    "Cell",
    "HandIn",
    "SourceCell",
    "SourceError",
    "UnreadableHandIn",
    "build_release",
    "build_wheel",
    "filled_notebook",
    "handout",
    "keep_only",
    "parse_solution",
    "read_hand_in",
    "read_timestamp",
    "rebuild",
    "release_notebook",
    "solution_answers",
    "solution_namespace",
    "source_notebook",
    "sources",
    "stale_assignments",
]
