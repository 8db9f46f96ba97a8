"""Agreement with SciPy and statsmodels, which take one row per subject, and with brute force where neither has it."""

import numpy as np
import pytest
from oracle import count
from scipy import stats
from statsmodels.duration.survfunc import CumIncidenceRight, SurvfuncRight, survdiff
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from periodkit.metrics.estimate.incidence import aalen_johansen, incidence_at
from periodkit.metrics.estimate.logrank import logrank
from periodkit.metrics.estimate.rates import newcombe, wilson
from periodkit.metrics.estimate.survival import kaplan_meier, restricted_mean, survival_at


def subjects(seed: int, n: int = 40, longest: int = 15) -> tuple[np.ndarray, np.ndarray]:
    """Return durations with many ties and kinds with much censoring."""
    rng = np.random.default_rng(seed)
    return rng.integers(0, longest, n), rng.choice(3, n, p=[0.4, 0.4, 0.2])


@pytest.mark.filterwarnings("ignore:The confidence interval is undefined:RuntimeWarning")
@pytest.mark.parametrize("seed", range(20))
def test_kaplan_meier_is_scipys(seed):
    time, kind = subjects(seed)
    curve = kaplan_meier(count(time, kind))
    theirs = stats.ecdf(stats.CensoredData(uncensored=time[kind == 1], right=time[kind != 1])).sf
    np.testing.assert_array_equal(curve.time, theirs.quantiles)
    np.testing.assert_allclose(curve.survival, theirs.probabilities, rtol=0, atol=1e-13)
    known = curve.survival > 0
    band = theirs.confidence_interval(0.9, method="log-log")
    mine = kaplan_meier(count(time, kind), confidence=0.9)
    inside = known & (curve.survival < 1)
    np.testing.assert_allclose(mine.low[inside], band.low.probabilities[inside], rtol=1e-10)
    np.testing.assert_allclose(mine.high[inside], band.high.probabilities[inside], rtol=1e-10)


@pytest.mark.parametrize("seed", range(20))
def test_kaplan_meier_is_statsmodels(seed):
    time, kind = subjects(seed)
    # They number time from the first subject and keep event times alone.
    theirs = SurvfuncRight(time + 1, (kind == 1).astype(int))
    points = survival_at(kaplan_meier(count(time + 1, kind)), theirs.surv_times)
    np.testing.assert_array_equal(points.at_risk, theirs.n_risk)
    np.testing.assert_allclose(points.survival, theirs.surv_prob, rtol=0, atol=1e-13)
    known = points.survival > 0
    np.testing.assert_allclose(points.std_error[known], theirs.surv_prob_se[known], rtol=1e-10)


@pytest.mark.parametrize("seed", range(20))
def test_cumulative_incidence_is_statsmodels(seed):
    time, kind = subjects(seed)
    # Ends of their status 1 and 2 are events; censored is 0.
    with np.errstate(divide="ignore", invalid="ignore"):  # their error at the last end divides by zero
        theirs = CumIncidenceRight(time + 1, kind)
    at = incidence_at(aalen_johansen(count(time + 1, kind)), theirs.times)
    np.testing.assert_allclose(at.event, theirs.cinc[0], rtol=0, atol=1e-13)
    np.testing.assert_allclose(at.competing, theirs.cinc[1], rtol=0, atol=1e-13)


def weighted_incidence(time: np.ndarray, kind: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return event, competing and open shares at each distinct time, by the definition, with weighted subjects."""
    still, shares = 1.0, [0.0, 0.0]
    rows = []
    for t in np.unique(time):
        at_risk = weight[time >= t].sum()
        ends = [weight[(time == t) & (kind == code)].sum() for code in (1, 2)]
        shares = [share + still * end / at_risk for share, end in zip(shares, ends, strict=True)]
        still *= 1.0 - sum(ends) / at_risk
        rows.append([*shares, still])
    return np.array(rows)


@pytest.mark.parametrize("seed", range(8))
def test_incidence_errors_are_the_infinitesimal_jackknife(seed):
    time, kind = subjects(seed, n=25, longest=10)
    step = 1e-5
    influence = []
    for subject in range(time.size):
        nudge = np.zeros(time.size)
        nudge[subject] = step
        up, down = (weighted_incidence(time, kind, 1.0 + sign * nudge) for sign in (1, -1))
        influence.append((up - down) / (2 * step))
    want = np.sqrt((np.array(influence) ** 2).sum(axis=0))
    curve = aalen_johansen(count(time, kind))
    got = np.column_stack([curve.event_std_error, curve.competing_std_error, curve.open_std_error])
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("seed", range(8))
def test_restricted_mean_is_the_area_and_its_error_the_jackknife(seed):
    time, kind = subjects(seed)
    single = np.where(kind == 1, 1, 0)
    grid = np.unique(time)

    def area(weight: np.ndarray, tau: float) -> float:
        level = np.concatenate([[1.0], weighted_incidence(time, single, weight)[:, 2]])
        edges = np.clip(np.concatenate([[0], grid, [tau]]), 0, tau)
        return float(level @ np.diff(edges))

    table = count(time, kind)
    for tau in (4.0, 9.5):
        steps = np.eye(time.size) * 1e-5
        slopes = [(area(1 + step, tau) - area(1 - step, tau)) / 2e-5 for step in steps]
        mean, error = restricted_mean(table, tau)
        assert mean == pytest.approx(area(np.ones(time.size), tau), rel=1e-12)
        assert error == pytest.approx(np.linalg.norm(slopes), rel=1e-6)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("arms", [2, 4])
def test_logrank_is_statsmodels(seed, arms):
    time, kind = subjects(seed, n=60)
    rng = np.random.default_rng(seed)
    arm, layer = rng.integers(0, arms, 60), rng.integers(0, 3, 60)
    events = (kind == 1).astype(int)
    tables = [count(time[arm == a], kind[arm == a]) for a in range(arms)]
    statistic, p_value = survdiff(time + 1, events, arm)
    mine = logrank(tables)
    assert (mine.statistic, mine.p_value) == pytest.approx((statistic, p_value), rel=1e-9)
    assert mine.df == arms - 1
    assert mine.expected.sum() == pytest.approx(mine.observed.sum())
    strata = [
        [count(time[(arm == a) & (layer == s)], kind[(arm == a) & (layer == s)]) for a in range(arms)] for s in range(3)
    ]
    statistic, p_value = survdiff(time + 1, events, arm, strata=layer)
    mine = logrank(strata)
    assert (mine.statistic, mine.p_value) == pytest.approx((statistic, p_value), rel=1e-9)


def test_rates_of_many_groups_at_once_are_statsmodels():
    rng = np.random.default_rng(3)
    n = np.r_[rng.integers(1, 10**6, 500), 2**40]
    x = np.r_[rng.integers(0, n[:-1] + 1), 3]
    limits = proportion_confint(x, n, 0.05, method="wilson")
    np.testing.assert_allclose(wilson(x, n)[1:], limits, rtol=1e-9, atol=1e-15)


def test_rates_are_scipys_and_statsmodels():
    n = np.repeat([1, 2, 7, 30], 3)
    x = np.array([0, 1, 1, 0, 1, 2, 0, 3, 7, 0, 11, 30])
    for confidence in (0.8, 0.95, 0.999):
        rate, low, high = wilson(x, n, confidence)
        np.testing.assert_allclose(rate, x / n)
        for row in range(n.size):
            theirs = stats.binomtest(int(x[row]), int(n[row])).proportion_ci(confidence, method="wilson")
            assert (low[row], high[row]) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
        np.testing.assert_allclose([low, high], proportion_confint(x, n, 1 - confidence, method="wilson"), atol=1e-12)
        _, low, high = newcombe(x, n, x[::-1], n[::-1], confidence)
        theirs = confint_proportions_2indep(x, n, x[::-1], n[::-1], "newcomb", alpha=1 - confidence)
        np.testing.assert_allclose([low, high], theirs, atol=1e-12)
