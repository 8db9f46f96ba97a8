"""Fetch what is new or may have changed, and keep it in batches of whole periods."""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from periodkit._arguments import PeriodIds, When, checked_form_fields, period_ids, read_moment
from periodkit.archive.storage import Folder, bucket, period_records
from periodkit.archive.writer import Writer
from periodkit.client import Client
from periodkit.errors import ArchiveError, InvalidRequestError, PeriodkitError
from periodkit.visible import visible
from periodkit.wording import count, was_or_were

__all__ = ["SyncResult", "sync"]

_OWN = ("period_name", "start_date", "end_date", "created_at", "updated_at", "markers")
"""The fields of a period's record that show a change: ``updated_at``, and whatever should have moved it."""

_MOST_DAYS = 90
_WRONG_CLOCK = pd.Timedelta("1D")
_SIMULATED = "sandbox:"
"""Origins that begin like this answer with the moment of their data."""

_CLOCK_NOTE = (
    "The server's clock is more than a day away from this machine's, so all periods were fetched. Check the clock here, or "
    "tell the platform."
)
_UNUSED_NOTE = (
    "No archived action has the form field {field!r}. If it is misspelt: periodkit sync --forget-field {field!r}"
)


@dataclass(frozen=True, slots=True)
class Request:
    """What a sync is asked for; `periodkit.Archive.sync` describes the fields."""

    start: When | None
    end: When | None
    form_fields: Iterable[str] | None
    refresh: bool | PeriodIds
    forget_fields: Iterable[str] | None
    origin_changed: bool
    settle_after: pd.Timedelta


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync did. Each listed period is counted once: fetched, refreshed, unchanged or failed.

    Parameters
    ----------
    fetched : int
        Periods that are new in the archive.
    unchanged : int
        Periods that were not due, and so not asked for.
    refreshed : int
        Periods that were archived before and have been replaced.
    failed : mapping of int to PeriodkitError
        Periods that could not be fetched, with the cause; what the archive had of them stays. The next sync asks again.
    rows : int
        Actions written.
    seconds : float
        How long it took.
    gone : tuple of int
        Archived periods that the server no longer lists. They are kept.
    set_aside : Path or None
        Where damaged files that blocked the repair were moved.
    notes : tuple of str
        What else to know, such as a form field that no action has.

    Examples
    --------
    >>> result = SyncResult(fetched=2, unchanged=24, refreshed=1, failed={}, rows=1_850, seconds=1.25)
    >>> print(result)
    SyncResult: 2 fetched, 1 refreshed, 24 unchanged, 0 failed; 1,850 action(s) in 1.2 s
    """

    fetched: int
    unchanged: int
    refreshed: int
    failed: Mapping[int, PeriodkitError]
    rows: int
    seconds: float
    gone: tuple[int, ...] = ()
    set_aside: Path | None = None
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        text = (
            f"SyncResult: {self.fetched} fetched, {self.refreshed} refreshed, {self.unchanged} unchanged, "
            f"{len(self.failed)} failed; {self.rows:,} action(s) in {self.seconds:.1f} s"
        )
        for period_id, error in list(self.failed.items())[:3]:
            text += f"\n  period {period_id}: {visible(str(error), one_line=True)}"
        if len(self.failed) > 3:
            text += f"\n  and {len(self.failed) - 3} more in .failed; sync again to fetch them"
        if self.gone:
            text += f"\n  no longer on the server, kept here: {', '.join(map(str, self.gone))}"
        if self.set_aside is not None:
            text += f"\n  damaged files were moved to {self.set_aside}; delete them when nothing is missing"
        return "".join([text, *(f"\n  {visible(note, one_line=True)}" for note in self.notes)])


def sync(folder: Folder, client: Client, request: Request, wait: float) -> SyncResult:
    """Bring the archive up to date; `periodkit.Archive.sync` says how."""
    began = time.monotonic()
    asked = checked_form_fields(request.form_fields)
    forgotten = checked_form_fields(request.forget_fields)
    error = partial(InvalidRequestError, None)
    first = None if request.start is None else read_moment(request.start, "start", error)
    last = None if request.end is None else read_moment(request.end, "end", error)
    refresh = request.refresh
    chosen = frozenset() if isinstance(refresh, bool) else frozenset(period_ids(refresh))
    # A new archive is made only once the server has answered: a refused token leaves nothing behind.
    listing = None if folder.check() else client.periods(request.start, request.end)
    with folder.locked(wait):
        # Without a listing nothing is repaired either.
        listing = client.periods(request.start, request.end) if listing is None else listing
        notes = [folder.prepare(client.origin, changed=request.origin_changed)]
        writer = Writer(folder, tolerant=refresh is True)
        listed = period_records(listing)
        before = dict(writer.records)
        if forgotten:
            writer.forget_fields(forgotten)
        again = set(listed) if refresh is True else chosen | writer.damaged()
        trusted = client.origin.startswith(_SIMULATED) or _is_about_now(listing)
        notes.append(None if trusted or not before else _CLOCK_NOTE)
        old_enough = {i for i, record in listed.items() if trusted and _is_old_enough(record, request.settle_after)}
        settled = {
            period_id
            for period_id in old_enough - again
            if period_id in before and _is_not_due(listed[period_id], before[period_id], asked)
        }
        todo = [period_id for period_id in listed if period_id not in settled]
        # New periods are added as they come; those to be replaced come partition by partition, to rewrite each once.
        todo.sort(key=lambda period_id: bucket(period_id) if period_id in before else -1)
        failed: dict[int, PeriodkitError] = {
            period_id: ArchiveError("The server did not list this period, so it was not asked for.")
            for period_id in sorted(chosen - set(listed))
        }
        fields = [field for field in dict.fromkeys([*writer.form_fields(), *asked]) if field not in forgotten]
        gone = _gone(before, listed, first, last)
        twice = {i for i in old_enough if i in before and _is_old_enough(before[i], request.settle_after)}
        writer.begin(listing, listed, fields, gone, twice)
        came = _fetch(writer, client, todo, fields, failed)
        writer.flush()
        damaged = [period_id for period_id in sorted(writer.unreadable - came) if period_id in listed]
        if damaged:  # found only when their partitions were to be rewritten
            came |= _fetch(writer, client, damaged, fields, failed)
            writer.flush()
        if not writer.unreadable:
            writer.compact()
        failed |= writer.held_back()
        came -= set(failed)
        for period_id in sorted(writer.lost - came - set(failed)):
            msg = "It was damaged, and the server does not list it any more. A copy of the archive may have it."
            failed[period_id] = ArchiveError(msg)
        notes += [_UNUSED_NOTE.format(field=field) for field in writer.unused_fields() if came]
        return SyncResult(
            fetched=len(came - set(before)),
            unchanged=len(settled),
            refreshed=len(came & set(before)),
            failed=failed,
            rows=writer.rows_written,
            seconds=time.monotonic() - began,
            gone=tuple(period_id for period_id in gone if period_id not in writer.lost),
            set_aside=writer.set_aside,
            notes=tuple(filter(None, notes)),
        )


def _fetch(
    writer: Writer, client: Client, todo: Sequence[int], fields: Sequence[str], failed: dict[int, PeriodkitError]
) -> set[int]:
    """Fetch periods and keep them; whatever interrupts it, what has come is kept before that goes on its way."""
    came: set[int] = set()

    def keep(arrivals: Iterable[tuple[int, pd.DataFrame | PeriodkitError]]) -> None:
        for period_id, frame in arrivals:
            if isinstance(frame, PeriodkitError):
                failed[period_id] = frame
            else:
                writer.add(period_id, frame)
                came.add(period_id)
                failed.pop(period_id, None)

    arrivals = client.iter_actions(todo, form_fields=fields or None)
    try:
        keep(arrivals)
    except BaseException as error:
        if not writer.broken:
            if not isinstance(error, Exception):  # interrupted, not failed
                keep(arrivals.arrived())
            writer.flush()
            error.add_note(
                f"{count(len(came), 'period')} had arrived and {was_or_were(len(came))} kept in the archive "
                f"{writer.folder.path}. "
                "Sync again to fetch the rest."
            )
        raise
    return came


def _is_about_now(listing: pd.DataFrame) -> bool:
    """Whether the server's clock agrees with this machine's."""
    answered = listing["fetched_at"].max()
    return bool(pd.isna(answered) or abs(answered - pd.Timestamp.now("UTC")) <= _WRONG_CLOCK)


def _is_old_enough(record: Mapping[str, Any], settle_after: pd.Timedelta) -> bool:
    """Whether the period had ended long enough ago when it was fetched."""
    ended = record["end_date"]
    return ended is not None and record["fetched_at"] - ended > settle_after


def _is_not_due(listed: Mapping[str, Any], archived: Mapping[str, Any], asked: Collection[str]) -> bool:
    """Whether the archived period is recent enough: the days to the next fetch double as long as nothing changes."""
    days = min(2 ** min(archived["_unchanged"] or 0, 7), _MOST_DAYS)
    return (
        pd.Timedelta(0) <= listed["fetched_at"] - archived["fetched_at"] < pd.Timedelta(days, unit="D")
        and all(listed[name] == archived[name] for name in _OWN)
        and set(asked) <= set(json.loads(archived["_form_fields"]))
    )


def _gone(
    archived: Mapping[int, Mapping[str, Any]], listed: Collection[int], first: datetime | None, last: datetime | None
) -> tuple[int, ...]:
    """Return the archived periods that should have been listed and were not; a range tells only of what lies in it."""
    return tuple(
        period_id
        for period_id, record in archived.items()
        if period_id not in listed
        and (first is None or (record["start_date"] is not None and record["start_date"] >= first))
        and (last is None or (record["end_date"] is not None and record["end_date"] <= last))
    )
