"""Commands that name a state of an archive, and show what has changed since."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from periodkit.cli._app import Switch, app, say
from periodkit.errors import ArchiveError

if TYPE_CHECKING:
    from periodkit.archive import Archive
    from periodkit.reporting import Check, PageCheck

_SHOWN = 40
_MOST = 5
_CUT = 120
_NOT_CHECKED = 3


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

    from periodkit.frames import encodable, utc_text  # noqa: PLC0415

    if isinstance(value, list | dict):
        return encodable(json.dumps(value, ensure_ascii=False))
    if value is None or value is pd.NaT or value is pd.NA or value != value:  # noqa: PLR0124  (NaN)
        return None
    return utc_text(value) if isinstance(value, pd.Timestamp) else encodable(str(value))


@app.command
def verify(
    report: Path | None = None,
    *,
    archive: Path | None = None,
    snapshot: str | None = None,
    records_only: Annotated[bool, Switch] = False,
) -> None:
    """Check that an archive holds what was written, or that a report states what its data give.

    Of a report, two things are checked: that the archive holds the records that it was made from, and, by computing the
    page again from them, that every key figure, finding and table on it is what they give. The exit code is 1 where
    anything differs, and 3 where the records are the same but the page's numbers could not be checked.

    Parameters
    ----------
    report
        An HTML file that periodkit report wrote. It is checked against the snapshot that it names if the archive still
        has it, else against the present state.
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    snapshot
        Check the archive as of this snapshot, by name or hash.
    records_only
        Check a report's records alone, which is quicker.
    """
    from periodkit.archive import repair_command  # noqa: PLC0415
    from periodkit.sources import open_archive  # noqa: PLC0415
    from periodkit.wording import count  # noqa: PLC0415

    kept = open_archive(archive)
    if report is not None:
        _verify_report(report, kept, records_only=records_only)
        return
    found = kept.verify(snapshot)
    if found.empty:
        view = kept if snapshot is None else kept.at(snapshot)
        say(f"Intact: {count(len(view.hashes()), 'period')}, hash {view.recorded_hash()}")
        return
    for row in found.itertuples():
        say(f"period {row.period_id}: {row.problem}")
    command = repair_command(kept.path, found["period_id"].head(10).tolist())
    say(f"{count(len(found), 'period')} with differences. To fetch them again: {command}")
    raise SystemExit(1)


def _verify_report(report: Path, archive: Archive, *, records_only: bool) -> None:
    from periodkit.reporting import check_page, check_report  # noqa: PLC0415

    check = check_report(report, archive)
    where = f"the snapshot {check.stamp.snapshot!r}" if check.at_snapshot else "the archive's present state"
    if not check.same_values:
        raise ArchiveError(_record_differences(check, where))
    compared = len(check.stamp.compared)
    what = _ids(check.stamp.periods) + (f", and with the {compared} it compares them with" if compared else "")
    if not check.same:
        say(
            f"Same values, fetched at another moment: {where} has all values that the report was made from: {what}. "
            f"Fetched again since: {_ids(check.refetched)}.",
            "Not checked: the page's numbers, which depend on the moment of fetching. A report that was made from a "
            "snapshot can be checked in full. With --records-only, the records alone are checked.",
        )
        if not records_only:
            raise SystemExit(_NOT_CHECKED)
        return
    say(f"Same: {where} holds what the report was made from ({check.stamp.hash[:12]}…): {what}.")
    if records_only:
        return
    page = check_page(report, archive.path, check.stamp.snapshot if check.at_snapshot else None)
    if page is None:
        say("Not checked: the page's numbers. It does not say which command made it.")
        raise SystemExit(_NOT_CHECKED)
    if page.differences or (page.made_with == page.made_with_now and not page.identical):
        raise ArchiveError(_page_differences(page))
    say(f"The page states what these records give: {page.lines:,} lines were computed again and are the same.")
    if not page.identical:
        say(f"Not compared: its pictures. It was made with {page.made_with}; this is {page.made_with_now}.")


def _record_differences(check: Check, where: str) -> str:
    parts = [
        f"{words} {_ids(ids)}"
        for words, ids in (
            ("other records in", check.differs),
            ("no", check.missing),
            ("other or no records of the periods compared with:", check.compared_differs),
        )
        if ids
    ]
    message = f"Differs: {where} has {'; '.join(parts)}."
    if check.stamp.snapshot is not None and not check.at_snapshot:
        return f"{message} The snapshot {check.stamp.snapshot!r} that the report names is not there any more."
    if check.stamp.snapshot is None:
        return f"{message} Periods change until they are settled; a report made with --snapshot can always be checked."
    return message


def _page_differences(page: PageCheck) -> str:
    if not page.differences:
        return "Differs: the page's text is what its records give, but its pictures or its markup are not."
    shown = [
        f"{difference.section}: "
        + (f"the page says {difference.stated[:_CUT]!r}" if difference.stated else "the page leaves something out")
        + (
            f", the records give {difference.computed[:_CUT]!r}"
            if difference.computed
            else ", the records do not give it"
        )
        for difference in page.differences[:_MOST]
    ]
    more = len(page.differences) - len(shown)
    message = f"Differs: the records are the same, but they do not give this page. {'; '.join(shown)}."
    if more:
        message += f" And {more} more."
    if page.made_with != page.made_with_now:
        message += f" It was made with {page.made_with}; this is {page.made_with_now}, whose wording may differ."
    return message


def _ids(ids: Iterable[int]) -> str:
    known = sorted(ids)
    return f"period{'' if len(known) == 1 else 's'} {', '.join(map(str, known))}"
