"""One state of the archive: a version of the periods, and the version of the actions that it vouches for."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads

from periodkit.archive.storage import delta
from periodkit.archive.storage.folder import Folder, repair_command
from periodkit.archive.storage.layout import (
    ACTION_SCHEMA,
    ALWAYS_IN_ACTIONS,
    ALWAYS_IN_PERIODS,
    BUCKET,
    PERIOD_SCHEMA,
    ROW,
    Stored,
    bucket,
    read_columns,
)
from periodkit.errors import ArchiveError
from periodkit.frames import total_of
from periodkit.visible import visible

if TYPE_CHECKING:
    from deltalake import DeltaTable

__all__ = ["State", "damage_message", "load"]

_SHORT_RUN = 8
_CHECKED = pads.ParquetFragmentScanOptions(page_checksum_verification=True)

VOUCHED = "actions"
"""Under this name a commit of the periods carries the version of the actions that it vouches for."""


@dataclass(frozen=True)
class DataFile:
    """One Parquet file of the actions, as the log describes it."""

    path: Path
    size: int
    bucket: int
    low: int
    high: int

    def damage(self) -> str | None:
        """Say what is wrong with the file as far as that shows without reading it."""
        try:
            size = self.path.stat().st_size
        except OSError as error:
            return f"cannot be opened ({error.strerror})"
        return None if size == self.size else f"has {size:,} bytes where {self.size:,} were written"


@dataclass(frozen=True)
class State:
    """Periods and actions as one commit left them; read-only and never changing.

    Parameters
    ----------
    folder : Folder
        Where the tables are.
    periods_version, actions_version : int or None
        Versions of the two tables; None where nothing has been archived.
    periods : pyarrow.Table
        Rows of the periods table, in order, with their bookkeeping.
    """

    folder: Folder
    periods_version: int | None
    actions_version: int | None
    periods: pa.Table

    @cached_property
    def ids(self) -> list[int]:
        """The archived periods, in order."""
        found: list[int] = self.periods["period_id"].to_pylist()
        return found

    @cached_property
    def hashes(self) -> dict[int, str]:
        """The hash of each period as it was when it was written."""
        return dict(zip(self.ids, self.periods["_sha256"].to_pylist(), strict=True))

    @cached_property
    def rows(self) -> dict[int, int]:
        """How many actions each period has."""
        return dict(zip(self.ids, self.periods["_rows"].to_pylist(), strict=True))

    @cached_property
    def stored(self) -> dict[int, list[Stored]]:
        """The form and unknown columns of each period."""
        # Nearly all periods have the same columns, so each different text is read once.
        texts = self.periods["_columns"].to_pylist()
        read = {text: read_columns(text) for text in dict.fromkeys(texts)}
        return {period_id: read[text] for period_id, text in zip(self.ids, texts, strict=True)}

    @cached_property
    def attrs(self) -> dict[int, dict[str, Any]]:
        """What the client said beside the frames of each period: ``actions`` and ``listing``."""
        return {i: json.loads(text) for i, text in zip(self.ids, self.periods["_attrs"].to_pylist(), strict=True)}

    @cached_property
    def _table(self) -> DeltaTable:
        return delta.open_table(self.folder.actions, self.actions_version)

    @cached_property
    def schema(self) -> pa.Schema:
        """Arrow schema of the actions table, without the partition column."""
        if self.actions_version is None:
            return pa.schema([field for field in ACTION_SCHEMA if field.name != BUCKET])
        schema = delta.schema_of(self._table, ALWAYS_IN_ACTIONS)
        return pa.schema([field for field in schema if field.name != BUCKET])

    @cached_property
    def files(self) -> list[DataFile]:
        """The live Parquet files of the actions."""
        if self.actions_version is None:
            return []
        _ = self.schema  # a log that names other columns says nothing of use about files
        with delta.reading(self.folder.actions):
            added = pa.table(self._table.get_add_actions(flatten=True))
        if not added.num_rows:
            return []
        wanted = ["path", "size_bytes", f"partition.{BUCKET}", "min.period_id", "max.period_id"]
        if not set(wanted) <= set(added.column_names):
            raise ArchiveError(delta.log_damage(self.folder.actions, "it does not say which periods its files hold"))
        described = added.select(wanted)
        return [
            DataFile(self.folder.actions / unquote(path), *rest)
            for path, *rest in zip(*(column.to_pylist() for column in described.columns), strict=True)
        ]

    def files_of(self, ids: Sequence[int]) -> list[DataFile]:
        """Return the files that may hold rows of these periods."""
        if len(ids) == len(self.ids):
            return self.files
        wanted: dict[int, list[int]] = {}
        for period_id in ids:
            wanted.setdefault(bucket(period_id), []).append(period_id)
        return [
            file
            for file in self.files
            if any(file.low <= period_id <= file.high for period_id in wanted.get(file.bucket, ()))
        ]

    def _field(self, name: str) -> pa.Field:
        if name in self.schema.names:
            return self.schema.field(name)
        if name in ACTION_SCHEMA.names:  # an older version did not write it: it is null
            return ACTION_SCHEMA.field(name)
        raise ArchiveError(delta.log_damage(self.folder.actions, f"it has no column {name}"))

    def read(self, ids: Sequence[int], columns: Iterable[str]) -> pa.Table:
        """Read the actions of periods, in the order of `ids` and, within each, as they were sent.

        Raises
        ------
        ArchiveError
            A file is damaged, and with it one of these periods.
        """
        table, damage = self.salvage(ids, columns)
        if damage:
            raise ArchiveError(damage_message(damage, self.folder.path))
        return table

    def salvage(self, ids: Sequence[int], columns: Iterable[str]) -> tuple[pa.Table, dict[int, str]]:
        """Read what can be read of periods: whole periods alone, and for each of the others what is wrong."""
        names = list(dict.fromkeys(["period_id", ROW, *columns]))
        schema = pa.schema([self._field(name) for name in names])
        rows, broken = _read_files(self.files_of(ids), schema)
        places, counts = _places(rows["period_id"].to_numpy(), ids)
        short = {i for i, count in zip(ids, counts, strict=True) if count != self.rows[i]}
        damage = {}
        for period_id in short:
            reasons = [
                f"{file.path} {reason}"
                for file, reason in broken
                if file.bucket == bucket(period_id) and file.low <= period_id <= file.high
            ]
            count = counts[ids.index(period_id)]
            damage[period_id] = "; ".join(reasons) or (
                f"{count:,} of its {self.rows[period_id]:,} actions are in the files of {self.folder.actions}"
            )
        keys = places * (1 << 32) + rows[ROW].to_numpy()
        unwanted = places < 0
        if short:
            unwanted |= np.isin(rows["period_id"].to_numpy(), list(short))
        kept = np.flatnonzero(~unwanted)
        return _taken(rows, kept[np.argsort(keys[kept], kind="stable")]), damage


def load(folder: Folder, periods_version: int | None = None) -> State:
    """Return the state that a version of the periods vouches for, by default the last one.

    Raises
    ------
    ArchiveError
        The folder is no archive or a newer one, or the table of periods or its log is damaged.
    """
    nothing = State(folder, None, None, PERIOD_SCHEMA.empty_table())
    if not folder.check():
        return nothing
    # Before the table: a sync may commit in between, and then the table is ahead.
    head = folder.head() if periods_version is None else None
    if not delta.exists(folder.periods):
        if head is None:
            return nothing
        raise ArchiveError(delta.log_damage(folder.periods, "it is missing"))
    table = delta.open_table(folder.periods, periods_version)
    if head is not None and table.version() < head.periods_version:
        ends = f"it ends at version {table.version()}, and version {head.periods_version} was committed"
        raise ArchiveError(delta.log_damage(folder.periods, ends))
    delta.schema_of(table, ALWAYS_IN_PERIODS)
    with delta.reading(folder.periods):
        vouched = table.transaction_version(VOUCHED)
        if vouched is None:
            return nothing
        described = pa.table(table.get_add_actions(flatten=True)).select(["path", "size_bytes"]).to_pylist()
    files = [DataFile(folder.periods / unquote(entry["path"]), entry["size_bytes"], 0, 0, 0) for entry in described]
    rows, broken = _read_files(files, PERIOD_SCHEMA)
    if broken:
        file, reason = broken[0]
        msg = (
            f"The table of periods is damaged: {file.path} {reason}. To repair it from the last state that can be read, "
            f"run {repair_command(folder.path)}, or archive.sync(client, refresh=True)."
        )
        raise ArchiveError(msg)
    state = State(folder, table.version(), vouched, rows.sort_by("_position"))
    if head is not None and head.periods_version == state.periods_version and head.hash != total_of(state.hashes):
        other = f"its last version, {state.periods_version}, is not the one that was committed"
        raise ArchiveError(delta.log_damage(folder.periods, other))
    return state


def damage_message(damage: dict[int, str], archive: Path) -> str:
    """Say which file and which periods are damaged, and how to repair them."""
    ids = sorted(damage)
    first = damage[ids[0]]
    named = ", ".join(map(str, ids[:10])) + (f" and {len(ids) - 10} more" if len(ids) > 10 else "")
    what = "are" if len(ids) > 1 else "is"
    return (
        f"Period {named} {what} damaged in the archive: {first}. All other periods can be read. To fetch the damaged "
        f"ones again: {repair_command(archive, ids[:10])}, or archive.sync(client, refresh={ids[:10]})."
    )


def _read_files(files: Sequence[DataFile], schema: pa.Schema) -> tuple[pa.Table, list[tuple[DataFile, str]]]:
    """Read files into one table, and name those that cannot be read."""
    broken = [(file, reason) for file in files if (reason := file.damage()) is not None]
    bad = {file.path for file, _ in broken}
    sound = [file for file in files if file.path not in bad]
    try:
        return _scan([file.path for file in sound], schema), broken
    except (pa.ArrowException, OSError):
        pass
    tables = []
    for file in sound:
        try:
            tables.append(_scan([file.path], schema))
        except (pa.ArrowException, OSError) as error:
            broken.append((file, f"cannot be read ({visible(str(error).splitlines()[0])})"))
    return pa.concat_tables([schema.empty_table(), *tables]), broken


def _scan(paths: Sequence[Path], schema: pa.Schema) -> pa.Table:
    if not paths:
        return schema.empty_table()
    # Where a file has checksums of its pages, they are checked; deltalake does not write them yet.
    format_ = pads.ParquetFileFormat(default_fragment_scan_options=_CHECKED)
    return pads.FileSystemDataset.from_paths(
        [os.fspath(path) for path in paths], schema=schema, format=format_, filesystem=_local()
    ).to_table()


def _local() -> Any:  # noqa: ANN401
    from pyarrow.fs import LocalFileSystem  # noqa: PLC0415

    return LocalFileSystem()


def _taken(rows: pa.Table, order: np.ndarray) -> pa.Table:
    """Return rows in an order; periods lie in the files as runs of rows, which are quicker to cut than row by row."""
    starts = np.flatnonzero(np.diff(order, prepend=-2) != 1)
    if len(starts) > len(order) // _SHORT_RUN:
        return rows.take(pa.array(order))
    lengths = np.diff(np.append(starts, len(order)))
    slices = [rows.slice(*run) for run in zip(order[starts].tolist(), lengths.tolist(), strict=True)]
    return pa.concat_tables([rows.slice(0, 0), *slices])


def _places(found: np.ndarray, ids: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Return for each row the place of its period in `ids`, or -1, and how many rows each period has."""
    wanted = np.asarray(ids, dtype="int64")
    if not len(wanted):
        return np.full(len(found), -1), np.zeros(0, dtype="int64")
    order = np.argsort(wanted)
    near = np.minimum(np.searchsorted(wanted[order], found), len(wanted) - 1)
    places = np.where(wanted[order][near] == found, order[near], -1)
    return places, np.bincount(places[places >= 0], minlength=len(wanted))
