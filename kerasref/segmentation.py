"""References of the assignment `segmentation`. Images are (batch, height, width, channels), a mask gives each pixel a class."""

import numpy as np

from kerasref.backend import keras
from kerasref.core import reference
from kerasref.validation import Integers, alike, at_least_1, labels_below, rank, same_shape

ops = keras.ops
MAPS = "(batch, height, width, channels)"


@reference
def bilinear_kernel(factor: int, channels: int):
    """The kernel of a transposed convolution that enlarges by linear interpolation.

    Args:
        factor: how many times larger, at least 1; also the stride.
        channels: of the images, at least 1; none is mixed with another.

    Returns:
        (k, k, channels, channels) array, k = 2 * factor - factor % 2.

    Source: what `numpy.interp` makes of a single 1 among zeros on a finer grid, pixels being squares.
    """
    at_least_1(factor=factor, channels=channels)
    fine = (np.arange(3 * factor) + 0.5) / factor - 0.5  # three pixels, the 1 in the middle
    spread = np.interp(fine, [0, 1, 2], [0.0, 1.0, 0.0])
    taps = spread[spread > 0]
    return ops.einsum("u,v,oc->uvoc", taps, taps, ops.eye(channels, dtype="float64"))


@reference
def upsample_bilinear(x, factor: int):
    """Enlarge images by linear interpolation; beyond their border everything is 0.

    Args:
        x: (batch, height, width, channels).
        factor: how many times larger, at least 1.

    Returns:
        (batch, factor * height, factor * width, channels) array.

    Source: `keras.ops.conv_transpose`, padding "same".
    """
    rank(4, MAPS, x=x)
    at_least_1(factor=factor)
    kernel = bilinear_kernel(factor, x.shape[3])
    return ops.conv_transpose(x, kernel, factor, "same", data_format="channels_last")


def fcn32s(pool3, pool4, pool5, classes):
    """Class scores from the coarsest features alone.

    Args:
        pool3: Keras tensor (batch, height / 8, width / 8, any), not used.
        pool4: Keras tensor (batch, height / 16, width / 16, any), not used.
        pool5: Keras tensor (batch, height / 32, width / 32, any).
        classes: how many there are, at least 1.

    Returns:
        Keras tensor (batch, height, width, classes) of logits.

    Source: Long, Shelhamer and Darrell (2015), with `keras.layers.UpSampling2D` in the place of learned enlarging.
    """
    _fit(pool3, pool4, pool5, classes)
    return _enlarged(_scores(pool5, classes), 32)


def fcn16s(pool3, pool4, pool5, classes):
    """Class scores from the coarsest features, refined by those of pool4.

    Args:
        pool3: Keras tensor (batch, height / 8, width / 8, any), not used.
        pool4: Keras tensor (batch, height / 16, width / 16, any).
        pool5: Keras tensor (batch, height / 32, width / 32, any).
        classes: how many there are, at least 1.

    Returns:
        Keras tensor (batch, height, width, classes) of logits.

    Source: as of `fcn32s`.
    """
    _fit(pool3, pool4, pool5, classes)
    return _enlarged(_fused(_scores(pool5, classes), pool4, classes), 16)


def fcn8s(pool3, pool4, pool5, classes):
    """Class scores from the coarsest features, refined by those of pool4 and then of pool3.

    Args:
        pool3: Keras tensor (batch, height / 8, width / 8, any).
        pool4: Keras tensor (batch, height / 16, width / 16, any).
        pool5: Keras tensor (batch, height / 32, width / 32, any).
        classes: how many there are, at least 1.

    Returns:
        Keras tensor (batch, height, width, classes) of logits.

    Source: as of `fcn32s`.
    """
    _fit(pool3, pool4, pool5, classes)
    coarse = _fused(_scores(pool5, classes), pool4, classes)
    return _enlarged(_fused(coarse, pool3, classes), 8)


@reference
def pixel_cross_entropy(y_true: Integers, logits, ignore: int = 255):
    """Softmax cross-entropy of every pixel, the mean over those that count.

    Args:
        y_true: (batch, height, width) classes; `ignore` where a pixel does not count.
        logits: (batch, height, width, classes) array.
        ignore: the label of pixels that do not count.

    Returns:
        One number, 0 when no pixel counts.

    Source: `keras.losses.sparse_categorical_crossentropy` with `ignore_class`.
    """
    rank(3, "(batch, height, width)", y_true=y_true)
    rank(4, "(batch, height, width, classes)", logits=logits)
    same_shape(logits=logits[..., 0], y_true=y_true)
    labels_below(logits.shape[3], y_true=np.where(y_true == ignore, 0, y_true))
    return mean_pixel_loss(y_true, logits, ignore)


def mean_pixel_loss(y_true, logits, ignore=255):
    """`pixel_cross_entropy` of tensors, unchecked and differentiable: what a model is trained with.

    Args:
        y_true: tensor of classes (batch, height, width).
        logits: tensor (batch, height, width, classes).
        ignore: the label of pixels that do not count.

    Returns:
        A tensor of rank 0.
    """
    y_true = ops.cast(y_true, logits.dtype)
    each = keras.losses.sparse_categorical_crossentropy(y_true, logits, from_logits=True, ignore_class=ignore)
    counted = ops.sum(ops.cast(y_true != ignore, logits.dtype))
    return ops.sum(each) / ops.maximum(counted, 1)


@reference
def mean_iou(y_true: Integers, y_pred: Integers, classes: int):
    """Intersection over union of each class, over all pixels together; their mean.

    Args:
        y_true: array of classes, of any shape, not empty.
        y_pred: array of classes, of `y_true`'s shape.
        classes: how many there are, at least 1.

    Returns:
        One number in 0..1, the mean over the classes that are in at least one of the two.

    Source: the definition, on `keras.ops.one_hot`; `keras.metrics.MeanIoU` gives float32.
    """
    alike(y_true=y_true, y_pred=y_pred)
    at_least_1(classes=classes)
    labels_below(classes, y_true=y_true, y_pred=y_pred)
    true, predicted = (ops.one_hot(each.ravel(), classes, dtype="float64") for each in (y_true, y_pred))
    intersections, unions = (
        ops.sum(combined, axis=0) for combined in (ops.minimum(true, predicted), ops.maximum(true, predicted))
    )
    found = unions > 0
    return ops.mean(intersections[found] / unions[found])


def _fit(pool3, pool4, pool5, classes):
    at_least_1(classes=classes)
    for name, pool, smaller in (("pool3", pool3, pool4), ("pool4", pool4, pool5)):
        if len(pool.shape) != 4 or pool.shape[1:3] != tuple(2 * n for n in smaller.shape[1:3]):
            raise ValueError(
                f"`{name}` has shape {tuple(pool.shape)}, the pool after it {tuple(smaller.shape)}; expected "
                f"{MAPS}, twice as high and wide as the next: give images whose sides are multiples of 32."
            )


def _scores(pool, classes):
    return keras.layers.Conv2D(classes, 1)(pool)


def _enlarged(scores, factor):
    return keras.layers.UpSampling2D(factor, interpolation="bilinear")(scores)


def _fused(coarse, pool, classes):
    return _enlarged(coarse, 2) + _scores(pool, classes)
