"""`yolo`, put together: the solution's parts overfit a handful of scenes, and do not where a part does not fit the others."""

import numpy as np
import pytest

from course import scenes
from grader.misconceptions import yolo as mistakes
from grader.notebooks import solution_namespace
from kerasref.backend import keras
from kerasref.boxes import mean_average_precision
from kerasref.yolo import grid_loss

SIZE, BOXES = 64, 2


@pytest.fixture(scope="module")
def parts():
    return solution_namespace("yolo")


@pytest.fixture(scope="module")
def few():
    images, truth = scenes.draw(4, seed=11)
    return images.astype(np.float32), truth


def targets(parts, truth, grid):
    given = (grid, len(scenes.CLASSES), (SIZE, SIZE))
    return np.stack([parts["encode_grid"](each["boxes"], each["labels"], *given) for each in truth])


def precision(parts, grids, truth):
    """The mean average precision of what the grids say."""
    found = []
    for grid in np.asarray(grids, dtype=float):
        decoded = parts["decode_grid"](grid, BOXES, len(scenes.CLASSES), (SIZE, SIZE))
        kept = parts["filter_detections"](*decoded, 0.05, 0.5)
        found.append(dict(zip(("boxes", "scores", "labels"), kept, strict=True)))
    return mean_average_precision(found, truth)


@pytest.fixture(scope="module")
def learned(parts, few):
    """The targets of a few scenes, and what the solution's network says after it has learned them by heart."""
    images, truth = few
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    try:
        keras.utils.set_random_seed(0)
        inputs = keras.Input((SIZE, SIZE, 3), dtype="float32")
        network = keras.Model(inputs, parts["tiny_yolo"](inputs, BOXES, len(scenes.CLASSES)))
        wanted = targets(parts, truth, network.output_shape[1]).astype(np.float32)
        falling = keras.optimizers.schedules.CosineDecay(5e-3, 120)
        network.compile(keras.optimizers.Adam(falling), grid_loss, jit_compile=False)
        network.fit(images, wanted, batch_size=4, epochs=120, verbose=0)
        return wanted, network.predict(images, verbose=0)
    finally:
        keras.config.set_dtype_policy(before)


def test_the_parts_overfit_a_handful_of_scenes(parts, few, learned):
    wanted, said = learned
    assert precision(parts, said, few[1]) == 1
    assert parts["yolo_v1_loss"](wanted, said) < 0.1 * parts["yolo_v1_loss"](wanted, np.full_like(said, 0.5))


def test_the_loss_that_trains_is_the_students(parts, learned):
    wanted, said = learned
    ours = grid_loss(*map(keras.ops.convert_to_tensor, (wanted, said)))
    np.testing.assert_allclose(parts["yolo_v1_loss"](wanted, said), float(ours), rtol=1e-4)


SWAPPED = {
    "a transposed grid": {"decode_grid": mistakes.decoded_transposed},
    "a corner taken for the centre": {"decode_grid": mistakes.decoded_from_the_corner},
    "places that forget their cell": {"decode_grid": mistakes.decoded_without_offsets},
    "sizes taken for shares of the cell": {"decode_grid": mistakes.decoded_sizes_in_cells},
}


@pytest.mark.parametrize("swap", SWAPPED)
def test_a_part_that_does_not_fit_ruins_it(parts, few, learned, swap):
    wrong = {name: getattr(part, "wrong", part) for name, part in SWAPPED[swap].items()}
    assert precision({**parts, **wrong}, learned[1], few[1]) < 0.95


def test_targets_are_read_as_the_truth(parts, few):
    """Without a network between: what `encode_grid` writes, said by both boxes, comes back whole."""
    wanted = targets(parts, few[1], 8)
    twice = np.concatenate([wanted[..., :5], wanted], axis=-1)
    assert precision(parts, twice, few[1]) == 1
