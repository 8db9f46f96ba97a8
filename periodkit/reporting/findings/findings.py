"""Findings: sentences that the numbers support.

All comparisons that can be made are made, each at such a confidence that together they hold at 95 % (Bonferroni). A
sentence is written only where the interval excludes "no difference".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from periodkit.metrics import CHECKS, quality
from periodkit.reporting.findings.contrasts import Contrast, rate_above
from periodkit.reporting.findings.measures import Measure, Measured, measures, name_of
from periodkit.wording import Span, Target, estimate

__all__ = ["Finding", "Findings", "event_findings", "season_findings"]

CONFIDENCE = 0.95
FLAG_SHARE = 0.01
"""A defect is a finding where more than this share of the records have it."""

FEWEST_PERIODS = 8
"""The fewest periods in which to look for a trend."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A sentence and the numbers behind it.

    Parameters
    ----------
    kind : str
        What was compared: ``"earlier"``, ``"group"``, ``"quality"``, ``"trend"`` or ``"period"``.
    measure : str
        The measure: ``"p90"``, ``"on_time"``, ``"ai_rate"`` and so on, or a check of `periodkit.quality`.
    about : str or None
        The group or period that it is about; None for all.
    sentence : str
        Names in it are cleaned, not escaped.
    contrast : Contrast
        The difference or ratio, with its interval at the confidence of the findings.
    n : int
        The number of actions, without those compared with.
    good : bool or None
        Whether it is an improvement; None where the numbers cannot tell.
    brief : str
        A short form, to follow another sentence on the same stage.
    """

    kind: str
    measure: str
    about: str | None
    sentence: str
    contrast: Contrast
    n: int
    good: bool | None
    brief: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """All findings, and how many comparisons were made.

    Parameters
    ----------
    found : tuple of Finding
        In the order in which to tell them.
    compared : int
        The number of comparisons.
    confidence : float
        The confidence of each, such that together they hold at 95 %.
    kinds : frozenset of str
        The kinds of comparison, as in `Finding`.
    """

    found: tuple[Finding, ...]
    compared: int
    confidence: float
    kinds: frozenset[str] = frozenset()


class _Comparison(Protocol):
    """Something that can be compared at any confidence, and put into words where there is a difference."""

    @property
    def kind(self) -> str:
        """The kind of comparison, as in `Finding`."""

    def contrast(self, confidence: float) -> Contrast:
        """Return the difference or ratio."""

    def finding(self, contrast: Contrast) -> Finding:
        """Return the difference in words."""


def event_findings(
    actions: pd.DataFrame,
    periods: pd.DataFrame | None = None,
    earlier: pd.DataFrame | None = None,
    target: Span | Target = "20min",
) -> Findings:
    """Find what stands out in some periods: against earlier ones, between groups, in the records.

    Parameters
    ----------
    actions : pandas.DataFrame
        The actions that the report is about.
    periods : pandas.DataFrame, optional
        Their periods, for the checks that need them.
    earlier : pandas.DataFrame, optional
        Actions of earlier periods.
    target : timedelta or str
        The promised time from created to closed.

    Returns
    -------
    Findings
        Differences of rates in percentage points, ratios of times, and shares of the records. Where P50 and P90 of a
        stage differ in the same direction, they are one finding.

    Notes
    -----
    With m comparisons each is made at a confidence of 1 - 0.05 / m (Bonferroni; Dunn 1961, J. Am. Stat. Assoc. 56,
    52-64).

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(2).head(1))
    >>> found = event_findings(actions)
    >>> {finding.kind for finding in found.found} <= {"group", "quality"}
    True
    """
    promised = Target.read(target)
    return _compare(
        [
            *(_against_earlier(actions, earlier, promised) if earlier is not None and len(earlier) else ()),
            *_against_the_rest(actions, promised),
            *_records(actions, periods),
        ]
    )


def season_findings(actions: pd.DataFrame, periods: pd.DataFrame, target: Span | Target = "20min") -> Findings:
    """Find what stands out over many periods: trends, periods and groups unlike the rest, records.

    Parameters
    ----------
    actions, periods : pandas.DataFrame
        The actions and their periods, in order of time.
    target : timedelta or str
        The promised time from created to closed.

    Returns
    -------
    Findings
        As `event_findings`. A trend is the slope of a rate, or of the logarithm of a time, from one period to the next.
        Of the periods that differ from the rest in the same way, only the most extreme is told, with their number.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> {finding.kind for finding in season_findings(actions, periods).found} <= {"trend", "period", "group", "quality"}
    True
    """
    promised = Target.read(target)
    findings = _compare(
        [
            *_trends(actions, periods, promised),
            *_unlike_the_rest(actions, periods, promised),
            *_against_the_rest(actions, promised),
            *_records(actions, periods),
        ]
    )
    return replace(findings, found=tuple(_most_extreme(findings.found, len(periods))))


def _compare(comparisons: Sequence[_Comparison]) -> Findings:
    able = [one for one in comparisons if one.contrast(CONFIDENCE).known]
    confidence = 1 - (1 - CONFIDENCE) / max(len(able), 1)
    contrasts = [(one, one.contrast(confidence)) for one in able]
    found = [one.finding(contrast) for one, contrast in contrasts if contrast.excludes_null]
    return Findings(tuple(_one_a_stage(found)), len(able), confidence, frozenset(one.kind for one in able))


def _one_a_stage(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings, with P50 and P90 of the cycle time as one where they agree."""
    kept: dict[tuple[object, ...], Finding] = {}
    for finding in findings:
        key = (finding.kind, finding.about, *_way(finding))
        first = kept.get(key)
        also = "" if first is None else f" Likewise {first.brief}."
        kept[key] = replace(finding, sentence=finding.sentence + also)
    return list(kept.values())


@dataclass(frozen=True)
class _AgainstEarlier:
    measure: Measure
    now: Measured
    then: Measured
    values: list[float]
    kind: str = "earlier"

    def contrast(self, confidence: float) -> Contrast:
        return self.now.against(self.then, confidence)

    def finding(self, contrast: Contrast) -> Finding:
        more, k = contrast.estimate > contrast.null, len(self.values)
        before = f"in the {k} periods before" if k > 1 else "in the period before"
        words = self.measure.difference(contrast)
        said = f"{self.measure.title} was {self.now.words}, {words} {before} ({self.then.short})"
        if k > 1:
            beaten = sum(other < self.now.value if more else other > self.now.value for other in self.values)
            which = "every one" if beaten == k else f"{beaten}" if beaten else "none"
            said += f"; {self.measure.more if more else self.measure.less} than in {which} of them"
        return Finding(
            self.kind,
            self.measure.key,
            None,
            f"{said}.",
            contrast,
            self.now.n,
            _good(self.measure, more=more),
            f"{self.measure.short} {self.now.words}, {words.rpartition(' ')[0]}",
        )


def _against_earlier(actions: pd.DataFrame, earlier: pd.DataFrame, target: Target) -> Iterator[_Comparison]:
    for measure in measures(target):
        now, then = measure.of(actions), measure.of(earlier)
        if now and then and now[0].enough and then[0].enough:
            values = [one.value for one in measure.of(earlier, "period_id") if np.isfinite(one.value)]
            yield _AgainstEarlier(measure, now[0], then[0], values)


@dataclass(frozen=True)
class _AgainstTheRest:
    measure: Measure
    one: Measured
    rest: Measured
    name: str
    kind: str = "group"

    def contrast(self, confidence: float) -> Contrast:
        return self.one.against(self.rest, confidence)

    def finding(self, contrast: Contrast) -> Finding:
        measure, words = self.measure, self.measure.difference(contrast)
        return Finding(
            self.kind,
            measure.key,
            self.name,
            f"{self.name}: {measure.short} {self.one.words}, {words} in the rest ({self.rest.short}).",
            contrast,
            self.one.n,
            _good(measure, more=contrast.estimate > contrast.null),
            f"{measure.short} {self.one.words}, {words.rpartition(' ')[0]}",
        )


def _against_the_rest(actions: pd.DataFrame, target: Target) -> Iterator[_Comparison]:
    chosen = {measure.key: measure for measure in measures(target)}
    for column, key in (("classification", "p90"), ("channel", "on_time")):
        groups = chosen[key].of(actions, column)
        for one in groups:
            rest = one.rest(groups)
            if one.enough and rest.enough:
                yield _AgainstTheRest(chosen[key], one, rest, f"{column.capitalize()} {name_of(one.key)}")


def _unlike_the_rest(actions: pd.DataFrame, periods: pd.DataFrame, target: Target) -> Iterator[_Comparison]:
    names = dict(zip(periods["period_id"].astype("object"), periods["period_name"].astype("object"), strict=True))
    for measure in measures(target):
        groups = measure.of(actions, "period_id")
        for one in groups:
            rest = one.rest(groups)
            if one.enough and rest.enough:
                name = f"{name_of(names.get(one.key))} ({one.key})"
                yield _AgainstTheRest(measure, one, rest, name, "period")


def _most_extreme(findings: Iterable[Finding], k: int) -> Iterator[Finding]:
    """Yield the findings; of periods that differ from the rest in the same way only the most extreme."""
    alike: dict[tuple[str, bool], list[Finding]] = {}
    for finding in findings:
        if finding.kind == "period":
            alike.setdefault(_way(finding), []).append(finding)
    for finding in findings:
        if finding.kind != "period":
            yield finding
        elif same := alike.pop(_way(finding), None):
            most = max(same, key=lambda one: abs(_distance(one.contrast)))
            others = f" {len(same)} of {k} periods differ like this from the rest." if len(same) > 1 else ""
            yield replace(most, sentence=most.sentence + others)


def _way(finding: Finding) -> tuple[str, bool]:
    return _stage(finding), finding.contrast.estimate > finding.contrast.null


def _stage(finding: Finding) -> str:
    """Return one key for P50 and P90 of the cycle time, and the measure's own for any other."""
    return "cycle" if finding.measure in ("p50", "p90") else finding.measure


def _distance(contrast: Contrast) -> float:
    return float(np.log(contrast.estimate)) if contrast.null else contrast.estimate


@dataclass(frozen=True)
class _Defect:
    check: str
    hits: int
    n: int
    meaning: str
    kind: str = "quality"

    def contrast(self, confidence: float) -> Contrast:
        above = rate_above(self.hits, self.n, FLAG_SHARE, confidence)
        # Fewer defects than the bound are no finding.
        return replace(above, high=max(above.high, FLAG_SHARE))

    def finding(self, contrast: Contrast) -> Finding:
        share = estimate(contrast.estimate, contrast.low, contrast.high)
        said = f"Records, {self.check.replace('_', ' ')}: {share} of {self.n:,}. {self.meaning}"
        return Finding(self.kind, self.check, None, said, contrast, self.n, good=False)


def _records(actions: pd.DataFrame, periods: pd.DataFrame | None) -> Iterator[_Comparison]:
    for row in quality(actions, periods).to_dict("records"):
        if CHECKS[row["check"]].defect and not pd.isna(row["count"]) and row["of"]:
            yield _Defect(str(row["check"]), int(row["count"]), int(row["of"]), str(row["meaning"]))


@dataclass(frozen=True)
class _Trend:
    measure: Measure
    values: list[float]
    n: int
    kind: str = "trend"

    def contrast(self, confidence: float) -> Contrast:
        return self.measure.slope(self.values, confidence)

    def finding(self, contrast: Contrast) -> Finding:
        title = self.measure.title[0].lower() + self.measure.title[1:]
        slope = self.measure.slope_words(contrast)
        said = f"Over {np.isfinite(self.values).sum()} periods, {title} {slope}."
        good = _good(self.measure, more=contrast.estimate > 0)
        return Finding(self.kind, self.measure.key, None, said, contrast, self.n, good, f"{self.measure.short} {slope}")


def _trends(actions: pd.DataFrame, periods: pd.DataFrame, target: Target) -> Iterator[_Comparison]:
    for measure in measures(target):
        known = {one.key: one for one in measure.of(actions, "period_id") if one.enough and np.isfinite(one.value)}
        values = [known[key].value if key in known else np.nan for key in periods["period_id"].astype("object")]
        if len(known) >= FEWEST_PERIODS:
            yield _Trend(measure, values, sum(one.n for one in known.values()))


def _good(measure: Measure, *, more: bool) -> bool | None:
    return None if measure.high_is_good is None else more is measure.high_is_good
