"""What a metric's frame says, in one plain sentence. A comparison is made only where the intervals are apart."""

from __future__ import annotations

from typing import Any

import pandas as pd

from periodkit.wording import be, count, format_value

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
    "slowest",
    "waiting",
]

Row = dict[str, Any]

_DONE = {"dispatch": "assigned", "pickup": "begun", "response": "answered", "work": "closed", "cycle": "closed"}
_NOTHING = "There are no actions yet."
_ALIKE = 0.05
"""Shares nearer to one another than this are called much the same."""


def in_short(summary: pd.DataFrame) -> str:
    """Return what `periodkit.describe` says.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().head(1))
    >>> in_short(pk.describe(actions))
    'Half of 175 actions counted, of 187, were closed within 13.6 min (11.5–17.2), nine of ten within 45.4 min (37.5–65.9). \
1 is open.'
    """
    rows = {row["measure"]: row for row in _rows(summary)}
    n, still = rows["actions"]["value"], rows["open"]["value"]
    if not n:
        return _NOTHING
    half, most = (rows[f"cycle {name}"] for name in ("P50", "P90"))
    if n == 1:
        took = "" if _missing(half["value"]) else f" within {format_value(half['value'])}"
        return (
            f"The only action {'was closed' + took if took else 'is open' if still else 'is not known to be closed'}."
        )
    if _missing(half["value"]):
        times = f"Of {count(n)} fewer than half are known to be closed"
    else:
        tail = (
            "; nine of ten not yet"
            if _missing(most["value"])
            else f", nine of ten within {_with_interval(most['value'], most['low'], most['high'])}"
        )
        used, said = int(half["n"]), _with_interval(half["value"], half["low"], half["high"])
        which = count(used) if used == n else f"{count(used)} counted, of {n:,},"
        times = f"Half of {which} were closed within {said}{tail}"
    return f"{times}. {_are(still)} open."


def slowest(times: pd.DataFrame) -> str:
    """Return which group takes longest, of what `periodkit.cycle_times` gives by group.

    Examples
    --------
    >>> minutes = lambda *values: pd.to_timedelta(values, unit="min")
    >>> times = pd.DataFrame({"channel": ["Bar", "Lift"], "n": 9, "p90": minutes(5, 30), "p90_low": minutes(4, 20),
    ...                       "p90_high": minutes(6, 40)})
    >>> slowest(times)
    'Lift takes longest: nine of ten within 30.0 min (20.0–40.0). The next is Bar: 5.0 min (4.0–6.0).'
    """
    if not times["n"].sum():
        return _NOTHING
    open_ended = [_name(row) for row in _rows(times[times["p90"].isna()])]
    ordered = _rows(times.dropna(subset=["p90"]).sort_values("p90", ascending=False, kind="stable"))
    names = ", ".join(open_ended) if len(open_ended) < 4 else f"{len(open_ended)} groups"
    more = f" {names} cannot be told yet: too few are closed." if open_ended else ""
    if not ordered:
        return f"Which takes longest cannot be told yet: nowhere are nine of ten closed, of {count(int(times['n'].sum()))}."
    first = ordered[0]
    said = _with_interval(first["p90"], first["p90_low"], first["p90_high"])
    if len(ordered) == 1:
        return f"{_name(first)}: nine of ten within {said}.{more}"
    second = ordered[1]
    other = f"{_name(second)}: {_with_interval(second['p90'], second['p90_low'], second['p90_high'])}"
    if second["p90_high"] < first["p90_low"]:
        return f"{_name(first)} takes longest: nine of ten within {said}. The next is {other}.{more}"
    return f"{_name(first)} takes longest, nine of ten within {said}, but not surely: see {other}.{more}"


def longest_stage(stages: pd.DataFrame) -> str:
    """Return in which stage the time goes, of what `periodkit.stage_quantiles` gives of all actions.

    Examples
    --------
    >>> p50 = pd.to_timedelta([1, 3, 8], unit="min")
    >>> longest_stage(pd.DataFrame({"stage": ["dispatch", "pickup", "work"], "n": 20, "p50": p50}))
    'Most of the time goes into work: half take over 8.0 min for it, against dispatch 1.0 min and pickup 3.0 min.'
    """
    if not stages["n"].sum():
        return _NOTHING
    single = stages[stages["stage"].isin(["dispatch", "pickup", "work"])].dropna(subset=["p50"])
    if len(single) < 3:
        return "Where the time goes cannot be told yet: not every stage has been reached by half of the actions."
    most = max(_rows(single), key=lambda row: row["p50"])
    others = [f"{row['stage']} {format_value(row['p50'])}" for row in _rows(single) if row != most]
    return (
        f"Most of the time goes into {most['stage']}: half take over {format_value(most['p50'])} for it, "
        f"against {' and '.join(others)}."
    )


def kept_target(share: pd.DataFrame, target: str) -> str:
    """Return how many were on time, of what `periodkit.on_time` gives of all actions.

    Examples
    --------
    >>> share = pd.DataFrame({"met": [30], "missed": [10], "undetermined": [2], "rate": [0.75], "low": [0.6],
    ...                       "high": [0.86], "worst": [0.714], "best": [0.762]})
    >>> kept_target(share, "20min")
    '75.0 % (60.0–86.0) of 40 actions were closed within 20 min. Of 2 it is not decided: between 71.4 and 76.2 % of all.'
    """
    row = _rows(share)[0]
    decided = int(row["met"] + row["missed"])
    if not decided:
        return f"Of no action is it decided yet whether it was closed within {_target(target)}."
    rate = _with_interval(row["rate"], row["low"], row["high"])
    said = f"{rate} of {count(decided)} {be(decided)} closed within {_target(target)}."
    if not row["undetermined"]:
        return said
    ends = f"between {format_value(row['worst'], unit=False)} and {format_value(row['best'])} of all"
    return f"{said} Of {int(row['undetermined']):,} it is not decided: {ends}."


def completed_only(honest: pd.DataFrame, closed: pd.DataFrame) -> str:
    """Return how far the median of what is closed is off, of two results of `periodkit.cycle_times`.

    Parameters
    ----------
    honest, closed : pandas.DataFrame
        By ``method="kaplan-meier"`` and by ``method="observed"``, of all actions.

    Examples
    --------
    >>> p50 = lambda value: pd.DataFrame({"n": [50], "open": [9], "p50": pd.to_timedelta([value], unit="min")})
    >>> completed_only(p50(12), p50(9))
    'With 9 open, the median of what is closed says 9.0 min; counting the open ones it is 12.0 min, 3.0 min more.'
    """
    whole = _rows(honest)[0]
    true, naive, still = whole["p50"], _rows(closed)[0]["p50"], int(whole["open"])
    if not whole["n"]:
        return _NOTHING
    if _missing(true) or _missing(naive):
        return f"The median of what is closed says {format_value(naive)}; too few have ended to tell the true one."
    gap = true - naive
    if format_value(true) == format_value(naive):
        return f"With {still:,} open, the median of what is closed is the same: {format_value(true)}."
    more = f"{format_value(abs(gap))} {'more' if gap > pd.Timedelta(0) else 'less'}"
    return (
        f"With {still:,} open, the median of what is closed says {format_value(naive)}; "
        f"counting the open ones it is {format_value(true)}, {more}."
    )


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
        value = _with_interval(row[quantile], row[f"{quantile}_low"], row[f"{quantile}_high"])
        said = f"{stage.capitalize()} {name} is {value} of the {int(row['used']):,} recorded"
    if not row["bound_shown"]:
        return f"{said}."
    most, taken = row[f"{quantile}_at_most"], "assignment" if stage == "dispatch" else "start"
    limit = "it is not reached" if _missing(most) else f"at most {format_value(most)}"
    return f"{said}; of all {int(row['all_used']):,} {limit}, each unrecorded {taken} taken at its closing."


def ai_share(rates: pd.DataFrame) -> str:
    """Return how much AI dispatched, of what `periodkit.ai_dispatch_rate` gives of all actions.

    Examples
    --------
    >>> ai_share(pd.DataFrame({"n": [50], "ai": [12], "not_ai": [36], "unknown": [2], "rate": [0.25], "low": [0.149],
    ...                        "high": [0.388]}))
    'AI dispatched 25.0 % (14.9–38.8) of 48 actions. Of 2 it is not known.'
    """
    row = _rows(rates)[0]
    if not row["n"]:
        return _NOTHING
    known = int(row["ai"] + row["not_ai"])
    if not known:
        which = count(int(row["n"]))
        return f"Whether AI dispatched is not known of {'any of ' * (row['n'] > 1)}{which}: see what `ai_dispatched` holds."
    unknown = f" Of {int(row['unknown']):,} it is not known." if row["unknown"] else ""
    return f"AI dispatched {_with_interval(row['rate'], row['low'], row['high'])} of {count(known)}.{unknown}"


def ai_times(times: pd.DataFrame, stage: str = "response") -> str:
    """Return what AI dispatch is associated with, of what `periodkit.cycle_times` gives by ``ai_dispatched``.

    Examples
    --------
    >>> minutes = lambda *values: pd.to_timedelta(values, unit="min")
    >>> times = pd.DataFrame({"ai_dispatched": [False, True], "n": 90, "p50": minutes(5, 3), "p50_low": minutes(4.5, 2),
    ...                       "p50_high": minutes(6, 4)})
    >>> ai_times(times)
    'AI dispatch is associated with a shorter response: median 3.0 min (2.0–4.0), of the others 5.0 min (4.5–6.0).'
    """
    arms = times.dropna(subset=["ai_dispatched", "p50"])
    by_ai = {bool(row["ai_dispatched"]): row for row in _rows(arms)}
    if len(by_ai) < 2:
        return f"There is nothing to compare: a median {stage} of both AI-dispatched and other actions is not there."
    ai, rest = by_ai[True], by_ai[False]
    said = f"median {_median(ai)}, of the others {_median(rest)}"
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
    target = f"{done} within {_target(row['target'])}"
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
    """Return how AI's work differs from the rest, of what `periodkit.ai_dispatch_rate` gives by group.

    Examples
    --------
    >>> ai_mix(pd.DataFrame({"channel": ["Bar", "Gate"], "n": 100, "ai": [60, 20], "not_ai": [40, 80]}))
    'AI was given other work: Bar is 75.0 % of what AI dispatched, and 33.3 % of the rest.'
    """
    rows = [row for row in _rows(rates) if row["ai"] + row["not_ai"]]
    ai, rest = (sum(row[arm] for row in rows) for arm in ("ai", "not_ai"))
    if not ai or not rest:
        return "There is nothing to compare: AI dispatched all or none of the actions of which it is known."
    shares = [(row["ai"] / ai, row["not_ai"] / rest, _name(row)) for row in rows]
    of_ai, of_rest, name = max(shares, key=lambda share: abs(share[0] - share[1]))
    said = f"{name} is {format_value(of_ai)} of what AI dispatched, and {format_value(of_rest)} of the rest."
    return f"AI was given {'other' if abs(of_ai - of_rest) >= _ALIKE else 'much the same'} work: {said}"


def waiting(found: pd.DataFrame, target: str) -> str:
    """Return what is open and what passes the target next, of what `periodkit.open_actions` gives.

    Examples
    --------
    >>> minutes = lambda *values: pd.to_timedelta(values, unit="min")
    >>> found = pd.DataFrame({"action_id": [7, 9], "classification": ["Lift", "Bar"], "age": minutes(25, 12),
    ...                       "left": minutes(-5, 8), "past": [True, False]})
    >>> waiting(found, "20min")
    '2 actions are open, 1 of them past 20 min. The next to pass it is 9 (Bar), in 8.0 min.'
    """
    if found.empty:
        return "Nothing is open."
    rows = _rows(found)
    n, past = len(rows), sum(row["past"] for row in rows)
    if n == 1:
        said = f"1 action is open, {'' if past else 'not '}past {_target(target)}."
    else:
        said = f"{count(n)} are open, {f'{past:,}' if past else 'none'} of them past {_target(target)}."
    coming = [row for row in rows if not row["past"]]
    if not coming:
        return said
    first = min(coming, key=lambda row: row["left"])
    kind = "" if _missing(first["classification"]) else f" ({first['classification']})"
    who = format_value(first["action_id"], grouped=False)
    which = "It is" if n == 1 else "The next to pass it is"
    return f"{said} {which} {who}{kind}, {'and passes it ' * (n == 1)}in {format_value(first['left'])}."


def records(advice: pd.DataFrame, n: int) -> str:
    """Return what is wrong with `n` records, of what `periodkit.quality_advice` gives.

    Examples
    --------
    >>> found = {"check": ["skipped_stage"], "count": [30], "share": [0.3], "changes": [True], "ask": ["Leads"]}
    >>> records(pd.DataFrame(found), 100)
    'Of 100 actions, 30 (30.0 %) have the most frequent defect that changes numbers: skipped stage. First to ask: leads.'
    """
    if not n:
        return _NOTHING
    rows = [row for row in _rows(advice) if row["changes"]]
    if not rows:
        return f"Nothing that changes a number was found in {count(n)}."
    most = max(rows, key=lambda row: row["count"])
    ask, have = most["ask"], "has" if most["count"] == 1 else "have"
    return (
        f"Of {count(n)}, {most['count']:,} ({format_value(most['share'])}) {have} the most frequent defect that changes "
        f"numbers: {most['check'].replace('_', ' ')}. First to ask: {ask[:1].lower()}{ask[1:]}."
    )


def _are(n: int) -> str:
    return "None is" if not n else "1 is" if n == 1 else f"{n:,} are"


def _rows(frame: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _with_interval(value: Any, low: Any, high: Any) -> str:  # noqa: ANN401
    if _missing(low) and _missing(high):
        return format_value(value)
    lower, upper = (
        "…" if _missing(low) else format_value(low, unit=False),
        "∞" if _missing(high) else format_value(high, unit=False),
    )
    return f"{format_value(value)} ({lower}–{upper})"


def _median(row: Row) -> str:
    return _with_interval(row["p50"], row["p50_low"], row["p50_high"])


def _target(text: str | pd.Timedelta) -> str:
    return f"{round(pd.Timedelta(text) / pd.Timedelta(minutes=1), 1):,g} min"


def _signed(number: object) -> str:
    return str(number).replace("-", "−")


def _whole(share: float) -> str:
    """Return a share above zero in whole percent."""
    return f"{100 * share:.0f} %" if share >= 0.005 else "Under 1 %"


def _name(row: Row) -> str:
    """Return what a group is called: its keys stand before ``n``."""
    keys = [*row.values()][: [*row].index("n")]
    return ", ".join("not given" if _missing(key) else format_value(key, grouped=False) for key in keys)


def _missing(value: Any) -> bool:  # noqa: ANN401
    return bool(pd.isna(value))
