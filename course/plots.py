"""Figures for lessons and notebooks, in one style.

Every function returns a `Figure` that pyplot has already let go of, so that a notebook shows it once, as the
value of its cell: end a cell with the call, or hand several figures to `display`.
"""

import importlib
import math
from typing import Any

import numpy as np
from cycler import cycler


class _Lazy:
    """A module that is imported when something of it is used: a notebook that is graded draws nothing."""

    def __init__(self, name):
        self._name = name

    def __getattr__(self, name):
        return getattr(importlib.import_module(self._name), name)


plt, ticker = _Lazy("matplotlib.pyplot"), _Lazy("matplotlib.ticker")

COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555"]
"""Okabe and Ito's palette: told apart by every reader, and in print."""

_STYLE: dict[Any, Any] = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#888888",
    "axes.grid": True,
    "axes.labelcolor": "#333333",
    "axes.labelsize": 10,
    "axes.prop_cycle": cycler(color=COLOURS),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "figure.titlesize": 13,
    "font.size": 10,
    "grid.color": "#e6e6e6",
    "image.cmap": "viridis",
    "legend.frameon": False,
    "lines.linewidth": 2,
    "xtick.color": "#555555",
    "ytick.color": "#555555",
}


def curves(functions, span=(-6, 6), title="", xlabel="x", ylabel="", ylim=None):
    """Draw functions of one variable over each other.

    Args:
        functions: dict of label to a function of an array.
        span: the smallest and the largest x.
        title, xlabel, ylabel: texts.
        ylim: the smallest and the largest y, or None to fit.

    Returns:
        The `Figure`.
    """
    return panels({title: functions}, span, xlabel=xlabel, ylabel=ylabel, ylim=ylim)


def panels(groups, span=(-6, 6), title="", columns=3, xlabel="x", ylabel="", ylim=None):
    """Draw groups of functions, each group as `curves` does, side by side on the same axes.

    Args:
        groups: dict of a panel's title to its dict of label to function.
        span, xlabel, ylabel, ylim: as in `curves`.
        title: text above all panels.
        columns: panels in a row.

    Returns:
        The `Figure`.
    """
    low, high = span
    x = np.linspace(low, high, 1001)
    with plt.rc_context(_STYLE):
        figure, axes = _grid(len(groups), columns, size=(3.6, 2.8) if len(groups) > 1 else (6, 3.6))
        for ax, (name, functions) in zip(axes, groups.items(), strict=True):
            _cross(ax)
            for label, function in functions.items():
                ax.plot(x, function(x), label=label)
            ax.set(title=name, xlabel=xlabel, ylabel=ylabel, ylim=ylim)
            ax.legend()
        return _finished(figure, title)


def lines(series, x=None, title="", xlabel="", ylabel="", log=False, percent=False):
    """Draw sequences of numbers: losses by step, norms by layer.

    Args:
        series: dict of label to a sequence; one alone needs no legend, so say in the title what it is.
        x: what stands under the numbers, the same for all; counted from 1 when None.
        title, xlabel, ylabel: texts.
        log: whether y grows by powers of ten.
        percent: whether y is a share, written in percent.

    Returns:
        The `Figure`.
    """
    with plt.rc_context(_STYLE):
        figure, (ax,) = _grid(1, 1, size=(7, 4))
        for label, values in series.items():
            places = np.arange(1, len(values) + 1) if x is None else x
            ax.plot(places, values, label=label, marker="o" if len(values) <= 20 else None, markersize=4)
        ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
        if log:
            ax.set_yscale("log")
        if percent:
            ax.yaxis.set_major_formatter(ticker.PercentFormatter(1.0, decimals=0))
        if len(series) > 1:
            ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return _finished(figure)


def bars(groups, labels, title="", xlabel="", ylabel="", percent=False):
    """Draw groups of bars side by side: one colour a group, one place a label.

    Args:
        groups: dict of label to a sequence of numbers.
        labels: what stands under each place.
        title, xlabel, ylabel: texts.
        percent: whether the numbers are shares, written in percent.

    Returns:
        The `Figure`.
    """
    places, width = np.arange(len(labels)), 0.8 / len(groups)
    with plt.rc_context(_STYLE):
        figure, (ax,) = _grid(1, 1, size=(7, 3.6))
        ax.grid(axis="x", visible=False)
        for i, (label, values) in enumerate(groups.items()):
            ax.bar(places + (i - (len(groups) - 1) / 2) * width, values, width * 0.92, label=label)
        ax.set_xticks(places, [str(label) for label in labels])
        ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
        if percent:
            ax.yaxis.set_major_formatter(ticker.PercentFormatter(1.0, decimals=0))
        ax.legend()
        return _finished(figure)


def histograms(rows, title="", xlabel="value", bins=40):
    """Draw distributions: one row of panels a network, one panel a layer.

    A bar's height is the share of the values that fall into it, cut at one half so that a few tall bars do not flatten
    all others. The panels of a row share their x.

    Args:
        rows: dict of a row's label to a dict of a panel's label to an array of any shape.
        title, xlabel: texts.
        bins: bars a panel.

    Returns:
        The `Figure`.
    """
    columns = max(len(panel) for panel in rows.values())
    with plt.rc_context(_STYLE):
        figure, axes = plt.subplots(
            len(rows), columns, figsize=(2.3 * columns + 0.6, 1.75 * len(rows) + 0.7), squeeze=False
        )
        for i, (name, panel) in enumerate(rows.items()):
            low = min(np.min(values) for values in panel.values())
            high = max(np.max(values) for values in panel.values())
            edges = np.linspace(low, high if high > low else low + 1, bins + 1)
            for ax, (label, values) in zip(axes[i], panel.items(), strict=False):
                shares = np.histogram(values, edges)[0] / np.size(values)
                ax.bar(edges[:-1], shares, np.diff(edges), align="edge", color=COLOURS[i % len(COLOURS)])
                ax.set(title=label if i == 0 else "", ylim=(0, 0.5), yticks=[0, 0.25, 0.5])
                ax.xaxis.set_major_locator(ticker.MaxNLocator(4, steps=[1, 2, 5, 10]))
                ax.yaxis.set_major_formatter(ticker.PercentFormatter(1.0, decimals=0))
                ax.tick_params(labelleft=ax is axes[i, 0], labelsize=8)
            axes[i, 0].set_ylabel(name)
            for ax in axes[i, len(panel) :]:
                ax.set_visible(False)
        figure.supxlabel(xlabel, fontsize=10)
        return _finished(figure, title)


def heat(matrix, rows=None, columns=None, title="", xlabel="", ylabel="", digits=2, centred=False):
    """Draw a matrix as colours, with its numbers written in while they are few.

    Args:
        matrix: array (n, m).
        rows, columns: labels of the rows and the columns, or None for their numbers.
        title, xlabel, ylabel: texts.
        digits: places after the point.
        centred: whether zero is white and signs differ in colour.

    Returns:
        The `Figure`.
    """
    matrix = np.asarray(matrix)
    n, m = matrix.shape
    most = np.abs(matrix).max()
    shades = {"cmap": "RdBu_r", "vmin": -most, "vmax": most} if centred else {"cmap": "Blues"}
    with plt.rc_context(_STYLE):
        figure, (ax,) = _grid(1, 1, size=(min(1.4 + 0.75 * m, 8), min(1.1 + 0.65 * n, 7)))
        ax.grid(visible=False)
        image = ax.imshow(matrix, aspect="auto", **shades)
        if n * m <= 150:
            for (i, j), value in np.ndenumerate(matrix):
                dark = sum(image.cmap(image.norm(value))[:3]) < 1.6
                ax.text(
                    j, i, f"{value:.{digits}f}", ha="center", va="center", color="white" if dark else "black"
                )
        for axis, count, names in [(ax.xaxis, m, columns), (ax.yaxis, n, rows)]:
            if names is not None:
                axis.set_ticks(range(count), names)
            else:
                axis.set_major_locator(ticker.MaxNLocator(min(count, 10), integer=True))
        ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
        figure.colorbar(image, ax=ax, shrink=0.9)
        return _finished(figure)


def pictures(images, titles=None, title="", columns=5, size=2.0):
    """Show images side by side.

    Args:
        images: sequence of arrays (h, w), (h, w, 1) or (h, w, 3); colours are integers in 0..255 or floats in 0..1.
        titles: a text above each, or None.
        title: text above all.
        columns: images in a row.
        size: width of one, in inches.

    Returns:
        The `Figure`.
    """
    with plt.rc_context(_STYLE):
        figure, axes = _grid(len(images), columns, size=(size, size * (1.15 if titles else 1)))
        for i, (ax, image) in enumerate(zip(axes, images, strict=True)):
            white = 255 if np.issubdtype(np.asarray(image).dtype, np.integer) else 1
            ax.imshow(np.squeeze(image), cmap="gray", vmin=0, vmax=white)
            ax.set_axis_off()
            if titles is not None:
                ax.set_title(titles[i], loc="center")
        return _finished(figure, title)


def landscape(surface, walks, xspan, yspan, goal=None, title="", columns=3, together=True):
    """Draw the heights of a surface seen from above, and walks across it.

    Args:
        surface: function of two arrays of one shape, which gives the heights.
        walks: dict of label to an array (steps, 2) of places.
        xspan, yspan: the smallest and the largest x and y; what lies outside is cut off.
        goal: the place to reach, or None.
        title: text above.
        columns: panels in a row, where each walk has its own.
        together: whether all walks share one panel.

    Returns:
        The `Figure`.
    """
    x, y = np.meshgrid(np.linspace(*xspan, 300), np.linspace(*yspan, 300))
    heights = surface(x, y)
    shades = np.log10(heights - heights.min() + 1e-3 * np.ptp(heights))
    groups = [walks] if together else [{label: walk} for label, walk in walks.items()]
    with plt.rc_context(_STYLE):
        figure, axes = _grid(len(groups), columns, size=(7, 4) if together else (3.6, 2.8))
        colours = iter(COLOURS * len(walks))
        for ax, group in zip(axes, groups, strict=True):
            ax.grid(visible=False)
            ax.contourf(x, y, shades, levels=24, cmap="Greys_r", alpha=0.45)
            for label, walk in group.items():
                ax.plot(
                    *np.transpose(walk),
                    color=next(colours),
                    label=label,
                    marker="o",
                    markersize=2.5,
                    linewidth=1.4,
                )
            ax.plot(*next(iter(group.values()))[0], "s", color="black", markersize=6)
            if goal is not None:
                ax.plot(*goal, "*", color="black", markersize=12)
            ax.set(xlim=xspan, ylim=yspan)
            if together:
                ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
            else:
                ax.set_title(next(iter(group)))
        return _finished(figure, title)


def _grid(count, columns, size):
    """A figure with `count` axes, `columns` in a row, each of `size` inches."""
    columns = min(columns, count)
    rows = math.ceil(count / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(size[0] * columns, size[1] * rows), squeeze=False, layout="constrained"
    )
    for ax in axes.flat[count:]:
        ax.set_visible(False)
    return figure, axes.flat[:count]


def _cross(ax):
    """The two lines on which x and y are zero."""
    ax.axhline(0, color="#aaaaaa", linewidth=0.8, zorder=1)
    ax.axvline(0, color="#aaaaaa", linewidth=0.8, zorder=1)


def _finished(figure, title=""):
    """Put the title on and take the figure from pyplot, which would show it a second time."""
    if title:
        figure.suptitle(title, x=0.01, ha="left")
    plt.close(figure)
    return figure


def signed(images, titles=None, title="", columns=5, size=2.0, digits=None):
    """Show maps of numbers of both signs side by side: red above zero, blue below, white at zero, each scaled by itself.

    Args:
        images: sequence of arrays (h, w), (h, w, 1) or others with two axes longer than 1, such as kernels (h, w, 1, 1).
        titles: a text above each, or None.
        title: text above all.
        columns: maps in a row.
        size: width of one, in inches.
        digits: places after the point of the numbers written in, or None to write none.

    Returns:
        The `Figure`.
    """
    with plt.rc_context(_STYLE):
        figure, axes = _grid(len(images), columns, size=(size, size * (1.15 if titles else 1)))
        for i, (ax, image) in enumerate(zip(axes, images, strict=True)):
            shown = np.squeeze(image)
            most = np.abs(shown).max() or 1.0
            ax.imshow(shown, cmap="RdBu_r", vmin=-most, vmax=most)
            ax.set_axis_off()
            if digits is not None:
                for (row, column), value in np.ndenumerate(shown):
                    dark = abs(value) > 0.6 * most
                    text = f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")
                    ax.text(column, row, text, ha="center", va="center", color="white" if dark else "black")
            if titles is not None:
                ax.set_title(titles[i], loc="center")
        return _finished(figure, title)


def detections(images, found, names=None, titles=None, title="", columns=4, size=2.6):
    """Show images with boxes drawn on them, a colour for each class.

    Args:
        images: sequence of arrays (h, w) or (h, w, 3), as `pictures` takes them.
        found: a dict for each image: `boxes` (n, 4), x1 y1 x2 y2 in pixels, with `labels` (n,) and `scores` (n,) or without.
        names: what the labels are called, or None to leave them out.
        titles: a text above each, or None.
        title: text above all.
        columns: images in a row.
        size: width of one, in inches.

    Returns:
        The `Figure`.
    """
    figure = pictures(images, titles, title, columns, size)
    with plt.rc_context(_STYLE):
        for ax, each in zip(figure.axes, found, strict=True):
            labels = each.get("labels", np.zeros(len(each["boxes"]), int))
            for place, ((x1, y1, x2, y2), label) in enumerate(zip(each["boxes"], labels, strict=True)):
                colour = COLOURS[(int(label) + 1) % len(COLOURS)]
                corner = (x1 - 0.5, y1 - 0.5)  # a pixel's middle is at a whole number there
                ax.add_patch(
                    plt.Rectangle(corner, x2 - x1, y2 - y1, fill=False, edgecolor=colour, linewidth=2)
                )
                words = [] if names is None else [names[int(label)]]
                words += [f"{each['scores'][place]:.2f}"] if "scores" in each else []
                if words:
                    ax.text(
                        *corner,
                        " ".join(words),
                        color="white",
                        fontsize=7,
                        va="bottom",
                        bbox={"facecolor": colour, "edgecolor": "none", "pad": 1},
                    )
    return figure


def scatter(points, marks=None, title="", xlabel="", ylabel="", log=False):
    """Draw points in the plane, and marks that stand out among them.

    Args:
        points: dict of label to an array (n, 2).
        marks: dict of label to an array (k, 2), or None.
        title, xlabel, ylabel: texts.
        log: whether both axes grow by powers of ten.

    Returns:
        The `Figure`.
    """
    colours = iter(["#bbbbbb", *COLOURS] if len(points) == 1 else COLOURS * (len(points) + 1))
    with plt.rc_context(_STYLE):
        figure, (ax,) = _grid(1, 1, size=(6.5, 4.5))
        for label, table in points.items():
            ax.scatter(*np.transpose(table), s=14, color=next(colours), label=label)
        for marker, (label, table) in zip("XPD*s" * 3, (marks or {}).items(), strict=False):
            ax.scatter(
                *np.transpose(table),
                s=130,
                marker=marker,
                color=next(colours),
                edgecolor="white",
                label=label,
            )
        ax.set(title=title, xlabel=xlabel, ylabel=ylabel)
        if log:
            ax.set(xscale="log", yscale="log")
        ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
        return _finished(figure)
