"""Right answers to `architectures`: as `Sequential`, as layers and models of their own, and with operators."""

import keras
from keras import layers, ops

from tests.answers import right


def step(filters, size, stride=1, activation=None):
    """A normalized convolution as a `Sequential`."""
    found = [
        layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False),
        layers.BatchNormalization(),
    ]
    return keras.Sequential([*found, layers.Activation(activation)] if activation else found)


def leaky(x):
    return ops.leaky_relu(x, 0.1)


class Residual(layers.Layer):
    """What is in `inner`, the input or what `shortcut` makes of it added, and an activation or none."""

    def __init__(self, inner, shortcut=None, activation="relu"):
        super().__init__()
        self.added = shortcut  # made before the long way, and built after it
        self.inner = keras.Sequential(inner)
        self.activation = keras.activations.get(activation)

    def build(self, shape):
        self.inner.build(shape)
        if isinstance(self.added, keras.Model):
            self.added.build(shape)
        super().build(shape)

    def call(self, x, training=None):
        long = self.inner(x, training=training)
        if self.added is None:
            return self.activation(long + x)
        short = self.added(x, training=training) if isinstance(self.added, keras.Model) else self.added(x)
        return self.activation(long + short)


@right("lenet5")
def lenet5_as_sequential(inputs, classes):
    return keras.Sequential(
        [
            layers.Conv2D(6, kernel_size=(5, 5), padding="valid"),
            layers.Activation("tanh"),
            layers.AvgPool2D(pool_size=(2, 2), strides=2),
            layers.Conv2D(16, (5, 5), activation=ops.tanh),
            layers.AvgPool2D((2, 2)),
            layers.Reshape((-1,)),
            layers.Dense(120, "tanh"),
            layers.Dense(84, "tanh"),
            layers.Dense(classes),
            layers.Softmax(),
        ]
    )(inputs)


@right("lenet5")
def lenet5_as_a_model_of_its_own(inputs, classes):
    class LeNet(keras.Model):
        def __init__(self):
            super().__init__()
            self.decide = layers.Dense(classes)  # made first, used last
            self.parts = [layers.Conv2D(n, 5) for n in (6, 16)]
            self.dense = [layers.Dense(n) for n in (120, 84)]

        def call(self, x):
            for part in self.parts:
                x = ops.average_pool(ops.tanh(part(x)), 2, 2)
            x = ops.reshape(x, (ops.shape(x)[0], 16 * (x.shape[1]) * (x.shape[2])))
            for part in self.dense:
                x = ops.tanh(part(x))
            return ops.softmax(self.decide(x))

    return LeNet()(inputs)


@right("lenet5")
def lenet5_of_three_convolutions(inputs, classes):
    x = inputs
    for filters in (6, 16):
        x = layers.AveragePooling2D((2, 2))(layers.Conv2D(filters, 5, activation="tanh")(x))
    x = layers.Conv2D(120, 5, activation="tanh")(x)  # the paper's C5 sees the whole map
    x = layers.Dense(84, activation="tanh")(layers.Flatten()(x))
    return layers.Dense(classes, activation="softmax")(x)


@right("alexnet")
def alexnet_as_sequential(inputs, classes):
    def halved():
        return layers.MaxPool2D(pool_size=3, strides=2, padding="valid")

    net = [layers.Conv2D(96, 11, 4, "valid", activation="relu"), halved()]
    net += [layers.Conv2D(256, 5, padding="same"), layers.ReLU(), halved()]
    net += [layers.Conv2D(n, 3, padding="same", activation="relu") for n in (384, 384, 256)]
    net += [halved(), layers.Flatten()]
    for _ in range(2):
        net += [layers.Dense(4096, activation="relu"), layers.Dropout(0.5)]
    return keras.Sequential([*net, layers.Dense(classes, activation="softmax")])(inputs)


@right("vgg_block")
def vgg_block_as_sequential(x, filters, convs):
    parts = [layers.Conv2D(filters, 3, padding="same", activation="relu") for _ in range(convs)]
    return keras.Sequential([*parts, layers.MaxPool2D((2, 2))])(x)


@right("vgg_block")
def vgg_block_that_pads_by_hand(x, filters, convs):
    for _ in range(convs):
        x = ops.relu(layers.Conv2D(filters, 3)(layers.ZeroPadding2D(1)(x)))
    return ops.max_pool(x, 2, 2)


@right("vgg16")
def vgg16_in_one_list(inputs, classes):
    parts = []
    for what in (64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"):
        if what == "M":
            parts.append(layers.MaxPooling2D())
        else:
            parts.append(layers.Conv2D(what, 3, padding="same", activation="relu"))
    parts += [layers.Flatten(), *(layers.Dense(4096, activation="relu") for _ in range(2))]
    return keras.Sequential([*parts, layers.Dense(classes, activation="softmax")])(inputs)


@right("inception_module")
def inception_from_the_last_branch(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    def branch(*parts):
        return keras.Sequential([*parts])(x)

    def conv(filters, size):
        return layers.Conv2D(filters, size, padding="same", activation="relu")

    last = branch(layers.MaxPooling2D(3, 1, padding="same"), conv(pool_proj, 1))
    five = branch(conv(f5_reduce, 1), conv(f5, 5))
    three = branch(conv(f3_reduce, 1), conv(f3, 3))
    return ops.concatenate([branch(conv(f1, 1)), three, five, last], axis=-1)


@right("identity_block")
def identity_as_a_layer(x, filters):
    return Residual([step(filters, 3, 1, "relu"), step(filters, 3)])(x)


@right("identity_block")
def identity_as_a_model_in_a_lambda(x, filters):
    inner = keras.Input(x.shape[1:])
    long = keras.Model(inner, step(filters, 3)(step(filters, 3, 1, "relu")(inner)))
    return layers.Lambda(lambda both: ops.relu(both[0] + both[1]))([x, long(x)])


@right("identity_block")
def identity_with_operators(x, filters):
    y = ops.relu(layers.BatchNormalization()(layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)))
    y = layers.Conv2D(filters, 3, padding="same", use_bias=False)(y)
    return ops.maximum(layers.BatchNormalization()(y) + x, 0)


@right("projection_block")
def projection_as_a_layer(x, filters, stride=2):
    inner = [step(filters, 3, stride, "relu"), step(filters, 3)]
    return Residual(inner, step(filters, 1, stride))(x)


@right("projection_block")
def projection_of_what_is_left(x, filters, stride=2):
    left = x[:, ::stride, ::stride]
    short = layers.BatchNormalization()(layers.Dense(filters, use_bias=False)(left))
    long = step(filters, 3)(step(filters, 3, stride, "relu")(x))
    return layers.Activation("relu")(layers.add([long, short]))


@right("zero_pad_block")
def zeros_by_concatenation(x, filters, stride=2):
    left = layers.MaxPooling2D(1, strides=stride)(x)
    more = filters - x.shape[-1]
    if more:
        left = layers.Concatenate()([left, ops.zeros_like(left[..., :1]) * ops.ones((more,))])
    return ops.relu(step(filters, 3)(step(filters, 3, stride, "relu")(x)) + left)


@right("zero_pad_block")
def zeros_as_a_layer(x, filters, stride=2):
    def shortcut(x):
        return ops.pad(x[:, ::stride, ::stride, :], [[0, 0], [0, 0], [0, 0], [0, filters - x.shape[-1]]])

    return Residual([step(filters, 3, stride, "relu"), step(filters, 3)], shortcut)(x)


@right("bottleneck_block")
def bottleneck_as_a_layer(x, filters, stride=1):
    inner = [step(filters, 1, stride, "relu"), step(filters, 3, 1, "relu"), step(4 * filters, 1)]
    fits = stride == 1 and x.shape[-1] == filters * 4
    return Residual(inner, None if fits else step(4 * filters, 1, stride))(x)


@right("bottleneck_block")
def bottleneck_of_dense_layers(x, filters, stride=1):
    def pointwise(x, units):
        return layers.BatchNormalization()(layers.Dense(units, use_bias=False)(x))

    small = x[:, ::stride, ::stride]
    short = x if small.shape[-1] == 4 * filters and stride == 1 else pointwise(small, 4 * filters)
    long = step(filters, 3, 1, "relu")(ops.relu(pointwise(small, filters)))
    return ops.relu(short + pointwise(long, 4 * filters))


def resnet(inputs, classes, stages):
    x = step(64, 7, 2, "relu")(inputs)
    x = layers.MaxPool2D(3, 2, padding="same")(x)
    for layer in stages:
        x = layer(x)
    return layers.Dense(classes, activation="softmax")(ops.mean(x, axis=(1, 2)))


@right("resnet18")
def resnet18_with_dropout(inputs, classes):
    x = keras.Sequential([layers.Rescaling(1.0), step(64, 7, 2, "relu"), layers.MaxPool2D(3, 2, "same")])(
        inputs
    )
    for filters in (64, 128, 256, 512):
        x = identity_as_a_layer(x, filters) if filters == 64 else projection_as_a_layer(x, filters)
        x = identity_with_operators(x, filters)
    x = layers.Dropout(0.2)(layers.GlobalAveragePooling2D()(x))
    return layers.Softmax()(layers.Dense(classes)(x))


@right("resnet18")
def resnet18_of_layers(inputs, classes):
    def blocks():
        for filters in (64, 128, 256, 512):
            for stride in ((2 if filters > 64 else 1), 1):
                inner = [step(filters, 3, stride, "relu"), step(filters, 3)]
                yield Residual(inner, step(filters, 1, 2) if stride == 2 else None)

    return resnet(inputs, classes, blocks())


@right("resnet50")
def resnet50_of_layers(inputs, classes):
    def blocks():
        for filters, count in ((64, 3), (128, 4), (256, 6), (512, 3)):
            for block in range(count):
                stride = 2 if block == 0 and filters != 64 else 1
                inner = [step(filters, 1, stride, "relu"), step(filters, 3, 1, "relu"), step(4 * filters, 1)]
                yield Residual(inner, None if block else step(4 * filters, 1, stride))

    return resnet(inputs, classes, blocks())


@right("mobilenet_block")
def mobilenet_as_sequential(x, filters, stride=1):
    return keras.Sequential(
        [
            layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.Activation("relu6"),
            step(filters, 1, 1, "relu6"),
        ]
    )(x)


@right("mobilenet_block")
def mobilenet_in_groups(x, filters, stride=1):
    channels = x.shape[-1]
    x = layers.Conv2D(channels, 3, strides=stride, padding="same", groups=channels, use_bias=False)(x)
    x = ops.clip(layers.BatchNormalization()(x), 0, 6)
    x = layers.BatchNormalization()(layers.Dense(filters, use_bias=False)(x))
    return ops.minimum(ops.maximum(x, 0.0), 6.0)


@right("inverted_residual_block")
def inverted_as_a_layer(x, filters, expansion, stride=1):
    inner = [step(expansion * x.shape[-1], 1, 1, "relu6")] if expansion > 1 else []
    inner += [
        layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(max_value=6),
        step(filters, 1),
    ]
    if stride > 1 or x.shape[-1] != filters:
        return keras.Sequential(inner)(x)
    return Residual(inner, activation=None)(x)


@right("darknet_block")
def darknet_as_a_layer(x, filters):
    return Residual([step(filters // 2, 1, 1, leaky), step(filters, 3, 1, leaky)], activation=None)(x)


@right("darknet53")
def darknet53_of_layers(inputs, classes):
    parts = [step(32, 3, 1, leaky)]
    for stage, count in enumerate((1, 2, 8, 8, 4)):
        filters = 2 ** (6 + stage)
        parts.append(step(filters, 3, 2, leaky))
        parts += [
            Residual([step(filters // 2, 1, 1, leaky), step(filters, 3, 1, leaky)], activation=None)
            for _ in range(count)
        ]
    parts += [layers.GlobalAveragePooling2D(), layers.Dense(classes, activation="softmax")]
    return keras.Sequential(parts)(inputs)
