"""Commands that write reports."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from periodkit.cli._app import Switch, app, say
from periodkit.errors import ArgumentError
from periodkit.settings import ARCHIVE_VARIABLE, DEFAULT_ARCHIVE


@app.command
def report(
    *,
    period: Annotated[list[str] | None, Switch] = None,
    source: Annotated[Literal["archive", "api"] | None, Parameter(name="--from")] = None,
    archive: Path | None = None,
    snapshot: str | None = None,
    where: Annotated[list[str] | None, Switch] = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path("report.html"),
    pdf: Annotated[bool, Switch] = False,
    season: Annotated[bool, Switch] = False,
    start: str | None = None,
    end: str | None = None,
    compare: int = 24,
    target: str = "20min",
    tz: str | None = None,
    names: Annotated[bool, Switch] = False,
) -> None:
    """Write an after-action report: one self-contained HTML file that loads nothing from the network.

    By default it is about the latest period that has ended. Without an account in the environment, and without an
    archive, it reports on the sandbox's season. The same data give the same bytes; periodkit verify checks the data.

    Parameters
    ----------
    period
        Id or name of a period to report on; repeat for several. By default the latest that has ended, with --season all.
    source
        Where the data come from. By default the archive if --archive or --snapshot is given, else the API.
    archive
        Folder of the archive; by default that of ALO_ARCHIVE, else periodkit-archive.
    snapshot
        A snapshot of the archive, by name or hash. By default its present state.
    where
        Report on a part of the actions alone, such as channel=Medical. Repeat it for another value of the column, or for
        another column, which must hold too. channel= takes the actions without a channel.
    output
        The file to write.
    pdf
        Print it to PDF too, beside the file. Needs Chromium.
    season
        Report on many periods, with one row each.
    start
        Take only periods that start then or later, such as 2025-05-01.
    end
        Take only periods that start before then.
    compare
        The number of earlier periods to compare with; 0 for none.
    target
        The promised cycle time, such as 15min.
    tz
        The venue's time zone, such as Europe/London. By default UTC.
    names
        Name people, in a file that only you can read. By default no person is named.
    """
    from periodkit.reporting import report as write  # noqa: PLC0415

    part = _part(where or [])
    if archive is None and source != "api" and (source == "archive" or snapshot is not None):
        archive = Path(os.environ.get(ARCHIVE_VARIABLE) or DEFAULT_ARCHIVE)
    path = write(
        period,
        output,
        source=source,
        archive=archive,
        snapshot=snapshot,
        where=part,
        season=season,
        start=start,
        end=end,
        compare=compare,
        target=target,
        tz=tz,
        names=names,
        pdf=pdf,
    )
    say(f"Wrote {path}" + (f" and {path.with_suffix('.pdf')}" if pdf else ""))


def _part(where: list[str]) -> dict[str, list[str | None]] | None:
    part: dict[str, list[str | None]] = {}
    for word in where:
        column, mark, value = word.partition("=")
        if not mark or not column:
            msg = f"--where is {word!r}; it takes a column and a value, such as channel=Medical."
            raise ArgumentError(msg)
        part.setdefault(column, []).append(value or None)
    return part or None
