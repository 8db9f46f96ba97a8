"""What a report is asked for, checked before anything is loaded that takes long: pandas, the source, the plots."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from periodkit._arguments import When, as_micros, check_count, named, period_of_row, read_range, zone
from periodkit.errors import ArgumentError, ConfigError
from periodkit.settings import BASE_URL_VARIABLE, TOKEN_VARIABLE

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Periods", "check_account", "check_times", "checked_output", "checked_periods", "checked_source"]

Periods: TypeAlias = "int | str | pd.Series | Iterable[int | str | pd.Series] | None"


def checked_periods(period: Periods) -> list[int | str] | None:
    """Return the ids and names that `period` gives, or say what it takes."""
    if period is None:
        return None
    period = period_of_row(period)
    one = isinstance(period, str) or not isinstance(period, Iterable) or hasattr(period, "iloc")
    wanted: list[object] = [period] if one else list(period)  # type: ignore[arg-type]
    checked: list[int | str] = []
    for value in map(period_of_row, wanted):
        if isinstance(value, bool) or not isinstance(value, str | Integral):
            msg = (
                f"period is or holds {named(value)}; it takes the id or name of a period, or a list of them, such as "
                'frame["period_id"].tolist(). For a report on frames, pass actions= and periods=.'
            )
            raise ArgumentError(msg)
        checked.append(value if isinstance(value, str) else int(value))
    return checked


def checked_source(
    source: str | None, archive: str | Path | None, snapshot: str | None, *, client: bool = False, frames: bool = False
) -> str:
    """Return ``"archive"``, ``"api"`` or ``"frames"``.

    Parameters
    ----------
    source, archive, snapshot
        As given to `periodkit.report`.
    client, frames : bool
        Whether a client, or a frame of actions or periods, is given.
    """
    given = archive is not None or snapshot is not None
    named_ones = [name for name, there in (("client", client), ("actions", frames), ("archive", given)) if there]
    if len(named_ones) > 1 or (frames and source is not None):
        other = named_ones[1] if len(named_ones) > 1 else "source"
        msg = f"Both {named_ones[0]} and {other} are given, and each says where the data come from. Leave one of them out."
        raise ArgumentError(msg)
    if frames:
        return "frames"
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


def check_account() -> None:
    """Raise a ConfigError if the environment names half an account."""
    variables = (BASE_URL_VARIABLE, TOKEN_VARIABLE)
    missing = [variable for variable in variables if not os.environ.get(variable, "").strip()]
    if len(missing) == 1:
        there = variables[1 - variables.index(missing[0])]
        msg = (
            f"{there} is set, but {missing[0]} is not. To report on your account, set the environment variable {missing[0]} "
            f"too; to report on the sandbox, unset {there}."
        )
        raise ConfigError(msg)


def check_times(start: When | None, end: When | None, compare: int, target: str, tz: str | None) -> None:
    """Raise an ArgumentError that names the first of these that cannot be read."""
    read_range(start, end, ArgumentError)
    check_count(compare, "compare")
    as_micros(target, "target", above_zero=True)
    zone(tz)


def checked_output(output: str | Path) -> Path:
    """Return the file to write, or say why no report can be written there."""
    path = Path(output)
    if os.path.isdir(path):  # noqa: PTH112  (it raises no error of a name that is too long)
        msg = f"output is the folder {str(path)!r}. Name a file in it, such as {str(path / 'report.html')!r}."
        raise ArgumentError(msg)
    if path.suffix.lower() not in (".html", ".htm"):
        pdf = " For a PDF beside it, add pdf=True, or --pdf." if path.suffix.lower() == ".pdf" else ""
        msg = f"output is {str(path)!r}, but a report is an HTML file: name it {path.stem}.html.{pdf}"
        raise ArgumentError(msg)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # A file is written beside its place first, under a longer name.
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}"):
            pass
    except (OSError, ValueError) as error:  # the latter of a null character
        why = getattr(error, "strerror", None) or error
        msg = f"{str(path)!r} cannot be written: {why}. Choose another place with output=, or -o."
        raise ConfigError(msg) from None
    return path
