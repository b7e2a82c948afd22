"""One hand-in graded: its functions behind the sandbox, the checks here."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from typing import Any

import nbformat
from nbformat import NotebookNode

from grader.cases import CaseBook
from grader.exercise import Exercise, exercises_of
from grader.notebooks import Cell, HandIn, UnreadableHandIn, rebuild
from grader.result import Result
from grader.runner import GradingFailed, run_checks
from grader.sandbox import Sandbox, SandboxError, StudentDied, StudentTimeout
from grader.sandbox.shell import Outcome, Raised
from grader.settings import Settings

Packages = tuple[str, ...]

OWN_CELLS_LEFT_OUT = 2
DRAWING = ("matplotlib", "plots.")  # stand in a cell that draws; given cells that do are not run
LEAST_CPU_SECONDS = 0.5  # with less than this a new process would hardly start


@dataclass(frozen=True)
class Sitting:
    """What all hand-ins of an assignment are graded against.

    Attributes:
        assignment: its name.
        release: the bytes of the released notebook.
        book: the reference values under the secret seed.
    """

    assignment: str
    release: bytes
    book: CaseBook

    @cached_property
    def released(self) -> NotebookNode:
        """The released notebook."""
        return nbformat.reads(self.release, as_version=4)

    @cached_property
    def kinds(self) -> list[Packages]:
        """What its exercises' answers may import: one sandbox each."""
        return list(dict.fromkeys(each.packages for each in self.exercises.values()))

    @cached_property
    def exercises(self) -> Mapping[str, Exercise]:
        """The assignment's exercises."""
        return exercises_of(self.assignment)

    def failed(self, student: str, error: str, trace: str = "") -> Result:
        """The result of a hand-in that could not be graded."""
        most = sum(exercise.points for exercise in self.exercises.values())
        return Result(student, 0.0, most, error=error, trace=trace)


class Examiner:
    """Grades hand-ins; keeps its sandboxes from one to the next. One thread's own, like a sandbox.

    Args:
        settings: limits and sandbox.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._sandboxes: dict[Packages, Sandbox] = {}

    def __enter__(self) -> Examiner:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def close(self) -> None:
        """End the sandboxes."""
        while self._sandboxes:
            self._sandboxes.popitem()[1].__exit__(None, None, None)

    def sandbox(self, packages: Packages = ("numpy",)) -> Sandbox:
        """The sandbox of the settings in which these may be imported, opened on first need.

        Raises:
            SandboxError: it does not work here, and the settings do not allow to do without.
        """
        if packages not in self._sandboxes:
            kind = None if self.settings.sandbox == "auto" else self.settings.sandbox
            try:
                opened = Sandbox(packages, self.settings.limits, kind).__enter__()
            except SandboxError as reason:
                if not self.settings.allow_unsandboxed:
                    raise
                _warn_unsandboxed(str(reason))
                opened = Sandbox(packages, self.settings.limits, "none").__enter__()
            self._sandboxes[packages] = opened
        return self._sandboxes[packages]

    def grade(self, sitting: Sitting, student: str, raw: bytes) -> Result:
        """Grade one hand-in.

        Args:
            sitting: what it is graded against.
            student: whose it is.
            raw: the bytes of the notebook file.

        Returns:
            The result. A file that cannot be read is in its `error`; so is a check of ours that did not run, with a `trace`.

        Raises:
            SandboxError: there is no sandbox here.
        """
        self._open(sitting)
        started = time.perf_counter()
        try:
            handin = rebuild(raw, sitting.released)
            try:
                result = self._graded(sitting, handin)
            except SandboxError:  # it died, perhaps for memory, and not of this hand-in: a fresh one is tried
                self.close()
                result = self._graded(sitting, handin)
        except UnreadableHandIn as unreadable:
            result = sitting.failed(student, str(unreadable))
        except Exception as failure:  # whatever one hand-in brings about, the next one is graded
            kind = "" if isinstance(failure, GradingFailed) else f"{type(failure).__name__}: "
            error = f"grading did not run: {kind}{str(failure)[:300]}"
            result = sitting.failed(student, error, traceback.format_exc(limit=-20))
            self.close()
        result.student, result.seconds = student, time.perf_counter() - started
        return result

    def _open(self, sitting: Sitting) -> dict[Packages, Sandbox]:
        return {packages: self.sandbox(packages) for packages in sitting.kinds}

    def _graded(self, sitting: Sitting, handin: HandIn) -> Result:
        with _Everywhere(self._open(sitting), sitting.exercises, handin) as functions:
            results = run_checks(
                sitting.assignment,
                functions,
                sitting.book,
                hidden=True,
                notes=functions.notes,
                sources=[cell.source for cell in handin.written],
            )
            return Result(
                "",
                round(sum(each.score for each in results.values()), 6),
                sum(each.max_score for each in results.values()),
                exercises=results,
                remarks=[*handin.remarks, *functions.remarks],
                outputs=functions.outputs,
            )


@cache
def _warn_unsandboxed(reason: str) -> None:
    """Once, where it cannot be overlooked."""
    print(
        f"WARNING: {reason}.\nWARNING: hand-ins run WITHOUT ISOLATION, as you: they can read and change what you can,"
        " marks included.",
        file=sys.stderr,
    )


class _Everywhere:
    """A hand-in run in each of the sandboxes that its exercises ask for; each of its functions counts from one.

    Args:
        sandboxes: the sandboxes, by what may be imported there.
        exercises: the assignment's exercises.
        handin: the hand-in.

    Attributes:
        notes: function -> the error of the cell that should have defined it.
        outputs: cell -> its outputs: those of an answer from where it counts, of others from where most can be imported.
        remarks: what happened on the way, in sentences.
    """

    def __init__(
        self, sandboxes: Mapping[Packages, Sandbox], exercises: Mapping[str, Exercise], handin: HandIn
    ) -> None:
        every = {name for sandbox in sandboxes.values() for name in sandbox.packages}
        self._of_kind: dict[Packages, _Behind] = {}
        try:
            for packages, sandbox in sandboxes.items():
                self._of_kind[packages] = _Behind(sandbox, handin, sorted(every - {*sandbox.packages}))
        except BaseException:
            self.__exit__()
            raise
        self._of = {
            function: self._of_kind[each.packages]
            for each in exercises.values()
            for function in each.functions
        }
        self.notes = {
            function: note
            for each in exercises.values()
            for function, note in self._of_kind[each.packages].notes(each).items()
        }
        self._places = {
            cell.id: self._of_kind[
                exercises[cell.exercise].packages if cell.exercise else max(sandboxes, key=len)
            ]
            for cell in handin.cells
        }

    def __enter__(self) -> _Everywhere:
        return self

    def __exit__(self, *_: Any) -> None:
        for behind in self._of_kind.values():
            behind.close()

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], driver: str = "") -> Outcome:
        return self._of[name].call(name, args, kwargs, driver)

    @property
    def outputs(self) -> dict[str, list[dict[str, Any]]]:
        return {cell: behind.outputs[cell] for cell, behind in self._places.items() if cell in behind.outputs}

    @property
    def remarks(self) -> list[str]:
        said: list[str] = []
        for behind in self._of_kind.values():
            said = [*said, *(remark for remark in behind.remarks if remark not in said)]
        return said


class _Behind:
    """A hand-in's functions behind a sandbox.

    A process that hung or died is replaced, and its cells run again without the one that did it. A call that failed so
    where others were before it is made once more: what they left running must not cost its exercise. All processes of a
    hand-in share its time, on the clock and of the processor.
    """

    def __init__(self, sandbox: Sandbox, handin: HandIn, absent: Sequence[str]) -> None:
        self.sandbox = sandbox
        self.handin = handin
        self.absent = absent
        self.outputs: dict[str, list[dict[str, Any]]] = {}
        self.errors: dict[str, str] = {}
        self.remarks: list[str] = []
        self._left_out: set[str] = set()
        self._settling = False  # wait after each cell, to know which one used too much
        self._called: set[str] = set()
        self._until = time.monotonic() + sandbox.limits.total_seconds
        self._cpu_left = sandbox.limits.cpu_seconds
        self._draws = any(word in cell.source for cell in handin.written for word in DRAWING)
        self._session = sandbox.open(absent=absent, draws=self._draws)
        self._run()

    def close(self) -> None:
        """End its process."""
        self._session.close()

    def _run(self) -> None:
        """Run the cells until all have ended; then once more those that missed a name, which may stand below them."""
        missed = self._run_each(self.handin.cells)
        if missed is not None:
            missed = self._run_each(missed)
        if missed is None and not self._spent():
            self._run()

    def _run_each(self, cells: Sequence[Cell]) -> list[Cell] | None:
        """Run cells; returns those that missed a name, or None when one of them cost the process."""
        missed = []
        for cell in cells:
            if cell.id in self._left_out:
                continue
            try:
                ran = self._session.run(cell.source)
                if self._settling:
                    self._session.settle()
            except (StudentTimeout, StudentDied) as fault:
                sure = self._settling or not self._session.stopped
                ended = self._replace(fault)
                if sure:
                    self._leave_out(cell, ended)
                else:
                    self._settling = True
                return None
            self.outputs[cell.id] = ran.outputs
            self.errors.pop(cell.id, None)
            if ran.error:
                self.errors[cell.id] = ran.error
                if met := self.sandbox.limits.met_in(ran.error):
                    ran.outputs.append({"output_type": "stream", "name": "stderr", "text": f"{met}\n"})
                if ran.error.startswith("NameError"):
                    missed.append(cell)
        return missed

    def _leave_out(self, cell: Cell, reason: str) -> None:
        """Do without a cell; after two of the student's own, without all of those: they must not use up the time."""
        self._left_out.add(cell.id)
        self.outputs[cell.id] = []
        self.errors[cell.id] = reason
        self.remarks.append(f"A cell of yours was left out: {reason}.")
        own = {each.id for each in self.handin.cells if each.role == "extra"}
        if len(self._left_out & own) == OWN_CELLS_LEFT_OUT and own - self._left_out:
            self._left_out |= own
            self.remarks.append("So were all other cells of your own that are no answers.")

    def _spent(self) -> str:
        """Which time of the whole hand-in is used up, and how much it was; empty while there is some."""
        limits = self.sandbox.limits
        if time.monotonic() >= self._until:
            return f"the notebook took more than {limits.total_seconds:g} seconds in all"
        if self._cpu_left < LEAST_CPU_SECONDS:
            return f"the notebook used more than {limits.cpu_seconds:g} seconds of processor time in all"
        return ""

    def _replace(self, fault: Exception) -> str:
        """A fresh process, in which the time of the whole hand-in goes on; returns what ended the one before."""
        self._session.close()
        self._cpu_left -= self._session.cpu_seconds
        if spent := self._spent():
            return spent
        left = self._until - time.monotonic()
        limits = replace(self.sandbox.limits, total_seconds=left, cpu_seconds=self._cpu_left)
        self._session = self.sandbox.open(limits, self.absent, self._draws)
        self._called = set()
        return str(fault)

    def notes(self, exercise: Exercise) -> dict[str, str]:
        """Function -> the error of the cell that should have defined it."""
        return {
            function: f"`{function}` is not there, because its cell ended with {self.errors[cell.id]}"
            for cell in self.handin.cells
            if cell.exercise == exercise.name and cell.id in self.errors
            for function in exercise.functions
        }

    def call(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any], driver: str = "") -> Outcome:
        if spent := self._spent():
            raise StudentTimeout(spent)
        others = self._called - {name}
        self._called.add(name)
        try:
            return self._session.call(name, args, kwargs, driver)
        except (StudentTimeout, StudentDied) as fault:
            a_cell_perhaps = self._session.stopped and not self._settling
            self._settling |= self._session.stopped
            ended = self._again(fault)
            if (others or a_cell_perhaps) and not self._spent():
                return self.call(name, args, kwargs, driver)
            if isinstance(fault, StudentTimeout):
                raise StudentTimeout(ended) from None
            return Outcome(error=Raised("StudentDied", ended))

    def _again(self, fault: Exception) -> str:
        ended = self._replace(fault)
        if not self._spent():
            self._run()
        return ended
