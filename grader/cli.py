"""The `grader` command: words to calls."""

from __future__ import annotations

import json
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)
from typer.core import TyperCommand

from grader import __version__
from grader.course import PUBLIC_SEED, Course, CourseError, UnknownName, known, syllabus
from grader.report.plain import one_line, plain

app = typer.Typer(
    help="Check, release and grade the course's assignments.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
INTERRUPTED = 130
out, err = Console(highlight=False), Console(stderr=True, highlight=False)

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
Name = Annotated[str, typer.Argument(metavar="ASSIGNMENT", help="Such as activations.", show_default=False)]
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ASSIGNMENT]...", help="All where left out.", show_default=False),
]
Db = Annotated[
    str | None,
    typer.Option(
        "--db",
        metavar="ADDRESS",
        help="Another gradebook than nbgrader_config.py sets, such as postgresql://user@host/database.",
        show_default=False,
    ),
]


def main() -> None:
    """Run the command line; a user's mistake is one line, not a traceback."""
    try:
        code = app(standalone_mode=False) or 0
        if code == INTERRUPTED:  # Typer's word for it
            raise KeyboardInterrupt
        raise SystemExit(code)
    except UnknownName as wrong:
        _fail(wrong, 2)
    except CourseError as trouble:
        _fail(trouble, 1)
    except KeyboardInterrupt:
        _fail("stopped; what was finished is kept, the same command continues", INTERRUPTED)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        _fail(error.format_message(), 2)  # Typer's word on a command or option that is none


def _fail(message: object, code: int) -> None:
    err.print(f"grader: {one_line(str(message), 2000)}", style="red", markup=False, soft_wrap=True)
    raise SystemExit(code)


def _print_json(value: Any) -> None:
    text = json.dumps(value, indent=2, ensure_ascii=False)
    print(re.sub(r"[^\n -~]+", lambda found: _escaped(found[0]), text))


def _escaped(text: str) -> str:
    """Part of a JSON text, with characters escaped that a terminal would act on or cannot print."""
    return text if plain(text, len(text)) == text else json.dumps(text)[1:-1]


@contextmanager
def _bar(what: str, total: int | None) -> Iterator[Any]:
    """A progress bar with rate and time left, on standard error."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
    )
    with Progress(
        *columns, TimeRemainingColumn(), console=err, transient=True, disable=not err.is_terminal
    ) as progress:
        task = progress.add_task(what, total=total, rate="")

        def advance(*_: Any, total: int | None = total) -> None:
            speed = progress.tasks[task].speed
            progress.update(task, advance=1, total=total, rate=f"{speed:.1f}/s" if speed else "")

        yield advance


def _asked(names: list[str] | None) -> list[str]:
    return [known(name, syllabus(), "assignment") for name in names] if names else list(syllabus())


def _exercise(target: str) -> tuple[str, str | None]:
    """`activations/softmax` as its two names, both known."""
    from grader.exercise import exercises_of

    assignment, _, exercise = target.partition("/")
    if homes := [name for name in syllabus() if target in exercises_of(name) and target not in syllabus()]:
        raise UnknownName(f"{target} is an exercise: write {homes[0]}/{target}")
    known(assignment, syllabus(), "assignment")
    return assignment, known(
        exercise, exercises_of(assignment), f"exercise in {assignment}:"
    ) if exercise else None


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the assignments, their exercises and points.

    Example: grader list
    """
    from rich.table import Table

    from grader.exercise import exercises_of

    rows: list[dict[str, Any]] = [
        {
            "assignment": entry.name,
            "title": entry.title,
            "needs": list(entry.needs),
            "points": sum(e.points for e in exercises_of(entry.name).values()),
            "exercises": {
                e.name: {"functions": list(e.functions), "points": e.points}
                for e in exercises_of(entry.name).values()
            },
        }
        for entry in syllabus().values()
    ]
    if as_json:
        _print_json(rows)
        return
    table = Table("assignment", "title", "points", "exercises")
    for row in rows:
        table.add_row(row["assignment"], row["title"], f"{row['points']:g}", ", ".join(row["exercises"]))
    out.print(table)


@app.command()
def check(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="ASSIGNMENT[/EXERCISE]", help="Such as activations/softmax.", show_default=False
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option(help="A notebook, or a .py file of answers.", show_default=False)
    ] = None,
    as_json: Json = False,
) -> None:
    """Run the visible checks on a file of answers.

    Example: grader check activations/softmax --file my_answers.py
    """
    from grader.answers import Answers
    from grader.cases import CaseBook
    from grader.exercise import exercises_of
    from grader.report.exercise import exercise_text
    from grader.result import Result, published
    from grader.runner import GradingFailed, run_checks
    from grader.submission import Here

    if target is None:
        if file is None or file.stem not in syllabus():
            raise UnknownName("say which assignment: grader check ASSIGNMENT --file FILE")
        target = file.stem
    assignment, only = _exercise(target)
    path = file or _own_notebook(assignment)
    if not path.is_file():
        raise UnknownName(f"no file {path}")
    answers = Answers(path)
    exercises = exercises_of(assignment)
    notes = {f: note for e in exercises.values() for f, note in answers.notes(e.functions).items()}
    try:
        found = run_checks(
            assignment,
            Here(answers.namespace),
            CaseBook.public(assignment),
            hidden=False,
            only=only,
            notes=notes,
            sources=answers.sources,
        )
    except GradingFailed as failure:
        raise CourseError(str(failure)) from None
    score, most = sum(e.score for e in found.values()), sum(e.max_score for e in found.values())
    if as_json:
        _print_json(published(assignment, [Result(path.stem, score, most, exercises=found)]))
        return
    for result in found.values():
        colour = (
            "green" if result.score == result.max_score else "default" if not result.started else "yellow"
        )
        out.print(exercise_text(result), style=colour, markup=False, soft_wrap=True)
    out.print(f"{score:.4g} of {most:g} points in the visible checks", style="bold")


def _own_notebook(assignment: str) -> Path:
    here = Path(f"{assignment}.ipynb")
    return here if here.is_file() else Course.find().released(assignment)


@app.command()
def hint(
    target: Annotated[
        str,
        typer.Argument(
            metavar="ASSIGNMENT/EXERCISE", help="Such as activations/softmax.", show_default=False
        ),
    ],
    level: Annotated[
        int, typer.Option(min=1, help="How far: 1 is a question, the last nearly the line of code.")
    ] = 1,
    as_json: Json = False,
) -> None:
    """Show a hint for each function of an exercise.

    Example: grader hint activations/softmax --level 2
    """
    from grader.exercise import exercises_of

    assignment, exercise = _exercise(target)
    if exercise is None:
        raise UnknownName(
            f"say which exercise: {', '.join(f'{assignment}/{name}' for name in exercises_of(assignment))}"
        )
    ladder = exercises_of(assignment)[exercise].hints
    if as_json:
        _print_json({function: hints[:level] for function, hints in ladder.items()})
        return
    for function, hints in ladder.items():
        out.print(f"[bold]{function}[/bold] ({min(level, len(hints))} of {len(hints)})")
        out.print(hints[min(level, len(hints)) - 1], markup=False)
    if level < max(map(len, ladder.values()), default=0):
        out.print(f"[dim]more: grader hint {target} --level {level + 1}[/dim]")


@app.command()
def solution(
    target: Annotated[
        str,
        typer.Argument(
            metavar="ASSIGNMENT[/EXERCISE]", help="Such as activations/softmax.", show_default=False
        ),
    ],
    as_json: Json = False,
) -> None:
    """Show the reference answer to an exercise.

    Example: grader solution activations/softmax
    """
    from rich.syntax import Syntax

    from grader.notebooks import solution_answers

    assignment, exercise = _exercise(target)
    course = Course.find()
    if not (course.solutions / assignment).is_dir():
        raise CourseError(f"this copy of the course has no solutions/{assignment}")
    answers = solution_answers(assignment, course)
    shown = {exercise: answers[exercise]} if exercise else answers
    if as_json:
        _print_json(shown)
        return
    for source in shown.values():
        out.print(Syntax(source, "python", theme="ansi_dark", background_color="default"))


@app.command()
def release(
    names: Names = None,
    handout: Annotated[
        Path | None,
        typer.Option(help="Also zip notebook, lesson and package into this folder.", show_default=False),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace a release that somebody has worked in.")
    ] = False,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Build the notebooks that students get, into assignments/.

    Example: grader release activations --handout build/handout
    """
    from grader import notebooks

    course = replace(Course.find(), db=db)
    asked = _asked(names)
    if handout and handout.exists() and not handout.is_dir():
        raise UnknownName(f"--handout: {handout} is a file, not a folder")
    for name in asked:
        if not force and (answered := notebooks.answered(name, course)):
            raise CourseError(
                f"{course.released(name)} holds answers to {', '.join(answered)}: move it away, or replace it with --force"
            )
    made = []
    with _bar("releasing", len(asked)) as advance:
        for name in asked:
            made += notebooks.build_release([name], course.assignments, register=True, course=course)
            if handout:
                made.append(notebooks.handout(name, handout, course))
            advance()
    if as_json:
        _print_json({"released": asked, "files": [str(path) for path in made]})
        return
    for path in made:
        out.print(f"{path}", markup=False, soft_wrap=True)


class _WithLimits(TyperCommand):
    """A command whose help names the limits, which are imported only for who asks."""

    def format_help(self, context: Any, formatter: Any) -> None:
        from grader.settings import defaults

        shown = ", ".join(f"{name}={amount}" for name, amount in defaults().items())
        self.epilog = f"The limits of a hand-in: {shown}."
        super().format_help(context, formatter)


@app.command(cls=_WithLimits)
def grade(
    name: Name,
    submissions: Annotated[
        Path | None,
        typer.Option(
            help="Grade this folder's STUDENT/ASSIGNMENT/ASSIGNMENT.ipynb and leave the gradebook alone.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Grade again what has not changed since.")] = False,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE",
            help="Another limit than nbgrader_config.py sets, such as call_seconds=20 or memory_bytes=4GiB; repeatable.",
            show_default=False,
        ),
    ] = None,
    sandbox: Annotated[
        str | None,
        typer.Option(help="auto (the best that works), bubblewrap or landlock.", show_default=False),
    ] = None,
    allow_unsandboxed: Annotated[
        bool | None,
        typer.Option(
            "--allow-unsandboxed", help="Grade without isolation where no sandbox works.", show_default=False
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Processes that grade; as many as there are processors, where there is work for them.",
            show_default=False,
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(
            metavar="tcp://HOST:PORT",
            help="A Dask scheduler, whose workers grade in their place (or tls://).",
            show_default=False,
        ),
    ] = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Grade a class: submitted/ into the gradebook, or any folder.

    Example: grader grade activations
    """
    from grader.classroom import grade_class, into_gradebook, places_of
    from grader.report.tables import class_table
    from grader.result import published
    from grader.runner import GradingFailed
    from grader.sandbox import SandboxError
    from grader.settings import Settings, limits_from

    known(name, syllabus(), "assignment")
    course = replace(Course.find(), db=db)
    settings = Settings.of(course).changed(
        limits=limits_from(limit or []), sandbox=sandbox, allow_unsandboxed=allow_unsandboxed
    )
    crew: dict[str, Any] = {"settings": settings, "workers": workers, "scheduler": scheduler}
    try:
        with _bar(f"grading {name}", len(list(places_of(course, name, submissions)))) as advance:
            if submissions is None:
                written = into_gradebook(course, name, progress=advance, anew=force, **crew)
                results = written.results
            else:
                written, results = None, grade_class(course, name, submissions, advance, **crew)
    except (SandboxError, GradingFailed) as failure:
        raise CourseError(str(failure)) from None
    if written:
        for student, problem in written.problems.items():
            err.print(f"student {one_line(student)}: {one_line(problem)}", style="red", markup=False)
        for warning in written.warnings:
            err.print(one_line(warning), style="yellow", markup=False, soft_wrap=True)
        for change in written.changes:
            err.print(
                f"{one_line(change.student)}: {change.exercise} was {change.old:g}, is {change.new:g}",
                markup=False,
            )
    if as_json:
        _print_json(published(name, results))
    else:
        out.print(class_table({name: results}))
    if any(result.error for result in results):
        raise typer.Exit(1)


@app.command()
def feedback(
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Make again what has not changed since.")] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that make pages.", show_default=False)
    ] = None,
    db: Db = None,
    as_json: Json = False,
) -> None:
    """Write each student's feedback page: those that are not as marks, comments and notebooks are now.

    Example: grader feedback activations
    """
    from grader.feedback import feedback as write_feedback
    from grader.folders import Folders

    known(name, syllabus(), "assignment")
    course = replace(Course.find(), db=db)
    with _bar("writing feedback", None) as advance:
        pages = write_feedback(course, name, progress=advance, anew=force, workers=workers)
    made = [str(page) for page, is_new in pages.items() if is_new]
    if as_json:
        _print_json({"assignment": name, "pages": [str(page) for page in pages], "made": made})
        return
    folder = Folders(course).of("feedback", "", "")
    out.print(f"{len(pages)} pages in {folder}, {len(made)} made now", markup=False, soft_wrap=True)


@app.command()
def bake(
    names: Names = None,
    public: Annotated[
        bool, typer.Option("--public", help="The cases that ship with the package, for visible checks.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Compute all reference values once, before grading; proves that the solution earns full marks.

    Example: grader bake
    """
    from grader import cases, classroom
    from grader.runner import GradingFailed

    course = Course.find()
    asked = _asked(names)
    made = {}
    with _bar("baking", len(asked)) as advance:
        for name in asked:
            try:
                book = classroom.bake(
                    name, PUBLIC_SEED if public else course.seed(), course, hidden=not public
                )
            except GradingFailed as failure:
                raise CourseError(str(failure)) from None
            path = (
                book.write(Path(cases.__file__).parent / f"{name}.cases")
                if public
                else book.keep(course.private / "cases")
            )
            made[name] = {"file": str(path), "cases": len(book.cases)}
            advance()
    if as_json:
        _print_json(made)
        return
    for name, row in made.items():
        out.print(f"{name}: {row['cases']} reference values in {row['file']}", markup=False, soft_wrap=True)


@app.command()
def seed(
    rotate: Annotated[bool, typer.Option("--rotate", help="Make a new one.")] = False,
    as_json: Json = False,
) -> None:
    """Show the secret seed of grading, or rotate it.

    Example: grader seed --rotate
    """
    course = Course.find()
    value = course.rotate_seed() if rotate else course.seed()
    if as_json:
        _print_json({"seed": value, "file": str(course.private / "seed")})
        return
    out.print(value)
    if rotate:
        err.print("The next grading uses other inputs: grade everybody again (`grader grade ASSIGNMENT`).")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Say what works here and what is missing.

    Example: grader doctor
    """
    from grader.doctor import findings

    found = findings()
    if as_json:
        _print_json([{"what": f.what, "ok": f.ok, "finding": f.text} for f in found])
    else:
        for each in found:
            mark = {True: "[green]ok[/green]", False: "[red]!![/red]", None: "[dim]--[/dim]"}[each.ok]
            out.print(f"{mark} [bold]{each.what}[/bold]: ", end="")
            out.print(each.text, markup=False, soft_wrap=True)
    if any(each.ok is False for each in found):
        raise typer.Exit(1)


@app.command()
def demo(as_json: Json = False) -> None:
    """Release, grade and give feedback on the sample class, in build/demo.

    Example: grader demo
    """
    from grader.classroom import Grader, into_gradebook
    from grader.feedback import feedback as write_feedback
    from grader.folders import Folders, hand_ins
    from grader.notebooks import build_release
    from grader.report.tables import class_table
    from grader.result import published
    from grader.sandbox import SandboxError

    here = Course.find()
    try:
        with Grader(here) as grader:
            grader.examiner.sandbox()
    except SandboxError as failure:
        raise CourseError(str(failure)) from None
    root = here.root / "build" / "demo"  # a course of its own, so that nobody's gradebook is touched
    shutil.rmtree(root, ignore_errors=True)
    course = here.copied_to(root)
    folders = Folders(course)
    graded = {}
    for name in syllabus():
        handed_in = list(hand_ins(here.root / "examples" / "classroom", name))
        if not handed_in:
            continue
        for student, path in handed_in:
            shutil.copytree(path.parent, folders.of("submitted", student, name))
        with _bar(f"{name}: releasing", 1) as advance:
            build_release([name], course.assignments, register=True, course=course)
            advance()
        with _bar(f"{name}: grading", None) as advance:
            graded[name] = into_gradebook(course, name, progress=advance).results
        with _bar(f"{name}: feedback", None):
            write_feedback(course, name)
    if as_json:
        _print_json([published(name, results) for name, results in graded.items()])
        return
    out.print(class_table(graded))
    for what, path in (
        ("hand-ins", folders.of("submitted", "", "")),
        ("gradebook", course.root / "gradebook.db"),
        ("graded notebooks", folders.of("autograded", "", "")),
        ("feedback", folders.of("feedback", "", "")),
    ):
        out.print(f"{what}: {path.relative_to(here.root)}", markup=False)


@app.callback(invoke_without_command=True)
def _top(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False,
) -> None:
    if version:
        print(f"grader {__version__}, Python {platform.python_version()}")
    elif context.invoked_subcommand is None:
        print(context.get_help())
