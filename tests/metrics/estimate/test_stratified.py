"""Estimates by stratum against R's figures, published examples, other libraries, and the laws they obey."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from datetime import datetime
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from statsmodels.stats.contingency_tables import StratifiedTable

from periodkit.errors import ArgumentError
from periodkit.metrics.estimate import LifeTable, aalen_johansen, incidence_at, logrank, merge, restricted_mean
from periodkit.metrics.estimate.mantel_haenszel import Interval, MantelHaenszel, e_value, mantel_haenszel
from periodkit.metrics.estimate.standardise import Contrast, contrasts, standardise, support
from periodkit.metrics.estimate.stratified import ArmFigures, decided, incidence_by_stratum, mean_by_stratum, pool

DATA = Path(__file__).resolve().parents[3].parent / "shared" / "data" / "sffd"
ACTIONS, ORACLE = DATA / "sffd-2020-04.json.gz", DATA / "oracle_effects.json"
needs_data = pytest.mark.skipif(not (ACTIONS.exists() and ORACLE.exists()), reason=f"R's figures are not in {DATA}")

STAGES = {"dispatch": ("created", "assigned"), "response": ("created", "doing"), "cycle": ("created", "closed")}
TARGETS = [(stage, index) for stage in STAGES for index in range(5)]
NONE = LifeTable.empty()
USED = {"event": "event", "canceled": "competing", "left": "competing", "open": "censored"}
EXCLUDED = ("not_started", "invalid", "skipped", "unknown")


# --- a reader of its own, so that these tests stand without periodkit's milestones ---


def seconds(text):
    return None if text is None else round(datetime.fromisoformat(text).timestamp())


def state_of(action, start_name, end_name, as_of):
    """The first rule of DESIGN section 5 that fits, with the start and the duration that it counts."""
    times = {name: seconds(action[f"{name}Time"]) for name in ("created", "assigned", "doing", "closed")}
    start, end, closed = (
        None if times[name] is None or times[name] > as_of else times[name] for name in (start_name, end_name, "closed")
    )
    status = (action["status"] or "").strip().lower()
    later = times["closed"] is not None and closed is None
    canceled = status in {"canceled", "cancelled"} and not later
    ended = status in {"closed", "completed", "done", "resolved"} and not later
    if start is None:
        return "not_started", None, None
    if end is not None:
        state, until = "canceled" if canceled and end_name == "closed" else "event", end
    elif closed is not None:
        state, until = "left" if canceled else "skipped", closed
    elif canceled or ended:
        return "unknown", start, None
    else:
        state, until = "open", as_of
    return ("invalid", start, None) if until < start else (state, start, until - start)


@cache
def read(stage):
    """The stage's actions as (stratum, AI, state, start, duration), and when they were looked at."""
    with gzip.open(ACTIONS, "rt", encoding="utf-8") as file:
        answer = json.load(file)
    as_of = seconds(answer["as_of"])
    rows = [
        (action["classification"], action["aiDispatched"], *state_of(action, *STAGES[stage], as_of))
        for actions in answer["actions"].values()
        for action in actions
    ]
    return rows, as_of


def life_table(counts):
    """Count (duration, column) pairs."""
    columns = {
        name: Counter(t for t, column in counts if column == name) for name in ("event", "competing", "censored")
    }
    time = sorted({t for t, _ in counts})
    return LifeTable(time, *(np.array([column[t] for t in time], dtype=np.int64) for column in columns.values()))


@cache
def strata_of(stage, began_by=None, canceled="competing"):
    """Strata in the order of their names, null last; `began_by`: only those that began at least so long ago."""
    rows, as_of = read(stage)
    groups = {}
    for stratum, ai, state, start, duration in rows:
        if ai is None or state not in USED or (began_by is not None and as_of - start < began_by):
            continue
        column = canceled if state in {"canceled", "left"} else USED[state]
        groups.setdefault(stratum, ([], []))[0 if ai else 1].append((duration, column))
    names = sorted(groups, key=lambda name: (name is None, name))
    return names, [tuple(life_table(arm) for arm in groups[name]) for name in names]


@cache
def oracle():
    return json.loads(ORACLE.read_text(encoding="utf-8"))


def number(value):
    return np.nan if value is None else value


def near(value, expected, rel=1e-9, abs_=1e-9):
    """Within either tolerance: the errors of metafor carry rounding where ours are 0."""
    return value == pytest.approx(number(expected), rel=rel, abs=abs_, nan_ok=True)


def target_of(stage, index):
    return oracle()["stages"][stage]["targets"][index]


# --- R's figures ---


@needs_data
@pytest.mark.parametrize("stage", STAGES)
def test_reader_counts_what_r_counted(stage):
    figures, (rows, _) = oracle()["stages"][stage], read(stage)
    states = Counter(row[2] for row in rows)
    assert len(rows) == figures["n"]
    assert {name: states[name] for name in EXCLUDED} == figures["excluded"]
    assert sum(row[1] is None and row[2] in USED for row in rows) == figures["unknown_ai"]
    for arm, ai in (("ai", True), ("not_ai", False)):
        mine = Counter(row[2] for row in rows if row[1] is ai)
        wanted = figures["arms"][arm]
        assert [mine[state] for state in USED] == [wanted[name] for name in ("events", "canceled", "left", "open")]
        assert max(row[4] for row in rows if row[1] is ai and row[2] in USED) == wanted["longest"]


@needs_data
@pytest.mark.parametrize("stage", STAGES)
def test_support(stage):
    names, strata = strata_of(stage)
    wanted = oracle()["stages"][stage]["support"]
    for target in oracle()["stages"][stage]["targets"]:
        counts = support(incidence_by_stratum(strata, target["target"]))
        assert (counts.strata, counts.strata_both) == (wanted["strata"], wanted["strata_both"])
        assert (counts.used, counts.one_arm) == (wanted["n"], wanted["n_one_arm"])
        assert near(counts.one_arm / counts.used, wanted["share_one_arm"])
        assert counts.used == counts.compared + counts.one_arm + counts.short
    one_arm = [name for name, arms in zip(names, strata, strict=True) if not all(arm.n for arm in arms)]
    assert one_arm == wanted["one_arm"]


@needs_data
@pytest.mark.parametrize("stage", STAGES)
def test_log_rank_plain_and_stratified(stage):
    _, strata = strata_of(stage)
    for key, test in (("logrank", logrank(pool(strata))), ("logrank_stratified", logrank(strata))):
        wanted = oracle()["stages"][stage][key]
        assert test.df == 1
        assert near(test.statistic, wanted["chisq"], rel=1e-6, abs_=0)
        assert near(test.p_value, wanted["p"], rel=1e-6, abs_=0)
        assert near(test.observed, [wanted["observed_ai"], wanted["observed_not_ai"]], abs_=0)
        assert near(test.expected, [wanted["expected_ai"], wanted["expected_not_ai"]], abs_=0)


def assert_contrast(mine: Contrast, wanted, *, errors):
    scale = {"rel": 1e-9, "abs_": 1e-9}
    assert near(mine.first.item(), wanted["ai"], **scale)
    assert near(mine.second.item(), wanted["not_ai"], **scale)
    assert near(mine.difference.item(), wanted["diff"], **scale)
    assert near(mine.std_error.item(), wanted["se"], **scale)
    assert near(mine.low.item(), wanted["low"], **scale)
    assert near(mine.high.item(), wanted["high"], **scale)
    if errors:
        assert near(mine.first_std_error.item(), wanted["ai_se"], **scale)
        assert near(mine.second_std_error.item(), wanted["not_ai_se"], **scale)
    else:
        assert near(mine.std_error_random_weights.item(), wanted["se_random_weights"], **scale)


@needs_data
@pytest.mark.parametrize(("stage", "index"), TARGETS)
@pytest.mark.parametrize(
    ("key", "by_stratum"), [("incidence", incidence_by_stratum), ("restricted_mean", mean_by_stratum)]
)
def test_crude_and_standardised(stage, index, key, by_stratum):
    _, strata = strata_of(stage)
    target = target_of(stage, index)
    wanted = target[key]
    crude = by_stratum([pool(strata)], target["target"])
    assert bool(crude.followed.all()) is wanted["crude"]["followed"]
    assert_contrast(contrasts(crude), wanted["crude"], errors=True)
    figures = by_stratum(strata, target["target"])
    counts = support(figures)
    assert (counts.strata_compared, counts.compared) == (wanted["standardised"]["strata"], wanted["standardised"]["n"])
    assert_contrast(standardise(figures), wanted["standardised"], errors=False)
    carried = wanted["standardised_carried"]
    assert (counts.strata_both, counts.used - counts.one_arm) == (carried["strata"], carried["n"])
    assert_contrast(standardise(figures, carried=True), carried, errors=False)


@needs_data
@pytest.mark.parametrize("stage", STAGES)
def test_parts_by_stratum(stage):
    names, strata = strata_of(stage)
    figures = oracle()["stages"][stage]
    parts = {part["stratum"]: part for part in figures["strata"]}
    assert set(parts) == set(names)
    for index, target in enumerate(figures["targets"]):
        shares, means = (by(strata, target["target"]) for by in (incidence_by_stratum, mean_by_stratum))
        for row, name in enumerate(names):
            for column, arm in enumerate(("ai", "not_ai")):
                wanted = parts[name][arm]
                assert shares.used[row, column] == wanted["used"]
                assert near(shares.value[row, column], wanted["incidence"][index])
                assert near(shares.std_error[row, column], wanted["incidence_se"][index])
                assert near(means.value[row, column], wanted["restricted_mean"][index])
                assert near(means.std_error[row, column], wanted["restricted_mean_se"][index])
                assert bool(shares.followed[row, column]) is bool(wanted["followed"][index])
                assert bool(means.followed[row, column]) is bool(wanted["followed"][index])


def assert_interval(mine: Interval, wanted, error="se_log"):
    # Nobody missed: metafor's difference is 0 but for rounding, whose root is 2e-11.
    for value, key in ((mine.value, "est"), (mine.std_error, error), (mine.low, "low"), (mine.high, "high")):
        if key in wanted:
            assert near(value, wanted[key], rel=1e-6, abs_=1e-10), key


def assert_tests(mine: MantelHaenszel, wanted):
    test = wanted["breslow_day"]
    for value, key in (
        (mine.breslow_day.statistic, "chisq"),
        (mine.breslow_day.p_value, "p"),
        (mine.tarone.statistic, "tarone_chisq"),
        (mine.tarone.p_value, "tarone_p"),
    ):
        assert near(value, test[key], rel=1e-6, abs_=0), key
    assert mine.breslow_day.df == mine.tarone.df == test["df"]
    assert near(mine.cmh.statistic, wanted["cmh"]["chisq"], rel=1e-6, abs_=0)
    assert near(mine.cmh.p_value, wanted["cmh"]["p"], rel=1e-6, abs_=0)


@needs_data
@pytest.mark.parametrize(("stage", "index"), TARGETS)
@pytest.mark.parametrize("rule", ["decided", "mature", "on_time"])
def test_mantel_haenszel(stage, index, rule):
    target = target_of(stage, index)
    t, wanted = target["target"], target["mantel_haenszel"][rule]
    began_by, canceled = t if rule == "mature" else None, "censored" if rule == "on_time" else "competing"
    counts = decided(strata_of(stage, began_by, canceled)[1], t)
    for column, arm in enumerate(("ai", "not_ai")):
        mine = {name: int(getattr(counts, name)[:, column].sum()) for name in ("met", "missed", "undetermined")}
        assert mine == wanted[arm]
    result = mantel_haenszel(counts.met, counts.missed)
    assert result.strata == wanted["strata"]
    assert (result.strata_both, result.used) == (wanted["strata_both"], wanted["n_both"])
    assert result.informative == wanted["informative"]
    assert near(result.crude_risk_ratio, wanted["rr_crude"], rel=1e-6)
    assert_interval(result.risk_ratio, wanted["rr"])
    assert_interval(result.odds_ratio, wanted["or"])
    assert_interval(result.risk_difference, wanted["rd"], error="se")
    value, limit = e_value(result.risk_ratio.value, result.risk_ratio.low, result.risk_ratio.high)
    assert near(value.item(), wanted["rr"]["evalue"], rel=1e-6)
    assert near(limit.item(), wanted["rr"]["evalue_limit"], rel=1e-6)
    if "breslow_day" in wanted:
        assert_tests(result, wanted)
    else:
        assert np.isnan([result.breslow_day.statistic, result.breslow_day.p_value, result.tarone.statistic]).all()


@needs_data
@pytest.mark.parametrize("example", ["bcg", "ucb_admissions"])
def test_published_tables(example):
    wanted = oracle()["worked"]["mantel_haenszel"][example]
    met = np.column_stack([wanted["ai_met"], wanted["not_ai_met"]])
    result = mantel_haenszel(met, np.column_stack([wanted["ai_missed"], wanted["not_ai_missed"]]))
    assert_interval(result.risk_ratio, wanted["rr"])
    assert_interval(result.odds_ratio, wanted["or"])
    if "rd" in wanted:
        assert_interval(result.risk_difference, wanted["rd"], error="se")
    assert_tests(result, wanted)


@needs_data
def test_published_e_values():
    for case in oracle()["worked"]["evalue"]["cases"]:
        value, limit = e_value(case["rr"], case["low"], case["high"])
        assert near(value.item(), case["evalue"], rel=1e-12)
        assert near(limit.item(), case["evalue_limit"], rel=1e-12)


# --- laws ---


@st.composite
def life_tables(draw, longest=12, most=6, least=0):
    rows = draw(st.integers(least, 8))
    time = sorted(draw(st.sets(st.integers(0, longest), min_size=rows, max_size=rows)))
    columns = [draw(st.lists(st.integers(0, most), min_size=rows, max_size=rows)) for _ in range(3)]
    return LifeTable(time, *(np.array(column, dtype=np.int64) for column in columns))


pairs = st.tuples(life_tables(), life_tables())
several = st.lists(pairs, max_size=6)
targets = st.one_of(st.integers(0, 14), st.floats(0.0, 14.0))
counts = st.lists(st.tuples(*[st.integers(0, 12)] * 4), min_size=1, max_size=7)
BY_STRATUM = pytest.mark.parametrize("by_stratum", [incidence_by_stratum, mean_by_stratum])


def same(left, right, rel=1e-9, abs_=1e-9):
    return left == pytest.approx(right, rel=rel, abs=abs_, nan_ok=True)


@given(several, targets)
def test_figures_are_those_of_one_group(strata, t):
    shares, means = incidence_by_stratum(strata, t), mean_by_stratum(strata, t)
    assert shares.value.shape == means.std_error.shape == (len(strata), 2)
    for row, arms in enumerate(strata):
        for column, arm in enumerate(arms):
            point = incidence_at(aalen_johansen(arm), t)
            if arm.n:
                assert same(shares.value[row, column], point.event.item())
                assert same(shares.std_error[row, column], point.event_std_error.item(), abs_=1e-7)
            else:
                assert np.isnan([shares.value[row, column], shares.std_error[row, column]]).all()
            assert same((means.value[row, column], means.std_error[row, column]), restricted_mean(arm, t))


@pytest.mark.parametrize("by_stratum", [incidence_by_stratum, mean_by_stratum])
def test_tables_of_all_sizes_go_through_together(by_stratum):
    rng = np.random.default_rng(14)
    strata = []
    for size in rng.permutation([0, 1, 3, 50, 63, 64, 65, 200, 300, 2000, 5000]):
        time = np.sort(rng.choice(20_000, size, replace=False))
        strata.append(tuple(LifeTable(time, *rng.integers(0, 4, (3, size))) for _ in range(2)))
    together = by_stratum(strata, 15_000)
    alone = [by_stratum([arms], 15_000) for arms in strata]
    np.testing.assert_allclose(together.value, np.concatenate([each.value for each in alone]), rtol=1e-13)
    np.testing.assert_allclose(together.std_error, np.concatenate([each.std_error for each in alone]), rtol=1e-12)
    assert (together.followed == np.concatenate([each.followed for each in alone])).all()


@BY_STRATUM
@given(several, targets, st.booleans())
def test_swapping_arms_flips_differences(by_stratum, strata, t, carried):
    there, back = by_stratum(strata, t), by_stratum([(second, first) for first, second in strata], t)
    assert support(there) == support(back)
    for compare in (contrasts, standardise):
        one, other = compare(there, carried=carried), compare(back, carried=carried)
        for left, right in (("first", "second"), ("first_std_error", "second_std_error")):
            assert same(getattr(one, left), getattr(other, right))
        assert same(one.difference, -other.difference)
        assert same(one.low, -other.high)
        for name in ("std_error", "std_error_random_weights"):
            assert same(getattr(one, name), getattr(other, name))


@BY_STRATUM
@given(pairs, targets)
def test_one_stratum_gives_the_crude(by_stratum, arms, t):
    figures = by_stratum([arms], t)
    crude, one = contrasts(by_stratum([pool([arms])], t)), standardise(figures)
    assert one.difference.shape == ()
    for name in ("difference", "std_error", "low", "high", "std_error_random_weights"):
        assert same(getattr(one, name), getattr(crude, name).item(), rel=1e-12, abs_=1e-12)
    # What one arm alone shows is said of the crude; the standardised has nothing to weigh it by.
    if support(figures).strata_compared:
        assert same(one.first, crude.first.item(), rel=1e-12)
        assert same(one.second, crude.second.item(), rel=1e-12)


@given(several, targets, st.randoms(use_true_random=False))
def test_merging_counts_changes_nothing(strata, t, random):
    """Counts taken in two parts and added, in another order, with rows in which nothing happened."""
    halves, rest = [], []
    for arms in strata:
        cut = [
            [random.randint(0, int(n)) for n in column]
            for arm in arms
            for column in (arm.event, arm.competing, arm.censored)
        ]
        parts = [np.array(column, dtype=np.int64) for column in cut]
        halves.append(tuple(LifeTable(arm.time, *parts[3 * i : 3 * i + 3]) for i, arm in enumerate(arms)))
        rest.append(
            tuple(
                LifeTable(
                    arm.time,
                    *(
                        whole - part
                        for whole, part in zip((arm.event, arm.competing, arm.censored), parts[3 * i :], strict=False)
                    ),
                )
                for i, arm in enumerate(arms)
            )
        )
    idle = LifeTable([3, 99], [0, 0], [0, 0], [0, 0])
    merged = [tuple(merge([a, b, idle]) for a, b in zip(*both, strict=True)) for both in zip(halves, rest, strict=True)]
    order = random.sample(range(len(strata)), len(strata))
    merged, plain = [merged[i] for i in order], strata
    for by_stratum in (incidence_by_stratum, mean_by_stratum):
        one, other = by_stratum(plain, t), by_stratum(merged, t)
        assert (one.followed[order] == other.followed).all()
        assert support(one) == support(other)
        assert same(standardise(one).difference, standardise(other).difference)
        assert same(standardise(one).std_error, standardise(other).std_error)
    one, other = decided(plain, t), decided(merged, t)
    assert (one.met[order] == other.met).all()
    assert (one.missed[order] == other.missed).all()
    assert (one.undetermined[order] == other.undetermined).all()


@given(several, targets)
def test_everyone_is_somewhere(strata, t):
    figures, told = incidence_by_stratum(strata, t), decided(strata, t)
    total = sum(arm.n for arms in strata for arm in arms)
    counts = support(figures)
    assert counts.used == total == counts.compared + counts.one_arm + counts.short
    assert (told.met + told.missed + told.undetermined == figures.used).all()
    assert min(told.missed.min(initial=0), told.undetermined.min(initial=0)) >= 0


@given(st.lists(pairs, min_size=1, max_size=5), targets)
def test_with_nobody_open_shares_are_those_of_the_decided(strata, t):
    """Then the incidence is the plain share, and both ways of comparing use the same strata."""
    closed = [tuple(LifeTable(arm.time, arm.event, arm.competing, arm.event * 0) for arm in arms) for arms in strata]
    figures, told = incidence_by_stratum(closed, t), decided(closed, t)
    assert not told.undetermined.any()
    known = figures.used > 0
    share = told.met[known] / figures.used[known]
    assert same(figures.value[known], share)
    assert same(figures.std_error[known] ** 2, share * (1 - share) / figures.used[known])
    assert support(figures).short == 0
    result = mantel_haenszel(told.met, told.missed)
    assert result.strata_both == support(figures).strata_compared
    crude = contrasts(incidence_by_stratum([pool(closed)], t))
    if crude.first > 0 and crude.second > 0:
        assert same(result.crude_risk_ratio, (crude.first / crude.second).item())


def tables(rows):
    cells = np.array(rows, dtype=np.int64)
    return cells[:, [0, 2]], cells[:, [1, 3]]


@given(counts)
def test_swapping_arms_inverts_ratios(rows):
    met, missed = tables(rows)
    one, other = mantel_haenszel(met, missed), mantel_haenszel(met[:, ::-1], missed[:, ::-1])
    for name in ("risk_ratio", "odds_ratio"):
        there, back = getattr(one, name), getattr(other, name)
        assert same((there.value, there.std_error), (1 / back.value, back.std_error))
        assert same((there.low, there.high), (1 / back.high, 1 / back.low))
    assert same(one.crude_risk_ratio, 1 / other.crude_risk_ratio)
    there, back = one.risk_difference, other.risk_difference
    assert same(
        (there.value, there.std_error, there.low, there.high), (-back.value, back.std_error, -back.high, -back.low)
    )
    for name in ("breslow_day", "tarone", "cmh"):
        assert same(getattr(one, name).statistic, getattr(other, name).statistic, rel=1e-6)
        assert getattr(one, name).df == getattr(other, name).df
    there, back = (e_value(x.risk_ratio.value, x.risk_ratio.low, x.risk_ratio.high) for x in (one, other))
    assert same(there[0], back[0])
    assert same(there[1], back[1], abs_=1e-7)


@given(counts)
def test_meeting_and_missing_are_two_sides_of_one_table(rows):
    met, missed = tables(rows)
    one, other = mantel_haenszel(met, missed), mantel_haenszel(missed, met)
    assert same(one.odds_ratio.value, 1 / other.odds_ratio.value)
    assert same(one.risk_difference.value, -other.risk_difference.value)
    assert same(one.risk_difference.std_error, other.risk_difference.std_error)
    assert same(one.tarone.statistic, other.tarone.statistic, rel=1e-6)
    assert same(one.cmh.statistic, other.cmh.statistic)


@given(st.tuples(*[st.integers(0, 40)] * 4))
def test_one_table_gives_the_crude_ratio(row):
    met, missed = tables([row])
    result = mantel_haenszel(met, missed)
    assert same(result.risk_ratio.value, result.crude_risk_ratio)
    assert np.isnan(result.tarone.statistic)
    a, b, c, d = row
    if min(a, c) > 0:
        assert same(result.risk_ratio.std_error**2, b / (a * (a + b)) + d / (c * (c + d)))
        if min(b, d) > 0:
            assert same(result.odds_ratio.value, a * d / (b * c))
            assert same(result.odds_ratio.std_error**2, 1 / a + 1 / b + 1 / c + 1 / d)


@given(counts)
@example([(3, 2, 2, 6)] * 3)
@settings(max_examples=200)
def test_statsmodels_agrees(rows):
    met, missed = tables(rows)
    result = mantel_haenszel(met, missed)
    telling = [row for row in rows if min(row[0] + row[1], row[2] + row[3], row[0] + row[2], row[1] + row[3]) > 0]
    assume(telling and not np.isnan(result.odds_ratio.value))
    # With strata in which nothing varies, statsmodels divides by 0; they add nothing to any of these.
    peer = StratifiedTable(np.array(telling, dtype=float).reshape(-1, 2, 2).transpose(1, 2, 0))
    assert same(result.odds_ratio.value, peer.oddsratio_pooled)
    assert same(result.odds_ratio.std_error, peer.logodds_pooled_se)
    test = peer.test_null_odds(correction=False)
    assert same((result.cmh.statistic, result.cmh.p_value), (test.statistic, test.pvalue))
    # Its root of Breslow and Day's quadratic cancels where the odds ratio is near 1, and is 0 / 0 at 1.
    if len(telling) > 1 and abs(result.odds_ratio.value - 1) > 1e-3:
        for mine, adjust in ((result.breslow_day, False), (result.tarone, True)):
            test = peer.test_equal_odds(adjust=adjust)
            assert same((mine.statistic, mine.p_value), (test.statistic, test.pvalue), rel=1e-6, abs_=1e-7)
    both = [row for row in rows if min(row[0] + row[1], row[2] + row[3]) > 0]
    peer = StratifiedTable(np.array(both, dtype=float).reshape(-1, 2, 2).transpose(1, 2, 0))
    if not np.isnan(result.risk_ratio.value):
        assert same(result.risk_ratio.value, peer.riskratio_pooled)


@pytest.mark.parametrize("hair", [0, 1])
def test_homogeneity_at_and_near_an_odds_ratio_of_one(hair):
    """There the expected counts are those of the margins; a hair beside it they must not jump."""
    many = 10**7
    rows = [(2 * many, many, many, 2 * many), (many, 2 * many + hair, 2 * many, many)]
    result = mantel_haenszel(*tables(rows))
    assert same(result.odds_ratio.value, 1.0, abs_=1e-6)
    assert same(result.breslow_day.statistic, 2 * (many / 2) ** 2 / (3 * many / 8), rel=1e-6)


def test_extreme_odds_still_sum_to_the_margins():
    """The quadratic of Breslow and Day where odds are far from 1, against what statsmodels says of it."""
    rows = [(4000, 1, 3, 900), (30, 1, 1, 2000), (999, 2, 1, 77)]
    for turned in (rows, [(c, d, a, b) for a, b, c, d in rows]):
        result = mantel_haenszel(*tables(turned))
        peer = StratifiedTable(np.array(turned, dtype=float).reshape(-1, 2, 2).transpose(1, 2, 0))
        assert same(result.tarone.statistic, peer.test_equal_odds(adjust=True).statistic, rel=1e-6)


# --- what cannot be said ---


def nothing(interval):
    return bool(np.isnan([interval.value, interval.std_error, interval.low, interval.high]).all())


def test_no_strata_say_nothing():
    for by_stratum in (incidence_by_stratum, mean_by_stratum):
        figures = by_stratum([], 5)
        assert figures.value.shape == (0, 2)
        assert np.isnan(standardise(figures).difference)
        assert contrasts(figures).difference.shape == (0,)
        assert support(figures).used == 0
        assert np.isnan(contrasts(by_stratum([pool([])], 5)).difference).all()
    empty = np.zeros((0, 2), dtype=np.int64)
    for result in (mantel_haenszel(empty, empty), mantel_haenszel([], []), mantel_haenszel([[0, 0]], [[0, 0]])):
        assert nothing(result.risk_ratio)
        assert nothing(result.odds_ratio)
        assert nothing(result.risk_difference)
        assert np.isnan(
            [result.crude_risk_ratio, result.cmh.statistic, result.cmh.p_value, result.tarone.statistic]
        ).all()
        assert (result.strata, result.strata_both, result.used, result.tarone.df) == (0, 0, 0, 0)


def test_one_arm_alone_is_counted_and_not_compared():
    arm = LifeTable([2, 4], [3, 1], [0, 1], [0, 0])
    figures = incidence_by_stratum([(arm, NONE), (NONE, arm)], 3)
    counts = support(figures)
    assert (counts.strata, counts.strata_both, counts.strata_compared, counts.one_arm) == (2, 0, 0, 10)
    assert np.isnan(standardise(figures).difference)
    alone = contrasts(incidence_by_stratum([pool([(arm, NONE)])], 3))
    assert same(alone.first.item(), 0.6)
    assert np.isnan([alone.second.item(), alone.difference.item(), alone.std_error.item()]).all()
    told = decided([(arm, NONE), (NONE, arm)], 3)
    result = mantel_haenszel(told.met, told.missed)
    assert (result.strata, result.strata_both, result.used) == (2, 0, 0)
    assert nothing(result.risk_ratio)
    assert nothing(result.risk_difference)
    assert result.crude_risk_ratio == 1.0


def test_what_was_not_followed_is_short_unless_carried():
    long, young = LifeTable([2, 9], [3, 1], [0, 0], [0, 0]), LifeTable([1, 4], [1, 0], [0, 0], [0, 2])
    figures = incidence_by_stratum([(long, young), (long, long)], 6)
    assert figures.followed.tolist() == [[True, False], [True, True]]
    counts = support(figures)
    assert (counts.strata_compared, counts.compared, counts.short) == (1, 8, 7)
    assert standardise(figures).difference == 0.0
    assert same(standardise(figures, carried=True).difference, 7 / 15 * (3 / 4 - 1 / 3))
    crude = contrasts(incidence_by_stratum([(long, young)], 6))
    assert crude.first.item() == 0.75
    assert np.isnan([crude.second.item(), crude.difference.item()]).all()
    assert same(contrasts(incidence_by_stratum([(long, young)], 6), carried=True).second.item(), 1 / 3)


@pytest.mark.parametrize(
    ("table", "t", "expected"),
    [
        (LifeTable([5], [0], [0], [1]), 5, True),  # lasted exactly so long
        (LifeTable([5], [0], [0], [1]), 5.5, False),
        (LifeTable([5], [1], [0], [1]), 6, False),  # of two equally long ones the open one goes on
        (LifeTable([5], [0], [1], [0]), 6, True),  # gone another way: its share is final
        (LifeTable([5, 9], [1, 0], [0, 0], [0, 0]), 7, True),  # a row without anyone is nobody's duration
        (LifeTable([5, 9], [0, 0], [0, 0], [1, 0]), 7, False),
        (NONE, 0, False),
    ],
)
def test_followed(table, t, expected):
    assert incidence_by_stratum([(table, NONE)], t).followed[0, 0].item() is expected


def test_all_open_and_none_ended():
    still = LifeTable([10], [0], [0], [4])
    shares, means = incidence_by_stratum([(still, still)], 5), mean_by_stratum([(still, still)], 5)
    assert shares.value.tolist() == shares.std_error.tolist() == [[0.0, 0.0]]
    assert means.value.tolist() == [[5.0, 5.0]]
    assert means.std_error.tolist() == [[0.0, 0.0]]
    assert standardise(shares).difference == 0.0
    told = decided([(still, still)], 5)
    result = mantel_haenszel(told.met, told.missed)
    assert nothing(result.risk_ratio)
    assert nothing(result.odds_ratio)
    assert np.isnan(result.crude_risk_ratio)
    assert result.risk_difference == Interval(0.0, 0.0, 0.0, 0.0)
    assert decided([(still, still)], 11).undetermined.tolist() == [[4, 4]]


def test_an_arm_that_never_met_has_no_ratio():
    result = mantel_haenszel([[0, 4], [0, 3]], [[5, 1], [6, 2]])
    assert nothing(result.risk_ratio)
    assert nothing(result.odds_ratio)
    assert np.isnan([result.crude_risk_ratio, result.tarone.statistic, *e_value(np.nan, np.nan, np.nan)]).all()
    assert result.risk_difference.value < 0.0
    assert result.cmh.p_value < 0.05


def test_nobody_missed():
    result = mantel_haenszel([[7, 13], [5, 3]], np.zeros((2, 2), dtype=np.int64))
    assert result.risk_ratio == Interval(1.0, 0.0, 1.0, 1.0)
    assert result.risk_difference == Interval(0.0, 0.0, 0.0, 0.0)
    assert nothing(result.odds_ratio)
    assert np.isnan(result.cmh.statistic)
    assert [each.item() for each in e_value(1.0, 1.0, 1.0)] == [1.0, 1.0]


def test_a_complete_split_has_no_error():
    result = mantel_haenszel([[7, 0], [11, 0]], [[0, 3], [0, 13]])
    assert same(result.risk_difference.value, 1.0)
    assert result.risk_difference.std_error == 0.0


def test_e_values_broadcast_and_know_what_is_missing():
    value, limit = e_value([2.0, 0.0, np.nan, 2.0, np.inf], [1.0, 0.0, 1.0, np.nan, 2.0], [4.0, 0.5, 1.0, 4.0, np.inf])
    assert same(value, [2 + np.sqrt(2), np.inf, np.nan, 2 + np.sqrt(2), np.inf])
    assert same(limit, [1.0, 2 + np.sqrt(2), np.nan, np.nan, 2 + np.sqrt(2)])


@pytest.mark.parametrize("t", [-1, np.nan, np.inf])
def test_targets_must_be_durations(t):
    for function in (incidence_by_stratum, mean_by_stratum, decided):
        with pytest.raises(ArgumentError, match="finite"):
            function([], t)


def test_arguments_are_refused_by_name():
    with pytest.raises(ArgumentError, match="two tables"):
        pool([(NONE, NONE, NONE)])
    with pytest.raises(ArgumentError, match="two columns"):
        mantel_haenszel([[1, 2, 3]], [[1, 2, 3]])
    with pytest.raises(ArgumentError, match="negative"):
        mantel_haenszel([[1, -2]], [[1, 2]])
    with pytest.raises(ArgumentError, match="at least 0"):
        e_value(-1.0, 0.5, 2.0)
    figures = ArmFigures(*(np.zeros((0, 2), dtype=kind) for kind in (np.int64, np.bool_, float, float)))
    for compare in (contrasts, standardise):
        with pytest.raises(ArgumentError, match="confidence"):
            compare(figures, 1.0)
