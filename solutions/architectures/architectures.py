# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Architectures
#
# From here on Keras does the arithmetic, and you decide what is connected to what. You will build the nets that a
# generation of researchers learned from: LeNet, AlexNet, VGG, Inception, ResNet, MobileNet, Darknet. Each of them
# answers one question: how do you go deeper without paying too much, and without the gradient dying on the way?
#
# Every function takes a Keras tensor and gives a Keras tensor. You make one by `keras.Input((32, 32, 1))`, call layers
# on it, and `keras.Model(inputs, outputs)` makes a net of what lies between them.
#
# Three rules hold everywhere, unless a text says otherwise. Padding is `"same"`. A convolution that batch
# normalization follows has no bias, since the normalization takes every constant away again. `BatchNormalization()`
# comes as it is. Names of layers do not matter, nor how you put them together: only what is computed.

# %%
import keras
import numpy as np
from keras import layers

from course import data, plots

# %% [markdown]
# ## 1 LeNet-5
#
# 1998: checks are read by machine. Two convolutions of 5 x 5 find strokes and their combinations, each followed by tanh
# and by pooling that takes the mean; three dense layers decide. 32 x 32 pixels go in, and no convolution pads, so you
# can follow the size with a pencil: 32, 28, 14, 10, 5.
#
# | layer | gives | parameters |
# | --- | --- | --- |
# | 6 filters of 5 x 5, tanh | 28 x 28 x 6 | 156 |
# | mean of 2 x 2 | 14 x 14 x 6 | |
# | 16 filters of 5 x 5, tanh | 10 x 10 x 16 | 2,416 |
# | mean of 2 x 2 | 5 x 5 x 16 | |
# | dense, tanh | 120 | 48,120 |
# | dense, tanh | 84 | 10,164 |
# | dense, softmax | classes | 850 for ten |
#
# *To think about:* where do most of the parameters sit, in what sees the picture or in what decides?


# %% exercise="lenet5"
def lenet5(inputs, classes):
    """LeNet-5 with tanh and average pooling.

    Args:
        inputs: Keras tensor (batch, 32, 32, channels).
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.
    """
    ### BEGIN SOLUTION
    x = layers.Conv2D(6, 5, activation="tanh")(inputs)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Conv2D(16, 5, activation="tanh")(x)
    x = layers.AveragePooling2D(2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(120, activation="tanh")(x)
    x = layers.Dense(84, activation="tanh")(x)
    return layers.Dense(classes, activation="softmax")(x)
    ### END SOLUTION


# %% check="lenet5"
check("lenet5")

# %% [markdown]
# ## 2 AlexNet
#
# 2012: the same plan, wider and deeper, with ReLU and on two graphics cards; it halves the error in the ImageNet
# competition. You build it in one tower, and without its local response normalization, which nobody missed later.
#
# A first convolution of 96 filters, 11 x 11 with stride 4, does not pad. Those after it do: 256 of 5 x 5, then 384, 384
# and 256 of 3 x 3. All have ReLU. Pooling takes the maximum of 3 x 3 with stride 2, so that windows overlap; it comes
# after the first, the second and the last convolution. Two dense layers of 4,096 with ReLU, and the softmax.


# %% exercise="alexnet"
def alexnet(inputs, classes):
    """AlexNet in one tower, without local response normalization.

    Args:
        inputs: Keras tensor (batch, 227, 227, channels).
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.
    """
    ### BEGIN SOLUTION
    x = layers.Conv2D(96, 11, strides=4, activation="relu")(inputs)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Conv2D(256, 5, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Conv2D(384, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(384, 3, padding="same", activation="relu")(x)
    x = layers.Conv2D(256, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = layers.Flatten()(x)
    x = layers.Dense(4096, activation="relu")(x)
    x = layers.Dense(4096, activation="relu")(x)
    return layers.Dense(classes, activation="softmax")(x)
    ### END SOLUTION


# %% check="alexnet"
check("alexnet")

# %% [markdown]
# ## 3 VGG
#
# Two convolutions of 3 x 3 see as far as one of 5 x 5, three as far as one of 7 x 7: with fewer weights, and with a ReLU
# more in between. So VGG uses nothing but 3 x 3, in blocks that end with a 2 x 2 pooling.


# %% exercise="vgg_block"
def vgg_block(x, filters, convs):
    """`convs` convolutions of 3 x 3 with ReLU, then max pooling of 2 x 2.

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of each convolution.
        convs: how many.

    Returns:
        Keras tensor (batch, h // 2, w // 2, filters).
    """
    ### BEGIN SOLUTION
    for _ in range(convs):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return layers.MaxPooling2D(2)(x)
    ### END SOLUTION


# %% check="vgg_block"
check("vgg_block")

# %% [markdown]
# VGG-16 has five blocks, of 2, 2, 3, 3 and 3 convolutions with 64, 128, 256, 512 and 512 filters. The head is AlexNet's.


# %% exercise="vgg16"
def vgg16(inputs, classes):
    """VGG-16.

    Args:
        inputs: Keras tensor (batch, h, w, channels), sides from 32.
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.
    """
    ### BEGIN SOLUTION
    x = inputs
    for filters, convs in [(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]:
        x = vgg_block(x, filters, convs)
    x = layers.Flatten()(x)
    x = layers.Dense(4096, activation="relu")(x)
    x = layers.Dense(4096, activation="relu")(x)
    return layers.Dense(classes, activation="softmax")(x)
    ### END SOLUTION


# %% check="vgg16"
check("vgg16")

# %% [markdown]
# ## 4 Inception
#
# Which size of filter is right? Inception does not choose. Four branches look at the same input, and their outputs stand
# side by side as channels: a 1 x 1; a 3 x 3; a 5 x 5; and a 3 x 3 max pooling with stride 1. The large filters would be
# dear on many channels, so a 1 x 1 with few filters comes before each of them, and one after the pooling. Every
# convolution has ReLU.


# %% exercise="inception_module"
def inception_module(x, f1, f3_reduce, f3, f5_reduce, f5, pool_proj):
    """Four branches side by side.

    Args:
        x: Keras tensor (batch, h, w, channels).
        f1: filters of the 1 x 1 branch.
        f3_reduce, f3: filters of the 1 x 1 before the 3 x 3, and of the 3 x 3.
        f5_reduce, f5: filters of the 1 x 1 before the 5 x 5, and of the 5 x 5.
        pool_proj: filters of the 1 x 1 after the pooling.

    Returns:
        Keras tensor (batch, h, w, f1 + f3 + f5 + pool_proj), the branches in this order.
    """
    ### BEGIN SOLUTION
    one = layers.Conv2D(f1, 1, activation="relu")(x)
    three = layers.Conv2D(f3_reduce, 1, activation="relu")(x)
    three = layers.Conv2D(f3, 3, padding="same", activation="relu")(three)
    five = layers.Conv2D(f5_reduce, 1, activation="relu")(x)
    five = layers.Conv2D(f5, 5, padding="same", activation="relu")(five)
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    pooled = layers.Conv2D(pool_proj, 1, activation="relu")(pooled)
    return layers.Concatenate()([one, three, five, pooled])
    ### END SOLUTION


# %% check="inception_module"
check("inception_module")

# %% [markdown]
# ## 5 ResNet: blocks that can do nothing
#
# Stack more layers, and at some depth even the *training* error rises. It is not overfitting: a deeper net could copy the
# shallower one and let the rest do nothing. But to do nothing is hard to learn for a stack of convolutions. A
# **residual block** makes it easy: it adds its input to its output, so that weights of zero leave the input as it is.
#
# The identity block: convolution of 3 x 3, normalization, ReLU, convolution of 3 x 3, normalization; **then** the input
# is added; then ReLU.
#
# *To think about:* what could the block not express if the ReLU came before the sum?


# %% exercise="identity_block"
def identity_block(x, filters):
    """Two normalized 3 x 3 convolutions around which the input goes by.

    Args:
        x: Keras tensor (batch, h, w, filters).
        filters: of both convolutions, the channels of `x`.

    Returns:
        Keras tensor of the shape of `x`.
    """
    ### BEGIN SOLUTION
    inner = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)
    inner = layers.BatchNormalization()(inner)
    inner = layers.ReLU()(inner)
    inner = layers.Conv2D(filters, 3, padding="same", use_bias=False)(inner)
    inner = layers.BatchNormalization()(inner)
    return layers.ReLU()(layers.Add()([x, inner]))
    ### END SOLUTION


# %% check="identity_block"
check("identity_block")

# %% [markdown]
# Where a stage begins, the picture becomes smaller and the channels more: the input cannot be added as it is. The paper
# tries three ways. **Option B** sends it through a 1 x 1 convolution with the same stride, normalized. The stride of the
# long way sits on its first convolution.


# %% exercise="projection_block"
def projection_block(x, filters, stride=2):
    """A residual block whose shortcut is a normalized 1 x 1 convolution (option B).

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of all convolutions.
        stride: of the first 3 x 3 and of the 1 x 1.

    Returns:
        Keras tensor (batch, ceil(h / stride), ceil(w / stride), filters).
    """
    ### BEGIN SOLUTION
    shortcut = layers.Conv2D(filters, 1, strides=stride, use_bias=False)(x)
    shortcut = layers.BatchNormalization()(shortcut)
    inner = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    inner = layers.BatchNormalization()(inner)
    inner = layers.ReLU()(inner)
    inner = layers.Conv2D(filters, 3, padding="same", use_bias=False)(inner)
    inner = layers.BatchNormalization()(inner)
    return layers.ReLU()(layers.Add()([shortcut, inner]))
    ### END SOLUTION


# %% check="projection_block"
check("projection_block")

# %% [markdown]
# **Option A** has no parameters in the shortcut: take every `stride`-th row and column, `x[:, ::stride, ::stride]`, and
# put channels of zeros behind the old ones.


# %% exercise="zero_pad_block"
def zero_pad_block(x, filters, stride=2):
    """A residual block whose shortcut leaves out rows and columns, and gets channels of zeros (option A).

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of both convolutions, at least the channels of `x`.
        stride: of the first 3 x 3, and of the shortcut.

    Returns:
        Keras tensor (batch, ceil(h / stride), ceil(w / stride), filters).
    """
    ### BEGIN SOLUTION
    shortcut = x[:, ::stride, ::stride]
    shortcut = keras.ops.pad(shortcut, [(0, 0), (0, 0), (0, 0), (0, filters - x.shape[-1])])
    inner = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
    inner = layers.BatchNormalization()(inner)
    inner = layers.ReLU()(inner)
    inner = layers.Conv2D(filters, 3, padding="same", use_bias=False)(inner)
    inner = layers.BatchNormalization()(inner)
    return layers.ReLU()(layers.Add()([shortcut, inner]))
    ### END SOLUTION


# %% check="zero_pad_block"
check("zero_pad_block")

# %% [markdown]
# Very deep nets use **bottlenecks**: a 1 x 1 to few channels, the 3 x 3 on these few, a 1 x 1 back to four times as many.
# In this course, as in the first paper, the stride sits on the first 1 x 1 (later nets move it to the 3 x 3). The shortcut
# is the input itself where the shape stays, else a normalized 1 x 1 with the stride.


# %% exercise="bottleneck_block"
def bottleneck_block(x, filters, stride=1):
    """1 x 1, 3 x 3 and 1 x 1 convolutions of `filters`, `filters` and `4 * filters`, and a shortcut.

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of the two narrow convolutions.
        stride: of the first convolution.

    Returns:
        Keras tensor (batch, ceil(h / stride), ceil(w / stride), 4 * filters).
    """
    ### BEGIN SOLUTION
    shortcut = x
    if stride != 1 or x.shape[-1] != 4 * filters:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, use_bias=False)(x)
        shortcut = layers.BatchNormalization()(shortcut)
    inner = layers.Conv2D(filters, 1, strides=stride, use_bias=False)(x)
    inner = layers.BatchNormalization()(inner)
    inner = layers.ReLU()(inner)
    inner = layers.Conv2D(filters, 3, padding="same", use_bias=False)(inner)
    inner = layers.BatchNormalization()(inner)
    inner = layers.ReLU()(inner)
    inner = layers.Conv2D(4 * filters, 1, use_bias=False)(inner)
    inner = layers.BatchNormalization()(inner)
    return layers.ReLU()(layers.Add()([shortcut, inner]))
    ### END SOLUTION


# %% check="bottleneck_block"
check("bottleneck_block")

# %% [markdown]
# ### Whole ResNets
#
# Both begin with a **stem**: 64 filters of 7 x 7 with stride 2, normalized, ReLU; then max pooling of 3 x 3 with stride 2
# and padding `"same"`. Then come four stages; each but the first halves the picture. At the end the mean of each channel
# over all places, and the softmax.
#
# ResNet-18 has two basic blocks a stage, of 64, 128, 256 and 512 filters; a stage that halves begins with a
# `projection_block`.


# %% exercise="resnet18"
def resnet18(inputs, classes):
    """ResNet-18 with projections.

    Args:
        inputs: Keras tensor (batch, h, w, channels), sides from 32.
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.
    """
    ### BEGIN SOLUTION
    x = layers.Conv2D(64, 7, strides=2, padding="same", use_bias=False)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = identity_block(identity_block(x, 64), 64)
    for filters in (128, 256, 512):
        x = identity_block(projection_block(x, filters), filters)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes, activation="softmax")(x)
    ### END SOLUTION


# %% check="resnet18"
check("resnet18")

# %% [markdown]
# ResNet-50 has bottlenecks, 3, 4, 6 and 3 of them, of 64, 128, 256 and 512 filters. The first of each stage has stride 2,
# but not in the first stage: the stem has halved there already.


# %% exercise="resnet50"
def resnet50(inputs, classes):
    """ResNet-50.

    Args:
        inputs: Keras tensor (batch, h, w, channels), sides from 32.
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.
    """
    ### BEGIN SOLUTION
    x = layers.Conv2D(64, 7, strides=2, padding="same", use_bias=False)(inputs)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    for filters, blocks, stride in [(64, 3, 1), (128, 4, 2), (256, 6, 2), (512, 3, 2)]:
        x = bottleneck_block(x, filters, stride)
        for _ in range(blocks - 1):
            x = bottleneck_block(x, filters)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes, activation="softmax")(x)
    ### END SOLUTION


# %% check="resnet50"
check("resnet50")

# %% [markdown]
# ## 6 MobileNet
#
# A convolution looks around and mixes channels in one go. MobileNet does the two one after the other: a **depthwise**
# 3 x 3, one filter for each channel, then a **pointwise** 1 x 1 that mixes. Each is normalized and followed by ReLU6, which is
# $\min(\max(x, 0), 6)$. The stride sits on the depthwise one.


# %% exercise="mobilenet_block"
def mobilenet_block(x, filters, stride=1):
    """A depthwise 3 x 3, then a pointwise convolution.

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of the pointwise convolution.
        stride: of the depthwise convolution.

    Returns:
        Keras tensor (batch, ceil(h / stride), ceil(w / stride), filters).
    """
    ### BEGIN SOLUTION
    x = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    x = layers.Conv2D(filters, 1, use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    return layers.ReLU(6.0)(x)
    ### END SOLUTION


# %% check="mobilenet_block"
check("mobilenet_block")

# %% [markdown]
# MobileNetV2 turns the bottleneck inside out. A 1 x 1 **expands** the channels `expansion` times, the depthwise 3 x 3 works
# there, where it is cheap, and a 1 x 1 brings them back to few. All three are normalized; ReLU6 follows the first two and
# nothing the last: in a narrow layer a ReLU would lose what cannot be found again. The shortcut joins the narrow ends,
# where the stride is 1 and the channels are as many. At expansion 1 there is no first layer.


# %% exercise="inverted_residual_block"
def inverted_residual_block(x, filters, expansion, stride=1):
    """Wide inside, narrow outside.

    Args:
        x: Keras tensor (batch, h, w, channels).
        filters: of the linear 1 x 1 at the end.
        expansion: how many times wider than `x` the inside is.
        stride: of the depthwise convolution.

    Returns:
        Keras tensor (batch, ceil(h / stride), ceil(w / stride), filters).
    """
    ### BEGIN SOLUTION
    channels = x.shape[-1]
    inner = x
    if expansion != 1:
        inner = layers.Conv2D(expansion * channels, 1, use_bias=False)(inner)
        inner = layers.BatchNormalization()(inner)
        inner = layers.ReLU(6.0)(inner)
    inner = layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)(inner)
    inner = layers.BatchNormalization()(inner)
    inner = layers.ReLU(6.0)(inner)
    inner = layers.Conv2D(filters, 1, use_bias=False)(inner)
    inner = layers.BatchNormalization()(inner)
    return layers.Add()([x, inner]) if stride == 1 and channels == filters else inner
    ### END SOLUTION


# %% check="inverted_residual_block"
check("inverted_residual_block")

# %% [markdown]
# ## 7 Darknet
#
# YOLOv3's backbone. Its block: a 1 x 1 of half the filters, a 3 x 3 of all, each normalized and followed by leaky ReLU with
# slope 0.1; then the input is added, and nothing comes after the sum.


# %% exercise="darknet_block"
def darknet_block(x, filters):
    """A 1 x 1 of half the filters and a 3 x 3 of all around which the input goes by.

    Args:
        x: Keras tensor (batch, h, w, filters).
        filters: an even number, the channels of `x`.

    Returns:
        Keras tensor of the shape of `x`.
    """
    ### BEGIN SOLUTION
    inner = layers.Conv2D(filters // 2, 1, use_bias=False)(x)
    inner = layers.BatchNormalization()(inner)
    inner = layers.LeakyReLU(negative_slope=0.1)(inner)
    inner = layers.Conv2D(filters, 3, padding="same", use_bias=False)(inner)
    inner = layers.BatchNormalization()(inner)
    inner = layers.LeakyReLU(negative_slope=0.1)(inner)
    return layers.Add()([x, inner])
    ### END SOLUTION


# %% check="darknet_block"
check("darknet_block")

# %% [markdown]
# Darknet-53 has no pooling. A 3 x 3 of 32 filters; then five stages, each of which begins with a 3 x 3 of stride 2 and twice
# the filters (64, 128, 256, 512, 1,024), followed by 1, 2, 8, 8 and 4 blocks. Every convolution is normalized and followed by
# leaky ReLU. The mean over all places and the softmax end it.


# %% exercise="darknet53"
def darknet53(inputs, classes):
    """Darknet-53.

    Args:
        inputs: Keras tensor (batch, h, w, channels), sides from 32.
        classes: number of classes.

    Returns:
        Keras tensor (batch, classes) of probabilities.
    """
    ### BEGIN SOLUTION

    def convolved(x, filters, stride=1):
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        return layers.LeakyReLU(negative_slope=0.1)(layers.BatchNormalization()(x))

    x = convolved(inputs, 32)
    for filters, blocks in [(64, 1), (128, 2), (256, 8), (512, 8), (1024, 4)]:
        x = convolved(x, filters, stride=2)
        for _ in range(blocks):
            x = darknet_block(x, filters)
    x = layers.GlobalAveragePooling2D()(x)
    return layers.Dense(classes, activation="softmax")(x)
    ### END SOLUTION


# %% check="darknet53"
check("darknet53")
