"""Commands that keep a local archive."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from periodkit.cli._app import Switch, app, say
from periodkit.errors import ConfigError
from periodkit.settings import BASE_URL_VARIABLE, KEY_VARIABLE, TOKEN_VARIABLE

if TYPE_CHECKING:
    from periodkit.client import Client


@app.command
def sync(
    *,
    archive: Path | None = None,
    start: str | None = None,
    end: str | None = None,
    form_field: Annotated[list[str] | None, Switch] = None,
    forget_field: Annotated[list[str] | None, Switch] = None,
    refresh: Annotated[bool, Switch] = False,
    period: Annotated[list[str] | None, Switch] = None,
    key_file: Path | None = None,
    demo: Annotated[bool, Switch] = False,
    origin_changed: Annotated[bool, Switch] = False,
) -> None:
    """Fetch the periods that are new or may have changed into the archive; run it again to go on where it stopped.

    To keep pseudonyms in place of people's names, set ALO_PSEUDONYM_KEY to a long secret, or name a file that holds it.

    Parameters
    ----------
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    start
        Only the periods from this moment on: 2024-07-01 (midnight UTC) or 2024-07-01T19:00:00Z.
    end
        Only the periods up to this moment.
    form_field
        A form field to fetch too; the archive remembers it. Repeat for several.
    forget_field
        A form field not to fetch any more; repeat for several.
    refresh
        Fetch all periods again, and repair damaged tables.
    period
        Id or name of a period to fetch again in any case; repeat for several.
    key_file
        A file that holds the key for pseudonyms.
    demo
        Fetch the sandbox's invented season, without an account.
    origin_changed
        Accept that the archive's data now come from another address, such as a base URL that has moved.
    """
    from periodkit.frames import find_periods  # noqa: PLC0415
    from periodkit.sources import open_archive  # noqa: PLC0415

    kept = open_archive(archive, create=True, pseudonymize=_key(key_file))
    with _client(demo=demo) as client:
        ids, names = _ids_and_names(period or ())
        again = [*ids, *(find_periods(client.periods(), names) if names else [])]
        result = kept.sync(
            client,
            start,
            end,
            form_field,
            refresh=refresh or again or False,
            forget_fields=forget_field,
            origin_changed=origin_changed,
        )
    say(repr(result), f"Archive: {kept.path}")
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
    from periodkit.sources import open_archive  # noqa: PLC0415

    for name, value in open_archive(archive).status().items():
        say(f"{name:<12}{value}")


@app.command
def periods(
    *,
    archive: Path | None = None,
    source: Annotated[Literal["archive", "api"] | None, Parameter(name="--from")] = None,
    snapshot: str | None = None,
) -> None:
    """List the periods: id, name, dates, and how many actions the archive has of each.

    Parameters
    ----------
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    source
        Where to look. By default in the archive if there is one, else in the API.
    snapshot
        A snapshot of the archive, by name or hash. By default its present state.
    """
    from periodkit.cli._tables import period_table  # noqa: PLC0415
    from periodkit.sources import connect, open_archive  # noqa: PLC0415

    kept = None if source == "api" else open_archive(archive, create=True)
    if kept is not None and (archive or source or snapshot or kept.exists()):
        kept.require()
        view = kept.held() if snapshot is None else kept.at(snapshot)
        say(period_table(view.periods(), view.row_counts()))
        return
    with connect() as client:
        say(period_table(client.periods()))


@app.command
def export(
    output: Path,
    *,
    archive: Path | None = None,
    table: Literal["actions", "periods"] | None = None,
    period: Annotated[list[str] | None, Switch] = None,
    snapshot: str | None = None,
) -> None:
    """Write archived actions or periods to a file for other programs.

    Times are UTC, as ISO 8601 text in CSV and Excel. A text that a spreadsheet would run as a formula gets an apostrophe
    before it in CSV, and is marked as a text in Excel. Only you can read the file.

    Parameters
    ----------
    output
        The file; its ending says which format: .csv, .parquet or .xlsx.
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    table
        What to write. By default the table that the file is named after, else the actions.
    period
        Id or name of a period to write; repeat for several. By default all.
    snapshot
        Name or hash of a snapshot to write; by default the present state.
    """
    from periodkit.frames import export as write  # noqa: PLC0415
    from periodkit.frames import find_periods  # noqa: PLC0415
    from periodkit.sources import open_archive  # noqa: PLC0415
    from periodkit.wording import count  # noqa: PLC0415

    kept = open_archive(archive)
    view = kept.held() if snapshot is None else kept.at(snapshot)
    known = view.periods()
    ids = known["period_id"].tolist() if period is None else find_periods(known, period)
    chosen = table or ("periods" if "periods" in output.stem.casefold() else "actions")
    frame = view.actions(ids) if chosen == "actions" else known[known["period_id"].isin(ids)]
    write(frame, output)
    say(f"Wrote {count(len(frame), chosen[:-1])} to {output}")


@app.command
def prune(*, archive: Path | None = None, keep: str = "30D") -> None:
    """Compact small files and delete unused ones; named snapshots keep theirs.

    Parameters
    ----------
    archive
        The archive's folder; by default that of ALO_ARCHIVE, else periodkit-archive.
    keep
        Files that were in use within this time stay, such as 30D or 12h.
    """
    from periodkit.sources import open_archive  # noqa: PLC0415

    done = open_archive(archive).prune(keep)
    say(f"Deleted {done.files} file(s); the archive is {done.bytes:,} bytes smaller.")


def _ids_and_names(wanted: Iterable[str]) -> tuple[list[int], list[str]]:
    # An archived period is asked for by its id even where the server does not list it, so ids are not looked up.
    parts: tuple[list[int], list[str]] = ([], [])
    for text in wanted:
        if re.fullmatch(r"-?\d{1,19}", text, re.ASCII):
            parts[0].append(int(text))
        else:
            parts[1].append(text)
    return parts


def _client(*, demo: bool) -> Client:
    from periodkit.client import Client  # noqa: PLC0415
    from periodkit.sources import demo_client, has_account  # noqa: PLC0415

    if demo:
        return demo_client()
    if not has_account():
        msg = (
            f"There is no account. Set {BASE_URL_VARIABLE} and {TOKEN_VARIABLE}, or pass --demo to fetch the sandbox's "
            "invented season."
        )
        raise ConfigError(msg)
    return Client()


def _key(file: Path | None) -> str | None:
    """Read the key from a file or the environment: others on the machine can see a command line."""
    if file is None:
        return os.environ.get(KEY_VARIABLE) or None
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        msg = (
            f"The key file {file} cannot be read ({error.__class__.__name__}). Name a file that holds the key as text."
        )
        raise ConfigError(msg) from None
