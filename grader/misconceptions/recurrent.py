"""Well-known wrong answers to the assignment `recurrent`."""

import numpy as np

from grader.exercise import misconception

NO_TANH = "The tanh is missing: without it the state grows without bound, and many steps are one linear map."
SIGMOID = "You bent the state with a sigmoid: here it is tanh, whose values have both signs."
NO_STATE = "The old state does not enter: add `h @ u`, or the network has no memory."
NO_BIAS = "The bias is missing."
TRANSPOSED = "`u` is transposed: the state stands on the left, `h @ u`, as the input does."
FROM_THE_START = "Every step starts from `h0`: let each start from the state that the last one left."
ONLY_LAST = "Only the last state came back: keep every one, along the axis of time."
FROM_ZERO = "The first step starts from zero: it starts from `h0`."
BATCH_AXIS = "You loop over the batch: time is the second axis, `x[:, t]` is one moment of all sequences."
TIME_FIRST = "Time came out as the first axis: stack the states along `axis=1`, (batch, time, units)."
STATE_BEFORE = "You keep the state before each step, so all are one step late: the first one to keep is the state after the first step."
MEAN_OF_BATCH = (
    "You divided by the batch: `upstream` is the gradient of the loss already, so add the batch up."
)
NEARLY_CLIPPED = (
    "The tiny number beside the norm makes what is clipped a little too short: `max_norm / max(norm, max_norm)` never divides "
    "by zero, and needs none."
)


def sigmoid(x):
    return (1 + np.tanh(x / 2)) / 2


def over_time(step, x, h, axis=1):
    states = []
    for t in range(x.shape[1]):
        h = step(x[:, t], h)
        states.append(h)
    return np.stack(states, axis=axis)


# rnn_step


@misconception("rnn_step.rnn_step", NO_TANH)
def rnn_without_tanh(x, h, w, u, b):
    return x @ w + h @ u + b


@misconception("rnn_step.rnn_step", SIGMOID)
def rnn_with_sigmoid(x, h, w, u, b):
    return sigmoid(x @ w + h @ u + b)


@misconception("rnn_step.rnn_step", NO_STATE)
def rnn_without_state(x, h, w, u, b):
    return np.tanh(x @ w + b)


@misconception("rnn_step.rnn_step", NO_BIAS)
def rnn_without_bias(x, h, w, u, b):
    return np.tanh(x @ w + h @ u)


@misconception("rnn_step.rnn_step", TRANSPOSED)
def rnn_with_u_transposed(x, h, w, u, b):
    return np.tanh(x @ w + h @ u.T + b)


@misconception(
    "rnn_step.rnn_step",
    "Each term is bent on its own: add the two products and the bias first, then one tanh.",
)
def rnn_bends_each_term(x, h, w, u, b):
    return np.tanh(x @ w) + np.tanh(h @ u) + b


@misconception("rnn_step.rnn_step", "The bias is added after the tanh: it belongs inside.")
def rnn_bias_outside(x, h, w, u, b):
    return np.tanh(x @ w + h @ u) + b


# rnn_forward


def rnn(x, h, w, u, b):
    return np.tanh(x @ w + h @ u + b)


@misconception("rnn_forward.rnn_forward", FROM_THE_START)
def rnn_always_from_the_start(x, h0, w, u, b):
    return np.stack([rnn(x[:, t], h0, w, u, b) for t in range(x.shape[1])], axis=1)


@misconception("rnn_forward.rnn_forward", ONLY_LAST)
def rnn_last_state(x, h0, w, u, b):
    return over_time(lambda x, h: rnn(x, h, w, u, b), x, h0)[:, -1]


@misconception("rnn_forward.rnn_forward", FROM_ZERO)
def rnn_from_zero(x, h0, w, u, b):
    return over_time(lambda x, h: rnn(x, h, w, u, b), x, np.zeros_like(h0))


@misconception("rnn_forward.rnn_forward", TIME_FIRST)
def rnn_time_first(x, h0, w, u, b):
    return over_time(lambda x, h: rnn(x, h, w, u, b), x, h0, axis=0)


@misconception("rnn_forward.rnn_forward", STATE_BEFORE)
def rnn_state_before(x, h0, w, u, b):
    states = over_time(lambda x, h: rnn(x, h, w, u, b), x, h0)
    return np.concatenate([h0[:, np.newaxis], states[:, :-1]], axis=1)


@misconception(
    "rnn_forward.rnn_forward",
    "The first state that came back is `h0` itself: there is one state a step, and `h0` is none of them.",
)
def rnn_keeps_h0(x, h0, w, u, b):
    states = over_time(lambda x, h: rnn(x, h, w, u, b), x, h0)
    return np.concatenate([h0[:, np.newaxis], states], axis=1)


@misconception(
    "rnn_forward.rnn_forward", "You read the sequence from its end: the first step takes `x[:, 0]`."
)
def rnn_from_the_end(x, h0, w, u, b):
    return over_time(lambda x, h: rnn(x, h, w, u, b), x[:, ::-1], h0)[:, ::-1]


@misconception("rnn_forward.rnn_forward", BATCH_AXIS)
def rnn_over_the_batch(x, h0, w, u, b):
    states, h = [], h0
    for t in range(x.shape[0]):
        h = rnn(x[t], h, w, u, b)
        states.append(h)
    return np.stack(states, axis=0)


# rnn_backward


def states_of(x, h0, w, u, b):
    """The state after each step, and the one before it."""
    states = over_time(lambda x, h: rnn(x, h, w, u, b), x, h0)
    return states, np.concatenate([h0[:, np.newaxis], states[:, :-1]], axis=1)


def tanh_slope(h):
    return 1 - h**2


def back_through_time(given, before=None, slope=tanh_slope, sloped=None, transposed=True, steps=reversed):
    """The gradients; the states `before`, the `slope`, the states where it is taken, the transpose, the order may be off."""
    upstream, x, h0, w, u, b = given
    states, known = states_of(x, h0, w, u, b)
    before = known if before is None else before
    sloped = states if sloped is None else sloped
    dx, dh = np.zeros(x.shape), np.zeros(h0.shape)
    dw, du, db = np.zeros(w.shape), np.zeros(u.shape), np.zeros(b.shape)
    for t in steps(range(x.shape[1])):
        dz = (upstream[:, t] + dh) * slope(sloped[:, t])
        dx[:, t] = dz @ w.T
        dh = dz @ (u.T if transposed else u)
        dw += x[:, t].T @ dz
        du += before[:, t].T @ dz
        db += dz.sum(axis=0)
    return dx, dh, dw, du, db


@misconception(
    "rnn_backward.rnn_backward",
    "The gradient that comes back from the next step is missing: a state acts on the loss directly and through the "
    "next state, so add `dh` to `upstream[:, t]`.",
)
def forgets_the_next_step(upstream, x, h0, w, u, b):
    states, before = states_of(x, h0, w, u, b)
    dz = upstream * (1 - states**2)
    flat = dz.reshape(-1, len(u))
    dw, du = x.reshape(-1, len(w)).T @ flat, before.reshape(-1, len(u)).T @ flat
    return dz @ w.T, dz[:, 0] @ u.T, dw, du, flat.sum(axis=0)


@misconception(
    "rnn_backward.rnn_backward",
    "The gradient from the next step takes the place of `upstream[:, t]`: only the last state's loss counts then. Add "
    "the two.",
)
def only_the_last_upstream(upstream, *given):
    last = np.zeros_like(upstream)
    last[:, -1] = upstream[:, -1]
    return back_through_time((last, *given))


@misconception(
    "rnn_backward.rnn_backward",
    "`du` takes the new state: `u` was multiplied by the state before the step, `h0` at the first.",
)
def du_from_the_new_state(*given):
    states, _ = states_of(*given[1:])
    return back_through_time(given, before=states)


@misconception(
    "rnn_backward.rnn_backward",
    "At the first step `du` takes a state of zero: the state before it is `h0`.",
)
def du_without_h0(*given):
    _, before = states_of(*given[1:])
    before[:, 0] = 0
    return back_through_time(given, before=before)


@misconception(
    "rnn_backward.rnn_backward",
    "The first step's state before it is the last one: `states[:, t - 1]` at t = 0 is the end of the sequence. Take "
    "`h0` there.",
)
def wraps_around(*given):
    states, _ = states_of(*given[1:])
    return back_through_time(given, before=np.roll(states, 1, axis=1))


@misconception(
    "rnn_backward.rnn_backward",
    "The slope of the tanh is missing on the way back: multiply by `1 - states[:, t] ** 2`.",
)
def no_slope(*given):
    return back_through_time(given, slope=np.ones_like)


@misconception(
    "rnn_backward.rnn_backward",
    "You took the tanh of the state once more: the state is a tanh already, and its slope is `1 - h ** 2`.",
)
def tanh_twice(*given):
    return back_through_time(given, slope=lambda h: 1 - np.tanh(h) ** 2)


@misconception(
    "rnn_backward.rnn_backward", "That is the slope of a sigmoid, h (1 - h): the tanh's is 1 - h ** 2."
)
def slope_of_a_sigmoid(*given):
    return back_through_time(given, slope=lambda h: h * (1 - h))


@misconception(
    "rnn_backward.rnn_backward",
    "The slope takes the state before the step: tanh is steep or flat where it ended, at the new state.",
)
def slope_at_the_old_state(*given):
    _, before = states_of(*given[1:])
    return back_through_time(given, sloped=before)


@misconception(
    "rnn_backward.rnn_backward",
    "On the way back `u` is not transposed: forward it was `h @ u`, so back it is `dz @ u.T`.",
)
def back_without_transpose(*given):
    return back_through_time(given, transposed=False)


@misconception("rnn_backward.rnn_backward", MEAN_OF_BATCH)
def mean_over_the_batch(*given):
    dx, dh0, *shared = back_through_time(given)
    return dx, dh0, *(gradient / len(dx) for gradient in shared)


@misconception(
    "rnn_backward.rnn_backward",
    "The gradients of the weights are those of one step, the first, which you come to last: add up over all steps, `+=`, "
    "because all share the weights.",
)
def weights_of_one_step(upstream, x, h0, w, u, b):
    dx, dh0, *all_steps = back_through_time((upstream, x, h0, w, u, b))
    if x.shape[1] == 1:
        return dx, dh0, *all_steps
    h = rnn(x[:, 0], h0, w, u, b)
    _, _, *later = back_through_time((upstream[:, 1:], x[:, 1:], h, w, u, b))
    return dx, dh0, *(whole - rest for whole, rest in zip(all_steps, later, strict=True))


@misconception(
    "rnn_backward.rnn_backward",
    "`dh0` is zero here: after the loop `dh` is the gradient of the state before the first step. Return it.",
)
def no_dh0(*given):
    dx, dh0, *shared = back_through_time(given)
    return dx, np.zeros_like(dh0), *shared


@misconception(
    "rnn_backward.rnn_backward",
    "You walk from the first step to the last: the gradient comes from later steps, so the loop runs backwards.",
)
def walks_forward(*given):
    return back_through_time(given, steps=list)


@misconception(
    "rnn_backward.rnn_backward",
    "The gradient goes back one step and no further: what comes to a state from the next one is passed on with the rest, so "
    "`dh = dz @ u.T` takes the whole dz.",
)
def one_step_back(upstream, x, h0, w, u, b):
    states, _ = states_of(x, h0, w, u, b)
    direct = upstream * (1 - states**2)
    back = np.zeros_like(upstream)
    back[:, :-1] = direct[:, 1:] @ u.T
    dx, _, *shared = forgets_the_next_step.wrong(upstream + back, x, h0, w, u, b)
    return dx, direct[:, 0] @ u.T, *shared


# clip_by_global_norm


def norm_of(grads):
    return np.sqrt(sum(np.sum(grad**2) for grad in grads))


@misconception(
    "clip_by_global_norm.clip_by_global_norm",
    "Each array is clipped by its own norm, which turns the direction: take one norm over all arrays, and one factor for all.",
)
def clips_each_array(grads, max_norm):
    return [grad * max_norm / max(np.linalg.norm(grad), max_norm) for grad in grads], norm_of(grads)


@misconception(
    "clip_by_global_norm.clip_by_global_norm",
    "Each number is clipped, which turns the direction: multiply all of them by one factor.",
)
def clips_each_number(grads, max_norm):
    return [np.clip(grad, -max_norm, max_norm) for grad in grads], norm_of(grads)


@misconception(
    "clip_by_global_norm.clip_by_global_norm",
    "Short gradients are blown up to `max_norm`: leave alone what is short enough, the factor is at most 1.",
)
def always_scales(grads, max_norm):
    norm = norm_of(grads)
    return [grad * max_norm / norm if norm > 0 else grad for grad in grads], norm


@misconception(
    "clip_by_global_norm.clip_by_global_norm",
    "Short gradients are blown up to `max_norm`, and zeros to NaN: leave alone what is short enough, the factor is at most 1.",
)
def always_divides(grads, max_norm):
    norm = norm_of(grads)
    with np.errstate(invalid="ignore"):
        return [grad * (max_norm / norm) for grad in grads], norm


@misconception(
    "clip_by_global_norm.clip_by_global_norm",
    "The norm that comes back is the one after clipping: return the one before, which shows when gradients explode.",
)
def norm_after(grads, max_norm):
    norm = norm_of(grads)
    scale = max_norm / max(norm, max_norm)
    return [grad * scale for grad in grads], norm * scale


@misconception(
    "clip_by_global_norm.clip_by_global_norm",
    "The norms of the arrays are added: the norm of all of them together is the root of the sum of their squares.",
)
def adds_the_norms(grads, max_norm):
    norm = sum(np.linalg.norm(grad) for grad in grads)
    return [grad * max_norm / max(norm, max_norm) for grad in grads], norm


@misconception(
    "clip_by_global_norm.clip_by_global_norm",
    "The root is missing: the norm is the root of the sum of squares.",
)
def no_root(grads, max_norm):
    norm = sum(np.sum(grad**2) for grad in grads)
    return [grad * max_norm / max(norm, max_norm) for grad in grads], norm


@misconception(
    "clip_by_global_norm.clip_by_global_norm",
    "You divide by the norm and forget `max_norm`: what comes out has norm 1, it should be `max_norm`.",
)
def to_norm_one(grads, max_norm):
    norm = norm_of(grads)
    return [grad / norm if norm > max_norm else grad for grad in grads], norm


@misconception(
    "clip_by_global_norm.clip_by_global_norm",
    "The norm is the largest number's size: it is the root of the sum of all squares.",
)
def largest_number(grads, max_norm):
    norm = max(np.max(np.abs(grad)) for grad in grads)
    return [grad * max_norm / max(norm, max_norm) for grad in grads], norm


@misconception(
    "clip_by_global_norm.clip_by_global_norm",
    "`*=` and its kind write into the arrays that were given: make new ones, `grad * scale`.",
)
def clips_in_place(grads, max_norm):
    norm = norm_of(grads)
    for grad in grads:
        grad *= max_norm / max(norm, max_norm)
    return grads, norm


@misconception("clip_by_global_norm.clip_by_global_norm", NEARLY_CLIPPED)
def clips_beside_a_millionth(grads, max_norm):
    norm = norm_of(grads)
    return [grad * min(1, max_norm / (norm + 1e-6)) for grad in grads], norm


@misconception("clip_by_global_norm.clip_by_global_norm", NEARLY_CLIPPED)
def clips_with_a_millionth_if_long(grads, max_norm):
    norm = norm_of(grads)
    return [grad * max_norm / (norm + 1e-6) if norm > max_norm else grad for grad in grads], norm


@misconception("clip_by_global_norm.clip_by_global_norm", NEARLY_CLIPPED)
def clips_beside_less(grads, max_norm):
    norm = norm_of(grads)
    return [grad * min(1, max_norm / (norm + 1e-8)) for grad in grads], norm


# lstm_step


def lstm(x, h, c, w, u, b, order="ifgo"):
    """One step with the gates in some order."""
    parts = dict(zip(order, np.split(x @ w + h @ u + b, 4, axis=1), strict=True))
    c = sigmoid(parts["f"]) * c + sigmoid(parts["i"]) * np.tanh(parts["g"])
    return sigmoid(parts["o"]) * np.tanh(c), c


@misconception(
    "lstm_step.lstm_step",
    "Input and forget gate have changed places: the first quarter is the input gate, the second the forget gate.",
)
def forget_before_input(x, h, c, w, u, b):
    return lstm(x, h, c, w, u, b, "figo")


@misconception(
    "lstm_step.lstm_step",
    "Candidate and output gate have changed places (some courses order them so): the third quarter is the candidate, the "
    "last the output gate.",
)
def output_before_candidate(x, h, c, w, u, b):
    return lstm(x, h, c, w, u, b, "ifog")


@misconception(
    "lstm_step.lstm_step",
    "Your order is forget, input, output, candidate: here it is input, forget, candidate, output.",
)
def two_swaps(x, h, c, w, u, b):
    return lstm(x, h, c, w, u, b, "fiog")


@misconception(
    "lstm_step.lstm_step",
    "Your order is input, candidate, forget, output, as in older TensorFlow: here it is input, forget, candidate, output.",
)
def candidate_before_forget(x, h, c, w, u, b):
    return lstm(x, h, c, w, u, b, "igfo")


@misconception(
    "lstm_step.lstm_step",
    "Your order is forget, candidate, input, output: here it is input, forget, candidate, output.",
)
def forget_candidate_input(x, h, c, w, u, b):
    return lstm(x, h, c, w, u, b, "fgio")


@misconception(
    "lstm_step.lstm_step",
    "The new state shows the old cell: the output gate opens on the cell as it is after this step.",
)
def shows_the_old_cell(x, h, c, w, u, b):
    i, f, g, o = np.split(x @ w + h @ u + b, 4, axis=1)
    return sigmoid(o) * np.tanh(c), sigmoid(f) * c + sigmoid(i) * np.tanh(g)


@misconception("lstm_step.lstm_step", "The new state misses the tanh of the cell: h = o * tanh(c).")
def no_tanh_of_the_cell(x, h, c, w, u, b):
    i, f, g, o = np.split(x @ w + h @ u + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * c, c


@misconception(
    "lstm_step.lstm_step",
    "The candidate is bent by a sigmoid like the gates: it takes tanh, so that the cell can go down as well as up.",
)
def candidate_by_sigmoid(x, h, c, w, u, b):
    i, f, g, o = np.split(x @ w + h @ u + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * sigmoid(g)
    return sigmoid(o) * np.tanh(c), c


@misconception(
    "lstm_step.lstm_step",
    "1 - f takes the input gate's place (as the update gate does in a GRU): the LSTM's input gate is its own.",
)
def coupled_gates(x, h, c, w, u, b):
    _, f, g, o = np.split(x @ w + h @ u + b, 4, axis=1)
    c = sigmoid(f) * c + (1 - sigmoid(f)) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


@misconception(
    "lstm_step.lstm_step",
    "The forget gate works the wrong way round: f is how much **stays**, so it is f * c, not (1 - f) * c.",
)
def forgets_by_f(x, h, c, w, u, b):
    i, f, g, o = np.split(x @ w + h @ u + b, 4, axis=1)
    c = (1 - sigmoid(f)) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


@misconception("lstm_step.lstm_step", "Cell and state came back in the wrong order: return h first, then c.")
def cell_first(x, h, c, w, u, b):
    return lstm(x, h, c, w, u, b)[::-1]


@misconception(
    "lstm_step.lstm_step",
    "You added 1 to the forget gate's bias: Keras does so when it makes the weights, not at each step.",
)
def adds_forget_bias(x, h, c, w, u, b):
    return lstm(x, h, c, w, u, b + np.repeat([0.0, 1.0, 0.0, 0.0], len(u)))


@misconception("lstm_step.lstm_step", "The bias is missing in the gates.")
def lstm_without_bias(x, h, c, w, u, b):
    return lstm(x, h, c, w, u, 0)


@misconception(
    "lstm_step.lstm_step",
    "You took every fourth column for a gate: each gate is a block of `units` columns, and the four blocks lie side by side.",
)
def every_fourth_column(x, h, c, w, u, b):
    i, f, g, o = np.moveaxis((x @ w + h @ u + b).reshape(len(x), -1, 4), 2, 0)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c


# lstm_forward


def lstm_states(x, h, c, step):
    states = []
    for t in range(x.shape[1]):
        h, c = step(x[:, t], h, c)
        states.append(h)
    return np.stack(states, axis=1), c


@misconception(
    "lstm_forward.lstm_forward",
    "Every step starts from `c0`: the cell goes on from step to step, as the state does.",
)
def cell_always_from_the_start(x, h0, c0, w, u, b):
    return lstm_states(x, h0, c0, lstm_with(w, u, b, c0=c0))


@misconception(
    "lstm_forward.lstm_forward",
    "Every step starts from `h0`: the state goes on from step to step, as the cell does.",
)
def state_always_from_the_start(x, h0, c0, w, u, b):
    return lstm_states(x, h0, c0, lstm_with(w, u, b, h0=h0))


def lstm_with(w, u, b, h0=None, c0=None):
    """A step that takes `h0` or `c0`, where there is one, in the place of what was left to it."""
    return lambda x, h, c: lstm(x, h if h0 is None else h0, c if c0 is None else c0, w, u, b)


@misconception(
    "lstm_forward.lstm_forward",
    "The last state came back where the last cell should: return the states and `c`.",
)
def last_state_for_the_cell(x, h0, c0, w, u, b):
    states, _ = lstm_states(x, h0, c0, lstm_with(w, u, b))
    return states, states[:, -1]


@misconception(
    "lstm_forward.lstm_forward", "Only the last state came back: keep every one, along the axis of time."
)
def lstm_last_state(x, h0, c0, w, u, b):
    states, c = lstm_states(x, h0, c0, lstm_with(w, u, b))
    return states[:, -1], c


@misconception(
    "lstm_forward.lstm_forward",
    "You keep the cells: the layer above sees the states, what the output gate lets out.",
)
def keeps_the_cells(x, h0, c0, w, u, b):
    cells, h, c = [], h0, c0
    for t in range(x.shape[1]):
        h, c = lstm(x[:, t], h, c, w, u, b)
        cells.append(c)
    return np.stack(cells, axis=1), c


@misconception(
    "lstm_forward.lstm_forward", "All cells came back: every state is asked for, but only the last cell."
)
def every_cell(x, h0, c0, w, u, b):
    return lstm_states(x, h0, c0, lstm_with(w, u, b))[0], keeps_the_cells.wrong(x, h0, c0, w, u, b)[0]


@misconception("lstm_forward.lstm_forward", "State and cell start from zero: start from `h0` and `c0`.")
def lstm_from_zero(x, h0, c0, w, u, b):
    return lstm_states(x, np.zeros_like(h0), np.zeros_like(c0), lstm_with(w, u, b))


@misconception(
    "lstm_forward.lstm_forward", "Time came out as the first axis: stack the states along `axis=1`."
)
def lstm_time_first(x, h0, c0, w, u, b):
    states, c = lstm_states(x, h0, c0, lstm_with(w, u, b))
    return np.swapaxes(states, 0, 1), c


@misconception(
    "lstm_forward.lstm_forward",
    "State and cell change places from step to step: `lstm_step` returns the state first, `h, c = lstm_step(...)`.",
)
def cell_for_state(x, h0, c0, w, u, b):
    return lstm_states(x, h0, c0, lambda x, h, c: lstm(x, h, c, w, u, b)[::-1])


# lstm_step_backward


def lstm_backward(given, total=None, slopes=None, cell=None, order="ifgo"):
    """The gradients; `total(dh, dc, o, shown)`, `slopes(i, f, g, o)` and `cell(new, old)` say what is different."""
    dh, dc, x, h, c, w, u, b = given
    z = dict(zip(order, np.split(x @ w + h @ u + b, 4, axis=1), strict=True))
    i, f, g, o = sigmoid(z["i"]), sigmoid(z["f"]), np.tanh(z["g"]), sigmoid(z["o"])
    new = f * c + i * g
    shown = np.tanh(new)
    d = total(dh, dc, o, new) if total else dc + dh * o * (1 - shown**2)
    si, sf, sg, so = slopes(i, f, g, o) if slopes else (i * (1 - i), f * (1 - f), 1 - g**2, o * (1 - o))
    parts = {
        "i": d * g * si,
        "f": d * (cell(new, c) if cell else c) * sf,
        "g": d * i * sg,
        "o": dh * shown * so,
    }
    dz = np.concatenate([parts[gate] for gate in order], axis=1)
    return dz @ w.T, dz @ u.T, d * f, x.T @ dz, h.T @ dz, dz.sum(axis=0)


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The cell's way through the new state is missing: its whole gradient is `dc + dh * o * (1 - np.tanh(c_new) ** 2)`.",
)
def cell_without_the_state(*given):
    return lstm_backward(given, total=lambda dh, dc, o, new: dc)


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The gradient `dc`, which comes from later steps, is missing: add it to what comes through the new state.",
)
def state_without_the_cell(*given):
    return lstm_backward(given, total=lambda dh, dc, o, new: dh * o * (1 - np.tanh(new) ** 2))


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The slope of the tanh between the new cell and the new state is missing: `1 - np.tanh(c_new) ** 2`.",
)
def no_slope_of_the_cell(*given):
    return lstm_backward(given, total=lambda dh, dc, o, new: dc + dh * o)


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "You wrote `1 - c_new ** 2`: the cell is no tanh yet, the slope is `1 - np.tanh(c_new) ** 2`.",
)
def slope_of_the_cell_itself(*given):
    return lstm_backward(given, total=lambda dh, dc, o, new: dc + dh * o * (1 - new**2))


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The output gate is missing between the new state and the cell: `dh * o * (1 - np.tanh(c_new) ** 2)`.",
)
def no_output_gate(*given):
    return lstm_backward(given, total=lambda dh, dc, o, new: dc + dh * (1 - np.tanh(new) ** 2))


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The gates' own slopes are missing: s (1 - s) for the three sigmoids, 1 - g ** 2 for the candidate.",
)
def no_slopes(*given):
    return lstm_backward(given, slopes=lambda i, f, g, o: (1, 1, 1, 1))


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The candidate has the slope of a sigmoid: it is a tanh, and its slope is 1 - g ** 2.",
)
def candidate_slope_of_a_sigmoid(*given):
    return lstm_backward(
        given, slopes=lambda i, f, g, o: (i * (1 - i), f * (1 - f), g * (1 - g), o * (1 - o))
    )


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The forget gate takes the new cell: it was multiplied with the old one.",
)
def forget_gate_of_the_new_cell(*given):
    return lstm_backward(given, cell=lambda new, old: new)


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "Input and forget gate have changed places: the order is input, forget, candidate, output, on the way back too.",
)
def backward_forget_before_input(*given):
    return lstm_backward(given, order="figo")


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "Candidate and output gate have changed places: the order is input, forget, candidate, output, on the way back too.",
)
def backward_output_before_candidate(*given):
    return lstm_backward(given, order="ifog")


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The old cell's gradient misses the forget gate: it is the new cell's whole gradient times f.",
)
def old_cell_without_the_gate(dh, dc, x, h, c, w, u, b):
    dx, dh_old, dc_old, *shared = lstm_backward((dh, dc, x, h, c, w, u, b))
    f = sigmoid(np.split(x @ w + h @ u + b, 4, axis=1)[1])
    return dx, dh_old, dc_old / f, *shared


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The old cell gets `dc * f` only: it is the new cell's **whole** gradient, through the new state too, times f.",
)
def old_cell_from_dc_alone(dh, dc, x, h, c, w, u, b):
    dx, dh_old, _, *shared = lstm_backward((dh, dc, x, h, c, w, u, b))
    return dx, dh_old, dc * sigmoid(np.split(x @ w + h @ u + b, 4, axis=1)[1]), *shared


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "`du` takes the new state: `u` was multiplied by the old one.",
)
def lstm_du_from_the_new_state(dh, dc, x, h, c, w, u, b):
    new, _ = lstm(x, h, c, w, u, b)
    dx, dh_old, dc_old, dw, _, db = lstm_backward((dh, dc, x, h, c, w, u, b))
    each = [
        lstm_backward((*(row[np.newaxis] for row in rows), w, u, b))[-1]
        for rows in zip(dh, dc, x, h, c, strict=True)
    ]
    return dx, dh_old, dc_old, dw, new.T @ np.array(each), db


@misconception("lstm_step_backward.lstm_step_backward", MEAN_OF_BATCH)
def lstm_mean_over_the_batch(*given):
    dx, dh_old, dc_old, *shared = lstm_backward(given)
    return dx, dh_old, dc_old, *(gradient / len(dx) for gradient in shared)


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The old state's gradient has the `dh` that came in added to it: that one belongs to the new state, and has done its work.",
)
def adds_dh_again(*given):
    dx, dh_old, *others = lstm_backward(given)
    return dx, dh_old + given[0], *others


@misconception(
    "lstm_step_backward.lstm_step_backward",
    "The gradients of the old state and the old cell came back in each other's place: the order is dx, dh, dc, dw, du, db.",
)
def cell_before_state(*given):
    dx, dh_old, dc_old, *shared = lstm_backward(given)
    return dx, dc_old, dh_old, *shared


# gru_step


def gru(x, h, w, u, b, order="zrg"):
    """One step with the gates in some order."""
    xs = dict(zip(order, np.split(x @ w + b[0], 3, axis=1), strict=True))
    hs = dict(zip(order, np.split(h @ u + b[1], 3, axis=1), strict=True))
    z, r = sigmoid(xs["z"] + hs["z"]), sigmoid(xs["r"] + hs["r"])
    return z * h + (1 - z) * np.tanh(xs["g"] + r * hs["g"])


@misconception(
    "gru_step.gru_step",
    "Update and reset gate have changed places (PyTorch orders them so): the first third is update, the second reset.",
)
def reset_before_update(x, h, w, u, b):
    return gru(x, h, w, u, b, "rzg")


@misconception(
    "gru_step.gru_step",
    "Your order is candidate first: here it is update, reset, candidate.",
)
def candidate_first(x, h, w, u, b):
    return gru(x, h, w, u, b, "gzr")


@misconception(
    "gru_step.gru_step",
    "Candidate and reset gate have changed places: the second third is reset, the last the candidate.",
)
def candidate_before_reset(x, h, w, u, b):
    return gru(x, h, w, u, b, "zgr")


@misconception(
    "gru_step.gru_step",
    "z and 1 - z have changed places (as in some papers): here z is how much of the **old** state stays.",
)
def update_reversed(x, h, w, u, b):
    z_x, r_x, g_x = np.split(x @ w + b[0], 3, axis=1)
    z_h, r_h, g_h = np.split(h @ u + b[1], 3, axis=1)
    z, r = sigmoid(z_x + z_h), sigmoid(r_x + r_h)
    return (1 - z) * h + z * np.tanh(g_x + r * g_h)


@misconception(
    "gru_step.gru_step",
    "The reset gate acts on the state before the product (as many papers print it): here it multiplies `h @ u + b[1]` of "
    "the candidate, after it.",
)
def reset_before_the_product(x, h, w, u, b):
    k = len(u)
    z = sigmoid(x @ w[:, :k] + h @ u[:, :k] + b[0, :k] + b[1, :k])
    r = sigmoid(x @ w[:, k : 2 * k] + h @ u[:, k : 2 * k] + b[0, k : 2 * k] + b[1, k : 2 * k])
    g = np.tanh(x @ w[:, 2 * k :] + (r * h) @ u[:, 2 * k :] + b[0, 2 * k :] + b[1, 2 * k :])
    return z * h + (1 - z) * g


@misconception(
    "gru_step.gru_step",
    "The candidate's second bias stands outside of the reset gate: it belongs to the state's part, so r multiplies it too.",
)
def bias_outside_of_the_reset(x, h, w, u, b):
    z_x, r_x, g_x = np.split(x @ w + b[0] + b[1], 3, axis=1)
    z_h, r_h, g_h = np.split(h @ u, 3, axis=1)
    z, r = sigmoid(z_x + z_h), sigmoid(r_x + r_h)
    return z * h + (1 - z) * np.tanh(g_x + r * g_h)


@misconception(
    "gru_step.gru_step",
    "The reset gate multiplies the input's part too: it is for the state's part alone.",
)
def reset_of_everything(x, h, w, u, b):
    z_x, r_x, g_x = np.split(x @ w + b[0], 3, axis=1)
    z_h, r_h, g_h = np.split(h @ u + b[1], 3, axis=1)
    z, r = sigmoid(z_x + z_h), sigmoid(r_x + r_h)
    return z * h + (1 - z) * np.tanh(r * (g_x + g_h))


@misconception(
    "gru_step.gru_step", "The reset gate is missing: it multiplies the state's part of the candidate."
)
def no_reset(x, h, w, u, b):
    z_x, _, g_x = np.split(x @ w + b[0], 3, axis=1)
    z_h, _, g_h = np.split(h @ u + b[1], 3, axis=1)
    z = sigmoid(z_x + z_h)
    return z * h + (1 - z) * np.tanh(g_x + g_h)


@misconception("gru_step.gru_step", "Only the first row of `b` enters: the second is added to `h @ u`.")
def first_bias_only(x, h, w, u, b):
    return gru(x, h, w, u, b * [[1.0], [0.0]])


@misconception(
    "gru_step.gru_step",
    "The candidate is bent by a sigmoid like the gates: it takes tanh, so that the state can go down as well as up.",
)
def gru_candidate_by_sigmoid(x, h, w, u, b):
    z_x, r_x, g_x = np.split(x @ w + b[0], 3, axis=1)
    z_h, r_h, g_h = np.split(h @ u + b[1], 3, axis=1)
    z, r = sigmoid(z_x + z_h), sigmoid(r_x + r_h)
    return z * h + (1 - z) * sigmoid(g_x + r * g_h)


@misconception(
    "gru_step.gru_step", "The old state is added whole: of it z stays, and 1 - z of the candidate comes."
)
def keeps_all_of_it(x, h, w, u, b):
    z_x, r_x, g_x = np.split(x @ w + b[0], 3, axis=1)
    z_h, r_h, g_h = np.split(h @ u + b[1], 3, axis=1)
    z, r = sigmoid(z_x + z_h), sigmoid(r_x + r_h)
    return h + (1 - z) * np.tanh(g_x + r * g_h)


@misconception(
    "gru_step.gru_step",
    "The two rows of `b` have changed places: the first is added to `x @ w`, the second to `h @ u`.",
)
def biases_swapped(x, h, w, u, b):
    return gru(x, h, w, u, b[::-1])


# gru_forward


@misconception("gru_forward.gru_forward", FROM_THE_START)
def gru_always_from_the_start(x, h0, w, u, b):
    return np.stack([gru(x[:, t], h0, w, u, b) for t in range(x.shape[1])], axis=1)


@misconception("gru_forward.gru_forward", ONLY_LAST)
def gru_last_state(x, h0, w, u, b):
    return over_time(lambda x, h: gru(x, h, w, u, b), x, h0)[:, -1]


@misconception("gru_forward.gru_forward", FROM_ZERO)
def gru_from_zero(x, h0, w, u, b):
    return over_time(lambda x, h: gru(x, h, w, u, b), x, np.zeros_like(h0))


@misconception("gru_forward.gru_forward", TIME_FIRST)
def gru_time_first(x, h0, w, u, b):
    return over_time(lambda x, h: gru(x, h, w, u, b), x, h0, axis=0)


@misconception("gru_forward.gru_forward", STATE_BEFORE)
def gru_state_before(x, h0, w, u, b):
    states = over_time(lambda x, h: gru(x, h, w, u, b), x, h0)
    return np.concatenate([h0[:, np.newaxis], states[:, :-1]], axis=1)
