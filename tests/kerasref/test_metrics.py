"""`metrics` against sacrebleu, scikit-learn and scikit-image, and what the contract says beyond their values."""

import numpy as np
import pytest
from sacrebleu import BLEU
from skimage.metrics import peak_signal_noise_ratio
from sklearn.metrics import confusion_matrix, top_k_accuracy_score

from kerasref import metrics
from tests.kerasref.oracles import assert_agrees

SENTENCE = ["a", "cat", "sat", "down"]


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def by_sacrebleu(candidates, references, max_n):
    """Nothing tokenized, nothing smoothed, every length of n-grams counted; every sentence has equally many references."""
    judge = BLEU(tokenize="none", smooth_method="none", effective_order=False, max_ngram_order=max_n)
    streams = [[" ".join(one) for one in stream] for stream in zip(*references, strict=True)]
    return judge.corpus_score([" ".join(one) for one in candidates], streams).score / 100


def text(rng, least, most, words):
    return [str(word) for word in rng.integers(words, size=rng.integers(least, most))]


@pytest.mark.parametrize("max_n", [1, 2, 3, 4])
@pytest.mark.parametrize("sentences", [1, 3])
def test_bleu_is_sacrebleus(rng, sentences, max_n):
    scores = []
    for _ in range(100):
        words = rng.integers(2, 6)
        candidates = [text(rng, 0, 12, words) for _ in range(sentences)]
        references = [[text(rng, 1, 12, words) for _ in range(2)] for _ in range(sentences)]
        scores.append(metrics.corpus_bleu(candidates, references, max_n))
        assert_agrees(scores[-1], by_sacrebleu(candidates, references, max_n))
        if sentences == 1:
            assert metrics.bleu(candidates[0], references[0], max_n) == scores[-1]
    assert np.count_nonzero(scores) > 10


def test_bleu_of_the_paper():
    """Papineni et al. 2002, example 2: two of seven words, where unclipped all seven are right."""
    references = [["the", "cat", "is", "on", "the", "mat"], ["there", "is", "a", "cat", "on", "the", "mat"]]
    assert_agrees(metrics.bleu(["the"] * 7, references, max_n=1), 2 / 7)


def test_tokens_may_be_numbers():
    assert metrics.bleu([1, 2, 3, 4], [[1, 2, 3, 4]]) == 1
    assert metrics.bleu([1, 2, 3, 4], [["1", "2", "3", "4"]]) == 0


def test_too_short_for_a_4_gram_is_0():
    for length in range(4):
        assert metrics.bleu(SENTENCE[:length], [SENTENCE[:length] or ["a"]]) == 0


def test_psnr_is_scikit_images(rng):
    a, b = rng.integers(256, size=(2, 7, 9, 3), dtype=np.uint8)
    assert_agrees(metrics.psnr(a, b, 255), peak_signal_noise_ratio(a, b, data_range=255))
    assert np.isposinf(metrics.psnr(a, a, 255))


def test_top_k_is_scikit_learns(rng):
    for k in (1, 2, 5, 6):
        y_true, scores = rng.integers(6, size=40), rng.normal(size=(40, 6))
        expected = top_k_accuracy_score(y_true, scores, k=k, labels=range(6)) if k < 6 else 1
        assert_agrees(metrics.top_k_accuracy(y_true, scores, k), expected)


def test_a_tie_is_in():
    assert metrics.top_k_accuracy([0, 1, 2], np.zeros((3, 3)), k=1) == 1


def test_confusion_matrix_is_scikit_learns(rng):
    y_true, y_pred = rng.integers(1, 4, size=(2, 50))
    expected = confusion_matrix(y_true, y_pred, labels=range(5))
    assert_agrees(metrics.confusion_matrix(y_true, y_pred, 5), expected)


BAD = [
    ("psnr", {"a": np.ones(3), "b": np.ones((3, 1))}, r"`b` has shape \(3, 1\), `a` has \(3,\)"),
    ("psnr", {"a": [], "b": []}, "`a` has shape"),
    ("psnr", {"a": [1], "b": [2], "max_val": 0}, "`max_val` is 0.0; expected a number above 0"),
    (
        "bleu",
        {"candidate": "a cat", "references": [SENTENCE]},
        "`candidate` is a str; expected a list of tokens",
    ),
    (
        "bleu",
        {"candidate": SENTENCE, "references": SENTENCE},
        r"`references\[0\]` is a str; expected a list of tokens",
    ),
    ("bleu", {"candidate": [0.5], "references": [SENTENCE]}, r"`candidate` has a float at \[0\]"),
    ("bleu", {"candidate": SENTENCE, "references": []}, "`references` is empty"),
    (
        "bleu",
        {"candidate": SENTENCE, "references": "a cat"},
        "`references` is a str; expected a list of token lists",
    ),
    (
        "bleu",
        {"candidate": SENTENCE, "references": [SENTENCE], "max_n": 0},
        "`max_n` is 0; expected at least 1",
    ),
    ("corpus_bleu", {"candidates": [], "references": []}, "`candidates` is empty"),
    (
        "corpus_bleu",
        {"candidates": [SENTENCE], "references": []},
        "`references` has length 0, `candidates` has 1",
    ),
    ("corpus_bleu", {"candidates": [SENTENCE], "references": [[]]}, r"`references\[0\]` is empty"),
    ("corpus_bleu", {"candidates": [SENTENCE], "references": 3}, "`references` is a int"),
    ("corpus_bleu", {"candidates": [SENTENCE], "references": [[SENTENCE]], "max_n": -1}, "`max_n` is -1"),
    (
        "top_k_accuracy",
        {"y_true": [0, 3], "scores": np.ones((2, 3))},
        r"`y_true` has 3 at \[1\]; expected classes from 0 to 2",
    ),
    ("top_k_accuracy", {"y_true": [-1], "scores": np.ones((1, 3))}, "`y_true` has -1"),
    ("top_k_accuracy", {"y_true": [0.5], "scores": np.ones((1, 3))}, "`y_true` has 0.5"),
    ("top_k_accuracy", {"y_true": [0], "scores": np.ones((2, 3))}, "`scores` has length 2"),
    ("top_k_accuracy", {"y_true": [0], "scores": np.ones(3)}, "`scores` has shape"),
    ("top_k_accuracy", {"y_true": [[0]], "scores": np.ones((1, 3))}, "`y_true` has shape"),
    ("top_k_accuracy", {"y_true": [0], "scores": np.ones((1, 3)), "k": 0}, "`k` is 0"),
    ("confusion_matrix", {"y_true": [0], "y_pred": [0, 1], "classes": 2}, "`y_pred` has length 2"),
    ("confusion_matrix", {"y_true": [0], "y_pred": [2], "classes": 2}, "`y_pred` has 2"),
    ("confusion_matrix", {"y_true": [[0]], "y_pred": [[0]], "classes": 2}, "`y_true` has shape"),
    ("confusion_matrix", {"y_true": [0], "y_pred": [0], "classes": 0}, "`classes` is 0"),
]


@pytest.mark.parametrize(("function", "arguments", "says"), BAD)
def test_bad_input_is_named(function, arguments, says):
    with pytest.raises(ValueError, match=says):
        getattr(metrics, function)(**arguments)
