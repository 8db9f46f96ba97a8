"""Agreement with R's survival and cmprsk on the fire-department calls, one test per family of estimates."""

import numpy as np
import oracle
import pytest

from periodkit.metrics.estimate.incidence import aalen_johansen, incidence_at
from periodkit.metrics.estimate.logrank import LogRank, logrank
from periodkit.metrics.estimate.rates import newcombe, observed_quantile, quantile_interval, wilson
from periodkit.metrics.estimate.survival import kaplan_meier, restricted_mean, survival_at, survival_quantile
from periodkit.metrics.tally.life_table import LifeTable

PROBS = (0.5, 0.85, 0.9, 0.95)

each_stage = pytest.mark.parametrize("stage", oracle.STAGES)
each_setting = pytest.mark.parametrize("setting", oracle.SETTINGS)


@each_setting
@each_stage
def test_tables_count_what_r_was_given(setting, stage):
    counts = oracle.expected()[setting][stage]["counts"]
    table = oracle.table(setting, stage)
    assert table.n == counts["n_used"]
    assert table.event.sum() == counts["n_event"]
    assert table.competing.sum() == counts["n_competing"]
    assert table.censored.sum() == counts["n_censored_open"]


@each_setting
@each_stage
def test_survival_quantiles_and_limits_to_the_second(setting, stage):
    seen = 0
    for name, want, table in oracle.groups(setting, stage):
        assert (table.n, table.event.sum()) == (want["n"], want["events"])
        curve = kaplan_meier(table)
        quantiles = want["quantiles"]
        rows = (quantiles["inf_def"], quantiles["log-log"]["lower"], quantiles["log-log"]["upper"])
        got = np.transpose([survival_quantile(curve, q) for q in PROBS[: len(rows[0])]])
        np.testing.assert_array_equal(got, [oracle.numbers(row) for row in rows], err_msg=name)
        seen += 1
    assert seen == 3 + len(oracle.expected()[setting][stage]["km_class"])


@each_setting
@each_stage
def test_survival_errors_and_band(setting, stage):
    grid = oracle.expected()[setting][stage]["km_overall"]["grid"]
    points = survival_at(kaplan_meier(oracle.table(setting, stage)), grid["t"])
    np.testing.assert_array_equal(points.at_risk, grid["n_risk"])
    close = {"rtol": 0, "atol": 1e-12}
    np.testing.assert_allclose(points.survival, grid["S"], **close)
    np.testing.assert_allclose(points.std_error, oracle.numbers(grid["se_greenwood"]), **close)
    np.testing.assert_allclose(points.low, oracle.numbers(grid["lower_loglog"]), **close)
    np.testing.assert_allclose(points.high, oracle.numbers(grid["upper_loglog"]), **close)


@each_setting
@each_stage
def test_restricted_means(setting, stage):
    want = oracle.expected()[setting][stage]["km_overall"]["rmst"]
    table = oracle.table(setting, stage)
    got = [restricted_mean(table, row["tau"]) for row in want]
    np.testing.assert_allclose(got, [(row["rmst"], row["se"]) for row in want], rtol=1e-12)


@each_setting
@pytest.mark.parametrize("stage", oracle.STAGES[1:])
def test_cumulative_incidence_errors_and_limits(setting, stage):
    want = oracle.expected()[setting][stage]["aalen_johansen"]
    at = incidence_at(aalen_johansen(oracle.table(setting, stage)), want["t"])
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


def arms(stage: str, **where: object) -> list[LifeTable]:
    return [oracle.table("survival_asof", stage, aiDispatched=arm, **where) for arm in (False, True)]


@each_stage
def test_logrank(stage):
    agrees(logrank(arms(stage)), oracle.expected()["survival_asof"][stage]["logrank"])


@each_stage
def test_stratified_logrank(stage):
    classes = sorted(set(oracle.calls()["classification"]), key=str)
    strata = [arms(stage, classification=name) for name in classes]
    assert any(not first.n or not second.n for first, second in strata), "some strata have one arm only"
    want = oracle.expected()["survival_asof"][stage]["logrank_strat_class"]
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
