"""A class graded by several workers: the results of one, whatever happens to a worker."""

import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest

from grader.classroom import Grader, graded_class
from grader.course import Course, CourseError
from grader.notebooks import build_release, filled_notebook, solution_answers
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
    log = (course.private / "logs" / NAME / "student1.log").read_text(encoding="utf-8")
    assert "relu: 0 of 2" in log and "failed: test_values" in log


def test_what_is_kept_is_not_graded_again(course, by_one):
    found = list(graded(course, workers=3))
    assert not any(each.fresh for each in found) and records(found) == by_one
    assert all(each.fresh for each in graded(course, anew=True, workers=2))


def test_killed_workers_cost_nothing(course, by_one):
    found, victims = [], []
    for each in graded(course, anew=True, workers=2):
        found.append(each)
        while len(victims) < 2:  # those who are there first: no hand-in loses its worker twice
            victims = workers_of(os.getpid())
        if len(found) in (1, 4):
            os.kill(victims[len(found) // 4], signal.SIGKILL)
    assert records(found) == by_one


def test_a_hand_in_that_costs_two_workers_is_given_up_and_not_kept(course):
    killed, over = set(), threading.Event()

    def kill():
        while not over.wait(0.01):
            for worker in workers_of(os.getpid()):
                os.kill(worker, signal.SIGKILL)
                killed.add(worker)

    killer = threading.Thread(target=kill)
    killer.start()
    try:
        only = {"students": ["student0"], "workers": 2}
        (lost,) = graded(course, anew=True, **only)
    finally:
        over.set()
        killer.join()
    assert "processes that graded it died" in lost.result.error and len(killed) == 2
    (again,) = graded(course, **only)
    assert again.result.score == again.result.max_score


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


def command(course, *words):
    grader = [sys.executable, "-c", "from grader.cli import main; main()", "grade", NAME, *words]
    return subprocess.Popen(
        [*grader, "--submissions", course.submitted, "--json"],
        cwd=course.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def found_by(process):
    out, err = process.communicate()
    assert process.returncode == 1, err  # one of the class is broken
    return [{**each, "seconds": 0} for each in json.loads(out)["results"]]


@pytest.fixture
def certificates(request, tmp_path, monkeypatch):
    """Dask's own configuration for TLS, with a certificate of the test's own, where "tls" is asked for."""
    if getattr(request, "param", "tcp") == "tcp":
        return []
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=grader"]
    subprocess.run([*made, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    monkeypatch.setenv("DASK_DISTRIBUTED__COMM__TLS__CA_FILE", str(certificate))
    for who in ("SCHEDULER", "WORKER", "CLIENT"):
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{who}__CERT", str(certificate))
        monkeypatch.setenv(f"DASK_DISTRIBUTED__COMM__TLS__{who}__KEY", str(key))
    return ["--protocol", "tls"]


@pytest.fixture
def dask(certificates, tmp_path):
    """A scheduler on loopback and three workers, which do not come back when they die; its address, and them."""
    pytest.importorskip("distributed")
    file, processes = tmp_path / "scheduler.json", []

    def start(what, *words):
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", "--no-dashboard", *words]
        with open(tmp_path / f"{len(processes)}.log", "w") as log:
            processes.append(subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log))
        return processes[-1]

    at = ["--scheduler-file", str(file), *certificates]
    start("scheduler", "--host", "127.0.0.1", "--port", "0", *at)
    workers = [
        start("worker", *at, "--no-nanny", "--nthreads", "2", "--name", str(number)) for number in range(3)
    ]
    until = time.monotonic() + 60
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.1)
    yield json.loads(file.read_text())["address"], workers
    for process in processes:
        process.kill()
        process.wait()


def test_three_dask_workers_of_which_one_is_killed_find_the_same(course, dask):
    address, workers = dask
    alone = found_by(command(course, "--workers", "1"))
    results = course.private / "results"
    for path in results.glob("*"):
        path.unlink()
    process = command(course, "--scheduler", address)
    while len(list(results.glob("*.json"))) < 2 and process.poll() is None:
        time.sleep(0.01)
    workers[0].kill()
    assert found_by(process) == alone


@pytest.mark.parametrize("certificates", ["tls"], indirect=True)
def test_dask_over_tls_by_dasks_own_configuration(course, by_one, dask, monkeypatch):
    address, _workers = dask
    assert address.startswith("tls://")
    expected = [each.score for _, each in sorted(by_one.items())]
    assert [each["score"] for each in found_by(command(course, "--scheduler", address))] == expected
    for who in ("CERT", "KEY"):
        monkeypatch.delenv(f"DASK_DISTRIBUTED__COMM__TLS__CLIENT__{who}")
    for refused in (address, address.replace("tls:", "tcp:")):
        _, said = (process := command(course, "--scheduler", refused)).communicate()
        assert process.returncode == 1 and "does not answer" in said and "Traceback" not in said


def test_a_scheduler_that_is_not_there_is_told(course):
    pytest.importorskip("distributed")
    with pytest.raises(CourseError, match=r"scheduler at tcp://127.0.0.1:1 does not answer"):
        list(graded(course, anew=True, scheduler="tcp://127.0.0.1:1"))


def a_class_with_a_gradebook(course, folder):
    """The same class in a course of its own that has a gradebook."""
    copy = Course.find().copied_to(folder / "course")
    build_release([NAME], copy.assignments, register=True, course=copy)
    shutil.copytree(course.submitted, copy.submitted)
    shutil.copytree(course.private / "cases", copy.private / "cases")
    shutil.copy(course.private / "seed", copy.private)
    return copy


def grades(course):
    """Every mark in the gradebook, with its flag; none where there are none yet."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course.root}/gradebook.db", "keras-from-scratch") as book:
        return {
            (submission.student_id, grade.name): (grade.auto_score, grade.needs_manual_grade)
            for submission in book.assignment_submissions(NAME)
            for grade in submission.notebooks[0].grades
        }


def grading(course, **options):
    source = "from grader.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", source, "grade", NAME, "--workers", "2"], cwd=course.root, **options
    )


@pytest.mark.filterwarnings("ignore")  # SQLAlchemy's own
@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
def test_a_run_that_is_killed_at_any_moment_is_taken_up(course, tmp_path, kills):
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    whole = a_class_with_a_gradebook(course, tmp_path / "whole")
    started = time.monotonic()
    assert grading(whole, **quiet).wait() == 1  # one of the class is broken
    takes = time.monotonic() - started
    expected = grades(whole)
    assert len(expected) == 11 * 7 and all(score is not None for score, _ in expected.values())
    draw = random.Random(1)
    killed = 0
    while killed < kills:
        broken = a_class_with_a_gradebook(course, tmp_path / f"broken{killed}")
        for _ in range(10):  # kills, after which one class is done and the next begins
            process = grading(broken, start_new_session=True, **quiet)
            try:
                process.wait(draw.uniform(0.3, takes))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                killed += 1
            else:
                break
            if killed == kills:
                break
        assert grading(broken, **quiet).wait() == 1
        assert grades(broken) == expected
        shutil.rmtree(tmp_path / f"broken{killed}", ignore_errors=True)


def test_a_ctrl_c_stops_cleanly_and_the_same_command_goes_on(course, tmp_path):
    copy = a_class_with_a_gradebook(course, tmp_path)
    process = grading(copy, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    results = copy.private / "results"
    while not list(results.glob("*.json")) and process.poll() is None:
        time.sleep(0.01)
    workers = workers_of(process.pid)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130 and "the same command continues" in said and "Traceback" not in said
    assert all(_ends(worker) for worker in workers)
    assert grading(copy, stdout=subprocess.DEVNULL).wait() == 1
    assert len(grades(copy)) == 11 * 7
