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
# # Backpropagation
#
# A network of a million weights has a million slopes, one a weight: how much does the loss change if this one moves a
# little? Measuring each by a small step takes a million runs of the network. **Backpropagation** gets them all for
# about the price of three. It is the chain rule of calculus, arranged so that nothing is computed twice.
#
# You will write the chain rule, a slow but honest way to check every gradient, the matrix product on which all layers
# stand, its way back, a layer, and a network of two layers with its loss and all its gradients. At the end it learns to
# read handwritten digits, and every part of it is yours. The lesson derives every formula used here; have it open
# beside this notebook.
#
# Throughout, `upstream` is the gradient of the loss with respect to what a function returned, as it comes back to that
# function, and every `..._backward` returns one gradient for each array that went in, of that array's shape. Nothing
# may change its arguments.

# %%
import numpy as np

from course import data, plots

# %% [markdown]
# ## Guards and a loss to use
#
# NumPy broadcasts: a bias of shape `(1,)` where three outputs need three is no error, and neither is a gradient of one
# row where ten are due. So the functions here say what axes they want, by name, and one name stands for one size:
# `require_axes("batch in, in out, out", x=x, w=w, b=b)`. The checks do not ask for guards, but guards save you hours.
# The loss is the one you know from the assignment on losses.


# %%
def require_axes(axes, **arrays):
    """Raise `ValueError` unless the arrays have these axes: `require_axes("m k, k n", a=a, b=b)`."""
    sizes = {}
    for names, (name, array) in zip(axes.split(","), arrays.items(), strict=True):
        names, shape = names.split(), np.shape(array)
        expected = tuple(sizes.get(axis, axis) for axis in names)
        if len(shape) != len(names) or any(
            sizes.setdefault(axis, size) != size for axis, size in zip(names, shape, strict=True)
        ):
            raise ValueError(f"{name} has shape {shape}, expected ({', '.join(map(str, expected))})")


def require_same_shape(**arrays):
    """Raise `ValueError` unless all arrays have the shape of the first, which is not empty."""
    (first, one), *others = arrays.items()
    if np.size(one) == 0:
        raise ValueError(f"{first} has shape {np.shape(one)}, expected at least one element")
    for name, other in others:
        if np.shape(other) != np.shape(one):
            raise ValueError(
                f"{name} has shape {np.shape(other)}, expected {np.shape(one)}, the shape of {first}"
            )


def require_positive(**numbers):
    """Raise `ValueError` unless every number is above 0."""
    for name, number in numbers.items():
        if not number > 0:
            raise ValueError(f"{name} is {number}, expected a number above 0")


def require_one_hot(**arrays):
    """Raise `ValueError` unless every row is a single 1 among zeros."""
    for name, array in arrays.items():
        if not (np.isin(array, (0, 1)).all() and (np.sum(array, axis=1) == 1).all()):
            raise ValueError(f"{name} is not one-hot, expected a single 1 among zeros in each row")


def softmax_cross_entropy(y_true, logits):
    """Minus the log probability of the true class, mean over the batch: one number."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_probabilities = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.sum(y_true * log_probabilities) / len(logits)


def softmax_cross_entropy_grad(y_true, logits):
    """Its gradient with respect to `logits`: probabilities minus truth, over the batch."""
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return (weights / weights.sum(axis=1, keepdims=True) - y_true) / len(logits)


# %% [markdown]
# ## 1 The chain rule
#
# Apply functions one after the other: $u_0 = x$, $u_1 = f_1(u_0)$, $u_2 = f_2(u_1)$, and so on to $u_n$. Each link
# stretches a small change by its own slope, *taken at the value that reaches it*:
#
# $$\frac{du_n}{dx} = f_n'(u_{n-1})\cdots f_2'(u_1)\,f_1'(u_0)$$
#
# Write `chain_rule` for a list of functions, applied first to last, and the list of their derivatives. It works on each
# element of `x` by itself.
#
# *To think about:* what is the derivative of a chain of no functions at all?


# %% exercise="chain_rule"
def chain_rule(functions, derivatives, x):
    """The derivative at `x` of functions applied first to last.

    Args:
        functions: list of functions, each of an array, element by element.
        derivatives: list of as many functions, the derivative of each.
        x: a number, or an array of any shape.

    Returns:
        Array of `x`'s shape: the slope of the whole chain at each element.

    Raises:
        ValueError: when the two lists differ in length.
    """
    ### BEGIN SOLUTION
    if len(functions) != len(derivatives):
        raise ValueError(f"derivatives has {len(derivatives)} entries, expected {len(functions)}")
    value, slope = x, np.ones(np.shape(x))
    for function, derivative in zip(functions, derivatives, strict=True):
        slope = slope * derivative(value)
        value = function(value)
    return slope
    ### END SOLUTION


# %% check="chain_rule"
check("chain_rule")

# %% [markdown]
# Your function draws the slope of $e^{\sin 2x}$, a chain of three links. Where the curve has a top or a bottom, the
# slope must cross zero.


# %% show
def doubled(x):
    return 2 * x


chain = [doubled, np.sin, np.exp]
slopes = [lambda x: np.full_like(x, 2), np.cos, np.exp]
plots.curves(
    {"exp(sin(2x))": lambda x: np.exp(np.sin(2 * x)), "its slope": lambda x: chain_rule(chain, slopes, x)},
    span=(-3, 3),
    title="A chain of three, and its slope",
)

# %% [markdown]
# ## 2 A gradient to check gradients with
#
# A gradient that is slightly wrong does not crash. The network just learns worse, and you will look for the reason
# everywhere else. So have a second opinion: measure the slope. Step to **both** sides of one element $x_i$ and leave
# all others alone,
#
# $$\frac{\partial f}{\partial x_i} \approx \frac{f(x + \varepsilon e_i) - f(x - \varepsilon e_i)}{2\varepsilon}$$
#
# where $e_i$ is 1 at element $i$ and 0 elsewhere. Two calls of $f$ an element: far too slow for training, and just
# right for a test.
#
# To compare two gradients $a$ and $b$, the difference alone says little: 0.001 is nothing beside 1000 and a disaster
# beside 0.002. Take it relative to the size of both, never dividing by less than $10^{-8}$, and look at the worst
# element:
#
# $$\max_i \frac{|a_i - b_i|}{\max(10^{-8},\; |a_i| + |b_i|)}$$
#
# Up to about $10^{-6}$ all is well; from $10^{-2}$ on there is a mistake; 1 means that a sign is wrong, or that one of
# the two is zero.
#
# *To think about:* what goes wrong when `x` holds integers, and you add 0.00001 to one of them in place?


# %% exercise="numerical_gradient"
def numerical_gradient(f, x, eps=1e-5):
    """The gradient of `f` at `x` by central differences.

    Args:
        f: function of an array of `x`'s shape that gives one number.
        x: array of any shape, of floats or integers; left as it is.
        eps: how far to step to either side, above 0.

    Returns:
        Array of `x`'s shape.

    Raises:
        ValueError: when `eps` is not above 0.
    """
    ### BEGIN SOLUTION
    require_positive(eps=eps)
    gradient = np.zeros(np.shape(x))
    for place in np.ndindex(gradient.shape):
        up, down = np.array(x, dtype=float), np.array(x, dtype=float)
        up[place] += eps
        down[place] -= eps
        gradient[place] = (f(up) - f(down)) / (2 * eps)
    return gradient
    ### END SOLUTION


def relative_error(a, b):
    """How far apart two gradients are, at the worst element.

    Args:
        a: array of any shape.
        b: array of the same shape.

    Returns:
        One number from 0 to 1: the largest `|a - b| / max(1e-8, |a| + |b|)`.

    Raises:
        ValueError: when the shapes differ.
    """
    ### BEGIN SOLUTION
    require_same_shape(a=a, b=b)
    return np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)))
    ### END SOLUTION


# %% check="numerical_gradient"
check("numerical_gradient")

# %% [markdown]
# How small should $\varepsilon$ be? Too large, and the curve bends within the step. Too small, and the two values of
# $f$ agree in nearly all their digits, so that their difference is rounding noise. Your function against the exact
# slopes of $\sum e^x$:

# %% show
exponents = np.arange(1, 13)
x = np.random.default_rng(0).normal(size=50)


def forward_difference(f, x, eps):
    """A step to one side only, for comparison."""
    return np.array([(f(x + eps * unit) - f(x)) / eps for unit in np.eye(x.size)])


errors = {
    "to both sides (yours)": [
        relative_error(numerical_gradient(lambda x: np.exp(x).sum(), x, 10.0**-e), np.exp(x))
        for e in exponents
    ],
    "to one side": [
        relative_error(forward_difference(lambda x: np.exp(x).sum(), x, 10.0**-e), np.exp(x))
        for e in exponents
    ],
}
plots.lines(
    errors, exponents, "Too large a step, and too small", "eps = 10 to the minus", "relative error", log=True
)

# %% [markdown]
# Both lines are a V: bending on the left, rounding on the right. To both sides, the bottom lies near $10^{-5}$, and is
# more than a hundred times deeper than to one side.
#
# ## 3 The matrix product
#
# Nearly all the arithmetic of a network is one operation. Libraries call it **gemm**, general matrix multiply:
#
# $$D = \alpha\, A B + \beta\, C, \qquad (AB)_{ij} = \sum_{p=1}^{k} A_{ip} B_{pj}$$
#
# with $A$ of shape $(m, k)$, $B$ of $(k, n)$, $C$ and $D$ of $(m, n)$, and two numbers $\alpha$ and $\beta$. A layer is
# a gemm, its way back is two of them, and a convolution is made into one. The libraries' gemm overwrites $C$; yours
# returns a new array.
#
# *To think about:* how many multiplications does $AB$ take? How many numbers come in?


# %% exercise="gemm"
def gemm(alpha, a, b, beta, c):
    """General matrix multiply, `alpha a b + beta c`.

    Args:
        alpha: number before the product.
        a: (m, k) matrix.
        b: (k, n) matrix.
        beta: number before `c`.
        c: (m, n) matrix, left as it is.

    Returns:
        (m, n) array.

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_axes("m k, k n, m n", a=a, b=b, c=c)
    return alpha * (a @ b) + beta * c
    ### END SOLUTION


# %% check="gemm"
check("gemm")

# %% [markdown]
# A matrix from the left mixes rows, one from the right mixes columns. Take a grey picture $B$ and a matrix $M$ that
# replaces every row by the mean of its neighbours. The last picture is what $MBM^\top$ took away, four times as strong,
# on grey: alpha and beta at work.

# %% show
grey = data.picture("camera", 96).mean(axis=-1)
places = np.arange(96)
mixing = (np.abs(places[:, np.newaxis] - places) <= 4).astype(float)
mixing /= mixing.sum(axis=1, keepdims=True)
nothing, half = np.zeros((96, 96)), np.full((96, 96), 0.5)
rows_mixed = gemm(1, mixing, grey, 0, nothing)
columns_mixed = gemm(1, grey, mixing.T, 0, nothing)
edges = gemm(-4, rows_mixed, mixing.T, 1, 4 * grey + half)
plots.pictures(
    [grey, rows_mixed, columns_mixed, np.clip(edges, 0, 1)],
    ["B", "M B: rows mixed", "B M': columns mixed", "what is taken away"],
    columns=4,
    size=2.3,
)

# %% [markdown]
# ## 4 A tile at a time
#
# A product of two $n \times n$ matrices has $n^3$ multiplications but only $2n^2$ numbers come in: each is used $n$
# times. On a real machine arithmetic is cheap and fetching numbers from memory is dear, so fast libraries cut the
# matrices into **tiles** that fit into the small, fast memory beside the processor, and use each number many times
# while it is there:
#
# $$D_{IJ} = \sum_{P} A_{IP}\, B_{PJ}$$
#
# The same formula as before, with a tile in the place of a number. With tiles of side $b$ every number is fetched $n/b$
# times instead of $n$ times.
#
# Write it with three loops over tiles; `@` may multiply two tiles. Where `block` does not divide a size, the last tiles
# are smaller. (The check sees only your result, so it cannot tell whether you went tile by tile. The figure below can.)
#
# *To think about:* in which order do the three loops keep a tile of $D$ in place until it is done?


# %% exercise="blocked_gemm"
def blocked_gemm(a, b, block):
    """The product `a b`, tile by tile.

    Args:
        a: (m, k) matrix.
        b: (k, n) matrix.
        block: side of a tile, at least 1; it need not divide m, k or n.

    Returns:
        (m, n) array.

    Raises:
        ValueError: when the shapes do not fit, or `block` is below 1.
    """
    ### BEGIN SOLUTION
    require_axes("m k, k n", a=a, b=b)
    require_positive(block=block)
    (m, k), n = a.shape, b.shape[1]
    d = np.zeros((m, n))
    for i in range(0, m, block):
        for j in range(0, n, block):
            for p in range(0, k, block):
                d[i : i + block, j : j + block] += (
                    a[i : i + block, p : p + block] @ b[p : p + block, j : j + block]
                )
    return d
    ### END SOLUTION


# %% check="blocked_gemm"
check("blocked_gemm")

# %% [markdown]
# `Watched` arrays note each product they take part in. They tell how many numbers your function fetches in all, if each
# tile is fetched once for each product of tiles.


# %% show
fetched = []


class Watched(np.ndarray):
    """An array that notes the size of both factors whenever it is multiplied by `@`."""

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        plain = [np.asarray(each) for each in inputs]
        if ufunc is np.matmul:
            fetched.append(sum(each.size for each in plain))
        return getattr(ufunc, method)(*plain, **kwargs)


square = np.random.default_rng(0).normal(size=(96, 96))
sides, totals = [4, 8, 12, 16, 24, 32, 48, 96], []
for side in sides:
    fetched.clear()
    blocked_gemm(square.view(Watched), square.view(Watched), side)
    totals.append(sum(fetched))
    if max(fetched, default=0) > 2 * side**2:
        print(f"block {side}: a product of larger factors than two tiles. Is it tile by tile?")
if min(totals) == 0:
    print("No product by `@` was seen: this figure knows no other.")
plots.bars(
    {"96 x 96 times 96 x 96": np.array(totals) / 1e3},
    sides,
    title="Numbers fetched",
    xlabel="block",
    ylabel="thousands",
)

# %% [markdown]
# Twice the side, half the traffic, until the tiles no longer fit into the fast memory. The lesson puts your loops
# behind a small cache and finds the best side.
#
# ## 5 The product, backwards
#
# Let $D = WX$ be part of a network, with $W$ of shape $(m, k)$ and $X$ of $(k, n)$, and let `upstream` be
# $\partial L/\partial D$, an array of $D$'s shape $(m, n)$. The entry $W_{ip}$ is used in all of row $i$ of $D$, each
# time multiplied by an entry of row $p$ of $X$. All those ways to the loss add up:
#
# $$\frac{\partial L}{\partial W_{ip}} = \sum_{j} \frac{\partial L}{\partial D_{ij}}\, X_{pj}$$
#
# Find the product of two matrices that this is, and the same for $X$. If you are lost, look at the shapes: often only
# one product fits.
#
# *To think about:* why is it dangerous to try this out on square matrices?


# %% exercise="matmul_backward"
def matmul_backward(upstream, w, x):
    """The gradients through `D = W X`.

    Args:
        upstream: (m, n) gradient of the loss with respect to D.
        w: (m, k) matrix W.
        x: (k, n) matrix X.

    Returns:
        (dW, dX): the gradients with respect to W, (m, k), and to X, (k, n).

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_axes("m k, k n, m n", w=w, x=x, upstream=upstream)
    return upstream @ x.T, w.T @ upstream
    ### END SOLUTION


# %% check="matmul_backward"
check("matmul_backward")

# %% [markdown]
# Now use your own second opinion. Any number that depends on $D$ will do as a loss; the weighted sum
# $\sum_{ij} U_{ij} D_{ij}$ has $U$ for its upstream gradient. Beside yours, three ways to go wrong on square matrices:

# %% show
generator = np.random.default_rng(0)
u, w, x = generator.normal(size=(3, 4, 4))
measured = numerical_gradient(lambda w: np.sum(u * (w @ x)), w)
candidates = {
    "yours": matmul_backward(u, w, x)[0],
    "upstream @ x": u @ x,
    "x @ upstream": x @ u,
    "transposed": (u @ x.T).T,
}
for name, candidate in candidates.items():
    print(f"dW, {name:13} relative error {relative_error(candidate, measured):.1e}")

# %% [markdown]
# ## 6 A layer
#
# A layer of weights and biases takes a batch of examples as rows, `x` of shape (batch, in), and gives (batch, out):
#
# $$Y = X W + b$$
#
# Here the layout is Keras': the examples are rows and the weights stand on the right. (In the section before, as in
# many textbooks, examples are columns and the weights stand on the left. The one is the other, transposed.) The bias
# $b$ of shape (out,) is added to every row.
#
# Backwards, $X$ and $W$ are the two factors of a product, which you have solved. The bias reaches the loss through
# **every** row, so its gradient adds up over the batch:
#
# $$\frac{\partial L}{\partial b_j} = \sum_{i} \frac{\partial L}{\partial Y_{ij}}$$
#
# *To think about:* a sum over the batch here, although the loss is a mean over the batch. Where did the
# $1/\text{batch}$ go?


# %% exercise="affine"
def affine(x, w, b):
    """A layer, `x w + b`.

    Args:
        x: (batch, in) inputs.
        w: (in, out) weights.
        b: (out,) bias, added to every row.

    Returns:
        (batch, out) array.

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_axes("batch in, in out, out", x=x, w=w, b=b)
    return x @ w + b
    ### END SOLUTION


def affine_backward(upstream, x, w, b):
    """The gradients through `affine`.

    Args:
        upstream: (batch, out) gradient of the loss with respect to the output.
        x: (batch, in) inputs.
        w: (in, out) weights.
        b: (out,) bias.

    Returns:
        (dx, dw, db), of the shapes of `x`, `w` and `b`.

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    require_axes("batch in, in out, out, batch out", x=x, w=w, b=b, upstream=upstream)
    dx, dw = matmul_backward(upstream, x, w)
    return dx, dw, upstream.sum(axis=0)
    ### END SOLUTION


# %% check="affine"
check("affine")

# %% [markdown]
# The second opinion again, on a layer whose three sizes all differ.

# %% show
generator = np.random.default_rng(1)
layer = {
    "x": generator.normal(size=(5, 2)),
    "w": generator.normal(size=(2, 3)),
    "b": generator.normal(size=3),
}
gradients = affine_backward(affine(**layer), **layer)
for (name, array), gradient in zip(layer.items(), gradients, strict=True):
    measured = numerical_gradient(
        lambda array, name=name: np.sum(affine(**{**layer, name: array}) ** 2) / 2, array
    )
    print(f"d{name}: relative error {relative_error(gradient, measured):.1e}")

# %% [markdown]
# And the layer on real data. Scikit-learn's digits have 8 by 8 pixels, so a layer from pixels to ten classes has 64
# weights a class, which can be looked at as a picture. Start with all weights zero, and look at the direction *against*
# `dw`, the first step that this layer will take. (Blue raises the class, red lowers it.)

# %% show
pixels, classes, pixels_test, classes_test = data.digits()
one_hot = np.eye(10)[classes]
w, b = np.zeros((64, 10)), np.zeros(10)
upstream = softmax_cross_entropy_grad(one_hot, affine(pixels, w, b))
_, dw, db = affine_backward(upstream, pixels, w, b)


def signed(values):
    """Blue above zero, red below, white at it."""
    share = values / np.abs(dw).max()
    return np.stack([1 - np.maximum(share, 0), 1 - np.abs(share), 1 + np.minimum(share, 0)], axis=-1)


plots.pictures(
    [signed(column.reshape(8, 8)) for column in -dw.T],
    [str(digit) for digit in range(10)],
    "What the first step adds to the weights of each class",
    size=1.4,
)

# %% [markdown]
# Each class moves towards its own digit and away from what the others have more of. Nobody told the layer what a zero
# looks like; one product, `x.T @ upstream`, found it.
#
# ## 7 A network of two layers
#
# Now put it together. With `params` a dict of `w1`, `b1`, `w2`, `b2`,
#
# $$Z = X W_1 + b_1, \qquad H = \max(Z, 0), \qquad S = H W_2 + b_2, \qquad L = \text{softmax cross-entropy}(y, S)$$
#
# `two_layer_forward` returns the logits $S$. `two_layer_loss_and_grads` returns $L$ and the gradient with respect to
# each of the four, in a dict with the same keys. Backwards it is one step for each step forward, last first:
#
# 1. from $L$ to $S$: `softmax_cross_entropy_grad`, which has the $1/\text{batch}$ in it;
# 2. from $S$ to $H$, $W_2$, $b_2$: `affine_backward`;
# 3. from $H$ to $Z$: the ReLU lets the gradient pass where $Z > 0$, and stops it elsewhere (also at exactly 0);
# 4. from $Z$ to $W_1$, $b_1$: `affine_backward`.
#
# Each step needs what went *into* the step forward. Keep it as you pass.
#
# *To think about:* `affine_backward` in step 4 also gives the gradient with respect to $X$. What could it be good for?


# %% exercise="two_layer_net"
def two_layer_forward(params, x):
    """Logits of a network of two layers with a ReLU between them.

    Args:
        params: dict of w1 (in, hidden), b1 (hidden,), w2 (hidden, out), b2 (out,).
        x: (batch, in) inputs.

    Returns:
        (batch, out) logits.

    Raises:
        ValueError: when the shapes do not fit.
    """
    ### BEGIN SOLUTION
    hidden = np.maximum(affine(x, params["w1"], params["b1"]), 0)
    return affine(hidden, params["w2"], params["b2"])
    ### END SOLUTION


def two_layer_loss_and_grads(params, x, y_true):
    """Softmax cross-entropy of the network, mean over the batch, and all its gradients.

    Args:
        params: dict of w1 (in, hidden), b1 (hidden,), w2 (hidden, classes), b2 (classes,).
        x: (batch, in) inputs.
        y_true: (batch, classes) one-hot labels.

    Returns:
        (loss, grads): one number, and a dict with the keys of `params`, each gradient of its array's shape.

    Raises:
        ValueError: when the shapes do not fit, or `y_true` is not one-hot.
    """
    ### BEGIN SOLUTION
    w1, b1, w2, b2 = (params[name] for name in ("w1", "b1", "w2", "b2"))
    before = affine(x, w1, b1)
    hidden = np.maximum(before, 0)
    logits = affine(hidden, w2, b2)
    require_axes("batch classes, batch classes", logits=logits, y_true=y_true)
    require_one_hot(y_true=y_true)

    dlogits = softmax_cross_entropy_grad(y_true, logits)
    dhidden, dw2, db2 = affine_backward(dlogits, hidden, w2, b2)
    _, dw1, db1 = affine_backward(dhidden * (before > 0), x, w1, b1)
    return softmax_cross_entropy(y_true, logits), {"w1": dw1, "b1": db1, "w2": dw2, "b2": db2}
    ### END SOLUTION


# %% check="two_layer_net"
check("two_layer_net")

# %% [markdown]
# What can such a network say? With one input and one output, draw it. Each hidden unit is a hinge: flat on one side, a
# slope on the other. The output is their sum, so it is made of straight pieces.

# %% show
generator = np.random.default_rng(4)
hinges = {
    f"{units} hidden units": {
        "w1": generator.normal(size=(1, units)),
        "b1": generator.normal(size=units),
        "w2": generator.normal(size=(units, 1)) / np.sqrt(units),
        "b2": np.zeros(1),
    }
    for units in (2, 8, 100)
}
plots.curves(
    {
        name: lambda x, params=params: two_layer_forward(params, x[:, np.newaxis])[:, 0]
        for name, params in hinges.items()
    },
    span=(-4, 4),
    title="Random networks of one input",
)

# %% [markdown]
# ## 8 Your network reads
#
# Everything so far is yours: the layers, their way back, the gradients. Now they learn to read 1,437 handwritten
# digits, and are tested on 360 others. **To reach: 95 % of those.**
#
# First the check. A wrong gradient often trains, only worse, so look before you train: the analytic gradients against
# measured ones, on a small batch.

# %% show
generator = np.random.default_rng(0)
params = {
    "w1": generator.normal(scale=np.sqrt(2 / 64), size=(64, 64)),
    "b1": np.zeros(64),
    "w2": generator.normal(scale=np.sqrt(2 / 64), size=(64, 10)),
    "b2": np.zeros(10),
}
few = pixels[:10], one_hot[:10]
_, grads = two_layer_loss_and_grads(params, *few)
for name, array in params.items():
    measured = numerical_gradient(
        lambda array, name=name: two_layer_loss_and_grads({**params, name: array}, *few)[0], array
    )
    error = relative_error(grads[name], measured)
    print(f"{name}: {array.size:5} slopes, relative error {error:.1e}")
    assert error < 1e-4, f"the gradient of {name} is not the slope of the loss"

# %% [markdown]
# The largest errors belong to slopes near zero, where rounding is most of what is measured.
#
# Now train. Each epoch goes through the digits once, in a new order, 32 at a time, and after each batch every parameter
# takes a step against its gradient.

# %% show
batch_size, learning_rate, epochs = 32, 0.2, 40


def accuracy(params, x, labels):
    """The share of digits whose largest logit is the right one."""
    return np.mean(two_layer_forward(params, x).argmax(axis=1) == labels)


losses, shares = [], {"digits it learns from": [], "digits it has never seen": []}
for _ in range(epochs):
    order = generator.permutation(len(pixels))
    for start in range(0, len(order), batch_size):
        batch = order[start : start + batch_size]
        loss, grads = two_layer_loss_and_grads(params, pixels[batch], one_hot[batch])
        params = {name: array - learning_rate * grads[name] for name, array in params.items()}
        losses.append(loss)
    shares["digits it learns from"].append(accuracy(params, pixels, classes))
    shares["digits it has never seen"].append(accuracy(params, pixels_test, classes_test))

reached = shares["digits it has never seen"][-1]
display(plots.lines({"loss": losses}, title="Loss of each batch", xlabel="step", log=True))
display(plots.lines(shares, title="Digits read", xlabel="epoch", percent=True))
print(f"{reached:.1%} of the {len(pixels_test)} digits that it has never seen are read")
assert reached >= 0.95, "below 95 %: is every gradient right, and of the mean over the batch?"

# %% [markdown]
# The loss starts near $\log 10 \approx 2.3$, that of a guess, and falls. It is jagged, because each batch is another
# one. Now look at what the network gets wrong.

# %% show
read = two_layer_forward(params, pixels_test).argmax(axis=1)
wrong = np.flatnonzero(read != classes_test)[:15]
plots.pictures(
    [1 - pixels_test[i].reshape(8, 8) for i in wrong],
    [f"{classes_test[i]}, read as {read[i]}" for i in wrong],
    f"{np.sum(read != classes_test)} of {len(read)} misread",
    size=1.5,
)

# %% [markdown]
# Would you have read them all?
#
# **Try it.** Take the ReLU's mask out of your gradient and run the check and the training again: the check cries, and
# the training may still pass. How few hidden units are enough for 95 %? What does the network learn when all weights
# start at zero, and why nothing more? And the gradient with respect to the *input*: change a digit's pixels against it,
# a little, until it is read as another.
