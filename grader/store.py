"""Results kept as files, each named by the hash of all that it depends on."""

from __future__ import annotations

import hashlib
import json
import os
from functools import cache
from pathlib import Path

from grader.result import Result
from grader.sandbox import Limits


@cache
def grader_fingerprint() -> str:
    """The hash of the code that grades: checks, misconceptions, references and the engine."""
    digest = hashlib.sha256()
    root = Path(__file__).parent.parent
    for package in ("grader", "kerasref"):
        for path in sorted((root / package).rglob("*.py")):
            digest.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


class Store:
    """A folder of results.

    Args:
        folder: where they are kept.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self, assignment: str, release: bytes, handin: bytes, seed: str, limits: Limits) -> str:
        """The name of a result: it changes when the release, the hand-in, the checks, the seed or the limits do."""
        digest = hashlib.sha256(grader_fingerprint().encode())
        for part in (assignment.encode(), release, handin, seed.encode(), repr(limits).encode()):
            digest.update(hashlib.sha256(part).digest())
        return digest.hexdigest()[:32]

    def get(self, key: str) -> Result | None:
        """The result kept under `key`, or None."""
        try:
            return Result.from_record(json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError, KeyError):
            return None

    def put(self, key: str, result: Result) -> None:
        """Keep a result: a reader finds all of it or nothing."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = self.folder / f".{key}.{os.getpid()}"
        aside.write_text(json.dumps(result.record()), encoding="utf-8")
        os.replace(aside, self.folder / f"{key}.json")
