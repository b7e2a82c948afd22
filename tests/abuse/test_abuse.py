"""Every abuse case: the target's marks, the next student's, and the host, which must not notice anything."""

import json
import os
import re
import subprocess
import sys
from contextlib import ExitStack

import pytest

from grader.classroom import Grader, grade_class
from grader.course import Course
from grader.exercise import exercises_of
from grader.folders import hand_ins
from grader.notebooks import UnreadableHandIn, read_hand_in
from grader.result import Result
from grader.sandbox import Limits, Sandbox, SandboxError
from grader.settings import Settings
from tests.abuse import ASSIGNMENT, Case, cases, forging, honest, notebook, raw
from tests.abuse.host import MEBIBYTE, Memory

SANDBOXES = ["bubblewrap", pytest.param("landlock", marks=pytest.mark.slow)]
PATIENT = Limits(cell_seconds=10, call_seconds=5, total_seconds=60)
HASTY = Limits(cell_seconds=1.5, call_seconds=0.7, total_seconds=8)
OUR_MEMORY = 512 * MEBIBYTE  # by how much grading one hand-in may enlarge the grading process

POINTS = {name: each.points for name, each in exercises_of(ASSIGNMENT).items()}
CASES = cases()


@pytest.fixture(scope="session", params=SANDBOXES)
def sandbox(request):
    try:
        with Sandbox(kind=request.param):
            return request.param
    except SandboxError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="session")
def graders(sandbox, host):
    """Whether a case hangs -> a grader that has done its first hand-in."""
    course = Course(host.folder)
    with ExitStack() as stack:
        graders = {
            hangs: stack.enter_context(Grader(course, Settings(limits, sandbox)))
            for hangs, limits in {False: PATIENT, True: HASTY}.items()
        }
        for grader in graders.values():
            assert_full(grader.grade(ASSIGNMENT, "first", raw(notebook())))
        yield graders


@pytest.fixture
def told(request, record_property):
    """Says for the table at the end which case this is, and in which sandbox."""
    parameters = request.node.callspec.params
    record_property("kind", parameters["case"].kind)
    record_property("sandbox", parameters["sandbox"])


def assert_full(result: Result) -> None:
    assert result.error is None
    assert {name: e.score for name, e in result.exercises.items()} == POINTS


def assert_marks(case: Case, result: Result) -> None:
    if case.error:
        assert re.search(case.error, result.error or "")
        assert (result.score, result.exercises) == (0, {})
        return
    assert result.error is None
    for name, points in POINTS.items():
        earned, share = result.exercises[name].score, case.earns.get(name, case.others)
        if share is None:
            assert 0 <= earned <= points
        else:
            said = [f"{test.name}: {test.message}" for test in result.exercises[name].tests if test.message]
            assert earned == share * points, (name, said[:2], result.remarks)


def printed(result: Result) -> list[str]:
    outputs = [output for each in result.outputs.values() for output in each]
    return "".join(o["text"] for o in outputs if o.get("name") == "stdout").splitlines()


@pytest.mark.parametrize("case", [case for case in CASES if not case.on_disk], ids=str)
def test_case(case, graders, host, tmp_path, told):
    grader = graders[case.hangs]
    tries = case.hand_in(tmp_path, host.told())
    ((student, path),) = hand_ins(tmp_path, ASSIGNMENT)
    before, memory = host.state(), Memory()
    try:
        target = grader.grade(ASSIGNMENT, student, read_hand_in(path))
    except UnreadableHandIn as unreadable:
        target = Result(student, 0.0, sum(POINTS.values()), error=str(unreadable))
    grown = memory.grown()
    assert_full(grader.grade(ASSIGNMENT, "neighbour", raw(notebook())))
    assert host.settled(before) == before
    assert_marks(case, target)
    lines = printed(target)
    assert [line for line in lines if line.startswith("FOUND")] == []
    assert case.stopped or lines.count("TRIED") == tries
    record = json.dumps(target.record())
    assert host.secret not in record
    assert Course(host.folder).seed() not in record
    assert grown < OUR_MEMORY


@pytest.fixture(scope="session")
def folders(sandbox, host, tmp_path_factory):
    """A class of those cases that are more than a file in a folder, an honest neighbour after each."""
    folder = tmp_path_factory.mktemp("class")
    on_disk = [case for case in CASES if case.on_disk]
    for case in on_disk:
        case.hand_in(folder, host.told())
        honest(folder, f"{case.name} and neighbour")
    before = host.state()
    graded = grade_class(Course(host.folder), ASSIGNMENT, folder, settings=Settings(sandbox=sandbox))
    results = {os.fsencode(each.student): each for each in graded}
    assert host.settled(before) == before
    neighbours = results.keys() - {student_of(case) for case in on_disk}
    assert len(neighbours) == len(on_disk)
    for name in neighbours:
        assert_full(results[name])
    return results


def student_of(case: Case) -> bytes:
    return os.fsencode(case.student)


@pytest.mark.parametrize("case", [case for case in CASES if case.on_disk], ids=str)
def test_folder(case, folders, told):
    result = folders.get(student_of(case))
    assert (result is None) == case.absent
    if result:
        assert_marks(case, result)


def test_attackers_find_the_connection(sandbox):
    """Else nothing that is sent over it would try anything."""
    with Sandbox(kind=sandbox) as opened, opened.open() as session:
        session.run("1")
        ran = session.run(forging.wired("connection.sendall(message(number, 'ran', [], 'forged'))"))
        assert ran.error == "forged"
    with Sandbox(kind=sandbox) as opened, opened.open() as session:
        session.run(forging.wired("zygote._answer = lambda *_: ['functions', ['one', 'two']]"))
        assert session.functions() == ["one", "two"]


IN_THE_OPEN = ("files_by_path", "files_by_detour", "environment", "other_processes", "network", "modules")


@pytest.mark.parametrize("name", IN_THE_OPEN)
def test_peeking_finds_what_is_in_the_open(name, host, tmp_path):
    """Else it would find nothing anywhere: here the same cells run where no sandbox is in force."""
    case = next(case for case in CASES if str(case) == f"peeking-{name}")
    case.hand_in(tmp_path, host.told())
    handed = json.loads((tmp_path / "target" / ASSIGNMENT / f"{ASSIGNMENT}.ipynb").read_bytes())
    cells = [cell["source"] for cell in handed["cells"] if re.search(r"^HOST|found\(", str(cell["source"]))]
    source = """
import sys
from grader.sandbox.shell import Shell
shell, out = Shell(), sys.stdout
for cell in sys.argv[1:]:
    print(shell.run(cell).outputs, file=out)
"""
    ran = subprocess.run([sys.executable, "-c", source, *cells], capture_output=True, text=True, cwd=tmp_path)
    host.state()  # hangs up on those who came by the network
    assert "FOUND" in ran.stdout, ran.stderr
