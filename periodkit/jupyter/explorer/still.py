"""The static picture that stands in for widgets where there is no kernel: on a code host, in an export."""

from __future__ import annotations

import base64
from datetime import UTC
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from periodkit import plots
from periodkit._arguments import Zone, zone
from periodkit.errors import ArgumentError
from periodkit.jupyter.explorer.answer import Answer
from periodkit.wording import Target

__all__ = ["bundle", "draw", "span", "zone_name"]


def draw(found: Answer, periods: pd.DataFrame | None, target: Target, where: Zone, picture: str) -> Axes:
    """Draw what was chosen as a static picture.

    Parameters
    ----------
    found : Answer
        The frames of what was chosen.
    periods : pandas.DataFrame, optional
        The periods frame.
    target : Target
        The promised time.
    where : Zone
        The time zone of the times.
    picture : {"cycle_scatter", "aging"}
        Which one.
    """
    moment, limit = found.choice.as_of, target.delta
    if picture == "aging":
        return plots.aging(found.frame, target=limit, tz=where[0], as_of=moment)
    return plots.cycle_scatter(found.frame, periods, found.choice.stage, limit, where[0], moment)


def bundle(widget: Any, ax: Axes) -> tuple[dict[str, Any], dict[str, Any]]:  # noqa: ANN401
    """Return a widget and a picture as one output, of which a page shows the richest that it can; closes the figure."""
    alt = plots.alt_text(ax)
    png = base64.b64encode(plots.to_png(ax)).decode("ascii")
    plt.close(ax.get_figure(root=True))
    view = widget._repr_mimebundle_()
    data = view[0] if isinstance(view, tuple) else view
    return {**data, "image/png": png, "text/plain": alt}, {"image/png": {"alt": alt}}


def span(target: Target) -> str:
    """Return a target as a text that `periodkit` reads as the same.

    Examples
    --------
    >>> [span(Target.read(text)) for text in ("20min", "90s", "1500ms", "2h")]
    ['20min', '90s', '1500000us', '2h']
    """
    micros = target.delta // pd.Timedelta(microseconds=1)
    units = {"h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000, "us": 1}
    unit = next(unit for unit, size in units.items() if micros % size == 0)
    return f"{micros // units[unit]}{unit}"


def zone_name(where: Zone) -> str | None:
    """Return the name of a zone as code needs it; None for UTC, and for one that no name leads to."""
    if where[0] is UTC:
        return None
    try:
        return where[1] if zone(where[1])[0].utcoffset(None) == where[0].utcoffset(None) else None
    except ArgumentError:
        return None
