"""What becomes of what is open: small cases by hand, every engine alike, and what the history cannot say."""

import numpy as np
import pandas as pd
import pytest
from strategies import ENGINES, action, actions, frame, minutes

import periodkit as pk


def past(n, kind="Spill", **more):
    """Actions of a kind that were closed after 1, 2, ... n minutes."""
    return [action(closed=length, status="closed", classification=kind, **more) for length in range(1, n + 1)]


def still(*ages, kind="Spill"):
    return [action(created=60 - age, classification=kind) for age in ages]


def test_one_of_a_kind_by_hand():
    history = frame(past(100))
    ahead = pk.outlook(frame(still(20, 60)), history, "20min")
    assert ahead["by"].tolist()[1:] == ["classification"]
    assert ahead["group"].isna().tolist() == [True, False]
    whole = ahead.iloc[0]
    # 80 lasted longer than 20 minutes, 60 of them longer than 40; of 40 past 60 minutes 20 past 80.
    assert whole["expected"] == pytest.approx(60 / 80 + 20 / 40)
    assert (whole["open"], whole["all_kinds"], whole["not_known"], whole["low"], whole["high"]) == (2, 0, 0, 0, 2)
    listed = pk.open_actions(frame(still(20, 60)), "40min", history)
    assert listed["p_late"].tolist() == pytest.approx([1.0, 60 / 80])
    assert listed["judged_by"].tolist() == ["own kind", "own kind"]


def test_a_kind_that_is_rare_is_judged_by_all_kinds_and_none_beyond_what_was_seen():
    history = frame([*past(100), *past(30, kind="Lift"), action(closed=None, fetched=200)])
    now = frame([*still(20, 95), *still(5, 20, kind="Lift"), *still(5, kind="Crowd"), *still(5, kind=None)])
    listed = pk.open_actions(now, "2h", history).set_index(["classification", "age"])
    assert listed.loc[("Lift", minutes(5)), "judged_by"] == "own kind"
    assert listed.loc[("Lift", minutes(20)), "judged_by"] == "all kinds"
    assert listed.loc[("Crowd", minutes(5)), "judged_by"] == "all kinds"
    assert listed.loc[("Spill", minutes(95)), ["p_late", "judged_by"]].isna().all()
    # All kinds, older than 20 minutes: 80 and 10 that were closed, one open; that one is past two hours.
    assert listed.loc[("Lift", minutes(20)), "p_late"] == pytest.approx(1 / 91)
    ahead = pk.outlook(now, history, "20min")
    assert ahead["group"].tolist()[1:4] == ["Crowd", "Lift", "Spill"]
    assert ahead["group"].isna().tolist() == [True, False, False, False, True]
    assert ahead["open"].tolist() == [6, 1, 2, 2, 1]
    assert ahead["not_known"].tolist() == [1, 0, 0, 1, 0]
    assert ahead["all_kinds"].tolist() == [3, 1, 1, 0, 1]
    assert ahead.loc[0, "expected"] == pytest.approx(ahead["expected"].iloc[1:].sum())
    spill = ahead.iloc[3]
    assert (spill["low"], spill["high"], spill["expected"]) == (0, 2, pytest.approx(61 / 81))


def test_without_history_nothing_is_known():
    none = frame([]).head(0)
    ahead = pk.outlook(frame(still(5, 9)), none, "20min", by=None)
    assert ahead[["open", "not_known", "low", "high"]].iloc[0].tolist() == [2, 2, 0, 2]
    assert np.isnan(ahead["expected"].item())
    listed = pk.open_actions(frame(still(5, 30)), "20min", none)
    assert listed["p_late"].isna().tolist() == [False, True]
    assert listed["p_late"].iloc[0] == 1
    nothing = pk.outlook(frame(past(3)), frame(past(30)), "20min")
    assert nothing[["open", "expected", "low", "high"]].eq(0).all(axis=None)
    pd.testing.assert_series_equal(nothing.dtypes, pk.outlook(frame(still(5)), frame(past(50)), "20min").dtypes)


def test_canceled_is_an_end_too():
    rows = past(40) + [action(closed=length, status="Canceled") for length in range(1, 41)]
    ahead = pk.outlook(frame(still(10)), frame(rows), "10min", by=None)
    assert ahead["expected"].item() == pytest.approx(40 / 60)


def test_a_replay_does_not_see_what_came_later(season_frames):
    periods, every = season_frames
    row = periods.iloc[-3]
    as_of = row["start_date"] + (row["end_date"] - row["start_date"]) / 2
    own = every[every["period_id"] == row["period_id"]]
    earlier = every[every["created_time"] < row["start_date"] - pd.Timedelta("1D")]
    later = every[every["created_time"] > as_of]
    alone, leaking = (pk.outlook(own, each, "30min", as_of=as_of) for each in (earlier, pd.concat([earlier, later])))
    pd.testing.assert_frame_equal(alone, leaking)


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same(recorded_frames, engine):
    every = recorded_frames[1]
    as_of = "2020-04-18T20:00Z"
    own, earlier = (every[mask] for mask in (every["period_id"] == 1013, every["period_id"] < 1013))
    native = ENGINES[engine]
    expected = pk.outlook(own, earlier, "1h", by="channel", as_of=as_of)
    assert expected["open"].iloc[0] > 5
    pd.testing.assert_frame_equal(pk.outlook(native(own), native(earlier), "1h", by="channel", as_of=as_of), expected)
    listed = pk.open_actions(own, "1h", earlier, as_of=as_of)
    pd.testing.assert_frame_equal(pk.open_actions(own, "1h", native(earlier), as_of=as_of), listed)


def test_bad_arguments_are_named():
    history = actions({})
    with pytest.raises(pk.ArgumentError, match="target is None"):
        pk.open_actions(history, history=history)
    with pytest.raises(pk.ArgumentError, match="horizon is 60"):
        pk.outlook(history, history, 60)
    with pytest.raises(pk.ArgumentError, match="confidence"):
        pk.outlook(history, history, "1h", confidence=95)
    with pytest.raises(pk.SchemaError, match="'colour'"):
        pk.open_actions(history, "1h", history, by="colour")
