# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # R-CNN and its family
#
# A classifier says what a picture shows. A detector says what is *where*, and how many. The R-CNN family makes the one
# out of the other: propose some regions that may hold an object, look at each, name it, and move its box into place. In
# this notebook you write the parts of four papers: selective search and the warped regions of **R-CNN**, RoI pooling
# and the joint loss of **Fast R-CNN**, anchors and proposals of **Faster R-CNN**, RoI align and the masks of **Mask
# R-CNN**. At the end they find, name and outline the objects of drawn scenes. The lesson derives what is used here;
# have it open beside this notebook.
#
# Boxes are rows `(x1, y1, x2, y2)`. Coordinates are continuous: pixel 0 covers the line from 0 to 1, its middle is at
# 0.5, and pixels 3 to 5 make a box from 3 to 6. A width is x2 - x1, without a +1. An image or a feature map is one,
# `(h, w, c)`, rows first. Nothing may change its arguments.

# %%
import cv2
import numpy as np
from skimage.segmentation import felzenszwalb

from course import data, plots, scenes

# %% [markdown]
# ## Given: guards, and what you know of boxes
#
# `require_axes` raises `ValueError` for shapes that do not fit: each letter names an axis, axes of one letter agree in
# size, and a digit is a size: `require_axes(boxes=(boxes, "n4"))`. IoU, its suppression, and the four numbers that move
# an anchor onto a box are those of the assignment `boxes`.


# %%
def require_axes(**arrays):
    """Raise `ValueError` unless every array has an axis for each of its letters, and equal letters have equal sizes."""
    sizes = {}
    for name, (array, letters) in arrays.items():
        if np.ndim(array) != len(letters):
            raise ValueError(f"{name} has shape {np.shape(array)}, expected ({', '.join(letters)})")
        for letter, size in zip(letters, np.shape(array), strict=True):
            expected = int(letter) if letter.isdigit() else sizes.setdefault(letter, size)
            if size != expected:
                raise ValueError(f"{name} has shape {np.shape(array)}, expected {letter} = {expected}")


def require(holds, **given):
    """Raise `ValueError` with what was given unless it holds."""
    if not holds:
        raise ValueError(
            ", ".join(f"{name} is {value}" for name, value in given.items()) + ": not as expected"
        )


def pair(size):
    """One number, or two, as (height, width)."""
    both = tuple(size) if np.ndim(size) else (size, size)
    require(
        len(both) == 2 and min(both) >= 1 and all(isinstance(n, int | np.integer) for n in both), size=size
    )
    return both


def iou(a, b):
    """Intersection over union of each box of a with each of b."""
    sides = np.minimum(a[:, np.newaxis, 2:], b[:, 2:]) - np.maximum(a[:, np.newaxis, :2], b[:, :2])
    shared = np.prod(np.maximum(sides, 0), axis=2)
    areas = [np.prod(boxes[:, 2:] - boxes[:, :2], axis=1) for boxes in (a, b)]
    union = areas[0][:, np.newaxis] + areas[1] - shared
    return np.divide(shared, union, out=np.zeros(shared.shape), where=union > 0)


def nms(boxes, scores, iou_threshold=0.5):
    """Indices of the boxes that no better one overlaps by more than the threshold, best first."""
    order, kept = np.argsort(-scores, kind="stable"), []
    while len(order):
        kept.append(order[0])
        order = order[1:][iou(boxes[order[:1]], boxes[order[1:]])[0] <= iou_threshold]
    return np.array(kept, int)


def encode(boxes, anchors):
    """What moves each anchor onto its box: (tx, ty, tw, th)."""
    sides, anchor_sides = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
    shift = (boxes[:, :2] + boxes[:, 2:] - anchors[:, :2] - anchors[:, 2:]) / 2
    return np.concatenate([shift / anchor_sides, np.log(sides / anchor_sides)], axis=1)


def decode(deltas, anchors):
    """The anchors, moved."""
    sides = anchors[:, 2:] - anchors[:, :2]
    centres = (anchors[:, :2] + anchors[:, 2:]) / 2 + deltas[:, :2] * sides
    half = sides * np.exp(deltas[:, 2:]) / 2
    return np.concatenate([centres - half, centres + half], axis=1)


# %% [markdown]
# ## 1 Regions
#
# Where could an object be? Trying every box is hopeless: a picture of 500 × 400 pixels has ten billion. **Selective
# search** begins with small regions of one colour and lets neighbours grow together, the most alike first. On the way
# from many small regions to one, most objects are a single region for a while.
#
# A region is a dict: `colour` and `texture`, two histograms whose entries sum to 1; `size`, its number of pixels;
# `box`, an array of four. How alike two regions are is the sum of four terms. With $c^a$ and $t^a$ the histograms of
# region $a$, $|a|$ its size, $|a\cup b|_\square$ the area of the smallest box around both, and $|I|$ the pixels of the
# whole image:
#
# $$\underbrace{\sum_k \min(c^a_k, c^b_k)}_{\text{colour}} + \underbrace{\sum_k \min(t^a_k, t^b_k)}_{\text{texture}} +
# \underbrace{1 - \frac{|a| + |b|}{|I|}}_{\text{size}} + \underbrace{1 - \frac{|a\cup b|_\square - |a| - |b|}{|I|}}_{\text{fill}} .$$
#
# Two histograms have in common, bin by bin, the smaller of the two. The term of size lets small regions go first, so
# that no large one eats up all others. The term of fill is high when two regions fit into each other and leave no gap
# in their box.
#
# When two regions merge, nothing needs to be counted anew. Of 300 pixels and 100 pixels, what share of the 400 has
# colour $k$? The mean of both shares, *weighted by size*.
#
# *To think about:* two regions lie in opposite corners of the image. Which of the four terms says so?


# %% exercise="regions"
def region_similarity(a, b, image_size):
    """How alike two regions are.

    Args:
        a: dict of `colour` and `texture` (histograms that sum to 1), `size` (pixels) and `box` (4,).
        b: another one.
        image_size: pixels of the whole image.

    Returns:
        A number, the sum of the similarities of colour, texture, size and fill.
    """
    ### BEGIN SOLUTION
    require_axes(a_colour=(a["colour"], "c"), b_colour=(b["colour"], "c"))
    require_axes(a_texture=(a["texture"], "t"), b_texture=(b["texture"], "t"))
    require_axes(a_box=(a["box"], "4"), b_box=(b["box"], "4"))
    require(image_size >= 1, image_size=image_size)
    colour = np.minimum(a["colour"], b["colour"]).sum()
    texture = np.minimum(a["texture"], b["texture"]).sum()
    both = a["size"] + b["size"]
    corner, opposite = np.minimum(a["box"], b["box"])[:2], np.maximum(a["box"], b["box"])[2:]
    gap = np.prod(opposite - corner) - both
    return colour + texture + (1 - both / image_size) + (1 - gap / image_size)
    ### END SOLUTION


def merge_regions(a, b):
    """The region that two regions make together.

    Args:
        a: dict of `colour` and `texture` (histograms that sum to 1), `size` (pixels) and `box` (4,).
        b: another one.

    Returns:
        A dict of the same four: the histograms of all pixels together, their number, and the smallest box around both.
    """
    ### BEGIN SOLUTION
    require_axes(a_colour=(a["colour"], "c"), b_colour=(b["colour"], "c"))
    require_axes(a_texture=(a["texture"], "t"), b_texture=(b["texture"], "t"))
    require_axes(a_box=(a["box"], "4"), b_box=(b["box"], "4"))
    both = a["size"] + b["size"]
    return {
        "colour": (a["size"] * a["colour"] + b["size"] * b["colour"]) / both,
        "texture": (a["size"] * a["texture"] + b["size"] * b["texture"]) / both,
        "size": both,
        "box": np.concatenate([np.minimum(a["box"], b["box"])[:2], np.maximum(a["box"], b["box"])[2:]]),
    }
    ### END SOLUTION


# %% check="regions"
check("regions")

# %% [markdown]
# ## 2 Selective search
#
# The first regions come from Felzenszwalb and Huttenlocher's segmentation, which you may take from scikit-image:
# `felzenszwalb(image, scale=scale, sigma=sigma, min_size=min_size, channel_axis=2)` gives each pixel the number of its
# region, from 0. A larger `scale` makes larger regions; `sigma` blurs the image before; a region has at least
# `min_size` pixels.
#
# Then, until one region is left:
#
# - find the two *neighbours* that are most alike, and merge them;
# - forget the similarities in which either took part;
# - compare the new region with the neighbours that either had.
#
# The boxes of all regions that there ever were are your proposals: those of the first regions, of all merged ones, and
# at last that of the whole image.
#
# What a histogram counts is open: the paper counts 25 levels of each colour channel, and the directions of gradients
# for texture. `describe_regions` below does that in a simple way. Use it, or your own. In which order your boxes come,
# and whether equal ones come once or twice, is open too.
#
# *To think about:* how many merges are there when you begin with n regions? And how many boxes?


# %%
def describe_regions(image, labels):
    """Each region of a segmentation as a dict of colour, texture, size and box; region i has the label i."""
    colour = np.clip(image * 25, 0, 24).astype(int)
    down, right = np.gradient(image, axis=(0, 1))
    direction = ((np.arctan2(down, right) / (2 * np.pi) % 1) * 8).astype(int) % 8
    strength = np.digitize(np.hypot(down, right), [0.02, 0.05, 0.1])
    texture = 8 * strength + direction
    regions = []
    for label in range(labels.max() + 1):
        rows, columns = np.nonzero(labels == label)
        regions.append(
            {
                "colour": _shares(colour[rows, columns], 25),
                "texture": _shares(texture[rows, columns], 32),
                "size": len(rows),
                "box": np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1], float),
            }
        )
    return regions


def _shares(bins, count):
    """One histogram of all channels, one after the other: (pixels, channels) to shares that sum to 1."""
    channels = bins.shape[1]
    counts = np.bincount((bins + count * np.arange(channels)).ravel(), minlength=count * channels)
    return counts / bins.size


# %% exercise="selective_search"
def selective_search(image, scale, sigma, min_size):
    """Boxes that may hold objects.

    Args:
        image: shape (h, w, 3), in 0..1.
        scale: of the first segmentation; larger for larger regions.
        sigma: the width of its blur.
        min_size: the fewest pixels of a first region.

    Returns:
        Boxes (n, 4), in any order: of each first region, of each merged one, and so of the whole image, (0, 0, w, h).
    """
    ### BEGIN SOLUTION
    require_axes(image=(image, "hw3"))
    require(scale > 0 and sigma >= 0 and min_size >= 1, scale=scale, sigma=sigma, min_size=min_size)
    labels = felzenszwalb(image, scale=scale, sigma=sigma, min_size=min_size, channel_axis=2)
    regions = describe_regions(image, labels)

    def similarity(a, b):
        return region_similarity(regions[a], regions[b], labels.size)

    below = np.stack([labels[:-1].ravel(), labels[1:].ravel()], axis=1)
    beside = np.stack([labels[:, :-1].ravel(), labels[:, 1:].ravel()], axis=1)
    touching = np.unique(np.sort(np.concatenate([below, beside]), axis=1), axis=0).tolist()
    alike = {(a, b): similarity(a, b) for a, b in touching if a != b}
    while alike:
        a, b = max(alike, key=alike.get)
        new = len(regions)
        regions.append(merge_regions(regions[a], regions[b]))
        gone = [each for each in alike if a in each or b in each]
        neighbours = {region for each in gone for region in each} - {a, b}
        alike = {each: value for each, value in alike.items() if each not in gone}
        alike |= {(region, new): similarity(region, new) for region in neighbours}
    return np.array([region["box"] for region in reversed(regions)])
    ### END SOLUTION


# %% check="selective_search"
check("selective_search")

# %% [markdown]
# ### Look: regions grow
#
# First a photograph, cut at one scale: small, middling and large boxes, the last one being the whole picture. Then
# drawn scenes, in which you know where the objects are. How many proposals must you look at before most objects are
# among them? Your boxes are ranked by area, large ones first. A large scale begins with few regions: few proposals find
# much, but some objects are lost in their ground from the start. A small scale loses none, and takes more looks. That
# is why the paper joins the boxes of several scales.

# %% show
astronaut = data.picture("astronaut", size=128)
grown = np.unique(selective_search(astronaut, 150.0, 0.8, 60), axis=0)
areas = np.prod(grown[:, 2:] - grown[:, :2], axis=1)
sized = {
    "small": grown[areas < 400],
    "middling": grown[(areas >= 400) & (areas < 3000)],
    "large": grown[areas >= 3000],
}
display(
    plots.detections(
        [astronaut] * 3,
        [{"boxes": boxes} for boxes in sized.values()],
        titles=[f"{len(boxes)} {name}" for name, boxes in sized.items()],
        columns=3,
    )
)


def proposals_of(image, scale):
    """The boxes at one scale, each once, large ones first."""
    boxes = np.unique(selective_search(image, scale, 0.8, 20), axis=0)
    return boxes[np.argsort(-np.prod(boxes[:, 2:] - boxes[:, :2], axis=1), kind="stable")]


def recall(proposals, truth, counts):
    """The share of objects that one of the first so many boxes overlaps by at least half."""
    found = [
        [(iou(each["boxes"], boxes[:count]) >= 0.5).any(axis=1) for count in counts]
        for each, boxes in zip(truth, proposals, strict=True)
    ]
    return np.concatenate(found, axis=1).mean(axis=1)


pictures, objects = scenes.draw(30, seed=21)
searched = {scale: [proposals_of(image, scale) for image in pictures] for scale in (20.0, 200.0, 1500.0)}
counts = [1, 2, 4, 8, 16, 32, 64]
display(
    plots.lines(
        {f"scale {scale:g}": recall(found, objects, counts) for scale, found in searched.items()},
        x=counts,
        title="Objects found by selective search",
        xlabel="proposals",
        ylabel="recall at IoU 0.5",
        percent=True,
    )
)

# %% [markdown]
# ## 3 Warped regions
#
# R-CNN's classifier wants images of one size, and proposals have all sizes and shapes. So each is cut out and
# **warped**: stretched to `size`, whatever its shape was. A little of what is around an object helps to tell what it
# is, so the box is enlarged first, by just so much that in the *result* there are `context` pixels around it on each
# side:
#
# - The result is $s$ pixels wide, of which $s - 2p$ are the box's ($p$ is `context`). So the box, w wide, is enlarged
#   about its centre to $w\, s / (s - 2p)$, and its height likewise.
# - The enlarged corners are **rounded** to whole pixels, and these pixels are cut out. At least one pixel is.
# - Pixels that lie outside the image are filled with the image's **mean colour**, one mean for each channel over the
#   whole image.
# - What was cut out is **resized linearly**: `cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR)`.
#
# *To think about:* OpenCV wants (width, height). What does it do with an image of one channel, (h, w, 1)?


# %% exercise="warp_region"
def warp_region(image, box, size, context=16):
    """A box of an image, with some of what is around it, as an image of a given size.

    Args:
        image: shape (h, w, c).
        box: shape (4,).
        size: of the result, one number or (height, width).
        context: pixels of the result on each side that lie around the box, less than half of the size.

    Returns:
        Array (height, width, c).

    Raises:
        ValueError: when the context leaves nothing of the size.
    """
    ### BEGIN SOLUTION
    require_axes(image=(image, "hwc"), box=(box, "4"))
    height, width = pair(size)
    require(0 <= 2 * context < min(height, width), context=context, size=size)
    box, target = np.asarray(box, float), np.array([width, height])
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * target / (target - 2 * context)
    x1, y1 = np.floor(centre - half + 0.5).astype(int)
    x2, y2 = np.maximum(np.floor(centre + half + 0.5).astype(int), (x1 + 1, y1 + 1))
    rows, columns = np.arange(y1, y2), np.arange(x1, x2)
    crop = np.tile(image.mean(axis=(0, 1)), (len(rows), len(columns), 1))
    there = np.ix_((rows >= 0) & (rows < image.shape[0]), (columns >= 0) & (columns < image.shape[1]))
    crop[there] = image[max(y1, 0) : max(y2, 0), max(x1, 0) : max(x2, 0)]
    resized = cv2.resize(crop, (width, height), interpolation=cv2.INTER_LINEAR)
    return resized.reshape(height, width, -1)
    ### END SOLUTION


# %% check="warp_region"
check("warp_region")

# %% [markdown]
# ### Look: what R-CNN's network sees
#
# One scene with its objects, and some of its proposals as they are warped: all of one size. Where a box reaches beyond
# the image you see the mean.

# %% show
display(plots.detections(pictures[:1], objects[:1], names=scenes.CLASSES, size=3))
warped = [warp_region(pictures[0], box, 48, 8) for box in searched[20.0][0][:64:4]]
display(plots.pictures(warped, title="Proposals, warped", columns=8, size=1.2))

# %% [markdown]
# ## 4 RoI pooling
#
# R-CNN runs its network once for every proposal. **Fast R-CNN** runs it once for the image, and cuts the proposals out
# of the *features*. A box in the image's pixels, times `spatial_scale` (1/16 when 16 pixels make one feature), is a box
# of features. It is divided into `output_size` bins, and each bin gives its largest feature, channel by channel. As in
# the paper's code:
#
# - Corners are rounded half up to whole features, $\lfloor x + \frac12\rfloor$, and are **inclusive**: from 2 to 5 are
#   four features. Here, and nowhere else, a size is last - first + 1, and at least 1.
# - With $n$ features and $k$ bins, bin $i$ goes from feature $\lfloor i\,n/k\rfloor$ up to, but without, $\lceil
#   (i+1)\,n/k\rceil$, counted from the first. Neighbouring bins may share a feature, and none is left out.
# - What lies outside the map is clipped away. A bin with nothing left is 0.
#
# *To think about:* three features and two bins. Which features are in which bin?


# %% exercise="roi_pool"
def roi_pool(features, boxes, output_size, spatial_scale):
    """The largest feature in each bin of each box.

    Args:
        features: shape (h, w, c).
        boxes: shape (n, 4), in the image's pixels.
        output_size: bins of a box, one number or (height, width).
        spatial_scale: features a pixel.

    Returns:
        Array (n, output height, output width, c).
    """
    ### BEGIN SOLUTION
    require_axes(features=(features, "hwc"), boxes=(boxes, "n4"))
    require(spatial_scale > 0, spatial_scale=spatial_scale)
    height, width = pair(output_size)
    pooled = np.zeros((len(boxes), height, width, features.shape[2]))
    for one, (x1, y1, x2, y2) in zip(pooled, np.floor(boxes * spatial_scale + 0.5).astype(int), strict=True):
        rows, columns = max(y2 - y1 + 1, 1), max(x2 - x1 + 1, 1)
        for i in range(height):
            top, bottom = y1 + i * rows // height, y1 - (-(i + 1) * rows // height)
            for j in range(width):
                left, right = x1 + j * columns // width, x1 - (-(j + 1) * columns // width)
                inside = features[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
                if inside.size:
                    one[i, j] = inside.max(axis=(0, 1))
    return pooled
    ### END SOLUTION


# %% check="roi_pool"
check("roi_pool")

# %% [markdown]
# ## 5 RoI align
#
# Rounding costs little when you want a name, and much when you want a mask: at 1/16, half a feature is eight pixels.
# **Mask R-CNN** rounds nothing. It divides the box, as it is, into bins, takes `sampling_ratio` × `sampling_ratio`
# points in each, evenly spaced and centred, reads the features *between* the pixels, and averages.
#
# First the reading. Feature $i$ covers the line from $i$ to $i+1$, so its value belongs to its middle, $i + \frac12$. A
# place $x$ therefore lies at $u = x - \frac12$ on a line on which values stand at whole numbers. Between two of them
# the value is a mean, weighted by nearness; before the first and behind the last it is theirs: clamp $u$ to the range
# from 0 to $w - 1$. In two directions the four neighbours of a place have the products of both weights.
#
# Then the points. A bin of $b$ features with $r$ samples has them at $(s + \frac12)\,b/r$ from its beginning, $s = 0,
# \dots, r - 1$.
#
# *To think about:* forget the half pixel. In which direction is everything shifted, and by how many pixels of the
# image?


# %% exercise="roi_align"
def bilinear(features, x, y):
    """Features between the pixels.

    Args:
        features: shape (h, w, c); feature i covers i to i + 1.
        x: array of any shape, places along the width.
        y: array of that shape, places along the height.

    Returns:
        Array of that shape, and c behind it; outside the centres of the outermost features it is what they are.

    Raises:
        ValueError: when the shapes do not fit together.
    """
    ### BEGIN SOLUTION
    require_axes(features=(features, "hwc"))
    require(np.shape(x) == np.shape(y), x=np.shape(x), y=np.shape(y))
    height, width = features.shape[:2]
    u, v = np.clip(np.asarray(x) - 0.5, 0, width - 1), np.clip(np.asarray(y) - 0.5, 0, height - 1)
    left, top = np.floor(u).astype(int), np.floor(v).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    u, v = (u - left)[..., np.newaxis], (v - top)[..., np.newaxis]
    above = (1 - u) * features[top, left] + u * features[top, right]
    below = (1 - u) * features[bottom, left] + u * features[bottom, right]
    return (1 - v) * above + v * below
    ### END SOLUTION


def roi_align(features, boxes, output_size, spatial_scale, sampling_ratio=2):
    """The mean of interpolated features in each bin of each box.

    Args:
        features: shape (h, w, c).
        boxes: shape (n, 4), in the image's pixels.
        output_size: bins of a box, one number or (height, width).
        spatial_scale: features a pixel.
        sampling_ratio: samples along each side of a bin.

    Returns:
        Array (n, output height, output width, c).
    """
    ### BEGIN SOLUTION
    require_axes(features=(features, "hwc"), boxes=(boxes, "n4"))
    require(spatial_scale > 0, spatial_scale=spatial_scale)
    require(sampling_ratio >= 1, sampling_ratio=sampling_ratio)
    height, width = pair(output_size)
    x1, y1, x2, y2 = (boxes * spatial_scale).T[..., np.newaxis]
    across = (np.arange(width * sampling_ratio) + 0.5) / (width * sampling_ratio)
    down = (np.arange(height * sampling_ratio) + 0.5) / (height * sampling_ratio)
    x = (x1 + across * (x2 - x1))[:, np.newaxis, :]
    y = (y1 + down * (y2 - y1))[:, :, np.newaxis]
    samples = bilinear(features, *np.broadcast_arrays(x, y))
    split = (len(boxes), height, sampling_ratio, width, sampling_ratio, features.shape[2])
    return samples.reshape(split).mean(axis=(2, 4))
    ### END SOLUTION


# %% check="roi_align"
check("roi_align")

# %% [markdown]
# ### Look: half a feature
#
# Sixteen pixels of a photograph make a feature. A box of 64 pixels slides to the right, and you watch the first of its
# 2 × 2 bins. Pooling stands still for sixteen pixels and then jumps. Align follows every pixel.

# %% show
camera = data.picture("camera", size=512)[:, :, :1]
coarse = camera.reshape(32, 16, 32, 16, 1).mean(axis=(1, 3))
shifts = np.arange(96)
sliding = np.stack([100 + shifts, 100 + 0 * shifts, 164 + shifts, 164 + 0 * shifts], axis=1).astype(float)
plots.lines(
    {
        "RoI pool": roi_pool(coarse, sliding, 2, 1 / 16)[:, 0, 0, 0],
        "RoI align": roi_align(coarse, sliding, 2, 1 / 16)[:, 0, 0, 0],
    },
    x=shifts,
    title="The first bin, while the box moves",
    xlabel="pixels moved",
    ylabel="value",
)

# %% [markdown]
# ## 6 Anchors
#
# Selective search takes longer than the network it feeds. **Faster R-CNN** lets a small network propose: at each place
# of the feature map it is asked about some **anchors**, boxes of several scales and shapes that are the same
# everywhere. Is there an object in this one? And how would you move it?
#
# - The anchors of the place in row $i$ and column $j$ have their centre at $((j + \frac12)\,s,\ (i + \frac12)\,s)$,
#   where $s$ is the `stride`.
# - A scale $a$ and a ratio $r$ make a box of area $(a\,s)^2$ whose **height is r times its width**. Solve for both: $w
#   = a\,s/\sqrt r$ and $h = a\,s\,\sqrt r$.
# - Order: places row by row; at one place ratio by ratio; for one ratio scale by scale.
#
# *To think about:* a feature map of 4 × 5, three scales, two ratios. Which row of the result is the anchor of row 2,
# column 3, ratio 1, scale 0?


# %% exercise="generate_anchors"
def generate_anchors(feature_shape, stride, scales=(8, 16, 32), ratios=(0.5, 1, 2)):
    """Boxes of every scale and ratio around every place of a feature map.

    Args:
        feature_shape: (height, width) of the map.
        stride: pixels from one place to the next.
        scales: sides of a square anchor, in strides.
        ratios: height over width.

    Returns:
        Boxes (height * width * ratios * scales, 4), in pixels; they may reach outside the image.
    """
    ### BEGIN SOLUTION
    height, width = pair(feature_shape)
    scales, ratios = np.asarray(scales, float), np.asarray(ratios, float)
    require_axes(scales=(scales, "s"), ratios=(ratios, "r"))
    require(
        stride > 0 and (scales > 0).all() and (ratios > 0).all(), stride=stride, scales=scales, ratios=ratios
    )
    sides = scales * stride
    w = (sides / np.sqrt(ratios)[:, np.newaxis]).ravel()
    h = (sides * np.sqrt(ratios)[:, np.newaxis]).ravel()
    y, x = np.mgrid[:height, :width] + 0.5
    x, y = stride * x.reshape(-1, 1), stride * y.reshape(-1, 1)
    return np.stack([x - w / 2, y - h / 2, x + w / 2, y + h / 2], axis=-1).reshape(-1, 4)
    ### END SOLUTION


# %% check="generate_anchors"
check("generate_anchors")

# %% [markdown]
# ### Look: one place, nine anchors
#
# The anchors of one place of an 8 × 8 map over a drawn scene, a colour for each ratio.

# %% show
anchors = generate_anchors((8, 8), 8, (2, 3, 4), (0.5, 1, 2))
middle = anchors.reshape(8, 8, 9, 4)[4, 3]
plots.detections(
    pictures[1:2],
    [{"boxes": middle, "labels": np.repeat([0, 1, 2], 3)}],
    titles=["ratios 0.5, 1 and 2, three scales each"],
    size=4,
)

# %% [markdown]
# ## 7 What an anchor should say
#
# Take the IoU of every anchor with every object. An anchor is
#
# - **positive**, label 1, when its best IoU is at least `positive`;
# - also **positive** when it is *the best anchor that some object has*, however poor, as long as their IoU is above 0.
#   If several anchors are equally the best of an object, all are;
# - **negative**, label 0, when its best IoU is below `negative` and it is no object's best;
# - neither, label -1, otherwise: it is left out of the training.
#
# Without the second rule an object that fits no anchor would teach nothing. A positive anchor learns to move onto the
# object *that it overlaps most*, which need not be the one it is the best of: its `deltas` are `encode` of that object.
# All other anchors have zeros.
#
# *To think about:* an image without objects. What are its labels?
#
# ## 8 Proposals
#
# In use, the network gives each anchor a score and four deltas. What goes on to the second stage is made of these, in
# this order:
#
# - move the anchors by their deltas (`decode`), and clip them to the image;
# - drop boxes with a side below `min_size`;
# - keep the `pre_nms` best;
# - suppress by `nms`, whose threshold is `iou_threshold`;
# - keep the `post_nms` best.
#
# The order matters: a tiny box with a high score must not suppress others before it is dropped itself.


# %% exercise="rpn"
def rpn_targets(anchors, gt_boxes, positive=0.7, negative=0.3):
    """What each anchor should say.

    Args:
        anchors: shape (n, 4).
        gt_boxes: shape (m, 4), the objects; m may be 0.
        positive: an anchor with a best IoU of at least this is positive.
        negative: one with a best IoU below this is negative.

    Returns:
        (labels, deltas): whole numbers (n,), 1 positive, 0 negative, -1 neither; and (n, 4), 0 where not positive.
    """
    ### BEGIN SOLUTION
    require_axes(anchors=(anchors, "n4"), gt_boxes=(gt_boxes, "m4"))
    require(0 <= negative <= positive <= 1, positive=positive, negative=negative)
    overlaps = iou(anchors, gt_boxes)
    best = overlaps.max(axis=1, initial=0)
    of_an_object = ((overlaps == overlaps.max(axis=0, initial=0)) & (overlaps > 0)).any(axis=1)
    labels = np.full(len(anchors), -1)
    labels[best < negative] = 0
    labels[(best >= positive) | of_an_object] = 1
    deltas = np.zeros((len(anchors), 4))
    chosen = labels == 1
    if chosen.any():
        deltas[chosen] = encode(gt_boxes[overlaps[chosen].argmax(axis=1)], anchors[chosen])
    return labels, deltas
    ### END SOLUTION


def rpn_proposals(
    scores, deltas, anchors, image_size, pre_nms=6000, post_nms=300, iou_threshold=0.7, min_size=16
):
    """The boxes that the first stage hands on.

    Args:
        scores: shape (n,).
        deltas: shape (n, 4).
        anchors: shape (n, 4).
        image_size: (height, width).
        pre_nms: most boxes before the suppression.
        post_nms: most boxes after it.
        iou_threshold: a box that overlaps a better one by more than this goes.
        min_size: least side of a clipped box, in pixels.

    Returns:
        Boxes (k, 4), best first; k may be 0.
    """
    ### BEGIN SOLUTION
    require_axes(scores=(scores, "n"), deltas=(deltas, "n4"), anchors=(anchors, "n4"))
    require(pre_nms >= 1 and post_nms >= 1, pre_nms=pre_nms, post_nms=post_nms)
    require(0 <= iou_threshold <= 1 and min_size >= 0, iou_threshold=iou_threshold, min_size=min_size)
    height, width = pair(image_size)
    boxes = np.clip(decode(deltas, anchors), 0, [width, height, width, height])
    large = (boxes[:, 2:] - boxes[:, :2] >= min_size).all(axis=1)
    boxes, scores = boxes[large], scores[large]
    best = np.argsort(-scores, kind="stable")[:pre_nms]
    boxes, scores = boxes[best], scores[best]
    return boxes[nms(boxes, scores, iou_threshold)[:post_nms]]
    ### END SOLUTION


# %% check="rpn"
check("rpn")

# %% [markdown]
# ### Look: who learns what
#
# The positive anchors of four scenes, a colour for each object that they are to move onto. Some objects have many, some
# just their best one.

# %% show
shown = []
for each in objects[:4]:
    labels, deltas = rpn_targets(anchors, each["boxes"])
    chosen = anchors[labels == 1]
    shown.append({"boxes": chosen, "labels": iou(chosen, each["boxes"]).argmax(axis=1)})
    assert np.allclose(decode(deltas[labels == 1], chosen), each["boxes"][shown[-1]["labels"]])
plots.detections(pictures[:4], shown, titles=[f"{len(each['boxes'])} positive" for each in shown])

# %% [markdown]
# ## 9 The loss of a detection head
#
# The second stage says for each region which class it is, background being class 0, and for *each* class how the box
# should move if it were that. The errors of the boxes are measured by **smooth L1**, a parabola near zero and straight
# lines outside. With $d$ the difference,
#
# $$\ell_\beta(d) = \begin{cases} d^2 / (2\beta) & |d| < \beta \\ |d| - \beta/2 & \text{otherwise.}\end{cases}$$
#
# The loss of region $i$ with the true class $y_i$, softmax probabilities $p_i$ and the deltas $t_{i,y_i}$ of its *true*
# class is
#
# $$L_i = -\log p_{i, y_i} + \lambda\,[y_i > 0] \sum_{k=1}^4 \ell_1\bigl(t_{i,y_i,k} - t^*_{i,k}\bigr),$$
#
# where $[y_i > 0]$ is 1 for an object and 0 for background, which has no box to move to. The loss is the mean over all
# n regions, background and all; without regions it is 0.
#
# *To think about:* the cross-entropy must stay finite for logits of a thousand. Which number do you take from each row
# first?


# %% exercise="detection_loss"
def smooth_l1(y_true, y_pred, beta=1.0):
    """Square for small errors, absolute for large ones, element by element.

    Args:
        y_true: array of any shape.
        y_pred: array of that shape.
        beta: where the one goes over into the other.

    Returns:
        Array of that shape.

    Raises:
        ValueError: when the shapes differ.
    """
    ### BEGIN SOLUTION
    require(np.shape(y_true) == np.shape(y_pred), y_true=np.shape(y_true), y_pred=np.shape(y_pred))
    require(beta > 0, beta=beta)
    d = np.abs(np.subtract(y_true, y_pred))
    return np.where(d < beta, d**2 / (2 * beta), d - beta / 2)
    ### END SOLUTION


def detection_loss(class_logits, labels, deltas, target_deltas, weight=1.0):
    """The class of each region, and the box of those that are objects, as one number.

    Args:
        class_logits: shape (n, C + 1), background first.
        labels: whole numbers (n,), 0 for background.
        deltas: shape (n, C + 1, 4), for each class its own.
        target_deltas: shape (n, 4).
        weight: of the boxes' part.

    Returns:
        A number: the mean over the regions; 0 when there are none.
    """
    ### BEGIN SOLUTION
    require_axes(class_logits=(class_logits, "nc"), labels=(labels, "n"))
    require_axes(logits=(class_logits, "nc"), deltas=(deltas, "nc4"), target_deltas=(target_deltas, "n4"))
    require(weight >= 0, weight=weight)
    n, classes = class_logits.shape
    if n == 0:
        return 0.0
    require(labels.min() >= 0 and labels.max() < classes, labels=labels, classes=classes)
    shifted = class_logits - class_logits.max(axis=1, keepdims=True)
    each = np.arange(n)
    surprise = np.log(np.exp(shifted).sum(axis=1)) - shifted[each, labels]
    errors = smooth_l1(target_deltas, deltas[each, labels]).sum(axis=1)
    return np.mean(surprise + weight * (labels > 0) * errors)
    ### END SOLUTION


# %% check="detection_loss"
check("detection_loss")

# %% [markdown]
# ### Look: where the parabola ends
#
# Smooth L1 for three values of beta. Left and right all have the slope 1, so that a wild error pulls no harder than a
# large one.

# %% show
plots.curves(
    {f"beta = {beta:g}": lambda d, beta=beta: smooth_l1(0 * d, d, beta) for beta in (0.25, 1.0, 2.0)},
    span=(-3, 3),
    title="Smooth L1",
    xlabel="error",
)

# %% [markdown]
# ## 10 The mask head's loss
#
# **Mask R-CNN** adds a third head: for every region and *every class* a small mask, a logit for each pixel. The classes
# do not compete: there is no softmax. The class is the other head's affair, and only the mask of the *true* class is
# asked. Each of its pixels is a question of yes or no. With $z$ its logit and $m$, 0 or 1, the truth, its sigmoid
# cross-entropy is
#
# $$-m\log\sigma(z) - (1 - m)\log(1 - \sigma(z)) = \max(z, 0) - z\,m + \log(1 + e^{-|z|}),$$
#
# and the loss is the mean over all pixels of all regions. The form on the right never overflows. The labels are those
# of the masks, from 0: there is no mask for the background.


# %% exercise="mask_loss"
def mask_loss(mask_logits, labels, masks):
    """Each pixel's yes or no, in the mask of the true class alone.

    Args:
        mask_logits: shape (n, h, w, classes), a mask for each class.
        labels: whole numbers (n,), from 0.
        masks: shape (n, h, w), of 0 and 1.

    Returns:
        A number: the mean over regions and pixels.

    Raises:
        ValueError: when the shapes do not fit together.
    """
    ### BEGIN SOLUTION
    require_axes(mask_logits=(mask_logits, "nhwc"), labels=(labels, "n"), masks=(masks, "nhw"))
    require(mask_logits.size > 0, mask_logits=mask_logits.shape)
    require(labels.min() >= 0 and labels.max() < mask_logits.shape[3], labels=labels)
    z = mask_logits[np.arange(len(labels)), :, :, labels]
    return np.mean(np.maximum(z, 0) - z * masks + np.log1p(np.exp(-np.abs(z))))
    ### END SOLUTION


# %% check="mask_loss"
check("mask_loss")

# %% [markdown]
# ## 11 From a small mask to the image
#
# The head's mask has 14 × 14 or 28 × 28 pixels, the object's box has any size. To **paste** it, ask at the centre of
# every pixel of the *image*: which place of the mask lies here? The centre of column $j$ is at $j + \frac12$; of the
# box from $x_1$ to $x_2$ that is the share $(j + \frac12 - x_1)/(x_2 - x_1)$; so in a mask of $w$ columns it is the
# place $w$ times that share. Your `bilinear` reads it there. A pixel belongs to the object when it reaches the
# threshold, and its centre lies in the box.
#
# *To think about:* round the box to whole pixels first. How far can the outline move?


# %% exercise="paste_mask"
def paste_mask(mask, box, image_size, threshold=0.5):
    """A small mask, laid into its box over the whole image.

    Args:
        mask: shape (h, w), probabilities.
        box: shape (4,); it may reach outside the image.
        image_size: (height, width).
        threshold: what a pixel must reach.

    Returns:
        Bools (height, width), False outside the box.
    """
    ### BEGIN SOLUTION
    require_axes(mask=(mask, "hw"), box=(box, "4"))
    height, width = pair(image_size)
    x1, y1, x2, y2 = box
    y, x = np.mgrid[:height, :width] + 0.5
    inside = (x >= x1) & (x < x2) & (y >= y1) & (y < y2)
    pasted = np.zeros((height, width), bool)
    across, down = (x[inside] - x1) / (x2 - x1), (y[inside] - y1) / (y2 - y1)
    values = bilinear(mask[..., np.newaxis], across * mask.shape[1], down * mask.shape[0])
    pasted[inside] = values[:, 0] >= threshold
    return pasted
    ### END SOLUTION


# %% check="paste_mask"
check("paste_mask")

# %% [markdown]
# ### Look: there and back
#
# Your `roi_align` reads the true mask of an object as 14 × 14 numbers, your `paste_mask` lays them back. Little is
# lost, though the box is not on whole pixels.

# %% show
box, mask = objects[2]["boxes"][0] + 0.4, objects[2]["masks"][0]
small = roi_align(mask[:, :, np.newaxis].astype(float), box[np.newaxis], 14, 1.0)[0, :, :, 0]
back = paste_mask(small, box, mask.shape)
print(f"IoU of the mask and what came back: {np.sum(back & mask) / np.sum(back | mask):.3f}")
plots.pictures(
    [pictures[2], mask.astype(float), small, back.astype(float)],
    titles=["the scene", "the mask", "14 × 14", "pasted"],
)

# %% [markdown]
# ## R-CNN, put together
#
# Now all of it finds objects in drawn scenes: ellipses, rectangles and triangles on textured grounds, some of which
# hide a part of others. The detector is R-CNN with a mask head:
#
# - **propose** with `selective_search`, which stands on `region_similarity` and `merge_regions`;
# - **warp** every proposal to 32 × 32 pixels with `warp_region`;
# - **look** at it with a small network, which gives the logits of four classes (background first), the deltas of each,
#   and three masks;
# - **move** the proposals by the deltas of each class, and suppress what overlaps better boxes of that class;
# - look again at what is left, and **paste** the mask of its class into the box.
#
# It learns from targets that your functions make. A proposal is an object's when their IoU is at least 0.5, or when it
# is the best that the object has, and background otherwise: that is `rpn_targets` with both thresholds at 0.5. The true
# masks are read by `roi_align`.
#
# From here on you need Keras: `pip install "keras-from-scratch[reference]"` brings it.

# %% show
from kerasref.backend import keras
from kerasref.boxes import mean_average_precision
from kerasref.rcnn import detection_objective, mask_objective, smooth

SIDE, CONTEXT, MASK = 32, 4, 14


def proposals(image):
    return np.unique(selective_search(image, 100.0, 0.8, 20), axis=0)


def looks(image, boxes):
    """The warped regions, each less its mean colour."""
    regions = np.stack([warp_region(image, box, SIDE, CONTEXT) for box in boxes])
    return (regions - regions.mean(axis=(1, 2), keepdims=True)).astype(np.float32)


def examples(image, objects, rng, background=8):
    """Regions of one scene with what the network should say of them: classes, deltas and masks."""
    sides = np.tile(objects["boxes"][:, 2:] - objects["boxes"][:, :2], 2)
    near = [objects["boxes"] + 0.12 * sides * rng.uniform(-1, 1, sides.shape) for _ in range(2)]
    boxes = np.concatenate([*near, proposals(image)])
    positive, deltas = rpn_targets(boxes, objects["boxes"], 0.5, 0.5)
    chosen = np.concatenate(
        [np.flatnonzero(positive == 1), rng.permutation(np.flatnonzero(positive == 0))[:background]]
    )
    boxes, positive, deltas = boxes[chosen], positive[chosen], deltas[chosen]
    whose = iou(boxes, objects["boxes"]).argmax(axis=1)
    masks = roi_align(np.moveaxis(objects["masks"], 0, 2).astype(float), boxes, MASK, 1.0)
    masks = masks[np.arange(len(boxes)), :, :, whose] >= 0.5
    return looks(image, boxes), np.where(positive == 1, objects["labels"][whose] + 1, 0), deltas, masks


rng = np.random.default_rng(0)
images, truth = scenes.draw(400, seed=1)
made = [examples(image, objects, rng) for image, objects in zip(images, truth, strict=True)]
x, labels, deltas, masks = (np.concatenate(part) for part in zip(*made, strict=True))
labels, deltas, masks = labels.astype(np.int32), deltas.astype(np.float32), masks.astype(np.float32)
print(f"{len(x)} regions: {np.mean(labels == 0):.0%} background")

# %% [markdown]
# The network is three convolutions and one dense layer, on which all three heads stand. Its loss must give gradients,
# so it is written with Keras' operations; beside it you see that your NumPy functions give the same number.

# %% show
import tensorflow as tf

keras.utils.set_random_seed(0)
layers = keras.layers
keras.config.set_dtype_policy("float32")
region = keras.Input((SIDE, SIDE, 3))
y = region
for filters in (16, 32, 48):
    y = layers.Conv2D(filters, 3, 2, "same", activation="relu")(y)
y = layers.Dense(128, activation="relu")(layers.Flatten()(y))
heads = [layers.Dense(size)(y) for size in (4, 4 * 4, MASK * MASK * 3)]
network = keras.Model(
    region, [heads[0], layers.Reshape((4, 4))(heads[1]), layers.Reshape((MASK, MASK, 3))(heads[2])]
)


def loss_of(answers, labels, deltas, masks):
    logits, moves, shapes = answers
    objects = tf.where(labels > 0)[:, 0]
    shapes, own, true = (tf.gather(part, objects) for part in (shapes, labels - 1, masks))
    return detection_objective(logits, labels, moves, deltas, 8.0) + mask_objective(shapes, own, true)


some = slice(0, 64)
answers = network(x[some])
theirs = float(loss_of(answers, labels[some], deltas[some], masks[some]))
logits, moves, shapes = (np.asarray(answer, float) for answer in answers)
there = labels[some] > 0
mine = detection_loss(logits, labels[some], moves, deltas[some], 8.0)
mine += mask_loss(shapes[there], labels[some][there] - 1, masks[some][there])
print(f"the loss by Keras {theirs:.6f}, by your functions {mine:.6f}")
assert abs(theirs - mine) < 1e-4 * mine

# %% [markdown]
# Fifteen hundred steps of Adam, 64 regions in each. Before each step the colours change places, or turn into their
# negative: shapes matter, colours do not.

# %% show
STEPS = 1500
adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(2e-3, STEPS))
adam.build(network.trainable_variables)


@tf.function
def step(x, labels, deltas, masks):
    with tf.GradientTape() as tape:
        loss = loss_of(network(x), labels, deltas, masks)
    adam.apply(tape.gradient(loss, network.trainable_variables))
    return loss


trace = []
for _ in range(STEPS):
    batch = rng.integers(len(x), size=64)
    recoloured = x[batch][..., rng.permutation(3)] * rng.choice(np.float32([-1, 1]))
    trace.append(float(step(*map(tf.constant, (recoloured, labels[batch], deltas[batch], masks[batch])))))
plots.lines(
    {"loss": np.convolve(trace, np.ones(50) / 50, "valid")},
    title="Loss of a batch, mean of 50",
    xlabel="step",
    log=True,
)

# %% [markdown]
# ### To reach
#
# **To reach:** a mean average precision of at least 0.9 at IoU 0.5, on a hundred fresh scenes.


# %% show
def detect(image, boxes, threshold=0.05):
    """What the network sees in the proposals: boxes, scores and labels."""
    logits, moves, _ = (np.asarray(answer, float) for answer in network(looks(image, boxes)))
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    parts = []
    for label in range(1, shares.shape[1]):
        moved = np.clip(decode(moves[:, label], boxes), 0, image.shape[0])
        kept = nms(moved, shares[:, label], 0.3)
        kept = kept[shares[kept, label] >= threshold]
        parts.append((moved[kept], shares[kept, label], np.full(len(kept), label - 1)))
    return dict(
        zip(("boxes", "scores", "labels"), map(np.concatenate, zip(*parts, strict=True)), strict=True)
    )


def outlines(image, each):
    """The mask of each detection: the network looks at its box once more."""
    if not len(each["boxes"]):
        return np.zeros((0, *image.shape[:2]), bool)
    shapes = np.asarray(network(looks(image, each["boxes"]))[2], float)
    own = shapes[np.arange(len(shapes)), :, :, each["labels"]]
    return np.stack(
        [paste_mask(mask, box, image.shape[:2], 0.0) for mask, box in zip(own, each["boxes"], strict=True)]
    )


fresh, objects = scenes.draw(100, seed=2)
found = [detect(image, proposals(image)) for image in fresh]
precision = mean_average_precision(found, objects)
print(f"mean average precision at IoU 0.5: {precision:.3f}")
assert precision >= 0.9, "too low: look at the pictures below, are boxes wrong, or classes?"

# %% [markdown]
# Below are detections with a score of at least one half, and under each scene their masks, each in a colour of its own.
# The mask's *logits* were pasted, and compared with 0, whose sigmoid is one half.

# %% show
sure = [{name: part[each["scores"] >= 0.5] for name, part in each.items()} for each in found]
display(plots.detections(fresh[:5], sure[:5], names=scenes.CLASSES, columns=5))
tints = np.array([[0.9, 0.4, 0.0], [0.0, 0.6, 0.45], [0.8, 0.5, 0.65], [0.0, 0.45, 0.7]])
painted, overlaps = [], []
for image, each, true in zip(fresh, sure, objects, strict=True):
    canvas, masks = np.repeat(image.mean(axis=2, keepdims=True), 3, axis=2), outlines(image, each)
    for place, mask in enumerate(masks):
        canvas[mask] = 0.35 * canvas[mask] + 0.65 * tints[place % len(tints)]
    painted.append(canvas)
    nearest = iou(each["boxes"], true["boxes"]).argmax(axis=1)
    for mask, other in zip(masks, true["masks"][nearest], strict=True):
        overlaps.append(np.sum(mask & other) / np.sum(mask | other))
display(plots.pictures(painted[:5], columns=5, size=2.6))
print(f"mean IoU of the masks: {np.mean(overlaps):.3f}")

# %% [markdown]
# ### Faster: let a network propose
#
# Selective search looks at colours and knows nothing of objects, so it proposes whatever is alike. A region proposal
# network learns what an object is. It is a small stack of convolutions over the whole image, of which one place stands
# for eight pixels; `generate_anchors` gives nine anchors a place, `rpn_targets` says what each is to answer, and
# `rpn_proposals` makes boxes of the answers. (In Faster R-CNN both stages share their convolutions. Here each has its
# own: so you can compare proposals, with one and the same second stage.)

# %% show
anchors = generate_anchors((8, 8), 8, (2, 3, 4), (0.5, 1, 2))
wanted = [rpn_targets(anchors, each["boxes"], 0.6, 0.3) for each in truth]
asked, shifts = (np.stack(part).astype(np.float32) for part in zip(*wanted, strict=True))
image = keras.Input((64, 64, 3))
y = image
for filters, stride in [(16, 2), (32, 2), (64, 2), (64, 1)]:
    y = layers.Conv2D(filters, 3, stride, "same", activation="relu")(y)
proposer = keras.Model(image, layers.Reshape((-1, 5))(layers.Conv2D(9 * 5, 1)(y)))
STEPS = 800
adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(3e-3, STEPS))
adam.build(proposer.trainable_variables)


@tf.function
def propose_step(x, labels, deltas):
    with tf.GradientTape() as tape:
        answers = proposer(x)
        positive, negative = (tf.cast(labels == which, tf.float32) for which in (1, 0))
        surprise = keras.ops.binary_crossentropy(positive, answers[..., 0], from_logits=True)
        errors = tf.reduce_sum(smooth(deltas, answers[..., 1:]), axis=-1)
        loss = tf.reduce_sum(positive * (surprise + 2 * errors)) / tf.reduce_sum(positive)
        loss += tf.reduce_sum(negative * surprise) / tf.reduce_sum(negative)
    adam.apply(tape.gradient(loss, proposer.trainable_variables))


centred, new = ((2 * pixels - 1).astype(np.float32) for pixels in (images, fresh))
for _ in range(STEPS):
    batch = rng.integers(len(images), size=16)
    propose_step(*map(tf.constant, (centred[batch][..., rng.permutation(3)], asked[batch], shifts[batch])))
proposed = [
    rpn_proposals(answer[:, 0], answer[:, 1:], anchors, (64, 64), 200, 64, 0.5, 5)
    for answer in np.asarray(proposer(new), float)
]
ranked = [boxes[np.argsort(-np.prod(boxes[:, 2:] - boxes[:, :2], axis=1))] for boxes in map(proposals, fresh)]
display(
    plots.lines(
        {
            "a network that learnt to propose": recall(proposed, objects, counts),
            "selective search, large ones first": recall(ranked, objects, counts),
        },
        x=counts,
        title="Objects found on fresh scenes",
        xlabel="proposals",
        ylabel="recall at IoU 0.5",
        percent=True,
    )
)
for count in (4, 16, 64):
    seen = [detect(image, boxes[:count]) for image, boxes in zip(fresh, proposed, strict=True)]
    print(f"{count:2} learnt proposals: mean average precision {mean_average_precision(seen, objects):.3f}")

# %% [markdown]
# The first few learnt proposals are worth many of selective search's, whose list, on the other hand, lacks nothing in
# the end, and whose boxes fit more closely where colours are plain, as they are here. Try the detector with other
# parts: `roi_align` in the place of `warp_region` (an image is a feature map of three channels), proposals of both
# kinds joined, no context, or an `rpn_targets` that forgets the best anchors.
