"""Single actions as they stood at a moment: their milestones, and how each entered a stage's statistics."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf
from periodkit.errors import SchemaError
from periodkit.milestones import MILESTONES, stage_states
from periodkit.plots._drawing.clock import Floats, numbers

__all__ = ["NEEDED", "periods_of", "replay", "view"]

NEEDED = (*MILESTONES, "status", "fetched_at", "period_id")
"""The columns that pictures of single actions look at."""


def replay(actions: pd.DataFrame, stage: str, as_of: AsOf | None) -> pd.DataFrame:
    """Return one row per action: its milestones, when it was last ``seen``, its ``state`` in a stage and ``seconds``.

    The index is that of `actions`.
    """
    found = stage_states(actions, stage, as_of)
    found["seconds"] = found.pop("length").dt.total_seconds()
    return found


def periods_of(actions: pd.DataFrame, periods: object) -> pd.DataFrame | None:
    """Return those of the periods that the actions are of."""
    if periods is None:
        return None
    if not isinstance(periods, pd.DataFrame) or "period_id" not in periods.columns:
        msg = "periods is no frame of periods with a column 'period_id'. Pass what client.periods() returns."
        raise SchemaError(msg)
    if "period_id" not in actions.columns or not len(actions):
        return periods
    return periods[periods["period_id"].isin(actions["period_id"])]


def view(came: pd.Series, went: pd.Series, periods: pd.DataFrame | None) -> tuple[float, float]:
    """Return the stretch of time to look at, in matplotlib's days: the periods and nearly all that came and went.

    What is left open for months, or closed long after, would squeeze the event into a corner.
    """
    arrivals, departures = (_known(numbers(each)) for each in (came, went))
    low, high = (0.01, 0.99) if periods is not None else (0.0, 1.0)
    ends = [float(np.quantile(arrivals, share)) for share in (low, high)] if arrivals.size else []
    if departures.size:
        ends.append(float(np.quantile(departures, 0.97)))
    if periods is not None:
        ends += [*_known(numbers(periods["start_date"])), *_known(numbers(periods["end_date"]))]
    start, end = min(ends), max(ends)
    margin = max((end - start) * 0.02, 1 / 1440)
    return start - margin, end + margin


def _known(values: Any) -> Floats:  # noqa: ANN401
    array = np.asarray(values, dtype=np.float64)
    return array[np.isfinite(array)]
