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
# # Pooling
#
# A convolution says *where* a pattern is, to the pixel. To read a digit you need less: a stroke about here, an arc
# about there. **Pooling** sums up each small window of a feature map in one number, its largest value or its mean. The
# map shrinks, all that follows gets cheaper, and a picture that moves by a pixel looks nearly the same.
#
# You will write max pooling, average pooling and their gradients, with every stride and padding that Keras has. At the
# end your layers stand in a small network that reads handwritten digits, beside the same network without them. The lesson
# derives every formula used here; have it open beside this notebook.
#
# Images and feature maps are `(batch, height, width, channels)`. Sizes and strides are one number or a pair, (height,
# width). Nothing may change its arguments.

# %%
import numpy as np

from course import data, plots

# %% [markdown]
# ## Guards to use
#
# Call the first one at the top of every function that pools: it refuses what cannot be, and gives you size and strides
# as pairs. Without strides, windows lie side by side: the strides are then the size of the window.


# %%
def as_pair(**sizes):
    """One number or a pair as a pair; `ValueError` unless both are whole numbers of at least 1."""
    ((name, given),) = sizes.items()
    pair = tuple(given) if np.iterable(given) else (given, given)
    if len(pair) != 2 or not all(isinstance(one, int | np.integer) and one >= 1 for one in pair):
        raise ValueError(
            f"{name} is {given!r}, expected a whole number of at least 1, or a pair, (height, width)"
        )
    return pair


def size_and_strides(x, pool_size, strides, padding):
    """The size of a window and its strides, each as (height, width); `ValueError` for what cannot be pooled."""
    size = as_pair(pool_size=pool_size)
    strides = size if strides is None else as_pair(strides=strides)
    if np.ndim(x) != 4:
        raise ValueError(f"x has shape {np.shape(x)}, expected (batch, height, width, channels)")
    if padding not in ("valid", "same"):
        raise ValueError(f"padding is {padding!r}, expected 'valid' or 'same'")
    if padding == "valid" and (size[0] > x.shape[1] or size[1] > x.shape[2]):
        raise ValueError(f"pool_size is {size}, larger than the images, {x.shape[1:3]}")
    return size, strides


def require_shape(shape, **arrays):
    """Raise `ValueError` unless every array has this shape."""
    for name, array in arrays.items():
        if np.shape(array) != tuple(shape):
            raise ValueError(f"{name} has shape {np.shape(array)}, expected {tuple(shape)}")


# %% [markdown]
# ## 1 Where the windows lie
#
# Take one axis of $n$ pixels, a window of $f$ and a stride of $s$. With $p$ pixels of padding in all,
#
# $$\text{count} = \left\lfloor \frac{n + p - f}{s} \right\rfloor + 1$$
#
# windows fit: the first begins at 0, the last no later than at $n + p - f$. There are two habits of padding:
#
# - **valid**: none, $p = 0$. What fills no window at the end is left over.
# - **same**: as much as it takes for $\lceil n / s \rceil$ windows, so that no rest is left over. At stride 1 the
#   result has the *same* size, hence the name; at stride 2 it has half. The last of these windows begins at $(\text{count} - 1)\,s$
#   and ends $f$ later, so $p = \max\bigl((\text{count} - 1)\,s + f - n,\; 0\bigr)$. Half of it comes before the image; when $p$ is odd,
#   the odd pixel comes **after**.
#
# ($\lfloor\cdot\rfloor$ rounds down, $\lceil\cdot\rceil$ up. In Python, `a // b` rounds down and `-(-a // b)` up.)
#
# *To think about:* can the padding become negative? What would that mean?


# %% exercise="placement"
def placement(n, size, stride, padding):
    """How many windows an axis has, and how much padding stands before and after it.

    Args:
        n: pixels along the axis.
        size: pixels of a window.
        stride: steps from one window to the next.
        padding: "valid" or "same".

    Returns:
        (windows, padding before, padding after), three whole numbers.
    """
    ### BEGIN SOLUTION
    for name, number in {"n": n, "size": size, "stride": stride}.items():
        if number < 1:
            raise ValueError(f"{name} is {number}, expected at least 1")
    if padding not in ("valid", "same"):
        raise ValueError(f"padding is {padding!r}, expected 'valid' or 'same'")
    if padding == "valid":
        if size > n:
            raise ValueError(f"size is {size}, larger than n, {n}")
        return (n - size) // stride + 1, 0, 0
    count = -(-n // stride)
    total = max((count - 1) * stride + size - n, 0)
    return count, total // 2, total - total // 2
    ### END SOLUTION


# %% check="placement"
check("placement")

# %% [markdown]
# Look at five pixels under windows of two, side by side. Grey is the image, white is padding, a line is a window.

# %% show
import matplotlib.pyplot as plt

figure, rows = plt.subplots(3, 1, figsize=(6, 4.2), layout="constrained", sharex=True)
for axes, (n, size, stride, padding) in zip(
    rows, [(5, 2, 2, "valid"), (5, 2, 2, "same"), (5, 3, 1, "same")], strict=True
):
    count, before, after = placement(n, size, stride, padding)
    for pixel in range(-before, n + after):
        inside = 0 <= pixel < n
        axes.add_patch(
            plt.Rectangle((pixel, -1), 1, 0.9, facecolor="#bbbbbb" if inside else "white", edgecolor="black")
        )
    for window in range(count):
        start = window * stride - before
        axes.plot([start + 0.08, start + size - 0.08], [0.3 * (window % 3) + 0.2] * 2, linewidth=4)
    axes.set(xlim=(-1.2, 6.2), ylim=(-1.1, 1.1), yticks=[], xticks=[])
    axes.set_title(f"window {size}, stride {stride}, {padding}: {count} windows", loc="left", fontsize=10)
plt.show()

# %% [markdown]
# ## 2 Every window, side by side
#
# Both kinds of pooling look at the same windows. So cut them out once: `windows` gives for every image, row and column of windows, and
# channel the pixels of the window, **row by row**, along axis 3. Outside the image stands `fill`.
#
# A loop over all windows is slow, a loop over the few pixels of *one* window is fast. The top left pixels of all windows are one slice of the
# padded image, with a step: `padded[:, 0 : rows * sh : sh, 0 : columns * sw : sw]`, where $s_h, s_w$ are the strides. Their
# right neighbours are the same slice, begun one column later.
#
# *To think about:* with a 2 by 2 window and stride 2, how much memory does the result take? With stride 1?


# %% exercise="windows"
def windows(x, pool_size=2, strides=None, padding="valid", fill=0.0):
    """The pixels of every window.

    Args:
        x: images, shape (batch, height, width, channels).
        pool_size: height and width of a window, a number or a pair.
        strides: steps down and to the right, a number or a pair; `pool_size` when None.
        padding: "valid" or "same".
        fill: the number that stands outside the images.

    Returns:
        Array of shape (batch, rows, columns, pixels of a window, channels); a window's pixels row by row.
    """
    ### BEGIN SOLUTION
    (kh, kw), (sh, sw) = size_and_strides(x, pool_size, strides, padding)
    rows, top, bottom = placement(x.shape[1], kh, sh, padding)
    columns, left, right = placement(x.shape[2], kw, sw, padding)
    padded = np.pad(x, ((0, 0), (top, bottom), (left, right), (0, 0)), constant_values=fill)
    return np.stack(
        [padded[:, i : i + rows * sh : sh, j : j + columns * sw : sw] for i in range(kh) for j in range(kw)],
        axis=3,
    )
    ### END SOLUTION


# %% check="windows"
check("windows")

# %% [markdown]
# ## 3 And back
#
# The gradient goes the same way back. `upstream` has a number for every place of every window: how the loss changes with it. A pixel
# that stands in several windows changes the loss through all of them, so it gets the **sum**. What comes back to the
# padding is nobody's, and is dropped.
#
# So: begin with zeros of the padded image's shape, add to each slice what you took from it, and cut the padding off.
#
# *To think about:* what would `=` instead of `+=` do when the windows lie side by side? And when they overlap?


# %% exercise="windows_backward"
def windows_backward(upstream, x, pool_size=2, strides=None, padding="valid"):
    """Gradient of `windows` with respect to `x`.

    Args:
        upstream: gradient with respect to the windows, of their shape.
        x: images, shape (batch, height, width, channels).
        pool_size: height and width of a window, a number or a pair.
        strides: steps down and to the right, a number or a pair; `pool_size` when None.
        padding: "valid" or "same".

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    (kh, kw), (sh, sw) = size_and_strides(x, pool_size, strides, padding)
    batch, height, width, channels = x.shape
    rows, top, bottom = placement(height, kh, sh, padding)
    columns, left, right = placement(width, kw, sw, padding)
    require_shape((batch, rows, columns, kh * kw, channels), upstream=upstream)
    padded = np.zeros((batch, top + height + bottom, left + width + right, channels), dtype=upstream.dtype)
    for pixel, (i, j) in enumerate(np.ndindex(kh, kw)):
        padded[:, i : i + rows * sh : sh, j : j + columns * sw : sw] += upstream[:, :, :, pixel]
    return padded[:, top : top + height, left : left + width]
    ### END SOLUTION


# %% check="windows_backward"
check("windows_backward")

# %% [markdown]
# ## 4 Max pooling
#
# The largest value of each window and channel. If the map says how strongly a pattern is there, this says how strongly it is
# *anywhere in the window*:
#
# $$y_{bijc} = \max_{(u, v)\,\in\,\text{window }(i, j)} x_{buvc}$$
#
# for image $b$ and channel $c$. Padding must never win. After a ReLU zeros outside do no harm, which is how the mistake survives: on a map of negative numbers they win
# at every border.


# %% exercise="max_pool2d"
def max_pool2d(x, pool_size=2, strides=None, padding="valid"):
    """The largest value of every window.

    Args:
        x: images, shape (batch, height, width, channels).
        pool_size: height and width of a window, a number or a pair.
        strides: steps down and to the right, a number or a pair; `pool_size` when None.
        padding: "valid" or "same"; padding is never the largest.

    Returns:
        Array of shape (batch, rows, columns, channels).
    """
    ### BEGIN SOLUTION
    return windows(x, pool_size, strides, padding, fill=-np.inf).max(axis=3)
    ### END SOLUTION


# %% check="max_pool2d"
check("max_pool2d")

# %% [markdown]
# ## 5 Its gradient
#
# Raise the winner of a window by a little, and the output rises by as much. Raise any other pixel by a little, and nothing happens. So the winner
# gets all of the window's upstream, the others get 0. What if two are equally large? There is a kink then, and no derivative; somebody must decide.
# Here, as in TensorFlow, **the first** of them takes it, row by row. (Giving it to both would hand out twice what came in.)
#
# `np.argmax` finds the first of equal maxima, and `np.put_along_axis(a, index, values, axis)` writes where it points.
#
# *To think about:* a map after a ReLU has many windows of zeros only. Who gets their gradient, and does it matter?


# %% exercise="max_pool2d_backward"
def max_pool2d_backward(upstream, x, pool_size=2, strides=None, padding="valid"):
    """Gradient of `max_pool2d` with respect to `x`; the first of equal maxima takes it.

    Args:
        upstream: gradient with respect to the pooled values, of their shape.
        x: images, shape (batch, height, width, channels).
        pool_size: height and width of a window, a number or a pair.
        strides: steps down and to the right, a number or a pair; `pool_size` when None.
        padding: "valid" or "same".

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    seen = windows(x, pool_size, strides, padding, fill=-np.inf)
    winner = seen.argmax(axis=3)
    require_shape(winner.shape, upstream=upstream)
    share = np.zeros_like(seen)
    np.put_along_axis(share, winner[:, :, :, np.newaxis], upstream[:, :, :, np.newaxis], axis=3)
    return windows_backward(share, x, pool_size, strides, padding)
    ### END SOLUTION


# %% check="max_pool2d_backward"
check("max_pool2d_backward")

# %% [markdown]
# ## 6 Average pooling
#
# The mean of each window's pixels:
#
# $$y_{bijc} = \frac{1}{N_{ij}} \sum_{(u, v)\,\in\,\text{window }(i, j)} x_{buvc}$$
#
# where $N_{ij}$ is the number of **pixels** in the window. One that hangs over the edge has fewer, and padding is not counted: else every picture
# would grow dark towards its borders.
#
# *To think about:* an image of ones, seen through your `windows`, knows $N_{ij}$.


# %% exercise="average_pool2d"
def average_pool2d(x, pool_size=2, strides=None, padding="valid"):
    """The mean of every window's pixels; padding is not counted.

    Args:
        x: images, shape (batch, height, width, channels).
        pool_size: height and width of a window, a number or a pair.
        strides: steps down and to the right, a number or a pair; `pool_size` when None.
        padding: "valid" or "same".

    Returns:
        Array of shape (batch, rows, columns, channels).
    """
    ### BEGIN SOLUTION
    inside = windows(np.ones_like(x), pool_size, strides, padding)
    return windows(x, pool_size, strides, padding).sum(axis=3) / inside.sum(axis=3)
    ### END SOLUTION


# %% check="average_pool2d"
check("average_pool2d")

# %% [markdown]
# Look at both on a photograph. The maximum keeps every lamp, and lets it grow as the picture gets smaller; the mean lets it
# fade.

# %% show
rocket = data.picture("rocket", 192)[np.newaxis]
pooled = {"the picture": rocket}
for size in (4, 12):
    pooled[f"max, {size} by {size}"] = max_pool2d(rocket, size)
    pooled[f"average, {size} by {size}"] = average_pool2d(rocket, size)
plots.pictures([picture[0] for picture in pooled.values()], list(pooled), size=2.4)

# %% [markdown]
# ## 7 Its gradient
#
# Raise any pixel by 1, and the mean of its window grows by $1/N_{ij}$. So each pixel of a window gets the share $1/N_{ij}$ of its upstream, with the same
# $N_{ij}$ as on the way forward.


# %% exercise="average_pool2d_backward"
def average_pool2d_backward(upstream, x, pool_size=2, strides=None, padding="valid"):
    """Gradient of `average_pool2d` with respect to `x`.

    Args:
        upstream: gradient with respect to the pooled values, of their shape.
        x: images, shape (batch, height, width, channels).
        pool_size: height and width of a window, a number or a pair.
        strides: steps down and to the right, a number or a pair; `pool_size` when None.
        padding: "valid" or "same".

    Returns:
        Array of `x`'s shape.
    """
    ### BEGIN SOLUTION
    inside = windows(np.ones_like(x), pool_size, strides, padding)
    count = inside.sum(axis=3)
    require_shape(count.shape, upstream=upstream)
    return windows_backward(inside * (upstream / count)[:, :, :, np.newaxis], x, pool_size, strides, padding)
    ### END SOLUTION


# %% check="average_pool2d_backward"
check("average_pool2d_backward")

# %% [markdown]
# ## 8 Global average pooling
#
# The window is the whole map: one number a channel, whatever the height and width. Many networks end in it: a dense layer after it has few weights, and the
# network takes pictures of any size.


# %% exercise="global_average_pool2d"
def global_average_pool2d(x):
    """The mean of every channel over all places.

    Args:
        x: features, shape (batch, height, width, channels).

    Returns:
        Array of shape (batch, channels).
    """
    ### BEGIN SOLUTION
    if np.ndim(x) != 4:
        raise ValueError(f"x has shape {np.shape(x)}, expected (batch, height, width, channels)")
    return x.mean(axis=(1, 2))
    ### END SOLUTION


# %% check="global_average_pool2d"
check("global_average_pool2d")

# %% [markdown]
# ### Look: who gets the gradient
#
# One bright and one dark blob, pooled by windows of 3 with stride 2, which overlap. The gradient of the sum of all pooled values: max pooling
# sends it to a few winners, some of whom win several windows; average pooling spreads it, most to the pixels that stand in
# four windows.

# %% show
across = np.arange(11)
bump = np.exp(-((across - 3) ** 2)[:, np.newaxis] / 6 - (across - 3) ** 2 / 6)
blobs = (bump - bump[::-1, ::-1])[np.newaxis, :, :, np.newaxis]
ones = np.ones((1, 5, 5, 1))
figure, panels = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
for axes, (name, picture) in zip(
    panels,
    {
        "the image": blobs,
        "gradient, max": max_pool2d_backward(ones, blobs, pool_size=3, strides=2),
        "gradient, average": average_pool2d_backward(ones, blobs, pool_size=3, strides=2),
    }.items(),
    strict=True,
):
    shown = axes.imshow(picture[0, :, :, 0], cmap="RdBu_r" if name == "the image" else "Blues")
    axes.set_title(name, loc="left")
    axes.axis("off")
    figure.colorbar(shown, ax=axes, shrink=0.8)
plt.show()

# %% [markdown]
# ## All together: a network that reads digits, with and without pooling
#
# 4,000 handwritten digits to learn from, 1,000 to be tested on. The network is small: twice a convolution with 3 by 3 filters, a ReLU
# and, in one of the two networks, your max pooling; then a dense layer that gives ten scores. All that pooling changes is the size of the maps:
#
# | | with pooling | without |
# | --- | --- | --- |
# | first maps | 28 x 28 x 8, pooled to 14 x 14 | 28 x 28 x 8 |
# | second maps | 14 x 14 x 16, pooled to 7 x 7 | 28 x 28 x 16 |
# | weights of the dense layer | 784 x 10 | 12,544 x 10 |
#
# The convolution is given. A convolution is a matrix product with your windows, so it needs your `windows`, and its gradient your
# `windows_backward`. (How, is the assignment on convolution.) Training is gradient descent with momentum on the softmax cross-entropy.
#
# **To reach:** with pooling, at least 94 % of the 1,000 right after three rounds through the data. Without pooling the network reads about as
# well (which of the two is ahead hangs on the random start), with fourteen times the weights, in a multiple of the time.


# %% show
def convolution(x, kernel):
    """3 x 3 filters, padding same; with the windows, which the way back needs."""
    seen = windows(x, kernel.shape[:2], strides=1, padding="same").reshape(*x.shape[:3], -1)
    return seen @ kernel.reshape(-1, kernel.shape[3]), seen


def convolution_backward(upstream, x, seen, kernel):
    """The gradients on the image and on the kernel."""
    table = kernel.reshape(-1, kernel.shape[3])
    dkernel = seen.reshape(-1, len(table)).T @ upstream.reshape(-1, table.shape[1])
    dseen = (upstream @ table.T).reshape(*x.shape[:3], -1, x.shape[3])
    dx = windows_backward(dseen, x, kernel.shape[:2], strides=1, padding="same")
    return dx, dkernel.reshape(kernel.shape)


def forward(net, x):
    """The scores, and what each layer saw: input, windows, map after the ReLU; at last the features."""
    layers = []
    for kernel in net["kernels"]:
        maps, seen = convolution(x, kernel)
        maps = np.maximum(maps, 0)
        layers.append((x, seen, maps))
        x = max_pool2d(maps) if net["pooling"] else maps
    return x.reshape(len(x), -1) @ net["dense"] + net["bias"], layers, x


def gradients(net, x, labels):
    """The gradients of the softmax cross-entropy: (kernels, dense, bias)."""
    scores, layers, features = forward(net, x)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    upstream = weights / weights.sum(axis=1, keepdims=True)
    upstream[np.arange(len(x)), labels] -= 1
    upstream /= len(x)
    ddense, dbias = features.reshape(len(x), -1).T @ upstream, upstream.sum(axis=0)
    upstream = (upstream @ net["dense"].T).reshape(features.shape)
    dkernels = []
    for (x, seen, maps), kernel in zip(layers[::-1], net["kernels"][::-1], strict=True):
        if net["pooling"]:
            upstream = max_pool2d_backward(upstream, maps)
        upstream, dkernel = convolution_backward(upstream * (maps > 0), x, seen, kernel)
        dkernels.insert(0, dkernel)
    return [*dkernels, ddense, dbias]


def new_network(pooling):
    """Random weights, of a spread that keeps the size of what passes through."""
    rng = np.random.default_rng(0)
    dense = (7 * 7 if pooling else 28 * 28) * 16

    def draw(*shape):
        inputs = np.prod(shape[:-1])
        return rng.normal(scale=np.sqrt(2 / inputs), size=shape).astype(np.float32)

    return {
        "pooling": pooling,
        "kernels": [draw(3, 3, 1, 8), draw(3, 3, 8, 16)],
        "dense": draw(dense, 10),
        "bias": np.zeros(10, np.float32),
    }


def accuracy(net, x, labels):
    """Share of the images that are read right."""
    parts = [forward(net, x[i : i + 100])[0].argmax(axis=1) for i in range(0, len(x), 100)]
    return np.mean(np.concatenate(parts) == labels)


# %% show
import time

x, labels, x_test, labels_test = data.mnist()
x, x_test = x.astype(np.float32), x_test.astype(np.float32)
networks, reached = {}, {}
for name, pooling in {"with pooling": True, "without": False}.items():
    net = networks[name] = new_network(pooling)
    weights = [*net["kernels"], net["dense"], net["bias"]]
    velocity = [np.zeros_like(w) for w in weights]
    shuffle, start = np.random.default_rng(1), time.perf_counter()
    for _ in range(3):
        order = shuffle.permutation(len(x))
        for i in range(0, len(x), 50):
            batch = order[i : i + 50]
            for w, v, g in zip(weights, velocity, gradients(net, x[batch], labels[batch]), strict=True):
                v *= 0.9
                v -= 0.05 * g
                w += v
    seconds = time.perf_counter() - start
    reached[name] = accuracy(net, x_test, labels_test)
    print(
        f"{name}: {reached[name]:.1%} right, {sum(w.size for w in weights):,} weights, {seconds:.0f} seconds"
    )
assert reached["with pooling"] >= 0.94, "it does not read well: is a gradient off?"

# %% [markdown]
# ### What a shift does
#
# Move every digit to the left and to the right, by a pixel or a few, which no reader would notice. How much do the features
# change which the dense layer sees? We measure $\lVert f(\text{moved}) - f(x)\rVert / \lVert f(x)\rVert$: 0 is full invariance, and 1 is a change as large as the
# features themselves. And how many digits are still read right, though all in the training data stood in the middle?


# %% show
def moved(images, pixels):
    """The images further to the right, or to the left where `pixels` is below 0; black comes in from the other side."""
    return np.pad(images, ((0, 0), (0, 0), (4, 4), (0, 0)))[:, :, 4 - pixels : 32 - pixels]


shifts = range(5)
change, still_right = {}, {}
for name, net in networks.items():
    features = forward(net, x_test[:300])[2]
    change[name], still_right[name] = [], []
    for shift in shifts:
        sides = [moved(x_test, step) for step in (-shift, shift)]
        differences = [np.linalg.norm(forward(net, side[:300])[2] - features) for side in sides]
        change[name].append(np.mean(differences) / np.linalg.norm(features))
        still_right[name].append(np.mean([accuracy(net, side, labels_test) for side in sides]))
display(
    plots.lines(change, x=list(map(str, shifts)), title="how much the features change", xlabel="pixels moved")
)
display(
    plots.lines(
        still_right, x=list(map(str, shifts)), title="still read right", xlabel="pixels moved", percent=True
    )
)
for name in networks:
    print(
        f"{name}: one pixel changes the features by {change[name][1]:.2f}, {still_right[name][1]:.1%} are still right; "
        f"two pixels by {change[name][2]:.2f}, {still_right[name][2]:.1%}"
    )
assert change["with pooling"][1] < 0.75 * change["without"][1]
assert still_right["with pooling"][2] > still_right["without"][2]

# %% [markdown]
# Pooling makes a network *more* tolerant of shifts, not blind to them: two pixels still hurt. The larger the window, the less a shift changes what
# comes out. Take one map of the trained network and pool it by ever larger windows, up to the whole map at once:

# %% show
net = networks["with pooling"]
sizes = (1, 2, 4, 7, 14, 28)
before, after = (
    np.maximum(convolution(images, net["kernels"][0])[0], 0)
    for images in (x_test[:300], moved(x_test[:300], 1))
)
by_size = {
    pool.__name__: [
        np.linalg.norm(pool(after, n) - pool(before, n)) / np.linalg.norm(pool(before, n)) for n in sizes
    ]
    for pool in (max_pool2d, average_pool2d)
}
display(
    plots.bars(
        by_size,
        labels=sizes,
        title="one pixel to the right: how much the pooled map changes",
        xlabel="size of the window",
    )
)
for values in by_size.values():
    assert np.all(np.diff(values) < 0), "a larger window must forgive more"

# %% [markdown]
# At 28 the window is the whole map, and the shift changes next to nothing. Then again, a network that knows only *that* there is a stroke somewhere
# cannot tell a 6 from a 9. Pooling trades where for what; a good network does so a little at a time.
#
# *To go on:* swap max for average pooling, take windows of 3 with stride 2, train on shifted digits instead. Which of these helps most against a shift of three pixels?
