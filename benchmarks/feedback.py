"""How long feedback takes: ours beside `nbgrader generate_feedback`, in one run on one machine.

    python -m benchmarks.feedback [--pages 40] [--workers 2] [--json FILE]

Both make the same pages, byte for byte, of the same graded notebooks; then ours is asked again, with nothing changed and
with one mark changed. The start of Python and the import of nbgrader are in neither time, those of our other processes are.
"""

import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.classes import a_course, hand_in, right_class, succeeded
from benchmarks.report import arguments, report
from grader.classroom import into_gradebook
from grader.course import Course
from grader.feedback import feedback
from grader.gradebook import course_directory
from grader.settings import configuration


def pages(course: Course) -> dict[str, bytes]:
    """What was made."""
    found = (course.root / "feedback").rglob("*.html")
    return {str(path.relative_to(course.root)): path.read_bytes() for path in found}


def seconds(make: Callable[[], Any]) -> float:
    """How long it takes."""
    started = time.perf_counter()
    make()
    return time.perf_counter() - started


def main() -> None:
    """Measure, and print the ratio."""
    from nbgrader.api import Gradebook
    from nbgrader.apps import NbGraderAPI

    parser = arguments(__doc__)
    parser.add_argument("--pages", type=int, default=40)
    parser.add_argument("--assignment", default="activations")
    parser.add_argument("--workers", type=int)
    asked = parser.parse_args()
    name = asked.assignment
    with tempfile.TemporaryDirectory() as folder:
        course = a_course(Path(folder) / "course", name)
        hand_in(course, name, right_class(course.released(name), asked.pages))
        into_gradebook(course, name)
        api = NbGraderAPI(coursedir=course_directory(course), config=configuration(course))
        took = {"stock": seconds(lambda: succeeded(api.generate_feedback(name)))}
        expected = pages(course)
        shutil.rmtree(course.root / "feedback")
        took["ours"] = seconds(lambda: feedback(course, name, workers=asked.workers))
        if pages(course) != expected or len(expected) != asked.pages:
            raise RuntimeError("the pages are not those of nbgrader")
        took["unchanged"] = seconds(lambda: feedback(course, name))
        with Gradebook(course_directory(course).db_url) as gradebook:
            gradebook.assignment_submissions(name)[0].notebooks[0].grades[0].manual_score = 0.5
            gradebook.db.commit()
        took["one changed"] = seconds(lambda: feedback(course, name))
    ratio = {each: took["stock"] / took[each] for each in took if each != "stock"}
    print(
        f"{asked.pages} pages of {name}: nbgrader {took['stock']:.2f} s, ours {took['ours']:.2f} s ({ratio['ours']:.1f} times "
        f"faster), nothing changed {took['unchanged']:.3f} s ({ratio['unchanged']:.0f} times), one mark changed {took['one changed']:.2f} s"
    )
    report(asked, {"seconds": took, "ratio": ratio})


if __name__ == "__main__":
    main()
