"""What pictures are sent: never more than 5,000 points, all actions in them, the metrics' own numbers."""

from zoneinfo import ZoneInfo

import altair as alt
import numpy as np
import pandas as pd
import pytest

import periodkit as pk
from periodkit.jupyter.explorer import pictures, points
from periodkit.jupyter.explorer.answer import answer, key_figures
from periodkit.jupyter.explorer.choice import Choice
from periodkit.jupyter.explorer.moments import moments_of
from periodkit.jupyter.explorer.tables import chosen, numbers
from periodkit.wording import Target

TARGET = Target.read("20min")
NAMES = ("action_id", "period_name", "classification", "channel")


@pytest.fixture(scope="module")
def event(season_frames):
    periods, actions = season_frames
    return periods, actions[actions["period_id"] == periods["period_id"].iloc[-1]]


@pytest.mark.parametrize("by", [None, "channel", "ai_dispatched", "classification", "form.department"])
def test_no_more_than_5000_points_stand_for_all_actions(season_frames, by):
    _, actions = season_frames
    found = answer(actions, Choice(by=by), TARGET)
    groups = points.groups_of(found)
    sent = points.scatter(found, groups, TARGET)
    counted = found.states["state"].isin(["event", "open"])
    assert sent.binned
    assert len(sent.rows) <= points.MOST_POINTS
    assert sent.rows["n"].sum() == sent.n == counted.sum()
    sizes = sent.rows.groupby("kind")["n"].sum()
    for position, name in enumerate(groups.names):
        assert sizes.get(name, 0) == (counted.to_numpy() & (groups.code == position)).sum()
    assert sent.rows["drawn"].between(*sent.limits).all()


def test_few_are_sent_one_by_one_with_what_to_hover_on(event):
    _, actions = event
    found = answer(actions, Choice(), TARGET)
    sent = points.scatter(found, points.groups_of(found), TARGET)
    assert not sent.binned
    counted = found.states["state"].isin(["event", "open"]).to_numpy()
    assert sent.rows["action_id"].tolist() == [str(one) for one in actions.loc[counted, "action_id"]]
    assert (sent.rows["state"] == "open, at its age").sum() == found.overall["open"]
    ai = int(found.dispatch["ai"])
    assert (
        (sent.rows["kind"] == "AI-dispatched").sum()
        == counted[actions["ai_dispatched"].eq(True).fillna(False)].sum()
        <= ai
    )
    assert not {"created_by_user_name", "assigned_user_names"} & {*sent.rows.columns}


def test_a_point_stands_at_the_wall_clock_of_the_venue(event):
    _, actions = event
    found = answer(actions.head(1), Choice(), TARGET)
    utc, local = (
        points.scatter(found, points.groups_of(found), TARGET, tz).rows["at"]
        for tz in (ZoneInfo("UTC"), ZoneInfo("Europe/London"))
    )
    created = actions["created_time"].iloc[0]
    assert utc.item() == created.value // 10**6
    assert local.item() - utc.item() == created.tz_convert("Europe/London").utcoffset().total_seconds() * 1000


def test_curves_pass_through_the_medians_of_the_table(season_frames):
    _, actions = season_frames
    found = answer(actions, Choice(by="ai_dispatched"), TARGET)
    groups = points.groups_of(found)
    lines = points.curves(found, groups, (1e-9, 1e9))
    assert lines.groupby("kind").size().max() <= 241
    for row, name in zip(groups.rows, groups.names, strict=True):
        line = lines[lines["kind"] == name]
        reached = line.loc[line["share"] >= 0.5, "seconds"].iloc[0]
        assert reached == pytest.approx(found.table["p50"].iloc[row].total_seconds(), rel=0.05)


def test_ages_are_those_of_open_actions(event):
    _, actions = event
    waiting = pk.open_actions(actions, "20min", as_of="2025-05-17T14:00:00Z")
    sent = points.ages(actions, TARGET, "2025-05-17T14:00:00Z")
    assert sent.n == len(waiting) > 3
    assert sent.rows["action_id"].tolist() == [str(one) for one in waiting["action_id"]]
    assert sent.rows["left"].str.endswith("past it").sum() == waiting["past"].sum()


def test_many_groups_end_in_other(season_frames):
    _, actions = season_frames
    some = actions.head(900).assign(channel=[f"channel {at % 30:02}" for at in range(900)])
    groups = points.groups_of(answer(some, Choice(by="channel"), TARGET))
    assert groups.names[-1] == "other (25)"
    assert len(groups.names) == len(groups.rows) + 1 == 6
    assert (groups.code == 5).sum() == 25 * 30


def every_picture(found):
    groups = points.groups_of(found)
    sent = points.scatter(found, groups, TARGET)
    names = groups.names if groups.rows else [points.ALL]
    curves = points.curves(found, groups, sent.limits)
    yield pictures.scatter_picture(sent, groups.names, groups.title, TARGET, ("created", "cycle time"), "UTC")
    yield pictures.curve_picture(curves, names, groups.title, TARGET, sent.limits, ("cycle time", "closed"))
    yield pictures.aging_picture(points.ages(found.frame, TARGET, found.choice.as_of), TARGET, "as fetched")


@pytest.mark.parametrize("by", [None, "channel"])
@pytest.mark.parametrize("size", [0, 1, 500, 20_000])
def test_every_picture_is_what_vega_lite_takes(season_frames, by, size):
    _, actions = season_frames
    for spec in every_picture(answer(actions.tail(size), Choice(by=by), TARGET)):
        alt.TopLevelSpec.validate(spec)
        assert len(spec["datasets"]["rows"]) <= points.MOST_POINTS
        assert "http" not in str(spec).replace("https://vega.github.io/schema/", "")
        texts = str(spec["title"]["subtitle"])
        assert ("binned" in texts) <= (size > 5000)


def test_hostile_texts_reach_a_picture_on_one_line_and_short(event):
    _, actions = event
    bad = "<script>alert(1)</script>\n\u202e" + "x" * 100_000
    frame = actions.assign(channel=bad, classification=None)
    found = answer(frame, Choice(by="channel"), TARGET)
    for spec in every_picture(found):
        texts = [text for row in spec["datasets"]["rows"] for text in row.values() if isinstance(text, str)]
        assert max(map(len, texts), default=0) <= 60
        assert all(text.isprintable() for text in texts)
    for texts in (numbers(found), chosen(found, ZoneInfo("UTC"))):
        assert all(len(cell) <= 60 for row in texts.rows for cell in row)


def test_tables_say_what_the_frames_hold(event):
    _, actions = event
    found = answer(actions, Choice(by="classification"), TARGET)
    by, rows = numbers(found), chosen(found, ZoneInfo("UTC"))
    assert len(by.rows) == len(found.table)
    assert len(rows.rows) == min(len(actions), 100)
    assert len(rows.heads) == len(rows.rows[0]) == len(rows.numbers)
    longest = found.states["length"].idxmax()
    assert rows.rows[0][0] == str(actions.loc[longest, "action_id"])
    people = {*actions["created_by_user_name"].dropna()}
    assert not people & {cell for row in rows.rows for cell in row}


def test_key_figures_have_the_words_of_a_report(event):
    _, actions = event
    figures = {one.name: one for one in key_figures(answer(actions, Choice(), TARGET), TARGET)}
    assert [*figures] == ["Actions", "Cycle time, median", "Cycle time, P90", "Closed within 20 min", "AI-dispatched"]
    assert figures["Actions"].value == f"{len(actions):,}"
    nothing = key_figures(answer(actions.head(0), Choice(), TARGET), TARGET)
    assert [one.value for one in nothing] == ["0", "–", "–", "–", "–"]


def test_the_slider_goes_along_the_last_event_chosen(season_frames):
    periods, actions = season_frames
    whole = moments_of(actions, periods, ())
    last, first = periods["period_id"].iloc[-1], periods["period_id"].iloc[0]
    assert whole == moments_of(actions, periods, (last, first)) == moments_of(actions, periods, (last,))
    event = periods.iloc[0]
    moments = moments_of(actions, periods, (first,))
    assert moments.at(0) <= event["start_date"]
    assert moments.at(moments.steps - 1) >= event["end_date"] - moments.step
    assert moments.text(moments.steps) is None
    marked = pk.markers(periods.head(1))
    assert [name for _, name in moments.ticks] == marked.sort_values("timestamp")["marker"].tolist()
    for (place, _), moment in zip(moments.ticks, sorted(marked["timestamp"]), strict=True):
        assert abs(moments.start + place * moments.steps * moments.step - moment) < pd.Timedelta("1s")
    assert moments_of(actions, None, ()).steps <= 721
    assert moments_of(actions.head(0), periods, ()).steps == 0
    assert np.isfinite(moments_of(actions, None, (first,)).steps)
