"""Do 95 % intervals hold the truth in 95 of 100 seasons? And by how much does completed-only miss it?

Actions are drawn from the population of the synthetic season, whose quantiles are known exactly. Where some are open, each
is last seen at a random age, as when an event is looked at while it runs.
"""

import numpy as np
import pytest

from periodkit.metrics.estimate.rates import wilson
from periodkit.metrics.estimate.survival import kaplan_meier, survival_quantile
from periodkit.metrics.tally.life_table import LifeTable

DRAWS = 1200
SIZE = 500
MILLIS = 1000

pytestmark = pytest.mark.slow


def seen(drawn, age):
    """Return the life table of the drawn actions, each last seen at its age, and the completed durations."""
    cycle, cancel = drawn["cycle"].to_numpy(), drawn["cancel"].fillna(np.inf).to_numpy()
    last = np.minimum(np.minimum(cycle, cancel), age)
    durations = (last * MILLIS).astype(np.int64)
    closed = cycle <= np.minimum(cancel, age)
    gone = ~closed & (cancel <= age)
    time, line = np.unique(durations, return_inverse=True)
    counts = [np.bincount(line, rows, len(time)).astype(np.int64) for rows in (closed, gone, ~closed & ~gone)]
    return LifeTable(time, *counts), cycle[closed]


def longest_age(truth, rng, share):
    """Return the age up to which actions must be seen so that `share` of them are open."""
    drawn = truth.draw(100_000, rng)
    ends = np.fmin(drawn["cycle"].to_numpy(), drawn["cancel"].to_numpy())
    uniform = rng.random(len(ends))
    low, high = 1.0, 1e7
    for _ in range(60):
        middle = np.sqrt(low * high)
        low, high = (middle, high) if (ends > uniform * middle).mean() > share else (low, middle)
    return low


@pytest.mark.parametrize("share", [0.0, 0.3], ids=["nothing open", "30 % open"])
def test_intervals_cover_the_truth(season, share):
    rng = np.random.default_rng(20240701)
    truth = season.truth
    population = {q: truth.cycle_quantile(q) * MILLIS for q in (0.5, 0.9)}
    longest = longest_age(truth, rng, share) if share else None
    covered = {0.5: 0, 0.9: 0, "ai": 0}
    completed, opened = [], []
    for _ in range(DRAWS):
        drawn = truth.draw(SIZE, rng)
        age = np.full(SIZE, np.inf) if longest is None else rng.random(SIZE) * longest
        table, closed = seen(drawn, age)
        curve = kaplan_meier(table)
        for q, true in population.items():
            _, low, high = survival_quantile(curve, q)
            covered[q] += (np.isnan(low) or low <= true) and (np.isnan(high) or true <= high)
        _, low, high = wilson(int(drawn["ai"].sum()), SIZE)
        covered["ai"] += low <= truth.ai_share <= high
        completed.append(np.median(closed) * MILLIS / population[0.5] - 1)
        opened.append(table.censored.sum() / SIZE)
    rates = {name: hits / DRAWS for name, hits in covered.items()}
    print(f"open {np.mean(opened):.3f}, coverage {rates}, bias of the completed-only median {np.mean(completed):+.1%}")
    assert abs(np.mean(opened) - share) < 0.01
    assert all(0.93 <= rate <= 0.97 for rate in rates.values()), rates
    # Cancellations cut the long ones short, so completed-only is low even with nothing open.
    assert np.mean(completed) < (-0.15 if share else 0)
