"""A student's code in a process of its own, locked in, spoken to in plain data.

```python
with Sandbox(packages=("numpy",)) as sandbox:  # imports everything once
    with sandbox.open() as session:  # a fork of it, for one hand-in
        session.run("def double(x): return 2 * x")
        session.call("double", [21], {}).value
```

Nothing that the process says is trusted: a reply that is late, too large or malformed ends that session and nothing
else. Not for threads: one sandbox and its sessions belong to the thread that made them.
"""

from __future__ import annotations

import os
import platform
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from types import TracebackType
from typing import Any

from grader.sandbox import bubblewrap, confine, landlock
from grader.sandbox.limits import MEBIBYTE, TICK_SECONDS, Limits
from grader.sandbox.shell import END, HEADER, Outcome, Raised, Ran
from grader.wire import WireError, decode, encode

__all__ = [
    "KINDS",
    "Limits",
    "Outcome",
    "Raised",
    "Ran",
    "Sandbox",
    "SandboxError",
    "Session",
    "StudentDied",
    "StudentTimeout",
]

KINDS = ("bubblewrap", "landlock", "none")
_START_SECONDS = 180.0  # TensorFlow comes slowly from a cold disk
_OPEN_SECONDS = 20.0
_END_SECONDS = 10.0
_UNREADABLE = "the process of the notebook sent something unreadable"
_TEXT, _WARNINGS = 2100, 20  # of a message, which the other side cuts sooner where it is honest


class SandboxError(Exception):
    """Our side cannot run. The message says why, and what to install."""


class StudentTimeout(Exception):
    """The student's code took too long. The message says which limit, for the student."""


class StudentDied(Exception):
    """The student's process is gone. The message says how, for the student."""


class Sandbox:
    """A zygote: a locked-in interpreter with everything imported, of which each hand-in gets a fork.

    Args:
        packages: what a hand-in may import, with all that it needs, besides Python's own modules, IPython and matplotlib.
        limits: what a hand-in may use; what Keras takes for itself comes on top.
        kind: "bubblewrap", "landlock", or "none" for no protection of files; None takes the first of the two that works.

    Attributes:
        kind: the one in force, once it is started.
    """

    def __init__(
        self, packages: Sequence[str] = ("numpy",), limits: Limits | None = None, kind: str | None = None
    ) -> None:
        if kind not in (None, *KINDS):
            raise ValueError(f"`kind` is {kind!r}; there are {', '.join(KINDS)}")
        self.packages = (*packages, *(("tensorflow",) if "keras" in packages else ()))  # its backend
        self.limits = (limits or Limits()).beside(packages)
        self.kind = kind
        self._control: socket.socket | None = None

    def __enter__(self) -> Sandbox:
        """Start it, and try it: a process, a cell, a call.

        Raises:
            SandboxError: it cannot start.
        """
        if sys.platform != "linux":
            raise SandboxError("the sandbox needs Linux")
        failed = []
        for kind in KINDS[:2] if self.kind is None else (self.kind,):
            try:
                self._start(kind)
                self._try()
            except SandboxError as error:
                self.__exit__(None, None, None)
                failed.append(f"{kind}: {error}")
            else:
                self.kind = kind
                return self
        raise SandboxError(f"no sandbox can start here: {'; '.join(failed)}")

    def _start(self, kind: str) -> None:
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            if kind == "bubblewrap":
                self._process = bubblewrap.start(self.packages, theirs.fileno(), self._errors)
            else:
                self._process = landlock.start(
                    self.packages, theirs.fileno(), self._errors, locked=kind == "landlock"
                )
        except BaseException as error:
            ours.close()
            self._errors.close()
            if isinstance(error, Exception):
                raise SandboxError(str(error)) from error
            raise
        finally:
            theirs.close()
        self._control = ours
        ours.settimeout(_START_SECONDS)
        try:
            said = ours.recv(4096)
        except OSError as error:
            said = str(error).encode()
        if said != b"ready":
            raise SandboxError(self._reason(said.decode(errors="replace")))

    def _try(self) -> None:
        try:
            with self.open() as session:
                ran = session.run("def double(x):\n    return 2 * x")
                value = session.call("double", [21], {}).value
        except (StudentTimeout, StudentDied) as error:
            raise SandboxError(str(error)) from error
        if ran.error is not None or value != 42:
            raise SandboxError(ran.error or f"2 x 21 came out as {value!r}")

    def __exit__(self, *_: object) -> None:
        if self._control is None:
            return
        self._control.close()
        self._control = None
        try:
            self._process.wait(_END_SECONDS)
        except Exception:
            self._process.kill()
            self._process.wait()
        finally:
            self._errors.close()

    def open(self, limits: Limits | None = None, absent: Sequence[str] = (), draws: bool = False) -> Session:
        """A fresh process for one hand-in.

        Args:
            limits: what it may use, in the place of the sandbox's.
            absent: packages whose import is no error though they are not there; their use is.
            draws: whether it will draw; matplotlib is then there already, for all that come after, too.

        Returns:
            The session; use it in a `with` statement.

        Raises:
            SandboxError: the sandbox is not running, or it cannot isolate the process.
        """
        if self._control is None:
            raise SandboxError("the sandbox is closed: use it in a `with` statement")
        limits = limits or self.limits
        request = encode([asdict(limits), list(absent), draws])
        keeper, keeper_there = socket.socketpair()
        process, process_there = socket.socketpair()
        try:
            socket.send_fds(self._control, [request], [keeper_there.fileno(), process_there.fileno()])
        except OSError as error:
            keeper.close()
            process.close()
            raise SandboxError(f"the sandbox has stopped: {self._reason(str(error))}") from error
        finally:
            keeper_there.close()
            process_there.close()
        return Session(process, keeper, limits)

    @property
    def description(self) -> str:
        """One line on the kind in force."""
        filtered = "seccomp" if confine.filterable() else f"no filter of system calls on {platform.machine()}"
        return {
            "bubblewrap": f"bubblewrap: namespaces of its own for each hand-in, and {filtered}",
            "landlock": f"Landlock (version {confine.landlock_version()}) and {filtered}: one process for each hand-in",
            "none": f"no protection of files, {filtered}",
        }[self.kind or "none"]

    def _reason(self, said: str) -> str:
        """The last thing that bubblewrap or the zygote wrote, else what else is known."""
        self._errors.seek(0, os.SEEK_END)
        self._errors.seek(max(0, self._errors.tell() - 4096))
        lines = [line for line in self._errors.read().decode(errors="replace").splitlines() if line.strip()]
        reason = said or (lines[-1] if lines else "it ended without a word")
        if "namespace" in reason or "uid map" in reason:
            reason += ", as this machine does not let it make them (see `sysctl user.max_user_namespaces`)"
        return reason


class Session:
    """One hand-in's process. Made by `Sandbox.open`; ends, with all that it started, when closed.

    Attributes:
        cpu_seconds: the processor time that it used, once it has ended.
        stopped: whether it was ended for what it used of something that is counted.
    """

    def __init__(self, process: socket.socket, keeper: socket.socket, limits: Limits) -> None:
        self._process, self._keeper, self._limits = process, keeper, limits
        self._left = limits.total_seconds
        self._number = 0
        self._shown = 0
        self._ended: str | None = None
        self.cpu_seconds = 0.0
        self.stopped = False
        try:
            self._process.settimeout(_OPEN_SECONDS)
            if self._decoded(self._receive(time.monotonic() + _OPEN_SECONDS, 100)) != [0, "ready"]:
                raise StudentDied(_UNREADABLE)
        except (StudentDied, OSError) as error:
            self.close()
            raise SandboxError(
                f"the sandbox cannot isolate a process: {str(error) or 'it takes too long'}"
            ) from error

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process and everything that it started."""
        self._end("the process of the notebook is closed")

    def connection(self) -> socket.socket:
        """Another handle of our end of the connection: it hears the end when nobody holds the process's any more."""
        return self._process.dup()

    def run(self, source: str) -> Ran:
        """Run a cell.

        Args:
            source: its text; magics work.

        Returns:
            Its outputs, valid nbformat version 4, and its error in one line.

        Raises:
            StudentTimeout: it took longer than `cell_seconds`.
            StudentDied: the process ended.
        """
        reply = self._ask(self._limits.cell_seconds, "cell", "run", source)
        match reply:
            case ["ran", list(outputs), None | str() as error] if all(map(_is_output, outputs)):
                return Ran(_clean(outputs), error and self._explained(_clean(error[:_TEXT])))
        return self._unreadable(reply)

    def settle(self) -> None:
        """Wait until what is counted has been counted.

        Raises:
            StudentTimeout, StudentDied: as for `run`.
        """
        time.sleep(2 * TICK_SECONDS)
        self.functions()

    def functions(self) -> list[str]:
        """The names of the callables that the cells defined, sorted.

        Raises:
            StudentTimeout, StudentDied: as for `run`.
        """
        reply = self._ask(self._limits.call_seconds, "call", "functions")
        match reply:
            case ["functions", list(names)] if all(type(name) is str for name in names):
                return sorted(_clean(names))
        return self._unreadable(reply)

    def call(
        self,
        name: str,
        args: Sequence,
        kwargs: Mapping[str, Any] | None = None,
        driver: str = "",
        timeout: float | None = None,
    ) -> Outcome:
        """Call a function of the student's.

        Args:
            name: the function's.
            args: plain data, see `grader.wire`.
            kwargs: the same.
            driver: see `grader.sandbox.shell.call_function`.
            timeout: seconds, in the place of `call_seconds`.

        Returns:
            What came of it.

        Raises:
            WireError: the arguments are not plain data.
            StudentTimeout, StudentDied: as for `run`.
        """
        seconds = self._limits.call_seconds if timeout is None else timeout
        reply = self._ask(seconds, "call", "call", name, list(args), dict(kwargs or {}), driver)
        match reply:
            case ["outcome", value, error, list(warnings), arguments] if (
                (error is None or _is_texts(error, 3))
                and _is_texts(warnings)
                and (arguments is None or (type(arguments) is list and len(arguments) == len(args)))
            ):
                return Outcome(
                    None if error is not None else value,
                    None if error is None else self._raised(*_clean([text[:_TEXT] for text in error])),
                    _clean([text[:_TEXT] for text in warnings[:_WARNINGS]]),
                    decode(encode(list(args))) if arguments is None else arguments,
                )
        return self._unreadable(reply)

    def _raised(self, kind: str, message: str, line: str) -> Raised:
        return Raised(kind, self._explained(f"{kind}: {message}").removeprefix(f"{kind}: "), line)

    def _explained(self, error: str) -> str:
        """An error with the limit that it met, where it met one."""
        met = self._limits.met_in(error)
        return f"{error} ({met})" if met else error

    def _ask(self, seconds: float, what: str, verb: str, *rest: Any) -> list:
        """Send a request and wait for the reply that has its number."""
        if self._ended is not None:
            raise StudentDied(self._ended)
        message = encode([self._number + 1, verb, *rest])
        if self._left <= 0:
            self._time_out(f"the notebook took more than {self._limits.total_seconds:g} seconds in all")
        self._number += 1
        start = time.monotonic()
        try:
            deadline = start + min(seconds, self._left)
            self._wait(deadline)
            self._begin(verb)
            self._process.sendall(HEADER.pack(len(message)) + message)
            received = self._receive(
                deadline, self._may_show() if verb == "run" else self._limits.reply_bytes
            )
            self._shown += len(received) if verb == "run" else 0
            reply = self._decoded(received)
        except TimeoutError:
            if seconds < self._left:
                self._time_out(f"the {what} took more than {seconds:g} seconds")
            self._time_out(f"the notebook took more than {self._limits.total_seconds:g} seconds in all")
        except OSError:
            self._die()
        finally:
            self._left -= time.monotonic() - start
        if (
            type(reply) is not list
            or [type(part) for part in reply[:2]] != [int, str]
            or reply[0] != self._number
        ):
            self._unreadable(None)
        return reply[1:]

    def _begin(self, verb: str) -> None:
        """Tell the keeper, which counts processor time from here; where it is behind, the count is older."""
        with suppress(OSError):
            self._keeper.send(verb[:1].encode(), socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def _may_show(self) -> int:
        """How many bytes the outputs of a cell may still have; the other side cuts them sooner, at characters."""
        return min(4 * self._limits.output_bytes + 2 * MEBIBYTE - self._shown, self._limits.reply_bytes)

    def _receive(self, deadline: float, most: int) -> bytearray:
        (size,) = HEADER.unpack(self._exactly(HEADER.size, deadline))
        if size > most:
            reason = f"the notebook sent more than the {most / 1e6:.3g} MB that a reply may have"
            self._end(reason)
            raise StudentDied(reason)
        return self._exactly(size, deadline)

    def _decoded(self, received: bytearray) -> Any:
        try:
            return decode(received)
        except WireError as error:
            self._end(_UNREADABLE)
            raise StudentDied(_UNREADABLE) from error

    def _exactly(self, count: int, deadline: float) -> bytearray:
        """The next bytes; memory grows with what has come, not with what was announced."""
        data = bytearray()
        while len(data) < count:
            self._wait(deadline)
            part = self._process.recv(min(count - len(data), MEBIBYTE))
            if not part:
                self._die()
            data += part
        return data

    def _wait(self, deadline: float) -> None:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._process.settimeout(left)

    def _time_out(self, reason: str) -> None:
        self._end(reason)
        raise StudentTimeout(reason)

    def _unreadable(self, reply: Any) -> Any:
        reason = _UNREADABLE
        match reply:
            case ["failed", str(text)]:
                reason = f"the process of the notebook failed: {_clean(text[:_TEXT])}"
        self._end(reason)
        raise StudentDied(reason)

    def _die(self) -> None:
        reason = self._how_it_ended()
        self._end(reason)
        raise StudentDied(reason)

    def _how_it_ended(self) -> str:
        said = self._last_words(1.0)
        if len(said) < END.size:
            return "the process of the notebook hung up"
        code, used = END.unpack(said[: END.size])
        if text := said[END.size :].decode(errors="replace"):
            self.stopped = True
            return f"the notebook was stopped: {text}"
        if code >= 0:
            return f"the process of the notebook ended by itself, with exit code {code}"
        try:
            name = signal.Signals(-code).name
        except ValueError:
            name = f"signal {-code}"
        if code == -signal.SIGKILL and used > self._limits.cpu_seconds - 0.5:
            return f"the notebook was stopped: it used more than {self._limits.cpu_seconds:g} seconds of processor time"
        why = {"SIGSEGV": " (a crash in compiled code)", "SIGKILL": " (perhaps for memory)"}.get(name, "")
        return f"the process of the notebook was killed by {name}{why}"

    def _last_words(self, seconds: float) -> bytes:
        """What the keeper says when the process is dead: how it ended and, where it was stopped, why."""
        self._keeper.settimeout(seconds)
        try:
            said = self._keeper.recv(1024)
        except OSError:
            return b""
        if len(said) >= END.size:
            self.cpu_seconds = END.unpack(said[: END.size])[1]
        return said

    def _end(self, reason: str) -> None:
        """Hang up; the keeper then kills the process, and closes its end when all is dead and tidy."""
        if self._ended is not None:
            return
        self._ended = reason
        self._process.close()
        try:
            self._keeper.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        else:
            while self._last_words(_END_SECONDS):
                pass
        finally:
            self._keeper.close()


_OUTPUT_KEYS = {
    "stream": {"name", "text"},
    "display_data": {"data", "metadata"},
    "execute_result": {"data", "metadata", "execution_count"},
    "error": {"ename", "evalue", "traceback"},
}


def _is_output(output: Any) -> bool:
    """Whether this is an output as nbformat 4 has it."""
    kind = output.get("output_type") if type(output) is dict else None
    if type(kind) is not str or output.keys() - {"output_type"} != _OUTPUT_KEYS.get(kind):
        return False
    if kind == "stream":
        return _is_texts([output["name"], output["text"]]) and output["name"] in ("stdout", "stderr")
    if kind == "error":
        return _is_texts([output["ename"], output["evalue"]]) and _is_texts(output["traceback"])
    count = output.get("execution_count", 0)
    return (
        type(count) is int
        and count >= 0
        and _is_bundle(output["data"])
        and _is_json(output["metadata"], dict)
    )


def _is_bundle(data: Any) -> bool:
    return type(data) is dict and all(
        type(kind) is str and (type(item) is str or (kind.endswith("json") and _is_json(item)))
        for kind, item in data.items()
    )


def _is_json(value: Any, kind: type | None = None) -> bool:
    if kind is not None and type(value) is not kind:
        return False
    if type(value) is list:
        return all(map(_is_json, value))
    if type(value) is dict:
        return all(type(key) is str and _is_json(item) for key, item in value.items())
    if type(value) is float:
        return value - value == 0
    return value is None or type(value) in (bool, int, str)


def _is_texts(value: Any, count: int | None = None) -> bool:
    return (
        type(value) is list
        and all(type(text) is str for text in value)
        and (count is None or len(value) == count)
    )


def _clean(value: Any) -> Any:
    """The same with every string fit for UTF-8."""
    if type(value) is str:
        return value.encode("utf-8", "replace").decode()
    if type(value) is list:
        return [_clean(item) for item in value]
    if type(value) is dict:
        return {_clean(key): _clean(item) for key, item in value.items()}
    return value
