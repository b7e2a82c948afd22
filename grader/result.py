"""What grading found: plain records that travel as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Outcome = Literal["passed", "failed", "error", "timeout", "missing", "not_started"]


@dataclass
class TestResult:
    """One test of one exercise, as its student may read it."""

    __test__ = False  # pytest: not a test class

    name: str
    title: str
    outcome: Outcome
    hidden: bool
    message: str
    function: str = ""
    picture: str = ""


@dataclass
class ExerciseResult:
    """One exercise: its tests, its marks, the mistakes that were recognised."""

    name: str
    functions: list[str]
    score: float
    max_score: float
    tests: list[TestResult]
    misconceptions: list[str] = field(default_factory=list)
    hints: dict[str, list[str]] = field(default_factory=dict)

    @property
    def started(self) -> bool:
        """False while every answer is still the blank that was handed out."""
        return any(test.outcome != "not_started" for test in self.tests)


@dataclass
class Result:
    """One hand-in, graded. `error` is set where something could not be graded at all."""

    student: str
    score: float
    max_score: float
    error: str | None = None
    seconds: float = 0.0
    exercises: dict[str, ExerciseResult] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    outputs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    trace: str = ""  # of a failure of ours

    @classmethod
    def from_record(cls, record: dict[str, Any]) -> Result:
        """The result that `asdict` turned into `record`."""
        exercises = {
            name: ExerciseResult(**{**e, "tests": [TestResult(**t) for t in e["tests"]]})
            for name, e in record["exercises"].items()
        }
        return cls(**{**record, "exercises": exercises})

    def record(self) -> dict[str, Any]:
        """Everything, as plain data."""
        return asdict(self)

    def published(self) -> dict[str, Any]:
        """The documented form that `--json` prints for one hand-in."""
        return {
            "student": self.student,
            "score": self.score,
            "max_score": self.max_score,
            "error": self.error,
            "seconds": round(self.seconds, 4),
            "exercises": {
                name: {
                    "functions": e.functions,
                    "score": e.score,
                    "max_score": e.max_score,
                    "tests": [
                        {key: getattr(t, key) for key in ("name", "title", "outcome", "hidden", "message")}
                        for t in e.tests
                    ],
                    "misconceptions": e.misconceptions,
                }
                for name, e in self.exercises.items()
            },
        }


def published(assignment: str, results: list[Result]) -> dict[str, Any]:
    """The documented JSON object of a whole run."""
    return {"assignment": assignment, "results": [result.published() for result in results]}
