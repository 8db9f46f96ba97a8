"""Labels that keep out of one another's way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from periodkit.plots._canvas import figure_of
from periodkit.plots._scales import Floats
from periodkit.plots._text import drawable

__all__ = ["beside", "rows_for", "spread"]

_SIZE = 9.0


def spread(places: Sequence[float], gaps: Sequence[float], low: float, high: float) -> Floats:
    """Move places apart, in their order and within limits, so that each has its gap around it.

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
    """Return a row for each label so that none covers another, and whether it stands left of its place.

    Places and widths in points, places ascending; a label that would pass `right` stands on the left.

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


def beside(ax: Axes, heights: Sequence[float], texts: Sequence[str], colours: Sequence[str]) -> None:
    """Write labels to the right of the axes at these heights, moved apart where they would overlap."""
    low, high = sorted(ax.get_ylim())
    # The axes will be a little lower than now, once titles and labels have their room.
    points = 0.72 * 72 * ax.get_window_extent().height / figure_of(ax).dpi
    unit = (high - low) / points
    gaps = [(text.count("\n") + 1) * 1.3 * _SIZE * unit for text in texts]
    places = spread(heights, gaps, min(low, high - sum(gaps)), high)
    for place, text, colour in zip(places, texts, colours, strict=True):
        ax.annotate(
            drawable(text),
            (1, float(place)),
            (6, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=_SIZE,
            linespacing=1.15,
            color=colour,
            annotation_clip=False,
        )
