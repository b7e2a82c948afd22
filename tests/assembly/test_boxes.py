"""The parts of `boxes` put together find every object of drawn scenes; with a wrong part among them they do not."""

import numpy as np
import pytest

from course import scenes
from grader.misconceptions import boxes as wrong
from grader.notebooks import solution_namespace

SIZE = 64


def anchors():
    """Squares of three sizes on a grid over the whole image, some of which reach over its border."""
    centres = np.stack(np.meshgrid(*[np.arange(4.0, SIZE, 8)] * 2), axis=-1).reshape(-1, 2)
    return np.concatenate(
        [np.concatenate([centres - side / 2, centres + side / 2], axis=1) for side in (12.0, 20.0, 30.0)]
    )


def detected(part, truth):
    """What a network would say that has learned the truth by heart: of every anchor the object that it overlaps most."""
    images = []
    for objects in truth:
        overlaps = part["iou"](anchors(), objects["boxes"])
        best, scores = overlaps.argmax(axis=1), overlaps.max(axis=1)
        near = scores > 0.2
        deltas = part["encode_boxes"](objects["boxes"][best[near]], anchors()[near])
        boxes = part["decode_boxes"](deltas, anchors()[near])
        boxes, labels = part["clip_boxes"](boxes, SIZE, SIZE), objects["labels"][best[near]]
        kept = part["class_nms"](boxes, scores[near], labels)
        images.append({"boxes": boxes[kept], "scores": scores[near][kept], "labels": labels[kept]})
    return images


def mark(**replaced):
    """COCO's number of the parts, some of them replaced."""
    part = {**solution_namespace("boxes"), **replaced}
    _, truth = scenes.draw(12, seed=3, size=SIZE)
    return part["coco_mean_average_precision"](detected(part, truth), truth)


def test_the_parts_find_everything():
    assert mark() == 1


@pytest.mark.parametrize(
    "mistake",
    [
        wrong.encode_by_own_side,
        wrong.encode_without_log,
        wrong.encode_with_variances,
        wrong.decode_to_centres,
        wrong.decode_moves_the_corner,
        wrong.class_local_indices,
    ],
    ids=lambda mistake: mistake.wrong.__name__,
)
def test_a_wrong_part_is_seen(mistake):
    assert mark(**{mistake.function: mistake.wrong}) < 0.95


def test_copies_are_seen():
    assert mark(class_nms=lambda boxes, scores, labels: np.argsort(-scores)) < 0.95


def test_two_parts_that_agree_on_another_code_fit():
    """Variances in both, as in SSD, are another code and no mistake of the assembly."""
    assert (
        mark(encode_boxes=wrong.encode_with_variances.wrong, decode_boxes=wrong.decode_with_variances.wrong)
        == 1
    )
