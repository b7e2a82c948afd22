"""Checks of the assignment `segmentation`."""

import inspect

import numpy as np
import pytest

from grader.driver import Driver
from grader.exercise import assert_close, assert_silent, assert_unchanged, core, driver, exercise, hidden

SINGLE = {"rtol": 1e-5, "atol": 1e-6}


def images(rng, *shape):
    """Pixels that differ in sign, size and centre."""
    return 1.5 * rng.normal(size=shape) + 0.3


def mask(rng, classes, *shape, void=0.0, label=255):
    """Random classes, each in it, and a share of pixels that do not count."""
    labels = rng.permutation(np.arange(np.prod(shape)) % classes).reshape(shape)
    labels[rng.random(shape) < void] = label
    return labels


@exercise("bilinear_kernel", functions=["bilinear_kernel"], points=2)
class TestBilinearKernel:
    """The kernel that interpolates."""

    hints = {
        "bilinear_kernel": [
            "Which new pixels lie less than `factor` away from the centre of the old one? Where is that centre, in new pixels?",
            "One axis first: with k = 2 * factor - factor % 2 weights and their middle at (k - 1) / 2, a weight is 1 minus its "
            "distance from the middle over `factor`. Two axes: the product. Channels: the identity.",
            "`tent = 1 - np.abs(np.arange(k) - (k - 1) / 2) / factor`, then "
            "`np.outer(tent, tent)[:, :, None, None] * np.eye(channels)`.",
        ]
    }

    @core
    def test_even_factors(self, student, reference):
        """For an even factor the middle lies between two weights: 2 * factor of them along each axis."""
        for factor in (2, 4, 6):
            assert_close(student.bilinear_kernel(factor, 1), reference.bilinear_kernel(factor, 1))

    def test_odd_factors(self, student, reference):
        """For an odd factor the middle is a weight, of 1: 2 * factor - 1 of them along each axis."""
        for factor in (3, 5):
            assert_close(student.bilinear_kernel(factor, 1), reference.bilinear_kernel(factor, 1))

    def test_channels(self, student, reference):
        """No channel leaks into another."""
        for channels in (2, 3):
            assert_close(student.bilinear_kernel(2, channels), reference.bilinear_kernel(2, channels))

    def test_factor_1(self, student, reference):
        """A factor of 1 changes nothing: one weight, of 1, for each channel."""
        assert_close(student.bilinear_kernel(1, 2), reference.bilinear_kernel(1, 2))

    @hidden
    def test_large_factors(self, student, reference):
        """Holds for large factors, with channels."""
        for factor, channels in [(16, 1), (7, 2), (9, 4)]:
            assert_close(
                student.bilinear_kernel(factor, channels), reference.bilinear_kernel(factor, channels)
            )


@exercise("upsample_bilinear", functions=["upsample_bilinear"], points=2)
class TestUpsampleBilinear:
    """Enlarging."""

    hints = {
        "upsample_bilinear": [
            "What comes out of `conv2d_transpose` with your kernel, and how much larger is it than it should be?",
            "It is k - factor too high and too wide, half of that on each side: cut it to factor * height and factor * width.",
            "`cut = (len(kernel) - factor) // 2`, then `[:, cut : cut + factor * height, cut : cut + factor * width]`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random images, twice as large."""
        x = images(rng, 2, 3, 4, 2)
        assert_close(assert_unchanged(student.upsample_bilinear, x, 2), reference.upsample_bilinear(x, 2))

    def test_one_pixel(self, student, reference):
        """A single bright pixel becomes a hill around its own place."""
        for factor in (2, 4):
            x = np.zeros((1, 3, 3, 1))
            x[0, 1, 1] = 1
            assert_close(student.upsample_bilinear(x, factor), reference.upsample_bilinear(x, factor))

    def test_ones(self, student, reference):
        """A picture of ones stays 1 inside and fades at its border, where zeros lie outside."""
        x = np.ones((1, 3, 4, 1))
        assert_close(student.upsample_bilinear(x, 4), reference.upsample_bilinear(x, 4))

    def test_odd_factors(self, student, reference, rng):
        """Holds for odd factors."""
        for factor in (3, 5):
            x = images(rng, 1, 3, 2, 1)
            assert_close(student.upsample_bilinear(x, factor), reference.upsample_bilinear(x, factor))

    def test_factor_1(self, student, reference, rng):
        """A factor of 1 changes nothing."""
        x = images(rng, 2, 2, 3, 2)
        assert_close(student.upsample_bilinear(x, 1), reference.upsample_bilinear(x, 1))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, many channels and large factors."""
        x = images(rng, 1, 2, 3, 5).astype(np.float32)
        for factor in (7, 8):
            expected = reference.upsample_bilinear(x, factor)
            assert_close(student.upsample_bilinear(x, factor), expected, **SINGLE)


@exercise("pixel_cross_entropy", functions=["pixel_cross_entropy"], points=3)
class TestPixelCrossEntropy:
    """A loss for every pixel."""

    hints = {
        "pixel_cross_entropy": [
            "Which pixels count? Can you have their labels in one list, and their logits in one table?",
            "`counts = y_true != ignore` picks both: `y_true[counts]` is (n,), `logits[counts]` is (n, classes). On these it is "
            "the cross-entropy that you know. And when n is 0?",
            "`scores[np.arange(n), labels]` are the true classes' scores; the loss is the mean of "
            "`np.log(np.exp(scores).sum(axis=1))` minus them, with each row's largest taken off first.",
        ]
    }

    def agrees(self, student, reference, *args, **tolerance):
        expected = reference.pixel_cross_entropy(*args)
        assert_close(assert_silent(student.pixel_cross_entropy, *args), expected, **tolerance)

    @core
    def test_values(self, student, reference, rng):
        """Is the mean over all pixels where each of them counts."""
        self.agrees(student, reference, mask(rng, 3, 2, 3, 4), images(rng, 2, 3, 4, 3))

    @core
    def test_ignored_pixels(self, student, reference, rng):
        """Pixels with the label 255 are neither in the sum nor in the count."""
        self.agrees(student, reference, mask(rng, 4, 2, 5, 4, void=0.3), images(rng, 2, 5, 4, 4))

    def test_all_images_together(self, student, reference, rng):
        """Counts pixels, not images: one with few pixels that count has little to say."""
        y_true = mask(rng, 3, 3, 4, 4)
        y_true[0, 1:], y_true[1, 3:] = 255, 255
        self.agrees(student, reference, y_true, images(rng, 3, 4, 4, 3))

    def test_nothing_counts(self, student, reference, rng):
        """Is 0 where no pixel counts, and no warning comes."""
        self.agrees(student, reference, np.full((2, 3, 3), 255), images(rng, 2, 3, 3, 4))

    def test_background(self, student, reference, rng):
        """Class 0 is a class like others."""
        self.agrees(student, reference, np.zeros((1, 3, 4), int), images(rng, 1, 3, 4, 3))

    def test_another_label(self, student, reference, rng):
        """Follows `ignore`: -1, or a class such as 0."""
        self.agrees(
            student, reference, mask(rng, 3, 2, 3, 3, void=0.3, label=-1), images(rng, 2, 3, 3, 3), -1
        )
        self.agrees(student, reference, mask(rng, 3, 2, 3, 3), images(rng, 2, 3, 3, 3), 0)

    def test_many_classes(self, student, reference, rng):
        """Where 255 is not ignored it is a class like others, the 256th."""
        y_true = rng.choice([0, 254, 255], size=(1, 2, 3))
        self.agrees(student, reference, y_true, images(rng, 1, 2, 3, 256), -1)

    def test_large_scores(self, student, reference):
        """Stays finite, without a warning, for scores of a thousand, and of minus a thousand beside them."""
        logits = np.array([1000.0, 0.0, -1000.0]) * np.ones((1, 2, 3, 1))
        self.agrees(student, reference, np.array([[[0, 1, 2], [2, 0, 255]]]), logits)
        levels = np.array([1000.0, -1000.0]).reshape(1, 1, 2, 1) + np.array([0.0, 1.0, 2.0])
        self.agrees(student, reference, np.array([[[0, 1]]]), levels)

    def test_bytes(self, student, reference, rng):
        """Takes masks of bytes (`uint8`), as they come from image files."""
        y_true = mask(rng, 3, 2, 3, 4, void=0.2).astype(np.uint8)
        self.agrees(student, reference, y_true, images(rng, 2, 3, 4, 3))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, many classes, and images of unequal sides."""
        y_true, logits = mask(rng, 21, 2, 7, 5, void=0.5), images(rng, 2, 7, 5, 21).astype(np.float32)
        self.agrees(student, reference, y_true, logits, **SINGLE)


@exercise("mean_iou", functions=["mean_iou"], points=3)
class TestMeanIoU:
    """A score for masks."""

    hints = {
        "mean_iou": [
            "For one class: which pixels are in both masks, which in at least one? Which classes have a pixel in either?",
            "The confusion matrix has it all: its diagonal are the intersections; a row's sum and a column's, minus the "
            "diagonal, are a union. Take the mean where the union is not 0.",
            "`both = (y_true == c) & (y_pred == c)`, `either = (y_true == c) | (y_pred == c)`: "
            "append `both.sum() / either.sum()` where `either.any()`.",
        ]
    }

    def agrees(self, student, reference, *args):
        assert_close(assert_silent(student.mean_iou, *args), reference.mean_iou(*args))

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the definition on random masks that have every class."""
        self.agrees(student, reference, mask(rng, 3, 2, 4, 5), mask(rng, 3, 2, 4, 5), 3)

    @core
    def test_mostly_right(self, student, reference, rng):
        """Agrees with it on masks that are mostly right, and mostly background."""
        y_true = np.where(rng.random((2, 6, 6)) < 0.7, 0, mask(rng, 4, 2, 6, 6))
        y_pred = np.where(rng.random((2, 6, 6)) < 0.8, y_true, mask(rng, 4, 2, 6, 6))
        self.agrees(student, reference, y_true, y_pred, 4)

    def test_classes_in_neither(self, student, reference, rng):
        """Leaves out the classes that are in neither mask."""
        self.agrees(student, reference, mask(rng, 2, 1, 4, 4), mask(rng, 2, 1, 4, 4), 5)
        self.agrees(student, reference, 2 * mask(rng, 2, 1, 4, 4), 2 * mask(rng, 2, 1, 4, 4), 4)

    @pytest.mark.parametrize("true, predicted", [(2, 3), (3, 2)])
    def test_classes_in_one(self, student, reference, rng, true, predicted):
        """A class that is in one of the two masks only counts, with 0."""
        self.agrees(student, reference, mask(rng, true, 1, 3, 4), mask(rng, predicted, 1, 3, 4), 3)

    def test_all_images_together(self, student, reference, rng):
        """Counts over all images together: it is not a mean over images."""
        y_true = np.stack([mask(rng, 2, 4, 4), np.zeros((4, 4), int), 2 * mask(rng, 2, 4, 4)])
        y_pred = np.stack([mask(rng, 2, 4, 4), mask(rng, 3, 4, 4), np.zeros((4, 4), int)])
        self.agrees(student, reference, y_true, y_pred, 3)

    def test_all_right_and_all_wrong(self, student, reference, rng):
        """Is 1 where all is right, and 0 where nothing is."""
        y_true = mask(rng, 3, 2, 3, 3)
        self.agrees(student, reference, y_true, y_true, 3)
        self.agrees(student, reference, y_true, (y_true + 1) % 3, 3)

    def test_pixels_in_a_row(self, student, reference, rng):
        """Takes masks of any shape, such as the pixels that count in one long row."""
        self.agrees(student, reference, mask(rng, 3, 20), mask(rng, 3, 20), 3)
        self.agrees(student, reference, mask(rng, 3, 4, 5), mask(rng, 3, 4, 5), 3)

    @hidden
    def test_bytes(self, student, reference, rng):
        """Takes masks of bytes (`uint8`), with many classes."""
        y_true, y_pred = (mask(rng, 30, 2, 9, 8).astype(np.uint8) for _ in range(2))
        self.agrees(student, reference, y_true, np.where(rng.random((2, 9, 8)) < 0.5, y_true, y_pred), 40)


def model_of(head, size, channels, classes):
    """The head as a model, its weights drawn anew so that nothing is 0, and what it does."""
    import keras

    sizes = [[times * n for n in size] for times in (4, 2, 1)]
    pools = [keras.Input((*each, c)) for each, c in zip(sizes, channels, strict=True)]
    scores = head(*pools, classes)
    if not isinstance(scores, keras.KerasTensor):
        raise TypeError(f"a {type(scores).__name__} came, expected the Keras tensor of the scores")
    model = keras.Model(pools, scores)
    rng = np.random.default_rng(0)
    for weight in model.trainable_weights:
        weight.assign(rng.normal(size=weight.shape) / np.sqrt(np.prod(weight.shape[:-1])))

    def answers(*inputs):
        """The scores' answer to pools, in double precision, without what it says to zeros."""
        given = [np.asarray(pool, np.float32) for pool in inputs]
        zeros = [np.zeros_like(pool[:1]) for pool in given]
        told, silent = (keras.ops.convert_to_numpy(model(each)).astype(float) for each in (given, zeros))
        return told - silent

    shapes = [(*each, c) for each, c in zip(sizes, channels, strict=True)]
    return model, answers, shapes


def probe(function):
    """A driver that may call `model_of`."""
    made = driver(function)
    return Driver(made.name, f"{inspect.getsource(model_of)}\n\n{made.source}", made.function)


@probe
def shape_of_scores(head, size, channels, classes):
    """The shape of the model's output for two images."""
    _, answers, shapes = model_of(head, size, channels, classes)
    return list(answers(*(np.ones((2, *shape)) for shape in shapes)).shape)


@probe
def pools_that_matter(head, size, channels, classes):
    """For each pool whether the scores change with it."""
    _, answers, shapes = model_of(head, size, channels, classes)
    rng = np.random.default_rng(1)
    pools = [rng.normal(size=(1, *shape)) for shape in shapes]
    before, matter = answers(*pools), []
    for place in range(3):
        others = list(pools)
        others[place] = rng.normal(size=(1, *shapes[place]))
        matter.append(bool(np.abs(answers(*others) - before).max() > 1e-5))
    return matter


@probe
def sums_stay_sums(head, size, channels, classes):
    """Whether what a pool says alone is doubled with it, turned round with it; and whether what all say is the sum."""
    _, answers, shapes = model_of(head, size, channels, classes)
    rng = np.random.default_rng(1)
    zeros, pools = ([draw * rng.normal(size=(1, *shape)) for shape in shapes] for draw in (0, 1))
    together = answers(*pools)
    near = lambda a, b: bool(np.abs(a - b).max() < 1e-2 * np.abs(together).max())  # noqa: E731
    singles = [[pool if i == place else zeros[i] for i, pool in enumerate(pools)] for place in range(3)]
    alone = [
        near(answers(*(factor * pool for pool in single)), factor * answers(*single))
        for single in singles
        for factor in (2, -1)
    ]
    return [all(alone), near(together, sum(answers(*single) for single in singles))]


@probe
def shifts(head, size, channels, classes, cell):
    """For each pool how far, in its own pixels, the answer to one pixel of it lies from that pixel's place."""
    model, answers, shapes = model_of(head, size, channels, classes)
    for weight in model.trainable_weights:
        weight.assign(np.ones(weight.shape))
    found: list = []
    for place, stride in enumerate((8, 16, 32)):
        pools = [np.zeros((1, *shape)) for shape in shapes]
        where = [n * 32 // stride for n in cell]
        pools[place][0, where[0], where[1]] = 1
        heights = np.abs(answers(*pools))[0].sum(axis=2)
        if heights.max() == 0:
            found.append(None)
            continue
        rows, columns = np.indices(heights.shape) + 0.5
        centre = [(heights * at).sum() / heights.sum() / stride for at in (rows, columns)]
        found.append([float(round(at - n - 0.5, 1)) for at, n in zip(centre, where, strict=True)])
    return found


@probe
def scored_alone(head, size, channels, classes):
    """For each pool whether one pixel of it, in all its channels, has no more different answers than there are classes."""
    _, answers, shapes = model_of(head, size, channels, classes)
    alone = []
    for place, shape in enumerate(shapes):
        pools = [np.zeros((shape[2], *each)) for each in shapes]
        pools[place][np.arange(shape[2]), 1, 1, np.arange(shape[2])] = 1
        replies = answers(*pools).reshape(shape[2], -1)
        alone.append(bool(np.linalg.matrix_rank(replies, rtol=1e-2) <= classes))
    return alone


@probe
def ways_through(head, size, channels, classes, coarse, fine):
    """Whether the pixels of the fine pool can be told apart; whether each answer to the coarse pool is one that the fine
    pool could have given too; and if so, whether the scores that it arrives there with are smooth."""
    _, answers, shapes = model_of(head, size, channels, classes)
    replies = []
    for place in (coarse, fine):
        count = int(np.prod(shapes[place]))
        pools = [np.zeros((count, *each)) for each in shapes]
        pools[place] = np.eye(count).reshape(count, *shapes[place])
        replies.append(answers(*pools).reshape(count, -1).T)
    told = np.linalg.matrix_rank(replies[1], rtol=1e-3) == replies[1].shape[1]
    scores = np.linalg.lstsq(replies[1], replies[0], rcond=1e-6)[0]
    through = np.abs(replies[1] @ scores - replies[0]).max() < 1e-2 * np.abs(replies[0]).max()
    maps = scores.T.reshape(-1, *shapes[fine])
    smooth = np.abs(maps[:, ::2, ::2] - maps[:, 1::2, 1::2]).max() > 1e-2 * np.abs(maps).max()
    return [bool(told), bool(through), bool(smooth or not (told and through))]


@probe
def repeats_pixels(head, size, channels, classes):
    """Whether the scores stand in blocks of equal pixels."""
    _, answers, shapes = model_of(head, size, channels, classes)
    rng = np.random.default_rng(1)
    scores = answers(*(rng.normal(size=(1, *shape)) for shape in shapes))
    return bool(np.abs(scores[:, ::2, ::2] - scores[:, 1::2, 1::2]).max() < 1e-3 * np.abs(scores).max())


@probe
def pools_that_are_learned_from(head, size, channels, classes):
    """For each pool whether one step of training changes the weights that its channels meet."""
    import keras

    model, _, shapes = model_of(head, size, channels, classes)
    if not model.trainable_weights:
        return [False, False, False]
    before = [np.array(keras.ops.convert_to_numpy(weight)) for weight in model.trainable_weights]
    rng = np.random.default_rng(1)
    pools = [rng.normal(size=(1, *shape)).astype(np.float32) for shape in shapes]
    model.compile(keras.optimizers.SGD(1.0), "mse", run_eagerly=True)
    model.train_on_batch(pools, rng.normal(size=model(pools).shape).astype(np.float32))
    moved = [
        tuple(weight.shape)
        for weight, old in zip(model.trainable_weights, before, strict=True)
        if np.abs(keras.ops.convert_to_numpy(weight) - old).max() > 1e-7
    ]
    return [any(shape[2] in each for each in moved) for shape in shapes]


class Head:
    """What holds for all three heads. `used`: which of pool3, pool4 and pool5 the head looks at, coarsest last."""

    head: str
    used: tuple[int, ...]

    def ask(self, student, probe, *args):
        return getattr(student, self.head).driven_by(probe)(*args)

    @core
    def test_shape(self, student):
        """Gives each pixel of the image a score for each class, whatever their numbers are."""
        for size, channels, classes in [
            ((1, 1), (4, 4, 4), 2),
            ((2, 1), (3, 5, 7), 4),
            ((1, 3), (6, 2, 4), 1),
        ]:
            wanted = [2, 32 * size[0], 32 * size[1], classes]
            came = self.ask(student, shape_of_scores, size, channels, classes)
            claim(came == wanted, f"the scores have shape {tuple(came)}, expected {tuple(wanted)}")

    @core
    def test_inputs(self, student):
        """Listens to the pools that it is made of, and to no other."""
        matter = self.ask(student, pools_that_matter, (1, 2), (3, 4, 5), 3)
        for place, heard in enumerate(matter):
            name = f"pool{3 + place}"
            claim(heard or place not in self.used, f"the scores do not change with {name}")
            claim(not heard or place in self.used, f"the scores change with {name}, which is not part of it")

    @core
    def test_logits(self, student):
        """Gives bare logits, to which each pool adds its part: no activation, no product."""
        alone, added = self.ask(student, sums_stay_sums, (1, 2), (3, 4, 5), 3)
        claim(alone, "twice the features do not give twice the scores: is there an activation on them?")
        claim(added, "the scores of all pools together are not the sum of what each gives")

    def test_place(self, student):
        """Puts the scores of a pixel where the pixel's block lies in the image."""
        came = self.ask(student, shifts, (3, 4), (2, 2, 2), 2, (1, 2))
        for place in self.used:
            away = came[place]
            claim(away is not None, f"with all weights 1, a pixel of pool{3 + place} changes nothing")
            claim(
                max(map(abs, away)) < 0.45,
                f"the scores of a pixel of pool{3 + place} lie away from it: {away[0]:g} of its pixels downwards, "
                f"{away[1]:g} to the right",
            )

    def test_score_windows(self, student):
        """Scores each pixel of a pool by itself, with a window of 1 x 1."""
        alone = self.ask(student, scored_alone, (2, 2), (9, 8, 7), 2)
        for place in self.used:
            claim(alone[place], f"a pixel of pool{3 + place} has a say in the scores of its neighbours")

    def test_smooth(self, student):
        """Enlarges smoothly at its last step: no blocks of equal pixels."""
        blocks = self.ask(student, repeats_pixels, (1, 2), (3, 4, 5), 2)
        claim(
            not blocks, "the scores stand in blocks of equal pixels: their last enlargement only repeats them"
        )

    def test_learns(self, student):
        """One step of training changes the scores' weights of each pool that it is made of."""
        learned = self.ask(student, pools_that_are_learned_from, (1, 1), (5, 6, 7), 3)
        for place in self.used:
            claim(learned[place], f"training changes no weight that the channels of pool{3 + place} meet")


class SkipHead(Head):
    """What holds where scores are added to coarser ones."""

    def test_steps(self, student):
        """Adds the coarse scores, enlarged twice, to those of the next pool, at that pool's resolution."""
        for fine, coarse in zip(self.used, self.used[1:], strict=False):
            told, through, smooth = self.ask(student, ways_through, (1, 2), (2, 2, 2), 2, coarse, fine)
            scores, pool = f"the scores of pool{3 + coarse}", f"pool{3 + fine}"
            claim(told, f"neighbouring pixels of {pool} give the same scores: its resolution is lost")
            claim(through, f"{scores} do not pass through the resolution of {pool}: add them there")
            claim(smooth, f"{scores} come to those of {pool} in blocks of equal pixels")


def claim(holds, sentence):
    if not holds:
        raise AssertionError(sentence)


@exercise("fcn32s", functions=["fcn32s"], points=2, packages=["keras"])
class TestFCN32s(Head):
    """The deepest features alone."""

    head, used = "fcn32s", (2,)
    hints = {
        "fcn32s": [
            "Which pool, and how many times smaller than the image is it?",
            "Score each pixel of pool5 by a convolution with a window of 1 and as many outputs as classes; then enlarge by 32.",
            "`enlarge(keras.layers.Conv2D(classes, 1)(pool5), 32)`.",
        ]
    }


@exercise("fcn16s", functions=["fcn16s"], points=2, packages=["keras"])
class TestFCN16s(SkipHead):
    """With one skip."""

    head, used = "fcn16s", (1, 2)
    hints = {
        "fcn16s": [
            "How many times larger is pool4 than pool5? What must happen to the scores of pool5 before you can add those of pool4?",
            "Enlarge the scores of pool5 by 2, add the scores of pool4 with `keras.layers.Add()`, enlarge by 16.",
            "`scores = keras.layers.Add()([enlarge(coarse, 2), keras.layers.Conv2D(classes, 1)(pool4)])`.",
        ]
    }


@exercise("fcn8s", functions=["fcn8s"], points=2, packages=["keras"])
class TestFCN8s(SkipHead):
    """With two skips."""

    head, used = "fcn8s", (0, 1, 2)
    hints = {
        "fcn8s": [
            "Begin as in FCN-16s, up to the sum. What is its resolution, and what is that of pool3?",
            "Enlarge the sum by 2, add the scores of pool3, enlarge by 8.",
            "`scores = keras.layers.Add()([enlarge(scores, 2), keras.layers.Conv2D(classes, 1)(pool3)])`, "
            "then `enlarge(scores, 8)`.",
        ]
    }
