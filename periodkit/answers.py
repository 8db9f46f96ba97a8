"""One plain sentence on the frame that a metric returned. A comparison is made only where the intervals are apart."""

from __future__ import annotations

from typing import Any

import pandas as pd

from periodkit.wording import Span, Target, count, estimate, format_value, listed, sentences, was_or_were

__all__ = [
    "ai_mix",
    "ai_share",
    "ai_times",
    "completed_only",
    "in_short",
    "kept_target",
    "longest_stage",
    "records",
    "slowest",
    "waiting",
]

Row = dict[str, Any]

_NOTHING = "There are no actions yet."
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
    'Half of 187 actions were closed within 13.7 min (11.6–17.4), nine of ten within 47.2 min (37.7–67.3). 1 is open.'
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
        times = f"Half of {count(n)} were closed within {_estimate(half)}{tail}"
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
    early = [_name(row) for row in _rows(times[times["p90"].isna()])]
    ranked = _rows(times.dropna(subset=["p90"]).sort_values("p90", ascending=False, kind="stable"))
    if not ranked:
        return f"Too few of {count(int(times['n'].sum()))} are closed to rank the groups."
    names = listed(early) if len(early) < 4 else f"{len(early)} groups"
    more = f"Too few actions are closed to rank {names}" if early else ""
    first = f"{_name(ranked[0])} takes longest"
    within = f"nine of ten within {_estimate(ranked[0], 'p90')}"
    if len(ranked) == 1:
        return sentences(f"{_name(ranked[0])}: {within}", more)
    second = f"{_name(ranked[1])}: {_estimate(ranked[1], 'p90')}"
    if ranked[1]["p90_high"] < ranked[0]["p90_low"]:
        return sentences(f"{first}: {within}", f"The next is {second}", more)
    return sentences(f"{first}, {within}, but this is uncertain; the next is {second}", more)


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


def _rows(frame: pd.DataFrame) -> list[Row]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _estimate(row: Row, name: str = "") -> str:
    """Return an estimate of a row with its interval; without a name, that of a row of `describe`."""
    value, low, high = (name, f"{name}_low", f"{name}_high") if name else ("value", "low", "high")
    return estimate(row[value], row[low], row[high])


def _name(row: Row) -> str:
    """Return a group's name: its keys come before ``n``."""
    keys = [*row.values()][: [*row].index("n")]
    return ", ".join("not given" if _missing(key) else format_value(key, grouped=False) for key in keys)


def _missing(value: object) -> bool:
    return bool(pd.isna(value))  # type: ignore[call-overload]
