"""What a report is asked for, checked before a kernel is started."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from periodkit._arguments import When, as_micros, check_count, named, period_of_row, read_moment, zone
from periodkit.client import Client
from periodkit.errors import ArgumentError, ConfigError
from periodkit.frames import find_periods
from periodkit.reporting.material import Source
from periodkit.settings import BASE_URL_VARIABLE, TOKEN_VARIABLE
from periodkit.sources import connect, has_account, open_archive

__all__ = ["Periods", "check_times", "checked_output", "checked_periods", "checked_source", "found_ids"]

Periods = int | str | pd.Series | Iterable[int | str | pd.Series] | None


def checked_periods(period: Periods) -> list[int | str] | None:
    """Return the ids and names that `period` gives, or say what it takes."""
    if period is None:
        return None
    period = period_of_row(period)
    one = isinstance(period, str | int | np.integer) or not isinstance(period, Iterable)
    wanted: list[object] = [period] if one or isinstance(period, pd.DataFrame | pd.Series) else list(period)  # type: ignore[arg-type]
    checked: list[int | str] = []
    for value in map(period_of_row, wanted):
        if isinstance(value, bool) or not isinstance(value, int | str | np.integer):
            msg = (
                f"period is or holds {named(value)}; it takes the id or name of a period, or a list of them, such as "
                'frame["period_id"].tolist().'
            )
            raise ArgumentError(msg)
        checked.append(value if isinstance(value, str) else int(value))
    return checked


def checked_source(source: str | None, archive: str | Path | None, snapshot: str | None) -> str:
    """Return ``"archive"`` or ``"api"``."""
    given = archive is not None or snapshot is not None
    chosen = source or ("archive" if given else "api")
    if chosen not in ("archive", "api"):
        msg = f'source is {source!r}; it takes "archive" or "api".'
        raise ArgumentError(msg)
    if chosen == "api" and given:
        msg = "archive or snapshot is given, but the source is the API. Leave one of them out."
        raise ArgumentError(msg)
    if chosen == "archive" and archive is None:
        msg = "The archive is not given. Pass archive=PATH, or --archive PATH."
        raise ArgumentError(msg)
    return chosen


def check_times(start: When | None, end: When | None, compare: int, target: str, tz: str | None) -> None:
    """Raise an ArgumentError that names the first of these that cannot be read."""
    for name, moment in (("start", start), ("end", end)):
        if moment is not None:
            read_moment(moment, name, ArgumentError)
    check_count(compare, "compare")
    as_micros(target, "target")
    zone(tz)


def checked_output(output: str | Path) -> Path:
    """Return the file to write, or say why no report can be written there."""
    path = Path(output)
    if path.is_dir():
        msg = f"output is the folder {str(path)!r}. Name a file in it, such as {str(path / 'report.html')!r}."
        raise ArgumentError(msg)
    if path.suffix.lower() not in (".html", ".htm"):
        pdf = " For a PDF beside it, add pdf=True, or --pdf." if path.suffix.lower() == ".pdf" else ""
        msg = f"output is {str(path)!r}, but a report is an HTML file: name it {path.stem}.html.{pdf}"
        raise ArgumentError(msg)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        msg = f"{str(path)!r} cannot be written: {error.strerror or error}. Choose another place with output=, or -o."
        raise ConfigError(msg) from None
    return path


def found_ids(
    wanted: list[int | str] | None,
    archive: str | Path | None,
    snapshot: str | None,
    environment: Mapping[str, str] | None,
) -> tuple[list[int] | None, Path | None]:
    """Open the source; return the ids of the periods that are wanted, and the archive's folder."""
    if archive is not None:
        opened = open_archive(archive)
        if wanted is None and snapshot is None:
            return None, opened.path
        view = opened.held() if snapshot is None else opened.at(snapshot)
        return _ids(view, wanted), opened.path
    given = environment or {}
    if BASE_URL_VARIABLE in given or TOKEN_VARIABLE in given:
        client = Client(given.get(BASE_URL_VARIABLE), given.get(TOKEN_VARIABLE))
    elif wanted is not None or has_account():
        client = connect()
    else:
        return None, None
    with contextlib.closing(client):
        return _ids(client, wanted), None


def _ids(source: Source, wanted: list[int | str] | None) -> list[int] | None:
    return None if wanted is None else find_periods(source.periods(), wanted)
