"""The numbers by group, and the actions chosen, as texts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import tzinfo

import numpy as np
import pandas as pd

from periodkit.jupyter.explorer.answer import DONE, Answer, shown_seconds
from periodkit.jupyter.explorer.points import group_name
from periodkit.milestones import STAGES
from periodkit.wording import NULL, clean_label, count, duration, numeric, readable

__all__ = ["Texts", "chosen", "numbers"]

_MOST_ROWS = 100


@dataclass(frozen=True, slots=True)
class Texts:
    """A table as texts.

    Parameters
    ----------
    title : str
        What it is.
    heads : list of str
        Its headings.
    rows : list of list of str
        Its cells.
    numbers : list of bool
        Which columns hold numbers.
    """

    title: str
    heads: list[str]
    rows: list[list[str]]
    numbers: list[bool]


def numbers(found: Answer) -> Texts:
    """Return P50 and P90 by group, with their intervals and what they are of."""
    by = found.choice.by
    names = [f"{name}{side}" for name in ("p50", "p90") for side in ("", "_low", "_high")]
    part = found.table[["used", "events", "open", *names]]
    shown = readable(part)
    rows = [list(row) for row in shown.itertuples(index=False, name=None)]
    heads, kinds = [*shown.columns], numeric(part)
    if by is not None:
        groups = [group_name(by, key, found.frame) for key in found.table[by]]
        rows = [[name, *row] for name, row in zip(groups, rows, strict=True)]
        heads, kinds = [clean_label(by.removeprefix("form.").replace("_", " "), 40), *heads], [False, *kinds]
    return Texts("table: P50 and P90 with 95 % intervals", heads, rows, kinds)


def chosen(found: Answer, tz: tzinfo) -> Texts:
    """Return the actions chosen, those that took longest first; no people."""
    frame, states = found.frame, found.states
    seconds = shown_seconds(found)
    order = np.argsort(-np.nan_to_num(seconds, nan=-1.0), kind="stable")[:_MOST_ROWS]
    part, own = frame.iloc[order], states.iloc[order]
    stage = found.choice.stage
    columns: dict[str, list[str]] = {}
    for name in ("action_id", "period_name", "classification", "channel"):
        if name in frame.columns:
            columns[name.removesuffix("_name").replace("_", " ")] = [_text(value) for value in part[name]]
    if "ai_dispatched" in frame.columns:
        columns["AI"] = ["unknown" if pd.isna(value) else "yes" if value else "no" for value in part["ai_dispatched"]]
    began = STAGES[stage].start
    columns[began.replace("_", " ")] = [
        NULL if pd.isna(at) else f"{at.tz_convert(tz):%Y-%m-%d %H:%M}" for at in own[began]
    ]
    words = {"event": DONE[stage], "left": "canceled"}
    columns["counted as"] = [words.get(state, state.replace("_", " ")) for state in own["state"]]
    columns[f"{stage} time"] = [NULL if np.isnan(one) else duration(one) for one in seconds[order]]
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    most = f"; the {len(order):,} that took longest" if len(frame) > len(order) else ""
    kinds = [name in (f"{stage} time", began.replace("_", " ")) for name in columns]
    return Texts(f"frame: {count(len(frame))} chosen{most}", [*columns], rows, kinds)


def _text(value: object) -> str:
    return NULL if pd.isna(value) else clean_label(value, 60)  # type: ignore[call-overload]
