"""What AI dispatch is associated with: plainly, and among like work."""

from __future__ import annotations

import warnings
from datetime import timedelta
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf, as_micros, check_share
from periodkit.frames import grouped
from periodkit.metrics.arms import AI, EXCLUSIONS, count_arms
from periodkit.metrics.estimate import kaplan_meier, logrank, merge, survival_quantile
from periodkit.metrics.estimate.mantel_haenszel import e_value, mantel_haenszel
from periodkit.metrics.estimate.standardise import Contrast, contrasts, standardise, support
from periodkit.metrics.estimate.stratified import Strata, decided, incidence_by_stratum, mean_by_stratum, pool
from periodkit.metrics.tally import By, grouping, named_resolution
from periodkit.metrics.times import as_timedelta, checked_ways
from periodkit.milestones import checked_stage

__all__ = ["ai_effect", "warn_of_dispatch", "with_limits"]

Row: TypeAlias = dict[str, Any]


def with_limits(*names: str) -> tuple[str, ...]:
    """Return each name, and the names of its two limits."""
    return tuple(name + end for name in names for end in ("", "_low", "_high"))


_COUNTS = ("n", "used", "unknown_ai", *EXCLUSIONS, "n_ai", "n_not_ai", "undetermined")
_SUPPORT = ("strata", "strata_compared", "one_arm", "one_arm_share", "short", "short_share")
_TIMES = ("mean_ai", "mean_not_ai", *with_limits("mean_difference", "std_mean_difference"))
_COLUMNS = (
    *(*_COUNTS, *_SUPPORT, "target"),
    *("ai", "not_ai", *with_limits("difference")),
    *("std_ai", "std_not_ai", *with_limits("std_difference")),
    *(*_TIMES, *with_limits("risk_ratio")),
    *("homogeneity_chi2", "homogeneity_df", "homogeneity_p", "logrank_chi2", "logrank_p", "e_value", "e_value_limit"),
)
_WHOLE = (*_COUNTS, "strata", "strata_compared", "one_arm", "short", "homogeneity_df")
_DISPATCH = (
    "AI assigns at once, so a short dispatch time is how AI dispatch works, not what comes of it. "
    "Compare stage='response' or 'cycle'."
)


@grouped
def ai_effect(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    stage: str = "response",
    strata: By = "classification",
    target: str | timedelta | None = None,
    by: By = None,
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    skipped: str = "exclude",
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return what AI dispatch is associated with: AI-dispatched actions against the others, plainly and among like work.

    AI is often given the easy work, so the plain difference mixes what AI did with what it was given. `strata` says which
    work is alike: within each stratum both arms are compared, and the strata are then weighted by how many actions of
    both arms they have. Whatever the strata do not capture stays in the difference: it is an association. Strata of which
    an arm has one or two actions make the intervals too narrow.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    stage : {"response", "cycle", "dispatch", "pickup", "work"}
        Between which milestones. ``"dispatch"`` warns: AI makes it short by construction.
    strata : str or list of str, optional
        Columns of what is alike; null is a stratum of its own. None compares plainly.
    target : timedelta or str, optional
        The promised time, such as ``"5min"``, and how far mean times look; by default the median of both arms together.
    by : str, Series, callable or list of these, optional
        What to group by, see `periodkit.cycle_times`; null is a group of its own.
    confidence : float
        Coverage of the intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    skipped : {"exclude", "at_close"}
        What an action counts as that was closed without passing the stage's end, see `periodkit.cycle_times`.
    resolution : {None, "ms", "s", "us", "min"}
        Unit in which durations are counted, see `periodkit.cycle_times`; above a millisecond, `target` must be whole in it.

    Returns
    -------
    pandas.DataFrame
        One row per group, sorted by key with nulls last. Differences are AI minus not AI; what the counts do not say is
        NaN or NaT; each difference and ratio has its ``_low`` and ``_high``; ``attrs["resolution"]`` names the resolution.

        - The keys; ``n`` actions, of which ``used``; ``unknown_ai`` (AI dispatch not known), ``not_started``, ``invalid``,
          ``skipped``, ``unknown``; ``n_ai`` and ``n_not_ai`` of the used; ``undetermined``: open for less than the target.
        - ``strata`` with actions, and ``strata_compared``: both arms are there, and followed as long as the target.
          ``one_arm``: used actions in strata that only one arm has. ``short``: in strata not followed that long. Each with
          its ``_share`` of the used. The ``target``.
        - ``ai``, ``not_ai``, ``difference``: share that reached the stage's end within the target, all actions together;
          ``std_ai``, ``std_not_ai``, ``std_difference``: the same among like work.
        - ``mean_ai``, ``mean_not_ai``, ``mean_difference``: mean time, each counted up to the target; of like work
          ``std_mean_difference``.
        - ``risk_ratio`` of making the target, among like work; ``homogeneity_chi2``, ``homogeneity_df``,
          ``homogeneity_p``: whether the strata agree; ``logrank_chi2``, ``logrank_p``: whether the times differ at all,
          among like work; ``e_value``: how strongly something unmeasured would have to go with both AI dispatch and
          making the target to explain the risk ratio, ``e_value_limit`` its limit nearer 1.

    Raises
    ------
    SchemaError
        A needed column is missing or not of its kind.
    ArgumentError
        An argument is not one of those it takes.

    Warns
    -----
    UserWarning
        `stage` is ``"dispatch"``.

    Notes
    -----
    Shares are Aalen-Johansen cumulative incidences, so cancellations compete; restricted means and the stratified
    log-rank test take them as censored. Standardisation: Rothman, Greenland and Lash (2008), Modern Epidemiology,
    chapter 15. Risk ratio: Mantel and Haenszel (1959), with the error of Greenland and Robins (1985), of those decided at
    the target. Homogeneity: Breslow and Day (1980) with the correction of Tarone (1985). E-value: VanderWeele and Ding
    (2017), Ann. Intern. Med. 167, 268-274.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods())
    >>> row = ai_effect(actions, target="5min").iloc[0]
    >>> bool(row["difference"] > row["std_difference"] > 0)
    True
    """
    checked_stage(stage)
    checked_ways("censor", skipped)
    check_share(confidence, "confidence")
    names = grouping(by, _COLUMNS)
    micros = None if target is None else as_micros(target, "target")
    warn_of_dispatch(AI, stage, 4)  # `grouped` stands between
    counted = count_arms(actions, AI, stage, names, strata, as_of, skipped, resolution=resolution)
    limit = None if micros is None else counted.counts.units(micros, "target")
    tables, totals = counted.tables(), counted.totals()
    rows = [
        _effect([tables[at] for at in strata], totals.iloc[number], limit, confidence)
        for number, strata in enumerate(counted.strata_of())
    ]
    kinds = {name: "int64" if name in _WHOLE else "float64" for name in _COLUMNS}
    result = pd.DataFrame(rows, columns=list(_COLUMNS)).astype(kinds)
    for name in ("target", *_TIMES):
        result[name] = as_timedelta(result[name], counted.counts.unit)
    return named_resolution(pd.concat([counted.groups, result], axis=1), counted.counts)


def warn_of_dispatch(arm: str, stage: str, level: int = 3) -> None:
    """Warn that AI makes dispatch times short by construction; to be called by what the user calls."""
    if arm == AI and stage == "dispatch":
        warnings.warn(_DISPATCH, UserWarning, stacklevel=level)


def _effect(strata: Strata, counts: pd.Series, target: float | None, confidence: float) -> Row:
    """Return one row of `ai_effect`."""
    used = counts["first"] + counts["second"]
    everyone = merge(table for pair in strata for table in pair)
    t = survival_quantile(kaplan_meier(everyone), 0.5)[0] if target is None else target
    told = np.isfinite(t)
    # A median that is not reached lies beyond every age that was seen: all open ones are younger.
    at = t if told else float(everyone.time.max(initial=0)) + 1.0
    shares = incidence_by_stratum(strata, at)
    verdict = decided(strata, at)
    basis = support(shares)
    row: Row = dict.fromkeys(_COLUMNS, np.nan)
    row |= {name: counts[name] for name in ("n", *EXCLUSIONS)}
    row |= {"used": used, "unknown_ai": counts["unknown_arm"], "n_ai": counts["first"], "n_not_ai": counts["second"]}
    row |= {"undetermined": int(verdict.undetermined.sum()), "target": t, "homogeneity_df": 0}
    row |= {"strata": basis.strata, "strata_compared": basis.strata_compared if told else 0}
    left_out = {"one_arm": basis.one_arm, "short": basis.short if told else used - basis.one_arm}
    row |= left_out | {f"{name}_share": n / used if used else np.nan for name, n in left_out.items()}
    test = logrank(strata)
    row |= {"logrank_chi2": test.statistic, "logrank_p": test.p_value}
    if not told:
        return row
    crude = [pool(strata)]
    row |= _say(contrasts(incidence_by_stratum(crude, at), confidence), "", "difference")
    row |= _say(standardise(shares, confidence), "std_", "std_difference")
    row |= _say(contrasts(mean_by_stratum(crude, at), confidence), "mean_", "mean_difference")
    among_like = _say(standardise(mean_by_stratum(strata, at), confidence), "", "std_mean_difference")
    row |= {name: among_like[name] for name in with_limits("std_mean_difference")}
    tables = mantel_haenszel(verdict.met, verdict.missed, confidence)
    ratio, agree = tables.risk_ratio, tables.tarone
    row |= {"risk_ratio": ratio.value, "risk_ratio_low": ratio.low, "risk_ratio_high": ratio.high}
    row |= {"homogeneity_chi2": agree.statistic, "homogeneity_df": agree.df, "homogeneity_p": agree.p_value}
    value, nearest = e_value(ratio.value, ratio.low, ratio.high)
    return row | {"e_value": value.item(), "e_value_limit": nearest.item()}


def _say(found: Contrast, arms: str, difference: str) -> Row:
    values = (found.first, found.second, found.difference, found.low, found.high)
    names = (f"{arms}ai", f"{arms}not_ai", *with_limits(difference))
    return {name: value.item() for name, value in zip(names, values, strict=True)}
