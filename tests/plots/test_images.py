"""How the pictures look. Words are taken off first, so that another version of FreeType draws the same.

Each example of the gallery is drawn here with the same evening for ever, and each plot of something odd as well.
``python tests/plots/test_images.py`` draws the baselines anew.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text

import periodkit as pk

sys.path.append(str(Path(__file__).resolve().parents[2] / "docs" / "tools"))
from gallery_examples import examples

BASELINE = Path(__file__).parent / "baseline"
TOLERANCE = 4.0


def make_frames():
    """One evening, the same for ever: no random numbers, whose streams change between versions."""
    start = pd.Timestamp("2024-07-01T18:00Z").as_unit("us")
    at = np.arange(160)
    created = start + pd.to_timedelta(at * 83 + (at * 7919) % 211, unit="s").as_unit("us")
    waits = [30 + (at * 104729) % 240, 60 + (at * 1299709) % 500, 120 + (at * 15485863) % 2600]
    times = [created]
    for wait in waits:
        times.append(times[-1] + pd.to_timedelta(wait, unit="s").as_unit("us"))
    seen = start + pd.Timedelta("3h30min")
    assigned, doing, closed = (pd.Series(each).where(pd.Series(each) <= seen) for each in times[1:])
    kinds = np.array(["Cleaning", "Medical", "Guest Services", "Security"])
    actions = pd.DataFrame(
        {
            "period_id": 7,
            "period_name": [f"Match {each}" for each in at // 20],
            "action_id": 1000 + at,
            "classification": kinds[at % 4],
            "status": np.where(
                (at % 17 == 3) & closed.notna(), "canceled", np.where(closed.notna(), "closed", "doing")
            ),
            "created_time": created,
            "assigned_time": assigned,
            "doing_time": doing,
            "closed_time": closed,
            "channel": kinds[at % 4],
            "latest_channel": np.where(at % 9 == 4, kinds[(at + 1) % 4], kinds[at % 4]),
            "ai_dispatched": pd.array(
                [None if each % 23 == 5 else (each * 7) % 10 < each // 20 for each in at], dtype="boolean"
            ),
            "fetched_at": seen,
        }
    )
    marks = [
        {"name": name, "timestamp": f"2024-07-01T{hour}:00.000Z"}
        for name, hour in (("Doors", "18:30"), ("Kick-off", "19:45"), ("Half-time", "20:30"))
    ]
    periods = pd.DataFrame(
        {
            "period_id": [7],
            "start_date": [start],
            "end_date": [start + pd.Timedelta("5h")],
            "markers": [marks],
        }
    )
    return actions, periods


def all_open(actions):
    never = pd.Series(pd.NaT, index=actions.index, dtype="datetime64[us, UTC]")
    nulls = dict.fromkeys(("assigned_time", "doing_time", "closed_time"), never)
    return actions.assign(**nulls, status="open")


def many_kinds(actions):
    kinds = [f"A kind of thing that has a long name, number {at % 40}" for at in range(len(actions))]
    return actions.assign(classification=kinds, channel=kinds, latest_channel=kinds[::-1])


def eight_periods(actions):
    split = actions.assign(period_id=np.arange(len(actions)) // 20)
    periods = split.groupby("period_id", as_index=False)["period_name"].first()
    days = pd.to_timedelta(7 * np.arange(len(periods)), unit="D")
    return split, periods.assign(start_date=pd.Timestamp("2024-11-30T19:00Z") + days)


def small():
    return plt.subplots(figsize=(4.5, 3), dpi=110)[1]


def nights(actions, periods):
    """Fourteen nights like this one: each thinner in its own way, and the last three times as slow in one channel."""
    parts, rows = [], []
    for number in range(14):
        shift = pd.Timedelta(days=7 * number)
        part = actions[(actions["action_id"] * 31 + 17 * number) % 23 < 18 - number % 4].assign(
            period_id=number, period_name=f"Match {number}"
        )
        times = [name for name in part.columns if name.endswith("_time")] + ["fetched_at"]
        part[times] = part[times] + shift
        part["fetched_at"] += pd.Timedelta("6h")
        part["closed_time"] = part["closed_time"].fillna(part["fetched_at"] - pd.Timedelta("4h"))
        stretch = 3 * (number == 13) * (part["channel"] == "Cleaning") + 0.1 * ((number * 7) % 4)
        part["closed_time"] += (part["closed_time"] - part["created_time"]) * stretch
        parts.append(part)
        own = periods.assign(period_id=number, period_name=f"Match {number}")
        own[["start_date", "end_date"]] += shift
        own["fetched_at"] = own["end_date"] + pd.Timedelta("6h")
        marks = [
            mark | {"timestamp": (pd.Timestamp(mark["timestamp"]) + shift).isoformat()}
            for mark in periods["markers"].iloc[0]
        ]
        rows.append(own.assign(markers=[marks]))
    return pd.concat(parts, ignore_index=True), pd.concat(rows, ignore_index=True)


def with_a_later_one(actions, periods):
    split, known = nights(actions, periods)
    return split, pd.concat([known, known.tail(1).assign(period_id=99)], ignore_index=True)


# What an example is drawn of, where one evening is not enough.
FRAMES = {
    "marker_profile": nights,
    "season_chart": nights,
    "times_by_period": lambda actions, periods: eight_periods(actions),
    "unusual_forest": with_a_later_one,
}


def plain(example, change=lambda actions: actions):
    """Return what draws the picture of an example, with a change to the actions."""

    def draw(actions, periods):
        return example.draw(*FRAMES.get(example.name, lambda *both: both)(change(actions), periods))

    return draw


# Odd frames, and small Axes. A plot that is not here is drawn of an evening of which nothing has ended.
ODD = {
    "aging_many": lambda a, p: pk.plots.aging(a, target="30min", max_labels=2),
    "ai_forest_many": lambda a, p: pk.plots.ai_forest(many_kinds(a), measure="p50"),
    "ai_funnel_small": lambda a, p: pk.plots.ai_funnel(a, target="60min", ax=small()),
    "cumulative_flow_open": lambda a, p: pk.plots.cumulative_flow(all_open(a), p),
    "cycle_scatter_open": lambda a, p: pk.plots.cycle_scatter(all_open(a), p, target="20min", ax=small()),
    "cycle_time_ecdf_many": lambda a, p: pk.plots.cycle_time_ecdf(many_kinds(a), by="classification", ax=small()),
    "dispatch_rate_many": lambda a, p: pk.plots.dispatch_rate(many_kinds(a), by="channel"),
    "event_ribbon_running": lambda a, p: pk.plots.event_ribbon(a, p, as_of="2024-07-01T19:30Z"),
    "outcome_areas_open": lambda a, p: pk.plots.outcome_areas(all_open(a), target="15min", ax=small()),
    "p90_forest_many": lambda a, p: pk.plots.p90_forest(many_kinds(a), target="30min"),
    "routing_matrix_many": lambda a, p: pk.plots.routing_matrix(many_kinds(a), ax=small()),
    "backlog_open": lambda a, p: pk.plots.backlog(all_open(a), p, ax=small()),
    "dispatch_rate_periods": lambda a, p: pk.plots.dispatch_rate(
        a.assign(period_id=np.arange(len(a)) // 20), by="period_name"
    ),
    "marker_profile_one": lambda a, p: pk.plots.marker_profile(*nights(a, p), marker="Kick-off", ax=small()),
    "times_by_period_small": lambda a, p: pk.plots.times_by_period(*eight_periods(a), ax=small()),
    "season_chart_groups": lambda a, p: pk.plots.season_chart(
        *nights(a, p), "p50", by="channel", baseline=5, rebase="Match 6"
    ),
    "unusual_forest_few": lambda a, p: pk.plots.unusual_forest(*nights(a, p), by=[None], max_rows=2, ax=small()),
}
PICTURES = {each.name: plain(each) for each in examples()} | ODD
for each in examples():
    if not any(name.startswith(f"{each.name}_") for name in ODD):
        PICTURES[f"{each.name}_open"] = plain(each, all_open)


def save(name, folder):
    ax = PICTURES[name](*make_frames())
    figure = ax.figure
    # The size of a key is that of its words.
    if ax.get_legend() is not None:
        ax.get_legend().remove()
    for text in figure.findobj(Text):
        text.set_visible(False)
    figure.set_layout_engine("none")
    ax.set_position((0.04, 0.06, 0.92, 0.88))
    path = folder / f"{name}.png"
    figure.savefig(path, dpi=50, metadata={"Software": None})
    plt.close(figure)
    return path


@pytest.mark.parametrize("name", PICTURES)
def test_looks_as_it_did(name, tmp_path):
    drawn = save(name, tmp_path)
    assert (BASELINE / drawn.name).stat().st_size < 30_000
    assert compare_images(str(BASELINE / drawn.name), str(drawn), tol=TOLERANCE) is None


def test_the_comparison_sees_a_difference(tmp_path):
    drawn = save("cumulative_flow", tmp_path)
    assert compare_images(str(BASELINE / "event_ribbon.png"), str(drawn), tol=TOLERANCE) is not None


def test_every_picture_has_a_baseline_and_no_other_is_kept():
    assert {path.stem for path in BASELINE.glob("*.png")} == set(PICTURES)
    drawn = {name for name in pk.plots.__all__ if name not in ("alt_text", "display", "to_png")}
    assert drawn <= set(PICTURES)
    assert all(any(name.startswith(f"{each}_") for name in PICTURES) for each in drawn)


if __name__ == "__main__":
    BASELINE.mkdir(exist_ok=True)
    for each in PICTURES:
        save(each, BASELINE)
