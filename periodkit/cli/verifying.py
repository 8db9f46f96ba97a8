"""The command that checks evidence: an archive, or what a report was made from."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from periodkit.cli._app import app
from periodkit.cli.archiving import existing
from periodkit.errors import ArchiveError

if TYPE_CHECKING:
    from periodkit.archive import Archive


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
    from periodkit.archive._folder import repair_command  # noqa: PLC0415

    kept = existing(archive)
    if report is not None:
        print(_check(report, kept))
        return
    found = kept.verify(snapshot)
    if found.empty:
        view = kept if snapshot is None else kept.at(snapshot)
        print(f"Intact: {len(view.hashes())} period(s), hash {view.recorded_hash()}")
        return
    for row in found.itertuples():
        print(f"period {row.period_id}: {row.problem}")
    command = repair_command(kept.path, found["period_id"].head(10).tolist())
    print(f"{len(found)} period(s) differ. To fetch them again: {command}")
    raise SystemExit(1)


def _check(report: Path, archive: Archive) -> str:
    from periodkit.reporting.stamp import check_report  # noqa: PLC0415

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
