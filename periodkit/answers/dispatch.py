"""Who dispatched: one sentence on AI dispatch."""

from __future__ import annotations

import pandas as pd

from periodkit.answers.answer import answer
from periodkit.answers.rows import NOTHING, estimated, group_name, missing, rows_of
from periodkit.wording import Target, count, estimate, format_value, sentences

__all__ = ["ai_effect", "ai_mix", "ai_share", "ai_times"]

_DONE = {"dispatch": "assigned", "pickup": "begun", "response": "answered", "work": "closed", "cycle": "closed"}
_ALIKE = 0.05
"""Shares that differ by less are called much the same."""


@answer
def ai_share(rates: pd.DataFrame) -> str:
    """Say how much AI dispatched, in what `periodkit.ai_dispatch_rate` returned for all actions.

    Parameters
    ----------
    rates : pandas.DataFrame
        One row, of all actions.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> ai_share(pd.DataFrame({"n": [50], "ai": [12], "not_ai": [36], "unknown": [2], "rate": [0.25], "low": [0.149],
    ...                        "high": [0.388]}))
    'AI dispatched 25.0 % (14.9–38.8) of 48 actions. 2 more are unknown.'
    """
    row = rows_of(rates)[0]
    if not row["n"]:
        return NOTHING
    known, unknown = int(row["ai"] + row["not_ai"]), int(row["unknown"])
    if not known:
        which = "the only action" if row["n"] == 1 else f"any of {count(int(row['n']))}"
        return f"`ai_dispatched` is not known for {which}."
    return sentences(
        f"AI dispatched {estimate(row['rate'], row['low'], row['high'])} of {count(known)}",
        f"{unknown:,} more {'is' if unknown == 1 else 'are'} unknown" if unknown else "",
    )


@answer
def ai_times(times: pd.DataFrame, stage: str = "response") -> str:
    """Say what AI dispatch is associated with, in what `periodkit.cycle_times` returned by ``ai_dispatched``.

    Parameters
    ----------
    times : pandas.DataFrame
        One row per value of ``ai_dispatched``; null is neither.
    stage : str
        What the times are of.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> minutes = lambda *values: pd.to_timedelta(values, unit="min")
    >>> times = pd.DataFrame({"ai_dispatched": [False, True], "n": 90, "p50": minutes(5, 3), "p50_low": minutes(4.5, 2),
    ...                       "p50_high": minutes(6, 4)})
    >>> ai_times(times)
    'AI dispatch is associated with a shorter response: median 3 min (2–4), against 5 min (4.5–6) for the others.'
    """
    arms = times.dropna(subset=["ai_dispatched", "p50"])
    by_ai = {bool(row["ai_dispatched"]): row for row in rows_of(arms)}
    if len(by_ai) < 2:
        return f"There is nothing to compare: AI-dispatched and other actions do not both have a median {stage} time."
    ai, rest = by_ai[True], by_ai[False]
    said = f"median {estimated(ai, 'p50')}, against {estimated(rest, 'p50')} for the others"
    for one, other, word in ((ai, rest, "shorter"), (rest, ai, "longer")):
        if one["p50_high"] < other["p50_low"]:
            return f"AI dispatch is associated with a {word} {stage}: {said}."
    return f"No difference in {stage} is shown, the intervals overlap: {said}."


@answer
def ai_effect(effect: pd.DataFrame, stage: str = "response") -> str:
    """Return what AI dispatch is associated with, plainly and among like work, of what `periodkit.ai_effect` gives of all.

    Parameters
    ----------
    effect : pandas.DataFrame
        One row, of all actions.
    stage : str
        What was compared.

    Returns
    -------
    str
        Plain text. "Associated with", since what AI was given may differ in ways that no column shows.

    Examples
    --------
    >>> effect = {"n": 900, "used": 900, "n_ai": 400, "n_not_ai": 500, "target": pd.Timedelta("5min"), "difference": 0.12}
    >>> effect |= {"std_difference": 0.03, "std_difference_low": -0.01, "std_difference_high": 0.07, "e_value": 1.31}
    >>> effect |= {"one_arm_share": 0.14, "short_share": 0.0, "strata": 9}
    >>> for sentence in ai_effect(pd.DataFrame([effect])).split(". "):
    ...     print(sentence)
    AI-dispatched actions were answered within 5 min 12 points more often; among like work it is 3 points (−1 to 7)
    14 % of actions are of kinds that only one of the two gets
    That interval includes 0, so no difference is shown among like work.
    """
    row = rows_of(effect)[0]
    if not row["n"]:
        return NOTHING
    if not row["n_ai"] or not row["n_not_ai"]:
        which = "AI dispatched none" if not row["n_ai"] else "AI dispatched all"
        counted = (
            f"{which} of {count(int(row['used']))}" if row["used"] else "no action has both a time and known dispatch"
        )
        return f"There is nothing to compare: {counted}."
    done = _DONE[stage]
    if missing(row["target"]):
        return (
            f"There is nothing to compare yet: fewer than half of {count(int(row['used']))} are {done}. Pass a target."
        )
    target = f"{done} within {Target.read(row['target'])}"
    # "It" is how much more often, or less.
    sign = -1 if row["difference"] < 0 else 1
    if missing(row["difference"]):
        said = f"How much more often AI-dispatched actions were {target} cannot be said plainly yet"
    else:
        points = count(abs(round(100 * row["difference"])), "point")
        said = f"AI-dispatched actions were {target} {points} {'less' if sign < 0 else 'more'} often"
    if missing(row["std_difference"]):
        like = "among like work it cannot be said"
    else:
        value, *limits = (round(100 * sign * row[f"std_difference{end}"]) for end in ("", "_low", "_high"))
        like = f"among like work it is {_signed(count(value, 'point'))} ({' to '.join(map(_signed, sorted(limits)))})"
    parts = [f"{said}; {like}."]
    if row["one_arm_share"]:
        parts.append(f"{_whole(row['one_arm_share'])} of actions are of kinds that only one of the two gets.")
    if row["short_share"]:
        parts.append(f"{_whole(row['short_share'])} are of kinds that have not been seen for that long.")
    if missing(row["std_difference"]):
        return " ".join(parts)
    if row["std_difference_low"] <= 0 <= row["std_difference_high"]:
        parts.append("That interval includes 0, so no difference is shown among like work.")
    elif not missing(row["e_value"]):
        parts.append(f"An unmeasured difference would need a risk ratio of {row['e_value']:.1f} to explain it away.")
    return " ".join(parts)


@answer
def ai_mix(rates: pd.DataFrame) -> str:
    """Say how AI's work differs from the rest, in what `periodkit.ai_dispatch_rate` returned by group.

    Parameters
    ----------
    rates : pandas.DataFrame
        One row per group, with ``ai`` and ``not_ai``.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> ai_mix(pd.DataFrame({"channel": ["Bar", "Gate"], "n": 100, "ai": [60, 20], "not_ai": [40, 80]}))
    'AI was given other work: Bar is 75.0 % of what AI dispatched, and 33.3 % of the rest.'
    """
    rows = [row for row in rows_of(rates) if row["ai"] + row["not_ai"]]
    ai, rest = (sum(row[arm] for row in rows) for arm in ("ai", "not_ai"))
    if not ai or not rest:
        return "There is nothing to compare: AI dispatched all or none of the actions with a known value."
    shares = [(row["ai"] / ai, row["not_ai"] / rest, group_name(row)) for row in rows]
    of_ai, of_rest, name = max(shares, key=lambda share: abs(share[0] - share[1]))
    said = f"{name} is {format_value(of_ai)} of what AI dispatched, and {format_value(of_rest)} of the rest."
    return f"AI was given {'other' if abs(of_ai - of_rest) >= _ALIKE else 'much the same'} work: {said}"


def _signed(number: object) -> str:
    return str(number).replace("-", "−")


def _whole(share: float) -> str:
    """Return a share above zero in whole percent."""
    return f"{100 * share:.0f} %" if share >= 0.005 else "Under 1 %"
