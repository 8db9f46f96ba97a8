"""Venues have ids of their own: what goes by the id of a period does not pool two of them."""

from itertools import product

import duckdb
import pandas as pd
import polars as pl
import pytest
from pandas.testing import assert_frame_equal

import periodkit as pk

BY_PERIOD = {
    "season": pk.season,
    "season replayed": lambda a, p: pk.season(a, p, as_of="2026-01-01"),
    "season of what is there": lambda a, p: pk.season(a),
    "season by venue": lambda a, p: pk.season(a, by="venue"),
    "unusual": lambda a, p: pk.unusual(a, p, by=[None]),
    "unusual_periods": lambda a, p: pk.unusual_periods(a, p, by=["channel"]),
    "marker_profile": pk.marker_profile,
    "cycle_times": lambda a, p: pk.cycle_times(a, by=["period_id", "channel"]),
    "p90_forest": lambda a, p: pk.plots.p90_forest(a, by="period_id"),
    "dispatch_rate": lambda a, p: pk.plots.dispatch_rate(a, by="period_name"),
    "season_chart": pk.plots.season_chart,
    "times_by_period": pk.plots.times_by_period,
    "plot of markers": pk.plots.marker_profile,
    "unusual_forest": pk.plots.unusual_forest,
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
    ("name", "engine"), [*product(BY_PERIOD, ["pandas"]), *product(["season", "unusual", "cycle_times"], ENGINES)]
)
def test_two_venues_are_not_pooled_by_the_ids_of_periods(venues, name, engine):
    periods, actions = venues
    with pytest.raises(
        pk.ArgumentError, match=r"Period 41\d\d has actions of 'North' and of 'South': .* \"venue\" to by"
    ):
        BY_PERIOD[name](ENGINES[engine](actions), periods)


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


@pytest.mark.parametrize("metric", [pk.season, pk.unusual, pk.marker_profile, pk.plots.season_chart])
@pytest.mark.parametrize("what", ["venue", "start_date"])
def test_periods_of_two_venues_are_told_apart_or_refused(venues, metric, what):
    periods, actions = venues
    other = {"venue": "South", "start_date": periods["start_date"] + pd.Timedelta("1D")}[what]
    north = periods.assign(venue="North")
    both = pd.concat([north, north.assign(**{what: other})])
    with pytest.raises(pk.ArgumentError, match="periods has several periods with the id 41"):
        metric(actions[actions["venue"] == "North"], both)
    again = pd.concat([periods, periods.assign(period_name="Renamed")])
    assert set(pk.season(actions[actions["venue"] == "North"], again)["period_name"]) == {"Renamed"}


def test_actions_of_no_period_are_counted(season_frames):
    periods, actions = season_frames
    chosen = periods.tail(20)
    out = int((~actions["period_id"].isin(chosen["period_id"])).sum())
    note = f"{out:,} actions belong to none of the periods, and are left out."
    for measure in ("ai_rate", "p90", "actions"):
        assert pk.season(actions, chosen, measure).attrs["note"] == note
    assert pk.season(actions, chosen, "reroute_rate").attrs["note"].endswith(f". {note}")
    assert "note" not in pk.season(actions, periods).attrs


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
