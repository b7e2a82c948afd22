"""Checks of the assignment `attention`."""

import numpy as np
import pytest

from grader.exercise import (
    assert_close,
    assert_silent,
    assert_unchanged,
    core,
    driver,
    exercise,
    hidden,
)
from grader.wire import Rng

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
PARTS = ("context", "weights")
SHAPES = [(1, 1, 3, 2, 1), (3, 2, 1, 1, 4), (2, 5, 4, 3, 2)]
"""Batch, queries, keys, features, values: a single query, a single key, more queries than keys."""


def some(rng, batch=2, queries=3, keys=5, features=4, values=6):
    """A query, a key and a value, no two of whose axes need be equal."""
    return (
        rng.normal(size=(batch, queries, features)),
        rng.normal(size=(batch, keys, features)),
        rng.normal(size=(batch, keys, values)),
    )


def learned(rng, query_features=4, key_features=4, units=7):
    """The three learned parts of additive attention."""
    return (
        rng.normal(size=(query_features, units)),
        rng.normal(size=(key_features, units)),
        2 * rng.normal(size=units),
    )


def some_mask(rng, *shape):
    """Each query may look at some of the keys: at one at least, and not at all of them."""
    ranks = rng.random(shape).argsort(axis=-1)
    return ranks < rng.integers(1, shape[-1], size=(*shape[:-1], 1))


@exercise("dot_product_attention", functions=["dot_product_attention"], points=5)
class TestDotProductAttention:
    """Look where the keys match."""

    hints = {
        "dot_product_attention": [
            "Which product of a (q, d) and a (k, d) table has shape (q, k)? And what must each of its rows sum to in the end?",
            "Scores first, over the root of d. Where the mask is False, put minus infinity in place of the score. Only then "
            "the softmax, along the keys.",
            "`scores = query @ np.swapaxes(key, 1, 2) / np.sqrt(query.shape[2])`; `np.where(mask, scores, -np.inf)`; "
            "`weights = softmax(scores)`; `weights @ value`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random queries, keys and values."""
        query, key, value = some(rng)
        expected = reference.dot_product_attention(query, key, value)
        assert_close(student.dot_product_attention(query, key, value), expected, PARTS)

    def test_scale(self, student, reference, rng):
        """Divides the scores by the square root of the features: 64 of them, unlike 1, show whether."""
        for features in (64, 1):
            query, key, value = some(rng, features=features)
            expected = reference.dot_product_attention(query, key, value)
            assert_close(student.dot_product_attention(query, key, value), expected, PARTS)

    def test_shapes(self, student, reference, rng):
        """Holds for a single query, for a single key, for more queries than keys; changes no argument."""
        for shape in SHAPES:
            given = some(rng, *shape)
            expected = reference.dot_product_attention(*given)
            assert_close(assert_unchanged(student.dot_product_attention, *given), expected, PARTS)

    def test_equal_scores(self, student, reference, rng):
        """A query of zeros finds all keys alike: its context is the mean of the values."""
        _, key, value = some(rng)
        query = np.zeros((2, 1, 4))
        expected = reference.dot_product_attention(query, key, value)
        assert_close(student.dot_product_attention(query, key, value), expected, PARTS)

    def test_large_scores(self, student, reference, rng):
        """Stays finite, without a warning, for scores of ten thousand, above zero and below."""
        query, key, value = some(rng)
        for sign in (1, -1):
            given = 1e3 * np.abs(query), sign * 1e1 * np.abs(key), value
            expected = reference.dot_product_attention(*given)
            assert_close(assert_silent(student.dot_product_attention, *given), expected, PARTS)

    def test_mask(self, student, reference, rng):
        """With a mask each query looks only where the mask is True; the other weights are exactly 0."""
        query, key, value = some(rng)
        mask = some_mask(rng, 2, 3, 5)
        _, weights = assert_close_to(student, reference, query, key, value, mask)
        assert_close(weights[~mask], np.zeros((~mask).sum()), rtol=0, atol=0)

    def test_causal_mask(self, student, reference, rng):
        """With a triangular mask no place of a sequence sees a later one."""
        sequence = rng.normal(size=(2, 4, 4))
        mask = np.repeat(np.tri(4, dtype=bool)[np.newaxis], 2, axis=0)
        assert_close_to(student, reference, sequence, sequence, sequence, mask)

    def test_open_mask(self, student, reference, rng):
        """A mask that is True everywhere changes nothing."""
        assert_close_to(student, reference, *some(rng), np.ones((2, 3, 5), bool))

    def test_masked_giants(self, student, reference, rng):
        """A masked score of ten thousand does not drown the others, nor turn them into NaN."""
        query, key, value = some(rng)
        mask = some_mask(rng, 2, 3, 5)
        mask[..., 0], mask[..., 1] = False, True
        query, key = np.abs(query), key.copy()
        key[:, 0] = 2e4
        _, weights = assert_close_to(student, reference, query, key, value, mask)
        assert_close(weights[~mask], np.zeros((~mask).sum()), rtol=0, atol=0)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        given = [array.astype(np.float32) for array in some(rng)]
        expected = reference.dot_product_attention(*given)
        assert_close(student.dot_product_attention(*given), expected, PARTS, **SINGLE)

    @hidden
    def test_square(self, student, reference, rng):
        """Is right where all axes are of one size, so that a wrong one raises no error."""
        query, key, value = some(rng, 3, 3, 3, 3, 3)
        assert_close_to(student, reference, query, key, value, some_mask(rng, 3, 3, 3))


def assert_close_to(student, reference, *given):
    """Hold masked attention against the reference, and its arguments against a change; give what came."""
    came = assert_unchanged(student.dot_product_attention, *given)
    assert_close(came, reference.dot_product_attention(*given), PARTS)
    return came


@exercise("additive_attention", functions=["additive_attention"], points=3)
class TestAdditiveAttention:
    """A score that is learned."""

    hints = {
        "additive_attention": [
            "Every query meets every key: which shape has `q w_query + k w_key` for all pairs, with its units?",
            "(b, q, 1, u) plus (b, 1, k, u) gives (b, q, k, u). Then the tanh, then `v` takes the units to one number.",
            "`scores = np.tanh((query @ w_query)[:, :, np.newaxis] + (key @ w_key)[:, np.newaxis]) @ v`; the rest is as before.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random input."""
        given = (*some(rng), *learned(rng))
        expected = reference.additive_attention(*given)
        assert_close(student.additive_attention(*given), expected, PARTS)

    def test_other_features(self, student, reference, rng):
        """Queries and keys may have different features: each has a matrix of its own."""
        query, _, _ = some(rng, features=2)
        _, key, value = some(rng, features=5)
        given = query, key, value, *learned(rng, 2, 5)
        expected = reference.additive_attention(*given)
        assert_close(assert_unchanged(student.additive_attention, *given), expected, PARTS)

    def test_shapes(self, student, reference, rng):
        """Holds for a single query, for a single key, for a single unit, for more queries than keys."""
        for shape in SHAPES:
            given = (*some(rng, *shape), *learned(rng, shape[3], shape[3], units=1))
            expected = reference.additive_attention(*given)
            assert_close(student.additive_attention(*given), expected, PARTS)

    def test_key_alone(self, student, reference, rng):
        """Where `w_query` is zero, all queries look alike: only the key's term is at work."""
        w_query, w_key, v = learned(rng)
        given = (*some(rng), 0 * w_query, w_key, v)
        assert_close(student.additive_attention(*given), reference.additive_attention(*given), PARTS)

    def test_query_alone(self, student, reference, rng):
        """Where `w_key` is zero, all keys score alike, and the context is the mean of the values."""
        w_query, w_key, v = learned(rng)
        given = (*some(rng), w_query, 0 * w_key, v)
        assert_close(student.additive_attention(*given), reference.additive_attention(*given), PARTS)

    def test_large_scores(self, student, reference, rng):
        """Stays finite, without a warning, for a `v` of ten thousand."""
        w_query, w_key, v = learned(rng)
        given = (*some(rng), w_query, w_key, 1e4 * v)
        assert_close(
            assert_silent(student.additive_attention, *given), reference.additive_attention(*given), PARTS
        )

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        given = [array.astype(np.float32) for array in (*some(rng), *learned(rng))]
        expected = reference.additive_attention(*given)
        assert_close(student.additive_attention(*given), expected, PARTS, **SINGLE)

    @hidden
    def test_square(self, student, reference, rng):
        """Is right where all axes are of one size, so that a wrong one raises no error."""
        given = (*some(rng, 3, 3, 3, 3, 3), *learned(rng, 3, 3, 3))
        assert_close(student.additive_attention(*given), reference.additive_attention(*given), PARTS)


def looked_at(student, seed, query, key, value, **tolerance):
    """The index that hard attention draws, once it is seen to be one, and to be that of the context."""
    drawn = assert_unchanged(student.hard_attention, query, key, value, rng=Rng(seed))
    if not isinstance(drawn, list | tuple) or len(drawn) != 2:
        raise AssertionError("expected two results, the context and the index")
    context, index = drawn[0], np.asarray(drawn[1])
    if index.shape != query.shape[:2] or index.dtype.kind not in "iuf" or (index % 1).any():
        raise AssertionError(
            f"the index is of {index.dtype} and shape {index.shape}; expected whole numbers (batch, q): {query.shape[:2]}"
        )
    if index.min() < 0 or index.max() >= key.shape[1]:
        raise AssertionError(
            f"the index runs from {index.min()} to {index.max()}, but there are the keys 0 to {key.shape[1] - 1}"
        )
    rows = np.stack([item[places.astype(int)] for item, places in zip(value, index, strict=True)])
    assert_close((context,), (rows,), ("context",), **tolerance)
    return index


def assert_half(share, what):
    """Fail where a share of some 2,000 fair coins is not about half."""
    if abs(share - 0.5) > 0.1:  # nine standard deviations
        raise AssertionError(
            f"two keys, equally good: {what} drew the same one in {share:.0%} of the cases, expected about half: "
            "each query of each batch item takes a draw of its own"
        )


@exercise("hard_attention", functions=["hard_attention"], points=3)
class TestHardAttention:
    """Look at one place only."""

    hints = {
        "hard_attention": [
            "How do you draw one of k keys with given chances from one uniform number? Think of the chances laid end to end.",
            "Cumulate the weights along the keys. The key drawn is the number of borders that the uniform number has passed.",
            "`borders = np.cumsum(weights, axis=-1)[..., :-1]`; `index = (rng.random((b, q, 1)) >= borders).sum(axis=-1)`; "
            "`np.take_along_axis(value, index[..., np.newaxis], axis=1)`.",
        ]
    }

    @core
    def test_rows(self, student, rng):
        """The context is made of whole rows of `value`, those of the index."""
        looked_at(student, int(rng.integers(2**31)), *some(rng, queries=8))

    @core
    def test_chances(self, student, reference, rng):
        """Draws each key as often as its scaled dot-product weight says."""
        times = 1000
        _, key, value = some(rng, keys=4)
        for item in key:
            item[:, 0] = np.log(rng.permutation([0.5, 0.3, 0.15, 0.05]))
        query = np.zeros((2, 2, 4))
        query[:, :, 0] = 2, -1
        _, weights = reference.dot_product_attention(query, key, value)
        index = looked_at(student, int(rng.integers(2**31)), np.tile(query, (1, times, 1)), key, value)
        shares = (index.reshape(2, times, 2, 1) == np.arange(4)).mean(axis=1)
        worst = np.unravel_index(np.abs(shares - weights).argmax(), shares.shape)
        if abs(shares[worst] - weights[worst]) > 0.09:  # more than five standard deviations
            raise AssertionError(
                f"of {times:,} equal queries {shares[worst]:.0%} drew a key with the weight {weights[worst]:.2f}"
            )

    def test_own_draws(self, student, rng):
        """Every query of every batch item draws for itself."""
        _, key, value = some(rng, keys=2)
        index = looked_at(student, int(rng.integers(2**31)), np.zeros((2, 2000, 4)), key, value)
        assert_half(np.mean(index[0] == index[1]), "the two batch items")
        assert_half(np.mean(index[:, 1:] == index[:, :-1]), "neighbouring queries")

    def test_generator(self, student, rng):
        """Draws from the generator that it is given: equal ones draw alike, another one differently."""
        _, key, value = some(rng)
        query = np.zeros((2, 40, 4))
        first, again, other = (looked_at(student, seed, query, key, value) for seed in (5, 5, 6))
        if not np.array_equal(first, again):
            raise AssertionError("two equal generators drew differently: all chance must come from `rng`")
        if np.array_equal(first, other):
            raise AssertionError("two different generators drew alike: all chance must come from `rng`")

    def test_large_scores(self, student, rng):
        """Where one key outshines the others by a thousand, it is drawn; nothing overflows."""
        best = np.stack([rng.permutation(4) for _ in range(2)])
        query = np.repeat(4e3 * np.eye(4)[np.newaxis], 2, axis=0)
        key, value = np.eye(4)[best], rng.normal(size=(2, 4, 3))
        context, index = assert_silent(student.hard_attention, query, key, value, rng=Rng(1))
        expected = best.argsort(axis=1)
        rows = np.stack([item[places] for item, places in zip(value, expected, strict=True)])
        assert_close((context, index), (rows, expected), ("context", "index"))

    def test_single_key(self, student, rng):
        """Of a single key there is no choice."""
        looked_at(student, 2, *some(rng, keys=1, values=1))

    def test_single_precision(self, student, rng):
        """Takes `float32` too."""
        given = (array.astype(np.float32) for array in some(rng, queries=6))
        looked_at(student, 3, *given, **SINGLE)


@exercise("reinforce_gradient", functions=["reinforce_gradient"], points=2)
class TestReinforceGradient:
    """A gradient through a draw."""

    hints = {
        "reinforce_gradient": [
            "What pushes harder: a reward of 3, or a reward of 3 where 2.9 was to be expected?",
            "Each sample's gradient times its own reward less the baseline. The rewards run along the first axis, whatever "
            "axes follow. Then the mean over the samples.",
            "`np.tensordot(rewards - baseline, log_prob_grads, axes=1) / len(rewards)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with automatic differentiation on random samples."""
        given = rng.normal(size=(6, 3)), rng.normal(size=6) + 1, 0.7
        assert_close(student.reinforce_gradient(*given), reference.reinforce_gradient(*given))

    def test_no_baseline(self, student, reference, rng):
        """With a baseline of 0 the rewards alone are the weights."""
        given = rng.normal(size=(5, 2)), rng.normal(size=5) - 1, 0.0
        assert_close(
            assert_unchanged(student.reinforce_gradient, *given), reference.reinforce_gradient(*given)
        )

    def test_shapes(self, student, reference, rng):
        """Parameters may have no axis or three, and a single sample is a mean too."""
        for shape in [(6,), (1, 3), (4, 2, 3), (3, 1, 2, 2)]:
            given = rng.normal(size=shape), rng.normal(size=shape[0]), -0.4
            came = assert_unchanged(student.reinforce_gradient, *given)
            assert_close(came, reference.reinforce_gradient(*given))

    def test_square(self, student, reference, rng):
        """Is right where as many parameters as samples would hide that the rewards went along the wrong axis."""
        given = rng.normal(size=(4, 4)), rng.normal(size=4), 0.5
        assert_close(student.reinforce_gradient(*given), reference.reinforce_gradient(*given))

    def test_one_reward(self, student, reference, rng):
        """A reward that is what was expected moves nothing; the others do."""
        rewards = np.array([2.0, 2.0, 5.0])
        given = rng.normal(size=(3, 4)), rewards, 2.0
        assert_close(student.reinforce_gradient(*given), reference.reinforce_gradient(*given))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        given = rng.normal(size=(6, 3)).astype(np.float32), rng.normal(size=6).astype(np.float32), 0.25
        expected = reference.reinforce_gradient(*given)
        assert_close(student.reinforce_gradient(*given), expected, **SINGLE)


ROWS = 41


def language(rng, vocabulary, end=None, chance=None):
    """Log probabilities (rows, vocabulary): the drivers find a row for each prefix; `chance` is that of `end`."""
    probabilities = rng.dirichlet(np.ones(vocabulary), size=ROWS)
    if chance is not None:
        probabilities[:, end] = 0
        probabilities *= (1 - chance) / probabilities.sum(axis=1, keepdims=True)
        probabilities[:, end] = chance
    return np.log(np.maximum(probabilities, 1e-9))


def tree(rest, **rows):
    """Log probabilities of a small language that starts with 0: `_12` is the row after the prefix 0 1 2."""
    table = np.tile(np.asarray(rest, float), (ROWS, 1))
    for prefix, row in rows.items():
        table[int(prefix[1:] or "0", 7)] = row
    return np.log(table)


@driver
def greedy(greedy_decode, table, start, end, max_length):
    def step(tokens):  # each prefix has its row
        return table[sum(7**i * int(t) for i, t in enumerate(tokens[::-1])) % len(table)].copy()

    tokens, log_p = greedy_decode(step, start, end, max_length)
    return [int(t) for t in tokens], float(log_p)


@driver
def beam(beam_search, table, start, end, *others):
    def step(tokens):  # each prefix has its row
        return table[sum(7**i * int(t) for i, t in enumerate(tokens[::-1])) % len(table)].copy()

    found = beam_search(step, start, end, *others)
    return [([int(t) for t in tokens], float(log_p)) for tokens, log_p in found]


def assert_sequence(found, expected, which, **tolerance):
    """Hold tokens against the right ones, in one glance, and then their log probability."""
    (tokens, _), (right, log_p) = found, expected
    if tokens != right:
        raise AssertionError(
            f"{which} has the tokens {tokens}, expected {right}, whose log probability is {log_p:.4g}"
        )
    assert_close(found, expected, ("tokens", "log probability"), **tolerance)


def assert_greedy(student, reference, *given, **tolerance):
    """Hold a greedy sequence against the reference's, and its arguments against a change."""
    expected = reference.greedy_decode.driven_by(greedy)(*given)
    found = assert_unchanged(student.greedy_decode.driven_by(greedy), *given)
    assert_sequence(found, expected, "the sequence", **tolerance)


def assert_hypotheses(found, expected):
    """Hold a beam against another one, best first."""
    for place, (one, other) in enumerate(zip(found, expected, strict=False)):
        assert_sequence(
            one, other, f"hypothesis {place}, counted from 0," if place else "the best hypothesis"
        )
    if len(found) != len(expected):
        raise AssertionError(f"the beam holds {len(found)} hypotheses, expected {len(expected)}")


def assert_beam(student, reference, *given):
    """Hold a beam against the reference's, and its arguments against a change."""
    expected = reference.beam_search.driven_by(beam)(*given)
    assert_hypotheses(assert_unchanged(student.beam_search.driven_by(beam), *given), expected)


@exercise("greedy_decode", functions=["greedy_decode"], points=2)
class TestGreedyDecode:
    """The likeliest next token, again and again."""

    hints = {
        "greedy_decode": [
            "What does `step` need to know to say what comes next? And which two things end the loop?",
            "Ask `step` with all tokens so far, take the likeliest, add its log probability, append it. End after `end`, or "
            "after `max_length` new tokens; `start` is not new.",
            "`for _ in range(max_length)`: `token = int(np.argmax(row))`, append, `total += row[token]`, `break` when it is `end`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Follows the likeliest token, where each prefix has chances of its own."""
        for end in (0, 3, 4):
            assert_greedy(student, reference, language(rng, 5, end, 0.3), 1, end, 8)

    def test_max_length(self, student, reference, rng):
        """Without an end in sight it stops after `max_length` new tokens, `start` not counted."""
        for max_length in (1, 2, 5):
            assert_greedy(student, reference, language(rng, 4, 2, 1e-6), 0, 2, max_length)

    def test_end_at_once(self, student, reference, rng):
        """Where the end is likeliest at once, there is one new token."""
        assert_greedy(student, reference, language(rng, 4, 0, 0.9), 3, 0, 6)

    def test_end_in_the_last_place(self, student, reference):
        """The end may be the last token that fits."""
        table = tree([0.1, 0.7, 0.2], _1=[0.2, 0.1, 0.7], _12=[0.1, 0.6, 0.3])
        assert_greedy(student, reference, table, 0, 2, 2)

    def test_long(self, student, reference, rng):
        """A hundred unlikely tokens have a log probability, though their probability is below what a float can hold."""
        assert_greedy(student, reference, language(rng, 6, 5, 1e-6) - 8, 0, 5, 100)

    def test_impossible(self, student, reference, rng):
        """Tokens with a probability of 0, whose logarithm is minus infinity, are no trouble."""
        table = language(rng, 4, 0, 0.2)
        table[:, 1] = -np.inf
        assert_greedy(student, reference, table, 2, 0, 7)

    def test_single_precision(self, student, reference, rng):
        """Takes a `step` that gives `float32` too."""
        assert_greedy(student, reference, language(rng, 5, 0, 0.2).astype(np.float32), 1, 0, 6, **SINGLE)

    @hidden
    def test_other_languages(self, student, reference, rng):
        """Follows the likeliest token in languages of two and of six tokens."""
        for vocabulary in (2, 6):
            assert_greedy(student, reference, language(rng, vocabulary), 0, vocabulary - 1, 9)


@exercise("beam_search", functions=["beam_search"], points=5)
class TestBeamSearch:
    """Several promising beginnings at once."""

    hints = {
        "beam_search": [
            "Which hypotheses are candidates in a round? What becomes of one that has ended, and of one that has not?",
            "Candidates: every finished hypothesis as it is, every other one with each possible next token. Sort them all "
            "together by log probability over length to the power of the penalty, keep `beam_width`.",
            "`candidates.append((tokens + [token], total + row[token]))`; then "
            "`sorted(candidates, key=lambda c: c[1] / (len(c[0]) - 1) ** length_penalty, reverse=True)[:beam_width]`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Finds the same beam as the reference, where each prefix has chances of its own."""
        for end in (0, 2, 4):
            assert_beam(student, reference, language(rng, 5, end, 0.25), 1, end, 3, 5)

    def test_greedy_loses(self, student, reference):
        """Finds the better sequence that begins with the less likely token."""
        table = tree([0.52, 0.27, 0.21], _=[0.1, 0.5, 0.4], _1=[0.36, 0.34, 0.3], _2=[0.9, 0.06, 0.04])
        for width in (2, 4):
            assert_beam(student, reference, table, 0, 0, width, 4)

    def test_width_one(self, student, reference, rng):
        """With one place it is greedy decoding, whatever the length penalty."""
        table = language(rng, 5, 0, 0.3)
        greedily = reference.greedy_decode.driven_by(greedy)(table, 1, 0, 6)
        for penalty in (0.0, 1.0):
            assert_hypotheses(student.beam_search.driven_by(beam)(table, 1, 0, 1, 6, penalty), [greedily])

    def test_wide(self, student, reference, rng):
        """With places enough it finds every sequence there is, best first, and no more."""
        assert_beam(student, reference, language(rng, 3), 1, 0, 100, 3)

    def test_finished_keep_their_place(self, student, reference):
        """A finished hypothesis competes for its place like any other, and takes it from one that could grow."""
        table = tree([0.31, 0.27, 0.23, 0.19], _=[0.4, 0.35, 0.2, 0.05], _2=[0.94, 0.03, 0.02, 0.01])
        assert_beam(student, reference, table, 0, 0, 2, 3)

    def test_finished_lose_their_place(self, student, reference):
        """A finished hypothesis that two longer ones outdo is dropped."""
        table = tree([0.7, 0.15, 0.1, 0.05], _=[0.25, 0.6, 0.1, 0.05], _1=[0.01, 0.5, 0.47, 0.02])
        assert_beam(student, reference, table, 0, 0, 2, 4)

    def test_nothing_follows_the_end(self, student, reference):
        """Nothing is appended to the end, however likely `step` would find it."""
        table = tree(
            [0.33, 0.4, 0.27], _=[0.2, 0.5, 0.3], _1=[0.001, 0.001, 0.998], _12=[0.001, 0.998, 0.001]
        )
        assert_beam(student, reference, table, 0, 1, 3, 4)
        assert_beam(student, reference, table, 0, 1, 3, 4, 1.0)

    def test_length_penalty(self, student, reference):
        """Dividing by the length lets a long sequence of likely tokens beat a short one."""
        table = tree([0.7, 0.2, 0.1], _=[0.4, 0.35, 0.25], _1=[0.1, 0.8, 0.1], _11=[0.8, 0.1, 0.1])
        for penalty in (0.0, 1.0):
            assert_beam(student, reference, table, 0, 0, 3, 3, penalty)

    @pytest.mark.parametrize("penalty", [0.6, 1.0, 2.0])
    def test_length_penalty_values(self, student, reference, rng, penalty):
        """Follows `length_penalty` in every round; what it returns is the log probability itself."""
        for end in (0, 3, 4):
            assert_beam(student, reference, language(rng, 5, end, 0.25), 1, end, 4, 5, penalty)

    def test_max_length(self, student, reference, rng):
        """Without an end in sight all hypotheses have `max_length` new tokens."""
        for max_length in (1, 2, 4):
            assert_beam(student, reference, language(rng, 4, 2, 1e-6), 0, 2, 2, max_length)

    def test_impossible(self, student, reference, rng):
        """Tokens with a probability of 0, whose logarithm is minus infinity, are no trouble."""
        table = language(rng, 5, 0, 0.2)
        table[:, 1] = -np.inf
        assert_beam(student, reference, table, 2, 0, 3, 5, 0.8)

    def test_ties(self, student, reference):
        """Equal chances everywhere: whichever hypotheses it keeps, they are different ones and the best."""
        table = tree([0.1, 0.3, 0.3, 0.3])
        expected = reference.beam_search.driven_by(beam)(table, 0, 0, 3, 4)
        found = student.beam_search.driven_by(beam)(table, 0, 0, 3, 4)
        assert_close([log_p for _, log_p in found], [log_p for _, log_p in expected])
        different = {tuple(tokens) for tokens, _ in found}
        if len(different) < len(found):
            raise AssertionError("the same tokens came twice in one beam")
        for tokens, log_p in found:
            assert_close(log_p, float(np.sum(table[0][tokens[1:]])))

    @hidden
    def test_other_languages(self, student, reference, rng):
        """Finds the same beam as the reference, with other sizes, widths and lengths."""
        for vocabulary, width, max_length, penalty in [(2, 4, 7, 0.9), (6, 5, 4, 0.0), (6, 2, 6, 0.5)]:
            end = int(rng.integers(vocabulary))
            assert_beam(
                student, reference, language(rng, vocabulary, end, 0.2), 0, end, width, max_length, penalty
            )
