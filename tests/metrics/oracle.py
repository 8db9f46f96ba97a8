"""R's results for the fire-department calls, and the same calls counted into life tables from the raw JSON.

Counting here uses nothing of periodkit but `LifeTable` itself, so a fault in its own counting cannot hide.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from periodkit.metrics.tally.life_table import LifeTable

FOLDER = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "sffd"
R_NAMES = {
    "dispatch": "created_assigned",
    "pickup": "assigned_doing",
    "response": "created_doing",
    "work": "doing_closed",
    "cycle": "created_closed",
}
"""What R's results call the stages."""
STAGES = tuple(R_NAMES.values())
SETTINGS = ("survival_asof", "survival_period_end")
WAYS = ("exclude_exclude", "exclude_at_close", "censor_exclude", "censor_at_close")
"""What canceled and skipped ones count as; where nothing is skipped, R gives the two with ``exclude`` alone."""
_SKIPPING = ("assigned_doing", "created_doing")
WAYS_OF = {stage: WAYS if stage in _SKIPPING else WAYS[::2] for stage in STAGES}
CASES = [("survival_asof", stage, ways) for stage in STAGES for ways in WAYS_OF[stage]]
CASES += [("survival_period_end", stage, ways) for stage in STAGES for ways in WAYS[::2]]
"""Every variant of every stage that R's results hold."""
NULL = -1.0  # a time that is missing; real ones are seconds since 1970


@cache
def expected(name: str = "stages") -> dict[str, Any]:
    path = FOLDER / f"oracle_{name}.json"
    if not path.exists():
        pytest.skip(f"R's results (shared/data/sffd/{path.name}) are not beside the checkout")
    return json.loads(path.read_text())


def survival(setting: str, stage: str, ways: str) -> dict[str, Any]:
    """Return R's survival figures of a stage, canceled and skipped ones counted as `ways` says."""
    block = expected()[setting][stage]
    return block if ways == "censor_exclude" else block["variants"][ways]


@cache
def calls() -> dict[str, np.ndarray]:
    """One array per field over all calls; times in seconds, `period_end` and `as_of` among them."""
    path = FOLDER / "sffd-2020-04.json.gz"
    if not path.exists():
        pytest.skip("the calls (shared/data/sffd/sffd-2020-04.json.gz) are not beside the checkout")
    raw = json.loads(gzip.decompress(path.read_bytes()))
    end = {str(period["id"]): period["end_date"] for period in raw["periods"]}
    rows = [(action, end[key]) for key, actions in raw["actions"].items() for action in actions]
    times = {
        name: [action.get(f"{name}Time") for action, _ in rows] for name in ("created", "assigned", "doing", "closed")
    }
    times["period_end"] = [stop for _, stop in rows]
    times["as_of"] = [raw["as_of"]] * len(rows)
    fields = {name: np.array([_seconds(text) for text in texts]) for name, texts in times.items()}
    for name in ("classification", "status", "aiDispatched", "periodName"):
        fields[name] = np.array([action.get(name) for action, _ in rows], dtype=object)
    return fields


def _seconds(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else NULL


def count(duration: np.ndarray, kind: np.ndarray) -> LifeTable:
    """Count durations into a table; kind 1 is the event, 2 the competing end, 0 censored."""
    time, row = np.unique(duration.astype(np.int64), return_inverse=True)
    return LifeTable(time, *(np.bincount(row[kind == code], minlength=time.size) for code in (1, 2, 0)))


@cache
def durations(setting: str, stage: str, ways: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the calls used, their durations and their kinds, by the rules of the oracle's README."""
    data = calls()
    start, stop = (data[name].copy() for name in stage.split("_"))
    closed, limit = data["closed"].copy(), data["as_of"]
    used = start != NULL
    if setting == "survival_period_end":
        limit = np.minimum(limit, data["period_end"])
        used &= start <= limit
        stop[stop > limit] = NULL
        closed[closed > limit] = NULL
    canceled = data["status"] == "canceled"
    ended, gone = stop != NULL, (closed != NULL) & canceled
    if stage.endswith("closed"):
        ended &= ~canceled
    else:
        gone &= ~ended
    skipped = (closed != NULL) & ~ended & ~gone
    if ways.endswith("at_close"):
        ended, skipped = ended | skipped, np.zeros_like(skipped)
    if ways.startswith("exclude"):
        skipped |= gone
    kind = np.where(ended, 1, np.where(gone, 2, 0))
    length = np.where(stop != NULL, stop, np.where(closed != NULL, closed, limit)) - start
    used &= (length >= 0) & ~skipped
    return np.flatnonzero(used), length[used], kind[used]


def table(setting: str, stage: str, ways: str = "censor_exclude", **where: object) -> LifeTable:
    """Count one stage's life table of the calls that match, e.g. ``aiDispatched=True``."""
    used, length, kind = durations(setting, stage, ways)
    keep = np.ones(used.size, dtype=bool)
    for field, value in where.items():
        keep &= calls()[field][used] == value
    return count(length[keep], kind[keep])


def groups(setting: str, stage: str, ways: str) -> Iterator[tuple[str, dict[str, Any], LifeTable]]:
    """Yield R's Kaplan-Meier results, with their tables, overall, by arm and by class."""
    block = survival(setting, stage, ways)
    yield "overall", block["km_overall"], table(setting, stage, ways)
    for arm, want in block["km_ai"].items():
        yield f"ai {arm}", want, table(setting, stage, ways, aiDispatched=arm == "true")
    for name, want in block["km_class"].items():
        yield name, want, table(setting, stage, ways, classification=name)


def quantiles(want: dict[str, Any]) -> list[np.ndarray]:
    """Return R's quantiles and their lower and upper limits, NaN where not reached."""
    return [numbers(want["quantiles"][f"inf_def{side}"]) for side in ("", "_lower", "_upper")]


def numbers(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)
