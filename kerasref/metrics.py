"""References of the assignment `metrics`. Tokens are strings or whole numbers."""

from typing import Annotated, Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kerasref.backend import keras
from kerasref.core import reference
from kerasref.validation import Integers, alike, at_least_1, labels_below, positive, rank, same_length

ops = keras.ops


def _sentence(name: str, value: Any) -> list[str | int]:
    """A list of tokens."""
    if not isinstance(value, list | tuple):
        raise ValueError(f"`{name}` is a {type(value).__name__}; expected a list of tokens: split the text.")
    for place, token in enumerate(value):
        if not isinstance(token, str | int | np.integer):
            raise ValueError(
                f"`{name}` has a {type(token).__name__} at [{place}]; expected strings or whole numbers: give tokens."
            )
    return list(value)


def _sentences(name: str, value: Any) -> list[list[str | int]]:
    """A list of token lists."""
    if not isinstance(value, list | tuple):
        raise ValueError(
            f"`{name}` is a {type(value).__name__}; expected a list of token lists: put them in one."
        )
    return [_sentence(f"{name}[{place}]", each) for place, each in enumerate(value)]


def _reference_lists(name: str, value: Any) -> list[list[list[str | int]]]:
    """A list of lists of token lists."""
    if not isinstance(value, list | tuple):
        raise ValueError(
            f"`{name}` is a {type(value).__name__}; expected a list of references for each candidate: nest them."
        )
    return [_sentences(f"{name}[{place}]", each) for place, each in enumerate(value)]


Sentence = Annotated[list[str | int], _sentence]
Sentences = Annotated[list[list[str | int]], _sentences]
ReferenceLists = Annotated[list[list[list[str | int]]], _reference_lists]


@reference
def psnr(a, b, max_val: float = 1.0):
    """Peak signal-to-noise ratio, `10 log10(max_val**2 / mean((a - b)**2))`.

    Args:
        a: image, an array of any shape, not empty.
        b: image of `a`'s shape.
        max_val: the largest value that a pixel can have, above 0.

    Returns:
        One number in dB; inf where the images are equal.

    Source: `keras.ops.psnr`.
    """
    alike(a=a, b=b)
    positive(max_val=max_val)
    return ops.psnr(a, b, np.float64(max_val))


@reference
def bleu(candidate: Sentence, references: Sentences, max_n: int = 4):
    """How much of a translation stands in its references: clipped n-gram precisions, and a penalty for being short.

    Args:
        candidate: tokens of the translation.
        references: token lists, at least one.
        max_n: the longest n-grams, at least 1.

    Returns:
        One number in 0..1; 0 where no n-gram of some length is right, or there are none.

    Source: Papineni et al. 2002, section 2, over integer arrays.
    """
    return _bleu([candidate], [references], max_n, "references")


@reference
def corpus_bleu(candidates: Sentences, references: ReferenceLists, max_n: int = 4):
    """BLEU of a whole text: n-grams and lengths are added up over its sentences before anything is divided.

    Args:
        candidates: a token list a sentence, at least one.
        references: a list of token lists a sentence, at least one each.
        max_n: the longest n-grams, at least 1.

    Returns:
        One number in 0..1.

    Source: Papineni et al. 2002, section 2, over integer arrays.
    """
    same_length(candidates=candidates, references=references)
    return _bleu(candidates, references, max_n, "references[{}]")


@reference
def top_k_accuracy(y_true: Integers, scores, k: int = 5):
    """Share of the examples whose true class is among the `k` that score highest; a tie counts as in.

    Args:
        y_true: (n,) classes, not empty.
        scores: (n, classes) array.
        k: at least 1.

    Returns:
        One number in 0..1.

    Source: the definition of `keras.ops.in_top_k`, which computes in float32 only.
    """
    rank(1, "(n,)", y_true=y_true)
    rank(2, "(n, classes)", scores=scores)
    same_length(y_true=y_true, scores=scores)
    labels_below(scores.shape[1], y_true=y_true)
    at_least_1(k=k)
    own = ops.take_along_axis(scores, y_true[:, np.newaxis], axis=1)
    better = ops.sum(ops.cast(scores > own, "float64"), axis=1)
    return ops.mean(ops.cast(better < k, "float64"))


@reference
def confusion_matrix(y_true: Integers, y_pred: Integers, classes: int):
    """How often which class was taken for which.

    Args:
        y_true: (n,) classes.
        y_pred: (n,) classes.
        classes: how many there are, at least 1.

    Returns:
        (classes, classes) array of counts; rows are the true classes.

    Source: product of `keras.ops.one_hot` tables.
    """
    for name, given in (("y_true", y_true), ("y_pred", y_pred)):
        if given.ndim != 1:
            raise ValueError(f"`{name}` has shape {given.shape}; expected (n,): flatten it.")
    same_length(y_true=y_true, y_pred=y_pred)
    at_least_1(classes=classes)
    labels_below(classes, y_true=y_true, y_pred=y_pred)
    one_hot = [ops.one_hot(each, classes, dtype="float64") for each in (y_true, y_pred)]
    return ops.matmul(ops.transpose(one_hot[0]), one_hot[1])


def _bleu(
    candidates: list[list[str | int]], references: list[list[list[str | int]]], max_n: int, name: str
) -> float:
    at_least_1(max_n=max_n)
    if not candidates:
        raise ValueError("`candidates` is empty; expected at least one sentence: give some.")
    for place, each in enumerate(references):
        if not each:
            raise ValueError(f"`{name.format(place)}` is empty; expected at least one reference: give one.")
    logs = []
    for n in range(1, max_n + 1):
        counts = [_clipped(c, r, n) for c, r in zip(candidates, references, strict=True)]
        matches, total = np.sum(counts, axis=0)
        if matches == 0:
            return 0.0
        logs.append(np.log(matches / total))
    length = sum(map(len, candidates))
    wanted = sum(
        min((abs(len(r) - len(c)), len(r)) for r in refs)[1]
        for c, refs in zip(candidates, references, strict=True)
    )
    return float(np.exp(np.mean(logs) + min(0.0, 1 - wanted / length)))


def _clipped(candidate: list[str | int], references: list[list[str | int]], n: int) -> tuple[int, int]:
    """How many n-grams of the candidate are right, and how many it has.

    Each n-gram is a row of numbers, so that equal ones are found by sorting.
    """
    numbers: dict[Any, int] = {}
    coded = [
        np.array([numbers.setdefault(token, len(numbers)) for token in each], int)
        for each in (candidate, *references)
    ]
    windows = [sliding_window_view(each, n) if len(each) >= n else np.empty((0, n), int) for each in coded]
    _, which = np.unique(np.concatenate(windows), axis=0, return_inverse=True)
    parts = np.split(np.ravel(which), np.cumsum([len(each) for each in windows])[:-1])
    counts = np.array([np.bincount(part, minlength=which.size) for part in parts])
    return int(np.minimum(counts[0], counts[1:].max(axis=0)).sum()), len(windows[0])
