"""A hand-in rebuilt: its answers, and its own cells, in the released notebook."""

from __future__ import annotations

import ast
import json
import os
import re
import stat
import warnings
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

if TYPE_CHECKING:
    from nbformat import NotebookNode

MAX_BYTES = 64 * 2**20
OLDEST_FORMAT = 4
MAX_MEMORY = 2**30
MAX_CELLS = 5000
MAX_CODE = 2 * 2**20
MAX_SHOWN = 2**20

Kind = Literal["code", "markdown"]
Role = Literal["given", "answer", "check", "show", "text", "extra"]


class UnreadableHandIn(Exception):
    """A file that is no notebook. The message says what it is instead."""


@dataclass(frozen=True)
class Cell:
    """A cell of a hand-in. Only `answer` and `extra` hold a student's words; all else is the release's."""

    id: str
    kind: Kind
    role: Role
    source: str
    exercise: str = ""
    grade_id: str = ""


@dataclass(frozen=True)
class HandIn:
    """A rebuilt hand-in."""

    all_cells: list[Cell]
    answers: dict[str, str]  # exercise -> source of its answer cell; the blank where there was none
    remarks: list[str]  # what was missing, duplicated, moved or edited, in sentences
    released: NotebookNode

    @property
    def cells(self) -> list[Cell]:
        """The cells to run, in order: given code, answers and the student's own code."""
        return [c for c in self.all_cells if c.kind == "code" and c.role in ("given", "answer", "extra")]

    @property
    def written(self) -> list[Cell]:
        """The code that the student wrote: answers that are no longer the blank, and cells of their own."""
        blanks = {_key(cell.source) for cell in self.released.cells}
        return [
            c
            for c in self.cells
            if c.role == "extra" or (c.role == "answer" and _key(c.source) not in blanks)
        ]

    def notebook(self) -> NotebookNode:
        """The released notebook with the answers and the student's own cells in place, without outputs."""
        from nbformat.v4 import new_code_cell, new_markdown_cell

        from grader.notebooks.clean import clean_markdown
        from grader.report.plain import plain

        from_release = {cell["id"]: cell for cell in self.released.cells}
        notebook = type(self.released)(self.released)
        notebook.cells = []
        room = MAX_SHOWN
        for cell in self.all_cells:
            if cell.id in from_release:
                node = type(self.released)(from_release[cell.id])
                node.source = plain(cell.source) if cell.role == "answer" else cell.source
            elif cell.kind == "code":
                node = new_code_cell(plain(cell.source), id=cell.id, metadata={"tags": ["student"]})
            else:
                room -= len(cell.source)
                text = clean_markdown(cell.source) if room >= 0 else "... cut here ..."
                node = new_markdown_cell(text, id=cell.id, metadata={"tags": ["student"]})
            notebook.cells.append(node)
        return with_remarks(notebook, self.remarks)


def with_remarks(notebook: NotebookNode, remarks: list[str]) -> NotebookNode:
    """The notebook with these remarks, and no others, at its head."""
    from nbformat.v4 import new_markdown_cell

    from grader.notebooks.clean import clean_markdown
    from grader.report.plain import one_line

    notebook.cells = [cell for cell in notebook.cells if cell.get("id") != "remarks"]
    if remarks:
        text = "**Notes on what you handed in**\n\n" + "\n".join(f"- {one_line(r)}" for r in remarks)
        notebook.cells.insert(0, new_markdown_cell(clean_markdown(text), id="remarks"))
    return notebook


def read_hand_in(path: Path) -> bytes:
    """The bytes of a handed-in file, if it is a regular file of a sane size: no link is followed.

    Raises:
        UnreadableHandIn: where it is not.
    """
    if path.is_symlink() or path.parent.is_symlink():
        raise UnreadableHandIn(f"{path.name} is a link, not a file")
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            facts = os.fstat(handle)
            if not stat.S_ISREG(facts.st_mode):
                raise UnreadableHandIn(f"{path.name} is not a regular file")
            _check_size(facts.st_size)
            return b"".join(iter(lambda: os.read(handle, 2**20), b""))
        finally:
            os.close(handle)
    except FileNotFoundError:
        others = sorted(each.name for each in path.parent.glob("*.ipynb"))
        there = f" (there is {', '.join(others[:5])})" if others else ""
        raise UnreadableHandIn(f"there is no {path.name}{there}") from None
    except OSError as error:
        raise UnreadableHandIn(f"{path.name}: {error.strerror}") from None


def read_timestamp(folder: Path) -> bytes | None:
    """What the hand-in's `timestamp.txt` holds, or None where it is not there or no regular file."""
    path = folder / "timestamp.txt"
    if not os.path.lexists(path):
        return None
    try:
        return read_hand_in(path)
    except UnreadableHandIn:
        return None


def rebuild(raw: bytes, released: NotebookNode) -> HandIn:
    """Put the answers of a handed-in notebook, and the student's own cells, into the released one.

    Answer cells are found by grade id, else by the functions that they define. Every other cell of the release
    is the release's own; a student's cells keep their order and stay beside the cells they stood beside.

    Args:
        raw: the file as it came; any bytes.
        released: the released notebook.

    Raises:
        UnreadableHandIn: where the bytes are no notebook.
    """
    release = [_released_cell(cell) for cell in released.cells]
    handed = _cells(_notebook(raw))
    remarks: list[str] = []

    sources, places = _answers(release, handed, remarks)
    given = _match_given(release, handed, places)
    own = [place for place in range(len(handed)) if place not in places and place not in given]
    remarks += _redefined(release, [handed[place] for place in own])
    own += _edited(release, handed, given, sources, remarks)

    at = {**{p: i for p, i in places.items() if i is not None}, **given}
    steady = _in_order(sorted(at.items()))
    if len(steady) < len(at):
        remarks.append("Cells were moved; they are back in the order of the released notebook.")
    anchors = sorted(steady)
    behind: dict[int, list[Cell]] = {}
    for number, place in enumerate(sorted(own), 1):
        if handed[place].source.strip():
            before = bisect_right(anchors, place)
            anchor = steady[anchors[before - 1]] if before else -1
            behind.setdefault(anchor, []).append(replace(handed[place], id=f"extra-{number}", grade_id=""))

    cells = list(behind.get(-1, []))
    for index, cell in enumerate(release):
        cells.append(replace(cell, source=sources[cell.exercise]) if cell.role == "answer" else cell)
        cells += behind.get(index, [])
    return HandIn(cells, sources, list(dict.fromkeys(remarks)), released)


def _released_cell(cell: Any) -> Cell:
    meta = cell["metadata"].get("nbgrader", {})
    grade_id = str(meta.get("grade_id", ""))
    kind: Kind = "code" if cell["cell_type"] == "code" else "markdown"
    if meta.get("solution"):
        return Cell(cell["id"], kind, "answer", cell["source"], grade_id, grade_id)
    if meta.get("grade"):
        return Cell(cell["id"], kind, "check", cell["source"], grade_id.removeprefix("check-"), grade_id)
    if kind == "markdown":
        return Cell(cell["id"], kind, "text", cell["source"])
    return Cell(
        cell["id"], kind, "show" if "show" in cell["metadata"].get("tags", []) else "given", cell["source"]
    )


# Reading: whatever the bytes are, either a list of plain cells or UnreadableHandIn.


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise UnreadableHandIn(
            f"the file has {-(-size // 2**20)} MB, at most {MAX_BYTES // 2**20} are read: clear all outputs in JupyterLab, save the notebook and hand it in again"
        )


def _notebook(raw: bytes) -> dict[str, Any]:
    _check_size(len(raw))
    if not raw.strip():
        raise UnreadableHandIn("the file is empty")
    # Each bracket, comma and colon may become objects of Python's, so small text can be large in memory.
    weight = 80 * (raw.count(b"[") + raw.count(b"{")) + 64 * raw.count(b",") + 40 * raw.count(b":")
    weight += len(raw) * (2 if raw.isascii() else 8)  # one wide character makes its whole string wide
    if weight > MAX_MEMORY:
        raise UnreadableHandIn(
            "the file holds too many values to be a notebook: clear the outputs and hand it in again"
        )
    try:
        notebook = json.loads(raw, object_hook=_without_outputs)
    except (ValueError, RecursionError, MemoryError):
        start = raw.lstrip()[:1]
        why = "it breaks off, or was damaged, on the way" if start == b"{" else "it is not a notebook"
        raise UnreadableHandIn(f"the file cannot be read: {why}") from None
    if not isinstance(notebook, dict):
        raise UnreadableHandIn("the file is not a notebook")
    version = notebook.get("nbformat")
    older = isinstance(version, int | float) and version < OLDEST_FORMAT
    if older or ("worksheets" in notebook and "cells" not in notebook):
        raise UnreadableHandIn(
            f"the notebook has an old format, at least nbformat {OLDEST_FORMAT} is needed: open it in JupyterLab, save it and hand it in again"
        )
    if not isinstance(notebook.get("cells"), list):
        raise UnreadableHandIn("the file is not a notebook: it has no list of cells")
    return notebook


def _without_outputs(node: dict[str, Any]) -> dict[str, Any]:
    for bulk in ("outputs", "attachments"):
        if bulk in node:
            node[bulk] = []
    return node


def _cells(notebook: dict[str, Any]) -> list[Cell]:
    cells = []
    if len(notebook["cells"]) > MAX_CELLS:
        raise UnreadableHandIn(
            f"the notebook has {len(notebook['cells'])} cells, at most {MAX_CELLS} are read"
        )
    for place, cell in enumerate(notebook["cells"]):
        if not isinstance(cell, dict):
            continue
        source = cell.get("source", "")
        if isinstance(source, list):
            source = "".join(line for line in source if isinstance(line, str))
        if not isinstance(source, str):
            continue
        source = source.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
        meta = cell.get("metadata")
        meta = meta.get("nbgrader") if isinstance(meta, dict) else None
        grade_id = meta.get("grade_id") if isinstance(meta, dict) else None
        cells.append(
            Cell(
                id=cell["id"] if isinstance(cell.get("id"), str) else f"handed-{place}",
                kind="code" if cell.get("cell_type") == "code" else "markdown",
                role="extra",
                source=source,
                grade_id=grade_id if isinstance(grade_id, str) else "",
            )
        )
    if (size := sum(len(cell.source) for cell in cells if cell.kind == "code")) > MAX_CODE:
        raise UnreadableHandIn(
            f"the notebook holds {size / 2**20:.0f} MB of code, at most {MAX_CODE // 2**20} are read"
        )
    if not any(cell.source.strip() for cell in cells):
        raise UnreadableHandIn("the notebook has no cells")
    return cells


# Matching: which handed-in cell is which of the release's.


def _answers(
    release: list[Cell], handed: list[Cell], remarks: list[str]
) -> tuple[dict[str, str], dict[int, int | None]]:
    """The source of each answer, and the handed-in cells used up: place -> index in the release, or None."""
    names = [defined(cell.source) for cell in handed]
    text = [_key(cell.source) for cell in handed]
    ours = {_key(cell.source) for cell in release}
    answer_ids = {cell.grade_id for cell in release if cell.role == "answer"}
    sources: dict[str, str] = {}
    used: dict[int, int | None] = {}
    for index, blank in enumerate(release):
        if blank.role != "answer":
            continue
        functions = defined(blank.source)
        marked = [place for place, cell in enumerate(handed) if cell.grade_id == blank.grade_id]
        defining = [place for place, found in enumerate(names) if found & functions]
        if not any(handed[place].kind == "code" for place in defining):
            for place in set(marked) & set(defining) or {p for p in defining if text[p] not in ours}:
                handed[place] = replace(handed[place], kind="code")
                remarks.append(f"The answer cell of `{blank.exercise}` was no code cell; it is one again.")
        begun = [place for place in defining if handed[place].kind == "code" and text[place] not in ours]
        by_id = [place for place in marked if handed[place].kind == "code"]
        elsewhere = [place for place in begun if handed[place].grade_id not in answer_ids]
        best = [place for place in begun if place in by_id] or elsewhere or begun or by_id
        if not best:
            remarks.append(
                f"The answer cell of `{blank.exercise}` was missing, and no other code cell defines its functions."
            )
            sources[blank.exercise] = blank.source
            continue
        chosen = best[-1]
        parts, have = [chosen], names[chosen] & functions
        for place in reversed(best[:-1]):  # an answer that was split over cells is put together again
            if names[place] & functions - have:
                parts.insert(0, place)
                have |= names[place] & functions
        sources[blank.exercise] = "\n\n\n".join(handed[place].source for place in parts)
        used.update(dict.fromkeys(parts))
        used[chosen] = index
        for place in by_id if chosen in by_id else by_id + elsewhere:
            if names[place] <= functions and (names[place] or not text[place]):
                used.setdefault(place, None)
        again = chosen in by_id and any(place > chosen and names[place] & have for place in elsewhere)
        copies = len(by_id) - len(parts) + 1 if chosen in by_id else len(by_id)
        remarks += _matching_remarks(blank.exercise, copies, chosen in by_id, again)
    return sources, used


def _matching_remarks(exercise: str, marked: int, chosen_is_marked: bool, again: bool) -> Iterator[str]:
    if marked > 1:
        yield f"There were {marked} answer cells of `{exercise}`; the last one that was begun counts."
    if not marked:
        yield f"The answer cell of `{exercise}` was missing or had lost its mark; it was found by the functions that it defines."
    elif not chosen_is_marked:
        yield f"The answer of `{exercise}` stood in another cell; it was found by the functions that it defines."
    if again:
        yield f"A function of `{exercise}` is defined again in a cell of your own further down; the last definition counts."


def _match_given(release: list[Cell], handed: list[Cell], used: dict[int, int | None]) -> dict[int, int]:
    """Place -> index of the handed-in cells that are, or once were, cells of the release which are no answers."""
    by_id = {cell.id: i for i, cell in enumerate(release) if cell.role != "answer"}
    by_grade = {cell.grade_id: i for i, cell in enumerate(release) if cell.role == "check"}
    by_text: dict[tuple[Kind, str], int] = {}
    for i, cell in enumerate(release):
        by_text.setdefault((cell.kind, _key(cell.source)), i)
    ways: list[Callable[[Cell], int | None]] = [
        lambda cell: by_text.get((cell.kind, _key(cell.source))),
        lambda cell: by_grade.get(cell.grade_id),
        lambda cell: by_id.get(cell.id),
    ]
    found: dict[int, int] = {}
    for index_of in ways:
        for place, cell in enumerate(handed):
            if place in used or place in found or (index := index_of(cell)) is None:
                continue
            if release[index].role == "answer" or index in found.values():
                if _key(cell.source) == _key(release[index].source):
                    used[place] = None  # a copy of what the release has
            elif release[index].kind == cell.kind:
                found[place] = index
    return found


def _redefined(release: list[Cell], own: list[Cell]) -> Iterator[str]:
    """What a student's own cells define anew of what the release gives, in sentences."""
    provided: set[str] = set()
    for cell in release:
        if cell.role == "given":
            provided |= defined(cell.source) | set(IMPORTED.findall(cell.source))
    for cell in own:
        if cell.kind == "code":
            for name in sorted(defined(cell.source) & provided):
                yield f"A cell of your own defines `{name}`, which the notebook gives you; below it, yours counts."


def _edited(
    release: list[Cell],
    handed: list[Cell],
    given: dict[int, int],
    answers: dict[str, str],
    remarks: list[str],
) -> Iterator[int]:
    """The places of edited cells of the release that are to run too: what was added there is the student's.

    An edited check or figure does so only where it defines what an answer may need.
    """
    words = set(re.findall(r"\w+", "\n".join(answers.values())))
    for place, index in given.items():
        cell, ours = handed[place], release[index]
        if _key(cell.source) == _key(ours.source):
            continue
        if ours.role == "check":
            remarks.append(f"The check cell of `{ours.exercise}` was edited; the released one counts.")
        if ours.role in ("given", "text") or (defined(cell.source) - defined(ours.source)) & words:
            handed[place] = replace(cell, source=cell.source.removeprefix("%%show\n"))
            remarks.append("A given cell was edited; the released one is back, and yours follows it.")
            yield place


def _in_order(at: list[tuple[int, int]]) -> dict[int, int]:
    """The longest run of (place, index) pairs whose indices rise: the cells that were not moved."""
    tails: list[int] = []
    ends: list[int] = []
    before: dict[int, int] = {}
    for number, (_, index) in enumerate(at):
        where = bisect_left(tails, index)
        before[number] = ends[where - 1] if where else -1
        tails[where : where + 1] = [index]
        ends[where : where + 1] = [number]
    kept: dict[int, int] = {}
    number = ends[-1] if ends else -1
    while number >= 0:
        kept[at[number][0]] = at[number][1]
        number = before[number]
    return kept


Made = TypeVar("Made")


def _kept(function: Callable[[str], Made]) -> Callable[[str], Made]:
    """Keeps what `function` makes of short texts: each hand-in has the cells of the release again."""
    kept = lru_cache(256)(function)
    return wraps(function)(lambda source: kept(source) if len(source) < 2**13 else function(source))


@_kept
def _key(source: str) -> str:
    """A source without what editors change by themselves."""
    return "\n".join(line.rstrip() for line in source.strip().splitlines())


DEFINITION = re.compile(r"^(?:async\s+)?def\s+(\w+)|^(\w+)\s*=(?!=)", re.MULTILINE)
IMPORTED = re.compile(r"\b(?:import|as)\s+(\w+)")
CELL_MAGIC = re.compile(r"\s*%%(\w*).*")
RUNS_PYTHON = ("time", "capture", "prun", "show")


@_kept
def defined(source: str) -> frozenset[str]:
    """The names that a cell gives a meaning at its top level, also where it is not quite Python."""
    if magic := CELL_MAGIC.match(source):
        return defined(source[magic.end() :]) if magic[1] in RUNS_PYTHON else frozenset()
    if len(source) < 2**18:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return frozenset(_bound(ast.parse(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass
    return frozenset(one or other for one, other in DEFINITION.findall(source))


def _statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that run when the cell does, those inside `if`, `try`, `for` and `with` too."""
    waiting = list(body)
    while waiting:
        yield (node := waiting.pop())
        for block in ("body", "orelse", "finalbody", "handlers"):
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                waiting += getattr(node, block, [])


def _targets(target: ast.expr) -> Iterator[ast.Name]:
    if isinstance(target, ast.Name):
        yield target
    elif isinstance(target, ast.Tuple | ast.List):
        for each in target.elts:
            yield from _targets(each)


def _bound(tree: ast.Module) -> Iterator[str]:
    for node in _statements(tree.body):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.Assign(targets=targets):
                for target in targets:
                    yield from (each.id for each in _targets(target))
            case ast.AnnAssign(target=ast.Name(id=name), value=value) if value is not None:
                yield name
