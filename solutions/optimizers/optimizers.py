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
# # Optimizers
#
# A loss says how bad the parameters are, its gradient says which way is up. What remains is to walk: how far, with how
# much data at a time, and with how much memory of the way so far. That is all an optimizer is, and it decides whether
# your network learns in a minute, in a day, or never.
#
# You will write gradient descent, the batches it feeds on, and the six rules that improve it, from momentum to Adam.
# At the end all of them race: down a ravine, through a bent valley, and on handwritten digits. The lesson
# (`optimizers.html` beside this notebook, or `course/optimizers.md`) derives every rule.
#
# From section 3 on each function is **one step**, and all have the same form:
#
# `theta, state = some_step(theta, grad, state, learning_rate=...)`
#
# `theta` is an array of parameters of any shape, `grad` is the gradient of the loss with respect to it, of the same
# shape. `state` is a dict in which a rule keeps what it has to remember. It is `{}` before the first step; what you put
# in, under which names, is your own affair, and you get it back at the next step. Two rules hold throughout:
#
# - **A step is pure.** It changes neither `theta` nor `grad` nor `state`: it returns a new theta and a new dict. So
#   `theta -= ...`, `state["v"] = ...` and `velocity *= 0.9` are out, `theta = theta - ...` and `{"v": ...}` are in.
# - **Element by element.** Every parameter is treated alike and on its own; never write a loop over elements.

# %%
import numpy as np

from course import data, plots

# %% [markdown]
# ## Given: guards and a walk
#
# The guards stop two famous silences: a gradient of another shape, which NumPy would stretch to fit, and a number out
# of its range. Call them first thing in a function, for example `require_fraction(momentum=momentum)`. `walk` takes
# many steps and is what you look at your rules with.


# %%
def require_same_shape(**arrays):
    """Raise `ValueError` unless all arrays have the shape of the first."""
    (first, one), *others = arrays.items()
    for name, other in others:
        if np.shape(other) != np.shape(one):
            raise ValueError(
                f"{name} has shape {np.shape(other)}, expected {np.shape(one)}, the shape of {first}"
            )


def require_same_length(**arrays):
    """Raise `ValueError` unless all arrays have rows, and as many as the first."""
    (first, one), *_ = arrays.items()
    for name, array in arrays.items():
        if np.ndim(array) == 0 or len(array) != len(one):
            raise ValueError(f"{name} has shape {np.shape(array)}, expected as many rows as {first} has")


def require_at_least(low, **numbers):
    """Raise `ValueError` unless every number is at least `low`."""
    for name, number in numbers.items():
        if not number >= low:
            raise ValueError(f"{name} is {number}, expected at least {low}")


def require_fraction(**numbers):
    """Raise `ValueError` unless every number is at least 0 and below 1."""
    for name, number in numbers.items():
        if not 0 <= number < 1:
            raise ValueError(f"{name} is {number}, expected from 0 to below 1")


def require_positive(**numbers):
    """Raise `ValueError` unless every number is above 0."""
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} is {number}, expected above 0")


def walk(step, gradient, theta, steps, **hyper):
    """The places that an optimizer comes through: an array of shape (steps + 1, *theta.shape)."""
    theta, state = np.asarray(theta, float), {}
    places = [theta]
    for _ in range(steps):
        theta, state = step(theta, gradient(theta), state, **hyper)
        places.append(theta)
    return np.array(places)


# %% [markdown]
# ## 1 Batch gradient descent
#
# The loss $L(\theta)$ is a landscape over the parameters $\theta$, and the gradient $\nabla L(\theta)$ points straight
# uphill. So go the other way, by a small multiple $\eta$ of it, and ask again:
#
# $$\theta \;\leftarrow\; \theta - \eta\,\nabla L(\theta)$$
#
# $\eta$, read "eta", is the learning rate, `learning_rate` in the code. **Batch** gradient descent asks for the
# gradient over *all* the data, once an epoch (a pass over the data). Your function gets the gradient as a function:
# `gradient(theta, data)` returns an array of theta's shape, and what `data` is, only `gradient` knows.
#
# *To think about:* near the bottom the slope is small, and so is the step. Who slows down, you or the landscape?


# %% exercise="batch_gradient_descent"
def batch_gradient_descent(theta, gradient, data, learning_rate, epochs):
    """Descend with the gradient over all the data, once an epoch.

    Args:
        theta: array of any shape, where to start.
        gradient: function of (theta, data), which returns an array of `theta`'s shape.
        data: what `gradient` is to be given; pass it on as it is.
        learning_rate: the size of a step, not negative.
        epochs: how many steps.

    Returns:
        Array of `theta`'s shape, the parameters after the last epoch.

    Raises:
        ValueError: when `learning_rate` or `epochs` is negative, or a gradient has another shape than `theta`.
    """
    ### BEGIN SOLUTION
    require_at_least(0, learning_rate=learning_rate, epochs=epochs)
    for _ in range(epochs):
        grad = gradient(theta, data)
        require_same_shape(theta=theta, gradient=grad)
        theta = theta - learning_rate * grad
    return theta
    ### END SOLUTION


# %% check="batch_gradient_descent"
check("batch_gradient_descent")

# %% [markdown]
# ### Look: how long a step?
#
# A bowl of curvature 1, `loss = theta**2 / 2`, from theta = 1. Each step multiplies theta by $1 - \eta$. Guess the
# four curves before you run the cell: where does it crawl, where does it jump across, where does it leave?

# %% show
rates = [0.05, 0.5, 1.8, 2.05]
plots.lines(
    {
        f"learning rate {rate}": [
            batch_gradient_descent(np.ones(1), lambda theta, _: theta, None, rate, epochs)[0]
            for epochs in range(21)
        ]
        for rate in rates
    },
    x=np.arange(21),
    title="theta, on its way to 0",
    xlabel="epoch",
)

# %% [markdown]
# ## 2 Minibatches
#
# A gradient over a million examples costs a million evaluations and buys a single step. The gradient over 32 of them
# points in nearly the same direction (it is an unbiased estimate), costs a thirty-thousandth, and you can step at
# once. So cut the epoch into small batches:
#
# - **shuffled anew each epoch**, or the network learns the order (all zeros first, then all ones, ...);
# - **in pairs**: row $i$ of `x` stays with row $i$ of `y`;
# - **every example once**; the last batch takes what is left and may be short.
#
# `rng` is a NumPy generator; `rng.permutation(n)` gives the numbers 0 to n - 1 in random order. Make your function a
# generator (`yield x_batch, y_batch`), or return a list of pairs: both can be looped over.
#
# *To think about:* `rng.shuffle(x)` and `rng.shuffle(y)` are two mistakes. Which?


# %% exercise="minibatches"
def minibatches(x, y, batch_size, rng):
    """Go once over the examples, shuffled, in batches.

    Args:
        x: array (n, ...), one row an example.
        y: array (n, ...), what belongs to each.
        batch_size: how many examples a batch has; the last may have fewer.
        rng: NumPy random generator.

    Returns:
        What can be looped over: pairs (rows of `x`, the same rows of `y`), every example in one of them.

    Raises:
        ValueError: when `x` and `y` have not as many rows, or `batch_size` is below 1.
    """
    ### BEGIN SOLUTION
    require_same_length(x=x, y=y)
    require_at_least(1, batch_size=batch_size)
    order = rng.permutation(len(x))
    batches = [order[start : start + batch_size] for start in range(0, len(x), batch_size)]
    return ((x[rows], y[rows]) for rows in batches)
    ### END SOLUTION


# %% check="minibatches"
check("minibatches")

# %% [markdown]
# ### Look: what a batch costs, and what it buys
#
# A linear classifier of handwritten digits (softmax regression), three times two epochs with the same learning rate
# and the same number of examples looked at. Small batches make a rough way, and get much further on it.

# %% show
digits, labels, test_digits, test_labels = data.digits()
one_hot = np.eye(10)[labels]


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def cross_entropy(probabilities, truth):
    return -np.mean(np.log(np.sum(probabilities * truth, axis=1) + 1e-12))


seen, losses = {}, {}
for batch_size in (1437, 128, 8):
    rng, weights = np.random.default_rng(0), np.zeros((64, 10))
    name = f"batches of {batch_size}"
    seen[name], losses[name] = [0], [np.log(10)]
    for _ in range(2):
        for x, y in minibatches(digits, one_hot, batch_size, rng):
            weights = weights - 0.3 * x.T @ (softmax(x @ weights) - y) / len(x)
            seen[name].append(seen[name][-1] + len(x))
            losses[name].append(cross_entropy(softmax(digits @ weights), one_hot))

marks = np.arange(0, 2 * len(digits) + 1, 50)
plots.lines(
    {name: np.interp(marks, seen[name], losses[name]) for name in seen},
    x=marks,
    title="loss over all digits",
    xlabel="examples looked at",
)

# %% [markdown]
# ## 3 One step of plain descent
#
# From here on somebody else makes the batches and the gradients, and you write the step. The first is the rule of
# section 1 again, with the gradient of one batch: stochastic gradient descent, **SGD**,
#
# $$\theta \leftarrow \theta - \eta\, g$$
#
# where $g$ is `grad`. It has nothing to remember: hand the state back as it came.


# %% exercise="sgd_step"
def sgd_step(theta, grad, state, learning_rate=0.01):
    """One step of stochastic gradient descent.

    Args:
        theta: array of any shape, the parameters.
        grad: array of `theta`'s shape, their gradient.
        state: dict, `{}` before the first step.
        learning_rate: the size of a step, not negative.

    Returns:
        (theta, state): the new parameters, and a dict for the next step.

    Raises:
        ValueError: when the shapes differ or `learning_rate` is negative.
    """
    ### BEGIN SOLUTION
    require_same_shape(theta=theta, grad=grad)
    require_at_least(0, learning_rate=learning_rate)
    return theta - learning_rate * grad, state
    ### END SOLUTION


# %% check="sgd_step"
check("sgd_step")

# %% [markdown]
# ### Look: the trouble with ravines
#
# A long valley, 50 times as steep across as along. The steep walls bound the step: beyond $\eta = 2/50$ it flies off.
# And with what they allow, the way along the valley takes for ever.


# %% show
def ravine(x, y):
    return (x**2 + 50 * y**2) / 2


def ravine_gradient(theta):
    return np.array([1, 50]) * theta


start, spans = (-9.0, 1.2), ((-10, 4), (-2, 2))
plots.landscape(
    ravine,
    {
        f"learning rate {rate}": walk(sgd_step, ravine_gradient, start, 40, learning_rate=rate)
        for rate in (0.038, 0.01)
    },
    *spans,
    goal=(0, 0),
    title="Forty steps of plain descent, from the square to the star",
)

# %% [markdown]
# ## 4 Momentum
#
# Let a heavy ball roll down instead. It has a velocity $v$, of theta's shape and 0 at the start. Each step keeps a
# part $\mu$ ("mu", `momentum`) of it, and the slope pushes:
#
# $$v \leftarrow \mu v - \eta\, g, \qquad \theta \leftarrow \theta + v.$$
#
# Across the ravine the pushes alternate and cancel; along it they add up, at a steady slope to
# $1 + \mu + \mu^2 + \dots = 1/(1-\mu)$ times the plain step: ten times at $\mu = 0.9$.
#
# Many books write $v \leftarrow \mu v + \eta g$ and $\theta \leftarrow \theta - v$. That is the same algorithm with the
# velocity counted uphill, and you may write either. What you may not is take one line from each.
#
# *To think about:* the first step must know that there is no velocity yet. What does `state.get("velocity", ...)` do?


# %% exercise="momentum_step"
def momentum_step(theta, grad, state, learning_rate=0.01, momentum=0.9):
    """One step of gradient descent with momentum.

    Args:
        theta: array of any shape, the parameters.
        grad: array of `theta`'s shape, their gradient.
        state: dict, `{}` before the first step.
        learning_rate: the size of a push, not negative.
        momentum: what is kept of the velocity, at least 0 and below 1.

    Returns:
        (theta, state): the new parameters, and a dict for the next step.

    Raises:
        ValueError: when the shapes differ or a number is out of its range.
    """
    ### BEGIN SOLUTION
    require_same_shape(theta=theta, grad=grad)
    require_at_least(0, learning_rate=learning_rate)
    require_fraction(momentum=momentum)
    velocity = momentum * state.get("velocity", np.zeros_like(theta)) - learning_rate * grad
    return theta + velocity, {"velocity": velocity}
    ### END SOLUTION


# %% check="momentum_step"
check("momentum_step")

# %% [markdown]
# ### Look: the ball in the ravine

# %% show
plots.landscape(
    ravine,
    {
        "plain": walk(sgd_step, ravine_gradient, start, 40, learning_rate=0.01),
        "momentum 0.8": walk(momentum_step, ravine_gradient, start, 40, learning_rate=0.01, momentum=0.8),
        "momentum 0.95": walk(momentum_step, ravine_gradient, start, 40, learning_rate=0.01, momentum=0.95),
    },
    *spans,
    goal=(0, 0),
    title="Forty steps with learning rate 0.01",
)

# %% [markdown]
# ## 5 Nesterov's momentum
#
# A ball with momentum overshoots, because it notices the other wall only when it is on it. Nesterov's idea: since the
# momentum will carry you on anyway, take its next push into account already now. Make the new velocity as before, then
# apply the rule of the velocity once more with the same gradient:
#
# $$v \leftarrow \mu v - \eta\, g, \qquad \theta \leftarrow \theta + \mu v - \eta\, g.$$
#
# The $v$ on the right is the **new** one. (With the old one this would be plain momentum: compare.) Written like this,
# as in Keras, the parameters you hold are always the looked-ahead ones, so the gradient you are given is taken there;
# the lesson shows that this is Nesterov's own rule in other variables.


# %% exercise="nesterov_step"
def nesterov_step(theta, grad, state, learning_rate=0.01, momentum=0.9):
    """One step of gradient descent with Nesterov's momentum.

    Args:
        theta: array of any shape, the parameters.
        grad: array of `theta`'s shape, their gradient.
        state: dict, `{}` before the first step.
        learning_rate: the size of a push, not negative.
        momentum: what is kept of the velocity, at least 0 and below 1.

    Returns:
        (theta, state): the new parameters, and a dict for the next step.

    Raises:
        ValueError: when the shapes differ or a number is out of its range.
    """
    ### BEGIN SOLUTION
    require_same_shape(theta=theta, grad=grad)
    require_at_least(0, learning_rate=learning_rate)
    require_fraction(momentum=momentum)
    velocity = momentum * state.get("velocity", np.zeros_like(theta)) - learning_rate * grad
    return theta + momentum * velocity - learning_rate * grad, {"velocity": velocity}
    ### END SOLUTION


# %% check="nesterov_step"
check("nesterov_step")

# %% [markdown]
# ### Look: looking ahead calms the ball

# %% show
plots.landscape(
    ravine,
    {
        "momentum": walk(momentum_step, ravine_gradient, start, 40, learning_rate=0.015, momentum=0.9),
        "Nesterov": walk(nesterov_step, ravine_gradient, start, 40, learning_rate=0.015, momentum=0.9),
    },
    *spans,
    goal=(0, 0),
    title="Forty steps with learning rate 0.015, momentum 0.9",
)

# %% [markdown]
# ## 6 Adagrad
#
# Why should all parameters share one learning rate? A weight behind a rare word gets a gradient once in a thousand
# steps and should use it; one behind "the" gets one every time. Adagrad sums, for each parameter, the squares of all its
# gradients so far, and divides by the root:
#
# $$a \leftarrow a + g^2, \qquad \theta \leftarrow \theta - \frac{\eta\, g}{\sqrt{a + \epsilon}}$$
#
# with $a$, the accumulator, **0.1 at the start**, and $\epsilon$ ("epsilon") **under the root**, as in Keras. All of it
# is element by element: $g^2$ is the square of each element.
#
# *To think about:* multiply the loss by 1000. What happens to a plain step, and what to Adagrad's?


# %% exercise="adagrad_step"
def adagrad_step(theta, grad, state, learning_rate=0.001, epsilon=1e-7):
    """One step of Adagrad.

    Args:
        theta: array of any shape, the parameters.
        grad: array of `theta`'s shape, their gradient.
        state: dict, `{}` before the first step; the accumulator starts at 0.1.
        learning_rate: the size of a step, not negative.
        epsilon: added under the root, above 0.

    Returns:
        (theta, state): the new parameters, and a dict for the next step.

    Raises:
        ValueError: when the shapes differ or a number is out of its range.
    """
    ### BEGIN SOLUTION
    require_same_shape(theta=theta, grad=grad)
    require_at_least(0, learning_rate=learning_rate)
    require_positive(epsilon=epsilon)
    accumulator = state.get("accumulator", 0.1) + grad**2
    return theta - learning_rate * grad / np.sqrt(accumulator + epsilon), {"accumulator": accumulator}
    ### END SOLUTION


# %% check="adagrad_step"
check("adagrad_step")

# %% [markdown]
# ### Look: no more ravine, and no more breath
#
# Adagrad does not see the ravine at all: it goes diagonally, because each direction has its own measure. But the sum
# only grows, and its steps get shorter and shorter.

# %% show
plots.landscape(
    ravine,
    {
        "plain": walk(sgd_step, ravine_gradient, start, 40, learning_rate=0.038),
        "Adagrad": walk(adagrad_step, ravine_gradient, start, 40, learning_rate=1.0),
    },
    *spans,
    goal=(0, 0),
    title="Forty steps",
)

# %% [markdown]
# ## 7 RMSprop
#
# The cure for the endless sum is an average that forgets. Keep $\rho$ ("rho") of the old average and take $1-\rho$ of
# the new square:
#
# $$a \leftarrow \rho\, a + (1 - \rho)\, g^2, \qquad \theta \leftarrow \theta - \frac{\eta\, g}{\sqrt{a + \epsilon}}$$
#
# with $a = 0$ at the start. It remembers about the last $1/(1-\rho)$ steps. Its root is the **r**oot **m**ean **s**quare
# of the recent gradients, hence the name. Keras again has $\epsilon$ under the root.
#
# *To think about:* at the first step $a = (1-\rho)\,g^2$. How long is that step, whatever the gradient?


# %% exercise="rmsprop_step"
def rmsprop_step(theta, grad, state, learning_rate=0.001, rho=0.9, epsilon=1e-7):
    """One step of RMSprop.

    Args:
        theta: array of any shape, the parameters.
        grad: array of `theta`'s shape, their gradient.
        state: dict, `{}` before the first step.
        learning_rate: the size of a step, not negative.
        rho: what the average keeps, at least 0 and below 1.
        epsilon: added under the root, above 0.

    Returns:
        (theta, state): the new parameters, and a dict for the next step.

    Raises:
        ValueError: when the shapes differ or a number is out of its range.
    """
    ### BEGIN SOLUTION
    require_same_shape(theta=theta, grad=grad)
    require_at_least(0, learning_rate=learning_rate)
    require_fraction(rho=rho)
    require_positive(epsilon=epsilon)
    average = rho * state.get("average", np.zeros_like(theta)) + (1 - rho) * grad**2
    return theta - learning_rate * grad / np.sqrt(average + epsilon), {"average": average}
    ### END SOLUTION


# %% check="rmsprop_step"
check("rmsprop_step")

# %% [markdown]
# ### Look: how long is a step?
#
# A single parameter whose gradient is 1, then 10 for a while, then 1 again. A plain step follows the gradient; Adagrad
# shortens for good; RMSprop gets used to anything, and starts too boldly.

# %% show
pushes = np.repeat([1.0, 10.0, 1.0], 50).reshape(-1, 1)


def lengths(step, **hyper):
    """How far each step leads under these pushes, with learning rate 1."""
    coming = iter(pushes)
    return -np.diff(
        walk(step, lambda theta: next(coming), [0.0], len(pushes), learning_rate=1.0, **hyper)[:, 0]
    )


plots.lines(
    {
        "plain": lengths(sgd_step),
        "Adagrad": lengths(adagrad_step),
        "RMSprop": lengths(rmsprop_step),
    },
    title="length of a step, learning rate 1",
    xlabel="step",
    log=True,
)

# %% [markdown]
# ## 8 Adadelta
#
# Look at the units. If theta is in metres and the loss has none, the gradient is in 1/metre, and a step along it is not
# in metres. Adagrad's and RMSprop's steps have no unit at all. Zeiler's Adadelta puts a second average on top, of the
# squared **steps**, so that the root of it gives the unit back:
#
# $$a \leftarrow \rho\, a + (1-\rho)\, g^2, \qquad \delta = -\frac{\sqrt{d + \epsilon}}{\sqrt{a + \epsilon}}\; g, \qquad
# d \leftarrow \rho\, d + (1-\rho)\,\delta^2, \qquad \theta \leftarrow \theta + \eta\,\delta$$
#
# with $a = d = 0$ at the start. Mind the order: the step uses the **old** $d$, since the new one needs the step.
# In the paper there is no $\eta$ at all, that is, $\eta = 1$. Keras has one and defaults to 0.001, which hardly moves;
# it scales the step at the very end, and $d$ averages the steps before that.
#
# *To think about:* at the first step $d = 0$. What keeps it from standing still for ever?


# %% exercise="adadelta_step"
def adadelta_step(theta, grad, state, learning_rate=0.001, rho=0.95, epsilon=1e-7):
    """One step of Adadelta.

    Args:
        theta: array of any shape, the parameters.
        grad: array of `theta`'s shape, their gradient.
        state: dict, `{}` before the first step.
        learning_rate: scales the step at the end, not negative; 1 in the paper.
        rho: what both averages keep, at least 0 and below 1.
        epsilon: added under both roots, above 0.

    Returns:
        (theta, state): the new parameters, and a dict for the next step.

    Raises:
        ValueError: when the shapes differ or a number is out of its range.
    """
    ### BEGIN SOLUTION
    require_same_shape(theta=theta, grad=grad)
    require_at_least(0, learning_rate=learning_rate)
    require_fraction(rho=rho)
    require_positive(epsilon=epsilon)
    squares = rho * state.get("squares", np.zeros_like(theta)) + (1 - rho) * grad**2
    deltas = state.get("deltas", np.zeros_like(theta))
    delta = -np.sqrt(deltas + epsilon) / np.sqrt(squares + epsilon) * grad
    return theta + learning_rate * delta, {
        "squares": squares,
        "deltas": rho * deltas + (1 - rho) * delta**2,
    }
    ### END SOLUTION


# %% check="adadelta_step"
check("adadelta_step")

# %% [markdown]
# ### Look: epsilon starts the engine
#
# Adadelta begins with a step of about $\sqrt{\epsilon/(1-\rho)}$ and makes each one from those before, so what epsilon
# began goes on for long. The learning rate that the paper got rid of has not quite gone: some of it hides in epsilon.

# %% show
plots.lines(
    {f"epsilon {epsilon:g}": lengths(adadelta_step, epsilon=epsilon) for epsilon in (1e-7, 1e-5, 1e-3)},
    title="length of Adadelta's steps, under the pushes of section 7",
    xlabel="step",
    log=True,
)

# %% [markdown]
# ## 9 Adam
#
# Momentum averages the gradient, RMSprop averages its square. Adam ("adaptive moments") does both:
#
# $$m \leftarrow \beta_1 m + (1 - \beta_1)\, g, \qquad v \leftarrow \beta_2 v + (1 - \beta_2)\, g^2 .$$
#
# $m$ is the first moment, $v$ the second, and both start at 0. So both begin too small: after $t$ steps the average
# holds only $1 - \beta^t$ of what it should (the lesson derives it). Adam divides by just that, the **bias correction**,
#
# $$\hat m = \frac{m}{1 - \beta_1^t}, \qquad \hat v = \frac{v}{1 - \beta_2^t}, \qquad
# \theta \leftarrow \theta - \eta\,\frac{\hat m}{\sqrt{\hat v} + \epsilon},$$
#
# where $t$ is 1 at the first step. The state keeps $m$ and $v$ as they are, not corrected, and $t$.
#
# This is the algorithm as its paper prints it, with $\epsilon$ beside the corrected root. Keras and the paper's own
# remark on efficiency put both corrections into the learning rate,
# $\eta_t = \eta\,\sqrt{1-\beta_2^t}/(1-\beta_1^t)$, and step by $\eta_t\, m / (\sqrt v + \epsilon)$: the same but for what
# $\epsilon$ stands beside. Write either. (A widely shared cheat sheet feeds the second moment with the squared $m$, which it calls $v$,
# in place of the squared gradient. It is the squared **gradient**.)
#
# *To think about:* how long is the very first step, whatever the gradient?


# %% exercise="adam_step"
def adam_step(theta, grad, state, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    """One step of Adam.

    Args:
        theta: array of any shape, the parameters.
        grad: array of `theta`'s shape, their gradient.
        state: dict, `{}` before the first step.
        learning_rate: the size of a step, not negative.
        beta_1: what the first moment keeps, at least 0 and below 1.
        beta_2: what the second moment keeps, at least 0 and below 1.
        epsilon: added to the root, above 0.

    Returns:
        (theta, state): the new parameters, and a dict for the next step.

    Raises:
        ValueError: when the shapes differ or a number is out of its range.
    """
    ### BEGIN SOLUTION
    require_same_shape(theta=theta, grad=grad)
    require_at_least(0, learning_rate=learning_rate)
    require_fraction(beta_1=beta_1, beta_2=beta_2)
    require_positive(epsilon=epsilon)
    t = state.get("t", 0) + 1
    m = beta_1 * state.get("m", np.zeros_like(theta)) + (1 - beta_1) * grad
    v = beta_2 * state.get("v", np.zeros_like(theta)) + (1 - beta_2) * grad**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return theta - learning_rate * m_hat / (np.sqrt(v_hat) + epsilon), {"t": t, "m": m, "v": v}
    ### END SOLUTION


# %% check="adam_step"
check("adam_step")

# %% [markdown]
# ### Look: what the correction corrects
#
# The length of Adam's first steps, in learning rates, while the gradient is steady; and what it would be if you
# took $m$ and $v$ as they are.

# %% show
t = np.arange(1, 101)
places = walk(adam_step, lambda theta: np.ones(1), [0.0], 100, learning_rate=1.0)
plots.lines(
    {"yours": -np.diff(places[:, 0]), "without correction": (1 - 0.9**t) / np.sqrt(1 - 0.999**t)},
    title="Adam's steps under a steady gradient",
    xlabel="step",
)

# %% [markdown]
# ## The race, part one: two surfaces
#
# Your seven rules start side by side. The first course is the ravine. The second is Beale's function,
#
# $$f(x, y) = (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2,$$
#
# a plain with a bent valley in it, whose lowest place is $(3, 0.5)$. To be fair, every rule runs with 28 learning
# rates and is shown with its best among those that do not leave the map. It has arrived when it has come within 0.05
# of the goal and stays there.
#
# **To reach:** in Beale's valley momentum, Nesterov and Adam arrive at least a hundred steps before plain descent.


# %% show
def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def beale_gradient(theta):
    x, y = theta
    errors = 1.5 - x + x * y, 2.25 - x + x * y**2, 2.625 - x + x * y**3
    powers = range(1, 4)
    along_x = sum(2 * e * (y**k - 1) for e, k in zip(errors, powers, strict=True))
    along_y = sum(2 * e * k * x * y ** (k - 1) for e, k in zip(errors, powers, strict=True))
    return np.array([along_x, along_y])


rules = {
    "SGD": sgd_step,
    "momentum": momentum_step,
    "Nesterov": nesterov_step,
    "Adagrad": adagrad_step,
    "RMSprop": rmsprop_step,
    "Adadelta": adadelta_step,
    "Adam": adam_step,
}
most = 300


def best_walk(step, gradient, start, goal, spans):
    """How many steps the best of 28 learning rates needs, and its walk; `most` when it does not arrive."""
    low, high = np.transpose(spans)
    walks = []
    for learning_rate in np.logspace(-4, 2.75, 28):
        with np.errstate(all="ignore"):  # too large a rate flies off
            places = walk(step, gradient, start, most, learning_rate=learning_rate)
            distance = np.hypot(*(places - goal).T)
        outside = np.nonzero(~(distance <= 0.05))[0]
        if np.all((low <= places) & (places <= high)):
            walks.append((min(outside[-1] + 1, most), distance[-1], places))
    steps, _, places = min(walks, key=lambda one: one[:2])
    return steps, places


courses = {
    "The ravine": (ravine, ravine_gradient, start, (0, 0), spans),
    "Beale's valley": (beale, beale_gradient, (1.0, 1.5), (3, 0.5), ((-1, 4.5), (-2.5, 2))),
}
steps_needed = {}
for course, (surface, gradient, begin, goal, course_spans) in courses.items():
    results = {name: best_walk(step, gradient, begin, goal, course_spans) for name, step in rules.items()}
    steps_needed[course] = {name: steps for name, (steps, _) in results.items()}
    shown = {
        f"{name}: {steps} steps" if steps < most else f"{name}: not in {most}": places[: steps + 1]
        for name, (steps, places) in results.items()
    }
    display(
        plots.landscape(surface, shown, *course_spans, goal=goal, title=course, columns=4, together=False)
    )

valley = steps_needed["Beale's valley"]
for name in ("momentum", "Nesterov", "Adam"):
    assert valley[name] <= valley["SGD"] - 100, f"{name} is no faster than that? Look at its state"

# %% [markdown]
# *To think about:* in the ravine nobody comes near Adagrad. Now turn the ravine by 45 degrees (with the matrix
# `turn = np.array([[1, 1], [-1, 1]]) / np.sqrt(2)` its gradient is `ravine_gradient(theta @ turn) @ turn.T`) and let
# them race again. Whom does that trouble, and why does it leave plain descent and momentum cold?
#
# ## The race, part two: digits
#
# Now a network: 64 pixels, 32 units with ReLU, 10 digits. Its gradients are given. What is yours is the loop: your
# batches, your steps. Each of the four arrays of parameters has a **state of its own**.
#
# **To reach:** with each of the seven rules, at least 94 % of the digits that it has never seen, after ten epochs.


# %% show
def forward(parameters, x):
    hidden = np.maximum(x @ parameters["w1"] + parameters["b1"], 0)
    return hidden, softmax(hidden @ parameters["w2"] + parameters["b2"])


def gradients(parameters, x, y):
    """The gradient of the cross-entropy with respect to each array."""
    hidden, probabilities = forward(parameters, x)
    upstream = (probabilities - y) / len(x)
    below = upstream @ parameters["w2"].T * (hidden > 0)
    return {"w1": x.T @ below, "b1": below.sum(axis=0), "w2": hidden.T @ upstream, "b2": upstream.sum(axis=0)}


def train(step, learning_rate, epochs=10):
    """The network's parameters, and the loss over all the digits before and after each epoch."""
    rng = np.random.default_rng(0)
    parameters = {
        "w1": rng.normal(scale=np.sqrt(2 / 64), size=(64, 32)),
        "b1": np.zeros(32),
        "w2": rng.normal(scale=np.sqrt(2 / 32), size=(32, 10)),
        "b2": np.zeros(10),
    }
    states = {name: {} for name in parameters}
    history = [cross_entropy(forward(parameters, digits)[1], one_hot)]
    for _ in range(epochs):
        for x, y in minibatches(digits, one_hot, 32, rng):
            grads = gradients(parameters, x, y)
            for name, theta in parameters.items():
                parameters[name], states[name] = step(
                    theta, grads[name], states[name], learning_rate=learning_rate
                )
        history.append(cross_entropy(forward(parameters, digits)[1], one_hot))
    return parameters, history


rates = {
    "SGD": 0.3,
    "momentum": 0.03,
    "Nesterov": 0.03,
    "Adagrad": 0.1,
    "RMSprop": 0.003,
    "Adadelta": 3.0,
    "Adam": 0.01,
}
histories, accuracy = {}, {}
for name, step in rules.items():
    parameters, histories[f"{name}, {rates[name]:g}"] = train(step, rates[name])
    accuracy[name] = np.mean(forward(parameters, test_digits)[1].argmax(axis=1) == test_labels)
    print(f"{name:9} {accuracy[name]:.1%} of new digits read")
    assert accuracy[name] >= 0.94, f"{name} has not learned: does each array keep a state of its own?"
display(
    plots.lines(histories, x=np.arange(11), title="loss, by rule and learning rate", xlabel="epoch", log=True)
)

# %% [markdown]
# They all arrive, each at a rate that suits it. So is the choice of a rule a matter of taste? Look at what happens when
# you do *not* know the right rate. The loss after three epochs:

# %% show
tried = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]
with np.errstate(all="ignore"):
    after = np.array([[train(step, rate, 3)[1][-1] for rate in tried] for step in rules.values()])
plots.heat(
    np.nan_to_num(after, nan=np.inf).clip(max=np.log(10)),
    rows=list(rules),
    columns=[f"{rate:g}" for rate in tried],
    title="Loss after three epochs (2.30, which is log 10: nothing learned)",
    xlabel="learning rate",
)

# %% [markdown]
# Read it row by row. Which rules are content with a wide range of rates, which want to be tuned? And by columns: why does
# no column suit all of them? A learning rate is a number in the units of its rule: for SGD it multiplies the
# gradient, for Adam it *is* the step. The paper's Adadelta has none, that is, 1, and here more would be better. (Section 8 knows why.)
#
# Then take the shuffling out of `minibatches`, or give all four arrays one and the same state, and see what the digits say.
