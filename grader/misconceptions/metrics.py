"""Well-known wrong answers to the assignment `metrics`."""

from collections import Counter

import numpy as np

from grader.exercise import misconception


def ngrams(tokens, n):
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def clipped(candidate, references, n):
    """How many n-grams are right, and how many there are."""
    most: Counter = Counter()
    for reference in references:
        most |= ngrams(reference, n)
    counts = ngrams(candidate, n)
    return (counts & most).total(), counts.total()


def nearest(candidate, references):
    return min((len(r) for r in references), key=lambda length: (abs(length - len(candidate)), length))


def from_counts(pairs, length, wanted):
    """BLEU of (right, all) n-grams of each length, and of the two lengths."""
    if any(right == 0 for right, _ in pairs):
        return 0.0
    penalty = min(0.0, 1 - wanted / length)
    return float(np.exp(np.mean([np.log(right / total) for right, total in pairs]) + penalty))


def mse(a, b):
    if np.shape(a) != np.shape(b):
        raise ValueError("a and b differ in shape")
    return np.mean((np.asarray(a, float) - np.asarray(b, float)) ** 2)


def decibels(ratio):
    return np.inf if np.isinf(ratio) else 10 * np.log10(ratio)


@misconception(
    "psnr.psnr",
    "`a - b` was taken in the images' own integers, where 0 - 1 wraps around to 255: make them floating point first.",
)
def psnr_wraps(a, b, max_val=1.0):
    if np.shape(a) != np.shape(b):
        raise ValueError("a and b differ in shape")
    error = np.mean(((a - b) ** 2).astype(float))
    return decibels(max_val**2 / error if error else np.inf)


@misconception(
    "psnr.psnr", "The peak is not squared: the ratio is `max_val**2` over the mean *squared* error."
)
def psnr_peak_not_squared(a, b, max_val=1.0):
    error = mse(a, b)
    return decibels(max_val / error if error else np.inf)


@misconception(
    "psnr.psnr", "That is half: 10 times the logarithm of the squares, or 20 times that of the roots."
)
def psnr_ten_of_the_root(a, b, max_val=1.0):
    error = mse(a, b)
    return decibels(max_val / np.sqrt(error) if error else np.inf)


@misconception(
    "psnr.psnr", "That is double: the squared error has the 2 in it already, so it is 10 times the logarithm."
)
def psnr_twenty_of_the_square(a, b, max_val=1.0):
    error = mse(a, b)
    return 2 * decibels(max_val**2 / error if error else np.inf)


@misconception("psnr.psnr", "That is the natural logarithm: decibels take the one to base 10.")
def psnr_natural_logarithm(a, b, max_val=1.0):
    error = mse(a, b)
    return 10 * np.log(max_val**2 / error) if error else np.inf


@misconception(
    "psnr.psnr", "The peak is `max_val`, what a pixel can be, not the largest pixel of this image."
)
def psnr_peak_of_the_image(a, b, max_val=1.0):
    error = mse(a, b)
    return decibels(np.max(a) ** 2 / error if error else np.inf)


@misconception("psnr.psnr", "`max_val` is not used: for bytes the peak is 255.")
def psnr_peak_of_one(a, b, max_val=1.0):
    error = mse(a, b)
    return decibels(1 / error if error else np.inf)


@misconception(
    "psnr.psnr",
    "The error is not squared: its mean lets plus and minus cancel, or is that of the absolute values.",
)
def psnr_absolute_error(a, b, max_val=1.0):
    if np.shape(a) != np.shape(b):
        raise ValueError("a and b differ in shape")
    error = np.mean(np.abs(np.asarray(a, float) - np.asarray(b, float)))
    return decibels(max_val**2 / error if error else np.inf)


@misconception(
    "psnr.psnr", "A tiny number added to the error makes equal images finite: they are infinitely alike."
)
def psnr_with_an_epsilon(a, b, max_val=1.0):
    return decibels(max_val**2 / (mse(a, b) + 1e-10))


@misconception(
    "psnr.psnr", "Equal images give 0 here, which is the worst a picture can be: they are infinitely alike."
)
def psnr_zero_for_equal(a, b, max_val=1.0):
    error = mse(a, b)
    return decibels(max_val**2 / error) if error else 0.0


@misconception(
    "psnr.psnr",
    "With shapes `(n,)` and `(n, 1)` NumPy made an `(n, n)` table of all pairs: raise `ValueError` when the shapes differ.",
)
def psnr_of_all_pairs(a, b, max_val=1.0):
    error = np.mean((np.asarray(a, float) - np.asarray(b, float)) ** 2)
    return decibels(max_val**2 / error if error else np.inf)


@misconception(
    "bleu.bleu",
    "Every word that stands in a reference counts, however often it is said: clip each count at what one reference has.",
)
def bleu_unclipped(candidate, references, max_n=4):
    pairs = []
    for n in range(1, max_n + 1):
        counts = ngrams(candidate, n)
        known = set().union(*(ngrams(r, n) for r in references))
        pairs.append((sum(count for gram, count in counts.items() if gram in known), counts.total()))
    return from_counts(pairs, len(candidate), nearest(candidate, references))


@misconception(
    "bleu.bleu",
    "The counts of all references are added up before clipping: the one reference that has an n-gram most often decides.",
)
def bleu_clipped_by_the_sum(candidate, references, max_n=4):
    pairs = []
    for n in range(1, max_n + 1):
        counts = ngrams(candidate, n)
        pairs.append(((counts & sum((ngrams(r, n) for r in references), Counter())).total(), counts.total()))
    return from_counts(pairs, len(candidate), nearest(candidate, references))


@misconception("bleu.bleu", "Only the first reference counts: an n-gram is right when any of them has it.")
def bleu_of_the_first_reference(candidate, references, max_n=4):
    pairs = [clipped(candidate, references[:1], n) for n in range(1, max_n + 1)]
    return from_counts(pairs, len(candidate), nearest(candidate, references))


@misconception("bleu.bleu", "This is the best of the references taken one by one: they count together.")
def bleu_best_of_the_references(candidate, references, max_n=4):
    return max(
        from_counts([clipped(candidate, [r], n) for n in range(1, max_n + 1)], len(candidate), len(r))
        for r in references
    )


@misconception(
    "bleu.bleu",
    "There is no penalty for being short: three right words would be a perfect translation of a page.",
)
def bleu_without_penalty(candidate, references, max_n=4):
    return from_counts([clipped(candidate, references, n) for n in range(1, max_n + 1)], 1, 0)


@misconception(
    "bleu.bleu",
    "Longer candidates are rewarded: the factor is never above 1, so take it only where the candidate is shorter.",
)
def bleu_penalty_above_one(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    if any(right == 0 for right, _ in pairs):
        return 0.0
    penalty = 1 - nearest(candidate, references) / len(candidate)
    return float(np.exp(np.mean([np.log(right / total) for right, total in pairs]) + penalty))


@misconception("bleu.bleu", "The penalty is upside down: it is exp(1 - reference / candidate).")
def bleu_penalty_upside_down(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    return from_counts(pairs, nearest(candidate, references), len(candidate))


@misconception(
    "bleu.bleu",
    "The penalty compares with the shortest reference: it is the one nearest in length that counts.",
)
def bleu_shortest_reference(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    return from_counts(pairs, len(candidate), min(map(len, references)))


@misconception(
    "bleu.bleu",
    "The penalty compares with the longest reference: it is the one nearest in length that counts.",
)
def bleu_longest_reference(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    return from_counts(pairs, len(candidate), max(map(len, references)))


@misconception(
    "bleu.bleu",
    "The penalty compares with the mean length of the references: it is the one nearest in length that counts.",
)
def bleu_mean_reference(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    return from_counts(pairs, len(candidate), np.mean([len(r) for r in references]))


@misconception(
    "bleu.bleu",
    "Of two references equally near in length you took the longer one, or the first: the shorter one counts.",
)
def bleu_longer_of_two(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    wanted = min((len(r) for r in references), key=lambda length: (abs(length - len(candidate)), -length))
    return from_counts(pairs, len(candidate), wanted)


@misconception(
    "bleu.bleu",
    "Of two references equally near in length you took the longer one, or the first: the shorter one counts.",
)
def bleu_first_of_two(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    wanted = min((len(r) for r in references), key=lambda length: abs(length - len(candidate)))
    return from_counts(pairs, len(candidate), wanted)


@misconception(
    "bleu.bleu",
    "That is the ordinary mean of the precisions: BLEU takes the geometric one, exp of the mean logarithm.",
)
def bleu_arithmetic_mean(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    precision = np.mean([right / total if total else 0.0 for right, total in pairs])
    length, wanted = len(candidate), nearest(candidate, references)
    return float(
        precision * (np.exp(1 - wanted / length) if length and length < wanted else float(length > 0))
    )


@misconception(
    "bleu.bleu",
    "The precisions are multiplied, but the root is missing: their product to the power 1 / max_n.",
)
def bleu_product(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    return from_counts(
        [(np.prod([r / t if t else 0 for r, t in pairs]), 1)], len(candidate), nearest(candidate, references)
    )


@misconception("bleu.bleu", "Only n-grams of the length `max_n` count here: all lengths from 1 up do.")
def bleu_of_the_longest_only(candidate, references, max_n=4):
    return from_counts(
        [clipped(candidate, references, max_n)], len(candidate), nearest(candidate, references)
    )


@misconception("bleu.bleu", "The lengths run from 1 to max_n - 1: `range` stops before its end.")
def bleu_range_too_short(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n)] or [(1, 1)]
    return from_counts(pairs, len(candidate), nearest(candidate, references)) if candidate else 0.0


@misconception(
    "bleu.bleu",
    "That is recall: you divided by the n-grams of the reference. Precision divides by those of the candidate.",
)
def bleu_recall(candidate, references, max_n=4):
    pairs = []
    for n in range(1, max_n + 1):
        right, _ = clipped(candidate, references, n)
        pairs.append((right, max(1, nearest(candidate, references) - n + 1)))
    return from_counts(pairs, len(candidate), nearest(candidate, references))


@misconception(
    "bleu.bleu", "Each different n-gram counts once: it counts as often as it is said, up to the clip."
)
def bleu_of_sets(candidate, references, max_n=4):
    pairs = []
    for n in range(1, max_n + 1):
        own, known = set(ngrams(candidate, n)), set().union(*(ngrams(r, n) for r in references))
        pairs.append((len(own & known), len(own)))
    return from_counts(pairs, len(candidate), nearest(candidate, references))


@misconception(
    "bleu.bleu",
    "You smooth: one is added where nothing is right. Here a length of n-grams without a right one makes 0.",
)
def bleu_smoothed(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    if not candidate:
        return 0.0
    pairs = [(right or 1, total or 1) for right, total in pairs]
    return from_counts(pairs, len(candidate), nearest(candidate, references))


@misconception(
    "bleu.bleu", "Lengths without a right n-gram are left out of the mean: here they make the whole of it 0."
)
def bleu_leaves_zeros_out(candidate, references, max_n=4):
    pairs = [clipped(candidate, references, n) for n in range(1, max_n + 1)]
    pairs = [(right, total) for right, total in pairs if right]
    return from_counts(pairs, len(candidate), nearest(candidate, references)) if pairs else 0.0


@misconception(
    "corpus_bleu.corpus_bleu",
    "That is the mean of the sentences' BLEUs: add up n-grams and lengths first, divide once.",
)
def corpus_mean_of_sentences(candidates, references, max_n=4):
    return float(
        np.mean(
            [
                from_counts([clipped(c, r, n) for n in range(1, max_n + 1)], len(c), nearest(c, r))
                for c, r in zip(candidates, references, strict=True)
            ]
        )
    )


def added_up(candidates, references, max_n):
    return [
        tuple(np.sum([clipped(c, r, n) for c, r in zip(candidates, references, strict=True)], axis=0))
        for n in range(1, max_n + 1)
    ]


@misconception("corpus_bleu.corpus_bleu", "There is no penalty for being short.")
def corpus_without_penalty(candidates, references, max_n=4):
    return from_counts(added_up(candidates, references, max_n), 1, 0)


@misconception(
    "corpus_bleu.corpus_bleu",
    "The penalty is a sentence's here, and their mean is taken: add up the lengths of the text first.",
)
def corpus_penalty_by_sentence(candidates, references, max_n=4):
    whole = from_counts(added_up(candidates, references, max_n), 1, 0)
    penalties = [
        np.exp(min(0.0, 1 - nearest(c, r) / len(c))) if c else 0.0
        for c, r in zip(candidates, references, strict=True)
    ]
    return float(whole * np.mean(penalties))


@misconception(
    "corpus_bleu.corpus_bleu",
    "The precisions are those of the sentences, averaged: add up the n-grams of the text first, so that a long sentence weighs more.",
)
def corpus_mean_precisions(candidates, references, max_n=4):
    pairs = []
    for n in range(1, max_n + 1):
        counts = [clipped(c, r, n) for c, r in zip(candidates, references, strict=True)]
        pairs.append((np.mean([right / total if total else 0.0 for right, total in counts]), 1))
    wanted = sum(nearest(c, r) for c, r in zip(candidates, references, strict=True))
    return from_counts(pairs, sum(map(len, candidates)), wanted)


@misconception(
    "corpus_bleu.corpus_bleu",
    "Only the first reference of each sentence counts: an n-gram is right when any of them has it.",
)
def corpus_first_references(candidates, references, max_n=4):
    wanted = sum(nearest(c, r) for c, r in zip(candidates, references, strict=True))
    pairs = added_up(candidates, [r[:1] for r in references], max_n)
    return from_counts(pairs, sum(map(len, candidates)), wanted)


@misconception(
    "top_k_accuracy.top_k_accuracy", "`argsort` puts the smallest first: these are the k worst guesses."
)
def top_k_of_the_worst(y_true, scores, k=5):
    return np.mean(
        [label in row for label, row in zip(y_true, np.argsort(scores, axis=1)[:, :k], strict=True)]
    )


@misconception(
    "top_k_accuracy.top_k_accuracy", "That is the accuracy of the first guess: k of them are allowed."
)
def top_k_first_only(y_true, scores, k=5):
    return np.mean(np.argmax(scores, axis=1) == y_true)


@misconception(
    "top_k_accuracy.top_k_accuracy", "Only the guess on place k counts here: any of the first k will do."
)
def top_k_place_k_only(y_true, scores, k=5):
    return np.mean(np.argsort(-scores, axis=1)[:, k - 1] == y_true)


@misconception(
    "top_k_accuracy.top_k_accuracy",
    "One guess too many or too few: the first k are `[:, :k]`, the last k `[:, -k:]`.",
)
def top_k_one_more(y_true, scores, k=5):
    return np.mean(np.any(np.argsort(-scores, axis=1)[:, : k + 1] == y_true[:, np.newaxis], axis=1))


@misconception("top_k_accuracy.top_k_accuracy", "That is a count: divide by the number of examples.")
def top_k_count(y_true, scores, k=5):
    return float(np.sum(np.any(np.argsort(-scores, axis=1)[:, :k] == y_true[:, np.newaxis], axis=1)))


@misconception(
    "top_k_accuracy.top_k_accuracy", "You divided by all n times k guesses: it is a share of the examples."
)
def top_k_share_of_guesses(y_true, scores, k=5):
    return np.mean(np.argsort(-scores, axis=1)[:, :k] == y_true[:, np.newaxis])


@misconception(
    "confusion_matrix.confusion_matrix",
    "Rows and columns are swapped: a row is a true class, a column what it was taken for.",
)
def confusion_transposed(y_true, y_pred, classes):
    matrix = np.zeros((classes, classes), int)
    np.add.at(matrix, (y_pred, y_true), 1)
    return matrix


@misconception(
    "confusion_matrix.confusion_matrix",
    "`matrix[y_true, y_pred] += 1` counts a pair once, however often it comes: take `np.add.at`.",
)
def confusion_counts_once(y_true, y_pred, classes):
    matrix = np.zeros((classes, classes), int)
    matrix[y_true, y_pred] += 1
    return matrix


@misconception("confusion_matrix.confusion_matrix", "These are shares of each row: counts are asked for.")
def confusion_shares(y_true, y_pred, classes):
    matrix = np.zeros((classes, classes))
    np.add.at(matrix, (y_true, y_pred), 1)
    return matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)


@misconception(
    "confusion_matrix.confusion_matrix",
    "The table is as large as the labels that came: it has a row for each of `classes`.",
)
def confusion_of_labels_seen(y_true, y_pred, classes):
    seen = np.union1d(y_true, y_pred)
    return np.array([[np.sum((y_true == i) & (y_pred == j)) for j in seen] for i in seen])


@misconception(
    "confusion_matrix.confusion_matrix",
    "Only the right ones are counted: what was taken for something else belongs beside the diagonal.",
)
def confusion_diagonal(y_true, y_pred, classes):
    return np.diag(np.bincount(np.asarray(y_true)[np.asarray(y_true) == y_pred], minlength=classes))
