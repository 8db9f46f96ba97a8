"""Stage-time quantiles: R's figures through the public function, then small cases by hand."""

import numpy as np
import pandas as pd
import pytest
from metrics import oracle
from metrics.strategies import action, actions, at, frame, minutes

import periodkit as pk
from periodkit.metrics import with_bound

PROBS = (0.5, 0.85, 0.9, 0.95)
MORE_PROBS = (0.5, 0.9, 0.99)
CASES = [(name, ways) for name, r_name in oracle.R_NAMES.items() for ways in oracle.WAYS_OF[r_name]]
each_case = pytest.mark.parametrize(("stage", "ways"), CASES)


def seconds(row, names):
    return [row[name].total_seconds() for name in names]  # NaT gives NaN


def arguments(ways):
    """Return what to pass for a variant such as ``exclude_at_close``."""
    canceled, _, skipped = ways.partition("_")
    return {"canceled": canceled, "skipped": skipped}


def same_quantiles(row, rows, probs):
    for side, expected in zip(("", "_low", "_high"), rows, strict=True):
        got = seconds(row, [f"p{100 * q:g}{side}" for q in probs[: len(expected)]])
        np.testing.assert_array_equal(got, expected)


def same_as_r(row, want):
    same_quantiles(row, oracle.quantiles(want), PROBS)
    assert (row["used"], row["events"]) == (want["n"], want["events"])


class TestAgreesWithR:
    @each_case
    def test_overall(self, recorded_frames, stage, ways):
        got = pk.cycle_times(recorded_frames[1], stage=stage, quantiles=PROBS, **arguments(ways)).iloc[0]
        same_as_r(got, oracle.survival("survival_asof", oracle.R_NAMES[stage], ways)["km_overall"])
        counts = oracle.expected()["survival_asof"][oracle.R_NAMES[stage]]["counts"]
        names = {
            "n": "n_actions",
            "not_started": "n_start_null",
            "invalid": "n_excl_negative",
            "open": "n_censored_open",
        }
        names |= {name: f"n_{name}" for name in ("unknown", "canceled", "left", "skipped")}
        assert {name: got[name] for name in names} == {name: counts[field] for name, field in names.items()}

    @each_case
    def test_by_ai(self, recorded_frames, stage, ways):
        want = oracle.survival("survival_asof", oracle.R_NAMES[stage], ways)["km_ai"]
        got = pk.cycle_times(recorded_frames[1], "ai_dispatched", stage, PROBS, **arguments(ways))
        assert got["ai_dispatched"].tolist() == [False, True]
        same_as_r(got.iloc[0], want["false"])
        same_as_r(got.iloc[1], want["true"])

    @each_case
    def test_by_classification(self, recorded_frames, stage, ways):
        want = oracle.survival("survival_asof", oracle.R_NAMES[stage], ways)["km_class"]
        got = pk.cycle_times(recorded_frames[1], "classification", stage, PROBS, **arguments(ways))
        assert len(want) >= 5
        for name, row in want.items():
            same_as_r(got[got["classification"] == name].iloc[0], row)

    @pytest.mark.parametrize("stage", oracle.R_NAMES)
    def test_at_three_confidences_and_by_group(self, recorded_frames, stage):
        block = oracle.expected("more")["stages"][stage]
        asked = {(None, None): block["quantiles"]}
        asked |= {("ai_dispatched", arm == "ai"): want for arm, want in block["by_ai"].items()}
        asked |= {("classification", name): want for name, want in block["by_classification"].items()}
        compared = 0
        for (by, name), variants in asked.items():
            for variant, want in variants.items():
                ways, _, percent = variant.rpartition("_")
                options = {"confidence": int(percent) / 100, **arguments(ways)}
                got = pk.cycle_times(recorded_frames[1], by, stage, MORE_PROBS, **options)
                row = (got if by is None else got[got[by] == name]).iloc[0]
                same_quantiles(row, [oracle.numbers(want[side]) for side in ("est", "low", "high")], MORE_PROBS)
                assert (row["used"], row["events"]) == (want["used"], want["events"])
                compared += 1
        assert compared >= 16
        total = pk.cycle_times(recorded_frames[1], stage=stage).iloc[0]
        names = {"n": "n", "events": "event"} | {name: name for name in ("open", "canceled", "left", "skipped")}
        names |= {name: name for name in ("not_started", "invalid", "unknown")}
        assert {name: total[name] for name in names} == {name: block["counts"][key] for name, key in names.items()}

    @pytest.mark.parametrize("skipped", ["exclude", "at_close"])
    @pytest.mark.parametrize("stage", oracle.R_NAMES)
    def test_observed(self, recorded_frames, stage, skipped):
        name = oracle.R_NAMES[stage]
        variants = oracle.expected()["quantile_ci_variants"][name] or {}
        want = variants.get(f"exclude_{skipped}") or variants.get("exclude_exclude")
        want = want or oracle.expected()["quantile_ci"][name]
        for canceled in ("exclude", "censor"):
            options = {
                "stage": stage,
                "quantiles": PROBS,
                "method": "observed",
                "canceled": canceled,
                "skipped": skipped,
            }
            overall = pk.cycle_times(recorded_frames[1], **options).iloc[0]
            by_ai = pk.cycle_times(recorded_frames[1], by="ai_dispatched", **options)
            for row, group in ((overall, "overall"), (by_ai.iloc[1], "ai_true"), (by_ai.iloc[0], "ai_false")):
                assert row["used"] == row["events"] == want[group]["n"]
                for side, field in (("", "type7"), ("_low", "lower"), ("_high", "upper")):
                    got = seconds(row, [f"p{100 * q:g}{side}" for q in PROBS])
                    np.testing.assert_allclose(got, oracle.numbers(want[group][field]), rtol=0, atol=1e-6)

    def test_known_facts(self, recorded_frames):
        actions = recorded_frames[1]
        assert len(actions) == 5239
        closed = pk.cycle_times(actions, method="observed").iloc[0]
        assert (closed["used"], *seconds(closed, ["p50", "p90"])) == (5045, 3797, 5872)
        dispatch = pk.cycle_times(actions, stage="dispatch").iloc[0]
        assert (dispatch["used"], *seconds(dispatch, ["p50", "p90"])) == (5239, 103, 238)
        response = pk.cycle_times(actions, stage="response").iloc[0]
        assert (response["used"], response["skipped"], response["left"]) == (5066, 75, 98)


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
        ("observed", "censor", 2, 3),
        ("observed", "exclude", 2, 3),
    ],
)
def test_cancellations(method, canceled, used, p50):
    got = pk.cycle_times(frame(MIXED), quantiles=[0.5], method=method, canceled=canceled).iloc[0]
    assert (got["used"], got["p50"]) == (used, minutes(p50))
    counts = got[["n", "events", "open", "canceled", "left", "not_started", "invalid", "unknown"]].tolist()
    assert counts == [8, 2, 1, 1, 0, 1, 2, 1]


def test_leavers_count_like_cancellations():
    rows = [action(assigned=1, doing=3), action(assigned=1, doing=5), action(assigned=1, closed=4, status="canceled")]
    got = pk.cycle_times(frame(rows), stage="pickup", quantiles=[0.5], canceled="censor")
    assert (got["left"].item(), got["used"].item(), got["p50"].item()) == (1, 3, minutes(4))
    got = pk.cycle_times(frame(rows), stage="pickup", quantiles=[0.5])
    assert (got["left"].item(), got["used"].item(), got["p50"].item()) == (1, 2, minutes(2))


def test_skipped_ones_are_left_out_or_bound_the_rest():
    rows = [action(doing=3, closed=9), action(doing=5, closed=9), action(closed=4), action(closed=30), action()]
    columns = ["n", "used", "events", "skipped", "open", "p50"]
    got = pk.cycle_times(frame(rows), stage="response", quantiles=[0.5])
    assert got[columns].iloc[0].tolist() == [5, 3, 2, 2, 1, minutes(5)]
    got = pk.cycle_times(frame(rows), stage="response", quantiles=[0.5], skipped="at_close")
    assert got[columns].iloc[0].tolist() == [5, 5, 4, 2, 1, minutes(5)]
    # The bound is of other actions, and those may have been quick.
    quick = [*rows, *(action(closed=1) for _ in range(4))]
    got = pk.cycle_times(frame(quick), stage="response", quantiles=[0.5], skipped="at_close")
    assert got["p50"].item() == minutes(3)


def test_the_bound_stands_beside_the_estimate():
    rows = [action(doing=number, closed=40, channel="Bar") for number in range(1, 19)]
    some = [*rows, action(closed=30, channel="Bar"), action(closed=2, channel="Gate"), action(channel="Lift")]
    got = with_bound(frame(some), by="channel", quantiles=[0.5, 0.99])
    assert got["channel"].tolist() == ["Bar", "Gate", "Lift"]
    assert got["used"].tolist() == [18, 0, 1]
    assert got["all_used"].tolist() == [19, 1, 1]
    assert got["skipped_share"].tolist() == [1 / 19, 1, 0]
    assert got["bound_shown"].tolist() == [True, True, False]
    assert got["p50"].tolist()[:1] == [minutes(9)]
    assert got["p99_at_most"].tolist()[:2] == [minutes(30), minutes(2)]
    usual = pk.cycle_times(frame(some), "channel", "response", [0.5, 0.99])
    pd.testing.assert_frame_equal(got[usual.columns], usual)
    # One of twenty is not more than 5 %.
    assert not with_bound(frame([*rows, rows[0], some[18]]))["bound_shown"].item()
    assert with_bound(frame([])).loc[0, ["bound_shown", "all_used"]].tolist() == [False, 0]


@pytest.mark.parametrize(("name", "value"), [("canceled", "drop"), ("skipped", "censor"), ("skipped", None)])
def test_a_way_that_is_none_is_named(name, value):
    for metric in (pk.cycle_times, lambda a, **more: pk.on_time(a, "5min", **more)):
        with pytest.raises(pk.ArgumentError, match=f"{name} is"):
            metric(frame([action()]), **{name: value})


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
