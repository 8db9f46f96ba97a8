"""What is wrong with the records, counted: nothing is repaired, and nothing is hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from periodkit.frames import require_columns, require_pandas
from periodkit.milestones import stage_times
from periodkit.schema import ACTIONS, FORM_PREFIX

__all__ = ["BATCH_SIZE", "quality"]

BATCH_SIZE = 5
"""So many actions of one period closed within one second count as closed in a batch."""

_EXAMPLES = 5
_NULL_CHECKED = (
    "created_time",
    "assigned_time",
    "doing_time",
    "closed_time",
    "classification",
    "sub_classification",
    "channel",
    "ai_dispatched",
)


def quality(actions: pd.DataFrame, periods: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return how many records have which defect or oddity.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    periods : pandas.DataFrame, optional
        The periods frame that they belong to; without it ``outside_period`` cannot be checked.

    Returns
    -------
    pandas.DataFrame
        One row per check: ``check``; ``count`` records that it found; ``of`` how many it looked at; ``share``; up to five
        ``examples`` (action ids; column names for ``unknown_fields``); ``meaning``. ``count`` is null where a check could
        not be made.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.

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
    require_pandas(actions)
    require_columns(actions.columns, ["period_id", "action_id", *_NULL_CHECKED])
    frame = pd.DataFrame([vars(check) for check in _checks(actions, periods)])
    frame = frame.astype({"check": "str", "count": "Int64", "of": "Int64", "meaning": "str"})
    share = frame["count"].astype("Float64") / frame["of"].where(frame["of"] > 0).astype("Float64")
    frame.insert(3, "share", share)
    return frame


@dataclass(frozen=True)
class _Check:
    check: str
    count: int | None
    of: int
    examples: list[object]
    meaning: str


def _checks(actions: pd.DataFrame, periods: pd.DataFrame | None) -> Iterator[_Check]:
    def found(check: str, rows: pd.Series, meaning: str) -> _Check:
        ids = actions["action_id"][rows.to_numpy()].dropna()
        return _Check(check, int(rows.sum()), len(actions), ids.head(_EXAMPLES).tolist(), meaning)

    dropped = int(actions.attrs.get("duplicates", 0))
    again = actions.duplicated(["period_id", "action_id"]) & actions["action_id"].notna()
    twice = found("duplicates", again, "The same action of the same period was sent again.")
    yield replace(twice, count=int(again.sum()) + dropped, of=len(actions) + dropped)

    times = stage_times(actions)
    yield found("out_of_order", times["out_of_order"], "A later milestone lies before an earlier one.")
    yield found("skipped_stage", times["skipped_stage"], "It has a closed time, but no assigned or no doing time.")
    yield found("ended_without_time", times["ended_without_time"], "The status says that it ended, but not when.")
    yield found("after_as_of", times["after_as_of"], "A milestone lies over a minute after the data were fetched.")

    meaning = "It was created before its period began or after it ended."
    if periods is None:
        yield _Check("outside_period", None, len(actions), [], f"{meaning} Not checked: pass periods.")
    else:
        yield found("outside_period", _outside(actions, periods), meaning)

    second = _as_times(actions["closed_time"]).dt.floor("s")
    together = actions.groupby([actions["period_id"], second])["action_id"].transform("size")
    meaning = f"{BATCH_SIZE} or more actions of its period were closed within the same second."
    yield found("batch_closing", (together >= BATCH_SIZE).fillna(value=False), meaning)

    for column in _NULL_CHECKED:
        yield found(f"null_{column}", actions[column].isna(), f"{column} is not given.")

    bad = actions.attrs.get("bad_values", [])
    ids = [*dict.fromkeys(each.get("actionId") for each in bad)]
    meaning = "A value was not of its kind and was made null when it was parsed."
    yield _Check("bad_values", len(bad), len(actions), ids[:_EXAMPLES], meaning)

    names = [str(name) for name in actions.columns]
    unknown: list[object] = [name for name in names if name not in ACTIONS.columns and not name.startswith(FORM_PREFIX)]
    meaning = "Columns that periodkit does not know; the API may have grown."
    yield _Check("unknown_fields", len(unknown), len(names), unknown[:_EXAMPLES], meaning)


def _as_times(column: pd.Series) -> pd.Series:
    """Return a column of times, whatever dtype it was born with when all of it is null."""
    return pd.to_datetime(column, utc=True)


def _outside(actions: pd.DataFrame, periods: pd.DataFrame) -> pd.Series:
    """Whether an action was created outside its period; False where either is not known."""
    bounds = periods.drop_duplicates("period_id").set_index("period_id")
    created = _as_times(actions["created_time"])
    start, end = (_as_times(actions["period_id"].map(bounds[name].to_dict())) for name in ("start_date", "end_date"))
    return (created < start) | (created > end)


_PLATFORM = "Your contact at the platform"
_ROOM = "Control-room lead"
_LEADS = "Leads of the channels"
_EVENTS = "Whoever sets up the periods"


@dataclass(frozen=True, slots=True)
class _Advice:
    """Of a check: whether it changes numbers or only their detail, what it does, and whom to ask."""

    changes: bool
    effect: str
    ask: str


ADVICE = {
    "duplicates": _Advice(False, "Kept once when fetched; any that are still in the frame count twice.", _PLATFORM),
    "out_of_order": _Advice(
        True, "The stages between those two times are left out, so these rest on fewer actions.", _ROOM
    ),
    "skipped_stage": _Advice(
        True, "Leaves the stages it skipped unfinished: response and pickup know less than cycle.", _LEADS
    ),
    "ended_without_time": _Advice(
        True, "Left out of cycle and work. If the slow ones are forgotten, times look too short.", _ROOM
    ),
    "after_as_of": _Advice(True, "Clocks disagree: durations may be wrong by as much.", _PLATFORM),
    "outside_period": _Advice(
        True, "Counted with this event, though before it or after it: look at the period's times.", _EVENTS
    ),
    "batch_closing": _Advice(True, "Closed together after the work was done: cycle and work look too long.", _ROOM),
    "null_created_time": _Advice(True, "In no time at all: neither in cycle nor in response.", _PLATFORM),
    "null_assigned_time": _Advice(False, "Nothing, if nobody took it yet; if it is closed, see skipped_stage.", _LEADS),
    "null_doing_time": _Advice(False, "Nothing, if nobody began yet; if it is closed, see skipped_stage.", _LEADS),
    "null_closed_time": _Advice(False, "Open: counts as unfinished so far. Ended: see ended_without_time.", _ROOM),
    "null_classification": _Advice(False, "A group of its own, in no classification's numbers.", _ROOM),
    "null_sub_classification": _Advice(False, "A group of its own where you group by it; nothing else.", _ROOM),
    "null_channel": _Advice(False, "A group of its own, and left out of the re-route rate.", _ROOM),
    "null_ai_dispatched": _Advice(
        True, "Counted as unknown, not as no: the AI-dispatch rate rests on fewer actions.", _PLATFORM
    ),
    "bad_values": _Advice(True, "Made null when parsed: left out of whatever needs that value.", _PLATFORM),
    "unknown_fields": _Advice(False, "Nothing: kept as columns of your frame.", _PLATFORM),
}


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
        numbers first, among them the most frequent first.

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
    # A check that is not in the list may do anything.
    known = [
        ADVICE.get(check, _Advice(True, meaning, _PLATFORM))
        for check, meaning in zip(some["check"], some["meaning"], strict=True)
    ]
    some = some[["check", "count", "share", "examples"]].assign(
        changes=pd.array([advice.changes for advice in known], dtype="boolean"),
        effect=pd.Series([advice.effect for advice in known], some.index, dtype="str"),
        ask=pd.Series([advice.ask for advice in known], some.index, dtype="str"),
    )
    return some.sort_values(["changes", "count"], ascending=False, kind="stable", ignore_index=True)
