"""Right answers to the assignment `recurrent`, written differently from the solution."""

import numpy as np

from tests.answers import right


def logistic(x):
    return np.exp(-np.logaddexp(0, -x))


def scanned(step, x, *states):
    """The first state after every step, kept in an array made beforehand, and the last of all states."""
    kept = np.empty((*x.shape[:2], states[0].shape[1]), dtype=x.dtype)
    for t, moment in enumerate(np.moveaxis(x, 1, 0)):
        states = step(moment, *states)
        kept[:, t] = states[0]
    return kept, states


@right("rnn_step")
def rnn_step_in_one_product(x, h, w, u, b):
    return np.tanh(np.hstack([x, h]) @ np.vstack([w, u]) + b)


@right("rnn_step")
def rnn_step_unit_by_unit(x, h, w, u, b):
    new = np.empty_like(h)
    for n in range(len(x)):
        for k in range(len(b)):
            total = b[k]
            total += sum(x[n, i] * w[i, k] for i in range(x.shape[1]))
            total += sum(h[n, j] * u[j, k] for j in range(h.shape[1]))
            new[n, k] = (1 - np.exp(-2 * total)) / (1 + np.exp(-2 * total))
    return new


@right("rnn_step")
def rnn_step_by_columns(x, h, w, u, b, activation=np.tanh):
    return activation(w.T @ x.T + u.T @ h.T + b[:, None]).T


@right("rnn_forward")
def rnn_forward_with_the_inputs_first(x, h0, w, u, b):
    inputs = x @ w + b
    return scanned(lambda z, h: (np.tanh(z + h @ u),), inputs, h0)[0]


@right("rnn_forward")
def rnn_forward_by_recursion(x, h0, w, u, b):
    h = np.tanh(x[:, 0] @ w + h0 @ u + b)
    if x.shape[1] == 1:
        return h[:, None]
    return np.concatenate([h[:, None], rnn_forward_by_recursion(x[:, 1:], h, w, u, b)], axis=1)


@right("rnn_backward")
def rnn_backward_by_einsum(upstream, x, h0, w, u, b):
    states = rnn_forward_by_recursion(x, h0, w, u, b)
    before = np.concatenate([h0[:, None], states[:, :-1]], axis=1)
    dz = upstream * (1 - states**2)
    for t in range(x.shape[1] - 2, -1, -1):
        dz[:, t] += np.einsum("nk,jk->nj", dz[:, t + 1], u) * (1 - states[:, t] ** 2)
    return (
        np.einsum("ntk,ik->nti", dz, w),
        np.einsum("nk,jk->nj", dz[:, 0], u),
        np.einsum("nti,ntk->ik", x, dz),
        np.einsum("ntj,ntk->jk", before, dz),
        np.einsum("ntk->k", dz),
    )


@right("rnn_backward")
def rnn_backward_by_recursion(upstream, x, h0, w, u, b):
    h = np.tanh(x[:, 0] @ w + h0 @ u + b)
    dh = upstream[:, 0]
    later = np.zeros_like(x[:, 1:]), 0, 0, 0
    if x.shape[1] > 1:
        dx, back, *later = rnn_backward_by_recursion(upstream[:, 1:], x[:, 1:], h, w, u, b)
        dh, later = dh + back, (dx, *later)
    dz = dh * (1 - h) * (1 + h)
    dx = np.concatenate([(dz @ w.T)[:, None], later[0]], axis=1)
    return [dx, dz @ u.T, x[:, 0].T @ dz + later[1], h0.T @ dz + later[2], dz.sum(0) + later[3]]


@right("clip_by_global_norm")
def clip_the_long_vector(grads, max_norm):
    norm = np.linalg.norm(np.concatenate([grad.ravel() for grad in grads]))
    if norm <= max_norm:
        return [grad.copy() for grad in grads], norm
    return [grad / norm * max_norm for grad in grads], norm


@right("clip_by_global_norm")
def clip_by_the_norm_of_norms(grads, max_norm):
    norm = np.hypot.reduce([np.linalg.norm(grad) for grad in grads])
    factor = np.minimum(1, max_norm / norm) if norm else 1.0
    return tuple(factor * grad for grad in grads), float(norm)


@right("lstm_step")
def lstm_step_gate_by_gate(x, h, c, w, u, b):
    k = h.shape[1]
    i, f, g, o = (
        x @ w[:, n * k : (n + 1) * k] + h @ u[:, n * k : (n + 1) * k] + b[n * k : (n + 1) * k]
        for n in range(4)
    )
    c_new = c * logistic(f) + np.tanh(g) * logistic(i)
    return np.tanh(c_new) * logistic(o), c_new


@right("lstm_step")
def lstm_step_by_einsum(x, h, c, w, u, b):
    z = np.einsum("ni,iz->nz", x, w) + np.einsum("nk,kz->nz", h, u) + b
    z = z.reshape(len(x), 4, -1)
    gates = (1 + np.tanh(z / 2)) / 2
    cell = gates[:, 1] * c + gates[:, 0] * (2 / (1 + np.exp(-2 * z[:, 2])) - 1)
    return [gates[:, 3] * np.tanh(cell), cell]


@right("lstm_forward")
def lstm_forward_by_scanning(x, h0, c0, w, u, b):
    states, (_, c) = scanned(lambda x, h, c: lstm_step_gate_by_gate(x, h, c, w, u, b), x, h0, c0)
    return states, c


@right("lstm_forward")
def lstm_forward_sequence_by_sequence(x, h0, c0, w, u, b):
    states, cells = [], []
    for sequence, h, c in zip(x, h0, c0, strict=True):
        h, c, run = h[None], c[None], []
        for moment in sequence:
            h, c = lstm_step_by_einsum(moment[None], h, c, w, u, b)
            run.append(h[0])
        states.append(run)
        cells.append(c[0])
    return np.array(states), np.array(cells)


@right("lstm_step_backward")
def lstm_step_backward_gate_by_gate(dh, dc, x, h, c, w, u, b):
    k = h.shape[1]
    i, f, g, o = (slice(n * k, (n + 1) * k) for n in range(4))
    z = x @ w + h @ u + b
    s = 1 / (1 + np.exp(-z))
    candidate = np.tanh(z[:, g])
    cell = np.tanh(s[:, f] * c + s[:, i] * candidate)
    whole = dh * s[:, o] / np.cosh(s[:, f] * c + s[:, i] * candidate) ** 2 + dc
    dz = np.empty_like(z)
    dz[:, i] = whole * candidate
    dz[:, f] = whole * c
    dz[:, o] = dh * cell
    dz *= s * (1 - s)
    dz[:, g] = whole * s[:, i] * (1 - candidate) * (1 + candidate)
    return (
        np.dot(dz, w.T),
        np.dot(dz, u.T),
        whole * s[:, f],
        np.einsum("ni,nz->iz", x, dz),
        np.einsum("nk,nz->kz", h, dz),
        np.ones(len(x), x.dtype) @ dz,
    )


@right("lstm_step_backward")
def lstm_step_backward_example_by_example(dh, dc, x, h, c, w, u, b):
    found = [
        lstm_step_backward_gate_by_gate(*(each[None] for each in one), w, u, b)
        for one in zip(dh, dc, x, h, c, strict=True)
    ]
    rows, shared = list(zip(*found, strict=True))[:3], list(zip(*found, strict=True))[3:]
    return *map(np.concatenate, rows), *(np.sum(each, axis=0) for each in shared)


@right("gru_step")
def gru_step_gate_by_gate(x, h, w, u, b):
    k = h.shape[1]
    z, r, g = (slice(n * k, (n + 1) * k) for n in range(3))
    update = logistic(x @ w[:, z] + b[0, z] + h @ u[:, z] + b[1, z])
    reset = logistic(x @ w[:, r] + b[0, r] + h @ u[:, r] + b[1, r])
    candidate = np.tanh(x @ w[:, g] + b[0, g] + reset * (h @ u[:, g] + b[1, g]))
    return candidate + update * (h - candidate)


@right("gru_step")
def gru_step_by_einsum(x, h, w, u, b):
    inputs = (np.einsum("ni,iz->nz", x, w) + b[0]).reshape(len(x), 3, -1)
    states = (np.einsum("nk,kz->nz", h, u) + b[1]).reshape(len(x), 3, -1)
    update, reset = np.moveaxis(logistic((inputs + states)[:, :2]), 1, 0)
    candidate = np.tanh(inputs[:, 2] + reset * states[:, 2])
    return (1 - update) * candidate + update * h


@right("gru_forward")
def gru_forward_by_scanning(x, h0, w, u, b):
    return scanned(lambda x, h: (gru_step_gate_by_gate(x, h, w, u, b),), x, h0)[0]


@right("gru_forward")
def gru_forward_by_recursion(x, h0, w, u, b):
    h = gru_step_by_einsum(x[:, 0], h0, w, u, b)
    if x.shape[1] == 1:
        return h[:, None]
    return np.concatenate([h[:, None], gru_forward_by_recursion(x[:, 1:], h, w, u, b)], axis=1)
