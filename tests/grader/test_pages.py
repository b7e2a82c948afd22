"""Pages made of hostile hand-ins, looked at in a browser with traps set: nothing runs, loads, hides or shouts."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output, new_raw_cell

from grader.classroom import grade_hand_in
from grader.course import Course
from grader.feedback import feedback
from grader.gradebook import course_directory
from grader.notebooks import build_release, filled_notebook, solution_answers
from grader.report.exercise import exercise_html, exercise_text
from grader.settings import Settings
from tests.grader.browser import Browser, Trap
from tests.grader.payloads import HTML, MARKDOWN, TERMINAL, payloads

pytestmark = pytest.mark.filterwarnings("ignore")  # nbgrader's and SQLAlchemy's own

ROOT = Path(__file__).resolve().parents[2]
NAME = "activations"
GRADER = Path(sys.executable).with_name("grader")
CONTROLS = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
MALLORY = "Mal\x1b[2J\x9b\u202e\x07ory"
UNCLOSED = (
    "<!--",
    "<template",
    "<textarea",
    "<style",
    "<title",
    "<svg><style>",
    "<math>",
    "<noscript",
    "<form",
)

HONEST = r"""
## What I found
The sum $\sum_i x_i < 1$ and **bold**, *it*, `code`, [Keras](https://keras.io "site"), a<br>break, &alpha;.

$$\begin{pmatrix} a & b \\ c & d \end{pmatrix}$$

| a | b |
| - | - |
| 1 | $x[0]$ |

```python
y = [x for x in (1, 2) if x < 3]
```
"""
SHOWN = """
import matplotlib.pyplot as plt
from IPython.display import HTML, display
display(HTML('<style scoped>.dataframe tbody tr th {vertical-align: top}</style><table border="1" class="dataframe">'
    '<thead><tr style="text-align: right;"><th></th><th>loss</th></tr></thead><tbody><tr><th>0</th><td>0.25</td></tr></tbody></table>'))
plt.plot([1, 4, 9]); plt.show()
print("epoch 1\\repoch 2")
1 / 0
"""
DISPLAYS = """
from IPython.display import HTML, JSON, SVG, IFrame, Javascript, Latex, Markdown, YouTubeVideo, display
from warnings import warn
for text in {html!r}:
    display(HTML(text))
for text in {markdown!r}:
    display(Markdown(text), Latex(text))
display(Javascript({script!r}), JSON({{"a": {tag!r}}}), IFrame({url!r}, 9, 9), YouTubeVideo({url!r}))
display({{"image/svg+xml": {tag!r}, "image/png": {tag!r}, "text/vnd.mermaid": {tag!r}, "application/pdf": {tag!r},
    "application/vnd.jupyter.widget-view+json": {{"model_id": {tag!r}}}, "application/vnd.vega.v5+json": {{"data": {{"url": {url!r}}}}},
    {tag!r}: {tag!r}, "text/plain": {tag!r}}}, raw=True, metadata={{"isolated": True, "text/html": {{"isolated": True}}}})
display({{"text/html": {tag!r}}}, raw=True, metadata={{"filenames": {{"image/png": {url!r}}}}})
for text in {terminal!r}:
    print(text)
warn({tag!r})
class Shown:
    def __repr__(self): return {tag!r}
    def _repr_html_(self): return {tag!r}
    def _repr_javascript_(self): return {script!r}
    def _repr_mimebundle_(self, **_): return {{"application/javascript": {script!r}, "text/html": {tag!r}}}
Shown()
"""
ANSWERS = {
    "relu": "def relu(x):\n    {doc!r}\n    return {text!r}\ndef relu_grad(x):\n    return [{text!r}] * 3",
    "tanh": "Err = type({text!r}, (Exception,), {{}})\ndef tanh(x):\n    raise Err({text!r})\ndef tanh_grad(x):\n    raise KeyError({text!r})",
    "elu": "def elu(x, alpha=1.0):\n    return {{{text!r}: {text!r}}}  # {text}\nraise ValueError({text!r})",
}


def hostile(host):
    """A notebook with active content wherever a student can put some."""
    html, markdown = payloads(host, HTML, "html"), payloads(host, MARKDOWN, "markdown")
    tag = payloads(host, ["<img src=URL onerror=JS><script>JS</script>"], "tag")["tag0"]
    script = payloads(host, ["JS"], "script")["script0"]
    terminal = list(payloads(host, TERMINAL, "terminal").values())
    address = f"http://{host}/trap/address"
    text = tag + "\x1b[2J\u202e" + terminal[0]
    doc = text.replace("\n", " ")
    answers = {name: source.format(text=text, doc=doc) for name, source in ANSWERS.items()}
    notebook = filled_notebook(NAME, {**solution_answers(NAME), **answers})
    own = [new_markdown_cell(each) for each in [*markdown.values(), *html.values(), *terminal]]
    shown = {"html": list(html.values()), "markdown": list(markdown.values()), "terminal": terminal[:-3]}
    own += [
        new_code_cell(DISPLAYS.format(**shown, tag=tag, script=script, url=address)),
        new_code_cell(f"raise type({tag!r}, (Exception,), {{}})({text!r})"),
        new_code_cell(
            f"def f():\n    {doc!r}\n    raise SyntaxError({text!r}, ({text!r}, 1, 1, {text!r}))\nf()"
        ),
        new_code_cell("print('long ' * 100_000)\nprint('\\n' * 100_000)\n'wide ' * 100_000"),
        new_code_cell("from IPython.display import HTML\nHTML('<div>' * 50_000)"),
        new_code_cell(f"%%html\n{tag}\n"),
        new_code_cell(f"# {text}\n\u202e'''{text}\n"),
        new_raw_cell(tag, metadata={"raw_mimetype": "text/html", "format": "text/html"}),
        new_markdown_cell(
            "![a](attachment:a.svg)", attachments={"a.svg": {"image/svg+xml": tag, "text/html": tag}}
        ),
    ]
    own[-3].metadata.update(
        tags=[tag, '"><script>'], collapsed=True, name=tag, jupyter={"source_hidden": True}
    )
    notebook.cells[2:2] = own
    notebook.metadata.update(
        title=tag,
        authors=[{"name": tag}],
        language_info={"name": tag, "pygments_lexer": tag},
        widgets={"application/vnd.jupyter.widget-state+json": {"state": {tag: tag}}},
    )
    return notebook


def honest():
    notebook = filled_notebook(NAME, {**solution_answers(NAME), "relu": "def relu(x):\n    return 2 * x"})
    notebook.cells[2:2] = [new_markdown_cell(HONEST), new_code_cell(SHOWN)]
    return notebook


@pytest.fixture(scope="module")
def trap():
    trap = Trap()
    yield trap
    trap.close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    if missing := Browser.missing():
        pytest.skip(missing)
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def graded(tmp_path_factory, trap, sandboxed):
    """A class in the gradebook by the command itself, and what the command said."""
    course = Course(ROOT).copied_to(tmp_path_factory.mktemp("course") / "copy")
    build_release([NAME], course.assignments, register=True, course=course)
    host = trap.url.removeprefix("http://")
    tag = payloads(host, ["<img src=x onerror=JS>"], "name")["name0"].replace("/", "&#47;")
    for student, notebook in {"honest": honest(), "hostile": hostile(host), tag: honest()}.items():
        handed(course, student).write_text(json.dumps(notebook))
    (handed(course, "renamed").parent / f"{tag}\x1b[2J\u202e.ipynb").write_text("{}")
    handed(course, MALLORY)
    ran = subprocess.run(
        [GRADER, "grade", NAME],
        cwd=course.root,
        capture_output=True,
        text=True,
    )
    return course, ran


def handed(course, student):
    folder = course.submitted / student / NAME
    folder.mkdir(parents=True)
    return folder / f"{NAME}.ipynb"


def unchanged(seen, like):
    """The page holds the active parts of the honest one and no others, and asked for nothing else."""
    extra, lost = seen.tally - like.tally, like.tally - seen.tally
    assert (dict(extra), dict(lost)) == ({}, {})
    assert seen.title == like.title
    assert seen.asked <= like.asked
    assert seen.went == like.went == set()
    assert not CONTROLS.search(seen.text)


@pytest.fixture(scope="module")
def pages(graded):
    return {path.parent.parent.name: path.read_text(encoding="utf-8") for path in feedback(graded[0], NAME)}


def test_feedback_pages_are_still(trap, browser, pages):
    assert set(pages) >= {"honest", "hostile", "renamed"}
    like = browser.look(trap.show("feedback", pages["honest"]))
    for student in ("hostile", "renamed"):
        seen = browser.look(trap.show("feedback", pages[student]))
        unchanged(seen, like)
        assert len(seen.text) < 3_000_000
    assert trap.heard == []


def test_the_report_that_a_check_shows_is_still(trap, browser, graded):
    course, _ = graded
    raw = (course.submitted / "hostile" / NAME / f"{NAME}.ipynb").read_bytes()
    result = grade_hand_in(course.root, NAME, raw, "hostile", Settings())
    assert "<img" in "".join(test.message for each in result.exercises.values() for test in each.tests)
    page = "<title>check</title>" + "".join(map(exercise_html, result.exercises.values()))
    seen = browser.look(trap.show("report", page))
    unchanged(seen, browser.look(trap.show("report", "<title>check</title><p>nothing</p>")))
    assert trap.heard == []
    assert not CONTROLS.search("".join(map(exercise_text, result.exercises.values())))


def test_without_cleaning_the_same_content_springs_the_traps(trap, browser):
    """The traps work: this is the page of a hand-in as it came."""
    host = trap.url.removeprefix("http://")
    html = {n: p for n, p in payloads(host, HTML, "html").items() if not p.startswith(UNCLOSED)}
    markdown = {
        n: p for n, p in payloads(host, MARKDOWN, "markdown").items() if not re.search("attachment:|&#10;", p)
    }
    cells = [new_code_cell("", outputs=[new_output("display_data", {"text/html": p})]) for p in html.values()]
    cells += [new_markdown_cell(p) for p in markdown.values() if "<!--" not in p]
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    like, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=[]))
    try:
        seen = browser.look(trap.show("stock", page))
        sprung = {re.match("[a-z]+[0-9]+", each)[0] for each in trap.heard}
        with pytest.raises(AssertionError):
            unchanged(seen, browser.look(trap.show("stock", like)))
        assert len(sprung & set(html)) > 40
        assert len(sprung & set(markdown)) > 25
    finally:
        trap.heard.clear()


def test_the_terminal_sees_no_control_characters(graded, tmp_path):
    course, ran = graded
    some = tmp_path / "some"
    for student in (MALLORY, "hostile"):
        shutil.copytree(course.submitted / student, some / student)
    assert ran.returncode == 1, ran.stderr  # one hand-in is named wrongly
    ran_json = subprocess.run(
        [GRADER, "grade", NAME, "--json", "--submissions", some],
        cwd=course.root,
        capture_output=True,
        text=True,
    )
    for said in (ran.stdout, ran.stderr, ran_json.stdout, ran_json.stderr):
        assert not CONTROLS.search(said)
    students = {each["student"] for each in json.loads(ran_json.stdout)["results"]}
    assert students == {MALLORY, "hostile"}


def test_a_name_that_is_markup_stays_out_of_the_gradebook(graded):
    course, ran = graded
    assert "rename the folder" in " ".join(ran.stderr.split())
    assert {each.name for each in (course.root / "autograded").iterdir()} == {"honest", "hostile", "renamed"}


def test_honest_work_reads_as_it_was_written(pages, trap, browser):
    seen = browser.look(trap.show("honest", pages["honest"]))
    for words in ("What I found", "bold", "a\nbreak", "α", "loss", "0.25", "epoch 2", "ZeroDivisionError"):
        assert words in seen.text
    assert "\nepoch 1" not in seen.text and "y = [x for x in (1, 2) if x < 3]" in seen.text
    for kept in (
        r"$\sum_i x_i &lt; 1$",
        r"$$\begin{pmatrix} a &amp; b \\ c &amp; d \end{pmatrix}$$",
        "<strong>bold</strong>",
        'href="https://keras.io"',
        'src="data:image/png;base64,',
    ):
        assert kept in pages["honest"]


@pytest.fixture(scope="module")
def server(graded, tmp_path_factory):
    """A Jupyter server in the course's folder, with formgrader; its address."""
    course, _ = graded
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    home = tmp_path_factory.mktemp("home")
    extensions = {"nbgrader.server_extensions.formgrader": True}
    command = [sys.executable, "-m", "jupyter", "server", "--no-browser", "--allow-root", f"--port={port}"]
    command += ["--ip=127.0.0.1", "--ServerApp.port_retries=0", "--IdentityProvider.token="]
    command += ["--ServerApp.disable_check_xsrf=False", f"--ServerApp.jpserver_extensions={extensions!r}"]
    running = subprocess.Popen(
        command,
        cwd=course.root,
        env={
            **os.environ,
            **dict.fromkeys(("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"), str(home)),
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        until = time.monotonic() + 120
        while True:
            try:
                urllib.request.urlopen(f"{address}/api/status").close()
                break
            except (urllib.error.URLError, ConnectionError):
                assert running.poll() is None and time.monotonic() < until, "the Jupyter server did not start"
                time.sleep(0.2)
        yield address
    finally:
        running.terminate()
        running.wait()


def submissions(course):
    from nbgrader.api import Gradebook

    with Gradebook(course_directory(course).db_url, "keras-from-scratch") as book:
        return {s.student.id: s.id for s in book.notebook_submissions(NAME, NAME)}


def without(seen, *words):
    """The page, but for these words in its addresses."""
    pattern = re.compile("|".join(words))
    tally = Counter()
    for part, times in seen.tally.items():
        tally[pattern.sub("", part)] += times
    asked = {pattern.sub("", address) for address in seen.asked}
    return replace(seen, tally=tally, asked=asked)


@pytest.mark.slow
def test_formgraders_pages_are_still(trap, browser, graded, server):
    course, _ = graded
    found = submissions(course)
    student = "#notebook .text_cell_render *, #notebook .input_area *, #notebook .output_wrapper *"
    seen = {
        name: browser.look(f"{server}/formgrader/submissions/{found[name]}/", poke=student, settle=1)
        for name in ("honest", "hostile", "renamed")
    }
    assert "Submission" in seen["honest"].text and "What I found" in seen["honest"].text
    for name in ("hostile", "renamed"):
        unchanged(without(seen[name], found[name], name), without(seen["honest"], found["honest"], "honest"))
    for page in ("manage_submissions/" + NAME, f"gradebook/{NAME}/{NAME}", "manage_students", "gradebook"):
        looked = browser.look(f"{server}/formgrader/{page}", poke="td, td *", settle=1)
        assert not any(re.match(r"img |\S+ on\w+ .*fetch", part) for part in looked.tally)
        assert NAME in looked.text or "honest" in looked.text
    assert trap.heard == []
