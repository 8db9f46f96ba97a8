"""What findings and key figures compare: each measure counts groups of actions, estimates, compares and words itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from periodkit.metrics import ai_dispatch_rate, on_time, reroute_rate
from periodkit.metrics.estimate import kaplan_meier, survival_quantile, wilson
from periodkit.metrics.tally import LifeTable, count_stage, merge
from periodkit.reporting.findings.contrasts import Contrast, quantile_ratio, rate_difference, trend
from periodkit.wording import FEWEST, Scalar, Target, between, clean_label, estimate

__all__ = ["FEWEST", "Measure", "Measured", "measures", "name_of"]

_FEWEST_EVENTS = 5

Counts: TypeAlias = Any
"""What a measure counts of a group: hits and n, or a life table."""


@dataclass(frozen=True)
class Measured:
    """A measure of one group of actions.

    Parameters
    ----------
    measure : Measure
        What was measured.
    key : object
        The group.
    counts : list of int, or LifeTable
        What the estimate is made from.
    """

    measure: Measure
    key: Any
    counts: Counts

    @cached_property
    def estimate(self) -> tuple[Scalar, Scalar, Scalar]:
        """The estimate and its 95 % interval: timedeltas, or shares."""
        return self.measure.estimate(self.counts)

    @property
    def value(self) -> float:
        """The estimate as a share or in seconds; NaN where there is none."""
        value = self.estimate[0]
        return value if isinstance(value, float) else value / pd.Timedelta(seconds=1)

    @property
    def n(self) -> int:
        """Number of actions that the estimate rests on."""
        return self.measure.size(self.counts)[0]

    @property
    def enough(self) -> bool:
        """Whether there are enough actions to compare."""
        n, events = self.measure.size(self.counts)
        return n >= FEWEST and events >= _FEWEST_EVENTS

    @property
    def words(self) -> str:
        """The estimate with its interval and n."""
        return estimate(*self.estimate, n=self.n)

    @property
    def short(self) -> str:
        """The estimate alone."""
        return self.words.partition(" (")[0]

    def rest(self, groups: Iterable[Measured]) -> Measured:
        """Return the same of all the other groups together."""
        return Measured(self.measure, None, self.measure.merge([one.counts for one in groups if one is not self]))

    def against(self, other: Measured, confidence: float) -> Contrast:
        """Return how much higher or longer this one is."""
        return self.measure.contrast(self.counts, other.counts, confidence)


@dataclass(frozen=True)
class _Named:
    """A measure's key, its name at the start of a sentence and within one, and which way is better."""

    key: str
    title: str
    short: str
    high_is_good: bool | None


@dataclass(frozen=True)
class Rate(_Named):
    """A share of actions."""

    rates: Callable[[pd.DataFrame, str | None], pd.DataFrame]
    hits: str
    misses: str

    more = "higher"
    less = "lower"

    def of(self, actions: pd.DataFrame, by: str | None = None) -> list[Measured]:
        """Return the rate of each group, or of all actions."""
        found = self.rates(actions, by)
        keys = [None] * len(found) if by is None else found[by].astype("object").tolist()
        hits, misses = (found[name].astype(int) for name in (self.hits, self.misses))
        return [Measured(self, key, counts) for key, *counts in zip(keys, hits, hits + misses, strict=True)]

    def size(self, counts: Counts) -> tuple[int, int]:
        """Return the number of actions, and of those that carry information."""
        return counts[1], counts[1]

    def merge(self, counts: Sequence[Counts]) -> Counts:
        """Return the counts of several groups together."""
        return [sum(numbers) for numbers in zip(*counts, strict=True)] or [0, 0]

    def estimate(self, counts: Counts) -> tuple[Scalar, Scalar, Scalar]:
        """Return the estimate with its 95 % interval."""
        value, low, high = (float(number) for number in wilson(*counts))
        return value, low, high

    def contrast(self, counts: Counts, others: Counts, confidence: float) -> Contrast:
        """Compare two groups."""
        (hits, n), (other_hits, other_n) = counts, others
        return rate_difference(hits, n, other_hits, other_n, confidence)

    def difference(self, contrast: Contrast) -> str:
        """Return a contrast in words."""
        word = self.more if contrast.estimate > 0 else self.less
        return f"{_size(contrast, 1, ' points')} {word} ({_limits(contrast, 1)}) than"

    def slope(self, values: Sequence[float], confidence: float) -> Contrast:
        """Return the change from one period to the next."""
        return trend(values, confidence)

    def slope_words(self, slope: Contrast) -> str:
        """Return a slope in words."""
        word = "rose" if slope.estimate > 0 else "fell"
        return f"{word} by {_size(slope, 2, ' points')} a period ({_limits(slope, 2)})"


@dataclass(frozen=True)
class Quantile(_Named):
    """A quantile of a stage's times."""

    stage: str
    q: float

    more = "longer"
    less = "shorter"

    def of(self, actions: pd.DataFrame, by: str | None = None) -> list[Measured]:
        """Return the quantile of each group, or of all actions."""
        counts = count_stage(actions, self.stage, by)
        keys = [None] * len(counts.groups) if by is None else counts.groups[by].astype("object").tolist()
        return [Measured(self, key, table) for key, table in zip(keys, counts.life_tables(), strict=True)]

    def size(self, counts: LifeTable) -> tuple[int, int]:
        """Return the number of actions, and of those that carry information."""
        return counts.n, int(counts.event.sum())

    def merge(self, counts: Sequence[Counts]) -> Counts:
        """Return the counts of several groups together."""
        return merge(counts)

    def estimate(self, counts: LifeTable) -> tuple[Scalar, Scalar, Scalar]:
        """Return the estimate with its 95 % interval."""
        # Life tables are in milliseconds.
        value, low, high = pd.to_timedelta(survival_quantile(kaplan_meier(counts), self.q), unit="ms")
        return value, low, high

    def contrast(self, counts: LifeTable, others: LifeTable, confidence: float) -> Contrast:
        """Compare two groups."""
        return quantile_ratio(counts, others, self.q, confidence)

    def difference(self, contrast: Contrast) -> str:
        """Return a contrast in words."""
        low = f"{contrast.low:.2f}" if contrast.low > 0 else ""
        high = f"{contrast.high:.2f}" if np.isfinite(contrast.high) else ""
        return f"{contrast.estimate:.2f} times as long ({between(low, high)}) as"

    def slope(self, values: Sequence[float], confidence: float) -> Contrast:
        """Return the change from one period to the next."""
        known = np.asarray(values, dtype=np.float64)
        return trend(np.log(np.where(known > 0, known, np.nan)).tolist(), confidence)

    def slope_words(self, slope: Contrast) -> str:
        """Return a slope in words."""
        estimate, low, high = (float(np.expm1(number)) for number in (slope.estimate, slope.low, slope.high))
        share = Contrast(estimate, low, high, 0.0)
        word = "grew" if slope.estimate > 0 else "fell"
        return f"{word} by {_size(share, 1, ' %')} a period ({_limits(share, 1)})"


Measure = Rate | Quantile


def measures(target: Target) -> list[Measure]:
    """Return what is compared, in the order in which findings are told.

    Examples
    --------
    >>> [measure.key for measure in measures(Target.read("20min"))]
    ['on_time', 'p50', 'p90', 'response_p90', 'ai_rate', 'reroute_rate']
    """

    def kept(actions: pd.DataFrame, by: str | None) -> pd.DataFrame:
        return on_time(actions, target.delta, by=by)

    within = f"closed within {target}"
    return [
        Rate("on_time", f"The share {within}", within, True, kept, "met", "missed"),
        Quantile("p50", "The median cycle time (P50)", "P50", False, "cycle", 0.5),
        Quantile("p90", "The P90 of the cycle time", "P90", False, "cycle", 0.9),
        Quantile("response_p90", "The P90 of the response time", "P90 of the response", False, "response", 0.9),
        Rate("ai_rate", "The AI-dispatch rate", "AI-dispatched", None, ai_dispatch_rate, "ai", "not_ai"),
        Rate("reroute_rate", "The re-route rate", "re-routed", False, reroute_rate, "rerouted", "stayed"),
    ]


def name_of(key: object) -> str:
    """Return a group's name, cleaned, or that it has none."""
    return "not given" if pd.isna(key) else clean_label(key, 60)  # type: ignore[call-overload]


def _size(contrast: Contrast, digits: int, unit: str) -> str:
    return f"{100 * abs(contrast.estimate):.{digits}f}{unit}"


def _limits(contrast: Contrast, digits: int) -> str:
    # A fall of 3 lies between 1 and 5, not between -5 and -1.
    low, high = (contrast.low, contrast.high) if contrast.estimate > 0 else (-contrast.high, -contrast.low)
    return f"{100 * low:.{digits}f}–{100 * high:.{digits}f}"
