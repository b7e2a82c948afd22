"""Shortcuts that an exercise does without, found in the syntax tree of an answer."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Mapping

from grader.exercise import exercises_of

Node = ast.AST


def shortcuts(assignment: str, sources: Iterable[str]) -> dict[str, str]:
    """The exercises whose answers use what is banned there, each with a sentence that names it.

    A banned function's own body is searched, and what it reaches by name in the notebook: helpers, aliases
    (`t = np.tanh`, `from numpy import tanh`), `getattr(np, "tanh")`. The other functions that the assignment asks for
    are not searched: they have bans of their own.

    Args:
        assignment: the assignment.
        sources: the student's cells. A cell that is not Python is passed over: it defines nothing.
    """
    exercises = exercises_of(assignment).values()
    names = _Names()
    for source in sources:
        try:
            names.visit(ast.parse(_plain(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    asked = {function for each in exercises for function in each.functions}
    return {
        each.name: f"`{function}` uses `{found}`, which this exercise asks you to do without"
        for each in exercises
        for function, banned in each.banned.items()
        if (found := names.reach(function, banned, asked))
    }


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

    def reach(self, function: str, banned: Iterable[str], asked: set[str]) -> str | None:
        """The first banned dotted name that `function` reaches, as it was banned."""
        wanted = [(name, *name.replace("np.", "numpy.", 1).rsplit(".", 1)) for name in banned]
        waiting, seen = [function], {function, *asked}
        while waiting:
            for definition in self.definitions.get(waiting.pop(), []):
                for node in ast.walk(definition):
                    for name, module, attribute in wanted:
                        root = module.partition(".")[0]
                        if self._is(node, root, attribute) or self._looks_up(
                            node, definition, root, attribute
                        ):
                            return name
                    if isinstance(node, ast.Name) and node.id not in seen:
                        seen.add(node.id)
                        waiting.append(node.id)
        return None

    def _is(self, node: Node, root: str, attribute: str) -> bool:
        """Whether a node is `root...attribute`, aliases followed."""
        dotted = self._dotted(node) or ""
        return dotted.startswith(f"{root}.") and dotted.endswith(f".{attribute}")

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

    def _looks_up(self, node: Node, definition: Node, root: str, attribute: str) -> bool:
        """Whether a node is the banned name as a string where names are looked up, or a look-up of no constant name."""
        if isinstance(node, ast.Constant) and node.value == attribute:
            return any(_by_string(each) for each in ast.walk(definition))
        match node:
            case ast.Call(func=ast.Name("getattr"), args=[module, name, *_]) if not isinstance(
                name, ast.Constant
            ):
                return self._dotted(module) == root
        return False


def _by_string(node: Node) -> bool:
    """Whether names are looked up by string here."""
    if isinstance(node, ast.Attribute):
        return node.attr in ("__dict__", "__getattribute__", "attrgetter", "methodcaller")
    return isinstance(node, ast.Name) and node.id in (
        "getattr",
        "vars",
        "eval",
        "exec",
        "attrgetter",
        "methodcaller",
    )


def _plain(source: str) -> str:
    """The source with IPython's magics and shell lines taken out."""
    return "\n".join(
        "" if line.lstrip().startswith(("%", "!", "?")) else line for line in source.splitlines()
    )
