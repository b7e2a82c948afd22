"""A pytest session over a student's functions: verdicts, marks, messages, and grading that fails closed."""

import gc
import tracemalloc
from dataclasses import asdict

import numpy as np
import pytest

from grader import cases, misconceptions, runner
from grader.cases import CaseBook
from grader.exercise import exercises_of
from grader.notebooks import solution_namespace
from grader.report.exercise import exercise_html, exercise_text
from grader.runner import GradingFailed, run_checks
from grader.submission import Here

PUBLIC = CaseBook.public("activations")


def softmax_with(answer, *, hidden=False, seconds=10.0, **more):
    namespace = {**solution_namespace("activations"), "softmax": answer}
    if answer is None:
        del namespace["softmax"]
    return run_checks("activations", Here(namespace, seconds), PUBLIC, hidden=hidden, only="softmax", **more)[
        "softmax"
    ]


def outcomes(result):
    return {test.outcome for test in result.tests if test.function == "softmax"}


def blank(x, axis=-1):
    raise NotImplementedError


def hangs(x, axis=-1):
    while True:
        pass


def breaks(x, axis=-1):
    return x[12345]


def test_verdicts():
    assert outcomes(softmax_with(solution_namespace("activations")["softmax"])) == {"passed"}
    assert outcomes(softmax_with(blank)) == {"not_started"}
    assert outcomes(softmax_with(None)) == {"missing"}
    assert outcomes(softmax_with(breaks)) == {"error"}
    assert outcomes(softmax_with(lambda x, axis=-1: x)) <= {"failed", "passed"}
    assert outcomes(softmax_with(lambda x, axis=-1: iter(x))) == {"failed"}


def test_after_two_hangs_the_rest_of_the_exercise_is_not_asked():
    result = softmax_with(hangs, seconds=0.3)
    assert outcomes(result) == {"timeout"}
    asked = [test for test in result.tests if test.function == "softmax" and "not run" not in test.message]
    assert len(asked) == 2


def test_an_exercise_is_graded_though_its_neighbours_are_missing():
    only = {
        "relu": solution_namespace("activations")["relu"],
        "relu_grad": solution_namespace("activations")["relu_grad"],
    }
    results = run_checks("activations", Here(only), PUBLIC, hidden=False)
    assert results["relu"].score == results["relu"].max_score
    assert sum(each.score for each in results.values()) == results["relu"].score


def test_a_core_test_that_fails_costs_the_exercise():
    result = softmax_with(lambda x, axis=-1: np.round(np.exp(x) / np.exp(x).sum(axis=axis, keepdims=True), 6))
    assert result.score == 0


def test_hidden_tests_show_title_and_hint_but_no_input():
    result = softmax_with(lambda x, axis=-1: x * 0.5, hidden=True)
    concealed = [test for test in result.tests if test.hidden and test.outcome == "failed"]
    assert concealed
    for test in concealed:
        assert "softmax(" not in test.message
        assert "expected" not in test.message
        assert exercises_of("activations")["softmax"].hints[test.function][0] in test.message


def test_the_seed_decides_the_input():
    seen = []

    def listening(x, axis=-1):
        seen.append(x.copy())
        raise ArithmeticError

    for seed in ("one", "one", "two"):
        run_checks(
            "activations",
            Here({"softmax": listening}),
            CaseBook("activations", seed),
            hidden=False,
            only="softmax",
        )
    third = len(seen) // 3
    same = [np.array_equal(a, b) for a, b in zip(seen[:third], seen[third : 2 * third], strict=True)]
    other = [np.array_equal(a, b) for a, b in zip(seen[:third], seen[2 * third :], strict=True)]
    assert all(same)
    assert not all(other)


def test_a_banned_shortcut_earns_nothing_and_says_why():
    answers = {**solution_namespace("activations"), "tanh": np.tanh}
    result = run_checks(
        "activations", Here(answers), PUBLIC, hidden=False, only="tanh", sources=["tanh = np.tanh"]
    )["tanh"]
    assert result.score == 0
    assert result.misconceptions == ["`tanh` uses `np.tanh`, which this exercise asks you to do without"]


def test_a_mistake_is_named_though_it_overflows_too():
    result = softmax_with(lambda x, axis=-1: np.exp(x) / np.exp(x).sum())
    assert any("The sum runs over the whole batch" in said for said in result.misconceptions)


def test_an_answer_on_a_wrong_one_is_not_blamed_for_it():
    answers = dict(solution_namespace("activations"))
    cell = "import numpy as np\n\ndef sigmoid(x):\n    return 1 / (1 + np.exp(x))\n\ndef softplus_grad(x):\n    return sigmoid(x)"
    exec(cell, answers)
    results = run_checks("activations", Here(answers), PUBLIC, hidden=False, sources=[cell])
    assert any("sign in the exponent" in said for said in results["sigmoid"].misconceptions)
    assert results["softplus"].misconceptions == ["`softplus_grad` stands on `sigmoid`: mend that first."]


def test_an_exception_text_of_the_students_is_tamed():
    def shouts(x, axis=-1):
        raise ValueError("\x1b[2J<script>alert(1)</script>" + "long" * 1000)

    result = softmax_with(shouts)
    assert all("\x1b" not in t.message and len(t.message) <= runner.MESSAGE_LENGTH + 20 for t in result.tests)
    assert "<script" not in exercise_html(result)


def test_reports_read_alike():
    result = softmax_with(lambda x, axis=-1: np.exp(x - x.max()) / np.exp(x - x.max()).sum())
    text, html = exercise_text(result), exercise_html(result)
    for test in result.tests:
        assert test.title in text
    assert result.misconceptions
    for sentence in result.misconceptions:
        assert sentence in text
    assert "This looks familiar" in html
    assert "not started" in exercise_text(softmax_with(blank)) or softmax_with(blank).started


def test_grading_fails_closed_when_a_reference_does_not_compute(monkeypatch):
    def broken(assignment):
        raise ImportError("no references here")

    monkeypatch.setattr(cases, "_module", broken)
    with pytest.raises(GradingFailed):
        run_checks(
            "activations",
            Here(solution_namespace("activations")),
            CaseBook("activations", "new"),
            hidden=True,
        )


def test_grading_fails_closed_when_the_checks_do_not_import(monkeypatch, tmp_path):
    (tmp_path / "activations.py").write_text("import nothing_of_that_name\n")
    (tmp_path / "pytest.ini").write_text((runner.CHECKS / "pytest.ini").read_text())
    monkeypatch.setattr(runner, "CHECKS", tmp_path)
    with pytest.raises(GradingFailed):
        run_checks("activations", Here({}), PUBLIC, hidden=False)


def all_checks(namespace, *, hidden=True, only=None):
    results = run_checks("activations", Here(namespace), PUBLIC, hidden=hidden, only=only)
    return {name: asdict(result) for name, result in results.items()}


def over_the_batch(x, axis=-1):
    return np.exp(x) / np.exp(x).sum()


def test_nothing_of_one_hand_in_reaches_the_next():
    right = solution_namespace("activations")
    wrong = {**right, "softmax": over_the_batch, "relu": blank}
    fresh = []
    for namespace in (right, wrong):
        runner._collected.cache_clear()
        misconceptions._outcome.cache_clear()
        fresh.append(all_checks(namespace))
    for number in (1, 0, 1, 0):
        assert all_checks((right, wrong)[number]) == fresh[number]
        shown = all_checks(wrong, hidden=False, only="softmax")
        assert list(shown) == ["softmax"]
        assert not any(test["hidden"] for test in shown["softmax"]["tests"])


def test_memory_stays_flat():
    answers = solution_namespace("activations"), {"softmax": over_the_batch}, {}

    def held():
        for _ in range(10):
            for namespace in answers:
                all_checks(namespace, only="softmax")
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        before = held()
        assert held() - before < 20_000
    finally:
        tracemalloc.stop()


def test_a_test_that_asks_for_what_nobody_gives(monkeypatch, tmp_path):
    (tmp_path / "activations.py").write_text(
        "from grader.exercise import exercise\n\n\n"
        '@exercise("softmax", functions=["softmax"], points=1)\n'
        "class TestSoftmax:\n"
        "    def test_values(self, student, tmp_path):\n"
        "        student.softmax([1.0])\n"
    )
    (tmp_path / "pytest.ini").write_text((runner.CHECKS / "pytest.ini").read_text())
    monkeypatch.setattr(runner, "CHECKS", tmp_path)
    with pytest.raises(GradingFailed, match="tmp_path"):
        run_checks("activations", Here({}), PUBLIC, hidden=False)
