"""How long it took: stage-time quantiles that count open actions honestly."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf, check_share
from periodkit.errors import ArgumentError
from periodkit.metrics.estimate import observed_quantiles, survival_quantiles
from periodkit.metrics.tally import EXCLUDED, By, StageCounts, count_stage, grouping

__all__ = [
    "COUNT_COLUMNS",
    "as_timedelta",
    "checked_canceled",
    "cycle_times",
    "quantile_names",
    "quantile_table",
    "stage_totals",
]

COUNT_COLUMNS = ("n", "used", "events", "open", "canceled", "left", "not_started", "invalid", "unknown")


def cycle_times(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    by: By = None,
    stage: str = "cycle",
    quantiles: Sequence[float] = (0.5, 0.9),
    canceled: str = "censor",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    method: str = "kaplan-meier",
) -> pd.DataFrame:
    """Return quantiles of a stage's length, with intervals, counting actions that are still open for what they tell.

    Parameters
    ----------
    actions : pandas.DataFrame, polars frame, pyarrow.Table or DuckDB relation
        Actions.
    by : str or list of str, optional
        Columns to group by; null is a group of its own.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones, see `periodkit.stage_times`.
    quantiles : sequence of float
        Shares strictly between 0 and 1.
    canceled : {"censor", "exclude"}
        What cancellations, and actions that left the stage without reaching its end, count as: seen unfinished until
        then, or not at all.
    confidence : float
        Coverage of the intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    method : {"kaplan-meier", "observed"}
        ``"observed"`` gives the plain quantiles of completed durations (type 7), cancellations among them unless
        excluded. It is biased low while actions are open.

    Returns
    -------
    pandas.DataFrame
        One row per group, sorted by key with nulls last: the keys; ``n`` actions, of which ``used``; ``events``,
        ``open``, ``canceled``, ``left`` among those with a duration; ``not_started``, ``invalid``, ``unknown``; then
        ``p50``, ``p50_low``, ``p50_high`` and so on as timedeltas. NaT is "not reached": too few have ended to say.

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
    checked_canceled(canceled)
    check_share(confidence, "confidence")
    names = quantile_names(quantiles)
    grouping(by, [*COUNT_COLUMNS, *(column for name in names.values() for column in _columns(name))])
    if method not in ("kaplan-meier", "observed"):
        msg = f'method is {method!r}; it takes "kaplan-meier" or "observed".'
        raise ArgumentError(msg)
    return quantile_table(count_stage(actions, stage, by, as_of), names, canceled, confidence, method)


def quantile_table(
    counts: StageCounts,
    names: Mapping[float, str],
    canceled: str = "censor",
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
    canceled, confidence, method
        As for `cycle_times`.
    """
    result = pd.concat([counts.keys(), stage_totals(counts, canceled, method)], axis=1)
    estimator = observed_quantiles if method == "observed" else survival_quantiles
    estimates = estimator(counts, [*names], canceled, confidence)
    for position, name in enumerate(names.values()):
        for side, column in enumerate(_columns(name)):
            result[column] = as_timedelta(estimates[:, position, side], counts.unit)
    return result


def stage_totals(counts: StageCounts, canceled: str, method: str = "kaplan-meier") -> pd.DataFrame:
    """Return the counts beside every stage estimate, one row per group; ``n`` is ``used`` plus all that was left out."""
    totals = counts.totals().rename(columns={"event": "events"})
    unused = list(EXCLUDED)
    if canceled == "exclude":
        unused += ["canceled", "left"]
    if method == "observed":
        unused += ["open"] if canceled == "exclude" else ["open", "left"]
    totals["used"] = totals["n"] - totals[unused].sum(axis=1)
    return totals[list(COUNT_COLUMNS)]


def checked_canceled(canceled: str) -> None:
    """Raise an ArgumentError unless `canceled` is one of the two ways."""
    if canceled not in ("censor", "exclude"):
        msg = f'canceled is {canceled!r}; it takes "censor" or "exclude".'
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


def stage_quantiles(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    by: By = None,
    quantiles: Sequence[float] = (0.5, 0.9),
    canceled: str = "censor",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
) -> pd.DataFrame:
    """Return what `cycle_times` says of every stage: where the time goes.

    Parameters
    ----------
    actions : pandas.DataFrame, polars frame, pyarrow.Table or DuckDB relation
        Actions.
    by, quantiles, canceled, confidence, as_of
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
    options: dict[str, Any] = {"quantiles": quantiles, "canceled": canceled, "confidence": confidence, "as_of": as_of}
    parts = [cycle_times(actions, by, stage, **options) for stage in _ORDER]
    for stage, part in zip(_ORDER, parts, strict=True):
        part.insert(len(keys), "stage", pd.Series(stage, index=part.index, dtype="str"))
    # Every stage has the same groups in the same order: rows of one group are brought together.
    stacked = pd.concat(parts)
    return stacked.sort_index(kind="stable").reset_index(drop=True)
