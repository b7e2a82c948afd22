"""Checks of the assignment `rcnn`."""

import numpy as np

from grader.exercise import (
    assert_close,
    assert_refuses,
    assert_silent,
    assert_unchanged,
    core,
    driver,
    exercise,
    hidden,
)

SINGLE = {"rtol": 1e-5, "atol": 1e-5}
"""For `float32`, and for OpenCV, which interpolates with `float32` weights."""
TARGETS = ("labels", "deltas")


def some_region(rng, bins=(6, 9), box=None, size=None):
    """A region somewhere, which fills a part of its box."""
    if box is None:
        corner = rng.integers(0, 30, size=2)
        box = np.concatenate([corner, corner + rng.integers(3, 12, size=2)]).astype(float)
    area = (box[2] - box[0]) * (box[3] - box[1])
    return {
        "colour": rng.dirichlet(np.ones(bins[0])),
        "texture": rng.dirichlet(np.ones(bins[1])),
        "size": int(rng.integers(1, area + 1)) if size is None else size,
        "box": box,
    }


def unlike(rng, box, other, sizes=(None, None)):
    """Two regions whose histograms have nothing in common."""
    pair = (
        some_region(rng, box=np.array(box, float), size=sizes[0]),
        some_region(rng, box=np.array(other, float), size=sizes[1]),
    )
    for place, each in enumerate(pair):
        for key, bins in (("colour", 6), ("texture", 9)):
            each[key] = np.eye(bins)[place]
    return pair


def some_boxes(rng, n, height, width, least=3.0):
    """Boxes within an image of that size."""
    sides = rng.uniform(least, 0.6 * min(height, width), size=(n, 2))
    corners = rng.uniform(size=(n, 2)) * (np.array([width, height]) - sides)
    return np.concatenate([corners, corners + sides], axis=1)


def bands(height=24, width=33):
    """Three upright bands of plain colours, no two of which make the image's box, and an object in each."""
    image = np.zeros((height, width, 3))
    for place, (band, spot) in enumerate(
        [
            ((0.9, 0.2, 0.1), (0.9, 0.9, 0.5)),
            ((0.2, 0.7, 0.3), (0.1, 0.1, 0.2)),
            ((0.2, 0.3, 0.9), (0.9, 0.5, 0.8)),
        ]
    ):
        left = place * width // 3
        image[:, left : left + width // 3] = band
        image[4 + 4 * place : 11 + 4 * place, left + 3 : left + 8] = spot
    return image


def pixels(rng, *shape):
    """An image of noise in 33 levels, which ships in little space."""
    return rng.integers(33, size=shape) / 32


def mosaic(rng, rows=3, columns=4, side=8):
    """Tiles of random colours with some grain."""
    tiles = np.kron(rng.uniform(0.1, 0.9, size=(rows, columns, 3)), np.ones((side, side, 1)))
    return np.round(64 * np.clip(tiles + 0.02 * rng.normal(size=tiles.shape), 0, 1)) / 64


def found(came, image):
    """What came as boxes, each once: all within the image, none without an area."""
    boxes = np.asarray(came, float)
    if boxes.ndim != 2 or boxes.shape[1:] != (4,):
        raise AssertionError(f"the result has shape {boxes.shape}, expected (n, 4)")
    height, width = image.shape[:2]
    wrong = (boxes[:, :2] < 0).any(axis=1) | (boxes[:, 2:] > (width, height)).any(axis=1)
    wrong |= (boxes[:, 2:] <= boxes[:, :2]).any(axis=1)
    if wrong.any():
        raise AssertionError(
            f"the box {boxes[wrong][0].tolist()} does not lie within 0, 0, {width}, {height}, or has no area"
        )
    return np.unique(boxes.round(6), axis=0)


def assert_among(boxes, wanted, what):
    """Fail when one of the wanted boxes is missing."""
    for box in wanted:
        if len(boxes) == 0 or np.abs(boxes - box).max(axis=1).min() > 1e-5:
            raise AssertionError(f"{what}, {box.tolist()}, is not among your {len(boxes)} boxes")


def rounded_alike(box, size, context):
    """Whether no corner of the enlarged box is so near to a half that it may be rounded either way."""
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * size / (size - 2 * np.array(context))
    corners = np.concatenate([centre - half, centre + half])
    return (np.abs(corners % 1 - 0.5) > 0.02).all()


def box_to_warp(rng, height, width, size, context):
    """A box whose enlarged corners are not near a half."""
    while True:
        box = some_boxes(rng, 1, height, width)[0].round(2)
        if rounded_alike(box, size, context):
            return box


@exercise("regions", functions=["region_similarity", "merge_regions"], points=3)
class TestRegions:
    """How alike two regions are, and what they make together."""

    hints = {
        "region_similarity": [
            "What have two histograms in common in one bin? And which of the four terms needs the boxes?",
            "Add four numbers: two sums of minima, one less the share of both sizes in the image, one less the share of "
            "the gap: the area of the box around both, without their pixels.",
            '`np.minimum(a["colour"], b["colour"]).sum()`; `1 - (a["size"] + b["size"]) / image_size`; '
            '`1 - (area - a["size"] - b["size"]) / image_size`.',
        ],
        "merge_regions": [
            "Of 300 pixels half are red, of 100 pixels none. What share of the 400?",
            "Weigh each histogram by its size, add, and divide by both sizes. The corners of the box: the smaller x1 and y1, "
            "the larger x2 and y2.",
            '`(a["size"] * a["colour"] + b["size"] * b["colour"]) / (a["size"] + b["size"])`.',
        ],
    }

    @core
    def test_similarity(self, student, reference, rng):
        """Agrees with the definition on random regions."""
        for _ in range(3):
            a, b = some_region(rng), some_region(rng)
            assert_close(student.region_similarity(a, b, 2000), reference.region_similarity(a, b, 2000))

    def test_histograms(self, student, reference, rng):
        """In a huge image the terms of size and fill are nearly 1: what is left is what the histograms have in common."""
        a, b = some_region(rng), some_region(rng)
        assert_close(student.region_similarity(a, b, 10**9), reference.region_similarity(a, b, 10**9))

    def test_equal_regions(self, student, reference, rng):
        """A region is as like itself as any can be in colour and in texture: 1 each."""
        a = some_region(rng, box=np.array([2.0, 3, 6, 9]), size=12)
        assert_close(student.region_similarity(a, a, 10**9), reference.region_similarity(a, a, 10**9))

    def test_size(self, student, reference, rng):
        """Regions side by side without a gap, of other colours and textures: the term of fill is 1, that of size is left."""
        a, b = unlike(rng, (0, 0, 6, 5), (6, 0, 10, 5), sizes=(30, 20))
        assert_close(student.region_similarity(a, b, 400), reference.region_similarity(a, b, 400))

    def test_fill(self, student, reference, rng):
        """Two small regions far apart, of other colours and textures: the term of fill counts the gap between them."""
        a, b = unlike(rng, (1, 2, 3, 4), (15, 10, 18, 14), sizes=(3, 7))
        assert_close(student.region_similarity(a, b, 400), reference.region_similarity(a, b, 400))

    def test_either_way(self, student, reference, rng):
        """`region_similarity` is the same either way round, one box within the other too."""
        a = some_region(rng, box=np.array([0.0, 0, 12, 14]), size=100)
        b = some_region(rng, box=np.array([3.0, 4, 8, 7]))
        expected = reference.region_similarity(a, b, 300)
        assert_close(student.region_similarity(a, b, 300), expected)
        assert_close(student.region_similarity(b, a, 300), expected)

    @core
    def test_merged(self, student, reference, rng):
        """The parts of a merged region agree with the definition, on random regions."""
        a, b = some_region(rng), some_region(rng)
        assert_close(assert_unchanged(student.merge_regions, a, b), reference.merge_regions(a, b))

    def test_weights(self, student, reference, rng):
        """When a large region takes in a small one, its histograms hardly change."""
        a, b = unlike(rng, (0, 0, 30, 20), (30, 5, 34, 9), sizes=(590, 10))
        assert_close(student.merge_regions(a, b), reference.merge_regions(a, b))

    def test_box_within(self, student, reference, rng):
        """`merge_regions` finds the box around both, wherever they lie."""
        for box in [(4, 4, 6, 6), (0, 5, 3, 20), (5, 0, 20, 3)]:
            a, b = unlike(rng, (2, 2, 9, 9), box)
            assert_close(student.merge_regions(a, b), reference.merge_regions(a, b))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Histograms in `float32` do too, for both."""
        a, b = some_region(rng), some_region(rng)
        for each in (a, b):
            for key in ("colour", "texture", "box"):
                each[key] = each[key].astype(np.float32)
        assert_close(student.region_similarity(a, b, 999), reference.region_similarity(a, b, 999), **SINGLE)
        assert_close(student.merge_regions(a, b), reference.merge_regions(a, b), **SINGLE)


@exercise("selective_search", functions=["selective_search"], points=5, packages=["skimage", "cv2"])
class TestSelectiveSearch:
    """From many small regions to one."""

    hints = {
        "selective_search": [
            "Which pairs of labels stand beside or above each other somewhere? What do you need to keep for each such pair?",
            "Keep a dict from pairs to similarities. Take the best pair, merge, drop all pairs with either, and add a pair with the "
            "new region for every neighbour that either had; go on until the dict is empty.",
            "`a, b = max(alike, key=alike.get)`; `gone = [pair for pair in alike if a in pair or b in pair]`; the neighbours are "
            "all regions in `gone` but a and b.",
        ]
    }

    @core
    def test_whole_image(self, student, reference):
        """Ends with the box of the whole image, (0, 0, width, height); all boxes lie within it."""
        image = bands()
        boxes = found(assert_unchanged(student.selective_search, image, 1.0, 0.0, 5), image)
        assert_among(boxes, np.array([[0.0, 0.0, 33.0, 24.0]]), "the box of the whole image")
        assert_among(boxes, reference.initial_boxes(image, 1.0, 0.0, 5), "the box of a first region")

    def test_first_regions(self, student, reference, rng):
        """Has the boxes of all regions that the segmentation begins with, on an image with grain."""
        image = mosaic(rng)
        boxes = found(student.selective_search(image, 20.0, 0.5, 10), image)
        assert_among(boxes, reference.initial_boxes(image, 20.0, 0.5, 10), "the box of a first region")

    def test_parameters(self, student, reference, rng):
        """Hands `scale`, `sigma` and `min_size` on to the segmentation."""
        image = mosaic(rng)
        for scale, sigma, min_size in [(300.0, 0.8, 10), (20.0, 2.0, 10), (20.0, 0.5, 100)]:
            boxes = found(student.selective_search(image, scale, sigma, min_size), image)
            first = reference.initial_boxes(image, scale, sigma, min_size)
            assert_among(boxes, first, "the box of a first region")
            if len(boxes) > 2 * len(first) - 1:
                raise AssertionError(f"{len(first)} first regions make no {len(boxes)} different boxes")

    def test_halves_of_an_object(self, student):
        """Two halves of an object, small and much alike, merge before either merges with the ground."""
        image = np.full((40, 50, 3), (0.75, 0.8, 0.7))
        image[:, :2], image[:, -2:] = (0.2, 0.3, 0.5), (0.25, 0.3, 0.5)
        image[6:16, 8:13], image[6:16, 13:18] = (0.85, 0.1, 0.1), (0.75, 0.1, 0.1)
        image[24:29, 30:42], image[29:34, 30:42] = (0.1, 0.4, 0.1), (0.1, 0.5, 0.1)
        boxes = found(student.selective_search(image, 1.0, 0.0, 10), image)
        assert_among(
            boxes, np.array([[8.0, 6, 18, 16], [30.0, 24, 42, 34]]), "the box of an object of two halves"
        )

    def test_neighbours_only(self, student):
        """Two regions that do not touch do not merge, however much alike."""
        image = np.full((40, 50, 3), (0.3, 0.6, 0.4))
        image[:20] = (0.3, 0.6, 0.5)
        image[8:12, 6:10] = image[8:12, 30:34] = (0.9, 0.1, 0.1)
        boxes = found(student.selective_search(image, 1.0, 0.0, 10), image)
        assert_among(boxes, np.array([[6.0, 8, 10, 12], [30.0, 8, 34, 12]]), "the box of a first region")
        if (np.abs(boxes - (6, 8, 34, 12)).max(axis=1) < 1e-5).any():
            raise AssertionError("the box 6, 8, 34, 12 is around two regions with another one between them")

    def test_each_merge(self, student, reference, rng):
        """Each box is of a first region, or around two others: merged ones too go on to merge."""
        image = mosaic(rng, 3, 3)
        boxes = found(student.selective_search(image, 10.0, 0.5, 10), image)
        first = reference.initial_boxes(image, 10.0, 0.5, 10)
        assert_among(boxes, np.array([[0.0, 0, 24, 24]]), "the box of the whole image")
        around = np.concatenate(
            [np.minimum(boxes[:, None, :2], boxes[:, :2]), np.maximum(boxes[:, None, 2:], boxes[:, 2:])],
            axis=2,
        )
        around[np.eye(len(boxes), dtype=bool)] = -1
        for place, box in enumerate(boxes):
            hulls = np.delete(np.delete(around, place, axis=0), place, axis=1).reshape(-1, 4)
            merged = len(hulls) and np.abs(hulls - box).max(axis=1).min() < 1e-5
            if not merged and np.abs(first - box).max(axis=1).min() > 1e-5:
                raise AssertionError(f"the box {box.tolist()} is no first region's, nor around two others")

    @hidden
    def test_one_region(self, student):
        """A plain image has one region and one box."""
        image = np.full((9, 12, 3), 0.4)
        boxes = found(student.selective_search(image, 50.0, 0.5, 5), image)
        assert_close(boxes, np.array([[0.0, 0.0, 12.0, 9.0]]))

    @hidden
    def test_single_precision(self, student, reference):
        """Takes `float32`."""
        image = bands(30, 24).astype(np.float32)
        boxes = found(student.selective_search(image, 1.0, 0.0, 5), image)
        assert_among(boxes, reference.initial_boxes(image, 1.0, 0.0, 5), "the box of a first region")
        assert_among(boxes, np.array([[0.0, 0.0, 24.0, 30.0]]), "the box of the whole image")


@exercise("warp_region", functions=["warp_region"], points=3, packages=["skimage", "cv2"])
class TestWarpRegion:
    """Every proposal, in one size."""

    hints = {
        "warp_region": [
            "In the result the box takes s - 2p of s pixels. By which factor must it grow, about which point?",
            "Enlarge, round all four corners, and lay the pixels that there are into an array full of the mean colour; resize that.",
            "`half = (box[2:] - box[:2]) / 2 * target / (target - 2 * context)` with `target = np.array([width, height])`; at last "
            "`cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR)`.",
        ]
    }

    def agrees(self, student, reference, *args):
        assert_close(assert_unchanged(student.warp_region, *args), reference.warp_region(*args), **SINGLE)

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the definition for boxes well within the image."""
        image = pixels(rng, 40, 50, 2)
        for _ in range(2):
            box = box_to_warp(rng, 20, 30, 16, 3) + np.array([10, 10, 10, 10])
            self.agrees(student, reference, image, box, 16, 3)

    def test_no_context(self, student, reference, rng):
        """Without context, at its own size, a box of whole pixels is just cut out."""
        image = pixels(rng, 12, 15, 3)
        self.agrees(student, reference, image, np.array([4.0, 2, 11, 9]), 7, 0)

    def test_rounding(self, student, reference, rng):
        """Corners are rounded to the nearest whole pixel."""
        image = pixels(rng, 12, 15, 2)
        for box in ([4.3, 2.4, 10.7, 8.6], [3.6, 1.7, 11.2, 9.3]):
            self.agrees(student, reference, image, np.array(box), 8, 0)

    def test_interpolation(self, student, reference, rng):
        """Enlarges linearly, pixel centres at halves; and shrinks so."""
        image = pixels(rng, 14, 14, 3)
        self.agrees(student, reference, image, np.array([3.0, 4, 6, 8]), 12, 0)
        self.agrees(student, reference, image, np.array([0.0, 1, 13, 14]), 5, 0)

    def test_context(self, student, reference, rng):
        """The box fills the result but for `context` pixels on each side, whatever its shape."""
        image = pixels(rng, 40, 40, 1)
        self.agrees(student, reference, image, np.array([14.0, 12, 26, 20]), 24, 6)

    def test_default_context(self, student, reference, rng):
        """16 pixels of context are the default."""
        image = pixels(rng, 60, 60, 1)
        self.agrees(student, reference, image, np.array([20.0, 24, 36, 34]), 48)

    def test_height_and_width(self, student, reference, rng):
        """A pair is (height, width)."""
        image = pixels(rng, 30, 30, 3)
        box = box_to_warp(rng, 30, 30, np.array([18, 10]), 2)
        self.agrees(student, reference, image, box, (10, 18), 2)

    def test_missing_pixels(self, student, reference, rng):
        """Beyond the edge of the image there is its mean colour, channel by channel."""
        image = pixels(rng, 20, 24, 3) * np.array([1.0, 0.5, 0.2])
        for box in ([0.0, 0, 8, 6], [14.0, 12, 24, 20]):
            self.agrees(student, reference, image, np.array(box), 20, 5)

    @hidden
    def test_beyond_every_edge(self, student, reference, rng):
        """A box as large as the image has the mean colour all around."""
        image = pixels(rng, 16, 12, 3)
        self.agrees(student, reference, image, np.array([0.0, 0, 12, 16]), 32, 8)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, and an image of one channel."""
        image = pixels(rng, 24, 20, 1).astype(np.float32)
        self.agrees(student, reference, image, np.array([5.0, 6, 13, 20]), 16, 4)


@exercise("roi_pool", functions=["roi_pool"], points=4)
class TestRoiPool:
    """The largest of each bin."""

    hints = {
        "roi_pool": [
            "A box from feature 2 to feature 6, both counted: how many features, and where do two bins of it begin and end?",
            "Round the corners half up. Bin i goes from floor(i n / k) to ceil((i + 1) n / k), both plus the first feature; clip to "
            "the map; take the maximum where anything is left, else 0.",
            "`top, bottom = y1 + i * rows // height, y1 - (-(i + 1) * rows // height)`; then "
            "`features[max(top, 0) : max(bottom, 0), ...].max(axis=(0, 1))`.",
        ]
    }

    def agrees(self, student, reference, *args, **tolerance):
        assert_close(assert_unchanged(student.roi_pool, *args), reference.roi_pool(*args), **tolerance)

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the definition on random features and boxes."""
        boxes = some_boxes(rng, 4, 40, 48, least=8)
        self.agrees(student, reference, rng.normal(size=(10, 12, 3)), boxes, 2, 0.25)

    def test_inclusive(self, student, reference, rng):
        """Corners are inclusive: a box from feature 1 to feature 3 has three, and three bins hold one each."""
        features = rng.permutation(36.0 + np.arange(36)).reshape(6, 6, 1)
        self.agrees(student, reference, features, np.array([[1.0, 2, 3, 4]]), 3, 1.0)
        self.agrees(student, reference, features, np.array([[0.0, 0, 5, 5]]), 6, 1.0)

    def test_rounding(self, student, reference, rng):
        """Corners are rounded half up: 0.5 to 1, and 2.5 to 3."""
        features = rng.permutation(np.arange(64.0)).reshape(8, 8, 1)
        for box, size in [((2, 2, 18, 18), 5), ((10, 1, 27, 26), (8, 5)), ((5, 6, 21, 15), (3, 5))]:
            self.agrees(student, reference, features, np.array([box], float), size, 0.25)

    def test_bins_share_features(self, student, reference, rng):
        """Where features do not divide evenly, bins share some: of five, three bins have two, three and two."""
        features = rng.permutation(np.arange(100.0)).reshape(10, 10, 1)
        self.agrees(student, reference, features, np.array([[1.0, 2, 5, 6], [0.0, 0, 6, 7]]), 3, 1.0)

    def test_more_bins_than_features(self, student, reference, rng):
        """A small box fills all its bins, with the same features more than once."""
        self.agrees(
            student, reference, rng.normal(size=(6, 6, 2)), np.array([[2.0, 1, 3, 3], [4.0, 4, 4, 4]]), 4, 1.0
        )

    def test_bins_down_and_across(self, student, reference, rng):
        """A pair of bins is (height, width)."""
        boxes = some_boxes(rng, 2, 9, 11)
        self.agrees(student, reference, rng.normal(size=(9, 11, 2)), boxes, (2, 3), 1.0)
        self.agrees(student, reference, rng.normal(size=(9, 11, 2)), boxes, (3, 1), 1.0)

    def test_all_below_zero(self, student, reference, rng):
        """The largest of features below zero is below zero."""
        self.agrees(student, reference, -1 - rng.random((8, 8, 2)), some_boxes(rng, 3, 8, 8), 2, 1.0)

    def test_beyond_the_map(self, student, reference, rng):
        """What lies outside the map does not count; a bin with nothing in it is 0."""
        boxes = np.array([[-3.0, -2, 3, 2], [4.0, 3, 9, 12], [20.0, 20, 25, 25], [-9.0, 1, -4, 4]])
        self.agrees(student, reference, -1 - rng.random((6, 7, 2)), boxes, 3, 1.0)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, and gives an empty array for no boxes."""
        features = rng.normal(size=(7, 9, 3)).astype(np.float32)
        self.agrees(student, reference, features, 16 * some_boxes(rng, 3, 7, 9), 2, 1 / 16, **SINGLE)
        self.agrees(student, reference, features, np.zeros((0, 4)), (2, 3), 1 / 16)


@exercise("roi_align", functions=["bilinear", "roi_align"], points=6)
class TestRoiAlign:
    """Nothing is rounded."""

    hints = {
        "bilinear": [
            "Which place holds exactly the first feature: x = 0 or x = 0.5? Between which two features lies x = 3.2?",
            "Take 0.5 off and clamp to 0 .. w - 1. The floor of that is the left neighbour, one more (but not beyond the last) the "
            "right one, and what the floor took off is the share of the right one.",
            "`u = np.clip(x - 0.5, 0, width - 1)`, `left = np.floor(u).astype(int)`, `right = np.minimum(left + 1, width - 1)`, "
            "`(1 - share) * features[top, left] + share * features[top, right]`, and the same below.",
        ],
        "roi_align": [
            "Three bins with two samples each: six samples. Where are they, as shares of the box's width?",
            "Scale the box, do not round it. Of k bins with r samples each, sample s is at (s + 0.5) / (k r) of the side. Read all "
            "samples with `bilinear`, then average each r by r of them.",
            "`x = x1 + (np.arange(k * r) + 0.5) / (k * r) * (x2 - x1)`; `samples.reshape(n, h, r, w, r, c).mean(axis=(2, 4))`.",
        ],
    }

    def agrees(self, student, reference, *args, **tolerance):
        assert_close(assert_unchanged(student.roi_align, *args), reference.roi_align(*args), **tolerance)

    @core
    def test_between(self, student, reference, rng):
        """`bilinear` agrees with Keras between the pixels."""
        features = rng.normal(size=(5, 7, 3))
        x, y = rng.uniform(0.5, 6.5, size=8), rng.uniform(0.5, 4.5, size=8)
        assert_close(assert_unchanged(student.bilinear, features, x, y), reference.bilinear(features, x, y))

    def test_centres(self, student, reference, rng):
        """`bilinear` at the middle of a pixel, 0.5, 1.5, ..., is that pixel."""
        features = rng.normal(size=(3, 4, 2))
        x, y = np.arange(4) + 0.5, np.array([0.5, 2.5, 1.5, 0.5])
        assert_close(student.bilinear(features, x, y), reference.bilinear(features, x, y))

    def test_border(self, student, reference, rng):
        """`bilinear` beyond the outermost middles is what they are, also far outside."""
        features = rng.normal(size=(4, 5, 2))
        x = np.array([0.2, -3.0, 4.8, 9.0, 2.0, 2.3, 0.0, 5.0])
        y = np.array([1.7, 2.0, 1.2, 7.0, 0.1, -2.0, 0.0, 4.0])
        assert_close(student.bilinear(features, x, y), reference.bilinear(features, x, y))

    def test_any_shape(self, student, reference, rng):
        """`bilinear` takes places in an array of any shape, and a map of a single pixel."""
        features = rng.normal(size=(4, 3, 2))
        x, y = rng.uniform(0, 3, size=(2, 3, 2)), rng.uniform(0, 4, size=(2, 3, 2))
        assert_close(student.bilinear(features, x, y), reference.bilinear(features, x, y))
        assert_close(student.bilinear(features[:1, :1], x, y), reference.bilinear(features[:1, :1], x, y))

    @core
    def test_values(self, student, reference, rng):
        """`roi_align` agrees with the definition on random features and boxes within the map."""
        boxes = 8 + some_boxes(rng, 4, 40, 50)
        self.agrees(student, reference, rng.normal(size=(15, 17, 3)), boxes, 2, 0.25)

    def test_its_own_pixels(self, student, reference, rng):
        """A bin for each feature, and one sample in each: `roi_align` gives the features, not shifted by half of one."""
        features = rng.normal(size=(6, 7, 2))
        self.agrees(student, reference, features, np.array([[1.0, 2, 5, 5]]), (3, 4), 1.0, 1)

    def test_nothing_is_rounded(self, student, reference):
        """On a ramp, a box moved by a quarter of a feature moves its bins by a quarter."""
        ramp = np.tile(np.arange(12.0)[:, np.newaxis], (12, 1, 1))
        boxes = np.array([[2.0, 3, 8, 9], [2.25, 3, 8.25, 9], [2.25, 3, 9, 9]])
        self.agrees(student, reference, ramp, boxes, 3, 1.0)

    def test_samples(self, student, reference, rng):
        """Takes `sampling_ratio` by `sampling_ratio` samples in each bin, evenly spaced."""
        features, boxes = rng.normal(size=(12, 13, 2)), 1 + some_boxes(rng, 2, 10, 11)
        for ratio in (1, 3, 4):
            self.agrees(student, reference, features, boxes, 2, 1.0, ratio)

    def test_bins_down_and_across(self, student, reference, rng):
        """A pair of bins is (height, width)."""
        features, boxes = rng.normal(size=(9, 11, 2)), some_boxes(rng, 2, 9, 11)
        for size in ((2, 3), (3, 1)):
            self.agrees(student, reference, features, boxes, size, 1.0)

    def test_small_box(self, student, reference, rng):
        """A box smaller than one feature is not enlarged to one."""
        boxes = np.array([[3.2, 2.1, 3.6, 2.9], [1.9, 4.0, 2.2, 4.1]])
        self.agrees(student, reference, rng.normal(size=(7, 6, 2)), boxes, 2, 1.0)

    def test_beyond_the_map(self, student, reference, rng):
        """Samples outside the map are clamped to its border."""
        boxes = np.array([[-4.0, -3, 3, 2], [4.0, 3, 12, 11], [0.0, 0, 7, 6]])
        self.agrees(student, reference, rng.normal(size=(6, 7, 2)), boxes, 3, 1.0)

    @hidden
    def test_single_precision(self, student, reference, rng):
        """`roi_align` takes `float32`, and no boxes at all."""
        features = rng.normal(size=(8, 9, 3)).astype(np.float32)
        self.agrees(student, reference, features, 16 * some_boxes(rng, 3, 8, 9), (2, 3), 1 / 16, **SINGLE)
        self.agrees(student, reference, features, np.zeros((0, 4)), (2, 3), 1 / 16, **SINGLE)


@exercise("generate_anchors", functions=["generate_anchors"], points=3)
class TestGenerateAnchors:
    """The same boxes everywhere."""

    hints = {
        "generate_anchors": [
            "w h = (a s)², h / w = r. What is w? And how many anchors are there at one place, in which order?",
            "Make the sides of one place first, (ratios, scales) flattened, then all centres, (height, width) flattened, and let "
            "them meet by broadcasting: (places, 1) with (shapes,).",
            "`w = (scales * stride / np.sqrt(ratios)[:, np.newaxis]).ravel()`; "
            "`np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=-1).reshape(-1, 4)`.",
        ]
    }

    @staticmethod
    def agrees(student, reference, *args):
        assert_close(student.generate_anchors(*args), reference.generate_anchors(*args))

    @core
    def test_one_anchor(self, student, reference, rng):
        """One square anchor stands in the middle of its place, and has sides of scale times stride."""
        for stride in (16, int(rng.integers(3, 30))):
            self.agrees(student, reference, (1, 1), stride, (2,), (1,))

    @core
    def test_places(self, student, reference):
        """Each place of the map has its own, row by row."""
        self.agrees(student, reference, (2, 3), 8, (1,), (1,))

    def test_ratios(self, student, reference):
        """A ratio is height over width, at the same area."""
        self.agrees(student, reference, (1, 1), 10, (2,), (0.25, 1, 4))
        self.agrees(student, reference, (1, 1), 8, (1,), (0.5, 2, 3))

    def test_scales(self, student, reference):
        """A scale is the side of a square in strides."""
        self.agrees(student, reference, (1, 1), 8, (1, 2, 4.5), (1,))

    def test_order(self, student, reference):
        """Ratio by ratio, and in each scale by scale."""
        self.agrees(student, reference, (1, 1), 8, (1, 2, 4), (0.5, 1))

    def test_all_together(self, student, reference, rng):
        """Places, ratios and scales go together, in this order."""
        scales, ratios = rng.uniform(0.5, 4, size=2), rng.uniform(0.3, 3, size=3)
        self.agrees(student, reference, (2, 3), 16, scales, ratios)

    def test_default(self, student, reference):
        """By default three scales and three ratios, as in the paper."""
        self.agrees(student, reference, (2, 2), 16)

    @hidden
    def test_other_strides(self, student, reference):
        """Holds for a long map and an odd stride."""
        self.agrees(student, reference, (5, 1), 7, (0.5, 3), (2, 0.7))


def around(rng, box, spread, n):
    """Boxes near another one."""
    side = np.tile(box[2:] - box[:2], 2)
    return box + spread * side * rng.uniform(-1, 1, size=(n, 4))


OBJECTS = np.array([[4.0, 6, 22, 20], [30.0, 8, 50, 30], [10.0, 28, 34, 46]])


@driver
def there_and_back(rpn_proposals, targets, scores, anchors, image_size):
    """Proposals of a network that says just what it should."""
    labels, deltas = targets
    return rpn_proposals(np.where(labels == 1, scores, -1.0), deltas, anchors, image_size, 6000, 3, 0.7, 4)


@exercise("rpn", functions=["rpn_targets", "rpn_proposals"], points=7)
class TestRpn:
    """What an anchor should say, and what is made of what it says."""

    hints = {
        "rpn_targets": [
            "A table of IoUs, anchors by objects: what is the best of a row, what the best of a column, and whose is which?",
            "Begin with -1 everywhere. Rows decide first: below `negative` 0, from `positive` on 1. Then columns: wherever an entry equals the best "
            "of its column and is above 0, the row gets 1. Deltas go to the object that is the best of the row.",
            "`((overlaps == overlaps.max(axis=0)) & (overlaps > 0)).any(axis=1)`; "
            "`encode(gt_boxes[overlaps[chosen].argmax(axis=1)], anchors[chosen])`.",
        ],
        "rpn_proposals": [
            "Five steps. Which of them can change the result of the next one, and so must come before it?",
            "Decode, clip, drop what is small (and its scores!), sort and cut to `pre_nms`, suppress, cut to `post_nms`.",
            "`large = (boxes[:, 2:] - boxes[:, :2] >= min_size).all(axis=1)`; `best = np.argsort(-scores, kind='stable')[:pre_nms]`; "
            "`nms(boxes, scores, iou_threshold)[:post_nms]`.",
        ],
    }

    @staticmethod
    def target(student, reference, *args):
        assert_close(assert_unchanged(student.rpn_targets, *args), reference.rpn_targets(*args), TARGETS)

    @staticmethod
    def propose(student, reference, *args):
        assert_close(assert_unchanged(student.rpn_proposals, *args), reference.rpn_proposals(*args))

    @core
    def test_targets(self, student, reference, rng):
        """Labels and deltas agree with the definition, for anchors near objects and elsewhere."""
        near = [around(rng, box, spread, 5) for box in OBJECTS for spread in (0.05, 0.15, 0.3)]
        anchors = np.concatenate([*near, some_boxes(rng, 10, 50, 60)])
        self.target(student, reference, rng.permutation(anchors), OBJECTS)

    def test_positive(self, student, reference):
        """An IoU of just `positive` is enough."""
        anchors = np.array([[0.0, 0, 10, 10], [0.0, 0, 10, 5], [0.0, 0, 5, 10], [0.0, 0, 10, 4]])
        self.target(student, reference, anchors, np.array([[0.0, 0, 10, 10]]), 0.5, 0.25)

    def test_negative(self, student, reference):
        """An IoU of just `negative` is not below it: such an anchor is left out."""
        anchors = np.array([[0.0, 0, 10, 10], [0.0, 0, 5, 5], [0.0, 0, 4, 5], [20.0, 20, 30, 30]])
        self.target(student, reference, anchors, np.array([[0.0, 0, 10, 10]]), 0.5, 0.25)

    def test_best_anchor(self, student, reference):
        """The best anchor of an object is positive, however poor: between the thresholds, and below both."""
        objects = np.array([[0.0, 0, 10, 10], [30.0, 30, 40, 40]])
        anchors = np.array([[4.0, 0, 14, 10], [6.0, 0, 16, 10], [37.0, 30, 47, 40], [38.0, 30, 48, 40]])
        self.target(student, reference, anchors, objects)

    def test_ties(self, student, reference):
        """If several anchors are equally the best of an object, all are positive."""
        anchors = np.array([[7.0, 10, 17, 20], [13.0, 10, 23, 20], [10.0, 7, 20, 17], [14.0, 10, 24, 20]])
        self.target(student, reference, anchors, np.array([[10.0, 10, 20, 20]]))

    def test_out_of_reach(self, student, reference):
        """An object that no anchor touches makes none positive."""
        anchors = np.array([[0.0, 0, 8, 8], [10.0, 0, 18, 8], [0.0, 10, 8, 18]])
        self.target(student, reference, anchors, np.array([[1.0, 0, 8, 8], [40.0, 40, 50, 50]]))

    def test_whose_it_is(self, student, reference):
        """An anchor that is the best of one object, but overlaps another one more, moves onto the other one."""
        objects = np.array([[0.0, 0, 4, 10], [4.0, 0, 16, 10]])
        anchors = np.array([[2.0, 0, 16, 10], [30.0, 30, 40, 40]])
        self.target(student, reference, anchors, objects)

    def test_no_objects(self, student, reference, rng):
        """Without objects all anchors are negative, and all deltas 0."""
        self.target(student, reference, some_boxes(rng, 5, 40, 40), np.zeros((0, 4)))

    @hidden
    def test_thresholds(self, student, reference, rng):
        """Follows other thresholds, in `float32` too."""
        anchors = np.concatenate([around(rng, box, 0.3, 8) for box in OBJECTS]).astype(np.float32)
        expected = reference.rpn_targets(anchors, OBJECTS.astype(np.float32), 0.6, 0.5)
        assert_close(
            student.rpn_targets(anchors, OBJECTS.astype(np.float32), 0.6, 0.5), expected, TARGETS, **SINGLE
        )

    @core
    def test_proposals(self, student, reference, rng):
        """Proposals agree with the definition, for random scores and deltas."""
        anchors = reference.generate_anchors((3, 4), 16, (1, 2), (0.5, 1, 2))
        scores, deltas = rng.normal(size=len(anchors)), 0.2 * rng.normal(size=anchors.shape)
        self.propose(student, reference, scores, deltas, anchors, (48, 64), 40, 20, 0.5, 8)

    def test_moved(self, student, reference, rng):
        """A single anchor is moved by its deltas."""
        deltas = np.array([[0.1, -0.2, 0.3, -0.1]])
        self.propose(student, reference, np.ones(1), deltas, np.array([[20.0, 24, 40, 52]]), (80, 90))

    def test_clipped(self, student, reference):
        """Boxes are clipped to the image, x to its width and y to its height, before their sides are measured."""
        anchors = np.array([[-10.0, -20, 30, 30], [50.0, 10, 90, 45], [60.0, -30, 90, 8], [-9.0, 25, 8, 60]])
        self.propose(
            student,
            reference,
            np.array([0.9, 0.8, 0.7, 0.6]),
            np.zeros((4, 4)),
            anchors,
            (40, 70),
            9,
            9,
            0.7,
            9,
        )

    def test_least_side(self, student, reference):
        """Drops boxes with a side, either one, below `min_size`; a side of just that stays."""
        anchors = np.array([[0.0, 0, 16, 30], [20.0, 0, 35, 30], [40.0, 0, 70, 15], [40.0, 30, 70, 46]])
        self.propose(student, reference, np.array([0.1, 0.4, 0.3, 0.2]), np.zeros((4, 4)), anchors, (80, 80))

    def test_small_ones_first(self, student, reference):
        """A small box is dropped before it can suppress another one, and before the `pre_nms` best are counted."""
        anchors = np.array([[10.0, 10, 25, 40], [10.0, 10, 27, 40], [40.0, 10, 60, 40], [62.0, 10, 79, 40]])
        self.propose(
            student, reference, np.array([0.9, 0.8, 0.7, 0.6]), np.zeros((4, 4)), anchors, (80, 80), 2
        )

    def test_before_and_after(self, student, reference):
        """`pre_nms` counts before the suppression, `post_nms` after it."""
        shift = np.array([0.0, 1, 2, 30, 60, 61])
        anchors = np.array([[0.0, 0, 20, 20]]) + np.stack([shift, 0 * shift, shift, 0 * shift], axis=1)
        scores = np.array([0.9, 0.8, 0.7, 0.4, 0.6, 0.5])
        for pre, post in [(3, 3), (5, 2), (6, 3), (4, 1)]:
            self.propose(student, reference, scores, np.zeros((6, 4)), anchors, (90, 90), pre, post)

    def test_threshold(self, student, reference):
        """An IoU of just the threshold does not suppress."""
        anchors = np.array([[0.0, 0, 20, 20], [0.0, 0, 20, 40], [0.0, 0, 40, 20], [0.0, 0, 20, 22]])
        self.propose(
            student, reference, np.array([4.0, 3, 2, 1]), np.zeros((4, 4)), anchors, (80, 80), 9, 9, 0.5
        )

    def test_nothing_left(self, student, reference):
        """When all are too small, an empty array (0, 4) is left."""
        anchors = np.array([[0.0, 0, 5, 5], [10.0, 10, 14, 30]])
        self.propose(student, reference, np.ones(2), np.zeros((2, 4)), anchors, (50, 50))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, and follows its defaults."""
        anchors = reference.generate_anchors((3, 3), 32, (1, 2)).astype(np.float32)
        scores = rng.permutation(len(anchors)).astype(np.float32)
        deltas = (0.1 * rng.normal(size=anchors.shape)).astype(np.float32)
        expected = reference.rpn_proposals(scores, deltas, anchors, (96, 96))
        assert_close(student.rpn_proposals(scores, deltas, anchors, (96, 96)), expected, rtol=1e-5, atol=1e-4)

    def test_there_and_back(self, student, reference, rng):
        """A network that says just what your targets say proposes the objects themselves, and nothing else."""
        anchors = reference.generate_anchors((7, 8), 8, (1, 2, 3), (0.5, 1, 2))
        targets = student.rpn_targets(anchors, OBJECTS)
        scores = 1 + rng.random(len(anchors))
        came = student.rpn_proposals.driven_by(there_and_back)(targets, scores, anchors, (56, 64))
        boxes = np.asarray(came)
        assert_close(boxes[np.argsort(boxes[:, 0])], OBJECTS[np.argsort(OBJECTS[:, 0])], rtol=1e-6)


@exercise("detection_loss", functions=["smooth_l1", "detection_loss"], points=4)
class TestDetectionLoss:
    """Which class, and where."""

    hints = {
        "smooth_l1": [
            "Where do the parabola and the line meet, and do they have one height and one slope there?",
            "Take the absolute difference d. Below beta it is d squared over 2 beta, from beta on d less half of beta.",
            "`np.where(d < beta, d**2 / (2 * beta), d - beta / 2)`.",
        ],
        "detection_loss": [
            "Of the deltas of all classes, which four are asked? And which regions have no box?",
            "Log-softmax with each row's maximum taken off, at the true label; plus `weight` times the sum of the four smooth L1 terms, "
            "only where the label is above 0; the mean over all regions.",
            "`deltas[np.arange(n), labels]`; `(surprise + weight * (labels > 0) * errors).mean()`, 0 for n = 0.",
        ],
    }

    @staticmethod
    def some(rng, n=6, classes=4):
        labels = np.concatenate([[0, classes - 1], rng.integers(classes, size=n - 2)])
        return (
            2 * rng.normal(size=(n, classes)),
            labels,
            1.5 * rng.normal(size=(n, classes, 4)),
            1.5 * rng.normal(size=(n, 4)),
        )

    @core
    def test_smooth_l1(self, student, reference, rng):
        """`smooth_l1` agrees with Keras on both sides of beta, element by element."""
        y_true, y_pred = 2 * rng.normal(size=(2, 4, 5))
        assert_close(assert_unchanged(student.smooth_l1, y_true, y_pred), reference.smooth_l1(y_true, y_pred))

    def test_beta(self, student, reference, rng):
        """Follows `beta`: the square is divided by it, the line starts half of it lower."""
        y_true, y_pred = 2 * rng.normal(size=(2, 12))
        for beta in (0.5, 3.0):
            assert_close(student.smooth_l1(y_true, y_pred, beta), reference.smooth_l1(y_true, y_pred, beta))

    def test_where_they_meet(self, student, reference):
        """Square and line meet at beta, on either side of zero."""
        d = np.array([-2.0, -1.999, -2.001, 0, 1e-9, 1.999, 2.0, 2.001])
        assert_close(student.smooth_l1(0 * d, d, 2.0), reference.smooth_l1(0 * d, d, 2.0))

    def test_two_shapes(self, student, reference):
        """Refuses two shapes, which would broadcast in silence: (3, 1) with (3,); takes one."""
        assert_close(
            student.smooth_l1(np.zeros(3), np.arange(3.0)), reference.smooth_l1(np.zeros(3), np.arange(3.0))
        )
        assert_refuses(student.smooth_l1, np.zeros((3, 1)), np.zeros(3))

    @core
    def test_loss(self, student, reference, rng):
        """`detection_loss` agrees with Keras on random regions."""
        given = self.some(rng)
        assert_close(assert_unchanged(student.detection_loss, *given), reference.detection_loss(*given))

    def test_classes_alone(self, student, reference, rng):
        """When every box is right, the mean cross-entropy is left."""
        logits, labels, deltas, targets = self.some(rng)
        deltas = np.repeat(targets[:, np.newaxis], deltas.shape[1], axis=1)
        expected = reference.detection_loss(logits, labels, deltas, targets)
        assert_close(student.detection_loss(logits, labels, deltas, targets), expected)

    def test_boxes_alone(self, student, reference, rng):
        """When every class is sure and right, the boxes are left: four errors summed for each object, over all n regions."""
        logits, labels, deltas, targets = self.some(rng)
        logits = 1000.0 * np.eye(4)[labels]
        expected = reference.detection_loss(logits, labels, deltas, targets)
        assert_close(student.detection_loss(logits, labels, deltas, targets), expected)

    def test_background(self, student, reference, rng):
        """Background has no box, whatever its deltas."""
        logits, _, deltas, targets = self.some(rng, n=4)
        labels = np.zeros(4, int)
        expected = reference.detection_loss(logits, labels, deltas, targets)
        assert_close(student.detection_loss(logits, labels, deltas, targets), expected)

    def test_other_classes_boxes(self, student, reference, rng):
        """Only the true class' deltas count: those of all others may be anything."""
        logits, labels, deltas, targets = self.some(rng)
        wild = np.where(np.eye(4, dtype=bool)[labels][..., np.newaxis], deltas, 1e6)
        assert_close(
            student.detection_loss(logits, labels, wild, targets),
            reference.detection_loss(logits, labels, wild, targets),
        )

    def test_weight(self, student, reference, rng):
        """`weight` is of the boxes, not of the classes."""
        given = self.some(rng)
        for weight in (0.0, 2.5):
            assert_close(student.detection_loss(*given, weight), reference.detection_loss(*given, weight))

    def test_large_logits(self, student, reference, rng):
        """Stays finite, without a warning, for logits of thousands."""
        logits, *rest = self.some(rng)
        for scale in (1e3, -1e3):
            expected = reference.detection_loss(scale * logits, *rest)
            assert_close(assert_silent(student.detection_loss, scale * logits, *rest), expected)

    def test_no_regions(self, student, reference):
        """Is 0 without regions."""
        none = np.zeros((0, 3)), np.zeros(0, int), np.zeros((0, 3, 4)), np.zeros((0, 4))
        assert_close(assert_silent(student.detection_loss, *none), reference.detection_loss(*none))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, and as many classes as there are coordinates."""
        logits, labels, deltas, targets = self.some(rng, n=4, classes=4)
        given = logits.astype(np.float32), labels, deltas.astype(np.float32), targets.astype(np.float32)
        assert_close(student.detection_loss(*given), reference.detection_loss(*given), **SINGLE)


@exercise("mask_loss", functions=["mask_loss"], points=3)
class TestMaskLoss:
    """Yes or no, pixel by pixel, for one class."""

    hints = {
        "mask_loss": [
            "Which of the masks of a region is asked? Do the other classes have a say in it?",
            "Take each region's mask of its own label, (n, h, w), then the sigmoid cross-entropy of every pixel, then one mean.",
            "`z = mask_logits[np.arange(n), :, :, labels]`; `np.maximum(z, 0) - z * masks + np.log1p(np.exp(-np.abs(z)))`.",
        ]
    }

    @staticmethod
    def some(rng, n=3, height=4, width=5, classes=3):
        labels = rng.integers(classes, size=n)
        labels[0] = 0
        masks = rng.integers(2, size=(n, height, width)).astype(float)
        return 2 * rng.normal(size=(n, height, width, classes)), labels, masks

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random masks."""
        given = self.some(rng)
        assert_close(assert_unchanged(student.mask_loss, *given), reference.mask_loss(*given))

    def test_one_pixel(self, student, reference, rng):
        """A single pixel, of one class: its sigmoid cross-entropy."""
        for truth in (0.0, 1.0):
            given = rng.normal(size=(1, 1, 1, 1)), np.zeros(1, int), np.full((1, 1, 1), truth)
            assert_close(student.mask_loss(*given), reference.mask_loss(*given))

    def test_other_classes(self, student, reference, rng):
        """The masks of other classes may be anything, since nothing competes."""
        logits, labels, masks = self.some(rng)
        own = np.eye(3, dtype=bool)[labels][:, np.newaxis, np.newaxis]
        for others in (50.0, -50.0):
            given = np.where(own, logits, others), labels, masks
            assert_close(student.mask_loss(*given), reference.mask_loss(*given))

    def test_mean(self, student, reference, rng):
        """Is the mean over regions and pixels: twice the same region changes nothing."""
        logits, labels, masks = self.some(rng, n=1)
        twice = np.tile(logits, (2, 1, 1, 1)), np.tile(labels, 2), np.tile(masks, (2, 1, 1))
        assert_close(student.mask_loss(*twice), reference.mask_loss(*twice))

    def test_large_logits(self, student, reference, rng):
        """Stays finite, without a warning, for logits of thousands, right and wrong."""
        logits, labels, masks = self.some(rng)
        for scale in (1e3, -1e3):
            expected = reference.mask_loss(scale * logits, labels, masks)
            assert_close(assert_silent(student.mask_loss, scale * logits, labels, masks), expected)

    def test_bools(self, student, reference, rng):
        """Takes masks of bools."""
        logits, labels, masks = self.some(rng)
        expected = reference.mask_loss(logits, labels, masks > 0)
        assert_close(student.mask_loss(logits, labels, masks > 0), expected)

    def test_other_size(self, student, reference, rng):
        """Refuses masks of another size, which would broadcast in silence; takes those of one."""
        logits, labels, masks = self.some(rng)
        assert_close(student.mask_loss(logits, labels, masks), reference.mask_loss(logits, labels, masks))
        assert_refuses(student.mask_loss, logits, labels, masks[:, :1])

    @hidden
    def test_all_of_one_size(self, student, reference, rng):
        """Is right where all axes are of one size, so that a wrong one raises no error; in `float32`."""
        logits, labels, masks = self.some(rng, 3, 3, 3, 3)
        given = logits.astype(np.float32), labels, masks.astype(np.float32)
        assert_close(student.mask_loss(*given), reference.mask_loss(*given), **SINGLE)


@exercise("paste_mask", functions=["paste_mask"], points=3)
class TestPasteMask:
    """From a small mask to the image."""

    hints = {
        "paste_mask": [
            "The middle of the image's column 7 is at 7.5. How far across the box is that, and so how far across the mask?",
            "For every pixel centre in the box: share across times the mask's width, share down times its height, read by `bilinear`, "
            "compared with the threshold.",
            "`across = (x[inside] - x1) / (x2 - x1)`; `bilinear(mask[..., np.newaxis], across * mask.shape[1], down * mask.shape[0])`.",
        ]
    }

    @staticmethod
    def agrees(student, reference, *args):
        assert_close(assert_unchanged(student.paste_mask, *args), reference.paste_mask(*args))

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the definition on random masks and boxes."""
        for box in some_boxes(rng, 2, 20, 24, least=8):
            self.agrees(student, reference, rng.random((5, 5)), box, (20, 24))

    def test_whole_box(self, student, reference, rng):
        """A mask of ones fills the box, to its very edge: every pixel whose middle lies in it, and no other."""
        boxes = np.array([[2.2, 3.7, 9.4, 8.3], [2.8, 3.2, 9.6, 8.9], [5.0, 1.0, 9.0, 4.0]])
        for box in boxes:
            self.agrees(student, reference, np.ones((4, 4)), box, (12, 13))

    def test_half(self, student, reference):
        """A mask that rises from left to right fills the right part of the box, one from top to bottom the lower."""
        ramp = np.tile(np.linspace(0.05, 0.97, 6), (6, 1))
        for mask in (ramp, ramp.T):
            self.agrees(student, reference, mask, np.array([2.3, 1.6, 26.1, 28.8]), (30, 30))

    def test_smooth_outline(self, student, reference):
        """Between the mask's pixels the outline is smooth, not in steps."""
        mask = np.array([[0.9, 0.2, 0.1], [0.6, 0.8, 0.3], [0.1, 0.4, 0.7]])
        self.agrees(student, reference, mask, np.array([1.0, 1.0, 31.0, 25.0]), (26, 32))

    def test_not_square(self, student, reference, rng):
        """A mask (h, w) may be higher than wide, and so may the image."""
        self.agrees(student, reference, rng.random((7, 3)), np.array([1.2, 2.3, 9.1, 21.4]), (24, 11))

    def test_smaller_than_the_mask(self, student, reference, rng):
        """A box smaller than the mask picks some of it."""
        self.agrees(student, reference, rng.random((14, 14)), np.array([3.3, 2.6, 9.2, 8.7]), (12, 14))

    def test_threshold(self, student, reference, rng):
        """Follows the threshold."""
        mask, box = rng.random((4, 5)), np.array([1.3, 0.6, 17.7, 13.2])
        for threshold in (0.3, 0.8):
            self.agrees(student, reference, mask, box, (15, 19), threshold)

    def test_beyond_the_image(self, student, reference, rng):
        """What lies beyond the image is left out, and does not change the rest."""
        for box in ([-6.4, -3.2, 8.3, 9.7], [7.6, 5.1, 25.2, 30.3], [40.0, 3.0, 50.0, 9.0]):
            self.agrees(student, reference, 0.3 + 0.7 * rng.random((5, 5)), np.array(box), (14, 16))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32`, and a mask of one pixel."""
        box = np.array([2.3, 3.1, 12.4, 11.8])
        self.agrees(student, reference, rng.integers(2, size=(6, 6)).astype(np.float32) * 0.9, box, (16, 16))
        self.agrees(student, reference, np.array([[0.8]], np.float32), box, (16, 16))
