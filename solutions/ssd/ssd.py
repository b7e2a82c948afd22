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
import numpy as np

from course import plots, scenes  # noqa: F401

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
