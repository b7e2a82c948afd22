"""Checks of the assignment `recurrent`."""

import numpy as np
import pytest

from grader.exercise import assert_close, assert_unchanged, core, exercise, hidden

SINGLE = {"rtol": 1e-5, "atol": 1e-6}
NUMERICAL = {"rtol": 1e-6, "atol": 1e-8}

RNN_GRADIENTS = ("dx", "dh0", "dw", "du", "db")
LSTM_GRADIENTS = ("dx", "dh", "dc", "dw", "du", "db")
GROWTH = ("growth of the loss along a random direction",)
INPUT, FORGET, CANDIDATE, OUTPUT = range(4)
UPDATE, RESET, NEW = range(3)

SIZES = [(1, 3, 4), (5, 1, 3), (4, 3, 1)]
"""Batch, features and units that show an axis taken for another."""


def weights(rng, gates, features, units):
    """w, u and b of a layer with so many gates side by side; two biases for a GRU's three."""
    columns = gates * units
    bias = (2, columns) if gates == 3 else (columns,)
    return (
        rng.normal(size=(features, columns)),
        rng.normal(scale=0.7, size=(units, columns)),
        rng.normal(scale=0.5, size=bias),
    )


def step_input(rng, states, gates, batch=3, features=2, units=4):
    """x, the states, and the weights of one step."""
    held = [rng.normal(size=(batch, units)) for _ in range(states)]
    return rng.normal(size=(batch, features)), *held, *weights(rng, gates, features, units)


def sequence_input(rng, states, gates, batch=3, time=5, features=2, units=4):
    """x, the first states, and the weights of a layer over a sequence."""
    _, *others = step_input(rng, states, gates, batch, features, units)
    return rng.normal(size=(batch, time, features)), *others


def silent_but(gate, gates, w, u, b):
    """The weights with only one gate's left, all others zero."""
    kept = np.arange(w.shape[1]) // (w.shape[1] // gates) == gate
    return tuple(np.where(kept, array, 0.0) for array in (w, u, b))


def upstream_of(rng, x, u):
    return rng.normal(size=(*x.shape[:2], len(u)))


def slope(function, arrays, directions, step=1e-3):
    """How fast `function` grows along the directions, from four values of it: the error is of fourth order."""

    def value(distance):
        return function(*(a + distance * d for a, d in zip(arrays, directions, strict=True)))

    return (8 * (value(step) - value(-step)) - (value(2 * step) - value(-2 * step))) / (12 * step)


def along(gradients, directions):
    """The growth along the directions that the gradients promise."""
    return sum(np.sum(g * d) for g, d in zip(gradients, directions, strict=True))


@exercise("rnn_step", functions=["rnn_step"], points=2)
class TestRnnStep:
    """One step of the simple recurrent network."""

    hints = {
        "rnn_step": [
            "Two things flow into the new state. Which, and through which weights does each of them pass?",
            "Add the input times `w`, the old state times `u` and the bias; bend the sum once.",
            "`np.tanh(x @ w + h @ u + b)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random numbers."""
        given = step_input(rng, 1, 1)
        assert_close(student.rnn_step(*given), reference.rnn_step(*given))

    def test_input_alone(self, student, reference, rng):
        """With a state and a bias of zero, it is the input's term that shows."""
        x, h, w, u, b = step_input(rng, 1, 1)
        given = x, np.zeros_like(h), w, u, np.zeros_like(b)
        assert_close(student.rnn_step(*given), reference.rnn_step(*given))

    def test_state_alone(self, student, reference, rng):
        """With an input and a bias of zero, it is the old state's term that shows."""
        x, h, w, u, b = step_input(rng, 1, 1)
        given = np.zeros_like(x), h, w, u, np.zeros_like(b)
        assert_close(student.rnn_step(*given), reference.rnn_step(*given))

    @pytest.mark.parametrize("batch, features, units", SIZES)
    def test_sizes(self, student, reference, rng, batch, features, units):
        """Holds for one sequence, one feature and one unit, and leaves its arguments as they were."""
        given = step_input(rng, 1, 1, batch, features, units)
        assert_close(assert_unchanged(student.rnn_step, *given), reference.rnn_step(*given))

    @hidden
    def test_square(self, student, reference, rng):
        """Holds where all sizes are equal, which would hide a missing transpose."""
        given = step_input(rng, 1, 1, 3, 3, 3)
        assert_close(student.rnn_step(*given), reference.rnn_step(*given))


@exercise("rnn_forward", functions=["rnn_forward"], points=2)
class TestRnnForward:
    """The simple network over a whole sequence."""

    hints = {
        "rnn_forward": [
            "Which state does step 3 start from? And which axis of `x` is time?",
            "Start at `h0`. In a loop over `x.shape[1]`, take one step and keep the new state, for the list and for the next step.",
            "In the loop `h = rnn_step(x[:, t], h, w, u, b)` and `states.append(h)`; then `np.stack(states, axis=1)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Every state agrees with Keras on random sequences."""
        given = sequence_input(rng, 1, 1)
        assert_close(student.rnn_forward(*given), reference.rnn_forward(*given))

    def test_one_step(self, student, reference, rng):
        """A sequence of one step starts from `h0`, and keeps its axis of time."""
        given = sequence_input(rng, 1, 1, time=1)
        assert_close(student.rnn_forward(*given), reference.rnn_forward(*given))

    def test_echo(self, student, reference, rng):
        """Where only the first input is not zero, the states after it are its echo."""
        x, h0, w, u, b = sequence_input(rng, 1, 1, time=6)
        x[:, 1:] = 0
        given = x, np.zeros_like(h0), w, u, np.zeros_like(b)
        assert_close(student.rnn_forward(*given), reference.rnn_forward(*given))

    @pytest.mark.parametrize("batch, features, units", SIZES)
    def test_sizes(self, student, reference, rng, batch, features, units):
        """Holds for one sequence, one feature and one unit, and leaves its arguments as they were."""
        given = sequence_input(rng, 1, 1, batch, 4, features, units)
        assert_close(assert_unchanged(student.rnn_forward, *given), reference.rnn_forward(*given))

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        given = [array.astype(np.float32) for array in sequence_input(rng, 1, 1)]
        assert_close(student.rnn_forward(*given), reference.rnn_forward(*given), **SINGLE)

    @hidden
    def test_as_long_as_the_batch(self, student, reference, rng):
        """Holds where batch, time, features and units are equal, which would hide a mixed-up axis."""
        given = sequence_input(rng, 1, 1, 3, 3, 3, 3)
        assert_close(student.rnn_forward(*given), reference.rnn_forward(*given))


@exercise("rnn_backward", functions=["rnn_backward"], points=6)
class TestRnnBackward:
    """Backpropagation through time."""

    hints = {
        "rnn_backward": [
            "A state acts in two ways: on the loss directly, and on the next state. Which two gradients meet in it?",
            "Walk from the last step to the first with `dh`, the gradient from the next step (zero at first). With "
            "`dz = (upstream[:, t] + dh) * (1 - states[:, t] ** 2)` the rest are the gradients of `x @ w + h @ u + b`.",
            "In the loop `dx[:, t] = dz @ w.T`, `dw += x[:, t].T @ dz`, `du += before.T @ dz`, `db += dz.sum(axis=0)`, and last "
            "`dh = dz @ u.T`; `before` is the state before step t, `h0` at the first. After the loop `dh` is `dh0`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """All five gradients agree with automatic differentiation."""
        x, *others = sequence_input(rng, 1, 1)
        given = upstream_of(rng, x, others[2]), x, *others
        assert_close(student.rnn_backward(*given), reference.rnn_backward(*given), RNN_GRADIENTS)

    def test_one_step(self, student, reference, rng):
        """For a sequence of one step nothing flows through time yet."""
        x, *others = sequence_input(rng, 1, 1, time=1)
        given = upstream_of(rng, x, others[2]), x, *others
        assert_close(student.rnn_backward(*given), reference.rnn_backward(*given), RNN_GRADIENTS)

    def test_without_memory(self, student, reference, rng):
        """With `u` zero the steps are strangers: `dx`, `dw` and `db` are sums over the steps, and only `du` sees two of them."""
        x, h0, w, u, b = sequence_input(rng, 1, 1)
        given = upstream_of(rng, x, u), x, h0, w, np.zeros_like(u), b
        assert_close(student.rnn_backward(*given), reference.rnn_backward(*given), RNN_GRADIENTS)

    def test_from_the_last_state(self, student, reference, rng):
        """A loss on the last state alone reaches the first input and `h0` through every step between."""
        x, *others = sequence_input(rng, 1, 1)
        upstream = upstream_of(rng, x, others[2])
        upstream[:, :-1] = 0
        given = upstream, x, *others
        assert_close(student.rnn_backward(*given), reference.rnn_backward(*given), RNN_GRADIENTS)

    def test_from_the_first_state(self, student, reference, rng):
        """A loss on the first state alone knows nothing of later inputs: their `dx` is zero."""
        x, *others = sequence_input(rng, 1, 1)
        upstream = upstream_of(rng, x, others[2])
        upstream[:, 1:] = 0
        given = upstream, x, *others
        assert_close(student.rnn_backward(*given), reference.rnn_backward(*given), RNN_GRADIENTS)

    def test_ones(self, student, reference, rng):
        """With weights and upstream of one, from a state of zero, `du` starts at the second step."""
        x = rng.normal(size=(2, 3, 1))
        given = np.ones((2, 3, 1)), x, np.zeros((2, 1)), np.ones((1, 1)), np.ones((1, 1)), np.zeros(1)
        assert_close(student.rnn_backward(*given), reference.rnn_backward(*given), RNN_GRADIENTS)

    def test_numerically(self, student, reference, rng):
        """A small change of all arguments changes the states as the gradients say."""
        x, *others = sequence_input(rng, 1, 1)
        arrays = x, *others
        upstream = upstream_of(rng, x, others[2])
        directions = [rng.normal(size=array.shape) for array in arrays]
        found = student.rnn_backward(upstream, *arrays)
        expected = slope(lambda *moved: np.sum(upstream * reference.rnn_forward(*moved)), arrays, directions)
        assert_close((along(found, directions),), (expected,), GROWTH, **NUMERICAL)

    @pytest.mark.parametrize("batch, features, units", SIZES)
    def test_sizes(self, student, reference, rng, batch, features, units):
        """Holds for one sequence, one feature and one unit, and leaves its arguments as they were."""
        x, *others = sequence_input(rng, 1, 1, batch, 4, features, units)
        given = upstream_of(rng, x, others[2]), x, *others
        expected = reference.rnn_backward(*given)
        assert_close(assert_unchanged(student.rnn_backward, *given), expected, RNN_GRADIENTS)

    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        x, *others = sequence_input(rng, 1, 1)
        given = [array.astype(np.float32) for array in (upstream_of(rng, x, others[2]), x, *others)]
        assert_close(student.rnn_backward(*given), reference.rnn_backward(*given), RNN_GRADIENTS, **SINGLE)

    @hidden
    def test_long(self, student, reference, rng):
        """Holds over twenty steps, where all other sizes are equal."""
        x, *others = sequence_input(rng, 1, 1, 3, 20, 3, 3)
        given = upstream_of(rng, x, others[2]), x, *others
        assert_close(student.rnn_backward(*given), reference.rnn_backward(*given), RNN_GRADIENTS)


@exercise("clip_by_global_norm", functions=["clip_by_global_norm"], points=2)
class TestClipByGlobalNorm:
    """Shorter, in the same direction."""

    hints = {
        "clip_by_global_norm": [
            "Think of all gradients as one long vector. What is its length, and what happens to it when it is short enough?",
            "The root of the sum of all squares over all arrays is the norm. Multiply every array by `max_norm / norm`, but "
            "never by more than 1; mind a norm of zero.",
            "`scale = max_norm / max(norm, max_norm)`, then `[grad * scale for grad in grads], norm`.",
        ]
    }

    @core
    def test_long(self, student, reference, rng):
        """Gradients that are too long come back shorter, all by one factor, with the norm before."""
        grads = [rng.normal(size=(3, 4)), 5 * rng.normal(size=4), rng.normal(size=(2, 1, 3))]
        assert_close(
            student.clip_by_global_norm(grads, 1.5),
            reference.clip_by_global_norm(grads, 1.5),
            ("grads", "norm"),
        )

    def test_short(self, student, reference, rng):
        """Gradients that are short enough come back as they are."""
        grads = [0.1 * rng.normal(size=(3, 2)), 0.1 * rng.normal(size=5)]
        assert_close(
            assert_unchanged(student.clip_by_global_norm, grads, 10.0),
            reference.clip_by_global_norm(grads, 10.0),
            ("grads", "norm"),
        )

    def test_long_together(self, student, reference):
        """Two arrays of norm 0.9 each are too long together for 1."""
        grads = [np.array([0.9, 0.0]), np.array([[0.0], [-0.9]])]
        assert_close(
            student.clip_by_global_norm(grads, 1.0),
            reference.clip_by_global_norm(grads, 1.0),
            ("grads", "norm"),
        )

    def test_one_long_array(self, student, reference):
        """Where one array is long and one is tiny, both shrink: the direction stays."""
        grads = [np.array([30.0, -40.0]), np.array([1e-3])]
        assert_close(
            assert_unchanged(student.clip_by_global_norm, grads, 5.0),
            reference.clip_by_global_norm(grads, 5.0),
            ("grads", "norm"),
        )

    def test_just_long_enough(self, student, reference):
        """A norm of exactly `max_norm` is left alone."""
        grads = [np.array([3.0]), np.array([4.0])]
        assert_close(
            student.clip_by_global_norm(grads, 5.0),
            reference.clip_by_global_norm(grads, 5.0),
            ("grads", "norm"),
        )

    def test_zero(self, student, reference):
        """Gradients of zero stay zero, and no NaN comes of 0 / 0."""
        grads = [np.zeros((2, 3)), np.zeros(2)]
        expected = reference.clip_by_global_norm(grads, 1.0)
        assert_close(student.clip_by_global_norm(grads, 1.0), expected, ("grads", "norm"))
        longer = [grads[0] + 1, grads[1]]
        expected = reference.clip_by_global_norm(longer, 1.0)
        assert_close(student.clip_by_global_norm(longer, 1.0), expected, ("grads", "norm"))

    def test_one_array(self, student, reference, rng):
        """Holds for one array alone, in a list as well."""
        grads = [rng.normal(size=(4, 4))]
        assert_close(
            student.clip_by_global_norm(grads, 0.3),
            reference.clip_by_global_norm(grads, 0.3),
            ("grads", "norm"),
        )

    @hidden
    def test_many(self, student, reference, rng):
        """Holds for ten arrays, in `float32`."""
        grads = [rng.normal(size=(3, n + 1)).astype(np.float32) for n in range(10)]
        for max_norm in (2.0, 100.0):
            expected = reference.clip_by_global_norm(grads, max_norm)
            assert_close(student.clip_by_global_norm(grads, max_norm), expected, ("grads", "norm"), **SINGLE)


@exercise("lstm_step", functions=["lstm_step"], points=4)
class TestLstmStep:
    """One step of the LSTM."""

    hints = {
        "lstm_step": [
            "Four gates lie side by side in `x @ w + h @ u + b`. In which order, and which one is no sigmoid?",
            "`np.split(..., 4, axis=1)` gives input, forget, candidate, output. The new cell is forget times old cell plus "
            "input times candidate; the new state looks at the **new** cell through the output gate.",
            "`c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)`, then `return sigmoid(o) * np.tanh(c), c`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """State and cell agree with Keras on random numbers."""
        given = step_input(rng, 2, 4)
        assert_close(student.lstm_step(*given), reference.lstm_step(*given), ("h", "c"))

    def test_input_gate(self, student, reference, rng):
        """The first quarter is the input gate: with its weights alone, it lets a constant candidate into an empty cell."""
        x, h, c, *parameters = step_input(rng, 2, 4)
        w, u, b = silent_but(INPUT, 4, *parameters)
        b[8:12] = 1.0
        given = x, h, np.zeros_like(c), w, u, b
        assert_close(student.lstm_step(*given), reference.lstm_step(*given), ("h", "c"))

    def test_forget_gate(self, student, reference, rng):
        """The second quarter is the forget gate: with its weights alone, it says how much of the old cell stays."""
        x, h, c, *parameters = step_input(rng, 2, 4)
        given = x, h, c, *silent_but(FORGET, 4, *parameters)
        assert_close(student.lstm_step(*given), reference.lstm_step(*given), ("h", "c"))

    def test_candidate(self, student, reference, rng):
        """The third quarter is the candidate: with its weights alone, half of its tanh enters an empty cell."""
        x, h, c, *parameters = step_input(rng, 2, 4)
        given = x, h, np.zeros_like(c), *silent_but(CANDIDATE, 4, *parameters)
        assert_close(student.lstm_step(*given), reference.lstm_step(*given), ("h", "c"))

    def test_output_gate(self, student, reference, rng):
        """The last quarter is the output gate: with its weights alone, it changes the state and not the cell."""
        x, h, c, *parameters = step_input(rng, 2, 4)
        given = x, h, c, *silent_but(OUTPUT, 4, *parameters)
        assert_close(student.lstm_step(*given), reference.lstm_step(*given), ("h", "c"))

    def test_new_cell(self, student, reference, rng):
        """The new state looks at the new cell: an empty cell that is filled in this step shows at once."""
        x, h, c, w, u, b = step_input(rng, 2, 4)
        given = x, h, np.zeros_like(c), w, u, b
        assert_close(student.lstm_step(*given), reference.lstm_step(*given), ("h", "c"))

    def test_perfect_memory(self, student, reference, rng):
        """With the forget gate wide open and the input gate shut, a cell of any size stays what it is."""
        x, h, c, w, u, _ = step_input(rng, 2, 4)
        b = np.repeat([-60.0, 60.0, 0.0, 0.0], 4)
        given = x, h, 10 * c, w, u, b
        assert_close(student.lstm_step(*given), reference.lstm_step(*given), ("h", "c"))

    @pytest.mark.parametrize("batch, features, units", SIZES)
    def test_sizes(self, student, reference, rng, batch, features, units):
        """Holds for one sequence, one feature and one unit, and leaves its arguments as they were."""
        given = step_input(rng, 2, 4, batch, features, units)
        assert_close(assert_unchanged(student.lstm_step, *given), reference.lstm_step(*given), ("h", "c"))

    @hidden
    def test_square(self, student, reference, rng):
        """Holds where batch, features and units are four, in `float32`."""
        given = [array.astype(np.float32) for array in step_input(rng, 2, 4, 4, 4, 4)]
        assert_close(student.lstm_step(*given), reference.lstm_step(*given), ("h", "c"), **SINGLE)


@exercise("lstm_forward", functions=["lstm_forward"], points=2)
class TestLstmForward:
    """The LSTM over a whole sequence."""

    hints = {
        "lstm_forward": [
            "Two things travel from step to step here. Which of them does the caller get for every step?",
            "The same loop as in `rnn_forward`, with `h` and `c`; keep every `h`, and the last `c`.",
            "In the loop `h, c = lstm_step(x[:, t], h, c, w, u, b)` and `states.append(h)`; then `np.stack(states, axis=1), c`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Every state, and the last cell, agree with Keras on random sequences."""
        given = sequence_input(rng, 2, 4)
        assert_close(student.lstm_forward(*given), reference.lstm_forward(*given), ("states", "c"))

    def test_one_step(self, student, reference, rng):
        """A sequence of one step starts from `h0` and `c0`, and keeps its axis of time."""
        given = sequence_input(rng, 2, 4, time=1)
        assert_close(student.lstm_forward(*given), reference.lstm_forward(*given), ("states", "c"))

    def test_cell_alone(self, student, reference, rng):
        """With `u` zero, the cell alone carries the past along."""
        x, h0, c0, w, u, b = sequence_input(rng, 2, 4)
        given = x, h0, c0, w, np.zeros_like(u), b
        assert_close(student.lstm_forward(*given), reference.lstm_forward(*given), ("states", "c"))

    @pytest.mark.parametrize("batch, features, units", SIZES)
    def test_sizes(self, student, reference, rng, batch, features, units):
        """Holds for one sequence, one feature and one unit, and leaves its arguments as they were."""
        given = sequence_input(rng, 2, 4, batch, 3, features, units)
        expected = reference.lstm_forward(*given)
        assert_close(assert_unchanged(student.lstm_forward, *given), expected, ("states", "c"))

    @hidden
    def test_as_long_as_the_batch(self, student, reference, rng):
        """Holds where batch, time, features and units are equal, which would hide a mixed-up axis."""
        given = sequence_input(rng, 2, 4, 4, 4, 4, 4)
        assert_close(student.lstm_forward(*given), reference.lstm_forward(*given), ("states", "c"))


@exercise("lstm_step_backward", functions=["lstm_step_backward"], points=6)
class TestLstmStepBackward:
    """Back through one step of the LSTM."""

    hints = {
        "lstm_step_backward": [
            "On which two ways does the new cell reach the loss? Only one of them is `dc`.",
            "Compute the gates and the new cell again. The whole gradient of the new cell is `dc + dh * o * (1 - np.tanh(c_new) ** 2)`; "
            "every gate's gradient is what it was multiplied by, times its own slope. Put the four side by side as `dz`.",
            "With `d` for that whole gradient, `dz` holds `d * g * i * (1 - i)`, `d * c * f * (1 - f)`, `d * i * (1 - g ** 2)` and "
            "`dh * np.tanh(c_new) * o * (1 - o)`. Return `dz @ w.T, dz @ u.T, d * f, x.T @ dz, h.T @ dz, dz.sum(axis=0)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """All six gradients agree with automatic differentiation."""
        given = self.upstream(rng) + step_input(rng, 2, 4)
        self.compare(student, reference, given)

    def test_from_the_state(self, student, reference, rng):
        """With `dc` zero, the new state alone passes its gradient on: to the output gate, and through tanh to the cell."""
        dh, dc = self.upstream(rng)
        self.compare(student, reference, (dh, np.zeros_like(dc), *step_input(rng, 2, 4)))

    def test_from_the_cell(self, student, reference, rng):
        """With `dh` zero, the new cell alone passes its gradient on; the output gate has no part in it."""
        dh, dc = self.upstream(rng)
        self.compare(student, reference, (np.zeros_like(dh), dc, *step_input(rng, 2, 4)))

    def test_input_gate(self, student, reference, rng):
        """With the input gate's weights alone and an empty cell, a constant candidate shows the input gate's slope."""
        x, h, c, *parameters = step_input(rng, 2, 4)
        w, u, b = silent_but(INPUT, 4, *parameters)
        b[8:12] = 1.0
        self.compare(student, reference, (*self.upstream(rng), x, h, np.zeros_like(c), w, u, b))

    def test_forget_gate(self, student, reference, rng):
        """With the forget gate's weights alone, the gradients of the old cell and of the forget gate show."""
        x, h, c, *parameters = step_input(rng, 2, 4)
        self.compare(student, reference, (*self.upstream(rng), x, h, c, *silent_but(FORGET, 4, *parameters)))

    def test_candidate(self, student, reference, rng):
        """With the candidate's weights alone and an empty cell, the slope of its tanh shows."""
        x, h, c, *parameters = step_input(rng, 2, 4)
        self.compare(
            student,
            reference,
            (*self.upstream(rng), x, h, np.zeros_like(c), *silent_but(CANDIDATE, 4, *parameters)),
        )

    def test_output_gate(self, student, reference, rng):
        """With the output gate's weights alone, its own slope shows."""
        x, h, c, *parameters = step_input(rng, 2, 4)
        self.compare(student, reference, (*self.upstream(rng), x, h, c, *silent_but(OUTPUT, 4, *parameters)))

    def test_perfect_memory(self, student, reference, rng):
        """With the forget gate wide open and the input gate shut, `dc` goes straight through."""
        dh, dc = self.upstream(rng)
        x, h, c, w, u, _ = step_input(rng, 2, 4)
        b = np.repeat([-60.0, 60.0, 0.0, 0.0], 4)
        self.compare(student, reference, (np.zeros_like(dh), dc, x, h, c, w, u, b))

    def test_numerically(self, student, reference, rng):
        """A small change of all arguments changes state and cell as the gradients say."""
        dh, dc = self.upstream(rng)
        arrays = step_input(rng, 2, 4)
        directions = [rng.normal(size=array.shape) for array in arrays]

        def loss(*moved):
            h, c = reference.lstm_step(*moved)
            return np.sum(dh * h) + np.sum(dc * c)

        found = student.lstm_step_backward(dh, dc, *arrays)
        expected = slope(loss, arrays, directions)
        assert_close((along(found, directions),), (expected,), GROWTH, **NUMERICAL)

    @pytest.mark.parametrize("batch, features, units", SIZES)
    def test_sizes(self, student, reference, rng, batch, features, units):
        """Holds for one sequence, one feature and one unit, and leaves its arguments as they were."""
        given = self.upstream(rng, batch, units) + step_input(rng, 2, 4, batch, features, units)
        self.compare(student, reference, given)

    @hidden
    def test_square(self, student, reference, rng):
        """Holds where batch, features and units are equal, for a cell far from zero."""
        x, h, c, *parameters = step_input(rng, 2, 4, 4, 4, 4)
        self.compare(student, reference, (*self.upstream(rng, 4, 4), x, h, 3 * c, *parameters))

    @hidden
    def test_single_precision(self, student, reference, rng):
        """Takes `float32` too."""
        given = [array.astype(np.float32) for array in self.upstream(rng) + step_input(rng, 2, 4)]
        self.compare(student, reference, given, **SINGLE)

    @staticmethod
    def upstream(rng, batch=3, units=4):
        """The gradients with respect to the new state and to the new cell."""
        return rng.normal(size=(batch, units)), rng.normal(size=(batch, units))

    @staticmethod
    def compare(student, reference, given, **tolerance):
        expected = reference.lstm_step_backward(*given)
        found = assert_unchanged(student.lstm_step_backward, *given)
        assert_close(found, expected, LSTM_GRADIENTS, **tolerance)


@exercise("gru_step", functions=["gru_step"], points=4)
class TestGruStep:
    """One step of the GRU."""

    hints = {
        "gru_step": [
            "At which place does the reset gate act: on the old state, or on what the old state has become after `u` and its bias?",
            "Split `x @ w + b[0]` and `h @ u + b[1]` into three each: update, reset, candidate. The gates are sigmoids of the sums; "
            "in the candidate the reset gate multiplies the state's part before the sum.",
            "`candidate = np.tanh(x_part + r * h_part)`, then `z * h + (1 - z) * candidate`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Agrees with Keras on random numbers."""
        given = step_input(rng, 1, 3)
        assert_close(student.gru_step(*given), reference.gru_step(*given))

    def test_update_gate(self, student, reference, rng):
        """The first third is the update gate: with its weights alone, it says how much of the old state stays."""
        x, h, *parameters = step_input(rng, 1, 3)
        given = x, h, *silent_but(UPDATE, 3, *parameters)
        assert_close(student.gru_step(*given), reference.gru_step(*given))

    def test_reset_gate(self, student, reference, rng):
        """The second third is the reset gate: with the candidate's state part beside it, it says how much of that enters."""
        x, h, w, u, b = step_input(rng, 1, 3)
        w, silent, b = silent_but(RESET, 3, w, u, b)
        silent[:, 8:] = u[:, 8:]
        given = x, h, w, silent, b
        assert_close(student.gru_step(*given), reference.gru_step(*given))

    def test_candidate(self, student, reference, rng):
        """The last third is the candidate: with its weights alone, from a state of zero, half of its tanh enters."""
        x, h, *parameters = step_input(rng, 1, 3)
        given = x, np.zeros_like(h), *silent_but(NEW, 3, *parameters)
        assert_close(student.gru_step(*given), reference.gru_step(*given))

    def test_bias_of_the_state(self, student, reference, rng):
        """The candidate's second bias belongs to the state's part, so the reset gate multiplies it too."""
        x, h, w, u, b = step_input(rng, 1, 3)
        b[:, :8] = b[0, 8:] = 0
        given = np.zeros_like(x), np.zeros_like(h), w, u, b
        assert_close(student.gru_step(*given), reference.gru_step(*given))

    def test_bias_of_the_input(self, student, reference, rng):
        """The candidate's first bias belongs to the input's part, which no gate holds back."""
        x, h, w, u, b = step_input(rng, 1, 3)
        b[:, :8] = b[1, 8:] = 0
        given = np.zeros_like(x), np.zeros_like(h), w, u, b
        assert_close(student.gru_step(*given), reference.gru_step(*given))

    def test_perfect_memory(self, student, reference, rng):
        """With the update gate wide open, the state stays what it is; shut, it is the candidate."""
        x, h, w, u, b = step_input(rng, 1, 3)
        for wide in (60.0, -60.0):
            given = x, h, w, u, np.concatenate([np.full((2, 4), wide), b[:, 4:]], axis=1)
            assert_close(student.gru_step(*given), reference.gru_step(*given))

    @pytest.mark.parametrize("batch, features, units", SIZES)
    def test_sizes(self, student, reference, rng, batch, features, units):
        """Holds for one sequence, one feature and one unit, and leaves its arguments as they were."""
        given = step_input(rng, 1, 3, batch, features, units)
        assert_close(assert_unchanged(student.gru_step, *given), reference.gru_step(*given))

    @hidden
    def test_square(self, student, reference, rng):
        """Holds where batch, features and units are three, in `float32`."""
        given = [array.astype(np.float32) for array in step_input(rng, 1, 3, 3, 3, 3)]
        assert_close(student.gru_step(*given), reference.gru_step(*given), **SINGLE)


@exercise("gru_forward", functions=["gru_forward"], points=1)
class TestGruForward:
    """The GRU over a whole sequence."""

    hints = {
        "gru_forward": [
            "What differs from `rnn_forward`? Only one line.",
            "The same loop, with `gru_step` in it.",
            "In the loop `h = gru_step(x[:, t], h, w, u, b)` and `states.append(h)`; then `np.stack(states, axis=1)`.",
        ]
    }

    @core
    def test_values(self, student, reference, rng):
        """Every state agrees with Keras on random sequences."""
        given = sequence_input(rng, 1, 3)
        assert_close(student.gru_forward(*given), reference.gru_forward(*given))

    def test_one_step(self, student, reference, rng):
        """A sequence of one step starts from `h0`, and keeps its axis of time."""
        given = sequence_input(rng, 1, 3, time=1)
        assert_close(student.gru_forward(*given), reference.gru_forward(*given))

    @pytest.mark.parametrize("batch, features, units", SIZES)
    def test_sizes(self, student, reference, rng, batch, features, units):
        """Holds for one sequence, one feature and one unit, and leaves its arguments as they were."""
        given = sequence_input(rng, 1, 3, batch, 4, features, units)
        assert_close(assert_unchanged(student.gru_forward, *given), reference.gru_forward(*given))

    @hidden
    def test_as_long_as_the_batch(self, student, reference, rng):
        """Holds where batch, time, features and units are equal, which would hide a mixed-up axis."""
        given = sequence_input(rng, 1, 3, 3, 3, 3, 3)
        assert_close(student.gru_forward(*given), reference.gru_forward(*given))
