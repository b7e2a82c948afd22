"""Checks of the assignment `regularization`."""

import numpy as np
import pytest

from grader.exercise import assert_close, assert_silent, assert_unchanged, core, exercise, hidden
from grader.wire import Rng

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
NUMERICAL = {"rtol": 1e-6, "atol": 1e-8}
TRAINED = ("y", "moving_mean", "moving_variance")
GRADIENTS = ("dx", "dgamma", "dbeta")
SHAPES = [(5, 4, 3), (3, 4, 5, 2)]


def some_weights(rng):
    """Arrays as a network has them, of several shapes."""
    return [rng.normal(size=(3, 4)), rng.normal(size=4), rng.normal(size=(2, 2, 1, 3))]


def seed(rng):
    """A generator for a student's function."""
    return Rng(int(rng.integers(2**31)))


def batch(rng, *shape):
    """Channels that differ in mean and in scale."""
    channels = shape[-1]
    shift, scale = np.linspace(-1.5, 2, channels), np.linspace(0.4, 2.5, channels)
    return rng.permutation(shift) + rng.permutation(scale) * rng.normal(size=shape)


def statistics(rng, channels):
    """gamma, beta, moving_mean and moving_variance, all far from one another."""
    return (
        rng.uniform(0.5, 2, channels) * rng.choice([-1, 1], channels),
        rng.normal(size=channels),
        rng.normal(size=channels) - 1,
        rng.uniform(0.3, 4, channels),
    )


def together(result, parts):
    """The parts of a result that must be several values."""
    if not isinstance(result, tuple | list) or len(result) != len(parts):
        raise AssertionError(f"return {len(parts)} values together: `return {', '.join(parts)}`")
    return result


def part(result, parts, name):
    """One of several values that come together."""
    return together(result, parts)[parts.index(name)]


def slope(function, x, step=1e-5):
    """The gradient of a function that gives one number, by centred differences."""
    found = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        found[place] = (function(up) - function(down)) / (2 * step)
    return found


def standardized(x, epsilon):
    """Each channel less its mean, over its standard deviation."""
    axes = tuple(range(x.ndim - 1))
    return (x - x.mean(axis=axes)) / np.sqrt(x.var(axis=axes) + epsilon)


def aside(rng, x):
    """An upstream that adds up to 0 in each channel and does not go along with x, of shape (rows, channels)."""
    drawn = rng.normal(size=x.shape)
    for channel, column in enumerate(x.T):
        basis = np.stack([np.ones_like(column), column - column.mean()], axis=1)
        drawn[:, channel] -= basis @ np.linalg.lstsq(basis, drawn[:, channel], rcond=None)[0]
    return drawn


def kept_by(result, x, rate, **tolerance):
    """The mask of a dropout of `x`, as bools, once its two parts agree with each other."""
    y, mask = together(result, ("y", "mask"))
    if not isinstance(mask, np.ndarray) or mask.shape != x.shape:
        raise AssertionError(
            f"the mask is no array of shape {x.shape}, that of x: one True or False an element"
        )
    if not np.isin(mask, (0, 1)).all():
        raise AssertionError("the mask holds other values than True and False: scale `y`, not the mask")
    kept = mask == 1
    assert_close(y, np.where(kept, x / (1 - rate), 0.0), **tolerance)
    return kept


def assert_share(mask, expected, what="elements are kept"):
    share = float(np.mean(mask))
    if abs(share - expected) > 0.06:
        raise AssertionError(f"{share:.0%} of the {what}, expected about {expected:.0%}")


@exercise("l2_penalty", functions=["l2_penalty", "l2_penalty_grad"], points=2)
class TestL2Penalty:
    """A price on large weights, and its gradient."""

    hints = {
        "l2_penalty": [
            "How do you add up over arrays of different shapes?",
            "Square every weight, sum each array, sum the sums, and multiply by the strength once.",
            "`strength * sum(np.sum(w**2) for w in weights)`.",
        ],
        "l2_penalty_grad": [
            "Which terms of the sum contain one given weight?",
            "The derivative of s w² is 2 s w: one array for each array of weights, of its shape.",
            "`[2 * strength * w for w in weights]`.",
        ],
    }

    @core
    def test_one_array(self, student, reference, rng):
        """`l2_penalty` of one array is the strength times the sum of its squares."""
        weights = [rng.normal(size=(4, 3))]
        assert_close(student.l2_penalty(weights, 0.1), reference.l2_penalty(weights, 0.1))

    def test_several_arrays(self, student, reference, rng):
        """`l2_penalty` adds up over every array of the list, whatever their shapes."""
        weights = some_weights(rng)
        assert_close(assert_unchanged(student.l2_penalty, weights, 0.5), reference.l2_penalty(weights, 0.5))

    @pytest.mark.parametrize("strength", [0.0, 0.01, 3.0])
    def test_strength(self, student, reference, rng, strength):
        """`l2_penalty` is proportional to the strength; without strength it is 0."""
        weights = some_weights(rng)
        assert_close(student.l2_penalty(weights, strength), reference.l2_penalty(weights, strength))
        assert_close(student.l2_penalty(weights, 0.7), reference.l2_penalty(weights, 0.7))

    @hidden
    def test_penalty_of_negative_weights(self, student, reference, rng):
        """`l2_penalty` counts negative weights like positive ones, large like small, in single precision too."""
        weights = [-rng.uniform(0, 30, size=(3, 2)), np.zeros(2)]
        assert_close(student.l2_penalty(weights, 0.2), reference.l2_penalty(weights, 0.2))
        single = [one.astype(np.float32) for one in some_weights(rng)]
        assert_close(student.l2_penalty(single, 0.2), reference.l2_penalty(single, 0.2), **SINGLE)

    def test_gradient(self, student, reference, rng):
        """`l2_penalty_grad` agrees with automatic differentiation: a list, an array for each array."""
        weights = some_weights(rng)
        expected = reference.l2_penalty_grad(weights, 0.3)
        assert_close(assert_unchanged(student.l2_penalty_grad, weights, 0.3), expected)

    def test_numerical_gradient(self, student, rng):
        """`l2_penalty_grad` is the slope of the penalty, for a strong one and a weak one."""
        (w,) = weights = [rng.normal(size=(2, 3))]
        for strength in (2.0, 0.05):
            expected = slope(lambda w, strength=strength: strength * np.vdot(w, w), w)
            assert_close(student.l2_penalty_grad(weights, strength), [expected], **NUMERICAL)

    @hidden
    def test_gradient_of_single_precision(self, student, reference, rng):
        """`l2_penalty_grad` takes `float32` too, and arrays of one weight."""
        weights = [rng.normal(size=(3, 1)).astype(np.float32), rng.normal(size=1).astype(np.float32)]
        expected = reference.l2_penalty_grad(weights, 0.1)
        assert_close(student.l2_penalty_grad(weights, 0.1), expected, **SINGLE)


@exercise("dropout", functions=["dropout", "dropout_backward"], points=4)
class TestDropout:
    """Elements switched off at random, and what flows back."""

    hints = {
        "dropout": [
            "Of numbers drawn evenly from 0 to 1, which share is at least `rate`?",
            "Draw one number for each element, `rng.random(x.shape)`. What is kept must grow so that the mean stays: by which factor?",
            "`mask = rng.random(x.shape) >= rate`, then `return x * mask / (1 - rate), mask`.",
        ],
        "dropout_backward": [
            "Each y is its own x times a number. Which number, where it was kept and where it was dropped?",
            "y = x · mask / (1 - rate), so dy/dx = mask / (1 - rate): the same mask, the same factor.",
            "`upstream * mask / (1 - rate)`.",
        ],
    }

    @core
    def test_kept_and_scaled(self, student, rng):
        """`dropout` keeps about three quarters at rate 0.25, divided by 0.75, and makes the others 0; the mask says which."""
        x = rng.normal(size=(80, 50)) + 0.5
        mask = kept_by(assert_unchanged(student.dropout, x, 0.25, seed(rng)), x, 0.25)
        assert_share(mask, 0.75)

    @pytest.mark.parametrize("rate", [0.1, 0.8])
    def test_rate_is_dropped(self, student, rng, rate):
        """`rate` is the share that is dropped, not the one that is kept."""
        x = rng.normal(size=5000)
        assert_share(kept_by(student.dropout(x, rate, seed(rng)), x, rate), 1 - rate)

    def test_mean_is_preserved(self, student, rng):
        """The mean of many elements stays what it was, so that prediction needs no factor."""
        x = np.full((100, 100), 3.0)
        y, _ = together(student.dropout(x, 0.5, seed(rng)), ("y", "mask"))
        assert_close(y if not isinstance(y, np.ndarray) else y.mean(), 3.0, rtol=0.08)

    def test_rate_zero(self, student, rng):
        """At rate 0 everything is kept as it is; at rate 0.5 half is not."""
        x = rng.normal(size=(40, 30))
        if not kept_by(student.dropout(x, 0.0, seed(rng)), x, 0.0).all():
            raise AssertionError("at rate 0 the mask is False somewhere: which share should be dropped?")
        assert_share(kept_by(student.dropout(x, 0.5, seed(rng)), x, 0.5), 0.5)

    @pytest.mark.parametrize("shape", [(100, 100), (20, 5, 20, 5)])
    def test_each_element_for_itself(self, student, rng, shape):
        """Each element is dropped or kept for itself: no row, column, example or channel as a whole."""
        x = rng.normal(size=shape)
        mask = kept_by(student.dropout(x, 0.5, seed(rng)), x, 0.5)
        for axis in range(x.ndim):
            line = np.moveaxis(mask, axis, 0).reshape(shape[axis], -1)
            alike = np.mean(line[1:] == line[:-1])  # of neighbours along the axis: about one half
            if alike > 0.65:
                raise AssertionError(
                    f"along axis {axis}, {alike:.0%} of the neighbours share their fate: draw for each"
                )

    def test_chance_is_the_generators(self, student, rng):
        """All chance comes from `rng`: the same generator drops the same elements, another one others."""
        x = rng.normal(size=(10, 20))
        one, another = seed(rng), seed(rng)
        first, again, other = (kept_by(student.dropout(x, 0.5, each), x, 0.5) for each in (one, one, another))
        if (first != again).any():
            raise AssertionError(
                "two generators with one seed gave two masks: draw from `rng` and nothing else"
            )
        if (first == other).all():
            raise AssertionError("two generators with different seeds gave one mask: draw from `rng`")

    @hidden
    def test_number_kept_varies(self, student, rng):
        """How many are kept is left to chance: not always the same number."""
        x = rng.normal(size=(6, 8))
        counts = {int(kept_by(student.dropout(x, 0.5, seed(rng)), x, 0.5).sum()) for _ in range(20)}
        if len(counts) == 1:
            raise AssertionError(f"always {counts.pop()} of 48 are kept: draw for each element on its own")

    @hidden
    def test_zeros_are_kept_too(self, student, rng):
        """The mask tells what was kept, also where x itself is 0, as after a ReLU; single precision will do."""
        x = np.maximum(rng.normal(size=(60, 50)), 0).astype(np.float32)
        kept = kept_by(student.dropout(x, 0.25, seed(rng)), x, 0.25, **SINGLE)
        assert_share(kept[x == 0], 0.75, "zeros are kept")

    def test_gradient(self, student, reference, rng):
        """`dropout_backward` agrees with automatic differentiation for the mask that it is given."""
        upstream, mask = rng.normal(size=(6, 5)), rng.random((6, 5)) < 0.6
        expected = reference.dropout_backward(upstream, mask, 0.4)
        assert_close(assert_unchanged(student.dropout_backward, upstream, mask, 0.4), expected)

    @pytest.mark.parametrize("rate", [0.0, 0.2, 0.75])
    def test_gradient_at_other_rates(self, student, reference, rng, rate):
        """`dropout_backward` follows the mask and the rate, not the share that happened to be kept."""
        upstream, mask = rng.normal(size=(4, 2, 3)), rng.random((4, 2, 3)) >= rate
        mask[0, 0], mask[1, 0] = True, rate == 0
        expected = reference.dropout_backward(upstream, mask, rate)
        assert_close(student.dropout_backward(upstream, mask, rate), expected)

    def test_numerical_gradient(self, student, rng):
        """`dropout_backward` is the slope of the loss with the mask held fixed."""
        upstream, x, mask = rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), rng.random((3, 4)) < 0.5
        mask[0, :2] = True, False
        expected = slope(lambda x: np.sum(upstream * np.where(mask, x / 0.5, 0.0)), x)
        assert_close(student.dropout_backward(upstream, mask, 0.5), expected, **NUMERICAL)

    @hidden
    def test_gradient_of_single_precision(self, student, reference, rng):
        """`dropout_backward` takes `float32` too."""
        upstream, mask = rng.normal(size=(5, 3)).astype(np.float32), rng.random((5, 3)) < 0.7
        expected = reference.dropout_backward(upstream, mask, 0.3)
        assert_close(student.dropout_backward(upstream, mask, 0.3), expected, **SINGLE)


@exercise("batch_norm_inference", functions=["batch_norm_inference"], points=2)
class TestBatchNormInference:
    """Normalization with statistics that are given."""

    hints = {
        "batch_norm_inference": [
            "Which four arrays have one number a channel, and along which axis of x do they lie?",
            "Subtract the moving mean, divide by the root of moving variance + epsilon, times gamma, plus beta.",
            "`gamma * (x - moving_mean) / np.sqrt(moving_variance + epsilon) + beta`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on a random table."""
        x, given = batch(rng, 6, 3), statistics(rng, 3)
        expected = reference.batch_norm_inference(x, *given)
        assert_close(assert_unchanged(student.batch_norm_inference, x, *given), expected)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_more_axes(self, student, reference, rng, shape):
        """Sequences and images have their channels on the last axis."""
        x, given = batch(rng, *shape), statistics(rng, shape[-1])
        assert_close(student.batch_norm_inference(x, *given), reference.batch_norm_inference(x, *given))

    def test_one_example(self, student, reference, rng):
        """A single example is normalized by the given statistics: its own would make nothing of it."""
        x, given = batch(rng, 1, 4), statistics(rng, 4)
        assert_close(student.batch_norm_inference(x, *given), reference.batch_norm_inference(x, *given))

    def test_gamma_alone(self, student, reference, rng):
        """With beta 0 and mean 0 only the scale is left: gamma over the root."""
        x, (gamma, _, _, variance) = batch(rng, 5, 3), statistics(rng, 3)
        given = gamma, np.zeros(3), np.zeros(3), variance
        assert_close(student.batch_norm_inference(x, *given), reference.batch_norm_inference(x, *given))

    def test_beta_alone(self, student, reference, rng):
        """Where gamma is 0 only beta is left."""
        x, (gamma, beta, mean, variance) = batch(rng, 5, 3), statistics(rng, 3)
        gamma[:2] = 0
        given = gamma, beta, mean, variance
        assert_close(student.batch_norm_inference(x, *given), reference.batch_norm_inference(x, *given))

    @pytest.mark.parametrize("epsilon", [1e-3, 0.5])
    def test_epsilon(self, student, reference, rng, epsilon):
        """Epsilon stands inside the root, where a small variance shows it; a variance of 0 is no trouble."""
        x, (gamma, beta, mean, _) = batch(rng, 4, 3), statistics(rng, 3)
        given = gamma, beta, mean, np.array([0.0, 1e-4, 0.02])
        expected = reference.batch_norm_inference(x, *given, epsilon=epsilon)
        assert_close(assert_silent(student.batch_norm_inference, x, *given, epsilon=epsilon), expected)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        arrays = [a.astype(np.float32) for a in (batch(rng, 4, 3), *statistics(rng, 3))]
        expected = reference.batch_norm_inference(*arrays)
        assert_close(student.batch_norm_inference(*arrays), expected, **SINGLE)


@exercise("batch_norm_train", functions=["batch_norm_train"], points=5)
class TestBatchNormTrain:
    """Normalization with the batch's own statistics, and their moving averages."""

    hints = {
        "batch_norm_train": [
            "Over which axes do you average, so that one number a channel is left, of a table as of a batch of images?",
            "With `axes = tuple(range(x.ndim - 1))` take mean and variance; normalize by them as in `batch_norm_inference`. "
            "The moving ones keep the share `momentum` of what they were.",
            "`moving_mean = momentum * moving_mean + (1 - momentum) * x.mean(axis=axes)`, the variance alike, by `x.var(axis=axes)`.",
        ]
    }

    @core
    def test_output(self, student, reference, rng):
        """`y` agrees with Keras on a random table."""
        x, given = batch(rng, 7, 3), statistics(rng, 3)
        y = part(student.batch_norm_train(x, *given), TRAINED, "y")
        assert_close(y, reference.batch_norm_train(x, *given)[0])

    @pytest.mark.parametrize("shape", SHAPES)
    def test_output_of_more_axes(self, student, reference, rng, shape):
        """`y` of sequences and images: a channel has one mean, over every axis but the last."""
        x, given = batch(rng, *shape), statistics(rng, shape[-1])
        y = part(student.batch_norm_train(x, *given), TRAINED, "y")
        assert_close(y, reference.batch_norm_train(x, *given)[0])

    @pytest.mark.parametrize("shape", SHAPES)
    def test_statistics_of_more_axes(self, student, reference, rng, shape):
        """The moving statistics of sequences and images are one number a channel too."""
        x, given = batch(rng, *shape), statistics(rng, shape[-1])
        result = together(student.batch_norm_train(x, *given, momentum=0.5), TRAINED)
        assert_close(result, reference.batch_norm_train(x, *given, momentum=0.5), TRAINED)

    def test_moving_mean(self, student, reference, rng):
        """The moving mean keeps the share `momentum` of what it was."""
        x, given = batch(rng, 6, 3), statistics(rng, 3)
        for momentum in (0.99, 0.6):
            moved = part(student.batch_norm_train(x, *given, momentum=momentum), TRAINED, "moving_mean")
            assert_close(moved, reference.batch_norm_train(x, *given, momentum=momentum)[1])

    def test_moving_variance(self, student, reference, rng):
        """The moving variance keeps the share `momentum` of what it was."""
        x, given = batch(rng, 6, 3), statistics(rng, 3)
        for momentum in (0.99, 0.6):
            moved = part(student.batch_norm_train(x, *given, momentum=momentum), TRAINED, "moving_variance")
            assert_close(moved, reference.batch_norm_train(x, *given, momentum=momentum)[2])

    def test_without_memory(self, student, reference, rng):
        """With momentum 0 the new statistics are the batch's own, its variance divided by n, not n - 1."""
        x, given = batch(rng, 3, 4), statistics(rng, 4)
        expected = reference.batch_norm_train(x, *given, momentum=0.0)
        assert_close(together(student.batch_norm_train(x, *given, momentum=0.0), TRAINED), expected, TRAINED)

    def test_moving_statistics_have_no_say(self, student, reference, rng):
        """`y` is normalized by the batch alone, wherever the moving statistics are."""
        x, (gamma, beta, mean, variance) = batch(rng, 5, 2), statistics(rng, 2)
        given = gamma, beta, 50 + mean, 40 * variance
        y = part(student.batch_norm_train(x, *given), TRAINED, "y")
        assert_close(y, reference.batch_norm_train(x, *given)[0])

    @pytest.mark.parametrize("epsilon", [1e-3, 0.2])
    def test_epsilon(self, student, reference, rng, epsilon):
        """Epsilon stands inside the root, where a channel that hardly varies shows it."""
        x, given = batch(rng, 6, 3) * np.array([1e-3, 0.03, 1]), statistics(rng, 3)
        y = part(student.batch_norm_train(x, *given, epsilon=epsilon), TRAINED, "y")
        assert_close(y, reference.batch_norm_train(x, *given, epsilon=epsilon)[0])

    def test_gamma_and_beta(self, student, reference, rng):
        """Gamma scales and beta shifts what was normalized, each channel by its own."""
        x, (_, _, mean, variance) = batch(rng, 5, 3), statistics(rng, 3)
        given = np.array([0.0, 2.0, -0.5]), np.array([3.0, 0.0, -1.0]), mean, variance
        y = part(student.batch_norm_train(x, *given), TRAINED, "y")
        assert_close(y, reference.batch_norm_train(x, *given)[0])

    def test_moves_new_arrays(self, student, reference, rng):
        """The moving statistics are returned new: those that were given stay as they are."""
        x, given = batch(rng, 4, 3), statistics(rng, 3)
        result = together(assert_unchanged(student.batch_norm_train, x, *given, momentum=0.9), TRAINED)
        assert_close(result, reference.batch_norm_train(x, *given, momentum=0.9), TRAINED)

    @hidden
    def test_channels_that_do_not_vary(self, student, reference, rng):
        """A channel without variance, as of a single example, becomes beta, without a warning."""
        for rows in (1, 4):
            x, given = np.tile(np.round(4 * rng.normal(size=3)), (rows, 1)), statistics(rng, 3)
            result = together(assert_silent(student.batch_norm_train, x, *given), TRAINED)
            assert_close(result, reference.batch_norm_train(x, *given), TRAINED)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        arrays = [a.astype(np.float32) for a in (rng.normal(size=(6, 3)), *statistics(rng, 3))]
        result = together(student.batch_norm_train(*arrays, momentum=0.8), TRAINED)
        assert_close(result, reference.batch_norm_train(*arrays, momentum=0.8), TRAINED, rtol=1e-4, atol=1e-5)


@exercise("batch_norm_backward", functions=["batch_norm_backward"], points=6)
class TestBatchNormBackward:
    """What flows back through the batch's own mean and variance."""

    hints = {
        "batch_norm_backward": [
            "Along which three ways does one x reach the loss? One is its own y. Which two numbers of its channel does it move too?",
            "dbeta and dgamma are sums over all axes but the last, of upstream and of upstream times x̂. For dx take from upstream what "
            "goes through the mean, its own mean, and through the variance, x̂ times the mean of upstream · x̂.",
            "`dx = gamma / root * (upstream - upstream.mean(axis=axes) - x_hat * (upstream * x_hat).mean(axis=axes))`, "
            "where `root = np.sqrt(x.var(axis=axes) + epsilon)`.",
        ]
    }

    @core
    def test_dbeta(self, student, reference, rng):
        """Three gradients come together, and `dbeta` adds up what flows into each channel."""
        upstream, x, gamma = rng.normal(size=(6, 3)), batch(rng, 6, 3), rng.normal(size=3)
        dbeta = part(student.batch_norm_backward(upstream, x, gamma), GRADIENTS, "dbeta")
        assert_close(dbeta, reference.batch_norm_backward(upstream, x, gamma)[2])

    def test_dgamma(self, student, reference, rng):
        """`dgamma` weighs it by the normalized x."""
        upstream, x, gamma = rng.normal(size=(6, 3)), batch(rng, 6, 3), rng.normal(size=3)
        dgamma = part(student.batch_norm_backward(upstream, x, gamma), GRADIENTS, "dgamma")
        assert_close(dgamma, reference.batch_norm_backward(upstream, x, gamma)[1])

    def test_dx(self, student, reference, rng):
        """`dx` agrees with automatic differentiation."""
        upstream, x, gamma = rng.normal(size=(6, 3)), batch(rng, 6, 3), rng.normal(size=3)
        dx = part(student.batch_norm_backward(upstream, x, gamma), GRADIENTS, "dx")
        assert_close(dx, reference.batch_norm_backward(upstream, x, gamma)[0])

    def test_the_direct_way(self, student, reference, rng):
        """`dx` where nothing flows through mean or variance: upstream adds up to 0 and does not go along with x."""
        x, gamma = batch(rng, 6, 3), rng.normal(size=3)
        upstream = aside(rng, x)
        dx = part(student.batch_norm_backward(upstream, x, gamma), GRADIENTS, "dx")
        assert_close(dx, reference.batch_norm_backward(upstream, x, gamma)[0])

    def test_the_way_through_the_mean(self, student, reference, rng):
        """`dx` where upstream has a mean: the same for a whole channel cannot come from x, the mean takes it away."""
        x, gamma = batch(rng, 6, 3), rng.normal(size=3)
        upstream = aside(rng, x) + rng.uniform(1, 2, size=3)
        dx = part(student.batch_norm_backward(upstream, x, gamma), GRADIENTS, "dx")
        assert_close(dx, reference.batch_norm_backward(upstream, x, gamma)[0])

    def test_the_way_through_the_variance(self, student, reference, rng):
        """`dx` where upstream goes along with x: a wider channel is narrowed again, the variance takes it away."""
        x, gamma = batch(rng, 6, 3), rng.normal(size=3)
        upstream = aside(rng, x) + rng.uniform(1, 2, size=3) * standardized(x, 1e-3)
        dx = part(student.batch_norm_backward(upstream, x, gamma), GRADIENTS, "dx")
        assert_close(dx, reference.batch_norm_backward(upstream, x, gamma)[0])

    def test_numerical_dx(self, student, rng):
        """`dx` is the slope of the loss, mean and variance moving along."""
        upstream, x, gamma = rng.normal(size=(4, 2)), batch(rng, 4, 2), rng.normal(size=2)
        expected = slope(lambda x: np.sum(upstream * gamma * standardized(x, 1e-3)), x)
        dx = part(student.batch_norm_backward(upstream, x, gamma), GRADIENTS, "dx")
        assert_close(dx, expected, **NUMERICAL)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_dx_of_more_axes(self, student, reference, rng, shape):
        """`dx` of sequences and images: both means are over every axis but the last, and their n counts all of these."""
        upstream, x, gamma = rng.normal(size=shape), batch(rng, *shape), rng.normal(size=shape[-1])
        dx = part(student.batch_norm_backward(upstream, x, gamma), GRADIENTS, "dx")
        assert_close(dx, reference.batch_norm_backward(upstream, x, gamma)[0])

    @pytest.mark.parametrize("shape", SHAPES)
    def test_sums_of_more_axes(self, student, reference, rng, shape):
        """`dgamma` and `dbeta` of sequences and images add up over every axis but the last; nothing given is changed."""
        upstream, x, gamma = rng.normal(size=shape), batch(rng, *shape), rng.normal(size=shape[-1])
        result = together(assert_unchanged(student.batch_norm_backward, upstream, x, gamma), GRADIENTS)
        assert_close(result[1:], reference.batch_norm_backward(upstream, x, gamma)[1:], GRADIENTS[1:])

    @pytest.mark.parametrize("epsilon", [1e-3, 0.3])
    def test_epsilon(self, student, reference, rng, epsilon):
        """Epsilon stands under the root as on the way forward, where a channel that hardly varies shows it."""
        upstream, x, gamma = rng.normal(size=(5, 3)), batch(rng, 5, 3), rng.normal(size=3)
        x *= np.array([0.01, 0.1, 1])
        result = together(student.batch_norm_backward(upstream, x, gamma, epsilon=epsilon), GRADIENTS)
        expected = reference.batch_norm_backward(upstream, x, gamma, epsilon=epsilon)
        assert_close(result, expected, GRADIENTS)

    @hidden
    def test_a_gamma_of_zero(self, student, reference, rng):
        """Where gamma is 0 nothing flows to x, and yet gamma itself has a gradient."""
        upstream, x, gamma = rng.normal(size=(5, 3)), batch(rng, 5, 3), np.array([0.0, -2.0, 1.0])
        result = together(student.batch_norm_backward(upstream, x, gamma), GRADIENTS)
        assert_close(result, reference.batch_norm_backward(upstream, x, gamma), GRADIENTS)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        arrays = [rng.normal(size=(6, 3)), batch(rng, 6, 3), rng.normal(size=3)]
        single = [array.astype(np.float32) for array in arrays]
        result = together(student.batch_norm_backward(*single), GRADIENTS)
        assert_close(result, reference.batch_norm_backward(*single), GRADIENTS, rtol=1e-4, atol=1e-5)
