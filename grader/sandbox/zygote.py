"""The zygote: everything imported and a shell made, once; each hand-in is a fork of it in a room of its own.

It hears one kind of request on its control socket: the limits of a hand-in and the packages that it does without, with the new process's socket and the socket
of its keeper. Two forks come of it: the keeper, which makes the room, watches what no limit of the kernel's does, says how
the process ended and kills it when the grading side hangs up; and the process itself, which locks itself in.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import os
import resource
import select
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from grader.sandbox import absent, confine
from grader.sandbox.limits import TICK_SECONDS, Limits, megabytes
from grader.sandbox.shell import END, HEADER, Shell
from grader.wire import decode, encode

UNPRIVILEGED = 1000
HOME = "/tmp/home"
MOST_FILES = 4096
_SIGNALS = 256  # waiting, and timers: the kernel keeps a record of each

_TICK_MS = int(1000 * TICK_SECONDS)
_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND = 1, 2, 4, 8, 32, 4096
_PR_SET_DUMPABLE = 4
_BLOCK = 512  # of `st_blocks`, whatever the file system's are
_CLOCK, _PAGE = os.sysconf("SC_CLK_TCK"), os.sysconf("SC_PAGE_SIZE")

_libc = ctypes.CDLL(None, use_errno=True)


class Room(Protocol):
    """Where a hand-in's process lives, and how others are kept out of it."""

    def open(self) -> None:
        """Before anything is imported, for the zygote itself."""

    def enter(self) -> None:
        """In the keeper, before the fork."""

    def lock(self, limits: Limits) -> None:
        """In the process, before any of the student's code."""

    def processes(self, pid: int) -> Iterator[str]:
        """In the keeper: the folders in /proc of the hand-in's processes."""

    def files(self, pid: int, most: int) -> Iterator[int]:
        """In the keeper: what each of its files takes, `most` where nobody can tell; none where a file system bounds them."""

    def leave(self) -> None:
        """In the keeper, when the process is gone."""


class Namespaces:
    """Inside bubblewrap: user, process, mount, network, IPC and name namespaces for each hand-in.

    Its process is the first of its own process namespace, so that nothing it started outlives it.
    """

    def open(self) -> None:
        os.makedirs(HOME, exist_ok=True)
        os.chdir(HOME)

    def enter(self) -> None:
        """A user namespace of an unprivileged id, and in it all the others; the next fork is its first process."""
        self._outer = os.stat("/proc").st_dev
        if os.getuid() == 0:
            try:
                os.setgroups([])
                os.setgid(UNPRIVILEGED)
                os.setuid(UNPRIVILEGED)
            except OSError:
                pass  # no second id could be had: the namespaces hold all the same
            confine.call(_libc.prctl, _PR_SET_DUMPABLE, 1, 0, 0, 0)
        uid, gid = os.getuid(), os.getgid()
        confine.call(_libc.unshare, _NEWUSER | _NEWNS | _NEWPID | _NEWIPC | _NEWUTS | _NEWNET)
        maps = [("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")]
        for name, text in maps:
            Path(f"/proc/self/{name}").write_text(text)

    def lock(self, limits: Limits) -> None:
        counted = self._furnish(limits.disk_bytes)
        confine.drop_capabilities()
        if confine.filterable():
            confine.filter_calls(alone=False, processes=counted)
        resource.setrlimit(resource.RLIMIT_NPROC, (limits.processes, limits.processes))

    def _furnish(self, disk_bytes: int) -> bool:
        """Its own /tmp, /dev/shm and /proc, in the place of what others see; whether its processes can be counted."""
        quiet = _MS_NOSUID | _MS_NODEV
        _mount("tmpfs", "/tmp", quiet, f"size={disk_bytes},mode=0700,nr_inodes={MOST_FILES}")
        _mount("tmpfs", "/dev/pts", quiet, "size=4096,mode=0700,nr_inodes=2")
        for folder in (HOME, "/tmp/shm"):
            os.mkdir(folder)
        _mount("/tmp/shm", "/dev/shm", _MS_BIND)
        try:
            _mount("proc", "/proc", quiet | _MS_NOEXEC)
            Path("/proc/sys/user/max_user_namespaces").write_text("0")
            # Where its id is root's outside, the settings in it would be open to it.
            _mount("", "/proc", quiet | _MS_NOEXEC | _MS_RDONLY | _MS_REMOUNT | _MS_BIND)
            counted = True
        except OSError:
            _mount("tmpfs", "/proc", quiet | _MS_NOEXEC | _MS_RDONLY, "size=4096")
            counted = False
        os.chdir(HOME)
        return counted

    def processes(self, pid: int) -> Iterator[str]:
        if os.stat("/proc").st_dev != self._outer:  # until then it is everybody's
            yield from (entry.path for entry in os.scandir("/proc") if entry.name.isdigit())

    def files(self, pid: int, most: int) -> Iterator[int]:
        yield from ()

    def leave(self) -> None:
        pass


# Not the rest, which tells of the machine: its mounts, its connections. (TensorFlow asks for the command line.)
_ABOUT_ITSELF = ("cmdline", "fd", "maps", "stat", "statm", "status")


class Alone:
    """Without namespaces: one process for each hand-in, which may start none, kept to a folder of its own.

    Args:
        folder: the zygote's, under which each hand-in gets one.
        readable: the files and folders that may be read, and the folders that may be listed; None leaves all files open.
    """

    def __init__(self, folder: str, readable: tuple[list[str], list[str]] | None) -> None:
        self._folder = Path(folder)
        self._readable = readable

    def open(self) -> None:
        """Locks the zygote too, so that it imports what a hand-in may; a process is left to remove the folder after it."""
        if os.fork():
            os.wait()
            shutil.rmtree(self._folder, ignore_errors=True)
            os._exit(0)
        os.umask(0o077)
        self._lock_files(["/proc"], self._folder)
        os.chdir(self._folder)

    def enter(self) -> None:
        self._own = Path(tempfile.mkdtemp(prefix="hand-in-", dir=self._folder)).resolve()

    def lock(self, limits: Limits) -> None:
        os.environ.update(HOME=str(self._own), TMPDIR=str(self._own), MPLCONFIGDIR=str(self._own))
        tempfile.tempdir = None
        os.chdir(self._own)
        about_itself = [f"/proc/{os.getpid()}/{name}" for name in _ABOUT_ITSELF]
        self._lock_files(about_itself, self._own)
        confine.drop_capabilities()
        if confine.filterable():
            confine.filter_calls(alone=True, processes=False)

    def _lock_files(self, readable: list[str], writable: Path) -> None:
        if self._readable is not None:
            files, folders = self._readable
            confine.lock_files([*files, *readable], folders, [str(writable), "/dev/null"])

    def processes(self, pid: int) -> Iterator[str]:
        yield f"/proc/{pid}"

    def files(self, pid: int, most: int) -> Iterator[int]:
        """Those with a name, then those that are only open, then those that are only mapped: the way that a file can go."""
        waiting = [str(self._own)]
        while waiting:
            with suppress(FileNotFoundError, NotADirectoryError), os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    with suppress(FileNotFoundError):
                        yield _BLOCK * entry.stat(follow_symlinks=False).st_blocks
                        if entry.is_dir(follow_symlinks=False):
                            waiting.append(entry.path)
        known = set()
        with suppress(FileNotFoundError):
            for handle in os.scandir(f"/proc/{pid}/fd"):
                with suppress(FileNotFoundError):
                    if not (facts := handle.stat()).st_nlink:
                        known.add(facts.st_ino)
                        yield _BLOCK * facts.st_blocks
        with suppress(FileNotFoundError), open(f"/proc/{pid}/maps", "rb") as mapped:
            for line in mapped:
                if not (line.endswith(b" (deleted)\n") and bytes(self._own) in line):
                    continue
                if (number := int(line.split(None, 5)[4])) not in known:
                    known.add(number)
                    yield most

    def leave(self) -> None:
        """Remove its folder, step by step from inside: it may be deeper than a path is long."""
        with suppress(OSError):
            os.chdir(self._own)
            waiting = [self._folders()]
            while waiting:
                if waiting[-1]:
                    os.chdir(waiting[-1][-1])
                    waiting.append(self._folders())
                else:
                    waiting.pop()
                    os.chdir("..")
                    os.rmdir(waiting[-1].pop() if waiting else self._own)

    def _folders(self) -> list[str]:
        """The folders here; what else is here is removed."""
        folders = []
        for entry in list(os.scandir()):
            if entry.is_dir(follow_symlinks=False):
                folders.append(entry.name)
            else:
                os.unlink(entry.name)
        return folders


def main(control_fd: int, room: Room, packages: Sequence[str]) -> None:
    """Import the packages, make the shell, say `ready`, then fork on request until the grading side hangs up."""
    control = socket.socket(fileno=control_fd)
    try:
        room.open()
        shell = Shell()
        _site_builtins()
        shell.warm_up()
        for name in packages:
            importlib.import_module(name)
        gc.collect()
        gc.freeze()  # so that forks share the pages
    except BaseException as error:
        control.send(f"{type(error).__name__}: {error}".encode()[:4000])
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are reaped by themselves
    control.send(b"ready")
    drawing = False
    while True:
        request, fds, _, _ = socket.recv_fds(control, 4096, 2)
        if not request:
            return
        amounts, missing, draws = decode(request)
        if draws and not drawing:
            shell.warm_up_drawing()
            gc.freeze()
            drawing = True
        if os.fork() == 0:
            keeper, process = fds[0], fds[1]
            absent.pretend(missing)
            _keep(shell, room, keeper, process, Limits(**amounts))
        for fd in fds:
            os.close(fd)


def _keep(shell: Shell, room: Room, keeper: int, process: int, limits: Limits) -> None:
    """The keeper: a room, the fork, its end."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _close_all_but(keeper, process)
        watch = _Watch(room, keeper, limits)
        room.enter()
        pid = os.fork()
        if pid == 0:
            os.close(keeper)
            _student(shell, room, process, limits, watch.shared + limits.memory_bytes)
        os.close(process)
        reason = watch.until_the_end(pid)
        _, status, used = os.wait4(pid, 0)
        end = END.pack(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime)
        os.write(keeper, end + reason.encode())
        room.leave()
    except BaseException as error:
        with suppress(OSError):
            os.write(keeper, f"{type(error).__name__}: {error}".encode()[:1000])
    finally:
        os._exit(0)


class _Watch:
    """Counts what a hand-in uses in all its processes, and stops it where that is too much."""

    def __init__(self, room: Room, keeper: int, limits: Limits) -> None:
        self.room, self.keeper, self.limits = room, keeper, limits
        self.shared = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
        self.spent: dict[tuple[str, str], float] = {}  # by process and its start
        self.asked, self.asked_at = b"", 0.0
        os.set_blocking(keeper, False)

    def until_the_end(self, pid: int) -> str:
        """Wait until the process ends or the grading side hangs up, and kill what is left; why, where it used too much."""
        end = os.pidfd_open(pid)
        poll = select.poll()
        poll.register(end, select.POLLIN)
        poll.register(self.keeper, select.POLLRDHUP)
        wait, reason = _TICK_MS, ""
        while not (reason or (events := poll.poll(wait))):
            started = time.monotonic()
            reason = self._too_much(pid)
            wait = max(_TICK_MS, int(10_000 * (time.monotonic() - started)))
        if reason or not any(fd == end for fd, _ in events):
            os.kill(pid, signal.SIGKILL)
        return reason

    def _too_much(self, pid: int) -> str:
        limits, memory, tasks, cpu = self.limits, 0, 0, 0.0
        for folder in (folders := list(self.room.processes(pid))):
            with suppress(OSError, ValueError):
                fields = Path(folder, "stat").read_text(errors="replace").rpartition(")")[2].split()
                own, waited_for = sum(map(int, fields[11:13])), sum(map(int, fields[13:15]))
                cpu += (own + waited_for) / _CLOCK
                self.spent[folder, fields[19]] = own / _CLOCK
                tasks += int(fields[17])
                # One that runs another program, or gives up what it began with, has less to begin with.
                size = int(fields[20])
                memory += max(size - self.shared, _held(folder, size) if len(folders) > 1 else 0)
        cpu = max(cpu, sum(self.spent.values()))  # the dead whom nobody waited for are in the second alone
        if memory > limits.memory_bytes:
            return f"its processes used more than {megabytes(limits.memory_bytes)} of memory together"
        if tasks > limits.processes:
            return f"it had more than {limits.processes} processes and threads at a time"
        if cpu > limits.cpu_seconds:
            return f"it used more than {limits.cpu_seconds:g} seconds of processor time"
        return self._asked_too_much(cpu) or self._wrote_too_much(pid)

    def _asked_too_much(self, cpu: float) -> str:
        """The processor time of the cell or call that runs, to a tick: each that begins leaves a letter."""
        with suppress(BlockingIOError):
            if begun := os.read(self.keeper, 2**16):
                self.asked, self.asked_at = begun[-1:], cpu
        what, most = (
            ("a cell", self.limits.cell_cpu_seconds)
            if self.asked == b"r"
            else ("a call", self.limits.call_cpu_seconds)
        )
        return (
            f"{what} used more than {most:g} seconds of processor time" if cpu - self.asked_at > most else ""
        )

    def _wrote_too_much(self, pid: int) -> str:
        number, size = 0, 0
        try:
            for taken in self.room.files(pid, self.limits.file_bytes):
                number, size = number + 1, size + taken
                if size > self.limits.disk_bytes:
                    return f"its files took more than {megabytes(self.limits.disk_bytes)} together"
                if number > MOST_FILES:
                    return f"it had more than {MOST_FILES} files"
        except OSError as error:
            return f"its folders cannot be looked into: {error.strerror}"
        return ""


def _held(folder: str, size: int) -> int:
    """The memory that a process holds, of what it shares its part; all of its `size` where it will not tell."""
    try:
        lines = Path(folder, "smaps_rollup").read_text().splitlines()
    except PermissionError:
        return size
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def _student(shell: Shell, room: Room, process: int, limits: Limits, memory: int) -> None:
    """The process of a hand-in: locks itself in, then answers."""
    code = 1
    try:
        os.setsid()  # signals to its own process group reach neither the keeper nor the zygote
        confine.die_with_parent()
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        shell.record.allow(limits.output_bytes)
        room.lock(limits)
        for kind, limit in (
            (resource.RLIMIT_CPU, int(limits.cpu_seconds) + 1),
            (resource.RLIMIT_AS, memory),
            (resource.RLIMIT_FSIZE, limits.file_bytes),
            (resource.RLIMIT_NOFILE, limits.open_files),
            (resource.RLIMIT_CORE, 0),
            (resource.RLIMIT_SIGPENDING, _SIGNALS),
        ):
            resource.setrlimit(kind, (limit, limit))
        _close_all_but(process)
        _serve(shell, socket.socket(fileno=process))
        code = 0
    finally:
        os._exit(code)


def _serve(shell: Shell, connection: socket.socket) -> None:
    """Answer requests until the other end hangs up."""
    _send(connection, encode([0, "ready"]))
    while (message := _receive(connection)) is not None:
        number, verb, *rest = decode(message)
        try:
            reply = encode([number, *_answer(shell, verb, rest)])
        except BaseException as error:
            reply = encode([number, "failed", f"{type(error).__name__}: {error}"[:1000]])
        _send(connection, reply)


def _answer(shell: Shell, verb: str, rest: list) -> list:
    if verb == "run":
        ran = shell.run(rest[0])
        return ["ran", ran.outputs, ran.error]
    if verb == "functions":
        return ["functions", shell.functions()]
    name, args, kwargs, driver = rest
    outcome = shell.call(name, args, kwargs, driver)
    error = outcome.error
    same = encode(outcome.arguments) == encode(args)
    return [
        "outcome",
        outcome.value,
        None if error is None else [error.kind, error.message, error.line],
        outcome.warnings,
        None if same else outcome.arguments,
    ]


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(HEADER.pack(len(data)) + data)


def _receive(connection: socket.socket) -> bytes | None:
    header = _exactly(connection, HEADER.size)
    return None if header is None else _exactly(connection, HEADER.unpack(header)[0])


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(min(count - len(data), 2**20))
        if not part:
            return None
        data += part
    return bytes(data)


def _site_builtins() -> None:
    """`help` and `exit`, which Python has only with its `site` module."""
    import site

    site.setquit()
    site.sethelper()


def _close_all_but(*kept: int) -> None:
    at = 3
    for fd in sorted(kept):
        os.closerange(at, fd)
        at = fd + 1
    os.closerange(at, 2**16)


def _mount(kind: str, folder: str, flags: int, options: str = "") -> None:
    confine.call(
        _libc.mount, kind.encode(), folder.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
