"""The solution's parts of `ssd` together learn a handful of scenes by heart; with a wrong part among them they do not."""

from functools import cache

import numpy as np
import pytest

from course import scenes
from grader.exercise import misconceptions_of
from grader.notebooks import solution_namespace
from kerasref.backend import BACKEND, keras
from kerasref.boxes import mean_average_precision
from kerasref.ssd import multibox_losses

pytestmark = pytest.mark.skipif(BACKEND != "tensorflow", reason="one backend trains")

SIZE, CLASSES = 64, len(scenes.CLASSES) + 1
SOLUTION = solution_namespace("ssd")
WRONG = {mistake.wrong.__name__: mistake.wrong for mistake in misconceptions_of("ssd")}
IMAGES, TRUTH = scenes.draw(8, seed=3, size=SIZE)
DEFAULTS = SOLUTION["default_boxes"]([8, 4], SOLUTION["box_scales"](2, 0.28, 0.5), [1.0, 2.0, 0.5])


def network():
    """Numbers of 4 boxes a cell, on maps of 8 x 8 and 4 x 4 cells."""
    keras.utils.set_random_seed(0)
    layers = keras.layers
    x = scene = keras.Input((SIZE, SIZE, 3), dtype="float32")
    heads = []
    for filters, taken in [(16, False), (32, False), (48, True), (64, True)]:
        x = layers.Conv2D(filters, 5, 2, padding="same", activation="relu", dtype="float32")(x)
        if taken:
            numbers = layers.Conv2D(4 * (CLASSES + 4), 3, padding="same", dtype="float32")(x)
            heads.append(layers.Reshape((-1, CLASSES + 4), dtype="float32")(numbers))
    return keras.Model(scene, layers.Concatenate(axis=1, dtype="float32")(heads))


@cache
def learnt(ssd_targets):
    """Confidences and locations that a network has learnt to give for the scenes."""
    pairs = [ssd_targets(each["boxes"] / SIZE, each["labels"] + 1, DEFAULTS) for each in TRUTH]
    asked = np.array([np.column_stack(pair) for pair in pairs], np.float32)

    def loss(asked, said):
        labels = keras.ops.cast(asked[..., 0], "int32")
        return multibox_losses(said[..., :CLASSES], said[..., CLASSES:], labels, asked[..., 1:])

    model = network()
    model.compile(keras.optimizers.Adam(2e-3), loss)
    model.fit(IMAGES.astype(np.float32), asked, batch_size=len(IMAGES), epochs=150, verbose=0)
    said = model.predict(IMAGES.astype(np.float32), verbose=0).astype(float)
    powers = np.exp(said[..., :CLASSES] - said[..., :CLASSES].max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True), said[..., CLASSES:]


def score(ssd_targets, decode_ssd):
    """The mAP on the very scenes that were learnt."""
    found = []
    for confidences, locations in zip(*learnt(ssd_targets), strict=True):
        boxes, scores, labels = decode_ssd(locations, confidences, DEFAULTS, score_threshold=0.05)
        found.append({"boxes": SIZE * boxes, "scores": scores, "labels": labels - 1})
    return mean_average_precision(found, TRUTH)


def test_the_parts_learn_a_handful_of_scenes():
    assert score(SOLUTION["ssd_targets"], SOLUTION["decode_ssd"]) == 1.0


@pytest.mark.parametrize(
    ("part", "mistake"),
    [
        ("ssd_targets", "last_for_none"),
        ("decode_ssd", "decoded_without_variances"),
        ("decode_ssd", "reported_as_centres"),
    ],
)
def test_a_wrong_part_spoils_it(part, mistake):
    parts = {name: SOLUTION[name] for name in ("ssd_targets", "decode_ssd")}
    assert score(**{**parts, part: WRONG[mistake]}) < 0.9
