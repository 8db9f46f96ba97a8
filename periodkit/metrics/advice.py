"""What a defect of the records does to the numbers, and whom to ask about it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from periodkit.milestones import require_columns

__all__ = ["quality_advice"]

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
