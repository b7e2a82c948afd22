"""A mismatch says what a student needs: the shape first, then the first place and the largest error."""

import numpy as np
import pytest

from grader.compare import Mismatch, agree, assert_close
from grader.wire import Rng

ROW = np.array([1.0, 2.0, 3.0])


@pytest.mark.parametrize(
    ("actual", "expected"),
    [
        (ROW * (1 + 1e-10), ROW),
        (ROW + 1e-13, ROW),
        (3, 3.0),
        (np.float64(3), np.array(3.0)),
        (np.array([True, False]), np.array([1.0, 0.0])),
        (np.array([np.nan, np.inf, -np.inf]), np.array([np.nan, np.inf, -np.inf])),
        ((ROW, 1.0), [ROW, 1.0]),
        ({"w": ROW}, {"w": ROW}),
        (None, None),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        (np.array([1 + 1j]), np.array([1 + 1j])),
        (Rng(1), Rng(1)),
    ],
)
def test_agrees(actual, expected):
    assert_close(actual, expected)


@pytest.mark.parametrize(
    ("actual", "expected", "said"),
    [
        (ROW * (1 + 1e-8), ROW, "differs in 3 of 3 places"),
        (ROW + [0, 0, 1], ROW, "first at [2]: expected 3, got 4"),
        (ROW + [0.5, 0, 1], ROW, "largest error 1 at [2]"),
        (ROW[:, None], ROW, "shape (3, 1), expected shape (3,)"),
        (ROW, np.float64(1), "shape (3,), expected one number"),
        (np.float64(1), ROW, "is one number, expected shape (3,)"),
        (-ROW, ROW, "that is -1 times what it should be"),
        (ROW / 3, ROW, "that is 0.333333 times what it should be"),
        (6.0, np.float64(3), "off by 3; that is 2 times what it should be"),
        (1.0, np.float64(1 - 1e-8), "is 1, expected 0.99999999"),
        (1 + 4e-9, np.float64(1 + 2e-9), "is 1.000000004, expected 1.000000002"),
        (1 + 1.2e-9, np.float64(1), "is 1.000000001, expected 1"),
        (0.1 + 1e-8, np.float64(0.1), "is 0.10000001, expected 0.1; off by 1e-08"),
        (ROW.astype(np.float32) / 3, ROW / 3, "yours is float32"),
        (np.array([False, True, True]), ROW, "first at [0]: expected 1, got 0"),
        (np.array([-0.0, 2, 3]), ROW, "expected 1, got 0"),
        (np.array([np.nan, 2, 3]), ROW, "NaN came"),
        (np.array([np.inf, 2, 3]), ROW, "expected 1, got inf"),
        (ROW, np.array([np.inf, 2, 3]), "expected inf, got 1"),
        (np.array([1e308 * 10, 2.0]), np.array([-np.inf, 2.0]), "expected -inf, got inf"),
        (None, Rng(2), "expected Rng(seed=2)"),
        (None, ROW, "None: does every path of your function end in a `return`"),
        ([1.0, 2.0, 3.0], ROW, "is a list, expected an array of shape (3,)"),
        (ROW, (ROW, ROW), "expected 2 values together"),
        ((ROW,), (ROW, ROW), "has 1 part, expected 2"),
        ((ROW, ROW + 1), (ROW, ROW), "result[1] differs in 3 of 3 places"),
        ({"w": ROW}, {"b": ROW}, "has the keys ['w'], expected ['b']"),
        ("cat", "dog", "is 'cat', expected 'dog'"),
        (Rng(1), Rng(2), "is Rng(seed=1), expected Rng(seed=2)"),
        (np.array([1 + 2j]), np.array([1.0]), "first at [0]: expected 1, got 1+2j"),
    ],
)
def test_differs_and_says_how(actual, expected, said):
    with pytest.raises(Mismatch) as caught:
        assert_close(actual, expected)
    assert said in str(caught.value)
    assert not agree(actual, expected)


def test_tolerance_is_the_callers():
    assert agree(ROW * (1 + 1e-6), ROW, rtol=1e-5)
    assert not agree(ROW + 1e-13, ROW, rtol=0, atol=0)


def test_a_large_wrong_array_is_described_in_one_line():
    with pytest.raises(Mismatch) as caught:
        assert_close(np.zeros((300, 400)), np.ones((300, 400)))
    assert len(str(caught.value)) < 200
