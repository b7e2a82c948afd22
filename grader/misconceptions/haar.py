"""Well-known wrong answers to the assignment `haar`."""

import numpy as np

from grader.exercise import misconception

KINDS = {"edge_x": (2, 1), "edge_y": (1, 2), "line_x": (3, 1), "line_y": (1, 3), "checker": (2, 2)}


def corners(image):
    return np.pad(np.cumsum(np.cumsum(image, axis=0, dtype=float), axis=1), ((1, 0), (1, 0)))


INTEGRAL = "integral_image.integral_image"


@misconception(
    INTEGRAL,
    "The row and the column of zeros are missing: above the first row and left of the first column the sum is 0, and rectangles "
    "that touch the border need that. The shape is (h + 1, w + 1).",
)
def without_zeros(image):
    return np.cumsum(np.cumsum(image, axis=0), axis=1)


@misconception(
    INTEGRAL,
    "The zeros are at the wrong end. What stands at (y, x) is the sum before row y and column x: zeros come first, at the top "
    "and at the left, and the sum of everything stands in the last corner.",
)
def zeros_behind(image):
    return np.pad(np.cumsum(np.cumsum(image, axis=0), axis=1), ((0, 1), (0, 1)))


@misconception(
    INTEGRAL, "It adds up down the columns only. Cumulate a second time, along the rows (`axis=1`)."
)
def down_only(image):
    return np.pad(np.cumsum(image, axis=0), ((1, 0), (1, 0)))


@misconception(
    INTEGRAL, "It adds up along the rows only. Cumulate a second time, down the columns (`axis=0`)."
)
def right_only(image):
    return np.pad(np.cumsum(image, axis=1), ((1, 0), (1, 0)))


@misconception(
    INTEGRAL,
    "`cumsum` without an axis runs through the flattened image, row after row: a corner then also holds what lies to the right, "
    "in the rows above. Cumulate along each axis.",
)
def flattened(image):
    return np.pad(np.cumsum(image).reshape(image.shape), ((1, 0), (1, 0)))


@misconception(
    INTEGRAL,
    "The sums are kept in the image's own type, and bytes wrap at 256: cumulate in floats (`dtype=float`).",
)
def wraps(image):
    return np.pad(
        np.cumsum(np.cumsum(image, axis=0, dtype=image.dtype), axis=1, dtype=image.dtype), ((1, 0), (1, 0))
    )


@misconception(
    INTEGRAL,
    "In the recurrence I(y, x) = pixel + I above + I to the left, what lies above and left of both was added twice: take it off "
    "once.",
)
def recurrence_counts_twice(image):
    integral = np.zeros((image.shape[0] + 1, image.shape[1] + 1))
    for y, x in np.ndindex(*image.shape):
        integral[y + 1, x + 1] = image[y, x] + integral[y, x + 1] + integral[y + 1, x]
    return integral


SUM = "integral_image.rectangle_sum"


@misconception(
    SUM,
    "x and y changed places. x is the column and y the row, and an array is indexed `[row, column]`: `integral[y, x]`.",
)
def x_first(integral, x, y, w, h):
    integral = np.pad(integral, ((0, 9), (0, 9)), mode="edge")
    return integral[x + w, y + h] - integral[x + w, y] - integral[x, y + h] + integral[x, y]


@misconception(SUM, "w and h changed places: the width goes with x, along a row, and the height with y.")
def width_down(integral, x, y, w, h):
    integral = np.pad(integral, ((0, 9), (0, 9)), mode="edge")
    return integral[y + w, x + h] - integral[y + w, x] - integral[y, x + h] + integral[y, x]


@misconception(
    SUM,
    "What lies above and to the left of the rectangle is in both areas that you take off: add it back once, `+ integral[y, x]`.",
)
def taken_off_twice(integral, x, y, w, h):
    return integral[y + h, x + w] - integral[y, x + w] - integral[y + h, x]


@misconception(
    SUM,
    "This is the sum from the top left of the image to the rectangle's end: take off what lies before it.",
)
def from_the_origin(integral, x, y, w, h):
    return integral[y + h, x + w]


@misconception(
    SUM,
    "One row and one column are missing. With the zeros in front, the far corner is at [y + h, x + w], without a - 1.",
)
def one_short(integral, x, y, w, h):
    y2, x2 = y + h - 1, x + w - 1
    return integral[y2, x2] - integral[y, x2] - integral[y2, x] + integral[y, x]


@misconception(
    SUM,
    "You go back to [y - 1, x - 1], as if there were no zeros in front. `integral[y, x]` is already the sum of what lies before "
    "row y and column x; and at the border -1 counts from behind.",
)
def one_before(integral, x, y, w, h):
    y1, x1, y2, x2 = y - 1, x - 1, y + h - 1, x + w - 1
    return integral[y2, x2] - integral[y1, x2] - integral[y2, x1] + integral[y1, x1]


@misconception(
    SUM,
    "The width and the height were taken for the far corner. It lies at x + w and y + h.",
)
def size_for_corner(integral, x, y, w, h):
    return integral[h, w] - integral[y, w] - integral[h, x] + integral[y, x]


@misconception(
    SUM,
    "`integral[y:y + h, x:x + w].sum()` adds up sums: the integral image holds totals, not pixels. Four of its numbers are "
    "enough.",
)
def sums_of_sums(integral, x, y, w, h):
    return integral[y : y + h, x : x + w].sum()


def area(integral, x, y, w, h):
    return integral[y + h, x + w] - integral[y, x + w] - integral[y + h, x] + integral[y, x]


def parts(integral, kind, x, y, w, h):
    """The sums of the parts, (down, across)."""
    across, down = KINDS[kind]
    w, h = w // across, h // down
    return np.array(
        [[area(integral, x + j * w, y + i * h, w, h) for j in range(across)] for i in range(down)]
    )


SIGNS = {
    "edge_x": np.array([[1, -1]]),
    "edge_y": np.array([[1], [-1]]),
    "line_x": np.array([[1, -2, 1]]),
    "line_y": np.array([[1], [-2], [1]]),
    "checker": np.array([[1, -1], [-1, 1]]),
}


def feature_with(**changed):
    signs = {**SIGNS, **changed}

    def feature(integral, kind, x, y, w, h):
        return np.sum(signs[kind] * parts(integral, kind, x, y, w, h))

    return feature


def weighed(integral, kind, x, y, w, h):
    return np.sum(SIGNS[kind] * parts(integral, kind, x, y, w, h))


FEATURE = "haar_feature.haar_feature"

middle_once = misconception(
    FEATURE,
    "The middle of a line counts minus once. There is twice as much around it: without the factor 2 a plain bright wall looks "
    "like a line.",
)(feature_with(line_x=[[1, -1, 1]], line_y=[[1], [-1], [1]]))

lines_turned = misconception(
    FEATURE, "The sign of the lines is turned: the outer thirds count plus, the middle minus twice."
)(feature_with(line_x=[[-1, 2, -1]], line_y=[[-1], [2], [-1]]))

checker_turned = misconception(
    FEATURE,
    "The sign of the checker is turned: top left and bottom right count plus, the two others minus.",
)(feature_with(checker=[[-1, 1], [1, -1]]))

checker_in_rows = misconception(
    FEATURE,
    "This checker takes the lower half from the upper one, as `edge_y` does. Its equal signs lie on the diagonals: top left "
    "and bottom right.",
)(feature_with(checker=[[1, 1], [-1, -1]]))

edges_turned = misconception(
    FEATURE,
    "The sign of the edges is turned: left - right, and top - bottom. (scikit-image has it the other way round.)",
)(feature_with(edge_x=[[-1, 1]], edge_y=[[-1], [1]]))

all_turned = misconception(
    FEATURE,
    "Every sign is turned: left, top, the outer thirds and the top left count plus here.",
)(feature_with(**{kind: -signs for kind, signs in SIGNS.items()}))


@misconception(
    FEATURE,
    "The kinds are crossed: `edge_x` has its parts side by side, so that it changes along x; `edge_y` on top of each other.",
)
def kinds_crossed(integral, kind, x, y, w, h):
    other = kind.replace("_x", "_?").replace("_y", "_x").replace("_?", "_y")
    return weighed(integral, other, x, y, w, h)


@misconception(
    FEATURE,
    "w and h were taken for the size of one part. They are the size of the whole feature: divide by the parts across and down.",
)
def size_of_a_part(integral, kind, x, y, w, h):
    across, down = KINDS[kind]
    integral = np.pad(integral, ((0, 30), (0, 30)), mode="edge")
    return weighed(integral, kind, x, y, across * w, down * h)


@misconception(
    FEATURE,
    "This compares means, not sums: do not divide by the size of the parts.",
)
def means(integral, kind, x, y, w, h):
    across, down = KINDS[kind]
    return weighed(integral, kind, x, y, w, h) / (w // across * (h // down))


@misconception(FEATURE, "The sign is part of the feature: leave out `abs`.")
def absolute(integral, kind, x, y, w, h):
    return abs(weighed(integral, kind, x, y, w, h))


FEATURES = "haar_features.haar_features"


def listed(image, window, ranges, name=lambda *description: description):
    """All features by the loops of a student: `ranges` are sizes(parts, limit) and places(size, limit)."""
    (height, width), (sizes, places) = window, ranges
    integral, values, descriptions = corners(image), [], []
    for kind, (across, down) in KINDS.items():
        for w in sizes(across, width):
            for h in sizes(down, height):
                for y in places(h, height):
                    for x in places(w, width):
                        values.append(weighed(integral, kind, x, y, w, h))
                        descriptions.append(name(kind, x, y, w, h))
    return np.array(values), descriptions


def both(window):
    return window if isinstance(window, tuple | list) else (window, window)


def stepping(step, size_step=None):
    """The right ranges."""
    size_step = size_step or step
    return (
        lambda parts, limit: range(parts, limit + 1, parts * size_step),
        lambda size, limit: range(0, limit - size + 1, step),
    )


@misconception(
    FEATURES,
    "The last place is missing: a feature of width w fits at the columns 0 to width - w, and that last one counts. Write "
    "`range(0, width - w + 1, step)`.",
)
def without_the_last_place(image, window, step=1):
    sizes, _ = stepping(step)
    return listed(image, both(window), (sizes, lambda size, limit: range(0, limit - size, step)))


@misconception(
    FEATURES,
    "The largest sizes are missing: a feature may be as wide and as high as the window. Write `range(across, width + 1, ...)`.",
)
def without_the_largest(image, window, step=1):
    _, places = stepping(step)
    return listed(image, both(window), (lambda parts, limit: range(parts, limit, parts * step), places))


@misconception(
    FEATURES,
    "`step` moves the places only: it moves the sizes too, a part grows from 1 pixel to 1 + step.",
)
def sizes_not_stepped(image, window, step=1):
    return listed(image, both(window), stepping(step, 1))


@misconception(FEATURES, "`step` moves the sizes only: it moves the places too.")
def places_not_stepped(image, window, step=1):
    return listed(image, both(window), stepping(1, step))


@misconception(
    FEATURES,
    "The parts begin at `step` pixels: they begin at one, and go on with 1 + step.",
)
def parts_begin_at_step(image, window, step=1):
    _, places = stepping(step)

    def sizes(parts, limit):
        return range(parts * step, limit + 1, parts * step)

    return listed(image, both(window), (sizes, places))


@misconception(
    FEATURES,
    "These are the features of the whole image. Only those count that lie in the window, which is at the top left.",
)
def whole_image(image, window, step=1):
    return listed(image, image.shape, stepping(step))


@misconception(
    FEATURES,
    "Of a pair the first number is the height: `height, width = window`.",
)
def width_first(image, window, step=1):
    return listed(np.pad(image, ((0, 9), (0, 9))), both(window)[::-1], stepping(step))


@misconception(
    FEATURES,
    "x and y changed places in the descriptions: (kind, x, y, w, h), the column first.",
)
def rows_first(image, window, step=1):
    return listed(image, both(window), stepping(step), lambda kind, x, y, w, h: (kind, y, x, w, h))


@misconception(
    FEATURES,
    "The descriptions hold the size of one part: w and h are those of the whole feature.",
)
def described_by_a_part(image, window, step=1):
    def name(kind, x, y, w, h):
        return kind, x, y, w // KINDS[kind][0], h // KINDS[kind][1]

    return listed(image, both(window), stepping(step), name)


@misconception(
    FEATURES,
    "The descriptions end with the far corner: they hold the size, (kind, x, y, w, h).",
)
def described_by_corners(image, window, step=1):
    return listed(image, both(window), stepping(step), lambda kind, x, y, w, h: (kind, x, y, x + w, y + h))


def stump_says(features, feature, threshold, polarity):
    return polarity * features[:, feature] < polarity * threshold


def best_stump(features, labels, weights, polarities=(1, -1), between=True, ends=True, which=slice(None)):
    """The stump with the smallest error, by trying all there are."""
    best = (0, 0.0, 1, np.inf)
    for feature in range(features.shape[1])[which]:
        values = np.unique(features[:, feature])
        thresholds = (values[1:] + values[:-1]) / 2 if between else values
        if ends:
            thresholds = [*thresholds, np.inf]
        for threshold in thresholds:
            for polarity in polarities:
                wrong = stump_says(features, feature, threshold, polarity) != labels
                error = np.sum(weights[wrong])
                if error < best[3]:
                    best = (feature, float(threshold), polarity, float(error))
    return best


STUMP = "train_stump.train_stump"


@misconception(
    STUMP,
    "It counts the samples that are wrong. Each has a weight: add up the weights of the wrong ones.",
)
def unweighted(features, labels, weights):
    return best_stump(features, labels, np.full(len(labels), 1 / len(labels)))


@misconception(
    STUMP,
    "The stump is chosen by the number of wrong samples, and only its error is weighted: choose by the weighted error.",
)
def chosen_unweighted(features, labels, weights):
    *stump, _ = best_stump(features, labels, np.full(len(labels), 1 / len(labels)))
    return *stump, float(weights[stump_says(features, *stump) != labels].sum())


@misconception(
    STUMP,
    "Only polarity 1 was tried: faces may also lie above the threshold. What polarity 1 gets wrong, polarity -1 gets right.",
)
def one_polarity(features, labels, weights):
    return best_stump(features, labels, weights, polarities=(1,))


@misconception(
    STUMP,
    "The polarity is turned: polarity 1 says 1 *below* the threshold, where value < threshold.",
)
def polarity_turned(features, labels, weights):
    feature, threshold, polarity, error = best_stump(features, labels, weights)
    return feature, threshold, -polarity, error


@misconception(STUMP, "Only the first feature was tried: go through all columns.")
def first_feature(features, labels, weights):
    return best_stump(features, labels, weights, which=slice(1))


@misconception(
    STUMP,
    "No threshold lies beyond all values, and sometimes it is best to say the same of every sample: let a threshold lie above "
    "them all.",
)
def gaps_inside_only(features, labels, weights):
    return best_stump(features, labels, weights, ends=False)


@misconception(
    STUMP,
    "The threshold is always halfway between the means of the two classes: that is a good guess, not the best one. Try every gap.",
)
def halfway(features, labels, weights):
    best = (0, 0.0, 1, np.inf)
    for feature, column in enumerate(features.T):
        threshold = (column[labels == 1].mean() + column[labels == 0].mean()) / 2
        for polarity in (1, -1):
            error = weights[stump_says(features, feature, threshold, polarity) != labels].sum()
            if error < best[3]:
                best = (feature, threshold, polarity, error)
    return best


def cumulated(features, labels, weights, reorder=True, ties=True):
    order = np.argsort(features, axis=0)
    ranked = np.take_along_axis(features, order, axis=0)
    signed = np.where(labels == 1, weights, -weights)
    gain = np.cumsum(
        signed[order] if reorder else np.repeat(signed[:, np.newaxis], features.shape[1], 1), axis=0
    )
    errors = np.stack([weights[labels == 1].sum() - gain, weights[labels == 0].sum() + gain])
    if ties:
        errors[:, :-1][:, ranked[:-1] == ranked[1:]] = np.inf
    side, place, feature = np.unravel_index(errors.argmin(), errors.shape)
    column = np.append(ranked[:, feature], ranked[-1, feature] + 2)
    threshold = (column[place] + column[place + 1]) / 2
    return int(feature), float(threshold), (1, -1)[side], float(errors[side, place, feature])


@misconception(
    STUMP,
    "The values were sorted, the weights and labels were not: put them into the same order, `weights[order]`.",
)
def weights_not_sorted(features, labels, weights):
    return cumulated(features, labels, weights, reorder=False)


@misconception(
    STUMP,
    "A threshold cannot come between equal values: the error that you found there, no stump has. Skip gaps without width.",
)
def between_equals(features, labels, weights):
    return cumulated(features, labels, weights, ties=False)


BOOST = "adaboost.adaboost"


def boosted(features, labels, rounds, start=None, normalise=True, alpha=None, update=None, train=best_stump):
    """AdaBoost; `update(wrong, beta)` gives the factors of the weights, `alpha(error)` the vote."""
    counts = np.bincount(labels, minlength=2)
    weights = 1 / (2 * counts[labels]) if start is None else start(labels)
    model = []
    for _ in range(rounds):
        if normalise:
            weights = weights / weights.sum()
        feature, threshold, polarity, error = train(features, labels, weights)
        error = max(error, 1e-10)
        beta = error / (1 - error)
        wrong = stump_says(features, feature, threshold, polarity) != labels
        weights = weights * (np.where(wrong, 1, beta) if update is None else update(wrong, beta))
        model.append(
            (feature, threshold, polarity, float(np.log(1 / beta) if alpha is None else alpha(error)))
        )
    return model


@misconception(
    BOOST,
    "All samples begin with the same weight. Each class has half of it: 1 / 2m for the m faces, 1 / 2l for the l others.",
)
def equal_start(features, labels, rounds):
    return boosted(features, labels, rounds, start=lambda labels: np.full(len(labels), 1 / len(labels)))


@misconception(
    BOOST,
    "The classes' first weights are crossed: 1 / 2m, m the number of faces, belongs to the faces.",
)
def start_crossed(features, labels, rounds):
    return boosted(features, labels, rounds, start=lambda y: 1 / (2 * np.bincount(y)[1 - y]))


@misconception(
    BOOST,
    "The weights are not divided by their sum at the beginning of each round, so the error is no longer a share of 1, and beta "
    "and alpha are wrong.",
)
def never_normalised(features, labels, rounds):
    return boosted(features, labels, rounds, normalise=False)


@misconception(
    BOOST,
    "The wrong samples were multiplied by beta, which is below 1: they become lighter. It is the samples that were *right* whose "
    "weights shrink.",
)
def wrong_ones_shrink(features, labels, rounds):
    return boosted(features, labels, rounds, update=lambda wrong, beta: np.where(wrong, beta, 1))


@misconception(
    BOOST,
    "All samples were multiplied by beta: after dividing by the sum nothing has changed. Only those that were right get it.",
)
def all_shrink(features, labels, rounds):
    return boosted(features, labels, rounds, update=lambda wrong, beta: beta)


@misconception(
    BOOST,
    "The weights stay as they are, so that every round finds the same stump: multiply those of the right samples by beta.",
)
def never_updated(features, labels, rounds):
    return boosted(features, labels, rounds, update=lambda wrong, beta: 1)


@misconception(
    BOOST,
    "The wrong samples were multiplied by 1 / beta and the right ones by beta: one of the two is enough, both is twice too much.",
)
def updated_twice(features, labels, rounds):
    return boosted(features, labels, rounds, update=lambda wrong, beta: np.where(wrong, 1 / beta, beta))


@misconception(BOOST, "Alpha is the logarithm of 1 / beta: the logarithm is missing.")
def without_log(features, labels, rounds):
    return boosted(features, labels, rounds, alpha=lambda error: (1 - error) / error)


@misconception(
    BOOST,
    "The sign of alpha is turned: a stump with a small error counts much, log(1 / beta) is positive.",
)
def alpha_turned(features, labels, rounds):
    return boosted(features, labels, rounds, alpha=lambda error: np.log(error / (1 - error)))


@misconception(
    BOOST,
    "This alpha has a half in front, as where stumps say -1 and 1. Viola and Jones' stumps say 0 and 1: alpha = log(1 / beta).",
)
def half_alpha(features, labels, rounds):
    return boosted(features, labels, rounds, alpha=lambda error: 0.5 * np.log((1 - error) / error))


@misconception(BOOST, "Alpha is 1 / error here; it is log(1 / beta), with beta = error / (1 - error).")
def log_of_the_error(features, labels, rounds):
    return boosted(features, labels, rounds, alpha=lambda error: np.log(1 / error))


@misconception(
    BOOST,
    "A perfect stump has error 0, and its alpha is infinite: take the error as 1e-10 where it is smaller.",
)
def error_not_clipped(features, labels, rounds):
    counts = np.bincount(labels, minlength=2)
    weights = 1 / (2 * counts[labels])
    model = []
    for _ in range(rounds):
        weights = weights / weights.sum()
        *stump, error = best_stump(features, labels, weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            beta = np.float64(error) / (1 - error)
            weights = np.where(stump_says(features, *stump) == labels, beta * weights, weights)
            model.append((*stump, float(np.log(1 / beta))))
    return model


PREDICT = "adaboost.predict_adaboost"


def tally(model, features):
    return sum(alpha * stump_says(features, *stump) for *stump, alpha in model)


def total(model):
    return sum(alpha for *_, alpha in model)


@misconception(
    PREDICT,
    "The vote is compared with 0.5. It is a sum of alphas: compare it with half of their sum.",
)
def absolute_half(model, features):
    return (tally(model, features) >= 0.5).astype(int)


@misconception(PREDICT, "Every stump has one vote here, whatever its alpha: let it count alpha.")
def plain_majority(model, features):
    count = sum(stump_says(features, *stump).astype(int) for *stump, _ in model)
    return (2 * count >= len(model)).astype(int)


@misconception(PREDICT, "Exactly half is enough: the vote may be equal to half of the alphas, `>=`.")
def more_than_half(model, features):
    return (tally(model, features) > total(model) / 2).astype(int)


@misconception(
    PREDICT,
    "The vote is compared with the sum of all alphas, so that one stump that says 0 is a veto: half of them are enough.",
)
def all_of_them(model, features):
    return (tally(model, features) >= total(model)).astype(int)


@misconception(
    PREDICT,
    "The vote is compared with 0, which is right where stumps say -1 and 1. These say 0 and 1: half of the alphas is the border.",
)
def above_zero(model, features):
    return (tally(model, features) > 0).astype(int)


@misconception(
    PREDICT,
    "The polarity is left out: a stump of polarity -1 says 1 *above* its threshold.",
)
def polarity_left_out(model, features):
    votes = sum(alpha * (features[:, feature] < threshold) for feature, threshold, _, alpha in model)
    return (votes >= total(model) / 2).astype(int)


@misconception(
    PREDICT,
    "The polarity stands on one side only: `polarity * value < polarity * threshold`.",
)
def polarity_on_one_side(model, features):
    votes = sum(alpha * (p * features[:, feature] < threshold) for feature, threshold, p, alpha in model)
    return (votes >= total(model) / 2).astype(int)


@misconception(
    PREDICT, "This is the vote itself: say 1 where it is at least half of the alphas, 0 elsewhere."
)
def bare_vote(model, features):
    return tally(model, features)


CASCADE = "cascade.cascade_predict"


def answers(stages, features):
    return np.array([tally(model, features) >= threshold for model, threshold in stages])


@misconception(
    CASCADE,
    "Stages are counted that come after a no. A sample that is rejected is out, and is asked no more.",
)
def goes_on_after_a_no(stages, features):
    says = answers(stages, features)
    return says.all(axis=0), says.sum(axis=0)


@misconception(
    CASCADE,
    "The last stage decides alone. Accepted is what passes every stage.",
)
def last_stage_decides(stages, features):
    says = answers(stages, features)
    return says[-1], np.cumprod(says, axis=0).sum(axis=0)


@misconception(
    CASCADE, "One yes is enough here. Accepted is what passes every stage: one no is enough to be out."
)
def one_yes_is_enough(stages, features):
    says = answers(stages, features)
    return says.any(axis=0), np.cumprod(says, axis=0).sum(axis=0)


@misconception(
    CASCADE,
    "Each stage has a threshold of its own, which training lowered: half of the alphas is not asked for.",
)
def half_in_every_stage(stages, features):
    return cascade_with(answers([(model, total(model) / 2) for model, _ in stages], features))


@misconception(CASCADE, "A vote that equals the threshold passes: `>=`.")
def must_be_above(stages, features):
    return cascade_with(np.array([tally(model, features) > threshold for model, threshold in stages]))


@misconception(
    CASCADE,
    "`passed` counts the stage that rejects too: count only those that were passed before it.",
)
def counts_the_rejecting_stage(stages, features):
    accepted, passed = cascade_with(answers(stages, features))
    return accepted, np.where(accepted, passed, passed + 1)


@misconception(
    CASCADE,
    "`passed` is the number of the last stage, counted from 0: it is how many stages were passed.",
)
def counts_from_zero(stages, features):
    accepted, passed = cascade_with(answers(stages, features))
    return accepted, np.where(accepted, passed - 1, passed)


def cascade_with(says):
    passed = np.cumprod(says, axis=0).sum(axis=0)
    return passed == len(says), passed


TRAIN = "cascade.train_cascade"


def trained(features, labels, stages, rounds, threshold, keep=None):
    """A cascade; `threshold(votes of the faces, sum of alphas)`, `keep(votes of the others, threshold)`."""
    faces, others = features[labels == 1], features[labels == 0]
    cascade = []
    for _ in range(stages):
        if len(others) == 0:
            break
        both = np.repeat([1, 0], [len(faces), len(others)])
        model = boosted(np.concatenate([faces, others]), both, rounds)
        lowered = float(threshold(tally(model, faces), total(model)))
        cascade.append((model, lowered))
        votes = tally(model, others)
        others = others[votes >= lowered if keep is None else keep(votes, lowered)]
    return cascade


def lowered_to(rate):
    def threshold(votes, alphas):
        return min(alphas / 2, np.sort(votes)[::-1][int(np.ceil(rate * len(votes))) - 1])

    return threshold


@misconception(
    TRAIN,
    "Every stage is trained on all negatives, so that each learns what the first one knows: keep only those that passed the "
    "stages so far.",
)
def all_negatives_again(features, labels, stages, rounds, min_detection_rate):
    return trained(
        features, labels, stages, rounds, lowered_to(min_detection_rate), lambda votes, _: votes < np.inf
    )


@misconception(
    TRAIN,
    "You kept the negatives that were rejected. They are done with: the next stage learns from those that *passed*.",
)
def keeps_the_rejected(features, labels, stages, rounds, min_detection_rate):
    return trained(
        features, labels, stages, rounds, lowered_to(min_detection_rate), lambda votes, limit: votes < limit
    )


@misconception(
    TRAIN,
    "The threshold stays at half of the alphas, and faces are lost at every stage: lower it until `min_detection_rate` of them "
    "pass.",
)
def never_lowered(features, labels, stages, rounds, min_detection_rate):
    return trained(features, labels, stages, rounds, lambda votes, alphas: alphas / 2)


@misconception(
    TRAIN,
    "The threshold is lowered to 0, and everything passes: lower it no further than it takes to pass enough faces.",
)
def everything_passes(features, labels, stages, rounds, min_detection_rate):
    return trained(features, labels, stages, rounds, lambda votes, alphas: 0.0)


@misconception(
    TRAIN,
    "The threshold passes every face: `min_detection_rate` of them is enough, and each face more lets negatives in.",
)
def every_face_passes(features, labels, stages, rounds, min_detection_rate):
    return trained(features, labels, stages, rounds, lowered_to(1.0))


@misconception(
    TRAIN,
    "`min_detection_rate` is the share of the faces that pass, not a share of the alphas: look at the faces' votes.",
)
def rate_of_the_alphas(features, labels, stages, rounds, min_detection_rate):
    return trained(features, labels, stages, rounds, lambda votes, alphas: min_detection_rate * alphas)


@misconception(
    TRAIN,
    "The sorted votes were counted from the wrong end: so many faces are *dropped* as should pass.",
)
def rate_from_below(features, labels, stages, rounds, min_detection_rate):
    def threshold(votes, alphas):
        return np.sort(votes)[int(np.ceil(min_detection_rate * len(votes))) - 1]

    return trained(features, labels, stages, rounds, threshold)


@misconception(
    TRAIN,
    "`np.quantile` interpolates: its result can lie above a face that you need. Take the vote of that face itself, the number of "
    "faces rounded up.",
)
def interpolated_quantile(features, labels, stages, rounds, min_detection_rate):
    def threshold(votes, alphas):
        return min(alphas / 2, np.quantile(votes, 1 - min_detection_rate))

    return trained(features, labels, stages, rounds, threshold)


@misconception(
    TRAIN,
    "Training goes on without negatives, on nothing but faces: stop when none are left.",
)
def on_without_negatives(features, labels, stages, rounds, min_detection_rate):
    cascade = trained(features, labels, stages, rounds, lowered_to(min_detection_rate))
    return [*cascade, *cascade[-1:] * (stages - len(cascade))]


DETECT = "detect_multiscale.detect_multiscale"


def shrunk(image, height, width):
    def shares(old, new):
        edges = np.linspace(0, old, new + 1)[:, np.newaxis]
        covered = np.minimum(edges[1:], np.arange(1, old + 1)) - np.maximum(edges[:-1], np.arange(old))
        return np.maximum(covered, 0) * new / old

    return shares(image.shape[0], height) @ image @ shares(image.shape[1], width).T


def scanned(image, classify, window, scale, step, box=None, last=1, levels=None, steps=None):
    """The scan of a student; `box(x, y, width, height, across, down)` gives the box, `steps(step, factor)` the moves."""
    height, width = both(window)
    boxes, factor, level = [], 1.0, 0
    while levels is None or level < levels:
        h, w = int(image.shape[0] / factor), int(image.shape[1] / factor)
        if h < height or w < width:
            break
        copy = shrunk(image, h, w)
        move = step if steps is None else steps(step, factor)
        for y in range(0, h - height + last, move):
            for x in range(0, w - width + last, move):
                if classify(copy[y : y + height, x : x + width]):
                    across, down = image.shape[1] / w, image.shape[0] / h
                    if box is None:
                        found = across * x, down * y, across * (x + width), down * (y + height)
                    else:
                        found = box(x, y, width, height, across, down)
                    boxes.append(found)
        factor, level = factor * scale, level + 1
    return np.array(boxes, float).reshape(-1, 4)


@misconception(
    DETECT,
    "The boxes are in pixels of the shrunken copies: multiply each by how many times smaller its copy is.",
)
def not_scaled_back(image, classify, window, scale=1.25, step=2):
    return scanned(image, classify, window, scale, step, lambda x, y, w, h, *_: (x, y, x + w, y + h))


@misconception(
    DETECT,
    "The corner is scaled back, the size is not: a box found in a copy that is f times smaller is f times larger too.",
)
def size_not_scaled_back(image, classify, window, scale=1.25, step=2):
    return scanned(
        image,
        classify,
        window,
        scale,
        step,
        lambda x, y, w, h, across, down: (across * x, down * y, across * x + w, down * y + h),
    )


@misconception(
    DETECT,
    "The boxes were divided by the factor instead of multiplied: what is small in the copy is large in the image.",
)
def scaled_the_wrong_way(image, classify, window, scale=1.25, step=2):
    return scanned(
        image,
        classify,
        window,
        scale,
        step,
        lambda x, y, w, h, across, down: (x / across, y / down, (x + w) / across, (y + h) / down),
    )


@misconception(DETECT, "These boxes are (x, y, width, height): give the far corner, (x1, y1, x2, y2).")
def sizes_for_corners(image, classify, window, scale=1.25, step=2):
    return scanned(
        image,
        classify,
        window,
        scale,
        step,
        lambda x, y, w, h, across, down: (across * x, down * y, across * w, down * h),
    )


@misconception(
    DETECT,
    "x and y changed places in the boxes: the column comes first, (x1, y1, x2, y2).",
)
def rows_before_columns(image, classify, window, scale=1.25, step=2):
    return scanned(
        image,
        classify,
        window,
        scale,
        step,
        lambda x, y, w, h, across, down: (down * y, across * x, down * (y + h), across * (x + w)),
    )


@misconception(DETECT, "The far corner is not part of the box, and there is no - 1: x2 = x1 + width.")
def inclusive_corners(image, classify, window, scale=1.25, step=2):
    return scanned(
        image,
        classify,
        window,
        scale,
        step,
        lambda x, y, w, h, across, down: (
            across * x,
            down * y,
            across * (x + w - 1),
            down * (y + h - 1),
        ),
    )


@misconception(
    DETECT,
    "Only the image as it came was scanned: shrink it by `scale` again and again, as long as the window fits.",
)
def one_size_only(image, classify, window, scale=1.25, step=2):
    return scanned(image, classify, window, scale, step, levels=1)


@misconception(
    DETECT,
    "The last window of each row and column is missing: it begins at w - width, and that place counts.",
)
def without_the_last_window(image, classify, window, scale=1.25, step=2):
    return scanned(image, classify, window, scale, step, last=0)


@misconception(
    DETECT,
    "The window moves by one pixel: move it by `step`.",
)
def step_left_out(image, classify, window, scale=1.25, step=2):
    return scanned(image, classify, window, scale, 1)


@misconception(
    DETECT,
    "The step grows with the factor. It is in pixels of the copy: the same in each of them.",
)
def step_grows(image, classify, window, scale=1.25, step=2):
    return scanned(image, classify, window, scale, step, steps=lambda step, factor: int(step * factor))


@misconception(
    DETECT,
    "Of a pair the first number is the window's height: `height, width = window`.",
)
def window_crossed(image, classify, window, scale=1.25, step=2):
    return scanned(image, classify, both(window)[::-1], scale, step)


@misconception(
    DETECT,
    "Every copy is cut from the corner of the image instead of shrunk: what `classify` sees there is as large as before.",
)
def cut_not_shrunk(image, classify, window, scale=1.25, step=2):
    height, width = both(window)
    boxes, factor = [], 1.0
    while (h := int(image.shape[0] / factor)) >= height and (w := int(image.shape[1] / factor)) >= width:
        copy = image[:h, :w]
        for y in range(0, h - height + 1, step):
            for x in range(0, w - width + 1, step):
                if classify(copy[y : y + height, x : x + width]):
                    boxes.append([factor * x, factor * y, factor * (x + width), factor * (y + height)])
        factor *= scale
    return np.array(boxes, float).reshape(-1, 4)
