"""Well-known wrong answers to the assignment `compression`."""

import numpy as np

from grader.exercise import misconception

# magnitude_mask


def smallest_cut(sizes, count):
    mask = np.ones(sizes.size, dtype=bool)
    mask[np.argsort(sizes, axis=None)[:count]] = False
    return mask.reshape(sizes.shape)


@misconception(
    "magnitude_mask.magnitude_mask",
    "You compare the weights themselves, so that -3 goes before 0.1. Small means near zero: compare magnitudes.",
)
def mask_by_value(weights, sparsity):
    return smallest_cut(np.asarray(weights), round(sparsity * weights.size))


@misconception(
    "magnitude_mask.magnitude_mask",
    "Your mask is the wrong way round: True is where a weight stays.",
)
def mask_of_what_goes(weights, sparsity):
    return ~smallest_cut(np.abs(weights), round(sparsity * weights.size))


@misconception(
    "magnitude_mask.magnitude_mask",
    "You cut off the largest weights, which do the most. The smallest go.",
)
def mask_of_the_small(weights, sparsity):
    return smallest_cut(-np.abs(weights), round(sparsity * weights.size))


@misconception(
    "magnitude_mask.magnitude_mask",
    "You keep the share that should go: `sparsity` is the share of zeros.",
)
def mask_by_density(weights, sparsity):
    return smallest_cut(np.abs(weights), weights.size - round(sparsity * weights.size))


@misconception(
    "magnitude_mask.magnitude_mask",
    "You round the number of weights down. It is rounded to the nearest: `round(sparsity * n)`.",
)
def mask_rounded_down(weights, sparsity):
    return smallest_cut(np.abs(weights), int(sparsity * weights.size))


@misconception(
    "magnitude_mask.magnitude_mask",
    "You take `sparsity` for a share of the largest magnitude. It is a share of the weights: sort them and count.",
)
def mask_by_height(weights, sparsity):
    return np.abs(weights) >= sparsity * np.abs(weights).max()


@misconception(
    "magnitude_mask.magnitude_mask",
    "You cut off the same share of each row (last axis). The smallest of *all* weights go, wherever they sit.",
)
def mask_row_by_row(weights, sparsity):
    rows = np.reshape(weights, (-1, weights.shape[-1]))
    return np.stack([smallest_cut(np.abs(row), round(sparsity * row.size)) for row in rows]).reshape(
        weights.shape
    )


# rank_filters


@misconception(
    "rank_filters.rank_filters",
    "You add up the weights with their signs, so that large ones cancel. Take magnitudes first.",
)
def filters_by_sum(kernel, norm="l1"):
    return np.argsort((kernel if norm == "l1" else kernel**2).sum(axis=(0, 1, 2)))


@misconception(
    "rank_filters.rank_filters",
    "The largest filter comes first. The ones to cut off, the smallest, come first.",
)
def filters_largest_first(kernel, norm="l1"):
    return np.argsort(-np.sum(np.abs(kernel) if norm == "l1" else kernel**2, axis=(0, 1, 2)))


@misconception(
    "rank_filters.rank_filters",
    "You rank the input channels (third axis). A filter makes an output channel: the last axis counts them.",
)
def filters_by_input(kernel, norm="l1"):
    return np.argsort(np.sum(np.abs(kernel) if norm == "l1" else kernel**2, axis=(0, 1, 3)))


@misconception(
    "rank_filters.rank_filters",
    "`norm` makes no difference in your function: for `l2` squares are added up.",
)
def filters_by_l1_always(kernel, norm="l1"):
    return np.argsort(np.abs(kernel).sum(axis=(0, 1, 2)))


@misconception(
    "rank_filters.rank_filters",
    "For `l2` you look at the largest weight alone. Add up the squares of them all.",
)
def filters_by_their_largest(kernel, norm="l1"):
    sizes = np.abs(kernel)
    return np.argsort(sizes.sum(axis=(0, 1, 2)) if norm == "l1" else sizes.max(axis=(0, 1, 2)))


@misconception(
    "rank_filters.rank_filters",
    "Your result says at which place each filter stands. Wanted are the filters themselves, in order: one `argsort`, not two.",
)
def places_of_filters(kernel, norm="l1"):
    return np.argsort(np.argsort(np.sum(np.abs(kernel) if norm == "l1" else kernel**2, axis=(0, 1, 2))))


# mean_activation, nonzero_fraction


@misconception(
    "activity.mean_activation",
    "Your mean runs over the batch only: height and width belong to it as well, one number a channel is left.",
)
def mean_over_the_batch(activations):
    return np.mean(activations, axis=0)


@misconception(
    "activity.mean_activation",
    "Your mean is one number for all channels: keep the last axis.",
)
def mean_of_everything(activations):
    return np.mean(activations)


@misconception(
    "activity.mean_activation",
    "Your mean is of magnitudes. What is below zero counts as below zero.",
)
def mean_magnitude(activations):
    return np.mean(np.abs(activations), axis=(0, 1, 2))


@misconception(
    "activity.mean_activation",
    "You divide by the number of activations that are not zero. A channel that is mostly silent then looks busy: divide by all.",
)
def mean_of_the_nonzero(activations):
    count = np.count_nonzero(activations, axis=(0, 1, 2))
    return np.sum(activations, axis=(0, 1, 2)) / np.maximum(count, 1)


@misconception(
    "activity.nonzero_fraction",
    "That is the share of zeros (APoZ, in the paper). Asked is the share of what is not zero.",
)
def share_of_zeros(activations):
    return np.mean(activations == 0, axis=(0, 1, 2))


@misconception(
    "activity.nonzero_fraction",
    "You count only what is above zero. What is below is not zero either.",
)
def share_above_zero(activations):
    return np.mean(activations > 0, axis=(0, 1, 2))


@misconception(
    "activity.nonzero_fraction", "You count, but do not divide: the result is a share, from 0 to 1."
)
def count_of_the_nonzero(activations):
    return np.count_nonzero(activations, axis=(0, 1, 2))


@misconception("activity.nonzero_fraction", "Your share is one number for all channels: keep the last axis.")
def share_of_everything(activations):
    return np.mean(activations != 0)


# prune_filters


@misconception(
    "prune_filters.prune_filters",
    "The next kernel still listens to the channels that are gone: take `keep` from its third axis, the inputs.",
)
def next_kernel_forgotten(kernel, bias, next_kernel, keep):
    return kernel[..., keep], bias[keep], next_kernel


@misconception(
    "prune_filters.prune_filters",
    "You cut the next layer's own filters. What is gone there are its *inputs*: third axis, not the last.",
)
def next_filters_cut(kernel, bias, next_kernel, keep):
    return kernel[..., keep], bias[keep], next_kernel[..., keep]


@misconception(
    "prune_filters.prune_filters",
    "You cut the inputs of the first kernel. Its filters are along the last axis.",
)
def inputs_cut(kernel, bias, next_kernel, keep):
    return kernel[:, :, keep], bias[keep], next_kernel[:, :, keep]


@misconception("prune_filters.prune_filters", "The bias still has a number for each filter that is gone.")
def bias_forgotten(kernel, bias, next_kernel, keep):
    return kernel[..., keep], bias, next_kernel[:, :, keep]


@misconception(
    "prune_filters.prune_filters",
    "You set to zero what should be gone: the arrays come back as large as they were, and nothing is saved.",
)
def zeroed(kernel, bias, next_kernel, keep):
    stays = np.isin(np.arange(len(bias)), keep)
    return kernel * stays, bias * stays, next_kernel * stays[:, np.newaxis]


@misconception(
    "prune_filters.prune_filters",
    "You take away what is in `keep`. These are the filters that stay.",
)
def keep_taken_away(kernel, bias, next_kernel, keep):
    return np.delete(kernel, keep, -1), np.delete(bias, keep), np.delete(next_kernel, keep, 2)


# sparsity_schedule


def progress(step, start, end):
    return np.clip((step - start) / (end - start), 0, 1)


@misconception(
    "sparsity_schedule.sparsity_schedule",
    "Your share grows evenly. Take what is left of the way to the third power.",
)
def evenly(step, start, end, initial, final):
    return initial + (final - initial) * progress(step, start, end)


@misconception(
    "sparsity_schedule.sparsity_schedule",
    "Your share grows slowly at first and fast at the end, where the net has no time left to recover. The cube belongs to "
    "what is *left* of the way.",
)
def slowly_at_first(step, start, end, initial, final):
    return initial + (final - initial) * progress(step, start, end) ** 3


@misconception(
    "sparsity_schedule.sparsity_schedule",
    "Outside start and end your curve goes on. Before the start it is `initial`, after the end `final`.",
)
def without_ends(step, start, end, initial, final):
    return final + (initial - final) * (1 - (step - start) / (end - start)) ** 3


@misconception(
    "sparsity_schedule.sparsity_schedule",
    "You divide by `end`. The way is `end - start` long.",
)
def way_from_zero(step, start, end, initial, final):
    return final + (initial - final) * (1 - np.clip((step - start) / end, 0, 1)) ** 3


@misconception(
    "sparsity_schedule.sparsity_schedule",
    "You forget `initial`: the share begins there, not at zero.",
)
def from_nothing(step, start, end, initial, final):
    return final * (1 - (1 - progress(step, start, end)) ** 3)


@misconception("sparsity_schedule.sparsity_schedule", "You square what is left of the way. It is a cube.")
def squared(step, start, end, initial, final):
    return final + (initial - final) * (1 - progress(step, start, end)) ** 2


# iterative_pruning


def pruned(
    model,
    data,
    rounds,
    sparsity,
    epochs,
    share=lambda step, rounds, sparsity: sparsity * (1 - (1 - step / rounds) ** 3),
    cuttable=lambda axes: axes > 1,
    together=False,
    hold="train_batch",
    anew=False,
    sizes=np.abs,
):
    """The loop, right unless told otherwise."""
    import keras

    kernels = [each for each in model.trainable_variables if cuttable(len(each.shape))]

    def chosen(now):
        values = [sizes(each.numpy()) for each in kernels]
        if together:
            flat = np.sort(np.concatenate([each.ravel() for each in values]))
            least = flat[min(round(now * flat.size), flat.size - 1)]
            return [each >= least for each in values]
        return [smallest_cut(each, round(now * each.size)) for each in values]

    def cut(masks):
        for kernel, mask in zip(kernels, masks, strict=True):
            kernel.assign(kernel * mask.astype(kernel.dtype))

    for step in range(1, rounds + 1):
        now = share(step, rounds, sparsity)
        masks = chosen(now)
        cut(masks)
        end = {f"on_{hold}_end": lambda _, logs, now=now, masks=masks: cut(chosen(now) if anew else masks)}
        held = [keras.callbacks.LambdaCallback(**end)] if hold else []
        model.fit(*data, epochs=epochs, verbose=0, callbacks=held)
    return model


@misconception(
    "iterative_pruning.iterative_pruning",
    "All kernels share one threshold, so that a layer with small weights may lose everything. Give each kernel its own.",
)
def one_threshold_for_all(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, epochs, together=True)


@misconception(
    "iterative_pruning.iterative_pruning",
    "Biases lose their share too. They are few and matter much: leave what has one axis alone.",
)
def biases_too(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, epochs, cuttable=lambda axes: True)


@misconception(
    "iterative_pruning.iterative_pruning",
    "What you cut off grows again while the net is trained. Multiply by the masks after every batch.",
)
def nothing_held(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, epochs, hold="")


@misconception(
    "iterative_pruning.iterative_pruning",
    "You multiply by the masks after each epoch. In between, what you cut off grows again: do it after every batch.",
)
def held_after_each_epoch(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, epochs, hold="epoch")


@misconception(
    "iterative_pruning.iterative_pruning",
    "You choose the masks anew after each batch, so that a weight that was cut off can come back in the place of another. "
    "Choose them once a round, and hold them.",
)
def masks_anew(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, epochs, anew=True)


@misconception(
    "iterative_pruning.iterative_pruning",
    "You cut kernels with two axes alone. A convolution's has three or four: cut whatever has more than one.",
)
def dense_kernels_alone(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, epochs, cuttable=lambda axes: axes == 2)


@misconception(
    "iterative_pruning.iterative_pruning",
    "You train for one epoch after each cut, whatever `epochs` says.",
)
def one_epoch_always(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, 1)


@misconception(
    "iterative_pruning.iterative_pruning",
    "Each round takes the whole share of what the last one left: after r rounds 1 - (1 - s)^r is gone instead of s.",
)
def share_of_what_is_left(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, epochs, share=lambda step, rounds, s: 1 - (1 - s) ** step)


@misconception(
    "iterative_pruning.iterative_pruning",
    "Each round cuts off `sparsity / rounds` anew, so that the zeros of the last round are counted again and the share never "
    "grows. Let the share grow from round to round, up to `sparsity` in the last.",
)
def share_that_never_grows(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, epochs, share=lambda step, rounds, s: s / rounds)


@misconception(
    "iterative_pruning.iterative_pruning",
    "You compare the weights themselves, so that all that is below zero goes first. Compare magnitudes.",
)
def signed_weights(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, epochs, sizes=np.asarray)


@misconception(
    "iterative_pruning.iterative_pruning",
    "Everything is cut off in the first round. Little by little, the net can make up for what it loses.",
)
def all_at_once(model, data, rounds, sparsity=0.9, epochs=1):
    return pruned(model, data, rounds, sparsity, epochs, share=lambda step, rounds, s: s)


@misconception(
    "iterative_pruning.iterative_pruning",
    "You cut, but never train. It is the training after each cut that brings the accuracy back.",
)
def never_trained(model, data, rounds, sparsity=0.9, epochs=1):
    for each in model.trainable_variables:
        if len(each.shape) > 1:
            values = each.numpy()
            each.assign(values * smallest_cut(np.abs(values), round(sparsity * values.size)))
    return model
