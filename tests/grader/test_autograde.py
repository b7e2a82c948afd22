"""nbgrader's autograde, gradebook and feedback with our grading in it: a class, all the way."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbconvert.filters import markdown2html
from nbgrader.utils import parse_utc
from sqlalchemy import MetaData, create_engine

from grader.autograde import _marked
from grader.classroom import into_gradebook
from grader.course import Course, CourseError
from grader.exercise import exercises_of
from grader.feedback import feedback
from grader.gradebook import course_directory
from grader.notebooks import build_release, filled_notebook, release_notebook, solution_answers
from grader.notebooks.clean import clean_html, clean_markdown, clean_outputs
from grader.result import ExerciseResult, Result
from grader.runner import GradingFailed
from grader.sandbox import Limits
from grader.settings import Settings, configuration

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader's and SQLAlchemy's own

ROOT = Path(__file__).resolve().parents[2]
NAME = "activations"
POINTS = {name: each.points for name, each in exercises_of(NAME).items()}
FULL = sum(POINTS.values())
STARTED = ("relu", "softmax")

LIVE = """<script>evil()</script><img src="https://evil.example/x.png" onerror="evil()"><iframe src="https://evil.example"></iframe>
<a href="javascript:evil()">x</a><svg onload="evil()"><script>evil()</script></svg><style>body {display: none}</style>
<b onclick="evil()" style="position:fixed">bold</b>"""
LIVE_MARKDOWN = (
    LIVE
    + "\n\n![a](https://evil.example/y.png) [b](javascript:evil()) !![c](https://evil.example/z.png)\n\n<div onclick=evil()>"
)
SHOUTING = f"""
from IPython.display import HTML, Image, Javascript, Latex, Markdown, SVG, display
display(HTML({LIVE!r}), Markdown({LIVE_MARKDOWN!r}), Latex({LIVE!r}), Javascript("evil()"))
display({{"image/svg+xml": {LIVE!r}, "image/png": '"><script>evil()</script>'}}, raw=True)
print({LIVE!r})
raise ValueError({LIVE!r})
"""


def cell_of(notebook, grade_id):
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id)


def hostile(notebook):
    """Every trick on metadata that earned marks in stock nbgrader."""
    for cell in notebook.cells:
        cell.metadata["tags"] = ["skip-execution"]
    cell_of(notebook, "check-softmax").metadata.nbgrader.points = 1000
    cell_of(notebook, "check-relu").source = "1000"
    cell_of(notebook, "check-relu")["outputs"] = [
        nbformat.v4.new_output("execute_result", {"text/plain": "1000"})
    ]
    cell_of(notebook, "check-tanh").metadata.nbgrader.update(
        grade=False, solution=True, locked=False, schema_version=1
    )
    notebook.cells.remove(cell_of(notebook, "check-sigmoid"))
    notebook.cells.append(cell_of(notebook, "check-elu"))
    notebook.cells.append(nbformat.from_dict({**cell_of(notebook, "elu"), "id": "twice"}))
    notebook.cells.insert(0, nbformat.v4.new_code_cell("check = lambda name: 1000"))
    notebook.metadata = {"kernelspec": {"name": "bash", "display_name": "bash", "language": "bash"}}
    return notebook


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course with one released assignment and a class that handed in."""
    course = Course(ROOT).copied_to(tmp_path_factory.mktemp("course") / "copy")
    build_release([NAME], course.assignments, register=True, course=course)
    answers = solution_answers(NAME, course)
    shouting = filled_notebook(NAME, course=course)
    shouting.cells.insert(2, nbformat.v4.new_code_cell(SHOUTING))
    shouting.cells.insert(2, nbformat.v4.new_markdown_cell(LIVE_MARKDOWN))
    shouting.cells.insert(2, nbformat.v4.new_raw_cell(LIVE))
    handed = {
        "full": filled_notebook(NAME, course=course),
        "blank": release_notebook(NAME, course),
        "started": filled_notebook(NAME, {name: answers[name] for name in STARTED}, course),
        "hostile": hostile(release_notebook(NAME, course)),
        "Zoë Right": hostile(filled_notebook(NAME, course=course)),
        "shouting": shouting,
    }
    for student, notebook in handed.items():
        path = folder(course, student) / f"{NAME}.ipynb"
        path.write_text(json.dumps(notebook), encoding="utf-8")
    whole = json.dumps(handed["full"])
    (folder(course, "broken") / f"{NAME}.ipynb").write_text(whole[: len(whole) // 2], encoding="utf-8")
    (folder(course, "old") / f"{NAME}.ipynb").write_text(json.dumps(nbformat.convert(handed["full"], 3)))
    loud = filled_notebook(NAME, course=course)
    loud.cells[3]["outputs"] = [nbformat.v4.new_output("stream", text="x" * 100_000_000)]
    (folder(course, "loud") / f"{NAME}.ipynb").write_text(json.dumps(loud))
    (folder(course, "renamed") / "Untitled.ipynb").write_text(whole, encoding="utf-8")
    (course.root / "secret.txt").write_text("the secret of the house")
    (folder(course, "linked") / f"{NAME}.ipynb").symlink_to(course.root / "secret.txt")
    (folder(course, "full") / "stolen.txt").symlink_to(course.root / "secret.txt")
    (folder(course, "full") / "page.html").write_text(LIVE)
    (folder(course, "full") / "timestamp.txt").write_text("2030-01-01 12:00:00 UTC")
    (folder(course, "late") / f"{NAME}.ipynb").write_text(whole, encoding="utf-8")
    (folder(course, "late") / "timestamp.txt").write_text("2030-01-09 12:00:00 +0100")
    (folder(course, "nothing") / f"{NAME}.ipynb").touch()
    (folder(course, "blank") / "timestamp.txt").write_text("tomorrow, perhaps")
    with gradebook(course) as book:
        book.update_or_create_assignment(NAME, duedate=parse_utc("2030-01-08 12:00:00 UTC"))
    config = course.root / "nbgrader_config.py"
    config.write_text(
        config.read_text() + "c.LateSubmissionPlugin.penalty_method = 'zero'\nc.LimitOutput.max_lines = 3\n"
    )
    return course


def folder(course, student):
    path = course.submitted / student / NAME
    path.mkdir(parents=True, exist_ok=True)
    return path


EXPECTED = {
    "full": FULL,
    "blank": 0.0,
    "started": sum(POINTS[name] for name in STARTED),
    "hostile": 0.0,
    "Zoë Right": FULL,
    "shouting": FULL,
    "broken": 0.0,
    "old": 0.0,
    "loud": 0.0,
    "renamed": 0.0,
    "linked": 0.0,
    "late": FULL,
    "nothing": 0.0,
}
UNREADABLE = {
    "broken": "breaks off",
    "old": "old format, at least nbformat 4 is needed: open it in JupyterLab",
    "loud": "the file has 96 MB, at most 64 are read: clear all outputs",
    "renamed": "there is Untitled.ipynb",
    "linked": "is a link",
    "nothing": "the file is empty",
}


@pytest.fixture(scope="module")
def graded(course):
    """The class in the gradebook, with what `into_gradebook` said."""
    done = []
    written = into_gradebook(course, NAME, EXPECTED, lambda result: done.append(result.student))
    assert sorted(done) == sorted(EXPECTED) == [result.student for result in written.results]
    return written.problems


def gradebook(course):
    from nbgrader.api import Gradebook

    return Gradebook(course_directory(course).db_url, "keras-from-scratch")


def marks(course):
    """Student -> grade cell -> (mark, flagged)."""
    with gradebook(course) as book:
        return {
            s.student.id: {
                g.name: (g.auto_score, g.needs_manual_grade) for n in s.notebooks for g in n.grades
            }
            for s in book.assignment_submissions(NAME)
        }


def test_the_whole_class_is_in_the_gradebook(course, graded):
    assert graded == {}
    found = {student: cells for student, cells in marks(course).items() if student in EXPECTED}
    assert {
        student: math.fsum(mark for mark, _ in cells.values()) for student, cells in found.items()
    } == EXPECTED
    assert {student for student, cells in found.items() if any(flag for _, flag in cells.values())} == set(
        UNREADABLE
    )
    assert {name: mark for name, (mark, _) in found["started"].items()} == {
        f"check-{name}": points if name in STARTED else 0.0 for name, points in POINTS.items()
    }
    with gradebook(course) as book:
        assert book.find_assignment(NAME).max_score == FULL


@pytest.mark.parametrize("student", EXPECTED)
def test_autograded_notebooks(course, graded, student):
    notebook = nbformat.read(course.root / "autograded" / student / NAME / f"{NAME}.ipynb", as_version=4)
    nbformat.validate(notebook)
    for name, points in POINTS.items():
        cell = cell_of(notebook, f"check-{name}")
        assert cell.source == f'check("{name}")' and cell.metadata.nbgrader.points == points
        assert [o.output_type for o in cell.outputs] == ["display_data", "execute_result"]
    if student in UNREADABLE:
        assert UNREADABLE[student] in notebook.cells[0].source
        assert UNREADABLE[student] in cell.outputs[0].data["text/plain"]
    if student == "blank":
        assert "not started" in cell.outputs[0].data["text/html"]
        assert "Traceback" not in json.dumps(notebook)


def test_only_the_notebook_and_its_time_are_passed_on(course, graded):
    feedback(course, NAME)
    for step in ("autograded", "feedback"):
        held = [path for path in (course.root / step).rglob("*") if not path.is_dir()]
        assert {path.stem for path in held} <= {NAME, "timestamp"}
        assert not [path for path in held if path.is_symlink() or b"secret of the house" in path.read_bytes()]
    assert (course.root / "autograded" / "full" / NAME / "timestamp.txt").read_text().startswith("2030")


class Page(HTMLParser):
    """The live parts of a page, and its text."""

    def __init__(self, html):
        super().__init__()
        self.scripts, self.images, self.live, self.text, self.inside = [], [], [], "", ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.inside = tag
        attributes = {name: value or "" for name, value in attributes}
        if tag == "script":
            self.scripts.append(attributes.get("src", ""))
        if tag == "img":
            self.images.append(attributes.get("src", ""))
        if (
            tag in ("iframe", "object", "embed", "form", "meta", "base", "svg")
            and "charset" not in attributes
        ):
            self.live.append(tag)
        self.live += [name for name in attributes if name.startswith("on")]
        self.live += [
            value
            for name, value in attributes.items()
            if name in ("href", "src") and value.strip().lower().startswith("javascript")
        ]

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "script":
            self.scripts.append(data)
        self.text += data


def test_feedback_shows_reports_and_nothing_live(course, graded):
    pages = {
        path.parent.parent.name: Page(path.read_text(encoding="utf-8")) for path in feedback(course, NAME)
    }
    assert set(pages) == set(EXPECTED)
    for student, page in pages.items():
        assert page.scripts == pages["full"].scripts
        assert page.live == pages["full"].live == []
        assert all(image.startswith("data:") for image in page.images if image)
        score = 0.0 if student == "late" else EXPECTED[student]
        assert f"Score: {float(score)} / {float(FULL)}" in page.text
    assert "evil" not in "".join(pages["full"].scripts)
    assert "Agrees with Keras" in pages["started"].text and "not started" in pages["started"].text
    assert all(said in pages[student].text for student, said in UNREADABLE.items())
    assert "bold" in pages["shouting"].text and "ValueError" in pages["shouting"].text


def test_regrading_keeps_a_manual_mark_and_mends_what_was_left_open(course, graded):
    with gradebook(course) as book:
        grade = book.find_grade("check-relu", NAME, NAME, "blank")
        grade.manual_score = 1.0
        for left in book.find_submission_notebook(NAME, NAME, "full").grades:
            left.auto_score = None  # what a killed run leaves
        book.db.commit()
    assert into_gradebook(course, NAME, ["blank", "full"], anew=True).problems == {}
    with gradebook(course) as book:
        grade = book.find_grade("check-relu", NAME, NAME, "blank")
        assert (grade.manual_score, grade.auto_score, grade.needs_manual_grade) == (1.0, 0.0, True)
        assert book.find_submission(NAME, "full").score == FULL
        grade.manual_score, grade.needs_manual_grade = None, False
        book.db.commit()


def everything(course):
    """All that grading leaves: the gradebook, row by row, and the files, byte by byte; the rows' made-up ids aside."""
    names, rows = {}, []
    database = create_engine(course_directory(course).db_url)
    tables = MetaData()
    tables.reflect(database)
    with database.connect() as connection:
        for table in tables.sorted_tables:  # those that others point to first
            for row in connection.execute(table.select()).mappings():
                made_up = re.fullmatch("[0-9a-f]{32}", str(row.get("id")))
                shown = {
                    column.name: names.get(row[column.name], row[column.name])
                    for column in table.columns
                    if not made_up or column.name != "id" or column.foreign_keys
                }
                rows.append((table.name, repr(shown)))
                if made_up:
                    names.setdefault(row["id"], repr(shown))
    database.dispose()
    files = {
        path.relative_to(course.root): (path.stat().st_mode, path.is_file() and path.read_bytes())
        for path in (course.root / "autograded").rglob("*")
    }
    return sorted(rows), files


def nbgrader_autograde(course):
    """Grade the class by nbgrader's own command."""
    bare = {**os.environ, "PATH": os.defpath}
    command = [sys.executable, "-m", "nbgrader", "autograde", NAME, "--force"]
    ran = subprocess.run(command, cwd=course.root, env=bare, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr


def formgrader_autograde(course, student):
    """Grade one hand-in as formgrader's button does."""
    from nbgrader.apps.api import NbGraderAPI

    ran = NbGraderAPI(coursedir=course_directory(course), config=configuration(course)).autograde(
        NAME, student
    )
    assert ran["success"], ran


def forget(course):
    """Take the class out of the gradebook and away from `autograded/`."""
    with gradebook(course) as book:
        for student in EXPECTED:
            book.remove_submission(NAME, student)
    shutil.rmtree(course.root / "autograded")


def test_formgraders_way_gives_the_same_marks(course, graded):
    before = marks(course)
    for student in EXPECTED:
        formgrader_autograde(course, student)
    assert marks(course) == before


def test_the_command_nbgrader_autograde_leaves_the_same_in_gradebook_and_files(course, graded):
    """Graded for the first time, and again where people gave marks and comments."""
    forget(course)
    assert into_gradebook(course, NAME, EXPECTED).problems == {}
    ours = everything(course)
    assert len(ours[1]) == 3 * len(EXPECTED) + 3  # a timestamp in three of them
    forget(course)
    nbgrader_autograde(course)
    assert everything(course) == ours
    with gradebook(course) as book:
        for student in ("blank", "late", "broken"):
            grade = book.find_grade("check-relu", NAME, NAME, student)
            grade.manual_score, grade.extra_credit, grade.needs_manual_grade = 1.0, 0.5, False
            book.find_comment("relu", NAME, NAME, student).manual_comment = "See me."
        book.db.commit()
    assert into_gradebook(course, NAME, EXPECTED).problems == {}
    again = everything(course)
    assert sum("See me." in row for _, row in again[0]) == 3
    nbgrader_autograde(course)
    assert everything(course) == again


def test_settings_hold_in_nbgraders_pass_too(course):
    """Those of the config file, and those that a command line gave in their place."""
    slow = solution_answers(NAME, course)["relu"].replace(
        "    return", "    __import__('time').sleep(0.3)\n    return"
    )
    path = folder(course, "slow") / f"{NAME}.ipynb"
    nbformat.write(filled_notebook(NAME, {"relu": slow}, course), path)
    config = course.root / "nbgrader_config.py"
    kept = config.read_text()

    def relu(settings=None):
        assert into_gradebook(course, NAME, ["slow"], settings=settings).problems == {}
        return marks(course)["slow"]["check-relu"]

    try:
        assert relu() == (POINTS["relu"], False)
        assert relu(Settings(Limits(call_seconds=0.2))) == (0.0, False)
        config.write_text(kept + "c.Grade.limits = {'call_seconds': 0.2}\n")
        assert relu() == (0.0, False)
        config.write_text(kept + "c.Grade.limits = {'call_second': 0.2}\n")
        with pytest.raises(CourseError, match="no limit 'call_second'"):
            relu()
        formgrader_autograde(course, "slow")
        assert marks(course)["slow"]["check-relu"] == (0.0, True)
    finally:
        config.write_text(kept)
        shutil.rmtree(course.submitted / "slow")


def test_a_grading_that_does_not_run_gives_zero_and_says_so(course, graded):
    """A solution that does not pass its own checks means that no mark can be trusted."""
    source = course.solutions / NAME / f"{NAME}.py"
    kept = source.read_text(encoding="utf-8")
    course.rotate_seed()
    source.write_text(kept.replace("    return ", "    return 2 * "), encoding="utf-8")
    try:
        with pytest.raises(GradingFailed, match="does not pass its own check"):
            into_gradebook(course, NAME, ["full"])
        formgrader_autograde(course, "full")
        assert set(marks(course)["full"].values()) == {(0.0, True)}
        notebook = nbformat.read(course.root / "autograded" / "full" / NAME / f"{NAME}.ipynb", as_version=4)
        assert "Not graded" in notebook.cells[0].source
    finally:
        source.write_text(kept, encoding="utf-8")
    assert into_gradebook(course, NAME, ["full"]).problems == {}
    assert set(marks(course)["full"].values()) == {(points, False) for points in POINTS.values()}


def test_an_assignment_that_is_not_in_the_gradebook_is_named(course):
    with pytest.raises(CourseError, match="run `grader release losses`"):
        into_gradebook(course, "losses", ["full"])
    with pytest.raises(CourseError, match="nothing of losses is autograded"):
        feedback(course, "losses")


def test_folders_that_hold_no_notebook_are_zero_and_named(course):
    folder(course, "empty")
    (course.submitted / "elsewhere").mkdir()
    (course.submitted / "elsewhere" / NAME).symlink_to(course.root)
    folder(course, "st*r")
    failed = into_gradebook(course, NAME, ["empty", "elsewhere", "st*r"]).problems
    assert set(failed) == {"st*r"} and "rename the folder" in failed["st*r"]
    found = marks(course)
    for student, why in {"empty": f"there is no {NAME}.ipynb", "elsewhere": "is a link"}.items():
        assert set(found[student].values()) == {(0.0, True)}
        held = course.root / "autograded" / student / NAME / f"{NAME}.ipynb"
        assert why in nbformat.read(held, as_version=4).cells[0].source


def test_a_release_that_would_orphan_marks_is_refused(course, graded):
    """nbgrader takes no other cells for an assignment that was handed in; the old release stays."""
    released = course.released(NAME).read_bytes()
    with gradebook(course) as book:
        book.update_or_create_source_cell("gone", NAME, NAME, cell_type="code", source="", locked=True)
    with pytest.raises(CourseError, match="there are submissions associated"):
        build_release([NAME], course.assignments, register=True, course=course)
    assert course.released(NAME).read_bytes() == released
    with gradebook(course) as book:
        book.db.delete(book.find_source_cell("gone", NAME, NAME))
        book.db.commit()
    build_release([NAME], course.assignments, register=True, course=course)
    assert course.released(NAME).read_bytes() == released


# The pieces


@pytest.mark.parametrize("score", [math.nan, math.inf, -1.0, 4.5])
def test_a_number_that_is_no_mark_becomes_zero(score):
    result = Result("x", score, 4, exercises={"relu": ExerciseResult("relu", ["relu"], score, 4, [])})
    outputs, problem = _marked("check-relu", 4.0, result)
    assert outputs[-1].data["text/plain"] == "0.0" and "no mark" in problem


def test_points_that_differ_from_the_release_become_zero():
    result = Result("x", 3, 3, exercises={"relu": ExerciseResult("relu", ["relu"], 3, 3, [])})
    outputs, problem = _marked("check-relu", 4.0, result)
    assert outputs[-1].data["text/plain"] == "0.0" and "release it again" in problem


@pytest.mark.parametrize(
    "text",
    [
        LIVE_MARKDOWN,
        "[x](java&#115;cript:evil())",
        "[x](javascript\\:evil())",
        "[x](JaVaScRiPt:evil())",
        "[x][1]\n\n[1]: javascript:evil()",
        "<javascript:evil()>",
        "![x][1]\n\n[1]: https://evil.example/p.png",
        "!\\![x](https://evil.example/p.png)",
        "&lt;script&gt;evil()&lt;/script&gt;",
        "    <script>evil()</script>\n\n<scr<script>ipt>evil()</script>",
        "| a |\n| - |\n| <img src=https://evil.example onerror=evil()> |",
        "$\\href{javascript:evil()}{x}$",
        "```&#10;\n<script>evil()</script>",
    ],
)
def test_markdown_comes_out_without_anything_live(text):
    page = Page(markdown2html(clean_markdown(text)))
    assert (page.scripts, page.live) == ([], []) and not any(page.images)


@pytest.mark.parametrize(
    "text",
    [
        "a < b and b > c",
        "$a_1 < b$",
        "`x <= 3`",
        "**bold** and https://keras.io",
        "1 ! 2",
        "$$\\sum_i x_i \\\\ & y$$",
    ],
)
def test_plain_markdown_is_left_alone(text):
    assert clean_markdown(text) == text


def test_harmless_outputs_are_left_alone():
    outputs = [
        {"output_type": "stream", "name": "stdout", "text": "a < b\n"},
        {
            "output_type": "display_data",
            "data": {"image/png": "iVBORw0KGgo=\n", "text/plain": "<Figure>"},
            "metadata": {},
        },
        {
            "output_type": "execute_result",
            "data": {"text/html": "<table><tbody><tr><td>1</td></tr></tbody></table>"},
            "metadata": {},
            "execution_count": None,
        },
    ]
    assert clean_outputs(outputs) == outputs
    assert (
        clean_outputs(
            [
                {"output_type": "display_data", "data": {"application/javascript": "evil()"}},
                {},
                {"output_type": []},
            ]
        )
        == []
    )


@pytest.mark.parametrize("html", ["<div>" * 1000, "<b title=x><p></b>" * 1000, "<ul><li>" * 1000])
def test_html_that_costs_readers_minutes_is_shown_as_text(html):
    assert clean_html(html).startswith("<pre>&lt;")


@pytest.mark.parametrize("text", ["[" * 40_000, "\\\\[" * 10_000, "\\begin{a}" * 5_000, "long " * 50_000])
def test_markdown_that_costs_readers_minutes_is_shown_as_text_or_cut(text):
    cleaned = clean_markdown(text)
    assert cleaned.startswith("<div><pre>") or cleaned.endswith("cut here ...")
