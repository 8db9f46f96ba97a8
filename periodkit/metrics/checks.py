"""The registry of quality checks: what each looks for, what it does to the numbers, and whom to ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import narwhals as nw

from periodkit.metrics.records import (
    BATCH_SIZE,
    Finder,
    bad_values,
    batch_closing,
    duplicates,
    least_ids,
    most_frequent_statuses,
    outside_period,
    unknown_fields,
)
from periodkit.milestones import CANCELED, ENDED, status_text

__all__ = ["CHECKS", "Check"]

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

_PLATFORM = "Your contact at the platform"
_ROOM = "Control-room lead"
_LEADS = "Leads of the channels"
_EVENTS = "The person who sets up the periods"


@dataclass(frozen=True, slots=True, eq=False)
class Check:
    """One check of the records.

    Parameters
    ----------
    meaning : str
        What it looks for.
    find : narwhals expression or callable
        Whether an action has it, of what `Records` has of each; or counts it, given the `Records`.
    changes : bool
        Whether it changes numbers, or only their detail.
    effect : str
        What it does to the numbers.
    ask : str
        The role to ask about it.
    defect : bool
        Whether it is worth telling unasked: in `describe`, and as a finding of a report.
    examples : callable
        Returns examples of the rows of which an expression holds.
    """

    meaning: str
    find: Finder
    changes: bool
    effect: str
    ask: str
    defect: bool = True
    examples: Callable[[Any], list[object]] = least_ids


def _flag(name: str) -> nw.Expr:
    return nw.col(f"_{name}")


def _null(column: str) -> nw.Expr:
    return nw.col(column).is_null()


_STATUS = status_text(nw.col("status")).str.replace_all("_", " ", literal=True)
_IS_CANCELED = nw.any_horizontal(*(_STATUS.str.starts_with(text) for text in CANCELED), ignore_nulls=True)


CHECKS: Mapping[str, Check] = MappingProxyType(
    {
        "duplicates": Check(
            "The same action of the same period was sent again.",
            duplicates,
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
            _STATUS.is_in([*RUNNING]) & ~_null("closed_time"),
            changes=True,
            effect="Counted as closed at that time. If it was reopened, its times are too short.",
            ask=_ROOM,
        ),
        "unknown_status": Check(
            "The status is not one that periodkit knows; its texts are the examples.",
            (_STATUS != "") & ~(_STATUS.is_in([*RUNNING, *ENDED]) | _IS_CANCELED),
            changes=False,
            effect="Read from the times alone: closed if there is a closed time, else open.",
            ask=_PLATFORM,
            defect=False,
            examples=most_frequent_statuses,
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
            outside_period,
            changes=True,
            effect="Counted with this event, though created before or after it: check the period's times.",
            ask=_EVENTS,
        ),
        "batch_closing": Check(
            f"{BATCH_SIZE} or more actions of its period were closed within the same second.",
            batch_closing,
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
            bad_values,
            changes=True,
            effect="Made null when parsed: left out of whatever needs that value.",
            ask=_PLATFORM,
        ),
        "unknown_fields": Check(
            "Columns that periodkit does not know; the API may have grown.",
            unknown_fields,
            changes=False,
            effect="None: kept as columns of your frame.",
            ask=_PLATFORM,
            defect=False,
        ),
    }
)
"""Every check by name, in the order of `quality`."""
