"""Right answers to the assignment `haar`, written differently from the solution."""

import itertools
import math

import numpy as np

from tests.answers import right


@right("integral_image")
def integral_by_recurrence(image):
    height, width = image.shape
    integral = np.zeros((height + 1, width + 1))
    for y in range(height):
        row = 0.0
        for x in range(width):
            row += float(image[y, x])
            integral[y + 1, x + 1] = integral[y, x + 1] + row
    return integral


@right("integral_image")
def integral_by_triangles(image):
    below, beside = (
        np.tri(image.shape[0] + 1, image.shape[0], -1),
        np.tri(image.shape[1] + 1, image.shape[1], -1),
    )
    return below @ image @ beside.T


@right("integral_image")
def integral_filled_in(image):
    integral = np.zeros((image.shape[0] + 1, image.shape[1] + 1), np.result_type(image, np.float32))
    np.cumsum(np.cumsum(image, axis=1, dtype=integral.dtype), axis=0, out=integral[1:, 1:])
    return integral


@right("rectangle_sum")
def sum_of_strips(integral, x, y, w, h):
    def strip(row):
        return integral[row][x + w] - integral[row][x]

    return float(strip(y + h) - strip(y))


@right("rectangle_sum")
def sum_by_differences(integral, x, y, w, h):
    return np.diff(np.diff(integral[[y, y + h]][:, [x, x + w]], axis=0), axis=1)[0, 0]


def area(integral, x, y, w, h):
    return integral[y, x] + integral[y + h, x + w] - integral[y + h, x] - integral[y, x + w]


@right("haar_feature")
def feature_from_the_whole(integral, kind, x, y, w, h):
    whole = area(integral, x, y, w, h)
    if kind == "edge_x":
        return 2 * area(integral, x, y, w // 2, h) - whole
    if kind == "edge_y":
        return 2 * area(integral, x, y, w, h // 2) - whole
    if kind == "line_x":
        return whole - 3 * area(integral, x + w // 3, y, w // 3, h)
    if kind == "line_y":
        return whole - 3 * area(integral, x, y + h // 3, w, h // 3)
    w2, h2 = w // 2, h // 2
    return 2 * area(integral, x, y, w2, h2) + 2 * area(integral, x + w2, y + h2, w2, h2) - whole


SIGNS = {
    "edge_x": [[1, -1]],
    "edge_y": [[1], [-1]],
    "line_x": [[1, -2, 1]],
    "line_y": [[1], [-2], [1]],
    "checker": [[1, -1], [-1, 1]],
}


@right("haar_feature")
def feature_by_a_table(integral, kind, x, y, w, h):
    signs = np.array(SIGNS[kind])
    rows = np.linspace(y, y + h, signs.shape[0] + 1).round().astype(int)
    columns = np.linspace(x, x + w, signs.shape[1] + 1).round().astype(int)
    parts = np.diff(np.diff(integral[np.ix_(rows, columns)], axis=0), axis=1)
    return (signs * parts).sum()


@right("haar_features")
def features_one_by_one(image, window, step=1):
    height, width = window if isinstance(window, tuple) else (window, window)
    integral = integral_by_triangles(image)
    values, descriptions = [], []
    for y in range(0, height, step):
        for x in range(0, width, step):
            for kind, signs in SIGNS.items():
                down, across = np.shape(signs)
                for h in range(down, height - y + 1, down * step):
                    for w in range(across, width - x + 1, across * step):
                        descriptions.append([kind, x, y, w, h])
                        values.append(feature_from_the_whole(integral, kind, x, y, w, h))
    return values, descriptions


@right("haar_features")
def features_from_slices(image, window, step=1):
    height, width = np.broadcast_to(window, 2)
    integral = integral_by_triangles(image[:height, :width])
    found = {}
    for kind, signs in SIGNS.items():
        down, across = np.shape(signs)
        for p, q in itertools.product(
            range(1, height // down + 1, step), range(1, width // across + 1, step)
        ):
            h, w = p * down, q * across
            total = 0.0
            for (row, column), sign in np.ndenumerate(signs):
                top, left = row * p, column * q
                rows = (height - h + 1, width - w + 1)
                a, b = (integral[top + d : top + d + rows[0]] for d in (0, p))
                total = total + sign * (
                    b[:, left + q : left + q + rows[1]]
                    - b[:, left : left + rows[1]]
                    - a[:, left + q : left + q + rows[1]]
                    + a[:, left : left + rows[1]]
                )
            kept = total[::step, ::step]
            found |= {(kind, step * x, step * y, w, h): value for (y, x), value in np.ndenumerate(kept)}
    return np.array(list(found.values())), tuple(found)


def stump_says(features, feature, threshold, polarity):
    return features[:, feature] < threshold if polarity == 1 else features[:, feature] > threshold


@right("train_stump")
def stump_by_trying_all(features, labels, weights):
    best = (0, 0.0, 1, math.inf)
    for feature in range(features.shape[1]):
        values = np.unique(features[:, feature])
        for threshold in [values[0] - 1, *(values[1:] + values[:-1]) / 2, values[-1] + 1]:
            for polarity in (-1, 1):
                wrong = stump_says(features, feature, threshold, polarity) != labels
                error = float(np.sum(weights, where=wrong))
                if error < best[3]:
                    best = (feature, threshold, polarity, error)
    return best


@right("train_stump")
def stump_as_viola_and_jones(features, labels, weights):
    """Their formula: the error is min(S+ + (T- - S-), S- + (T+ - S+)); the value itself is the threshold."""
    best = np.inf, None
    for feature, column in enumerate(features.T):
        order = np.argsort(column, kind="stable")
        value, face, weight = column[order], labels[order] == 1, weights[order]
        faces, others = np.sum(weight[face]), np.sum(weight[~face])
        faces_below, others_below = np.cumsum(weight * face), np.cumsum(weight * ~face)
        for last in np.flatnonzero(np.append(value[1:] != value[:-1], True)):
            upper = value[last + 1] if last + 1 < len(value) else value[last] + 1
            lower_is_face = others_below[last] + faces - faces_below[last]
            upper_is_face = faces_below[last] + others - others_below[last]
            best = min(best, (lower_is_face, (feature, upper, 1)), key=lambda found: found[0])
            best = min(best, (upper_is_face, (feature, value[last], -1)), key=lambda found: found[0])
    return (*best[1], best[0])


@right("train_stump")
def stump_by_matrices(features, labels, weights):
    thresholds = np.vstack([features, np.full(features.shape[1], np.finfo(float).max)])
    low = features[None] < thresholds[:, None]
    error = (np.where(low, labels[:, None] == 0, labels[:, None] == 1) * weights[:, None]).sum(axis=1)
    above = features[None] > np.vstack([features, np.full(features.shape[1], -1e30)])[:, None]
    other = (np.where(above, labels[:, None] == 0, labels[:, None] == 1) * weights[:, None]).sum(axis=1)
    if error.min() < other.min():
        row, feature = np.argwhere(error == error.min())[-1]
        return feature, thresholds[row, feature], 1.0, error.min()
    row, feature = np.argwhere(other == other.min())[-1]
    return feature, thresholds[row, feature] if row < len(features) else -1e30, -1.0, other.min()


def boosted(features, labels, rounds, train):
    """SAMME's form: the wrong ones grow, the right ones stay."""
    weights = np.where(labels == 1, 0.5 / np.sum(labels == 1), 0.5 / np.sum(labels == 0))
    model = []
    for _ in range(rounds):
        weights = weights / weights.sum()
        feature, threshold, polarity, _ = train(features, labels, weights)
        wrong = stump_says(features, feature, threshold, polarity) != labels
        error = np.clip(weights[wrong].sum(), 1e-10, 1 - 1e-10)
        alpha = np.log((1 - error) / error)
        weights = weights * np.exp(alpha * wrong)
        model.append([feature, threshold, polarity, alpha])
    return model


@right("adaboost")
def adaboost_that_lifts_the_wrong(features, labels, rounds):
    return boosted(features, labels, rounds, stump_as_viola_and_jones)


@right("adaboost")
def adaboost_with_signs(features, labels, rounds):
    """Weights exp(-alpha y h / 2), as Freund and Schapire's: after dividing by the sum they are the same."""
    y = 2.0 * labels - 1
    logs = np.log(0.5 / np.bincount(labels)[labels])
    model = []
    while len(model) < rounds:
        weights = np.exp(logs - np.logaddexp.reduce(logs))
        feature, threshold, polarity, error = stump_by_trying_all(features, labels, weights)
        error = max(error, 1e-10)
        half = 0.5 * (math.log1p(-error) - math.log(error))
        logs = logs - half * y * np.where(stump_says(features, feature, threshold, polarity), 1, -1)
        model.append((feature, threshold, polarity, 2 * half))
    return tuple(model)


def tally(model, features):
    alphas = np.array([alpha for *_, alpha in model])
    return np.stack([stump_says(features, *stump) for *stump, _ in model], axis=1) @ alphas, alphas.sum()


@right("predict_adaboost")
def predict_by_a_product(model, features):
    votes, total = tally(model, features)
    return votes >= 0.5 * total


@right("predict_adaboost")
def predict_one_by_one(model, features):
    answers = []
    for row in features:
        votes = sum(a for f, t, p, a in model if p * row[f] < p * t)
        answers.append(1.0 if 2 * votes >= sum(a for _, _, _, a in model) else 0.0)
    return np.array(answers)


@right("predict_adaboost")
def predict_by_sign(model, features):
    decision = sum(alpha * np.where(stump_says(features, *stump), 1, -1) for *stump, alpha in model)
    return np.where(decision >= 0, 1, 0)


@right("cascade_predict")
def cascade_by_survivors(stages, features):
    alive = np.arange(len(features))
    passed = np.zeros(len(features), dtype=np.int32)
    for model, threshold in stages:
        votes = [sum(a for f, t, p, a in model if p * row[f] < p * t) for row in features[alive]]
        alive = alive[np.array(votes, float) >= threshold]
        passed[alive] += 1
    return passed == len(stages), passed


@right("cascade_predict")
def cascade_by_the_first_no(stages, features):
    says = np.array([tally(model, features)[0] >= threshold for model, threshold in stages])
    passed = np.where(says.all(axis=0), len(stages), np.argmin(says, axis=0))
    return says.all(axis=0).astype(int), passed


@right("cascade_predict")
def cascade_row_by_row(stages, features):
    accepted, passed = [], []
    for row in features:
        count = 0
        for model, threshold in stages:
            if tally(model, row[None])[0][0] < threshold:
                break
            count += 1
        accepted.append(count == len(stages))
        passed.append(count)
    return np.array(accepted), np.array(passed)


@right("train_cascade")
def cascade_without_the_half(features, labels, stages, rounds, min_detection_rate):
    """The threshold is as high as the rate allows, above half of the alphas too; between two votes, not at one."""
    rest, cascade = np.ones(len(labels), bool), []
    while len(cascade) < stages and (labels[rest] == 0).any():
        model = boosted(features[rest], labels[rest], rounds, stump_by_trying_all)
        votes = np.sort(tally(model, features[labels == 1])[0])
        threshold = votes[int(len(votes) * (1 - min_detection_rate) + 1e-9)] - 1e-6
        cascade.append((model, threshold))
        rest = (labels == 1) | (rest & (tally(model, features)[0] >= threshold))
    return cascade


@right("train_cascade")
def cascade_lowered_in_steps(features, labels, stages, rounds, min_detection_rate):
    """Faces that a stage drops are gone for the next; the threshold goes down in hundredths until enough pass."""
    cascade = []
    for _ in range(stages):
        if labels.all():
            return cascade
        model = boosted(features, labels, rounds, stump_as_viola_and_jones)
        votes, total = tally(model, features)
        threshold = total / 2
        while np.mean(votes[labels == 1] >= threshold) < min_detection_rate:
            threshold -= total / 100
        cascade.append([model, np.float64(threshold)])
        features, labels = features[votes >= threshold], labels[votes >= threshold]
    return cascade


def nearest(image, height, width):
    rows = ((np.arange(height) + 0.5) * image.shape[0] / height).astype(int)
    columns = ((np.arange(width) + 0.5) * image.shape[1] / width).astype(int)
    return image[rows][:, columns]


@right("detect_multiscale")
def detect_by_nearest_pixels(image, classify, window, scale=1.25, step=2):
    """Sizes rounded to the nearest, boxes by the nominal factor, as a list of lists."""
    height, width = window if isinstance(window, tuple | list) else (window, window)
    boxes, copy, factor = [], image, 1.0
    while copy.shape[0] >= height and copy.shape[1] >= width:
        for x in range(0, copy.shape[1] - width + 1, step):
            for y in range(0, copy.shape[0] - height + 1, step):
                if classify(copy[y : y + height, x : x + width]) == 1:
                    boxes.append([x * factor, y * factor, (x + width) * factor, (y + height) * factor])
        factor *= scale
        copy = nearest(image, round(image.shape[0] / factor), round(image.shape[1] / factor))
    return boxes


def interpolated(image, height, width):
    def along(array, size):
        places = np.clip((np.arange(size) + 0.5) * len(array) / size - 0.5, 0, len(array) - 1)
        low = np.floor(places).astype(int)
        share = (places - low).reshape(-1, *[1] * (array.ndim - 1))
        return (1 - share) * array[low] + share * array[np.minimum(low + 1, len(array) - 1)]

    return along(along(image, height).swapaxes(0, 1), width).swapaxes(0, 1)


@right("detect_multiscale")
def detect_by_shrinking_copies(image, classify, window, scale=1.25, step=2):
    """Each copy is made from the copy before it, by linear interpolation, its sizes rounded up."""
    height, width = np.broadcast_to(window, 2)
    full, copy, boxes = image, image, np.zeros((0, 4))
    while copy.shape[0] >= height and copy.shape[1] >= width:
        windows = np.lib.stride_tricks.sliding_window_view(copy, (height, width))[::step, ::step]
        hits = np.array([[bool(classify(each)) for each in row] for row in windows])
        y, x = step * np.argwhere(hits).T.reshape(2, -1)
        fx, fy = full.shape[1] / copy.shape[1], full.shape[0] / copy.shape[0]
        boxes = np.vstack([boxes, np.stack([fx * x, fy * y, fx * (x + width), fy * (y + height)], axis=1)])
        copy = interpolated(copy, *(math.ceil(size / scale - 1e-9) for size in copy.shape))
    return boxes
