"""What a process gives up for good: capabilities, system calls (seccomp), files (Landlock). Standard library only.

The numbers of the system calls are those of Linux's `asm/unistd_64.h` (x86_64) and `asm-generic/unistd.h` (aarch64).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
from collections.abc import Iterable, Sequence
from typing import Any

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 24, 38, 47, 4
_LAST_CAPABILITY = 63
_CAPABILITY_VERSION_3 = 0x20080522

_PR_SET_PDEATHSIG = 1


def call(function: Any, *args: Any) -> None:
    """Call a function of the C library that returns zero, or raise `OSError`."""
    if function(*args) != 0:
        raise _error(function.__name__)


def _error(what: str) -> OSError:
    number = ctypes.get_errno()
    return OSError(number, f"{what}: {os.strerror(number)}")


def _syscall(what: str, number: int, *args: object) -> int:
    result = _libc.syscall(ctypes.c_long(number), *args)
    if result < 0:
        raise _error(what)
    return result


def die_with_parent() -> None:
    """Have this process killed when the thread that started it ends."""
    call(_libc.prctl, _PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def drop_capabilities() -> None:
    """Give up every capability, and the gaining of any."""
    call(_libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for capability in range(_LAST_CAPABILITY + 1):
        if _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break
    _libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    call(_libc.capset, struct.pack("<Ii", _CAPABILITY_VERSION_3, 0), bytes(24))


# Seccomp: a filter of system calls.

ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_NEWEST = 470  # of the system calls that this file was written for; a newer one does not exist for a hand-in

NUMBERS: dict[str, tuple[int | None, int | None]] = {
    "accept": (43, 202),
    "accept4": (288, 242),
    "acct": (163, 89),
    "add_key": (248, 217),
    "adjtimex": (159, 171),
    "bind": (49, 200),
    "bpf": (321, 280),
    "chmod": (90, None),
    "chown": (92, None),
    "chroot": (161, 51),
    "clock_adjtime": (305, 266),
    "clock_settime": (227, 112),
    "clone": (56, 220),
    "clone3": (435, 435),
    "close_range": (436, 436),
    "connect": (42, 203),
    "copy_file_range": (326, 285),
    "delete_module": (176, 106),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "fchown": (93, 55),
    "fchownat": (260, 54),
    "fcntl": (72, 25),
    "file_setattr": (469, 469),
    "finit_module": (313, 273),
    "flock": (73, 32),
    "fork": (57, None),
    "fremovexattr": (199, 16),
    "fsconfig": (431, 431),
    "fsetxattr": (190, 7),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "futimesat": (261, None),
    "init_module": (175, 105),
    "inotify_add_watch": (254, 27),
    "io_setup": (206, 0),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioctl": (16, 29),
    "ioperm": (173, None),
    "iopl": (172, None),
    "ioprio_set": (251, 30),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "kill": (62, 129),
    "landlock_add_rule": (445, 445),
    "landlock_create_ruleset": (444, 444),
    "landlock_restrict_self": (446, 446),
    "lchown": (94, None),
    "link": (86, None),
    "linkat": (265, 37),
    "listen": (50, 201),
    "lremovexattr": (198, 15),
    "lsetxattr": (189, 6),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "mkdir": (83, None),
    "mkdirat": (258, 34),
    "modify_ldt": (154, None),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "msgctl": (71, 187),
    "msgget": (68, 186),
    "msgrcv": (70, 188),
    "msgsnd": (69, 189),
    "name_to_handle_at": (303, 264),
    "open": (2, None),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "open_tree_attr": (467, 467),
    "openat": (257, 56),
    "openat2": (437, 437),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pivot_root": (155, 41),
    "prctl": (157, 167),
    "prlimit64": (302, 261),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "removexattr": (197, 14),
    "removexattrat": (466, 466),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
    "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "sched_setaffinity": (203, 122),
    "sched_setattr": (314, 274),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "semctl": (66, 191),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "sendfile": (40, 71),
    "sendmmsg": (307, 269),
    "sendmsg": (46, 211),
    "sendto": (44, 206),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "setpriority": (141, 140),
    "settimeofday": (164, 170),
    "setsockopt": (54, 208),
    "setxattr": (188, 5),
    "setxattrat": (463, 463),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "shmget": (29, 194),
    "socket": (41, 198),
    "socketpair": (53, 199),
    "splice": (275, 76),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "tee": (276, 77),
    "tgkill": (234, 131),
    "tkill": (200, 130),
    "truncate": (76, 45),
    "umask": (95, 166),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "utime": (132, None),
    "utimensat": (280, 88),
    "utimes": (235, None),
    "vfork": (58, None),
    "vhangup": (153, 58),
    "vmsplice": (278, 75),
}

# Nobody's notebook needs these: doors into the kernel, what outlives a process, and memory that no limit counts (a
# page in a pipe keeps the two megabytes that it is part of).
_NEVER = """
    acct add_key adjtimex bpf chroot clock_adjtime clock_settime delete_module fanotify_init fanotify_mark
    file_setattr finit_module fsconfig fsmount fsopen fspick init_module io_setup io_uring_enter
    io_uring_register io_uring_setup ioperm iopl kcmp kexec_file_load kexec_load keyctl landlock_add_rule
    landlock_create_ruleset landlock_restrict_self memfd_create memfd_secret modify_ldt mount mount_setattr
    move_mount mq_open mq_unlink msgctl msgget msgrcv msgsnd name_to_handle_at open_by_handle_at open_tree
    open_tree_attr perf_event_open pivot_root process_vm_readv process_vm_writev ptrace quotactl quotactl_fd
    reboot request_key semctl semget semop semtimedop sendfile setdomainname sethostname setns settimeofday shmat
    shmctl shmget splice swapoff swapon syslog tee umount2 unshare uselib userfaultfd vhangup vmsplice
"""

# Without namespaces: what reaches other processes, or other people's files past Landlock; and what moves a file, so
# that the keeper's count would pass it by.
_NEVER_ALONE = """
    accept accept4 bind connect copy_file_range inotify_add_watch ioprio_set link linkat listen migrate_pages
    move_pages pidfd_getfd pidfd_open pidfd_send_signal process_madvise process_mrelease rename renameat
    renameat2 sendmmsg sendmsg socket truncate
"""
_NO_PROCESSES = "execve execveat fork vfork"
# Said to be done and not done, so that copying a file still works: Landlock has no say in them.
_PRETENDED = """
    chmod chown fchmod fchmodat fchmodat2 fchown fchownat flock fremovexattr fsetxattr futimesat lchown
    lremovexattr lsetxattr removexattr removexattrat setxattr setxattrat utime utimensat utimes
"""

_SO_SNDBUF, _SO_RCVBUF = 7, 8
_CLONE_THREAD, _CLONE_FILES, _CLONE_NEW = 0x00010000, 0x00000400, 0x7E020000
_CLOSE_RANGE_UNSHARE = 1 << 1
_AF_UNIX, _AF_INET, _AF_INET6 = 1, 2, 10
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_TCGETS, _TIOCGWINSZ, _FIONREAD, _FIONBIO, _FIONCLEX, _FIOCLEX = (
    0x5401,
    0x5413,
    0x541B,
    0x5421,
    0x5450,
    0x5451,
)
_F_SETLK, _F_SETLKW, _F_OFD_SETLK, _F_OFD_SETLKW = 6, 7, 37, 38
_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY = 8, 10, 15, 1024, 1026

_LOAD, _AND, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_SET, _RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16

_Step = tuple[int, int, int, int]  # code, where to when true, when false, operand


def filterable() -> bool:
    """Whether this file knows the system calls of this machine's processor."""
    return platform.machine() in ARCHITECTURES


def filter_calls(alone: bool, processes: bool) -> None:
    """Refuse system calls, in this process and all that it starts, for good.

    Args:
        alone: no namespace keeps other processes and files away, so the filter has to.
        processes: it may start processes; threads it may always start.

    Raises:
        OSError: the kernel has no seccomp, or the processor is none of those known here.
    """
    machine = platform.machine()
    if machine not in ARCHITECTURES:
        raise OSError(errno.ENOSYS, f"no filter of system calls is known for {machine}")
    steps = _program(alone, processes, machine)
    program = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *step) for step in steps))
    header = struct.pack("@HP", len(steps), ctypes.addressof(program))
    call(_libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _syscall("seccomp", _SECCOMP[machine], ctypes.c_ulong(1), ctypes.c_ulong(1), header)


def _program(alone: bool, processes: bool, machine: str) -> list[_Step]:
    column = list(ARCHITECTURES).index(machine)
    steps = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_JUMP_EQUAL, 1, 0, ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_AT_LEAST, 0, 1, _NEWEST),  # among them the second table of x86, which starts at 2**30
        _refuse(errno.ENOSYS),
    ]
    for name, rule in _rules(alone, processes).items():
        number = NUMBERS[name][column]
        if number is not None:
            steps += [(_JUMP_EQUAL, 0, len(rule), number), *rule]
    return [*steps, (_RETURN, 0, 0, _ALLOW)]


def _rules(alone: bool, processes: bool) -> dict[str, list[_Step]]:
    rules = _for(_NEVER, [_refuse(errno.EPERM)])
    rules |= _for("clone3", [_refuse(errno.ENOSYS)])  # C libraries then use clone, whose flags a filter sees
    rules |= _for("clone", _unless_set(0, _CLONE_NEW, errno.EPERM))
    rules |= _for("ioctl", _unless(1, [_TIOCSTI, _TIOCLINUX]))
    rules |= _for("setsockopt", _unless(2, [_SO_SNDBUF, _SO_RCVBUF]))
    # Said to be done: the kernel keeps as many locks as are asked for, and nobody else is there to be kept out.
    locks = _unless(1, [_F_SETLK, _F_SETLKW, _F_OFD_SETLK, _F_OFD_SETLKW], 0)
    rules |= _for("fcntl", locks)
    rules |= _for("prctl", _unless(0, [_PR_SET_PDEATHSIG]))
    rules |= _for("socketpair", _only(0, [_AF_UNIX]))
    rules |= _for("socket", _only(0, [_AF_UNIX, _AF_INET, _AF_INET6]))
    if not processes:
        # A thread with open files of its own would hide them from the keeper.
        thread = _all_set(0, _CLONE_THREAD | _CLONE_FILES, errno.ENOTSUP)
        rules |= _for(_NO_PROCESSES, [_refuse(errno.ENOTSUP)])
        rules |= _for("clone", [*rules["clone"][:-1], *thread])
        rules |= _for("close_range", _unless_set(2, _CLOSE_RANGE_UNSHARE, errno.EPERM))
    if alone:
        me = os.getpid()
        rules |= _for(_NEVER_ALONE, [_refuse(errno.EPERM)])
        rules |= _for(_PRETENDED, [_refuse(0)])
        rules |= _for("kill prlimit64", _only(0, [0, me]))
        rules |= _for("tgkill tkill rt_sigqueueinfo rt_tgsigqueueinfo", _only(0, [me]))
        rules |= _for("sched_setaffinity sched_setattr sched_setparam sched_setscheduler", _only(0, [0, me]))
        rules |= _for("setpriority", _only(0, [0], then=_only(1, [0, me])))
        # The rest change attributes of files that are only read, and Landlock has no say in it.
        rules |= _for("ioctl", _only(1, [_TCGETS, _TIOCGWINSZ, _FIONREAD, _FIONBIO, _FIONCLEX, _FIOCLEX]))
        owners = [_F_SETOWN, _F_SETSIG, _F_SETOWN_EX, _F_SETLEASE, _F_NOTIFY]
        rules |= _for("fcntl", _unless(1, owners, then=locks))
        rules |= _for("sendto", _only(5, [0]))  # no length of an address, so none
        # Landlock lets the one pass before its third version, and the other always.
        rules |= _for("open", _not_emptied(1)) | _for("openat", _not_emptied(2))
        rules |= _for("openat2", [_refuse(errno.ENOSYS)])
        # Folders that their owner cannot look into would hide what is in them from the keeper.
        rules |= _for("mkdir", _all_set(1, 0o700)) | _for("mkdirat", _all_set(2, 0o700))
        rules |= _for("umask", _unless_set(0, 0o700, errno.EPERM))
    return rules


def _for(names: str, steps: list[_Step]) -> dict[str, list[_Step]]:
    return dict.fromkeys(names.split(), steps)


def _refuse(number: int) -> _Step:
    return (_RETURN, 0, 0, _ERRNO | number)


def _argument(index: int) -> _Step:
    """Load the low half of an argument: all that the kernel reads of an int."""
    return (_LOAD, 0, 0, _ARGUMENTS + 8 * index)


def _only(index: int, values: Sequence[int], then: list[_Step] | None = None) -> list[_Step]:
    """Allow these values of an argument; `then` says what they go through, in the place of being allowed."""
    tests = [(_JUMP_EQUAL, len(values) - at, 0, value) for at, value in enumerate(values)]
    return [_argument(index), *tests, _refuse(errno.EPERM), *(then or [(_RETURN, 0, 0, _ALLOW)])]


def _unless(
    index: int, values: Sequence[int], number: int = errno.EPERM, then: list[_Step] | None = None
) -> list[_Step]:
    """Refuse these values of an argument; `then` as above."""
    tests = [step for value in values for step in ((_JUMP_EQUAL, 0, 1, value), _refuse(number))]
    return [_argument(index), *tests, *(then or [(_RETURN, 0, 0, _ALLOW)])]


def _unless_set(index: int, bits: int, number: int) -> list[_Step]:
    return [_argument(index), (_JUMP_SET, 0, 1, bits), _refuse(number), (_RETURN, 0, 0, _ALLOW)]


def _all_set(index: int, bits: int, number: int = errno.EPERM) -> list[_Step]:
    return [
        _argument(index),
        (_AND, 0, 0, bits),
        (_JUMP_EQUAL, 1, 0, bits),
        _refuse(number),
        (_RETURN, 0, 0, _ALLOW),
    ]


def _not_emptied(index: int) -> list[_Step]:
    """Refuse to open a file to be read and emptied by that, or for neither reading nor writing (3)."""
    return [
        _argument(index),
        (_AND, 0, 0, os.O_TRUNC | os.O_ACCMODE),
        (_JUMP_EQUAL, 0, 1, os.O_TRUNC),
        _refuse(errno.EPERM),
        (_AND, 0, 0, os.O_ACCMODE),
        (_JUMP_EQUAL, 0, 1, os.O_ACCMODE),
        _refuse(errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]


# Landlock: files by leave only.

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on every processor
_READ_FILE, _READ_FOLDER, _WRITE_FILE, _TRUNCATE = 1 << 2, 1 << 3, 1 << 1, 1 << 14
_OF_FILES = _READ_FILE | _WRITE_FILE | _TRUNCATE
_MAKE_DEVICES = (1 << 6) | (1 << 11)
_ALL_OF_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_EXECUTE, _IOCTL_DEVICE = 1 << 0, 1 << 15


def landlock_version() -> int:
    """The version of the kernel's Landlock; 0 where it has none, or has it switched off."""
    return max(0, _libc.syscall(ctypes.c_long(_CREATE_RULESET), None, ctypes.c_size_t(0), ctypes.c_uint32(1)))


def lock_files(readable: Iterable[str], listable: Iterable[str], writable: Iterable[str]) -> None:
    """Leave this process, and all that it starts, these files and folders alone; with newer kernels, its own signals too.

    Args:
        readable: files and folders that may be read, with all below them. One that does not exist is passed over.
        listable: folders of which the names may be read, with all below them.
        writable: the same, to be read, written and filled, but not run.

    Raises:
        OSError: the kernel has no Landlock.
    """
    version = landlock_version()
    known = _ALL_OF_VERSION[max((v for v in _ALL_OF_VERSION if v <= version), default=1)]
    connect_and_bind = 3 if version >= 4 else 0
    sockets_and_signals = 3 if version >= 6 else 0
    words = (known, connect_and_bind, sockets_and_signals)[: 1 if version < 4 else 2 if version < 6 else 3]
    attributes = struct.pack(f"<{len(words)}Q", *words)
    ruleset = _syscall(
        "Landlock", _CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0)
    )
    try:
        for paths, rights in (
            (readable, _READ_FILE | _READ_FOLDER),
            (listable, _READ_FOLDER),
            (writable, known & ~(_EXECUTE | _IOCTL_DEVICE | _MAKE_DEVICES)),
        ):
            for path in paths:
                _allow(ruleset, path, rights & known)
        call(_libc.prctl, _PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        _syscall("Landlock", _RESTRICT_SELF, ctypes.c_int(ruleset), ctypes.c_uint32(0))
    finally:
        os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        if not os.path.isdir(path):
            rights &= _OF_FILES
        rule = struct.pack("<Qi", rights, handle)
        _syscall("Landlock", _ADD_RULE, ctypes.c_int(ruleset), ctypes.c_int(1), rule, ctypes.c_uint32(0))
    finally:
        os.close(handle)
