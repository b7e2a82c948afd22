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
# # Regularization and batch normalization
#
# Give a large network few examples, and it learns them by heart: everything right on what it has seen, much less on
# what it has not. The distance between the two is the **gap**, and whatever makes it smaller is **regularization**.
# You will write two kinds: a price on large weights, and dropout, which switches neurons off at random.
#
# Then comes **batch normalization**. It was made to let deep networks train faster, regularizes a little on the side, and has
# the most interesting gradient of all common layers. You will derive it term by term and have each term checked alone.
#
# At the end four nets made of your layers learn to read handwritten digits from a few hundred examples, beside each
# other. The lesson derives every formula used here; have it open beside this notebook. Nothing may change its arguments.

# %%
import numpy as np

from course import data, plots

# %% [markdown]
# ## Guards to use
#
# Each raises `ValueError` when something cannot be right. Call them first thing in a function.


# %%
def require_at_least_0(**numbers):
    """Raise `ValueError` unless every number, or every element of an array, is 0 or more."""
    for name, number in numbers.items():
        if not np.all(np.asarray(number) >= 0):
            raise ValueError(f"{name} is {number}, expected at least 0")


def require_above_0(**numbers):
    """Raise `ValueError` unless every number is above 0."""
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} is {number}, expected a number above 0")


def require_fraction(**numbers):
    """Raise `ValueError` unless every number lies in [0, 1): 0 is allowed, 1 is not."""
    for name, number in numbers.items():
        if not 0 <= number < 1:
            raise ValueError(f"{name} is {number}, expected from 0 to below 1")


def require_same_shape(**arrays):
    """Raise `ValueError` unless all arrays have the shape of the first."""
    (first, one), *others = arrays.items()
    for name, other in others:
        if np.shape(other) != np.shape(one):
            raise ValueError(
                f"{name} has shape {np.shape(other)}, expected {np.shape(one)}, the shape of {first}"
            )


def require_channels(x, **arrays):
    """Raise `ValueError` unless `x` is (batch, ..., channels), not empty, and every array has one number a channel."""
    if np.ndim(x) < 2 or np.size(x) == 0:
        raise ValueError(f"x has shape {np.shape(x)}, expected (batch, ..., channels), not empty")
    for name, array in arrays.items():
        if np.shape(array) != np.shape(x)[-1:]:
            raise ValueError(
                f"{name} has shape {np.shape(array)}, expected {np.shape(x)[-1:]}, one number a channel of x"
            )


# %% [markdown]
# ## 1 A price on large weights
#
# A network that learns by heart bends sharply from example to example, and sharp bends need large weights. So charge for
# them. The **L2 penalty** is added to the loss,
#
# $$L_\text{total} = L + \lambda \sum_i w_i^2$$
#
# where the sum runs over **every element of every array** of weights and $\lambda$, the *strength*, says what a squared weight
# costs. Each weight then has to earn more than it costs, and its gradient gets one term more, $2 \lambda w_i$: at each step it
# is pulled towards 0 in proportion to its size. (Other books write $\frac{\lambda}{2}$ so that the 2 goes away. Keras does not, and
# neither do we.)
#
# Biases are usually not charged for: they shift, they do not bend.
#
# *To think about:* the gradient of $\lambda \sum_i |w_i|$ pulls too. What is different about its pull when a weight is nearly 0?


# %% exercise="l2_penalty"
def l2_penalty(weights, strength):
    """`strength` times the sum of the squares of all weights.

    Args:
        weights: list of arrays, of any shapes.
        strength: what a squared weight costs, at least 0.

    Returns:
        One number, not negative.
    """
    ### BEGIN SOLUTION
    require_at_least_0(strength=strength)
    return strength * sum(np.sum(w**2) for w in weights)
    ### END SOLUTION


def l2_penalty_grad(weights, strength):
    """Derivative of `l2_penalty` with respect to every weight.

    Args:
        weights: list of arrays, of any shapes.
        strength: what a squared weight costs, at least 0.

    Returns:
        List of arrays, of the shapes of `weights`.
    """
    ### BEGIN SOLUTION
    require_at_least_0(strength=strength)
    return [2 * strength * w for w in weights]
    ### END SOLUTION


# %% check="l2_penalty"
check("l2_penalty")

# %% [markdown]
# ### Look: a polynomial of degree 11 and twelve points
#
# A curve of twelve coefficients has room for twelve noisy points, and bends for nearly each of them: look at the bill. All the training there
# is: the gradient of the mean squared error plus your `l2_penalty_grad`. (The curve is a sum of Chebyshev polynomials, which are
# better behaved than the powers of $x$.)


# %% show
def basis(x):
    return np.polynomial.chebyshev.chebvander(x, 11)


rng = np.random.default_rng(3)
points = np.linspace(-0.95, 0.95, 12)
heights = np.sin(3 * points) + rng.normal(scale=0.25, size=12)
fitted = {}
for strength in (0.0, 0.01, 0.3):
    w = np.zeros(12)
    for _ in range(20_000):
        error = basis(points) @ w - heights
        w -= 0.1 * (2 / 12 * basis(points).T @ error + l2_penalty_grad([w], strength)[0])
    fitted[strength] = w
figure = plots.curves(
    {
        "the truth": lambda x: np.sin(3 * x),
        **{
            f"strength {strength:g}: squares add up to {l2_penalty([w], 1.0):.2f}": lambda x, w=w: (
                basis(x) @ w
            )
            for strength, w in fitted.items()
        },
    },
    span=(-1, 1),
    ylim=(-2.5, 2.5),
    title="twelve points, twelve coefficients",
)
figure.axes[0].plot(points, heights, "o", color="black")
display(figure)

# %% [markdown]
# ## 2 Dropout
#
# In each step of training, switch every neuron off with probability $r$, the *rate*, each one on its own. No neuron can rely on
# a certain other one being there, so none learns half a trick that works only together with one example's other half.
#
# In prediction nothing is switched off. Then each neuron of the next layer would suddenly get more than it is used to:
# where a share $1 - r$ was alive, all are. **Inverted** dropout mends this in training already: what is kept is divided
# by the share that is kept,
#
# $$y_i = \frac{m_i\, x_i}{1 - r}, \qquad m_i = \begin{cases} 1 & \text{with probability } 1 - r \quad\text{(kept)}\\ 0 & \text{with probability } r \quad\text{(dropped)}\end{cases}$$
#
# so that on average $y_i$ is $(1-r)\cdot\frac{x_i}{1-r} + r\cdot 0 = x_i$, and prediction needs no factor at all.
#
# The way back: $y_i$ depends on $x_i$ alone, with the slope $m_i / (1 - r)$. It is the **same** mask, which is why `dropout` returns it.
#
# All chance comes from `rng`, a NumPy generator: `rng.random(shape)` draws numbers evenly from 0 to below 1.
#
# *To think about:* what share of numbers drawn evenly from [0, 1) is below 0.2? So which comparison *keeps* at rate 0.2?


# %% exercise="dropout"
def dropout(x, rate, rng):
    """Switch elements off at random, each on its own, and scale those that are kept: inverted dropout.

    Args:
        x: array of any shape.
        rate: probability that an element is dropped, from 0 to below 1.
        rng: NumPy generator, where all chance comes from.

    Returns:
        (y, mask): array of `x`'s shape; array of bools of `x`'s shape, True where kept.
    """
    ### BEGIN SOLUTION
    require_fraction(rate=rate)
    mask = rng.random(np.shape(x)) >= rate
    return x * mask / (1 - rate), mask
    ### END SOLUTION


def dropout_backward(upstream, mask, rate):
    """The gradient of the loss with respect to the input of `dropout`.

    Args:
        upstream: gradient with respect to its output, any shape.
        mask: the mask that `dropout` returned, of the same shape.
        rate: the rate it was called with.

    Returns:
        Array of `upstream`'s shape.
    """
    ### BEGIN SOLUTION
    require_fraction(rate=rate)
    require_same_shape(upstream=upstream, mask=mask)
    return upstream * mask / (1 - rate)
    ### END SOLUTION


# %% check="dropout"
check("dropout")

# %% [markdown]
# ### Look: what dropout does to a picture, and what is left on average
#
# One draw at rate 0.5, the mean of ten, the mean of two hundred. Nothing is lost on average, which is what the division is for.
# (Shown at half brightness, since what is kept is doubled.)

# %% show
cat = data.picture("chelsea", 96)
rng = np.random.default_rng(0)
draws = np.stack([dropout(cat, 0.5, rng)[0] for _ in range(200)])
plots.pictures(
    [cat / 2, draws[0] / 2, draws[:10].mean(axis=0) / 2, draws.mean(axis=0) / 2],
    ["original", "one draw", "mean of 10", "mean of 200"],
)

# %% [markdown]
# ## 3 Normalize, with statistics that are given
#
# Now batch normalization, from its simple end: **prediction**. A layer's output has channels, on the last axis: the features of a
# table `(batch, features)`, the maps of images `(batch, height, width, channels)`. For each channel somebody tells you its mean
# $\mu$ and variance $\sigma^2$. Bring it to mean 0 and variance 1, then give it back a scale $\gamma$ and a shift $\beta$ of its own,
# which are learned:
#
# $$\hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad y = \gamma\, \hat x + \beta$$
#
# The small $\epsilon$ stands **inside** the root, and keeps a channel that hardly varies from being divided by nearly nothing.
# In prediction $\mu$ and $\sigma^2$ are the *moving* ones, gathered in training: so what the net says of an example does not depend
# on who else is in the batch.
#
# *To think about:* four arrays have shape `(channels,)`. Why does NumPy's broadcasting need no help here, whatever the rank of `x`?


# %% exercise="batch_norm_inference"
def batch_norm_inference(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    """Batch normalization in prediction: by the statistics that are given.

    Args:
        x: array of shape (batch, ..., channels).
        gamma: scales, shape (channels,).
        beta: shifts, shape (channels,).
        moving_mean: shape (channels,).
        moving_variance: shape (channels,), not negative.
        epsilon: added to the variance, inside the root; above 0.

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    require_channels(x, gamma=gamma, beta=beta, moving_mean=moving_mean, moving_variance=moving_variance)
    require_at_least_0(moving_variance=moving_variance)
    require_above_0(epsilon=epsilon)
    return gamma * (x - moving_mean) / np.sqrt(moving_variance + epsilon) + beta
    ### END SOLUTION


# %% check="batch_norm_inference"
check("batch_norm_inference")

# %% [markdown]
# ## 4 Normalize, with the batch's own statistics
#
# In **training** the mean and the variance are the batch's own: over all axes but the last, so that each channel has one of each,
#
# $$\mu = \frac1n \sum_i x_i, \qquad \sigma^2 = \frac1n \sum_i (x_i - \mu)^2$$
#
# with $n$ the number of elements of the channel: the batch size for a table, batch times height times width for images. The
# variance is the *population's*: over $n$, not $n - 1$.
#
# Along the way, gather what prediction will need. The **moving** mean and variance keep a share of what they were, the
# *momentum* $\alpha$, and take in the batch's:
#
# $$\mu_\text{moving} \leftarrow \alpha\, \mu_\text{moving} + (1 - \alpha)\, \mu, \qquad
# \sigma^2_\text{moving} \leftarrow \alpha\, \sigma^2_\text{moving} + (1 - \alpha)\, \sigma^2$$
#
# That is Keras' convention. PyTorch calls $1 - \alpha$ the momentum, and puts the variance over $n - 1$ into the moving one: two
# traps when you carry a network over. Return the moving statistics **new**; those that were given stay as they are.
#
# *To think about:* a batch of one example, `(1, features)`. What does this layer say of it, whatever it is?


# %% exercise="batch_norm_train"
def batch_norm_train(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    """Batch normalization in training: by the batch's own statistics, the moving ones a step on.

    Args:
        x: array of shape (batch, ..., channels).
        gamma: scales, shape (channels,).
        beta: shifts, shape (channels,).
        moving_mean: shape (channels,).
        moving_variance: shape (channels,), not negative.
        momentum: the share of the moving statistics that stays, from 0 to below 1.
        epsilon: added to the variance, inside the root; above 0.

    Returns:
        (y, moving_mean, moving_variance): array of `x`'s shape, and two new ones of shape (channels,).
    """
    ### BEGIN SOLUTION
    require_channels(x, moving_mean=moving_mean, moving_variance=moving_variance)
    require_at_least_0(moving_variance=moving_variance)
    require_fraction(momentum=momentum)
    axes = tuple(range(np.ndim(x) - 1))
    mean, variance = np.mean(x, axis=axes), np.var(x, axis=axes)
    y = batch_norm_inference(x, gamma, beta, mean, variance, epsilon)
    moving_mean = momentum * moving_mean + (1 - momentum) * mean
    moving_variance = momentum * moving_variance + (1 - momentum) * variance
    return y, moving_mean, moving_variance
    ### END SOLUTION


# %% check="batch_norm_train"
check("batch_norm_train")

# %% [markdown]
# ## 5 The way back
#
# $\beta$ is added to every element of its channel and $\gamma$ multiplies every $\hat x$, so with $u = \partial L / \partial y$, `upstream`,
#
# $$\frac{\partial L}{\partial\beta} = \sum_i u_i, \qquad \frac{\partial L}{\partial\gamma} = \sum_i u_i\, \hat x_i .$$
#
# The interesting one is $x$. One $x_i$ reaches the loss along **three ways**: through its own $\hat x_i$; through the mean, which moves
# every $\hat x$ of the channel; and through the variance, which moves every one of them too. The lesson goes all three, and they come
# together neatly:
#
# $$\frac{\partial L}{\partial x_i} = \frac{\gamma}{\sqrt{\sigma^2 + \epsilon}} \Bigl( u_i \;-\; \underbrace{\frac1n \sum_j u_j}_{\text{through the mean}} \;-\; \underbrace{\hat x_i\, \frac1n \sum_j u_j\, \hat x_j}_{\text{through the variance}} \Bigr)$$
#
# Read it: the layer takes the mean of $x$ away, so a gradient that wants to lift the whole channel is taken away; it takes the
# scale away, so a gradient that wants to widen the channel is taken away. What is left is what $x$ can really change.
#
# *To think about:* a net that treats $\mu$ and $\sigma^2$ as constants still trains, badly. What do its weights do?


# %% exercise="batch_norm_backward"
def batch_norm_backward(upstream, x, gamma, epsilon=1e-3):
    """The gradients of the loss with respect to the inputs of batch normalization in training.

    Args:
        upstream: gradient with respect to `y`, of `x`'s shape.
        x: array of shape (batch, ..., channels).
        gamma: scales, shape (channels,).
        epsilon: added to the variance, inside the root; above 0.

    Returns:
        (dx, dgamma, dbeta): array of `x`'s shape, and two of shape (channels,).
    """
    ### BEGIN SOLUTION
    require_same_shape(x=x, upstream=upstream)
    require_channels(x, gamma=gamma)
    require_above_0(epsilon=epsilon)
    axes = tuple(range(np.ndim(x) - 1))
    root = np.sqrt(np.var(x, axis=axes) + epsilon)
    x_hat = (x - np.mean(x, axis=axes)) / root
    through_mean = np.mean(upstream, axis=axes)
    through_variance = x_hat * np.mean(upstream * x_hat, axis=axes)
    dx = gamma / root * (upstream - through_mean - through_variance)
    return dx, np.sum(upstream * x_hat, axis=axes), np.sum(upstream, axis=axes)
    ### END SOLUTION


# %% check="batch_norm_backward"
check("batch_norm_backward")

# %% [markdown]
# ### Look: which gradients pass
#
# Eight examples of one channel, and three gradients from above: one that lifts everybody, one that spreads them, and one that moves
# a single example. Only of the last something is left.

# %% show
x = np.linspace(-2, 2, 8)[:, np.newaxis]
wanted = {"lift all": np.ones((8, 1)), "spread": x / 2, "move the fourth": np.eye(8)[:, [3]]}
passed = [part.ravel() for u in wanted.values() for part in (u, batch_norm_backward(u, x, np.ones(1))[0])]
plots.heat(
    np.round(passed, 2) + 0.0,  # no minus zero
    rows=[f"{name}: {what}" for name in wanted for what in ("upstream", "dx")],
    columns=range(1, 9),
    centred=True,
    title="what comes from above, and what is passed on",
    xlabel="example",
)

# %% [markdown]
# ## All together: five hundred digits, some of them mislabelled
#
# Read MNIST's digits after seeing only 500 of them. And somebody was careless: for one picture in five the label was drawn at random. A net
# that understands digits perfectly is right on about 82 % of *these* labels (of the fifth, one in ten is right by luck). A net that gets more
# has learned somebody's mistakes by heart.
#
# Four nets with two hidden layers of 200: **plain**; with the **L2** penalty; with **dropout** behind each hidden layer; with **batch norm**
# before each ReLU. All layers but affine and ReLU are yours. One function trains them all: forward, softmax cross-entropy, backward, step.

# %% show
images, labels, images_test, labels_test = data.mnist()
few = 500
x, x_test = images[:few].reshape(few, -1), images_test.reshape(len(images_test), -1)
careless = np.random.default_rng(5)
given = np.where(careless.random(few) < 0.2, careless.integers(10, size=few), labels[:few])


def new_net(generator, normalize):
    """Three layers; those that are normalized have gamma, beta and moving statistics."""
    layers = []
    for n, m in [(784, 200), (200, 200), (200, 10)]:
        layers.append({"w": generator.normal(scale=np.sqrt(2 / n), size=(n, m)), "b": np.zeros(m)})
    if normalize:
        for layer in layers[:-1]:
            layer |= {"gamma": np.ones(200), "beta": np.zeros(200), "moving": (np.zeros(200), np.ones(200))}
    return layers


def predict(layers, x):
    """The class of each example: nothing dropped, normalized by the moving statistics."""
    for layer in layers:
        x = x @ layer["w"] + layer["b"]
        if "gamma" in layer:
            x = batch_norm_inference(x, layer["gamma"], layer["beta"], *layer["moving"])
        if layer is not layers[-1]:
            x = np.maximum(x, 0)
    return x.argmax(axis=1)


def gradients(layers, x, one_hot, strength, rate, generator):
    """A gradient for each array of each layer; the moving statistics move along."""
    seen = []
    for layer in layers:
        affine = normalized = x @ layer["w"] + layer["b"]
        if "gamma" in layer:
            normalized, *moving = batch_norm_train(
                affine, layer["gamma"], layer["beta"], *layer["moving"], momentum=0.9
            )
            layer["moving"] = tuple(moving)
        output, mask = normalized, None
        if layer is not layers[-1]:
            output, mask = dropout(np.maximum(normalized, 0), rate, generator)
        seen.append((x, affine, normalized, mask))
        x = output

    weights = np.exp(x - x.max(axis=1, keepdims=True))
    upstream = (weights / weights.sum(axis=1, keepdims=True) - one_hot) / len(x)
    decay = l2_penalty_grad([layer["w"] for layer in layers], strength)
    found = []
    for layer, pull, (x, affine, normalized, mask) in zip(layers[::-1], decay[::-1], seen[::-1], strict=True):
        grads = {}
        if mask is not None:
            upstream = dropout_backward(upstream, mask, rate) * (normalized > 0)
        if "gamma" in layer:
            upstream, grads["gamma"], grads["beta"] = batch_norm_backward(upstream, affine, layer["gamma"])
        grads |= {"w": x.T @ upstream + pull, "b": upstream.sum(axis=0)}
        upstream = upstream @ layer["w"].T
        found.append(grads)
    return found[::-1]


def train(epochs, learning_rate=0.05, strength=0.0, rate=0.0, normalize=False):
    """Accuracy on the training labels and on the test labels after each epoch: (epochs, 2)."""
    generator = np.random.default_rng(0)
    layers, history = new_net(generator, normalize), []
    for _ in range(epochs):
        for batch in np.split(generator.permutation(few), few // 50):
            grads = gradients(layers, x[batch], np.eye(10)[given[batch]], strength, rate, generator)
            for layer, own in zip(layers, grads, strict=True):
                for name, grad in own.items():
                    layer[name] = layer[name] - learning_rate * grad
        history.append(
            [np.mean(predict(layers, x) == given), np.mean(predict(layers, x_test) == labels_test)]
        )
    return np.array(history)


epochs = 60
curves = {
    "plain": train(epochs),
    "L2, strength 0.02": train(epochs, strength=0.02),
    "dropout, rate 0.6": train(epochs, rate=0.6),
    "batch norm": train(epochs, normalize=True),
}


def curve(history, column):
    return lambda epoch: np.interp(epoch, np.arange(1, epochs + 1), history[:, column])


plots.panels(
    {
        name: {"training labels": curve(history, 0), "test labels": curve(history, 1)}
        for name, history in curves.items()
    },
    span=(1, epochs),
    columns=2,
    ylim=(0.4, 1.02),
    xlabel="epoch",
    ylabel="accuracy",
    title="four nets, 500 digits, every fifth label drawn at random",
)

# %% [markdown]
# **To reach:** over the last ten epochs, L2 and dropout each close at least **two thirds of the plain net's gap**, and each reads at least
# **2 % more** of the test digits than it does.

# %% show
settled = {name: history[-10:].mean(axis=0) for name, history in curves.items()}
gaps = {name: seen - unseen for name, (seen, unseen) in settled.items()}
for name, (seen, unseen) in settled.items():
    print(f"{name:18} training {seen:.1%}, test {unseen:.1%}, gap {gaps[name]:.1%}")
for name in ("L2, strength 0.02", "dropout, rate 0.6"):
    assert gaps[name] < gaps["plain"] / 3, f"{name} leaves the gap open"
    assert settled[name][1] > settled["plain"][1] + 0.02, f"{name} reads no better"

# %% [markdown]
# The plain net ends with nearly every mistake learned by heart, and its test curve *falls* while it learns them. L2 and dropout
# stop near the honest 82 %.
#
# And batch norm? Its gap is as wide as the plain net's. It is not there to regularize: it makes learning fast, and here it is the mistakes
# that are learned fast. So give it what it is for. The same nets, plain and normalized, eight epochs, at ever longer steps:
#
# **To reach:** at a learning rate of 2 the plain net is lost (below 30 %), the normalized one still reads more than half of the test digits.

# %% show
rates = [0.05, 0.2, 0.5, 1.0, 2.0]
with np.errstate(all="ignore"):  # where a net is lost, its numbers overflow
    reached = {
        name: [train(8, learning_rate=rate, normalize=normalize)[-1, 1] for rate in rates]
        for name, normalize in (("plain", False), ("batch norm", True))
    }
figure = plots.bars(
    reached, rates, title="test accuracy after eight epochs", xlabel="learning rate", percent=True
)
figure.axes[0].set_ylim(0, 1)
display(figure)
print(
    f"at a learning rate of 2: plain {reached['plain'][-1]:.1%}, batch norm {reached['batch norm'][-1]:.1%}"
)
assert reached["plain"][-1] < 0.3 and reached["batch norm"][-1] > 0.5

# %% [markdown]
# **Try it.** Stop the plain net at its best epoch: *early stopping* is a regularizer too, and free. Put dropout and batch norm into one net.
# Give all 4,000 images and right labels: how much of the gap does more data close? Let `batch_norm_backward` treat mean and variance as
# constants, and train at a learning rate of 2 again.
