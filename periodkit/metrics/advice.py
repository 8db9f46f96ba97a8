"""What a defect of the records does to the numbers, and whom to ask about it."""

from __future__ import annotations

import pandas as pd

from periodkit.milestones import require_columns

__all__ = ["quality_advice"]

_PLATFORM = "Your contact at the platform"
_ROOM = "Control-room lead"
_LEADS = "Leads of the channels"
_EVENTS = "Whoever sets up the periods"

ADVICE = {
    "duplicates": ("Kept once when fetched; any that are still in the frame count twice.", _PLATFORM),
    "out_of_order": ("The stages between those two times are left out, so these rest on fewer actions.", _ROOM),
    "skipped_stage": ("Leaves the stages it skipped unfinished: response and pickup know less than cycle.", _LEADS),
    "ended_without_time": ("Left out of cycle and work. If the slow ones are forgotten, times look too short.", _ROOM),
    "after_as_of": ("Clocks disagree: durations may be wrong by as much.", _PLATFORM),
    "outside_period": ("Counted with this event, though before it or after it: look at the period's times.", _EVENTS),
    "batch_closing": ("Closed together after the work was done: cycle and work look too long.", _ROOM),
    "null_created_time": ("In no time at all: neither in cycle nor in response.", _PLATFORM),
    "null_assigned_time": ("Nothing, if nobody took it yet; if it is closed, see skipped_stage.", _LEADS),
    "null_doing_time": ("Nothing, if nobody began yet; if it is closed, see skipped_stage.", _LEADS),
    "null_closed_time": ("Open: counts as unfinished so far. Ended: see ended_without_time.", _ROOM),
    "null_classification": ("A group of its own, in no classification's numbers.", _ROOM),
    "null_sub_classification": ("A group of its own where you group by it; nothing else.", _ROOM),
    "null_channel": ("A group of its own, and left out of the re-route rate.", _ROOM),
    "null_ai_dispatched": ("Counted as unknown, not as no: the AI-dispatch rate rests on fewer actions.", _PLATFORM),
    "bad_values": ("Made null when parsed: left out of whatever needs that value.", _PLATFORM),
    "unknown_fields": ("Nothing: kept as columns of your frame.", _PLATFORM),
}
"""Of each check: what it does to the numbers, and whom to ask."""


def quality_advice(found: pd.DataFrame) -> pd.DataFrame:
    """Return the checks that found something, with what each does to the numbers and whom to ask.

    Parameters
    ----------
    found : pandas.DataFrame
        What `periodkit.quality` returned.

    Returns
    -------
    pandas.DataFrame
        One row per check that found something, the most frequent first: ``check``, ``count``, ``share``, ``examples``,
        ``effect`` on the numbers, and ``ask``, a role to ask.

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
    ['null_doing_time', 'Leads of the channels']
    """
    require_columns(found.columns, ["check", "count", "share", "examples", "meaning"])
    some = found[(found["count"] > 0).fillna(value=False)].sort_values("count", ascending=False, kind="stable")
    known = [
        ADVICE.get(check, (meaning, _PLATFORM)) for check, meaning in zip(some["check"], some["meaning"], strict=True)
    ]
    return (
        some[["check", "count", "share", "examples"]]
        .assign(
            effect=pd.Series([effect for effect, _ in known], some.index, dtype="str"),
            ask=pd.Series([ask for _, ask in known], some.index, dtype="str"),
        )
        .reset_index(drop=True)
    )
