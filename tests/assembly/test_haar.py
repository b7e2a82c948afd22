"""The parts of `haar` find faces together, and wrong parts do not, though each of them looks plausible."""

import numpy as np
import pytest

from course import data
from grader.misconceptions import haar as wrong
from grader.notebooks import solution_namespace

WINDOW, STEP, SIDE = 24, 6, 48
PLACES = [(8, 8), (64, 56)]


def picture():
    """Gravel, and two faces twice as large as the window."""
    image = data.picture("gravel", 112).mean(axis=2)
    for face, (x, y) in zip(data.faces()[0], PLACES, strict=False):
        image[y : y + SIDE, x : x + SIDE] = np.kron(face[:WINDOW, :WINDOW], np.ones((2, 2)))
    return image


def overlaps(boxes):
    """The IoU of each box with each face."""
    corners = np.array(PLACES, float)
    sides = np.minimum(boxes[:, None, 2:], corners + SIDE) - np.maximum(boxes[:, None, :2], corners)
    inner = np.prod(np.maximum(sides, 0), axis=2)
    return inner / (np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)[:, None] + SIDE**2 - inner)


def found(**replaced):
    """Boxes in the picture by a cascade trained on the windows of that same picture, some parts replaced."""
    parts = solution_namespace("haar")["train_cascade"].__globals__
    parts.update({name: part.wrong for name, part in replaced.items()})
    seen = []

    def collect(window):
        seen.append(window.copy())
        return True

    def scan(classify):
        return parts["detect_multiscale"](picture(), classify, WINDOW, 2.0, 4)

    best = overlaps(scan(collect)).max(axis=1)
    table = np.stack([parts["haar_features"](window, WINDOW, STEP)[0] for window in seen])
    descriptions = parts["haar_features"](seen[0], WINDOW, STEP)[1]
    clear = (best > 0.9) | (best < 0.4)
    if not (best > 0.9).any():
        return np.zeros((0, 4))
    cascade = parts["train_cascade"](table[clear], (best[clear] > 0.9).astype(int), 12, 2, 1.0)
    used = sorted({feature for model, _ in cascade for feature, *_ in model})
    stages = [([(used.index(feature), *rest) for feature, *rest in model], t) for model, t in cascade]

    def classify(window):
        integral = parts["integral_image"](window)
        values = [parts["haar_feature"](integral, *descriptions[feature]) for feature in used]
        return parts["cascade_predict"](stages, np.array([values]))[0][0]

    return scan(classify)


def all_found(boxes):
    """Whether there is a box on each face and none elsewhere."""
    table = overlaps(boxes)
    return len(table) > 0 and bool((table.max(axis=0) > 0.9).all() and (table.max(axis=1) >= 0.4).all())


def test_the_solution_finds_what_it_has_learned():
    assert all_found(found())


@pytest.mark.parametrize(
    ("function", "part"),
    [
        ("cascade_predict", wrong.one_yes_is_enough),
        ("detect_multiscale", wrong.not_scaled_back),
        ("detect_multiscale", wrong.size_not_scaled_back),
        ("detect_multiscale", wrong.cut_not_shrunk),
    ],
)
def test_a_wrong_part_is_found_out(function, part):
    assert not all_found(found(**{function: part}))
