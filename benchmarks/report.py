"""How benchmarks are asked, and where they write what they measured: `--json FILE`."""

import argparse
import json
import os
import platform
import warnings
from pathlib import Path
from typing import Any


def arguments(purpose: str | None) -> argparse.ArgumentParser:
    """The arguments of every benchmark; what it is for is its module's docstring."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(
        description=purpose, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was measured there as JSON")
    return parser


def report(asked: argparse.Namespace, found: dict[str, Any]) -> None:
    """Write what was measured, with what was asked for and where, if a file was asked for."""
    if asked.json is None:
        return
    there = {
        "machine": platform.machine(),
        "python": platform.python_version(),
        "processors": len(os.sched_getaffinity(0)),
        "load": round(os.getloadavg()[0], 2),
    }
    options = {name: value for name, value in vars(asked).items() if name != "json"}
    asked.json.write_text(json.dumps({**options, **there, **found}, indent=2, default=str) + "\n")
