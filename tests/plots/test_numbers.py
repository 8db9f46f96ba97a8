"""What was drawn is what the metrics say."""

import matplotlib.dates as mdates
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.patches import StepPatch

import periodkit as pk
from periodkit.wording import duration

MINUTE = pd.Timedelta(minutes=1)


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def frames(season_frames):
    periods, actions = season_frames
    last = periods["period_id"].iloc[-1]
    return periods, actions[actions["period_id"] == last].reset_index(drop=True)


@pytest.fixture(scope="module")
def actions(frames):
    return frames[1]


def seconds(values):
    return (values / pd.Timedelta(seconds=1)).to_numpy(dtype=float)


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_curve_is_one_minus_kaplan_meier(actions):
    # Where nothing is canceled the incidence of closing is one minus the Kaplan-Meier curve.
    kept = actions[~actions["status"].isin(["canceled", "cancelled"])]
    curve = pk.outcome_curve(kept)
    ax = pk.plots.cycle_time_ecdf(kept)
    drawn = next(line for line in ax.get_lines() if line.get_drawstyle() == "steps-post").get_xydata()
    place = np.searchsorted(drawn[:, 0], seconds(curve["time"]), side="right") - 1
    np.testing.assert_allclose(drawn[place, 1], curve["closed"], atol=1e-12)
    assert drawn[-1, 0] == pytest.approx(seconds(curve["time"]).max(), abs=0.001)


@pytest.mark.parametrize("stage", ["cycle", "response"])
def test_curve_marks_the_quantiles_of_cycle_times(actions, stage):
    found = pk.cycle_times(actions, by="ai_dispatched", stage=stage)
    ax = pk.plots.cycle_time_ecdf(actions, by="ai_dispatched", stage=stage)
    points = {tuple(line.get_xydata()[0]) for line in ax.get_lines() if len(line.get_xdata()) == 1}
    bars = [line.get_xydata() for line in ax.get_lines() if len(line.get_xdata()) == 2]
    for _, row in found.iterrows():
        for share, name in ((0.5, "p50"), (0.9, "p90")):
            if pd.notna(row[name]):
                assert (row[name] / pd.Timedelta(seconds=1), share) in points
            ends = [row[f"{name}_low"] / pd.Timedelta(seconds=1), row[f"{name}_high"] / pd.Timedelta(seconds=1)]
            if not np.isnan(ends).any():
                assert any(np.array_equal(bar, [[ends[0], share], [ends[1], share]]) for bar in bars)
    words = pk.plots.alt_text(ax)
    assert all(duration(value) in words for value in found["p50"].dropna())
    assert all(f"n {used:,}" in words for used in found["used"])


@pytest.mark.parametrize("of", ["known", "assigned", "all"])
def test_rates_and_their_intervals(actions, of):
    found = pk.ai_dispatch_rate(actions, by="channel", of=of).sort_values("rate", ascending=False)
    ax = pk.plots.dispatch_rate(actions, by="channel", of=of)
    points = next(line for line in ax.get_lines() if line.get_marker() == "o")
    np.testing.assert_allclose(points.get_xdata(), found["rate"])
    bars = next(each for each in ax.collections if isinstance(each, LineCollection)).get_segments()
    np.testing.assert_allclose([bar[:, 0] for bar in bars], found[["low", "high"]])
    assert [text.get_text().replace("\n", " ") for text in ax.get_yticklabels()] == found["channel"].tolist()
    assert all(f"{100 * rate:.1f} %" in pk.plots.alt_text(ax) for rate in found["rate"])


def test_rates_over_periods_stand_in_order_of_time(season_frames):
    periods, actions = season_frames
    found = pk.ai_dispatch_rate(actions, by="period_name").set_index("period_name")
    ax = pk.plots.dispatch_rate(actions, by="period_name")
    points = next(line for line in ax.get_lines() if line.get_marker() == "o")
    in_time = periods.sort_values("start_date")["period_name"]
    np.testing.assert_allclose(points.get_ydata(), found.loc[in_time, "rate"])
    bars = next(each for each in ax.collections if isinstance(each, LineCollection)).get_segments()
    np.testing.assert_allclose([bar[:, 1] for bar in bars], found.loc[in_time, ["low", "high"]])


@pytest.mark.parametrize("by", ["period_name", "period_id", ["period_id", "period_name"]])
def test_periods_of_one_name_stay_apart(season_frames, by):
    _, actions = season_frames
    first, second, third = (actions[actions["period_id"] == each] for each in (4101, 4104, 4107))
    nameless = third.assign(period_name=pd.Series(None, index=third.index, dtype="str"))
    both = pd.concat([second.assign(period_name="Derby"), first.assign(period_name="Derby"), nameless])
    found = pk.ai_dispatch_rate(both, by="period_id")
    for frame in (both, pa.Table.from_pandas(both[["period_id", "period_name", "created_time", "ai_dispatched"]])):
        ax = pk.plots.dispatch_rate(frame, by=by)
        points = next(line for line in ax.get_lines() if line.get_marker() == "o")
        np.testing.assert_allclose(points.get_ydata(), found["rate"])
        words = pk.plots.alt_text(ax)
        assert all(
            f"{name} {100 * rate:.1f} %" in words
            for name, rate in zip(("Derby (4101)", "Derby (4104)", "period 4107"), found["rate"], strict=True)
        )
        assert ax.get_xlabel() == "date of each period (UTC)"
        plt.close("all")
    renamed = pd.concat([first, first.assign(period_name="Derby")])
    assert len(pk.plots.p90_forest(renamed, by=by).get_yticks()) == 1


def test_bands_stand_where_they_can_be_told_apart(actions):
    kinds = sorted(actions["classification"].dropna().unique())
    for n, bands in ((1, 1), (3, 3), (4, 0), (6, 0)):
        ax = pk.plots.cycle_time_ecdf(actions[actions["classification"].isin(kinds[:n])], by="classification")
        assert len([each for each in ax.collections if isinstance(each, PolyCollection)]) == bands
        # The intervals of P50 and P90 are there in any case.
        assert sum(len(line.get_xdata()) == 2 and line.get_linewidth() == 3 for line in ax.get_lines()) == 2 * n
        plt.close("all")


def test_ribbon_shows_the_workload(frames):
    periods, actions = frames
    found = pk.workload(actions, "10min")
    ax = pk.plots.event_ribbon(actions, periods, freq="10min")
    up, down = (each.get_data() for each in ax.patches if isinstance(each, StepPatch))
    n = len(found)
    np.testing.assert_array_equal(np.asarray(up.values)[:n], found["arrivals"])
    np.testing.assert_array_equal(-np.asarray(down.values)[:n], found["departures"])
    np.testing.assert_allclose(up.edges[:n], mdates.date2num(found["time"].dt.tz_localize(None).to_numpy()))
    line = lines(ax)["in progress"]
    np.testing.assert_array_equal(line.get_ydata()[:n], found["in_progress"])
    assert up.edges[-1] <= mdates.date2num(actions["fetched_at"].max() + pd.Timedelta("10min"))
    assert f"Up to {found['in_progress_max'].max():,} of" in pk.plots.alt_text(ax)
    names = {text.get_text() for text in ax.texts}
    marked = pk.markers(periods[periods["period_id"].isin(actions["period_id"])])["marker"]
    assert set(marked) <= names


def test_ribbon_replays_a_moment(frames):
    periods, actions = frames
    moment = pd.Timestamp("2025-05-17T14:00Z")
    found = pk.workload(actions, as_of=moment)
    ax = pk.plots.event_ribbon(actions, periods, as_of=moment)
    up = next(each.get_data() for each in ax.patches if isinstance(each, StepPatch))
    assert np.sum(up.values) == found["arrivals"].sum()
    assert any(text.get_text() == "not known yet" for text in ax.texts)


def test_areas_are_the_outcome_curve(actions):
    found = pk.outcome_curve(actions)
    ax = pk.plots.outcome_areas(actions, target="15min")
    areas = {each.get_label(): each for each in ax.collections}
    floor = np.zeros(len(found))
    for share in ("closed", "canceled", "open"):
        top = floor + found[share].to_numpy()
        vertices = {(round(x, 6), round(y, 9)) for x, y in areas[share].get_paths()[0].vertices}
        wanted = {(round(x, 6), round(y, 9)) for x, y in zip(seconds(found["time"]), top, strict=True)}
        assert wanted <= vertices
        floor = top
    at = pk.outcome_curve(actions, times=["15min"]).iloc[0]
    words = pk.plots.alt_text(ax)
    for share in ("closed", "canceled", "open"):
        assert f"{100 * at[share]:.1f} %" in words
    assert f"{at['at_risk']:,} had lasted that long" in words


def test_areas_say_how_many_lasted_that_long(actions):
    ax = pk.plots.outcome_areas(actions)
    asked = [pd.Timedelta(seconds=float(each)) for each in ax.get_xticks()]
    at_risk = pk.outcome_curve(actions, times=asked)["at_risk"]
    said = [text.get_text().split("\n")[1] for text in ax.get_xticklabels()]
    assert said == [f"{each:,}" for each in at_risk]


def test_flow_agrees_with_the_workload(actions):
    found = pk.workload(actions)
    ax = pk.plots.cumulative_flow(actions)
    ends = mdates.date2num((found["time"] + pd.Timedelta("5min")).dt.tz_localize(None).to_numpy())
    for name, change in (("created", "arrivals"), ("closed", "departures")):
        line = lines(ax)[name]
        # A bin holds its start and not its end.
        place = np.searchsorted(line.get_xdata(), ends - 1e-9, side="right") - 1
        np.testing.assert_array_equal(line.get_ydata()[place], found[change].cumsum())
    heights = np.array([lines(ax)[name].get_ydata() for name in ("created", "assigned", "begun", "closed")])
    assert (np.diff(heights, axis=0) <= 0).all()
    times = pk.stage_times(actions)
    assert f"{(times['outcome'] == 'open').sum():,} of" in pk.plots.alt_text(ax)


def test_scatter_shows_each_action_once(actions):
    times = pk.stage_times(actions)
    ax = pk.plots.cycle_scatter(actions, target="15min")
    drawn = lines(ax)
    ai = actions["ai_dispatched"]
    for name, rows in (
        ("AI-dispatched", ai.fillna(False)),
        ("not AI-dispatched", ~ai.fillna(True)),
        ("dispatch unknown", ai.isna()),
    ):
        wanted = times.loc[rows.astype(bool) & (times["outcome"] == "closed"), "cycle"].dropna()
        if wanted.empty:
            continue
        np.testing.assert_allclose(np.sort(drawn[name].get_ydata()), np.sort(seconds(wanted)))
    still = times["outcome"] == "open"
    age = seconds((actions["fetched_at"] - actions["created_time"])[still])
    np.testing.assert_allclose(np.sort(drawn["open"].get_ydata()), np.sort(age))
    assert drawn["open"].get_marker() == "^"
    late = int((seconds(times.loc[times["outcome"] == "closed", "cycle"]) > 900).sum() + (age > 900).sum())
    assert f"{late:,} of" in ax.get_title(loc="left")


def test_forest_shows_p90_with_its_interval(season_frames):
    _, actions = season_frames
    found = pk.cycle_times(actions, by="classification").sort_values("p90", ascending=False)
    ax = pk.plots.p90_forest(actions, by="classification", target="45min")
    p50, p90 = (line for line in ax.get_lines() if line.get_marker() == "o")
    np.testing.assert_allclose(p90.get_xdata(), seconds(found["p90"]))
    np.testing.assert_allclose(p50.get_xdata(), seconds(found["p50"]))
    bars = next(each for each in ax.collections if isinstance(each, LineCollection)).get_segments()
    np.testing.assert_allclose([bar[0, 0] for bar in bars], seconds(found["p90_low"]))
    np.testing.assert_allclose([bar[1, 0] for bar in bars], seconds(found["p90_high"]))
    over = (found["p90_low"] > pd.Timedelta("45min")).sum()
    within = (found["p90_high"] <= pd.Timedelta("45min")).sum()
    assert f"target in {over} of {len(found)} groups" in ax.get_title(loc="left")
    unsure = len(found) - over - within
    assert (f"not certain in {unsure}" in ax.get_title(loc="left")) == bool(unsure)
    assert all(f"P90 {duration(value)}" in pk.plots.alt_text(ax) for value in found["p90"])


def test_forest_draws_what_was_not_reached_as_an_arrow(actions):
    found = pk.cycle_times(actions, by="classification")
    endless = found["p90_low"].notna() & found["p90_high"].isna()
    assert endless.any()
    ax = pk.plots.p90_forest(actions, by="classification")
    arrows = next(line for line in ax.get_lines() if line.get_marker() == ">")
    assert len(arrows.get_xdata()) == endless.sum()
    assert set(arrows.get_xdata()) == {ax.get_xlim()[1]}


def test_forest_ranks_what_was_not_reached_by_where_it_begins_and_counts_it_as_over_where_it_surely_is():
    # Three hours after all were created: of A most are open, of C all, and B took up to 24 minutes.
    never = [np.inf] * 25
    few = made({"A": [5, 6, 7, *never], "B": np.repeat(np.arange(0, 25), 20), "C": never}, seen="2024-07-01T22:00Z")
    ax = pk.plots.p90_forest(few, by="group", target="30min")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["A", "C", "B"]
    assert ax.get_title(loc="left").replace("\n", " ") == ("P90 cycle time is over the 30 min target in 2 of 3 groups")
    assert sum("over 180 min" in text.get_text() for text in ax.texts) == 2
    longer = pk.plots.p90_forest(few, by="group", target="4h")
    assert "not certain in 2" in longer.get_title(loc="left").replace("\n", " ")
    # One that was watched alone tells nothing, however long.
    single = pk.plots.p90_forest(
        made({"B": np.repeat(np.arange(0, 25), 20), "C": [np.inf]}), by="group", target="30min"
    )
    assert "not certain in 1" in single.get_title(loc="left").replace("\n", " ")


def test_small_groups_stand_as_one_and_lead_no_title():
    some = {name: np.arange(5, 30) + shift for shift, name in enumerate("AB")} | {"C": [900] * 5, "D": [2] * 4}
    ax = pk.plots.p90_forest(made(some), by="group")
    assert [text.get_text() for text in ax.get_yticklabels()] == ["other (2)", "B", "A"]
    alone = pk.plots.p90_forest(made({name: some[name] for name in "ABC"}), by="group")
    assert [text.get_text() for text in alone.get_yticklabels()] == ["C", "B", "A"]
    for each in (ax, alone):
        title = each.get_title(loc="left").replace("\n", " ")
        assert "(A) to" in title
        assert "(B)" in title


def test_marker_names_stand_above_the_axes_and_leave_the_data_all_of_them(frames):
    periods, actions = frames
    for draw in (pk.plots.event_ribbon, pk.plots.backlog, pk.plots.cumulative_flow, pk.plots.cycle_scatter):
        ax, bare = draw(actions, periods), draw(actions, periods.drop(columns="markers"))
        assert ax.get_ylim() == bare.get_ylim()
        ax.figure.draw_without_rendering()
        names = [text for text in ax.texts if text.get_text() in ("Doors", "Kick-off", "Half-time")]
        assert names
        top, title = ax.get_window_extent().y1, ax.title
        for text in names:
            box = text.get_window_extent()
            assert box.y0 >= top - 1
            assert box.y1 < ax._left_title.get_window_extent().y0
        assert title is not None


def test_keys_tell_names_apart_that_differ_only_at_an_end(actions):
    kinds = np.where(
        np.arange(len(actions)) % 2, "Guest Services North · Dispatched", "Guest Services North · Despatched"
    )
    third = np.where(np.arange(len(actions)) % 3, kinds, "Bar")
    for ax in (None, plt.subplots(figsize=(3.6, 4))[1]):
        drawn = pk.plots.cycle_time_ecdf(actions.assign(kind=third), by="kind", ax=ax)
        texts = [text.get_text().partition("  n =")[0] for text in drawn.get_legend().get_texts()]
        assert len({*texts}) == 3
        assert any("Despatched" in text.replace("\n", " ") for text in texts)


def test_matrix_holds_the_counts(season_frames):
    _, actions = season_frames
    found = pk.routing_matrix(actions)
    ax = pk.plots.routing_matrix(actions)
    rows, columns = (
        [text.get_text().replace("\n", " ") for text in axis] for axis in (ax.get_yticklabels(), ax.get_xticklabels())
    )
    drawn = {
        (rows[int(text.get_position()[1])], columns[int(text.get_position()[0])]): int(text.get_text().replace(",", ""))
        for text in ax.texts
        if text.get_text().replace(",", "").isdigit()
    }
    assert drawn == {(row.channel, row.latest_channel): row.n for row in found.itertuples()}
    rate = pk.reroute_rate(actions)["rate"].iloc[0]
    assert f"At least {100 * rate:.1f} %" in pk.plots.alt_text(ax)


def test_folded_channels_keep_every_action(season_frames):
    _, actions = season_frames
    ax = pk.plots.routing_matrix(actions, max_groups=3)
    numbers = [int(text.get_text().replace(",", "")) for text in ax.texts if text.get_text().replace(",", "").isdigit()]
    assert sum(numbers) == len(actions)
    assert [text.get_text() for text in ax.get_yticklabels()][-1] == "other (8)"


def test_folded_groups_keep_every_action(season_frames):
    _, actions = season_frames
    names = [f"Kind {at % 40}" for at in range(len(actions))]
    ax = pk.plots.dispatch_rate(actions.assign(kind=names), by="kind")
    assert len(ax.get_yticks()) == 12
    said = [text.get_text().rpartition("= ")[2] for text in ax.texts if "n = " in text.get_text()]
    known = actions["ai_dispatched"].notna().sum()
    assert sum(int(each.replace(",", "")) for each in said if each.replace(",", "").isdigit()) == known
    assert "other (29)" in [text.get_text() for text in ax.get_yticklabels()]


def test_aging_shows_the_open_ones_the_oldest_first(actions):
    still = pk.stage_times(actions)["outcome"] == "open"
    age = seconds((actions["fetched_at"] - actions["created_time"])[still])
    ax = pk.plots.aging(actions, target="30min")
    stages = [line for line in ax.get_lines() if line.get_linestyle() == "None"]
    drawn = np.concatenate([line.get_xydata() for line in stages])
    drawn = drawn[np.argsort(drawn[:, 1])]
    np.testing.assert_allclose(drawn[:, 0], np.sort(age)[::-1])
    past = int((age > 1800).sum())
    assert ax.get_title(loc="left").startswith(f"{past} of {len(age)}")
    unassigned = int((actions["assigned_time"].isna() & actions["doing_time"].isna() & still).sum())
    assert f"{unassigned:,} unassigned" in pk.plots.alt_text(ax)
    nearest = 1800 - age[age <= 1800].max()
    assert f"in {duration(nearest)}" in pk.plots.alt_text(ax)


def test_few_open_actions_are_each_named(actions):
    few = actions[actions["closed_time"].isna()].tail(6)
    ax = pk.plots.aging(few)
    said = " ".join(text.get_text() for text in ax.get_yticklabels())
    assert all(str(each) in said for each in few["action_id"])


def minutes(start, values):
    return [start + pd.Timedelta(minutes=each) if np.isfinite(each) else pd.NaT for each in values]


def made(groups, seen="2024-07-01T23:00Z", **columns):
    """Actions that were all created at 19:00 and closed after so many minutes; infinity is still open."""
    start, parts = pd.Timestamp("2024-07-01T19:00Z"), []
    for name, took in groups.items():
        times = pd.DatetimeIndex(minutes(start, took), tz="UTC").as_unit("us")
        parts.append(
            pd.DataFrame(
                {
                    "group": name,
                    "created_time": pd.DatetimeIndex([start] * len(took)).as_unit("us"),
                    **dict.fromkeys(("assigned_time", "doing_time", "closed_time"), times),
                    "status": ["closed" if np.isfinite(each) else "open" for each in took],
                    "fetched_at": pd.Timestamp(seen).as_unit("us"),
                }
            )
        )
    return pd.concat(parts, ignore_index=True).assign(**columns)


NEAR = {"A": np.arange(5, 25), "B": np.arange(6, 26)}
FAR = {"A": np.arange(5, 25), "B": np.arange(105, 125)}
MANY = {name: np.repeat(took, 10) for name, took in FAR.items()}


def test_a_median_is_called_shorter_only_where_intervals_lie_apart():
    title = pk.plots.cycle_time_ecdf(made(FAR), by="group").get_title(loc="left")
    assert title.startswith("A is associated with the shorter median cycle time")
    title = pk.plots.cycle_time_ecdf(made(NEAR), by="group").get_title(loc="left")
    assert title.endswith("which may be chance")
    assert "associated" not in title


def test_p90_and_rates_say_what_may_be_chance():
    assert "chance" not in pk.plots.p90_forest(made(MANY), by="group").get_title(loc="left")
    assert pk.plots.p90_forest(made(NEAR), by="group").get_title(loc="left").endswith("which may be chance")
    for shares, chance in (((0.1, 0.9), False), ((0.4, 0.6), True)):
        ai = [at < share * 20 for share in shares for at in range(20)]
        ax = pk.plots.dispatch_rate(made(NEAR, ai_dispatched=pd.array(ai, dtype="boolean")), by="group")
        assert ("chance" in ax.get_title(loc="left")) == chance


def test_the_ends_of_many_groups_are_compared_more_strictly():
    # Of the same two groups the intervals lie just apart; among twenty, such a pair is found by chance.
    pair = {"A": [True] * 12 + [False] * 28, "Z": [True] * 29 + [False] * 11}
    many = pair | {f"M{at}": [True] * 20 + [False] * 20 for at in range(18)}
    titles = []
    for groups in (pair, many):
        names = [name for name, values in groups.items() for _ in values]
        ai = pd.array([each for values in groups.values() for each in values], dtype="boolean")
        ax = pk.plots.dispatch_rate(pd.DataFrame({"group": names, "ai_dispatched": ai}), by="group", max_groups=30)
        titles.append(ax.get_title(loc="left"))
    assert "30.0 % (A) to 72.5 % (Z)" in titles[0]
    assert "chance" not in titles[0]
    assert titles[1].replace("\n", " ").endswith("30.0 % (A) to 72.5 % (Z), which may be chance")


@pytest.mark.parametrize(
    ("target", "title"),
    [
        ("30min", "P90 cycle time is over the 30 min target in 1 of 2 groups"),
        ("20h", "P90 cycle time is within the 20 h target in 2 of 2 groups"),
        ("1min", "P90 cycle time is over the 1 min target in 2 of 2 groups"),
    ],
)
def test_forest_counts_a_group_only_with_its_whole_interval(target, title):
    assert pk.plots.p90_forest(made(MANY), by="group", target=target).get_title(loc="left").replace("\n", " ") == title


def test_areas_end_where_nothing_was_watched_longer():
    waiting = made({"A": [np.inf] * 5}, seen="2024-07-01T19:10Z")
    ax = pk.plots.outcome_areas(waiting, target="30min")
    title = ax.get_title(loc="left").replace("\n", " ")
    assert title.startswith("Within 10 min, 0.0 % were closed")
    assert "None was observed for 30 min" in pk.plots.alt_text(ax)
    assert max(vertex[0] for area in ax.collections for vertex in area.get_paths()[0].vertices) == 600
    ended = made({"A": [1, 2, 3]}, seen="2024-07-01T19:10Z")
    title = pk.plots.outcome_areas(ended, target="30min").get_title(loc="left").replace("\n", " ")
    assert title.startswith("Within 30 min, 100.0 % were closed")


def test_ribbon_shows_the_event_however_late_it_was_fetched(frames):
    periods, actions = frames
    late = actions.assign(fetched_at=pd.Timestamp("2035-01-01T00:00Z").as_unit("us"))
    ax = pk.plots.event_ribbon(late, periods, freq="10s")
    up = next(each.get_data() for each in ax.patches if isinstance(each, StepPatch))
    found = pk.workload(actions, "10s")
    np.testing.assert_array_equal(np.asarray(up.values)[: len(found)], found["arrivals"])
    assert not np.asarray(up.values)[len(found) :].any()
    last = periods["end_date"].iloc[-1]
    assert mdates.num2date(ax.get_xlim()[1]) < last + pd.Timedelta("15min")
    assert lines(ax)["in progress"].get_ydata()[-1] == found["in_progress"].iloc[-1]


def test_ribbon_says_what_lies_outside(frames):
    periods, actions = frames
    first = actions["created_time"].idxmin()
    early = actions.copy()
    early.loc[first, ["created_time", "assigned_time", "doing_time", "closed_time"]] -= pd.Timedelta("40D")
    ax = pk.plots.event_ribbon(early, periods)
    assert "Outside the plot: 1 arrival and 1 departure." in pk.plots.alt_text(ax)


@pytest.mark.parametrize(
    ("hours", "width"), [(0.5, "1 min"), (6, "5 min"), (24, "15 min"), (100, "hour"), (500, "6 h"), (5000, "day")]
)
def test_ribbon_picks_bars_that_fit_the_time_shown(hours, width):
    at = pd.date_range("2024-07-01T00:00Z", periods=50, freq=pd.Timedelta(hours=hours / 50)).as_unit("us")
    actions = pd.DataFrame(
        {
            **dict.fromkeys(("created_time", "assigned_time", "doing_time", "closed_time"), at),
            "status": "closed",
            "fetched_at": at[-1],
        }
    )
    ax = pk.plots.event_ribbon(actions)
    assert ax.get_ylabel().endswith(f"per {width})")
    up = next(each.get_data() for each in ax.patches if isinstance(each, StepPatch))
    assert np.sum(up.values) == 50


def test_ribbon_says_when_most_were_in_progress(frames):
    periods, actions = frames
    title = pk.plots.event_ribbon(actions, periods).get_title(loc="left").replace("\n", " ")
    events = pd.concat(
        [pd.Series(1, actions["created_time"]), pd.Series(-1, actions["closed_time"].dropna())]
    ).sort_index(kind="stable")
    running = events.cumsum()
    assert f"{running.idxmax():%H:%M} on 17 May 2025" in title


def test_scatter_thins_evenly_and_says_so(frames):
    _, actions = frames
    many = pd.concat([actions] * 100, ignore_index=True)
    ax = pk.plots.cycle_scatter(many, target="15min")
    drawn = lines(ax)
    ended = [drawn[name] for name in ("AI-dispatched", "not AI-dispatched", "dispatch unknown") if name in drawn]
    n = int((pk.stage_times(many)["outcome"] == "closed").sum())
    assert sum(len(line.get_xdata()) for line in ended) == -(-n // 2)
    assert any("drawn: 1 in 2 of those closed" in text.get_text().replace("\n", " ") for text in ax.texts)
    assert len(drawn["open"].get_xdata()) == 100 * (pk.stage_times(actions)["outcome"] == "open").sum()
    shown = pk.stage_times(actions)
    age = (actions["fetched_at"] - actions["created_time"])[shown["outcome"] == "open"]
    late = int((shown.loc[shown["outcome"] == "closed", "cycle"] > MINUTE * 15).sum() + (age > MINUTE * 15).sum())
    total = int(shown["outcome"].isin(["closed", "open"]).sum())
    assert (
        pk.plots.alt_text(ax).split(" actions")[0]
        == f"Every action by the time it was created and its cycle time. {late * 100:,} of {total * 100:,}"
    )


def test_scatter_keeps_what_was_left_open_for_ever_at_the_top(frames):
    _, actions = frames
    late = actions.assign(fetched_at=pd.Timestamp("2026-01-01T00:00Z").as_unit("us"))
    ax = pk.plots.cycle_scatter(late)
    assert ax.get_ylim()[1] < 86_400
    still = lines(ax)["open"]
    assert len(still.get_ydata()) == (pk.stage_times(late)["outcome"] == "open").sum()
    assert max(still.get_ydata()) < ax.get_ylim()[1]


def test_aging_says_how_long_each_has_left():
    seen = "2024-07-01T19:10Z"
    ax = pk.plots.aging(made({"A": [np.inf]}, seen=seen, action_id=7), target="25min")
    assert "15 min left" in [text.get_text() for text in ax.texts]
    ax = pk.plots.aging(made({"A": [np.inf]}, seen=seen, action_id=7), target="6min")
    assert "4 min past" in [text.get_text() for text in ax.texts]
    assert ax.get_title(loc="left") == "The only open action is 4 min past 6 min"


class TestSeason:
    """Pictures of many periods."""

    def test_the_chart_draws_the_metrics_values_and_limits(self, season_frames):
        periods, actions = season_frames
        chart = pk.season(actions, periods, "p90")
        ax = pk.plots.season_chart(actions, periods, "p90", target="45min")
        drawn = [line for line in ax.get_lines() if len(line.get_xdata()) == len(chart) and line.get_linestyle() == "-"]
        np.testing.assert_allclose(drawn[0].get_ydata(), seconds(chart["value"]))
        steps = [line.get_ydata() for line in ax.get_lines() if line.get_drawstyle() == "steps-mid"]
        for line, name in zip(steps, ("center", "lower", "upper"), strict=True):
            np.testing.assert_allclose(line[1:-1], seconds(chart[name]))
        assert f"Centre {duration(chart['center'].iloc[0])}" in pk.plots.alt_text(ax)

    def test_the_chart_marks_each_signal_once_by_its_first_kind(self, season_frames):
        periods, actions = season_frames
        chart = pk.season(actions, periods, "ai_rate")
        ax = pk.plots.season_chart(actions, periods, "ai_rate")
        marked = {line.get_label(): len(line.get_xdata()) for line in ax.get_lines() if line.get_label()[0] != "_"}
        assert marked["outside the limits"] == chart["outside"].sum()
        assert sum(marked.values()) == chart["signal"].sum()
        assert f"{chart['outside'].sum()} of 26 periods are outside" in pk.plots.alt_text(ax)

    def test_limits_taken_anew_and_groups_are_small_charts(self, season_frames):
        periods, actions = season_frames
        rebase = int(periods["period_id"].iloc[13])
        ax = pk.plots.season_chart(actions, periods, "actions", by="channel", baseline=6, rebase=rebase, max_groups=4)
        assert len(ax.child_axes) == 4
        chart = pk.season(actions, periods, "actions", by="channel", baseline=6, rebase=rebase)
        largest = chart.groupby("channel")["n"].sum().nlargest(3).index.sort_values()
        for each, name in zip(ax.child_axes, largest, strict=False):
            own = chart[chart["channel"] == name]
            assert any(np.array_equal(line.get_ydata(), own["value"]) for line in each.get_lines())
            assert [text.get_text() for text in each.texts] == ["limits anew"]

    def test_the_forest_draws_the_most_surprising_against_their_range(self, season_frames):
        periods, actions = season_frames
        chosen = int(periods["period_id"].iloc[-2])
        found = pk.unusual(actions, periods, chosen, by=[None])
        ax = pk.plots.unusual_forest(actions, periods, chosen, by=[None], max_rows=2)
        assert [each.get_title(loc="left") for each in ax.child_axes] == ["times", "shares", "numbers of actions"]
        times = found[found["measure"].isin(["p50", "p90", "response_p90"])].sort_values("p").head(2)
        dots = next(line for line in ax.child_axes[0].get_lines() if line.get_marker() == "o")
        np.testing.assert_allclose(dots.get_xdata(), [value.total_seconds() for value in times["value"]])
        bars = ax.child_axes[0].collections[0].get_segments()
        wanted = [[row["low"].total_seconds(), row["high"].total_seconds()] for row in times.to_dict("records")]
        np.testing.assert_allclose([bar[:, 0] for bar in bars], wanted)

    def test_the_profile_draws_counts_of_a_bin_against_earlier_ones(self, season_frames):
        periods, actions = season_frames
        last = periods["period_id"].iloc[-1]
        ax = pk.plots.marker_profile(actions, periods, marker="Kick-off", width="20min", before="1h", after="1h")
        now = pk.marker_profile(actions[actions["period_id"] == last], periods.tail(1), "Kick-off", "20min", "1h", "1h")
        earlier = periods[periods["period_id"] != last]
        usual = pk.marker_profile(actions[actions["period_id"] != last], earlier, "Kick-off", "20min", "1h", "1h")
        range_, line = (patch for patch in ax.patches if isinstance(patch, StepPatch))
        np.testing.assert_allclose(line.get_data().values, 20 * now["rate"])
        np.testing.assert_allclose(range_.get_data().values, 20 * usual["typical_high"])
        np.testing.assert_allclose(range_.get_data().baseline, 20 * usual["typical_low"])

    def test_the_backlog_is_work_in_progress_and_its_late_part(self, frames):
        periods, actions = frames
        ax = pk.plots.backlog(actions, periods, target="30min")
        load = pk.workload(actions, "1min")
        drawn = lines(ax)
        moments, number = drawn["open"].get_data()
        end = mdates.date2num((load["time"] + MINUTE).dt.tz_localize(None).to_numpy())
        inside = (end > moments[0]) & (end <= moments[-1])
        place = np.searchsorted(moments, end[inside] - 1e-9, side="right") - 1
        assert np.asarray(number)[place].tolist() == load["in_progress"][inside].tolist()
        past = pk.open_actions(actions, "30min")["past"].sum()
        assert drawn["past the target"].get_ydata()[-1] == past
        assert number[-1] == len(pk.open_actions(actions))
