"""Well-known wrong answers to the assignment `boxes`."""

import numpy as np

from grader.exercise import misconception


def all_pairs(a, b):
    return np.asarray(a)[:, np.newaxis], np.asarray(b)[np.newaxis]


def area(boxes):
    return np.prod(np.maximum(boxes[..., 2:] - boxes[..., :2], 0), axis=-1)


def sides_of_intersection(a, b):
    """May be negative."""
    a, b = all_pairs(a, b)
    return np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2])


def intersection(a, b):
    return np.prod(np.maximum(sides_of_intersection(a, b), 0), axis=-1)


def area_around(a, b):
    a, b = all_pairs(a, b)
    low, high = np.minimum(a[..., :2], b[..., :2]), np.maximum(a[..., 2:], b[..., 2:])
    return np.prod(np.maximum(high - low, 0), axis=-1)


def ratio(part, whole):
    return np.where(whole > 0, part / np.where(whole > 0, whole, 1), 0.0)


def union(a, b):
    return area(a)[:, np.newaxis] + area(b) - intersection(a, b)


def true_iou(a, b):
    return ratio(intersection(a, b), union(a, b))


def centred(boxes):
    """Centres and sides."""
    return (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]


def cornered(centre, sides):
    return np.concatenate([centre - sides / 2, centre + sides / 2], axis=1)


def to_corners(boxes, source):
    first, second = boxes[:, :2], boxes[:, 2:]
    if source == "xyxy":
        return np.array(boxes, float)
    return np.concatenate([first, first + second], axis=1) if source == "xywh" else cornered(first, second)


def from_corners(boxes, target):
    centre, sides = centred(boxes)
    first = {"xyxy": boxes[:, :2], "xywh": boxes[:, :2], "cxcywh": centre}[target]
    return np.concatenate([first, boxes[:, 2:] if target == "xyxy" else sides], axis=1)


CONVERT = "convert_boxes.convert_boxes"


@misconception(
    CONVERT, "Sides are one too long: on a continuous plane a box is `x2 - x1` wide, without `+ 1`."
)
def convert_plus_one(boxes, source, target):
    if source == target:
        return np.array(boxes)
    corners = to_corners(boxes, source) - ([0, 0, 1, 1] if source == "xywh" else [0, 0, 0, 0])
    return from_corners(corners, target) + ([0, 0, 1, 1] if target == "xywh" else [0, 0, 0, 0])


@misconception(
    CONVERT,
    "The corner is a whole side away from the centre: half a side lies on the left of it, half on the right.",
)
def convert_whole_side(boxes, source, target):
    boxes = np.asarray(boxes)
    if source == target:
        return np.array(boxes)
    if source == "cxcywh":
        centre, sides = boxes[:, :2], boxes[:, 2:]
        boxes = np.concatenate([centre - sides, centre + sides], axis=1)
        if target == "xywh":
            return np.concatenate([centre - sides, sides], axis=1)
        return boxes
    return from_corners(to_corners(boxes, source), target)


@misconception(
    CONVERT,
    "The second corner of `cxcywh` is centre plus side: you added the whole side to the centre, not to the corner.",
)
def convert_side_from_centre(boxes, source, target):
    boxes = np.asarray(boxes)
    if source == "cxcywh" and target == "xyxy":
        centre, sides = boxes[:, :2], boxes[:, 2:]
        return np.concatenate([centre - sides / 2, centre + sides], axis=1)
    return np.array(boxes) if source == target else from_corners(to_corners(boxes, source), target)


@misconception(CONVERT, "Halves are cut off: `//` rounds down, and a centre may lie between two pixels.")
def convert_floors(boxes, source, target):
    boxes = np.asarray(boxes)
    if source == target:
        return np.array(boxes)
    if source == "cxcywh":
        first, sides = boxes[:, :2], boxes[:, 2:]
        boxes = np.concatenate([first - sides // 2, first - sides // 2 + sides], axis=1)
    else:
        boxes = to_corners(boxes, source)
    if target == "cxcywh":
        return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) // 2, boxes[:, 2:] - boxes[:, :2]], axis=1)
    return from_corners(boxes, target)


@misconception(CONVERT, "`source` and `target` are swapped: you make `target` boxes into `source` ones.")
def convert_backwards(boxes, source, target):
    return from_corners(to_corners(np.asarray(boxes), target), source)


@misconception(
    CONVERT,
    "You handle only pairs with `xyxy` in them: `xywh` to `cxcywh` and back come out as they went in.",
)
def convert_only_corners(boxes, source, target):
    if "xyxy" not in (source, target):
        return np.array(boxes)
    return from_corners(to_corners(np.asarray(boxes), source), target)


IOU = "iou.iou"
APART = "The sides of the intersection are not held at 0. Boxes apart have negative ones, and two negative sides make a positive area."


@misconception(
    IOU,
    "Sides are one too long: `x2 - x1 + 1` counts pixels, and here boxes lie on a continuous plane.",
)
def iou_plus_one(a, b):
    def grown(boxes):
        return np.asarray(boxes) + [0, 0, 1, 1]

    return true_iou(grown(a), grown(b))


@misconception(IOU, "The union counts the intersection twice: it is `area_a + area_b - intersection`.")
def iou_sum_of_areas(a, b):
    return ratio(intersection(a, b), area(a)[:, np.newaxis] + area(b))


@misconception(IOU, APART)
def iou_without_clamp(a, b):
    shared = np.prod(sides_of_intersection(a, b), axis=-1)
    whole = area(a)[:, np.newaxis] + area(b) - shared
    with np.errstate(all="ignore"):
        return shared / whole


@misconception(IOU, APART)
def iou_clamped_after_the_product(a, b):
    shared = np.maximum(np.prod(sides_of_intersection(a, b), axis=-1), 0)
    return ratio(shared, area(a)[:, np.newaxis] + area(b) - shared)


@misconception(
    IOU,
    "`max` and `min` are swapped: that is the box around both. The intersection begins at the larger of the left sides and ends "
    "at the smaller of the right ones.",
)
def iou_of_the_hull(a, b):
    around = area_around(a, b)
    return ratio(around, area(a)[:, np.newaxis] + area(b) - around)


@misconception(IOU, "You divide by the area of the box around both, not by the area that the two cover.")
def iou_over_the_hull(a, b):
    return ratio(intersection(a, b), area_around(a, b))


@misconception(
    IOU,
    "You divide by the smaller of the two areas: then a small box inside a large one is perfect. Divide by the union.",
)
def iou_over_the_smaller(a, b):
    return ratio(intersection(a, b), np.minimum(area(a)[:, np.newaxis], area(b)))


@misconception(
    IOU,
    "You divide by the area of the box of `a` alone: divide by the union, so that IoU is the same from both sides.",
)
def iou_over_the_first(a, b):
    return ratio(intersection(a, b), area(a)[:, np.newaxis] + 0 * area(b))


@misconception(
    IOU,
    "A small number added to the union, against 0/0, makes every IoU of small boxes too small. Divide where the union is above 0.",
)
def iou_with_epsilon(a, b, epsilon=1e-6):
    return intersection(a, b) / (union(a, b) + epsilon)


@misconception(IOU, "Two empty boxes have a union of 0, and 0/0 is NaN: their IoU is 0.")
def iou_nan(a, b):
    with np.errstate(all="ignore"):
        return intersection(a, b) / union(a, b)


@misconception(IOU, "Two empty boxes have a union of 0, and 0/0 is NaN: their IoU is 0.")
def iou_nan_with_warning(a, b):
    return intersection(a, b) / union(a, b)


@misconception(
    IOU,
    "Swapped corners were put right: a box whose corners are swapped is empty, and its IoU is 0.",
)
def iou_sorts_corners(a, b):
    def sorted_corners(boxes):
        first, second = np.asarray(boxes)[:, :2], np.asarray(boxes)[:, 2:]
        return np.concatenate([np.minimum(first, second), np.maximum(first, second)], axis=1)

    return true_iou(sorted_corners(a), sorted_corners(b))


@misconception(IOU, "The table is turned: rows are the boxes of `a`, columns those of `b`.")
def iou_transposed(a, b):
    return true_iou(b, a)


@misconception(
    IOU, "The boxes are read as `xywh`: the last two numbers are the second corner, not the sides."
)
def iou_of_sides(a, b):
    return true_iou(to_corners(np.asarray(a), "xywh"), to_corners(np.asarray(b), "xywh"))


GIOU = "giou.giou"


def giou_of(overlap, missing):
    return overlap - missing


@misconception(GIOU, "That is the IoU alone: the share of the box around both that neither fills is missing.")
def giou_is_iou(a, b):
    return true_iou(a, b)


@misconception(GIOU, "The empty part is taken off as an area: divide it by the area of the box around both.")
def giou_not_divided(a, b):
    return np.where(area_around(a, b) > 0, true_iou(a, b) - (area_around(a, b) - union(a, b)), 0.0)


@misconception(GIOU, "The empty part is divided by the union: divide it by the area of the box around both.")
def giou_over_the_union(a, b):
    around, whole = area_around(a, b), union(a, b)
    return true_iou(a, b) - ratio(around - whole, whole)


@misconception(
    GIOU,
    "The union forgets the intersection: with `area_a + area_b` the box around both can seem smaller than what it holds.",
)
def giou_sum_of_areas(a, b):
    around, whole = area_around(a, b), area(a)[:, np.newaxis] + area(b)
    return true_iou(a, b) - ratio(around - whole, around)


@misconception(
    GIOU, "You take off what lies outside of the *intersection*: the union is what the two boxes fill."
)
def giou_without_intersection(a, b):
    around = area_around(a, b)
    return true_iou(a, b) - ratio(around - intersection(a, b), around)


@misconception(GIOU, "The empty part is added: boxes that lie apart are worse, so take it off.")
def giou_added(a, b):
    around = area_around(a, b)
    return true_iou(a, b) + ratio(around - union(a, b), around)


@misconception(GIOU, "It is held at 0 from below: for boxes apart GIoU is negative, and that is its point.")
def giou_not_negative(a, b):
    around = area_around(a, b)
    return np.maximum(true_iou(a, b) - ratio(around - union(a, b), around), 0)


@misconception(GIOU, "That is the loss, 1 - GIoU.")
def giou_loss(a, b):
    around = area_around(a, b)
    return np.where(around > 0, 1 - true_iou(a, b) + ratio(around - union(a, b), around), 1.0)


@misconception(
    GIOU,
    "Where the box around both has no area you divide 0 by 0, and NaN comes: say 0 there.",
)
def giou_nan(a, b):
    around = area_around(a, b)
    return true_iou(a, b) - (around - union(a, b)) / around


def suppressed(boxes, scores, drops, order=None):
    """Indices that stay, best first, where `drops(iou)` says which overlaps are too much."""
    left = np.argsort(-scores, kind="stable") if order is None else order
    kept = []
    while len(left):
        kept.append(left[0])
        left = left[1:][~drops(true_iou(boxes[left[:1]], boxes[left[1:]])[0])]
    return np.array(kept, dtype=int)


def plain_nms(boxes, scores, iou_threshold):
    return suppressed(boxes, scores, lambda overlap: overlap > iou_threshold)


NMS = "nms.nms"


@misconception(
    NMS,
    "Every box with a better neighbour is dropped, even where that neighbour was dropped itself: compare with the boxes that are *kept*.",
)
def nms_compares_with_all(boxes, scores, iou_threshold=0.5):
    order = np.argsort(-scores, kind="stable")
    overlaps = true_iou(boxes[order], boxes[order]) > iou_threshold
    return order[~np.triu(overlaps, 1).any(axis=0)]


@misconception(
    NMS, "Each box is compared with the last one that was kept only: compare it with all that were."
)
def nms_compares_with_the_last(boxes, scores, iou_threshold=0.5):
    kept: list[int] = []
    for place in np.argsort(-scores, kind="stable"):
        if not kept or true_iou(boxes[kept[-1:]], boxes[place : place + 1])[0, 0] <= iou_threshold:
            kept.append(place)
    return np.array(kept, dtype=int)


@misconception(NMS, "A box at exactly the threshold is dropped: only an IoU *above* it is too much.")
def nms_drops_at_the_threshold(boxes, scores, iou_threshold=0.5):
    return suppressed(boxes, scores, lambda overlap: overlap >= iou_threshold)


@misconception(NMS, "The worst box comes first: `argsort` sorts upwards, so turn the scores' sign.")
def nms_worst_first(boxes, scores, iou_threshold=0.5):
    order = np.argsort(scores, kind="stable")
    return suppressed(boxes, scores, lambda overlap: overlap > iou_threshold, order)


@misconception(
    NMS,
    'Of equal scores the last comes first: `argsort(scores)[::-1]` turns ties round too. Sort `-scores`, with `kind="stable"`.',
)
def nms_ties_reversed(boxes, scores, iou_threshold=0.5):
    order = np.argsort(scores, kind="stable")[::-1]
    return suppressed(boxes, scores, lambda overlap: overlap > iou_threshold, order)


@misconception(
    NMS,
    "These are places in the *sorted* arrays: give back places in the arrays that came, `order[place]`.",
)
def nms_places_in_the_sorted(boxes, scores, iou_threshold=0.5):
    order = np.argsort(-scores, kind="stable")
    return plain_nms(boxes[order], scores[order], iou_threshold)


@misconception(NMS, "The right boxes, in the order of their indices: give the best one first.")
def nms_by_index(boxes, scores, iou_threshold=0.5):
    return np.sort(plain_nms(boxes, scores, iou_threshold))


@misconception(NMS, "`scores` are not used: the boxes are taken in the order in which they came.")
def nms_ignores_scores(boxes, scores, iou_threshold=0.5):
    return suppressed(boxes, scores, lambda overlap: overlap > iou_threshold, np.arange(len(boxes)))


@misconception(NMS, "It is the wrong way round: what overlaps *little* is dropped here, and the copies stay.")
def nms_drops_the_others(boxes, scores, iou_threshold=0.5):
    return suppressed(boxes, scores, lambda overlap: overlap <= iou_threshold)


@misconception(NMS, "`iou_threshold` is not used: 0.5 is only what it is when nobody says otherwise.")
def nms_fixed_threshold(boxes, scores, iou_threshold=0.5):
    return plain_nms(boxes, scores, 0.5)


@misconception(NMS, "Give back indices, not boxes: the caller wants to pick scores and labels too.")
def nms_gives_boxes(boxes, scores, iou_threshold=0.5):
    return boxes[plain_nms(boxes, scores, iou_threshold)]


@misconception(NMS, "Give back indices, not a mask: the mask does not say which box is best.")
def nms_gives_a_mask(boxes, scores, iou_threshold=0.5):
    mask = np.zeros(len(boxes), dtype=bool)
    mask[plain_nms(boxes, scores, iou_threshold)] = True
    return mask


@misconception(
    NMS,
    "The overlap is the intersection over the *smaller* box, as some old code has it: take the IoU.",
)
def nms_over_the_smaller(boxes, scores, iou_threshold=0.5):
    left, kept = np.argsort(-scores, kind="stable"), []
    while len(left):
        kept.append(left[0])
        one, others = boxes[left[:1]], boxes[left[1:]]
        overlap = ratio(intersection(one, others), np.minimum(area(one)[:, np.newaxis], area(others)))[0]
        left = left[1:][overlap <= iou_threshold]
    return np.array(kept, dtype=int)


CLASS_NMS = "class_nms.class_nms"


def by_label(boxes, scores, labels, iou_threshold):
    """The places that stay, label after label, best first in each."""
    parts = [np.zeros(0, dtype=int)]
    for label in np.unique(labels):
        own = np.flatnonzero(labels == label)
        parts.append(own[plain_nms(boxes[own], scores[own], iou_threshold)])
    return np.concatenate(parts)


def ranked(kept, scores):
    """Best first; of equal scores the lower index."""
    kept = np.sort(kept)
    return kept[np.argsort(-scores[kept], kind="stable")]


@misconception(CLASS_NMS, "Labels are not used: a rider is dropped for his horse.")
def class_blind(boxes, scores, labels, iou_threshold=0.5):
    return plain_nms(boxes, scores, iou_threshold)


@misconception(CLASS_NMS, "The labels come one after the other: sort what is kept by score, over all labels.")
def class_by_class(boxes, scores, labels, iou_threshold=0.5):
    return by_label(boxes, scores, labels, iou_threshold)


@misconception(
    CLASS_NMS,
    "Inside a label, indices count from 0 again: `own[...]` turns them into places of the whole array.",
)
def class_local_indices(boxes, scores, labels, iou_threshold=0.5):
    parts = [np.zeros(0, dtype=int)]
    for label in np.unique(labels):
        parts.append(plain_nms(boxes[labels == label], scores[labels == label], iou_threshold))
    return ranked(np.concatenate(parts), scores)


@misconception(CLASS_NMS, "The right boxes, in the order of their indices: give the best one first.")
def class_by_index(boxes, scores, labels, iou_threshold=0.5):
    return np.sort(by_label(boxes, scores, labels, iou_threshold))


@misconception(CLASS_NMS, "The right boxes, the worst first: turn the scores' sign before you sort.")
def class_worst_first(boxes, scores, labels, iou_threshold=0.5):
    return ranked(by_label(boxes, scores, labels, iou_threshold), -scores)


@misconception(
    CLASS_NMS,
    "Classes are moved apart by their label times the largest coordinate. With boxes left of zero or above it that is not far "
    "enough: move by the whole span, from the smallest to the largest.",
)
def class_moved_too_little(boxes, scores, labels, iou_threshold=0.5):
    if not len(boxes):
        return np.zeros(0, dtype=int)
    return plain_nms(boxes + labels[:, np.newaxis] * boxes.max(), scores, iou_threshold)


@misconception(CLASS_NMS, "`iou_threshold` is not handed on to `nms`.")
def class_fixed_threshold(boxes, scores, labels, iou_threshold=0.5):
    return ranked(by_label(boxes, scores, labels, 0.5), scores)


SOFT_NMS = "soft_nms.soft_nms"


def softened(boxes, scores, decay, keeps):
    """Soft-NMS with any decay of the IoU and any rule of what is kept."""
    current, left = np.array(scores, dtype=float), np.arange(len(boxes))
    taken, lowered = [], []
    while len(left := left[keeps(current[left])]):
        best = left[np.argmax(current[left])]
        taken.append(best)
        lowered.append(current[best])
        left = left[left != best]
        current[left] *= decay(true_iou(boxes[best : best + 1], boxes[left])[0])
    return np.array(taken, dtype=int), np.array(lowered)


def gaussian(sigma):
    return lambda overlap: np.exp(-(overlap**2) / sigma)


@misconception(
    SOFT_NMS,
    "The order is that of the first scores: after each box the scores have changed, so look for the best one anew.",
)
def soft_sorted_once(boxes, scores, sigma=0.5, score_threshold=0.001):
    current, order = np.array(scores, dtype=float), np.argsort(-scores, kind="stable")
    for place, best in enumerate(order):
        others = order[place + 1 :]
        if current[best] >= score_threshold:
            current[others] *= gaussian(sigma)(true_iou(boxes[best : best + 1], boxes[others])[0])
    kept = order[current[order] >= score_threshold]
    return kept, current[kept]


@misconception(
    SOFT_NMS,
    "The decay is linear, `1 - iou`: that is soft-NMS too, but here it is the Gaussian one, `exp(-iou**2 / sigma)`.",
)
def soft_linear(boxes, scores, sigma=0.5, score_threshold=0.001):
    return softened(boxes, scores, lambda overlap: 1 - overlap, lambda s: s >= score_threshold)


@misconception(
    SOFT_NMS,
    "The decay is linear above an IoU of 0.5 and there is none below: here it is the Gaussian one, for every overlap.",
)
def soft_linear_above_half(boxes, scores, sigma=0.5, score_threshold=0.001):
    def decay(overlap):
        return np.where(overlap > 0.5, 1 - overlap, 1.0)

    return softened(boxes, scores, decay, lambda s: s >= score_threshold)


@misconception(SOFT_NMS, "The IoU is not squared: the decay is `exp(-iou**2 / sigma)`.")
def soft_not_squared(boxes, scores, sigma=0.5, score_threshold=0.001):
    return softened(boxes, scores, lambda overlap: np.exp(-overlap / sigma), lambda s: s >= score_threshold)


@misconception(
    SOFT_NMS,
    "`2 * sigma**2` belongs to the bell curve of statistics; the paper of soft-NMS divides by `sigma` alone.",
)
def soft_two_sigma_squared(boxes, scores, sigma=0.5, score_threshold=0.001):
    return softened(boxes, scores, gaussian(2 * sigma**2), lambda s: s >= score_threshold)


@misconception(SOFT_NMS, "`sigma` is multiplied, not divided by: a larger one must make the decay gentler.")
def soft_times_sigma(boxes, scores, sigma=0.5, score_threshold=0.001):
    return softened(boxes, scores, gaussian(1 / sigma), lambda s: s >= score_threshold)


@misconception(SOFT_NMS, "`sigma` is not used: 0.5 is only what it is when nobody says otherwise.")
def soft_fixed_sigma(boxes, scores, sigma=0.5, score_threshold=0.001):
    return softened(boxes, scores, gaussian(0.5), lambda s: s >= score_threshold)


@misconception(
    SOFT_NMS,
    "The sign is lost: scores grow where boxes overlap. The decay is `exp` of minus `iou**2 / sigma`, at most 1.",
)
def soft_grows(boxes, scores, sigma=0.5, score_threshold=0.001):
    return softened(boxes, scores, gaussian(-sigma), lambda s: s >= score_threshold)


@misconception(
    SOFT_NMS,
    "The scores that come back are those from before: give them as they were when the box was taken.",
)
def soft_old_scores(boxes, scores, sigma=0.5, score_threshold=0.001):
    taken, _ = softened(boxes, scores, gaussian(sigma), lambda s: s >= score_threshold)
    return taken, np.array(scores, dtype=float)[taken]


@misconception(
    SOFT_NMS,
    "Nothing is dropped: a box whose score has fallen below `score_threshold` is not taken.",
)
def soft_drops_nothing(boxes, scores, sigma=0.5, score_threshold=0.001):
    return softened(boxes, scores, gaussian(sigma), lambda s: s >= -1)


@misconception(SOFT_NMS, "A box at exactly `score_threshold` is dropped: only below it is too low.")
def soft_drops_at_the_threshold(boxes, scores, sigma=0.5, score_threshold=0.001):
    return softened(boxes, scores, gaussian(sigma), lambda s: s > score_threshold)


@misconception(
    SOFT_NMS,
    "`score_threshold` is looked at only in the beginning, when no score has been lowered yet: look again before each box is taken.",
)
def soft_threshold_at_the_start(boxes, scores, sigma=0.5, score_threshold=0.001):
    own = np.flatnonzero(scores >= score_threshold)
    taken, lowered = softened(boxes[own], scores[own], gaussian(sigma), lambda s: s >= -1)
    return own[taken], lowered


@misconception(
    SOFT_NMS,
    "Only the last decay counts: you multiply the score from the beginning each time. Multiply the score as it is now.",
)
def soft_forgets(boxes, scores, sigma=0.5, score_threshold=0.001):
    current, left = np.array(scores, dtype=float), np.arange(len(boxes))
    taken, lowered = [], []
    while len(left := left[current[left] >= score_threshold]):
        best = left[np.argmax(current[left])]
        taken.append(best)
        lowered.append(current[best])
        left = left[left != best]
        current[left] = scores[left] * gaussian(sigma)(true_iou(boxes[best : best + 1], boxes[left])[0])
    return np.array(taken, dtype=int), np.array(lowered)


@misconception(SOFT_NMS, "That is hard NMS: soft-NMS lowers scores and drops nobody for an overlap.")
def soft_is_hard(boxes, scores, sigma=0.5, score_threshold=0.001):
    kept = plain_nms(boxes, scores, 0.5)
    kept = kept[scores[kept] >= score_threshold]
    return kept, np.array(scores, dtype=float)[kept]


ENCODE = "encode_boxes.encode_boxes"


def deltas_of(boxes, anchors, shift_side=None, growth=None, shift=None):
    (centre, sides), (anchor, around) = centred(np.asarray(boxes)), centred(np.asarray(anchors))
    shift = centre - anchor if shift is None else shift
    growth = np.log(sides / around) if growth is None else growth
    return np.concatenate([shift / (around if shift_side is None else shift_side), growth], axis=1)


@misconception(
    ENCODE,
    "The shift is divided by the side of the *box*. When it is decoded only the anchor is known: divide by its side.",
)
def encode_by_own_side(boxes, anchors):
    return deltas_of(boxes, anchors, shift_side=centred(boxes)[1])


@misconception(ENCODE, "The shift stays in pixels: divide it by the side of the anchor.")
def encode_in_pixels(boxes, anchors):
    return deltas_of(boxes, anchors, shift_side=np.ones((len(boxes), 2)))


@misconception(ENCODE, "The logarithm of the growth is missing: equal sides must give 0, not 1.")
def encode_without_log(boxes, anchors):
    return deltas_of(boxes, anchors, growth=centred(boxes)[1] / centred(anchors)[1])


@misconception(ENCODE, "The growth is a relative difference, `(b - a) / a`: it is the logarithm of `b / a`.")
def encode_relative_growth(boxes, anchors):
    return deltas_of(boxes, anchors, growth=centred(boxes)[1] / centred(anchors)[1] - 1)


@misconception(ENCODE, "The ratio is upside down: side of the box over side of the anchor.")
def encode_upside_down(boxes, anchors):
    return deltas_of(boxes, anchors, growth=np.log(centred(anchors)[1] / centred(boxes)[1]))


@misconception(ENCODE, "The sign of the shift is turned: it is box minus anchor, from the anchor to the box.")
def encode_from_the_box(boxes, anchors):
    return deltas_of(boxes, anchors, shift=centred(anchors)[0] - centred(boxes)[0])


@misconception(
    ENCODE, "The shift is that of the top left corners: take the centres, which do not move when a box grows."
)
def encode_corners(boxes, anchors):
    return deltas_of(boxes, anchors, shift=boxes[:, :2] - anchors[:, :2])


@misconception(ENCODE, "`boxes` and `anchors` are swapped: the deltas lead from the anchor to the box.")
def encode_swapped(boxes, anchors):
    return deltas_of(anchors, boxes)


@misconception(
    ENCODE,
    "The variances 0.1 and 0.2 of SSD are in it: R-CNN's deltas, which are asked for here, have none.",
)
def encode_with_variances(boxes, anchors):
    return deltas_of(boxes, anchors) / [0.1, 0.1, 0.2, 0.2]


@misconception(
    ENCODE,
    "Sides are one too long: `x2 - x1 + 1` is how R-CNN's old code counted; here boxes are continuous.",
)
def encode_plus_one(boxes, anchors):
    return deltas_of(boxes + [0, 0, 1, 1], anchors + [0, 0, 1, 1])


@misconception(
    ENCODE, "Width and height are mixed up: tx is divided by the anchor's height, ty by its width."
)
def encode_sides_mixed(boxes, anchors):
    return deltas_of(boxes, anchors, shift_side=centred(anchors)[1][:, ::-1])


@misconception(ENCODE, "That is the logarithm to another base: take the natural one, which `exp` undoes.")
def encode_log2(boxes, anchors):
    return deltas_of(boxes, anchors, growth=np.log2(centred(boxes)[1] / centred(anchors)[1]))


DECODE = "encode_boxes.decode_boxes"


@misconception(DECODE, "The growth is multiplied without `exp`: a delta of 0 must leave the side as it is.")
def decode_without_exp(deltas, anchors):
    centre, sides = centred(anchors)
    return cornered(centre + deltas[:, :2] * sides, sides * deltas[:, 2:])


@misconception(DECODE, "The growth is read as a relative difference, `1 + t`: it is `exp(t)`.")
def decode_relative_growth(deltas, anchors):
    centre, sides = centred(anchors)
    return cornered(centre + deltas[:, :2] * sides, sides * (1 + deltas[:, 2:]))


@misconception(DECODE, "These are centre and sides still: give back corners, `xyxy`.")
def decode_to_centres(deltas, anchors):
    centre, sides = centred(anchors)
    return np.concatenate([centre + deltas[:, :2] * sides, sides * np.exp(deltas[:, 2:])], axis=1)


@misconception(
    DECODE, "The moved point is taken for the top left corner: it is the centre, half a side away from it."
)
def decode_centre_as_corner(deltas, anchors):
    centre, sides = centred(anchors)
    centre, sides = centre + deltas[:, :2] * sides, sides * np.exp(deltas[:, 2:])
    return np.concatenate([centre, centre + sides], axis=1)


@misconception(
    DECODE, "It is the anchor's corner that you move: move its centre, about which the box then grows."
)
def decode_moves_the_corner(deltas, anchors):
    _, sides = centred(anchors)
    corner = anchors[:, :2] + deltas[:, :2] * sides
    return np.concatenate([corner, corner + sides * np.exp(deltas[:, 2:])], axis=1)


@misconception(DECODE, "The shift is taken in pixels: it comes in sides of the anchor.")
def decode_in_pixels(deltas, anchors):
    centre, sides = centred(anchors)
    return cornered(centre + deltas[:, :2], sides * np.exp(deltas[:, 2:]))


@misconception(DECODE, "The shift is measured in sides of the *new* box: it is in sides of the anchor.")
def decode_by_new_side(deltas, anchors):
    centre, sides = centred(anchors)
    new = sides * np.exp(deltas[:, 2:])
    return cornered(centre + deltas[:, :2] * new, new)


@misconception(
    DECODE,
    "The variances 0.1 and 0.2 of SSD are in it: R-CNN's deltas, which are asked for here, have none.",
)
def decode_with_variances(deltas, anchors):
    centre, sides = centred(anchors)
    return cornered(centre + 0.1 * deltas[:, :2] * sides, sides * np.exp(0.2 * deltas[:, 2:]))


@misconception(DECODE, "The corners are a whole side away from the centre: half a side is right.")
def decode_whole_side(deltas, anchors):
    centre, sides = centred(anchors)
    return cornered(centre + deltas[:, :2] * sides, 2 * sides * np.exp(deltas[:, 2:]))


CLIP = "clip_boxes.clip_boxes"


@misconception(CLIP, "Height and width are mixed up: x is held by the width, y by the height.")
def clip_mixed_up(boxes, height, width):
    return np.clip(boxes, 0, [height, width, height, width])


@misconception(
    CLIP,
    "The right border is at `width`, not at `width - 1`: that is the number of the last *pixel*, whose right side is at width.",
)
def clip_last_pixel(boxes, height, width):
    return np.clip(boxes, 0, [width - 1, height - 1, width - 1, height - 1])


@misconception(CLIP, "The first corner is not held by width and height: a box can lie beyond the border.")
def clip_corners_apart(boxes, height, width):
    low, high = np.maximum(boxes[:, :2], 0), np.minimum(boxes[:, 2:], [width, height])
    return np.concatenate([low, high], axis=1)


@misconception(CLIP, "Negative places stay: hold them at 0 too.")
def clip_above_only(boxes, height, width):
    return np.minimum(boxes, [width, height, width, height])


@misconception(
    CLIP, "Boxes that are empty after clipping were dropped: keep their rows, others are numbered by them."
)
def clip_drops(boxes, height, width):
    clipped = np.clip(boxes, 0, [width, height, width, height])
    return clipped[(clipped[:, 2:] > clipped[:, :2]).all(axis=1)]


@misconception(CLIP, "You clip in place, and the caller's boxes are changed: give back a new array.")
def clip_in_place(boxes, height, width):
    boxes[:] = np.clip(boxes, 0, [width, height, width, height])
    return boxes


AP = "average_precision.average_precision"


def envelope_of(precision):
    return np.maximum.accumulate(np.asarray(precision)[::-1])[::-1]


def best_from(recall, precision, at):
    """The envelope at any recall."""
    recall, precision = np.asarray(recall), np.asarray(precision)
    return np.array([np.max(precision[recall >= r], initial=0.0) for r in at])


@misconception(
    AP,
    "There is no envelope: the precision is taken as it is, teeth and all. At each recall take the best precision at this recall or a "
    "higher one.",
)
def ap_without_envelope(recall, precision):
    return np.sum(np.diff(recall, prepend=0.0) * precision)


@misconception(
    AP,
    "The precision is read at eleven recalls, 0, 0.1, ..., 1, as PASCAL VOC did until 2009: here the area is exact.",
)
def ap_eleven_points(recall, precision):
    return np.mean(best_from(recall, precision, np.linspace(0, 1, 11)))


@misconception(AP, "The precision is read at 101 recalls, as COCO's program does: here the area is exact.")
def ap_hundred_and_one_points(recall, precision):
    return np.mean(best_from(recall, precision, np.linspace(0, 1, 101)))


@misconception(
    AP,
    "The points are joined by slanting lines, the trapezoid rule: the envelope is a staircase, as high as its right end.",
)
def ap_trapezoid(recall, precision):
    envelope = envelope_of(precision)
    r, p = np.append(0.0, recall), np.append(envelope[:1], envelope)
    return np.sum(np.diff(r) * (p[1:] + p[:-1]) / 2) if len(recall) else 0.0


@misconception(
    AP,
    "The points are joined by slanting lines, without the envelope: fill the teeth first, and sum up rectangles.",
)
def ap_trapezoid_without_envelope(recall, precision):
    return np.sum(np.diff(recall) * (precision[1:] + precision[:-1]) / 2) if len(recall) else 0.0


@misconception(AP, "The area begins at the first point: the step from a recall of 0 to it is missing.")
def ap_without_the_first_step(recall, precision):
    return np.sum(np.diff(recall) * envelope_of(precision)[1:])


@misconception(
    AP,
    "The running maximum goes from the front: it must come from the back, since the best precision at this recall *or a higher one* counts.",
)
def ap_envelope_from_the_front(recall, precision):
    return np.sum(np.diff(recall, prepend=0.0) * np.maximum.accumulate(precision))


@misconception(AP, "The last precision is drawn on to a recall of 1: what was never found earns nothing.")
def ap_drawn_to_the_end(recall, precision):
    if not len(recall):
        return 0.0
    envelope = envelope_of(precision)
    return np.sum(np.diff(recall, prepend=0.0) * envelope) + (1 - recall[-1]) * envelope[-1]


@misconception(AP, "That is the mean of the precisions: each counts as much as recall grows at it.")
def ap_mean_of_precisions(recall, precision):
    return np.mean(precision) if len(precision) else 0.0


@misconception(
    AP,
    "Each step is as high as the envelope at its *left* end: take its right end, where that recall is reached.",
)
def ap_left_ends(recall, precision):
    envelope = envelope_of(precision)
    return np.sum(np.diff(recall, prepend=0.0) * np.append(envelope[:1], envelope[:-1]))


@misconception(AP, "A curve without points makes an error, or NaN: its area is 0.")
def ap_nan(recall, precision):
    if not len(recall):
        return np.nan
    return np.sum(np.diff(recall, prepend=0.0) * envelope_of(precision))


MAP = "mean_average_precision.mean_average_precision"


def exact_area(recall, precision):
    return np.sum(np.diff(recall, prepend=0.0) * envelope_of(precision))


def of_label(predictions, truth, label):
    """A class' detections of all images, best first, as (score, image, box), and its objects in each image."""
    detections = [
        (score, image, box)
        for image, given in enumerate(predictions)
        for box, score, own in zip(given["boxes"], given["scores"], given["labels"], strict=True)
        if own == label
    ]
    detections.sort(key=lambda one: -one[0])
    return detections, [each["boxes"][each["labels"] == label] for each in truth]


def greedy(detections, objects, iou_threshold):
    """Which detections find a free object: of those the one that each overlaps most."""
    free, right = [np.ones(len(each), dtype=bool) for each in objects], []
    for _, image, box in detections:
        overlaps = np.where(free[image], true_iou(box[np.newaxis], objects[image])[0], -1.0)
        hit = overlaps.max(initial=-1.0) >= iou_threshold
        if hit:
            free[image][overlaps.argmax()] = False
        right.append(hit)
    return np.array(right, dtype=bool)


def labels_of(truth):
    return sorted({int(label) for each in truth for label in each["labels"]})


def curve(right, count):
    found = np.cumsum(right)
    return found / count, found / np.arange(1, len(right) + 1)


def judged(predictions, truth, iou_threshold, match=greedy, area=exact_area, labels=labels_of):
    """mAP with a part exchanged."""
    areas = []
    for label in labels(truth):
        detections, objects = of_label(predictions, truth, label)
        areas.append(area(*curve(match(detections, objects, iou_threshold), sum(map(len, objects)))))
    return np.mean(areas) if areas else 0.0


@misconception(
    MAP,
    "A second box on the same object counts as right: an object is found once, and every further box on it is a false positive.",
)
def map_duplicates_count(predictions, ground_truth, iou_threshold=0.5):
    def match(detections, objects, threshold):
        return np.array(
            [
                true_iou(box[np.newaxis], objects[image])[0].max(initial=-1.0) >= threshold
                for _, image, box in detections
            ],
            dtype=bool,
        )

    def area(recall, precision):
        return exact_area(np.minimum(recall, 1.0), precision)

    return judged(predictions, ground_truth, iou_threshold, match, area)


@misconception(
    MAP,
    "A second box on an object is let go: it is a false positive and lowers the precision.",
)
def map_duplicates_are_ignored(predictions, ground_truth, iou_threshold=0.5):
    areas = []
    for label in labels_of(ground_truth):
        detections, objects = of_label(predictions, ground_truth, label)
        right = greedy(detections, objects, iou_threshold)
        near = map_any_overlap(detections, objects, iou_threshold)
        areas.append(exact_area(*curve(right[right | ~near], sum(map(len, objects)))))
    return np.mean(areas) if areas else 0.0


def map_any_overlap(detections, objects, iou_threshold):
    return np.array(
        [
            true_iou(box[np.newaxis], objects[image])[0].max(initial=-1.0) >= iou_threshold
            for _, image, box in detections
        ],
        dtype=bool,
    )


@misconception(
    MAP,
    "A detection looks at the one object that it overlaps most, and is wrong when that is taken, as PASCAL VOC did it. "
    "With COCO's matching it takes the best of the *free* ones.",
)
def map_best_though_taken(predictions, ground_truth, iou_threshold=0.5):
    def match(detections, objects, threshold):
        free, right = [np.ones(len(each), dtype=bool) for each in objects], []
        for _, image, box in detections:
            overlaps = true_iou(box[np.newaxis], objects[image])[0]
            hit = bool(len(overlaps) and overlaps.max() >= threshold and free[image][overlaps.argmax()])
            if hit:
                free[image][overlaps.argmax()] = False
            right.append(hit)
        return np.array(right, dtype=bool)

    return judged(predictions, ground_truth, iou_threshold, match)


@misconception(
    MAP,
    "A detection takes the *first* free object that it overlaps enough: it takes the one that it overlaps most.",
)
def map_first_enough(predictions, ground_truth, iou_threshold=0.5):
    def match(detections, objects, threshold):
        free, right = [np.ones(len(each), dtype=bool) for each in objects], []
        for _, image, box in detections:
            enough = free[image] & (true_iou(box[np.newaxis], objects[image])[0] >= threshold)
            if enough.any():
                free[image][enough.argmax()] = False
            right.append(enough.any())
        return np.array(right, dtype=bool)

    return judged(predictions, ground_truth, iou_threshold, match)


@misconception(
    MAP,
    "An object is taken by the box that fits it best: it is the box with the higher *score* that chooses first.",
)
def map_best_fit_first(predictions, ground_truth, iou_threshold=0.5):
    def match(detections, objects, threshold):
        right = np.zeros(len(detections), dtype=bool)
        for image, own in enumerate(objects):
            places = [place for place, one in enumerate(detections) if one[1] == image]
            if places and len(own):
                overlaps = true_iou(np.array([detections[place][2] for place in places]), own)
                for column in overlaps.T:
                    if column.max() >= threshold:
                        right[places[column.argmax()]] = True
                        overlaps[column.argmax()] = -1.0
        return right

    return judged(predictions, ground_truth, iou_threshold, match)


@misconception(MAP, "An IoU of exactly the threshold is not enough in your version: it is, `>=`.")
def map_above_the_threshold(predictions, ground_truth, iou_threshold=0.5):
    return judged(predictions, ground_truth, np.nextafter(iou_threshold, 2))


@misconception(MAP, "`iou_threshold` is not used: 0.5 is only what it is when nobody says otherwise.")
def map_fixed_threshold(predictions, ground_truth, iou_threshold=0.5):
    return judged(predictions, ground_truth, 0.5)


@misconception(
    MAP,
    "Each image has an average precision of its own here, and their mean is taken: put the detections of all images into one ranking.",
)
def map_image_by_image(predictions, ground_truth, iou_threshold=0.5):
    areas = []
    for label in labels_of(ground_truth):
        own = []
        for given, truth in zip(predictions, ground_truth, strict=True):
            detections, objects = of_label([given], [truth], label)
            if len(objects[0]):
                own.append(exact_area(*curve(greedy(detections, objects, iou_threshold), len(objects[0]))))
        areas.append(np.mean(own))
    return np.mean(areas) if areas else 0.0


@misconception(
    MAP,
    "The images stand one after the other in the ranking: sort the detections of *all* images by score, together.",
)
def map_sorted_in_images(predictions, ground_truth, iou_threshold=0.5):
    areas = []
    for label in labels_of(ground_truth):
        detections, objects = of_label(predictions, ground_truth, label)
        detections.sort(key=lambda one: one[1])
        areas.append(exact_area(*curve(greedy(detections, objects, iou_threshold), sum(map(len, objects)))))
    return np.mean(areas) if areas else 0.0


@misconception(MAP, "The detections are not ranked: sort them by score, best first.")
def map_unsorted(predictions, ground_truth, iou_threshold=0.5):
    numbered = [
        {**each, "scores": -np.arange(len(each["scores"]), dtype=float) - 1e3 * image}
        for image, each in enumerate(predictions)
    ]
    return judged(numbered, ground_truth, iou_threshold)


@misconception(MAP, "The worst detections come first: rank by falling score.")
def map_worst_first(predictions, ground_truth, iou_threshold=0.5):
    turned = [{**each, "scores": -each["scores"]} for each in predictions]
    return judged(turned, ground_truth, iou_threshold)


@misconception(
    MAP, "Boxes are held against the objects of all images: a detection can find only what is in its own."
)
def map_across_images(predictions, ground_truth, iou_threshold=0.5):
    def pooled(images, keys):
        parts = {key: [each[key] for each in images] for key in keys}
        return [
            {
                key: np.concatenate([*some, np.zeros((0, 4) if key == "boxes" else 0)])
                for key, some in parts.items()
            }
        ]

    predicted = pooled(predictions, ("boxes", "scores", "labels"))
    return judged(predicted, pooled(ground_truth, ("boxes", "labels")), iou_threshold)


@misconception(
    MAP,
    "A class that has no object counts with 0 when something was predicted for it: classes without ground truth are left out of the mean.",
)
def map_classes_without_truth(predictions, ground_truth, iou_threshold=0.5):
    areas = []
    for label in sorted({int(label) for each in [*predictions, *ground_truth] for label in each["labels"]}):
        detections, objects = of_label(predictions, ground_truth, label)
        count = sum(map(len, objects))
        right = greedy(detections, objects, iou_threshold)
        areas.append(exact_area(*curve(right, count)) if count else 0.0)
    return np.mean(areas) if areas else 0.0


@misconception(
    MAP,
    "A class of which nothing was predicted is left out of the mean: it has objects, and none of them was found, so it counts with 0.",
)
def map_unpredicted_left_out(predictions, ground_truth, iou_threshold=0.5):
    predicted = {int(label) for each in predictions for label in each["labels"]}

    def labels(truth):
        return [label for label in labels_of(truth) if label in predicted]

    return judged(predictions, ground_truth, iou_threshold, labels=labels)


@misconception(
    MAP,
    "The classes are numbered from 0 to the largest label, and those that do not occur count with 0: they are left out of the mean.",
)
def map_all_numbers(predictions, ground_truth, iou_threshold=0.5):
    known = labels_of(ground_truth)
    total = judged(predictions, ground_truth, iou_threshold) * len(known)
    return total / (max(known) + 1) if known else 0.0


@misconception(MAP, "Labels are not looked at: a box finds an object only if both have the same label.")
def map_class_blind(predictions, ground_truth, iou_threshold=0.5):
    def one_class(images):
        return [{**each, "labels": np.zeros(len(each["labels"]), dtype=int)} for each in images]

    return judged(one_class(predictions), one_class(ground_truth), iou_threshold)


@misconception(
    MAP,
    "The classes are put into one ranking: each class has an average precision of its own, and the mean is taken at the end.",
)
def map_one_ranking_of_classes(predictions, ground_truth, iou_threshold=0.5):
    scores, right, count = [], [], 0
    for label in labels_of(ground_truth):
        detections, objects = of_label(predictions, ground_truth, label)
        scores += [one[0] for one in detections]
        right += greedy(detections, objects, iou_threshold).tolist()
        count += sum(map(len, objects))
    order = np.argsort(-np.array(scores), kind="stable")
    return exact_area(*curve(np.array(right, dtype=bool)[order], count)) if count else 0.0


@misconception(
    MAP,
    "Recall is divided by the objects that were found: divide by all objects of the class, found or not.",
)
def map_recall_of_the_found(predictions, ground_truth, iou_threshold=0.5):
    areas = []
    for label in labels_of(ground_truth):
        detections, objects = of_label(predictions, ground_truth, label)
        right = greedy(detections, objects, iou_threshold)
        areas.append(exact_area(*curve(right, right.sum())) if right.any() else 0.0)
    return np.mean(areas) if areas else 0.0


@misconception(MAP, "The area is taken without the envelope: use your `average_precision`.")
def map_without_envelope(predictions, ground_truth, iou_threshold=0.5):
    return judged(predictions, ground_truth, iou_threshold, area=ap_without_envelope.wrong)


@misconception(
    MAP, "The curve is read at eleven recalls, as PASCAL VOC did until 2009: use your `average_precision`."
)
def map_eleven_points(predictions, ground_truth, iou_threshold=0.5):
    return judged(predictions, ground_truth, iou_threshold, area=ap_eleven_points.wrong)


@misconception(
    MAP,
    "The curve is read at 101 recalls, as COCO's program does it: use your `average_precision`, which is exact.",
)
def map_hundred_and_one_points(predictions, ground_truth, iou_threshold=0.5):
    return judged(predictions, ground_truth, iou_threshold, area=ap_hundred_and_one_points.wrong)


@misconception(
    MAP, "That is precision at the end of the ranking: average precision looks at every place of it."
)
def map_last_precision(predictions, ground_truth, iou_threshold=0.5):
    def area(recall, precision):
        return precision[-1] if len(precision) else 0.0

    return judged(predictions, ground_truth, iou_threshold, area=area)


@misconception(MAP, "The mean of no classes is NaN: where there is no object at all, say 0.")
def map_nan(predictions, ground_truth, iou_threshold=0.5):
    if not labels_of(ground_truth):
        return np.nan
    return judged(predictions, ground_truth, iou_threshold)


COCO = "coco_mean_average_precision.coco_mean_average_precision"


def averaged(predictions, truth, thresholds, **parts):
    return np.mean([judged(predictions, truth, threshold, **parts) for threshold in thresholds])


@misconception(COCO, "That is mAP at 0.5 alone: take the mean over ten thresholds.")
def coco_one_threshold(predictions, ground_truth):
    return judged(predictions, ground_truth, 0.5)


@misconception(COCO, "The last threshold, 0.95, is missing: there are ten.")
def coco_without_the_last(predictions, ground_truth):
    return averaged(predictions, ground_truth, np.linspace(0.5, 0.9, 9))


@misconception(COCO, "A threshold of 1.0 is in it, which no box reaches: the last one is 0.95.")
def coco_with_one(predictions, ground_truth):
    return averaged(predictions, ground_truth, np.linspace(0.5, 1.0, 11))


@misconception(COCO, "The thresholds are a tenth apart: they go in steps of 0.05.")
def coco_tenths(predictions, ground_truth):
    return averaged(predictions, ground_truth, [0.5, 0.6, 0.7, 0.8, 0.9])


@misconception(COCO, "`np.linspace(0.5, 0.95)` makes fifty numbers: say that you want ten.")
def coco_fifty(predictions, ground_truth):
    return averaged(predictions, ground_truth, np.linspace(0.5, 0.95))


@misconception(
    COCO,
    "The curve is read at 101 recalls, as COCO's program does it: use your `average_precision`, which is exact.",
)
def coco_hundred_and_one_points(predictions, ground_truth):
    return averaged(
        predictions, ground_truth, np.linspace(0.5, 0.95, 10), area=ap_hundred_and_one_points.wrong
    )


@misconception(COCO, "The thresholds begin at 0.05: the first one is 0.50.")
def coco_from_zero(predictions, ground_truth):
    return averaged(predictions, ground_truth, np.linspace(0.05, 0.95, 19))
