"""References of the assignment `rcnn`. Features are (h, w, channels), boxes xyxy, and pixel i covers i to i + 1."""

from typing import Annotated, Any

import numpy as np

from kerasref.backend import keras
from kerasref.boxes import Boxes, clip_boxes, decode_boxes, encode_boxes, iou, nms
from kerasref.core import reference
from kerasref.validation import (
    Integers,
    array,
    at_least_1,
    labels_below,
    not_negative,
    number,
    pair,
    positive,
    rank,
    same_length,
    same_shape,
    size,
)

ops = keras.ops
KEYS = ("colour", "texture", "size", "box")


def region(name: str, value: Any) -> dict[str, Any]:
    """A region of a picture: histograms `colour` and `texture` that sum to 1, `size` in pixels, and `box`."""
    if not isinstance(value, dict) or set(value) != set(KEYS):
        came = sorted(map(str, value)) if isinstance(value, dict) else f"a {type(value).__name__}"
        raise ValueError(f"`{name}` is {came}; expected a dict of {', '.join(KEYS)}: give these.")
    found = {key: array(f"{name}[{key!r}]", value[key]) for key in ("colour", "texture", "box")}
    for key in ("colour", "texture"):
        rank(1, "a histogram", **{f"{name}[{key!r}]": found[key]})
        if (found[key] < 0).any() or abs(found[key].sum() - 1) > 1e-6:
            raise ValueError(
                f"`{name}[{key!r}]` sums to {found[key].sum():.6g}; expected shares that sum to 1: divide by the sum."
            )
    if found["box"].shape != (4,):
        raise ValueError(
            f"`{name}['box']` has shape {found['box'].shape}; expected (4,): give x1, y1, x2, y2."
        )
    pixels = number(f"{name}['size']", value["size"])
    positive(**{f"{name}['size']": pixels})
    return {**found, "size": pixels}


Region = Annotated[dict, region]
Sizes = Annotated[Any, pair]


@reference
def region_similarity(a: Region, b: Region, image_size: int):
    """How alike two regions are: the sum of the similarities of colour, texture, size and fill.

    Args:
        a: dict of `colour` and `texture` (histograms that sum to 1), `size` (pixels) and `box`.
        b: another one.
        image_size: pixels of the whole image.

    Returns:
        A number.

    Source: Uijlings and others (2013); what two histograms share is 1 less half of what they differ by.
    """
    at_least_1(image_size=image_size)
    _same_bins(a, b)
    shared = sum(1 - ops.sum(ops.abs(a[key] - b[key])) / 2 for key in ("colour", "texture"))
    x1, y1, x2, y2 = _hull(a["box"], b["box"])
    # what is free in the image once both are out, and what is free in the box around both
    small = image_size - a["size"] - b["size"]
    gap = (x2 - x1) * (y2 - y1) - a["size"] - b["size"]
    return shared + (small + image_size - gap) / image_size


@reference
def merge_regions(a: Region, b: Region):
    """The region that two regions make together.

    Args:
        a: dict of `colour` and `texture` (histograms that sum to 1), `size` (pixels) and `box`.
        b: another one.

    Returns:
        A dict of the same keys: sizes added, histograms averaged by size, the box around both.

    Source: `np.average` with weights, Uijlings and others (2013).
    """
    _same_bins(a, b)
    weights = [a["size"], b["size"]]
    merged = {key: np.average([a[key], b[key]], axis=0, weights=weights) for key in ("colour", "texture")}
    return {**merged, "size": np.float64(sum(weights)), "box": _hull(a["box"], b["box"])}


@reference
def initial_boxes(image, scale: float, sigma: float, min_size: int):
    """The boxes of the regions that selective search begins with.

    Args:
        image: (h, w, 3) in 0..1.
        scale: `felzenszwalb`'s, larger for larger regions.
        sigma: width of the blur before.
        min_size: least pixels of a region.

    Returns:
        (n, 4) array of boxes.

    Source: `skimage.segmentation.felzenszwalb` and `skimage.measure.regionprops`.
    """
    return _boxes_of(_segments(image, scale, sigma, min_size))


@reference
def selective_search(image, scale: float, sigma: float, min_size: int):
    """Boxes that may hold objects: of all regions that grow from many into one, two most alike neighbours at a time.

    Args:
        image: (h, w, 3) in 0..1.
        scale: `felzenszwalb`'s, larger for larger regions.
        sigma: width of the blur before.
        min_size: least pixels of a region.

    Returns:
        (n, 4) array of boxes, the last of the whole image.

    Source: Uijlings and others (2013), on `skimage`'s `felzenszwalb` and local binary patterns, all pairs anew in each round.
    """
    labels = _segments(image, scale, sigma, min_size)
    boxes = list(_boxes_of(labels))
    count = len(boxes)
    counts = _bin_counts(image, labels)
    sizes = np.bincount(labels.ravel(), minlength=count).astype(float)
    touch = _touching(labels, count)
    alive = list(range(count))
    current = np.array(boxes)
    while len(alive) > 1:
        shares = counts[alive] / sizes[alive, None, None]
        common = np.minimum(shares[:, None], shares).sum(axis=(2, 3))
        hulls = np.concatenate(
            [
                np.minimum(current[alive, None, :2], current[alive, :2]),
                np.maximum(current[alive, None, 2:], current[alive, 2:]),
            ],
            axis=-1,
        )
        areas = np.prod(hulls[..., 2:] - hulls[..., :2], axis=-1)
        similar = common - areas / labels.size  # the sizes of both cancel between the terms of size and fill
        similar[~touch[np.ix_(alive, alive)]] = -np.inf
        one, other = np.unravel_index(similar.argmax(), similar.shape)
        keep, gone = alive[one], alive[other]
        current[keep] = hulls[one, other]
        boxes.append(current[keep].copy())
        counts[keep] += counts[gone]
        sizes[keep] += sizes[gone]
        touch[keep] |= touch[gone]
        touch[:, keep] |= touch[:, gone]
        touch[keep, keep] = False
        alive.remove(gone)
    return np.array(boxes)


@reference
def warp_region(image, box, size: Sizes, context: int = 16):
    """A box of an image, with some of what is around it, as an image of another size.

    Args:
        image: (h, w, channels).
        box: (4,), x1, y1, x2, y2.
        size: of the result, one number or (height, width).
        context: pixels of the result on each side that lie around the box.

    Returns:
        (height, width, channels) array.

    Source: Girshick and others (2014), appendix A; linear interpolation as products with hat functions.
    """
    rank(3, "(h, w, channels)", image=image)
    _one_box(box)
    not_negative(context=context)
    if 2 * context >= min(size):
        raise ValueError(
            f"`context` is {context}; expected less than half of `size`, {size}: make it smaller, or `size` larger."
        )
    weights = []
    for low, high, length, n in zip(box[1::-1], box[:1:-1], size, image.shape[:2], strict=True):
        centre, half = (low + high) / 2, (high - low) / 2 * length / (length - 2 * context)
        first, last = (int(np.floor(each + 0.5)) for each in (centre - half, centre + half))
        last = max(last, first + 1)
        places = (ops.arange(length, dtype="float64") + 0.5) * ((last - first) / length) - 0.5
        hats = _hats(places, last - first)
        inside = np.arange(first, last)
        inside = (inside[:, None] == np.arange(n)).astype(float)  # rows of zeros where the image is missing
        weights.append(ops.matmul(hats, inside))
    mean = ops.mean(image, axis=(0, 1))
    return mean + ops.einsum("ih,hwc,jw->ijc", weights[0], image - mean, weights[1])


@reference
def roi_pool(features, boxes: Boxes, output_size: Sizes, spatial_scale: float):
    """The largest feature in each bin of each box.

    Args:
        features: (h, w, channels).
        boxes: (n, 4), in the image's pixels.
        output_size: bins of a box, one number or (height, width).
        spatial_scale: features a pixel.

    Returns:
        (n, output height, output width, channels) array; an empty bin is 0.

    Source: Girshick (2015), as a maximum under masks of whole rows and columns.
    """
    _features(features, spatial_scale)
    corners = np.floor(boxes * spatial_scale + 0.5).astype(int)
    inside = []
    for axis, bins in zip((1, 0), output_size, strict=True):
        first, n = corners[:, axis, None], features.shape[1 - axis]
        length = np.maximum(corners[:, axis + 2, None] - first + 1, 1)
        i = np.arange(bins)
        start, end = first + i * length // bins, first - (-(i + 1) * length // bins)
        places = np.arange(n)
        inside.append((places >= start[..., None]) & (places < end[..., None]))
    pooled = np.zeros((len(boxes), *output_size, features.shape[2]))
    for k, (rows, columns) in enumerate(zip(*inside, strict=True)):
        both = rows[:, None, :, None, None] & columns[None, :, None, :, None]
        highest = ops.max(ops.where(both, features, -np.inf), axis=(2, 3))
        pooled[k] = ops.convert_to_numpy(ops.where(ops.isinf(highest), 0.0, highest))
    return pooled


@reference
def bilinear(features, x, y):
    """Features between the pixels.

    Args:
        features: (h, w, channels); feature i covers i to i + 1.
        x: array of any shape, places along the width.
        y: array of that shape, places along the height.

    Returns:
        Array of that shape and (channels,); outside the outermost centres it is what they are.

    Source: `keras.ops.image.map_coordinates`.
    """
    rank(3, "(h, w, channels)", features=features)
    same_shape(x=x, y=y)
    places = np.stack([y, x]) - 0.5
    each = [
        ops.image.map_coordinates(channel, places, order=1, fill_mode="nearest")
        for channel in np.moveaxis(features, 2, 0)
    ]
    return ops.stack(each, axis=-1)


def aligned(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    """`roi_align` of tensors, which a gradient goes through."""
    weights = []
    for axis, bins in zip((1, 0), output_size, strict=True):
        low, high = boxes[:, axis, None] * spatial_scale - 0.5, boxes[:, axis + 2, None] * spatial_scale - 0.5
        samples = bins * sampling_ratio
        steps = (ops.arange(samples, dtype=features.dtype) + 0.5) / samples
        hats = _hats(low + steps * (high - low), features.shape[1 - axis])
        weights.append(ops.mean(ops.reshape(hats, (-1, bins, sampling_ratio, hats.shape[-1])), axis=2))
    return ops.einsum("nih,hwc,njw->nijc", weights[0], features, weights[1])


@reference
def roi_align(features, boxes: Boxes, output_size: Sizes, spatial_scale: float, sampling_ratio: int = 2):
    """The mean of interpolated features in each bin of each box.

    Args:
        features: (h, w, channels).
        boxes: (n, 4), in the image's pixels.
        output_size: bins of a box, one number or (height, width).
        spatial_scale: features a pixel.
        sampling_ratio: samples along each side of a bin.

    Returns:
        (n, output height, output width, channels) array.

    Source: He and others (2017), half a pixel shifted; interpolation as products with hat functions.
    """
    _features(features, spatial_scale)
    at_least_1(sampling_ratio=sampling_ratio)
    features = ops.convert_to_tensor(features)
    return aligned(features, boxes, output_size, spatial_scale, sampling_ratio)


@reference
def generate_anchors(feature_shape: Sizes, stride: float, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    """Boxes of every scale and ratio around every place of a feature map.

    Args:
        feature_shape: (height, width) of the map.
        stride: pixels from one place to the next.
        scales: sides of a square anchor, in strides.
        ratios: height over width.

    Returns:
        (height * width * ratios * scales, 4) array: rows of places, in them places, in them ratios, in them scales.

    Source: Ren and others (2015); offsets added to the centres by broadcasting.
    """
    positive(stride=stride)
    for name, given in {"scales": scales, "ratios": ratios}.items():
        rank(1, "(n,)", **{name: given})
        positive(**{name: given.min()})
    rows, columns = (stride * (np.arange(n) + 0.5) for n in feature_shape)
    y, x = np.meshgrid(rows, columns, indexing="ij")
    root, side = (part.ravel() for part in np.meshgrid(np.sqrt(ratios), scales * stride, indexing="ij"))
    half = np.stack([-side / root, -side * root, side / root, side * root], axis=1) / 2
    return (np.stack([x, y, x, y], axis=-1).reshape(-1, 1, 4) + half).reshape(-1, 4)


@reference
def rpn_targets(anchors: Boxes, gt_boxes: Boxes, positive: float = 0.7, negative: float = 0.3):
    """What each anchor of a region proposal network should say.

    Args:
        anchors: (n, 4).
        gt_boxes: (m, 4), the objects.
        positive: an anchor whose best IoU is at least this is positive.
        negative: one whose best IoU is below this is negative.

    Returns:
        (labels, deltas): (n,) of 1 positive, 0 negative, -1 neither; (n, 4), zeros for all that are not positive.

    Source: Ren and others (2015), anchor by anchor on `boxes.iou`.
    """
    _from_0_to_1(positive=positive, negative=negative)
    if negative > positive:
        raise ValueError(f"`negative` is {negative}; expected at most `positive`, {positive}: lower it.")
    labels, deltas = np.zeros(len(anchors), int), np.zeros((len(anchors), 4))
    if not len(anchors) or not len(gt_boxes):
        return labels, deltas
    overlaps = iou(anchors, gt_boxes)
    records = overlaps.max(axis=0)
    for i, row in enumerate(overlaps):
        best = ((row == records) & (row > 0)).any()
        if best or row.max() >= positive:
            labels[i] = 1
            deltas[i] = encode_boxes(gt_boxes[[row.argmax()]], anchors[[i]])[0]
        elif row.max() >= negative:
            labels[i] = -1
    return labels, deltas


@reference
def rpn_proposals(
    scores,
    deltas: Boxes,
    anchors: Boxes,
    image_size: Sizes,
    pre_nms: int = 6000,
    post_nms: int = 300,
    iou_threshold: float = 0.7,
    min_size: float = 16,
):
    """The boxes that a region proposal network hands on.

    Args:
        scores: (n,).
        deltas: (n, 4).
        anchors: (n, 4).
        image_size: (height, width).
        pre_nms: most boxes before the suppression.
        post_nms: most boxes after it.
        iou_threshold: a box that overlaps a better one more than this goes.
        min_size: least side of a clipped box.

    Returns:
        (k, 4) array, best first.

    Source: Ren and others (2015), on `boxes.decode_boxes`, `clip_boxes` and `nms`.
    """
    _rank(1, "(n,)", scores=scores)
    same_length(scores=scores, deltas=deltas, anchors=anchors)
    at_least_1(pre_nms=pre_nms, post_nms=post_nms)
    _from_0_to_1(iou_threshold=iou_threshold)
    not_negative(min_size=min_size)
    if not len(scores):
        return np.zeros((0, 4))
    found = clip_boxes(decode_boxes(deltas, anchors), *image_size)
    large = np.flatnonzero((found[:, 2:] - found[:, :2]).min(axis=1) >= min_size)
    order = large[np.argsort(-scores[large], kind="stable")][:pre_nms]
    if not len(order):
        return np.zeros((0, 4))
    return found[order][nms(found[order], scores[order], iou_threshold)][:post_nms]


def smooth(y_true, y_pred, beta=1.0):
    """`smooth_l1` of tensors."""
    return keras.losses.huber(y_true[..., None], y_pred[..., None], delta=beta) / beta


@reference
def smooth_l1(y_true, y_pred, beta: float = 1.0):
    """Square for small errors, absolute for large ones, element by element.

    Args:
        y_true: array of any shape.
        y_pred: array of that shape.
        beta: where the one goes over into the other.

    Returns:
        Array of that shape.

    Source: `keras.losses.huber`, divided by beta.
    """
    same_shape(y_true=y_true, y_pred=y_pred)
    positive(beta=beta)
    return smooth(y_true, y_pred, np.float64(beta))


def detection_objective(class_logits, labels, deltas, target_deltas, weight=1.0):
    """`detection_loss` of tensors, which a gradient goes through."""
    truth = ops.one_hot(labels, class_logits.shape[1], dtype=class_logits.dtype)
    surprise = -ops.sum(truth * ops.log_softmax(class_logits), axis=1)
    own = ops.einsum("nk,nkd->nd", truth, deltas)
    errors = ops.sum(smooth(target_deltas, own), axis=1) * (1 - truth[:, 0])
    return ops.mean(surprise + weight * errors)


@reference
def detection_loss(class_logits, labels: Integers, deltas, target_deltas: Boxes, weight: float = 1.0):
    """What a detection head is trained with: the class of each region, and the box of those that are objects.

    Args:
        class_logits: (n, classes + 1), background first.
        labels: (n,), 0 for background.
        deltas: (n, classes + 1, 4), for each class its own.
        target_deltas: (n, 4).
        weight: of the boxes' part.

    Returns:
        A number: the mean over the regions of cross-entropy + weight * smooth L1, 0 without regions.

    Source: `keras.ops.log_softmax` and `keras.losses.huber`.
    """
    _rank(2, "(n, classes + 1)", class_logits=class_logits)
    _rank(1, "(n,)", labels=labels)
    _rank(3, "(n, classes + 1, 4)", deltas=deltas)
    same_length(class_logits=class_logits, labels=labels, deltas=deltas, target_deltas=target_deltas)
    size(class_logits.shape[1], 1, "one for each class of `class_logits`", deltas=deltas)
    size(4, 2, "tx, ty, tw, th", deltas=deltas)
    labels_below(class_logits.shape[1], labels=labels)
    not_negative(weight=weight)
    if not len(labels):
        return 0.0
    return detection_objective(ops.convert_to_tensor(class_logits), labels, deltas, target_deltas, weight)


def mask_objective(mask_logits, labels, masks):
    """`mask_loss` of tensors, which a gradient goes through."""
    truth = ops.one_hot(labels, mask_logits.shape[3], dtype=mask_logits.dtype)
    own = ops.einsum("nk,nhwk->nhw", truth, mask_logits)
    return ops.mean(ops.binary_crossentropy(masks, own, from_logits=True))


@reference
def mask_loss(mask_logits, labels: Integers, masks):
    """What a mask head is trained with: each pixel's yes or no, in the mask of the true class alone.

    Args:
        mask_logits: (n, h, w, classes), a mask for each class.
        labels: (n,), classes from 0.
        masks: (n, h, w) of 0 and 1.

    Returns:
        A number: the mean sigmoid cross-entropy over regions and pixels.

    Source: `keras.ops.binary_crossentropy` from logits.
    """
    rank(4, "(n, h, w, classes)", mask_logits=mask_logits)
    rank(1, "(n,)", labels=labels)
    rank(3, "(n, h, w)", masks=masks)
    same_length(mask_logits=mask_logits, labels=labels, masks=masks)
    for axis in (1, 2):
        size(mask_logits.shape[axis], axis, "as in `mask_logits`", masks=masks)
    labels_below(mask_logits.shape[3], labels=labels)
    return mask_objective(ops.convert_to_tensor(mask_logits), labels, ops.convert_to_tensor(masks))


@reference
def paste_mask(mask, box, image_size: Sizes, threshold: float = 0.5):
    """A small mask laid into its box, over the whole image.

    Args:
        mask: (h, w) of probabilities.
        box: (4,), x1, y1, x2, y2.
        image_size: (height, width).
        threshold: what a pixel must reach.

    Returns:
        (height, width) array of bools, False outside the box.

    Source: He and others (2017); interpolation as products with hat functions.
    """
    rank(2, "(h, w)", mask=mask)
    _one_box(box)
    weights, inside = [], []
    for low, high, n, length in zip(box[1::-1], box[:1:-1], mask.shape, image_size, strict=True):
        centres = np.arange(length) + 0.5
        within = (centres >= low) & (centres < high)
        share = (centres - low) / np.where(high > low, high - low, 1)
        weights.append(_hats(ops.convert_to_tensor(share * n - 0.5), n))
        inside.append(within)
    pasted = ops.convert_to_numpy(ops.einsum("ih,hw,jw->ij", weights[0], mask, weights[1]))
    return (pasted >= threshold) & inside[0][:, None] & inside[1]


def _rank(expected: int, axes: str, **arrays: np.ndarray) -> None:
    """Refuse arrays of another rank; unlike `rank`, they may be empty."""
    for name, given in arrays.items():
        if given.ndim != expected:
            raise ValueError(
                f"`{name}` has shape {given.shape}; expected rank {expected}, {axes}: add or drop an axis."
            )


def _from_0_to_1(**numbers: float) -> None:
    for name, given in numbers.items():
        if not 0 <= given <= 1:
            raise ValueError(f"`{name}` is {given}; expected a number from 0 to 1: give one.")


def _one_box(box: np.ndarray) -> None:
    if box.shape != (4,):
        raise ValueError(f"`box` has shape {box.shape}; expected (4,): give x1, y1, x2, y2.")


def _features(features: np.ndarray, spatial_scale: float) -> None:
    rank(3, "(h, w, channels)", features=features)
    positive(spatial_scale=spatial_scale)


def _same_bins(a: dict[str, Any], b: dict[str, Any]) -> None:
    for key in ("colour", "texture"):
        same_shape(**{f"a[{key!r}]": a[key], f"b[{key!r}]": b[key]})


def _hull(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.concatenate([np.minimum(a[:2], b[:2]), np.maximum(a[2:], b[2:])])


def _hats(places: Any, n: int) -> Any:
    """The share that each of n pixels has in a value between them, (..., n); places beyond the ends are the ends."""
    places = ops.clip(places, 0, n - 1)
    return ops.relu(1 - ops.abs(places[..., None] - ops.arange(n, dtype=places.dtype)))


def _segments(image: np.ndarray, scale: float, sigma: float, min_size: int) -> np.ndarray:
    from skimage.segmentation import felzenszwalb

    rank(3, "(h, w, 3)", image=image)
    size(3, 2, "red, green and blue", image=image)
    positive(scale=scale)
    not_negative(sigma=sigma)
    at_least_1(min_size=min_size)
    return felzenszwalb(image, scale=scale, sigma=sigma, min_size=min_size, channel_axis=2)


def _boxes_of(labels: np.ndarray) -> np.ndarray:
    from skimage.measure import regionprops

    return np.array([np.array(each.bbox, float)[[1, 0, 3, 2]] for each in regionprops(labels + 1)])


def _bin_counts(image: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Pixels by region, kind (colour, texture) and bin; each channel has a third of a pixel's vote."""
    from skimage.feature import local_binary_pattern

    colours = np.clip(image * 25, 0, 24).astype(int)
    grey = (255 * np.clip(image, 0, 1)).astype(np.uint8)
    textures = [local_binary_pattern(grey[..., c], 8, 1, method="uniform").astype(int) for c in range(3)]
    counts = np.zeros((labels.max() + 1, 2, 75))
    for c in range(3):
        for kind, bins in enumerate((colours[..., c], textures[c])):
            places: Any = (labels, kind, 25 * c + bins)
            np.add.at(counts, places, 1 / 3)
    return counts


def _touching(labels: np.ndarray, count: int) -> np.ndarray:
    touch = np.zeros((count, count), bool)
    for one, other in [(labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])]:
        touch[one, other] = touch[other, one] = True
    np.fill_diagonal(touch, False)
    return touch
