"""Outcome curves and the share on time: R's figures through the public functions, then small cases by hand."""

import numpy as np
import oracle
import pandas as pd
import pytest
from strategies import action, frame, minutes

import periodkit as pk

R_NAMES = {"pickup": "assigned_doing", "work": "doing_closed", "cycle": "created_closed"}
SHARES = ["closed", "canceled", "open"]


@pytest.mark.parametrize("stage", R_NAMES)
def test_aalen_johansen_agrees_with_r(recorded_frames, stage):
    want = oracle.expected()["survival_asof"][R_NAMES[stage]]["aalen_johansen"]
    got = pk.outcome_curve(recorded_frames[1], stage=stage, times=[pd.Timedelta(seconds=t) for t in want["t"]])
    columns = {"closed": "cif_event", "canceled": "cif_competing"}
    columns |= {"closed_se": "se_event", "canceled_se": "se_competing"}
    columns |= {"closed_low": "lower_event", "closed_high": "upper_event"}
    for name, field in columns.items():
        expected = oracle.numbers(want[field])
        known = ~np.isnan(expected)
        assert known.any()
        np.testing.assert_allclose(got[name][known], expected[known], rtol=0, atol=1e-9, err_msg=name)
    np.testing.assert_allclose(got[SHARES].sum(axis=1), 1, rtol=0, atol=1e-12)


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
    rows = [action(doing=1), action(closed=1), action(doing=2, status="canceled")]
    got = pk.outcome_curve(frame(rows), stage="response", times=["3min"]).iloc[0]
    assert got[SHARES].tolist() == pytest.approx([2 / 3, 1 / 3, 0])


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
