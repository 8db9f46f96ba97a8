"""Bring small files together, and delete what nobody needs any more."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from periodkit.archive import _delta, snapshots
from periodkit.archive._folder import Folder
from periodkit.archive._state import load
from periodkit.archive._writer import Writer
from periodkit.errors import ArchiveError

__all__ = ["PruneResult", "prune"]


@dataclass(frozen=True, slots=True)
class PruneResult:
    """What a prune deleted.

    Parameters
    ----------
    files : int
        Data files deleted.
    bytes : int
        By how much the archive has shrunk; less than nothing where compacting wrote more than was deleted.
    """

    files: int
    bytes: int


def prune(folder: Folder, keep: pd.Timedelta, wait: float) -> PruneResult:
    """Compact, then vacuum; `periodkit.Archive.prune` says what stays."""
    with folder.locked(wait):
        if not folder.check():
            return PruneResult(0, 0)
        size = folder.size()
        writer = Writer(folder)
        writer.compact(always=True)
        hours = math.ceil(keep / pd.Timedelta("1h"))
        named = [
            each for each in snapshots.stored(folder) if each.name is not None and each.periods_version is not None
        ]
        state = writer.state
        deleted: list[str] = []
        for path, versions in (
            (folder.periods, [state.periods_version, *(each.periods_version for each in named)]),
            (folder.actions, [state.actions_version, *(each.actions_version for each in named)]),
        ):
            kept = [version for version in versions if version is not None]
            deleted += _delta.vacuum(_delta.open_table(path), hours, kept or [0])
            deleted += _remove_unfinished(folder, path.name)
        for each in snapshots.stored(folder):
            if each.name is None and not _is_readable(folder, each):
                snapshots.discard(folder, each)
        return PruneResult(len(deleted), size - folder.size())


def _remove_unfinished(folder: Folder, table: str) -> list[str]:
    """Delete what a writer that died left half written; the lock is held, so nobody is writing it."""
    found = [path for path in (folder.path / table).rglob("*") if path.is_file() and _is_unfinished(path.name)]
    for path in found:
        path.unlink()
    return [path.name for path in found]


def _is_unfinished(name: str) -> bool:
    # So the writing library calls a file until it is whole.
    return "#" in name or (name.startswith("_commit_") and name.endswith(".tmp"))


def _is_readable(folder: Folder, snapshot: snapshots.Snapshot) -> bool:
    try:
        return all(file.damage() is None for file in load(folder, snapshot.periods_version).files)
    except ArchiveError:
        return False
