"""Checks of the assignment `metrics`."""

import numpy as np
import pytest

from grader.exercise import (
    assert_close,
    assert_refuses,
    assert_silent,
    assert_unchanged,
    core,
    exercise,
    hidden,
)

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
WORDS = ["the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", "house"]


def translation(rng, wanted, wrong=0.3):
    """A sentence with some words replaced, and now and then one left out or said twice."""
    said = []
    for word in wanted:
        chance = rng.uniform()
        said += [str(rng.choice(WORDS))] if chance < wrong else [word] * (1 + (chance > 0.95))
    return said


def sentence(rng, length):
    return [str(word) for word in rng.choice(WORDS, size=length)]


def several(rng, count, references=2):
    """Candidates, each with its references."""
    wanted = [[sentence(rng, int(rng.integers(6, 14))) for _ in range(references)] for _ in range(count)]
    return [translation(rng, each[0]) for each in wanted], wanted


def ranked(rng, classes):
    """Scores without ties, and true classes: one is the best guess, two are the second best, and so on."""
    places = rng.permutation(np.repeat(np.arange(classes), np.arange(classes) + 1))
    scores = np.array([rng.permutation(classes) for _ in places]) + rng.uniform(
        0, 0.5, (len(places), classes)
    )
    return np.argsort(-scores, axis=1)[np.arange(len(places)), places], scores


@exercise("psnr", functions=["psnr"], points=2)
class TestPsnr:
    """The peak signal-to-noise ratio."""

    hints = {
        "psnr": [
            "What is the mean squared error of two equal images, and what should a ratio over it be then?",
            "Compute in floating point: 0 - 255 in bytes is 1. What does a decibel stand for, 10 or 20 times which logarithm?",
            "`10 * np.log10(max_val**2 / mse)`, and `np.inf` where `mse` is 0; first `np.asarray(a, dtype=float)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random images."""
        a, b = rng.uniform(size=(2, 6, 5, 3))
        assert_close(assert_unchanged(student.psnr, a, b), reference.psnr(a, b))

    def test_peak(self, student, reference, rng):
        """`max_val` is the largest value a pixel can have, not the largest there is."""
        for max_val in (255.0, 2.0, 4095.0):
            a, b = rng.uniform(0, 0.9 * max_val, size=(2, 4, 5))
            assert_close(student.psnr(a, b, max_val=max_val), reference.psnr(a, b, max_val=max_val))

    def test_one_number(self, student, reference, rng):
        """One number comes out, for a row of pixels as for a batch of images."""
        for shape in [(7,), (3, 4, 5, 2)]:
            a, b = rng.uniform(size=(2, *shape))
            assert_close(student.psnr(a, b), reference.psnr(a, b))

    def test_equal_images(self, student, reference, rng):
        """Equal images have an infinite ratio, and NumPy has no reason to complain; nearly equal ones do not."""
        a = rng.uniform(size=(4, 4))
        near = student.psnr(a, a + 1e-6)
        assert_close(near, reference.psnr(a, a + 1e-6), rtol=1e-6)
        value = student.psnr(a, a)
        assert np.ndim(value) == 0 and np.isposinf(value), f"got {value}, expected inf"

    def test_bytes(self, student, reference, rng):
        """Images of bytes do not wrap around."""
        a, b = rng.integers(0, 256, size=(2, 5, 4, 3), dtype=np.uint8)
        expected = reference.psnr(a, b, max_val=255)
        assert_close(student.psnr(a, b, max_val=255), expected)
        assert_close(student.psnr(b, a, max_val=255), expected)

    @hidden
    def test_small_integers(self, student, reference, rng):
        """Images of other integers do not wrap either."""
        a, b = rng.integers(-120, 120, size=(2, 6, 6)).astype(np.int8)
        assert_close(student.psnr(a, b, 255), reference.psnr(a, b, 255))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        a, b = rng.uniform(size=(2, 5, 5)).astype(np.float32)
        assert_close(student.psnr(a, b), reference.psnr(a, b), **SINGLE)

    def test_two_shapes(self, student, reference, rng):
        """Takes two tables of one shape, and refuses `(4,)` with `(4, 1)`, which NumPy would make all pairs of."""
        a, b = rng.uniform(size=(2, 3, 4))
        assert_close(student.psnr(a, b), reference.psnr(a, b))
        assert_refuses(student.psnr, a[0], b[0][:, np.newaxis])
        assert_refuses(student.psnr, a[0][:, np.newaxis], b[0])


@exercise("bleu", functions=["bleu"], points=5)
class TestBleu:
    """The BLEU of one sentence."""

    hints = {
        "bleu": [
            '"the the the" has three right words out of three, if nobody counts. How often may a word of the reference be used up?',
            "For each n: count the candidate's n-grams, let each count at most as often as it stands in the one reference that has it most. "
            "The geometric mean of the shares is exp of the mean of their logarithms.",
            "The penalty is `exp(1 - r / c)` when the candidate's length c is below r, else 1; r is the reference length nearest to c, "
            "`min(references, key=lambda r: (abs(len(r) - c), len(r)))`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on random translations."""
        for candidate, references in zip(*several(rng, 4), strict=True):
            assert_close(
                assert_unchanged(student.bleu, candidate, references), reference.bleu(candidate, references)
            )

    def test_one_reference(self, student, reference, rng):
        """Takes one reference, and 1 is what a perfect translation gets."""
        wanted = sentence(rng, 9)
        candidate = translation(rng, wanted, wrong=0.15)
        assert_close(student.bleu(candidate, [wanted]), reference.bleu(candidate, [wanted]))
        assert_close(student.bleu(wanted, [wanted]), 1.0)

    @pytest.mark.parametrize("max_n", [1, 2, 3])
    def test_other_lengths(self, student, reference, rng, max_n):
        """`max_n` is the longest n-gram that counts."""
        (candidate,), (references,) = several(rng, 1)
        assert_close(
            student.bleu(candidate, references, max_n=max_n),
            reference.bleu(candidate, references, max_n=max_n),
        )

    def test_clipping(self, student, reference):
        """A word counts no more often than it stands in a reference: "the the the ..." earns little."""
        candidate = ["the"] * 7
        references = [
            ["the", "cat", "is", "on", "the", "mat", "now"],
            ["a", "cat", "on", "the", "mat", "is", "here"],
        ]
        assert_close(
            student.bleu(candidate, references, max_n=1), reference.bleu(candidate, references, max_n=1)
        )

    def test_clipped_by_one_reference(self, student, reference):
        """Counts of two references are not added up: the one that has an n-gram most often decides."""
        candidate = ["so", "so", "so", "we", "go"]
        references = [["so", "so", "we", "went"], ["so", "we", "go", "on", "now"]]
        for max_n in (1, 2):
            assert_close(
                student.bleu(candidate, references, max_n=max_n),
                reference.bleu(candidate, references, max_n=max_n),
            )

    def test_short(self, student, reference, rng):
        """A candidate that is shorter than its reference pays for it."""
        wanted = sentence(rng, 12)
        for length in (11, 8, 5):
            assert_close(student.bleu(wanted[:length], [wanted]), reference.bleu(wanted[:length], [wanted]))

    def test_long(self, student, reference, rng):
        """A candidate that is longer than its reference pays by its precision alone."""
        wanted = sentence(rng, 8)
        candidate = [*wanted, *sentence(rng, 4)]
        assert_close(student.bleu(candidate, [wanted]), reference.bleu(candidate, [wanted]))

    def test_nearest_length(self, student, reference):
        """The reference length that is nearest counts, the shorter one of two equally near."""
        words = ["we", "saw", "the", "old", "house", "by", "the", "sea", "and", "went", "in"]
        for lengths in ((9, 11), (3, 9), (11, 5), (7, 9), (9, 7), (6, 10), (10, 6), (11, 8)):
            references = [words[:length] for length in lengths]
            assert_close(student.bleu(words[:8], references), reference.bleu(words[:8], references))

    def test_nothing_right(self, student, reference, rng):
        """Is 0 where no n-gram of some length is right, and there is no warning of a logarithm of 0."""
        wanted = ["one", "two", "three", "four", "five", "six"]
        near = ["one", "two", "three", "four", "six"]
        assert_close(assert_silent(student.bleu, near, [wanted]), reference.bleu(near, [wanted]))
        for candidate in (wanted[::-1], ["one", "two", "three", "seven", "five", "six"], ["seven"] * 5):
            assert_close(assert_silent(student.bleu, candidate, [wanted]), 0.0)

    def test_too_short_for_an_n_gram(self, student, reference):
        """Is 0 for a candidate with fewer than `max_n` tokens, also an empty one, though all of it be right."""
        wanted = ["a", "cat", "sat", "down"]
        assert_close(student.bleu(wanted, [wanted]), reference.bleu(wanted, [wanted]))
        for length in (3, 1, 0):
            assert_close(student.bleu(wanted[:length], [wanted]), 0.0)

    @hidden
    def test_numbers_for_tokens(self, student, reference, rng):
        """Tokens may be numbers."""
        wanted = rng.integers(6, size=(3, 10)).tolist()
        candidate = [*wanted[0][:6], *wanted[1][2:6]]
        assert_close(student.bleu(candidate, wanted), reference.bleu(candidate, wanted))


@exercise("corpus_bleu", functions=["corpus_bleu"], points=3)
class TestCorpusBleu:
    """The BLEU of a text."""

    hints = {
        "corpus_bleu": [
            "One short sentence without a right 4-gram: should it bring a whole book to 0?",
            "Add up the right n-grams, all n-grams, the lengths and the nearest reference lengths over the sentences; divide once, at the end.",
            "`matches[n] += ...; totals[n] += ...` over the sentences, then the same formula as in `bleu` with these sums.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on a random text."""
        for count in (2, 5):
            candidates, references = several(rng, count)
            expected = reference.corpus_bleu(candidates, references)
            assert_close(assert_unchanged(student.corpus_bleu, candidates, references), expected)

    def test_one_sentence(self, student, reference, rng):
        """A text of one sentence has the BLEU of the sentence."""
        candidates, references = several(rng, 1, references=3)
        assert_close(
            student.corpus_bleu(candidates, references), reference.corpus_bleu(candidates, references)
        )

    def test_a_bad_sentence(self, student, reference, rng):
        """A sentence with nothing right, or an empty one, lowers the text's BLEU and does not make it 0."""
        candidates, references = several(rng, 3)
        candidates[0] = references[0][0]
        for bad in (["no", "such", "words", "here", "at", "all"], []):
            candidates[1] = bad
            assert_close(
                student.corpus_bleu(candidates, references), reference.corpus_bleu(candidates, references)
            )

    def test_lengths_are_added_up(self, student, reference, rng):
        """A long sentence makes up for a short one: the penalty is the text's, not a sentence's."""
        wanted = [sentence(rng, 10), sentence(rng, 10)]
        for cut in (7, 3):
            candidates = [wanted[0][:cut], [*wanted[1], "and", "so", "on"]]
            references = [[each] for each in wanted]
            assert_close(
                student.corpus_bleu(candidates, references), reference.corpus_bleu(candidates, references)
            )

    def test_sentences_of_different_length(self, student, reference, rng):
        """A long sentence weighs more than a short one, and each may have its own number of references."""
        long, short = sentence(rng, 24), sentence(rng, 6)
        candidates = [translation(rng, long, wrong=0.4), short]
        references = [[long], [short, sentence(rng, 5)]]
        for max_n in (1, 2):
            expected = reference.corpus_bleu(candidates, references, max_n=max_n)
            assert_close(student.corpus_bleu(candidates, references, max_n=max_n), expected)

    def test_nothing_right(self, student, reference, rng):
        """Is 0 where no sentence has an n-gram of some length right."""
        candidates, references = several(rng, 2)
        candidates[0] = references[0][0]
        assert_close(
            student.corpus_bleu(candidates, references), reference.corpus_bleu(candidates, references)
        )
        assert_close(assert_silent(student.corpus_bleu, [["x"] * 5, ["y"] * 6], references), 0.0)


@exercise("top_k_accuracy", functions=["top_k_accuracy"], points=2)
class TestTopKAccuracy:
    """The share of examples whose class is among the best guesses."""

    hints = {
        "top_k_accuracy": [
            "On which place of its row does the true class stand, when the best score comes first?",
            "`np.argsort(-scores, axis=1)[:, :k]` are the k best guesses of each row. Is the label among them?",
            "`np.mean(np.any(best == y_true[:, np.newaxis], axis=1))`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference on random scores, five guesses allowed."""
        y_true, scores = ranked(rng, 8)
        assert_close(
            assert_unchanged(student.top_k_accuracy, y_true, scores), reference.top_k_accuracy(y_true, scores)
        )

    @pytest.mark.parametrize("k", [1, 2, 3, 6])
    def test_other_k(self, student, reference, rng, k):
        """`k` guesses are allowed; one is plain accuracy."""
        y_true, scores = ranked(rng, 7)
        assert_close(
            student.top_k_accuracy(y_true, scores, k=k), reference.top_k_accuracy(y_true, scores, k=k)
        )

    def test_logits(self, student, reference, rng):
        """Scores need be no probabilities: negative ones rank as well."""
        y_true, scores = ranked(rng, 6)
        for shifted in (scores - 100, -1 / (1 + scores)):
            assert_close(
                student.top_k_accuracy(y_true, shifted, k=2), reference.top_k_accuracy(y_true, shifted, k=2)
            )

    @hidden
    def test_close_scores(self, student, reference, rng):
        """Scores that differ by little are told apart."""
        y_true, scores = ranked(rng, 5)
        close = 1 + 1e-12 * np.round(scores, 1)
        assert_close(student.top_k_accuracy(y_true, close, k=2), reference.top_k_accuracy(y_true, close, k=2))


@exercise("confusion_matrix", functions=["confusion_matrix"], points=2)
class TestConfusionMatrix:
    """Which class is taken for which."""

    hints = {
        "confusion_matrix": [
            "One pair (true 2, taken for 5): which cell of the table grows by one?",
            "`matrix[y_true, y_pred] += 1` counts a pair that comes twice only once. What does `np.add.at` do?",
            "`np.add.at(matrix, (y_true, y_pred), 1)` on a table of zeros, `(classes, classes)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with the reference; rows are true, columns predicted."""
        y_true, y_pred = rng.integers(4, size=(2, 30))
        y_pred[:10] = 3
        assert_close(
            assert_unchanged(student.confusion_matrix, y_true, y_pred, 4),
            reference.confusion_matrix(y_true, y_pred, 4),
        )

    def test_a_pair_that_comes_often(self, student, reference):
        """The same pair three times counts three."""
        y_true, y_pred = np.array([0, 1, 1, 1, 2, 0]), np.array([0, 2, 2, 2, 2, 1])
        assert_close(
            student.confusion_matrix(y_true, y_pred, 3), reference.confusion_matrix(y_true, y_pred, 3)
        )

    def test_a_class_that_does_not_come(self, student, reference, rng):
        """Has a row and a column for each of `classes`, whether they occur or not."""
        y_true, y_pred = rng.integers(1, 3, size=(2, 12))
        for classes in (3, 5):
            expected = reference.confusion_matrix(y_true, y_pred, classes)
            assert_close(student.confusion_matrix(y_true, y_pred, classes), expected)

    @hidden
    def test_small_integers(self, student, reference, rng):
        """Labels of bytes and of many classes are counted all the same."""
        y_true, y_pred = rng.integers(20, size=(2, 400)).astype(np.uint8)
        assert_close(
            student.confusion_matrix(y_true, y_pred, 20), reference.confusion_matrix(y_true, y_pred, 20)
        )
