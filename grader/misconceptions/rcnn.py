"""Well-known wrong answers to the assignment `rcnn`."""

import numpy as np

from grader.exercise import misconception


def iou(a, b):
    sides = np.minimum(a[:, None, 2:], b[:, 2:]) - np.maximum(a[:, None, :2], b[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b)]
    union = areas[0][:, None] + areas[1] - shared
    return np.divide(shared, union, out=np.zeros(shared.shape), where=union > 0)


def nms(boxes, scores, iou_threshold):
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        kept.append(order[0])
        order = order[1:][iou(boxes[order[:1]], boxes[order[1:]])[0] <= iou_threshold]
    return np.array(kept, int)


def encode(boxes, anchors):
    sides, anchor_sides = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
    shift = (boxes[:, :2] + boxes[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2
    return np.concatenate([shift / anchor_sides, np.log(sides / anchor_sides)], axis=1)


def decode(deltas, anchors):
    sides = anchors[:, 2:] - anchors[:, :2]
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2 + deltas[:, :2] * sides
    half = sides * np.exp(deltas[:, 2:]) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


def both(size):
    return tuple(size) if np.ndim(size) else (size, size)


SIMILARITY, MERGE = "regions.region_similarity", "regions.merge_regions"


def hull(a, b):
    return np.concatenate([np.minimum(a["box"], b["box"])[:2], np.maximum(a["box"], b["box"])[2:]])


def area(box):
    return (box[2] - box[0]) * (box[3] - box[1])


def terms(a, b, image_size, common=np.minimum):
    sizes = a["size"] + b["size"]
    return (
        common(a["colour"], b["colour"]).sum(),
        common(a["texture"], b["texture"]).sum(),
        1 - sizes / image_size,
        1 - (area(hull(a, b)) - sizes) / image_size,
    )


@misconception(
    SIMILARITY,
    "You take the larger of two shares in each bin. What two histograms have in common is the smaller one: with the larger, "
    "the less alike two regions are, the more they seem so.",
)
def larger_of_both(a, b, image_size):
    return sum(terms(a, b, image_size, common=np.maximum))


@misconception(
    SIMILARITY,
    "You multiply the histograms bin by bin. Their intersection takes the smaller share of each bin: a region is then "
    "alike to itself by exactly 1.",
)
def product_of_histograms(a, b, image_size):
    return sum(terms(a, b, image_size, common=np.multiply))


@misconception(
    SIMILARITY,
    "You add how much the histograms differ. That is large for regions that have nothing in common: add what they share, "
    "the smaller of both in each bin.",
)
def differences_of_histograms(a, b, image_size):
    return sum(terms(a, b, image_size, common=lambda one, other: np.abs(one - other)))


@misconception(
    SIMILARITY,
    "The term of size lacks the image: sizes in pixels are far larger than all other terms. Divide by `image_size`.",
)
def size_in_pixels(a, b, image_size):
    colour, texture, _, fill = terms(a, b, image_size)
    return colour + texture + 1 - (a["size"] + b["size"]) + fill


@misconception(
    SIMILARITY,
    "The term of size has the wrong sign: small regions are to merge first, so it must fall as they grow: one *less* "
    "their share of the image.",
)
def large_ones_first(a, b, image_size):
    colour, texture, size, fill = terms(a, b, image_size)
    return colour + texture + (1 - size) + fill


@misconception(
    SIMILARITY,
    "The term of fill takes the whole box around both. What should cost is the gap: the box *without* the pixels of the two "
    "regions.",
)
def fill_takes_the_whole_box(a, b, image_size):
    colour, texture, size, _ = terms(a, b, image_size)
    return colour + texture + size + 1 - area(hull(a, b)) / image_size


@misconception(
    SIMILARITY,
    "The term of fill is divided by the box around both. It is a share of the whole image, like the term of size.",
)
def fill_as_share_of_the_box(a, b, image_size):
    colour, texture, size, _ = terms(a, b, image_size)
    return colour + texture + size + (a["size"] + b["size"]) / area(hull(a, b))


@misconception(
    SIMILARITY,
    "The gap is taken from the areas of the two boxes. A region need not fill its box: take its `size` in pixels.",
)
def boxes_for_pixels(a, b, image_size):
    colour, texture, size, _ = terms(a, b, image_size)
    gap = area(hull(a, b)) - area(a["box"]) - area(b["box"])
    return colour + texture + size + 1 - gap / image_size


@misconception(SIMILARITY, "The four terms are averaged: selective search adds them.")
def mean_of_the_terms(a, b, image_size):
    return sum(terms(a, b, image_size)) / 4


@misconception(
    SIMILARITY,
    "The term of fill is missing: regions far apart are as alike as those that fit into each other.",
)
def without_fill(a, b, image_size):
    return sum(terms(a, b, image_size)[:3])


def merged(a, b, weight_a, weight_b, box):
    mixed = {
        key: (weight_a * a[key] + weight_b * b[key]) / (weight_a + weight_b) for key in ("colour", "texture")
    }
    return {**mixed, "size": a["size"] + b["size"], "box": box}


@misconception(
    MERGE,
    "Both histograms count the same, however large their regions. A histogram of all pixels together is the mean weighted "
    "by size.",
)
def plain_mean(a, b):
    return merged(a, b, 1, 1, hull(a, b))


@misconception(
    MERGE,
    "The histograms are added up, so that they sum to more than 1 and grow with every merge. Divide by the size of both.",
)
def not_divided(a, b):
    return {
        **{key: a["size"] * a[key] + b["size"] * b[key] for key in ("colour", "texture")},
        "size": a["size"] + b["size"],
        "box": hull(a, b),
    }


@misconception(MERGE, "The histograms are only added: they then sum to 2. Take their mean, weighted by size.")
def sum_of_shares(a, b):
    return {
        **{key: a[key] + b[key] for key in ("colour", "texture")},
        "size": a["size"] + b["size"],
        "box": hull(a, b),
    }


@misconception(
    MERGE,
    "The smaller of all four corners was taken, or the larger: the box around both has the smaller x1 and y1, and the larger "
    "x2 and y2.",
)
def smaller_corners(a, b):
    return merged(a, b, a["size"], b["size"], np.minimum(a["box"], b["box"]))


@misconception(
    MERGE,
    "That is the box that both share. The merged region needs the box around both: the smaller x1 and y1, the larger x2 and y2.",
)
def shared_box(a, b):
    box = np.concatenate([np.maximum(a["box"], b["box"])[:2], np.minimum(a["box"], b["box"])[2:]])
    return merged(a, b, a["size"], b["size"], box)


@misconception(
    MERGE, "The size of the merged region is not the area of its box: it is the pixels of both regions."
)
def size_of_the_box(a, b):
    return {**merged(a, b, a["size"], b["size"], hull(a, b)), "size": area(hull(a, b))}


SEARCH = "selective_search.selective_search"


def first_regions(image, scale, sigma, min_size, transposed=False, last=1):
    """Labels, and what a simple search keeps of each region."""
    from skimage.segmentation import felzenszwalb  # absent where only NumPy is

    labels = felzenszwalb(image, scale=scale, sigma=sigma, min_size=min_size, channel_axis=2)
    bins = np.clip(image * 25, 0, 24).astype(int)
    down, right = np.gradient(image, axis=(0, 1))
    steps = np.clip(np.hypot(down, right) * 50, 0, 24).astype(int)
    regions = []
    for label in range(labels.max() + 1):
        y, x = np.nonzero(labels == label)
        box = np.array([x.min(), y.min(), x.max() + last, y.max() + last], float)
        regions.append(
            {
                "colour": shares(bins[y, x]),
                "texture": shares(steps[y, x]),
                "size": len(y),
                "box": box[[1, 0, 3, 2]] if transposed else box,
            }
        )
    return labels, regions


def shares(bins):
    counts = np.concatenate([np.bincount(channel, minlength=25) for channel in bins.T])
    return counts / counts.sum()


def touching(labels):
    pairs = np.concatenate(
        [
            np.stack([labels[:-1].ravel(), labels[1:].ravel()], axis=1),
            np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()], axis=1),
        ]
    )
    return {(a, b) for a, b in np.sort(pairs, axis=1).tolist() if a != b}


def grown(labels, regions, pairs, best=max, rounds=None):
    """The regions, and those that they grow into."""

    def similarity(a, b):
        return sum(terms(regions[a], regions[b], labels.size))

    alike = {each: similarity(*each) for each in sorted(pairs)}
    while alike and rounds != 0:
        a, b = best(alike, key=alike.get)
        new = len(regions)
        regions.append(
            merged(
                regions[a], regions[b], regions[a]["size"], regions[b]["size"], hull(regions[a], regions[b])
            )
        )
        gone = [each for each in alike if a in each or b in each]
        beside = {region for each in gone for region in each} - {a, b}
        alike = {each: value for each, value in alike.items() if each not in gone}
        alike |= {(region, new): similarity(region, new) for region in sorted(beside)}
        rounds = None if rounds is None else rounds - 1
    return np.array([region["box"] for region in regions])


@misconception(
    SEARCH,
    "The least alike neighbours merge first. Take the pair with the *largest* similarity in each round.",
)
def least_alike_first(image, scale, sigma, min_size):
    labels, regions = first_regions(image, scale, sigma, min_size)
    return grown(labels, regions, touching(labels), best=min)


@misconception(
    SEARCH,
    "Regions that do not touch merge too, and their boxes hold whatever lies between. Compare neighbours only.",
)
def all_pairs(image, scale, sigma, min_size):
    labels, regions = first_regions(image, scale, sigma, min_size)
    count = len(regions)
    return grown(labels, regions, {(a, b) for b in range(count) for a in range(b)})


@misconception(
    SEARCH,
    "x and y have changed places: rows are y, columns are x. On a square image of round things one hardly sees it.",
)
def rows_for_x(image, scale, sigma, min_size):
    labels, regions = first_regions(image, scale, sigma, min_size, transposed=True)
    return grown(labels, regions, touching(labels))


@misconception(
    SEARCH,
    "Your boxes end where the last pixel begins. Pixel 5 covers 5 to 6: x2 and y2 are one more than the last column and row.",
)
def ends_a_pixel_early(image, scale, sigma, min_size):
    labels, regions = first_regions(image, scale, sigma, min_size, last=0)
    return grown(labels, regions, touching(labels))


@misconception(
    SEARCH, "Only the first regions' boxes come out: those of merged regions are what finds whole objects."
)
def first_regions_only(image, scale, sigma, min_size):
    labels, regions = first_regions(image, scale, sigma, min_size)
    return grown(labels, regions, set())


@misconception(SEARCH, "Only merged regions' boxes come out: an object may well be one of the first regions.")
def merged_only(image, scale, sigma, min_size):
    labels, regions = first_regions(image, scale, sigma, min_size)
    count = len(regions)
    boxes = grown(labels, regions, touching(labels))
    return boxes[count:] if len(boxes) > count else boxes


@misconception(
    SEARCH,
    "The neighbours that touched at the beginning merge once, and then it stops: a merged region must be compared with the "
    "neighbours of both its parts, so that it can grow on.",
)
def merged_regions_stay(image, scale, sigma, min_size):
    labels, regions = first_regions(image, scale, sigma, min_size)
    pairs = sorted(touching(labels))
    alike = sorted(pairs, key=lambda pair: -sum(terms(regions[pair[0]], regions[pair[1]], labels.size)))
    gone: set[int] = set()
    for a, b in alike:
        if not {a, b} & gone:
            gone |= {a, b}
            regions.append({"box": hull(regions[a], regions[b])})
    return np.array([region["box"] for region in regions])


@misconception(
    SEARCH,
    "The segmentation runs with its own `scale`, `sigma` and `min_size`: hand yours on to `felzenszwalb`.",
)
def own_parameters(image, scale, sigma, min_size):
    labels, regions = first_regions(image, 1, 0.8, 20)
    return grown(labels, regions, touching(labels))


WARP = "warp_region.warp_region"


def nearest(corners):
    return np.floor(corners + 0.5).astype(int)


def warped(image, box, size, context, enlarge=None, fill=None, rounded=nearest):
    height, width = both(size)
    target = np.array([width, height])
    box = np.asarray(box, float)
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2
    half = half * target / (target - 2 * context) if enlarge is None else enlarge(half)
    x1, y1 = rounded(centre - half)
    x2, y2 = rounded(centre + half)
    rows, columns = np.arange(y1, max(y2, y1 + 1)), np.arange(x1, max(x2, x1 + 1))
    return resized(cut(image, rows, columns, fill), height, width)


def cut(image, rows, columns, fill=None):
    crop = image[np.clip(rows, 0, image.shape[0] - 1)][:, np.clip(columns, 0, image.shape[1] - 1)].astype(
        float
    )
    outside = ((rows < 0) | (rows >= image.shape[0]))[:, None] | (columns < 0) | (columns >= image.shape[1])
    if fill is not False:
        crop[outside] = image.mean(axis=(0, 1)) if fill is None else fill
    return crop


def resized(crop, height, width, method="INTER_LINEAR"):
    import cv2  # absent where only NumPy is

    return cv2.resize(crop, (width, height), interpolation=getattr(cv2, method)).reshape(height, width, -1)


@misconception(WARP, "There is no context: the box must be enlarged before it is cut out.")
def without_context(image, box, size, context=16):
    return warped(image, box, size, context, enlarge=lambda half: half)


@misconception(
    WARP,
    "The context is added in pixels of the image. It is meant in pixels of the result: a box of w grows to w s / (s - 2p).",
)
def context_in_the_image(image, box, size, context=16):
    return warped(image, box, size, context, enlarge=lambda half: half + context)


@misconception(
    WARP,
    "The box is enlarged by s / (s - p): there is context on both sides, so s - 2p of s pixels are the box's.",
)
def context_on_one_side(image, box, size, context=16):
    target = np.array(both(size)[::-1])
    return warped(image, box, size, context, enlarge=lambda half: half * target / (target - context))


@misconception(
    WARP,
    "Beyond the edge your result is black. Missing pixels are the image's mean, which a network sees as nothing in "
    "particular.",
)
def black_beyond_the_edge(image, box, size, context=16):
    return warped(image, box, size, context, fill=0.0)


@misconception(WARP, "Beyond the edge you repeat the border's pixels: missing pixels are the image's mean.")
def border_repeated(image, box, size, context=16):
    return warped(image, box, size, context, fill=False)


@misconception(
    WARP, "Beyond the edge is the mean of all channels together: each channel has a mean of its own."
)
def one_mean_for_all_channels(image, box, size, context=16):
    return warped(image, box, size, context, fill=image.mean())


@misconception(
    WARP,
    "The box was clipped to the image before it was cut out, so what is left is stretched, and the object is no longer where the "
    "context says. Cut out the whole of it, and fill what is missing.",
)
def clipped_to_the_image(image, box, size, context=16):
    height, width = both(size)
    target = np.array([width, height])
    box = np.asarray(box, float)
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * target / (target - 2 * context)
    x1, y1 = np.maximum(nearest(centre - half), 0)
    x2, y2 = np.minimum(nearest(centre + half), image.shape[1::-1])
    return resized(image[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)].astype(float), height, width)


@misconception(WARP, "Corners are cut off to whole numbers, not rounded: 10.7 is nearer to 11.")
def corners_cut_off(image, box, size, context=16):
    return warped(image, box, size, context, rounded=lambda corners: np.floor(corners).astype(int))


@misconception(WARP, "Each pixel is repeated, not interpolated: resize linearly.")
def nearest_pixel(image, box, size, context=16):
    height, width = both(size)
    target = np.array([width, height])
    box = np.asarray(box, float)
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * target / (target - 2 * context)
    (x1, y1), (x2, y2) = nearest(centre - half), nearest(centre + half)
    crop = cut(image, np.arange(y1, max(y2, y1 + 1)), np.arange(x1, max(x2, x1 + 1)))
    return resized(crop, height, width, "INTER_NEAREST")


@misconception(
    WARP,
    "OpenCV wants (width, height), NumPy's shapes are (height, width): turn the pair round for `cv2.resize`.",
)
def width_before_height(image, box, size, context=16):
    return warped(image, box, both(size)[::-1], context)


@misconception(
    WARP,
    "The part that lies in the image is resized, and the mean put around it afterwards: rounding then makes a seam. Fill what is missing "
    "first, and resize all of it.",
)
def filled_after_resizing(image, box, size, context=16):
    height, width = both(size)
    target, edge = np.array([width, height]), np.array(image.shape[1::-1])
    box = np.asarray(box, float)
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * target / (target - 2 * context)
    first, last = nearest(centre - half), nearest(centre + half)
    (x1, y1), (x2, y2) = np.maximum(first, 0), np.minimum(last, edge)
    scale = target / (last - first)
    left, top = np.round((np.array([x1, y1]) - first) * scale).astype(int)
    wide, high = np.round(np.array([x2 - x1, y2 - y1]) * scale).astype(int)
    wide, high = min(wide, width - left), min(high, height - top)
    result = np.tile(image.mean(axis=(0, 1)), (height, width, 1))
    result[top : top + high, left : left + wide] = resized(image[y1:y2, x1:x2].astype(float), high, wide)
    return result


POOL = "roi_pool.roi_pool"


def pooled(
    features,
    boxes,
    output_size,
    spatial_scale,
    rounded=nearest,
    one=1,
    bins=lambda i, n, k: (i * n // k, -(-(i + 1) * n // k)),
    reduced=np.max,
    empty=0.0,
    clip=True,
):
    height, width = both(output_size)
    result = np.full((len(boxes), height, width, features.shape[2]), empty)
    for place, (x1, y1, x2, y2) in enumerate(rounded(boxes * spatial_scale)):
        rows, columns = max(y2 - y1 + one, 1), max(x2 - x1 + one, 1)
        for i in range(height):
            for j in range(width):
                top, bottom = (y1 + each for each in bins(i, rows, height))
                left, right = (x1 + each for each in bins(j, columns, width))
                inside = features[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
                if inside.size:
                    result[place, i, j] = reduced(inside, axis=(0, 1))
    return result


@misconception(
    POOL,
    "Corners are cut off to whole features: 1.75 becomes 1. Round them half up, `np.floor(x + 0.5)`.",
)
def pool_floors_corners(features, boxes, output_size, spatial_scale):
    cut_off = lambda corners: np.floor(corners).astype(int)  # noqa: E731
    return pooled(features, boxes, output_size, spatial_scale, rounded=cut_off)


@misconception(
    POOL,
    "`np.round` takes halves to the even neighbour: 0.5 to 0, 2.5 to 2. Half up is `np.floor(x + 0.5)`.",
)
def pool_rounds_half_to_even(features, boxes, output_size, spatial_scale):
    to_even = lambda corners: np.round(corners).astype(int)  # noqa: E731
    return pooled(features, boxes, output_size, spatial_scale, rounded=to_even)


@misconception(
    POOL,
    "From feature 2 to feature 5, both counted, are four features: the size is last - first + 1. It is the one place in which a box "
    "has a +1.",
)
def pool_without_the_one(features, boxes, output_size, spatial_scale):
    return pooled(features, boxes, output_size, spatial_scale, one=0)


@misconception(
    POOL,
    "Your bins end at the floor of their end: where features do not divide evenly, the last of a bin is lost to it, and small boxes "
    "have empty bins. A bin ends at the ceiling.",
)
def pool_bins_end_at_the_floor(features, boxes, output_size, spatial_scale):
    floors = lambda i, n, k: (i * n // k, (i + 1) * n // k)  # noqa: E731
    return pooled(features, boxes, output_size, spatial_scale, bins=floors)


@misconception(
    POOL,
    "All bins have n // k features, so that those which are left over belong to none. Bin i goes from floor(i n / k) to "
    "ceil((i + 1) n / k).",
)
def pool_bins_of_one_size(features, boxes, output_size, spatial_scale):
    equal = lambda i, n, k: (i * max(n // k, 1), (i + 1) * max(n // k, 1))  # noqa: E731
    return pooled(features, boxes, output_size, spatial_scale, bins=equal)


@misconception(POOL, "Each bin is averaged: RoI pooling takes the largest feature.")
def pool_averages(features, boxes, output_size, spatial_scale):
    return pooled(features, boxes, output_size, spatial_scale, reduced=np.mean)


@misconception(
    POOL,
    "The maximum begins at 0, so that features below zero never win. Begin with the first feature of the bin.",
)
def pool_never_below_zero(features, boxes, output_size, spatial_scale):
    return np.maximum(pooled(features, boxes, output_size, spatial_scale), 0)


@misconception(
    POOL,
    "The maximum of an empty bin stayed at minus infinity: a bin with nothing in it is 0.",
)
def pool_empty_bins_of_minus_infinity(features, boxes, output_size, spatial_scale):
    return pooled(features, boxes, output_size, spatial_scale, empty=-np.inf)


@misconception(
    POOL,
    "A corner outside the map was moved to its border *before* the box was divided into bins, so that the bins are others. "
    "Divide first, and clip each bin.",
)
def pool_clips_the_box(features, boxes, output_size, spatial_scale):
    height, width = features.shape[:2]
    last = np.array([width, height, width, height]) - 1
    clipped = lambda corners: np.clip(nearest(corners), 0, last)  # noqa: E731
    return pooled(features, boxes, output_size, spatial_scale, rounded=clipped)


@misconception(
    POOL,
    "Rows and columns have changed places: x belongs to the columns, the second axis, and y to the rows.",
)
def pool_rows_for_x(features, boxes, output_size, spatial_scale):
    return pooled(features, boxes[:, [1, 0, 3, 2]], output_size, spatial_scale)


@misconception(
    POOL, "`spatial_scale` has no effect: boxes are in the image's pixels, and must be scaled to features."
)
def pool_does_not_scale(features, boxes, output_size, spatial_scale):
    return pooled(features, boxes, output_size, 1.0)


@misconception(
    POOL,
    "The bins' ends are rounded, so that some features belong to one bin only: a bin begins at the floor of its beginning and ends at the "
    "ceiling of its end.",
)
def pool_rounds_bins(features, boxes, output_size, spatial_scale):
    def bins(i, n, k):
        start = round(i * n / k)
        return start, max(round((i + 1) * n / k), start + 1)

    return pooled(features, boxes, output_size, spatial_scale, bins=bins)


BILINEAR, ALIGN = "roi_align.bilinear", "roi_align.roi_align"


def between(features, x, y, shift=0.5, clamped=True):
    height, width = features.shape[:2]
    u, v = np.asarray(x) - shift, np.asarray(y) - shift
    outside = (u < -1) | (u > width) | (v < -1) | (v > height)
    u, v = np.clip(u, 0, width - 1), np.clip(v, 0, height - 1)
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = (u - left)[..., None], (v - top)[..., None]
    above = (1 - u) * features[top, left] + u * features[top, right]
    below = (1 - u) * features[bottom, left] + u * features[bottom, right]
    values = (1 - v) * above + v * below
    return values if clamped else np.where(outside[..., None], 0, values)


def aligned(
    features,
    boxes,
    output_size,
    spatial_scale,
    sampling_ratio,
    shift=0.5,
    offset=0.5,
    rounded=lambda corners: corners,
    reduced=np.mean,
    clamped=True,
):
    height, width = both(output_size)
    x1, y1, x2, y2 = rounded(boxes * spatial_scale).T[..., None]
    across = (np.arange(width * sampling_ratio) + offset) / (width * sampling_ratio)
    down = (np.arange(height * sampling_ratio) + offset) / (height * sampling_ratio)
    x, y = (x1 + across * (x2 - x1))[:, None, :], (y1 + down * (y2 - y1))[:, :, None]
    x, y = np.broadcast_arrays(x, y)
    samples = between(features, x, y, shift, clamped)
    split = (len(boxes), height, sampling_ratio, width, sampling_ratio, features.shape[2])
    return reduced(samples.reshape(split), axis=(2, 4))


HALF_PIXEL = (
    "Everything is shifted by half a feature: feature i covers i to i + 1, so its value belongs to i + 0.5. Take the half off before "
    "you look for neighbours."
)
X_FOR_ROWS = "x and y have changed places: y goes down the rows, the first axis, x across the columns."


@misconception(BILINEAR, HALF_PIXEL)
def without_the_half_pixel(features, x, y):
    return between(features, x, y, shift=0.0)


@misconception(BILINEAR, X_FOR_ROWS)
def rows_by_x(features, x, y):
    return between(features, y, x)


@misconception(
    BILINEAR, "The feature of the pixel that the place lies in is taken as it is: weigh the four nearest."
)
def pixel_as_it_is(features, x, y):
    height, width = features.shape[:2]
    column = np.clip(np.floor(x), 0, width - 1).astype(int)
    return features[np.clip(np.floor(y), 0, height - 1).astype(int), column]


@misconception(
    BILINEAR,
    "The weights have changed places: the nearer a place is to its right neighbour, the more the *right* one counts.",
)
def weights_turned_round(features, x, y):
    height, width = features.shape[:2]
    u, v = np.clip(np.asarray(x) - 0.5, 0, width - 1), np.clip(np.asarray(y) - 0.5, 0, height - 1)
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = (u - left)[..., None], (v - top)[..., None]
    above = u * features[top, left] + (1 - u) * features[top, right]
    below = u * features[bottom, left] + (1 - u) * features[bottom, right]
    return v * above + (1 - v) * below


@misconception(
    BILINEAR,
    "The neighbours are clamped, but not the place itself: beyond the border its weights are negative or above 1, and the value runs "
    "away. Clamp u to 0 .. w - 1 first.",
)
def runs_away_outside(features, x, y):
    height, width = features.shape[:2]
    u, v = np.asarray(x) - 0.5, np.asarray(y) - 0.5
    left, top = (
        np.clip(np.floor(u), 0, width - 1).astype(int),
        np.clip(np.floor(v), 0, height - 1).astype(int),
    )
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = (u - left)[..., None], (v - top)[..., None]
    above = (1 - u) * features[top, left] + u * features[top, right]
    below = (1 - u) * features[bottom, left] + u * features[bottom, right]
    return (1 - v) * above + v * below


@misconception(
    BILINEAR, "Outside the map you give zeros: it goes on there as it ends, so clamp the places to it."
)
def zeros_outside(features, x, y):
    height, width = features.shape[:2]
    inside = (
        (np.asarray(x) >= 0) & (np.asarray(x) <= width) & (np.asarray(y) >= 0) & (np.asarray(y) <= height)
    )
    return np.where(inside[..., None], between(features, x, y), 0.0)


@misconception(ALIGN, HALF_PIXEL)
def align_without_the_half_pixel(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    return aligned(features, boxes, output_size, spatial_scale, sampling_ratio, shift=0.0)


@misconception(
    ALIGN,
    "The corners are rounded. That is RoI pooling's habit, and what RoI align was made to end: leave them as they are.",
)
def align_rounds_corners(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    return aligned(
        features, boxes, output_size, spatial_scale, sampling_ratio, rounded=lambda c: np.floor(c + 0.5)
    )


@misconception(
    ALIGN,
    "Each bin is read at its middle alone: take `sampling_ratio` samples along each side of it, and average.",
)
def align_takes_one_sample(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    return aligned(features, boxes, output_size, spatial_scale, 1)


@misconception(
    ALIGN,
    "The samples begin at the bin's edge. They are centred: sample s of r at (s + 0.5) / r of the bin.",
)
def align_samples_from_the_edge(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    return aligned(features, boxes, output_size, spatial_scale, sampling_ratio, offset=0.0)


@misconception(ALIGN, "The largest sample of each bin is taken: RoI align averages them.")
def align_takes_the_largest(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    return aligned(features, boxes, output_size, spatial_scale, sampling_ratio, reduced=np.max)


@misconception(
    ALIGN, "The samples of a bin are added up, not averaged: more samples must not make it larger."
)
def align_adds_up(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    return aligned(features, boxes, output_size, spatial_scale, sampling_ratio, reduced=np.sum)


@misconception(
    ALIGN,
    "The samples were averaged over the wrong neighbours: reshape to (n, h, r, w, r, c), then average over both r, axes 2 and 4.",
)
def align_mixes_bins(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    height, width = both(output_size)
    single = aligned(features, boxes, (height * sampling_ratio, width * sampling_ratio), spatial_scale, 1)
    split = (len(boxes), sampling_ratio, height, sampling_ratio, width, features.shape[2])
    return single.reshape(split).mean(axis=(1, 3))


@misconception(
    ALIGN,
    "A box smaller than one feature is enlarged to one. Without rounding there is no need: leave it as small as it is.",
)
def align_enlarges_small_boxes(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    def at_least_one(corners):
        sides = np.maximum(corners[:, 2:] - corners[:, :2], 1.0)
        return np.concatenate([corners[:, :2], corners[:, :2] + sides], axis=1)

    return aligned(features, boxes, output_size, spatial_scale, sampling_ratio, rounded=at_least_one)


@misconception(
    ALIGN, "Samples outside the map count as 0, which drags the border's bins down: clamp them to the border."
)
def align_zeros_outside(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    return aligned(features, boxes, output_size, spatial_scale, sampling_ratio, clamped=False)


@misconception(ALIGN, X_FOR_ROWS)
def align_rows_by_x(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    return aligned(features, boxes[:, [1, 0, 3, 2]], output_size, spatial_scale, sampling_ratio)


@misconception(
    ALIGN,
    "The samples run from edge to edge of the box, the first and the last on its very sides. Each lies in the middle of its share: "
    "(s + 0.5) / (k r) of the side.",
)
def align_samples_on_the_sides(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    height, width = both(output_size)
    result = np.zeros((len(boxes), height, width, features.shape[2]))
    for place, (x1, y1, x2, y2) in enumerate(boxes * spatial_scale):
        x, y = np.linspace(x1, x2, width * sampling_ratio), np.linspace(y1, y2, height * sampling_ratio)
        samples = between(features, *np.meshgrid(x, y))
        split = (height, sampling_ratio, width, sampling_ratio, -1)
        result[place] = samples.reshape(split).mean(axis=(1, 3))
    return result


ANCHORS = "generate_anchors.generate_anchors"


def anchored(feature_shape, stride, w, h, shift=0.5, columns_first=False):
    height, width = both(feature_shape)
    rows, columns = np.mgrid[:height, :width]
    if columns_first:
        rows, columns = rows.T, columns.T
    x, y = ((each.reshape(-1, 1) + shift) * stride for each in (columns, rows))
    return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=-1).reshape(-1, 4)


def shapes(stride, scales, ratios):
    """Widths and heights, (ratios, scales)."""
    root = np.sqrt(np.asarray(ratios, float))[:, None]
    side = np.asarray(scales, float) * stride
    return side / root, side * root


@misconception(
    ANCHORS,
    "The ratio is taken as width over height: here it is h / w, so that 2 is twice as high as wide.",
)
def ratio_of_width(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    w, h = shapes(stride, scales, ratios)
    return anchored(feature_shape, stride, h.ravel(), w.ravel())


@misconception(
    ANCHORS,
    "The width stays and the height is multiplied by the ratio, so that the area changes. At one scale all ratios have one area: "
    "divide w by the root of r, multiply h by it.",
)
def ratio_times_height(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    side = np.tile(np.asarray(scales, float) * stride, (len(ratios), 1))
    return anchored(feature_shape, stride, side.ravel(), (side * np.asarray(ratios, float)[:, None]).ravel())


@misconception(
    ANCHORS,
    "The root is missing: with w = s / r and h = s r the ratio is r squared.",
)
def ratio_without_root(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    side, ratio = np.asarray(scales, float) * stride, np.asarray(ratios, float)[:, None]
    return anchored(feature_shape, stride, (side / ratio).ravel(), (side * ratio).ravel())


@misconception(
    ANCHORS,
    "At each place you go scale by scale, and in it ratio by ratio. It is the other way round: ratios outside, scales inside.",
)
def scales_before_ratios(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    w, h = shapes(stride, scales, ratios)
    return anchored(feature_shape, stride, w.T.ravel(), h.T.ravel())


@misconception(
    ANCHORS,
    "The anchors stand on the corner of their place: its middle is at (i + 0.5) times the stride.",
)
def on_the_corner(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    w, h = shapes(stride, scales, ratios)
    return anchored(feature_shape, stride, w.ravel(), h.ravel(), shift=0.0)


@misconception(ANCHORS, "The places go column by column: go row by row, as features lie in memory.")
def column_by_column(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    w, h = shapes(stride, scales, ratios)
    return anchored(feature_shape, stride, w.ravel(), h.ravel(), columns_first=True)


@misconception(
    ANCHORS, "Scales are taken for pixels: a scale is a side in strides, so multiply by the stride."
)
def scales_in_pixels(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    w, h = shapes(1, scales, ratios)
    return anchored(feature_shape, stride, w.ravel(), h.ravel())


@misconception(
    ANCHORS,
    "All places of one shape come first: put the anchors of one place together, place by place.",
)
def shape_by_shape(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    w, h = shapes(stride, scales, ratios)
    boxes = anchored(feature_shape, stride, w.ravel(), h.ravel())
    return boxes.reshape(-1, w.size, 4).swapaxes(0, 1).reshape(-1, 4)


@misconception(
    ANCHORS, "The corners are rounded to whole pixels, which changes area and ratio: boxes are continuous."
)
def anchors_rounded(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    w, h = shapes(stride, scales, ratios)
    return np.round(anchored(feature_shape, stride, w.ravel(), h.ravel()))


TARGETS, PROPOSALS = "rpn.rpn_targets", "rpn.rpn_proposals"


def target(
    anchors,
    gt_boxes,
    positive,
    negative,
    best_of=lambda overlaps: (overlaps == overlaps.max(axis=0, initial=0)) & (overlaps > 0),
    at_least=np.greater_equal,
    below=np.less,
    whose=lambda overlaps, best: overlaps.argmax(axis=1),
    kept=lambda labels: labels == 1,
    coded=encode,
):
    overlaps = iou(anchors, gt_boxes)
    labels, deltas = np.full(len(anchors), -1), np.zeros((len(anchors), 4))
    highest, best = overlaps.max(axis=1, initial=0), best_of(overlaps)
    labels[below(highest, negative)] = 0
    labels[at_least(highest, positive) | best.any(axis=1)] = 1
    chosen = kept(labels)
    if chosen.any() and len(gt_boxes):
        deltas[chosen] = coded(gt_boxes[whose(overlaps, best)[chosen]], anchors[chosen])
    return labels, deltas


@misconception(
    TARGETS,
    "An object whose best anchor stays below `positive` gets none, and teaches nothing: its best anchor is positive, however "
    "poor.",
)
def no_best_anchor(anchors, gt_boxes, positive=0.7, negative=0.3):
    return target(anchors, gt_boxes, positive, negative, best_of=np.zeros_like)


@misconception(
    TARGETS,
    "Of several anchors that are equally the best of an object you take one (`argmax` gives the first). All of them are "
    "positive: compare with the maximum of each column.",
)
def first_of_ties(anchors, gt_boxes, positive=0.7, negative=0.3):
    def best_of(overlaps):
        best = np.zeros(overlaps.shape, bool)
        if overlaps.size:
            best[overlaps.argmax(axis=0), np.arange(overlaps.shape[1])] = True
        return best & (overlaps > 0)

    return target(anchors, gt_boxes, positive, negative, best_of=best_of)


@misconception(
    TARGETS,
    "An object that no anchor touches has a best IoU of 0, and all anchors equal it: ask that the IoU is above 0.",
)
def best_at_zero(anchors, gt_boxes, positive=0.7, negative=0.3):
    return target(
        anchors,
        gt_boxes,
        positive,
        negative,
        best_of=lambda overlaps: overlaps == overlaps.max(axis=0, initial=0),
    )


@misconception(TARGETS, "An IoU of just `positive` is enough: compare with >=.")
def above_positive(anchors, gt_boxes, positive=0.7, negative=0.3):
    return target(anchors, gt_boxes, positive, negative, at_least=np.greater)


@misconception(
    TARGETS, "An IoU of just `negative` is not below it: compare with <, such an anchor is left out."
)
def up_to_negative(anchors, gt_boxes, positive=0.7, negative=0.3):
    return target(anchors, gt_boxes, positive, negative, below=np.less_equal)


@misconception(
    TARGETS,
    "An anchor that is the best of an object was sent to that object. It goes to the one it overlaps most: the best of its row, not of "
    "the column.",
)
def sent_to_whose_best_it_is(anchors, gt_boxes, positive=0.7, negative=0.3):
    def whose(overlaps, best):
        return np.where(best.any(axis=1), best.argmax(axis=1), overlaps.argmax(axis=1))

    return target(anchors, gt_boxes, positive, negative, whose=whose)


@misconception(
    TARGETS,
    "The thresholds come after the best anchors and undo them: a best anchor with an IoU below `negative` is turned negative again. "
    "Let the best anchors have the last word.",
)
def undone_by_the_threshold(anchors, gt_boxes, positive=0.7, negative=0.3):
    labels, deltas = target(anchors, gt_boxes, positive, negative)
    undone = iou(anchors, gt_boxes).max(axis=1, initial=0) < negative
    return np.where(undone, 0, labels), np.where(undone[:, None], 0, deltas)


@misconception(TARGETS, "Anchors that are not positive have deltas: theirs are 0.")
def deltas_for_all(anchors, gt_boxes, positive=0.7, negative=0.3):
    return target(anchors, gt_boxes, positive, negative, kept=lambda labels: labels > -2)


@misconception(
    TARGETS,
    "Anchors between the thresholds are negative here: they are neither, -1, and left out of the training.",
)
def nothing_left_out(anchors, gt_boxes, positive=0.7, negative=0.3):
    labels, deltas = target(anchors, gt_boxes, positive, negative)
    return np.maximum(labels, 0), deltas


@misconception(
    TARGETS,
    "The deltas take the object to the anchor. They are what moves the anchor onto its object: `encode(gt_boxes, anchors)`.",
)
def other_way_round(anchors, gt_boxes, positive=0.7, negative=0.3):
    return target(anchors, gt_boxes, positive, negative, coded=lambda boxes, chosen: encode(chosen, boxes))


def proposed(
    scores,
    deltas,
    anchors,
    image_size,
    pre_nms,
    post_nms,
    iou_threshold,
    min_size,
    clipped=lambda boxes, h, w: np.clip(boxes, 0, [w, h, w, h]),
    large=lambda boxes, least: (boxes[:, 2:] - boxes[:, :2] >= least).all(axis=1),
    first=True,
    suppressed=nms,
):
    boxes = clipped(decode(deltas, anchors), *image_size)
    if not first:
        best = np.argsort(-scores, kind="stable")[:pre_nms]
        boxes, scores = boxes[best], scores[best]
    stays = large(boxes, min_size)
    boxes, scores = boxes[stays], scores[stays]
    best = np.argsort(-scores, kind="stable")[:pre_nms]
    boxes, scores = boxes[best], scores[best]
    return boxes[suppressed(boxes, scores, iou_threshold)[:post_nms]]


@misconception(
    PROPOSALS,
    "Small boxes go after the suppression, in which they have already put out larger ones. Drop them before.",
)
def small_ones_after_nms(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    height, width = image_size
    boxes = np.clip(decode(deltas, anchors), 0, [width, height, width, height])
    best = np.argsort(-scores, kind="stable")[:pre_nms]
    kept = boxes[best][nms(boxes[best], scores[best], iou_threshold)]
    return kept[(kept[:, 2:] - kept[:, :2] >= min_size).all(axis=1)][:post_nms]


@misconception(
    PROPOSALS,
    "Small boxes take up places among the `pre_nms` best before they are dropped: drop them first.",
)
def small_ones_counted(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    return proposed(
        scores, deltas, anchors, image_size, pre_nms, post_nms, iou_threshold, min_size, first=False
    )


@misconception(PROPOSALS, "The boxes are not clipped to the image.")
def not_clipped(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    return proposed(
        scores,
        deltas,
        anchors,
        image_size,
        pre_nms,
        post_nms,
        iou_threshold,
        min_size,
        lambda boxes, h, w: boxes,
    )


@misconception(
    PROPOSALS,
    "x is clipped to the height and y to the width: `image_size` is (height, width), x runs along the width.",
)
def clipped_the_wrong_way(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    return proposed(
        scores,
        deltas,
        anchors,
        image_size,
        pre_nms,
        post_nms,
        iou_threshold,
        min_size,
        lambda boxes, h, w: np.clip(boxes, 0, [h, w, h, w]),
    )


@misconception(PROPOSALS, "Boxes of just `min_size` are dropped too: only smaller ones are.")
def larger_than_the_least(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    return proposed(
        scores,
        deltas,
        anchors,
        image_size,
        pre_nms,
        post_nms,
        iou_threshold,
        min_size,
        large=lambda boxes, least: (boxes[:, 2:] - boxes[:, :2] > least).all(axis=1),
    )


@misconception(PROPOSALS, "A box stays if one of its sides is long enough: both must be.")
def one_side_is_enough(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    return proposed(
        scores,
        deltas,
        anchors,
        image_size,
        pre_nms,
        post_nms,
        iou_threshold,
        min_size,
        large=lambda boxes, least: (boxes[:, 2:] - boxes[:, :2] >= least).any(axis=1),
    )


@misconception(PROPOSALS, "`pre_nms` is not kept to: only so many boxes go into the suppression.")
def all_go_in(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    return proposed(scores, deltas, anchors, image_size, len(scores), post_nms, iou_threshold, min_size)


@misconception(PROPOSALS, "`post_nms` is not kept to: only so many boxes come out.")
def all_come_out(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    return proposed(scores, deltas, anchors, image_size, pre_nms, len(scores), iou_threshold, min_size)


@misconception(PROPOSALS, "Nothing is suppressed: of boxes that overlap too much only the best goes on.")
def without_nms(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    in_order = lambda boxes, scores, threshold: np.argsort(-scores, kind="stable")  # noqa: E731
    return proposed(
        scores, deltas, anchors, image_size, pre_nms, post_nms, iou_threshold, min_size, suppressed=in_order
    )


@misconception(PROPOSALS, "The proposals come in the order of their anchors: the best comes first.")
def in_anchor_order(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    height, width = image_size
    boxes = np.clip(decode(deltas, anchors), 0, [width, height, width, height])
    large = (boxes[:, 2:] - boxes[:, :2] >= min_size).all(axis=1)
    boxes, scores = boxes[large], scores[large]
    best = np.argsort(-scores, kind="stable")[:pre_nms]
    return boxes[np.sort(best[nms(boxes[best], scores[best], iou_threshold)[:post_nms]])]


@misconception(
    PROPOSALS,
    "Sides are measured before the boxes are clipped: what reaches far out of the image may be a sliver in it. Clip first.",
)
def measured_before_clipping(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    boxes = decode(deltas, anchors)
    large = (boxes[:, 2:] - boxes[:, :2] >= min_size).all(axis=1)
    height, width = image_size
    boxes, scores = np.clip(boxes, 0, [width, height, width, height])[large], scores[large]
    best = np.argsort(-scores, kind="stable")[:pre_nms]
    return boxes[best][nms(boxes[best], scores[best], iou_threshold)[:post_nms]]


@misconception(
    PROPOSALS,
    "A box whose IoU is just the threshold is suppressed: only what overlaps by *more* than that goes.",
)
def suppressed_at_the_threshold(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    def strict(boxes, scores, threshold):
        return nms(boxes, scores, np.nextafter(threshold, 0))

    return proposed(
        scores, deltas, anchors, image_size, pre_nms, post_nms, iou_threshold, min_size, suppressed=strict
    )


SMOOTH, DETECTION, MASK = "detection_loss.smooth_l1", "detection_loss.detection_loss", "mask_loss.mask_loss"


def same(y_true, y_pred):
    if np.shape(y_true) != np.shape(y_pred):
        raise ValueError("two shapes")
    return np.abs(np.subtract(y_true, y_pred))


@misconception(
    SMOOTH,
    "The parabola ends at 1 whatever beta is. It ends at beta, where the line begins.",
)
def kink_at_one(y_true, y_pred, beta=1.0):
    d = same(y_true, y_pred)
    return np.where(d < 1, d**2 / (2 * beta), d - beta / 2)


@misconception(
    SMOOTH, "The square is not divided by beta, so that parabola and line do not meet: take d² / (2 beta)."
)
def square_without_beta(y_true, y_pred, beta=1.0):
    d = same(y_true, y_pred)
    return np.where(d < beta, d**2 / 2, d - beta / 2)


@misconception(SMOOTH, "The line starts half a unit lower whatever beta is: half of beta is taken off.")
def line_without_beta(y_true, y_pred, beta=1.0):
    d = same(y_true, y_pred)
    return np.where(d < beta, d**2 / (2 * beta), d - 0.5)


@misconception(
    SMOOTH, "That is Huber's loss, beta times too large: divide it by beta, so that the line has slope 1."
)
def huber_itself(y_true, y_pred, beta=1.0):
    d = same(y_true, y_pred)
    return np.where(d < beta, d**2 / 2, beta * (d - beta / 2))


@misconception(SMOOTH, "The half is missing in the square: parabola and line do not meet.")
def square_without_half(y_true, y_pred, beta=1.0):
    d = same(y_true, y_pred)
    return np.where(d < beta, d**2 / beta, d - beta / 2)


@misconception(SMOOTH, "You give one number: smooth L1 is asked element by element.")
def summed_up(y_true, y_pred, beta=1.0):
    d = same(y_true, y_pred)
    return np.where(d < beta, d**2 / (2 * beta), d - beta / 2).mean()


@misconception(
    SMOOTH,
    "(3, 1) and (3,) broadcast to (3, 3) without a word, and the loss is wrong: raise `ValueError` for two shapes.",
)
def broadcasts(y_true, y_pred, beta=1.0):
    d = np.abs(np.subtract(y_true, y_pred))
    return np.where(d < beta, d**2 / (2 * beta), d - beta / 2)


def errors(y_true, y_pred):
    d = np.abs(y_true - y_pred)
    return np.where(d < 1, d**2 / 2, d - 0.5)


def surprise(logits, labels):
    shifted = logits - logits.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(labels)), labels]


def own(deltas, labels):
    return deltas[np.arange(len(labels)), labels]


@misconception(DETECTION, "Background regions have an error of boxes here: class 0 has no box to move to.")
def background_has_a_box(class_logits, labels, deltas, target_deltas, weight=1.0):
    if not len(labels):
        return 0.0
    boxes = errors(target_deltas, own(deltas, labels)).sum(axis=1)
    return np.mean(surprise(class_logits, labels) + weight * boxes)


@misconception(
    DETECTION, "The deltas of all classes are held against the target: only those of the true class are."
)
def boxes_of_all_classes(class_logits, labels, deltas, target_deltas, weight=1.0):
    if not len(labels):
        return 0.0
    boxes = errors(target_deltas[:, None], deltas).sum(axis=(1, 2)) * (labels > 0)
    return np.mean(surprise(class_logits, labels) + weight * boxes)


@misconception(
    DETECTION,
    "The errors of the boxes are divided by the number of objects: both parts are means over all n regions.",
)
def boxes_over_objects(class_logits, labels, deltas, target_deltas, weight=1.0):
    if not len(labels):
        return 0.0
    boxes = (errors(target_deltas, own(deltas, labels)).sum(axis=1) * (labels > 0)).sum()
    return np.mean(surprise(class_logits, labels)) + weight * boxes / max(1, np.sum(labels > 0))


@misconception(DETECTION, "The four errors of a box are averaged: they are summed.")
def mean_of_four(class_logits, labels, deltas, target_deltas, weight=1.0):
    if not len(labels):
        return 0.0
    boxes = errors(target_deltas, own(deltas, labels)).mean(axis=1) * (labels > 0)
    return np.mean(surprise(class_logits, labels) + weight * boxes)


@misconception(
    DETECTION,
    "The regions are summed up: the loss is their mean, so that it does not grow with their number.",
)
def sum_over_regions(class_logits, labels, deltas, target_deltas, weight=1.0):
    boxes = errors(target_deltas, own(deltas, labels)).sum(axis=1) * (labels > 0)
    return np.sum(surprise(class_logits, labels) + weight * boxes) if len(labels) else 0.0


@misconception(
    DETECTION,
    "The deltas are taken from one class further down: column 0 belongs to the background, so class k has column k.",
)
def deltas_of_the_class_before(class_logits, labels, deltas, target_deltas, weight=1.0):
    if not len(labels):
        return 0.0
    boxes = errors(target_deltas, own(deltas, np.maximum(labels - 1, 0))).sum(axis=1) * (labels > 0)
    return np.mean(surprise(class_logits, labels) + weight * boxes)


@misconception(DETECTION, "`exp` overflows for large logits: take each row's maximum off first.")
def overflowing(class_logits, labels, deltas, target_deltas, weight=1.0):
    if not len(labels):
        return 0.0
    e = np.exp(class_logits)
    chance = e[np.arange(len(labels)), labels] / e.sum(axis=1)
    boxes = errors(target_deltas, own(deltas, labels)).sum(axis=1) * (labels > 0)
    return np.mean(-np.log(chance) + weight * boxes)


@misconception(DETECTION, "Without regions a mean is 0/0, NaN: the loss is 0 then.")
def nan_without_regions(class_logits, labels, deltas, target_deltas, weight=1.0):
    if not len(labels):
        return float("nan")
    boxes = errors(target_deltas, own(deltas, labels)).sum(axis=1) * (labels > 0)
    return np.mean(surprise(class_logits, labels) + weight * boxes)


@misconception(DETECTION, "`weight` multiplies the whole loss: it is of the boxes alone.")
def weight_of_everything(class_logits, labels, deltas, target_deltas, weight=1.0):
    if not len(labels):
        return 0.0
    boxes = errors(target_deltas, own(deltas, labels)).sum(axis=1) * (labels > 0)
    return weight * np.mean(surprise(class_logits, labels) + boxes)


def alike(mask_logits, labels, masks):
    if mask_logits.shape[:3] != np.shape(masks):
        raise ValueError("two shapes")
    return mask_logits[np.arange(len(labels)), :, :, labels], np.asarray(masks, float)


def pixels(z, m):
    return np.maximum(z, 0) - z * m + np.log1p(np.exp(-np.abs(z)))


@misconception(
    MASK,
    "The classes compete in a softmax. In Mask R-CNN they do not: each class has a mask of its own, of sigmoids.",
)
def masks_in_a_softmax(mask_logits, labels, masks):
    alike(mask_logits, labels, masks)
    shifted = mask_logits - mask_logits.max(axis=3, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=3, keepdims=True))
    chosen = np.take_along_axis(log_p, labels[:, None, None, None], axis=3)[..., 0]
    p = np.clip(np.exp(chosen), 1e-7, 1 - 1e-7)
    return np.mean(-masks * np.log(p) - (1 - np.asarray(masks, float)) * np.log(1 - p))


@misconception(
    MASK, "The masks of all classes are held against the truth: only the true class' mask is asked."
)
def masks_of_all_classes(mask_logits, labels, masks):
    _, m = alike(mask_logits, labels, masks)
    truth = m[..., None] * np.eye(mask_logits.shape[3])[labels][:, None, None]
    return np.mean(pixels(mask_logits, truth))


@misconception(
    MASK,
    "The mask is taken one class further down: there is no mask for the background here, so that class k has channel k.",
)
def masks_shifted_by_one(mask_logits, labels, masks):
    alike(mask_logits, labels, masks)
    return np.mean(pixels(mask_logits[np.arange(len(labels)), :, :, labels - 1], np.asarray(masks, float)))


@misconception(MASK, "The pixels are summed up: the loss is the mean over regions and pixels.")
def sum_of_pixels(mask_logits, labels, masks):
    return np.sum(pixels(*alike(mask_logits, labels, masks)))


@misconception(MASK, "Pixels are summed, and only the regions averaged: the loss is the mean over both.")
def mean_of_regions(mask_logits, labels, masks):
    return np.mean(np.sum(pixels(*alike(mask_logits, labels, masks)), axis=(1, 2)))


@misconception(
    MASK, "The logarithm meets 0 when a sigmoid has run into it: use the form that never overflows."
)
def log_of_a_sigmoid(mask_logits, labels, masks):
    z, m = alike(mask_logits, labels, masks)
    p = 1 / (1 + np.exp(-z))
    return np.mean(-m * np.log(p) - (1 - m) * np.log(1 - p))


@misconception(MASK, "Only the object's pixels count here: those outside it must learn to say no.")
def inside_only(mask_logits, labels, masks):
    z, m = alike(mask_logits, labels, masks)
    return np.mean(m * pixels(z, m))


@misconception(
    MASK,
    "Masks of another size broadcast without a word, and the loss is wrong: raise `ValueError` for them.",
)
def masks_broadcast(mask_logits, labels, masks):
    z = mask_logits[np.arange(len(labels)), :, :, labels]
    return np.mean(pixels(z, np.asarray(masks, float)))


PASTE = "paste_mask.paste_mask"


def pasted(
    mask,
    box,
    image_size,
    threshold,
    centre=0.5,
    rounded=lambda box: box,
    read=between,
    inside=True,
    above=0.5,
):
    height, width = image_size
    x1, y1, x2, y2 = rounded(np.asarray(box, float))
    y, x = np.mgrid[:height, :width] + centre
    across, down = (x - x1) / (x2 - x1) * mask.shape[1], (y - y1) / (y2 - y1) * mask.shape[0]
    values = read(mask[..., None].astype(float), across, down)[..., 0] >= threshold
    if not inside:
        return values
    y, x = np.mgrid[:height, :width] + above
    return values & (x >= x1) & (x < x2) & (y >= y1) & (y < y2)


@misconception(
    PASTE,
    "Pixels are asked at their corner. The middle of column j is at j + 0.5: without the half the mask sits half a pixel off.",
)
def asked_at_the_corner(mask, box, image_size, threshold=0.5):
    return pasted(mask, box, image_size, threshold, centre=0.0, above=0.0)


@misconception(
    PASTE,
    "The mask's values are taken to stand at its corners: value i of the mask belongs to i + 0.5, so take the half off when you "
    "interpolate.",
)
def mask_half_a_pixel_off(mask, box, image_size, threshold=0.5):
    return pasted(mask, box, image_size, threshold, read=lambda m, x, y: between(m, x, y, shift=0.0))


@misconception(
    PASTE,
    "The box is rounded to whole pixels before the mask is laid into it, which moves the outline: leave the box as it is.",
)
def box_rounded(mask, box, image_size, threshold=0.5):
    return pasted(mask, box, image_size, threshold, rounded=lambda box: np.floor(box + 0.5))


@misconception(PASTE, "The mask's pixels show as steps: interpolate between them.")
def mask_in_steps(mask, box, image_size, threshold=0.5):
    return pasted(mask, box, image_size, threshold, read=pixel_as_it_is)


@misconception(
    PASTE,
    "Beyond the middles of the mask's outer pixels it fades to zero, and the object loses its rim: clamp to the outer pixels "
    "there.",
)
def faded_rim(mask, box, image_size, threshold=0.5):
    padded = lambda m, x, y: between(np.pad(m, ((1, 1), (1, 1), (0, 0))), x + 1, y + 1)  # noqa: E731
    return pasted(mask, box, image_size, threshold, read=padded)


@misconception(
    PASTE, "Outside the box the mask goes on as it ends: pixels whose middle is not in the box are False."
)
def beyond_the_box(mask, box, image_size, threshold=0.5):
    return pasted(mask, box, image_size, threshold, inside=False)


@misconception(
    PASTE,
    "The mask is compared with the threshold before it is interpolated: interpolate the probabilities, then compare.",
)
def compared_too_early(mask, box, image_size, threshold=0.5):
    return pasted((mask >= threshold).astype(float), box, image_size, 0.5)


@misconception(PASTE, X_FOR_ROWS)
def pasted_sideways(mask, box, image_size, threshold=0.5):
    return pasted(mask.T, box, image_size, threshold)


@misconception(PASTE, "`threshold` has no effect.")
def always_a_half(mask, box, image_size, threshold=0.5):
    return pasted(mask, box, image_size, 0.5)


@misconception(
    PASTE, "The box is cut off to whole pixels (`int`) before the mask is laid into it: leave it as it is."
)
def box_cut_off(mask, box, image_size, threshold=0.5):
    return pasted(mask, box, image_size, threshold, rounded=np.floor)


@misconception(DETECTION, "The last class is taken for background: it is class 0.")
def background_last(class_logits, labels, deltas, target_deltas, weight=1.0):
    if not len(labels):
        return 0.0
    boxes = errors(target_deltas, own(deltas, labels)).sum(axis=1) * (labels < class_logits.shape[1] - 1)
    return np.mean(surprise(class_logits, labels) + weight * boxes)


@misconception(SIMILARITY, "The term of texture is missing: there are four, colour, texture, size and fill.")
def without_texture(a, b, image_size):
    colour, _, size, fill = terms(a, b, image_size)
    return colour + size + fill
