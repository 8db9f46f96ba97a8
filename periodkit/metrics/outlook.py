"""What will become of what is open: how many will still be open later, and which go on past a target."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from periodkit._arguments import AsOf, as_micros, check_share
from periodkit.frames import keyed
from periodkit.metrics.estimate import Floats, count_limits, merge, remaining_share
from periodkit.metrics.tally import UNITS, By, Ints, count_stage, grouping, named_resolution

__all__ = ["outlook", "share_late"]

LEAST = 20  # earlier actions that got as old; with fewer, all kinds together are asked
Kind: TypeAlias = tuple[Any, ...]
_OWN, _ALL = "own kind", "all kinds"


def outlook(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    history: Any,  # noqa: ANN401
    horizon: str | timedelta,
    by: By = "classification",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return how many of the actions that are open now will still be open after some time.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions, of which those that are open are looked at.
    history : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Earlier actions, the more nights the better.
    horizon : timedelta or str
        How far to look ahead, such as ``"1h"``.
    by : str, Series, callable or list of these, optional
        What makes a kind of action: each is compared with earlier ones of its kind and age.
    confidence : float
        Coverage of the limits.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment, in the history as well; by default each row's ``fetched_at``.
    resolution : {None, "ms", "s", "us", "min"}
        Unit in which durations are counted, see `periodkit.cycle_times`; None is that of the history.

    Returns
    -------
    pandas.DataFrame
        A row for all actions, then one per kind, in order of key: ``by`` and ``group`` (as text; null for all); ``open``,
        how many are; ``all_kinds``, how many of these are judged by all kinds together, since fewer than 20 of their own
        kind got as old; ``not_known``, for how many the history does not reach that far; ``expected``, how many of the
        others will still be open; ``low`` and ``high``, between how many of all: those not known count as closed in the
        first and as open in the second. ``attrs["resolution"]`` names the resolution.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    An action of age a is open after h with probability S(a + h) / S(a), S being the Kaplan-Meier estimate of how long
    earlier actions of its kind stayed open, closed or canceled being an end alike. The limits are those of a sum of
    independent trials (Poisson's binomial law), widened by the error of S (Greenwood 1926) and by how much nights of the
    history differed. New actions are not counted.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> tonight = actions["period_id"] == periods["period_id"].iloc[-1]
    >>> ahead = outlook(actions[tonight], actions[~tonight], "1h").iloc[0]
    >>> bool(0 < ahead["low"] <= ahead["expected"] <= ahead["high"] < ahead["open"])
    True
    """
    check_share(confidence, "confidence")
    micros = as_micros(horizon, "horizon")
    found = keyed(actions, by, explode=False)
    names = grouping(found.by)
    past = _History(history, by, as_of, resolution)
    now = count_stage(found.frame, "cycle", names, as_of, past.resolution)
    ahead = int(now.units(micros, "horizon"))
    cells = np.flatnonzero(now.only("open"))
    group, age, n = now.code()[cells], now.duration[cells], now.n[cells]
    kinds = _kinds(now.groups, names)
    judged = past.judge([kinds[at] for at in group], age, age + ahead)
    rows = [_row(None, None, past, judged, n, np.ones(len(n), dtype=bool), confidence)]
    for at, kind in enumerate(kinds if names else []):
        shown = None if None in kind else " · ".join(map(str, kind))
        rows.append(_row(" · ".join(names), shown, past, judged, n, group == at, confidence))
    columns = ["by", "group", "open", "all_kinds", "not_known", "expected", "low", "high"]
    return named_resolution(pd.DataFrame(rows, columns=columns).astype({"by": "str", "group": "str"}), now)


def share_late(
    age: pd.Series,
    target: pd.Timedelta,
    kinds: pd.DataFrame,
    history: Any,  # noqa: ANN401
    by: By,
    as_of: AsOf | None,
) -> tuple[Floats, pd.Series]:
    """Return of each open action the share of earlier ones like it that went on past the target, and who those are.

    Parameters
    ----------
    age : pandas.Series
        How long each has been open.
    target : pandas.Timedelta
        The promised time.
    kinds : pandas.DataFrame
        The columns of `by`, one row per action.
    history, by, as_of
        As for `open_actions`.
    """
    past = _History(history, by, as_of)
    old = age.to_numpy(dtype="timedelta64[us]").astype(np.int64) // UNITS[past.resolution]
    limit = int(target // pd.Timedelta(microseconds=UNITS[past.resolution]))
    judged = past.judge(_kinds(kinds, [*kinds.columns]), old, np.maximum(old, limit))
    late = np.where((age > target).to_numpy(), 1.0, judged.share)
    return late, pd.Series(judged.by, index=age.index, dtype="str")


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """Some open actions of a kind and an age each, and what the history says of them."""

    kinds: list[Kind]
    age: Ints
    later: Ints
    share: Floats
    smoothed: Floats
    by: list[str | None]


class _History:
    """How long earlier actions stayed open, by kind and of all kinds together."""

    def __init__(self, history: Any, by: By, as_of: AsOf | None, resolution: str | None = None) -> None:  # noqa: ANN401
        found = keyed(history, by, explode=False)
        counts = count_stage(found.frame, "cycle", found.by, as_of, resolution)
        self.resolution = counts.resolution
        tables = list(counts.life_tables("censor"))
        self._all = merge(tables)
        self._own = dict(zip(_kinds(counts.groups, counts.by), tables, strict=True)) if counts.by else {}

    def judge(self, kinds: list[Kind], age: Ints, later: Ints) -> _Judged:
        """Return the share of those of each kind and age that were still open later."""
        share, smoothed = (np.full(len(age), np.nan) for _ in range(2))
        by: NDArray[np.object_] = np.full(len(age), None, dtype=object)
        code: dict[Kind, list[int]] = {}
        for at, kind in enumerate(kinds):
            code.setdefault(kind, []).append(at)
        asked = [(self._all, _ALL, np.arange(len(age)))]
        asked += [(self._own[kind], _OWN, np.array(rows)) for kind, rows in code.items() if kind in self._own]
        for table, name, rows in asked:  # its own kind comes after all kinds, and takes their place
            found = remaining_share(table, age[rows], later[rows])
            usable = (found.at_risk >= LEAST) & ~np.isnan(found.share)
            kept = rows[usable]
            share[kept], smoothed[kept], by[kept] = found.share[usable], found.smoothed[usable], name
        return _Judged(kinds, age, later, share, smoothed, by.tolist())

    def variance(self, judged: _Judged, n: Ints) -> float:
        """Return the error variance of the sum of the shares, each taken `n` times."""
        own, pooled = (np.array([each == name for each in judged.by], dtype=bool) for name in (_OWN, _ALL))
        total = remaining_share(self._all, judged.age[pooled], judged.later[pooled], n[pooled]).variance
        for kind in {kind for kind, chosen in zip(judged.kinds, own & (n > 0), strict=True) if chosen}:
            rows = own & np.array([each == kind for each in judged.kinds], dtype=bool)
            total += remaining_share(self._own[kind], judged.age[rows], judged.later[rows], n[rows]).variance
        return total


def _row(
    by: str | None,
    group: str | None,
    past: _History,
    judged: _Judged,
    n: Ints,
    chosen: NDArray[np.bool_],
    confidence: float,
) -> list[Any]:
    known = ~np.isnan(judged.share) & chosen
    unknown = int(n[chosen & ~known].sum())
    pooled = int(n[chosen & np.array([each == _ALL for each in judged.by], dtype=bool)].sum())
    variance = past.variance(judged, np.where(known, n, 0))
    low, high = count_limits(judged.smoothed[known], n[known], variance, confidence)
    expected = float(np.sum(judged.share[known] * n[known])) if known.any() or not unknown else np.nan
    return [by, group, int(n[chosen].sum()), pooled, unknown, expected, low, high + unknown]


def _kinds(groups: pd.DataFrame, names: Sequence[str]) -> list[Kind]:
    """Return the keys of each row; all nulls are one."""
    columns = [[None if pd.isna(value) else value for value in groups[name]] for name in names]
    return list(zip(*columns, strict=True)) if columns else [()] * len(groups)
