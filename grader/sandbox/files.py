"""What a student's process may see of this machine: interpreter, libraries, packages, and our files of his side.

Nothing of the repository, home folders or environment is among it.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from pathlib import Path

DISTRIBUTIONS = {
    "cv2": "opencv-python-headless",
    "skimage": "scikit-image",
}  # where they are called otherwise
ALWAYS = ("ipython", "matplotlib", "matplotlib-inline")
LIBRARIES = [Path(name) for name in ("/lib", "/lib64", "/usr/lib", "/usr/lib64")]
VERSION = f"python{sys.version_info.major}.{sys.version_info.minor}"
ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "random",
    "MALLOC_ARENA_MAX": "2",  # each thread's own would reserve 64 MiB
    "EAGER_IMPORT": "1",  # scikit-image imports its parts before the fork
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",  # see kerasref.quiet
    "TF_NUM_INTEROP_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
}


def python() -> Path:
    """The interpreter, whatever environment it was started from."""
    return Path(os.path.realpath(getattr(sys, "_base_executable", sys.executable)))


def other_packages(folder: Path) -> list[Path]:
    """Folders of packages in a folder of libraries, which a hand-in could otherwise put on its path."""
    if folder not in {*_stdlib(), *_prefix_libraries()} and not (folder / "libc.so.6").exists():
        return []
    found = {path for name in ("*-packages", "*/*-packages", "python*") for path in folder.glob(name)}
    return [path for path in sorted(found - {*_stdlib()}) if path.is_dir() and not path.is_symlink()]


def without_other_packages(folder: Path) -> Iterator[Path]:
    """The files and folders that together hold all that is in `folder`, but those."""
    yield from _parts(folder, other_packages(folder))


def _parts(path: Path, covered: list[Path]) -> Iterator[Path]:
    if not any(other.is_relative_to(path) for other in covered):
        yield path
    elif path not in covered:
        for entry in sorted(path.iterdir()):
            yield from _parts(entry, covered)


def _stdlib() -> list[Path]:
    base = {"base": sys.base_prefix, "platbase": sys.base_exec_prefix, "installed_base": sys.base_prefix}
    base["installed_platbase"] = sys.base_exec_prefix
    return [Path(sysconfig.get_path(name, "posix_prefix", base)) for name in ("platstdlib", "stdlib")]


def _prefix_libraries() -> list[Path]:
    """The library folders of an interpreter that is not the system's: conda's holds what it is linked with."""
    if sys.base_exec_prefix == "/usr":
        return []
    return [Path(sys.base_exec_prefix, name) for name in sorted({"lib", sys.platlibdir})]


def interpreter() -> Iterator[tuple[Path, str]]:
    """Program and libraries of the interpreter, each with its place under a neutral prefix."""
    yield python(), f"bin/{VERSION}"
    if not _prefix_libraries():
        yield _stdlib()[0], f"{sys.platlibdir}/{VERSION}"
    for folder in _prefix_libraries():
        yield folder, folder.name


def ours() -> Iterator[tuple[Path, str]]:
    """Our modules of the student's side, each with its place in a folder of their own."""
    here = Path(__file__).parent
    yield here / "stub.py", "grader/__init__.py"
    yield here.parent / "wire.py", "grader/wire.py"
    for name in ("absent.py", "confine.py", "limits.py", "shell.py", "zygote.py"):
        yield here / name, f"grader/sandbox/{name}"
    for module in sorted((here.parent.parent / "course").glob("*.py")):
        yield module, f"course/{module.name}"


def c_library() -> Iterator[tuple[Path, str]]:
    """Where the C library and its loader lie, which keep their names."""
    for folder in LIBRARIES:
        if folder.is_symlink():
            continue
        for library in [folder, *sorted(folder.glob("*-linux-*"))]:
            if (library / "libc.so.6").exists() and not library.is_symlink():
                yield library, str(library)
        if not (folder / "libc.so.6").exists():
            for loader in sorted(folder.glob("ld-*.so*")):
                yield loader, str(loader)


@cache
def packages(names: tuple[str, ...]) -> list[tuple[Path, str]]:
    """What lies in site-packages of these packages and of all that they need, each with its name there."""
    found: dict[str, Path] = {}
    for distribution in _closure([*(DISTRIBUTIONS.get(name, name) for name in names), *ALWAYS]):
        root = Path(str(distribution.locate_file("")))
        files = distribution.files
        if files is None:
            raise RuntimeError(
                f"the package {distribution.metadata['Name']} does not list its files: reinstall it"
            )
        for top in {file.parts[0] for file in files} - {"..", "__pycache__", "/"}:
            if not top.endswith(".pth") and (root / top).exists():
                found[top] = root / top
    return [(source, top) for top, source in sorted(found.items())]


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
