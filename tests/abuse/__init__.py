"""The public abuse suite: hand-ins that cheat, pry, harm, are broken, or are right in an unusual way.

A case says what is handed in and what it earns; `test_abuse.py` grades it with everything watched, then an honest
neighbour. One module a kind. To add a case, say in one sentence what it tries:

```python
harm(
    "kill_the_parent",
    "Kills the process that started it.",
    before='''
    import os
    os.kill(os.getppid(), 9)
    ''',
)
```

An attacker is told where everything is: a source may use `HOST`, a dictionary of the grading side's files, ports and
process (see `tests.abuse.host`), and says `found(...)` for each thing that it should not have been able to do. A cell
that does so has to come to its end, so that no case passes because it broke down before it tried.
"""

from __future__ import annotations

import importlib
import json
import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grader.notebooks import filled_notebook, release_notebook, solution_answers

ASSIGNMENT = "activations"
IMPORTS = 3  # the cell that imports NumPy stands above this place, the first answer below it
TRIED = 'print("TRIED")'
PRELUDE = 'def found(*what):\n    print("FOUND", *what)'

Notebook = dict[str, Any]
Shares = Mapping[
    str, float | None
]  # exercise -> share of its points; None: any mark, the ruin is the student's own
ANY = None


@dataclass(frozen=True)
class Case:
    """A hand-in, and what it earns.

    Attributes:
        kind: the module that it stands in.
        name: unique in its kind.
        about: what it tries, in a sentence.
        content: makes the notebook, the bytes of a file, or (`on_disk`) whatever it likes in a student's folder.
        earns: exercise -> share of its points.
        others: the share that every exercise not in `earns` earns.
        error: words of the error that the hand-in gets instead of marks.
        absent: nothing was handed in: the student is not in the results.
        hangs: graded under short limits.
        stopped: a limit may end its process before it has tried everything.
        on_disk: `content` is given the student's folder of the assignment, which is not there yet.
        student: the name of the student's folder.
    """

    kind: str
    name: str
    about: str
    content: Callable[..., Any]
    earns: Shares
    others: float | None = 1.0
    error: str = ""
    absent: bool = False
    hangs: bool = False
    stopped: bool = False
    on_disk: bool = False
    student: str | bytes = "target"

    def __str__(self) -> str:
        return f"{self.kind}-{self.name}"

    def hand_in(self, folder: Path, host: Mapping[str, Any], student: str = "") -> int:
        """Put it where a class's hand-ins are; returns how many of its cells have to come to their end."""
        place = folder / (student or os.fsdecode(self.student)) / ASSIGNMENT
        if self.on_disk:
            place.parent.mkdir(parents=True, exist_ok=True)
            self.content(place)
            return 0
        place.mkdir(parents=True)
        made = self.content()
        tries = 0
        if isinstance(made, dict):
            text = json.dumps(made)
            tries = text.count(json.dumps(TRIED)[1:-1])
            if "HOST" in text or tries:
                made["cells"][IMPORTS:IMPORTS] = [code(f"HOST = {dict(host)!r}"), code(PRELUDE)]
            made = raw(made)
        (place / f"{ASSIGNMENT}.ipynb").write_bytes(made)
        return tries


KINDS = ("forging", "peeking", "harm", "values", "broken", "fair")
_declared: list[Case] = []


def cases() -> list[Case]:
    """All cases of all kinds."""
    for kind in KINDS:
        importlib.import_module(f"tests.abuse.{kind}")
    assert len({str(case) for case in _declared}) == len(_declared)
    return _declared


class Kind:
    """Declares the cases of one kind.

    Args:
        name: of the kind.
        answers: what stands in the place of the solution's answers, unless a case says otherwise.
        earns: the marks, unless a case says otherwise.
    """

    def __init__(
        self, name: str, answers: Mapping[str, str] | None = None, earns: Shares | None = None
    ) -> None:
        self.name = name
        self.answers = dict(answers or {})
        self.earns = dict(earns or {})

    def __call__(
        self,
        name: str,
        about: str,
        before: str | Sequence[str] = (),
        after: str | Sequence[str] = (),
        answers: Mapping[str, str] | None = None,
        earns: Shares | None = None,
        raw: bytes | None = None,
        **facts: Any,
    ) -> None:
        """Declare a case: cells of the student's own above and below the answers, answers replaced; or just bytes."""
        answers = self.answers if answers is None else answers

        def content() -> Notebook | bytes:
            return notebook(before, after, **answers) if raw is None else raw

        self._add(name, about, content, earns, facts)

    def made(self, earns: Shares | None = None, **facts: Any) -> Callable[[Callable], Callable]:
        """Declare a case by a function: from the filled-in notebook it makes another, or bytes."""

        def declare(make: Callable[[Notebook], Any]) -> Callable[[Notebook], Any]:
            self._add(
                make.__name__,
                make.__doc__ or "",
                lambda: make(notebook(**self.answers)),
                earns,
                facts,
            )
            return make

        return declare

    def on_disk(self, **facts: Any) -> Callable[[Callable], Callable]:
        """Declare a case by a function that makes, or does not make, the student's folder of the assignment."""

        def declare(make: Callable[[Path], None]) -> Callable[[Path], None]:
            name = make.__name__
            self._add(name, make.__doc__ or "", make, {}, {"student": name, **facts, "on_disk": True})
            return make

        return declare

    def _add(
        self, name: str, about: str, content: Callable, earns: Shares | None, facts: Mapping[str, Any]
    ) -> None:
        earns = self.earns if earns is None else earns
        _declared.append(Case(self.name, name, about, content, earns, **facts))


# Notebooks


@cache
def answers() -> dict[str, str]:
    """The solution's answers, each standing on its own: a wrong sigmoid costs sigmoid alone."""
    from_solution = solution_answers(ASSIGNMENT)
    own = "decay = np.exp(-np.abs(x))\n    return np.where(x >= 0, 1, decay) / (1 + decay)"
    return {**from_solution, "softplus": from_solution["softplus"].replace("return sigmoid(x)", own)}


@cache
def _filled() -> str:
    return json.dumps(filled_notebook(ASSIGNMENT, answers()))


@cache
def _blank() -> str:
    return json.dumps(release_notebook(ASSIGNMENT))


def blank() -> Notebook:
    """The notebook as it was handed out."""
    return json.loads(_blank())


def notebook(before: str | Sequence[str] = (), after: str | Sequence[str] = (), **replaced: str) -> Notebook:
    """The filled-in notebook with cells of the student's own, and some answers replaced."""
    made = json.loads(_filled())
    for cell in made["cells"]:
        if is_answer(cell) and grade_id(cell) in replaced:
            cell["source"] = dedent(replaced[grade_id(cell)])
    made["cells"][IMPORTS:IMPORTS] = [code(source) for source in _each(before)]
    made["cells"] += [code(source) for source in _each(after)]
    return made


def code(source: str, **metadata: Any) -> dict[str, Any]:
    """A code cell of the student's own; where it may find something, its end is watched."""
    source = dedent(source)
    if "found(" in source and source not in PRELUDE:
        source += f"\n{TRIED}"
    return {
        "cell_type": "code",
        "metadata": metadata,
        "source": source,
        "outputs": [],
        "execution_count": None,
    }


def raw(notebook: Notebook) -> bytes:
    """The bytes of its file."""
    return json.dumps(notebook).encode()


def honest(folder: Path, student: str) -> None:
    """Hand in the solution."""
    place = folder / student / ASSIGNMENT
    place.mkdir(parents=True)
    (place / f"{ASSIGNMENT}.ipynb").write_bytes(raw(notebook()))


def dedent(source: str) -> str:
    """A source as it stands in this package, as a cell."""
    return textwrap.dedent(source).strip("\n")


def _each(sources: str | Sequence[str]) -> Sequence[str]:
    return [sources] if isinstance(sources, str) else sources


def grade_id(cell: Mapping[str, Any]) -> str:
    """nbgrader's name of a cell, or nothing."""
    return cell["metadata"].get("nbgrader", {}).get("grade_id", "")


def is_answer(cell: Mapping[str, Any]) -> bool:
    """Whether a cell is there to be filled in."""
    return bool(cell["metadata"].get("nbgrader", {}).get("solution"))
