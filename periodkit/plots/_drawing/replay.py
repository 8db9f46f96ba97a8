"""Single actions as of a moment: their milestones, and how each enters a stage's statistics."""

from __future__ import annotations

import numpy as np
import pandas as pd

from periodkit._arguments import PERIODS_FRAME, AsOf, require_columns
from periodkit.errors import SchemaError
from periodkit.milestones import MILESTONES, stage_states
from periodkit.plots._drawing.clock import Floats, numbers

__all__ = ["NEEDED", "periods_of", "replay", "view"]

NEEDED = (*MILESTONES, "status", "fetched_at", "period_id")
"""The columns that plots of actions need."""


def replay(actions: pd.DataFrame, stage: str, as_of: AsOf | None) -> pd.DataFrame:
    """Return each action's milestones, when it was last ``seen``, its ``state`` in a stage and its ``seconds``.

    The index is that of `actions`.
    """
    found = stage_states(actions, stage, as_of)
    found["seconds"] = found.pop("length").dt.total_seconds()
    return found


def periods_of(actions: pd.DataFrame, periods: object) -> pd.DataFrame | None:
    """Return the periods that have actions."""
    if periods is None:
        return None
    if not isinstance(periods, pd.DataFrame):
        msg = f"periods is a {type(periods).__name__}. Pass {PERIODS_FRAME}."
        raise SchemaError(msg)
    require_columns(periods.columns, ["period_id"], PERIODS_FRAME)
    if "period_id" not in actions.columns or not len(actions):
        return periods
    return periods[periods["period_id"].isin(actions["period_id"])]


def view(came: pd.Series, went: pd.Series, periods: pd.DataFrame | None) -> tuple[float, float]:
    """Return the span of time to show, in matplotlib's days: the periods and nearly all arrivals and departures.

    Actions closed long after would squeeze the event into a corner.
    """
    arrivals, departures = (_known(numbers(times)) for times in (came, went))
    low, high = (0.01, 0.99) if periods is not None else (0.0, 1.0)
    ends = [float(np.quantile(arrivals, share)) for share in (low, high)] if arrivals.size else []
    if departures.size:
        ends.append(float(np.quantile(departures, 0.97)))
    if periods is not None:
        ends += [*_known(numbers(periods["start_date"])), *_known(numbers(periods["end_date"]))]
    start, end = min(ends), max(ends)
    margin = max((end - start) * 0.02, 1 / 1440)
    return start - margin, end + margin


def _known(values: Floats) -> Floats:
    return values[np.isfinite(values)]
