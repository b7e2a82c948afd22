"""References of the assignment `architectures`: Keras tensor in, Keras tensor out.

Everything is made of one step, a convolution with what follows it, and of what joins steps.
"""

from collections.abc import Sequence
from typing import Any

from kerasref.backend import keras
from kerasref.validation import at_least_1

layers = keras.layers
ACTIVATIONS = {
    "relu": lambda x: layers.ReLU()(x),
    "relu6": lambda x: layers.ReLU(max_value=6.0)(x),
    "leaky": lambda x: layers.LeakyReLU(negative_slope=0.1)(x),
}


def lenet5(inputs: Any, classes: int) -> Any:
    """LeNet-5 with tanh and average pooling: 61,706 parameters for 32 x 32 x 1 and 10 classes.

    Args:
        inputs: Keras tensor (batch, 32, 32, channels); other sizes from 28 do too.
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.

    Source: LeCun, Bottou, Bengio, Haffner 1998, with a full C3 and softmax.
    """
    _image(inputs)
    at_least_1(classes=classes)
    x = inputs
    for filters in (6, 16):
        x = layers.Conv2D(filters, 5, activation="tanh")(x)
        x = layers.AveragePooling2D(2)(x)
    return _classifier(layers.Flatten()(x), [120, 84], "tanh", classes)


def alexnet(inputs: Any, classes: int) -> Any:
    """AlexNet in one tower, without local response normalization: 62,378,344 parameters for 227 x 227 x 3 and 1,000 classes.

    Args:
        inputs: Keras tensor (batch, 227, 227, channels); other sizes from 67 do too.
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.

    Source: Krizhevsky, Sutskever, Hinton 2012.
    """
    _image(inputs)
    at_least_1(classes=classes)
    x = layers.Conv2D(96, 11, strides=4, activation="relu")(inputs)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Conv2D(256, 5, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for filters in (384, 384, 256):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    return _classifier(layers.Flatten()(x), [4096, 4096], "relu", classes)


def vgg_block(x: Any, filters: int, convs: int) -> Any:
    """`convs` convolutions of 3 x 3 with ReLU, then 2 x 2 max pooling.

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of each convolution.
        convs: how many.

    Returns:
        Keras tensor (batch, h // 2, w // 2, filters).

    Source: Simonyan and Zisserman 2015, table 1.
    """
    _image(x, "x")
    at_least_1(filters=filters, convs=convs)
    for _ in range(convs):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return layers.MaxPooling2D()(x)


def vgg16(inputs: Any, classes: int) -> Any:
    """VGG-16: 138,357,544 parameters for 224 x 224 x 3 and 1,000 classes.

    Args:
        inputs: Keras tensor (batch, h, w, channels), sides from 32.
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.

    Source: Simonyan and Zisserman 2015, configuration D.
    """
    _image(inputs)
    at_least_1(classes=classes)
    x = inputs
    for filters, convs in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        x = vgg_block(x, filters, convs)
    return _classifier(layers.Flatten()(x), [4096, 4096], "relu", classes)


def inception_module(
    x: Any, f1: int, f3_reduce: int, f3: int, f5_reduce: int, f5: int, pool_proj: int
) -> Any:
    """Four branches side by side: 1 x 1, 3 x 3 and 5 x 5 behind a 1 x 1, and pooling before a 1 x 1.

    Args:
        x: Keras tensor (batch, h, w, channels).
        f1: filters of the 1 x 1 branch.
        f3_reduce, f3: filters before the 3 x 3, and of it.
        f5_reduce, f5: filters before the 5 x 5, and of it.
        pool_proj: filters behind the 3 x 3 max pooling.

    Returns:
        Keras tensor (batch, h, w, f1 + f3 + f5 + pool_proj), the branches in this order.

    Source: Szegedy et al. 2015, figure 2b.
    """
    _image(x, "x")
    at_least_1(f1=f1, f3_reduce=f3_reduce, f3=f3, f5_reduce=f5_reduce, f5=f5, pool_proj=pool_proj)

    def conv(x: Any, filters: int, size: int) -> Any:
        return layers.Conv2D(filters, size, padding="same", activation="relu")(x)

    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    branches = [
        conv(x, f1, 1),
        conv(conv(x, f3_reduce, 1), f3, 3),
        conv(conv(x, f5_reduce, 1), f5, 5),
        conv(pooled, pool_proj, 1),
    ]
    return layers.Concatenate()(branches)


def identity_block(x: Any, filters: int) -> Any:
    """Two normalized 3 x 3 convolutions, the input added, ReLU.

    Args:
        x: Keras tensor (batch, h, w, filters).
        filters: of both convolutions, the channels of `x`.

    Returns:
        Keras tensor of the shape of `x`.

    Raises:
        ValueError: where the input has other channels.

    Source: He et al. 2016, figure 2.
    """
    _image(x, "x")
    _channels(x, filters)
    return _residual(x, _two_convolutions(x, filters, 1))


def projection_block(x: Any, filters: int, stride: int = 2) -> Any:
    """The basic residual block where the shape changes, with a normalized 1 x 1 projection in the shortcut (option B).

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of both convolutions.
        stride: of the first convolution and of the projection.

    Returns:
        Keras tensor (batch, ceil(h / stride), ceil(w / stride), filters).

    Source: He et al. 2016, section 3.3, option B.
    """
    _image(x, "x")
    at_least_1(filters=filters, stride=stride)
    return _residual(_step(x, filters, 1, stride), _two_convolutions(x, filters, stride))


def zero_pad_block(x: Any, filters: int, stride: int = 2) -> Any:
    """The basic residual block where the shape changes, without parameters in the shortcut (option A).

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of both convolutions, at least the channels of `x`.
        stride: of the first convolution; the shortcut keeps every `stride`-th row and column.

    Returns:
        Keras tensor (batch, ceil(h / stride), ceil(w / stride), filters).

    Raises:
        ValueError: where the input has more channels than `filters`.

    Source: He et al. 2016, section 3.3, option A.
    """
    _image(x, "x")
    at_least_1(filters=filters, stride=stride)
    more = filters - x.shape[-1]
    if more < 0:
        raise ValueError(
            f"`filters` is {filters}, but `x` has {x.shape[-1]} channels; expected at least as many: zeros can only be added."
        )
    shortcut = keras.ops.pad(x[:, ::stride, ::stride], [(0, 0), (0, 0), (0, 0), (0, more)])
    return _residual(shortcut, _two_convolutions(x, filters, stride))


def bottleneck_block(x: Any, filters: int, stride: int = 1) -> Any:
    """1 x 1, 3 x 3 and 1 x 1 convolutions of `filters`, `filters` and `4 * filters`, the input added, ReLU.

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of the narrow convolutions.
        stride: of the first convolution, and of the projection that the shortcut has where the shape changes.

    Returns:
        Keras tensor (batch, ceil(h / stride), ceil(w / stride), 4 * filters).

    Source: He et al. 2016, figure 5, with the stride on the first 1 x 1.
    """
    _image(x, "x")
    at_least_1(filters=filters, stride=stride)
    wide = 4 * filters
    same = stride == 1 and x.shape[-1] == wide
    shortcut = x if same else _step(x, wide, 1, stride)
    inner = _step(_step(x, filters, 1, stride, "relu"), filters, 3, 1, "relu")
    return _residual(shortcut, _step(inner, wide, 1))


def resnet18(inputs: Any, classes: int) -> Any:
    """ResNet-18 with projections: 11,699,112 parameters for 3 channels and 1,000 classes, moving statistics counted.

    Args:
        inputs: Keras tensor (batch, h, w, channels), sides from 32.
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.

    Source: He et al. 2016, table 1.
    """
    at_least_1(classes=classes)
    x = _stem(inputs)
    for stage, filters in enumerate((64, 128, 256, 512)):
        x = identity_block(x, filters) if stage == 0 else projection_block(x, filters)
        x = identity_block(x, filters)
    return _classifier(layers.GlobalAveragePooling2D()(x), [], "", classes)


def resnet50(inputs: Any, classes: int) -> Any:
    """ResNet-50: 25,610,152 parameters for 3 channels and 1,000 classes, moving statistics counted.

    Args:
        inputs: Keras tensor (batch, h, w, channels), sides from 32.
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.

    Source: He et al. 2016, table 1.
    """
    at_least_1(classes=classes)
    x = _stem(inputs)
    for filters, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            x = bottleneck_block(x, filters, stride=2 if block == 0 and filters > 64 else 1)
    return _classifier(layers.GlobalAveragePooling2D()(x), [], "", classes)


def mobilenet_block(x: Any, filters: int, stride: int = 1) -> Any:
    """A depthwise 3 x 3 and a pointwise convolution, each normalized, with ReLU6.

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of the pointwise convolution.
        stride: of the depthwise convolution.

    Returns:
        Keras tensor (batch, ceil(h / stride), ceil(w / stride), filters).

    Source: Howard et al. 2017, figure 3.
    """
    _image(x, "x")
    at_least_1(filters=filters, stride=stride)
    return _step(_depthwise(x, stride), filters, 1, 1, "relu6")


def inverted_residual_block(x: Any, filters: int, expansion: int, stride: int = 1) -> Any:
    """Wide inside, narrow outside: a 1 x 1 expansion, a depthwise 3 x 3, a linear 1 x 1, and a shortcut where it fits.

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of the linear convolution at the end.
        expansion: how many times wider the inside is than `x`; at 1 there is no expansion layer.
        stride: of the depthwise convolution.

    Returns:
        Keras tensor (batch, ceil(h / stride), ceil(w / stride), filters).

    Source: Sandler et al. 2018, figure 4d.
    """
    _image(x, "x")
    at_least_1(filters=filters, expansion=expansion, stride=stride)
    wide = x if expansion == 1 else _step(x, expansion * x.shape[-1], 1, 1, "relu6")
    end = _step(_depthwise(wide, stride), filters, 1)
    return layers.Add()([x, end]) if stride == 1 and x.shape[-1] == filters else end


def darknet_block(x: Any, filters: int) -> Any:
    """A 1 x 1 of half the filters, a 3 x 3 of all, each normalized with leaky ReLU, and the input added.

    Args:
        x: Keras tensor (batch, h, w, filters).
        filters: an even number, the channels of `x`.

    Returns:
        Keras tensor of the shape of `x`.

    Raises:
        ValueError: where the input has other channels.

    Source: Redmon and Farhadi 2018, table 1.
    """
    _image(x, "x")
    _channels(x, filters)
    return layers.Add()([x, _step(_step(x, filters // 2, 1, 1, "leaky"), filters, 3, 1, "leaky")])


def darknet53(inputs: Any, classes: int) -> Any:
    """Darknet-53: 41,645,640 parameters for 3 channels and 1,000 classes, moving statistics counted.

    Args:
        inputs: Keras tensor (batch, h, w, channels), sides from 32.
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.

    Source: Redmon and Farhadi 2018, table 1.
    """
    _image(inputs)
    at_least_1(classes=classes)
    x = _step(inputs, 32, 3, 1, "leaky")
    for filters, blocks in ((64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)):
        x = _step(x, filters, 3, 2, "leaky")
        for _ in range(blocks):
            x = darknet_block(x, filters)
    return _classifier(layers.GlobalAveragePooling2D()(x), [], "", classes)


def _step(x: Any, filters: int, size: int, stride: int = 1, activation: str = "") -> Any:
    """A convolution, normalized, and an activation or none."""
    x = layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)
    return _normalized(x, activation)


def _depthwise(x: Any, stride: int) -> Any:
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x)
    return _normalized(x, "relu6")


def _normalized(x: Any, activation: str) -> Any:
    x = layers.BatchNormalization()(x)
    return ACTIVATIONS[activation](x) if activation else x


def _two_convolutions(x: Any, filters: int, stride: int) -> Any:
    return _step(_step(x, filters, 3, stride, "relu"), filters, 3)


def _residual(shortcut: Any, branch: Any) -> Any:
    return ACTIVATIONS["relu"](layers.Add()([shortcut, branch]))


def _stem(inputs: Any) -> Any:
    _image(inputs)
    return layers.MaxPooling2D(3, strides=2, padding="same")(_step(inputs, 64, 7, 2, "relu"))


def _classifier(x: Any, widths: Sequence[int], activation: str, classes: int) -> Any:
    for width in widths:
        x = layers.Dense(width, activation=activation)(x)
    return layers.Dense(classes, activation="softmax")(x)


def _image(x: Any, name: str = "inputs") -> None:
    """Refuse what is no Keras tensor of images."""
    if not isinstance(x, keras.KerasTensor):
        raise ValueError(
            f"`{name}` is a {type(x).__name__}; expected a Keras tensor: make one by `keras.Input(shape)`."
        )
    if len(x.shape) != 4 or x.shape[-1] is None:
        raise ValueError(
            f"`{name}` has shape {x.shape}; expected (batch, height, width, channels): give images."
        )


def _channels(x: Any, filters: int) -> None:
    """Refuse a block whose output could not be added to its input."""
    at_least_1(filters=filters)
    if x.shape[-1] != filters:
        raise ValueError(
            f"`filters` is {filters}, but `x` has {x.shape[-1]} channels; expected equal numbers: the block adds `x` to its output."
        )
