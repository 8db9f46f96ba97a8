"""The measures that findings and tables of a season compare: what each is of a group, and how people say it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import as_micros
from periodkit.metrics import ai_dispatch_rate, on_time, reroute_rate
from periodkit.metrics.estimate import kaplan_meier, survival_quantile, wilson
from periodkit.metrics.tally import LifeTable, count_stage, merge
from periodkit.reporting.findings.contrasts import Contrast, quantile_ratio, rate_difference, trend
from periodkit.wording import exact, format_value, percent, plain

__all__ = ["FEWEST", "Measure", "Measured", "QuantileMeasure", "RateMeasure", "measures", "name_of", "with_limits"]

FEWEST = 20
"""A group of fewer actions than this is compared with nothing."""

_FEWEST_EVENTS = 5


@dataclass(frozen=True)
class Rate:
    """A rate of one group.

    Parameters
    ----------
    key : object
        The group.
    hits, n : int
        How many of how many.
    """

    key: Any
    hits: int
    n: int

    @property
    def value(self) -> float:
        """The rate; NaN of nothing."""
        return self.hits / self.n if self.n else np.nan

    @property
    def enough(self) -> bool:
        """Whether there is enough of it to compare."""
        return self.n >= FEWEST

    @property
    def words(self) -> str:
        """The rate with its 95 % interval and n."""
        return f"{self.short} ({self.between}, n = {self.n:,})"

    @property
    def between(self) -> str:
        """Its 95 % interval in percent."""
        low, high = (float(each) for each in wilson(self.hits, self.n)[1:])
        return f"{100 * low:.1f}–{100 * high:.1f}"

    @property
    def short(self) -> str:
        """The rate alone."""
        return percent(self.value)

    def rest(self, groups: Sequence[Any]) -> Rate:
        """Return the rate of all the other groups together."""
        return Rate(None, sum(each.hits for each in groups) - self.hits, sum(each.n for each in groups) - self.n)

    def against(self, other: Any, confidence: float) -> Contrast:  # noqa: ANN401  (another of its kind)
        """Return how much higher this one is."""
        return rate_difference(self.hits, self.n, other.hits, other.n, confidence)


@dataclass(frozen=True)
class Quantile:
    """A quantile of one group's times.

    Parameters
    ----------
    key : object
        The group.
    table : LifeTable
        Its durations.
    q : float
        Which quantile.
    unit : int
        Microseconds in one unit of the table.
    """

    key: Any
    table: LifeTable
    q: float
    unit: int

    @cached_property
    def _estimate(self) -> list[float]:
        # Seconds, as they are said.
        return [each * self.unit / 1e6 for each in survival_quantile(kaplan_meier(self.table), self.q)]

    @property
    def value(self) -> float:
        """The quantile in seconds; NaN where it is not reached."""
        return self._estimate[0]

    @property
    def n(self) -> int:
        """Actions that it rests on."""
        return self.table.n

    @property
    def enough(self) -> bool:
        """Whether there is enough of it to compare."""
        return self.n >= FEWEST and int(self.table.event.sum()) >= _FEWEST_EVENTS

    @property
    def words(self) -> str:
        """The quantile with its 95 % interval and n."""
        if np.isnan(self.value) or self.between == "…–∞":
            return f"{self.short} (n = {self.n:,})"
        return f"{self.short} ({self.between}, n = {self.n:,})"

    @property
    def between(self) -> str:
        """Its 95 % interval in minutes."""
        low, high = (format_value(_timedelta(each), unit=False) for each in self._estimate[1:])
        return f"{low if np.isfinite(self._estimate[1]) else '…'}–{high if np.isfinite(self._estimate[2]) else '∞'}"

    @property
    def short(self) -> str:
        """The quantile alone."""
        return format_value(_timedelta(self.value)) if np.isfinite(self.value) else "not reached"

    def rest(self, groups: Sequence[Any]) -> Quantile:
        """Return the quantile of all the other groups together."""
        return Quantile(None, merge(each.table for each in groups if each is not self), self.q, self.unit)

    def against(self, other: Any, confidence: float) -> Contrast:  # noqa: ANN401  (another of its kind)
        """Return how many times as long this one is."""
        return quantile_ratio(self.table, other.table, self.q, confidence)


@dataclass(frozen=True)
class RateMeasure:
    """A share of actions: how it is counted, called and compared."""

    key: str
    title: str
    short: str
    count: Callable[[pd.DataFrame, str | None], pd.DataFrame]
    hits: str
    misses: str
    high_is_good: bool | None
    more: str = "higher"
    less: str = "lower"

    def of(self, actions: pd.DataFrame, by: str | None = None) -> list[Rate]:
        """Return the rate of each group, or of all."""
        found = self.count(actions, by)
        keys = [None] * len(found) if by is None else found[by].astype("object").tolist()
        return [
            Rate(key, int(hits), int(hits + misses))
            for key, hits, misses in zip(keys, found[self.hits], found[self.misses], strict=True)
        ]

    def difference(self, contrast: Contrast) -> str:
        """Say how much higher or lower."""
        word = self.more if contrast.estimate > 0 else self.less
        return f"{_signed(contrast, 100, 1)} points {word} ({_limits(contrast, 100, 1)}) than"

    def slope(self, values: Sequence[float], confidence: float) -> Contrast:
        """Return by how much it changes from one period to the next."""
        return trend(values, confidence)

    def slope_words(self, contrast: Contrast) -> str:
        """Say how it changes."""
        word = "rose" if contrast.estimate > 0 else "fell"
        return f"{word} by {_signed(contrast, 100, 2)} points a period ({_limits(contrast, 100, 2)})"


@dataclass(frozen=True)
class QuantileMeasure:
    """A quantile of a stage's times: how it is counted, called and compared."""

    key: str
    title: str
    short: str
    stage: str
    q: float
    high_is_good: bool | None = False
    more: str = "longer"
    less: str = "shorter"

    def of(self, actions: pd.DataFrame, by: str | None = None) -> list[Quantile]:
        """Return the quantile of each group, or of all."""
        counts = count_stage(actions, self.stage, by)
        keys = [None] * len(counts.groups) if by is None else counts.groups[by].astype("object").tolist()
        return [
            Quantile(key, table, self.q, counts.unit) for key, table in zip(keys, counts.life_tables(), strict=True)
        ]

    def difference(self, contrast: Contrast) -> str:
        """Say how many times as long."""
        high = "∞" if np.isinf(contrast.high) else f"{contrast.high:.2f}"
        return f"{contrast.estimate:.2f} times as long ({contrast.low:.2f}–{high}) as"

    def slope(self, values: Sequence[float], confidence: float) -> Contrast:
        """Return by how much its logarithm changes from one period to the next."""
        known = np.asarray(values, dtype=np.float64)
        return trend(np.log(np.where(known > 0, known, np.nan)).tolist(), confidence)

    def slope_words(self, contrast: Contrast) -> str:
        """Say how it changes."""
        estimate, low, high = (float(np.expm1(each)) for each in (contrast.estimate, contrast.low, contrast.high))
        share = Contrast(estimate, low, high, 0.0)
        word = "grew" if contrast.estimate > 0 else "fell"
        return f"{word} by {_signed(share, 100, 1)} % a period ({_limits(share, 100, 1)})"


Measure = RateMeasure | QuantileMeasure
Measured = Rate | Quantile


def measures(target: str) -> list[Measure]:
    """Return what is compared, in the order of telling.

    Examples
    --------
    >>> [each.key for each in measures("20min")]
    ['on_time', 'p50', 'p90', 'response_p90', 'ai_rate', 'reroute_rate']
    """
    promised = exact(as_micros(target, "target") / 1e6)
    return [
        RateMeasure(
            "on_time",
            f"The share closed within {promised}",
            f"closed within {promised}",
            lambda actions, by: on_time(actions, target, by=by),
            "met",
            "missed",
            high_is_good=True,
        ),
        QuantileMeasure("p50", "The median cycle time (P50)", "P50", "cycle", 0.5),
        QuantileMeasure("p90", "The P90 of the cycle time", "P90", "cycle", 0.9),
        QuantileMeasure("response_p90", "The P90 of the response time", "P90 of the response", "response", 0.9),
        RateMeasure(
            "ai_rate", "The AI-dispatch rate", "AI-dispatched", ai_dispatch_rate, "ai", "not_ai", high_is_good=None
        ),
        RateMeasure(
            "reroute_rate", "The re-route rate", "re-routed", reroute_rate, "rerouted", "stayed", high_is_good=False
        ),
    ]


def name_of(key: object) -> str:
    """Return a group's name, cleaned, or that it has none."""
    return "not given" if pd.isna(key) else plain(key, 60)  # type: ignore[call-overload]


def with_limits(text: str, low: float, high: float) -> str:
    """Return a share in percent with its limits.

    Examples
    --------
    >>> with_limits("12.3 %", 0.101, 0.149)
    '12.3 % (10.1–14.9)'
    """
    return f"{text} ({100 * low:.1f}–{100 * high:.1f})"


def _timedelta(seconds: float) -> object:
    return pd.Timedelta(seconds=seconds) if np.isfinite(seconds) else pd.NaT


def _signed(contrast: Contrast, scale: float, digits: int) -> str:
    return f"{scale * abs(contrast.estimate):.{digits}f}"


def _limits(contrast: Contrast, scale: float, digits: int) -> str:
    # A fall of 3 lies between 1 and 5, not between -5 and -1.
    low, high = (contrast.low, contrast.high) if contrast.estimate > 0 else (-contrast.high, -contrast.low)
    return f"{scale * low:.{digits}f}–{scale * high:.{digits}f}"
