"""`metrics` in torch. Torch has no BLEU: test_metrics.py holds it against sacrebleu."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
psnr(a,b,max_val=1.0) bleu(candidate,references,max_n=4) corpus_bleu(candidates,references,max_n=4)
top_k_accuracy(y_true,scores,k=5) confusion_matrix(y_true,y_pred,classes)
"""

CALLS = {
    "psnr": "10 * torch.log10(max_val**2 / F.mse_loss(a, b))",
    "top_k_accuracy": "(scores.topk(k).indices == y_true.long()[:, None]).any(dim=1).double().mean()",
    "confusion_matrix": (
        "torch.zeros(classes, classes, dtype=torch.double)"
        ".index_put((y_true.long(), y_pred.long()), torch.ones(len(y_true), dtype=torch.double), accumulate=True)"
    ),
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for shape in [(4,), (3, 5), (2, 4, 3, 3)]:
        a, b = rng.uniform(size=(2, *shape))
        for max_val in (1.0, 255.0):
            yield "psnr", {"a": max_val * a, "b": max_val * b, "max_val": max_val}
    for k in (1, 3, 5):
        scores = rng.normal(size=(12, 5))
        y_true = rng.integers(5, size=12).astype(float)
        yield "top_k_accuracy", {"y_true": y_true, "scores": scores, "k": k}
        y_pred = rng.integers(5, size=12).astype(float)
        yield "confusion_matrix", {"y_true": y_true, "y_pred": y_pred, "classes": k + 4}
