"""One answer to what state each action is in: the rules in plain Python, in every engine, and in everything that counts."""

from collections import Counter

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from laws import law
from rules import enter
from strategies import ENGINES, FRAMES, NO_TIMES, action, actions, at, frame, minutes

import periodkit as pk
from periodkit.milestones import STAGES, STATES, TIMED, stage_states

stages = st.sampled_from([*STAGES])
moments = st.sampled_from([None, 5, 9]).map(at)


@law(100)
@given(FRAMES, stages, moments)
def test_states_are_those_of_the_rules_one_action_at_a_time(actions, stage, as_of):
    got = stage_states(actions, stage, as_of)
    want = [enter(row, stage, as_of) for row in actions.to_dict("records")]
    assert got["state"].tolist() == [state for state, _, _ in want]
    assert [None if pd.isna(length) else length for length in got["length"]] == [length for _, length, _ in want]
    assert got["length"].notna().tolist() == got["state"].isin(TIMED).tolist()
    assert [None if pd.isna(seen) else seen for seen in got["seen"]] == [seen for _, _, seen in want]


@law(20)
@given(FRAMES, stages, moments)
def test_every_engine_gives_the_same_states(actions, stage, as_of):
    expected = stage_states(actions, stage, as_of)
    for engine, convert in ENGINES.items():
        note(engine)
        pd.testing.assert_frame_equal(stage_states(convert(actions), stage, as_of), expected)


@law(20)
@given(FRAMES, stages, moments)
def test_each_stage_time_is_that_of_the_state(actions, stage, as_of):
    times, states = pk.stage_times(actions, as_of)[stage], stage_states(actions, stage, as_of)
    both_ends = states["state"].isin(["event", "canceled"])
    pd.testing.assert_series_equal(times[both_ends], states["length"][both_ends], check_names=False)


@law(20)
@given(FRAMES, st.sampled_from([None, 5, 9]))
def test_everything_counts_the_same_as_open(rows, moment):
    """Of any frame: the table, the list, the summary, the load and the picture."""
    as_of = at(moment)
    states = Counter(stage_states(rows, as_of=as_of)["state"])
    times = pk.cycle_times(rows, as_of=as_of).iloc[0]
    names = {"events": "event"} | {name: name for name in STATES if name != "event"}
    assert {name: times[name] for name in names} == {name: states[state] for name, state in names.items()}

    listed = pk.open_actions(rows, "5min", as_of=as_of)
    assert len(listed) == states["open"]
    summary = pk.describe(rows, as_of=as_of).set_index("measure")["value"]
    assert summary["open"] == states["open"]
    assert summary[["closed", "canceled", "open", "unknown"]].sum() == summary["actions"]
    load = pk.workload(rows, "1h", as_of=as_of)
    if len(load):
        assert load["in_progress"].iloc[-1] == states["open"]
    late = pk.on_time(rows, "5min", as_of=as_of).iloc[0]
    assert late["undetermined"] + (listed["left"] <= minutes(0)).sum() == states["open"]


@law(6)
@given(FRAMES, st.sampled_from([None, 9]))
def test_pictures_and_the_report_count_the_same_as_open(rows, moment):
    still = pk.cycle_times(rows, as_of=at(moment))["open"].item()
    ax = pk.plots.aging(rows, as_of=at(moment))
    texts = " ".join(text.get_text() for text in ax.figure.findobj(plt.Text))
    assert f"n = {still:,} open of {len(rows):,}" in texts if still else f"n = {len(rows):,}" not in texts
    plt.close(ax.figure)


def test_what_was_counted_three_ways():
    rows = [action(), action(created=None), action(created=62), action(created=60.5)]
    assert pk.cycle_times(frame(rows))["open"].item() == 2
    assert pk.open_actions(frame(rows))["age"].tolist() == [minutes(60), minutes(0)]
    summary = pk.describe(frame(rows)).set_index("measure")["value"]
    assert summary[["actions", "closed", "canceled", "open", "unknown"]].tolist() == [4, 0, 0, 2, 2]


@pytest.mark.parametrize("none", NO_TIMES)
def test_one_absurd_record_changes_no_number(none):
    usual = [action(assigned=1, doing=2, closed=number, status="closed") for number in range(3, 33)]
    odd = [action(closed=none), action(created=none, closed=5), action(created=none)]
    for number, row in enumerate(odd):
        times = pk.cycle_times(frame([*usual, row])).iloc[0]
        pd.testing.assert_series_equal(
            times.drop(["n", "invalid"]), pk.cycle_times(frame(usual)).iloc[0].drop(["n", "invalid"])
        )
        assert times["invalid"] == 1
        load = pk.workload(frame([*usual, row]))
        pd.testing.assert_frame_equal(load.assign(invalid=0), pk.workload(frame(usual)))
        assert pk.stage_times(frame([*usual, row]))["absurd"].tolist() == [*[False] * 30, True], number


def test_the_index_of_a_pandas_frame_is_kept():
    given_ = actions({}, {"closed": 3}).set_axis(["b", "a"])
    assert stage_states(given_).index.tolist() == ["b", "a"]
    assert stage_states(given_)["state"].tolist() == ["open", "event"]


def test_a_stage_that_is_none_is_named():
    with pytest.raises(pk.ArgumentError, match="stage is 'wait'"):
        stage_states(actions({}), "wait")
