"""How the actions of the synthetic season come about, before anyone records them.

In this order, with the parameters in `Parameters` and `venue.py`:

1. It arrives in one of its event's waves (around the markers) or evenly over the opening hours.
2. Classification and sub-classification are drawn by their shares; they set the median of each stage.
3. AI dispatches it with log-odds ``a + ai(classification) - ai_ease * log(slow(sub))``, ``a`` chosen per event so that
   the expected share grows linearly over the season. Easy work is quick work, so plain comparison flatters AI.
4. Each stage is log-normal around its median times ``load ** load_exponent``; AI multiplies dispatch and pickup, and so
   their sum, by ``ai_factor``. That is all AI does: within a (classification, sub-classification, load) the response is
   shorter by exactly that factor. It does nothing to the work.
5. Nights differ by chance: each event has a factor on its number of actions and one on all its stage times, log-normal
   with the parameters ``night_volume_sigma`` and ``night_time_sigma``. A few events are truly unusual: `venue.ANOMALIES`.
6. A share of actions has a moment at which the need goes away, drawn independently of everything else; if it comes
   before the end, the action is canceled.
7. A few are forgotten: worked on, but not closed before the venue tidies up after the season.
8. Only what had happened by ``as_of`` is recorded; `records.py` then spoils a few records as real ones are. People of some
   channels often skip "doing"; the true times are kept.

Everything is drawn from uniform numbers of PCG64, so a seed gives the same season with any version of numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from periodkit.sandbox.venue import (
    ANOMALIES,
    CALENDAR,
    CLASSIFICATIONS,
    KINDS,
    SKIPS_DOING,
    Anomaly,
    Classification,
    Event,
    Kind,
    Sub,
)

__all__ = [
    "DAY",
    "MINUTE",
    "NEVER",
    "STRATA",
    "Bools",
    "Drawn",
    "Floats",
    "Ints",
    "Parameters",
    "Uniform",
    "draw_event",
]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

MINUTE = 60_000
DAY = 24 * 60 * MINUTE
NEVER = np.iinfo(np.int64).max // 4
"""A moment in milliseconds that no season reaches."""

STRATA: tuple[tuple[Classification, Sub], ...] = tuple((one, sub) for one in CLASSIFICATIONS for sub in one.subs)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What the season is drawn from; durations in seconds, shares between 0 and 1."""

    ai_share_first: float = 0.10
    ai_share_last: float = 0.60
    ai_factor: float = 0.85
    ai_ease: float = 1.5
    dispatch_sigma: float = 0.60
    pickup_sigma: float = 0.70
    work_sigma: float = 0.80
    load_exponent: float = 0.30
    load_window: float = 600.0
    load_limits: tuple[float, float] = (0.3, 4.0)
    cancelable: float = 0.09
    cancel_median: float = 420.0
    cancel_sigma: float = 1.2
    cancel_untimed: float = 0.05
    forgotten: float = 0.005
    rerouted: float = 0.08
    night_volume_sigma: float = 0.10
    night_time_sigma: float = 0.08
    anomalies: tuple[Anomaly, ...] = ANOMALIES
    skipped_doing: float = 0.02
    skipped_doing_by_channel: tuple[tuple[str, float], ...] = SKIPS_DOING
    skipped_assigned: float = 0.004
    ai_unknown: float = 0.01
    no_sub: float = 0.02
    out_of_order: float = 0.0015
    duplicated: float = 0.0006
    no_location: float = 0.04
    no_priority: float = 0.01
    open_share_last: float = 0.22
    tidy_up: str = "2025-07-01T09:00"


@dataclass(frozen=True)
class Drawn:
    """One event's actions in order of creation; moments in milliseconds since 1970, durations in milliseconds."""

    number: int
    period_id: int
    event: Event
    kind: Kind
    start: int
    created: Ints
    stratum: Ints
    dispatch: Ints
    pickup: Ints
    work: Ints
    cancel: Ints
    ai: Bools
    load: Floats
    forgotten: Bools
    night: float
    rng: Uniform = field(repr=False)

    @property
    def assigned(self) -> Ints:
        """When each would be assigned."""
        return self.created + self.dispatch

    @property
    def doing(self) -> Ints:
        """When someone would begin each."""
        return self.assigned + self.pickup

    @property
    def done(self) -> Ints:
        """When each would be done, if never canceled."""
        return self.doing + self.work

    @property
    def canceled_at(self) -> Ints:
        """When the need for each would go away."""
        return self.created + self.cancel

    @property
    def end(self) -> Ints:
        """When each would be done or canceled, whichever comes first."""
        return np.minimum(self.done, self.canceled_at)


class Uniform:
    """Draws made of uniform numbers alone: numpy does not promise its other streams across versions."""

    def __init__(self, seed: int, stream: int) -> None:
        self._generator = np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, stream])))

    def uniform(self, n: int) -> Floats:
        """Return numbers in [0, 1)."""
        return self._generator.random(n)

    def normal(self, n: int) -> Floats:
        """Return standard normal numbers (Box and Muller)."""
        first, second = self.uniform(n), self.uniform(n)
        return np.sqrt(-2.0 * np.log1p(-first)) * np.cos(2.0 * np.pi * second)

    def below(self, share: float, n: int) -> Bools:
        """Return flags that are true with probability `share`."""
        return self.uniform(n) < share

    def integer(self, size: int, n: int) -> Ints:
        """Return integers in [0, size)."""
        return (self.uniform(n) * size).astype(np.int64)

    def choice(self, weights: list[float], n: int) -> Ints:
        """Return indices drawn with the given weights."""
        edges = np.cumsum(weights) / np.sum(weights)
        return np.minimum(np.searchsorted(edges, self.uniform(n), side="right"), len(weights) - 1).astype(np.int64)


def milliseconds(text: str) -> int:
    return int(np.datetime64(text, "ms").astype(np.int64))


def draw_event(p: Parameters, seed: int, number: int, event: Event) -> Drawn:
    """Draw all actions of one event; `number` is its place in the calendar."""
    rng = Uniform(seed, number)
    kind = KINDS[event.kind]
    low, high = kind.size
    drawn_size = low + int(rng.integer(high - low + 1, 1)[0])
    # Streams of their own: with other parameters of a night, all else stays as it was drawn.
    nightly = Uniform(seed, len(CALENDAR) + number)
    volume, night = np.exp(np.array([p.night_volume_sigma, p.night_time_sigma]) * nightly.normal(2))
    unusual = [one for one in p.anomalies if one.event == event.name]
    start = milliseconds(event.start)
    ordinary = int(np.rint(drawn_size * volume))
    offset = _arrivals(rng, kind, ordinary)
    stratum = rng.choice([one.share * sub.share for one, sub in STRATA], ordinary)
    offset, stratum = _surges(nightly, unusual, offset, stratum)
    n = len(offset)
    load = _load(p, offset, kind)
    ai = _ai(p, rng, stratum, number / (len(CALENDAR) - 1)) & ~_befalls(unusual, "ai_failure", offset, stratum)
    slow = load**p.load_exponent * night
    quick = np.where(ai, p.ai_factor, 1.0)
    medians = np.array([(one.dispatch, one.pickup, one.work) for one, _ in STRATA])[stratum]
    medians = medians * np.array([sub.slow for _, sub in STRATA])[stratum, None]
    dispatch = medians[:, 0] * slow * quick * np.exp(p.dispatch_sigma * rng.normal(n))
    pickup = medians[:, 1] * slow * quick * np.exp(p.pickup_sigma * rng.normal(n))
    for one in unusual:
        if one.kind == "short_of_people":
            pickup = np.where(_befalls([one], one.kind, offset, stratum), one.size * pickup, pickup)
    work = medians[:, 2] * slow * np.exp(p.work_sigma * rng.normal(n))
    cancel = 1000.0 * p.cancel_median * np.exp(p.cancel_sigma * rng.normal(n))
    cancel_ms = np.where(rng.below(p.cancelable, n), np.rint(cancel).astype(np.int64), NEVER)
    created = start + offset
    forgotten = rng.below(p.forgotten, n)
    for one in unusual:
        if one.kind == "never_closed":
            forgotten |= _befalls([one], one.kind, offset, stratum) & nightly.below(one.size, n)
    dispatch_ms, pickup_ms, work_ms = (np.rint(1000.0 * one).astype(np.int64) for one in (dispatch, pickup, work))
    tidied = milliseconds(p.tidy_up) + rng.integer(6 * 60 * MINUTE, n)
    work_ms = np.where(forgotten, tidied - created - dispatch_ms - pickup_ms, work_ms)
    return Drawn(
        number=number,
        period_id=4101 + 3 * number,
        event=event,
        kind=kind,
        start=start,
        created=created,
        stratum=stratum,
        dispatch=dispatch_ms,
        pickup=pickup_ms,
        work=work_ms,
        cancel=np.where(forgotten, NEVER, cancel_ms),
        ai=ai,
        load=load,
        forgotten=forgotten,
        night=float(night),
        rng=rng,
    )


def _befalls(anomalies: Sequence[Anomaly], kind: str, offset: Ints, stratum: Ints) -> Bools:
    """Return which actions an anomaly of that kind befalls."""
    channel = np.array([one.channel for one, _ in STRATA])[stratum]
    hit = np.zeros(len(offset), dtype=bool)
    for one in anomalies:
        if one.kind == kind:
            within = (offset >= one.start * MINUTE) & (offset < one.end * MINUTE)
            hit |= within & ((channel == one.channel) | (one.channel is None))
    return hit


def _surges(rng: Uniform, anomalies: Sequence[Anomaly], offset: Ints, stratum: Ints) -> tuple[Ints, Ints]:
    """Add the arrivals of each surge, evenly over its minutes, and return all in order of creation."""
    for one in anomalies:
        if one.kind != "surge":
            continue
        weights = [kind.share * sub.share * (one.channel in (None, kind.channel)) for kind, sub in STRATA]
        extra = int(np.rint(one.size * sum(weights) * len(offset)))
        moments = one.start * MINUTE + rng.integer((one.end - one.start) * MINUTE, extra)
        offset = np.concatenate([offset, moments])
        order = np.argsort(offset, kind="stable")
        stratum = np.concatenate([stratum, rng.choice(weights, extra)])[order]
        offset = offset[order]
    return offset, stratum


def _arrivals(rng: Uniform, kind: Kind, n: int) -> Ints:
    """Return sorted offsets of creation from the event's start, in milliseconds."""
    waves = [peak.share for peak in kind.peaks]
    spans = [(end - start) for start, end in kind.open_minutes]
    rest = 1.0 - sum(waves)
    which = rng.choice([*waves, *(rest * span / sum(spans) for span in spans)], n)
    middles = np.array([*(peak.minute for peak in kind.peaks), *(start for start, _ in kind.open_minutes)], dtype=float)
    widths = np.array([*(peak.width for peak in kind.peaks), *spans], dtype=float)
    shape = np.where(which < len(waves), np.clip(rng.normal(n), -3.0, 3.0), rng.uniform(n))
    minutes = np.clip(middles[which] + widths[which] * shape, 0.0, kind.minutes - 1.0)
    return np.sort(np.rint(minutes * MINUTE + rng.integer(1000, n)).astype(np.int64))


def _load(p: Parameters, offset: Ints, kind: Kind) -> Floats:
    """Return how busy it was at each creation: arrivals in the window before it, relative to their mean."""
    window = int(1000 * p.load_window)
    before = np.arange(len(offset)) - np.searchsorted(offset, offset - window)
    hours = sum(end - start for start, end in kind.open_minutes) * MINUTE
    return np.clip((before + 0.5) / (len(offset) * window / hours), *p.load_limits)


def _ai(p: Parameters, rng: Uniform, stratum: Ints, progress: float) -> Bools:
    wanted = p.ai_share_first + (p.ai_share_last - p.ai_share_first) * progress
    odds = np.array([one.ai - p.ai_ease * np.log(sub.slow) for one, sub in STRATA])[stratum]
    low, high = -12.0, 12.0
    for _ in range(50):
        middle = (low + high) / 2
        if np.mean(1.0 / (1.0 + np.exp(-(middle + odds)))) < wanted:
            low = middle
        else:
            high = middle
    return rng.uniform(len(stratum)) < 1.0 / (1.0 + np.exp(-(low + odds)))
