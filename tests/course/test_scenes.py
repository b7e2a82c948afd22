"""Drawn scenes hold what their truth says, and stay the same."""

import numpy as np
import pytest

from course import scenes


@pytest.mark.parametrize(("size", "most"), [(64, 3), (96, 1), (16, 6)])
def test_the_truth_fits_the_pictures(size, most):
    images, truth = scenes.draw(40, seed=3, size=size, most=most)
    assert images.shape == (40, size, size, 3) and images.dtype == np.float64
    assert images.min() >= 0 and images.max() <= 1
    for image, objects in zip(images, truth, strict=True):
        count = len(objects["labels"])
        assert 1 <= count <= most
        assert objects["boxes"].shape == (count, 4) and objects["masks"].shape == (count, size, size)
        assert set(objects["labels"].tolist()) <= {0, 1, 2}
        assert objects["masks"].sum(axis=0).max() == 1, "two objects claim a pixel"
        ground = image[~objects["masks"].any(axis=0)].mean(axis=0)
        for (x1, y1, x2, y2), mask in zip(objects["boxes"].astype(int), objects["masks"], strict=True):
            assert mask[y1:y2, x1:x2].sum() == mask.sum() > 0
            assert mask[y1].any() and mask[y2 - 1].any() and mask[:, x1].any() and mask[:, x2 - 1].any()
            assert np.linalg.norm(image[mask].mean(axis=0) - ground) > 0.2, "the object cannot be seen"


def test_shapes_fill_their_boxes_as_their_class_does():
    _, truth = scenes.draw(300, seed=1, most=1)
    for label, share in enumerate((np.pi / 4, 1.0, 0.5)):
        filled = [
            each["masks"][0].sum() / np.prod(each["boxes"][0, 2:] - each["boxes"][0, :2])
            for each in truth
            if each["labels"][0] == label
        ]
        assert len(filled) > 60
        assert np.allclose(filled, share, atol=0.12), scenes.CLASSES[label]


def test_objects_hide_each_other_at_times():
    _, truth = scenes.draw(100)
    touching = [
        (
            each["masks"].sum(axis=(1, 2))
            < 0.4 * np.prod(each["boxes"][:, 2:] - each["boxes"][:, :2], axis=1)
        ).any()
        for each in truth
    ]
    assert 0 < sum(touching) < 50


def test_a_scene_hangs_on_its_seed_and_place_alone():
    few, _ = scenes.draw(3, seed=7)
    many, _ = scenes.draw(5, seed=7)
    others, _ = scenes.draw(3, seed=8)
    assert np.array_equal(few, many[:3])
    assert not np.isclose(few, others).all(axis=(1, 2, 3)).any()


def test_segmentation_gives_each_pixel_its_class():
    _, truth = scenes.draw(10)
    classes = scenes.segmentation(truth)
    assert classes.shape == (10, 64, 64) and classes.dtype.kind == "i"
    for row, objects in zip(classes, truth, strict=True):
        assert (row[~objects["masks"].any(axis=0)] == 0).all()
        for label, mask in zip(objects["labels"], objects["masks"], strict=True):
            assert (row[mask] == label + 1).all()


@pytest.mark.parametrize("bad", [{"count": 0}, {"seed": -1}, {"size": 15}, {"most": 0}])
def test_bad_numbers_are_named(bad):
    with pytest.raises(ValueError, match=f"^{next(iter(bad))} is "):
        scenes.draw(**{"count": 1} | bad)
