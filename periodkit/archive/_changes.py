"""What differs between two states, action by action and field by field."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from periodkit.archive.view import ArchiveView
from periodkit.fingerprint import json_texts

__all__ = ["changes"]

_COLUMNS = ["period_id", "action_id", "change", "field", "before", "after", "fetched_before", "fetched_after"]
_KEY = ["period_id", "action_id", "_nth"]


def changes(before: ArchiveView, after: ArchiveView) -> pd.DataFrame:
    """Return one row per action and field that differs; `periodkit.Archive.changes` describes it."""
    old_hashes, new_hashes = before.hashes(), after.hashes()
    differing = [i for i in {**old_hashes, **new_hashes} if old_hashes.get(i) != new_hashes.get(i)]
    old = _keyed(before.actions([i for i in differing if i in old_hashes]))
    new = _keyed(after.actions([i for i in differing if i in new_hashes]))
    numbered = new[_KEY].assign(_new=np.arange(len(new)))
    places = old[_KEY].assign(_old=np.arange(len(old))).merge(numbered, on=_KEY, how="outer")
    parts = [
        _whole(old, places.loc[places["_new"].isna(), "_old"], "removed"),
        _whole(new, places.loc[places["_old"].isna(), "_new"], "added"),
    ]
    both = places.dropna(subset=["_old", "_new"])
    one, other = old.iloc[both["_old"].astype(int)], new.iloc[both["_new"].astype(int)]
    names = dict.fromkeys([*new.columns, *old.columns])
    parts += [_field(one, other, str(name)) for name in names if name not in {*_KEY, "fetched_at"}]
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    order = {name: i for i, name in enumerate(names)}
    found["_order"] = found["field"].map(order)
    found = found.sort_values(["period_id", "action_id", "_order"], kind="stable", ignore_index=True)
    return found[_COLUMNS]


def _keyed(actions: pd.DataFrame) -> pd.DataFrame:
    # Nothing tells two actions of a period without an id apart but their order.
    return actions.assign(_nth=actions.groupby(["period_id", "action_id"], dropna=False).cumcount())


def _whole(frame: pd.DataFrame, places: pd.Series, change: str) -> pd.DataFrame:
    rows = frame.iloc[places.astype(int)]
    nothing = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us, UTC]")
    before, after = (nothing, rows["fetched_at"]) if change == "added" else (rows["fetched_at"], nothing)
    return _rows(rows, [change] * len(rows), None, [None] * len(rows), [None] * len(rows), before, after)


def _field(old: pd.DataFrame, new: pd.DataFrame, name: str) -> pd.DataFrame:
    texts = [_texts(frame, name) for frame in (old, new)]
    differs = np.array([a != b for a, b in zip(*texts, strict=True)], dtype=bool)
    rows = new[differs]
    before, after = (_values(frame[differs], name) for frame in (old, new))
    kinds = [_kind(name, one, other) for one, other in zip(before, after, strict=True)]
    seen = [frame.loc[differs, "fetched_at"] for frame in (old, new)]
    return _rows(rows, kinds, name, before, after, *seen)


def _texts(frame: pd.DataFrame, name: str) -> list[str | None]:
    found: list[str | None] = (
        json_texts(frame[name], name).to_pylist() if name in frame.columns else [None] * len(frame)
    )
    return found


def _values(frame: pd.DataFrame, name: str) -> list[Any]:
    if name not in frame.columns:
        return [None] * len(frame)
    return [None if not isinstance(each, list | dict) and pd.isna(each) else each for each in frame[name]]


def _kind(name: str, before: object, after: object) -> str:
    if name == "closed_time" and (before is None) != (after is None):
        return "closed" if before is None else "reopened"
    return "rerouted" if name == "latest_channel" and before is not None and after is not None else "changed"


def _rows(
    rows: pd.DataFrame,
    kinds: list[str],
    name: str | None,
    before: list[Any],
    after: list[Any],
    seen_before: pd.Series,
    seen_after: pd.Series,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "period_id": rows["period_id"].array,
            "action_id": rows["action_id"].array,
            "change": pd.array(kinds, dtype="str"),
            "field": pd.array([name] * len(rows), dtype="str"),
            "before": pd.Series(before, dtype="object"),
            "after": pd.Series(after, dtype="object"),
            "fetched_before": seen_before.array,
            "fetched_after": seen_after.array,
        },
        columns=_COLUMNS,
    )
