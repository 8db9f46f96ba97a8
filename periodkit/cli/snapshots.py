"""Commands that name a state of an archive, and show what has changed since."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from periodkit.cli._app import app, say
from periodkit.errors import ArchiveError

if TYPE_CHECKING:
    from periodkit.archive import Archive

_SHOWN = 40


@app.command
def snapshot(name: str | None = None, *, archive: Path | None = None) -> None:
    """Name what the archive holds now, so that it can be read, verified and compared later.

    Parameters
    ----------
    name
        What to call it. While it has a name, prune leaves its files alone.
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    """
    from periodkit.sources import open_archive  # noqa: PLC0415
    from periodkit.wording import count  # noqa: PLC0415

    taken = open_archive(archive).snapshot(name)
    title = "Snapshot" if taken.name is None else f"Snapshot {taken.name!r}"
    say(f"{title}: {count(len(taken.periods), 'period')}, hash {taken.hash}")


@app.command
def changes(
    since: str,
    *,
    until: str | None = None,
    table: Literal["actions", "periods"] = "actions",
    output: Annotated[Path | None, Parameter(alias="-o")] = None,
    archive: Path | None = None,
) -> None:
    """Show what has changed since a snapshot: late closings, re-routes, reopenings.

    Parameters
    ----------
    since
        The earlier state: a snapshot's name or hash.
    until
        The later one; by default what the archive holds now.
    table
        Whose fields.
    output
        Write all of it to this file: .csv, .parquet or .xlsx.
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    """
    from periodkit.cli._tables import as_lines  # noqa: PLC0415
    from periodkit.frames import export as write  # noqa: PLC0415
    from periodkit.sources import open_archive  # noqa: PLC0415
    from periodkit.wording import count  # noqa: PLC0415

    found = open_archive(archive).changes(since, until, of=table)
    # The values are of any field, so of any kind.
    found = found.assign(**{side: found[side].map(_as_text).astype("str") for side in ("before", "after")})
    if output is not None:
        write(found, output)
        say(f"Wrote {count(len(found), 'change')} to {output}")
        return
    if found.empty:
        say("Nothing has changed.")
        return
    say(", ".join(f"{n:,} {kind}" for kind, n in found["change"].value_counts().items()))
    say(as_lines(found.head(_SHOWN).drop(columns=["fetched_before", "fetched_after"])))
    if len(found) > _SHOWN:
        say(f"and {len(found) - _SHOWN:,} more; --output changes.csv writes them all.")


def _as_text(value: object) -> str | None:
    import pandas as pd  # noqa: PLC0415

    from periodkit.frames import utc_text  # noqa: PLC0415

    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if value is None or value is pd.NaT or value is pd.NA or value != value:  # noqa: PLR0124  (NaN)
        return None
    return utc_text(value) if isinstance(value, pd.Timestamp) else str(value)


@app.command
def verify(report: Path | None = None, *, archive: Path | None = None, snapshot: str | None = None) -> None:
    """Check that an archive holds what was written, or that a report was made from what it holds.

    Of a report, the records alone are checked: run the command in its footer to see that they give this page. Exit code
    1 where anything differs.

    Parameters
    ----------
    report
        An HTML file that periodkit report wrote. It is held against the snapshot that it names, while the archive has
        it, else against the present state.
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    snapshot
        Check the archive as of this snapshot, by name or hash.
    """
    from periodkit.archive import repair_command  # noqa: PLC0415
    from periodkit.sources import open_archive  # noqa: PLC0415

    kept = open_archive(archive)
    if report is not None:
        say(_check(report, kept))
        return
    found = kept.verify(snapshot)
    if found.empty:
        view = kept if snapshot is None else kept.at(snapshot)
        say(f"Intact: {len(view.hashes())} period(s), hash {view.recorded_hash()}")
        return
    for row in found.itertuples():
        say(f"period {row.period_id}: {row.problem}")
    command = repair_command(kept.path, found["period_id"].head(10).tolist())
    say(f"{len(found)} period(s) differ. To fetch them again: {command}")
    raise SystemExit(1)


def _check(report: Path, archive: Archive) -> str:
    from periodkit.reporting import check_report  # noqa: PLC0415

    found = check_report(report, archive)
    stamp = found.stamp
    where = f"the snapshot {stamp.snapshot!r}" if found.at_snapshot else "the archive's present state"
    if found.same:
        k = len(stamp.compared)
        against = f", and with the {k} it compares them with" if k else ""
        return (
            f"Same: {where} holds what the report was made from ({stamp.hash[:12]}…): {_ids(stamp.periods)}{against}."
        )
    parts = [
        f"{words} {_ids(ids)}"
        for words, ids in (
            ("other records in", found.differs),
            ("no", found.missing),
            ("other or no records of the periods compared with:", found.compared_differs),
        )
        if ids
    ]
    msg = f"Differs: {where} has {'; '.join(parts)}."
    if stamp.snapshot is not None and not found.at_snapshot:
        msg += f" The snapshot {stamp.snapshot!r} that the report names is not there any more."
    elif stamp.snapshot is None:
        msg += " Periods change until they are settled; a report made with --snapshot can always be checked."
    raise ArchiveError(msg)


def _ids(ids: Iterable[int]) -> str:
    known = sorted(ids)
    return f"period{'' if len(known) == 1 else 's'} {', '.join(map(str, known))}"
