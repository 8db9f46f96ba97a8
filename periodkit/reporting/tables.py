"""The tables of a report, each shown by one call in its notebook."""

from __future__ import annotations

import numpy as np
import pandas as pd

from periodkit import answers
from periodkit.jupyter import say
from periodkit.metrics import (
    LOWER_BOUND,
    ai_dispatch_rate,
    cycle_times,
    on_time,
    open_actions,
    quality,
    reroute_rate,
    stage_quantiles,
    with_bound,
    workload,
)
from periodkit.milestones import STAGES, stage_states
from periodkit.reporting.material import ReportData
from periodkit.reporting.page import show_table
from periodkit.wording import FEWEST, NULL, clean_label, count, duration, listed, named_groups, other

__all__ = [
    "bin_width",
    "show_busiest",
    "show_groups",
    "show_longest",
    "show_open",
    "show_people",
    "show_periods",
    "show_quality",
    "show_rates",
    "show_stages",
]

MOST_GROUPS = 60
"""The most rows of a table of groups, so that a page stays under 2 MB whatever is in the data."""

_SAID_BY = {"skipped_stage": ("assigned_time", "doing_time"), "ended_without_time": ("closed_time",)}
"""What a missing time means where a later one, or the status, is there."""

_BINS = ("5min", "15min", "30min", "1h", "3h", "6h", "12h", "1D", "7D", "28D")


def show_stages(material: ReportData) -> None:
    """Show how long each stage took."""
    frame = stage_quantiles(material.actions).set_index("stage").loc[list(STAGES)].reset_index()
    frame["stage"] = [
        f"{name}: {stage.start.removesuffix('_time')} to {stage.end.removesuffix('_time')}"
        for name, stage in STAGES.items()
    ]
    bounds = {stage: with_bound(material.actions, stage=stage) for stage in ("dispatch", "pickup", "response")}
    note = " ".join(answers.recorded(bound, stage) for stage, bound in bounds.items() if bound["bound_shown"].any())
    columns = _columns(frame, "stage", "used", "events", "open")
    show_table(frame[columns], "Stage times of the actions that began the stage", note)


def show_groups(material: ReportData, by: str) -> None:
    """Show times and the share on time of each group, the slowest first."""
    actions, order = _folded(material.actions, by)
    times = cycle_times(actions, by=by)
    share = on_time(actions, material.target.delta, by=by)
    made = f"within {material.target}"
    columns = {made: share["rate"], f"{made}_low": share["low"], f"{made}_high": share["high"]}
    frame = times[_columns(times, by, "n", "open")].assign(**columns)
    # One that is not reached is longer than its lower limit.
    least = frame["p90"].fillna(frame["p90_low"]).dt.total_seconds().fillna(np.inf).where(times["used"] > 0, -1.0)
    ranked = frame.assign(_last=frame[by].isin(order[1:]), _least=least)
    ranked = ranked.sort_values(["_last", "_least"], ascending=[True, False], kind="stable")
    show_table(ranked[frame.columns], f"Cycle times by {by.replace('_', ' ')}, and the share closed {made}", order[0])


def show_longest(material: ReportData, most: int = 10) -> None:
    """Show the closed actions that took longest."""
    states = stage_states(material.actions)
    closed = states["length"][states["state"] == "event"].sort_values(ascending=False, kind="stable")
    k = min(most, len(closed))
    which = (
        f"The {k} closed actions that took longest" if k > 1 else "The only closed action" if k else "Closed actions"
    )
    show_table(_single(material, closed.head(most)), which)


def show_open(material: ReportData, most: int = 20) -> None:
    """Show the actions that have been open longest, and how many more there are."""
    age = open_actions(material.actions)["age"]
    rest = age.iloc[most:]
    note = (
        f"And {len(rest):,} more, open for {duration(rest.iloc[-1])} to {duration(rest.iloc[0])}." if len(rest) else ""
    )
    which = f"Still open: {count(len(age))}" if len(age) else "Still open"
    show_table(_single(material, age.head(most), "age"), f"{which}, the {most} oldest" if len(rest) else which, note)


def show_people(material: ReportData, most: int = 20) -> None:
    """Show who was assigned the most actions, if people may be named."""
    if not material.names:
        say("People are not named in this report.", note=True)
        return
    still = stage_states(material.actions)["state"] == "open"
    people = pd.DataFrame({"person": material.actions["assigned_user_names"], "open": still}).explode("person")
    people = people.dropna(subset=["person"]).astype({"person": "str"})
    frame = people.groupby("person", as_index=False).agg(actions=("open", "size"), open=("open", "sum"))
    frame = frame.sort_values(["actions", "person"], ascending=[False, True], kind="stable")
    note = "" if len(frame) <= most else f"The first {most:,} of {len(frame):,} people."
    show_table(frame.head(most), "Actions by assigned person", note)


def show_quality(material: ReportData) -> None:
    """Show what is wrong with the records."""
    checks = quality(material.actions, material.periods)
    hits = checks.set_index("check")["count"].fillna(0)
    # A time that is missing though a later one is there is told of once, by what it means.
    told = [f"null_{time}" for check, times in _SAID_BY.items() if hits.get(check, 0) > 0 for time in times]
    checks = checks[~checks["check"].isin(told)]
    bad = checks.loc[checks["count"].fillna(0) > 0, ["check", "count", "of", "share", "examples", "meaning"]]
    fine = len(checks) - len(bad)
    bad = bad.sort_values("share", ascending=False, kind="stable").assign(
        check=bad["check"].str.replace("_", " "),
        examples=[listed(clean_label(key, 40) for key in keys) or NULL for keys in bad["examples"]],
    )
    show_table(bad, "Checks that found something", f"{count(fine, 'other check')} found nothing. Nothing was repaired.")


def bin_width(material: ReportData, most: int = 160) -> str:
    """Return the width of a bar at which the periods need at most so many bars."""
    load = material.actions["created_time"].dropna()
    span = [*load, *material.periods["start_date"].dropna(), *material.periods["end_date"].dropna()]
    long = (max(span) - min(span)) if span else pd.Timedelta(0)
    return next((width for width in _BINS if long <= most * pd.Timedelta(width)), _BINS[-1])


def show_busiest(material: ReportData, most: int = 5) -> None:
    """Show when most actions were created; by hours at most, because days depend on the zone."""
    freq = "30min" if len(material.periods) == 1 else "1h"
    load = workload(material.actions, freq)
    top = load[load["arrivals"] > 0].nlargest(most, "arrivals").sort_index()
    frame = pd.DataFrame(
        {
            f"from ({material.tz_name})": top["time"].dt.tz_convert(material.tz),
            "created": top["arrivals"],
            "ended": top["departures"],
            "most at once": top["in_progress_max"],
        }
    )
    show_table(frame, f"Busiest {'half-hours' if freq == '30min' else 'hours'}")


def show_rates(material: ReportData, by: str) -> None:
    """Show the AI-dispatch rate and the re-route rate of each group."""
    actions, order = _folded(material.actions, by)
    frame, moved = ai_dispatch_rate(actions, by=by), reroute_rate(actions, by=by)
    place = np.argsort(frame[by].isin(order[1:]).to_numpy(), kind="stable")
    frame = pd.concat([frame.iloc[place], ai_dispatch_rate(actions).assign(**{by: "all"})])
    moved = pd.concat([moved.iloc[place], reroute_rate(actions)])
    names = {"rate": "AI-dispatched", "low": "AI-dispatched_low", "high": "AI-dispatched_high"}
    frame = frame[[by, "n", "ai", "not_ai", "unknown", "rate", "low", "high"]].rename(columns=names)
    for side, column in (("rate", "re-routed"), ("low", "re-routed_low"), ("high", "re-routed_high")):
        frame[column] = moved[side].to_numpy()
    show_table(
        frame,
        f"AI dispatch and re-routing by first {by}" if by == "channel" else f"By {by}",
        " ".join(filter(None, [LOWER_BOUND, order[0]])),
    )


def show_periods(material: ReportData) -> None:
    """Show one row for each period: volume, times, the share on time, AI dispatch."""
    periods = material.periods
    frame = pd.DataFrame(
        {
            "period": [
                clean_label(name, 60) if isinstance(name, str) else "not given" for name in periods["period_name"]
            ],
            "period_id": periods["period_id"],
            "date": periods["start_date"].dt.tz_convert(material.tz).dt.strftime("%Y-%m-%d"),
        }
    )
    times = cycle_times(material.actions, by="period_id")
    frame = frame.merge(times[_columns(times, "period_id", "n", "open")], on="period_id", how="left")
    for rate, name in (
        (on_time(material.actions, material.target.delta, by="period_id"), f"within {material.target}"),
        (ai_dispatch_rate(material.actions, by="period_id"), "AI-dispatched"),
    ):
        part = rate[["period_id", "rate", "low", "high"]]
        part = part.rename(columns={"rate": name, "low": f"{name}_low", "high": f"{name}_high"})
        frame = frame.merge(part, on="period_id", how="left")
    frame[["n", "open"]] = frame[["n", "open"]].fillna(0).astype("int64")
    show_table(frame, f"{count(len(frame), 'period')} in order of time")


def _columns(frame: pd.DataFrame, *first: str) -> list[str]:
    return [*first, *(name for name in frame.columns if str(name).startswith("p") and str(name)[1:2].isdigit())]


def _folded(actions: pd.DataFrame, by: str) -> tuple[pd.DataFrame, list[str]]:
    """Return the actions with the small groups as one; a note on these, and the name that they have, if any."""
    values = actions[by].astype("object").where(actions[by].notna(), "not given").astype("str")
    sizes = values.value_counts(sort=False)
    kept = named_groups(sizes.tolist(), MOST_GROUPS)
    more = len(sizes) - len(kept)
    if not more:
        return actions.assign(**{by: values}), [""]
    name = other(more)
    note = f"{name}: the groups of fewer than {FEWEST} actions" + (
        " and the smallest others." if len(kept) + 1 == MOST_GROUPS else "."
    )
    return actions.assign(**{by: values.where(values.isin(sizes.index[kept]), name)}), [note, name]


def _single(material: ReportData, times: pd.Series, time: str = "cycle") -> pd.DataFrame:
    """Return the columns to show of single actions; people only if they may be named."""
    rows = material.actions.loc[times.index]
    created = pd.to_datetime(rows["created_time"], utc=True).dt.tz_convert(material.tz)
    columns: dict[str, object] = {"action_id": rows["action_id"]}
    if len(material.periods) > 1:
        columns["period_id"] = rows["period_id"]
    columns |= {
        time: times,
        f"created ({material.tz_name})": created,
        "classification": rows["classification"],
        "sub-classification": rows["sub_classification"],
        "channel": rows["latest_channel"].where(rows["latest_channel"].notna(), rows["channel"]),
        "status": rows["status"],
    }
    if material.names:
        columns["assigned to"] = [
            (listed(clean_label(person, 60) for person in people) or None) if isinstance(people, list) else None
            for people in rows["assigned_user_names"]
        ]
    return pd.DataFrame(columns)
