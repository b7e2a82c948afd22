"""What references refuse: each with a `ValueError` that names the argument and shows what came."""

import importlib

import numpy as np
import pytest

from tests.kerasref import assert_refused

IMAGES = np.zeros((1, 2, 2, 3))
ONE_HOT = np.eye(2)

BAD = [
    # assignment, function, arguments, argument named, what came
    *(
        ("activations", function, {"x": x}, "x", came)
        for function in ("sigmoid", "relu_grad", "softmax")
        for x, came in [
            (None, "NoneType"),
            ("abc", "str"),
            ([1, "2"], "list"),
            ([1j], "complex"),
            ([[1, 2], [3]], "list"),
            (object(), "object"),
            (np.array(["2020-01-01"], "datetime64[D]"), "datetime64"),
        ]
    ),
    ("activations", "leaky_relu", {"x": [1], "negative_slope": "steep"}, "negative_slope", "'steep'"),
    ("activations", "leaky_relu", {"x": [1], "negative_slope": [0.1, 0.2]}, "negative_slope", "[0.1, 0.2]"),
    ("activations", "leaky_relu_grad", {"x": [1], "negative_slope": np.nan}, "negative_slope", "nan"),
    ("activations", "elu", {"x": [1], "alpha": None}, "alpha", "None"),
    ("activations", "elu_grad", {"x": [1], "alpha": np.inf}, "alpha", "inf"),
    *(
        ("activations", "softmax", {"x": np.zeros(shape), "axis": axis}, "axis", came)
        for shape, axis, came in [
            ((2, 3), 2, "2"),
            ((2, 3), -3, "-3"),
            ((), -1, "-1"),
            ((2, 3), 1.0, "1.0"),
            ((2, 3), True, "True"),
            ((2, 3), None, "None"),
            ((2, 3), (0, 1), "(0, 1)"),
        ]
    ),
    ("activations", "softmax_backward", {"upstream": np.ones(3), "x": np.ones((2, 3))}, "upstream", "(3,)"),
    (
        "activations",
        "softmax_backward",
        {"upstream": np.ones((2, 3)), "x": np.ones((2, 3)), "axis": 5},
        "axis",
        "5",
    ),
    *(
        ("losses", function, {"y_true": np.ones(4), "y_pred": np.ones((4, 1))}, "y_pred", "(4, 1)")
        for function in (
            "l1_loss",
            "l2_loss",
            "mean_absolute_error",
            "mean_squared_error",
            "mean_squared_error_grad",
            "huber",
            "huber_grad",
            "hinge",
        )
    ),
    *(
        ("losses", function, {"y_true": [], "y_pred": []}, "y_true", "(0,)")
        for function in (
            "mean_absolute_error",
            "mean_squared_error",
            "mean_squared_error_grad",
            "huber",
            "huber_grad",
            "hinge",
        )
    ),
    *(
        ("losses", function, {"y_true": [1.0], "y_pred": [2.0], "delta": delta}, "delta", came)
        for function in ("huber", "huber_grad")
        for delta, came in [(0, "0"), (-1, "-1"), (np.nan, "nan"), (np.inf, "inf"), ("1", "'1'")]
    ),
    ("losses", "hinge", {"y_true": [1, 0, 1], "y_pred": [1, 2, 3]}, "y_true", "0.0 at [1]"),
    ("losses", "hinge", {"y_true": [[1], [2]], "y_pred": [[1], [2]]}, "y_true", "2.0 at [1, 0]"),
    ("losses", "hinge", {"y_true": [np.nan], "y_pred": [1]}, "y_true", "nan"),
    ("losses", "linear_regression_cost", {"theta": [[1.0]], "x": [[1.0]], "y": [1.0]}, "theta", "(1, 1)"),
    ("losses", "linear_regression_cost", {"theta": [1.0], "x": [1.0], "y": [1.0]}, "x", "(1,)"),
    ("losses", "linear_regression_cost", {"theta": [1.0], "x": [[1.0]], "y": [[1.0]]}, "y", "(1, 1)"),
    ("losses", "linear_regression_cost", {"theta": [1.0], "x": [[1.0, 2.0]], "y": [1.0]}, "theta", "(1,)"),
    ("losses", "linear_regression_grad", {"theta": [1.0], "x": [[1.0], [2.0]], "y": [1.0]}, "y", "(1,)"),
    ("losses", "linear_regression_grad", {"theta": [1.0], "x": np.ones((0, 1)), "y": []}, "x", "(0, 1)"),
    *(
        ("losses", function, {"y_true": y_true, scores: given}, name, came)
        for function, scores in [
            ("cross_entropy", "probabilities"),
            ("softmax_cross_entropy", "logits"),
            ("softmax_cross_entropy_grad", "logits"),
        ]
        for y_true, given, name, came in [
            (ONE_HOT, np.ones((2, 3)), scores, "(2, 3)"),
            (ONE_HOT[0], np.ones(2), "y_true", "(2,)"),
            (ONE_HOT, np.ones(2), scores, "(2,)"),
            (np.zeros((0, 2)), np.zeros((0, 2)), "y_true", "(0, 2)"),
            ([[1, 0], [0, 2]], ONE_HOT, "y_true", "2.0 at [1, 1]"),
            ([[1, 0], [0, 0]], ONE_HOT, "y_true", "0 ones at row [1]"),
            ([[1, 1], [0, 1]], ONE_HOT, "y_true", "2 ones at row [0]"),
        ]
    ),
    *(
        ("losses", function, arguments, name, came)
        for function in ("sigmoid_cross_entropy", "sigmoid_cross_entropy_grad")
        for arguments, name, came in [
            ({"y_true": [1, 0], "logits": [[1], [2]]}, "logits", "(2, 1)"),
            ({"y_true": [1, -1], "logits": [1, 2]}, "y_true", "-1.0 at [1]"),
            ({"y_true": [2], "logits": [1]}, "y_true", "2.0 at [0]"),
            ({"y_true": [], "logits": []}, "y_true", "(0,)"),
        ]
    ),
    ("losses", "total_variation", {"images": IMAGES[0]}, "images", "(2, 2, 3)"),
    ("losses", "total_variation", {"images": IMAGES[:0]}, "images", "(0, 2, 2, 3)"),
    ("losses", "gram_matrix", {"features": IMAGES[0]}, "features", "(2, 2, 3)"),
    ("losses", "gram_matrix", {"features": IMAGES[:, :0]}, "features", "(1, 0, 2, 3)"),
    ("losses", "style_loss", {"style": IMAGES, "generated": IMAGES[0]}, "generated", "(2, 2, 3)"),
    ("losses", "style_loss", {"style": IMAGES, "generated": IMAGES[..., :1]}, "generated", "(1, 2, 2, 1)"),
    (
        "losses",
        "style_loss",
        {"style": IMAGES, "generated": np.ones((2, 2, 2, 3))},
        "generated",
        "(2, 2, 2, 3)",
    ),
    (
        "losses",
        "content_loss",
        {"content": IMAGES, "generated": IMAGES[..., :1]},
        "generated",
        "(1, 2, 2, 1)",
    ),
    ("losses", "content_loss", {"content": IMAGES[:0], "generated": IMAGES[:0]}, "content", "(0, 2, 2, 3)"),
]


@pytest.mark.parametrize(("assignment", "function", "arguments", "name", "came"), BAD)
def test_bad_input_is_refused_by_name(assignment, function, arguments, name, came):
    refuses = getattr(importlib.import_module(f"kerasref.{assignment}"), function)
    assert_refused(refuses, arguments, name, came)
