"""Right answers to the assignment `regularization`, written differently from the solution."""

import numpy as np

from tests.answers import right


@right("l2_penalty")
def penalty_of_one_long_vector(weights, strength):
    flat = np.concatenate([np.ravel(w) for w in weights])
    return strength * flat.dot(flat)


@right("l2_penalty")
def penalty_by_norms(weights, strength):
    total = 0.0
    for w in weights:
        total += strength * np.linalg.norm(w) ** 2
    return total


@right("l2_penalty_grad")
def penalty_grad_by_adding(weights, strength):
    grads = []
    for w in weights:
        grads.append(strength * (w + w))
    return grads


@right("l2_penalty_grad")
def penalty_grad_into_zeros(weights, strength):
    grads = [np.zeros_like(w) for w in weights]
    for grad, w in zip(grads, weights, strict=True):
        grad += 2 * strength * w
    return tuple(grads)


@right("dropout")
def dropout_by_coins(x, rate, rng):
    mask = rng.binomial(1, 1 - rate, size=x.shape).astype(bool)
    return np.where(mask, x / (1 - rate), 0), mask


@right("dropout")
def dropout_by_choice(x, rate, rng):
    keep = 1.0 - rate
    mask = rng.choice([True, False], size=x.shape, p=[keep, rate])
    y = np.zeros(x.shape)
    y[mask] = x[mask] / keep
    return y, mask


@right("dropout")
def dropout_element_by_element(x, rate, rng):
    mask = np.ones(x.shape, dtype=bool)
    for place in np.ndindex(x.shape):
        mask[place] = not rng.uniform() < rate
    return x * (mask.astype(float) / (1 - rate)), mask


@right("dropout")
def dropout_with_ones_and_zeros(x, rate, rng, training=True):
    mask = np.ceil(rng.random(x.shape) - rate)
    return (x / (1 - rate)) * mask, mask


@right("dropout_backward")
def dropout_backward_by_selection(upstream, mask, rate):
    dx = np.array(upstream, dtype=float)
    dx[np.logical_not(mask)] = 0
    return dx / (1 - rate)


@right("dropout_backward")
def dropout_backward_by_where(upstream, mask, rate):
    return np.where(mask, upstream, 0) * (1 / (1 - rate))


@right("batch_norm_inference")
def inference_as_one_line(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    slope = gamma / np.sqrt(moving_variance + epsilon)
    return x * slope + (beta - moving_mean * slope)


@right("batch_norm_inference")
def inference_channel_by_channel(x, gamma, beta, moving_mean, moving_variance, epsilon=1e-3):
    y = np.empty_like(x)
    for k in range(x.shape[-1]):
        y[..., k] = gamma[k] * (x[..., k] - moving_mean[k]) * (moving_variance[k] + epsilon) ** -0.5 + beta[k]
    return y


@right("batch_norm_train")
def train_on_a_table(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    rows = x.reshape(-1, x.shape[-1])
    mean = rows.mean(axis=0)
    centred = rows - mean
    variance = np.einsum("nc,nc->c", centred, centred) / len(rows)
    y = gamma * centred / np.sqrt(variance + epsilon) + beta
    moving_mean = moving_mean + (1 - momentum) * (mean - moving_mean)
    moving_variance = moving_variance + (1 - momentum) * (variance - moving_variance)
    return y.reshape(x.shape), moving_mean, moving_variance


@right("batch_norm_train")
def train_channel_by_channel(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    y, means, variances = np.zeros_like(x), [], []
    for k, channel in enumerate(np.moveaxis(x, -1, 0)):
        mean, variance = np.mean(channel), np.var(channel)
        y[..., k] = (channel - mean) / (variance + epsilon) ** 0.5 * gamma[k] + beta[k]
        means.append(momentum * moving_mean[k] + (1 - momentum) * mean)
        variances.append(momentum * moving_variance[k] + (1 - momentum) * variance)
    return y, np.array(means), np.array(variances)


@right("batch_norm_train")
def train_on_images_and_tables(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    axes = {2: (0,), 3: (0, 1), 4: (0, 1, 2)}[x.ndim]
    mean = np.mean(x, axis=axes, keepdims=True)
    variance = np.mean((x - mean) ** 2, axis=axes, keepdims=True)
    x_hat = (x - mean) / np.sqrt(variance + epsilon)
    keep = [momentum * moving_mean, momentum * moving_variance]
    add = [(1 - momentum) * mean.squeeze(axes), (1 - momentum) * variance.squeeze(axes)]
    return [gamma * x_hat + beta, keep[0] + add[0], keep[1] + add[1]]


@right("batch_norm_train")
def train_by_the_mean_of_squares(x, gamma, beta, moving_mean, moving_variance, momentum=0.99, epsilon=1e-3):
    axes = tuple(range(x.ndim - 1))
    mean = x.mean(axes)
    variance = (x**2).mean(axes) - mean**2
    y = (x - mean) * (gamma / np.sqrt(variance + epsilon)) + beta
    moving_mean = moving_mean - (moving_mean - mean) * (1 - momentum)
    return y, moving_mean, moving_variance - (moving_variance - variance) * (1 - momentum)


@right("batch_norm_backward")
def backward_node_by_node(upstream, x, gamma, epsilon=1e-3):
    """As in the paper: first the gradients of variance and mean."""
    axes = tuple(range(x.ndim - 1))
    n = np.prod(x.shape[:-1])
    mean, variance = x.mean(axis=axes), x.var(axis=axes)
    inverse = 1 / np.sqrt(variance + epsilon)
    d_hat = upstream * gamma
    d_variance = np.sum(d_hat * (x - mean), axis=axes) * -0.5 * inverse**3
    d_mean = -np.sum(d_hat, axis=axes) * inverse + d_variance * np.mean(-2 * (x - mean), axis=axes)
    dx = d_hat * inverse + d_variance * 2 * (x - mean) / n + d_mean / n
    return dx, np.sum(upstream * (x - mean) * inverse, axis=axes), np.sum(upstream, axis=axes)


@right("batch_norm_backward")
def backward_by_jacobians(upstream, x, gamma, epsilon=1e-3):
    """One matrix a channel: how every x moves every normalized x."""
    rows, flows = x.reshape(-1, x.shape[-1]), upstream.reshape(-1, x.shape[-1])
    n = len(rows)
    dx, dgamma = np.zeros_like(rows), np.zeros_like(gamma)
    for k, (column, flow) in enumerate(zip(rows.T, flows.T, strict=True)):
        root = np.sqrt(column.var() + epsilon)
        x_hat = (column - column.mean()) / root
        jacobian = (np.eye(n) - 1 / n - np.outer(x_hat, x_hat) / n) / root
        dx[:, k] = gamma[k] * jacobian @ flow
        dgamma[k] = x_hat @ flow
    return dx.reshape(x.shape), dgamma, flows.sum(axis=0)


@right("batch_norm_backward")
def backward_by_projection(upstream, x, gamma, epsilon=1e-3):
    """Sums instead of means, over n once."""
    axes = tuple(range(x.ndim - 1))
    n = x.size // x.shape[-1]
    root = (x.var(axis=axes) + epsilon) ** 0.5
    x_hat = (x - x.mean(axis=axes)) / root
    dbeta, dgamma = np.sum(upstream, axis=axes), np.sum(upstream * x_hat, axis=axes)
    return gamma * (n * upstream - dbeta - x_hat * dgamma) / (n * root), dgamma, dbeta
