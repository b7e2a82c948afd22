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
# # Convolution
#
# A dense layer treats a picture as a list of numbers: shuffle the pixels, and it learns just as well. That is a waste.
# In a picture neighbours belong together, and an edge is an edge wherever it lies. A convolution uses both facts. It
# looks through a **small window**, and it looks through the **same** window everywhere.
#
# You will write that window: forwards, backwards, fast, thrifty, and in reverse. At the end a network of your own
# layers reads handwritten digits. The lesson derives every formula used here; have it open beside this notebook.
#
# - Images have shape `(batch, height, width, channels)`, kernels `(kh, kw, in, out)`: the window's height and width, the
#   channels that come in and those that go out.
# - `strides` and sizes are one number or a pair (height, width). `padding` is `"valid"` or `"same"`.
# - Nothing may change its arguments. Loops over the window are fine; loops over every pixel are right, and slow.

# %%
import time

import numpy as np

from course import data, plots

rng = np.random.default_rng(0)

# %% [markdown]
# ## A helper and four guards to use
#
# These are given. `pair` saves you the question whether `strides` is `2` or `(2, 1)`: `sh, sw = pair("strides", strides)`
# works for both. The guards stop what would otherwise go wrong in silence. Call them first thing in a function if you
# like; the checks do not ask for them.


# %%
def pair(name, value):
    """`value` as two whole numbers, (height, width); `ValueError` where it is not one or two of at least 1."""
    both = tuple(value) if isinstance(value, tuple | list) else (value, value)
    if len(both) != 2 or any(int(each) != each or each < 1 for each in both):
        raise ValueError(f"{name} is {value!r}, expected a whole number of at least 1, or a pair of them")
    return both


def require_rank(rank, **arrays):
    """Raise `ValueError` unless every array has this many axes, none of them empty."""
    for name, array in arrays.items():
        if np.ndim(array) != rank or np.size(array) == 0:
            raise ValueError(f"{name} has shape {np.shape(array)}, expected {rank} axes, none of them empty")


def require_shape(shape, **arrays):
    """Raise `ValueError` unless every array has this shape; None stands for any size."""
    for name, array in arrays.items():
        require_rank(len(shape), **{name: array})
        if any(wanted not in (None, got) for wanted, got in zip(shape, array.shape, strict=True)):
            raise ValueError(f"{name} has shape {np.shape(array)}, expected {shape}, where None is any size")


def require_at_least(least, **numbers):
    """Raise `ValueError` unless every number is at least this."""
    for name, number in numbers.items():
        if number < least:
            raise ValueError(f"{name} is {number}, expected at least {least}")


def require_padding(padding):
    """Raise `ValueError` unless `padding` is a known name."""
    if padding not in ("valid", "same"):
        raise ValueError(f"padding is {padding!r}, expected 'valid' or 'same'")


# %% [markdown]
# ## 1 How many places has a window?
#
# Along one axis of $n$ pixels lies a window of $f$ pixels. It starts at the left, moves on by the stride $s$, and stops
# when it would reach over the right end. With $p$ zeros put at **each** end, the axis has $n + 2p$ pixels, and the
# window has
#
# $$\left\lfloor \frac{n + 2p - f}{s} \right\rfloor + 1$$
#
# places. The brackets $\lfloor\;\rfloor$ round down: a step that does not fit is not made. The $+1$ is the place where
# the window starts, and it stands **outside**. (Old cheat sheets print this formula without brackets, and then divide
# only $f$ by $s$.)
#
# *To think about:* a window of 3 on 7 pixels, stride 2. And on 8 pixels? What happens to the eighth?


# %% exercise="output_size"
def output_size(n, kernel, stride=1, padding=0):
    """How many places a window has along one axis.

    Args:
        n: pixels of the axis.
        kernel: pixels of the window.
        stride: pixels from one place to the next.
        padding: zeros at each end.

    Returns:
        A whole number.

    Raises:
        ValueError: when the window does not fit, or a number is below 1 (below 0 for `padding`).
    """
    ### BEGIN SOLUTION
    require_at_least(1, n=n, kernel=kernel, stride=stride)
    require_at_least(0, padding=padding)
    if kernel > n + 2 * padding:
        raise ValueError(
            f"kernel is a window of {kernel}, expected at most {n + 2 * padding}, the padded input"
        )
    return (n + 2 * padding - kernel) // stride + 1
    ### END SOLUTION


# %% check="output_size"
check("output_size")

# %% [markdown]
# ## 2 Padding
#
# Two names for how many zeros go around an image:
#
# - `"valid"`: none. Every window lies wholly on the image.
# - `"same"`: as many as the window needs to have $\lceil n / s \rceil$ places, and no more. At **stride 1** that is $n$:
#   the output has the *same* size. At stride 2 it has half of it, rounded up. (The name promises too much, and an old
#   cheat sheet believed it.)
#
# How many are these? The last of $\lceil n/s \rceil$ windows starts at $(\lceil n/s \rceil - 1)\,s$ and ends $f$ later.
# What it lacks is
#
# $$t = \max\bigl((\lceil n/s \rceil - 1)\,s + f - n,\; 0\bigr)$$
#
# zeros, shared between both ends: $\lfloor t/2 \rfloor$ before, the rest after. **An odd zero goes to the end**, that
# is, to the bottom and the right. And $t$ depends on the stride: at stride 2, six pixels and a window of 3 need *one*
# zero, not two.
#
# *To think about:* a window of 3, stride 2, on 5 pixels and on 6. Draw both. Where does each window lie?


# %% exercise="same_padding"
def same_padding(n, kernel, stride=1):
    """How many zeros `"same"` puts before and after one axis.

    Args:
        n: pixels of the axis.
        kernel: pixels of the window.
        stride: pixels from one place to the next.

    Returns:
        (before, after), two whole numbers; `after` is `before` or one more.

    Raises:
        ValueError: when a number is below 1.
    """
    ### BEGIN SOLUTION
    require_at_least(1, n=n, kernel=kernel, stride=stride)
    places = -(-n // stride)  # n / stride, rounded up
    total = max((places - 1) * stride + kernel - n, 0)
    return total // 2, total - total // 2
    ### END SOLUTION


# %% check="same_padding"
check("same_padding")

# %% [markdown]
# Now put them there.


# %% exercise="pad"
def pad(x, kernel_size, strides, padding):
    """Put the zeros around images that a window needs.

    Args:
        x: images, shape (batch, height, width, channels).
        kernel_size: of the window, one number or (height, width).
        strides: one number or (height, width).
        padding: `"valid"` or `"same"`.

    Returns:
        Array of shape (batch, padded height, padded width, channels).

    Raises:
        ValueError: when an argument is not one of these.
    """
    ### BEGIN SOLUTION
    (kh, kw), (sh, sw) = pair("kernel_size", kernel_size), pair("strides", strides)
    require_rank(4, x=x)
    require_padding(padding)
    rows = columns = (0, 0)
    if padding == "same":
        rows, columns = same_padding(x.shape[1], kh, sh), same_padding(x.shape[2], kw, sw)
    return np.pad(x, [(0, 0), rows, columns, (0, 0)])
    ### END SOLUTION


# %% check="pad"
check("pad")

# %% [markdown]
# ## 3 Convolution
#
# Lay the window on the padded image, multiply each pixel with the weight on it, add up over the window **and over all
# channels**, and put the sum where the window is. Do so for each output channel $o$, which has weights of its own:
#
# $$y_{b,i,j,o} = \beta_o + \sum_{u=0}^{k_h-1}\sum_{v=0}^{k_w-1}\sum_{c} x_{b,\;i s_h + u,\;j s_w + v,\;c}\; w_{u,v,c,o}$$
#
# Here $b$ counts the images of the batch, $(i, j)$ is a place of the window, $(u, v)$ a place in it, $c$ an input
# channel, $s_h$ and $s_w$ are the strides, $w$ is the kernel and $\beta$ the bias.
#
# Look at the signs: $i + u$, and not $i - u$. A mathematician calls this a *cross-correlation*; the convolution of
# mathematics first turns the kernel round. Networks learn their kernels, so it makes no difference to them, and all
# libraries do as we do here: **nothing is flipped**.
#
# A good way to compute it: do not ask what each *place* sees. Ask what each *weight* does. The weight at $(u, v)$
# meets the pixels $(u, v), (u, v + s_w), \dots$: a slice, `padded[:, u : ... : sh, v : ... : sw]`, of just the output's
# height and width. One matrix product takes it from `in` to `out` channels. Add up over all $(u, v)$, which are few.
#
# *To think about:* what does a kernel do that holds a single 1 and otherwise zeros?


# %% exercise="conv2d"
def conv2d(x, kernel, bias=None, strides=1, padding="valid"):
    """Slide a kernel over images, unflipped.

    Args:
        x: images, shape (batch, height, width, in).
        kernel: shape (kh, kw, in, out).
        bias: shape (out,), or None for none.
        strides: one number or (height, width).
        padding: `"valid"` or `"same"`.

    Returns:
        Array of shape (batch, out height, out width, out).

    Raises:
        ValueError: when shapes do not fit, or the window is larger than the padded image.
    """
    ### BEGIN SOLUTION
    require_rank(4, x=x)
    require_shape((None, None, x.shape[3], None), kernel=kernel)
    kh, kw, _, out = kernel.shape
    if bias is not None:
        require_shape((out,), bias=bias)
    sh, sw = pair("strides", strides)
    padded = pad(x, (kh, kw), strides, padding)
    height, width = output_size(padded.shape[1], kh, sh), output_size(padded.shape[2], kw, sw)
    y = 0 if bias is None else bias
    for u in range(kh):
        for v in range(kw):
            met = padded[:, u : u + height * sh : sh, v : v + width * sw : sw]
            y = y + met @ kernel[u, v]
    return y
    ### END SOLUTION


# %% check="conv2d"
check("conv2d")

# %% [markdown]
# ### Look: a photograph, through four windows
#
# Four kernels of 3 by 3, written by hand. Blur: the mean of the window. Sharpen: the pixel, more of it than its
# neighbours. The other two subtract one side of the window from the other: they answer where brightness **changes**,
# one from left to right, one from above to below (red for brighter, blue for darker, white for nothing).

# %% show
camera = data.picture("camera", 128)[np.newaxis, :, :, :1]
down = np.array([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]])
windows = {
    "blur": np.full((3, 3), 1 / 9),
    "sharpen": np.array([[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]]),
    "left to right": down.T,
    "above to below": down,
}
filters = np.stack(list(windows.values()), axis=-1)[:, :, np.newaxis, :]
maps = conv2d(camera, filters, padding="same")[0]
display(
    plots.pictures(
        [camera[0], np.clip(maps[..., 0], 0, 1), np.clip(maps[..., 1], 0, 1)],
        ["as it is", "blur", "sharpen"],
        size=2.8,
    )
)
display(plots.signed([maps[..., 2], maps[..., 3]], ["left to right", "above to below"], size=2.8))

# %% [markdown]
# Turn the last kernel round, `down[::-1, ::-1]`, and red and blue change places. That is all the difference between a
# convolution and a cross-correlation.
#
# %% [markdown]
# ## 4 The way back
#
# `upstream` is the gradient $G$ of the loss with respect to the output $y$, of the same shape. The sum above is linear
# in everything, so each gradient is read off it. A pixel and a weight meet in many terms; **each meeting adds its
# share**:
#
# $$d\beta_o = \sum_{b,i,j} G_{b,i,j,o}, \qquad
# dw_{u,v,c,o} = \sum_{b,i,j} G_{b,i,j,o}\; x_{b,\;i s_h + u,\;j s_w + v,\;c}, \qquad
# dx_{b,\;i s_h + u,\;j s_w + v,\;c} \mathrel{+}= \sum_{o} G_{b,i,j,o}\; w_{u,v,c,o}$$
#
# The last one is written as an addition because windows overlap: start from zeros, and add for every place $(i, j)$ and
# every $(u, v)$. In the way of computing that asks what each weight does, all three come from the slices that you
# know: where the forward pass *read* a slice, the backward pass *adds* to the same slice.
#
# With `"same"`, the slices lie on the padded image. So you get the gradient of the padded image; cut the zeros' part
# off, which is what `same_padding` tells.
#
# *To think about:* with `"valid"` and stride 2, the last column of an image of even width is never seen by a window of 3.
# What is its gradient?


# %% exercise="conv2d_backward"
def conv2d_backward(upstream, x, kernel, strides=1, padding="valid"):
    """Gradients of the loss with respect to the arguments of `conv2d`.

    Args:
        upstream: gradient with respect to the output, of its shape (batch, out height, out width, out).
        x: the images, shape (batch, height, width, in).
        kernel: shape (kh, kw, in, out).
        strides: one number or (height, width).
        padding: `"valid"` or `"same"`.

    Returns:
        (dx, dkernel, dbias), of the shapes of `x`, of `kernel` and (out,).

    Raises:
        ValueError: when shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_rank(4, x=x)
    require_shape((None, None, x.shape[3], None), kernel=kernel)
    kh, kw, channels, out = kernel.shape
    sh, sw = pair("strides", strides)
    padded = pad(x, (kh, kw), strides, padding)
    height, width = output_size(padded.shape[1], kh, sh), output_size(padded.shape[2], kw, sw)
    require_shape((len(x), height, width, out), upstream=upstream)
    dpadded = np.zeros(padded.shape, np.result_type(upstream, kernel))
    dkernel = np.zeros(kernel.shape, np.result_type(upstream, x))
    for u in range(kh):
        for v in range(kw):
            rows, columns = slice(u, u + height * sh, sh), slice(v, v + width * sw, sw)
            dpadded[:, rows, columns] += upstream @ kernel[u, v].T
            met = padded[:, rows, columns].reshape(-1, channels)
            dkernel[u, v] = met.T @ upstream.reshape(-1, out)
    top = left = 0
    if padding == "same":
        top, left = same_padding(x.shape[1], kh, sh)[0], same_padding(x.shape[2], kw, sw)[0]
    dx = dpadded[:, top : top + x.shape[1], left : left + x.shape[2]]
    return dx, dkernel, upstream.sum(axis=(0, 1, 2))
    ### END SOLUTION


# %% check="conv2d_backward"
check("conv2d_backward")

# %% [markdown]
# ### Look: a kernel found from what it did
#
# Somebody filtered a picture and will not say how. You have the picture before and after. Start from a kernel of
# zeros, go downhill on the squared difference, with your `dkernel` and `dbias`, and the kernel comes out. The picture is
# noise, because noise tells the most: no pixel resembles its neighbour, so every weight leaves a trace of its own.

# %% show
secret = np.array([[1.0, 2.0, 0.0], [2.0, 0.0, -2.0], [0.0, -2.0, -1.0]]).reshape(3, 3, 1, 1)
before = rng.normal(size=(1, 32, 32, 1))
after = conv2d(before, secret, np.array([0.5]))
found, found_bias, history = np.zeros((3, 3, 1, 1)), np.zeros(1), []
for _ in range(40):
    error = conv2d(before, found, found_bias) - after
    history.append(np.mean(error**2))
    _, dkernel, dbias = conv2d_backward(2 * error / error.size, before, found)
    found, found_bias = found - 0.3 * dkernel, found_bias - 0.3 * dbias
display(plots.lines({"squared error": history}, title="squared error", xlabel="step", log=True))
display(plots.signed([secret, found], ["the secret kernel", "the one you found"], size=2.4, digits=2))

# %% [markdown]
# ## 5 One product
#
# Computers love one thing above all: a large matrix product. Lay each window out as a **row** (first its upper row of
# pixels from left to right, then the next; of each pixel all channels). Stack the rows, and the whole convolution is
# one product with the kernel, laid out in the same order:
#
# $$\underbrace{\text{windows}}_{(b\,h'w')\;\times\;(k_h k_w c)}\;\cdot\;
# \underbrace{\text{kernel}}_{(k_h k_w c)\;\times\;\text{out}}$$
#
# with $h' \times w'$ places. The rows are known as `im2col`, "image to columns", after the program that made them
# columns. They cost memory: at stride 1 every pixel is written down $k_h k_w$ times. They save time, and this is how
# the first fast libraries did it.
#
# *To think about:* `kernel.reshape(-1, out)` puts the weights in the order $(u, v, c)$. Is that the order of your rows?


# %% exercise="im2col"
def im2col(x, kernel_size, strides=1, padding="valid"):
    """Lay every window of images out as a row.

    Args:
        x: images, shape (batch, height, width, channels).
        kernel_size: of the window, one number or (height, width).
        strides: one number or (height, width).
        padding: `"valid"` or `"same"`.

    Returns:
        Array of shape (batch, out height, out width, kh * kw * channels): in a row the window's rows, in these its
        pixels, in these the channels.

    Raises:
        ValueError: when an argument is not one of these, or the window is larger than the padded image.
    """
    ### BEGIN SOLUTION
    (kh, kw), (sh, sw) = pair("kernel_size", kernel_size), pair("strides", strides)
    padded = pad(x, kernel_size, strides, padding)
    height, width = output_size(padded.shape[1], kh, sh), output_size(padded.shape[2], kw, sw)
    met = [padded[:, u : u + height * sh : sh, v : v + width * sw : sw] for u in range(kh) for v in range(kw)]
    return np.concatenate(met, axis=-1)
    ### END SOLUTION


def conv2d_gemm(x, kernel, bias=None, strides=1, padding="valid"):
    """`conv2d` by one matrix product.

    Args:
        x: images, shape (batch, height, width, in).
        kernel: shape (kh, kw, in, out).
        bias: shape (out,), or None for none.
        strides: one number or (height, width).
        padding: `"valid"` or `"same"`.

    Returns:
        Array of shape (batch, out height, out width, out).

    Raises:
        ValueError: when shapes do not fit, or the window is larger than the padded image.
    """
    ### BEGIN SOLUTION
    require_rank(4, x=x)
    require_shape((None, None, x.shape[3], None), kernel=kernel)
    kh, kw, _, out = kernel.shape
    y = im2col(x, (kh, kw), strides, padding) @ kernel.reshape(-1, out)
    if bias is None:
        return y
    require_shape((out,), bias=bias)
    return y + bias
    ### END SOLUTION


# %% check="im2col"
check("im2col")

# %% [markdown]
# ### Look: how much time it saves
#
# Three ways to the same numbers: a loop over the places of the window, a loop over its weights, and one product. The
# images are those of the digits below, the kernel that of their first layer. With one channel the product wins clearly;
# with many, the loop over the weights multiplies large matrices too and writes no pixel twice, and they come close. Try
# other shapes.


# %% show
def place_by_place(x, kernel):
    kh, kw, _, out = kernel.shape
    y = np.zeros((len(x), x.shape[1] - kh + 1, x.shape[2] - kw + 1, out))
    for b, i, j in np.ndindex(y.shape[:3]):
        y[b, i, j] = np.tensordot(x[b, i : i + kh, j : j + kw], kernel, axes=3)
    return y


images, kernel = rng.normal(size=(16, 28, 28, 1)), rng.normal(size=(5, 5, 1, 8))
seconds = {}
for way in (place_by_place, conv2d, conv2d_gemm):
    way(images[:1], kernel)  # warm up
    start = time.perf_counter()
    result = way(images, kernel)
    seconds[way.__name__] = time.perf_counter() - start
    assert np.allclose(result, conv2d(images, kernel))
plots.bars(
    {"milliseconds": [1000 * s for s in seconds.values()]}, seconds, title="milliseconds for sixteen images"
)

# %% [markdown]
# ## 6 Thrifty convolutions
#
# A convolution does two things at once: it looks **around** (over the window) and it **mixes** (over the channels). Do
# one after the other, and you save most of the work:
#
# - **depthwise**: every channel is looked at through windows of its own, $m$ of them (the *multiplier*), and nothing is
#   mixed. The results of one channel stand side by side: channel $c$ with window $q$ becomes channel $cm + q$;
# - **pointwise**: every pixel's channels are mixed, a window of $1 \times 1$;
# - **separable**: depthwise, then pointwise. The stride and the padding belong to the first part.
#
# $$\text{depthwise:}\quad y_{b,i,j,\,cm+q} = \sum_{u,v} x_{b,\;i s_h + u,\;j s_w + v,\;c}\; w_{u,v,c,q}$$
#
# *To think about:* windows of 3 by 3, from 64 channels to 64. How many weights has a convolution, how many a separable
# one with $m = 1$?


# %% exercise="separable_conv2d"
def depthwise_conv2d(x, kernel, strides=1, padding="valid"):
    """Look at each channel through windows of its own.

    Args:
        x: images, shape (batch, height, width, in).
        kernel: shape (kh, kw, in, multiplier).
        strides: one number or (height, width).
        padding: `"valid"` or `"same"`.

    Returns:
        Array of shape (batch, out height, out width, in * multiplier), the results of one channel side by side.

    Raises:
        ValueError: when shapes do not fit, or the window is larger than the padded image.
    """
    ### BEGIN SOLUTION
    require_rank(4, x=x)
    require_shape((None, None, x.shape[3], None), kernel=kernel)
    kh, kw, channels, multiplier = kernel.shape
    rows = im2col(x, (kh, kw), strides, padding)
    windows = rows.reshape(*rows.shape[:3], kh * kw, channels, 1)
    y = (windows * kernel.reshape(kh * kw, channels, multiplier)).sum(axis=3)
    return y.reshape(*rows.shape[:3], channels * multiplier)
    ### END SOLUTION


def pointwise_conv2d(x, kernel):
    """Mix the channels of each pixel.

    Args:
        x: images, shape (batch, height, width, in).
        kernel: shape (in, out).

    Returns:
        Array of shape (batch, height, width, out).

    Raises:
        ValueError: when shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_rank(4, x=x)
    require_shape((x.shape[3], None), kernel=kernel)
    return x @ kernel
    ### END SOLUTION


def separable_conv2d(x, depthwise_kernel, pointwise_kernel, strides=1, padding="valid"):
    """Look around in each channel, then mix the channels.

    Args:
        x: images, shape (batch, height, width, in).
        depthwise_kernel: shape (kh, kw, in, multiplier).
        pointwise_kernel: shape (in * multiplier, out).
        strides: of the depthwise part, one number or (height, width).
        padding: of the depthwise part, `"valid"` or `"same"`.

    Returns:
        Array of shape (batch, out height, out width, out).

    Raises:
        ValueError: when shapes do not fit, or the window is larger than the padded image.
    """
    ### BEGIN SOLUTION
    looked = depthwise_conv2d(x, depthwise_kernel, strides, padding)
    require_shape((looked.shape[3], None), pointwise_kernel=pointwise_kernel)
    return pointwise_conv2d(looked, pointwise_kernel)
    ### END SOLUTION


# %% check="separable_conv2d"
check("separable_conv2d")

# %% [markdown]
# ### Look: what thrift costs and what it saves
#
# Some kernels are separable exactly: if a kernel gives every output the same windows and only mixes them differently,
# two small kernels do its work. Below, one photograph in three colours: a convolution that blurs and makes grey, and
# depthwise blur, then pointwise grey. The pictures are equal; the work is not. In a network with many channels the
# saving nears a factor of $k_h k_w$.

# %% show
cat = data.picture("chelsea", 96)[np.newaxis]
blur, grey = np.full((5, 5, 3, 1), 1 / 25), np.array([[0.299], [0.587], [0.114]])
ordinary, thrifty = (
    conv2d(cat, blur * grey, padding="same"),
    separable_conv2d(cat, blur, grey, padding="same"),
)
assert np.allclose(ordinary, thrifty)
display(plots.pictures([cat[0], ordinary[0], thrifty[0]], ["the cat", "convolution", "separable"], size=2.6))
channels = np.arange(8, 513, 8)
display(
    plots.lines(
        {
            "convolution": [9 * c * c for c in channels],
            "separable": [9 * c + c * c for c in channels],
        },
        channels,
        title="weights of a 3 by 3 layer, as many channels out as in",
        xlabel="channels",
        log=True,
    )
)

# %% [markdown]
# ## 7 Upwards: the transposed convolution
#
# A convolution with stride 2 halves an image. To paint a picture, or to give every pixel a label, you need the way up.
# You have it already: it is how $dx$ came from `upstream`. Each pixel of the small image puts the **whole kernel**, times
# its value, into the large one, $s$ pixels further than its neighbour did; where they overlap, they add up:
#
# $$y_{b,\;i s_h + u,\;j s_w + v,\;o} \mathrel{+}= \sum_c x_{b,i,j,c}\; w_{u,v,o,c}$$
#
# The kernel's layout is `(kh, kw, out, in)`, the last two turned round. That is no whim: it is the kernel of the
# convolution that goes the *other* way, from `out` channels to `in`.
#
# An axis of $n$ pixels becomes, with a window of $k$ and a stride of $s$,
#
# - `"valid"`: $ns + \max(k - s, 0)$. The last kernel starts at $(n-1)s$ and ends $k$ later; where the kernel is smaller
#   than the stride, the gap after it stays in, as zeros;
# - `"same"`: $ns$. Of the $\max(k - s, 0)$ that are too much, half are cut off before and the rest after; an odd one goes
#   at the end, as in `same_padding`.
#
# *To think about:* a window of 3 at stride 2, all ones, on an image of ones. Which pixels get more than their neighbours?


# %% exercise="conv2d_transpose"
def conv2d_transpose(x, kernel, strides=1, padding="valid"):
    """The transpose of `conv2d`: each pixel adds the kernel, times its value, to the output.

    Args:
        x: images, shape (batch, height, width, in).
        kernel: shape (kh, kw, out, in).
        strides: one number or (height, width).
        padding: `"valid"` or `"same"`.

    Returns:
        Array of shape (batch, out height, out width, out); an axis of n is now `n * s + max(k - s, 0)` long with
        `"valid"`, `n * s` with `"same"`.

    Raises:
        ValueError: when shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_rank(4, x=x)
    require_shape((None, None, None, x.shape[3]), kernel=kernel)
    require_padding(padding)
    sh, sw = pair("strides", strides)
    batch, height, width, _ = x.shape
    kh, kw, out, _ = kernel.shape
    over_h, over_w = max(kh - sh, 0), max(kw - sw, 0)
    y = np.zeros((batch, height * sh + over_h, width * sw + over_w, out), np.result_type(x, kernel))
    for u in range(kh):
        for v in range(kw):
            y[:, u : u + height * sh : sh, v : v + width * sw : sw] += x @ kernel[u, v].T
    if padding == "valid":
        return y
    top, left = over_h // 2, over_w // 2
    return y[:, top : top + height * sh, left : left + width * sw]
    ### END SOLUTION


# %% check="conv2d_transpose"
check("conv2d_transpose")

# %% [markdown]
# ### Look: the chequerboard
#
# An image of ones, enlarged at stride 2 with kernels of ones. A window of 3 overlaps its neighbours on every second
# pixel: a chequerboard, which networks that paint are known for. A window of 4 is a multiple of the stride, and covers
# every pixel equally often (but for the border). And with the right weights, the enlargement is smooth: these are
# linear interpolation's.

# %% show
ones = np.ones((1, 6, 6, 1))
boards = [conv2d_transpose(ones, np.ones((k, k, 1, 1)), 2, "same")[0] / 4 for k in (3, 4)]
display(plots.pictures(boards, ["a window of 3", "a window of 4"], size=2.4))
small = data.picture("chelsea", 32)[np.newaxis]
slopes = np.array([0.25, 0.75, 0.75, 0.25])
enlarge = np.einsum("u,v,oc->uvoc", slopes, slopes, np.eye(3))
display(
    plots.pictures(
        [
            small[0],
            conv2d_transpose(small, np.einsum("uv,oc->uvoc", np.ones((2, 2)), np.eye(3)), 2)[0],
            conv2d_transpose(small, enlarge, 2, "same")[0],
        ],
        ["32 by 32", "each pixel four times", "interpolated"],
        size=2.6,
    )
)

# %% [markdown]
# ## All together: a network of your own layers reads handwriting
#
# MNIST is where convolutional networks made their name. Here are 5,000 of its digits, 28 by 28 pixels: 4,000 to learn
# from, 1,000 to be tested on. Your network is small,
#
# | layer | output | weights and biases |
# | --- | --- | --- |
# | convolution 5 x 5, stride 2, same, ReLU | 14 x 14 x 8 | 208 |
# | convolution 3 x 3, stride 2, same, ReLU | 7 x 7 x 16 | 1,168 |
# | dense | 10 | 7,850 |
#
# The strides do the shrinking. Forwards it runs on your `conv2d_gemm`, backwards on your `conv2d_backward`: with a ReLU
# between, whose gradient is `upstream` where it let something pass, and softmax cross-entropy at the end, whose
# gradient is (p - y) / batch. Each step takes 0.9 of the last one along; the assignment on optimizers tells why.
# And each batch of digits is moved by up to two pixels in some direction, since a moved digit is the same digit.
#
# **To reach:** at least 95 % of the test digits read. The same dense layer on the bare pixels, trained alike, is the
# yardstick. (If this takes minutes, not seconds, there is a loop over pixels in one of the two functions.)


# %% show
chance = np.random.default_rng(0)


def he(*shape):
    """Random weights whose outputs are as large as their inputs, behind a ReLU."""
    return chance.normal(scale=np.sqrt(2 / np.prod(shape[:-1])), size=shape)


def with_convolutions(images, p):
    """Logits of the network, and the maps after both ReLUs."""
    first = np.maximum(conv2d_gemm(images, p["kernel_1"], p["bias_1"], 2, "same"), 0)
    second = np.maximum(conv2d_gemm(first, p["kernel_2"], p["bias_2"], 2, "same"), 0)
    return second.reshape(len(images), -1) @ p["weights"] + p["bias"], first, second


def back_through_convolutions(upstream, images, p, first, second):
    """The gradient of each parameter, from that of the logits."""
    flat = second.reshape(len(images), -1)
    d_second = (upstream @ p["weights"].T).reshape(second.shape) * (second > 0)
    d_first, kernel_2, bias_2 = conv2d_backward(d_second, first, p["kernel_2"], 2, "same")
    _, kernel_1, bias_1 = conv2d_backward(d_first * (first > 0), images, p["kernel_1"], 2, "same")
    dense = {"weights": flat.T @ upstream, "bias": upstream.sum(axis=0)}
    return {"kernel_1": kernel_1, "bias_1": bias_1, "kernel_2": kernel_2, "bias_2": bias_2, **dense}


def on_pixels(images, p):
    """Logits of a dense layer alone."""
    return (images.reshape(len(images), -1) @ p["weights"] + p["bias"],)


def back_to_pixels(upstream, images, p):
    """The gradient of its parameters."""
    return {"weights": images.reshape(len(images), -1).T @ upstream, "bias": upstream.sum(axis=0)}


def train(forward, backward, p, epochs=10, batch=50):
    """Change the parameters in `p`; returns the share of test digits read after each epoch."""
    steps, read = {name: np.zeros_like(value) for name, value in p.items()}, []
    for epoch in range(epochs):
        for chosen in np.split(chance.permutation(len(x)), len(x) // batch):
            moved = np.roll(x[chosen], chance.integers(-2, 3, size=2), axis=(1, 2))
            logits, *maps = forward(moved, p)
            e = np.exp(logits - logits.max(axis=1, keepdims=True))
            upstream = (e / e.sum(axis=1, keepdims=True) - np.eye(10)[labels[chosen]]) / batch
            for name, gradient in backward(upstream, moved, p, *maps).items():
                steps[name] = 0.9 * steps[name] - 0.06 * (1 - epoch / epochs) * gradient
                p[name] = p[name] + steps[name]
        read.append(np.mean(forward(x_test, p)[0].argmax(axis=1) == labels_test))
    return read


x, labels, x_test, labels_test = data.mnist()
yours = {
    "kernel_1": he(5, 5, 1, 8),
    "bias_1": np.zeros(8),
    "kernel_2": he(3, 3, 8, 16),
    "bias_2": np.zeros(16),
    "weights": he(7 * 7 * 16, 10),
    "bias": np.zeros(10),
}
start = time.perf_counter()
curves = {
    "your network": train(with_convolutions, back_through_convolutions, yours),
    "a dense layer on pixels": train(
        on_pixels, back_to_pixels, {"weights": he(28 * 28, 10), "bias": np.zeros(10)}
    ),
}
display(plots.lines(curves, title="test digits read", xlabel="epoch", percent=True))
read = curves["your network"][-1]
print(
    f"your network reads {read:.1%} of digits it never saw, after {time.perf_counter() - start:.0f} seconds"
)
print(f"a dense layer on the pixels reads {curves['a dense layer on pixels'][-1]:.1%}")
assert read >= 0.95, "the network should read 95 % of the digits: is a gradient off?"

# %% [markdown]
# ### Look: what it looks at
#
# The eight windows that the first layer has learned, and what they make of one digit: strokes in this or that
# direction, and their ends. Nobody told it to look for these. Below, digits that it got wrong; some are hard for you, too.

# %% show
logits, first, _ = with_convolutions(x_test, yours)
display(
    plots.signed(
        list(np.moveaxis(yours["kernel_1"], -1, 0)),
        title="the windows of the first layer",
        columns=8,
        size=1.2,
    )
)
brightest = first[0].max()
display(
    plots.pictures(
        list(np.moveaxis(first[0], -1, 0) / brightest),
        title=f"what they make of a {labels_test[0]}",
        columns=8,
        size=1.2,
    )
)
guesses = logits.argmax(axis=1)
wrong = np.flatnonzero(guesses != labels_test)[:8]
display(
    plots.pictures(
        list(x_test[wrong]),
        [f"{labels_test[i]}, read {guesses[i]}" for i in wrong],
        title="misread",
        columns=8,
        size=1.2,
    )
)

# %% [markdown]
# How many digits are lost when the first layer keeps its random weights, and only the rest learns? When the ReLUs go?
# Make the second layer separable: how many weights are left, and how many digits? In later assignments pooling takes the
# place of the strides, and batch normalization lets you train deeper.
