"""Was tonight unlike the nights before? Each measure against where an ordinary night would lie."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from periodkit._arguments import as_micros, check_count, check_share
from periodkit.errors import ArgumentError
from periodkit.frames import collect, hand_on, latest_period, on_cluster, open_frame, ordered_periods, position_of
from periodkit.metrics.estimate import (
    Floats,
    from_log,
    from_logit,
    holm_within,
    log_count,
    log_time,
    logit_share,
    predict,
    survival_quantiles,
)
from periodkit.metrics.season import lay_out
from periodkit.metrics.tally import Ints, StageCounts, checked_resolution, count_flags, count_stage, grouping
from periodkit.metrics.times import as_timedelta
from periodkit.milestones import MILESTONES

__all__ = ["COUNT_MEASURES", "TIME_MEASURES", "unusual"]

COUNT_MEASURES, TIME_MEASURES = ("actions",), ("p50", "p90", "response_p90")
"""The measures that are counts and times; the others are shares."""
_ROUTES = ["ai_dispatched", "channel", "latest_channel"]
_NEEDED = ["period_id", *MILESTONES, "status", *_ROUTES]
_BAND = 0.95  # of the intervals from which the error of a quantile is read


def unusual(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame,
    period: Any = None,  # noqa: ANN401
    earlier: int = 24,
    by: Sequence[str | None] = (None, "classification", "channel"),
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
    by : sequence of str or None
        What to look at: None is all actions, a column its groups.
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
    check_share(confidence, "confidence")
    check_count(earlier, "earlier", 1)
    if isinstance(by, str) or not by or not all(name is None or isinstance(name, str) for name in by):
        raise ArgumentError(f'by is {by!r}; it takes a list of column names and None, such as [None, "channel"].')
    limit = None if target is None else as_micros(target, "target")
    order = ordered_periods(periods)
    if not len(order):
        raise ArgumentError("periods is empty. Pass the period to judge and those before it.")
    chosen = latest_period(periods)["period_id"].item() if period is None else period
    at = position_of(chosen, order)
    order = order.iloc[max(at - earlier, 0) : at + 1].reset_index(drop=True)
    rows, unit = _rows_of(actions, order, [name for name in by if name is not None], resolution)
    parts = [_judge(rows, order, name, limit, confidence, unit) for name in by]
    table = pd.concat(parts, ignore_index=True)
    table.attrs["resolution"] = unit
    adjusted = holm_within(table["p"].to_numpy(), table["by"].isna().to_numpy())
    return table.assign(p_adjusted=adjusted, unusual=adjusted <= 1.0 - confidence)


def _rows_of(actions: Any, order: pd.DataFrame, names: list[str], resolution: str | None) -> tuple[Any, str]:  # noqa: ANN401
    """Return the actions of the periods looked at, read into memory unless they are on a cluster; and the resolution."""
    needed = dict.fromkeys([*_NEEDED, *names])
    frame = open_frame(actions, [*needed, "fetched_at"], needed)
    frame = frame.filter(nw.col("period_id").is_in(order["period_id"].tolist()))
    unit = checked_resolution(resolution, frame)
    return hand_on(frame) if on_cluster(frame) else collect(frame), unit


@dataclass(frozen=True, slots=True, eq=False)
class _Series:
    """A measure of each group at each period: as it is, on how many actions, and on its scale with its variance."""

    value: Floats
    n: Ints
    y: Floats
    v: Floats


def _judge(
    rows: Any,  # noqa: ANN401  (any engine's frame)
    order: pd.DataFrame,
    name: str | None,
    limit: int | None,
    confidence: float,
    unit: str,
) -> pd.DataFrame:
    groups, series = _measure(rows, order, name, limit, unit)
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


def _measure(
    rows: Any,  # noqa: ANN401
    order: pd.DataFrame,
    name: str | None,
    limit: int | None,
    unit: str,
) -> tuple[pd.DataFrame, dict[str, _Series]]:
    """Count, and return the groups and the series of each measure: a row a group and a column a period."""
    keys = list(grouping([*([] if name is None else [name]), "period_id"]))
    cycle, response = (count_stage(rows, stage, keys, resolution=unit) for stage in ("cycle", "response"))
    first, last = (nw.col(each).cast(nw.String) for each in ("channel", "latest_channel"))
    ai = nw.col("ai_dispatched").cast(nw.Boolean)
    flags = {"ai": ai, "not ai": ~ai, "rerouted": first != last, "stayed": first == last}
    flagged = count_flags(rows, {f"_{flag}": holds for flag, holds in flags.items()}, keys, _ROUTES)
    counts: dict[str, Ints] = {"actions": flagged["n"].to_numpy()}
    counts |= {flag: flagged[f"_{flag}"].to_numpy() for flag in flags}
    if limit is not None:
        told = limit % cycle.unit == 0
        counts["met"], counts["missed"] = _on_time(
            cycle if told else count_stage(rows, "cycle", keys, around=limit), limit
        )
    shares = {"ai_rate": ("ai", "not ai"), "reroute_rate": ("rerouted", "stayed")}
    if limit is not None:
        shares = {"on_time": ("met", "missed"), **shares}
    times = dict(zip(TIME_MEASURES, [*_times(cycle, [0.5, 0.9]), *_times(response, [0.9])], strict=True))
    for measure, stage in zip(TIME_MEASURES, (cycle, cycle, response), strict=True):
        counts[measure] = stage.sum_by_group(stage.only("event", "open"))
    flat = [*counts.values(), *(side for sides in times.values() for side in sides)]
    groups, laid = lay_out(flagged[keys], flat, keys[:-1], order)
    table = dict(zip(counts, (each.astype(np.int64) for each in laid), strict=False))
    series = {"actions": _Series(laid[0], table["actions"], *log_count(table["actions"]))}
    for at, measure in enumerate(TIME_MEASURES):
        used = table[measure]
        value, low, high = (np.where(used > 0, side, np.nan) for side in laid[len(counts) + 3 * at :][:3])
        series[measure] = _Series(value, used, *log_time(value, low, high, used, _BAND))
    for measure, (hit, miss) in shares.items():
        hits, n = table[hit], table[hit] + table[miss]
        share = np.divide(hits, n, out=np.full(n.shape, np.nan), where=n > 0)
        series[measure] = _Series(share, n, *logit_share(hits, n))
    return groups, series


def _on_time(counts: StageCounts, limit: int) -> tuple[Ints, Ints]:
    """Return how many of each group met the limit, and how many missed it."""
    events, still = counts.only("event"), counts.only("open")
    micros = counts.duration * counts.unit
    missed = events * (micros > limit) + still * (micros >= limit)
    return counts.sum_by_group(events * (micros <= limit)), counts.sum_by_group(missed)


def _times(counts: StageCounts, quantiles: list[float]) -> list[Floats]:
    """Return of each quantile its estimate and limits, in microseconds."""
    found = survival_quantiles(counts, quantiles, "exclude", _BAND) * counts.unit
    return [found[:, position].T for position in range(len(quantiles))]


def _back(measure: str, y: Floats) -> Floats:
    """Return from the scale of a measure to the measure."""
    if measure in TIME_MEASURES:
        return from_log(y, 2.0**63)
    return from_log(y) if measure in COUNT_MEASURES else from_logit(y)


def _shown(measure: str, values: Any) -> pd.Series:  # noqa: ANN401
    """Return values as timedeltas or plain numbers, in a column that holds both."""
    return (as_timedelta(values, 1) if measure in TIME_MEASURES else pd.Series(values)).astype("object")
