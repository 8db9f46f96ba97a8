"""Any two kinds of actions side by side, in each stratum and over all of them: this period against that, two channels."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf, as_micros, check_share
from periodkit.metrics.arms import EXCLUSIONS, ArmCounts, count_arms
from periodkit.metrics.effect import warn_of_dispatch, with_limits
from periodkit.metrics.estimate import Floats, survival_quantiles
from periodkit.metrics.estimate.mover import combine
from periodkit.metrics.estimate.rates import normal_quantile
from periodkit.metrics.estimate.standardise import contrasts, standardise
from periodkit.metrics.estimate.stratified import Strata, incidence_by_stratum
from periodkit.metrics.tally import By, Ints, grouping, named_resolution
from periodkit.metrics.times import as_timedelta, checked_ways, quantile_names
from periodkit.milestones import checked_stage

__all__ = ["compare"]

_COUNTS = ("n", "used", "unknown_arm", *EXCLUSIONS, "n_first", "n_second")
_LEAD = ("pooled", "first", "second", *_COUNTS)


def compare(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    arm: str,
    within: By = None,
    stage: str = "cycle",
    quantiles: Sequence[float] = (0.5, 0.9),
    target: str | timedelta | None = None,
    canceled: str = "exclude",
    skipped: str = "exclude",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Compare two kinds of actions: how long a stage takes, and the share within a target; among like work if asked.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    arm : str
        A column of two values, such as ``"ai_dispatched"``, or ``"period_id"`` of two periods' actions. True is the first
        of two flags, else the first in order; nulls are counted and left out.
    within : str or list of str, optional
        Columns of what is alike: the arms are compared within each stratum, and over all strata.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones.
    quantiles : sequence of float
        Shares strictly between 0 and 1.
    target : timedelta or str, optional
        A promised time: the share that makes it is compared as well.
    canceled : {"exclude", "censor"}
        What cancellations count as in quantiles, see `periodkit.cycle_times`. In shares they compete, as in
        `periodkit.outcome_curve`.
    skipped : {"exclude", "at_close"}
        What an action counts as that was closed without passing the stage's end, see `periodkit.cycle_times`.
    confidence : float
        Coverage of the intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    resolution : {None, "ms", "s", "us", "min"}
        Unit in which durations are counted, see `periodkit.cycle_times`; above a millisecond, `target` must be whole in it.

    Returns
    -------
    pandas.DataFrame
        One row per stratum, sorted with nulls last, if there are any, and a last one for all together, which has
        ``pooled`` true and null keys: the keys; ``pooled``; ``first`` and ``second``, the two values; ``n`` actions, of
        which ``used``; ``unknown_arm``, ``not_started``, ``invalid``, ``skipped``, ``unknown``; ``n_first`` and
        ``n_second`` of the used. Then for each measure, ``share`` (with a target), ``p50``, ``p90``: ``p50_n``, how many
        the comparison rests on; ``p50_first``, ``p50_second``; ``p50_difference``, first minus second, and ``p50_ratio``,
        first over second, each with ``_low`` and ``_high``; ``p50_better``, the value that did better, null where the
        interval of the difference holds 0. What the counts do not say is NaN or NaT. ``attrs["resolution"]`` names the
        resolution.

        Pooled within strata, each figure is the mean of the strata's, weighted by how many actions of both arms they have
        (of ratios of quantiles the geometric mean); strata where it, or a limit of it, is not known in both arms are left
        out. Without `within` it is that of all actions together.

    Raises
    ------
    SchemaError
        A needed column is missing or not of its kind.
    ArgumentError
        An argument is not one of those it takes; `arm` has not two values.

    Warns
    -----
    UserWarning
        `arm` is ``"ai_dispatched"`` and `stage` is ``"dispatch"``.

    Notes
    -----
    Quantiles are Kaplan-Meier's; intervals of their differences and ratios are recovered from their own: Zou and Donner
    (2008), Statistics in Medicine 27, 1693-1702. Shares are Aalen-Johansen's, the interval of their ratio is on the
    logarithm.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(2))
    >>> row = compare(actions, "period_id").iloc[0]
    >>> f"{row['first']} against {row['second']}", bool(row["p50_difference"] == row["p50_first"] - row["p50_second"])
    ('4173 against 4176', True)
    """
    checked_stage(stage)
    checked_ways(canceled, skipped)
    check_share(confidence, "confidence")
    named = quantile_names(quantiles)
    micros = None if target is None else as_micros(target, "target")
    measures = (*(() if micros is None else ("share",)), *named.values())
    names = grouping(within, [*_LEAD, *(column for name in measures for column in _columns(name))], "within")
    warn_of_dispatch(arm, stage)
    counted = count_arms(actions, arm, stage, (), names, as_of, skipped, "within", resolution)
    found: dict[str, Any] = {}
    if micros is not None:
        found = _share(counted.tables(), counted.counts.units(micros, "target"), counted.arms, confidence)
    estimates = survival_quantiles(counted.counts.taking_skipped(skipped), [*named], canceled, confidence)
    # The last row is that of absent arms.
    of_arms = np.concatenate([estimates, np.full((1, *estimates.shape[1:]), np.nan)])[counted.rows()]
    size = counted.totals(by_stratum=True)[["first", "second"]].sum(axis=1).to_numpy()
    for position, name in enumerate(named.values()):
        found |= _quantile(name, of_arms[:, :, position], size, counted)
    lead = _lead(counted, pooled=bool(names))
    frame = pd.DataFrame(found, columns=[column for name in measures for column in _columns(name)])
    # Without strata, the one row is that of all together.
    measured = frame if names else frame.iloc[: len(lead)]
    return named_resolution(pd.concat([lead, measured], axis=1), counted.counts)


def _columns(name: str) -> tuple[str, ...]:
    between = with_limits(f"{name}_difference", f"{name}_ratio")
    return (f"{name}_n", f"{name}_first", f"{name}_second", *between, f"{name}_better")


def _lead(counted: ArmCounts, *, pooled: bool) -> pd.DataFrame:
    """Return the keys and counts of each stratum, and of all together in a last row."""
    whole = counted.totals()
    totals = pd.concat([counted.totals(by_stratum=True), whole], ignore_index=True) if pooled else whole
    # Numbers and flags that cannot be null become such as can.
    able = {"i": "Int64", "b": "boolean"}
    kinds = {name: able[kind.kind] for name, kind in counted.strata.dtypes.items() if kind in (np.int64, np.bool_)}
    keys = counted.strata.astype(kinds).reindex(range(len(totals)))
    last = np.arange(len(totals)) == len(totals) - 1
    values = {
        name: pd.Series([value] * len(totals)) for name, value in zip(("first", "second"), counted.arms, strict=True)
    }
    totals = totals.rename(columns={"first": "n_first", "second": "n_second"})
    totals["used"] = totals["n_first"] + totals["n_second"]
    return pd.concat([keys, pd.DataFrame({"pooled": last} | values), totals[list(_COUNTS)]], axis=1)


def _share(strata: Strata, target: float, arms: tuple[Any, Any], confidence: float) -> dict[str, Any]:
    """Return the columns of the share within a target: of each stratum, then of all."""
    figures = incidence_by_stratum(strata, target)
    of_strata, of_all = contrasts(figures, confidence), standardise(figures, confidence)
    first, second, difference, low, high, first_error, second_error = (
        np.append(getattr(of_strata, name), getattr(of_all, name))
        for name in ("first", "second", "difference", "low", "high", "first_std_error", "second_std_error")
    )
    told = np.isfinite(difference)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = first / second
        half = normal_quantile(confidence) * np.hypot(first_error / first, second_error / second)
        ends = (ratio, ratio / np.exp(half), ratio * np.exp(half))
    size = figures.used.sum(axis=1)
    there = told[: len(size)]
    values = {
        "n": np.append(np.where(there, size, 0), size[there].sum()),
        "first": first,
        "second": second,
        **dict(zip(with_limits("difference"), (difference, low, high), strict=True)),
        # An arm in which nobody made it has no ratio.
        **dict(zip(with_limits("ratio"), (np.where(first * second > 0, each, np.nan) for each in ends), strict=True)),
        "better": _better(low, high, arms),
    }
    return {f"share_{name}": value for name, value in values.items()}


def _quantile(name: str, estimates: Floats, size: Ints, counted: ArmCounts) -> dict[str, Any]:
    """Return the columns of a quantile: of each stratum, then of all; `estimates` are value and limits by arm."""
    # A quantile of 0 has no ratio.
    logs = np.log(np.where(estimates > 0, estimates, np.nan))
    differences, ratios = _contrast(estimates, size), np.exp(_contrast(logs, size))
    known = np.isfinite(estimates).all(axis=(1, 2))
    weights = size[known] / max(size[known].sum(), 1)
    whole = weights @ estimates[known, :, 0] if known.any() else np.full(2, np.nan)
    arms = np.append(estimates[:, :, 0], [whole], axis=0)
    times = dict(zip(("first", "second", *with_limits("difference")), (*arms.T, *differences), strict=True))
    values = {
        "n": np.append(np.where(np.isfinite(differences[0, :-1]), size, 0), size[known].sum()),
        **{key: as_timedelta(value, counted.counts.unit) for key, value in times.items()},
        **dict(zip(with_limits("ratio"), ratios, strict=True)),
        "better": _better(-differences[2], -differences[1], counted.arms),
    }
    return {f"{name}_{key}": value for key, value in values.items()}


def _contrast(estimates: Floats, size: Ints) -> Floats:
    """Return first minus second arm with its limits, of each stratum and of all: the strata's mean, weighted by size."""
    of_strata = combine([1, -1], *np.moveaxis(estimates, -1, 0))
    known = np.isfinite(estimates).all(axis=(1, 2))
    if not known.any():
        return np.array([np.append(each, np.nan) for each in of_strata])
    weights = size[known] / size[known].sum()
    of_all = combine(np.concatenate([weights, -weights]), *np.concatenate([estimates[known, 0], estimates[known, 1]]).T)
    return np.array([np.append(*pair) for pair in zip(of_strata, of_all, strict=True)])


def _better(low: Floats, high: Floats, arms: tuple[Any, Any]) -> Any:  # noqa: ANN401
    """Return the arm that did better, by the limits of by how much the first did."""
    better = np.full(len(low), None, dtype=object)
    better[low > 0], better[high < 0] = arms
    return better
