"""Checks of the assignment `haar`."""

import numpy as np
import pytest

from grader.exercise import assert_close, assert_unchanged, core, driver, exercise, hidden

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
PARTS = {"edge_x": (2, 1), "edge_y": (1, 2), "line_x": (3, 1), "line_y": (1, 3), "checker": (2, 2)}
"""How many parts a feature has, across and down."""


def some_image(rng, *shape):
    """Pixels of both signs, no two alike."""
    return rng.normal(size=shape) + 0.3


def corners(image):
    """The integral image of an image."""
    return np.pad(image.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))


@exercise("integral_image", functions=["integral_image", "rectangle_sum"], points=3)
class TestIntegralImage:
    """Any rectangle for four numbers."""

    hints = {
        "integral_image": [
            "Which NumPy function gives running totals? Along how many axes do you need them?",
            "Cumulate along the rows and then along the columns. Then a row of zeros belongs on top and a column of zeros at "
            "the left.",
            "`np.pad(image.cumsum(axis=0).cumsum(axis=1), ((1, 0), (1, 0)))`.",
        ],
        "rectangle_sum": [
            "Draw it: which area belongs to each of the rectangle's four corners, and what do they share?",
            "The far corner, less the one to its left, less the one above it, plus the near one, which was taken off twice. "
            "An array is indexed `[row, column]`, so y comes first.",
            "`integral[y + h, x + w] - integral[y, x + w] - integral[y + h, x] + integral[y, x]`.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """`integral_image` agrees with OpenCV on a random image."""
        image = some_image(rng, 5, 7)
        assert_close(assert_unchanged(student.integral_image, image), reference.integral_image(image))

    def test_ones(self, student, reference):
        """`integral_image` of an image of ones counts pixels: 0 along the top and the left, all of them at the end."""
        for shape in [(1, 1), (3, 4), (6, 2)]:
            image = np.ones(shape)
            assert_close(student.integral_image(image), reference.integral_image(image))

    def test_whole_numbers(self, student, reference, rng):
        """`integral_image` of bytes, as cameras give them, does not wrap at 256."""
        image = rng.integers(0, 256, size=(6, 5), dtype=np.uint8)
        assert_close(student.integral_image(image), reference.integral_image(image))

    @core
    def test_rectangles(self, student, reference, rng):
        """`rectangle_sum` adds up the pixels of rectangles in the middle of an image."""
        integral = corners(some_image(rng, 7, 9))
        for x, y, w, h in [(2, 1, 3, 4), (1, 3, 5, 2), (4, 2, 1, 1)]:
            expected = reference.rectangle_sum(integral, x, y, w, h)
            assert_close(assert_unchanged(student.rectangle_sum, integral, x, y, w, h), expected)

    def test_borders(self, student, reference, rng):
        """`rectangle_sum` holds for rectangles that touch the top, the left, the bottom and the right."""
        integral = corners(some_image(rng, 5, 6))
        for x, y, w, h in [(2, 0, 3, 2), (0, 1, 2, 3), (1, 3, 4, 2), (4, 1, 2, 2), (0, 0, 6, 5)]:
            expected = reference.rectangle_sum(integral, x, y, w, h)
            assert_close(student.rectangle_sum(integral, x, y, w, h), expected)

    def test_together(self, student, rng):
        """`rectangle_sum` reads what `integral_image` wrote: together they add up the pixels of a rectangle."""
        image = some_image(rng, 6, 8)
        integral = np.asarray(student.integral_image(image), float)
        for x, y, w, h in [(0, 0, 3, 2), (2, 1, 5, 4), (7, 5, 1, 1), (0, 0, 8, 6)]:
            assert_close(student.rectangle_sum(integral, x, y, w, h), image[y : y + h, x : x + w].sum())

    def test_single_precision(self, student, reference, rng):
        """Both take `float32` too."""
        image = some_image(rng, 5, 4).astype(np.float32)
        assert_close(student.integral_image(image), reference.integral_image(image), **SINGLE)
        integral = corners(image).astype(np.float32)
        expected = reference.rectangle_sum(integral, 1, 2, 2, 3)
        assert_close(student.rectangle_sum(integral, 1, 2, 2, 3), expected, **SINGLE)


def assert_features(student, reference, image, *features, **tolerance):
    """Hold features of an image, (kind, x, y, w, h), against the reference's."""
    integral = corners(image).astype(image.dtype)
    for feature in features:
        came = assert_unchanged(student.haar_feature, integral, *feature)
        assert_close(came, reference.haar_feature(integral, *feature), **tolerance)


@exercise("haar_feature", functions=["haar_feature"], points=3)
class TestHaarFeature:
    """Light against dark."""

    hints = {
        "haar_feature": [
            "How wide and how high is one part, and where does each part begin?",
            "Let `rectangle_sum` add up each part. Parts move right by w over the parts across, and down by h over the parts "
            "down. The middle of a line counts minus twice.",
            "For `edge_x`: `rectangle_sum(integral, x, y, w // 2, h) - rectangle_sum(integral, x + w // 2, y, w // 2, h)`. "
            "For `line_x` the parts are `w // 3` wide.",
        ]
    }

    @core
    def test_edges(self, student, reference, rng):
        """Edges: left - right, and top - bottom."""
        image = some_image(rng, 9, 12)
        places = [
            ("edge_x", 2, 1, 6, 3),
            ("edge_y", 3, 2, 4, 6),
            ("edge_x", 1, 4, 2, 5),
            ("edge_y", 4, 1, 7, 2),
        ]
        assert_features(student, reference, image, *places)

    def test_lines(self, student, reference, rng):
        """Lines: the outer thirds - 2 times the middle one."""
        image = some_image(rng, 9, 12)
        places = [
            ("line_x", 2, 1, 6, 4),
            ("line_y", 3, 2, 4, 6),
            ("line_x", 1, 4, 9, 1),
            ("line_y", 4, 0, 5, 9),
        ]
        assert_features(student, reference, image, *places)

    def test_checkers(self, student, reference, rng):
        """Checkers: top left + bottom right - the two others."""
        image = some_image(rng, 9, 12)
        assert_features(student, reference, image, ("checker", 2, 1, 6, 4), ("checker", 5, 3, 2, 6))

    @pytest.mark.parametrize("kind", PARTS)
    def test_one_part_lit(self, student, reference, kind):
        """One part is lit and all others are dark, part by part: each counts with its own sign."""
        across, down = PARTS[kind]
        for column in range(across):
            for row in range(down):
                image = np.zeros((8, 9))
                image[1 + 2 * row : 3 + 2 * row, 2 + 2 * column : 4 + 2 * column] = 1
                assert_features(student, reference, image, (kind, 2, 1, 2 * across, 2 * down))

    def test_plain_wall(self, student, reference, rng):
        """A plain wall has no edges, lines or checkers; one that grows brighter to a side has edges only."""
        ramp = np.tile(np.arange(7.0), (8, 1))
        for image in (np.full((8, 7), 5.0), ramp):
            assert_features(student, reference, image, *((kind, 0, 1, 6, 6) for kind in PARTS))

    def test_smallest_and_largest(self, student, reference, rng):
        """Parts may be one pixel small, and a feature as large as the image."""
        image = some_image(rng, 6, 6)
        for kind, (across, down) in PARTS.items():
            assert_features(student, reference, image, (kind, 0, 0, 6, 6), (kind, 2, 1, across, down))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        image = (rng.integers(-8, 9, size=(7, 8)) / 4).astype(np.float32)
        assert_features(student, reference, image, *((kind, 1, 0, 6, 6) for kind in PARTS), **SINGLE)


@driver
def described(haar_features, image, window, *step):
    values, descriptions = haar_features(image, window, *step)
    names = [(str(kind), *(int(number) for number in place)) for kind, *place in descriptions]
    return names, np.array(values, float)


@driver
def counted(haar_features, image, window):
    values, descriptions = haar_features(image, window)
    values, different = np.array(values, float), {tuple(description) for description in descriptions}
    return len(descriptions), len(different), values.shape, values.sum(), (values**2).sum()


def assert_described(student, reference, *given, **tolerance):
    """Hold all features of a window against the reference's, in whatever order they came."""
    names, values = assert_unchanged(student.haar_features.driven_by(described), *given)
    right, expected = reference.haar_features.driven_by(described)(*given)
    missing, beyond = sorted(set(right) - set(names)), sorted(set(names) - set(right))
    if missing or beyond:
        faults = [f"{missing[0]} is missing, and {len(missing) - 1} others"] if missing else []
        faults += [f"{beyond[0]} is none of them, nor are {len(beyond) - 1} others"] if beyond else []
        raise AssertionError(f"{len(names)} descriptions came, expected {len(right)}: {'; '.join(faults)}")
    if len(names) != len(right):
        raise AssertionError(f"{len(names)} descriptions came, expected {len(right)}: some come twice")
    if values.shape != expected.shape:
        raise AssertionError(f"the values have shape {values.shape}, expected {expected.shape}")
    by_name = dict(zip(right, expected, strict=True))
    for name, value in zip(names, values, strict=True):
        try:
            assert_close(value, by_name[name], **tolerance)
        except AssertionError as mismatch:
            raise AssertionError(f"of {name} {mismatch}") from None


@exercise("haar_features", functions=["haar_features"], points=3)
class TestHaarFeatures:
    """A window's every feature."""

    hints = {
        "haar_features": [
            "Four things are free: the width, the height, the column and the row. Which values can each take?",
            "Widths begin at one pixel a part and grow by `step` pixels a part. The last place of a feature of width w is at "
            "window width - w, and it counts.",
            "`for w in range(across, width + 1, across * step)`, the same for h, then `for x in range(0, width - w + 1, step)` "
            "and the same for y; `across, down = KINDS[kind]`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Finds every feature of a window of 5 by 5, with its value."""
        assert_described(student, reference, some_image(rng, 5, 5), 5)

    def test_top_left(self, student, reference, rng):
        """Of a larger image only the window at the top left matters."""
        assert_described(student, reference, some_image(rng, 7, 6), 4)

    def test_height_and_width(self, student, reference, rng):
        """The window may be a pair, the height first."""
        for window in [(3, 6), (5, 2)]:
            assert_described(student, reference, some_image(rng, 6, 7), window)

    def test_step(self, student, reference, rng):
        """`step` moves places, and the sizes of the parts from one pixel on."""
        for step in (2, 3):
            assert_described(student, reference, some_image(rng, 8, 9), (8, 9), step)

    def test_small_windows(self, student, reference, rng):
        """A window may be so small that some kinds do not fit."""
        for window in (2, (1, 3), (2, 1)):
            assert_described(student, reference, some_image(rng, 3, 3), window)

    def test_count(self, student, reference, rng):
        """A window of 24 by 24 has 162,336 features."""
        image = rng.integers(0, 16, size=(24, 24)).astype(float)
        came = student.haar_features.driven_by(counted)(image, 24)
        names = (
            "descriptions",
            "different ones",
            "shape of the values",
            "sum of the values",
            "sum of their squares",
        )
        assert_close(came, reference.haar_features.driven_by(counted)(image, 24), names)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        assert_described(student, reference, some_image(rng, 4, 4).astype(np.float32), 4, **SINGLE)


def some_samples(rng, faces=9, others=14, features=4):
    """Features of two clouds that overlap, and their labels, shuffled."""
    labels = np.repeat([1, 0], [faces, others])
    x = rng.normal(size=(len(labels), features)) + np.outer(labels, rng.normal(size=features))
    order = rng.permutation(len(labels))
    return x[order], labels[order]


def some_weights(rng, n):
    """Weights that sum to 1."""
    weights = rng.random(n) ** 2 + 0.01
    return weights / weights.sum()


def says(features, feature, threshold, polarity):
    """Where a stump says 1."""
    return polarity * features[:, feature].astype(float) < polarity * threshold


def least_error(features, labels, weights):
    """The smallest error that a stump can have: all values and infinity as thresholds, both polarities."""
    ends = np.concatenate([features, np.full((1, features.shape[1]), np.inf)])
    wrong = (features[np.newaxis] < ends[:, np.newaxis]) != (labels == 1)[:, np.newaxis]
    errors = np.einsum("tnf,n->tf", wrong, weights)
    return min(errors.min(), (weights.sum() - errors).min())


def as_stump(stump, features, which, fourth):
    """What came as a stump, once it is seen to be one."""
    if not isinstance(stump, list | tuple) or len(stump) != 4:
        raise AssertionError(f"{which} is {stump!r:.80}; expected (feature, threshold, polarity, {fourth})")
    if not all(np.ndim(part) == 0 and isinstance(part, int | float | np.number) for part in stump):
        raise AssertionError(f"{which} is {stump!r:.80}; expected four numbers")
    feature, threshold, polarity, last = stump
    if feature not in range(features.shape[1]):
        raise AssertionError(
            f"{which} is on feature {feature}; there are the features 0 to {features.shape[1] - 1}"
        )
    if polarity not in (-1, 1):
        raise AssertionError(f"{which} has the polarity {polarity}; expected 1 or -1")
    return int(feature), float(threshold), int(polarity), float(last)


def assert_best(student, reference, *given):
    """A stump errs as it says, and no other one errs less."""
    features, labels, weights = given
    came = assert_unchanged(student.train_stump, *given)
    *stump, error = as_stump(came, features, "the stump", "error")
    *best, expected = reference.train_stump(*given)
    weights = weights.astype(float)
    actual = weights[says(features, *stump) != labels].sum()
    if actual > expected + 1e-6:
        raise AssertionError(
            f"feature {stump[0]} with threshold {stump[1]:.6g} and polarity {stump[2]} gets weights of {actual:.6g} wrong; "
            f"feature {best[0]} with {best[1]:.6g} and {best[2]} only {expected:.6g}"
        )
    if abs(error - actual) > (1e-9 if features.dtype == float else 1e-6):
        raise AssertionError(
            f"the error is {error:.10g}, but the samples that this stump gets wrong weigh {actual:.10g}"
        )


@exercise("train_stump", functions=["train_stump"], points=4)
class TestTrainStump:
    """One feature, one threshold."""

    hints = {
        "train_stump": [
            "Sort the values of one feature. Between which two neighbours can a threshold lie, and what changes when it moves "
            "up by one gap?",
            "Polarity 1 gets the faces above the threshold wrong, and the others below it. Start above nothing and cumulate: "
            "plus the weight of an other, minus that of a face. Polarity -1 gets wrong what polarity 1 gets right.",
            "`order = np.argsort(features, axis=0)`; `gain = np.cumsum(np.where(labels == 1, weights, -weights)[order], axis=0)`; "
            "the errors are `faces - gain` for polarity 1, `others + gain` for -1. Leave out gaps between equal values.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Errs as little as the best of all stumps, and says by how much."""
        for _ in range(3):
            features, labels = some_samples(rng)
            assert_best(student, reference, features, labels, some_weights(rng, len(labels)))

    def test_weights(self, student, reference, rng):
        """What counts are the weights of the samples that are wrong, not their number."""
        features, labels = some_samples(rng, 12, 12, 2)
        for _ in range(3):
            weights = np.full(24, 0.01)
            weights[rng.permutation(24)[:3]] = 0.79 / 3
            assert_best(student, reference, features, labels, weights)

    def test_polarities(self, student, reference, rng):
        """Faces may have the small values or the large ones."""
        features = rng.permutation(20).reshape(20, 1) + rng.random((20, 1))
        for labels in (features[:, 0] < 8, features[:, 0] > 13):
            flipped = labels ^ (np.arange(20) < 2)
            assert_best(student, reference, features, flipped.astype(int), some_weights(rng, 20))

    def test_every_feature(self, student, reference, rng):
        """The best feature may be any of them, the first or the last."""
        for best in (0, 4, 2):
            features = rng.normal(size=(24, 5))
            labels = (features[:, best] > 0.2).astype(int)
            assert_best(student, reference, features, labels, some_weights(rng, 24))

    def test_perfect(self, student, reference, rng):
        """Where one feature tells all, the error is 0."""
        features = rng.normal(size=(12, 2))
        labels = (features[:, 1] < np.sort(features[:, 1])[4]).astype(int)
        assert_best(student, reference, features, labels, np.full(12, 1 / 12))

    def test_equal_values(self, student, reference, rng):
        """No threshold comes between equal values."""
        for _ in range(3):
            features = rng.integers(0, 3, size=(16, 3)).astype(float)
            labels = rng.integers(2, size=16)
            assert_best(student, reference, features, labels, some_weights(rng, 16))

    def test_all_alike(self, student, reference, rng):
        """Where the features tell nothing, it is best to say what weighs more, of all samples."""
        labels = np.arange(8) % 2
        for heavy in (0, 1):
            weights = np.where(labels == heavy, 0.2, 0.05)
            assert_best(student, reference, np.ones((8, 2)), labels, weights)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        features, labels = some_samples(rng)
        weights = some_weights(rng, len(labels)).astype(np.float32)
        assert_best(student, reference, features.astype(np.float32), labels, weights)

    @hidden
    def test_many(self, student, reference, rng):
        """Holds for sixty samples and thirty features."""
        features, labels = some_samples(rng, 25, 35, 30)
        assert_best(student, reference, features, labels, some_weights(rng, 60))


def assert_boosted(model, features, labels, rounds, which="round"):
    """Go through a boosted model round by round: each stump is a best one for the weights of its round, each alpha right."""
    if not isinstance(model, list | tuple) or len(model) != rounds:
        shown = f"{len(model)} stumps" if isinstance(model, list | tuple) else f"a {type(model).__name__}"
        raise AssertionError(f"{shown} came for {rounds} rounds; expected a list, one stump a round")
    weights = 0.5 / np.bincount(labels)[labels]
    stumps = []
    for number, stump in enumerate(model, 1):
        here = f"{which} {number}"
        *stump, alpha = as_stump(stump, features, f"the stump of {here}", "alpha")
        weights = weights / weights.sum()
        wrong = says(features, *stump) != labels
        error, least = weights[wrong].sum(), least_error(features, labels, weights)
        if error > least + 1e-6:
            raise AssertionError(
                f"{here}: feature {stump[0]} with threshold {stump[1]:.6g} and polarity {stump[2]} has the error {error:.6g} "
                f"under the weights of this round; another stump has {least:.6g}"
            )
        error = max(error, 1e-10)
        expected = np.log((1 - error) / error)
        if abs(alpha - expected) > 1e-6 * max(1, abs(expected)):
            raise AssertionError(
                f"{here}: alpha is {alpha:.10g}, expected {expected:.10g} for the error {error:.6g} that this stump has"
            )
        weights = np.where(wrong, weights, weights * error / (1 - error))
        stumps.append((*stump, alpha))
    return stumps


def some_model(rng, stumps=5, features=4):
    """Stumps with alphas of all sizes."""
    polarity = rng.choice([-1, 1], size=stumps)
    return [
        (int(rng.integers(features)), float(rng.normal(scale=0.5)), int(sign), float(rng.uniform(0.2, 2.0)))
        for sign in polarity
    ]


def vote_of(model, features):
    """The sum of the alphas that say 1."""
    return sum(alpha * says(features, *stump) for *stump, alpha in model)


@exercise("adaboost", functions=["adaboost", "predict_adaboost"], points=6)
class TestAdaboost:
    """Many that vote."""

    hints = {
        "adaboost": [
            "Before the first round each class weighs one half in all. Whose weights change after a round, and by what?",
            "In each round: divide the weights by their sum, train a stump, beta = error / (1 - error) with the error at least "
            "1e-10, multiply the weights of what it got right by beta; alpha = log(1 / beta).",
            "`weights = 1 / (2 * np.bincount(labels)[labels])`; in the loop `weights = weights / weights.sum()`, then "
            "`weights = np.where(right, beta * weights, weights)`.",
        ],
        "predict_adaboost": [
            "What does a stump with a large alpha count, what one with a small alpha? And what is half of it all?",
            "Add alpha where the stump says 1, nothing where it says 0. Compare with half of the sum of all alphas; equal is "
            "enough.",
            "`votes += alpha * (polarity * features[:, feature] < polarity * threshold)`; "
            "`votes >= sum(alpha for *_, alpha in model) / 2`.",
        ],
    }

    @core
    def test_rounds(self, student, rng):
        """`adaboost`: each round's stump is a best one for the weights of its round, with its alpha."""
        for _ in range(2):
            features, labels = some_samples(rng)
            model = assert_unchanged(student.adaboost, features, labels, 5)
            assert_boosted(model, features, labels, 5)

    def test_first_round(self, student, rng):
        """`adaboost` begins with weights of which each class has half, however few of it there are."""
        for faces, others in [(4, 30), (25, 5)]:
            features, labels = some_samples(rng, faces, others, 3)
            assert_boosted(student.adaboost(features, labels, 1), features, labels, 1)

    def test_second_round(self, student, rng):
        """`adaboost` looks at what the first stump got wrong: under the new weights that stump is no better than a coin."""
        for _ in range(3):
            features, labels = some_samples(rng, 8, 10, 2)
            assert_boosted(student.adaboost(features, labels, 2), features, labels, 2)

    def test_perfect(self, student):
        """`adaboost` takes an error of 0 as 1e-10, so that the alpha of a perfect stump is finite."""
        features = np.array([[3.0, 1.0], [1.0, 2.0], [2.0, 3.0], [5.0, 4.0], [4.0, 5.0]])
        labels = np.array([0, 0, 0, 1, 1])
        assert_boosted(student.adaboost(features, labels, 1), features, labels, 1)

    @core
    def test_votes(self, student, reference, rng):
        """`predict_adaboost` says 1 where the alphas for it are at least half of all."""
        for stumps in (1, 4, 7):
            model, features = some_model(rng, stumps), rng.normal(size=(40, 4))
            came = assert_unchanged(student.predict_adaboost, model, features)
            assert_close(came, reference.predict_adaboost(model, features))

    def test_half(self, student, reference, rng):
        """`predict_adaboost` takes exactly half for enough."""
        features = rng.normal(size=(24, 3))
        for alphas in [(1.0, 1.0), (2.0, 1.0, 1.0), (0.25, 0.5, 0.25)]:
            model = [(place, 0.0, -1, alpha) for place, alpha in enumerate(alphas)]
            assert_close(
                student.predict_adaboost(model, features), reference.predict_adaboost(model, features)
            )

    def test_sizes_of_alphas(self, student, reference, rng):
        """`predict_adaboost` knows no absolute threshold: alphas a hundred times smaller, or larger, vote alike."""
        features = rng.normal(size=(30, 4))
        for factor in (0.01, 100.0):
            model = [(*stump, factor * alpha) for *stump, alpha in some_model(rng)]
            assert_close(
                student.predict_adaboost(model, features), reference.predict_adaboost(model, features)
            )

    def test_heavy_vote(self, student, reference, rng):
        """`predict_adaboost`: one stump may weigh more than all others together."""
        features = rng.normal(size=(20, 4))
        model = [(3, 0.1, 1, 5.0), (0, 0.0, 1, 1.0), (1, 0.0, -1, 1.5), (2, 0.0, -1, 1.2)]
        assert_close(student.predict_adaboost(model, features), reference.predict_adaboost(model, features))

    def test_together(self, student, rng):
        """`predict_adaboost` reads what `adaboost` wrote."""
        features, labels = some_samples(rng)
        came = student.adaboost(features, labels, 5)
        model = assert_boosted(came, features, labels, 5)
        unseen, _ = some_samples(rng, 20, 20)
        margin = vote_of(model, unseen) - sum(alpha for *_, alpha in model) / 2
        clear = np.abs(margin) > 1e-9
        assert_close(student.predict_adaboost(came, unseen[clear]), (margin[clear] > 0).astype(int))

    def test_single_precision(self, student, reference, rng):
        """Both take `float32` too."""
        features, labels = some_samples(rng)
        features = features.astype(np.float32)
        assert_boosted(student.adaboost(features, labels, 2), features, labels, 2)
        model = [(0, 0.5, 1, 1.0), (1, -0.25, -1, 2.0)]
        assert_close(student.predict_adaboost(model, features), reference.predict_adaboost(model, features))


def some_stages(rng, stages=3, features=4):
    """Stages whose thresholds are not half of their alphas."""
    cascade = []
    for place in range(stages):
        model = some_model(rng, 2 + place, features)
        cascade.append((model, float(rng.uniform(0.2, 0.6)) * sum(alpha for *_, alpha in model)))
    return cascade


def as_stage(stage, which):
    """What came as a stage, once it is seen to be one."""
    if not isinstance(stage, list | tuple) or len(stage) != 2 or not isinstance(stage[0], list | tuple):
        raise AssertionError(f"{which} is {stage!r:.80}; expected (model, threshold), the model a list")
    model, threshold = stage
    if np.ndim(threshold) or not isinstance(threshold, int | float | np.number):
        raise AssertionError(f"the threshold of {which} is {threshold!r:.60}; expected one number")
    return model, float(threshold)


def assert_cascade(cascade, features, labels, stages, rounds, rate):
    """Go through a trained cascade stage by stage, whichever best stumps and whichever threshold in a gap it took.

    Whether a stage looks at all faces, or only at those that passed before, is not asked: where they differ, either will do.
    """
    if not isinstance(cascade, list | tuple) or len(cascade) > stages:
        shown = (
            f"{len(cascade)} stages" if isinstance(cascade, list | tuple) else f"a {type(cascade).__name__}"
        )
        raise AssertionError(f"{shown} came; expected a list of at most {stages}")
    faces, others = features[labels == 1], features[labels == 0]
    left = faces
    for number, stage in enumerate(cascade, 1):
        which = f"stage {number}"
        if not len(others):
            raise AssertionError(f"{which} was trained, though no negatives were left after {number - 1}")
        model, threshold = as_stage(stage, which)
        if rate == 1:
            both = np.repeat([1, 0], [len(faces), len(others)])
            model = assert_boosted(model, np.concatenate([faces, others]), both, rounds, f"{which}, round")
        elif len(model) != rounds:
            raise AssertionError(f"{which} has {len(model)} stumps, expected {rounds}")
        total = sum(alpha for *_, alpha in model)
        shares, least = [], []
        for some in (faces, left):
            votes = vote_of(model, some)
            shares.append(np.mean(votes >= threshold - 1e-9))
            least.append(min(total / 2, np.sort(votes)[::-1][int(np.ceil(rate * len(some))) - 1]))
        if max(shares) < rate - 1e-9:
            raise AssertionError(
                f"{which} passes {max(shares):.4g} of the faces, expected at least {rate}: lower its threshold"
            )
        passes = vote_of(model, others) >= threshold - 1e-9
        if passes.sum() > (vote_of(model, others) >= min(least) - 0.02 * total).sum():
            raise AssertionError(
                f"{which} has the threshold {threshold:.6g}, and {passes.sum()} of {len(others)} negatives pass; "
                f"{min(least):.6g} was low enough to pass {rate} of the faces"
            )
        left, others = left[vote_of(model, left) >= threshold - 1e-9], others[passes]
    if len(cascade) < stages and len(others):
        raise AssertionError(
            f"{len(cascade)} stages came, expected {stages}: {len(others)} negatives are left"
        )


@exercise("cascade", functions=["cascade_predict", "train_cascade"], points=7)
class TestCascade:
    """No time for walls."""

    hints = {
        "cascade_predict": [
            "What does the third stage say of a sample that the second one has rejected? Does it matter?",
            "Keep an array of who is still in. In each stage only those are asked; who passes gets one more in `passed`.",
            "`accepted[accepted] = vote(model, features[accepted]) >= threshold`, then `passed[accepted] += 1`.",
        ],
        "train_cascade": [
            "Sort the votes of the faces. Where must the threshold lie so that enough of them pass, and no lower?",
            "In each stage: AdaBoost on the faces and the negatives that are left, the threshold from the faces' votes, at most "
            "half of the alphas; then keep only the negatives that pass. Stop when none are left.",
            "`needed = int(np.ceil(rate * len(faces)))`; `best_first = np.sort(vote(model, faces))[::-1]`; "
            "`threshold = min(half, best_first[needed - 1])`.",
        ],
    }

    @core
    def test_stages(self, student, reference, rng):
        """`cascade_predict` accepts what passes every stage, and counts the stages passed before the first no."""
        for count in (2, 4):
            stages, features = some_stages(rng, count), rng.normal(size=(60, 4))
            came = assert_unchanged(student.cascade_predict, stages, features)
            assert_close(came, reference.cascade_predict(stages, features), ("accepted", "passed"))

    def test_rejected(self, student, reference):
        """`cascade_predict` has no way back: a later stage that would say yes is not asked."""
        stages = [([(place, 0.0, -1, 1.0)], 0.5) for place in range(3)]
        features = np.array([[int(digit) - 0.5 for digit in f"{n:03b}"] for n in range(8)])
        came = student.cascade_predict(stages, features)
        assert_close(came, reference.cascade_predict(stages, features), ("accepted", "passed"))

    def test_equal(self, student, reference, rng):
        """`cascade_predict` lets a vote pass that is equal to the threshold."""
        model = [(0, 0.0, -1, 1.0), (1, 0.0, -1, 2.0), (2, 0.0, 1, 0.5)]
        stages = [(model, 1.0), (model, 2.5)]
        features = rng.normal(size=(40, 3))
        came = student.cascade_predict(stages, features)
        assert_close(came, reference.cascade_predict(stages, features), ("accepted", "passed"))

    def test_nothing_passes(self, student, reference, rng):
        """`cascade_predict` holds where the first stage rejects everything, and where one stage is all there is."""
        features = rng.normal(size=(5, 4))
        first, *others = some_stages(rng)
        for stages in ([(first[0], 99.0), *others], [first], [(first[0], -1.0)]):
            came = student.cascade_predict(stages, features)
            assert_close(came, reference.cascade_predict(stages, features), ("accepted", "passed"))

    @core
    def test_training(self, student, rng):
        """`train_cascade` boosts each stage on the faces and on the negatives that passed all stages before it."""
        for _ in range(2):
            features, labels = some_samples(rng, 14, 36, 3)
            cascade = assert_unchanged(student.train_cascade, features, labels, 3, 2, 1.0)
            assert_cascade(cascade, features, labels, 3, 2, 1.0)

    def test_detection_rate(self, student, rng):
        """`train_cascade` lowers a threshold until enough faces pass, and no further."""
        for rate in (0.75, 0.85, 0.9, 0.95):
            features, labels = rng.normal(size=(63, 4)), rng.permutation(np.repeat([1, 0], [23, 40]))
            cascade = student.train_cascade(features, labels, 2, 9, rate)
            assert_cascade(cascade, features, labels, 2, 9, rate)

    def test_no_negatives_left(self, student, rng):
        """`train_cascade` ends early when no negatives are left."""
        features = rng.permutation(20.0 + np.arange(40)).reshape(20, 2)
        labels = (features[:, 1] > np.median(features[:, 1])).astype(int)
        assert_cascade(student.train_cascade(features, labels, 4, 2, 1.0), features, labels, 4, 2, 1.0)

    def test_single_stage(self, student, rng):
        """`train_cascade` of one stage is AdaBoost with a threshold of its own."""
        features, labels = some_samples(rng, 10, 20)
        assert_cascade(student.train_cascade(features, labels, 1, 3, 1.0), features, labels, 1, 3, 1.0)

    def test_together(self, student, rng):
        """`cascade_predict` reads what `train_cascade` wrote: all the faces come through, and the other samples that should."""
        features, labels = some_samples(rng, 12, 30, 3)
        cascade = student.train_cascade(features, labels, 3, 2, 1.0)
        assert_cascade(cascade, features, labels, 3, 2, 1.0)
        cascade = [(model, threshold - 1e-9) for model, threshold in cascade]
        passes = np.array([vote_of(model, features) >= threshold for model, threshold in cascade])
        passed = passes.cumprod(axis=0).sum(axis=0)
        came = student.cascade_predict(cascade, features)
        assert_close(came, (passed == len(cascade), passed), ("accepted", "passed"))

    def test_single_precision(self, student, reference, rng):
        """Both take `float32` too."""
        features, labels = some_samples(rng, 10, 24)
        features = features.astype(np.float32)
        assert_cascade(student.train_cascade(features, labels, 2, 2, 1.0), features, labels, 2, 2, 1.0)
        stages = [([(0, 0.5, 1, 1.0), (1, -0.25, -1, 2.0)], 1.0)]
        came = student.cascade_predict(stages, features)
        assert_close(came, reference.cascade_predict(stages, features), ("accepted", "passed"))


@driver
def everywhere(detect_multiscale, image, window, *others):
    shapes = []

    def classify(seen):
        shapes.append(np.shape(seen))
        return True

    boxes = np.array(detect_multiscale(image, classify, window, *others), float).reshape(-1, 4)
    return boxes[np.lexsort(boxes.T[::-1])], sorted(set(shapes)), len(shapes)


@driver
def brighter_than(detect_multiscale, image, window, scale, step, level):
    def classify(seen):
        return bool(np.mean(seen) > level)

    boxes = np.array(detect_multiscale(image, classify, window, scale, step), float).reshape(-1, 4)
    return boxes[np.lexsort(boxes.T[::-1])]


@driver
def lamp(detect_multiscale, image, window, *others):
    def classify(seen):
        if np.mean(seen[3:-3, 3:-3]) < 0.9:
            return False
        rim = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
        return bool(rim.mean() < 0.2)

    return np.array(detect_multiscale(image, classify, window, *others), float).reshape(-1, 4)


def overlap(box, other):
    """The IoU of two boxes."""
    inner = np.prod(np.maximum(np.minimum(box[2:], other[2:]) - np.maximum(box[:2], other[:2]), 0))
    return inner / (np.prod(box[2:] - box[:2]) + np.prod(other[2:] - other[:2]) - inner)


def assert_lamp(student, *others, x, y):
    """A bright square in the dark is found where it is, as large as it is."""
    side = 24
    image = np.zeros((70, 100))
    image[y : y + side, x : x + side] = 1
    boxes = assert_unchanged(student.detect_multiscale.driven_by(lamp), image, 12, *others)
    if not len(boxes):
        raise AssertionError(
            f"nothing found of a bright square of {side} pixels, at ({x}, {y}) in an image of 70 by 100; `classify` takes a "
            "window of 12 whose rim is dark and whose middle is bright: such windows are in a smaller copy"
        )
    around = np.array([x - side / 4, y - side / 4, x + 1.25 * side, y + 1.25 * side])
    for box in boxes:
        if overlap(box, around) < 0.4:
            raise AssertionError(
                f"the box {box.round(1).tolist()} is not where the bright square is, [{x}, {y}, {x + side}, {y + side}]"
            )


@exercise("detect_multiscale", functions=["detect_multiscale"], points=4)
class TestDetectMultiscale:
    """Every place, every size."""

    hints = {
        "detect_multiscale": [
            "Three loops: which one is the outermost? And what is a pixel of a small copy worth in pixels of the image?",
            "While the window fits into the copy: for each y and each x, in steps, cut the window out and ask. A box found in "
            "a copy that is f times smaller is f times larger in the image.",
            "`for y in range(0, h - height + 1, step)`, `for x in ...`: `if classify(copy[y : y + height, x : x + width])`: append "
            "`(x, y, x + width, y + height)`, times `image.shape[1] / w` across and `image.shape[0] / h` down.",
        ]
    }

    @core
    def test_every_window(self, student, reference, rng):
        """Asks about every window of every copy once, each exactly of the window's size."""
        for shape, step in [((32, 48), 4), ((16, 16), 3)]:
            given = rng.random(shape), 8, 2.0, step
            came = assert_unchanged(student.detect_multiscale.driven_by(everywhere), *given)
            expected = reference.detect_multiscale.driven_by(everywhere)(*given)
            assert_close(came, expected, ("boxes, sorted", "shapes of windows", "number of windows"))

    def test_image_as_it_came(self, student, reference, rng):
        """Begins with the image as it is: what `classify` sees there are its own pixels."""
        image = rng.random((14, 18))
        for step in (1, 2):
            given = image, 8, 3.0, step, float(np.median(image))
            came = student.detect_multiscale.driven_by(brighter_than)(*given)
            assert_close(came, reference.detect_multiscale.driven_by(brighter_than)(*given))

    def test_exact_fit(self, student, reference, rng):
        """An image as large as the window has one window, and one a pixel larger has four at step 1."""
        for side, step in [(9, 2), (10, 1)]:
            given = rng.random((side, side)), 9, 1.25, step
            came = student.detect_multiscale.driven_by(everywhere)(*given)
            expected = reference.detect_multiscale.driven_by(everywhere)(*given)
            assert_close(came, expected, ("boxes, sorted", "shapes of windows", "number of windows"))

    def test_height_and_width(self, student, reference, rng):
        """The window may be a pair, the height first."""
        for window in [(8, 4), (4, 16)]:
            given = rng.random((16, 32)), window, 2.0, 4
            came = student.detect_multiscale.driven_by(everywhere)(*given)
            expected = reference.detect_multiscale.driven_by(everywhere)(*given)
            assert_close(came, expected, ("boxes, sorted", "shapes of windows", "number of windows"))

    def test_large_object(self, student, rng):
        """Finds an object larger than the window in a smaller copy, and gives its box in pixels of the image."""
        assert_lamp(student, 1.25, 1, x=int(rng.integers(50, 65)), y=int(rng.integers(10, 18)))
        assert_lamp(student, 1.4, 1, x=int(rng.integers(10, 20)), y=int(rng.integers(25, 35)))

    def test_defaults(self, student, reference, rng):
        """Shrinks by 1.25 and moves by 2 pixels unless told otherwise."""
        given = rng.random((20, 20)), 16
        came = student.detect_multiscale.driven_by(everywhere)(*given)
        expected = reference.detect_multiscale.driven_by(everywhere)(*given)
        assert_close(came, expected, ("boxes, sorted", "shapes of windows", "number of windows"))

    def test_nothing_there(self, student, reference, rng):
        """Gives no boxes where `classify` says no, and those of the bright half where it says yes."""
        image = np.zeros((16, 24))
        given = image, 8, 2.0, 2, 0.5
        assert_close(
            student.detect_multiscale.driven_by(brighter_than)(*given),
            reference.detect_multiscale.driven_by(brighter_than)(*given),
        )
        image = np.zeros((15, 24))
        image[:, 12:] = 1
        given = image, 8, 3.0, 4, 0.7
        assert_close(
            student.detect_multiscale.driven_by(brighter_than)(*given),
            reference.detect_multiscale.driven_by(brighter_than)(*given),
        )

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        given = rng.random((16, 32)).astype(np.float32), 8, 2.0, 4
        came = student.detect_multiscale.driven_by(everywhere)(*given)
        expected = reference.detect_multiscale.driven_by(everywhere)(*given)
        assert_close(came, expected, ("boxes, sorted", "shapes of windows", "number of windows"), **SINGLE)
