"""Laws that hold for any counts."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle import count

from periodkit.metrics.estimate.incidence import aalen_johansen
from periodkit.metrics.estimate.logrank import logrank
from periodkit.metrics.estimate.rates import observed_quantile, quantile_interval
from periodkit.metrics.estimate.survival import kaplan_meier, restricted_mean, survival_at, survival_quantile
from periodkit.metrics.tally.life_table import LifeTable, merge

unhurried = settings(deadline=None)  # a busy machine is no failure of a law

QUANTILES = st.sampled_from([0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99]) | st.floats(0.001, 0.999)
SUBJECTS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 2)), max_size=60)


def tally(subjects: list[tuple[int, int]]) -> LifeTable:
    time, kind = np.array(subjects, dtype=np.int64).reshape(-1, 2).T
    return count(time, kind)


def same(first: LifeTable, second: LifeTable) -> None:
    for name in ("time", "event", "competing", "censored"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))


@unhurried
@given(st.lists(SUBJECTS, max_size=4))
def test_merging_tables_is_counting_the_whole(parts):
    same(merge(tally(part) for part in parts), tally([subject for part in parts for subject in part]))


@unhurried
@given(st.lists(st.integers(0, 30), min_size=1, max_size=80), QUANTILES)
def test_nothing_censored_is_the_empirical_distribution(times, q):
    table = tally([(time, 1) for time in times])
    curve = kaplan_meier(table)
    above = (np.array(times)[:, None] > table.time).mean(axis=0)
    np.testing.assert_allclose(curve.survival, above, rtol=0, atol=1e-15)
    binomial = np.sqrt(above * (1 - above) / len(times))
    np.testing.assert_allclose(curve.std_error[:-1], binomial[:-1], rtol=1e-9)
    incidence = aalen_johansen(table)
    np.testing.assert_allclose(incidence.event, 1 - above, rtol=0, atol=1e-14)
    np.testing.assert_allclose(incidence.event_std_error, binomial, rtol=1e-9, atol=1e-8)
    mean, _ = restricted_mean(table, 31)
    assert mean == pytest.approx(np.mean(times), abs=1e-9)
    # The quantile is NumPy's inverse of the empirical distribution, unless q falls on a step within the tolerance.
    on_step = np.abs(above - (1 - q)).min() < 1e-9
    assert on_step or survival_quantile(curve, q)[0] == np.quantile(times, q, method="inverted_cdf")


@pytest.mark.parametrize("n", [10, 1000, 99_990, 1_000_000])
def test_a_share_reached_exactly_is_reached(n):
    # One a second: the share 1 - q is met at exactly q n, where a running product would drift off it.
    ones, none = np.ones(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    curve = kaplan_meier(LifeTable(np.arange(1, n + 1), ones, none, none))
    assert [survival_quantile(curve, q)[0] for q in (0.1, 0.5, 0.9)] == [n // 10, n // 2, n // 10 * 9]


@pytest.mark.parametrize("half", [2, 300, 5000])
def test_a_share_reached_exactly_is_reached_with_censoring_at_every_step(half):
    # Factors (i - 1) / i for i from 2 half down to half + 1 leave exactly one half, whatever is lost in between.
    i = np.arange(2 * half, half, -1)
    group = np.arange(half, 0, -1)  # at risk are `group` times i, so one group ends at each step
    left = group * (i - 1)
    censored = left - np.append(group[1:] * i[1:], 0)
    table = LifeTable(np.arange(half), group, np.zeros(half, dtype=np.int64), censored)
    assert table.n == 2 * half * half
    assert (censored > 0).all()
    assert kaplan_meier(table).survival[-1] == pytest.approx(0.5, abs=1e-13)
    assert survival_quantile(kaplan_meier(table), 0.5)[0] == half - 1


@unhurried
@given(SUBJECTS)
def test_incidence_shares_sum_to_one(subjects):
    table = tally(subjects)
    curve = aalen_johansen(table)
    np.testing.assert_allclose(curve.event + curve.competing + curve.open, 1.0, rtol=0, atol=1e-13)
    for name in ("event", "competing", "open"):
        share, low, high = (getattr(curve, f"{name}{part}") for part in ("", "_low", "_high"))
        assert (getattr(curve, f"{name}_std_error") >= 0).all()
        assert ((low >= 0) & (low <= share) & (share <= high) & (high <= 1)).all()
    # Swapping the two ways to end swaps the answers.
    swapped = aalen_johansen(LifeTable(table.time, table.competing, table.event, table.censored))
    np.testing.assert_allclose(swapped.competing_std_error, curve.event_std_error, rtol=0, atol=1e-15)


@unhurried
@given(SUBJECTS)
def test_without_competing_ends_incidence_is_one_minus_survival(subjects):
    table = tally([(time, kind % 2) for time, kind in subjects])
    incidence, survival = aalen_johansen(table), kaplan_meier(table)
    np.testing.assert_allclose(incidence.event, 1 - survival.survival, rtol=0, atol=1e-13)
    known = survival.survival > 0
    np.testing.assert_allclose(incidence.event_std_error[known], survival.std_error[known], rtol=1e-7, atol=1e-12)


@unhurried
@given(SUBJECTS, QUANTILES, st.sampled_from([0.5, 0.9, 0.99]))
def test_an_interval_holds_its_quantile(subjects, q, confidence):
    curve = kaplan_meier(tally(subjects), confidence)
    estimate, low, high = survival_quantile(curve, q)
    assert np.isnan(estimate) or not low > estimate
    assert np.isnan(high) or high >= estimate
    assert ((curve.low <= curve.survival) & (curve.survival <= curve.high))[curve.survival > 0].all()
    if not np.isnan(estimate):
        at, before = survival_at(curve, [estimate, np.nextafter(estimate, -1)]).survival
        assert at <= 1 - q + 1e-12 < before


@unhurried
@given(SUBJECTS, QUANTILES, st.integers(2, 10**6))
def test_a_finer_unit_scales_the_durations(subjects, q, factor):
    table = tally(subjects)
    finer = LifeTable(table.time * factor, table.event, table.competing, table.censored)
    coarse = np.array(survival_quantile(kaplan_meier(table), q))
    np.testing.assert_array_equal(survival_quantile(kaplan_meier(finer), q), coarse * factor)
    mean = np.array(restricted_mean(table, 17.0))
    np.testing.assert_allclose(restricted_mean(finer, 17.0 * factor), mean * factor, rtol=1e-9, atol=1e-9)


@unhurried
@given(st.lists(SUBJECTS, min_size=2, max_size=3))
def test_logrank_does_not_depend_on_the_order_of_the_arms(parts):
    tables = [tally(part) for part in parts]
    one, other = logrank(tables), logrank(tables[::-1])
    assert one.df == other.df
    assert one.statistic == pytest.approx(other.statistic, rel=1e-6, abs=1e-9, nan_ok=True)
    assert one.observed.sum() == pytest.approx(one.expected.sum())
    # A stratum that holds one arm alone adds as many expected as observed, and nothing to the statistic.
    alone = [LifeTable.empty() for _ in tables[1:]]
    more = logrank(strata=[tables, [tables[0], *alone]])
    np.testing.assert_allclose(more.observed - more.expected, one.observed - one.expected, rtol=0, atol=1e-9)
    if not np.isnan(one.statistic):
        assert more.statistic == pytest.approx(one.statistic, rel=1e-9, abs=1e-12)


@unhurried
@given(st.lists(st.integers(-20, 20) | st.floats(-1e6, 1e6), min_size=1, max_size=60), QUANTILES)
def test_observed_quantile_is_numpys(values, q):
    distinct, counts = np.unique(np.array(values, dtype=float), return_counts=True)
    assert observed_quantile(distinct, counts, q) == np.quantile(np.array(values, dtype=float), q)


@unhurried
@given(st.lists(st.integers(0, 20), min_size=1, max_size=60), QUANTILES, st.sampled_from([0.5, 0.9, 0.99]))
def test_quantile_interval_reads_its_ranks_and_covers(values, q, confidence):
    distinct, counts = np.unique(values, return_counts=True)
    interval = quantile_interval(distinct, counts, q, confidence)
    ranked = [np.nan, *sorted(values), np.nan]
    np.testing.assert_array_equal(
        [interval.low, interval.high], [ranked[interval.rank_low], ranked[interval.rank_high]]
    )
    assert confidence - 1e-12 <= interval.coverage <= 1 + 1e-12
