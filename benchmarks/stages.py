"""Where the time of a hand-in goes in one worker, and how far that is from the limit.

    python -m benchmarks.stages [--hand-ins 40] [--assignment activations] [--json FILE]

Three hand-ins, right, blank and with known mistakes, are each graded again and again, from the bytes of the file to the
result. The limit is what nobody can do without: a fork of a plain Python process, in which the same cells and calls run
without sandbox, shell, socket or checks. Milliseconds are medians by the clock and, behind the stroke, what the worker
itself computed; nbgrader and its database come after this (`benchmarks.grading`).
"""

import json
import pickle
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from statistics import median
from typing import Any

import nbformat

from benchmarks.classes import a_course, baked
from benchmarks.report import arguments, report
from examples.make_classroom import mistaken, mistakes
from grader import examiner, runner
from grader.classroom import Grader
from grader.course import Course
from grader.notebooks import filled_notebook, solution_answers
from grader.sandbox import Sandbox, Session
from grader.store import Store

STAGES = {
    "rebuild": (examiner, "rebuild"),
    "fork": (Sandbox, "open"),
    "cells": (Session, "run"),
    "calls": (Session, "call"),
    "sources": (runner, "Sources"),
    "checks": (examiner, "run_checks"),
    "mistakes": (runner, "recognised"),
    "end": (Session, "close"),
    "store": (Store, "put"),
    "rest": (Grader, "grade"),
}
Times = tuple[float, float]  # by the clock; of this process's processor time


class Stopwatch:
    """Adds up what each stage takes, less the stages inside it, and keeps what the student's process was asked."""

    def __init__(self) -> None:
        self.spent: dict[str, Times] = {}
        self.asked: list[Any] = []
        for stage, (holder, name) in STAGES.items():
            setattr(holder, name, self._around(stage, getattr(holder, name)))

    def restart(self) -> None:
        """For the next hand-in."""
        self.spent, self.asked, self._inside = dict.fromkeys(STAGES, (0.0, 0.0)), [], (0.0, 0.0)

    def _around(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def timed(*args: Any, **kwargs: Any) -> Any:
            if stage in ("cells", "calls"):
                self.asked.append(args[1:])
            outside, self._inside = self._inside, (0.0, 0.0)
            started = time.perf_counter(), time.process_time()
            try:
                return function(*args, **kwargs)
            finally:
                took = time.perf_counter() - started[0], time.process_time() - started[1]
                self.spent[stage] = _sum(self.spent[stage], took, self._inside, sign=-1)
                self._inside = _sum(outside, took)

        return timed


def _sum(one: Times, other: Times, less: Times = (0.0, 0.0), sign: int = 1) -> Times:
    return one[0] + other[0] + sign * less[0], one[1] + other[1] + sign * less[1]


def limit(asked: list[Any], rounds: int) -> list[float]:
    """Seconds of each fork that runs the cells and calls that a hand-in was asked for, and nothing else."""
    from IPython.core.inputtransformer2 import TransformerManager

    plain = [TransformerManager().transform_cell(what[0]) if len(what) == 1 else what for what in asked]
    command = [sys.executable, "-m", "benchmarks.plain"]
    ran = subprocess.run(command, input=pickle.dumps((plain, rounds)), stdout=subprocess.PIPE, check=True)
    return json.loads(ran.stdout)


def hand_in(assignment: str, kind: str, course: Course) -> bytes:
    """A right hand-in, a blank one, or one with four known mistakes."""
    answers = {} if kind == "blank" else solution_answers(assignment, course)
    for mistake in mistakes(assignment) if kind == "mistaken" else ():
        answers[mistake.exercise] = mistaken(assignment, mistake)[mistake.exercise]
    return nbformat.writes(filled_notebook(assignment, answers, course)).encode()


def main() -> None:
    """Measure, and print a table and its ratios."""
    parser = arguments(__doc__)
    parser.add_argument("--hand-ins", type=int, default=40)
    parser.add_argument("--assignment", default="activations")
    asked = parser.parse_args()
    watch = Stopwatch()
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        course = baked(a_course(Path(folder) / "course", asked.assignment), asked.assignment)
        with Grader(course) as grader:
            for kind in ("right", "blank", "mistaken"):
                raw = hand_in(asked.assignment, kind, course)
                rounds = []
                for number in range(asked.hand_ins + 2):
                    watch.restart()
                    result = grader.grade(asked.assignment, "", raw)
                    if result.error:
                        raise RuntimeError(result.error)
                    if number >= 2:  # the first pay for what is made once
                        rounds.append(watch.spent)
                found[kind] = _summary(rounds, limit(watch.asked, asked.hand_ins))
    print(f"{'ms':10}" + "".join(f"{kind:>18}" for kind in found))
    for row in (*STAGES, "all"):
        cells = (found[kind]["stages" if row in STAGES else "total"] for kind in found)
        shown = (cell[row] if row in STAGES else cell for cell in cells)
        print(f"{row:10}" + "".join(f"{clock:>10.2f} /{own:>6.2f}" for clock, own in shown))
    print(f"{'the limit':10}" + "".join(f"{found[kind]['limit']:>10.2f}{'':8}" for kind in found))
    print(f"{'ratio':10}" + "".join(f"{found[kind]['ratio']:>10.2f}{'':8}" for kind in found))
    right = found["right"]
    print(f"A right hand-in takes {right['total'][0]:.1f} ms, {right['ratio']:.1f} times the limit.")
    report(asked, {"milliseconds": found})


def _summary(rounds: list[dict[str, Times]], least: list[float]) -> dict[str, Any]:
    """Medians in milliseconds, and how many times the limit a hand-in takes."""
    stages = {
        stage: [round(1000 * median(spent[stage][of] for spent in rounds), 3) for of in (0, 1)]
        for stage in STAGES
    }
    total = [1000 * median(sum(times[of] for times in spent.values()) for spent in rounds) for of in (0, 1)]
    bound = 1000 * median(least)
    return {
        "stages": stages,
        "total": [round(each, 3) for each in total],
        "limit": round(bound, 3),
        "ratio": round(total[0] / bound, 2),
    }


if __name__ == "__main__":
    main()
