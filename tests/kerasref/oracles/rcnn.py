"""`rcnn` in torch. Its adaptive pooling divides as RoI pooling does, and its affine grids put samples in the middle of equal
parts. Torch has no regions, targets and proposals: test_rcnn.py holds those against other oracles."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
region_similarity(a,b,image_size) selective_search(image,scale,sigma,min_size) warp_region(image,box,size,context=16)
roi_pool(features,boxes,output_size,spatial_scale)
roi_align(features,boxes,output_size,spatial_scale,sampling_ratio=2)
generate_anchors(feature_shape,stride,scales=(8,16,32),ratios=(0.5,1,2))
rpn_targets(anchors,gt_boxes,positive=0.7,negative=0.3)
rpn_proposals(scores,deltas,anchors,image_size,pre_nms=6000,post_nms=300,iou_threshold=0.7,min_size=16)
smooth_l1(y_true,y_pred,beta=1.0) detection_loss(class_logits,labels,deltas,target_deltas,weight=1.0)
mask_loss(mask_logits,labels,masks) paste_mask(mask,box,image_size,threshold=0.5)
"""

SAMPLED = "padding_mode='border', align_corners=False"
ENLARGED = (
    "[int(torch.floor(middle + sign * half * n / (n - 2 * context) + 0.5))"
    " for low, high, n in zip(box[:2].flip(0), box[2:].flip(0), size)"
    " for middle, half in [((low + high) / 2, (high - low) / 2)] for sign in (-1, 1)]"
)
CALLS = {
    "warp_region": (
        "(lambda top, bottom, left, right:"
        " F.interpolate(image.movedim(2, 0)[None, :, top:bottom, left:right], size, mode='bilinear')[0].movedim(0, 2)"
        f")(*{ENLARGED})"
    ),
    "roi_pool": (
        "torch.stack([F.adaptive_max_pool2d(features[y1 : y2 + 1, x1 : x2 + 1].movedim(2, 0), output_size).movedim(0, 2)"
        " for x1, y1, x2, y2 in torch.floor(boxes * spatial_scale + 0.5).int().tolist()])"
    ),
    "bilinear": (
        "F.grid_sample(features.movedim(2, 0)[None],"
        " torch.stack([2 * x / features.shape[1] - 1, 2 * y / features.shape[0] - 1], -1)[None, None],"
        f" {SAMPLED})[0, :, 0].T"
    ),
    "roi_align": (
        "(lambda low, high: F.avg_pool2d(F.grid_sample("
        "features.movedim(2, 0)[None].expand(len(boxes), -1, -1, -1),"
        " F.affine_grid(torch.cat([torch.diag_embed((high - low) / 2), ((high + low) / 2)[..., None]], -1),"
        " (len(boxes), 1, output_size[0] * sampling_ratio, output_size[1] * sampling_ratio), align_corners=False),"
        f" {SAMPLED}), sampling_ratio).permute(0, 2, 3, 1)"
        ")(*(2 * spatial_scale * boxes.view(-1, 2, 2) / torch.tensor(features.shape[1::-1]) - 1).unbind(1))"
    ),
    "generate_anchors": (
        "(lambda y, x, r, s: torch.stack([x - s / r**0.5 / 2, y - s * r**0.5 / 2, x + s / r**0.5 / 2, y + s * r**0.5 / 2], 1))"
        "(*torch.cartesian_prod(*(stride * (torch.arange(n).double() + 0.5) for n in feature_shape), ratios, stride * scales).T)"
    ),
    "smooth_l1": "F.smooth_l1_loss(y_pred, y_true, reduction='none', beta=beta)",
    "detection_loss": (
        "F.cross_entropy(class_logits, labels.long()) + weight * (F.smooth_l1_loss("
        "deltas[torch.arange(len(labels)), labels.long()], target_deltas, reduction='none').sum(1) * (labels > 0)).mean()"
    ),
    "mask_loss": (
        "F.binary_cross_entropy_with_logits(mask_logits[torch.arange(len(labels)), :, :, labels.long()], masks)"
    ),
    "paste_mask": (
        "(lambda low, sides, size: (lambda grid:"
        f" (F.grid_sample(mask[None, None], grid, {SAMPLED})[0, 0] >= threshold) & (grid.abs() < 1).all(-1)[0]"
        ")(F.affine_grid(torch.cat([torch.diag(size / sides), ((size - 2 * low) / sides - 1)[:, None]], 1)[None],"
        " (1, 1, *image_size), align_corners=False)).double()"
        ")(box[:2], box[2:] - box[:2], torch.tensor(image_size[::-1]).double())"
    ),
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    def some(*shape: int) -> np.ndarray:
        return rng.normal(size=shape).round(2)

    def boxes(n: int, height: int, width: int) -> np.ndarray:
        corners = np.sort(rng.uniform(0.1, 0.9, size=(n, 2, 2)), axis=1) * (width, height)
        return corners.reshape(n, 4).round(2) + np.array([0, 0, 1, 1])

    for size, context in [((7, 9), 0), ((4, 4), 1), ((12, 10), 2)]:
        image = rng.random((18, 20, 3)).round(3)
        yield (
            "warp_region",
            {"image": image, "box": np.array([6.3, 7.2, 13.8, 11.1]), "size": size, "context": context},
        )
    for height, width, channels, output, scale, ratio in [
        (1, 1, 1, (1, 1), 1.0, 1),
        (8, 9, 2, (2, 2), 0.5, 2),
        (7, 10, 3, (3, 2), 0.25, 3),
        (9, 6, 1, (7, 7), 1.0, 1),
    ]:
        features = some(height, width, channels)
        given = {"features": features, "output_size": output, "spatial_scale": scale}
        inside = np.minimum(boxes(3, height, width), np.tile((width - 1, height - 1), 2)) / scale
        if height > 1:
            yield "roi_pool", {**given, "boxes": inside}
        for found in (inside, 1.6 * inside - 0.3 * height / scale):
            yield "roi_align", {**given, "boxes": found, "sampling_ratio": ratio}
        yield (
            "bilinear",
            {
                "features": features,
                "x": width * rng.uniform(-0.2, 1.2, 5),
                "y": height * rng.uniform(-0.2, 1.2, 5),
            },
        )
    for shape, stride, scales, ratios in [
        ((1, 1), 16, [8], [1]),
        ((2, 3), 8, [1, 2], [0.5, 1, 2]),
        ((3, 1), 7, [0.5], [3, 0.2]),
    ]:
        yield (
            "generate_anchors",
            {
                "feature_shape": shape,
                "stride": stride,
                "scales": np.array(scales, float),
                "ratios": np.array(ratios, float),
            },
        )
    for beta in (1.0, 0.3, 4.0):
        yield "smooth_l1", {"y_true": some(3, 4), "y_pred": 3 * some(3, 4), "beta": beta}
    for n, classes, weight, scale in [(1, 2, 1.0, 1), (5, 4, 0.5, 1), (6, 3, 2.0, 1e3)]:
        yield (
            "detection_loss",
            {
                "class_logits": scale * some(n, classes),
                "labels": rng.integers(classes, size=n).astype(float),
                "deltas": 2 * some(n, classes, 4),
                "target_deltas": some(n, 4),
                "weight": weight,
            },
        )
        yield (
            "mask_loss",
            {
                "mask_logits": scale * some(n, 3, 4, classes),
                "labels": rng.integers(classes, size=n).astype(float),
                "masks": rng.integers(2, size=(n, 3, 4)).astype(float),
            },
        )
    for shape, box, image_size in [
        ((4, 4), [2.3, 1.7, 9.1, 8.4], (10, 12)),
        ((7, 5), [-3.2, 4.1, 20.3, 12.6], (11, 16)),
    ]:
        for threshold in (0.5, 0.25):
            yield (
                "paste_mask",
                {
                    "mask": rng.random(shape).round(3),
                    "box": np.array(box),
                    "image_size": image_size,
                    "threshold": threshold,
                },
            )
