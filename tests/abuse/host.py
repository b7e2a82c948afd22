"""The grading side as an attacker would like to change it: files, sockets, processes, and a state to compare."""

from __future__ import annotations

import ctypes
import hashlib
import os
import resource
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36
SETTLE_SECONDS = 20.0  # how long a dying process may take on a busy machine
MEBIBYTE = 2**20


class Host:
    """What is watched while hand-ins are graded.

    Args:
        folder: a course with a secret seed, beside which canaries are put.
        temporary: the folder for temporary files, empty when nobody grades.
    """

    def __init__(self, folder: Path, temporary: Path) -> None:
        self.folder, self.temporary = folder, temporary
        self.mark = f"abuse-{os.urandom(8).hex()}"
        self.secret = os.urandom(16).hex()
        os.environ["GRADER_TEST_SECRET"] = self.secret
        (folder / "gradebook.db").write_bytes(b"SQLite format 3\0" + os.urandom(100))
        (folder / "canary.txt").write_text(self.secret)
        self.listening = {
            "port": socket.create_server(("127.0.0.1", 0)),
            "abstract socket": _listening(f"\0{self.mark}"),
            "socket": _listening(str(temporary / "socket")),
        }
        for server in self.listening.values():
            server.setblocking(False)
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come to us, so none is missed

    def close(self) -> None:
        """Stop listening."""
        for server in self.listening.values():
            server.close()

    def told(self) -> dict[str, Any]:
        """All that an attacker could wish to know, but the secrets themselves."""
        return {
            "folder": str(self.folder),
            "temporary": str(self.temporary),
            "repository": str(Path(__file__).parents[2]),
            "home": os.path.expanduser("~"),
            "port": self.listening["port"].getsockname()[1],
            "abstract": f"\0{self.mark}",
            "socket": str(self.temporary / "socket"),
            "pid": os.getpid(),
            "mark": self.mark,
        }

    def state(self) -> dict[str, Any]:
        """Everything that a hand-in must leave as it is."""
        return {
            "files": {str(path): _facts(path) for path in sorted(self.folder.rglob("*")) if _watched(path)},
            "temporary files": sorted(os.listdir(self.temporary)),
            "files left": [
                place
                for place in ("/", "/tmp", "/var/tmp", "/dev/shm", ".", os.path.expanduser("~"))
                if os.path.lexists(f"{place}/{self.mark}")
            ],
            "connections": [name for name, server in self.listening.items() if _connected(server)],
            "processes": _descendants(),
            "open files": len(os.listdir("/proc/self/fd")),
            "priority": os.getpriority(os.PRIO_PROCESS, 0),
            "processors": os.sched_getaffinity(0),
            "limits": {n: resource.getrlimit(getattr(resource, n)) for n in dir(resource) if "RLIMIT_" in n},
            "directory": os.getcwd(),
        }

    def settled(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """The state, once the processes that are ending have ended; of those before, any may be gone."""
        until = time.monotonic() + SETTLE_SECONDS
        while not _descendants() <= before["processes"] and time.monotonic() < until:
            time.sleep(0.01)
        state = self.state()
        return {**state, "processes": state["processes"] | before["processes"]}


class Memory:
    """How far our own memory grows from here to its peak."""

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        self.before = self._peak()

    def grown(self) -> int:
        """Bytes."""
        return self._peak() - self.before

    def _peak(self) -> int:
        status = Path("/proc/self/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) * 1024


def _listening(address: str) -> socket.socket:
    server = socket.socket(socket.AF_UNIX)
    server.bind(address)
    server.listen()
    return server


def _connected(server: socket.socket) -> bool:
    found = False
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            found = True
    return found


def _watched(path: Path) -> bool:
    return not {"results", "logs"} & {*path.parts} and path.is_file()


def _facts(path: Path) -> tuple[int, int, int, list[str], str]:
    facts = path.stat()
    digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    return facts.st_mode, facts.st_uid, facts.st_mtime_ns, os.listxattr(path), digest


def _descendants() -> frozenset[str]:
    """Every living process that we, or one of ours, started."""
    parents, names = {}, {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with suppress(OSError):
                head, _, rest = Path(f"/proc/{entry}/stat").read_text(errors="replace").rpartition(")")
                state, parent = rest.split()[:2]
                if state != "Z":
                    parents[int(entry)], names[int(entry)] = int(parent), head.partition("(")[2]
    ours = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in ours} - ours:
        ours |= more
    return frozenset(f"{pid} {names[pid]}" for pid in ours - {os.getpid()})
