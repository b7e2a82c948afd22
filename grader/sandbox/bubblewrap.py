"""The bubblewrap command: what a zygote sees of this machine, and its start.

It sees the interpreter, its standard library, the packages that the hand-in may import, the C library and our few files
of the student's side, each at a neutral path and read-only; nothing of the repository, home folders or environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

from grader.sandbox import files

INSTALL = (
    "install it with `sudo apt install bubblewrap` (Debian, Ubuntu) or `sudo dnf install bubblewrap` (Fedora)"
)
UNPRIVILEGED, NOBODY = 1000, 65534
_ENVIRONMENT = {
    "HOME": "/tmp/home",
    "IPYTHONDIR": "/tmp/home/.ipython",
    "LD_LIBRARY_PATH": "/python/lib",
    "MPLCONFIGDIR": "/tmp/matplotlib",
}

# Root gets a second, unprivileged id for the hand-ins, because no limit on processes holds for root. The map of ids has
# to be written from outside: it says that it is ready, waits, and becomes bubblewrap.
_AS_ROOT = """
import ctypes, os, sys
if ctypes.CDLL(None, use_errno=True).unshare(0x10000000):
    sys.exit("no user namespace: " + os.strerror(ctypes.get_errno()))
ready, go = int(sys.argv[1]), int(sys.argv[2])
os.write(ready, b"1")
if os.read(go, 1) == b"1":
    os.close(ready), os.close(go)
    os.execv(sys.argv[3], sys.argv[3:])
"""


class Missing(Exception):
    """There is no bubblewrap here."""


def start(packages: tuple[str, ...], control: int, errors: IO[bytes]) -> subprocess.Popen:
    """Start a zygote.

    Args:
        packages: what the hand-in may import, with what they need.
        control: the file descriptor of its control socket, which it finds under the same number.
        errors: where it writes what goes wrong.

    Returns:
        The process; it ends with the thread that called this.

    Raises:
        Missing: bubblewrap is not installed.
    """
    program = shutil.which("bwrap")
    if program is None:
        raise Missing(f"there is no bubblewrap: {INSTALL}")
    command = [
        program,
        *_namespaces(),
        *_files(packages),
        "--chdir",
        "/tmp",
        "--",
        *_zygote(control, packages),
    ]
    if os.geteuid() == 0:
        return _start_as_root(command, control, errors)
    at = command.index("--unshare-ipc")
    command[at:at] = ["--unshare-user"]
    return _popen(command, [control], errors)


def _popen(command: list[str], fds: list[int], errors: IO[bytes]) -> subprocess.Popen:
    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
        pass_fds=fds,
        env={"LANG": "C.UTF-8"},
        cwd="/",
        start_new_session=True,
    )


def _start_as_root(command: list[str], control: int, errors: IO[bytes]) -> subprocess.Popen:
    ready, ready_there = os.pipe()
    go_there, go = os.pipe()
    launcher = [sys.executable, "-I", "-S", "-c", _AS_ROOT, str(ready_there), str(go_there)]
    capabilities = ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    try:
        process = _popen(
            [*launcher, command[0], *capabilities, *command[1:]], [control, ready_there, go_there], errors
        )
        os.close(ready_there)
        ready_there = -1
        if os.read(ready, 1):
            _map_ids(process.pid, everyone=_readable_by_everyone(command))
            os.write(go, b"1")
        return process
    finally:
        for fd in (ready, ready_there, go_there, go):
            if fd >= 0:
                os.close(fd)


def _map_ids(pid: int, everyone: bool) -> None:
    """Give the namespace root's id and, where the files allow it and there is one, a second."""
    for name in ("uid_map", "gid_map"):
        file = Path(f"/proc/{pid}/{name}")
        try:
            file.write_text("0 0 1\n" + (f"{UNPRIVILEGED} {NOBODY} 1\n" if everyone else ""))
        except OSError:
            file.write_text("0 0 1\n")


def _readable_by_everyone(command: list[str]) -> bool:
    sources = [command[at + 1] for at, word in enumerate(command) if word == "--ro-bind"]
    return all(os.stat(source).st_mode & 0o4 for source in sources)


def _namespaces() -> list[str]:
    return [
        *("--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"),
        *("--hostname", "sandbox", "--die-with-parent"),
    ]


def _zygote(control: int, packages: tuple[str, ...]) -> list[str]:
    start = f"""
import sys
sys.path[:0] = ["/student", "/packages"]
from grader.sandbox.zygote import Namespaces, main
main({control}, Namespaces(), {packages})
"""
    return [f"/python/bin/{files.VERSION}", "-I", "-S", "-B", "-X", "utf8", "-c", start]


def _files(packages: tuple[str, ...]) -> list[str]:
    """The arguments that build the file system."""
    binds = [
        *((source, f"/python/{place}") for source, place in files.interpreter()),
        *((source, f"/student/{place}") for source, place in files.ours()),
        *((source, f"/packages/{place}") for source, place in files.packages(packages)),
        *files.c_library(),
    ]
    links = [(folder, Path(os.readlink(folder))) for folder in files.LIBRARIES if folder.is_symlink()]
    arguments: list[str] = []
    for folder in sorted({parent for _, target in binds for parent in Path(target).parents[:-1]}):
        # What bubblewrap makes unasked nobody else may enter.
        arguments += ["--perms", "0755", "--dir", str(folder)]
    for source, target in binds:
        arguments += ["--ro-bind", str(source), target]
        for covered in files.other_packages(source):
            hidden = f"{target}/{covered.relative_to(source)}"
            arguments += ["--tmpfs", hidden, "--remount-ro", hidden]
    for link, goal in links:
        arguments += ["--symlink", str(goal), str(link)]
    arguments += ["--bind", "/proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--tmpfs", "/tmp"]
    for name, value in {**files.ENVIRONMENT, **_ENVIRONMENT}.items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--remount-ro", "/"]
