"""Right answers to the assignment `rcnn`, written differently from the solution."""

import math

import numpy as np

from tests.answers import right


def two(value):
    return (value, value) if np.ndim(value) == 0 else tuple(int(n) for n in value)


def overlap(a, b):
    """IoU of two boxes."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1])
    return width * height / (both - width * height)


def around(a, b):
    return [min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])]


@right("region_similarity")
def similarity_bin_by_bin(a, b, image_size):
    total = 0.0
    for key in ("colour", "texture"):
        for one, other in zip(a[key], b[key], strict=True):
            total += one if one < other else other
    x1, y1, x2, y2 = around(a["box"], b["box"])
    return total + 2 - (x2 - x1) * (y2 - y1) / image_size


@right("region_similarity")
def similarity_from_differences(a, b, image_size):
    apart = sum(np.abs(np.asarray(a[key]) - b[key]).sum() for key in ("colour", "texture"))
    box = around(a["box"], b["box"])
    area, pixels = (box[2] - box[0]) * (box[3] - box[1]), a["size"] + b["size"]
    return np.float64(2 - apart / 2 + (1 - pixels / image_size) + (1 - (area - pixels) / image_size))


@right("merge_regions")
def merged_by_average(a, b):
    weights = np.array([a["size"], b["size"]], float)
    merged = {
        key: np.average(np.stack([a[key], b[key]]), axis=0, weights=weights) for key in ("texture", "colour")
    }
    return {"box": np.array(around(a["box"], b["box"])), "size": float(weights.sum()), **merged}


@right("merge_regions")
def merged_from_counts(a, b):
    result = dict(a)
    for key in ("colour", "texture"):
        counts = np.array(a[key]) * a["size"]
        counts += np.array(b[key]) * b["size"]
        result[key] = counts / counts.sum()
    result["size"] += b["size"]
    result["box"] = np.concatenate([np.fmin(a["box"][:2], b["box"][:2]), np.fmax(a["box"][2:], b["box"][2:])])
    return result


def labelled(image, scale, sigma, min_size):
    from skimage.segmentation import felzenszwalb

    return felzenszwalb(np.asarray(image, float), scale, sigma, min_size)


@right("selective_search")
def search_with_masks(image, scale, sigma, min_size):
    """Masks instead of dicts, hue and saturation instead of RGB, no texture but that of the grey image; each box once, as lists."""
    labels = labelled(image, scale, sigma, min_size)
    total = labels.size
    image = np.asarray(image, float)
    high, low = image.max(axis=2), image.min(axis=2)
    saturation = np.divide(high - low, high, out=np.zeros_like(high), where=high > 0)
    shade = np.stack([high, saturation, (image[..., 0] - image[..., 2] + 1) / 2], axis=-1)
    grey = image.mean(axis=2)
    rough = np.hypot(*np.gradient(grey))

    def histogram(mask):
        colour = [np.histogram(shade[mask][:, c], 8, (0, 1.001))[0] for c in range(3)]
        texture = np.histogram(rough[mask], 5, (0, 1))[0]
        return np.concatenate(colour) / (3 * mask.sum()), texture / mask.sum()

    def box(mask):
        y, x = np.where(mask)
        return (int(x.min()), int(y.min()), int(x.max()) + 1, int(y.max()) + 1)

    def touch(a, b):
        wide = a.copy()
        wide[1:] |= a[:-1]
        wide[:-1] |= a[1:]
        wide[:, 1:] |= a[:, :-1]
        wide[:, :-1] |= a[:, 1:]
        return (wide & b).any()

    def likeness(a, b):
        shared = sum(
            np.minimum(one, other).sum() for one, other in zip(histogram(a), histogram(b), strict=True)
        )
        x1, y1, x2, y2 = box(a | b)
        return shared + 2 - (x2 - x1) * (y2 - y1) / total

    masks = [labels == label for label in np.unique(labels)]
    boxes = [box(mask) for mask in masks]
    table = {
        (i, j): likeness(masks[i], masks[j])
        for i in range(len(masks))
        for j in range(i)
        if touch(masks[i], masks[j])
    }
    while table:
        i, j = max(table, key=table.get)
        masks.append(masks[i] | masks[j])
        boxes.append(box(masks[-1]))
        beside = {k for pair in table for k in pair if {i, j} & set(pair)} - {i, j}
        table = {pair: value for pair, value in table.items() if not {i, j} & set(pair)}
        table.update({(len(masks) - 1, k): likeness(masks[-1], masks[k]) for k in beside})
    return [list(each) for each in sorted(set(boxes))]


@right("selective_search")
def search_by_relabelling(image, scale, sigma, min_size):
    """The label image is changed at each merge, diagonal neighbours count, and gradients have no directions."""
    labels = labelled(image, scale, sigma, min_size).copy()
    levels = np.clip((np.asarray(image) * 16).astype(int), 0, 15)
    steps = np.clip((np.abs(np.diff(np.asarray(image, float), axis=1, prepend=0)) * 10).astype(int), 0, 9)
    found = []

    def described(label):
        where = labels == label
        rows, columns = np.flatnonzero(where.any(axis=1)), np.flatnonzero(where.any(axis=0))
        counts = np.bincount((levels[where] + np.array([0, 16, 32])).ravel(), minlength=48)
        rough = np.bincount((steps[where] + np.array([0, 10, 20])).ravel(), minlength=30)
        box = [columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]
        return counts / counts.sum(), rough / rough.sum(), where.sum(), box

    regions = {label: described(label) for label in np.unique(labels)}
    found.extend(region[3] for region in regions.values())
    while len(regions) > 1:
        pairs = set()
        for dy, dx in ((0, 1), (1, 0), (1, 1)):
            one, other = labels[: -dy or None, : -dx or None], labels[dy:, dx:]
            pairs |= set(zip(one[one != other].tolist(), other[one != other].tolist(), strict=True))

        def likeness(pair):
            (c, t, n, box), (d, u, m, other) = regions[pair[0]], regions[pair[1]]
            x1, y1, x2, y2 = around(box, other)
            gap = (x2 - x1) * (y2 - y1) - n - m
            shared = np.minimum(c, d).sum() + np.minimum(t, u).sum()
            return shared + 1 - (n + m) / labels.size + 1 - gap / labels.size

        keep, gone = max(sorted(pairs), key=likeness)
        labels[labels == gone] = keep
        del regions[gone]
        regions[keep] = described(keep)
        found.append(regions[keep][3])
    return np.array(found)


@right("warp_region")
def warped_by_hand(image, box, size, context=16):
    """Pixel by pixel, the interpolation written out."""
    height, width = two(size)
    image = np.asarray(image, float)
    mean = [image[..., c].sum() / image[..., c].size for c in range(image.shape[2])]
    x1, y1, x2, y2 = (float(each) for each in box)
    grow_x, grow_y = width / (width - 2 * context), height / (height - 2 * context)
    left = round((x1 + x2) / 2 - (x2 - x1) / 2 * grow_x)
    right_ = round((x1 + x2) / 2 + (x2 - x1) / 2 * grow_x)
    top = round((y1 + y2) / 2 - (y2 - y1) / 2 * grow_y)
    bottom = round((y1 + y2) / 2 + (y2 - y1) / 2 * grow_y)

    def pixel(i, j):
        if 0 <= i < image.shape[0] and 0 <= j < image.shape[1]:
            return image[i, j]
        return np.array(mean)

    result = np.zeros((height, width, image.shape[2]))
    for i in range(height):
        v = min(max((i + 0.5) * (bottom - top) / height - 0.5, 0), bottom - top - 1)
        for j in range(width):
            u = min(max((j + 0.5) * (right_ - left) / width - 0.5, 0), right_ - left - 1)
            i0, j0 = int(v), int(u)
            i1, j1 = min(i0 + 1, bottom - top - 1), min(j0 + 1, right_ - left - 1)
            a, b = v - i0, u - j0
            result[i, j] = (
                (1 - a) * (1 - b) * pixel(top + i0, left + j0)
                + (1 - a) * b * pixel(top + i0, left + j1)
                + a * (1 - b) * pixel(top + i1, left + j0)
                + a * b * pixel(top + i1, left + j1)
            )
    return result


@right("warp_region")
def warped_channel_by_channel(image, box, size, context=16):
    """The image is framed wide enough with its mean first, then cut and resized by OpenCV, a channel at a time."""
    import cv2

    height, width = two(size)
    centre_x, centre_y, w, h = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]
    w, h = w * width / (width - 2 * context), h * height / (height - 2 * context)
    x1, x2 = (math.floor(centre_x + sign * w / 2 + 0.5) for sign in (-1, 1))
    y1, y2 = (math.floor(centre_y + sign * h / 2 + 0.5) for sign in (-1, 1))
    frame = max(0, -x1, -y1, x2 - image.shape[1], y2 - image.shape[0])
    channels = []
    for channel in np.moveaxis(image, 2, 0):
        framed = np.pad(channel, frame, constant_values=channel.mean())
        crop = framed[y1 + frame : y2 + frame, x1 + frame : x2 + frame]
        channels.append(cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR))
    return np.dstack(channels)


@right("roi_pool")
def pooled_feature_by_feature(features, boxes, output_size, spatial_scale):
    """As the paper's code: every bin walks over its features, with bin sizes as real numbers."""
    oh, ow = two(output_size)
    h, w, channels = features.shape
    result = np.zeros((len(boxes), oh, ow, channels))
    for n, box in enumerate(boxes):
        x1, y1, x2, y2 = (math.floor(each * spatial_scale + 0.5) for each in box)
        bin_h, bin_w = max(y2 - y1 + 1, 1) / oh, max(x2 - x1 + 1, 1) / ow
        for i in range(oh):
            for j in range(ow):
                top = min(max(math.floor(i * bin_h) + y1, 0), h)
                bottom = min(max(math.ceil((i + 1) * bin_h) + y1, 0), h)
                left = min(max(math.floor(j * bin_w) + x1, 0), w)
                right_ = min(max(math.ceil((j + 1) * bin_w) + x1, 0), w)
                for c in range(channels):
                    best = -math.inf
                    for a in range(top, bottom):
                        for b in range(left, right_):
                            best = max(best, float(features[a, b, c]))
                    result[n, i, j, c] = 0.0 if best == -math.inf else best
    return result


@right("roi_pool")
def pooled_rows_then_columns(features, boxes, output_size, spatial_scale, *, empty=0.0):
    """The maximum of rows first, then of columns."""
    oh, ow = two(output_size)

    def pool(x, first, last, bins):
        n = max(last - first + 1, 1)
        out = np.full((bins, *x.shape[1:]), -np.inf, x.dtype)
        for i in range(bins):
            places = first + np.arange(i * n // bins, math.ceil((i + 1) * n / bins))
            places = places[(places >= 0) & (places < len(x))]
            if len(places):
                out[i] = x[places].max(axis=0)
        return out

    results = []
    for box in np.asarray(boxes):
        x1, y1, x2, y2 = np.floor(box * spatial_scale + 0.5).astype(int)
        rows = pool(features, y1, y2, oh)
        both = pool(rows.swapaxes(0, 1), x1, x2, ow).swapaxes(0, 1)
        results.append(np.where(np.isneginf(both), empty, both))
    return np.stack(results) if results else np.zeros((0, oh, ow, features.shape[2]))


@right("bilinear")
def bilinear_with_hats(features, x, y):
    """Every feature has a weight, which falls from 1 at its middle to 0 at the next."""
    h, w, _ = features.shape
    x, y = np.clip(x, 0.5, w - 0.5), np.clip(y, 0.5, h - 0.5)
    across = np.maximum(0, 1 - np.abs(x[..., np.newaxis] - (np.arange(w) + 0.5)))
    down = np.maximum(0, 1 - np.abs(y[..., np.newaxis] - (np.arange(h) + 0.5)))
    return np.einsum("...i,...j,ijc->...c", down, across, features)


@right("bilinear")
def bilinear_in_a_frame(features, x, y):
    """The map gets a frame of repeated border, so that there is always a neighbour; places are held within it."""
    h, w, channels = features.shape
    framed = np.pad(features, ((1, 1), (1, 1), (0, 0)), mode="edge")
    shape = np.shape(x)
    result = np.empty((np.size(x), channels))
    for n, (px, py) in enumerate(zip(np.ravel(x), np.ravel(y), strict=True)):
        u, v = min(max(float(px), 0), w) + 0.5, min(max(float(py), 0), h) + 0.5
        j, i = min(int(u), w), min(int(v), h)
        u, v = u - j, v - i
        result[n] = (framed[i, j] * (1 - u) + framed[i, j + 1] * u) * (1 - v) + (
            framed[i + 1, j] * (1 - u) + framed[i + 1, j + 1] * u
        ) * v
    return result.reshape(*shape, channels)


@right("roi_align")
def aligned_sample_by_sample(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    oh, ow = two(output_size)
    h, w, channels = features.shape
    result = np.zeros((len(boxes), oh, ow, channels))
    for n, box in enumerate(boxes):
        x1, y1, x2, y2 = (float(each) * spatial_scale - 0.5 for each in box)
        bh, bw = (y2 - y1) / oh, (x2 - x1) / ow
        for i in range(oh):
            for j in range(ow):
                total = 0
                for a in range(sampling_ratio):
                    for b in range(sampling_ratio):
                        y = min(max(y1 + i * bh + (a + 0.5) * bh / sampling_ratio, 0), h - 1)
                        x = min(max(x1 + j * bw + (b + 0.5) * bw / sampling_ratio, 0), w - 1)
                        top, left = int(y), int(x)
                        bottom, right_ = min(top + 1, h - 1), min(left + 1, w - 1)
                        ly, lx = y - top, x - left
                        total = total + (
                            (1 - ly) * (1 - lx) * features[top, left]
                            + (1 - ly) * lx * features[top, right_]
                            + ly * (1 - lx) * features[bottom, left]
                            + ly * lx * features[bottom, right_]
                        )
                result[n, i, j] = total / sampling_ratio**2
    return result


@right("roi_align")
def aligned_by_matrices(features, boxes, output_size, spatial_scale, sampling_ratio=2, eps=0.0):
    """A matrix for the rows and one for the columns of each box."""

    def matrix(low, high, bins, n):
        edges = np.linspace(low, high, bins * sampling_ratio + 1)
        places = np.clip((edges[1:] + edges[:-1]) / 2, 0.5, n - 0.5)
        weights = np.clip(1 - np.abs(places[:, None] - np.arange(0.5, n)), 0, None)
        return weights.reshape(bins, sampling_ratio, n).sum(axis=1) / sampling_ratio + eps

    oh, ow = two(output_size)
    h, w, channels = features.shape
    result = np.zeros((len(boxes), oh, ow, channels), features.dtype)
    for n, (x1, y1, x2, y2) in enumerate(np.asarray(boxes) * spatial_scale):
        rows = np.tensordot(matrix(y1, y2, oh, h), features, axes=1)
        result[n] = np.tensordot(matrix(x1, x2, ow, w), rows, axes=(1, 1)).swapaxes(0, 1)
    return result


@right("generate_anchors")
def anchors_one_by_one(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    boxes = []
    for row in range(feature_shape[0]):
        for column in range(feature_shape[1]):
            for ratio in ratios:
                for scale in scales:
                    x, y = (column + 0.5) * stride, (row + 0.5) * stride
                    w = math.sqrt((scale * stride) ** 2 / ratio)
                    h = w * ratio
                    boxes.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
    return np.array(boxes)


@right("generate_anchors")
def anchors_from_a_grid(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2), offset=0.5):
    rows, columns, ratio, scale = np.meshgrid(
        np.arange(feature_shape[0]), np.arange(feature_shape[1]), ratios, scales, indexing="ij"
    )
    centre = np.stack([columns.ravel(), rows.ravel()], axis=1) * stride + offset * stride
    sides = np.stack([scale * stride * ratio**-0.5, scale * stride * ratio**0.5], axis=-1).reshape(-1, 2)
    return np.hstack([centre - sides / 2, centre + sides / 2])


@right("rpn_targets")
def targets_one_by_one(anchors, gt_boxes, positive=0.7, negative=0.3):
    table = [[overlap(anchor, box) for box in gt_boxes] for anchor in anchors]
    record = [max(column) for column in zip(*table, strict=True)]
    labels, deltas = [], []
    for anchor, row in zip(anchors, table, strict=True):
        label, delta = 0, [0.0] * 4
        if row:
            most = max(row)
            if most >= positive or any(o > 0 and o == r for o, r in zip(row, record, strict=True)):
                label = 1
                box = gt_boxes[row.index(most)]
                w, h = float(anchor[2]) - float(anchor[0]), float(anchor[3]) - float(anchor[1])
                delta = [
                    (float(box[0]) + float(box[2]) - float(anchor[0]) - float(anchor[2])) / 2 / w,
                    (float(box[1]) + float(box[3]) - float(anchor[1]) - float(anchor[3])) / 2 / h,
                    math.log((box[2] - box[0]) / w),
                    math.log((box[3] - box[1]) / h),
                ]
            elif most >= negative:
                label = -1
        labels.append(label)
        deltas.append(delta)
    return np.array(labels, np.int32), np.array(deltas)


@right("rpn_targets")
def targets_by_selection(anchors, gt_boxes, positive=0.7, negative=0.3):
    """`np.select`, float labels, and deltas made for all and then wiped."""
    if len(gt_boxes) == 0:
        return np.zeros(len(anchors)), np.zeros((len(anchors), 4))
    table = np.array([[overlap(anchor, box) for box in gt_boxes] for anchor in anchors])
    best, whose = table.max(axis=1), table.argmax(axis=1)
    column = table.max(axis=0)
    record = np.zeros(len(anchors), bool)
    for j in np.flatnonzero(column > 0):
        record[np.flatnonzero(table[:, j] == column[j])] = True
    labels = np.select([record, best >= positive, best >= negative], [1.0, 1.0, -1.0], 0.0)
    to = gt_boxes[whose]
    side, goal = anchors[:, 2:] - anchors[:, :2], to[:, 2:] - to[:, :2]
    shift = (to[:, :2] + goal / 2 - anchors[:, :2] - side / 2) / side
    return labels, np.hstack([shift, np.log(goal) - np.log(side)]) * (labels == 1)[:, np.newaxis]


def moved(delta, anchor, height, width):
    w, h = anchor[2] - anchor[0], anchor[3] - anchor[1]
    x, y = anchor[0] + w / 2 + delta[0] * w, anchor[1] + h / 2 + delta[1] * h
    w, h = w * math.exp(delta[2]), h * math.exp(delta[3])
    corners = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
    return [min(max(each, 0.0), limit) for each, limit in zip(corners, (width, height) * 2, strict=True)]


@right("rpn_proposals")
def proposals_one_by_one(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    deltas, anchors = np.asarray(deltas, float), np.asarray(anchors, float)
    boxes = [moved(delta, anchor, *image_size) for delta, anchor in zip(deltas, anchors, strict=True)]
    large = [i for i, b in enumerate(boxes) if min(b[2] - b[0], b[3] - b[1]) >= min_size]
    kept = []
    for i in sorted(large, key=lambda i: -scores[i])[:pre_nms]:
        if len(kept) < post_nms and all(overlap(boxes[i], other) <= iou_threshold for other in kept):
            kept.append(boxes[i])
    return np.array(kept).reshape(-1, 4)


@right("rpn_proposals")
def proposals_with_lowered_scores(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    """Small boxes get a score of minus infinity and are cut off at the end of the ranking."""
    boxes = np.array([moved(d, a, *image_size) for d, a in zip(deltas, anchors, strict=True)]).reshape(-1, 4)
    sides = boxes[:, 2:] - boxes[:, :2]
    ranking = np.where(sides.min(axis=1) < min_size, -np.inf, scores)
    order = np.lexsort((np.arange(len(ranking)), -ranking))
    order = order[~np.isneginf(ranking[order])][:pre_nms]
    out = []
    while order.size and len(out) < post_nms:
        best, order = order[0], order[1:]
        out.append(best)
        order = np.array([i for i in order if not overlap(boxes[best], boxes[i]) > iou_threshold], int)
    return boxes[out]


@right("smooth_l1")
def smooth_by_clipping(y_true, y_pred, beta=1.0):
    if np.shape(y_true) != np.shape(y_pred):
        raise ValueError("shapes differ")
    d = np.abs(np.asarray(y_pred) - np.asarray(y_true))
    near = np.minimum(d, beta)
    return near * (d - near / 2) / beta


@right("smooth_l1")
def smooth_with_masks(y_true, y_pred, beta=1.0, *, sign=1):
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_true.shape != y_pred.shape:
        raise ValueError(f"y_true {y_true.shape}, y_pred {y_pred.shape}")
    d = sign * (y_true - y_pred)
    small = np.abs(d) <= beta
    return small * d * d * 0.5 / beta + (1 - small) * (np.abs(d) - 0.5 * beta)


@right("detection_loss")
def detection_region_by_region(class_logits, labels, deltas, target_deltas, weight=1.0):
    total = 0.0
    for logits, label, own, target in zip(class_logits, labels, deltas, target_deltas, strict=True):
        top = float(max(logits))
        total += top + math.log(sum(math.exp(float(z) - top) for z in logits)) - float(logits[label])
        if label > 0:
            for one, other in zip(own[label], target, strict=True):
                d = abs(float(one) - float(other))
                total += weight * (d * d / 2 if d < 1 else d - 0.5)
    return total / max(len(labels), 1)


@right("detection_loss")
def detection_with_one_hot(class_logits, labels, deltas, target_deltas, weight=1.0, background=0):
    if class_logits.shape[0] == 0:
        return np.float64(0)
    truth = np.eye(class_logits.shape[1])[labels]
    log_z = np.logaddexp.reduce(class_logits.astype(float), axis=1)
    classes = log_z - (truth * class_logits).sum(axis=1)
    d = np.abs(np.einsum("nk,nkd->nd", truth, deltas) - target_deltas)
    boxes = np.where(d < 1, d * d / 2, d - 0.5).sum(axis=1)
    return (classes + weight * boxes * (labels != background)).sum() / len(labels)


@right("mask_loss")
def mask_pixel_by_pixel(mask_logits, labels, masks):
    if mask_logits.shape[:3] != np.shape(masks):
        raise ValueError("shapes differ")
    total = 0.0
    for region, label, mask in zip(mask_logits, labels, masks, strict=True):
        for z, m in zip(region[..., label].ravel(), np.ravel(mask), strict=True):
            z = float(z) if m else -float(z)
            total += math.log1p(math.exp(-z)) if z > 0 else math.log1p(math.exp(z)) - z
    return total / np.size(masks)


@right("mask_loss")
def mask_with_logaddexp(mask_logits, labels, masks):
    if np.shape(masks) != mask_logits.shape[:-1]:
        raise ValueError("shapes differ")
    z = np.take_along_axis(mask_logits, labels.reshape(-1, 1, 1, 1), axis=3).squeeze(3)
    return np.logaddexp(0, np.where(np.asarray(masks) > 0.5, -z, z)).mean()


@right("paste_mask")
def pasted_pixel_by_pixel(mask, box, image_size, threshold=0.5):
    h, w = mask.shape
    x1, y1, x2, y2 = (float(each) for each in box)
    result = np.zeros(image_size, bool)
    for i in range(image_size[0]):
        for j in range(image_size[1]):
            if x1 <= j + 0.5 < x2 and y1 <= i + 0.5 < y2:
                u = min(max((j + 0.5 - x1) / (x2 - x1) * w - 0.5, 0), w - 1)
                v = min(max((i + 0.5 - y1) / (y2 - y1) * h - 0.5, 0), h - 1)
                left, top = int(u), int(v)
                right_, bottom = min(left + 1, w - 1), min(top + 1, h - 1)
                above = mask[top, left] * (1 - u + left) + mask[top, right_] * (u - left)
                below = mask[bottom, left] * (1 - u + left) + mask[bottom, right_] * (u - left)
                result[i, j] = above * (1 - v + top) + below * (v - top) >= threshold
    return result


@right("paste_mask")
def pasted_by_matrices(mask, box, image_size, threshold=0.5):
    """Two matrices spread the mask over the box' rows and columns; integers come back."""

    def spread(low, high, n, length):
        centres = np.arange(length) + 0.5
        places = np.clip((centres - low) * n / (high - low), 0.5, n - 0.5)
        weights = np.clip(1 - np.abs(places[:, None] - np.arange(0.5, n)), 0, None)
        return weights, (low < centres) & (centres < high)

    rows, inside_rows = spread(box[1], box[3], mask.shape[0], image_size[0])
    columns, inside_columns = spread(box[0], box[2], mask.shape[1], image_size[1])
    return ((rows @ mask @ columns.T >= threshold) & np.outer(inside_rows, inside_columns)).astype(np.uint8)
