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
STAGES = ("created_assigned", "assigned_doing", "doing_closed", "created_closed")
SETTINGS = ("survival_asof", "survival_period_end")
NULL = -1.0  # a time that is missing; real ones are seconds since 1970


@cache
def expected() -> dict[str, Any]:
    path = FOLDER / "oracle.json"
    if not path.exists():
        pytest.skip("R's results (shared/data/sffd/oracle.json) are not beside the checkout")
    return json.loads(path.read_text())


@cache
def shared(name: str) -> Any:
    """Return one of R's files of results."""
    path = FOLDER / f"{name}.json"
    if not path.exists():
        pytest.skip(f"R's results (shared/data/sffd/{path.name}) are not beside the checkout")
    return json.loads(path.read_text())


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
def durations(setting: str, stage: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    kind = np.where(stop != NULL, 1, np.where(closed != NULL, 2, 0))
    if stage.endswith("closed"):
        kind[(kind == 1) & canceled] = 2
    length = np.where(stop != NULL, stop, np.where(closed != NULL, closed, limit)) - start
    used &= length >= 0
    return np.flatnonzero(used), length[used], kind[used]


def table(setting: str, stage: str, **where: object) -> LifeTable:
    """Count one stage's life table of the calls that match, e.g. ``aiDispatched=True``."""
    used, length, kind = durations(setting, stage)
    keep = np.ones(used.size, dtype=bool)
    for field, value in where.items():
        keep &= calls()[field][used] == value
    return count(length[keep], kind[keep])


def groups(setting: str, stage: str) -> Iterator[tuple[str, dict[str, Any], LifeTable]]:
    """Yield R's Kaplan-Meier results, with their tables, overall, by arm and by class."""
    block = expected()[setting][stage]
    yield "overall", block["km_overall"], table(setting, stage)
    for arm, want in block["km_ai"].items():
        yield f"ai {arm}", want, table(setting, stage, aiDispatched=arm == "true")
    for name, want in block["km_class"].items():
        yield name, want, table(setting, stage, classification=name)


def numbers(values: list[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else value for value in values], dtype=float)
