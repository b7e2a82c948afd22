"""Harm: to files, processes, memory, disk, time, the connection, and to who comes next."""

from tests.abuse import Kind, answers, dedent
from tests.abuse.forging import GRADIENT, wired

harm = Kind("harm")

GOOD = """
def sigmoid(x):
    decay = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, decay) / (1 + decay)
"""
SIGMOID_GRAD = """

def sigmoid_grad(x):
    return sigmoid(x) * (1 - sigmoid(x))
"""


def sigmoid(source: str) -> dict[str, str]:
    """An answer whose `sigmoid` does harm when it is called, and whose `sigmoid_grad` calls it."""
    return {"sigmoid": dedent(source) + "\n" + SIGMOID_GRAD}


def every(body: str) -> dict[str, str]:
    """Answers in which every function has this body."""
    return {
        name: "\n\n".join(
            f"def {line[4 : line.index('(')]}(*args, **options):\n    {body}"
            for line in source.splitlines()
            if line.startswith("def ")
        )
        for name, source in answers().items()
    }


NO_SIGMOID = {"sigmoid": 0}

# Files

harm(
    "write_everywhere",
    "Writes, truncates and deletes whatever it can reach.",
    before="""
    import os, shutil
    for folder in (HOST["folder"], HOST["temporary"], HOST["repository"], HOST["home"], "/", "/etc", "/packages", "/student", "/python", "/proc/sys/kernel"):
        for name in (HOST["mark"], "canary.txt", "gradebook.db", "core_pattern", "hostname"):
            try:
                open(f"{folder}/{name}", "w").write("x")
                found(f"{folder}/{name}")
            except OSError:
                pass
        if folder != "/":
            shutil.rmtree(folder, ignore_errors=True)
    """,
)

harm(
    "change_the_facts_of_files",
    "Changes modes, owners, times and attributes of files that it may not write, and moves them: all are watched.",
    before="""
    import os
    for path in (HOST["folder"] + "/canary.txt", HOST["folder"] + "/gradebook.db", "/student/grader/__init__.py", "/packages/numpy/__init__.py"):
        for change in (
            lambda: os.chmod(path, 0o777),
            lambda: os.chown(path, os.getuid(), os.getgid()),
            lambda: os.utime(path, (1, 1)),
            lambda: os.setxattr(path, "user.x", b"x"),
            lambda: os.truncate(path, 0),
            lambda: os.rename(path, path + ".gone"),
            lambda: os.unlink(path),
            lambda: os.link(path, os.getcwd() + "/mine"),
        ):
            try:
                change()
            except OSError:
                pass
    """,
)

harm(
    "leave_files",
    "Leaves a file in every folder where it may write; nothing of that stays.",
    before="""
    import os
    for folder in ("/tmp", "/dev/shm", "/var/tmp", os.path.expanduser("~"), HOST["temporary"], ".", "/run", "/dev"):
        try:
            open(f"{folder}/{HOST['mark']}", "w").write("x")
        except OSError:
            pass
    """,
)

harm(
    "links_in_our_way",
    "Puts links where somebody who cleans up or reads after it would follow them.",
    before="""
    import os
    for name in ("home", "matplotlib", "activations.ipynb", ".ipynb_checkpoints", "__pycache__"):
        for folder in ("/tmp", "."):
            try:
                os.symlink(HOST["folder"], f"{folder}/{name}")
            except OSError:
                pass
    """,
)

harm(
    "fill_the_disk",
    "Fills every folder where it may write, with full files and with none.",
    before="""
    import os
    written = made = 0
    for folder in ("/tmp", "/dev/shm", "."):
        try:
            for number in range(200):
                with open(f"{folder}/full{number}", "wb") as file:
                    written += file.write(bytes(2**22))
        except OSError as error:
            print(error)
    for folder in ("/tmp", "/dev/shm", "."):
        try:
            for number in range(100_000):
                open(f"{folder}/empty{number}", "x").close()
                made += 1
        except OSError as error:
            print(error)
    if written > 512 * 2**20 or made > 100_000:
        found(written >> 20, "MiB", made, "files")
    """,
    stopped=True,
)

harm(
    "sparse_file",
    "Makes a file of a size that would fill the disk if it were copied.",
    before="""
    import os
    try:
        with open("sparse", "wb") as file:
            file.truncate(2**42)
        if os.stat("sparse").st_size == 2**42:
            found("a file of four tebibytes")
    except OSError as error:
        print(error)
    """,
)

# Processes

harm(
    "fork_bomb",
    "Forks until it cannot.",
    before="""
    import os, time
    for number in range(2000):
        try:
            if os.fork() == 0:
                time.sleep(10**6)
                os._exit(0)
        except OSError:
            break
    if number > 500:
        found(number, "processes")
    """,
)

harm(
    "fork_that_answers_too",
    "Forks, and both processes go on: two answer every question.",
    before="import os\nos.fork()",
    others=None,
)

harm(
    "thread_bomb",
    "Starts threads until it cannot.",
    before="""
    import threading, time
    try:
        for number in range(5000):
            threading.Thread(target=time.sleep, args=(10**6,), daemon=True).start()
    except RuntimeError:
        pass
    if number > 500:
        found(number, "threads")
    """,
    stopped=True,
)

harm(
    "daemons_that_ignore_signals",
    "Leaves processes in sessions of their own that ignore every signal.",
    before="""
    import os, signal, subprocess, sys, time
    try:
        for _ in range(3):
            if os.fork() == 0:
                os.setsid()
                if os.fork() == 0:
                    for kind in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                        signal.signal(kind, signal.SIG_IGN)
                    time.sleep(10**6)
                os._exit(0)
    except OSError as error:
        print(error)
    try:
        subprocess.Popen([sys.executable or "/python/bin/python3", "-c", "import time; time.sleep(10**6)"])
    except OSError as error:
        print(error)
    """,
)

harm(
    "clone_into_the_parent",
    "Makes a child that is its parent's child, and asks not to be killed with it.",
    before="""
    import ctypes, os, time
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(1, 0, 0, 0, 0)  # no signal when the parent dies
    libc.prctl(36, 1, 0, 0, 0)  # orphans come here
    CLONE_PARENT, SIGCHLD = 0x8000, 17
    if libc.syscall(56, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0) == 0:
        time.sleep(10**6)
        os._exit(0)
    """,
    others=None,
)

for name, about, source in [
    ("kill_the_parent", "Kills the process that started it.", "os.kill(os.getppid(), 9)"),
    ("kill_its_group", "Kills its process group.", "os.killpg(os.getpgrp(), 9)"),
    ("kill_all", "Signals everybody it may.", "for kind in (15, 2, 1, 9): os.kill(-1, kind)"),
    ("kill_the_grader", "Kills the grading process by its number.", "os.kill(HOST['pid'], 9)"),
    ("kill_by_number", "Kills every number.", "for pid in range(2, 40000):\n    try: os.kill(pid, 9)\n    except OSError: pass"),
    ("stop_its_group", "Stops its process group.", "os.kill(0, signal.SIGSTOP)"),
    ("stop_itself", "Stops itself.", "os.kill(os.getpid(), signal.SIGSTOP)\nsignal.raise_signal(signal.SIGSTOP)"),
    ("stop_its_parent", "Stops the process that started it.", "os.kill(os.getppid(), signal.SIGSTOP)"),
    ("leave_no_keeper", "Asks to outlive its parent, then kills its group.", "import ctypes\nctypes.CDLL(None).prctl(1, 0, 0, 0, 0)\nos.kill(0, 9)"),
    ("exit_at_once", "Leaves without a word.", "os._exit(0)"),
    ("exit", "Leaves.", "raise SystemExit(0)"),
    ("abort", "Aborts, with a core dump if it can have one.", "import resource\nresource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)\nos.abort()"),
    ("segfault", "Reads address 0.", "import ctypes\nctypes.string_at(0)"),
    ("close_descriptors", "Closes every descriptor.", "os.closerange(0, 64)"),
    ("replace_itself", "Becomes another program.", "os.execv('/proc/self/exe', ['python', '-c', 'import time; time.sleep(10**6)'])"),
]:  # fmt: skip
    source = "import os, signal\n" + source
    harm(
        f"{name}_in_a_cell",
        about,
        before=source,
        hangs="stop" in name or "execv" in source,
    )
    harm(
        f"{name}_in_a_call",
        about,
        answers=sigmoid(
            "def sigmoid(x):\n    " + source.replace("\n", "\n    ") + "\n    raise RuntimeError"
        ),
        earns=NO_SIGMOID,
        hangs="stop" in name or "execv" in source,
    )

harm(
    "renice",
    "Makes itself first, and others last, pins processors, changes limits of its own and of the grading process.",
    before="""
    import os, resource
    for change in (
        lambda: os.nice(-20),
        lambda: os.setpriority(os.PRIO_PROCESS, HOST["pid"], 19),
        lambda: os.setpriority(os.PRIO_USER, os.getuid(), 19),
        lambda: os.sched_setaffinity(HOST["pid"], {0}),
        lambda: os.sched_setaffinity(0, {0}),
        lambda: resource.prlimit(HOST["pid"], resource.RLIMIT_NOFILE, (4, 4)),
        lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(99)),
    ):
        try:
            change()
        except OSError as error:
            print(error)
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_NOFILE, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NPROC):
        before = resource.getrlimit(kind)
        for wanted in ((-1, -1), (2**40, 2**40)):
            try:
                resource.setrlimit(kind, wanted)
                if resource.getrlimit(kind)[1] != before[1]:
                    found(kind, resource.getrlimit(kind))
            except (OSError, ValueError):
                pass
    """,
)

harm(
    "no_open_files_left",
    "Lowers its own limits until nothing works.",
    before="""
    import resource
    resource.setrlimit(resource.RLIMIT_NOFILE, (4, 4))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    """,
)

harm(
    "namespaces_and_mounts",
    "Makes namespaces in which it is root, and mounts.",
    before="""
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    for flag in (0x10000000, 0x20000, 0x20000000, 0x40000000, 0x10020000):
        if libc.unshare(flag) == 0:
            found("unshare", hex(flag))
    if libc.mount(b"none", b"/tmp", b"tmpfs", 0, b"") == 0 or libc.umount2(b"/proc", 2) == 0 or libc.umount2(b"/tmp", 2) == 0:
        found("mount")
    for number in (1, HOST["pid"]):
        for space in ("mnt", "pid", "net", "user"):
            try:
                if libc.setns(os.open(f"/proc/{number}/ns/{space}", os.O_RDONLY), 0) == 0:
                    found("setns", number, space)
            except OSError:
                pass
    try:
        os.chroot(".")
        found("chroot")
    except OSError:
        pass
    """,
)

harm(
    "privileged_calls",
    "Tries the system calls that only an attacker of the kernel needs.",
    before="""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = {"bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "io_uring_setup": 425, "kexec_load": 246, "init_module": 175, "reboot": 169, "swapon": 167, "settimeofday": 164, "iopl": 172, "quotactl": 179, "fanotify_init": 300}
    for name, number in numbers.items():
        if libc.syscall(number, 4, 0, 0, 0, 0) >= 0 and name not in ("userfaultfd", "io_uring_setup"):
            found(name)
    """,
)

# Memory

harm(
    "memory_in_a_cell",
    "Allocates until it cannot.",
    before="""
    held = []
    try:
        while True:
            held.append(bytearray(2**26))
    except MemoryError:
        if len(held) * 64 > 2048:
            found(len(held) * 64, "MiB")
        del held
    """,
)

harm(
    "memory_in_a_call",
    "Returns an array of 128 GiB.",
    answers=sigmoid("def sigmoid(x):\n    return np.ones(2**34)"),
    earns=NO_SIGMOID,
)

harm(
    "memory_of_several_processes",
    "Lets three children hold 800 MiB each at once, where a hand-in may have 2,048 in all.",
    before="""
    import os, time
    children = []
    try:
        for _ in range(3):
            pid = os.fork()
            if pid == 0:
                held = bytearray(b"x") * (800 * 2**20)
                time.sleep(2)
                os._exit(0)
            children.append(pid)
        if sum(os.waitpid(pid, 0)[1] == 0 for pid in children) == 3:
            print("FOUND 2,400 MiB held at once")
    except OSError as error:
        print(error)
    """,
)

harm(
    "memory_in_shared_segments",
    "Keeps 3,000 MiB in System V shared memory, which belongs to no process.",
    before="""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    libc.shmat.restype = ctypes.c_void_p
    libc.shmdt.argtypes = [ctypes.c_void_p]
    size, held = 500 * 2**20, 0
    for _ in range(6):
        segment = libc.shmget(0, ctypes.c_size_t(size), 0o1600)
        place = libc.shmat(segment, None, 0) if segment >= 0 else None
        if place in (None, 2**64 - 1):
            break
        ctypes.memset(place, 1, size)
        libc.shmdt(place)
        held += size
    if held > 2048 * 2**20:
        print("FOUND", held >> 20, "MiB held")
    """,
)

harm(
    "memory_in_files_without_a_name",
    "Keeps 3,000 MiB in memory files.",
    before="""
    import os
    held = 0
    try:
        for _ in range(48):
            handle = os.memfd_create("x")
            for _ in range(63):
                held += os.write(handle, bytes(2**20))
    except OSError as error:
        print(error)
    if held > 2048 * 2**20:
        print("FOUND", held >> 20, "MiB held")
    """,
)

harm(
    "memory_in_pipes",
    "Fills as many pipes and socket pairs as it can open.",
    before="""
    import fcntl, os, socket
    held, kept = 0, []
    try:
        while True:
            out, into = os.pipe()
            try:
                fcntl.fcntl(into, 1031, 2**20)
            except OSError:
                pass
            os.set_blocking(into, False)
            try:
                while True:
                    held += os.write(into, bytes(2**16))
            except BlockingIOError:
                pass
    except OSError as error:
        print(error)
    if held > 256 * 2**20:
        print("FOUND", held >> 20, "MiB held")
    """,
)

# Time

harm("endless_cell", "Never ends.", before="while True: pass", hangs=True)

harm(
    "sleeping_cells",
    "Sleeps in ten cells.",
    before=[f"import time\ntime.sleep(10**6)  # {n}" for n in range(10)],
    hangs=True,
)

harm(
    "endless_call",
    "Never returns.",
    answers=sigmoid("def sigmoid(x):\n    while True: pass"),
    earns=NO_SIGMOID,
    hangs=True,
)

harm(
    "sleeping_calls_everywhere",
    "Sleeps in every function of every exercise.",
    answers=every("__import__('time').sleep(10**6)"),
    others=0,
    hangs=True,
)

harm(
    "swallowed_exceptions",
    "Sleeps, and catches whatever would wake it.",
    answers=sigmoid("""
    import time

    def sigmoid(x):
        while True:
            try:
                time.sleep(1)
            except BaseException:
                pass
    """),
    earns=NO_SIGMOID,
    hangs=True,
)

harm(
    "slow_cell_before_a_deadly_call",
    "Takes a second in a cell, which has to run again each time that a call kills the process.",
    before="import time\ntime.sleep(1.0)",
    answers=sigmoid("import os\n\ndef sigmoid(x):\n    os._exit(3)"),
    earns=NO_SIGMOID,
    others=None,
    hangs=True,
)

harm(
    "long_regular_expression",
    "Hangs in compiled code that heeds no signal.",
    answers=sigmoid("import re\n\ndef sigmoid(x):\n    return re.match(r'(a+)+$', 'a' * 64 + 'b')"),
    earns=NO_SIGMOID,
    hangs=True,
)

harm(
    "timers",
    "Sets every timer, each to kill.",
    before="""
    import signal
    for kind, number in ((signal.ITIMER_REAL, signal.SIGALRM), (signal.ITIMER_VIRTUAL, signal.SIGVTALRM), (signal.ITIMER_PROF, signal.SIGPROF)):
        signal.signal(number, signal.SIG_DFL)
        signal.setitimer(kind, 0.001, 0.001)
    """,
    others=None,
)

# Output

for name, about, source in [
    ("stdout", "Prints 40 MB.", "for _ in range(400):\n    print('x' * 100_000)"),
    ("stderr", "Writes 300 MB to stderr.", "import sys\nfor _ in range(300):\n    sys.stderr.write('y' * 10**6)"),
    ("one_character_at_a_time", "Prints many short lines.", "for _ in range(200_000):\n    print('z')"),
    ("displays", "Displays 3,000 times.", "for _ in range(3000):\n    display({'text/html': '<b>' + 'z' * 10**5}, raw=True)"),
    ("a_picture", "Displays a picture of 50 MB.", "display({'image/png': 'A' * 50_000_000}, raw=True)"),
    ("a_result", "Ends in a result of 100 MB.", "'x' * 10**8"),
    ("a_traceback", "Raises an error of 100 MB.", "raise ValueError('x' * 10**8)"),
    ("warnings", "Warns 50,000 times.", "import warnings\nfor n in range(50_000):\n    warnings.warn(f'{n}' * 50)"),
    ("descriptors", "Writes to the descriptors of stdout and stderr.", "import os\nfor _ in range(1000):\n    os.write(1, bytes(10**5)), os.write(2, bytes(10**5))"),
]:  # fmt: skip
    harm(f"flood_of_{name}", about, before=source)

harm("flood_without_end", "Prints for ever.", before="while True:\n    print('x' * 100_000)", hangs=True)

harm(
    "flood_in_a_call",
    "Prints 30 MB in every call of a right answer.",
    answers=sigmoid(
        "def sigmoid(x):\n    for _ in range(300):\n        print('q' * 10**5)\n" + GOOD.split(":", 1)[1]
    ),
)

harm(
    "broken_streams",
    "Closes and forgets its streams.",
    before="""
    import sys
    sys.stdout.close()
    sys.stderr.close()
    sys.stdout = sys.stderr = sys.__stdout__ = sys.stdin = None
    """,
)

harm(
    "results_without_a_text",
    "Ends in a result whose text cannot be had.",
    before="""
    class Silent:
        def __repr__(self):
            raise RuntimeError("no text")
        _repr_html_ = _repr_mimebundle_ = __repr__

    Silent()
    """,
)

harm(
    "error_without_a_text",
    "Raises an error whose text raises it again.",
    answers=sigmoid("""
    class Nasty(Exception):
        def __str__(self):
            raise Nasty
        __repr__ = __str__

    def sigmoid(x):
        raise Nasty
    """),
    earns=NO_SIGMOID,
)

harm(
    "error_with_escapes",
    "Raises an error that clears terminals, sets their title, turns writing around and is a megabyte long.",
    answers=sigmoid(
        r"""def sigmoid(x): raise ValueError('\x1b[2J\x1b]0;pwned\x07\u202e\ud800</script>' + 'A' * 10**6)"""
    ),
    earns=NO_SIGMOID,
)

harm(
    "keyboard_interrupt",
    "Raises what Ctrl-C raises.",
    answers=sigmoid("def sigmoid(x):\n    raise KeyboardInterrupt"),
    earns=NO_SIGMOID,
)

harm(
    "exception_group",
    "Raises a deep group of exceptions, each the cause of the other.",
    answers=sigmoid("""
    def sigmoid(x):
        error = ValueError("deep")
        for _ in range(500):
            error = BaseExceptionGroup("group", [error])
        error.__cause__ = error.__context__ = error
        raise error
    """),
    earns=NO_SIGMOID,
)

harm(
    "recursion",
    "Calls itself, with the limit of recursion lifted.",
    answers=sigmoid("import sys\nsys.setrecursionlimit(10**8)\n\ndef sigmoid(x):\n    return sigmoid(x)"),
    earns=NO_SIGMOID,
    hangs=True,
)

harm(
    "plain_recursion",
    "Calls itself.",
    answers=sigmoid("def sigmoid(x):\n    return sigmoid(x)"),
    earns=NO_SIGMOID,
)

# Replies

harm(
    "reply_too_large",
    "Returns 128 MiB.",
    answers=sigmoid("def sigmoid(x):\n    return np.zeros(2**24)"),
    earns=NO_SIGMOID,
)

harm(
    "largest_reply",
    "Returns as much as a reply may have.",
    answers=sigmoid("def sigmoid(x):\n    return np.zeros(2**21 - 10**5)"),
    earns=NO_SIGMOID,
)

harm(
    "largest_reply_everywhere",
    "Returns as much as a reply may have from every function.",
    answers=every("return np.zeros(2**21 - 10**5)"),
    others=0,
)

LOUD = wired("""
LOUD = "x" * (60 * 2**20)
real = zygote._answer


def loud(shell, verb, rest):
    reply = real(shell, verb, rest)
    if verb == "run":
        reply[1] = [{"output_type": "stream", "name": "stdout", "text": LOUD}]
    return reply


zygote._answer = loud
""")
harm("outputs_past_the_limit", "Sends outputs of 60 MiB for each cell.", before=LOUD, others=None)
harm(
    "outputs_past_the_limit_40_times",
    "Sends outputs of 60 MiB for forty cells.",
    before=[LOUD, *map(str, range(40))],
    others=None,
)

harm(
    "unlimited_record",
    "Lifts the limit of its own outputs.",
    before="""
    import gc
    for each in gc.get_objects():
        if type(each).__name__ == "_Record":
            each.limit = each.left = 10**12
    print("x" * 50 * 2**20)
    """,
    others=None,
)

harm(
    "error_of_60_megabytes",
    "Sends an error of 60 MiB for every call.",
    before=wired("""
    LONG = "A" * (60 * 2**20)
    zygote._answer = lambda shell, verb, rest: ["ran", [], None] if verb == "run" else ["outcome", None, ["ValueError", LONG, ""], [], None]
    """),
    others=0,
)

harm(
    "failure_of_60_megabytes",
    "Says at length that it failed.",
    before=wired("""
    LONG = "A" * (60 * 2**20)
    zygote._answer = lambda shell, verb, rest: ["ran", [], None] if verb == "run" else ["failed", LONG]
    """),
    others=0,
)

harm(
    "warnings_without_end",
    "Sends a million warnings with every value.",
    before=wired("""
    real = zygote._answer

    def warn(shell, verb, rest):
        reply = real(shell, verb, rest)
        if verb == "call":
            reply[3] = ["overflow"] * 10**6
        return reply

    zygote._answer = warn
    """),
    others=None,
    hangs=True,
)

harm(
    "colliding_keys",
    "Sends a dictionary of 8,000 keys with one hash.",
    before=wired("""
    import itertools

    def small(value):
        return b"i" + struct.pack("<I", 1) + struct.pack("<b", value)

    head = small(0) * 100
    keys = [
        b"t" + struct.pack("<I", 113) + head + b"".join(map(small, tail)) + b"N"
        for tail in itertools.islice(itertools.product((-1, -2), repeat=13), 8000)
    ]
    table = b"d" + struct.pack("<I", len(keys)) + b"".join(keys)
    real = zygote.encode

    def encode(value):
        if value[1] != "outcome":
            return real(value)
        number = b"i" + struct.pack("<I", 2) + struct.pack("<h", value[0])
        return b"kfs1l" + struct.pack("<I", 6) + number + b"s" + struct.pack("<I", 7) + b"outcome" + table + b"Nl" + bytes(4) + b"N"

    zygote.encode = encode
    """),
    others=None,
)

for name, about, source in [
    ("impossible_length", "Announces 8 EiB.", "connection.sendall(struct.pack('<Q', 2**63))"),
    ("dripping_reply", "Announces a megabyte and sends a byte now and then.", "import time\nconnection.sendall(struct.pack('<Q', 2**20))\nfor _ in range(40):\n    connection.sendall(b'x')\n    time.sleep(0.2)"),
    ("noise", "Sends a megabyte of noise.", "connection.sendall(os.urandom(10**6))"),
    ("half_a_message", "Sends half a message and hangs up.", "connection.sendall(message(number, 'ran', [], None)[:-3])\nos.close(connection.fileno())"),
    ("shut_down", "Shuts its connection down, one way and then the other.", "connection.shutdown(0)\nconnection.shutdown(1)"),
    ("failure_with_a_script", "Fails with a script and escapes for a reason.", "zygote._answer = lambda *a: ['failed', '<script>\\x1b[2J\\ud800' * 100]"),
]:  # fmt: skip
    harm(name, about, before=wired(source), others=None, hangs=name == "dripping_reply")

# Sources that are hard to read

harm(
    "many_strings_in_a_banned_function",
    "Holds the banned name 20,000 times, as strings.",
    answers={"tanh": "def tanh(x):\n    names = [" + "'tanh'," * 20_000 + "]\n    return x * 0" + GRADIENT},
    earns={"tanh": 0},
)

NAMES = ",".join(f"a{n}" for n in range(3000))
harm(
    "many_targets",
    "Binds 3,000 names to 30,000 values, and reaches all of them from the banned function.",
    answers={"tanh": f"{NAMES} = [{'1,' * 30_000}]\n\ndef tanh(x):\n    return [{NAMES}][0] * 0" + GRADIENT},
    earns={"tanh": 0},
)

harm(
    "deep_sources",
    "Holds sources that make parsers recurse.",
    after=[
        "(" * 100_000 + ")" * 100_000,
        "-" * 100_000 + "1",
        "a" + ".b" * 100_000,
        "+".join("1" * 50_000),
        "{" * 90,
        "[" * 190,
        "lambda:(" * 90,
        "f(" * 150 + "**",
        "x = " + "not " * 100_000 + "1",
        "with (" * 90,
        "a[" * 99 + "b:",
        "if 1:\n" + "".join(" " * n + "if 1:\n" for n in range(1, 99)) + " " * 99 + "pass",
    ],
)

harm(
    "characters_that_are_none",
    "Holds NUL, a lone surrogate, a byte order mark and terminal escapes in code.",
    after=["x = 1\x00", "y = '\ud800'", "\ufeffz = 1", "\x0c\x1b[2J"],
)

harm("4900_cells", "Has 4,900 cells of its own.", after=[f"v = {n}" for n in range(4900)])
