"""A student's code, well or ill meant, in the real sandbox; and the same calls in process."""

import base64
import json
import os
import re
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import nbformat
import numpy as np
import pytest

from grader.sandbox import Limits, Sandbox, SandboxError, StudentDied, StudentTimeout
from grader.sandbox.shell import call_function
from grader.sandbox.trial import tried
from grader.wire import Rng, WireError

SECRET = "a-secret-of-the-grading-process"


@pytest.fixture(scope="module", params=["bubblewrap", "landlock"])
def sandbox(request):
    os.environ["GRADER_TEST_SECRET"] = SECRET
    try:
        with Sandbox(packages=("numpy",), kind=request.param) as sandbox:
            yield sandbox
    except SandboxError as reason:
        pytest.skip(str(reason))
    finally:
        del os.environ["GRADER_TEST_SECRET"]


@pytest.fixture
def alone(sandbox):
    """Whether a hand-in has no namespaces of its own."""
    return sandbox.kind == "landlock"


@pytest.fixture
def session(sandbox):
    with sandbox.open() as session:
        yield session


def value_of(session, expression):
    """An expression's value, by way of a function."""
    ran = session.run(f"def _value():\n    return {expression}")
    assert ran.error is None
    outcome = session.call("_value", [])
    assert outcome.error is None, outcome.error
    return outcome.value


def text_of(ran):
    return "".join(output["text"] for output in ran.outputs if output["output_type"] == "stream")


# Calls


def test_it_says_what_it_is(sandbox):
    assert sandbox.kind in sandbox.description.lower() and "seccomp" in sandbox.description


def test_values_go_there_and_back(session):
    session.run("def same(*args, **kwargs):\n    return [list(args), kwargs]")
    args = [
        None,
        True,
        3,
        2.5,
        1j,
        "é",
        [1, (2,)],
        {"a": np.arange(6.0).reshape(2, 3)},
        np.float32(1),
        np.bool_(1),
    ]
    outcome = session.call("same", args, {"axis": -1})
    assert outcome.error is None and outcome.warnings == []
    (back, kwargs) = outcome.value
    assert kwargs == {"axis": -1} and [type(value) for value in back] == [type(value) for value in args]
    np.testing.assert_array_equal(back[7]["a"], args[7]["a"])


def test_an_rng_arrives_as_a_generator(session):
    session.run("def draw(rng, more):\n    return [rng.random(), more['rng'].random()]")
    outcome = session.call("draw", [Rng(3), {"rng": Rng(4)}])
    assert outcome.value == [np.random.default_rng(3).random(), np.random.default_rng(4).random()]
    assert outcome.arguments == [Rng(3), {"rng": Rng(4)}]


def test_changed_arguments_come_back(session):
    session.run("def spoil(x, y):\n    x[0] = 5\n    return x")
    x = np.zeros(2)
    outcome = session.call("spoil", [x, [1]])
    np.testing.assert_array_equal(outcome.arguments[0], [5, 0])
    assert outcome.arguments[1] == [1] and x[0] == 0


def test_warnings_are_told_whatever_was_silenced(session):
    session.run("import warnings, numpy as np\nnp.seterr(all='ignore')\nwarnings.simplefilter('ignore')")
    session.run("def f(x):\n    return np.exp(x)")
    for _ in range(2):
        outcome = session.call("f", [np.array([1000.0, -1000.0])])
        assert outcome.warnings == ["overflow encountered in exp"]


def test_errors_name_the_students_line(session):
    session.run("import numpy as np\ndef f(x):\n    y = x\n    return np.reshape(y, (7, 7))  # here")
    error = session.call("f", [np.zeros(3)]).error
    assert error.kind == "ValueError" and "reshape" in error.message
    assert error.line == "return np.reshape(y, (7, 7))  # here"
    assert session.call("g", []).error.kind == "MissingFunction"
    session.run("g = 3")
    assert "`g` is not a function but a value of the type `int`" in session.call("g", []).error.message
    assert session.functions() == ["f"]


@pytest.mark.parametrize(
    ("expression", "kind", "words"),
    [
        ("(i for i in range(3))", "WireError", "iterator"),
        ("lambda: 1", "WireError", "function"),
        ("np.matrix([1])", "WireError", "numpy.matrix"),
        ("{1}", "WireError", "list"),
        ("exit()", "SystemExit", ""),
        ("f()", "RecursionError", "recursion"),
        ("np.ones((10**6, 10**6))", "MemoryError", ""),
        ("exec('raise KeyboardInterrupt')", "KeyboardInterrupt", ""),
        ("exec('raise Nasty')", "Exception", "without a text"),
    ],
)
def test_what_does_not_come_back_is_an_error_of_that_call(session, expression, kind, words):
    session.run(
        "import numpy as np\nclass Nasty(Exception):\n    def __str__(self):\n        raise ValueError"
    )
    session.run(f"def f():\n    return {expression}\ndef one():\n    return 1")
    outcome = session.call("f", [])
    assert outcome.value is None and outcome.error.kind == kind and words in outcome.error.message
    assert session.call("one", []).value == 1


def test_our_own_arguments_have_to_be_plain(session):
    with pytest.raises(WireError, match="set"):
        session.call("f", [{1}])


def test_in_process_calls_do_the_same(session):
    source = (
        "import numpy as np\n"
        "def exp(x):\n    return np.exp(x)\n"
        "def spoil(x):\n    x += 1\n    return 0\n"
        "def lazy(x):\n    yield x\n"
        "def draw(rng):\n    return rng.normal(size=2)\n"
        "def wrong(x):\n    raise NotImplementedError('later')\n"
        "def grow(x):\n    x.append({1})\n"
    )
    namespace: dict = {}
    exec(source, namespace)
    session.run(source)
    for name, args in [
        ("exp", [np.array([1000.0])]),
        ("spoil", [np.zeros(2)]),
        ("lazy", [1]),
        ("draw", [Rng(1)]),
        ("wrong", [1]),
        ("grow", [[1]]),
        ("absent", [1]),
        ("exp", []),
    ]:
        here, there = call_function(namespace, name, args, {}), session.call(name, args)
        if here.error is not None:
            here = replace(here, error=replace(here.error, line=there.error.line))
        assert repr(here) == repr(there)


def test_accidents_of_a_notebook_do_not_reach_the_machinery(session):
    session.run(
        "len = print = sum = type = list = open = None\nimport sys\nsys.setrecursionlimit(60)\n"
        "np = 3\nsys.stdout = None\nsys.stderr.close()\ndisplay = None"
    )
    session.run("def f(x):\n    return [x, 1]")
    assert session.call("f", [np.zeros(1)]).error is None
    assert text_of(session.run("__builtins__.print('still')")) == "still\n"


# Cells


def test_outputs_are_those_of_a_notebook(session):
    cells = [
        "print('out'); import sys; print('err', file=sys.stderr); print('again')\n1 + 1",
        "display({'a': 1})\n%time 1",
        "from IPython.display import HTML, JSON\ndisplay(JSON({'a': [1, None]}))\nHTML('<b>x</b>')",
        "%%capture quiet\nprint('unseen')",
        "undefined",
        "x = = 1",
        "!ls\nprint('on')",
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()",
    ]
    rans = [session.run(cell) for cell in cells]
    cells_out = [
        nbformat.v4.new_code_cell(cell, outputs=[nbformat.from_dict(output) for output in ran.outputs])
        for cell, ran in zip(cells, rans, strict=True)
    ]
    nbformat.validate(nbformat.v4.new_notebook(cells=cells_out))
    assert [(output["output_type"], output.get("text")) for output in rans[0].outputs[:3]] == [
        ("stream", "out\n"),
        ("stream", "err\n"),
        ("stream", "again\n"),
    ]
    assert rans[0].outputs[3]["data"] == {"text/plain": "2"}
    assert rans[1].outputs[0]["data"] == {"text/plain": "{'a': 1}"} and "Wall time" in text_of(rans[1])
    assert rans[2].outputs[0]["data"]["application/json"] == {"a": [1, None]}
    assert rans[2].outputs[1]["data"]["text/html"] == "<b>x</b>"
    assert rans[3].outputs == []
    assert rans[4].error == "NameError: name 'undefined' is not defined, line 1"
    assert rans[4].outputs[0]["ename"] == "NameError"
    assert rans[5].error == "SyntaxError: invalid syntax, line 1"
    assert "do not run" in text_of(rans[6]) and text_of(rans[6]).endswith("on\n")
    (picture,) = [output["data"]["image/png"] for output in rans[7].outputs if "image/png" in output["data"]]
    assert base64.b64decode(picture).startswith(b"\x89PNG")


def test_a_figure_shows_without_asking(session):
    ran = session.run("import matplotlib.pyplot as plt\nlines = plt.plot([1, 2])")
    assert any("image/png" in output["data"] for output in ran.outputs)


def test_an_error_in_a_cell_names_its_line(session):
    assert (
        session.run("def f():\n    return 1 / 0\n\nf()").error
        == "ZeroDivisionError: division by zero, line 2"
    )
    assert session.run("1\n\nf()").error == "ZeroDivisionError: division by zero, line 3"


def test_input_is_an_error_that_says_so(session):
    assert "input() cannot be answered" in session.run("name = input('Name?')").error


def test_the_courses_own_imports_work(session):
    ran = session.run(
        "from grader import check, open_notebook\nopen_notebook('a', release='1')\ncheck('softmax')"
    )
    assert ran.error is None and ran.outputs == []
    assert session.run("import course").error is None


def test_a_broken_stdout_breaks_nothing(session):
    for source in (
        "import sys; sys.stdout = None; sys.stderr = 3",
        "sys.stdout.close()",
        "import os; os.close(1)",
    ):
        session.run(source)
    assert text_of(session.run("print('fine')")) == "fine\n"


# Limits


def test_a_hang_is_a_timeout_and_the_next_session_works(sandbox):
    with sandbox.open(Limits(call_seconds=0.5, cell_seconds=0.5)) as session:
        session.run("def hang():\n    while True: pass\ndef quick():\n    return 1")
        with pytest.raises(StudentTimeout, match=r"the call took more than 0.5 seconds"):
            session.call("hang", [])
        with pytest.raises(StudentDied, match=r"0.5 seconds"):
            session.call("quick", [])
    with (
        sandbox.open(Limits(cell_seconds=0.5)) as session,
        pytest.raises(StudentTimeout, match="the cell took"),
    ):
        session.run("import time\ntime.sleep(60)")
    with sandbox.open() as session:
        assert value_of(session, "1") == 1


def test_a_call_may_have_its_own_time(session):
    session.run("def hang():\n    while True: pass")
    with pytest.raises(StudentTimeout, match=r"0.2 seconds"):
        session.call("hang", [], timeout=0.2)


def test_all_together_have_a_time(sandbox):
    with sandbox.open(Limits(total_seconds=0.6)) as session:
        session.run("import time\ndef nap():\n    time.sleep(0.25)")
        with pytest.raises(StudentTimeout, match=r"0.6 seconds in all"):
            for _ in range(4):
                session.call("nap", [])


def test_processor_time_is_bounded(sandbox):
    with (
        sandbox.open(Limits(cpu_seconds=0.5)) as session,
        pytest.raises(StudentDied, match=r"it used more than 0.5 seconds of processor"),
    ):
        session.run("while True: pass")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("import os; os._exit(3)", "exit code 3"),
        ("import ctypes; ctypes.string_at(0)", "SIGSEGV"),
        ("import os; os.closerange(3, 100)", "ended|hung up"),
    ],
)
def test_a_death_says_how(session, source, words):
    with pytest.raises(StudentDied, match=words):
        session.run(source)


def test_printing_is_cut_and_says_so(sandbox):
    with sandbox.open(Limits(output_bytes=10_000, cell_seconds=1)) as session:
        ran = session.run("for i in range(100_000): print('line', i)")
        assert "the output is cut here" in text_of(ran) and len(text_of(ran)) < 11_000
        assert session.run("print('more')\ndisplay(1)").outputs == []
        with pytest.raises(StudentTimeout):
            session.run("while True: print('x' * 1000)")


def test_a_large_picture_is_cut_too(sandbox):
    with sandbox.open(Limits(output_bytes=10_000)) as session:
        ran = session.run("display({'image/png': 'A' * 100_000}, raw=True)\nprint('on')")
        assert "cut here" in text_of(ran) and len(str(ran.outputs)) < 1000


def test_a_reply_is_bounded(sandbox):
    with sandbox.open(Limits(reply_bytes=10_000)) as session:
        session.run("import numpy as np\ndef f():\n    return np.zeros(10_000)")
        with pytest.raises(StudentDied, match=r"more than the 0.01 MB"):
            session.call("f", [])


def test_what_is_too_much_says_how_much_is_allowed(sandbox, alone):
    limits = Limits(memory_bytes=512 * 2**20, file_bytes=2**20, disk_bytes=2**23, processes=8)
    with sandbox.open(limits) as session:
        for source, words in (
            ("import numpy as np\nnp.ones(10**9)", "may have 536.9 MB of memory"),
            ("hog = []\nwhile True: hog.append(bytearray(2**20))", "may have 536.9 MB of memory"),
            ("hog = None\nopen('large', 'wb').write(bytes(2**21))", "may have 1.049 MB in a file"),
            ("files = [open('/dev/null') for _ in range(1000)]", "may have 64 open files"),
            (
                "files = None\nimport os, time\nfor i in range(100):\n"
                "    if os.fork() == 0:\n        time.sleep(60); os._exit(0)",
                "may start no processes here" if alone else "may have 8 processes and threads",
            ),
        ):
            assert words in session.run(source).error
        session.run("import numpy as np\ndef f():\n    return np.ones(10**9)")
        assert "may have 536.9 MB of memory" in session.call("f", []).error.message


def stopped(sandbox, source, **limits):
    """Why a cell cost the process."""
    with sandbox.open(Limits(**limits)) as session, pytest.raises(StudentDied) as died:
        for _ in range(100):
            session.run(source)
    return str(died.value)


def test_all_files_together_are_bounded(sandbox, alone):
    source = "for i in range(99): open(str(i), 'wb').write(bytes(2**19))\nimport time\ntime.sleep(0.3)"
    unseen = "kept = [open('x', 'wb') for _ in range(40) if not __import__('os').path.exists('x') or __import__('os').unlink('x') is None]\nfor file in kept: file.write(bytes(2**19)); file.flush()\ntime.sleep(0.3)"
    if alone:
        for each in (source, f"import time\n{unseen}"):
            assert (
                stopped(sandbox, each, disk_bytes=2**23)
                == "the notebook was stopped: its files took more than 8.389 MB together"
            )
    else:
        with sandbox.open(Limits(disk_bytes=2**23)) as session:
            assert "may have 8.389 MB in all its files" in session.run(source).error
            assert "Errno 28" in session.run("open('/dev/shm/x', 'wb').write(bytes(2**19))").error


def test_many_files_are_bounded(sandbox, alone):
    source = "import os, time\nfor i in range(5000): os.mkdir(str(i))\ntime.sleep(1)"
    if alone:
        assert "more than 4096 files" in stopped(sandbox, source)
    else:
        with sandbox.open() as session:
            assert "Errno 28" in session.run(source).error


def test_nothing_hides_from_the_count(sandbox, alone):
    if not alone:
        pytest.skip("a file system of its own needs no count")
    deep = "import os\nwhile True: os.mkdir('d'); os.chdir('d')"
    assert re.search("more than 4096 files|cannot be looked into: File name too long", stopped(sandbox, deep))
    with sandbox.open() as session:
        assert "PermissionError" in session.run("import os\nos.mkdir('shut', 0o300)").error
        assert "Error" in session.run("os.umask(0o700)").error
        sent = session.run("import socket\na, b = socket.socketpair()\nsocket.send_fds(a, [b'x'], [0])").error
        assert "PermissionError" in sent


def test_mapped_files_without_a_name_are_counted(sandbox, alone):
    if not alone:
        pytest.skip("a file system of its own needs no count")
    source = (
        "import ctypes, os, time\nlibc = ctypes.CDLL(None)\nfor i in range(40):\n"
        "    fd = os.open('x', os.O_RDWR | os.O_CREAT); os.write(fd, bytes(2**20))\n"
        "    libc.mmap(None, 4096, 1, 1, fd, 0); os.unlink('x'); os.close(fd)\ntime.sleep(10)"
    )
    assert "its files took more than" in stopped(sandbox, source, disk_bytes=4 * 2**20, file_bytes=2**20)


def test_threads_are_bounded(sandbox, alone):
    source = (
        "import threading, time\nfor i in range(50): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
        "time.sleep(1)"
    )
    if alone:
        assert "more than 16 processes and threads at a time" in stopped(sandbox, source)
    else:
        with sandbox.open() as session:
            assert "may have 16 processes and threads" in session.run(source).error


def test_memory_of_all_processes_together_is_bounded(sandbox, alone):
    source = (
        "import os, time\nfor i in range(6):\n    if os.fork() == 0:\n"
        "        hog = bytearray(100 * 2**20); time.sleep(60)\ntime.sleep(60)"
    )
    if alone:
        with sandbox.open() as session:
            assert "may start no processes here" in session.run(source).error
    else:
        for secretive in (
            "",
            "import ctypes\nctypes.CDLL(None).prctl(4, 0, 0, 0, 0)\n",
        ):  # not to be looked into
            reason = stopped(sandbox, secretive + source, memory_bytes=300 * 2**20)
            assert (
                reason == "the notebook was stopped: its processes used more than 314.6 MB of memory together"
            )


def test_another_program_begins_with_nothing(sandbox, alone):
    if alone:
        pytest.skip("it starts none")
    source = (
        "import os, sys, time\ncode = 'import time; hog = bytes(range(256)) * (100 * 2**12); time.sleep(60)'\n"
        "for i in range(6):\n    if os.fork() == 0:\n"
        "        os.environ['PYTHONHOME'] = '/python'\n"
        "        os.execv(sys.executable, [sys.executable, '-S', '-c', code])\ntime.sleep(60)"
    )
    assert "of memory together" in stopped(sandbox, source, memory_bytes=300 * 2**20)


def test_processor_time_of_children_nobody_waits_for_counts(sandbox, alone):
    if alone:
        pytest.skip("it has none")
    source = (
        "import os, signal, time\nsignal.signal(signal.SIGCHLD, signal.SIG_IGN)\nfor i in range(12):\n"
        "    if os.fork() == 0:\n        while time.process_time() < 0.5: pass\n        os._exit(0)\n"
        "    try:\n        os.wait()\n    except ChildProcessError: pass"
    )
    assert "of processor time" in stopped(sandbox, source, cpu_seconds=2.0)


def test_memory_that_no_limit_counts_cannot_be_had(session):
    session.run("import ctypes, os\nlibc = ctypes.CDLL(None)")
    assert "PermissionError" in session.run("os.memfd_create('x')").error
    assert (
        value_of(session, "[libc.shmget(0, 4096, 0o1600), libc.semget(0, 1, 0o1600), libc.msgget(0, 0o1600)]")
        == [-1] * 3
    )


def test_processor_time_of_a_cell_and_a_call_is_bounded(sandbox):
    limits = {"cell_cpu_seconds": 0.3, "call_cpu_seconds": 0.3}
    assert "a cell used more than 0.3 seconds of processor time" in stopped(
        sandbox, "while True: pass", **limits
    )
    with sandbox.open(Limits(call_cpu_seconds=0.3)) as session:
        session.run(
            "import time\ndef f(seconds):\n    end = time.process_time() + seconds\n    while time.process_time() < end: pass"
        )
        for _ in range(4):
            assert session.call("f", [0.15]).error is None
        with pytest.raises(StudentDied, match=r"a call used more than 0.3 seconds of processor time"):
            session.call("f", [5])
    assert session.cpu_seconds > 0.9


# What it sees


def test_only_what_may_be_imported_is_there(session):
    for name in (
        "scipy",
        "keras",
        "tensorflow",
        "cv2",
        "torch",
        "skimage",
        "sklearn",
        "kerasref",
        "pytest",
        "nbgrader",
    ):
        assert "ModuleNotFoundError" in session.run(f"import {name}").error
    for name in ("grader.checks", "grader.runner", "grader.sandbox.bubblewrap"):
        assert "ModuleNotFoundError" in session.run(f"import {name}").error
    assert session.run("import numpy, matplotlib, json, sqlite3, ssl, decimal, ctypes").error is None


def test_nothing_of_this_machine_is_read(session, alone):
    repository = str(Path(__file__).parents[2])
    folders = [
        repository,
        "/home",
        "/root",
        "/etc",
        "/usr/bin",
        "/bin",
        "/sys",
        "/var",
        os.path.expanduser("~"),
    ]
    session.run(
        "import os\ndef listed(path):\n    try:\n        return os.listdir(path)\n    except OSError:\n        return None"
    )
    assert [folder for folder in folders if session.call("listed", [folder]).value] == []
    for file in (__file__, "/etc/passwd", "/proc/1/../../etc/hostname"):
        assert session.run(f"open({file!r})").error.startswith(("FileNotFoundError", "PermissionError"))
    if not alone:  # Landlock cannot hide that a path exists
        assert value_of(session, f"[p for p in {folders!r} if os.path.exists(p)]") == []
    assert SECRET not in str(value_of(session, "dict(os.environ)"))
    everything = (
        "import glob\nseen = b''\nfor path in glob.glob('/proc/[0-9]*/*') + [f'/proc/{n}/environ' for n in range(50_000)]:\n"
        "    if path.rsplit('/')[-1] in ('environ', 'cmdline', 'comm'):\n"
        "        try: seen += open(path, 'rb').read()\n        except OSError: pass\n"
    )
    assert session.run(everything).error is None
    assert SECRET not in str(value_of(session, "seen.decode(errors='replace')"))
    processes = session.call("listed", ["/proc"]).value
    assert [name for name in processes or [] if name.isdigit()] in (["1"], [])
    handles = value_of(session, "sorted(int(f) for f in os.listdir('/proc/self/fd'))")
    assert handles[:3] == [0, 1, 2] and len(handles) == 5  # and ours, and the listing's own


def test_nothing_can_be_written_but_its_own_folder(session):
    places = ["/", "/dev", "/python", "/packages/numpy", "/student/grader", "/usr", "/usr/lib", "/python/lib"]
    session.run(
        "def written(place):\n    try:\n        open(place + '/x', 'w')\n        return True\n"
        "    except OSError:\n        return False"
    )
    assert [place for place in places if session.call("written", [place]).value] == []
    assert session.call("written", ["."]).value
    assert session.run("open('/proc/self/comm', 'w')").error.startswith(("OSError", "PermissionError"))


def test_there_is_no_network(session):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        for host in (("127.0.0.1", port), ("192.0.2.1", 80)):
            error = session.run(f"import socket\nsocket.create_connection({host!r}, timeout=2)").error
            assert error.startswith(("ConnectionRefusedError", "OSError", "PermissionError"))
            assert "timed out" not in error


def test_it_has_no_privileges(session, alone):
    status = value_of(session, "open('/proc/self/status').read()")
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {fields[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {"0" * 16}
    assert fields["CapBnd"] == "0" * 16 or (alone and os.getuid())  # which only those who have one may drop
    assert fields["NoNewPrivs"] == "1" and fields["Seccomp"] == "2"
    assert alone or fields["Uid"].split()[0] != "0"
    session.run("import ctypes\nunshare = ctypes.CDLL(None).unshare")
    assert value_of(session, "unshare(0x10000000)") == -1


def test_sessions_do_not_see_each_other(sandbox, alone):
    with sandbox.open() as one, sandbox.open() as two:
        one.run("x = 1\nopen('mine', 'w').write('secret')")
        mine = value_of(one, "__import__('os').path.abspath('mine')")
        assert "Error" in two.run(f"open({mine!r})").error
        assert not alone or "PermissionError" in two.run(f"open({mine!r}, 'w')").error
        assert "NameError" in two.run("x").error
    with sandbox.open() as three:
        assert value_of(three, "__import__('os').listdir('.')") == []


def test_sessions_do_not_reach_each_other(sandbox, alone):
    with sandbox.open() as one, sandbox.open() as two:
        if alone:
            other = value_of(one, "__import__('os').getpid()")
            assert "PermissionError" in two.run(f"import os\nos.kill({other}, 0)").error
            assert "PermissionError" in two.run("import socket\nsocket.socket(socket.AF_UNIX)").error
            return
        for place in ("/tmp", "/dev/shm", "/dev/pts"):
            one.run(f"open('{place}/mine', 'w').write('secret')")
            assert not value_of(two, f"__import__('os').path.exists('{place}/mine')")
        one.run("import socket\nserver = socket.create_server(('127.0.0.1', 5000))")
        one.run("named = socket.socket(socket.AF_UNIX)\nnamed.bind('\\0mine')\nnamed.listen()")
        reached = two.run("import socket\nsocket.create_connection(('127.0.0.1', 5000))").error
        assert "Refused" in reached or "unreachable" in reached
        assert "Refused" in two.run("socket.socket(socket.AF_UNIX).connect('\\0mine')").error


def running(name):
    found = []
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            found += [path] * (path.read_text().strip() == name)
        except OSError:
            continue
    return found


def test_what_it_left_behind_is_dead(sandbox, alone):
    name = f"left{os.getpid()}"
    with sandbox.open() as session:
        session.run(
            "import os, ctypes, signal, time\n"
            "if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n"
            "        for kind in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(kind, signal.SIG_IGN)\n"
            f"        ctypes.CDLL(None).prctl(15, b'{name}', 0, 0, 0)\n        time.sleep(600)\n    os._exit(0)\n"
            "time.sleep(0.3)"
        )
        assert alone or running(name)
    assert not running(name)


def test_its_folder_goes_with_it(sandbox, alone):
    source = (
        "import os\nhere = os.getcwd()\nopen('x', 'w').write('x')\n"
        "for i in range(1100):\n    os.mkdir('d'); os.chdir('d')\n"
    )
    with sandbox.open() as session:
        assert session.run(source).error is None
        own = value_of(session, "here")
        assert os.path.exists(own) == alone
    assert not os.path.exists(own)


# Lies


FORGE = """
import os, socket, struct
def forge(data):
    for fd in range(3, 64):
        try:
            os.write(fd, data)
        except OSError:
            pass
"""


@pytest.mark.parametrize(
    "expression",
    [
        "b'garbage' * 100",
        "bytes(64)",
        "b'\\xff' * 64",
        "struct.pack('<Q', 4) + b'kfs1'",
        "frame([2, 'ran', [{'output_type': 'stream', 'name': 'x', 'text': ''}], None])",
        "frame([2, 'ran', [{'output_type': 'display_data', 'data': {'image/png': 1.5}, 'metadata': {}}], None])",
        "frame([2, 'ran', 'nothing', None])",
        "frame([2, 'outcome', 1, None, [], None])",
        "frame([2, 'ran', [{'output_type': 'stream', 'name': array, 'text': ''}], None])",
        "frame([2, 'ran', [{'output_type': array}], array])",
        "frame([2, 'ran', [array], None])",
        "frame([2, array, [], None])",
        "frame([array, 'ran', [], None])",
        "frame(array)",
        "frame([99, 'ran', [], None])",
        "frame(['ready'])",
        "frame(2)",
    ],
)
def test_a_forged_reply_fails_that_call_and_nothing_else(sandbox, expression):
    with sandbox.open() as session:
        session.run(
            FORGE + "import numpy\narray = numpy.arange(3)\nfrom grader.wire import encode\n"
            "def frame(value):\n    data = encode(value)\n    return struct.pack('<Q', len(data)) + data"
        )
        with pytest.raises(StudentDied, match=r"unreadable|MB"):
            session.run(f"forge({expression})")
        with pytest.raises(StudentDied):
            session.functions()
    with sandbox.open() as session:
        assert value_of(session, "1") == 1


def test_a_reply_that_never_ends_is_a_timeout(sandbox):
    with sandbox.open(Limits(cell_seconds=0.5)) as session:
        session.run(FORGE)
        with pytest.raises(StudentTimeout):
            session.run("forge(struct.pack('<Q', 1000))\nimport time\ntime.sleep(60)")


# Our side


def test_without_bubblewrap_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=r"apt install bubblewrap.*dnf install bubblewrap"):
        Sandbox(kind="bubblewrap").__enter__()


def test_without_bubblewrap_landlock_is_taken(monkeypatch, tmp_path):
    try:
        with Sandbox(kind="landlock"):
            pass
    except SandboxError as reason:
        pytest.skip(str(reason))
    monkeypatch.setenv("PATH", str(tmp_path))
    with Sandbox() as sandbox:
        assert sandbox.kind == "landlock"


@pytest.mark.slow
def test_where_no_namespaces_can_be_made_landlock_is_in_force():
    command = (
        "echo 0 > /proc/sys/user/max_user_namespaces && "
        "exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs "
        f"{sys.executable} -c 'from grader.cli import main; main()' doctor --json"
    )
    ran = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", command],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    if not ran.stdout:
        pytest.skip(ran.stderr.strip())
    findings = {row["what"]: row for row in json.loads(ran.stdout)}
    assert findings["sandbox"]["finding"] == "landlock is in force", findings
    assert findings["bubblewrap"]["ok"] is None and "namespace" in findings["bubblewrap"]["finding"]


def test_a_bubblewrap_that_fails_is_told(monkeypatch, tmp_path):
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match=r"No permissions to create new namespace.*max_user_namespaces"):
        Sandbox(kind="bubblewrap").__enter__()


def test_an_unknown_package_is_told(sandbox):
    with pytest.raises(SandboxError, match="no-such-package"):
        Sandbox(packages=("no-such-package",)).__enter__()


def test_an_unknown_kind_is_told():
    with pytest.raises(ValueError, match="`kind` is 'docker'; there are bubblewrap, landlock, none"):
        Sandbox(kind="docker")


def test_a_dead_zygote_is_told(sandbox):
    with Sandbox() as other:
        other._process.kill()
        other._process.wait()
        time.sleep(0.2)
        with pytest.raises(SandboxError, match=r"has stopped|cannot isolate"):
            other.open()
    with pytest.raises(SandboxError, match="closed"):
        other.open()


def test_a_killed_grading_process_leaves_nothing(sandbox, tmp_path):
    name = f"kill{os.getpid()}"
    source = (
        "import time\nfrom grader.sandbox import Sandbox\n"
        f"with Sandbox(kind={sandbox.kind!r}) as sandbox, sandbox.open() as session:\n"
        f"    session.run(\"import ctypes; ctypes.CDLL(None).prctl(15, b'{name}', 0, 0, 0)\")\n"
        "    print('up', flush=True)\n    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", source],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    ) as process:
        assert process.stdout.readline() == "up\n" and running(name)
        process.kill()
    deadline = time.monotonic() + 10
    while (running(name) or list(tmp_path.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not running(name) and not list(tmp_path.iterdir())


def test_nothing_stays_open(sandbox):
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        with sandbox.open() as session, pytest.raises(StudentDied):
            session.run("import os; os._exit(1)")
    assert len(os.listdir("/proc/self/fd")) == before


def test_it_is_proven_by_trying_to_get_out(sandbox, tmp_path):
    attempts = tried(sandbox, tmp_path)
    assert len(attempts) == 5 and all(attempt.held for attempt in attempts)
    with Sandbox(kind="none") as unsafe:
        out = {attempt.what for attempt in tried(unsafe, tmp_path) if not attempt.held}
    assert {"read a file of ours", "write a file beside it"} <= out
    assert not list(tmp_path.iterdir())
