"""`attention` in torch. Torch draws and decodes in its own ways: test_attention.py holds those against other oracles."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
dot_product_attention(query,key,value,mask=None)
additive_attention(query,key,value,w_query,w_key,v)
hard_attention(query,key,value,rng)
reinforce_gradient(log_prob_grads,rewards,baseline)
greedy_decode(step,start,end,max_length)
beam_search(step,start,end,beam_width,max_length,length_penalty=0.0)
"""

SEEN = "None if mask is None else mask.bool()"
ADDITIVE = (
    "torch.softmax(torch.tanh((query @ w_query).unsqueeze(2) + (key @ w_key).unsqueeze(1)) @ v, dim=-1)"
)
CALLS = {
    "dot_product_attention": (
        f"(F.scaled_dot_product_attention(query, key, value, attn_mask={SEEN}),"
        " F.scaled_dot_product_attention("
        f"query, key, torch.eye(key.shape[1]).double().expand(len(key), -1, -1), attn_mask={SEEN}))"
    ),
    "additive_attention": f"({ADDITIVE} @ value, {ADDITIVE})",
    "reinforce_gradient": "torch.tensordot(rewards - baseline, log_prob_grads, 1) / len(rewards)",
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for batch, queries, keys, features, values in [(1, 1, 1, 1, 1), (2, 3, 5, 4, 6), (3, 4, 4, 4, 4)]:
        query = rng.normal(size=(batch, queries, features))
        key, value = rng.normal(size=(batch, keys, features)), rng.normal(size=(batch, keys, values))
        given = {"query": query, "key": key, "value": value}
        yield "dot_product_attention", {**given, "mask": None}
        mask = (rng.random((batch, queries, keys)) < 0.5).astype(float)
        mask[..., 0] = 1
        yield "dot_product_attention", {**given, "mask": mask}
        yield "dot_product_attention", {"query": 1e4 * query, "key": key, "value": value, "mask": mask}
        units = 3
        yield (
            "additive_attention",
            {
                **given,
                "w_query": rng.normal(size=(features, units)),
                "w_key": rng.normal(size=(features, units)),
                "v": rng.normal(scale=3, size=units),
            },
        )
    yield (
        "additive_attention",
        {
            "query": rng.normal(size=(2, 3, 2)),
            "key": rng.normal(size=(2, 4, 5)),
            "value": rng.normal(size=(2, 4, 1)),
            "w_query": rng.normal(size=(2, 7)),
            "w_key": rng.normal(size=(5, 7)),
            "v": rng.normal(scale=1e3, size=7),
        },
    )
    for shape in [(1,), (6,), (5, 3), (4, 2, 3)]:
        yield (
            "reinforce_gradient",
            {
                "log_prob_grads": rng.normal(size=shape),
                "rewards": rng.normal(size=shape[0]),
                "baseline": float(rng.normal()),
            },
        )
