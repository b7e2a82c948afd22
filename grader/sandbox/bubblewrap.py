"""The bubblewrap command: what a zygote sees of this machine, and its start.

It sees the interpreter, its standard library, the packages that the hand-in may import, the C library and our few files
of the student's side, each at a neutral path and read-only; nothing of the repository, home folders or environment.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import IO

INSTALL = (
    "install it with `sudo apt install bubblewrap` (Debian, Ubuntu) or `sudo dnf install bubblewrap` (Fedora)"
)
ALWAYS = ("ipython", "matplotlib", "matplotlib-inline")
UNPRIVILEGED, NOBODY = 1000, 65534
_LIBRARIES = [Path(name) for name in ("/lib", "/lib64", "/usr/lib", "/usr/lib64")]

ENVIRONMENT = {
    "HOME": "/tmp/home",
    "IPYTHONDIR": "/tmp/home/.ipython",
    "LANG": "C.UTF-8",
    "LD_LIBRARY_PATH": "/python/lib",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "MPLCONFIGDIR": "/tmp/matplotlib",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "random",
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


def start(packages: Iterable[str], control: int, errors: IO[bytes]) -> subprocess.Popen:
    """Start a zygote.

    Args:
        packages: distributions that the hand-in may import, with what they need.
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
    command = [program, *_namespaces(), *_files(tuple(packages)), "--chdir", "/tmp", "--", *_zygote(control)]
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


def _zygote(control: int) -> list[str]:
    start = f"""
import sys
sys.path[:0] = ["/student", "/packages"]
from grader.sandbox.zygote import main
main({control})
"""
    return [f"/python/bin/{_version()}", "-I", "-S", "-B", "-X", "utf8", "-c", start]


def _version() -> str:
    return f"python{sys.version_info.major}.{sys.version_info.minor}"


def _files(packages: tuple[str, ...]) -> list[str]:
    """The arguments that build the file system."""
    binds = [*_interpreter(), *_ours(), *_packages(packages), *_c_library()]
    links = [(folder, Path(os.readlink(folder))) for folder in _LIBRARIES if folder.is_symlink()]
    arguments: list[str] = []
    for folder in sorted({parent for _, target in binds for parent in Path(target).parents[:-1]}):
        arguments += [
            "--perms",
            "0755",
            "--dir",
            str(folder),
        ]  # what bubblewrap makes unasked nobody else may enter
    for source, target in binds:
        arguments += ["--ro-bind", str(source), target]
        for covered in _other_packages(source):
            hidden = f"{target}/{covered.relative_to(source)}"
            arguments += ["--tmpfs", hidden, "--remount-ro", hidden]
    for link, goal in links:
        arguments += ["--symlink", str(goal), str(link)]
    arguments += ["--bind", "/proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--tmpfs", "/tmp"]
    for name, value in ENVIRONMENT.items():
        arguments += ["--setenv", name, value]
    return [*arguments, "--remount-ro", "/"]


def _other_packages(folder: Path) -> list[Path]:
    """Folders of packages in a bound folder of libraries, which a hand-in could otherwise put on its path."""
    if folder not in {*_stdlib(), *_prefix_libraries()} and not (folder / "libc.so.6").exists():
        return []
    found = {path for name in ("*-packages", "*/*-packages", "python*") for path in folder.glob(name)}
    return [path for path in sorted(found - {*_stdlib()}) if path.is_dir() and not path.is_symlink()]


def _stdlib() -> list[Path]:
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix, "installed_base": sys.base_prefix}
    base["installed_platbase"] = sys.base_exec_prefix
    return [Path(sysconfig.get_path(name, "posix_prefix", base)) for name in ("platstdlib", "stdlib")]


def _prefix_libraries() -> list[Path]:
    """The library folders of an interpreter that is not the system's: conda's holds what it is linked with."""
    if sys.base_exec_prefix == "/usr":
        return []
    return [Path(sys.base_exec_prefix, name) for name in sorted({"lib", sys.platlibdir})]


def _interpreter() -> Iterator[tuple[Path, str]]:
    executable = getattr(sys, "_base_executable", sys.executable)
    yield Path(os.path.realpath(executable)), f"/python/bin/{_version()}"
    if not _prefix_libraries():
        yield _stdlib()[0], f"/python/{sys.platlibdir}/{_version()}"
    for folder in _prefix_libraries():
        yield folder, f"/python/{folder.name}"


def _ours() -> Iterator[tuple[Path, str]]:
    here = Path(__file__).parent
    yield here / "stub.py", "/student/grader/__init__.py"
    yield here.parent / "wire.py", "/student/grader/wire.py"
    for name in ("shell.py", "zygote.py"):
        yield here / name, f"/student/grader/sandbox/{name}"
    for module in sorted((here.parent.parent / "course").glob("*.py")):
        yield module, f"/student/course/{module.name}"


def _c_library() -> Iterator[tuple[Path, str]]:
    """Where the C library and its loader lie, under their own names."""
    for folder in _LIBRARIES:
        if folder.is_symlink():
            continue
        for library in [folder, *sorted(folder.glob("*-linux-*"))]:
            if (library / "libc.so.6").exists() and not library.is_symlink():
                yield library, str(library)
        if not (folder / "libc.so.6").exists():
            for loader in sorted(folder.glob("ld-*.so*")):
                yield loader, str(loader)


@cache
def _packages(names: tuple[str, ...]) -> list[tuple[Path, str]]:
    """What lies in site-packages of these distributions and of all that they need."""
    found: dict[str, Path] = {}
    for distribution in _closure((*names, *ALWAYS)):
        root = Path(str(distribution.locate_file("")))
        files = distribution.files
        if files is None:
            raise RuntimeError(
                f"the package {distribution.metadata['Name']} does not list its files: reinstall it"
            )
        for top in {file.parts[0] for file in files} - {"..", "__pycache__", "/"}:
            if not top.endswith(".pth") and (root / top).exists():
                found[top] = root / top
    return [(source, f"/packages/{top}") for top, source in sorted(found.items())]


def _closure(names: Iterable[str]) -> list[metadata.Distribution]:
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    found: dict[str, metadata.Distribution] = {}
    waiting = list(names)
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name in found:
            continue
        found[name] = metadata.distribution(name)
        for line in found[name].requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                waiting.append(requirement.name)
    return list(found.values())
