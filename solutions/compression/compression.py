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
# # Compression
#
# A trained network is mostly air. Nine weights in ten can go, and it hardly notices, if you choose well which, and let the
# others make up for the loss. You will cut off single weights, then whole filters; decide how fast; and put it together
# into the loop that practice uses: cut a little, train a little, again. At the end a net that reads digits has lost 90 % of
# its weights and less than a point of its accuracy. The lesson tells why; have it open beside this notebook.
#
# Nets are built and trained with Keras here. Your functions get plain arrays, all but the last.

# %%
import keras
import numpy as np

from course import data, plots

# %% [markdown]
# ## Given: two guards
#
# They raise `ValueError` for arguments that do not fit. In `require_axes` each letter names an axis, and axes of one letter
# must agree in size.


# %%
def require_axes(**arrays):
    """Raise `ValueError` unless every array has an axis for each of its letters, and equal letters have equal sizes."""
    sizes = {}
    for name, (array, letters) in arrays.items():
        if np.ndim(array) != len(letters) or np.size(array) == 0:
            raise ValueError(
                f"{name} has shape {np.shape(array)}, expected ({', '.join(letters)}), none of them 0"
            )
        for letter, size in zip(letters, np.shape(array), strict=True):
            if sizes.setdefault(letter, size) != size:
                raise ValueError(f"{name} has shape {np.shape(array)}, expected {letter} = {sizes[letter]}")


def require_share(**numbers):
    """Raise `ValueError` unless each number is from 0 to below 1."""
    for name, number in numbers.items():
        if not 0 <= number < 1:
            raise ValueError(f"{name} is {number}, expected 0 or more and below 1")


# %% [markdown]
# ## 1 Single weights
#
# A weight near zero does little. So sort all weights of a kernel by **magnitude**, $|w|$, and cut off the smallest. A mask
# says which stay: True here, False there, and the pruned kernel is `kernel * mask`. The share that is cut off is the
# **sparsity** $s$: of $n$ weights exactly `round(s * n)` go.
#
# *To think about:* why not "everything below 0.01 goes"? And what should happen where many weights are equal?


# %% exercise="magnitude_mask"
def magnitude_mask(weights, sparsity):
    """Which weights stay when the smallest, by magnitude, are cut off.

    Args:
        weights: array of any shape.
        sparsity: share to cut off, from 0 to below 1.

    Returns:
        Bools of the shape of `weights`, True where a weight stays; `round(sparsity * n)` of n are False.

    Raises:
        ValueError: for a sparsity outside its range.
    """
    ### BEGIN SOLUTION
    require_share(sparsity=sparsity)
    weights = np.asarray(weights)
    mask = np.ones(weights.size, dtype=bool)
    mask[np.argsort(np.abs(weights), axis=None)[: round(sparsity * weights.size)]] = False
    return mask.reshape(weights.shape)
    ### END SOLUTION


# %% check="magnitude_mask"
check("magnitude_mask")

# %% [markdown]
# ### Look: what can go
#
# A net with two hidden layers reads MNIST. Its weights lie around zero, most of them very near. Below, the accuracy on
# digits it has never seen when a growing share of each kernel is cut off, with nothing trained afterwards: the smallest
# weights, weights drawn by lot, and the largest.

# %% show
x, labels, x_test, labels_test = (each.astype("float32") for each in data.mnist())
LOSS = "sparse_categorical_crossentropy"


def trained(net, epochs=8, rate=2e-3):
    net.compile(keras.optimizers.Adam(rate), LOSS, metrics=["accuracy"])
    net.fit(x, labels, epochs=epochs, verbose=0)
    return net


def accuracy(net):
    return net.evaluate(x_test, labels_test, batch_size=500, verbose=0)[1]


def reader():
    """784 pixels, 300 units, 100 units, 10 digits."""
    keras.utils.set_random_seed(0)
    dense = [keras.layers.Dense(n, activation="relu") for n in (300, 100)]
    return keras.Sequential(
        [keras.Input((28, 28, 1)), keras.layers.Flatten(), *dense, keras.layers.Dense(10, "softmax")]
    )


net = trained(reader())
whole = net.get_weights()
print(f"{net.count_params():,} parameters, {accuracy(net):.1%} of the new digits read")
display(
    plots.histograms(
        {"share": {f"kernel {i // 2 + 1}": whole[i].ravel() for i in (0, 2, 4)}}, title="the weights", bins=80
    )
)

rng = np.random.default_rng(0)
SHARES = [0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98]


def cut(choose):
    """Accuracy when in each kernel the weights go that have the smallest `choose(kernel)`."""
    found = []
    for share in SHARES:
        net.set_weights([w * magnitude_mask(choose(w), share) if w.ndim > 1 else w for w in whole])
        found.append(accuracy(net))
    net.set_weights(whole)
    return found


at_once = cut(np.abs)
display(
    plots.lines(
        {
            "the smallest": at_once,
            "by lot": cut(lambda w: rng.random(w.shape)),
            "the largest": cut(lambda w: 1 / (np.abs(w) + 1e-9)),
        },
        x=SHARES,
        title="accuracy without the weights that were cut off",
        xlabel="sparsity of each kernel",
        percent=True,
    )
)

# %% [markdown]
# ## 2 Whole filters
#
# A kernel full of zeros is as large as before: only special code makes it faster. Take a whole **filter** away, and what is
# left is an ordinary, smaller convolution. Which filter? One with small weights: by the sum of their magnitudes (L1) or
# the root of the sum of their squares (L2). The filters of a kernel (kh, kw, in, out) lie along its last axis.


# %% exercise="rank_filters"
def rank_filters(kernel, norm="l1"):
    """The filters of a convolution, smallest first.

    Args:
        kernel: shape (kh, kw, in, out).
        norm: `"l1"`, the sum of magnitudes, or `"l2"`, the root of the sum of squares.

    Returns:
        Whole numbers of shape (out,): indices of the filters, lowest norm first.

    Raises:
        ValueError: for an unknown norm or a kernel of another rank.
    """
    ### BEGIN SOLUTION
    require_axes(kernel=(kernel, "hwio"))
    if norm not in ("l1", "l2"):
        raise ValueError(f"norm is {norm!r}, expected 'l1' or 'l2'")
    sizes = np.abs(kernel) if norm == "l1" else np.square(kernel)
    return np.argsort(sizes.sum(axis=(0, 1, 2)))
    ### END SOLUTION


# %% check="rank_filters"
check("rank_filters")

# %% [markdown]
# Or do not look at the weights, but at what they do. Send pictures through the net and look at a layer's activations, (batch,
# h, w, channels): the **mean** of each channel, and the **share that is not zero**. After a ReLU a channel that is silent
# nearly always tells little.


# %% exercise="activity"
def mean_activation(activations):
    """The mean activation of each channel.

    Args:
        activations: shape (batch, ..., channels).

    Returns:
        Array of shape (channels,).
    """
    ### BEGIN SOLUTION
    return np.mean(activations, axis=tuple(range(np.ndim(activations) - 1)))
    ### END SOLUTION


def nonzero_fraction(activations):
    """The share of each channel's activations that are not zero.

    Args:
        activations: shape (batch, ..., channels).

    Returns:
        Array of shape (channels,), from 0 to 1.
    """
    ### BEGIN SOLUTION
    return np.mean(np.asarray(activations) != 0, axis=tuple(range(np.ndim(activations) - 1)))
    ### END SOLUTION


# %% check="activity"
check("activity")

# %% [markdown]
# When a filter goes, its output channel goes. So its bias goes too, and the *next* layer loses an input: the slice of its
# kernel that listened to that channel.
#
# *To think about:* what else would you have to cut if a batch normalization stood between the two layers?


# %% exercise="prune_filters"
def prune_filters(kernel, bias, next_kernel, keep):
    """A convolution without some of its filters, and the next one without the inputs that came from them.

    Args:
        kernel: shape (kh, kw, in, out).
        bias: shape (out,).
        next_kernel: shape (kh, kw, out, next).
        keep: indices of the filters that stay.

    Returns:
        (kernel, bias, next_kernel), smaller.

    Raises:
        ValueError: when the shapes do not fit together, or `keep` is not a list of different filters.
    """
    ### BEGIN SOLUTION
    require_axes(kernel=(kernel, "hwio"), bias=(bias, "o"))
    require_axes(bias=(bias, "o"), next_kernel=(next_kernel, "hwon"), keep=(keep, "k"))
    if not set(keep) <= set(range(len(bias))) or len(set(keep)) < len(keep):
        raise ValueError(f"keep is {keep}, expected different whole numbers from 0 to {len(bias) - 1}")
    return kernel[..., keep], bias[keep], next_kernel[:, :, keep]
    ### END SOLUTION


# %% check="prune_filters"
check("prune_filters")

# %% [markdown]
# ### Look: filters in order
#
# A small convolutional net, and the sixteen filters of its first layer, smallest first. Below, its accuracy when filters of the
# first layer go, with nothing trained afterwards: four ways to choose, and the other way round to see that it matters.
# The nets in the plot *are* smaller: your `prune_filters` makes their kernels.


# %% show
def convolutional(first=16):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            keras.layers.Conv2D(first, 5, strides=2, activation="relu"),
            keras.layers.Conv2D(24, 3, strides=2, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(10, "softmax"),
        ]
    )


seer = trained(convolutional(), epochs=4)
kernel, bias, next_kernel, *others = seer.get_weights()
display(
    plots.signed(
        [kernel[..., 0, each] for each in rank_filters(kernel)],
        titles=[f"{np.abs(kernel[..., each]).sum():.1f}" for each in rank_filters(kernel)],
        title="filters of the first layer, and their L1 norms",
        columns=8,
        size=1.2,
    )
)
maps = keras.Model(seer.inputs, seer.layers[0].output).predict(x[:500], verbose=0)
orders = {
    "L1 norm": rank_filters(kernel),
    "L2 norm": rank_filters(kernel, norm="l2"),
    "mean activation": np.argsort(mean_activation(maps)),
    "share that is not zero": np.argsort(nonzero_fraction(maps)),
    "largest L1 norm first": rank_filters(kernel)[::-1],
}
GONE = list(range(0, 16, 3))
kept_accuracy = {name: [] for name in orders}
for gone in GONE:
    smaller = convolutional(16 - gone)
    smaller.compile(loss=LOSS, metrics=["accuracy"])
    for name, order in orders.items():
        pruned = prune_filters(kernel, bias, next_kernel, np.sort(order[gone:]))
        smaller.set_weights([*pruned, *others])
        kept_accuracy[name].append(accuracy(smaller))
display(
    plots.lines(
        kept_accuracy,
        x=GONE,
        title="accuracy without some filters of the first layer",
        xlabel="filters that are gone, of 16",
        percent=True,
    )
)

# %% [markdown]
# ## 3 How fast
#
# Cut off everything at once, and the net may not find back. Better a share that grows: fast at first, when there is much that
# nobody misses, then ever slower. Between the steps $t_0$ (`start`) and $t_1$ (`end`) from $s_i$ (`initial`) to $s_f$ (`final`):
#
# $$s(t) = s_f + (s_i - s_f)\left(1 - \frac{t - t_0}{t_1 - t_0}\right)^3 .$$
#
# Before the start it is $s_i$, after the end $s_f$.
#
# *To think about:* which share of the weights that are still there goes in the first step, and which in the last?


# %% exercise="sparsity_schedule"
def sparsity_schedule(step, start, end, initial, final):
    """The share to cut off at a step: it grows fast at first, then ever slower.

    Args:
        step: the step.
        start: before it, the share is `initial`.
        end: after it, the share is `final`.
        initial: share from 0 to below 1.
        final: share from 0 to below 1.

    Returns:
        One number.

    Raises:
        ValueError: for a share outside its range, or an end that is not after the start.
    """
    ### BEGIN SOLUTION
    require_share(initial=initial, final=final)
    if end <= start:
        raise ValueError(f"end is {end}, expected one after start, {start}")
    if step <= start:
        return initial
    if step >= end:
        return final
    progress = (step - start) / (end - start)
    return final + (initial - final) * (1 - progress) ** 3
    ### END SOLUTION


# %% check="sparsity_schedule"
check("sparsity_schedule")

# %% show
steps = np.linspace(-2, 14, 161)
plots.lines(
    {
        "cubic": [sparsity_schedule(step, 0, 10, 0.0, 0.9) for step in steps],
        "even": 0.9 * np.clip(steps / 10, 0, 1),
    },
    x=steps,
    title="share that is cut off, from 0 to 90 % in ten rounds",
    xlabel="round",
    percent=True,
)

# %% [markdown]
# ## 4 Cut, train, repeat
#
# Now the loop. In each of `rounds` rounds: a larger share than before, up to `sparsity` in the last; a mask for **each kernel on
# its own** (a trainable variable with two axes or more; biases stay whole); then `epochs` epochs of training. While the net is
# trained, what is zero must stay zero. An optimizer knows nothing of masks: it would move those weights again. So multiply by
# the masks after every batch, in a callback for instance:
#
# ```python
# class Hold(keras.callbacks.Callback):
#     def on_train_batch_end(self, batch, logs=None):
#         ...
# ```
#
# How the share grows from round to round is up to you. The model comes compiled: `model.fit` is all you need. Return it.


# %% exercise="iterative_pruning"
def iterative_pruning(model, data, rounds, sparsity=0.9, epochs=1):
    """Cut off more and more of a net's weights, and train the others in between.

    Args:
        model: a compiled Keras model.
        data: (x, y) to train on.
        rounds: how often to cut and train.
        sparsity: share of each kernel that is zero in the end.
        epochs: epochs of training after each cut.

    Returns:
        The model.

    Raises:
        ValueError: for a sparsity outside its range, or fewer rounds or epochs than 1.
    """
    ### BEGIN SOLUTION
    require_share(sparsity=sparsity)
    if rounds < 1 or epochs < 1:
        raise ValueError(f"rounds is {rounds} and epochs {epochs}, expected at least 1")
    kernels = [each for each in model.trainable_variables if len(each.shape) > 1]

    def cut(masks):
        for kernel, mask in zip(kernels, masks, strict=True):
            kernel.assign(kernel * mask)

    for step in range(1, rounds + 1):
        share = sparsity_schedule(step, 0, rounds, 0.0, sparsity)
        masks = [magnitude_mask(each.numpy(), share).astype(each.dtype) for each in kernels]
        cut(masks)
        hold = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs, now=masks: cut(now))
        model.fit(*data, epochs=epochs, verbose=0, callbacks=[hold])
    return model
    ### END SOLUTION


# %% check="iterative_pruning"
check("iterative_pruning")

# %% [markdown]
# ## All together: nine tenths of a net
#
# The net from the beginning again, with all its weights. Your loop takes them away, in five rounds with an epoch of training
# in each: 70 % of every kernel, then more and more.
#
# **To reach:** 90 % of the weights of each kernel gone, for less than one point of accuracy.

# %% show
net = trained(reader(), epochs=12)
before = accuracy(net)
start = net.get_weights()
little_by_little = []
for share in SHARES[3:]:
    net.set_weights(start)
    net.compile(keras.optimizers.Adam(1e-3), LOSS, metrics=["accuracy"])
    iterative_pruning(net, (x, labels), rounds=5, sparsity=share, epochs=1)
    little_by_little.append(accuracy(net))
    if share == 0.9:
        sparse = net.get_weights()
display(
    plots.lines(
        {
            "cut, trained, repeated": [before] * 3 + little_by_little,
            "cut at once, not trained": at_once,
        },
        x=SHARES,
        title="accuracy on new digits",
        xlabel="sparsity of each kernel",
        percent=True,
    )
)
net.set_weights(sparse)
zeros = [np.mean(w == 0) for w in sparse if w.ndim > 1]
print(f"before: {before:.1%}; with {np.mean(zeros):.0%} of each kernel gone: {accuracy(net):.1%}")
assert np.allclose(zeros, 0.9, atol=0.001), "90 % of each kernel should be zero"
assert accuracy(net) > before - 0.01, (
    "less than a point may be lost: are the masks held, and the net trained?"
)

# %% [markdown]
# Where did the weights go? Each pixel of the picture began with 300. Here is how many each has left: the border of the picture, where
# there is never any ink, has lost nearly all of its weights. Nobody told the net where digits are.

# %% show
left = np.count_nonzero(sparse[0], axis=1).reshape(28, 28)
display(
    plots.pictures([left / left.max(), x[:200].mean(axis=0)], ["weights left", "mean of the digits"], size=3)
)

# %% [markdown]
# Train the sparse net from fresh random weights, masks held: does it get as far? Which kernel could lose more than the others?
# And how much smaller is the file if you keep only what is not zero, with its places?
