"""Short functions of a check that run where the student's functions live."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SHORT = 12


@dataclass(frozen=True)
class Driver:
    """Calls a student's function with what cannot cross: callables, an iterator's values, a state of its own.

    Attributes:
        name: the driver's name.
        source: its source, which is all that crosses; it knows `np` and its arguments, and nothing around it.
        function: the same, here.
    """

    name: str
    source: str
    function: Callable[..., Any]

    @property
    def shown(self) -> str:
        """What a student reads of it: the source, or of more than twelve lines the first and what it says it does."""
        if len(self.source.splitlines()) <= SHORT:
            return self.source
        definition = ast.parse(self.source).body[-1]
        assert isinstance(definition, ast.FunctionDef)
        definition.body = [definition.body[0], ast.Expr(ast.Constant(...))]
        return ast.unparse(definition)


def driver(function: Callable[..., Any]) -> Driver:
    """Make a check's function a driver: it gets the student's function first, then plain data; it returns plain data.

    @driver
    def path(step, theta, gradients):
        state, thetas = {}, []
        for gradient in gradients:
            theta, state = step(theta, gradient, state)
            thetas.append(theta)
        return thetas

    assert_close(student.sgd_step.driven_by(path)(theta, gradients), reference.sgd_step.driven_by(path)(theta, gradients))
    """
    source = textwrap.dedent(inspect.getsource(function))
    return Driver(function.__name__, source[source.index("def ") :].rstrip(), function)
