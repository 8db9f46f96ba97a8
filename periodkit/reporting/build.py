"""A notebook and parameters -> one self-contained HTML file."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from periodkit.reporting.request import (
    Periods,
    check_account,
    check_times,
    checked_output,
    checked_periods,
    checked_source,
)

if TYPE_CHECKING:
    import pandas as pd

    from periodkit.client import Client
    from periodkit.reporting.material import Source

__all__ = ["report"]


def report(
    period: Periods = None,
    output: str | Path = "report.html",
    *,
    actions: pd.DataFrame | None = None,
    periods: pd.DataFrame | None = None,
    client: Client | None = None,
    source: str | None = None,
    archive: str | Path | None = None,
    snapshot: str | None = None,
    where: Mapping[str, object] | None = None,
    season: bool = False,
    start: str | date | None = None,
    end: str | date | None = None,
    compare: int = 24,
    target: str = "20min",
    tz: str | None = None,
    names: bool = False,
    pdf: bool = False,
) -> Path:
    """Write a report: one self-contained HTML file that loads nothing from the network.

    A notebook of the package is run in this process, in names of its own. The same data give the same bytes.

    Parameters
    ----------
    period : int, str or sequence of them, optional
        Ids or names of the periods to report on; by default the latest that has ended, or all of them with `season`.
    output : path
        The file to write; it appears whole or not at all.
    actions : pandas.DataFrame, optional
        Actions to report on, instead of reading them from an account or an archive.
    periods : pandas.DataFrame, optional
        The periods of `actions`, those to compare with among them. Without it, the report is on all of `actions`, does not
        know when the periods were, and compares with none.
    client : Client, optional
        An account to read from, other than that of the environment. It is left open.
    source : {"archive", "api"}, optional
        Where to read the data; by default the archive if `archive` or `snapshot` is given, else the API.
    archive : path, optional
        The folder of the archive.
    snapshot : str, optional
        A snapshot of the archive, by name or hash; by default its present state.
    where : mapping of str to value or list of values, optional
        Report on a part of the actions alone: those that have one of the values in every column named, such as
        ``{"channel": ["Medical", "Radio"], "form.gate": None}``; None means null. Earlier periods are compared by the same
        part of theirs.
    season : bool
        Whether to report on many periods, with one row each.
    start, end : date, datetime or ISO 8601 text, optional
        Take only periods that start at `start` or later, and before `end`.
    compare : int
        The number of earlier periods to compare with; 0 for none.
    target : str
        The promised time from created to closed, such as ``"15min"``.
    tz : str, optional
        The venue's zone, such as ``"Europe/London"``; by default UTC.
    names : bool
        Whether to name people; by default no person is named.
    pdf : bool
        Whether to print it to PDF too, beside `output`.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    ArgumentError
        Arguments exclude each other, or there is no such period, column or value.
    ConfigError
        There is no such place to write to, only half of an account is set, or there is no Chromium for the PDF.
    PeriodkitError
        The source cannot be read.

    Examples
    --------
    >>> import periodkit as pk
    >>> pk.report(4711, "cup-final.html", tz="Europe/London")  # doctest: +SKIP
    PosixPath('cup-final.html')
    >>> pk.report(actions=actions, periods=periods, where={"channel": "Medical"})  # doctest: +SKIP
    PosixPath('report.html')
    """
    wanted = checked_periods(period)
    frames = actions is not None or periods is not None
    chosen = checked_source(source, archive, snapshot, client=client is not None, frames=frames)
    check_times(start, end, compare, target, tz)
    path = checked_output(output)
    if chosen == "api" and client is None:
        check_account()
    browser = None
    if pdf:
        from periodkit.reporting.page import find_browser  # noqa: PLC0415

        browser = find_browser()
    options = {"compare": compare, "target": target, "tz": tz, "names": names or None}
    if season or compare == 24:
        options["compare"] = None
    parameters: dict[str, Any] = {
        "start": None if start is None else str(start),
        "end": None if end is None else str(end),
        "target": target,
        "tz": tz,
        "names": names,
        "where": where,
        "phone": True,
    }
    if not season:
        parameters["compare"] = compare
    alone = frames and periods is None
    with _source(client, actions, periods, archive, snapshot, season=season) as data:
        if wanted is not None:
            from periodkit.frames import find_periods  # noqa: PLC0415

            wanted = list(find_periods(data.periods(), wanted))
        elif alone:
            wanted = data.periods()["period_id"].tolist()
        notebook = _run(parameters | {"source": data, "period_ids": wanted}, season=season)
    from periodkit.frames import write_whole  # noqa: PLC0415
    from periodkit.reporting.page.html import periods_of, to_html, where_in  # noqa: PLC0415

    told = ""
    if not frames:
        told = _command(periods_of(notebook), chosen, snapshot, season, where_in(notebook), options)
    page = to_html(notebook, command=told, source="actions" if alone else chosen, snapshot=snapshot)
    write = partial(Path.write_text, data=page, encoding="utf-8", newline="\n")
    write_whole(path, write, private=names)
    if browser is not None:
        from periodkit.reporting.page import to_pdf  # noqa: PLC0415

        to_pdf(path, path.with_suffix(".pdf"), browser, private=names)
    return path


@contextlib.contextmanager
def _source(
    client: Client | None,
    actions: pd.DataFrame | None,
    periods: pd.DataFrame | None,
    archive: str | Path | None,
    snapshot: str | None,
    *,
    season: bool,
) -> Iterator[Source]:
    """Open where the data come from, for as long as the report is made."""
    if actions is not None or periods is not None:
        from periodkit.reporting.given import Frames  # noqa: PLC0415

        yield Frames(actions, periods, season=season)
        return
    from periodkit.reporting.material import opened  # noqa: PLC0415

    with opened(client, archive=archive, snapshot=snapshot) as source:
        yield source


def _run(parameters: Mapping[str, Any], *, season: bool) -> dict[str, Any]:
    """Run the notebook, with a progress bar in a terminal."""
    from tqdm import tqdm  # noqa: PLC0415

    from periodkit.jupyter import count_cells, report_notebook, run_cells  # noqa: PLC0415

    notebook = report_notebook(season=season)
    with tqdm(
        total=count_cells(notebook), desc="Fetching and measuring", unit="step", disable=None, leave=False
    ) as progress:
        return run_cells(notebook, parameters, on_cell=progress.update)


def _command(
    periods: Sequence[int],
    source: str,
    snapshot: str | None,
    season: bool,
    where: Mapping[str, Sequence[str | None]],
    options: Mapping[str, object],
) -> str:
    """Return the command that makes the report again; the reader fills in where the archive is."""
    words = ["periodkit", "report", *(word for key in periods for word in ("--period", str(key)))]
    words += ["--season"] if season else []
    words += ["--from", source] + (["--archive", "ARCHIVE"] if source == "archive" else [])
    words += ["--snapshot", snapshot] if snapshot else []
    for column, values in where.items():
        words += [word for value in values for word in ("--where", f"{column}={value or ''}")]
    for name, value in options.items():
        if value is not None:
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return shlex.join(words)
