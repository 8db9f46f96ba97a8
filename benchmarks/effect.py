"""Does `ai_effect` find the truth? Seasons whose true effect is known, compared crudely and among like work.

``python benchmarks/effect.py [SEASONS]``. The synthetic season gives AI the easy work. Each season's truth is what its own
actions would have done, had AI dispatched all of them, and none. Drawn and counted without frames: the same estimators.
"""

import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise

import numpy as np

from periodkit.metrics.estimate import LifeTable
from periodkit.metrics.estimate.standardise import standardise
from periodkit.metrics.estimate.stratified import incidence_by_stratum, mean_by_stratum
from periodkit.sandbox.simulation import STRATA, Parameters, draw_event
from periodkit.sandbox.venue import CALENDAR, CLASSIFICATIONS

TARGET = 300_000  # five minutes, in milliseconds
CLASSES = np.array([[one.name for one in CLASSIFICATIONS].index(kind.name) for kind, _ in STRATA])
WITHIN = ("nothing (crude)", "classification", "and sub-classification", "and period")


def strata_of(season, within):
    return {
        "nothing (crude)": np.zeros(len(season["stratum"]), dtype=np.int64),
        "classification": CLASSES[season["stratum"]],
        "and sub-classification": season["stratum"],
        "and period": season["stratum"] * len(CALENDAR) + season["event"],
    }[within]


def draw(seed, parameters):
    events = [draw_event(parameters, seed, number, event) for number, event in enumerate(CALENDAR)]
    names = ("stratum", "ai", "dispatch", "pickup", "cancel")
    season = {name: np.concatenate([getattr(one, name) for one in events]) for name in names}
    season["response"] = season["dispatch"] + season["pickup"]
    season["event"] = np.repeat(np.arange(len(events)), [len(one.created) for one in events])
    return season


def truths(season, factor):
    """What AI dispatch of all actions does, against that of none, to the share begun in time and to the mean."""
    without = season["response"] / np.where(season["ai"], factor, 1.0)
    shares, means = [], []
    for response in (factor * without, without):
        shares.append(np.mean((response <= TARGET) & (response <= season["cancel"])))
        means.append(np.minimum(response, TARGET).mean())
    return shares[0] - shares[1], (means[0] - means[1]) / 1000


def tables(code, season):
    """Life tables of each stratum's two arms; what is canceled first competes."""
    time = np.minimum(season["response"], season["cancel"])
    begun = season["response"] <= season["cancel"]
    cell = 2 * code + ~season["ai"]
    order = np.lexsort((time, cell))
    bounds = np.searchsorted(cell[order], np.arange(2 * (code.max() + 1) + 1))

    def table(rows):
        at, first = np.unique(time[rows], return_index=True)
        events = np.add.reduceat(begun[rows].astype(np.int64), first) if len(rows) else at
        n = np.diff(first, append=len(rows))
        return LifeTable(at, events, n - events, np.zeros_like(at))

    arms = [table(order[start:stop]) for start, stop in pairwise(bounds)]
    return list(zip(arms[::2], arms[1::2], strict=True))


def one_season(seed):
    parameters = Parameters()
    season = draw(seed, parameters)
    found = []
    for within in WITHIN:
        strata = tables(strata_of(season, within), season)
        for truth, figures, scale in zip(
            truths(season, parameters.ai_factor), (incidence_by_stratum, mean_by_stratum), (1, 1000), strict=True
        ):
            # Of one stratum it is the crude comparison.
            result = standardise(figures(strata, TARGET))
            difference, low, high = (getattr(result, name).item() / scale for name in ("difference", "low", "high"))
            found.append((truth, difference - truth, low <= truth <= high, high - low))
    return found


def main(seasons):
    with ProcessPoolExecutor(max_workers=2) as workers:
        found = np.array(list(workers.map(one_season, range(seasons), chunksize=10)), dtype=float)
    print(f"{seasons:,} seasons; response within 5 min")
    for start, measure, unit, scale in ((0, "share", "points", 100), (1, "mean", "s", 1)):
        print(f"{measure}: true effect {scale * found[:, start, 0].mean():.2f} {unit}")
        for at, within in enumerate(WITHIN):
            bias, covered, width = (found[:, start + 2 * at, column].mean() for column in (1, 2, 3))
            print(f"  within {within:24} bias {scale * bias:+7.3f}  covered {covered:6.1%}  width {scale * width:.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
