"""Outcome curves and the share on time: R's figures through the public functions, then small cases by hand."""

import numpy as np
import pandas as pd
import pytest
from metrics import oracle
from metrics.strategies import action, frame, minutes

import periodkit as pk

SHARES = ["closed", "canceled", "open"]


@pytest.mark.parametrize("skipped", ["exclude", "at_close"])
@pytest.mark.parametrize("stage", ["pickup", "response", "work", "cycle"])
def test_aalen_johansen_agrees_with_r(recorded_frames, stage, skipped):
    name = oracle.R_NAMES[stage]
    ways = f"censor_{skipped}" if f"censor_{skipped}" in oracle.WAYS_OF[name] else "censor_exclude"
    want = oracle.survival("survival_asof", name, ways)["aalen_johansen"]
    times = [pd.Timedelta(seconds=t) for t in want["t"]]
    got = pk.outcome_curve(recorded_frames[1], stage=stage, times=times, skipped=skipped)
    columns = {"closed": "cif_event", "canceled": "cif_competing"}
    columns |= {"closed_se": "se_event", "canceled_se": "se_competing"}
    columns |= {"closed_low": "lower_event", "closed_high": "upper_event"}
    for column, field in columns.items():
        expected = oracle.numbers(want[field])
        known = ~np.isnan(expected)
        assert known.any()
        np.testing.assert_allclose(got[column][known], expected[known], rtol=0, atol=1e-9, err_msg=column)
    np.testing.assert_allclose(got[SHARES].sum(axis=1), 1, rtol=0, atol=1e-12)


@pytest.mark.parametrize("by", [None, "ai_dispatched"])
@pytest.mark.parametrize("stage", oracle.R_NAMES)
def test_on_time_agrees_with_r(recorded_frames, stage, by):
    block = oracle.expected("more")["stages"][stage]
    wanted = (
        {None: block["on_time"]} if by is None else {arm == "ai": rows for arm, rows in block["on_time_by_ai"].items()}
    )
    for key, rows in wanted.items():
        for want in rows:
            target = pd.Timedelta(seconds=want["target_s"])
            got = pk.on_time(recorded_frames[1], target, stage, by, want["canceled"], want["skipped_as"])
            row = (got if by is None else got[got[by] == key]).iloc[0]
            counts = ["met", "missed", "undetermined", "skipped", "skipped_late"]
            assert row[counts].tolist() == [want[name] for name in counts]
            rates = ["rate", "low", "high", "worst", "best"]
            np.testing.assert_allclose(
                row[rates].astype(float), oracle.numbers([want[each] for each in rates]), atol=1e-9
            )


ROWS = [
    action(closed=1, status="closed"),
    action(closed=2, status="canceled"),
    action(fetched=2),
    action(closed=4, status="closed"),
]


def test_by_hand():
    got = pk.outcome_curve(frame(ROWS))
    assert got["time"].tolist() == [minutes(m) for m in (0, 1, 2, 4)]
    assert got["at_risk"].tolist() == [4, 4, 3, 1]
    np.testing.assert_allclose(got["closed"], [0, 1 / 4, 1 / 4, 3 / 4], atol=1e-15)
    np.testing.assert_allclose(got["canceled"], [0, 0, 1 / 4, 1 / 4], atol=1e-15)
    np.testing.assert_allclose(got["open"], [1, 3 / 4, 1 / 2, 0], atol=1e-15)
    assert (got["n"] == 4).all()
    assert (got["used"] == 4).all()


def test_read_at_any_times():
    got = pk.outcome_curve(frame(ROWS), times=["90s", pd.Timedelta(0), "1D"])
    assert got["time"].tolist() == [pd.Timedelta("90s"), pd.Timedelta(0), pd.Timedelta("1D")]
    np.testing.assert_allclose(got["closed"], [1 / 4, 0, 3 / 4], atol=1e-15)
    assert got["at_risk"].tolist() == [3, 4, 0]


def test_leavers_compete_like_cancellations():
    rows = [action(doing=1), action(closed=1, status="canceled"), action(doing=2, status="canceled")]
    got = pk.outcome_curve(frame(rows), stage="response", times=["3min"]).iloc[0]
    assert got[SHARES].tolist() == pytest.approx([2 / 3, 1 / 3, 0])


def test_skipped_ones_are_in_no_curve_or_end_at_their_closing():
    rows = [action(doing=1), action(closed=2), action(doing=4)]
    got = pk.outcome_curve(frame(rows), stage="response", times=["3min"]).iloc[0]
    assert got[["closed", "open", "n", "used", "skipped"]].tolist() == [1 / 2, 1 / 2, 3, 2, 1]
    got = pk.outcome_curve(frame(rows), stage="response", times=["3min"], skipped="at_close").iloc[0]
    assert got[["closed", "open", "n", "used", "skipped"]].tolist() == [
        pytest.approx(2 / 3),
        pytest.approx(1 / 3),
        3,
        3,
        1,
    ]


def test_on_time_of_skipped_ones():
    rows = [action(doing=1), action(doing=9), action(closed=4), action(closed=6), action(fetched=2)]
    got = pk.on_time(frame(rows), "5min", "response").iloc[0]
    assert got[["met", "missed", "undetermined", "skipped", "skipped_late"]].tolist() == [1, 1, 1, 2, 0]
    assert got[["rate", "worst", "best"]].tolist() == [1 / 2, 1 / 3, 2 / 3]
    got = pk.on_time(frame(rows), "5min", "response", skipped="at_close").iloc[0]
    assert got[["met", "missed", "undetermined", "skipped", "skipped_late"]].tolist() == [2, 2, 1, 2, 1]
    assert got[["rate", "worst", "best"]].tolist() == [1 / 2, 2 / 5, 4 / 5]


def test_groups():
    rows = [{**row, "channel": name} for name in ("Gate", None, "Bar") for row in ROWS[: 1 if name is None else 4]]
    got = pk.outcome_curve(frame(rows), by="channel")
    assert got["channel"].fillna("null").drop_duplicates().tolist() == ["Bar", "Gate", "null"]
    alone = pk.outcome_curve(frame(ROWS)).drop(columns=["n", "used"])
    for name in ("Bar", "Gate"):
        part = got[got["channel"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(part.drop(columns=["channel", "n", "used"]), alone)


@pytest.mark.parametrize(
    ("canceled", "met", "missed", "undetermined"),
    [("censor", 2, 4, 2), ("exclude", 2, 3, 1)],
)
def test_on_time_by_hand(canceled, met, missed, undetermined):
    rows = [
        action(closed=0, status="closed"),
        action(closed=5, status="closed"),  # exactly the target is on time
        action(closed=5.001, status="closed"),
        action(fetched=5),  # open for as long as the target: too late
        action(fetched=4.999),  # may still make it
        action(fetched=50),
        action(closed=4, status="canceled"),
        action(closed=6, status="canceled"),
        action(status="canceled"),
        action(created=None),
        action(closed=-1),
    ]
    got = pk.on_time(frame(rows), "5min", canceled=canceled).iloc[0]
    assert got[["met", "missed", "undetermined"]].tolist() == [met, missed, undetermined]
    assert got["rate"] == pytest.approx(met / (met + missed))
    assert got["worst"] == pytest.approx(met / (met + missed + undetermined))
    assert got["best"] == pytest.approx((met + undetermined) / (met + missed + undetermined))
    assert got[["n", "unknown", "not_started", "invalid"]].tolist() == [11, 1, 1, 1]
    assert got["used"] == met + missed + undetermined


def test_on_time_holds_the_microsecond():
    given = frame([action(closed=5, status="closed")])
    late = given.assign(closed_time=given["closed_time"] + pd.Timedelta(1, "us"))
    assert pk.on_time(given, "5min")["met"].item() == 1
    assert pk.on_time(late, "5min")["met"].item() == 0


def test_on_time_agrees_with_the_curve_when_all_is_known():
    rows = [action(closed=length, status="closed") for length in (1, 2, 2, 7, 9)]
    assert pk.on_time(frame(rows), "2min")["rate"].item() == pytest.approx(0.6)
    assert pk.outcome_curve(frame(rows), times=["2min"])["closed"].item() == pytest.approx(0.6)


def test_on_time_interval_is_wilsons():
    rows = [action(closed=length, status="closed") for length in (*[1] * 8, 9, 9)]
    got = pk.on_time(frame(rows), "5min").iloc[0]
    # Newcombe (1998) and others give 0.490 to 0.943 for 8 of 10.
    assert (round(got["low"], 4), round(got["high"], 4)) == (0.4902, 0.9433)
