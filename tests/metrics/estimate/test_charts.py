"""Control charts and their patterns: R's figures, published examples, the definitions, and laws."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.charts import Chart, laney_chart, log_xmr_chart, p_chart
from periodkit.metrics.estimate.patterns import near_limit, run, trend

ORACLE_FOLDER = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "sffd"
RELATIVE = 1e-9
BASELINES = {"first12": 12, "all": None}
LINES = {"low": "lower", "high": "upper", "near_low": "near_lower", "near_high": "near_upper"}
RATES = ["ai_rate_laney", "on_time_laney", "ai_rate_p", "reroute_rate_laney"]
TIMES = ["cycle_log_median_xmr", "cycle_log_p90_xmr", "response_log_median_xmr", "response_log_p90_xmr"]
CASES = [(None, name, baseline) for name in [*RATES, *TIMES, "actions_log_xmr"] for baseline in BASELINES]
CASES += [(group, name, "first12") for group in ("Medical Incident", "Alarms") for name in [*RATES[:2], TIMES[0]]]


@cache
def oracle() -> Any:
    path = ORACLE_FOLDER / "oracle_season.json"
    if not path.exists():
        pytest.skip(f"R's results (shared/data/sffd/{path.name}) are not beside the checkout")
    return json.loads(path.read_text())


def drawn(name: str, series: dict[str, Any], baseline: int | None) -> Chart:
    count = {key: np.array(values) for key, values in series.items()}
    hits, misses = {"ai_rate": ("ai", "not_ai"), "reroute_rate": ("rerouted", "stayed")}.get(
        name.rsplit("_", 1)[0], ("on_time_met", "on_time_missed")
    )
    if name.endswith("_xmr"):
        key = name.removesuffix("_xmr").replace("cycle_log_", "").replace("_log", "")
        return log_xmr_chart(count["n" if key == "actions" else f"{key}_s"], baseline)
    draw = p_chart if name.endswith("_p") else laney_chart
    return draw(count[hits], count[hits] + count[misses], baseline)


def scatter(x: np.ndarray) -> tuple[float, float]:
    """Mean moving range, and the same without ranges of 3.267 times it: what other tools take by default."""
    ranges = np.abs(np.diff(x))
    return ranges.mean(), ranges[ranges < 3.267 * ranges.mean()].mean()


def western_electric(side: np.ndarray, beyond: np.ndarray) -> tuple[list[int], list[int]]:
    """Two of three beyond 2 sigma on one side: of those, and where the last is one; a rule we do not use."""
    signed = np.where(beyond, side, 0)
    part, complete = set(), []
    for last in range(1, signed.size):
        for sign in (1, -1):
            hits = [at for at in range(max(last - 2, 0), last + 1) if signed[at] == sign]
            if len(hits) >= 2:
                part |= set(hits)
                if hits[-1] == last:
                    complete.append(last)
    return sorted(at + 1 for at in part), sorted({at + 1 for at in complete})


def positions(flags: np.ndarray) -> list[int]:
    return (np.flatnonzero(flags) + 1).tolist()


def compare(chart: Chart, expected: dict[str, Any], show: Callable[[Any], np.ndarray]) -> None:
    """Compare a chart with R's, which gives centre and limits on the scale that `show` leaves."""
    close = {"rtol": RELATIVE, "atol": 1e-300}
    np.testing.assert_allclose(chart.center, np.full(chart.center.size, show(expected["centre"])), **close)
    for theirs, ours in LINES.items():
        if theirs in expected:
            line = np.broadcast_to(show(expected[theirs]), chart.center.shape)
            np.testing.assert_allclose(getattr(chart, ours), line, **close, err_msg=ours)
    if "sigma_z" in expected:
        np.testing.assert_allclose(chart.sigma_z, expected["sigma_z"], **close)
    signals = expected.get("signals")
    if signals is None:
        return
    logarithm = show is np.exp
    x, center, far = (np.log(each) if logarithm else each for each in (chart.value, chart.center, chart.near_upper))
    side, beyond = np.sign(x - center).astype(int), np.abs(x - center) > np.abs(far - center)
    found = {"outside": chart.outside, "run7": chart.run, "run7_complete": chart.run_complete}
    found |= {"trend7": chart.trend, "trend7_complete": chart.trend_complete}
    found |= {"two_of_three_nhs": chart.near, "two_of_three_nhs_complete": chart.near_complete}
    found |= {"run8": run(side, 8).part, "run8_complete": run(side, 8).complete}
    found |= {"trend6": trend(x, 6).part, "trend6_complete": trend(x, 6).complete}
    observed = {name: positions(flags) for name, flags in found.items()}
    observed["two_of_three_we"], observed["two_of_three_we_complete"] = western_electric(side, beyond)
    assert observed == signals
    assert (chart.signal == (chart.outside | chart.run | chart.trend | chart.near)).all()


@pytest.mark.parametrize(("group", "name", "baseline"), CASES)
def test_charts_agree_with_r(group, name, baseline):
    part = oracle() if group is None else oracle()["by_classification"][group]
    expected = part["charts"][name][baseline]
    chart = drawn(name, part["series"], BASELINES[baseline])
    compare(chart, expected, np.exp if name.endswith("_xmr") else np.array)
    base = slice(0, expected["baseline"])
    if name.endswith("_xmr"):
        unit = "_n" if name.startswith("actions") else "_s"
        compare(chart, {key: expected[key + unit] for key in ("centre", "low", "high")}, np.array)
        plain, screened = scatter(np.log(chart.value[base]))
        sigma = (np.log(chart.upper[0]) - np.log(chart.center[0])) / 3
        np.testing.assert_allclose([plain, sigma], [expected["mr_bar"], expected["sigma"]], rtol=RELATIVE)
        assert screened / 1.128 == pytest.approx(expected["sigma_screened"], rel=RELATIVE)
    elif "sigma_z_screened" in expected:
        # Limits may be cut, the sigma of a binomial share is not.
        count = part["series"]
        total = np.add(
            *(count[key] for key in (("ai", "not_ai") if "ai" in name else ("on_time_met", "on_time_missed")))
        )
        z = (chart.value - chart.center) / np.sqrt(chart.center * (1 - chart.center) / total)
        assert scatter(z[base])[1] / 1.128 == pytest.approx(expected["sigma_z_screened"], rel=RELATIVE)
    phases = ["baseline"] * 12 + ["monitored"] * 3 if baseline == "first12" else ["baseline"] * 15
    assert chart.phase.tolist() == phases


def test_every_chart_of_the_oracle_is_compared():
    parts = {None: oracle()} | oracle()["by_classification"]
    there = [(g, name, b) for g, part in parts.items() for name, each in part["charts"].items() for b in each]
    assert sorted(there, key=str) == sorted(CASES, key=str)
    assert len(oracle()["worked"]) == 6


def test_where_nothing_was_rerouted_there_is_a_centre_and_no_more():
    chart = drawn("reroute_rate_laney", oracle()["series"], 12)
    assert (chart.center == 0).all()
    assert np.isnan([chart.lower, chart.upper, chart.near_lower, chart.near_upper, chart.sigma_z]).all()
    assert not chart.signal.any()


def xmr(y: list[float], baseline: int | None = None) -> Chart:
    """Chart plain values, by the way of their exponential."""
    return log_xmr_chart(np.exp(y), baseline)


@pytest.mark.parametrize("name", ["xmr_montgomery_6_5", "rules"])
def test_published_individuals_and_the_rules(name):
    expected = oracle()["worked"][name]
    chart = xmr(expected["y"], expected["baseline"])
    compare(chart, expected, np.exp)
    plain, screened = scatter(np.array(expected["y"][: expected["baseline"]]))
    assert plain == pytest.approx(expected["mr_bar"], rel=RELATIVE)
    assert screened / 1.128 == pytest.approx(expected.get("sigma_screened", screened / 1.128), rel=RELATIVE)


def test_published_individuals_of_the_nhs():
    vignette, tests = (oracle()["worked"][name] for name in ("xmr_nhs_vignette", "xmr_nhs_tests"))
    for y, expected, screen in (
        (vignette["y"], vignette["unscreened"], False),
        (vignette["y"], vignette["screened"], True),
        (tests["y"], tests["screened"], True),
        (tests["y_with_outlier"], tests["outlier_unscreened"], False),
        (tests["y_with_outlier"], tests["outlier_screened"], True),
    ):
        chart = xmr(y)
        mean, spread = np.log(chart.center[0]), np.log(chart.upper[0]) - np.log(chart.center[0])
        plain, screened = scatter(np.array(y))
        # They write 2.66 for 3 / 1.128.
        width = spread * 2.66 / (3 / 1.128) * (screened / plain if screen else 1.0)
        np.testing.assert_allclose(
            [mean, mean - width, mean + width], [expected[key] for key in ("mean", "low", "high")], rtol=RELATIVE
        )


def test_published_shares():
    accidents = oracle()["worked"]["laney_nhs_accidents"]
    x, n = accidents["x"], accidents["n"]
    compare(p_chart(x, n, None), accidents["p"], np.array)
    compare(laney_chart(x, n, None), accidents["laney"], np.array)
    compare(laney_chart(x, n, 12), accidents["laney_frozen_12"], np.array)
    # No range is long enough to be screened, so that the screened figures are the same.
    screened = {"centre": accidents["laney"]["centre"]} | accidents["laney_screened"]
    compare(laney_chart(x, n, None), screened, np.array)
    montgomery = oracle()["worked"]["p_montgomery_7_4"]
    compare(p_chart(montgomery["x"], montgomery["n"], None), montgomery, np.array)


# The patterns by their definitions ------------------------------------------------------------------------------------


def by_definition(size: int, length: int, holds: Callable[[range], bool]) -> tuple[set[int], set[int]]:
    windows = [range(last - length + 1, last + 1) for last in range(length - 1, size)]
    found = [window for window in windows if holds(window)]
    return {at for window in found for at in window}, {window[-1] for window in found}


@given(st.lists(st.sampled_from([-1, 0, 1]), max_size=25), st.integers(2, 8))
def test_runs_by_definition(side, length):
    part, complete = by_definition(len(side), length, lambda window: abs(sum(side[at] for at in window)) == length)
    found = run(side, length)
    assert (set(np.flatnonzero(found.part)), set(np.flatnonzero(found.complete))) == (part, complete)


@given(st.lists(st.integers(0, 4), max_size=25), st.integers(2, 5))
def test_trends_by_definition(x, length):
    def holds(window):
        steps = {np.sign(x[at] - x[at - 1]) for at in window[1:]}
        return steps in ({1}, {-1})

    part, complete = by_definition(len(x), length, holds)
    found = trend(np.array(x, dtype=float), length)
    assert (set(np.flatnonzero(found.part)), set(np.flatnonzero(found.complete))) == (part, complete)


@given(st.lists(st.tuples(st.sampled_from([-1, 0, 1]), st.booleans()), max_size=25))
def test_two_of_three_by_definition(points):
    def holds(window):
        return abs(sum(points[at][0] for at in window)) == 3 and sum(points[at][1] for at in window) >= 2

    part, complete = by_definition(len(points), 3, holds)
    found = near_limit([side for side, _ in points], [close for _, close in points])
    assert set(np.flatnonzero(found.part)) == {at for at in part if points[at][1]}
    assert set(np.flatnonzero(found.complete)) == complete


# Laws -----------------------------------------------------------------------------------------------------------------

FLAGS = ("outside", "run", "trend", "near", "run_complete", "trend_complete", "near_complete", "signal")
values = st.lists(st.floats(0.01, 1e6), min_size=1, max_size=30).map(np.array)
shares = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1, max_size=30).map(
    lambda pairs: (np.array([a for a, _ in pairs]), np.array([a + b for a, b in pairs]))
)
baselines = st.sampled_from([None, 2, 5, 12])


def same_flags(one: Chart, other: Chart) -> None:
    for name in FLAGS:
        assert (getattr(one, name) == getattr(other, name)).all(), name


@given(values, baselines, st.sampled_from([1e-6, 60.0, 1e6]))
def test_the_unit_of_a_duration_does_not_matter(value, baseline, unit):
    one, other = log_xmr_chart(value, baseline), log_xmr_chart(value * unit, baseline)
    for line in ("center", "lower", "upper"):
        np.testing.assert_allclose(getattr(other, line), getattr(one, line) * unit, rtol=1e-9)
    same_flags(one, other)


@given(values, baselines)
def test_slow_and_fast_are_alike_on_the_logarithm(value, baseline):
    one, other = log_xmr_chart(value, baseline), log_xmr_chart(1.0 / value, baseline)
    np.testing.assert_allclose(other.upper, 1.0 / one.lower, rtol=1e-9)
    same_flags(one, other)


@given(shares, baselines, st.booleans())
def test_hits_and_misses_mirror_each_other(counts, baseline, laney):
    hits, total = counts
    draw = laney_chart if laney else p_chart
    one, other = draw(hits, total, baseline), draw(total - hits, total, baseline)
    np.testing.assert_allclose(other.upper, 1.0 - one.lower, atol=1e-9)
    same_flags(one, other)
    inside = np.isfinite(one.lower)
    assert (one.lower[inside] >= 0).all()
    assert (one.upper[inside] <= 1).all()


@given(values, baselines, st.data())
def test_points_without_a_value_are_stepped_over(value, baseline, data):
    at = data.draw(st.lists(st.integers(0, value.size), max_size=5).map(sorted))
    gaps = data.draw(st.lists(st.sampled_from([np.nan, 0.0, np.inf]), min_size=len(at), max_size=len(at)))
    with_gaps = np.insert(value, at, gaps)
    known = np.isfinite(with_gaps) & (with_gaps > 0)
    one, other = log_xmr_chart(value, baseline), log_xmr_chart(with_gaps, baseline)
    for name in ("value", "center", "lower", "upper", "phase", *FLAGS):
        assert np.array_equal(getattr(other, name)[known], getattr(one, name), equal_nan=name in LINES.values()), name
    assert np.isnan(other.value[~known]).all()
    assert np.isnan(other.lower[~known]).all()
    assert not other.signal[~known].any()


def test_a_share_of_nothing_is_stepped_over():
    one, other = p_chart([3, 5, 4], [9, 9, 9], 2), p_chart([3, 0, 5, 0, 4], [9, 0, 9, 0, 9], 2)
    assert np.array_equal(other.upper[::2], one.upper)
    assert np.isnan(other.value[1::2]).all()
    assert np.isnan(other.upper[1::2]).all()
    assert other.phase.tolist() == ["baseline", "baseline", "baseline", "monitored", "monitored"]


@given(values)
def test_equal_values_never_signal(value):
    for baseline in (None, 2):
        chart = log_xmr_chart(np.full(30, value[0]), baseline)
        assert not chart.signal.any()
        np.testing.assert_allclose(chart.upper, value[0])
    assert not laney_chart(np.arange(1, 31) * 1, np.arange(1, 31) * 3, None).signal.any()


@given(values, st.floats(0.01, 1e6))
def test_limits_are_frozen_on_the_baseline(value, later):
    first = log_xmr_chart(value, value.size)
    longer = log_xmr_chart(np.append(value, later), value.size)
    assert np.array_equal(longer.upper[:-1], first.upper, equal_nan=True)
    assert longer.phase.tolist() == ["baseline"] * value.size + ["monitored"]


def test_while_the_baseline_is_not_full_every_row_is_a_trial():
    chart = log_xmr_chart([60.0, np.nan, 70.0, 65.0], 4)
    assert chart.phase.tolist() == ["trial"] * 4
    assert np.array_equal(chart.upper, log_xmr_chart([60.0, np.nan, 70.0, 65.0], None).upper, equal_nan=True)


@given(values, st.data())
def test_a_rebased_chart_is_two_charts(value, data):
    at = data.draw(st.integers(0, value.size - 1))
    whole = log_xmr_chart(value, 5, rebase=at)
    for part in (slice(0, at), slice(at, value.size)):
        alone = log_xmr_chart(value[part], 5)
        assert np.array_equal(whole.upper[part], alone.upper, equal_nan=True)
        assert (whole.signal[part] == alone.signal).all()
        assert (whole.phase[part] == alone.phase).all()


@pytest.mark.parametrize("draw", [p_chart, laney_chart])
def test_a_baseline_without_scatter_has_no_limits(draw):
    for hits in (0, 50):
        chart = draw([hits] * 12 + [25] * 8, [50] * 20)
        assert (chart.center == hits / 50).all()
        assert np.isnan(chart.upper).all()
        assert not chart.signal.any()


def test_one_value_has_no_moving_range():
    for chart in (log_xmr_chart([60.0]), laney_chart([3], [9]), log_xmr_chart([60.0, 70.0], 1)):
        assert np.isnan(chart.upper).all()
        assert not chart.signal.any()
    assert np.isfinite(p_chart([3], [9]).upper).all()


def test_no_value_at_all_is_no_centre():
    for chart in (
        log_xmr_chart([np.nan, 0.0]),
        laney_chart([0], [0]),
        log_xmr_chart([]),
        p_chart(*[np.array([], int)] * 2),
    ):
        assert np.isnan(chart.center).all()
        assert not chart.signal.any()


@pytest.mark.filterwarnings("error")
def test_a_limit_that_cannot_be_held_is_null_and_its_signals_stand():
    value = np.array([1.0, 1e15, 1.0, 1e15, 1.0, 1e15])
    chart = log_xmr_chart(value, None, ceiling=2.0**63)
    assert np.isnan(chart.upper).all()
    assert np.isfinite(chart.lower).all()
    assert np.isfinite(chart.center).all()
    assert np.isnan(log_xmr_chart([1e-300, 1e300, 1e-300], None).upper).all()


def test_laney_widens_the_binomial_limits_by_sigma_z():
    hits, total = [40, 60, 50, 70, 30], [100, 120, 110, 130, 90]
    plain, laney = p_chart(hits, total, None), laney_chart(hits, total, None)
    np.testing.assert_allclose(laney.upper - laney.center, (plain.upper - plain.center) * laney.sigma_z)
    assert np.isnan(plain.sigma_z).all()


@pytest.mark.parametrize("arguments", [{"baseline": 0}, {"rebase": 3}, {"rebase": -1}])
def test_what_cannot_be_meant_is_refused(arguments):
    with pytest.raises(ArgumentError):
        log_xmr_chart([1.0, 2.0, 3.0], **arguments)
    with pytest.raises(ArgumentError):
        p_chart([1, 2, 3], [9, 9, 9], **arguments)
    with pytest.raises(ArgumentError):
        p_chart([3], [2])
    with pytest.raises(ArgumentError):
        log_xmr_chart(np.ones((2, 2)))
