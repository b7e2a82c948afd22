"""Right answers to the assignment `boxes`, written differently from the solution."""

import math

import numpy as np

from tests.answers import right


@right("convert_boxes")
def convert_by_table(boxes, source, target):
    """Nine formulas."""
    p, q, r, s = np.asarray(boxes).T
    formulas = {
        ("xyxy", "xywh"): lambda: (p, q, r - p, s - q),
        ("xyxy", "cxcywh"): lambda: ((p + r) / 2, (q + s) / 2, r - p, s - q),
        ("xywh", "xyxy"): lambda: (p, q, p + r, q + s),
        ("xywh", "cxcywh"): lambda: (p + r / 2, q + s / 2, r, s),
        ("cxcywh", "xyxy"): lambda: (p - r / 2, q - s / 2, p + r / 2, q + s / 2),
        ("cxcywh", "xywh"): lambda: (p - 0.5 * r, q - 0.5 * s, r, s),
    }
    if source == target:
        return boxes
    return np.stack(formulas[source, target](), axis=-1)


@right("convert_boxes")
def convert_row_by_row(boxes, source, target, copy=True):
    rows = np.empty(np.shape(boxes), dtype=np.result_type(boxes, np.float32))
    for row, (x, y, w, h) in zip(rows, boxes, strict=True):
        if source == "xyxy":
            w, h = w - x, h - y
        elif source == "cxcywh":
            x, y = x - w / 2, y - h / 2
        if target == "xyxy":
            w, h = x + w, y + h
        elif target == "cxcywh":
            x, y = x + w / 2, y + h / 2
        row[:] = x, y, w, h
    return rows


@right("iou")
def iou_in_loops(a, b):
    table = np.zeros((len(a), len(b)))
    for i, (ax1, ay1, ax2, ay2) in enumerate(a):
        for j, (bx1, by1, bx2, by2) in enumerate(b):
            w, h = min(ax2, bx2) - max(ax1, bx1), min(ay2, by2) - max(ay1, by1)
            if w > 0 and h > 0:
                shared = float(w) * float(h)
                whole = float(ax2 - ax1) * float(ay2 - ay1) + float(bx2 - bx1) * float(by2 - by1) - shared
                table[i, j] = shared / whole
    return table


@right("iou")
def iou_by_columns(a, b, out=None):
    ax1, ay1, ax2, ay2 = (column[:, None] for column in a.T)
    bx1, by1, bx2, by2 = b.T
    shared = np.clip(np.minimum(ax2, bx2) - np.maximum(ax1, bx1), 0, None) * np.clip(
        np.minimum(ay2, by2) - np.maximum(ay1, by1), 0, None
    )
    whole = (ax2 - ax1).clip(0) * (ay2 - ay1).clip(0) + (bx2 - bx1).clip(0) * (by2 - by1).clip(0) - shared
    return np.divide(
        shared, whole, out=np.zeros(shared.shape, np.result_type(shared, np.float32)), where=whole > 0
    )


@right("iou")
def iou_by_inclusion(a, b):
    """Lengths in common as the sum of two lengths less that around both."""

    def shared(low_a, high_a, low_b, high_b):
        around = np.maximum.outer(high_a, high_b) - np.minimum.outer(low_a, low_b)
        return np.maximum(np.add.outer(high_a - low_a, high_b - low_b) - around, 0)

    a, b = np.asarray(a, float), np.asarray(b, float)
    sane_a, sane_b = ((each[:, 2:] > each[:, :2]).all(axis=1) for each in (a, b))
    both = shared(a[:, 0], a[:, 2], b[:, 0], b[:, 2]) * shared(a[:, 1], a[:, 3], b[:, 1], b[:, 3])
    areas = (np.prod(each[:, 2:] - each[:, :2], axis=1) for each in (a, b))
    table = np.zeros(both.shape)
    kept = np.logical_and.outer(sane_a, sane_b)
    table[kept] = both[kept] / (np.add.outer(*areas) - both)[kept]
    return table


def overlap(a, b):
    return iou_in_loops(np.reshape(a, (-1, 4)), np.reshape(b, (-1, 4)))


@right("giou")
def giou_in_loops(a, b):
    table = np.zeros((len(a), len(b)))
    for i, (ax1, ay1, ax2, ay2) in enumerate(a):
        for j, (bx1, by1, bx2, by2) in enumerate(b):
            around = (max(ax2, bx2) - min(ax1, bx1)) * (max(ay2, by2) - min(ay1, by1))
            if around > 0:
                shared = max(0, min(ax2, bx2) - max(ax1, bx1)) * max(0, min(ay2, by2) - max(ay1, by1))
                whole = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - shared
                table[i, j] = (shared / whole if whole > 0 else 0) - (around - whole) / around
    return table


@right("giou")
def giou_as_a_sum(a, b):
    """IoU + union / around - 1."""
    around = np.multiply(
        np.maximum.outer(a[:, 2], b[:, 2]) - np.minimum.outer(a[:, 0], b[:, 0]),
        np.maximum.outer(a[:, 3], b[:, 3]) - np.minimum.outer(a[:, 1], b[:, 1]),
    )
    shared = overlap(a, b)
    areas = np.add.outer((a[:, 2] - a[:, 0]) * (a[:, 3] - a[:, 1]), (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]))
    with np.errstate(all="ignore"):
        return np.nan_to_num(shared + areas / (1 + shared) / around - 1, nan=0.0)


@right("nms")
def nms_with_a_list(boxes, scores, iou_threshold=0.5):
    """Python lists all the way; gives a list."""
    kept = []
    for place in sorted(range(len(scores)), key=lambda i: (-scores[i], i)):
        if all(overlap(boxes[place], boxes[other])[0, 0] <= iou_threshold for other in kept):
            kept.append(place)
    return kept


@right("nms")
def nms_by_crossing_out(boxes, scores, iou_threshold=0.5, max_output=None):
    """A mask over the sorted boxes, and the whole table of overlaps at once."""
    order = np.lexsort((np.arange(len(scores)), -np.asarray(scores)))
    table = overlap(boxes[order], boxes[order])
    alive = np.ones(len(order), dtype=bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ~(table[i, i + 1 :] > iou_threshold)
    return order[alive].astype(np.int32)


@right("nms")
def nms_by_masking_scores(boxes, scores, iou_threshold=0.5):
    """Looks for the best of the scores again and again."""
    waiting, kept = np.ones(len(scores), dtype=bool), []
    while waiting.any():
        best = int(np.argmax(np.where(waiting, scores, -np.inf)))
        kept.append(best)
        waiting &= overlap(boxes[best], boxes)[0] <= iou_threshold
        waiting[best] = False
    return np.asarray(kept, dtype=np.intp)


@right("class_nms")
def class_nms_by_moving(boxes, scores, labels, iou_threshold=0.5):
    """Each class is moved away by more than the span of all boxes."""
    if len(boxes) == 0:
        return []
    span = boxes.max() - boxes.min() + 1.0
    return nms_by_crossing_out(boxes + labels[:, None] * span, scores, iou_threshold)


@right("class_nms")
def class_nms_in_one_walk(boxes, scores, labels, iou_threshold=0.5):
    kept = []
    for place in np.argsort(-scores, kind="mergesort"):
        rivals = [other for other in kept if labels[other] == labels[place]]
        if not (overlap(boxes[rivals], boxes[place]) > iou_threshold).any():
            kept.append(int(place))
    return kept


@right("class_nms")
def class_nms_sorted_at_the_end(boxes, scores, labels, iou_threshold=0.5):
    kept = []
    for label in set(labels.tolist()):
        places = [i for i in range(len(labels)) if labels[i] == label]
        kept += [places[i] for i in nms_with_a_list(boxes[places], scores[places], iou_threshold)]
    return np.array(sorted(kept, key=lambda i: (-scores[i], i)), dtype=np.int64)


@right("soft_nms")
def soft_nms_in_lists(boxes, scores, sigma=0.5, score_threshold=0.001):
    waiting = {i: float(score) for i, score in enumerate(scores)}
    indices, lowered = [], []
    while waiting:
        best = max(waiting, key=lambda i: waiting[i])
        score = waiting.pop(best)
        if score < score_threshold:
            break
        indices.append(best)
        lowered.append(score)
        for other in waiting:
            waiting[other] *= math.exp(-(overlap(boxes[best], boxes[other])[0, 0] ** 2) / sigma)
    return indices, lowered


@right("soft_nms")
def soft_nms_swapping(boxes, scores, sigma=0.5, score_threshold=0.001):
    """In place on copies, as the authors' code does: the best is swapped to the front."""
    boxes, scores, indices = np.array(boxes), np.array(scores, dtype=float), np.arange(len(scores))
    end = len(scores)
    for i in range(len(scores)):
        keep = np.concatenate([np.ones(i, bool), scores[i:end] >= score_threshold])
        boxes, scores, indices = boxes[:end][keep], scores[:end][keep], indices[:end][keep]
        end = len(scores)
        if i >= end:
            break
        best = i + int(np.argmax(scores[i:]))
        for array in (boxes, scores, indices):
            array[[i, best]] = array[[best, i]]
        scores[i + 1 :] *= np.exp(-np.square(overlap(boxes[i], boxes[i + 1 :])[0]) / sigma)
    return indices[:end], scores[:end]


@right("encode_boxes")
def encode_by_columns(boxes, anchors):
    ax1, ay1, ax2, ay2 = anchors.T
    bx1, by1, bx2, by2 = boxes.T
    aw, ah, bw, bh = ax2 - ax1, ay2 - ay1, bx2 - bx1, by2 - by1
    return np.column_stack(
        [
            (bx1 + bw / 2 - ax1 - aw / 2) / aw,
            (by1 + bh / 2 - ay1 - ah / 2) / ah,
            np.log(bw) - np.log(aw),
            np.log(bh) - np.log(ah),
        ]
    )


@right("encode_boxes")
def encode_from_corner_shifts(boxes, anchors, variances=None):
    """A centre's shift is the mean of its corners' shifts."""
    sides = anchors[:, 2:] - anchors[:, :2]
    moved = (boxes - anchors) / np.tile(sides, 2)
    return np.hstack([(moved[:, :2] + moved[:, 2:]) / 2, np.log1p(moved[:, 2:] - moved[:, :2])])


@right("decode_boxes")
def decode_row_by_row(deltas, anchors):
    rows = []
    for (tx, ty, tw, th), (x1, y1, x2, y2) in zip(deltas.tolist(), anchors.tolist(), strict=True):
        cx, cy = (x1 + x2) / 2 + tx * (x2 - x1), (y1 + y2) / 2 + ty * (y2 - y1)
        w, h = (x2 - x1) * math.exp(tw), (y2 - y1) * math.exp(th)
        rows.append([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2])
    return np.array(rows).reshape(-1, 4)


@right("decode_boxes")
def decode_by_corners(deltas, anchors):
    """The corners of the unit box, stretched, moved and put into the anchor."""
    shift, growth = np.split(deltas, 2, axis=1)
    unit = np.concatenate([0.5 + shift - np.exp(growth) / 2, 0.5 + shift + np.exp(growth) / 2], axis=1)
    corner = np.tile(anchors[:, :2], 2)
    return corner + unit * (np.tile(anchors[:, 2:], 2) - corner)


@right("clip_boxes")
def clip_by_columns(boxes, height, width):
    clipped = np.array(boxes)
    clipped[:, 0::2] = clipped[:, 0::2].clip(0, width)
    clipped[:, 1::2] = clipped[:, 1::2].clip(0, height)
    return clipped


@right("clip_boxes")
def clip_by_median(boxes, height, width):
    high = np.broadcast_to(np.array([width, height] * 2, dtype=float), boxes.shape)
    return np.median(np.stack([boxes, high, np.zeros_like(high)]), axis=0)


@right("average_precision")
def average_precision_from_the_back(recall, precision):
    area, best, right_end = 0.0, 0.0, None
    for r, p in zip(reversed(recall.tolist()), reversed(precision.tolist()), strict=True):
        if right_end is not None:
            area += (right_end - r) * best
        best, right_end = max(best, p), r
    return area + (right_end or 0.0) * best


@right("average_precision")
def average_precision_with_sentinels(recall, precision):
    """As in PASCAL VOC's code: a point before and one after, then the places where recall changes."""
    r = np.concatenate([[0.0], recall, [1.0]])
    p = np.concatenate([[0.0], precision, [0.0]])
    for i in range(len(p) - 1, 0, -1):
        p[i - 1] = max(p[i - 1], p[i])
    steps = np.where(r[1:] != r[:-1])[0]
    return np.sum((r[steps + 1] - r[steps]) * p[steps + 1])


@right("average_precision")
def average_precision_by_levels(recall, precision):
    """For each precision the highest recall that has it or a better one."""
    area, reached = 0.0, 0.0
    for p, r in sorted(zip(precision, recall, strict=True), reverse=True):
        if r > reached:
            area += p * (r - reached)
            reached = r
    return float(area)


@right("mean_average_precision")
def map_image_first(predictions, ground_truth, iou_threshold=0.5):
    """Matched image by image, as COCO's program does it, and ranked afterwards."""
    classes = np.unique(np.concatenate([np.zeros(0, int), *(truth["labels"] for truth in ground_truth)]))
    areas = []
    for label in classes:
        scores, hits, count = [], [], 0
        for given, truth in zip(predictions, ground_truth, strict=True):
            own = np.flatnonzero(given["labels"] == label)
            own = own[np.argsort(-given["scores"][own], kind="mergesort")]
            there = truth["boxes"][truth["labels"] == label]
            count += len(there)
            table = overlap(given["boxes"][own], there)
            taken = set()
            for row, score in zip(table, given["scores"][own], strict=True):
                best, place = iou_threshold, -1
                for j, value in enumerate(row):
                    if j not in taken and value >= best:
                        best, place = value, j
                taken.add(place)
                taken.discard(-1)
                scores.append(score)
                hits.append(place >= 0)
        ranked = np.array(hits, dtype=float)[np.argsort(-np.array(scores), kind="mergesort")]
        found = ranked.cumsum()
        areas.append(average_precision_with_sentinels(found / count, found / (1 + np.arange(len(found)))))
    return float(np.mean(areas)) if len(areas) else 0.0


@right("mean_average_precision")
def map_by_counting(predictions, ground_truth, iou_threshold=0.5, classes=None):
    """Dicts of lists; the area step by step, each object found weighs one over all."""
    wanted, found = {}, {}
    for image, truth in enumerate(ground_truth):
        for box, label in zip(truth["boxes"], truth["labels"], strict=True):
            wanted.setdefault(int(label), {}).setdefault(image, []).append(box)
    for image, given in enumerate(predictions):
        for box, score, label in zip(given["boxes"], given["scores"], given["labels"], strict=True):
            found.setdefault(int(label), []).append((float(score), image, box))
    total = 0.0
    for label, images in wanted.items():
        count = sum(len(boxes) for boxes in images.values())
        left = {image: list(boxes) for image, boxes in images.items()}
        precisions, hits = [], 0
        for rank, (_, image, box) in enumerate(sorted(found.get(label, []), key=lambda each: -each[0]), 1):
            overlaps = [float(overlap(box, other)[0, 0]) for other in left.get(image, [])]
            if overlaps and max(overlaps) >= iou_threshold:
                left[image].pop(overlaps.index(max(overlaps)))
                hits += 1
                precisions.append(hits / rank)
        total += sum(max(precisions[place:]) for place in range(len(precisions))) / count
    return total / len(wanted) if wanted else 0


@right("coco_mean_average_precision")
def coco_by_hundredths(predictions, ground_truth):
    total = sum(
        map_by_counting(predictions, ground_truth, hundredths / 100) for hundredths in range(50, 100, 5)
    )
    return total / 10


@right("coco_mean_average_precision")
def coco_with_arange(predictions, ground_truth, thresholds=None):
    thresholds = np.arange(0.5, 0.975, 0.05) if thresholds is None else thresholds
    return np.mean([map_image_first(predictions, ground_truth, threshold) for threshold in thresholds])
