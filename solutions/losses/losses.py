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
# # Losses
#
# A network learns by making one number small. That number is the **loss**: it says how far the predictions are from
# the truth, and its gradient says which way to turn. Choose another loss, and the same network on the same data
# becomes another one: it fits the mean or the median, it shrugs off an outlier or chases it, it paints like a
# photograph or like something else entirely.
#
# You will write the losses of regression, of classification and of style transfer, with the gradients that training
# needs. At the end your own functions repaint a photograph in the style of another picture. The lesson derives every
# formula used here; have it open beside this notebook.
#
# Throughout, `y_true` is the truth and `y_pred` the prediction. Nothing may change its arguments, and a loss is one
# number unless its text says otherwise.

# %%
import numpy as np

from course import data, plots

# %% [markdown]
# ## Five guards to use
#
# NumPy *broadcasts*: an array of shape `(n,)` minus one of shape `(n, 1)` is no error, it is an `(n, n)` table of all
# pairs. Averaged, it gives a plausible number, and your network quietly learns nothing. A loss is the right place to
# stop this, so yours raise `ValueError` when two shapes differ. These guards are given; call them first thing in a
# function, for example `require_same_shape(y_true=y_true, y_pred=y_pred)`.


# %%
def require_same_shape(**arrays):
    """Raise `ValueError` unless all arrays have the shape of the first."""
    (first, one), *others = arrays.items()
    for name, other in others:
        if np.shape(other) != np.shape(one):
            raise ValueError(
                f"{name} has shape {np.shape(other)}, expected {np.shape(one)}, the shape of {first}"
            )


def require_shape(shape, **arrays):
    """Raise `ValueError` unless every array has this shape."""
    for name, array in arrays.items():
        if np.shape(array) != tuple(shape):
            raise ValueError(f"{name} has shape {np.shape(array)}, expected {tuple(shape)}")


def require_rank(rank, **arrays):
    """Raise `ValueError` unless every array has this many axes."""
    for name, array in arrays.items():
        if np.ndim(array) != rank:
            raise ValueError(f"{name} has shape {np.shape(array)}, expected {rank} axes")


def require_between(low, high, **arrays):
    """Raise `ValueError` unless every element lies between the two."""
    for name, array in arrays.items():
        if np.min(array) < low or np.max(array) > high:
            raise ValueError(f"{name} runs from {np.min(array)} to {np.max(array)}, expected {low} to {high}")


def require_one_hot(**arrays):
    """Raise `ValueError` unless every row is a single 1 among zeros."""
    for name, array in arrays.items():
        require_rank(2, **{name: array})
        if not (np.isin(array, (0, 1)).all() and (np.sum(array, axis=1) == 1).all()):
            raise ValueError(f"{name} is not one-hot, expected a single 1 among zeros in each row")


# %% [markdown]
# ## 1 L1 and L2: sums
#
# Every element has an error, the prediction minus the truth. Two ways to add the errors up without letting plus and
# minus cancel:
#
# $$L_1 = \sum_i |\hat y_i - y_i| \qquad\qquad L_2 = \sum_i (\hat y_i - y_i)^2$$
#
# where $y_i$ is an element of `y_true` and $\hat y_i$ of `y_pred`. Both are **sums** over every element, of however
# many axes. (Some cheat sheets print the square under the name L1. It is L2: the number is the power.)
#
# *To think about:* ten errors of 1, or one error of 10. Which is worse under L1? Under L2?


# %% exercise="l1_loss"
def l1_loss(y_true, y_pred):
    """Sum of the absolute errors.

    Args:
        y_true: array of any shape, the truth.
        y_pred: array of the same shape, the prediction.

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes differ.
    """
    ### BEGIN SOLUTION
    require_same_shape(y_true=y_true, y_pred=y_pred)
    return np.sum(np.abs(y_pred - y_true))
    ### END SOLUTION


def l2_loss(y_true, y_pred):
    """Sum of the squared errors.

    Args:
        y_true: array of any shape, the truth.
        y_pred: array of the same shape, the prediction.

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes differ.
    """
    ### BEGIN SOLUTION
    require_same_shape(y_true=y_true, y_pred=y_pred)
    return np.sum((y_pred - y_true) ** 2)
    ### END SOLUTION


# %% check="l1_loss"
check("l1_loss")

# %% [markdown]
# ## 2 Mean absolute error
#
# A sum grows with the batch: twice the examples, twice the loss, and a learning rate that suited one suits the other
# no more. A mean does not:
#
# $$\mathrm{MAE} = \frac1n \sum_{i=1}^{n} |\hat y_i - y_i|$$
#
# with $n$ the number of **elements**, not of rows. For predictions of shape `(8, 3)`, $n$ is 24.


# %% exercise="mean_absolute_error"
def mean_absolute_error(y_true, y_pred):
    """Mean of the absolute errors over every element.

    Args:
        y_true: array of any shape, the truth.
        y_pred: array of the same shape, the prediction.

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes differ.
    """
    ### BEGIN SOLUTION
    return l1_loss(y_true, y_pred) / np.size(y_true)
    ### END SOLUTION


# %% check="mean_absolute_error"
check("mean_absolute_error")

# %% [markdown]
# ## 3 Mean squared error, and the way down
#
# $$\mathrm{MSE} = \frac1n \sum_{i=1}^{n} (\hat y_i - y_i)^2
# \qquad\qquad
# \frac{\partial\,\mathrm{MSE}}{\partial \hat y_i} = \frac2n (\hat y_i - y_i)$$
#
# The gradient has one entry for every prediction, so it has the shape of `y_pred`. Its sign matters: where you
# predicted too much it is positive, and going against it lowers the prediction. The $1/n$ of the mean is in the
# gradient too; forgetting it there is like multiplying the learning rate by $n$.


# %% exercise="mean_squared_error"
def mean_squared_error(y_true, y_pred):
    """Mean of the squared errors over every element.

    Args:
        y_true: array of any shape, the truth.
        y_pred: array of the same shape, the prediction.

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes differ.
    """
    ### BEGIN SOLUTION
    return l2_loss(y_true, y_pred) / np.size(y_true)
    ### END SOLUTION


def mean_squared_error_grad(y_true, y_pred):
    """Derivative of `mean_squared_error` with respect to `y_pred`.

    Args:
        y_true: array of any shape, the truth.
        y_pred: array of the same shape, the prediction.

    Returns:
        Array of `y_pred`'s shape.

    Raises:
        ValueError: when the shapes differ.
    """
    ### BEGIN SOLUTION
    require_same_shape(y_true=y_true, y_pred=y_pred)
    return 2 * (y_pred - y_true) / np.size(y_true)
    ### END SOLUTION


# %% check="mean_squared_error"
check("mean_squared_error")

# %% [markdown]
# ### Look: mean or median?
#
# Five measurements, one of them far off. Which single number sums them up best? Your two losses disagree: the squared
# one is smallest at the mean, the absolute one at the median, which the outlier cannot pull.

# %% show
import matplotlib.pyplot as plt

measured = np.array([1.0, 1.5, 2.0, 2.5, 9.0])
guesses = np.linspace(0, 10, 401)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.2), layout="constrained")
for axes, loss, best, name in [
    (left, mean_absolute_error, np.median(measured), "median"),
    (right, mean_squared_error, np.mean(measured), "mean"),
]:
    axes.plot(guesses, [loss(measured, np.full(5, guess)) for guess in guesses])
    axes.plot(measured, np.zeros(5), "o", color="black", label="measurements")
    axes.axvline(best, color="tab:red", linestyle="--", label=f"{name}: {best:g}")
    axes.set(title=loss.__name__, xlabel="one guess for all five", ylabel="loss")
    axes.legend()
plt.show()

# %% [markdown]
# ## 4 Linear regression
#
# A linear model predicts $\hat y = X\theta$. Here $X$ has a row for each of $m$ examples and a column for each of $n$
# features, and $\theta$ holds $n$ weights. Its classical cost is
#
# $$J(\theta) = \frac1{2m} \sum_{i=1}^{m} (x_i\theta - y_i)^2
# \qquad\qquad
# \nabla J(\theta) = \frac1m X^\top (X\theta - y)$$
#
# where $x_i$ is row $i$ of $X$. The ½ is there to swallow the 2 of the derivative, nothing else. If you want an
# intercept, put a column of ones into $X$ yourself: these functions add none.
#
# *To think about:* the gradient must have the shape of $\theta$. There is one way to multiply an `(m, n)` table and an
# `(m,)` vector that gives `(n,)`.


# %% exercise="linear_regression"
def linear_regression_cost(theta, x, y):
    """Half the mean squared error of the linear model `x @ theta`.

    Args:
        theta: weights, shape (n,).
        x: examples, shape (m, n), used as they come: no column of ones is added.
        y: targets, shape (m,).

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes are not these.
    """
    ### BEGIN SOLUTION
    require_rank(1, theta=theta, y=y)
    require_shape((len(y), len(theta)), x=x)
    return l2_loss(y, x @ theta) / (2 * len(y))
    ### END SOLUTION


def linear_regression_grad(theta, x, y):
    """Derivative of `linear_regression_cost` with respect to `theta`.

    Args:
        theta: weights, shape (n,).
        x: examples, shape (m, n).
        y: targets, shape (m,).

    Returns:
        Array of shape (n,).

    Raises:
        ValueError: when the shapes are not these.
    """
    ### BEGIN SOLUTION
    require_rank(1, theta=theta, y=y)
    require_shape((len(y), len(theta)), x=x)
    return x.T @ (x @ theta - y) / len(y)
    ### END SOLUTION


# %% check="linear_regression"
check("linear_regression")

# %% [markdown]
# ### Look: downhill on your own cost
#
# Each dot is one step `theta - 0.3 * gradient`. The cost is a bowl, so the path ends at the bottom wherever it starts.

# %% show
rng = np.random.default_rng(0)
places = rng.uniform(-1, 1, 40)
heights = 1.0 + 2.0 * places + rng.normal(scale=0.3, size=40)
design = np.stack([np.ones(40), places], axis=1)
path = [np.array([-2.0, -1.0])]
for _ in range(40):
    path.append(path[-1] - 0.3 * linear_regression_grad(path[-1], design, heights))

intercepts, slopes = np.linspace(-2.5, 3.5, 60), np.linspace(-1.5, 4.5, 60)
bowl = [[linear_regression_cost(np.array([a, b]), design, heights) for a in intercepts] for b in slopes]
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
left.contour(intercepts, slopes, bowl, levels=20, cmap="viridis")
left.plot(*np.transpose(path), "o-", color="tab:red", markersize=3)
left.set(title="the cost, and the way down", xlabel="intercept", ylabel="slope")
right.plot(places, heights, "o", color="black", markersize=4)
for step in (0, 3, 40):
    right.plot([-1, 1], [path[step][0] - path[step][1], path[step].sum()], label=f"after {step} steps")
right.set(title="the line it fits", xlabel="x", ylabel="y")
right.legend()
plt.show()

# %% [markdown]
# ## 5 Huber: square near, straight far
#
# The squared error is smooth at the bottom but lets one outlier shout. The absolute error is deaf to shouting but has
# a kink at the bottom. Huber's loss takes the good half of each. With the error $e = \hat y - y$ and a width $\delta>0$,
#
# $$h(e) = \begin{cases} \tfrac12 e^2 & |e| \le \delta\\ \delta\,(|e| - \tfrac12\delta) & |e| > \delta\end{cases}$$
#
# and the loss is the mean of $h$ over every element. The odd-looking constant makes the two pieces meet, in value and
# in slope. So the gradient is simply $e/n$, held between $-\delta/n$ and $\delta/n$.
#
# *To think about:* `np.where` works out both branches for every element, and `np.clip` might spare you a branch.


# %% exercise="huber"
def huber(y_true, y_pred, delta=1.0):
    """Mean over every element of Huber's loss: squared up to `delta`, linear beyond.

    Args:
        y_true: array of any shape, the truth.
        y_pred: array of the same shape, the prediction.
        delta: error at which the parabola turns into a line, above 0.

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes differ, or `delta` is not above 0.
    """
    ### BEGIN SOLUTION
    require_same_shape(y_true=y_true, y_pred=y_pred)
    if not delta > 0:
        raise ValueError(f"delta is {delta}, expected a number above 0")
    error = np.abs(y_pred - y_true)
    return np.mean(np.where(error <= delta, error**2 / 2, delta * (error - delta / 2)))
    ### END SOLUTION


def huber_grad(y_true, y_pred, delta=1.0):
    """Derivative of `huber` with respect to `y_pred`.

    Args:
        y_true: array of any shape, the truth.
        y_pred: array of the same shape, the prediction.
        delta: error at which the parabola turns into a line, above 0.

    Returns:
        Array of `y_pred`'s shape.

    Raises:
        ValueError: when the shapes differ, or `delta` is not above 0.
    """
    ### BEGIN SOLUTION
    require_same_shape(y_true=y_true, y_pred=y_pred)
    if not delta > 0:
        raise ValueError(f"delta is {delta}, expected a number above 0")
    return np.clip(y_pred - y_true, -delta, delta) / np.size(y_true)
    ### END SOLUTION


# %% check="huber"
check("huber")

# %% [markdown]
# ### Look: three losses of one error, and a fit that keeps its head
#
# Left, what an error costs. Right, how hard it pulls: the slope of Huber's loss stops growing at $\delta = 1$. Below,
# the same line fitted twice by gradient descent to data with five bad points, once on each loss.


# %% show
def of_one_error(function, scale=1.0):
    """A loss or a gradient as a function of a single error."""
    return np.vectorize(lambda error: scale * np.sum(function(np.zeros(1), np.array([error]))))


costs = {
    "squared / 2": of_one_error(mean_squared_error, 0.5),
    "absolute": of_one_error(mean_absolute_error),
    "Huber": of_one_error(huber),
}
pulls = {"squared / 2": of_one_error(mean_squared_error_grad, 0.5), "Huber": of_one_error(huber_grad)}
display(
    plots.panels(
        {"what an error costs": costs, "how hard it pulls": pulls}, (-4, 4), xlabel="error", ylim=(-4, 6)
    )
)

spoiled = heights.copy()
spoiled[np.argsort(places)[-5:]] -= 6
figure, axes = plt.subplots(figsize=(6, 3.6), layout="constrained")
axes.plot(places, spoiled, "o", color="black", markersize=4, label="measurements, five of them bad")
for name, grad in [
    ("squared", mean_squared_error_grad),
    ("Huber, delta 0.3", lambda t, p: huber_grad(t, p, delta=0.3)),
]:
    line = np.zeros(2)
    for _ in range(2000):
        line = line - 0.3 * design.T @ grad(spoiled, design @ line)
    axes.plot([-1, 1], [line[0] - line[1], line.sum()], label=name)
axes.set(title="one fit chases them, one does not", xlabel="x", ylabel="y")
axes.legend()
plt.show()

# %% [markdown]
# ## 6 Hinge
#
# Now two classes, called $-1$ and $1$, and a score $\hat y$ of any size whose sign is the answer. The product
# $y\hat y$, the **margin**, is positive when the sign is right. The hinge loss asks for a little more than right, a
# margin of at least 1:
#
# $$\frac1n\sum_{i=1}^{n} \max(0,\; 1 - y_i\hat y_i)$$
#
# Beyond that margin an example costs nothing and pulls no more; the few that still pull are the support vectors of a
# support vector machine.
#
# *To think about:* with labels 0 and 1, every 0 would cost exactly 1 whatever you predict. So other labels than $-1$
# and $1$ are an error: raise `ValueError`.


# %% exercise="hinge"
def hinge(y_true, y_pred):
    """Mean over every element of the hinge loss.

    Args:
        y_true: array of labels, each -1 or 1, any shape.
        y_pred: array of scores, the same shape.

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes differ, or a label is neither -1 nor 1.
    """
    ### BEGIN SOLUTION
    require_same_shape(y_true=y_true, y_pred=y_pred)
    if not np.all(np.abs(y_true) == 1):
        raise ValueError(f"y_true holds {np.unique(y_true)}, expected only -1 and 1")
    return np.mean(np.maximum(0, 1 - y_true * y_pred))
    ### END SOLUTION


# %% check="hinge"
check("hinge")

# %% [markdown]
# ## 7 Cross-entropy
#
# A classifier gives each of $c$ classes a probability. Score it by the probability that it gave to what really
# happened: the likelihood. Its negative logarithm, averaged over the batch, is the cross-entropy
#
# $$-\frac1b \sum_{i=1}^{b} \sum_{k=1}^{c} y_{ik} \log p_{ik}$$
#
# where row $i$ of $y$ is *one-hot*: 1 at the true class, 0 elsewhere. Two details that cost people days:
#
# - the mean is over the $b$ **rows**. The sum over classes is no mean: it picks one logarithm out of each row;
# - $\log 0$ is $-\infty$, and $0 \cdot \infty$ is NaN. So clip the probabilities to $[10^{-7}, 1 - 10^{-7}]$ first.
#   Take them otherwise as they come: do not divide the rows by their sums.


# %% exercise="cross_entropy"
def cross_entropy(y_true, probabilities):
    """Cross-entropy of predicted probabilities, mean over the batch.

    Args:
        y_true: one-hot rows, shape (batch, classes).
        probabilities: shape (batch, classes), clipped here to [1e-7, 1 - 1e-7] and not renormalised.

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes are not these, or `y_true` is not one-hot.
    """
    ### BEGIN SOLUTION
    require_one_hot(y_true=y_true)
    require_same_shape(y_true=y_true, probabilities=probabilities)
    log_probabilities = np.log(np.clip(probabilities, 1e-7, 1 - 1e-7))
    return -np.sum(y_true * log_probabilities) / len(y_true)
    ### END SOLUTION


# %% check="cross_entropy"
check("cross_entropy")

# %% [markdown]
# ## 8 Sigmoid cross-entropy, from logits
#
# For yes-or-no questions a network ends in one raw score $z$, the **logit**, and $p = \sigma(z) = 1/(1+e^{-z})$ is the
# probability of yes. The cross-entropy of one element is $-y\log p - (1-y)\log(1-p)$. Computed in these two steps it
# breaks: at $z = 40$ the sigmoid is exactly 1.0 in `float64`, and $\log(1-p)$ is $-\infty$. Put the sigmoid into the
# formula first, simplify, and the exponential can no longer overflow:
#
# $$\ell(z, y) = \max(z, 0) - z\,y + \log(1 + e^{-|z|})$$
#
# The loss is the mean over every element, and its gradient is as simple as a gradient can be: $(\sigma(z) - y)/n$.
#
# *To think about:* the sigmoid of the gradient has to survive $z = -10^4$ as well, without a warning.


# %% exercise="sigmoid_cross_entropy"
def sigmoid_cross_entropy(y_true, logits):
    """Cross-entropy of `sigmoid(logits)`, mean over every element, stable for large logits.

    Args:
        y_true: array of 0 and 1, any shape.
        logits: array of raw scores, the same shape.

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes differ, or a label lies outside 0..1.
    """
    ### BEGIN SOLUTION
    require_same_shape(y_true=y_true, logits=logits)
    require_between(0, 1, y_true=y_true)
    return np.mean(np.maximum(logits, 0) - logits * y_true + np.log1p(np.exp(-np.abs(logits))))
    ### END SOLUTION


def sigmoid_cross_entropy_grad(y_true, logits):
    """Derivative of `sigmoid_cross_entropy` with respect to `logits`.

    Args:
        y_true: array of 0 and 1, any shape.
        logits: array of raw scores, the same shape.

    Returns:
        Array of `logits`'s shape.

    Raises:
        ValueError: when the shapes differ, or a label lies outside 0..1.
    """
    ### BEGIN SOLUTION
    require_same_shape(y_true=y_true, logits=logits)
    require_between(0, 1, y_true=y_true)
    small = np.exp(-np.abs(logits))  # at most 1, so it cannot overflow
    probabilities = np.where(logits >= 0, 1, small) / (1 + small)
    return (probabilities - y_true) / np.size(y_true)
    ### END SOLUTION


# %% check="sigmoid_cross_entropy"
check("sigmoid_cross_entropy")

# %% [markdown]
# ### Look: why logits
#
# First, the price of a margin under three losses. Cross-entropy never quite stops asking for more; the hinge stops at 1.
# Then, the truth is "no" and the network says "yes" ever louder. In two steps, the loss jumps to infinity near 37, where
# $1 - p$ rounds to zero and the curve ends; clipped, it goes flat, and with it dies the gradient that could have repaired the
# mistake. Yours goes on.

# %% show
margin_costs = {
    "wrong or right": lambda margin: 1.0 * (margin <= 0),
    "hinge": np.vectorize(lambda margin: hinge(np.ones(1), np.array([margin]))),
    "sigmoid cross-entropy": np.vectorize(
        lambda margin: sigmoid_cross_entropy(np.ones(1), np.array([margin]))
    ),
}
display(plots.curves(margin_costs, (-3, 4), title="the price of a margin", xlabel="margin", ylabel="loss"))


def in_two_steps(logit):
    with np.errstate(divide="ignore"):
        return -np.log(1 - 1 / (1 + np.exp(-logit)))


sure_and_wrong = {
    "from logits": np.vectorize(lambda logit: sigmoid_cross_entropy(np.zeros(1), np.array([logit]))),
    "two steps": in_two_steps,
    "two steps, clipped": lambda logit: -np.log(np.clip(1 - 1 / (1 + np.exp(-logit)), 1e-7, 1)),
}
plots.curves(
    sure_and_wrong, (0, 60), title="sure and wrong", xlabel="logit where the truth is 0", ylabel="loss"
)

# %% [markdown]
# ## 9 Softmax cross-entropy, from logits
#
# With more classes, softmax takes the sigmoid's place, $p_{ik} = e^{z_{ik}} / \sum_j e^{z_{ij}}$, and the same
# trouble has the same cure. The logarithm of a softmax is $z_{ik} - \log\sum_j e^{z_{ij}}$, and taking the row's
# largest score $M_i$ out of that sum keeps every exponential at most 1:
#
# $$\log p_{ik} = (z_{ik} - M_i) - \log \sum_j e^{z_{ij} - M_i}$$
#
# The loss is $-\frac1b\sum_i\sum_k y_{ik}\log p_{ik}$ over $b$ one-hot rows. Its gradient, derived in the lesson, is
# $(p - y)/b$: what was predicted minus what was true.
#
# *To think about:* here the gradient divides by the rows, in the sigmoid loss by the elements. Why?


# %% exercise="softmax_cross_entropy"
def softmax_cross_entropy(y_true, logits):
    """Cross-entropy of `softmax(logits)`, mean over the batch, stable for large logits.

    Args:
        y_true: one-hot rows, shape (batch, classes).
        logits: raw scores, shape (batch, classes).

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes are not these, or `y_true` is not one-hot.
    """
    ### BEGIN SOLUTION
    require_one_hot(y_true=y_true)
    require_same_shape(y_true=y_true, logits=logits)
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.sum(y_true * log_probabilities) / len(y_true)
    ### END SOLUTION


def softmax_cross_entropy_grad(y_true, logits):
    """Derivative of `softmax_cross_entropy` with respect to `logits`.

    Args:
        y_true: one-hot rows, shape (batch, classes).
        logits: raw scores, shape (batch, classes).

    Returns:
        Array of shape (batch, classes); each row sums to 0.

    Raises:
        ValueError: when the shapes are not these, or `y_true` is not one-hot.
    """
    ### BEGIN SOLUTION
    require_one_hot(y_true=y_true)
    require_same_shape(y_true=y_true, logits=logits)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = weights / weights.sum(axis=1, keepdims=True)
    return (probabilities - y_true) / len(y_true)
    ### END SOLUTION


# %% check="softmax_cross_entropy"
check("softmax_cross_entropy")

# %% [markdown]
# ### Look: a classifier, from this one gradient
#
# Three clouds of points and a linear model `points @ weights`. All the training there is: multiply your gradient by
# the inputs and step against it.

# %% show
corners = np.array([[-1.5, -1.0], [1.5, -1.0], [0.0, 1.5]])
classes = np.repeat(np.arange(3), 60)
points = np.column_stack([corners[classes] + rng.normal(scale=0.7, size=(180, 2)), np.ones(180)])
truth = np.eye(3)[classes]
weights, history = np.zeros((3, 3)), []
for _ in range(150):
    history.append(softmax_cross_entropy(truth, points @ weights))
    weights -= 0.5 * points.T @ softmax_cross_entropy_grad(truth, points @ weights)

grid = np.linspace(-4, 4, 200)
columns, rows = np.meshgrid(grid, grid)
regions = (np.stack([columns, rows, np.ones_like(rows)], axis=-1) @ weights).argmax(axis=-1)
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), layout="constrained")
left.plot(history)
left.axhline(np.log(3), color="grey", linestyle="--", label="log 3: knowing nothing")
left.set(title="the loss", xlabel="step", ylim=(0, None))
left.legend()
right.contourf(
    columns,
    rows,
    regions,
    levels=[-0.5, 0.5, 1.5, 2.5],
    colors=["tab:blue", "tab:orange", "tab:green"],
    alpha=0.25,
)
for k, colour in enumerate(["tab:blue", "tab:orange", "tab:green"]):
    right.plot(*points[classes == k, :2].T, "o", color=colour, markersize=4)
right.set(title=f"{np.mean((points @ weights).argmax(axis=1) == classes):.0%} right", aspect="equal")
plt.show()

# %% [markdown]
# ## 10 Total variation
#
# Not every loss compares with a truth. Some say what a good picture looks like on its own. In a photograph most pixels
# resemble their neighbours; in noise they do not. The total variation of an image $x$ adds up the steps between them,
#
# $$\mathrm{TV}(x) = \sum_{i,j,k} |x_{i+1,j,k} - x_{i,j,k}| \;+\; \sum_{i,j,k} |x_{i,j+1,k} - x_{i,j,k}|$$
#
# over rows $i$, columns $j$ and channels $k$: steps down, and steps to the right. It is one number for **each** image
# of a batch `(batch, height, width, channels)`, so the result has shape `(batch,)`.
#
# *To think about:* an image of $h$ rows has $h - 1$ steps down. What should a single pixel give?


# %% exercise="total_variation"
def total_variation(images):
    """Sum of the absolute differences between neighbouring pixels, for each image.

    Args:
        images: shape (batch, height, width, channels).

    Returns:
        Array of shape (batch,).

    Raises:
        ValueError: when `images` has not four axes.
    """
    ### BEGIN SOLUTION
    require_rank(4, images=images)
    down = np.abs(np.diff(images, axis=1)).sum(axis=(1, 2, 3))
    right = np.abs(np.diff(images, axis=2)).sum(axis=(1, 2, 3))
    return down + right
    ### END SOLUTION


# %% check="total_variation"
check("total_variation")

# %% [markdown]
# ### Look: what noise costs

# %% show
coffee = data.picture("coffee", 96)
noisy = [np.clip(coffee + scale * rng.normal(size=coffee.shape), 0, 1) for scale in (0, 0.05, 0.15, 0.4)]
plots.pictures(
    noisy, [f"variation {variation:,.0f}" for variation in total_variation(np.stack(noisy))], size=2.6
)

# %% [markdown]
# ## 11 The Gram matrix
#
# What makes brick look like brick is not where each line is but which patterns occur **together**. Filters turn an
# image into features: at each of $h \cdot w$ places a vector $f$ of $c$ numbers, each saying how strongly one
# pattern is there. The Gram matrix averages the products of all pairs of them over the places,
#
# $$G_{kl} = \frac{1}{h\,w} \sum_{i,j} f_{ijk}\, f_{ijl}$$
#
# Entry $(k, l)$ is large where patterns $k$ and $l$ are strong in the same places. The sum forgets the place and keeps
# the company: shuffle the pixels of the feature map, and $G$ stays the same. That is the idea of style.
#
# *To think about:* with the places in the rows of a table $F$ of shape $(hw, c)$, this is one matrix product. Each
# image of the batch has its own.


# %% exercise="gram_matrix"
def gram_matrix(features):
    """Mean product of every pair of channels, for each image.

    Args:
        features: shape (batch, height, width, channels).

    Returns:
        Array of shape (batch, channels, channels), each matrix symmetric.

    Raises:
        ValueError: when `features` has not four axes.
    """
    ### BEGIN SOLUTION
    require_rank(4, features=features)
    batch, height, width, channels = features.shape
    flat = features.reshape(batch, height * width, channels)
    return flat.transpose(0, 2, 1) @ flat / (height * width)
    ### END SOLUTION


# %% check="gram_matrix"
check("gram_matrix")

# %% [markdown]
# ### Look: two bricks and one gravel
#
# As features take each pixel's brightness together with that of its 24 neighbours (less the image's mean), so $G$ is 25
# by 25. Two pieces of one wall have no pixel in common, and yet similar matrices. Gravel has another.


# %% show
def neighbourhoods(image):
    shades = image.mean(axis=-1)
    shades = (shades - shades.mean()) / shades.std()
    shifts = [(i, j) for i in range(-4, 5, 2) for j in range(-4, 5, 2)]
    return np.stack([np.roll(shades, shift, axis=(0, 1)) for shift in shifts], axis=-1)[np.newaxis]


wall, gravel = data.picture("brick"), data.picture("gravel")
pieces = {"brick": wall[:256, :256], "more brick": wall[256:, 256:], "gravel": gravel[:256, :256]}
figure, axes = plt.subplots(2, 3, figsize=(8, 5), layout="constrained")
for (name, piece), (above, below) in zip(pieces.items(), axes.T, strict=True):
    above.imshow(piece)
    above.set_title(name)
    below.imshow(gram_matrix(neighbourhoods(piece))[0], vmin=-1, vmax=1, cmap="RdBu")
    above.axis("off")
    below.axis("off")
plt.show()

# %% [markdown]
# ## 12 Style and content
#
# Two losses, and you have built all their parts. Both compare **features** of two pictures, not pixels:
#
# - **content**: the same pattern in the same place. The mean squared difference of the features;
# - **style**: the same company of patterns anywhere. The mean squared difference of the two Gram matrices.
#
# *To think about:* which of the two still makes sense when the pictures differ in height and width?


# %% exercise="style_loss"
def style_loss(style, generated):
    """Mean squared difference of the Gram matrices of two sets of features.

    Args:
        style: features of the picture to paint like, shape (batch, height, width, channels).
        generated: features of the painting, of the same batch and channels.

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes are not these.
    """
    ### BEGIN SOLUTION
    require_rank(4, style=style, generated=generated)
    if style.shape[::3] != generated.shape[::3]:
        raise ValueError(
            f"generated has batch and channels {generated.shape[::3]}, expected {style.shape[::3]}, those of style"
        )
    return mean_squared_error(gram_matrix(style), gram_matrix(generated))
    ### END SOLUTION


def content_loss(content, generated):
    """Mean squared difference of two sets of features.

    Args:
        content: features of the picture to paint, such as (batch, height, width, channels).
        generated: features of the painting, of the same shape.

    Returns:
        One number, not negative.

    Raises:
        ValueError: when the shapes differ.
    """
    ### BEGIN SOLUTION
    require_same_shape(content=content, generated=generated)
    return mean_squared_error(content, generated)
    ### END SOLUTION


# %% check="style_loss"
check("style_loss")

# %% [markdown]
# ## All together: paint a cat like an eye
#
# Gatys, Ecker and Bethge took their features from a network trained on a million photographs. Surprisingly, *random*
# filters will do for a first painting. Here are three banks of 32, each looking at 5 by 5 pixels which lie 1, 2 or 4
# apart, with a ReLU behind them. The content is a cat, and its features are compared at the widest spacing only, so
# that fine detail is free to change. The style is a photograph of a retina, compared at all three.
#
# We change the **picture** until
#
# $$\text{content loss} + 300 \sum_{\text{banks}} \text{style loss} + 2\cdot10^{-6}\; \text{total variation}$$
#
# is small, going downhill from the cat. The chain rule leads from your losses to the pixels. With the features in a table $F$ of $N = hw$
# rows and $c$ columns, and the Gram matrix $A$ of the style,
#
# $$\frac{\partial\, \text{style}}{\partial F} = \frac{4}{N c^2}\, F\,(G - A), \qquad
# \frac{\partial\, \text{content}}{\partial F} = \frac{2}{N c}\,(F - F_{\text{content}})$$
#
# then back through the ReLU (nothing passes where it was zero) and the filters. The step keeps 0.9 of the last one, as
# a ball keeps rolling; the assignment on optimizers tells more.
#
# **To reach:** the style loss falls below a hundredth of where it began, while the content loss stays below three
# quarters of what the style picture itself would have.

# %% show
spacings = (1, 2, 4)
offsets = [(i, j) for i in range(-2, 3) for j in range(-2, 3)]
generator = np.random.default_rng(0)
banks = [generator.normal(scale=np.sqrt(2 / 75), size=(75, 32)) for _ in spacings]


def features_of(image, spacing, bank):
    """A random 5 x 5 convolution and a ReLU, at one spacing; the image's edges wrap around."""
    neighbours = [np.roll(image - 0.5, (spacing * i, spacing * j), axis=(1, 2)) for i, j in offsets]
    return np.maximum(np.concatenate(neighbours, axis=-1) @ bank, 0)


def features_backward(upstream, features, spacing, bank):
    """The gradient on the features, taken back to the image."""
    columns = np.split((upstream * (features > 0)) @ bank.T, len(offsets), axis=-1)
    return sum(
        np.roll(c, (-spacing * i, -spacing * j), axis=(1, 2))
        for (i, j), c in zip(offsets, columns, strict=True)
    )


def total_variation_grad(image):
    """At each pixel: +1 for every neighbour that is darker, -1 for every brighter one."""
    down, right = np.sign(np.diff(image, axis=1)), np.sign(np.diff(image, axis=2))
    grad = np.zeros_like(image)
    grad[:, 1:] += down
    grad[:, :-1] -= down
    grad[:, :, 1:] += right
    grad[:, :, :-1] -= right
    return grad


photograph, artwork = data.picture("chelsea", 96)[np.newaxis], data.picture("retina", 96)[np.newaxis]
painting, velocity = photograph.copy(), np.zeros_like(photograph)
wanted_content = features_of(photograph, spacings[-1], banks[-1])
wanted_style = [features_of(artwork, spacing, bank) for spacing, bank in zip(spacings, banks, strict=True)]
trace = []
for _ in range(201):
    current = [features_of(painting, spacing, bank) for spacing, bank in zip(spacings, banks, strict=True)]
    style = sum(style_loss(wanted, features) for wanted, features in zip(wanted_style, current, strict=True))
    trace.append((style, content_loss(wanted_content, current[-1]), total_variation(painting)[0]))

    grad = 2e-6 * total_variation_grad(painting)
    for spacing, bank, wanted, features in zip(spacings, banks, wanted_style, current, strict=True):
        places, channels = 96 * 96, 32
        upstream = 300 * 4 * features @ (gram_matrix(features) - gram_matrix(wanted)) / (places * channels**2)
        if spacing == spacings[-1]:
            upstream += 2 * (features - wanted_content) / features.size
        grad += features_backward(upstream, features, spacing, bank)
    velocity = 0.9 * velocity - 60 * grad
    painting = np.clip(painting + velocity, 0, 1)

style, content, variation = np.transpose(trace)
far_off = content_loss(wanted_content, wanted_style[-1])
display(plots.pictures([photograph[0], artwork[0], painting[0]], ["content", "style", "painting"], size=3.2))
shares = {"style, of its start": style / style[0], "content, of the style picture's": content / far_off}
display(plots.lines(shares, title="two losses, one picture", xlabel="step", log=True))
print(f"style loss {style[0]:.2e} -> {style[-1]:.2e}, content loss {content[-1]:.3f} of {far_off:.3f}")
assert style[-1] < style[0] / 100, "the style has not come across: is a Gram matrix off?"
assert content[-1] < 0.75 * far_off, "the cat is lost"

# %% [markdown]
# Change the pictures (`data.PICTURES` lists them), the weights, the spacings. Take the total variation away and look at the
# noise that comes. Start from noise instead of the cat. Every one of these is a question about what a loss asks for,
# and the painting is its answer.
