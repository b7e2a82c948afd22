"""Right answers to `compression`, written differently."""

import keras
import numpy as np

from tests.answers import right


@right("magnitude_mask")
def mask_by_threshold(weights, sparsity):
    count = round(sparsity * weights.size)
    ranked = np.lexsort((np.arange(weights.size), np.abs(weights).ravel()))
    places = np.empty_like(ranked)
    places[ranked] = np.arange(weights.size)
    return (places >= count).reshape(weights.shape)


@right("magnitude_mask")
def mask_of_ones_and_zeros(weights, sparsity):
    mask = np.ones(weights.size, dtype=weights.dtype)
    if count := int(np.round(sparsity * weights.size)):
        mask[np.argpartition(weights.ravel() ** 2, count - 1)[:count]] = 0
    return mask.reshape(weights.shape)


@right("rank_filters")
def filters_by_norm(kernel, norm="l1"):
    flat = kernel.reshape(-1, kernel.shape[-1]).T
    return np.array(sorted(range(len(flat)), key=lambda k: np.linalg.norm(flat[k], ord=int(norm[1]))))


@right("rank_filters")
def filters_by_einsum(kernel, norm="l1"):
    power = np.abs(kernel) if norm == "l1" else kernel
    return np.einsum("hwio,hwio->o", power, np.ones_like(kernel) if norm == "l1" else kernel).argsort()


@right("mean_activation")
def mean_by_loop(activations):
    return np.array([activations[..., channel].mean() for channel in range(activations.shape[-1])])


@right("nonzero_fraction")
def fraction_by_counting(activations):
    places = activations.size // activations.shape[-1]
    return np.count_nonzero(activations, axis=tuple(range(activations.ndim))[:-1]) / places


@right("prune_filters")
def filters_by_take(kernel, bias, next_kernel, keep):
    return [np.take(kernel, keep, axis=3), np.take(bias, keep), np.take(next_kernel, keep, axis=2)]


@right("prune_filters")
def filters_by_mask(kernel, bias, next_kernel, keep):
    stays = np.isin(np.arange(len(bias)), keep)
    return kernel[:, :, :, stays], bias[stays], np.compress(stays, next_kernel, axis=2)


@right("sparsity_schedule")
def schedule_by_cases(step, start, end, initial, final):
    if step < start:
        return initial
    left = max(0.0, (end - step) / (end - start))
    return final - (final - initial) * left * left * left


def masks_of(model, share):
    for variable in model.trainable_variables:
        if len(variable.shape) > 1:
            sizes = np.abs(variable.numpy())
            keep = np.argsort(np.argsort(sizes, axis=None)).reshape(sizes.shape) >= round(share * sizes.size)
            yield variable, keep.astype("float32")


@right("iterative_pruning")
def pruned_evenly_with_a_callback(model, data, rounds, sparsity=0.9, epochs=1):
    """The share grows evenly; the contract leaves open how."""

    class Hold(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            for variable, mask in held:
                variable.assign(variable * keras.ops.cast(mask, variable.dtype))

    for turn in range(rounds):
        held = list(masks_of(model, sparsity * (turn + 1) / rounds))
        hold = Hold()
        hold.on_train_batch_end(0)
        model.fit(data[0], data[1], epochs=epochs, verbose=0, callbacks=hold)
    return model


@right("iterative_pruning")
def pruned_batch_by_batch(model, data, rounds, sparsity=0.9, epochs=1):
    """A training loop of one's own, and a share that grows by factors."""
    x, y = data
    for turn in range(rounds):
        held = list(masks_of(model, 1 - (1 - sparsity) ** ((turn + 1) / rounds)))
        for _ in range(epochs):
            for start in range(0, len(x), 32):
                for variable, mask in held:
                    variable.assign(variable.numpy() * mask)
                model.train_on_batch(x[start : start + 32], y[start : start + 32])
        for variable, mask in held:
            variable.assign(variable.numpy() * mask)
    return model


@right("iterative_pruning")
def pruned_before_each_batch(model, data, rounds, sparsity=0.9, epochs=1):
    """The masks are applied when a batch begins, and once in the end."""
    for turn in range(1, rounds + 1):
        held = list(masks_of(model, sparsity * turn / rounds))

        def cut(*_, held=held, **__):
            for variable, mask in held:
                variable.assign(variable * mask)

        hold = keras.callbacks.LambdaCallback(on_train_batch_begin=cut, on_train_end=cut)
        model.fit(*data, epochs=epochs, batch_size=16, verbose=0, callbacks=[hold])
    return model


@right("iterative_pruning")
def pruned_by_the_whole_lesson(model, data, rounds, sparsity=0.9, epochs=1):
    """One batch an epoch, and a copy of the model that comes back in its place."""
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    copy.compile_from_config(model.get_compile_config())
    for turn in range(1, rounds + 1):
        held = list(masks_of(copy, sparsity * turn / rounds))
        for epoch in range(epochs + 1):
            if epoch:
                copy.train_on_batch(*data)
            for variable, mask in held:
                variable.assign(variable * mask)
    return copy
