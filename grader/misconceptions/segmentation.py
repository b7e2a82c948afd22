"""Well-known wrong answers to the assignment `segmentation`."""

import numpy as np

from grader.exercise import misconception

SOFTMAX = "Your head ends in a softmax: it gives logits, and the loss takes the softmax of them, stably."
RELU = "There is a ReLU on the way to your scores: a score must be able to say no. Nothing in a head has an activation."
NEAREST = (
    'You enlarge by "nearest", the default of `UpSampling2D`: its blocks have hard edges where no object has. Give '
    '`interpolation="bilinear"`, or use a transposed convolution.'
)
WIDE_WINDOW = (
    "Your score convolutions look at 3 x 3 pixels: score each pixel by itself, with a window of 1. Its neighbours were seen "
    "on the way down."
)
CUT_AT_THE_END = (
    "Your scores lie too low and too far to the right: after a transposed convolution you kept its top left corner. "
    'Cut alike on all sides, as `padding="same"` does.'
)
FULL_RESOLUTION = (
    "You enlarge the scores of each pool to the image's size and add them there. Add at the resolution of the finer pool, "
    "after each step of 2: then one last enlargement serves them all."
)
MULTIPLIED = "Scores are added, not multiplied: a skip corrects the coarse score, it does not veto it."
LARGER_WINS = "You take the larger of two scores: add them, so that both have a say and both can learn."


def tent(k, middle, factor):
    return 1 - np.abs(np.arange(k) - middle) / factor


def kernel_of(weights, channels, mixing=None):
    mixing = np.eye(channels) if mixing is None else mixing
    return np.einsum("uv,oc->uvoc", weights, mixing)


def size_of(factor):
    return 2 * factor - factor % 2


def hill(factor):
    k = size_of(factor)
    return np.outer(*[tent(k, (k - 1) / 2, factor)] * 2)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "Your kernel has 2 * factor weights along each axis for odd factors too: there the middle is a pixel, and k = 2 * factor - 1.",
)
def always_twice_the_factor(factor, channels):
    weights = tent(2 * factor, factor - 0.5, factor)
    return kernel_of(np.outer(weights, weights), channels)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "The top of your tent is on a weight for even factors too: there the old pixel's centre lies between two new pixels, at "
    "(k - 1) / 2. Yours leans to one side.",
)
def always_on_a_weight(factor, channels):
    weights = tent(size_of(factor), factor - 1, factor)
    return kernel_of(np.outer(weights, weights), channels)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "The top of your tent is at factor - 0.5 for odd factors too: there it is on the middle weight, (k - 1) / 2 = factor - 1.",
)
def always_between_weights(factor, channels):
    weights = tent(size_of(factor), factor - 0.5, factor)
    return kernel_of(np.outer(weights, weights), channels)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "The top of your tent is at k / 2, half a pixel too far: the weights are numbered from 0 to k - 1, so their middle is "
    "(k - 1) / 2.",
)
def middle_too_far(factor, channels):
    k = size_of(factor)
    weights = tent(k, k / 2, factor)
    return kernel_of(np.outer(weights, weights), channels)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "Each output channel gets the sum of all input channels: only where `out` equals `in` has the kernel weights. "
    "Multiply by `np.eye(channels)`.",
)
def mixes_channels(factor, channels):
    return kernel_of(hill(factor), channels, np.ones((channels, channels)))


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "Your hill is round, a cone: interpolation in two directions is one after the other, so the two tents are multiplied.",
)
def cone(factor, channels):
    k = size_of(factor)
    away = np.arange(k) - (k - 1) / 2
    weights = np.maximum(1 - np.hypot(away[:, None], away) / factor, 0)
    return kernel_of(weights, channels)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "Your hill is a pyramid: you take the smaller of the two tents, or the larger distance. The two tents are multiplied.",
)
def pyramid(factor, channels):
    weights = tent(size_of(factor), (size_of(factor) - 1) / 2, factor)
    return kernel_of(np.minimum.outer(weights, weights), channels)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "You add the two tents, or average them: they are multiplied.",
)
def tents_averaged(factor, channels):
    weights = tent(size_of(factor), (size_of(factor) - 1) / 2, factor)
    return kernel_of(np.add.outer(weights, weights) / 2, channels)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "Your kernel sums to 1, as a blur would: then an enlarged picture is factor * factor times too dark. Its sum is "
    "factor**2, shared by as many new pixels.",
)
def sums_to_one(factor, channels):
    return kernel_of(hill(factor) / hill(factor).sum(), channels)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "You divide by the kernel's largest weight: for even factors no weight is 1, since none lies on the middle.",
)
def largest_is_one(factor, channels):
    return kernel_of(hill(factor) / hill(factor).max(), channels)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "Your tent reaches 0 on the first and the last weight: it reaches 0 at a distance of `factor`, just beyond them. Divide "
    "the distance by `factor`.",
)
def zero_at_the_ends(factor, channels):
    k = size_of(factor)
    weights = tent(k, (k - 1) / 2, max((k - 1) / 2, 1))
    return kernel_of(np.outer(weights, weights), channels)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "Your kernel has no channels: its shape is (k, k, out, in), zero but where `out` equals `in`.",
)
def without_channels(factor, channels):
    return hill(factor)


@misconception(
    "bilinear_kernel.bilinear_kernel",
    "One window for each channel is a depthwise kernel: here the shape is (k, k, out, in), zero but where `out` equals `in`.",
)
def depthwise(factor, channels):
    return np.repeat(hill(factor)[:, :, None], channels, axis=2)


def interpolation(n, at, edge="zeros"):
    """The matrix that reads n pixels at the places `at`."""
    places = np.clip(at, 0, n - 1) if edge == "repeat" else at
    return np.maximum(1 - np.abs(places[:, None] - np.arange(n)), 0)


def stretched(x, places, edge="zeros"):
    rows, columns = (interpolation(n, places(n), edge) for n in x.shape[1:3])
    return np.einsum("ih,jw,bhwc->bijc", rows, columns, x)


def centres(factor):
    return lambda n: (np.arange(factor * n) + 0.5) / factor - 0.5


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "Each pixel is repeated: that is the nearest neighbour, with blocks. Use your kernel in a transposed convolution.",
)
def repeated(x, factor):
    return x.repeat(factor, axis=1).repeat(factor, axis=2)


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "You kept the top left corner of what was painted, so your picture moved down and to the right: cut (k - factor) // 2 on "
    "each side.",
)
def cut_at_the_end(x, factor):
    over = size_of(factor) - factor
    return stretched(x, lambda n: (np.arange(factor * n) + 0.5 - over // 2) / factor - 0.5)


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "You cut at the top and the left only, so your picture moved up and to the left: cut (k - factor) // 2 on each side.",
)
def cut_at_the_start(x, factor):
    over = size_of(factor) - factor
    return stretched(x, lambda n: (np.arange(factor * n) + 0.5 + over // 2) / factor - 0.5)


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "Nothing is cut off: what was painted is k - factor pixels too high and too wide, half of that on each side.",
)
def not_cut(x, factor):
    over = size_of(factor) - factor
    return stretched(x, lambda n: (np.arange(factor * n + over) + 0.5 - over // 2) / factor - 0.5)


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "You cut by `factor`, or by half of k: what is too much is k - factor in all, (k - factor) // 2 on each side. Look at the "
    "size of your result.",
)
def cut_too_much(x, factor):
    over, cut = size_of(factor) - factor, size_of(factor) // 2
    return stretched(x, lambda n: (np.arange(cut, factor * n + over - cut) + 0.5 - over // 2) / factor - 0.5)


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "At the border you repeat the last pixel, as `resize` does: a transposed convolution has nothing there, so zeros lie "
    "outside and the border fades.",
)
def border_repeated(x, factor):
    return stretched(x, centres(factor), "repeat")


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "You put the corner pixels' centres on the corners of the result: an old pixel is a square that becomes factor by factor "
    "new ones, and its centre theirs.",
)
def corners_aligned(x, factor):
    return stretched(x, lambda n: np.linspace(0, n - 1, factor * n))


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "Your picture is shifted: new pixel i is not at i / factor but, centre by centre, at (i + 0.5) / factor - 0.5.",
)
def centres_forgotten(x, factor):
    return stretched(x, lambda n: np.arange(factor * n) / factor)


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "For odd factors your picture is half a new pixel off: the kernel has 2 * factor - 1 weights then, not 2 * factor.",
)
def even_kernel_for_odd_factors(x, factor):
    return stretched(x, lambda n: (np.arange(factor * n) + factor // 2 + 0.5) / factor - 1)


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "Your channels leak into each other: each is enlarged by itself.",
)
def channels_added(x, factor):
    y = stretched(x, centres(factor))
    return np.broadcast_to(y.sum(axis=3, keepdims=True), y.shape)


@misconception(
    "upsample_bilinear.upsample_bilinear",
    "Your picture is too dark: a kernel for enlarging does not sum to 1 but to factor**2.",
)
def too_dark(x, factor):
    return stretched(x, centres(factor)) / factor**2


def log_probabilities(logits):
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def losses(y_true, logits, counts):
    """The loss of every pixel, 0 where it does not count."""
    labels = np.where(counts, y_true, 0).astype(int)
    each = -np.take_along_axis(log_probabilities(logits), labels[..., None], axis=-1)[..., 0]
    return np.where(counts, each, 0)


def mean_of(each, counts):
    return each.sum() / max(counts.sum(), 1)


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "You divide by the number of all pixels: those that are ignored are not in the sum, and must not be in the count.",
)
def ignored_in_the_count(y_true, logits, ignore=255):
    return losses(y_true, logits, y_true != ignore).mean()


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "The ignored pixels count as class 0: they have no true class, so leave them out, of the sum and of the count.",
)
def ignored_are_background(y_true, logits, ignore=255):
    return losses(np.where(y_true == ignore, 0, y_true), logits, np.ones(y_true.shape, bool)).mean()


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "The ignored pixels count as the last class: they have no true class, so leave them out, of the sum and of the count.",
)
def ignored_are_the_last_class(y_true, logits, ignore=255):
    labels = np.where(y_true == ignore, logits.shape[-1] - 1, y_true)
    return losses(labels, logits, np.ones(y_true.shape, bool)).mean()


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "You leave out the background: class 0 is a class like others. Only `ignore` does not count.",
)
def background_left_out(y_true, logits, ignore=255):
    counts = (y_true != ignore) & (y_true != 0)
    return mean_of(losses(y_true, logits, counts), counts)


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "You take the mean of each image first, then of the images: the mean is over all pixels that count, so an image with few "
    "of them weighs less.",
)
def images_first(y_true, logits, ignore=255):
    counts = y_true != ignore
    each = losses(y_true, logits, counts)
    return np.mean([mean_of(loss, some) for loss, some in zip(each, counts, strict=True)])


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "Where no pixel counts you take the mean of nothing, 0 by 0: the loss is 0 there.",
)
def mean_of_nothing(y_true, logits, ignore=255):
    counts = y_true != ignore
    return losses(y_true, logits, counts)[counts].mean()


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "You look up the label 255 among the classes: first choose the pixels that count, then pick their true classes.",
)
def label_255_looked_up(y_true, logits, ignore=255):
    one_hot = np.eye(logits.shape[-1])[y_true]
    counts = y_true != ignore
    return mean_of(-(one_hot * log_probabilities(logits)).sum(axis=-1) * counts, counts)


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "That is the sum over the pixels: divide it by how many count.",
)
def summed(y_true, logits, ignore=255):
    return losses(y_true, logits, y_true != ignore).sum()


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "You divide by the number of images: here the mean is over the pixels that count.",
)
def by_images(y_true, logits, ignore=255):
    return losses(y_true, logits, y_true != ignore).sum() / len(y_true)


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "Your mean is over classes too: only one of the terms of a pixel is not 0, so you are too small by the number of classes.",
)
def by_classes(y_true, logits, ignore=255):
    counts = y_true != ignore
    return mean_of(losses(y_true, logits, counts), counts) / logits.shape[-1]


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "`np.exp` of a score of a thousand is infinite: take the largest score of each pixel off first.",
)
def not_shifted(y_true, logits, ignore=255):
    counts = y_true != ignore
    labels = np.where(counts, y_true, 0).astype(int)
    p = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    each = -np.log(np.take_along_axis(p, labels[..., None], axis=-1)[..., 0])
    return mean_of(each[counts], counts)


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "You take one largest score off all pixels: where another pixel's are a thousand lower, every `exp` is 0. Each pixel needs "
    "its own largest, `max(axis=..., keepdims=True)`.",
)
def one_largest_for_all(y_true, logits, ignore=255):
    counts = y_true != ignore
    labels, scores = np.where(counts, y_true, 0).astype(int), logits - logits.max()
    each = (
        np.log(np.exp(scores).sum(axis=-1)) - np.take_along_axis(scores, labels[..., None], axis=-1)[..., 0]
    )
    return mean_of(each[counts], counts)


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "You clip the probabilities, and so no pixel can cost more than 16: from the logits the loss is exact, however wrong they are.",
)
def clipped(y_true, logits, ignore=255):
    counts = y_true != ignore
    probabilities = np.clip(np.exp(log_probabilities(logits)), 1e-7, 1 - 1e-7)
    labels = np.where(counts, y_true, 0).astype(int)
    each = -np.log(np.take_along_axis(probabilities, labels[..., None], axis=-1)[..., 0])
    return mean_of(each[counts], counts)


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "`ignore` has no effect: your function leaves out 255, whatever it is told.",
)
def always_255(y_true, logits, ignore=255):
    counts = y_true != 255
    return mean_of(losses(y_true, logits, counts), counts)


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "You leave out the labels that are no class: leave out those that equal `ignore`, which may be a class.",
)
def no_class_is_ignored(y_true, logits, ignore=255):
    counts = (y_true >= 0) & (y_true < logits.shape[-1])
    return mean_of(losses(y_true, logits, counts), counts)


@misconception(
    "pixel_cross_entropy.pixel_cross_entropy",
    "The softmax is missing: you took minus the true class' score. Add the logarithm of the sum of `exp` over the classes.",
)
def without_softmax(y_true, logits, ignore=255):
    counts = y_true != ignore
    labels = np.where(counts, y_true, 0).astype(int)
    return mean_of(-np.take_along_axis(logits, labels[..., None], axis=-1)[..., 0][counts], counts)


def counted(y_true, y_pred, classes):
    """Intersections, and pixels of each class in the truth and in the prediction."""
    every = np.arange(classes)[:, None]
    true, predicted = (np.ravel(each)[None] == every for each in (y_true, y_pred))
    return (true & predicted).sum(axis=1), true.sum(axis=1), predicted.sum(axis=1)


def mean_where(found, both, either):
    return np.mean(both[found] / either[found])


def ious(y_true, y_pred, classes):
    both, true, predicted = counted(y_true, y_pred, classes)
    return both / np.maximum(true + predicted - both, 1), true + predicted > 0


@misconception(
    "mean_iou.mean_iou",
    "A class that is in neither mask counts as 0 with you: it has nothing to get right or wrong, so leave it out of the mean.",
)
def absent_is_0(y_true, y_pred, classes):
    return ious(y_true, y_pred, classes)[0].mean()


@misconception(
    "mean_iou.mean_iou",
    "A class that is in neither mask counts as 1 with you, perhaps by an epsilon above and below: leave it out of the mean.",
)
def absent_is_1(y_true, y_pred, classes):
    values, found = ious(y_true, y_pred, classes)
    return np.where(found, values, 1).mean()


@misconception(
    "mean_iou.mean_iou",
    "A class that is in neither mask is 0/0 with you, and makes the mean NaN: leave it out.",
)
def absent_is_nan(y_true, y_pred, classes):
    both, true, predicted = counted(y_true, y_pred, classes)
    return np.mean(both / (true + predicted - both))


@misconception(
    "mean_iou.mean_iou",
    "Only the classes of the truth are in your mean: one that was predicted but is nowhere has an IoU of 0, and that counts.",
)
def classes_of_the_truth(y_true, y_pred, classes):
    both, true, predicted = counted(y_true, y_pred, classes)
    return mean_where(true > 0, both, true + predicted - both)


@misconception(
    "mean_iou.mean_iou",
    "Only classes that are in both masks are in your mean: one that is in one of them has an IoU of 0, and that counts.",
)
def classes_in_both(y_true, y_pred, classes):
    both, true, predicted = counted(y_true, y_pred, classes)
    found = (true > 0) & (predicted > 0)
    return mean_where(found, both, true + predicted - both) if found.any() else 0.0


@misconception(
    "mean_iou.mean_iou",
    "That is the pixel accuracy, the share of right pixels: look at each class by itself, and divide by its union.",
)
def accuracy(y_true, y_pred, classes):
    return np.mean(y_true == y_pred)


@misconception(
    "mean_iou.mean_iou",
    "You take the mean IoU of each image, then of the images: count the pixels of all images together first.",
)
def mean_over_images(y_true, y_pred, classes):
    each = (ious(*pair, classes) for pair in zip(y_true, y_pred, strict=True))
    return np.mean([values[found].mean() for values, found in each])


@misconception(
    "mean_iou.mean_iou",
    "Your union counts the intersection twice: it is in the truth's pixels and in the prediction's. Take it off once.",
)
def union_twice(y_true, y_pred, classes):
    both, true, predicted = counted(y_true, y_pred, classes)
    return mean_where(true + predicted > 0, both, true + predicted)


@misconception(
    "mean_iou.mean_iou",
    "That is the Dice score, twice the intersection over the two sizes: the IoU divides the intersection by the union.",
)
def dice(y_true, y_pred, classes):
    both, true, predicted = counted(y_true, y_pred, classes)
    return mean_where(true + predicted > 0, 2 * both, true + predicted)


@misconception(
    "mean_iou.mean_iou",
    "The background is left out: class 0 is a class like others here, and in the mean.",
)
def without_background(y_true, y_pred, classes):
    values, found = ious(y_true, y_pred, classes)
    return values[1:][found[1:]].mean()


@misconception(
    "mean_iou.mean_iou",
    "You divide by the truth's pixels of a class: that is its recall, and it forgives every false alarm. Divide by the union.",
)
def recall(y_true, y_pred, classes):
    both, true, predicted = counted(y_true, y_pred, classes)
    return np.mean((both / np.maximum(true, 1))[true + predicted > 0])


@misconception(
    "mean_iou.mean_iou",
    "You divide by the predicted pixels of a class: that is its precision, and it forgives what was missed. Divide by the union.",
)
def precision(y_true, y_pred, classes):
    both, true, predicted = counted(y_true, y_pred, classes)
    return np.mean((both / np.maximum(predicted, 1))[true + predicted > 0])


@misconception(
    "mean_iou.mean_iou",
    "You add up the intersections and the unions of all classes and divide once, so large classes decide: divide for each "
    "class, then take the mean.",
)
def all_classes_at_once(y_true, y_pred, classes):
    both, true, predicted = counted(y_true, y_pred, classes)
    return both.sum() / (true + predicted - both).sum()


@misconception(
    "mean_iou.mean_iou",
    "Your mean weighs classes by how many pixels they have: here each class weighs the same.",
)
def weighted_by_frequency(y_true, y_pred, classes):
    values, _ = ious(y_true, y_pred, classes)
    return np.average(values, weights=counted(y_true, y_pred, classes)[1])


@misconception(
    "mean_iou.mean_iou",
    "`classes * y_true` wraps round for masks of bytes: above 255 it starts again at 0. Make whole numbers of them first, "
    "`.astype(int)`.",
)
def bytes_wrap(y_true, y_pred, classes):
    pairs = np.ravel(classes * y_true + y_pred)
    table = np.bincount(pairs, minlength=classes**2)[: classes**2].reshape(classes, classes)
    both, either = np.diag(table), table.sum(axis=0) + table.sum(axis=1) - np.diag(table)
    return mean_where(either > 0, both, either)


def score(pool, classes, window=1, activation=None):
    from keras import layers

    return layers.Conv2D(classes, window, padding="same", activation=activation)(pool)


def enlarge(scores, factor, how="bilinear"):
    from keras import layers

    if how != "cut at the end":
        return layers.UpSampling2D(factor, interpolation=how)(scores)
    painted = layers.Conv2DTranspose(scores.shape[-1], 2 * factor, strides=factor)(scores)
    return layers.Cropping2D(((0, factor), (0, factor)))(painted)


def added(coarse, fine):
    return coarse + fine


def multiplied(coarse, fine):
    return coarse * fine


def larger(coarse, fine):
    from keras import ops

    return ops.maximum(coarse, fine)


def head(pools, classes, how="bilinear", join=added, **scoring):
    """A head of these pools, the coarsest first."""
    coarse, *skips = pools
    scores = score(coarse, classes, **scoring)
    for skip in skips:
        scores = join(enlarge(scores, 2, how), score(skip, classes, **scoring))
    return enlarge(scores, 32 // 2 ** len(skips), how)


def softmax(scores):
    from keras import layers

    return layers.Softmax()(scores)


@misconception("fcn32s.fcn32s", SOFTMAX)
def probabilities_of_32(pool3, pool4, pool5, classes):
    return softmax(head([pool5], classes))


@misconception("fcn32s.fcn32s", RELU)
def relu_in_32(pool3, pool4, pool5, classes):
    return head([pool5], classes, activation="relu")


@misconception("fcn32s.fcn32s", NEAREST)
def blocks_of_32(pool3, pool4, pool5, classes):
    return head([pool5], classes, how="nearest")


@misconception("fcn32s.fcn32s", WIDE_WINDOW)
def wide_window_of_32(pool3, pool4, pool5, classes):
    return head([pool5], classes, window=3)


@misconception("fcn32s.fcn32s", CUT_AT_THE_END)
def moved_32(pool3, pool4, pool5, classes):
    return head([pool5], classes, how="cut at the end")


@misconception(
    "fcn32s.fcn32s", "Your scores come from pool4, enlarged by 16: FCN-32s asks pool5, and no other."
)
def scores_of_pool4(pool3, pool4, pool5, classes):
    return enlarge(score(pool4, classes), 16)


@misconception(
    "fcn32s.fcn32s",
    "You enlarge by 16: five poolings have halved the image five times, so pool5 is 2**5 = 32 times smaller.",
)
def half_the_size(pool3, pool4, pool5, classes):
    return enlarge(score(pool5, classes), 16)


@misconception(
    "fcn32s.fcn32s",
    "The features themselves are enlarged: first score them, with as many outputs as there are classes.",
)
def not_scored(pool3, pool4, pool5, classes):
    return enlarge(pool5, 32)


@misconception(
    "fcn32s.fcn32s", "You added skips: FCN-32s has none, and looks at pool5 only. That is why it is coarse."
)
def with_skips(pool3, pool4, pool5, classes):
    return head([pool5, pool4, pool3], classes)


@misconception("fcn16s.fcn16s", SOFTMAX)
def probabilities_of_16(pool3, pool4, pool5, classes):
    return softmax(head([pool5, pool4], classes))


@misconception("fcn16s.fcn16s", RELU)
def relu_in_16(pool3, pool4, pool5, classes):
    return head([pool5, pool4], classes, activation="relu")


@misconception("fcn16s.fcn16s", NEAREST)
def blocks_of_16(pool3, pool4, pool5, classes):
    return head([pool5, pool4], classes, how="nearest")


@misconception("fcn16s.fcn16s", WIDE_WINDOW)
def wide_window_of_16(pool3, pool4, pool5, classes):
    return head([pool5, pool4], classes, window=3)


@misconception("fcn16s.fcn16s", CUT_AT_THE_END)
def moved_16(pool3, pool4, pool5, classes):
    return head([pool5, pool4], classes, how="cut at the end")


@misconception("fcn16s.fcn16s", MULTIPLIED)
def multiplied_in_16(pool3, pool4, pool5, classes):
    return head([pool5, pool4], classes, join=multiplied)


@misconception("fcn16s.fcn16s", LARGER_WINS)
def larger_wins_in_16(pool3, pool4, pool5, classes):
    return head([pool5, pool4], classes, join=larger)


@misconception("fcn16s.fcn16s", FULL_RESOLUTION)
def added_in_the_image_16(pool3, pool4, pool5, classes):
    return enlarge(score(pool4, classes), 16) + enlarge(score(pool5, classes), 32)


@misconception(
    "fcn16s.fcn16s", "The skip is missing: that is FCN-32s. Add the scores of pool4 on the way up."
)
def without_skip(pool3, pool4, pool5, classes):
    return head([pool5], classes)


@misconception(
    "fcn16s.fcn16s",
    "The scores of pool5 are missing: pool4 knows where, but pool5 knows what. Enlarge them by 2 and add.",
)
def pool4_alone(pool3, pool4, pool5, classes):
    return enlarge(score(pool4, classes), 16)


@misconception(
    "fcn16s.fcn16s",
    "The scores are added at pool5's resolution: shrinking those of pool4 throws away what they know better. Enlarge the "
    "coarse ones instead.",
)
def shrunk_to_pool5(pool3, pool4, pool5, classes):
    from keras import layers

    return enlarge(layers.AveragePooling2D(2)(score(pool4, classes)) + score(pool5, classes), 32)


@misconception("fcn16s.fcn16s", "Your skip is pool3: FCN-16s adds the scores of pool4.")
def skip_of_pool3(pool3, pool4, pool5, classes):
    return enlarge(enlarge(score(pool5, classes), 4) + score(pool3, classes), 8)


@misconception(
    "fcn16s.fcn16s",
    "The scores stand side by side, so there are twice as many channels as classes: add them.",
)
def side_by_side(pool3, pool4, pool5, classes):
    from keras import layers

    return enlarge(layers.Concatenate()([enlarge(score(pool5, classes), 2), score(pool4, classes)]), 16)


@misconception("fcn16s.fcn16s", "You added pool3 too: that is FCN-8s already.")
def eight_already(pool3, pool4, pool5, classes):
    return head([pool5, pool4, pool3], classes)


@misconception("fcn8s.fcn8s", SOFTMAX)
def probabilities_of_8(pool3, pool4, pool5, classes):
    return softmax(head([pool5, pool4, pool3], classes))


@misconception("fcn8s.fcn8s", RELU)
def relu_in_8(pool3, pool4, pool5, classes):
    return head([pool5, pool4, pool3], classes, activation="relu")


@misconception("fcn8s.fcn8s", NEAREST)
def blocks_of_8(pool3, pool4, pool5, classes):
    return head([pool5, pool4, pool3], classes, how="nearest")


@misconception("fcn8s.fcn8s", WIDE_WINDOW)
def wide_window_of_8(pool3, pool4, pool5, classes):
    return head([pool5, pool4, pool3], classes, window=3)


@misconception("fcn8s.fcn8s", CUT_AT_THE_END)
def moved_8(pool3, pool4, pool5, classes):
    return head([pool5, pool4, pool3], classes, how="cut at the end")


@misconception("fcn8s.fcn8s", MULTIPLIED)
def multiplied_in_8(pool3, pool4, pool5, classes):
    return head([pool5, pool4, pool3], classes, join=multiplied)


@misconception("fcn8s.fcn8s", LARGER_WINS)
def larger_wins_in_8(pool3, pool4, pool5, classes):
    return head([pool5, pool4, pool3], classes, join=larger)


@misconception("fcn8s.fcn8s", FULL_RESOLUTION)
def added_in_the_image_8(pool3, pool4, pool5, classes):
    fine, middle, coarse = (score(pool, classes) for pool in (pool3, pool4, pool5))
    return enlarge(fine, 8) + enlarge(middle, 16) + enlarge(coarse, 32)


@misconception(
    "fcn8s.fcn8s",
    "All scores are added at pool3's resolution: those of pool5 jump there by 4. Add them to those of pool4 first, and enlarge "
    "the sum.",
)
def jump_to_pool3(pool3, pool4, pool5, classes):
    fine, middle, coarse = (score(pool, classes) for pool in (pool3, pool4, pool5))
    return enlarge(fine + enlarge(middle, 2) + enlarge(coarse, 4), 8)


@misconception(
    "fcn8s.fcn8s",
    "The skip of pool3 is missing: that is FCN-16s. Enlarge its sum by 2, add the scores of pool3, enlarge by 8.",
)
def sixteen_still(pool3, pool4, pool5, classes):
    return head([pool5, pool4], classes)


@misconception(
    "fcn8s.fcn8s",
    "The skip of pool4 is missing: the scores of pool5 reach those of pool3 in two steps of 2, with those of pool4 between.",
)
def pool4_skipped(pool3, pool4, pool5, classes):
    return enlarge(enlarge(enlarge(score(pool5, classes), 2), 2) + score(pool3, classes), 8)


@misconception(
    "fcn8s.fcn8s",
    "The last enlargement is missing: your scores have the size of pool3, and each pixel of the image needs its own.",
)
def size_of_pool3(pool3, pool4, pool5, classes):
    coarse = enlarge(score(pool5, classes), 2) + score(pool4, classes)
    return enlarge(coarse, 2) + score(pool3, classes)


@misconception(
    "fcn8s.fcn8s",
    "The scores of pool5 are missing: it knows best what there is. Begin with them.",
)
def without_pool5(pool3, pool4, pool5, classes):
    return enlarge(enlarge(score(pool4, classes), 2) + score(pool3, classes), 8)
