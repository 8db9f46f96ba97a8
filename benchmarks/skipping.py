"""What response times say where people skip "doing", held against the true times of the synthetic season.

Run with ``python benchmarks/skipping.py [SEASONS]``. Each season is drawn anew. A share of the starts of closed actions is
then hidden, at random, or more often among the quick or the slow ones, and the response P50 and P90 are estimated three
ways. The truth is the quantile of the drawn times of all actions that were not canceled. This measures truth, not time.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd

import periodkit as pk
from periodkit.parse import Answer, parse_actions
from periodkit.sandbox.season import make_season
from periodkit.sandbox.simulation import Parameters

HIDDEN = 0.2
WAYS = {
    "exclude": {},
    "canceled=censor": {"canceled": "censor"},
    "skipped=at_close": {"skipped": "at_close"},
}


def season_frames(seed: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the actions of a season in which nobody skips a step, and their truth in the same order."""
    import json

    season = make_season(seed, Parameters(skipped_doing=0.0, skipped_doing_by_channel=(), anomalies=()))
    bodies = [
        Answer(json.dumps({"actions": records}).encode(), season.dataset.as_of, period_id)
        for period_id, records in season.dataset.actions.items()
    ]
    actions = parse_actions(bodies)
    truth = season.truth.actions.loc[actions["action_id"].astype("int64")]
    return actions, truth.reset_index(drop=True)


def hide(actions: pd.DataFrame, truth: pd.DataFrame, which: str, rng: np.random.Generator) -> pd.DataFrame:
    """Hide the start of a fifth of the closed actions, at random or by how long their response took."""
    closed = (
        actions["closed_time"].notna() & actions["doing_time"].notna() & (actions["status"] == "closed")
    ).to_numpy()
    response = (truth["dispatch"] + truth["pickup"]).to_numpy()
    rank = pd.Series(response).where(closed).rank(pct=True).to_numpy()
    share = {"random": 1.0, "quick": 2 * (1 - rank), "slow": 2 * rank}[which]
    hidden = closed & (rng.random(len(actions)) < HIDDEN * share)
    return actions.assign(doing_time=actions["doing_time"].mask(hidden))


def main(seasons: int = 100) -> None:
    rows = []
    for seed in range(seasons):
        rng = np.random.default_rng(seed)
        actions, truth = season_frames(seed)
        kept = ~actions["status"].isin(["canceled", "cancelled"]).to_numpy()
        response = np.sort((truth["dispatch"] + truth["pickup"]).to_numpy()[kept])
        true = {q: response[int(np.ceil(q * len(response))) - 1] for q in (0.5, 0.9)}
        for which in ("random", "quick", "slow"):
            seen = hide(actions, truth, which, rng)
            for way, options in WAYS.items():
                row = pk.cycle_times(seen, stage="response", **options).iloc[0]
                for q, name in ((0.5, "p50"), (0.9, "p90")):
                    value, low, high = (row[name + end].total_seconds() for end in ("", "_low", "_high"))
                    covered = low <= true[q] <= high
                    rows.append((which, way, name, value / true[q], covered, value >= true[q]))
    found = pd.DataFrame(rows, columns=["hidden", "way", "quantile", "ratio", "covered", "not below"])
    table = found.groupby(["hidden", "way", "quantile"], sort=False).agg(
        ratio=("ratio", "mean"), covered=("covered", "mean"), **{"not below": ("not below", "mean")}
    )
    print(table.round(3).to_string())


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
