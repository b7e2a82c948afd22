"""A sandbox proven by trying to get out of it."""

from __future__ import annotations

import os
import select
import socket
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from grader.sandbox import Sandbox, Session

_ATTEMPTS = """
import os, socket, time
def read(path):
    with open(path, "rb") as file:
        return file.read().hex()
def write(path):
    open(path, "w").close()
def connect(port):
    socket.create_connection(("127.0.0.1", port), timeout=2).sendall(b"here")
def stay():
    for _ in range(2):
        if os.fork() == 0:
            os.setsid()
            time.sleep(600)
"""


@dataclass(frozen=True)
class Attempt:
    """One way out that was tried: what, and whether the sandbox held."""

    what: str
    held: bool


def tried(sandbox: Sandbox, folder: Path) -> list[Attempt]:
    """Try to read, write, connect and stay behind, in a hand-in's place.

    Args:
        sandbox: a sandbox that has been started.
        folder: a folder of ours that must be out of its reach; it is left as it was.
    """
    with TemporaryDirectory(dir=folder, prefix="trial-") as ours, sandbox.open() as session:
        session.run(_ATTEMPTS)
        file, environment = Path(ours, "secret"), Path(f"/proc/{os.getpid()}/environ")
        file.write_bytes(os.urandom(16))
        return [
            Attempt("read a file of ours", not _read(session, file)),
            Attempt("read our environment", not _read(session, environment)),
            Attempt("write a file beside it", not _wrote(session, Path(ours, "written"))),
            Attempt("open a connection", not _connected(session)),
            Attempt("leave a process behind", not _stayed(session)),
        ]


def _read(session: Session, path: Path) -> bool:
    return session.call("read", [str(path)]).value == path.read_bytes().hex()


def _wrote(session: Session, path: Path) -> bool:
    session.call("write", [str(path)])
    return path.exists()


def _connected(session: Session) -> bool:
    with socket.create_server(("127.0.0.1", 0)) as server:
        session.call("connect", [server.getsockname()[1]])
        return bool(select.select([server], [], [], 0.2)[0])


def _stayed(session: Session) -> bool:
    """Whether somebody still holds the process's end of the connection when the session is closed."""
    session.call("stay", [])
    with session.connection() as connection:
        session.close()
        connection.settimeout(1.0)
        try:
            while connection.recv(2**16):
                pass
        except TimeoutError:
            return True
        return False
