"""Right answers to `multitask`: nets in other styles, and the losses and norms by other identities."""

import itertools
from collections import OrderedDict

import keras
import numpy as np
from keras import layers, ops

from tests.answers import right


@right("hard_sharing_model")
def heads_named_after_tasks(inputs, heads):
    shared = layers.Flatten()(inputs)
    for units in (48, 24):
        shared = layers.Dense(units)(shared)
        shared = layers.BatchNormalization()(shared)
        shared = layers.LeakyReLU()(shared)
    shared = layers.Dropout(0.3)(shared)
    found = {name: layers.Dense(units, name=name)(shared) for name, units in sorted(heads.items())}
    return keras.Model(inputs=inputs, outputs=found, name="hard_sharing")


class HardSharing(keras.Model):
    """One trunk, and a dense layer a head."""

    def __init__(self, heads):
        super().__init__()
        self.names = list(heads)
        self.trunk = keras.Sequential([layers.Flatten(), layers.Dense(20), layers.Activation("gelu")])
        self.last = [layers.Dense(units) for units in heads.values()]

    def call(self, x, training=None):
        shared = self.trunk(x, training=training)
        return {name: last(shared) for name, last in zip(self.names, self.last, strict=True)}


@right("hard_sharing_model")
def a_model_of_its_own(inputs, heads):
    model = HardSharing(heads)
    model(inputs)
    return model


@right("hard_sharing_model")
def columns_of_one_product(inputs, heads):
    x = ops.reshape(inputs, (-1, int(np.prod(inputs.shape[1:]))))
    x = layers.Dense(40, activation="tanh")(x)
    fused = layers.Dense(sum(heads.values()))(x)
    ends = dict(zip(heads, np.cumsum(list(heads.values())).tolist(), strict=True))
    return keras.Model(inputs, {name: fused[:, end - heads[name] : end] for name, end in ends.items()})


@right("hard_sharing_model")
def convolutions_where_there_are_images(inputs, heads):
    x = inputs
    if len(x.shape) == 4:
        for filters in (8, 16):
            x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
            x = layers.MaxPooling2D(2, padding="same")(x)
        x = layers.GlobalAveragePooling2D()(x)
    shared = layers.Dense(32, activation="sigmoid")(layers.Flatten()(x))
    found = {}
    for name, units in heads.items():
        own = layers.Dense(16, activation="relu")(shared)
        found[name] = layers.Dense(units, kernel_initializer="zeros")(own)
    return keras.Model(inputs, found)


@right("hard_sharing_model")
def deep_and_saturating(inputs, heads):
    x = layers.Flatten()(inputs)
    for _ in range(8):
        x = layers.Dense(32, activation="sigmoid")(x)
    return keras.Model(inputs, {name: layers.Dense(units)(x) for name, units in heads.items()})


@right("hard_sharing_model")
def a_model_without_weights_yet(inputs, heads):
    return HardSharing(heads)


@right("hard_sharing_model")
def sums_of_wide_and_deep(inputs, heads):
    flat = layers.Flatten()(inputs)
    deep = layers.Dense(24, activation="softplus")(flat)
    found = {name: layers.Dense(units)(deep) + layers.Dense(units)(flat) for name, units in heads.items()}
    return keras.Model([inputs], OrderedDict(found))


@right("multitask_loss")
def loss_as_a_product(losses, weights):
    return weights @ losses


@right("multitask_loss")
def loss_in_a_loop(losses, weights):
    total = 0.0
    for loss, weight in zip(losses, weights, strict=True):
        total += float(loss) * float(weight)
    return total


@right("uncertainty_weighted_loss")
def uncertainty_in_two_sums(losses, log_variances):
    return np.dot(losses, 1 / np.exp(log_variances)) + log_variances.sum()


@right("uncertainty_weighted_loss")
def uncertainty_as_a_gaussian(losses, log_variances):
    variances = np.exp(log_variances)
    halves = [0.5 * loss / v + np.log(np.sqrt(v)) for loss, v in zip(losses, variances, strict=True)]
    return 2 * sum(halves)


@right("soft_sharing_penalty")
def penalty_by_combinations(parameters, norm="l2"):
    rows = np.array([(a - b).flatten() for a, b in itertools.combinations(parameters, 2)])
    return np.linalg.norm(rows) ** 2 if norm == "l2" else np.linalg.norm(rows, ord="nuc")


@right("soft_sharing_penalty")
def penalty_by_eigenvalues(parameters, norm="l2"):
    stacked = np.asarray(parameters, float).reshape(len(parameters), -1)
    first, second = np.tril_indices(len(stacked), -1)
    rows = stacked[second] - stacked[first]
    squared = np.linalg.eigvalsh(rows @ rows.T)
    return squared.sum() if norm == "l2" else np.sqrt(np.clip(squared, 0, None)).sum()


@right("soft_sharing_penalty")
def penalty_by_eigenvalues_as_precise_as_the_input(parameters, norm="l2"):
    rows = np.stack([(a - b).ravel() for a in parameters for b in parameters])
    squared = np.linalg.eigvalsh(rows.T @ rows) / 2
    return squared.sum() if norm == "l2" else np.sqrt(np.abs(squared)).sum()


@right("soft_sharing_penalty")
def penalty_around_the_mean(parameters, norm="l2"):
    stacked = np.stack(parameters).reshape(len(parameters), -1)
    around = (stacked - stacked.mean(axis=0)) * np.sqrt(len(stacked))
    if norm == "l2":
        return np.vdot(around, around)
    return np.linalg.svd(around, full_matrices=False)[1].sum()
