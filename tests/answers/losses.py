"""Right answers to the assignment `losses`, written differently from the solution."""

import math

import numpy as np

from tests.answers import right


@right("l1_loss")
def l1_by_a_loop(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError("y_true and y_pred differ in shape")
    return math.fsum(abs(p - t) for t, p in zip(y_true.ravel(), y_pred.ravel(), strict=True))


@right("l1_loss")
def l1_by_larger_minus_smaller(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError("y_true and y_pred differ in shape")
    return float((np.maximum(y_true, y_pred) - np.minimum(y_true, y_pred)).sum())


@right("l2_loss")
def l2_by_dot(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError("y_true and y_pred differ in shape")
    error = np.ravel(y_true - y_pred)
    return error.dot(error)


@right("l2_loss")
def l2_by_norm(y_true, y_pred):
    if np.shape(y_true) != np.shape(y_pred):
        raise ValueError("y_true and y_pred differ in shape")
    return np.linalg.norm((y_true - y_pred).flatten()) ** 2


@right("mean_absolute_error")
def mean_absolute_by_average(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError("y_true and y_pred differ in shape")
    return np.average(np.abs(y_true - y_pred))


@right("mean_squared_error")
def mean_squared_by_einsum(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError("y_true and y_pred differ in shape")
    error = (y_true - y_pred).reshape(-1)
    return np.einsum("i,i->", error, error) / error.size


@right("mean_squared_error")
def mean_squared_as_variance_and_bias(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError("y_true and y_pred differ in shape")
    error = y_true - y_pred
    return np.var(error) + np.mean(error) ** 2


@right("mean_squared_error_grad")
def mean_squared_grad_by_a_loop(y_true, y_pred):
    grad = np.empty(y_pred.shape)
    for place in np.ndindex(y_pred.shape):
        grad[place] = 2 / y_pred.size * (y_pred[place] - y_true[place])
    return grad


@right("linear_regression_cost")
def cost_row_by_row(theta, x, y):
    if x.shape != (y.size, theta.size) or y.ndim != 1:
        raise ValueError("the shapes do not fit")
    total = 0.0
    for row, target in zip(x, y, strict=True):
        total += (sum(row * theta) - target) ** 2
    return total / (2 * len(x))


@right("linear_regression_cost")
def cost_with_columns(theta, x, y):
    if y.shape != x.shape[:1]:
        raise ValueError("the shapes do not fit")
    error = x @ theta.reshape(-1, 1) - y.reshape(-1, 1)
    return (error.T @ error).item() / (2 * x.shape[0])


@right("linear_regression_grad")
def grad_by_normal_equations(theta, x, y):
    return (x.T @ x @ theta - x.T @ y) / x.shape[0]


@right("linear_regression_grad")
def grad_weight_by_weight(theta, x, y):
    error = np.einsum("ij,j->i", x, theta) - y
    return np.array([np.mean(error * x[:, j]) for j in range(theta.size)])


@right("huber")
def huber_by_clipping(y_true, y_pred, delta=1.0):
    if y_true.shape != y_pred.shape:
        raise ValueError("y_true and y_pred differ in shape")
    error = np.abs(y_true - y_pred)
    near = np.minimum(error, delta)
    return np.mean(near * (error - near / 2))


@right("huber")
def huber_by_masks(y_true, y_pred, delta=1.0):
    if y_true.shape != y_pred.shape:
        raise ValueError("y_true and y_pred differ in shape")
    error = (y_pred - y_true).ravel()
    small = np.abs(error) < delta
    parabola = 0.5 * np.sum(error[small] ** 2)
    line = delta * np.sum(np.abs(error[~small])) - np.count_nonzero(~small) * 0.5 * delta**2
    return (parabola + line) / error.size


@right("huber_grad")
def huber_grad_by_cases(y_true, y_pred, delta=1.0):
    error = y_pred - y_true
    return np.where(abs(error) < delta, error, delta * np.sign(error)) / error.size


@right("huber_grad")
def huber_grad_by_bounds(y_true, y_pred, delta=1.0):
    return np.maximum(np.minimum(y_pred - y_true, delta), -delta) / np.prod(y_true.shape)


@right("hinge")
def hinge_by_a_mask(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError("y_true and y_pred differ in shape")
    missing = 1 - y_true * y_pred
    return missing[missing > 0].sum() / missing.size


@right("hinge")
def hinge_by_classes(y_true, y_pred):
    if y_true.shape != y_pred.shape:
        raise ValueError("y_true and y_pred differ in shape")
    return np.where(y_true > 0, np.clip(1 - y_pred, 0, None), np.clip(1 + y_pred, 0, None)).mean()


@right("cross_entropy")
def cross_entropy_by_picking(y_true, probabilities):
    picked = probabilities[np.arange(len(y_true)), y_true.argmax(axis=1)]
    return -np.log(np.minimum(np.maximum(picked, 1e-7), 1 - 1e-7)).mean()


@right("cross_entropy")
def cross_entropy_by_trace(y_true, probabilities):
    return -np.trace(y_true @ np.log(np.clip(probabilities, 1e-7, 1 - 1e-7)).T) / y_true.shape[0]


@right("sigmoid_cross_entropy")
def sigmoid_by_logaddexp(y_true, logits):
    if y_true.shape != logits.shape:
        raise ValueError("y_true and logits differ in shape")
    return np.mean(np.logaddexp(0, logits) - y_true * logits)


@right("sigmoid_cross_entropy")
def sigmoid_by_margins(y_true, logits):
    if y_true.shape != logits.shape:
        raise ValueError("y_true and logits differ in shape")
    return np.logaddexp(0, np.where(y_true == 1, -logits, logits)).sum() / logits.size


@right("sigmoid_cross_entropy_grad")
def sigmoid_grad_by_tanh(y_true, logits):
    return ((1 + np.tanh(logits / 2)) / 2 - y_true) / logits.size


@right("sigmoid_cross_entropy_grad")
def sigmoid_grad_by_masks(y_true, logits):
    probabilities = np.empty(logits.shape)
    positive = logits > 0
    probabilities[positive] = 1 / (1 + np.exp(-logits[positive]))
    grown = np.exp(logits[~positive])
    probabilities[~positive] = grown / (grown + 1)
    return (probabilities - y_true) / logits.size


@right("softmax_cross_entropy")
def softmax_by_logaddexp(y_true, logits):
    return np.mean(np.logaddexp.reduce(logits, axis=1) - np.sum(y_true * logits, axis=1))


@right("softmax_cross_entropy")
def softmax_by_a_loop(y_true, logits):
    total = 0.0
    for label, row in zip(y_true.argmax(axis=1), logits, strict=True):
        total += math.log(sum(math.exp(z - row[label] - max(row - row[label])) for z in row)) + max(
            row - row[label]
        )
    return total / len(logits)


@right("softmax_cross_entropy_grad")
def softmax_grad_by_log_probabilities(y_true, logits):
    log_sum = np.logaddexp.reduce(logits, axis=1)
    return (np.exp(logits - log_sum[:, None]) - y_true) / logits.shape[0]


@right("softmax_cross_entropy_grad")
def softmax_grad_row_by_row(y_true, logits):
    grad = -y_true / len(y_true)
    for i, row in enumerate(logits):
        weights = np.exp(row - max(row))
        grad[i] += weights / weights.sum() / len(y_true)
    return grad


@right("total_variation")
def total_variation_by_slices(images):
    down = images[:, 1:] - images[:, :-1]
    right_ = images[:, :, 1:] - images[:, :, :-1]
    return np.array([np.abs(d).sum() + np.abs(r).sum() for d, r in zip(down, right_, strict=True)])


@right("total_variation")
def total_variation_by_pixels(images):
    batch, height, width, _ = images.shape
    total = np.zeros(batch)
    for i in range(height):
        for j in range(width):
            if i + 1 < height:
                total += np.abs(images[:, i + 1, j] - images[:, i, j]).sum(axis=-1)
            if j + 1 < width:
                total += np.abs(images[:, i, j + 1] - images[:, i, j]).sum(axis=-1)
    return total


@right("gram_matrix")
def gram_by_einsum(features):
    return np.einsum("bijk,bijl->bkl", features, features) / (features.shape[1] * features.shape[2])


@right("gram_matrix")
def gram_by_outer_products(features):
    return (features[..., :, None] * features[..., None, :]).mean(axis=(1, 2))


@right("style_loss")
def style_by_tensordot(style, generated):
    difference = [
        np.tensordot(s, s, axes=((0, 1), (0, 1))) / s[..., 0].size
        - np.tensordot(g, g, axes=((0, 1), (0, 1))) / g[..., 0].size
        for s, g in zip(style, generated, strict=True)
    ]
    return np.square(difference).mean()


@right("style_loss")
def style_by_places(style, generated):
    (b, h, w, c), total = style.shape, 0.0
    for s, g in zip(style.reshape(b, -1, c), generated.reshape(b, -1, c), strict=True):
        total += np.linalg.norm(np.dot(s.T, s) - np.dot(g.T, g)) ** 2
    return total / (b * c**2 * (h * w) ** 2)


@right("content_loss")
def content_by_vdot(content, generated):
    difference = content - generated
    return np.vdot(difference, difference) / difference.size
