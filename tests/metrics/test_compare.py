"""Any two kinds of actions compared: against the figures of each alone, by hand, and what is refused."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from laws import law
from strategies import ENGINES, FRAMES, action, frame

import periodkit as pk
from periodkit.errors import ArgumentError
from periodkit.metrics.estimate import newcombe, wilson
from periodkit.metrics.estimate.mover import combine

MINUTE = pd.Timedelta(minutes=1)


def closed(*minutes, n=1, **more):
    return [action(closed=end, status="closed", **more) for end in minutes for _ in range(n)]


@pytest.fixture(scope="module")
def two_nights(season_frames):
    actions = season_frames[1]
    return actions[actions["period_id"].isin(actions["period_id"].drop_duplicates().tail(2))]


def test_each_side_is_what_cycle_times_says_of_it(two_nights):
    row = pk.compare(two_nights, "period_id", canceled="censor").iloc[0]
    alone = pk.cycle_times(two_nights, by="period_id", canceled="censor")
    assert (row["first"], row["second"]) == tuple(alone["period_id"])
    assert (row["n_first"], row["n_second"]) == tuple(alone["used"])
    for name in ("p50", "p90"):
        first, second = alone[name]
        assert (row[f"{name}_first"], row[f"{name}_second"]) == (first, second)
        assert row[f"{name}_difference"] == first - second
        assert row[f"{name}_ratio"] == pytest.approx(first / second)
        # MOVER, written out.
        low, high = alone[f"{name}_low"] / MINUTE, alone[f"{name}_high"] / MINUTE
        a, b = first / MINUTE, second / MINUTE
        assert row[f"{name}_difference_low"] / MINUTE == pytest.approx(a - b - np.hypot(a - low[0], high[1] - b), 1e-6)
        assert row[f"{name}_difference_high"] / MINUTE == pytest.approx(a - b + np.hypot(high[0] - a, b - low[1]), 1e-6)
        logs = np.hypot(np.log(a / low[0]), np.log(high[1] / b))
        assert row[f"{name}_ratio_low"] == pytest.approx(a / b * np.exp(-logs))


def test_the_share_is_that_of_the_ai_effect(season_frames):
    actions = season_frames[1]
    effect = pk.ai_effect(actions, target="5min").iloc[0]
    plain = pk.compare(actions, "ai_dispatched", stage="response", quantiles=[], target="5min").iloc[0]
    like = pk.compare(actions, "ai_dispatched", "classification", "response", [], "5min")
    assert (plain["first"], plain["second"]) == (True, False)
    for ours, theirs in (
        ("first", "ai"),
        ("second", "not_ai"),
        *[(f"difference{e}",) * 2 for e in ("", "_low", "_high")],
    ):
        assert plain[f"share_{ours}"] == pytest.approx(effect[theirs])
        assert like.iloc[-1][f"share_{ours}"] == pytest.approx(effect[f"std_{theirs}"])
    assert like["pooled"].tolist() == [False] * (len(like) - 1) + [True]
    assert like["classification"].isna().tolist() == like["pooled"].tolist()
    assert like.loc[~like["pooled"], "n"].sum() == like["n"].iloc[-1] == len(actions)
    assert like["share_n"].iloc[-1] == effect["used"] - effect["one_arm"] - effect["short"]


def test_pooled_figures_are_the_strata_weighted_by_their_size(season_frames):
    found = pk.compare(season_frames[1], "ai_dispatched", "classification", quantiles=[0.5])
    strata, whole = found.iloc[:-1], found.iloc[-1]
    weight = (strata["n_first"] + strata["n_second"]) / (strata["n_first"] + strata["n_second"]).sum()
    assert whole["p50_ratio"] == pytest.approx(np.exp((weight * np.log(strata["p50_ratio"])).sum()))
    assert whole["p50_difference"] / MINUTE == pytest.approx((weight * (strata["p50_difference"] / MINUTE)).sum())
    assert whole["p50_difference"] / MINUTE == pytest.approx((whole["p50_first"] - whole["p50_second"]) / MINUTE)
    half = np.sqrt((weight**2 * ((strata["p50_difference"] - strata["p50_difference_low"]) / MINUTE) ** 2).sum())
    assert (whole["p50_difference"] - whole["p50_difference_low"]) / MINUTE == pytest.approx(half)


def test_the_better_one_is_named_only_where_the_interval_says_so():
    quick = closed(*np.linspace(1, 2, 80), channel="Bar")
    slow = closed(*np.linspace(8, 9, 80), channel="Gate")
    row = pk.compare(frame(quick + slow), "channel", target="5min").iloc[0]
    assert (row["first"], row["second"]) == ("Bar", "Gate")
    assert row[["p50_better", "p90_better", "share_better"]].tolist() == ["Bar"] * 3
    assert row["p50_difference_high"] < pd.Timedelta(0)
    assert np.isnan(row["share_ratio"])  # nobody at the gate made it
    same = pk.compare(frame(quick + closed(*np.linspace(1, 2, 80), channel="Gate")), "channel", target="5min").iloc[0]
    assert same[["p50_better", "p90_better", "share_better"]].isna().all()


def test_ratio_of_shares_by_hand():
    rows = closed(1, n=8, channel="Bar") + closed(9, n=2, channel="Bar") + closed(1, n=6, channel="Gate")
    row = pk.compare(frame(rows + closed(9, n=4, channel="Gate")), "channel", target="5min").iloc[0]
    half = 1.959963984540054 * np.sqrt(0.2 / (10 * 0.8) + 0.4 / (10 * 0.6))
    assert row["share_ratio"] == pytest.approx(4 / 3)
    assert row["share_ratio_low"] == pytest.approx(4 / 3 * np.exp(-half))
    assert row["share_ratio_high"] == pytest.approx(4 / 3 * np.exp(half))


def test_mover_of_two_rates_is_newcombe():
    rates = wilson([56, 48], [70, 80])
    for got, wanted in zip(combine([1, -1], *rates), newcombe(56, 70, 48, 80), strict=True):
        assert got == pytest.approx(wanted, abs=1e-14)


def test_strata_with_one_side_are_rows_without_a_difference():
    rows = closed(*range(12), classification="A", channel="Bar") + closed(5, classification="B", channel="Bar")
    rows += closed(*range(12), classification="A", channel="Gate") + closed(5, classification=None, channel=None)
    found = pk.compare(frame(rows), "channel", "classification")
    assert found["classification"].tolist()[:2] == ["A", "B"]
    assert found["classification"].isna().tolist() == [False, False, True, True]
    assert found["pooled"].tolist() == [False, False, False, True]
    assert found["p50_difference"].isna().tolist() == [False, True, True, False]
    assert found["p50_n"].tolist() == [24, 0, 0, 24]
    assert found["unknown_arm"].tolist() == [0, 0, 1, 1]
    assert found.loc[1, "p50_first"] == 5 * MINUTE


@given(FRAMES)
@law(15)
def test_counts_add_up_and_swapped_flags_swap(actions):
    found = pk.compare(actions, "ai_dispatched", "channel", target="5min")
    counted = ["used", "unknown_arm", "not_started", "invalid", "skipped", "unknown"]
    assert (found["n"] == found[counted].sum(axis=1)).all()
    assert found["n"].iloc[-1] == len(actions) == found["n"].iloc[:-1].sum()
    swapped = pk.compare(
        actions.assign(ai_dispatched=~actions["ai_dispatched"]), "ai_dispatched", "channel", target="5min"
    )
    for name in ("p50", "share"):
        pd.testing.assert_series_equal(swapped[f"{name}_first"], found[f"{name}_second"], check_names=False)
        pd.testing.assert_series_equal(
            swapped[f"{name}_difference_low"], -found[f"{name}_difference_high"], check_names=False
        )


@given(FRAMES)
@law(8)
def test_every_engine_gives_the_same(actions):
    wanted = pk.compare(actions, "ai_dispatched", "classification", target="5min")
    for engine in ENGINES.values():
        got = pk.compare(engine(actions), "ai_dispatched", "classification", target="5min")
        pd.testing.assert_frame_equal(got, wanted, check_dtype=False)


@pytest.mark.parametrize(
    ("arm", "says"),
    [
        ("channel", r"'channel', which has 3 values \('Bar', 'Gate', 'Lift'\); it takes a column of two"),
        ("classification", r"has 1 values \('Spill'\)"),
    ],
)
def test_other_numbers_of_values_are_refused_and_named(arm, says):
    actions = frame([action(closed=1, channel=name) for name in ("Lift", "Bar", None, "Gate")])
    with pytest.raises(ArgumentError, match=says):
        pk.compare(actions, arm)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"within": "channel"}, "within is"),
        ({"within": ["pooled"]}, "within is"),
        ({"stage": "nap"}, "stage is 'nap'"),
        ({"quantiles": 0.5}, "quantiles is 0.5"),
        ({"quantiles": [50]}, "quantiles"),
        ({"target": "soon"}, "target is 'soon'"),
        ({"canceled": "drop"}, "canceled is 'drop'"),
        ({"confidence": 95}, "confidence"),
    ],
)
def test_bad_arguments_are_named(options, says):
    actions = frame(closed(1, channel="Bar") + closed(2, channel="Gate"))
    with pytest.raises(ArgumentError, match=says):
        pk.compare(actions, "channel", **options)


def test_no_actions_give_a_row_without_figures():
    for within, rows in ((None, 1), ("classification", 1)):
        found = pk.compare(frame([]), "channel", within, target="5min")
        assert (len(found), found["n"].sum()) == (rows, 0)
        assert found[["first", "second", "p50_difference", "share_ratio"]].isna().all(axis=None)
        assert found["pooled"].tolist() == [True]


def test_keys_of_numbers_may_be_null():
    rows = closed(1, 2, floor=1, channel="Bar") + closed(1, 2, floor=1, channel="Gate")
    given_ = frame([{k: v for k, v in row.items() if k != "floor"} for row in rows]).assign(floor=3, wet=True)
    found = pk.compare(given_, "channel", ["floor", "wet"])
    assert found["floor"].dtype == "Int64"
    assert found["floor"].tolist() == [3, pd.NA]
    assert found["wet"].tolist() == [True, pd.NA]
