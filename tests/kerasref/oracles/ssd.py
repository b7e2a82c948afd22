"""`ssd` in torch, which knows no default boxes, no matching and no suppression: test_ssd.py holds those against other oracles."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
box_scales(maps,smallest=0.2,largest=0.9)
default_boxes(feature_sizes,scales,aspect_ratios)
match_boxes(defaults,gt_boxes,threshold=0.5)
encode_ssd(boxes,defaults,variances=(0.1,0.2))
hard_negative_mining(losses,positives,ratio=3)
multibox_loss(class_logits,locations,labels,targets,ratio=3,alpha=1.0)
ssd_targets(boxes,labels,defaults,threshold=0.5,variances=(0.1,0.2))
decode_ssd(locations,confidences,defaults,variances=(0.1,0.2),score_threshold=0.5,iou_threshold=0.45,top_k=200)
"""

SIDES = "(boxes[:, 2:] - boxes[:, :2])"
NEGATIVES = "int((positives == 0).sum())"
WORST = (
    "torch.topk(losses.masked_fill(positives > 0, float('-inf')),"
    f" min(ratio * int(positives.sum()), {NEGATIVES})).indices"
)
ENTROPY = "F.cross_entropy(class_logits, labels.long(), reduction='none')"
CALLS = {
    "box_scales": (
        "torch.linspace(smallest, largest + (largest - smallest) / (maps - 1), maps + 1, dtype=torch.float64)"
    ),
    "encode_ssd": (
        f"torch.cat([((boxes[:, :2] + {SIDES} / 2) - defaults[:, :2]) / (defaults[:, 2:] * variances[0]),"
        f" torch.log({SIDES} / defaults[:, 2:]) / variances[1]], 1)"
    ),
    "hard_negative_mining": f"torch.zeros(len(losses)).scatter(0, {WORST}, 1.0)",
    "multibox_loss": (
        f"({ENTROPY}[labels > 0].sum() + torch.topk({ENTROPY}[labels == 0],"
        " min(ratio * int((labels > 0).sum()), int((labels == 0).sum()))).values.sum()"
        " + alpha * F.smooth_l1_loss(locations[labels > 0], targets[labels > 0], reduction='sum'))"
        " / max(1, int((labels > 0).sum()))"
    ),
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for maps, smallest, largest in [(2, 0.2, 0.9), (6, 0.2, 0.9), (3, 0.3, 0.3), (5, 0.01, 1.5)]:
        yield "box_scales", {"maps": maps, "smallest": smallest, "largest": largest}
    for n, variances in [(1, (0.1, 0.2)), (20, (0.1, 0.2)), (7, (1.0, 3.0))]:
        low = rng.uniform(size=(n, 2))
        boxes = np.concatenate([low, low + rng.uniform(0.01, 1, size=(n, 2))], axis=1)
        yield (
            "encode_ssd",
            {"boxes": boxes, "defaults": rng.uniform(0.1, 1, size=(n, 4)), "variances": variances},
        )
    for n, matched, ratio in [
        (1, 0, 3),
        (1, 1, 3),
        (9, 0, 3),
        (9, 1, 3),
        (30, 5, 2),
        (30, 20, 3),
        (30, 4, 0),
    ]:
        positives = rng.permutation(np.arange(n) < matched).astype(float)
        yield (
            "hard_negative_mining",
            {"losses": rng.normal(size=n), "positives": positives, "ratio": ratio},
        )
        for classes, scale, alpha in [(2, 1.0, 1.0), (5, 1e4, 0.5)]:
            yield (
                "multibox_loss",
                {
                    "class_logits": rng.normal(scale=scale, size=(n, classes)),
                    "locations": rng.normal(scale=2, size=(n, 4)),
                    "labels": positives * rng.integers(1, classes, size=n),
                    "targets": rng.normal(scale=2, size=(n, 4)),
                    "ratio": ratio,
                    "alpha": alpha,
                },
            )
