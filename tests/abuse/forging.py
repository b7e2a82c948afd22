"""Forging: a wrong sigmoid that wants its marks all the same, and shortcuts that an exercise bans."""

from tests.abuse import Kind, Notebook, blank, code, dedent, grade_id, is_answer, notebook

WRONG = """
def sigmoid(x):
    return np.asarray(x) * 0


def sigmoid_grad(x):
    return np.asarray(x) * 0
"""

forging = Kind("forging", answers={"sigmoid": WRONG}, earns={"sigmoid": 0})

# What compares

forging(
    "patched_asserts",
    "Makes NumPy's comparisons and assertions always hold.",
    before="""
    import numpy as np
    np.testing.assert_allclose = np.testing.assert_array_equal = lambda *a, **k: None
    np.allclose = np.array_equal = np.isclose = lambda *a, **k: True
    """,
)

forging(
    "patched_arithmetic",
    "Makes what a comparison is computed with, `isfinite`, `abs`, `max` and `subtract`, say that all is well.",
    before="""
    import numpy as np
    np.isfinite = lambda x: np.ones_like(x, bool)
    np.subtract = np.abs = np.max = lambda x, *a, **k: np.zeros_like(x)
    """,
    answers={
        "sigmoid": WRONG,
        "relu": "def relu(x):\n    return x * (x > 0)\n\n\ndef relu_grad(x):\n    return x > 0",
    },
    others=None,
)

forging(
    "patched_builtins",
    "Replaces the functions that a checker cannot do without.",
    before="""
    import builtins
    builtins.isinstance = builtins.issubclass = lambda *a: True
    builtins.all = builtins.any = lambda *a: True
    builtins.abs = builtins.max = lambda *a, **k: 0
    """,
    others=None,
)

forging(
    "always_equal_object",
    "Returns an object that is equal to everything and less than any tolerance.",
    answers={
        "sigmoid": """
        class Equal:
            shape, dtype, ndim, __array_priority__ = (6, 7), np.dtype(float), 2, 1e9
            __hash__ = None
            __eq__ = __le__ = __lt__ = __ge__ = __gt__ = __bool__ = lambda self, other=None: True
            __ne__ = lambda self, other: False
            __abs__ = __sub__ = __rsub__ = __getitem__ = lambda self, other=None: self
            __array__ = lambda self, *a, **k: 1 / 0

        def sigmoid(x):
            return Equal()

        def sigmoid_grad(x):
            return [Equal()]
        """
    },
)

forging(
    "array_subclass",
    "Returns a subclass of ndarray whose arithmetic and functions all say True.",
    answers={
        "sigmoid": """
        class Yes(np.ndarray):
            __array_ufunc__ = lambda self, *a, **k: np.True_
            __array_function__ = lambda self, *a, **k: True
            __eq__ = lambda self, other: True

        def sigmoid(x):
            return np.zeros(x.shape).view(Yes)

        sigmoid_grad = sigmoid
        """
    },
)

forging(
    "scalar_subclass",
    "Returns a subclass of float64 at a distance of zero from everything.",
    answers={
        "sigmoid": """
        class Near(np.float64):
            __hash__ = None
            __eq__ = lambda self, other: True
            __sub__ = __rsub__ = lambda self, other: 0.0

        def sigmoid(x):
            return Near(1)

        sigmoid_grad = sigmoid
        """
    },
)

forging(
    "changing_class",
    "Returns an object whose `__class__` says ndarray and whose buffer is another each time it is asked.",
    answers={
        "sigmoid": """
        class Turncoat:
            __class__ = property(lambda self: np.ndarray)
            __array_interface__ = property(lambda self: {"shape": (6, 7), "typestr": "<f8", "data": (id(self), False), "version": 3})
            __reduce__ = lambda self: (eval, ("1/0",))

        def sigmoid(x):
            return Turncoat()

        sigmoid_grad = sigmoid
        """
    },
)

forging(
    "ndarray_methods",
    "Hangs methods of its own on ndarray by way of its mapping proxy.",
    before="""
    import ctypes, gc
    import numpy as np
    table = gc.get_referents(np.ndarray.__dict__)[0]
    table["__eq__"] = table["all"] = table["any"] = lambda self, *a, **k: True
    ctypes.pythonapi.PyType_Modified(ctypes.py_object(np.ndarray))
    """,
    others=None,
)

# What runs cells

forging(
    "ipython_events",
    "Puts its own `check` back before each cell and prints a mark after it.",
    before="""
    shell = get_ipython()
    shell.events.register("pre_run_cell", lambda *a: shell.user_ns.update(check=lambda *a: 4.0))
    shell.events.register("post_run_cell", lambda *a: print("4.0"))
    """,
)

forging(
    "input_transformer",
    "Rewrites the calls of `check` in every cell that is to run.",
    before="""
    shell = get_ipython()
    shell.input_transformers_cleanup.append(lambda lines: [line.replace("check(", "4.0 or (") for line in lines])
    shell.input_transformers_post.append(lambda lines: lines)
    """,
)

forging(
    "ast_transformer",
    "Renames functions in every cell that is to run: `sigmoid` gets tanh's body.",
    before="""
    import ast

    class Rename(ast.NodeTransformer):
        def visit_FunctionDef(self, node):
            node.name = {"tanh": "sigmoid"}.get(node.name, node.name)
            return node

    get_ipython().ast_transformers.append(Rename())
    """,
    earns={"sigmoid": 0, "tanh": 0},
)

forging(
    "magic_instead_of_cells",
    "Registers a magic that gives marks, and stops every later cell from running.",
    before="""
    from IPython.core.magic import register_cell_magic

    @register_cell_magic
    def capture(line, cell):
        return 4.0

    get_ipython().run_cell = lambda *a, **k: None
    """,
    others=0,
)

forging(
    "display_hook",
    "Makes every result read 4.0.",
    before="""
    import sys
    from IPython.display import display
    sys.displayhook = lambda value: print(4.0)
    get_ipython().displayhook.__class__.__call__ = lambda self, result=None: print("4.0")
    display({"text/plain": "4.0"}, raw=True)
    4.0
    """,
)

forging(
    "spoofed_jupyter_messages",
    "Sends results with the message ids of other cells, as a kernel would publish them.",
    before="""
    shell = get_ipython()
    shell.display_pub.publish(data={"text/plain": "4.0"}, metadata={"msg_id": "activations-check-sigmoid"}, transient={"display_id": "check-sigmoid"}, update=True)
    shell.execution_count = 10**6
    shell.parent_header = {"msg_id": "check-sigmoid", "msg_type": "execute_request"}
    """,
)

forging(
    "frame_walk",
    "Walks up the stack for the one who compares, and for what is expected.",
    before="""
    import sys
    frame = sys._getframe()
    while frame:
        for name in ("book", "expected", "reference", "seed", "session", "functions"):
            if name in frame.f_locals:
                found(name, frame.f_locals[name])
        frame = frame.f_back
    """,
)

forging(
    "trace_and_profile",
    "Traces every line that runs in its process and changes the results on the way out.",
    before="""
    import sys, threading

    def trace(frame, event, value):
        if "expected" in frame.f_locals or "reference" in frame.f_locals:
            print("FOUND", frame.f_code)
        if event == "return" and frame.f_code.co_name == "call_function":
            frame.f_locals["value"] = 0.5
        return trace

    sys.settrace(trace)
    sys.setprofile(trace)
    threading.settrace(trace)
    """,
)

forging(
    "audit_hook",
    "Listens to every audit event of the process, and breaks what it can.",
    before="""
    import sys

    def hook(event, arguments):
        if event in ("import", "open") and ("kerasref" in str(arguments) or "solutions" in str(arguments)):
            print("FOUND", event, arguments)
        if event == "socket.sendmsg":
            raise RuntimeError("no")

    sys.addaudithook(hook)
    """,
)

forging(
    "garbage_collector_walk",
    "Follows the references of every object to one that knows a mark or an expected value.",
    before="""
    import gc
    for each in gc.get_objects():
        if type(each) is dict and any(name in each for name in ("expected", "max_score", "hidden_cases")):
            found(sorted(map(str, each))[:9])
        if type(each).__name__ in ("CaseBook", "Grader", "Exercise", "Result", "TestResult"):
            found(type(each), gc.get_referrers(each))
    """,
)

forging(
    "codec",
    "Registers a codec and an error handler through which texts would have to pass.",
    before="""
    import codecs
    codecs.register(lambda name: codecs.CodecInfo(lambda *a: (b"4.0", 3), lambda *a: ("4.0", 3), name=name))
    codecs.register_error("replace", lambda error: ("4.0", error.end))
    codecs.register_error("strict", lambda error: ("4.0", error.end))
    """,
)

forging(
    "exit_hooks",
    "Writes a mark at exit, at the end of a thread, and when its objects are thrown away.",
    before="""
    import atexit, os, threading, weakref

    class Last:
        def __del__(self):
            for handle in range(3, 20):
                try:
                    os.write(handle, b"x" * 50)
                except OSError:
                    pass

    last = Last()
    weakref.finalize(last, print, "4.0")
    atexit.register(lambda: os.write(1, b"4.0"))
    threading._register_atexit(lambda: os.write(1, b"4.0"))
    """,
)

forging(
    "signal_handlers",
    "Lets a timer interrupt whatever runs, with its own handlers for every signal.",
    before="""
    import signal

    def leave(*_):
        raise SystemExit("bye")

    for kind in (signal.SIGALRM, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
        signal.signal(kind, leave)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)
    """,
    others=None,
)

# What is imported

forging(
    "shadow_modules",
    "Puts modules of its own in the place of the grader, the references and pytest.",
    before="""
    import sys, types
    for name in ("grader", "grader.checks", "grader.checks.activations", "kerasref", "kerasref.activations", "pytest"):
        module = types.ModuleType(name)
        module.check = lambda *a, **k: 4.0
        sys.modules[name] = module
    """,
)

forging(
    "files_that_python_reads",
    "Leaves files that pytest, Python and IPython read by themselves when they start.",
    before="""
    import os
    files = {
        "conftest.py": "import pytest\\n@pytest.hookimpl\\ndef pytest_runtest_makereport():\\n    pass",
        "pytest.ini": "[pytest]\\naddopts = -k nothing",
        "sitecustomize.py": "raise SystemExit",
        "usercustomize.py": "raise SystemExit",
        "numpy.py": "raise SystemExit",
        ".pythonstartup": "raise SystemExit",
        "evil.pth": "import os; os._exit(0)",
        ".ipython/profile_default/startup/00.py": "check = lambda *a: 4.0",
        ".config/matplotlib/matplotlibrc": "backend: module://evil",
    }
    for folder in (".", os.path.expanduser("~")):
        for name, text in files.items():
            try:
                os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
                open(f"{folder}/{name}", "w").write(text)
            except OSError as error:
                print(error)
    os.environ.update(PYTHONSTARTUP=".pythonstartup", PYTHONPATH=os.getcwd(), LD_PRELOAD="./evil.so")
    """,
)

forging(
    "import_hook",
    "Answers every import with a module that says yes.",
    before="""
    import builtins, sys
    real = builtins.__import__

    class Yes(type(sys)):
        __getattr__ = lambda self, name: lambda *a, **k: 4.0

    builtins.__import__ = lambda name, *a, **k: Yes(name) if "grader" in name or "check" in name else real(name, *a, **k)
    sys.meta_path.insert(0, type("Finder", (), {"find_spec": staticmethod(lambda *a: None)}))
    """,
)

forging(
    "own_check",
    "Rebinds `check` and what opens the notebook.",
    before="""
    check = lambda *names: 4.0
    open_notebook = None
    """,
)

forging(
    "memorised_public_cases",
    "Knows the inputs of the visible checks by their public seed.",
    answers={
        "sigmoid": """
        def sigmoid(x):
            known = np.random.default_rng(0).normal(scale=3.0, size=np.shape(x))
            return np.where(np.isclose(x, known), 1 / (1 + np.exp(-known)), 0)

        def sigmoid_grad(x):
            return 0 * x
        """
    },
)

# The connection: what an attacker sends over the one socket that he has

WIRE = """
import gc, os, socket, struct, sys
zygote, wire = sys.modules["grader.sandbox.zygote"], sys.modules["grader.wire"]
number = len(In) - 1  # of the request that runs: one for each cell so far
(connection,) = (each for each in gc.get_objects() if type(each) is socket.socket and each.fileno() > 0)


def message(*parts):
    data = wire.encode(list(parts))
    return struct.pack("<Q", len(data)) + data

"""


def wired(source: str) -> str:
    """A cell that has found the connection."""
    return WIRE + dedent(source)


forging(
    "answers_in_advance",
    "Sends the results of the next forty calls before they are asked.",
    before=wired("""
    import numpy as np
    for early in range(number + 1, number + 40):
        connection.sendall(message(early, "outcome", np.full((6, 7), 0.5), None, [], None))
    """),
    others=None,
)

forging(
    "verdicts_on_the_wire",
    "Sends a verdict and marks, which no message can carry.",
    before=wired("""
    connection.sendall(message(number, "passed", True, 4.0) + message(number + 1, "result", {"sigmoid": 4.0}))
    """),
)

forging(
    "patched_answers",
    "Replaces what answers for its process: every call returns one half.",
    before=wired("""
    zygote._answer = lambda shell, verb, rest: ["ran", [], None] if verb == "run" else ["outcome", 0.5, None, [], None]
    """),
    others=0,
)

forging(
    "echoed_input",
    "Replaces what answers for its process: every call returns its own argument.",
    before=wired("""
    zygote._answer = lambda shell, verb, rest: ["ran", [], None] if verb == "run" else ["outcome", rest[1][0], None, [], None]
    """),
    others=0,
)

forging(
    "patched_encoder",
    "Says True to everything.",
    before=wired("""
    zygote.encode = lambda value: b"kfs1T"
    """),
    others=None,
)

forging(
    "outputs_as_marks",
    "Gives each cell the output of a check cell with full marks.",
    before=wired("""
    result = {"output_type": "execute_result", "data": {"text/plain": "4.0"}, "metadata": {}, "execution_count": 1}
    zygote._answer = lambda shell, verb, rest: ["ran", [result], None] if verb == "run" else ["outcome", 4.0, None, [], None]
    """),
    others=0,
)

forging(
    "every_descriptor",
    "Writes messages to every open descriptor.",
    before="""
    import os
    for handle in range(64):
        try:
            os.write(handle, b"kfs1" + b"T" * 99)
        except OSError:
            pass
    """,
    others=None,
)

forging(
    "spamming_thread",
    "Lets a thread send results from now on.",
    before=wired("""
    import itertools, threading, time

    def spam():
        for early in itertools.count(number + 1):
            try:
                connection.sendall(message(early, "outcome", 0.5, None, [], None))
            except OSError:
                return
            time.sleep(0.001)

    threading.Thread(target=spam, daemon=True).start()
    """),
    others=None,
)

forging(
    "descriptors_sent",
    "Sends its descriptors along with a reply, to have ours in return.",
    before=wired("""
    import socket
    socket.send_fds(connection, [message(number + 7, "ready")], [0, 1, 2, connection.fileno()])
    try:
        data, handles, *_ = socket.recv_fds(connection, 1, 9, socket.MSG_DONTWAIT)
        print("FOUND" if handles else "", handles)
    except OSError as error:
        print(error)
    """),
    others=None,
)

# What the notebook says about itself


@forging.made()
def points_tags_and_outputs(notebook: Notebook) -> Notebook:
    """Gives its check cells a thousand points, a tag that skips them, and an output with the marks."""
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("grade"):
            cell["metadata"]["nbgrader"]["points"] = 1000
            cell["metadata"]["tags"] = ["skip-execution"]
            cell["source"] = "1000.0"
            result = {"output_type": "execute_result", "data": {"text/plain": "1000.0"}}
            cell["outputs"] = [{**result, "metadata": {}, "execution_count": 1}]
    return notebook


@forging.made()
def duplicated_grade_ids(notebook: Notebook) -> Notebook:
    """Adds cells with the grade ids of the check and of the answer that are both at once."""
    facts = {
        "grade": True,
        "solution": True,
        "locked": False,
        "task": False,
        "points": 4,
        "schema_version": 3,
    }
    for place, name in ((9, "check-sigmoid"), (2, "sigmoid")):
        notebook["cells"].insert(
            place, code("4.0", nbgrader={**facts, "grade_id": name, "cell_type": "code"})
        )
    return notebook


@forging.made()
def graded_answer_cells(notebook: Notebook) -> Notebook:
    """Says of its answer cells that they are checks by hand, worth everything, with a newer schema."""
    for cell in filter(is_answer, notebook["cells"]):
        cell["metadata"]["nbgrader"].update(grade=True, points=24, schema_version=99, checksum="0" * 32)
    return notebook


@forging.made()
def one_cell_id_for_all(notebook: Notebook) -> Notebook:
    """Calls every cell `activations-sigmoid`."""
    for cell in notebook["cells"]:
        cell["id"] = "activations-sigmoid"
    return notebook


@forging.made()
def ids_of_the_release(notebook: Notebook) -> Notebook:
    """Adds cells with the ids of all the released ones, and with ids that rebuilding gives."""
    ids = [cell["id"] for cell in notebook["cells"]] + ["extra-1", "remarks"]
    notebook["cells"] += [{**code("import numpy as np"), "id": each} for each in ids]
    return notebook


@forging.made()
def kernel_and_metadata(notebook: Notebook) -> Notebook:
    """Asks for a bash kernel and brings marks in the notebook's own metadata."""
    notebook["metadata"]["kernelspec"] = {"name": "bash", "display_name": "x", "language": "bash"}
    notebook["metadata"]["nbgrader"] = {"max_score": 1, "score": 24}
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    return notebook


@forging.made(earns={}, others=0)
def nothing_written(_: Notebook) -> Notebook:
    """Hands in what was handed out."""
    return blank()


@forging.made(earns={}, others=0)
def checks_as_answers(_: Notebook) -> Notebook:
    """Answers every exercise with the call of its check."""
    made = blank()
    for cell in filter(is_answer, made["cells"]):
        cell["source"] = f"check({grade_id(cell)!r})"
    return made


# Banned shortcuts: `np.tanh` by every road

GRADIENT = """


def tanh_grad(x):
    return 1 - tanh(x) ** 2
"""

SHORTCUTS = {
    "plain": "def tanh(x):\n    return np.tanh(x)",
    "annotated_alias": "_t: object = np.tanh\ndef tanh(x):\n    return _t(x)",
    "loop_variable": "for _t in (np.tanh,): pass\ndef tanh(x):\n    return _t(x)",
    "walrus": "def tanh(x):\n    return (_t := np.tanh)(x)",
    "kept_in_a_list": "_l = []\n_l.append(np.tanh)\ndef tanh(x):\n    return _l[0](x)",
    "kept_in_a_dictionary": "_d = {'t': np.tanh}\ndef tanh(x):\n    return _d['t'](x)",
    "kept_in_a_class": "class T:\n    f = np.tanh\ndef tanh(x):\n    return T.f(x)",
    "partial": "import functools\n_t = functools.partial(np.tanh)\ndef tanh(x):\n    return _t(x)",
    "line_magic": "%time _t = np.tanh\ndef tanh(x):\n    return _t(x)",
    "help_line": "np.exp?\n\ndef tanh(x):\n    return np.tanh(x)",
    "percent_continuation": "def tanh(x):\n    return (0\n% 5 or np.tanh)(x)",
    "cell_magic": "%%time\ndef tanh(x):\n    return np.tanh(x)",
    "captured_magic": "_o = %timeit -o -n1 -r1 0\n_t = np.tanh\ndef tanh(x):\n    return _t(x)",
    "default_argument": "def tanh(x, _t=np.tanh):\n    return _t(x)",
    "getattr_of_parts": "def tanh(x):\n    return getattr(np, 'ta' + 'nh')(x)",
    "executed_text": "exec('def tanh(x):\\n    return np.tanh(x)\\n')",
    "sys_modules": "import sys\ndef tanh(x):\n    return sys.modules['numpy'].tanh(x)",
    "imported_by_name": "import importlib\ndef tanh(x):\n    return importlib.import_module('numpy').tanh(x)",
    "with_as": "import contextlib\nwith contextlib.nullcontext(np.tanh) as _t: pass\ndef tanh(x):\n    return _t(x)",
}

for name, source in SHORTCUTS.items():
    forging(
        f"shortcut_{name}",
        "Calls the function that the exercise bans, by another road.",
        answers={"tanh": source + GRADIENT},
        earns={"tanh": 0},
    )

for name, above in {
    "star_import": "from numpy import *\nhelper = tanh",
    "alias_of_numpy": "import numpy as q\nhelper = q.tanh",
    "helper": "def helper(x):\n    return np.tanh(x)",
}.items():
    forging(
        f"shortcut_{name}_above",
        "Calls the function that the exercise bans through a cell of its own.",
        before=above,
        answers={"tanh": "def tanh(x):\n    return helper(x)" + GRADIENT},
        earns={"tanh": 0},
    )


@forging.made(earns={"tanh": 0})
def shortcut_below(_: Notebook) -> Notebook:
    """Replaces a good tanh by the banned one in a last cell."""
    return notebook(after="def tanh(x):\n    return np.tanh(x)")
