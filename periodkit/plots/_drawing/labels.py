"""Labels that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.transforms import ScaledTranslation

from periodkit.plots._drawing.canvas import BESIDE, figure_of, is_own, points_of, write
from periodkit.plots._drawing.scales import Floats
from periodkit.plots._drawing.text import drawable, wrap_labels

__all__ = ["beside", "key_below", "name_rows", "row_points", "rows_for", "small_points", "spread"]


def spread(places: Sequence[float], gaps: Sequence[float], low: float, high: float) -> Floats:
    """Move places apart, in order and within limits, so that each has its gap.

    Examples
    --------
    >>> spread([1.0, 1.0, 9.0], [2.0, 2.0, 2.0], 0.0, 10.0).tolist()
    [1.0, 3.0, 9.0]
    """
    order = np.argsort(places, kind="stable")
    moved = np.asarray(places, dtype=np.float64)[order]
    half = np.asarray(gaps, dtype=np.float64)[order] / 2
    floor = low
    for at in range(len(moved)):
        moved[at] = max(moved[at], floor + half[at])
        floor = moved[at] + half[at]
    ceiling = high
    for at in reversed(range(len(moved))):
        moved[at] = min(moved[at], ceiling - half[at])
        ceiling = moved[at] - half[at]
    found = np.empty_like(moved)
    found[order] = moved
    return found


def rows_for(places: Sequence[float], widths: Sequence[float], right: float) -> tuple[list[int], list[bool]]:
    """Return a row for each label so that none overlap, and whether it is written to the left of its place.

    Places and widths are in points, places ascending; a label that would pass `right` goes to the left. Row 0 is the
    highest: a line that comes up to a label crosses no other one that is written to the right.

    Examples
    --------
    >>> rows_for([0, 10, 100], [50, 50, 50], 120)
    ([0, 1, 0], [False, False, True])
    """
    ends: list[float] = []
    rows, left = [], []
    for place, width in zip(places, widths, strict=True):
        turned = place + width > right
        begin = place - width if turned else place
        free = (at for at, end in enumerate(ends) if end <= begin and all(below <= place for below in ends[at + 1 :]))
        row = next(free, len(ends))
        ends[row : row + 1] = [begin + width]
        rows.append(row)
        left.append(turned)
    return rows, left


def small_points() -> float:
    """Return the size of small text in points."""
    return 0.833 * float(mpl.rcParams["font.size"])


def row_points(ax: Axes, rows: int) -> float:
    """Return the height in points of each of so many rows."""
    # Titles and labels will take height from Axes that the caller made.
    return (0.92 if is_own(ax) else 0.72) * points_of(ax)[1] / max(rows, 1)


def key_below(ax: Axes, handles: Sequence[Artist], texts: Sequence[str]) -> None:
    """Draw a legend below the axis label, in as many columns as fit."""
    small = small_points()
    widths = [(0.53 * len(text) + 3.5) * small for text in texts]
    room = 1.2 * points_of(ax)[0]
    columns = len(texts) if sum(widths) < room else 2 if 2 * max(widths) < room else 1
    down = ScaledTranslation(0, -4.2 * small / 72, figure_of(ax).dpi_scale_trans)
    ax.legend(
        handles,
        texts,
        loc="upper left",
        bbox_to_anchor=(0.0, 0.0),
        bbox_transform=ax.transAxes + down,
        ncols=columns,
        frameon=False,
        borderaxespad=0.0,
        handletextpad=0.2,
        columnspacing=1.2,
    )


def name_rows(ax: Axes, names: Sequence[str], notes: Sequence[str]) -> None:
    """Name the rows 0, 1, ... of a plot from the top, on the left, and write a note to the right of each."""
    lines = 2 if row_points(ax, len(names) + 1) > 2.4 * small_points() else 1
    ax.set_yticks(np.arange(len(names)), [drawable(name) for name in wrap_labels(names, lines=lines)])
    for at, note in enumerate(notes):
        write(ax, note, (1, at), (9, 0), BESIDE)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)


def beside(ax: Axes, heights: Sequence[float], texts: Sequence[str], colours: Sequence[str]) -> None:
    """Write labels to the right of the Axes at these heights, moved apart where they would overlap."""
    scale = ax.yaxis.get_transform()
    low, high = sorted(scale.transform(np.array(ax.get_ylim())))
    # Titles and labels will take some of the height.
    unit = (high - low) / (0.72 * points_of(ax)[1])
    gaps = [(text.count("\n") + 1) * 1.3 * small_points() * unit for text in texts]
    wanted = scale.transform(np.array(heights, dtype=np.float64)).tolist()
    places = spread(wanted, gaps, min(low, high - sum(gaps)), high)
    for place, text, colour in zip(places, texts, colours, strict=True):
        share = (place - low) / (high - low)
        at = (1, 1 - share if ax.yaxis_inverted() else share)
        write(ax, text, at, (6, 0), "axes fraction", color=colour, linespacing=1.15)
