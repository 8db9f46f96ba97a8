"""Commands that keep a local archive."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import pandas as pd
from cyclopts import Parameter

from periodkit.cli._app import app
from periodkit.errors import ArchiveError, ConfigError
from periodkit.sources import connect
from periodkit.wording import count

if TYPE_CHECKING:
    from periodkit.archive import Archive

ARCHIVE_VARIABLE = "ALO_ARCHIVE"
KEY_VARIABLE = "ALO_PSEUDONYM_KEY"
_DEFAULT = "periodkit-archive"

Several = Parameter(negative=())


@app.command
def sync(
    *,
    archive: Path | None = None,
    start: str | None = None,
    end: str | None = None,
    form_field: Annotated[list[str] | None, Several] = None,
    refresh: Annotated[bool, Parameter(negative=())] = False,
    period: Annotated[list[int] | None, Several] = None,
    key_file: Path | None = None,
) -> None:
    """Fetch the periods that are new or may have changed into the archive; run it again to go on where it stopped.

    Without an account in the environment it fetches the sandbox's season. To keep pseudonyms in place of people's names,
    set ALO_PSEUDONYM_KEY to a long secret, or name a file that holds it.

    Parameters
    ----------
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    start
        Only the periods from this moment on: 2024-07-01 (midnight UTC) or 2024-07-01T19:00:00Z.
    end
        Only the periods up to this moment.
    form_field
        A form field to fetch besides; repeat for several.
    refresh
        Fetch all periods again, and repair damaged tables.
    period
        Id of a period to fetch again in any case; repeat for several.
    key_file
        A file that holds the key for pseudonyms.
    """
    kept = _archive(archive, key=_key(key_file))
    with connect() as client:
        result = kept.sync(client, start, end, form_field, refresh=refresh or period or False)
    print(f"{result!r}\nArchive: {kept.path}")
    if result.failed:
        raise SystemExit(1)


@app.command
def status(*, archive: Path | None = None) -> None:
    """Say what the archive holds, how fresh it is, how many actions were open, and its hash.

    Parameters
    ----------
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    """
    kept = existing(archive)
    for name, value in kept.status().items():
        print(f"{name:<12}{value}")


@app.command
def export(
    output: Path,
    *,
    archive: Path | None = None,
    table: Literal["actions", "periods"] = "actions",
    period: Annotated[list[int] | None, Several] = None,
    snapshot: str | None = None,
) -> None:
    """Write archived actions or periods to a file for other programs.

    Times are UTC, as ISO 8601 text in CSV and Excel. A text that a spreadsheet would run as a formula gets an apostrophe
    before it.

    Parameters
    ----------
    output
        The file; its ending says which format: .csv, .parquet or .xlsx.
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    table
        What to write.
    period
        Id of a period to write; repeat for several. By default all.
    snapshot
        Name or hash of a snapshot to write; by default the present state.
    """
    from periodkit.frames import export as write  # noqa: PLC0415

    kept = existing(archive)
    view = kept if snapshot is None else kept.at(snapshot)
    frame = view.actions(period) if table == "actions" else _chosen(view.periods(), period)
    write(frame, output)
    print(f"Wrote {count(len(frame), table[:-1])} to {output}")


@app.command
def prune(*, archive: Path | None = None, keep: str = "30D") -> None:
    """Bring small files together, and delete superseded ones; named snapshots keep theirs.

    Parameters
    ----------
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    keep
        Files that were in use within this time stay, such as 30D or 12h.
    """
    done = existing(archive).prune(keep)
    print(f"Deleted {done.files} file(s); the archive is {done.bytes:,} bytes smaller.")


def _archive(path: Path | None, key: str | None = None) -> Archive:
    from periodkit.archive import Archive  # noqa: PLC0415

    return Archive(path or os.environ.get(ARCHIVE_VARIABLE) or _DEFAULT, pseudonymize=key)


def existing(path: Path | None) -> Archive:
    """Return the archive at that path, by default the usual one, or say how to make it."""
    archive = _archive(path)
    if not archive.exists():
        msg = f"There is no archive at {archive.path}. Make it with: periodkit sync --archive {archive.path}"
        raise ArchiveError(msg)
    return archive


def _key(file: Path | None) -> str | None:
    """Read the key from a file or the environment: a command line could be read by others on the machine."""
    if file is None:
        return os.environ.get(KEY_VARIABLE) or None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        msg = (
            f"The key file {file} cannot be read ({error.__class__.__name__}). Name a file that holds the key as text."
        )
        raise ConfigError(msg) from None


def _chosen(periods: pd.DataFrame, ids: list[int] | None) -> pd.DataFrame:
    return periods if ids is None else periods[periods["period_id"].isin(ids)]
