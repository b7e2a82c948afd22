"""The solution's parts together learn a handful of scenes by heart; with a wrong part among them they do not."""

import numpy as np
import pytest
from scipy.ndimage import maximum_filter, minimum_filter

from course import scenes
from grader.misconceptions import segmentation as wrong
from grader.notebooks import solution_namespace
from kerasref.backend import keras
from kerasref.segmentation import mean_pixel_loss


@pytest.fixture(scope="module")
def parts():
    return solution_namespace("segmentation")


@pytest.fixture(autouse=True)
def single_precision():
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy(before)


@pytest.fixture(scope="module")
def drawn():
    """Six scenes, their masks, and the masks with borders that do not count."""
    images, truth = scenes.draw(6, seed=3, size=64)
    masks = scenes.segmentation(truth)
    borders = maximum_filter(masks, (0, 3, 3)) != minimum_filter(masks, (0, 3, 3))
    return images.astype(np.float32), masks, np.where(borders, 255, masks)


def learned(head, images, targets):
    """The logits of a small network with this head that was trained on the images."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input(images.shape[1:])
    pools = []
    for filters in (8, 16, 32, 48, 64):
        x = keras.layers.MaxPooling2D()(keras.layers.Conv2D(filters, 3, padding="same", use_bias=False)(x))
        x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.8)(x))
        pools.append(x)
    model = keras.Model(inputs, head(*pools[2:], 4))
    steps = 250
    rate = keras.optimizers.schedules.CosineDecay(0.01, steps)
    model.compile(keras.optimizers.Adam(rate), mean_pixel_loss)
    for _ in range(steps):
        model.train_on_batch(images, targets)
    return model.predict(images, verbose=0)


def score(parts, masks, logits):
    counts = masks != 255
    return parts["mean_iou"](masks[counts], logits.argmax(axis=-1)[counts], 4)


def test_the_parts_learn_a_handful_of_scenes(parts, drawn):
    images, _, marked = drawn
    logits = learned(parts["fcn8s"], images, marked)
    np.testing.assert_allclose(
        parts["pixel_cross_entropy"](marked, logits), float(mean_pixel_loss(marked, logits)), rtol=1e-4
    )
    assert score(parts, marked, logits) > 0.95


@pytest.mark.parametrize("head", [wrong.without_skip.wrong, wrong.probabilities_of_8.wrong])
def test_with_a_wrong_head_they_do_not(parts, drawn, head):
    images, _, marked = drawn
    assert score(parts, marked, learned(head, images, marked)) < 0.85


def test_with_borders_taken_for_a_class_they_do_not(parts, drawn):
    images, masks, marked = drawn
    assert score(parts, masks, learned(parts["fcn8s"], images, np.minimum(marked, 3))) < 0.85
