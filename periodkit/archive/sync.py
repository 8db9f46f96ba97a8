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
from periodkit.wording import count, was_or_were

__all__ = ["SyncResult", "sync"]

_OWN = ("period_name", "start_date", "end_date", "created_at", "updated_at", "markers")
"""What of a period's record tells that it has changed: ``updated_at``, and whatever should have moved it."""


@dataclass(frozen=True, slots=True)
class SyncResult:
    """What a sync did. Each listed period is counted once: fetched, refreshed, unchanged or failed.

    Parameters
    ----------
    fetched : int
        Periods that are new in the archive.
    unchanged : int
        Settled periods, which were not asked for.
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
        Where that of a damaged archive stands which could not be read and was in the way of repairing it.
    """

    fetched: int
    unchanged: int
    refreshed: int
    failed: Mapping[int, PeriodkitError]
    rows: int
    seconds: float
    gone: tuple[int, ...] = ()
    set_aside: Path | None = None

    def __repr__(self) -> str:
        text = (
            f"SyncResult: {self.fetched} fetched, {self.refreshed} refreshed, {self.unchanged} unchanged, "
            f"{len(self.failed)} failed; {self.rows:,} action(s) in {self.seconds:.1f} s"
        )
        for period_id, error in list(self.failed.items())[:3]:
            text += f"\n  period {period_id}: {error}"
        if len(self.failed) > 3:
            text += f"\n  and {len(self.failed) - 3} more in .failed; sync again to fetch them"
        if self.gone:
            text += f"\n  no longer on the server, kept here: {', '.join(map(str, self.gone))}"
        if self.set_aside is not None:
            text += (
                f"\n  damaged beyond reading, set aside in {self.set_aside}; delete it when all is here that you need"
            )
        return text


def sync(
    folder: Folder,
    client: Client,
    start: When | None,
    end: When | None,
    form_fields: Iterable[str] | None,
    refresh: bool | PeriodIds,
    settle_after: pd.Timedelta,
    wait: float,
) -> SyncResult:
    """Bring the archive up to date; `periodkit.Archive.sync` says how."""
    began = time.monotonic()
    asked = checked_form_fields(form_fields)
    error = partial(InvalidRequestError, None)
    first = None if start is None else read_moment(start, "start", error)
    last = None if end is None else read_moment(end, "end", error)
    chosen = frozenset() if isinstance(refresh, bool) else frozenset(period_ids(refresh))
    with folder.locked(wait):
        folder.prepare()
        listing = client.periods(start, end)  # first: without it nothing is repaired either
        writer = Writer(folder, tolerant=refresh is True)
        listed = period_records(listing)
        before = dict(writer.records)
        again = set(listed) if refresh is True else chosen | writer.damaged()
        settled = {
            period_id
            for period_id, record in listed.items()
            if period_id in before
            and period_id not in again
            and _is_settled(record, before[period_id], asked, settle_after)
        }
        todo = [period_id for period_id in listed if period_id not in settled]
        # New periods are added as they come; those to be replaced come partition by partition, to rewrite each once.
        todo.sort(key=lambda period_id: bucket(period_id) if period_id in before else -1)
        failed: dict[int, PeriodkitError] = {
            period_id: ArchiveError("The server did not list this period, so it was not asked for.")
            for period_id in sorted(chosen - set(listed))
        }
        fields = list(dict.fromkeys([*writer.form_fields(), *asked]))
        gone = _gone(before, listed, first, last)
        writer.expect(listing, listed, fields, gone)
        came = _fetch(writer, client, todo, fields, failed)
        writer.flush()
        damaged = [period_id for period_id in sorted(writer.unreadable - came) if period_id in listed]
        if damaged:  # which showed only when their partitions were to be written anew
            came |= _fetch(writer, client, damaged, fields, failed)
            writer.flush()
        if not writer.unreadable:
            writer.compact()
        failed |= writer.held_back()
        came -= set(failed)
        for period_id in sorted(writer.lost - came - set(failed)):
            msg = "It was damaged, and the server does not list it any more. A copy of the archive may have it."
            failed[period_id] = ArchiveError(msg)
        return SyncResult(
            fetched=len(came - set(before)),
            unchanged=len(settled),
            refreshed=len(came & set(before)),
            failed=failed,
            rows=writer.rows_written,
            seconds=time.monotonic() - began,
            gone=tuple(period_id for period_id in gone if period_id not in writer.lost),
            set_aside=writer.set_aside,
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


def _is_settled(
    listed: Mapping[str, Any], archived: Mapping[str, Any], asked: Collection[str], settle_after: pd.Timedelta
) -> bool:
    ended = listed["end_date"]
    return (
        ended is not None
        and listed["fetched_at"] - ended > settle_after
        and all(listed[name] == archived[name] for name in _OWN)
        and not archived["_open"]
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
