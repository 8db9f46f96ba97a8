"""How much anyone had in hand at once, counted anew minute by minute."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import law
from strategies import ENGINES, action, frame

import periodkit as pk

PEOPLE = ["Ada", "Bo"]


def test_a_person_is_told_from_the_next():
    actions = frame(
        [
            action(created=0.0, closed=10.0, assigned_user_names=["Ada"]),
            action(created=4.0, closed=6.0, assigned_user_names=["Ada", "Bo"], channel="Bar", latest_channel="Gate"),
            action(created=20.0, closed=30.0, assigned_user_names=["Ada"], channel="Bar", latest_channel="Bar"),
        ]
    )
    ada, bo = pk.load(actions).to_dict("records")
    assert (ada["n"], ada["max_open"], ada["busy"], ada["shared"], ada["rerouted"]) == (
        3,
        2,
        pd.Timedelta("20min"),
        1,
        1,
    )
    assert ada["max_at"] == pd.Timestamp("2024-07-01T19:04Z")
    assert ada["mean_open"] == pytest.approx((10 + 2 + 10) / 20)
    assert (bo["n"], bo["max_open"], bo["mean_open"], bo["shared"]) == (1, 1, 1.0, 1)


times = st.integers(0, 12)
rows = st.lists(
    st.tuples(times, st.none() | times, st.none() | st.lists(st.sampled_from(PEOPLE), max_size=2)), max_size=8
)


@law(40)
@given(rows)
def test_it_is_what_counting_minute_by_minute_gives(spans):
    actions = frame(
        [
            action(created=float(start), closed=None if end is None else float(end), assigned_user_names=names)
            for start, end, names in spans
        ]
    )
    found = pk.load(actions).set_index("assigned_user_names")
    for name in [*PEOPLE, None]:
        own = [
            (start, 60 if end is None else end)
            for start, end, names in spans
            if (name in names if names else name is None) and (end is None or end >= start)
        ]
        rows_of = found[found.index.isna()] if name is None else found[found.index == name]
        if not own:
            assert rows_of.empty or rows_of["used"].item() == 0
            continue
        open_at = [sum(start <= minute < end for start, end in own) for minute in range(61)]
        # An action that takes no time is in hand for that moment.
        peak = max(sum(start <= minute < end or start == minute == end for start, end in own) for minute in range(61))
        at_once = max(
            peak,
            *(
                sum(start <= minute <= end if start == minute else start < minute <= end for start, end in own)
                for minute in range(61)
            ),
        )
        row = rows_of.iloc[0]
        assert peak <= row["max_open"] <= at_once
        assert row["busy"] == pd.Timedelta(minutes=sum(n > 0 for n in open_at))
        if any(open_at):
            assert row["mean_open"] == pytest.approx(sum(open_at) / sum(n > 0 for n in open_at))
        else:
            assert pd.isna(row["mean_open"])


def test_all_actions_together_are_what_workload_counts(season_frames):
    actions = season_frames[1].head(5000)
    found = pk.load(actions, by=None).iloc[0]
    assert found["max_open"] == pk.workload(actions, freq="1h")["in_progress_max"].max()
    assert found["n"] == len(actions)
    assert found["used"] + found[["not_started", "invalid", "unknown"]].sum() == found["n"]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same(engine):
    actions = frame(
        [
            action(created=0.0, doing=1.0, closed=10.0, channel="Bar 10", latest_channel="Gate"),
            action(created=4.0, closed=6.0, channel="Bar 10", latest_channel="Bar 10"),
            action(created=4.0, channel="Bar 2", status="open"),
            action(created=None, channel=None),
        ]
    )
    for stage in ("cycle", "work"):
        expected = pk.load(actions, "channel", stage=stage, as_of="2024-07-01T19:05Z")
        found = pk.load(ENGINES[engine](actions), "channel", stage=stage, as_of="2024-07-01T19:05Z")
        pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert pk.load(actions, "channel")["channel"].tolist()[:2] == ["Bar 2", "Bar 10"]
    assert pk.load(actions, "channel", sort="max_open")["channel"].tolist()[0] == "Bar 10"


def test_channels_that_the_frame_lacks_are_not_known():
    actions = frame([action(closed=2.0)]).drop(columns=["channel", "latest_channel"])
    found = pk.load(actions, by="classification")
    assert found[["shared", "rerouted"]].isna().all(axis=None)


def test_no_actions_are_no_rows_with_every_column():
    found = pk.load(frame([]))
    assert found.empty
    assert [*found.columns] == [*pk.load(frame([action(assigned_user_names=["Ada"])])).columns]


@pytest.mark.parametrize(
    ("options", "said"),
    [({"by": "busy"}, "in the result"), ({"stage": "nap"}, "stage is 'nap'"), ({"sort": "x"}, "sort is")],
)
def test_what_it_does_not_take_is_named(options, said):
    with pytest.raises(pk.ArgumentError, match=said):
        pk.load(frame([action(assigned_user_names=["Ada"])]).assign(busy=1), **options)
