"""A banned shortcut is found however it is spelt; a fair answer is left alone."""

import pytest

from grader.syntax import Sources


@pytest.mark.parametrize(
    "cells",
    [
        ["def tanh(x):\n    return np.tanh(x)"],
        ["import numpy\ndef tanh(x):\n    return numpy.tanh(x)"],
        ["import numpy as n", "def tanh(x):\n    return n.tanh(x)"],
        ["from numpy import tanh as t", "def tanh(x):\n    return t(x)"],
        ["def tanh(x):\n    from numpy import tanh as t\n    return t(x)"],
        ["f = np.tanh", "def tanh(x):\n    return f(x)"],
        ["def helper(x):\n    return np.tanh(x)", "def tanh(x):\n    return helper(x)"],
        ["def tanh(x):\n    return getattr(np, 'tanh')(x)"],
        ["def tanh(x):\n    return np.__dict__['tanh'](x)"],
        ["def tanh(x):\n    return getattr(np, 'ta' + 'nh')(x)"],
        ["tanh = np.tanh"],
        ["tanh = lambda x: np.tanh(x)"],
        ["import numpy.core.umath as u\ndef tanh(x):\n    return u.tanh(x)"],
        ["class T:\n    def __call__(self, x):\n        return np.tanh(x)", "tanh = T()"],
        ["%matplotlib inline\ndef tanh(x):\n    return np.tanh(x)"],
        ["np.exp?\ndef tanh(x):\n    return np.tanh(x)"],
        ["%time t = np.tanh", "def tanh(x):\n    return t(x)"],
        ["here = %pwd\ndef tanh(x):\n    return np.tanh(x)"],
        ["def tanh(x):\n    return (x\n    % 1 + np.tanh(x))"],
        ["from numpy import *", "t = tanh", "def tanh(x):\n    return t(x)"],
        ["t: object = np.tanh", "def tanh(x):\n    return t(x)"],
        ["for t in [np.tanh]:\n    pass", "def tanh(x):\n    return t(x)"],
        ["t = []", "t.append(np.tanh)", "def tanh(x):\n    return t[0](x)"],
        ["exec('t = np.tanh')", "def tanh(x):\n    return t(x)"],
        ["import sys\ndef tanh(x):\n    return sys.modules['numpy'].tanh(x)"],
        ["import importlib\ndef tanh(x):\n    return importlib.import_module('numpy').tanh(x)"],
        ["def tanh(x):\n    return __import__('numpy').tanh(x)"],
    ],
)
def test_found(cells):
    assert Sources("activations", cells).shortcuts() == {
        "tanh": "`tanh` uses `np.tanh`, which this exercise asks you to do without"
    }


def test_a_search_is_not_stalled_by_size():
    strings = f"words = {['tanh'] * 20_000}\nvars()\ndef tanh(x):\n    return words"
    targets = (
        " = ".join(f"a{n}" for n in range(3_000))
        + " = 1\ndef tanh(x):\n    return "
        + " + ".join(f"a{n}" for n in range(900))
    )
    assert Sources("activations", [strings, targets]).shortcuts() == {}


@pytest.mark.parametrize(
    "cells",
    [
        ["def tanh(x):\n    return 2 / (1 + np.exp(-2 * x)) - 1"],
        ["def tanh(x):\n    '''Like np.tanh, without tanh.'''\n    return np.sinh(x) / np.cosh(x)"],
        ["def tanh(x):\n    return x  # np.tanh", "def tanh_grad(x):\n    return 1 - np.tanh(x) ** 2"],
        ["y = np.tanh(1.0)", "def tanh(x):\n    return np.expm1(x)"],
        ["def tanh(x:\n    return np.tanh(x)"],
        ["def tanh(x):\n    return other.tanh(x)"],
        [
            "def sigmoid(x):\n    return (1 + np.tanh(x / 2)) / 2",
            "def tanh(x):\n    return 2 * sigmoid(2 * x) - 1",
        ],
    ],
)
def test_left_alone(cells):
    assert Sources("activations", cells).shortcuts() == {}


def test_what_an_answer_stands_on():
    cells = [
        "def sigmoid(x):\n    return 1 / (1 + np.exp(-x))\n\ndef sigmoid_grad(x):\n    s = sigmoid(x)\n    return s * (1 - s)",
        "def helper(x):\n    return sigmoid(x)",
        "def softplus_grad(x):\n    return helper(x)",
        "def softplus(x):\n    return relu(x) + np.log1p(np.exp(-abs(x)))",
        "def tanh(x):\n    return 2 * helper(2 * x) - 1\n\ndef tanh_grad(z):\n    x = tanh(z)\n    return 1 - x**2",
    ]
    sources = Sources("activations", cells)
    assert sources.stands_on("sigmoid") == set()
    assert sources.stands_on("sigmoid_grad") == {"sigmoid"}
    assert sources.stands_on("softplus_grad") == {"sigmoid"}
    assert sources.stands_on("softplus") == {"relu"}
    assert sources.stands_on("tanh") == {"sigmoid"}, "another function's own `x` is not this one's"
    assert sources.stands_on("elu") == set()
