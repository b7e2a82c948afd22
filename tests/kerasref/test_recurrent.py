"""`recurrent` against TensorFlow's clipping, numerical derivatives and written-out gates, and what it refuses."""

import numpy as np
import pytest

from kerasref import recurrent
from kerasref.backend import BACKEND
from tests.kerasref import assert_refused
from tests.kerasref.oracles import assert_agrees

STEP, NEAR = (1e-5, 1e-8) if BACKEND == "tensorflow" else (1e-2, 1e-3)
BATCH, TIME, FEATURES, UNITS = 3, 4, 2, 5


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def given(rng, gates, *states, time=None):
    """Arguments by name, for one step or for `time` of them."""
    columns = gates * UNITS
    return {
        "x": rng.normal(size=(BATCH, FEATURES) if time is None else (BATCH, time, FEATURES)),
        **{state: rng.normal(size=(BATCH, UNITS)) for state in states},
        "w": rng.normal(size=(FEATURES, columns)),
        "u": rng.normal(size=(UNITS, columns)),
        "b": rng.normal(size=(2, columns) if gates == 3 else columns),
    }


def logistic(z):
    return 1 / (1 + np.exp(-z))


def test_the_order_of_lstm_gates_is_input_forget_candidate_output(rng):
    a = given(rng, 4, "h", "c")
    i, f, g, o = np.moveaxis((a["x"] @ a["w"] + a["h"] @ a["u"] + a["b"]).reshape(BATCH, 4, UNITS), 1, 0)
    c = logistic(f) * a["c"] + logistic(i) * np.tanh(g)
    h_new, c_new = recurrent.lstm_step(**a)
    assert_agrees(c_new, c)
    assert_agrees(h_new, logistic(o) * np.tanh(c))


def test_the_order_of_gru_gates_is_update_reset_candidate_and_reset_acts_after(rng):
    a = given(rng, 3, "h")
    z, r, g = np.moveaxis((a["x"] @ a["w"] + a["b"][0]).reshape(BATCH, 3, UNITS), 1, 0)
    z_h, r_h, g_h = np.moveaxis((a["h"] @ a["u"] + a["b"][1]).reshape(BATCH, 3, UNITS), 1, 0)
    z = logistic(z + z_h)
    expected = z * a["h"] + (1 - z) * np.tanh(g + logistic(r + r_h) * g_h)
    assert_agrees(recurrent.gru_step(**a), expected)


@pytest.mark.parametrize(
    ("kind", "gates", "states"), [("rnn", 1, ["h"]), ("lstm", 4, ["h", "c"]), ("gru", 3, ["h"])]
)
def test_a_sequence_is_one_step_after_the_other(rng, kind, gates, states):
    whole = given(rng, gates, *(f"{state}0" for state in states), time=TIME)
    forward = getattr(recurrent, f"{kind}_forward")(**whole)
    last = [whole[f"{state}0"] for state in states]
    for t in range(TIME):
        last = getattr(recurrent, f"{kind}_step")(whole["x"][:, t], *last, whole["w"], whole["u"], whole["b"])
        last = last if isinstance(last, tuple) else (last,)
        assert_agrees((forward[0] if kind == "lstm" else forward)[:, t], last[0])
    if kind == "lstm":
        assert_agrees(forward[1], last[1])


def slopes(loss, arrays):
    """Numerical derivatives of `loss(*arrays)` by every element."""
    for place, array in enumerate(arrays):
        slope = np.zeros_like(array)
        for index in np.ndindex(array.shape):
            step = np.zeros_like(array)
            step[index] = STEP
            moved = [[*arrays[:place], array + sign * step, *arrays[place + 1 :]] for sign in (1, -1)]
            slope[index] = (loss(*moved[0]) - loss(*moved[1])) / (2 * STEP)
        yield slope


def test_rnn_gradients_are_the_slopes(rng):
    arrays = given(rng, 1, "h0", time=TIME).values()
    upstream = rng.normal(size=(BATCH, TIME, UNITS))
    expected = slopes(lambda *a: np.sum(upstream * recurrent.rnn_forward(*a)), list(arrays))
    for gradient, slope in zip(recurrent.rnn_backward(upstream, *arrays), expected, strict=True):
        np.testing.assert_allclose(gradient, slope, rtol=NEAR, atol=NEAR)


def test_lstm_gradients_are_the_slopes(rng):
    arrays = given(rng, 4, "h", "c").values()
    dh, dc = rng.normal(size=(2, BATCH, UNITS))

    def loss(*arrays):
        h, c = recurrent.lstm_step(*arrays)
        return np.sum(dh * h) + np.sum(dc * c)

    expected = slopes(loss, list(arrays))
    for gradient, slope in zip(recurrent.lstm_step_backward(dh, dc, *arrays), expected, strict=True):
        np.testing.assert_allclose(gradient, slope, rtol=NEAR, atol=NEAR)


@pytest.mark.parametrize("max_norm", [0.5, 3, 1e6])
def test_clipping_is_tensorflows(rng, max_norm):
    tf = pytest.importorskip("tensorflow")
    grads = [rng.normal(size=shape) for shape in [(3, 4), (5,), (), (2, 1, 2)]]
    clipped, norm = recurrent.clip_by_global_norm(grads, max_norm)
    expected, before = tf.clip_by_global_norm(list(map(tf.constant, grads)), max_norm)
    assert_agrees(norm, before.numpy())
    for one, other in zip(clipped, expected, strict=True):
        assert_agrees(one, other.numpy())


def test_clipping_at_the_edges():
    assert recurrent.clip_by_global_norm([], 1) == ([], 0)
    (zeros,), norm = recurrent.clip_by_global_norm([np.zeros(3)], 1)
    assert_agrees((zeros, norm), (np.zeros(3), 0))
    (just,), norm = recurrent.clip_by_global_norm([[3, 4]], 5)
    assert_agrees((just, norm), ([3, 4], 5))


KINDS = {"rnn": (1, ["h"]), "lstm": (4, ["h", "c"]), "gru": (3, ["h"])}


def bad_input():
    """function, arguments, argument named, what came."""
    draw = np.random.default_rng(0)
    for kind, (gates, states) in KINDS.items():
        step = given(draw, gates, *states)
        whole = given(draw, gates, *(f"{state}0" for state in states), time=TIME)
        for function, good in [(f"{kind}_step", step), (f"{kind}_forward", whole)]:
            for name, wrong in [
                ("x", good["x"][0]),
                ("x", good["x"][..., np.newaxis]),
                ("x", good["x"][:0]),
                ("w", good["w"][1:]),
                ("w", good["w"][:, 1:]),
                ("u", good["u"][:, 1:]),
                ("u", good["u"][0]),
                ("b", good["b"][..., :1]),
                ("b", good["b"][np.newaxis]),
                *((state, good[state][:1]) for state in good if state[0] in "hc"),
                *((state, good[state][:, :1]) for state in good if state[0] in "hc"),
                *((state, good[state][0]) for state in good if state[0] in "hc"),
            ]:
                yield function, good | {name: wrong}, name, str(wrong.shape)
            yield function, good | {"x": "words"}, "x", "str"
    yield "gru_step", step | {"b": step["b"][0]}, "b", f"({3 * UNITS},)"
    whole = given(draw, 1, "h0", time=TIME)
    for shape in [(BATCH, TIME), (1, TIME, UNITS), (BATCH, 1, UNITS), (BATCH, TIME, 1)]:
        yield "rnn_backward", whole | {"upstream": np.ones(shape)}, "upstream", str(shape)
    step = given(draw, 4, "h", "c")
    good = step | {"dh": np.ones((BATCH, UNITS)), "dc": np.ones((BATCH, UNITS))}
    for name in ("dh", "dc"):
        for shape in [(UNITS,), (1, UNITS), (BATCH, 1)]:
            yield "lstm_step_backward", good | {name: np.ones(shape)}, name, str(shape)
    for max_norm, came in [(0, "0"), (-1, "-1"), (np.nan, "nan"), (np.inf, "inf"), ("1", "'1'")]:
        yield "clip_by_global_norm", {"grads": [np.ones(2)], "max_norm": max_norm}, "max_norm", came
    yield "clip_by_global_norm", {"grads": np.ones(2), "max_norm": 1}, "grads", "ndarray"
    yield "clip_by_global_norm", {"grads": [[1], ["2"]], "max_norm": 1}, "grads[1]", "list"


@pytest.mark.parametrize(("function", "arguments", "name", "came"), list(bad_input()))
def test_bad_input_is_refused_by_name(function, arguments, name, came):
    assert_refused(getattr(recurrent, function), arguments, name, came)
