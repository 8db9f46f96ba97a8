"""The one small frame that a person wants first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import narwhals as nw
import pandas as pd

from periodkit._arguments import AsOf
from periodkit.frames import collect, column_names, hand_on, open_frame
from periodkit.metrics.checks import CHECKS
from periodkit.metrics.dispatch import ai_dispatch_rate, reroute_rate
from periodkit.metrics.quality import quality
from periodkit.metrics.times import stage_quantiles
from periodkit.milestones import MILESTONES, STAGES, existing, flag_records, stage_states, stage_times

__all__ = ["describe", "outcome_counts"]


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
    outcomes = Counter(stage_times(actions, as_of)["outcome"])
    return _outcome_counts(outcomes, int((stage_states(actions, as_of=as_of)["state"] == "open").sum()))


def _outcome_counts(outcomes: Mapping[str, int], still: int) -> dict[str, int]:
    n = sum(outcomes.values()) - outcomes.get("not_started", 0)
    counts = {name: int(outcomes.get(name, 0)) for name in ("closed", "canceled")} | {"open": still}
    return {"actions": int(n), **counts, "unknown": int(n) - sum(counts.values())}


def describe(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    as_of: AsOf | None = None,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return what happened, in one small frame: volume, outcomes, stage times, AI dispatch, re-routes, worst flag.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment: outcomes and times are as they were then, rates and flags are those of the actions that
        were there then. By default each row's ``fetched_at``.
    resolution : {None, "ms", "s", "us", "min"}
        Unit in which durations are counted, see `periodkit.cycle_times`.

    Returns
    -------
    pandas.DataFrame
        One row per measure: ``measure``; ``kind`` of its value (``count``, ``duration``, ``share``); ``value``; ``low`` and
        ``high``, its 95 % interval where it has one; ``n``, how many actions it rests on. Values are whole numbers,
        timedeltas and floats in one column; `periodkit.format_table` shows each in its own way. ``closed``, ``canceled``
        and ``open`` (as in `periodkit.cycle_times` and `periodkit.open_actions`) and ``unknown`` add up to ``actions``:
        unknown are those that ended at no known time, and those that did not, but have no usable created time.
        ``attrs["resolution"]`` names the resolution.

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
    >>> describe(actions)["measure"].head(3).tolist()
    ['actions', 'closed', 'canceled']
    """
    times = stage_quantiles(actions, as_of=as_of, resolution=resolution)
    by_stage = times.set_index("stage").to_dict("index")
    if isinstance(actions, pd.DataFrame):
        outcome = stage_times(actions, as_of)["outcome"]
        there, outcomes = actions[(outcome != "not_started").to_numpy()], Counter(outcome)
    else:
        there, outcomes = _there(actions, as_of)
    counts = _outcome_counts(outcomes, int(by_stage["cycle"]["open"]))
    rows: list[dict[str, object]] = [
        {"measure": name, "kind": "count", "value": value, "n": counts["actions"]} for name, value in counts.items()
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
    checks = quality(there).dropna(subset="count").to_dict("records")
    flags = [row for row in checks if CHECKS[row["check"]].defect]
    worst = max(flags, key=lambda row: row["count"])
    label = f"worst flag: {worst['check'].replace('_', ' ') if worst['count'] else 'none'}"
    rows.append({"measure": label, "kind": "count", "value": worst["count"], "n": worst["of"]})
    columns = ["measure", "kind", "value", "low", "high", "n"]
    summary = pd.DataFrame(rows, columns=columns).astype({"value": "object", "low": "object", "high": "object"})
    summary.attrs["resolution"] = times.attrs["resolution"]
    return summary


def _there(actions: Any, as_of: AsOf | None) -> tuple[Any, Counter[str]]:  # noqa: ANN401
    """Return the actions that were there at a moment, and how many there are of each outcome, of any engine's frame."""
    needed = [*MILESTONES, "status"]
    frame = flag_records(open_frame(actions, [*needed, "fetched_at"], needed), as_of, needed)
    counted = collect(frame.group_by("_outcome").agg(_n=nw.len()))
    outcomes = Counter(dict(zip(counted["_outcome"].to_pylist(), counted["_n"].to_pylist(), strict=True)))
    if as_of is None:
        return actions, outcomes
    created = open_frame(actions, column_names(actions), needed)
    return hand_on(existing(created, as_of)), outcomes
