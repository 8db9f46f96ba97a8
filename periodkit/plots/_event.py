"""What pictures of an event share: its markers, and where knowledge ends."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit.parse import markers
from periodkit.plots._canvas import INK, MUTED, figure_of
from periodkit.plots._labels import rows_for
from periodkit.plots._scales import numbers
from periodkit.plots._text import drawable, plain

__all__ = ["mark_times", "shade_after"]

_MOST_LABELS = 24
_MOST_ROWS = 6


def mark_times(ax: Axes, periods: pd.DataFrame | None, limits: tuple[float, float]) -> list[str]:
    """Draw markers as labelled lines, make room for the labels above all else, and return their names."""
    if periods is None or "markers" not in periods.columns:
        return []
    found = markers(periods).dropna(subset=["timestamp"]).sort_values("timestamp", kind="stable")
    at = numbers(found["timestamp"])
    inside = (at >= limits[0]) & (at <= limits[1])
    found, at = found[inside], at[inside]
    ax.vlines(at, 0, 1, transform=ax.get_xaxis_transform(), color=MUTED, linewidth=1.0, linestyle=(0, (4, 3)), zorder=1)
    names = [plain(name, 28) for name in found["marker"]]
    if not names or len(names) > _MOST_LABELS:
        return names
    points = 0.85 * 72 * ax.get_window_extent().width / figure_of(ax).dpi
    places = (at - limits[0]) / (limits[1] - limits[0]) * points
    rows, left = rows_for(places.tolist(), [len(name) * 5.4 + 8 for name in names], points)
    height = 72 * ax.get_window_extent().height / figure_of(ax).dpi * 0.75
    need = min(min(max(rows) + 1, _MOST_ROWS) * 12.5 / height, 0.6)
    # On a log axis as on a linear one.
    scale = ax.yaxis.get_transform()
    low, high = scale.transform(np.array(ax.get_ylim()))
    ax.set_ylim(top=float(scale.inverted().transform(np.array([low + (high - low) / (1 - need)]))[0]))
    for name, place, row, turned in zip(names, at, rows, left, strict=True):
        if row >= _MOST_ROWS:
            continue
        ax.annotate(
            drawable(name),
            (place, 1),
            (-3 if turned else 3, -12.5 * row - 1),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha="right" if turned else "left",
            va="top",
            fontsize=9,
            color=INK,
            bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5},
            zorder=6,
        )
    return names


def shade_after(ax: Axes, moment: pd.Timestamp, limits: tuple[float, float]) -> None:
    """Shade what lies after the last moment at which anything was known."""
    last = float(numbers(pd.Series([moment]))[0])
    if not last < limits[1]:
        return
    ax.axvspan(last, limits[1], facecolor="#EFEFEF", edgecolor="#C8C8C8", hatch="...", linewidth=0, zorder=0)
    ax.annotate(
        "not known yet",
        ((max(last, limits[0]) + limits[1]) / 2, 0.04),
        xycoords=("data", "axes fraction"),
        ha="center",
        fontsize=9,
        color=MUTED,
        bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 1},
    )
