"""How often `unusual` finds something where nothing is, and what it finds where something is: simulated seasons.

``python benchmarks/unusual.py [SEASONS]`` draws nights of eight classifications and eight channels, seven measures each,
as counts: how many actions, how many of them on time, AI-dispatched or re-routed, and the order statistics that a P50 and
a P90 and their limits are. Nights differ by chance with a standard deviation `tau` on the logarithm, or the log odds.
"""

import sys
import time

import numpy as np
from scipy.special import expit, ndtr, ndtri

from periodkit.metrics.estimate import holm_within, log_count, log_time, logit_share, predict
from periodkit.metrics.estimate.survival import survival_band

SIZES = [700, *(2 * [30, 40, 50, 60, 80, 100, 140, 200])]  # all actions; classifications; channels
MEASURES = ["actions", "p50", "p90", "response_p90", "on_time", "ai_rate", "reroute_rate"]
QUANTILE = {"p50": 0.5, "p90": 0.9, "response_p90": 0.9}
SHARE = {"on_time": 0.65, "ai_rate": 0.45, "reroute_rate": 0.08}
SPREAD = 0.9  # of the logarithm of a duration
LARGEST = 4000


def ranks_of(q):
    """Which order statistics are the quantile and its limits, for each number of actions; 0 is not reached."""
    ranks = np.zeros((LARGEST, 3), dtype=np.int64)
    for n in range(2, LARGEST):
        survival, _, low, high = survival_band(np.ones(n, dtype=np.int64), np.arange(n, 0, -1), ndtri(0.975))
        for side, band in enumerate((survival, low, high)):
            reached = band <= 1 - q + 1e-12
            ranks[n, side] = reached.argmax() + 1 if reached.any() else 0
    return ranks


def draw_times(rng, n, center, ranks):
    """Return a quantile and its limits as they come out of n lognormal durations, without drawing these."""
    own = ranks[np.minimum(n, LARGEST - 1)]
    middle, low, high = (own[..., side] for side in range(3))
    whole = (low > 0) & (high > low) & (middle >= low) & (middle <= high)
    low, middle, high = (np.where(whole, each, at) for each, at in ((low, 1), (middle, 2), (high, 3)))
    steps = np.stack([low, middle - low, high - middle, np.maximum(n, 3) + 1 - high], axis=-1)
    drawn = rng.standard_gamma(np.maximum(steps, 0))
    share = np.cumsum(drawn, axis=-1)[..., :3] / drawn.sum(axis=-1, keepdims=True)
    time = np.exp(center[..., np.newaxis] + SPREAD * ndtri(share))
    return tuple(np.where(whole, time[..., side], np.nan) for side in (1, 0, 2))


def draw(rng, seasons, nights, tau, slope, ranks, change=None):
    """Return y and v of every series, the night to be judged last; `change` shifts one measure of each group by itself."""
    shape = (seasons, len(SIZES), nights + 1)
    trend = slope * np.linspace(-0.5, 0.5, nights + 1)

    def shift(measure):
        moved = trend + tau * rng.standard_normal(shape)
        if change is not None and change[0] == measure:
            moved[..., -1] += change[1]
        return moved

    n = rng.poisson(np.array(SIZES)[:, np.newaxis] * np.exp(shift("actions")))
    parts = [log_count(n)]
    for measure, q in QUANTILE.items():
        parts.append(log_time(*draw_times(rng, n, shift(measure), ranks[q]), n))
    for measure, share in SHARE.items():
        p = expit(np.log(share / (1 - share)) + shift(measure))
        parts.append(logit_share(rng.binomial(n, p), n))
    return (np.stack(each, axis=2) for each in zip(*parts, strict=True))


def judge(y, v):
    """Return the p of each series: by a trend where there are enough nights, else by a level."""
    trend, level = (predict(y, v, model) for model in ("trend", "level"))
    return np.where(np.isnan(trend.expected), level.p, trend.p)


def pooled(y, v):
    """Return the p of each series as it was before: earlier nights in one pool, as if only actions varied."""
    weight = np.where(np.isnan(y), 0.0, 1.0 / v)
    total = weight[..., :-1].sum(axis=-1)
    total = np.where(total > 0, total, np.nan)
    mean = np.sum(weight[..., :-1] * np.nan_to_num(y[..., :-1]), axis=-1) / total
    return 2 * ndtr(-np.abs(y[..., -1] - mean) / np.sqrt(v[..., -1] + 1 / total))


def adjusted(p):
    family = np.repeat(np.arange(len(SIZES)) == 0, len(MEASURES))
    return np.array([holm_within(each.ravel(), family).reshape(each.shape) for each in p])


def errors(rng, seasons, ranks):
    print("share of ordinary nights with any finding, at 5 %")
    print("earlier nights | trend | tau | unusual | pooled nights, Bonferroni")
    for nights in (24, 12):
        for slope in (0.0, 1.0):
            for tau in (0.0, 0.1, 0.3):
                y, v = draw(rng, seasons, nights, tau, slope, ranks)
                any_found = (adjusted(judge(y, v)) <= 0.05).any(axis=(1, 2)).mean()
                p = pooled(y, v)
                before = (np.nanmin(p, axis=(1, 2)) * np.isfinite(p).sum(axis=(1, 2)) <= 0.05).mean()
                print(f"{nights} | {slope:g} | {tau:g} | {100 * any_found:.1f} % | {100 * before:.1f} %", flush=True)


def power(rng, seasons, ranks):
    groups = {SIZES[at]: at for at in (0, 1, 4, 6, 8)}
    changes = {"p90": (1.5, 2, 3), "p50": (1.5, 2, 3), "ai_rate": (2, 3, 5), "actions": (1.5, 2, 3)}
    print("share found: a measure changed by a factor (odds for ai_rate), by how many actions a night it is of")
    print("tau | measure | factor | " + " | ".join(map(str, groups)))
    for tau in (0.1, 0.3):
        for measure, factors in changes.items():
            for factor in factors:
                change = (measure, np.log(factor) * (-1 if measure == "ai_rate" else 1))
                y, v = draw(rng, seasons, 24, tau, 0.0, ranks)
                moved = [part.copy() for part in (y, v)]
                changed = draw(rng, seasons, 24, tau, 0.0, ranks, change)
                at = MEASURES.index(measure)
                found = []
                extra = [*changed]
                for group in groups.values():
                    for mine, theirs, plain in zip(moved, extra, (y, v), strict=True):
                        mine[:] = plain
                        mine[:, group, at] = theirs[:, group, at]
                    found.append((adjusted(judge(*moved))[:, group, at] <= 0.05).mean())
                shares = " | ".join(f"{100 * each:.0f} %" for each in found)
                print(f"{tau:g} | {measure} | {factor:g} | {shares}", flush=True)


if __name__ == "__main__":
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    began = time.perf_counter()
    generator, tables = np.random.default_rng(13), {q: ranks_of(q) for q in (0.5, 0.9)}
    errors(generator, count, tables)
    power(generator, max(count // 5, 50), tables)
    print(f"{time.perf_counter() - began:.0f} s")
