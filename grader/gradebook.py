"""nbgrader's gradebook, driven from here."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, redirect_stdout
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import nbformat

from grader.course import Course, CourseError
from grader.folders import Folders
from grader.notebooks import UnreadableHandIn, keep_only, read_timestamp, rebuild
from grader.report.plain import UNFIT, fit_for_a_name
from grader.result import Result
from grader.settings import configuration

if TYPE_CHECKING:
    from nbgrader.api import Comment, Grade
    from nbgrader.coursedir import CourseDirectory
    from sqlalchemy import Connection, Engine
    from traitlets.config import Config

UNUSED = {
    ("CourseDirectory", "notebook_id"): "an assignment has one notebook",
    ("Autograde", "exclude_overwriting"): "of a hand-in, only its notebook is taken",
    ("Autograde", "force"): "say `grader grade --force`",
    ("BaseConverter", "force"): "say `grader grade --force`",
    ("Execute", ""): "hand-ins run in a sandbox, whose limits are in c.Grade.limits",
}
KNOWN = "SELECT n.id FROM notebook n JOIN assignment a ON a.id = n.assignment_id WHERE a.name = :assignment AND n.name = :assignment"
STORED = """
SELECT s.student_id, c.name, g.auto_score, a.duedate, s.extension, n.late_submission_penalty
FROM assignment a
JOIN submitted_assignment s ON s.assignment_id = a.id
JOIN submitted_notebook n ON n.assignment_id = s.id
JOIN base_cell c ON c.notebook_id = n.notebook_id
JOIN grade g ON g.notebook_id = n.id AND g.cell_id = c.id
WHERE a.name = :assignment"""


def course_directory(course: Course, **traits: Any) -> CourseDirectory:
    """The course as nbgrader sees it."""
    from nbgrader.coursedir import CourseDirectory

    return CourseDirectory(config=configuration(course), root=str(course.root.resolve()), **traits)


@contextmanager
def open_database(course: Course) -> Iterator[Connection]:
    """A connection to the course's gradebook.

    Raises:
        CourseError: there is none at its address.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.exc import ArgumentError, SQLAlchemyError

    address = configuration(course).CourseDirectory.db_url
    with ExitStack() as stack:
        try:
            engine: Engine = create_engine(address)
            stack.callback(engine.dispose)
            connection = stack.enter_context(engine.connect())
        except ModuleNotFoundError as missing:
            raise CourseError(
                f'the gradebook needs {missing.name}: pip install "keras-from-scratch[postgresql]"'
            ) from None
        except ArgumentError:
            raise CourseError(
                "the gradebook's address must be like sqlite:////folder/gradebook.db or postgresql://user@host/database"
            ) from None
        except SQLAlchemyError as error:
            raise CourseError(f"the gradebook at {engine.url!r} cannot be opened: {short(error)}") from None
        yield connection


class Change(NamedTuple):
    """A mark that moved."""

    student: str
    exercise: str
    old: float
    new: float


@dataclass
class _Rows:
    """One hand-in's rows of the gradebook, for nbgrader's steps, which look for each by name and commit each."""

    grades: dict[str, Grade]
    comments: dict[str, Comment]

    def find_grade(self, name: str, *_: str) -> Grade:
        return self.grades[name]

    def find_comment(self, name: str, *_: str) -> Comment:
        return self.comments[name]

    @property
    def db(self) -> _Rows:
        return self

    def commit(self) -> None:
        """Not now: all of a hand-in at once."""


class Writer:
    """Puts results where nbgrader's autograde would: into the gradebook and `autograded/`.

    What comes out is what `nbgrader autograde` makes of the same hand-ins. It takes the same steps, but keeps one
    gradebook open for the class and does once what is the same for all. Manual marks, extra credit and comments stay.

    A hand-in is in when the gradebook has it, then its files are replaced, then a record in `.grader/` names what was
    written: killed anywhere before that, it counts as not written, and writing it again gives the same.

    Args:
        course: the course.
        assignment: the assignment.

    Attributes:
        changes: the marks that moved, a student's first ones aside.
        warnings: hooks that failed, and settings of nbgrader's that have no meaning here.

    Raises:
        CourseError: the gradebook cannot be opened or does not know the assignment, or nbgrader_config.py sets what cannot be.
    """

    def __init__(self, course: Course, assignment: str) -> None:
        self.course = course
        self.assignment = assignment
        self.changes: list[Change] = []
        self._records = course.private / "gradebook" / assignment
        self._folders = Folders(course)
        self._config = configuration(course)
        self.warnings = _unused(self._config)
        self._settings = hashlib.sha256((course.root / "nbgrader_config.py").read_bytes()).hexdigest()
        self._open = ExitStack()

    def __enter__(self) -> Writer:
        from sqlalchemy import text
        from sqlalchemy.exc import SQLAlchemyError

        self._connection = self._open.enter_context(open_database(self.course))
        try:
            with self._connection.begin():
                known = self._connection.execute(text(KNOWN), {"assignment": self.assignment}).first()
        except SQLAlchemyError:  # a new database has no tables
            known = None
        if known is None:
            self._open.close()
            raise CourseError(
                f"the gradebook does not know {self.assignment}: run `grader release {self.assignment}`"
            )
        self._notebook_id = known[0]
        return self

    def __exit__(self, *_: Any) -> None:
        self._open.close()

    def prepare(self) -> None:
        """Import what writing needs: nbgrader takes more than a second."""
        with quiet():
            import nbgrader.converters  # noqa: F401

    def written(self, key_of: Mapping[str, str]) -> set[str]:
        """The students whose result is in the gradebook and in `autograded/` already.

        Args:
            key_of: student -> the key of the result that should be there.
        """
        with self._connection.begin():
            stored = self._stored()
        return {
            student
            for student, key in key_of.items()
            if student in stored and self._kept(student) == self._record(student, key, stored[student])
        }

    def hand_in(self, student: str) -> Path:
        """The path of a hand-in."""
        return self._folders.of("submitted", student, self.assignment) / f"{self.assignment}.ipynb"

    @property
    def before(self) -> Callable[[str, Path], None] | None:
        """The course's `pre_convert_hook`, if it has one, for a hand-in before it is read."""
        if any("pre_convert_hook" in self._config[section] for section in ("BaseConverter", "Autograde")):
            return lambda student, _: self._hook("pre_convert_hook", student)
        return None

    def _hook(self, name: str, student: str) -> None:
        """Run a hook as nbgrader does, but say so where it fails."""
        hook = getattr(self._steps.app, name)
        if hook is None:
            return
        try:
            with chdir(self.course.root), redirect_stdout(sys.stderr):
                hook(assignment=self.assignment, student=student, notebooks=[str(self.hand_in(student))])
        except Exception as error:
            self.warnings.append(f"{name} failed for {student}: {type(error).__name__}: {short(error)}")

    def write(self, student: str, key: str, raw: bytes | None, result: Result) -> str:
        """Put one result in.

        Args:
            student: whose.
            key: the result's name in the store; empty where it is not kept, so that it will be written again.
            raw: the notebook as it was handed in, None where it could not be read.
            result: what grading found.

        Returns:
            What went wrong, or nothing. Where something did, the hand-in is zero and flagged for a look by hand.

        Raises:
            CourseError: the gradebook or the disk does not take anything.
        """
        from sqlalchemy.exc import InterfaceError, OperationalError

        if not fit_for_a_name(student):
            return f"nbgrader cannot take a name {UNFIT}: rename the folder"
        if not self._steps.takes(student):
            return "the gradebook does not know this student, and c.Autograde.create_student is False"
        try:
            with quiet():
                self._write(student, key, raw, result)
        except Exception as error:
            causes = (error, error.__context__)  # nbgrader raises its own in the place of its database's
            if any(isinstance(each, InterfaceError | OperationalError | OSError) for each in causes):
                raise CourseError(f"the result of {student} could not be written: {short(error)}") from None
            with quiet(), self._connection.begin(), self._steps.session() as session:
                self._steps.refuse(session, student)
            shutil.rmtree(self._file(student).parent, ignore_errors=True)
            return f"nbgrader did not take the result ({type(error).__name__}: {short(error)})"
        self._hook("post_convert_hook", student)
        return ""

    def _write(self, student: str, key: str, raw: bytes | None, result: Result) -> None:
        timestamp = read_timestamp(self.hand_in(student).parent)
        try:
            notebook = rebuild(raw or b"", self._steps.release).notebook()
        except UnreadableHandIn:
            notebook = copy.deepcopy(self._steps.release)
        (self._records / student).unlink(missing_ok=True)
        with self._connection.begin(), self._steps.session() as session:
            notebook, stored, moved = self._steps.take(session, student, notebook, result, timestamp)
            session.commit()
        self.changes += moved
        files = {f"{self.assignment}.ipynb": (nbformat.v4.writes(notebook) + "\n").encode()}
        if timestamp is not None:
            files["timestamp.txt"] = timestamp
        keep_only(self._file(student).parent, files)
        self._steps.app.set_permissions(self.assignment, student)
        if key:
            self._records.mkdir(parents=True, exist_ok=True)
            aside = self._records / "<new>"  # which is no student's name
            aside.write_text(json.dumps(self._record(student, key, stored)), encoding="utf-8")
            os.replace(aside, self._records / student)

    @cached_property
    def _steps(self) -> _Steps:
        return self._open.enter_context(
            _Steps(self.course, self.assignment, self._connection, self._notebook_id)
        )

    def _file(self, student: str) -> Path:
        return self._folders.of("autograded", student, self.assignment) / f"{self.assignment}.ipynb"

    def _stored(self) -> dict[str, dict[str, Any]]:
        """Student -> what the gradebook holds of our making."""
        from sqlalchemy import DateTime, Interval, text

        query = text(STORED).columns(duedate=DateTime, extension=Interval)
        stored: dict[str, dict[str, Any]] = {}
        for row in self._connection.execute(query, {"assignment": self.assignment}):
            of_student = stored.setdefault(row.student_id, {"marks": {}, "late": _late(row, row, row)})
            of_student["marks"][row.name] = row.auto_score
        return stored

    def _record(self, student: str, key: str, stored: dict[str, Any]) -> dict[str, Any] | None:
        """All that must be as it was when a result was written, or None where the file is gone."""
        try:
            facts = self._file(student).stat()
        except OSError:
            return None
        timestamp = read_timestamp(self.hand_in(student).parent)
        return {
            "key": key,
            "settings": self._settings,
            "timestamp": timestamp and hashlib.sha256(timestamp).hexdigest(),
            "file": [facts.st_mtime_ns, facts.st_size],
            **stored,
        }

    def _kept(self, student: str) -> Any:
        try:
            return json.loads((self._records / student).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}


class _Steps:
    """nbgrader's autograde in pieces: what it takes a hand-in through, as nbgrader_config.py says.

    Args:
        course: the course.
        assignment: the assignment.
        connection: to its gradebook.
        notebook_id: the assignment's notebook there.
    """

    def __init__(self, course: Course, assignment: str, connection: Connection, notebook_id: str) -> None:
        with quiet():
            from nbgrader.api import BaseCell, Gradebook
            from nbgrader.converters import Autograde
            from sqlalchemy.orm import scoped_session, sessionmaker

            self.assignment = assignment
            self.connection = connection
            self.notebook_id = notebook_id
            from grader.autograde import made, steps_of

            place = course_directory(course, assignment_id=assignment)
            try:
                self.app = Autograde(coursedir=place, config=configuration(course))
                sanitize, self.steps = made(self.app, self.app.sanitize_preprocessors), steps_of(self.app)
            except Exception as error:
                raise CourseError(f"nbgrader_config.py: {short(error)}") from error
            self._who = {"notebook": assignment, "assignment": assignment, "db_url": place.db_url}
            self.release = nbformat.read(course.released(assignment), as_version=4)
            for step in sanitize:
                self.release, _ = step.preprocess(self.release, {"nbgrader": self._who})
            self.gradebook = Gradebook(place.db_url, place.course_id)
            self.gradebook.db.remove()
            self.gradebook.db = scoped_session(
                sessionmaker(connection, join_transaction_mode="rollback_only", expire_on_commit=False)
            )
            with connection.begin(), self.session() as session:
                cells = session.query(BaseCell.id, BaseCell.name).filter_by(notebook_id=notebook_id)
                self.cells: dict[str, str] = dict(cells.tuples())

    def __enter__(self) -> _Steps:
        return self

    def __exit__(self, *_: Any) -> None:
        self.gradebook.close()

    @contextmanager
    def session(self) -> Iterator[Any]:
        """nbgrader's session for one transaction of ours: its commits wait for it."""
        try:
            yield self.gradebook.db
        finally:
            self.gradebook.db.remove()

    def takes(self, student: str) -> bool:
        """Whether this student may have a place in the gradebook."""
        from nbgrader.api import Student

        if self.app.create_student:
            return True
        with self.connection.begin(), self.session() as session:
            return session.get(Student, student) is not None

    def take(
        self, session: Any, student: str, notebook: Any, result: Result, timestamp: bytes | None
    ) -> tuple[Any, dict[str, Any], list[Change]]:
        """Take a rebuilt hand-in through all steps.

        Returns:
            The notebook as it is to be kept, what the gradebook holds of our making, and the marks that moved.
        """
        from nbgrader.preprocessors import AssignLatePenalties, CheckCellMetadata, SaveAutoGrades

        from grader import autograde

        name = self.assignment
        submission, row, rows = self._rows(session, student, autograde.time_of(timestamp))
        before = {cell: grade.auto_score for cell, grade in rows.grades.items()}
        needs_a_look = False
        resources = {"nbgrader": {**self._who, "student": student}}
        for step in self.steps:
            match step:
                case autograde.Grade():
                    notebook, needs_a_look = autograde.with_result(notebook, result)
                case SaveAutoGrades():
                    step.gradebook = rows
                    step.notebook_id, step.assignment_id, step.student_id = name, name, student
                    for place, cell in enumerate(notebook.cells):
                        step.preprocess_cell(cell, resources, place)
                case AssignLatePenalties():
                    row.late_submission_penalty = _penalty(step, submission, row)
                case autograde.FlagForALook():
                    for grade in rows.grades.values() if needs_a_look else ():
                        grade.needs_manual_grade = True
                case CheckCellMetadata():
                    pass  # it held for the release, and a hand-in has no other
                case _:
                    notebook, resources = step.preprocess(notebook, resources)
        for grade in rows.grades.values():
            if grade.auto_score is None:
                grade.auto_score, grade.needs_manual_grade = 0.0, True
        moved = [
            Change(student, cell.removeprefix("check-"), before[cell], grade.auto_score)
            for cell, grade in rows.grades.items()
            if before[cell] not in (None, grade.auto_score)
        ]
        stored = {
            "marks": {cell: grade.auto_score for cell, grade in rows.grades.items()},
            "late": _late(submission.assignment, submission, row),
        }
        return notebook, stored, moved

    def refuse(self, session: Any, student: str) -> None:
        """Give a hand-in zero and flag it for a look by hand."""
        _, _, rows = self._rows(session, student)
        for grade in rows.grades.values():
            grade.auto_score, grade.needs_manual_grade = 0.0, True
        session.commit()

    def _rows(self, session: Any, student: str, when: Any = None) -> tuple[Any, Any, _Rows]:
        """A student's submission, notebook, grades and comments in the gradebook, made where they are not there."""
        from nbgrader.api import Comment, Grade, SubmittedNotebook

        self.gradebook.update_or_create_student(student)
        submission = self.gradebook.update_or_create_submission(
            self.assignment, student, **({"timestamp": when} if when else {})
        )
        of_student = {"notebook_id": self.notebook_id, "assignment_id": submission.id}
        notebook = session.query(SubmittedNotebook).filter_by(**of_student).one()

        def by_name(kind: Any) -> dict[str, Any]:
            """By cells too, which have an index."""
            found = session.query(kind).filter(kind.notebook_id == notebook.id, kind.cell_id.in_(self.cells))
            return {self.cells[each.cell_id]: each for each in found}

        return submission, notebook, _Rows(by_name(Grade), by_name(Comment))


def _unused(config: Config) -> list[str]:
    """What nbgrader_config.py sets in vain."""
    return [
        f"nbgrader_config.py: {'.'.join(filter(None, ('c', *place)))} has no meaning for `grader grade`: {why}"
        for place, why in UNUSED.items()
        if (section := config[place[0]]) and (not place[1] or place[1] in section)
    ]


def _late(assignment: Any, submission: Any, row: Any) -> list[Any]:
    """What a late penalty came of, and what it was."""
    return [str(assignment.duedate), str(submission.extension), row.late_submission_penalty]


def _penalty(step: Any, submission: Any, row: Any) -> float | None:
    """What being late costs, by the policy that is set."""
    if submission.total_seconds_late <= 0:
        return None
    step.init_plugin()
    penalty = step.plugin_inst.late_submission_penalty(
        submission.student_id, row.score, submission.total_seconds_late
    )
    return None if penalty is None else step._check_late_penalty(row, penalty)


def short(error: BaseException) -> str:
    """The first line of what an error says: of a database's, the driver's own word."""
    said = str(getattr(error, "orig", None) or error).strip()
    return said.splitlines()[0] if said else type(error).__name__


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings that nbgrader and its database library have for their own authors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
