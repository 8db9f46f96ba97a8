"""What a season's charts and nights say: measures that left their limits, and nights unlike those before them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from periodkit import answers
from periodkit.metrics import season, unusual_periods
from periodkit.reporting.findings.measures import name_of
from periodkit.wording import Target, compared, measure_name, most_surprising

__all__ = ["MORE_IS_GOOD", "Nights", "Told", "odd_nights", "signals"]

MORE_IS_GOOD = {"on_time": True, "p50": False, "p90": False, "response_p90": False, "reroute_rate": False}
_CHARTS = ("on_time", "p50", "p90", "ai_rate", "reroute_rate", "actions")
_SAID = 3


class Told(NamedTuple):
    """What a sentence is about, and the sentence."""

    measure: str
    about: str | None
    sentence: str
    n: int
    good: bool | None


class Nights(NamedTuple):
    """The nights that stand out, how many measures were judged and of how many nights."""

    told: list[Told]
    compared: int
    judged: int


def signals(actions: pd.DataFrame, periods: pd.DataFrame, target: Target) -> tuple[list[Told], int]:
    """Return the measures that left the limits of the first periods, or stay on one side; and how many have limits."""
    told, judged = [], 0
    for measure in _CHARTS:
        chart = season(actions, periods, measure, target=target.delta if measure == "on_time" else None)
        judged += int(chart["upper"].notna().any())
        odd = chart[chart["outside"] | chart["run"]]
        if odd.empty:
            continue
        name = f"Share closed within {target}" if measure == "on_time" else measure_name(measure)
        last = odd.iloc[-1]
        good = MORE_IS_GOOD.get(measure)
        better = None if good is None else bool(last["value"] > last["center"]) is good
        told.append(Told(measure, None, answers.season(chart, name), int(chart["n"].sum()), better))
    return told, judged


def odd_nights(actions: pd.DataFrame, periods: pd.DataFrame, target: Target) -> Nights:
    """Return the nights unlike those before them, the most surprising first."""
    every = unusual_periods(actions, periods, target=target.delta)
    found = sorted(_nights(every[every["unusual"]]), key=lambda pair: pair[0])
    return Nights([told for _, told in found], int(every["p"].notna().sum()), every["period_id"].nunique())


def _nights(odd: pd.DataFrame) -> Iterator[tuple[float, Told]]:
    for key, night in odd.groupby("period_id", sort=False):
        rows: list[dict[str, Any]] = [
            {str(name): value for name, value in row.items()} for row in most_surprising(night).to_dict("records")
        ]
        name = f"{name_of(night['period_name'].iloc[0])} ({key})"
        more = len(rows) - _SAID
        said = "; ".join(compared(row) for row in rows[:_SAID]) + (f"; and {more} more" if more > 0 else "")
        ways = {_better(row) for row in rows}
        good = ways.pop() if len(ways) == 1 else None
        yield float(np.min(night["p"])), Told(rows[0]["measure"], name, f"{name}: {said}.", int(rows[0]["n"]), good)


def _better(row: dict[str, Any]) -> bool | None:
    good = MORE_IS_GOOD.get(row["measure"])
    return None if good is None else bool(row["value"] > row["expected"]) is good
