"""The lock, environment.yml and pyproject.toml say the same."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
LINE = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+)(?: ; (.*?))? \\$", re.MULTILINE)


def locked(python: str) -> dict[str, str]:
    """Package -> version in the lock, for one Python on Linux."""
    where = {
        "python_version": python,
        "python_full_version": f"{python}.1",
        "sys_platform": "linux",
        "platform_system": "Linux",
        "platform_machine": "x86_64",
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "os_name": "posix",
    }
    return {
        canonicalize_name(n): v
        for n, v, marker in LINE.findall(LOCK)
        if not marker or Marker(marker).evaluate(where)
    }


def wanted() -> list[Requirement]:
    """What pyproject.toml asks for, the GPU variant aside."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [
        line for name, lines in project["optional-dependencies"].items() if name != "gpu" for line in lines
    ]
    asked = [Requirement(line) for line in project["dependencies"] + extras]
    return [each for each in asked if each.name != project["name"]]


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_the_lock_has_what_pyproject_asks_for(python):
    versions = locked(python)
    for requirement in wanted():
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)])


def test_the_lock_has_hashes_and_no_addresses():
    assert "://" not in LOCK
    assert not re.search(r"^\s*--?(i|f|index|extra|find)", LOCK, re.MULTILINE)
    packages = re.split(r"^(?=[A-Za-z0-9])", LOCK, flags=re.MULTILINE)[1:]
    assert len(packages) > 100
    assert all("--hash=sha256:" in package for package in packages)


def test_the_conda_environment_agrees_with_the_lock():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python = next(
        line for line in environment["dependencies"] if str(line).startswith("python=")
    ).removeprefix("python=")
    pinned = {
        canonicalize_name(r.name): str(r.specifier)
        for r in map(Requirement, environment["dependencies"][-1]["pip"])
    }
    versions = locked(python)
    assert set(pinned) == {canonicalize_name(requirement.name) for requirement in wanted()}
    assert {name: f"=={versions[name]}" for name in pinned} == pinned
