"""One plain sentence on the frame that a metric returned. A comparison is made only where the intervals are apart."""

from __future__ import annotations

from typing import Any

import pandas as pd

from periodkit.wording import (
    FEWEST,
    Span,
    Target,
    compared,
    count,
    estimate,
    format_value,
    limits_text,
    listed,
    most_surprising,
    sentences,
    was_or_were,
)

__all__ = [
    "ai_effect",
    "ai_mix",
    "ai_share",
    "ai_times",
    "completed_only",
    "in_short",
    "kept_target",
    "longest_stage",
    "recorded",
    "records",
    "season",
    "slowest",
    "unusual",
    "waiting",
]

Row = dict[str, Any]

_DONE = {"dispatch": "assigned", "pickup": "begun", "response": "answered", "work": "closed", "cycle": "closed"}
_NOTHING = "There are no actions yet."
_LEAST_NIGHTS = 8
_SAID = 3
_ALIKE = 0.05
"""Shares that differ by less are called much the same."""


def in_short(summary: pd.DataFrame) -> str:
    """Summarise what `periodkit.describe` returned.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().head(1))
    >>> in_short(pk.describe(actions))
    'Half of 175 actions counted, of 187, were closed within 11.8 min (9.93–14.9), nine of ten within 39.3 min (32.4–57). \
1 is open.'
    """
    rows = {row["measure"]: row for row in _rows(summary)}
    n, still = rows["actions"]["value"], rows["open"]["value"]
    if not n:
        return _NOTHING
    half, most = rows["cycle P50"], rows["cycle P90"]
    known = not _missing(half["value"])
    if n == 1:
        if not known:
            return f"The only action {'is open' if still else 'is not known to be closed'}."
        return f"The only action was closed within {format_value(half['value'])}."
    if not known:
        times = f"Fewer than half of {count(n)} are known to be closed"
    else:
        tail = "; nine of ten not yet" if _missing(most["value"]) else f", nine of ten within {_estimate(most)}"
        used = int(half["n"])
        which = count(used) if used == n else f"{count(used)} counted, of {n:,},"
        times = f"Half of {which} were closed within {_estimate(half)}{tail}"
    return f"{times}. {'None is' if not still else '1 is' if still == 1 else f'{still:,} are'} open."


def slowest(times: pd.DataFrame) -> str:
    """Name the group that takes longest in what `periodkit.cycle_times` returned by group.

    Examples
    --------
    >>> minutes = lambda *values: pd.to_timedelta(values, unit="min")
    >>> times = pd.DataFrame({"channel": ["Bar", "Lift"], "n": 9, "p90": minutes(5, 30), "p90_low": minutes(4, 20),
    ...                       "p90_high": minutes(6, 40)})
    >>> slowest(times)
    'Lift takes longest: nine of ten within 30 min (20–40). The next is Bar: 5 min (4–6).'
    """
    if not times["n"].sum():
        return _NOTHING
    large = times[times["n"] >= FEWEST]
    small = len(times) - len(large) if len(large) else 0
    times = large if len(large) else times
    early = [_name(row) for row in _rows(times[times["p90"].isna()])]
    ranked = _rows(times.dropna(subset=["p90"]).sort_values("p90", ascending=False, kind="stable"))
    if not ranked:
        return f"Too few of {count(int(times['n'].sum()))} are closed to rank the groups."
    few = f"{count(small, 'group')} of fewer than {FEWEST} actions {_is(small)} not ranked" if small else ""
    names = listed(early) if len(early) < 4 else f"{len(early)} groups"
    more = f"Too few actions are closed to rank {names}" if early else ""
    first = f"{_name(ranked[0])} takes longest"
    within = f"nine of ten within {_estimate(ranked[0], 'p90')}"
    if len(ranked) == 1:
        return sentences(f"{_name(ranked[0])}: {within}", more, few)
    second = f"{_name(ranked[1])}: {_estimate(ranked[1], 'p90')}"
    if ranked[1]["p90_high"] < ranked[0]["p90_low"]:
        return sentences(f"{first}: {within}", f"The next is {second}", more, few)
    return sentences(f"{first}, {within}, but this is uncertain; the next is {second}", more, few)


def longest_stage(stages: pd.DataFrame) -> str:
    """Name the stage that takes the most time in what `periodkit.stage_quantiles` returned for all actions.

    Examples
    --------
    >>> p50 = pd.to_timedelta([1, 3, 8], unit="min")
    >>> longest_stage(pd.DataFrame({"stage": ["dispatch", "pickup", "work"], "n": 20, "p50": p50}))
    'Work takes the most time: half take over 8 min, against 1 min for dispatch and 3 min for pickup.'
    """
    if not stages["n"].sum():
        return _NOTHING
    single = _rows(stages[stages["stage"].isin(["dispatch", "pickup", "work"])].dropna(subset=["p50"]))
    if len(single) < 3:
        return "Too few actions have been through every stage to compare the stages."
    most = max(single, key=lambda row: row["p50"])
    others = listed(f"{format_value(row['p50'])} for {row['stage']}" for row in single if row != most)
    name = most["stage"].capitalize()
    return f"{name} takes the most time: half take over {format_value(most['p50'])}, against {others}."


def kept_target(share: pd.DataFrame, target: Span | Target) -> str:
    """Say how many were on time in what `periodkit.on_time` returned for all actions.

    Examples
    --------
    >>> share = pd.DataFrame({"met": [30], "missed": [10], "undetermined": [2], "rate": [0.75], "low": [0.6],
    ...                       "high": [0.86], "worst": [0.714], "best": [0.762]})
    >>> kept_target(share, "20min")
    '75.0 % (60.0–86.0) of 40 actions were closed within 20 min. With 2 undecided, it is between 71.4 % and 76.2 % of all.'
    """
    row, promised = _rows(share)[0], Target.read(target)
    decided, undecided = int(row["met"] + row["missed"]), int(row["undetermined"])
    if not decided:
        return f"No action can be judged against {promised} yet."
    rate = estimate(row["rate"], row["low"], row["high"])
    said = f"{rate} of {count(decided)} {was_or_were(decided)} closed within {promised}."
    if not undecided:
        return said
    ends = f"between {format_value(row['worst'])} and {format_value(row['best'])}"
    return f"{said} With {undecided:,} undecided, it is {ends} of all."


def completed_only(honest: pd.DataFrame, closed: pd.DataFrame) -> str:
    """Say how far off the median of the closed actions is, from two results of `periodkit.cycle_times`.

    Parameters
    ----------
    honest, closed : pandas.DataFrame
        By ``method="kaplan-meier"`` and by ``method="observed"``, of all actions.

    Examples
    --------
    >>> p50 = lambda value: pd.DataFrame({"n": [50], "open": [9], "p50": pd.to_timedelta([value], unit="min")})
    >>> completed_only(p50(12), p50(9))
    'With 9 open, the median of the closed actions is 9 min; counting the open ones it is 12 min.'
    """
    whole = _rows(honest)[0]
    true, naive, still = whole["p50"], _rows(closed)[0]["p50"], int(whole["open"])
    if not whole["n"]:
        return _NOTHING
    if _missing(naive):
        return "Too few actions are closed to give a median."
    if _missing(true):
        return f"The median of the closed actions is {format_value(naive)}; too few are closed to give that of all."
    said = f"With {still:,} open, the median of the closed actions is"
    if format_value(true) == format_value(naive):
        return f"{said} the same as that of all: {format_value(true)}."
    return f"{said} {format_value(naive)}; counting the open ones it is {format_value(true)}."


def recorded(times: pd.DataFrame, stage: str = "response", quantile: str = "p90") -> str:
    """Return what is recorded of a stage and, if over 5 % of it is not, a bound for all.

    Parameters
    ----------
    times : pandas.DataFrame
        What `periodkit.metrics.with_bound` gives of all actions.
    stage, quantile : str
        The stage, and the column to read.

    Examples
    --------
    >>> minutes = lambda value: pd.to_timedelta([value], unit="min")
    >>> times = pd.DataFrame({"n": [1500], "used": [1120], "all_used": [1406], "bound_shown": [True], "p90": minutes(12.4),
    ...                       "p90_low": minutes(11.8), "p90_high": minutes(13.1), "p90_at_most": minutes(18.5)})
    >>> recorded(times)
    'Response P90 is 12.4 min (11.8–13.1) of the 1,120 recorded; of all 1,406 at most 18.5 min, each unrecorded start \
taken at its closing.'
    """
    row = _rows(times)[0]
    if not row["n"]:
        return _NOTHING
    name = quantile.upper()
    if _missing(row[quantile]):
        said = f"{stage.capitalize()} {name} is not reached by the {int(row['used']):,} recorded"
    else:
        value = _estimate(row, quantile)
        said = f"{stage.capitalize()} {name} is {value} of the {int(row['used']):,} recorded"
    if not row["bound_shown"]:
        return f"{said}."
    most, taken = row[f"{quantile}_at_most"], "assignment" if stage == "dispatch" else "start"
    limit = "it is not reached" if _missing(most) else f"at most {format_value(most)}"
    return f"{said}; of all {int(row['all_used']):,} {limit}, each unrecorded {taken} taken at its closing."


def ai_share(rates: pd.DataFrame) -> str:
    """Say how much AI dispatched, in what `periodkit.ai_dispatch_rate` returned for all actions.

    Examples
    --------
    >>> ai_share(pd.DataFrame({"n": [50], "ai": [12], "not_ai": [36], "unknown": [2], "rate": [0.25], "low": [0.149],
    ...                        "high": [0.388]}))
    'AI dispatched 25.0 % (14.9–38.8) of 48 actions. 2 more are unknown.'
    """
    row = _rows(rates)[0]
    if not row["n"]:
        return _NOTHING
    known, unknown = int(row["ai"] + row["not_ai"]), int(row["unknown"])
    if not known:
        which = "the only action" if row["n"] == 1 else f"any of {count(int(row['n']))}"
        return f"`ai_dispatched` is not known for {which}."
    return sentences(
        f"AI dispatched {estimate(row['rate'], row['low'], row['high'])} of {count(known)}",
        f"{unknown:,} more {'is' if unknown == 1 else 'are'} unknown" if unknown else "",
    )


def ai_times(times: pd.DataFrame, stage: str = "response") -> str:
    """Say what AI dispatch is associated with, in what `periodkit.cycle_times` returned by ``ai_dispatched``.

    Examples
    --------
    >>> minutes = lambda *values: pd.to_timedelta(values, unit="min")
    >>> times = pd.DataFrame({"ai_dispatched": [False, True], "n": 90, "p50": minutes(5, 3), "p50_low": minutes(4.5, 2),
    ...                       "p50_high": minutes(6, 4)})
    >>> ai_times(times)
    'AI dispatch is associated with a shorter response: median 3 min (2–4), against 5 min (4.5–6) for the others.'
    """
    arms = times.dropna(subset=["ai_dispatched", "p50"])
    by_ai = {bool(row["ai_dispatched"]): row for row in _rows(arms)}
    if len(by_ai) < 2:
        return f"There is nothing to compare: AI-dispatched and other actions do not both have a median {stage} time."
    ai, rest = by_ai[True], by_ai[False]
    said = f"median {_estimate(ai, 'p50')}, against {_estimate(rest, 'p50')} for the others"
    for one, other, word in ((ai, rest, "shorter"), (rest, ai, "longer")):
        if one["p50_high"] < other["p50_low"]:
            return f"AI dispatch is associated with a {word} {stage}: {said}."
    return f"No difference in {stage} is shown, the intervals overlap: {said}."


def ai_effect(effect: pd.DataFrame, stage: str = "response") -> str:
    """Return what AI dispatch is associated with, plainly and among like work, of what `periodkit.ai_effect` gives of all.

    Examples
    --------
    >>> effect = {"n": 900, "used": 900, "n_ai": 400, "n_not_ai": 500, "target": pd.Timedelta("5min"), "difference": 0.12}
    >>> effect |= {"std_difference": 0.03, "std_difference_low": -0.01, "std_difference_high": 0.07, "e_value": 1.31}
    >>> effect |= {"one_arm_share": 0.14, "short_share": 0.0, "strata": 9}
    >>> for sentence in ai_effect(pd.DataFrame([effect])).split(". "):
    ...     print(sentence)
    AI-dispatched actions were answered within 5 min 12 points more often; among like work it is 3 points (−1 to 7)
    14 % of actions are of kinds that only one of the two gets
    An unmeasured difference would need a risk ratio of 1.3 to explain it away.
    """
    row = _rows(effect)[0]
    if not row["n"]:
        return _NOTHING
    if not row["n_ai"] or not row["n_not_ai"]:
        which = "AI dispatched none" if not row["n_ai"] else "AI dispatched all"
        counted = (
            f"{which} of {count(int(row['used']))}" if row["used"] else "no action has both a time and known dispatch"
        )
        return f"There is nothing to compare: {counted}."
    done = _DONE[stage]
    if _missing(row["target"]):
        return (
            f"There is nothing to compare yet: fewer than half of {count(int(row['used']))} are {done}. Pass a target."
        )
    target = f"{done} within {Target.read(row['target'])}"
    # "It" is how much more often, or less.
    sign = -1 if row["difference"] < 0 else 1
    if _missing(row["difference"]):
        said = f"How much more often AI-dispatched actions were {target} cannot be said plainly yet"
    else:
        points = count(abs(round(100 * row["difference"])), "point")
        said = f"AI-dispatched actions were {target} {points} {'less' if sign < 0 else 'more'} often"
    if _missing(row["std_difference"]):
        like = "among like work it cannot be said"
    else:
        value, *limits = (round(100 * sign * row[f"std_difference{end}"]) for end in ("", "_low", "_high"))
        like = f"among like work it is {_signed(count(value, 'point'))} ({' to '.join(map(_signed, sorted(limits)))})"
    parts = [f"{said}; {like}."]
    if row["one_arm_share"]:
        parts.append(f"{_whole(row['one_arm_share'])} of actions are of kinds that only one of the two gets.")
    if row["short_share"]:
        parts.append(f"{_whole(row['short_share'])} are of kinds that have not been seen for that long.")
    if not _missing(row["e_value"]) and not _missing(row["std_difference"]):
        parts.append(f"An unmeasured difference would need a risk ratio of {row['e_value']:.1f} to explain it away.")
    return " ".join(parts)


def ai_mix(rates: pd.DataFrame) -> str:
    """Say how AI's work differs from the rest, in what `periodkit.ai_dispatch_rate` returned by group.

    Examples
    --------
    >>> ai_mix(pd.DataFrame({"channel": ["Bar", "Gate"], "n": 100, "ai": [60, 20], "not_ai": [40, 80]}))
    'AI was given other work: Bar is 75.0 % of what AI dispatched, and 33.3 % of the rest.'
    """
    rows = [row for row in _rows(rates) if row["ai"] + row["not_ai"]]
    ai, rest = (sum(row[arm] for row in rows) for arm in ("ai", "not_ai"))
    if not ai or not rest:
        return "There is nothing to compare: AI dispatched all or none of the actions with a known value."
    shares = [(row["ai"] / ai, row["not_ai"] / rest, _name(row)) for row in rows]
    of_ai, of_rest, name = max(shares, key=lambda share: abs(share[0] - share[1]))
    said = f"{name} is {format_value(of_ai)} of what AI dispatched, and {format_value(of_rest)} of the rest."
    return f"AI was given {'other' if abs(of_ai - of_rest) >= _ALIKE else 'much the same'} work: {said}"


def waiting(open_now: pd.DataFrame, target: Span | Target) -> str:
    """Say what is open and what passes the target next, in what `periodkit.open_actions` returned.

    Examples
    --------
    >>> minutes = lambda *values: pd.to_timedelta(values, unit="min")
    >>> open_now = pd.DataFrame({"action_id": [7, 9], "classification": ["Lift", "Bar"], "age": minutes(25, 12),
    ...                          "left": minutes(-5, 8), "past": [True, False]})
    >>> waiting(open_now, "20min")
    '2 actions are open, 1 of them past 20 min. The next to pass it is 9 (Bar), in 8 min.'
    """
    if open_now.empty:
        return "Nothing is open."
    rows, promised = _rows(open_now), Target.read(target)
    n, past = len(rows), sum(row["past"] for row in rows)
    if n == 1:
        said = f"1 action is open, {'' if past else 'not '}past {promised}"
    else:
        said = f"{count(n)} are open, {f'{past:,}' if past else 'none'} of them past {promised}"
    coming = [row for row in rows if not row["past"]]
    if not coming:
        return f"{said}."
    first = min(coming, key=lambda row: row["left"])
    kind = "" if _missing(first["classification"]) else f" ({first['classification']})"
    who, left = f"{format_value(first['action_id'], grouped=False)}{kind}", format_value(first["left"])
    return sentences(said, f"{who} will pass it in {left}" if n == 1 else f"The next to pass it is {who}, in {left}")


def records(advice: pd.DataFrame, n: int) -> str:
    """Name the worst defect of `n` records, in what `periodkit.quality_advice` returned.

    Examples
    --------
    >>> found = {"check": ["skipped_stage"], "count": [30], "share": [0.3], "changes": [True], "ask": ["Leads"]}
    >>> records(pd.DataFrame(found), 100)
    'The most frequent defect that changes numbers is skipped stage: 30 of 100 actions (30.0 %). Ask first: leads.'
    """
    if not n:
        return _NOTHING
    rows = [row for row in _rows(advice) if row["changes"]]
    if not rows:
        return f"Nothing that changes a number was found in {count(n)}."
    most = max(rows, key=lambda row: row["count"])
    ask = most["ask"]
    return (
        f"The most frequent defect that changes numbers is {most['check'].replace('_', ' ')}: {most['count']:,} of "
        f"{count(n)} ({format_value(most['share'])}). Ask first: {ask[:1].lower()}{ask[1:]}."
    )


def season(chart: pd.DataFrame, what: str = "AI-dispatch rate") -> str:
    """Return what a control chart of all actions shows, of what `periodkit.season` gives.

    Examples
    --------
    >>> flags = {"run": False, "trend": False, "near": False} | dict.fromkeys(["outside", "signal"], [False, False, True])
    >>> season(pd.DataFrame({"value": [0.3, 0.32, 0.45], "center": 0.31, "lower": 0.25, "upper": 0.37} | flags))
    'AI-dispatch rate: 1 of 3 periods is outside the limits (25.0–37.0 %), above them.'
    """
    known = chart[chart["value"].notna()]
    if known.empty:
        return f"{what}: in no period is there enough to say."
    last = known.iloc[-1]
    ends = limits_text(last["lower"], last["upper"])
    if not ends:
        return f"{what}: too few periods to say what is ordinary, {count(len(known), 'period')} so far."
    if not known["signal"].any():
        return f"{what} stayed within its limits ({ends}) in all of {count(len(known), 'period')}."
    parts = []
    outside = known[known["outside"]]
    if len(outside):
        above = int((outside["value"] > outside["center"]).sum())
        sides = "above them" if above == len(outside) else "below them" if not above else f"{above:,} of them above"
        which = f"{len(outside):,} of {count(len(known), 'period')} {_is(len(outside))}"
        parts.append(f"{which} outside the limits ({ends}), {sides}")
    run = known[known["run"]]
    if len(run):
        side = "above" if run["value"].iloc[-1] > run["center"].iloc[-1] else "below"
        now = "the last ones" if bool(known["run"].iloc[-1]) else "the last such run"
        within = "" if parts else f", within the limits ({ends})"
        parts.append(f"{len(run):,} lie in runs of 7 or more on one side of the centre, {now} {side}{within}")
    if known["trend"].any():
        rising = known.loc[known["trend"], "value"]
        parts.append(f"{len(rising):,} lie in a trend, {'up' if rising.iloc[-1] > rising.iloc[0] else 'down'}")
    if not parts:
        near = f"{int(known['near'].sum()):,} of them near one"
        return f"{what} stayed within its limits ({ends}) in all of {count(len(known), 'period')}, {near}."
    return f"{what}: {'; '.join(parts)}."


def unusual(tonight: pd.DataFrame) -> str:
    """Return what was unusual, or what came nearest, of what `periodkit.unusual` gives.

    Examples
    --------
    >>> minutes = lambda *values: pd.Series(pd.to_timedelta(values, unit="min")).astype("object")
    >>> row = pd.DataFrame({"measure": ["p90"], "by": ["channel"], "group": ["Maintenance"], "n": [60],
    ...     "value": minutes(48), "expected": minutes(30), "low": minutes(15), "high": minutes(60), "model": ["level"],
    ...     "periods": [24], "t": [1.4], "p": [0.17], "unusual": [False]})
    >>> unusual(row).partition(". ")[2]
    'Nearest: Maintenance P90, 1.6 times the usual (ordinary: 0.5 to 2.0 times).'
    """
    most = int(tonight["periods"].max()) if len(tonight) else 0
    judged = most_surprising(tonight)
    if judged.empty:
        if most < _LEAST_NIGHTS:
            there = f"it takes {_LEAST_NIGHTS} earlier nights, and there {_are_only(most)}"
            return f"Whether tonight was unusual cannot be told yet: {there}."
        return "Whether tonight was unusual cannot be told: there are too few actions tonight."
    named = _rows(judged[judged["unusual"]])
    if named:
        said = [compared(row) for row in named[:_SAID]]
        more = f"; and {len(named) - _SAID:,} more" if len(named) > _SAID else ""
        return f"Unusual tonight, against the {most} nights before: {'; '.join(said)}{more}."
    near = _rows(judged.head(1))[0]
    if not near["low"] <= near["value"] <= near["high"]:
        of = f"of {len(judged):,} comparisons a few lie outside by chance"
        return f"Nothing tonight was unusual against the {most} nights before; {of}. Nearest: {compared(near)}."
    return f"Nothing tonight was outside the range of the {most} nights before. Nearest: {compared(near)}."


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _are_only(n: int) -> str:
    return "are none" if not n else "is 1" if n == 1 else f"are {n:,}"


def _are(n: int) -> str:
    return "None is" if not n else "1 is" if n == 1 else f"{n:,} are"


def _rows(frame: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _estimate(row: Row, name: str = "") -> str:
    """Return an estimate of a row with its interval; without a name, that of a row of `describe`."""
    value, low, high = (name, f"{name}_low", f"{name}_high") if name else ("value", "low", "high")
    return estimate(row[value], row[low], row[high])


def _signed(number: object) -> str:
    return str(number).replace("-", "−")


def _whole(share: float) -> str:
    """Return a share above zero in whole percent."""
    return f"{100 * share:.0f} %" if share >= 0.005 else "Under 1 %"


def _name(row: Row) -> str:
    """Return a group's name: its keys come before ``n``."""
    keys = [*row.values()][: [*row].index("n")]
    return ", ".join("not given" if _missing(key) else format_value(key, grouped=False) for key in keys)


def _missing(value: object) -> bool:
    return bool(pd.isna(value))  # type: ignore[call-overload]
