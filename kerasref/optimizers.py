"""References of the assignment `optimizers`: Keras' optimizers, given the state that they had, for one step."""

import functools
import threading
from typing import Any

import numpy as np

from kerasref.backend import keras
from kerasref.core import reference
from kerasref.validation import (
    Generator,
    NamedArrays,
    alike,
    array,
    at_least_1,
    fraction,
    not_negative,
    positive,
    same_shape,
    size,
)


@reference
def batch_gradient_descent(theta, gradient: Any, data: Any, learning_rate: float, epochs: int):
    """Descend with the gradient over all the data, once an epoch.

    Args:
        theta: parameters of any shape.
        gradient: `gradient(theta, data)` gives an array of `theta`'s shape.
        data: what `gradient` is given, as it is.
        learning_rate: the size of a step, not negative.
        epochs: how many steps, not negative.

    Returns:
        The parameters after the last epoch.

    Source: `keras.optimizers.SGD`.
    """
    not_negative(learning_rate=learning_rate, epochs=epochs)
    variable, optimizer = keras.Variable(theta, name="theta"), keras.optimizers.SGD(np.float64(learning_rate))
    for _ in range(epochs):
        given = _numpy(variable)
        grad = array("gradient", gradient(np.array(given), data))
        same_shape(theta=given, gradient=grad)
        optimizer.apply([keras.ops.convert_to_tensor(grad)], [variable])
    return _numpy(variable)


@reference
def minibatches(x, y, batch_size: int, rng: Generator):
    """One epoch of shuffled batches.

    Args:
        x: (n, ...) examples.
        y: (n, ...) what belongs to each.
        batch_size: examples a batch; the last batch may have fewer.
        rng: `numpy.random.Generator`.

    Returns:
        List of pairs (x, y), `ceil(n / batch_size)` of them.

    Source: NumPy: the rows in the order of random numbers, split.
    """
    for name, given in (("x", x), ("y", y)):
        if given.ndim == 0:
            raise ValueError(f"`{name}` is {given}, one number; expected one row an example: add an axis.")
    size(len(x), 0, "one for each row of `x`", y=y)
    at_least_1(batch_size=batch_size)
    rows = np.argsort(rng.random(len(x)))
    parts = np.split(rows, range(batch_size, len(x), batch_size)) if len(x) else []
    return [(x[part], y[part]) for part in parts]


@reference
def sgd_step(theta, grad, state: NamedArrays, learning_rate: float = 0.01):
    """One step of plain gradient descent.

    Args:
        theta: parameters of any shape, not empty.
        grad: their gradient, of `theta`'s shape.
        state: `{}`, or what the step before returned.
        learning_rate: not negative.

    Returns:
        (theta, state) after the step.

    Source: `keras.optimizers.SGD`.
    """
    not_negative(learning_rate=learning_rate)
    return _step(keras.optimizers.SGD, theta, grad, state, learning_rate=learning_rate)


@reference
def momentum_step(theta, grad, state: NamedArrays, learning_rate: float = 0.01, momentum: float = 0.9):
    """One step of gradient descent with momentum: `v = momentum v - learning_rate grad`, `theta + v`.

    Args:
        theta: parameters of any shape, not empty.
        grad: their gradient, of `theta`'s shape.
        state: `{}`, or what the step before returned.
        learning_rate: not negative.
        momentum: what is kept of the velocity, in [0, 1).

    Returns:
        (theta, state) after the step.

    Source: `keras.optimizers.SGD` with momentum.
    """
    not_negative(learning_rate=learning_rate)
    fraction(momentum=momentum)
    return _step(keras.optimizers.SGD, theta, grad, state, learning_rate=learning_rate, momentum=momentum)


@reference
def nesterov_step(theta, grad, state: NamedArrays, learning_rate: float = 0.01, momentum: float = 0.9):
    """One step of Nesterov's momentum: with the new v, `theta + momentum v - learning_rate grad`.

    Args:
        theta: parameters of any shape, not empty.
        grad: their gradient, of `theta`'s shape.
        state: `{}`, or what the step before returned.
        learning_rate: not negative.
        momentum: what is kept of the velocity, in [0, 1).

    Returns:
        (theta, state) after the step.

    Source: `keras.optimizers.SGD` with Nesterov's momentum.
    """
    not_negative(learning_rate=learning_rate)
    fraction(momentum=momentum)
    return _step(_NESTEROV, theta, grad, state, learning_rate=learning_rate, momentum=momentum)


@reference
def adagrad_step(theta, grad, state: NamedArrays, learning_rate: float = 0.001, epsilon: float = 1e-7):
    """One step of Adagrad: the gradient over the root of the sum of all squared gradients.

    Args:
        theta: parameters of any shape, not empty.
        grad: their gradient, of `theta`'s shape.
        state: `{}`, or what the step before returned; the sum starts at 0.1.
        learning_rate: not negative.
        epsilon: added under the root, above 0.

    Returns:
        (theta, state) after the step.

    Source: `keras.optimizers.Adagrad`.
    """
    not_negative(learning_rate=learning_rate)
    positive(epsilon=epsilon)
    return _step(
        keras.optimizers.Adagrad,
        theta,
        grad,
        state,
        learning_rate=learning_rate,
        initial_accumulator_value=0.1,
        epsilon=epsilon,
    )


@reference
def adadelta_step(
    theta,
    grad,
    state: NamedArrays,
    learning_rate: float = 0.001,
    rho: float = 0.95,
    epsilon: float = 1e-7,
):
    """One step of Adadelta: the gradient times the root mean square of the last steps over that of the gradients.

    Args:
        theta: parameters of any shape, not empty.
        grad: their gradient, of `theta`'s shape.
        state: `{}`, or what the step before returned.
        learning_rate: not negative.
        rho: what both averages keep, in [0, 1).
        epsilon: added under both roots, above 0.

    Returns:
        (theta, state) after the step.

    Source: `keras.optimizers.Adadelta`.
    """
    not_negative(learning_rate=learning_rate)
    fraction(rho=rho)
    positive(epsilon=epsilon)
    return _step(
        keras.optimizers.Adadelta, theta, grad, state, learning_rate=learning_rate, rho=rho, epsilon=epsilon
    )


@reference
def rmsprop_step(
    theta, grad, state: NamedArrays, learning_rate: float = 0.001, rho: float = 0.9, epsilon: float = 1e-7
):
    """One step of RMSprop: the gradient over the root of a running average of its square.

    Args:
        theta: parameters of any shape, not empty.
        grad: their gradient, of `theta`'s shape.
        state: `{}`, or what the step before returned.
        learning_rate: not negative.
        rho: what the average keeps, in [0, 1).
        epsilon: added under the root, above 0.

    Returns:
        (theta, state) after the step.

    Source: `keras.optimizers.RMSprop`.
    """
    not_negative(learning_rate=learning_rate)
    fraction(rho=rho)
    positive(epsilon=epsilon)
    return _step(
        keras.optimizers.RMSprop, theta, grad, state, learning_rate=learning_rate, rho=rho, epsilon=epsilon
    )


@reference
def adam_step(
    theta,
    grad,
    state: NamedArrays,
    learning_rate: float = 0.001,
    beta_1: float = 0.9,
    beta_2: float = 0.999,
    epsilon: float = 1e-7,
):
    """One step of Adam: the average gradient over the root of the average square, both corrected for their start.

    Args:
        theta: parameters of any shape, not empty.
        grad: their gradient, of `theta`'s shape.
        state: `{}`, or what the step before returned.
        learning_rate: not negative.
        beta_1: what the average of the gradient keeps, in [0, 1).
        beta_2: what the average of its square keeps, in [0, 1).
        epsilon: added to the root before its correction ("epsilon hat" in the paper), above 0.

    Returns:
        (theta, state) after the step.

    Source: `keras.optimizers.Adam`.
    """
    not_negative(learning_rate=learning_rate)
    fraction(beta_1=beta_1, beta_2=beta_2)
    positive(epsilon=epsilon)
    return _step(
        keras.optimizers.Adam,
        theta,
        grad,
        state,
        learning_rate=learning_rate,
        beta_1=beta_1,
        beta_2=beta_2,
        epsilon=epsilon,
    )


_NESTEROV = functools.partial(keras.optimizers.SGD, nesterov=True)
_lock = threading.Lock()


def _step(kind, theta, grad, state, **hyper):
    """What one step of this kind of optimizer makes of theta, and the optimizer's own variables after it."""
    alike(theta=theta, grad=grad)
    with _lock:
        optimizer, variable, own, start = _built(kind, theta.shape, **hyper)
        if state and state.keys() != own.keys():
            raise ValueError(
                f"`state` has the keys {sorted(map(str, state))}; expected {sorted(own)}: "
                "give `{}` before the first step, then what the step before returned."
            )
        for name, value in (state or start).items():
            if value.shape != tuple(own[name].shape):
                raise ValueError(
                    f"`state` has shape {value.shape} at {name!r}; expected {tuple(own[name].shape)}: "
                    "give each array of parameters a state of its own."
                )
            own[name].assign(keras.ops.cast(value, own[name].dtype))
        variable.assign(theta)
        optimizer.apply([keras.ops.convert_to_tensor(grad)], [variable])
        values = {name: _numpy(each) for name, each in own.items()}
        return _numpy(variable), values


@functools.lru_cache(64)
def _built(kind, shape, **hyper):
    """An optimizer of one variable, that variable, the optimizer's own by name, and these as they are at the start."""
    variable = keras.Variable(np.zeros(shape), name="theta")
    optimizer = kind(**{name: np.float64(value) for name, value in hyper.items()})  # Keras narrows a float
    optimizer.build([variable])
    own = {each.name: each for each in optimizer.variables if each.name != "learning_rate"}
    return optimizer, variable, own, {name: _numpy(each) for name, each in own.items()}


def _numpy(variable):
    return keras.ops.convert_to_numpy(
        keras.ops.stop_gradient(variable)
    )  # a tensor: NumPy 2 warns of a variable
