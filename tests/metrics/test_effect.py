"""What AI dispatch is associated with: R's figures end to end, the laws that hold of any frame, and small cases by hand."""

import warnings
from itertools import product

import numpy as np
import pandas as pd
import pytest
from effects_oracle import effects
from hypothesis import given
from hypothesis import strategies as st
from laws import law
from strategies import ENGINES, FRAMES, action, frame

import periodkit as pk
from periodkit.errors import ArgumentError, SchemaError

STAGES = ("dispatch", "response", "cycle")
CASES = list(product(STAGES, range(5)))
SECOND = pd.Timedelta(seconds=1)
DIFFERENCES = ("difference", "std_difference", "mean_difference", "std_mean_difference")


def effect(actions, *args, **kwargs):
    """`ai_effect` without the warning of dispatch times."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        return pk.ai_effect(actions, *args, **kwargs)


def in_seconds(value):
    return np.nan if pd.isna(value) else value / SECOND if isinstance(value, pd.Timedelta) else value


def near(row, name, wanted, rel=1e-9, abs_=1e-9):
    # Times are whole microseconds.
    timed = "mean" in name or name == "target"
    want = np.nan if wanted is None else wanted
    assert in_seconds(row[name]) == pytest.approx(want, rel=rel, abs=5.1e-7 if timed else abs_, nan_ok=True), name


@pytest.fixture(scope="module")
def rows(recorded_frames):
    """Each stage's row at each of R's targets; at the first without one, which is its median."""
    targets = {stage: [target["target"] for target in effects()["stages"][stage]["targets"]] for stage in STAGES}
    medians = {stage: effects()["stages"][stage]["pooled_p50_s"] for stage in STAGES}
    return {
        (stage, at): effect(
            recorded_frames[1], stage, target=None if seconds == medians[stage] else f"{seconds}s"
        ).iloc[0]
        for stage in STAGES
        for at, seconds in enumerate(targets[stage])
    }


@pytest.mark.parametrize("stage", STAGES)
def test_counts_are_those_of_r(rows, stage):
    wanted, row = effects()["stages"][stage], rows[stage, 0]
    assert row["n"] == wanted["n"]
    assert row["unknown_ai"] == wanted["unknown_ai"]
    assert {name: row[name] for name in wanted["excluded"]} == wanted["excluded"]
    assert (row["n_ai"], row["n_not_ai"]) == tuple(wanted["arms"][arm]["used"] for arm in ("ai", "not_ai"))
    support = wanted["support"]
    assert (row["used"], row["strata"], row["one_arm"]) == (support["n"], support["strata"], support["n_one_arm"])
    near(row, "one_arm_share", support["share_one_arm"])
    near(row, "logrank_chi2", wanted["logrank_stratified"]["chisq"], rel=1e-6)
    near(row, "logrank_p", wanted["logrank_stratified"]["p"], rel=1e-6, abs_=0)
    assert row["n"] == row[["used", "unknown_ai", "not_started", "invalid", "skipped", "unknown"]].sum()


@pytest.mark.parametrize(("stage", "at"), CASES)
def test_shares_and_means_are_those_of_r(rows, stage, at):
    wanted, row = effects()["stages"][stage]["targets"][at], rows[stage, at]
    near(row, "target", wanted["target"])
    for key, ours in (("incidence", ""), ("restricted_mean", "mean_")):
        crude, like = wanted[key]["crude"], wanted[key]["standardised"]
        near(row, f"{ours}ai", crude["ai"])
        near(row, f"{ours}not_ai", crude["not_ai"])
        for name, figures in ((f"{ours}difference", crude), (f"std_{ours}difference", like)):
            near(row, name, figures["diff"])
            near(row, f"{name}_low", figures["low"])
            near(row, f"{name}_high", figures["high"])
        assert row["strata_compared"] == like["strata"]
        assert row["short"] == row["used"] - row["one_arm"] - like["n"]
    near(row, "std_ai", wanted["incidence"]["standardised"]["ai"])
    near(row, "std_not_ai", wanted["incidence"]["standardised"]["not_ai"])


@pytest.mark.parametrize(("stage", "at"), CASES)
def test_ratios_and_tests_are_those_of_r(rows, stage, at):
    wanted, row = effects()["stages"][stage]["targets"][at]["mantel_haenszel"]["decided"], rows[stage, at]
    assert row["undetermined"] == wanted["ai"]["undetermined"] + wanted["not_ai"]["undetermined"]
    for name, key in (("", "est"), ("_low", "low"), ("_high", "high")):
        near(row, f"risk_ratio{name}", wanted["rr"][key], rel=1e-6)
    near(row, "e_value", wanted["rr"]["evalue"], rel=1e-6)
    near(row, "e_value_limit", wanted["rr"]["evalue_limit"], rel=1e-6)
    agree = wanted.get("breslow_day", {"tarone_chisq": None, "tarone_p": None, "df": row["homogeneity_df"]})
    near(row, "homogeneity_chi2", agree["tarone_chisq"], rel=1e-6)
    near(row, "homogeneity_p", agree["tarone_p"], rel=1e-6, abs_=0)
    assert row["homogeneity_df"] == agree["df"]


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_gives_the_same(recorded_frames, name):
    actions = recorded_frames[1]
    wanted = pk.ai_effect(actions, "cycle", by="channel", target="30min")
    got = pk.ai_effect(ENGINES[name](actions), "cycle", by="channel", target="30min")
    pd.testing.assert_frame_equal(got, wanted, check_dtype=False)


# --- laws ---

COLUMNS = ["classification", ["classification", "channel"]]
TIMES = ["0min", "3min", "7min", "20min"]
STRATA = st.sampled_from([None, *COLUMNS])
TARGETS = st.none() | st.sampled_from(TIMES)
STAGE = st.sampled_from(["cycle", "response"])


def values(frame, names):
    return frame[list(names)].map(in_seconds).to_numpy(dtype=float)


def close(left, right):
    np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-6)


@given(FRAMES, STRATA, TARGETS, STAGE)
@law(15)
def test_swapping_the_arms_flips_the_signs(actions, strata, target, stage):
    given_ = pk.ai_effect(actions, stage, strata, target)
    swapped = pk.ai_effect(actions.assign(ai_dispatched=~actions["ai_dispatched"]), stage, strata, target)
    for name in DIFFERENCES:
        close(values(swapped, [name]), -values(given_, [name]))
        close(values(swapped, [f"{name}_low", f"{name}_high"]), -values(given_, [f"{name}_high", f"{name}_low"]))
    close(values(swapped, ["ai", "not_ai"]), values(given_, ["not_ai", "ai"]))
    close(values(swapped, ["risk_ratio", "risk_ratio_low"]), 1 / values(given_, ["risk_ratio", "risk_ratio_high"]))
    same = ["n", "used", "undetermined", "strata_compared", "one_arm", "short", "logrank_chi2", "homogeneity_chi2"]
    close(values(swapped, same), values(given_, same))


@given(FRAMES, TARGETS, STAGE)
@law(15)
def test_one_stratum_is_the_plain_comparison(actions, target, stage):
    both = [action(ai_dispatched=ai, doing=4, closed=6, status="closed") for ai in (True, False)]
    found = pk.ai_effect(pd.concat([actions, frame(both)]), stage, None, target)
    row = found.iloc[0]
    assert row["n_ai"]
    assert row["n_not_ai"]
    for name in ("difference", "mean_difference"):
        close(*(values(found, [f"{kind}{name}{end}" for end in ("", "_low", "_high")]) for kind in ("std_", "")))
    assert row["strata"] == 1


@given(FRAMES, st.sampled_from(COLUMNS), st.sampled_from(TIMES), STAGE)
@law(15)
def test_a_stratum_more_of_one_arm_changes_nothing_that_is_compared(actions, strata, target, stage):
    given_ = pk.ai_effect(actions, stage, strata, target).iloc[0]
    alone = action(classification="Alone", ai_dispatched=True, doing=1, closed=1, status="closed")
    more = pk.ai_effect(pd.concat([actions, frame([alone])]), stage, strata, target).iloc[0]
    assert more["one_arm"] == given_["one_arm"] + 1
    assert more["strata_compared"] == given_["strata_compared"]
    for name in ("std_difference", "std_mean_difference", "risk_ratio", "homogeneity_chi2", "logrank_chi2"):
        close(values(more.to_frame().T, [name]), values(given_.to_frame().T, [name]))


@given(FRAMES, STRATA, TARGETS)
@law(15)
def test_groups_are_as_if_alone_and_counts_add_up(actions, strata, target):
    found = pk.ai_effect(actions, "cycle", strata, target, by="period_id")
    for _, row in found.iterrows():
        key = row["period_id"]
        part = actions[actions["period_id"].isna() if pd.isna(key) else (actions["period_id"] == key).fillna(False)]
        alone = pk.ai_effect(part, "cycle", strata, target)
        close(values(row.drop("period_id").to_frame().T, alone.columns), values(alone, alone.columns))
    counted = ["used", "unknown_ai", "not_started", "invalid", "skipped", "unknown"]
    assert (found["n"] == found[counted].sum(axis=1)).all()
    assert (found["used"] == found["n_ai"] + found["n_not_ai"]).all()
    assert found["n"].sum() == len(actions)


@given(FRAMES, st.randoms())
@law(15)
def test_order_of_rows_does_not_matter_and_input_is_left_alone(actions, random):
    kept = actions.copy(deep=True)
    order = list(range(len(actions)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(pk.ai_effect(actions), pk.ai_effect(actions.iloc[order]))
    pd.testing.assert_frame_equal(actions, kept)


# --- by hand ---


def some(ai, kind, *closed, n=1):
    return [
        action(ai_dispatched=ai, classification=kind, closed=end, status="closed" if end else "open")
        for end in closed
        for _ in range(n)
    ]


def test_the_easy_work_explains_the_difference():
    """AI has most of the easy work and is no better at it: the plain difference is all mix."""
    rows = some(True, "Easy", 5, n=8) + some(False, "Easy", 5, n=2) + some(True, "Hard", 20, n=2)
    row = pk.ai_effect(frame(rows + some(False, "Hard", 20, n=8)), "cycle", target="10min").iloc[0]
    assert (row["ai"], row["not_ai"], row["difference"]) == pytest.approx((0.8, 0.2, 0.6))
    assert (row["std_ai"], row["std_not_ai"], row["std_difference"]) == pytest.approx((0.5, 0.5, 0.0))
    assert row["mean_difference"] == -pd.Timedelta("3min")
    assert row["std_mean_difference"] == pd.Timedelta(0)
    assert row["risk_ratio"] == pytest.approx(1.0)


def test_the_worked_example_of_the_guide():
    """docs/methods.md counts it by hand: easy work 36 of 40 against 8 of 10 in time, hard 4 of 10 against 12 of 40."""
    rows = []
    for kind, ai, met, used in (("Easy", 1, 36, 40), ("Easy", 0, 8, 10), ("Hard", 1, 4, 10), ("Hard", 0, 12, 40)):
        rows += some(bool(ai), kind, 5, n=met) + some(bool(ai), kind, 20, n=used - met)
    row = pk.ai_effect(frame(rows), "cycle", target="10min").iloc[0]
    assert row[["ai", "not_ai", "difference"]].tolist() == pytest.approx([0.8, 0.4, 0.4])
    assert row[["std_ai", "std_not_ai", "std_difference"]].tolist() == pytest.approx([0.65, 0.55, 0.1])
    assert row[["std_difference_low", "std_difference_high"]].tolist() == pytest.approx([-0.114, 0.314], abs=5e-4)
    assert row[["mean_difference", "std_mean_difference"]].tolist() == [-pd.Timedelta("2min"), -pd.Timedelta("30s")]
    assert row[["risk_ratio", "e_value"]].tolist() == pytest.approx([10.4 / 8.8, 1.65], abs=5e-3)


def test_weights_are_those_of_both_arms_together():
    rows = some(True, "A", 5, 20) + some(False, "A", 20, 20) + some(True, "B", 5) + some(False, "B", 5)
    row = pk.ai_effect(frame(rows), "cycle", target="10min").iloc[0]
    assert row["std_difference"] == pytest.approx(4 / 6 * 0.5)
    assert (row["strata"], row["strata_compared"], row["one_arm"]) == (2, 2, 0)


def test_null_is_a_stratum():
    rows = some(True, None, 5, 5) + some(False, None, 20, 20) + some(True, "A", 5)
    row = pk.ai_effect(frame(rows), "cycle", target="10min").iloc[0]
    assert (row["strata"], row["strata_compared"], row["one_arm"], row["std_difference"]) == (2, 1, 1, 1.0)


def test_an_arm_without_events():
    rows = some(True, "A", 5, 6) + some(False, "A", None, None)
    row = pk.ai_effect(frame(rows), "cycle", target="10min").iloc[0]
    assert (row["ai"], row["not_ai"], row["std_difference"]) == (1.0, 0.0, 1.0)
    assert np.isnan(row[["risk_ratio", "risk_ratio_low", "e_value", "homogeneity_chi2"]].astype(float)).all()
    assert row["mean_not_ai"] == pd.Timedelta("10min")


def test_an_arm_that_is_not_there():
    row = pk.ai_effect(frame(some(True, "A", 5, 6)), "cycle", target="10min").iloc[0]
    assert (row["n_ai"], row["n_not_ai"], row["one_arm"], row["one_arm_share"]) == (2, 0, 2, 1.0)
    assert row["ai"] == 1.0
    assert row[["not_ai", "difference", "std_difference", "mean_difference", "risk_ratio", "logrank_p"]].isna().all()


def test_all_open_has_no_median_and_says_so():
    row = pk.ai_effect(frame(some(True, "A", None, None) + some(False, "A", None)), "cycle").iloc[0]
    assert (row["used"], row["undetermined"], row["strata_compared"], row["short"]) == (3, 3, 0, 3)
    assert row[["target", "ai", "difference", "std_difference", "mean_ai", "risk_ratio", "e_value"]].isna().all()


def test_what_is_too_young_is_short_and_not_compared():
    young = [action(ai_dispatched=ai, classification="B", created=58, status="open") for ai in (True, False)]
    rows = some(True, "A", 5, 20) + some(False, "A", 20, 20) + young
    row = pk.ai_effect(frame(rows), "cycle", target="10min").iloc[0]
    assert (row["short"], row["short_share"], row["undetermined"]) == (2, 2 / 6, 2)
    assert row["std_difference"] == 0.5


def test_unknown_dispatch_is_counted_and_dropped():
    row = pk.ai_effect(frame(some(None, "A", 5) + some(True, "A", 5) + some(False, "A", 20)), "cycle").iloc[0]
    assert (row["n"], row["used"], row["unknown_ai"]) == (3, 2, 1)


def test_no_actions_give_one_row_or_none():
    empty = frame([])
    whole, grouped = pk.ai_effect(empty), pk.ai_effect(empty, by="channel")
    assert (len(whole), whole.loc[0, "n"], len(grouped)) == (1, 0, 0)
    assert ["channel", *whole.columns] == [*grouped.columns]
    assert whole.dtypes.equals(grouped.dtypes.drop("channel"))


def test_grouping_by_the_strata_is_no_contradiction():
    rows = some(True, "A", 5) + some(False, "A", 20)
    found = pk.ai_effect(frame(rows), "cycle", by="classification", target="10min")
    assert found[["classification", "strata", "std_difference"]].to_numpy().tolist() == [["A", 1, 1.0]]


def test_dispatch_warns_once_and_nothing_else_does():
    actions = frame(some(True, "A", 5) + some(False, "B", 5))
    with pytest.warns(UserWarning, match="AI assigns at once") as caught:
        pk.ai_effect(actions, "dispatch", by="classification")
    assert len(caught) == 1
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match="AI assigns at once"):
        pk.compare(actions, "ai_dispatched", stage="dispatch")
    for stage in ("pickup", "response", "work", "cycle"):
        pk.ai_effect(actions, stage)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"stage": "nap"}, "stage is 'nap'"),
        ({"target": "soon"}, "target is 'soon'"),
        ({"target": 5}, "target is 5"),
        ({"confidence": 95}, "confidence"),
        ({"by": "ai"}, "by is"),
        ({"by": "ai_dispatched"}, "by is"),
        ({"strata": ["channel", "ai_dispatched"]}, "strata is"),
        ({"strata": ["channel", "channel"]}, "strata is"),
        ({"strata": 3}, "strata is or holds 3"),
    ],
)
def test_bad_arguments_are_named(options, says):
    with pytest.raises(ArgumentError, match=says):
        pk.ai_effect(frame(some(True, "A", 5)).assign(ai=1), **options)


def test_a_flag_must_be_one():
    actions = frame(some(True, "A", 5))
    with pytest.raises(SchemaError, match="holds 'yes', not true"):
        pk.ai_effect(actions.assign(ai_dispatched="yes"))
    with pytest.raises(SchemaError, match="'ai_dispatched'"):
        pk.ai_effect(actions.drop(columns="ai_dispatched"))
