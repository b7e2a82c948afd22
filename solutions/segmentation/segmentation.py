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
# # Segmentation
#
# A classifier says *what* is in a picture. A detector says *where*, with boxes. Segmentation says it for **every pixel**:
# this one is sky, this one is cat. The trouble is that a network which knows what a cat is has halved the picture five
# times on its way there. What it knows at the end, it knows for blocks of 32 by 32 pixels.
#
# So you need a way back up, and a way to bring back what was lost on the way down. You will write both: an enlargement by
# a transposed convolution, and the three heads of the fully convolutional network (FCN). You will also write the loss that
# trains them and the score that judges them. At the end your heads compete on drawn scenes. The lesson derives every
# formula used here; have it open beside this notebook.
#
# - Images have shape `(batch, height, width, channels)`. A **mask** has shape `(batch, height, width)` and holds the class of
#   each pixel, a whole number from 0.
# - Nothing may change its arguments.

# %%
import numpy as np

from course import data, plots, scenes

rng = np.random.default_rng(0)

# %% [markdown]
# ## Guards, and a transposed convolution
#
# These are given. The guards stop what would otherwise go wrong in silence; call them first thing in a function if you
# like, the checks do not ask for them. `conv2d_transpose` is the one that you know from the assignment on convolution,
# "valid", as short as it can be: **each pixel puts the whole kernel, times its value, into the output, `stride` pixels
# further than its neighbour did; where kernels overlap, they add up**.


# %%
def require_at_least_1(**numbers):
    """Raise `ValueError` unless every number is at least 1."""
    for name, number in numbers.items():
        if number < 1:
            raise ValueError(f"{name} is {number}, expected at least 1")


def require_rank(rank, **arrays):
    """Raise `ValueError` unless every array has this many axes, none of them empty."""
    for name, array in arrays.items():
        if np.ndim(array) != rank or np.size(array) == 0:
            raise ValueError(f"{name} has shape {np.shape(array)}, expected {rank} axes, none of them empty")


def require_alike(**arrays):
    """Raise `ValueError` unless all arrays have one shape, and it is not empty."""
    (first, expected), *others = arrays.items()
    for name, array in others:
        if np.shape(array) != np.shape(expected) or np.size(array) == 0:
            raise ValueError(
                f"{name} has shape {np.shape(array)}, expected that of {first}, {np.shape(expected)}, not empty"
            )


def require_labels(classes, **masks):
    """Raise `ValueError` unless every label is one of 0 to `classes` - 1."""
    for name, mask in masks.items():
        if np.min(mask, initial=0) < 0 or np.max(mask, initial=0) >= classes:
            raise ValueError(
                f"{name} goes from {np.min(mask)} to {np.max(mask)}, expected classes 0 to {classes - 1}"
            )


def conv2d_transpose(x, kernel, stride):
    """Each pixel adds the kernel, times its value, to the output.

    Args:
        x: images, shape (batch, height, width, in).
        kernel: shape (k, k, out, in), k at least `stride`.
        stride: pixels from one kernel to the next, a whole number.

    Returns:
        Array of shape (batch, height * stride + k - stride, width * stride + k - stride, out).
    """
    batch, height, width, _ = x.shape
    k, _, out, _ = kernel.shape
    over = k - stride
    y = np.zeros((batch, height * stride + over, width * stride + over, out), np.result_type(x, kernel))
    for u, v in np.ndindex(k, k):
        y[:, u : u + height * stride : stride, v : v + width * stride : stride] += x @ kernel[u, v].T
    return y


# %% [markdown]
# ## 1 A kernel that interpolates
#
# Enlarge an axis by a factor $f$: each old pixel becomes $f$ new ones. The new pixels between two old ones should slide
# from the one value to the other in a straight line. Turn this round and ask what **one** old pixel gives to the new ones:
# all of its value to a new pixel at its own centre, nothing to one that is a whole old pixel ($f$ new ones) away, and in
# between it falls in a straight line. That is a tent:
#
# $$t_u = 1 - \frac{|u - m|}{f}, \qquad u = 0, \dots, k - 1, \qquad m = \frac{k - 1}{2}$$
#
# Here $u$ counts the weights of the kernel along one axis, $k$ is how many there are, and $m$ is the middle. How many is
# $k$? As many new pixels as lie *less* than $f$ away from the old pixel's centre.
#
# - $f$ **odd**: the centre of the old pixel is the centre of a new one. There is that one, and $f - 1$ on each side:
#   $k = 2f - 1$.
# - $f$ **even**: the centre lies on the line between two new ones. There are $f$ on each side: $k = 2f$.
#
# Both at once: $k = 2f - (f \bmod 2)$. In two directions the weights multiply, $t_u\,t_v$. And as no channel should leak
# into another, the kernel of shape `(k, k, out, in)` is zero but where `out` equals `in`.
#
# *To think about:* what are the weights for $f = 2$? Which of them does a new pixel get from the old pixel on its left, which
# from the one on its right, and what is their sum?


# %% exercise="bilinear_kernel"
def bilinear_kernel(factor, channels):
    """The kernel of a transposed convolution that enlarges by linear interpolation.

    Args:
        factor: how many times larger, a whole number; also the stride.
        channels: of the images.

    Returns:
        Array of shape (k, k, channels, channels), k = 2 * factor - factor % 2.

    Raises:
        ValueError: when a number is below 1.
    """
    ### BEGIN SOLUTION
    require_at_least_1(factor=factor, channels=channels)
    k = 2 * factor - factor % 2
    tent = 1 - np.abs(np.arange(k) - (k - 1) / 2) / factor
    return np.outer(tent, tent)[:, :, np.newaxis, np.newaxis] * np.eye(channels)
    ### END SOLUTION


# %% check="bilinear_kernel"
check("bilinear_kernel")

# %% [markdown]
# ### Look: tents
#
# The kernel for a factor of 3 has a weight in its very middle, those for 4 and 8 have none. Below is what four neighbouring
# pixels of value 1 give to the new ones, along one axis, and what all give together: from the first centre to the last it is 1.

# %% show
display(
    plots.pictures(
        [bilinear_kernel(factor, 1) for factor in (3, 4, 8)],
        ["factor 3: 5 by 5", "factor 4: 8 by 8", "factor 8: 16 by 16"],
        size=2.2,
    )
)
tent = bilinear_kernel(4, 1)[:, :, 0, 0].sum(axis=0) / 4
four = {f"pixel {i}": np.pad(tent, (4 * i, 4 * (3 - i))) for i in range(4)}
display(
    plots.lines(
        {**four, "together": np.sum(list(four.values()), axis=0)},
        title="four pixels of 1, enlarged 4 times",
        xlabel="new pixel",
    )
)

# %% [markdown]
# ## 2 Enlarging
#
# With this kernel, and $f$ as the stride, a transposed convolution is an enlargement. The given one paints all of every
# kernel, and so the result is $k - f$ pixels too high and too wide. Cut it to $f$ times the size of `x`: that is what the
# padding `"same"` means. As many pixels go at the top as at the bottom, and as many at the left as at the right, or else
# your picture moves.
#
# Beyond the border there are no pixels and so no kernels: there everything counts as 0, and a bright picture fades
# at its edge. Functions called `resize` repeat the last pixel instead. They differ from yours at the border only.
#
# *To think about:* is $k - f$ always even?


# %% exercise="upsample_bilinear"
def upsample_bilinear(x, factor):
    """Enlarge images by linear interpolation; beyond their border everything is 0.

    Args:
        x: images, shape (batch, height, width, channels).
        factor: how many times larger, a whole number.

    Returns:
        Array of shape (batch, factor * height, factor * width, channels).

    Raises:
        ValueError: when `x` is not such an array, or `factor` is below 1.
    """
    ### BEGIN SOLUTION
    require_rank(4, x=x)
    require_at_least_1(factor=factor)
    kernel = bilinear_kernel(factor, x.shape[3])
    cut = (len(kernel) - factor) // 2
    height, width = factor * x.shape[1], factor * x.shape[2]
    return conv2d_transpose(x, kernel, factor)[:, cut : cut + height, cut : cut + width]
    ### END SOLUTION


# %% check="upsample_bilinear"
check("upsample_bilinear")

# %% [markdown]
# ### Look: a cat, eight times as large
#
# On the left each pixel is repeated, which is called *nearest*. In the middle is your enlargement, and on the right what it
# does to a picture of ones: it fades at the border, half a pixel of the old size wide.

# %% show
cat = data.picture("chelsea", 24)[np.newaxis]
display(
    plots.pictures(
        [
            cat.repeat(8, axis=1).repeat(8, axis=2)[0],
            upsample_bilinear(cat, 8)[0],
            upsample_bilinear(np.ones((1, 24, 24, 1)), 8)[0],
        ],
        ["nearest", "bilinear", "ones, enlarged"],
        size=2.6,
    )
)

# %% [markdown]
# ## 3 A loss for every pixel
#
# The network gives each pixel a score for each class, its **logits**. Softmax makes probabilities of them, and the loss of a
# pixel is minus the logarithm of its true class' probability: cross-entropy, as for whole pictures. With the logits
# $z_{p,c}$ of pixel $p$, its true class $y_p$, and the set $V$ of pixels that count,
#
# $$L = \frac{1}{|V|}\sum_{p \in V}\Bigl(\log\sum_c e^{z_{p,c}} - z_{p,y_p}\Bigr), \qquad V = \{p : y_p \ne \text{ignore}\}$$
#
# Some pixels do not count. On the outline of a cat nobody can say which pixel is still cat; such pixels get a label that is no
# class, usually **255**. They neither add to the sum nor to the count: the mean is over $|V|$ pixels, all images together. If
# no pixel counts, the loss is 0.
#
# Shift the logits of a pixel by their largest before you take `exp`, as in the assignment on losses.
#
# *To think about:* 255 is not a class, so `logits[..., 255]` is an error at best. In what order do you select, and pick?


# %% exercise="pixel_cross_entropy"
def pixel_cross_entropy(y_true, logits, ignore=255):
    """Softmax cross-entropy of every pixel, the mean over those that count.

    Args:
        y_true: mask of classes, shape (batch, height, width); `ignore` where a pixel does not count.
        logits: shape (batch, height, width, classes).
        ignore: the label of pixels that do not count.

    Returns:
        One number, 0 when no pixel counts.

    Raises:
        ValueError: when shapes do not fit, or a label is neither a class nor `ignore`.
    """
    ### BEGIN SOLUTION
    require_rank(3, y_true=y_true)
    require_rank(4, logits=logits)
    require_alike(logits=logits[..., 0], y_true=y_true)
    counts = y_true != ignore
    labels, scores = np.asarray(y_true)[counts].astype(int), logits[counts]
    require_labels(logits.shape[3], y_true=labels)
    if len(labels) == 0:
        return 0.0
    scores = scores - scores.max(axis=1, keepdims=True)
    true_scores = scores[np.arange(len(labels)), labels]
    return np.mean(np.log(np.exp(scores).sum(axis=1)) - true_scores)
    ### END SOLUTION


# %% check="pixel_cross_entropy"
check("pixel_cross_entropy")

# %% [markdown]
# ### Look: a scene and its mask
#
# These are the scenes that your network will learn: ellipses, rectangles and triangles on textured ground. The helper
# `void_borders` gives the label 255 to every pixel that has a neighbour of another class (white below). On the right, what
# the loss says of logits that favour the truth by some margin, and of logits that do so for half of the pixels only: there,
# more confidence is worse.

# %% show
PALETTE = np.ones((256, 3))
PALETTE[:4] = [[0.15, 0.15, 0.18], [0.93, 0.49, 0.19], [0.27, 0.62, 0.85], [0.36, 0.72, 0.36]]


def void_borders(masks):
    """A copy of the masks, 255 where a pixel differs from the one beside, above or below it."""
    marked = masks.copy()
    for axis in (1, 2):
        differs = np.diff(masks, axis=axis) != 0
        for side in ((0, 1), (1, 0)):
            marked[np.pad(differs, [side if each == axis else (0, 0) for each in range(3)])] = 255
    return marked


pictures, truth = scenes.draw(3, seed=5)
masks = scenes.segmentation(truth)
shown = [picture for i in range(3) for picture in (pictures[i], PALETTE[void_borders(masks)[i]])]
display(
    plots.pictures(
        shown, ["scene", "mask"] * 3, title="orange ellipses, blue rectangles, green triangles", columns=6
    )
)
margins = np.linspace(0, 8, 33)
half = np.where(rng.random(masks.shape) < 0.5, masks, (masks + 1) % 4)
display(
    plots.lines(
        {
            "right everywhere": [pixel_cross_entropy(masks, margin * np.eye(4)[masks]) for margin in margins],
            "right for half": [pixel_cross_entropy(masks, margin * np.eye(4)[half]) for margin in margins],
        },
        margins,
        title="the loss by the margin of the highest score",
        xlabel="margin",
    )
)

# %% [markdown]
# ## 4 A score for masks
#
# The share of right pixels (*pixel accuracy*) flatters: most pixels are background, and a network that calls everything
# background gets most of them right. So each class is judged by itself, by **intersection over union**. Of all pixels that are
# class $c$ in the truth *or* in the prediction, how many are so in both?
#
# $$\text{IoU}_c = \frac{n_{cc}}{\sum_j n_{cj} + \sum_i n_{ic} - n_{cc}}$$
#
# Here $n_{ij}$ is the number of pixels of true class $i$ that were called $j$, **over all images together**: the confusion
# matrix. The two sums count the truth's pixels and the prediction's; those in both were counted twice, so they are
# taken off once. The **mean IoU** is the mean over the classes, background among them. A class that is in neither, nowhere,
# has 0/0 and is left out.
#
# *To think about:* a class is in the prediction only. What is its IoU, and is it left out?


# %% exercise="mean_iou"
def mean_iou(y_true, y_pred, classes):
    """Intersection over union of each class, over all pixels together; their mean.

    Args:
        y_true: mask of classes, of any shape.
        y_pred: mask of classes, of `y_true`'s shape.
        classes: how many there are.

    Returns:
        One number in 0..1, the mean over the classes that are in at least one of the two.

    Raises:
        ValueError: when shapes differ, or a label is not a class.
    """
    ### BEGIN SOLUTION
    require_at_least_1(classes=classes)
    require_alike(y_true=y_true, y_pred=y_pred)
    require_labels(classes, y_true=y_true, y_pred=y_pred)
    pairs = classes * np.ravel(y_true).astype(int) + np.ravel(y_pred).astype(int)
    table = np.bincount(pairs, minlength=classes**2).reshape(classes, classes)
    intersections = np.diag(table)
    unions = table.sum(axis=0) + table.sum(axis=1) - intersections
    found = unions > 0
    return np.mean(intersections[found] / unions[found])
    ### END SOLUTION


# %% check="mean_iou"
check("mean_iou")

# %% [markdown]
# ### Look: which score is strict
#
# The masks of forty scenes, moved to the right by 0 to 12 pixels, are held against themselves. Pixel accuracy hardly minds,
# mean IoU does. The level lines are for the mask that calls everything background: its accuracy sounds good, its mean IoU does not.

# %% show
masks = scenes.segmentation(scenes.draw(40, seed=6)[1])
moves = np.arange(13)
moved = [np.roll(masks, move, axis=2) for move in moves]
nothing = np.zeros_like(masks)
display(
    plots.lines(
        {
            "pixel accuracy": [np.mean(masks == each) for each in moved],
            "mean IoU": [mean_iou(masks, each, 4) for each in moved],
            "accuracy, all background": [np.mean(masks == nothing)] * len(moves),
            "mean IoU, all background": [mean_iou(masks, nothing, 4)] * len(moves),
        },
        moves,
        title="masks moved to the right",
        xlabel="pixels",
        percent=True,
    )
)

# %% [markdown]
# ## 5 Three heads
#
# From here on you build with Keras, layer on layer; this part of the notebook needs Keras and TensorFlow.
#
# A network with five poolings gives you three of its feature maps. `pool3` has seen three poolings, so its pixels are blocks of
# $2^3 = 8$ of the image's; those of `pool4` are blocks of 16, those of `pool5` of 32. The deeper a map, the better it knows
# *what*; the shallower, the better it knows *where*. Each can give scores: a convolution with a window of $1 \times 1$ and
# as many outputs as there are classes judges every pixel of the map by itself. Write $s_3, s_4, s_5$ for the scores from
# the three pools and $\text{up}_f$ for an enlargement by $f$. Then the three heads are
#
# $$\begin{aligned}
# \text{FCN-32s} &= \text{up}_{32}(s_5)\\
# \text{FCN-16s} &= \text{up}_{16}\bigl(s_4 + \text{up}_2(s_5)\bigr)\\
# \text{FCN-8s} &= \text{up}_{8}\bigl(s_3 + \text{up}_2\bigl(s_4 + \text{up}_2(s_5)\bigr)\bigr)
# \end{aligned}$$
#
# The number is the last step, in pixels. The skips are *added* to the coarse scores, at the resolution of the skip: the deep
# scores say what there is, the shallow ones correct where it ends. What comes out are logits. There is no activation
# anywhere in a head, no softmax at its end, and the output has the image's size.
#
# Enlarge by a transposed convolution, as you did, or by `keras.layers.UpSampling2D(factor, interpolation="bilinear")`. (Its
# default, "nearest", makes blocks and is not asked for.) The helper `enlarge` does what the authors of FCN did: by 2 with a
# transposed convolution that starts as **your** `bilinear_kernel` and may learn something better; by more with a fixed
# interpolation.
#
# *To think about:* all three heads have the same inputs. Which of them does each head not look at?

# %%
import keras


def enlarge(scores, factor):
    """A Keras tensor of score maps, `factor` times as high and wide."""
    if factor > 2:
        return keras.layers.UpSampling2D(factor, interpolation="bilinear")(scores)
    classes = scores.shape[-1]
    kernel = bilinear_kernel(factor, classes)
    start = keras.initializers.Constant(kernel)
    return keras.layers.Conv2DTranspose(
        classes, len(kernel), factor, "same", use_bias=False, kernel_initializer=start
    )(scores)


def require_pools(pool3, pool4, pool5, classes):
    """Raise `ValueError` unless each pool is twice as high and wide as the next, and there is a class."""
    require_at_least_1(classes=classes)
    for name, pool, smaller in (("pool3", pool3, pool4), ("pool4", pool4, pool5)):
        if tuple(pool.shape[1:3]) != tuple(2 * n for n in smaller.shape[1:3]):
            raise ValueError(
                f"{name} has shape {pool.shape}, the next {smaller.shape}; expected twice its height and width"
            )


# %% exercise="fcn32s"
def fcn32s(pool3, pool4, pool5, classes):
    """Class scores from the deepest features alone.

    Args:
        pool3: Keras tensor (batch, height / 8, width / 8, any).
        pool4: Keras tensor (batch, height / 16, width / 16, any).
        pool5: Keras tensor (batch, height / 32, width / 32, any).
        classes: how many there are.

    Returns:
        Keras tensor (batch, height, width, classes) of logits.

    Raises:
        ValueError: when the pools' sizes do not fit together, or `classes` is below 1.
    """
    ### BEGIN SOLUTION
    require_pools(pool3, pool4, pool5, classes)
    return enlarge(keras.layers.Conv2D(classes, 1)(pool5), 32)
    ### END SOLUTION


# %% check="fcn32s"
check("fcn32s")

# %% [markdown]
# Now with one skip.


# %% exercise="fcn16s"
def fcn16s(pool3, pool4, pool5, classes):
    """Class scores from the deepest features, refined by those of pool4.

    Args:
        pool3: Keras tensor (batch, height / 8, width / 8, any).
        pool4: Keras tensor (batch, height / 16, width / 16, any).
        pool5: Keras tensor (batch, height / 32, width / 32, any).
        classes: how many there are.

    Returns:
        Keras tensor (batch, height, width, classes) of logits.

    Raises:
        ValueError: when the pools' sizes do not fit together, or `classes` is below 1.
    """
    ### BEGIN SOLUTION
    require_pools(pool3, pool4, pool5, classes)
    scores = enlarge(keras.layers.Conv2D(classes, 1)(pool5), 2)
    scores = keras.layers.Add()([scores, keras.layers.Conv2D(classes, 1)(pool4)])
    return enlarge(scores, 16)
    ### END SOLUTION


# %% check="fcn16s"
check("fcn16s")

# %% [markdown]
# And with two.


# %% exercise="fcn8s"
def fcn8s(pool3, pool4, pool5, classes):
    """Class scores from the deepest features, refined by those of pool4 and then of pool3.

    Args:
        pool3: Keras tensor (batch, height / 8, width / 8, any).
        pool4: Keras tensor (batch, height / 16, width / 16, any).
        pool5: Keras tensor (batch, height / 32, width / 32, any).
        classes: how many there are.

    Returns:
        Keras tensor (batch, height, width, classes) of logits.

    Raises:
        ValueError: when the pools' sizes do not fit together, or `classes` is below 1.
    """
    ### BEGIN SOLUTION
    require_pools(pool3, pool4, pool5, classes)
    scores = keras.layers.Conv2D(classes, 1)(pool5)
    for skip in (pool4, pool3):
        scores = keras.layers.Add()([enlarge(scores, 2), keras.layers.Conv2D(classes, 1)(skip)])
    return enlarge(scores, 8)
    ### END SOLUTION


# %% check="fcn8s"
check("fcn8s")

# %% [markdown]
# ## All together: three heads on drawn scenes
#
# Now they compete. The backbone below is small: five blocks of convolution, pooling, normalization and ReLU, each of which
# halves the image. Each head gets a backbone of its own, and all are trained alike: the same scenes of 96 by 96 pixels,
# the same start, the same number of steps. In training the pixels on a border have the label 255. The score is strict and
# counts them, too: it is there that the heads differ.
#
# Training needs gradients, and so a loss on tensors. `mean_pixel_loss` is the reference's; it comes with `kerasref`, which
# needs the extra `reference`. The first line of output shows that it gives the number that your `pixel_cross_entropy` gives.
#
# **To reach:** on scenes that no network has seen, FCN-8s has a mean IoU of at least 0.45, and is at least 0.08 ahead of
# FCN-32s. This takes about half a minute.

# %% show
import time

from kerasref.segmentation import mean_pixel_loss

keras.config.set_dtype_policy("float32")
HEADS = {"FCN-32s": fcn32s, "FCN-16s": fcn16s, "FCN-8s": fcn8s}


def network(head, height=96, width=96):
    """A model from images to logits."""
    image = keras.Input((height, width, 3))
    x, pools = image, []
    for filters in (8, 16, 32, 64, 96):
        x = keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
        x = keras.layers.MaxPooling2D()(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
        pools.append(x)
    return keras.Model(image, head(*pools[2:], classes=4))


def drawn(count, seed):
    """Images in single precision, and their masks."""
    images, truth = scenes.draw(count, seed, size=96)
    return images.astype("float32"), scenes.segmentation(truth)


start = time.perf_counter()
(x, y), (x_test, y_test) = drawn(1000, seed=1), drawn(100, seed=2)
y = void_borders(y)
logits = rng.normal(size=(*y[:9].shape, 4))
tensor_loss, own_loss = float(mean_pixel_loss(y[:9], logits)), pixel_cross_entropy(y[:9], logits)
print(f"the loss on tensors says {tensor_loss:.6f}, yours says {own_loss:.6f}")
assert np.isclose(tensor_loss, own_loss)

networks, losses, masks, reached = {}, {}, {}, {}
for name, head in HEADS.items():
    keras.utils.set_random_seed(0)
    networks[name] = network(head)
    rate = keras.optimizers.schedules.CosineDecay(0.005, decay_steps=6 * len(x) // 16)
    networks[name].compile(keras.optimizers.Adam(rate), mean_pixel_loss)
    losses[name] = networks[name].fit(x, y, batch_size=16, epochs=6, verbose=0).history["loss"]
    masks[name] = networks[name].predict(x_test, verbose=0).argmax(axis=-1)
    reached[name] = mean_iou(y_test, masks[name], 4)
    print(
        f"{name}: mean IoU {reached[name]:.2f}, pixel accuracy {np.mean(masks[name] == y_test):.0%}, "
        f"after {time.perf_counter() - start:.0f} seconds"
    )
display(plots.lines(losses, title="the loss", xlabel="epoch"))
assert reached["FCN-8s"] >= 0.45, "FCN-8s should reach a mean IoU of 0.45: does it learn from all its pools?"
assert reached["FCN-8s"] >= reached["FCN-32s"] + 0.08, "FCN-8s should be 0.08 ahead of FCN-32s"

# %% [markdown]
# ### Look: what the skips bring back
#
# Six scenes that no network has seen, and their masks. FCN-32s has nine places for the whole picture, and finds about where
# something is. With each skip the outlines get closer.

# %% show
for i in range(6):
    row = {"scene": x_test[i], "truth": PALETTE[y_test[i]]}
    row |= {name: PALETTE[mask[i]] for name, mask in masks.items()}
    display(plots.pictures(list(row.values()), list(row) if i == 0 else None, size=1.9))

# %% [markdown]
# ### Look: any size
#
# There is no dense layer anywhere, so no layer knows how large the picture is. The trained weights work on pictures of
# other sizes: here three scenes in a row, 96 by 288 pixels, are seen at once. Below them are the truth, and what FCN-8s says.
# (Where two scenes meet is an edge, too, and one that it has never seen.)

# %% show
wide = network(fcn8s, height=96, width=288)
wide.set_weights(networks["FCN-8s"].get_weights())
row, truth = (np.concatenate(list(each[6:9]), axis=1) for each in (x_test, y_test))
seen = wide.predict(row[np.newaxis], verbose=0)[0].argmax(axis=-1)
display(plots.pictures([np.concatenate([row, PALETTE[truth], PALETTE[seen]])], size=5.5))

# %% [markdown]
# The authors of FCN trained FCN-32s first, began FCN-16s with its weights, and let the scores of a new skip start at zero. Does
# that save steps here? What does a fourth head, FCN-4s, gain from a skip of the second pooling? And what becomes of the masks
# when the loss ignores the background instead of the borders?
