"""Who routed it: AI dispatch and re-routing."""

from __future__ import annotations

from typing import Any

import narwhals as nw
import pandas as pd

from periodkit._arguments import one_of
from periodkit.frames import grouped, sort_rows
from periodkit.metrics.estimate import wilson
from periodkit.metrics.tally import By, count_flags, grouping

__all__ = ["ai_dispatch_rate", "reroute_rate", "routing_matrix"]

_AI_COLUMNS = ("n", "ai", "not_ai", "unknown", "rate", "low", "high")
_ROUTE_COLUMNS = ("n", "rerouted", "stayed", "unknown", "rate", "low", "high")
LOWER_BOUND = (
    "The API shows the first and the last channel only: re-routes and back are not seen, so this is a lower bound."
)


@grouped
def ai_dispatch_rate(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    by: By = None,
    of: str = "known",
    confidence: float = 0.95,
    sort: str | None = None,
) -> pd.DataFrame:
    """Return the share of actions that AI dispatched.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    by : str, Series, callable or list of these, optional
        What to group by, see `periodkit.cycle_times`; null is a group of its own.
    of : {"known", "assigned", "all"}
        The share of those with a known value; of those among them that have an ``assigned_time``; or of all, which
        counts unknown as not AI.
    confidence : float
        Coverage of the interval.
    sort : str, optional
        A column of the result to sort by, such as ``"n"``, the largest first; by default groups are in order of key.

    Returns
    -------
    pandas.DataFrame
        One row per group, sorted by key with nulls last: the keys, ``n``, ``ai``, ``not_ai``, ``unknown`` (null, which
        is not False), ``rate`` and its Wilson interval ``low``, ``high``; NaN where there is nothing to count.

    Raises
    ------
    SchemaError
        There is no column ``ai_dispatched``, or one of `by` is missing.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.

    Examples
    --------
    >>> import pandas as pd
    >>> actions = pd.DataFrame({"ai_dispatched": pd.array([True, True, False, None], dtype="boolean")})
    >>> ai_dispatch_rate(actions).round(3).iloc[0].tolist()
    [4.0, 2.0, 1.0, 1.0, 0.667, 0.208, 0.939]
    """
    one_of(of, "of", ("known", "assigned", "all"))
    keys = grouping(by, _AI_COLUMNS)
    ai = nw.col("ai_dispatched").cast(nw.Boolean)
    counted = ~nw.col("assigned_time").is_null() if of == "assigned" else nw.lit(True)
    flags = {"_counted": counted, "ai": ai & counted, "not_ai": ~ai & counted, "unknown": ai.is_null() & counted}
    columns = ["ai_dispatched", "assigned_time"] if of == "assigned" else ["ai_dispatched"]
    result = count_flags(actions, flags, by, columns)
    result["n"] = result.pop("_counted")
    total = result["n"] if of == "all" else result["ai"] + result["not_ai"]
    return sort_rows(_with_rate(result, "ai", total, confidence, keys), sort)


@grouped
def reroute_rate(
    actions: Any,  # noqa: ANN401
    by: By = None,
    confidence: float = 0.95,
    sort: str | None = None,
) -> pd.DataFrame:
    """Return the share of actions whose last channel is not their first.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    by : str, Series, callable or list of these, optional
        What to group by, see `periodkit.cycle_times`; null is a group of its own.
    confidence : float
        Coverage of the interval.
    sort : str, optional
        A column of the result to sort by, such as ``"n"``, the largest first; by default groups are in order of key.

    Returns
    -------
    pandas.DataFrame
        One row per group: the keys, ``n``, ``rerouted``, ``stayed``, ``unknown`` (one channel or both null), ``rate`` of
        those with both known, and its interval ``low``, ``high``, as in `periodkit.ai_dispatch_rate`. A lower bound, as
        ``frame.attrs["note"]`` says: the API shows the first and the last channel only.

    Raises
    ------
    SchemaError
        A needed column is missing.
    ArgumentError
        An argument is not one of those it takes.

    Examples
    --------
    >>> import pandas as pd
    >>> actions = pd.DataFrame({"channel": ["Bar", "Bar", "Bar"], "latest_channel": ["Bar", "Cellar", None]})
    >>> reroute_rate(actions).round(3).iloc[0].tolist()
    [3.0, 1.0, 1.0, 1.0, 0.5, 0.095, 0.905]
    """
    keys = grouping(by, _ROUTE_COLUMNS)
    first, last = nw.col("channel").cast(nw.String), nw.col("latest_channel").cast(nw.String)
    flags = {"rerouted": first != last, "stayed": first == last, "unknown": first.is_null() | last.is_null()}
    result = count_flags(actions, flags, by, ["channel", "latest_channel"])
    total = result["rerouted"] + result["stayed"]
    result = sort_rows(_with_rate(result, "rerouted", total, confidence, keys), sort)
    result.attrs["note"] = LOWER_BOUND
    return result


def routing_matrix(actions: Any) -> pd.DataFrame:  # noqa: ANN401
    """Return how many actions went from which first channel to which last one.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.

    Returns
    -------
    pandas.DataFrame
        One row per pair that occurs, sorted with nulls last: ``channel``, ``latest_channel``, ``n``, and ``share`` of all
        actions that began in that channel. A lower bound of what moved, as ``frame.attrs["note"]`` says.

    Raises
    ------
    SchemaError
        A needed column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> actions = pd.DataFrame({"channel": ["Bar", "Bar", "Bar"], "latest_channel": ["Bar", "Cellar", "Bar"]})
    >>> print(routing_matrix(actions).round(2).to_string(index=False))
    channel latest_channel  n  share
        Bar            Bar  2   0.67
        Bar         Cellar  1   0.33
    """
    result = count_flags(actions, {}, ["channel", "latest_channel"])
    result["share"] = result["n"] / result.groupby("channel", dropna=False)["n"].transform("sum")
    result.attrs["note"] = LOWER_BOUND
    return result


def _with_rate(
    counts: pd.DataFrame, hits: str, total: pd.Series, confidence: float, keys: tuple[str, ...]
) -> pd.DataFrame:
    """Put ``n`` first among the counts and a rate with its interval behind them."""
    others = [name for name in counts.columns if name not in (*keys, "n")]
    rate, low, high = wilson(counts[hits].to_numpy(), total.to_numpy(), confidence)
    return counts[[*keys, "n", *others]].assign(rate=rate, low=low, high=high)
