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
# # Boxes: overlap, suppression, and how a detector is judged
#
# A classifier says *what*. A detector says what and *where*, as often as it likes: for one face it reports forty boxes,
# none of them quite right. Which of the forty do you keep? When is a box right enough? And what is the mark of a whole
# detector, which finds some objects, misses some and invents some?
#
# Every detector needs the same few functions for this, whether it comes from 2001 or from last week. You will write
# them: formats of boxes, IoU and GIoU, non-maximum suppression in three forms, the code in which a network speaks of
# boxes, and mean average precision up to COCO's number. At the end you judge a real face detector with them, and make
# it better.
#
# A box is `(x1, y1, x2, y2)`: left, top, right, bottom, with x to the right and y **down**. These are places on a
# continuous plane, in pixels, so a box is `x2 - x1` wide, without any `+ 1`. `n` boxes are an array of shape (n, 4), and none at
# all are one of shape (0, 4). The lesson derives every formula used here; have it open beside this notebook.
#
# Nothing may change its arguments.

# %%
import numpy as np

from course import data, plots

# %% [markdown]
# ## Given: guards
#
# They raise `ValueError` for arguments that cannot be right, and the answers call them first thing.


# %%
def require_boxes(**arrays):
    """Raise `ValueError` unless every array is (n, 4)."""
    for name, given in arrays.items():
        if np.ndim(given) != 2 or np.shape(given)[1] != 4:
            raise ValueError(f"{name} has shape {np.shape(given)}, expected (n, 4)")


def require_same_shape(**arrays):
    """Raise `ValueError` unless all arrays have the shape of the first."""
    (first, one), *others = arrays.items()
    for name, other in others:
        if np.shape(other) != np.shape(one):
            raise ValueError(f"{name} has shape {np.shape(other)}, expected {np.shape(one)}, as {first}")


def require_one_each(boxes, **arrays):
    """Raise `ValueError` unless `boxes` is (n, 4) and every other array (n,)."""
    require_boxes(boxes=boxes)
    for name, given in arrays.items():
        if np.shape(given) != (len(boxes),):
            raise ValueError(
                f"{name} has shape {np.shape(given)}, expected ({len(boxes)},), one for each box"
            )


def require_sides(**arrays):
    """Raise `ValueError` unless every array is (n, 4) and every box in it has sides above 0."""
    require_boxes(**arrays)
    for name, given in arrays.items():
        if not np.all(given[:, 2:] > given[:, :2]):
            raise ValueError(f"{name} has a box without area, expected x1 < x2 and y1 < y2")


def require_within(low, high, **numbers):
    """Raise `ValueError` unless every number, or every element of an array, is from `low` to `high`."""
    for name, given in numbers.items():
        if not np.all((np.asarray(given) >= low) & (np.asarray(given) <= high)):
            raise ValueError(f"{name} is {given}, expected {low} to {high}")


def require_images(predictions, ground_truth):
    """Raise `ValueError` unless there is a dict of boxes, labels (and scores) for each image, one of each a box."""
    if len(predictions) != len(ground_truth):
        raise ValueError(f"predictions has {len(predictions)} images, ground_truth {len(ground_truth)}")
    for given, truth in zip(predictions, ground_truth, strict=True):
        require_one_each(given["boxes"], scores=given["scores"], labels=given["labels"])
        require_one_each(truth["boxes"], labels=truth["labels"])


# %% [markdown]
# ## 1 Formats
#
# Three ways to write a box are in use, and a box read in the wrong one is still a box, only somewhere else. No
# error tells you.
#
# - `xyxy`: two corners, $(x_1, y_1, x_2, y_2)$. Best to compute with; everything in this course is in it unless it says so.
# - `xywh`: a corner and the sides, $(x_1, y_1, w, h)$. OpenCV and COCO's files.
# - `cxcywh`: the centre and the sides, $(c_x, c_y, w, h)$. What networks predict.
#
# With three formats there are nine pairs. *To think about:* do you need nine formulas, or can you get by with four?


# %% exercise="convert_boxes"
def convert_boxes(boxes, source, target):
    """The same boxes in another format.

    Args:
        boxes: shape (n, 4), in the format `source`.
        source: `"xyxy"`, `"xywh"` or `"cxcywh"`.
        target: one of these.

    Returns:
        Array of shape (n, 4).

    Raises:
        ValueError: for an unknown format.
    """
    ### BEGIN SOLUTION
    require_boxes(boxes=boxes)
    for name, given in (("source", source), ("target", target)):
        if given not in ("xyxy", "xywh", "cxcywh"):
            raise ValueError(f"{name} is {given!r}, expected 'xyxy', 'xywh' or 'cxcywh'")
    first, second = np.split(np.asarray(boxes), 2, axis=1)
    sides = second - first if source == "xyxy" else second
    corner = first - sides / 2 if source == "cxcywh" else first
    if target == "xyxy":
        return np.concatenate([corner, corner + sides], axis=1)
    return np.concatenate([corner + sides / 2 if target == "cxcywh" else corner, sides], axis=1)
    ### END SOLUTION


# %% check="convert_boxes"
check("convert_boxes")

# %% [markdown]
# ### Look: one box, read three ways
#
# The four numbers are the same in all three pictures. Only one of the boxes is round the cat's face.

# %% show
cat = data.picture("chelsea", 200)
numbers = np.array([[30.0, 60.0, 155.0, 135.0]])
formats = ["xyxy", "xywh", "cxcywh"]
plots.detections(
    [cat] * 3,
    [{"boxes": convert_boxes(numbers, each, "xyxy")} for each in formats],
    titles=[f"read as {each}" for each in formats],
    title="30, 60, 155, 135",
)

# %% [markdown]
# ## 2 Intersection over union
#
# How well do two boxes agree? Divide the area that they share by the area that they cover together:
#
# $$\mathrm{IoU}(A, B) = \frac{|A\cap B|}{|A\cup B|} = \frac{|A\cap B|}{|A| + |B| - |A\cap B|} .$$
#
# It is 1 for equal boxes and 0 for boxes apart, and it does not care about the scale. The intersection of two boxes is a
# box: its left side is the one farther right, its top the one farther down,
#
# $$x_1 = \max(x_1^A, x_1^B),\quad y_1 = \max(y_1^A, y_1^B),\quad x_2 = \min(x_2^A, x_2^B),\quad y_2 = \min(y_2^A, y_2^B),$$
#
# and where `x2 - x1` or `y2 - y1` comes out **negative** there is no intersection. You compare every box of `a` with every box of
# `b`, so the result is a table of shape (n, m).
#
# A box without area (a side that is zero, or negative because its corners are swapped) is **empty**: its IoU with
# anything is 0, even with itself, and NumPy has no reason to complain.
#
# *To think about:* two boxes lie apart both in x and in y. What sign has the product of two negative numbers? And which shapes
# must `a[:, ...]` and `b[:, ...]` get so that NumPy makes all pairs?


# %% exercise="iou"
def iou(a, b):
    """Intersection over union of each box of `a` with each of `b`.

    Args:
        a: shape (n, 4), `xyxy`.
        b: shape (m, 4), `xyxy`.

    Returns:
        Array of shape (n, m), from 0 to 1; 0 where a box is empty.
    """
    ### BEGIN SOLUTION
    require_boxes(a=a, b=b)
    a, b = np.asarray(a)[:, np.newaxis], np.asarray(b)[np.newaxis]
    shared = np.prod(
        np.maximum(np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]), 0), axis=-1
    )
    area_a, area_b = (np.prod(np.maximum(each[..., 2:] - each[..., :2], 0), axis=-1) for each in (a, b))
    union = area_a + area_b - shared
    return np.where(union > 0, shared / np.where(union > 0, union, 1), 0.0)
    ### END SOLUTION


# %% check="iou"
check("iou")

# %% [markdown]
# ## 3 Generalized IoU
#
# Two boxes that do not touch have an IoU of 0, a hand's breadth apart or a mile. A network that learns from IoU gets no
# slope there. **GIoU** looks at $C$, the smallest box around both, and takes off the share of it that neither fills:
#
# $$\mathrm{GIoU}(A, B) = \mathrm{IoU}(A, B) - \frac{|C| - |A\cup B|}{|C|} .$$
#
# It runs from -1, far apart, to 1, equal. Where $C$ has no area (two empty boxes in one place, or on one line), say 0.
#
# *To think about:* for which pairs of boxes are IoU and GIoU equal?


# %% exercise="giou"
def giou(a, b):
    """Generalized IoU of each box of `a` with each of `b`.

    Args:
        a: shape (n, 4), `xyxy`.
        b: shape (m, 4), `xyxy`.

    Returns:
        Array of shape (n, m), from -1 to 1; 0 where the box around both has no area.
    """
    ### BEGIN SOLUTION
    require_boxes(a=a, b=b)
    overlap = iou(a, b)
    a, b = np.asarray(a)[:, np.newaxis], np.asarray(b)[np.newaxis]
    area_a, area_b, around = (
        np.prod(np.maximum(high - low, 0), axis=-1)
        for low, high in (
            (a[..., :2], a[..., 2:]),
            (b[..., :2], b[..., 2:]),
            (np.minimum(a[..., :2], b[..., :2]), np.maximum(a[..., 2:], b[..., 2:])),
        )
    )
    union = (area_a + area_b) / (1 + overlap)  # both areas are union and intersection, and that is IoU unions
    return np.where(around > 0, overlap - 1 + union / np.where(around > 0, around, 1), 0.0)
    ### END SOLUTION


# %% check="giou"
check("giou")

# %% [markdown]
# ### Look: a box slides past another
#
# Both are 10 pixels wide and high, at the same height. IoU is a peak on a plain: out there nothing can be learned. GIoU keeps
# falling, so it always knows which way is better. Beside them a smaller box which slides *through* a large one: while it is
# inside, neither of them sees where.

# %% show
square = np.array([[0.0, 0.0, 10.0, 10.0]])


def slides(overlap, side, top):
    """Overlap of the square with a box of this side, by the place of its left side."""
    return lambda x: overlap(square, np.stack([x, top + 0 * x, x + side, top + side + 0 * x], axis=1))[0]


plots.panels(
    {
        "equal boxes": {"IoU": slides(iou, 10, 0), "GIoU": slides(giou, 10, 0)},
        "a small one through a large one": {"IoU": slides(iou, 4, 3), "GIoU": slides(giou, 4, 3)},
    },
    span=(-30, 30),
    xlabel="left side of the moving box",
    columns=2,
)

# %% [markdown]
# ## 4 Non-maximum suppression
#
# A detector looks at many places, and places that lie close together all see the same object. **Non-maximum suppression**,
# NMS, keeps the best box of each heap:
#
# 1. Take the box with the highest score, and keep it.
# 2. Drop every box whose IoU with it is **above** the threshold.
# 3. Go on with what is left, until nothing is.
#
# A box at exactly the threshold stays. Of two equal scores the lower index comes first. What you return are **indices into the
# arrays that you were given**, best first, so that the caller can pick boxes, scores, and whatever else belongs to them.
#
# *To think about:* box A overlaps B, B overlaps C, A does not touch C. The scores are A > B > C. Which of them stay? What
# would you get if every box with a better neighbour were dropped, whether that neighbour was kept or not?


# %% exercise="nms"
def nms(boxes, scores, iou_threshold=0.5):
    """Non-maximum suppression.

    Args:
        boxes: shape (n, 4), `xyxy`.
        scores: shape (n,).
        iou_threshold: what overlaps a kept box by more than this is dropped.

    Returns:
        Whole numbers of shape (k,): indices of the boxes that are kept, best first.
    """
    ### BEGIN SOLUTION
    require_one_each(boxes, scores=scores)
    require_within(0, 1, iou_threshold=iou_threshold)
    left = np.argsort(-np.asarray(scores), kind="stable")
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[iou(boxes[best : best + 1], boxes[left])[0] <= iou_threshold]
    return np.array(kept, dtype=int)
    ### END SOLUTION


# %% check="nms"
check("nms")

# %% [markdown]
# ### Look: a face, found many times
#
# A face detector of the kind that Viola and Jones invented in 2001, as it comes with OpenCV, on a portrait, with its own grouping
# switched off. It gives each window a score. You will meet it again at the end.

# %% show
import cv2

astronaut = data.picture("astronaut", 256)
cascade = cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_default.xml")


def windows(image, smallest=24):
    """Every window that the detector takes for a face in a grey picture, as boxes `xyxy`, and scores from 0 to 1."""
    grey = np.uint8(np.round(255 * image))
    found, _, weights = cascade.detectMultiScale3(
        grey, scaleFactor=1.05, minNeighbors=0, minSize=(smallest, smallest), outputRejectLevels=True
    )
    boxes = np.array(found, dtype=float).reshape(-1, 4)
    return convert_boxes(boxes, "xywh", "xyxy"), 1 / (1 + np.exp(-np.array(weights, dtype=float).ravel()))


seen, sureness = windows(astronaut.mean(axis=2))
kept = nms(seen, sureness, 0.3)
plots.detections(
    [astronaut] * 2,
    [{"boxes": seen}, {"boxes": seen[kept], "scores": sureness[kept]}],
    titles=[f"{len(seen)} windows", f"{len(kept)} after NMS"],
    size=3.5,
)

# %% [markdown]
# ## 5 NMS class by class
#
# A rider sits on a horse, and their boxes overlap. They are no rivals: only boxes of the same label suppress each other. The
# result is one list again, best first whatever the label, of indices into the arrays that were given.
#
# *To think about:* some libraries move the boxes of each class far away from the others and call plain NMS once. How far
# is far enough?


# %% exercise="class_nms"
def class_nms(boxes, scores, labels, iou_threshold=0.5):
    """Non-maximum suppression among boxes of the same label.

    Args:
        boxes: shape (n, 4), `xyxy`.
        scores: shape (n,).
        labels: whole numbers of shape (n,).
        iou_threshold: what overlaps a kept box of its label by more than this is dropped.

    Returns:
        Whole numbers of shape (k,): indices of the boxes that are kept, best first.
    """
    ### BEGIN SOLUTION
    require_one_each(boxes, scores=scores, labels=labels)
    stays = np.zeros(len(boxes), dtype=bool)
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        stays[own[nms(boxes[own], scores[own], iou_threshold)]] = True
    order = np.argsort(-np.asarray(scores), kind="stable")
    return order[stays[order]]
    ### END SOLUTION


# %% check="class_nms"
check("class_nms")

# %% [markdown]
# ## 6 Soft-NMS
#
# NMS is blunt: two people who stand close are two objects, and one of them is dropped. **Soft-NMS** drops nobody. A box that is
# taken *lowers the scores* of the others, the more the more they overlap it:
#
# $$s_i \leftarrow s_i\, e^{-\mathrm{IoU}(M, b_i)^2/\sigma},$$
#
# where $M$ is the box just taken and $b_i$ one that has not been taken. Then the best **of the lowered scores** is next. A box is
# dropped only when its score has fallen below `score_threshold`; at the threshold it is kept. You return the indices in the order in
# which the boxes were taken, and the scores that they had at that moment.
#
# *To think about:* is it enough to sort once, as in NMS? And can a box ever be taken that had a lower score than one still
# waiting?


# %% exercise="soft_nms"
def soft_nms(boxes, scores, sigma=0.5, score_threshold=0.001):
    """Soft non-maximum suppression with Gaussian decay.

    Args:
        boxes: shape (n, 4), `xyxy`.
        scores: shape (n,), from 0 up.
        sigma: how gentle the decay is.
        score_threshold: a box whose score falls below this is dropped.

    Returns:
        (indices, scores): whole numbers of shape (k,) in the order in which boxes were taken, and their lowered scores.
    """
    ### BEGIN SOLUTION
    require_one_each(boxes, scores=scores)
    require_within(0, np.inf, scores=scores)
    if not sigma > 0:
        raise ValueError(f"sigma is {sigma}, expected a number above 0")
    current = np.array(scores, dtype=float)
    left = np.arange(len(boxes))
    taken, lowered = [], []
    while len(left := left[current[left] >= score_threshold]):
        best = left[np.argmax(current[left])]
        taken.append(best)
        lowered.append(current[best])
        left = left[left != best]
        current[left] *= np.exp(-(iou(boxes[best : best + 1], boxes[left])[0] ** 2) / sigma)
    return np.array(taken, dtype=int), np.array(lowered)
    ### END SOLUTION


# %% check="soft_nms"
check("soft_nms")

# %% [markdown]
# ### Look: two that stand close
#
# Two objects side by side, each found three times; they cover more than half of each other. NMS at 0.3 keeps one box for both of
# them. Soft-NMS leaves the second object a score to be seen by, well above what is left to the copies.

# %% show
couple = np.array(
    [
        [20, 20, 60, 90],
        [22, 22, 62, 92],
        [18, 17, 59, 88],
        [34, 22, 74, 92],
        [36, 23, 77, 93],
        [35, 19, 74, 89.0],
    ]
)
sure = np.array([0.95, 0.90, 0.85, 0.80, 0.75, 0.70])
after, now = soft_nms(couple, sure)
blank = np.full((110, 96), 0.85)
hard = nms(couple, sure, 0.3)
visible = now > 0.2
plots.detections(
    [blank] * 3,
    [
        {"boxes": couple, "labels": [0, 0, 0, 1, 1, 1]},
        {"boxes": couple[hard], "scores": sure[hard], "labels": hard // 3},
        {"boxes": couple[after][visible], "scores": now[visible], "labels": after[visible] // 3},
    ],
    titles=["two objects, six boxes", "NMS at 0.3", "soft-NMS, scores above 0.2"],
)

# %% [markdown]
# ## 7 How a network speaks of boxes
#
# A network does not predict boxes from nothing. It has **anchors** $a$, boxes at known places, and says how to move and stretch each
# of them to get its box $b$. With centres and sides, it predicts
#
# $$t_x = \frac{b_{cx} - a_{cx}}{a_w},\qquad t_y = \frac{b_{cy} - a_{cy}}{a_h},\qquad t_w = \log\frac{b_w}{a_w},\qquad t_h = \log\frac{b_h}{a_h} .$$
#
# Both divide by the **anchor's** side. So the numbers are small and mean the same for a mouse and for an elephant, and no
# prediction whatever can make a side negative. All four are 0 where the anchor fits already. Row i of `boxes` goes with row i of
# `anchors`.
#
# *To think about:* why not divide the shift by the side of the box, which is known just as well while training?
#
# When the network has spoken, you need boxes again: `decode_boxes` solves the four equations for $b$. What the two have in common is
# a promise, that decoding what was encoded gives the box back. Mind that `decode_boxes` returns corners.
#
# *To think about:* what does an untrained network do that says $t_w = 800$?


# %% exercise="encode_boxes"
def encode_boxes(boxes, anchors):
    """What moves and stretches each anchor to its box.

    Args:
        boxes: shape (n, 4), `xyxy`, with sides above 0.
        anchors: shape (n, 4), `xyxy`, with sides above 0.

    Returns:
        Array of shape (n, 4): columns tx, ty, tw, th.

    Raises:
        ValueError: when the shapes differ or a side is not above 0.
    """
    ### BEGIN SOLUTION
    require_same_shape(boxes=boxes, anchors=anchors)
    require_sides(boxes=boxes, anchors=anchors)
    box, anchor = convert_boxes(boxes, "xyxy", "cxcywh"), convert_boxes(anchors, "xyxy", "cxcywh")
    shift = (box[:, :2] - anchor[:, :2]) / anchor[:, 2:]
    return np.concatenate([shift, np.log(box[:, 2:] / anchor[:, 2:])], axis=1)
    ### END SOLUTION


def decode_boxes(deltas, anchors):
    """The boxes that `encode_boxes` was given.

    Args:
        deltas: shape (n, 4): columns tx, ty, tw, th.
        anchors: shape (n, 4), `xyxy`, with sides above 0.

    Returns:
        Array of shape (n, 4), `xyxy`.

    Raises:
        ValueError: when the shapes differ or a side is not above 0.
    """
    ### BEGIN SOLUTION
    require_same_shape(anchors=anchors, deltas=deltas)
    require_sides(anchors=anchors)
    anchor = convert_boxes(anchors, "xyxy", "cxcywh")
    centre = anchor[:, :2] + deltas[:, :2] * anchor[:, 2:]
    sides = anchor[:, 2:] * np.exp(deltas[:, 2:])
    return convert_boxes(np.concatenate([centre, sides], axis=1), "cxcywh", "xyxy")
    ### END SOLUTION


# %% check="encode_boxes"
check("encode_boxes")

# %% [markdown]
# ### Look: one code, many anchors
#
# The same four numbers, (0.5, -0.5, log 1.5, log 0.5), sent to a small, a middle and a large anchor. The middle of each box
# lies half a side to the right of its anchor's and half a side above it; the box is half as wide again, and half as high.

# %% show
anchors = np.array([[10, 60, 26, 76], [36, 52, 68, 84], [84, 36, 148, 100.0]])
moved = decode_boxes(np.tile([0.5, -0.5, np.log(1.5), np.log(0.5)], (3, 1)), anchors)
plots.detections(
    [np.full((110, 210), 0.9)],
    [{"boxes": np.concatenate([anchors, moved]), "labels": np.repeat([0, 1], 3)}],
    names=["anchor", "decoded"],
    size=5,
)

# %% [markdown]
# ## 8 Clip
#
# A decoded box may reach over the border of the image. Move its corners onto the border: x between 0 and the width, y between 0
# and the height. The image's last *pixel* is number width - 1, but its right *border* is at width.


# %% exercise="clip_boxes"
def clip_boxes(boxes, height, width):
    """Cut off what lies outside of the image.

    Args:
        boxes: shape (n, 4), `xyxy`.
        height: of the image, in pixels.
        width: of the image, in pixels.

    Returns:
        Array of shape (n, 4), every corner in the image.
    """
    ### BEGIN SOLUTION
    require_boxes(boxes=boxes)
    require_within(1, np.inf, height=height, width=width)
    return np.clip(boxes, 0, [width, height, width, height])
    ### END SOLUTION


# %% check="clip_boxes"
check("clip_boxes")

# %% [markdown]
# ## 9 Average precision
#
# A detector ranks its boxes by score. Walk down the ranking, and after each box ask two things: which share of the boxes so far
# is right (**precision**), and which share of all objects has been found (**recall**)? Recall can only grow; precision jumps up and
# down. Together they draw a curve, and **average precision** is the area under it, once its teeth are filled: at each recall $r$ take
# the best precision that can be had at this recall *or a higher one*,
#
# $$\hat p(r) = \max_{r' \ge r} p(r'), \qquad \mathrm{AP} = \int_0^1 \hat p(r)\, dr = \sum_i (r_i - r_{i-1})\, \hat p(r_i), \qquad r_0 = 0 .$$
#
# This $\hat p$ is the **envelope**, a staircase that never rises. Beyond the last recall it is 0: what was never found earns nothing.
#
# *To think about:* the precision at the first box is 1 and its recall 0.2. Which height has the staircase between 0 and 0.2?


# %% exercise="average_precision"
def average_precision(recall, precision):
    """Exact area under the envelope of a precision-recall curve.

    Args:
        recall: shape (n,), from 0 to 1, never falling.
        precision: shape (n,), from 0 to 1.

    Returns:
        One number from 0 to 1; 0 for empty arrays.

    Raises:
        ValueError: when the shapes differ, or `recall` falls.
    """
    ### BEGIN SOLUTION
    require_same_shape(recall=recall, precision=precision)
    require_within(0, 1, recall=recall, precision=precision)
    steps = np.diff(recall, prepend=0.0)
    require_within(0, 1, **{"steps of recall": steps})
    envelope = np.maximum.accumulate(np.asarray(precision)[::-1])[::-1]
    return np.sum(steps * envelope)
    ### END SOLUTION


# %% check="average_precision"
check("average_precision")

# %% [markdown]
# ### Look: teeth and envelope
#
# Ten boxes, best first, of which the 1st, 2nd, 5th, 6th and 9th are right; there are six objects. One is never found.

# %% show
right = np.isin(np.arange(1, 11), [1, 2, 5, 6, 9])
found = np.cumsum(right)
recall, precision = found / 6, found / np.arange(1, 11)
at = np.linspace(0, 1, 601)


def staircase(r):
    """The envelope: the best precision at this recall or a higher one."""
    return np.max(np.where(recall >= r[:, np.newaxis], precision, 0), axis=1)


plots.lines(
    {"precision": np.interp(at, recall, precision, left=1, right=np.nan), "envelope": staircase(at)},
    x=at,
    title=f"average precision {average_precision(recall, precision):.3f}: the area under the envelope",
    xlabel="recall",
    ylabel="precision",
)

# %% [markdown]
# ## 10 Mean average precision
#
# Which box is right? Take the detections of one class from **all images**, and walk down their scores, best first. Each
# looks, in its own image and among the objects of its own class, at those that are still **free**. It takes the one that it overlaps most, if
# that IoU is **at least** the threshold: a true positive, and the object is no longer free. Otherwise it is a false positive. So
# the second box on the same object is an error, like a box on nothing.
#
# That gives recall (over all objects of the class) and precision after each detection, and their `average_precision`. The **mean** over
# the classes is mAP. A class without a single object in the ground truth is left out of the mean, whatever was predicted for it; a class
# that was never predicted counts with 0. When there is no object at all, say 0.
#
# `predictions` and `ground_truth` are lists with a dict for each image: `{"boxes": (n, 4), "scores": (n,), "labels": (n,)}`, the truth
# without scores. Any of them may be empty.
#
# *To think about:* a detector that reports every box twice, with a slightly lower score the second time. What is its recall? And its
# precision? Why must the ranking run over all images at once, and not be averaged image by image?


# %% exercise="mean_average_precision"
def mean_average_precision(predictions, ground_truth, iou_threshold=0.5):
    """Mean over the classes of the average precision of their detections.

    Args:
        predictions: list of dicts, one an image: `boxes` (n, 4), `scores` (n,), `labels` (n,).
        ground_truth: list of dicts, one an image: `boxes` (m, 4), `labels` (m,).
        iou_threshold: a detection takes the free object of its class that it overlaps most, if by at least this.

    Returns:
        One number from 0 to 1.
    """
    ### BEGIN SOLUTION
    require_images(predictions, ground_truth)
    require_within(0, 1, iou_threshold=iou_threshold)
    areas = []
    for label in {int(label) for truth in ground_truth for label in truth["labels"]}:
        free = [truth["boxes"][truth["labels"] == label] for truth in ground_truth]
        objects = sum(map(len, free))
        ranking = sorted(
            (
                (-score, image, box)
                for image, given in enumerate(predictions)
                for box, score, own in zip(given["boxes"], given["scores"], given["labels"], strict=True)
                if own == label
            ),
            key=lambda detection: detection[0],
        )
        right = np.zeros(len(ranking), dtype=bool)
        for place, (_, image, box) in enumerate(ranking):
            overlaps = iou(box[np.newaxis], free[image])[0]
            if len(overlaps) and overlaps.max() >= iou_threshold:
                right[place] = True
                free[image] = np.delete(free[image], overlaps.argmax(), axis=0)
        found = np.cumsum(right)
        areas.append(average_precision(found / objects, found / np.arange(1, len(ranking) + 1)))
    return np.mean(areas) if areas else 0.0
    ### END SOLUTION


# %% check="mean_average_precision"
check("mean_average_precision")

# %% [markdown]
# ## 11 COCO's number
#
# At a threshold of 0.5 a box may be a third too wide and still count. COCO, the benchmark that everybody quotes, takes mAP at ten
# thresholds, 0.50, 0.55, ..., 0.95, and averages: `mAP@[.5:.95]`. Whoever wants points at 0.95 must be exact to a pixel or two.
#
# (COCO's own program reads the precision at 101 recalls instead of taking the exact area. The lesson shows how little that
# changes.)


# %% exercise="coco_mean_average_precision"
def coco_mean_average_precision(predictions, ground_truth):
    """Mean of `mean_average_precision` over the IoU thresholds 0.50, 0.55, ..., 0.95.

    Args:
        predictions: list of dicts, one an image: `boxes` (n, 4), `scores` (n,), `labels` (n,).
        ground_truth: list of dicts, one an image: `boxes` (m, 4), `labels` (m,).

    Returns:
        One number from 0 to 1.
    """
    ### BEGIN SOLUTION
    thresholds = np.linspace(0.5, 0.95, 10)
    return np.mean([mean_average_precision(predictions, ground_truth, each) for each in thresholds])
    ### END SOLUTION


# %% check="coco_mean_average_precision"
check("coco_mean_average_precision")

# %% [markdown]
# ## Closing part: a real detector, judged and improved
#
# Truth is expensive: somebody has to draw every box. Unless you make the pictures yourself. Here are collages: a piece of a
# photograph with three faces and three patches without a face pasted on it, and a little noise over all. Where a face was
# pasted, there is a face.
#
# The detector is OpenCV's cascade, which learned from other faces long ago (you build one like it in `haar`). It looks at
# some hundred thousand windows in each picture and reports those that look like a face. Everything after that is yours: format,
# suppression, judgement, correction.
#
# **To reach:** mAP at 0.5 of at least 0.9 with your `nms`, where the bare windows have less than half of it; and COCO's number
# at least 0.05 higher after the correction, on pictures that were not used to find it.

# %% show
faces, others = data.faces()
grounds = [
    data.picture(name).mean(axis=2) for name in ("brick", "coffee", "coins", "grass", "gravel", "rocket")
]


def collage(rng, size=240):
    """A grey picture (size, size) and the boxes of the faces in it."""
    ground = grounds[rng.integers(len(grounds))]
    top, left = rng.integers(np.array(ground.shape) - size + 1)
    image = ground[top : top + size, left : left + size].copy()
    placed, truth = np.zeros((0, 4)), np.zeros((0, 4))
    for patches in (faces, others) * 3:
        side = int(rng.integers(30, 80))
        x, y = rng.integers(size - side, size=2)
        box = np.array([[x, y, x + side, y + side]], dtype=float)
        if not iou(box, placed).any():
            patch = patches[rng.integers(len(patches))]
            image[y : y + side, x : x + side] = cv2.resize(patch, (side, side), interpolation=cv2.INTER_CUBIC)
            placed = np.concatenate([placed, box])
            truth = np.concatenate([truth, box]) if patches is faces else truth
    return np.clip(image + rng.normal(scale=0.08, size=image.shape), 0, 1), truth


def labelled(boxes, **scores):
    """A dict for mean_average_precision; there is one class."""
    return {"boxes": boxes, "labels": np.zeros(len(boxes), dtype=int), **scores}


rng = np.random.default_rng(0)
collages = [collage(rng) for _ in range(40)]
truth = [labelled(boxes) for _, boxes in collages]
seen = [windows(image) for image, _ in collages]
bare = [labelled(boxes, scores=scores) for boxes, scores in seen]
hard, soft = [], []
for boxes, scores in seen:
    kept = nms(boxes, scores, 0.3)
    hard.append(labelled(boxes[kept], scores=scores[kept]))
    taken, lowered = soft_nms(boxes, scores, sigma=0.1)
    soft.append(labelled(boxes[taken], scores=lowered))
kinds = {"bare windows": bare, "NMS": hard, "soft-NMS": soft}
marks = {name: mean_average_precision(found, truth) for name, found in kinds.items()}
for name, found in kinds.items():
    boxes = sum(len(each["boxes"]) for each in found)
    print(
        f"{name}: {boxes} boxes, mAP at 0.5 {marks[name]:.3f}, COCO {coco_mean_average_precision(found, truth):.3f}"
    )
assert marks["bare windows"] < 0.45 and marks["NMS"] >= 0.9, (
    "are copies false positives, and does nms drop them?"
)

# %% [markdown]
# ### Look: what it saw
#
# Above the windows, in the middle what NMS left of them, with scores, below the truth. The cascade is a yes-or-no
# machine, so its scores do not mean much; but mistakes tend to have the lower ones.

# %% show
some = [0, 1, 2]
images = [collages[place][0] for place in some]
for name, found in {
    "windows": [labelled(boxes) for boxes, _ in seen],
    "after NMS": hard,
    "truth": truth,
}.items():
    display(plots.detections(images, [found[place] for place in some], title=name, columns=3))

# %% [markdown]
# ### Look: the curves
#
# The envelope at an IoU of 0.5. Among the bare windows every second copy of a face is a false positive, so precision falls
# at once, although nearly every face is found. Here NMS and soft-NMS are all but the same: the pasted faces do not overlap,
# so there is nobody for soft-NMS to save.


# %% show
def envelope(found, at, threshold=0.5):
    """The precision that can be had at each recall, for one class."""
    ranking = [
        (-score, image, box)
        for image, each in enumerate(found)
        for box, score in zip(each["boxes"], each["scores"], strict=True)
    ]
    free, right = [each["boxes"] for each in truth], []
    for _, image, box in sorted(ranking, key=lambda one: one[0]):
        overlaps = iou(box[np.newaxis], free[image])[0]
        right.append(overlaps.max(initial=0) >= threshold)
        if right[-1]:
            free[image] = np.delete(free[image], overlaps.argmax(), axis=0)
    hits = np.cumsum(right)
    recall, precision = hits / sum(len(each["boxes"]) for each in truth), hits / np.arange(1, len(hits) + 1)
    return [precision[recall >= r].max(initial=0) for r in at]


at = np.linspace(0, 1, 201)
plots.lines(
    {f"{name}: {marks[name]:.2f}": envelope(found, at) for name, found in kinds.items()},
    x=at,
    title="Precision at each recall, IoU 0.5",
    xlabel="recall",
    ylabel="precision",
)

# %% [markdown]
# ### Teach it where a face is
#
# At 0.5 the detector looks excellent, and COCO's number is less than half of that: its boxes lie near the faces, not *on* them. It
# was taught another idea of where a face begins and ends than the one by which these pictures were cut. That is a constant
# shift, and you have the language for it: `encode_boxes` says for each box what would move it onto its face. Take the mean
# over the first twenty pictures, a "network" of four numbers, and `decode_boxes` with it on the other twenty.

# %% show
learn, test = slice(0, 20), slice(20, 40)
deltas = []
for found, there in zip(hard[learn], truth[learn], strict=True):
    overlaps = iou(found["boxes"], there["boxes"])
    near = overlaps.max(axis=1, initial=0) >= 0.5
    deltas.append(encode_boxes(there["boxes"][overlaps[near].argmax(axis=1)], found["boxes"][near]))
delta = np.concatenate(deltas).mean(axis=0)
print("mean delta:", np.round(delta, 3))


def corrected(found):
    """The same detections, each moved by the mean delta."""
    moved = decode_boxes(np.tile(delta, (len(found["boxes"]), 1)), found["boxes"])
    return {**found, "boxes": clip_boxes(moved, 240, 240)}


better = [corrected(found) for found in hard]
before = coco_mean_average_precision(hard[test], truth[test])
after = coco_mean_average_precision(better[test], truth[test])
thresholds = np.linspace(0.5, 0.95, 10)
display(
    plots.lines(
        {
            name: [mean_average_precision(found[test], truth[test], each) for each in thresholds]
            for name, found in {
                f"as it came: COCO {before:.2f}": hard,
                f"corrected: COCO {after:.2f}": better,
            }.items()
        },
        x=thresholds,
        title="Twenty new pictures",
        xlabel="IoU threshold",
        ylabel="mAP",
    )
)
assert after > before + 0.05, "do the deltas lead from the found box to the true one?"

# %% [markdown]
# Nobody touched the detector: four constants did that, the mean of what your `encode_boxes` says. R-CNN and its children do the same
# with one step more: a network looks at the picture and predicts a delta for *each* box.
#
# **Try it.** Which threshold of `nms` is best for mAP at 0.5? Let the pasted faces overlap by a third (let `iou(box, placed)` be up to
# 0.2) and compare NMS with soft-NMS again. Report every box of `hard` twice, the copies with half the score: what does
# that cost, and what if all copies have lower scores than all others?
