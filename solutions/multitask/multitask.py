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
# # Many tasks, one net
#
# So far each of your nets had one job. Here one net has several: it says which digit it sees, how many closed loops the digit has, and
# how much ink there is. The tasks share what they can use together, and where one of them has few labels, it learns from the others'.
#
# You will build the classic net for this, a trunk with many heads (**hard sharing**), in Keras. The rest is NumPy: how many losses
# become one number; how a net can find the weights of that sum itself; and how nets that stay apart can still be kept close together
# (**soft sharing**).
#
# At the end two tasks with few labels help each other, and a third one does harm. The lesson derives every formula used
# here; have it open beside this notebook. Nothing may change its arguments.

# %%
import keras
import numpy as np
from keras import layers

from course import data, plots

# %% [markdown]
# ## Guards to use
#
# Each raises `ValueError` when something cannot be right. Call them first thing in a function.


# %%
def require_tasks(losses, **others):
    """Raise `ValueError` unless `losses` is (tasks,), not empty, and every other array has its shape."""
    if np.ndim(losses) != 1 or np.size(losses) == 0:
        raise ValueError(f"losses has shape {np.shape(losses)}, expected (tasks,), not empty")
    for name, other in others.items():
        if np.shape(other) != np.shape(losses):
            raise ValueError(f"{name} has shape {np.shape(other)}, expected {np.shape(losses)}, as losses")


def require_at_least_0(**numbers):
    """Raise `ValueError` unless every element of every array is 0 or more."""
    for name, number in numbers.items():
        if not np.all(np.asarray(number) >= 0):
            raise ValueError(f"{name} is {number}, expected at least 0")


def require_pairs(parameters):
    """Raise `ValueError` unless there are at least two arrays, not empty, all of one shape."""
    if len(parameters) < 2:
        raise ValueError(f"parameters has length {len(parameters)}, expected at least two tasks")
    for one in parameters:
        if np.shape(one) != np.shape(parameters[0]) or np.size(one) == 0:
            raise ValueError(
                f"parameters has the shapes {[np.shape(each) for each in parameters]}, expected equal ones, not empty"
            )


def require_heads(heads):
    """Raise `ValueError` unless `heads` has at least one head, and none without a logit."""
    if not heads or min(heads.values()) < 1:
        raise ValueError(f"heads is {heads}, expected at least one head, each with at least one logit")


# %% [markdown]
# ## 1 One trunk, many heads
#
# **Hard sharing** is the oldest way, and still the first to try. Layers near the input are one and the same for all tasks, the
# **trunk**. On its output stand the **heads**, a layer for each task, with weights that belong to this task alone:
#
# $$h = \text{trunk}(x), \qquad z^{(t)} = h\,W^{(t)} + b^{(t)} \quad\text{for each task } t .$$
#
# Every task's gradient flows into the trunk, so the trunk learns what is good for all of them, and an example
# that has a label for one task teaches the trunk something that all can use. The heads feel their own task only.
#
# Build it with Keras' functional way of calling layers on tensors. `inputs` is a Keras tensor, of vectors, images, or anything else: so
# flatten first. How wide and how deep the trunk is, is yours to choose, but it must have weights and a nonlinearity. The heads
# end in **logits**: no softmax, no other activation. The output of the model is a **dict**, name of the task to logits, and Keras then takes targets and
# losses as dicts too.
#
# *To think about:* why is a dict safer here than a list? And what would two dense layers without an activation between them be?


# %% exercise="hard_sharing_model"
def hard_sharing_model(inputs, heads):
    """A net whose tasks share everything but their last layer.

    Args:
        inputs: Keras tensor (batch, ...), of any shape.
        heads: dict, name of a task -> how many logits it has.

    Returns:
        `keras.Model` from `inputs` to a dict: name of a task -> Keras tensor (batch, units) of logits.
    """
    ### BEGIN SOLUTION
    require_heads(heads)
    shared = layers.Flatten()(inputs)
    shared = layers.Dense(128, activation="relu")(shared)
    shared = layers.Dense(128, activation="relu")(shared)
    return keras.Model(inputs, {name: layers.Dense(units)(shared) for name, units in heads.items()})
    ### END SOLUTION


# %% check="hard_sharing_model"
check("hard_sharing_model")

# %% [markdown]
# ## 2 One number out of many losses
#
# Each task has its loss $L_t$. Gradient descent goes down on one number, so add them up, each times a **weight** $w_t \ge 0$ that says how
# much the task matters:
#
# $$L = \sum_t w_t L_t$$
#
# That is what `loss_weights` in Keras' `compile` do. A weight of 0 switches a task off. The weights need not sum to 1, and nothing is
# divided by their sum: twice all weights is twice the learning rate.
#
# *To think about:* one task's loss is a cross-entropy, around 2. Another's is a squared error in grams, around 10,000. All
# weights are 1. Which of the two does the trunk learn?


# %% exercise="multitask_loss"
def multitask_loss(losses, weights):
    """The sum of the tasks' losses, each times its weight.

    Args:
        losses: array (tasks,), one loss a task.
        weights: array (tasks,), none negative.

    Returns:
        One number.
    """
    ### BEGIN SOLUTION
    require_tasks(losses, weights=weights)
    require_at_least_0(weights=weights)
    return np.sum(weights * losses)
    ### END SOLUTION


# %% check="multitask_loss"
check("multitask_loss")

# %% [markdown]
# ## 3 Weights that the noise decides
#
# Weights by hand means a search in as many dimensions as there are tasks. Kendall, Gal and Cipolla had the model find them itself.
# Say that task $t$ predicts with Gaussian noise of variance $\sigma_t^2$, which nobody knows. The negative log-likelihood of one squared error $L_t$
# is then $\frac{1}{2\sigma_t^2} L_t + \frac12\log\sigma_t^2$, and a constant. Learn $s_t = \log\sigma_t^2$ rather than $\sigma_t^2$: any real number will do, so nothing
# has to be kept positive. Twice that, added up over the tasks:
#
# $$L = \sum_t \left( e^{-s_t} L_t + s_t \right)$$
#
# A noisy task gets a large $s_t$ and a small weight $e^{-s_t}$. The term $+ s_t$ is what this costs: without it, all the $s_t$ would grow for ever.
# And where is it lowest? Where $-e^{-s_t}L_t + 1 = 0$, at $s_t = \log L_t$. The weight is then $1/L_t$: every task is measured
# by its own size, whatever its unit.
#
# *To think about:* put $s_t = \log L_t$ into the sum. Of what, then, does training go down on the sum?


# %% exercise="uncertainty_weighted_loss"
def uncertainty_weighted_loss(losses, log_variances):
    """The sum over the tasks of exp(-s) L + s, with s the logarithm of the task's variance.

    Args:
        losses: array (tasks,), one loss a task.
        log_variances: array (tasks,), of any sign.

    Returns:
        One number, which may be negative.
    """
    ### BEGIN SOLUTION
    require_tasks(losses, log_variances=log_variances)
    return np.sum(np.exp(-log_variances) * losses + log_variances)
    ### END SOLUTION


# %% check="uncertainty_weighted_loss"
check("uncertainty_weighted_loss")

# %% [markdown]
# ### Look: where each task wants its s
#
# One task a curve. Each is lowest at the logarithm of its loss (the dot), steep on the side of too much trust, and flat on the other.

# %% show
sizes = (0.1, 1.0, 10.0)
figure = plots.curves(
    {
        f"a loss of {loss:g}": np.vectorize(
            lambda s, loss=loss: uncertainty_weighted_loss(np.array([loss]), np.array([s]))
        )
        for loss in sizes
    },
    span=(-4, 6),
    ylim=(-4, 12),
    xlabel="log variance s",
    ylabel="exp(-s) L + s",
    title="what a task pays",
)
lowest = [uncertainty_weighted_loss(np.array([loss]), np.log([loss])) for loss in sizes]
figure.axes[0].plot(np.log(sizes), lowest, "o", color="black")
display(figure)

# %% [markdown]
# ## 4 Sharing softly
#
# Hard sharing says: one trunk, equal for all. **Soft sharing** gives each task a net of its own, and charges for differences between the nets. So
# tasks can part where they must, and stay together where it costs them nothing.
#
# Take one layer, with the parameters $\theta_1, \dots, \theta_T$ of the $T$ tasks, arrays of one shape. Flatten them. For every pair of tasks write down the
# difference as a row:
#
# $$D = \begin{pmatrix} \theta_1 - \theta_2 \\ \theta_1 - \theta_3 \\ \vdots \\ \theta_{T-1} - \theta_T \end{pmatrix}, \qquad \tfrac{T(T-1)}{2} \text{ rows}$$
#
# Two ways to measure it:
#
# - `"l2"`: the sum of the squares of all its elements, $\sum_{ij} D_{ij}^2$. It pulls each task towards all others.
# - `"trace"`: the **trace norm** or nuclear norm, the sum of its **singular values**, $\sum_i \sigma_i$. A singular value says how far the tasks are spread in
#   one direction. Their sum is the convex stand-in for their number, the rank. So it prefers tasks that differ in *few directions*, as an L1 penalty
#   prefers few weights that are not 0.
#
# `np.linalg.svd(matrix, compute_uv=False)` gives the singular values.
#
# *To think about:* what are the singular values of a matrix with one row?


# %% exercise="soft_sharing_penalty"
def soft_sharing_penalty(parameters, norm="l2"):
    """How different the tasks' parameters are, over all pairs of tasks.

    Args:
        parameters: list of at least two arrays of one shape, one a task.
        norm: "l2" for the sum of the squares of the matrix of differences, "trace" for its nuclear norm.

    Returns:
        One number, not negative.

    Raises:
        ValueError: `norm` is neither of the two.
    """
    ### BEGIN SOLUTION
    require_pairs(parameters)
    if norm not in ("l2", "trace"):
        raise ValueError(f"norm is {norm!r}, expected 'l2' or 'trace'")
    tasks = len(parameters)
    rows = [np.ravel(parameters[i] - parameters[j]) for i in range(tasks) for j in range(i + 1, tasks)]
    differences = np.stack(rows)
    if norm == "l2":
        return np.sum(differences**2)
    return np.sum(np.linalg.svd(differences, compute_uv=False))
    ### END SOLUTION


# %% check="soft_sharing_penalty"
check("soft_sharing_penalty")
