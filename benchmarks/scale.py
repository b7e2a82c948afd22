"""Whether a hand-in costs the same in a class of any size: seconds each, memory, and grading again what is unchanged.

    python -m benchmarks.scale [--sizes 10 100 1000] [--assignment activations] [--workers 2] [--json FILE]

Classes of several sizes are graded by `grader grade` into a gradebook, then once more by the same command with nothing
changed. Each is the sample class again and again: right, half done, blank, with known mistakes, hostile and broken
hand-ins, no two files the same. All marks are as in the first ten, or this fails. The reference values are there before.

The start ends when the first hand-in is in the gradebook and its file is written; seconds each are those after it, for
the others, and besides with the start, for all. Without `--workers` there are as many as `grader grade` takes: a class of
ten gets one. Grading again starts in as long as the smallest class takes; a hand-in more takes what the largest takes more.

Memory is read from /proc twice a second: of the command with all processes under it (workers, sandboxes, hand-ins), what
each has alone and its share of what several have (PSS; RSS where a process may not be looked into), added up; and of the
command by itself. Files' pages that the system keeps do not count.
"""

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.classes import GRADER, a_course, baked, hand_in, marks, mixed_class, seconds_of
from benchmarks.report import arguments, report
from grader.course import Course

SAMPLE = 10
MEBIBYTE = 2**20
ENDED = (0, 1)  # 1: some hand-ins are broken


class Memory:
    """What a process and those under it have of memory, at most; watched from now on.

    Attributes:
        all: the most that all had together, in MiB.
        own: the most that the process had by itself.
    """

    def __init__(self, pid: int) -> None:
        self.all = self.own = 0.0
        self._pid = pid
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            of_each = [_memory(pid) for pid in _family(self._pid)]
            self.all = max(self.all, sum(of_each) / MEBIBYTE)
            self.own = max(self.own, of_each[0] / MEBIBYTE)


def _family(pid: int) -> Iterator[int]:
    """A process and all under it."""
    yield pid
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found = children.read_text().split()
        except OSError:  # it has ended
            continue
        for child in found:
            yield from _family(int(child))


def _memory(pid: int) -> int:
    """Bytes that a process has, none if it has ended."""
    for file, name in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            lines = Path(f"/proc/{pid}/{file}").read_text().splitlines()
        except OSError:
            continue
        for line in lines:
            if line.startswith(name):
                return 1024 * int(line.split()[1])
    return 0


def graded(course: Course, command: list[str], students: list[str]) -> dict[str, float]:
    """Grade a class; its seconds and its memory."""
    began = time.time()
    with subprocess.Popen(
        command, cwd=course.root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as grading:
        memory = Memory(grading.pid)
        grading.wait()
        ended = time.time()
        memory.stop()
    if grading.returncode not in ENDED:
        raise RuntimeError(f"{' '.join(command)} ended with {grading.returncode}")
    first = min(path.stat().st_mtime for path in (course.root / "autograded").glob("*/*/*.ipynb"))
    return {
        "seconds": ended - began,
        "start": first - began,
        "each": (ended - first) / (len(students) - 1),
        "each_with_start": (ended - began) / len(students),
        "memory": memory.all,
        "memory_of_command": memory.own,
    }


def main() -> None:
    """Measure, and print a line a size and the ratios."""
    parser = arguments(__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--assignment", default="activations")
    parser.add_argument(
        "--workers", type=int, help="for every size; what `grader grade` takes where left out"
    )
    asked = parser.parse_args()
    command = [*GRADER, "grade", asked.assignment]
    command += ["--workers", str(asked.workers)] if asked.workers else []
    rows: dict[int, dict[str, Any]] = {}
    expected: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        template = baked(a_course(Path(folder, "template"), asked.assignment), asked.assignment)
        for size in asked.sizes:
            course = Course(Path(shutil.copytree(template.root, Path(folder, str(size)))))
            kinds, texts = zip(*mixed_class(asked.assignment, size), strict=True)
            students = hand_in(course, asked.assignment, texts)
            row = rows[size] = graded(course, command, students)
            given = marks(course, asked.assignment)
            row["again"] = seconds_of(command, course.root, ENDED)
            if given != marks(course, asked.assignment):
                raise RuntimeError("grading again changed a mark")
            for kind, student in zip(kinds, students, strict=True):
                if given[student] != expected.setdefault(kind, given[student]):
                    raise RuntimeError(f"hand-in {kind} has another mark as {student} of {size}")
            print(
                f"{size} hand-ins: {row['each']:.3f} s each after {row['start']:.1f} s of start, {row['each_with_start']:.3f} s"
                f" with it; {row['memory']:.0f} MiB at most, of these {row['memory_of_command']:.0f} of the command itself;"
                f" again in {row['again']:.1f} s.",
                flush=True,
            )
            shutil.rmtree(course.root)
    small, large = min(rows), max(rows)
    ratios = {
        "seconds_each": rows[large]["each"] / rows[small]["each"],
        "memory": rows[large]["memory"] / rows[small]["memory"],
    }
    print(
        f"From {small} hand-ins to {large}, one costs {ratios['seconds_each']:.2f} times the seconds,"
        f" and the class {ratios['memory']:.2f} times the memory."
    )
    again = (rows[large]["again"] - rows[small]["again"]) / (large - small)
    ratios["again"] = rows[large]["each"] / again
    ratios["again_with_start"] = rows[large]["seconds"] / rows[large]["again"]
    print(
        f"Again, {large} hand-ins take {1000 * again:.2f} ms each, {ratios['again']:.0f} times less than grading, after"
        f" {rows[small]['again'] - small * again:.1f} s of start; with both starts, {ratios['again_with_start']:.0f} times less."
    )
    report(asked, {"sizes": rows, "seconds_each_again": again, "ratios": ratios})


if __name__ == "__main__":
    main()
