"""What differs between two states, record by record and field by field."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd

from periodkit._arguments import one_of
from periodkit.archive.view import ArchiveView
from periodkit.frames import json_texts

__all__ = ["Of", "changes"]

Of = Literal["actions", "periods"]

_KEYS: dict[str, list[str]] = {"actions": ["period_id", "action_id"], "periods": ["period_id"]}


def changes(before: ArchiveView, after: ArchiveView, of: Of) -> pd.DataFrame:
    """Return one row per record and field that differs; `periodkit.Archive.changes` describes it."""
    keys = _KEYS[one_of(of, "of", _KEYS)]
    old_hashes, new_hashes = before.hashes(), after.hashes()
    differing = [i for i in {**old_hashes, **new_hashes} if old_hashes.get(i) != new_hashes.get(i)]
    old, new = (_records(view, of, [i for i in differing if i in view.hashes()]) for view in (before, after))
    by = [*keys, "_nth"]
    numbered = new[by].assign(_new=np.arange(len(new)))
    places = old[by].assign(_old=np.arange(len(old))).merge(numbered, on=by, how="outer")
    parts = [
        _whole(old, places.loc[places["_new"].isna(), "_old"], "removed", keys),
        _whole(new, places.loc[places["_old"].isna(), "_new"], "added", keys),
    ]
    both = places.dropna(subset=["_old", "_new"])
    one, other = old.iloc[both["_old"].astype(int)], new.iloc[both["_new"].astype(int)]
    names = dict.fromkeys([*new.columns, *old.columns])
    parts += [_field(one, other, str(name), keys) for name in names if name not in {*by, "fetched_at"}]
    found = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    order = {name: i for i, name in enumerate(names)}
    return (
        found.assign(_order=found["field"].map(order))
        .sort_values([*keys, "_order"], kind="stable", ignore_index=True)
        .drop(columns="_order")
    )


def _records(view: ArchiveView, of: Of, ids: list[int]) -> pd.DataFrame:
    if of == "periods":
        frame = view.periods()
        return frame[frame["period_id"].isin(ids)].assign(_nth=0)
    actions = view.actions(ids)
    # Nothing tells two actions of a period without an id apart but their order.
    return actions.assign(_nth=actions.groupby(["period_id", "action_id"], dropna=False).cumcount())


def _whole(frame: pd.DataFrame, places: pd.Series, change: str, keys: list[str]) -> pd.DataFrame:
    rows = frame.iloc[places.astype(int)]
    nothing = pd.Series(pd.NaT, index=rows.index, dtype="datetime64[us, UTC]")
    before, after = (nothing, rows["fetched_at"]) if change == "added" else (rows["fetched_at"], nothing)
    none: list[Any] = [None] * len(rows)
    return _rows(rows[keys], [change] * len(rows), None, none, none, before, after)


def _field(old: pd.DataFrame, new: pd.DataFrame, name: str, keys: list[str]) -> pd.DataFrame:
    texts = [_texts(frame, name) for frame in (old, new)]
    differs = np.array([a != b for a, b in zip(*texts, strict=True)], dtype=bool)
    before, after = (_values(frame[differs], name) for frame in (old, new))
    kinds = [
        _kind(name, one, other) if "action_id" in keys else "changed" for one, other in zip(before, after, strict=True)
    ]
    seen = [frame.loc[differs, "fetched_at"] for frame in (old, new)]
    return _rows(new.loc[differs, keys], kinds, name, before, after, *seen)


def _texts(frame: pd.DataFrame, name: str) -> list[str | None]:
    found: list[str | None] = (
        json_texts(frame[name], name).to_pylist() if name in frame.columns else [None] * len(frame)
    )
    return found


def _values(frame: pd.DataFrame, name: str) -> list[Any]:
    if name not in frame.columns:
        return [None] * len(frame)
    return [None if not isinstance(value, list | dict) and pd.isna(value) else value for value in frame[name]]


def _kind(name: str, before: object, after: object) -> str:
    if name == "closed_time" and (before is None) != (after is None):
        return "closed" if before is None else "reopened"
    return "rerouted" if name == "latest_channel" and before is not None and after is not None else "changed"


def _rows(
    keys: pd.DataFrame,
    kinds: list[str],
    name: str | None,
    before: list[Any],
    after: list[Any],
    seen_before: pd.Series,
    seen_after: pd.Series,
) -> pd.DataFrame:
    return pd.DataFrame(
        {key: keys[key].array for key in keys.columns}
        | {
            "change": pd.array(kinds, dtype="str"),
            "field": pd.array([name] * len(keys), dtype="str"),
            "before": pd.Series(before, dtype="object"),
            "after": pd.Series(after, dtype="object"),
            "fetched_before": seen_before.array,
            "fetched_after": seen_after.array,
        }
    )
