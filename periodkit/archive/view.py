"""One state of an archive as frames: the same interface as the client's, over local files."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Self

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from periodkit._arguments import PeriodIds, period_ids, require_columns
from periodkit.archive import snapshots
from periodkit.archive.scan import relation, spark_frame
from periodkit.archive.storage import State, Stored, extra_column, extra_columns, known_column, period_columns
from periodkit.archive.verify import verify
from periodkit.errors import ArchiveError
from periodkit.frames import VENUE, Column, Fingerprint, finder, fingerprint, to_frame, total_of
from periodkit.schema import ACTIONS

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import DataFrame as SparkFrame
    from pyspark.sql import SparkSession

__all__ = ["ArchiveView", "read_periods", "read_sound"]


class ArchiveView:
    """One state of an archive, read-only, as ``Archive.at`` returns it.

    It stays what it is while the archive goes on, until `Archive.prune` removes the files that it needs; those of a
    named snapshot stay.
    """

    _venue: str | None = None

    def __init__(self, state: State, venue: str | None = None) -> None:
        self._held = state
        self._venue = venue

    def _state(self) -> State:
        return self._held

    def __repr__(self) -> str:
        state = self._state()
        return f"ArchiveView({str(state.folder.path)!r}, {len(state.ids)} period(s), {sum(state.rows.values()):,} action(s))"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Nothing to close: files are open only while they are read."""

    def held(self) -> ArchiveView:
        """Return the present state, to read several times from one state whatever a sync does meanwhile."""
        return ArchiveView(self._state(), self._venue)

    @property
    def origin(self) -> str | None:
        """Whose data it holds: a base URL, or ``"sandbox: ..."``; None of an archive that never recorded it."""
        return self._state().folder.origin()

    def periods(self) -> pd.DataFrame:
        """Return the archived periods, as ``client.periods()`` does: one row per period, in the server's order.

        Returns
        -------
        pandas.DataFrame
            `periodkit.schema.PERIODS`, then unknown fields. ``fetched_at`` is when the server answered with this row. If
            the archive was opened with a venue, a column ``venue`` comes first.

        Raises
        ------
        ArchiveError
            The table of periods is damaged; the message says how to repair it.
        """
        state = self._state()
        frame = self._at_venue(to_frame(period_columns(state.periods)))
        said = [state.attrs[period_id].get("listing", {}) for period_id in state.ids]
        frame.attrs["duplicates"] = said[int(frame["fetched_at"].argmax())].get("duplicates", 0) if said else 0
        if any("bad_values" in attrs for attrs in said):
            frame.attrs["bad_values"] = [bad for attrs in said for bad in attrs.get("bad_values", ())]
        return frame

    def actions(self, periods: PeriodIds | None = None, columns: Iterable[str] | None = None) -> pd.DataFrame:
        """Return the archived actions, as ``client.actions(periods)`` does.

        Parameters
        ----------
        periods : int, str, iterable of these, or DataFrame, optional
            A period id, several, a periods frame or a row of one, or names; by default all, in the order of `periods`.
        columns : iterable of str, optional
            Read these columns alone, which is quicker; by default all.

        Returns
        -------
        pandas.DataFrame
            `periodkit.schema.ACTIONS`, then ``form.*``, then unknown fields: one row per action, in the order of
            `periods` and, within each, as sent. Values and dtypes are those that the client returned.

        Raises
        ------
        ArchiveError
            A period is not in the archive, or a file of it is damaged; the message says which and how to repair it.
        SchemaError
            There is no such column.
        """
        state = self._state()
        ids = state.ids if periods is None else period_ids(periods, finder(self.periods))
        absent = [period_id for period_id in ids if period_id not in state.rows]
        if absent:
            more = f" and {len(absent) - 1} more" if len(absent) > 1 else ""
            msg = f"Period {absent[0]}{more} is not in the archive {state.folder.path}. Fetch it: archive.sync(client)."
            raise ArchiveError(msg)
        names = None if columns is None else [columns] if isinstance(columns, str) else list(dict.fromkeys(columns))
        chosen = None if names is None else [name for name in names if self._venue is None or name != VENUE]
        frame = _read_actions(state, ids, chosen)
        if names is None or chosen != names:
            frame = self._at_venue(frame)
        attrs = [state.attrs[period_id].get("actions", {}) for period_id in ids]
        frame.attrs["duplicates"] = sum(own.get("duplicates", 0) for own in attrs)
        if any("bad_values" in own for own in attrs):
            frame.attrs["bad_values"] = [bad for own in attrs for bad in own.get("bad_values", ())]
        notes = [text for own in attrs for text in own.get("notes", ())]
        if notes and not any(state.rows[period_id] for period_id in ids):
            frame.attrs["notes"] = notes
        return frame

    def _at_venue(self, frame: pd.DataFrame) -> pd.DataFrame:
        if self._venue is None:
            return frame
        if VENUE in frame.columns:
            self._refuse_venue()
        frame.insert(0, VENUE, pd.Series(self._venue, index=frame.index, dtype="str"))
        return frame

    def _refuse_venue(self) -> NoReturn:
        msg = f"The API sends a field {VENUE!r} of its own. Open the archive without venue={self._venue!r}."
        raise ArchiveError(msg)

    def scan(self, connection: duckdb.DuckDBPyConnection | None = None) -> duckdb.DuckDBPyRelation:
        """Return the actions as a lazy DuckDB relation, for more of them than memory holds.

        Every metric that counts takes it in place of a frame. Its rows have no order.

        Parameters
        ----------
        connection : duckdb.DuckDBPyConnection, optional
            Where the relation lives; by default a connection of its own. Relations can be joined and united only within
            one: pass the same to each archive. Its settings stay as they are.

        Returns
        -------
        duckdb.DuckDBPyRelation
            The columns of `actions`; a field that was sent in several kinds is its JSON as text.

        Raises
        ------
        ConfigError
            The extra ``scale`` is not installed, or `connection` is none of DuckDB's.
        ArchiveError
            A file is missing, cut short or foreign. Damage in its midst shows when the relation is computed, as an error of
            DuckDB's; `verify` names it.
        """
        state = self._state()
        found = relation(state, self._venue, connection)
        if self._venue is not None and any(c.name == VENUE for columns in state.stored.values() for c in columns):
            self._refuse_venue()
        return found

    def spark(self, session: SparkSession) -> SparkFrame:
        """Return the actions as a Spark frame, for more of them than one machine counts in good time.

        Every metric that counts takes it in place of a frame. The workers read the files themselves, so the archive has to
        lie where each of them finds it under the same path.

        Parameters
        ----------
        session : pyspark.sql.SparkSession
            Classic or Connect, in any time zone.

        Returns
        -------
        pyspark.sql.DataFrame
            The columns of `actions`, as `scan` has them; its rows have no order.

        Raises
        ------
        ConfigError
            `session` is no Spark session; says how to get one.
        ArchiveError
            A file is missing, cut short or foreign. Damage in its midst shows when the frame is computed, as an error of
            Spark's; `verify` names it.
        """
        return spark_frame(self._state(), session, self._venue)

    def files(self) -> list[Path]:
        """Return the Parquet files that hold the actions of this state, for Spark, Dask or any other tool."""
        return [file.path for file in self._state().files]

    def row_counts(self) -> dict[int, int]:
        """Return how many actions each period has, by id, without reading them."""
        return dict(self._state().rows)

    def hashes(self) -> dict[int, str]:
        """Return the hash of each period as it was taken when written, by id; `verify` says whether it still holds."""
        return dict(self._state().hashes)

    def recorded_hash(self) -> str:
        """Return the hash over all of `hashes`: what a snapshot of this state is called by."""
        return total_of(self._state().hashes)

    def status(self) -> dict[str, str]:
        """Return what is there in words: periods, actions, how many were open, how fresh, size, hash."""
        return status(self._state())

    def fingerprint(self) -> Fingerprint:
        """Compute the hash of each period, and of all, from what the files hold.

        Raises
        ------
        ArchiveError
            A file is damaged.
        """
        state = self._state()
        return fingerprint(read_periods(state, state.ids), _read_actions(state, state.ids, as_written=True))

    def verify(self) -> pd.DataFrame:
        """Compute the hash of each period from what the files hold, and compare it with the one taken when written.

        Returns
        -------
        pandas.DataFrame
            One row per period that differs or cannot be read: ``period_id, problem, expected, found`` (the hashes; null
            where it cannot be read). No rows: the archive is intact.
        """
        state = self._state()
        return verify(state, state.hashes, partial(read_sound, state))


def _read_actions(
    state: State, ids: list[int], columns: Iterable[str] | None = None, *, as_written: bool = False
) -> pd.DataFrame:
    extra = extra_columns(column for period_id in ids for column in state.stored[period_id])
    names = _column_names(extra) if columns is None else _chosen(columns, extra)
    return _framed(state.read(ids, _physical(names, extra)), names, extra, as_written=as_written)


def read_periods(state: State, ids: list[int]) -> pd.DataFrame:
    """Return the rows of periods as they were hashed."""
    chosen = state.periods.filter(pc.is_in(state.periods["period_id"], pa.array(ids, pa.int64())))
    return to_frame(period_columns(chosen, as_written=True))


def read_sound(state: State, ids: list[int]) -> tuple[pd.DataFrame, dict[int, str]]:
    """Return the actions, as they were hashed, of those periods that can be read, and what is wrong with the others."""
    everything = extra_columns(column for period_id in ids for column in state.stored[period_id])
    table, damage = state.salvage(ids, _physical(_column_names(everything), everything))
    sound = [period_id for period_id in ids if period_id not in damage]
    extra = extra_columns(column for period_id in sound for column in state.stored[period_id])
    return _framed(table, _column_names(extra), extra, as_written=True), damage


def _column_names(extra: dict[str, list[Stored]]) -> list[str]:
    """Return the columns of the frame, in order."""
    return list(dict.fromkeys([*ACTIONS.columns, *extra]))


def _physical(names: list[str], extra: dict[str, list[Stored]]) -> list[str]:
    """Return the columns of the table that hold columns of the frame."""
    known = [name for name in names if name in ACTIONS.columns]
    return known + [place.physical for name in names for place in extra.get(name, ())]


def _framed(
    table: pa.Table, names: list[str], extra: dict[str, list[Stored]], *, as_written: bool = False
) -> pd.DataFrame:
    columns: dict[str, Column] = {
        name: known_column(table, ACTIONS[name], extra.get(name, ()), as_written=as_written)
        if name in ACTIONS.columns
        else extra_column(table, extra[name])
        for name in names
    }
    return to_frame(columns)


def _chosen(columns: Iterable[str], extra: dict[str, list[Stored]]) -> list[str]:
    names = [columns] if isinstance(columns, str) else list(dict.fromkeys(columns))
    require_columns(_column_names(extra), names, "names of archive.actions().columns")
    return names


def status(state: State) -> dict[str, str]:
    """Return one line for each thing that one asks of an archive, from its table of periods alone."""
    periods = state.periods
    open_ = [count for count in periods["_open"].to_pylist() if count]
    names = [snapshot.name for snapshot in snapshots.stored(state.folder) if snapshot.name is not None]
    span = _span(periods["start_date"], "%Y-%m-%d")
    return {
        "archive": str(state.folder.path),
        "origin": (state.folder.origin() or "not recorded; the next sync sets it"),
        "periods": f"{len(state.ids):,}" + (f" ({span})" if span else ""),
        "actions": f"{sum(state.rows.values()):,}",
        "open": f"{sum(open_):,} action(s) in {len(open_)} period(s), when they were fetched",
        "fetched": _span(periods["fetched_at"], "%Y-%m-%d %H:%M UTC") or "never",
        "files": f"{len(state.files):,} ({sum(file.size for file in state.files) / 1e6:,.1f} MB)",
        "snapshots": ", ".join(names) or "none",
        "hash": total_of(state.hashes),
    }


def _span(times: object, form: str) -> str:
    found = pc.min_max(times)
    first, last = found["min"].as_py(), found["max"].as_py()
    if first is None:
        return ""
    ends = list(dict.fromkeys([f"{first:{form}}", f"{last:{form}}"]))
    return " to ".join(ends)
