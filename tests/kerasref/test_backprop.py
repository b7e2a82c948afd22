"""`backprop` against BLAS, Keras' layers, autodiff and SciPy, and what the contract says beyond their values."""

import numpy as np
import pytest
from scipy.differentiate import derivative
from scipy.linalg.blas import dgemm

from grader.notebooks import solution_namespace
from kerasref import backprop
from kerasref.backend import BACKEND, keras
from kerasref.core import gradient, reference
from tests.kerasref import assert_refused
from tests.kerasref.oracles import assert_agrees

ops = keras.ops
STEP, NEAR = (1e-5, 1e-8) if BACKEND == "tensorflow" else (1e-2, 1e-2)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def network(rng, inputs=4, hidden=6, classes=3):
    shapes = {"w1": (inputs, hidden), "b1": (hidden,), "w2": (hidden, classes), "b2": (classes,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


@pytest.mark.parametrize(("alpha", "beta"), [(1.0, 0.0), (0.0, 2.0), (-1.5, 0.5)])
def test_gemm_is_blas(rng, alpha, beta):
    a, b, c = rng.normal(size=(3, 5)), rng.normal(size=(5, 2)), rng.normal(size=(3, 2))
    assert_agrees(backprop.gemm(alpha, a, b, beta, c), dgemm(alpha, a, b, beta, c))


def test_affine_is_a_dense_layer(rng):
    x, w, b = rng.normal(size=(5, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    dense = keras.layers.Dense(2, dtype="float64")
    dense.build((None, 3))
    dense.set_weights([w, b])
    assert_agrees(backprop.affine(x, w, b), reference(lambda x: dense(x))(x))


def test_two_layers_are_two_dense_layers(rng):
    params, x = network(rng), rng.normal(size=(5, 4))
    model = keras.Sequential(
        [
            keras.Input((4,), dtype="float64"),
            keras.layers.Dense(6, "relu", dtype="float64"),
            keras.layers.Dense(3, dtype="float64"),
        ]
    )
    model.set_weights([params[name] for name in ("w1", "b1", "w2", "b2")])
    assert_agrees(backprop.two_layer_forward(params, x), reference(lambda x: model(x))(x))


def test_loss_and_gradients_are_torchs(rng):
    torch = pytest.importorskip("torch")
    for batch, classes in [(1, 1), (1, 4), (6, 3)]:
        params, x = network(rng, classes=classes), rng.normal(size=(batch, 4))
        labels = rng.integers(classes, size=batch)
        loss, grads = backprop.two_layer_loss_and_grads(params, x, np.eye(classes)[labels])
        leaves = {name: torch.tensor(array, requires_grad=True) for name, array in params.items()}
        hidden = (torch.tensor(x) @ leaves["w1"] + leaves["b1"]).relu()
        expected = torch.nn.functional.cross_entropy(
            hidden @ leaves["w2"] + leaves["b2"], torch.tensor(labels)
        )
        expected.backward()
        assert_agrees(loss, expected.item())
        for name, leaf in leaves.items():
            assert_agrees(grads[name], leaf.grad.numpy(), name)


def test_gradients_are_slopes(rng):
    params, x, y_true = network(rng), rng.normal(size=(5, 4)), np.eye(3)[rng.integers(3, size=5)]
    _, grads = backprop.two_layer_loss_and_grads(params, x, y_true)
    for name, array in params.items():
        measured = backprop.numerical_gradient(
            lambda array, name=name: backprop.two_layer_loss_and_grads({**params, name: array}, x, y_true)[0],
            array,
            STEP,
        )
        np.testing.assert_allclose(grads[name], measured, rtol=NEAR, atol=NEAR)


def test_a_unit_at_its_kink_lets_nothing_back():
    params = {"w1": np.ones((1, 1)), "b1": np.zeros(1), "w2": np.array([[1.0, -1.0]]), "b2": np.zeros(2)}
    _, grads = backprop.two_layer_loss_and_grads(params, [[0.0]], [[1.0, 0.0]])
    assert_agrees(grads["b1"], [0.0])
    assert_agrees(grads["b2"], [-0.5, 0.5])


@pytest.mark.parametrize("shape", [(), (3,), (2, 3)])
def test_chain_rule_is_autodiff(rng, shape):
    x = np.asarray(rng.normal(size=shape))
    slope = backprop.chain_rule(
        [np.sin, np.exp, np.square, np.tanh],
        [np.cos, np.exp, lambda u: 2 * u, lambda u: 1 - np.tanh(u) ** 2],
        x,
    )
    found = reference(lambda x: gradient(lambda x: ops.tanh(ops.square(ops.exp(ops.sin(x)))), x))
    assert_agrees(slope, found(x))


def test_a_chain_of_nothing_is_the_identity():
    assert_agrees(backprop.chain_rule([], [], [[1.0, 2.0]]), [[1.0, 1.0]])


def test_numerical_gradient_is_scipys(rng):
    x = rng.normal(size=7)
    measured = derivative(np.exp, x, order=2, maxiter=1, initial_step=0.25)
    np.testing.assert_allclose(
        backprop.numerical_gradient(lambda x: np.exp(x).sum(), x, 0.25), measured.df, rtol=1e-12
    )


def test_numerical_gradient_is_exact_for_squares(rng):
    x = rng.normal(size=(2, 1, 3))
    np.testing.assert_allclose(backprop.numerical_gradient(lambda x: np.sum(x**2), x, 0.5), 2 * x, rtol=1e-12)


def test_numerical_gradient_gives_copies_of_xs_shape(rng):
    x, seen = rng.normal(size=(2, 3)), []

    def spoils(place):
        seen.append(place.shape)
        place[:] = 0
        return 0.0

    assert_agrees(backprop.numerical_gradient(spoils, x), np.zeros((2, 3)))
    assert set(seen) == {(2, 3)}
    assert x.all()


def test_relative_error_runs_from_0_to_1(rng):
    a = rng.normal(size=(3, 4))
    assert backprop.relative_error(a, a) == 0
    assert_agrees(backprop.relative_error(a, -a), 1)
    assert backprop.relative_error([0.0], [0.0]) == 0
    assert_agrees(backprop.relative_error([1.0, 2.0], [1.0, 3.0]), 0.2)


W, X, B = np.ones((3, 2)), np.ones((4, 3)), np.ones(2)
PARAMS = {"w1": np.ones((3, 5)), "b1": np.ones(5), "w2": np.ones((5, 2)), "b2": np.ones(2)}
LABELS = np.eye(2)[[0, 1, 1, 0]]

MISFITS = [
    # function, arguments, argument named, what came
    *(
        ("gemm", {"alpha": 1.0, "a": X, "b": W, "beta": 0.0, "c": np.ones((4, 2)), **wrong}, name, came)
        for wrong, name, came in [
            ({"a": np.ones(3)}, "a", "(3,)"),
            ({"b": np.ones((2, 3))}, "b", "(2, 3)"),
            ({"c": np.ones((1, 2))}, "c", "(1, 2)"),
            ({"c": np.ones((4, 1))}, "c", "(4, 1)"),
            ({"c": np.ones(2)}, "c", "(2,)"),
        ]
    ),
    *(
        ("blocked_gemm", {"a": X, "b": W, "block": 2, **wrong}, name, came)
        for wrong, name, came in [
            ({"block": 0}, "block", "0"),
            ({"block": -2}, "block", "-2"),
            ({"a": W}, "b", "(3, 2)"),
        ]
    ),
    *(
        ("matmul_backward", {"upstream": np.ones((4, 2)), "w": X, "x": W, **wrong}, name, came)
        for wrong, name, came in [
            ({"upstream": np.ones((2, 4))}, "upstream", "(2, 4)"),
            ({"upstream": np.ones(2)}, "upstream", "(2,)"),
            ({"upstream": np.ones((4, 1))}, "upstream", "(4, 1)"),
            ({"w": W}, "x", "(3, 2)"),
            ({"x": np.ones(3)}, "x", "(3,)"),
        ]
    ),
    *(
        (function, {**arguments, **wrong}, name, came)
        for function, arguments in [
            ("affine", {"x": X, "w": W, "b": B}),
            ("affine_backward", {"upstream": np.ones((4, 2)), "x": X, "w": W, "b": B}),
        ]
        for wrong, name, came in [
            ({"b": np.ones(1)}, "b", "(1,)"),
            ({"b": np.ones((2, 1))}, "b", "(2, 1)"),
            ({"b": np.ones((1, 2))}, "b", "(1, 2)"),
            ({"b": 1.0}, "b", "()"),
            ({"x": np.ones(3)}, "x", "(3,)"),
            ({"w": np.ones((2, 2))}, "w", "(2, 2)"),
        ]
    ),
    (
        "affine_backward",
        {"upstream": np.ones((1, 2)), "x": X, "w": W, "b": B},
        "upstream",
        "(1, 2)",
    ),
    ("chain_rule", {"functions": [np.sin], "derivatives": [], "x": 1.0}, "derivatives", "0"),
    *(
        ("numerical_gradient", {"f": np.sum, "x": np.ones(2), "eps": eps}, "eps", came)
        for eps, came in [(0, "0"), (-1e-5, "-1e-05"), (np.nan, "nan")]
    ),
    ("relative_error", {"a": np.ones(3), "b": np.ones((3, 1))}, "b", "(3, 1)"),
    ("relative_error", {"a": [], "b": []}, "a", "(0,)"),
    *(
        (function, {"params": PARAMS, "x": X, **more, **wrong}, name, came)
        for function, more in [("two_layer_forward", {}), ("two_layer_loss_and_grads", {"y_true": LABELS})]
        for wrong, name, came in [
            ({"params": {**PARAMS, "b1": np.ones(1)}}, "params['b1']", "(1,)"),
            ({"params": {**PARAMS, "b2": np.ones((1, 2))}}, "params['b2']", "(1, 2)"),
            ({"params": {**PARAMS, "w2": np.ones((4, 2))}}, "params['w2']", "(4, 2)"),
            ({"x": np.ones((4, 2))}, "params['w1']", "(3, 5)"),
            ({"x": np.ones(3)}, "x", "(3,)"),
        ]
    ),
    *(
        ("two_layer_loss_and_grads", {"params": PARAMS, "x": X, "y_true": y_true}, "y_true", came)
        for y_true, came in [
            (LABELS[:3], "(3, 2)"),
            (np.eye(3)[[0, 1, 2, 0]], "(4, 3)"),
            (np.array([0, 1, 1, 0]), "(4,)"),
            (0.5 * np.ones((4, 2)), "0.5"),
            (np.ones((4, 2)), "2"),
        ]
    ),
]

NO_DATA = [
    ("gemm", {"alpha": "1", "a": X, "b": W, "beta": 0.0, "c": np.ones((4, 2))}, "alpha", "'1'"),
    ("gemm", {"alpha": np.nan, "a": X, "b": W, "beta": 0.0, "c": np.ones((4, 2))}, "alpha", "nan"),
    ("gemm", {"alpha": 1.0, "a": X, "b": W, "beta": np.ones(2), "c": np.ones((4, 2))}, "beta", "[1., 1.]"),
    ("blocked_gemm", {"a": X, "b": W, "block": 1.5}, "block", "1.5"),
    ("blocked_gemm", {"a": X, "b": W, "block": (2, 2)}, "block", "(2, 2)"),
    ("blocked_gemm", {"a": np.ones((0, 3)), "b": W, "block": 2}, "a", "(0, 3)"),
    ("chain_rule", {"functions": np.sin, "derivatives": [np.cos], "x": 1.0}, "functions", "sin"),
    ("chain_rule", {"functions": [np.sin], "derivatives": ["cos"], "x": 1.0}, "derivatives", "cos"),
    ("chain_rule", {"functions": [np.sin], "derivatives": [np.cos], "x": None}, "x", "NoneType"),
    ("numerical_gradient", {"f": 3, "x": 1.0}, "f", "3"),
    ("numerical_gradient", {"f": np.exp, "x": np.ones(2)}, "f", "array"),
    ("numerical_gradient", {"f": np.sum, "x": np.ones(2), "eps": None}, "eps", "None"),
    ("two_layer_forward", {"params": list(PARAMS.values()), "x": X}, "params", "list"),
    ("two_layer_forward", {"params": {"w1": W}, "x": X}, "params", "w1"),
    ("two_layer_forward", {"params": {**PARAMS, "w3": W}, "x": X}, "params", "w3"),
]


@pytest.mark.parametrize(("function", "arguments", "name", "came"), MISFITS + NO_DATA)
def test_bad_input_is_refused_by_name(function, arguments, name, came):
    assert_refused(getattr(backprop, function), arguments, name, came)


@pytest.mark.parametrize(("function", "arguments", "name", "came"), MISFITS)
def test_the_solution_refuses_what_does_not_fit(function, arguments, name, came):
    with pytest.raises(ValueError, match="expected"):
        solution_namespace("backprop")[function](**arguments)
