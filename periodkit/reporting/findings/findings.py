"""Findings: sentences that the numbers support.

Everything that could be compared is compared, each at such a confidence that all together hold at 95 % (Bonferroni), and
a sentence is made only where an interval leaves out "no difference". Frames in, findings out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import pandas as pd

from periodkit.metrics import CHECKS, quality
from periodkit.reporting.findings.contrasts import Contrast, rate_above
from periodkit.reporting.findings.measures import Measure, Measured, measures, name_of, with_limits
from periodkit.wording import percent

__all__ = ["Finding", "Findings", "event_findings", "season_findings"]

CONFIDENCE = 0.95
FLAG_SHARE = 0.01
"""A defect is a finding where more of the records than this have it."""

FEWEST_PERIODS = 8
"""A trend is looked for over so many periods or more."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One sentence, and the numbers that it rests on.

    Parameters
    ----------
    kind : str
        What was compared: ``"earlier"``, ``"group"``, ``"quality"``, ``"trend"`` or ``"period"``.
    measure : str
        The measure: ``"p90"``, ``"on_time"``, ``"ai_rate"`` and so on, or a check of `periodkit.quality`.
    about : str or None
        The group or period that it is about, None for all.
    sentence : str
        For people; names in it are cleaned, not escaped.
    contrast : Contrast
        The difference or ratio, with its interval at the findings' own confidence.
    n : int
        Actions that it rests on, those compared with not counted.
    good : bool or None
        Whether it is for the better; None where that is not for the numbers to say.
    brief : str
        The same beside another sentence on the same stage.
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
    """What was found, and how hard it was looked for.

    Parameters
    ----------
    found : tuple of Finding
        In the order in which to tell them.
    compared : int
        How many comparisons could be made.
    confidence : float
        The confidence of each, so that all together hold at 95 %.
    kinds : frozenset of str
        What could be compared, as in `Finding`.
    """

    found: tuple[Finding, ...]
    compared: int
    confidence: float
    kinds: frozenset[str] = frozenset()


class _Question(Protocol):
    """A comparison that can be made at any confidence, and the words for where it finds something."""

    @property
    def kind(self) -> str:
        """What is compared, as in `Finding`."""

    def ask(self, confidence: float) -> Contrast:
        """Return the comparison."""

    def tell(self, contrast: Contrast) -> Finding:
        """Return what was found."""


def event_findings(
    actions: pd.DataFrame,
    periods: pd.DataFrame | None = None,
    earlier: pd.DataFrame | None = None,
    target: str = "20min",
) -> Findings:
    """Find what stands out in some periods: against earlier ones, among their own groups, in their records.

    Parameters
    ----------
    actions : pandas.DataFrame
        The actions that the report is about.
    periods : pandas.DataFrame, optional
        Their periods, for the checks that need them.
    earlier : pandas.DataFrame, optional
        Actions of earlier periods.
    target : str
        The promised time from created to closed.

    Returns
    -------
    Findings
        A difference in rates in percentage points, a ratio of times, or a share of the records. Where both the P50 and the
        P90 of a stage differ in the same direction, they are one finding.

    Notes
    -----
    Intervals of differences: `periodkit.reporting.contrasts`. With m comparisons each is made at a confidence of
    1 - 0.05 / m (Bonferroni; Dunn 1961, J. Am. Stat. Assoc. 56, 52-64).

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(2).head(1))
    >>> found = event_findings(actions)
    >>> {finding.kind for finding in found.found} <= {"group", "quality"}
    True
    """
    asked: list[_Question] = []
    if earlier is not None and len(earlier):
        asked += _against_earlier(actions, earlier, target)
    return _answered([*asked, *_against_the_rest(actions, target), *_records(actions, periods)])


def season_findings(actions: pd.DataFrame, periods: pd.DataFrame, target: str = "20min") -> Findings:
    """Find what stands out over many periods: trends, periods and groups unlike the rest, records.

    Parameters
    ----------
    actions, periods : pandas.DataFrame
        What the report is about; `periods` in the order of time.
    target : str
        The promised time from created to closed.

    Returns
    -------
    Findings
        As `event_findings`; a trend is a slope from one period to the next, of a rate or of the logarithm of a time. Of
        the periods that are unlike the rest in one way, the one that is so the most is told, with their number.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> {finding.kind for finding in season_findings(actions, periods).found} <= {"trend", "period", "group", "quality"}
    True
    """
    asked = [
        *_trends(actions, periods, target),
        *_unlike_the_rest(actions, periods, target),
        *_against_the_rest(actions, target),
        *_records(actions, periods),
    ]
    answered = _answered(asked)
    return replace(answered, found=tuple(_gathered(answered.found, len(periods))))


def _answered(asked: Sequence[_Question]) -> Findings:
    able = [each for each in asked if each.ask(CONFIDENCE).known]
    confidence = 1 - (1 - CONFIDENCE) / max(len(able), 1)
    answers = [(each, each.ask(confidence)) for each in able]
    found = [each.tell(contrast) for each, contrast in answers if contrast.excludes_null]
    return Findings(tuple(_one_a_stage(found)), len(able), confidence, frozenset(each.kind for each in able))


def _one_a_stage(found: Sequence[Finding]) -> list[Finding]:
    """Return the findings, what P50 and P90 of the cycle both say as one."""
    kept: dict[tuple[object, ...], Finding] = {}
    for each in found:
        key = (each.kind, each.about, *_way(each))
        first = kept.get(key)
        kept[key] = each if first is None else replace(each, sentence=f"{each.sentence} Likewise {first.brief}.")
    return list(kept.values())


@dataclass(frozen=True)
class _AgainstEarlier:
    measure: Measure
    now: Measured
    then: Measured
    each: list[float]
    kind: str = "earlier"

    def ask(self, confidence: float) -> Contrast:
        return self.now.against(self.then, confidence)

    def tell(self, contrast: Contrast) -> Finding:
        more, k = contrast.estimate > contrast.null, len(self.each)
        before = f"in the {k} periods before" if k > 1 else "in the period before"
        said = f"{self.measure.title} was {self.now.words}, {self.measure.difference(contrast)} {before} ({self.then.short})"
        if k > 1:
            beaten = sum(other < self.now.value if more else other > self.now.value for other in self.each)
            which = "every one" if beaten == k else f"{beaten}" if beaten else "none"
            said += f"; {self.measure.more if more else self.measure.less} than in {which} of them"
        good = _good(self.measure, more=more)
        brief = f"{self.measure.short} {self.now.words}, {self.measure.difference(contrast).rpartition(' ')[0]}"
        return Finding(self.kind, self.measure.key, None, f"{said}.", contrast, self.now.n, good, brief)


def _against_earlier(actions: pd.DataFrame, earlier: pd.DataFrame, target: str) -> Iterator[_Question]:
    for measure in measures(target):
        now, then = measure.of(actions), measure.of(earlier)
        if now and then and now[0].enough and then[0].enough:
            each = [one.value for one in measure.of(earlier, "period_id")]
            yield _AgainstEarlier(measure, now[0], then[0], [value for value in each if np.isfinite(value)])


@dataclass(frozen=True)
class _AgainstTheRest:
    measure: Measure
    one: Measured
    rest: Measured
    name: str
    kind: str = "group"

    def ask(self, confidence: float) -> Contrast:
        return self.one.against(self.rest, confidence)

    def tell(self, contrast: Contrast) -> Finding:
        said = (
            f"{self.name}: {self.measure.short} {self.one.words}, {self.measure.difference(contrast)} "
            f"in the rest ({self.rest.short})."
        )
        good = _good(self.measure, more=contrast.estimate > contrast.null)
        brief = f"{self.measure.short} {self.one.words}, {self.measure.difference(contrast).rpartition(' ')[0]}"
        return Finding(self.kind, self.measure.key, self.name, said, contrast, self.one.n, good, brief)


def _against_the_rest(actions: pd.DataFrame, target: str) -> Iterator[_Question]:
    chosen = {each.key: each for each in measures(target)}
    for column, key in (("classification", "p90"), ("channel", "on_time")):
        groups = chosen[key].of(actions, column)
        for one in groups:
            rest = one.rest(groups)
            if one.enough and rest.enough:
                yield _AgainstTheRest(chosen[key], one, rest, f"{column.capitalize()} {name_of(one.key)}")


def _unlike_the_rest(actions: pd.DataFrame, periods: pd.DataFrame, target: str) -> Iterator[_Question]:
    names = dict(zip(periods["period_id"].astype("object"), periods["period_name"].astype("object"), strict=True))
    for measure in measures(target):
        groups = measure.of(actions, "period_id")
        for one in groups:
            rest = one.rest(groups)
            if one.enough and rest.enough:
                name = f"{name_of(names.get(one.key))} ({one.key})"
                yield _AgainstTheRest(measure, one, rest, name, "period")


def _gathered(found: Iterable[Finding], k: int) -> Iterator[Finding]:
    """Yield the findings, of periods that are unlike the rest in the same way only the foremost."""
    alike: dict[tuple[str, bool], list[Finding]] = {}
    for each in found:
        if each.kind == "period":
            alike.setdefault(_way(each), []).append(each)
    for each in found:
        if each.kind != "period":
            yield each
            continue
        same = alike.pop(_way(each), None)
        if same is None:
            continue
        most = max(same, key=lambda one: abs(_distance(one.contrast)))
        others = f" {len(same)} of {k} periods differ like this from the rest." if len(same) > 1 else ""
        yield replace(most, sentence=most.sentence + others)


def _way(finding: Finding) -> tuple[str, bool]:
    return _stage(finding), finding.contrast.estimate > finding.contrast.null


def _stage(finding: Finding) -> str:
    """Return what P50 and P90 of the cycle have in common; any other measure stands for itself."""
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

    def ask(self, confidence: float) -> Contrast:
        found = rate_above(self.hits, self.n, FLAG_SHARE, confidence)
        # Fewer defects than the bound are no finding.
        return replace(found, high=max(found.high, FLAG_SHARE))

    def tell(self, contrast: Contrast) -> Finding:
        share = with_limits(percent(contrast.estimate), contrast.low, contrast.high)
        said = f"Records, {self.check.replace('_', ' ')}: {share} of {self.n:,}. {self.meaning}"
        return Finding(self.kind, self.check, None, said, contrast, self.n, good=False)


def _records(actions: pd.DataFrame, periods: pd.DataFrame | None) -> Iterator[_Question]:
    for row in quality(actions, periods).to_dict("records"):
        if CHECKS[row["check"]].defect and not pd.isna(row["count"]) and row["of"]:
            yield _Defect(str(row["check"]), int(row["count"]), int(row["of"]), str(row["meaning"]))


@dataclass(frozen=True)
class _Trend:
    measure: Measure
    values: list[float]
    n: int
    kind: str = "trend"

    def ask(self, confidence: float) -> Contrast:
        return self.measure.slope(self.values, confidence)

    def tell(self, contrast: Contrast) -> Finding:
        title = self.measure.title[0].lower() + self.measure.title[1:]
        slope = self.measure.slope_words(contrast)
        said = f"Over {np.isfinite(self.values).sum()} periods, {title} {slope}."
        good = _good(self.measure, more=contrast.estimate > 0)
        return Finding(self.kind, self.measure.key, None, said, contrast, self.n, good, f"{self.measure.short} {slope}")


def _trends(actions: pd.DataFrame, periods: pd.DataFrame, target: str) -> Iterator[_Question]:
    for measure in measures(target):
        known = {one.key: one for one in measure.of(actions, "period_id") if one.enough and np.isfinite(one.value)}
        values = [known[key].value if key in known else np.nan for key in periods["period_id"].astype("object")]
        if len(known) >= FEWEST_PERIODS:
            yield _Trend(measure, values, sum(one.n for one in known.values()))


def _good(measure: Measure, *, more: bool) -> bool | None:
    return None if measure.high_is_good is None else more is measure.high_is_good
