"""The first small frame: every figure is that of the metric it comes from, and the counts are made by hand."""

import pandas as pd
import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from laws import law
from strategies import ENGINES, FRAMES, action, at, frame, minutes

import periodkit as pk

WHOLE = {"assigned": 1, "doing": 2, "closed": 4, "status": "closed", "ai_dispatched": True, "latest_channel": "Bar"}
ROWS = [
    action(**WHOLE),
    action(**{**WHOLE, "closed": 6, "ai_dispatched": False, "latest_channel": "Gate"}),
    action(**{**WHOLE, "closed": 8, "ai_dispatched": None}),
    action(**{**WHOLE, "status": "canceled", "closed": 5}),
    action(status="done"),
    action(assigned=3),
    action(created=10, assigned=9),
]
MEASURES = ["actions", "closed", "canceled", "open", "unknown"]
MEASURES += [f"{stage} {q}" for stage in ("cycle", "dispatch", "pickup", "response", "work") for q in ("P50", "P90")]
MEASURES += ["AI-dispatch rate", "re-route rate (lower bound)"]


def rows_of(got):
    return got.set_index("measure")


def test_by_hand():
    got = pk.describe(frame(ROWS))
    assert got["measure"].tolist()[:-1] == MEASURES
    rows = rows_of(got)
    assert rows["value"].head(5).tolist() == [7, 3, 1, 2, 1]
    assert rows.loc["AI-dispatch rate", ["value", "n"]].tolist() == [2 / 3, 3]
    assert rows.loc["re-route rate (lower bound)", ["value", "n"]].tolist() == [1 / 4, 4]
    # One is assigned before it was created, and is out of this stage alone.
    assert rows.loc["dispatch P50", ["value", "n"]].tolist() == [minutes(1), 6 - 1]
    worst = got.iloc[-1]
    assert (worst["measure"], worst["value"], worst["n"]) == ("worst flag: null ai dispatched", 4, 7)


def test_every_stage_is_that_of_cycle_times():
    rows = rows_of(pk.describe(frame(ROWS)))
    for stage in ("cycle", "dispatch", "pickup", "response", "work"):
        want = pk.cycle_times(frame(ROWS), stage=stage).iloc[0]
        for name in ("p50", "p90"):
            row = rows.loc[f"{stage} {name.upper()}"]
            assert row["n"] == want["used"]
            for got, expected in zip(
                row[["value", "low", "high"]], want[[name, f"{name}_low", f"{name}_high"]], strict=True
            ):
                assert got == expected or (pd.isna(got) and pd.isna(expected))


def test_a_moment_leaves_out_who_was_not_there_yet():
    rows = rows_of(pk.describe(frame(ROWS), as_of=at(5)))
    assert rows["value"].head(5).tolist() == [6, 1, 1, 3, 1]
    assert rows.loc["cycle P50", "n"] == 4


def test_without_flags_it_says_none():
    assert pk.describe(frame(ROWS[:2])).iloc[-1]["measure"] == "worst flag: none"


def test_it_shows_itself_in_minutes_percent_and_counts():
    shown = pk.format_table(pk.describe(frame(ROWS))).to_html()
    for text in ("4 min", "66.7 %", ">7<", "worst flag"):
        assert text in shown
    assert "timedelta" not in shown.lower()


def test_of_the_recorded_calls(recorded_frames):
    rows = rows_of(pk.describe(recorded_frames[1]))
    assert rows["value"].head(5).tolist() == [5239, 5045, 175, 19, 0]
    assert rows.loc["dispatch P50", "value"] == pd.Timedelta(seconds=103)
    assert rows.loc["AI-dispatch rate", "value"] == pytest.approx(3598 / 5239)


@law(3)
@given(FRAMES, st.sampled_from([None, 5, 9]).map(at))
def test_every_engine_says_the_same(actions, as_of):
    expected = pk.describe(actions, as_of)
    for name, make in ENGINES.items():
        note(name)
        got = pk.describe(make(actions), as_of)
        pd.testing.assert_frame_equal(got, expected)
        assert got.attrs == expected.attrs == {"resolution": "ms"}
