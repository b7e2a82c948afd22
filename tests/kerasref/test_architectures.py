"""The nets: published sizes, Keras' own applications under equal weights, blocks made of other references, bad input."""

import numpy as np
import pytest

from kerasref import architectures
from kerasref.backend import keras
from kerasref.convolution import conv2d, depthwise_conv2d
from kerasref.pooling import max_pool2d
from kerasref.regularization import batch_norm_inference
from tests.kerasref import assert_refused

layers = keras.layers


def net(function, shape, *arguments):
    inputs = keras.Input(shape)
    return keras.Model(inputs, getattr(architectures, function)(inputs, *arguments))


def randomized(model, rng):
    """Weights that make every layer matter."""
    for variable in model.variables:
        positive = variable.name in ("moving_variance", "gamma")
        values = rng.normal(size=variable.shape) / np.sqrt(np.prod(variable.shape[:-1]))
        variable.assign(0.5 + np.abs(values) if positive else 0.5 * values)
    return model


def given(model, x):
    return keras.ops.convert_to_numpy(model(x, training=False))


@pytest.mark.parametrize(
    ("function", "shape", "classes", "parameters"),
    [
        ("lenet5", (32, 32, 1), 10, 61_706),  # LeCun et al. 1998 with a full C3
        ("alexnet", (227, 227, 3), 1000, 62_378_344),  # Krizhevsky et al. 2012 in one tower
        ("vgg16", (224, 224, 3), 1000, 138_357_544),  # keras.applications
        ("resnet18", (224, 224, 3), 1000, 11_689_512 + 2 * 4_800),  # torchvision, with moving statistics
        ("resnet50", (224, 224, 3), 1000, 25_557_032 + 2 * 26_560),  # torchvision, with moving statistics
        ("darknet53", (256, 256, 3), 1000, 41_609_928 + 2 * 17_856),  # timm, with moving statistics
    ],
)
def test_parameters_are_as_many_as_published(function, shape, classes, parameters):
    assert net(function, shape, classes).count_params() == parameters


def test_vgg16_is_that_of_keras():
    rng = np.random.default_rng(0)
    mine = randomized(net("vgg16", (32, 32, 3), 10), rng)
    theirs = keras.applications.VGG16(weights=None, input_shape=(32, 32, 3), classes=10)
    theirs.set_weights(mine.get_weights())
    x = rng.normal(size=(2, 32, 32, 3))
    np.testing.assert_allclose(given(mine, x), given(theirs, x), rtol=1e-9)


def part(model, before, after):
    """The layers of a model from the input of one to the output of another."""
    return keras.Model(model.get_layer(before).input, model.get_layer(after).output)


def assert_equal_blocks(mine, theirs, rng):
    """The same output with weights handed over in their order, biases before a normalization aside."""
    randomized(mine, rng)
    kept = [v for v in theirs.variables if v.name != "bias"]
    assert len(kept) == len(mine.variables)
    for variable in theirs.variables:
        variable.assign(np.zeros(variable.shape))
    for variable, own in zip(kept, mine.variables, strict=True):
        variable.assign(own)
    for layer in [*mine.layers, *theirs.layers]:
        if isinstance(layer, layers.BatchNormalization):
            layer.epsilon = 1e-3
    x = rng.normal(scale=3.0, size=(2, *mine.input.shape[1:]))
    np.testing.assert_allclose(given(mine, x), given(theirs, x), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(
    ("first", "last", "filters", "stride"),
    [
        ("conv2_block1_1_conv", "conv2_block1_out", 64, 1),
        ("conv3_block1_1_conv", "conv3_block1_out", 128, 2),
        ("conv2_block2_1_conv", "conv2_block2_out", 64, 1),
    ],
)
def test_bottlenecks_are_those_of_keras(first, last, filters, stride):
    theirs = part(keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3)), first, last)
    mine = net("bottleneck_block", theirs.input.shape[1:], filters, stride)
    assert_equal_blocks(mine, theirs, np.random.default_rng(1))


@pytest.mark.parametrize(("block", "filters", "stride"), [(1, 64, 1), (3, 128, 1), (7, 512, 1)])
def test_mobilenet_blocks_are_those_of_keras(block, filters, stride):
    theirs = keras.applications.MobileNet(weights=None, input_shape=(64, 64, 3))
    theirs = part(theirs, f"conv_dw_{block}", f"conv_pw_{block}_relu")
    mine = net("mobilenet_block", theirs.input.shape[1:], filters, stride)
    assert_equal_blocks(mine, theirs, np.random.default_rng(2))


@pytest.mark.parametrize(
    ("first", "last", "filters", "expansion", "stride"),
    [
        ("expanded_conv_depthwise", "expanded_conv_project_BN", 16, 1, 1),
        ("block_2_expand", "block_2_add", 24, 6, 1),
        ("block_10_expand", "block_10_project_BN", 96, 6, 1),
    ],
)
def test_inverted_residuals_are_those_of_keras(first, last, filters, expansion, stride):
    theirs = part(keras.applications.MobileNetV2(weights=None, input_shape=(64, 64, 3)), first, last)
    mine = net("inverted_residual_block", theirs.input.shape[1:], filters, expansion, stride)
    assert_equal_blocks(mine, theirs, np.random.default_rng(3))


class Weights:
    """The variables of a net, taken in the order in which a block uses them."""

    def __init__(self, model):
        self.layers = [each for each in model.layers if each.weights]

    def take(self, kind, shape):
        """The first layer of a kind whose weights have this shape, and no longer there."""
        found = next(
            each
            for each in self.layers
            if type(each).__name__ == kind and tuple(each.weights[0].shape) == shape
        )
        self.layers.remove(found)
        return found.get_weights()

    def step(self, x, filters, size, stride=1, bend=None):
        (kernel,) = self.take("Conv2D", (size, size, x.shape[-1], filters))
        return self.normalized(conv2d(x, kernel, strides=stride, padding="same"), bend)

    def depthwise(self, x, stride, bend):
        (kernel,) = self.take("DepthwiseConv2D", (3, 3, x.shape[-1], 1))
        return self.normalized(depthwise_conv2d(x, kernel, strides=stride, padding="same"), bend)

    def normalized(self, x, bend):
        y = batch_norm_inference(x, *self.take("BatchNormalization", (x.shape[-1],)))
        return bend(y) if bend else y

    def biased(self, x, filters, size):
        kernel, bias = self.take("Conv2D", (size, size, x.shape[-1], filters))
        return relu(conv2d(x, kernel, bias, padding="same"))


def relu(x):
    return np.maximum(x, 0)


def relu6(x):
    return np.clip(x, 0, 6)


def leaky(x):
    return np.where(x > 0, x, 0.1 * x)


def equal_normalizations(model):
    """The same numbers in all normalizations of a size, so that it does not matter which is taken for which."""
    first = {}
    for layer in model.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.set_weights(first.setdefault(layer.weights[0].shape, layer.get_weights()))
    return model


def identity(w, x):
    return relu(x + w.step(w.step(x, 5, 3, 1, relu), 5, 3))


def projection(w, x):
    long = w.step(w.step(x, 6, 3, 2, relu), 6, 3)
    return relu(w.step(x, 6, 1, 2) + long)


def zero_pad(w, x):
    long = w.step(w.step(x, 6, 3, 2, relu), 6, 3)
    long[..., :5] += x[:, ::2, ::2]
    return relu(long)


def bottleneck(w, x):
    long = w.step(w.step(w.step(x, 3, 1, 2, relu), 3, 3, 1, relu), 12, 1)
    return relu(w.step(x, 12, 1, 2) + long)


def mobilenet(w, x):
    return w.step(w.depthwise(x, 2, relu6), 7, 1, 1, relu6)


def inverted(w, x):
    return x + w.step(w.depthwise(w.step(x, 20, 1, 1, relu6), 1, relu6), 5, 1)


def darknet(w, x):
    return x + w.step(w.step(x, 3, 1, 1, leaky), 6, 3, 1, leaky)


def inception(w, x):
    three = w.biased(w.biased(x, 3, 1), 4, 3)
    five = w.biased(w.biased(x, 6, 1), 7, 5)
    infinite = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)], constant_values=-np.inf)
    pooled = max_pool2d(infinite, 3, 1)
    return np.concatenate([w.biased(x, 2, 1), three, five, w.biased(pooled, 8, 1)], axis=-1)


def vgg(w, x):
    return max_pool2d(w.biased(w.biased(x, 4, 3), 4, 3), 2)


@pytest.mark.parametrize(
    ("function", "block", "channels", "arguments"),
    [
        ("identity_block", identity, 5, (5,)),
        ("projection_block", projection, 5, (6,)),
        ("zero_pad_block", zero_pad, 5, (6,)),
        ("bottleneck_block", bottleneck, 5, (3, 2)),
        ("mobilenet_block", mobilenet, 5, (7, 2)),
        ("inverted_residual_block", inverted, 5, (5, 4)),
        ("darknet_block", darknet, 6, (6,)),
        ("inception_module", inception, 5, (2, 3, 4, 6, 7, 8)),
        ("vgg_block", vgg, 5, (4, 2)),
    ],
)
@pytest.mark.parametrize("size", [(8, 6), (7, 9)])
def test_blocks_are_what_other_references_make_of_their_weights(function, block, channels, arguments, size):
    rng = np.random.default_rng(4)
    model = equal_normalizations(randomized(net(function, (*size, channels), *arguments), rng))
    x = rng.normal(scale=3.0, size=(2, *size, channels))
    expected = block(Weights(model), x)
    np.testing.assert_allclose(
        given(model, x), expected, rtol=1e-7, atol=1e-7
    )  # a slope of 0.1 has seven digits


IMAGE = (8, 8, 4)
BAD = [
    ("lenet5", {"inputs": np.zeros((2, 32, 32, 1)), "classes": 10}, "inputs", "ndarray"),
    ("lenet5", {"inputs": (32, 32), "classes": 10}, "inputs", "(None, 32, 32)"),
    ("alexnet", {"inputs": (67, 67, 3), "classes": 0}, "classes", "0"),
    ("vgg_block", {"x": IMAGE, "filters": 0, "convs": 1}, "filters", "0"),
    ("vgg_block", {"x": IMAGE, "filters": 2, "convs": 0}, "convs", "0"),
    ("identity_block", {"x": IMAGE, "filters": 5}, "filters", "5"),
    ("projection_block", {"x": IMAGE, "filters": 5, "stride": 0}, "stride", "0"),
    ("zero_pad_block", {"x": IMAGE, "filters": 3}, "filters", "3"),
    ("bottleneck_block", {"x": IMAGE, "filters": 0}, "filters", "0"),
    ("mobilenet_block", {"x": (8, 4), "filters": 2}, "x", "(None, 8, 4)"),
    ("inverted_residual_block", {"x": IMAGE, "filters": 4, "expansion": 0}, "expansion", "0"),
    ("darknet_block", {"x": IMAGE, "filters": 6}, "filters", "6"),
    (
        "inception_module",
        {"x": IMAGE} | dict.fromkeys(("f1", "f3_reduce", "f3", "f5_reduce", "f5"), 2) | {"pool_proj": 0},
        "pool_proj",
        "0",
    ),
]


@pytest.mark.parametrize(("function", "arguments", "name", "came"), BAD)
def test_bad_input_is_named(function, arguments, name, came):
    made = {k: keras.Input(v) if isinstance(v, tuple) else v for k, v in arguments.items()}
    assert_refused(getattr(architectures, function), made, name, came)
