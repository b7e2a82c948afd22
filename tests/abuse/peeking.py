"""Peeking: at files, the environment, other processes, the network, what was before, and who sits beside."""

from tests.abuse import Kind
from tests.abuse.forging import WRONG

peeking = Kind("peeking", answers={"sigmoid": WRONG}, earns={"sigmoid": 0})

peeking(
    "files_by_path",
    "Opens and lists what the grading side keeps.",
    before="""
    import os
    folder = HOST["folder"]
    for path in ("gradebook.db", "canary.txt", ".grader/seed", ".grader/cases", "solutions", "nbgrader_config.py"):
        try:
            found(path, os.listdir(f"{folder}/{path}") if os.path.isdir(f"{folder}/{path}") else open(f"{folder}/{path}", "rb").read(50))
        except OSError:
            pass
    for path in (folder, HOST["repository"], HOST["home"], HOST["temporary"], "/root", "/home", "/etc/passwd", "/etc/shadow"):
        try:
            found(path, os.listdir(path) if os.path.isdir(path) else open(path).read(50))
        except OSError:
            pass
    """,
)

peeking(
    "files_by_detour",
    "Reaches for the same files through links, /proc, descriptors and relative paths.",
    before="""
    import glob, os
    target = HOST["folder"] + "/canary.txt"
    try:
        os.symlink(target, "soft")
        os.link(target, "hard")
    except OSError:
        pass
    roads = ["soft", "hard", "../" * 30 + target, "//" + target, "/proc/self/root" + target, "/proc/self/cwd/" + "../" * 30 + target]
    roads += [f"{place}{target}" for place in glob.glob("/proc/[0-9]*/root") + glob.glob("/proc/[0-9]*/task/*/root")]
    for road in roads:
        try:
            found(road, open(road, "rb").read(50))
        except OSError:
            pass
    for handle in range(64):
        try:
            os.fchdir(handle)
            found(handle, os.listdir("."))
        except OSError:
            pass
    """,
)

peeking(
    "handles_of_files",
    "Opens files by handle, and with the flags that go around names.",
    before="""
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(2, 64):
        handle = (ctypes.c_uint * 6)(8, 1, number, 0, 0, 0)
        if libc.open_by_handle_at(-100, handle, 0) >= 0:
            found("inode", number)
    if libc.syscall(437, -100, HOST["folder"].encode() + b"/canary.txt", (ctypes.c_uint64 * 3)(0, 0, 0), 24) >= 0:
        found("openat2")
    if libc.syscall(428, -100, HOST["folder"].encode(), 1) >= 0:
        found("open_tree")
    """,
)

peeking(
    "environment",
    "Looks through every environment it can read for secrets.",
    before="""
    import ctypes, glob, os
    for name in os.environ:
        if any(word in name.upper() for word in ("TOKEN", "KEY", "SECRET", "PASS", "PYTHONPATH", "SSH", "GRADER")):
            found(name)
    for path in glob.glob("/proc/*/environ") + glob.glob("/proc/*/cmdline"):
        try:
            text = open(path, "rb").read()
        except OSError:
            continue
        if b"GRADER_TEST_SECRET" in text or HOST["repository"].encode() in text:
            found(path)
    """,
)

peeking(
    "other_processes",
    "Looks at the grading process and its children: memory, maps, descriptors, by ptrace and by reading across.",
    before="""
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    pid = HOST["pid"]
    for entry in ("environ", "maps", "mem", "cmdline", "fd", "root", "cwd", "task"):
        try:
            path = f"/proc/{pid}/{entry}"
            os.listdir(path) if entry in ("fd", "task", "root", "cwd") else open(path, "rb").read(1)
            if b"pytest" in open(f"/proc/{pid}/cmdline", "rb").read():
                found(path)
        except OSError:
            pass
    if libc.ptrace(0x4206, pid, 0, 0) == 0:
        found("ptrace")
    buffer = ctypes.create_string_buffer(8)
    if libc.process_vm_readv(pid, (ctypes.c_void_p * 2)(ctypes.addressof(buffer), 8), 1, (ctypes.c_void_p * 2)(0x400000, 8), 1, 0) > 0:
        found("process_vm_readv")
    try:
        handle = os.pidfd_open(pid)
        if libc.syscall(438, handle, 0, 0) >= 0:
            found("pidfd_getfd")
    except OSError:
        pass
    """,
)

peeking(
    "network",
    "Connects to our ports and sockets, by every family, and listens for others.",
    before="""
    import socket
    for family, address in [
        (socket.AF_INET, ("127.0.0.1", HOST["port"])),
        (socket.AF_INET, ("0.0.0.0", HOST["port"])),
        (socket.AF_INET6, ("::ffff:127.0.0.1", HOST["port"])),
        (socket.AF_INET, ("10.0.0.1", 80)),
        (socket.AF_UNIX, HOST["abstract"]),
        (socket.AF_UNIX, HOST["socket"]),
    ]:
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            try:
                with socket.socket(family, kind) as client:
                    client.settimeout(1)
                    client.connect(address)
                    if kind == socket.SOCK_STREAM:
                        found(address)
                    client.send(b"hello")
            except OSError:
                pass
    for family, protocol in ((socket.AF_NETLINK, 0), (socket.AF_PACKET, 3), (40, 0)):
        try:
            with socket.socket(family, socket.SOCK_RAW, protocol) as client:
                if family != socket.AF_NETLINK:
                    found(family)
        except OSError:
            pass
    """,
)

peeking(
    "modules",
    "Imports what grades, what it is graded against, and what would answer for it.",
    before="""
    for name in ("kerasref", "grader.checks", "grader.cases", "grader.runner", "grader.misconceptions", "keras", "tensorflow", "scipy", "sklearn", "torch", "cv2", "pytest", "nbformat", "nbgrader", "pip", "tests", "solutions"):
        try:
            __import__(name)
            found(name)
        except ImportError:
            pass
    """,
)

peeking(
    "modules_by_path",
    "Looks for packages that are not to be imported anywhere on the disk, and for a Python that has them.",
    before="""
    import glob, os, sys
    roads = ["/usr/lib/python3/dist-packages", HOST["repository"], HOST["repository"] + "/.venv/lib", sys.base_prefix, sys.prefix]
    for road in roads + glob.glob("/usr/*/python3*/*-packages") + glob.glob("/*/lib/python3*/*-packages"):
        sys.path.insert(0, road)
    for name in ("kerasref", "keras", "scipy", "tensorflow", "pip"):
        try:
            __import__(name)
            found(name)
        except ImportError:
            pass
    """,
)

peeking(
    "reference_as_answer",
    "Imports the reference in the place of an answer.",
    answers={"sigmoid": "from kerasref.activations import sigmoid, sigmoid_grad"},
)

peeking(
    "earlier_hand_ins",
    "Leaves a note wherever it can write, and looks for those of others.",
    before="""
    import os
    for folder in {"/tmp", "/dev/shm", "/var/tmp", "/run", os.path.expanduser("~"), os.getcwd()}:
        try:
            if "note" in os.listdir(folder):
                found(folder)
            open(f"{folder}/note", "w").write("x")
        except OSError:
            pass
    """,
    after="""
    import os
    if os.path.exists("/tmp/home/note") and open("/tmp/home/note").read() != "x":
        found("another's note")
    """,
)

peeking(
    "history",
    "Asks IPython for the cells that others ran.",
    before=[
        "%history",
        "%hist -g .",
        """
        history = get_ipython().history_manager
        if any("SECRET" in line or "kerasref" in line for line in [*history.input_hist_raw[:-1], *In[:-1]]):
            found(history.input_hist_raw)
        if any(True for _ in history.get_range_by_str("~1/")):
            found("an earlier session")
        """,
    ],
)

peeking(
    "command_line",
    "Looks at how its process was started, and where from.",
    before="""
    import os, sys
    told = [*sys.argv, *sys.orig_argv, *sys.path, sys.executable, sys.prefix, os.getcwd()]
    for path in ("/proc/self/mountinfo", "/proc/mounts", "/proc/self/maps"):
        try:
            told.append(open(path).read())
        except OSError:
            pass
    if any(HOST["folder"] in each for each in told):
        found(HOST["folder"])
    """,
)

peeking(
    "notes_in_the_kernel",
    "Leaves a key with the kernel, and reads the names of all that others left.",
    before="""
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    try:
        if "note of" in open("/proc/keys").read():
            found("another's note")
    except OSError:
        pass
    for keyring in range(-5, 0):
        if libc.syscall(248, b"user", b"note of %d" % keyring, b"secret", ctypes.c_size_t(6), ctypes.c_long(keyring)) > 0:
            found("a keyring", keyring)
    """,
)

peeking(
    "shared_memory",
    "Attaches every shared memory and message queue that there is.",
    before="""
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    for number in range(64):
        if libc.shmat(number, None, 0o10000) != -1 or libc.msgget(number, 0) > 0:
            found("shared memory", number)
    """,
)

peeking(
    "clipboard_of_the_zygote",
    "Looks in the memory that it was forked with for words that are not its own.",
    before="""
    import gc, sys
    words = ("GRADER_TEST" + "_SECRET", HOST["repository"] + "/solutions")
    for each in gc.get_objects():
        for value in each.values() if type(each) is dict else ():
            if type(value) is str and value != words[0] and any(word in value for word in words) and each is not globals():
                found(value[:80])
    """,
)

peeking(
    "kernel_messages",
    "Reads what the kernel says: messages, modules, disks, other users.",
    before="""
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.klogctl(3, ctypes.create_string_buffer(100), 100) > 0:
        found("kernel log")
    for path in ("/dev/kmsg", "/dev/mem", "/dev/sda", "/dev/vda", "/dev/kvm", "/proc/kcore", "/proc/kallsyms", "/var/log/syslog", "/run/docker.sock", "/sys/kernel/debug"):
        try:
            if open(path, "rb").read(1) and path != "/proc/kallsyms":
                found(path)
        except OSError:
            pass
    """,
)
