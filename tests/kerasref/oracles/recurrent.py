"""`recurrent` in torch. Its GRU has the gates reset, update, candidate; a list of gradients is in test_recurrent.py."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SIGNATURES = """
rnn_step(x,h,w,u,b) rnn_forward(x,h0,w,u,b) rnn_backward(upstream,x,h0,w,u,b)
lstm_step(x,h,c,w,u,b) lstm_forward(x,h0,c0,w,u,b) lstm_step_backward(dh,dc,x,h,c,w,u,b)
gru_step(x,h,w,u,b) gru_forward(x,h0,w,u,b) clip_by_global_norm(grads,max_norm)
"""

RNN = "torch.rnn_tanh(x, h0[None], [w.T, u.T, b, 0 * b], True, 1, 0.0, False, False, True)[0]"
LSTM_CELL = "torch.lstm_cell(x, (h, c), w.T, u.T, b, 0 * b)"
LSTM = "torch.lstm(x, (h0[None], c0[None]), [w.T, u.T, b, 0 * b], True, 1, 0.0, False, False, True)"
GRU_WEIGHTS = ", ".join(f"{each}.unflatten(1, (3, -1))[:, [1, 0, 2]].flatten(1).T" for each in ("w", "u"))
GRU_BIASES = "*b.unflatten(1, (3, -1))[:, [1, 0, 2]].flatten(1)"
GRU = f"torch.gru(x, h0[None], [{GRU_WEIGHTS}, {GRU_BIASES}], True, 1, 0.0, False, False, True)[0]"

CALLS = {
    "rnn_step": "torch.rnn_tanh_cell(x, h, w.T, u.T, b, 0 * b)",
    "rnn_forward": RNN,
    "rnn_backward": f"grad(upstream * {RNN}, x, h0, w, u, b)",
    "lstm_step": LSTM_CELL,
    "lstm_forward": f"(lambda states, h, c: (states, c[0]))(*{LSTM})",
    "lstm_step_backward": f"grad(torch.cat((dh, dc)) * torch.cat({LSTM_CELL}), x, h, c, w, u, b)",
    "gru_step": f"torch.gru_cell(x, h, {GRU_WEIGHTS}, {GRU_BIASES})",
    "gru_forward": GRU,
}


def cases(rng: np.random.Generator) -> Iterator[tuple[str, dict[str, Any]]]:
    for batch, time, features, units in [(1, 1, 1, 1), (3, 3, 3, 3), (2, 7, 1, 4), (1, 4, 5, 2)]:
        x, moment = rng.normal(size=(batch, time, features)), rng.normal(size=(batch, features))
        h, c, dh, dc = rng.normal(size=(4, batch, units))
        upstream = rng.normal(size=(batch, time, units))
        rnn, lstm, gru = (parameters(rng, gates, features, units) for gates in (1, 4, 3))
        yield "rnn_forward", {"x": x, "h0": h, **rnn}
        yield "rnn_backward", {"upstream": upstream, "x": x, "h0": h, **rnn}
        yield "lstm_forward", {"x": x, "h0": h, "c0": c, **lstm}
        yield "lstm_step_backward", {"dh": dh, "dc": dc, "x": moment, "h": h, "c": c, **lstm}
        yield "gru_forward", {"x": x, "h0": h, **gru}
        for size in (1, 100):
            yield "rnn_step", {"x": size * moment, "h": h, **rnn}
            yield "lstm_step", {"x": size * moment, "h": h, "c": size * c, **lstm}
            yield "gru_step", {"x": size * moment, "h": size * h, **gru}


def parameters(rng: np.random.Generator, gates: int, features: int, units: int) -> dict[str, np.ndarray]:
    columns = gates * units
    b = rng.normal(size=(2, columns) if gates == 3 else columns)
    return {"w": rng.normal(size=(features, columns)), "u": rng.normal(size=(units, columns)), "b": b}
