"""Agreement with R's survival and cmprsk on the fire-department calls, one test per family of estimates."""

import numpy as np
import pytest
from metrics import oracle

from periodkit.metrics.estimate.incidence import aalen_johansen, incidence_at
from periodkit.metrics.estimate.logrank import LogRank, logrank
from periodkit.metrics.estimate.rates import newcombe, observed_quantile, quantile_interval, wilson
from periodkit.metrics.estimate.survival import kaplan_meier, restricted_mean, survival_at, survival_quantile
from periodkit.metrics.tally.life_table import LifeTable

PROBS = (0.5, 0.85, 0.9, 0.95)

each_stage = pytest.mark.parametrize("stage", oracle.STAGES)
each_case = pytest.mark.parametrize(("setting", "stage", "ways"), oracle.CASES)


def test_every_variant_of_r_is_compared():
    for setting in oracle.SETTINGS:
        for stage in oracle.STAGES:
            variants = {"censor_exclude", *oracle.expected()[setting][stage]["variants"]}
            assert variants == {ways for where, what, ways in oracle.CASES if (where, what) == (setting, stage)}


@each_case
def test_tables_count_what_r_was_given(setting, stage, ways):
    counts = oracle.expected()[setting][stage]["counts"]
    table = oracle.table(setting, stage, ways)
    assert table.n == oracle.survival(setting, stage, ways)["n"]
    assert table.event.sum() == counts["n_event"] + (counts["n_skipped"] if ways.endswith("at_close") else 0)
    gone = counts["n_canceled"] + counts["n_left"]
    assert table.competing.sum() == (gone if ways.startswith("censor") else 0)
    assert table.censored.sum() == counts["n_censored_open"]


@each_case
def test_survival_quantiles_and_limits_to_the_second(setting, stage, ways):
    seen = 0
    for name, want, table in oracle.groups(setting, stage, ways):
        assert (table.n, table.event.sum()) == (want["n"], want["events"])
        curve = kaplan_meier(table)
        rows = oracle.quantiles(want)
        got = np.transpose([survival_quantile(curve, q) for q in PROBS[: len(rows[0])]])
        np.testing.assert_array_equal(got, rows, err_msg=name)
        seen += 1
    assert seen == 3 + len(oracle.survival(setting, stage, ways)["km_class"])


@each_case
def test_survival_errors_and_band(setting, stage, ways):
    grid = oracle.survival(setting, stage, ways)["km_overall"]["grid"]
    points = survival_at(kaplan_meier(oracle.table(setting, stage, ways)), grid["t"])
    np.testing.assert_array_equal(points.at_risk, grid["n_risk"])
    close = {"rtol": 0, "atol": 1e-12}
    np.testing.assert_allclose(points.survival, grid["S"], **close)
    np.testing.assert_allclose(points.std_error, oracle.numbers(grid["se_greenwood"]), **close)
    np.testing.assert_allclose(points.low, oracle.numbers(grid["lower_loglog"]), **close)
    np.testing.assert_allclose(points.high, oracle.numbers(grid["upper_loglog"]), **close)


@each_case
def test_restricted_means(setting, stage, ways):
    want = oracle.survival(setting, stage, ways)["km_overall"]["rmst"]
    table = oracle.table(setting, stage, ways)
    got = [restricted_mean(table, row["tau"]) for row in want]
    np.testing.assert_allclose(got, [(row["rmst"], row["se"]) for row in want], rtol=1e-12)


@pytest.mark.parametrize(
    ("stage", "ways"),
    [
        *((stage, "censor_exclude") for stage in oracle.STAGES[1:]),
        ("assigned_doing", "censor_at_close"),
        ("created_doing", "censor_at_close"),
    ],
)
def test_cumulative_incidence_errors_and_limits(stage, ways):
    want = oracle.survival("survival_asof", stage, ways)["aalen_johansen"]
    at = incidence_at(aalen_johansen(oracle.table("survival_asof", stage, ways)), want["t"])
    close = {"rtol": 0, "atol": 1e-12}
    np.testing.assert_allclose(at.event, want["cif_event"], **close)
    np.testing.assert_allclose(at.event_std_error, want["se_event"], **close)
    np.testing.assert_allclose(at.event_low, want["lower_event"], **close)
    np.testing.assert_allclose(at.event_high, want["upper_event"], **close)
    np.testing.assert_allclose(at.competing, want["cif_competing"], **close)
    np.testing.assert_allclose(at.competing_std_error, want["se_competing"], **close)
    np.testing.assert_allclose(at.event + at.competing + at.open, 1.0, **close)


def agrees(got: LogRank, want: dict) -> None:
    assert got.statistic == pytest.approx(want["chisq"], rel=1e-9)
    assert got.p_value == pytest.approx(want["p"], rel=1e-9)
    assert got.df == 1
    assert got.observed.tolist() == want["obs"]
    np.testing.assert_allclose(got.expected, want["exp"], rtol=1e-12)


def arms(stage: str, ways: str, **where: object) -> list[LifeTable]:
    return [oracle.table("survival_asof", stage, ways, aiDispatched=arm, **where) for arm in (False, True)]


each_ways = pytest.mark.parametrize(
    ("stage", "ways"), [(stage, ways) for setting, stage, ways in oracle.CASES if setting == "survival_asof"]
)


@each_ways
def test_logrank(stage, ways):
    agrees(logrank(arms(stage, ways)), oracle.survival("survival_asof", stage, ways)["logrank"])


@each_ways
def test_stratified_logrank(stage, ways):
    classes = sorted(set(oracle.calls()["classification"]), key=str)
    strata = [arms(stage, ways, classification=name) for name in classes]
    assert any(not first.n or not second.n for first, second in strata), "some strata have one arm only"
    want = oracle.survival("survival_asof", stage, ways)["logrank_strat_class"]
    agrees(logrank(strata), want)
    agrees(logrank(strata=strata), want)


@each_stage
def test_observed_quantiles_and_order_statistic_limits(stage):
    data, block = oracle.calls(), oracle.expected()["quantile_ci"][stage]
    start, stop = (data[name] for name in stage.split("_"))
    done = (start != oracle.NULL) & (stop != oracle.NULL) & (stop >= start)
    groups = {"overall": done}
    groups |= {f"ai_{str(arm).lower()}": done & (data["aiDispatched"] == arm) for arm in (True, False)}
    wanted = {name: block[name] for name in groups} | block["by_class"]
    groups |= {name: done & (data["classification"] == name) for name in block["by_class"]}
    for name, want in wanted.items():
        values, counts = np.unique((stop - start)[groups[name]], return_counts=True)
        assert counts.sum() == want["n"]
        assert want["probs"] == list(PROBS)
        got = [observed_quantile(values, counts, q) for q in PROBS]
        np.testing.assert_allclose(got, want["type7"], rtol=0, atol=1e-9, err_msg=name)
        limits = [quantile_interval(values, counts, q) for q in PROBS]
        assert [limit.rank_low for limit in limits] == want["rank_lo"], name
        assert [limit.rank_high for limit in limits] == want["rank_hi"], name
        np.testing.assert_array_equal([limit.low for limit in limits], oracle.numbers(want["lower"]))
        np.testing.assert_array_equal([limit.high for limit in limits], oracle.numbers(want["upper"]))
        np.testing.assert_allclose([limit.coverage for limit in limits], want["coverage"], rtol=0, atol=1e-12)


@pytest.mark.parametrize("family", ["by_class_all", "by_class_excl_cancelled", "by_period_all"])
def test_rates_and_their_differences(family):
    block = oracle.expected()["ai_rate"][family]
    groups = list(block["groups"].values())
    x, n = (np.array([group[name] for group in groups]) for name in ("x", "n"))
    whole = block["overall"]
    close = {"rtol": 0, "atol": 1e-12}
    np.testing.assert_allclose(np.transpose(wilson(x, n)), [[g["p"], *g["wilson"]] for g in groups], **close)
    np.testing.assert_allclose(wilson(whole["x"], whole["n"])[1:], whole["wilson"], **close)
    rest = newcombe(x, n, whole["x"] - x, whole["n"] - n)
    want = [[g["vs_rest"]["diff"], *g["vs_rest"]["newcombe"]] for g in groups]
    np.testing.assert_allclose(np.transpose(rest), want, **close)
