"""What the source of an answer shows: shortcuts that its exercise bans, and the other answers that it stands on."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress

from grader.exercise import exercises_of

Node = ast.AST
UNPARSABLE = (SyntaxError, ValueError, RecursionError, MemoryError)
FILLING = ("append", "extend", "insert", "add", "update", "setdefault")

PYTHON_MAGIC = re.compile(r"^(\s*)%(?:time|timeit|prun|memit|mprun)\b(?:\s++-\w++(?:\s++\d++)?)*\s+")
ASSIGNED_MAGIC = re.compile(r"^([\w.,\s]++=\s*+)[%!].*$")
HELP = re.compile(r"[^#'\"]*\w\?{1,2}\s*")


class Sources:
    """A student's cells, read as syntax trees and never run.

    Args:
        assignment: the assignment that they answer.
        cells: their text. A cell that is not Python is passed over: it defines nothing.
    """

    def __init__(self, assignment: str, cells: Iterable[str]) -> None:
        self._exercises = exercises_of(assignment).values()
        self._asked = {function for each in self._exercises for function in each.functions}
        self._names = _Names()
        for cell in cells:
            with suppress(*UNPARSABLE):
                self._names.visit(_parsed(cell))

    def shortcuts(self) -> dict[str, str]:
        """The exercises whose answers use what is banned there, each with a sentence that names it.

        A banned function's own body is searched, and what it reaches by name in the notebook: helpers, aliases
        (`t = np.tanh`, `from numpy import tanh`), `getattr(np, "tanh")`. The other functions that the assignment asks
        for are not searched: they have bans of their own.
        """
        return {
            each.name: f"`{function}` uses `{found}`, which this exercise asks you to do without"
            for each in self._exercises
            for function, banned in each.banned.items()
            if (found := self._names.uses(function, banned, self._asked))
        }

    def stands_on(self, function: str) -> set[str]:
        """The other functions that the assignment asks for and that this one calls, by itself or through helpers."""
        found, seen, waiting = set[str](), {function}, [function]
        while waiting:
            for definition in self._names.definitions.get(waiting.pop(), []):
                if isinstance(definition, ast.FunctionDef):
                    used = _used_from_outside(definition)
                    found |= used & self._asked
                    waiting += sorted(used - self._asked - seen)
                    seen |= used
        return found - {function}


class _Names(ast.NodeVisitor):
    """What the names of a notebook stand for. Bindings inside functions count everywhere, which only widens the search."""

    def __init__(self) -> None:
        self.definitions: dict[str, list[Node]] = defaultdict(list)
        self.imported: dict[str, str] = {"np": "numpy"}
        self.starred: set[str] = set()

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            top = alias.name.partition(".")[0]
            self.imported[alias.asname or top] = alias.name if alias.asname else top

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            self.imported[alias.asname or alias.name] = f"{node.module}.{alias.name}"
            if alias.name == "*":
                self.starred.add(node.module or "")

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self.definitions[node.name].append(node)
        self.generic_visit(node)

    visit_ClassDef = visit_FunctionDef  # type: ignore[assignment]
    visit_AsyncFunctionDef = visit_FunctionDef  # type: ignore[assignment]

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            self._bind(target, node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        self._bind(node.target, node.value)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self._bind(node.target, node.value)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._bind(node.target, node.iter)
        self.generic_visit(node)

    def visit_withitem(self, node: ast.withitem) -> None:
        self._bind(node.optional_vars, node.context_expr)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        match node:
            case ast.Call(ast.Attribute(ast.Name() as holder, attr), args) if attr in FILLING:
                for given in args:  # `found.append(np.tanh)`
                    self._bind(holder, given)
            case ast.Call(ast.Name("exec" | "eval"), [ast.Constant(str(text)), *_]):
                with suppress(*UNPARSABLE):
                    self.visit(ast.parse(text))
        self.generic_visit(node)

    def _bind(self, target: Node | None, value: Node | None) -> None:
        if target is not None and value is not None:
            for each in ast.walk(target):
                if isinstance(each, ast.Name):
                    self.definitions[each.id].append(value)

    def reached(self, function: str, asked: set[str]) -> Iterator[Node]:
        """The definitions of a function and of all that it reaches by name, short of the functions in `asked`."""
        waiting, seen = [function], {function, *asked}
        given: set[int] = set()
        while waiting:
            for definition in self.definitions.get(waiting.pop(), []):
                if id(definition) in given:
                    continue
                given.add(id(definition))
                yield definition
                for node in ast.walk(definition):
                    if isinstance(node, ast.Name) and node.id not in seen:
                        seen.add(node.id)
                        waiting.append(node.id)

    def uses(self, function: str, banned: Iterable[str], asked: set[str]) -> str | None:
        """The first banned dotted name that `function` reaches, as it was banned."""
        wanted = [(name, *name.replace("np.", "numpy.", 1).rsplit(".", 1)) for name in banned]
        for definition in self.reached(function, asked):
            nodes = list(ast.walk(definition))
            by_string = any(map(_by_string, nodes))
            alias = not isinstance(definition, ast.FunctionDef)  # in a function the name is the student's own
            for name, module, attribute in wanted:
                if any(self._is(node, module, attribute, by_string) for node in nodes):
                    return name
                if alias and module in self.starred and any(_is_name(node, attribute) for node in nodes):
                    return name
        return None

    def _is(self, node: Node, module: str, attribute: str, by_string: bool) -> bool:
        """Whether a node is `module...attribute`, aliases followed, or looks it up by its name or by no constant one."""
        root = module.partition(".")[0]
        match node:
            case ast.Constant(str(text)):
                return by_string and text == attribute
            case ast.Call(ast.Name("getattr"), [place, name, *_]) if not isinstance(name, ast.Constant):
                return self._dotted(place).partition(".")[0] == root
        dotted = self._dotted(node)
        return dotted.startswith(f"{root}.") and dotted.endswith(f".{attribute}")

    def _dotted(self, node: Node) -> str:
        """`np.linalg.norm` as `numpy.linalg.norm`, aliases followed; nothing where a node is no such thing."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        match node:
            case ast.Name(name):
                root = self.imported.get(name)
            case ast.Subscript(
                ast.Attribute(attr="modules"), ast.Constant(str(name))
            ):  # sys.modules["numpy"]
                root = name
            case ast.Call(ast.Name("__import__" | "import_module"), [ast.Constant(str(name)), *_]):
                root = name
            case ast.Call(ast.Attribute(attr="import_module"), [ast.Constant(str(name)), *_]):
                root = name
            case _:
                root = None
        return ".".join([root, *reversed(parts)]) if root else ""


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


def _used_from_outside(definition: ast.FunctionDef) -> set[str]:
    """The names that a function uses and does not give a value itself."""
    nodes = list(ast.walk(definition))
    own = {node.arg for node in nodes if isinstance(node, ast.arg)}
    own |= {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    return {node.id for node in nodes if isinstance(node, ast.Name)} - own


def _is_name(node: Node, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _parsed(source: str) -> ast.Module:
    """The source as Python: magics that run Python as what they run, other magics and shell lines taken out."""
    try:
        return ast.parse(source)
    except UNPARSABLE:
        lines = [ASSIGNED_MAGIC.sub(r"\1None", PYTHON_MAGIC.sub(r"\1", line)) for line in source.splitlines()]
        plain = (
            "" if line.lstrip().startswith(("%", "!", "?")) or HELP.fullmatch(line) else line
            for line in lines
        )
        return ast.parse("\n".join(plain))
