"""Workers that grade: processes of this machine, or those of a Dask scheduler on as many machines as there are.

Hand-ins and results travel as data; a worker needs this package and a sandbox, and nothing of the course's folder.
"""

from __future__ import annotations

import os
import platform
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from typing import Any, Protocol

from grader.course import CourseError
from grader.examiner import Examiner, Sitting
from grader.result import Result
from grader.sandbox.confine import die_with_parent
from grader.settings import Settings
from grader.store import grader_fingerprint

_DEATHS = 2  # of workers, after which a hand-in is given up
_END_SECONDS = 10
_DIED = "grading did not run: the processes that graded it died"


@dataclass(frozen=True)
class Task:
    """A hand-in that is to be graded, and the name of its result."""

    student: str
    key: str
    raw: bytes


class Crew:
    """Grades hand-ins by several workers, which start when there is something to do.

    A worker that dies costs nobody anything: what it had is graded again.

    Args:
        sitting: gives what they are graded against; called once, when there is something to do.
        examiner: grades where this process does; the others are to have its limits and sandbox.
        workers: how many processes; with 1, this one.
        scheduler: the address of a Dask scheduler, whose workers grade in their place.
        meanwhile: called before each wait for them; what is done once is done while they start.
    """

    def __init__(
        self,
        sitting: Callable[[], Sitting],
        examiner: Examiner,
        workers: int,
        scheduler: str | None = None,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        self._sitting, self._examiner, self._meanwhile = sitting, examiner, meanwhile
        self._workers, self._scheduler = workers, scheduler
        self._team: _Team | None = None
        self._given: dict[Future[Result], Task] = {}

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: Any) -> None:
        if self._team is not None:
            self._team.close(at_once=kind is not None)

    def give(self, task: Task) -> Iterator[tuple[Task, Result]]:
        """Take on a hand-in; yields those that are done, after a wait where all workers have enough to do.

        Raises:
            SandboxError: a worker has no sandbox.
            CourseError: the scheduler does not answer, or its workers have another version of this package.
        """
        if self._team is None:
            self._team = self._start()
        self._given[self._team.submit(task)] = task
        while len(self._given) >= self._team.room:
            yield from self._done()

    def rest(self) -> Iterator[tuple[Task, Result]]:
        """Wait for the others; yields them as they are done."""
        while self._given:
            yield from self._done()

    def _start(self) -> _Team:
        if self._scheduler is not None:
            return _Dask(self._scheduler, self._sitting(), self._examiner.settings)
        if self._workers == 1:
            return _Alone(self._sitting(), self._examiner)
        return _Processes(self._workers, self._sitting(), self._examiner.settings)

    def _done(self) -> Iterator[tuple[Task, Result]]:
        self._meanwhile()
        done, _ = wait(self._given, return_when=FIRST_COMPLETED)
        for future in done:
            task = self._given.pop(future)
            yield task, future.result()


class _Team(Protocol):
    """Who grades.

    Attributes:
        room: how many hand-ins it takes at a time.
    """

    room: int

    def submit(self, task: Task) -> Future[Result]: ...

    def close(self, at_once: bool) -> None: ...


class _Alone:
    """This process."""

    room = 1

    def __init__(self, sitting: Sitting, examiner: Examiner) -> None:
        self._sitting, self._examiner = sitting, examiner

    def submit(self, task: Task) -> Future[Result]:
        future: Future[Result] = Future()
        future.set_result(self._examiner.grade(self._sitting, task.student, task.raw))
        return future

    def close(self, at_once: bool) -> None:
        """Nothing: the examiner is somebody else's."""


class _Processes:
    """Processes of this machine, each with a thread here that waits for it."""

    def __init__(self, count: int, sitting: Sitting, settings: Settings) -> None:
        self.room = count + 2  # so that none waits for work while a result is written down
        self._sitting, self._settings = sitting, settings
        self._threads = ThreadPoolExecutor(count)
        self._of_thread = threading.local()
        self._all: set[_Worker] = set()
        self._closed = False

    def submit(self, task: Task) -> Future[Result]:
        return self._threads.submit(self._grade, task)

    def _grade(self, task: Task) -> Result:
        for _ in range(_DEATHS):
            worker = getattr(self._of_thread, "worker", None)
            if worker is None:
                worker = self._of_thread.worker = _Worker(self._sitting, self._settings)
                self._all.add(worker)
            try:
                return worker.grade(task)
            except (EOFError, OSError):
                if self._closed:
                    break
                self._of_thread.worker = None
                self._all.discard(worker)
                worker.close()
        return self._sitting.failed(task.student, _DIED, _DIED)

    def close(self, at_once: bool) -> None:
        """End them all; `at_once` whatever they do."""
        self._closed = True
        for worker in list(self._all):
            worker.close(at_once)
        self._threads.shutdown(cancel_futures=True)


class _Worker:
    """A process that grades, one hand-in after the other; it ends with the thread that made it."""

    def __init__(self, sitting: Sitting, settings: Settings) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            start = f"from grader.crew import work; work({theirs.fileno()}, {os.getpid()})"
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", start],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                start_new_session=True,  # a Ctrl-C is for this process, which then ends them
            )
        self._connection = Connection(ours.detach())
        self._to_send: list[Any] = [(sitting, settings)]

    def grade(self, task: Task) -> Result:
        self._to_send.append((task.student, task.raw))
        while self._to_send:
            self._connection.send(self._to_send.pop(0))
        answer = self._connection.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def close(self, at_once: bool = False) -> None:
        if at_once:
            self._process.kill()
        self._connection.close()
        try:
            self._process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def work(handle: int, parent: int) -> None:
    """What a process of `_Processes` does until the other end hangs up."""
    die_with_parent()
    if os.getppid() != parent:
        return
    connection = Connection(handle)
    sitting, settings = connection.recv()
    with Examiner(settings) as examiner:
        while True:
            try:
                student, raw = connection.recv()
            except EOFError:
                return
            try:
                answer: Result | Exception = examiner.grade(sitting, student, raw)
            except Exception as failure:
                answer = failure
            connection.send(answer)


class _Dask:
    """The workers of a Dask scheduler."""

    def __init__(self, address: str, sitting: Sitting, settings: Settings) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise CourseError("--scheduler needs Dask: pip install distributed") from None
        try:
            self._client = Client(address, timeout=_END_SECONDS)
            self._client.wait_for_workers(1, timeout=6 * _END_SECONDS)
        except (OSError, ValueError, TypeError) as error:  # a timeout, no such address, no certificate
            raise CourseError(
                f"the scheduler at {address} does not answer, or has no workers: {error}"
            ) from None
        self.room = 3 * len(self._client.nthreads())
        self._executor = self._client.get_executor(pure=False)
        self._given = self._client.scatter(
            (sitting, settings, grader_fingerprint()), broadcast=True, hash=False
        )

    def submit(self, task: Task) -> Future[Result]:
        return self._executor.submit(grade_there, self._given, task.student, task.raw)

    def close(self, at_once: bool) -> None:
        self._executor.shutdown(wait=False)
        self._client.close()


def grade_there(given: tuple[Sitting, Settings, str], student: str, raw: bytes) -> Result:
    """What a Dask worker does with a hand-in; one after the other, however many threads it has."""
    sitting, settings, fingerprint = given
    if fingerprint != grader_fingerprint():
        raise CourseError(f"the worker on {platform.node()} has another version of this package")
    return _hands().submit(_grade, sitting, settings, student, raw).result()


@cache
def _hands() -> ThreadPoolExecutor:
    """The one thread of a Dask worker that grades: a sandbox belongs to a thread."""
    return ThreadPoolExecutor(1)


@cache
def _examiner(settings: Settings) -> Examiner:
    return Examiner(settings)


def _grade(sitting: Sitting, settings: Settings, student: str, raw: bytes) -> Result:
    return _examiner(settings).grade(sitting, student, raw)
