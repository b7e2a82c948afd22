"""References of the assignment `multitask`. Lists hold one array a task, arrays of losses one number a task."""

from typing import Any

import numpy as np

from kerasref.backend import keras
from kerasref.core import reference
from kerasref.validation import Arrays, at_least_1, not_negative, one_of, rank, same_shape

layers, ops = keras.layers, keras.ops


def hard_sharing_model(inputs: Any, heads: dict[str, int]) -> Any:
    """One trunk, whose output every head reads: the heads differ in their last layer alone.

    Args:
        inputs: Keras tensor (batch, ...) of any shape.
        heads: name of a task -> how many logits it has.

    Returns:
        A `keras.Model` from `inputs` to a dict, name of a task -> logits (batch, units).

    Source: Caruana, "Multitask Learning", 1997, with ReLU.
    """
    if not isinstance(inputs, keras.KerasTensor):
        raise ValueError(
            f"`inputs` is a {type(inputs).__name__}; expected a Keras tensor: make one by `keras.Input(shape)`."
        )
    if not isinstance(heads, dict) or not heads:
        raise ValueError(f"`heads` is {heads!r}; expected a dict of at least one name to a number: fill it.")
    for name, units in heads.items():
        at_least_1(**{f"heads[{name!r}]": units})
    trunk = keras.Sequential(
        [layers.Flatten(), layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu")]
    )
    shared = trunk(inputs)
    return keras.Model(inputs, {name: layers.Dense(units)(shared) for name, units in heads.items()})


@reference
def multitask_loss(losses, weights):
    """The sum of the tasks' losses, each times its weight.

    Args:
        losses: (tasks,) array, one loss a task.
        weights: (tasks,) array of numbers of at least 0.

    Returns:
        One number.

    Source: `loss_weights` of `keras.Model.compile`, written with `keras.ops`.
    """
    rank(1, "(tasks,)", losses=losses)
    same_shape(losses=losses, weights=weights)
    not_negative(weights=weights.min())
    return ops.dot(losses, weights)


@reference
def uncertainty_weighted_loss(losses, log_variances):
    """The sum over the tasks of `exp(-s) * loss + s`, where `s` is the logarithm of the task's variance.

    Args:
        losses: (tasks,) array, one loss a task.
        log_variances: (tasks,) array.

    Returns:
        One number.

    Source: Kendall, Gal, Cipolla 2018, twice the Gaussian negative log-likelihood.
    """
    rank(1, "(tasks,)", losses=losses)
    same_shape(losses=losses, log_variances=log_variances)
    return weighted_by_uncertainty(losses, log_variances)


@reference
def soft_sharing_penalty(parameters: Arrays, norm: Any = "l2"):
    """How far the tasks' parameters are from each other: a norm of the matrix of all their differences.

    Args:
        parameters: list of at least two arrays of one shape, one a task.
        norm: "l2", the sum of the squares of the matrix, or "trace", the sum of its singular values. Each row
            of it is the flattened difference of one pair of tasks.

    Returns:
        One number.

    Source: `keras.ops.svd` of the tasks' distances from their mean, which has the same singular values but for a factor.
    """
    one_of("norm", norm, "l2", "trace")
    if len(parameters) < 2:
        raise ValueError(
            f"`parameters` has length {len(parameters)}; expected at least two tasks: give more."
        )
    same_shape(**{f"parameters[{place}]": one for place, one in enumerate(parameters)})
    if parameters[0].size == 0:
        raise ValueError(
            f"`parameters[0]` has shape {parameters[0].shape}, so it is empty; expected at least one number: give some."
        )
    return distance_of_tasks(parameters, norm)


def weighted_by_uncertainty(losses: Any, log_variances: Any) -> Any:
    """`uncertainty_weighted_loss` of tensors, to train with."""
    return ops.sum(ops.multiply(losses, ops.exp(-log_variances)) + log_variances)


def distance_of_tasks(parameters: Any, norm: str = "l2") -> Any:
    """`soft_sharing_penalty` of tensors, to train with.

    With A the pairs' signs, D = A P. The rows of A add up to 0 and A'A = tasks * (I - 1 1' / tasks), so that
    D'D is `tasks` times the scatter of the rows of P around their mean.
    """
    stacked = ops.stack([ops.reshape(one, (-1,)) for one in parameters])
    centred = stacked - ops.mean(stacked, axis=0, keepdims=True)
    if norm == "l2":
        return len(parameters) * ops.sum(ops.square(centred))
    return np.sqrt(len(parameters)) * ops.sum(ops.svd(centred, compute_uv=False))
