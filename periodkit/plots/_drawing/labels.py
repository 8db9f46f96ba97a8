"""Labels that do not overlap."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes

from periodkit.plots._drawing.canvas import SMALL, is_own, points_of
from periodkit.plots._drawing.scales import Floats
from periodkit.plots._drawing.text import drawable

__all__ = ["beside", "row_points", "rows_for", "small_points", "spread"]


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

    Places and widths are in points, places ascending; a label that would pass `right` goes to the left.

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
        row = next((at for at, end in enumerate(ends) if end <= begin), len(ends))
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
        ax.annotate(
            drawable(text),
            (1, (place - low) / (high - low) if not ax.yaxis_inverted() else (high - place) / (high - low)),
            (6, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
            linespacing=1.15,
            color=colour,
            annotation_clip=False,
        )
