"""Right answers to the assignment `backprop`, written differently from the solution."""

import math

import numpy as np

from tests.answers import right


@right("chain_rule")
def chain_rule_backwards(functions, derivatives, x):
    values = [x]
    for function in functions:
        values.append(function(values[-1]))
    grad = np.ones_like(x)
    for i in range(len(functions) - 1, -1, -1):
        grad = grad * derivatives[i](values[i])
    return grad


@right("chain_rule")
def chain_rule_by_recursion(functions, derivatives, x):
    def slope_of_the_rest(link, x):
        if link == len(functions):
            return x * 0 + 1
        return derivatives[link](x) * slope_of_the_rest(link + 1, functions[link](x))

    return slope_of_the_rest(0, x)


@right("chain_rule")
def chain_rule_by_factors(functions, derivatives, x):
    factors = [np.ones(np.shape(x))]
    for function, derivative in zip(functions, derivatives, strict=True):
        factors.append(derivative(x))
        x = function(x)
    return np.prod(factors, axis=0)


@right("numerical_gradient")
def numerical_gradient_by_nditer(f, x, eps=1e-5):
    x = x.astype(float)
    grad = np.zeros_like(x)
    places = np.nditer(x, flags=["multi_index"])
    for _ in places:
        i = places.multi_index
        kept = x[i]
        x[i] = kept + eps
        up = f(x)
        x[i] = kept - eps
        down = f(x)
        x[i] = kept
        grad[i] = (up - down) / (2 * eps)
    return grad


@right("numerical_gradient")
def numerical_gradient_by_unit_vectors(f, x, eps=1e-5):
    units = np.eye(x.size)
    return np.array(
        [(f(x + eps * u.reshape(x.shape)) - f(x - eps * u.reshape(x.shape))) / 2 / eps for u in units]
    ).reshape(x.shape)


@right("numerical_gradient")
def numerical_gradient_of_a_flat_copy(f, x, eps=1e-5):
    flat = np.array(x, dtype=np.float64).ravel()
    grad = np.empty(flat.size)
    for i in range(flat.size):
        flat[i] += eps
        up = f(flat.reshape(x.shape))
        flat[i] -= 2 * eps
        down = f(flat.reshape(x.shape))
        flat[i] += eps
        grad[i] = 0.5 * (up - down) / eps
    return grad.reshape(x.shape)


@right("relative_error")
def relative_error_by_a_loop(a, b):
    worst = 0.0
    for p, q in zip(np.ravel(a), np.ravel(b), strict=True):
        worst = max(worst, abs(p - q) / max(1e-8, abs(p) + abs(q)))
    return worst


@right("relative_error")
def relative_error_by_clip(a, b):
    return (abs(a - b) / np.clip(abs(a) + abs(b), 1e-8, None)).max()


@right("gemm")
def gemm_by_einsum(alpha, a, b, beta, c):
    return alpha * np.einsum("ik,kj->ij", a, b) + beta * c


@right("gemm")
def gemm_by_loops(alpha, a, b, beta, c):
    d = np.empty(c.shape)
    for i, row in enumerate(a):
        for j, column in enumerate(b.T):
            d[i, j] = alpha * math.fsum(row * column) + beta * c[i, j]
    return d


@right("gemm")
def gemm_in_place_of_a_copy(alpha, a, b, beta, c, out=None):
    out = c.copy() if out is None else out
    out *= beta
    for column, row in zip(a.T, b, strict=True):
        out += alpha * np.outer(column, row)
    return out


@right("blocked_gemm")
def blocked_gemm_by_tiles_of_the_shared_axis_first(a, b, block):
    d = np.zeros((len(a), b.shape[1]), dtype=a.dtype)
    for p in range(math.ceil(a.shape[1] / block)):
        shared = slice(p * block, (p + 1) * block)
        for i in range(math.ceil(len(a) / block)):
            rows = slice(i * block, (i + 1) * block)
            for j in range(math.ceil(b.shape[1] / block)):
                columns = slice(j * block, (j + 1) * block)
                d[rows, columns] += np.dot(a[rows, shared], b[shared, columns])
    return d


@right("blocked_gemm")
def blocked_gemm_of_padded_matrices(a, b, block):
    (m, k), n = a.shape, b.shape[1]
    a = np.pad(a, [(0, -m % block), (0, -k % block)])
    b = np.pad(b, [(0, -k % block), (0, -n % block)])
    tiles_a = a.reshape(a.shape[0] // block, block, -1, block)
    tiles_b = b.reshape(b.shape[0] // block, block, -1, block)
    return np.einsum("ixpy,pyjz->ixjz", tiles_a, tiles_b).reshape(a.shape[0], -1)[:m, :n]


@right("blocked_gemm")
def blocked_gemm_by_np_block(a, b, block):
    def cuts(size):
        return range(block, size, block)

    rows = np.split(a, cuts(a.shape[0]), axis=0)
    columns = np.split(b, cuts(b.shape[1]), axis=1)
    return np.block(
        [
            [
                sum(
                    p @ q
                    for p, q in zip(
                        np.split(row, cuts(a.shape[1]), axis=1),
                        np.split(column, cuts(b.shape[0])),
                        strict=True,
                    )
                )
                for column in columns
            ]
            for row in rows
        ]
    )


@right("matmul_backward")
def matmul_backward_by_einsum(upstream, w, x):
    return np.einsum("ij,pj->ip", upstream, x), np.einsum("ij,ip->pj", upstream, w)


@right("matmul_backward")
def matmul_backward_transposed(upstream, w, x):
    return [(x @ upstream.T).T, (upstream.T @ w).T]


@right("matmul_backward")
def matmul_backward_by_outer_products(upstream, w, x):
    dw, dx = np.zeros(w.shape), np.zeros(x.shape)
    for j in range(x.shape[1]):
        dw += np.outer(upstream[:, j], x[:, j])
    for i in range(w.shape[0]):
        dx += np.outer(w[i], upstream[i])
    return dw, dx


@right("affine")
def affine_by_a_column_of_ones(x, w, b):
    return np.hstack([x, np.ones((len(x), 1))]) @ np.vstack([w, b])


@right("affine")
def affine_by_columns(x, w, b):
    return np.stack([np.dot(x, w[:, j]) + b[j] for j in range(len(b))], axis=1)


@right("affine_backward")
def affine_backward_by_einsum(upstream, x, w, b):
    return (
        np.einsum("ij,kj->ik", upstream, w),
        np.einsum("ik,ij->kj", x, upstream),
        np.einsum("ij->j", upstream),
    )


@right("affine_backward")
def affine_backward_by_examples(upstream, x, w, b):
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(b.shape)
    for i in range(len(x)):
        dx[i] = w.dot(upstream[i])
        dw += np.outer(x[i], upstream[i])
        db += upstream[i]
    return dx, dw, db


@right("affine_backward")
def affine_backward_by_ones(upstream, x, w, b, need_dx=True):
    return np.dot(upstream, w.T) if need_dx else None, np.dot(x.T, upstream), np.ones(len(x)) @ upstream


@right("two_layer_forward")
def forward_by_where(params, x):
    z = x @ params["w1"] + params["b1"]
    return np.where(z > 0, z, 0) @ params["w2"] + params["b2"]


@right("two_layer_forward")
def forward_by_a_mask(params, x):
    z = np.dot(x, params["w1"]) + params["b1"]
    return (z * (z > 0)).dot(params["w2"]) + params["b2"]


@right("two_layer_loss_and_grads")
def grads_by_hand(params, x, y_true):
    z = x @ params["w1"] + params["b1"]
    h = np.clip(z, 0, None)
    logits = h @ params["w2"] + params["b2"]
    logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    loss = -np.mean(logs[y_true == 1])
    ds = (np.exp(logs) - y_true) / len(x)
    dz = ds @ params["w2"].T
    dz[h <= 0] = 0
    return loss, {
        "b2": np.sum(ds, axis=0),
        "w2": h.T @ ds,
        "b1": np.sum(dz, axis=0),
        "w1": x.T @ dz,
    }


@right("two_layer_loss_and_grads")
def grads_by_examples(params, x, y_true):
    loss, grads = 0.0, {name: np.zeros(np.shape(array)) for name, array in params.items()}
    for row, truth in zip(x, y_true, strict=True):
        h = np.maximum(row @ params["w1"] + params["b1"], 0)
        s = h @ params["w2"] + params["b2"]
        s = s - s.max()
        p = np.exp(s) / np.exp(s).sum()
        loss += (np.log(np.exp(s).sum()) - s @ truth) / len(x)
        ds = (p - truth) / len(x)
        dh = np.sign(h) * (params["w2"] @ ds)
        grads["w2"] += np.outer(h, ds)
        grads["b2"] += ds
        grads["w1"] += np.outer(row, dh)
        grads["b1"] += dh
    return loss, grads
