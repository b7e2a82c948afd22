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
# # Activation functions
#
# Between two layers of a neural network stands a small function that bends every number that passes. Here you write
# seven of them, each with its derivative, in plain NumPy. At the end your functions run a network of ten layers, and
# you see why one of them stopped deep learning for years and another one freed it.
#
# The lesson (`activations.html` beside this notebook, or `course/activations.md`) derives everything you need. Three rules hold for the whole notebook:
#
# - **Any shape.** A function works element by element on an array of any shape and returns an array of that shape.
#   Softmax is the exception: it works along one axis. Never write a loop over elements.
# - **Never change what you were given.** `x[x < 0] = 0` writes into your caller's array. Build a new one.
# - **Stay finite.** For every $|x|$ up to $10^4$ the result is finite, and NumPy does not warn of an overflow or an
#   invalid value. (A number that quietly underflows to 0 is no fault.)
#
# Under each exercise a check compares you with Keras and tells you what holds and what does not yet.

# %%
import numpy as np

from course import plots

# %% [markdown]
# ## 1 Sigmoid
#
# The sigmoid squeezes any number into the interval from 0 to 1, so that it can be read as a probability or as a gate
# that is more or less open:
#
# $$\sigma(x) = \frac{1}{1 + e^{-x}}, \qquad \sigma'(x) = \sigma(x)\,\bigl(1 - \sigma(x)\bigr).$$
#
# In the middle it is nearly a line of slope $\frac14$; at both ends it is flat. Remember that $\frac14$: it is the
# *steepest* a sigmoid ever gets, and it comes back at the end of this notebook.
#
# **The trap.** For $x = -1000$ the formula asks for $e^{1000}$, which no `float64` can hold: above $e^{709}$ there is
# only infinity. Multiply numerator and denominator by $e^{x}$ and you get the same function written the other way,
# $\sigma(x) = e^{x} / (1 + e^{x})$, which is harmless for negative $x$ and explodes for positive. You need both
# halves, and one exponential that is safe in both: $e^{-|x|}$ lies between 0 and 1 whatever $x$ is.
#
# And a trap in the cure: `np.where(x >= 0, a, b)` computes **all** of `a` and **all** of `b` before it chooses. A
# branch that overflows warns even where it is thrown away.


# %% exercise="sigmoid"
def sigmoid(x):
    """Squeeze numbers into 0..1: `1 / (1 + exp(-x))`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    decay = np.exp(-np.abs(x))  # between 0 and 1 on both sides
    return np.where(x >= 0, 1, decay) / (1 + decay)
    ### END SOLUTION


def sigmoid_grad(x):
    """Derivative of `sigmoid` at `x` (not at the sigmoid's output).

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    s = sigmoid(x)
    return s * (1 - s)
    ### END SOLUTION


# %% check="sigmoid"
check("sigmoid")

# %% show
plots.curves(
    {"sigmoid": sigmoid, "its derivative": sigmoid_grad}, title="Flat at both ends, slope 1/4 in the middle"
)

# %% [markdown]
# ## 2 Tanh
#
# The hyperbolic tangent is a sigmoid that has been stretched to the interval from -1 to 1:
#
# $$\tanh(x) = \frac{1 - e^{-2x}}{1 + e^{-2x}} = 2\,\sigma(2x) - 1, \qquad \tanh'(x) = 1 - \tanh^2(x).$$
#
# Its outputs are centred on zero, and its slope at zero is 1, four times the sigmoid's. A signal passes through it
# weaker only where it is large.
#
# Write it yourself: `np.tanh` is not allowed in `tanh` (`tanh_grad` can build on your own `tanh`).
#
# **The trap.** The brackets matter: `1 - e / 1 + e` is 1 for every `e`. And for $x = -1000$ the formula
# divides infinity by infinity, which is not a number. Tanh is odd, $\tanh(-x) = -\tanh(x)$: work out the
# value for $|x|$, where $e^{-2|x|}$ is at most 1, then give it the sign of $x$.


# %% exercise="tanh"
def tanh(x):
    """Squeeze numbers into -1..1: `(1 - exp(-2x)) / (1 + exp(-2x))`, without `np.tanh`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    decay = np.exp(-2 * np.abs(x))
    return np.sign(x) * (1 - decay) / (1 + decay)
    ### END SOLUTION


def tanh_grad(x):
    """Derivative of `tanh` at `x`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    return 1 - tanh(x) ** 2
    ### END SOLUTION


# %% check="tanh"
check("tanh")

# %% show
plots.panels(
    {
        "Values": {"sigmoid": sigmoid, "tanh": tanh},
        "Derivatives": {"sigmoid": sigmoid_grad, "tanh": tanh_grad},
    },
    title="The same S, stretched: four times as steep in the middle",
)

# %% [markdown]
# ## 3 ReLU
#
# The rectified linear unit is the simplest bend there is, and the one that most networks use:
#
# $$\mathrm{relu}(x) = \max(0, x), \qquad
# \mathrm{relu}'(x) = \begin{cases} 1 & x > 0 \\ 0 & x \le 0. \end{cases}$$
#
# Where a unit is on, the gradient passes whole, however many layers there are. Where it is off, nothing passes.
#
# **The trap.** At $x = 0$ there is a corner, and no derivative. Some value has to be chosen; here, as in Keras, it is 0.
# And leave the argument alone: the layer below still needs its own numbers.


# %% exercise="relu"
def relu(x):
    """Keep what is positive, make the rest 0.

    Args:
        x: array of any shape.

    Returns:
        A new array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    return np.maximum(x, 0)
    ### END SOLUTION


def relu_grad(x):
    """Derivative of `relu` at `x`: 1 where `x` is positive, else 0, also at 0.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    return np.where(x > 0, 1.0, 0.0)
    ### END SOLUTION


# %% check="relu"
check("relu")

# %% show
plots.curves(
    {"relu": relu, "its derivative": relu_grad},
    span=(-3, 3),
    title="On, the gradient passes whole; off, nothing does",
)

# %% [markdown]
# ## 4 Leaky ReLU
#
# A ReLU whose input is negative for every example passes no gradient, so its weights no longer change: it is dead. A small
# slope $a$ on the negative side (`negative_slope`) keeps a trickle flowing:
#
# $$\mathrm{leaky}(x) = \begin{cases} x & x > 0 \\ a\,x & x \le 0, \end{cases} \qquad
# \mathrm{leaky}'(x) = \begin{cases} 1 & x > 0 \\ a & x \le 0. \end{cases}$$
#
# **The trap.** The function multiplies $a$ with $x$; the derivative is $a$ itself. At 0 the derivative is $a$.


# %% exercise="leaky_relu"
def leaky_relu(x, negative_slope=0.01):
    """Keep what is positive, shrink the rest by `negative_slope`.

    Args:
        x: array of any shape.
        negative_slope: the slope left of zero.

    Returns:
        A new array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    return np.where(x > 0, x, negative_slope * x)
    ### END SOLUTION


def leaky_relu_grad(x, negative_slope=0.01):
    """Derivative of `leaky_relu` at `x`; at 0 it is `negative_slope`.

    Args:
        x: array of any shape.
        negative_slope: the slope left of zero.

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    return np.where(x > 0, 1.0, negative_slope)
    ### END SOLUTION


# %% check="leaky_relu"
check("leaky_relu")

# %% show
plots.panels(
    {
        "negative_slope = 0.01": {"leaky relu": leaky_relu, "its derivative": leaky_relu_grad},
        "negative_slope = 0.3": {
            "leaky relu": lambda x: leaky_relu(x, negative_slope=0.3),
            "its derivative": lambda x: leaky_relu_grad(x, negative_slope=0.3),
        },
    },
    span=(-3, 3),
    title="A small slope keeps the negative side alive",
)

# %% [markdown]
# ## 5 ELU
#
# The exponential linear unit bends smoothly to a floor at $-\alpha$ instead of falling for ever. Its outputs average
# nearer to zero than a ReLU's, and a very negative input is only "off", not "off by so much":
#
# $$\mathrm{elu}(x) = \begin{cases} x & x > 0 \\ \alpha\,(e^{x} - 1) & x \le 0, \end{cases} \qquad
# \mathrm{elu}'(x) = \begin{cases} 1 & x > 0 \\ \alpha\,e^{x} & x \le 0. \end{cases}$$
#
# **The trap.** $\alpha$ multiplies the whole bracket. And the exponential is only wanted for negative $x$, but
# `np.where` computes it everywhere: never let it see a large positive number. Where $e^x$ is almost 1,
# `np.expm1(x)` gives $e^x - 1$ without losing digits.


# %% exercise="elu"
def elu(x, alpha=1.0):
    """Keep what is positive; let the rest approach `-alpha`: `alpha * (exp(x) - 1)`.

    Args:
        x: array of any shape.
        alpha: how far below zero the function can go.

    Returns:
        A new array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    return np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0)))
    ### END SOLUTION


def elu_grad(x, alpha=1.0):
    """Derivative of `elu` at `x`; at 0 it is `alpha`.

    Args:
        x: array of any shape.
        alpha: how far below zero the function can go.

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    return np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0)))
    ### END SOLUTION


# %% check="elu"
check("elu")

# %% show
plots.panels(
    {
        f"alpha = {alpha}": {
            "elu": lambda x, alpha=alpha: elu(x, alpha),
            "its derivative": lambda x, alpha=alpha: elu_grad(x, alpha),
        }
        for alpha in (0.5, 1.0, 2.0)
    },
    span=(-4, 3),
    title="Only alpha = 1 joins without a jump in the derivative",
)

# %% [markdown]
# ## 6 Softplus
#
# Softplus is a ReLU with the corner rounded off. You meet it again inside every stable cross-entropy:
#
# $$\mathrm{softplus}(x) = \log(1 + e^{x}).$$
#
# Its derivative is an old friend. Work it out with the chain rule before you read on in the lesson.
#
# **The trap.** $e^{1000}$ overflows, and the logarithm of infinity is infinity, although the answer is
# almost exactly 1000. Pull the large part out of the logarithm:
#
# $$\log(1 + e^{x}) = \max(x, 0) + \log\bigl(1 + e^{-|x|}\bigr).$$
#
# For a tiny $t$, $1 + t$ rounds to 1 and the logarithm forgets it; `np.log1p(t)` computes $\log(1 + t)$ without
# that loss.


# %% exercise="softplus"
def softplus(x):
    """A smooth ReLU: `log(1 + exp(x))`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
    ### END SOLUTION


def softplus_grad(x):
    """Derivative of `softplus` at `x`.

    Args:
        x: array of any shape.

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    return sigmoid(x)
    ### END SOLUTION


# %% check="softplus"
check("softplus")

# %% show
plots.panels(
    {
        "Values": {"relu": relu, "softplus": softplus, "elu": elu},
        "Derivatives": {"relu": relu_grad, "softplus": softplus_grad, "elu": elu_grad},
    },
    span=(-4, 4),
    title="Three ways to round a corner, or not",
)

# %% [markdown]
# ## 7 Softmax
#
# Softmax turns a row of scores $x_1, \dots, x_n$ into probabilities: positive numbers that sum to one.
#
# $$p_i = \frac{e^{x_i}}{\sum_{j} e^{x_j}}.$$
#
# Only differences of scores count. Add the same number $c$ to all of them and $e^{c}$ cancels, so you may subtract the
# largest score first; then no exponential is larger than 1. That is the whole trick of the stable softmax.
#
# Every output depends on every input of its row, so its derivative is not a row of numbers but a matrix, the
# Jacobian $\partial p_i / \partial x_j = p_i (\delta_{ij} - p_j)$, where $\delta_{ij}$ is 1 if $i = j$ and else 0.
# What a network needs is not that matrix but its product with the gradient $u$ that arrives from above
# (`upstream`, $u_i = \partial L / \partial p_i$ for a loss $L$):
#
# $$\frac{\partial L}{\partial x_j} = \sum_i u_i\, p_i (\delta_{ij} - p_j) = p_j \Bigl(u_j - \sum_i u_i\, p_i\Bigr).$$
#
# Read it aloud: each score is told how much better its upstream is than the average upstream, weighted by the
# probabilities. The lesson derives it line by line and works one row by hand.
#
# **The traps.** The maximum and both sums run along `axis`, each row (or column) by itself; `keepdims=True` keeps
# them in place. `softmax_backward` is given the scores `x`, not the probabilities. And
# $p_j (1 - p_j)\,u_j$ is only the diagonal of the Jacobian: it forgets that pushing one probability up pulls the others
# down.


# %% exercise="softmax"
def softmax(x, axis=-1):
    """Turn scores into probabilities along `axis`.

    Args:
        x: array of scores, any shape with at least one axis.
        axis: the axis that sums to one.

    Returns:
        Array of `x`'s shape, each slice along `axis` positive and summing to 1.

    Raises:
        ValueError: `x` has no such axis.
    """
    ### BEGIN SOLUTION
    if not -np.ndim(x) <= axis < np.ndim(x):
        raise ValueError(f"axis is {axis}, but x has shape {np.shape(x)}: it must name one of its axes")
    powers = np.exp(x - x.max(axis=axis, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)
    ### END SOLUTION


def softmax_backward(upstream, x, axis=-1):
    """Gradient of the loss with respect to the scores `x`.

    Args:
        upstream: gradient of the loss with respect to `softmax(x, axis)`, of `x`'s shape.
        x: array of scores.
        axis: the axis that sums to one.

    Returns:
        Array of `x`'s shape.

    Raises:
        ValueError: `upstream` and `x` differ in shape, or `x` has no such axis.
    """
    ### BEGIN SOLUTION
    if np.shape(upstream) != np.shape(x):
        raise ValueError(f"upstream has shape {np.shape(upstream)}, expected {np.shape(x)}, the shape of x")
    p = softmax(x, axis)
    return p * (upstream - (upstream * p).sum(axis=axis, keepdims=True))
    ### END SOLUTION


# %% check="softmax"
check("softmax")

# %% [markdown]
# Divide the scores by a *temperature* $T$ before the softmax, and you turn a knob between "take the best" ($T \to 0$) and
# "all the same" ($T \to \infty$).

# %% show
scores = np.array([2.0, 1.0, 0.5, 0.0, -1.0])
plots.bars(
    {f"T = {T}": softmax(scores / T) for T in (0.3, 1.0, 3.0)},
    labels=scores,
    title="One row of scores at three temperatures",
    xlabel="score",
    ylabel="probability",
)

# %% [markdown]
# The Jacobian, column by column, from your `softmax_backward`: an upstream that is 1 at output $i$ and 0 elsewhere picks
# row $i$. Every row and every column sums to zero: what one probability wins, the others lose.

# %% show
jacobian = np.array([softmax_backward(pick, scores) for pick in np.eye(len(scores))])
plots.heat(
    jacobian,
    rows=scores,
    columns=scores,
    title="How each probability answers to each score",
    xlabel="score $x_j$ that moves",
    ylabel="output $p_i$",
    digits=3,
    centred=True,
)

# %% [markdown]
# ## A deep network of your own
#
# Now put the parts together. The network reads 8 x 8 pictures of handwritten digits. It has ten hidden layers of 100
# units; layer $l$ computes $z_l = h_{l-1} W_l + b_l$ and $h_l = f(z_l)$, with $f$ one of your functions. Your `softmax`
# makes probabilities of its ten outputs, and the loss is the mean of $-\log p$ of the true digit.
#
# The weights are drawn at random with standard deviation $g / \sqrt{n}$, where $n$ is the number of inputs of a layer and $g$ is
# the *gain*. At gain 1 a layer without $f$ would keep the size of its signal. ReLU throws half of it away, so
# [He et al. (2015)](https://arxiv.org/abs/1502.01852) take $g = \sqrt2$ to make up for it.
#
# Going back, the gradient meets $f'(z_l)$ in every layer. Ten factors, multiplied: that is the whole story of
# vanishing gradients. Let us watch it.

# %% show
from sklearn.datasets import load_digits

digits = load_digits()
pixels = digits.data - digits.data.mean(axis=0)
pixels /= pixels.std()
labels = np.eye(10)[digits.target]


def new_network(depth, gain, width=100, seed=0):
    """Weights and biases of `depth` hidden layers, and of the outputs, whose gain is 1."""
    rng = np.random.default_rng(seed)
    sizes = [pixels.shape[1]] + depth * [width] + [labels.shape[1]]
    gains = depth * [gain] + [1]
    weights = [
        rng.normal(0, g / np.sqrt(n), (n, m)) for g, n, m in zip(gains, sizes[:-1], sizes[1:], strict=True)
    ]
    return weights, [np.zeros(m) for m in sizes[1:]]


def forward(network, f, x):
    """Every z (before f) and every h (after it, the input first); the last z are the scores of the digits."""
    zs, hs = [], [x]
    for w, b in zip(*network, strict=True):
        zs.append(hs[-1] @ w + b)
        hs.append(f(zs[-1]))
    return zs, hs


def backward(network, f_grad, zs, y):
    """Gradients of the mean loss with respect to every z."""
    p = softmax(zs[-1])
    grads = [softmax_backward(-y / p / len(y), zs[-1])]
    for w, z in zip(network[0][:0:-1], zs[-2::-1], strict=True):
        grads.insert(0, grads[0] @ w.T * f_grad(z))
    return grads


variants = {
    "sigmoid, g = 1": (sigmoid, sigmoid_grad, 1.0),
    "tanh, g = 0.5": (tanh, tanh_grad, 0.5),
    "tanh, g = 1": (tanh, tanh_grad, 1.0),
    "tanh, g = 3": (tanh, tanh_grad, 3.0),
    "relu, g = 1": (relu, relu_grad, 1.0),
    "relu, g = √2": (relu, relu_grad, np.sqrt(2)),
}
outputs, norms = {}, {}
for name, (f, f_grad, gain) in variants.items():
    network = new_network(depth=10, gain=gain)
    zs, hs = forward(network, f, pixels)
    outputs[name] = {f"layer {layer}": hs[layer] for layer in (1, 4, 7, 10)}
    norms[name] = [np.linalg.norm(g) for g in backward(network, f_grad, zs, labels)[:-1]]

plots.histograms(outputs, title="What comes out of the layers of a fresh network", xlabel="output of a unit")

# %% [markdown]
# Read a row from left to right: it is one network, ever deeper.
#
# - **sigmoid**: from layer 4 on the bars are ragged, because every unit says nearly the same to every digit. In layer
#   10 a unit's output varies by less than a millionth (`outputs["sigmoid, g = 1"]["layer 10"].std(axis=0)`). The
#   picture is gone.
# - **tanh, g = 0.5**: the signal dies out. **g = 3**: half of the outputs are beyond 0.9 or -0.9, *saturated*, where
#   the slope is small. **g = 1** is the healthy one.
# - **relu, g = 1**: each layer loses about a factor $\sqrt2$. Given it back by He's gain, the last layer looks like the
#   first.
#
# And the gradient, which runs the other way, from layer 10 down to layer 1?

# %% show
fades = {name: norm[-1] / norm[0] for name, norm in norms.items()}
print(
    "\n".join(
        f"{name:15} gradient in layer 10 over gradient in layer 1: {fade:10,.2f}"
        for name, fade in fades.items()
    )
)

assert fades["sigmoid, g = 1"] > 1000
assert 0.1 < fades["relu, g = √2"] < 10

plots.lines(
    norms, title="The gradient on its way down", xlabel="layer", ylabel="norm of the gradient", log=True
)

# %% [markdown]
# Through ten sigmoids the gradient shrinks by far more than a thousand times: each layer multiplies it by at most
# $\frac14$ (and by its weights, whose effect at gain 1 is about 1), and $4^9 = 262\,144$. The first layer, the one that sees the picture, learns next to nothing. ReLU with He's
# gain keeps the gradient within a factor of ten. That is much of why deep networks became possible.
#
# A warning in the picture: the gradient of *tanh, g = 3* grows on its way down, although half of its units are
# saturated: large weights more than make up for small slopes. Such a network learns badly for the opposite reason. The
# smallest step of a weight in the first layer changes everything above it.
#
# ### Units that die
#
# ReLU has its own illness. Take three layers and **one** step of gradient descent, with a learning rate that is too
# large. A unit whose bias and weights were thrown so far that $z \le 0$ for every digit has slope 0 for every digit. Its own
# weights get no gradient any more; only a change in the layers below can wake it. Count the units whose slope is
# below 0.001 for all 1,797 digits.

# %% show
rates = [0.1, 1, 2, 4, 8, 16]
asleep = {}
for name, f, f_grad in [
    ("relu", relu, relu_grad),
    ("leaky relu", leaky_relu, leaky_relu_grad),
    ("elu", elu, elu_grad),
    ("softplus", softplus, softplus_grad),
]:
    asleep[name] = []
    for rate in rates:
        weights, biases = network = new_network(depth=3, gain=np.sqrt(2))
        zs, hs = forward(network, f, pixels)
        for w, b, h, g in zip(weights, biases, hs[:-1], backward(network, f_grad, zs, labels), strict=True):
            w -= rate * h.T @ g
            b -= rate * g.sum(axis=0)
        slopes = np.hstack([f_grad(z) for z in forward(network, f, pixels)[0][:-1]])
        asleep[name].append(np.mean(np.all(slopes < 0.001, axis=0)))

print(
    "\n".join(
        f"{name:11} {shares[-2]:6.1%} of the units asleep after one step of rate {rates[-2]}"
        for name, shares in asleep.items()
    )
)

assert asleep["relu"][-2] > 0.15
assert max(asleep["leaky relu"]) == 0

plots.bars(
    asleep,
    labels=rates,
    title="Units that no digit can wake, after one step",
    xlabel="learning rate of the step",
    ylabel="share of units",
    percent=True,
)

# %% [markdown]
# One careless step, and a fifth of the ReLU units are gone, most of them for good. Softplus suffers much the same: far to the
# left its slope is not 0, but so near to it that nothing moves. ELU is hurt far less, and a leaky ReLU cannot die: its slope
# is never below `negative_slope`. So: He's gain, a modest learning rate, and when units die all the same, a leak.
#
# **Try it.** Change `depth`, `width` or the gains. How deep can *tanh, g = 1* go before its gradient has shrunk a thousand
# times? And which gain keeps the gradient of `softplus` or `elu` level?
