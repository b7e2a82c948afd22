"""Checks of the assignment `optimizers`."""

import numpy as np

from grader.compare import agree
from grader.exercise import assert_close, assert_unchanged, core, driver, exercise, hidden

SINGLE = {"rtol": 1e-5, "atol": 1e-6}


@driver
def path(step, theta, grads, **hyper):
    """The parameters after each step, from an empty state."""
    state: dict = {}
    thetas = []
    for grad in grads:
        theta, state = step(theta, grad, {**state}, **hyper)
        thetas.append(np.array(theta))
    return np.array(thetas)


@driver
def path_as_in_the_paper(adam_step, theta, grads, beta_2=0.999, epsilon=1e-7, **hyper):
    """Beside the corrected root, epsilon is as much as epsilon * sqrt(1 - beta_2**t) beside the uncorrected one."""
    state: dict = {}
    thetas = []
    for t, grad in enumerate(grads, 1):
        hat = epsilon * np.sqrt(1 - beta_2**t)
        theta, state = adam_step(theta, grad, state, beta_2=beta_2, epsilon=hat, **hyper)
        thetas.append(theta)
    return np.array(thetas)


@driver
def states_kept(step, theta, grads):
    """A walk, and whether every state is after it what it was."""
    state: dict = {}
    thetas, before = [], []
    for grad in grads:
        before.append((state, str(state)))
        theta, state = step(np.array(theta), np.array(grad), state)
        thetas.append(np.array(theta))
    return np.array(thetas), all(str(old) == text for old, text in before)


@driver
def once_more(step, theta, grads):
    """Each step of a walk, taken once more from its old state."""
    state: dict = {}
    before = []
    for grad in grads:
        before.append((np.array(theta), np.array(grad), state))
        theta, state = step(theta, grad, state)
    return np.array([step(*each)[0] for each in before])


@driver
def side_by_side(step, walks):
    """Arrays of parameters that take turns, each with a state of its own."""
    now: list = [(theta, {}) for theta, _ in walks]
    paths = []
    for t in range(len(walks[0][1])):
        now = [step(now[i][0], grads[t], now[i][1]) for i, (_, grads) in enumerate(walks)]
        paths.append([np.array(theta) for theta, _ in now])
    return [np.array(each) for each in zip(*paths, strict=True)]


def walk(rng, steps, *shape):
    """Where to start, and gradients that differ in sign, in size from place to place, and now and then are zero."""
    sizes = 10.0 ** rng.integers(-2, 2, size=shape)
    grads = sizes * rng.normal(loc=0.3, size=(steps, *shape))
    return rng.normal(size=shape), np.where(rng.uniform(size=grads.shape) < 0.1, 0.0, grads)


class Step:
    """What every optimizer's step is held to; a path has one row a step."""

    name: str
    paths: tuple = (path,)

    def expected(self, reference, theta, grads, **hyper):
        """The right paths, of which an answer takes one."""
        step = getattr(reference, self.name)
        return [step.driven_by(each)(theta, grads, **hyper) for each in self.paths]

    def follows(self, student, reference, theta, grads, **hyper):
        """The student's path from an empty state is a right one, and leaves theta and every gradient as they were."""
        actual = assert_unchanged(getattr(student, self.name).driven_by(path), theta, grads, **hyper)
        assert_one_of(actual, self.expected(reference, theta, grads, **hyper))

    @core
    def test_fifty_steps(self, student, reference, rng):
        """Fifty steps from an empty state follow Keras' optimizer, one row a step; theta and grad stay as they were."""
        self.follows(student, reference, *walk(rng, 50, 5, 3))

    def test_the_first_step(self, student, reference, rng):
        """The first step alone, from an empty state: it shows how the state begins."""
        self.follows(student, reference, *walk(rng, 1, 5))

    def test_any_shape(self, student, reference, rng):
        """Takes one number, a vector, a matrix and a kernel."""
        for shape in [(), (1,), (6,), (3, 1), (3, 2, 1, 4)]:
            self.follows(student, reference, *walk(rng, 5, *shape))

    def test_learning_rate(self, student, reference, rng):
        """Follows `learning_rate`."""
        for learning_rate in (0.5, 0.002):
            self.follows(student, reference, *walk(rng, 6, 4), learning_rate=learning_rate)

    def test_old_states_stay_as_they_were(self, student, reference, rng):
        """A step leaves the old state as it was, so that the same step from it gives the same again."""
        theta, grads = walk(rng, 6, 3, 2)
        step, paths = getattr(student, self.name), self.expected(reference, theta, grads)
        thetas, kept = step.driven_by(states_kept)(theta, grads)
        assert_one_of(thetas, paths)
        assert_fact(
            kept,
            "a step changed the state that it was given: build a new dict and new arrays. "
            "`state[...] = ...`, `+=` and `*=` change the old ones",
        )
        assert_one_of(step.driven_by(once_more)(theta, grads), paths)

    def test_two_at_once(self, student, reference, rng):
        """Two arrays of parameters, each with a state of its own, do not disturb each other."""
        walks = [walk(rng, 6, 3), walk(rng, 6, 4, 2)]
        both = getattr(student, self.name).driven_by(side_by_side)(walks)
        for actual, each in zip(both, walks, strict=True):
            assert_one_of(actual, self.expected(reference, *each))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32` parameters and gradients."""
        theta, grads = walk(rng, 10, 5, 2)
        theta, grads = theta.astype(np.float32), grads.astype(np.float32)
        actual = getattr(student, self.name).driven_by(path)(theta, grads, learning_rate=0.05)
        assert_one_of(actual, self.expected(reference, theta, grads, learning_rate=0.05), **SINGLE)


class AdaptiveStep(Step):
    """A step that divides by the size of the gradients."""

    def test_epsilon(self, student, reference, rng):
        """Holds with a large `epsilon`, added in the right place, where all gradients are small."""
        theta, grads = walk(rng, 6, 5)
        self.follows(student, reference, theta, 0.01 * grads, epsilon=0.3)

    def test_no_gradient(self, student, reference, rng):
        """Where there has been no gradient yet theta stays, and no 0/0 spoils what follows."""
        theta, grads = walk(rng, 6, 4)
        grads[:3] = 0
        grads[:, 0] = 0
        self.follows(student, reference, theta, grads)


def assert_one_of(actual, paths, **tolerance):
    """Pass when the path is one of the right ones; otherwise hold it against the nearest."""
    if not any(agree(actual, each, **tolerance) for each in paths):
        assert_close(actual, min(paths, key=lambda each: distance(actual, each)), **tolerance)


def distance(actual, expected):
    return np.abs(actual - expected).max() if np.shape(actual) == expected.shape else 0.0


def assert_fact(held, sentence):
    if not held:
        raise AssertionError(sentence)


@driver
def descend(batch_gradient_descent, theta, x, y, learning_rate, epochs):
    """Fit y = x theta by least squares."""

    def gradient(theta, data):
        x, y = data
        return x.T @ (x @ theta - y) / len(y)

    return batch_gradient_descent(theta, gradient, (x, y), learning_rate, epochs)


@driver
def descend_to(batch_gradient_descent, theta, bottom, learning_rate, epochs):
    """Descend on the bowl sum((theta - bottom)**2) / 2, for arrays of any shape; the data is a dict."""
    return batch_gradient_descent(
        theta, lambda theta, data: theta - data["bottom"], {"bottom": bottom}, learning_rate, epochs
    )


@driver
def visited(batch_gradient_descent, theta, bottom, learning_rate, epochs):
    """The parameters at which the gradient was asked for, in order."""
    places = []

    def gradient(theta, data):
        places.append(np.array(theta))
        return theta - data

    batch_gradient_descent(theta, gradient, bottom, learning_rate, epochs)
    return np.array(places)


@exercise("batch_gradient_descent", functions=["batch_gradient_descent"], points=2)
class TestBatchGradientDescent:
    """Downhill, with all the data at each step."""

    hints = {
        "batch_gradient_descent": [
            "The gradient points uphill. Which way do you go, and from where do you ask for the next gradient?",
            "A loop of `epochs` turns; each asks `gradient(theta, data)` once, at the theta of now, and makes a new theta.",
            "`for _ in range(epochs): theta = theta - learning_rate * gradient(theta, data)`, then `return theta`.",
        ]
    }

    @core
    def test_regression(self, student, reference, rng):
        """Twenty epochs of linear regression give what Keras' plain descent gives."""
        x, y, theta = rng.normal(size=(12, 3)), rng.normal(size=12), rng.normal(size=3)
        given = theta, x, y, 0.3, 20
        actual = assert_unchanged(student.batch_gradient_descent.driven_by(descend), *given)
        assert_close(actual, reference.batch_gradient_descent.driven_by(descend)(*given))

    def test_one_epoch(self, student, reference, rng):
        """One epoch is one step against the gradient, `learning_rate` times as long."""
        for learning_rate in (0.1, 1.7):
            given = rng.normal(size=4), rng.normal(size=4), learning_rate, 1
            actual = student.batch_gradient_descent.driven_by(descend_to)(*given)
            assert_close(actual, reference.batch_gradient_descent.driven_by(descend_to)(*given))

    def test_any_shape(self, student, reference, rng):
        """Takes parameters of any shape and data of any kind, and leaves them as they were."""
        for shape in [(), (1,), (3, 2), (2, 1, 4)]:
            given = np.asarray(rng.normal(size=shape)), np.asarray(rng.normal(size=shape)), 0.2, 7
            actual = assert_unchanged(student.batch_gradient_descent.driven_by(descend_to), *given)
            assert_close(actual, reference.batch_gradient_descent.driven_by(descend_to)(*given))

    def test_where_the_gradient_is_asked(self, student, reference, rng):
        """Asks for the gradient once an epoch, at the theta of that epoch."""
        given = rng.normal(size=3), rng.normal(size=3), 0.4, 5
        actual = student.batch_gradient_descent.driven_by(visited)(*given)
        assert_close(actual, reference.batch_gradient_descent.driven_by(visited)(*given))

    @hidden
    def test_too_long_a_step(self, student, reference, rng):
        """Steps that are too long lead away, and that is no fault of yours; no epochs, no step."""
        for epochs in (12, 0):
            given = rng.normal(size=3), rng.normal(size=3), 2.5, epochs
            actual = student.batch_gradient_descent.driven_by(descend_to)(*given)
            assert_close(actual, reference.batch_gradient_descent.driven_by(descend_to)(*given))


@driver
def sizes(minibatches, x, y, batch_size, seed):
    """How many examples each batch has."""
    return [[len(a), len(b)] for a, b in minibatches(x, y, batch_size, np.random.default_rng(seed))]


@driver
def sorted_epoch(minibatches, x, y, batch_size, seed):
    """All that came in an epoch: the numbers of x in order of size, and those of y."""
    batches = list(minibatches(x, y, batch_size, np.random.default_rng(seed)))
    return [np.sort(np.concatenate([batch[place] for batch in batches]), axis=None) for place in (0, 1)]


@driver
def pairs_kept(minibatches, x, y, batch_size, seed):
    """Whether each row of x came with its own y."""
    own = {(a.tobytes(), b.tobytes()) for a, b in zip(x, y, strict=True)}
    batches = minibatches(x, y, batch_size, np.random.default_rng(seed))
    return {(a.tobytes(), b.tobytes()) for batch in batches for a, b in zip(*batch, strict=True)} <= own


@driver
def places_seen(minibatches, x, epochs, seed):
    """At how many places of an epoch each example has stood."""
    rng = np.random.default_rng(seed)
    seen: dict = {number: set() for number in x}
    for _ in range(epochs):
        order = np.concatenate([a for a, b in minibatches(x, x, 2, rng)])
        for place, number in enumerate(order):
            seen[number].add(place)
    return [len(places) for places in seen.values()]


@exercise("minibatches", functions=["minibatches"], points=3)
class TestMinibatches:
    """A shuffled epoch, in small portions."""

    hints = {
        "minibatches": [
            "How do you shuffle two arrays so that row i of one still belongs to row i of the other?",
            "Shuffle the row numbers 0 to n - 1 once, cut that list into pieces of `batch_size`, and take these rows of both.",
            "`order = rng.permutation(len(x))`; then for each start in `range(0, len(x), batch_size)` take "
            "`rows = order[start : start + batch_size]` and `yield x[rows], y[rows]`.",
        ]
    }

    @core
    def test_every_example_once(self, student, reference, rng):
        """An epoch brings every example once, and leaves x and y as they were."""
        given = rng.normal(size=(11, 3)), rng.normal(size=(11, 2)), 4, int(rng.integers(2**32))
        actual = assert_unchanged(student.minibatches.driven_by(sorted_epoch), *given)
        assert_close(actual, reference.minibatches.driven_by(sorted_epoch)(*given))

    def test_pairs(self, student, rng):
        """Each x comes with its own y, whatever the number of their axes."""
        for shape, other in [((12, 3), (12,)), ((7,), (7, 2)), ((9, 2, 3, 1), (9, 4))]:
            given = rng.normal(size=shape), rng.normal(size=other), 4, int(rng.integers(2**32))
            assert_fact(
                student.minibatches.driven_by(pairs_kept)(*given),
                "x and y have lost each other: take the same rows, in the same order, of both",
            )

    def test_sizes(self, student, reference, rng):
        """Every batch has `batch_size` examples, but the last, which takes what is left."""
        for n, batch_size in [(10, 4), (12, 4), (5, 1), (3, 8), (6, 6)]:
            given = rng.normal(size=(n, 2)), rng.normal(size=n), batch_size, int(rng.integers(2**32))
            actual = student.minibatches.driven_by(sizes)(*given)
            assert_close(actual, reference.minibatches.driven_by(sizes)(*given))

    def test_shuffled(self, student, reference, rng):
        """Over 300 epochs every example stands at every place of the epoch: the order is new each time, and free."""
        given = np.arange(6.0), 300, int(rng.integers(2**32))
        actual = student.minibatches.driven_by(places_seen)(*given)
        assert_close(actual, reference.minibatches.driven_by(places_seen)(*given))

    @hidden
    def test_labels(self, student, reference, rng):
        """Holds for images with whole numbers as labels, in batches of other sizes."""
        images, labels = rng.normal(size=(13, 4, 4, 1)), np.arange(13)
        for batch_size in (2, 5, 13):
            given = images, labels, batch_size, int(rng.integers(2**32))
            actual = assert_unchanged(student.minibatches.driven_by(sorted_epoch), *given)
            assert_close(actual, reference.minibatches.driven_by(sorted_epoch)(*given))


@exercise("sgd_step", functions=["sgd_step"], points=1)
class TestSgd(Step):
    """One step downhill."""

    name = "sgd_step"
    hints = {
        "sgd_step": [
            "Two things are to be returned. What has plain descent to remember?",
            "Nothing: the new theta goes back together with the state as it came.",
            "`return theta - learning_rate * grad, state`.",
        ]
    }


class MomentumStep(Step):
    """A step that remembers a velocity."""

    def test_rolling_on(self, student, reference, rng):
        """After one push, with no gradient any more, theta rolls on, each step `momentum` times the last."""
        theta, grads = rng.normal(size=3), np.zeros((8, 3))
        grads[0] = rng.normal(size=3)
        self.follows(student, reference, theta, grads)

    def test_momentum(self, student, reference, rng):
        """Follows `momentum`; with 0 it is plain descent."""
        for momentum in (0.0, 0.5, 0.99):
            self.follows(student, reference, *walk(rng, 6, 4), momentum=momentum)


@exercise("momentum_step", functions=["momentum_step"], points=2)
class TestMomentum(MomentumStep):
    """A ball that keeps rolling."""

    name = "momentum_step"
    hints = {
        "momentum_step": [
            "What is the velocity before the first step, and how can a function know that it is the first?",
            "`state.get('velocity', ...)` gives zeros when nothing is there yet. The new velocity goes into a new dict.",
            "`velocity = momentum * state.get('velocity', np.zeros_like(theta)) - learning_rate * grad`, then "
            "`return theta + velocity, {'velocity': velocity}`.",
        ]
    }


@exercise("nesterov_step", functions=["nesterov_step"], points=2)
class TestNesterov(MomentumStep):
    """Momentum that looks ahead."""

    name = "nesterov_step"
    hints = {
        "nesterov_step": [
            "Plain momentum adds v. What would it add if it already took the next step's momentum into account?",
            "Make the new velocity as in `momentum_step`. Then apply the rule of the velocity once more, with the same gradient.",
            "`theta + momentum * velocity - learning_rate * grad`, with the **new** velocity.",
        ]
    }


@exercise("adagrad_step", functions=["adagrad_step"], points=2)
class TestAdagrad(AdaptiveStep):
    """A learning rate of its own for each parameter."""

    name = "adagrad_step"
    hints = {
        "adagrad_step": [
            "What is summed over all steps so far, and for each parameter on its own?",
            "The squared gradients, element by element, from 0.1 on. The root is taken of the sum with this gradient in it, plus epsilon.",
            "`accumulator = state.get('accumulator', 0.1) + grad**2`, then "
            "`theta - learning_rate * grad / np.sqrt(accumulator + epsilon)`.",
        ]
    }

    def test_the_sum_never_forgets(self, student, reference, rng):
        """One large gradient shortens every later step as much as the next: nothing fades."""
        theta, grads = rng.normal(size=3), np.full((20, 3), 0.1)
        grads[0] = [10, 1, -5]
        self.follows(student, reference, theta, grads)


@exercise("rmsprop_step", functions=["rmsprop_step"], points=2)
class TestRmsprop(AdaptiveStep):
    """Adagrad that forgets."""

    name = "rmsprop_step"
    hints = {
        "rmsprop_step": [
            "Adagrad's sum only grows. What grows and shrinks with the gradients of the last few steps?",
            "An average: keep `rho` of the old one and take `1 - rho` of the new square. It starts at 0.",
            "`average = rho * state.get('average', 0.0) + (1 - rho) * grad**2`, then "
            "`theta - learning_rate * grad / np.sqrt(average + epsilon)`.",
        ]
    }

    def test_rho(self, student, reference, rng):
        """Follows `rho`; with 0 nothing is remembered."""
        for rho in (0.0, 0.5, 0.99):
            self.follows(student, reference, *walk(rng, 6, 4), rho=rho)


@exercise("adadelta_step", functions=["adadelta_step"], points=3)
class TestAdadelta(AdaptiveStep):
    """Steps in the parameter's own units."""

    name = "adadelta_step"
    hints = {
        "adadelta_step": [
            "Two running averages. Which one must you have before the step, and which can you only make after it?",
            "First the average of the squared gradients. The step is the gradient times the root of the **old** average of "
            "squared steps, over the root of the new one of squared gradients. Then average that step's square; the learning rate comes last of all.",
            "`delta = -np.sqrt(deltas + epsilon) / np.sqrt(squares + epsilon) * grad`, then "
            "`deltas = rho * deltas + (1 - rho) * delta**2`, then `theta + learning_rate * delta`.",
        ]
    }

    def test_rho(self, student, reference, rng):
        """Follows `rho`; with 0 only the last step and the last gradient are remembered."""
        for rho in (0.0, 0.5, 0.99):
            self.follows(student, reference, *walk(rng, 6, 4), rho=rho)

    def test_the_learning_rate_comes_last(self, student, reference, rng):
        """The average of squared steps is of the steps before `learning_rate` has scaled them."""
        self.follows(student, reference, *walk(rng, 20, 4), learning_rate=1.0)
        self.follows(student, reference, *walk(rng, 20, 4), learning_rate=30.0)


@exercise("adam_step", functions=["adam_step"], points=4)
class TestAdam(AdaptiveStep):
    """Momentum and RMSprop in one, with a fair start. Epsilon as in the paper or as in Keras: both are right."""

    name = "adam_step"
    paths = (path, path_as_in_the_paper)
    hints = {
        "adam_step": [
            "Both averages start at zero. After one step, what share of the gradient is in the first one?",
            "1 - beta_1 of it; after t steps 1 - beta_1**t. Divide each average by its share, and keep t, from 1 on, and the "
            "averages **without** that division, in the state.",
            "`theta - learning_rate * (m / (1 - beta_1**t)) / (np.sqrt(v / (1 - beta_2**t)) + epsilon)`, where "
            "`m = beta_1 * m + (1 - beta_1) * grad` and `v = beta_2 * v + (1 - beta_2) * grad**2`.",
        ]
    }

    def test_the_second_moment_alone(self, student, reference, rng):
        """With `beta_1` = 0 the first moment is the gradient itself: what is wrong here is wrong with the second."""
        self.follows(student, reference, *walk(rng, 8, 4), beta_1=0.0)

    def test_the_first_moment_alone(self, student, reference, rng):
        """With `beta_2` = 0 the second moment is the last square: what is wrong here is wrong with the first."""
        self.follows(student, reference, *walk(rng, 8, 4), beta_2=0.0)

    def test_a_steady_gradient(self, student, reference, rng):
        """Where the gradient is the same at each step, every step is as long as `learning_rate`: that is the correction."""
        theta, grad = rng.normal(size=4), rng.normal(size=4) + 3
        self.follows(student, reference, theta, np.tile(grad, (15, 1)))

    @hidden
    def test_other_betas(self, student, reference, rng):
        """Holds with other betas, learning rate and epsilon, all at once."""
        hyper = {"learning_rate": 0.3, "beta_1": 0.7, "beta_2": 0.95, "epsilon": 0.01}
        self.follows(student, reference, *walk(rng, 12, 3, 2), **hyper)
