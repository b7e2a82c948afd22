"""References of the assignment `backprop`. Gradients come from autodiff; where ReLU has its kink, at 0, the slope is 0."""

from typing import Any

import numpy as np

from kerasref.backend import keras
from kerasref.core import gradient, reference
from kerasref.validation import NamedArrays, alike, at_least_1, one_hot, positive, rank, same_shape, size

ops = keras.ops
PARAMETERS = ("w1", "b1", "w2", "b2")


@reference
def gemm(alpha: float, a, b, beta: float, c):
    """General matrix multiply, `alpha a b + beta c`.

    Args:
        alpha: number before the product.
        a: (m, k) matrix.
        b: (k, n) matrix.
        beta: number before `c`.
        c: (m, n) matrix.

    Returns:
        (m, n) array.

    Source: `keras.ops.matmul`.
    """
    _product(a=a, b=b)
    rank(2, "(m, n)", c=c)
    size(a.shape[0], 0, "the rows of `a`", c=c)
    size(b.shape[1], 1, "the columns of `b`", c=c)
    return ops.add(ops.multiply(alpha, ops.matmul(a, b)), beta * c)


@reference
def blocked_gemm(a, b, block: int):
    """The product `a b`, which a student computes tile by tile.

    Args:
        a: (m, k) matrix.
        b: (k, n) matrix.
        block: side of a tile, at least 1; it changes the order of the sums, not their value.

    Returns:
        (m, n) array.

    Source: `keras.ops.matmul`.
    """
    _product(a=a, b=b)
    at_least_1(block=block)
    return ops.matmul(a, b)


@reference
def matmul_backward(upstream, w, x):
    """Gradients of a loss through `D = W X`.

    Args:
        upstream: (m, n) gradient with respect to D.
        w: (m, k) matrix W.
        x: (k, n) matrix X.

    Returns:
        (dW, dX), of `w`'s and `x`'s shape.

    Source: autodiff of `keras.ops.matmul`.
    """
    _product(w=w, x=x)
    _of_output(upstream, w.shape[0], x.shape[1])
    return gradient(lambda w, x: ops.multiply(upstream, ops.matmul(w, x)), w, x)


@reference
def affine(x, w, b):
    """`x w + b`, with `b` added to every row.

    Args:
        x: (batch, in) inputs.
        w: (in, out) weights.
        b: (out,) bias.

    Returns:
        (batch, out) array.

    Source: `keras.ops.matmul`, as in `keras.layers.Dense`.
    """
    _layer(x=x, w=w, b=b)
    return _affine(x, w, b)


@reference
def affine_backward(upstream, x, w, b):
    """Gradients of a loss through `affine`.

    Args:
        upstream: (batch, out) gradient with respect to the output.
        x: (batch, in) inputs.
        w: (in, out) weights.
        b: (out,) bias.

    Returns:
        (dx, dw, db), of `x`'s, `w`'s and `b`'s shape.

    Source: autodiff of `affine`.
    """
    _layer(x=x, w=w, b=b)
    _of_output(upstream, x.shape[0], w.shape[1])
    return gradient(lambda x, w, b: ops.multiply(upstream, _affine(x, w, b)), x, w, b)


@reference
def chain_rule(functions: Any, derivatives: Any, x):
    """Derivative at `x` of functions applied first to last, element by element.

    Args:
        functions: list of functions of an array; none is the identity.
        derivatives: the derivative of each.
        x: array of any shape.

    Returns:
        Array of `x`'s shape.

    Raises:
        ValueError: an entry is no function, or the two lists differ in length.

    Source: calculus; from the last function back to the first, as backpropagation goes.
    """
    for name, given in (("functions", functions), ("derivatives", derivatives)):
        if not isinstance(given, list | tuple) or not all(map(callable, given)):
            raise ValueError(f"`{name}` is {given!r}; expected a list of functions: give one.")
    if len(derivatives) != len(functions):
        raise ValueError(
            f"`derivatives` has {len(derivatives)} entries, `functions` has {len(functions)}; "
            "expected one derivative a function: make them agree."
        )
    inputs = [x]
    for function in functions[:-1]:
        inputs.append(function(inputs[-1]))
    upstream = np.ones_like(x)
    for derivative, given in zip(reversed(derivatives), reversed(inputs), strict=False):
        upstream = derivative(given) * upstream
    return upstream


@reference
def numerical_gradient(f: Any, x, eps: float = 1e-5):
    """Central differences, `(f(x + eps e) - f(x - eps e)) / (2 eps)` for each unit vector e.

    Args:
        f: function of an array of `x`'s shape that gives a number.
        x: array of any shape.
        eps: half the distance of the two places, above 0.

    Returns:
        Array of `x`'s shape.

    Raises:
        ValueError: `f` is no function, or gives something else than a number; `eps` is not above 0.

    Source: definition; every place at once, as a row of a matrix. Its test holds it against SciPy and autodiff.
    """
    if not callable(f):
        raise ValueError(f"`f` is {f!r}; expected a function of an array: give one.")
    positive(eps=eps)
    steps = eps * np.eye(x.size).reshape(x.size, *x.shape)
    up, down = (np.array([_number(f, place) for place in x + side * steps], dtype=float) for side in (1, -1))
    return ((up - down) / (2 * eps)).reshape(x.shape)


@reference
def relative_error(a, b):
    """The largest over the elements of `|a - b| / max(1e-8, |a| + |b|)`.

    Args:
        a: array of any shape, not empty.
        b: array of `a`'s shape.

    Returns:
        One number from 0 to 1.

    Source: `keras.ops`.
    """
    alike(a=a, b=b)
    return ops.max(ops.abs(a - b) / ops.maximum(1e-8, ops.abs(a) + ops.abs(b)))


@reference
def two_layer_forward(params: NamedArrays, x):
    """Affine, ReLU, affine.

    Args:
        params: dict of w1 (in, hidden), b1 (hidden,), w2 (hidden, out), b2 (out,).
        x: (batch, in) inputs.

    Returns:
        (batch, out) logits.

    Source: `keras.ops.matmul` and `keras.ops.relu`.
    """
    _network(params, x)
    return _two_layers(x, *(params[name] for name in PARAMETERS))


@reference
def two_layer_loss_and_grads(params: NamedArrays, x, y_true):
    """Softmax cross-entropy of `two_layer_forward`, mean over the batch, and its gradients.

    Args:
        params: dict of w1 (in, hidden), b1 (hidden,), w2 (hidden, classes), b2 (classes,).
        x: (batch, in) inputs.
        y_true: (batch, classes) one-hot labels.

    Returns:
        (loss, grads): a number, and a dict of the gradients with `params`' keys.

    Source: autodiff of `keras.ops.categorical_crossentropy` from logits.
    """
    _network(params, x)
    rank(2, "(batch, classes)", y_true=y_true)
    size(x.shape[0], 0, "the rows of `x`", y_true=y_true)
    size(params["b2"].size, 1, "the outputs of the network", y_true=y_true)
    one_hot(y_true=y_true)

    def loss(*arrays):
        logits = _two_layers(x, *arrays)
        return ops.mean(ops.categorical_crossentropy(y_true, logits, from_logits=True))

    arrays = [params[name] for name in PARAMETERS]
    return loss(*map(ops.convert_to_tensor, arrays)), dict(
        zip(PARAMETERS, gradient(loss, *arrays), strict=True)
    )


def _affine(x, w, b):
    return ops.add(ops.matmul(x, w), b)


def _two_layers(x, w1, b1, w2, b2):
    return _affine(ops.relu(_affine(x, w1, b1)), w2, b2)


def _product(**factors):
    (first, left), (second, right) = factors.items()
    rank(2, "(m, k)", **{first: left})
    rank(2, "(k, n)", **{second: right})
    size(left.shape[1], 0, f"the columns of `{first}`", **{second: right})


def _of_output(upstream, rows, columns):
    rank(2, "that of the output", upstream=upstream)
    same_shape(output=np.empty((rows, columns)), upstream=upstream)


def _layer(**arrays):
    (first, x), (second, w), (third, b) = arrays.items()
    _product(**{first: x, second: w})
    rank(1, "(out,)", **{third: b})
    size(w.shape[1], 0, f"the columns of `{second}`", **{third: b})


def _network(params, x):
    if set(params) != set(PARAMETERS):
        raise ValueError(
            f"`params` has the keys {sorted(map(str, params))}; expected {sorted(PARAMETERS)}: name them so."
        )
    w1, b1, w2, b2 = (params[name] for name in PARAMETERS)
    _layer(x=x, **{"params['w1']": w1, "params['b1']": b1})
    _layer(**{"x w1": x @ w1, "params['w2']": w2, "params['b2']": b2})


def _number(f, place):
    value = np.asarray(f(place))
    if value.ndim or value.dtype.kind not in "biuf":
        raise ValueError(f"`f` gave {value!r}; expected one number: sum or average over its elements.")
    return value
