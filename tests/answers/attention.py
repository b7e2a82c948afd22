"""Right answers to the assignment `attention`, written differently from the solution."""

import heapq
import math

import numpy as np

from tests.answers import right


@right("dot_product_attention")
def dot_product_by_einsum(query, key, value, mask=None):
    scores = np.einsum("bqd,bkd->bqk", query, key) / query.shape[-1] ** 0.5
    if mask is not None:
        scores = np.where(mask, scores, -1e30)
    scores = np.exp(scores - scores.max(axis=2, keepdims=True))
    weights = scores / np.sum(scores, axis=2, keepdims=True)
    return np.einsum("bqk,bkv->bqv", weights, value), weights


@right("dot_product_attention")
def dot_product_query_by_query(query, key, value, mask=None):
    (batch, queries, features), keys = query.shape, key.shape[1]
    weights = np.zeros((batch, queries, keys))
    context = np.zeros((batch, queries, value.shape[2]))
    for b in range(batch):
        for q in range(queries):
            seen = range(keys) if mask is None else np.flatnonzero(mask[b, q])
            scores = [float(query[b, q] @ key[b, k]) / math.sqrt(features) for k in seen]
            powers = [math.exp(score - max(scores)) for score in scores]
            for k, power in zip(seen, powers, strict=True):
                weights[b, q, k] = power / sum(powers)
                context[b, q] += weights[b, q, k] * value[b, k]
    return context, weights


@right("dot_product_attention")
def dot_product_by_logaddexp(query, key, value, mask=None, dropout=0.0):
    scores = np.matmul(query / np.sqrt(query.shape[2]), key.transpose(0, 2, 1))
    if mask is not None:
        scores[~mask] = -np.inf
    weights = np.exp(scores - np.logaddexp.reduce(scores, axis=-1, keepdims=True))
    return [np.matmul(weights, value), weights]


@right("dot_product_attention")
def dot_product_with_masked_arrays(query, key, value, mask=None):
    scores = np.ma.masked_array(
        query @ key.swapaxes(1, 2) / np.sqrt(query.shape[2]), None if mask is None else ~mask
    )
    powers = np.ma.exp(scores - scores.max(axis=2)[:, :, np.newaxis]).filled(0)
    weights = powers / powers.sum(axis=2, keepdims=True)
    return weights @ value, weights


@right("additive_attention")
def additive_by_pairs(query, key, value, w_query, w_key, v):
    scores = np.empty((query.shape[0], query.shape[1], key.shape[1]), query.dtype)
    for q in range(query.shape[1]):
        for k in range(key.shape[1]):
            scores[:, q, k] = np.tanh(query[:, q] @ w_query + key[:, k] @ w_key).dot(v)
    scores -= scores.max(-1, keepdims=True)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    return weights @ value, weights


@right("additive_attention")
def additive_by_einsum(query, key, value, w_query, w_key, v):
    asked = np.einsum("bqd,du->bqu", query, w_query)[:, :, None, :]
    offered = np.einsum("bkd,du->bku", key, w_key)[:, None, :, :]
    scores = np.einsum("bqku,u->bqk", np.tanh(asked + offered), v)
    weights = np.exp(scores - np.logaddexp.reduce(scores, axis=2, keepdims=True))
    return np.einsum("bqk,bkv->bqv", weights, value), weights


@right("hard_attention")
def hard_by_choice(query, key, value, rng):
    _, weights = dot_product_by_einsum(query, key, value)
    weights = weights / weights.sum(axis=-1, dtype=float, keepdims=True)
    index = np.array([[rng.choice(len(p), p=p) for p in item] for item in weights])
    return np.stack([rows[places] for rows, places in zip(value, index, strict=True)]), index


@right("hard_attention")
def hard_by_gumbel(query, key, value, rng):
    scores = np.einsum("bqd,bkd->bqk", query, key) / math.sqrt(query.shape[2])
    index = (scores + rng.gumbel(size=scores.shape)).argmax(axis=2)
    return np.take_along_axis(value, index[:, :, None], axis=1), index


@right("hard_attention")
def hard_by_multinomial(query, key, value, rng):
    _, weights = dot_product_query_by_query(query, key, value)
    chosen = rng.multinomial(1, weights / weights.sum(axis=-1, keepdims=True))
    return chosen @ value, chosen.argmax(axis=-1)


@right("reinforce_gradient")
def reinforce_by_a_loop(log_prob_grads, rewards, baseline):
    total = np.zeros(log_prob_grads.shape[1:])
    for grad, reward in zip(log_prob_grads, rewards, strict=True):
        total = total + (reward - baseline) * grad
    return total / len(rewards)


@right("reinforce_gradient")
def reinforce_by_einsum(log_prob_grads, rewards, baseline):
    return np.einsum("n...,n->...", log_prob_grads, (rewards - baseline) / rewards.size)


@right("reinforce_gradient")
def reinforce_in_two_means(log_prob_grads, rewards, baseline):
    column = rewards.reshape(-1, *[1] * (log_prob_grads.ndim - 1))
    return np.mean(column * log_prob_grads, axis=0) - baseline * np.mean(log_prob_grads, axis=0)


@right("greedy_decode")
def greedy_by_recursion(step, start, end, max_length, so_far=()):
    row = np.asarray(step([start, *so_far]))
    token = row.argmax()
    if token == end or max_length == 1:
        return np.array([start, *so_far, token]), row[token]
    tokens, rest = greedy_by_recursion(step, start, end, max_length - 1, (*so_far, token))
    return tokens, row[token] + rest


@right("greedy_decode")
def greedy_by_while(step, start, end, max_length):
    tokens, logs = (start,), []
    while len(logs) < max_length and (not logs or tokens[-1] != end):
        row = list(step(tokens))
        logs.append(max(row))
        tokens += (row.index(max(row)),)
    return tokens, math.fsum(logs)


@right("beam_search")
def beam_by_a_heap(step, start, end, beam_width, max_length, length_penalty=0.0):
    def score(hypothesis):
        tokens, log_p = hypothesis
        return log_p / (len(tokens) - 1) ** length_penalty

    def grown(tokens, log_p):
        if len(tokens) > 1 and tokens[-1] == end:
            return [(tokens, log_p)]
        return [((*tokens, token), log_p + p) for token, p in enumerate(step(tokens))]

    beam = [((start,), 0.0)]
    for _ in range(max_length):
        beam = heapq.nlargest(beam_width, (new for old in beam for new in grown(*old)), key=score)
    return beam


@right("beam_search")
def beam_of_two_lists(step, start, end, beam_width, max_length, length_penalty=0.0):
    live, done = [([start], 0.0)], []
    for length in range(1, max_length + 1):
        ranked = [(log_p / (len(tokens) - 1) ** length_penalty, tokens, log_p) for tokens, log_p in done]
        for tokens, log_p in live:
            row = np.asarray(step(np.array(tokens)))
            for token in np.argsort(-row)[:beam_width]:
                total = log_p + row[token]
                ranked.append((total / length**length_penalty, [*tokens, int(token)], total))
        ranked.sort(key=lambda one: -one[0])
        kept = [(tokens, log_p) for _, tokens, log_p in ranked[:beam_width]]
        done = [one for one in kept if one[0][-1] == end]
        live = [one for one in kept if one[0][-1] != end]
        if not live:
            break
    return kept


@right("beam_search")
def beam_with_a_memory(step, start, end, beam_width, max_length, length_penalty=0.0):
    """Each hypothesis is the list of its own log probabilities, by its tokens; finished ones are set aside by name."""
    logs, finished = {(): []}, set()

    def quality(tokens):
        return math.fsum(logs[tokens]) / len(tokens) ** length_penalty

    for _ in range(max_length):
        after = {tokens: logs[tokens] for tokens in finished}
        for tokens in logs.keys() - finished:
            for token, p in enumerate(step([start, *tokens])):
                after[(*tokens, token)] = [*logs[tokens], p]
        logs = after
        best = sorted(logs, key=quality)[-beam_width:]
        finished = {tokens for tokens in best if tokens[-1] == end}
        logs = {tokens: logs[tokens] for tokens in best}
        if len(finished) == len(best):
            break
    return [([start, *tokens], sum(logs[tokens])) for tokens in best[::-1]]
