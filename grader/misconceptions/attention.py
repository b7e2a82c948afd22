"""Well-known wrong answers to the assignment `attention`."""

import numpy as np

from grader.exercise import misconception

OVERFLOWS = "`exp` overflows for large scores: take each row's maximum off before it."
WRONG_AXIS = (
    "The softmax runs over the queries. Each query shares out its attention among the keys: the last axis is the one "
    "that sums to 1."
)
WHOLE_TABLE = "All weights of a batch item sum to 1 together. Each query has weights of its own: take the softmax along the last axis."
NO_SOFTMAX = "These weights are the bare scores: without the softmax they are neither positive nor a share of anything."


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


def products(query, key):
    return query @ np.swapaxes(key, 1, 2)


def scaled(query, key):
    return products(query, key) / np.sqrt(query.shape[-1])


def masked(scores, mask):
    return scores if mask is None else np.where(mask, scores, -np.inf)


def attended(weights, value):
    return weights @ value, weights


DOT = "dot_product_attention.dot_product_attention"


@misconception(
    DOT,
    "The scores are not divided by the square root of d: a sum of d products grows with d, and the softmax hardens.",
)
def unscaled(query, key, value, mask=None):
    return attended(softmax(masked(products(query, key), mask)), value)


@misconception(
    DOT,
    "You divided by d itself. The scores of random vectors spread like the square root of d: divide by that.",
)
def scaled_by_d(query, key, value, mask=None):
    return attended(softmax(masked(products(query, key) / query.shape[-1], mask)), value)


@misconception(
    DOT,
    "You divided by the square root of the number of keys. It is the sum over the features that makes scores large: d is "
    "`query.shape[-1]`.",
)
def scaled_by_keys(query, key, value, mask=None):
    return attended(softmax(masked(products(query, key) / np.sqrt(key.shape[1]), mask)), value)


@misconception(
    DOT,
    "You multiplied by the square root of d where you should divide.",
)
def multiplied_by_the_root(query, key, value, mask=None):
    return attended(softmax(masked(products(query, key) * np.sqrt(query.shape[-1]), mask)), value)


@misconception(
    DOT,
    "You divided by the square root of the values' features. It is the sum over the features of query and key that makes "
    "scores large: d is `query.shape[-1]`.",
)
def scaled_by_values(query, key, value, mask=None):
    return attended(softmax(masked(products(query, key) / np.sqrt(value.shape[-1]), mask)), value)


@misconception(
    DOT,
    "`reshape` does not transpose: it fills a table of the new shape with the numbers in their old order. Take "
    "`np.swapaxes(key, 1, 2)`.",
)
def reshaped(query, key, value, mask=None):
    batch, keys, features = key.shape
    scores = query @ key.reshape(batch, features, keys) / np.sqrt(features)
    return attended(softmax(masked(scores, mask)), value)


@misconception(DOT, WRONG_AXIS)
def softmax_over_queries(query, key, value, mask=None):
    scores = scaled(query, key)
    if mask is not None:
        scores = np.where(mask, scores, -1e9)
    return attended(softmax(scores, axis=1), value)


@misconception(DOT, WHOLE_TABLE)
def softmax_over_the_table(query, key, value, mask=None):
    return attended(softmax(masked(scaled(query, key), mask), axis=(1, 2)), value)


@misconception(DOT, NO_SOFTMAX)
def without_softmax(query, key, value, mask=None):
    scores = scaled(query, key)
    return attended(scores if mask is None else scores * mask, value)


@misconception(DOT, OVERFLOWS)
def plain_exponentials(query, key, value, mask=None):
    e = np.exp(masked(scaled(query, key), mask))
    return attended(e / e.sum(axis=-1, keepdims=True), value)


@misconception(
    DOT,
    "The largest of the whole array is taken off: a row far below it underflows to 0/0. Each row has a maximum of its own.",
)
def one_maximum_for_all(query, key, value, mask=None):
    scores = masked(scaled(query, key), mask)
    e = np.exp(scores - scores.max())
    return attended(e / e.sum(axis=-1, keepdims=True), value)


@misconception(DOT, "The mask is turned round: True is where a query may look.")
def mask_inverted(query, key, value, mask=None):
    scores = scaled(query, key)
    if mask is not None:
        scores = np.where(mask, -1e9, scores)
    return attended(softmax(scores), value)


@misconception(DOT, "The mask has no effect: a query must not look where it is False.")
def mask_forgotten(query, key, value, mask=None):
    return attended(softmax(scaled(query, key)), value)


@misconception(
    DOT,
    "You masked after the softmax: what is left no longer sums to 1. Mask the scores, so that the softmax shares out "
    "everything among the rest.",
)
def masked_after(query, key, value, mask=None):
    weights = softmax(scaled(query, key))
    return attended(weights if mask is None else weights * mask, value)


@misconception(
    DOT,
    "You masked after the softmax and divided by what was left. On paper that is right; where a masked score is much the "
    "largest, nothing is left, and 0/0 follows. Mask the scores.",
)
def masked_after_and_divided(query, key, value, mask=None):
    weights = softmax(scaled(query, key))
    if mask is not None:
        weights = weights * mask
        weights = weights / weights.sum(axis=-1, keepdims=True)
    return attended(weights, value)


@misconception(
    DOT,
    "A masked score became 0, and 0 is a score like any other: its exponential is 1. Minus infinity is the score that "
    "gets no weight.",
)
def masked_by_zero(query, key, value, mask=None):
    scores = scaled(query, key)
    return attended(softmax(scores if mask is None else scores * mask), value)


@misconception(
    DOT,
    "The mask itself is added to the scores: True adds 1, which hides nothing. Put minus infinity where it is False.",
)
def mask_added(query, key, value, mask=None):
    scores = scaled(query, key)
    return attended(softmax(scores if mask is None else scores + mask), value)


@misconception(
    DOT,
    "A masked score is lowered, but not far enough: where it was large, it is large still. Replace it by minus infinity "
    "(`np.where`), or lower it by something like 1e9.",
)
def mask_too_weak(query, key, value, mask=None):
    scores = scaled(query, key)
    return attended(softmax(scores if mask is None else scores - 1e4 * ~mask), value)


@misconception(
    DOT,
    "The context is made from the keys. Keys say where to look; what is seen there are the values.",
)
def context_of_keys(query, key, value, mask=None):
    weights = softmax(masked(scaled(query, key), mask))
    return weights @ key, weights


@misconception(DOT, "Only the context came: return the weights too, `context, weights`.")
def context_only(query, key, value, mask=None):
    return softmax(masked(scaled(query, key), mask)) @ value


@misconception(DOT, "The two results are the wrong way round: first the context, then the weights.")
def the_wrong_way_round(query, key, value, mask=None):
    weights = softmax(masked(scaled(query, key), mask))
    return weights, weights @ value


ADDITIVE = "additive_attention.additive_attention"


def met(query, key, w_query, w_key):
    return (query @ w_query)[:, :, np.newaxis] + (key @ w_key)[:, np.newaxis]


@misconception(
    ADDITIVE,
    "There is no tanh: `v . (q w_query + k w_key)` falls into a query's term and a key's, and the query's, the same for "
    "every key, drops out of the softmax.",
)
def without_tanh(query, key, value, w_query, w_key, v):
    return attended(softmax(met(query, key, w_query, w_key) @ v), value)


@misconception(ADDITIVE, "The tanh comes last here: it belongs on the units, before `v` takes them together.")
def tanh_last(query, key, value, w_query, w_key, v):
    return attended(softmax(np.tanh(met(query, key, w_query, w_key) @ v)), value)


@misconception(ADDITIVE, "The units are simply added up: `v` says how much each of them counts.")
def without_v(query, key, value, w_query, w_key, v):
    return attended(softmax(np.tanh(met(query, key, w_query, w_key)).sum(axis=-1)), value)


@misconception(
    ADDITIVE, "Query and key have a tanh each: here they are added first, and the tanh is of the sum."
)
def two_tanhs(query, key, value, w_query, w_key, v):
    scores = np.tanh(query @ w_query)[:, :, np.newaxis] + np.tanh(key @ w_key)[:, np.newaxis]
    return attended(softmax(scores @ v), value)


@misconception(
    ADDITIVE, "Query and key are multiplied: this score is called additive because they are added."
)
def multiplied(query, key, value, w_query, w_key, v):
    scores = np.tanh((query @ w_query)[:, :, np.newaxis] * (key @ w_key)[:, np.newaxis]) @ v
    return attended(softmax(scores), value)


@misconception(
    ADDITIVE,
    "These scores are divided by the square root of something. The tanh keeps each unit within -1 and 1 already: additive "
    "scores are taken as they are.",
)
def additive_scaled(query, key, value, w_query, w_key, v):
    return attended(softmax(np.tanh(met(query, key, w_query, w_key)) @ v / np.sqrt(len(v))), value)


@misconception(ADDITIVE, "The two matrices are swapped: `w_query` is the query's, `w_key` the key's.")
def matrices_swapped(query, key, value, w_query, w_key, v):
    return attended(softmax(np.tanh(met(query, key, w_key, w_query)) @ v), value)


@misconception(ADDITIVE, WRONG_AXIS)
def additive_over_queries(query, key, value, w_query, w_key, v):
    return attended(softmax(np.tanh(met(query, key, w_query, w_key)) @ v, axis=1), value)


@misconception(ADDITIVE, OVERFLOWS)
def additive_exponentials(query, key, value, w_query, w_key, v):
    e = np.exp(np.tanh(met(query, key, w_query, w_key)) @ v)
    return attended(e / e.sum(axis=-1, keepdims=True), value)


HARD = "hard_attention.hard_attention"


def shares(query, key):
    return softmax(scaled(query, key))


def picked(value, index):
    return np.take_along_axis(value, index[..., np.newaxis], axis=1), index


def drawn(weights, rng):
    borders = np.cumsum(weights, axis=-1)[..., :-1]
    return (rng.random((*weights.shape[:2], 1)) >= borders).sum(axis=-1)


@misconception(
    HARD,
    "You take the likeliest key each time. Hard attention draws: a key with the weight 0.3 is looked at three times in ten.",
)
def the_likeliest(query, key, value, rng):
    return picked(value, shares(query, key).argmax(axis=-1))


@misconception(
    HARD,
    "The context is the soft one, a mixture of all values. Hard attention looks at one key: the context is that key's row "
    "of `value`.",
)
def soft_context(query, key, value, rng):
    weights = shares(query, key)
    return weights @ value, drawn(weights, rng)


@misconception(HARD, "Every key is drawn equally often: the weights must be the chances.")
def equal_chances(query, key, value, rng):
    return picked(value, rng.integers(key.shape[1], size=query.shape[:2]))


@misconception(HARD, "The chances are those of scores that were not divided by the square root of d.")
def unscaled_chances(query, key, value, rng):
    return picked(value, drawn(softmax(products(query, key)), rng))


@misconception(
    HARD,
    "One uniform number serves all queries, so they all turn the same way together: draw one for each.",
)
def one_draw_for_all(query, key, value, rng):
    weights = shares(query, key)
    index = (rng.random() >= np.cumsum(weights, axis=-1)[..., :-1]).sum(axis=-1)
    return picked(value, index)


@misconception(
    HARD,
    "The same uniform numbers serve every batch item: draw (batch, q) of them, not q.",
)
def one_draw_for_the_batch(query, key, value, rng):
    weights = shares(query, key)
    draws = rng.random((1, query.shape[1], 1))
    return picked(value, (draws >= np.cumsum(weights, axis=-1)[..., :-1]).sum(axis=-1))


@misconception(
    HARD,
    "You made a generator of your own: chance must come from the `rng` that is given, or nobody can repeat your draws.",
)
def own_generator(query, key, value, rng):
    return picked(value, drawn(shares(query, key), np.random.default_rng(0)))


@misconception(
    HARD,
    "A new uniform number is held against each border, so an early key hides those after it too often: one number a query, "
    "held against all borders.",
)
def one_draw_for_each_key(query, key, value, rng):
    weights = shares(query, key)
    passed = rng.random(weights.shape) >= np.cumsum(weights, axis=-1)
    return picked(value, passed.sum(axis=-1).clip(0, key.shape[1] - 1))


@misconception(
    HARD, "The rows are those of the keys: the context is made of values, at the place of the key drawn."
)
def rows_of_keys(query, key, value, rng):
    return picked(key, drawn(shares(query, key), rng))


@misconception(HARD, OVERFLOWS)
def hard_exponentials(query, key, value, rng):
    e = np.exp(scaled(query, key))
    return picked(value, drawn(e / e.sum(axis=-1, keepdims=True), rng))


REINFORCE = "reinforce_gradient.reinforce_gradient"


def along_the_samples(numbers, like):
    return numbers.reshape(-1, *[1] * (like.ndim - 1))


@misconception(REINFORCE, "The baseline is added: it is what was to be expected anyway, so take it off.")
def baseline_added(log_prob_grads, rewards, baseline):
    return np.mean(along_the_samples(rewards + baseline, log_prob_grads) * log_prob_grads, axis=0)


@misconception(REINFORCE, "The baseline is missing: each reward counts only as far as it differs from it.")
def baseline_forgotten(log_prob_grads, rewards, baseline):
    return np.mean(along_the_samples(rewards, log_prob_grads) * log_prob_grads, axis=0)


@misconception(
    REINFORCE,
    "The baseline is taken from the result: it must be taken from each reward, before that meets its gradient.",
)
def baseline_at_the_end(log_prob_grads, rewards, baseline):
    return np.mean(along_the_samples(rewards, log_prob_grads) * log_prob_grads, axis=0) - baseline


@misconception(
    REINFORCE,
    "The mean reward is taken off in place of the `baseline` that is given.",
)
def baseline_of_its_own(log_prob_grads, rewards, baseline):
    return np.mean(along_the_samples(rewards - np.mean(rewards), log_prob_grads) * log_prob_grads, axis=0)


@misconception(REINFORCE, "This is a sum over the samples: the estimate is their mean.")
def summed(log_prob_grads, rewards, baseline):
    return np.sum(along_the_samples(rewards - baseline, log_prob_grads) * log_prob_grads, axis=0)


@misconception(
    REINFORCE,
    "The sign is turned. This is the gradient of the expected reward, which is climbed: do not make a loss of it here.",
)
def downhill(log_prob_grads, rewards, baseline):
    return -np.mean(along_the_samples(rewards - baseline, log_prob_grads) * log_prob_grads, axis=0)


@misconception(
    REINFORCE,
    "The mean reward times the mean gradient is not the mean of their products: each sample's reward goes with its own "
    "gradient.",
)
def product_of_means(log_prob_grads, rewards, baseline):
    return np.mean(rewards - baseline) * np.mean(log_prob_grads, axis=0)


@misconception(
    REINFORCE,
    "NumPy laid the rewards along the last axis. They belong to the samples, the first axis: give them axes of size 1 "
    "behind, or use `np.tensordot`.",
)
def along_the_last_axis(log_prob_grads, rewards, baseline):
    return np.mean((rewards - baseline) * log_prob_grads, axis=0)


@misconception(
    REINFORCE,
    "This is right for a table of gradients and for nothing else: the parameters may have any number of axes. "
    "`np.tensordot(..., axes=1)` takes them all.",
)
def tables_only(log_prob_grads, rewards, baseline):
    return np.mean((rewards - baseline)[:, np.newaxis] * log_prob_grads, axis=0)


@misconception(
    REINFORCE,
    "You divided by the rewards' standard deviation as well. That is a common trick, but no estimate of the gradient any more.",
)
def standardised(log_prob_grads, rewards, baseline):
    spread = np.std(rewards) if len(rewards) > 1 else 1.0
    return np.tensordot((rewards - baseline) / spread, log_prob_grads, axes=1) / len(rewards)


@misconception(REINFORCE, "The mean runs over every axis: only the samples, the first axis, are averaged.")
def mean_of_everything(log_prob_grads, rewards, baseline):
    return np.mean(along_the_samples(rewards - baseline, log_prob_grads) * log_prob_grads)


GREEDY = "greedy_decode.greedy_decode"


def followed(step, start, end, most, seen=lambda tokens: tokens, best=np.argmax, stop=True):
    """Greedy decoding with the parts that go wrong: which prefix `step` sees, which token is taken, whether it stops."""
    tokens, logs = [start], list[float]()
    while len(logs) < most:
        row = np.asarray(step(seen(tokens)))
        token = int(best(row))
        tokens.append(token)
        logs.append(row[token])
        if stop and token == end:
            break
    return tokens, logs


@misconception(
    GREEDY, "`start` was counted: `max_length` is the number of new tokens, so there may be one more."
)
def start_counted(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length - 1)
    return tokens, sum(logs)


@misconception(
    GREEDY, "There is one new token too many: `start` is not new, and after `max_length` others it is over."
)
def one_too_many(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length + 1)
    return tokens, sum(logs)


@misconception(GREEDY, "`start` is missing: the tokens begin with it.")
def start_dropped(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length)
    return tokens[1:], sum(logs)


@misconception(GREEDY, "The end is missing: where it was reached, it is the last of the tokens.")
def end_dropped(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length)
    return (tokens[:-1] if tokens[-1] == end else tokens), sum(logs)


@misconception(
    GREEDY,
    "The end is appended whether or not it came: a sequence that `max_length` cuts off has none.",
)
def always_ends(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length)
    return (tokens if tokens[-1] == end else [*tokens, end]), sum(logs)


@misconception(
    GREEDY,
    "The log probability of the end is missing: ending there has its probability too.",
)
def end_for_free(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length)
    return tokens, sum(logs[:-1] if tokens[-1] == end else logs)


@misconception(GREEDY, "It goes on after the end: stop as soon as `end` has come.")
def never_ends(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length, stop=False)
    return tokens, sum(logs)


@misconception(
    GREEDY,
    "`step` was shown the last token only: what comes next hangs on all the tokens so far.",
)
def last_token_only(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length, seen=lambda tokens: tokens[-1:])
    return tokens, sum(logs)


@misconception(
    GREEDY,
    "`step` was shown the tokens without `start`: what comes next hangs on all the tokens, the first one among them.",
)
def step_without_start(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length, seen=lambda tokens: tokens[1:])
    return tokens, sum(logs)


@misconception(
    GREEDY,
    "This is the probability. Log probabilities are asked for: add them up, and do not take the exponential.",
)
def probability(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length)
    return tokens, np.exp(sum(logs))


@misconception(
    GREEDY,
    "You multiplied probabilities and took the logarithm at the end: many small factors underflow to 0. Add logarithms.",
)
def product_first(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length)
    with np.errstate(divide="ignore"):
        return tokens, np.log(np.prod(np.exp(logs)))


@misconception(GREEDY, "Log probabilities were multiplied: the logarithm of a product is a sum.")
def logs_multiplied(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length)
    return tokens, np.prod(logs)


@misconception(GREEDY, "This is the mean of the log probabilities: their sum is asked for.")
def mean_log(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length)
    return tokens, np.mean(logs)


@misconception(
    GREEDY,
    "You took the smallest. Log probabilities are negative: the likeliest token is the one nearest to zero, the largest.",
)
def unlikeliest(step, start, end, max_length):
    tokens, logs = followed(step, start, end, max_length, best=np.argmin)
    return tokens, sum(logs)


BEAM = "beam_search.beam_search"


def ended(tokens, end):
    return len(tokens) > 1 and tokens[-1] == end


def extensions(step, tokens, log_p):
    return [([*tokens, token], log_p + p) for token, p in enumerate(step(tokens))]


def by(penalty, counted=1):
    """Best first, by log probability over length**penalty; `counted` of the tokens are not new."""
    return lambda one: -one[1] / (len(one[0]) - counted) ** penalty


def searched(
    step,
    start,
    end,
    beam_width,
    rounds,
    key,
    grow=extensions,
    finished=lambda tokens, log_p: [(tokens, log_p)],
    last=None,
):
    """Beam search with the parts that go wrong: what the order is, what a hypothesis grows into once it has ended."""
    beam = [([start], 0.0)]
    for _ in range(rounds):
        candidates = []
        for tokens, log_p in beam:
            candidates += finished(tokens, log_p) if ended(tokens, end) else grow(step, tokens, log_p)
        beam = sorted(candidates, key=key)[:beam_width]
        if all(ended(tokens, end) for tokens, _ in beam):
            break
    return sorted(beam, key=last) if last else beam


@misconception(
    BEAM,
    "The length penalty multiplies. Log probabilities are negative, so that punishes length a second time: divide by it.",
)
def penalty_multiplied(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(step, start, end, beam_width, max_length, by(-length_penalty))


@misconception(
    BEAM,
    "The length penalty has no effect: compare log probability / length**length_penalty, each hypothesis with a length of its own.",
)
def penalty_forgotten(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(step, start, end, beam_width, max_length, by(0))


@misconception(
    BEAM,
    "The penalty is only used to sort the last beam: the competition of every round goes by it.",
)
def penalty_at_the_end(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(step, start, end, beam_width, max_length, by(0), last=by(length_penalty))


@misconception(BEAM, "`start` was counted as part of the length: only new tokens count.")
def start_has_length(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(step, start, end, beam_width, max_length, by(length_penalty, counted=0))


@misconception(BEAM, "The end was not counted as part of the length: it is a new token like the others.")
def end_has_no_length(step, start, end, beam_width, max_length, length_penalty=0.0):
    def key(one):
        length = len(one[0]) - 1 - (one[0][-1] == end)
        return -one[1] / max(length, 1) ** length_penalty

    return searched(step, start, end, beam_width, max_length, key)


@misconception(
    BEAM,
    "`length_penalty` was subtracted for each token: it is an exponent, log probability / length**length_penalty.",
)
def penalty_subtracted(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(
        step, start, end, beam_width, max_length, lambda one: -one[1] + length_penalty * (len(one[0]) - 1)
    )


@misconception(
    BEAM,
    "You returned what the hypotheses compete by, divided by the length: return the log probability itself.",
)
def scores_returned(step, start, end, beam_width, max_length, length_penalty=0.0):
    beam = searched(step, start, end, beam_width, max_length, by(length_penalty))
    return [(tokens, log_p / (len(tokens) - 1) ** length_penalty) for tokens, log_p in beam]


@misconception(
    BEAM,
    "You returned probabilities: the log probability is asked for, without the exponential.",
)
def probabilities_returned(step, start, end, beam_width, max_length, length_penalty=0.0):
    beam = searched(step, start, end, beam_width, max_length, by(length_penalty))
    return [(tokens, np.exp(log_p)) for tokens, log_p in beam]


@misconception(
    BEAM,
    "You added up probabilities. They multiply along a sequence; it is their logarithms that add up, as `step` gives them.",
)
def probabilities_added(step, start, end, beam_width, max_length, length_penalty=0.0):
    def grow(step, tokens, total):
        return [([*tokens, token], total + np.exp(p)) for token, p in enumerate(step(tokens))]

    return searched(step, start, end, beam_width, max_length, by(length_penalty), grow)


@misconception(
    BEAM,
    "Each hypothesis knows the log probability of its last token only: add that to what it had before.",
)
def last_step_only(step, start, end, beam_width, max_length, length_penalty=0.0):
    def grow(step, tokens, log_p):
        return extensions(step, tokens, 0.0)

    return searched(step, start, end, beam_width, max_length, by(length_penalty), grow)


@misconception(
    BEAM,
    "Finished hypotheses go on growing after their end. Leave one that has ended as it is, a candidate without extensions.",
)
def finished_extended(step, start, end, beam_width, max_length, length_penalty=0.0):
    def grow_on(tokens, log_p):
        return extensions(step, tokens, log_p)

    return searched(step, start, end, beam_width, max_length, by(length_penalty), finished=grow_on)


@misconception(
    BEAM,
    "Finished hypotheses are lost: in the next round each must be a candidate again, as it is.",
)
def finished_dropped(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(
        step, start, end, beam_width, max_length, by(length_penalty), finished=lambda tokens, log_p: []
    )


@misconception(
    BEAM,
    "Finished hypotheses are put aside and take no place in the beam. That is another search, with more room: here they "
    "compete with the rest for `beam_width` places, round by round.",
)
def finished_put_aside(step, start, end, beam_width, max_length, length_penalty=0.0):
    key, live, done = by(length_penalty), [([start], 0.0)], []
    for _ in range(max_length):
        grown = [new for tokens, log_p in live for new in extensions(step, tokens, log_p)]
        done += [one for one in grown if ended(one[0], end)]
        live = sorted((one for one in grown if not ended(one[0], end)), key=key)[:beam_width]
    return sorted(done + live, key=key)[:beam_width]


@misconception(
    BEAM,
    "The extensions are cut to `beam_width` before the finished hypotheses join: let all compete together, then cut once.",
)
def cut_too_early(step, start, end, beam_width, max_length, length_penalty=0.0):
    key, beam = by(length_penalty), [([start], 0.0)]
    for _ in range(max_length):
        done = [one for one in beam if ended(one[0], end)]
        live = [one for one in beam if not ended(one[0], end)]
        grown = [new for tokens, log_p in live for new in extensions(step, tokens, log_p)]
        beam = sorted(grown, key=key)[:beam_width] + done
    return sorted(beam, key=key)


@misconception(
    BEAM,
    "It stops when the first hypothesis ends: go on until all have ended, another one may overtake it.",
)
def stops_at_the_first_end(step, start, end, beam_width, max_length, length_penalty=0.0):
    key, beam = by(length_penalty), [([start], 0.0)]
    for _ in range(max_length):
        grown = [new for tokens, log_p in beam for new in extensions(step, tokens, log_p)]
        beam = sorted(grown, key=key)[:beam_width]
        if any(ended(tokens, end) for tokens, _ in beam):
            break
    return beam


@misconception(
    BEAM,
    "It stops as soon as the best hypothesis has ended: go on until all in the beam have, the others need their ends too.",
)
def stops_when_the_best_ends(step, start, end, beam_width, max_length, length_penalty=0.0):
    key, beam = by(length_penalty), [([start], 0.0)]
    for _ in range(max_length):
        grown = [new for one in beam for new in ([one] if ended(one[0], end) else extensions(step, *one))]
        beam = sorted(grown, key=key)[:beam_width]
        if ended(beam[0][0], end):
            break
    return beam


@misconception(
    BEAM,
    "All extensions share one list: `append` changes the parent, and with it its other children. Make a new one, `tokens + "
    "[token]`.",
)
def one_list_for_all(step, start, end, beam_width, max_length, length_penalty=0.0):
    def grow(step, tokens, log_p):
        grown = []
        for token, p in enumerate(step(tokens)):
            tokens.append(token)
            grown.append((tokens, log_p + p))
        return grown

    return searched(step, start, end, beam_width, max_length, by(length_penalty), grow)


@misconception(
    BEAM,
    "Each hypothesis keeps its own best extension. The extensions of all of them compete: two of the best may have one parent.",
)
def each_on_its_own(step, start, end, beam_width, max_length, length_penalty=0.0):
    key = by(length_penalty)
    beam = sorted(extensions(step, [start], 0.0), key=key)[:beam_width]
    for _ in range(max_length - 1):
        beam = [one if ended(one[0], end) else min(extensions(step, *one), key=key) for one in beam]
    return sorted(beam, key=key)


@misconception(BEAM, "Best first is asked for: this beam has its worst hypothesis in front.")
def worst_first(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(step, start, end, beam_width, max_length, by(length_penalty))[::-1]


@misconception(
    BEAM,
    "The least likely hypotheses survive. Log probabilities are negative, and the best is the largest: sort with `reverse=True`.",
)
def worst_survive(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(
        step, start, end, beam_width, max_length, lambda one: one[1] / (len(one[0]) - 1) ** length_penalty
    )


@misconception(BEAM, "Only the best hypothesis came: return the whole beam, a list.")
def best_only(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(step, start, end, beam_width, max_length, by(length_penalty))[:1]


@misconception(BEAM, "Hypotheses without an end are left out: at `max_length` the beam is returned as it is.")
def unfinished_left_out(step, start, end, beam_width, max_length, length_penalty=0.0):
    beam = searched(step, start, end, beam_width, max_length, by(length_penalty))
    return [one for one in beam if ended(one[0], end)]


@misconception(
    BEAM, "`start` was counted: `max_length` is the number of new tokens, so there may be one more."
)
def one_round_short(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(step, start, end, beam_width, max_length - 1, by(length_penalty))


@misconception(
    BEAM,
    "This is greedy decoding, repeated: a beam keeps several beginnings, also those whose first token is not the likeliest.",
)
def greedy_in_disguise(step, start, end, beam_width, max_length, length_penalty=0.0):
    return searched(step, start, end, 1, max_length, by(length_penalty))
