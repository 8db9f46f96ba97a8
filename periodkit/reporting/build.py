"""A notebook and parameters -> one self-contained HTML file."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from periodkit.reporting.request import (
    Periods,
    check_times,
    checked_output,
    checked_periods,
    checked_source,
    found_ids,
)

__all__ = ["report"]


def report(
    period: Periods = None,
    output: str | Path = "report.html",
    *,
    source: str | None = None,
    archive: str | Path | None = None,
    snapshot: str | None = None,
    season: bool = False,
    start: str | date | None = None,
    end: str | date | None = None,
    compare: int = 24,
    target: str = "20min",
    tz: str | None = None,
    names: bool = False,
    pdf: bool = False,
    environment: Mapping[str, str] | None = None,
) -> Path:
    """Write a report: one self-contained HTML file that loads nothing from the network.

    A notebook of the package is run in a kernel of its own. The same data give the same bytes.

    Parameters
    ----------
    period : int, str or sequence of them, optional
        Ids or names of the periods to report on; by default the latest that has ended, or all of them with `season`.
    output : path
        The file to write; it appears whole or not at all.
    source : {"archive", "api"}, optional
        Where to read the data; by default the archive if `archive` or `snapshot` is given, else the API.
    archive : path, optional
        The folder of the archive.
    snapshot : str, optional
        A snapshot of the archive, by name or hash; by default its present state.
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
    environment : mapping, optional
        ``ALO_BASE_URL`` and ``ALO_API_TOKEN`` for the notebook, if they differ from those of this process. They are
        passed in the kernel's environment and written nowhere.

    Returns
    -------
    Path
        The HTML file.

    Raises
    ------
    ArgumentError
        Arguments exclude each other.
    ConfigError
        The extra ``lab`` is not installed, there is no such archive, or there is no Chromium for the PDF.
    PeriodkitError
        A cell of the notebook failed: the period does not exist, the source cannot be read.

    Examples
    --------
    >>> import periodkit as pk
    >>> pk.report(4711, "cup-final.html", tz="Europe/London")  # doctest: +SKIP
    PosixPath('cup-final.html')
    """
    wanted = checked_periods(period)
    chosen = checked_source(source, archive, snapshot)
    check_times(start, end, compare, target, tz)
    path = checked_output(output)
    ids, folder = found_ids(wanted, archive, snapshot, environment)
    browser = None
    if pdf:
        from periodkit.reporting.page import find_browser  # noqa: PLC0415

        browser = find_browser()
    from periodkit.jupyter import execute, normalise, parameterise, report_notebook  # noqa: PLC0415  (slow to import)

    parameters: dict[str, Any] = {
        "period_ids": ids,
        "start": None if start is None else str(start),
        "end": None if end is None else str(end),
        "target": target,
        "tz": tz,
        "names": names,
        "archive": None if folder is None else str(folder.resolve()),
        "snapshot": snapshot,
        "phone": True,
    }
    if not season:
        parameters["compare"] = compare
    notebook = parameterise(report_notebook(season=season), parameters)
    from tqdm import tqdm  # noqa: PLC0415

    steps = sum(cell.cell_type == "code" for cell in notebook.cells)
    with (
        tempfile.TemporaryDirectory() as workplace,
        ThreadPoolExecutor(1) as beside,
        # None: shown in a terminal alone.
        tqdm(total=steps, desc="Fetching and measuring", unit="step", disable=None, leave=False) as progress,
    ):
        # nbconvert is slow to import, and this process only waits while the kernel works.
        page_maker = beside.submit(import_module, "periodkit.reporting.page.html")
        notebook = normalise(execute(notebook, Path(workplace), environment, on_cell=progress.update))
        progress.set_description("Writing the report")
    make = page_maker.result()
    again = {
        "compare": None if season or compare == 24 else compare,
        "target": target,
        "tz": tz,
        "names": names or None,
    }
    told = _command(make.periods_of(notebook), chosen, snapshot, season, again)
    unfinished = path.with_name(path.name + ".part")
    page = make.to_html(notebook, command=told, source=chosen, snapshot=snapshot)
    try:
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600 if names else 0o666)
        unfinished.write_text(page, encoding="utf-8", newline="\n")
        os.replace(unfinished, path)  # noqa: PTH105  (atomic, and overwrites on every system)
    finally:
        unfinished.unlink(missing_ok=True)
    if browser is not None:
        from periodkit.reporting.page import to_pdf  # noqa: PLC0415

        printed = to_pdf(path, path.with_suffix(".pdf"), browser)
        if names:
            printed.chmod(0o600)
    return path


def _command(
    periods: Sequence[int], source: str, snapshot: str | None, season: bool, options: Mapping[str, object]
) -> str:
    """Return the command that makes the report again; the reader fills in where the archive is."""
    words = ["periodkit", "report", *(word for key in periods for word in ("--period", str(key)))]
    words += ["--season"] if season else []
    words += ["--from", source] + (["--archive", "ARCHIVE"] if source == "archive" else [])
    words += ["--snapshot", snapshot] if snapshot else []
    for name, value in options.items():
        if value is not None:
            words += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    return shlex.join(words)
