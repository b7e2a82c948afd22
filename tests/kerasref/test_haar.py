"""`haar` against OpenCV, scikit-image and scikit-learn, and against every rule there is."""

import itertools

import cv2
import numpy as np
import pytest
from skimage.feature import haar_like_feature, haar_like_feature_coord
from skimage.transform import integral_image as skimage_integral
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from kerasref import haar
from tests.kerasref import assert_refused
from tests.kerasref.oracles import assert_agrees


@pytest.fixture
def rng():
    return np.random.default_rng(13)


SKIMAGE = {
    # kind: scikit-image's name of it, and our sign over theirs
    "edge_x": ("type-2-x", -1),
    "edge_y": ("type-2-y", -1),
    "line_x": ("type-3-x", 1),
    "line_y": ("type-3-y", 1),
    "checker": ("type-4", -1),
}
"""In scikit-image the second part counts +1, and the middle of three once."""


def test_the_integral_image_is_scikit_images_behind_a_row_and_a_column_of_zeros(rng):
    for shape in [(1, 1), (5, 7), (24, 24)]:
        image = rng.normal(size=shape)
        integral = haar.integral_image(image)
        assert (integral[0] == 0).all() and (integral[:, 0] == 0).all()
        assert_agrees(integral[1:, 1:], skimage_integral(image))
    whole = rng.integers(0, 256, size=(30, 40), dtype=np.uint8)
    assert_agrees(haar.integral_image(whole), cv2.integral(whole))


def test_a_rectangle_holds_the_pixels_inside(rng):
    image = rng.normal(size=(4, 5))
    integral = haar.integral_image(image)
    for x, y, w, h in itertools.product(range(5), range(4), range(1, 6), range(1, 5)):
        if x + w <= 5 and y + h <= 4:
            assert_agrees(haar.rectangle_sum(integral, x, y, w, h), image[y : y + h, x : x + w].sum())


@pytest.mark.parametrize("kind", haar.PATTERNS)
def test_features_are_scikit_images(rng, kind):
    """All of a small window. Its lines count the middle once: ours less once more the middle."""
    theirs, sign = SKIMAGE[kind]
    image = rng.normal(size=(7, 6))
    values = haar_like_feature(skimage_integral(image), 0, 0, 6, 7, feature_type=theirs)
    places, _ = haar_like_feature_coord(6, 7, theirs)
    ours = dict(zip(*haar.haar_features(image, (7, 6))[::-1], strict=True))
    assert len(values) == sum(description[0] == kind for description in ours)
    for rectangles, value in zip(places, values, strict=True):
        corners = np.array(rectangles)  # each rectangle's first and last pixel, (row, column)
        (top, left), (bottom, right) = corners.min(axis=(0, 1)), corners.max(axis=(0, 1)) + 1
        feature = kind, left, top, right - left, bottom - top
        expected = sign * value
        if kind.startswith("line"):
            (y1, x1), (y2, x2) = rectangles[1]
            middle = image[y1 : y2 + 1, x1 : x2 + 1].sum()
            total = image[top:bottom, left:right].sum()
            assert_agrees(abs(value), abs(total - 2 * middle), feature)
            expected = total - 3 * middle
        assert_agrees(ours[feature], expected, feature)
        assert_agrees(haar.haar_feature(haar.integral_image(image), *feature), expected, feature)


def test_there_are_as_many_as_everybody_says(rng):
    values, descriptions = haar.haar_features(rng.normal(size=(24, 24)), 24)
    assert values.shape == (162_336,)
    assert len(set(descriptions)) == 162_336
    assert haar.haar_features(np.ones((3, 3)), 1) == (pytest.approx([]), [])


@pytest.mark.parametrize("step", [1, 2, 3])
def test_the_window_is_the_top_left_of_the_image(rng, step):
    image = rng.normal(size=(9, 12))
    values, descriptions = haar.haar_features(image, (5, 8), step)
    alone, again = haar.haar_features(image[:5, :8], (5, 8), step)
    assert descriptions == again
    assert_agrees(values, alone)
    every = set(haar.haar_features(image, (5, 8))[1])
    expected = {
        (kind, x, y, w, h)
        for kind, x, y, w, h in every
        for down, across in [haar.PATTERNS[kind].shape]
        if x % step == y % step == (w // across - 1) % step == (h // down - 1) % step == 0
    }
    assert set(descriptions) == expected
    assert all(x + w <= 8 and y + h <= 5 for _, x, y, w, h in descriptions)


def weighted(rng, n):
    weights = rng.random(n)
    return weights / weights.sum()


def error_of(stump, features, labels, weights):
    feature, threshold, polarity = stump
    says = polarity * features[:, feature] < polarity * threshold
    return weights[says != (labels == 1)].sum()


def test_no_stump_is_better(rng):
    """Thresholds at, below and above every value, both polarities, all features; ties among the values too."""
    for rounded in (2, 0):
        for n in (1, 2, 5, 20):
            features = rng.normal(size=(n, 3)).round(rounded)
            labels, weights = rng.integers(2, size=n), weighted(rng, n)
            *stump, error = haar.train_stump(features, labels, weights)
            assert_agrees(error_of(stump, features, labels, weights), error)
            for feature, polarity in itertools.product(range(3), (-1, 1)):
                for value in [*features[:, feature], -99, 99]:
                    for threshold in (value, value + 1e-6, value - 1e-6):
                        other = feature, threshold, polarity
                        assert error_of(other, features, labels, weights) >= error - 1e-12


def test_no_tree_of_scikit_learn_is_better_and_a_perfect_one_is_as_good(rng):
    for separable in (True, False):
        for _ in range(20):
            features, weights = rng.normal(size=(30, 4)), weighted(rng, 30)
            labels = (features[:, 2] > 0.3).astype(int) if separable else rng.integers(2, size=30)
            tree = DecisionTreeClassifier(max_depth=1).fit(features, labels, weights)
            theirs = weights[tree.predict(features) != labels].sum()
            error = haar.train_stump(features, labels, weights)[3]
            assert error <= theirs + 1e-12
            if separable:
                assert error == theirs == 0


class Stump(ClassifierMixin, BaseEstimator):
    """The stump as scikit-learn's AdaBoost wants it."""

    def fit(self, x, y, sample_weight):
        self.classes_ = np.array([0, 1])
        self.rule = haar.train_stump(x, y, sample_weight)[:3]
        return self

    def predict(self, x):
        feature, threshold, polarity = self.rule
        return (polarity * x[:, feature] < polarity * threshold).astype(int)


def samples(rng, faces=25, others=40, features=5):
    """Two clouds that overlap."""
    x = np.concatenate([rng.normal(0.7, 1, size=(faces, features)), rng.normal(size=(others, features))])
    return x, np.repeat([1, 0], [faces, others])


def start(labels):
    return 0.5 / np.bincount(labels)[labels]


def test_boosting_is_scikit_learns(rng):
    """Given Viola and Jones' first weights and the same stumps, alphas and votes agree."""
    for _ in range(5):
        features, labels = samples(rng)
        ours = haar.adaboost(features, labels, 8)
        theirs = AdaBoostClassifier(Stump(), n_estimators=8).fit(features, labels, start(labels))
        assert [stump[:3] for stump in ours] == [tuple(stump.rule) for stump in theirs.estimators_]
        np.testing.assert_allclose([alpha for *_, alpha in ours], theirs.estimator_weights_, rtol=1e-6)
        unseen, _ = samples(rng)
        np.testing.assert_array_equal(haar.predict_adaboost(ours, unseen), theirs.predict(unseen))


def test_boosting_is_viola_and_jones(rng):
    """Their own table of the algorithm, line by line."""
    features, labels = samples(rng)
    weights = np.where(labels == 1, 1 / (2 * labels.sum()), 1 / (2 * (1 - labels).sum()))
    for feature, threshold, polarity, alpha in haar.adaboost(features, labels, 10):
        weights = weights / weights.sum()
        says = polarity * features[:, feature] < polarity * threshold
        error = np.sum(weights * np.abs(says - labels))
        assert_agrees(error, haar.train_stump(features, labels, weights)[3])
        beta = error / (1 - error)
        assert_agrees(alpha, np.log(1 / beta))
        weights = weights * beta ** (1 - np.abs(says - labels))


def test_a_perfect_stump_has_a_finite_alpha():
    features, labels = np.array([[1.0], [2.0], [3.0]]), np.array([0, 0, 1])
    ((feature, threshold, polarity, alpha),) = haar.adaboost(features, labels, 1)
    assert (feature, polarity) == (0, -1) and 2 < threshold < 3
    assert_agrees(alpha, np.log((1 - 1e-10) / 1e-10))


def test_half_of_the_alphas_are_enough():
    model = [(0, 0.0, -1, 2.0), (1, 0.0, -1, 1.0), (2, 0.0, 1, 1.0)]
    features = np.array([[1.0, -1, 1], [-1, 1, -1], [-1, 1, 1], [-1, -1, -1]])
    np.testing.assert_array_equal(haar.predict_adaboost(model, features), [1, 1, 0, 0])


@pytest.mark.parametrize("rate", [0.6, 0.9, 1.0])
def test_each_stage_lets_the_stated_share_pass_and_no_more_than_it_takes(rng, rate):
    features, labels = samples(rng, 25, 60)
    stages = haar.train_cascade(features, labels, 4, 3, rate)
    left = np.ones(len(labels), bool)
    for model, threshold in stages:
        assert model == haar.adaboost(features[left], labels[left], 3)
        votes = sum(alpha * (p * features[:, f] < p * t) for f, t, p, alpha in model)
        half = sum(alpha for *_, alpha in model) / 2
        faces = votes[labels == 1]
        assert np.mean(faces >= threshold) >= rate
        assert threshold <= half
        assert threshold == half or np.mean(faces > threshold) < rate
        left &= (labels == 1) | (votes >= threshold)
    accepted, passed = haar.cascade_predict(stages, features)
    assert (passed[accepted] == len(stages)).all() and (passed[~accepted] < len(stages)).all()
    assert accepted[labels == 1].mean() >= 1 - len(stages) * (1 - rate) - 1e-12
    np.testing.assert_array_equal(accepted[labels == 0], left[labels == 0])


def test_training_ends_when_no_negatives_are_left():
    features, labels = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([1, 1, 0, 0])
    assert len(haar.train_cascade(features, labels, 5, 2, 1.0)) == 1
    assert haar.train_cascade(features, np.ones(4), 5, 2, 1.0) == []


def test_a_rejected_sample_is_out():
    """The second stage would take the first sample, which the first stage rejected."""
    stages = [([(0, 0.0, -1, 1.0)], 1.0), ([(1, 0.0, -1, 1.0)], 1.0)]
    accepted, passed = haar.cascade_predict(stages, [[-1.0, 1], [1, -1], [1, 1], [-1, -1]])
    np.testing.assert_array_equal(accepted, [False, False, True, False])
    np.testing.assert_array_equal(passed, [0, 1, 2, 0])
    accepted, passed = haar.cascade_predict([], np.ones((3, 2)))
    assert accepted.all() and not passed.any()


def test_every_window_of_every_size_is_seen_once(rng):
    image, seen = rng.random((32, 48)), []

    def classify(window):
        seen.append(window)
        return True

    boxes = haar.detect_multiscale(image, classify, 8, 2.0, 4)
    expected = [
        (f * x, f * y, f * (x + 8), f * (y + 8))
        for f in (1, 2, 4)
        for y in range(0, 32 // f - 7, 4)
        for x in range(0, 48 // f - 7, 4)
    ]
    np.testing.assert_array_equal(boxes, expected)
    assert {window.shape for window in seen} == {(8, 8)}
    for (x, y, right, bottom), window in zip(boxes.astype(int), seen, strict=True):
        factor = (right - x) // 8
        means = image[y:bottom, x:right].reshape(8, factor, 8, factor).mean(axis=(1, 3))
        assert_agrees(window, means)


def test_a_disc_is_boxed_at_every_size():
    rows, columns = np.mgrid[:120, :160]
    for radius in (12, 20, 31):
        image = ((rows - 60) ** 2 + (columns - 90) ** 2 < radius**2).astype(float)

        def classify(window):
            rim = np.concatenate([window[0], window[-1], window[:, 0], window[:, -1]])
            return window[3:-3, 3:-3].mean() > 0.95 and rim.mean() < 0.3

        boxes = haar.detect_multiscale(image, classify, (12, 12), 1.25, 1)
        assert len(boxes)
        for x1, y1, x2, y2 in boxes:
            assert x1 - 4 < 90 < x2 + 4 and y1 - 4 < 60 < y2 + 4
            assert 1.2 * radius < x2 - x1 < 3.2 * radius


def test_colours_and_tall_windows_are_seen_as_they_are():
    shapes = set()
    haar.detect_multiscale(np.ones((20, 15, 3)), lambda window: shapes.add(window.shape), (9, 5))
    assert shapes == {(9, 5, 3)}
    assert haar.detect_multiscale(np.ones((9, 9)), lambda window: False, 9).shape == (0, 4)


PLACE = {"integral": np.ones((5, 7)), "x": 0, "y": 0, "w": 6, "h": 4}
FEATURE = {**PLACE, "kind": "edge_x"}
WINDOW = {"image": np.ones((4, 6)), "window": 3}
TWO = {"features": np.array([[1.0, 2], [3, 4]]), "labels": np.array([0, 1])}
WEIGHED = {**TWO, "weights": np.ones(2)}
BOOSTED = {**TWO, "rounds": 1}
CASCADE = {**BOOSTED, "stages": 1, "min_detection_rate": 0.9}
VOTE = {"model": [(0, 1.0, 1, 1.0)], "features": np.ones((2, 1))}
STAGED = {"stages": [([(0, 1.0, 1, 1.0)], 0.5)], "features": np.ones((2, 1))}
SCAN = {"image": np.ones((8, 9)), "classify": lambda window: True, "window": 4}
BAD = [
    # function, legal arguments, what is wrong with one of them, what came
    ("integral_image", {"image": np.ones((2, 3))}, {"image": np.ones((2, 3, 3))}, "(2, 3, 3)"),
    ("integral_image", {"image": np.ones((2, 3))}, {"image": np.ones((0, 3))}, "(0, 3)"),
    *(
        (function, legal, wrong, came)
        for function, legal in [("rectangle_sum", PLACE), ("haar_feature", FEATURE)]
        for wrong, came in [
            ({"integral": np.ones(5)}, "(5,)"),
            ({"x": -1}, "-1"),
            ({"x": 1}, "6 long"),
            ({"y": 1}, "4 long"),
            ({"w": 0}, "0"),
            ({"h": -2}, "-2"),
            ({"x": 0.5}, "0.5"),
        ]
    ),
    ("haar_feature", FEATURE, {"kind": "edge"}, "'edge'"),
    ("haar_feature", FEATURE, {"w": 5}, "5"),
    ("haar_feature", {**FEATURE, "kind": "line_y", "h": 3}, {"h": 4}, "4"),
    ("haar_features", WINDOW, {"window": (4, 7)}, "(4, 7)"),
    ("haar_features", WINDOW, {"window": 0}, "0"),
    ("haar_features", WINDOW, {"step": 0}, "0"),
    ("haar_features", WINDOW, {"image": np.ones(4)}, "(4,)"),
    *(
        (function, legal, wrong, came)
        for function, legal in [("train_stump", WEIGHED), ("adaboost", BOOSTED), ("train_cascade", CASCADE)]
        for wrong, came in [
            ({"features": np.ones(2)}, "(2,)"),
            ({"labels": np.array([[0], [1]])}, "(2, 1)"),
            ({"labels": np.array([0, 1, 1])}, "(3,)"),
            ({"labels": np.array([-1, 1])}, "-1"),
        ]
    ),
    ("train_stump", WEIGHED, {"weights": np.ones((2, 1))}, "(2, 1)"),
    ("train_stump", WEIGHED, {"weights": np.array([1.0, -1.0])}, "-1.0"),
    ("adaboost", BOOSTED, {"rounds": 0}, "0"),
    ("adaboost", BOOSTED, {"labels": np.ones(2)}, "1 throughout"),
    ("train_cascade", CASCADE, {"stages": 0}, "0"),
    ("train_cascade", CASCADE, {"rounds": 0}, "0"),
    ("train_cascade", CASCADE, {"labels": np.zeros(2)}, "no 1"),
    ("train_cascade", CASCADE, {"min_detection_rate": 0.0}, "0.0"),
    ("train_cascade", CASCADE, {"min_detection_rate": 99.0}, "99.0"),
    ("predict_adaboost", VOTE, {"model": []}, "[]"),
    ("predict_adaboost", VOTE, {"model": [(1, 1.0, 1, 1.0)]}, "feature 1"),
    ("predict_adaboost", VOTE, {"features": np.ones(2)}, "(2,)"),
    ("cascade_predict", STAGED, {"features": np.ones((2, 0))}, "(2, 0)"),
    ("cascade_predict", STAGED, {"stages": [([(3, 1.0, 1, 1.0)], 0.5)]}, "feature 3"),
    ("cascade_predict", STAGED, {"stages": "no"}, "str"),
    ("detect_multiscale", SCAN, {"image": np.ones(8)}, "(8,)"),
    ("detect_multiscale", SCAN, {"window": 9}, "(9, 9)"),
    ("detect_multiscale", SCAN, {"scale": 1.0}, "1.0"),
    ("detect_multiscale", SCAN, {"step": 0}, "0"),
    ("detect_multiscale", SCAN, {"classify": 1}, "int"),
]


@pytest.mark.parametrize(("function", "legal", "wrong", "came"), BAD)
def test_bad_input_is_refused_by_name(function, legal, wrong, came):
    getattr(haar, function)(**legal)
    (name,) = wrong
    assert_refused(getattr(haar, function), {**legal, **wrong}, name, came)


@pytest.mark.parametrize(
    ("function", "legal", "name", "wrong"),
    [
        ("predict_adaboost", VOTE, "model[0]", {"model": [(0, 1.0, 2, 1.0)]}),
        ("predict_adaboost", VOTE, "model[0]", {"model": [(0, np.nan, 1, 1.0)]}),
        ("predict_adaboost", VOTE, "model[0]", {"model": [(0, 1.0, 1)]}),
        ("cascade_predict", STAGED, "stages[0]", {"stages": [[(0, 1.0, 1, 1.0)]]}),
        ("cascade_predict", STAGED, "stages[0]", {"stages": [([], 0.5)]}),
    ],
)
def test_a_stump_or_a_stage_that_is_none_is_refused(function, legal, name, wrong):
    assert_refused(getattr(haar, function), {**legal, **wrong}, name, "expected")
