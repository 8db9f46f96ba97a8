"""Every stage beside the others is what `cycle_times` says of it alone."""

import pandas as pd
import pytest

import periodkit as pk

STAGES = ["dispatch", "pickup", "work", "response", "cycle"]


@pytest.mark.parametrize("by", [None, "channel", ["classification", "ai_dispatched"]])
def test_each_row_is_that_of_cycle_times(season_frames, by):
    actions = season_frames[1].head(4000)
    found = pk.stage_quantiles(actions, by, quantiles=[0.25, 0.9], canceled="exclude", confidence=0.9)
    assert found["stage"].tolist() == STAGES * (len(found) // 5)
    for stage in STAGES:
        alone = pk.cycle_times(actions, by, stage, quantiles=[0.25, 0.9], canceled="exclude", confidence=0.9)
        rows = found[found["stage"] == stage].drop(columns="stage").reset_index(drop=True)
        pd.testing.assert_frame_equal(rows, alone)


def test_a_moment_is_replayed(season_frames):
    actions = season_frames[1].tail(400)
    moment = actions["created_time"].iloc[200]
    whole = pk.stage_quantiles(actions, as_of=moment).set_index("stage")["n"]
    assert whole.unique().tolist() == [400]
    assert pk.stage_quantiles(actions, as_of=moment).set_index("stage").loc["cycle", "not_started"] == 199


def test_nothing_gives_the_same_columns(season_frames):
    empty = season_frames[1].head(0)
    assert pk.stage_quantiles(empty, "channel").empty
    assert pk.stage_quantiles(empty, "channel").columns[:3].tolist() == ["channel", "stage", "n"]
    assert len(pk.stage_quantiles(empty)) == 5


def test_a_group_called_stage_would_be_overwritten(season_frames):
    with pytest.raises(pk.ArgumentError, match="stage"):
        pk.stage_quantiles(season_frames[1].assign(stage="x"), "stage")
