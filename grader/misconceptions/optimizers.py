"""Well-known wrong answers to the assignment `optimizers`."""

import numpy as np

from grader.exercise import misconception

UPHILL = "You add where you should subtract: the gradient points uphill, and the step goes against it."
NOT_THE_RATE = "The `learning_rate` that is given has no effect: use the argument, not a number of your own."
CHANGES_THETA = "`theta -= ...` writes into the array that was given: make a new one, `theta = theta - ...`."
CHANGES_STATE = (
    "You write into the state that was given, by `state[...] = ...`, `+=` or `*=`: an old state must stay as it was. Compute "
    "new arrays, and return them in a new dict."
)
FORGETS = "Nothing is remembered from one step to the next: what the rule needs again must be in the dict that you return."
THETA_ALONE = "Two things are to be returned, the new theta and the state: `return theta, state`."
EPSILON_OUTSIDE = "Epsilon stands beside your root. Many books have it so; here it is under the root, as in Keras: `np.sqrt(... + epsilon)`."
NO_EPSILON = "Epsilon is missing: it keeps the division from 0/0 where there has been no gradient."
NO_ROOT = (
    "The root is missing: you divide by the squares themselves, so a large gradient makes a *small* step."
)
NOT_SQUARED = (
    "You collect absolute gradients: it is their squares that are collected, and the root is taken after."
)
ONE_FOR_ALL = "You have one number for all parameters: each has its own, so square element by element and sum over nothing."
OLD_ONE = "You divide by the average as it was before this step: this gradient's square belongs in it first."
SHARES_SWAPPED = (
    "You keep 1 - rho of the old average and take rho of the new: it is the other way round, most is kept."
)
NO_SHARE = "The factor 1 - rho before the new square is missing: without it this is a sum that leaks, not an average."
AVERAGE_SQUARED = "You square the average of the gradients: average their squares, or plus and minus cancel."


def remembered(state, name, theta):
    return state.get(name, np.zeros_like(theta))


# batch_gradient_descent


@misconception("batch_gradient_descent.batch_gradient_descent", UPHILL)
def ascent(theta, gradient, data, learning_rate, epochs):
    for _ in range(epochs):
        theta = theta + learning_rate * gradient(theta, data)
    return theta


@misconception(
    "batch_gradient_descent.batch_gradient_descent",
    "You ask for the gradient only once, where you began: ask anew in each epoch, at the theta of now.",
)
def one_gradient_for_all(theta, gradient, data, learning_rate, epochs):
    grad = gradient(theta, data)
    for _ in range(epochs):
        theta = theta - learning_rate * grad
    return theta


@misconception(
    "batch_gradient_descent.batch_gradient_descent",
    "In each epoch you ask for the gradient at the theta of the beginning: give it the theta of now.",
)
def gradient_of_the_start(theta, gradient, data, learning_rate, epochs):
    start = theta
    for _ in range(epochs):
        theta = theta - learning_rate * gradient(start, data)
    return theta


@misconception(
    "batch_gradient_descent.batch_gradient_descent",
    "The `return` stands inside the loop, so the first epoch is also the last: move it out by one level.",
)
def returns_after_one_epoch(theta, gradient, data, learning_rate, epochs):
    for _ in range(epochs):
        return theta - learning_rate * gradient(theta, data)
    return theta


@misconception(
    "batch_gradient_descent.batch_gradient_descent",
    "That is one epoch too few: `range(1, epochs)` has `epochs - 1` turns.",
)
def one_epoch_short(theta, gradient, data, learning_rate, epochs):
    for _ in range(1, epochs):
        theta = theta - learning_rate * gradient(theta, data)
    return theta


@misconception(
    "batch_gradient_descent.batch_gradient_descent",
    "That is one epoch too many: `range(epochs)` has `epochs` turns already.",
)
def one_epoch_more(theta, gradient, data, learning_rate, epochs):
    for _ in range(epochs + 1):
        theta = theta - learning_rate * gradient(theta, data)
    return theta


@misconception("batch_gradient_descent.batch_gradient_descent", NOT_THE_RATE)
def whole_gradients(theta, gradient, data, learning_rate, epochs):
    for _ in range(epochs):
        theta = theta - gradient(theta, data)
    return theta


@misconception("batch_gradient_descent.batch_gradient_descent", CHANGES_THETA)
def descent_in_place(theta, gradient, data, learning_rate, epochs):
    for _ in range(epochs):
        theta -= learning_rate * gradient(theta, data)
    return theta


@misconception(
    "batch_gradient_descent.batch_gradient_descent",
    "You ask for the gradient twice an epoch. It is the dear part: keep it in a variable.",
)
def asks_twice(theta, gradient, data, learning_rate, epochs):
    for _ in range(epochs):
        if np.any(gradient(theta, data)):
            theta = theta - learning_rate * gradient(theta, data)
    return theta


# minibatches


@misconception(
    "minibatches.minibatches",
    "Every epoch has the same order: nothing is shuffled, or by a generator of your own that begins anew each time. "
    "`rng.permutation(len(x))`, of the `rng` that is given, makes a new order.",
)
def in_order(x, y, batch_size, rng):
    for start in range(0, len(x), batch_size):
        yield x[start : start + batch_size], y[start : start + batch_size]


@misconception(
    "minibatches.minibatches",
    "Only the order of the batches is shuffled: examples 0 and 1 are always together. Shuffle the examples.",
)
def batches_in_any_order(x, y, batch_size, rng):
    for start in rng.permutation(range(0, len(x), batch_size)):
        yield x[start : start + batch_size], y[start : start + batch_size]


@misconception(
    "minibatches.minibatches",
    "You shuffle within each batch only: the first batch always has the same examples. Shuffle before you cut.",
)
def shuffled_within(x, y, batch_size, rng):
    for start in range(0, len(x), batch_size):
        rows = start + rng.permutation(min(batch_size, len(x) - start))
        yield x[rows], y[rows]


@misconception(
    "minibatches.minibatches",
    "x and y are not shuffled alike, so no example keeps its label: one order, and the same rows of both.",
)
def two_orders(x, y, batch_size, rng):
    x, y = x[rng.permutation(len(x))], y[rng.permutation(len(y))]
    for start in range(0, len(x), batch_size):
        yield x[start : start + batch_size], y[start : start + batch_size]


@misconception(
    "minibatches.minibatches",
    "The last, short batch is dropped, and its examples with it: let the last batch be short.",
)
def last_one_dropped(x, y, batch_size, rng):
    order = rng.permutation(len(x))
    for start in range(0, len(x) - batch_size + 1, batch_size):
        rows = order[start : start + batch_size]
        yield x[rows], y[rows]


@misconception(
    "minibatches.minibatches",
    "An empty batch comes at the end where `batch_size` divides the number of examples: count up to `len(x)` in steps of `batch_size`.",
)
def an_empty_one_at_the_end(x, y, batch_size, rng):
    order = rng.permutation(len(x))
    for i in range(len(x) // batch_size + 1):
        rows = order[i * batch_size : (i + 1) * batch_size]
        yield x[rows], y[rows]


@misconception(
    "minibatches.minibatches",
    "The examples are shared out evenly: all batches but the last have `batch_size` of them, and only the last is short.",
)
def shared_out_evenly(x, y, batch_size, rng):
    for rows in np.array_split(rng.permutation(len(x)), -(-len(x) // batch_size)):
        yield x[rows], y[rows]


@misconception(
    "minibatches.minibatches",
    "You drew each batch anew from all examples, so that some come twice and some never: shuffle once an epoch, then cut.",
)
def drawn_anew(x, y, batch_size, rng):
    for start in range(0, len(x), batch_size):
        rows = rng.choice(len(x), size=min(batch_size, len(x) - start))
        yield x[rows], y[rows]


@misconception(
    "minibatches.minibatches",
    "`rng.shuffle` changes the arrays that were given, and two calls of it shuffle in two ways: shuffle row numbers, and "
    "take these rows of both.",
)
def shuffled_in_place(x, y, batch_size, rng):
    rng.shuffle(x)
    rng.shuffle(y)
    for start in range(0, len(x), batch_size):
        yield x[start : start + batch_size], y[start : start + batch_size]


# sgd_step


@misconception("sgd_step.sgd_step", UPHILL)
def sgd_uphill(theta, grad, state, learning_rate=0.01):
    return theta + learning_rate * grad, state


@misconception("sgd_step.sgd_step", NOT_THE_RATE)
def sgd_at_its_own_rate(theta, grad, state, learning_rate=0.01):
    return theta - 0.01 * grad, state


@misconception("sgd_step.sgd_step", NOT_THE_RATE)
def sgd_without_rate(theta, grad, state, learning_rate=0.01):
    return theta - grad, state


@misconception("sgd_step.sgd_step", CHANGES_THETA)
def sgd_in_place(theta, grad, state, learning_rate=0.01):
    theta -= learning_rate * grad
    return theta, state


@misconception("sgd_step.sgd_step", THETA_ALONE)
def sgd_theta_alone(theta, grad, state, learning_rate=0.01):
    return theta - learning_rate * grad


@misconception(
    "sgd_step.sgd_step",
    "You made the gradient one long: plain descent takes it as it is, so that steps shorten near the bottom.",
)
def sgd_of_unit_length(theta, grad, state, learning_rate=0.01):
    return theta - learning_rate * grad / (np.linalg.norm(grad) + 1e-12), state


@misconception("sgd_step.sgd_step", "You averaged the gradient: each parameter has its own entry of it.")
def sgd_of_the_mean(theta, grad, state, learning_rate=0.01):
    return theta - learning_rate * np.mean(grad), state


# momentum_step


@misconception("momentum_step.momentum_step", FORGETS)
def momentum_forgotten(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta + velocity, state


@misconception(
    "momentum_step.momentum_step",
    "One line of each convention: with `- learning_rate * grad` in the velocity, theta must *add* it. As it is, you climb.",
)
def momentum_of_both_signs(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta - velocity, {"v": velocity}


@misconception(
    "momentum_step.momentum_step",
    "You average the gradients, with a factor 1 - momentum: here the velocity is their sum, so a steady slope adds up.",
)
def momentum_as_average(theta, grad, state, learning_rate=0.01, momentum=0.9):
    average = momentum * remembered(state, "v", theta) + (1 - momentum) * grad
    return theta - learning_rate * average, {"v": average}


@misconception(
    "momentum_step.momentum_step",
    "The learning rate comes in twice: it is in the velocity already, so theta takes the velocity whole.",
)
def momentum_with_two_rates(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta + learning_rate * velocity, {"v": velocity}


@misconception(
    "momentum_step.momentum_step",
    "You move with the old velocity and renew it after: renew it first, then move.",
)
def momentum_late(theta, grad, state, learning_rate=0.01, momentum=0.9):
    old = remembered(state, "v", theta)
    return theta + old, {"v": momentum * old - learning_rate * grad}


@misconception(
    "momentum_step.momentum_step",
    "The momentum sits on the gradient: it is the old *velocity* that is multiplied by it.",
)
def momentum_on_the_gradient(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = remembered(state, "v", theta) - learning_rate * momentum * grad
    return theta + velocity, {"v": velocity}


@misconception(
    "momentum_step.momentum_step",
    "Nothing of the old velocity is lost: multiply it by `momentum`, or the ball never comes to rest.",
)
def momentum_without_friction(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = remembered(state, "v", theta) - learning_rate * grad
    return theta + velocity, {"v": velocity}


@misconception(
    "momentum_step.momentum_step", "That is Nesterov's momentum, which comes next: here theta just adds v."
)
def momentum_looking_ahead(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta + momentum * velocity - learning_rate * grad, {"v": velocity}


@misconception(
    "momentum_step.momentum_step",
    "The momentum is always 0.9, whatever is given: use the argument.",
)
def momentum_of_its_own(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = 0.9 * remembered(state, "v", theta) - learning_rate * grad
    return theta + velocity, {"v": velocity}


@misconception("momentum_step.momentum_step", CHANGES_STATE)
def momentum_in_the_old_dict(theta, grad, state, learning_rate=0.01, momentum=0.9):
    state["v"] = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta + state["v"], state


@misconception("momentum_step.momentum_step", CHANGES_STATE)
def momentum_in_the_old_array(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = np.asarray(remembered(state, "v", theta))
    velocity *= momentum
    velocity -= learning_rate * grad
    return theta + velocity, {"v": velocity}


@misconception("momentum_step.momentum_step", CHANGES_STATE)
def momentum_in_the_dict_of_the_first_step(theta, grad, state, learning_rate=0.01, momentum=0.9):
    state = state or {"v": np.zeros_like(theta)}
    state["v"] = momentum * state["v"] - learning_rate * grad
    return theta + state["v"], state


@misconception("momentum_step.momentum_step", CHANGES_THETA)
def momentum_in_place(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    theta += velocity
    return theta, {"v": velocity}


# nesterov_step


@misconception(
    "nesterov_step.nesterov_step",
    "That is plain momentum: with the *old* velocity, momentum * v - learning_rate * grad is just the new one. "
    "Renew v first, then apply that rule once more.",
)
def nesterov_with_the_old_velocity(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta + velocity, {"v": velocity}


@misconception(
    "nesterov_step.nesterov_step",
    "The gradient is missing in theta's line: it is momentum * v **minus** learning_rate * grad.",
)
def nesterov_without_gradient(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta + momentum * velocity, {"v": velocity}


@misconception(
    "nesterov_step.nesterov_step",
    "In theta's line the new velocity is to be multiplied by `momentum`.",
)
def nesterov_with_the_whole_velocity(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta + velocity - learning_rate * grad, {"v": velocity}


@misconception(
    "nesterov_step.nesterov_step",
    "You step by v and then once more by momentum * v: the velocity is counted twice. Theta's line is momentum * v - learning_rate * grad.",
)
def nesterov_twice(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta + (1 + momentum) * velocity, {"v": velocity}


@misconception(
    "nesterov_step.nesterov_step",
    "You remember the looked-ahead step as the velocity: the state keeps v, the step is only what theta takes.",
)
def nesterov_remembers_the_step(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    step = momentum * velocity - learning_rate * grad
    return theta + step, {"v": step}


@misconception("nesterov_step.nesterov_step", UPHILL)
def nesterov_uphill(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) + learning_rate * grad
    return theta + momentum * velocity + learning_rate * grad, {"v": velocity}


@misconception("nesterov_step.nesterov_step", FORGETS)
def nesterov_forgotten(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta + momentum * velocity - learning_rate * grad, state


@misconception("nesterov_step.nesterov_step", CHANGES_STATE)
def nesterov_in_the_old_dict(theta, grad, state, learning_rate=0.01, momentum=0.9):
    state["v"] = momentum * remembered(state, "v", theta) - learning_rate * grad
    return theta + momentum * state["v"] - learning_rate * grad, state


@misconception("nesterov_step.nesterov_step", CHANGES_STATE)
def nesterov_in_the_old_array(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = np.asarray(remembered(state, "v", theta))
    velocity *= momentum
    velocity -= learning_rate * grad
    return theta + momentum * velocity - learning_rate * grad, {"v": velocity}


# adagrad_step


@misconception("adagrad_step.adagrad_step", "The accumulator starts at 0.1, as in Keras, and not at 0.")
def adagrad_from_zero(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = remembered(state, "a", theta) + grad**2
    return theta - learning_rate * grad / np.sqrt(total + epsilon), {"a": total}


@misconception(
    "adagrad_step.adagrad_step",
    "The 0.1 comes in at every step: it is only what the accumulator starts with.",
)
def adagrad_with_a_tenth_each_time(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = remembered(state, "a", theta) + 0.1 + grad**2
    return theta - learning_rate * grad / np.sqrt(total + epsilon), {"a": total}


@misconception("adagrad_step.adagrad_step", FORGETS)
def adagrad_forgotten(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    return theta - learning_rate * grad / np.sqrt(0.1 + grad**2 + epsilon), state


@misconception("adagrad_step.adagrad_step", EPSILON_OUTSIDE)
def adagrad_epsilon_outside(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = state.get("a", 0.1) + grad**2
    return theta - learning_rate * grad / (np.sqrt(total) + epsilon), {"a": total}


@misconception(
    "adagrad_step.adagrad_step",
    "Many books have it so: a sum from 0, epsilon beside the root. Here, as in Keras, the sum starts at 0.1 and epsilon "
    "is under the root.",
)
def adagrad_of_other_books(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = remembered(state, "a", theta) + grad**2
    return theta - learning_rate * grad / (np.sqrt(total) + epsilon), {"a": total}


@misconception("adagrad_step.adagrad_step", NO_EPSILON)
def adagrad_without_epsilon(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = state.get("a", 0.1) + grad**2
    return theta - learning_rate * grad / np.sqrt(total), {"a": total}


@misconception("adagrad_step.adagrad_step", NO_ROOT)
def adagrad_without_root(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = state.get("a", 0.1) + grad**2
    return theta - learning_rate * grad / (total + epsilon), {"a": total}


@misconception("adagrad_step.adagrad_step", NOT_SQUARED)
def adagrad_of_absolutes(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = state.get("a", 0.1) + np.abs(grad)
    return theta - learning_rate * grad / np.sqrt(total + epsilon), {"a": total}


@misconception("adagrad_step.adagrad_step", ONE_FOR_ALL)
def adagrad_with_one_number(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = state.get("a", 0.1) + np.sum(grad**2)
    return theta - learning_rate * grad / np.sqrt(total + epsilon), {"a": total}


@misconception(
    "adagrad_step.adagrad_step",
    "You divide by the sum as it was before this step: this gradient's square belongs in it first.",
)
def adagrad_late(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = state.get("a", 0.1)
    return theta - learning_rate * grad / np.sqrt(total + epsilon), {"a": total + grad**2}


@misconception("adagrad_step.adagrad_step", UPHILL)
def adagrad_uphill(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = state.get("a", 0.1) + grad**2
    return theta + learning_rate * grad / np.sqrt(total + epsilon), {"a": total}


@misconception("adagrad_step.adagrad_step", CHANGES_STATE)
def adagrad_in_the_old_dict(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    state["a"] = state.get("a", 0.1) + grad**2
    return theta - learning_rate * grad / np.sqrt(state["a"] + epsilon), state


@misconception("adagrad_step.adagrad_step", CHANGES_STATE)
def adagrad_in_the_old_array(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = np.asarray(state.get("a", np.full_like(theta, 0.1)))
    total += grad**2
    return theta - learning_rate * grad / np.sqrt(total + epsilon), {"a": total}


# rmsprop_step


@misconception(
    "rmsprop_step.rmsprop_step",
    "You sum the squares, as Adagrad does: RMSprop averages them, `rho * average + (1 - rho) * grad**2`.",
)
def rmsprop_that_sums(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    total = remembered(state, "a", theta) + grad**2
    return theta - learning_rate * grad / np.sqrt(total + epsilon), {"a": total}


@misconception("rmsprop_step.rmsprop_step", NO_SHARE)
def rmsprop_leaking_sum(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    total = rho * remembered(state, "a", theta) + grad**2
    return theta - learning_rate * grad / np.sqrt(total + epsilon), {"a": total}


@misconception("rmsprop_step.rmsprop_step", SHARES_SWAPPED)
def rmsprop_swapped(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = (1 - rho) * remembered(state, "a", theta) + rho * grad**2
    return theta - learning_rate * grad / np.sqrt(average + epsilon), {"a": average}


@misconception("rmsprop_step.rmsprop_step", EPSILON_OUTSIDE)
def rmsprop_epsilon_outside(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = rho * remembered(state, "a", theta) + (1 - rho) * grad**2
    return theta - learning_rate * grad / (np.sqrt(average) + epsilon), {"a": average}


@misconception("rmsprop_step.rmsprop_step", NO_EPSILON)
def rmsprop_without_epsilon(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = rho * remembered(state, "a", theta) + (1 - rho) * grad**2
    return theta - learning_rate * grad / np.sqrt(average), {"a": average}


@misconception("rmsprop_step.rmsprop_step", NO_ROOT)
def rmsprop_without_root(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = rho * remembered(state, "a", theta) + (1 - rho) * grad**2
    return theta - learning_rate * grad / (average + epsilon), {"a": average}


@misconception("rmsprop_step.rmsprop_step", AVERAGE_SQUARED)
def rmsprop_of_the_average(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = rho * remembered(state, "a", theta) + (1 - rho) * grad
    return theta - learning_rate * grad / np.sqrt(average**2 + epsilon), {"a": average}


@misconception("rmsprop_step.rmsprop_step", OLD_ONE)
def rmsprop_late(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = remembered(state, "a", theta)
    new = rho * average + (1 - rho) * grad**2
    return theta - learning_rate * grad / np.sqrt(average + epsilon), {"a": new}


@misconception(
    "rmsprop_step.rmsprop_step",
    "The bias correction is Adam's: RMSprop has none, and takes its average as it is.",
)
def rmsprop_corrected(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    t = state.get("t", 0) + 1
    average = rho * remembered(state, "a", theta) + (1 - rho) * grad**2
    return theta - learning_rate * grad / np.sqrt(average / (1 - rho**t) + epsilon), {"a": average, "t": t}


@misconception("rmsprop_step.rmsprop_step", "The average starts at 0 here: the 0.1 was Adagrad's.")
def rmsprop_from_a_tenth(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = rho * state.get("a", 0.1) + (1 - rho) * grad**2
    return theta - learning_rate * grad / np.sqrt(average + epsilon), {"a": average}


@misconception(
    "rmsprop_step.rmsprop_step",
    "The average starts at the first square: it starts at 0, so the first step is longer than the learning rate.",
)
def rmsprop_from_the_first(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = rho * state.get("a", grad**2) + (1 - rho) * grad**2
    return theta - learning_rate * grad / np.sqrt(average + epsilon), {"a": average}


@misconception("rmsprop_step.rmsprop_step", FORGETS)
def rmsprop_forgotten(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    return theta - learning_rate * grad / np.sqrt((1 - rho) * grad**2 + epsilon), state


@misconception("rmsprop_step.rmsprop_step", UPHILL)
def rmsprop_uphill(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = rho * remembered(state, "a", theta) + (1 - rho) * grad**2
    return theta + learning_rate * grad / np.sqrt(average + epsilon), {"a": average}


@misconception("rmsprop_step.rmsprop_step", CHANGES_STATE)
def rmsprop_in_the_old_dict(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    state["a"] = rho * remembered(state, "a", theta) + (1 - rho) * grad**2
    return theta - learning_rate * grad / np.sqrt(state["a"] + epsilon), state


@misconception("rmsprop_step.rmsprop_step", CHANGES_STATE)
def rmsprop_in_the_old_array(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = np.asarray(remembered(state, "a", theta))
    average *= rho
    average += (1 - rho) * grad**2
    return theta - learning_rate * grad / np.sqrt(average + epsilon), {"a": average}


# adadelta_step


def squared_average(state, name, theta, rho, new):
    return rho * remembered(state, name, theta) + (1 - rho) * new**2


def root_of(average, epsilon):
    return np.sqrt(average + epsilon)


@misconception(
    "adadelta_step.adadelta_step",
    "The learning rate has no effect. The paper has none; here, as in Keras, it scales the step at the very end.",
)
def adadelta_without_rate(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, rho, grad)
    delta = -root_of(remembered(state, "d", theta), epsilon) / root_of(squares, epsilon) * grad
    return theta + delta, {"a": squares, "d": squared_average(state, "d", theta, rho, delta)}


@misconception(
    "adadelta_step.adadelta_step",
    "You average the squares of the steps after `learning_rate` has scaled them: average those before.",
)
def adadelta_averages_scaled_steps(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, rho, grad)
    delta = (
        -learning_rate * root_of(remembered(state, "d", theta), epsilon) / root_of(squares, epsilon) * grad
    )
    return theta + delta, {"a": squares, "d": squared_average(state, "d", theta, rho, delta)}


@misconception(
    "adadelta_step.adadelta_step",
    "The numerator is missing: without the root of the average squared step this is RMSprop.",
)
def adadelta_without_numerator(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, rho, grad)
    return theta - learning_rate * grad / root_of(squares, epsilon), {"a": squares}


@misconception(
    "adadelta_step.adadelta_step",
    "The two roots have changed places: the steps' root is on top, the gradients' root below.",
)
def adadelta_upside_down(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, rho, grad)
    delta = -root_of(squares, epsilon) / root_of(remembered(state, "d", theta), epsilon) * grad
    return theta + learning_rate * delta, {"a": squares, "d": squared_average(state, "d", theta, rho, delta)}


@misconception(
    "adadelta_step.adadelta_step",
    "You average squared *gradients* on top too: the second average is of the squared steps.",
)
def adadelta_of_gradients_twice(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, rho, grad)
    delta = -root_of(remembered(state, "a", theta), epsilon) / root_of(squares, epsilon) * grad
    return theta + learning_rate * delta, {"a": squares}


@misconception(
    "adadelta_step.adadelta_step",
    "The average of squared steps is not kept from one step to the next, so the numerator stays at the root of epsilon: return both averages.",
)
def adadelta_forgets_the_steps(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, rho, grad)
    return theta - learning_rate * root_of(0.0, epsilon) / root_of(squares, epsilon) * grad, {"a": squares}


@misconception(
    "adadelta_step.adadelta_step",
    "You renew the average of squared steps before the step, with the squared gradient's step of another scale: "
    "make the step from the old average, then renew it.",
)
def adadelta_renews_first(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, rho, grad)
    deltas = remembered(state, "d", theta)
    delta = -root_of(deltas, epsilon) / root_of(squares, epsilon) * grad
    deltas = rho * deltas + (1 - rho) * delta**2
    delta = -root_of(deltas, epsilon) / root_of(squares, epsilon) * grad
    return theta + learning_rate * delta, {"a": squares, "d": deltas}


@misconception(
    "adadelta_step.adadelta_step",
    "The gradient is divided by the old average: this gradient's square belongs in it first. (Only the average of steps is the old one.)",
)
def adadelta_late(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares, deltas = remembered(state, "a", theta), remembered(state, "d", theta)
    delta = -root_of(deltas, epsilon) / root_of(squares, epsilon) * grad
    return theta + learning_rate * delta, {
        "a": rho * squares + (1 - rho) * grad**2,
        "d": rho * deltas + (1 - rho) * delta**2,
    }


@misconception(
    "adadelta_step.adadelta_step",
    "Epsilon stands beside your roots: here it is under both, `np.sqrt(... + epsilon)`, as in Keras and in the paper.",
)
def adadelta_epsilon_outside(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, rho, grad)
    delta = -(np.sqrt(remembered(state, "d", theta)) + epsilon) / (np.sqrt(squares) + epsilon) * grad
    return theta + learning_rate * delta, {"a": squares, "d": squared_average(state, "d", theta, rho, delta)}


@misconception(
    "adadelta_step.adadelta_step",
    "On top there is no epsilon: the average of squared steps starts at 0, so you never start to move.",
)
def adadelta_that_never_starts(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, rho, grad)
    delta = -np.sqrt(remembered(state, "d", theta)) / root_of(squares, epsilon) * grad
    return theta + learning_rate * delta, {"a": squares, "d": squared_average(state, "d", theta, rho, delta)}


@misconception("adadelta_step.adadelta_step", SHARES_SWAPPED)
def adadelta_swapped(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, 1 - rho, grad)
    delta = -root_of(remembered(state, "d", theta), epsilon) / root_of(squares, epsilon) * grad
    return theta + learning_rate * delta, {
        "a": squares,
        "d": squared_average(state, "d", theta, 1 - rho, delta),
    }


@misconception("adadelta_step.adadelta_step", UPHILL)
def adadelta_uphill(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares = squared_average(state, "a", theta, rho, grad)
    delta = root_of(remembered(state, "d", theta), epsilon) / root_of(squares, epsilon) * grad
    return theta + learning_rate * delta, {"a": squares, "d": squared_average(state, "d", theta, rho, delta)}


@misconception("adadelta_step.adadelta_step", CHANGES_STATE)
def adadelta_in_the_old_dict(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    state["a"] = squared_average(state, "a", theta, rho, grad)
    delta = -root_of(remembered(state, "d", theta), epsilon) / root_of(state["a"], epsilon) * grad
    state["d"] = squared_average(state, "d", theta, rho, delta)
    return theta + learning_rate * delta, state


@misconception("adadelta_step.adadelta_step", CHANGES_STATE)
def adadelta_in_the_old_arrays(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares, deltas = (np.asarray(remembered(state, name, theta)) for name in ("a", "d"))
    squares *= rho
    squares += (1 - rho) * grad**2
    delta = -root_of(deltas, epsilon) / root_of(squares, epsilon) * grad
    deltas *= rho
    deltas += (1 - rho) * delta**2
    return theta + learning_rate * delta, {"a": squares, "d": deltas}


# adam_step


def moments(theta, grad, state, beta_1, beta_2):
    """The state after a step, right in every respect."""
    return {
        "t": state.get("t", 0) + 1,
        "m": beta_1 * remembered(state, "m", theta) + (1 - beta_1) * grad,
        "v": beta_2 * remembered(state, "v", theta) + (1 - beta_2) * grad**2,
    }


def paper_step(theta, state, learning_rate, beta_1, beta_2, epsilon):
    """Epsilon beside the corrected root."""
    m, v = state["m"] / (1 - beta_1 ** state["t"]), state["v"] / (1 - beta_2 ** state["t"])
    return theta - learning_rate * m / (np.sqrt(v) + epsilon)


def keras_step(theta, state, learning_rate, beta_1, beta_2, epsilon):
    """Epsilon beside the uncorrected root."""
    rate = learning_rate * np.sqrt(1 - beta_2 ** state["t"]) / (1 - beta_1 ** state["t"])
    return theta - rate * state["m"] / (np.sqrt(state["v"]) + epsilon)


M_SQUARED = "The second moment is fed with the squared first moment, as a cheat sheet has it: it averages the squared *gradient*."
CORRECTED_KEPT = "You keep the corrected moments in the state, so that the next step corrects them again: keep m and v as they are."
ALWAYS_THE_FIRST = "Each step is corrected as if it were the first: the powers are `beta_1**t` and `beta_2**t`, and t grows by 1 a step."
SECOND_ONLY = (
    "Only the second moment is corrected: the first starts at zero too, so divide it by `1 - beta_1**t`."
)
FIRST_ONLY = (
    "Only the first moment is corrected: the second starts at zero too, so divide it by `1 - beta_2**t`."
)


@misconception(
    "adam_step.adam_step",
    "The bias correction is missing: both averages start at zero and are too small at first. Divide them by `1 - beta**t`.",
)
def adam_uncorrected(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    return theta - learning_rate * new["m"] / (np.sqrt(new["v"]) + epsilon), new


@misconception("adam_step.adam_step", SECOND_ONLY)
def adam_corrects_the_second(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    v = new["v"] / (1 - beta_2 ** new["t"])
    return theta - learning_rate * new["m"] / (np.sqrt(v) + epsilon), new


@misconception("adam_step.adam_step", SECOND_ONLY)
def adam_corrects_the_second_as_keras(
    theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7
):
    new = moments(theta, grad, state, beta_1, beta_2)
    rate = learning_rate * np.sqrt(1 - beta_2 ** new["t"])
    return theta - rate * new["m"] / (np.sqrt(new["v"]) + epsilon), new


@misconception("adam_step.adam_step", FIRST_ONLY)
def adam_corrects_the_first(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    m = new["m"] / (1 - beta_1 ** new["t"])
    return theta - learning_rate * m / (np.sqrt(new["v"]) + epsilon), new


@misconception(
    "adam_step.adam_step",
    "The second moment is corrected twice: either divide v by `1 - beta_2**t`, or put its root into the learning rate.",
)
def adam_corrects_twice(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    corrected = {**new, "v": new["v"] / (1 - beta_2 ** new["t"])}
    return keras_step(theta, corrected, learning_rate, beta_1, beta_2, epsilon), new


@misconception(
    "adam_step.adam_step",
    "Both forms at once: the moments are corrected, and the learning rate is too. Correct the one or the other.",
)
def adam_in_both_forms(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    corrected = {
        "t": new["t"],
        "m": new["m"] / (1 - beta_1 ** new["t"]),
        "v": new["v"] / (1 - beta_2 ** new["t"]),
    }
    return keras_step(theta, corrected, learning_rate, beta_1, beta_2, epsilon), new


@misconception("adam_step.adam_step", M_SQUARED)
def adam_squares_the_moment(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    new["v"] = beta_2 * remembered(state, "v", theta) + (1 - beta_2) * new["m"] ** 2
    return paper_step(theta, new, learning_rate, beta_1, beta_2, epsilon), new


@misconception("adam_step.adam_step", M_SQUARED)
def adam_squares_the_moment_as_keras(
    theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7
):
    new = moments(theta, grad, state, beta_1, beta_2)
    new["v"] = beta_2 * remembered(state, "v", theta) + (1 - beta_2) * new["m"] ** 2
    return keras_step(theta, new, learning_rate, beta_1, beta_2, epsilon), new


@misconception(
    "adam_step.adam_step",
    "The second moment is fed with its own square: it averages the squared gradient.",
)
def adam_squares_itself(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    old = remembered(state, "v", theta)
    new["v"] = beta_2 * old + (1 - beta_2) * old**2
    return paper_step(theta, new, learning_rate, beta_1, beta_2, epsilon), new


@misconception("adam_step.adam_step", CORRECTED_KEPT)
def adam_keeps_the_corrected(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    t, m, v = new["t"], new["m"] / (1 - beta_1 ** new["t"]), new["v"] / (1 - beta_2 ** new["t"])
    return theta - learning_rate * m / (np.sqrt(v) + epsilon), {"t": t, "m": m, "v": v}


@misconception("adam_step.adam_step", ALWAYS_THE_FIRST)
def adam_always_the_first(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = {**moments(theta, grad, state, beta_1, beta_2), "t": 1}
    return paper_step(theta, new, learning_rate, beta_1, beta_2, epsilon), new


@misconception("adam_step.adam_step", ALWAYS_THE_FIRST)
def adam_always_the_first_as_keras(
    theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7
):
    new = {**moments(theta, grad, state, beta_1, beta_2), "t": 1}
    return keras_step(theta, new, learning_rate, beta_1, beta_2, epsilon), new


@misconception(
    "adam_step.adam_step",
    "Your t is 0 at the first step, and 1 - beta**0 is 0: count the step before you correct, so that t is 1.",
)
def adam_counts_from_zero(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    before = {**new, "t": new["t"] - 1}
    return paper_step(theta, before, learning_rate, beta_1, beta_2, epsilon), new


@misconception(
    "adam_step.adam_step",
    "Your t is 2 at the first step: it is 1 there, counted once a step.",
)
def adam_counts_from_two(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    after = {**new, "t": new["t"] + 1}
    return paper_step(theta, after, learning_rate, beta_1, beta_2, epsilon), new


@misconception(
    "adam_step.adam_step",
    "Epsilon stands under your root. In the other rules it does; Adam has it beside the root, in the paper and in Keras.",
)
def adam_epsilon_inside(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    m, v = new["m"] / (1 - beta_1 ** new["t"]), new["v"] / (1 - beta_2 ** new["t"])
    return theta - learning_rate * m / np.sqrt(v + epsilon), new


@misconception(
    "adam_step.adam_step",
    "Two forms are mixed: v has its correction, and epsilon is divided by the root of the correction too. Take epsilon as it is.",
)
def adam_epsilon_corrected(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    m, correction = new["m"] / (1 - beta_1 ** new["t"]), 1 - beta_2 ** new["t"]
    return theta - learning_rate * m / (np.sqrt(new["v"] / correction) + epsilon / correction), new


@misconception("adam_step.adam_step", NO_EPSILON)
def adam_without_epsilon(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    return paper_step(theta, new, learning_rate, beta_1, beta_2, 0.0), new


@misconception("adam_step.adam_step", NO_ROOT)
def adam_without_root(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    m, v = new["m"] / (1 - beta_1 ** new["t"]), new["v"] / (1 - beta_2 ** new["t"])
    return theta - learning_rate * m / (v + epsilon), new


@misconception(
    "adam_step.adam_step",
    "The gradient itself is on top: Adam takes the corrected first moment there, and this is RMSprop with a correction.",
)
def adam_without_momentum(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    v = new["v"] / (1 - beta_2 ** new["t"])
    return theta - learning_rate * grad / (np.sqrt(v) + epsilon), new


@misconception(
    "adam_step.adam_step",
    "The betas have changed places: `beta_1` belongs to the gradient's average, `beta_2` to that of its square.",
)
def adam_betas_swapped(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_2, beta_1)
    return paper_step(theta, new, learning_rate, beta_2, beta_1, epsilon), new


@misconception("adam_step.adam_step", UPHILL)
def adam_uphill(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    return paper_step(theta, new, -learning_rate, beta_1, beta_2, epsilon), new


@misconception("adam_step.adam_step", FORGETS)
def adam_forgotten(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    new = moments(theta, grad, state, beta_1, beta_2)
    return paper_step(theta, new, learning_rate, beta_1, beta_2, epsilon), state


@misconception("adam_step.adam_step", CHANGES_STATE)
def adam_in_the_old_dict(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    state.update(moments(theta, grad, state, beta_1, beta_2))
    return paper_step(theta, state, learning_rate, beta_1, beta_2, epsilon), state


@misconception("adam_step.adam_step", CHANGES_STATE)
def adam_in_the_old_dict_as_keras(
    theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7
):
    state.update(moments(theta, grad, state, beta_1, beta_2))
    return keras_step(theta, state, learning_rate, beta_1, beta_2, epsilon), state


@misconception("adam_step.adam_step", CHANGES_STATE)
def adam_in_the_old_arrays(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m, v = (np.asarray(remembered(state, name, theta)) for name in ("m", "v"))
    m *= beta_1
    m += (1 - beta_1) * grad
    v *= beta_2
    v += (1 - beta_2) * grad**2
    new = {"t": state.get("t", 0) + 1, "m": m, "v": v}
    return paper_step(theta, new, learning_rate, beta_1, beta_2, epsilon), new
