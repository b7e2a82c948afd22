"""How long a student waits for a check, beside a plain `import tensorflow`, which it does without.

    python -m benchmarks.check [--exercise activations/softmax] [--rounds 5] [--json FILE]

In a shell, `grader check` on a file with the right answers; in a notebook, `from grader import check` and `check(...)` in a
real Jupyter kernel, which has the answers: the first time (cold) and once more (warm). In each round every process is new
and the files that it reads are as the system keeps them: what a benchmark cannot do is to make it forget them, so
the first round is given by itself and the others by their median. The start of the kernel is not counted, nor is that of
anything but Python beside `import tensorflow`.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from jupyter_client.manager import start_new_kernel

from benchmarks.classes import GRADER, seconds_of
from benchmarks.report import arguments, report
from grader.notebooks import solution_answers

PREFIX = "import numpy as np\n"


def in_a_shell(folder: Path, target: str, answers: str) -> dict[str, float]:
    """A command of its own on a file."""
    path = folder / "answers.py"
    path.write_text(answers)
    return {"shell": seconds_of([*GRADER, "check", target, "--file", str(path)], folder)}


def in_a_notebook(target: str, answers: str) -> dict[str, float]:
    """The import and the first check together, then the second check, as a notebook's user waits for them."""
    assignment, exercise = target.split("/")
    call = f"check({exercise!r}, {assignment!r})"
    manager, client = start_new_kernel(kernel_name="python3", stderr=subprocess.DEVNULL)
    try:
        _seconds(client, answers)
        return {
            "notebook, cold": _seconds(client, f"from grader import check\n{call}"),
            "notebook, warm": _seconds(client, call),
        }
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _seconds(client: Any, cell: str) -> float:
    """How long a cell takes, from its sending to its end."""
    started = time.perf_counter()
    reply = client.execute_interactive(cell, output_hook=_no_zero, timeout=120)
    if reply["content"]["status"] != "ok":
        raise RuntimeError(f"{cell}: {reply['content']['evalue']}")
    return time.perf_counter() - started


def _no_zero(message: dict[str, Any]) -> None:
    """Raise where a check gives no points."""
    if message["msg_type"] == "execute_result" and re.fullmatch(
        r"0(\.0)?", message["content"]["data"]["text/plain"]
    ):
        raise RuntimeError("the right answer got no points")


def main() -> None:
    """Measure, and print a line for each and its ratio."""
    parser = arguments(__doc__)
    parser.add_argument("--exercise", default="activations/softmax")
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    answers = PREFIX + "\n\n".join(solution_answers(asked.exercise.partition("/")[0]).values())
    rounds: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(asked.rounds):
            rounds.append(
                {
                    **in_a_shell(Path(folder), asked.exercise, answers),
                    **in_a_notebook(asked.exercise, answers),
                    "import tensorflow": seconds_of(
                        [sys.executable, "-c", "import tensorflow"], Path(folder)
                    ),
                }
            )
    first, rest = rounds[0], rounds[1:] or rounds
    usual = {what: median(each[what] for each in rest) for what in first}
    plain = usual.pop("import tensorflow")
    ratios = {what: plain / seconds for what, seconds in usual.items()}
    for what, seconds in usual.items():
        print(
            f"{asked.exercise} in a {what}: {seconds:.3f} s ({first[what]:.3f} s in the first round),"
            f" {ratios[what]:.1f} times faster than `import tensorflow`, {plain:.2f} s ({first['import tensorflow']:.2f} s)."
        )
    report(asked, {"rounds": rounds, "ratios": ratios})


if __name__ == "__main__":
    main()
