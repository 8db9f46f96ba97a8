"""Conditional survival and sums of unequal trials: against Kaplan-Meier, brute force, and what must hold."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate import LifeTable, kaplan_meier, survival_at
from periodkit.metrics.estimate.outlook import count_limits, remaining_share

COUNTS = st.lists(st.tuples(*[st.integers(0, 3)] * 3), min_size=1, max_size=12)


@given(COUNTS, st.integers(0, 14), st.integers(0, 14))
def test_the_share_is_a_ratio_of_kaplan_meier_and_its_variance_greenwoods(rows, age, more):
    event, competing, censored = (np.array(column) for column in zip(*rows, strict=True))
    table = LifeTable(np.arange(len(rows)), event, competing, censored)
    ended = LifeTable(table.time, event + competing, 0 * event, censored)
    found = remaining_share(table, [age], [age + more], [3])
    begin, end = survival_at(kaplan_meier(ended), [age, age + more]).survival
    at_risk = table.n - int((event + competing + censored)[: age + 1].sum())
    assert found.at_risk[0] == at_risk
    last = np.flatnonzero(event + competing + censored)
    if not at_risk or (age + more >= len(rows) and end > 0):
        assert np.isnan(found.share[0])
        assert found.variance == 0
        return
    assert last.size
    assert found.share[0] == pytest.approx(end / begin, abs=1e-12)
    # Those still in it at the age, by themselves.
    later = LifeTable(table.time[age + 1 :], *(each[age + 1 :] for each in (ended.event, ended.competing, censored)))
    alone = survival_at(kaplan_meier(later), [age + more]).std_error[0] if later.time.size else 0.0
    if end > 0:
        assert found.variance == pytest.approx(9 * alone**2, abs=1e-12)


def test_errors_of_ages_that_share_a_stretch_add_up_together():
    table = LifeTable(np.arange(1, 101), np.ones(100, dtype=int), np.zeros(100, dtype=int), np.zeros(100, dtype=int))
    same = remaining_share(table, [10, 10], [30, 30]).variance
    apart = remaining_share(table, [10, 50], [30, 70]).variance
    single = [remaining_share(table, age, age + 20).variance for age in (10, 50)]
    assert same == pytest.approx(4 * single[0])
    assert apart == pytest.approx(sum(single))


def test_beyond_the_history_is_not_known_unless_all_had_ended():
    seen = LifeTable([10, 20, 30], [1, 1, 0], [0, 0, 0], [0, 0, 1])
    done = LifeTable([10, 20, 30], [1, 1, 1], [0, 0, 0], [0, 0, 0])
    np.testing.assert_allclose(remaining_share(seen, 5, [25, 30, 31]).share, [1 / 3, 1 / 3, np.nan])
    np.testing.assert_allclose(remaining_share(done, 5, [25, 30, 99]).share, [1 / 3, 0, 0])
    assert np.isnan(remaining_share(done, 30, 40).share)
    assert np.isnan(remaining_share(LifeTable.empty(), 0, 0).share)
    assert remaining_share(done, 5, 99).smoothed == pytest.approx(0.5 / 4)


def law(p):
    """Poisson's binomial law, one trial after another."""
    found = np.ones(1)
    for each in p:
        found = np.convolve(found, [1 - each, each])
    return found


@given(st.lists(st.floats(0.01, 0.99), min_size=1, max_size=40), st.sampled_from([0.5, 0.8, 0.95]))
def test_limits_are_those_of_the_exact_law(p, confidence):
    low, high = count_limits(p, np.ones(len(p), dtype=int), 0.0, confidence)
    exact, tail = law(p), (1 - confidence) / 2
    slack = 1e-9
    assert exact[:low].sum() <= tail + slack
    assert exact[: low + 1].sum() > tail - slack
    assert exact[high + 1 :].sum() <= tail + slack
    assert exact[high:].sum() > tail - slack


def test_an_uncertain_share_gives_the_variance_that_was_asked_for():
    for n in (200, 2500):  # below and above where the normal law is used
        plain, wide = (count_limits([0.5], [n], variance, 0.95) for variance in (0.0, 3 * n / 4))
        assert plain[1] - plain[0] == pytest.approx(2 * 1.96 * np.sqrt(n / 4), abs=2)
        assert wide[1] - wide[0] == pytest.approx(2 * 1.96 * np.sqrt(n), rel=0.04)


def test_nothing_gives_nothing_and_bad_arguments_are_named():
    assert count_limits([], [], 0.0) == (0, 0)
    with pytest.raises(ArgumentError, match="later"):
        remaining_share(LifeTable([1], [1], [0], [0]), 3, 2)
    with pytest.raises(ArgumentError, match="confidence"):
        count_limits([0.5], [1], 0.0, 95)
