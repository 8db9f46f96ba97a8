"""Two things compared: against their sources, and by law."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import theilslopes

from periodkit.metrics.estimate.rates import newcombe
from periodkit.metrics.estimate.survival import kaplan_meier, survival_quantile
from periodkit.metrics.tally.life_table import LifeTable
from periodkit.reporting.findings.contrasts import Contrast, quantile_ratio, rate_above, rate_difference, trend

counts = st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def table(durations, still_open=()):
    times, ended = np.unique(np.r_[durations, still_open].astype(int), return_counts=True)
    waiting = np.array([(np.asarray(still_open) == each).sum() for each in times], dtype=int)
    none = np.zeros(len(times), dtype=int)
    return LifeTable(times, ended - waiting, none, waiting)


@settings(deadline=None)
@given(counts, counts)
def test_a_difference_of_rates_is_newcombes_and_turns_its_sign_with_its_sides(one, other):
    found, back = rate_difference(*one, *other, 0.99), rate_difference(*other, *one, 0.99)
    assert np.array_equal(
        [found.estimate, found.low, found.high], np.array(newcombe(*one, *other, 0.99)), equal_nan=True
    )
    assert np.allclose([found.estimate, found.low, found.high], [-back.estimate, -back.high, -back.low], equal_nan=True)
    assert found.known == bool(one[1] and other[1])


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 10_000), min_size=1, max_size=60),
    st.lists(st.integers(1, 10_000), min_size=1, max_size=60),
    st.lists(st.integers(1, 10_000), max_size=20),
    st.sampled_from([0.5, 0.9]),
)
def test_a_ratio_of_quantiles_turns_over_with_its_sides_and_holds_its_estimate(one, other, waiting, q):
    first, second = table(one, waiting), table(other)
    found, back = quantile_ratio(first, second, q, 0.95), quantile_ratio(second, first, q, 0.95)
    tops = [survival_quantile(kaplan_meier(each), q)[0] for each in (first, second)]
    assert found.known == bool(np.isfinite(tops).all())
    if found.known:
        assert found.estimate == pytest.approx(tops[0] / tops[1])
        assert found.low <= found.estimate <= found.high
        assert found.excludes_null == back.excludes_null
        assert back.low == pytest.approx(1 / found.high if np.isfinite(found.high) else 0.0)


def test_a_quantile_that_is_not_reached_is_no_contrast_and_an_open_limit_opens_the_interval():
    few = table([10, 20], [30] * 20)
    assert not quantile_ratio(few, table(range(1, 100)), 0.5, 0.95).known
    wide = quantile_ratio(table([1000, 2000, 3000]), table(range(1, 100)), 0.9, 0.95)
    assert wide.known
    assert np.isinf(wide.high)


def test_more_confidence_never_finds_more():
    one, other = table(range(100, 200)), table(range(130, 230))
    widths = [quantile_ratio(one, other, 0.5, c) for c in (0.8, 0.95, 0.999)]
    assert all(wide.low <= close.low and wide.high >= close.high for close, wide in pairwise(widths))


def test_the_interval_of_a_ratio_covers():
    # Two exponential samples whose medians are as 1 to 1.5; 300 draws, at 95 %: 285 expected, standard error under 4.
    rng = np.random.default_rng(7)
    covered = 0
    for _ in range(300):
        one, other = (np.ceil(rng.exponential(scale, 80) * 1000) for scale in (1.5, 1.0))
        found = quantile_ratio(table(one), table(other), 0.5, 0.95)
        covered += found.low <= 1.5 <= found.high
    assert 273 <= covered <= 298


@given(
    st.lists(st.one_of(st.just(np.nan), st.integers(-5, 5).map(float), st.floats(-1e6, 1e6)), min_size=2, max_size=30),
    st.sampled_from([0.9, 0.95, 0.9993]),
)
def test_a_trend_is_what_scipy_gives_with_ties_and_gaps(values, confidence):
    y = np.array(values)
    x = np.flatnonzero(np.isfinite(y))
    if len(x) < 2:
        assert not trend(values, confidence).known
        return
    theirs = theilslopes(y[x], x, alpha=confidence)
    found = trend(values, confidence)
    assert [found.estimate, found.low, found.high] == pytest.approx(
        [theirs.slope, theirs.low_slope, theirs.high_slope], rel=1e-12, abs=1e-12
    )


def test_a_trend_is_theil_and_sens_and_gaps_keep_their_place():
    values = [3.0, np.nan, 4.0, 4.5, np.nan, 7.0, 6.0, 8.0, 9.5]
    at = np.flatnonzero(np.isfinite(values))
    expected = theilslopes(np.array(values)[at], at, alpha=0.95)
    found = trend(values, 0.95)
    assert (found.estimate, found.low, found.high) == pytest.approx(expected[:1] + expected[2:])
    assert not trend([np.nan, 1.0], 0.95).known
    assert not trend([5.0] * 12, 0.95).excludes_null


def test_only_an_interval_that_leaves_the_null_out_excludes_it():
    assert Contrast(2.0, 1.1, 3.0, 1.0).excludes_null
    assert not Contrast(2.0, 1.0, 3.0, 1.0).excludes_null
    assert not Contrast(np.nan, np.nan, np.nan, 1.0).excludes_null
    assert rate_above(30, 100, 0.01, 0.95).excludes_null
    assert not rate_above(0, 0, 0.01, 0.95).known
