"""`convolution` in torch, whose images have their channels first. Torch knows "same" at stride 1 only, so its zeros
are counted here, by the formula in TensorFlow's documentation."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
output_size(n,kernel,stride=1,padding=0) pad(x,kernel_size,strides,padding)
conv2d(x,kernel,bias=None,strides=1,padding='valid') conv2d_backward(upstream,x,kernel,strides=1,padding='valid')
im2col(x,kernel_size,strides=1,padding='valid') conv2d_gemm(x,kernel,bias=None,strides=1,padding='valid')
depthwise_conv2d(x,kernel,strides=1,padding='valid') pointwise_conv2d(x,kernel)
separable_conv2d(x,depthwise_kernel,pointwise_kernel,strides=1,padding='valid')
conv2d_transpose(x,kernel,strides=1,padding='valid')
"""


def _padded(size: str) -> str:
    return (
        "F.pad(x.movedim(3, 1), [end for n, k, s in zip(x.shape[2:0:-1], "
        f"{size}[1::-1], strides[::-1])"
        " for zeros in [(padding == 'same') * max((-(-n // s) - 1) * s + k - n, 0)]"
        " for end in (zeros // 2, zeros - zeros // 2)])"
    )


def _depthwise(kernel: str) -> str:
    weights = f"{kernel}.permute(2, 3, 0, 1).flatten(0, 1)[:, None]"
    return f"F.conv2d({_padded(f'{kernel}.shape')}, {weights}, None, strides, groups=x.shape[3])"


CONV2D = f"F.conv2d({_padded('kernel.shape')}, kernel.permute(3, 2, 0, 1).contiguous(), bias, strides).movedim(1, 3)"

CALLS = {
    "pad": f"{_padded('kernel_size')}.movedim(1, 3)",
    "conv2d": CONV2D,
    "conv2d_backward": (
        "(lambda bias: grad(upstream * "
        f"{CONV2D}, x, kernel, bias))(torch.zeros(kernel.shape[3], dtype=x.dtype, requires_grad=True))"
    ),
    "im2col": (
        f"{_padded('kernel_size')}.unfold(2, kernel_size[0], strides[0]).unfold(3, kernel_size[1], strides[1])"
        ".permute(0, 2, 3, 4, 5, 1).flatten(3)"
    ),
    "conv2d_gemm": CONV2D,
    "depthwise_conv2d": f"{_depthwise('kernel')}.movedim(1, 3)",
    "pointwise_conv2d": "F.linear(x, kernel.T)",
    "separable_conv2d": f"F.linear({_depthwise('depthwise_kernel')}.movedim(1, 3), pointwise_kernel.T)",
    "conv2d_transpose": (
        "F.pad(F.conv_transpose2d(x.movedim(3, 1), kernel.permute(3, 2, 0, 1), None, strides),"
        " [end for k, s in zip(kernel.shape[1::-1], strides[::-1])"
        " for cut in [(padding == 'same') * max(k - s, 0)]"
        " for end in (-(cut // 2), cut // 2 - cut + max(s - k, 0))]).movedim(1, 3)"
    ),
}

SHAPES = [
    # batch, height, width, kernel height, kernel width, strides, padding
    (2, 4, 5, 3, 3, (1, 1), "valid"),
    (1, 6, 4, 2, 3, (2, 1), "valid"),
    (1, 1, 1, 1, 1, (1, 1), "valid"),
    (1, 4, 3, 3, 3, (1, 1), "same"),
    (1, 5, 4, 3, 3, (2, 2), "same"),
    (1, 4, 5, 2, 4, (2, 2), "same"),
    (1, 4, 4, 1, 1, (2, 3), "same"),
    (1, 2, 1, 5, 4, (2, 1), "same"),
]


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    def some(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).round(2)

    for batch, height, width, kh, kw, strides, padding in SHAPES:
        channels, out, multiplier = (int(n) for n in rng.integers(1, 4, size=3))
        x, kernel, bias = some(batch, height, width, channels), some(kh, kw, channels, out), some(out)
        depthwise, pointwise = some(kh, kw, channels, multiplier), some(channels * multiplier, out)
        how = {"strides": strides, "padding": padding}
        places = [
            -(-n // s) if padding == "same" else (n - k) // s + 1
            for n, k, s in zip((height, width), (kh, kw), strides, strict=True)
        ]
        yield "pad", {"x": x, "kernel_size": (kh, kw), **how}
        yield "im2col", {"x": x, "kernel_size": (kh, kw), **how}
        yield "conv2d", {"x": x, "kernel": kernel, "bias": None, **how}
        yield "conv2d", {"x": x, "kernel": kernel, "bias": bias, **how}
        yield "conv2d_gemm", {"x": x, "kernel": kernel, "bias": bias, **how}
        yield "conv2d_backward", {"upstream": some(batch, *places, out), "x": x, "kernel": kernel, **how}
        yield "depthwise_conv2d", {"x": x, "kernel": depthwise, **how}
        yield "pointwise_conv2d", {"x": x, "kernel": kernel[0, 0]}
        yield (
            "separable_conv2d",
            {"x": x, "depthwise_kernel": depthwise, "pointwise_kernel": pointwise, **how},
        )
        yield "conv2d_transpose", {"x": x, "kernel": some(kh, kw, out, channels), **how}
