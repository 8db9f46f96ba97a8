"""What is wrong with the records, counted: nothing is repaired, and nothing is hidden."""

from __future__ import annotations

from typing import Any

import pandas as pd

from periodkit.frames import require_columns
from periodkit.metrics.checks import CHECKS
from periodkit.metrics.records import examine

__all__ = ["quality", "quality_advice"]

_NEEDED = (
    "period_id",
    "action_id",
    "status",
    "created_time",
    "assigned_time",
    "doing_time",
    "closed_time",
    "classification",
    "sub_classification",
    "channel",
    "ai_dispatched",
)


def quality(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return how many records have which defect or oddity.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions. What the parser found (``bad_values``, and duplicates that it left out) a pandas frame alone remembers.
    periods : pandas.DataFrame, optional
        The periods frame that they belong to; without it ``outside_period`` cannot be checked.

    Returns
    -------
    pandas.DataFrame
        One row per check: ``check``; ``count`` records that it found; ``of`` how many it looked at; ``share``; up to five
        ``examples`` (the least action ids; the most frequent texts for ``unknown_status``; column names for
        ``unknown_fields``); ``meaning``.
        ``count`` is null where a check could not be made.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        `actions` is no frame.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> found = quality(actions, periods).set_index("check")["count"]
    >>> bool(found["out_of_order"] > 0)
    True
    """
    found = examine(actions, periods, _NEEDED, {name: (check.find, check.examples) for name, check in CHECKS.items()})
    counts = pd.Series([one.count for one in found.values()], dtype="Int64")
    of = pd.Series([one.of for one in found.values()], dtype="Int64")
    meanings = [
        CHECKS[name].meaning + ("" if one.count is not None else " Not checked: pass periods.")
        for name, one in found.items()
    ]
    return pd.DataFrame(
        {
            "check": pd.Series([*found], dtype="str"),
            "count": counts,
            "of": of,
            "share": counts.astype("Float64") / of.where(of > 0).astype("Float64"),
            "examples": pd.Series([one.examples for one in found.values()], dtype="object"),
            "meaning": pd.Series(meanings, dtype="str"),
        }
    )


def quality_advice(found: pd.DataFrame) -> pd.DataFrame:
    """Return the checks that found something, with what each does to the numbers and whom to ask.

    Parameters
    ----------
    found : pandas.DataFrame
        What `periodkit.quality` returned.

    Returns
    -------
    pandas.DataFrame
        One row per check that found something: ``check``, ``count``, ``share``, ``examples``; ``changes``, whether it
        changes numbers or is only less detail; its ``effect`` on them; and ``ask``, a role to ask. Those that change
        numbers first, among them the most frequent first. A check that is not in the registry, such as one of your
        own, changes numbers, and its meaning is its effect.

    Raises
    ------
    SchemaError
        `found` is not what `periodkit.quality` returns.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods())
    >>> quality_advice(pk.quality(actions)).loc[:, ["check", "ask"]].iloc[0].tolist()
    ['skipped_stage', 'Leads of the channels']
    """
    require_columns(found.columns, ["check", "count", "share", "examples", "meaning"])
    some = found[(found["count"] > 0).fillna(value=False)]
    known = [CHECKS.get(name) for name in some["check"]]
    effects = [
        meaning if check is None else check.effect for check, meaning in zip(known, some["meaning"], strict=True)
    ]
    asked = ["Your contact at the platform" if check is None else check.ask for check in known]
    some = some[["check", "count", "share", "examples"]].assign(
        changes=pd.array([check is None or check.changes for check in known], dtype="boolean"),
        effect=pd.Series(effects, some.index, dtype="str"),
        ask=pd.Series(asked, some.index, dtype="str"),
    )
    return some.sort_values(["changes", "count"], ascending=False, kind="stable", ignore_index=True)
