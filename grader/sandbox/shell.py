"""The student's side: his functions called, his cells run, what came of them gathered. Imports nothing of ours but wire.

`call_function` serves the live notebook as well, so that a check behaves there as it does in grading.
"""

from __future__ import annotations

import builtins
import io
import linecache
import struct
import sys
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from types import TracebackType
from typing import Any

import numpy as np

from grader.wire import Rng, WireError, decode, encode

HEADER = struct.Struct("<Q")  # before each message: its length
END = struct.Struct("<id")  # how a process ended: exit code or minus the signal, processor time

_TEXT = 2000  # characters kept of a message
_WARNINGS = 20
_RECURSION = 1000
_OVERHEAD = 100  # what an output counts besides its text
_CUT = "\n[the output is cut here: it is longer than {:,} characters]\n"


@dataclass(frozen=True)
class Raised:
    """Why a call gave no value.

    Attributes:
        kind: the name of the exception's class, or of the built-in one that it is a kind of; or `MissingFunction`,
            `WireError` for a value that may not cross, or `Unusable` for one that a driver failed on.
        message: its text.
        line: the last line of the student's own code that it came through, or "".
    """

    kind: str
    message: str
    line: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a call came to.

    Attributes:
        value: what the function returned, rebuilt from plain data; None when it raised.
        error: what was raised, or None.
        warnings: the runtime warnings, such as "overflow encountered in exp".
        arguments: the positional arguments as they were after the call; a sentence stands for one that is no
            longer plain data.
    """

    value: Any = None
    error: Raised | None = None
    warnings: list[str] = field(default_factory=list)
    arguments: list = field(default_factory=list)


@dataclass(frozen=True)
class Ran:
    """What came of a cell: its outputs as notebooks hold them, and the error in one line, or None."""

    outputs: list[dict]
    error: str | None = None


def call_function(
    namespace: Mapping[str, Any], name: str, args: Sequence, kwargs: Mapping[str, Any], driver: str = ""
) -> Outcome:
    """Call a student's function on copies of the arguments.

    Args:
        namespace: where his names are.
        name: the function's.
        args: plain data, as `grader.wire` has it; an `Rng` reaches the function as a NumPy generator.
        kwargs: the same.
        driver: source of a function that is called in its place, with the student's function before the arguments: it
            makes what cannot cross (callables, iterators) and calls the student's function with it.

    Returns:
        The outcome; whatever the function did wrong is in its `error`.

    Raises:
        WireError: the arguments themselves are not plain data.
    """
    sent = encode([list(args), dict(kwargs)])
    function = namespace.get(name)
    if function is None:
        return Outcome(
            error=Raised("MissingFunction", f"there is no function `{name}`"), arguments=decode(sent)[0]
        )
    if not callable(function):
        kind = type(function).__name__
        return Outcome(
            error=Raised("MissingFunction", f"`{name}` is not a function but a value of the type `{kind}`"),
            arguments=decode(sent)[0],
        )
    generators: dict[int, tuple[np.random.Generator, Rng]] = {}
    given, named = _hand_over(decode(sent), generators)
    value, error = None, None
    own: list[BaseException] = []
    drive = _compiled(driver) if driver else None
    with _calm() as caught:
        try:
            with _single_precision():
                value = (
                    drive(_watched(function, own), *given, **named) if drive else function(*given, **named)
                )
        except KeyboardInterrupt:
            raise
        except BaseException as raised:
            error = _raised(raised, namespace)
            if drive and not any(raised is each for each in own):
                error = Raised("Unusable", f"{error.kind}: {error.message}", error.line)
    with _calm():
        if error is None:
            try:
                value = decode(encode(value))
            except Exception as raised:
                value, error = None, Raised("WireError", _sentence(name, raised))
        arguments = [_take_back(argument, generators) for argument in given]
    return Outcome(value, error, caught, arguments)


@cache
def _compiled(driver: str) -> Callable[..., Any]:
    """The function that a driver's source defines."""
    space: dict[str, Any] = {"np": np}
    exec(compile(driver, "<check>", "exec"), space)
    return next(reversed(space.values()))


def _watched(function: Callable[..., Any], raised: list[BaseException]) -> Callable[..., Any]:
    """The function, noting what it raises."""

    def called(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except BaseException as error:
            raised.append(error)
            raise

    return called


@contextmanager
def _calm() -> Iterator[list[str]]:
    """Settings as Python has them, whatever the student changed; gathers the runtime warnings."""
    seen: list[str] = []

    def note(message: Any, category: type, *_: Any, **__: Any) -> None:
        if issubclass(category, RuntimeWarning) and len(seen) < _WARNINGS:
            text = _text(message)
            if text not in seen:
                seen.append(text)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, _RECURSION))
    try:
        with np.errstate(all="warn", under="ignore"), warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = note
            yield seen
    finally:
        sys.setrecursionlimit(limit)


@contextmanager
def _single_precision() -> Iterator[None]:
    """Keras as it comes, whatever a student or, in a live notebook, an import of the references made of it."""
    try:
        config = sys.modules["keras"].config
        floatx, policy = config.floatx(), config.dtype_policy()
    except Exception:  # it is not there, or something else stands in its place
        yield
        return
    config.set_floatx("float32")
    config.set_dtype_policy("float32")
    try:
        yield
    finally:
        config.set_floatx(floatx)
        config.set_dtype_policy(policy)


def _hand_over(value: Any, generators: dict) -> Any:
    """The same value with a generator in the place of each Rng."""
    if type(value) is Rng:
        generator = value.generator()
        generators[id(generator)] = (generator, value)
        return generator
    if type(value) in (list, tuple):
        return type(value)(_hand_over(item, generators) for item in value)
    if type(value) is dict:
        return {key: _hand_over(item, generators) for key, item in value.items()}
    return value


def _take_back(value: Any, generators: dict) -> Any:
    """What an argument is after the call, as plain data."""

    def back(value: Any, depth: int = 0) -> Any:
        if id(value) in generators:
            return generators[id(value)][1]
        if depth < 10 and type(value) in (list, tuple):
            return type(value)(back(item, depth + 1) for item in value)
        if depth < 10 and type(value) is dict:
            return {key: back(item, depth + 1) for key, item in value.items()}
        return value

    try:
        return decode(encode(back(value)))
    except Exception as raised:
        return f"no longer plain data: {_text(raised)}"


def _sentence(name: str, raised: Exception) -> str:
    if isinstance(raised, WireError):
        return f"`{name}` returned something that cannot be checked: {raised}"
    return f"`{name}` returned something that cannot be read: {type(raised).__name__}"


def _raised(error: BaseException, namespace: Mapping[str, Any]) -> Raised:
    lines = [
        linecache.getline(code.co_filename, line, namespace if type(namespace) is dict else None)
        for code, line in _own_places(error.__traceback__, namespace)
    ]
    known = next(kind for kind in type(error).__mro__ if kind.__module__ == "builtins")
    return Raised(_text(known.__name__), _text(error), _text(lines[-1].strip()) if lines else "")


def _own_places(trace: TracebackType | None, namespace: Mapping[str, Any]) -> list[tuple[Any, int]]:
    """The code and line of every frame of the student's own."""
    places = []
    while trace is not None:
        if trace.tb_frame.f_globals is namespace:
            places.append((trace.tb_frame.f_code, trace.tb_lineno))
        trace = trace.tb_next
    return places


def _headline(error: BaseException) -> str:
    kind, text = _text(type(error).__name__), _text(error)
    return f"{kind}: {text}" if text else kind


def _text(value: Any) -> str:
    """`str(value)`, whatever the student's class makes of it, as a short plain string."""
    try:
        text = str.__str__(str(value))
    except BaseException as raised:
        text = f"<{type(value).__name__} without a text: {type(raised).__name__}>"
    return text if len(text) <= _TEXT else text[:_TEXT] + " ..."


class _Record:
    """The outputs of the cell that runs, up to a number of characters for all cells together."""

    def __init__(self, limit: int) -> None:
        self.outputs: list[dict] = []
        self.allow(limit)

    def allow(self, limit: int) -> None:
        self.limit = self.left = limit
        self.full = False

    def start(self) -> None:
        self.outputs = []

    def text(self, name: str, text: str) -> None:
        """Printed text; what follows directly on the same stream is the same output."""
        if self.full:
            return
        if len(text) > self.left:
            text = text[: self.left] + _CUT.format(self.limit)
            self.full = True
        last = self.outputs[-1] if self.outputs else {}
        if last.get("name") == name:
            last["text"].append(text)
        else:
            self.outputs.append({"output_type": "stream", "name": name, "text": [text]})
            self.left -= _OVERHEAD
        self.left = max(self.left - len(text), 0)

    def add(self, output: dict, size: int) -> None:
        if self.full:
            return
        if size > self.left:
            self.left = 0
            self.text("stderr", "...")
            return
        self.left = max(self.left - size - _OVERHEAD, 0)
        self.outputs.append(output)

    def rich(self, kind: str, data: Mapping[str, Any], metadata: Any, **more: Any) -> None:
        """A display: pictures as base64 text, everything else as JSON has it."""
        import json

        plain = {
            str(key): b64encode(item).decode() if isinstance(item, bytes) else item
            for key, item in data.items()
        }
        text = json.dumps([plain, metadata or {}], default=_text)
        plain, metadata = json.loads(text)
        self.add({"output_type": kind, "data": plain, "metadata": metadata, **more}, len(text))

    def error(self, kind: str, message: str, trace: list[str]) -> None:
        size = len(kind) + len(message) + sum(map(len, trace))
        self.add({"output_type": "error", "ename": kind, "evalue": message, "traceback": trace}, size)

    def taken(self) -> list[dict]:
        outputs, self.outputs = self.outputs, []
        for output in outputs:
            if output["output_type"] == "stream":
                output["text"] = "".join(output["text"])
        return outputs


class _Stream(io.TextIOBase):
    """Standard output or error of a cell; closing it has no effect."""

    encoding = "utf-8"

    def __init__(self, record: _Record, name: str) -> None:
        self._record, self._name = record, name

    @property
    def name(self) -> str:
        return f"<{self._name}>"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self._record.text(self._name, str.__str__(text))
        return len(text)

    def close(self) -> None:
        pass

    def __del__(self) -> None:
        pass


def _no_input(*_: Any, **__: Any) -> Any:
    raise RuntimeError(
        "input() cannot be answered here: nobody sits at the keyboard while a notebook is graded"
    )


class Shell:
    """An IPython shell without a terminal, history or configuration, in which a student's cells run.

    Args:
        output_chars: how much the cells may print and display in all.
    """

    def __init__(self, output_chars: int = 4_000_000) -> None:
        self.record = _Record(output_chars)
        self.streams = _Stream(self.record, "stdout"), _Stream(self.record, "stderr")
        self.shell = _make_shell(self.record)
        self.given = set(self.shell.user_ns)

    def warm_up(self) -> None:
        """Do once what makes IPython import the rest of itself and what notebooks import; forget it."""
        import pkgutil

        import course

        modules = (f"import course.{module.name}" for module in pkgutil.iter_modules(course.__path__))
        self._rehearse("1", "raise ValueError", "%time 1", *modules)

    def warm_up_drawing(self) -> None:
        """The same for matplotlib, which takes a second, and of most notebooks only what is not run here needs."""
        self._rehearse("import matplotlib.pyplot as plt\nplt.plot([1, 2])")

    def _rehearse(self, *sources: str) -> None:
        for source in sources:
            self.run(source)
        self.shell.reset(new_session=True)
        self.record.allow(self.record.limit)
        self.given = set(self.shell.user_ns)

    def run(self, source: str) -> Ran:
        """Run a cell.

        Args:
            source: as it stands in the notebook.

        Returns:
            Its outputs, and the error that ended it, if one did.
        """
        self.record.start()
        error = None
        self._settle()
        try:
            result = self.shell.run_cell(source, store_history=True)
            raised = result.error_before_exec or result.error_in_exec
            if raised is not None:
                error = self._line(raised)
        except BaseException as raised:
            error = _headline(raised)
        return Ran(self.record.taken(), error)

    def functions(self) -> list[str]:
        """The names of the student's functions, sorted."""
        names = [
            name
            for name, value in list(self.shell.user_ns.items())
            if type(name) is str and name not in self.given and not name.startswith("_") and callable(value)
        ]
        return sorted(names)

    def call(self, name: str, args: Sequence, kwargs: Mapping[str, Any], driver: str = "") -> Outcome:
        """Call a function of his; see `call_function`. What it prints is dropped."""
        self._settle()
        try:
            return call_function(self.shell.user_ns, name, args, kwargs, driver)
        except KeyboardInterrupt as raised:
            return Outcome(error=_raised(raised, self.shell.user_ns), arguments=list(args))
        finally:
            self.record.start()

    def _settle(self) -> None:
        """Streams and input as they should be, whatever an earlier cell did to them."""
        sys.stdout, sys.stderr = self.streams
        builtins.input = _no_input
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))

    def _line(self, error: BaseException) -> str:
        if isinstance(error, SyntaxError):
            public = next(kind for kind in type(error).__mro__ if not kind.__name__.startswith("_"))
            return f"{_text(public.__name__)}: {_text(error.msg)}, line {error.lineno}"
        text = _headline(error)
        places = _own_places(error.__traceback__, self.shell.user_ns)
        lines = [line for code, line in places if code.co_filename == places[0][0].co_filename]
        return f"{text}, line {lines[-1]}" if lines else text


def _make_shell(record: _Record) -> Any:
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config

    class Publisher(DisplayPublisher):
        def publish(self, data: Any, metadata: Any = None, **_: Any) -> None:  # type: ignore[override]
            record.rich("display_data", data, metadata)

        def clear_output(self, wait: bool = False) -> None:
            record.start()

    class Hook(DisplayHook):
        def write_output_prompt(self) -> None:
            pass

        def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
            record.rich("execute_result", format_dict, md_dict, execution_count=self.prompt_count)

        def finish_displayhook(self) -> None:
            pass

    class Quiet(InteractiveShell):
        def init_history(self) -> None:
            from IPython.core.history import HistoryManager

            self.history_manager = HistoryManager(shell=self, parent=self, enabled=False)

        def enable_gui(self, gui: Any = None) -> None:
            pass

        def init_virtualenv(self) -> None:
            pass

        def ask_exit(self) -> None:
            raise SystemExit

        def system(self, cmd: str) -> None:
            self.user_ns["_exit_code"] = 127
            print(f"`{cmd}`: commands do not run while a notebook is graded", file=sys.stderr)

        def getoutput(self, cmd: str, split: bool = True, depth: int = 0) -> Any:
            from IPython.utils.text import SList

            self.system(cmd)
            return SList([]) if split else ""

        def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
            lines = [stb] if isinstance(stb, str) else list(stb)
            record.error(_text(etype.__name__), _text(evalue), [str.__str__(str(line)) for line in lines])

    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Context"
    return Quiet.instance(config=config, display_pub_class=Publisher, displayhook_class=Hook)
