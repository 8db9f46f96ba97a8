"""The one small frame that a person wants first."""

from __future__ import annotations

import pandas as pd

from periodkit._arguments import AsOf
from periodkit.metrics.dispatch import ai_dispatch_rate, reroute_rate
from periodkit.metrics.quality import quality
from periodkit.metrics.times import stage_quantiles
from periodkit.milestones import STAGES, stage_states, stage_times

__all__ = ["describe", "outcome_counts"]

_FLAGS = ("duplicates", "out_of_order", "skipped_stage", "ended_without_time", "after_as_of", "batch_closing")


def outcome_counts(actions: pd.DataFrame, as_of: AsOf | None = None) -> dict[str, int]:
    """Return how many actions there are, and how many of them are closed, canceled, open and unknown.

    Open is what every metric calls open. Unknown is the rest: ended at no known time, or not ended with no usable created
    time.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment.

    Returns
    -------
    dict of str to int
        ``actions``, then the four that add up to it.
    """
    outcome = stage_times(actions, as_of)["outcome"].value_counts()
    n = len(actions) - int(outcome.get("not_started", 0))
    counts = {name: int(outcome.get(name, 0)) for name in ("closed", "canceled")}
    counts["open"] = int((stage_states(actions, as_of=as_of)["state"] == "open").sum())
    return {"actions": n, **counts, "unknown": n - sum(counts.values())}


def describe(actions: pd.DataFrame, as_of: AsOf | None = None) -> pd.DataFrame:
    """Return what happened, in one small frame: volume, outcomes, stage times, AI dispatch, re-routes, worst flag.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment: outcomes and times are as they were then, rates and flags are those of the actions that
        were there then. By default each row's ``fetched_at``.

    Returns
    -------
    pandas.DataFrame
        One row per measure: ``measure``; ``kind`` of its value (``count``, ``duration``, ``share``); ``value``; ``low`` and
        ``high``, its 95 % interval where it has one; ``n``, how many actions it rests on. Values are whole numbers,
        timedeltas and floats in one column; `periodkit.format_table` shows each in its own way. ``closed``, ``canceled``
        and ``open`` (as in `periodkit.cycle_times` and `periodkit.open_actions`) and ``unknown`` add up to ``actions``:
        unknown are those that ended at no known time, and those that did not, but have no usable created time.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods())
    >>> describe(actions)["measure"].head(3).tolist()
    ['actions', 'closed', 'canceled']
    """
    counts = outcome_counts(actions, as_of)
    there = actions if as_of is None else actions[(stage_times(actions, as_of)["outcome"] != "not_started").to_numpy()]
    by_stage = stage_quantiles(actions, as_of=as_of).set_index("stage").to_dict("index")
    rows: list[dict[str, object]] = [
        {"measure": name, "kind": "count", "value": value, "n": len(there)} for name, value in counts.items()
    ]
    for stage in ("cycle", *(name for name in STAGES if name != "cycle")):
        found = by_stage[stage]
        for name in ("p50", "p90"):
            estimate = {"value": found[name], "low": found[f"{name}_low"], "high": found[f"{name}_high"]}
            rows.append({"measure": f"{stage} {name.upper()}", "kind": "duration", **estimate, "n": int(found["used"])})
    for measure, rate, known in (
        ("AI-dispatch rate", ai_dispatch_rate(there), ["ai", "not_ai"]),
        ("re-route rate (lower bound)", reroute_rate(there), ["rerouted", "stayed"]),
    ):
        row = rate.iloc[0]
        estimate = {"value": row["rate"], "low": row["low"], "high": row["high"]}
        rows.append({"measure": measure, "kind": "share", **estimate, "n": int(row[known].sum())})
    flags = [row for row in quality(there).to_dict("records") if row["check"] in _FLAGS]
    worst = max(flags, key=lambda row: row["count"])
    label = f"worst flag: {worst['check'].replace('_', ' ') if worst['count'] else 'none'}"
    rows.append({"measure": label, "kind": "count", "value": worst["count"], "n": worst["of"]})
    columns = ["measure", "kind", "value", "low", "high", "n"]
    return pd.DataFrame(rows, columns=columns).astype({"value": "object", "low": "object", "high": "object"})
