"""The report of one exercise, as a notebook or feedback page shows it and as plain text."""

from __future__ import annotations

import base64
import html
import re

from grader.result import ExerciseResult, TestResult

HELD, FAILED, BLANK, REMARK = "#2a7f62", "#c2410c", "#8a8a8a", "#b7791f"
SUMMARY = "display:list-item;cursor:pointer"
WORDS = {
    "passed": "holds",
    "failed": "does not hold",
    "error": "your code stopped with an error",
    "timeout": "took too long",
    "missing": "not found",
    "not_started": "not started",
}


def exercise_html(exercise: ExerciseResult, notice: str = "") -> str:
    """The report as HTML: what held, what did not, the first differing case, the mistake's name, hints.

    Nothing active is in it, and all that a student wrote is escaped.

    Args:
        exercise: the result to show.
        notice: a line to put above it.
    """
    colour = HELD if exercise.score == exercise.max_score else FAILED if exercise.started else BLANK
    parts = [_notice(notice)] if notice else []
    parts.append(f'<div style="font-weight:600;color:{colour}">{escape(headline(exercise))}</div>')
    if exercise.started:
        parts += [_callout(sentence) for sentence in exercise.misconceptions]
        opened = False
        for test in exercise.tests:
            parts.append(_test(test, opened=not opened and test.outcome != "passed"))
            opened = opened or test.outcome != "passed"
        parts += [_ladder(function, hints) for function, hints in exercise.hints.items()]
    return (
        f'<div style="border-left:4px solid {colour};padding:.3em .9em;margin:.3em 0">{"".join(parts)}</div>'
    )


def exercise_text(exercise: ExerciseResult, notice: str = "") -> str:
    """The report as plain text."""
    lines = [notice] if notice else []
    lines.append(headline(exercise))
    if exercise.started:
        lines += [f"  ! {sentence}" for sentence in exercise.misconceptions]
        said = ""
        for test in exercise.tests:
            lines.append(f"  {'+' if test.outcome == 'passed' else '-'} {test.title}{_aside(test)}")
            if test.outcome != "passed" and test.message != said:
                lines += [f"      {line}" for line in test.message.splitlines()]
                said = test.message
        lines += [f"  hint for {function}: {hints[0]}" for function, hints in exercise.hints.items() if hints]
    return "\n".join(lines)


def escape(text: str) -> str:
    """Text as HTML, with what stands in backticks as code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", html.escape(text))


def headline(exercise: ExerciseResult) -> str:
    """One line: the exercise, its marks, how many tests hold."""
    if not exercise.started:
        return f"{exercise.name}: not started (0 of {exercise.max_score:g} points)"
    held = sum(test.outcome == "passed" for test in exercise.tests)
    return f"{exercise.name}: {exercise.score:.4g} of {exercise.max_score:g} points, {held} of {len(exercise.tests)} tests hold"


def _aside(test: TestResult) -> str:
    return "" if test.outcome in ("passed", "failed") else f" ({WORDS[test.outcome]})"


def _notice(text: str) -> str:
    return f'<div style="color:{REMARK}">{escape(text)}</div>'


def _callout(sentence: str) -> str:
    return (
        f'<div style="border:1px solid {REMARK};border-radius:4px;padding:.3em .6em;margin:.4em 0">'
        f"<b>This looks familiar.</b> {escape(sentence)}</div>"
    )


def _test(test: TestResult, opened: bool) -> str:
    mark, colour = (
        ("✓", HELD) if test.outcome == "passed" else ("✗", BLANK if test.outcome == "not_started" else FAILED)
    )
    line = f'<span style="color:{colour}">{mark}</span> {escape(test.title)}{escape(_aside(test))}'
    if test.outcome == "passed" or not test.message:
        return f"<div>{line}</div>"
    shown = f'<pre style="white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere;margin:.2em 0 .2em 1.4em">{html.escape(test.message)}</pre>'
    if test.picture:
        packed = base64.b64encode(test.picture.encode()).decode()
        shown += f'<img alt="expected and yours" style="margin-left:1.4em" src="data:image/svg+xml;base64,{packed}">'
    return f'<details{" open" if opened else ""}><summary style="{SUMMARY}">{line}</summary>{shown}</details>'


def _ladder(function: str, hints: list[str]) -> str:
    """The hints of a function, each folded into the one before."""
    shown = ""
    for number in range(len(hints), 0, -1):
        inner = f'<div style="margin-left:1.4em">{escape(hints[number - 1])}{shown}</div>'
        title = f"Hint {number} for <code>{function}</code>" if number == 1 else f"Hint {number}"
        shown = f'<details><summary style="{SUMMARY}">{title}</summary>{inner}</details>'
    return shown
