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
# # SSD: one look, many boxes
#
# How do you let a convolutional network say *where* things are, when it does not know how many there are? The single shot
# detector lays thousands of boxes over the picture beforehand, small ones and large ones, wide ones and tall ones. For
# each of these **default boxes** the network answers two questions: *what is here*, and *how must I move to fit it*?
#
# You will write everything round the network: the default boxes, the rule that says which box is to find which object, the
# numbers that the network has to say, the loss with its choice of hard negatives, and the way back from numbers to objects.
# At the end a small network trains with it, and finds drawn objects in scenes that it has never seen. The lesson derives
# every formula used here; have it open beside this notebook.
#
# Here a picture is 1 wide and 1 high, whatever its pixels, and x goes to the right, y down. Default boxes are given by
# centre and sides, `(cx, cy, w, h)`, objects by two corners, `(x1, y1, x2, y2)`. Labels are 1, 2, ... for the classes and
# 0 for the **background**: nothing to be found here. Nothing may change its arguments.

# %%
import time

import numpy as np

from course import plots, scenes

# %% [markdown]
# ## Given: guards, and what you know about boxes
#
# The guards raise `ValueError` for arguments that do not fit together. In `require_axes` each letter names an axis whose
# size must be the same wherever the letter stands, and a digit is a size: `require_axes(boxes=(boxes, "n4"))`. The other
# functions come from the assignment `boxes`: two formats, IoU, and non-maximum suppression.


# %%
def require_axes(**arrays):
    """Raise `ValueError` unless each array has an axis for each character: a digit is its size, a letter its name."""
    sizes = {}
    for name, (array, axes) in arrays.items():
        shape = np.shape(array)
        expected = [int(axis) if axis.isdigit() else sizes.get(axis, axis) for axis in axes]
        if len(shape) != len(axes) or any(
            e not in (s, a) for s, e, a in zip(shape, expected, axes, strict=True)
        ):
            raise ValueError(f"{name} has shape {shape}, expected ({', '.join(map(str, expected))})")
        sizes.update(zip(axes, shape, strict=True))


def require_within(least, most=np.inf, **numbers):
    """Raise `ValueError` unless each number, and each number of an array, is from `least` to `most`."""
    for name, number in numbers.items():
        if not np.all((np.asarray(number) >= least) & (np.asarray(number) <= most)):
            raise ValueError(f"{name} is {number}, expected from {least} to {most}")


def require_positive(**numbers):
    """Raise `ValueError` unless each number, and each number of an array, is above 0."""
    for name, number in numbers.items():
        if not np.all(np.asarray(number) > 0):
            raise ValueError(f"{name} is {number}, expected above 0")


def to_corners(boxes):
    """(cx, cy, w, h) to (x1, y1, x2, y2)."""
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)


def to_centres(boxes):
    """(x1, y1, x2, y2) to (cx, cy, w, h)."""
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def iou(a, b):
    """Intersection over union of each box of `a` (n, 4) with each of `b` (m, 4), corners all: (n, m)."""
    low, high = np.maximum(a[:, None, :2], b[:, :2]), np.minimum(a[:, None, 2:], b[:, 2:])
    common = np.prod(np.maximum(high - low, 0), axis=2)
    areas_a, areas_b = np.prod(a[:, 2:] - a[:, :2], axis=1), np.prod(b[:, 2:] - b[:, :2], axis=1)
    return common / (areas_a[:, None] + areas_b - common)


def nms(boxes, scores, iou_threshold):
    """Indices of the boxes, corners all, that non-maximum suppression leaves, best first."""
    left, kept = np.argsort(-scores, kind="stable"), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[iou(boxes[[best]], boxes[left])[0] <= iou_threshold]
    return np.array(kept, dtype=int)


# %% [markdown]
# ## 1 From small to large
#
# A convolutional network shrinks its picture as it goes. Its early maps have many cells, each of which sees little; its late
# maps have few cells, each of which sees nearly everything. So let the early maps look for small objects and the late ones
# for large ones. With $m$ maps, $k = 1, \dots, m$, the boxes of map $k$ get the **scale**
#
# $$s_k = s_{\min} + \frac{s_{\max} - s_{\min}}{m - 1}\,(k - 1),$$
#
# a share of the picture's side: equal steps from $s_{\min}$ to $s_{\max}$. You will soon need $s_{m+1}$ too, for which there
# is no map: just take one more step.
#
# *To think about:* why $m - 1$? How many steps lead from the first of six maps to the last?


# %% exercise="box_scales"
def box_scales(maps, smallest=0.2, largest=0.9):
    """The scale of each map's boxes, and one more.

    Args:
        maps: how many maps there are, at least 2.
        smallest: scale of the first map.
        largest: scale of the last map.

    Returns:
        Array of shape (maps + 1,), at equal distances; the last number is one step beyond `largest`.

    Raises:
        ValueError: for fewer than 2 maps, or scales that are not 0 < smallest <= largest.
    """
    ### BEGIN SOLUTION
    require_within(2, maps=maps)
    require_positive(smallest=smallest)
    require_within(smallest, largest=largest)
    return smallest + (largest - smallest) * np.arange(maps + 1) / (maps - 1)
    ### END SOLUTION


# %% check="box_scales"
check("box_scales")

# %% [markdown]
# ## 2 Default boxes
#
# Round the centre of each cell of each map stand several boxes. An **aspect ratio** $r$ says how much wider than high a box
# is. At the scale $s_k$ its sides are
#
# $$w = s_k\sqrt r, \qquad h = \frac{s_k}{\sqrt r},$$
#
# so that $w/h = r$ while the area stays $s_k^2$. After the boxes of all ratios comes one more, a square between this map's
# scale and the next one's: its side is their geometric mean $\sqrt{s_k s_{k+1}}$. That is what the extra scale is for.
#
# Cell $(i, j)$ of a map with $R$ rows and $C$ columns has its centre at
#
# $$\left(\frac{j + \frac12}{C},\; \frac{i + \frac12}{R}\right).$$
#
# The order is a promise that the network must keep too: map by map, in a map row by row and from left to right, at a cell the
# ratios as given and then the extra square. A box at the border may reach beyond it. Cut nothing off.
#
# *To think about:* which index goes with x? And how many boxes have maps of 8 x 8, 4 x 4 and 2 x 2 cells with three ratios?


# %% exercise="default_boxes"
def default_boxes(feature_sizes, scales, aspect_ratios):
    """The boxes that the detector starts from.

    Args:
        feature_sizes: list with the size of each map: a number for a square one, or (rows, columns).
        scales: as many numbers as there are maps, and one more.
        aspect_ratios: list of ratios of width to height, the same for all maps.

    Returns:
        Array of shape (n, 4), (cx, cy, w, h): map by map, row by row, cell by cell; at a cell each ratio, then the square.

    Raises:
        ValueError: when scales and maps do not fit, or a scale, a ratio or a size is not above 0.
    """
    ### BEGIN SOLUTION
    if len(scales) != len(feature_sizes) + 1:
        raise ValueError(f"scales are {len(scales)}, expected one more than the {len(feature_sizes)} maps")
    require_positive(scales=scales, aspect_ratios=aspect_ratios)
    boxes = []
    for size, scale, following in zip(feature_sizes, scales[:-1], scales[1:], strict=True):
        require_within(1, feature_sizes=size)
        rows, columns = np.broadcast_to(size, 2)
        shapes = [(scale * np.sqrt(ratio), scale / np.sqrt(ratio)) for ratio in aspect_ratios]
        shapes.append((np.sqrt(scale * following),) * 2)
        for i in range(rows):
            for j in range(columns):
                boxes += [((j + 0.5) / columns, (i + 0.5) / rows, w, h) for w, h in shapes]
    return np.array(boxes)
    ### END SOLUTION


# %% check="default_boxes"
check("default_boxes")

# %% [markdown]
# ### Look: what the detector starts from
#
# A scene of 64 x 64 pixels, and on it the default boxes of one cell: of a map with 8 x 8 cells, of one with 4 x 4, and of the
# corner of the latter. Count the boxes of all cells.

# %% show
image = scenes.draw(1, seed=5)[0][0]
defaults = default_boxes([8, 4], box_scales(2, 0.28, 0.5), [1.0, 2.0, 0.5])
cells = {
    "8 x 8, row 3, column 2": 4 * (8 * 3 + 2),
    "4 x 4, row 1, column 2": 256 + 4 * (4 * 1 + 2),
    "4 x 4, row 0, column 0": 256,
}
plots.detections(
    [image] * 3,
    [
        {"boxes": 64 * to_corners(defaults[first : first + 4]), "labels": np.arange(4)}
        for first in cells.values()
    ],
    titles=list(cells),
    title=f"{len(defaults)} default boxes, four of them at a time",
)

# %% [markdown]
# ## 3 Which box is to find which object
#
# To train, every default box needs an answer: the object that it is to find, or none. Let $o_{ij}$ be the IoU of default box
# $i$ with object $j$. Two rules, in this order:
#
# 1. **Threshold.** Box $i$ takes the object that it overlaps most, if that IoU is at least the threshold. Otherwise it is
#    background, -1.
# 2. **Bipartite.** Each object keeps the one default box that overlaps it most, whatever their IoU, even if rule 1 gave that
#    box to another object. If two objects have the same best box, the later one gets it.
#
# The second rule sees to it that no object goes without, however odd its shape. The first gives the network many positives to
# learn from: everything that overlaps an object well is a good place to start.
#
# *To think about:* what happens to a small object if you leave out the second rule? And if you apply the first rule last?


# %% exercise="match_boxes"
def match_boxes(defaults, gt_boxes, threshold=0.5):
    """The object that each default box is to find.

    Args:
        defaults: shape (n, 4), (cx, cy, w, h).
        gt_boxes: the objects, shape (m, 4), (x1, y1, x2, y2); there may be none.
        threshold: the IoU from which on a box takes an object.

    Returns:
        Whole numbers of shape (n,): the index of an object, or -1 for background.

    Raises:
        ValueError: when a shape is wrong, or the threshold is not from 0 to 1.
    """
    ### BEGIN SOLUTION
    require_axes(defaults=(defaults, "n4"), gt_boxes=(gt_boxes, "m4"))
    require_within(0, 1, threshold=threshold)
    if len(gt_boxes) == 0:
        return np.full(len(defaults), -1)
    overlaps = iou(to_corners(defaults), gt_boxes)
    index = np.where(overlaps.max(axis=1) >= threshold, overlaps.argmax(axis=1), -1)
    for box, default in enumerate(overlaps.argmax(axis=0)):
        index[default] = box
    return index
    ### END SOLUTION


# %% check="match_boxes"
check("match_boxes")

# %% [markdown]
# ### Look: who looks for what
#
# Four scenes with their objects, and under each the default boxes that are matched, in the colour of their object. Then
# the reason for the second rule: how many of 500 scenes' objects no default box overlaps well enough.

# %% show
images, truth = scenes.draw(500, seed=6)
index = [match_boxes(defaults, each["boxes"] / 64) for each in truth]
whose = [{"boxes": each["boxes"], "labels": np.arange(len(each["boxes"]))} for each in truth]
matched = [{"boxes": 64 * to_corners(defaults[each >= 0]), "labels": each[each >= 0]} for each in index]
display(
    plots.detections(
        images[[0, 1, 2, 3] * 2], whose[:4] + matched[:4], title="objects, and their default boxes"
    )
)
best = np.concatenate([iou(to_corners(defaults), each["boxes"] / 64).max(axis=0) for each in truth])
print(
    f"{np.mean(best < 0.5):.1%} of {len(best)} objects would be looked for by no box if there was only the threshold"
)
print(
    f"{np.mean([np.mean(each >= 0) for each in index]):.1%} of the default boxes are positives, all others background"
)

# %% [markdown]
# ## 4 What the network has to say
#
# A matched default box $(d_x, d_y, d_w, d_h)$ is to become the object's box, whose centre is $(g_x, g_y)$ and whose sides are
# $g_w$ and $g_h$. The network is to say how:
#
# $$t_x = \frac{g_x - d_x}{v_1 d_w}, \quad t_y = \frac{g_y - d_y}{v_1 d_h}, \quad t_w = \frac{\ln(g_w/d_w)}{v_2}, \quad
# t_h = \frac{\ln(g_h/d_h)}{v_2}.$$
#
# Shifts are counted in sides of the default box: a tenth of a large box is more than a tenth of a small one. The logarithm
# treats twice as wide and half as wide alike, and no answer ever makes a side negative. The two **variances** $v_1 = 0.1$ and
# $v_2 = 0.2$ make all four numbers about as large as 1. (They are called so in the first program and ever since, but they play
# the part of standard deviations.)
#
# *To think about:* a box that fits already: what must the network say?


# %% exercise="encode_ssd"
def encode_ssd(boxes, defaults, variances=(0.1, 0.2)):
    """What moves each default box onto its object.

    Args:
        boxes: the object of each default box, shape (n, 4), (x1, y1, x2, y2).
        defaults: shape (n, 4), (cx, cy, w, h).
        variances: what centres and what sides are divided by.

    Returns:
        Array of shape (n, 4), (tx, ty, tw, th).

    Raises:
        ValueError: when the shapes differ, or a side or a variance is not above 0.
    """
    ### BEGIN SOLUTION
    require_axes(boxes=(boxes, "n4"), defaults=(defaults, "n4"), variances=(variances, "2"))
    box = to_centres(boxes)
    require_positive(boxes=box[:, 2:], defaults=defaults[:, 2:], variances=variances)
    shift = (box[:, :2] - defaults[:, :2]) / defaults[:, 2:] / variances[0]
    growth = np.log(box[:, 2:] / defaults[:, 2:]) / variances[1]
    return np.concatenate([shift, growth], axis=1)
    ### END SOLUTION


# %% check="encode_ssd"
check("encode_ssd")

# %% [markdown]
# ## 5 Hard negatives
#
# Of hundreds of default boxes, a handful are matched. All others are to say *background*, most of them learn it in no time,
# and then their many small losses drown the few that matter. So train on all **positives**, but only on the negatives that
# the network gets most wrong: `ratio` of them for each positive, those with the largest losses. That is **hard negative mining**.
#
# It happens in each picture by itself. If there are fewer negatives than that, take them all; where there is no positive, take
# none. A positive is never mined, however large its loss.
#
# *To think about:* a network that calls everything background is right for 99 boxes in 100. What would it learn from all of them?


# %% exercise="hard_negative_mining"
def hard_negative_mining(losses, positives, ratio=3):
    """The negatives that take part in the loss.

    Args:
        losses: the classification loss of each default box of one picture, shape (n,).
        positives: bools of shape (n,), True where a box is matched to an object.
        ratio: how many negatives for each positive.

    Returns:
        Bools of shape (n,), True for the negatives with the largest losses.

    Raises:
        ValueError: when the shapes differ, or the ratio is below 0.
    """
    ### BEGIN SOLUTION
    require_axes(losses=(losses, "n"), positives=(positives, "n"))
    require_within(0, ratio=ratio)
    order = np.argsort(np.where(positives, np.inf, -losses))
    count = min(ratio * np.sum(positives), np.sum(~positives))
    mined = np.zeros(len(losses), bool)
    mined[order[:count]] = True
    return mined
    ### END SOLUTION


# %% check="hard_negative_mining"
check("hard_negative_mining")

# %% [markdown]
# ## 6 The loss
#
# For default box $i$ the network gives logits $z_{i0}, \dots, z_{iC}$, column 0 for the background, and four numbers
# $l_i$. The truth is a label $y_i$, 0 for the background, and four targets $t_i$. Let $P$ be the positives, where
# $y_i > 0$, $N$ their number, and $M$ the negatives that mining has picked by their cross-entropy. Then
#
# $$L = \frac1N\left(\sum_{i\in P\cup M} -\ln\frac{e^{z_{i y_i}}}{\sum_c e^{z_{ic}}} \;+\; \alpha\sum_{i\in P}\sum_{k=1}^4
# h(l_{ik} - t_{ik})\right), \qquad h(e) = \begin{cases}\frac12 e^2 & |e| < 1\\ |e| - \frac12 & \text{otherwise.}\end{cases}$$
#
# $h$ is called smooth L1: near 0 it is a parabola, so that small errors pull softly, and further out a line, so that
# one wild box does not pull with all its might. Where a box is background, there is nothing to move to: its four numbers do not
# count. Both sums are divided by the number of *positives*. With no positives the loss is 0.
#
# *To think about:* what would dividing by all default boxes do to the steps of training? And which exponential overflows?


# %% exercise="multibox_loss"
def multibox_loss(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    """The loss of one picture.

    Args:
        class_logits: shape (n, classes), the background in column 0.
        locations: what the network says, shape (n, 4).
        labels: whole numbers of shape (n,), 0 for the background.
        targets: what it should say, shape (n, 4); of no matter where the label is 0.
        ratio: how many mined negatives for each positive.
        alpha: weight of the locations.

    Returns:
        One number.

    Raises:
        ValueError: when the shapes do not fit, a label is outside the classes, or `ratio` or `alpha` is below 0.
    """
    ### BEGIN SOLUTION
    require_axes(class_logits=(class_logits, "nc"), labels=(labels, "n"))
    require_axes(labels=(labels, "n"), locations=(locations, "n4"), targets=(targets, "n4"))
    require_within(0, np.shape(class_logits)[1] - 1, labels=labels)
    require_within(0, ratio=ratio, alpha=alpha)
    positives = labels > 0
    if not positives.any():
        return 0.0
    shifted = class_logits - class_logits.max(axis=1, keepdims=True)
    entropy = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]
    counted = positives | hard_negative_mining(entropy, positives, ratio)
    far = np.abs(locations - targets)[positives]
    smooth = np.where(far < 1, 0.5 * far**2, far - 0.5)
    return (entropy[counted].sum() + alpha * smooth.sum()) / positives.sum()
    ### END SOLUTION


# %% check="multibox_loss"
check("multibox_loss")

# %% [markdown]
# ### Look: a gentle pull, and many small voices
#
# Your loss of a single positive whose class is sure, while one of its four numbers runs off; beside it half the square. Then
# a network that is nearly trained: 8 positives with a cross-entropy of about 1, and 312 negatives, most of which it gets right.
# Who makes up its loss?


# %% show
def wrong_by(e):
    """The loss for one number that is wrong by `e`."""
    sure = np.array([[0.0, 50.0]])
    return np.array(
        [multibox_loss(sure, np.array([[each, 0, 0, 0]]), np.array([1]), np.zeros((1, 4))) for each in e]
    )


display(
    plots.curves({"smooth L1": wrong_by, "half the square": lambda e: e**2 / 2}, span=(-3, 3), xlabel="error")
)
rng = np.random.default_rng(0)
labels = np.repeat([1, 0], [8, 312])
logits = np.stack([rng.normal(4, 2, size=320), np.zeros(320)], axis=1)
logits[labels == 1] = [0.5, 0.0]
still = np.zeros((320, 4))
alone = multibox_loss(logits, still, labels, still, ratio=0)
shares = {
    ratio: alone / multibox_loss(logits, still, labels, still, ratio=ratio) for ratio in (0, 1, 3, 10, 39)
}
plots.bars(
    {"positives": list(shares.values()), "negatives": [1 - share for share in shares.values()]},
    list(shares),
    title="who makes up the loss",
    xlabel="mined negatives for each positive",
    percent=True,
)

# %% [markdown]
# ## 7 From objects to numbers, and back
#
# Two functions go round the network. `ssd_targets` says what it *should* say of a picture: the class of each default box and,
# for the positives, where to move. It has little to do but to put your `match_boxes` and `encode_ssd` together. Background
# gets label 0 and four zeros.
#
# `decode_ssd` goes the other way. Turn `encode_ssd` round: with $l$ what the network says,
#
# $$c_x = d_x + v_1 l_x d_w, \quad c_y = d_y + v_1 l_y d_h, \quad w = d_w\,e^{v_2 l_w}, \quad h = d_h\,e^{v_2 l_h}.$$
#
# Each default box has now moved, and it has a probability for each class. Report, for each class but the background,
#
# 1. every box whose probability *of that class* is at least `score_threshold`. One box may report several classes;
# 2. of these, what non-maximum suppression leaves within the class (`nms` drops what overlaps a better one by more than
#    `iou_threshold`);
# 3. of all that is left, whatever the class, the `top_k` with the best scores.
#
# Labels are columns, so they begin with 1. Boxes are by corners, and not cut off at the border. Give them best first (the
# checks take any order).
#
# *To think about:* what is `labels[-1]`? And a cat sits on a chair: why does suppression happen within a class?


# %% exercise="decode_ssd"
def ssd_targets(boxes, labels, defaults, threshold=0.5, variances=(0.1, 0.2)):
    """What the network should say of one picture.

    Args:
        boxes: the objects, shape (m, 4), (x1, y1, x2, y2); there may be none.
        labels: their classes, whole numbers from 1, shape (m,).
        defaults: shape (n, 4), (cx, cy, w, h).
        threshold: that of `match_boxes`.
        variances: those of `encode_ssd`.

    Returns:
        (labels, targets): whole numbers (n,), 0 for background, and (n, 4), zeros for background.

    Raises:
        ValueError: when shapes do not fit, a label is below 1, or as `match_boxes` and `encode_ssd` do.
    """
    ### BEGIN SOLUTION
    require_axes(boxes=(boxes, "m4"), labels=(labels, "m"), defaults=(defaults, "n4"))
    require_within(1, labels=labels)
    index = match_boxes(defaults, boxes, threshold)
    matched = index >= 0
    classes, targets = np.zeros(len(defaults), int), np.zeros(np.shape(defaults))
    classes[matched] = labels[index[matched]]
    targets[matched] = encode_ssd(boxes[index[matched]], defaults[matched], variances)
    return classes, targets
    ### END SOLUTION


def decode_ssd(
    locations,
    confidences,
    defaults,
    variances=(0.1, 0.2),
    score_threshold=0.5,
    iou_threshold=0.45,
    top_k=200,
):
    """What has been found in one picture.

    Args:
        locations: what the network says, shape (n, 4).
        confidences: probabilities, shape (n, classes), the background in column 0.
        defaults: shape (n, 4), (cx, cy, w, h).
        variances: those of `encode_ssd`.
        score_threshold: the probability from which on a class is reported.
        iou_threshold: of two boxes of one class that overlap more, the worse one goes.
        top_k: at most so many boxes, of all classes together.

    Returns:
        (boxes, scores, labels): shapes (k, 4), (x1, y1, x2, y2), and (k,) and (k,), labels from 1.

    Raises:
        ValueError: when the shapes do not fit, a side or variance is not above 0, or `top_k` is below 1.
    """
    ### BEGIN SOLUTION
    require_axes(
        locations=(locations, "n4"),
        confidences=(confidences, "nc"),
        defaults=(defaults, "n4"),
        variances=(variances, "2"),
    )
    require_positive(defaults=defaults[:, 2:], variances=variances)
    require_within(1, top_k=top_k)
    centres = defaults[:, :2] + variances[0] * locations[:, :2] * defaults[:, 2:]
    sides = defaults[:, 2:] * np.exp(variances[1] * locations[:, 2:])
    corners = to_corners(np.concatenate([centres, sides], axis=1))
    places, labels = [], []
    for label in range(1, confidences.shape[1]):
        chosen = np.flatnonzero(confidences[:, label] >= score_threshold)
        kept = chosen[nms(corners[chosen], confidences[chosen, label], iou_threshold)]
        places += list(kept)
        labels += [label] * len(kept)
    places, labels = np.array(places, dtype=int), np.array(labels, dtype=int)
    scores = confidences[places, labels]
    best = np.argsort(-scores, kind="stable")[:top_k]
    return corners[places[best]], scores[best], labels[best]
    ### END SOLUTION


# %% check="decode_ssd"
check("decode_ssd")

# %% [markdown]
# ### Look: there and back
#
# The targets of a scene, taken for a network's answer. The middle picture shows the default boxes that would speak, the right
# one what your decoder makes of it: each of them moves onto its object, and suppression leaves one.

# %% show
scene = 2
labels, targets = ssd_targets(truth[scene]["boxes"] / 64, truth[scene]["labels"] + 1, defaults)
boxes, scores, found = decode_ssd(targets, 0.9 * np.eye(4)[labels] + 0.025, defaults)
plots.detections(
    images[[scene] * 3],
    [
        truth[scene],
        {"boxes": 64 * to_corners(defaults[labels > 0]), "labels": labels[labels > 0] - 1},
        {"boxes": 64 * boxes, "labels": found - 1, "scores": scores},
    ],
    titles=["the truth", "who speaks", "what comes back"],
)

# %% [markdown]
# ## All together: your detector finds what was drawn
#
# Now a network. Its trunk shrinks the scene to a map of 8 x 8 cells, then to one of 4 x 4. On each sits a **head**, a
# convolution with 3 x 3 windows, which gives every cell eight numbers for each of its four default boxes: four logits
# (background, ellipse, rectangle, triangle) and four for the location. Everything else is yours: the default boxes, the targets
# that it learns from, and the decoder that turns its numbers into objects.
#
# Training goes by Keras, which must be installed for this part (`pip install "keras-from-scratch[reference]"`). A loss to
# train with needs gradients, so Keras gets a twin of your `multibox_loss` that is written with its own tensors,
# `kerasref.ssd.multibox_losses`. The first thing below is to see that the two agree.
#
# **To reach:** mAP at an IoU of 0.5 of at least 0.9, on scenes that the network has never seen.

# %% show
from kerasref.backend import keras
from kerasref.boxes import mean_average_precision
from kerasref.ssd import multibox_losses

keras.config.set_dtype_policy("float32")
keras.utils.set_random_seed(0)
CLASSES = len(scenes.CLASSES) + 1


def convolved(x, filters, strides=1, size=3):
    """A convolution, batch normalization, ReLU."""
    x = keras.layers.Conv2D(filters, size, strides, padding="same", use_bias=False)(x)
    return keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))


def head(x, boxes=4):
    """Logits and locations of the boxes of every cell, in the order of `default_boxes`."""
    numbers = keras.layers.Conv2D(boxes * (CLASSES + 4), 3, padding="same")(x)
    return keras.layers.Reshape((-1, CLASSES + 4))(numbers)


def network():
    scene = keras.Input((64, 64, 3))
    x = convolved(convolved(scene, 16, 2, size=5), 32, 2)
    fine = convolved(convolved(convolved(x, 32), 48, 2), 48)
    coarse = convolved(convolved(fine, 64, 2), 64)
    return keras.Model(scene, keras.layers.Concatenate(axis=1)([head(fine), head(coarse)]))


def answers(truth):
    """What the network should say of each scene, (count, n, 5): the label and the four targets of each default box."""
    pairs = [ssd_targets(each["boxes"] / 64, each["labels"] + 1, defaults) for each in truth]
    return np.array([np.column_stack(pair) for pair in pairs], dtype=np.float32)


def mirrored(truth):
    """The same objects, left and right exchanged."""
    return [
        {**each, "boxes": each["boxes"][:, [2, 1, 0, 3]] * [-1, 1, -1, 1] + [64, 0, 64, 0]} for each in truth
    ]


images, truth = scenes.draw(1500, seed=1)
x = np.concatenate([images, images[:, :, ::-1]]).astype(np.float32)
y = np.concatenate([answers(truth), answers(mirrored(truth))])
detector = network()
print(
    f"{detector.count_params():,} weights, {detector.output_shape[1]} default boxes, {len(x)} scenes, mirrored ones among them"
)

said, asked = detector.predict(x[:8], verbose=0), y[:8]
parts = said[..., :CLASSES], said[..., CLASSES:], asked[..., 0].astype(int), asked[..., 1:]
yours = [multibox_loss(*each) for each in zip(*parts, strict=True)]
assert np.allclose(yours, multibox_losses(*parts), rtol=1e-4)
print(
    f"the loss of an untrained network: {np.mean(yours):.4f} by yours, {np.mean(multibox_losses(*parts)):.4f} by its twin"
)

# %% [markdown]
# Two networks with the same weights to begin with train on the same scenes. One mines three negatives for each positive. For the
# other, every negative counts. After each round they are tried on 100 fresh scenes, with your decoder, and in the end the first one on 200.

# %% show
fresh, fresh_truth = scenes.draw(200, seed=2)


def detected(model, images, score_threshold=0.05):
    """What a network finds, as `mean_average_precision` and the plots want it: pixels, and labels from 0."""
    said = model.predict(images.astype(np.float32), batch_size=100, verbose=0).astype(float)
    powers = np.exp(said[..., :CLASSES] - said[..., :CLASSES].max(axis=-1, keepdims=True))
    found = []
    for probabilities, locations in zip(
        powers / powers.sum(axis=-1, keepdims=True), said[..., CLASSES:], strict=True
    ):
        boxes, scores, labels = decode_ssd(
            locations, probabilities, defaults, score_threshold=score_threshold
        )
        found.append({"boxes": 64 * boxes, "scores": scores, "labels": labels - 1})
    return found


def train(model, ratio, rounds=6, batch=24):
    """Train by the twin of your loss; the mAP after each round."""

    def loss(asked, said):
        labels = keras.ops.cast(asked[..., 0], "int32")
        return multibox_losses(said[..., :CLASSES], said[..., CLASSES:], labels, asked[..., 1:], ratio)

    rate = keras.optimizers.schedules.CosineDecay(4e-3, rounds * len(x) // batch)
    model.compile(keras.optimizers.Adam(rate), loss)
    reached = []
    for _ in range(rounds):
        model.fit(x, y, batch_size=batch, verbose=0)
        reached.append(mean_average_precision(detected(model, fresh[:100]), fresh_truth[:100]))
    return reached


everything = keras.models.clone_model(detector)
everything.set_weights(detector.get_weights())
start = time.perf_counter()
reached = {"three negatives for each positive": train(detector, 3)}
print(f"{time.perf_counter() - start:.0f} seconds")
reached["all negatives"] = train(everything, len(defaults))
display(plots.lines(reached, title="mAP at an IoU of 0.5, on fresh scenes", xlabel="round", percent=True))
score = mean_average_precision(detected(detector, fresh), fresh_truth)
print(f"with mining, mAP {score:.3f} on all {len(fresh)}")
assert score >= 0.9, "the detector should reach 0.9: do targets, loss and decoder fit together?"

# %% [markdown]
# Where all negatives speak, the few positives are slow to be heard: with the same scenes and the same steps that network is
# less far. It would come round in the end, but mining gets there sooner.
#
# ### Look: what it finds
#
# Eight scenes that it has never seen, and what it reports with a score of at least 0.5. Look for what hides behind something
# else, and for the mistakes.

# %% show
plots.detections(
    fresh[:8], detected(detector, fresh[:8], score_threshold=0.5), names=scenes.CLASSES, title="fresh scenes"
)

# %% [markdown]
# ### Look: what mining picks
#
# Which boxes does your `hard_negative_mining` choose, for the network as it is now? The positives above, the hardest of the
# mined negatives below: boxes that overlap an object, but not by enough. The difference between a positive and these is what is
# left to learn. In the plot all negatives of 200 scenes stand in order of their loss: the hardest are few, and
# a long tail has nothing more to say.

# %% show
asked = answers(fresh_truth)
said = detector.predict(fresh.astype(np.float32), batch_size=100, verbose=0).astype(float)
logits, labels = said[..., :CLASSES], asked[..., 0].astype(int)
losses = (
    np.log(np.exp(logits).sum(axis=-1)) - np.take_along_axis(logits, labels[..., np.newaxis], axis=-1)[..., 0]
)
mined = np.array([hard_negative_mining(*each) for each in zip(losses, labels > 0, strict=True)])
hardest = [np.argsort(np.where(chosen, -loss, 0))[:6] for chosen, loss in zip(mined, losses, strict=True)]
shown = [
    {"boxes": 64 * to_corners(defaults[chosen]), "labels": np.zeros(len(defaults[chosen]), int) + row}
    for row, all_chosen in enumerate([labels > 0, hardest])
    for chosen in all_chosen[:4]
]
display(
    plots.detections(
        fresh[[0, 1, 2, 3] * 2], shown, title="positives, and the six hardest of the mined negatives"
    )
)
negatives = np.sort(losses[labels == 0])[::-1]
display(
    plots.lines(
        {"loss": np.maximum(negatives, 1e-6)},
        x=np.arange(len(negatives)) / len(negatives),
        title="the losses of all negatives",
        xlabel="share of the negatives, hardest first",
        ylabel="cross-entropy",
        log=True,
    )
)
print(
    f"{np.mean(mined[labels == 0]):.1%} of the negatives are mined; {losses[mined].sum() / negatives.sum():.1%} of the loss is theirs"
)

# %% [markdown]
# What happens without the extra squares, or with one map only? Which objects are lost at a threshold of 0.7 in
# `match_boxes`, and what does the second rule save then? Take the variances away on both ends: the parts still fit,
# but does it learn as well? And draw scenes with `size=96`: what must you change, and what not?
