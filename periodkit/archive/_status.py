"""What an archive holds, in words."""

from __future__ import annotations

import pyarrow.compute as pc

from periodkit.archive import snapshots
from periodkit.archive._state import State
from periodkit.fingerprint import total_of


def status(state: State) -> dict[str, str]:
    """Return one line for each thing that one asks of an archive, from its table of periods alone."""
    periods = state.periods
    open_ = [count for count in periods["_open"].to_pylist() if count]
    names = [each.name for each in snapshots.stored(state.folder) if each.name is not None]
    span = _span(periods["start_date"], "%Y-%m-%d")
    return {
        "archive": str(state.folder.path),
        "periods": f"{len(state.ids):,}" + (f" ({span})" if span else ""),
        "actions": f"{sum(state.rows.values()):,}",
        "open": f"{sum(open_):,} action(s) in {len(open_)} period(s), when they were fetched",
        "fetched": _span(periods["fetched_at"], "%Y-%m-%d %H:%M UTC") or "never",
        "files": f"{len(state.files):,} ({sum(file.size for file in state.files) / 1e6:,.1f} MB)",
        "snapshots": ", ".join(names) or "none",
        "hash": total_of(state.hashes),
    }


def _span(times: object, form: str) -> str:
    found = pc.min_max(times)
    first, last = found["min"].as_py(), found["max"].as_py()
    if first is None:
        return ""
    ends = list(dict.fromkeys([f"{first:{form}}", f"{last:{form}}"]))
    return " to ".join(ends)
