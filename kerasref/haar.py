"""References of the assignment `haar`. Keras has nothing of it: OpenCV's, or other ways than the solution's."""

from typing import Annotated, Any

import cv2
import numpy as np

from kerasref.core import reference
from kerasref.validation import (
    Integers,
    Pair,
    array,
    at_least_1,
    integer,
    labels_below,
    number,
    one_of,
    rank,
    size,
)

PATTERNS = {
    "edge_x": np.array([[1, -1]]),
    "edge_y": np.array([[1], [-1]]),
    "line_x": np.array([[1, -2, 1]]),
    "line_y": np.array([[1], [-2], [1]]),
    "checker": np.array([[1, -1], [-1, 1]]),
}
"""The kinds of features: what each of the equal parts of the rectangle counts."""


def stumps(name: str, value: Any) -> list[tuple[int, float, int, float]]:
    """A model: one (feature, threshold, polarity, alpha) or more. A threshold may be infinite."""
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"`{name}` is {value!r}; expected a list of stumps: give one or more.")
    return [_stump(f"{name}[{place}]", each) for place, each in enumerate(value)]


def stages(name: str, value: Any) -> list[tuple[list, float]]:
    """A cascade: (model, threshold) for each stage."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"`{name}` is a {type(value).__name__}; expected a list of stages: put them in one.")
    for place, each in enumerate(value):
        if not isinstance(each, list | tuple) or len(each) != 2:
            raise ValueError(
                f"`{name}[{place}]` is {each!r}; expected a stage, (model, threshold): give both."
            )
    return [
        (stumps(f"{name}[{place}]", model), number(f"{name}[{place}]", threshold))
        for place, (model, threshold) in enumerate(value)
    ]


Model = Annotated[list, stumps]
Stages = Annotated[list, stages]


@reference
def integral_image(image):
    """The sum of all pixels above and to the left of each corner between pixels.

    Args:
        image: (h, w).

    Returns:
        (h + 1, w + 1); the first row and the first column are 0.

    Source: `cv2.integral`.
    """
    rank(2, "(h, w)", image=image)
    return cv2.integral(image, sdepth=cv2.CV_64F)


@reference
def rectangle_sum(integral, x: int, y: int, w: int, h: int):
    """The sum of the pixels in a rectangle, from the integral image.

    Args:
        integral: (rows + 1, columns + 1), as `integral_image` gives it.
        x, y: the column and the row of the rectangle's top left pixel.
        w, h: its width and height.

    Returns:
        One number.

    Source: the pixels themselves, which second differences of the integral image give back, added up.
    """
    return np.sum(_pixels(integral, x, y, w, h))


@reference
def haar_feature(integral, kind: Any, x: int, y: int, w: int, h: int):
    """The difference of the sums over equal parts of a rectangle.

    Args:
        integral: (rows + 1, columns + 1), as `integral_image` gives it.
        kind: "edge_x" (left - right), "edge_y" (top - bottom), "line_x" (left + right - 2 middle), "line_y" or
            "checker" (top left + bottom right - the two others).
        x, y: the column and the row of the top left pixel of the whole feature.
        w, h: the width and the height of the whole feature; the parts divide them evenly.

    Returns:
        One number.

    Source: the pixels, which second differences of the integral image give back, weighted by a mask.
    """
    pattern = PATTERNS[one_of("kind", kind, *PATTERNS)]
    pixels = _pixels(integral, x, y, w, h)
    for name, given, parts in [("w", w, pattern.shape[1]), ("h", h, pattern.shape[0])]:
        if given % parts:
            raise ValueError(
                f"`{name}` is {given}; expected a multiple of {parts}: {kind!r} has {parts} equal parts."
            )
    return np.sum(_mask(pattern, h, w) * pixels)


@reference
def haar_features(image, window: Pair, step: int = 1):
    """All features of the window at the top left of an image.

    Places are multiples of `step`. Each of a feature's parts is 1, 1 + step, 1 + 2 step, ... pixels wide, and as high.

    Args:
        image: (h, w), at least as large as the window.
        window: the size of the window, one number or (height, width).
        step: what places and the sizes of parts move by.

    Returns:
        (values, descriptions): (n,) and a list of n tuples (kind, x, y, w, h), in any order.

    Source: masks laid on every window of their size, `numpy.lib.stride_tricks.sliding_window_view`.
    """
    rank(2, "(h, w)", image=image)
    at_least_1(step=step)
    height, width = _sides(image, window)
    values, descriptions = [np.zeros(0)], []
    for kind, pattern in PATTERNS.items():
        down, across = pattern.shape
        for h in range(down, height + 1, down * step):
            for w in range(across, width + 1, across * step):
                places = np.lib.stride_tricks.sliding_window_view(image[:height, :width], (h, w))[
                    ::step, ::step
                ]
                values.append(np.einsum("yxhw,hw->yx", places, _mask(pattern, h, w)).ravel())
                descriptions += [
                    (kind, step * x, step * y, w, h) for y, x in np.ndindex(places.shape[0], places.shape[1])
                ]
    return np.concatenate(values), descriptions


@reference
def train_stump(features, labels: Integers, weights):
    """The best rule on a single feature: 1 where `polarity * value < polarity * threshold`.

    Args:
        features: (n, f).
        labels: (n,), 0 or 1.
        weights: (n,), not negative.

    Returns:
        (feature, threshold, polarity, error): the error is the sum of the weights of the samples it gets wrong, and
        no other stump has a smaller one.

    Source: an exhaustive search; every threshold that tells two values apart, and an infinite one.
    """
    _samples(features, labels)
    rank(1, "(n,)", weights=weights)
    size(len(features), 0, "the rows of `features`", weights=weights)
    if not ((weights >= 0) & (weights < np.inf)).all():
        raise ValueError(f"`weights` has {weights.min()}; expected finite weights of at least 0: give these.")
    best = (0, np.inf, 1, np.inf)
    for feature, values in enumerate(features.T):
        distinct = np.unique(values)
        thresholds = np.append((distinct[1:] + distinct[:-1]) / 2, np.inf)
        wrong = (values < thresholds[:, np.newaxis]) != (labels == 1)
        for polarity, errors in [
            (1, (wrong * weights).sum(axis=1)),
            (-1, (~wrong * weights).sum(axis=1)),
        ]:
            place = int(errors.argmin())
            if errors[place] < best[3]:
                best = feature, float(thresholds[place]), polarity, float(errors[place])
    return best


@reference
def adaboost(features, labels: Integers, rounds: int):
    """A weighted vote of stumps, each trained on what those before it got wrong.

    Args:
        features: (n, f).
        labels: (n,), 0 or 1, both of them.
        rounds: how many stumps.

    Returns:
        List of (feature, threshold, polarity, alpha), `alpha = log((1 - error) / error)`, the error at least 1e-10.

    Source: SAMME's form: the logarithms of the weights of the wrong ones rise by alpha, as in scikit-learn.
    """
    _samples(features, labels)
    at_least_1(rounds=rounds)
    _both(labels)
    logs = -np.log(2 * np.bincount(labels)[labels])
    model = []
    for _ in range(rounds):
        weights = np.exp(logs - logs.max())
        weights /= weights.sum()
        feature, threshold, polarity, error = train_stump(features, labels, weights)
        error = max(error, 1e-10)
        alpha = float(np.log1p(-error) - np.log(error))
        model.append((feature, threshold, polarity, alpha))
        logs = logs + alpha * (_says(features, feature, threshold, polarity) != labels)
    return model


@reference
def predict_adaboost(model: Model, features):
    """1 where the alphas of the stumps that say 1 are at least half of all.

    Args:
        model: list of (feature, threshold, polarity, alpha).
        features: (n, f).

    Returns:
        (n,), 0 or 1.

    Source: the sign of scikit-learn's decision function: a stump that says 1 counts +alpha, the others -alpha.
    """
    _features(features)
    _known(model, features)
    return (2 * _vote(model, features) - sum(alpha for *_, alpha in model) >= 0).astype(int)


@reference
def train_cascade(features, labels: Integers, stages: int, rounds: int, min_detection_rate: float):
    """Stages of AdaBoost, each trained on the negatives that all stages before it let pass.

    A stage's threshold starts at half of its alphas and is lowered as far as it takes to pass `min_detection_rate` of the
    positives.

    Args:
        features: (n, f).
        labels: (n,), 0 or 1, at least one of them 1.
        stages: how many at most; there are fewer when no negatives are left.
        rounds: stumps a stage.
        min_detection_rate: the share of the positives that each stage passes at least, above 0, at most 1.

    Returns:
        List of (model, threshold): a stage passes where the vote, the sum of the alphas that say 1, is >= threshold.

    Source: its definition, as a recursion.
    """
    _samples(features, labels)
    at_least_1(stages=stages, rounds=rounds)
    if not 0 < min_detection_rate <= 1:
        raise ValueError(
            f"`min_detection_rate` is {min_detection_rate}; expected a share above 0 and at most 1: give one."
        )
    if not labels.any():
        raise ValueError("`labels` has no 1; expected at least one positive: give one.")
    if labels.all():
        return []
    model = adaboost(features, labels, rounds)
    votes = _vote(model, features)
    faces = labels == 1
    for threshold in sorted({sum(alpha for *_, alpha in model) / 2, *votes[faces]}, reverse=True):
        if threshold <= sum(alpha for *_, alpha in model) / 2 and (
            np.mean(votes[faces] >= threshold) >= min_detection_rate
        ):
            break
    stage = (model, float(threshold))
    if stages == 1:
        return [stage]
    left = faces | (votes >= threshold)
    return [stage, *train_cascade(features[left], labels[left], stages - 1, rounds, min_detection_rate)]


@reference
def cascade_predict(stages: Stages, features):
    """What passes every stage; the first that rejects has the last word.

    Args:
        stages: list of (model, threshold).
        features: (n, f).

    Returns:
        (accepted, passed): bools (n,), and how many stages each sample passed before it was rejected (n,).

    Source: the running product of what each stage alone says.
    """
    _features(features)
    for model, _ in stages:
        _known(model, features, "stages")
    says = np.array([_vote(model, features) >= threshold for model, threshold in stages]).reshape(
        -1, len(features)
    )
    passed = np.cumprod(says, axis=0, dtype=int).sum(axis=0)
    return passed == len(stages), passed


@reference
def detect_multiscale(image, classify: Any, window: Pair, scale: float = 1.25, step: int = 2):
    """Show every window of an image, and of ever smaller copies of it, to a classifier.

    Args:
        image: (h, w), or (h, w, c), at least as large as the window.
        classify: function of one window, (height, width) or (height, width, c), which is true for what it looks for.
        window: the size of the window, one number or (height, width).
        scale: each copy is so many times smaller than the one before; above 1.
        step: how many pixels of a copy the window moves by.

    Returns:
        Boxes (n, 4), xyxy in pixels of `image`.

    Source: `cv2.resize` by area, and `numpy.lib.stride_tricks.sliding_window_view`.
    """
    if image.ndim == 2:
        rank(2, "(h, w)", image=image)
    else:
        rank(3, "(h, w) or (h, w, c)", image=image)
    at_least_1(step=step)
    if not callable(classify):
        raise ValueError(
            f"`classify` is a {type(classify).__name__}; expected a function of one window: give one."
        )
    if not scale > 1:
        raise ValueError(f"`scale` is {scale}; expected a number above 1, so that the image shrinks.")
    sides = _sides(image, window)
    boxes, level = [], 0
    full = np.array(image.shape[1::-1])
    while ((small := (full / scale**level).astype(int)) >= sides[::-1]).all():
        copy = cv2.resize(image, small.tolist(), interpolation=cv2.INTER_AREA)
        windows = np.lib.stride_tricks.sliding_window_view(copy, sides, axis=(0, 1))[::step, ::step]
        for y, x in np.ndindex(windows.shape[:2]):
            seen = windows[y, x] if image.ndim == 2 else np.moveaxis(windows[y, x], 0, -1)
            if classify(seen.copy()):
                corner = step * np.array([x, y])
                boxes.append(np.concatenate([corner, corner + sides[::-1]]) * np.tile(full / small, 2))
        level += 1
    return np.array(boxes).reshape(-1, 4)


def _pixels(integral, x, y, w, h):
    """The pixels of a rectangle."""
    rank(2, "(rows + 1, columns + 1)", integral=integral)
    at_least_1(w=w, h=h)
    for name, first, length, limit in [("x", x, w, integral.shape[1]), ("y", y, h, integral.shape[0])]:
        if first < 0 or first + length >= limit:
            raise ValueError(
                f"`{name}` is {first}, and the rectangle {length} long; expected it to lie in 0 to {limit - 1}: move it."
            )
    return np.diff(np.diff(integral[y : y + h + 1, x : x + w + 1], axis=0), axis=1)


def _mask(pattern, h, w):
    """The pattern over h by w pixels."""
    return np.kron(pattern, np.ones((h // pattern.shape[0], w // pattern.shape[1])))


def _sides(image, window):
    """Height and width of a window that fits into the image."""
    if (np.array(image.shape[:2]) < window).any():
        raise ValueError(
            f"`window` is {window}, the image {image.shape}; expected a window that fits in: give a smaller one."
        )
    return window


def _features(features):
    if features.ndim != 2 or features.shape[1] == 0:
        raise ValueError(
            f"`features` has shape {features.shape}; expected (n, f) with f of at least 1: give a row a sample."
        )


def _samples(features, labels):
    rank(2, "(n, f)", features=features)
    rank(1, "(n,)", labels=labels)
    size(len(features), 0, "the rows of `features`", labels=labels)
    labels_below(2, labels=labels)


def _both(labels):
    if labels.all() or not labels.any():
        raise ValueError(f"`labels` is {labels[0]} throughout; expected both 0 and 1: give samples of both.")


def _stump(name, value):
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise ValueError(
            f"`{name}` is {value!r}; expected (feature, threshold, polarity, alpha): give these."
        )
    feature, threshold, polarity, alpha = value
    if np.ndim(array(name, threshold)) or np.isnan(threshold):
        raise ValueError(f"`{name}` has the threshold {threshold!r}; expected a number: give one.")
    if polarity not in (-1, 1):
        raise ValueError(f"`{name}` has the polarity {polarity!r}; expected -1 or 1: give one of them.")
    return integer(name, feature), float(threshold), int(polarity), number(name, alpha)


def _known(model, features, name="model"):
    for feature, *_ in model:
        if not 0 <= feature < features.shape[1]:
            raise ValueError(
                f"`{name}` asks for feature {feature}; expected one from 0 to {features.shape[1] - 1}: give more features."
            )


def _says(features, feature, threshold, polarity):
    return polarity * features[:, feature] < polarity * threshold


def _vote(model, features):
    """The sum of the alphas that say 1, added up in the same order for any number of samples."""
    votes = np.zeros(len(features))
    for *stump, alpha in model:
        votes += alpha * _says(features, *stump)
    return votes
