"""`pooling` in torch, which pads alike on both sides: `same` where that is Keras' too, the rest in test_pooling.py."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
max_pool2d(x,pool_size=2,strides=None,padding='valid')
max_pool2d_backward(upstream,x,pool_size=2,strides=None,padding='valid')
average_pool2d(x,pool_size=2,strides=None,padding='valid')
average_pool2d_backward(upstream,x,pool_size=2,strides=None,padding='valid')
global_average_pool2d(x)
"""

WINDOWS = "x.unfold(1, pool_size[0], strides[0]).unfold(2, pool_size[1], strides[1]).flatten(4).movedim(4, 3)"
HOW = "pool_size, strides, [size // 2 if padding == 'same' else 0 for size in pool_size]"
MAXIMUM = f"F.max_pool2d(x.movedim(3, 1), {HOW}).movedim(1, 3)"
AVERAGE = f"F.avg_pool2d(x.movedim(3, 1), {HOW}, count_include_pad=False).movedim(1, 3)"

CALLS = {
    "windows": WINDOWS,
    "windows_backward": f"grad(upstream * {WINDOWS}, x)",
    "max_pool2d": MAXIMUM,
    "max_pool2d_backward": f"grad(upstream * {MAXIMUM}, x)",
    "average_pool2d": AVERAGE,
    "average_pool2d_backward": f"grad(upstream * {AVERAGE}, x)",
    "global_average_pool2d": "F.adaptive_avg_pool2d(x.movedim(3, 1), 1).flatten(1)",
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for height, width, pool_size, strides, padding in [
        (4, 6, (2, 2), (2, 2), "valid"),
        (5, 7, (2, 3), (2, 1), "valid"),
        (6, 5, (1, 2), (4, 3), "valid"),
        (3, 4, (3, 4), (1, 1), "valid"),
        (4, 5, (3, 5), (1, 1), "same"),
        (5, 7, (3, 3), (2, 2), "same"),
    ]:
        x = rng.normal(size=(2, height, width, 2)).round(2)
        ties = rng.integers(-3, 0, size=x.shape).astype(float)
        how = {"pool_size": pool_size, "strides": strides, "padding": padding}
        sizes, steps = np.array(pool_size), np.array(strides)
        room = (height, width) - sizes + (0 if padding == "valid" else 2 * (sizes // 2))
        rows, columns = room // steps + 1
        upstream = rng.normal(size=(2, rows, columns, 2)).round(2)
        for image in (x, ties):
            yield "max_pool2d", {"x": image, **how}
            yield "max_pool2d_backward", {"upstream": upstream, "x": image, **how}
        yield "average_pool2d", {"x": x, **how}
        yield "average_pool2d_backward", {"upstream": upstream, "x": x, **how}
        yield "global_average_pool2d", {"x": x}
        if padding == "valid":
            yield "windows", {"x": x, **how}
            upstream = rng.normal(size=(2, rows, columns, sizes.prod(), 2)).round(2)
            yield "windows_backward", {"upstream": upstream, "x": x, **how}
