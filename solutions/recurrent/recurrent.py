# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Recurrent networks
#
# A sentence, a melody, a price: some data come one piece after another, and what came before decides what a piece
# means. A recurrent network reads such a sequence step by step and keeps a **state**: a vector of numbers in which it
# carries what it must not forget. The same weights work at every step, so a sequence may be as long as it likes.
#
# You will write three such networks: the simple one, the LSTM and the GRU. You will send gradients back through time,
# see them die and explode, and build the two cures: a gradient that is clipped, and a cell that keeps. At the end your
# LSTM learns to add two numbers that it read far apart. The lesson derives every formula used here; have it open beside
# this notebook.
#
# Sequences have the shape `(batch, time, features)`, states `(batch, units)`. Nothing may change its arguments.

# %%
import numpy as np

from course import plots

# %% [markdown]
# ## A sigmoid and three guards to use
#
# The gates below need a sigmoid that does not overflow; this one is written with tanh. The guards raise `ValueError`
# when shapes do not fit. Here that matters more than elsewhere: a bias of the wrong length may broadcast without a
# word. Call them first thing in a function, for example `require_fit(1, x, w, u, b, h=h)` in the simple network's step.


# %%
def sigmoid(x):
    """Squeeze numbers into 0..1."""
    return (1 + np.tanh(x / 2)) / 2


def require_shape(shape, **arrays):
    """Raise `ValueError` unless every array has this shape."""
    for name, array in arrays.items():
        if np.shape(array) != shape:
            raise ValueError(f"{name} has shape {np.shape(array)}, expected {shape}")


def require_rank(rank, **arrays):
    """Raise `ValueError` unless every array has this many axes."""
    for name, array in arrays.items():
        if np.ndim(array) != rank:
            raise ValueError(f"{name} has shape {np.shape(array)}, expected {rank} axes")


def require_fit(gates, x, w, u, b, **states):
    """Raise `ValueError` unless input, weights and states belong to one layer with so many gates (the simple one has 1)."""
    require_rank(2, w=w, u=u)
    units = len(u)
    require_shape((np.shape(x)[-1], gates * units), w=w)
    require_shape((units, gates * units), u=u)
    require_shape((2, 3 * units) if gates == 3 else (gates * units,), b=b)
    require_shape((len(x), units), **states)


# %% [markdown]
# ## 1 One step
#
# At each step the network looks at the new input $x$ and at its own old state $h$, and makes the new state of both:
#
# $$h' = \tanh(x\,W + h\,U + b)$$
#
# with $x$ of shape (batch, features), $h$ of (batch, units), $W$ `w` of (features, units), $U$ `u` of (units, units) and
# $b$ of (units,). It is a dense layer of two inputs, one of which is its own output of a moment ago.
#
# *To think about:* why must `u` be square, and `w` need not?


# %% exercise="rnn_step"
def rnn_step(x, h, w, u, b):
    """One step of the simple recurrent network.

    Args:
        x: inputs, shape (batch, features).
        h: old state, shape (batch, units).
        w: weights of the input, shape (features, units).
        u: weights of the state, shape (units, units).
        b: bias, shape (units,).

    Returns:
        The new state, shape (batch, units).

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_rank(2, x=x)
    require_fit(1, x, w, u, b, h=h)
    return np.tanh(x @ w + h @ u + b)
    ### END SOLUTION


# %% check="rnn_step"
check("rnn_step")

# %% [markdown]
# ## 2 A whole sequence
#
# Start from $h_0$ and take a step for each moment of time. Every new state is kept, because a layer above may want them
# all, and it is also where the next step starts:
#
# $$h_t = \tanh(x_t\,W + h_{t-1}\,U + b), \qquad t = 1, \dots, T.$$
#
# *To think about:* could the loop over time be replaced by one large product, as a loop over the batch can?


# %% exercise="rnn_forward"
def rnn_forward(x, h0, w, u, b):
    """The simple recurrent network over a sequence.

    Args:
        x: inputs, shape (batch, time, features).
        h0: state before the first step, shape (batch, units).
        w: weights of the input, shape (features, units).
        u: weights of the state, shape (units, units).
        b: bias, shape (units,).

    Returns:
        The state after every step, shape (batch, time, units).

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_rank(3, x=x)
    require_fit(1, x, w, u, b, h0=h0)
    states, h = [], h0
    for t in range(x.shape[1]):
        h = rnn_step(x[:, t], h, w, u, b)
        states.append(h)
    return np.stack(states, axis=1)
    ### END SOLUTION


# %% check="rnn_forward"
check("rnn_forward")

# %% [markdown]
# ### Look: an echo
#
# One knock at step 5, then silence. Each network has two units, and `u` turns the state by 30 degrees a step and
# scales it. Below 1 the echo dies away. Above 1 it is the tanh alone that keeps it within bounds.

# %% show
turn = np.array([[np.cos(np.pi / 6), np.sin(np.pi / 6)], [-np.sin(np.pi / 6), np.cos(np.pi / 6)]])
knock = np.zeros((1, 60, 1))
knock[0, 4] = 1
echoes = {
    f"scaled by {scale}": rnn_forward(
        knock, np.zeros((1, 2)), np.array([[0.5, 0.0]]), scale * turn, np.zeros(2)
    )
    for scale in (0.8, 0.95, 1.1)
}
plots.lines(
    {label: states[0, :, 0] for label, states in echoes.items()},
    title="the first unit after one knock",
    xlabel="step",
    ylabel="state",
)

# %% [markdown]
# ## 3 Back through time
#
# Unrolled over its steps, the network is a deep one whose layers share their weights. So its gradients are those of
# every deep network, taken from the last step to the first; and because the weights are shared, what each step says
# about them is **added up**.
#
# The state $h_t$ acts in two ways: on the loss directly, where `upstream` has its gradient, and on the next state, from
# where a gradient $\delta_t$ comes back. Both meet, and pass the tanh together. With $z_t = x_t W + h_{t-1} U + b$,
#
# $$\frac{\partial L}{\partial z_t} = \Bigl(\text{upstream}_t + \delta_t\Bigr) \odot (1 - h_t^2), \qquad
# \delta_{t-1} = \frac{\partial L}{\partial z_t}\,U^\top, \qquad \delta_T = 0,$$
#
# where $\odot$ multiplies element by element. From $\partial L / \partial z_t$ the rest follows as in a dense layer:
#
# $$\frac{\partial L}{\partial x_t} = \frac{\partial L}{\partial z_t} W^\top, \quad
# \frac{\partial L}{\partial W} = \sum_t x_t^\top \frac{\partial L}{\partial z_t}, \quad
# \frac{\partial L}{\partial U} = \sum_t h_{t-1}^\top \frac{\partial L}{\partial z_t}, \quad
# \frac{\partial L}{\partial b} = \sum_t \sum_{\text{batch}} \frac{\partial L}{\partial z_t}.$$
#
# *To think about:* the product for $U$ takes the state **before** the step. Which one is that at the first step?


# %% exercise="rnn_backward"
def rnn_backward(upstream, x, h0, w, u, b):
    """Gradients of the simple recurrent network, back through time.

    Args:
        upstream: gradient of the loss with respect to every state, shape (batch, time, units).
        x: inputs, shape (batch, time, features).
        h0: state before the first step, shape (batch, units).
        w: weights of the input, shape (features, units).
        u: weights of the state, shape (units, units).
        b: bias, shape (units,).

    Returns:
        (dx, dh0, dw, du, db): the gradients with respect to x, h0, w, u and b, each of its array's shape.

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    states = rnn_forward(x, h0, w, u, b)
    require_shape(states.shape, upstream=upstream)
    dx, dh = np.zeros(x.shape), np.zeros(h0.shape)
    dw, du, db = np.zeros(w.shape), np.zeros(u.shape), np.zeros(b.shape)
    for t in reversed(range(x.shape[1])):
        before = states[:, t - 1] if t > 0 else h0
        dz = (upstream[:, t] + dh) * (1 - states[:, t] ** 2)
        dx[:, t] = dz @ w.T
        dh = dz @ u.T
        dw += x[:, t].T @ dz
        du += before.T @ dz
        db += dz.sum(axis=0)
    return dx, dh, dw, du, db
    ### END SOLUTION


# %% check="rnn_backward"
check("rnn_backward")

# %% [markdown]
# ### Look: how far back a gradient reaches
#
# A loss on the last of 40 states, and the size of `dx` at each step before. `u` is a rotation of 16 units, scaled; the
# inputs are tiny, so that no tanh saturates. Mind the powers of ten.

# %% show
rng = np.random.default_rng(0)
rotation = np.linalg.qr(rng.normal(size=(16, 16)))[0]
inputs = 1e-6 * rng.normal(size=(1, 40, 16))
only_last = np.zeros((1, 40, 16))
only_last[0, -1] = rng.normal(size=16)
reach = {}
for scale in (0.8, 1.0, 1.2):
    dx, *_ = rnn_backward(only_last, inputs, np.zeros((1, 16)), np.eye(16), scale * rotation, np.zeros(16))
    reach[f"scaled by {scale}"] = np.linalg.norm(dx[0], axis=1)
plots.lines(
    reach, title="the last state's gradient on its way back", xlabel="step", ylabel="norm of dx", log=True
)

# %% [markdown]
# ## 4 A leash for the gradient
#
# A gradient that passes fifty steps is multiplied by $U^\top$ fifty times. It may grow by powers of ten, and one step
# downhill then throws the weights far away. The cure is blunt and works: before you step, look at **all** gradients as
# one long vector, and if it is too long, shorten it without turning it. With the gradients $g_1, \dots, g_n$ of all the
# arrays,
#
# $$N = \sqrt{\sum_i \lVert g_i \rVert^2}, \qquad g_i \leftarrow g_i \cdot \min\Bigl(1, \frac{N_{\max}}{N}\Bigr),$$
#
# where $\lVert g_i \rVert^2$ is the sum of the squares of $g_i$'s elements and $N_{\max}$ is `max_norm`.
#
# *To think about:* what would be lost if each array, or each number, were clipped on its own?


# %%
def require_positive(**numbers):
    """Raise `ValueError` unless every number is above 0, and finite."""
    for name, number in numbers.items():
        if not 0 < number < np.inf:
            raise ValueError(f"{name} is {number}, expected a finite number above 0")


# %% exercise="clip_by_global_norm"
def clip_by_global_norm(grads, max_norm):
    """Shorten gradients together until their common norm is at most `max_norm`.

    Args:
        grads: list of arrays of any shapes.
        max_norm: the largest norm, above 0.

    Returns:
        (grads, norm): a list of arrays of the same shapes, and the norm before.

    Raises:
        ValueError: when `max_norm` is not above 0.
    """
    ### BEGIN SOLUTION
    require_positive(max_norm=max_norm)
    norm = np.sqrt(sum(np.sum(grad**2) for grad in grads))
    scale = max_norm / max(norm, max_norm)
    return [grad * scale for grad in grads], norm
    ### END SOLUTION


# %% check="clip_by_global_norm"
check("clip_by_global_norm")

# %% [markdown]
# ### Look: a cliff
#
# One unit, twenty steps, and a loss on the last state alone: $(h_{20} + 0.2)^2$, as a map over the unit's two numbers
# `u` and `b`. Twenty tanh's upon each other make a plain that ends at a wall. Two walkers go downhill with your gradient
# from the same place. The free one touches the wall, takes one huge step, and is gone from the map.

# %% show
import matplotlib.pyplot as plt


def unit(u, b):
    """The arguments of a network of one unit and 20 steps from 0.5: `u` one number, `b` an input for each sequence."""
    b = np.ravel(b)
    constant = np.repeat(b.reshape(-1, 1, 1), 20, axis=1)
    return constant, np.full((b.size, 1), 0.5), np.ones((1, 1)), np.full((1, 1), u), np.zeros(1)


def walk(max_norm, steps=60, rate=0.2):
    u, b, path, norms = 1.73, -0.22, [], []
    for _ in range(steps):
        path.append((b, u))
        given = unit(u, b)
        upstream = np.zeros((1, 20, 1))
        upstream[:, -1] = 2 * (rnn_forward(*given)[:, -1] + 0.2)
        *_, du, db = rnn_backward(upstream, *given)
        (du, db), norm = clip_by_global_norm([du, db], max_norm)
        norms.append(norm)
        u, b = u - rate * du.item(), b - rate * db.item()
    return np.array(path), max(norms)


us, bs = np.linspace(0.2, 2.2, 101), np.linspace(-0.8, 0.4, 121)
loss = np.array([(rnn_forward(*unit(u, bs))[:, -1, 0] + 0.2) ** 2 for u in us])
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
figure.colorbar(axes.contourf(bs, us, loss, levels=20, cmap="Blues"), label="loss")
for name, max_norm, colour in [("free", 1e9, "tab:red"), ("on a leash of 0.5", 0.5, "tab:green")]:
    path, longest = walk(max_norm)
    axes.plot(*path.T, "o-", color=colour, markersize=4, label=f"{name}, largest norm {longest:.0f}")
axes.set(title="two walkers", xlabel="b", ylabel="u", xlim=(bs[0], bs[-1]), ylim=(us[0], us[-1]))
axes.legend(loc="lower right")
plt.show()

# %% [markdown]
# ## 5 The LSTM: one step
#
# Multiplying by $U$ at each step is what wears a memory out. The long short-term memory gives it a place of its own,
# the **cell** $c$, which nothing multiplies but a gate. A gate is a sigmoid between 0, shut, and 1, open; three of them
# and a candidate are computed like a simple network's state:
#
# $$i = \sigma(z_i), \quad f = \sigma(z_f), \quad g = \tanh(z_g), \quad o = \sigma(z_o), \qquad
# (z_i, z_f, z_g, z_o) = x\,W + h\,U + b.$$
#
# The four lie **side by side in this order**: input, forget, candidate, output. So `w` is (features, 4 * units), `u` is
# (units, 4 * units) and `b` is (4 * units,). Then
#
# $$c' = f \odot c + i \odot g, \qquad h' = o \odot \tanh(c').$$
#
# In words: keep of the old cell what the forget gate lets through, add of the candidate what the input gate lets in,
# and show of the new cell what the output gate lets out. Books and libraries order the four differently, and with
# weights from elsewhere you must know the order. Here it is Keras'.
#
# *To think about:* which biases make a cell that remembers everything?


# %% exercise="lstm_step"
def lstm_step(x, h, c, w, u, b):
    """One step of the LSTM; gates input, forget, candidate, output.

    Args:
        x: inputs, shape (batch, features).
        h: old state, shape (batch, units).
        c: old cell, shape (batch, units).
        w: weights of the input, shape (features, 4 * units).
        u: weights of the state, shape (units, 4 * units).
        b: bias, shape (4 * units,).

    Returns:
        (h, c): the new state and the new cell, each of shape (batch, units).

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_rank(2, x=x)
    require_fit(4, x, w, u, b, h=h, c=c)
    i, f, g, o = np.split(x @ w + h @ u + b, 4, axis=1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c), c
    ### END SOLUTION


# %% check="lstm_step"
check("lstm_step")

# %% [markdown]
# ## 6 The LSTM over a sequence
#
# The same loop as before, with two things to carry along. The layer above sees the states; of the cells you return the
# last one, from which somebody may go on.


# %% exercise="lstm_forward"
def lstm_forward(x, h0, c0, w, u, b):
    """The LSTM over a sequence.

    Args:
        x: inputs, shape (batch, time, features).
        h0: state before the first step, shape (batch, units).
        c0: cell before the first step, shape (batch, units).
        w: weights of the input, shape (features, 4 * units).
        u: weights of the state, shape (units, 4 * units).
        b: bias, shape (4 * units,).

    Returns:
        (states, c): the state after every step, shape (batch, time, units), and the last cell, shape (batch, units).

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_rank(3, x=x)
    require_fit(4, x, w, u, b, h0=h0, c0=c0)
    states, h, c = [], h0, c0
    for t in range(x.shape[1]):
        h, c = lstm_step(x[:, t], h, c, w, u, b)
        states.append(h)
    return np.stack(states, axis=1), c
    ### END SOLUTION


# %% check="lstm_forward"
check("lstm_forward")

# %% [markdown]
# ### Look: a memory set by hand
#
# One LSTM cell with weights that you can read. Its first input is a value that changes all the time, its second a mark.
# Without a mark the forget gate is open and the input gate shut, so the cell keeps; with one it is the other way round,
# and the value is written over the old one.

# %% show
values = rng.uniform(-1, 1, size=60)
marks = np.zeros(60)
marks[[4, 20, 41]] = 1
stream = np.stack([values, marks], axis=1)[np.newaxis]


def remembered(states, title):
    """Draw the values, the marked ones, and the states that should keep them."""
    _, axes = plt.subplots(figsize=(9, 3.4), layout="constrained")
    axes.plot(values, color="lightgrey", label="value")
    axes.plot(np.flatnonzero(marks), values[marks == 1], "o", color="black", label="marked")
    for name, state in states.items():
        axes.plot(state, label=name)
    axes.set(title=title, xlabel="step")
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1))
    plt.show()


by_hand = np.array([[0.0, 0.0, 1.0, 0.0], [20.0, -20.0, 0.0, 0.0]])  # input, forget, candidate, output
kept, _ = lstm_forward(
    stream, np.zeros((1, 1)), np.zeros((1, 1)), by_hand, np.zeros((1, 4)), np.array([-10.0, 10.0, 0.0, 10.0])
)
remembered({"state": kept[0, :, 0]}, "what was marked is kept")

# %% [markdown]
# ## 7 The LSTM: one step back
#
# The new state and the new cell both reach the loss, so two gradients come in: `dh` for $h'$, and `dc` for $c'$ as far
# as it acts on **later** steps. But $c'$ acts through $h'$ as well, and its whole gradient is the sum of both ways:
#
# $$d = dc + dh \odot o \odot \bigl(1 - \tanh^2(c')\bigr).$$
#
# Each gate's gradient is $d$ (for the output gate, `dh`) times what the gate was multiplied with, times the gate's own
# slope, which is $s(1 - s)$ for a sigmoid of value $s$ and $1 - g^2$ for the tanh:
#
# $$\begin{aligned}
# dz_i &= d \odot g \odot i\,(1 - i), & dz_f &= d \odot c \odot f\,(1 - f), \\
# dz_g &= d \odot i \odot (1 - g^2), & dz_o &= dh \odot \tanh(c') \odot o\,(1 - o).
# \end{aligned}$$
#
# Side by side they are the gradient of $x W + h U + b$, and the rest you know from the simple network. The old cell
# gets $d \odot f$: **no matrix, no tanh**, only a gate that may be wide open. That is the whole invention.
#
# *To think about:* which $c$ stands in $dz_f$, the old or the new one?


# %% exercise="lstm_step_backward"
def lstm_step_backward(dh, dc, x, h, c, w, u, b):
    """Gradients of one step of the LSTM.

    Args:
        dh: gradient of the loss with respect to the new state, shape (batch, units).
        dc: gradient of the loss with respect to the new cell, except through the new state, shape (batch, units).
        x: inputs, shape (batch, features).
        h: old state, shape (batch, units).
        c: old cell, shape (batch, units).
        w: weights of the input, shape (features, 4 * units).
        u: weights of the state, shape (units, 4 * units).
        b: bias, shape (4 * units,).

    Returns:
        (dx, dh, dc, dw, du, db): the gradients with respect to x, the old h, the old c, w, u and b.

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_rank(2, x=x)
    require_fit(4, x, w, u, b, h=h, c=c, dh=dh, dc=dc)
    i, f, g, o = np.split(x @ w + h @ u + b, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    shown = np.tanh(f * c + i * g)
    d = dc + dh * o * (1 - shown**2)
    gates = [d * g * i * (1 - i), d * c * f * (1 - f), d * i * (1 - g**2), dh * shown * o * (1 - o)]
    dz = np.concatenate(gates, axis=1)
    return dz @ w.T, dz @ u.T, d * f, x.T @ dz, h.T @ dz, dz.sum(axis=0)
    ### END SOLUTION


# %% check="lstm_step_backward"
check("lstm_step_backward")

# %% [markdown]
# ### Look: how far back now
#
# The same question as before, put to networks as they come from the initialiser: 16 units, small random weights, 60
# steps. Drawn is the gradient of the state, and with the LSTM of the cell too. One number makes all the difference: the
# bias of the forget gate, with which training starts. That is why libraries start it at 1.

# %% show
moments = rng.normal(size=(60, 1, 4))


def reach_of_lstm(forget_bias):
    w, u = rng.uniform(-0.25, 0.25, size=(4, 64)), rng.uniform(-0.25, 0.25, size=(16, 64))
    b = np.repeat([0.0, forget_bias, 0.0, 0.0], 16)
    h, c, past = np.zeros((1, 16)), np.zeros((1, 16)), []
    for x in moments:
        past.append((x, h, c))
        h, c = lstm_step(x, h, c, w, u, b)
    dh, dc, norms = np.ones((1, 16)), np.zeros((1, 16)), []
    for x, h, c in reversed(past):
        norms.append(np.hypot(np.linalg.norm(dh), np.linalg.norm(dc)))
        _, dh, dc, *_ = lstm_step_backward(dh, dc, x, h, c, w, u, b)
    return norms[::-1]


def reach_of_rnn():
    w, u = rng.uniform(-0.25, 0.25, size=(4, 16)), rng.uniform(-0.25, 0.25, size=(16, 16))
    states = rnn_forward(moments.transpose(1, 0, 2), np.zeros((1, 16)), w, u, np.zeros(16))
    dh, norms = np.ones((1, 16)), []
    for h in states[0, ::-1]:
        norms.append(np.linalg.norm(dh))
        dh = (dh * (1 - h**2)) @ u.T
    return norms[::-1]


reach = {"simple network": reach_of_rnn()}
reach |= {f"LSTM, forget bias {bias}": reach_of_lstm(bias) for bias in (0, 1, 4)}
plots.lines(reach, title="the last state's gradient on its way back", xlabel="step", ylabel="norm", log=True)

# %% [markdown]
# ## 8 The GRU: one step
#
# The gated recurrent unit asks whether one needs so much. It has no cell; its state itself is kept or replaced. One
# gate $z$, **update**, decides between old and new, and one gate $r$, **reset**, how much of the old state the
# candidate may see:
#
# $$z = \sigma(x W_z + b_z + h U_z + b'_z), \qquad r = \sigma(x W_r + b_r + h U_r + b'_r),$$
# $$g = \tanh\bigl(x W_g + b_g + r \odot (h\,U_g + b'_g)\bigr), \qquad h' = z \odot h + (1 - z) \odot g.$$
#
# The three lie side by side in the order update, reset, candidate. The bias `b` has **two rows** of 3 * units: $b$, added
# to the input's product, and $b'$, added to the state's. For the gates the two might as well be one. For the candidate
# they may not: the reset gate multiplies the second, and only the second.
#
# Books differ in two places. Many let the reset gate act on $h$ *before* the product with $U_g$, and some let $z$ and
# $1 - z$ change places. What you write here is what Keras computes (`reset_after=True`): with the reset gate after the
# product, all three products with $h$ are one.
#
# *To think about:* which gate of the LSTM is $z$? And which is $1 - z$?


# %% exercise="gru_step"
def gru_step(x, h, w, u, b):
    """One step of the GRU; gates update, reset, candidate, the reset gate acting after the product.

    Args:
        x: inputs, shape (batch, features).
        h: old state, shape (batch, units).
        w: weights of the input, shape (features, 3 * units).
        u: weights of the state, shape (units, 3 * units).
        b: biases, shape (2, 3 * units): the first row for the input's product, the second for the state's.

    Returns:
        The new state, shape (batch, units).

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_rank(2, x=x)
    require_fit(3, x, w, u, b, h=h)
    z_x, r_x, g_x = np.split(x @ w + b[0], 3, axis=1)
    z_h, r_h, g_h = np.split(h @ u + b[1], 3, axis=1)
    z, r = sigmoid(z_x + z_h), sigmoid(r_x + r_h)
    return z * h + (1 - z) * np.tanh(g_x + r * g_h)
    ### END SOLUTION


# %% check="gru_step"
check("gru_step")

# %% [markdown]
# ## 9 The GRU over a sequence


# %% exercise="gru_forward"
def gru_forward(x, h0, w, u, b):
    """The GRU over a sequence.

    Args:
        x: inputs, shape (batch, time, features).
        h0: state before the first step, shape (batch, units).
        w: weights of the input, shape (features, 3 * units).
        u: weights of the state, shape (units, 3 * units).
        b: biases, shape (2, 3 * units): the first row for the input's product, the second for the state's.

    Returns:
        The state after every step, shape (batch, time, units).

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_rank(3, x=x)
    require_fit(3, x, w, u, b, h0=h0)
    states, h = [], h0
    for t in range(x.shape[1]):
        h = gru_step(x[:, t], h, w, u, b)
        states.append(h)
    return np.stack(states, axis=1)
    ### END SOLUTION


# %% check="gru_forward"
check("gru_forward")

# %% [markdown]
# ### Look: how well a gate keeps
#
# The marked values once more, kept by a GRU. The mark shuts the update gate. Without a mark, the gate's bias says how
# open it is, and what it does not keep is replaced by the candidate: a gate that is nearly open leaks.

# %% show
leaks = {}
for bias in (2, 4, 10):
    update, candidate = [0.0, -bias - 10.0], [1.0, 0.0]
    weights = np.array([update, [0.0, 0.0], candidate]).T
    kept = gru_forward(
        stream, np.zeros((1, 1)), weights, np.zeros((1, 3)), np.array([[bias, 0.0, 0.0], [0.0] * 3])
    )
    leaks[f"update bias {bias}"] = kept[0, :, 0]
remembered(leaks, "what was marked is kept, more or less")

# %% [markdown]
# ## All together: adding, with a long memory
#
# A sequence of 30 pairs: a random number from 0 to 1, and a mark. Two of the numbers are marked, one in the first half
# and one in the second. After the last step the network is to say the **sum of the two marked ones**. Hochreiter and
# Schmidhuber made up this problem for the paper in which the LSTM appeared: nothing but memory solves it. Who always says
# 1 has a mean squared error of $\frac16$, the variance of the sum of two such numbers.
#
# Your LSTM of 16 units reads the sequence, and a dense layer of one output reads its last state. The gradient of the
# loss enters there, and goes back from step to step through your `lstm_step_backward`: from each step comes what it
# says about the weights, which is added up, and the `dh` and `dc` for the step before. Then your `clip_by_global_norm`,
# and a step downhill that keeps 0.9 of the last one, as a ball keeps rolling, at a learning rate that falls to zero.
#
# The rate starts at 1.5, which is bold. **Twice the same training, from the same weights on the same data**: once free, once on a
# leash of 0.05.
#
# **To reach:** a mean squared error below 0.005 on 1,000 new sequences.


# %% show
def adding_problem(rng, batch, steps):
    """Sequences (batch, steps, 2) of numbers and marks, and the sums (batch, 1) of the marked numbers."""
    x = np.zeros((batch, steps, 2))
    x[..., 0] = rng.uniform(size=(batch, steps))
    x[np.arange(batch), rng.integers(0, steps // 2, batch), 1] = 1
    x[np.arange(batch), rng.integers(steps // 2, steps, batch), 1] = 1
    return x, np.sum(x[..., 0] * x[..., 1], axis=1, keepdims=True)


def answers(parameters, x):
    w, u, b, v, a = parameters
    zeros = np.zeros((len(x), len(u)))
    states, _ = lstm_forward(x, zeros, zeros, w, u, b)
    return states[:, -1] @ v + a


def loss_and_gradients(parameters, x, y):
    """The mean squared error, and its gradients with respect to w, u, b of the LSTM and v, a of the dense layer."""
    w, u, b, v, a = parameters
    h = c = np.zeros((len(x), len(u)))
    past = []
    for t in range(x.shape[1]):
        past.append((x[:, t], h, c))
        h, c = lstm_step(x[:, t], h, c, w, u, b)
    error = h @ v + a - y
    upstream = 2 * error / len(x)
    dh, dc = upstream @ v.T, np.zeros_like(c)
    dv, da = h.T @ upstream, upstream.sum(axis=0)
    dw, du, db = np.zeros_like(w), np.zeros_like(u), np.zeros_like(b)
    for moment, h, c in reversed(past):
        _, dh, dc, *shares = lstm_step_backward(dh, dc, moment, h, c, w, u, b)
        dw, du, db = dw + shares[0], du + shares[1], db + shares[2]
    return np.mean(error**2), [dw, du, db, dv, da]


def train(max_norm, units=16, steps=1000):
    """The trained parameters, and the loss and the gradients' norm at every step; it ends early if the loss explodes."""
    rng = np.random.default_rng(0)
    shapes = [(2, 4 * units), (units, 4 * units), (units, 1)]
    w, u, v = (rng.uniform(-1, 1, size=shape) / np.sqrt(units) for shape in shapes)
    parameters = [w, u, np.repeat([0.0, 1.0, 0.0, 0.0], units), v, np.ones(1)]
    velocity = [np.zeros_like(each) for each in parameters]
    losses, norms = [], []
    for step in range(steps):
        loss, grads = loss_and_gradients(parameters, *adding_problem(rng, 32, 30))
        grads, norm = clip_by_global_norm(grads, max_norm)
        losses.append(loss)
        norms.append(norm)
        if not loss < 1e3:
            break
        rate = 1.5 * (1 - step / steps)
        velocity = [0.9 * one - rate * grad for one, grad in zip(velocity, grads, strict=True)]
        parameters = [each + one for each, one in zip(parameters, velocity, strict=True)]
    return parameters, losses, norms


_, free_losses, free_norms = train(max_norm=1e9)
trained, losses, norms = train(max_norm=0.05)

nothing_known = {"free": free_losses, "on a leash": losses, "always 1": np.full(1000, 1 / 6)}
display(plots.lines(nothing_known, title="the loss", xlabel="step", ylabel="mean squared error", log=True))
lengths = {"free": free_norms, "on a leash, before clipping": norms, "the leash": np.full(1000, 0.05)}
display(plots.lines(lengths, title="the gradients' norm", xlabel="step", log=True))

x, sums = adding_problem(np.random.default_rng(1), 1000, 30)
error = np.mean((answers(trained, x) - sums) ** 2)
print(f"free: a loss of {free_losses[-1]:.1e} after {len(free_losses)} steps")
print(
    f"on a leash: a mean squared error of {error:.5f} on new sequences, where always 1 has {np.mean((sums - 1) ** 2):.5f}"
)
assert error < 0.005, "it has not learned to add: is a gradient, or the clipping, off?"

# %% [markdown]
# The free training is over before it has begun: one gradient is large, the step it causes lands where the next is larger, and so
# on. On its leash the network walks along the plain where it knows nothing, and one can see on the loss where it found
# out. A timid rate survives without a leash, too; find one, and count the steps it needs. Then set the forget gate's
# first bias to -2. Try sequences of 60. Put the GRU in the LSTM's place (you will have to derive its way back), or your
# simple network, and see who still learns.
