"""Results kept as files, each named by the hash of all that it depends on."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
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

    def key_of(self, assignment: str, release: bytes, seed: str, limits: Limits) -> Callable[[bytes], str]:
        """What names the results of hand-ins: it changes when the release, the checks, the seed or the limits do."""
        common = hashlib.sha256(grader_fingerprint().encode())
        for part in (assignment.encode(), release, seed.encode(), repr(limits).encode()):
            common.update(hashlib.sha256(part).digest())

        def key(handin: bytes) -> str:
            digest = common.copy()
            digest.update(hashlib.sha256(handin).digest())
            return digest.hexdigest()[:32]

        return key

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
