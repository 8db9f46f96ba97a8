"""All groups at once give what one group at a time gives, to the last bit."""

from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import law
from strategies import FRAMES

from periodkit.metrics.estimate import grouped
from periodkit.metrics.estimate.grouped import observed_quantiles, survival_quantiles
from periodkit.metrics.estimate.rates import observed_quantile, quantile_interval
from periodkit.metrics.estimate.survival import kaplan_meier, survival_quantile
from periodkit.metrics.tally.count import count_stage
from periodkit.metrics.tally.stage_counts import StageCounts

shares = st.lists(st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9, 0.999]), max_size=3, unique=True)
ways = st.sampled_from(["censor", "exclude"])
skips = st.sampled_from(["exclude", "at_close"])


def drawn(seed: int = 11, groups: int = 60) -> StageCounts:
    """Return counts of groups of very different sizes, many with ties, some without an end."""
    rng = np.random.default_rng(seed)
    size = rng.integers(1, 400, groups)
    code = np.repeat(np.arange(groups), size)
    start = pd.Timestamp("2024-07-01T19:00Z").as_unit("us")
    lasts = pd.to_timedelta(rng.integers(0, 900, len(code)), unit="s").as_unit("us")
    ended = rng.random(len(code)) < (code % 7) / 6
    actions = pd.DataFrame({"channel": code, "created_time": start, "status": "open", "fetched_at": start + lasts})
    actions["closed_time"] = (start + pd.Series(lasts)).where(ended)
    actions["fetched_at"] = actions["fetched_at"].where(~ended, start + pd.Timedelta("1h"))
    return count_stage(actions, by="channel")


def one_at_a_time(counts, qs, canceled, confidence, skipped="exclude"):
    curves = [kaplan_meier(table, confidence) for table in counts.life_tables(canceled, skipped)]
    return np.array([[survival_quantile(curve, q) for q in qs] for curve in curves]).reshape(len(curves), len(qs), 3)


@law(40)
@given(FRAMES, shares, ways, skips, st.sampled_from([0.8, 0.95]))
def test_kaplan_meier(actions, qs, canceled, skipped, confidence):
    counts = count_stage(actions, "response", ["channel", "classification"])
    got = survival_quantiles(counts.taking_skipped(skipped), qs, canceled, confidence)
    np.testing.assert_array_equal(got, one_at_a_time(counts, qs, canceled, confidence, skipped))


@pytest.mark.parametrize("chunk", [1, 700, 1 << 17])
def test_kaplan_meier_of_large_groups_in_chunks_of_any_size(monkeypatch, chunk):
    monkeypatch.setattr(grouped, "_CHUNK", chunk)
    counts = drawn()
    got = survival_quantiles(counts, [0.1, 0.5, 0.9], "censor", 0.95)
    np.testing.assert_array_equal(got, one_at_a_time(counts, [0.1, 0.5, 0.9], "censor", 0.95))
    assert np.isnan(got).any()
    assert not np.isnan(got).all()


@law(40)
@given(FRAMES, shares, skips, st.sampled_from([0.8, 0.95]))
def test_observed(actions, qs, skipped, confidence):
    counts = count_stage(actions, "response", "channel")
    want = []
    for table in counts.life_tables("censor", skipped):
        intervals = [quantile_interval(table.time, table.event, q, confidence) for q in qs]
        want.append(
            [
                (observed_quantile(table.time, table.event, q), each.low, each.high)
                for q, each in zip(qs, intervals, strict=True)
            ]
        )
    got = observed_quantiles(counts.taking_skipped(skipped), qs, confidence)
    np.testing.assert_array_equal(got, np.array(want).reshape(len(want), len(qs), 3))


def test_the_interval_has_the_exact_binomial_ranks():
    """Ranks by adding up the probabilities themselves."""
    for n in (1, 2, 10, 39):
        for q in (0.1, 0.5, 0.9):
            below = np.cumsum([comb(n, k) * q**k * (1 - q) ** (n - k) for k in range(n + 1)])
            ranks = [int(np.searchsorted(below, tail)) for tail in (0.025, 0.975)]
            got = quantile_interval(np.arange(n), np.ones(n, dtype=int), q)
            assert (got.rank_low, got.rank_high) == (ranks[0], ranks[1] + 1)
