"""Compact small files and delete unused ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from periodkit.archive import snapshots
from periodkit.archive.storage import Folder, delta, load
from periodkit.archive.writer import Writer
from periodkit.errors import ArchiveError

__all__ = ["PruneResult", "prune"]


@dataclass(frozen=True, slots=True)
class PruneResult:
    """What a prune deleted.

    Parameters
    ----------
    files : int
        Files deleted.
    bytes : int
        By how much the archive has shrunk; less than nothing where compacting wrote more than was deleted.
    """

    files: int
    bytes: int


def prune(folder: Folder, keep: pd.Timedelta, wait: float) -> PruneResult:
    """Compact, then vacuum; `periodkit.Archive.prune` says what stays."""
    folder.require()
    with folder.locked(wait):
        before = folder.sizes()
        writer = Writer(folder)
        writer.compact(always=True)
        hours = math.ceil(keep / pd.Timedelta("1h"))
        named = [
            snapshot
            for snapshot in snapshots.stored(folder)
            if snapshot.name is not None and snapshot.periods_version is not None
        ]
        state = writer.state
        for path, versions in (
            (folder.periods, [state.periods_version, *(snapshot.periods_version for snapshot in named)]),
            (folder.actions, [state.actions_version, *(snapshot.actions_version for snapshot in named)]),
        ):
            kept = [version for version in versions if version is not None]
            delta.vacuum(delta.open_table(path), hours, kept or [0])
            _remove_unfinished(path)
        for snapshot in snapshots.stored(folder):
            if snapshot.name is None and not _is_readable(folder, snapshot):
                snapshots.discard(folder, snapshot)
        after = folder.sizes()
        return PruneResult(len(set(before) - set(after)), sum(before.values()) - sum(after.values()))


def _remove_unfinished(table: Path) -> None:
    """Delete what a writer that died left half written; the lock is held, so nobody is writing it."""
    for path in list(table.rglob("*")):
        if path.is_file() and _is_unfinished(path.name):
            path.unlink()


def _is_unfinished(name: str) -> bool:
    # So the writing library calls a file until it is whole.
    return "#" in name or (name.startswith("_commit_") and name.endswith(".tmp"))


def _is_readable(folder: Folder, snapshot: snapshots.Snapshot) -> bool:
    try:
        return all(file.damage() is None for file in load(folder, snapshot.periods_version).files)
    except ArchiveError:
        return False
