"""Stage-time quantiles: R's figures through the public function, then small cases by hand."""

import numpy as np
import oracle
import pandas as pd
import pytest
from strategies import action, actions, at, frame, minutes

import periodkit as pk

R_NAMES = {
    "dispatch": "created_assigned",
    "pickup": "assigned_doing",
    "work": "doing_closed",
    "cycle": "created_closed",
}
PROBS = (0.5, 0.85, 0.9, 0.95)
each_stage = pytest.mark.parametrize("stage", R_NAMES)


def seconds(row, names):
    return [row[name].total_seconds() for name in names]  # NaT gives NaN


def same_as_r(row, want):
    quantiles = want["quantiles"]
    probs = PROBS[: len(quantiles["inf_def"])]
    rows = [quantiles["inf_def"], quantiles["log-log"]["lower"], quantiles["log-log"]["upper"]]
    for side, expected in zip(("", "_low", "_high"), rows, strict=True):
        got = seconds(row, [f"p{100 * q:g}{side}" for q in probs])
        np.testing.assert_array_equal(got, oracle.numbers(expected))
    assert (row["used"], row["events"]) == (want["n"], want["events"])


class TestAgreesWithR:
    @each_stage
    def test_overall(self, recorded_frames, stage):
        want = oracle.expected()["survival_asof"][R_NAMES[stage]]
        got = pk.cycle_times(recorded_frames[1], stage=stage, quantiles=PROBS).iloc[0]
        same_as_r(got, want["km_overall"])
        counts = want["counts"]
        assert got["n"] == counts["n_actions"]
        assert got["not_started"] == counts["n_start_null"]
        assert got["invalid"] == counts["n_excl_negative"]
        assert got["unknown"] == 0
        assert got["open"] == counts["n_censored_open"]
        assert got["canceled"] + got["left"] == counts["n_competing"]

    @each_stage
    def test_by_ai(self, recorded_frames, stage):
        want = oracle.expected()["survival_asof"][R_NAMES[stage]]["km_ai"]
        got = pk.cycle_times(recorded_frames[1], by="ai_dispatched", stage=stage, quantiles=PROBS)
        assert got["ai_dispatched"].tolist() == [False, True]
        same_as_r(got.iloc[0], want["false"])
        same_as_r(got.iloc[1], want["true"])

    @each_stage
    def test_by_classification(self, recorded_frames, stage):
        want = oracle.expected()["survival_asof"][R_NAMES[stage]]["km_class"]
        got = pk.cycle_times(recorded_frames[1], by="classification", stage=stage, quantiles=PROBS)
        assert len(want) >= 5
        for name, row in want.items():
            same_as_r(got[got["classification"] == name].iloc[0], row)

    @each_stage
    def test_observed(self, recorded_frames, stage):
        want = oracle.expected()["quantile_ci"][R_NAMES[stage]]
        actions = recorded_frames[1]
        overall = pk.cycle_times(actions, stage=stage, quantiles=PROBS, method="observed").iloc[0]
        by_ai = pk.cycle_times(actions, by="ai_dispatched", stage=stage, quantiles=PROBS, method="observed")
        for row, name in ((overall, "overall"), (by_ai.iloc[1], "ai_true"), (by_ai.iloc[0], "ai_false")):
            assert row["used"] == want[name]["n"]
            for side, field in (("", "type7"), ("_low", "lower"), ("_high", "upper")):
                got = seconds(row, [f"p{100 * q:g}{side}" for q in PROBS])
                np.testing.assert_allclose(got, oracle.numbers(want[name][field]), rtol=0, atol=1e-6)

    def test_known_facts(self, recorded_frames):
        actions = recorded_frames[1]
        assert len(actions) == 5239
        completed = pk.cycle_times(actions, method="observed").iloc[0]
        assert (completed["used"], *seconds(completed, ["p50", "p90"])) == (5220, 3712.5, 5837.1)
        dispatch = pk.cycle_times(actions, stage="dispatch").iloc[0]
        assert (dispatch["used"], *seconds(dispatch, ["p50", "p90"])) == (5239, 103, 238)


def closed(*lengths, **more):
    return [action(closed=length, status="closed", **more) for length in lengths]


def test_open_actions_are_counted_for_what_they_tell():
    rows = [*closed(1, 2, 3, 4), *(action(fetched=2.5) for _ in range(4))]
    honest, plain = pk.cycle_times(frame(rows)).iloc[0], pk.cycle_times(frame(rows), method="observed").iloc[0]
    # S falls to 7/8 and 6/8, then two remain at risk: 3/8 at 3 minutes, 0 at 4.
    assert (honest["p50"], honest["p90"]) == (minutes(3), minutes(4))
    assert (plain["p50"], plain["p90"]) == (minutes(2.5), minutes(3.7))
    assert (honest["n"], honest["used"], honest["events"], honest["open"]) == (8, 8, 4, 4)
    assert (plain["n"], plain["used"], plain["events"], plain["open"]) == (8, 4, 4, 4)


def test_not_reached_is_nat_and_never_the_maximum():
    got = pk.cycle_times(frame([*closed(1), *(action() for _ in range(9))])).iloc[0]
    assert got[["p50", "p50_high", "p90", "p90_low", "p90_high"]].isna().all()
    # As in R: that the median is at least this much is known, though not where it lies.
    assert got["p50_low"] == minutes(1)
    # Ten closed in a row: the estimate is reached, the upper limit of the P90 is not.
    got = pk.cycle_times(frame(closed(*range(1, 11)))).iloc[0]
    assert (got["p50"], got["p90"]) == (minutes(5), minutes(9))
    assert not pd.isna(got["p50_high"])
    assert pd.isna(got["p90_high"])


def test_the_quantile_is_reached_at_exactly_its_share():
    # 1 - 0.9 is a hair above 0.1 in floats, and 1 - 3/10 - ... accumulates others.
    for n in range(1, 40):
        got = pk.cycle_times(frame(closed(*range(1, n + 1))), quantiles=(0.1, 0.3, 0.5, 0.7, 0.9)).iloc[0]
        assert [got[name] for name in ("p10", "p30", "p50", "p70", "p90")] == [
            minutes(-(-tenths * n // 10)) for tenths in (1, 3, 5, 7, 9)
        ]


MIXED = [*closed(2, 4), action(closed=3, status="Canceled"), action(status="done"), action(created=None), action()]
MIXED += [action(closed=-1), action(created=70)]


@pytest.mark.parametrize(
    ("method", "canceled", "used", "p50"),
    [
        ("kaplan-meier", "censor", 4, 4),  # 3/4 at 2, one canceled at 3, 3/8 at 4
        ("kaplan-meier", "exclude", 3, 4),  # 2/3 at 2, 1/3 at 4
        ("observed", "censor", 3, 3),
        ("observed", "exclude", 2, 3),
    ],
)
def test_cancellations(method, canceled, used, p50):
    got = pk.cycle_times(frame(MIXED), quantiles=[0.5], method=method, canceled=canceled).iloc[0]
    assert (got["used"], got["p50"]) == (used, minutes(p50))
    counts = got[["n", "events", "open", "canceled", "left", "not_started", "invalid", "unknown"]].tolist()
    assert counts == [8, 2, 1, 1, 0, 1, 2, 1]


def test_leavers_count_like_cancellations():
    rows = [action(assigned=1, doing=3), action(assigned=1, doing=5), action(assigned=1, closed=4)]
    got = pk.cycle_times(frame(rows), stage="pickup", quantiles=[0.5])
    assert (got["left"].item(), got["used"].item(), got["p50"].item()) == (1, 3, minutes(4))
    got = pk.cycle_times(frame(rows), stage="pickup", quantiles=[0.5], canceled="exclude")
    assert (got["left"].item(), got["used"].item(), got["p50"].item()) == (1, 2, minutes(2))


def test_groups_are_sorted_and_null_keys_are_kept_last():
    rows = [
        *closed(1, classification="b", ai_dispatched=True),
        *closed(2, classification=None, ai_dispatched=False),
        *closed(3, classification="a"),
        *closed(4, classification="b", ai_dispatched=False),
        *closed(5, classification=None),
    ]
    got = pk.cycle_times(frame(rows), by=["classification", "ai_dispatched"], quantiles=[0.5])
    keys = [tuple(None if pd.isna(key) else key for key in row) for row in got.iloc[:, :2].itertuples(index=False)]
    assert keys == [("a", None), ("b", False), ("b", True), (None, False), (None, None)]
    assert got["p50"].tolist() == [minutes(m) for m in (3, 4, 1, 2, 5)]
    assert got.dtypes[["classification", "ai_dispatched"]].astype(str).tolist() == ["str", "boolean"]


def test_confidence_widens():
    data = frame(closed(*range(1, 60)))
    narrow, wide = pk.cycle_times(data, confidence=0.8).iloc[0], pk.cycle_times(data, confidence=0.99).iloc[0]
    assert wide["p50_low"] < narrow["p50_low"] < narrow["p50"] < narrow["p50_high"] < wide["p50_high"]


def test_names_of_quantiles():
    got = pk.cycle_times(frame(closed(1)), quantiles=[0.999, 0.025])
    assert [*got.columns[-6:]] == ["p99.9", "p99.9_low", "p99.9_high", "p2.5", "p2.5_low", "p2.5_high"]
    assert [*pk.cycle_times(frame(closed(1)), quantiles=[]).columns][-1] == "unknown"


def test_replay_is_what_a_fetch_at_that_moment_would_have_given():
    rows = [action(created=start, closed=start + length, status="closed") for start in range(9) for length in (1, 5, 9)]
    moment = 8.5
    seen = [
        {**row, "fetched": moment} | ({"closed": None, "status": "open"} if row["closed"] > moment else {})
        for row in rows
        if row["created"] <= moment
    ]
    then, replayed = pk.cycle_times(frame(seen)), pk.cycle_times(frame(rows), as_of=at(moment))
    pd.testing.assert_frame_equal(replayed.drop(columns=["n", "not_started"]), then.drop(columns=["n", "not_started"]))
    assert replayed["n"].item() - replayed["not_started"].item() == then["n"].item() < len(rows) + 1


def test_the_demo_of_the_docstring_holds_for_every_moment_of_a_running_event():
    rows = [action(created=k / 10, closed=k / 10 + 1 + k % 7, status="closed") for k in range(100)]
    for moment in (4, 6, 8):
        honest = pk.cycle_times(actions(*rows), as_of=at(moment)).iloc[0]["p50"]
        plain = pk.cycle_times(actions(*rows), as_of=at(moment), method="observed").iloc[0]["p50"]
        assert honest > plain
