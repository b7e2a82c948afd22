"""What is often built in the place of the nets of the assignment `architectures`."""

from grader.exercise import misconception


def conv(x, filters, size, stride=1, padding="same", activation=None, bias=True):
    from keras import layers

    options = {"strides": stride, "padding": padding, "activation": activation, "use_bias": bias}
    return layers.Conv2D(filters, size, **options)(x)


def bare(x, filters, size, stride=1):
    return conv(x, filters, size, stride, bias=False)


def depthwise(x, stride=1):
    from keras import layers

    return layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x)


def normalized(x):
    from keras import layers

    return layers.BatchNormalization()(x)


def relu(x, most=None):
    from keras import layers

    return layers.ReLU(most)(x)


def leaky(x, slope=0.1):
    from keras import layers

    return layers.LeakyReLU(negative_slope=slope)(x)


def pooled(x, size=2, stride=None, padding="valid", kind="MaxPooling2D"):
    from keras import layers

    return getattr(layers, kind)(size, strides=stride, padding=padding)(x)


def side_by_side(*branches, axis=-1):
    from keras import layers

    return layers.Concatenate(axis=axis)(list(branches))


def flat(x):
    from keras import layers

    return layers.Flatten()(x)


def mean_of_channels(x):
    from keras import layers

    return layers.GlobalAveragePooling2D()(x)


def dense(x, units, activation="softmax"):
    from keras import layers

    return layers.Dense(units, activation=activation)(x)


def inner(x, filters, stride=1):
    """The long way of a basic residual block, right in all."""
    x = relu(normalized(bare(x, filters, 3, stride)))
    return normalized(bare(x, filters, 3))


def narrow(x, filters, stride=1):
    """The long way of a bottleneck, right in all."""
    x = relu(normalized(bare(x, filters, 1, stride)))
    x = relu(normalized(bare(x, filters, 3)))
    return normalized(bare(x, 4 * filters, 1))


def projected(x, filters, stride):
    return normalized(bare(x, filters, 1, stride))


# lenet5


def lenet(inputs, classes, padding="valid", activation="tanh", kind="AveragePooling2D", end="softmax"):
    x = inputs
    for filters in (6, 16):
        x = pooled(conv(x, filters, 5, padding=padding, activation=activation), kind=kind)
    for units in (120, 84):
        x = dense(flat(x), units, activation)
    return dense(x, classes, end)


@misconception(
    "lenet5.lenet5",
    "Your convolutions pad. LeNet's do not: 32 becomes 28, and 14 becomes 10. Leave `padding` as it is.",
)
def lenet_that_pads(inputs, classes):
    return lenet(inputs, classes, padding="same")


@misconception(
    "lenet5.lenet5", "You bend with ReLU. In 1998 it was tanh, in the dense layers too; the last has softmax."
)
def lenet_with_relu(inputs, classes):
    return lenet(inputs, classes, activation="relu")


@misconception("lenet5.lenet5", "You take the largest of 2 x 2. LeNet takes the mean: `AveragePooling2D`.")
def lenet_with_max_pooling(inputs, classes):
    return lenet(inputs, classes, kind="MaxPooling2D")


@misconception(
    "lenet5.lenet5", "The last layer gives scores. Give it a softmax, so that probabilities come out."
)
def lenet_that_gives_scores(inputs, classes):
    return lenet(inputs, classes, end=None)


# alexnet


def alex(inputs, classes, first="valid", window=3, last=True, end="relu"):
    x = pooled(conv(inputs, 96, 11, 4, padding=first, activation="relu"), window, 2)
    x = pooled(conv(x, 256, 5, activation="relu"), window, 2)
    for filters in (384, 384, 256):
        x = conv(x, filters, 3, activation="relu")
    x = flat(pooled(x, window, 2) if last else x)
    for _ in range(2):
        x = dense(x, 4096, end)
    return dense(x, classes)


@misconception(
    "alexnet.alexnet",
    "Your first convolution pads, so its output is 57 wide instead of 55. The others pad, that one does not.",
)
def alexnet_that_pads_at_once(inputs, classes):
    return alex(inputs, classes, first="same")


@misconception(
    "alexnet.alexnet",
    "Your pooling windows lie side by side. AlexNet's overlap: 3 x 3 with stride 2.",
)
def alexnet_with_small_pooling(inputs, classes):
    return alex(inputs, classes, window=2)


@misconception("alexnet.alexnet", "A third pooling is missing: after the last convolution, before `Flatten`.")
def alexnet_without_the_last_pooling(inputs, classes):
    return alex(inputs, classes, last=False)


@misconception(
    "alexnet.alexnet",
    "The two dense layers of 4,096 have no activation, so three dense layers are only one. Give them ReLU.",
)
def alexnet_with_linear_dense_layers(inputs, classes):
    return alex(inputs, classes, end=None)


# vgg_block, vgg16


@misconception(
    "vgg_block.vgg_block",
    "You pool after every convolution. The pooling ends the block: put it behind the loop.",
)
def vgg_block_that_always_pools(x, filters, convs):
    for _ in range(convs):
        x = pooled(conv(x, filters, 3, activation="relu"))
    return x


@misconception(
    "vgg_block.vgg_block", "The convolutions have no ReLU: two of them in a row are then only one linear map."
)
def vgg_block_without_relu(x, filters, convs):
    for _ in range(convs):
        x = conv(x, filters, 3)
    return pooled(x)


@misconception(
    "vgg_block.vgg_block", 'The picture loses its border at each convolution. Pad: `padding="same"`.'
)
def vgg_block_without_padding(x, filters, convs):
    for _ in range(convs):
        x = conv(x, filters, 3, padding="valid", activation="relu")
    return pooled(x)


@misconception(
    "vgg_block.vgg_block", "Your block has one convolution, whatever `convs` says: repeat it that many times."
)
def vgg_block_of_one(x, filters, convs):
    return pooled(conv(x, filters, 3, activation="relu"))


def vgg(inputs, classes, convs, flatten=flat):
    x = inputs
    for filters, count in zip((64, 128, 256, 512, 512), convs, strict=True):
        for _ in range(count):
            x = conv(x, filters, 3, activation="relu")
        x = pooled(x)
    x = dense(dense(flatten(x), 4096, "relu"), 4096, "relu")
    return dense(x, classes)


@misconception(
    "vgg16.vgg16",
    "That is VGG-19, with four convolutions in each of the last three blocks. VGG-16 has three there.",
)
def vgg_19(inputs, classes):
    return vgg(inputs, classes, (2, 2, 4, 4, 4))


@misconception(
    "vgg16.vgg16", "That is VGG-13, with two convolutions in every block. The last three blocks have three."
)
def vgg_13(inputs, classes):
    return vgg(inputs, classes, (2, 2, 2, 2, 2))


@misconception(
    "vgg16.vgg16",
    "You take the mean over all places before the dense layers. VGG lays the whole map flat: `Flatten`.",
)
def vgg_of_means(inputs, classes):
    return vgg(inputs, classes, (2, 2, 3, 3, 3), flatten=mean_of_channels)


# inception_module


def branches(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj, activation="relu"):
    return (
        conv(x, f1, 1, activation=activation),
        conv(conv(x, f3_reduce, 1, activation=activation), f3, 3, activation=activation),
        conv(conv(x, f5_reduce, 1, activation=activation), f5, 5, activation=activation),
        conv(pooled(x, 3, 1, "same"), pool_proj, 1, activation=activation),
    )


@misconception(
    "inception_module.inception_module",
    "The 3 x 3 and the 5 x 5 look at the input itself: put a 1 x 1 of `f3_reduce` and `f5_reduce` filters before them.",
)
def inception_without_reduction(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    one, _, _, last = branches(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj)
    return side_by_side(one, conv(x, f3, 3, activation="relu"), conv(x, f5, 5, activation="relu"), last)


@misconception(
    "inception_module.inception_module",
    "The pooling goes out as it is: its 1 x 1 of `pool_proj` filters is missing behind it.",
)
def inception_without_projection(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    one, three, five, _ = branches(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj)
    return side_by_side(one, three, five, pooled(x, 3, 1, "same"))


@misconception(
    "inception_module.inception_module",
    "The 1 x 1 comes before the pooling. In this branch it is the other way round: pool, then project.",
)
def inception_that_projects_first(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    one, three, five, _ = branches(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj)
    return side_by_side(one, three, five, pooled(conv(x, pool_proj, 1, activation="relu"), 3, 1, "same"))


@misconception(
    "inception_module.inception_module", "There is no ReLU: each of the six convolutions is followed by one."
)
def inception_without_relu(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    return side_by_side(*branches(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj, activation=None))


@misconception(
    "inception_module.inception_module",
    "The branch of the pooling stands first. The order is that of the arguments: 1 x 1, 3 x 3, 5 x 5, pooling.",
)
def inception_in_another_order(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    one, three, five, last = branches(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj)
    return side_by_side(last, one, three, five)


# identity_block


@misconception(
    "identity_block.identity_block",
    "Your ReLU comes before the sum. Then the block can only ever add to its input, never take away. Add first, then ReLU.",
)
def identity_with_relu_before_the_sum(x, filters):
    return x + relu(inner(x, filters))


@misconception("identity_block.identity_block", "Nothing bends the sum: a ReLU comes after it.")
def identity_without_the_last_relu(x, filters):
    return x + inner(x, filters)


@misconception(
    "identity_block.identity_block", "The input is never added: without the shortcut this is a plain net."
)
def identity_without_shortcut(x, filters):
    return relu(inner(x, filters))


@misconception(
    "identity_block.identity_block",
    "The second convolution is not normalized: what is added to the input then grows with every block.",
)
def identity_with_one_normalization(x, filters):
    x1 = relu(normalized(bare(x, filters, 3)))
    return relu(x + bare(x1, filters, 3))


@misconception(
    "identity_block.identity_block",
    "Your ReLU comes before the normalization. The order is convolution, normalization, ReLU.",
)
def identity_with_relu_before_normalization(x, filters):
    x1 = normalized(relu(bare(x, filters, 3)))
    return relu(x + normalized(bare(x1, filters, 3)))


@misconception(
    "identity_block.identity_block",
    "Your second normalization comes after the sum, so that it normalizes the shortcut too, which should stay as it is.",
)
def identity_normalized_after_the_sum(x, filters):
    x1 = relu(normalized(bare(x, filters, 3)))
    return relu(normalized(x + bare(x1, filters, 3)))


@misconception(
    "identity_block.identity_block",
    "There is no ReLU between the two convolutions, which together are then one linear map.",
)
def identity_without_the_first_relu(x, filters):
    return relu(x + normalized(bare(normalized(bare(x, filters, 3)), filters, 3)))


@misconception(
    "identity_block.identity_block",
    "Your convolutions have a bias. The normalization after them takes it away again: `use_bias=False`.",
)
def identity_with_biases(x, filters):
    x1 = relu(normalized(conv(x, filters, 3)))
    return relu(x + normalized(conv(x1, filters, 3)))


@misconception(
    "identity_block.identity_block",
    "Normalization and ReLU come before your convolutions. That is the second paper's block; here they come after.",
)
def identity_of_the_second_paper(x, filters):
    x1 = bare(relu(normalized(x)), filters, 3)
    return x + bare(relu(normalized(x1)), filters, 3)


@misconception(
    "identity_block.identity_block",
    "Your normalizations have an epsilon of 0.00001. Here `BatchNormalization()` comes as it is, with 0.001.",
)
def identity_with_a_small_epsilon(x, filters):
    from keras import layers

    x1 = relu(layers.BatchNormalization(epsilon=1e-5)(bare(x, filters, 3)))
    return relu(x + layers.BatchNormalization(epsilon=1e-5)(bare(x1, filters, 3)))


@misconception(
    "identity_block.identity_block",
    "You have one convolution. The block has two, each normalized, with a ReLU between them.",
)
def identity_of_one_convolution(x, filters):
    return relu(x + normalized(bare(x, filters, 3)))


@misconception(
    "identity_block.identity_block",
    "Your two convolutions are one layer called twice, so they share their weights. Make a layer for each.",
)
def identity_of_one_shared_convolution(x, filters):
    from keras import layers

    shared = layers.Conv2D(filters, 3, padding="same", use_bias=False)
    return relu(x + normalized(shared(relu(normalized(shared(x))))))


# projection_block


def padded_on_all_sides(x, pixels=1):
    from keras import layers

    return layers.ZeroPadding2D(pixels)(x)


@misconception(
    "projection_block.projection_block",
    'You pad a pixel on every side, as PyTorch does. `padding="same"` pads an even size at the bottom right only when the stride is 2.',
)
def projection_padded_on_all_sides(x, filters, stride=2):
    x1 = relu(normalized(conv(padded_on_all_sides(x), filters, 3, stride, "valid", bias=False)))
    return relu(projected(x, filters, stride) + normalized(bare(x1, filters, 3)))


@misconception(
    "projection_block.projection_block",
    "Your strides are 2, whatever `stride` says.",
)
def projection_that_always_halves(x, filters, stride=2):
    return relu(projected(x, filters, 2) + inner(x, filters, 2))


@misconception(
    "projection_block.projection_block",
    "The stride sits on your second convolution. It belongs to the first, so that the second works on the small picture.",
)
def projection_with_the_stride_late(x, filters, stride=2):
    x1 = relu(normalized(bare(x, filters, 3)))
    return relu(projected(x, filters, stride) + normalized(bare(x1, filters, 3, stride)))


@misconception(
    "projection_block.projection_block",
    "The projection in the shortcut is not normalized: the two summands then differ in scale.",
)
def projection_not_normalized(x, filters, stride=2):
    return relu(bare(x, filters, 1, stride) + inner(x, filters, stride))


@misconception(
    "projection_block.projection_block", "Your projection is a 3 x 3. A 1 x 1 is enough to change the shape."
)
def projection_of_3_x_3(x, filters, stride=2):
    return relu(normalized(bare(x, filters, 3, stride)) + inner(x, filters, stride))


@misconception(
    "projection_block.projection_block",
    "There is a ReLU in your shortcut. The projection is normalized and then added as it is.",
)
def projection_with_relu(x, filters, stride=2):
    return relu(relu(projected(x, filters, stride)) + inner(x, filters, stride))


@misconception(
    "projection_block.projection_block",
    "Your ReLU comes before the sum. Add first, then ReLU.",
)
def projection_with_relu_before_the_sum(x, filters, stride=2):
    return projected(x, filters, stride) + relu(inner(x, filters, stride))


@misconception(
    "projection_block.projection_block",
    "Pooling makes your shortcut smaller, and the 1 x 1 has no stride. In option B the 1 x 1 itself has the stride.",
)
def projection_behind_a_pooling(x, filters, stride=2):
    smaller = pooled(x, stride, padding="same", kind="AveragePooling2D")
    return relu(projected(smaller, filters, 1) + inner(x, filters, stride))


@misconception(
    "projection_block.projection_block", "Nothing is added: the projection in the shortcut is not there."
)
def projection_that_is_not_there(x, filters, stride=2):
    return relu(inner(x, filters, stride))


# zero_pad_block


def padded(x, before, after):
    import keras

    return keras.ops.pad(x, [(0, 0), (0, 0), (0, 0), (before, after)])


@misconception(
    "zero_pad_block.zero_pad_block",
    "The zeros stand before the old channels: they come after them.",
)
def zeros_before(x, filters, stride=2):
    shortcut = padded(x[:, ::stride, ::stride], filters - x.shape[-1], 0)
    return relu(shortcut + inner(x, filters, stride))


@misconception(
    "zero_pad_block.zero_pad_block",
    "Half of your zeros stand before the old channels. Here all of them come after.",
)
def zeros_on_both_sides(x, filters, stride=2):
    more = filters - x.shape[-1]
    return relu(padded(x[:, ::stride, ::stride], more // 2, more - more // 2) + inner(x, filters, stride))


@misconception(
    "zero_pad_block.zero_pad_block",
    "Your shortcut takes the mean of its neighbours. Option A just leaves places out: `x[:, ::stride, ::stride]`.",
)
def shortcut_of_means(x, filters, stride=2):
    smaller = pooled(x, stride, padding="same", kind="AveragePooling2D")
    return relu(padded(smaller, 0, filters - x.shape[-1]) + inner(x, filters, stride))


@misconception(
    "zero_pad_block.zero_pad_block",
    "Your shortcut takes the largest of its neighbours. Option A just leaves places out: `x[:, ::stride, ::stride]`.",
)
def shortcut_of_maxima(x, filters, stride=2):
    smaller = pooled(x, stride, padding="same")
    return relu(padded(smaller, 0, filters - x.shape[-1]) + inner(x, filters, stride))


@misconception(
    "zero_pad_block.zero_pad_block",
    "That is option B: your shortcut has weights. Option A pads with zeros, and learns nothing there.",
)
def option_b(x, filters, stride=2):
    return relu(projected(x, filters, stride) + inner(x, filters, stride))


@misconception("zero_pad_block.zero_pad_block", "Your ReLU comes before the sum. Add first, then ReLU.")
def zeros_with_relu_before_the_sum(x, filters, stride=2):
    return padded(x[:, ::stride, ::stride], 0, filters - x.shape[-1]) + relu(inner(x, filters, stride))


# bottleneck_block


def shortcut_of(x, filters, stride):
    same = stride == 1 and x.shape[-1] == 4 * filters
    return x if same else projected(x, 4 * filters, stride)


@misconception(
    "bottleneck_block.bottleneck_block",
    "The stride sits on your 3 x 3, as in later versions of ResNet. In this one it is on the first 1 x 1.",
)
def bottleneck_with_the_stride_late(x, filters, stride=1):
    x1 = relu(normalized(bare(x, filters, 1)))
    x1 = relu(normalized(bare(x1, filters, 3, stride)))
    return relu(shortcut_of(x, filters, stride) + normalized(bare(x1, 4 * filters, 1)))


@misconception(
    "bottleneck_block.bottleneck_block",
    "You always project. Where input and output have one shape, the input itself is added.",
)
def bottleneck_that_always_projects(x, filters, stride=1):
    return relu(projected(x, 4 * filters, stride) + narrow(x, filters, stride))


@misconception(
    "bottleneck_block.bottleneck_block",
    "You project only where the stride is above 1. Other channels need a projection too.",
)
def bottleneck_that_looks_at_the_stride_only(x, filters, stride=1):
    return relu((x if stride == 1 else projected(x, 4 * filters, stride)) + narrow(x, filters, stride))


@misconception(
    "bottleneck_block.bottleneck_block",
    "You project only where the channels change. A stride above 1 needs a projection too.",
)
def bottleneck_that_looks_at_the_channels_only(x, filters, stride=1):
    same = x.shape[-1] == 4 * filters
    return relu((x if same else projected(x, 4 * filters, stride)) + narrow(x, filters, stride))


@misconception("bottleneck_block.bottleneck_block", "The projection in the shortcut is not normalized.")
def bottleneck_projection_not_normalized(x, filters, stride=1):
    same = stride == 1 and x.shape[-1] == 4 * filters
    return relu((x if same else bare(x, 4 * filters, 1, stride)) + narrow(x, filters, stride))


@misconception(
    "bottleneck_block.bottleneck_block",
    "Your output has `filters` channels. `filters` is the narrow part: the end has four times as many.",
)
def bottleneck_that_ends_narrow(x, filters, stride=1):
    x1 = relu(normalized(bare(x, filters // 4 or 1, 1, stride)))
    x1 = relu(normalized(bare(x1, filters // 4 or 1, 3)))
    same = stride == 1 and x.shape[-1] == filters
    return relu((x if same else projected(x, filters, stride)) + normalized(bare(x1, filters, 1)))


@misconception(
    "bottleneck_block.bottleneck_block", "Your last ReLU comes before the sum. Add first, then ReLU."
)
def bottleneck_with_relu_before_the_sum(x, filters, stride=1):
    return shortcut_of(x, filters, stride) + relu(narrow(x, filters, stride))


# resnet18, resnet50


def stem(x, size=7, pool=True):
    x = relu(normalized(bare(x, 64, size, 2)))
    return pooled(x, 3, 2, "same") if pool else x


def basic(x, filters, stride=1, project=False):
    shortcut = projected(x, filters, stride) if project or stride > 1 else x
    return relu(shortcut + inner(x, filters, stride))


def resnet_of_basics(inputs, classes, blocks=(2, 2, 2, 2), project=False, end=mean_of_channels, **options):
    x = stem(inputs, **options)
    for stage, count in enumerate(blocks):
        for block in range(count):
            first = block == 0
            x = basic(x, 64 * 2**stage, 2 if first and stage else 1, project and first)
    return dense(end(x), classes)


@misconception(
    "resnet18.resnet18", "That is ResNet-34, of 3, 4, 6 and 3 blocks. ResNet-18 has two in every stage."
)
def resnet_34(inputs, classes):
    return resnet_of_basics(inputs, classes, blocks=(3, 4, 6, 3))


@misconception(
    "resnet18.resnet18",
    "Your first stage begins with a projection. The stem gives 64 channels already: an identity block does.",
)
def resnet_that_projects_at_once(inputs, classes):
    return resnet_of_basics(inputs, classes, project=True)


@misconception(
    "resnet18.resnet18",
    "Your stages begin without a projection, as in option A. This net has option B: `projection_block`.",
)
def resnet_of_option_a(inputs, classes):
    x = stem(inputs)
    for filters in (64, 128, 256, 512):
        stride = 1 if filters == 64 else 2
        shortcut = padded(x[:, ::stride, ::stride], 0, filters - x.shape[-1])
        x = basic(relu(shortcut + inner(x, filters, stride)), filters)
    return dense(mean_of_channels(x), classes)


@misconception(
    "resnet18.resnet18", "The pooling of the stem is missing: 3 x 3 with stride 2 behind the first ReLU."
)
def resnet_without_pooling(inputs, classes):
    return resnet_of_basics(inputs, classes, pool=False)


@misconception(
    "resnet18.resnet18",
    "You lay the last map flat. Take each channel's mean over all places: `GlobalAveragePooling2D`.",
)
def resnet_laid_flat(inputs, classes):
    return resnet_of_basics(inputs, classes, end=flat)


def resnet_of_bottlenecks(inputs, classes, blocks=(3, 4, 6, 3), first_stride=1, x=None):
    x = stem(inputs) if x is None else x
    for stage, count in enumerate(blocks):
        for block in range(count):
            stride = 1 if block else (2 if stage else first_stride)
            filters = 64 * 2**stage
            x = relu(shortcut_of(x, filters, stride) + narrow(x, filters, stride))
    return dense(mean_of_channels(x), classes)


@misconception(
    "resnet50.resnet50",
    "Your first stage halves the picture, which the pooling of the stem has done already. Its stride is 1.",
)
def resnet_that_halves_once_more(inputs, classes):
    return resnet_of_bottlenecks(inputs, classes, first_stride=2)


@misconception(
    "resnet50.resnet50", "That is ResNet-101, with 23 blocks in the third stage. ResNet-50 has 6 there."
)
def resnet_101(inputs, classes):
    return resnet_of_bottlenecks(inputs, classes, blocks=(3, 4, 23, 3))


@misconception(
    "resnet50.resnet50",
    'Your stem pads three pixels and one on every side, as `keras.applications` does. Here its padding is `"same"`.',
)
def resnet_with_the_stem_of_keras(inputs, classes):
    x = relu(normalized(conv(padded_on_all_sides(inputs, 3), 64, 7, 2, "valid", bias=False)))
    x = pooled(padded_on_all_sides(x), 3, 2)
    return resnet_of_bottlenecks(inputs, classes, x=x)


# mobilenet_block


@misconception(
    "mobilenet_block.mobilenet_block",
    'You pad a pixel on every side, as PyTorch does. `padding="same"` pads an even size at the bottom right only when the stride is 2.',
)
def mobilenet_padded_on_all_sides(x, filters, stride=1):
    from keras import layers

    x = layers.DepthwiseConv2D(3, strides=stride, use_bias=False)(padded_on_all_sides(x))
    return relu(normalized(bare(relu(normalized(x), 6.0), filters, 1)), 6.0)


@misconception(
    "mobilenet_block.mobilenet_block",
    "Your ReLU has no upper end. ReLU6 stops at 6: `layers.ReLU(6.0)`.",
)
def mobilenet_with_relu(x, filters, stride=1):
    x = relu(normalized(depthwise(x, stride)))
    return relu(normalized(bare(x, filters, 1)))


@misconception(
    "mobilenet_block.mobilenet_block",
    "The stride sits on the pointwise convolution, which then throws away most of what was computed. It belongs to the depthwise one.",
)
def mobilenet_with_the_stride_late(x, filters, stride=1):
    x = relu(normalized(depthwise(x)), 6.0)
    return relu(normalized(bare(x, filters, 1, stride)), 6.0)


@misconception(
    "mobilenet_block.mobilenet_block",
    "Nothing comes between the two convolutions, as in `SeparableConv2D`. Here normalization and ReLU6 follow the depthwise one too.",
)
def mobilenet_with_nothing_between(x, filters, stride=1):
    return relu(normalized(bare(depthwise(x, stride), filters, 1)), 6.0)


@misconception(
    "mobilenet_block.mobilenet_block",
    "Your 3 x 3 is an ordinary convolution, which mixes channels at nine times the price. Use `DepthwiseConv2D`.",
)
def mobilenet_with_an_ordinary_convolution(x, filters, stride=1):
    x = relu(normalized(bare(x, x.shape[-1], 3, stride)), 6.0)
    return relu(normalized(bare(x, filters, 1)), 6.0)


@misconception(
    "mobilenet_block.mobilenet_block",
    "The 1 x 1 comes first. MobileNet looks around first, with few channels, and mixes them then.",
)
def mobilenet_the_other_way_round(x, filters, stride=1):
    x = relu(normalized(bare(x, filters, 1)), 6.0)
    return relu(normalized(depthwise(x, stride)), 6.0)


@misconception(
    "mobilenet_block.mobilenet_block",
    "The end is linear. That is the second version's; in this block ReLU6 follows both.",
)
def mobilenet_with_a_linear_end(x, filters, stride=1):
    x = relu(normalized(depthwise(x, stride)), 6.0)
    return normalized(bare(x, filters, 1))


# inverted_residual_block


def inverted(x, filters, wide, stride, always=False, end=False, most=6.0):
    channels = x.shape[-1]
    if always or wide != channels:
        x = relu(normalized(bare(x, wide, 1)), most)
    x = relu(normalized(depthwise(x, stride)), most)
    x = normalized(bare(x, filters, 1))
    return relu(x, most) if end else x


def shortcut_where_it_fits(x, end, stride):
    return x + end if stride == 1 and x.shape[-1] == end.shape[-1] else end


@misconception(
    "inverted_residual_block.inverted_residual_block",
    "There is an activation behind the last 1 x 1. That narrow layer is linear: what a ReLU cuts off there is lost for good.",
)
def inverted_with_a_bent_end(x, filters, expansion, stride=1):
    end = inverted(x, filters, expansion * x.shape[-1], stride, end=True)
    return shortcut_where_it_fits(x, end, stride)


@misconception(
    "inverted_residual_block.inverted_residual_block",
    "At expansion 1 you still have the first 1 x 1. There is nothing to expand: leave it out.",
)
def inverted_that_always_expands(x, filters, expansion, stride=1):
    end = inverted(x, filters, expansion * x.shape[-1], stride, always=True)
    return shortcut_where_it_fits(x, end, stride)


@misconception(
    "inverted_residual_block.inverted_residual_block",
    "You expand to `expansion * filters`. The inside is wider than the *input*: `expansion * x.shape[-1]`.",
)
def inverted_that_expands_the_output(x, filters, expansion, stride=1):
    end = inverted(x, filters, expansion * filters, stride, always=expansion != 1)
    return shortcut_where_it_fits(x, end, stride)


@misconception(
    "inverted_residual_block.inverted_residual_block",
    "The input is never added. At stride 1 and equal channels it is.",
)
def inverted_without_shortcut(x, filters, expansion, stride=1):
    return inverted(x, filters, expansion * x.shape[-1], stride)


@misconception(
    "inverted_residual_block.inverted_residual_block",
    "Your ReLU has no upper end. ReLU6 stops at 6: `layers.ReLU(6.0)`.",
)
def inverted_with_relu(x, filters, expansion, stride=1):
    end = inverted(x, filters, expansion * x.shape[-1], stride, most=None)
    return shortcut_where_it_fits(x, end, stride)


@misconception(
    "inverted_residual_block.inverted_residual_block",
    "A ReLU follows your sum. There is none: the sum goes on as it is.",
)
def inverted_with_relu_after_the_sum(x, filters, expansion, stride=1):
    end = inverted(x, filters, expansion * x.shape[-1], stride)
    return relu(x + end) if stride == 1 and x.shape[-1] == filters else end


# darknet_block, darknet53


@misconception(
    "darknet_block.darknet_block",
    "An activation follows your sum. In Darknet it comes before: each convolution has its own, and the sum goes on as it is.",
)
def darknet_with_the_activation_late(x, filters):
    x1 = leaky(normalized(bare(x, filters // 2, 1)))
    return leaky(x + normalized(bare(x1, filters, 3)))


@misconception(
    "darknet_block.darknet_block", "Your activation is the plain ReLU. Darknet's is leaky, with slope 0.1."
)
def darknet_with_relu(x, filters):
    x1 = relu(normalized(bare(x, filters // 2, 1)))
    return x + relu(normalized(bare(x1, filters, 3)))


@misconception(
    "darknet_block.darknet_block",
    "Your slope is 0.3, as `LeakyReLU` has it by default. Darknet's is 0.1: `negative_slope=0.1`.",
)
def darknet_with_the_default_slope(x, filters):
    x1 = leaky(normalized(bare(x, filters // 2, 1)), 0.3)
    return x + leaky(normalized(bare(x1, filters, 3)), 0.3)


@misconception(
    "darknet_block.darknet_block",
    "Your 1 x 1 has all filters. It has half of them: that is what makes the block cheap.",
)
def darknet_that_is_not_narrow(x, filters):
    x1 = leaky(normalized(bare(x, filters, 1)))
    return x + leaky(normalized(bare(x1, filters, 3)))


@misconception("darknet_block.darknet_block", "The input is never added.")
def darknet_without_shortcut(x, filters):
    x1 = leaky(normalized(bare(x, filters // 2, 1)))
    return leaky(normalized(bare(x1, filters, 3)))


def darknet(inputs, classes, blocks=(1, 2, 8, 8, 4), pool=False, end=mean_of_channels):
    x = leaky(normalized(bare(inputs, 32, 3)))
    for stage, count in enumerate(blocks):
        filters = 64 * 2**stage
        x = (
            pooled(leaky(normalized(bare(x, filters, 3))))
            if pool
            else leaky(normalized(bare(x, filters, 3, 2)))
        )
        for _ in range(count):
            x1 = leaky(normalized(bare(x, filters // 2, 1)))
            x = x + leaky(normalized(bare(x1, filters, 3)))
    return dense(end(x), classes)


@misconception(
    "darknet53.darknet53",
    "Pooling makes your picture smaller. Darknet-53 has none: its 3 x 3 convolutions between the stages have stride 2.",
)
def darknet_that_pools(inputs, classes):
    return darknet(inputs, classes, pool=True)


@misconception("darknet53.darknet53", "Your stages have 2, 2, 8, 8 and 4 blocks. The first has one.")
def darknet_with_a_block_too_many(inputs, classes):
    return darknet(inputs, classes, blocks=(2, 2, 8, 8, 4))


@misconception(
    "darknet53.darknet53",
    "You lay the last map flat. Take each channel's mean over all places: `GlobalAveragePooling2D`.",
)
def darknet_laid_flat(inputs, classes):
    return darknet(inputs, classes, end=flat)
