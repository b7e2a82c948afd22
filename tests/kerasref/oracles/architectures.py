"""`architectures` is compared with Keras' own applications, and with nets of this package's other references."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
lenet5(inputs,classes) alexnet(inputs,classes) vgg_block(x,filters,convs) vgg16(inputs,classes)
inception_module(x,f1,f3_reduce,f3,f5_reduce,f5,pool_proj) identity_block(x,filters)
projection_block(x,filters,stride=2) zero_pad_block(x,filters,stride=2) bottleneck_block(x,filters,stride=1)
resnet18(inputs,classes) resnet50(inputs,classes) mobilenet_block(x,filters,stride=1)
inverted_residual_block(x,filters,expansion,stride=1) darknet_block(x,filters) darknet53(inputs,classes)
"""

CALLS: dict[str, str] = {}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from ()
