"""What plots of an event share: its markers, named in a strip above the axes, and the end of what is known."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes

from periodkit.frames import markers
from periodkit.plots._drawing.canvas import ABOVE, MUTED, points_of, reserve_strip, write
from periodkit.plots._drawing.clock import numbers
from periodkit.plots._drawing.labels import rows_for, small_points
from periodkit.wording import clean_label

__all__ = ["mark_times", "shade_after"]

_MOST_MARKERS = 24
_MOST_ROWS = 6
# The most of the height that the strip may take.
_STRIP = 0.3


def mark_times(ax: Axes, periods: pd.DataFrame | None, limits: tuple[float, float]) -> tuple[list[str], str]:
    """Draw markers as lines, each with its name in a strip above the axes: the y axis stays that of the data.

    Returns their names, and a note if there are too many to draw.
    """
    if periods is None or "markers" not in periods.columns:
        return [], ""
    found = markers(periods).dropna(subset=["timestamp"]).sort_values("timestamp", kind="stable")
    at = numbers(found["timestamp"])
    inside = (at >= limits[0]) & (at <= limits[1])
    found, at = found[inside], at[inside]
    if len(found) > _MOST_MARKERS:
        return [], f"{len(found):,} markers not drawn"
    ax.vlines(at, 0, 1, transform=ax.get_xaxis_transform(), color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    names = [clean_label(name, 28) for name in found["marker"]]
    if not names:
        return [], ""
    size, (wide, high) = small_points(), points_of(ax)
    wide *= 0.85
    places = (at - limits[0]) / (limits[1] - limits[0]) * wide
    rows, left = rows_for(places.tolist(), [len(name) * 0.6 * size + size for name in names], wide)
    line = 1.4 * size
    most = max(min(_MOST_ROWS, int(_STRIP * high / line)), 1)
    beyond = sum(row >= most for row in rows)
    shown = min(max(rows) + 1, most)
    reserve_strip(ax, shown * line + 0.3 * size)
    for name, place, row, turned in zip(names, at, rows, left, strict=True):
        if row >= most:
            continue
        up = line * (shown - 1 - row)
        tail = {"arrowstyle": "-", "color": MUTED, "linewidth": 0.8, "shrinkA": 0, "shrinkB": 0}
        ax.annotate("", (place, 1), (0, up + line), xycoords=ABOVE, textcoords="offset points", arrowprops=tail)
        write(
            ax,
            name,
            (place, 1),
            (-3 if turned else 3, up + 1),
            ABOVE,
            boxed=True,
            ha="right" if turned else "left",
            va="bottom",
            zorder=6,
        )
    return names, f"{beyond:,} of {len(names):,} markers without their names" if beyond else ""


def shade_after(ax: Axes, moment: pd.Timestamp, limits: tuple[float, float]) -> None:
    """Shade what lies after the last moment at which anything is known."""
    last = float(numbers(pd.Series([moment]))[0])
    if not last < limits[1]:
        return
    ax.axvspan(last, limits[1], facecolor="#EFEFEF", edgecolor="#C8C8C8", hatch="...", linewidth=0, zorder=0)
    # A narrow strip has no room for words.
    if (limits[1] - max(last, limits[0])) / (limits[1] - limits[0]) * points_of(ax)[0] < 9 * small_points():
        return
    middle = (max(last, limits[0]) + limits[1]) / 2
    write(ax, "not known yet", (middle, 0.04), (0, 0), ABOVE, boxed=True, ha="center", va="baseline", color=MUTED)
