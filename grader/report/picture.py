"""A small picture of what was expected beside what came, as SVG without anything active."""

from __future__ import annotations

from typing import Any

import numpy as np

WIDTH, HEIGHT, MARGIN = 320, 150, 8
EXPECTED, CAME = "#2a7f62", "#c2410c"


def comparison(given: np.ndarray | None, expected: Any, actual: Any) -> str:
    """A picture of a mismatch, or nothing where a picture would not help.

    A curve where input and output are one-dimensional, a map of the error where the output has rows and columns.

    Args:
        given: the input of the call, or None.
        expected: the right output.
        actual: the output that came.
    """
    if (
        not (isinstance(expected, np.ndarray) and isinstance(actual, np.ndarray))
        or expected.shape != actual.shape
    ):
        return ""
    if expected.dtype.kind == "c" or actual.dtype.kind == "c":
        return ""
    expected, actual = expected.astype(float), actual.astype(float)
    if given is not None and given.shape == expected.shape and expected.ndim == 1 and expected.size >= 5:
        return _curves(np.asarray(given, float), expected, actual)
    if expected.ndim >= 2 and min(expected.shape[:2]) >= 3:
        return _error_map(expected, actual)
    return ""


def _curves(x: np.ndarray, expected: np.ndarray, actual: np.ndarray) -> str:
    order = np.argsort(x, kind="stable")
    x, expected, actual = x[order], expected[order], actual[order]
    seen = np.concatenate([expected, actual])
    seen = seen[np.isfinite(seen)]
    if not seen.size or not np.isfinite(x).all():
        return ""
    low, high = float(seen.min()), float(seen.max())

    def line(y: np.ndarray, colour: str, dash: str) -> str:
        with np.errstate(all="ignore"):
            across = MARGIN + (x - x[0]) / ((x[-1] - x[0]) or 1) * (WIDTH - 2 * MARGIN)
            up = HEIGHT - MARGIN - (y - low) / ((high - low) or 1) * (HEIGHT - 2 * MARGIN)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(across, up, strict=True) if np.isfinite(b))
        return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>'

    drawn = line(expected, EXPECTED, "") + line(actual, CAME, ' stroke-dasharray="5 3"')
    return _framed(drawn, f"solid: expected; dashed: yours; from {x[0]:.3g} to {x[-1]:.3g}")


def _error_map(expected: np.ndarray, actual: np.ndarray) -> str:
    with np.errstate(all="ignore"):
        error = np.abs(expected - actual)
    error = (
        np.where(np.isfinite(error), error, np.inf).reshape(*expected.shape[:2], -1).max(axis=-1)[:24, :48]
    )
    finite = error[np.isfinite(error)]
    top = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    side = min((WIDTH - 2 * MARGIN) / error.shape[1], (HEIGHT - 2 * MARGIN) / error.shape[0])
    cells = []
    for (row, column), value in np.ndenumerate(error):
        strength = 1.0 if not np.isfinite(value) else float(value) / top
        colour = CAME if strength > 1e-9 else EXPECTED
        cells.append(
            f'<rect x="{MARGIN + column * side:.1f}" y="{MARGIN + row * side:.1f}" width="{side - 1:.1f}" height="{side - 1:.1f}" '
            f'fill="{colour}" fill-opacity="{0.25 + 0.75 * strength if colour == CAME else 0.35:.2f}"/>'
        )
    return _framed("".join(cells), "orange: where yours differs, the darker the more; green: right")


def _framed(drawn: str, caption: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT + 18}" role="img">{drawn}'
        f'<text x="{MARGIN}" y="{HEIGHT + 12}" font-size="11" font-family="sans-serif" fill="#555">{caption}</text></svg>'
    )
