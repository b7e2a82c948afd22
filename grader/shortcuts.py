"""Shortcuts that an exercise does without, found in the syntax tree of an answer."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping

from grader.exercise import Exercise

Node = ast.AST


def shortcut(exercise: Exercise, sources: Iterable[str]) -> str | None:
    """What an answer uses that its exercise bans, as a sentence, or None.

    The banned function's own body is searched, and everything that it reaches by name in the notebook: helpers,
    aliases (`t = np.tanh`, `from numpy import tanh`), `getattr(np, "tanh")`.

    Args:
        exercise: the exercise and its bans.
        sources: the student's cells. A cell that is not Python is passed over: it defines nothing.
    """
    if not exercise.banned:
        return None
    names = _Names()
    for source in sources:
        try:
            names.visit(ast.parse(_plain(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    for function, banned in exercise.banned.items():
        if found := names.reach(function, banned):
            return f"`{function}` uses `{found}`, which this exercise asks you to do without"
    return None


class _Names(ast.NodeVisitor):
    """What module-level names of a notebook stand for."""

    def __init__(self) -> None:
        self.definitions: dict[str, list[Node]] = defaultdict(list)
        self.imported: dict[str, str] = {}

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self.imported[alias.asname or alias.name.partition(".")[0]] = (
                alias.name if alias.asname else alias.name.partition(".")[0]
            )

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.definitions[node.name].append(node)
        self.generic_visit(node)  # imports inside count everywhere, which only widens the search

    visit_ClassDef = visit_FunctionDef  # type: ignore[assignment]
    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            for each in ast.walk(target):
                if isinstance(each, ast.Name):
                    self.definitions[each.id].append(node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.definitions[node.target.id].append(node.value)
        self.generic_visit(node)

    def reach(self, function: str, banned: Iterable[str]) -> str | None:
        """The first banned dotted name that `function` reaches, as it was banned."""
        wanted = [(name, *name.replace("np.", "numpy.", 1).rsplit(".", 1)) for name in banned]
        waiting, seen = [function], {function}
        while waiting:
            for definition in self.definitions.get(waiting.pop(), []):
                for node in ast.walk(definition):
                    dotted = self._dotted(node)
                    text = (
                        node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
                    )
                    for name, module, attribute in wanted:
                        root = module.partition(".")[0]
                        if (
                            dotted
                            and dotted.split(".")[0] == root
                            and dotted.rsplit(".", 1)[-1] == attribute
                            and "." in dotted
                        ):
                            return name
                        if text == attribute and self._looks_up(definition):
                            return name
                    if isinstance(node, ast.Name) and node.id not in seen:
                        seen.add(node.id)
                        waiting.append(node.id)
        return None

    def _dotted(self, node: Node) -> str | None:
        """`np.linalg.norm` as `numpy.linalg.norm`, aliases followed."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        known: Mapping[str, str] = {"np": "numpy", **self.imported}
        root = known.get(node.id)
        return ".".join([root, *reversed(parts)]) if root else None

    def _looks_up(self, definition: Node) -> bool:
        """Whether names are looked up by string in there."""
        return any(
            (
                isinstance(node, ast.Name)
                and node.id in ("getattr", "vars", "eval", "exec", "attrgetter", "methodcaller")
            )
            or (
                isinstance(node, ast.Attribute)
                and node.attr in ("__dict__", "__getattribute__", "attrgetter", "methodcaller")
            )
            for node in ast.walk(definition)
        )


def _plain(source: str) -> str:
    """The source with IPython's magics and shell lines taken out."""
    return "\n".join(
        "" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.splitlines()
    )
