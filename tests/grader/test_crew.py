"""A class graded by several workers: the results of one, whatever happens to a worker."""

import os
import select
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from grader.classroom import Grader, graded_class
from grader.course import Course, CourseError
from grader.notebooks import filled_notebook, solution_answers
from grader.sandbox import SandboxError
from grader.settings import Settings

NAME = "activations"
RELU = "def relu(x):\n    {}\n\ndef relu_grad(x):\n    return np.where(x > 0, 1.0, 0.0)"
ANSWERS = ("return np.maximum(x, 0)", "return x", "return np.abs(x)", "raise NotImplementedError", "1 / 0")


@pytest.fixture(scope="module")
def course(sandboxed, tmp_path_factory):
    """A class of eleven, one of whom handed in something else."""
    here = Course.find()
    with Grader(here) as grader:
        grader.book(NAME)
    course = here.copied_to(tmp_path_factory.mktemp("class") / "course")
    for folder in ("assignments", ".grader"):
        subprocess.run(["cp", "-rT", here.root / folder, course.root / folder], check=True)
    for number in range(10):
        answers = {**solution_answers(NAME), "relu": RELU.format(ANSWERS[number % len(ANSWERS)])}
        path = course.submitted / f"student{number}" / NAME / f"{NAME}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(filled_notebook(NAME, answers), path)
    broken = course.submitted / "broken" / NAME / f"{NAME}.ipynb"
    broken.parent.mkdir(parents=True)
    broken.write_text("no notebook")
    return course


def graded(course, **crew):
    with Grader(course) as grader:
        yield from graded_class(grader, NAME, course.submitted, **crew)


def records(found):
    return {each.result.student: replace(each.result, seconds=0.0) for each in found}


@pytest.fixture(scope="module")
def by_one(course):
    found = records(graded(course, anew=True, workers=1))
    assert found["student0"].score == found["student0"].max_score > found["student1"].score
    assert found["broken"].error and len(found) == 11
    return found


def workers_of(parent):
    """The processes that grade for `parent`."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            is_ours = entry.joinpath("stat").read_text().rpartition(")")[2].split()[1] == str(parent)
            if is_ours and b"grader.crew" in entry.joinpath("cmdline").read_bytes():
                found.append(int(entry.name))
        except OSError:
            continue
    return found


def test_several_workers_find_the_same(course, by_one):
    assert records(graded(course, anew=True, workers=3)) == by_one
    assert workers_of(os.getpid()) == []


def test_what_is_kept_is_not_graded_again(course, by_one):
    found = list(graded(course, workers=3))
    assert not any(each.fresh for each in found) and records(found) == by_one
    assert all(each.fresh for each in graded(course, anew=True, workers=2))


def test_killed_workers_cost_nothing(course, by_one):
    found = []
    for each in graded(course, anew=True, workers=2):
        found.append(each)
        for worker in workers_of(os.getpid())[: len(found) % 2]:
            os.kill(worker, signal.SIGKILL)
    assert records(found) == by_one


def test_those_who_stop_early_leave_no_worker(course):
    for _ in graded(course, anew=True, workers=3):
        break
    assert workers_of(os.getpid()) == []


def test_workers_die_with_the_one_they_work_for(course):
    source = (
        "import os, sys\nfrom pathlib import Path\nfrom grader.course import Course\n"
        "from grader.classroom import Grader, graded_class\n"
        f"grader = Grader(Course(Path({str(course.root)!r})))\n"
        f"for each in graded_class(grader, {NAME!r}, grader.course.submitted, anew=True, workers=2):\n"
        "    print(os.getpid(), flush=True); sys.stdin.readline()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        process.stdout.readline()
        workers = workers_of(process.pid)
        assert len(workers) == 2
        process.kill()
    assert all(_ends(worker) for worker in workers)


def _ends(pid):
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with open(handle):
        return bool(select.select([handle], [], [], 10)[0])


def test_a_worker_without_a_sandbox_stops_the_class(course, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with (
        Grader(course, Settings(sandbox="bubblewrap")) as grader,
        pytest.raises(SandboxError, match="bubblewrap"),
    ):
        list(graded_class(grader, NAME, course.submitted, anew=True, workers=2))


def test_a_scheduler_that_is_not_there_is_told(course):
    pytest.importorskip("distributed")
    with pytest.raises(CourseError, match=r"scheduler at tcp://127.0.0.1:1 does not answer"):
        list(graded(course, anew=True, scheduler="tcp://127.0.0.1:1"))
