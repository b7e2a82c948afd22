"""The zygote: everything imported and a shell made, once; each hand-in is a fork of it in namespaces of its own.

It runs inside bubblewrap and hears one kind of request on its control socket: `open`, with the new process's socket
and the socket of its keeper. Two forks come of it: the keeper, which makes the namespaces, waits, says how the process
ended and kills it when the grading side hangs up; and the process, the first of its own process namespace, so that
nothing it started outlives it.
"""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import select
import signal
import socket
import struct
from contextlib import suppress
from typing import Any

from grader.sandbox.shell import END, HEADER, Shell
from grader.wire import decode, encode

UNPRIVILEGED = 1000
HOME = "/tmp/home"

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = (
    0x00020000,
    0x04000000,
    0x08000000,
    0x10000000,
    0x20000000,
    0x40000000,
)
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_REMOUNT, _MS_BIND = 1, 2, 4, 8, 32, 4096
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_LAST_CAPABILITY = 63
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def main(control_fd: int) -> None:
    """Make the shell, say `ready`, then fork on request until the grading side hangs up."""
    control = socket.socket(fileno=control_fd)
    try:
        os.makedirs(HOME, exist_ok=True)
        os.chdir(HOME)
        shell = Shell()
        _site_builtins()
        shell.warm_up()
        gc.collect()
        gc.freeze()  # so that forks share the pages
    except BaseException as error:
        control.send(f"{type(error).__name__}: {error}".encode()[:4000])
        return
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # keepers are reaped by themselves
    control.send(b"ready")
    while True:
        request, fds, _, _ = socket.recv_fds(control, 4096, 2)
        if not request:
            return
        if os.fork() == 0:
            keeper, process = fds[0], fds[1]
            _keep(shell, keeper, process, request)
        for fd in fds:
            os.close(fd)


def _keep(shell: Shell, keeper: int, process: int, request: bytes) -> None:
    """The keeper: namespaces, the fork, its end."""
    try:
        os.setsid()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _close_all_but(keeper, process)
        _enter_namespaces()
        pid = os.fork()
        if pid == 0:
            os.close(keeper)
            _student(shell, process, request)
        os.close(process)
        watch = select.poll()
        end = os.pidfd_open(pid)
        watch.register(end, select.POLLIN)
        watch.register(keeper, select.POLLIN | select.POLLHUP)
        if not any(fd == end for fd, _ in watch.poll()):
            os.kill(pid, signal.SIGKILL)
        _, status, used = os.wait4(pid, 0)
        os.write(keeper, END.pack(os.waitstatus_to_exitcode(status), used.ru_utime + used.ru_stime))
    except BaseException as error:
        with suppress(OSError):
            os.write(keeper, f"{type(error).__name__}: {error}".encode()[:1000])
    finally:
        os._exit(0)


def _student(shell: Shell, process: int, request: bytes) -> None:
    """The process of a hand-in: locks itself up, then answers."""
    code = 1
    try:
        os.setsid()  # signals to its own process group reach neither the keeper nor the zygote
        _call(_libc.prctl, _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        null = os.open("/dev/null", os.O_RDWR)
        for fd in (0, 1, 2):
            os.dup2(null, fd)
        *limits, output_bytes = struct.unpack("<7Q", request)
        shell.record.allow(output_bytes)
        _own_folders(limits[2])
        _drop_capabilities()
        for kind, limit in zip(_LIMITS, limits, strict=True):
            resource.setrlimit(kind, (limit, limit))
        _close_all_but(process)
        _serve(shell, socket.socket(fileno=process))
        code = 0
    finally:
        os._exit(code)


_LIMITS = (
    resource.RLIMIT_CPU,
    resource.RLIMIT_AS,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_CORE,
)


def _enter_namespaces() -> None:
    """A user namespace of an unprivileged id, and in it all the others; the next fork is its first process."""
    if os.getuid() == 0:
        try:
            os.setgroups([])
            os.setgid(UNPRIVILEGED)
            os.setuid(UNPRIVILEGED)
        except OSError:
            pass  # no second id could be had: the namespaces hold all the same
        _call(_libc.prctl, _PR_SET_DUMPABLE, 1, 0, 0, 0)
    uid, gid = os.getuid(), os.getgid()
    _call(_libc.unshare, _NEWUSER | _NEWNS | _NEWPID | _NEWIPC | _NEWUTS | _NEWNET)
    for name, text in [("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")]:
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def _own_folders(file_bytes: int) -> None:
    """Its own /tmp, /dev/shm and /proc, in the place of what other hand-ins see."""
    quiet = _MS_NOSUID | _MS_NODEV
    for folder, size in [("/tmp", file_bytes), ("/dev/shm", file_bytes), ("/dev/pts", 4096)]:
        _mount("tmpfs", folder, quiet, f"size={size},mode=0700,nr_inodes=16384")
    try:
        _mount("proc", "/proc", quiet | _MS_NOEXEC)
        with open("/proc/sys/user/max_user_namespaces", "w") as file:
            file.write("0")
        # Where its id is root's outside, the settings in it would be open to it.
        _mount("", "/proc", quiet | _MS_NOEXEC | _MS_RDONLY | _MS_REMOUNT | _MS_BIND)
    except OSError:
        _mount("tmpfs", "/proc", quiet | _MS_NOEXEC | _MS_RDONLY, "size=4096")
    os.mkdir(HOME)
    os.chdir(HOME)


def _drop_capabilities() -> None:
    _call(_libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in range(_LAST_CAPABILITY + 1):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    _call(_libc.prctl, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    header = struct.pack("<Ii", _CAPABILITY_VERSION_3, 0)
    _call(_libc.capset, header, bytes(24))


def _serve(shell: Shell, connection: socket.socket) -> None:
    """Answer requests until the other end hangs up."""
    _send(connection, encode([0, "ready"]))
    while (message := _receive(connection)) is not None:
        number, verb, *rest = decode(message)
        try:
            reply = encode([number, *_answer(shell, verb, rest)])
        except BaseException as error:
            reply = encode([number, "failed", f"{type(error).__name__}: {error}"[:1000]])
        _send(connection, reply)


def _answer(shell: Shell, verb: str, rest: list) -> list:
    if verb == "run":
        ran = shell.run(rest[0])
        return ["ran", ran.outputs, ran.error]
    if verb == "functions":
        return ["functions", shell.functions()]
    name, args, kwargs = rest
    outcome = shell.call(name, args, kwargs)
    error = outcome.error
    same = encode(outcome.arguments) == encode(args)
    return [
        "outcome",
        outcome.value,
        None if error is None else [error.kind, error.message, error.line],
        outcome.warnings,
        None if same else outcome.arguments,
    ]


def _send(connection: socket.socket, data: bytes) -> None:
    connection.sendall(HEADER.pack(len(data)) + data)


def _receive(connection: socket.socket) -> bytes | None:
    header = _exactly(connection, HEADER.size)
    return None if header is None else _exactly(connection, HEADER.unpack(header)[0])


def _exactly(connection: socket.socket, count: int) -> bytes | None:
    data = bytearray()
    while len(data) < count:
        part = connection.recv(min(count - len(data), 2**20))
        if not part:
            return None
        data += part
    return bytes(data)


def _site_builtins() -> None:
    """`help` and `exit`, which Python has only with its `site` module."""
    import site

    site.setquit()
    site.sethelper()


def _close_all_but(*kept: int) -> None:
    at = 3
    for fd in sorted(kept):
        os.closerange(at, fd)
        at = fd + 1
    os.closerange(at, 2**16)


def _mount(kind: str, folder: str, flags: int, options: str = "") -> None:
    _call(_libc.mount, kind.encode(), folder.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())


def _call(function: Any, *args: Any) -> None:
    if function(*args) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{function.__name__}: {os.strerror(error)}")
