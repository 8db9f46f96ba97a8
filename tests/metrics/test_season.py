"""The chart of a season: R's figures from the frames, every engine alike, and what a period without a value does."""

import numpy as np
import pandas as pd
import pytest
from oracle import shared
from strategies import ENGINES

import periodkit as pk

ARGUMENTS = {
    "ai_rate_laney": {"measure": "ai_rate"},
    "reroute_rate_laney": {"measure": "reroute_rate"},
    "on_time_laney": {"measure": "on_time", "target": "20min"},
    "cycle_log_median_xmr": {"measure": "p50"},
    "cycle_log_p90_xmr": {"measure": "p90"},
    "response_log_median_xmr": {"measure": "p50", "stage": "response"},
    "response_log_p90_xmr": {"measure": "p90", "stage": "response"},
    "actions_log_xmr": {"measure": "actions"},
}
LINES = {"center": "centre", "lower": "low", "upper": "high"}
FLAGS = {"outside": "outside", "run": "run7", "trend": "trend7", "near": "two_of_three_nhs"}
GROUPED = [name for name in ARGUMENTS if name in ("ai_rate_laney", "on_time_laney", "cycle_log_median_xmr")]
CASES = [(None, name) for name in ARGUMENTS] + [
    (group, name) for group in ("Medical Incident", "Alarms") for name in GROUPED
]


def expected_of(name, part):
    """R's lines, brought back from the logarithm; its signals; the period's value and on how many it rests."""
    series = part["series"]
    stage = "response_" if name.startswith("response") else ""
    pairs = {
        "ai_rate": ("ai", "not_ai"),
        "reroute_rate": ("rerouted", "stayed"),
        "on_time": ("on_time_met", "on_time_missed"),
    }
    if name.endswith("_laney"):
        hits, misses = (np.array(series[key]) for key in pairs[name.removesuffix("_laney")])
        return hits / (hits + misses), hits + misses, ""
    if name.startswith("actions"):
        return np.array(series["n"]), np.array(series["n"]), "_n"
    kind = "median" if "median" in name else "p90"
    return np.array(series[f"{stage}{kind}_s"]), np.array(series[f"{stage}used"]), "_s"


def plain(values):
    return values.dt.total_seconds() if values.dtype.kind == "m" else values


@pytest.mark.parametrize(("group", "name"), CASES)
def test_agrees_with_r_from_the_frames(recorded_frames, group, name):
    periods, actions = recorded_frames
    part = shared("oracle_season")
    part = part if group is None else part["by_classification"][group]
    wanted = part["charts"][name]["first12"]
    chart = pk.season(actions, periods, **ARGUMENTS[name], by=None if group is None else "classification")
    if group is not None:
        chart = chart[chart["classification"] == group].reset_index(drop=True)
    assert chart["period_id"].tolist() == shared("oracle_season")["series"]["period_id"]
    value, n, unit = expected_of(name, part)
    np.testing.assert_allclose(plain(chart["value"]), value, rtol=1e-9)
    assert chart["n"].tolist() == n.tolist()
    for ours, theirs in LINES.items():
        line = np.broadcast_to(np.array(wanted.get(theirs + unit, np.nan), dtype=float), len(chart))
        # Timedeltas are whole microseconds.
        np.testing.assert_allclose(plain(chart[ours]), line, rtol=1e-9, atol=6e-7 if unit == "_s" else 0, err_msg=ours)
    np.testing.assert_allclose(chart["sigma_z"], wanted.get("sigma_z", np.nan), rtol=1e-9)
    signals = wanted.get("signals", {key: [] for key in FLAGS.values()})
    for ours, theirs in FLAGS.items():
        assert (np.flatnonzero(chart[ours]) + 1).tolist() == signals[theirs], ours
    assert chart["signal"].tolist() == chart[[*FLAGS]].any(axis=1).tolist()
    assert chart["phase"].tolist() == ["baseline"] * 12 + ["monitored"] * 3


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("measure", ["ai_rate", "p90", "on_time", "actions"])
def test_every_engine_gives_the_same(recorded_frames, engine, measure):
    periods, actions = recorded_frames
    more = {"measure": measure, "by": "channel", "target": "20min" if measure == "on_time" else None}
    own = pk.season(actions, periods, **more)
    for periods_given in (periods, None):
        other = pk.season(ENGINES[engine](actions), periods_given, **more)
        pd.testing.assert_frame_equal(
            own.drop(columns="start_date"), other.drop(columns="start_date"), check_dtype=False
        )


@pytest.mark.parametrize("engine", [None, *ENGINES])
def test_a_moment_is_replayed(recorded_frames, engine):
    periods, actions = recorded_frames
    as_of = pd.Timestamp("2020-04-15T20:00Z")
    given = actions if engine is None else ENGINES[engine](actions)
    chart = pk.season(given, periods, "actions", as_of=as_of)
    there = actions[actions["created_time"] <= as_of].groupby("period_id").size()
    assert chart["n"].tolist() == there.reindex(periods["period_id"], fill_value=0).tolist()
    assert chart["phase"].unique().tolist() == ["trial"]
    late = chart[chart["n"] == 0]
    assert len(late) == 5
    assert late[["value", "lower", "upper"]].isna().all(axis=None)
    assert not late["signal"].any()
    quick = pk.season(given, periods, "on_time", target="20min", as_of=as_of)
    known = pk.on_time(actions, "20min", by="period_id", canceled="exclude", as_of=as_of)
    assert quick["n"].tolist() == (known["met"] + known["missed"]).tolist()


def test_limits_are_taken_anew_where_told(season_frames):
    periods, actions = season_frames
    name = periods["period_name"].iloc[15]
    whole, anew = (pk.season(actions, periods, "ai_rate", baseline=8, rebase=rebase) for rebase in (None, name))
    assert anew["phase"].tolist() == ["baseline"] * 8 + ["monitored"] * 7 + ["baseline"] * 8 + ["monitored"] * 3
    assert anew["center"].nunique() == 2
    assert anew["center"].iloc[-1] > whole["center"].iloc[-1]
    pd.testing.assert_frame_equal(
        anew, pk.season(actions, periods, "ai_rate", baseline=8, rebase=int(periods["period_id"].iloc[15]))
    )


def test_rows_of_groups_are_sorted_with_null_last_and_each_has_every_period(season_frames):
    periods, actions = season_frames
    some = actions.assign(classification=actions["classification"].where(actions.index % 50 > 0))
    chart = pk.season(some, periods, "p50", by="classification")
    groups = chart["classification"].drop_duplicates()
    assert groups.dropna().is_monotonic_increasing
    assert groups.isna().tolist() == [False] * (len(groups) - 1) + [True]
    assert len(chart) == len(groups) * len(periods)
    assert chart["classification"].dtype == some["classification"].dtype


def test_nothing_at_all_has_the_same_columns(season_frames):
    periods, actions = season_frames
    some = pk.season(actions, periods, "p50", by="channel")
    for none in (
        pk.season(actions.head(0), periods, "p50", by="channel"),
        pk.season(actions.head(0), None, "p50", by="channel"),
    ):
        assert none.empty
        pd.testing.assert_series_equal(none.dtypes, some.dtypes)
    empty = pk.season(actions.head(0), periods)
    assert len(empty) == len(periods)
    assert empty["value"].isna().all()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"measure": "p95"}, "measure is 'p95'"),
        ({"measure": "on_time"}, "on_time needs a target"),
        ({"target": "20min"}, "ai_rate takes no target"),
        ({"baseline": 0}, "baseline is 0"),
        ({"rebase": "Nowhere"}, "rebase is 'Nowhere', which is none"),
        ({"by": "period_id"}, "by is"),
        ({"stage": "nap", "measure": "p50"}, "stage is 'nap'"),
    ],
)
def test_bad_arguments_are_named(season_frames, more, says):
    periods, actions = season_frames
    with pytest.raises(pk.ArgumentError, match=says):
        pk.season(actions, periods, **more)
