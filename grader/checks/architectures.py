"""Checks of the assignment `architectures`.

A model cannot cross to the grading process, and weights need not: a driver builds the net where the student's function
lives, gives every variable values that its role and shape decide, and sends back what the net gives for a few images. So
neither names, nor the order in which layers were made, nor the style in which a net is built make a difference.
"""

import numpy as np

from grader.exercise import Exercise, assert_close, core, driver, exercise, hidden

SINGLE = {"rtol": 1e-4, "atol": 5e-5}
PROBABILITIES = {"rtol": 3e-3, "atol": 1e-12}


@driver
def output(build, images, arguments, training):
    """What the net gives for the images, with weights that their sizes decide."""
    import gc

    import keras

    inputs = keras.Input(images.shape[1:])
    net = keras.Model(inputs, build(inputs, *arguments))
    for variable in net.variables:
        if "seed" in variable.name:  # of a dropout layer
            continue
        kernel = len(variable.shape) > 1
        name = "" if kernel else variable.name
        seed = [int(np.prod(variable.shape)), *name.encode()]  # a convolution may do what a dense layer does
        values = np.random.default_rng(seed).standard_normal(variable.shape, "float32")
        if kernel:
            values /= np.sqrt(np.prod([size for size in variable.shape if size > 1][:-1]))
        elif variable.name == "moving_variance":
            values = 0.5 + np.abs(values)
        else:
            values = 0.2 * values + (variable.name == "gamma")
        variable.assign(values)
    given = keras.ops.convert_to_numpy(net(images, training=training))
    if net.count_params() > 10**7:  # its memory is needed for the next one
        del net, inputs, variable, values
        gc.collect()
    return given


@driver
def variables(build, shape, arguments):
    """How many kernels, biases and normalizations of each shape the net has."""
    import gc

    import keras

    inputs = keras.Input(shape)
    net = keras.Model(inputs, build(inputs, *arguments))
    counted: dict[str, int] = {}
    for variable in net.variables:
        name = "kernel" if len(variable.shape) > 1 else variable.name
        if name in ("kernel", "bias", "moving_mean"):
            sizes = " x ".join(str(size) for size in variable.shape if size > 1)
            kind = f"{name.replace('moving_mean', 'normalization')} of {sizes}"
            counted[kind] = counted.get(kind, 0) + 1
    parameters = net.count_params()
    if parameters > 10**7:  # its memory is needed for the next one
        del net, inputs, variable
        gc.collect()
    return {"variables": counted, "parameters": parameters}


def assert_same_variables(actual, expected):
    """Fail with what is missing and what is too much."""
    mine, theirs = actual["variables"], expected["variables"]
    excess = {kind: mine.get(kind, 0) - theirs.get(kind, 0) for kind in sorted({*mine, *theirs})}
    differences = [
        f"{word}: " + ", ".join(f"{abs(n)} {kind}" for kind, n in excess.items() if n * sign > 0)
        for word, sign in (("missing", -1), ("too many", 1))
        if any(n * sign > 0 for n in excess.values())
    ]
    if actual["parameters"] != expected["parameters"]:
        counts = f"{actual['parameters']:,} parameters, expected {expected['parameters']:,}"
        raise AssertionError("; ".join([counts, *differences]))


class Nets:
    """What is asked of every block and net: each is shown shapes of an input, and what else its function takes."""

    __exercise__: Exercise
    shown: tuple
    kept: tuple
    """What a hidden test tries besides."""
    tolerance = SINGLE

    def same_output(self, student, reference, rng, cases, training, scale=1.0):
        function = self.__exercise__.functions[0]
        for shape, *arguments in cases:
            images = rng.normal(scale=scale, size=(2, *shape)).astype(np.float32)
            mine, theirs = (
                getattr(answers, function).driven_by(output)(images, arguments, training)
                for answers in (student, reference)
            )
            assert_close(mine, theirs, **self.tolerance)

    def same_variables(self, student, reference):
        function = self.__exercise__.functions[0]
        for shape, *arguments in self.shown:
            mine, theirs = (
                getattr(answers, function).driven_by(variables)(shape, arguments)
                for answers in (student, reference)
            )
            assert_same_variables(mine, theirs)


class Plain(Nets):
    """Whole nets, and blocks that normalize nothing."""

    @core
    def test_output(self, student, reference, rng):
        """Gives what the reference gives, with equal weights."""
        self.same_output(student, reference, rng, self.shown, False)

    def test_variables(self, student, reference):
        """Has as many parameters as the reference."""
        self.same_variables(student, reference)

    @hidden
    def test_other(self, student, reference, rng):
        """Holds for other sizes too."""
        self.same_output(student, reference, rng, self.kept, False)


class Normalized(Nets):
    """Blocks with batch normalization, to which a bias before it makes no difference while it learns."""

    @core
    def test_learning(self, student, reference, rng):
        """Gives what the reference gives while it learns, with equal weights."""
        self.same_output(student, reference, rng, self.shown, True)

    def test_output(self, student, reference, rng):
        """Gives what the reference gives once it has learned, with equal weights and statistics."""
        self.same_output(student, reference, rng, self.shown, False, scale=6.0)

    def test_variables(self, student, reference):
        """Has as many parameters as the reference."""
        self.same_variables(student, reference)

    @hidden
    def test_other(self, student, reference, rng):
        """Holds for other sizes too."""
        self.same_output(student, reference, rng, self.kept, True)


@exercise("lenet5", functions=["lenet5"], points=3, packages=["keras"])
class TestLenet5(Plain):
    """The first of them: two convolutions, three dense layers."""

    hints = {
        "lenet5": [
            "Write down the shape after each layer: 32, 28, 14, 10, 5. Which of them have weights?",
            "Two convolutions of 5 x 5 without padding, 6 and 16 filters, each with tanh and halved by average pooling; then 120, 84 and the classes.",
            '`layers.Conv2D(6, 5, activation="tanh")`, `layers.AveragePooling2D(2)`, the same with 16; `layers.Flatten()`, `layers.Dense(120, activation="tanh")`, `layers.Dense(84, activation="tanh")`, `layers.Dense(classes, activation="softmax")`.',
        ]
    }
    shown = (((32, 32, 1), 10),)
    kept = (((32, 32, 3), 7),)
    tolerance = PROBABILITIES


@exercise("alexnet", functions=["alexnet"], points=3, packages=["keras"])
class TestAlexnet(Plain):
    """The net that began it all, in one tower."""

    hints = {
        "alexnet": [
            "Five convolutions: which have a stride, which padding, and after which of them comes a pooling?",
            "96 of 11 x 11 with stride 4 and no padding; 256 of 5 x 5; 384, 384 and 256 of 3 x 3. Pooling of 3 x 3 with stride 2 after the first, the second and the last.",
            'The padding of all but the first is "same". `layers.MaxPooling2D(3, strides=2)`; then `layers.Flatten()`, two `layers.Dense(4096, activation="relu")`, and the softmax.',
        ]
    }
    shown = (((99, 67, 3), 10),)
    kept = (((75, 103, 1), 6),)
    tolerance = PROBABILITIES


@exercise("vgg_block", functions=["vgg_block"], points=2, packages=["keras"])
class TestVggBlock(Plain):
    """Small filters, again and again."""

    hints = {
        "vgg_block": [
            "What does a convolution of 3 x 3 have to pad so that the size stays?",
            "A loop over `convs`, each convolution with ReLU; one pooling after the loop.",
            '`layers.Conv2D(filters, 3, padding="same", activation="relu")(x)` in the loop, `layers.MaxPooling2D(2)(x)` behind it.',
        ]
    }
    shown = (((8, 6, 3), 4, 2), ((7, 5, 2), 3, 1))
    kept = (((6, 10, 4), 5, 3),)


@exercise("vgg16", functions=["vgg16"], points=2, packages=["keras"])
class TestVgg16(Plain):
    """Five such blocks and a heavy head."""

    hints = {
        "vgg16": [
            "Sixteen layers have weights: thirteen convolutions and three dense ones. How are the thirteen shared out?",
            "Blocks of 2, 2, 3, 3 and 3 convolutions with 64, 128, 256, 512 and 512 filters.",
            "Call `vgg_block` in a loop over `[(64, 2), (128, 2), (256, 3), (512, 3), (512, 3)]`, then flatten, 4096, 4096 and the classes.",
        ]
    }
    shown = (((64, 32, 3), 10),)
    kept = (((32, 70, 1), 5),)
    tolerance = PROBABILITIES


@exercise("inception_module", functions=["inception_module"], points=3, packages=["keras"])
class TestInceptionModule(Plain):
    """Four views of the same place, side by side."""

    hints = {
        "inception_module": [
            "What must be alike in the four branches so that they can be joined along the channels?",
            "Each convolution has ReLU and keeps the size; so does the pooling, with stride 1.",
            '`layers.MaxPooling2D(3, strides=1, padding="same")(x)` before the last 1 x 1; `layers.Concatenate()([one, three, five, pooled])`.',
        ]
    }
    shown = (((7, 6, 5), 2, 3, 4, 6, 7, 8),)
    kept = (((5, 9, 3), 8, 7, 6, 5, 4, 2),)


@exercise("identity_block", functions=["identity_block"], points=3, packages=["keras"])
class TestIdentityBlock(Normalized):
    """A detour that the input skips."""

    hints = {
        "identity_block": [
            "Follow the input: along which two ways does it reach the end, and where do they meet?",
            "Convolution, normalization, ReLU, convolution, normalization; then add the input; then ReLU.",
            "`layers.ReLU()(layers.Add()([x, inner]))`, where `inner` ends with a normalization.",
        ]
    }
    shown = (((6, 7, 5), 5),)
    kept = (((5, 4, 8), 8),)


@exercise("projection_block", functions=["projection_block"], points=3, packages=["keras"])
class TestProjectionBlock(Normalized):
    """The shortcut where the shape changes, learned (option B)."""

    hints = {
        "projection_block": [
            "The sum needs two equal shapes. What changes height and width on the long way, what the channels?",
            "The stride sits on the first 3 x 3, and on the 1 x 1 in the shortcut. What follows each convolution?",
            "The shortcut: `layers.BatchNormalization()(layers.Conv2D(filters, 1, strides=stride, use_bias=False)(x))`.",
        ]
    }
    shown = (((8, 7, 4), 6), ((5, 6, 3), 5, 1))
    kept = (((9, 8, 3), 7, 3),)


@exercise("zero_pad_block", functions=["zero_pad_block"], points=3, packages=["keras"])
class TestZeroPadBlock(Normalized):
    """The shortcut where the shape changes, for free (option A)."""

    hints = {
        "zero_pad_block": [
            "How do you make a picture half as large without computing anything? And how do you give it more channels?",
            "Take every `stride`-th row and column, and put channels of zeros behind the old ones.",
            "`keras.ops.pad(x[:, ::stride, ::stride], [(0, 0), (0, 0), (0, 0), (0, filters - x.shape[-1])])`.",
        ]
    }
    shown = (((8, 7, 4), 6), ((5, 6, 3), 5, 1), ((6, 6, 4), 4))
    kept = (((9, 8, 3), 7, 3),)


@exercise("bottleneck_block", functions=["bottleneck_block"], points=4, packages=["keras"])
class TestBottleneckBlock(Normalized):
    """Narrow inside, wide outside."""

    hints = {
        "bottleneck_block": [
            "When do input and output have the same shape? Mind the channels as well as the stride.",
            "1 x 1 with the stride, 3 x 3, 1 x 1 of four times as many; each normalized, ReLU behind the first two, and behind the sum.",
            "`if stride != 1 or x.shape[-1] != 4 * filters:` the shortcut is a normalized 1 x 1 with that stride, else `x` itself.",
        ]
    }
    shown = (((6, 7, 8), 2), ((6, 7, 5), 2), ((7, 6, 8), 2, 2))
    kept = (((8, 5, 12), 3), ((5, 8, 12), 3, 2))


@exercise("resnet18", functions=["resnet18"], points=3, packages=["keras"])
class TestResnet18(Plain):
    """Four stages of two blocks."""

    hints = {
        "resnet18": [
            "Where in the net is a picture made smaller, and by which layer each time?",
            "7 x 7 of 64 filters with stride 2, normalized, ReLU; 3 x 3 pooling with stride 2; then two blocks each of 64, 128, 256 and 512 filters.",
            "A stage begins with `projection_block(x, filters)`, but the first one with `identity_block(x, 64)`. At the end `layers.GlobalAveragePooling2D()` and a softmax.",
        ]
    }
    shown = (((40, 32, 3), 10),)
    kept = (((32, 48, 1), 6),)
    tolerance = PROBABILITIES


@exercise("resnet50", functions=["resnet50"], points=3, packages=["keras"])
class TestResnet50(Plain):
    """Four stages of bottlenecks."""

    hints = {
        "resnet50": [
            "It has the stem and the end of ResNet-18. How many bottlenecks does each stage have?",
            "3, 4, 6 and 3 of 64, 128, 256 and 512 filters; the first of a stage has stride 2.",
            "The very first one has stride 1: the pooling of the stem has halved the picture already.",
        ]
    }
    shown = (((40, 32, 3), 10),)
    kept = (((32, 48, 1), 6),)
    tolerance = PROBABILITIES


@exercise("mobilenet_block", functions=["mobilenet_block"], points=3, packages=["keras"])
class TestMobilenetBlock(Normalized):
    """Space first, then channels."""

    hints = {
        "mobilenet_block": [
            "Which of the two convolutions looks at the neighbours, which mixes the channels?",
            "Depthwise 3 x 3 with the stride, then 1 x 1; each normalized, then ReLU6.",
            '`layers.DepthwiseConv2D(3, strides=stride, padding="same", use_bias=False)`, `layers.ReLU(6.0)`.',
        ]
    }
    shown = (((6, 7, 3), 5), ((8, 7, 4), 4, 2))
    kept = (((5, 6, 2), 6, 2),)


@exercise("inverted_residual_block", functions=["inverted_residual_block"], points=4, packages=["keras"])
class TestInvertedResidualBlock(Normalized):
    """Wide inside, narrow outside, and linear at the end."""

    hints = {
        "inverted_residual_block": [
            "Where would a ReLU lose something for good: in the wide layer, or in the narrow one?",
            "A 1 x 1 to `expansion` times the channels, unless that is 1; depthwise 3 x 3 with the stride; a 1 x 1 without activation. All are normalized.",
            "Add `x` only `if stride == 1 and x.shape[-1] == filters`.",
        ]
    }
    shown = (((6, 7, 4), 4, 3), ((8, 7, 4), 4, 3, 2), ((6, 5, 4), 6, 2), ((5, 6, 4), 4, 1))
    kept = (((7, 8, 3), 5, 1, 2), ((5, 4, 3), 3, 6))


@exercise("darknet_block", functions=["darknet_block"], points=2, packages=["keras"])
class TestDarknetBlock(Normalized):
    """YOLO's residual block."""

    hints = {
        "darknet_block": [
            "How is it narrower than the identity block, and where does its last activation stand?",
            "1 x 1 of half the filters, 3 x 3 of all; each normalized, then leaky ReLU of 0.1; then the sum, and nothing after it.",
            "`layers.Add()([x, inner])`, where `inner` ends with `layers.LeakyReLU(negative_slope=0.1)`.",
        ]
    }
    shown = (((6, 7, 4), 4),)
    kept = (((5, 4, 10), 10),)


@exercise("darknet53", functions=["darknet53"], points=3, packages=["keras"])
class TestDarknet53(Plain):
    """The backbone of YOLOv3."""

    hints = {
        "darknet53": [
            "Nothing is pooled on the way. What makes the picture smaller?",
            "3 x 3 of 32 filters; then five times a 3 x 3 with stride 2 and twice the filters, followed by 1, 2, 8, 8 and 4 blocks.",
            "Every convolution is normalized with leaky ReLU, those between the stages too. At the end `layers.GlobalAveragePooling2D()` and a softmax.",
        ]
    }
    shown = (((32, 64, 3), 10),)
    kept = (((64, 32, 1), 6),)
    tolerance = PROBABILITIES
