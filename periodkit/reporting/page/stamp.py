"""A report's record of its data: written into the page, read from it and checked against an archive."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from periodkit.errors import ArchiveError, ConfigError
from periodkit.frames import fingerprint, total_of
from periodkit.reporting.material import ReportData, Source
from periodkit.reporting.part import Part

if TYPE_CHECKING:
    from periodkit.archive import Archive

__all__ = ["MIME", "Check", "Stamp", "check_report", "read_stamp", "stamp_of", "stamp_tags"]

MIME = "application/vnd.periodkit.report+json"
"""The MIME type of the stamp, in a notebook's output."""

_PREFIX = "periodkit:"
_LARGEST = 50_000_000
_HASH = re.compile(r"[0-9a-f]{64}")
_SNAPSHOT = re.compile(r"[^\x00-\x1f\x7f]{1,200}")


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a report says it was made from. Untrusted input: the page's author controls it.

    Parameters
    ----------
    hash : str
        SHA-256 of the periods of the report together.
    periods : mapping of int to str
        SHA-256 of each period of the report.
    compared : mapping of int to str
        SHA-256 of each period that they were compared with.
    snapshot : str or None
        The archive's snapshot that the report names.
    as_of : str
        When the data were last fetched, ISO 8601.
    values : mapping of int to str
        SHA-256 of each of all these periods without the moments of fetching; empty in a report of an older version.
    part : Part or None
        The part of the actions that it is about, and that its hashes are of; None for all of them.
    """

    hash: str
    periods: Mapping[int, str]
    compared: Mapping[int, str]
    snapshot: str | None
    as_of: str
    values: Mapping[int, str]
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """Result of checking a report against an archive.

    Parameters
    ----------
    stamp : Stamp
        What the report says.
    at_snapshot : bool
        Whether it was checked against the snapshot that it names, rather than the present state.
    differs, missing : tuple of int
        Periods of the report whose records differ, or are not in the archive.
    compared_differs : tuple of int
        Periods that it compares with whose records differ or are missing.
    refetched : tuple of int
        Periods of either kind with the same values, fetched at another moment. They are not among `differs`.
    """

    stamp: Stamp
    at_snapshot: bool
    differs: tuple[int, ...]
    missing: tuple[int, ...]
    compared_differs: tuple[int, ...]
    refetched: tuple[int, ...] = ()

    @property
    def same_values(self) -> bool:
        """Whether all records of the report have the same values, whenever they were fetched."""
        return not (self.differs or self.missing or self.compared_differs)

    @property
    def same(self) -> bool:
        """Whether all records of the report are the very ones that it was made from."""
        return self.same_values and not self.refetched


def stamp_of(material: ReportData, title: str) -> dict[str, Any]:
    """Return the stamp for a notebook's output: title, moment and hashes."""
    whole, earlier = material.fingerprint, material.earlier_fingerprint
    both = ((material.periods, material.actions), (material.earlier_periods, material.earlier))
    values = [fingerprint(periods, actions, fetched_at=False).periods for periods, actions in both]
    return {
        "title": title,
        "as_of": material.as_of.isoformat(),
        "hash": whole.total,
        "periods": {str(key): value for key, value in whole.periods.items()},
        "compared": {str(key): value for key, value in earlier.periods.items()},
        "values": {str(key): value for hashes in values for key, value in hashes.items()},
        "where": {}
        if material.part is None
        else {name: list(values) for name, values in material.part.choices.items()},
    }


def stamp_tags(stamp: Mapping[str, Any], snapshot: str | None) -> dict[str, str]:
    """Return the names and contents of the page's meta tags."""
    compact = {"separators": (",", ":")}
    tags = {
        "hash": stamp["hash"],
        "as-of": stamp["as_of"],
        "periods": json.dumps(stamp["periods"], **compact),  # type: ignore[arg-type]
        "compared": json.dumps(stamp["compared"], **compact),  # type: ignore[arg-type]
        "values": json.dumps(stamp["values"], **compact),  # type: ignore[arg-type]
    }
    if stamp["where"]:
        tags["where"] = json.dumps(stamp["where"], **compact)  # type: ignore[arg-type]
    if snapshot:
        tags["snapshot"] = snapshot
    return {_PREFIX + name: content for name, content in tags.items()}


def read_stamp(path: str | Path) -> Stamp:
    """Read a report's stamp. The file is untrusted: nothing in it is run.

    Parameters
    ----------
    path : path
        The HTML file.

    Raises
    ------
    ConfigError
        There is no such file, or periodkit did not write it.
    """
    file = Path(path)
    try:
        if file.stat().st_size > _LARGEST:
            msg = f"{str(file)!r} is too large for a report: {file.stat().st_size:,} bytes."
            raise ConfigError(msg)
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        msg = f"Cannot read {str(file)!r}: {error.strerror or error}. Pass the HTML file that `periodkit report` wrote."
        raise ConfigError(msg) from None
    tags = _Head(text).tags
    try:
        stamp = Stamp(
            hash=_matched(_HASH, tags["hash"]),
            periods=_hashes(tags["periods"]),
            compared=_hashes(tags.get("compared", "{}")),
            snapshot=_matched(_SNAPSHOT, tags["snapshot"]) if "snapshot" in tags else None,
            as_of=_matched(_SNAPSHOT, tags["as-of"]),
            values=_hashes(tags.get("values", "{}")),
            part=_part(tags["where"]) if "where" in tags else None,
        )
    except (KeyError, ValueError, RecursionError):
        msg = f"{str(file)!r} has no stamp. Pass a file that `periodkit report` wrote, unchanged."
        raise ConfigError(msg) from None
    if total_of(stamp.periods) != stamp.hash:
        msg = f"{str(file)!r} has been changed: its hash is not that of the periods it names. Make the report again."
        raise ConfigError(msg)
    return stamp


def check_report(path: str | Path, archive: Archive) -> Check:
    """Check whether an archive's records are still those that a report was made from.

    The archive is read at the snapshot that the report names if that still exists, else in its present state.

    Parameters
    ----------
    path : path
        The HTML file.
    archive : Archive
        The archive that holds the records.

    Returns
    -------
    Check
        Which periods differ or are missing. This checks the records only; to check the page, make it again.

    Raises
    ------
    ConfigError
        The file is not a report of periodkit.
    ArchiveError
        The archive cannot be read.
    SchemaError
        The archive lacks a column that the report's part is of.
    """
    stamp = read_stamp(path)
    view: Source = archive
    if stamp.snapshot is not None:
        with contextlib.suppress(ArchiveError):
            view = archive.at(stamp.snapshot)
    wanted = {**stamp.compared, **stamp.periods}
    known = view.periods()
    there = known[known["period_id"].isin(list(wanted))]
    actions = view.actions(there)
    if stamp.part is not None:
        actions = stamp.part.of(actions)
    now = fingerprint(there, actions).periods
    other = [key for key, value in wanted.items() if key in now and now[key] != value]
    values: Mapping[int, str] = {}
    if stamp.values and other:
        values = fingerprint(there, actions, fetched_at=False).periods
    refetched = {key for key in other if key in values and values[key] == stamp.values.get(key)}
    changed = set(other) - refetched
    return Check(
        stamp,
        at_snapshot=view is not archive,
        differs=tuple(key for key in stamp.periods if key in changed),
        missing=tuple(key for key in stamp.periods if key not in now),
        compared_differs=tuple(key for key in stamp.compared if key in changed or key not in now),
        refetched=tuple(sorted(refetched)),
    )


class _Head(HTMLParser):
    """Collects periodkit's meta tags from the head of a page, the first of each name."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: dict[str, str] = {}
        self._over = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._over = self._over or tag == "body"
        given = dict(attrs)
        name = given.get("name") or ""
        if tag == "meta" and not self._over and name.startswith(_PREFIX):
            self.tags.setdefault(name.removeprefix(_PREFIX), given.get("content") or "")


def _matched(pattern: re.Pattern[str], value: str) -> str:
    if not pattern.fullmatch(value):
        raise ValueError(value)
    return value


def _part(text: str) -> Part:
    found = json.loads(text)
    if not isinstance(found, dict) or not found:
        raise ValueError(text)
    for values in found.values():
        if not isinstance(values, list) or not values or not all(isinstance(value, str | None) for value in values):
            raise ValueError(text)
    return Part({column: tuple(values) for column, values in found.items()})


def _hashes(text: str) -> dict[int, str]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError(text)
    return {int(key): _matched(_HASH, str(value)) for key, value in found.items()}
