"""References of the assignment `attention`."""

import warnings
from typing import Any

import numpy as np

from kerasref.backend import keras
from kerasref.core import gradient, reference
from kerasref.validation import Generator, array, at_least_1, rank, same_shape, size

ops = keras.ops


@reference
def dot_product_attention(query, key, value, mask=None):
    """Each query's mean of the values, weighted by the softmax of its products with the keys over sqrt(d).

    Args:
        query: (batch, q, d).
        key: (batch, k, d).
        value: (batch, k, v).
        mask: (batch, q, k), True where a query may look, at least once for each query; None: everywhere.

    Returns:
        (context, weights): (batch, q, v) and (batch, q, k); a masked weight is exactly 0.

    Raises:
        ValueError: also where a query may look nowhere.

    Source: `keras.layers.Attention` on the query over sqrt(d); its mask is per key, so each query goes as a batch item.
    """
    _looked_up(query, key, value)
    size(query.shape[2], 2, "the features of `query`", key=key)
    batch, queries, features = query.shape
    keys = key.shape[1]
    if mask is not None:
        _mask(mask, (batch, queries, keys))
        mask = [None, ops.convert_to_tensor(mask.reshape(-1, keys) != 0)]
    one_by_one = [
        (query / np.sqrt(features)).reshape(-1, 1, features),
        np.repeat(value, queries, axis=0),
        np.repeat(key, queries, axis=0),
    ]
    context, weights = _attended(keras.layers.Attention(), one_by_one, mask)
    return ops.reshape(context, (batch, queries, -1)), ops.reshape(weights, (batch, queries, keys))


@reference
def additive_attention(query, key, value, w_query, w_key, v):
    """Each query's mean of the values, weighted by the softmax of `v . tanh(q w_query + k w_key)`.

    Args:
        query: (batch, q, query features).
        key: (batch, k, key features).
        value: (batch, k, values).
        w_query: (query features, units).
        w_key: (key features, units).
        v: (units,).

    Returns:
        (context, weights): (batch, q, values) and (batch, q, k).

    Source: `keras.layers.AdditiveAttention`, whose scale is `v`, on the projected queries and keys.
    """
    _looked_up(query, key, value)
    rank(2, "(features, units)", w_query=w_query, w_key=w_key)
    rank(1, "(units,)", v=v)
    size(query.shape[2], 0, "the features of `query`", w_query=w_query)
    size(key.shape[2], 0, "the features of `key`", w_key=w_key)
    size(v.shape[0], 1, "the units of `v`", w_query=w_query, w_key=w_key)
    inputs = [ops.matmul(query, w_query), ops.convert_to_tensor(value), ops.matmul(key, w_key)]
    layer = keras.layers.AdditiveAttention()
    layer.build([each.shape for each in inputs])
    layer.scale.assign(v)
    return _attended(layer, inputs)


@reference
def hard_attention(query, key, value, rng: Generator):
    """Each query looks at one key, drawn with the weights of `dot_product_attention`.

    Args:
        query: (batch, q, d).
        key: (batch, k, d).
        value: (batch, k, v).
        rng: a `numpy.random.Generator`.

    Returns:
        (context, index): (batch, q, v), rows of `value`, and (batch, q), which keys they belong to.

    Source: the Gumbel-max trick: the largest of log weights plus Gumbel noise falls on each key with its weight.
    """
    _looked_up(query, key, value)
    size(query.shape[2], 2, "the features of `query`", key=key)
    scores = np.einsum("bqd,bkd->bqk", query, key) / np.sqrt(query.shape[2])
    index = np.argmax(scores + rng.gumbel(size=scores.shape), axis=-1)
    return value[np.arange(len(value))[:, np.newaxis], index], index


@reference
def reinforce_gradient(log_prob_grads, rewards, baseline: float):
    """Mean over the samples of `(reward - baseline)` times the gradient of the sample's log probability.

    Args:
        log_prob_grads: (n, ...), a gradient for each sample.
        rewards: (n,).
        baseline: what is taken from each reward.

    Returns:
        Array of shape (...).

    Source: autodiff of the mean of `(reward - baseline) * log probability`, linear in the parameters here.
    """
    if log_prob_grads.ndim == 0 or log_prob_grads.size == 0:
        raise ValueError(
            f"`log_prob_grads` has shape {log_prob_grads.shape}; expected (n, ...) with n of at least 1: "
            "give one gradient a sample."
        )
    rank(1, "(n,)", rewards=rewards)
    size(len(log_prob_grads), 0, "one reward for each gradient", rewards=rewards)
    grads = log_prob_grads.reshape(len(rewards), -1)

    def surrogate(parameters):
        log_probabilities = ops.matmul(grads, ops.reshape(parameters, (-1,)))
        return ops.mean(ops.multiply(rewards - baseline, log_probabilities))

    return gradient(surrogate, np.zeros(log_prob_grads.shape[1:]))


@reference
def greedy_decode(step: Any, start: int, end: int, max_length: int):
    """The sequence of which each token is the likeliest after those before it.

    Args:
        step: takes a list of tokens and gives the log probabilities (vocabulary,) of the next one.
        start: the first token.
        end: the token after which nothing comes.
        max_length: most new tokens.

    Returns:
        (tokens, log probability): from `start` to `end`, or to `max_length` new tokens.

    Source: its definition, as a recursion.
    """
    at_least_1(max_length=max_length)

    def continued(tokens, left):
        row = _log_probabilities(step, tokens, end)
        best = int(np.argmax(row))
        if best == end or left == 1:
            return [*tokens, best], row[best]
        longer, rest = continued([*tokens, best], left - 1)
        return longer, row[best] + rest

    return continued([start], max_length)


@reference
def beam_search(
    step: Any, start: int, end: int, beam_width: int, max_length: int, length_penalty: float = 0.0
):
    """The most promising sequences, `beam_width` of them carried along at once.

    In each round all extensions of the unfinished hypotheses compete with the finished ones, by
    `log probability / length**length_penalty`, the length in new tokens. It ends when all are finished or have
    `max_length` new tokens.

    Args:
        step: takes a list of tokens and gives the log probabilities (vocabulary,) of the next one.
        start: the first token of every sequence.
        end: the token after which nothing comes.
        beam_width: how many hypotheses are kept.
        max_length: most new tokens.
        length_penalty: 0 compares log probabilities as they are; the larger, the better off are long sequences.

    Returns:
        List of (tokens, log probability), best first; the log probability is not divided by anything.

    Source: arrays of all hypotheses at once, a finished one padded with `end` at no cost.
    """
    at_least_1(beam_width=beam_width, max_length=max_length)
    tokens = np.array([[start]])
    totals, lengths, finished = np.zeros(1), np.zeros(1, int), np.zeros(1, bool)
    while not finished.all() and tokens.shape[1] <= max_length:
        asked = {
            place: _log_probabilities(step, tokens[place].tolist(), end)
            for place in np.flatnonzero(~finished)
        }
        rows = np.zeros((len(tokens), len(next(iter(asked.values())))))
        for place, row in asked.items():
            rows[place] = row
        parent, token = np.nonzero(~finished[:, np.newaxis] | (np.arange(rows.shape[1]) == end))
        totals, lengths = totals[parent] + rows[parent, token], lengths[parent] + ~finished[parent]
        best = np.argsort(-totals / lengths**length_penalty, kind="stable")[:beam_width]
        tokens = np.column_stack([tokens[parent[best]], token[best]])
        totals, lengths, finished = totals[best], lengths[best], token[best] == end
    return [
        (row[: 1 + length].tolist(), total)
        for row, length, total in zip(tokens, lengths, totals, strict=True)
    ]


def _attended(layer, inputs, mask=None):
    """What a layer gives; Keras warns of a single key, whose weight is always 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return layer(inputs, mask=mask, return_attention_scores=True)


def _looked_up(query, key, value):
    rank(3, "(batch, q, features)", query=query)
    rank(3, "(batch, k, features)", key=key, value=value)
    size(query.shape[0], 0, "the batch of `query`", key=key, value=value)
    size(key.shape[1], 1, "the keys", value=value)


def _mask(mask, shape):
    same_shape(weights=np.empty(shape), mask=mask)
    if not np.isin(mask, (0, 1)).all():
        raise ValueError("`mask` has numbers other than 0 and 1; expected True where a query may look.")
    if not mask.any(axis=-1).all():
        place = np.argwhere(~mask.any(axis=-1))[0].tolist()
        raise ValueError(
            f"`mask` has no True at {place}; expected at least one for each query: let it look somewhere."
        )


def _log_probabilities(step, tokens, end):
    """What `step` says of the next token."""
    if not callable(step):
        raise ValueError(
            f"`step` is a {type(step).__name__}; expected a function of a list of tokens: give one."
        )
    row = array("step", step(tokens))
    rank(1, "the log probabilities (vocabulary,)", step=row)
    if not (row < 1e-6).all():
        raise ValueError(
            f"`step` gave {row.max()}; expected log probabilities, which are not above 0: take the log."
        )
    if not 0 <= end < len(row):
        raise ValueError(
            f"`end` is {end}; expected a token from 0 to {len(row) - 1}: `step` gave {len(row)}."
        )
    return row
