"""Puts fetched periods into the tables, in batches of whole periods."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from periodkit.archive import _delta
from periodkit.archive._folder import Folder
from periodkit.archive._state import VOUCHED, State, load
from periodkit.archive._stored import (
    ACTION_SCHEMA,
    BUCKET,
    BUCKETS,
    PERIOD_SCHEMA,
    Names,
    actions_to_arrow,
    bucket,
    period_records,
)
from periodkit.errors import ArchiveError
from periodkit.fingerprint import fingerprint
from periodkit.milestones import stage_times
from periodkit.pseudonyms import pseudonymize

if TYPE_CHECKING:
    from deltalake import DeltaTable

BATCH_ROWS = 100_000
BATCH_SECONDS = 10.0
FILES_PER_BUCKET = 4
"""From more files than this for each partition, on average, a sync brings them together."""


class Writer:
    """Writes to an archive; only whoever holds the folder's lock makes one.

    The periods are the single point of truth: a commit of theirs names the version of the actions that it vouches for.
    Actions that no commit vouches for, left by a writer that died between the two, are rolled back.

    Parameters
    ----------
    folder : Folder
        The prepared folder.
    tolerant : bool
        Whether to go on from the last state that can be read, where the table of periods is damaged.
    """

    def __init__(self, folder: Folder, *, tolerant: bool = False) -> None:
        self.folder = folder
        self.rows_written = 0
        self.broken = False
        self._pending: dict[int, tuple[pa.Table, dict[str, Any]]] = {}
        self._listed: list[int] = []
        self._last_commit = time.monotonic()
        _delta.create(folder.actions, ACTION_SCHEMA, partition_by=BUCKET)
        _delta.create(folder.periods, PERIOD_SCHEMA)
        self._load(tolerant=tolerant)
        stored = {each for columns in self.state.stored.values() for each in columns}
        self._names = Names(pa.schema(_delta.open_table(folder.actions).schema().to_arrow()).names, stored)

    def _load(self, *, tolerant: bool = False) -> None:
        self._periods_version = _delta.open_table(self.folder.periods).version()
        self.state = _last_readable(self.folder, self._periods_version) if tolerant else load(self.folder)
        self.records: dict[int, dict[str, Any]] = {
            record["period_id"]: record for record in self.state.periods.to_pylist()
        }

    def damaged(self) -> set[int]:
        """Return the periods that damaged files hold, as far as that shows without reading all of them."""
        bad = {file.bucket for file in self.state.files if file.damage() is not None}
        if not bad:
            return set()
        _, damage = self.state.salvage([each for each in self.state.ids if bucket(each) in bad], ())
        return set(damage)

    def form_fields(self) -> list[str]:
        """Return the form fields that any archived period was fetched with."""
        texts = dict.fromkeys(record["_form_fields"] for record in self.records.values())
        return list(dict.fromkeys(field for text in texts for field in json.loads(text)))

    def expect(self, listing: pd.DataFrame, fields: Sequence[str]) -> None:
        """Take in the listing that the periods to come are from."""
        self._fields = json.dumps(list(fields))
        self._listing = listing
        self._places = {period_id: i for i, period_id in enumerate(listing["period_id"].tolist())}
        self._listed = list(self._places)

    def add(self, period_id: int, frame: pd.DataFrame) -> None:
        """Take in the actions of one period; every now and then that commits what has come."""
        if self.folder.key is not None:
            frame = pseudonymize(frame, self.folder.key)
        row = self._listing.iloc[[self._places[period_id]]]
        table, further = actions_to_arrow(frame, period_id, self._names)
        bad = [each for each in self._listing.attrs.get("bad_values", ()) if each.get("id") == period_id]
        listing = {"duplicates": self._listing.attrs.get("duplicates", 0)}
        attrs = {
            "actions": {
                name: frame.attrs[name] for name in ("duplicates", "bad_values", "notes") if name in frame.attrs
            },
            "listing": listing | ({"bad_values": bad} if "bad_values" in self._listing.attrs else {}),
        }
        record = period_records(row)[period_id] | {
            "_rows": len(frame),
            "_open": int((stage_times(frame)["outcome"] == "open").sum()),
            "_sha256": fingerprint(row, frame).periods[period_id],
            "_form_fields": self._fields,
            "_columns": json.dumps(further),
            "_attrs": json.dumps(attrs, default=str),
        }
        self._pending[period_id] = (table, record)
        waiting = sum(table.num_rows for table, _ in self._pending.values())
        if waiting >= BATCH_ROWS or time.monotonic() - self._last_commit >= BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Commit what has come: the actions first, then the period rows that vouch for them."""
        try:
            if _delta.open_table(self.folder.periods).version() != self._periods_version:
                # Interrupted right after the commit of this very batch.
                self._done()
            order = _merged_order([*self.records, *self._pending], self._listed)
            kept_order = [period_id for period_id in order if period_id in self.records]
            if not self._pending and kept_order == list(self.records):
                return
            actions = self._actions()
            self._replace(actions)
            self._vouch(actions, self.records | {i: record for i, (_, record) in self._pending.items()}, order)
            self._done()
        except ArchiveError:
            self.broken = True
            raise

    def compact(self, *, always: bool = False) -> None:
        """Bring small files together, where there are many."""
        if always or len(self.state.files) > FILES_PER_BUCKET * BUCKETS:
            actions = self._actions()
            _delta.compact(actions)
            self._vouch(actions, self.records, list(self.records))
            self._load()

    def _done(self) -> None:
        self.rows_written += sum(table.num_rows for table, _ in self._pending.values())
        self._pending.clear()
        self._load()
        self._last_commit = time.monotonic()

    def _actions(self) -> DeltaTable:
        """Open the actions at the state that is vouched for, rolling back what is not."""
        actions = _delta.open_table(self.folder.actions)
        vouched = self.state.actions_version or 0
        if actions.version() != vouched:
            then = _delta.open_table(self.folder.actions, vouched)
            if set(then.file_uris()) != set(actions.file_uris()):
                _delta.restore(actions, vouched)
        return actions

    def _replace(self, actions: DeltaTable) -> None:
        """Add new periods to their partitions, and write those partitions anew that held one of the others."""
        replaced = {period_id for period_id in self._pending if period_id in self.records}
        buckets = {bucket(period_id) for period_id in replaced}
        new = [table for i, (table, _) in self._pending.items() if bucket(i) not in buckets and table.num_rows]
        if new:
            _delta.append(actions, _together(new))
        if not replaced:
            return
        others = [i for i in self.state.ids if i not in replaced and bucket(i) in buckets]
        rows, _ = self.state.salvage(others, self.state.schema.names)
        numbers = pa.array([bucket(i) for i in rows["period_id"].to_pylist()], pa.int32())
        rows = rows.append_column(pa.field(BUCKET, pa.int32()), numbers)
        fresh = [table for i, (table, _) in self._pending.items() if bucket(i) in buckets]
        listed = ", ".join(map(str, sorted(buckets)))
        _delta.overwrite(actions, _together([rows, *fresh]), f"{BUCKET} IN ({listed})")

    def _vouch(self, actions: DeltaTable, records: dict[int, dict[str, Any]], order: Sequence[int]) -> None:
        rows = [records[period_id] | {"_position": i} for i, period_id in enumerate(order)]
        table = _delta.open_table(self.folder.periods)
        _delta.overwrite(table, pa.Table.from_pylist(rows, schema=PERIOD_SCHEMA), vouches=(VOUCHED, actions.version()))


def _last_readable(folder: Folder, last: int) -> State:
    for version in range(last, -1, -1):
        with contextlib.suppress(ArchiveError):
            return load(folder, version)
    return load(folder, 0)


def _together(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="default")


def _merged_order(archived: Sequence[int], listed: Sequence[int]) -> list[int]:
    """Return the archived periods in the order of the listing; those not listed stay behind whom they stood behind."""
    known, place = set(listed), {period_id: i for i, period_id in enumerate(listed)}
    after, followed = -1, {}
    for i, period_id in enumerate(dict.fromkeys(archived)):
        after = place[period_id] if period_id in known else after
        followed[period_id] = (after, i if period_id not in known else -1)
    return sorted(followed, key=followed.__getitem__)
