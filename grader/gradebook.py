"""nbgrader's gradebook and feedback, driven from here."""

from __future__ import annotations

import glob
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.course import Course, CourseError
from grader.notebooks import UnreadableHandIn, read_hand_in
from grader.report.plain import fit_for_a_name
from grader.settings import Settings, configuration

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory

Progress = Callable[[str], None]


def course_directory(course: Course, **traits: Any) -> CourseDirectory:
    """The course as nbgrader sees it."""
    from nbgrader.coursedir import CourseDirectory

    return CourseDirectory(config=configuration(course), root=str(course.root.resolve()), **traits)


def into_gradebook(
    course: Course,
    assignment: str,
    students: Iterable[str],
    progress: Progress = lambda student: None,
    settings: Settings | None = None,
) -> dict[str, str]:
    """Autograde hand-ins under `submitted/` into the gradebook, anew where they were there before.

    Manual marks and comments stay. A hand-in that fails is zero and flagged for a look by hand, never left open.

    Args:
        course: the course.
        assignment: the assignment.
        students: whose hand-ins.
        progress: called with each student when done.
        settings: in the place of the course's.

    Returns:
        Student -> what went wrong, for those where something did.

    Raises:
        CourseError: the gradebook does not know the assignment.
    """
    with _quiet():
        from nbgrader.api import Gradebook, MissingEntry
        from nbgrader.converters import Autograde
        from nbgrader.utils import capture_log

        config = configuration(course)
        if settings:
            config.Grade.update(asdict(settings))
        url, course_id = (place := course_directory(course)).db_url, place.course_id
        with Gradebook(url, course_id) as gradebook:
            try:
                gradebook.find_notebook(assignment, assignment)
            except MissingEntry:
                raise CourseError(
                    f"the gradebook does not know {assignment}: run `grader release {assignment}`"
                ) from None
        failed = {}
        for student in students:
            if not fit_for_a_name(student):
                failed[student] = (
                    'nbgrader cannot take a name with *, ?, [, <, >, ", & or control characters in it: rename the folder'
                )
                progress(student)
                continue
            place = course_directory(course, assignment_id=assignment, student_id=student)
            app = Autograde(coursedir=place, config=config)
            app.force = True
            ran = capture_log(app)
            with Gradebook(url, course_id) as gradebook:
                gradebook.update_or_create_student(student)
                gradebook.update_or_create_submission(assignment, student)
                grades = gradebook.find_submission_notebook(assignment, assignment, student).grades
                if not ran["success"]:
                    failed[student] = _why(
                        course.submitted / student / assignment / f"{assignment}.ipynb", ran
                    )
                for grade in grades:
                    if grade.auto_score is None or not ran["success"]:
                        grade.auto_score, grade.needs_manual_grade = 0.0, True
                gradebook.db.commit()
            progress(student)
    return failed


def feedback(course: Course, assignment: str, student: str = "*") -> list[Path]:
    """Make nbgrader's feedback pages of what is autograded, and return them.

    Raises:
        CourseError: where there is nothing to make them of, or nbgrader could not.
    """
    with _quiet():
        from nbgrader.converters import GenerateFeedback
        from nbgrader.utils import capture_log

        place = course_directory(course, assignment_id=assignment, student_id=student)
        root = glob.escape(str(course.root.resolve()))
        pattern = f"{root}/{{}}/{student}/{assignment}/{assignment}.{{}}"
        if not glob.glob(pattern.format(place.autograded_directory, "ipynb")):
            raise CourseError(f"nothing of {assignment} is autograded: run `grader grade {assignment}`")
        app = GenerateFeedback(coursedir=place, config=configuration(course))
        app.force = True
        ran = capture_log(app)
        if not ran["success"]:
            raise CourseError(f"feedback of {assignment}: {ran['error'].strip().splitlines()[-1]}")
        return sorted(map(Path, glob.glob(pattern.format(place.feedback_directory, "html"))))


def _why(path: Path, ran: dict[str, Any]) -> str:
    """Why nbgrader could not grade a hand-in: the file's own trouble, else the last line of its error."""
    try:
        read_hand_in(path)
    except UnreadableHandIn as unreadable:
        return str(unreadable)
    return ran["error"].strip().splitlines()[-1]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the warnings that nbgrader and its database library have for their own authors."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
