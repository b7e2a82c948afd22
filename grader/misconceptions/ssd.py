"""Well-known wrong answers to the assignment `ssd`."""

import numpy as np

from grader.exercise import misconception

VARIANCES_FORGOTTEN = (
    "The variances are missing: shifts are divided by the first of them, logarithms by the second."
)
OVERFLOWS = "`exp` overflows for large logits: take each row's maximum off before it."


def corners_of(boxes):
    return np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], axis=1)


def centres_of(boxes):
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def iou(a, b):
    sides = np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])
    common = np.prod(np.maximum(sides, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b)]
    return common / (areas[0][:, None] + areas[1] - common)


def nms(boxes, scores, iou_threshold):
    left, kept = np.argsort(-scores, kind="stable"), []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        left = left[iou(boxes[[best]], boxes[left])[0] <= iou_threshold]
    return np.array(kept, dtype=int)


@misconception(
    "box_scales.box_scales",
    "You divided by the number of maps. From the first map to the last there is one step fewer than maps: divide by maps - 1.",
)
def a_step_for_each_map(maps, smallest=0.2, largest=0.9):
    return smallest + (largest - smallest) * np.arange(maps + 1) / maps


@misconception(
    "box_scales.box_scales",
    "The last scale is missing, the one beyond `largest`: the extra square of the last map needs it.",
)
def without_the_next_scale(maps, smallest=0.2, largest=0.9):
    return np.linspace(smallest, largest, maps)


@misconception(
    "box_scales.box_scales",
    "The last scale is 1, the whole picture. It should lie one step beyond `largest`, like every other beyond the one before it.",
)
def ends_with_the_whole(maps, smallest=0.2, largest=0.9):
    return np.append(np.linspace(smallest, largest, maps), 1.0)


@misconception(
    "box_scales.box_scales",
    "The counting begins one step too late: the first map's scale is `smallest` itself, so k - 1 stands in the formula.",
)
def counted_from_one(maps, smallest=0.2, largest=0.9):
    return smallest + (largest - smallest) * np.arange(1, maps + 2) / (maps - 1)


def pair_of(size):
    return (size, size) if np.ndim(size) == 0 else tuple(size)


def by_ratio(scale, following, ratios):
    shapes = [(scale * np.sqrt(ratio), scale / np.sqrt(ratio)) for ratio in ratios]
    return [*shapes, (np.sqrt(scale * following),) * 2]


def in_the_middle(i, j, rows, columns):
    return (j + 0.5) / columns, (i + 0.5) / rows


def laid_out(feature_sizes, scales, ratios, shapes_of=by_ratio, centre=in_the_middle):
    boxes = []
    for k, size in enumerate(feature_sizes):
        rows, columns = pair_of(size)
        shapes = shapes_of(scales[k], scales[k + 1], ratios)
        for i in range(rows):
            for j in range(columns):
                boxes += [(*centre(i, j, rows, columns), w, h) for w, h in shapes]
    return np.array(boxes)


DEFAULT = "default_boxes.default_boxes"


@misconception(
    DEFAULT,
    "Your ratios are height to width. Here r = w/h: the width is multiplied by the root, the height divided.",
)
def ratio_inverted(feature_sizes, scales, aspect_ratios):
    ratios = [1 / ratio for ratio in aspect_ratios]
    return laid_out(feature_sizes, scales, ratios)


@misconception(
    DEFAULT,
    "The ratio goes in without its root: then w/h is the square of r. Half of it, so to speak, belongs to each side.",
)
def ratio_without_root(feature_sizes, scales, aspect_ratios):
    ratios = [ratio**2 for ratio in aspect_ratios]
    return laid_out(feature_sizes, scales, ratios)


@misconception(
    DEFAULT,
    "Only the width follows the ratio, so the boxes have different areas. Multiply the width by the root of r and divide the "
    "height by it.",
)
def only_the_width(feature_sizes, scales, aspect_ratios):
    def shapes(scale, following, ratios):
        return [*((scale * ratio, scale) for ratio in ratios), (np.sqrt(scale * following),) * 2]

    return laid_out(feature_sizes, scales, aspect_ratios, shapes)


@misconception(
    DEFAULT,
    "The extra square is as large as the mean of the two scales. It is their geometric mean: the root of their product.",
)
def extra_at_the_mean(feature_sizes, scales, aspect_ratios):
    def shapes(scale, following, ratios):
        return [*by_ratio(scale, following, ratios)[:-1], ((scale + following) / 2,) * 2]

    return laid_out(feature_sizes, scales, aspect_ratios, shapes)


@misconception(
    DEFAULT, "The extra square has the next map's scale. It lies between the two: the root of their product."
)
def extra_at_the_next(feature_sizes, scales, aspect_ratios):
    def shapes(scale, following, ratios):
        return [*by_ratio(scale, following, ratios)[:-1], (following,) * 2]

    return laid_out(feature_sizes, scales, aspect_ratios, shapes)


@misconception(
    DEFAULT,
    "The extra square is the product of the two scales without the root: far too small. Take the root.",
)
def extra_without_root(feature_sizes, scales, aspect_ratios):
    def shapes(scale, following, ratios):
        return [*by_ratio(scale, following, ratios)[:-1], (scale * following,) * 2]

    return laid_out(feature_sizes, scales, aspect_ratios, shapes)


@misconception(
    DEFAULT,
    "The extra square mixes this map's scale with the one *before*. It goes with the next one, which is why there is one more "
    "scale than maps.",
)
def extra_with_the_scale_before(feature_sizes, scales, aspect_ratios):
    before = [scales[0], *scales[:-1]]
    boxes = []
    for k, size in enumerate(feature_sizes):
        rows, columns = pair_of(size)
        shapes = by_ratio(scales[k], before[k], aspect_ratios)
        for i in range(rows):
            for j in range(columns):
                boxes += [(*in_the_middle(i, j, rows, columns), w, h) for w, h in shapes]
    return np.array(boxes)


@misconception(DEFAULT, "The extra square is missing: each cell has one box more than there are ratios.")
def no_extra(feature_sizes, scales, aspect_ratios):
    return laid_out(feature_sizes, scales, aspect_ratios, lambda *given: by_ratio(*given)[:-1])


@misconception(
    DEFAULT, "The extra square comes last, after the boxes of all ratios; yours stands before them."
)
def extra_first(feature_sizes, scales, aspect_ratios):
    def shapes(*given):
        *others, extra = by_ratio(*given)
        return [extra, *others]

    return laid_out(feature_sizes, scales, aspect_ratios, shapes)


@misconception(
    DEFAULT,
    "The centres lie on the corners of the cells: half a cell is missing. The middle of cell j is at (j + 0.5) / columns.",
)
def centres_on_corners(feature_sizes, scales, aspect_ratios):
    return laid_out(
        feature_sizes, scales, aspect_ratios, centre=lambda i, j, rows, columns: (j / columns, i / rows)
    )


@misconception(
    DEFAULT,
    "The first and the last centre lie on the border of the picture, as `linspace` puts them. Each cell has its centre in its own "
    "middle: (j + 0.5) / columns.",
)
def from_border_to_border(feature_sizes, scales, aspect_ratios):
    def centre(i, j, rows, columns):
        return np.linspace(0, 1, columns)[j], np.linspace(0, 1, rows)[i]

    return laid_out(feature_sizes, scales, aspect_ratios, centre=centre)


@misconception(
    DEFAULT,
    "Row and column are exchanged in the centres: x goes with the column, y with the row, and each row is finished before the "
    "next.",
)
def rows_for_columns(feature_sizes, scales, aspect_ratios):
    def centre(i, j, rows, columns):
        return (i + 0.5) / rows, (j + 0.5) / columns

    return laid_out(feature_sizes, scales, aspect_ratios, centre=centre)


@misconception(
    DEFAULT,
    "You finish each column before the next one. A network's maps are laid out row by row: the column counts fastest.",
)
def column_by_column(feature_sizes, scales, aspect_ratios):
    boxes = []
    for k, size in enumerate(feature_sizes):
        rows, columns = pair_of(size)
        for j in range(columns):
            for i in range(rows):
                for w, h in by_ratio(scales[k], scales[k + 1], aspect_ratios):
                    boxes.append((*in_the_middle(i, j, rows, columns), w, h))
    return np.array(boxes)


@misconception(DEFAULT, "A pair is (rows, columns), height first; you took the first number for the columns.")
def columns_first(feature_sizes, scales, aspect_ratios):
    return laid_out([pair_of(size)[::-1] for size in feature_sizes], scales, aspect_ratios)


@misconception(
    DEFAULT,
    "All boxes of one shape come together, then those of the next. All shapes of a cell belong together: the shape counts fastest.",
)
def shape_by_shape(feature_sizes, scales, aspect_ratios):
    boxes = []
    for k, size in enumerate(feature_sizes):
        rows, columns = pair_of(size)
        for w, h in by_ratio(scales[k], scales[k + 1], aspect_ratios):
            for i in range(rows):
                for j in range(columns):
                    boxes.append((*in_the_middle(i, j, rows, columns), w, h))
    return np.array(boxes)


@misconception(
    DEFAULT,
    "The extra squares of a map come together, after all its other boxes. All shapes of a cell belong together, the square with them.",
)
def extras_after_the_map(feature_sizes, scales, aspect_ratios):
    maps = []
    for k, size in enumerate(feature_sizes):
        boxes = laid_out([size], scales[k : k + 2], aspect_ratios)
        extra = np.arange(len(boxes)) % (len(aspect_ratios) + 1) == len(aspect_ratios)
        maps += [boxes[~extra], boxes[extra]]
    return np.concatenate(maps)


@misconception(
    DEFAULT, "The numbers are clipped to 0..1. Default boxes may reach beyond the picture: leave them whole."
)
def clipped(feature_sizes, scales, aspect_ratios):
    return np.clip(laid_out(feature_sizes, scales, aspect_ratios), 0, 1)


@misconception(DEFAULT, "These are corners. Default boxes are given by centre and sides, (cx, cy, w, h).")
def as_corners(feature_sizes, scales, aspect_ratios):
    return corners_of(laid_out(feature_sizes, scales, aspect_ratios))


MATCH = "match_boxes.match_boxes"


def by_threshold(overlaps, threshold):
    if overlaps.shape[1] == 0:
        return np.full(len(overlaps), -1)
    return np.where(overlaps.max(axis=1) >= threshold, overlaps.argmax(axis=1), -1)


def kept(index, overlaps):
    for box, default in enumerate(overlaps.argmax(axis=0)):
        index[default] = box
    return index


@misconception(
    MATCH,
    "Only the threshold is at work: an object that no default box overlaps well enough is never found. Let each object keep its "
    "best box.",
)
def threshold_alone(defaults, gt_boxes, threshold=0.5):
    return by_threshold(iou(corners_of(defaults), gt_boxes), threshold)


@misconception(
    MATCH,
    "Each object keeps its best default box, and no other box is matched. Those that overlap an object by the threshold are "
    "positives too.",
)
def bipartite_alone(defaults, gt_boxes, threshold=0.5):
    return kept(np.full(len(defaults), -1), iou(corners_of(defaults), gt_boxes))


@misconception(
    MATCH,
    "The threshold comes last and takes boxes from the objects that keep them. What an object keeps stays with it: let the "
    "second rule write over the first.",
)
def threshold_writes_over(defaults, gt_boxes, threshold=0.5):
    overlaps = iou(corners_of(defaults), gt_boxes)
    first = kept(np.full(len(defaults), -1), overlaps)
    then = by_threshold(overlaps, threshold)
    return np.where(then >= 0, then, first)


@misconception(
    MATCH,
    "A default box takes the first object that it overlaps by the threshold. It should take the one that it overlaps *most*.",
)
def first_object(defaults, gt_boxes, threshold=0.5):
    overlaps = iou(corners_of(defaults), gt_boxes)
    enough = overlaps >= threshold
    if not len(gt_boxes):
        return np.full(len(defaults), -1)
    return kept(np.where(enough.any(axis=1), enough.argmax(axis=1), -1), overlaps)


@misconception(
    MATCH,
    "Each object writes its number on every box that it overlaps by the threshold, so the last one wins. A box takes the object "
    "that it overlaps *most*.",
)
def last_object(defaults, gt_boxes, threshold=0.5):
    overlaps = iou(corners_of(defaults), gt_boxes)
    index = np.full(len(defaults), -1)
    for box in range(len(gt_boxes)):
        index[overlaps[:, box] >= threshold] = box
    return kept(index, overlaps)


@misconception(
    MATCH,
    "Of two objects with the same best default box the later one gets it; with you the earlier one keeps it.",
)
def earlier_keeps(defaults, gt_boxes, threshold=0.5):
    overlaps = iou(corners_of(defaults), gt_boxes)
    index = by_threshold(overlaps, threshold)
    best = overlaps.argmax(axis=0)
    for box in reversed(range(len(gt_boxes))):
        index[best[box]] = box
    return index


@misconception(
    MATCH,
    "Of two objects with the same best default box you let the one that overlaps it more have it. The rule is simpler: the later "
    "one gets it.",
)
def better_keeps(defaults, gt_boxes, threshold=0.5):
    overlaps = iou(corners_of(defaults), gt_boxes)
    index = by_threshold(overlaps, threshold)
    best = overlaps.argmax(axis=0)
    for box in sorted(range(len(gt_boxes)), key=lambda box: overlaps[best[box], box]):
        index[best[box]] = box
    return index


@misconception(
    MATCH,
    "You give an object its second best box where the best one is taken. Here every object asks for its best one only, and the "
    "later one gets it.",
)
def one_each(defaults, gt_boxes, threshold=0.5):
    overlaps = iou(corners_of(defaults), gt_boxes)
    index = by_threshold(overlaps, threshold)
    left = overlaps.copy()
    for _ in range(min(left.shape)):
        default, box = np.unravel_index(left.argmax(), left.shape)
        index[default] = box
        left[default], left[:, box] = -1, -1
    return index


@misconception(MATCH, "An IoU of exactly the threshold is enough: `>=`, not `>`.")
def above_the_threshold(defaults, gt_boxes, threshold=0.5):
    overlaps = iou(corners_of(defaults), gt_boxes)
    return kept(by_threshold(overlaps, np.nextafter(threshold, 2)), overlaps)


@misconception(
    MATCH,
    "The default boxes are taken for corners. They are given by centre and sides: convert them before you take the IoU.",
)
def defaults_as_corners(defaults, gt_boxes, threshold=0.5):
    with np.errstate(all="ignore"):
        overlaps = np.nan_to_num(iou(defaults, gt_boxes))
    return kept(by_threshold(overlaps, threshold), overlaps)


@misconception(MATCH, "0 is the first object. A default box without an object gets -1.")
def background_is_0(defaults, gt_boxes, threshold=0.5):
    overlaps = iou(corners_of(defaults), gt_boxes)
    return kept(by_threshold(overlaps, threshold), overlaps) + 1


@misconception(MATCH, "The threshold is always 0.5 with you: use the argument.")
def threshold_ignored(defaults, gt_boxes, threshold=0.5):
    overlaps = iou(corners_of(defaults), gt_boxes)
    return kept(by_threshold(overlaps, 0.5), overlaps)


ENCODE = "encode_ssd.encode_ssd"


def encoded(box, defaults, variances):
    shift = (box[:, :2] - defaults[:, :2]) / defaults[:, 2:]
    growth = np.log(box[:, 2:] / defaults[:, 2:])
    return np.concatenate([shift / variances[0], growth / variances[1]], axis=1)


@misconception(ENCODE, VARIANCES_FORGOTTEN)
def encoded_without_variances(boxes, defaults, variances=(0.1, 0.2)):
    return encoded(centres_of(boxes), defaults, (1, 1))


@misconception(ENCODE, "You multiplied by the variances. Encoding divides by them, decoding multiplies.")
def encoded_times_variances(boxes, defaults, variances=(0.1, 0.2)):
    return encoded(centres_of(boxes), defaults, (1 / variances[0], 1 / variances[1]))


@misconception(
    ENCODE, "The variances are exchanged: the first belongs to the centres, the second to the sides."
)
def variances_exchanged(boxes, defaults, variances=(0.1, 0.2)):
    return encoded(centres_of(boxes), defaults, variances[::-1])


@misconception(
    ENCODE,
    "The first of the two variances is used for all four numbers; the sides have one of their own, the second.",
)
def one_variance(boxes, defaults, variances=(0.1, 0.2)):
    return encoded(centres_of(boxes), defaults, (variances[0], variances[0]))


@misconception(
    ENCODE, "The objects come by their corners; you took the corner for the centre. Convert them first."
)
def objects_as_centres(boxes, defaults, variances=(0.1, 0.2)):
    sides = boxes[:, 2:] - boxes[:, :2]
    return encoded(np.concatenate([boxes[:, :2], sides], axis=1), defaults, variances)


@misconception(
    ENCODE,
    "The shift is divided by the object's sides. The network does not know those yet: divide by the default box's.",
)
def shift_in_sides_of_the_object(boxes, defaults, variances=(0.1, 0.2)):
    box = centres_of(boxes)
    t = encoded(box, defaults, variances)
    t[:, :2] *= defaults[:, 2:] / box[:, 2:]
    return t


@misconception(
    ENCODE,
    "The shift is not divided by the sides of the default box: a step would mean the same for large boxes and small.",
)
def shift_in_the_picture(boxes, defaults, variances=(0.1, 0.2)):
    t = encoded(centres_of(boxes), defaults, variances)
    t[:, :2] *= defaults[:, 2:]
    return t


@misconception(
    ENCODE, "The logarithm of the sides is missing: a box that fits should give 0, and yours gives 1."
)
def sides_without_logarithm(boxes, defaults, variances=(0.1, 0.2)):
    box = centres_of(boxes)
    t = encoded(box, defaults, variances)
    t[:, 2:] = box[:, 2:] / defaults[:, 2:] / variances[1]
    return t


@misconception(ENCODE, "The sign is turned round: the numbers lead from the default box to the object.")
def encoded_backwards(boxes, defaults, variances=(0.1, 0.2)):
    return -encoded(centres_of(boxes), defaults, variances)


MINE = "hard_negative_mining.hard_negative_mining"


def largest(losses, positives, count):
    order = np.argsort(np.where(positives, np.inf, -losses), kind="stable")
    mask = np.zeros(len(losses), bool)
    mask[order[: min(count, (~positives).sum())]] = True
    return mask


@misconception(
    MINE, "Positives are sorted with the negatives and take their places. Take them out before you sort."
)
def positives_in_the_way(losses, positives, ratio=3):
    order = np.argsort(-losses)
    mask = np.zeros(len(losses), bool)
    mask[order[: ratio * positives.sum()]] = True
    return mask & ~positives


@misconception(MINE, "Positives are mined too. They count anyway: mark negatives only.")
def positives_mined(losses, positives, ratio=3):
    order = np.argsort(-losses)
    mask = np.zeros(len(losses), bool)
    mask[order[: ratio * positives.sum()]] = True
    return mask


@misconception(
    MINE,
    "Where negatives run out, positives are marked: setting their losses to 0 only moves them to the end. There are no more to "
    "take than there are negatives.",
)
def runs_over(losses, positives, ratio=3):
    order = np.argsort(-np.where(positives, 0, losses))
    mask = np.zeros(len(losses), bool)
    mask[order[: ratio * positives.sum()]] = True
    return mask


@misconception(
    MINE,
    "These are the *smallest* losses: the easy negatives, which teach nothing more. Sort from the largest down.",
)
def easiest(losses, positives, ratio=3):
    return largest(-losses, positives, ratio * positives.sum())


@misconception(
    MINE,
    "The number of negatives is ratio times the number of all boxes. It is ratio times the number of *positives*.",
)
def ratio_of_all(losses, positives, ratio=3):
    return largest(losses, positives, ratio * len(losses))


@misconception(MINE, "Every negative is marked. Only the hardest count: `ratio` for each positive.")
def all_negatives(losses, positives, ratio=3):
    return ~np.asarray(positives, bool)


@misconception(
    MINE,
    "You mine at least one negative, or `ratio` of them, also where there is no positive. Then none counts.",
)
def some_without_positives(losses, positives, ratio=3):
    return largest(losses, positives, ratio * max(1, positives.sum()))


@misconception(MINE, "The ratio is always 3 with you: use the argument.")
def always_three(losses, positives, ratio=3):
    return largest(losses, positives, 3 * positives.sum())


@misconception(MINE, "As many negatives as positives are marked: the ratio is missing.")
def one_to_one(losses, positives, ratio=3):
    return largest(losses, positives, positives.sum())


@misconception(MINE, "These are numbers of boxes. A mask has an entry for each box, True or False.")
def indices_for_a_mask(losses, positives, ratio=3):
    return np.flatnonzero(largest(losses, positives, ratio * positives.sum()))


LOSS = "multibox_loss.multibox_loss"


def cross_entropy(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]


def smooth_l1(e):
    return np.where(np.abs(e) < 1, 0.5 * e**2, np.abs(e) - 0.5)


def parts(class_logits, locations, labels, targets, ratio):
    """Cross-entropies that count, smooth L1 of every box, which are positive."""
    positives = labels > 0
    entropy = cross_entropy(class_logits, labels)
    mined = largest(entropy, positives, ratio * positives.sum())
    return entropy[positives | mined], smooth_l1(locations - targets).sum(axis=1), positives


@misconception(
    LOSS,
    "You divided by the number of default boxes. It is the number of positives that both sums are divided by.",
)
def over_all_boxes(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    return (entropy.sum() + alpha * smooth[positives].sum()) / len(labels)


@misconception(
    LOSS,
    "The cross-entropy is divided by positives and mined negatives together. Both sums go over the positives alone.",
)
def entropy_over_those_that_count(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    if not positives.any():
        return 0.0
    return entropy.mean() + alpha * smooth[positives].sum() / positives.sum()


@misconception(
    LOSS,
    "The sums are not divided by the number of positives: a crowded picture would pull more than a quiet one.",
)
def not_divided(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    return entropy.sum() + alpha * smooth[positives].sum()


@misconception(LOSS, "Smooth L1 is the mean over the four numbers of a box. It is their sum.")
def mean_of_four(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    return (entropy.sum() + alpha * smooth[positives].sum() / 4) / max(1, positives.sum())


@misconception(
    LOSS,
    "The locations of negatives count too. A negative has no object to move to: sum over the positives only.",
)
def locations_of_all(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    return (entropy.sum() + alpha * smooth.sum()) / positives.sum() if positives.any() else 0.0


@misconception(LOSS, "All negatives count. Only those that `hard_negative_mining` picks take part.")
def no_mining(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    _, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    entropy = cross_entropy(class_logits, labels)
    return (entropy.sum() + alpha * smooth[positives].sum()) / positives.sum() if positives.any() else 0.0


@misconception(
    LOSS,
    "Only the positives' classes count: then nothing teaches the network what background is. Add the mined negatives.",
)
def positives_only(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    _, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    entropy = cross_entropy(class_logits, labels)[positives]
    return (entropy.sum() + alpha * smooth[positives].sum()) / max(1, positives.sum())


@misconception(LOSS, OVERFLOWS)
def unstable(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    positives = labels > 0
    if not positives.any():
        return 0.0
    e = np.exp(class_logits)
    entropy = -np.log((e / e.sum(axis=1, keepdims=True))[np.arange(len(labels)), labels])
    mined = largest(entropy, positives, ratio * positives.sum())
    smooth = smooth_l1(locations - targets)[positives]
    return (entropy[positives | mined].sum() + alpha * smooth.sum()) / positives.sum()


@misconception(
    LOSS,
    "The probabilities are clipped before the logarithm: beyond the clip a mistake costs no more and has no slope. Take the logit "
    "less the logarithm of the sum instead.",
)
def clipped_probabilities(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    _, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    if not positives.any():
        return 0.0
    entropy = -np.log(np.clip(np.exp(-cross_entropy(class_logits, labels)), 1e-7, 1))
    mined = largest(entropy, positives, ratio * positives.sum())
    return (entropy[positives | mined].sum() + alpha * smooth[positives].sum()) / positives.sum()


@misconception(
    LOSS,
    "Positives and negatives each have a mean of their own. Add up the cross-entropies of both, and divide by the number of "
    "positives.",
)
def two_means(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    _, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    if not positives.any():
        return 0.0
    entropy = cross_entropy(class_logits, labels)
    mined = largest(entropy, positives, ratio * positives.sum())
    of_negatives = entropy[mined].mean() if mined.any() else 0.0
    return entropy[positives].mean() + of_negatives + alpha * smooth[positives].sum() / positives.sum()


@misconception(LOSS, "`alpha` has no effect: it weighs the locations.")
def alpha_forgotten(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    return (entropy.sum() + smooth[positives].sum()) / max(1, positives.sum())


@misconception(LOSS, "`alpha` weighs the whole loss, or the classes. It belongs to the locations alone.")
def alpha_for_the_classes(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    return (alpha * entropy.sum() + smooth[positives].sum()) / max(1, positives.sum())


@misconception(LOSS, "`ratio` has no effect: hand it on to `hard_negative_mining`.")
def ratio_forgotten(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, smooth, positives = parts(class_logits, locations, labels, targets, 3)
    return (entropy.sum() + alpha * smooth[positives].sum()) / max(1, positives.sum())


@misconception(
    LOSS, "That is the squared error. Smooth L1 is half the square up to 1, and a straight line beyond."
)
def squared(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, _, positives = parts(class_logits, locations, labels, targets, ratio)
    far = (locations - targets)[positives]
    return (entropy.sum() + alpha * np.sum(far**2)) / max(1, positives.sum())


@misconception(
    LOSS,
    "That is the plain absolute error. Below 1, smooth L1 is half the square, and beyond the absolute value less 1/2.",
)
def absolute(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, _, positives = parts(class_logits, locations, labels, targets, ratio)
    far = (locations - targets)[positives]
    return (entropy.sum() + alpha * np.abs(far).sum()) / max(1, positives.sum())


@misconception(
    LOSS, "The line of smooth L1 lies 1/2 too high: |e| - 1/2 meets the parabola at 1, |e| does not."
)
def line_without_the_half(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, _, positives = parts(class_logits, locations, labels, targets, ratio)
    far = np.abs(locations - targets)[positives]
    smooth = np.where(far < 1, 0.5 * far**2, far)
    return (entropy.sum() + alpha * smooth.sum()) / max(1, positives.sum())


@misconception(LOSS, "Without positives you divide 0 by 0. The loss is 0 then: ask first.")
def nothing_over_nothing(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    entropy, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    return (entropy.sum() + alpha * smooth[positives].sum()) / positives.sum()


@misconception(
    LOSS, "The mined negatives are the easiest ones: those whose cross-entropy is smallest. Take the largest."
)
def easy_negatives(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    _, smooth, positives = parts(class_logits, locations, labels, targets, ratio)
    entropy = cross_entropy(class_logits, labels)
    mined = largest(-entropy, positives, ratio * positives.sum())
    return (entropy[positives | mined].sum() + alpha * smooth[positives].sum()) / max(1, positives.sum())


DECODE = "decode_ssd.decode_ssd"


def moved(locations, defaults, variances):
    centres = defaults[:, :2] + variances[0] * locations[:, :2] * defaults[:, 2:]
    sides = defaults[:, 2:] * np.exp(variances[1] * locations[:, 2:])
    return corners_of(np.concatenate([centres, sides], axis=1))


def reported(corners, confidences, score_threshold, iou_threshold, top_k, first=1):
    """Class by class from column `first`, then the best of all."""
    places, labels = [], []
    for label in range(first, confidences.shape[1]):
        chosen = np.flatnonzero(confidences[:, label] >= score_threshold)
        stays = chosen[nms(corners[chosen], confidences[chosen, label], iou_threshold)]
        places += list(stays)
        labels += [label] * len(stays)
    return best_of(corners, confidences, places, labels, top_k)


def best_of(corners, confidences, places, labels, top_k):
    places, labels = np.array(places, dtype=int), np.array(labels, dtype=int)
    scores = confidences[places, labels]
    best = np.argsort(-scores, kind="stable")[:top_k]
    return corners[places[best]], scores[best], labels[best]


@misconception(
    DECODE, "The background is reported as if it were a class. Column 0 is for nothing: begin with 1."
)
def background_reported(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, variances)
    return reported(corners, confidences, score_threshold, iou_threshold, top_k, first=0)


@misconception(DECODE, "Your labels count from 0. Column 0 is the background, so the first class is 1.")
def labels_from_0(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, variances)
    boxes, scores, labels = reported(corners, confidences, score_threshold, iou_threshold, top_k)
    return boxes, scores, labels - 1


@misconception(
    DECODE,
    "Each default box reports only its best class. Every class whose score reaches the threshold may be reported: two objects can "
    "share a box.",
)
def best_class_only(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    best = np.eye(confidences.shape[1])[confidences[:, 1:].argmax(axis=1) + 1] > 0
    corners = moved(locations, defaults, variances)
    return reported(corners, np.where(best, confidences, -1), score_threshold, iou_threshold, top_k)


@misconception(
    DECODE,
    "A default box whose likeliest column is the background reports nothing. The score alone decides: whatever reaches the "
    "threshold is reported.",
)
def silenced_by_background(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    alive = confidences.argmax(axis=1) > 0
    corners = moved(locations, defaults, variances)
    return reported(corners, np.where(alive[:, None], confidences, -1), score_threshold, iou_threshold, top_k)


@misconception(
    DECODE,
    "The variances are missing: the network's numbers are multiplied by the first for shifts, by the second for sides.",
)
def decoded_without_variances(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, (1, 1))
    return reported(corners, confidences, score_threshold, iou_threshold, top_k)


@misconception(DECODE, "You divided by the variances. Encoding divides by them, decoding multiplies.")
def decoded_over_variances(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, (1 / variances[0], 1 / variances[1]))
    return reported(corners, confidences, score_threshold, iou_threshold, top_k)


@misconception(DECODE, "The variances are always 0.1 and 0.2 with you: use the argument.")
def variances_fixed(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, (0.1, 0.2))
    return reported(corners, confidences, score_threshold, iou_threshold, top_k)


@misconception(DECODE, "The shift is not multiplied by the sides of the default box: it is counted in those.")
def shifted_in_the_picture(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    sides = defaults[:, 2:] * np.exp(variances[1] * locations[:, 2:])
    centres = defaults[:, :2] + variances[0] * locations[:, :2]
    corners = corners_of(np.concatenate([centres, sides], axis=1))
    return reported(corners, confidences, score_threshold, iou_threshold, top_k)


@misconception(
    DECODE, "The exponential is missing in the sides: what was encoded by a logarithm comes back by `np.exp`."
)
def sides_without_exponential(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    sides = defaults[:, 2:] * (1 + variances[1] * locations[:, 2:])
    centres = defaults[:, :2] + variances[0] * locations[:, :2] * defaults[:, 2:]
    corners = corners_of(np.concatenate([centres, sides], axis=1))
    return reported(corners, confidences, score_threshold, iou_threshold, top_k)


@misconception(
    DECODE, "The boxes are given by centre and sides. Report them by their corners, (x1, y1, x2, y2)."
)
def reported_as_centres(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, variances)
    boxes, scores, labels = reported(corners, confidences, score_threshold, iou_threshold, top_k)
    return centres_of(boxes), scores, labels


@misconception(
    DECODE,
    "Boxes of different classes suppress each other. Suppress within a class: a cat may sit on a chair.",
)
def suppressed_across_classes(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, variances)
    places, columns = np.nonzero(confidences[:, 1:] >= score_threshold)
    stays = nms(corners[places], confidences[places, columns + 1], iou_threshold)
    return best_of(corners, confidences, places[stays], columns[stays] + 1, top_k)


@misconception(
    DECODE, "Nothing is suppressed: several boxes report the same object. Let `nms` choose within each class."
)
def nothing_suppressed(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, variances)
    places, columns = np.nonzero(confidences[:, 1:] >= score_threshold)
    return best_of(corners, confidences, places, columns + 1, top_k)


@misconception(
    DECODE,
    "The default boxes suppress each other before they have moved. It is the objects that overlap or not: decode first.",
)
def suppressed_before_moving(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    still, places, labels = corners_of(defaults), [], []
    for label in range(1, confidences.shape[1]):
        chosen = np.flatnonzero(confidences[:, label] >= score_threshold)
        stays = chosen[nms(still[chosen], confidences[chosen, label], iou_threshold)]
        places += list(stays)
        labels += [label] * len(stays)
    return best_of(moved(locations, defaults, variances), confidences, places, labels, top_k)


@misconception(
    DECODE, "The confidences are probabilities already: the softmax comes before `decode_ssd`, not in it."
)
def softmax_again(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    e = np.exp(confidences)
    shares = e / e.sum(axis=1, keepdims=True)
    return reported(moved(locations, defaults, variances), shares, score_threshold, iou_threshold, top_k)


@misconception(DECODE, "The suppression always goes by 0.45 with you: use `iou_threshold`.")
def usual_iou_threshold(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    return reported(moved(locations, defaults, variances), confidences, score_threshold, 0.45, top_k)


@misconception(DECODE, "`top_k` boxes of *each class* are reported. It is a limit for all classes together.")
def top_k_of_each_class(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, variances)
    places, labels = [], []
    for label in range(1, confidences.shape[1]):
        chosen = np.flatnonzero(confidences[:, label] >= score_threshold)
        stays = chosen[nms(corners[chosen], confidences[chosen, label], iou_threshold)][:top_k]
        places += list(stays)
        labels += [label] * len(stays)
    return best_of(corners, confidences, places, labels, None)


@misconception(
    DECODE,
    "You cut down to `top_k` before the suppression, and it takes some of those away. Cut what is left after it.",
)
def top_k_before_suppression(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    scores = np.sort(confidences[:, 1:], axis=None)[::-1]
    least = max(score_threshold, scores[min(top_k, len(scores)) - 1])
    return reported(moved(locations, defaults, variances), confidences, least, iou_threshold, top_k)


@misconception(DECODE, "`top_k` takes the first boxes, class by class. Sort all of them by score first.")
def top_k_unsorted(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, variances)
    boxes, scores, labels = reported(corners, confidences, score_threshold, iou_threshold, None)
    order = np.argsort(labels, kind="stable")[:top_k]
    return boxes[order], scores[order], labels[order]


@misconception(
    DECODE,
    "The boxes are cut off at the border of the picture. Leave them whole: whoever needs it may clip them.",
)
def clipped_to_the_picture(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = np.clip(moved(locations, defaults, variances), 0, 1)
    return reported(corners, confidences, score_threshold, iou_threshold, top_k)


TARGETS = "decode_ssd.ssd_targets"


def targeted(boxes, labels, defaults, threshold, variances):
    """Index of each default box's object, its label (that of the last where there is none), its encoding."""
    overlaps = iou(corners_of(defaults), boxes)
    index = kept(by_threshold(overlaps, threshold), overlaps)
    if not len(boxes):
        return index, np.zeros(len(defaults), int), np.zeros(defaults.shape)
    return index, labels[index], encoded(centres_of(boxes)[index], defaults, variances)


@misconception(
    TARGETS,
    "The -1 of `match_boxes` is used as an index, and NumPy's -1 is the *last* object: all background became its positives. Fill "
    "in the matched rows only.",
)
def last_for_none(boxes, labels, defaults, threshold=0.5, variances=(0.1, 0.2)):
    _, classes, targets = targeted(boxes, labels, defaults, threshold, variances)
    return classes, targets


@misconception(
    TARGETS,
    "The labels are right, but the targets of the background are those of the last object: NumPy's -1. Leave zeros there.",
)
def background_moves(boxes, labels, defaults, threshold=0.5, variances=(0.1, 0.2)):
    index, classes, targets = targeted(boxes, labels, defaults, threshold, variances)
    return np.where(index >= 0, classes, 0), targets


@misconception(
    TARGETS, "One was added to the labels. They begin with 1 already; 0 is free for the background."
)
def labels_plus_one(boxes, labels, defaults, threshold=0.5, variances=(0.1, 0.2)):
    index, classes, targets = targeted(boxes, labels, defaults, threshold, variances)
    matched = index >= 0
    return np.where(matched, classes + 1, 0), targets * matched[:, None]


@misconception(
    TARGETS,
    "These are the numbers of the objects, plus one. The network is to learn their classes: `labels[index]`.",
)
def objects_for_classes(boxes, labels, defaults, threshold=0.5, variances=(0.1, 0.2)):
    index, _, targets = targeted(boxes, labels, defaults, threshold, variances)
    return index + 1, targets * (index >= 0)[:, None]


@misconception(
    TARGETS, "The variances are always 0.1 and 0.2 with you: hand the argument on to `encode_ssd`."
)
def usual_variances(boxes, labels, defaults, threshold=0.5, variances=(0.1, 0.2)):
    index, classes, targets = targeted(boxes, labels, defaults, threshold, (0.1, 0.2))
    return np.where(index >= 0, classes, 0), targets * (index >= 0)[:, None]


@misconception(TARGETS, "The threshold is always 0.5 with you: hand the argument on to `match_boxes`.")
def usual_threshold(boxes, labels, defaults, threshold=0.5, variances=(0.1, 0.2)):
    index, classes, targets = targeted(boxes, labels, defaults, 0.5, variances)
    return np.where(index >= 0, classes, 0), targets * (index >= 0)[:, None]
