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
# # Haar features and the cascade
#
# In 2001 Paul Viola and Michael Jones found faces in video as it came in, fifteen pictures a second, on the computers of
# their day. Soon every camera drew squares around faces. There is no network in their detector. There are four ideas: sums
# over rectangles at the price of four numbers, very simple rules on such sums, a vote of many simple rules, and a cascade
# that wastes no time on what is plainly no face.
#
# You will write all four. At the end your own cascade, trained on a hundred faces, finds one that it has never seen. The
# lesson derives every formula used here; have it open beside this notebook.
#
# Images are grey, shape (h, w). A place is given as `x`, the column, and `y`, the row, in this order, and a rectangle as
# `x, y, w, h`; but an array is indexed `[row, column]`. Nothing may change its arguments. A function that returns two
# things returns a tuple.

# %%
import numpy as np

from course import data, plots

# %% [markdown]
# ## Given: guards, and five kinds of features
#
# The guards raise `ValueError` for arguments that do not fit. `pair` lets a size be one number or (height, width). `KINDS`
# says into how many equal parts a feature is cut, across and down.

# %%
KINDS = {"edge_x": (2, 1), "edge_y": (1, 2), "line_x": (3, 1), "line_y": (1, 3), "checker": (2, 2)}


def require(fits, message):
    """Raise `ValueError` with the message unless it fits."""
    if not fits:
        raise ValueError(message)


def require_inside(integral, x, y, w, h):
    """Raise `ValueError` unless the rectangle, or each of them, lies in the image: negative indices would count from behind."""
    rows, columns = integral.shape
    inside = (x >= 0) & (x + w < columns) & (y >= 0) & (y + h < rows)
    require(w >= 1 and h >= 1 and np.all(inside), "the rectangle x, y, w, h does not lie in the image")


def require_samples(features, labels):
    """Raise `ValueError` unless there is a row of features for each label 0 or 1."""
    require(np.ndim(features) == 2, f"features has shape {np.shape(features)}, expected (n, f)")
    require(
        np.shape(labels) == (len(features),) and np.isin(labels, (0, 1)).all(),
        f"labels has shape {np.shape(labels)}, expected {len(features)} of 0 or 1",
    )


def pair(name, value):
    """One number, or (height, width), as a pair."""
    height, width = value if isinstance(value, tuple | list) else (value, value)
    require(height >= 1 and width >= 1, f"{name} is {value}, expected at least 1")
    return height, width


# %% [markdown]
# ## 1 The integral image
#
# A detector adds up pixels over rectangles, millions of rectangles. The **integral image** $I$ of an image $p$ makes each
# sum cost four numbers, whatever its size: it holds the sum of everything above and to the left,
#
# $$I_{y,x} = \sum_{r<y}\;\sum_{c<x} p_{r,c} .$$
#
# Mind the $<$: at $(y, x)$ stands the sum *before* row $y$ and column $x$. Think of $I$ as standing on the corners between
# the pixels. There is one corner more than there are pixels, so $I$ has the shape (h + 1, w + 1), and its first row and
# column are 0: above the top there is nothing.
#
# The sum over a rectangle is then what lies above and left of its far corner, less what is too much above, less what is
# too much on the left, plus what was taken off twice.
#
# In `rectangle_sum` only index, add and subtract, and it also takes arrays of places, `x` and `y` of equal length: then it
# adds up that many rectangles at once. No check asks for it, but the last part makes use of it.
#
# *To think about:* without the row and the column of zeros, what would you write for a rectangle that touches the top?


# %% exercise="integral_image"
def integral_image(image):
    """The sum of all pixels above and to the left of each corner.

    Args:
        image: shape (h, w).

    Returns:
        Array (h + 1, w + 1) of floats; the first row and the first column are 0.

    Raises:
        ValueError: when `image` has another rank.
    """
    ### BEGIN SOLUTION
    require(np.ndim(image) == 2 and np.size(image) > 0, f"image has shape {np.shape(image)}, expected (h, w)")
    sums = np.cumsum(np.cumsum(image, axis=0, dtype=float), axis=1)
    return np.pad(sums, ((1, 0), (1, 0)))
    ### END SOLUTION


def rectangle_sum(integral, x, y, w, h):
    """The sum of the pixels in a rectangle, by four numbers.

    Args:
        integral: shape (rows + 1, columns + 1), from `integral_image`.
        x, y: column and row of the rectangle's top left pixel.
        w, h: its width and height in pixels.

    Returns:
        One number.

    Raises:
        ValueError: when the rectangle does not lie in the image.
    """
    ### BEGIN SOLUTION
    require_inside(integral, x, y, w, h)
    return integral[y + h, x + w] - integral[y, x + w] - integral[y + h, x] + integral[y, x]
    ### END SOLUTION


# %% check="integral_image"
check("integral_image")

# %% [markdown]
# ### Look: a blur of any size at one price
#
# The mean of a square around each pixel, for four sizes of the square. Each of the four pictures costs four lookups a
# pixel. Adding up the pixels themselves would cost 1,681 for the largest square.

# %% show
camera = data.picture("camera", 256)[..., 0]
integral = integral_image(np.pad(camera, 20, mode="edge"))
rows, columns = np.mgrid[:256, :256]
blurred = []
for reach in (0, 3, 9, 20):
    side = 2 * reach + 1
    sums = rectangle_sum(integral, columns + 20 - reach, rows + 20 - reach, side, side)
    blurred.append(sums / side**2)
plots.pictures(blurred, [f"{2 * reach + 1} x {2 * reach + 1}" for reach in (0, 3, 9, 20)], size=2.4)

# %% [markdown]
# ## 2 Haar features
#
# Eyes are darker than the cheeks below them. The bridge of the nose is brighter than the eyes beside it. Such sentences
# are differences of sums over neighbouring rectangles, and these are the **features**. Each is a rectangle, cut into equal
# parts:
#
# | kind | parts | value |
# | --- | --- | --- |
# | `edge_x` | two side by side | left $-$ right |
# | `edge_y` | two on top of each other | top $-$ bottom |
# | `line_x` | three side by side | left $+$ right $-\;2\cdot$ middle |
# | `line_y` | three on top of each other | top $+$ bottom $-\;2\cdot$ middle |
# | `checker` | two by two | top left $+$ bottom right $-$ top right $-$ bottom left |
#
# `x, y, w, h` is the **whole** feature. The value of every kind is 0 on a plain wall, bright or dark: that is what the 2 is
# for.
#
# *To think about:* what does an `edge_x` say at the left edge of a bright thing, what at its right edge, and what in between?


# %% exercise="haar_feature"
def haar_feature(integral, kind, x, y, w, h):
    """The difference of the sums over equal parts of a rectangle.

    Args:
        integral: shape (rows + 1, columns + 1), from `integral_image`.
        kind: one of `KINDS`.
        x, y: column and row of the top left pixel of the whole feature.
        w, h: width and height of the whole feature; its parts divide them evenly.

    Returns:
        One number.

    Raises:
        ValueError: for an unknown kind, a size that its parts do not divide, a place outside the image.
    """
    ### BEGIN SOLUTION
    require(kind in KINDS, f"kind is {kind!r}, expected one of {', '.join(KINDS)}")
    across, down = KINDS[kind]
    require(w % across == 0, f"w is {w}, expected a multiple of {across} for {kind}")
    require(h % down == 0, f"h is {h}, expected a multiple of {down} for {kind}")
    width, height = w // across, h // down

    def part(column, row):
        return rectangle_sum(integral, x + column * width, y + row * height, width, height)

    if kind == "edge_x":
        return part(0, 0) - part(1, 0)
    if kind == "edge_y":
        return part(0, 0) - part(0, 1)
    if kind == "line_x":
        return part(0, 0) - 2 * part(1, 0) + part(2, 0)
    if kind == "line_y":
        return part(0, 0) - 2 * part(0, 1) + part(0, 2)
    return part(0, 0) - part(1, 0) - part(0, 1) + part(1, 1)
    ### END SOLUTION


# %% check="haar_feature"
check("haar_feature")

# %% [markdown]
# ### Look: what a feature sees
#
# The same five features, 12 pixels wide or high, at every place of a picture. Red is above zero, blue below.

# %% show
integral = integral_image(camera)
maps = []
for kind, (across, down) in KINDS.items():
    w, h = (12 if across > 1 else 6), (12 if down > 1 else 6)
    rows, columns = np.mgrid[:244, :244]
    maps.append(haar_feature(integral, kind, columns, rows, w, h))
plots.signed(maps, list(KINDS), size=2.4)

# %% [markdown]
# ## 3 All of them
#
# Take a window of 24 by 24 pixels. A feature may be of any kind, at any place, and of any size that fits, and there are
# 162,336 of them: far more than the window has pixels. Somewhere among them are the few that tell a face.
#
# List them all. `step` thins them out: places are multiples of `step`, and each **part** of a feature is $1,\; 1 + $ `step`,
# $1 + 2\,$`step`, $\dots$ pixels wide, and as high. So the widths of an `edge_x`, which has two parts, are 2, 4, 6, … at
# `step=1`, and 2, 6, 10, … at `step=2`. The order is yours.
#
# *To think about:* at how many places is there room for a feature of 6 by 4 pixels in a window of 24 by 24?


# %% exercise="haar_features"
def haar_features(image, window, step=1):
    """Every feature of the window that lies at the top left of an image.

    Args:
        image: shape (h, w), at least as large as the window.
        window: the window's size, one number or (height, width).
        step: what places, and the sizes of a feature's parts, move by.

    Returns:
        (values, descriptions): an array (n,), and a list of n tuples (kind, x, y, w, h), in any order.

    Raises:
        ValueError: when the window is larger than the image, or `step` is below 1.
    """
    ### BEGIN SOLUTION
    height, width = pair("window", window)
    require(step >= 1, f"step is {step}, expected at least 1")
    integral = integral_image(image)
    require(height < len(integral) and width < len(integral[0]), f"window is {window}, larger than the image")
    values, descriptions = [np.zeros(0)], []
    for kind, (across, down) in KINDS.items():
        for w in range(across, width + 1, across * step):
            for h in range(down, height + 1, down * step):
                places = np.mgrid[: height - h + 1 : step, : width - w + 1 : step]
                y, x = places.reshape(2, -1)
                values.append(haar_feature(integral, kind, x, y, w, h))
                descriptions += [(kind, *place, w, h) for place in zip(x.tolist(), y.tolist(), strict=True)]
    return np.concatenate(values), descriptions
    ### END SOLUTION


# %% check="haar_features"
check("haar_features")

# %% [markdown]
# ## 4 A stump
#
# One feature, one threshold: is the value below it, or above? Such a rule is called a **stump**, a tree cut off after its
# first fork. It says 1, "a face", where
#
# $$\text{polarity}\cdot\text{value} < \text{polarity}\cdot\text{threshold},$$
#
# so polarity $1$ says "below the threshold is a face" and polarity $-1$ "above it". Each sample has a **weight**, and the
# **error** of a stump is the sum of the weights of the samples that it gets wrong. You look for the stump with the smallest
# error: over all features, all thresholds and both polarities.
#
# Only the gaps between the sorted values of a feature matter: wherever in a gap the threshold lies, the same samples are
# below it. Any place in the best gap is right, and so is the open end: a threshold above all values. And you need not start
# anew in each gap. Sort, then go up: whenever a sample moves below the threshold, one weight changes sides.
#
# *To think about:* two samples with equal values: can a threshold come between them?


# %% exercise="train_stump"
def train_stump(features, labels, weights):
    """The rule on one feature that errs least.

    Args:
        features: shape (n, f), a row a sample.
        labels: shape (n,), 0 or 1.
        weights: shape (n,), not negative.

    Returns:
        (feature, threshold, polarity, error): the feature's column, any threshold in the best gap, 1 or -1, and the
        sum of the weights of the samples that are wrong.

    Raises:
        ValueError: when shapes do not fit, or a label is not 0 or 1.
    """
    ### BEGIN SOLUTION
    require_samples(features, labels)
    require(np.shape(weights) == np.shape(labels), f"weights has shape {np.shape(weights)}")
    order = np.argsort(features, axis=0)
    ranked = np.take_along_axis(features, order, axis=0)
    gain = np.cumsum(np.where(labels == 1, weights, -weights)[order], axis=0)  # of faces below the threshold
    errors = np.stack([weights[labels == 1].sum() - gain, weights[labels == 0].sum() + gain])
    errors[:, :-1][:, ranked[:-1] == ranked[1:]] = np.inf  # there is no gap between equal values
    side, place, feature = np.unravel_index(errors.argmin(), errors.shape)
    column = np.append(ranked[:, feature], np.inf)
    threshold, polarity = (column[place] + column[place + 1]) / 2, (1, -1)[side]
    wrong = (polarity * features[:, feature] < polarity * threshold) != labels
    return int(feature), float(threshold), polarity, float(weights[wrong].sum())
    ### END SOLUTION


# %% check="train_stump"
check("train_stump")

# %% [markdown]
# ### Look: the best single feature
#
# A hundred faces and a hundred patches without one, 25 by 25 pixels. Every third feature of a window of 24 by 24, and the
# best stump on them, drawn on the mean of all faces: white counts plus, black minus. Eyes are dark, and that tells most:
# where Viola and Jones' first feature looked, too.


# %% show
def masked(window, kind, x, y, w, h):
    """The window with the feature drawn on it, white where pixels count plus, black where minus."""
    across, down = KINDS[kind]
    shown = window.copy()
    for row in range(down):
        for column in range(across):
            rows = slice(y + row * h // down, y + (row + 1) * h // down)
            columns = slice(x + column * w // across, x + (column + 1) * w // across)
            shown[rows, columns] = 0.35 * shown[rows, columns] + 0.65 * ((row + column) % 2 == 0)
    return shown


faces, others = data.faces()
patches = np.concatenate([faces, others])[:, :24, :24]
lit = (patches - patches.mean(axis=(1, 2), keepdims=True)) / (patches.std(axis=(1, 2), keepdims=True) + 0.01)
table = np.stack([haar_features(patch, 24, step=3)[0] for patch in lit])
descriptions = haar_features(lit[0], 24, step=3)[1]
labels = np.repeat([1, 0], 100)
feature, threshold, polarity, error = train_stump(table, labels, np.full(200, 1 / 200))
print(
    f"{len(descriptions):,} features; the best is {descriptions[feature]}, wrong in {error:.1%} of the patches"
)
mean_face = faces.mean(axis=0)[:24, :24]
plots.pictures(
    [*faces[:3], mean_face, masked(mean_face, *descriptions[feature])],
    ["a face", "a face", "a face", "the mean face", "the best feature"],
)

# %% [markdown]
# ## 5 AdaBoost
#
# One stump is not much. **AdaBoost** lets many vote. It trains one after the other, and each time it looks harder at what
# the last one got wrong. With $m$ samples of label 1 and $l$ of label 0:
#
# 1. Each sample of label 1 gets the weight $\frac1{2m}$, each of label 0 the weight $\frac1{2l}$: either class counts half.
# 2. Then, in each round: divide the weights by their sum; train the best stump, its error is $\varepsilon$, taken as
#    $10^{-10}$ if it is smaller; and with $\beta = \frac{\varepsilon}{1 - \varepsilon}$ multiply the weights of the samples
#    that it got **right** by $\beta$. Its vote counts $\alpha = \log\frac1\beta$.
#
# To predict, add up the alphas of the stumps that say 1. The answer is 1 where they are at least half of all alphas.
#
# *To think about:* after the weights were changed, what is the error of the stump that has just been trained? So would the
# next round choose it again?


# %% exercise="adaboost"
def adaboost(features, labels, rounds):
    """Stumps that vote, each trained on what those before it got wrong.

    Args:
        features: shape (n, f).
        labels: shape (n,), 0 or 1, some of each.
        rounds: how many stumps.

    Returns:
        List of (feature, threshold, polarity, alpha), in the order of training.

    Raises:
        ValueError: when shapes do not fit, a label is missing, or `rounds` is below 1.
    """
    ### BEGIN SOLUTION
    require_samples(features, labels)
    require(rounds >= 1, f"rounds is {rounds}, expected at least 1")
    counts = np.bincount(labels, minlength=2)
    require(counts.all(), f"labels has {counts[1]} of 1 and {counts[0]} of 0, expected some of each")
    weights = 1 / (2 * counts[labels])
    model = []
    for _ in range(rounds):
        weights = weights / weights.sum()
        feature, threshold, polarity, error = train_stump(features, labels, weights)
        beta = max(error, 1e-10) / (1 - max(error, 1e-10))
        right = (polarity * features[:, feature] < polarity * threshold) == labels
        weights = np.where(right, beta * weights, weights)
        model.append((feature, threshold, polarity, float(np.log(1 / beta))))
    return model
    ### END SOLUTION


def predict_adaboost(model, features):
    """What the majority of the alphas says.

    Args:
        model: list of (feature, threshold, polarity, alpha).
        features: shape (n, f).

    Returns:
        Array (n,), 1 where the vote is at least half of the alphas, 0 elsewhere.
    """
    ### BEGIN SOLUTION
    votes = np.zeros(len(features))
    for feature, threshold, polarity, alpha in model:
        votes += alpha * (polarity * features[:, feature] < polarity * threshold)
    return (votes >= sum(alpha for *_, alpha in model) / 2).astype(int)
    ### END SOLUTION


# %% check="adaboost"
check("adaboost")

# %% [markdown]
# ### Look: the vote against the voters
#
# Half of the patches to learn from, half to be tested on. Look at the first stumps, too: each looks elsewhere.

# %% show
learn, test = np.arange(200) % 2 == 0, np.arange(200) % 2 == 1
model = adaboost(table[learn], labels[learn], 20)
wrong = {"learned from": [], "never seen": []}
for rounds in range(1, 21):
    for name, part in zip(wrong, (learn, test), strict=True):
        wrong[name].append(np.mean(predict_adaboost(model[:rounds], table[part]) != labels[part]))
display(plots.lines(wrong, title="Patches that the vote gets wrong", xlabel="stumps", percent=True))
plots.pictures(
    [masked(mean_face, *descriptions[feature]) for feature, *_ in model[:5]],
    [f"alpha {alpha:.2f}" for *_, alpha in model[:5]],
    title="The first five stumps",
)

# %% [markdown]
# ## 6 The cascade
#
# A photograph has a hundred thousand windows, and perhaps one face. Most windows are easy: a wall, the sky. A **cascade**
# asks its questions in **stages**, the cheapest first, and drops a window at the first no. Only what looks like a face gets
# to the costly stages.
#
# A stage is a pair (model, threshold): a window passes where its **vote**, the sum of the alphas of the stumps that say 1,
# is at least the threshold. The function `vote`, given below, is what you have just written in `predict_adaboost`.
#
# `cascade_predict` tells of each window whether it was accepted, and how many stages it passed before the first no.
#
# To train, think of the price of an error. A face that one stage drops is lost for good; a wall that passes is the next
# stage's business. So the threshold starts at half of the alphas, and is lowered, no further than needed, until at least
# `min_detection_rate` of the faces pass. Then the next stage is trained: on all the faces, and on those negatives **that
# passed all the stages so far**. Why should it learn again what the first stage knows? When no negatives are left,
# training ends, with fewer stages.
#
# *To think about:* ten stages, each of which passes 99 % of the faces and 30 % of the rest. What do all ten pass?


# %%
def vote(model, features):
    """The sum of the alphas of the stumps that say 1, for each row of features."""
    votes = np.zeros(len(features))
    for feature, threshold, polarity, alpha in model:
        votes += alpha * (polarity * features[:, feature] < polarity * threshold)
    return votes


# %% exercise="cascade"
def cascade_predict(stages, features):
    """Which samples pass every stage, and how far the others get.

    Args:
        stages: list of (model, threshold).
        features: shape (n, f).

    Returns:
        (accepted, passed): bools (n,), and integers (n,), the number of stages passed before the first that rejects.
    """
    ### BEGIN SOLUTION
    accepted = np.ones(len(features), bool)
    passed = np.zeros(len(features), int)
    for model, threshold in stages:
        accepted[accepted] = vote(model, features[accepted]) >= threshold
        passed[accepted] += 1
    return accepted, passed
    ### END SOLUTION


def train_cascade(features, labels, stages, rounds, min_detection_rate):
    """Stages of AdaBoost, each trained on the negatives that all before it let pass.

    Args:
        features: shape (n, f).
        labels: shape (n,), 0 or 1.
        stages: how many at most; fewer when no negatives are left.
        rounds: stumps a stage.
        min_detection_rate: the share of the samples of label 1 that a stage must pass, above 0 and at most 1.

    Returns:
        List of (model, threshold).

    Raises:
        ValueError: when shapes do not fit, there is no label 1, or a number is out of its range.
    """
    ### BEGIN SOLUTION
    require_samples(features, labels)
    require(stages >= 1, f"stages is {stages}, expected at least 1")
    require(0 < min_detection_rate <= 1, f"min_detection_rate is {min_detection_rate}, expected a share")
    positives, negatives = features[labels == 1], features[labels == 0]
    require(len(positives) > 0, "labels has no 1")
    needed = int(np.ceil(min_detection_rate * len(positives)))
    cascade = []
    for _ in range(stages):
        if len(negatives) == 0:
            break
        stage_labels = np.repeat([1, 0], [len(positives), len(negatives)])
        model = adaboost(np.concatenate([positives, negatives]), stage_labels, rounds)
        best_first = np.sort(vote(model, positives))[::-1]
        threshold = min(sum(alpha for *_, alpha in model) / 2, best_first[needed - 1])
        cascade.append((model, float(threshold)))
        negatives = negatives[vote(model, negatives) >= threshold]
    return cascade
    ### END SOLUTION


# %% check="cascade"
check("cascade")

# %% [markdown]
# ## 7 Every place, every size
#
# The detector looks through a window of 24 by 24 pixels, but faces come in all sizes. So the **image** shrinks: it is
# scanned as it is, then a copy `scale` times smaller, then one smaller by `scale` again, as long as the window fits. In
# each copy the window starts at 0 and moves by `step` pixels of that copy, right and down, as long as it fits. What is
# found is said in pixels of the image as it came: a window in a copy that is $f$ times smaller is a box $f$ times larger.
#
# `classify` gets one window, exactly of the window's size, and says yes or no. The given `shrink` makes the copies: each
# new pixel is the mean of the area that it covers.
#
# *To think about:* how many windows has an image of 512 by 512 pixels, in all sizes, at `step=2`?


# %%
def shrink(image, height, width):
    """The image, (h, w) or (h, w, c), in fewer pixels; each is the mean of the area that it covers."""

    def shares(old, new):
        edges = np.linspace(0, old, new + 1)[:, np.newaxis]
        covered = np.minimum(edges[1:], np.arange(1, old + 1)) - np.maximum(edges[:-1], np.arange(old))
        return np.maximum(covered, 0) * new / old

    rows, columns = shares(image.shape[0], height), shares(image.shape[1], width)
    return np.moveaxis(np.tensordot(np.tensordot(rows, image, 1), columns, (1, 1)), -1, 1)


# %% exercise="detect_multiscale"
def detect_multiscale(image, classify, window, scale=1.25, step=2):
    """Ask a classifier about every window of an image, in every size.

    Args:
        image: shape (h, w), at least as large as the window.
        classify: function of one window, an array (height, width); true for what it looks for.
        window: the window's size, one number or (height, width).
        scale: each copy is so many times smaller than the one before, above 1.
        step: how many pixels of a copy the window moves by.

    Returns:
        Boxes (n, 4), (x1, y1, x2, y2) in pixels of `image`, of the windows that `classify` said yes to.

    Raises:
        ValueError: when the window is larger than the image, `scale` is not above 1, or `step` is below 1.
    """
    ### BEGIN SOLUTION
    height, width = pair("window", window)
    full_height, full_width = np.shape(image)[:2]
    require(scale > 1, f"scale is {scale}, expected a number above 1")
    require(step >= 1, f"step is {step}, expected at least 1")
    require(height <= full_height and width <= full_width, f"window is {window}, larger than the image")
    boxes, factor = [], 1.0
    while (h := int(full_height / factor)) >= height and (w := int(full_width / factor)) >= width:
        copy = shrink(image, h, w)
        for y in range(0, h - height + 1, step):
            for x in range(0, w - width + 1, step):
                if classify(copy[y : y + height, x : x + width]):
                    boxes.append(
                        (x, y, x + width, y + height) * np.tile([full_width / w, full_height / h], 2)
                    )
        factor *= scale
    return np.array(boxes).reshape(-1, 4)
    ### END SOLUTION


# %% check="detect_multiscale"
check("detect_multiscale")

# %% [markdown]
# ## A face that it has never seen
#
# Now all of it together: your functions train a cascade on a hundred faces and let it look for the face of an astronaut,
# who is not among them.
#
# The plumbing is given. A window of a picture is named by its corner, so `x` and `y` are arrays of corners, and
# `measured` asks for one feature of all these windows in one call of your `haar_feature`. (If yours does not take arrays,
# wrap it: `np.vectorize(haar_feature, excluded=["integral", "kind", 0, 1])`. It will take minutes.) Each value is divided
# by the spread of the window's pixels, so that harsh light looks like soft light. The spread, too, comes from integral
# images: the mean square less the square of the mean.


# %% show
WINDOW = 24
rng = np.random.default_rng(0)
every = haar_features(np.zeros((WINDOW, WINDOW)), WINDOW, step=3)[1]
descriptions = [every[place] for place in rng.choice(len(every), 1500, replace=False)]


def sums(picture):
    """The integral images of a picture and of its square."""
    return integral_image(picture), integral_image(picture**2)


def measured(both, x, y, chosen):
    """The chosen features of the windows at x and y, (windows, features), as if all were lit alike."""
    integral, squares = both
    pixels = WINDOW**2
    mean = rectangle_sum(integral, x, y, WINDOW, WINDOW) / pixels
    variance = rectangle_sum(squares, x, y, WINDOW, WINDOW) / pixels - mean**2
    spread = pixels * np.sqrt(np.maximum(variance, 1e-4))
    return np.stack(
        [haar_feature(integral, kind, x + dx, y + dy, w, h) / spread for kind, dx, dy, w, h in chosen],
        axis=-1,
    )


def measured_patches(patches):
    """All features of patches, side by side in one long picture."""
    corners = WINDOW * np.arange(len(patches))
    return measured(sums(np.concatenate(patches, axis=1)), corners, 0 * corners, descriptions)


# %% [markdown]
# A face may be mirrored, and shifted by a pixel: that makes 400 faces of 100. A hundred patches without a face are too few to
# learn from, but any photograph without a face has a hundred thousand, in all sizes. Here are ten photographs, and
# their smaller copies.

# %% show
faces, others = data.faces()
positives = measured_patches(
    [
        face[shift : shift + WINDOW, shift : shift + WINDOW]
        for original in faces
        for face in (original, original[:, ::-1])
        for shift in (0, 1)
    ]
)
names = ["brick", "chelsea", "coffee", "colorwheel", "grass", "gravel", "hubble_deep_field"]
names += ["immunohistochemistry", "moon", "rocket"]
faceless = [other[:WINDOW, :WINDOW] for other in others]
for name in names:
    copy = data.picture(name, 300).mean(axis=2)
    while len(copy) > WINDOW + 3:
        faceless.append(copy)
        copy = shrink(copy, *(int(side / 1.25) for side in copy.shape))
print(f"{len(positives)} faces, {len(faceless)} pictures without one, {len(descriptions):,} features")
plots.pictures([copy for copy in faceless if len(copy) == 300], names, size=2.0)


# %% [markdown]
# The cascade grows. Each time, it scans those pictures as it is so far; what still passes is taken for a face by mistake, and 600 of
# these **hard negatives** are what the next stages learn from. To begin with, there is no stage, and everything passes.
#
# `passing` is the cascade at work: each stage measures only the features that it asks for, and only of the windows that are
# still in. `own` numbers the features for that. Watch how few windows still pass, of some 200,000, and how the share of the
# faces falls at each stage, though by no more than you have allowed.


# %% show
def own(stages):
    """What some stages ask for: descriptions, and the stages with these numbered from 0."""
    used = sorted({feature for model, _ in stages for feature, *_ in model})
    renumbered = [
        ([(used.index(feature), *rest) for feature, *rest in model], threshold) for model, threshold in stages
    ]
    return [descriptions[feature] for feature in used], renumbered


def passing(detector, both, x, y):
    """Which of the windows at x and y pass every stage."""
    left = np.arange(len(x))
    for chosen, stage in detector:
        if len(left) > 0:
            accepted, _ = cascade_predict(stage, measured(both, x[left], y[left], chosen))
            left = left[np.asarray(accepted, bool)]
    return left


def hard_negatives(detector, most):
    """Windows without a face that pass, at most so many of them, and how many do."""
    found = []
    for picture, both in zip(faceless, integrals, strict=True):
        top, left = np.minimum(rng.integers(3, size=2), np.array(picture.shape) - WINDOW)
        y, x = np.mgrid[top : len(picture) - WINDOW + 1 : 3, left : len(picture[0]) - WINDOW + 1 : 3]
        x, y = x.ravel(), y.ravel()
        for place in passing(detector, both, x, y):
            found.append(picture[y[place] :, x[place] :][:WINDOW, :WINDOW])
    return [found[place] for place in rng.permutation(len(found))[:most]], len(found)


integrals = [sums(picture) for picture in faceless]
cascade = []
for stages, rounds in [(1, 3), (1, 6), (1, 10), (2, 15), (2, 25), (2, 40)]:
    hard, count = hard_negatives([own([stage]) for stage in cascade], 600)
    table = np.concatenate([positives, measured_patches(hard)])
    labels = np.repeat([1, 0], [len(positives), len(hard)])
    kept = cascade_predict(cascade, positives)[0].mean() if cascade else 1.0
    print(f"{len(cascade)} stages: {kept:.1%} of the faces pass, and {count:,} windows without one")
    cascade += train_cascade(table, labels, stages, rounds, min_detection_rate=0.995)
detector = [own([stage]) for stage in cascade]
kept = cascade_predict(cascade, positives)[0].mean()
count = hard_negatives(detector, 0)[1]
print(f"{len(cascade)} stages: {kept:.1%} of the faces pass, and {count:,} windows without one")

# %% [markdown]
# Where does it look? Here is the astronaut, small enough that the face fits the window, and for each place the number of
# stages that the window around it passes: the brighter, the more. Almost everything is dark after a stage or two. That is
# why it is called attentional.

# %% show
astronaut = data.picture("astronaut", 512) @ np.array([0.299, 0.587, 0.114])
small = shrink(astronaut, 154, 154)
y, x = np.mgrid[: 155 - WINDOW, : 155 - WINDOW].reshape(2, -1)
chosen, stages = own(cascade)
_, passed = cascade_predict(stages, measured(sums(small), x, y, chosen))
attention = np.zeros(small.shape)
attention[y + WINDOW // 2, x + WINDOW // 2] = passed / len(cascade)
plots.pictures([small, attention], ["the picture", "stages passed"], size=3.2)

# %% [markdown]
# ### To reach
#
# Your `detect_multiscale` scans the picture, and `classify` asks one stage after the other. A face is found several times, shifted
# by a step or a size; a mistake is mostly alone. So `grouped`, given, puts overlapping boxes together, keeps groups of at least
# six, and gives their mean. Beside it works OpenCV's cascade, trained on thousands of faces.
#
# **To reach:** exactly one box is left, and its IoU with OpenCV's, the area of their intersection over that of their union, is
# at least 0.5. (The assignment `boxes` has you write IoU; here it is given.)


# %% show
import cv2


def classify(window):
    """Whether one window passes, stage after stage."""
    both = sums(window)
    for chosen, stage in detector:
        asked.append(len(chosen))
        if not cascade_predict(stage, measured(both, 0, 0, chosen)[np.newaxis])[0][0]:
            return False
    return True


def iou(box, other):
    inner = np.prod(np.maximum(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0))
    return inner / (np.prod(box[2:] - box[:2]) + np.prod(other[2:] - other[:2]) - inner)


def grouped(boxes, least=6, overlap=0.3):
    """The means of groups of overlapping boxes, largest group first; small groups are dropped."""
    means = []
    while len(boxes) > 0:
        together = np.array([[iou(box, other) > overlap for other in boxes] for box in boxes])
        group = together[together.sum(axis=1).argmax()]
        if group.sum() >= least:
            means.append(boxes[group].mean(axis=0))
        boxes = boxes[~group]
    return np.array(means).reshape(-1, 4)


asked = []
scanned = shrink(astronaut, 192, 192)
boxes = np.asarray(detect_multiscale(scanned, classify, WINDOW), float).reshape(-1, 4) * 512 / 192
found = grouped(boxes)
windows = sum((len(range(0, int(192 / 1.25**level) - WINDOW + 1, 2))) ** 2 for level in range(10))
print(
    f"{windows:,} windows, {sum(asked) / windows:.1f} of {sum(len(m) for m, _ in cascade)} features a window"
)

opencv = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")
theirs = opencv.detectMultiScale((255 * astronaut).astype(np.uint8)).reshape(-1, 4).astype(float)
theirs[:, 2:] += theirs[:, :2]
display(
    plots.detections(
        [astronaut] * 3,
        [{"boxes": boxes}, {"boxes": found}, {"boxes": theirs}],
        titles=[f"{len(boxes)} windows pass", "yours, grouped", "OpenCV's"],
        columns=3,
        size=3.4,
    )
)
assert len(found) == 1, f"{len(found)} groups of boxes: is a threshold too low, or a stage too weak?"
print(f"IoU with OpenCV's box: {iou(found[0], theirs[0]):.2f}")
assert iou(found[0], theirs[0]) >= 0.5, "the box is not where the face is: do training and scan see alike?"

# %% [markdown]
# Look at the lonely boxes: what does the cascade take for a face? Now spoil it. Train with `min_detection_rate=0.9`, or with all
# stages on random negatives instead of hard ones. Leave out the division by the spread, and darken the picture. Turn the astronaut
# upside down. And put the photograph of the cat, `chelsea`, in the place of the astronaut: it was among the negatives. Is it
# taken for a face if it was not?
