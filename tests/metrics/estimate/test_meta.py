"""Random-effects prediction, its scales and Holm's adjustment: R's figures, a dense second computation, and laws."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.holm import holm, holm_within
from periodkit.metrics.estimate.meta import paule_mandel, predict
from periodkit.metrics.estimate.scales import from_log, from_logit, log_count, log_time, logit_share

ORACLE_FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "sffd"
SERIES = range(56)
RELATIVE = 1e-9


@cache
def oracle(name: str) -> Any:
    path = ORACLE_FOLDER / f"oracle_{name}.json"
    if not path.exists():
        pytest.skip(f"R's results (shared/data/sffd/{path.name}) are not beside the checkout")
    return json.loads(path.read_text())


def floats(values: list[float | None]) -> np.ndarray:
    return np.array(values, dtype=np.float64)


@pytest.mark.parametrize("model", ["level", "trend"])
@pytest.mark.parametrize("number", SERIES)
def test_predictions_agree_with_metafor(number, model):
    series = oracle("unusual")[number]
    ordinary = predict(floats(series["y"]), floats(series["v"]), model)
    expected = series[model]
    if expected is None:
        assert all(np.isnan(getattr(ordinary, name)) for name in ("tau2", "expected", "se", "sd", "t", "p", "low"))
        return
    assert (ordinary.k, ordinary.df) == (expected["k"], expected["df"])
    assert ordinary.tau2 == pytest.approx(expected["tau2"], rel=1e-10, abs=0)
    for name in ("expected", "se", "sd", "t", "p", "low", "high"):
        assert getattr(ordinary, name) == pytest.approx(expected[name], rel=RELATIVE, abs=0), name
    if model == "trend":
        # The slope is not a field; predictions at 0 and at two places far out hold it and its error.
        at = [
            predict(floats(series["y"]), floats(series["v"]), model, position=[*range(1, 15), place])
            for place in (-1e6, 0.0, 1e6)
        ]
        slope = float(at[2].expected - at[0].expected) / 2e6
        error = np.sqrt(float(at[2].se ** 2 - 2 * at[1].se ** 2 + at[0].se ** 2) / 2) / 1e6
        assert slope == pytest.approx(expected["slope"], rel=RELATIVE, abs=1e-15)
        assert error == pytest.approx(expected["slope_se"], rel=RELATIVE)


def test_the_oracle_holds_no_series_beyond_those_compared():
    assert len(oracle("unusual")) == len(SERIES)


def test_one_call_predicts_all_series_as_calls_for_each_do():
    every = oracle("unusual")
    y, v = (np.array([floats(series[name]) for series in every]) for name in ("y", "v"))
    together = predict(y, v, "trend")
    for row, (values, errors) in enumerate(zip(y, v, strict=True)):
        alone = predict(values, errors, "trend")
        assert together.p[row] == pytest.approx(alone.p, rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("group", [None, "Medical Incident", "Alarms"])
def test_scales_agree_with_the_series_that_r_was_given(group):
    season = oracle("season")
    series = season["series"] if group is None else season["by_classification"][group]["series"]
    count = {name: np.array(values) for name, values in series.items() if name not in ("period_id", "period_name")}
    computed = {
        "actions": log_count(count["n"]),
        "ai_rate": logit_share(count["ai"], count["ai"] + count["not_ai"]),
        "reroute_rate": logit_share(count["rerouted"], count["rerouted"] + count["stayed"]),
        "on_time_20min": logit_share(count["on_time_met"], count["on_time_met"] + count["on_time_missed"]),
    }
    compared = 0
    for given_to_r in oracle("unusual"):
        if given_to_r["group"] == group and given_to_r["measure"] in computed:
            y, v = computed[given_to_r["measure"]]
            np.testing.assert_allclose(y, floats(given_to_r["y"]), rtol=RELATIVE)
            np.testing.assert_allclose(v, floats(given_to_r["v"]), rtol=RELATIVE)
            compared += 1
    assert compared >= 1


def test_times_come_back_from_their_scale_and_unusable_ones_stay_out():
    y, v = log_time([120.0, 120.0, 0.0, 120.0, np.nan], [100.0, 100.0, 0.0, 120.0, 1.0], [150.0] * 3 + [120.0, 2.0], 20)
    assert np.isnan(y).tolist() == np.isnan(v).tolist() == [False, False, True, True, True]
    half = np.sqrt(v[0]) * 1.959963984540054
    assert half == pytest.approx(np.log(150.0 / 100.0) / 2)
    assert from_log(y[0]) == pytest.approx(120.0)
    assert np.isnan(log_time(120.0, 100.0, np.nan, 50)[0])
    assert np.isnan(log_time(120.0, 100.0, 150.0, 19)[0])
    assert np.isnan(logit_share(3, 19)[1])
    assert from_logit(logit_share(20, 40)[0]) == pytest.approx(0.5)
    with pytest.raises(ArgumentError, match="exceed"):
        logit_share(3, 2)


def test_a_number_that_cannot_be_held_is_null():
    assert np.isnan(from_log(np.log(2.0**63) + 1e-9, ceiling=2.0**63))
    assert from_log(np.log(2.0**62), ceiling=2.0**63) == pytest.approx(2.0**62)
    assert np.isnan(from_log(1e6))


# Laws -----------------------------------------------------------------------------------------------------------------

sizes = st.integers(8, 30)
seeds = st.integers(0, 2**32 - 1)
models = st.sampled_from(["level", "trend"])


def made(seed: int, size: int, between: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    v = np.exp(rng.normal(-2.0, 2.0, size))
    return rng.normal(3.0, np.sqrt(v + between)), v


def dense(y: np.ndarray, v: np.ndarray, x: np.ndarray, at: np.ndarray) -> tuple[float, float, float]:
    """tau2, expected and se by matrices and a bracketing root: slower and of other code."""

    def fit(tau2: float) -> tuple[np.ndarray, np.ndarray, float]:
        weight = np.diag(1.0 / (v + tau2))
        covariance = np.linalg.inv(x.T @ weight @ x)
        beta = covariance @ x.T @ weight @ y
        return beta, covariance, float((y - x @ beta) @ weight @ (y - x @ beta))

    df = len(y) - x.shape[1]
    tau2 = brentq(lambda tau: fit(tau)[2] - df, 0.0, 1e4, xtol=1e-14) if fit(0.0)[2] > df else 0.0
    beta, covariance, q = fit(tau2)
    return tau2, float(at @ beta), float(np.sqrt(q / df * (at @ covariance @ at)))


@given(seeds, sizes, models, st.sampled_from([0.0, 0.01, 0.5, 20.0]))
def test_closed_forms_agree_with_matrices(seed, size, model, between):
    y, v = made(seed, size, between)
    place = np.arange(1.0, size + 1.0)
    x = np.column_stack([np.ones(size), place][: 1 if model == "level" else 2])
    ordinary = predict(y, v, model, least=3)
    tau2, expected, se = dense(y[:-1], v[:-1], x[:-1], x[-1])
    assert ordinary.tau2 == pytest.approx(tau2, rel=1e-8, abs=1e-12)
    assert (ordinary.expected, ordinary.se) == (pytest.approx(expected, rel=1e-8), pytest.approx(se, rel=1e-8))
    assert paule_mandel(y[:-1], v[:-1], model) == ordinary.tau2


@given(seeds, sizes, models, st.floats(-100, 100), st.floats(0.01, 100))
def test_another_unit_moves_the_prediction_and_not_the_verdict(seed, size, model, shift, scale):
    y, v = made(seed, size)
    one, other = (predict(a, b, model, least=3) for a, b in ((y, v), (shift + scale * y, scale**2 * v)))
    assert other.expected == pytest.approx(shift + scale * float(one.expected), rel=1e-6, abs=1e-6)
    assert other.tau2 == pytest.approx(scale**2 * one.tau2, rel=1e-6, abs=1e-9)
    assert other.p == pytest.approx(one.p, rel=1e-6)


@given(seeds, sizes, models)
def test_the_order_in_which_earlier_points_are_given_does_not_matter(seed, size, model):
    y, v = made(seed, size)
    order = np.append(np.random.default_rng(seed).permutation(size - 1), size - 1)
    place = np.arange(float(size))
    one, other = predict(y, v, model, least=3), predict(y[order], v[order], model, position=place[order], least=3)
    assert (other.expected, other.sd) == (pytest.approx(one.expected, rel=1e-9), pytest.approx(one.sd, rel=1e-9))


@given(seeds, st.integers(10, 30), models, st.sampled_from(["y", "v", "zero", "infinite"]))
def test_a_point_that_cannot_be_used_is_as_if_it_were_not_there(seed, size, model, how):
    y, v = made(seed, size)
    place, gone = np.arange(float(size)), seed % (size - 1)
    kept = np.arange(size) != gone
    one = predict(y[kept], v[kept], model, position=place[kept], least=3)
    (y if how in ("y", "infinite") else v)[gone] = {"zero": 0.0, "infinite": np.inf}.get(how, np.nan)
    other = predict(y, v, model, position=place, least=3)
    assert (other.k, other.df) == (one.k, one.df)
    assert (other.expected, other.sd) == (pytest.approx(one.expected, rel=1e-9), pytest.approx(one.sd, rel=1e-9))


@given(seeds, sizes)
def test_with_equal_errors_tau2_is_what_the_variance_has_beyond_them(seed, size):
    y, _ = made(seed, size)
    assert paule_mandel(y, np.full(size, 0.3)) == pytest.approx(max(0.0, np.var(y, ddof=1) - 0.3), rel=1e-9, abs=1e-12)


@given(seeds, st.integers(4, 15))
def test_a_series_without_a_slope_has_one_expectation_under_both_models(seed, half):
    y, _ = made(seed, half)
    # Equal errors: tau2 differs between the models, and with it the weights of unequal ones would.
    there_and_back = np.concatenate([y, y[::-1], [0.0]])
    level, trend = (predict(there_and_back, np.ones(2 * half + 1), model, least=3) for model in ("level", "trend"))
    assert trend.expected == pytest.approx(level.expected, rel=1e-9)
    assert trend.sd >= level.sd


def test_a_straight_line_is_continued():
    place = np.arange(20.0)
    ordinary = predict(2.0 + 0.5 * place, np.linspace(0.1, 1.0, 20), "trend", position=place)
    assert ordinary.expected == pytest.approx(11.5)
    assert ordinary.tau2 == 0.0
    assert ordinary.se == pytest.approx(0.0, abs=1e-12)


def test_points_without_scatter_are_no_reason_to_alarm():
    ordinary = predict(np.ones(9), np.full(9, 0.1))
    assert (ordinary.tau2, ordinary.p) == (0.0, 1.0)
    assert ordinary.sd == pytest.approx(np.sqrt(0.1))


@pytest.mark.parametrize(("model", "least"), [("level", 8), ("trend", 12)])
def test_too_few_points_say_nothing(model, least):
    y, v = made(1, least + 1)
    assert np.isfinite(predict(y, v, model).p)
    short = predict(y[1:], v[1:], model)
    assert short.k == least - 1
    assert all(np.isnan(getattr(short, name)) for name in ("tau2", "expected", "se", "sd", "t", "p", "low", "high"))
    assert np.isnan(predict(y[:1], v[:1], model, least=0).p)
    assert np.isnan(paule_mandel(y[:1], v[:1], model))
    assert np.isnan(predict(np.full((3, 9), np.nan), np.ones(9), model).p).all()


def test_a_last_point_that_cannot_be_used_is_no_verdict():
    y, v = made(1, 12)
    for bad in (np.nan, 0.0):
        ordinary = predict(y, np.append(v[:-1], bad))
        assert np.isfinite(ordinary.expected)
        assert np.isnan([ordinary.sd, ordinary.t, ordinary.p, ordinary.low, ordinary.high]).all()


def test_points_at_one_position_have_no_trend():
    y, v = made(1, 20)
    assert np.isnan(predict(y, v, "trend", position=np.ones(20)).expected)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-300, 1e-160, 1e160, 1e300])
def test_numbers_beyond_floats_are_null_and_never_wrong(size):
    y, v = made(1, 12)
    ordinary, huge = predict(y, v), predict(y * size, v)
    assert np.isnan(huge.p) or 0 <= huge.p <= 1
    tiny = predict(y, v * size)
    assert np.isnan(tiny.tau2) or tiny.tau2 >= 0
    assert np.isfinite(ordinary.p)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"v": [-1.0] * 9}, "v must not be negative"),
        ({"model": "slope"}, "'level' or 'trend'"),
        ({"position": [1.0]}, "position"),
        ({"confidence": 1.0}, "confidence"),
        ({"y": [], "v": []}, "at least one point"),
    ],
)
def test_what_cannot_be_meant_is_refused(change, message):
    with pytest.raises(ArgumentError, match=message):
        predict(**({"y": np.zeros(9), "v": np.ones(9)} | change))


@pytest.mark.parametrize("between", [0.0, 0.02, 0.5])
@pytest.mark.parametrize("model", ["level", "trend"])
def test_an_ordinary_night_is_called_unusual_about_as_often_as_said(model, between):
    rng = np.random.default_rng(20)
    v = np.exp(rng.normal(-3.0, 0.7, (4000, 25)))
    y = rng.normal(0.0, np.sqrt(v + between))
    assert 0.035 < float((predict(y, v, model).p < 0.05).mean()) < 0.07


# Holm -----------------------------------------------------------------------------------------------------------------

probabilities = st.lists(st.floats(0, 1), max_size=12).map(np.array)


@given(probabilities, seeds)
def test_holm_rejects_step_by_step(p, seed):
    adjusted = holm(p)
    order = np.random.default_rng(seed).permutation(p.size)
    assert (holm(p[order]) == adjusted[order]).all()
    assert (adjusted >= p).all()
    for level in (0.01, 0.05, 0.2):
        rejected = 0
        for value in np.sort(p):
            if value * (p.size - rejected) > level:
                break
            rejected += 1
        assert (adjusted <= level).sum() == rejected


def test_no_test_does_not_count_as_one():
    assert holm([0.02, np.nan, 0.02]).tolist()[::2] == [0.04, 0.04]
    assert np.isnan(holm([np.nan])).all()
    assert holm([]).size == 0
    with pytest.raises(ArgumentError, match="between 0 and 1"):
        holm([1.1])


def test_two_families_share_the_error_whichever_holds_tests():
    assert holm_within([0.01, 0.02, 0.6], [True, True, False]).tolist() == [0.04, 0.04, 1.0]
    assert holm_within([0.01], [True]).tolist() == [0.02]
    assert holm_within([], []).size == 0
    with pytest.raises(ArgumentError, match="family"):
        holm_within([0.1, 0.2], [1, 2])
