"""The registry of quality checks: what each looks for, what it does to the numbers, and whom to ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import pandas as pd

from periodkit.milestones import CANCELED, ENDED, read_status, stage_times
from periodkit.schema import ACTIONS, FORM_PREFIX

__all__ = [
    "BATCH_SIZE",
    "CHECKS",
    "EXAMPLES",
    "RUNNING",
    "Check",
    "Found",
    "Records",
    "as_times",
    "unknown_columns",
]

BATCH_SIZE = 5
"""This many actions of one period closed within one second count as closed in a batch."""

RUNNING = (
    "new",
    "open",
    "opened",
    "reopened",
    "re-opened",
    "created",
    "pending",
    "assigned",
    "accepted",
    "dispatched",
    "doing",
    "started",
    "active",
    "in progress",
    "on hold",
    "paused",
)
"""Statuses of an action that has not ended."""

EXAMPLES = 5
"""The most examples of a check: the least ids, whatever the order of the records."""

_PLATFORM = "Your contact at the platform"
_ROOM = "Control-room lead"
_LEADS = "Leads of the channels"
_EVENTS = "The person who sets up the periods"


class Records:
    """The records under examination, with what several checks need of them."""

    def __init__(self, actions: pd.DataFrame, periods: pd.DataFrame | None = None) -> None:
        self.actions = actions
        self.periods = periods

    @cached_property
    def times(self) -> pd.DataFrame:
        """Stage times and flags."""
        return stage_times(self.actions)

    @cached_property
    def status(self) -> pd.Series:
        """Statuses in lower case, without surrounding white space; null where there is none."""
        text = read_status(self.actions["status"]).str.replace("_", " ")
        return text.mask(text == "")


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found: how many of how many, with examples; `count` is None where it could not be made."""

    count: int | None
    of: int
    examples: list[object]


@dataclass(frozen=True, slots=True)
class Check:
    """One check of the records.

    Parameters
    ----------
    meaning : str
        What it looks for.
    find : callable
        Counts it: takes `Records`, returns a boolean Series with one value per action, or `Found`.
    changes : bool
        Whether it changes numbers, or only their detail.
    effect : str
        What it does to the numbers.
    ask : str
        The role to ask about it.
    defect : bool
        Whether it is worth telling unasked: in `describe`, and as a finding of a report.
    """

    meaning: str
    find: Callable[[Records], pd.Series | Found]
    changes: bool
    effect: str
    ask: str
    defect: bool = True

    def look(self, records: Records) -> Found:
        """Make the check."""
        found = self.find(records)
        if isinstance(found, Found):
            return found
        return Found(int(found.sum()), len(found), _examples(records.actions["action_id"][found.to_numpy()]))


def _examples(ids: pd.Series) -> list[object]:
    least: list[object] = ids.dropna().sort_values().head(EXAMPLES).tolist()
    return least


def _flag(name: str) -> Callable[[Records], pd.Series]:
    return lambda records: records.times[name]


def _null(column: str) -> Callable[[Records], pd.Series]:
    return lambda records: records.actions[column].isna()


def _duplicates(records: Records) -> Found:
    actions = records.actions
    again = actions.duplicated(["period_id", "action_id"]) & actions["action_id"].notna()
    dropped = int(actions.attrs.get("duplicates", 0))
    ids = _examples(actions["action_id"][again.to_numpy()].drop_duplicates())
    return Found(int(again.sum()) + dropped, len(actions) + dropped, ids)


def as_times(column: pd.Series) -> pd.Series:
    """Return a column of times, whatever dtype it was born with when all of it is null."""
    return pd.to_datetime(column, utc=True)


def _outside_period(records: Records) -> pd.Series | Found:
    actions, periods = records.actions, records.periods
    if periods is None:
        return Found(None, len(actions), [])
    bounds = periods.drop_duplicates("period_id").set_index("period_id")
    created = as_times(actions["created_time"])
    start, end = (as_times(actions["period_id"].map(bounds[name].to_dict())) for name in ("start_date", "end_date"))
    return (created < start) | (created > end)


def _batch_closing(records: Records) -> pd.Series:
    actions = records.actions
    second = as_times(actions["closed_time"]).dt.floor("s")
    together = actions.groupby([actions["period_id"], second])["action_id"].transform("size")
    return (together >= BATCH_SIZE).fillna(value=False)


def _contradicting_status(records: Records) -> pd.Series:
    return records.status.isin(RUNNING) & records.actions["closed_time"].notna()


def _unknown_status(records: Records) -> Found:
    status = records.status
    known = status.isin([*RUNNING, *ENDED]) | status.str.startswith(CANCELED).fillna(value=False)
    unknown = records.actions["status"][(status.notna() & ~known).to_numpy()]
    texts = unknown.value_counts().rename_axis("status").reset_index()
    texts = texts.sort_values(["count", "status"], ascending=[False, True]).head(EXAMPLES)
    return Found(len(unknown), len(status), texts["status"].tolist())


def _bad_values(records: Records) -> Found:
    bad = records.actions.attrs.get("bad_values", [])
    ids = [*dict.fromkeys(value.get("actionId") for value in bad)]
    return Found(len(bad), len(records.actions), ids[:EXAMPLES])


def _unknown_fields(records: Records) -> Found:
    names = [str(name) for name in records.actions.columns]
    unknown = unknown_columns(names)
    return Found(len(unknown), len(names), unknown[:EXAMPLES])


def unknown_columns(names: Sequence[str]) -> list[object]:
    """Return those of a frame's columns that are neither in the schema nor form fields."""
    return [name for name in names if name not in ACTIONS.columns and not name.startswith(FORM_PREFIX)]


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "duplicates": Check(
            "The same action of the same period was sent again.",
            _duplicates,
            changes=False,
            effect="Kept once when fetched; any that are still in the frame count twice.",
            ask=_PLATFORM,
        ),
        "out_of_order": Check(
            "A later milestone lies before an earlier one.",
            _flag("out_of_order"),
            changes=True,
            effect="The stages between those two times are left out, so these rest on fewer actions.",
            ask=_ROOM,
        ),
        "skipped_stage": Check(
            "It has a closed time, but no assigned or no doing time.",
            _flag("skipped_stage"),
            changes=True,
            effect="Left out of the stages that were not recorded: response and pickup rest on fewer actions than cycle.",
            ask=_LEADS,
        ),
        "ended_without_time": Check(
            "The status says that it ended, but not when.",
            _flag("ended_without_time"),
            changes=True,
            effect="Left out of cycle and work. If the slow ones are forgotten, times look too short.",
            ask=_ROOM,
        ),
        "contradicting_status": Check(
            "The status says that it has not ended, but it has a closed time.",
            _contradicting_status,
            changes=True,
            effect="Counted as closed at that time. If it was reopened, its times are too short.",
            ask=_ROOM,
        ),
        "unknown_status": Check(
            "The status is not one that periodkit knows; its texts are the examples.",
            _unknown_status,
            changes=False,
            effect="Read from the times alone: closed if there is a closed time, else open.",
            ask=_PLATFORM,
            defect=False,
        ),
        "after_as_of": Check(
            "A milestone lies over a minute after the data were fetched.",
            _flag("after_as_of"),
            changes=True,
            effect="Clocks disagree: durations may be wrong by as much.",
            ask=_PLATFORM,
        ),
        "absurd": Check(
            "A time lies before the year 2000, or over a day after the data were fetched.",
            _flag("absurd"),
            changes=True,
            effect="Left out of every stage that the time belongs to, and of every picture's extent.",
            ask=_PLATFORM,
        ),
        "outside_period": Check(
            "It was created before its period began or after it ended.",
            _outside_period,
            changes=True,
            effect="Counted with this event, though created before or after it: check the period's times.",
            ask=_EVENTS,
        ),
        "batch_closing": Check(
            f"{BATCH_SIZE} or more actions of its period were closed within the same second.",
            _batch_closing,
            changes=True,
            effect="Closed together after the work was done: cycle and work look too long.",
            ask=_ROOM,
        ),
        "null_created_time": Check(
            "created_time is not given.",
            _null("created_time"),
            changes=True,
            effect="In no time at all: neither in cycle nor in response.",
            ask=_PLATFORM,
        ),
        "null_assigned_time": Check(
            "assigned_time is not given.",
            _null("assigned_time"),
            changes=False,
            effect="None if nobody took it yet; if it is closed, see skipped_stage.",
            ask=_LEADS,
            defect=False,
        ),
        "null_doing_time": Check(
            "doing_time is not given.",
            _null("doing_time"),
            changes=False,
            effect="None if nobody began yet; if it is closed, see skipped_stage.",
            ask=_LEADS,
            defect=False,
        ),
        "null_closed_time": Check(
            "closed_time is not given.",
            _null("closed_time"),
            changes=False,
            effect="Open: counted as unfinished so far. Ended: see ended_without_time.",
            ask=_ROOM,
            defect=False,
        ),
        "null_classification": Check(
            "classification is not given.",
            _null("classification"),
            changes=False,
            effect="A group of its own, in no classification's numbers.",
            ask=_ROOM,
        ),
        "null_sub_classification": Check(
            "sub_classification is not given.",
            _null("sub_classification"),
            changes=False,
            effect="A group of its own when you group by it; nothing else.",
            ask=_ROOM,
            defect=False,
        ),
        "null_channel": Check(
            "channel is not given.",
            _null("channel"),
            changes=False,
            effect="A group of its own, and left out of the re-route rate.",
            ask=_ROOM,
        ),
        "null_ai_dispatched": Check(
            "ai_dispatched is not given.",
            _null("ai_dispatched"),
            changes=True,
            effect="Counted as unknown, not as no: the AI-dispatch rate rests on fewer actions.",
            ask=_PLATFORM,
        ),
        "bad_values": Check(
            "A value was not of its kind and was made null when it was parsed.",
            _bad_values,
            changes=True,
            effect="Made null when parsed: left out of whatever needs that value.",
            ask=_PLATFORM,
        ),
        "unknown_fields": Check(
            "Columns that periodkit does not know; the API may have grown.",
            _unknown_fields,
            changes=False,
            effect="None: kept as columns of your frame.",
            ask=_PLATFORM,
            defect=False,
        ),
    }
)
"""Every check by name, in the order of `quality`."""
