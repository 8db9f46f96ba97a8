"""Puts fetched periods into the tables, in batches of whole periods."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from periodkit.archive.repair import free_place, last_readable, set_damage_aside
from periodkit.archive.storage import (
    ACTION_SCHEMA,
    BUCKET,
    BUCKETS,
    PERIOD_SCHEMA,
    VOUCHED,
    Folder,
    Head,
    Names,
    State,
    actions_to_arrow,
    bucket,
    delta,
    load,
    read_columns,
    repair_command,
)
from periodkit.archive.view import read_periods, read_sound
from periodkit.errors import ArchiveError, ArgumentError
from periodkit.frames import fingerprint, pseudonymize, total_of
from periodkit.milestones import stage_times
from periodkit.schema import FORM_PREFIX

if TYPE_CHECKING:
    from deltalake import DeltaTable

Record: TypeAlias = dict[str, Any]
"""One row of the table of periods."""

BATCH_ROWS = 100_000
BATCH_SECONDS = 10.0
FILES_PER_BUCKET = 4
"""From more files than this for each partition, on average, a sync brings them together."""


class Writer:
    """Writes to an archive; only the holder of the folder's lock makes one.

    The periods are the single point of truth: a commit of theirs names the version of the actions that it vouches for.
    Actions that no commit vouches for, left by a writer that died between the two, are rolled back.

    Parameters
    ----------
    folder : Folder
        The prepared folder.
    tolerant : bool
        Whether to go on from the last state that can be read, where a table is damaged.

    Attributes
    ----------
    set_aside : Path or None
        Where damaged files that blocked the repair were moved.
    lost : set of int
        Periods that were archived, and cannot be read any more; only a repair gives them up.
    unreadable : set of int
        Periods that cannot be read now, and without which their partitions cannot be written anew. Their files may come
        back, or the server has them.
    """

    def __init__(self, folder: Folder, *, tolerant: bool = False) -> None:
        self.folder = folder
        self.rows_written = 0
        self.broken = False
        self._tolerant = self._repairing = tolerant
        self._pending: dict[int, pd.DataFrame] = {}
        self._listed: Mapping[int, Record] = {}
        self._last_commit = time.monotonic()
        self._vouching: int | None = None
        self._committing: list[int] = []
        self.unreadable: set[int] = set()
        self._gone: frozenset[int] = frozenset()
        self._old: frozenset[int] = frozenset()
        self._edited = False
        self.set_aside = set_damage_aside(folder) if tolerant else None
        state, lost = last_readable(folder) if tolerant else (load(folder), frozenset())
        self.lost = set(lost)
        _ = state.files  # before anything is created: a table may be missing that should be there
        if state.periods_version is None:
            delta.create(folder.actions, ACTION_SCHEMA, partition_by=BUCKET)
            delta.create(folder.periods, PERIOD_SCHEMA)
        self._go_on(state)
        stored = {column for columns in self.state.stored.values() for column in columns}
        self._names = Names(pa.schema(delta.open_table(folder.actions).schema().to_arrow()), stored)

    @cached_property
    def _on_disk(self) -> set[Path]:
        # Asked for by the first commit, so that a sync with nothing to write looks at no files.
        return self.folder.on_disk()

    def _go_on(self, state: State) -> None:
        self._vouching = None
        self.state = state
        self.records: dict[int, Record] = {record["period_id"]: record for record in state.periods.to_pylist()}

    def damaged(self) -> set[int]:
        """Return the periods that damaged files hold, as far as that shows without reading all of them."""
        bad = {file.bucket for file in self.state.files if file.damage() is not None}
        if not bad:
            return set()
        _, damage = self.state.salvage([period_id for period_id in self.state.ids if bucket(period_id) in bad], ())
        return set(damage)

    def form_fields(self) -> list[str]:
        """Return the form fields that any archived period was fetched with."""
        texts = dict.fromkeys(record["_form_fields"] for record in self.records.values())
        return list(dict.fromkeys(field for text in texts for field in json.loads(text)))

    def begin(
        self,
        listing: pd.DataFrame,
        listed: Mapping[int, Record],
        fields: Sequence[str],
        gone: Collection[int] = (),
        old: Collection[int] = (),
    ) -> None:
        """Set the listing, form fields, missing and old periods (past `settle_after`, twice) for the next writes."""
        self._listing, self._listed, self._fields = listing, listed, json.dumps(list(fields))
        self._gone = frozenset(gone)
        self._old = frozenset(old)

    def forget_fields(self, fields: Collection[str]) -> None:
        """Do not fetch these form fields any more, and drop their columns if they have no values."""
        known = self.form_fields()
        for field in fields:
            if field not in known:
                msg = f"The archive does not fetch a form field {field!r}. It fetches: {', '.join(known) or 'none'}."
                raise ArgumentError(msg)
        empty = {FORM_PREFIX + field for field in fields}
        for record in self.records.values():
            kept = [field for field in json.loads(record["_form_fields"]) if field not in fields]
            columns = [
                column
                for column in read_columns(record["_columns"])
                if column.kind != "empty" or column.name not in empty
            ]
            record["_form_fields"] = json.dumps(kept)
            record["_columns"] = json.dumps(columns)
        self._edited = bool(fields)

    def unused_fields(self) -> list[str]:
        """Return the form fields that are fetched and that no archived action has."""
        used = {column.name for columns in self.state.stored.values() for column in columns if column.kind != "empty"}
        return [field for field in self.form_fields() if FORM_PREFIX + field not in used]

    def add(self, period_id: int, frame: pd.DataFrame) -> None:
        """Take in the actions of one period; every now and then that commits what has come."""
        self._pending[period_id] = frame if self.folder.key is None else pseudonymize(frame, self.folder.key)
        waiting = sum(map(len, self._pending.values()))
        if waiting >= BATCH_ROWS or time.monotonic() - self._last_commit >= BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Commit what has come: the actions first, then the period rows that vouch for them."""
        try:
            if self._vouching is not None and delta.open_table(self.folder.periods).version() > self._vouching:
                # Interrupted right after the commit of this very batch.
                self._done(load(self.folder))
            ready, kept, buckets = self._ready()
            left = [period_id for period_id in self.records if period_id not in self.lost or period_id in ready]
            order = _merged_order([*left, *ready], list(self._listed))
            repaired = self._repairing and (self.records or self.folder.has_head())
            if not (ready or order != list(self.records) or repaired or self._edited):
                return
            self._committing = list(ready)
            rows, records = self._converted(ready)
            actions = self._actions()
            self._replace(actions, rows, kept, buckets)
            self._done(self._vouch(actions, self.records | records, order))
        except ArchiveError:
            self.broken = True
            raise

    def compact(self, *, always: bool = False) -> None:
        """Bring small files together, where there are many."""
        if always or len(self.state.files) > FILES_PER_BUCKET * BUCKETS:
            actions = self._actions()
            before = actions.version()
            delta.compact(actions)
            if actions.version() == before:
                return
            self._go_on(self._vouch(actions, self.records, list(self.records)))

    def _done(self, state: State) -> None:
        self.rows_written += sum(len(self._pending.pop(period_id)) for period_id in self._committing)
        self._committing = []
        self._repairing = self._edited = False
        self._go_on(state)
        self._last_commit = time.monotonic()

    def _actions(self) -> DeltaTable:
        """Open the actions at the state that is vouched for, rolling back what is not."""
        actions = delta.open_table(self.folder.actions)
        vouched = self.state.actions_version or 0
        if actions.version() != vouched:
            then = delta.open_table(self.folder.actions, vouched)
            if set(then.file_uris()) != set(actions.file_uris()):
                delta.restore(actions, vouched)
        return actions

    def held_back(self) -> dict[int, ArchiveError]:
        """Return the periods that have come and could not be written, with the reason."""
        return {
            period_id: ArchiveError(
                f"It lies in one partition with period {other}, which cannot be read and did not come either, so nothing "
                "was written there. Sync again without start and end; if the server has that one no more, "
                f"{repair_command(self.folder.path)} gives it up and sets its files aside."
            )
            for period_id in self._pending
            if (other := next((i for i in sorted(self.unreadable) if bucket(i) == bucket(period_id)), None)) is not None
        }

    def _ready(self) -> tuple[dict[int, pd.DataFrame], pa.Table, set[int]]:
        """Return what is pending and can be written now, the partitions to be written anew, and the other rows of these.

        A partition of which a period cannot be read stays as it is: writing it anew would end that period.
        """
        replaced = self._pending.keys() & self.records.keys()
        given_up = self.damaged() & self._gone if self._tolerant else set()
        buckets = {bucket(period_id) for period_id in (*replaced, *given_up)}
        if not buckets:
            self.unreadable = set()
            return dict(self._pending), ACTION_SCHEMA.empty_table(), buckets
        others = [i for i in self.state.ids if i not in replaced and bucket(i) in buckets]
        kept, damage = self.state.salvage(others, self.state.schema.names)
        if self._tolerant and (given_up := set(damage) & self._gone):
            self._set_files_aside(given_up)
            self.lost |= given_up
        self.unreadable = set(damage) - given_up
        closed = {bucket(period_id) for period_id in self.unreadable}
        ready = {i: frame for i, frame in self._pending.items() if i not in replaced or bucket(i) not in closed}
        if closed:
            open_ = np.isin(bucket(kept["period_id"].to_numpy()), list(closed), invert=True)
            kept = kept.filter(pa.array(open_))
        return ready, kept, buckets - closed

    def _set_files_aside(self, periods: Collection[int]) -> None:
        """Copy the files that hold periods which are given up: the next `prune` would delete them."""
        self.set_aside = self.set_aside or free_place(self.folder)
        for file in self.state.files_of(sorted(periods)):
            if file.path.exists():
                target = self.set_aside / file.path.relative_to(self.folder.path)
                target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                shutil.copy2(file.path, target)

    def _converted(self, pending: Mapping[int, pd.DataFrame]) -> tuple[pa.Table, dict[int, Record]]:
        """Return what is pending as rows of the two tables."""
        # Frames of the same columns and dtypes go through together: there are few kinds, and each step costs.
        kinds: dict[tuple[Any, ...], list[int]] = {}
        for period_id, frame in pending.items():
            kinds.setdefault(tuple(frame.dtypes.astype(str).items()), []).append(period_id)
        tables = [pa.table({BUCKET: pa.array([], pa.int32())})]
        records = {}
        unchanged = self._unchanged(pending)
        for ids in kinds.values():
            frame = pd.concat([pending[period_id] for period_id in ids], ignore_index=True)
            table, extra = actions_to_arrow(frame, self._names)
            tables.append(table)
            columns = json.dumps(extra)
            hashes = fingerprint(self._listing[self._listing["period_id"].isin(ids)], frame).periods
            open_ = frame["period_id"][stage_times(frame)["outcome"] == "open"].value_counts()
            for period_id in ids:
                records[period_id] = self._listed[period_id] | {
                    "_rows": len(pending[period_id]),
                    "_open": int(open_.get(period_id, 0)),
                    "_unchanged": unchanged.get(period_id, 0),
                    "_sha256": hashes[period_id],
                    "_form_fields": self._fields,
                    "_columns": columns,
                    "_attrs": json.dumps(self._attrs(period_id, pending[period_id]), default=str),
                }
        return _together(tables), records

    def _unchanged(self, pending: Mapping[int, pd.DataFrame]) -> dict[int, int]:
        """Return how many times in a row, past `settle_after`, each period was found as it was before."""
        replaced = [period_id for period_id in pending if period_id in self.records and period_id in self._old]
        if not replaced:
            return {}
        actions, damage = read_sound(self.state, replaced)
        old = fingerprint(read_periods(self.state, replaced), actions, fetched_at=False).periods
        listed = self._listing[self._listing["period_id"].isin(replaced)]
        frames = pd.concat([pending[period_id] for period_id in replaced], ignore_index=True)
        new = fingerprint(listed, frames, fetched_at=False).periods
        return {
            period_id: (self.records[period_id]["_unchanged"] or 0) + 1
            for period_id in replaced
            if period_id not in damage and old.get(period_id) == new.get(period_id)
        }

    def _attrs(self, period_id: int, frame: pd.DataFrame) -> dict[str, Any]:
        own, beside = frame.attrs, self._listing.attrs
        listing: dict[str, Any] = {"duplicates": beside.get("duplicates", 0)}
        if "bad_values" in beside:
            listing["bad_values"] = [value for value in beside["bad_values"] if value.get("id") == period_id]
        actions = {name: own[name] for name in ("duplicates", "bad_values", "notes") if name in own}
        return {"actions": actions, "listing": listing}

    def _replace(self, actions: DeltaTable, rows: pa.Table, kept: pa.Table, buckets: set[int]) -> None:
        """Add new periods to their partitions, and write these partitions anew, with what is kept of them."""
        anew = pc.is_in(rows[BUCKET], pa.array(sorted(buckets), pa.int32()))
        new = rows.filter(pc.invert(anew))
        if new.num_rows:
            delta.append(actions, new)
        if not buckets:
            return
        kept = kept.append_column(BUCKET, pa.array(bucket(kept["period_id"].to_numpy()), pa.int32()))
        listed = ", ".join(map(str, sorted(buckets)))
        delta.overwrite(actions, _together([kept, rows.filter(anew)]), f"{BUCKET} IN ({listed})")

    def _vouch(self, actions: DeltaTable, records: dict[int, Record], order: Sequence[int]) -> State:
        listed = [records[period_id] | {"_position": i} for i, period_id in enumerate(order)]
        rows = pa.Table.from_pylist(listed, schema=PERIOD_SCHEMA)
        table = delta.open_table(self.folder.periods)
        self._vouching = table.version()
        self.folder.to_disk(self._on_disk)  # what is vouched for is there before that is said
        delta.overwrite(table, rows, vouches=(VOUCHED, actions.version()))
        self.folder.to_disk(self._on_disk)
        state = State(self.folder, table.version(), actions.version(), rows)
        self.folder.move_head(Head(table.version(), total_of(state.hashes)))
        return state


def _together(tables: Sequence[pa.Table]) -> pa.Table:
    return pa.concat_tables(tables, promote_options="default")


def _merged_order(archived: Sequence[int], listed: Sequence[int]) -> list[int]:
    """Return the periods in the order of the listing; unlisted periods keep their position after the same predecessor."""
    known, place = set(listed), {period_id: i for i, period_id in enumerate(listed)}
    after, followed = -1, {}
    for i, period_id in enumerate(dict.fromkeys(archived)):
        after = place[period_id] if period_id in known else after
        followed[period_id] = (after, i if period_id not in known else -1)
    return sorted(followed, key=followed.__getitem__)
