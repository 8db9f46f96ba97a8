"""Findings: sentences that the numbers support.

An event is judged by `periodkit.unusual`: where would an ordinary night lie, as much as nights differ from each other? In
a season so is each night, all nights considered; all other comparisons of a kind are made at such a confidence that together
they hold at 95 % (Bonferroni), and a sentence is written only where the interval excludes "no difference".
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from periodkit.metrics import CHECKS, quality
from periodkit.reporting.findings.contrasts import Contrast, rate_above
from periodkit.reporting.findings.measures import Measure, Measured, measures, name_of
from periodkit.reporting.findings.season import MORE_IS_GOOD, odd_nights, signals
from periodkit.wording import Span, Target, estimate, format_measure, limits_text, measure_label, most_surprising

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
        What was compared: ``"earlier"``, ``"group"``, ``"quality"``, ``"trend"``, ``"signal"`` or ``"period"``.
    measure : str
        The measure: ``"p90"``, ``"on_time"``, ``"ai_rate"`` and so on, or a check of `periodkit.quality`.
    about : str or None
        The group or period that it is about; None for all.
    sentence : str
        Names in it are cleaned, not escaped.
    contrast : Contrast or None
        The difference or ratio, with its interval at the confidence of the findings; None for ``"earlier"``, ``"signal"``
        and ``"period"``.
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
    contrast: Contrast | None
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
        The confidence that no finding of a kind is due to chance.
    kinds : frozenset of str
        The kinds of comparison, as in `Finding`.
    """

    found: tuple[Finding, ...]
    compared: int
    confidence: float
    kinds: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Comparison:
    """Something that can be compared at any confidence, and put into words where there is a difference.

    The first four are those of its `Finding`; `words` returns the sentence and its short form.
    """

    kind: str
    measure: str
    about: str | None
    n: int
    contrast: Callable[[float], Contrast]
    words: Callable[[Contrast], tuple[str, str]]
    high_is_good: bool | None

    def finding(self, contrast: Contrast) -> Finding:
        """Return the difference in words."""
        more = contrast.estimate > contrast.null
        good = None if self.high_is_good is None else more is self.high_is_good
        sentence, brief = self.words(contrast)
        return Finding(self.kind, self.measure, self.about, sentence, contrast, self.n, good, brief)


def event_findings(
    actions: pd.DataFrame, periods: pd.DataFrame | None = None, tonight: pd.DataFrame | None = None
) -> Findings:
    """Find what was unusual at an event, and the largest defect of its records.

    Parameters
    ----------
    actions : pandas.DataFrame
        The actions that the report is about.
    periods : pandas.DataFrame, optional
        Their periods, for the checks that need them.
    tonight : pandas.DataFrame, optional
        What `periodkit.unusual` returned for the event. Without it only the records are judged.

    Returns
    -------
    Findings
        One for each measure and group outside the range of an ordinary night, the most surprising first, and one of the
        records. Where a channel has all actions of a classification and no others, they are one finding.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> tonight = pk.unusual(actions, periods, "Harbour Park v Riverside Wanderers")
    >>> [finding.about for finding in event_findings(actions, periods, tonight).found if finding.kind == "earlier"]
    ['Security P90 response']
    """
    records = _largest(_compare([*_records(actions, periods)]))
    if tonight is None:
        return records
    judged = most_surprising(tonight)
    found = [_unusual(row) for row in judged[judged["unusual"]].to_dict("records")]
    return Findings((*found, *records.found), len(judged), CONFIDENCE, frozenset({"earlier", "quality"}))


def _unusual(row: Mapping[Hashable, Any]) -> Finding:
    """Return a row of `periodkit.unusual` as a finding."""
    given = {str(name): value for name, value in row.items()}
    name = measure_label(given)
    value = f"{given['value']:,}" if given["measure"] == "actions" else format_measure(given["value"])
    usual = f"an ordinary night: {limits_text(given['low'], given['high'])}"
    more = given["value"] > given["expected"]
    good = MORE_IS_GOOD.get(given["measure"])
    return Finding(
        "earlier",
        given["measure"],
        name,
        f"{name[:1].upper()}{name[1:]}: {value} ({usual}; n = {given['n']:,}).",
        None,
        int(given["n"]),
        None if good is None else more is good,
    )


def _largest(findings: Findings) -> Findings:
    """Return the findings with the most frequent defect alone."""
    most = max(findings.found, key=lambda one: 0.0 if one.contrast is None else one.contrast.estimate, default=None)
    if most is None:
        return findings
    others = len(findings.found) - 1
    more = f" {others} other kind{'' if others == 1 else 's'} of defect below, under Data quality." if others else ""
    return replace(findings, found=(replace(most, sentence=most.sentence + more),))


def season_findings(actions: pd.DataFrame, periods: pd.DataFrame, target: Span | Target = "20min") -> Findings:
    """Find what stands out over many periods: trends, measures that left their limits, nights, groups, records.

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
        A signal is a measure with a period outside the limits that the first periods set, or with a run on one side of
        the centre; one with a trend is told as that alone. A period is one unlike those before it, as
        `periodkit.unusual_periods` judges it.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> [finding.about for finding in season_findings(actions, periods).found if finding.kind == "period"]
    ['Harbour Park v Marston Green (4158)', 'Harbour Park v Riverside Wanderers (4173)']
    """
    promised = Target.read(target)
    # Each kind is a family of its own: a trend of seven must not have to outweigh hundreds of comparisons of periods.
    families = [
        _compare([*_trends(actions, periods, promised)]),
        *_of_season(actions, periods, promised),
        _compare([*_against_the_rest(actions, promised)]),
        _largest(_compare([*_records(actions, periods)])),
    ]
    found = [finding for family in families for finding in family.found]
    rising = {finding.measure for finding in found if finding.kind == "trend"}
    return Findings(
        # What a trend says, its chart would say again.
        tuple(one for one in found if one.kind != "signal" or one.measure not in rising),
        sum(family.compared for family in families),
        CONFIDENCE,
        frozenset().union(*(family.kinds for family in families)),
    )


def _of_season(actions: pd.DataFrame, periods: pd.DataFrame, target: Target) -> Iterator[Findings]:
    """Yield what the charts and the nights of a season say, each a family."""
    charts, nights = signals(actions, periods, target), odd_nights(actions, periods, target)
    for kind, told, compared in (("signal", *charts), ("period", nights.told, nights.compared)):
        found = tuple(Finding(kind, one.measure, one.about, one.sentence, None, one.n, one.good) for one in told)
        yield Findings(found, compared, CONFIDENCE, frozenset({kind}) if compared else frozenset())


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


def _against_the_rest(actions: pd.DataFrame, target: Target) -> Iterator[_Comparison]:
    chosen = {measure.key: measure for measure in measures(target)}
    for column, key in (("classification", "p90"), ("channel", "on_time")):
        for one, rest in _each_with_rest(chosen[key].of(actions, column)):
            yield _with_rest("group", one, rest, f"{column.capitalize()} {name_of(one.key)}")


def _each_with_rest(groups: list[Measured]) -> Iterator[tuple[Measured, Measured]]:
    for one in groups:
        rest = one.rest(groups)
        if one.enough and rest.enough:
            yield one, rest


def _with_rest(kind: str, one: Measured, rest: Measured, name: str) -> _Comparison:
    def words(contrast: Contrast) -> tuple[str, str]:
        difference = one.measure.difference(contrast)
        said = f"{name}: {one.measure.short} {one.words}, {difference} in the rest ({rest.short})."
        return said, _brief(one, difference)

    good = one.measure.high_is_good
    return _Comparison(kind, one.measure.key, name, one.n, partial(one.against, rest), words, good)


def _brief(one: Measured, difference: str) -> str:
    # Without the last word, which leads to what it is compared with.
    return f"{one.measure.short} {one.words}, {difference.rpartition(' ')[0]}"


def _way(finding: Finding) -> tuple[str, bool]:
    assert finding.contrast is not None  # noqa: S101  (only compared ones have a way)
    return _stage(finding), finding.contrast.estimate > finding.contrast.null


def _stage(finding: Finding) -> str:
    """Return one key for P50 and P90 of the cycle time, and the measure's own for any other."""
    return "cycle" if finding.measure in ("p50", "p90") else finding.measure


def _records(actions: pd.DataFrame, periods: pd.DataFrame | None) -> Iterator[_Comparison]:
    for row in quality(actions, periods).to_dict("records"):
        if CHECKS[row["check"]].defect and not pd.isna(row["count"]) and row["of"]:
            yield _defect(str(row["check"]), int(row["count"]), int(row["of"]), str(row["meaning"]))


def _defect(check: str, hits: int, n: int, meaning: str) -> _Comparison:
    def contrast(confidence: float) -> Contrast:
        above = rate_above(hits, n, FLAG_SHARE, confidence)
        # Fewer defects than the bound are no finding.
        return replace(above, high=max(above.high, FLAG_SHARE))

    def words(found: Contrast) -> tuple[str, str]:
        share = estimate(found.estimate, found.low, found.high)
        return f"Records, {check.replace('_', ' ')}: {share} of {n:,}. {meaning}", ""

    return _Comparison("quality", check, None, n, contrast, words, high_is_good=False)


def _trends(actions: pd.DataFrame, periods: pd.DataFrame, target: Target) -> Iterator[_Comparison]:
    for measure in measures(target):
        known = {one.key: one for one in measure.of(actions, "period_id") if one.enough and np.isfinite(one.value)}
        values = [known[key].value if key in known else np.nan for key in periods["period_id"].astype("object")]
        if len(known) >= FEWEST_PERIODS:
            n, words = sum(one.n for one in known.values()), partial(_trend_words, measure, len(known))
            slope = partial(measure.slope, values)
            yield _Comparison("trend", measure.key, None, n, slope, words, measure.high_is_good)


def _trend_words(measure: Measure, k: int, contrast: Contrast) -> tuple[str, str]:
    slope = measure.slope_words(contrast)
    return f"Over {k} periods, {measure.title[0].lower()}{measure.title[1:]} {slope}.", f"{measure.short} {slope}"
