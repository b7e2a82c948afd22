"""`attention`: what torch cannot say. Draws against their weights, decoding against every sequence there is."""

import heapq
import itertools
import re

import numpy as np
import pytest

from kerasref import attention
from kerasref.backend import BACKEND, keras
from tests.kerasref.oracles import assert_agrees


@pytest.fixture
def rng():
    return np.random.default_rng(11)


def walk(rng, vocabulary):
    """A step whose answer hangs on the whole prefix, and the same for each prefix."""
    seed = int(rng.integers(2**31))

    def step(tokens):
        logits = np.random.default_rng([seed, *tokens]).normal(scale=1.5, size=vocabulary)
        return logits - np.log(np.exp(logits).sum())

    return step


def every_sequence(step, start, end, max_length):
    """All sequences with `end` at the end or of full length, with their log probabilities."""
    vocabulary = len(step([start]))
    for length in range(1, max_length + 1):
        inner = itertools.product([token for token in range(vocabulary) if token != end], repeat=length - 1)
        for tokens, last in itertools.product(inner, range(vocabulary)):
            if last == end or length == max_length:
                sequence = [start, *tokens, last]
                yield sequence, sum(step(sequence[:i])[sequence[i]] for i in range(1, length + 1))


def by_definition(step, start, end, width, max_length, penalty):
    """Beam search as its text says, on sets of dicts."""
    beam = {(start,): 0.0}
    for length in range(1, max_length + 1):
        rivals = {}
        for tokens, total in beam.items():
            if len(tokens) > 1 and tokens[-1] == end:
                rivals[tokens] = total
            elif len(tokens) == length:
                rivals |= {(*tokens, token): total + p for token, p in enumerate(step(list(tokens)))}
        best = heapq.nlargest(width, rivals, key=lambda t: rivals[t] * (len(t) - 1) ** -penalty)
        beam = {tokens: rivals[tokens] for tokens in best}
    return [(list(tokens), total) for tokens, total in beam.items()]


def assert_same_beam(actual, expected):
    assert [tokens for tokens, _ in actual] == [tokens for tokens, _ in expected]
    assert_agrees([total for _, total in actual], [total for _, total in expected])


def test_a_mask_hides_exactly(rng):
    query, key, value = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4)), rng.normal(size=(2, 5, 2))
    mask = rng.random((2, 3, 5)) < 0.4
    mask[..., 2] = True
    context, weights = attention.dot_product_attention(query, 1e3 * key, value, mask)
    assert (weights[~mask] == 0).all()
    assert_agrees(weights.sum(axis=-1), np.ones((2, 3)))
    for b, q in np.ndindex(2, 3):
        alone = query[b : b + 1, q : q + 1], 1e3 * key[b : b + 1, mask[b, q]], value[b : b + 1, mask[b, q]]
        assert_agrees(context[b, q], attention.dot_product_attention(*alone)[0][0, 0])


@pytest.mark.skipif(BACKEND == "torch", reason="Keras' conversion of torch tensors warns under NumPy 2")
def test_it_is_one_head_of_keras_own(rng):
    """Keras' `dot_product_attention` scales, and takes the softmax, in float32."""
    query, key, value = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 5, 4)), rng.normal(size=(2, 5, 2))
    mask = rng.random((2, 3, 5)) < 0.6
    mask[..., 1] = True
    theirs = keras.ops.dot_product_attention(
        *(each[:, :, np.newaxis] for each in (query, key, value)), mask=mask[:, np.newaxis]
    )
    ours = attention.dot_product_attention(query, key, value, mask)[0]
    np.testing.assert_allclose(ours, keras.ops.convert_to_numpy(theirs)[:, :, 0], rtol=1e-5, atol=1e-6)


def test_draws_follow_the_weights(rng):
    key, value = rng.normal(size=(2, 4, 3)), rng.normal(size=(2, 4, 2))
    query = np.repeat(rng.normal(size=(2, 1, 3)), 20_000, axis=1)
    context, index = attention.hard_attention(query, key, value, np.random.default_rng(3))
    weights = attention.dot_product_attention(query[:, :1], key, value)[1][:, 0]
    shares = (index[..., np.newaxis] == np.arange(4)).mean(axis=1)
    np.testing.assert_allclose(shares, weights, atol=0.02)
    np.testing.assert_array_equal(context, np.stack([value[b][index[b]] for b in range(2)]))
    together = (index[0] == index[1]).mean()
    assert abs(together - np.sum(weights[0] * weights[1])) < 0.02


def test_reinforce_finds_the_slope_of_the_expected_reward(rng):
    """Over many draws from a softmax its mean is the derivative of the expectation, whatever the baseline."""
    logits, reward = rng.normal(size=3), np.array([1.0, -2.0, 5.0])
    p = np.exp(logits) / np.exp(logits).sum()
    every = np.eye(3) - p  # the gradient of log p of each choice
    exact = sum(p[k] * reward[k] * every[k] for k in range(3))
    for baseline in (0.0, 3.0):
        weighted = np.repeat(np.arange(3), np.round(1e5 * p).astype(int))
        estimate = attention.reinforce_gradient(every[weighted], reward[weighted], baseline)
        np.testing.assert_allclose(estimate, exact, atol=1e-4 if BACKEND == "tensorflow" else 1e-2)


@pytest.mark.parametrize("vocabulary", [2, 3, 4])
def test_greedy_follows_the_largest(rng, vocabulary):
    for _ in range(20):
        step, end = walk(rng, vocabulary), int(rng.integers(vocabulary))
        tokens, total = attention.greedy_decode(step, 9, end, 4)
        scored = {tuple(t): p for t, p in every_sequence(step, 9, end, 4)}
        assert_agrees(total, scored[tuple(tokens)])
        for i in range(1, len(tokens)):
            assert tokens[i] == np.argmax(step(tokens[:i]))
        assert_same_beam(attention.beam_search(step, 9, end, 1, 4, 0.7), [(tokens, total)])


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0])
def test_a_beam_without_bounds_finds_every_sequence_in_order(rng, penalty):
    for _ in range(5):
        step = walk(rng, 3)
        ranked = sorted(every_sequence(step, 7, 0, 4), key=lambda s: -s[1] / (len(s[0]) - 1) ** penalty)
        assert_same_beam(attention.beam_search(step, 7, 0, 1000, 4, penalty), ranked)


@pytest.mark.parametrize("penalty", [0.0, 0.6, 1.0, 2.0, -0.5])
@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_a_narrow_beam_is_its_definition(rng, width, penalty):
    for vocabulary in (2, 3, 6):
        step, end = walk(rng, vocabulary), int(rng.integers(vocabulary))
        expected = by_definition(step, 8, end, width, 6, penalty)
        assert_same_beam(attention.beam_search(step, 8, end, width, 6, penalty), expected)


def test_a_wide_beam_is_viterbis(rng):
    """Where the next token hangs on the last one only, dynamic programming finds the best of each length."""
    table = np.log(rng.dirichlet(np.ones(4), size=4))
    best, score = {0: [0]}, {0: 0.0}
    for _ in range(5):
        paths, totals = {}, {}
        for token in range(1, 4):
            before = max(score, key=lambda b: score[b] + table[b, token])
            paths[token], totals[token] = [*best[before], token], score[before] + table[before, token]
        best, score = paths, totals
    winner = max(score, key=lambda token: score[token])
    never_ends = np.where(np.arange(4) == 0, -np.inf, table)
    found = attention.beam_search(lambda tokens: never_ends[tokens[-1]], 0, 0, 10_000, 5)
    assert found[0][0] == best[winner]
    assert_agrees(found[0][1], score[winner])


def test_the_search_stops_when_all_are_finished():
    asked = []

    def step(tokens):
        asked.append(tokens)
        return np.log([0.98, 0.01, 0.01])

    (tokens, total), *_ = attention.beam_search(step, 5, 0, 1, 1000)
    assert (tokens, len(asked)) == ([5, 0], 1)
    assert_agrees(total, np.log(0.98))
    assert attention.greedy_decode(step, 5, 0, 1000)[0] == [5, 0]


def test_fewer_hypotheses_than_places():
    beam = attention.beam_search(lambda tokens: np.log([0.2, 0.3, 0.5]), 0, 2, 10, 1)
    assert [tokens for tokens, _ in beam] == [[0, 2], [0, 1], [0, 0]]


SOME = {"query": np.ones((2, 3, 4)), "key": np.ones((2, 5, 4)), "value": np.ones((2, 5, 6))}
ADDED = {**SOME, "w_query": np.ones((4, 7)), "w_key": np.ones((4, 7)), "v": np.ones(7)}
STEP = {"step": lambda tokens: np.log([0.5, 0.5]), "start": 0, "end": 1, "max_length": 3}
BEAM = {**STEP, "beam_width": 2}
DRAWN = {**SOME, "rng": np.random.default_rng(0)}
SAMPLED = {"log_prob_grads": np.ones((3, 2)), "rewards": np.ones(3), "baseline": 0.0}
NOWHERE = np.ones((2, 3, 5), bool)
NOWHERE[1, 2] = False
BAD = [
    # function, legal arguments, what is wrong, argument named, what came
    *(
        (function, legal, wrong, *wrong, came)
        for function, legal in [
            ("dot_product_attention", SOME),
            ("additive_attention", ADDED),
            ("hard_attention", DRAWN),
        ]
        for wrong, came in [
            ({"query": np.ones((3, 4))}, "(3, 4)"),
            ({"key": np.ones((1, 5, 4))}, "(1, 5, 4)"),
            ({"key": np.ones((2, 0, 4))}, "(2, 0, 4)"),
            ({"value": np.ones((2, 4, 6))}, "(2, 4, 6)"),
            ({"value": np.ones((2, 5))}, "(2, 5)"),
        ]
    ),
    ("dot_product_attention", SOME, {"key": np.ones((2, 5, 3))}, "key", "(2, 5, 3)"),
    ("hard_attention", DRAWN, {"key": np.ones((2, 5, 3))}, "key", "(2, 5, 3)"),
    ("dot_product_attention", SOME, {"mask": np.ones((2, 1, 5), bool)}, "mask", "(2, 1, 5)"),
    ("dot_product_attention", SOME, {"mask": NOWHERE}, "mask", "[1, 2]"),
    ("dot_product_attention", SOME, {"mask": np.full((2, 3, 5), -1e9)}, "mask", "other than 0 and 1"),
    ("additive_attention", ADDED, {"w_query": np.ones((3, 7))}, "w_query", "(3, 7)"),
    ("additive_attention", ADDED, {"w_key": np.ones((4, 6))}, "w_key", "(4, 6)"),
    ("additive_attention", ADDED, {"v": np.ones((7, 1))}, "v", "(7, 1)"),
    ("additive_attention", ADDED, {"v": np.ones(1)}, "w_query", "(4, 7)"),
    ("reinforce_gradient", SAMPLED, {"rewards": np.ones((3, 1))}, "rewards", "(3, 1)"),
    ("reinforce_gradient", SAMPLED, {"rewards": np.ones(2)}, "rewards", "(2,)"),
    ("reinforce_gradient", SAMPLED, {"baseline": np.ones(3)}, "baseline", "array"),
    ("reinforce_gradient", SAMPLED, {"log_prob_grads": 1.0}, "log_prob_grads", "()"),
    *(
        (function, legal, wrong, *wrong, came)
        for function, legal in [("greedy_decode", STEP), ("beam_search", BEAM)]
        for wrong, came in [
            ({"max_length": 0}, "0"),
            ({"max_length": 2.5}, "2.5"),
            ({"end": 2}, "2"),
            ({"end": -1}, "-1"),
            ({"step": np.zeros((2, 2))}, "ndarray"),
            ({"step": lambda tokens: np.zeros((2, 2))}, "(2, 2)"),
            ({"step": lambda tokens: np.array([0.5, 0.5])}, "0.5"),
            ({"step": lambda tokens: np.array([np.nan, -1])}, "nan"),
        ]
    ),
    ("beam_search", BEAM, {"beam_width": 0}, "beam_width", "0"),
    ("beam_search", BEAM, {"length_penalty": np.nan}, "length_penalty", "nan"),
]


@pytest.mark.parametrize(("function", "legal", "wrong", "named", "came"), BAD)
def test_bad_input_is_refused_by_name(function, legal, wrong, named, came):
    getattr(attention, function)(**legal)
    with pytest.raises(ValueError, match=f"^`{named}`.*{re.escape(came)}"):
        getattr(attention, function)(**{**legal, **wrong})
