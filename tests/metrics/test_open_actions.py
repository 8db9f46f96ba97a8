"""What is open is what the other metrics count as open, at its exact age."""

import pandas as pd
import pytest

import periodkit as pk

SEEN = pd.Timestamp("2024-07-01T20:00Z").as_unit("us")


def actions_of(*rows):
    """Rows of (minutes since created, assigned, doing, closed, all before SEEN; status)."""
    times = ["created_time", "assigned_time", "doing_time", "closed_time"]
    frame = pd.DataFrame(rows, columns=[*times, "status"])
    for name in times:
        frame[name] = (SEEN - pd.to_timedelta(frame[name].astype("float64"), unit="min")).astype("datetime64[us, UTC]")
    return frame.assign(action_id=range(1, len(rows) + 1), classification="Lift", fetched_at=SEEN)


def test_one_of_each_kind():
    actions = actions_of(
        (5, None, None, None, "new"),
        (20, 19, None, None, "assigned"),
        (30, 29, 28, None, "doing"),
        (40, 39, 38, 37, "closed"),
        (50, 49, None, None, "Canceled"),
        (60, None, None, None, "done"),
        (-5, None, None, None, "new"),
        (None, None, None, None, "new"),
    )
    found = pk.open_actions(actions, "20min")
    assert found["action_id"].tolist() == [3, 2, 1]
    assert found["waits_for"].tolist() == ["closing", "start", "assignment"]
    assert (found["age"] / pd.Timedelta("1min")).tolist() == [30, 20, 5]
    assert (found["left"] / pd.Timedelta("1min")).tolist() == [-10, 0, 15]
    assert found["past"].tolist() == [True, False, False]
    assert found.index.tolist() == [2, 1, 0]


def test_a_moment_is_replayed():
    actions = actions_of((30, 29, 28, 10, "closed"), (5, None, None, None, "new"))
    found = pk.open_actions(actions, as_of=SEEN - pd.Timedelta("28min30s"))
    assert found["waits_for"].tolist() == ["start"]
    assert found["age"].tolist() == [pd.Timedelta("90s")]
    assert "left" not in found.columns


@pytest.mark.parametrize("as_of", [None, "2025-05-17T15:00Z", "2020-01-01"])
def test_as_many_as_cycle_times_counts_as_open(season_frames, as_of):
    actions = season_frames[1]
    before = actions.copy()
    found = pk.open_actions(actions, "1h", as_of=as_of)
    assert len(found) == pk.cycle_times(actions, as_of=as_of)["open"].item()
    assert found["age"].is_monotonic_decreasing
    assert (found["age"] + found["left"]).eq(pd.Timedelta("1h")).all()
    pd.testing.assert_frame_equal(actions, before)


def test_nothing_open_gives_the_same_columns(season_frames):
    actions = season_frames[1]
    some, none = pk.open_actions(actions, "1h"), pk.open_actions(actions.head(0), "1h")
    assert none.empty
    pd.testing.assert_series_equal(none.dtypes, some.dtypes)


def test_a_target_that_is_none_is_said(season_frames):
    with pytest.raises(pk.ArgumentError, match="target is 20"):
        pk.open_actions(season_frames[1], 20)
