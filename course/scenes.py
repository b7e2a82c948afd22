"""Drawn scenes to detect and segment objects in: shapes on textured grounds, with their boxes, labels and masks.

Everything is drawn from a seed: scene `i` of a seed is always the same, however many are asked for.
"""

from itertools import combinations

import numpy as np

CLASSES = ("ellipse", "rectangle", "triangle")
"""What there is in a scene, by label."""

_FINE = 3  # samples a pixel along each axis, for smooth outlines
_TRIES = 20  # to find a place for one more
_LARGEST_OVERLAP = 0.35  # of two objects' boxes: they must not be taken for one


def draw(count, seed=0, size=64, most=3):
    """Scenes with one to `most` objects each, which may hide a part of each other, but never more than half.

    Args:
        count: how many scenes, at least 1.
        seed: a whole number from 0; another one gives other scenes.
        size: height and width in pixels, at least 16.
        most: the largest number of objects in a scene, at least 1.

    Returns:
        (images, truth): array (count, size, size, 3) of float64 in 0..1, and a list with a dict for each image:
        `boxes` (n, 4), x1 y1 x2 y2 in pixels around what is visible; `labels` (n,), places in `CLASSES`;
        `masks` (n, size, size) of bool, True where the object is visible.

    Raises:
        ValueError: for a number that is too small.
    """
    for name, given, least in (("count", count, 1), ("seed", seed, 0), ("size", size, 16), ("most", most, 1)):
        if given < least:
            raise ValueError(f"{name} is {given}; expected at least {least}")
    scenes = [_scene(np.random.default_rng([seed, place]), size, most) for place in range(count)]
    return np.stack([image for image, _ in scenes]), [objects for _, objects in scenes]


def segmentation(truth):
    """The class of every pixel.

    Args:
        truth: list of dicts, as `draw` gives them.

    Returns:
        (count, height, width) array of int: 0 where there is background, else the object's label + 1.
    """
    return np.stack([np.tensordot(each["labels"] + 1, each["masks"], axes=1) for each in truth])


def _scene(rng, size, most):
    colours = [rng.uniform(0.15, 0.85, size=3)]
    image = _textured(rng, size, colours[0], contrast=0.12)
    labels, shapes = [], []
    for _ in range(rng.integers(1, most + 1)):
        for _ in range(_TRIES):
            label = int(rng.integers(len(CLASSES)))
            cover = _cover(rng, size, label)
            tried = [*shapes, cover >= 0.5]
            if _can_be_told(tried):
                colours.append(_another_colour(rng, colours))
                image += cover * (_textured(rng, size, colours[-1], contrast=0.06) - image)
                labels, shapes = [*labels, label], tried
                break
    masks = _visible(shapes)
    boxes = np.array([_box(mask) for mask in masks])
    return np.clip(image, 0.0, 1.0), {"boxes": boxes, "labels": np.array(labels), "masks": np.stack(masks)}


def _cover(rng, size, label):
    """How much of each pixel, (size, size, 1), a new shape of this class covers."""
    width, height = np.maximum(6.0, size * rng.uniform(0.2, 0.5, size=2))
    left, top = rng.uniform(1, size - 1 - width), rng.uniform(1, size - 1 - height)
    at = (np.arange(size * _FINE) + 0.5) / _FINE
    x, y = ((at - left) / width)[np.newaxis, :], ((at - top) / height)[:, np.newaxis]  # the shape is in 0..1
    match CLASSES[label]:
        case "ellipse":
            inside = (2 * x - 1) ** 2 + (2 * y - 1) ** 2 <= 1
        case "rectangle":
            inside = (np.abs(2 * x - 1) <= 1) & (np.abs(2 * y - 1) <= 1)
        case "triangle":
            tip = rng.uniform(0.2, 0.8)
            y = y if rng.random() < 0.5 else 1 - y
            inside = (y <= 1) & (x >= tip * (1 - y)) & (x <= tip + (1 - tip) * y)
    return inside.reshape(size, _FINE, size, _FINE).mean(axis=(1, 3))[:, :, np.newaxis]


def _visible(shapes):
    """What the later shapes leave of each, as (size, size) masks."""
    masks, covered = [], np.zeros_like(shapes[0])
    for shape in reversed(shapes):
        masks.append((shape & ~covered)[:, :, 0])
        covered |= shape
    return masks[::-1]


def _can_be_told(shapes):
    """Whether half of each shape is seen, and no two boxes overlap too much."""
    masks = _visible(shapes)
    if any(2 * mask.sum() < shape.sum() for mask, shape in zip(masks, shapes, strict=True)):
        return False
    boxes = [_box(mask) for mask in masks]
    return all(_overlap(a, b) < _LARGEST_OVERLAP for a, b in combinations(boxes, 2))


def _box(mask):
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    return np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1], dtype=float)


def _overlap(a, b):
    """The part of the smaller box that lies in the other one."""
    width, height = np.maximum(0.0, np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]))
    return width * height / min(np.prod(a[2:] - a[:2]), np.prod(b[2:] - b[:2]))


def _another_colour(rng, colours):
    while True:
        colour = rng.uniform(size=3)
        if min(np.linalg.norm(colour - other) for other in colours) > 0.4:
            return colour


def _textured(rng, size, colour, contrast):
    """A colour with light and shade, stripes and grain, (size, size, 3)."""
    shade = _smooth(rng.normal(size=(4, 4)), size)
    angle, waves, phase = rng.uniform(0, np.pi), rng.uniform(3, 12), rng.uniform(0, 2 * np.pi)
    at = np.linspace(0, 2 * np.pi * waves, size)
    stripes = np.sin(np.cos(angle) * at[np.newaxis, :] + np.sin(angle) * at[:, np.newaxis] + phase)
    pattern = 0.6 * shade + 0.4 * rng.random() * stripes + 0.3 * rng.normal(size=(size, size))
    return colour + contrast * pattern[:, :, np.newaxis]


def _smooth(coarse, size):
    """A small (n, n) array stretched linearly to (size, size)."""
    at = np.linspace(0, len(coarse) - 1, size)
    weights = np.maximum(0.0, 1 - np.abs(at[:, np.newaxis] - np.arange(len(coarse))))
    return weights @ coarse @ weights.T
