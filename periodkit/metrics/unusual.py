"""Was tonight unlike the nights before? Each measure against where an ordinary night would lie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from periodkit._arguments import Key, as_micros, check_count, check_share, named
from periodkit.errors import ArgumentError
from periodkit.frames import keyed, latest_period, ordered_periods, position_of, require_one_venue
from periodkit.metrics.estimate import Floats, from_log, from_logit, holm_within, predict
from periodkit.metrics.nights import TIME_MEASURES, Series, measured, rows_of
from periodkit.metrics.tally import grouping
from periodkit.metrics.times import as_timedelta

__all__ = ["COUNT_MEASURES", "TIME_MEASURES", "unusual", "unusual_periods"]

COUNT_MEASURES = ("actions",)
"""The measures that are counts; the others are times or shares."""
_LEAST = 8  # earlier periods without which nothing can be said


def unusual(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame,
    period: Any = None,  # noqa: ANN401
    earlier: int = 24,
    by: Sequence[Key | None] = (None, "classification", "channel"),
    target: str | timedelta | None = "20min",
    confidence: float = 0.95,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return whether a period was unlike those before it, measure by measure, for all actions and for groups.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions of the period and of those before it.
    periods : pandas.DataFrame
        Their periods.
    period : int or str, optional
        Id or name of the period to judge; by default `latest_period` of `periods`.
    earlier : int
        How many periods before it to look at, with or without a value.
    by : sequence of str, Series, callable or None
        What to look at: None is all actions, a column its groups; see `periodkit.cycle_times`.
    target : timedelta or str, optional
        The promised time from created to closed that ``on_time`` is judged by; None leaves it out.
    confidence : float
        One less the probability that anything is called unusual on an ordinary night; also the coverage of `low` to
        `high`.
    resolution : {None, "ms", "s", "us", "min"}
        Unit in which ``p50``, ``p90`` and ``response_p90`` are counted, see `periodkit.cycle_times`.

    Returns
    -------
    pandas.DataFrame
        One row per group and measure (``actions``, ``p50``, ``p90``, ``response_p90``, ``on_time``, ``ai_rate``,
        ``reroute_rate``), groups in the order of `by` and by key: ``measure``; ``by`` and ``group`` (as text; null for
        all actions); ``n``, on how many actions the value rests; ``value``; ``expected``, and ``low`` to ``high``, where an
        ordinary night would lie (timedeltas, shares and counts in one column); ``model`` (``trend`` with 12 earlier
        periods with a value, ``level`` with 8, else ``too_few``); ``periods``, how many those are; ``tau``, how much nights
        differ, as a standard deviation of logarithms (of log odds for shares); ``t``, ``p``, ``p_adjusted``, ``unusual``.
        Null is "cannot be said": too few earlier periods, or too few actions (20) for a time or share.
        ``attrs["resolution"]`` names the resolution.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    Random-effects prediction: Paule and Mandel (1982) for how much nights differ, Knapp and Hartung (2003) for the error of
    what is expected, Student's t (Higgins, Thompson and Spiegelhalter 2009). Cancellations do not count in times and
    shares on time. ``p_adjusted`` is twice Holm's within each of two families, all actions and groups. A period that is
    still running has had fewer actions than a whole one: judge it once it is over.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> tonight = unusual(actions, periods, by=[None])
    >>> tonight["measure"].tolist()
    ['actions', 'p50', 'p90', 'response_p90', 'on_time', 'ai_rate', 'reroute_rate']
    >>> tonight["model"].unique().tolist(), tonight["periods"].unique().tolist()
    (['trend'], [24])
    """
    names, frame, limit, order = _checked(actions, periods, earlier, by, target, confidence)
    if not len(order):
        raise ArgumentError("periods is empty. Pass the period to judge and those before it.")
    chosen = latest_period(periods)["period_id"].item() if period is None else period
    at = position_of(chosen, order)
    order = order.iloc[max(at - earlier, 0) : at + 1].reset_index(drop=True)
    rows, unit = rows_of(frame, order, [name for name in names if name is not None], resolution)
    table = _judge([(name, *measured(rows, order, name, limit, unit)) for name in names], confidence)
    table.attrs["resolution"] = unit
    return table


def unusual_periods(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame,
    earlier: int = 24,
    by: Sequence[Key | None] = (None, "classification", "channel"),
    target: str | timedelta | None = "20min",
    confidence: float = 0.95,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return which periods of a season stand out: each judged by those before it, as `unusual` does.

    Parameters
    ----------
    actions, periods, earlier, by, target, resolution
        As for `unusual`.
    confidence : float
        One less the probability that anything in the season is called unusual if all its nights are ordinary.

    Returns
    -------
    pandas.DataFrame
        What `unusual` returns for each period that 8 others precede, in order of start, after ``period_id``,
        ``period_name`` and ``start_date``. ``p_adjusted`` is also multiplied by the number of these periods, at most 1; a
        period that is unusual by itself need not be among so many.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    As for `unusual`, with Bonferroni across periods. The actions are counted once.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> nights = unusual_periods(actions, periods, by=[None])
    >>> nights.loc[nights["unusual"], ["period_name", "measure"]].to_numpy().tolist()
    [['Harbour Park v Marston Green', 'ai_rate']]
    """
    names, frame, limit, order = _checked(actions, periods, earlier, by, target, confidence)
    rows, unit = rows_of(frame, order, [name for name in names if name is not None], resolution)
    counted = [(name, *measured(rows, order, name, limit, unit)) for name in names]
    judged = np.arange(_LEAST, len(order))
    parts = []
    for name, groups, series in counted:
        # One row for each period and group, so that each measure is predicted in one go.
        stacked = {measure: each.windows(judged, earlier) for measure, each in series.items()}
        again = groups.iloc[np.tile(np.arange(len(groups)), len(judged))].reset_index(drop=True)
        table = _predicted(name, again, stacked, confidence)
        parts.append(table.assign(_at=judged[table.index // max(len(groups), 1)]))
    table = pd.concat(parts).sort_values("_at", kind="stable", ignore_index=True)
    adjusted = np.full(len(table), np.nan)
    for _, part in table.groupby("_at"):
        whole = part["by"].isna().to_numpy()
        adjusted[part.index] = np.minimum(holm_within(part["p"].to_numpy(), whole) * len(judged), 1.0)
    which = order.iloc[table.pop("_at").to_numpy()].reset_index(drop=True)
    found = pd.concat([which, table], axis=1).assign(p_adjusted=adjusted, unusual=adjusted <= 1.0 - confidence)
    found.attrs["resolution"] = unit
    return found


def _checked(
    actions: Any,  # noqa: ANN401
    periods: pd.DataFrame,
    earlier: int,
    by: Sequence[Key | None],
    target: str | timedelta | None,
    confidence: float,
) -> tuple[list[str | None], Any, int | None, pd.DataFrame]:
    """Return the columns to look at, the frame that has them, the target in microseconds, and the periods in order."""
    check_share(confidence, "confidence")
    check_count(earlier, "earlier", 1)
    if not isinstance(by, list | tuple) or not by:
        raise ArgumentError(f'by is {named(by)}; it takes a list of column names and None, such as [None, "channel"].')
    keys = keyed(actions, [each for each in by if each is not None], explode=False)
    chosen = iter(grouping(keys.by))
    names = [None if each is None else next(chosen) for each in by]
    limit = None if target is None else as_micros(target, "target")
    order = ordered_periods(periods)
    require_one_venue(actions, periods)
    return names, keys.frame, limit, order


_Counted: TypeAlias = tuple[str | None, pd.DataFrame, dict[str, Series]]
"""What to look at, its groups, and the series of each measure."""


def _judge(counted: Sequence[_Counted], confidence: float) -> pd.DataFrame:
    """Judge the last period of each series by those before it."""
    table = pd.concat([_predicted(*each, confidence) for each in counted], ignore_index=True)
    adjusted = holm_within(table["p"].to_numpy(), table["by"].isna().to_numpy())
    return table.assign(p_adjusted=adjusted, unusual=adjusted <= 1.0 - confidence)


def _predicted(name: str | None, groups: pd.DataFrame, series: Mapping[str, Series], confidence: float) -> pd.DataFrame:
    keys = [None] * len(groups) if name is None else [None if pd.isna(key) else str(key) for key in groups[name]]
    parts = []
    for measure, each in series.items():
        trend, level = (predict(each.y, each.v, model, confidence=confidence) for model in ("trend", "level"))
        rising = ~np.isnan(trend.expected)
        said = {
            field: np.where(rising, getattr(trend, field), getattr(level, field))
            for field in ("expected", "low", "high", "tau2", "t", "p")
        }
        model = np.select([rising, ~np.isnan(level.expected)], ["trend", "level"], "too_few")
        columns = {
            "measure": pd.Series(measure, index=range(len(groups)), dtype="str"),
            "by": pd.Series(name, index=range(len(groups)), dtype="str"),
            "group": pd.Series(keys, dtype="str"),
            "n": each.n[:, -1],
            "value": _shown(measure, each.n[:, -1] if measure in COUNT_MEASURES else each.value[:, -1]),
            **{field: _shown(measure, _back(measure, said[field])) for field in ("expected", "low", "high")},
            "model": pd.Series(model, dtype="str"),
            "periods": level.k,
            "tau": np.sqrt(said["tau2"]),
            "t": said["t"],
            "p": said["p"],
        }
        parts.append(pd.DataFrame(columns))
    # Groups in order, and for each its measures.
    return pd.concat(parts).sort_index(kind="stable")


def _back(measure: str, y: Floats) -> Floats:
    """Return from the scale of a measure to the measure."""
    if measure in TIME_MEASURES:
        return from_log(y, 2.0**63)
    return from_log(y) if measure in COUNT_MEASURES else from_logit(y)


def _shown(measure: str, values: Any) -> pd.Series:  # noqa: ANN401
    """Return values as timedeltas or plain numbers, in a column that holds both."""
    return (as_timedelta(values, 1) if measure in TIME_MEASURES else pd.Series(values)).astype("object")
