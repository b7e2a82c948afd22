"""What torch says, live or recorded. One module an assignment: `SIGNATURES`, the contract's; `CALLS`, the torch
expression of each function that torch has too, one tensor or a tuple; and `cases(rng)`, which gives (function,
arguments) to try it on.

`python -m tests.kerasref.oracles` writes tests/kerasref/recorded/ anew; it needs torch.
"""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from kerasref.backend import BACKEND

ASSIGNMENTS = sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py"))
RECORDED = Path(__file__).parent.parent / "recorded"

# Keras computes in float32 under JAX and PyTorch.
TOLERANCE = 1e-12 if BACKEND == "tensorflow" else 1e-5


def assert_agrees(actual: Any, expected: Any, label: object = "") -> None:
    """Equal shapes, and values within 1e-12 relative or absolute; part by part for a tuple."""
    if isinstance(expected, tuple):
        assert isinstance(actual, tuple) and len(actual) == len(expected), label
        for one, other in zip(actual, expected, strict=True):
            assert_agrees(one, other, label)
        return
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, label
    error = np.abs(actual - expected) / np.maximum(1, np.abs(expected))
    assert (error <= TOLERANCE).all(), f"{label}: {error.max()}"


def oracle(assignment: str) -> ModuleType:
    """The assignment's module."""
    return importlib.import_module(f"tests.kerasref.oracles.{assignment}")


def cases(assignment: str, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Calls of the assignment's functions: (function, arguments)."""
    yield from oracle(assignment).cases(np.random.default_rng(seed))


def torch_call(assignment: str, function: str) -> str:
    """The torch expression of a function."""
    return oracle(assignment).CALLS[function]


def torch_value(call: str, arguments: dict[str, Any]) -> Any:
    """A torch expression evaluated on `arguments`, arrays as float64 tensors; `grad(output, x, ...)` is autograd."""
    import torch

    def grad(output: Any, *inputs: Any) -> Any:
        found = torch.autograd.grad(output.sum(), inputs)
        return found[0] if len(inputs) == 1 else found

    names = {
        name: torch.tensor(value, requires_grad=True) if isinstance(value, np.ndarray) else value
        for name, value in arguments.items()
    }
    value = eval(call, {"torch": torch, "F": torch.nn.functional, "grad": grad, **names})
    if isinstance(value, tuple):
        return tuple(part.detach().numpy() for part in value)
    return value.detach().numpy()


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


def recorded(assignment: str) -> list[tuple[str, dict[str, Any], Any]]:
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
    if isinstance(value, tuple):
        return {"parts": [_plain(part) for part in value]}
    return {"shape": value.shape, "data": value.ravel().tolist()} if isinstance(value, np.ndarray) else value


def _rebuilt(value: Any) -> Any:
    match value:
        case {"parts": parts}:
            return tuple(map(_rebuilt, parts))
        case {"shape": shape, "data": data}:
            return np.array(data, float).reshape(shape)
    return value
