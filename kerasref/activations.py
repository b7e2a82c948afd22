"""References of the assignment `activations`.

Gradients of elementwise functions are elementwise: `x_grad(...)` is the derivative at each element of `x`.
"""

from kerasref.backend import keras
from kerasref.core import gradient, reference
from kerasref.validation import axis_of, same_shape

ops = keras.ops


@reference
def sigmoid(x):
    """Squash to (0, 1), `1 / (1 + exp(-x))`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.

    Source: `keras.activations.sigmoid`.
    """
    return keras.activations.sigmoid(x)


@reference
def sigmoid_grad(x):
    """Derivative of `sigmoid` at `x`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.

    Source: autodiff of `keras.activations.sigmoid`.
    """
    return gradient(keras.activations.sigmoid, x)


@reference
def tanh(x):
    """Squash to (-1, 1), `(1 - exp(-2x)) / (1 + exp(-2x))`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.

    Source: `keras.activations.tanh`.
    """
    return keras.activations.tanh(x)


@reference
def tanh_grad(x):
    """Derivative of `tanh` at `x`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.

    Source: autodiff of `keras.activations.tanh`.
    """
    return gradient(keras.activations.tanh, x)


@reference
def relu(x):
    """Rectified linear unit, `max(x, 0)`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.

    Source: `keras.activations.relu`.
    """
    return keras.activations.relu(x)


@reference
def relu_grad(x):
    """Derivative of `relu` at `x`: 0 at 0.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.

    Source: autodiff of `keras.activations.relu`.
    """
    return gradient(keras.activations.relu, x)


@reference
def leaky_relu(x, negative_slope: float = 0.01):
    """ReLU that leaks, `x` above 0 and `negative_slope * x` elsewhere.

    Args:
        x: array of any shape.
        negative_slope: the slope below 0.

    Returns:
        Array of `x`'s shape.

    Source: the definition of `keras.activations.leaky_relu`, which takes the slope through float32.
    """
    return _leaky_relu(x, negative_slope)


@reference
def leaky_relu_grad(x, negative_slope: float = 0.01):
    """Derivative of `leaky_relu` at `x`: the slope at 0.

    Args:
        x: array of any shape.
        negative_slope: the slope below 0.

    Returns:
        Array of `x`'s shape.

    Source: autodiff of `leaky_relu`.
    """
    return gradient(lambda x: _leaky_relu(x, negative_slope), x)


@reference
def elu(x, alpha: float = 1.0):
    """Exponential linear unit, `x` above 0 and `alpha * (exp(x) - 1)` elsewhere.

    Args:
        x: array of any shape.
        alpha: minus the value far below 0.

    Returns:
        Array of `x`'s shape.

    Source: the definition of `keras.activations.elu`, whose values near -0 lose digits.
    """
    return _elu(x, alpha)


@reference
def elu_grad(x, alpha: float = 1.0):
    """Derivative of `elu` at `x`: `alpha` at 0.

    Args:
        x: array of any shape.
        alpha: minus the value of `elu` far below 0.

    Returns:
        Array of `x`'s shape.

    Source: autodiff of `elu`.
    """
    return gradient(lambda x: _elu(x, alpha), x)


@reference
def softplus(x):
    """Smooth ReLU, `log(1 + exp(x))`, finite for any finite `x`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.

    Source: `keras.activations.softplus`.
    """
    return keras.activations.softplus(x)


@reference
def softplus_grad(x):
    """Derivative of `softplus` at `x`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.

    Source: autodiff of `keras.activations.softplus`.
    """
    return gradient(keras.activations.softplus, x)


@reference
def softmax(x, axis: int = -1):
    """Turn scores into probabilities, `exp(x) / sum(exp(x))` along `axis`.

    Args:
        x: array of scores, at least rank 1.
        axis: the axis that sums to one.

    Returns:
        Array of `x`'s shape.

    Raises:
        ValueError: `x` has no such axis.

    Source: `keras.activations.softmax`.
    """
    return _softmax(x, axis_of(x, axis))


@reference
def softmax_backward(upstream, x, axis: int = -1):
    """Gradient of the loss with respect to the scores `x`.

    Args:
        upstream: gradient of the loss with respect to `softmax(x, axis)`, of `x`'s shape.
        x: array of scores, at least rank 1.
        axis: the axis that sums to one.

    Returns:
        Array of `x`'s shape.

    Raises:
        ValueError: `x` has no such axis, or `upstream` has another shape.

    Source: autodiff of `keras.activations.softmax`.
    """
    same_shape(x=x, upstream=upstream)
    axis = axis_of(x, axis)
    return gradient(lambda x: ops.multiply(upstream, _softmax(x, axis)), x)


def _leaky_relu(x, negative_slope):
    return ops.where(x > 0, x, negative_slope * x)


def _elu(x, alpha):
    below = ops.where(x > 0, ops.zeros_like(x), x)  # keeps exp from overflowing where its branch is not taken
    return ops.where(x > 0, x, alpha * ops.expm1(below))


def _softmax(x, axis):
    return keras.activations.softmax(x, axis=(axis,))  # a tuple: Keras warns of a single axis of size 1
