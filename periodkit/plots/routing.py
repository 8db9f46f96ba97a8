"""Where actions went: first channel to last channel."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from periodkit import metrics
from periodkit._arguments import check_count, check_share
from periodkit.frames import ActionsFrame
from periodkit.plots import _drawing as draw
from periodkit.wording import clean_label, interval, joined, other, percent, sentences

__all__ = ["routing_matrix"]

_ENDS = ("channel", "latest_channel")
# Names with room for fewer letters are rotated.
_SHORTEST = 9
_SHADES = LinearSegmentedColormap.from_list("routes", ["#E8F1F8", "#56B4E9", "#0072B2", "#003B5C"])


@draw.styled
def routing_matrix(
    actions: ActionsFrame,
    confidence: float = 0.95,
    max_groups: int = 12,
    ax: Axes | None = None,
) -> Axes:
    """Draw the number of actions by first and last channel.

    Rows are first channels, columns last channels. Actions that stayed are on the grey diagonal; a cell off it is darker
    for a greater share of its row.

    Parameters
    ----------
    actions, confidence, ax
        As in `cycle_time_ecdf`; the interval is of the share that moved.
    max_groups : int
        The smallest channels above this number are drawn as one, "other".

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    SchemaError
        There is no column ``channel`` or ``latest_channel``.
    ArgumentError
        An argument is not one of those it takes.

    Examples
    --------
    >>> import pandas as pd
    >>> import periodkit as pk
    >>> ax = pk.plots.routing_matrix(pd.DataFrame({"channel": ["Bar", "Bar"], "latest_channel": ["Bar", "Cellar"]}))
    >>> pk.plots.alt_text(ax)[:36]
    'At least 50.0 % of actions ended in '
    >>> ax.figure.clear()
    """
    check_share(confidence, "confidence")
    most = check_count(max_groups, "max_groups", 2)
    rate = metrics.reroute_rate(actions, confidence=confidence).iloc[0]
    if not rate["n"]:
        return draw.explain(ax, "First channel to last channel", "No actions to show")
    known = int(rate["rerouted"] + rate["stayed"])
    if not known:
        reason = f"No action of {int(rate['n']):,} has both a first and a last channel"
        return draw.explain(ax, "First channel to last channel", reason)
    names, number, folded = _cells_of(metrics.routing_matrix(actions), most)
    size, total = len(names), number.sum(axis=1, keepdims=True)
    share = np.divide(number, total, out=np.zeros_like(number), where=total > 0)
    ax = draw.open_axes(ax, max(3.0, 2.0 + 0.34 * size))
    _cells(ax, names, number, share)
    limits = f"{draw.confidence_words(confidence)} {interval(rate['rate'], rate['low'], rate['high'])} %"
    title = f"At least {percent(rate['rate'])} of actions ended in a different channel"
    if not rate["rerouted"]:
        title = "No action is known to have ended in a different channel"
    parts = [
        f"n = {known:,} with both channels known ({limits})",
        f"{int(rate['unknown']):,} unknown" if rate["unknown"] else "",
        "darker: a greater share of the row" if rate["rerouted"] else "",
        "a lower bound: a re-route and back is not seen",
        f"the {folded} smallest channels in one" if folded else "",
    ]
    moved = [cell for cell in zip(*np.nonzero(number), strict=True) if cell[0] != cell[1]]
    routes = "; ".join(
        f"{names[first]} to {names[last]} {int(number[first, last]):,} ({percent(share[first, last])} of {names[first]})"
        for first, last in sorted(moved, key=lambda cell: -number[cell])[:5]
    )
    alt = sentences(
        f"{title}, of {known:,} ({limits})",
        "A lower bound: a re-route and back is not seen",
        f"Most frequent: {routes}" if routes else "",
    )
    return draw.finish(ax, title, joined(parts), alt)


def _cells_of(pairs: pd.DataFrame, most: int) -> tuple[list[str], draw.Floats, int]:
    """Return the channels, largest first, then "other" and none; how many went from which to which; how many are folded."""
    ends = {end: pairs[end].astype("str") for end in _ENDS}
    volume = pd.concat([pairs["n"].groupby(channel).sum() for channel in ends.values()]).groupby(level=0).sum()
    volume = volume.sort_values(ascending=False, kind="stable")
    kept = list(volume.index if len(volume) <= most else volume.index[: most - 1])
    folded = len(volume) - len(kept)
    position = {name: at for at, name in enumerate(kept)} | {name: len(kept) for name in volume.index[len(kept) :]}
    names = [clean_label(name) for name in kept] + ([other(folded)] if folded else [])
    if pairs[[*_ENDS]].isna().any(axis=None):
        names.append("no channel")
    number = np.zeros((len(names), len(names)))
    places = (channel.map(position).fillna(len(names) - 1).to_numpy(dtype=np.int64) for channel in ends.values())
    np.add.at(number, tuple(places), pairs["n"])
    return names, number, folded


def _cells(ax: Axes, names: list[str], number: draw.Floats, share: draw.Floats) -> None:
    size = len(names)
    stayed = np.eye(size, dtype=bool)
    moved = np.ma.masked_array(share, mask=stayed | (number == 0))
    top = max(float(moved.max()) if moved.count() else 0.0, 0.05)
    ax.pcolormesh(np.ma.masked_array(stayed, mask=~stayed), cmap="Greys", vmin=0, vmax=6, edgecolor="white")
    ax.pcolormesh(moved, cmap=_SHADES, vmin=0, vmax=top, edgecolor="white", linewidth=1.5)
    # Numbers shrink to fit their cells, but stay legible.
    wide, high = 0.8 * draw.points_of(ax)[0] / size, draw.row_points(ax, size)
    across = int(wide / (0.58 * draw.small_points()))
    if across < _SHORTEST and not draw.is_own(ax):
        # Rotated names take height from the cells.
        high *= 0.7
    digits = len(f"{int(number.max()):,}")
    letters = max(min(draw.small_points(), 0.8 * high, 1.4 * wide / digits), 4.5)
    for row, column in zip(*np.nonzero(number), strict=True):
        dark = row != column and share[row, column] > 0.45 * top
        ax.text(
            column + 0.5,
            row + 0.5,
            f"{int(number[row, column]):,}",
            ha="center",
            va="center",
            fontsize=letters,
            color="white" if dark else draw.INK,
        )
    middle = np.arange(size) + 0.5
    lines = 2 if high > 2.4 * draw.small_points() else 1
    ax.set_yticks(
        middle,
        [draw.drawable(name) for name in draw.wrap_labels(names, 18, lines)],
        fontsize=min(draw.small_points(), 0.95 * high),
    )
    if across >= _SHORTEST:
        ax.set_xticks(middle, [draw.drawable(name) for name in draw.wrap_labels(names, across)])
    else:
        ax.set_xticks(
            middle,
            [draw.drawable(name) for name in draw.wrap_labels(names, 18, 1)],
            rotation=35,
            ha="right",
            rotation_mode="anchor",
        )
    ax.set_ylim(size, 0)
    ax.set_xlim(0, size)
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set_color(draw.FAINT)
    ax.set_xlabel("last channel")
    ax.set_ylabel("first channel")
