"""Right answers to the assignment `ssd`, written differently from the solution."""

import math
from itertools import product

import numpy as np

from tests.answers import right


def corners_of(boxes):
    cx, cy, w, h = np.asarray(boxes).T
    return np.stack([cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2], axis=-1)


def overlap(a, b):
    """IoU of two boxes, each by its corners."""
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    common = width * height
    return common / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common)


def table(defaults, gt_boxes):
    return np.array([[overlap(a, b) for b in gt_boxes] for a in corners_of(defaults)])


@right("box_scales")
def scales_by_linspace(maps, smallest=0.2, largest=0.9):
    step = (largest - smallest) / (maps - 1)
    return np.linspace(smallest, largest + step, maps + 1)


@right("box_scales")
def scales_one_by_one(maps, smallest=0.2, largest=0.9):
    return np.array([smallest + (largest - smallest) / (maps - 1) * (k - 1) for k in range(1, maps + 2)])


@right("default_boxes")
def defaults_from_a_grid(feature_sizes, scales, aspect_ratios, clip=False):
    maps = []
    for k, size in enumerate(feature_sizes):
        rows, columns = (size, size) if np.ndim(size) == 0 else size
        extra = np.sqrt(scales[k] * scales[k + 1])
        root = np.sqrt(np.asarray(aspect_ratios, dtype=float))
        i, j, shape = np.indices((rows, columns, len(root) + 1))
        w, h = np.append(scales[k] * root, extra), np.append(scales[k] / root, extra)
        each = np.stack([(j + 0.5) / columns, (i + 0.5) / rows, w[shape], h[shape]], axis=-1)
        maps.append(each.reshape(-1, 4))
    return np.vstack(maps)


@right("default_boxes")
def defaults_by_product(feature_sizes, scales, aspect_ratios):
    boxes = []
    for size, scale, following in zip(feature_sizes, scales, scales[1:], strict=False):
        rows, columns = size if isinstance(size, tuple | list) else (size, size)
        between = math.exp((math.log(scale) + math.log(following)) / 2)
        shapes = [*((r, scale) for r in aspect_ratios), (1.0, between)]
        for i, j, (r, s) in product(range(rows), range(columns), shapes):
            boxes.append(
                [(2 * j + 1) / (2 * columns), (2 * i + 1) / (2 * rows), s * math.sqrt(r), s / math.sqrt(r)]
            )
    return np.array(boxes)


@right("match_boxes")
def matched_box_by_box(defaults, gt_boxes, threshold=0.5):
    if not len(gt_boxes):
        return -np.ones(len(defaults), dtype=np.int32)
    overlaps = table(defaults, gt_boxes)
    keeper = {int(np.argmax(overlaps[:, j])): j for j in range(len(gt_boxes))}  # a later object takes over
    index = []
    for i, row in enumerate(overlaps):
        best = max(range(len(row)), key=lambda j: row[j])
        index.append(keeper.get(i, best if row[best] >= threshold else -1))
    return np.array(index)


@right("match_boxes")
def matched_with_raised_overlaps(defaults, gt_boxes, threshold=0.5):
    overlaps = table(defaults, gt_boxes).reshape(len(defaults), len(gt_boxes))
    best = np.full(len(defaults), -1.0)
    index = np.full(len(defaults), -1)
    for j in range(len(gt_boxes)):
        better = (overlaps[:, j] >= threshold) & (overlaps[:, j] > best)
        index[better], best[better] = j, overlaps[better, j]
    for j in range(len(gt_boxes)):
        index[overlaps[:, j].argmax()] = j
    return index


@right("match_boxes")
def matched_bipartite_first(defaults, gt_boxes, threshold=0.5):
    n, m = len(defaults), len(gt_boxes)
    index = np.full(n, -1)
    if m == 0:
        return index
    overlaps = table(defaults, gt_boxes)
    for j in reversed(range(m)):
        i = overlaps[:, j].argmax()
        if index[i] < 0:
            index[i] = j
    free = (index < 0) & (overlaps.max(axis=1) >= threshold)
    index[free] = overlaps[free].argmax(axis=1)
    return index


@right("encode_ssd")
def encoded_column_by_column(boxes, defaults, variances=(0.1, 0.2)):
    x1, y1, x2, y2 = boxes.T
    cx, cy, w, h = defaults.T
    at, by = variances
    return np.column_stack(
        [
            ((x1 + x2) / 2 - cx) / (w * at),
            ((y1 + y2) / 2 - cy) / (h * at),
            (np.log(x2 - x1) - np.log(w)) / by,
            (np.log(y2 - y1) - np.log(h)) / by,
        ]
    )


@right("encode_ssd")
def encoded_in_place(boxes, defaults, variances=(0.1, 0.2), epsilon=0.0):
    t = np.empty(np.shape(boxes), np.result_type(boxes, defaults))
    for axis in (0, 1):
        side = boxes[:, axis + 2] - boxes[:, axis]
        t[:, axis] = (boxes[:, axis] + 0.5 * side - defaults[:, axis]) / defaults[:, axis + 2] / variances[0]
        t[:, axis + 2] = np.log(side / defaults[:, axis + 2] + epsilon) / variances[1]
    return t


@right("hard_negative_mining")
def mined_by_ranks(losses, positives, ratio=3):
    ranks = np.argsort(np.argsort(-np.where(positives, -1.0, losses)))
    return (ranks < ratio * positives.sum()) & ~positives


@right("hard_negative_mining")
def mined_among_negatives(losses, positives, ratio=3):
    negatives = np.flatnonzero(~positives)
    worst = negatives[np.argsort(losses[negatives])[::-1][: ratio * int(positives.sum())]]
    return np.isin(np.arange(len(losses)), worst)


@right("hard_negative_mining")
def mined_one_after_the_other(losses, positives, ratio=3):
    mask = [False] * len(losses)
    for _ in range(ratio * sum(bool(p) for p in positives)):
        left = [i for i in range(len(losses)) if not positives[i] and not mask[i]]
        if not left:
            break
        mask[max(left, key=lambda i: losses[i])] = True
    return np.array(mask)


def entropies(logits, labels):
    return np.logaddexp.reduce(logits, axis=1) - np.take_along_axis(logits, labels[:, None], axis=1)[:, 0]


@right("multibox_loss")
def multibox_in_loops(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    total, positives, negatives = 0.0, 0, []
    for z, place, label, target in zip(class_logits, locations, labels, targets, strict=True):
        most = max(z)
        entropy = most + math.log(sum(math.exp(each - most) for each in z)) - z[label]
        if label == 0:
            negatives.append(entropy)
            continue
        positives += 1
        total += entropy
        for e in place - target:
            total += alpha * (e * e / 2 if abs(e) < 1 else abs(e) - 0.5)
    total += sum(sorted(negatives, reverse=True)[: ratio * positives])
    return total / positives if positives else 0


@right("multibox_loss")
def multibox_with_weights(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    matched = labels != 0
    entropy = entropies(class_logits, labels)
    weights = matched.astype(float) + mined_by_ranks(entropy, matched, ratio)
    e = np.abs(locations - targets)
    smooth = np.minimum(e, 1) * (e - 0.5 * np.minimum(e, 1))
    return (weights @ entropy + alpha * (matched @ smooth).sum()) / max(matched.sum(), 1)


@right("multibox_loss")
def multibox_by_partition(class_logits, locations, labels, targets, ratio=3, alpha=1.0):
    matched = np.flatnonzero(labels)
    if not len(matched):
        return np.float64(0)
    onehot = np.eye(class_logits.shape[1], dtype=bool)[labels]
    shifted = class_logits - class_logits.max(axis=1)[:, None]
    entropy = np.log(np.sum(np.exp(shifted), axis=1)) - shifted[onehot]
    rest = np.delete(entropy, matched)
    count = min(ratio * len(matched), len(rest))
    hardest = np.sort(rest)[len(rest) - count :]
    e = (locations - targets)[matched]
    smooth = np.where(abs(e) < 1, 0.5 * np.clip(e, -1, 1) ** 2, abs(e) - 0.5)
    return np.mean(entropy[matched]) + (hardest.sum() + alpha * smooth.sum()) / len(matched)


def moved(locations, defaults, variances):
    steps = locations * np.repeat(variances, 2).astype(locations.dtype)
    return corners_of(
        np.hstack([defaults[:, :2] + steps[:, :2] * defaults[:, 2:], defaults[:, 2:] * np.exp(steps[:, 2:])])
    )


@right("decode_ssd")
def decoded_greedily(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, variances)
    claims = [
        (confidences[i, c], i, c)
        for i in range(len(defaults))
        for c in range(1, confidences.shape[1])
        if confidences[i, c] >= score_threshold
    ]
    kept = []
    for score, i, c in sorted(claims, reverse=True):
        if all(c != d or overlap(corners[i], corners[j]) <= iou_threshold for _, j, d in kept):
            kept.append((score, i, c))
    kept = kept[:top_k]
    return (
        np.array([corners[i] for _, i, _ in kept]).reshape(-1, 4),
        np.array([score for score, _, _ in kept]),
        np.array([c for _, _, c in kept], dtype=int),
    )


@right("decode_ssd")
def decoded_class_by_class(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, variances)
    boxes, scores, labels = [np.zeros((0, 4))], [np.zeros(0)], [np.zeros(0, np.int32)]
    for label, column in enumerate(confidences.T):
        alive = (column > score_threshold) & (label > 0)
        while alive.any():
            best = np.where(alive, column, -1).argmax()
            boxes.append(corners[[best]])
            scores.append(column[[best]])
            labels.append(np.array([label], np.int32))
            alive &= np.array([overlap(corners[best], other) <= iou_threshold for other in corners])
    boxes, scores, labels = np.concatenate(boxes), np.concatenate(scores), np.concatenate(labels)
    best = np.sort(np.argsort(scores)[::-1][:top_k])  # still class by class
    return [boxes[best], scores[best], labels[best]]


@right("decode_ssd")
def decoded_with_offset_classes(
    locations, confidences, defaults, variances=(0.1, 0.2), score_threshold=0.5, iou_threshold=0.45, top_k=200
):
    corners = moved(locations, defaults, variances)
    place, label = np.nonzero((confidences >= score_threshold) & (np.arange(confidences.shape[1]) > 0))
    score = confidences[place, label]
    order = np.argsort(score)[::-1]
    place, label, score = place[order], label[order], score[order]
    apart = corners[place] + 100.0 * label[:, None]  # no box of one class meets one of another
    overlaps = np.array([[overlap(a, b) for b in apart] for a in apart]).reshape(len(place), len(place))
    kept = np.ones(len(place), dtype=bool)
    for i in range(len(place)):
        kept[i + 1 :] &= ~(kept[i] & (overlaps[i, i + 1 :] > iou_threshold))
    return corners[place][kept][:top_k], score[kept][:top_k], label[kept][:top_k]


@right("ssd_targets")
def targets_object_by_object(boxes, labels, defaults, threshold=0.5, variances=(0.1, 0.2)):
    index = matched_bipartite_first(defaults, boxes, threshold)
    classes, targets = np.zeros(len(defaults), np.int32), np.zeros_like(defaults)
    for place, (box, label) in enumerate(zip(boxes, labels, strict=True)):
        mine = np.flatnonzero(index == place)
        classes[mine] = label
        targets[mine] = encoded_in_place(np.tile(box, (len(mine), 1)), defaults[mine], variances)
    return classes, targets


@right("ssd_targets")
def targets_with_a_sentinel(boxes, labels, defaults, threshold=0.5, variances=(0.1, 0.2)):
    index = matched_box_by_box(defaults, boxes, threshold)
    target = [
        encoded_column_by_column(boxes[i : i + 1], d[None], variances)[0] if i >= 0 else [0.0] * 4
        for i, d in zip(index, defaults, strict=True)
    ]
    return [np.append(labels, 0)[index], np.array(target)]
