"""Several small pictures in one: side by side or below one another, inside the Axes that hold them."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes

from periodkit.plots._drawing.canvas import FAINT, INK, MUTED, SMALL, open_axes, points_of
from periodkit.plots._drawing.labels import small_points
from periodkit.plots._drawing.text import drawable

__all__ = ["grid_of", "panels"]


def grid_of(number: int, wide: float, least: float) -> tuple[int, int]:
    """Return rows and columns for so many panels, in `wide` points of which each needs at least `least`.

    Examples
    --------
    >>> grid_of(5, 600, 180), grid_of(2, 600, 180)
    ((2, 3), (1, 2))
    """
    columns = max(min(number, int(wide // least)), 1)
    return -(-number // columns), columns


def panels(
    ax: Axes, names: Sequence[str], columns: int = 1, heights: Sequence[float] = (), *, aside: float = 0.0
) -> list[Axes]:
    """Return Axes within `ax`, row by row, each under its name; `ax` itself keeps title and subtitle alone.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        Where to draw.
    names : sequence of str
        The name of each panel.
    columns : int
        How many stand side by side.
    heights : sequence of float, optional
        Relative height of each row of panels.
    aside : float
        Points that labels beside the axes take between columns.
    """
    rows = -(-len(names) // columns)
    wide, high = points_of(ax)
    line = small_points()
    # Above each its name, below each the marks of its axis.
    above, below, between = 1.9 * line / high, 2.6 * line / high, (2.2 * line + aside) / wide
    parts = list(heights) or [1.0] * rows
    room = max(1.0 - rows * above - (rows - 1) * below, 0.3 * rows / max(rows, 1))
    width = (1.0 - (columns - 1) * between) / columns
    found, top = [], 1.0
    for row in range(rows):
        height = room * parts[row] / sum(parts)
        top -= above
        for column in range(columns):
            if row * columns + column < len(names):
                own = open_axes(ax.inset_axes((column * (width + between), top - height, width, height)))
                own.set_title(
                    drawable(names[row * columns + column]), loc="left", fontsize=SMALL, color=INK, pad=0.3 * line
                )
                found.append(own)
        top -= height + below
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.axhline(1.0, color=FAINT, linewidth=0.8, clip_on=False)
    ax.xaxis.set_visible(False)
    ax.yaxis.set_visible(False)
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.patch.set_visible(False)
    for each in found:
        each.spines[["left", "bottom"]].set_color(MUTED)
    return found
