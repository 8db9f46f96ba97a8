"""How far AI dispatch carried: dispatched by AI, kept its channel, closed on time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf, as_micros
from periodkit.frames import grouped
from periodkit.metrics.arms import check_flag, number_keys
from periodkit.metrics.estimate import wilson
from periodkit.metrics.tally import By, count_stage, grouping

__all__ = ["FUNNEL_STEPS", "ai_funnel"]

FUNNEL_STEPS = ("dispatched by AI", "kept its channel", "closed on time")
_KEYS = ("ai_dispatched", "channel", "latest_channel")
_COLUMNS = ("step", "n", "passed", "not_passed", "unknown", "rate", "low", "high", "product")


@grouped
def ai_funnel(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    target: str | timedelta,
    by: By = None,
    confidence: float = 0.95,
    as_of: AsOf | None = None,
) -> pd.DataFrame:
    """Return how many actions AI dispatched, how many of these kept their channel, and how many of those closed on time.

    The first two steps are what support platforms report as involvement and resolution.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    target : timedelta or str
        The promised time from created to closed, such as ``"20min"``; taking exactly that long is on time.
    by : str, Series, callable or list of these, optional
        What to group by, see `periodkit.cycle_times`; null is a group of its own.
    confidence : float
        Coverage of the intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.

    Returns
    -------
    pandas.DataFrame
        Three rows per group, one per step: the keys; ``step``; ``n``, those that passed the step before (at the first:
        all) and are known to have passed this one or not; ``passed`` and ``not_passed``; ``unknown``, for which that is
        not known; ``rate`` = passed over n with its Wilson interval ``low``, ``high``; and ``product`` of the rates so
        far. NaN where there is nothing to count.

        Not known: whether AI dispatched; one channel or both; at the last step those still open for less than the target,
        canceled, or without a time. A re-route and back is not seen, so ``kept its channel`` is an upper bound.

    Raises
    ------
    SchemaError
        A needed column is missing or not of its kind.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    Each step leaves out what is not known of it, so the product estimates the share of all that passed every step, if
    those left out are like the rest. Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods())
    >>> ai_funnel(actions, "20min")["step"].tolist()
    ['dispatched by AI', 'kept its channel', 'closed on time']
    """
    names = grouping(by, _COLUMNS)
    limit = as_micros(target, "target")
    counts = count_stage(actions, "cycle", list(dict.fromkeys([*names, *_KEYS])), as_of, around=limit)
    groups = counts.groups
    # A moment that is replayed does not know what was created later.
    later = counts.only("not_started") if as_of is not None else counts.only()
    total = counts.sum_by_group(counts.n - later)
    met = counts.sum_by_group(counts.only("event") * (counts.duration <= limit))
    open_past = counts.only("open") * (counts.duration >= limit)
    missed = counts.sum_by_group(counts.only("event") * (counts.duration > limit) + open_past)
    ai = check_flag(groups["ai_dispatched"]).astype("boolean")
    first, last = groups["channel"].astype("object"), groups["latest_channel"].astype("object")
    routed = (first.notna() & last.notna()).to_numpy()
    kept = routed & (first == last).to_numpy()
    by_ai = ai.fillna(value=False).to_numpy(dtype=bool)
    steps = (
        (total * by_ai, total * (ai.notna().to_numpy() & ~by_ai), total),
        (total * (by_ai & kept), total * (by_ai & routed & ~kept), total * by_ai),
        (met * (by_ai & kept), missed * (by_ai & kept), total * (by_ai & kept)),
    )
    code, keys = number_keys(groups, names)
    # Counts stay far below 2**53, so the float sums of bincount are exact.
    sums = np.array([[np.bincount(code, n, len(keys)) for n in step] for step in steps]).astype(np.int64)
    passed, not_passed, entered = np.moveaxis(sums, 1, 0)
    rate, low, high = wilson(passed, passed + not_passed, confidence)
    columns = {
        "n": passed + not_passed,
        "passed": passed,
        "not_passed": not_passed,
        "unknown": entered - passed - not_passed,
        "rate": rate,
        "low": low,
        "high": high,
        "product": np.cumprod(rate, axis=0),
    }
    rows = keys.loc[np.repeat(np.arange(len(keys)), len(FUNNEL_STEPS))].reset_index(drop=True)
    result = pd.DataFrame({"step": FUNNEL_STEPS * len(keys)} | {name: each.T.ravel() for name, each in columns.items()})
    return pd.concat([rows, result], axis=1)
