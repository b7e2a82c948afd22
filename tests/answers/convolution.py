"""Right answers to the assignment `convolution`, written differently from the solution."""

import math

import numpy as np

from tests.answers import right


def two(value):
    return (value, value) if isinstance(value, int) else tuple(value)


def ends(n, k, s):
    """The zeros of "same", by whether the stride divides n."""
    total = max(k - s, 0) if n % s == 0 else max(k - n % s, 0)
    return total // 2, math.ceil(total / 2)


def framed(x, size, strides, padding):
    """Images laid into a larger array of zeros."""
    if padding == "valid":
        return x
    (top, bottom), (left, right_) = (ends(*a) for a in zip(x.shape[1:3], size, strides, strict=True))
    batch, height, width, channels = x.shape
    frame = np.zeros((batch, top + height + bottom, left + width + right_, channels), x.dtype)
    frame[:, top : top + height, left : left + width] = x
    return frame


def windows(x, size, strides, padding):
    """(batch, height, width, kh, kw, channels), a view."""
    size, strides = two(size), two(strides)
    view = np.lib.stride_tricks.sliding_window_view(framed(x, size, strides, padding), size, axis=(1, 2))
    return view[:, :: strides[0], :: strides[1]].transpose(0, 1, 2, 4, 5, 3)


def spread_out(x, strides, behind=(0, 0)):
    """Zeros between the pixels, and some behind the last."""
    sh, sw = strides
    batch, height, width, channels = x.shape
    y = np.zeros((batch, (height - 1) * sh + 1 + behind[0], (width - 1) * sw + 1 + behind[1], channels))
    y[:, : (height - 1) * sh + 1 : sh, : (width - 1) * sw + 1 : sw] = x
    return y


@right("output_size")
def places_counted(n, kernel, stride=1, padding=0):
    return len(range(0, n + 2 * padding - kernel + 1, stride))


@right("output_size")
def places_rounded_up(n, kernel, stride=1, padding=0):
    return -(-(n + 2 * padding - kernel + 1) // stride)


@right("output_size")
def places_floored(n, kernel, stride=1, padding=0, dilation=1):
    return int(np.floor((n + 2 * padding - dilation * (kernel - 1) - 1) / stride) + 1)


@right("same_padding")
def zeros_by_remainder(n, kernel, stride=1):
    return ends(n, kernel, stride)


@right("same_padding")
def zeros_by_trying(n, kernel, stride=1):
    before, after = 0, 0
    while (before + n + after - kernel) // stride + 1 < math.ceil(n / stride):
        if before < after:
            before += 1
        else:
            after += 1
    return [before, after]


@right("pad")
def pad_into_a_frame(x, kernel_size, strides, padding):
    return framed(x, two(kernel_size), two(strides), padding)


@right("pad")
def pad_by_joining(x, kernel_size, strides, padding):
    if padding == "valid":
        return x
    for axis, k, s in zip((1, 2), two(kernel_size), two(strides), strict=True):
        before, after = ends(x.shape[axis], k, s)
        zeros = np.zeros_like(x)
        zeros = np.repeat(zeros.take([0], axis), before + after, axis)
        head, tail = np.split(zeros, [before], axis)
        x = np.concatenate([head, x, tail], axis)
    return x


@right("conv2d")
def conv2d_pixel_by_pixel(x, kernel, bias=None, strides=1, padding="valid"):
    kh, kw, channels, out = kernel.shape
    sh, sw = two(strides)
    p = framed(x, (kh, kw), (sh, sw), padding)
    height, width = (p.shape[1] - kh) // sh + 1, (p.shape[2] - kw) // sw + 1
    y = np.zeros((len(x), height, width, out))
    for b in range(len(x)):
        for i in range(height):
            for j in range(width):
                for o in range(out):
                    total = 0.0 if bias is None else float(bias[o])
                    for u in range(kh):
                        for v in range(kw):
                            for c in range(channels):
                                total += float(p[b, i * sh + u, j * sw + v, c]) * float(kernel[u, v, c, o])
                    y[b, i, j, o] = total
    return y


@right("conv2d")
def conv2d_place_by_place(x, kernel, bias=None, strides=1, padding="valid", *, dilation=1):
    kh, kw, _, out = kernel.shape
    sh, sw = two(strides)
    p = framed(x, (kh, kw), (sh, sw), padding)
    rows = []
    for i in range(0, p.shape[1] - kh + 1, sh):
        row = []
        for j in range(0, p.shape[2] - kw + 1, sw):
            window = p[:, i : i + kh, j : j + kw, :]
            row.append(np.tensordot(window, kernel, axes=3))
        rows.append(np.stack(row, axis=1))
    return np.stack(rows, axis=1) + (np.zeros(out, x.dtype) if bias is None else bias)


@right("conv2d")
def conv2d_by_einsum(x, kernel, bias=None, strides=1, padding="valid"):
    y = np.einsum("bijuvc,uvco->bijo", windows(x, kernel.shape[:2], strides, padding), kernel)
    return y if bias is None else y + bias


@right("conv2d")
def conv2d_by_fourier(x, kernel, bias=None, strides=1, padding="valid"):
    (sh, sw), (kh, kw) = two(strides), kernel.shape[:2]
    p = framed(x, (kh, kw), (sh, sw), padding)
    size = p.shape[1:3]
    waves = np.fft.fft2(p, axes=(1, 2))
    weights = np.conj(np.fft.fft2(kernel, size, axes=(0, 1)))  # conjugate: a correlation
    y = np.fft.ifft2(np.einsum("bijc,ijco->bijo", waves, weights), axes=(1, 2)).real
    y = y[:, : size[0] - kh + 1 : sh, : size[1] - kw + 1 : sw]
    return y if bias is None else y + bias


@right("conv2d_backward")
def backward_place_by_place(upstream, x, kernel, strides=1, padding="valid"):
    (kh, kw), (sh, sw) = kernel.shape[:2], two(strides)
    p = framed(x, (kh, kw), (sh, sw), padding)
    dp, dkernel, dbias = np.zeros(p.shape), np.zeros(kernel.shape), np.zeros(kernel.shape[3])
    for b, i, j in np.ndindex(upstream.shape[:3]):
        here = (b, slice(i * sh, i * sh + kh), slice(j * sw, j * sw + kw))
        for o, g in enumerate(upstream[b, i, j]):
            dp[here] += g * kernel[..., o]
            dkernel[..., o] += g * p[here]
            dbias[o] += g
    if padding == "same":
        top, left = ends(x.shape[1], kh, sh)[0], ends(x.shape[2], kw, sw)[0]
        dp = dp[:, top : top + x.shape[1], left : left + x.shape[2]]
    return dp, dkernel, dbias


@right("conv2d_backward")
def backward_by_flipping(upstream, x, kernel, strides=1, padding="valid"):
    (kh, kw), strides = kernel.shape[:2], two(strides)
    p = framed(x, (kh, kw), strides, padding)
    unseen = [(p.shape[1] - kh) % strides[0], (p.shape[2] - kw) % strides[1]]
    far = spread_out(upstream, strides, unseen)
    wide = np.pad(far, [(0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1), (0, 0)])
    dp = np.einsum("bijuvo,uvco->bijc", windows(wide, (kh, kw), 1, "valid"), kernel[::-1, ::-1])
    dkernel = np.einsum("bijuvc,bijo->uvco", windows(x, (kh, kw), strides, padding), upstream)
    top, left = ((p.shape[axis] - x.shape[axis]) // 2 for axis in (1, 2))
    return dp[:, top:, left:][:, : x.shape[1], : x.shape[2]], dkernel, np.einsum("bijo->o", upstream)


@right("conv2d_backward")
def backward_by_rows(upstream, x, kernel, strides=1, padding="valid"):
    (kh, kw, channels, out), (sh, sw) = kernel.shape, two(strides)
    rows = windows(x, (kh, kw), strides, padding).reshape(-1, kh * kw * channels)
    flat = upstream.reshape(-1, out)
    dkernel = (rows.T @ flat).reshape(kernel.shape)
    drows = (flat @ kernel.reshape(-1, out).T).reshape(*upstream.shape[:3], kh, kw, channels)
    p = np.zeros_like(framed(x, (kh, kw), (sh, sw), padding))
    batch, i, j, u, v = np.ogrid[tuple(slice(n) for n in drows.shape[:5])]
    np.add.at(p, (batch, i * sh + u, j * sw + v), drows)
    if padding == "same":
        p = p[:, ends(x.shape[1], kh, sh)[0] :, ends(x.shape[2], kw, sw)[0] :]
        p = p[:, : x.shape[1], : x.shape[2]]
    return [p, dkernel, np.ones(len(flat), flat.dtype) @ flat]


@right("im2col")
def rows_by_views(x, kernel_size, strides=1, padding="valid"):
    view = windows(x, kernel_size, strides, padding)
    return view.reshape(*view.shape[:3], -1)


@right("im2col")
def rows_by_stride_tricks(x, kernel_size, strides=1, padding="valid"):
    (kh, kw), (sh, sw) = two(kernel_size), two(strides)
    p = np.ascontiguousarray(framed(x, (kh, kw), (sh, sw), padding))
    b, h, w, c = p.strides
    height, width = (p.shape[1] - kh) // sh + 1, (p.shape[2] - kw) // sw + 1
    shape = (len(p), height, width, kh, kw, p.shape[3])
    return np.lib.stride_tricks.as_strided(p, shape, (b, h * sh, w * sw, h, w, c)).reshape(
        len(p), height, width, -1
    )


@right("im2col")
def rows_one_by_one(x, kernel_size, strides=1, padding="valid"):
    (kh, kw), (sh, sw) = two(kernel_size), two(strides)
    p = framed(x, (kh, kw), (sh, sw), padding)
    return np.array(
        [
            [
                [image[i : i + kh, j : j + kw].ravel() for j in range(0, p.shape[2] - kw + 1, sw)]
                for i in range(0, p.shape[1] - kh + 1, sh)
            ]
            for image in p
        ]
    )


@right("conv2d_gemm")
def product_of_tables(x, kernel, bias=None, strides=1, padding="valid"):
    rows = rows_by_views(x, kernel.shape[:2], strides, padding)
    table, weights = rows.reshape(-1, rows.shape[-1]), kernel.reshape(rows.shape[-1], -1)
    if bias is not None:
        table = np.column_stack([table, np.ones(len(table), x.dtype)])
        weights = np.vstack([weights, bias])
    return np.dot(table, weights).reshape(*rows.shape[:3], -1)


@right("conv2d_gemm")
def product_by_tensordot(x, kernel, bias=0, strides=1, padding="valid"):
    y = np.tensordot(windows(x, kernel.shape[:2], strides, padding), kernel, axes=3)
    return y if bias is None else y + bias


@right("depthwise_conv2d")
def depthwise_by_einsum(x, kernel, strides=1, padding="valid"):
    y = np.einsum("bijuvc,uvcm->bijcm", windows(x, kernel.shape[:2], strides, padding), kernel)
    return y.reshape(*y.shape[:3], -1)


@right("depthwise_conv2d")
def depthwise_channel_by_channel(x, kernel, strides=1, padding="valid"):
    parts = []
    for c in range(x.shape[3]):
        view = windows(x[..., c : c + 1], kernel.shape[:2], strides, padding)
        for q in range(kernel.shape[3]):
            parts.append((view[..., 0] * kernel[:, :, c, q]).sum(axis=(-2, -1)))
    return np.stack(parts, axis=-1)


@right("depthwise_conv2d")
def depthwise_as_a_sparse_convolution(x, kernel, strides=1, padding="valid"):
    kh, kw, channels, multiplier = kernel.shape
    dense = np.zeros((kh, kw, channels, channels * multiplier), kernel.dtype)
    for c in range(channels):
        dense[:, :, c, c * multiplier : (c + 1) * multiplier] = kernel[:, :, c]
    return conv2d_by_einsum(x, dense, None, strides, padding)


@right("pointwise_conv2d")
def pointwise_by_einsum(x, kernel):
    return np.einsum("bijc,co->bijo", x, kernel)


@right("pointwise_conv2d")
def pointwise_pixel_by_pixel(x, kernel):
    y = np.empty((*x.shape[:3], kernel.shape[1]))
    for place in np.ndindex(x.shape[:3]):
        y[place] = sum(pixel * row for pixel, row in zip(x[place], kernel, strict=True))
    return y


@right("separable_conv2d")
def separable_as_one_kernel(x, depthwise_kernel, pointwise_kernel, strides=1, padding="valid"):
    mixing = pointwise_kernel.reshape(*depthwise_kernel.shape[2:], -1)
    kernel = np.einsum("uvcm,cmo->uvco", depthwise_kernel, mixing)
    return conv2d_by_einsum(x, kernel, None, strides, padding)


@right("separable_conv2d")
def separable_by_parts(x, depthwise_kernel, pointwise_kernel, strides=1, padding="valid", bias=None):
    return np.dot(depthwise_by_einsum(x, depthwise_kernel, strides, padding), pointwise_kernel)


@right("conv2d_transpose")
def transposed_pixel_by_pixel(x, kernel, strides=1, padding="valid"):
    (kh, kw, out, _), (sh, sw) = kernel.shape, two(strides)
    batch, height, width, _ = x.shape
    y = np.zeros((batch, height * sh + kh, width * sw + kw, out))
    for b, i, j in np.ndindex(batch, height, width):
        y[b, i * sh : i * sh + kh, j * sw : j * sw + kw] += kernel @ x[b, i, j]
    over_h, over_w = max(kh - sh, 0), max(kw - sw, 0)
    if padding == "same":
        y = y[:, over_h // 2 :, over_w // 2 :]
        return y[:, : height * sh, : width * sw]
    return y[:, : height * sh + over_h, : width * sw + over_w]


@right("conv2d_transpose")
def transposed_by_zeros_between(x, kernel, strides=1, padding="valid"):
    (kh, kw), (sh, sw) = kernel.shape[:2], two(strides)
    far = spread_out(x, (sh, sw), (max(sh - kh, 0), max(sw - kw, 0)))
    wide = np.pad(far, [(0, 0), (kh - 1, kh - 1), (kw - 1, kw - 1), (0, 0)])
    y = np.einsum("bijuvc,uvoc->bijo", windows(wide, (kh, kw), 1, "valid"), kernel[::-1, ::-1])
    if padding == "valid":
        return y
    top, left = max(kh - sh, 0) // 2, max(kw - sw, 0) // 2
    return y[:, top : top + x.shape[1] * sh, left : left + x.shape[2] * sw]


@right("conv2d_transpose")
def transposed_as_a_gradient(x, kernel, strides=1, padding="valid"):
    (sh, sw), (kh, kw, out, _) = two(strides), kernel.shape
    size = (x.shape[1] * sh, x.shape[2] * sw)
    if padding == "valid":
        size = (size[0] + max(kh - sh, 0), size[1] + max(kw - sw, 0))
    larger = np.zeros((len(x), *size, out), np.result_type(x, kernel))
    return backward_place_by_place(x, larger, kernel, (sh, sw), padding)[0]
