"""`optimizers` against torch.optim and the papers' formulas over many steps, and what the contract says beyond that."""

import copy

import numpy as np
import pytest

from kerasref import optimizers
from kerasref.backend import BACKEND
from tests.kerasref.oracles import assert_agrees

ADAPTIVE = ("adagrad_step", "adadelta_step", "rmsprop_step", "adam_step")
STEPS = ("sgd_step", "momentum_step", "nesterov_step", *ADAPTIVE)
SHAPES = [(), (1,), (3, 2)]


@pytest.fixture
def rng():
    return np.random.default_rng(5)


def path(name, theta, grads, **hyper):
    """The parameters after each step; a hyperparameter that is a list has a value for each step."""
    state, thetas = {}, []
    for i, grad in enumerate(grads):
        now = {key: value[i] if isinstance(value, list) else value for key, value in hyper.items()}
        theta, state = getattr(optimizers, name)(theta, grad, state, **now)
        thetas.append(theta)
    return np.array(thetas)


def adams_hats(epsilon, beta_2, steps):
    """What stands beside the uncorrected root when epsilon stands beside the corrected one."""
    return [epsilon * np.sqrt(1 - beta_2**t) for t in range(1, steps + 1)]


def in_torch(optimizer, theta, grads, **hyper):
    torch = pytest.importorskip("torch")
    parameter = torch.nn.Parameter(torch.tensor(theta))
    stepper = getattr(torch.optim, optimizer)([parameter], **hyper)
    thetas = []
    for grad in grads:
        parameter.grad = torch.tensor(grad)
        stepper.step()
        thetas.append(parameter.detach().numpy().copy())
    return np.array(thetas)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("name", "ours", "optimizer", "theirs"),
    [
        ("sgd_step", {"learning_rate": 0.1}, "SGD", {"lr": 0.1}),
        ("momentum_step", {"learning_rate": 0.1}, "SGD", {"lr": 0.1, "momentum": 0.9}),
        ("nesterov_step", {"momentum": 0.7}, "SGD", {"lr": 0.01, "momentum": 0.7, "nesterov": True}),
        # torch has epsilon beside these roots
        (
            "adagrad_step",
            {"epsilon": 1e-30},
            "Adagrad",
            {"lr": 1e-3, "initial_accumulator_value": 0.1, "eps": 0},
        ),
        ("rmsprop_step", {"rho": 0.8, "epsilon": 1e-30}, "RMSprop", {"lr": 1e-3, "alpha": 0.8, "eps": 0}),
        ("adadelta_step", {"learning_rate": 0.5}, "Adadelta", {"lr": 0.5, "rho": 0.95, "eps": 1e-7}),
        (
            "adam_step",
            {"beta_1": 0.8, "beta_2": 0.99, "epsilon": adams_hats(0.1, 0.99, 50)},
            "Adam",
            {"lr": 1e-3, "betas": (0.8, 0.99), "eps": 0.1},
        ),
    ],
)
def test_fifty_steps_are_torchs(rng, shape, name, ours, optimizer, theirs):
    theta, grads = np.asarray(rng.normal(size=shape)), rng.normal(size=(50, *shape))
    expected = in_torch(optimizer, theta, [np.asarray(grad) for grad in grads], **theirs)
    assert_agrees(path(name, theta, grads, **ours), expected, name)


def as_printed(name, theta, grads):
    """The papers' formulas with Keras' defaults; every power and sum is written out."""
    thetas = []
    for t in range(1, len(grads) + 1):
        so_far, ages = grads[:t], np.arange(t)[::-1]
        match name:
            case "sgd_step":
                step = 0.01 * so_far[-1]
            case "momentum_step":
                step = np.tensordot(0.9**ages, 0.01 * so_far, 1)
            case "nesterov_step":
                step = np.tensordot(0.9 ** (ages + 1), 0.01 * so_far, 1) + 0.01 * so_far[-1]
            case "adagrad_step":
                step = 0.001 * so_far[-1] / np.sqrt(0.1 + (so_far**2).sum(axis=0) + 1e-7)
            case "rmsprop_step":
                step = 0.001 * so_far[-1] / np.sqrt(np.tensordot(0.1 * 0.9**ages, so_far**2, 1) + 1e-7)
            case "adam_step":
                m = np.tensordot(0.1 * 0.9**ages, so_far, 1) / (1 - 0.9**t)
                v = np.tensordot(0.001 * 0.999**ages, so_far**2, 1) / (1 - 0.999**t)
                step = 0.001 * m / (np.sqrt(v) + 1e-7 / np.sqrt(1 - 0.999**t))
        theta = theta - step
        thetas.append(theta)
    return np.array(thetas)


@pytest.mark.parametrize("name", [name for name in STEPS if name != "adadelta_step"])
def test_steps_are_the_papers(rng, name):
    theta, grads = rng.normal(size=(2, 3)), rng.normal(size=(60, 2, 3))
    assert_agrees(path(name, theta, grads), as_printed(name, theta, grads), name)


def test_adadeltas_steps_are_the_papers(rng):
    grads, square, step_square, steps = rng.normal(size=60), 0.0, 0.0, []
    for grad in grads:
        square = 0.95 * square + 0.05 * grad**2
        steps.append(-((step_square + 1e-7) ** 0.5) / (square + 1e-7) ** 0.5 * grad)
        step_square = 0.95 * step_square + 0.05 * steps[-1] ** 2
    assert_agrees(path("adadelta_step", 0.0, grads, learning_rate=1.0), np.cumsum(steps))


@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_pure(rng, name):
    step, theta, state = getattr(optimizers, name), rng.normal(size=4), {}
    for _ in range(3):
        grad = rng.normal(size=4)
        given = theta.copy(), grad.copy(), copy.deepcopy(state)
        first = step(theta, grad, state)
        again = step(*given)
        assert_agrees(first[0], again[0])
        assert state.keys() == given[2].keys()
        assert all(np.array_equal(state[key], given[2][key]) for key in state)
        theta, state = first


@pytest.mark.parametrize("name", STEPS)
def test_a_learning_rate_of_zero_stays(rng, name):
    theta = rng.normal(size=3)
    assert_agrees(path(name, theta, rng.normal(size=(2, 3)), learning_rate=0.0), np.array([theta, theta]))


@pytest.mark.parametrize("name", STEPS)
def test_no_gradient_no_step(name):
    assert_agrees(path(name, np.ones(3), np.zeros((3, 3))), np.ones((3, 3)))


def test_batch_gradient_descent_reaches_least_squares(rng):
    x, y, asked = rng.normal(size=(30, 3)), rng.normal(size=30), []

    def gradient(theta, data):
        asked.append(theta)
        return data[0].T @ (data[0] @ theta - data[1]) / len(data[1])

    found = optimizers.batch_gradient_descent(np.zeros(3), gradient, (x, y), 0.4, 400)
    np.testing.assert_allclose(
        found, np.linalg.lstsq(x, y)[0], rtol=1e-9 if BACKEND == "tensorflow" else 1e-4
    )
    assert len(asked) == 400


def test_batch_gradient_descent_in_a_bowl():
    at = optimizers.batch_gradient_descent([[3.0]], lambda theta, data: theta - data, 1.0, 0.5, 4)
    assert_agrees(at, [[1 + 2 * 0.5**4]])
    assert_agrees(optimizers.batch_gradient_descent([3.0], None, None, 0.5, 0), [3.0])


@pytest.mark.parametrize(
    ("n", "batch_size", "sizes"), [(10, 4, [4, 4, 2]), (4, 2, [2, 2]), (1, 9, [1]), (0, 3, [])]
)
def test_minibatches_are_an_epoch(rng, n, batch_size, sizes):
    x = rng.normal(size=(n, 2, 1))
    batches = optimizers.minibatches(x, x.sum(axis=(1, 2)), batch_size, rng)
    assert [len(a) for a, _ in batches] == [len(b) for _, b in batches] == sizes
    for a, b in batches:
        assert_agrees(a.sum(axis=(1, 2)), b)
    if n:
        assert_agrees(np.sort(np.concatenate([b for _, b in batches])), np.sort(x.sum(axis=(1, 2))))


def test_minibatches_are_shuffled_anew(rng):
    orders = {tuple(optimizers.minibatches(np.arange(4), np.arange(4), 4, rng)[0][0]) for _ in range(400)}
    assert len(orders) == 24


BAD = [
    *((name, {"grad": np.ones((3, 1))}, "grad", "(3, 1)") for name in STEPS),
    *((name, {"theta": [], "grad": []}, "theta", "empty") for name in STEPS),
    *((name, {"theta": "abc"}, "theta", "str") for name in STEPS),
    *((name, {"state": None}, "state", "NoneType") for name in STEPS),
    *((name, {"state": {"mine": np.ones(3)}}, "state", "mine") for name in STEPS),
    *((name, {"learning_rate": -0.1}, "learning_rate", "-0.1") for name in STEPS),
    *((name, {"learning_rate": np.nan}, "learning_rate", "nan") for name in STEPS),
    *((name, {"epsilon": epsilon}, "epsilon", str(epsilon)) for name in ADAPTIVE for epsilon in (0.0, -1e-7)),
    *(
        (name, {parameter: value}, parameter, str(value))
        for name, parameter in [
            ("momentum_step", "momentum"),
            ("nesterov_step", "momentum"),
            ("adadelta_step", "rho"),
            ("rmsprop_step", "rho"),
            ("adam_step", "beta_1"),
            ("adam_step", "beta_2"),
        ]
        for value in (1.0, -0.1)
    ),
]


@pytest.mark.parametrize(("name", "bad", "argument", "came"), BAD)
def test_a_step_refuses(name, bad, argument, came):
    given = {"theta": np.ones(3), "grad": np.ones(3), "state": {}, **bad}
    with pytest.raises(ValueError, match=f"`{argument}`") as refused:
        getattr(optimizers, name)(**given)
    assert came in str(refused.value)


def test_a_state_of_other_parameters_is_refused():
    _, state = optimizers.momentum_step(np.ones(3), np.ones(3), {})
    with pytest.raises(ValueError, match=r"`state` has shape \(3,\)"):
        optimizers.momentum_step(np.ones((3, 1)), np.ones((3, 1)), state)


@pytest.mark.parametrize(
    ("bad", "argument"),
    [
        ({"learning_rate": -1}, "learning_rate"),
        ({"epochs": -1}, "epochs"),
        ({"epochs": 1.5}, "epochs"),
        ({"gradient": lambda theta, data: theta[:1]}, "gradient"),
        ({"gradient": lambda theta, data: None}, "gradient"),
        ({"theta": None}, "theta"),
    ],
)
def test_batch_gradient_descent_refuses(bad, argument):
    given = {"theta": np.ones(3), "gradient": lambda theta, data: theta, "data": None, "learning_rate": 0.1}
    with pytest.raises(ValueError, match=f"`{argument}`"):
        optimizers.batch_gradient_descent(**{**given, "epochs": 2, **bad})


@pytest.mark.parametrize(
    ("bad", "argument"),
    [
        ({"y": np.ones(5)}, "y"),
        ({"x": np.array(1.0)}, "x"),
        ({"y": np.array(1.0)}, "y"),
        ({"batch_size": 0}, "batch_size"),
        ({"batch_size": 2.5}, "batch_size"),
    ],
)
def test_minibatches_refuse(rng, bad, argument):
    given = {"x": np.ones((4, 2)), "y": np.ones(4), "batch_size": 2, "rng": rng, **bad}
    with pytest.raises(ValueError, match=f"`{argument}`"):
        optimizers.minibatches(**given)
