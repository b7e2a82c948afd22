"""Right answers to the assignment `yolo`, written differently from the solution."""

import math

import numpy as np

from tests.answers import right


@right("encode_grid")
def encode_from_last_to_first(boxes, labels, grid, classes, image_size, dtype=np.float64):
    height, width = image_size
    target = np.zeros((grid, grid, 5 + classes), dtype)
    for (x1, y1, x2, y2), label in reversed(list(zip(boxes.tolist(), labels.tolist(), strict=True))):
        in_column, column = math.modf((x1 + x2) * grid / (2 * width))
        in_row, row = math.modf((y1 + y2) * grid / (2 * height))
        cell = [in_column, in_row, (x2 - x1) / width, (y2 - y1) / height, 1.0]
        target[int(row), int(column)] = cell + [float(k == label) for k in range(classes)]
    return target


@right("encode_grid")
def encode_all_at_once(boxes, labels, grid, classes, image_size):
    scale = np.array(image_size)[::-1]
    low, high = boxes[:, :2] / scale, boxes[:, 2:] / scale
    place, cell = np.modf((low + high) / 2 * grid)
    column, row = cell.astype(int).T
    rows = np.hstack([place, high - low, np.ones((len(boxes), 1)), np.eye(classes)[labels]])
    target = np.zeros((grid, grid, 5 + classes))
    target[row[::-1], column[::-1]] = rows[::-1]
    return target.astype(boxes.dtype)


@right("decode_grid")
def decode_cell_by_cell(predictions, boxes_per_cell, classes, image_size):
    size, (height, width) = len(predictions), image_size
    boxes, confidence, probabilities = [], [], []
    for row in range(size):
        for column in range(size):
            cell = predictions[row, column]
            for box in range(boxes_per_cell):
                x, y, w, h, sure = cell[5 * box : 5 * box + 5]
                x, y = (x + column) * width / size, (y + row) * height / size
                w, h = w * width, h * height
                boxes.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
                confidence.append(sure)
                probabilities.append(cell[5 * boxes_per_cell :])
    return np.array(boxes), np.array(confidence), np.array(probabilities)


@right("decode_grid")
def decode_in_shares_first(predictions, boxes_per_cell, classes, image_size):
    size = predictions.shape[0]
    numbers, probabilities = np.split(predictions.reshape(size * size, -1), [5 * boxes_per_cell], axis=1)
    numbers = numbers.reshape(size * size, boxes_per_cell, 5)
    cells = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1).reshape(-1, 1, 2)
    centre, side = (cells + numbers[..., :2]) / size, numbers[..., 2:4]
    boxes = np.concatenate([centre - 0.5 * side, centre + 0.5 * side], axis=-1) * np.tile(image_size[::-1], 2)
    probabilities = np.broadcast_to(probabilities[:, None], (size * size, boxes_per_cell, classes))
    return [boxes.reshape(-1, 4), numbers[..., 4].reshape(-1), probabilities.reshape(-1, classes)]


def overlap(a, b):
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    both = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - wide * high
    return wide * high / both if both > 0 else 0.0


@right("filter_detections")
def filter_one_by_one(boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5):
    scores = (confidence[:, None] * class_probabilities).max(axis=1, initial=-np.inf)
    labels = np.argmax(class_probabilities, axis=1)
    kept = []
    for i in sorted(range(len(boxes)), key=lambda i: -scores[i]):
        rivals = [j for j in kept if labels[j] == labels[i]]
        if scores[i] >= score_threshold and all(overlap(boxes[i], boxes[j]) <= iou_threshold for j in rivals):
            kept.append(i)
    return boxes[kept].reshape(-1, 4), scores[kept], labels[kept].astype(np.int32)


@right("filter_detections")
def filter_with_classes_far_apart(
    boxes, confidence, class_probabilities, score_threshold=0.5, iou_threshold=0.5
):
    """The trick of many libraries: each class moves to a place of its own, then one NMS serves them all."""
    labels = class_probabilities.argmax(1)
    scores = confidence * class_probabilities[np.arange(len(labels)), labels]
    sure = scores >= score_threshold
    boxes, scores, labels = boxes[sure], scores[sure], labels[sure]
    moved = boxes.astype(float) + 1000.0 * labels[:, None]
    order, kept = np.argsort(scores)[::-1], []
    while order.size:
        kept.append(order[0])
        order = np.array([i for i in order[1:] if overlap(moved[kept[-1]], moved[i]) <= iou_threshold], int)
    return boxes[kept], scores[kept], labels[kept]


@right("yolo_v1_loss")
def loss_cell_by_cell(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5):
    if y_true.shape[:3] != y_pred.shape[:3]:
        raise ValueError(f"y_true has shape {y_true.shape}, y_pred {y_pred.shape}")
    batch, size = y_true.shape[:2]
    total = 0.0
    for b, row, column in np.ndindex(y_true.shape[:3]):
        truth, cell = y_true[b, row, column].astype(float), y_pred[b, row, column].astype(float)
        boxes = [cell[5 * k : 5 * k + 5] for k in range(boxes_per_cell)]
        best = None
        if truth[4]:

            def corners(box, row=row, column=column):
                x, y = (column + box[0]) / size, (row + box[1]) / size
                return x - box[2] / 2, y - box[3] / 2, x + box[2] / 2, y + box[3] / 2

            ious = [overlap(corners(truth), corners(box)) for box in boxes]
            best = max(range(boxes_per_cell), key=lambda k: (round(ious[k], 14), -k))
            x, y, w, h, sure = boxes[best]
            total += lambda_coord * ((truth[0] - x) ** 2 + (truth[1] - y) ** 2)
            total += lambda_coord * (math.sqrt(truth[2]) - math.sqrt(w)) ** 2
            total += lambda_coord * (math.sqrt(truth[3]) - math.sqrt(h)) ** 2
            total += (ious[best] - sure) ** 2
            total += np.sum((truth[5:] - cell[5 * boxes_per_cell :]) ** 2)
        total += lambda_noobj * sum(box[4] ** 2 for k, box in enumerate(boxes) if k != best)
    return total / batch


@right("yolo_v1_loss")
def loss_with_weights(y_true, y_pred, boxes_per_cell=2, lambda_coord=5.0, lambda_noobj=0.5, epsilon=1e-12):
    if y_true.shape[0] != y_pred.shape[0]:
        raise ValueError("the batches differ")
    size = y_true.shape[2]
    object_ = y_true[..., 4:5]
    boxes = np.stack(np.split(y_pred[..., : 5 * boxes_per_cell], boxes_per_cell, axis=-1), axis=3)
    x, y, w, h, sure = np.moveaxis(boxes, -1, 0)
    tx, ty, tw, th = np.moveaxis(y_true[..., None, :4], -1, 0)

    def along(centre, side, true_centre, true_side):
        ends = np.minimum(centre + side * size / 2, true_centre + true_side * size / 2)
        return np.maximum(ends - np.maximum(centre - side * size / 2, true_centre - true_side * size / 2), 0)

    shared = along(x, w, tx, tw) * along(y, h, ty, th) / size**2
    iou = shared / np.maximum(w * h + tw * th - shared, epsilon)
    mine = object_ * np.eye(boxes_per_cell)[np.argmax(iou, axis=-1)]
    near = (x - tx) ** 2 + (y - ty) ** 2 + w + tw - 2 * np.sqrt(w * tw) + h + th - 2 * np.sqrt(h * th)
    cells = np.einsum("...k->...", mine * (lambda_coord * near + (iou - sure) ** 2))
    cells += np.einsum("...k->...", lambda_noobj * (1 - mine) * sure**2)
    cells += object_[..., 0] * ((y_true[..., 5:] - y_pred[..., 5 * boxes_per_cell :]) ** 2).sum(-1)
    return cells.sum(axis=(1, 2)).mean()


@right("kmeans_anchors")
def kmeans_one_size_at_a_time(sizes, k, rng, iterations=100):
    start = rng.permutation(len(sizes))[:k]
    anchors = [tuple(sizes[i].tolist()) for i in start]
    for _ in range(iterations):
        members = [[] for _ in anchors]
        for w, h in sizes.tolist():
            distances = []
            for aw, ah in anchors:
                shared = min(w, aw) * min(h, ah)
                distances.append(1 - shared / (w * h + aw * ah - shared))
            members[distances.index(min(distances))].append((w, h))
        moved = [
            tuple(np.mean(own, axis=0)) if own else old for own, old in zip(members, anchors, strict=True)
        ]
        if moved == anchors:
            break
        anchors = moved
    return np.array(sorted(anchors, key=lambda size: size[0] * size[1]))


@right("kmeans_anchors")
def kmeans_from_spread_sizes(sizes, k, rng, iterations=100):
    """k-means++: each further anchor is drawn with the distance to those before as its weight."""

    def distance(sizes, anchors):
        shared = np.minimum(sizes[:, None, 0], anchors[:, 0]) * np.minimum(sizes[:, None, 1], anchors[:, 1])
        return 1 - shared / (sizes.prod(1)[:, None] + anchors.prod(1) - shared)

    anchors = sizes[rng.integers(len(sizes), size=1)].astype(float)
    while len(anchors) < k:
        far = distance(sizes, anchors).min(axis=1) ** 2
        p = far / far.sum() if far.sum() > 1e-12 else None
        anchors = np.vstack([anchors, sizes[rng.choice(len(sizes), p=p)]])
    for _ in range(iterations):
        nearest = distance(sizes, anchors).argmin(axis=1)
        for j in np.unique(nearest):
            anchors[j] = sizes[nearest == j].mean(axis=0)
    return anchors


@right("kmeans_anchors")
def kmeans_from_anywhere(sizes, k, rng, iterations=100):
    """Starts between the smallest and the largest size, keeps going until little changes, may start from one size twice."""
    anchors = sizes[rng.integers(len(sizes), size=k)] * 1.0
    for _ in range(iterations):
        shared = np.minimum(sizes[:, None], anchors[None]).prod(-1)
        iou = shared / (np.outer(sizes.prod(1), np.ones(k)) + anchors.prod(1) - shared)
        choice = np.argmin(1 - iou, axis=1)
        counts = np.bincount(choice, minlength=k)
        totals = np.stack([np.bincount(choice, sizes[:, axis], k) for axis in (0, 1)], axis=1)
        new = np.where(counts[:, None] > 0, totals / np.maximum(counts, 1)[:, None], anchors)
        if np.allclose(new, anchors, rtol=0, atol=1e-10):
            return new
        anchors = new
    return anchors


@right("kmeans_anchors")
def kmeans_from_random_groups(sizes, k, rng, iterations=100):
    """Starts with the means of groups drawn by chance."""
    nearest, anchors = rng.permutation(len(sizes)) % k, np.zeros((k, 2))
    for _ in range(iterations + 1):
        for j in set(nearest.tolist()):
            anchors[j] = sizes[nearest == j].mean(axis=0)
        shared = np.minimum(sizes[:, None], anchors).prod(2)
        nearest = (shared / (sizes.prod(1)[:, None] + anchors.prod(1) - shared)).argmax(1)
    return anchors


def logistic(x):
    return np.exp(-np.logaddexp(0, -x))


@right("decode_v2")
def v2_box_by_box(predictions, anchors):
    height, width, count, _ = predictions.shape
    boxes, objectness, probabilities = [], [], []
    for j in range(height):
        for i in range(width):
            for k in range(count):
                tx, ty, tw, th, to, *logits = predictions[j, i, k]
                x, y = (logistic(tx) + i) / width, (logistic(ty) + j) / height
                w, h = anchors[k][0] * math.exp(tw) / width, anchors[k][1] * math.exp(th) / height
                boxes.append((x - w / 2, y - h / 2, x + w / 2, y + h / 2))
                objectness.append(logistic(to))
                shares = np.exp(np.array(logits) - max(logits))
                probabilities.append(shares / shares.sum())
    return np.array(boxes), np.array(objectness), np.array(probabilities)


@right("decode_v2")
def v2_in_cells_first(predictions, anchors, dtype=None):
    height, width, _, channels = predictions.shape
    cells = np.stack(np.meshgrid(np.arange(width), np.arange(height)), axis=-1)[:, :, None]
    centre = logistic(predictions[..., :2]) + cells
    half = np.exp(predictions[..., 2:4] + np.log(anchors) - math.log(2))
    boxes = np.concatenate([centre - half, centre + half], axis=-1) / np.array([width, height] * 2)
    logits = predictions[..., 5:].reshape(-1, channels - 5)
    probabilities = np.exp(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
    return [boxes.reshape(-1, 4), logistic(predictions[..., 4]).flatten(), probabilities]


@right("decode_v3")
def v3_box_by_box(feature_maps, anchors, input_size):
    high, wide = (input_size, input_size) if isinstance(input_size, int) else input_size
    boxes, objectness, probabilities = [], [], []
    for feature_map, own in zip(feature_maps, anchors, strict=True):
        height, width, channels = feature_map.shape
        for j, i, k in np.ndindex(height, width, 3):
            numbers = feature_map[j, i, k * (channels // 3) : (k + 1) * (channels // 3)]
            x, y = (logistic(numbers[:2]) + [i, j]) * [wide / width, high / height]
            w, h = own[k] * np.exp(numbers[2:4])
            boxes.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
            objectness.append(logistic(numbers[4]))
            probabilities.append(logistic(numbers[5:]))
    return np.array(boxes), np.array(objectness), np.array(probabilities)


@right("decode_v3")
def v3_with_one_stride(feature_maps, anchors, input_size):
    """A cell is as high as it is wide wherever the input is a multiple of the stride."""
    side = input_size if np.ndim(input_size) == 0 else input_size[0]
    parts = []
    for level, feature_map in enumerate(feature_maps):
        height, width, _ = feature_map.shape
        stride = side // height
        raw = np.stack(np.split(feature_map, 3, axis=2), axis=2)
        cells = np.moveaxis(np.indices((height, width))[::-1], 0, -1)[:, :, None]
        centre = (logistic(raw[..., :2]) + cells) * stride
        half = anchors[level] * np.exp(raw[..., 2:4]) / 2
        numbers = np.concatenate([centre - half, centre + half, logistic(raw[..., 4:])], axis=-1)
        parts.append(numbers.reshape(-1, numbers.shape[-1]))
    everything = np.concatenate(parts)
    return everything[:, :4], everything[:, 4], everything[:, 5:]


@right("tiny_yolo")
def net_of_the_paper(inputs, boxes_per_cell, classes):
    """As in 2016: pooling, leaky ReLU, and a dense layer that sees the whole picture."""
    import keras

    x = inputs
    for filters in (8, 16, 32, 32):
        x = keras.layers.Conv2D(filters, 3, padding="same")(x)
        x = keras.layers.LeakyReLU(negative_slope=0.1)(x)
        x = keras.layers.MaxPooling2D()(x)
    x = keras.layers.Dense(128, activation="relu")(keras.layers.Flatten()(x))
    channels = 5 * boxes_per_cell + classes
    x = keras.layers.Dense(7 * 7 * channels, activation="sigmoid")(x)
    return keras.layers.Reshape((7, 7, channels))(x)


@right("tiny_yolo")
def net_as_a_sequence(inputs, boxes_per_cell, classes, filters=24):
    import keras
    from keras import layers

    return keras.Sequential(
        [
            layers.Conv2D(filters, 5, strides=4, padding="same", activation="gelu"),
            layers.SeparableConv2D(2 * filters, 3, padding="same", activation="gelu"),
            layers.AveragePooling2D(2),
            layers.BatchNormalization(),
            layers.Conv2D(2 * filters, 3, padding="same", activation="gelu"),
            layers.Conv2D(5 * boxes_per_cell + classes, 1, activation="sigmoid"),
        ]
    )(inputs)


@right("tiny_yolo")
def net_with_heads(inputs, boxes_per_cell, classes):
    """Residual blocks; each kind of number has an activation of its own."""
    import keras
    from keras import layers, ops

    class Block(layers.Layer):
        def __init__(self, filters):
            super().__init__()
            self.shrink = layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu")
            self.one = layers.Conv2D(filters, 3, padding="same", activation="relu")
            self.two = layers.Conv2D(filters, 3, padding="same")

        def call(self, x):
            x = self.shrink(x)
            return ops.relu(x + self.two(self.one(x)))

    class Backbone(keras.Model):
        def __init__(self):
            super().__init__()
            self.blocks = [Block(filters) for filters in (8, 16, 32)]

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return x

    x = Backbone()(inputs)
    boxes = []
    for _ in range(boxes_per_cell):
        boxes.append(layers.Conv2D(2, 1, activation="sigmoid")(x))
        boxes.append(layers.Conv2D(2, 1, activation="softplus")(x))
        boxes.append(layers.Conv2D(1, 1, activation="sigmoid")(x))
    return layers.Concatenate()([*boxes, layers.Conv2D(classes, 1, activation="softmax")(x)])
