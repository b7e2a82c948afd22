"""Well-known wrong answers to the assignment `backprop`."""

import numpy as np

from grader.exercise import misconception

BIAS_NOT_SUMMED = "`db` has one row for each example: the bias was added to every row, so its gradient adds up over the batch."
BIAS_OVER_OUTPUTS = "You summed the bias' gradient along each row: `db` has one entry for each output, so the sum runs down the batch, `axis=0`."
BIAS_AVERAGED = (
    "You took the mean over the batch for `db`: a bias reaches the loss through every row, and ways to the loss add up. "
    "The loss has taken its mean already; it comes in with `upstream`."
)
WEIGHTS_AVERAGED = "You divided by the batch inside the layer: the loss has taken its mean already, and it comes in with `upstream`."
SUMMED = (
    "Your loss is a sum over the batch: divide it by the number of rows, and the gradient of the logits too."
)
TWICE = "You divided the gradients by the batch twice: the gradient of the logits carries the 1/batch already, and hands it on."


def affine(x, w, b):
    return x @ w + b


def log_softmax(logits):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def two_layer(params, x, y_true, passes=lambda z, hidden, dhidden: dhidden * (z > 0), share=None):
    """The right loss and gradients; `passes` says what the ReLU lets back, `share` divides instead of the batch."""
    w1, b1, w2, b2 = (params[name] for name in ("w1", "b1", "w2", "b2"))
    z = affine(x, w1, b1)
    hidden = np.maximum(z, 0)
    logs = log_softmax(affine(hidden, w2, b2))
    loss = -np.sum(y_true * logs) / len(x)
    dlogits = (np.exp(logs) - y_true) / (len(x) if share is None else share)
    dz = passes(z, hidden, dlogits @ w2.T)
    return loss, {"w1": x.T @ dz, "b1": dz.sum(axis=0), "w2": hidden.T @ dlogits, "b2": dlogits.sum(axis=0)}


@misconception(
    "chain_rule.chain_rule",
    "Every derivative was taken at x: each is due at the value that reaches its own function, which has been through all those before.",
)
def all_derivatives_at_x(functions, derivatives, x):
    slope = np.ones(np.shape(x))
    for derivative in derivatives:
        slope = slope * derivative(x)
    return slope


@misconception(
    "chain_rule.chain_rule",
    "You moved the value along first and took the derivative after: each derivative is due at what goes into its function, not at what comes out.",
)
def derivative_after_the_step(functions, derivatives, x):
    slope = np.ones(np.shape(x))
    for function, derivative in zip(functions, derivatives, strict=True):
        x = function(x)
        slope = slope * derivative(x)
    return slope


@misconception(
    "chain_rule.chain_rule",
    "The slopes of the links were added: each link stretches what the ones before have stretched, so they multiply.",
)
def slopes_added(functions, derivatives, x):
    slope = np.zeros(np.shape(x))
    for function, derivative in zip(functions, derivatives, strict=True):
        slope = slope + derivative(x)
        x = function(x)
    return slope if functions else np.ones(np.shape(x))


@misconception(
    "chain_rule.chain_rule",
    "You applied the last function first: the list runs from the first that x meets to the last.",
)
def last_function_first(functions, derivatives, x):
    slope = np.ones(np.shape(x))
    for function, derivative in zip(reversed(functions), reversed(derivatives), strict=True):
        slope = slope * derivative(x)
        x = function(x)
    return slope


@misconception(
    "chain_rule.chain_rule",
    "You put the derivatives into each other, as if they were the chain: apply the functions, and multiply the derivatives at the values on the way.",
)
def derivatives_composed(functions, derivatives, x):
    slope = derivatives[0](x) if derivatives else np.ones(np.shape(x))
    for derivative in derivatives[1:]:
        slope = derivative(slope)
    return slope


@misconception(
    "chain_rule.chain_rule",
    "That is the value of the chain, not its slope: multiply up the derivatives as you go.",
)
def value_instead_of_slope(functions, derivatives, x):
    for function in functions:
        x = function(x)
    return x


@misconception(
    "numerical_gradient.numerical_gradient",
    "You step to one side only: its error shrinks with `eps`, that of a step to both sides with `eps` squared.",
)
def one_sided(f, x, eps=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        up = x.copy()
        up[i] += eps
        grad[i] = (f(up) - f(x)) / eps
    return grad


@misconception(
    "numerical_gradient.numerical_gradient",
    "Your slopes are twice too large: from `x - eps` to `x + eps` it is 2 `eps`.",
)
def no_two_in_the_denominator(f, x, eps=1e-5):
    grad = np.zeros(np.shape(x))
    for i in np.ndindex(grad.shape):
        up, down = np.array(x, dtype=float), np.array(x, dtype=float)
        up[i] += eps
        down[i] -= eps
        grad[i] = (f(up) - f(down)) / eps
    return grad


@misconception(
    "numerical_gradient.numerical_gradient",
    "You divide by 2 and then multiply by `eps`: `/ 2 * eps` is read from the left. Put brackets around `2 * eps`.",
)
def missing_brackets(f, x, eps=1e-5):
    grad = np.zeros(np.shape(x))
    for i in np.ndindex(grad.shape):
        up, down = np.array(x, dtype=float), np.array(x, dtype=float)
        up[i] += eps
        down[i] -= eps
        grad[i] = (f(up) - f(down)) / 2 * eps
    return grad


@misconception(
    "numerical_gradient.numerical_gradient",
    "You moved all elements at once: a partial derivative moves one and leaves the others where they are.",
)
def all_at_once(f, x, eps=1e-5):
    slope = (f(x + eps) - f(x - eps)) / (2 * eps)
    return np.full(np.shape(x), slope)


@misconception(
    "numerical_gradient.numerical_gradient",
    "You moved an element and did not put it back, so that the next slopes are taken at another place: work on a fresh copy for each.",
)
def not_put_back(f, x, eps=1e-5):
    x = np.array(x, dtype=float)
    grad = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        x[i] += eps
        up = f(x)
        x[i] -= 2 * eps
        grad[i] = (up - f(x)) / (2 * eps)
    return grad


@misconception(
    "numerical_gradient.numerical_gradient",
    "Adding `eps` and taking it away again does not give the same number to the last bit, and it was the caller's x: work on a copy, or put the old value itself back.",
)
def drifts_in_place(f, x, eps=1e-5):
    if x.dtype.kind != "f":
        x = x.astype(float)
    grad = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        x[i] += eps
        up = f(x)
        x[i] -= 2 * eps
        down = f(x)
        x[i] += eps
        grad[i] = (up - down) / (2 * eps)
    return grad


@misconception(
    "numerical_gradient.numerical_gradient",
    "With an x of integers your step was cut off to 0 or to a whole number: make the copies float, `np.array(x, dtype=float)`.",
)
def integers_cut_the_step(f, x, eps=1e-5):
    grad = np.zeros(x.shape)
    for i in np.ndindex(x.shape):
        up, down = x.copy(), x.copy()
        up[i] = x[i] + eps
        down[i] = x[i] - eps
        grad[i] = (f(up) - f(down)) / (2 * eps)
    return grad


@misconception(
    "numerical_gradient.numerical_gradient",
    "Your slopes are the same whatever `eps` says: step by `eps` itself, once to each side.",
)
def own_eps(f, x, eps=1e-5):
    grad = np.zeros(np.shape(x))
    for i in np.ndindex(grad.shape):
        up, down = np.array(x, dtype=float), np.array(x, dtype=float)
        up[i] += 1e-5
        down[i] -= 1e-5
        grad[i] = (f(up) - f(down)) / 2e-5
    return grad


@misconception(
    "numerical_gradient.relative_error",
    "You took the mean over the elements: one wrong slope among a thousand right ones would hide in it. Take the largest.",
)
def mean_of_the_errors(a, b):
    return np.mean(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)))


@misconception(
    "numerical_gradient.relative_error",
    "You compared the lengths of whole vectors: one wrong small slope would hide behind the large ones. Divide element by element, then take the largest.",
)
def error_of_the_norms(a, b):
    return np.linalg.norm(a - b) / np.maximum(1e-8, np.linalg.norm(a) + np.linalg.norm(b))


@misconception(
    "numerical_gradient.relative_error",
    "Where both are 0 you divide 0 by 0: never divide by less than 1e-8.",
)
def divides_by_zero(a, b):
    return np.max(np.abs(a - b) / (np.abs(a) + np.abs(b)))


@misconception(
    "numerical_gradient.relative_error",
    "You added 1e-8 to the sum: it is a floor, `np.maximum(1e-8, ...)`, and changes nothing where the numbers are larger.",
)
def adds_the_floor(a, b):
    return np.max(np.abs(a - b) / (np.abs(a) + np.abs(b) + 1e-8))


@misconception(
    "numerical_gradient.relative_error",
    "You divide by one of the two only, so that swapping them changes the answer: divide by the sum of their absolute values.",
)
def relative_to_the_second(a, b):
    return np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(b)))


@misconception(
    "numerical_gradient.relative_error",
    "You divide by the larger of the two: here it is their sum, so that the error lies between 0 and 1.",
)
def relative_to_the_larger(a, b):
    return np.max(np.abs(a - b) / np.maximum(1e-8, np.maximum(np.abs(a), np.abs(b))))


@misconception(
    "numerical_gradient.relative_error",
    "You divide by |a + b|, which is near 0 where the signs differ: take the absolute values first, then the sum.",
)
def absolute_value_of_the_sum(a, b):
    return np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a + b)))


@misconception(
    "numerical_gradient.relative_error",
    "The difference keeps its sign: where a is below b, the error comes out negative and is never the largest. Take its absolute value.",
)
def signed_difference(a, b):
    return np.max((a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)))


@misconception(
    "numerical_gradient.relative_error",
    "That is the absolute error: divide each by the size of the two numbers.",
)
def absolute_error(a, b):
    return np.max(np.abs(a - b))


@misconception(
    "gemm.gemm",
    "Alpha stands before the sum of both: it scales the product alone, and beta scales `c`.",
)
def alpha_before_everything(alpha, a, b, beta, c):
    return alpha * (a @ b + beta * c)


@misconception("gemm.gemm", "`c` comes in unscaled: multiply it by beta.")
def beta_forgotten(alpha, a, b, beta, c):
    return alpha * (a @ b) + c


@misconception("gemm.gemm", "The product comes out unscaled: multiply it by alpha.")
def alpha_forgotten(alpha, a, b, beta, c):
    return a @ b + beta * c


@misconception("gemm.gemm", "Alpha and beta are swapped: alpha belongs to the product, beta to `c`.")
def alpha_for_beta(alpha, a, b, beta, c):
    return beta * (a @ b) + alpha * c


@misconception(
    "gemm.gemm",
    "You wrote the result into `c`, as the libraries' gemm does: here nothing may change its arguments, so build a new array.",
)
def gemm_into_c(alpha, a, b, beta, c):
    c *= beta
    c += alpha * (a @ b)
    return c


@misconception(
    "blocked_gemm.blocked_gemm",
    "The tiles at the ends are left out: `size // block` counts whole tiles only. Step by `block` up to the size; a slice over the end is cut.",
)
def whole_tiles_only(a, b, block):
    (m, k), n = a.shape, b.shape[1]
    d = np.zeros((m, n))
    for i in range(m // block):
        for j in range(n // block):
            for p in range(k // block):
                rows, columns, shared = (slice(t * block, (t + 1) * block) for t in (i, j, p))
                d[rows, columns] += a[rows, shared] @ b[shared, columns]
    return d


@misconception(
    "blocked_gemm.blocked_gemm",
    "Each product of tiles replaces the one before: a tile of the result is the sum over the shared axis, so start from zeros and add with `+=`.",
)
def tiles_replaced(a, b, block):
    (m, k), n = a.shape, b.shape[1]
    d = np.zeros((m, n))
    for i in range(0, m, block):
        for j in range(0, n, block):
            for p in range(0, k, block):
                d[i : i + block, j : j + block] = (
                    a[i : i + block, p : p + block] @ b[p : p + block, j : j + block]
                )
    return d


@misconception(
    "blocked_gemm.blocked_gemm",
    "You multiply tile (i, p) by tile (i, p)'s neighbour in the same place, element by element: each tile of the result is a sum of *matrix* products, `@`, of a row of tiles and a column of tiles.",
)
def tiles_elementwise(a, b, block):
    (m, k), n = a.shape, b.shape[1]
    d = np.zeros((m, n))
    for i in range(0, m, block):
        for j in range(0, n, block):
            for p in range(0, k, block):
                d[i : i + block, j : j + block] += (
                    a[i : i + block, p : p + block] * b[p : p + block, j : j + block]
                )
    return d


@misconception(
    "blocked_gemm.blocked_gemm",
    "Your loop over the shared axis stops at the number of rows of `a`: it runs over the columns of `a`, which are the rows of `b`.",
)
def shared_axis_as_long_as_the_rows(a, b, block):
    m, n = a.shape[0], b.shape[1]
    d = np.zeros((m, n))
    for i in range(0, m, block):
        for j in range(0, n, block):
            for p in range(0, m, block):
                d[i : i + block, j : j + block] += (
                    a[i : i + block, p : p + block] @ b[p : p + block, j : j + block]
                )
    return d


@misconception(
    "matmul_backward.matmul_backward",
    "The transposes are missing: each gradient is `upstream` times the *transposed* other factor. Write the shapes beside each product.",
)
def no_transpose(upstream, w, x):
    return upstream @ x, w @ upstream


@misconception(
    "matmul_backward.matmul_backward",
    "Your gradients come out transposed: dW has the shape of W, and dX that of X. `(A B)' = B' A'`: turn the products around.",
)
def gradients_transposed(upstream, w, x):
    return x @ upstream.T, upstream.T @ w


@misconception(
    "matmul_backward.matmul_backward",
    "The two gradients are swapped: first dW, then dX, in the order of the arguments.",
)
def swapped(upstream, w, x):
    return w.T @ upstream, upstream @ x.T


@misconception(
    "matmul_backward.matmul_backward",
    "You left `upstream` out, as if it were all ones: every way back is multiplied by the gradient that comes in.",
)
def upstream_of_ones(upstream, w, x):
    ones = np.ones_like(upstream)
    return ones @ x.T, w.T @ ones


@misconception(
    "matmul_backward.matmul_backward",
    "You divided by the number of columns: a product takes no mean, so its way back has none either.",
)
def averaged_over_columns(upstream, w, x):
    return upstream @ x.T / x.shape[1], w.T @ upstream


@misconception("affine.affine", "The bias is missing: add it to every row of the product.")
def no_bias(x, w, b):
    return x @ w


@misconception(
    "affine.affine",
    "The bias was laid down the batch: each *row* of the output gets all of `b`, one entry an output.",
)
def bias_by_rows(x, w, b):
    return x @ w + b[:, np.newaxis]


@misconception(
    "affine.affine", "One bias for all: each output has its own, so add `b` itself, not its sum or mean."
)
def bias_in_one(x, w, b):
    return x @ w + b.sum()


@misconception("affine.affine_backward", BIAS_NOT_SUMMED)
def bias_not_summed(upstream, x, w, b):
    return upstream @ w.T, x.T @ upstream, upstream


@misconception("affine.affine_backward", BIAS_OVER_OUTPUTS)
def bias_over_outputs(upstream, x, w, b):
    return upstream @ w.T, x.T @ upstream, upstream.sum(axis=1)


@misconception("affine.affine_backward", BIAS_AVERAGED)
def bias_averaged(upstream, x, w, b):
    return upstream @ w.T, x.T @ upstream, upstream.mean(axis=0)


@misconception("affine.affine_backward", WEIGHTS_AVERAGED)
def weights_averaged(upstream, x, w, b):
    return upstream @ w.T, x.T @ upstream / len(x), upstream.mean(axis=0)


@misconception(
    "affine.affine_backward",
    "Your `db` is one number for all: sum over the batch only, `axis=0`, so that each output keeps its own.",
)
def bias_summed_over_everything(upstream, x, w, b):
    return upstream @ w.T, x.T @ upstream, upstream.sum()


@misconception(
    "affine.affine_backward",
    "Your `db` has a row axis too many: it has the shape of `b`, so leave `keepdims` out.",
)
def bias_keeps_its_row(upstream, x, w, b):
    return upstream @ w.T, x.T @ upstream, upstream.sum(axis=0, keepdims=True)


@misconception(
    "affine.affine_backward",
    "A transpose is missing for `dx`: (batch, out) times (out, in) gives (batch, in), and `w` is (in, out). On squares no shape complains.",
)
def weights_not_transposed(upstream, x, w, b):
    return upstream @ w, x.T @ upstream, upstream.sum(axis=0)


@misconception(
    "affine.affine_backward",
    "`dw` comes out transposed: (in, out) is the shape of `w`, which `x.T @ upstream` has.",
)
def weights_gradient_transposed(upstream, x, w, b):
    return upstream @ w.T, upstream.T @ x, upstream.sum(axis=0)


@misconception("affine.affine_backward", "The order is off: dx, dw, db, as the arguments x, w, b stand.")
def weights_first(upstream, x, w, b):
    return x.T @ upstream, upstream @ w.T, upstream.sum(axis=0)


@misconception(
    "two_layer_net.two_layer_forward",
    "There is no ReLU between the layers: two affine layers in a row are one affine layer.",
)
def no_relu(params, x):
    return affine(affine(x, params["w1"], params["b1"]), params["w2"], params["b2"])


@misconception(
    "two_layer_net.two_layer_forward",
    "You put a ReLU on the output as well: logits come out raw, and may be negative.",
)
def relu_on_the_output(params, x):
    hidden = np.maximum(affine(x, params["w1"], params["b1"]), 0)
    return np.maximum(affine(hidden, params["w2"], params["b2"]), 0)


@misconception(
    "two_layer_net.two_layer_forward",
    "You returned probabilities: the softmax belongs to the loss, the network ends in logits.",
)
def softmax_in_the_network(params, x):
    hidden = np.maximum(affine(x, params["w1"], params["b1"]), 0)
    return np.exp(log_softmax(affine(hidden, params["w2"], params["b2"])))


@misconception(
    "two_layer_net.two_layer_forward",
    "The first bias comes after your ReLU: it decides where a unit switches on, so add it before.",
)
def bias_after_the_relu(params, x):
    hidden = np.maximum(x @ params["w1"], 0) + params["b1"]
    return affine(hidden, params["w2"], params["b2"])


@misconception(
    "two_layer_net.two_layer_loss_and_grads",
    "The ReLU has no part in your way back: where a hidden unit was off, nothing passes. Multiply by `z > 0`, where `z` is what went into it.",
)
def no_mask(params, x, y_true):
    return two_layer(params, x, y_true, lambda z, hidden, dhidden: dhidden)


@misconception(
    "two_layer_net.two_layer_loss_and_grads",
    "Your mask asks the wrong array: it looks at the sign of the gradient that comes back. Ask what went *into* the ReLU on the way forward.",
)
def mask_of_the_gradient(params, x, y_true):
    return two_layer(params, x, y_true, lambda z, hidden, dhidden: np.maximum(dhidden, 0))


@misconception(
    "two_layer_net.two_layer_loss_and_grads",
    "You multiplied by the hidden values instead of the mask: the slope of a ReLU is 1 where it is on, not its output.",
)
def output_for_mask(params, x, y_true):
    return two_layer(params, x, y_true, lambda z, hidden, dhidden: dhidden * hidden)


@misconception(
    "two_layer_net.two_layer_loss_and_grads",
    "The softmax came twice, once before the loss and once in it: give the loss the logits as they are.",
)
def softmax_twice(params, x, y_true):
    w1, b1, w2, b2 = (params[name] for name in ("w1", "b1", "w2", "b2"))
    z = affine(x, w1, b1)
    hidden = np.maximum(z, 0)
    probabilities = np.exp(log_softmax(affine(hidden, w2, b2)))
    logs = log_softmax(probabilities)
    dlogits = (np.exp(logs) - y_true) / len(x)
    dz = dlogits @ w2.T * (z > 0)
    grads = {"w1": x.T @ dz, "b1": dz.sum(axis=0), "w2": hidden.T @ dlogits, "b2": dlogits.sum(axis=0)}
    return -np.sum(y_true * logs) / len(x), grads


@misconception("two_layer_net.two_layer_loss_and_grads", TWICE)
def divided_twice(params, x, y_true):
    loss, grads = two_layer(params, x, y_true)
    return loss, {name: grad / len(x) for name, grad in grads.items()}


@misconception("two_layer_net.two_layer_loss_and_grads", SUMMED)
def loss_and_gradients_summed(params, x, y_true):
    loss, grads = two_layer(params, x, y_true, share=1)
    return loss * len(x), grads


@misconception(
    "two_layer_net.two_layer_loss_and_grads",
    "Your loss is a mean and your gradients are those of a sum: divide the gradient of the logits by the batch.",
)
def gradients_of_the_sum(params, x, y_true):
    return two_layer(params, x, y_true, share=1)


@misconception(
    "two_layer_net.two_layer_loss_and_grads",
    "You took a mean over every element: the cross-entropy of many classes is a mean over the batch, so divide by the rows only.",
)
def mean_over_elements(params, x, y_true):
    loss, grads = two_layer(params, x, y_true, share=y_true.size)
    return loss / y_true.shape[1], grads


@misconception(
    "two_layer_net.two_layer_loss_and_grads",
    "Truth minus probabilities points uphill: every gradient has the wrong sign.",
)
def truth_minus_probabilities(params, x, y_true):
    loss, grads = two_layer(params, x, y_true)
    return loss, {name: -grad for name, grad in grads.items()}


@misconception(
    "two_layer_net.two_layer_loss_and_grads",
    "Your gradient of w2 uses what went into the ReLU: the second layer saw what came out of it.",
)
def second_layer_from_before_the_relu(params, x, y_true):
    loss, grads = two_layer(params, x, y_true)
    z = affine(x, params["w1"], params["b1"])
    logs = log_softmax(affine(np.maximum(z, 0), params["w2"], params["b2"]))
    return loss, {**grads, "w2": z.T @ ((np.exp(logs) - y_true) / len(x))}


@misconception(
    "two_layer_net.two_layer_loss_and_grads",
    "The exponentials overflow for large logits: subtract each row's maximum first, or use the loss that is given.",
)
def softmax_that_overflows(params, x, y_true):
    loss, grads = two_layer(params, x, y_true)
    logits = affine(np.maximum(affine(x, params["w1"], params["b1"]), 0), params["w2"], params["b2"])
    e = np.exp(logits)
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.sum(y_true * np.log(p)) / len(x)
    return loss, {**grads, "b2": np.sum(p - y_true, axis=0) / len(x)}
