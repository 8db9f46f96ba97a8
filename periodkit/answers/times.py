"""How fast: one sentence on times, stages and targets."""

from __future__ import annotations

import pandas as pd

from periodkit.answers.answer import answer
from periodkit.answers.rows import NOTHING, estimated, group_name, missing, rows_of
from periodkit.wording import FEWEST, Span, Target, count, estimate, format_value, listed, sentences, was_or_were

__all__ = ["completed_only", "in_short", "kept_target", "longest_stage", "recorded", "slowest"]


@answer
def in_short(summary: pd.DataFrame) -> str:
    """Summarise what `periodkit.describe` returned.

    Parameters
    ----------
    summary : pandas.DataFrame
        What `periodkit.describe` returned.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().head(1))
    >>> in_short(pk.describe(actions))
    'Half of 175 actions counted, of 187, were closed within 11.8 min (9.93–14.9), nine of ten within 39.3 min (32.4–57). \
1 is open.'
    """
    rows = {row["measure"]: row for row in rows_of(summary)}
    n, still = rows["actions"]["value"], rows["open"]["value"]
    if not n:
        return NOTHING
    half, most = rows["cycle P50"], rows["cycle P90"]
    known = not missing(half["value"])
    if n == 1:
        if not known:
            return f"The only action {'is open' if still else 'is not known to be closed'}."
        return f"The only action was closed within {format_value(half['value'])}."
    if not known:
        times = f"Fewer than half of {count(n)} are known to be closed"
    else:
        tail = "; nine of ten not yet" if missing(most["value"]) else f", nine of ten within {estimated(most)}"
        used = int(half["n"])
        which = count(used) if used == n else f"{count(used)} counted, of {n:,},"
        times = f"Half of {which} were closed within {estimated(half)}{tail}"
    return f"{times}. {'None is' if not still else '1 is' if still == 1 else f'{still:,} are'} open."


@answer
def slowest(times: pd.DataFrame) -> str:
    """Name the group that takes longest in what `periodkit.cycle_times` returned by group.

    Parameters
    ----------
    times : pandas.DataFrame
        One row per group, with ``n``, ``p90`` and its limits.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> minutes = lambda *values: pd.to_timedelta(values, unit="min")
    >>> times = pd.DataFrame({"channel": ["Bar", "Lift"], "n": 9, "p90": minutes(5, 30), "p90_low": minutes(4, 20),
    ...                       "p90_high": minutes(6, 40)})
    >>> slowest(times)
    'Lift takes longest: nine of ten within 30 min (20–40). The next is Bar: 5 min (4–6).'
    """
    if not times["n"].sum():
        return NOTHING
    large = times[times["n"] >= FEWEST]
    small = len(times) - len(large) if len(large) else 0
    times = large if len(large) else times
    early = [group_name(row) for row in rows_of(times[times["p90"].isna()])]
    ranked = rows_of(times.dropna(subset=["p90"]).sort_values("p90", ascending=False, kind="stable"))
    if not ranked:
        return f"Too few of {count(int(times['n'].sum()))} are closed to rank the groups."
    few = f"{count(small, 'group')} of fewer than {FEWEST} actions not ranked" if small else ""
    names = listed(early) if len(early) < 4 else f"{len(early)} groups"
    more = f"Too few actions are closed to rank {names}" if early else ""
    first = f"{group_name(ranked[0])} takes longest"
    within = f"nine of ten within {estimated(ranked[0], 'p90')}"
    if len(ranked) == 1:
        return sentences(f"{group_name(ranked[0])}: {within}", more, few)
    second = f"{group_name(ranked[1])}: {estimated(ranked[1], 'p90')}"
    if ranked[1]["p90_high"] < ranked[0]["p90_low"]:
        return sentences(f"{first}: {within}", f"The next is {second}", more, few)
    return sentences(f"{first}, {within}, but this is uncertain; the next is {second}", more, few)


@answer
def longest_stage(stages: pd.DataFrame) -> str:
    """Name the stage that takes the most time in what `periodkit.stage_quantiles` returned for all actions.

    Parameters
    ----------
    stages : pandas.DataFrame
        One row per stage, with ``n`` and ``p50``.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> p50 = pd.to_timedelta([1, 3, 8], unit="min")
    >>> longest_stage(pd.DataFrame({"stage": ["dispatch", "pickup", "work"], "n": 20, "p50": p50}))
    'Work takes the most time: half take over 8 min, against 1 min for dispatch and 3 min for pickup.'
    """
    if not stages["n"].sum():
        return NOTHING
    single = rows_of(stages[stages["stage"].isin(["dispatch", "pickup", "work"])].dropna(subset=["p50"]))
    if len(single) < 3:
        return "Too few actions have been through every stage to compare the stages."
    most = max(single, key=lambda row: row["p50"])
    others = listed(f"{format_value(row['p50'])} for {row['stage']}" for row in single if row != most)
    name = most["stage"].capitalize()
    return f"{name} takes the most time: half take over {format_value(most['p50'])}, against {others}."


@answer
def kept_target(share: pd.DataFrame, target: Span | Target) -> str:
    """Say how many were on time in what `periodkit.on_time` returned for all actions.

    Parameters
    ----------
    share : pandas.DataFrame
        One row, of all actions.
    target : str, timedelta or Target
        The target that they were held to.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> share = pd.DataFrame({"met": [30], "missed": [10], "undetermined": [2], "rate": [0.75], "low": [0.6],
    ...                       "high": [0.86], "worst": [0.714], "best": [0.762]})
    >>> kept_target(share, "20min")
    '75.0 % (60.0–86.0) of 40 actions were closed within 20 min. With 2 undecided, it is between 71.4 % and 76.2 % of all.'
    """
    row, promised = rows_of(share)[0], Target.read(target)
    decided, undecided = int(row["met"] + row["missed"]), int(row["undetermined"])
    if not decided:
        return f"No action can be judged against {promised} yet."
    rate = estimate(row["rate"], row["low"], row["high"])
    said = f"{rate} of {count(decided)} {was_or_were(decided)} closed within {promised}."
    if not undecided:
        return said
    ends = f"between {format_value(row['worst'])} and {format_value(row['best'])}"
    return f"{said} With {undecided:,} undecided, it is {ends} of all."


@answer
def completed_only(honest: pd.DataFrame, closed: pd.DataFrame) -> str:
    """Say how far off the median of the closed actions is, from two results of `periodkit.cycle_times`.

    Parameters
    ----------
    honest, closed : pandas.DataFrame
        By ``method="kaplan-meier"`` and by ``method="observed"``, of all actions.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> p50 = lambda value: pd.DataFrame({"n": [50], "open": [9], "p50": pd.to_timedelta([value], unit="min")})
    >>> completed_only(p50(12), p50(9))
    'With 9 open, the median of the closed actions is 9 min; counting the open ones it is 12 min.'
    """
    whole = rows_of(honest)[0]
    true, naive, still = whole["p50"], rows_of(closed)[0]["p50"], int(whole["open"])
    if not whole["n"]:
        return NOTHING
    if missing(naive):
        return "Too few actions are closed to give a median."
    if missing(true):
        return f"The median of the closed actions is {format_value(naive)}; too few are closed to give that of all."
    said = f"With {still:,} open, the median of the closed actions is"
    if format_value(true) == format_value(naive):
        return f"{said} the same as that of all: {format_value(true)}."
    return f"{said} {format_value(naive)}; counting the open ones it is {format_value(true)}."


@answer
def recorded(times: pd.DataFrame, stage: str = "response", quantile: str = "p90") -> str:
    """Return what is recorded of a stage and, if over 5 % of it is not, a bound for all.

    Parameters
    ----------
    times : pandas.DataFrame
        What `periodkit.metrics.with_bound` gives of all actions.
    stage, quantile : str
        The stage, and the column to read.

    Returns
    -------
    str
        One or two sentences of plain text.

    Examples
    --------
    >>> minutes = lambda value: pd.to_timedelta([value], unit="min")
    >>> times = pd.DataFrame({"n": [1500], "used": [1120], "all_used": [1406], "bound_shown": [True], "p90": minutes(12.4),
    ...                       "p90_low": minutes(11.8), "p90_high": minutes(13.1), "p90_at_most": minutes(18.5)})
    >>> recorded(times)
    'Response P90 is 12.4 min (11.8–13.1) of the 1,120 recorded; of all 1,406 at most 18.5 min, each unrecorded start \
taken at its closing.'
    """
    row = rows_of(times)[0]
    if not row["n"]:
        return NOTHING
    name = quantile.upper()
    if missing(row[quantile]):
        said = f"{stage.capitalize()} {name} is not reached by the {int(row['used']):,} recorded"
    else:
        value = estimated(row, quantile)
        said = f"{stage.capitalize()} {name} is {value} of the {int(row['used']):,} recorded"
    if not row["bound_shown"]:
        return f"{said}."
    most, taken = row[f"{quantile}_at_most"], "assignment" if stage == "dispatch" else "start"
    limit = "it is not reached" if missing(most) else f"at most {format_value(most)}"
    return f"{said}; of all {int(row['all_used']):,} {limit}, each unrecorded {taken} taken at its closing."
