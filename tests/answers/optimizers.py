"""Right answers to the assignment `optimizers`, written differently from the solution."""

import math

import numpy as np

from tests.answers import right


@right("batch_gradient_descent")
def descent_by_recursion(theta, gradient, data, learning_rate, epochs):
    if epochs == 0:
        return theta
    moved = theta - learning_rate * gradient(theta, data)
    return descent_by_recursion(moved, gradient, data, learning_rate, epochs - 1)


@right("batch_gradient_descent")
def descent_on_a_copy(theta, gradient, data, learning_rate, epochs, verbose=False):
    theta, epoch = np.array(theta), 0
    while epoch < epochs:
        theta -= np.multiply(learning_rate, gradient(theta, data))
        epoch += 1
        if verbose:
            print(epoch, theta)
    return theta


@right("minibatches")
def minibatches_as_a_list(x, y, batch_size, rng):
    keys = rng.random(len(x))
    order = sorted(range(len(x)), key=lambda row: keys[row])
    count = math.ceil(len(x) / batch_size)
    pieces = [order[i * batch_size : (i + 1) * batch_size] for i in range(count)]
    return [[np.array([x[row] for row in piece]), np.array([y[row] for row in piece])] for piece in pieces]


@right("minibatches")
def minibatches_by_shuffled_rows(x, y, batch_size, rng):
    rows = list(range(len(x)))
    rng.shuffle(rows)
    while rows:
        batch, rows = rows[:batch_size], rows[batch_size:]
        yield x[batch], y[batch]


@right("minibatches")
def minibatches_with_an_iterator(x, y, batch_size, rng):
    order = rng.permutation(x.shape[0])
    x, y = np.take(x, order, axis=0), np.take(y, order, axis=0)
    cuts = np.arange(batch_size, len(x), batch_size)
    return zip(np.array_split(x, cuts), np.array_split(y, cuts), strict=True)


@right("sgd_step")
def sgd_with_an_empty_state(theta, grad, state, learning_rate=0.01):
    return np.subtract(theta, np.multiply(learning_rate, grad)), {}


@right("sgd_step")
def sgd_that_counts(theta, grad, state, learning_rate=0.01, **unused):
    return theta + (-learning_rate) * grad, dict(state, steps=state.get("steps", 0) + 1)


@right("momentum_step")
def momentum_counted_uphill(theta, grad, state, learning_rate=0.01, momentum=0.9):
    velocity = learning_rate * grad
    if "v" in state:
        velocity = momentum * state["v"] + velocity
    return theta - velocity, {"v": velocity}


@right("momentum_step")
def momentum_with_the_rate_outside(theta, grad, state, learning_rate=0.01, momentum=0.9, dampening=0.0):
    buffer = momentum * state["buffer"] + (1 - dampening) * grad if state else np.array(grad)
    return theta - learning_rate * buffer, {"buffer": buffer}


@right("momentum_step")
def momentum_from_the_last_two_places(theta, grad, state, learning_rate=0.01, momentum=0.9):
    before = state.get("before", theta)
    return theta - learning_rate * grad + momentum * (theta - before), {"before": np.array(theta)}


@right("momentum_step")
def momentum_in_a_copy_of_the_state(theta, grad, state, learning_rate=0.01, momentum=0.9):
    state = {key: value.copy() for key, value in state.items()}
    state.setdefault("v", np.zeros(np.shape(theta), np.asarray(theta).dtype))
    state["v"] *= momentum
    state["v"] -= learning_rate * grad
    return theta + state["v"], state


@right("nesterov_step")
def nesterov_from_old_and_new(theta, grad, state, learning_rate=0.01, momentum=0.9):
    old = state.get("v", 0 * theta)
    new = momentum * old - learning_rate * grad
    return theta - momentum * old + (1 + momentum) * new, {"v": new}


@right("nesterov_step")
def nesterov_as_two_pushes(theta, grad, state, learning_rate=0.01, momentum=0.9):
    buffer = grad + momentum * state.get("buffer", 0.0)
    return theta - learning_rate * (grad + momentum * buffer), {"buffer": buffer}


@right("nesterov_step")
def nesterov_by_the_place_behind(theta, grad, state, learning_rate=0.01, momentum=0.9):
    behind = state.get("behind", theta)
    moved = theta - learning_rate * grad
    return moved + momentum * (moved - behind), {"behind": moved}


@right("adagrad_step")
def adagrad_with_the_tenth_added_late(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    total = np.square(grad) + state.get("sum", 0)
    return theta - learning_rate * (total + 0.1 + epsilon) ** -0.5 * grad, {"sum": total}


@right("adagrad_step")
def adagrad_with_every_gradient(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    grads = [*state.get("grads", []), np.array(grad)]
    size = np.sqrt(np.sum(np.square(grads), axis=0) + 0.1 + epsilon)
    return theta - learning_rate / size * grad, {"grads": grads}


@right("rmsprop_step")
def rmsprop_by_difference(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    average = state.get("v", np.zeros(theta.shape if isinstance(theta, np.ndarray) else ()))
    average = average + (1 - rho) * (grad * grad - average)
    return theta - np.divide(learning_rate * grad, np.sqrt(epsilon + average)), {"v": average}


@right("rmsprop_step")
def rmsprop_as_a_tuple(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7, *, momentum=0.0):
    (average,) = state.get(0, (0.0,))
    average = np.average([average + 0 * grad, grad**2], axis=0, weights=[rho, 1 - rho])
    return theta - learning_rate * grad * np.power(average + epsilon, -0.5), {0: (average,)}


@right("adadelta_step")
def adadelta_by_one_root(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    squares, deltas = state.get("averages", (0.0, 0.0))
    squares = rho * squares + (1 - rho) * grad * grad
    delta = grad * np.sqrt((deltas + epsilon) / (squares + epsilon))
    return theta - learning_rate * delta, {"averages": (squares, rho * deltas + (1 - rho) * delta * delta)}


@right("adadelta_step")
def adadelta_by_differences(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    state = state or {"grads": np.zeros(np.shape(theta)), "steps": np.zeros(np.shape(theta))}
    grads = state["grads"] + (1 - rho) * (np.square(grad) - state["grads"])
    step = -((state["steps"] + epsilon) ** 0.5) * (grads + epsilon) ** -0.5 * grad
    steps = state["steps"] + (1 - rho) * (np.square(step) - state["steps"])
    return theta + learning_rate * step, {"grads": grads, "steps": steps}


@right("adam_step")
def adam_as_keras(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    t, m, v = state.get("step", 0) + 1, state.get("m", 0.0), state.get("v", 0.0)
    m, v = m + (1 - beta_1) * (grad - m), v + (1 - beta_2) * (grad**2 - v)
    rate = learning_rate * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return theta - rate * m / (np.sqrt(v) + epsilon), {"step": t, "m": m, "v": v}


@right("adam_step")
def adam_with_powers_kept(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m, v, power_1, power_2 = state.get("all", (np.zeros_like(grad), np.zeros_like(grad), 1.0, 1.0))
    power_1, power_2 = power_1 * beta_1, power_2 * beta_2
    m, v = beta_1 * m + (1 - beta_1) * grad, beta_2 * v + (1 - beta_2) * np.square(grad)
    size = np.sqrt(v / (1 - power_2)) + epsilon
    return theta - learning_rate / (1 - power_1) * (m / size), {"all": (m, v, power_1, power_2)}


@right("adam_step")
def adam_by_weighted_means(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    grads = np.concatenate([state["grads"], [grad]]) if state else np.array([grad])
    ages = np.arange(len(grads))[::-1]
    m = np.average(grads, axis=0, weights=beta_1**ages)
    v = np.average(grads**2, axis=0, weights=beta_2**ages)
    return theta - learning_rate * m / (np.sqrt(v) + epsilon), {"grads": grads}
