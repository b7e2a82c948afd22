"""`multitask` against compiled Keras models, SciPy and scikit-learn, and what the contract says beyond values."""

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import norm as gaussian
from sklearn.decomposition import PCA

from kerasref import multitask
from kerasref.backend import keras
from tests.kerasref import assert_refused
from tests.kerasref.oracles import assert_agrees


@pytest.fixture
def rng():
    return np.random.default_rng(6)


@pytest.mark.parametrize("shape", [(5,), (4, 4, 2), (3, 2)])
@pytest.mark.parametrize("heads", [{"digit": 10}, {"size": 3, "digit": 10, "loops": 1}])
def test_heads_share_all_but_their_own_layer(rng, shape, heads):
    model = multitask.hard_sharing_model(keras.Input(shape), heads)
    logits = model(rng.normal(size=(6, *shape)))
    assert {name: tuple(each.shape) for name, each in logits.items()} == {n: (6, u) for n, u in heads.items()}
    trunk = (np.prod(shape) + 1) * 64 + 65 * 64
    assert model.count_params() == trunk + sum(65 * units for units in heads.values())
    assert any(np.min(keras.ops.convert_to_numpy(each)) < 0 for each in logits.values())


def test_multitask_loss_is_what_a_compiled_model_minimises(rng):
    x, heads = rng.normal(size=(16, 3)), {"a": 2, "b": 1, "c": 4}
    model = multitask.hard_sharing_model(keras.Input((3,)), heads)
    targets = {name: rng.normal(size=(16, units)) for name, units in heads.items()}
    weights = {"a": 0.5, "b": 0.0, "c": 3.0}
    model.compile(loss=dict.fromkeys(heads, "mse"), loss_weights=weights)
    total, *_ = model.evaluate(x, targets, batch_size=16, verbose=0)
    logits = model.predict(x, verbose=0)
    losses = [np.mean((logits[name] - targets[name]) ** 2) for name in heads]
    np.testing.assert_allclose(multitask.multitask_loss(losses, list(weights.values())), total, rtol=1e-6)


def test_uncertainty_is_twice_a_gaussian_likelihood(rng):
    errors, log_variances = rng.normal(size=(2, 4))
    log_likelihood = gaussian.logpdf(errors, scale=np.exp(log_variances / 2)).sum()
    expected = -2 * log_likelihood - 4 * np.log(2 * np.pi)
    assert_agrees(multitask.uncertainty_weighted_loss(errors**2, log_variances), expected)


def test_uncertainty_is_lowest_at_the_logarithm_of_the_loss(rng):
    losses = rng.exponential(size=5)
    lowest = multitask.uncertainty_weighted_loss(losses, np.log(losses))
    assert_agrees(lowest, 5 + np.log(losses).sum())
    for step in rng.normal(scale=0.1, size=(20, 5)):
        assert multitask.uncertainty_weighted_loss(losses, np.log(losses) + step) > lowest


@pytest.mark.parametrize("shape", [(2, 3), (5, 2), (4, 6)])
def test_penalties_are_distances_and_principal_components(rng, shape):
    stacked = rng.normal(size=shape)
    assert_agrees(multitask.soft_sharing_penalty(list(stacked)), pdist(stacked, "sqeuclidean").sum())
    singular = PCA().fit(stacked).singular_values_.sum() * np.sqrt(len(stacked))
    np.testing.assert_allclose(multitask.soft_sharing_penalty(list(stacked), "trace"), singular, rtol=1e-9)


def test_two_tasks_have_one_distance(rng):
    one, other = rng.normal(size=(2, 3, 2))
    distance = np.linalg.norm(one - other)
    assert_agrees(multitask.soft_sharing_penalty([one, other]), distance**2)
    assert_agrees(multitask.soft_sharing_penalty([one, other], norm="trace"), distance)


@pytest.mark.parametrize("norm", ["l2", "trace"])
def test_equal_tasks_pay_nothing(rng, norm):
    one = rng.normal(size=(3, 2))
    assert abs(multitask.soft_sharing_penalty([one] * 4, norm)) < 1e-12


INPUTS = keras.Input((3,))
PAIR = [np.ones(3), np.ones(3)]
BAD = [
    ("hard_sharing_model", {"inputs": np.ones((2, 3)), "heads": {"a": 1}}, "inputs", "ndarray"),
    ("hard_sharing_model", {"inputs": INPUTS, "heads": {}}, "heads", "{}"),
    ("hard_sharing_model", {"inputs": INPUTS, "heads": ["a"]}, "heads", "['a']"),
    ("hard_sharing_model", {"inputs": INPUTS, "heads": {"a": 0}}, "heads['a']", "0"),
    ("multitask_loss", {"losses": [1, 2], "weights": [1]}, "weights", "(1,)"),
    ("multitask_loss", {"losses": 1, "weights": 1}, "losses", "()"),
    ("multitask_loss", {"losses": [], "weights": []}, "losses", "(0,)"),
    ("multitask_loss", {"losses": [1, 2], "weights": [1, -1]}, "weights", "-1"),
    ("uncertainty_weighted_loss", {"losses": [1, 2], "log_variances": [0]}, "log_variances", "(1,)"),
    ("uncertainty_weighted_loss", {"losses": [[1]], "log_variances": [[0]]}, "losses", "(1, 1)"),
    ("soft_sharing_penalty", {"parameters": np.ones((2, 3))}, "parameters", "ndarray"),
    ("soft_sharing_penalty", {"parameters": PAIR[:1]}, "parameters", "1"),
    ("soft_sharing_penalty", {"parameters": [np.ones(3), np.ones((3, 1))]}, "parameters[1]", "(3, 1)"),
    ("soft_sharing_penalty", {"parameters": [np.ones(0), np.ones(0)]}, "parameters[0]", "(0,)"),
    ("soft_sharing_penalty", {"parameters": PAIR, "norm": "nuclear"}, "norm", "'nuclear'"),
]


@pytest.mark.parametrize(("function", "arguments", "name", "came"), BAD)
def test_bad_input_is_named(function, arguments, name, came):
    assert_refused(getattr(multitask, function), arguments, name, came)
