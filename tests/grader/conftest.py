"""A PostgreSQL server of the tests' own."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest


def _programs() -> Path:
    """Where initdb and pg_ctl are: on PATH, or where Debian keeps them."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    for place in places:
        if (place / "initdb").exists() and (place / "pg_ctl").exists():
            return place
    pytest.skip("no PostgreSQL here: its initdb and pg_ctl are neither on PATH nor in /usr/lib/postgresql")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Callable[..., str]]:
    """Makes databases, new or like another, on a server that is there for these tests alone; says their addresses."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path must be short
    who = {}
    if os.geteuid() == 0:  # as whom PostgreSQL does not run
        who = {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder, "nobody", "nogroup")

    def run(program: str, *words: str) -> None:
        with (folder.parent / f"{folder.name}.log").open("w+") as log:
            command = [programs / program, "-D", folder / "data", *words]
            ran = subprocess.run(command, cwd=folder, stdout=log, stderr=log, **who)
            log.seek(0)
            assert ran.returncode == 0, log.read()

    try:
        run("initdb", "--username=grader", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
        run("pg_ctl", "--wait", "--options", f"-c listen_addresses= -k {folder} -F", "start")
        try:
            yield _Databases(folder)
        finally:
            run("pg_ctl", "--mode=immediate", "stop")
    finally:
        shutil.rmtree(folder)
        (folder.parent / f"{folder.name}.log").unlink(missing_ok=True)


class _Databases:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.numbers = itertools.count(1)

    def __call__(self, like: str = "") -> str:
        import psycopg

        name = f"course{next(self.numbers)}"
        template = urlsplit(like).path.removeprefix("/") or "template1"
        with psycopg.connect(
            host=str(self.folder), user="grader", dbname="postgres", autocommit=True
        ) as server:
            server.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return f"postgresql://grader@/{name}?host={self.folder}"
