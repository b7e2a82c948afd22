"""Checks of the assignment `compression`."""

import numpy as np
import pytest

from grader.exercise import assert_close, assert_unchanged, core, driver, exercise, hidden

SINGLE = {"rtol": 1e-5, "atol": 1e-6}


@exercise("magnitude_mask", functions=["magnitude_mask"], points=2)
class TestMagnitudeMask:
    """What is small can go."""

    hints = {
        "magnitude_mask": [
            "How many weights go? And by what do you compare them: is -3 smaller than 0.1 here?",
            "Sort the magnitudes of all weights, however many axes there are, and cut off the first `round(sparsity * n)`.",
            "`order = np.argsort(np.abs(weights), axis=None)`; a mask of ones, laid flat, is False at `order[:count]`.",
        ]
    }

    @core
    @pytest.mark.parametrize("shape", [(40,), (6, 7), (3, 3, 2, 5)])
    def test_values(self, student, reference, rng, shape):
        """Keeps the largest magnitudes of arrays of any rank."""
        weights = rng.normal(size=shape)
        assert_close(
            assert_unchanged(student.magnitude_mask, weights, 0.7), reference.magnitude_mask(weights, 0.7)
        )

    def test_counts(self, student, reference, rng):
        """Rounds the number of weights that go."""
        weights = rng.normal(size=(3, 7))
        for sparsity in (0.0, 0.25, 0.3, 0.46, 0.9, 0.99):
            mask = student.magnitude_mask(weights, sparsity)
            assert_close(mask, reference.magnitude_mask(weights, sparsity))

    def test_equal_magnitudes(self, student, reference):
        """Cuts off the right number where magnitudes are equal."""
        weights = np.repeat([1.0, -2.0, 2.0, 3.0], 5)
        mask = np.asarray(student.magnitude_mask(weights, 0.5))
        assert_close(np.count_nonzero(mask == 0), 10)
        assert_close(mask[weights == 1], np.zeros(5))
        assert_close(mask[weights == 3], np.ones(5))

    @hidden
    def test_single(self, student, reference, rng):
        """Takes numbers in single precision."""
        weights = rng.normal(size=(11, 4)).astype(np.float32)
        assert_close(student.magnitude_mask(weights, 0.35), reference.magnitude_mask(weights, 0.35))


@exercise("rank_filters", functions=["rank_filters"], points=2)
class TestRankFilters:
    """Which filter says least?"""

    hints = {
        "rank_filters": [
            "A filter is what makes one output channel: which axis counts the filters?",
            "Add up over the other three axes: magnitudes for `l1`, squares for `l2`.",
            "`np.argsort(np.abs(kernel).sum(axis=(0, 1, 2)))`.",
        ]
    }

    @core
    def test_l1(self, student, reference, rng):
        """Sorts by the sum of magnitudes unless told otherwise."""
        kernel = rng.normal(size=(3, 2, 4, 7)) * rng.uniform(0.2, 2, size=7)
        assert_close(assert_unchanged(student.rank_filters, kernel), reference.rank_filters(kernel))
        assert_close(student.rank_filters(kernel, norm="l1"), reference.rank_filters(kernel, norm="l1"))

    @core
    def test_l2(self, student, reference, rng):
        """Sorts by the sum of squares for `l2`."""
        kernel = rng.normal(size=(3, 3, 5, 6)) * rng.uniform(0.2, 2, size=6)
        assert_close(student.rank_filters(kernel, norm="l2"), reference.rank_filters(kernel, norm="l2"))

    def test_norms_disagree(self, student, reference, rng):
        """Tells many small weights from one large one, and that from two."""
        kernel = 0.01 * rng.uniform(size=(2, 2, 3, 4))
        kernel[..., 0] += 0.4
        kernel[0, 0, 0, 1] += 2.0
        kernel[0, 1, :2, 2] += 1.6
        assert_close(student.rank_filters(kernel), reference.rank_filters(kernel))
        for norm in ("l1", "l2"):
            assert_close(student.rank_filters(kernel, norm=norm), reference.rank_filters(kernel, norm=norm))

    @hidden
    def test_many_filters(self, student, reference, rng):
        """Holds for more filters than inputs, and for one input."""
        for shape in ((1, 1, 3, 20), (5, 5, 1, 8)):
            kernel = rng.normal(size=shape)
            assert_close(student.rank_filters(kernel), reference.rank_filters(kernel))


@exercise("activity", functions=["mean_activation", "nonzero_fraction"], points=2)
class TestActivity:
    """Which channel has something to say?"""

    hints = {
        "mean_activation": [
            "One number for each channel: over which axes is the mean?",
            "Over all but the last: `tuple(range(activations.ndim - 1))`.",
            "`activations.reshape(-1, activations.shape[-1]).mean(axis=0)`.",
        ],
        "nonzero_fraction": [
            "What is the mean of an array of True and False?",
            "`(activations != 0)`, and the mean over all axes but the last.",
        ],
    }

    @core
    def test_mean(self, student, reference, rng):
        """Gives the mean of each channel of a batch of maps."""
        maps = np.maximum(rng.normal(size=(4, 3, 5, 6)), 0)
        assert_close(assert_unchanged(student.mean_activation, maps), reference.mean_activation(maps))

    @core
    def test_fraction(self, student, reference, rng):
        """Gives the share of each channel that is not zero."""
        maps = np.maximum(rng.normal(size=(4, 3, 5, 6)) - np.arange(6) / 3, 0)
        assert_close(assert_unchanged(student.nonzero_fraction, maps), reference.nonzero_fraction(maps))

    def test_below_zero(self, student, reference, rng):
        """Counts what is below zero as not zero, and lets it lower the mean."""
        maps = rng.normal(size=(2, 4, 4, 3)) * (rng.random((2, 4, 4, 3)) < 0.6)
        assert_close(student.mean_activation(maps), reference.mean_activation(maps))
        assert_close(student.nonzero_fraction(maps), reference.nonzero_fraction(maps))

    @hidden
    def test_dead_channel(self, student, reference, rng):
        """Holds for a channel that is always silent, and for one that never is."""
        maps = np.stack([np.zeros((3, 2, 2)), 1 + rng.random((3, 2, 2))], axis=-1)
        assert_close(student.nonzero_fraction(maps), reference.nonzero_fraction(maps))
        assert_close(student.mean_activation(maps), reference.mean_activation(maps))


PARTS = ("kernel", "bias", "next_kernel")


@exercise("prune_filters", functions=["prune_filters"], points=3)
class TestPruneFilters:
    """A filter goes, and with it what listened to it."""

    hints = {
        "prune_filters": [
            "A filter makes one channel. Where does that channel appear in the kernel, in the bias, and in the next kernel?",
            "Last axis of the kernel, the only one of the bias, third axis of the next kernel: there it is an input.",
            "`kernel[..., keep]`, `bias[keep]`, `next_kernel[:, :, keep]`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Takes the same filters from all three."""
        given = (
            rng.normal(size=(3, 2, 4, 6)),
            rng.normal(size=6),
            rng.normal(size=(1, 3, 6, 5)),
            np.array([0, 2, 5]),
        )
        assert_close(assert_unchanged(student.prune_filters, *given), reference.prune_filters(*given), PARTS)

    def test_as_many_filters_as_inputs(self, student, reference, rng):
        """Tells the axis of the filters from that of the inputs where both are as long."""
        given = (
            rng.normal(size=(2, 2, 4, 4)),
            rng.normal(size=4),
            rng.normal(size=(2, 2, 4, 4)),
            np.array([1, 3]),
        )
        assert_close(student.prune_filters(*given), reference.prune_filters(*given), PARTS)

    def test_all_and_one(self, student, reference, rng):
        """Keeps every filter where all are to stay, and a single one."""
        kernel, bias, following = (
            rng.normal(size=(1, 1, 2, 3)),
            rng.normal(size=3),
            rng.normal(size=(3, 3, 3, 2)),
        )
        for keep in (np.arange(3), np.array([1])):
            mine = student.prune_filters(kernel, bias, following, keep)
            assert_close(mine, reference.prune_filters(kernel, bias, following, keep), PARTS)

    @hidden
    def test_single(self, student, reference, rng):
        """Takes numbers in single precision."""
        sizes = (3, 3, 2, 8), (8,), (3, 3, 8, 4)
        given = *(rng.normal(size=size).astype(np.float32) for size in sizes), np.array([2, 3, 4, 7])
        assert_close(student.prune_filters(*given), reference.prune_filters(*given), PARTS, **SINGLE)


@exercise("sparsity_schedule", functions=["sparsity_schedule"], points=2)
class TestSparsitySchedule:
    """Much at first, ever less towards the end."""

    hints = {
        "sparsity_schedule": [
            "Which share of the way from start to end is still to go, and what is it before the start, after the end?",
            "Hold that share between 0 and 1, and take it to the third power.",
            "`left = np.clip((end - step) / (end - start), 0, 1)`; `final + (initial - final) * left**3`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Falls in with the cubic between start and end."""
        for step in rng.uniform(3, 17, size=6):
            given = float(step), 3, 17, 0.2, 0.9
            assert_close(student.sparsity_schedule(*given), reference.sparsity_schedule(*given))

    def test_before_and_after(self, student, reference):
        """Stays where it is before the start and after the end."""
        for step in (-4, 0, 4, 5, 20, 21, 100):
            given = step, 5, 20, 0.1, 0.8
            assert_close(student.sparsity_schedule(*given), reference.sparsity_schedule(*given))

    @hidden
    def test_whole_numbers(self, student, reference):
        """Holds for whole numbers of steps, from zero."""
        for step in range(5):
            assert_close(
                student.sparsity_schedule(step, 0, 4, 0, 0.5), reference.sparsity_schedule(step, 0, 4, 0, 0.5)
            )


@driver
def hardly_trained(prune, x, y, rounds, **named):
    """What is left of each weight of a net whose training hardly moves it."""
    import keras

    keras.utils.set_random_seed(0)
    first = [keras.layers.Dense(8, "tanh")]
    if x.ndim == 3:
        first = [keras.layers.Conv1D(5, 2, use_bias=False), keras.layers.Flatten()]
    net = keras.Sequential([keras.Input(x.shape[1:]), *first, keras.layers.Dense(y.shape[1], "tanh")])
    for variable in net.variables:
        values = np.random.default_rng(list(variable.shape)).normal(size=variable.shape)
        variable.assign(0.1 * values + 0.2 * np.sign(values))
    net.compile(keras.optimizers.SGD(1e-6), "mse", run_eagerly=True)
    before = net.get_weights()
    after = prune(net, (x, y), rounds, **named).get_weights()
    return [np.where(a == 0, 0.0, b) for a, b in zip(after, before, strict=True)]


@driver
def taught(prune, x, rounds, sparsity, epochs=1):
    """A net that knows its lesson, pruned: zeros at each step of training and in the end, and losses."""
    import keras
    import tensorflow as tf

    def zero(variables):
        return np.concatenate([np.ravel(each.numpy()) == 0 for each in variables if len(each.shape) > 1])

    def loss(net):
        return float(np.mean((net(x).numpy() - y) ** 2))

    keras.utils.set_random_seed(0)
    net = keras.Sequential([keras.Input(x.shape[1:]), keras.layers.Dense(32, "relu"), keras.layers.Dense(2)])
    draw = np.random.default_rng(0).normal
    net.set_weights([draw(scale=len(each) ** -0.5, size=each.shape) for each in net.get_weights()])
    weights, y = net.get_weights(), net(x).numpy()
    optimizer = keras.optimizers.Adam(0.05)
    step, zeros = optimizer.apply, []

    def watched(grads, variables=None):
        if tf.executing_eagerly():
            zeros.append(zero(variables or net.trainable_variables))
        return step(grads, variables)

    optimizer.apply = watched
    net.compile(optimizer, "mse", run_eagerly=True)
    pruned = prune(net, (x, y), rounds, sparsity=sparsity, epochs=epochs)
    steps = len(zeros)
    zeros.append(zero(pruned.trainable_variables))
    after = {
        "zeros": [float(np.mean(each == 0)) for each in pruned.get_weights()],
        "trained": any(
            np.any((a != 0) & (a != b)) for a, b in zip(pruned.get_weights(), weights, strict=True)
        ),
        "zeros at each step": [float(np.mean(each)) for each in zeros[:steps]],
        "grown": [int(each) for each in np.sum(np.diff(np.array(zeros, int), axis=0) < 0, axis=1)],
        "loss": loss(pruned),
    }
    for each in weights:
        if each.ndim > 1:
            each[np.abs(each) < np.quantile(np.abs(each), sparsity)] = 0
    net.set_weights(weights)
    return {**after, "loss of a net cut at once": loss(net)}


def lesson(rng, rows):
    """What a net is shown."""
    return rng.normal(size=(rows, 6)).astype(np.float32)


def assert_trained_when_cut(came, sparsity):
    """Fail where no weight moved, or where the last step of training did not have all its zeros."""
    if not came["trained"]:
        raise AssertionError("no weight that is left has changed: train after each cut")
    share = came["zeros at each step"]
    if share and abs(share[-1] - sparsity) > 1e-6:
        raise AssertionError(
            f"the last step of training began with {share[-1]:.0%} of the weights at zero, not {sparsity:.0%}: "
            "cut first, then train"
        )


@exercise("iterative_pruning", functions=["iterative_pruning"], points=5, packages=["keras"])
class TestIterativePruning:
    """Cut, train, repeat."""

    hints = {
        "iterative_pruning": [
            "What would one step of the optimizer do to a weight that you have just set to zero?",
            "In each round: a mask for each kernel at this round's share, the kernel times its mask, then `fit` with something "
            "that multiplies by the masks again after every batch.",
            "A `keras.callbacks.Callback` with `on_train_batch_end` can do that: `kernel.assign(kernel * mask)` for each pair. "
            "A kernel is a trainable variable of rank 2 or more.",
        ]
    }

    @core
    def test_what_goes(self, student, reference, rng):
        """Cuts the smallest weights of each kernel, and no bias."""
        y = rng.normal(size=(16, 3)).astype(np.float32)
        for shape, rounds, named in (((5,), 2, {"sparsity": 0.6}), ((5, 2), 1, {})):
            x = rng.normal(size=(16, *shape)).astype(np.float32)
            mine = student.iterative_pruning.driven_by(hardly_trained)(x, y, rounds, **named)
            theirs = reference.iterative_pruning.driven_by(hardly_trained)(x, y, rounds, **named)
            assert_close(mine, theirs, rtol=1e-4, atol=1e-5)

    @core
    def test_zeros_at_the_end(self, student, rng):
        """Leaves exactly the share of zeros that was asked for, after training too."""
        came = student.iterative_pruning.driven_by(taught)(lesson(rng, 64), 2, 0.5)
        assert_close(np.array(came["zeros"])[[0, 2]], np.array([0.5, 0.5]))

    def test_training_helps(self, student, rng):
        """Ends with a net that does better than one that was cut and not trained."""
        came = student.iterative_pruning.driven_by(taught)(lesson(rng, 96), 2, 0.75, epochs=2)
        loss, cut = came["loss"], came["loss of a net cut at once"]
        if not loss < 0.8 * cut:
            raise AssertionError(
                f"the loss is {loss:.3g}, and {cut:.3g} when the same weights are cut at once and nothing is trained "
                "(before: 0): train after each cut"
            )

    def test_zero_all_along(self, student, rng):
        """Keeps zeros zero after every batch."""
        came = student.iterative_pruning.driven_by(taught)(lesson(rng, 96), 2, 0.25)
        if any(came["grown"]):
            raise AssertionError(
                f"weights that were zero when a step of training began were not after it, {max(came['grown'])} at a time: "
                "what is cut must not grow again"
            )
        assert_trained_when_cut(came, 0.25)

    @hidden
    def test_little_by_little(self, student, rng):
        """Cuts more from round to round, and trains for all epochs of each."""
        came = student.iterative_pruning.driven_by(taught)(lesson(rng, 32), 2, 0.75, epochs=2)
        assert_trained_when_cut(came, 0.75)
        share = came["zeros at each step"]
        if share and (len(share) < 4 or share[0] > 0.74):
            raise AssertionError(
                f"trained with {[f'{each:.0%}' for each in share]} of the weights at zero, step by step"
            )
