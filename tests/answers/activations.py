"""Right answers to `activations`, written differently from the solution."""

import math

import numpy as np

from tests.answers import right


@right("sigmoid")
def sigmoid_by_tanh(x):
    return (1 + np.tanh(x / 2)) / 2


@right("sigmoid")
def sigmoid_by_masks(x, dtype=np.float64):
    result = np.empty(np.shape(x), dtype=dtype)
    positive = x >= 0
    result[positive] = 1 / (1 + np.exp(-x[positive]))
    grown = np.exp(x[~positive])
    result[~positive] = grown / (1 + grown)
    return result


@right("sigmoid")
def sigmoid_number_by_number(x):
    def one(number):
        if number >= 0:
            return 1.0 / (1.0 + math.exp(-number))
        return math.exp(number) / (1.0 + math.exp(number))

    return np.array([one(float(number)) for number in np.ravel(x)]).reshape(np.shape(x))


@right("sigmoid")
def sigmoid_by_logaddexp(x):
    return np.exp(-np.logaddexp(0, -x))


@right("sigmoid")
def sigmoid_cut_off(x):
    return 1 / (1 + np.exp(-np.clip(x, -80, 80)))


@right("sigmoid")
def sigmoid_cut_off_at_thirty(x):
    return 1 / (1 + np.exp(-np.clip(x, -30, 30)))


@right("sigmoid_grad")
def sigmoid_grad_by_exponentials(x):
    decay = np.exp(-np.abs(x))
    return decay / (1 + decay) ** 2


@right("sigmoid_grad")
def sigmoid_grad_by_tanh(x):
    return 0.25 - 0.25 * np.tanh(0.5 * x) ** 2


@right("tanh")
def tanh_by_sinh(x):
    near = np.clip(x, -20, 20)
    return np.sinh(near) / np.cosh(near)


@right("tanh")
def tanh_by_sigmoid(x):
    grown = np.exp(2 * np.minimum(x, 0))
    decay = np.exp(-2 * np.maximum(x, 0))
    return 2 * (grown / (grown + decay)) - 1


@right("tanh")
def tanh_by_expm1(x):
    drop = np.expm1(-2 * abs(x))
    return np.copysign(-drop / (2 + drop), x)


@right("tanh")
def tanh_number_by_number(x):
    result = np.zeros_like(x)
    for place, number in np.ndenumerate(x):
        result[place] = math.tanh(number)
    return result


@right("tanh_grad")
def tanh_grad_by_numpy(x):
    return (1 - np.tanh(x)) * (1 + np.tanh(x))


@right("tanh_grad")
def tanh_grad_by_exponentials(x):
    decay = np.exp(-2 * np.abs(x))
    return 4 * decay / (1 + decay) ** 2


@right("relu")
def relu_by_product(x):
    return x * (x > 0)


@right("relu")
def relu_by_halves(x):
    return (x + np.abs(x)) / 2


@right("relu")
def relu_on_a_copy(x):
    result = x.copy()
    result[result < 0] = 0
    return result


@right("relu")
def relu_by_clip(x, *, ceiling=None):
    return np.clip(x, 0, ceiling)


@right("relu_grad")
def relu_grad_as_booleans(x):
    return x > 0


@right("relu_grad")
def relu_grad_by_heaviside(x):
    return np.heaviside(x, 0)


@right("leaky_relu")
def leaky_relu_by_two_halves(x, negative_slope=0.01):
    return np.maximum(x, 0) + negative_slope * np.minimum(x, 0)


@right("leaky_relu")
def leaky_relu_by_piecewise(x, negative_slope=0.01):
    return np.piecewise(x, [x > 0], [lambda kept: kept, lambda leaked: negative_slope * leaked])


@right("leaky_relu")
def leaky_relu_by_maximum(x, negative_slope=0.01):
    return np.maximum(x, negative_slope * x)


@right("leaky_relu")
def leaky_relu_by_keyword(x, *, negative_slope=0.01):
    return np.where(x < 0, negative_slope, 1) * x


@right("leaky_relu_grad")
def leaky_relu_grad_by_mask(x, negative_slope=0.01):
    slopes = np.full_like(x, negative_slope)
    slopes[x > 0] = 1
    return slopes


@right("leaky_relu_grad")
def leaky_relu_grad_by_arithmetic(x, negative_slope=0.01):
    on = (x > 0).astype(int)
    return on + negative_slope * (1 - on)


@right("elu")
def elu_by_piecewise(x, alpha=1.0):
    return np.piecewise(x, [x > 0, x <= 0], [lambda above: above, lambda below: alpha * (np.exp(below) - 1)])


@right("elu")
def elu_by_ufunc_where(x, alpha=1.0):
    grown = np.exp(x, where=x <= 0, out=np.ones_like(x))
    return np.maximum(0, x) + alpha * (grown - 1)


@right("elu")
def elu_number_by_number(x, alpha=1.0, **ignored):
    flat = [v if v > 0 else alpha * math.expm1(v) for v in x.ravel().tolist()]
    return np.array(flat).reshape(x.shape)


@right("elu_grad")
def elu_grad_by_elu(x, alpha=1.0):
    below = alpha * np.expm1(np.minimum(x, 0))
    return np.where(x > 0, 1, below + alpha)


@right("elu_grad")
def elu_grad_by_masks(x, alpha=1.0):
    slopes = np.ones(x.shape)
    slopes[x <= 0] = alpha * np.exp(x[x <= 0])
    return slopes


@right("softplus")
def softplus_by_logaddexp(x):
    return np.logaddexp(0, x)


@right("softplus")
def softplus_by_two_cases(x):
    near = np.clip(x, -40, 40)
    return np.where(x > 40, x, np.log1p(np.exp(near)))


@right("softplus")
def softplus_straight_from_twenty(x):
    return np.where(x > 20, x, np.log1p(np.exp(np.minimum(x, 20))))


@right("softplus")
def softplus_as_log_sum_exp(x):
    pair = np.stack([np.zeros_like(x), x])
    top = pair.max(axis=0)
    return top + np.log(np.exp(pair - top).sum(axis=0))


@right("softplus_grad")
def softplus_grad_by_tanh(x):
    return 0.5 + 0.5 * np.tanh(0.5 * x)


@right("softplus_grad")
def softplus_grad_by_logaddexp(x):
    return np.exp(x - np.logaddexp(x, 0))


@right("softmax")
def softmax_by_log_sum_exp(x, axis=-1):
    return np.exp(x - np.logaddexp.reduce(x, axis=axis, keepdims=True))


@right("softmax")
def softmax_slice_by_slice(x, axis=-1):
    def one(row):
        powers = [math.exp(score - max(row)) for score in row]
        return np.array(powers) / sum(powers)

    return np.apply_along_axis(one, axis, x)


@right("softmax")
def softmax_with_a_temperature(x, axis=-1, temperature=1.0):
    moved = np.moveaxis(np.asarray(x, dtype=float) / temperature, axis, 0)
    powers = np.exp(moved - np.amax(moved, axis=0))
    return np.moveaxis(powers / np.sum(powers, axis=0), 0, axis)


@right("softmax")
def softmax_by_differences(x, axis=-1):
    rows = np.swapaxes(x, axis, -1)
    with np.errstate(over="ignore"):
        inverse = np.exp(rows[..., None, :] - rows[..., :, None]).sum(axis=-1)
    return np.swapaxes(1 / inverse, axis, -1)


@right("softmax_backward")
def softmax_backward_by_jacobians(upstream, x, axis=-1):
    rows = np.moveaxis(x, axis, -1)
    powers = np.exp(rows - rows.max(axis=-1, keepdims=True))
    p = powers / powers.sum(axis=-1, keepdims=True)
    jacobians = np.einsum("...i,ij->...ij", p, np.eye(p.shape[-1])) - np.einsum("...i,...j->...ij", p, p)
    return np.moveaxis(np.einsum("...i,...ij->...j", np.moveaxis(upstream, axis, -1), jacobians), -1, axis)


@right("softmax_backward")
def softmax_backward_row_by_row(upstream, x, axis=-1):
    ups, rows = np.moveaxis(upstream, axis, -1), np.moveaxis(x, axis, -1)
    result = np.empty(rows.shape)
    for place in np.ndindex(rows.shape[:-1]):
        p = np.exp(rows[place] - rows[place].max())
        p /= p.sum()
        result[place] = (np.diag(p) - np.outer(p, p)) @ ups[place]
    return np.moveaxis(result, -1, axis)


@right("softmax_backward")
def softmax_backward_in_two_steps(upstream, x, axis=-1, eps=None):
    powers = np.exp(x - np.max(x, axis=axis, keepdims=True))
    total = powers.sum(axis=axis, keepdims=True)
    from_powers = upstream / total
    from_total = -(upstream * powers).sum(axis=axis, keepdims=True) / total**2
    return (from_powers + from_total) * powers
