"""How far AI dispatch carried: by hand, and against the metrics that count each step alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from laws import law
from strategies import ENGINES, FRAMES, action, frame

import periodkit as pk
from periodkit.errors import ArgumentError, SchemaError


def one(n=1, ai=True, last="Bar", **more):
    return [action(ai_dispatched=ai, channel="Bar", latest_channel=last, **more)] * n


IN_TIME, LATE = {"closed": 5, "status": "closed"}, {"closed": 30, "status": "closed"}
ROWS = [
    *one(4, **IN_TIME),
    *one(1, **LATE),
    *one(1),  # open past the target
    *one(1, created=50),  # open, younger than it
    *one(1, closed=3, status="canceled"),
    *one(2, last="Gate", **IN_TIME),
    *one(1, last=None, **IN_TIME),
    *one(5, ai=False, **IN_TIME),
    *one(1, ai=None, **IN_TIME),
]


def test_each_step_by_hand():
    found = pk.ai_funnel(frame(ROWS), "20min")
    assert found["step"].tolist() == ["dispatched by AI", "kept its channel", "closed on time"]
    counts = found[["n", "passed", "not_passed", "unknown"]].to_numpy().tolist()
    assert counts == [[16, 11, 5, 1], [10, 8, 2, 1], [6, 4, 2, 2]]
    assert found["rate"].tolist() == pytest.approx([11 / 16, 8 / 10, 4 / 6])
    assert found["product"].tolist() == pytest.approx([11 / 16, 11 / 16 * 0.8, 11 / 16 * 0.8 * 4 / 6])
    assert ((found["low"] < found["rate"]) & (found["rate"] < found["high"])).all()


def test_exactly_the_target_is_on_time():
    assert pk.ai_funnel(frame(one(closed=20, status="closed")), "20min")["passed"].tolist() == [1, 1, 1]
    assert pk.ai_funnel(frame(one(created=40)), "20min")["not_passed"].tolist() == [0, 0, 1]


def test_steps_are_what_the_metrics_of_each_say(season_frames):
    actions = season_frames[1]
    found = pk.ai_funnel(actions, "20min", by="classification")
    by_ai = actions[actions["ai_dispatched"].fillna(value=False)]
    kept = by_ai[by_ai["channel"] == by_ai["latest_channel"]]
    rates = pk.ai_dispatch_rate(actions, by="classification")
    moved = pk.reroute_rate(by_ai, by="classification")
    in_time = pk.on_time(kept, "20min", by="classification", canceled="exclude")
    for at, (table, passed, failed) in enumerate(
        [(rates, "ai", "not_ai"), (moved, "stayed", "rerouted"), (in_time, "met", "missed")]
    ):
        rows = found.iloc[at::3]
        assert rows["classification"].tolist() == table["classification"].tolist()
        assert rows["passed"].tolist() == table[passed].tolist()
        assert rows["not_passed"].tolist() == table[failed].tolist()
    np.testing.assert_allclose(found.iloc[0::3][["rate", "low", "high"]], rates[["rate", "low", "high"]])
    np.testing.assert_allclose(found.iloc[2::3][["rate", "low", "high"]], in_time[["rate", "low", "high"]])


@given(FRAMES)
@law(8)
def test_steps_hold_together_in_every_engine(actions):
    found = pk.ai_funnel(actions, "5min", by="channel")
    first, second, third = (found.iloc[at::3].reset_index(drop=True) for at in range(3))
    assert (found["n"] == found["passed"] + found["not_passed"]).all()
    assert first[["n", "unknown"]].sum().sum() == len(actions)
    assert (second["n"] + second["unknown"] == first["passed"]).all()
    assert (third["n"] + third["unknown"] == second["passed"]).all()
    for engine in ENGINES.values():
        pd.testing.assert_frame_equal(pk.ai_funnel(engine(actions), "5min", by="channel"), found, check_dtype=False)


def test_a_replay_leaves_out_what_came_later():
    rows = one(2, **IN_TIME) + one(1, created=30)
    replayed = pk.ai_funnel(frame(rows), "4min", as_of="2024-07-01T19:06Z")
    assert replayed[["n", "passed", "unknown"]].to_numpy().tolist() == [[2, 2, 0], [2, 2, 0], [2, 0, 0]]


def test_nothing_known_is_no_rate():
    found = pk.ai_funnel(frame(one(ai=None)), "20min")
    assert found["unknown"].tolist() == [1, 0, 0]
    assert found[["rate", "low", "high", "product"]].isna().all(axis=None)
    assert len(pk.ai_funnel(frame([]), "20min")) == 3
    assert len(pk.ai_funnel(frame([]), "20min", by="channel")) == 0


def test_what_it_takes_is_named():
    with pytest.raises(ArgumentError, match="target is 20"):
        pk.ai_funnel(frame(ROWS), 20)
    with pytest.raises(ArgumentError, match="by is"):
        pk.ai_funnel(frame(ROWS).assign(step="x"), "20min", by="step")
    with pytest.raises(ArgumentError, match="confidence"):
        pk.ai_funnel(frame(ROWS), "20min", confidence=95)
    with pytest.raises(SchemaError, match="'latest_channel'"):
        pk.ai_funnel(frame(ROWS).drop(columns="latest_channel"), "20min")
    with pytest.raises(SchemaError, match="holds 1, not true"):
        pk.ai_funnel(frame(ROWS).assign(ai_dispatched=1), "20min")
