"""A zygote where bubblewrap cannot run: a plain process that locks itself up with Landlock and seccomp.

Packages and our modules are linked into a folder of its own, under which each hand-in gets one to write in; no other is
on its path. It sees that other files exist, and their sizes, but opens none.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from typing import IO

from grader.sandbox import confine, files

_SINCE = {3: "emptying files that it may read", 4: "TCP connections", 6: "signals and abstract sockets"}
_DEVICES = ("/dev/zero", "/dev/random", "/dev/urandom")


class Missing(Exception):
    """This kernel has no Landlock, or this processor no filter of system calls."""


def _require() -> None:
    """See that a process can be locked up here.

    Raises:
        Missing: it cannot.
    """
    if not confine.filterable():
        raise Missing(
            f"no filter of system calls is known for {platform.machine()}, only for {', '.join(confine.ARCHITECTURES)}"
        )
    if not confine.landlock_version():
        raise Missing("this kernel has no Landlock, or has it switched off (Linux 5.13 or newer has it)")


def less() -> str:
    """What it promises less than bubblewrap, here."""
    text = (
        "a hand-in sees that files exist, their names and sizes, though it opens none; it may start no processes "
        "and rename no files; "
        "its files and threads are counted twenty times a second, not bounded by the kernel"
    )
    if missing := [what for since, what in _SINCE.items() if since > confine.landlock_version()]:
        text += f"; this Landlock has no say in {', '.join(missing)}, which the filter of system calls alone refuses"
    return text


def start(
    packages: tuple[str, ...], control: int, errors: IO[bytes], locked: bool = True
) -> subprocess.Popen:
    """Start a zygote.

    Args:
        packages: what the hand-in may import, with what they need.
        control: the file descriptor of its control socket, which it finds under the same number.
        errors: where it writes what goes wrong.
        locked: False leaves all files open to it.

    Returns:
        The process; it ends, and removes its folder, when the control socket is closed.

    Raises:
        Missing: it cannot be locked up here.
    """
    if locked:
        _require()
    folder = Path(mkdtemp(prefix="grader-"))
    try:
        linked = {"student": list(files.ours()), "packages": files.packages(packages)}
        for where, what in linked.items():
            for source, place in what:
                (folder / where / place).parent.mkdir(parents=True, exist_ok=True)
                (folder / where / place).symlink_to(source.absolute())
        return subprocess.Popen(
            [
                str(files.python()),
                "-I",
                "-S",
                "-B",
                "-X",
                "utf8",
                "-c",
                _zygote(folder, linked, control, packages, locked),
            ],
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            pass_fds=[control],
            env=_environment(folder),
            cwd=folder,
            start_new_session=True,
        )
    except BaseException:
        shutil.rmtree(folder)
        raise


def _zygote(
    folder: Path,
    linked: dict[str, list[tuple[Path, str]]],
    control: int,
    packages: tuple[str, ...],
    locked: bool,
) -> str:
    searched = [source for source, _ in (*files.interpreter(), *files.c_library())]
    readable = [part for source in searched for part in files.without_other_packages(source)]
    readable += [source.resolve() for what in linked.values() for source, _ in what]
    searched += [folder / where for where in linked]
    files_open = [*map(str, readable), *_DEVICES], [str(path) for path in searched if path.is_dir()]
    return f"""
import sys
sys.path[:0] = {[str(folder / where) for where in linked]}
from grader.sandbox.zygote import Alone, main
main({control}, Alone({str(folder)!r}, {files_open if locked else None}), {packages})
"""


def _environment(folder: Path) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ}
    return {
        **files.ENVIRONMENT,
        **kept,
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "MPLCONFIGDIR": str(folder),
    }
