"""Do `outlook` and `p_late` come true: ``python benchmarks/outlook.py [FIRE-DEPARTMENT.json.gz]``.

Every night is looked at from several moments of it, with the nights before as its history, and held against what came.
"""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

import periodkit as pk
from periodkit.sandbox import DataSet, Sandbox
from periodkit.sandbox.season import make_season

HORIZONS = ("10min", "20min", "40min", "1h")
MOMENTS = np.arange(0.1, 1.0, 0.1)
BINS = [0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0]


def frames_of(dataset):
    with Sandbox(dataset) as running, pk.Client(running.base_url, running.token, progress=False) as client:
        periods = client.periods()
        return periods, client.actions(periods)


def look(periods, actions, targets, history):
    """Return what was said at each moment of the nights that have so many before them, and what came."""
    ahead, late = [], []
    for at in range(history, len(periods)):
        night = periods.iloc[at]
        own = actions[actions["period_id"] == night["period_id"]]
        before = actions[actions["period_id"].isin(periods["period_id"].iloc[:at])]
        seen = own["fetched_at"].max()
        for share in MOMENTS:
            as_of = night["start_date"] + share * (night["end_date"] - night["start_date"])
            left = own.loc[pk.open_actions(own, as_of=min(as_of, seen)).index]
            for horizon in HORIZONS:
                then = as_of + pd.Timedelta(horizon)
                if then <= seen and len(left):
                    said = pk.outlook(own, before, horizon, as_of=as_of).iloc[0]
                    came = int((left["closed_time"].isna() | (left["closed_time"] > then)).sum())
                    ahead.append({"horizon": horizon, "came": came, **said})
            for target in targets if as_of <= seen else ():
                said = pk.open_actions(own, target, before, as_of=as_of)
                rows = own.loc[said.index]
                limit = rows["created_time"] + pd.Timedelta(target)
                decided = (~said["past"] & said["p_late"].notna() & (limit < seen)).to_numpy()
                came = (rows["closed_time"].isna() | (rows["closed_time"] > limit)).to_numpy()
                late.append(pd.DataFrame({"p": said["p_late"][decided], "came": came[decided]}))
    return pd.DataFrame(ahead), pd.concat(late)


def show(name, periods, actions, targets, history):
    ahead, late = look(periods, actions, targets, history)
    inside = ahead["came"].between(ahead["low"], ahead["high"])
    print(f"{name}: {len(ahead)} outlooks, {100 * inside.mean():.1f} % of what came lay within the 95 % limits")
    print(inside.groupby(ahead["horizon"]).agg(["mean", "size"]).round(3).to_string())
    print(f"open {ahead['open'].mean():.1f}, width {(ahead['high'] - ahead['low']).mean():.1f}")
    found = late.groupby(pd.cut(late["p"], BINS, include_lowest=True), observed=True)
    print(found.agg(said=("p", "mean"), late=("came", "mean"), n=("came", "size")).round(3).to_string(), "\n")


if __name__ == "__main__":
    show("season", *frames_of(make_season().dataset), ("20min", "30min", "45min"), 5)
    if len(sys.argv) > 1:
        show("fire department", *frames_of(DataSet.load(Path(sys.argv[1]))), ("45min", "75min", "90min"), 3)
