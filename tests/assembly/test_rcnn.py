"""The parts of `rcnn`, put together: anchors, targets, losses, proposals, RoI align and masks learn six scenes by heart."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from course import scenes
from grader.misconceptions import rcnn as mistakes
from grader.notebooks import solution_namespace
from kerasref.boxes import decode_boxes, iou, mean_average_precision, nms
from kerasref.rcnn import detection_objective, mask_objective, smooth

ops = keras.ops
SIZE = 64
SINGLE = {"dtype": "float32"}
layers = keras.layers


def first_stage():
    """Images to the anchors' scores and deltas, and to features of which one is four pixels wide."""
    image = keras.Input((SIZE, SIZE, 3), dtype="float32")
    x = layers.Conv2D(16, 3, 2, "same", activation="relu", **SINGLE)(image)
    features = layers.Conv2D(32, 3, 2, "same", activation="relu", **SINGLE)(x)
    x = layers.Conv2D(48, 3, 2, "same", activation="relu", **SINGLE)(features)
    x = layers.Conv2D(48, 3, 1, "same", activation="relu", **SINGLE)(x)
    answers = layers.Reshape((-1, 5), **SINGLE)(layers.Conv2D(9 * 5, 1, **SINGLE)(x))
    return keras.Model(image, [answers, features])


def second_stage():
    """Regions' features to logits, deltas and masks."""
    region = keras.Input((7, 7, 32), dtype="float32")
    x = layers.Dense(64, activation="relu", **SINGLE)(layers.Flatten(**SINGLE)(region))
    deltas = layers.Reshape((4, 4), **SINGLE)(layers.Dense(16, **SINGLE)(x))
    logits = layers.Dense(4, **SINGLE)(x)
    masks = layers.Reshape((14, 14, 3), **SINGLE)(layers.Dense(14 * 14 * 3, **SINGLE)(x))
    return keras.Model(region, [logits, deltas, masks])


def anchors_loss(labels, deltas, answers):
    positive, negative = (ops.cast(labels == which, "float32") for which in (1, 0))
    asked = ops.binary_crossentropy(positive, answers[..., 0], from_logits=True)
    moved = ops.sum(smooth(deltas, answers[..., 1:]), axis=-1)
    return ops.sum(positive * (asked + moved)) / ops.sum(positive) + ops.sum(negative * asked) / ops.sum(
        negative
    )


def regions_loss(labels, deltas, masks, answers):
    logits, moves, shapes = answers
    objects = ops.where(labels > 0)[0]
    own, truth, shapes = (ops.take(part, objects, axis=0) for part in (labels - 1, masks, shapes))
    return detection_objective(logits, labels, moves, deltas) + mask_objective(shapes, own, truth)


def descend(model, loss, given, *targets, steps):
    """Train a model on all it has, with Adam."""
    optimizer = keras.optimizers.Adam(3e-3)

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            value = loss(*targets, model(given))
        optimizer.apply_gradients(zip(tape.gradient(value, model.weights), model.weights, strict=True))

    optimizer.build(model.weights)
    for _ in range(steps):
        step()


def learnt(parts, count=6):
    """mAP at 0.5, and the mean IoU of the masks of what was found, on the scenes that were learnt."""
    keras.utils.set_random_seed(0)
    images, truth = scenes.draw(count, seed=8)
    pixels = tf.constant(images, tf.float32)
    anchors = parts["generate_anchors"]((8, 8), 8, (2, 3, 4), (0.5, 1, 2))
    targets = zip(*(parts["rpn_targets"](anchors, each["boxes"], 0.6, 0.3) for each in truth), strict=True)
    first, second = first_stage(), second_stage()
    descend(first, lambda y, d, out: anchors_loss(y, d, out[0]), pixels, *map(stacked, targets), steps=300)

    answers, features = (np.asarray(part, float) for part in first(pixels))
    regions, seen, given = [], [], []
    for answer, fields, each in zip(answers, features, truth, strict=True):
        found = parts["rpn_proposals"](answer[:, 0], answer[:, 1:], anchors, (SIZE, SIZE), 100, 20, 0.7, 4)
        positive, deltas = parts["rpn_targets"](found, each["boxes"], 0.5, 0.5)
        whose = iou(found, each["boxes"]).argmax(axis=1)
        masks = parts["roi_align"](np.moveaxis(each["masks"], 0, 2).astype(float), found, 14, 1.0)
        masks = masks[np.arange(len(found)), :, :, whose] >= 0.5
        regions.append(found)
        seen.append(parts["roi_align"](fields, found, 7, 0.25))
        given.append((np.where(positive == 1, each["labels"][whose] + 1, 0).astype(np.int32), deltas, masks))
    labels, *others = zip(*given, strict=True)
    labels, others = np.concatenate(labels), [np.concatenate(part).astype(np.float32) for part in others]
    looks = tf.constant(np.concatenate(seen), tf.float32)
    descend(second, regions_loss, looks, tf.constant(labels), *map(tf.constant, others), steps=300)

    found, overlaps = [], []
    for boxes, look, each in zip(regions, seen, truth, strict=True):
        answer = second(look.astype(np.float32))
        image, masks = detected(boxes, *(np.asarray(part, float) for part in answer))
        for box, mask in zip(image["boxes"], masks, strict=True):
            pasted = parts["paste_mask"](mask, box, (SIZE, SIZE), 0.0)
            overlaps.append(max(np.sum(pasted & own) / np.sum(pasted | own) for own in each["masks"]))
        found.append(image)
    return mean_average_precision(found, truth), np.mean(overlaps) if overlaps else 0.0


def stacked(parts):
    return tf.constant(np.stack(parts), tf.float32)


def detected(regions, logits, deltas, masks):
    """What the second stage says: boxes, scores and labels, and the logits of a mask for each."""
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    parts = []
    for label in range(3):
        boxes = np.clip(decode_boxes(deltas[:, label + 1], regions), 0, SIZE)
        kept = nms(boxes, shares[:, label + 1], 0.4)
        kept = kept[shares[kept, label + 1] >= 0.5]
        parts.append(
            (boxes[kept], shares[kept, label + 1], np.full(len(kept), label), masks[kept, :, :, label])
        )
    boxes, scores, labels, masks = (np.concatenate(part) for part in zip(*parts, strict=True))
    return {"boxes": boxes, "scores": scores, "labels": labels}, masks


@pytest.fixture
def parts():
    return solution_namespace("rcnn")


def test_the_parts_learn_six_scenes_by_heart(parts):
    precision, overlap = learnt(parts)
    assert precision == 1.0
    assert overlap > 0.75


def corners_and_sides(rpn_targets):
    """As if the objects came as x, y, width and height."""

    def wrong(anchors, gt_boxes, *thresholds):
        boxes = np.concatenate([gt_boxes[:, :2], gt_boxes[:, :2] + gt_boxes[:, 2:]], axis=1)
        return rpn_targets(anchors, boxes, *thresholds)

    return wrong


def unscaled(roi_align):
    """As if boxes came in features."""
    return lambda features, boxes, size, spatial_scale: roi_align(features, boxes, size, 1.0)


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        ("rpn_targets", lambda right: mistakes.other_way_round.wrong),
        ("rpn_targets", corners_and_sides),
        ("roi_align", unscaled),
        ("roi_align", lambda right: mistakes.align_rows_by_x.wrong),
    ],
    ids=["deltas the other way round", "xywh for xyxy", "pixels for features", "rows for x"],
)
def test_with_a_wrong_part_they_do_not(parts, function, wrong):
    assert min(learnt({**parts, function: wrong(parts[function])})) < 0.7
