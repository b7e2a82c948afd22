# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Metrics
#
# A loss is what a network feels. A **metric** is what you look at: it need not have a gradient, it has to mean
# something. How far is this picture from that one? Is this translation any good? Was the right class at least among
# the first five guesses, and what was it taken for when it was not?
#
# You will write four answers to such questions: PSNR for pictures, BLEU for translations, top-k accuracy and the
# confusion matrix for classes. Each is a few lines, and each has a corner that published code got wrong. At the end
# your functions measure real things: what JPEG does to a photograph, what word-by-word translation does to a sentence.
#
# Nothing may change its arguments. The lesson derives every formula used here; have it open beside this notebook.

# %%
from collections import Counter

import numpy as np

from course import data, plots

# %% [markdown]
# ## Guards to use
#
# Each raises `ValueError` when something cannot be right. Call them first thing in a function.


# %%
def require_same_shape(**arrays):
    """Raise `ValueError` unless all arrays have the shape of the first."""
    (first, one), *others = arrays.items()
    for name, other in others:
        if np.shape(other) != np.shape(one):
            raise ValueError(
                f"{name} has shape {np.shape(other)}, expected {np.shape(one)}, the shape of {first}"
            )


def require_at_least_1(**numbers):
    """Raise `ValueError` unless every number is 1 or more; lists and arrays count by their length."""
    for name, number in numbers.items():
        if (len(number) if np.iterable(number) else number) < 1:
            raise ValueError(f"{name} is {number}, expected at least 1")


def require_classes(classes, **labels):
    """Raise `ValueError` unless the labels are one axis of numbers from 0 to `classes - 1`, equally many each."""
    (first, one), *_ = labels.items()
    for name, given in labels.items():
        if np.ndim(given) != 1 or len(given) != len(one):
            raise ValueError(
                f"{name} has shape {np.shape(given)}, {first} has {np.shape(one)}: expected one label each"
            )
        if len(given) and (np.min(given) < 0 or np.max(given) >= classes):
            raise ValueError(
                f"{name} runs from {np.min(given)} to {np.max(given)}, expected 0 to {classes - 1}"
            )


# %% [markdown]
# ## 1 PSNR: how far is a picture from its original?
#
# Compress a picture, clean it of noise, enlarge it: how much did it suffer? The mean squared error says it, in units
# nobody has a feeling for. The **peak signal-to-noise ratio** compares it with the largest value a pixel can have, the
# peak, on a logarithmic scale, because that is how eyes and ears judge:
#
# $$\mathrm{PSNR}(a, b) = 10 \log_{10} \frac{M^2}{\mathrm{MSE}(a, b)} \;\text{dB}, \qquad
# \mathrm{MSE}(a, b) = \frac1n \sum_i (a_i - b_i)^2$$
#
# where $M$ is `max_val`: 1 for pictures in 0 to 1, 255 for bytes. Ten decibels more are a tenth of the squared error. 20 dB is
# a bad picture, 40 dB a good one, and two equal pictures have infinitely many.
#
# The corner: pictures come as bytes, `uint8`, and in bytes 0 - 1 is 255.
#
# *To think about:* shift a sharp photograph by one pixel. Does your eye mind? Does PSNR?


# %% exercise="psnr"
def psnr(a, b, max_val=1.0):
    """Peak signal-to-noise ratio of two images.

    Args:
        a: array of any shape, floating point or integers.
        b: array of the same shape.
        max_val: the largest value that a pixel can have.

    Returns:
        One number in dB; `np.inf` when the images are equal.

    Raises:
        ValueError: when the shapes differ.
    """
    ### BEGIN SOLUTION
    require_same_shape(a=a, b=b)
    require_at_least_1(a=np.ravel(a))
    if not max_val > 0:
        raise ValueError(f"max_val is {max_val}, expected a number above 0")
    error = np.mean((np.asarray(a, dtype=float) - np.asarray(b, dtype=float)) ** 2)
    return 10 * np.log10(max_val**2 / error) if error else np.inf
    ### END SOLUTION


# %% check="psnr"
check("psnr")

# %% [markdown]
# Look at what it sees and what it does not. All three pictures on the right are about equally far from the first by PSNR.

# %% show
cat = data.picture("chelsea", 128)
noise = np.random.default_rng(0).normal(scale=0.05, size=cat.shape)
spoiled = {
    "noise": np.clip(cat + noise, 0, 1),
    "darker": np.clip(cat - 0.05, 0, 1),
    "shifted by a pixel": np.roll(cat, 1, axis=1),
}
titles = ["original", *(f"{name}: {psnr(cat, picture):.1f} dB" for name, picture in spoiled.items())]
plots.pictures([cat, *spoiled.values()], titles)

# %% [markdown]
# ## 2 BLEU: how good is a translation?
#
# There are many good translations of a sentence, so hold a candidate against several references made by people. The
# idea of **BLEU**: good translations share words, and runs of words, with the references. A run of $n$ tokens is an
# **n-gram**. These count the n-grams of a sentence:


# %%
def ngrams(tokens, n):
    """The n-grams of a list of tokens, with how often each occurs: a `Counter` of tuples."""
    return Counter(tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1))


# %% [markdown]
# **Clipped precision.** What share of the candidate's n-grams stands in a reference? Naively, "the the the" is a perfect
# translation of any English sentence: all its words are right. So a count is *clipped*: an n-gram that comes
# $c$ times in the candidate counts at most as often as it comes in the one reference that has it most often,
#
# $$p_n = \frac{\sum_g \min\bigl(c_g,\; \max_r c_g^{(r)}\bigr)}{\sum_g c_g},$$
#
# the sums over the different n-grams $g$ of the candidate, the maximum over its references $r$.
#
# **Brevity penalty.** Precision cannot see what was left out: a single right word has precision 1. So candidates shorter
# than the reference pay,
#
# $$\mathrm{BP} = \begin{cases} 1 & c \ge r \\ e^{1 - r/c} & c < r\end{cases}$$
#
# with $c$ the length of the candidate and $r$ that of the reference **nearest in length**, the shorter one when two are
# equally near.
#
# **Together**, with the geometric mean of the precisions up to $N$ = `max_n`:
#
# $$\mathrm{BLEU} = \mathrm{BP} \cdot \Bigl(\prod_{n=1}^{N} p_n\Bigr)^{1/N} = \mathrm{BP} \cdot \exp\Bigl(\frac1N \sum_{n=1}^N \log p_n\Bigr)$$
#
# A factor of 0 makes a product 0: where some $p_n$ is 0, or the candidate is too short to have an n-gram, BLEU is 0. (Some
# libraries *smooth* this away, each in its own way. Here nothing is smoothed.)
#
# `Counter` knows what you need: `a & b` keeps the smaller count of each, `a | b` the larger, `a.total()` adds up.
#
# *To think about:* why the largest count of one reference, and not the sum over all of them?


# %% exercise="bleu"
def bleu(candidate, references, max_n=4):
    """BLEU of one sentence, without smoothing.

    Args:
        candidate: list of tokens, the translation.
        references: list of token lists, at least one.
        max_n: the longest n-grams that count.

    Returns:
        One number from 0 to 1.
    """
    ### BEGIN SOLUTION
    require_at_least_1(references=references, max_n=max_n)
    log_precisions = []
    for n in range(1, max_n + 1):
        counts, most = ngrams(candidate, n), Counter()
        for reference in references:
            most |= ngrams(reference, n)
        matches = (counts & most).total()
        if matches == 0:
            return 0.0
        log_precisions.append(np.log(matches / counts.total()))
    c = len(candidate)
    r = min((len(reference) for reference in references), key=lambda length: (abs(length - c), length))
    return float(np.exp(min(0, 1 - r / c) + np.mean(log_precisions)))
    ### END SOLUTION


# %% check="bleu"
check("bleu")

# %% [markdown]
# The candidates of the paper that invented it, and two of ours. Which words does each pay for?

# %% show
wanted = [
    "it is a guide to action that ensures that the military will forever heed party commands",
    "it is the guiding principle which guarantees the military forces always being under the command of the party",
    "it is the practical guide for the army always to heed the directions of the party",
]
said = {
    "good": "it is a guide to action which ensures that the military always obeys the commands of the party",
    "poor": "it is to insure the troops forever hearing the activity guidebook that party direct",
    "shuffled": "party the of commands the obeys always military the that ensures which action to guide a is it",
    "short": "it is a guide to action",
}
scores = {
    f"up to {n}-grams": [
        bleu(sentence.split(), [one.split() for one in wanted], n) for sentence in said.values()
    ]
    for n in (1, 2, 3, 4)
}
plots.bars(scores, labels=list(said), title="one sentence, four candidates", ylabel="BLEU")

# %% [markdown]
# Shuffled words have perfect 1-grams and nothing else: longer n-grams are what sees the order.
#
# ## 3 BLEU of a text
#
# A single sentence often has no right 4-gram at all, and its BLEU is 0. So BLEU was made for whole texts, the *corpus*: add
# up the clipped matches, the n-grams, the lengths and the nearest reference lengths **over all sentences**, and put these
# sums into the same formula. It is not the mean of the sentences' BLEUs, and often far from it.
#
# *To think about:* an empty sentence in a text of a hundred. What does it cost?


# %% exercise="corpus_bleu"
def corpus_bleu(candidates, references, max_n=4):
    """BLEU of a text, without smoothing.

    Args:
        candidates: list of token lists, a sentence each.
        references: for each candidate a list of token lists, at least one.
        max_n: the longest n-grams that count.

    Returns:
        One number from 0 to 1.
    """
    ### BEGIN SOLUTION
    require_at_least_1(
        candidates=candidates, max_n=max_n, **{f"references[{i}]": r for i, r in enumerate(references)}
    )
    if len(candidates) != len(references):
        raise ValueError(
            f"references has {len(references)} entries, candidates {len(candidates)}: expected equally many"
        )
    matches, totals = np.zeros(max_n), np.zeros(max_n)
    c = r = 0
    for candidate, several in zip(candidates, references, strict=True):
        for n in range(1, max_n + 1):
            counts, most = ngrams(candidate, n), Counter()
            for reference in several:
                most |= ngrams(reference, n)
            matches[n - 1] += (counts & most).total()
            totals[n - 1] += counts.total()
        c += len(candidate)
        r += min((abs(len(reference) - len(candidate)), len(reference)) for reference in several)[1]
    if np.any(matches == 0):
        return 0.0
    return float(np.exp(min(0, 1 - r / c) + np.mean(np.log(matches / totals))))
    ### END SOLUTION


# %% check="corpus_bleu"
check("corpus_bleu")

# %% [markdown]
# ## 4 Top-k accuracy
#
# A photograph of a dog on a sofa may be labelled *sofa*. A network that says *dog* first and *sofa* second is not stupid.
# **Top-k accuracy** is the share of examples whose true class is among the `k` classes with the highest scores. Scores are
# any numbers: logits do as well as probabilities, since only their order counts.


# %% exercise="top_k_accuracy"
def top_k_accuracy(y_true, scores, k=5):
    """Share of the examples whose true class is among the `k` best guesses.

    Args:
        y_true: (n,) array of classes, whole numbers from 0.
        scores: (n, classes) array.
        k: how many guesses are allowed.

    Returns:
        One number from 0 to 1.
    """
    ### BEGIN SOLUTION
    require_at_least_1(k=k, y_true=y_true)
    if np.ndim(scores) != 2 or len(scores) != len(y_true):
        raise ValueError(
            f"scores has shape {np.shape(scores)}, expected a row for each of {len(y_true)} labels"
        )
    require_classes(np.shape(scores)[1], y_true=y_true)
    best = np.argsort(-np.asarray(scores, dtype=float), axis=1)[:, :k]
    return np.mean(np.any(best == np.asarray(y_true)[:, np.newaxis], axis=1))
    ### END SOLUTION


# %% check="top_k_accuracy"
check("top_k_accuracy")

# %% [markdown]
# ## 5 The confusion matrix
#
# One number says how often a classifier is wrong. The **confusion matrix** says how: row $i$, column $j$ counts the
# examples of the true class $i$ that were taken for $j$. What is right stands on the diagonal.
#
# The corner: in NumPy, `matrix[rows, columns] += 1` adds 1 to each cell that is named, **once**, however often it is named.


# %% exercise="confusion_matrix"
def confusion_matrix(y_true, y_pred, classes):
    """How often which class was taken for which.

    Args:
        y_true: (n,) array of classes, whole numbers from 0.
        y_pred: (n,) array of what they were taken for.
        classes: how many classes there are.

    Returns:
        (classes, classes) array of counts; the row is the true class.
    """
    ### BEGIN SOLUTION
    require_at_least_1(classes=classes)
    require_classes(classes, y_true=y_true, y_pred=y_pred)
    matrix = np.zeros((classes, classes), dtype=int)
    np.add.at(matrix, (np.asarray(y_true, dtype=int), np.asarray(y_pred, dtype=int)), 1)
    return matrix
    ### END SOLUTION


# %% check="confusion_matrix"
check("confusion_matrix")

# %% [markdown]
# Let a very simple classifier read digits: each picture goes to the class whose mean picture is nearest. It is right more
# often than you may think. Where is it wrong?

# %% show
x, labels, x_test, labels_test = data.digits()
means = np.array([x[labels == digit].mean(axis=0) for digit in range(10)])
scores = -((x_test[:, np.newaxis] - means) ** 2).sum(axis=2)
taken_for = confusion_matrix(labels_test, scores.argmax(axis=1), 10)
display(
    plots.heat(
        taken_for, title="mean digits: what is taken for what", xlabel="taken for", ylabel="true", digits=0
    )
)
shares = [top_k_accuracy(labels_test, scores, k) for k in range(1, 6)]
display(
    plots.bars(
        {"share": shares}, labels=range(1, 6), title="right among the first k", xlabel="k", percent=True
    )
)
wrong = taken_for - np.diag(np.diag(taken_for))
true, predicted = np.unravel_index(wrong.argmax(), wrong.shape)
print(f"{shares[0]:.1%} right at once; most often {true} is taken for {predicted}: {wrong.max()} times")

# %% [markdown]
# ## Closing part: what JPEG takes away
#
# JPEG throws away what the eye misses least, more of it the lower its *quality*. Save a photograph at every quality, read it
# back, and measure: how many decibels are left, for how many bytes?
#
# **To reach:** every step of quality is worth decibels, and at quality 95 there are more than 35 dB.

# %% show
import io

from PIL import Image

original = np.round(255 * data.picture("astronaut", 256)).astype(np.uint8)


def saved_as_jpeg(pixels, quality):
    """The picture after saving and reading, and the size of the file in kilobytes."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file)), len(file.getvalue()) / 1000


qualities = [5, 10, 20, 35, 50, 65, 80, 90, 95]
files = {quality: saved_as_jpeg(original, quality) for quality in qualities}
left = [psnr(original, pixels, max_val=255) for pixels, _ in files.values()]
shown = (5, 20, 80)
display(
    plots.pictures([original, *(files[q][0] for q in shown)], ["original", *(f"quality {q}" for q in shown)])
)
display(
    plots.bars(
        {"PSNR in dB": left, "kilobytes": [size for _, size in files.values()]},
        labels=qualities,
        title="JPEG",
        xlabel="quality",
    )
)
print(
    f"quality 95: {left[-1]:.1f} dB in {files[95][1]:.0f} kB; quality 5: {left[0]:.1f} dB in {files[5][1]:.1f} kB"
)
assert all(np.diff(left) > 0), "more quality, fewer decibels: do bytes wrap around in psnr?"
assert left[-1] > 35

# %% [markdown]
# ## Closing part: translations, bad and good
#
# Six German sentences, four translators: one who goes word by word, one who knows the words and not the grammar, one who
# translates well and freely, one who translates well and keeps close. Each sentence has two references.
#
# **To reach:** the order of the first, second and fourth is plain in your `corpus_bleu`, and the last is above 0.5. What
# happens to the third?

# %% show
german = [
    "Das Wetter ist heute viel besser als gestern.",
    "Ich habe den Zug um fünf Minuten verpasst.",
    "Kannst du mir bitte sagen, wo der Bahnhof ist?",
    "Sie liest jeden Abend ihren Kindern eine Geschichte vor.",
    "Wir haben uns lange nicht gesehen.",
    "Es gibt in diesem Dorf keine Schule mehr.",
]
references = [
    [
        "the weather is much better today than yesterday",
        "today the weather is much better than it was yesterday",
    ],
    ["i missed the train by five minutes", "i was five minutes too late for the train"],
    ["can you please tell me where the station is", "could you tell me where the station is , please"],
    ["she reads her children a story every evening", "every evening she reads a story to her children"],
    ["we have not seen each other for a long time", "it has been a long time since we saw each other"],
    ["there is no longer a school in this village", "this village does not have a school any more"],
]
translators = {
    "word by word": [
        "the weather is today much better as yesterday",
        "i have the train around five minutes missed",
        "can you me please say where the station is",
        "she reads each evening her children a story before",
        "we have us long not seen",
        "it gives in this village no school more",
    ],
    "no grammar": [
        "the weather is today much better than yesterday",
        "i have missed the train for five minutes",
        "can you please say me where is the station",
        "she reads every evening her children a story",
        "we have not seen us for a long time",
        "there is in this village no school any more",
    ],
    "good and free": [
        "what a difference to yesterday 's weather",
        "five minutes earlier and i would have been on board",
        "do you happen to know the way to the station",
        "her kids get a bedtime story from her every night",
        "it 's been ages",
        "the village has lost its school",
    ],
    "good and close": [
        "the weather today is much better than yesterday",
        "i missed the train by five minutes",
        "can you tell me where the station is , please",
        "she reads a story to her children every evening",
        "we have not seen each other for a long time",
        "there is no school in this village any more",
    ],
}
wanted = [[sentence.split() for sentence in several] for several in references]
texts = {name: [sentence.split() for sentence in sentences] for name, sentences in translators.items()}
scores = {
    "one BLEU for the text": [corpus_bleu(text, wanted) for text in texts.values()],
    "mean of six BLEUs": [
        np.mean([bleu(c, r) for c, r in zip(text, wanted, strict=True)]) for text in texts.values()
    ],
}
display(plots.bars(scores, labels=list(texts), title="four translators", ylabel="BLEU"))
by_word, no_grammar, free, close = scores["one BLEU for the text"]
print(
    ", ".join(
        f"{name} {score:.2f}" for name, score in zip(texts, scores["one BLEU for the text"], strict=True)
    )
)
assert by_word < no_grammar < close and close > 0.5, "the translators are out of order"

# %% [markdown]
# BLEU tells bad from good when both try the same words. The free translator, whom any reader would prefer to the first
# two, gets nothing: BLEU counts words that are there, it does not understand one. Use it to compare versions of one system
# on one large text, as it was meant; never to judge a sentence or a style.
#
# **Try it.** Add the free translator's sentences to the references: what do they do for his score, and for the others'?
# Blur the cat, or sharpen it, until it is as far from the original as the noisy one. Which of them would you hang on a wall?
