"""The cases of `tests/abuse` graded by stock nbgrader: its own Execute preprocessor and exporter, in a Jupyter kernel.

    python -m benchmarks.abuse [--kind harm] [--cases relu] [--jobs 2] [--into abuse.jsonl] [--json FILE]

How ours does on them `pytest tests/abuse` says at its end. This needs bubblewrap, as root also `setpriv`: stock nbgrader
runs a student's code with the rights of who grades, so each case is graded in a container of its own, by a user without
rights, on a copy of a course in memory. What a case destroys is seen there and goes with it. A container's memory,
processes and disk are bounded, so stock looks better here than where nothing is.

The checks are the course's visible ones, in check cells that stock restores and that need no other cell. A case is held
when the class of the target and an honest neighbour is graded in time, the target has the expected marks (none above
zero where the hand-in cannot be read), the neighbour full ones, an earlier student still has theirs, nothing was found,
and nothing that is watched has changed. Cases about our own sandbox's insides and limits of size do not apply.
"""

import argparse
import json
import multiprocessing
import os
import re
import resource
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from benchmarks.classes import into_stock, stock_nbgrader, succeeded
from benchmarks.report import arguments, report
from grader.course import Course
from grader.exercise import exercises_of
from grader.notebooks import build_release
from tests.abuse import ASSIGNMENT, KINDS, Case, cases, honest
from tests.abuse.host import MEBIBYTE, Host

CELL_SECONDS, CASE_SECONDS, MORE_SECONDS = 10, 120, 50  # a case may take 120; what is around it, 50 more
OURS = re.compile(r"grader\.sandbox|grader\.wire|_Record")  # what only cases about our own sandbox name
OUR_SIZES = re.compile("MB|at most")  # errors of right answers that ours refuses for their size
MILD, TOGETHER = ("values", "broken", "fair"), 8  # so many of these kinds are graded as one class
SYSTEM = re.compile(r"\bos\b")  # but those that speak of the operating system, alone
STRANGERS = 2**30  # from here on, the users of the containers that root starts
BOUNDS = {"as": 4096 * MEBIBYTE, "nproc": 1000, "cpu": CASE_SECONDS, "core": 0}
DISK = str(1024 * MEBIBYTE)
POINTS = {f"check-{name}": each.points for name, each in exercises_of(ASSIGNMENT).items()}
Marks = dict[str, dict[str, float | None]]


def says(case: Case, what: re.Pattern[str]) -> bool:
    """Whether a case's notebook, if it is one, speaks of something."""
    made = None if case.on_disk else case.content()
    return isinstance(made, dict) and bool(what.search(json.dumps(made)))


def is_ours(case: Case) -> bool:
    """Whether a case is about our own sandbox's insides or limits of size, which stock nbgrader has not."""
    return says(case, OURS) or (not case.on_disk and bool(OUR_SIZES.search(case.error)))


def template(root: Path) -> None:
    """A stock course with a release, and an earlier student's marks in its gradebook."""
    course = Course.find(Path(__file__)).copied_to(root)
    build_release([ASSIGNMENT], course.assignments, register=True, course=course)
    into_stock(course, ASSIGNMENT, checks_in_the_kernel)
    honest(course.submitted, "earlier")
    succeeded(stock_nbgrader(course).autograde(ASSIGNMENT, "earlier"))
    assert marks(course) == {"earlier": POINTS}


def checks_in_the_kernel(notebook: NotebookNode) -> None:
    """The course's checks in cells that need no other cell; `check` must not know that it grades, or it refuses."""
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade"):
            cell.source = f"import os\nos.environ.pop('NBGRADER_EXECUTION', None)\nfrom grader import check\n{cell.source}"


def marks(course: Course) -> Marks:
    """Student -> check cell -> mark."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.root / 'gradebook.db'}") as gradebook:
        return {
            submission.student.id: {
                g.name: g.auto_score for each in submission.notebooks for g in each.grades
            }
            for submission in gradebook.assignment_submissions(ASSIGNMENT)
        }


# Inside a container


def graded(together: Sequence[Case], seed: Path) -> tuple[list[str], dict[str, list[str]]]:
    """Grade cases and a neighbour here, where all may break; what went wrong for the class, and case by case."""
    warnings.simplefilter("ignore")
    temporary, course = Path("/tmp/temporary"), Course(Path(os.environ["HOME"], "course"))
    temporary.mkdir()
    tempfile.tempdir = os.environ["TMPDIR"] = str(temporary)
    shutil.copytree(seed, course.root)
    host = Host(course.root, temporary)
    shutil.copy(seed / "gradebook.db", course.root)
    for case in together:
        case.hand_in(course.submitted, host.told(), student_of(case))
    honest(course.submitted, "zz neighbour")
    before = watched(host.state())
    api = stock_nbgrader(course, CELL_SECONDS)
    grading = multiprocessing.get_context("fork").Process(target=api.autograde, args=(ASSIGNMENT, "*", False))
    grading.start()
    grading.join(seconds := CASE_SECONDS * len(together))
    if grading.exitcode is None:
        grading.kill()
        return [f"grading had not ended after {seconds} s"], {}
    if grading.exitcode:
        return [f"grading died: {grading.exitcode}"], {}
    grading.close()
    after = watched(host.settled(before))
    changed = [f"{what}: {was!s:.60}" for what, was in before.items() if after.get(what) != was]
    given = marks(course)
    robbed = [student for student in ("earlier", "zz neighbour") if given.get(student) != POINTS]
    wrong = {
        str(case): wrong_marks(case, given.get(student_of(case), {})) + found(course, student_of(case))
        for case in together
    }
    return [f"changed {each}" for each in changed] + [
        f"{each} has {given.get(each)}" for each in robbed
    ], wrong


def student_of(case: Case) -> str:
    """Whose hand-in a case is; most have a name only to be told apart."""
    return str(case) if case.student == "target" else os.fsdecode(case.student)


def found(course: Course, student: str) -> list[str]:
    """What a student's graded notebook says that it found."""
    notebook = course.root / "autograded" / student / ASSIGNMENT / f"{ASSIGNMENT}.ipynb"
    if not notebook.is_file():
        return []
    outputs = [o for cell in json.loads(notebook.read_bytes())["cells"] for o in cell.get("outputs", [])]
    lines = "".join("".join(o["text"]) for o in outputs if o.get("name") == "stdout").splitlines()
    return [line[:100] for line in lines if line.startswith("FOUND")]


def watched(state: Mapping[str, Any]) -> dict[str, Any]:
    """What of a course's state grading itself does not change."""
    folders = ("gradebook.db", "autograded")
    files = {
        path: facts
        for path, facts in state["files"].items()
        if not any(f in Path(path).parts for f in folders)
    }
    return {**state, **files, "files": sorted(files)}


def wrong_marks(case: Case, given: Mapping[str, float | None]) -> list[str]:
    """The marks that are not as the case says."""
    if case.error or case.absent:
        return [f"{name} earned {mark}" for name, mark in given.items() if mark]
    wrong = []
    for name, points in POINTS.items():
        share, mark = case.earns.get(name.removeprefix("check-"), case.others), given.get(name) or 0
        if not (0 <= mark <= points if share is None else mark == share * points):
            wrong.append(f"{name} earned {mark} instead of {'any mark' if share is None else share * points}")
    return wrong


# Outside


def container(seed: Path, command: list[str]) -> list[str]:
    """The command in a container: no network, nothing to write but what is in memory, no rights."""
    repository = Path(__file__).parents[1]
    seen = {Path("/usr"), Path("/etc/passwd"), Path("/etc/ld.so.cache"), seed, repository}
    seen |= {Path(sys.prefix), Path(sys.base_prefix)}
    apart = (
        "--unshare-pid --unshare-net --unshare-ipc --unshare-uts --die-with-parent --new-session --clearenv"
    )
    arguments = ["bwrap", *apart.split()]
    for place in ("bin", "lib", "lib64", "sbin"):
        arguments += ["--symlink", f"usr/{place}", f"/{place}"]
    arguments += ["--proc", "/proc", "--dev", "/dev"]
    for place in ("/tmp", "/dev/shm"):
        arguments += ["--perms", "1777", "--size", DISK, "--tmpfs", place]
    for folder in sorted({str(parent) for path in seen for parent in path.parents}):
        arguments += ["--perms", "0755", "--dir", folder] if folder not in ("/", "/tmp") else []
    for path in sorted(seen):
        arguments += ["--ro-bind", str(path), str(path)]
    arguments += ["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", str(seed)]
    environment = {
        "HOME": "/tmp/home",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(repository),
    }
    for name, value in environment.items():
        arguments += ["--setenv", name, value]
    if os.geteuid():
        return [*arguments, "--unshare-user", "--", *command]
    for capability in ("SETUID", "SETGID", "SETPCAP"):
        arguments += ["--cap-add", f"CAP_{capability}"]
    user = secrets.randbelow(STRANGERS) + STRANGERS  # of its own, as processes are counted by user
    no_rights = (
        f"--reuid={user} --regid={user} --clear-groups --inh-caps=-all --bounding-set=-all --no-new-privs"
    )
    return [*arguments, "--", "setpriv", *no_rights.split(), *command]


def inside(together: Sequence[Case], seed: Path) -> None:
    """Lower the limits, grade, and say what went wrong where no kernel can write."""
    for name, bound in BOUNDS.items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name.upper()}"), (bound, bound))
    verdict = os.dup(1)
    os.dup2(2, 1)
    with open(verdict, "w") as file:
        json.dump(graded(together, seed), file)


def outcomes(together: Sequence[Case], seed: Path) -> list[dict[str, Any]]:
    """What came of cases graded as one class; where the class suffered, of each by itself."""
    command = [sys.executable, "-m", "benchmarks.abuse", "--inside", str(seed), *map(str, together)]
    started, seconds = time.perf_counter(), CASE_SECONDS * len(together) + MORE_SECONDS
    try:
        ran = subprocess.run(
            container(seed, command), stdin=subprocess.DEVNULL, capture_output=True, timeout=seconds
        )
        of_class, wrong = json.loads(ran.stdout or '[["nothing was left to say what came of it"], {}]')
    except subprocess.TimeoutExpired:
        of_class, wrong = [f"nothing had ended after {seconds} s"], {}
    if of_class and len(together) > 1:
        return [row for case in together for row in outcomes([case], seed)]
    each = round((time.perf_counter() - started) / len(together), 1)
    every = {str(case): [*of_class, *wrong.get(str(case), [])] for case in together}
    return [
        {"case": str(case), "kind": case.kind, "wrong": every[str(case)], "seconds": each}
        for case in together
    ]


def main() -> None:
    """Grade, say what went wrong as it comes, and print the table."""
    parser = arguments(__doc__)
    parser.add_argument("--kind", choices=KINDS)
    parser.add_argument("--cases", default="", help="only cases whose name holds this")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument(
        "--into",
        type=Path,
        default=Path("abuse.jsonl"),
        help="a line a case; what it holds is not graded again",
    )
    parser.add_argument("--inside", nargs="+", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    every = {str(case): case for case in cases()}
    if asked.inside:
        seed, *names = asked.inside
        inside([every[name] for name in names], Path(seed))
        return
    apply = {name: case for name, case in every.items() if not is_ours(case)}
    rows = [json.loads(line) for line in asked.into.read_text().splitlines()] if asked.into.exists() else []
    there = {row["case"] for row in rows}
    todo = [
        c for n, c in apply.items() if asked.cases in n and asked.kind in (None, c.kind) and n not in there
    ]
    mild = [case for case in todo if case.kind in MILD and not case.hangs and not says(case, SYSTEM)]
    classes = [[case] for case in todo if case not in mild]
    classes += [mild[at : at + TOGETHER] for at in range(0, len(mild), TOGETHER)]
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(asked.jobs) as pool,
        asked.into.open("a") as file,
    ):
        os.chmod(folder, 0o755)
        seed = Path(folder, "seed")
        template(seed)
        for done in as_completed([pool.submit(outcomes, together, seed) for together in classes]):
            for row in done.result():
                print(json.dumps(row), file=file, flush=True)
                print(
                    f"{row['case']}: {'; '.join(row['wrong'][:3]) or 'held'} ({row['seconds']} s)", flush=True
                )
                rows.append(row)
    print("| kind | cases | do not apply | tried | held by stock nbgrader |\n| --- | --- | --- | --- | --- |")
    held_of: dict[str, list[int]] = {}
    for kind in KINDS:
        of_kind = [case for case in every.values() if case.kind == kind]
        tried = [row for row in rows if row["kind"] == kind]
        held = sum(not row["wrong"] for row in tried)
        out = sum(str(case) not in apply for case in of_kind)
        print(f"| {kind} | {len(of_kind)} | {out} | {len(tried)} | {held} |")
        held_of[kind] = [held, len(tried)]
    print(f"Stock nbgrader held {sum(held for held, _ in held_of.values())} of {len(rows)} cases.")
    report(asked, {"held_of_tried": held_of})


if __name__ == "__main__":
    main()
