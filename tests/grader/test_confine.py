"""What a process has given up: each thing tried in a process of its own, with the Landlock of every age."""

import os
import platform
import re
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from grader.sandbox import confine

pytestmark = pytest.mark.skipif(
    not confine.filterable() or not confine.landlock_version(),
    reason="no Landlock, or no filter for this processor",
)

HEADERS = {
    "x86_64": f"/usr/include/{platform.machine()}-linux-gnu/asm/unistd_64.h",
    "aarch64": "/usr/include/asm-generic/unistd.h",
}


@pytest.mark.parametrize("machine", confine.ARCHITECTURES)
def test_the_numbers_are_those_of_the_kernels_headers(machine):
    header = Path(HEADERS[machine])
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    theirs = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text()))
    column = list(confine.ARCHITECTURES).index(machine)
    ours = {name: numbers[column] for name, numbers in confine.NUMBERS.items()}
    assert {name: str(number) for name, number in ours.items() if name in theirs} == {
        name: theirs[name] for name in ours if name in theirs
    }
    newer = {"fchmodat2", "setxattrat", "removexattrat", "file_setattr", "open_tree_attr"}
    assert {name for name, number in ours.items() if number is not None and name not in theirs} <= newer


@pytest.mark.parametrize("machine", confine.ARCHITECTURES)
@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("processes", [False, True])
def test_every_jump_of_the_filter_lands_inside_it(machine, alone, processes):
    steps = confine._program(alone, processes, machine)
    for at, (code, true, false, _) in enumerate(steps):
        if code & 7 == 5:
            assert max(at + 1 + true, at + 1 + false) < len(steps) and max(true, false) < 256
    assert steps[-1][0] == 6 and len(steps) < 4096


LOCKED = """
import ctypes, errno, fcntl, os, shutil, signal, socket, subprocess, sys, threading
sys.path.insert(0, {root!r})
from grader.sandbox import confine
version = confine.landlock_version()
confine.landlock_version = lambda: min(version, {version})
confine.lock_files([sys.base_prefix, {readable!r}], [], [{writable!r}, "/dev/null"])
confine.drop_capabilities()
confine.filter_calls(alone=True, processes=False)
def error(function, *args, **options):
    try:
        function(*args, **options)
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"
libc = ctypes.CDLL(None, use_errno=True)
def code(result):
    return "done" if result != -1 else errno.errorcode[ctypes.get_errno()]
"""


@pytest.fixture(params=[1, 2, 3, 5, 7], ids="Landlock {}".format)
def tried(request, tmp_path):
    """Evaluate expressions in a locked process; returns what each came to."""
    readable, writable, other = (tmp_path / name for name in ("readable", "writable", "other"))
    for folder in (readable, writable, other):
        folder.mkdir()
        (folder / "file").write_text("words")
    root = str(Path(confine.__file__).parents[2])
    start = LOCKED.format(root=root, version=request.param, readable=str(readable), writable=str(writable))

    def run(*expressions, **names):
        names |= {"readable": str(readable), "writable": str(writable), "other": str(other)}
        given = "".join(f"{name} = {value!r}\n" for name, value in names.items())
        shown = "".join(f"print({expression})\n" for expression in expressions)
        ran = subprocess.run(
            [sys.executable, "-c", start + given + shown], capture_output=True, text=True, check=False
        )
        assert ran.returncode == 0, ran.stderr
        return ran.stdout.split()

    run.folder = tmp_path
    return run


def test_files_are_opened_by_leave_only(tried):
    said = tried(
        "error(open, readable + '/file')",
        "error(open, writable + '/file', 'w')",
        "error(open, writable + '/new', 'w')",
        "error(os.mkdir, writable + '/folder')",
        "error(shutil.copy2, readable + '/file', writable + '/copy')",
        "error(open, other + '/file')",
        "error(os.listdir, other)",
        "error(open, readable + '/file', 'a')",
        "error(open, other + '/new', 'w')",
        "error(os.unlink, readable + '/file')",
        "error(os.mkdir, other + '/folder')",
        "error(os.symlink, '/', other + '/link')",
    )
    assert said[:5] == ["done"] * 5 and set(said[5:]) == {"EACCES"}


def test_what_landlock_has_no_say_in_is_refused_too(tried):
    file = tried.folder / "readable" / "file"
    before = file.stat()
    said = tried(
        "error(os.open, readable + '/file', os.O_TRUNC)",
        "error(os.open, readable + '/file', 3)",
        "error(os.open, other + '/file', os.O_TRUNC | 3)",
        "error(fcntl.ioctl, open(readable + '/file'), 0x40086602, bytes(8))",
        "error(os.truncate, readable + '/file', 0)",
        "error(os.truncate, other + '/file', 0)",
        "error(fcntl.fcntl, open(readable + '/file'), fcntl.F_SETLEASE, fcntl.F_RDLCK)",
        "code(libc.inotify_add_watch(libc.inotify_init(), other.encode(), 0xFFF))",
    )
    assert set(said) <= {"EPERM", "EACCES"}
    pretended = tried(
        "error(os.chmod, other + '/file', 0o777)",
        "error(os.utime, other + '/file', (0, 0))",
        "error(os.setxattr, other + '/file', 'user.x', b'1')",
        "error(fcntl.flock, open(readable + '/file'), fcntl.LOCK_EX)",
    )
    assert pretended == ["done"] * 4
    after = file.stat()
    assert (after.st_size, after.st_mode, after.st_mtime) == (before.st_size, before.st_mode, before.st_mtime)
    assert (tried.folder / "other" / "file").stat().st_mode & 0o777 != 0o777
    assert os.listxattr(tried.folder / "other" / "file") == []


def test_other_processes_are_out_of_reach(tried):
    with subprocess.Popen(["sleep", "60"]) as other:
        said = tried(
            "error(os.kill, pid, 0)",
            "error(os.kill, -1, 0)",
            "error(os.kill, -pid, 9)",
            "code(libc.syscall({'x86_64': 234, 'aarch64': 131}[os.uname().machine], pid, pid, 9))",
            "code(libc.ptrace(16, pid, 0, 0))",
            "error(os.pidfd_open, pid)",
            "error(os.sched_setaffinity, pid, {0})",
            "error(os.setpriority, os.PRIO_PROCESS, pid, 19)",
            "error(os.setpriority, os.PRIO_USER, os.getuid(), 19)",
            "code(libc.prlimit64(pid, 7, (ctypes.c_ulong * 2)(1, 1), None))",
            "error(fcntl.fcntl, 0, fcntl.F_SETOWN, pid)",
            "code(libc.prctl(1, 0, 0, 0, 0))",
            "error(open, f'/proc/{pid}/environ')",
            pid=other.pid,
        )
        assert set(said) <= {"EPERM", "EACCES"}
        assert other.poll() is None and os.getpriority(os.PRIO_PROCESS, other.pid) == 0
        other.send_signal(signal.SIGKILL)


def test_its_own_process_is_its_own(tried):
    said = tried(
        "error(os.kill, os.getpid(), 0)",
        "error(os.sched_setaffinity, 0, os.sched_getaffinity(0))",
        "error(os.nice, 1)",
        "error(socket.socketpair)",
        "error(lambda: [thread.start() or thread.join() for thread in [threading.Thread(target=int)]])",
    )
    assert said == ["done"] * 5


def test_it_starts_nothing_and_connects_nowhere(tried):
    with socket.create_server(("127.0.0.1", 0)) as server:
        said = tried(
            "error(os.fork)",
            "error(subprocess.run, [sys.executable, '-c', ''])",
            "error(os.execv, sys.executable, [sys.executable])",
            "error(socket.socket)",
            "error(socket.socket, socket.AF_UNIX)",
            "error(socket.socket, 40)",
            "error(os.memfd_create, 'x')",
            "code(libc.unshare(0x10000000))",
            "code(libc.syscall(425, 1, None))",
            "code(libc.syscall(9999))",
            "code(libc.shmget(0, 4096, 0o1600))",
            port=server.getsockname()[1],
        )
    assert said[:3] == ["ENOTSUP"] * 3
    assert said[3:8] == ["EPERM"] * 5 and said[8:] == ["EPERM", "ENOSYS", "EPERM"]


def test_nothing_outlives_it_in_the_kernel_or_is_told_to_others(tried):
    name = str(tried.folder / "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(name)
        said = tried(
            "error(socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)[0].sendto, b'words', name)",
            "code(libc.shmat(0, None, 0))",
            "code(libc.shmctl(0, 0, None))",
            "code(libc.semctl(0, 0, 0))",
            "code(libc.msgrcv(0, None, 0, 0, 0))",
            "code(libc.mq_unlink(b'/x'))",
            name=name,
        )
    assert set(said) <= {"EPERM", "EACCES"}


def test_nothing_is_kept_out_of_sight(tried):
    said = tried(
        "error(os.rename, writable + '/file', writable + '/other')",
        "error(os.link, writable + '/file', writable + '/other')",
        "code(libc.close_range(1000, 1001, 2))",
        "code(libc.splice(0, None, 1, None, 1, 0))",
        "code(libc.vmsplice(1, None, 0, 0))",
        "error(os.sendfile, 1, 0, 0, 1)",
        "error(socket.socketpair()[0].setsockopt, socket.SOL_SOCKET, socket.SO_SNDBUF, 2**30)",
    )
    assert set(said) == {"EPERM"}
    own_files = 0x10900  # a thread of the same memory and signals, but not of the same files
    number = confine.NUMBERS["clone"][list(confine.ARCHITECTURES).index(platform.machine())]
    assert tried(f"code(libc.syscall({number}, {own_files}, 0, 0, 0, 0))") == ["ENOTSUP"]


def test_a_filter_of_another_processor_is_not_guessed(monkeypatch):
    monkeypatch.setattr(platform, "machine", lambda: "s390x")
    assert not confine.filterable()
    with pytest.raises(OSError, match="s390x"):
        confine.filter_calls(alone=True, processes=False)


def test_the_second_table_of_calls_is_closed_too(tried):
    """x86 has its system calls a second time, from 2**30 on, and those of 32 bits behind another door."""
    if platform.machine() != "x86_64":
        pytest.skip("only on x86")
    assert tried("code(libc.syscall(ctypes.c_long(0x40000000 + 41), 2, 1, 0))") == ["ENOSYS"]
    machine_code = textwrap.dedent(
        """
        import mmap
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(bytes.fromhex("b814000000cd80c3"))  # getpid through int 0x80
        ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
        """
    )
    with pytest.raises(AssertionError):
        tried(f"exec({machine_code!r})")
