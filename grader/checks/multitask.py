"""Checks of the assignment `multitask`.

A model cannot cross to the grading process: drivers build it where the student's function lives and send back what it
does. They look at behaviour alone, at the logits and at what moves when one head learns, so that names, order and style
of the layers make no difference.
"""

import numpy as np
import pytest

from grader.exercise import assert_close, assert_silent, assert_unchanged, core, driver, exercise, hidden

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
SINGULAR = {"rtol": 1e-6, "atol": 1e-7}
SINGLE_SINGULAR = {"rtol": 2e-3}
"""Singular values by way of eigenvalues have half the digits, and are right all the same."""

HEADS = {"size": 3, "digit": 10, "loops": 1}
SHAPES = [(6,), (12, 10, 2)]


@driver
def outputs(build, images, heads):
    """What the model gives for the images: the shapes by name, or what came instead of a model with a dict."""
    import keras

    model = build(keras.Input(images.shape[1:]), dict(heads))
    if not isinstance(model, keras.Model):
        return f"a {type(model).__name__}"
    given = model(images)
    if not isinstance(given, dict):
        return f"a model that gives a {'list' if isinstance(given, list | tuple) else 'tensor'}"
    return {str(name): [int(size) for size in each.shape] for name, each in given.items()}


@driver
def ends(build, images, heads):
    """For each head what its numbers are, seen with several draws of large weights."""
    import keras

    def numbers():
        return {
            name: keras.ops.convert_to_numpy(each) for name, each in model(images, training=False).items()
        }

    model = build(keras.Input(images.shape[1:]), dict(heads))
    model(images)  # some models have no weights before
    kernels = [each for each in model.trainable_variables if len(each.shape) > 1]
    low, high, total = dict.fromkeys(heads, 0.0), dict.fromkeys(heads, 0.0), dict.fromkeys(heads, True)
    for draw in range(20):
        generator = np.random.default_rng(draw)
        for kernel in kernels:
            fan_in = np.prod(kernel.shape[:-1])
            kernel.assign(10 / np.sqrt(fan_in) * generator.normal(size=kernel.shape))
        given = numbers()
        for name in heads:
            low[name], high[name] = min(low[name], given[name].min()), max(high[name], given[name].max())
            total[name] = total[name] and np.allclose(given[name].sum(axis=-1), 1, atol=1e-3)
        if all(low[name] < -2 and high[name] > 2 for name in heads):
            break
    found = {}
    for name in heads:
        if low[name] >= 0 and total[name]:
            found[name] = "its numbers are probabilities that sum to 1, as a softmax makes them"
        elif low[name] >= 0:
            what = "below 0 or above 1" if high[name] <= 1 else "ever negative"
            found[name] = f"with large weights its numbers should be of both signs, but none is {what}"
        elif low[name] >= -2 or high[name] <= 2:
            what = "positive" if high[name] <= 2 else "negative"
            found[name] = f"with large weights its numbers should be large, but none is ever large and {what}"
    for kernel in reversed(kernels):  # a head is linear in its last kernel, most often the last of all
        if all(name in found for name in heads):
            break
        value = keras.ops.convert_to_numpy(kernel)
        kernel.assign(0 * value)
        zero = numbers()
        kernel.assign(-2 * value)
        turned = numbers()
        kernel.assign(value)
        for name in heads:
            change = given[name] - zero[name]
            bend = turned[name] - zero[name] + 2 * change
            if change.any() and np.abs(bend).max() <= 1e-3 * np.abs(change).max():
                found.setdefault(name, "logits")
    bent = "it is linear in no kernel, so there is an activation after its last one"
    return {name: found.get(name, bent) for name in heads}


@driver
def bends(build, images, others, heads):
    """For each head whether f(a + b) + f(0) and f(a) + f(b) differ."""
    import keras

    keras.utils.set_random_seed(1)
    model = build(keras.Input(images.shape[1:]), dict(heads))
    model(images)  # some models have no weights before
    generator = np.random.default_rng(1)
    for variable in model.trainable_variables:
        if len(variable.shape) > 1:
            fan_in = np.prod(variable.shape[:-1])
            variable.assign(4 / np.sqrt(fan_in) * generator.normal(size=variable.shape))
    given = model(np.concatenate([images + others, 0 * images, images, others]), training=False)
    found = {}
    for name in heads:
        both, zero, first, second = np.split(keras.ops.convert_to_numpy(given[name]), 4)
        found[name] = bool(np.abs(both + zero - first - second).max() > 1e-3 * np.abs(first - zero).max())
    return found


@driver
def moved(build, images, targets):
    """With one head trained at a time: whether a weight moves every time; heads that alone move one; groups that move some."""
    import keras

    keras.utils.set_random_seed(1)
    inputs = keras.Input(images.shape[1:])
    given = build(inputs, {name: each.shape[-1] for name, each in targets.items()})(inputs)
    model = keras.Model(inputs, {name: given[name] for name in targets})
    generator = np.random.default_rng(1)
    for variable in model.trainable_variables:
        if len(variable.shape) > 1:
            fan_in = np.prod(variable.shape[:-1])
            variable.assign(generator.normal(size=variable.shape) / np.sqrt(fan_in))
    start = [keras.ops.convert_to_numpy(each) for each in model.variables]
    model.compile(keras.optimizers.SGD(1.0), loss=dict.fromkeys(targets, "mse"), run_eagerly=True)
    after = []
    for trained in (None, *targets):  # first no head at all: what moves then is no head's doing
        for variable, value in zip(model.variables, start, strict=True):
            variable.assign(value)
        asked = {name: np.full(len(images), float(name == trained)) for name in targets}
        model.train_on_batch(images, targets, sample_weight=asked)
        after.append([keras.ops.convert_to_numpy(each) for each in model.trainable_variables])
    shared = False
    own: set[str] = set()
    some: set[tuple[str, ...]] = set()
    for still, *trained in zip(*after, strict=True):
        changed = np.stack([each != still for each in trained]).reshape(len(targets), -1)
        together = changed.sum(axis=0)
        shared = shared or len(targets) in together
        own.update(
            name for name, each in zip(targets, changed, strict=True) if (each & (together == 1)).any()
        )
        group = [name for name, each in zip(targets, changed, strict=True) if each.any()]
        if 1 < len(group) < len(targets):
            some.add(tuple(group))
    return {"shared": bool(shared), "own": sorted(own), "shared by some": sorted(map(list, some))}


def drawn(rng, count, *shape):
    """Images, as nets get them."""
    return rng.normal(size=(count, *shape)).astype(np.float32)


def assert_dict_of_logits(student, images, heads):
    """Fail unless the function makes a model with a dict of outputs of the heads' names and sizes."""
    found = student.hard_sharing_model.driven_by(outputs)(images, heads)
    if isinstance(found, str):
        raise AssertionError(
            f"built {found}, expected a `keras.Model` whose output is a dict: name of a head -> its logits"
        )
    if set(found) != set(heads):
        raise AssertionError(f"the outputs are called {sorted(found)}, the heads {sorted(heads)}")
    for name, units in heads.items():
        expected = [len(images), units]
        if found[name] != expected:
            raise AssertionError(f"the head {name!r} gives the shape {found[name]}, expected {expected}")


def assert_unbent(student, images, heads):
    """Fail for what softmax or another activation has bent."""
    for name, numbers in student.hard_sharing_model.driven_by(ends)(images, heads).items():
        if numbers != "logits":
            raise AssertionError(
                f"the head {name!r} gives no logits: {numbers}. A head ends in a dense layer without activation"
            )


def assert_shared_and_own(student, rng, shape, heads):
    """Fail unless some weights serve every head, and each head has some that serve nobody else."""
    targets = {name: drawn(rng, 24, units) for name, units in heads.items()}
    found = student.hard_sharing_model.driven_by(moved)(drawn(rng, 24, *shape), targets)
    if not found["shared"]:
        raise AssertionError(
            "no weights are shared by all heads: with one head trained at a time, no weight moves every time. "
            "Put trainable layers before the place where the heads part"
        )
    for name in heads:
        if name not in found["own"]:
            raise AssertionError(
                f"the head {name!r} has no weights of its own: all that move when it learns, move when another head learns too"
            )
    for group in found["shared by some"]:
        raise AssertionError(
            f"there are weights that only the heads {', '.join(map(repr, group))} share: what is not a head's own, all have"
        )


@exercise("hard_sharing_model", functions=["hard_sharing_model"], points=4, packages=["keras"])
class TestHardSharingModel:
    """One trunk, many heads."""

    hints = {
        "hard_sharing_model": [
            "Which layers should every task have a say in, and which only one? Where do the ways part?",
            "Make the trunk once: `layers.Flatten()`, then dense layers with ReLU. Then, in a loop over `heads.items()`, one dense layer a head, without activation, called on the trunk's output.",
            "`return keras.Model(inputs, {name: layers.Dense(units)(shared) for name, units in heads.items()})`, where `shared` comes out of the trunk.",
        ]
    }

    @core
    @pytest.mark.parametrize("shape", SHAPES)
    def test_dict_of_logits(self, student, rng, shape):
        """Is a model with a dict of outputs, for vectors as for images: the heads' names, each with its number of logits."""
        assert_dict_of_logits(student, drawn(rng, 5, *shape), HEADS)

    @core
    def test_shared_and_own(self, student, rng):
        """Trained alone, each head moves weights that all heads share, and weights of its own."""
        assert_shared_and_own(student, rng, SHAPES[0], HEADS)

    def test_shared_for_images(self, student, rng):
        """Images too go through weights that all heads share, and then through each head's own."""
        assert_shared_and_own(student, rng, SHAPES[1], {"shape": 4, "colour": 4})

    @pytest.mark.parametrize("shape", SHAPES)
    def test_logits(self, student, rng, shape):
        """Gives logits, which no softmax or other activation has bent."""
        assert_unbent(student, drawn(rng, 24, *shape), HEADS)

    @pytest.mark.parametrize("shape", SHAPES)
    def test_nonlinear(self, student, rng, shape):
        """Is no linear function of its input: without an activation a trunk adds nothing to one dense layer."""
        images, others = drawn(rng, 24, *shape), drawn(rng, 24, *shape)
        for name, bent in student.hard_sharing_model.driven_by(bends)(images, others, HEADS).items():
            if not bent:
                raise AssertionError(
                    f"the head {name!r} is linear, f(a + b) + f(0) = f(a) + f(b): dense layers in a row without an "
                    "activation between them are one dense layer"
                )

    def test_single_head(self, student, rng):
        """Takes one head as well: a dict with one entry."""
        images = drawn(rng, 24, *SHAPES[0])
        assert_dict_of_logits(student, images, {"only": 2})
        assert_unbent(student, images, {"only": 2})

    @hidden
    def test_many_heads(self, student, rng):
        """Takes many heads, and inputs with two axes."""
        heads, shape = {f"task_{place}": place % 3 + 1 for place in range(6)}, (7, 5)
        assert_dict_of_logits(student, drawn(rng, 3, *shape), heads)
        assert_shared_and_own(student, rng, shape, heads)


def some_losses(rng, tasks):
    return rng.exponential(2.0, tasks) + 0.1


@exercise("multitask_loss", functions=["multitask_loss"], points=1)
class TestMultitaskLoss:
    """One number out of many losses."""

    hints = {
        "multitask_loss": [
            "How much does the total change when the loss of task t grows by 1?",
            "Each loss times its weight, all added up. Nothing is divided: weights need not sum to 1.",
            "`np.sum(weights * losses)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Adds up each loss times its weight."""
        losses, weights = some_losses(rng, 4), rng.uniform(0.1, 3, 4)
        assert_close(
            assert_unchanged(student.multitask_loss, losses, weights),
            reference.multitask_loss(losses, weights),
        )

    def test_scale_of_weights(self, student, reference, rng):
        """Grows with the weights: twice the weights, twice the loss, whatever they sum to."""
        losses, weights = some_losses(rng, 3), rng.uniform(0.1, 1, 3)
        for scale in (1.0, 2.0, 0.5):
            expected = reference.multitask_loss(losses, scale * weights)
            assert_close(student.multitask_loss(losses, scale * weights), expected)

    def test_switched_off(self, student, reference, rng):
        """A task of weight 0 has no say; with all weights 1 it is the plain sum."""
        losses = some_losses(rng, 3)
        for weights in (np.array([1.0, 0.0, 2.0]), np.ones(3), np.zeros(3)):
            assert_close(student.multitask_loss(losses, weights), reference.multitask_loss(losses, weights))

    @hidden
    def test_other_tasks(self, student, reference, rng):
        """Takes one task, many tasks, negative losses and single precision."""
        for tasks in (1, 30):
            losses, weights = rng.normal(size=tasks), rng.uniform(0, 2, tasks)
            assert_close(student.multitask_loss(losses, weights), reference.multitask_loss(losses, weights))
            single = losses.astype(np.float32), weights.astype(np.float32)
            assert_close(student.multitask_loss(*single), reference.multitask_loss(*single), **SINGLE)


@exercise("uncertainty_weighted_loss", functions=["uncertainty_weighted_loss"], points=3)
class TestUncertaintyWeightedLoss:
    """Weights that the noise decides."""

    hints = {
        "uncertainty_weighted_loss": [
            "A task with a large variance is noisy. Should its loss count more, or less?",
            "The weight is one over the variance, and s is the variance's logarithm: 1 / exp(s) = exp(-s). What keeps s from growing for ever?",
            "`np.sum(np.exp(-log_variances) * losses + log_variances)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Adds up exp(-s) L + s over the tasks."""
        losses, s = some_losses(rng, 4), rng.normal(size=4)
        assert_close(
            assert_unchanged(student.uncertainty_weighted_loss, losses, s),
            reference.uncertainty_weighted_loss(losses, s),
        )

    def test_weights_alone(self, student, reference, rng):
        """The part exp(-s) L: with log variances that add up to 0, the larger variance counts its loss less."""
        s = rng.uniform(0.5, 2)
        for losses in (np.array([1.0, 0.0]), np.array([0.0, 1.0]), some_losses(rng, 2)):
            log_variances = np.array([s, -s])
            expected = reference.uncertainty_weighted_loss(losses, log_variances)
            assert_close(student.uncertainty_weighted_loss(losses, log_variances), expected)

    def test_price_alone(self, student, reference, rng):
        """The part + s: it is all that is left when the losses are 0, and it may be negative."""
        for s in (rng.normal(size=3), np.array([-2.0, -1.0])):
            losses = np.zeros(len(s))
            assert_close(
                student.uncertainty_weighted_loss(losses, s), reference.uncertainty_weighted_loss(losses, s)
            )

    def test_variance_of_one(self, student, reference, rng):
        """With log variances 0 it is the plain sum of the losses."""
        losses = some_losses(rng, 5)
        assert_close(
            student.uncertainty_weighted_loss(losses, np.zeros(5)),
            reference.uncertainty_weighted_loss(losses, np.zeros(5)),
        )

    def test_lowest(self, student, reference, rng):
        """It is lowest where s is the logarithm of the loss, and grows on both sides of it."""
        losses = some_losses(rng, 3)
        for step in (0.0, 0.5, -0.5):
            s = np.log(losses) + step
            assert_close(
                student.uncertainty_weighted_loss(losses, s), reference.uncertainty_weighted_loss(losses, s)
            )

    def test_large(self, student, reference):
        """Stays right for variances from 1e-20 to 1e20, without a warning."""
        losses, s = np.array([1e-19, 3e18, 2.0]), np.array([-46.0, 46.0, 0.5])
        expected = reference.uncertainty_weighted_loss(losses, s)
        assert_close(assert_silent(student.uncertainty_weighted_loss, losses, s), expected)

    @hidden
    def test_other_tasks(self, student, reference, rng):
        """Takes one task, many tasks, negative losses and single precision."""
        for tasks in (1, 30):
            given = rng.normal(size=tasks), rng.normal(size=tasks)
            single = tuple(each.astype(np.float32) for each in given)
            expected = reference.uncertainty_weighted_loss(*given)
            assert_close(student.uncertainty_weighted_loss(*given), expected)
            expected = reference.uncertainty_weighted_loss(*single)
            assert_close(student.uncertainty_weighted_loss(*single), expected, **SINGLE)


def parameters_of(rng, tasks, *shape):
    """One array a task, around a common one."""
    return list(rng.normal(size=shape) + rng.normal(scale=0.7, size=(tasks, *shape)))


@exercise("soft_sharing_penalty", functions=["soft_sharing_penalty"], points=4)
class TestSoftSharingPenalty:
    """A price on being different."""

    hints = {
        "soft_sharing_penalty": [
            "How many pairs are there among T tasks, when (a, b) and (b, a) are one pair and nobody is paired with himself?",
            "Build the matrix first: two loops, `for i in range(tasks)`, `for j in range(i + 1, tasks)`, one row each, flattened. Then either sum its squares, or sum its singular values. `np.linalg.svd(matrix, compute_uv=False)` gives these.",
            'With `rows = np.stack([np.ravel(parameters[i] - parameters[j]) for ...])`: `np.sum(rows**2)` for "l2", `np.sum(np.linalg.svd(rows, compute_uv=False))` for "trace".',
        ]
    }

    @staticmethod
    def agrees(student, reference, parameters, norm):
        expected = reference.soft_sharing_penalty(parameters, norm)
        double, single = {"l2": ({}, SINGLE), "trace": (SINGULAR, SINGLE_SINGULAR)}[norm]
        found = assert_unchanged(student.soft_sharing_penalty, parameters, norm)
        assert_close(found, expected, **(single if parameters[0].dtype == np.float32 else double))

    @core
    def test_two_tasks(self, student, reference, rng):
        """Two tasks: the sum of the squares of their difference, which is the default."""
        parameters = parameters_of(rng, 2, 5)
        found = assert_unchanged(student.soft_sharing_penalty, parameters)
        assert_close(found, reference.soft_sharing_penalty(parameters))

    def test_trace_of_two_tasks(self, student, reference, rng):
        """Two tasks, one row: its only singular value is its length, the root of the sum of squares."""
        parameters = parameters_of(rng, 2, 6)
        found = assert_unchanged(student.soft_sharing_penalty, parameters, "trace")
        assert_close(found, reference.soft_sharing_penalty(parameters, "trace"), **SINGULAR)

    def test_all_pairs(self, student, reference, rng):
        """Sum of squares: every pair of tasks counts, once."""
        for tasks in (3, 5):
            self.agrees(student, reference, parameters_of(rng, tasks, 4), "l2")

    def test_trace_of_all_pairs(self, student, reference, rng):
        """Trace norm: the singular values of one matrix with a row for every pair."""
        for tasks in (3, 4):
            self.agrees(student, reference, parameters_of(rng, tasks, 7), "trace")

    @pytest.mark.parametrize("norm", ["l2", "trace"])
    def test_flattened(self, student, reference, rng, norm):
        """Matrices and kernels of convolutions are flattened: a row holds one pair's whole difference."""
        for shape in [(3, 4), (2, 2, 1, 3)]:
            self.agrees(student, reference, parameters_of(rng, 3, *shape), norm)

    def test_more_pairs_than_parameters(self, student, reference, rng):
        """Trace norm of a tall matrix: six tasks, fifteen pairs, two parameters."""
        self.agrees(student, reference, parameters_of(rng, 6, 2), "trace")

    @pytest.mark.parametrize("norm", ["l2", "trace"])
    def test_only_differences_count(self, student, reference, rng, norm):
        """Nothing is paid for what all tasks have in common: far from 0 costs what it costs near 0."""
        parameters = parameters_of(rng, 3, 2, 3)
        for common in (0.0, 20.0):
            self.agrees(student, reference, [one + common for one in parameters], norm)

    def test_one_direction(self, student, reference, rng):
        """Trace norm of tasks on one line: a single singular value, the root of the sum of squares."""
        direction, places = rng.normal(size=5), rng.normal(size=4)
        self.agrees(student, reference, [place * direction for place in places], "trace")

    @pytest.mark.parametrize("norm", ["l2", "trace"])
    def test_scale(self, student, reference, rng, norm):
        """Three times the differences: nine times the sum of squares, three times the trace norm."""
        parameters = parameters_of(rng, 3, 4)
        for scale in (1.0, 3.0):
            self.agrees(student, reference, [scale * one for one in parameters], norm)

    @hidden
    @pytest.mark.parametrize("norm", ["l2", "trace"])
    def test_equal_and_single(self, student, reference, rng, norm):
        """Equal tasks pay nothing; one parameter a task and single precision are taken too."""
        one = rng.normal(size=(2, 3))
        self.agrees(student, reference, [one, one.copy(), one.copy()], norm)
        self.agrees(student, reference, parameters_of(rng, 4, 1), norm)
        single = [each.astype(np.float32) for each in parameters_of(rng, 3, 4, 2)]
        self.agrees(student, reference, single, norm)
