"""What is often written in the place of the functions of the assignment `multitask`."""

import numpy as np

from grader.exercise import misconception

HARD = "hard_sharing_model.hard_sharing_model"


def flat(x):
    from keras import layers

    return layers.Flatten()(x)


def dense(x, units, activation=None):
    from keras import layers

    return layers.Dense(units, activation=activation)(x)


def trunk(inputs, activation="relu"):
    return dense(dense(flat(inputs), 32, activation), 32, activation)


def model(inputs, outputs):
    import keras

    return keras.Model(inputs, outputs)


@misconception(
    HARD,
    "Your heads end in a softmax. Give logits: the loss takes the softmax itself, more stably (`from_logits=True`), and a head for regression needs numbers of any size.",
)
def heads_with_softmax(inputs, heads):
    shared = trunk(inputs)
    return model(inputs, {name: dense(shared, units, "softmax") for name, units in heads.items()})


@misconception(
    HARD,
    "Your heads end in a ReLU, like the layers before them. A logit may be negative: the last layer has no activation.",
)
def heads_with_relu(inputs, heads):
    shared = trunk(inputs)
    return model(inputs, {name: dense(shared, units, "relu") for name, units in heads.items()})


@misconception(
    HARD,
    "Your heads end in a leaky ReLU, which makes negative logits smaller than they are. The last layer has no activation, not even a leaky one.",
)
def heads_with_leaky_relu(inputs, heads):
    shared = trunk(inputs)
    return model(inputs, {name: dense(shared, units, "leaky_relu") for name, units in heads.items()})


@misconception(
    HARD,
    "Your heads end in a sigmoid. Give logits: the loss takes the sigmoid itself, more stably (`from_logits=True`), and a head for regression needs numbers of any size.",
)
def heads_with_sigmoid(inputs, heads):
    shared = trunk(inputs)
    return model(inputs, {name: dense(shared, units, "sigmoid") for name, units in heads.items()})


@misconception(
    HARD,
    "Your heads end in a softmax, or in a sigmoid where there is one logit. Give logits: the loss takes either itself, more stably (`from_logits=True`), and one number may as well be a regression's.",
)
def heads_with_softmax_or_sigmoid(inputs, heads):
    shared = trunk(inputs)
    ends = {1: "sigmoid"}
    return model(
        inputs, {name: dense(shared, units, ends.get(units, "softmax")) for name, units in heads.items()}
    )


@misconception(
    HARD,
    "Your model gives a list, so nobody knows which output is which: give `keras.Model` a dict, name of the head to its logits.",
)
def list_of_outputs(inputs, heads):
    shared = trunk(inputs)
    return model(inputs, [dense(shared, units) for units in heads.values()])


@misconception(
    HARD,
    "You return the logits, not a model: wrap them, `keras.Model(inputs, outputs)`, where `outputs` is your dict.",
)
def logits_without_a_model(inputs, heads):
    shared = trunk(inputs)
    return {name: dense(shared, units) for name, units in heads.items()}


@misconception(
    HARD,
    "Your outputs have lost the names of their heads: the keys of the dict are the keys of `heads`.",
)
def names_lost(inputs, heads):
    shared = trunk(inputs)
    return model(inputs, {str(place): dense(shared, units) for place, units in enumerate(heads.values())})


@misconception(
    HARD,
    "Each of your heads has a trunk of its own: these are separate nets in one box, and nothing that one task learns helps another. Make the trunk once, before the loop over the heads.",
)
def separate_trunks(inputs, heads):
    return model(inputs, {name: dense(trunk(inputs), units) for name, units in heads.items()})


@misconception(
    HARD,
    "Your heads stand on the input itself, each a linear model of its own. What the tasks share are layers with weights between the input and the heads.",
)
def no_trunk(inputs, heads):
    shared = flat(inputs)
    return model(inputs, {name: dense(shared, units) for name, units in heads.items()})


@misconception(
    HARD,
    "Your trunk does not learn: with `trainable = False` the heads can only read what chance has put there.",
)
def frozen_trunk(inputs, heads):
    import keras

    frozen = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(32, activation="relu")])
    frozen.trainable = False
    shared = frozen(inputs)
    return model(inputs, {name: dense(shared, units) for name, units in heads.items()})


@misconception(
    HARD,
    "Each of your heads reads the logits of the one before it, so the first head answers to all tasks. Every head stands on the trunk alone: do not overwrite the trunk's output in the loop.",
)
def chained_heads(inputs, heads):
    x, found = trunk(inputs), {}
    for name, units in heads.items():
        x = found[name] = dense(x, units)
    return model(inputs, found)


@misconception(
    HARD,
    "Your trunk grows inside the loop: each head stands on a layer that the heads before it do not have. Make the whole trunk first, then the heads.",
)
def trunk_that_grows(inputs, heads):
    shared, outputs = trunk(inputs), {}
    for name, units in heads.items():
        shared = dense(shared, 32, "relu")
        outputs[name] = dense(shared, units)
    return model(inputs, outputs)


@misconception(
    HARD,
    "One dense layer serves all your heads, so tasks share the very weights that should tell them apart. Make a new one for each head.",
)
def one_head_for_all(inputs, heads):
    logits = dense(trunk(inputs), max(heads.values()))
    return model(inputs, {name: logits[:, :units] for name, units in heads.items()})


@misconception(
    HARD,
    "Your trunk has no activation. Dense layers in a row without one make one dense layer, however many there are: use ReLU.",
)
def linear_trunk(inputs, heads):
    shared = trunk(inputs, None)
    return model(inputs, {name: dense(shared, units) for name, units in heads.items()})


@misconception(
    HARD,
    "A dense layer works along the last axis only, so your heads answer for every pixel. Begin the trunk with `layers.Flatten()`.",
)
def not_flattened(inputs, heads):
    shared = dense(inputs, 32, "relu")
    return model(inputs, {name: dense(shared, units) for name, units in heads.items()})


@misconception(
    "multitask_loss.multitask_loss",
    "You divide by the sum of the weights. Nothing is divided: weights say what each loss costs, and need not sum to 1.",
)
def weighted_mean(losses, weights):
    return np.sum(weights * losses) / np.sum(weights)


@misconception(
    "multitask_loss.multitask_loss",
    "You take the mean over the tasks. It is the sum: a further task must not make the others count less.",
)
def mean_of_tasks(losses, weights):
    return np.mean(weights * losses)


@misconception("multitask_loss.multitask_loss", "You add up the losses and leave their weights out.")
def weights_ignored(losses, weights):
    return np.sum(losses)


@misconception(
    "multitask_loss.multitask_loss",
    "You return a number for each task. Gradient descent needs one number to go down on: add them up.",
)
def not_added_up(losses, weights):
    return weights * losses


UNCERTAIN = "uncertainty_weighted_loss.uncertainty_weighted_loss"


@misconception(
    UNCERTAIN,
    "You multiply by exp(s), the variance: so the noisiest task counts most. Divide by it, exp(-s).",
)
def multiplied_by_variance(losses, log_variances):
    return np.sum(np.exp(log_variances) * losses + log_variances)


@misconception(
    UNCERTAIN,
    "The term + s is missing. Without it nothing holds the variances back: they grow for ever, and every loss becomes 0.",
)
def no_price(losses, log_variances):
    return np.sum(np.exp(-log_variances) * losses)


@misconception(
    UNCERTAIN,
    "You subtract s. The likelihood has + s, which is what a large variance costs; with - s it would be rewarded twice.",
)
def price_subtracted(losses, log_variances):
    return np.sum(np.exp(-log_variances) * losses - log_variances)


@misconception(
    UNCERTAIN,
    "You take `log_variances` for the variances themselves. They are their logarithms: the weight is exp(-s), and s is added as it is.",
)
def taken_for_variances(losses, log_variances):
    return np.sum(losses / log_variances + np.log(log_variances))


@misconception(
    UNCERTAIN,
    "You take s for the logarithm of the standard deviation, exp(-2s). Here it is that of the variance: exp(-s).",
)
def log_of_deviation(losses, log_variances):
    return np.sum(np.exp(-2 * log_variances) * losses + log_variances)


@misconception(
    UNCERTAIN,
    "You halve both terms, as the Gaussian has them. Our definition leaves the half out: it changes no minimum, only the length of the steps.",
)
def halved(losses, log_variances):
    return 0.5 * np.sum(np.exp(-log_variances) * losses + log_variances)


@misconception(
    UNCERTAIN,
    "You halve the first term alone. Then s settles at the logarithm of half the loss: halve both terms, or, as here, none.",
)
def first_term_halved(losses, log_variances):
    return np.sum(0.5 * np.exp(-log_variances) * losses + log_variances)


@misconception(
    UNCERTAIN,
    "You halve + s alone. That is how the paper writes it for classification; here both kinds of task have the whole s.",
)
def price_halved(losses, log_variances):
    return np.sum(np.exp(-log_variances) * losses + 0.5 * log_variances)


@misconception(
    UNCERTAIN, "You take the mean over the tasks. It is the sum: a likelihood of all tasks is a product."
)
def mean_of_likelihoods(losses, log_variances):
    return np.mean(np.exp(-log_variances) * losses + log_variances)


SOFT = "soft_sharing_penalty.soft_sharing_penalty"


def norm_of(rows, norm):
    return np.sum(rows**2) if norm == "l2" else np.linalg.norm(rows, "nuc")


def pairs(parameters):
    flattened = [np.ravel(one) for one in parameters]
    return np.stack([a - b for place, a in enumerate(flattened) for b in flattened[place + 1 :]])


@misconception(
    SOFT,
    "You take each pair in both orders, so every difference is counted twice. (a, b) and (b, a) are one pair.",
)
def both_orders(parameters, norm="l2"):
    rows = pairs(parameters)
    return norm_of(np.concatenate([rows, -rows]), norm)


@misconception(
    SOFT,
    "You compare each task with the next one only. The first and the last are a pair too: take all pairs.",
)
def neighbours_only(parameters, norm="l2"):
    return norm_of(np.diff(np.stack([np.ravel(one) for one in parameters]), axis=0), norm)


@misconception(
    SOFT,
    "You go round in a ring, each task with the next and the last with the first. From four tasks on, pairs are left out: take all of them.",
)
def in_a_ring(parameters, norm="l2"):
    flattened = np.stack([np.ravel(one) for one in parameters])
    return norm_of(flattened - np.roll(flattened, -1, axis=0), norm)


@misconception(SOFT, "You compare every task with the first one only: take all pairs.")
def against_the_first(parameters, norm="l2"):
    flattened = [np.ravel(one) for one in parameters]
    return norm_of(np.stack([one - flattened[0] for one in flattened[1:]]), norm)


@misconception(
    SOFT,
    "You measure the distances from the mean of all tasks. A row is the difference of two tasks, for each pair one.",
)
def against_the_mean(parameters, norm="l2"):
    flattened = np.stack([np.ravel(one) for one in parameters])
    return norm_of(flattened - flattened.mean(axis=0), norm)


@misconception(
    SOFT,
    "You penalise the parameters themselves: that pulls every task to 0. Take their differences: what tasks have in common is free.",
)
def of_the_parameters(parameters, norm="l2"):
    return norm_of(np.stack([np.ravel(one) for one in parameters]), norm)


@misconception(SOFT, 'You take the root for "l2": it is the sum of the squares.')
def root_of_squares(parameters, norm="l2"):
    rows = pairs(parameters)
    return np.sqrt(np.sum(rows**2)) if norm == "l2" else norm_of(rows, norm)


@misconception(SOFT, 'You take the mean of the squares for "l2": it is their sum.')
def mean_of_squares(parameters, norm="l2"):
    rows = pairs(parameters)
    return np.mean(rows**2) if norm == "l2" else norm_of(rows, norm)


@misconception(SOFT, 'You add up the absolute differences for "l2": those are L1. Square them.')
def absolute_differences(parameters, norm="l2"):
    rows = pairs(parameters)
    return np.sum(np.abs(rows)) if norm == "l2" else norm_of(rows, norm)


@misconception(
    SOFT,
    'Your "trace" is the root of the sum of squares, the Frobenius norm. The trace norm adds up the singular values as they are.',
)
def frobenius(parameters, norm="l2"):
    rows = pairs(parameters)
    return np.sum(rows**2) if norm == "l2" else np.linalg.norm(rows)


@misconception(
    SOFT,
    'Your "trace" adds up the squares of the singular values, which is the sum of all squares again. Add up the singular values as they are.',
)
def squared_singular_values(parameters, norm="l2"):
    return np.sum(pairs(parameters) ** 2)


@misconception(
    SOFT,
    'Your "trace" is the largest singular value alone, the spectral norm. Add up all of them.',
)
def spectral(parameters, norm="l2"):
    rows = pairs(parameters)
    return np.sum(rows**2) if norm == "l2" else np.linalg.norm(rows, 2)


@misconception(
    SOFT,
    'Your "trace" adds up the lengths of the rows. Singular values are those of the whole matrix: two pairs that differ in the same direction share one.',
)
def lengths_of_rows(parameters, norm="l2"):
    rows = pairs(parameters)
    return np.sum(rows**2) if norm == "l2" else np.linalg.norm(rows, axis=1).sum()


@misconception(
    SOFT,
    'Your "trace" takes each pair\'s difference as a matrix by itself. Flatten the differences first: they are the rows of one matrix, whose singular values are asked for.',
)
def a_norm_for_each_pair(parameters, norm="l2"):
    if norm == "l2":
        return norm_of(pairs(parameters), norm)
    apart = [a - b for place, a in enumerate(parameters) for b in parameters[place + 1 :]]
    return sum(np.linalg.svd(np.atleast_2d(one), compute_uv=False).sum() for one in apart)


@misconception(
    SOFT,
    "You flatten the arrays in the list that you were given, so the caller's list changes too. Build a new list.",
)
def flattened_in_place(parameters, norm="l2"):
    for place, one in enumerate(parameters):
        parameters[place] = np.ravel(one)
    return norm_of(pairs(parameters), norm)


@misconception(
    SOFT,
    'Your "trace" adds up the diagonal. The trace *norm* is another thing: the sum of the singular values.',
)
def diagonal(parameters, norm="l2"):
    rows = pairs(parameters)
    return np.sum(rows**2) if norm == "l2" else np.trace(rows)


@misconception(
    SOFT, 'You do the same for both norms: `norm="trace"` asks for the sum of the singular values.'
)
def always_l2(parameters, norm="l2"):
    return 1.0 * np.sum(pairs(parameters) ** 2, dtype=float)
