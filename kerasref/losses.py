"""References of the assignment `losses`. `*_grad` is the gradient with respect to the last array argument."""

from kerasref.backend import keras
from kerasref.core import gradient, reference
from kerasref.validation import alike, one_hot, positive, rank, same_shape, signs, size, within_0_1

ops = keras.ops
IMAGES = "(batch, height, width, channels)"


@reference
def l1_loss(y_true, y_pred):
    """Sum of absolute differences.

    Args:
        y_true: array of any shape.
        y_pred: array of `y_true`'s shape.

    Returns:
        One number.

    Source: `keras.ops`.
    """
    same_shape(y_true=y_true, y_pred=y_pred)
    return ops.sum(ops.abs(y_true - y_pred))


@reference
def l2_loss(y_true, y_pred):
    """Sum of squared differences.

    Args:
        y_true: array of any shape.
        y_pred: array of `y_true`'s shape.

    Returns:
        One number.

    Source: `keras.ops`.
    """
    same_shape(y_true=y_true, y_pred=y_pred)
    return ops.sum(ops.square(y_true - y_pred))


@reference
def mean_absolute_error(y_true, y_pred):
    """Mean over every element of the absolute differences.

    Args:
        y_true: array of any shape, not empty.
        y_pred: array of `y_true`'s shape.

    Returns:
        One number.

    Source: `keras.losses.mean_absolute_error`.
    """
    alike(y_true=y_true, y_pred=y_pred)
    return _mean(keras.losses.mean_absolute_error, y_true, y_pred)


@reference
def mean_squared_error(y_true, y_pred):
    """Mean over every element of the squared differences.

    Args:
        y_true: array of any shape, not empty.
        y_pred: array of `y_true`'s shape.

    Returns:
        One number.

    Source: `keras.losses.mean_squared_error`.
    """
    alike(y_true=y_true, y_pred=y_pred)
    return _mean(keras.losses.mean_squared_error, y_true, y_pred)


@reference
def mean_squared_error_grad(y_true, y_pred):
    """Gradient of `mean_squared_error` with respect to `y_pred`.

    Args:
        y_true: array of any shape, not empty.
        y_pred: array of `y_true`'s shape.

    Returns:
        Array of `y_pred`'s shape.

    Source: autodiff of `keras.losses.mean_squared_error`.
    """
    alike(y_true=y_true, y_pred=y_pred)
    return gradient(lambda y_pred: _mean(keras.losses.mean_squared_error, y_true, y_pred), y_pred)


@reference
def linear_regression_cost(theta, x, y):
    """Half the mean squared residual, `sum((x theta - y)**2) / 2m`.

    Args:
        theta: (n,) parameters.
        x: (m, n) inputs; no bias column is added.
        y: (m,) targets.

    Returns:
        One number.

    Source: `keras.losses.mean_squared_error`, halved.
    """
    _regression(theta, x, y)
    return _regression_cost(theta, x, y)


@reference
def linear_regression_grad(theta, x, y):
    """Gradient of `linear_regression_cost` with respect to `theta`.

    Args:
        theta: (n,) parameters.
        x: (m, n) inputs; no bias column is added.
        y: (m,) targets.

    Returns:
        (n,) array.

    Source: autodiff of `linear_regression_cost`.
    """
    _regression(theta, x, y)
    return gradient(lambda theta: _regression_cost(theta, x, y), theta)


@reference
def huber(y_true, y_pred, delta: float = 1.0):
    """Mean over every element: half the square of an error up to `delta`, linear with slope `delta` beyond.

    Args:
        y_true: array of any shape, not empty.
        y_pred: array of `y_true`'s shape.
        delta: where the square ends, above 0.

    Returns:
        One number.

    Source: `keras.losses.huber`.
    """
    alike(y_true=y_true, y_pred=y_pred)
    positive(delta=delta)
    return _mean(keras.losses.huber, y_true, y_pred, delta)


@reference
def huber_grad(y_true, y_pred, delta: float = 1.0):
    """Gradient of `huber` with respect to `y_pred`.

    Args:
        y_true: array of any shape, not empty.
        y_pred: array of `y_true`'s shape.
        delta: where the square ends, above 0.

    Returns:
        Array of `y_pred`'s shape.

    Source: autodiff of `keras.losses.huber`.
    """
    alike(y_true=y_true, y_pred=y_pred)
    positive(delta=delta)
    return gradient(lambda y_pred: _mean(keras.losses.huber, y_true, y_pred, delta), y_pred)


@reference
def hinge(y_true, y_pred):
    """Mean over every element of `max(1 - y_true * y_pred, 0)`.

    Args:
        y_true: array of -1 and 1, any shape, not empty.
        y_pred: array of scores, of `y_true`'s shape.

    Returns:
        One number.

    Raises:
        ValueError: a label is neither -1 nor 1 (Keras would also take 0).

    Source: `keras.losses.hinge`.
    """
    alike(y_true=y_true, y_pred=y_pred)
    signs(y_true=y_true)
    return _mean(keras.losses.hinge, y_true, y_pred)


@reference
def cross_entropy(y_true, probabilities):
    """Minus the log probability of the true class, mean over the batch.

    Args:
        y_true: (batch, classes) one-hot labels.
        probabilities: (batch, classes), clipped to [1e-7, 1 - 1e-7] and not renormalised.

    Returns:
        One number.

    Source: `keras.ops`; `keras.losses.categorical_crossentropy` renormalises first.
    """
    _classification(y_true, probabilities=probabilities)
    logs = ops.log(ops.clip(probabilities, 1e-7, 1 - 1e-7))
    return -ops.mean(ops.sum(ops.multiply(y_true, logs), axis=-1))


@reference
def sigmoid_cross_entropy(y_true, logits):
    """Binary cross-entropy of `sigmoid(logits)`, mean over every element, finite for any finite logit.

    Args:
        y_true: array of labels from 0 to 1, any shape, not empty.
        logits: array of `y_true`'s shape.

    Returns:
        One number.

    Source: `keras.ops.binary_crossentropy` from logits.
    """
    alike(y_true=y_true, logits=logits)
    within_0_1(y_true=y_true)
    return _mean(_sigmoid_cross_entropy, y_true, logits)


@reference
def sigmoid_cross_entropy_grad(y_true, logits):
    """Gradient of `sigmoid_cross_entropy` with respect to `logits`.

    Args:
        y_true: array of labels from 0 to 1, any shape, not empty.
        logits: array of `y_true`'s shape.

    Returns:
        Array of `logits`' shape.

    Source: autodiff of `keras.ops.binary_crossentropy` from logits.
    """
    alike(y_true=y_true, logits=logits)
    within_0_1(y_true=y_true)
    return gradient(lambda logits: _mean(_sigmoid_cross_entropy, y_true, logits), logits)


@reference
def softmax_cross_entropy(y_true, logits):
    """Cross-entropy of `softmax(logits)`, mean over the batch, finite for any finite logit.

    Args:
        y_true: (batch, classes) one-hot labels.
        logits: (batch, classes) scores.

    Returns:
        One number.

    Source: `keras.ops.categorical_crossentropy` from logits.
    """
    _classification(y_true, logits=logits)
    return ops.mean(ops.categorical_crossentropy(y_true, logits, from_logits=True))


@reference
def softmax_cross_entropy_grad(y_true, logits):
    """Gradient of `softmax_cross_entropy` with respect to `logits`.

    Args:
        y_true: (batch, classes) one-hot labels.
        logits: (batch, classes) scores.

    Returns:
        (batch, classes) array.

    Source: autodiff of `keras.ops.categorical_crossentropy` from logits.
    """
    _classification(y_true, logits=logits)
    return gradient(
        lambda logits: ops.mean(ops.categorical_crossentropy(y_true, logits, from_logits=True)), logits
    )


@reference
def total_variation(images):
    """Sum of the absolute differences of neighbouring pixels, down and across.

    Args:
        images: (batch, height, width, channels).

    Returns:
        (batch,) array.

    Source: `tf.image.total_variation`, written with `keras.ops`.
    """
    rank(4, IMAGES, images=images)
    return sum(ops.sum(ops.abs(ops.diff(images, axis=axis)), axis=(1, 2, 3)) for axis in (1, 2))


@reference
def gram_matrix(features):
    """Products of every two channels, mean over the places.

    Args:
        features: (batch, height, width, channels).

    Returns:
        (batch, channels, channels) array.

    Source: Gatys, Ecker and Bethge, "A Neural Algorithm of Artistic Style", divided by height * width.
    """
    rank(4, IMAGES, features=features)
    return _gram(features)


@reference
def style_loss(style, generated):
    """Mean squared difference of the Gram matrices of two arrays of features.

    Args:
        style: (batch, height, width, channels) features of the style.
        generated: the same batch and channels; height and width may differ.

    Returns:
        One number.

    Source: `gram_matrix` and `keras.losses.mean_squared_error`.
    """
    rank(4, IMAGES, style=style, generated=generated)
    size(style.shape[0], 0, "the batch of `style`", generated=generated)
    size(style.shape[3], 3, "the channels of `style`", generated=generated)
    return _mean(keras.losses.mean_squared_error, _gram(style), _gram(generated))


@reference
def content_loss(content, generated):
    """Mean squared difference of two arrays of features.

    Args:
        content: array of any shape, not empty.
        generated: array of `content`'s shape.

    Returns:
        One number.

    Source: `keras.losses.mean_squared_error`.
    """
    alike(content=content, generated=generated)
    return _mean(keras.losses.mean_squared_error, content, generated)


def _mean(loss, y_true, y_pred, *parameters):
    """One number: Keras' losses take the mean over the last axis, here the only one."""
    return ops.mean(loss(ops.reshape(y_true, (-1,)), ops.reshape(y_pred, (-1,)), *parameters))


def _sigmoid_cross_entropy(y_true, logits):
    return ops.binary_crossentropy(y_true, logits, from_logits=True)


def _regression(theta, x, y):
    rank(1, "(n,)", theta=theta)
    rank(2, "(m, n)", x=x)
    rank(1, "(m,)", y=y)
    size(x.shape[1], 0, "one for each column of `x`", theta=theta)
    size(x.shape[0], 0, "one for each row of `x`", y=y)


def _regression_cost(theta, x, y):
    return keras.losses.mean_squared_error(y, ops.matmul(x, theta)) / 2


def _classification(y_true, **scores):
    rank(2, "(batch, classes)", y_true=y_true, **scores)
    same_shape(y_true=y_true, **scores)
    one_hot(y_true=y_true)


def _gram(features):
    _, height, width, _ = features.shape
    return ops.einsum("bhwc,bhwd->bcd", features, features) / (height * width)
