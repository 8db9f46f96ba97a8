"""Nothing, one, all alike, far too many, and wrong arguments."""

import subprocess
import sys

import numpy as np
import pytest

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate.incidence import aalen_johansen, incidence_at
from periodkit.metrics.estimate.logrank import logrank
from periodkit.metrics.estimate.rates import newcombe, observed_quantile, quantile_interval, wilson
from periodkit.metrics.estimate.survival import kaplan_meier, restricted_mean, survival_at, survival_quantile
from periodkit.metrics.tally.life_table import LifeTable, merge

NAN = np.nan


def table(*rows: tuple[int, int, int, int]) -> LifeTable:
    return LifeTable(*np.array(rows, dtype=np.int64).reshape(-1, 4).T)


EDGES = {
    "empty": table(),
    "counts of zero": table((5, 0, 0, 0), (6, 0, 0, 0)),
    "one ended": table((5, 1, 0, 0)),
    "one open": table((5, 0, 0, 1)),
    "one canceled": table((5, 0, 1, 0)),
    "at once": table((0, 3, 0, 0)),
    "all open": table((1, 0, 0, 2), (9, 0, 0, 4)),
    "all canceled": table((1, 0, 2, 0), (9, 0, 4, 0)),
    "ties": table((0, 2, 2, 2), (3, 1, 1, 1), (7, 5, 0, 5)),
    "zeros after the last": table((3, 2, 0, 1), (4, 2, 0, 0), (8, 0, 0, 0)),
    "many": table((1, 10**7, 10**7, 10**7), (2, 10**7, 0, 0), (3, 1, 10**7, 10**7), (10**15, 1, 1, 0)),
}


@pytest.mark.parametrize("name", EDGES)
def test_every_edge_has_a_well_formed_answer(name):
    given = EDGES[name]
    size = given.time.size
    for curve in (kaplan_meier(given), aalen_johansen(given)):
        assert {getattr(curve, field).shape for field in curve.__slots__} == {(size,)}
        assert not np.isinf([getattr(curve, field) for field in curve.__slots__]).any()
    for q in (0.01, 0.5, 0.99):
        estimate, low, high = survival_quantile(kaplan_meier(given), q)
        assert np.isnan(estimate) or estimate in given.time
        assert not np.isinf([low, high]).any()
    mean, error = restricted_mean(given, 10)
    assert np.isnan(mean) == (given.n == 0)
    assert np.isnan(error) == (given.n == 0)
    assert survival_at(kaplan_meier(given), [[-1, 0], [5, 10**16]]).survival.shape == (2, 2)
    logrank([given, given])
    logrank([given, table((2, 1, 0, 1))])


def test_survival_is_one_until_someone_ends_and_unknown_errors_at_zero():
    curve = kaplan_meier(table((1, 0, 0, 1), (2, 1, 0, 0), (3, 1, 0, 0)))
    assert curve.survival.tolist() == [1.0, 0.5, 0.0]
    np.testing.assert_array_equal(curve.std_error[[0, 2]], [0.0, NAN])
    np.testing.assert_array_equal(curve.low[[0, 2]], [1.0, NAN])
    np.testing.assert_array_equal(curve.high[[0, 2]], [1.0, NAN])
    assert curve.at_risk.tolist() == [3, 2, 1]


def test_those_censored_at_an_event_time_are_at_risk_there():
    assert kaplan_meier(table((4, 1, 0, 1))).survival.tolist() == [0.5]
    assert kaplan_meier(table((4, 1, 1, 0))).survival.tolist() == [0.5]
    assert aalen_johansen(table((4, 1, 1, 2))).event.tolist() == [0.25]


def test_a_quantile_not_reached_is_nan():
    np.testing.assert_array_equal(survival_quantile(kaplan_meier(table((4, 1, 0, 3))), 0.5), [NAN, 4, NAN])
    # Everyone has ended, and still the band never says so.
    np.testing.assert_array_equal(survival_quantile(kaplan_meier(table((4, 1, 0, 0))), 0.9), [4, NAN, NAN])


def test_curves_read_before_between_and_after_their_rows():
    given = table((10, 1, 0, 0), (20, 0, 1, 1), (30, 1, 0, 1))
    points = survival_at(kaplan_meier(given), [0, 10, 19.5, 20, 30, 31])
    np.testing.assert_allclose(points.survival, [1, 0.8, 0.8, 0.8, 0.4, 0.4])
    assert points.at_risk.tolist() == [5, 5, 4, 4, 2, 0]
    at = incidence_at(aalen_johansen(given), [0, 10, 20, 31])
    np.testing.assert_allclose(at.event, [0, 0.2, 0.2, 0.5])
    np.testing.assert_allclose(at.competing, [0, 0, 0.2, 0.2])
    assert (at.open[0], at.open_low[0], at.open_high[0]) == (1.0, 1.0, 1.0)
    assert at.at_risk.tolist() == [5, 5, 4, 0]


def test_an_empty_table_knows_no_share():
    assert np.isnan(survival_at(kaplan_meier(LifeTable.empty()), 3).survival)
    assert np.isnan(incidence_at(aalen_johansen(LifeTable.empty()), 3).open)
    assert merge([]).n == merge([LifeTable.empty(), LifeTable.empty()]).n == 0


@pytest.mark.parametrize(
    "arms",
    [
        [],
        [table((5, 3, 0, 0))],
        [table(), table()],
        [table(), table((5, 3, 0, 0))],
        [table((5, 0, 0, 3)), table((6, 0, 2, 0))],
        [table((5, 0, 0, 9)), table((6, 3, 0, 0), (7, 3, 0, 0))],
        [table((5, 1, 0, 0)), table((5, 1, 0, 0))],
    ],
)
def test_logrank_without_anything_to_compare_is_nan(arms):
    result = logrank(arms)
    assert np.isnan(result.statistic)
    assert np.isnan(result.p_value)
    assert result.observed.shape == result.expected.shape == (len(arms),)


def test_logrank_of_arms_that_never_meet_is_nan():
    none = table()
    one, other = table((1, 3, 0, 7), (2, 3, 0, 7)), table((1, 5, 0, 7), (4, 3, 0, 8))
    assert np.isnan(logrank([[one, none], [none, other]]).statistic)
    # Two pairs that meet within but not across: three degrees of freedom, and only two can be told apart.
    assert np.isnan(logrank([[one, other, none, none], [none, none, other, one]]).statistic)
    assert logrank([[one, other, none, none], [none, none, other, one]]).df == 3


def test_rates_without_trials_are_nan_and_certain_ones_end_at_the_edge():
    rate, low, high = wilson([0, 0, 3], [0, 3, 3])
    np.testing.assert_array_equal(rate, [NAN, 0, 1])
    assert np.isnan([low[0], high[0]]).all()
    assert (low[1], high[2]) == (0.0, 1.0)
    assert 0 < high[1] < 1
    assert wilson([], [])[0].shape == (0,)
    assert float(wilson(10**7, 10**7)[1]) == pytest.approx(1, abs=1e-6)
    assert np.isnan(newcombe([1], [2], [0], [0])).all()
    assert newcombe(3, 3, 0, 3)[0] == 1.0


def test_plain_quantiles_without_values_are_nan():
    assert np.isnan(observed_quantile([], [], 0.5))
    assert np.isnan(observed_quantile([1, 2], [0, 0], 0.5))
    interval = quantile_interval([], [], 0.5)
    assert np.isnan([interval.low, interval.high, interval.coverage]).all()
    assert observed_quantile([7], [1], 0.9) == 7.0
    assert observed_quantile([1, 2, 3], [10**7, 0, 10**7], 0.5) == 2.0


@pytest.mark.parametrize("bad", [0, 1, -0.1, 1.5, NAN])
@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("confidence", lambda bad: kaplan_meier(EDGES["ties"], bad)),
        ("confidence", lambda bad: aalen_johansen(EDGES["ties"], bad)),
        ("confidence", lambda bad: wilson(1, 2, bad)),
        ("confidence", lambda bad: newcombe(1, 2, 1, 2, bad)),
        ("confidence", lambda bad: quantile_interval([1], [1], 0.5, bad)),
        ("q", lambda bad: quantile_interval([1], [1], bad)),
        ("q", lambda bad: observed_quantile([1], [1], bad)),
        ("q", lambda bad: survival_quantile(kaplan_meier(EDGES["ties"]), bad)),
    ],
)
def test_a_share_out_of_range_is_named(name, call, bad):
    with pytest.raises(ArgumentError, match=rf"^{name} must"):
        call(bad)


@pytest.mark.parametrize(
    ("match", "call"),
    [
        ("^time must be strictly", lambda: LifeTable([2, 1], [1, 1], [0, 0], [0, 0])),
        ("^time must be strictly", lambda: LifeTable([1, 1], [1, 1], [0, 0], [0, 0])),
        ("^time must not be negative", lambda: LifeTable([-1], [1], [0], [0])),
        ("^event must be whole", lambda: LifeTable([1], [1.5], [0], [0])),
        ("^censored must not be negative", lambda: LifeTable([1], [1], [0], [-1])),
        ("one length", lambda: LifeTable([1], [1], [0, 0], [0])),
        ("^tau", lambda: restricted_mean(EDGES["ties"], -1)),
        ("^tau", lambda: restricted_mean(EDGES["ties"], NAN)),
        ("^t must", lambda: survival_at(kaplan_meier(EDGES["ties"]), [1, NAN])),
        ("^strata must", lambda: logrank([[EDGES["ties"]], [EDGES["ties"]] * 2])),
        ("^tables and strata", lambda: logrank([EDGES["ties"]], strata=[[EDGES["ties"]]])),
        ("^values must", lambda: observed_quantile([2, 1], [1, 1], 0.5)),
        ("^values and counts", lambda: quantile_interval([2, 3], [1], 0.5)),
        ("^counts must not", lambda: observed_quantile([2], [-1], 0.5)),
        ("^successes must not exceed n", lambda: wilson(3, 2)),
        ("^x2 must not exceed n2", lambda: newcombe(1, 2, 3, 2)),
    ],
)
def test_a_wrong_argument_is_named(match, call):
    with pytest.raises(ArgumentError, match=match):
        call()


def test_importing_the_estimates_leaves_the_slow_libraries_alone():
    code = (
        "import sys, periodkit.metrics.estimate; print(any(m in sys.modules for m in ('statsmodels', 'scipy.stats')))"
    )
    shown = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == "False"
