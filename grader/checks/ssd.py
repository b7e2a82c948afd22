"""Checks of the assignment `ssd`."""

import numpy as np

from grader.exercise import assert_close, assert_silent, assert_unchanged, core, exercise, hidden

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
FOUND = ("boxes", "scores", "labels")
TARGETS = ("labels", "targets")


def some_objects(rng, count):
    """Boxes (count, 4) by their corners, within the image."""
    low = rng.uniform(0, 0.5, size=(count, 2))
    return np.column_stack([low, low + rng.uniform(0.15, 0.5, size=(count, 2))])


def centred(boxes):
    """Boxes given by corners as (cx, cy, w, h)."""
    return np.column_stack([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]])


def shaken(rng, boxes, times, most):
    """Default boxes near each box: `times` of them, moved and stretched by up to `most` of its sides."""
    near = np.repeat(centred(boxes), times, axis=0)
    near[:, :2] += rng.uniform(-most, most, size=(len(near), 2)) * near[:, 2:]
    near[:, 2:] *= np.exp(rng.uniform(-most, most, size=(len(near), 2)))
    return near


@exercise("box_scales", functions=["box_scales"], points=1)
class TestBoxScales:
    """From small boxes to large ones."""

    hints = {
        "box_scales": [
            "How many steps are there from the first of m maps to the last? And how many numbers do you return?",
            "Each step is (largest - smallest) / (maps - 1), and the last number lies one step beyond `largest`.",
            "`smallest + (largest - smallest) * np.arange(maps + 1) / (maps - 1)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Is right for some number of maps, and scales between 0 and 1."""
        for maps in (3, 4, 7):
            smallest, largest = np.sort(rng.uniform(0.1, 0.9, size=2))
            given = maps, float(smallest), float(largest)
            assert_close(student.box_scales(*given), reference.box_scales(*given))

    def test_paper(self, student, reference):
        """Gives the six scales of the paper, 0.2 to 0.9, and the one beyond, by default."""
        assert_close(student.box_scales(6), reference.box_scales(6))

    def test_two_maps(self, student, reference):
        """Holds for two maps, the fewest there can be."""
        assert_close(student.box_scales(2, 0.3, 0.7), reference.box_scales(2, 0.3, 0.7))


@exercise("default_boxes", functions=["default_boxes"], points=4)
class TestDefaultBoxes:
    """Boxes to start from."""

    hints = {
        "default_boxes": [
            "How many boxes does a map of 4 by 4 cells get with three ratios? Which of their four numbers depend on the cell, "
            "which on the shape?",
            "For each map write down its shapes (w, h) first: one a ratio, then the square. Then three loops: rows, columns, shapes. "
            "The centre of cell (i, j) is half a cell further than its corner.",
            "`shapes = [(s * r**0.5, s / r**0.5) for r in aspect_ratios] + [((s * following) ** 0.5,) * 2]`; in the loops "
            "`boxes.append(((j + 0.5) / columns, (i + 0.5) / rows, w, h))`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Is right for three maps, some scales and three ratios."""
        given = [4, 2, 1], np.sort(rng.uniform(0.1, 1, size=4)), [1.0, 2.0, 0.5]
        assert_close(assert_unchanged(student.default_boxes, *given), reference.default_boxes(*given))

    def test_ratios(self, student, reference, rng):
        """A ratio is width over height, and leaves the area as it is: here one cell, and a ratio of 4 and of 1/4."""
        given = [1], np.sort(rng.uniform(0.1, 1, size=2)), [4.0, 0.25]
        assert_close(student.default_boxes(*given), reference.default_boxes(*given))

    def test_extra_box(self, student, reference):
        """After the ratios comes a square at the geometric mean of this scale and the next: of 0.1, 0.4 and 0.9 here."""
        given = [1, 1], np.array([0.1, 0.4, 0.9]), [1.0]
        assert_close(student.default_boxes(*given), reference.default_boxes(*given))

    def test_order(self, student, reference):
        """Goes row by row, and in a row from left to right; centres lie in the middle of their cells."""
        given = [3], np.array([0.2, 0.5]), [1.0]
        boxes = np.asarray(student.default_boxes(*given))
        expected = reference.default_boxes(*given)
        if boxes.ndim == 2:  # the shapes are asked for elsewhere
            boxes, expected = boxes[:, :2], expected[:, :2]
        assert_close(boxes, expected)

    def test_pairs(self, student, reference, rng):
        """A size may be a pair, (rows, columns)."""
        given = [(2, 3), (1, 2)], np.sort(rng.uniform(0.1, 1, size=3)), [1.0, 3.0]
        assert_close(student.default_boxes(*given), reference.default_boxes(*given))

    def test_not_clipped(self, student, reference):
        """Boxes may reach beyond the image; nothing is cut off."""
        given = [2], np.array([0.9, 1.04]), [1.0, 3.0, 1 / 3]
        assert_close(student.default_boxes(*given), reference.default_boxes(*given))

    def test_without_ratio_1(self, student, reference, rng):
        """The square comes also where no ratio is 1, and with ratio 1 the map has two squares."""
        for ratios in ([2.0], [1.0]):
            given = [2], np.sort(rng.uniform(0.1, 1, size=2)), ratios
            assert_close(student.default_boxes(*given), reference.default_boxes(*given))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` scales too."""
        given = [2, 1], np.sort(rng.uniform(0.1, 1, size=3)).astype(np.float32), [1.0, 2.0]
        assert_close(student.default_boxes(*given), reference.default_boxes(*given), **SINGLE)

    @hidden
    def test_falling_scales(self, student, reference, rng):
        """Takes maps and scales in any order."""
        given = [1, 3, 2], rng.uniform(0.1, 1, size=4), [0.7, 1.6]
        assert_close(student.default_boxes(*given), reference.default_boxes(*given))


@exercise("match_boxes", functions=["match_boxes"], points=5)
class TestMatchBoxes:
    """Which box is to find which object."""

    hints = {
        "match_boxes": [
            "The table of all IoUs has a row for each default box and a column for each object. Which question runs along the "
            "rows, which down the columns?",
            "First the rows: the best object of each default box, or -1 where even that IoU is below the threshold. Then, over "
            "that, the columns: each object writes its number at its best default box, one object after the other.",
            "`index = np.where(overlaps.max(axis=1) >= threshold, overlaps.argmax(axis=1), -1)`; then "
            "`for box, default in enumerate(overlaps.argmax(axis=0)): index[default] = box`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Is right for five objects and sixty default boxes, some of them near an object."""
        objects = some_objects(rng, 5)
        objects[1] = objects[0] + rng.uniform(-0.06, 0.06, size=4)
        given = rng.permutation(shaken(rng, objects, 12, most=0.4)), objects
        assert_close(assert_unchanged(student.match_boxes, *given), reference.match_boxes(*given))

    @core
    def test_all_below(self, student, reference, rng):
        """An object keeps its best default box, however little they overlap."""
        objects = np.array([[0.1, 0.1, 0.3, 0.3], [0.6, 0.5, 0.9, 0.9]])
        objects += rng.uniform(-0.05, 0.05, size=objects.shape)
        near = centred(objects)
        near[:, 2:] *= 2  # an IoU of 1/4
        far = near * [1, 1, 1.2, 1.3]
        given = np.concatenate([far, near[::-1]]), objects
        assert_close(student.match_boxes(*given), reference.match_boxes(*given))

    def test_threshold(self, student, reference, rng):
        """Follows `threshold`."""
        objects = some_objects(rng, 3)
        defaults = shaken(rng, objects, 10, most=0.5)
        for threshold in (0.2, 0.8):
            given = defaults, objects, threshold
            assert_close(student.match_boxes(*given), reference.match_boxes(*given))

    def test_at_the_threshold(self, student, reference):
        """An IoU of exactly the threshold is enough."""
        defaults = np.array([[0.5, 0.5, 1.0, 1.0], [0.25, 0.5, 0.5, 1.0]])
        given = defaults, np.array([[0.0, 0.0, 0.5, 1.0]]), 0.5
        assert_close(student.match_boxes(*given), reference.match_boxes(*given))

    def test_best_object(self, student, reference, rng):
        """A default box that overlaps three objects takes the one that it overlaps most, wherever that stands in the list."""
        middle = np.array([0.5, 0.5, 0.4, 0.4])
        shifts = rng.permutation([0.02, 0.06, 0.1])[:, np.newaxis] * [1, 0, 1, 0]
        objects = np.array([0.3, 0.3, 0.7, 0.7]) + shifts
        given = np.concatenate([[middle], centred(objects)]), objects
        assert_close(student.match_boxes(*given), reference.match_boxes(*given))

    def test_kept(self, student, reference):
        """An object keeps its best default box even if that overlaps another object more, in either order."""
        small, large = [0.2, 0.2, 0.4, 0.4], [0.22, 0.22, 0.62, 0.62]
        defaults = centred(np.array([[0.2, 0.2, 0.6, 0.6], [0.22, 0.23, 0.62, 0.63], [0.5, 0.6, 0.9, 0.95]]))
        for objects in ([small, large], [large, small]):
            given = defaults, np.array(objects)
            assert_close(student.match_boxes(*given), reference.match_boxes(*given))

    def test_one_best_for_two(self, student, reference):
        """Of two objects with the same best default box the later one gets it, better or not."""
        near, nearer = [0.2, 0.2, 0.45, 0.5], [0.2, 0.2, 0.49, 0.5]
        defaults = centred(np.array([[0.2, 0.2, 0.5, 0.5], [0.25, 0.3, 0.7, 0.9], [0.6, 0.7, 0.9, 0.9]]))
        for objects in ([near, nearer], [nearer, near]):
            given = defaults, np.array(objects)
            assert_close(student.match_boxes(*given), reference.match_boxes(*given))

    def test_no_objects(self, student, reference, rng):
        """Without objects every default box is background."""
        given = centred(some_objects(rng, 4)), np.zeros((0, 4))
        assert_close(student.match_boxes(*given), reference.match_boxes(*given))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        objects = some_objects(rng, 3)
        given = [array.astype(np.float32) for array in (shaken(rng, objects, 6, most=0.3), objects)]
        assert_close(student.match_boxes(*given), reference.match_boxes(*given))

    @hidden
    def test_crowd(self, student, reference, rng):
        """Is right where there are more objects than default boxes."""
        objects = some_objects(rng, 9)
        given = shaken(rng, objects[:5], 1, most=0.2), objects
        assert_close(student.match_boxes(*given), reference.match_boxes(*given))


@exercise("encode_ssd", functions=["encode_ssd"], points=2)
class TestEncodeSsd:
    """What the network has to say."""

    hints = {
        "encode_ssd": [
            "The default box is given by centre and sides, the object by corners. In which of the two do you compare them?",
            "The shift of the centre counts in sides of the default box, the growth of the sides by its logarithm. Then divide by "
            "the variances: the first for centres, the second for sides.",
            "`box = to_centres(boxes)`; `shift = (box[:, :2] - defaults[:, :2]) / defaults[:, 2:] / variances[0]`; "
            "`growth = np.log(box[:, 2:] / defaults[:, 2:]) / variances[1]`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Is right for random boxes."""
        objects = some_objects(rng, 8)
        given = objects, shaken(rng, objects, 1, most=0.5)
        assert_close(assert_unchanged(student.encode_ssd, *given), reference.encode_ssd(*given))

    def test_moved(self, student, reference, rng):
        """For a box that is only moved, the first two numbers tell by how much: in sides of the default box, over 0.1."""
        given = some_objects(rng, 4), centred(some_objects(rng, 4))
        given[1][:, 2:] = centred(given[0])[:, 2:]
        assert_close(student.encode_ssd(*given), reference.encode_ssd(*given))

    def test_grown(self, student, reference, rng):
        """For a box that has only grown, the last two numbers tell how much: the logarithm, over 0.2."""
        objects = some_objects(rng, 4)
        given = objects, centred(objects) * [1, 1, 0.5, 0.3]
        assert_close(student.encode_ssd(*given), reference.encode_ssd(*given))

    def test_variances(self, student, reference, rng):
        """Follows `variances`."""
        objects = some_objects(rng, 4)
        given = objects, shaken(rng, objects, 1, most=0.5), (0.4, 0.7)
        assert_close(student.encode_ssd(*given), reference.encode_ssd(*given))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        objects = some_objects(rng, 4)
        given = [array.astype(np.float32) for array in (objects, shaken(rng, objects, 1, most=0.5))]
        assert_close(student.encode_ssd(*given), reference.encode_ssd(*given), **SINGLE)


def some_losses(rng, n, positives):
    """Losses without ties, and which `positives` of them are positives; those have small losses and large ones."""
    matched = np.zeros(n, bool)
    matched[rng.choice(n, positives, replace=False)] = True
    losses = rng.permutation(np.arange(1, n + 1) / 4) + rng.uniform(0, 0.1, size=n)
    return losses, matched


@exercise("hard_negative_mining", functions=["hard_negative_mining"], points=3)
class TestHardNegativeMining:
    """The negatives that teach."""

    hints = {
        "hard_negative_mining": [
            "What must you do to the losses of the positives, so that sorting never brings them to the front?",
            "Count: ratio times the positives, but not more than there are negatives. Sort the negatives from the largest loss "
            "down and mark that many.",
            "`order = np.argsort(np.where(positives, np.inf, -losses))`; "
            "`count = min(ratio * positives.sum(), (~positives).sum())`; `mined[order[:count]] = True`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Marks three negatives for each positive, those with the largest losses."""
        for positives in (1, 4):
            given = some_losses(rng, 30, positives)
            assert_close(
                assert_unchanged(student.hard_negative_mining, *given), reference.hard_negative_mining(*given)
            )

    def test_ratio(self, student, reference, rng):
        """Follows `ratio`."""
        for ratio in (1, 2, 5):
            given = *some_losses(rng, 30, 3), ratio
            assert_close(student.hard_negative_mining(*given), reference.hard_negative_mining(*given))

    def test_few_negatives(self, student, reference, rng):
        """Where there are too few negatives it marks them all, and no positive."""
        for n, positives in ((6, 4), (8, 2), (5, 5)):
            given = some_losses(rng, n, positives)
            assert_close(student.hard_negative_mining(*given), reference.hard_negative_mining(*given))

    def test_hard_positives(self, student, reference, rng):
        """Positives with the largest losses of all do not take a negative's place."""
        losses, positives = some_losses(rng, 20, 3)
        given = losses + 100 * positives, positives
        assert_close(student.hard_negative_mining(*given), reference.hard_negative_mining(*given))

    def test_no_positives(self, student, reference, rng):
        """Without positives it marks nothing."""
        given = some_losses(rng, 10, 0)
        assert_close(student.hard_negative_mining(*given), reference.hard_negative_mining(*given))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        losses, positives = some_losses(rng, 12, 2)
        given = losses.astype(np.float32), positives
        assert_close(student.hard_negative_mining(*given), reference.hard_negative_mining(*given))

    @hidden
    def test_many(self, student, reference, rng):
        """Is right for a thousand default boxes."""
        given = some_losses(rng, 1000, 17)
        assert_close(student.hard_negative_mining(*given), reference.hard_negative_mining(*given))


def some_predictions(rng, n=24, classes=4, positives=3):
    """Logits, locations, labels and targets of `n` default boxes, `positives` of which are matched to an object."""
    labels = np.zeros(n, int)
    labels[rng.choice(n, positives, replace=False)] = rng.integers(1, classes, size=positives)
    locations = rng.normal(scale=1.5, size=(2, n, 4))
    return rng.normal(scale=2, size=(n, classes)), locations[0], labels, locations[1]


@exercise("multibox_loss", functions=["multibox_loss"], points=5)
class TestMultiboxLoss:
    """What and where, in one number."""

    hints = {
        "multibox_loss": [
            "Which default boxes take part in the cross-entropy, and which in the smooth L1? Which number are both divided by?",
            "Cross-entropy of every default box first, stable: logits less their maximum. `hard_negative_mining` then picks "
            "negatives by it. Locations count for positives only.",
            "`shifted = class_logits - class_logits.max(axis=1, keepdims=True)`; "
            "`entropy = np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(n), labels]`; "
            "`far = np.abs(locations - targets)[positives]`; `np.where(far < 1, 0.5 * far**2, far - 0.5).sum()`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random predictions."""
        given = some_predictions(rng)
        assert_close(assert_unchanged(student.multibox_loss, *given), reference.multibox_loss(*given))

    def test_classes_alone(self, student, reference, rng):
        """Where every location is right, it is the cross-entropy of the positives and of the mined negatives."""
        logits, locations, labels, _ = some_predictions(rng)
        given = logits, locations, labels, locations
        assert_close(student.multibox_loss(*given), reference.multibox_loss(*given))

    def test_all_positive(self, student, reference, rng):
        """Without negatives, and with every location right, it is the mean cross-entropy of the positives."""
        logits, locations, labels, _ = some_predictions(rng, n=6, positives=6)
        given = logits, locations, labels, locations
        assert_close(student.multibox_loss(*given), reference.multibox_loss(*given))

    def test_locations_alone(self, student, reference, rng):
        """Where every class is sure and right, it is the smooth L1: half the square up to 1, then a line."""
        _, locations, labels, _ = some_predictions(rng)
        logits = 100.0 * np.eye(4)[labels]
        for most in (0.9, 5.0):
            moved = rng.choice([-1, 1], size=locations.shape) * rng.uniform(
                most / 2, most, size=locations.shape
            )
            given = logits, locations, labels, locations + moved
            assert_close(student.multibox_loss(*given), reference.multibox_loss(*given))

    def test_locations_of_negatives(self, student, reference, rng):
        """The locations of negatives do not count, mined or not."""
        logits, locations, labels, targets = some_predictions(rng)
        targets[labels == 0] += 100
        given = logits, locations, labels, targets
        assert_close(student.multibox_loss(*given), reference.multibox_loss(*given))

    def test_ratio(self, student, reference, rng):
        """Follows `ratio`: 1, and one that takes in every negative."""
        for ratio in (1, 100):
            given = *some_predictions(rng), ratio
            assert_close(student.multibox_loss(*given), reference.multibox_loss(*given))

    def test_alpha(self, student, reference, rng):
        """Weighs the locations by `alpha`, and only them."""
        for alpha in (0.0, 2.5):
            given = *some_predictions(rng), 3, alpha
            assert_close(student.multibox_loss(*given), reference.multibox_loss(*given))

    def test_no_positives(self, student, reference, rng):
        """Is 0, without a warning, where nothing is matched."""
        given = some_predictions(rng, positives=0)
        assert_close(assert_silent(student.multibox_loss, *given), reference.multibox_loss(*given))

    def test_large_logits(self, student, reference, rng):
        """Stays finite, without a warning, for logits of ten thousand."""
        logits, *others = some_predictions(rng)
        given = 5e3 * logits, *others
        assert_close(assert_silent(student.multibox_loss, *given), reference.multibox_loss(*given))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        logits, locations, labels, targets = some_predictions(rng)
        given = logits.astype(np.float32), locations.astype(np.float32), labels, targets.astype(np.float32)
        assert_close(student.multibox_loss(*given), reference.multibox_loss(*given), **SINGLE)

    @hidden
    def test_many_classes(self, student, reference, rng):
        """Is right for two classes, for eleven, and where negatives are few."""
        for n, classes, positives in ((9, 2, 1), (40, 11, 6), (5, 3, 4)):
            given = some_predictions(rng, n, classes, positives)
            assert_close(student.multibox_loss(*given), reference.multibox_loss(*given))


def some_output(rng, n=10, classes=4, near=3):
    """Locations, confidences and default boxes: `near` boxes round each of `n` places, with a favourite class each."""
    defaults = shaken(rng, some_objects(rng, n), near, most=0.15)
    favoured = np.repeat(np.eye(classes)[rng.integers(0, classes, size=n)], near, axis=0)
    confidences = 0.5 * favoured + 0.5 * rng.dirichlet(np.ones(classes), size=len(defaults))
    return rng.normal(scale=0.8, size=defaults.shape), confidences, defaults


def ranked(found):
    """What was found, best first: any order will do."""
    if not isinstance(found, list | tuple) or len(found) != 3:
        raise AssertionError("expected three results: the boxes, their scores and their labels")
    boxes, scores, labels = (np.asarray(part) for part in found)
    if scores.ndim != 1 or scores.dtype.kind not in "biuf" or boxes.ndim != 2 or labels.ndim != 1:
        raise AssertionError(
            f"the boxes have shape {boxes.shape}, the scores {scores.shape}, the labels {labels.shape}; "
            "expected (k, 4), (k,) and (k,)"
        )
    if not len(boxes) == len(scores) == len(labels):
        raise AssertionError(
            f"there are {len(boxes)} boxes, {len(scores)} scores and {len(labels)} labels: one of each is needed"
        )
    order = np.argsort(-scores, kind="stable")
    return boxes[order], scores[order], labels[order]


def assert_found(student, reference, *given, **options):
    """Hold what was decoded against the reference's, in whatever order, and the arguments against a change."""
    expected = reference.decode_ssd(*given, **options)
    came = ranked(assert_unchanged(student.decode_ssd, *given, **options))
    if len(came[0]) != len(expected[0]):
        raise AssertionError(f"{len(came[0])} boxes were reported, expected {len(expected[0])}")
    assert_close(came, expected, FOUND)


def targets_of(student, objects, labels, defaults):
    """What the student's functions ask of a network for one picture, once it is seen to be labels and targets."""
    came = student.ssd_targets(objects, labels, defaults)
    if not isinstance(came, list | tuple) or len(came) != 2:
        raise AssertionError("expected two results of `ssd_targets`: the labels and the targets")
    truth, targets = (np.asarray(part) for part in came)
    if truth.shape != defaults.shape[:1] or targets.shape != defaults.shape:
        raise AssertionError(
            f"the labels have shape {truth.shape} and the targets {targets.shape}; expected {defaults.shape[:1]} "
            f"and {defaults.shape}"
        )
    if not np.isin(truth, range(4)).all():
        raise AssertionError("`ssd_targets` gave other labels than those of the objects and 0")
    return truth.astype(int), targets


@exercise("decode_ssd", functions=["decode_ssd", "ssd_targets"], points=8)
class TestDecodeSsd:
    """From objects to numbers, and back."""

    hints = {
        "ssd_targets": [
            "Some numbers of `match_boxes` are -1. Which object does NumPy give you for that? And where there are no objects?",
            "Begin with zeros for labels and targets, and fill in the rows of the positives only.",
            "`index = match_boxes(defaults, boxes, threshold)`; `matched = index >= 0`; "
            "`classes[matched] = labels[index[matched]]`; "
            "`targets[matched] = encode_ssd(boxes[index[matched]], defaults[matched], variances)`.",
        ],
        "decode_ssd": [
            "Which is `encode_ssd`, backwards? And how many boxes may one default box report, if it has three classes besides the "
            "background?",
            "Decode every default box once. Then class by class, from 1: which scores reach the threshold, which of those does "
            "`nms` leave? Put all classes together, sort by score, keep `top_k`.",
            "`centres = defaults[:, :2] + locations[:, :2] * variances[0] * defaults[:, 2:]`; "
            "`sides = defaults[:, 2:] * np.exp(locations[:, 2:] * variances[1])`; for each label "
            "`chosen = np.flatnonzero(confidences[:, label] >= score_threshold)` and "
            "`chosen[nms(corners[chosen], confidences[chosen, label], iou_threshold)]`.",
        ],
    }

    @core
    def test_values(self, student, reference, rng):
        """Is right for random output of three classes and the background."""
        assert_found(student, reference, *some_output(rng), score_threshold=0.3)

    def test_defaults(self, student, reference, rng):
        """Knows the paper's numbers by default: variances 0.1 and 0.2, scores from 0.5, an IoU of 0.45."""
        assert_found(student, reference, *some_output(rng, near=4))

    def test_one_box(self, student, reference, rng):
        """Moves and stretches a single default box: shifts in its sides, sides by the exponential, over the corners."""
        defaults = centred(some_objects(rng, 1))
        assert_found(student, reference, rng.normal(size=(1, 4)), np.array([[0.1, 0.9]]), defaults)

    def test_variances(self, student, reference, rng):
        """Follows `variances`."""
        assert_found(student, reference, *some_output(rng), (0.3, 0.5), score_threshold=0.3)

    def test_background(self, student, reference, rng):
        """Does not report the background, and labels begin with 1."""
        locations, _, defaults = some_output(rng, n=4, near=1)
        confidences = np.array([[0.9, 0.05, 0.05], [0.1, 0.8, 0.1], [0.2, 0.1, 0.7], [0.85, 0.1, 0.05]])
        assert_found(student, reference, locations, confidences, defaults)

    def test_every_class(self, student, reference, rng):
        """A default box reports every class whose score is high enough, not just its best."""
        locations, _, defaults = some_output(rng, n=3, near=1)
        confidences = np.array([[0.1, 0.41, 0.36, 0.13], [0.5, 0.2, 0.01, 0.29], [0.4, 0.02, 0.33, 0.25]])
        assert_found(student, reference, locations, confidences, defaults, score_threshold=0.22)

    def test_other_classes(self, student, reference, rng):
        """Boxes of different classes do not suppress each other."""
        defaults = shaken(rng, some_objects(rng, 1), 4, most=0.02)
        confidences = np.array([[0.1, 0.8, 0.1], [0.1, 0.2, 0.7], [0.3, 0.6, 0.1], [0.15, 0.1, 0.75]])
        assert_found(student, reference, np.zeros((4, 4)), confidences, defaults)

    def test_thresholds(self, student, reference, rng):
        """Follows `score_threshold` and `iou_threshold`."""
        for score, overlap in ((0.1, 0.7), (0.25, 0.2), (0.6, 0.45)):
            given = some_output(rng, near=5)
            assert_found(student, reference, *given, score_threshold=score, iou_threshold=overlap)

    def test_top_k(self, student, reference, rng):
        """Reports the `top_k` best of all classes together, chosen after the suppression."""
        for top_k in (1, 4):
            assert_found(student, reference, *some_output(rng, near=6), score_threshold=0.15, top_k=top_k)

    def test_nothing(self, student, reference, rng):
        """Where no score is high enough it gives no boxes, (0, 4), no scores and no labels."""
        assert_found(student, reference, *some_output(rng), score_threshold=0.999)

    def test_not_clipped(self, student, reference, rng):
        """A box may reach beyond the image."""
        defaults = np.array([[0.1, 0.2, 0.5, 0.6], [0.9, 0.7, 0.4, 0.8]])
        confidences = np.array([[0.2, 0.8], [0.1, 0.9]])
        assert_found(student, reference, rng.normal(size=(2, 4)), confidences, defaults)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        given = [array.astype(np.float32) for array in some_output(rng, near=1)]
        expected = reference.decode_ssd(*given)
        assert_close(ranked(student.decode_ssd(*given)), expected, FOUND, **SINGLE)

    @core
    def test_targets(self, student, reference, rng):
        """The targets of a picture: class and numbers of each positive, zeros for the background."""
        given = self.picture(rng)
        came = assert_unchanged(student.ssd_targets, *given)
        assert_close(came, reference.ssd_targets(*given), TARGETS)

    def test_last_object(self, student, reference, rng):
        """A default box without an object is background, not the last object."""
        objects = np.array([[0.1, 0.1, 0.3, 0.4], [0.5, 0.6, 0.9, 0.9]])
        given = objects, np.array([1, 2]), shaken(rng, objects, 4, most=0.6)
        assert_close(student.ssd_targets(*given), reference.ssd_targets(*given), TARGETS)

    def test_target_options(self, student, reference, rng):
        """The targets follow `threshold` and `variances`."""
        for options in ((0.3, (0.1, 0.2)), (0.5, (0.5, 0.4))):
            given = *self.picture(rng), *options
            assert_close(student.ssd_targets(*given), reference.ssd_targets(*given), TARGETS)

    def test_empty_picture(self, student, reference, rng):
        """Without objects all is background."""
        given = np.zeros((0, 4)), np.zeros(0, int), centred(some_objects(rng, 5))
        assert_close(student.ssd_targets(*given), reference.ssd_targets(*given), TARGETS)

    def test_together(self, student, reference, rng):
        """Your parts fit: make the targets of a picture, claim just those with certainty, decode, and its objects are back."""
        objects = np.array([[0.1, 0.15, 0.35, 0.4], [0.5, 0.1, 0.95, 0.35], [0.3, 0.5, 0.9, 0.97]])
        objects += rng.uniform(-0.04, 0.04, size=objects.shape)
        labels = rng.integers(1, 4, size=3)
        defaults = reference.default_boxes([6, 3], np.array([0.25, 0.5, 0.75]), [1.0, 2.0, 0.5])
        truth, targets = targets_of(student, objects, labels, defaults)
        confidences = 0.9 * np.eye(4)[truth] + 0.025
        confidences += rng.uniform(0, 1e-3, size=confidences.shape)  # no two alike
        boxes, _, found = ranked(student.decode_ssd(targets, confidences, defaults))
        if len(boxes) != 3:
            raise AssertionError(f"{len(boxes)} boxes came back, but there were 3 objects")
        order, right = np.argsort(boxes[:, 0]), np.argsort(objects[:, 0])
        assert_close((boxes[order], found[order]), (objects[right], labels[right]), ("boxes", "labels"))

    @hidden
    def test_many(self, student, reference, rng):
        """Is right for hundreds of default boxes, more of which have something to say than may."""
        given = some_output(rng, n=60, classes=6, near=6)
        assert_found(student, reference, *given, score_threshold=0.05, iou_threshold=0.6, top_k=50)

    @staticmethod
    def picture(rng):
        """Objects with labels, and default boxes of which some fit one of them."""
        objects = some_objects(rng, 4)
        return objects, rng.permutation([1, 2, 3, 2]), rng.permutation(shaken(rng, objects, 8, most=0.5))
