"""Venues have ids of their own: what goes by the id of a period does not pool two of them."""

import re
from itertools import product

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

import periodkit as pk
from periodkit.milestones import MILESTONES

BY_PERIOD = {
    "season": pk.season,
    "season of all actions": lambda a, p: pk.season(a, p, "actions"),
    "season replayed": lambda a, p: pk.season(a, p, as_of="2026-01-01"),
    "season of what is there": lambda a, p: pk.season(a),
    "season by venue": lambda a, p: pk.season(a, by="venue"),
    "unusual": lambda a, p: pk.unusual(a, p, by=[None]),
    "unusual_periods": lambda a, p: pk.unusual_periods(a, p, by=["channel"]),
    "marker_profile": pk.marker_profile,
    "cycle_times": lambda a, p: pk.cycle_times(a, by=["period_id", "channel"]),
    "cycle_times by a set": lambda a, p: pk.cycle_times(a, by={"period_id"}),
    "cycle_times by an array": lambda a, p: pk.cycle_times(a, by=np.array(["period_id"])),
    "ai_effect": lambda a, p: pk.ai_effect(a, strata="period_id"),
    "compare": lambda a, p: pk.compare(a, "ai_dispatched", within="period_id"),
    "p90_forest": lambda a, p: pk.plots.p90_forest(a, by="period_id"),
    "dispatch_rate": lambda a, p: pk.plots.dispatch_rate(a, by="period_name"),
    "season_chart": pk.plots.season_chart,
    "times_by_period": pk.plots.times_by_period,
    "plot of markers": pk.plots.marker_profile,
    "unusual_forest": pk.plots.unusual_forest,
}
OF_PANDAS = {
    "add_clock": pk.add_clock,
    "cycle_times by a Series": lambda a, p: pk.cycle_times(a, by=a["period_id"]),
}
ENGINES = {
    "pandas": lambda frame: frame,
    "categories": lambda frame: frame.astype({"venue": "category"}),
    "polars": pl.from_pandas,
    "polars lazy": lambda frame: pl.from_pandas(frame).lazy(),
    "duckdb": lambda frame: duckdb.connect().from_arrow(pl.from_pandas(frame).to_arrow()),
}


@pytest.fixture(scope="module")
def venues(season_frames):
    """Two venues with the same ids: the second has half of the first's actions."""
    periods, actions = season_frames
    actions = actions.drop(columns="notes")
    halves = [actions.assign(venue="North"), actions.iloc[::2].assign(venue="South")]
    return periods, pd.concat(halves, ignore_index=True)


@pytest.mark.parametrize(
    ("name", "engine"),
    [
        *product([*BY_PERIOD, *OF_PANDAS], ["pandas"]),
        *product(BY_PERIOD, ["duckdb"]),
        *product(["season", "unusual", "cycle_times", "plot of markers"], ["categories", "polars", "polars lazy"]),
    ],
)
def test_two_venues_are_not_pooled_by_the_ids_of_periods(venues, name, engine):
    periods, actions = venues
    with pytest.raises(
        pk.ArgumentError, match=r"Period 41\d\d has actions of 'North' and of 'South': each .* one venue"
    ):
        (BY_PERIOD | OF_PANDAS)[name](ENGINES[engine](actions), periods)


def test_what_can_be_grouped_by_venue_says_so(venues):
    _, actions = venues
    with pytest.raises(pk.ArgumentError, match=r'Add "venue" to by, or pass'):
        pk.cycle_times(actions, by="period_id")
    with pytest.raises(pk.ArgumentError, match=r"own\. Pass the actions"):
        pk.season(actions, by="venue")


def test_a_venue_that_is_not_told_is_one_of_its_own(venues):
    _, actions = venues
    forgotten = actions.assign(venue=actions["venue"].where(actions["venue"] == "North"))
    with pytest.raises(pk.ArgumentError, match="has actions of 'North' and of no venue"):
        pk.cycle_times(forgotten, by="period_id")
    first = forgotten.iloc[[0, -1]].assign(period_id=None)
    with pytest.raises(pk.ArgumentError, match="has actions of 'North' and of no venue"):
        pk.cycle_times(pd.concat([first, forgotten]), by="period_id")
    assert pk.cycle_times(first, by="period_id")["n"].tolist() == [2]


def test_only_the_periods_that_are_looked_at_have_to_be_of_one_venue(venues):
    periods, actions = venues
    last = periods.tail(1)
    mixed = actions[(actions["venue"] == "North") | actions["period_id"].isin(last["period_id"])]
    assert len(pk.season(mixed, periods.iloc[:-1])) == len(periods) - 1
    with pytest.raises(pk.ArgumentError, match="has actions of 'North' and of 'South'"):
        pk.season(mixed, periods)


def test_the_actions_of_one_venue_do_not_meet_the_periods_of_another(venues):
    periods, actions = venues
    north = actions[actions["venue"] == "North"]
    for metric in (pk.season, pk.unusual, pk.marker_profile, pk.add_clock):
        with pytest.raises(pk.ArgumentError, match=r"Period 41\d\d is of 'South', and its actions of 'North'"):
            metric(north, periods.assign(venue="South"))
        metric(north, periods.assign(venue="North"))


@pytest.mark.parametrize("place", [{"name": "Bar"}, ["Bar"], 7], ids=["objects", "lists", "numbers"])
def test_a_column_that_means_something_else_is_left_alone(venues, place):
    periods, actions = venues
    actions = actions[actions["venue"] == "North"]
    other = actions.assign(venue=pd.Series([place] * len(actions), index=actions.index, dtype="object"))
    assert_frame_equal(pk.cycle_times(other, by="period_id"), pk.cycle_times(actions, by="period_id"))
    assert_frame_equal(pk.quality(other, periods), pk.quality(actions, periods))
    lazy = pl.from_pandas(other).lazy()
    assert_frame_equal(pk.cycle_times(lazy, by="period_id"), pk.cycle_times(pl.from_pandas(actions), by="period_id"))


def test_each_venue_by_itself_and_both_told_apart(venues):
    periods, actions = venues
    both = pk.cycle_times(actions, by=["venue", "period_id"])
    for venue, own in actions.groupby("venue"):
        pk.season(own, periods)
        pk.unusual(own, periods, by=[None])
        alone = pk.cycle_times(own, by="period_id")
        assert_frame_equal(both[both["venue"] == venue].drop(columns="venue").reset_index(drop=True), alone)
    unnamed = actions.assign(venue=None)
    assert pk.cycle_times(unnamed, by="period_id")["n"].sum() == len(actions)
    series = actions["channel"].rename("where")
    assert len(pk.cycle_times(actions, by=["period_id", "venue", series])) > len(both)


@pytest.mark.parametrize(
    "metric", [pk.season, pk.unusual, pk.marker_profile, pk.add_clock, pk.plots.season_chart, pk.plots.times_by_period]
)
@pytest.mark.parametrize("what", ["venue", "start_date"])
def test_periods_of_two_venues_are_told_apart_or_refused(venues, metric, what):
    periods, actions = venues
    other = {"venue": "South", "start_date": periods["start_date"] + pd.Timedelta("1D")}[what]
    north = periods.assign(venue="North")
    both = pd.concat([north, north.assign(**{what: other})])
    with pytest.raises(pk.ArgumentError, match=rf"periods has the id 41\d\d several times, .* values of {what}\."):
        metric(actions[actions["venue"] == "North"], both)
    again = pd.concat([periods, periods.assign(period_name="Renamed")])
    assert set(pk.season(actions[actions["venue"] == "North"], again)["period_name"]) == {"Renamed"}


def test_actions_of_no_period_are_counted(season_frames):
    periods, actions = season_frames
    chosen = periods.tail(20)
    out = int((~actions["period_id"].isin(chosen["period_id"])).sum())
    note = f"Left out: {out:,} actions whose period is not among those given."
    for measure in ("ai_rate", "p90", "actions"):
        assert pk.season(actions, chosen, measure).attrs["note"] == note
    assert pk.season(actions, chosen, "reroute_rate").attrs["note"].endswith(f". {note}")
    assert "note" not in pk.season(actions, periods).attrs
    shared = pk.season(actions, chosen, "actions", by="assigned_user_names").attrs["note"]
    assert re.fullmatch(r"An action counts once .*\. Left out: [\d,]+ counts of actions whose .*", shared)


def test_quality_tells_venues_apart(venues):
    periods, actions = venues
    actions.attrs = {}
    told, pooled = (
        pk.quality(each, periods).set_index("check")["count"] for each in (actions, actions.drop(columns="venue"))
    )
    assert (told["duplicates"], pooled["duplicates"]) == (0, (actions["venue"] == "South").sum())
    assert told["unknown_fields"] == pooled["unknown_fields"]


def test_ids_of_another_kind_than_the_periods_are_named(season_frames):
    periods, actions = season_frames
    texts = actions.assign(period_id=actions["period_id"].astype("str"))
    for metric in (pk.season, pk.unusual, pk.marker_profile, pk.quality):
        with pytest.raises(
            pk.SchemaError, match=r"'period_id' of actions is String, and that of periods holds 41\d\d\."
        ):
            metric(texts, periods)


def test_quality_holds_each_venue_against_its_own_periods(venues):
    periods, actions = venues
    later = pd.Timedelta("365D")
    moved = {name: actions[name].where(actions["venue"] == "North", actions[name] + later) for name in MILESTONES}
    own = periods.assign(start_date=periods["start_date"] + later, end_date=periods["end_date"] + later)
    both = pd.concat([periods.assign(venue="North"), own.assign(venue="South")])
    apart, alone = (
        pk.quality(*each).set_index("check") for each in ((actions.assign(**moved), both), (actions, periods))
    )
    assert apart.loc["outside_period", "count"] == alone.loc["outside_period", "count"]


def test_examples_are_found_where_no_venue_is_told(venues):
    periods, actions = venues
    batch = actions.head(6).assign(closed_time=actions["closed_time"].dropna().iloc[0], venue=None)
    found = pk.quality(batch, periods).set_index("check").loc["batch_closing"]
    assert (found["count"], len(found["examples"])) == (6, 5)


def test_ids_as_categories_are_taken(season_frames):
    periods, actions = season_frames
    told = actions.assign(period_id=actions["period_id"].astype("category"))
    assert pk.season(told, periods, "actions")["n"].tolist() == pk.season(actions, periods, "actions")["n"].tolist()
