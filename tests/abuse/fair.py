"""Fair: right answers in an unusual style, in unusual cells, from unusual editors. Each earns everything."""

import copy
import json
from collections.abc import Callable
from typing import Any

from tests.abuse import Kind, Notebook, answers, blank, code, dedent, grade_id, is_answer
from tests.abuse.harm import SIGMOID_GRAD

fair = Kind("fair")

Cell = dict[str, Any]


def sigmoid(source: str) -> dict[str, str]:
    """A right sigmoid in somebody's own style."""
    return {"sigmoid": dedent(source) + SIGMOID_GRAD}


# Style

fair(
    "warns",
    "Warns in a right answer.",
    answers=sigmoid("""
    import warnings

    def sigmoid(x):
        warnings.warn("careful")
        warnings.warn("old", DeprecationWarning)
        decay = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, decay) / (1 + decay)
    """),
)

fair(
    "prints",
    "Prints to stdout and stderr, above and in a right answer.",
    before="import sys\nprint('hello', file=sys.stderr)",
    answers=sigmoid("""
    import sys

    def sigmoid(x):
        print("debugging", file=sys.stderr)
        print(x)
        decay = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, decay) / (1 + decay)
    """),
)

fair(
    "logs",
    "Logs, with the root logger set up.",
    before="import logging\nlogging.basicConfig(level=logging.DEBUG)\nlogging.warning('w')",
    answers=sigmoid("""
    def sigmoid(x):
        logging.info("called")
        decay = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, decay) / (1 + decay)
    """),
)

fair(
    "magics",
    "Uses the magics of notebooks, those that need a terminal or a browser too.",
    before=[
        "%matplotlib inline",
        "%%time\nx = 1",
        "%%capture out\nprint(1)",
        "%timeit -n2 -r2 1 + 1",
        "!pip install numpy",
        "%pip install scipy",
        "%load_ext autoreload\n%autoreload 2",
        "%config InlineBackend.figure_format = 'retina'",
        "np.exp?",
        "%%bash\nls",
        "%env",
        "%pwd",
        "files = !ls",
        "%%html\n<b>x</b>",
        "%who",
        "%precision 3",
        "%%javascript\n1",
        "%lsmagic",
        "%prun 1",
        "%xmode Plain",
        "%debug",
        "%pdb on",
        "%cd /tmp",
        "%matplotlib notebook",
        "%matplotlib widget",
        "%%writefile notes.txt\nx",
        "%tensorflow_version 2.x",
        "%reload_ext tensorboard",
    ],
    answers={
        "relu": "%%capture\n" + answers()["relu"],
        "tanh": "%timeit -n1 -r1 1\n" + answers()["tanh"],
        "sigmoid": "%%time\n" + answers()["sigmoid"],
    },
)

fair(
    "classes",
    "Answers with a callable object and a static method.",
    answers={
        "sigmoid": """
        class Sigmoid:
            def __call__(self, x):
                decay = np.exp(-np.abs(x))
                return np.where(x >= 0, 1, decay) / (1 + decay)

        class Gradients:
            @staticmethod
            def sigmoid(x):
                return sigmoid(x) * (1 - sigmoid(x))

        sigmoid = Sigmoid()
        sigmoid_grad = Gradients.sigmoid
        """
    },
)

for name, about, source in [
    ("lambdas", "Answers with lambdas.", "relu = lambda x: np.maximum(x, 0)\nrelu_grad = lambda x: (x > 0) * 1.0"),
    ("tuple_of_lambdas", "Binds both answers at once.", "relu, relu_grad = (lambda x: np.maximum(x, 0)), (lambda x: (x > 0) * 1.0)"),
    ("partial", "Answers with partial functions.", "from functools import partial\nrelu = partial(np.maximum, 0)\nrelu_grad = partial(np.heaviside, x2=0.0) if False else (lambda x: np.heaviside(x, 0.0))"),
    ("vectorised", "Writes for one number and vectorises.", "relu = np.vectorize(lambda v: max(v, 0.0), otypes=[float])\nrelu_grad = np.vectorize(lambda v: float(v > 0), otypes=[float])"),
    ("walrus_and_match", "Uses what is new in Python.", "def relu(x, /):\n    match x:\n        case _ if (found := np.maximum(x, 0)) is not None:\n            return found\n\n\ndef relu_grad(x, /):\n    return (x > 0).astype(float)"),
    ("in_a_condition", "Defines its functions under a condition.", "if True:\n    def relu(x):\n        return np.maximum(x, 0)\nelse:\n    relu = None\ntry:\n    def relu_grad(x):\n        return np.where(x > 0, 1.0, 0.0)\nfinally:\n    pass"),
    ("made_by_a_function", "Makes both answers by a function.", "def made():\n    def one(x):\n        return np.maximum(x, 0)\n    def two(x):\n        return np.where(x > 0, 1.0, 0.0)\n    return one, two\n\nrelu, relu_grad = made()"),
    ("masked_copy", "Sets what is negative to zero in a copy.", "def relu(x):\n    x = x.copy()\n    x[x < 0] = 0\n    return x\n\n\ndef relu_grad(x):\n    g = np.zeros_like(x)\n    g[x > 0] = 1\n    return g"),
    ("other_types", "Returns booleans, and the type of the argument.", "def relu(x):\n    return np.where(x > 0, x, np.float32(0)).astype(x.dtype)\n\n\ndef relu_grad(x):\n    return x > 0"),
    ("other_orders", "Returns arrays in Fortran order and broadcast ones.", "def relu(x):\n    return np.asfortranarray(np.maximum(x, 0))\n\n\ndef relu_grad(x):\n    return np.broadcast_to((x > 0) * 1.0, x.shape)[...]"),
    ("long_and_short_numbers", "Returns long doubles and bytes.", "def relu(x):\n    return np.maximum(x, 0).astype(np.longdouble)\n\n\ndef relu_grad(x):\n    return (x > 0).astype(np.int8)"),
    ("views", "Returns views with strides of their own.", "def relu(x):\n    return np.repeat(np.maximum(x, 0)[..., None], 2, axis=-1)[..., 0]\n\n\ndef relu_grad(x):\n    return np.flip(np.flip(np.where(x > 0, 1.0, 0.0)))"),
    ("async_helper", "Has a coroutine beside its answers.", "import asyncio\n\nasync def later():\n    return 0.0\n\ndef relu(x):\n    return np.maximum(x, 0)\n\ndef relu_grad(x):\n    return np.where(x > 0, 1.0, 0.0)"),
    ("cached", "Remembers results by the bytes of the argument.", "import functools\n\n@functools.lru_cache\ndef _relu(data, shape):\n    return np.maximum(np.frombuffer(data).reshape(shape), 0)\n\ndef relu(x):\n    x = np.ascontiguousarray(x, float)\n    return _relu(x.tobytes(), x.shape)\n\ndef relu_grad(x):\n    return np.where(x > 0, 1.0, 0.0)"),
]:  # fmt: skip
    fair(f"relu_as_{name}", about, answers={"relu": source})

for name, about, above, source in [
    ("helper", "Uses a helper from a cell of its own.", "def _safe(x):\n    return np.exp(-np.abs(x))", "def sigmoid(x):\n    d = _safe(x)\n    return np.where(x >= 0, 1, d) / (1 + d)"),
    ("star_import", "Imports all of NumPy.", "from numpy import *", "def sigmoid(x):\n    d = exp(-abs(x))\n    return where(x >= 0, 1, d) / (1 + d)"),
    ("other_names_of_numpy", "Calls NumPy by other names.", "import numpy\nimport numpy as xp", "def sigmoid(x):\n    d = xp.exp(-xp.abs(x))\n    return numpy.where(x >= 0, 1, d) / (1 + d)"),
    ("type_hints", "Annotates everything.", "", "from __future__ import annotations\nimport numpy.typing as npt\n\ndef sigmoid(x: npt.NDArray[np.float64], /) -> npt.NDArray:\n    d: np.ndarray = np.exp(-np.abs(x))\n    return np.where(x >= 0, 1, d) / (1 + d)"),
    ("decorator", "Decorates its answer.", "", "import functools\n\ndef log(f):\n    @functools.wraps(f)\n    def wrapped(*a, **k):\n        return f(*a, **k)\n    return wrapped\n\n@log\ndef sigmoid(x):\n    d = np.exp(-np.abs(x))\n    return np.where(x >= 0, 1, d) / (1 + d)"),
    ("global_state", "Counts its calls, and seeds what is global.", "np.random.seed(0)\nCOUNT = 0", "def sigmoid(x):\n    global COUNT\n    COUNT += 1\n    d = np.exp(-np.abs(x))\n    return np.where(x >= 0, 1, d) / (1 + d)"),
    ("unicode", "Writes Greek.", "", "def sigmoid(x):\n    '''σ(x) → (0, 1) 😀'''\n    Δ = np.exp(-np.abs(x))\n    return np.where(x >= 0, 1, Δ) / (1 + Δ)"),
    ("semicolons", "Ends lines in semicolons and calls itself below.", "", "# my answer\n\ndef sigmoid(x):\n    d = np.exp(-np.abs(x)); return np.where(x >= 0, 1, d) / (1 + d);\n\nsigmoid(np.array([0.0]));"),
    ("tabs", "Indents with tabs.", "", "def sigmoid(x):\n\td = np.exp(-np.abs(x))\n\treturn np.where(x >= 0, 1, d) / (1 + d)"),
    ("shouting_settings", "Turns every warning of NumPy and Python into an error.", "import warnings\nwarnings.filterwarnings('error')\nnp.seterr(all='raise')", "def sigmoid(x):\n    d = np.exp(-np.abs(x))\n    return np.where(x >= 0, 1, d) / (1 + d)"),
    ("failing_error_call", "Lets NumPy call a function that fails.", "np.seterr(all='call')\nnp.seterrcall(lambda *a: 1 / 0)", "def sigmoid(x):\n    d = np.exp(-np.abs(x))\n    return np.where(x >= 0, 1, d) / (1 + d)"),
    ("two_branches", "Fills both branches by masks.", "", "def sigmoid(x):\n    x = np.asarray(x, float)\n    out = np.empty_like(x)\n    big = x >= 0\n    out[big] = 1 / (1 + np.exp(-x[big]))\n    e = np.exp(x[~big])\n    out[~big] = e / (1 + e)\n    return out"),
    ("threads", "Computes in a thread.", "from concurrent.futures import ThreadPoolExecutor", "def sigmoid(x):\n    with ThreadPoolExecutor(2) as pool:\n        d = pool.submit(lambda: np.exp(-np.abs(x))).result()\n    return np.where(x >= 0, 1, d) / (1 + d)"),
    ("from_tanh", "Comes by another formula, with the shortcut that another exercise bans.", "", "def sigmoid(x):\n    return 0.5 * (1 + np.tanh(np.asarray(x) / 2))"),
    ("doctest", "Tests itself in its docstring.", "import doctest", "def sigmoid(x):\n    '''\n    >>> float(sigmoid(np.array(0.0)))\n    0.5\n    '''\n    d = np.exp(-np.abs(x))\n    return np.where(x >= 0, 1, d) / (1 + d)\n\ndoctest.testmod()"),
]:  # fmt: skip
    fair(f"sigmoid_with_{name}", about, before=above or (), answers=sigmoid(source))

fair(
    "tanh_compared_in_its_cell",
    "Compares its tanh with NumPy's in the answer's own cell.",
    answers={
        "tanh": answers()["tanh"] + "\nprint(np.abs(tanh(np.arange(5.0)) - np.tanh(np.arange(5.0))).max())"
    },
)

fair(
    "tanh_mentions_the_shortcut",
    "Names the banned function in a docstring and a comment.",
    answers={"tanh": answers()["tanh"].replace('"""Squeeze', '"""Like np.tanh. Squeeze') + "\n# np.tanh\n"},
)

# Cells of their own

for name, about, sources in [
    ("figures", "Draws many figures, and a large one.", ["import matplotlib.pyplot as plt\nfor i in range(25):\n    plt.figure()\n    plt.plot(range(9))\n    plt.title(f'$x_{i}$')\nplt.show()", "fig, ax = plt.subplots(3, 3, figsize=(20, 20), dpi=100)\nax[0, 0].imshow(np.random.rand(100, 100))\nfig"]),
    ("long_prints", "Prints 200,000 lines.", ["for i in range(200_000):\n    print(i, 'some line')"]),
    ("await", "Awaits at the top of a cell.", ["import asyncio\nawait asyncio.sleep(0.01)\nasync def f():\n    return 3\nz = await f()", "try:\n    asyncio.run(f())\nexcept RuntimeError as e:\n    print(e)"]),
    ("a_pool_of_processes", "Uses a pool of processes where there may be one.", ["import multiprocessing as mp\ntry:\n    with mp.get_context('fork').Pool(2) as p:\n        print(p.map(abs, [-1, 2]))\nexcept Exception as e:\n    print(type(e), e)"]),
    ("errors", "Has cells that fail in every way in which cells fail.", ["1 / 0", "undefined", "import torch, pandas", "from google.colab import drive\ndrive.mount('/x')", "assert False", "x = (", "raise KeyboardInterrupt", "exit()", "quit()", "input('name?')", "get_ipython().kernel.do_shutdown(True)"]),
    ("own_display_settings", "Shows every expression, with two digits.", ["from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell.ast_node_interactivity = 'all'\n1\n2", "np.set_printoptions(precision=2, suppress=True)\nprint(np.random.rand(3))"]),
    ("a_low_limit_of_recursion", "Allows itself little recursion.", ["import sys\nsys.setrecursionlimit(150)"]),
    ("what_is_gone", "Uses what newer versions have no more.", ["import imp", "np.float = float\nx = np.product([1, 2])"]),
    ("files", "Writes and reads files of its own.", ["import json, os, pickle, tempfile\nwith tempfile.TemporaryDirectory() as d:\n    np.save(d + '/a.npy', np.arange(3))\n    print(np.load(d + '/a.npy'))\nos.makedirs('data', exist_ok=True)\nopen('data/x.txt', 'w').write('hi')"]),
    ("widgets", "Asks for widgets and shows rich outputs.", ["try:\n    import ipywidgets\nexcept ImportError:\n    pass\nfrom IPython.display import SVG, Markdown, clear_output\nMarkdown('# x')\nclear_output(wait=True)\nSVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>')"]),
    ("shadowed_names", "Calls things `list`, `sum` and `np`, then imports NumPy again.", ["list = sum = np = 3", "import numpy as np\ndel list, sum"]),
    ("a_random_state", "Seeds everything.", ["import random\nrandom.seed(1)\nnp.random.seed(1)\nrng = np.random.default_rng(1)"]),
]:  # fmt: skip
    fair(f"cells_with_{name}", about, before=sources)

fair(
    "own_tests_below",
    "Tests itself below, by assertions and by unittest.",
    after=[
        "assert np.allclose(sigmoid(np.zeros(3)), 0.5)",
        "np.testing.assert_allclose(softmax(np.zeros((2, 2))), 0.5)",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertTrue(True)\nunittest.main(argv=['x'], exit=False)",
    ],
)

fair(
    "plays_below",
    "Draws with the course's plots and asks for checks below.",
    after=[
        "plots.curves({'s': sigmoid}, title='mine')",
        "plots.nothing()",
        "check('sigmoid')",
        "check('nope')",
        "assert check('softmax') == 6",
        "tanh_np = np.tanh(np.arange(3))\nprint(abs(tanh(np.arange(3)) - tanh_np).max())",
    ],
)

# Cells moved, split, copied, stripped


def rewritten(notebook: Notebook, rewrite: Callable[[Cell], list[Cell]]) -> Notebook:
    """Each cell replaced by others."""
    return {**notebook, "cells": [new for cell in notebook["cells"] for new in rewrite(cell)]}


def halves(cell: Cell) -> tuple[str, str]:
    """The two functions of an answer."""
    first, second = cell["source"].split("\n\n\ndef ")
    return first, f"def {second}"


def blank_of(cell: Cell) -> str:
    """What stood in an answer cell when it was handed out."""
    return next(
        each["source"] for each in blank()["cells"] if is_answer(each) and grade_id(each) == grade_id(cell)
    )


def stripped(cell: Cell) -> Cell:
    """The cell without id and metadata."""
    return {**{key: value for key, value in cell.items() if key != "id"}, "metadata": {}}


@fair.made()
def split_with_copied_metadata(notebook: Notebook) -> Notebook:
    """Splits each answer in two cells of the same grade id."""
    return rewritten(
        notebook, lambda c: [{**c, "source": half} for half in halves(c)] if is_answer(c) else [c]
    )


@fair.made()
def split_below(notebook: Notebook) -> Notebook:
    """Moves the second function of each answer to a cell of its own below."""
    return rewritten(
        notebook, lambda c: [{**c, "source": halves(c)[0]}, code(halves(c)[1])] if is_answer(c) else [c]
    )


@fair.made()
def split_above(notebook: Notebook) -> Notebook:
    """Moves the first function of each answer to a cell of its own above."""
    return rewritten(
        notebook, lambda c: [code(halves(c)[0]), {**c, "source": halves(c)[1]}] if is_answer(c) else [c]
    )


@fair.made()
def blanks_kept(notebook: Notebook) -> Notebook:
    """Leaves the blanks and answers in cells below them."""
    return rewritten(
        notebook, lambda c: [{**c, "source": blank_of(c)}, code(c["source"])] if is_answer(c) else [c]
    )


@fair.made()
def blanks_kept_and_split(notebook: Notebook) -> Notebook:
    """Leaves the blanks and answers in two cells below each."""
    return rewritten(
        notebook,
        lambda c: [{**c, "source": blank_of(c)}, *map(code, halves(c))] if is_answer(c) else [c],
    )


@fair.made()
def half_a_blank_kept(notebook: Notebook) -> Notebook:
    """Answers one function in the blank and the other in a cell below it."""

    def rewrite(cell: Cell) -> list[Cell]:
        if not is_answer(cell):
            return [cell]
        left = blank_of(cell).split("\n\n\ndef ")[1]
        return [{**cell, "source": f"{halves(cell)[0]}\n\n\ndef {left}"}, code(halves(cell)[1])]

    return rewritten(notebook, rewrite)


@fair.made()
def split_and_stripped(notebook: Notebook) -> Notebook:
    """Answers in cells of its own alone, one a function."""
    return rewritten(notebook, lambda c: list(map(code, halves(c))) if is_answer(c) else [c])


@fair.made()
def blanks_emptied(notebook: Notebook) -> Notebook:
    """Empties the blanks and answers in cells below them."""
    return rewritten(notebook, lambda c: [{**c, "source": ""}, code(c["source"])] if is_answer(c) else [c])


@fair.made()
def all_in_one_cell(notebook: Notebook) -> Notebook:
    """Answers everything in one cell, and deletes all others."""
    return {**notebook, "cells": [code("import numpy as np\n\n\n" + "\n\n\n".join(answers().values()))]}


@fair.made()
def all_stripped(notebook: Notebook) -> Notebook:
    """Strips ids and metadata from every cell."""
    return rewritten(notebook, lambda c: [stripped(c)])


@fair.made()
def stripped_lambdas(notebook: Notebook) -> Notebook:
    """Strips everything, and answers with lambdas that no `def` tells of."""
    lambdas = "relu, relu_grad = (lambda x: np.maximum(x, 0)), (lambda x: (x > 0) * 1.0)"
    return rewritten(
        notebook, lambda c: [{**stripped(c), "source": lambdas if grade_id(c) == "relu" else c["source"]}]
    )


@fair.made()
def only_answers(notebook: Notebook) -> Notebook:
    """Deletes all text and every check."""
    return rewritten(notebook, lambda c: [c] if is_answer(c) else [])


@fair.made()
def imports_deleted(notebook: Notebook) -> Notebook:
    """Deletes the cells with the imports."""
    return {
        **notebook,
        "cells": [c for c in notebook["cells"] if "import" not in c["source"] or is_answer(c)],
    }


@fair.made()
def upside_down(notebook: Notebook) -> Notebook:
    """Turns the order of the cells around."""
    return {**notebook, "cells": notebook["cells"][::-1]}


@fair.made()
def moved_with_its_helper(notebook: Notebook) -> Notebook:
    """Moves the sigmoid below ReLU, behind a helper that it needs."""
    (first,) = (c for c in notebook["cells"] if is_answer(c) and grade_id(c) == "sigmoid")
    decorated = {**first, "source": "@unchanged\n" + first["source"]}
    helper = code("def unchanged(function):\n    return function")

    def rewrite(cell: Cell) -> list[Cell]:
        if not is_answer(cell):
            return [cell]
        return {"sigmoid": [], "relu": [cell, helper, decorated]}.get(grade_id(cell), [cell])

    return rewritten(notebook, rewrite)


@fair.made()
def every_cell_twice(notebook: Notebook) -> Notebook:
    """Has each cell twice."""
    return rewritten(notebook, lambda c: [c, copy.deepcopy(c)])


@fair.made()
def blank_again_below(notebook: Notebook) -> Notebook:
    """Has a copy of each blank below its answer."""
    return rewritten(notebook, lambda c: [c, {**c, "source": blank_of(c)}] if is_answer(c) else [c])


@fair.made()
def draft_above(notebook: Notebook) -> Notebook:
    """Has a wrong draft, with the answer's grade id, above each answer."""

    def rewrite(cell: Cell) -> list[Cell]:
        draft = blank_of(cell).replace("raise NotImplementedError", "return 0") if is_answer(cell) else ""
        return [{**cell, "source": draft}, cell] if is_answer(cell) else [cell]

    return rewritten(notebook, rewrite)


@fair.made()
def given_cell_edited(notebook: Notebook) -> Notebook:
    """Adds a constant to the cell of imports and uses it in an answer."""

    def rewrite(cell: Cell) -> list[Cell]:
        more = "\nK = 1.0" if "import numpy as np" in cell["source"] else ""
        more += "\n_ = K" if is_answer(cell) and grade_id(cell) == "sigmoid" else ""
        return [{**cell, "source": cell["source"] + more}]

    return rewritten(notebook, rewrite)


@fair.made()
def own_remarks(notebook: Notebook) -> Notebook:
    """Writes remarks with formulas, pictures and HTML between the cells."""
    remark = {
        "cell_type": "markdown",
        "metadata": {},
        "source": "# Why?\n$\\sigma$ <b>x</b> ![x](attachment:a.png)",
    }
    picture = {"a.png": {"image/png": "iVBOR"}}
    return rewritten(notebook, lambda c: [c, {**remark, "attachments": picture}])


# Editors


def lines(cell: Cell) -> Cell:
    """A cell as files have it, its source a list of lines."""
    return {**cell, "source": cell["source"].splitlines(True)}


@fair.made()
def jupytext(notebook: Notebook) -> Notebook:
    """Went through Jupytext, which keeps no metadata of cells."""
    formats = {"jupytext": {"formats": "ipynb,py:percent", "cell_metadata_filter": "-all"}}
    cells = [{**lines(stripped(c)), "metadata": {"lines_to_next_cell": 2}} for c in notebook["cells"]]
    return {"nbformat": 4, "nbformat_minor": 4, "metadata": formats, "cells": cells}


@fair.made()
def colab(notebook: Notebook) -> Notebook:
    """Went through Colab, which gives ids of its own."""
    cells = []
    for number, cell in enumerate(notebook["cells"]):
        own = {"id": f"abCD{number}", "colab": {"base_uri": "https://localhost:8080/"}}
        cells.append({**lines(stripped(cell)), "metadata": {**cell["metadata"], **own}})
    facts = {"colab": {"provenance": [], "toc_visible": True}, "accelerator": "GPU"}
    return {"nbformat": 4, "nbformat_minor": 0, "metadata": facts, "cells": cells}


@fair.made()
def colab_without_metadata(notebook: Notebook) -> Notebook:
    """Was copied cell by cell into a new notebook of Colab's."""
    cells = [{**lines(stripped(c)), "metadata": {"id": f"abCD{n}"}} for n, c in enumerate(notebook["cells"])]
    return {"nbformat": 4, "nbformat_minor": 0, "metadata": {}, "cells": cells}


@fair.made()
def vs_code(notebook: Notebook) -> Notebook:
    """Went through VS Code."""
    cells = [
        {**c, "metadata": {"vscode": {"languageId": "python"}, **c["metadata"]}} for c in notebook["cells"]
    ]
    facts = {"language_info": {"name": "python", "version": "3.12.1"}, "orig_nbformat": 4}
    return {"nbformat": 4, "nbformat_minor": 2, "metadata": facts, "cells": json.loads(json.dumps(cells))}


@fair.made()
def executed(notebook: Notebook) -> Notebook:
    """Has outputs, errors and counts from the student's own runs."""
    error = {"output_type": "error", "ename": "E", "evalue": "e", "traceback": ["\x1b[31mE\x1b[0m"]}
    stream = {"output_type": "stream", "name": "stderr", "text": ["careful\n"]}
    for number, cell in enumerate(notebook["cells"]):
        if cell["cell_type"] == "code":
            cell.update(outputs=[error, stream], execution_count=number)
    return notebook
