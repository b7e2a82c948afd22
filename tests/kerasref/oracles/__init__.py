"""What torch says, live or recorded. One module an assignment: `CALLS`, the torch expression of each function, and
`cases(rng)`, which gives (function, arguments) to try it on.

`python -m tests.kerasref.oracles` writes tests/kerasref/recorded/ anew; it needs torch.
"""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from kerasref.backend import BACKEND

ASSIGNMENTS = ("activations", "losses")
RECORDED = Path(__file__).parent.parent / "recorded"

# Keras computes in float32 under JAX and PyTorch.
TOLERANCE = 1e-12 if BACKEND == "tensorflow" else 1e-5


def assert_agrees(actual: Any, expected: Any, label: object = "") -> None:
    """Equal shapes, and values within 1e-12 relative or absolute."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, label
    error = np.abs(actual - expected) / np.maximum(1, np.abs(expected))
    assert (error <= TOLERANCE).all(), f"{label}: {error.max()}"


def cases(assignment: str, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Calls of the assignment's functions: (function, arguments)."""
    oracle = importlib.import_module(f"tests.kerasref.oracles.{assignment}")
    yield from oracle.cases(np.random.default_rng(seed))


def torch_call(assignment: str, function: str) -> str:
    """The torch expression of a function."""
    return importlib.import_module(f"tests.kerasref.oracles.{assignment}").CALLS[function]


def torch_value(call: str, arguments: dict[str, Any]) -> np.ndarray:
    """A torch expression evaluated on `arguments`, arrays as float64 tensors."""
    import torch

    def grad(output: Any, x: Any) -> Any:
        return torch.autograd.grad(output.sum(), x)[0]

    names = {
        name: torch.tensor(value, requires_grad=True) if isinstance(value, np.ndarray) else value
        for name, value in arguments.items()
    }
    return eval(call, {"torch": torch, "F": torch.nn.functional, "grad": grad, **names}).detach().numpy()


def record(assignment: str) -> None:
    """Write the assignment's recorded values."""
    import torch

    entries = [
        {
            "function": function,
            "call": torch_call(assignment, function),
            "arguments": {name: _plain(value) for name, value in arguments.items()},
            "value": _plain(torch_value(torch_call(assignment, function), arguments)),
        }
        for function, arguments in cases(assignment, seed=0)
    ]
    made = {"made_by": "python -m tests.kerasref.oracles", "version": f"torch {torch.__version__}"}
    lines = ",\n".join(json.dumps(entry) for entry in entries)
    head = json.dumps(made)[:-1]
    (RECORDED / f"{assignment}.json").write_text(f'{head}, "entries": [\n{lines}\n]}}\n')


def recorded(assignment: str) -> list[tuple[str, dict[str, Any], np.ndarray]]:
    """The assignment's recorded values: (function, arguments, value)."""
    entries = json.loads((RECORDED / f"{assignment}.json").read_text())["entries"]
    return [
        (
            entry["function"],
            {name: _rebuilt(value) for name, value in entry["arguments"].items()},
            _rebuilt(entry["value"]),
        )
        for entry in entries
    ]


def _plain(value: Any) -> Any:
    return {"shape": value.shape, "data": value.ravel().tolist()} if isinstance(value, np.ndarray) else value


def _rebuilt(value: Any) -> Any:
    return np.array(value["data"], float).reshape(value["shape"]) if isinstance(value, dict) else value
