"""The tables of a report, each shown in a notebook by one call on its material."""

from __future__ import annotations

import pandas as pd

from periodkit._arguments import as_micros
from periodkit.metrics import (
    LOWER_BOUND,
    ai_dispatch_rate,
    cycle_times,
    on_time,
    open_actions,
    quality,
    reroute_rate,
    stage_quantiles,
    workload,
)
from periodkit.milestones import STAGES, stage_states
from periodkit.reporting.material import Material
from periodkit.reporting.page import show_sentence, show_table
from periodkit.wording import NULL, count, exact, listed, plain

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

MOST_ROWS = 400
"""A table of single actions has at most so many rows, and says so: a page stays under 2 MB whatever is in the data."""

MOST_GROUPS = 60
"""A table of groups has at most so many rows, the largest, and says so."""

_BINS = ("5min", "15min", "30min", "1h", "3h", "6h", "12h", "1D", "7D", "28D")


def show_stages(found: Material) -> None:
    """Show how long each stage took."""
    frame = stage_quantiles(found.actions).set_index("stage").loc[list(STAGES)].reset_index()
    frame["stage"] = [
        f"{name}: {stage.start.removesuffix('_time')} to {stage.end.removesuffix('_time')}"
        for name, stage in STAGES.items()
    ]
    show_table(
        frame[_columns(frame, "stage", "used", "events", "open")], "Stage times, of the actions that began the stage"
    )


def show_groups(found: Material, by: str) -> None:
    """Show times and the share on time of each group."""
    times = cycle_times(found.actions, by=by)
    promised = exact(as_micros(found.target, "target") / 1e6)
    share = on_time(found.actions, found.target, by=by)
    kept, note = _largest(times)
    frame = times[_columns(times, by, "n", "open")].assign(rate=share["rate"], low=share["low"], high=share["high"])
    made = f"within {promised}"
    frame = _named(frame[kept], by).rename(columns={"rate": made, "low": f"{made}_low", "high": f"{made}_high"})
    show_table(frame, f"Cycle times by {by.replace('_', ' ')}, and the share closed {made}", note)


def show_longest(found: Material, most: int = 10) -> None:
    """Show the actions that took the longest from created to closed, by id."""
    states = stage_states(found.actions)
    closed = states["length"][states["state"] == "event"].sort_values(ascending=False, kind="stable")
    k = min(most, len(closed))
    which = f"The {k} longest that were closed" if k > 1 else "The only one that was closed" if k else "Closed"
    show_table(_single(found, closed.head(most)), which)


def show_open(found: Material) -> None:
    """Show all actions that were still open, the oldest first, by id."""
    age = open_actions(found.actions)["age"]
    note = "" if len(age) <= MOST_ROWS else f"The oldest {MOST_ROWS:,} of {len(age):,} are shown."
    show_table(
        _single(found, age.head(MOST_ROWS), "age"), f"Still open: {count(len(age))}" if len(age) else "Still open", note
    )


def show_people(found: Material, most: int = 20) -> None:
    """Show who was assigned the most actions, if people may be named."""
    if not found.names:
        show_sentence("People are not named in this report.", "note")
        return
    still = stage_states(found.actions)["state"] == "open"
    each = pd.DataFrame({"person": found.actions["assigned_user_names"], "open": still}).explode("person")
    each = each.dropna(subset=["person"]).astype({"person": "str"})
    frame = each.groupby("person", as_index=False).agg(actions=("open", "size"), open=("open", "sum"))
    frame = frame.sort_values(["actions", "person"], ascending=[False, True], kind="stable")
    note = "" if len(frame) <= most else f"The first {most:,} of {len(frame):,} people."
    show_table(frame.head(most), "Actions by the person they were assigned to", note)


def show_quality(found: Material) -> None:
    """Show what is wrong with the records."""
    checks = quality(found.actions, found.periods)
    bad = checks.loc[checks["count"].fillna(0) > 0, ["check", "count", "of", "share", "examples", "meaning"]]
    bad = bad.assign(
        check=bad["check"].str.replace("_", " "),
        examples=[listed([plain(one, 40) for one in each]) or NULL for each in bad["examples"]],
    )
    fine = len(checks) - len(bad)
    show_table(bad, "Checks that found something", f"{count(fine, 'check')} found nothing. Nothing was repaired.")


def bin_width(found: Material, most: int = 160) -> str:
    """Return the width of a bar such that the periods take few enough of them."""
    load = found.actions["created_time"].dropna()
    span = [*load, *found.periods["start_date"].dropna(), *found.periods["end_date"].dropna()]
    long = (max(span) - min(span)) if span else pd.Timedelta(0)
    return next((each for each in _BINS if long <= most * pd.Timedelta(each)), _BINS[-1])


def show_busiest(found: Material, most: int = 5) -> None:
    """Show when the most work came in; by hours at most, because days begin at another time in each zone."""
    freq = "30min" if len(found.periods) == 1 else "1h"
    load = workload(found.actions, freq)
    top = load[load["arrivals"] > 0].nlargest(most, "arrivals").sort_index()
    frame = pd.DataFrame(
        {
            f"from ({found.tz_name})": top["time"].dt.tz_convert(found.tz),
            "came": top["arrivals"],
            "went": top["departures"],
            "most at once": top["in_progress_max"],
        }
    )
    show_table(frame, f"When the most came, by {'half-hours' if freq == '30min' else 'hours'}")


def show_rates(found: Material, by: str) -> None:
    """Show how much of each group AI dispatched, and how much was re-routed."""
    frame, moved = ai_dispatch_rate(found.actions, by=by), reroute_rate(found.actions, by=by)
    kept, note = _largest(frame)
    frame = pd.concat([frame[kept], ai_dispatch_rate(found.actions).assign(**{by: "all"})])
    moved = pd.concat([moved[kept], reroute_rate(found.actions)])
    names = {"rate": "AI-dispatched", "low": "AI-dispatched_low", "high": "AI-dispatched_high", "not_ai": "by people"}
    frame = _named(frame, by)[[by, "n", "ai", "not_ai", "unknown", "rate", "low", "high"]].rename(columns=names)
    for side, column in (("rate", "re-routed"), ("low", "re-routed_low"), ("high", "re-routed_high")):
        frame[column] = moved[side].to_numpy()
    show_table(
        frame,
        f"AI dispatch and re-routing by first {by}" if by == "channel" else f"By {by}",
        " ".join(filter(None, [LOWER_BOUND, note])),
    )


def show_periods(found: Material) -> None:
    """Show one row for each period: volume, times, the share on time, AI dispatch."""
    promised = exact(as_micros(found.target, "target") / 1e6)
    periods = found.periods
    frame = pd.DataFrame(
        {
            "period": [plain(each, 60) if isinstance(each, str) else "not given" for each in periods["period_name"]],
            "period_id": periods["period_id"],
            "date": periods["start_date"].dt.tz_convert(found.tz).dt.strftime("%Y-%m-%d"),
        }
    )
    times = cycle_times(found.actions, by="period_id")
    frame = frame.merge(times[_columns(times, "period_id", "n", "open")], on="period_id", how="left")
    for rate, name in (
        (on_time(found.actions, found.target, by="period_id"), f"within {promised}"),
        (ai_dispatch_rate(found.actions, by="period_id"), "AI-dispatched"),
    ):
        part = rate[["period_id", "rate", "low", "high"]]
        part = part.rename(columns={"rate": name, "low": f"{name}_low", "high": f"{name}_high"})
        frame = frame.merge(part, on="period_id", how="left")
    frame[["n", "open"]] = frame[["n", "open"]].fillna(0).astype("int64")
    show_table(frame, f"{count(len(frame), 'period')}, in the order of time")


def _columns(frame: pd.DataFrame, *first: str) -> list[str]:
    return [*first, *(name for name in frame.columns if str(name).startswith("p") and str(name)[1:2].isdigit())]


def _largest(frame: pd.DataFrame) -> tuple[pd.Series, str]:
    """Return which groups to show, and what to say of the others."""
    kept = frame["n"].rank(method="first", ascending=False) <= MOST_GROUPS
    more = len(frame) - int(kept.sum())
    return kept, f"{count(more, 'smaller group')} not shown." if more else ""


def _named(frame: pd.DataFrame, by: str) -> pd.DataFrame:
    return frame.assign(**{by: frame[by].astype("object").where(frame[by].notna(), "not given").astype("str")})


def _single(found: Material, times: pd.Series, time: str = "cycle") -> pd.DataFrame:
    """Return rows of single actions, as far as they may be shown."""
    rows = found.actions.loc[times.index]
    created = pd.to_datetime(rows["created_time"], utc=True).dt.tz_convert(found.tz)
    columns: dict[str, object] = {"action_id": rows["action_id"]}
    if len(found.periods) > 1:
        columns["period_id"] = rows["period_id"]
    columns |= {
        time: times,
        f"created ({found.tz_name})": created,
        "classification": rows["classification"],
        "sub-classification": rows["sub_classification"],
        "channel": rows["latest_channel"].where(rows["latest_channel"].notna(), rows["channel"]),
        "status": rows["status"],
    }
    if found.names:
        columns["assigned to"] = [
            (listed([plain(one, 60) for one in each]) or None) if isinstance(each, list) else None
            for each in rows["assigned_user_names"]
        ]
    return pd.DataFrame(columns)
