"""Frames that the caller has, as a source to report on."""

from __future__ import annotations

import pandas as pd

from periodkit._arguments import PERIODS_FRAME, PeriodIds, require_columns
from periodkit.errors import ArgumentError
from periodkit.frames import require_pandas
from periodkit.milestones import MILESTONES
from periodkit.reporting.part import rows_of
from periodkit.schema import ACTIONS, PERIODS

__all__ = ["Frames"]

_NEEDED = [
    *MILESTONES,
    *("action_id", "ai_dispatched", "channel", "classification", "fetched_at", "latest_channel"),
    *("period_id", "period_name", "status"),
]


class Frames:
    """A source of the frames that it was given.

    Parameters
    ----------
    actions : pandas.DataFrame
        Actions of one or several periods.
    periods : pandas.DataFrame, optional
        Their periods, and perhaps others. Without it the periods are those that the actions name; when they began is
        then not known, so none of them is earlier than another.
    season : bool
        Whether they are for a season report, which needs the periods.

    Raises
    ------
    ArgumentError
        A frame is none of pandas.
    SchemaError
        A column is missing.
    """

    def __init__(self, actions: object, periods: object = None, *, season: bool = False) -> None:
        if actions is None:
            msg = "periods is given without actions. Pass both, as client.periods() and client.actions(periods) return them."
            raise ArgumentError(msg)
        if season and periods is None:
            msg = "A season report needs to know when the periods were. Pass periods= too, as client.periods() returns it."
            raise ArgumentError(msg)
        require_pandas(actions)
        assert isinstance(actions, pd.DataFrame)  # noqa: S101
        require_columns(actions.columns, _NEEDED)
        if actions["period_id"].isna().any():
            msg = "actions holds actions without a period_id. Drop them or give them one."
            raise ArgumentError(msg)
        if periods is None:
            self._periods = _named(actions)
        else:
            require_pandas(periods, "periods")
            assert isinstance(periods, pd.DataFrame)  # noqa: S101
            require_columns(periods.columns, PERIODS.columns, PERIODS_FRAME)
            self._periods = periods
        missing = set(actions["period_id"]) - set(self._periods["period_id"])
        if missing:
            msg = f"actions holds actions of period {min(missing)}, which periods lacks. Pass both of the same periods."
            raise ArgumentError(msg)
        # A frame that was saved before the API had a field lacks its column.
        absent = {
            field.column: pd.Series([None] * len(actions), index=actions.index, dtype=field.kind.dtype)
            for field in ACTIONS.fields
            if field.column not in actions.columns
        }
        self._actions = actions.assign(**absent)

    def periods(self) -> pd.DataFrame:
        """Return the periods."""
        return self._periods

    def actions(self, periods: PeriodIds) -> pd.DataFrame:
        """Return the actions of some of the periods, in their order."""
        assert isinstance(periods, pd.DataFrame)  # noqa: S101
        return rows_of(self._actions, self._actions["period_id"].isin(periods["period_id"]))


def _named(actions: pd.DataFrame) -> pd.DataFrame:
    """Return the periods that actions name, as far as actions tell of them."""
    found = actions.groupby("period_id", sort=True).agg(
        period_name=("period_name", "first"), fetched_at=("fetched_at", "max")
    )
    periods = PERIODS.empty().reindex(range(len(found)))
    periods["period_id"] = found.index.to_numpy()
    for name in found.columns:
        periods[name] = found[name].to_numpy()
    return periods.astype({field.column: field.kind.dtype for field in PERIODS.fields})
