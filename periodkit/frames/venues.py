"""Venues: each has ids of its own, so the periods of two are not to be pooled."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames.engines import collect, column_names, open_frame
from periodkit.frames.periods import distinct_periods

__all__ = ["VENUE", "has_venue", "require_one_venue"]

VENUE = "venue"
"""The column that tells the frames of several archives apart."""


def has_venue(actions: Any) -> bool:  # noqa: ANN401
    """Whether actions say in texts which venue they are of; a column of anything else means something else.

    Examples
    --------
    >>> has_venue(pd.DataFrame({"venue": ["North Arena"]})), has_venue(pd.DataFrame({"venue": [[1]]}))
    (True, False)
    """
    return _opened(actions, [VENUE]) is not None


def _opened(actions: Any, columns: list[str]) -> Any:  # noqa: ANN401
    """Return columns of a frame, or None if it lacks one of them or its ``venue`` means something else."""
    if not {*columns} <= {*column_names(actions)}:
        return None
    try:
        frame = open_frame(actions, columns)
    except SchemaError:  # what the caller needs is refused where it is used
        return None
    is_text = isinstance(frame.collect_schema()[VENUE], nw.String | nw.Categorical | nw.Enum)
    return frame if is_text else None


def require_one_venue(actions: Any, periods: pd.DataFrame | None = None, *, by: bool = False) -> None:  # noqa: ANN401
    """Refuse actions in which one ``period_id`` stands for periods of several venues.

    Parameters
    ----------
    actions : frame of any supported engine
        Actions.
    periods : pandas.DataFrame, optional
        The periods that are looked at; by default those of all actions.
    by : bool
        Whether the caller groups by ``period_id`` and could group by ``venue`` as well.

    Raises
    ------
    ArgumentError
        The actions of a period are of several venues, or of another one than `periods` says.
    """
    frame = _opened(actions, ["period_id", VENUE])
    if frame is None:
        return
    frame = frame.filter(~nw.col("period_id").is_null())
    if periods is not None:
        periods = distinct_periods(periods)
        ids = periods["period_id"].tolist()
        frame = frame.filter(nw.col("period_id").is_in(ids)) if ids else frame.head(0)
    pairs = collect(frame.unique()).to_pandas().astype({VENUE: "object"})
    told = pairs.groupby("period_id", sort=True, observed=True)[VENUE]
    mixed = told.nunique(dropna=False)
    if (mixed > 1).any():
        one, other, *_ = sorted(map(_name, told.get_group((mixed > 1).idxmax())))
        what, period = f"has actions of {one} and of {other}", (mixed > 1).idxmax()
    elif periods is not None and VENUE in periods.columns:
        both = (
            periods[["period_id", VENUE]].merge(pairs.dropna(), on="period_id", suffixes=("", "_of_actions")).dropna()
        )
        apart = both[both[VENUE].astype("object") != both[f"{VENUE}_of_actions"]]
        if apart.empty:
            return
        what = f"is of {_name(apart[VENUE].iloc[0])}, and its actions of {_name(apart[f'{VENUE}_of_actions'].iloc[0])}"
        period = apart["period_id"].iloc[0]
    else:
        return
    advice = 'Add "venue" to by, or pass' if by else "Pass"
    msg = (
        f"Period {period} {what}: each venue has ids of its own. {advice} the actions and periods of one venue. If the "
        "column 'venue' means something else, rename it."
    )
    raise ArgumentError(msg)


def _name(venue: Any) -> str:  # noqa: ANN401
    return "no venue" if pd.isna(venue) else repr(venue)
