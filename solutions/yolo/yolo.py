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
# # YOLO: detection in one look
#
# R-CNN and its heirs look twice: first they propose places, then they say what is there. **YOLO**, *you only look once*,
# has no proposals. One network maps the whole picture to one small grid of numbers, and all boxes with their classes can be
# read off it. That makes it fast, and it makes it simple: what is hard about YOLO is not the network, it is the **language**
# of the grid. What does each number mean, who is to speak for which object, and what is a wrong word to cost?
#
# You will write the language of the first version both ways, its loss with the responsible box and the square roots, and
# the filter that turns a grid into detections. Then what versions 2 and 3 changed: anchors found by k-means, and two ways
# to decode. At the end you design a network, and your own parts train it to find shapes in pictures it has never seen. The
# lesson derives every formula used here; have it open beside this notebook.
#
# Boxes are `(x1, y1, x2, y2)`: left, top, right, bottom. An image's size is `(height, width)`, like its array's shape; an
# anchor's is (width, height), like a box's. Mind this, it is the most frequent mistake in all of detection. Nothing may
# change its arguments. A function that returns several things returns a tuple.

# %%
import numpy as np

from course import data, plots, scenes

# %% [markdown]
# ## Given: guards, IoU and NMS, sigmoid and softmax
#
# The guards raise `ValueError` for what does not fit together. In `require_axes` each letter names an axis, a digit is an
# axis of just that size, and axes of one letter must agree: `require_axes(boxes=(boxes, "n4"), labels=(labels, "n"))`.
#
# `iou` and `nms` come from the assignment `boxes`. `iou` takes any arrays of boxes, (..., 4), that broadcast against each
# other, and gives an IoU for each pair in the same place. `nms` gives the indices of the boxes that stay, best first.


# %%
def require_axes(**arrays):
    """Raise `ValueError` unless every array has an axis for each of its letters, and equal letters have equal sizes."""
    sizes = {}
    for name, (array, letters) in arrays.items():
        if np.ndim(array) != len(letters):
            raise ValueError(f"{name} has shape {np.shape(array)}, expected ({', '.join(letters)})")
        for letter, size in zip(letters, np.shape(array), strict=True):
            expected = int(letter) if letter.isdigit() else sizes.setdefault(letter, size)
            if size != expected:
                raise ValueError(f"{name} has shape {np.shape(array)}, expected {letter} = {expected}")


def require(held, message):
    """Raise `ValueError` with this message unless it holds."""
    if not held:
        raise ValueError(message)


def iou(a, b):
    """Intersection over union of boxes (..., 4) with boxes (..., 4); 0 where both are empty."""
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    area_a, area_b = (np.prod(box[..., 2:] - box[..., :2], axis=-1) for box in (a, b))
    union = area_a + area_b - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0)


def nms(boxes, scores, iou_threshold=0.5):
    """Indices of the boxes (n, 4) that stay, best first: one that overlaps a better one by more than the threshold goes."""
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        best, order = order[0], order[1:]
        kept.append(best)
        order = order[iou(boxes[best], boxes[order]) <= iou_threshold]
    return np.array(kept, dtype=int)


def sigmoid(x):
    """1 / (1 + exp(-x)), for any x."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x)))


def softmax(x, axis=-1):
    """Scores to shares along `axis`."""
    shifted = np.exp(x - x.max(axis=axis, keepdims=True))
    return shifted / shifted.sum(axis=axis, keepdims=True)


# %% [markdown]
# ## 1 The grid, both ways
#
# Lay a grid of S by S cells over the picture. **The cell in which an object's centre lies speaks for that object**, and no
# other does. What it is to say are 5 + C numbers, with C the number of classes:
#
# | place | what | counted in |
# | --- | --- | --- |
# | 0, 1 | x, y of the centre | shares **of the cell**, from its left and its top side |
# | 2, 3 | width and height | shares **of the whole image** |
# | 4 | confidence | 1 where there is an object |
# | 5 ... | the class | one-hot |
#
# All of them are between 0 and 1, which is what a network likes to put out. A cell in which no centre lies has zeros
# throughout. And there is a limit built in: a cell has one word. Where two centres fall into one cell, **the first object
# keeps it**, and the other is lost to training.
#
# The network has more to say: **B boxes a cell**, each with its own five numbers, of which training will pick the best. The
# C class probabilities are the cell's, said once. So a prediction has B * 5 + C numbers a cell: `x y w h confidence`, B times
# over, then the classes. `decode_grid` reads such a grid: n = S * S * B boxes in pixels, cell by cell along the rows, and in
# each cell one box after the other; a confidence for each; and for each the C class probabilities of its cell.
#
# *To think about:* an image of 32 x 64 pixels, S = 4, an object whose centre is 40 pixels from the left and 10 from the top.
# Which row and which column of the grid speak for it? What are its x and y?


# %% exercise="encode_grid"
def encode_grid(boxes, labels, grid, classes, image_size):
    """What the network is to say of an image.

    Args:
        boxes: shape (n, 4), corners in pixels; n may be 0.
        labels: whole numbers of shape (n,), classes from 0.
        grid: S, the number of cells along each side.
        classes: C, the number of classes.
        image_size: (height, width) in pixels.

    Returns:
        Array of shape (S, S, 5 + C), first axis rows: x, y, w, h, confidence, one-hot class; of several objects in one cell
        the first.

    Raises:
        ValueError: when the shapes do not fit together, or a number is out of its range.
    """
    ### BEGIN SOLUTION
    require_axes(boxes=(boxes, "n4"), labels=(labels, "n"))
    require(grid >= 1 and classes >= 1, f"grid is {grid} and classes {classes}, expected at least 1")
    height, width = image_size
    target = np.zeros((grid, grid, 5 + classes))
    for (x1, y1, x2, y2), label in zip(boxes, labels, strict=True):
        require(0 <= label < classes, f"labels holds {label}, expected 0 to {classes - 1}")
        x, y = (x1 + x2) / 2 / width * grid, (y1 + y2) / 2 / height * grid
        require(0 <= x < grid and 0 <= y < grid, "boxes has a centre outside of the image")
        column, row = int(x), int(y)
        if target[row, column, 4] == 0:
            target[row, column, :5] = x - column, y - row, (x2 - x1) / width, (y2 - y1) / height, 1
            target[row, column, 5 + int(label)] = 1
    return target
    ### END SOLUTION


def decode_grid(predictions, boxes_per_cell, classes, image_size):
    """The boxes that a grid of predictions speaks of.

    Args:
        predictions: shape (S, S, B * 5 + C): in each cell B times x, y, w, h, confidence, then the class probabilities.
        boxes_per_cell: B.
        classes: C.
        image_size: (height, width) in pixels.

    Returns:
        (boxes, confidence, class probabilities): shapes (n, 4), (n,) and (n, C) with n = S * S * B; corners in pixels, cells
        row by row, in each cell its boxes in their order.

    Raises:
        ValueError: when the shapes do not fit together.
    """
    ### BEGIN SOLUTION
    require_axes(predictions=(predictions, "ssc"))
    grid, _, channels = predictions.shape
    expected = 5 * boxes_per_cell + classes
    require(channels == expected, f"predictions has {channels} numbers a cell, expected {expected}")
    height, width = image_size
    boxes = predictions[..., : 5 * boxes_per_cell].reshape(grid, grid, boxes_per_cell, 5)
    row, column = np.mgrid[:grid, :grid][..., np.newaxis]
    x, y = (column + boxes[..., 0]) / grid * width, (row + boxes[..., 1]) / grid * height
    half_w, half_h = boxes[..., 2] / 2 * width, boxes[..., 3] / 2 * height
    corners = np.stack([x - half_w, y - half_h, x + half_w, y + half_h], axis=-1)
    probabilities = np.repeat(predictions[..., 5 * boxes_per_cell :], boxes_per_cell, axis=1)
    return corners.reshape(-1, 4), boxes[..., 4].ravel(), probabilities.reshape(-1, classes)
    ### END SOLUTION


# %% check="encode_grid"
check("encode_grid")

# %% [markdown]
# ### Look: who speaks
#
# A drawn scene, a grid of 4 by 4 on it, and the cells that speak. On the left the boxes of the truth; on the right they have
# gone through your `encode_grid` and come back by your `decode_grid`. The numbers below are what the speaking cells say.

# %% show
images, truth = scenes.draw(1, seed=4)
target = encode_grid(truth[0]["boxes"], truth[0]["labels"], 4, 3, (64, 64))
speaking = target[..., 4] == 1
ruled = np.where(np.kron(speaking, np.ones((16, 16)))[..., np.newaxis] > 0, images[0], 0.45 * images[0])
ruled[::16], ruled[:, ::16] = 1.0, 1.0
boxes, confidence, probabilities = decode_grid(target, 1, 3, (64, 64))
back = {"boxes": boxes[confidence == 1], "labels": probabilities[confidence == 1].argmax(axis=1)}
display(
    plots.detections(
        [images[0], ruled],
        [truth[0], back],
        scenes.CLASSES,
        ["the truth", "who speaks, and for what"],
        size=3.4,
    )
)
for row, column in np.argwhere(speaking):
    print(f"row {row}, column {column}:", target[row, column].round(2))

# %% [markdown]
# ## 2 From a grid to detections
#
# A grid of 8 by 8 cells with 2 boxes each always has 128 boxes to offer. Few of them are worth reporting. A box's
# **score** for a class is its confidence (is there anything?) times the class probability (if so, is it this?). Take each
# box for its best class. Keep those whose score is at least `score_threshold`. Neighbouring cells, or both boxes of one,
# may report one object twice, so **within each class** `nms` has to choose. Between the classes it must not: a triangle in
# front of a rectangle is no duplicate of it.
#
# *To think about:* a confidence of 0.9 and three classes with 0.4, 0.3 and 0.3. Is the box reported at a threshold of 0.5?


# %% exercise="filter_detections"
def filter_detections(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    """What is left to report.

    Args:
        boxes: shape (n, 4); n may be 0.
        confidence: shape (n,), how sure each box is of an object.
        class_probabilities: shape (n, C).
        score_threshold: the least score that is reported.
        iou_threshold: of two boxes of one class with an IoU above it, the one with the lower score is dropped.

    Returns:
        (boxes, scores, labels): shapes (m, 4), (m,) and (m,), in any order.

    Raises:
        ValueError: when the shapes do not fit together.
    """
    ### BEGIN SOLUTION
    require_axes(
        boxes=(boxes, "n4"), confidence=(confidence, "n"), class_probabilities=(class_probabilities, "nc")
    )
    labels = np.argmax(class_probabilities, axis=1)
    scores = confidence * np.max(class_probabilities, axis=1)
    kept = []
    for label in range(class_probabilities.shape[1]):
        own = np.flatnonzero((labels == label) & (scores >= score_threshold))
        kept.extend(own[nms(boxes[own], scores[own], iou_threshold)])
    kept = np.array(kept, dtype=int)
    return boxes[kept], scores[kept], labels[kept]
    ### END SOLUTION


# %% check="filter_detections"
check("filter_detections")

# %% [markdown]
# ### Look: what the filter takes away
#
# Boxes thrown around the objects of a scene, the way a half-trained network does it: the nearer, the more confident. On the left all
# of them, in the middle those whose score is high enough, on the right what is left within each class.

# %% show
rng = np.random.default_rng(1)
images, truth = scenes.draw(1, seed=27)
real = np.repeat(np.arange(len(truth[0]["boxes"])), 12)
guesses = truth[0]["boxes"][real] + rng.normal(scale=3.0, size=(len(real), 4))
confidence = iou(guesses, truth[0]["boxes"][real])
probabilities = 0.85 * np.eye(3)[truth[0]["labels"][real]] + 0.05
steps = {"all": (0.0, 1.0), "sure enough": (0.5, 1.0), "and each object once": (0.5, 0.4)}
found = []
for thresholds in steps.values():
    boxes, scores, labels = filter_detections(guesses, confidence, probabilities, *thresholds)
    found.append({"boxes": boxes, "labels": labels})
plots.detections([images[0]] * 3, found, titles=list(steps), columns=3, size=3)

# %% [markdown]
# ## 3 The loss of the first version
#
# A sum of squares over everything that is said, with three ideas in it.
#
# **One box is responsible.** A cell with an object has B boxes. The one with the highest IoU with the truth answers for the
# object (the first of equal ones, also when all of them miss it); the others are not to be pulled there too. So the boxes
# specialize.
#
# **Roots of the sizes.** Two pixels too wide are a trifle for a large box and a disaster for a small one. The difference of
# the square roots, $\sqrt w - \sqrt{\hat w}$, costs the same error more when the box is small.
#
# **Most cells are empty.** There are 60 empty cells for each one with an object, and together they would push all confidence
# to 0. So what they cost is weighed down, and places are weighed up: $\lambda_\text{noobj} = 0.5$, $\lambda_\text{coord} = 5$.
#
# With $\hat{}$ on what is predicted, for each image of the batch:
#
# $$\begin{aligned}
# &\lambda_\text{coord}\sum_{\text{responsible}} \bigl[(x - \hat x)^2 + (y - \hat y)^2 + (\sqrt{w} - \sqrt{\hat w})^2 + (\sqrt{h} -
# \sqrt{\hat h})^2\bigr] +
# \sum_{\text{responsible}} (\text{IoU} - \hat c)^2 \\
# &+ \lambda_\text{noobj}\sum_{\text{all other boxes}} \hat c^2 +
# \sum_{\text{cells with an object}}\ \sum_{k=1}^{C} (p_k - \hat p_k)^2 .
# \end{aligned}$$
#
# The loss is the sum over the batch, **divided by the number of images**. Read the fine print. The confidence of the responsible box is to
# be its IoU, not 1: that is how a score comes to say how good a box is. "All other boxes" are those of the empty cells *and*
# those of a cell with an object that are not responsible. And the IoU is one of boxes in the image: x and y count in cells, w and h
# in images. Bring them to one unit first.
#
# *To think about:* both boxes lie in one cell. Do you need the cell's row and column to compute their IoU with the truth?


# %% exercise="yolo_v1_loss"
def yolo_v1_loss(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    """YOLO's loss for a batch of grids.

    Args:
        y_true: shape (batch, S, S, 5 + C), grids as `encode_grid` makes them.
        y_pred: shape (batch, S, S, B * 5 + C), as `decode_grid` reads them; widths and heights are at least 0.
        boxes_per_cell: B.
        lambda_coord: the weight of places and sizes.
        lambda_noobj: the weight of confidences where no object is.

    Returns:
        One number: the sum over everything, divided by the number of images.

    Raises:
        ValueError: when the shapes do not fit together, or a predicted width or height is below 0.
    """
    ### BEGIN SOLUTION
    require_axes(y_true=(y_true, "bsst"), y_pred=(y_pred, "bssp"))
    batch, grid, _, channels = y_true.shape
    expected = 5 * boxes_per_cell + channels - 5
    require(y_pred.shape[3] == expected, f"y_pred has {y_pred.shape[3]} numbers a cell, expected {expected}")
    boxes = y_pred[..., : 5 * boxes_per_cell].reshape(batch, grid, grid, boxes_per_cell, 5)
    require(np.all(boxes[..., 2:4] >= 0), "y_pred has widths or heights below 0")
    truth = y_true[..., np.newaxis, :5]

    def corners(box):
        centre, half = box[..., :2] / grid, box[..., 2:4] / 2
        return np.concatenate([centre - half, centre + half], axis=-1)

    overlap = iou(corners(truth), corners(boxes))
    best = overlap.argmax(axis=-1)[..., np.newaxis]
    there = truth[..., 4] == 1
    responsible = there & (np.arange(boxes_per_cell) == best)
    coordinates = np.sum((truth[..., :2] - boxes[..., :2]) ** 2, axis=-1)
    coordinates += np.sum((np.sqrt(truth[..., 2:4]) - np.sqrt(boxes[..., 2:4])) ** 2, axis=-1)
    confidence = (overlap - boxes[..., 4]) ** 2
    classes = (y_true[..., 5:] - y_pred[..., 5 * boxes_per_cell :]) ** 2
    total = (
        lambda_coord * coordinates[responsible].sum()
        + confidence[responsible].sum()
        + lambda_noobj * np.sum(boxes[..., 4][~responsible] ** 2)
        + classes[there[..., 0]].sum()
    )
    return total / batch
    ### END SOLUTION


# %% check="yolo_v1_loss"
check("yolo_v1_loss")

# %% [markdown]
# ### Look: what two pixels cost
#
# Boxes of 8, 16 and 32 pixels in an image of 64. Each is predicted too narrow and too wide; everything else is right. The same two
# pixels cost the small box most. (The curve has the confidence's share in it too, since the IoU falls.)

# %% show
off = np.linspace(-6, 12, 73)
curves = {}
for side in (8, 16, 32):
    spot = encode_grid(np.array([[32 - side / 2, 24, 32 + side / 2, 40]]), np.array([0]), 3, 1, (64, 64))[
        np.newaxis
    ]
    said = np.repeat(spot[np.newaxis], len(off), axis=0)
    said[..., 2] += (off / 64)[:, np.newaxis, np.newaxis, np.newaxis] * spot[..., 4]
    curves[f"{side} pixels wide"] = [yolo_v1_loss(spot, each, boxes_per_cell=1) for each in said]
plots.lines(
    curves,
    x=off,
    title="The loss of a box that is too narrow or too wide",
    xlabel="pixels too wide",
    ylabel="loss",
)

# %% [markdown]
# ## 4 Anchors, from the data
#
# The first version guesses widths and heights from nothing. Version 2 starts from **anchors**, a few typical sizes, and only says
# how far off they are. Which sizes are typical? Ask the data: k-means over the widths and heights of all objects.
#
# k-means alternates two steps. Each size goes to the nearest anchor. Each anchor moves to the mean of its sizes. But what is
# near? By Euclidean distance a box of 100 x 100 is as far from 110 x 100 as one of 10 x 10 is from 20 x 10, although the first pair
# nearly coincides and the second shares one half. What matters is the overlap, so the distance is
#
# $$d(\text{size}, \text{anchor}) = 1 - \text{IoU}(\text{size}, \text{anchor}),$$
#
# the two laid upon each other, corner on corner. Then the shared part is $\min(w, w')\cdot\min(h, h')$. Start from k of the
# sizes, which `rng` draws. An anchor that is nearest to none **stays as it was**. Stop when nothing moves, or after `iterations`
# rounds.
#
# *To think about:* the mean of no numbers is NaN. And NaN is nearer to nothing than anything else: what would become of that
# anchor?


# %% exercise="kmeans_anchors"
def kmeans_anchors(sizes, k, rng, iterations=100):
    """Sizes that stand for many, by k-means with the distance `1 - IoU`.

    Args:
        sizes: shape (n, 2), widths and heights above 0.
        k: the number of anchors, from 1 to n.
        rng: a `numpy.random.Generator`, from which all chance comes.
        iterations: most rounds.

    Returns:
        Array of shape (k, 2), the anchors in any order.

    Raises:
        ValueError: when the shape is wrong or a number is out of its range.
    """
    ### BEGIN SOLUTION
    require_axes(sizes=(sizes, "n2"))
    require(1 <= k <= len(sizes), f"k is {k}, expected 1 to {len(sizes)}")
    require(iterations >= 1, f"iterations is {iterations}, expected at least 1")
    anchors = rng.choice(sizes, k, replace=False)
    for _ in range(iterations):
        shared = np.prod(np.minimum(sizes[:, np.newaxis], anchors), axis=-1)
        union = np.prod(sizes, axis=-1)[:, np.newaxis] + np.prod(anchors, axis=-1) - shared
        nearest = np.argmax(shared / union, axis=1)
        moved = np.array(
            [sizes[nearest == j].mean(axis=0) if np.any(nearest == j) else anchors[j] for j in range(k)]
        )
        if np.array_equal(moved, anchors):
            break
        anchors = moved
    return anchors
    ### END SOLUTION


# %% check="kmeans_anchors"
check("kmeans_anchors")

# %% [markdown]
# ### Look: near in pixels, near in shape
#
# In photographs things are near and far, small and large. Let the drawn scenes hang at five distances, each half as far as the one
# before, and find five anchors for all their boxes: ten tries with your function, ten with the Euclidean distance, the best of each by its own
# distance.
# Squared pixels care for the large boxes, because there the errors are large: they hand most anchors to them, and leave the small ones
# with a stranger's.

# %% show
_, truth = scenes.draw(300, seed=5)
distance = np.repeat([0.5, 1.0, 2.0, 4.0, 8.0], 60)
sizes = np.concatenate(
    [far * (each["boxes"][:, 2:] - each["boxes"][:, :2]) for far, each in zip(distance, truth, strict=True)]
)


def overlap(sizes, anchors):
    """The IoU of each size with each anchor."""
    sizes, anchors = (np.concatenate([0 * each, each], axis=1) for each in (sizes, anchors))
    return iou(sizes[:, np.newaxis], anchors)


def closeness(sizes, anchors):
    """How near each size is to each anchor by the Euclidean distance."""
    return -np.sum((sizes[:, np.newaxis] - anchors) ** 2, axis=-1)


def euclidean_anchors(sizes, k, rng):
    """k-means as it is usually done."""
    anchors = rng.choice(sizes, k, replace=False)
    for _ in range(100):
        nearest = closeness(sizes, anchors).argmax(axis=1)
        anchors = np.array(
            [sizes[nearest == j].mean(axis=0) if np.any(nearest == j) else anchors[j] for j in range(k)]
        )
    return anchors


small = np.prod(sizes, axis=1) <= np.quantile(np.prod(sizes, axis=1), 1 / 3)
chosen = {}
for name, cluster, near in [
    ("1 - IoU", kmeans_anchors, overlap),
    ("Euclidean", euclidean_anchors, closeness),
]:
    tries = [cluster(sizes, 5, np.random.default_rng(seed)) for seed in range(10)]
    chosen[name] = max(tries, key=lambda anchors, near=near: near(sizes, anchors).max(axis=1).mean())
    best = overlap(sizes, chosen[name]).max(axis=1)
    print(f"{name:9}: mean IoU {best.mean():.2f}, of the smaller third {best[small].mean():.2f}")
    print(
        "          ", ", ".join(f"{w:.0f} x {h:.0f}" for w, h in sorted(chosen[name].tolist(), key=np.prod))
    )
plots.scatter(
    {"boxes": sizes},
    chosen,
    "Five anchors for all boxes, both axes logarithmic",
    "width in pixels",
    "height in pixels",
    log=True,
)

# %% [markdown]
# ## 5 Version 2: anchors in the cells
#
# Now each cell has $a$ anchors, and for each of them the network puts out 5 + C **raw** numbers $t_x, t_y, t_w, t_h, t_o$ and the
# logits of the classes. They can be anything. The decoding makes boxes of them. In column $i$ and row $j$, counted from 0, of a map of
# $w \times h$ cells, with the anchor $p_w \times p_h$ (in cells),
#
# $$b_x = \sigma(t_x) + i, \qquad b_y = \sigma(t_y) + j, \qquad b_w = p_w\,e^{t_w}, \qquad b_h = p_h\,e^{t_h},$$
#
# in cells; divided by $w$ or $h$ they are shares of the image. $\sigma$ is the sigmoid: the centre cannot leave its
# cell, so every cell minds its own business. The exponential keeps sizes positive, and $t_w = 0$ means: the anchor as it is. The
# objectness is $\sigma(t_o)$. The classes are a **softmax**: exactly one of them is right. Now every *box* has classes of its
# own, not only every cell.
#
# *To think about:* which raw numbers mean the box itself, when it lies in the middle of its cell and has the anchor's size?


# %% exercise="decode_v2"
def decode_v2(predictions, anchors):
    """The boxes of YOLOv2.

    Args:
        predictions: shape (h, w, a, 5 + C), raw: tx, ty, tw, th, to, then the class logits.
        anchors: shape (a, 2), widths and heights in cells.

    Returns:
        (boxes, objectness, class probabilities): shapes (n, 4), (n,) and (n, C) with n = h * w * a; corners as shares of the
        image, not clipped; cells row by row, in each cell its anchors in their order.

    Raises:
        ValueError: when the shapes do not fit together.
    """
    ### BEGIN SOLUTION
    require_axes(predictions=(predictions, "hwac"), anchors=(anchors, "a2"))
    height, width, _, channels = predictions.shape
    require(channels > 5, f"predictions has {channels} numbers an anchor, expected at least 6")
    row, column = np.mgrid[:height, :width][..., np.newaxis]
    x = (sigmoid(predictions[..., 0]) + column) / width
    y = (sigmoid(predictions[..., 1]) + row) / height
    half_w = anchors[:, 0] * np.exp(predictions[..., 2]) / width / 2
    half_h = anchors[:, 1] * np.exp(predictions[..., 3]) / height / 2
    boxes = np.stack([x - half_w, y - half_h, x + half_w, y + half_h], axis=-1).reshape(-1, 4)
    probabilities = softmax(predictions[..., 5:]).reshape(-1, channels - 5)
    return boxes, sigmoid(predictions[..., 4]).ravel(), probabilities
    ### END SOLUTION


# %% check="decode_v2"
check("decode_v2")

# %% [markdown]
# ### Look: a cell minds its own business
#
# One cell in the middle of five by five, one anchor of 1.5 by 1 cells. On the left $t_x$ and $t_y$ are drawn at random, wildly, seven
# times: no centre leaves the cell. On the right $t_w$ runs from -1 to 1.

# %% show
board = np.full((100, 100, 3), 0.93)
board[::20], board[:, ::20] = 0.8, 0.8
board[40:60, 40:60] = 0.75
rng = np.random.default_rng(0)
placed, stretched = [], []
for step in np.linspace(-1, 1, 7):
    for kept, raw in [(placed, [*rng.normal(scale=3, size=2), 0, 0]), (stretched, [0, 0, step, 0])]:
        predictions = np.zeros((5, 5, 1, 6))
        predictions[2, 2, 0, :4] = raw
        boxes, _, _ = decode_v2(predictions, np.array([[1.5, 1.0]]))
        kept.append(100 * boxes[12])
plots.detections(
    [board, board],
    [{"boxes": np.array(placed)}, {"boxes": np.array(stretched)}],
    titles=["any $t_x$ and $t_y$", "$t_w$ from -1 to 1"],
    size=3.4,
)

# %% [markdown]
# ## 6 Version 3: three maps
#
# Version 3 looks at three scales: a coarse map for large objects, one twice as fine, and one four times as fine for small ones. Each
# has three anchors of its own, now in **pixels**. The formulas stay. What changes:
#
# - A map comes as (h, w, 3 * (5 + C)): all numbers of the first anchor, then all of the second, then the third's.
# - The stride, how many pixels a cell measures, is the input's size over the map's: $b_x = (\sigma(t_x) + i)\cdot\text{stride}$. The anchors are
#   in pixels already: $b_w = p_w\,e^{t_w}$.
# - The classes are **sigmoids**, each for itself. One thing may be a *person* and a *woman*; the classes need not exclude
#   each other.
#
# The boxes of all maps come in one flat list, maps in the order in which they are given.
#
# *To think about:* an input of 416 pixels and strides of 32, 16 and 8. How many boxes is that?


# %% exercise="decode_v3"
def decode_v3(feature_maps, anchors, input_size):
    """The boxes of YOLOv3.

    Args:
        feature_maps: list of three arrays (h, w, 3 * (5 + C)), raw: for each of a map's anchors tx, ty, tw, th, to and the
            class logits.
        anchors: shape (3, 3, 2), widths and heights in pixels: `anchors[m]` are those of map m.
        input_size: (height, width) of the input in pixels, or one number for both.

    Returns:
        (boxes, objectness, class probabilities): shapes (n, 4), (n,) and (n, C); corners in pixels, not clipped; maps in the
        order given, in each the cells row by row, in each cell its anchors in their order.

    Raises:
        ValueError: when the shapes do not fit together.
    """
    ### BEGIN SOLUTION
    require_axes(anchors=(anchors, "332"))
    require(len(feature_maps) == 3, f"feature_maps has {len(feature_maps)} maps, expected 3")
    pixels_high, pixels_wide = (input_size, input_size) if np.ndim(input_size) == 0 else input_size
    parts = []
    for feature_map, (anchor_w, anchor_h) in zip(feature_maps, np.swapaxes(anchors, 1, 2), strict=True):
        require_axes(feature_map=(feature_map, "hwc"))
        height, width, channels = feature_map.shape
        require(channels % 3 == 0 and channels > 15, f"{channels} channels, expected 3 * (5 + C)")
        raw = feature_map.reshape(height, width, 3, -1)
        row, column = np.mgrid[:height, :width][..., np.newaxis]
        x = (sigmoid(raw[..., 0]) + column) * pixels_wide / width
        y = (sigmoid(raw[..., 1]) + row) * pixels_high / height
        half_w, half_h = anchor_w * np.exp(raw[..., 2]) / 2, anchor_h * np.exp(raw[..., 3]) / 2
        boxes = np.stack([x - half_w, y - half_h, x + half_w, y + half_h], axis=-1)
        parts.append((boxes.reshape(-1, 4), sigmoid(raw[..., 4:]).reshape(-1, raw.shape[-1] - 4)))
    boxes, sure = (np.concatenate(part) for part in zip(*parts, strict=True))
    return boxes, sure[:, 0], sure[:, 1:]
    ### END SOLUTION


# %% check="decode_v3"
check("decode_v3")

# %% [markdown]
# ### Look: nine anchors, three scales
#
# All raw numbers zero, so every box is an anchor as it is. These are the nine anchors with which version 3 was published, for
# inputs of 416 pixels: in three cells in the middle of the three maps, each with its three boxes.

# %% show
published = np.array(
    [
        [[116, 90], [156, 198], [373, 326]],
        [[30, 61], [62, 45], [59, 119]],
        [[10, 13], [16, 30], [33, 23]],
    ],
    dtype=float,
)
blank = [np.zeros((416 // stride, 416 // stride, 3 * (5 + 1))) for stride in (32, 16, 8)]
boxes, _, _ = decode_v3(blank, published, 416)
print(f"{len(boxes):,} boxes, whatever is in the picture")
parts = np.split(boxes, np.cumsum([each.size // 6 for each in blank])[:-1])
middle = [
    part.reshape(*each.shape[:2], 3, 4)[each.shape[0] // 2, each.shape[1] // 2]
    for part, each in zip(parts, blank, strict=True)
]
plots.detections(
    [data.picture("astronaut", 416)] * 3,
    [{"boxes": each} for each in middle],
    titles=[f"stride {stride}" for stride in (32, 16, 8)],
    columns=3,
    size=3,
)

# %% [markdown]
# ## 7 A network of your own
#
# Now the network that speaks the first version's language. It is **yours to design**. Fixed is only what goes in and what comes out:
# a Keras tensor of images, and a Keras tensor of grids, (batch, S, S, B * 5 + C). From here on you need Keras
# (`pip install keras tensorflow`).
#
# - **The grid** has to come from somewhere. Strides or pooling halve the picture again and again, until a pixel of what is left is a
#   cell. 64 pixels, halved three times, are 8 cells. On a grid that is too coarse two objects meet in one cell; on one that is too fine
#   the cells are many and know little.
# - **Each cell has to see** about as much of the picture as an object is large: count the receptive field (the assignment
#   `convolution` tells how), and add layers at the end where they are cheap.
# - **The end** decides what can be said. The loss takes roots of widths and heights, so they must not be negative, whatever the
#   weights. A sigmoid on everything will do: all numbers of the grid are shares. A softmax over a whole cell will not.
#
# *To think about:* a layer that sees 3 x 3, with a stride of 2, three times over, and then two more with a stride of 1. How many
# pixels does a cell see?

# %%
import keras


# %% exercise="tiny_yolo"
def tiny_yolo(inputs, boxes_per_cell, classes):
    """A small detector.

    Args:
        inputs: Keras tensor (batch, size, size, channels), images.
        boxes_per_cell: B.
        classes: C.

    Returns:
        Keras tensor (batch, S, S, B * 5 + C), as `decode_grid` reads it, with 1 < S < size; widths and heights are never
        below 0.
    """
    ### BEGIN SOLUTION
    x = inputs
    for filters, strides in [(16, 2), (32, 2), (32, 1), (64, 2), (64, 1), (64, 1)]:
        x = keras.layers.Conv2D(filters, 3, strides=strides, padding="same", use_bias=False)(x)
        x = keras.layers.BatchNormalization(momentum=0.9)(x)
        x = keras.layers.ReLU()(x)
    return keras.layers.Conv2D(5 * boxes_per_cell + classes, 1, activation="sigmoid")(x)
    ### END SOLUTION


# %% check="tiny_yolo"
check("tiny_yolo")

# %% [markdown]
# ## A detector
#
# Now all of it together. The scenes are drawn: ellipses, rectangles and triangles on textured grounds, up to three in a picture of
# 64 x 64, the later ones in front of the earlier. 1,500 scenes are to learn from, each also mirrored, upside down and both, which makes
# 6,000. Your `encode_grid` says what your `tiny_yolo` should say of each. How many objects lose their cell to another?
#
# This part needs what you installed for the network, and the course's references beside it, which lend it two things: the mean average
# precision that the assignment `boxes` teaches, and your loss once more, in Keras. The optimizer wants to differentiate it, and
# NumPy leaves no trace of what it computed. The first line of the output shows that both say the same.

# %% show
from kerasref.boxes import mean_average_precision
from kerasref.yolo import grid_loss

keras.config.set_dtype_policy("float32")  # the references compute in float64, which is slow
keras.utils.set_random_seed(1)
BOXES, CLASSES, SIZE = 2, len(scenes.CLASSES), 64


def mirrored(images, truth, axis):
    """Scenes mirrored along an image axis: 1 turns them upside down, 2 exchanges left and right."""
    low, high = ([1], [3]) if axis == 1 else ([0], [2])
    turned = []
    for each in truth:
        boxes = each["boxes"].copy()
        boxes[:, low], boxes[:, high] = SIZE - each["boxes"][:, high], SIZE - each["boxes"][:, low]
        turned.append({"boxes": boxes, "labels": each["labels"]})
    return np.concatenate([images, np.flip(images, axis)]), [*truth, *turned]


images, truth = scenes.draw(1500, seed=1)
for axis in (1, 2):
    images, truth = mirrored(images, truth, axis)
inputs = keras.Input((SIZE, SIZE, 3), dtype="float32")
network = keras.Model(inputs, tiny_yolo(inputs, BOXES, CLASSES))
grid = network.output_shape[1]
targets = np.stack(
    [encode_grid(each["boxes"], each["labels"], grid, CLASSES, (SIZE, SIZE)) for each in truth]
)
images, targets = images.astype(np.float32), targets.astype(np.float32)

said = network.predict(images[:100], verbose=0)
print(
    f"before training: your loss {yolo_v1_loss(targets[:100], said):.5f}, "
    f"Keras' {float(grid_loss(targets[:100], keras.ops.convert_to_tensor(said))):.5f}"
)
objects = sum(len(each["boxes"]) for each in truth)
print(
    f"{objects - int(targets[..., 4].sum())} of {objects:,} objects lose their cell on a grid of {grid} x {grid}"
)
print(f"the network has {network.count_params():,} parameters")

# %% [markdown]
# Six rounds over all pictures, with a learning rate that falls to zero, take about half a minute on two cores.

# %% show
rounds, batch_size = 6, 32
fall = keras.optimizers.schedules.CosineDecay(3e-3, rounds * int(np.ceil(len(images) / batch_size)))
network.compile(keras.optimizers.Adam(fall), grid_loss, jit_compile=False)
trace = network.fit(images, targets, batch_size=batch_size, epochs=rounds, verbose=0).history["loss"]
plots.lines({"loss": trace}, title="Your loss, round by round", xlabel="round", ylabel="loss", log=True)

# %% [markdown]
# ### To reach
#
# 200 fresh scenes, drawn from another seed. The grids that the network says go through your `decode_grid` and your
# `filter_detections`. For the mean average precision the score threshold is low, since it looks at all thresholds itself.
#
# **To reach:** a mean average precision of at least 0.9 at an IoU of 0.5.


# %% show
def detect(images, score_threshold):
    """What your parts find, a dict of boxes, scores and labels for each image."""
    found = []
    for said in network.predict(images.astype(np.float32), verbose=0).astype(float):
        boxes, confidence, probabilities = decode_grid(said, BOXES, CLASSES, (SIZE, SIZE))
        kept = filter_detections(boxes, confidence, probabilities, score_threshold)
        found.append(dict(zip(("boxes", "scores", "labels"), kept, strict=True)))
    return found


fresh, fresh_truth = scenes.draw(200, seed=2)
precision = mean_average_precision(detect(fresh, 0.02), fresh_truth)
print(f"mean average precision at IoU 0.5 on scenes it has never seen: {precision:.3f}")
plots.detections(fresh[:8], detect(fresh[:8], 0.2), scenes.CLASSES, title="What it finds, with its scores")

# %% show
assert precision >= 0.9, "too little is found: does each part pass its check, and does the loss fall?"

# %% [markdown]
# Look at the scores. Few come near 1, and not because the network is unsure: a confidence is to be the IoU, and the IoU of a good
# box is 0.8 or so, times a class probability. That is why the threshold for the pictures is 0.2.
#
# Try what the parts are worth. Train without the square roots, or with a target of 1 for the confidence (copy `grid_loss` and change
# it). Make the grid 4 x 4 and see how many objects lose their cell. Say B = 1. Take the mirrored scenes away. And let three times as many
# objects come into a picture, `scenes.draw(200, seed=2, most=9)`: what does the network do with a crowd, of which it has never seen one?
