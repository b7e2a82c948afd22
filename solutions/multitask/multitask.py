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

# %% [markdown]
# ### Look: few directions, or many
#
# Four tasks with two parameters each, on a line and around the same middle. Both sets have the same sum of squares. The
# trace norm tells them apart: on the line there is one direction, all around there are two.

# %% show
angles = np.pi / 2 * np.arange(4)
around = list(np.stack([np.cos(angles), np.sin(angles)], axis=1))
line = [np.array([np.sqrt(2) * np.sin(angle), 0.0]) for angle in angles + np.pi / 4]
line = [one * np.sqrt(soft_sharing_penalty(around) / soft_sharing_penalty(line)) for one in line]
plots.bars(
    {norm: [soft_sharing_penalty(tasks, norm) for tasks in (line, around)] for norm in ("l2", "trace")},
    ["four tasks on a line", "four tasks all around"],
    title="the price of being different",
)

# %% [markdown]
# ## Put together: two tasks help each other
#
# From here on nets are trained, with Keras; it comes with the course's `reference` extra. The pictures are scikit-learn's digits, the tasks: which **digit** is it, and how many closed **loops** does it have? (One for 0, 6 and 9, two for 8,
# none for the others.) Labels are few: one task has 50 pictures with labels, the other 800 *other* pictures. A picture
# without a label for a task has weight 0 in that task's loss. So training alone and training together differ in nothing
# but the weights in `multitask_loss`: (1, 0) or (1, 1). A batch has 16 pictures of each task.
#
# And to be fair, a third task: labels drawn by **chance**. They have nothing to do with the picture, and the trunk must learn them by heart.

# %% show
import time

started = time.perf_counter()
keras.config.set_dtype_policy("float32")  # the references, if they ran here, work in float64
x, digit, x_test, digit_test = data.digits()
loops = np.array([1, 0, 0, 0, 0, 0, 1, 0, 2, 1])
chance = np.random.default_rng(0).integers(3, size=len(x))
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
heads = {"digit": 10, "other": 3}
model = hard_sharing_model(keras.Input((64,)), heads)
model.compile(
    keras.optimizers.Adam(0.01),
    loss=dict.fromkeys(heads, cross_entropy),
    steps_per_execution=50,
)


def restart(model, build, seed):
    """Weights as they are when `build` has just made them, and an optimizer that has seen nothing."""
    keras.utils.set_random_seed(seed)
    model.set_weights(build().get_weights())
    for variable in model.optimizer.variables:
        if "learning_rate" not in variable.path:
            variable.assign(keras.ops.zeros_like(variable))


def batches(seed, digits, others, steps):
    """Places of 32 pictures a step: in turn one with a label for its digit, one with another label."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(x))
    drawn = rng.choice(order[:digits], 16 * steps), rng.choice(order[digits : digits + others], 16 * steps)
    return np.stack(drawn, axis=1).ravel()


def accuracy(seed, other, weights, digits, others, steps=400):
    """What one training reaches on the test pictures: a share for each head."""
    restart(model, lambda: hard_sharing_model(keras.Input((64,)), heads), seed)
    chosen = batches(seed, digits, others, steps)
    has_digit = np.arange(len(chosen)) % 2 == 0
    model.fit(
        x[chosen],
        {"digit": digit[chosen], "other": other[chosen]},
        sample_weight={"digit": weights[0] * has_digit, "other": weights[1] * ~has_digit},
        shuffle=False,
        verbose=0,
    )
    found = {name: np.argmax(each, axis=1) for name, each in model.predict_on_batch(x_test).items()}
    return np.mean(found["digit"] == digit_test), np.mean(found["other"] == loops[digit_test])


seeds = range(8)
few, many = 50, 800
read = {
    "alone": [accuracy(seed, loops[digit], (1, 0), few, many)[0] for seed in seeds],
    "with loops": [accuracy(seed, loops[digit], (1, 1), few, many)[0] for seed in seeds],
    "with chance": [accuracy(seed, chance, (1, 1), few, many)[0] for seed in seeds],
}
counted = {
    "alone": [accuracy(seed, loops[digit], (0, 1), many, few)[1] for seed in seeds],
    "with digits": [accuracy(seed, loops[digit], (1, 1), many, few)[1] for seed in seeds],
}
figure = plots.bars(
    {
        "alone": [np.mean(read["alone"]), np.mean(counted["alone"])],
        "with the other task": [np.mean(read["with loops"]), np.mean(counted["with digits"])],
        "with labels by chance": [np.mean(read["with chance"]), np.nan],
    },
    ["digits, 50 labels", "loops, 50 labels"],
    title="right on test pictures, mean of 8 trainings",
    percent=True,
)
figure.axes[0].set_ylim(0.5, 1)
display(figure)
print(f"{time.perf_counter() - started:.0f} seconds")

# %% [markdown]
# **To reach** (with a trunk of two layers of 128 and ReLU): with the other task's help digits gain at least 2 points and loops 3, chance costs at least 2, each at least three times
# its standard error. The error is that of eight differences, same seed against same seed.


# %% show
def gain(before, after):
    """Mean of the differences, and its standard error."""
    differences = np.subtract(after, before)
    return differences.mean(), differences.std(ddof=1) / np.sqrt(len(differences))


for name, (mean, error), least in [
    ("digits, with loops", gain(read["alone"], read["with loops"]), 0.02),
    ("loops, with digits", gain(counted["alone"], counted["with digits"]), 0.03),
    ("digits, with chance", gain(read["alone"], read["with chance"]), -0.02),
]:
    print(f"{name:20} {100 * mean:+5.1f} points, standard error {100 * error:.1f}")
    assert mean / least >= 1 and abs(mean) > 3 * error, f"{name}: not what was to be shown"

# %% [markdown]
# What loops teach the trunk, round strokes and where they close, is what digits need too. Chance teaches it 800 pictures one by one. So
# more tasks are no good in themselves: a task helps when it asks for what the other one needs, and has labels where the other one has none.
