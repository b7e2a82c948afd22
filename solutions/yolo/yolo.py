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

from course import plots, scenes

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
# Sixty boxes, thrown around the objects of a scene the way a half-trained network does: the nearer, the more confident. On the
# left all of them, in the middle those whose score is high enough, on the right what is left within each class.

# %% show
rng = np.random.default_rng(1)
images, truth = scenes.draw(1, seed=8)
source = np.repeat(np.arange(len(truth[0]["boxes"])), 60 // len(truth[0]["boxes"]))
guesses = truth[0]["boxes"][source] + rng.normal(scale=3.5, size=(len(source), 4))
sure = iou(guesses, truth[0]["boxes"][source])
right_class = np.eye(3)[truth[0]["labels"][source]] * 0.85 + 0.05
panels = {
    "all": (-1.0, 1.0),
    "sure enough": (0.6, 1.0),
    "and each once": (0.6, 0.4),
}
found = [
    dict(
        zip(("boxes", "scores", "labels"), filter_detections(guesses, sure, right_class, *given), strict=True)
    )
    for given in panels.values()
]
for each in found[:2]:
    del each["scores"]
plots.detections([images[0]] * 3, found, titles=list(panels), columns=3, size=3)

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
# \sqrt{\hat h})^2\bigr]
# + \sum_{\text{responsible}} (\text{IoU} - \hat c)^2 \\
# &+ \lambda_\text{noobj}\sum_{\text{all other boxes}} \hat c^2
# + \sum_{\text{cells with an object}}\ \sum_{k=1}^{C} (p_k - \hat p_k)^2 .
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
# In photographs things are near and far, small and large. Let scenes of 32, 96 and 288 pixels stand for that, and find five
# anchors for all their boxes: once with your function, once with the Euclidean distance. Squared pixels care for the large boxes, because
# there the errors are large. They hand most anchors to them and leave the small ones with a stranger's.

# %% show
sizes = np.concatenate(
    [
        each["boxes"][:, 2:] - each["boxes"][:, :2]
        for size in (32, 96, 288)
        for each in scenes.draw(80, 5, size)[1]
    ]
)


def euclidean_anchors(sizes, k, rng):
    """k-means as it is usually done."""
    anchors = rng.choice(sizes, k, replace=False)
    for _ in range(100):
        nearest = np.sum((sizes[:, np.newaxis] - anchors) ** 2, axis=-1).argmin(axis=1)
        anchors = np.array([sizes[nearest == j].mean(axis=0) for j in range(k)])
    return anchors


def best_overlap(sizes, anchors):
    """The IoU of each size with the best of the anchors."""
    placed_sizes, placed_anchors = (np.concatenate([0 * each, each], axis=1) for each in (sizes, anchors))
    return iou(placed_sizes[:, np.newaxis], placed_anchors).max(axis=1)


found = {
    "1 - IoU": [kmeans_anchors(sizes, 5, np.random.default_rng(seed)) for seed in range(5)],
    "Euclidean": [euclidean_anchors(sizes, 5, np.random.default_rng(seed)) for seed in range(5)],
}
small = np.prod(sizes, axis=1) <= np.quantile(np.prod(sizes, axis=1), 1 / 3)
chosen = {}
for name, tries in found.items():
    chosen[name] = max(tries, key=lambda anchors: best_overlap(sizes, anchors).mean())
    overlap = best_overlap(sizes, chosen[name])
    print(f"{name:9}: mean IoU {overlap.mean():.2f}, of the smaller third {overlap[small].mean():.2f}")
    print(
        "          ", ", ".join(f"{w:.0f} x {h:.0f}" for w, h in sorted(chosen[name].tolist(), key=np.prod))
    )
plots.scatter({"boxes": sizes}, chosen, "Five anchors for all boxes", "width", "height", log=True)

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
# One cell in the middle of five by five, one anchor of 1.5 by 1 cells. On the left $t_x$ and $t_y$ are drawn at random, wildly, ten
# times each: no centre leaves the cell. On the right $t_w$ runs from -1.5 to 1.5.

# %% show
board = np.full((100, 100, 3), 0.93)
board[::20], board[:, ::20] = 0.8, 0.8
board[40:60, 40:60] = 0.75
rng = np.random.default_rng(0)
placed, stretched = [], []
for step in np.linspace(-1.5, 1.5, 10):
    for kept, raw in [(placed, [*rng.normal(scale=3, size=2), 0, 0]), (stretched, [0, 0, step, 0])]:
        predictions = np.zeros((5, 5, 1, 6))
        predictions[2, 2, 0, :4] = raw
        boxes, _, _ = decode_v2(predictions, np.array([[1.5, 1.0]]))
        kept.append(100 * boxes[12])
plots.detections(
    [board, board],
    [{"boxes": np.array(placed)}, {"boxes": np.array(stretched)}],
    titles=["any $t_x$ and $t_y$", "$t_w$ from -1.5 to 1.5"],
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
# ## 7 A network of your own
#
# Now the network that speaks this language. It is yours to design; what is fixed is what goes in and what comes out. From here on
# you need Keras (`pip install keras tensorflow`).

# %%
import keras


# %% exercise="tiny_yolo"
def tiny_yolo(inputs, boxes_per_cell, classes):
    """A small detector.

    Args:
        inputs: Keras tensor (batch, height, width, channels).
        boxes_per_cell: B.
        classes: C.

    Returns:
        Keras tensor (batch, S, S, B * 5 + C), as `decode_grid` reads it, S smaller than the image; widths and heights are
        never below 0.
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
