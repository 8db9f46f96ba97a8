"""Repair an archive whose logs are damaged, and delete nothing."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
from pathlib import Path

from periodkit.archive import snapshots
from periodkit.archive.storage import ALWAYS_IN_ACTIONS, ALWAYS_IN_PERIODS, Folder, State, delta, load
from periodkit.errors import ArchiveError

__all__ = ["free_place", "last_readable", "set_damage_aside"]


def set_damage_aside(folder: Folder) -> Path | None:
    """Move what keeps the tables from being opened out of their way; return where to, or None where nothing does.

    Of a log whose entries are whole, checkpoints are moved, which only repeat them; of one that can be read up to some
    entry, what comes after that; of one that cannot be read at all, the whole table. Actions that no table of periods
    describes any more are moved too, and so are snapshots of versions that are gone, since other versions will take
    their numbers.
    """
    if not delta.exists(folder.periods) and not folder.has_head():
        return None  # nothing was ever committed
    aside = free_place(folder)
    for table in (folder.periods, folder.actions):
        if not _opens(table):
            _move_checkpoints(table, aside / table.name / delta.LOG)
    last = {table: _last_version(table) for table in (folder.periods, folder.actions)}
    if last[folder.periods] is None:
        last[folder.actions] = None
    for table, version in last.items():
        if version is None and table.exists():
            _move(table, aside)
        elif version is not None and not _opens(table):
            log = table / delta.LOG
            for path in [path for path in log.iterdir() if not _version_of(path) <= version]:
                _move(path, aside / table.name / delta.LOG)
    for snapshot in snapshots.stored(folder):
        wanted = {folder.periods: snapshot.periods_version, folder.actions: snapshot.actions_version}
        if any(version is not None and version not in _upto(last[table]) for table, version in wanted.items()):
            _move(snapshots.path_of(folder, snapshot), aside / "snapshots")
    return aside if aside.exists() else None


def free_place(folder: Folder) -> Path:
    """Return a folder within ``damaged/`` that is not there yet."""
    return next(path for i in range(1, 10_000) if not (path := folder.path / "damaged" / str(i)).exists())


def last_readable(folder: Folder) -> tuple[State, frozenset[int]]:
    """Return the last state of which both tables can be read, and the periods that only a later one had."""
    known: set[int] = set()
    for version in reversed(delta.logged(folder.periods)):
        with contextlib.suppress(ArchiveError):
            state = load(folder, version)
            known.update(state.ids)
            _ = state.files
            return state, frozenset(known - set(state.ids))
    return load(folder, 0), frozenset(known)


def _move_checkpoints(table: Path, aside: Path) -> None:
    log = table / delta.LOG
    moved = [path for path in log.glob("*") if "checkpoint" in path.name]
    for path in moved:
        _move(path, aside)
    if moved and not _opens(table):
        for path in moved:
            _move(aside / path.name, log)
        os.removedirs(aside)


def _opens(table: Path, version: int | None = None) -> bool:
    return delta.opens(table, ALWAYS_IN_PERIODS if table.name == "periods" else ALWAYS_IN_ACTIONS, version)


def _last_version(table: Path) -> int | None:
    return next((version for version in reversed(delta.logged(table)) if _opens(table, version)), None)


def _version_of(path: Path) -> float:
    """Return the version that an entry or checkpoint of a log is of; endless of what only points to one."""
    number = path.name.partition(".")[0]
    return int(number) if number.isdecimal() else math.inf


def _upto(version: int | None) -> range:
    return range(0 if version is None else version + 1)


def _move(path: Path, target: Path) -> None:
    target.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.move(path, target / path.name)
