"""How long it took: stage-time quantiles that count open actions honestly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf, check_share
from periodkit.errors import ArgumentError
from periodkit.frames import grouped, sort_rows
from periodkit.metrics.estimate import observed_quantiles, survival_quantiles
from periodkit.metrics.tally import By, StageCounts, count_stage, gone_states, grouping, named_resolution

__all__ = [
    "COUNT_COLUMNS",
    "SKIPPED_SHARE",
    "as_timedelta",
    "checked_ways",
    "cycle_times",
    "quantile_names",
    "quantile_table",
    "stage_quantiles",
    "stage_totals",
    "with_bound",
]

COUNT_COLUMNS = ("n", "used", "events", "open", "canceled", "left", "skipped", "not_started", "invalid", "unknown")
SKIPPED_SHARE = 0.05
"""Where a larger share of a stage was skipped, a bound for all stands beside the estimate of the recorded ones."""


@grouped
def cycle_times(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    by: By = None,
    stage: str = "cycle",
    quantiles: Sequence[float] = (0.5, 0.9),
    canceled: str = "exclude",
    skipped: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    method: str = "kaplan-meier",
    resolution: str | None = None,
    sort: str | None = None,
) -> pd.DataFrame:
    """Return quantiles of a stage's length, with intervals, counting actions that are still open for what they tell.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    by : str, Series, callable or list of these, optional
        What to group by: a column; a Series, by its index; or a function of the frame. Null is a group of its own. An
        action counts once for each item of a list, such as each of its ``assigned_user_names``.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones, see `periodkit.stage_times`.
    quantiles : sequence of float
        Shares strictly between 0 and 1.
    canceled : {"exclude", "censor"}
        What cancellations, and actions that were canceled before the stage's end, count as: not at all, or seen
        unfinished until then. With nothing open, ``"exclude"`` gives the numbers of the closed actions; ``"censor"`` asks
        how long it would take, were none canceled.
    skipped : {"exclude", "at_close"}
        What an action counts as that was closed without a record of the stage's end: not at all, or ended at its closing.
        ``"at_close"`` is a bound: what would be seen, had every milestone been recorded, is no longer. It is of other
        actions than ``"exclude"``, so its quantile can be the shorter one.
    confidence : float
        Coverage of the intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    method : {"kaplan-meier", "observed"}
        ``"observed"`` gives the plain quantiles of the durations that ended (type 7); `canceled` does not matter to it.
        It is biased low while actions are open.
    resolution : {None, "ms", "s", "us", "min"}
        Unit in which durations are counted: what has ended at the first whole one by which it had, what is open at the
        last one for which it was seen. None is ``"ms"``, the API's own, where the rows are at hand, and ``"s"`` on a
        cluster, where ten times fewer counts come over. Every engine gives the same frame at the same resolution.
    sort : str, optional
        A column of the result to sort by, such as ``"n"``, the largest first; by default groups are in order of key.

    Returns
    -------
    pandas.DataFrame
        One row per group, sorted by key with nulls last: the keys; ``n`` actions, of which ``used``; ``events`` (with
        ``"at_close"`` the skipped among them), ``open``, ``canceled``, ``left``, ``skipped``; ``not_started``, ``invalid``,
        ``unknown``; then ``p50``, ``p50_low``, ``p50_high`` and so on as timedeltas. NaT is "not reached": too few have
        ended to say. ``attrs["resolution"]`` names the resolution.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    Kaplan and Meier (1958), J. Am. Stat. Assoc. 53, 457-481: the quantile is the smallest t with S(t) <= 1 - q. Its
    interval inverts the log-log pointwise band (Brookmeyer and Crowley 1982, Biometrics 38, 29-41; Kalbfleisch and
    Prentice 2002). ``"observed"`` is type 7 of Hyndman and Fan (1996), Am. Stat. 50, 361-365, between order statistics.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(1))
    >>> honest, completed_only = pk.cycle_times(actions), pk.cycle_times(actions, method="observed")
    >>> bool(honest.loc[0, "p50"] > completed_only.loc[0, "p50"])
    True
    """
    checked_ways(canceled, skipped)
    check_share(confidence, "confidence")
    names = quantile_names(quantiles)
    grouping(by, [*COUNT_COLUMNS, *(column for name in names.values() for column in _columns(name))])
    if method not in ("kaplan-meier", "observed"):
        msg = f'method is {method!r}; it takes "kaplan-meier" or "observed".'
        raise ArgumentError(msg)
    counts = count_stage(actions, stage, by, as_of, resolution)
    return sort_rows(quantile_table(counts, names, canceled, skipped, confidence, method), sort)


def quantile_table(
    counts: StageCounts,
    names: Mapping[float, str],
    canceled: str = "exclude",
    skipped: str = "exclude",
    confidence: float = 0.95,
    method: str = "kaplan-meier",
) -> pd.DataFrame:
    """Return what `cycle_times` does, of counts that are already there.

    Parameters
    ----------
    counts : StageCounts
        The counts of a stage.
    names : mapping of float to str
        The quantiles, and how their columns are called.
    canceled, skipped, confidence, method
        As for `cycle_times`.
    """
    result = pd.concat([counts.keys(), stage_totals(counts, canceled, skipped, method)], axis=1)
    taken = counts.taking_skipped(skipped)
    if method == "observed":
        estimates = observed_quantiles(taken, [*names], confidence)
    else:
        estimates = survival_quantiles(taken, [*names], canceled, confidence)
    for position, name in enumerate(names.values()):
        for side, column in enumerate(_columns(name)):
            result[column] = as_timedelta(estimates[:, position, side], counts.unit)
    return named_resolution(result, counts)


def stage_totals(
    counts: StageCounts, canceled: str, skipped: str = "exclude", method: str = "kaplan-meier"
) -> pd.DataFrame:
    """Return the counts beside every stage estimate, one row per group; ``n`` is ``used`` plus all that was left out."""
    totals = counts.totals().rename(columns={"event": "events"})
    if skipped == "at_close":
        totals["events"] += totals["skipped"]
    used = ["events"] if method == "observed" else ["events", *gone_states(canceled), "open"]
    totals["used"] = totals[used].sum(axis=1)
    return totals[list(COUNT_COLUMNS)]


def checked_ways(canceled: str, skipped: str = "exclude") -> None:
    """Raise an ArgumentError unless `canceled` and `skipped` are each one of their two ways."""
    ways = {"canceled": (canceled, ("exclude", "censor")), "skipped": (skipped, ("exclude", "at_close"))}
    for name, (value, choices) in ways.items():
        if value not in choices:
            msg = f'{name} is {value!r}; it takes "{choices[0]}" or "{choices[1]}".'
            raise ArgumentError(msg)


def as_timedelta(values: Any, unit: int) -> pd.Series:  # noqa: ANN401
    """Return durations in units of `unit` microseconds as ``timedelta64[us]``; NaN becomes NaT."""
    micros = np.asarray(values, dtype=np.float64) * unit
    known = np.isfinite(micros)
    whole = np.where(known, np.rint(np.where(known, micros, 0)), np.iinfo(np.int64).min).astype(np.int64)
    return pd.Series(whole.view("timedelta64[us]"))


def quantile_names(quantiles: object) -> dict[float, str]:
    """Return what the columns of quantiles are called, or say what `quantiles` takes."""
    if isinstance(quantiles, str) or not isinstance(quantiles, Iterable):
        msg = f"quantiles is {quantiles!r}; pass a list, such as [0.5, 0.9]."
        raise ArgumentError(msg)
    return {check_share(q, "quantiles"): f"p{round(q * 100, 6):g}" for q in quantiles}


def _columns(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"


# As an action goes through them; then the two that span several.
_ORDER = ("dispatch", "pickup", "work", "response", "cycle")


@grouped
def stage_quantiles(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    by: By = None,
    quantiles: Sequence[float] = (0.5, 0.9),
    canceled: str = "exclude",
    skipped: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return what `cycle_times` says of every stage: where the time goes.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    by, quantiles, canceled, skipped, confidence, as_of, resolution
        As for `periodkit.cycle_times`.

    Returns
    -------
    pandas.DataFrame
        One row per group and stage: the keys; ``stage``; then the counts and quantiles of `periodkit.cycle_times`. The
        stages stand as an action goes through them, dispatch, pickup and work; then response (dispatch and pickup) and
        cycle (all three). Medians of stages do not add up to the median of the whole.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(1))
    >>> stage_quantiles(actions)["stage"].tolist()
    ['dispatch', 'pickup', 'work', 'response', 'cycle']
    """
    keys = grouping(by, ["stage"])
    parts = [
        cycle_times(actions, by, stage, quantiles, canceled, skipped, confidence, as_of, resolution=resolution)
        for stage in _ORDER
    ]
    for stage, part in zip(_ORDER, parts, strict=True):
        part.insert(len(keys), "stage", pd.Series(stage, index=part.index, dtype="str"))
    # Every stage has the same groups in the same order: rows of one group are brought together.
    stacked = pd.concat(parts)
    return stacked.sort_index(kind="stable").reset_index(drop=True)


@grouped
def with_bound(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    by: By = None,
    stage: str = "response",
    quantiles: Sequence[float] = (0.5, 0.9),
    canceled: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return what `cycle_times` says of the actions recorded in a stage, and beside it a bound for all of them.

    The two are of different actions: where those that were skipped were quick, the bound is the smaller one.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    by, stage, quantiles, canceled, confidence, as_of, resolution
        As for `periodkit.cycle_times`.

    Returns
    -------
    pandas.DataFrame
        One row per group: all columns of `periodkit.cycle_times`; ``all_used``, how many the bound is of; ``skipped_share``,
        the skipped among these; ``bound_shown``, whether that is more than `SKIPPED_SHARE`, so that the bound belongs beside
        the estimate; ``p50_at_most``, ``p90_at_most`` and so on, each unrecorded end taken at its closing.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods())
    >>> row = with_bound(actions).iloc[0]
    >>> bool(row["all_used"] == row["used"] + row["skipped"])
    True
    """
    checked_ways(canceled)
    check_share(confidence, "confidence")
    names = quantile_names(quantiles)
    grouping(by, [*COUNT_COLUMNS, "all_used", "skipped_share", "bound_shown", *names.values()])
    counts = count_stage(actions, stage, by, as_of, resolution)
    result = quantile_table(counts, names, canceled, confidence=confidence)
    bound = quantile_table(counts, names, canceled, "at_close", confidence)
    result["all_used"] = bound["used"]
    result["skipped_share"] = result["skipped"] / bound["used"].where(bound["used"] > 0)
    result["bound_shown"] = result["skipped_share"] > SKIPPED_SHARE
    return result.assign(**{f"{name}_at_most": bound[name] for name in names.values()})
