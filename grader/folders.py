"""Where a class's files are, as nbgrader_config.py says."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from grader.course import Course, CourseError
from grader.settings import configuration

STRUCTURE = os.path.join("{nbgrader_step}", "{student_id}", "{assignment_id}")
ANY = "\0"  # in a path, the place of a name


class Folders:
    """The folders of a course's class: nbgrader's, found without importing it.

    Args:
        course: the course.

    Raises:
        CourseError: nbgrader_config.py sets folders that cannot be.
    """

    def __init__(self, course: Course) -> None:
        self._root = course.root.resolve()
        self._set = configuration(course).CourseDirectory
        self._structure: str = self._set.get("directory_structure", STRUCTURE)
        for key in re.findall(r"{\w+}", STRUCTURE):
            if key not in self._structure:
                raise self._wrong("directory_structure", f"has no {key}")
        try:
            released = self.of("release", ".", ANY)
        except (LookupError, ValueError) as error:
            raise self._wrong("directory_structure", f"has {error}") from None
        if os.path.normpath(released) != str(course.assignments.resolve() / ANY):
            shown = str(released).replace(ANY, "NAME")
            raise self._wrong(
                "release_directory",
                f"and directory_structure put releases into {shown}, not {course.assignments}",
            )
        if "root" in self._set and Path(self._set.root).resolve() != self._root:
            raise self._wrong("root", f"is {self._set.root}, and the course is in {self._root}")

    def of(self, step: str, student: str, assignment: str) -> Path:
        """The folder of a student's assignment at one of nbgrader's steps, such as "submitted"."""
        name = self._set.get(f"{step}_directory", step)
        return self._root / self._structure.format(
            nbgrader_step=name, student_id=student, assignment_id=assignment
        )

    def hand_ins(self, assignment: str) -> Iterator[tuple[str, Path]]:
        """The students who are meant and have a place for the assignment, with the path of their notebook.

        Raises:
            CourseError: there is no folder to look in.
        """
        _insist(self.of("submitted", ANY, assignment), assignment)
        return self.found("submitted", assignment)

    def found(self, step: str, assignment: str) -> Iterator[tuple[str, Path]]:
        """The same at any step, none where there is no folder."""
        excluded = self._set.get("student_id_exclude", "").split(",")
        for student, path in _found(self.of(step, ANY, assignment), assignment):
            if fnmatchcase(student, self._set.get("student_id", "*")) and student not in excluded:
                yield student, path

    def _wrong(self, trait: str, what: str) -> CourseError:
        return CourseError(f"nbgrader_config.py: c.CourseDirectory.{trait} {what}")


def hand_ins(folder: Path, assignment: str) -> Iterator[tuple[str, Path]]:
    """The students of a folder who have a place for the assignment, with the path of their notebook.

    Raises:
        CourseError: there is no such folder.
    """
    _insist(folder / ANY / assignment, assignment)
    return _found(folder / ANY / assignment, assignment)


def _insist(place: Path, assignment: str) -> None:
    within = Path(str(place).partition(ANY)[0])
    if not within.is_dir():
        shown = Path(str(place).replace(ANY, "<student>"), f"{assignment}.ipynb")
        raise CourseError(f"no folder {within}: hand-ins are read from {shown}")


def _found(place: Path, assignment: str) -> Iterator[tuple[str, Path]]:
    """What `place`, with `ANY` for the student, stands for, in the order of the students' names."""
    form = os.path.normpath(place)
    first, *rest = map(re.escape, form.split(ANY))
    student = re.compile(f"{first}([^/]+)" + r"\1".join(rest))
    found = filter(
        None, map(student.fullmatch, glob.glob(glob.escape(form).replace(ANY, "*"), include_hidden=True))
    )
    for match in sorted(found, key=lambda match: match[1]):
        if os.path.isdir(match[0]):
            yield match[1], Path(match[0], f"{assignment}.ipynb")
