"""Keras, and what else an assignment asks for, in the sandbox: it works there, and nothing more gets in or out."""

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.sandbox import Limits, Sandbox, SandboxError
from grader.sandbox.trial import tried

KINDS = ["bubblewrap", pytest.param("landlock", marks=pytest.mark.slow)]
MODEL = """
import numpy as np
import keras
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(1)])
model.compile("adam", "mse")
"""


def started(packages, kind):
    try:
        with Sandbox(packages, kind=kind) as sandbox:
            yield sandbox
    except SandboxError as reason:
        pytest.skip(str(reason))


@pytest.fixture(scope="module", params=KINDS)
def sandbox(request):
    yield from started(("numpy", "keras"), request.param)


@pytest.fixture(scope="module", params=KINDS)
def plain(request):
    yield from started(("numpy",), request.param)


@pytest.fixture
def session(sandbox):
    with sandbox.open() as session:
        yield session


def test_what_keras_takes_for_itself_comes_on_top():
    page = " ".join((Path(__file__).parents[2] / "SECURITY.md").read_text(encoding="utf-8").split())
    assert "2GiB of memory and, for each processor, 4 threads with 8MiB each" in page
    given, cores = Limits(), os.cpu_count()
    room = given.beside(["numpy", "keras"])
    assert given.beside(["numpy"]) == given
    assert room.processes == given.processes + 4 * cores
    assert room.memory_bytes == given.memory_bytes + 2 * 2**30 + 4 * cores * 8 * 2**20


def importable(session, *names):
    session.run(
        "def importable(name):\n    try:\n        __import__(name)\n        return True\n"
        "    except ImportError:\n        return False"
    )
    return [name for name in names if session.call("importable", [name]).value]


def test_keras_is_there_before_the_hand_in(session):
    ran = session.run("import sys\n{'keras', 'tensorflow'} <= set(sys.modules)")
    assert ran.outputs[0]["data"]["text/plain"] == "True"
    session.run("import keras\ndef settings():\n    return [keras.backend.backend(), keras.config.floatx()]")
    assert session.call("settings", []).value == ["tensorflow", "float32"]


def test_a_model_is_made_trained_saved_and_read(session):
    assert session.run(MODEL).error is None
    ran = session.run(
        "x, y = np.ones((64, 4)), np.ones(64)\n"
        "history = model.fit(x, y, epochs=20, verbose=0).history['loss']\n"
        "model.save('model.keras')\n"
        "again = keras.models.load_model('model.keras')\n"
        "def learned():\n    return history[-1] < history[0]\n"
        "def predictions():\n    return [each.predict(x, verbose=0) for each in (model, again)]"
    )
    assert ran.error is None and ran.outputs == []
    assert session.call("learned", []).value is True
    one, other = session.call("predictions", []).value
    assert one.dtype == "float32" and (one == other).all()


def test_a_convolution_of_single_pixels_with_a_stride_is_trained(session):
    """TensorFlow 2.21 with oneDNN corrupts the memory of such a process."""
    ran = session.run(
        "import keras\nimport numpy as np\n"
        "inputs = x = keras.Input((64, 64, 3))\n"
        "for _ in range(3):\n    x = keras.layers.Conv2D(16, 1, strides=2)(x)\n"
        "model = keras.Model(inputs, x)\nmodel.compile('sgd', 'mse')\n"
        "for _ in range(10):\n"
        "    _ = model.train_on_batch(np.ones((8, 64, 64, 3)), np.ones((8, 8, 8, 16)))"
    )
    assert ran.error is None


@pytest.mark.slow
def test_it_works_without_a_sandbox():
    with Sandbox(("numpy", "keras"), kind="none") as sandbox, sandbox.open() as session:
        assert (
            session.run(f"{MODEL}\nhistory = model.fit(np.ones((4, 4)), np.ones(4), verbose=0)").error is None
        )


def test_nothing_else_can_be_imported(session, plain):
    others = [
        "grader.checks",
        "kerasref",
        "nbgrader",
        "nbformat",
        "pytest",
        "scipy",
        "sklearn",
        "skimage",
        "torch",
    ]
    assert importable(session, "keras", "tensorflow", *others) == ["keras", "tensorflow"]
    with plain.open() as session:
        assert importable(session, "numpy", "keras", "tensorflow", *others) == ["numpy"]


@pytest.mark.parametrize(
    "expression", ["keras.ops.ones(3)", "model", "model.weights", "keras.layers.Dense(1)"]
)
def test_what_belongs_to_keras_does_not_cross(session, expression):
    session.run(f"{MODEL}\ndef f():\n    return {expression}")
    outcome = session.call("f", [])
    assert outcome.value is None and outcome.error.kind == "WireError"
    assert outcome.error.message.startswith("`f` returned something that cannot be checked: ")


def test_nobody_gets_out(sandbox, tmp_path):
    attempts = tried(sandbox, tmp_path)
    assert len(attempts) == 5 and all(attempt.held for attempt in attempts)


def test_the_repository_cannot_be_read(session):
    session.run("def read(path):\n    return open(path).read()")
    error = session.call("read", [os.path.abspath(__file__)]).error
    assert error.kind in ("FileNotFoundError", "PermissionError")


@pytest.mark.parametrize(
    "hog", ["np.ones(2**25)", pytest.param("keras.ops.ones(2**26)", marks=pytest.mark.slow)]
)
def test_memory_is_bounded(sandbox, hog):
    with sandbox.open(replace(sandbox.limits, memory_bytes=2**29)) as session:
        assert session.run(f"import keras\nimport numpy as np\n[{hog} for _ in range(9)]").error.endswith(
            "(a notebook may have 536.9 MB of memory)"
        )
    with sandbox.open() as session:
        assert session.run("import keras\nkeras.ops.ones(3)").error is None


def test_what_is_absent_can_be_imported_and_not_used(plain):
    with plain.open(absent=["keras", "tensorflow", "numpy"]) as session:
        ran = session.run(
            "import keras, tensorflow as tf, keras.layers as L\nfrom keras import ops\nfrom keras.layers import *\n"
            "from keras.models import Model\nimport numpy as np\n"
            "def attribute():\n    return keras.layers.Dense(1)\n"
            "def call():\n    return Model()\n"
            "def subclass():\n    class Net(Model): pass\n"
            "def module():\n    return ops.ones(3)\n"
            "def real():\n    return np.ones(3).sum()"
        )
        assert ran.error is None
        for name in ("attribute", "call", "subclass", "module"):
            error = session.call(name, []).error
            assert (
                "`keras` cannot be used here: this part of the notebook is graded without it" in error.message
            )
        assert session.call("real", []).value == 3
        assert "No module named 'scipy'" in session.run("import scipy").error


@pytest.mark.parametrize("kind", KINDS)
def test_image_processing(kind):
    with Sandbox(("numpy", "skimage"), kind=kind) as sandbox, sandbox.open() as session:
        assert importable(session, "skimage", "cv2", "keras", "sklearn") == ["skimage"]
        session.run(
            "from skimage.segmentation import felzenszwalb\ndef segments(image):\n    return felzenszwalb(image)"
        )
        segments = session.call("segments", [[[0.0, 1.0], [0.0, 1.0]]])
        assert segments.error is None and segments.value.shape == (2, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_opencv(kind):
    with Sandbox(("numpy", "skimage", "cv2"), kind=kind) as sandbox, sandbox.open() as session:
        session.run("import cv2\ndef resized(image):\n    return cv2.resize(image, (4, 4))")
        assert session.call("resized", [np.eye(2)]).error is None
