"""The whole suite again as a user who is not root: run as `nobody` from a copy of the tree."""

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from grader.classroom import Grader
from grader.course import Course
from tests.abuse import ASSIGNMENT

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
LEFT_OUT = shutil.ignore_patterns(
    "kernel-ipc-*", ".git", ".venv", "__pycache__", ".*_cache", "build", "results", "shared"
)


def closed(path: Path) -> Path | None:
    """The topmost folder above `path`, or itself, that only its owner may enter."""
    return next((each for each in [*reversed(path.parents), path] if not each.stat().st_mode & 0o001), None)


def opened(folders: set[Path], aside: Path) -> list[str]:
    """Shell lines that make folders readable which lie in one that is closed, in a mount namespace of our own."""
    hidden = sorted(folder for folder in folders if closed(folder))
    lines = []
    for number, folder in enumerate(hidden):
        lines += [f"mkdir {aside}/{number}", f"mount --rbind {shlex.quote(str(folder))} {aside}/{number}"]
    lines += [
        f"mount -t tmpfs -o mode=0755 none {shlex.quote(str(top))}"
        for top in sorted({closed(folder) for folder in hidden})
    ]
    for number, folder in enumerate(hidden):
        at = shlex.quote(str(folder))
        lines += [f"mkdir -p {at}", f"mount --rbind {aside}/{number} {at}"]
    return lines


@pytest.mark.slow
@pytest.mark.parametrize("cases", ["bubblewrap", "landlock"])
def test_the_suite_as_an_ordinary_user(cases, sandboxed):
    if os.getuid() != 0:
        pytest.skip("this is an ordinary user already: the suite itself is the test")
    if missing := [tool for tool in ("unshare", "setpriv", "mount") if shutil.which(tool) is None]:
        pytest.skip(f"{', '.join(missing)} is not installed")
    if (tried := subprocess.run(["unshare", "--mount", "true"], capture_output=True, text=True)).returncode:
        pytest.skip(f"no mount namespace can be made: {tried.stderr.strip()}")
    Grader(Course.find(ROOT)).book(ASSIGNMENT)
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        tree, aside = Path(folder, "tree"), Path(folder, "aside")
        shutil.copytree(ROOT, tree, ignore=LEFT_OUT, symlinks=True)
        for name in ("home", "tmp", "aside"):
            Path(folder, name).mkdir()
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", folder], check=True)
        os.chmod(folder, 0o755)
        pytest_run = [
            *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--inh-caps=-all"),
            *(
                sys.executable,
                "-m",
                "pytest",
                "tests/abuse",
                "-k",
                cases,
                "-p",
                "no:cacheprovider",
                "--tb=short",
            ),
        ]
        lines = ["set -e", *opened({Path(sys.base_prefix), Path(sys.prefix)}, aside), shlex.join(pytest_run)]
        own = {"HOME": f"{folder}/home", "TMPDIR": f"{folder}/tmp", "PYTHONPATH": str(tree)}
        ran = subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-c", "\n".join(lines)],
            cwd=tree,
            env={**os.environ, **own, "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
        )
        print(ran.stdout[-20_000:], ran.stderr[-5_000:])
    assert ran.returncode == 0
