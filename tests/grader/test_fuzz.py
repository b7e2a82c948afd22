"""Hand-ins mutated at random: every one is graded, and what was not touched keeps its marks."""

import copy
import gzip
import json
import math
import re
import tokenize
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from io import StringIO
from types import CodeType
from typing import Any

import nbformat
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from grader.classroom import Grader, into_gradebook
from grader.course import Course, syllabus
from grader.exercise import exercises_of
from grader.feedback import feedback
from grader.gradebook import course_directory
from grader.notebooks import (
    UnreadableHandIn,
    build_release,
    filled_notebook,
    rebuild,
    release_notebook,
    solution_answers,
)
from grader.sandbox import Limits
from grader.settings import Settings

LIMITS = Limits(cell_seconds=1.5, call_seconds=1.0, total_seconds=60.0)
FUNCTIONS = {
    name: {e.name: set(e.functions) for e in exercises_of(name).values()}
    for name in syllabus()
    if all(e.packages == ("numpy",) for e in exercises_of(name).values())
}
"""What is fuzzed: a thousand hand-ins are many for those that build nets, and what is tried is the same in each."""

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)

JUNK = [  # cells that cost nothing but themselves
    "1 / 0",
    "raise SystemExit",
    "raise KeyboardInterrupt",
    "import os; os._exit(3)",
    "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
    "while True: pass",
    "input()",
    "\0",
    "(" * 500,
    "[" * 90 + "]" * 90,
    "lambda: " * 3000 + "0",
    "-" * 5000 + "1",
    "f'{" * 200,
    "'" + "x" * 200_000,
    "x\u2028y\x0c\x1b[2J",
    "print('\\ud800', '\\x1b[2J', chr(0))",
    "'\ud800'",
    "\tif 1:\n  1\n\t2",
    "# -*- coding: utf-7 -*-\n+AG",
    "%%bash\nrm -rf ~",
    "%%nosuch\n1",
    "%%time",
    "%%capture out\nprint(1)",
    "%%timeit -n1 -r1\n1",
    "%%html\n<script>evil()</script>",
    "%run nothing.py",
    "!ls",
    "?np",
    "%lsmagic",
    "%matplotlib inline",
    "get_ipython().ask_exit()",
    "import sys; sys.stdout = sys.stderr = None",
    "import sys; sys.setrecursionlimit(5)",
    "import gc; gc.disable()",
    "async def wait(): pass\nawait wait()",
    "def check(*args): return 1000",
    "from nowhere import *",
    "import numpy as np",
    "assert False, 'no'",
    "display({'text/html': ['<b>'], 'image/png': 3}, raw=True)",
    "print('x' * 10**7)",
    "for _ in range(10**4): print(_)",
]


@cache
def solved(name: str) -> str:
    """The solution as a notebook file."""
    return nbformat.writes(filled_notebook(name))


@cache
def release(name: str) -> nbformat.NotebookNode:
    """The notebook as it was handed out."""
    return release_notebook(name, Course.find())


@cache
def blanks(name: str) -> dict[str, str]:
    """Exercise -> the answer cell that was handed out."""
    return {
        c.metadata.nbgrader.grade_id: c.source
        for c in release(name).cells
        if c.metadata.get("nbgrader", {}).get("solution")
    }


@cache
def needs(name: str) -> dict[str, set[str]]:
    """Exercise -> the global names that its answer uses, through other answers and given helpers too, and its own."""
    used = {
        exercise: FUNCTIONS[name][exercise] | global_names(compile(source, exercise, "exec"))
        for exercise, source in solution_answers(name).items()
    }
    helpers = {
        each.co_name: global_names(each)
        for cell in release(name).cells
        if cell.cell_type == "code"
        and cell.id != f"{name}-setup"
        and not {"nbgrader", "tags"} & set(cell.metadata)
        for each in compile(cell.source, name, "exec").co_consts
        if isinstance(each, CodeType)
    }
    for _ in (*used, *helpers):
        for mine in used.values():
            for exercise, functions in FUNCTIONS[name].items():
                if mine & functions:
                    mine |= used[exercise]
            for helper in mine & set(helpers):
                mine |= helpers[helper]
    return used


def global_names(code: CodeType) -> set[str]:
    inner = (each for each in code.co_consts if isinstance(each, CodeType))
    return set(code.co_names).union(*map(global_names, inner))


BOUND = re.compile(
    r"\b(?:def|class|as|import|for|del|global)\s++([\w.]++)|\b(\w++)\s*+(?:[\[,:].{,80}?)?\W?\W?="
)


@dataclass
class Draft:
    """A notebook on its way to being odd.

    Attributes:
        hurt: the exercises that may lose marks by what was done to it.
        refusable: whether it may be no notebook any more.
    """

    name: str
    notebook: Any
    hurt: set[str] = field(default_factory=set)
    refusable: bool = False

    @property
    def cells(self) -> list[Any]:
        cells = self.notebook.get("cells") if isinstance(self.notebook, dict) else None
        return cells if isinstance(cells, list) else []

    def answered(self) -> list[dict[str, Any]]:
        """The cells in which an answer stands."""
        return [
            cell for cell in self.cells if bound(text_of(cell)) & set().union(*FUNCTIONS[self.name].values())
        ]

    def others(self) -> list[dict[str, Any]]:
        answered = self.answered()
        return [cell for cell in self.cells if isinstance(cell, dict) and cell not in answered]

    def touches(self, *sources: str) -> None:
        """What these define may be gone, or other than it was."""
        names = set().union(*map(bound, sources))
        self.hurt |= {exercise for exercise, used in needs(self.name).items() if used & names}

    def ruin(self) -> None:
        self.hurt, self.refusable = set(FUNCTIONS[self.name]), True


def text_of(cell: Any) -> str:
    source = cell.get("source") if isinstance(cell, dict) else ""
    source = "".join(filter(lambda s: isinstance(s, str), source)) if isinstance(source, list) else source
    return source if isinstance(source, str) else ""


def bound(source: str) -> set[str]:
    """Every name that a text might give a meaning, and more."""
    return {part for found in BOUND.findall(source) for name in found for part in name.split(".") if part}


Draw = Callable[[Any], Any]
Mutation = Callable[[Draw, Draft], None]
HARMLESS: list[Mutation] = []
HARMFUL: list[Mutation] = []


def harmless(mutation: Mutation) -> Mutation:
    HARMLESS.append(mutation)
    return mutation


def harmful(mutation: Mutation) -> Mutation:
    HARMFUL.append(mutation)
    return mutation


def one(draw: Draw, cells: list[Any]) -> dict[str, Any]:
    return draw(st.sampled_from(cells)) if cells else {"cell_type": "code", "source": "", "metadata": {}}


def insert(draw: Draw, draft: Draft, cell: Any) -> None:
    draft.cells.insert(draw(st.integers(0, len(draft.cells))), cell)


def any_cell(draw: Draw, draft: Draft) -> dict[str, Any]:
    return one(draw, [cell for cell in draft.cells if isinstance(cell, dict)])


def code(source: str, like: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "metadata": copy.deepcopy((like or {}).get("metadata", {})),
        "source": source,
    }


# What must not change a mark


@harmless
def strip(draw, draft):
    for cell in draw(st.sampled_from([[any_cell(draw, draft)], draft.cells])):
        if isinstance(cell, dict):
            cell["metadata"] = {}
            cell.pop("id", None)


@harmless
def any_metadata(draw, draft):
    any_cell(draw, draft)["metadata"] = draw(anything)


@harmless
def other_nbgrader_metadata(draw, draft):
    grade_ids = [*FUNCTIONS[draft.name], *(f"check-{name}" for name in FUNCTIONS[draft.name]), "none", ""]
    known = st.fixed_dictionaries(
        {"grade_id": st.sampled_from(grade_ids) | anything},
        optional={
            "points": st.sampled_from([1000, -1, math.nan]) | anything,
            "schema_version": st.integers(0, 9) | anything,
            "grade": st.booleans(),
            "solution": st.booleans(),
            "locked": st.booleans(),
            "task": st.booleans(),
        },
    )
    tags = st.lists(st.sampled_from(["skip-execution", "show", "student", "remove-cell"])) | anything
    any_cell(draw, draft)["metadata"] = {"nbgrader": draw(known), "tags": draw(tags)}


@harmless
def other_id(draw, draft):
    ids = [cell.get("id") for cell in draft.cells if isinstance(cell, dict)]
    any_cell(draw, draft)["id"] = draw(st.sampled_from([*ids, "remarks", "extra-1", "x" * 100]) | anything)


@harmless
def shuffle(draw, draft):
    draft.cells[:] = draw(st.permutations(draft.cells))


@harmless
def turn_round(draw, draft):
    draft.cells.reverse()


@harmless
def delete_what_is_no_answer(draw, draft):
    gone = one(draw, draft.others())
    draft.cells[:] = [cell for cell in draft.cells if cell is not gone]


@harmless
def duplicate(draw, draft):
    insert(draw, draft, copy.deepcopy(any_cell(draw, draft)))


@harmless
def outputs(draw, draft):
    for key in ("outputs", "attachments", "execution_count"):
        any_cell(draw, draft)[key] = draw(anything)


@harmless
def around_the_cells(draw, draft):
    if isinstance(draft.notebook, dict):
        key = draw(
            st.sampled_from(["metadata", "nbformat_minor", "worksheets", "orig_nbformat"])
            | st.text(max_size=9)
        )
        if key not in ("cells", "nbformat"):
            draft.notebook[key] = draw(anything)


@harmless
def another_format(draw, draft):
    if isinstance(draft.notebook, dict):
        draft.notebook["nbformat"] = draw(st.sampled_from([4, 4.5, 5, 99, "4", None, [], math.inf]))


@harmless
def unknown_key(draw, draft):
    key = draw(st.text(max_size=8))
    if key not in ("source", "cell_type"):
        any_cell(draw, draft)[key] = draw(anything)


@harmless
def insert_anything(draw, draft):
    insert(draw, draft, draw(anything))


@harmless
def insert_text(draw, draft):
    kind = draw(st.sampled_from(["markdown", "raw", "heading", None, 3]))
    source = draw(st.text() | st.sampled_from(JUNK + list(solution_answers(draft.name).values())))
    insert(draw, draft, {"cell_type": kind, "source": source, "metadata": {}})


@harmless
def insert_junk(draw, draft):
    insert(
        draw, draft, code(draw(st.sampled_from(JUNK)), any_cell(draw, draft) if draw(st.booleans()) else None)
    )


@harmless
def lines(draw, draft):
    cell = any_cell(draw, draft)
    lines = text_of(cell).splitlines(keepends=True)
    lines.insert(draw(st.integers(0, len(lines))), draw(st.none() | st.integers() | st.just({})))
    cell["source"] = lines


@harmless
def line_ends(draw, draft):
    cell = any_cell(draw, draft)
    cell["source"] = "\r\n".join(line + "  " for line in text_of(cell).split("\n"))


@harmless
def split(draw, draft):
    cell = one(draw, draft.answered())
    first, *rest = text_of(cell).split("\n\n\n")
    cell["source"] = first
    at = draft.cells.index(cell) + 1 if cell in draft.cells else 0
    draft.cells[at:at] = [code(part, draw(st.sampled_from([cell, None]))) for part in rest]


@harmless
def merge(draw, draft):
    """Two cells of the solution that stand together become one."""
    plain = {cell["source"] for cell in json.loads(solved(draft.name), object_hook=joined)["cells"]}
    at = draw(st.integers(0, max(0, len(draft.cells) - 2)))
    pair = draft.cells[at : at + 2]
    if len(pair) == 2 and all(
        isinstance(c, dict) and c.get("cell_type") == "code" and text_of(c) in plain and "%" not in text_of(c)
        for c in pair
    ):
        draft.cells[at : at + 2] = [{**pair[0], "source": "\n\n".join(map(text_of, pair))}]


def joined(node: dict[str, Any]) -> dict[str, Any]:
    if isinstance(node.get("source"), list):
        node["source"] = "".join(node["source"])
    return node


@harmless
def swap_answers(draw, draft):
    one_, other = one(draw, draft.answered()), one(draw, draft.answered())
    one_["source"], other["source"] = other.get("source", ""), one_.get("source", "")


@harmless
def copies_that_do_not_count(draw, draft):
    exercise, source = draw(st.sampled_from(list(solution_answers(draft.name).items())))
    blank = blanks(draft.name)[exercise]
    mine = one(draw, [c for c in draft.answered() if FUNCTIONS[draft.name][exercise] & bound(text_of(c))])
    insert(
        draw,
        draft,
        draw(
            st.sampled_from(
                [
                    code(f"%%writefile {exercise}.py\n{source}"),
                    code("\n".join(f"# {line}" for line in source.splitlines())),
                    code(blank),
                    code(blank, mine),
                    code(f"'''{source}'''".replace('"""', "")),
                ]
            )
        ),
    )


@harmless
def edit_what_is_given(draw, draft):
    cell = one(draw, draft.others())
    cell["source"] = text_of(cell) + draw(st.sampled_from(["\n# mine", "\n\nMINE = 3", "\n1 / 0", "\n("]))


# What may cost the exercises that it touches


@harmful
def mutate_tokens(draw, draft):
    cell = one(draw, draft.answered())
    before = text_of(cell)
    try:
        tokens = [t.string for t in tokenize.generate_tokens(StringIO(before).readline)]
    except (tokenize.TokenError, SyntaxError, ValueError):
        tokens = re.split(r"(\W)", before)
    for _ in range(draw(st.integers(1, 4))):
        at, other = draw(st.integers(0, len(tokens))), draw(st.integers(0, len(tokens)))
        odd = [
            "(",
            ")",
            "[",
            "]",
            "\t",
            "\n",
            "\0",
            "\ud800",
            "%",
            "!",
            "=",
            "*" * 99,
            "lambda:",
            "9" * 5000,
            "\x1b",
            "return",
        ]
        match draw(st.integers(0, 3)):
            case 0:
                del tokens[at : at + draw(st.integers(1, 3))]
            case 1:
                tokens.insert(at, draw(st.sampled_from([*odd, *tokens])))
            case 2:
                tokens[at:at] = tokens[other : other + 5]
            case 3 if at < len(tokens):
                tokens[at] = draw(st.sampled_from(odd))
    cell["source"] = " ".join(t for t in tokens) if draw(st.booleans()) else "".join(tokens)
    draft.touches(before, cell["source"])


@harmful
def mutate_characters(draw, draft):
    cell = one(draw, draft.answered())
    before = text_of(cell)
    at, end = sorted((draw(st.integers(0, len(before))), draw(st.integers(0, len(before)))))
    put = draw(
        st.text(max_size=5)
        | st.sampled_from(["", "\0", "\ud800", "\t", "\r", "\u2028", "#", '"""', ":", "\\"])
    )
    cell["source"] = before[:at] + put + before[draw(st.sampled_from([at, at + 1, end])) :]
    draft.touches(before, cell["source"])


@harmful
def another_answer(draw, draft):
    cell = one(draw, draft.answered())
    draft.touches(text_of(cell))
    functions = [
        name for name in bound(text_of(cell)) if any(name in f for f in FUNCTIONS[draft.name].values())
    ]
    bodies = [
        "pass",
        "return x",
        "return 1 / 0",
        "return lambda: x",
        "raise SystemExit",
        "return None",
        "yield x",
    ]
    bodies += [
        "return [x] * 10**5",
        "return {1: x}",
        "return np.ma.array(x)",
        "return np.array([{}])",
        "return 10**400",
    ]
    bodies += ["import os; os._exit(0)", "return float('nan')", "return x.astype(object)", "while True: pass"]
    body = draw(st.sampled_from(bodies))
    cell["source"] = "\n\n".join(f"def {name}(x=None, *a, **k):\n    {body}" for name in functions)


@harmful
def junk_for_an_answer(draw, draft):
    cell = one(draw, draft.answered())
    draft.touches(text_of(cell))
    cell["source"] = draw(st.sampled_from(JUNK) | anything)
    draft.touches(text_of(cell))


@harmful
def junk_above_an_answer(draw, draft):
    cell = one(draw, draft.answered())
    draft.touches(text_of(cell))
    cell["source"] = draw(st.sampled_from(JUNK)) + "\n" + text_of(cell)


@harmful
def rename(draw, draft):
    cell = one(draw, draft.answered())
    draft.touches(text_of(cell))
    cell["source"] = text_of(cell).replace(
        "def ", draw(st.sampled_from(["def my_", "async def ", "class ", "def\t", "DEF "]))
    )


@harmful
def delete(draw, draft):
    gone = any_cell(draw, draft)
    draft.touches(text_of(gone))
    draft.cells[:] = [cell for cell in draft.cells if cell is not gone]


@harmful
def retype(draw, draft):
    cell = any_cell(draw, draft)
    draft.touches(text_of(cell))
    cell["cell_type"] = draw(st.sampled_from(["code", "markdown", "raw", "heading", "Code"]) | anything)


@harmful
def overwrite(draw, draft):
    names = sorted({*set().union(*FUNCTIONS[draft.name].values()), "np", "len", "abs", "require_same_shape"})
    values = ["None", "lambda *a, **k: a[0]", "3", "type", "np.exp", "property", "[]"]
    source = f"{draw(st.sampled_from(names))} = {draw(st.sampled_from(values))}"
    insert(draw, draft, code(source))
    draft.touches(source)


@harmful
def any_node(draw, draft):
    """Any value in the place of any other."""
    place, key = {"": draft.notebook}, ""
    path: list[Any] = []
    while isinstance(place[key], (dict, list)) and place[key] and draw(st.integers(0, 4)):
        place = place[key]
        key = draw(st.sampled_from(list(place) if isinstance(place, dict) else range(len(place))))
        path.append(key)
    at = path[1] if path[:1] == ["cells"] and len(path) > 1 else None
    if at is not None:
        draft.touches(text_of(draft.cells[at]))
    place[key] = draw(anything)
    if at is not None:
        draft.touches(text_of(draft.cells[at]))
    elif not path:
        draft.notebook = place[key]
    if not path or path in (["cells"], ["nbformat"]):
        draft.ruin()


def written(draw: Draw, draft: Draft) -> bytes:
    """The notebook as a file, which may be damaged."""
    indent, plain = draw(st.sampled_from([None, 1, 8])), draw(st.booleans())
    text = json.dumps(draft.notebook, indent=indent, ensure_ascii=plain)
    try:
        raw = text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-32-be"])))
    except UnicodeEncodeError:
        raw = json.dumps(draft.notebook).encode()
    if draw(st.sampled_from([True] * 9 + [False])):
        return raw
    draft.ruin()
    at, length = draw(st.integers(0, len(raw))), draw(st.integers(0, 50))
    match draw(st.integers(0, 6)):
        case 0:
            return raw[:at]
        case 1:
            return raw[:at] + raw[at + length :]
        case 2:
            return raw[:at] + draw(st.binary(max_size=20)) + raw[at:]
        case 3:
            flipped = bytearray(raw)
            for _ in range(draw(st.integers(1, 20))):
                flipped[draw(st.integers(0, len(raw) - 1))] ^= 1 << draw(st.integers(0, 7))
            return bytes(flipped)
        case 4:
            return raw + raw
        case 5:
            return gzip.compress(raw)
    return raw.decode("utf-8", "replace").encode("utf-16-le" if at % 2 else "cp1252", "replace")


@st.composite
def handed_in(draw: Draw, name: str) -> tuple[Draft, bytes]:
    draft = Draft(name, json.loads(solved(name), object_hook=joined))
    some = st.lists(st.sampled_from(HARMLESS), min_size=1, max_size=4)
    more = st.lists(st.sampled_from(HARMFUL), max_size=2)
    for mutation in draw(st.tuples(some, more).map(lambda both: both[0] + both[1]).flatmap(st.permutations)):
        mutation(draw, draft)
    return draft, written(draw, draft)


def graded_as_it_should_be(grader: Grader, draft: Draft, raw: bytes):
    """Grade it: a mark within bounds, whole for what was not touched, in words that can be written down."""
    result = grader.grade(draft.name, "ann", raw)
    assert math.isfinite(result.score) and 0 <= result.score <= result.max_score
    json.dumps(result.record(), allow_nan=False, ensure_ascii=False).encode("utf-8")
    if result.error:
        assert draft.refusable and result.score == 0 and "did not run" not in result.error
        return result
    exercises = result.exercises.values()
    assert all(0 <= each.score <= each.max_score for each in exercises)
    assert result.score == pytest.approx(sum(each.score for each in exercises))
    lost = {each.name: each.tests for each in exercises if each.score < each.max_score}
    assert set(lost) <= draft.hurt, (lost, result.remarks)
    nbformat.validate(rebuild(raw, release(draft.name)).notebook())
    return result


fuzz = settings(
    deadline=120_000,  # a hang, whatever the machine
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.generate, Phase.shrink],
)


@pytest.fixture(scope="module")
def quick(sandboxed):
    with Grader(Course.find(), Settings(LIMITS)) as grader:
        yield grader


@settings(fuzz, max_examples=100, derandomize=True)
@given(handed=handed_in("activations"))
def test_mutated_hand_ins(quick, handed):
    graded_as_it_should_be(quick, *handed)


@pytest.fixture(scope="module")
def registered(sandboxed, tmp_path_factory):
    """A course of its own, with a gradebook."""
    course = Course.find().copied_to(tmp_path_factory.mktemp("course") / "copy")
    build_release(list(FUNCTIONS), course.assignments, register=True, course=course)
    with Grader(course, Settings(LIMITS)) as grader:
        yield grader


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # nbgrader's and SQLAlchemy's own
@pytest.mark.parametrize("name", FUNCTIONS)
def test_many_mutated_hand_ins(registered, name):
    """Now and then an honest neighbour is graded; one in ten goes all the way to the gradebook and the feedback page."""

    @settings(fuzz, max_examples=1000 // len(FUNCTIONS), derandomize=True)
    @given(
        handed=handed_in(name), all_the_way=st.sampled_from(range(10)), neighbour=st.sampled_from(range(20))
    )
    def test(handed, all_the_way, neighbour):
        draft, raw = handed
        result = graded_as_it_should_be(registered, draft, raw)
        if all_the_way == 9:
            assert in_the_gradebook(registered.course, name, raw) == (
                {
                    f"check-{each}": result.exercises[each].score if result.exercises else 0.0
                    for each in FUNCTIONS[name]
                },
                bool(result.error),
            )
        if neighbour == 19:
            honest = registered.grade(name, "bea", solved(name).encode())
            assert honest.score == honest.max_score and not honest.remarks

    test()


def in_the_gradebook(course: Course, name: str, raw: bytes) -> tuple[dict[str, float], bool]:
    """The marks that nbgrader gives a hand-in, and whether it is flagged."""
    from nbgrader.api import Gradebook

    path = course.submitted / "ann" / name / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)
    assert into_gradebook(course, name, ["ann"]).problems == {}
    [page] = feedback(course, name, "ann")
    assert "Score" in page.read_text(encoding="utf-8")
    with Gradebook(course_directory(course).db_url, "keras-from-scratch") as book:
        grades = book.find_submission_notebook(name, name, "ann").grades
        flags = {grade.needs_manual_grade for grade in grades}
        assert len(flags) == 1
        return {grade.name: grade.auto_score for grade in grades}, flags.pop()


# Files that need not even be notebooks

strange_cell = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown", "raw", "heading"]) | anything,
        "source": st.sampled_from(["def relu(x):\n return x", "relu = 1", "\ud800", "%%bash\nls", "(" * 300])
        | st.text()
        | anything,
        "metadata": st.fixed_dictionaries(
            {"nbgrader": st.fixed_dictionaries({"grade_id": st.sampled_from(["relu", "check-relu", "no"])})}
        )
        | anything,
        "id": st.sampled_from(["activations-setup", "activations-relu", "activations-01"]) | anything,
        "outputs": anything,
    },
)
strange_notebook = st.fixed_dictionaries(
    {"cells": st.lists(strange_cell | anything, max_size=6)},
    optional={
        "nbformat": st.sampled_from([1, 2, 3, 4, 5, "4"]) | anything,
        "metadata": anything,
        "worksheets": anything,
    },
)


any_file = st.binary() | st.builds(lambda n: json.dumps(n).encode(), strange_notebook | anything)


@settings(fuzz, max_examples=150, derandomize=True)
@given(raw=any_file)
def test_any_bytes_are_rebuilt_or_refused(raw):
    rebuilt_or_refused(raw)


@pytest.mark.slow
@settings(fuzz, max_examples=3000)
@given(raw=any_file)
def test_many_bytes_are_rebuilt_or_refused(raw):
    rebuilt_or_refused(raw)


def rebuilt_or_refused(raw):
    released = release("activations")
    try:
        handin = rebuild(raw, released)
    except UnreadableHandIn as refusal:
        assert str(refusal)
        return
    notebook = handin.notebook()
    nbformat.validate(notebook)
    assert set(handin.answers) == set(FUNCTIONS["activations"])
    from_release = {
        c.id: c.source for c in released.cells if not c.metadata.get("nbgrader", {}).get("solution")
    }
    assert {c.id: c.source for c in notebook.cells if c.id in from_release} == from_release
    nbformat.writes(notebook).encode("utf-8")
