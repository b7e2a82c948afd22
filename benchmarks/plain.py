"""The limit: a plain Python process with NumPy forks, and the fork runs what a student's process was asked for.

Reads a pickled list of (cells and calls, how often) from its standard input and prints the seconds of each fork as JSON.
"""

import json
import os
import pickle
import sys
import time
import warnings
from contextlib import suppress
from types import SimpleNamespace

from course import data, plots  # noqa: F401  imported before the fork, as in the sandbox


def seconds(asked):
    """How long a fork takes that runs the cells and makes the calls."""
    started = time.perf_counter()
    if (pid := os.fork()) == 0:
        try:
            namespace = {}
            for what in asked:
                with suppress(Exception):
                    if isinstance(what, str):
                        exec(what, namespace)
                    else:
                        name, args, kwargs = what
                        namespace[name](*args, **kwargs)
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    return time.perf_counter() - started


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    sys.modules["grader"] = SimpleNamespace(check=None, open_notebook=lambda *_, **__: None)
    asked, rounds = pickle.load(sys.stdin.buffer)
    print(json.dumps([seconds(asked) for _ in range(rounds)]))
