"""References of the assignment `recurrent`: Keras' layers with the weights given, and their gradients by autodiff.

A layer's weights are w (features, gates * units), u (units, gates * units) and b, the gates side by side.
"""

from kerasref.backend import keras
from kerasref.core import gradient, reference
from kerasref.validation import Arrays, positive, rank, size

layers = keras.layers
ops = keras.ops


@reference
def rnn_step(x, h, w, u, b):
    """One step of a simple recurrent layer, `tanh(x w + h u + b)`.

    Args:
        x: (batch, features) inputs.
        h: (batch, units) old state.
        w: (features, units) weights of the input.
        u: (units, units) weights of the state.
        b: (units,) bias.

    Returns:
        (batch, units) new state.

    Source: `keras.layers.SimpleRNNCell`.
    """
    _steps(1, x, w, u, b, h=h)
    return _step(layers.SimpleRNNCell, x, [h], w, u, b)[0]


@reference
def rnn_forward(x, h0, w, u, b):
    """A simple recurrent layer over a sequence.

    Args:
        x: (batch, time, features) inputs.
        h0: (batch, units) state before the first step.
        w: (features, units) weights of the input.
        u: (units, units) weights of the state.
        b: (units,) bias.

    Returns:
        (batch, time, units) state after each step.

    Source: `keras.layers.SimpleRNN`.
    """
    _sequences(1, x, w, u, b, h0=h0)
    return _layer(layers.SimpleRNN, x, [h0], w, u, b)[0]


@reference
def rnn_backward(upstream, x, h0, w, u, b):
    """Gradients of `sum(upstream * rnn_forward(x, h0, w, u, b))`.

    Args:
        upstream: (batch, time, units) gradient of the loss with respect to each state.
        x: (batch, time, features) inputs.
        h0: (batch, units) state before the first step.
        w: (features, units) weights of the input.
        u: (units, units) weights of the state.
        b: (units,) bias.

    Returns:
        (dx, dh0, dw, du, db), each of its argument's shape.

    Source: autodiff of `keras.layers.SimpleRNN`.
    """
    _sequences(1, x, w, u, b, h0=h0)
    rank(3, "(batch, time, units)", upstream=upstream)
    for axis, (expected, why) in enumerate(
        [(x.shape[0], "the batch of `x`"), (x.shape[1], "the time of `x`"), (u.shape[0], "the rows of `u`")]
    ):
        size(expected, axis, why, upstream=upstream)

    def weighted(x, h0, w, u, b):
        return ops.multiply(upstream, _layer(layers.SimpleRNN, x, [h0], w, u, b)[0])

    return gradient(weighted, x, h0, w, u, b)


@reference
def lstm_step(x, h, c, w, u, b):
    """One step of an LSTM; gates input, forget, candidate, output.

    Args:
        x: (batch, features) inputs.
        h: (batch, units) old state.
        c: (batch, units) old cell.
        w: (features, 4 * units) weights of the input.
        u: (units, 4 * units) weights of the state.
        b: (4 * units,) bias.

    Returns:
        (h, c), new, each (batch, units).

    Source: `keras.layers.LSTMCell`.
    """
    _steps(4, x, w, u, b, h=h, c=c)
    return tuple(_step(layers.LSTMCell, x, [h, c], w, u, b))


@reference
def lstm_forward(x, h0, c0, w, u, b):
    """An LSTM over a sequence.

    Args:
        x: (batch, time, features) inputs.
        h0: (batch, units) state before the first step.
        c0: (batch, units) cell before the first step.
        w: (features, 4 * units) weights of the input.
        u: (units, 4 * units) weights of the state.
        b: (4 * units,) bias.

    Returns:
        (states, c): (batch, time, units) state after each step, and the (batch, units) cell after the last.

    Source: `keras.layers.LSTM`.
    """
    _sequences(4, x, w, u, b, h0=h0, c0=c0)
    states, _, last_cell = _layer(layers.LSTM, x, [h0, c0], w, u, b)
    return states, last_cell


@reference
def lstm_step_backward(dh, dc, x, h, c, w, u, b):
    """Gradients of `sum(dh * h_new + dc * c_new)`, where `h_new, c_new = lstm_step(x, h, c, w, u, b)`.

    Args:
        dh: (batch, units) gradient of the loss with respect to the new state.
        dc: (batch, units) gradient of the loss with respect to the new cell, past the new state.
        x: (batch, features) inputs.
        h: (batch, units) old state.
        c: (batch, units) old cell.
        w: (features, 4 * units) weights of the input.
        u: (units, 4 * units) weights of the state.
        b: (4 * units,) bias.

    Returns:
        (dx, dh, dc, dw, du, db), each of its argument's shape.

    Source: autodiff of `keras.layers.LSTMCell`.
    """
    _steps(4, x, w, u, b, h=h, c=c, dh=dh, dc=dc)

    def weighted(x, h, c, w, u, b):
        h_new, c_new = _step(layers.LSTMCell, x, [h, c], w, u, b)
        return ops.multiply(dh, h_new) + ops.multiply(dc, c_new)

    return gradient(weighted, x, h, c, w, u, b)


@reference
def gru_step(x, h, w, u, b):
    """One step of a GRU whose reset gate acts after the product; gates update, reset, candidate.

    Args:
        x: (batch, features) inputs.
        h: (batch, units) old state.
        w: (features, 3 * units) weights of the input.
        u: (units, 3 * units) weights of the state.
        b: (2, 3 * units) biases, of the input's product and of the state's.

    Returns:
        (batch, units) new state.

    Source: `keras.layers.GRUCell` with `reset_after=True`.
    """
    _steps(3, x, w, u, b, h=h)
    return _step(layers.GRUCell, x, [h], w, u, b, reset_after=True)[0]


@reference
def gru_forward(x, h0, w, u, b):
    """A GRU over a sequence.

    Args:
        x: (batch, time, features) inputs.
        h0: (batch, units) state before the first step.
        w: (features, 3 * units) weights of the input.
        u: (units, 3 * units) weights of the state.
        b: (2, 3 * units) biases, of the input's product and of the state's.

    Returns:
        (batch, time, units) state after each step.

    Source: `keras.layers.GRU` with `reset_after=True`.
    """
    _sequences(3, x, w, u, b, h0=h0)
    return _layer(layers.GRU, x, [h0], w, u, b, reset_after=True)[0]


@reference
def clip_by_global_norm(grads: Arrays, max_norm: float):
    """Gradients shrunk together until the norm of all their elements is at most `max_norm`.

    Args:
        grads: list of arrays of any shapes.
        max_norm: the largest norm, above 0.

    Returns:
        (grads, norm): the list of arrays, and the norm before.

    Source: `keras.optimizers.SGD` with `global_clipnorm`, one step of rate 1 from zero.
    """
    positive(max_norm=max_norm)
    variables = [keras.Variable(ops.zeros_like(grad), dtype="float64") for grad in grads]
    if grads:
        optimizer = keras.optimizers.SGD(learning_rate=1.0, global_clipnorm=max_norm)
        optimizer.apply(list(map(ops.convert_to_tensor, grads)), variables)
    norm = ops.norm(ops.concatenate([ops.zeros(1, "float64"), *(ops.reshape(grad, (-1,)) for grad in grads)]))
    return [0 - variable.value for variable in variables], norm


def _step(kind, x, states, w, u, b, **options):
    """The states after one step of a Keras cell with these weights."""
    x, w, u, b, *states = map(ops.convert_to_tensor, (x, w, u, b, *states))
    cell = kind(u.shape[0], **options)
    cell.build(x.shape)
    (_, new), _ = cell.stateless_call([w, u, b], _rest(cell), x, states)
    return new


def _layer(kind, x, states, w, u, b, **options):
    """All states, then the last ones, of a Keras layer with these weights."""
    x, w, u, b, *states = map(ops.convert_to_tensor, (x, w, u, b, *states))
    layer = kind(u.shape[0], return_sequences=True, return_state=True, unroll=True, **options)
    layer.build(x.shape)
    return layer.stateless_call([w, u, b], _rest(layer), x, initial_state=states)[0]


def _rest(layer):
    return [variable.value for variable in layer.non_trainable_variables]


def _steps(gates, x, w, u, b, **states):
    rank(2, "(batch, features)", x=x)
    _fit(gates, x, w, u, b, states)


def _sequences(gates, x, w, u, b, **states):
    rank(3, "(batch, time, features)", x=x)
    _fit(gates, x, w, u, b, states)


def _fit(gates, x, w, u, b, states):
    rank(2, "(batch, units)", **states)
    rank(2, "(features, gates * units)", w=w)
    rank(2, "(units, gates * units)", u=u)
    if gates == 3:
        rank(2, "(2, 3 * units)", b=b)
        size(2, 0, "the input's bias and the state's", b=b)
    else:
        rank(1, "(gates * units,)", b=b)
    columns = gates * u.shape[0]
    why = "a column for each row of `u`" if gates == 1 else f"{gates} columns for each row of `u`"
    size(columns, 1, why, u=u, w=w)
    size(columns, -1, why, b=b)
    size(x.shape[-1], 0, "the features of `x`", w=w)
    size(x.shape[0], 0, "the batch of `x`", **states)
    size(u.shape[0], 1, "the rows of `u`", **states)
