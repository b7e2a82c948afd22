"""Pruning: what it must not change, what it must change, and bad input."""

import numpy as np
import pytest

from kerasref import compression
from kerasref.backend import keras
from tests.kerasref import assert_refused

layers = keras.layers


def test_a_net_without_filters_is_the_net_with_these_filters_silent():
    rng = np.random.default_rng(0)
    keep = np.array([1, 2, 5, 6])
    given = [rng.normal(size=size) for size in ((3, 3, 2, 7), (7,), (3, 3, 7, 4))]

    def net(kernel, bias, next_kernel, x):
        hidden = keras.ops.relu(keras.ops.conv(x, kernel, padding="same") + bias)
        return keras.ops.convert_to_numpy(keras.ops.conv(hidden, next_kernel, strides=2, padding="same"))

    x = rng.normal(size=(2, 8, 9, 2))
    silent = np.isin(np.arange(7), keep)
    expected = net(given[0] * silent, given[1] * silent, given[2], x)
    np.testing.assert_allclose(net(*compression.prune_filters(*given, keep), x), expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("step", "expected"),
    [(-3, 0.1), (2, 0.1), (4, 0.5046875), (6, 0.7125), (8, 0.7890625), (10, 0.8), (11, 0.8)],
)
def test_the_schedule_by_hand(step, expected):
    assert compression.sparsity_schedule(step, 2, 10, 0.1, 0.8) == pytest.approx(expected, abs=1e-12)


def test_the_schedule_is_flat_at_its_end_and_steep_at_its_start():
    shares = 2 * np.array([compression.sparsity_schedule(t, 0, 1, 0, 0.5) for t in np.linspace(0, 1, 1001)])
    slopes = np.diff(shares) * 1000
    assert slopes[0] == pytest.approx(3, abs=0.01) and slopes[-1] == pytest.approx(0, abs=0.01)
    assert (np.diff(slopes) < 0).all()


def test_equal_magnitudes_go_in_the_right_number():
    mask = compression.magnitude_mask(np.array([1.0, -1, 1, 1, 5]), 0.4)
    assert np.count_nonzero(~mask) == 2 and mask[4]


def learned(rng):
    x = rng.normal(size=(128, 6))
    y = np.stack([np.maximum(x[:, 0] + x[:, 1], 0), x[:, 2] * x[:, 3]], axis=1)
    keras.utils.set_random_seed(0)
    net = keras.Sequential(
        [keras.Input((6,)), layers.Dense(48, "relu"), layers.BatchNormalization(), layers.Dense(2)]
    )
    net.compile(keras.optimizers.Adam(0.01, weight_decay=0.001), "mse")
    net.fit(x, y, epochs=40, verbose=0)
    return net, x, y


def test_pruning_keeps_what_the_net_has_learned():
    net, x, y = learned(np.random.default_rng(1))
    before = net.evaluate(x, y, verbose=0)
    whole = net.get_weights()
    at_once = keras.models.clone_model(net)
    at_once.compile(loss="mse")
    at_once.set_weights([w * compression.magnitude_mask(w, 0.8) if w.ndim > 1 else w for w in whole])
    assert compression.iterative_pruning(net, (x, y), rounds=5, sparsity=0.8, epochs=6) is net
    for weights in net.get_weights():
        if weights.ndim > 1:
            assert np.count_nonzero(weights == 0) == round(0.8 * weights.size)
        else:
            assert (weights != 0).all()
    after = net.evaluate(x, y, verbose=0)
    assert after < 0.5 * at_once.evaluate(x, y, verbose=0)
    assert after < 4 * before


def test_what_is_cut_off_stays_so_until_the_last_step():
    net, x, y = learned(np.random.default_rng(2))
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(np.mean(self.model.get_weights()[0] == 0))

    fit = net.fit
    net.fit = lambda *args, **options: fit(*args, callbacks=[Watch()], **options)
    compression.iterative_pruning(net, (x, y), rounds=3, sparsity=0.75, epochs=2)
    assert (np.diff(seen) >= 0).all()
    assert len(set(seen)) == 3 and seen[-1] == pytest.approx(0.75, abs=0.002)


KERNEL, BIAS, FOLLOWING = np.ones((3, 3, 2, 4)), np.ones(4), np.ones((3, 3, 4, 5))
PARTS = {"kernel": KERNEL, "bias": BIAS, "next_kernel": FOLLOWING, "keep": [0, 2]}
SCHEDULE = {"step": 1, "start": 0, "end": 4, "initial": 0.0, "final": 0.5}
BAD = [
    ("magnitude_mask", {"weights": BIAS, "sparsity": 1.0}, "sparsity", "1.0"),
    ("magnitude_mask", {"weights": BIAS, "sparsity": -0.1}, "sparsity", "-0.1"),
    ("rank_filters", {"kernel": BIAS}, "kernel", "(4,)"),
    ("rank_filters", {"kernel": KERNEL, "norm": "l3"}, "norm", "l3"),
    ("mean_activation", {"activations": BIAS}, "activations", "(4,)"),
    ("nonzero_fraction", {"activations": np.ones((0, 3))}, "activations", "(0, 3)"),
    ("prune_filters", PARTS | {"bias": np.ones(3)}, "bias", "3"),
    ("prune_filters", PARTS | {"next_kernel": KERNEL}, "next_kernel", "2"),
    ("prune_filters", PARTS | {"keep": [0, 4]}, "keep", "[0, 4]"),
    ("prune_filters", PARTS | {"keep": [1, 1]}, "keep", "[1, 1]"),
    ("sparsity_schedule", SCHEDULE | {"end": 0}, "end", "0"),
    ("sparsity_schedule", SCHEDULE | {"final": 1.0}, "final", "1.0"),
    ("iterative_pruning", {"model": None, "data": None, "rounds": 0}, "rounds", "0"),
    ("iterative_pruning", {"model": None, "data": None, "rounds": 1, "sparsity": 1.0}, "sparsity", "1.0"),
    ("iterative_pruning", {"model": None, "data": None, "rounds": 1, "epochs": 0}, "epochs", "0"),
]


@pytest.mark.parametrize(("function", "arguments", "name", "came"), BAD)
def test_bad_input_is_named(function, arguments, name, came):
    assert_refused(getattr(compression, function), arguments, name, came)
