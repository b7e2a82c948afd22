"""Every assignment's checks, proven: they accept right answers, reject wrong ones, and name the known mistakes."""

import importlib
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pytest

from grader.cases import CaseBook
from grader.compare import agree
from grader.course import PUBLIC_SEED, syllabus
from grader.exercise import exercises_of, misconceptions_of
from grader.notebooks import solution_namespace
from grader.result import ExerciseResult
from grader.runner import run_checks
from grader.submission import Here

ASSIGNMENTS = list(syllabus())
EXERCISES = [(a, e) for a in ASSIGNMENTS for e in exercises_of(a)]
FUNCTIONS = [(a, e.name, f) for a in ASSIGNMENTS for e in exercises_of(a).values() for f in e.functions]
LARGE = {"alexnet", "vgg16", "resnet18", "resnet50", "darknet53"}
"""Nets of tens of millions of weights: their wrong answers, and one seed more, wait for the long tests."""


def marks(exercise: str) -> list[pytest.MarkDecorator]:
    return [pytest.mark.slow] if exercise in LARGE else []


MISTAKES = [
    pytest.param(a, m, id=f"{m.exercise}.{m.wrong.__name__}", marks=marks(m.exercise))
    for a in ASSIGNMENTS
    for m in misconceptions_of(a)
]


def right_answers(assignment: str) -> list[Callable[..., Any]]:
    module = importlib.import_module(f"tests.answers.{assignment}")
    return [answer for answer in vars(module).values() if hasattr(answer, "answers")]


RIGHT = [
    pytest.param(a, answer, id=f"{a}-{answer.__name__}") for a in ASSIGNMENTS for answer in right_answers(a)
]


@cache
def book(assignment: str, seed: str = "a secret") -> CaseBook:
    return CaseBook(assignment, seed)


def exercise_of(assignment: str, function: str) -> str:
    return next(e.name for e in exercises_of(assignment).values() if function in e.functions)


def graded(assignment: str, exercise: str, **replaced: Any) -> ExerciseResult:
    """The result of the solution with some functions replaced, hidden tests and all."""
    functions = Here({**solution_namespace(assignment), **replaced})
    return run_checks(assignment, functions, book(assignment), hidden=True, only=exercise)[exercise]


@pytest.mark.parametrize(
    ("seed", "assignment"),
    [
        pytest.param(
            seed,
            a,
            id=f"{seed}-{a}",
            marks=[pytest.mark.slow] if seed == "another secret" and LARGE & set(exercises_of(a)) else [],
        )
        for seed in ("a secret", "another secret")
        for a in ASSIGNMENTS
    ],
)
def test_the_solution_earns_everything(assignment, seed):
    assert_earns_everything(assignment, book(assignment, seed), hidden=True)


def assert_earns_everything(assignment: str, cases: CaseBook, hidden: bool) -> None:
    results = run_checks(assignment, Here(solution_namespace(assignment)), cases, hidden=hidden)
    assert {t.title: t.message for e in results.values() for t in e.tests if t.outcome != "passed"} == {}
    assert all(e.score == e.max_score for e in results.values())


@pytest.mark.parametrize("assignment", ASSIGNMENTS)
def test_shipped_cases_are_what_keras_gives(assignment):
    fresh = CaseBook(assignment, PUBLIC_SEED)
    assert_earns_everything(assignment, fresh, hidden=False)
    shipped = CaseBook.public(assignment)
    assert set(shipped.cases) == set(fresh.cases)
    for key, case in fresh.cases.items():
        assert agree(shipped.cases[key], case), key


@pytest.mark.parametrize(("assignment", "answer"), RIGHT)
def test_a_right_answer_earns_everything(assignment, answer):
    result = graded(assignment, exercise_of(assignment, answer.answers), **{answer.answers: answer})
    assert {t.title: t.message for t in result.tests if t.outcome != "passed"} == {}
    assert result.score == result.max_score


@pytest.mark.parametrize(("assignment", "mistake"), MISTAKES)
def test_a_known_mistake_costs_points_and_is_named(assignment, mistake):
    result = graded(assignment, mistake.exercise, **{mistake.function: mistake.wrong})
    assert result.score < result.max_score
    assert f"`{mistake.function}`: {mistake.sentence}" in result.misconceptions


@pytest.mark.parametrize(("assignment", "exercise", "function"), FUNCTIONS)
def test_every_function_has_hints_a_mistake_and_another_right_answer(assignment, exercise, function):
    assert len(exercises_of(assignment)[exercise].hints[function]) in (2, 3)
    mistakes = [m for m in misconceptions_of(assignment) if (m.exercise, m.function) == (exercise, function)]
    assert mistakes, f"{function} has no @misconception in grader/misconceptions/{assignment}.py"
    others = [answer for answer in right_answers(assignment) if answer.answers == function]
    assert others, f"{function} has no @right answer in tests/answers/{assignment}.py"


CHEATS = {
    "nothing": lambda *args, **kwargs: None,
    "its first argument": lambda *args, **kwargs: args[0],
    "its last argument": lambda *args, **kwargs: args[-1],
    "zeros": lambda *args, **kwargs: np.zeros_like(args[-1]),
    "ones": lambda *args, **kwargs: np.ones_like(args[0]),
    "zero": lambda *args, **kwargs: 0.0,
    "NaN": lambda *args, **kwargs: np.full_like(np.asarray(args[0], float), np.nan),
    "an error": lambda *args, **kwargs: (_ for _ in ()).throw(ValueError("no")),
}


@pytest.mark.parametrize("cheat", CHEATS)
@pytest.mark.parametrize(
    ("assignment", "exercise"), [pytest.param(a, e, marks=marks(e)) for a, e in EXERCISES]
)
def test_a_cheat_earns_nothing(assignment, exercise, cheat):
    functions = exercises_of(assignment)[exercise].functions
    assert graded(assignment, exercise, **dict.fromkeys(functions, CHEATS[cheat])).score == 0
    for function in functions[1:] and functions:
        alone = graded(assignment, exercise, **{function: CHEATS[cheat]})
        assert alone.score < alone.max_score
