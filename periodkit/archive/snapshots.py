"""Names for states of the archive, and the hash of what they hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from periodkit.archive.storage import Folder, State, read_json, whole_number
from periodkit.errors import ArchiveError
from periodkit.frames import total_of

__all__ = ["Snapshot", "discard", "find", "forget", "keep", "listing", "path_of", "stored"]

_SHORTEST = 6
_LONGEST = 240
"""A file's name may have 255 bytes."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state of an archive.

    Parameters
    ----------
    name : str or None
        What the user calls it; a state without a name may be pruned.
    hash : str
        SHA-256 over the content of all periods.
    periods : mapping of int to str
        SHA-256 of each period.
    periods_version, actions_version : int or None
        Versions of the two Delta tables; None of an empty archive.
    taken_at : datetime
        When it was taken, in UTC.
    """

    name: str | None
    hash: str
    periods: Mapping[int, str] = field(repr=False)
    periods_version: int | None
    actions_version: int | None
    taken_at: datetime


def keep(folder: Folder, state: State, name: str | None) -> Snapshot:
    """Store the state as a snapshot; one of the same name and state is returned as it is."""
    long = name is not None and (len(name) > 100 or len(quote(name, safe="")) > _LONGEST)
    if name is not None and (not name.strip() or not name.isprintable() or long):
        msg = f"A snapshot cannot be called {name!r}. Give it a name of 1 to 100 printable characters."
        raise ArchiveError(msg)
    total = total_of(state.hashes)
    for other in stored(folder):
        if other.name == name and (name is not None or other.hash == total):
            if other.hash == total:
                return other
            msg = (
                f"There is a snapshot {name!r} of another state, taken at {other.taken_at:%Y-%m-%d %H:%M} UTC. Choose "
                "another name, or give that one up: archive.forget(name)."
            )
            raise ArchiveError(msg)
    snapshot = Snapshot(
        name,
        total,
        dict(sorted(state.hashes.items())),
        state.periods_version,
        state.actions_version,
        datetime.now(UTC).replace(microsecond=0),
    )
    content = {
        "name": name,
        "hash": total,
        "taken_at": snapshot.taken_at.isoformat(),
        "periods_version": state.periods_version,
        "actions_version": state.actions_version,
        "periods": {str(period_id): digest for period_id, digest in snapshot.periods.items()},
    }
    folder.write_json(path_of(folder, snapshot), content)
    return snapshot


def stored(folder: Folder) -> list[Snapshot]:
    """Return all snapshots, oldest first."""
    found = [_read(path) for path in folder.snapshots.glob("*.json")]
    return sorted(found, key=lambda snapshot: (snapshot.taken_at, snapshot.periods_version or 0, snapshot.name or ""))


def find(folder: Folder, wanted: Snapshot | str) -> Snapshot:
    """Return the snapshot of that name, hash or beginning of a hash."""
    if isinstance(wanted, Snapshot):
        return wanted
    known = stored(folder)
    named = [snapshot for snapshot in known if snapshot.name == wanted]
    if named:
        return named[0]
    matching = [snapshot for snapshot in known if len(wanted) >= _SHORTEST and snapshot.hash.startswith(wanted.lower())]
    if len({snapshot.hash for snapshot in matching}) == 1:
        # Of several of one hash, one with a name has its files for sure.
        return max(matching, key=lambda snapshot: (snapshot.name is not None, snapshot.periods_version or 0))
    problem = "begins the hash of several snapshots" if matching else "is not the name or hash of a snapshot"
    msg = f"{wanted!r} {problem} of {folder.path}. archive.snapshots(), or periodkit status, lists them."
    raise ArchiveError(msg)


def forget(folder: Folder, name: str) -> None:
    """Delete the snapshot of that name."""
    found = next((snapshot for snapshot in stored(folder) if snapshot.name == name), None)
    if found is None:
        msg = f"There is no snapshot called {name!r} in {folder.path}. archive.snapshots(), or periodkit status, lists them."
        raise ArchiveError(msg)
    discard(folder, found)


def discard(folder: Folder, snapshot: Snapshot) -> None:
    """Delete a snapshot."""
    path_of(folder, snapshot).unlink(missing_ok=True)


def listing(folder: Folder) -> pd.DataFrame:
    """Return one row per snapshot."""
    rows = [
        (
            snapshot.name,
            snapshot.hash,
            snapshot.taken_at,
            len(snapshot.periods),
            snapshot.periods_version,
            snapshot.actions_version,
        )
        for snapshot in stored(folder)
    ]
    frame = pd.DataFrame(rows, columns=["name", "hash", "taken_at", "periods", "periods_version", "actions_version"])
    whole = dict.fromkeys(("periods", "periods_version", "actions_version"), "Int64")
    return frame.astype({"name": "str", "hash": "str", "taken_at": "datetime64[us, UTC]", **whole})


def path_of(folder: Folder, snapshot: Snapshot) -> Path:
    """Return the file of a snapshot."""
    # A name in quotes cannot be mistaken for a hash, nor leave the folder.
    return folder.snapshots / (f"={quote(snapshot.name, safe='')}.json" if snapshot.name else f"{snapshot.hash}.json")


def _read(path: Path) -> Snapshot:
    try:
        said = read_json(path)
        name, hash_, periods = said["name"], said["hash"], said["periods"]
        versions = [said["periods_version"], said["actions_version"]]
        taken_at = datetime.fromisoformat(said["taken_at"])
        if not (isinstance(name, str | None) and isinstance(hash_, str) and isinstance(periods, dict)) or not (
            taken_at.tzinfo and all(isinstance(digest, str) for digest in periods.values())
        ):
            raise ValueError("it does not hold what a snapshot does")
        of_periods, of_actions = (None if version is None else whole_number(version) for version in versions)
        hashes = {int(period_id): digest for period_id, digest in periods.items()}
        return Snapshot(name, hash_, hashes, of_periods, of_actions, taken_at.astimezone(UTC))
    except (OSError, ValueError, TypeError, KeyError, OverflowError) as error:
        msg = f"The snapshot {path} cannot be read ({error}). Put it back from a copy, or delete the file."
        raise ArchiveError(msg) from None
