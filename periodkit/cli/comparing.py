"""Commands that name a state of an archive, and show what has changed since."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
from cyclopts import Parameter

from periodkit._moment import utc_text
from periodkit._words import count
from periodkit.cli._app import app
from periodkit.cli.archiving import existing

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
    taken = existing(archive).snapshot(name)
    called = "Snapshot" if taken.name is None else f"Snapshot {taken.name!r}"
    print(f"{called}: {count(len(taken.periods), 'period')}, hash {taken.hash}")


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
    from periodkit.archive.export import export as write  # noqa: PLC0415

    found = existing(archive).changes(since, until, of=table)
    # They are of any field, so of any kind.
    found = found.assign(**{side: found[side].map(_as_text).astype("str") for side in ("before", "after")})
    if output is not None:
        write(found, output)
        print(f"Wrote {count(len(found), 'change')} to {output}")
        return
    if found.empty:
        print("Nothing has changed.")
        return
    print(", ".join(f"{n:,} {kind}" for kind, n in found["change"].value_counts().items()))
    shown = found.head(_SHOWN).drop(columns=["fetched_before", "fetched_after"])
    print(shown.to_string(index=False, na_rep="-", max_colwidth=40))
    if len(found) > _SHOWN:
        print(f"and {len(found) - _SHOWN:,} more; --output changes.csv writes them all.")


def _as_text(value: Any) -> str | None:  # noqa: ANN401
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if pd.isna(value):
        return None
    return utc_text(value) if isinstance(value, pd.Timestamp) else str(value)
