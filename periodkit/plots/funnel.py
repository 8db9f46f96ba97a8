"""How far AI dispatch carried: of all actions, the share that passed each step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from periodkit._arguments import AsOf
from periodkit.metrics import ai_funnel as funnel_of
from periodkit.plots._drawing import (
    COLOURS,
    INK,
    SMALL,
    as_target,
    confidence_words,
    explain,
    finish,
    nothing_of,
    open_axes,
    share_axis,
    styled,
)
from periodkit.wording import percent, round_duration

__all__ = ["ai_funnel"]


@styled
def ai_funnel(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    target: Any,  # noqa: ANN401
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw of all actions the share that AI dispatched, that kept their channel as well, and that were closed on time.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    target : timedelta or str
        The promised time from created to closed, such as ``"20min"``.
    confidence : float
        Coverage of the intervals of each step's rate.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default on a new figure.

    Returns
    -------
    matplotlib.axes.Axes
        The Axes drawn on.

    Raises
    ------
    SchemaError
        A needed column is missing or not of its kind.
    ArgumentError
        An argument is not one of those it takes.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods())
    >>> ax = pk.plots.ai_funnel(actions, target="20min")
    >>> len(ax.get_yticks())
    4
    >>> ax.figure.clear()
    """
    limit = as_target(target)
    found = funnel_of(actions, target, confidence=confidence, as_of=as_of)
    known = int(found["n"].iloc[0])
    n = known + int(found["unknown"].iloc[0])
    if not known:
        return explain(ax, "How far AI dispatch carried", nothing_of(n, "says whether AI dispatched it"))
    ax = open_axes(ax, 3.2)
    in_time = f"closed within {round_duration(limit or 0.0)}"
    names = ["dispatch known", *found["step"].iloc[:-1], in_time]
    product = np.concatenate([[1.0], found["product"].to_numpy()])
    told = np.isfinite(product)
    place = np.arange(len(names))
    ax.barh(place[told], product[told], height=0.62, color=["#BFBFBF", *[COLOURS[0]] * 3][: told.sum()], zorder=2)
    texts = [f"n = {known:,}", *(_step(row) for _, row in found.iterrows())]
    for at, (share, text) in enumerate(zip(product, texts, strict=True)):
        ends = 0.0 if np.isnan(share) else float(share)
        inside = ends > 0.6
        ax.annotate(
            text,
            (ends, at),
            (-5 if inside else 5, 0),
            textcoords="offset points",
            ha="right" if inside else "left",
            va="center",
            fontsize=SMALL,
            color="white" if inside and at else INK,
            zorder=4,
        )
    ax.set_yticks(place, names)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    share_axis(ax, "x", "share of the actions whose dispatch is known")
    steps = "; ".join(f"{row['step']}: {_step(row)}" for _, row in found.iterrows())
    title = f"AI dispatched {percent(product[1])} of actions"
    if np.isfinite(product[-1]):
        title += f"; {percent(product[-1])} also kept their channel and were {in_time}"
    parts = [
        "each rate is of those that passed the step before",
        f"in brackets: {confidence_words(confidence)} (Wilson)",
        _unknown(found),
    ]
    return finish(ax, title, " · ".join(filter(None, parts)), f"{title}. {steps}. {_unknown(found)}")


def _step(row: pd.Series) -> str:
    if np.isnan(row["rate"]):
        return f"not known of {row['unknown']:,}" if row["unknown"] else "none"
    return f"{percent(row['rate'])} ({100 * row['low']:.1f}–{100 * row['high']:.1f}) of {row['n']:,}"


def _unknown(found: pd.DataFrame) -> str:
    """Say of how many each step is not known."""
    words = ("dispatch", "channel", "closing")
    some = [f"{words[at]} {n:,}" for at, n in enumerate(found["unknown"]) if n]
    return f"not known, and left out: {', '.join(some)}" if some else ""
