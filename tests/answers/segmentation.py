"""Right answers to the assignment `segmentation`, written differently from the solution."""

import math

import numpy as np

from tests.answers import right


@right("bilinear_kernel")
def kernel_weight_by_weight(factor, channels):
    k = 2 * factor - 1 if factor % 2 else 2 * factor
    middle = factor - 1 if factor % 2 else factor - 0.5
    kernel = np.zeros((k, k, channels, channels))
    for u in range(k):
        for v in range(k):
            for c in range(channels):
                kernel[u, v, c, c] = (1 - abs(u - middle) / factor) * (1 - abs(v - middle) / factor)
    return kernel


@right("bilinear_kernel")
def kernel_of_two_boxes(factor, channels, dtype=float):
    """A tent is a box slid over a box; an even one, seen half a step aside, is the mean of two neighbours."""
    tent = np.correlate(np.ones(factor), np.ones(factor), "full") / factor
    if factor % 2 == 0:
        tent = (np.append(tent, 0) + np.append(0, tent)) / 2
    return np.einsum("u,v,oc->uvoc", tent, tent, np.eye(channels, dtype=dtype))


@right("bilinear_kernel")
def kernel_by_the_rise_and_fall(factor, channels):
    start = 1 if factor % 2 else 0.5
    rise = np.arange(start, factor) / factor
    tent = [*rise, *([1.0] if factor % 2 else []), *rise[::-1]]
    kernel = np.zeros((len(tent), len(tent), channels, channels))
    kernel[..., range(channels), range(channels)] = np.outer(tent, tent)[..., None]
    return kernel


def tent(distance):
    return np.maximum(1 - np.abs(distance), 0)


@right("upsample_bilinear")
def upsample_by_matrices(x, factor):
    rows, columns = (
        tent((np.arange(factor * n)[:, None] + 0.5) / factor - 0.5 - np.arange(n)) for n in x.shape[1:3]
    )
    return np.einsum("ih,bhwc,jw->bijc", rows, x, columns)


@right("upsample_bilinear")
def upsample_by_reading_neighbours(x, factor):
    p = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    y = np.empty((len(x), x.shape[1] * factor, x.shape[2] * factor, x.shape[3]), x.dtype)
    for i in range(y.shape[1]):
        for j in range(y.shape[2]):
            top, left = (i + 0.5) / factor + 0.5, (j + 0.5) / factor + 0.5
            h, w = math.floor(top), math.floor(left)
            a, b = top - h, left - w
            y[:, i, j] = (1 - a) * ((1 - b) * p[:, h, w] + b * p[:, h, w + 1]) + a * (
                (1 - b) * p[:, h + 1, w] + b * p[:, h + 1, w + 1]
            )
    return y


@right("upsample_bilinear")
def upsample_by_zeros_and_convolution(x, factor):
    batch, height, width, channels = x.shape
    spread = np.zeros((batch, height, factor, width, factor, channels))
    middle = factor // 2
    spread[:, :, middle, :, middle] = x
    spread = spread.reshape(batch, height * factor, width * factor, channels)
    k = 2 * factor - factor % 2
    weights = 1 - np.abs(np.arange(k) - (k - 1) / 2) / factor
    before = factor - 1
    p = np.pad(spread, [(0, 0), (before, k - 1 - before), (before, k - 1 - before), (0, 0)])
    windows = np.lib.stride_tricks.sliding_window_view(p, (k, k), axis=(1, 2))
    return np.einsum("bijcuv,u,v->bijc", windows, weights, weights)


@right("pixel_cross_entropy")
def cross_entropy_pixel_by_pixel(y_true, logits, ignore=255):
    total, count = 0.0, 0
    for place in np.ndindex(y_true.shape):
        label = int(y_true[place])
        if label != ignore:
            scores = [float(z) for z in logits[place]]
            top = max(scores)
            total += top + math.log(sum(math.exp(z - top) for z in scores)) - scores[label]
            count += 1
    return total / count if count else 0


@right("pixel_cross_entropy")
def cross_entropy_by_one_hot(y_true, logits, ignore=255):
    counts = y_true != ignore
    one_hot = np.where(counts, y_true, 0)[..., None] == np.arange(logits.shape[-1])
    log_p = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
    return -(log_p * (one_hot & counts[..., None])).sum() / max(counts.sum(), 1)


@right("pixel_cross_entropy")
def cross_entropy_by_weights(y_true, logits, ignore=255, axis=-1):
    weight = (y_true != ignore).astype(logits.dtype)
    shifted = logits - np.max(logits, axis=axis, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=axis, keepdims=True))
    labels = np.where(y_true == ignore, 0, y_true).astype(np.int64)
    picked = np.take_along_axis(log_p, np.expand_dims(labels, axis), axis).squeeze(axis)
    return np.float64(0) if weight.sum() == 0 else -(picked * weight).sum() / weight.sum()


@right("mean_iou")
def mean_iou_class_by_class(y_true, y_pred, classes):
    found = []
    for c in range(classes):
        both, either = (y_true == c) & (y_pred == c), (y_true == c) | (y_pred == c)
        if either.any():
            found.append(both.sum() / either.sum())
    return sum(found) / len(found)


@right("mean_iou")
def mean_iou_of_sets(y_true, y_pred, classes):
    places = [
        (set(np.flatnonzero(y_true == c).tolist()), set(np.flatnonzero(y_pred == c).tolist()))
        for c in range(classes)
    ]
    return np.nanmean([len(a & b) / len(a | b) if a | b else np.nan for a, b in places])


@right("mean_iou")
def mean_iou_by_a_table(y_true, y_pred, classes, absent=None):
    table = np.zeros((classes, classes))
    np.add.at(table, (np.ravel(y_true), np.ravel(y_pred)), 1)
    missed, false_alarms = table.sum(1) - np.diag(table), table.sum(0) - np.diag(table)
    union = np.diag(table) + missed + false_alarms
    values = np.divide(np.diag(table), union, out=np.zeros(classes), where=union > 0)
    return values.sum() / np.count_nonzero(union)


def transposed(scores, factor, size=None, **options):
    from keras import layers

    classes = scores.shape[-1]
    return layers.Conv2DTranspose(classes, size or 2 * factor, strides=factor, padding="same", **options)(
        scores
    )


def interpolated(scores, factor):
    from keras import layers

    return layers.UpSampling2D((factor, factor), interpolation="bilinear")(scores)


def resized(scores, factor):
    from keras import ops

    _, height, width, _ = scores.shape
    return ops.image.resize(scores, (factor * height, factor * width))


def cropped(scores, factor):
    """As the authors of FCN did: painted whole, then cut."""
    from keras import layers

    painted = layers.Conv2DTranspose(scores.shape[-1], 2 * factor, strides=factor, use_bias=False)(scores)
    return layers.Cropping2D(factor // 2)(painted)


def convolved(pool, classes):
    from keras import layers

    return layers.Conv2D(classes, (1, 1), padding="same", kernel_initializer="he_normal", use_bias=False)(
        pool
    )


def dense(pool, classes):
    from keras import layers

    return layers.Dense(classes)(pool)


def own_layer(pool, classes):
    import keras

    class Score(keras.layers.Layer):
        def build(self, shape):
            self.kernel = self.add_weight(shape=(shape[-1], classes), initializer="zeros")

        def call(self, x):
            return keras.ops.einsum("bijc,co->bijo", x, self.kernel)

    return Score()(pool)


@right("fcn32s")
def fcn32s_learned(pool3, pool4, pool5, classes):
    return transposed(convolved(pool5, classes), 32)


@right("fcn32s")
def fcn32s_resized(pool3, pool4, pool5, classes):
    return resized(dense(pool5, classes), 32)


@right("fcn32s")
def fcn32s_enlarged_then_scored(pool3, pool4, pool5, classes):
    return convolved(interpolated(pool5, 32), classes)


@right("fcn32s")
def fcn32s_cropped(pool3, pool4, pool5, classes):
    return cropped(own_layer(pool5, classes), 32)


@right("fcn32s")
def fcn32s_in_five_steps(pool3, pool4, pool5, classes):
    scores = convolved(pool5, classes)
    for _ in range(5):
        scores = interpolated(scores, 2)
    return scores


@right("fcn16s")
def fcn16s_learned(pool3, pool4, pool5, classes):
    from keras import layers

    coarse = transposed(convolved(pool5, classes), 2, name="twice")
    fused = layers.Add()([convolved(pool4, classes), coarse])
    return transposed(fused, 16, name="sixteen_times")


@right("fcn16s")
def fcn16s_interpolated(pool3, pool4, pool5, classes):
    return interpolated(interpolated(dense(pool5, classes), 2) + dense(pool4, classes), 16)


@right("fcn16s")
def fcn16s_small_kernels(pool3, pool4, pool5, classes):
    fused = convolved(pool4, classes) + transposed(convolved(pool5, classes), 2, size=3)
    return interpolated(fused, 16)


@right("fcn16s")
def fcn16s_cropped(pool3, pool4, pool5, classes):
    return cropped(cropped(own_layer(pool5, classes), 2) + own_layer(pool4, classes), 16)


@right("fcn8s")
def fcn8s_learned(pool3, pool4, pool5, classes):
    from keras import layers

    s5, s4, s3 = (layers.Conv2D(classes, 1)(pool) for pool in (pool5, pool4, pool3))
    fused = layers.add([s4, transposed(s5, 2, use_bias=False)])
    fused = layers.add([s3, transposed(fused, 2, use_bias=False)])
    return layers.Activation("linear")(transposed(fused, 8, use_bias=False))


@right("fcn8s")
def fcn8s_resized(pool3, pool4, pool5, classes):
    scores = dense(pool5, classes)
    for skip in (pool4, pool3):
        scores = resized(scores, 2) + dense(skip, classes)
    return resized(scores, 8)


@right("fcn8s")
def fcn8s_cropped(pool3, pool4, pool5, classes):
    fused = cropped(own_layer(pool5, classes), 2) + own_layer(pool4, classes)
    return cropped(cropped(fused, 2) + own_layer(pool3, classes), 8)


@right("fcn8s")
def fcn8s_small_kernels(pool3, pool4, pool5, classes):
    fused = convolved(pool4, classes) + transposed(convolved(pool5, classes), 2, size=3)
    fused = convolved(pool3, classes) + transposed(fused, 2, size=3)
    return transposed(fused, 8, size=15)


@right("fcn8s")
def fcn8s_skips_that_start_at_zero(pool3, pool4, pool5, classes):
    from keras import layers

    zero = {"kernel_initializer": "zeros", "bias_initializer": "zeros"}
    fused = interpolated(layers.Conv2D(classes, 1)(pool5), 2) + layers.Conv2D(classes, 1, **zero)(pool4)
    return interpolated(interpolated(fused, 2) + layers.Conv2D(classes, 1, **zero)(pool3), 8)
