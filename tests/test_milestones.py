"""What happened to an action: every rule of the stage times and of how an action enters a stage's statistics."""

from datetime import datetime, timedelta, timezone

import pandas as pd
import pytest
from metrics.strategies import ENGINES, NO_TIMES, action, actions, at, frame, minutes

import periodkit as pk
from periodkit.milestones import MILESTONES, STAGES, TIMED, stage_states

DAY = 24 * 60
FLAGS = ["out_of_order", "skipped_stage", "ended_without_time", "after_as_of", "absurd"]
WHOLE = {"assigned": 2, "doing": 5, "closed": 30, "status": "closed"}


ENDED = ["closed", "complete", "completed", "done", "finished", "resolved", "CLOSED", "Resolved"]
ENDED += [" done", "done\t", "\u00a0Closed\u00a0", "\u202fFINISHED\u3000", "\ufeffcomplete\r\n"]
CANCELED = [
    "canceled",
    "cancelled",
    "CANCELED",
    "Cancelled",
    "Canceled - duplicate",
    "\u00a0cancelled by guest ",
    "CANCELEDx",
]
GOING_ON = [
    "doing",
    "not canceled",
    "cancel",
    "cance led",
    "undone",
    "done?",
    "closed later",
    "to be finished",
    " ",
    "\u00a0",
]


def first(as_of=None, **row):
    """Return the stage times of one action."""
    return pk.stage_times(actions(row), as_of=as_of).iloc[0]


def enters(stage, as_of=None, **row):
    """Return how one action enters a stage: its state, and its minutes where it has any."""
    entry = stage_states(actions(row), stage, as_of).iloc[0]
    assert pd.isna(entry["length"]) == (entry["state"] not in TIMED)
    return entry["state"], None if pd.isna(entry["length"]) else entry["length"] / minutes(1)


def test_stages_are_those_five():
    milestones = {name: (stage.start, stage.end) for name, stage in STAGES.items()}
    assert milestones == {
        "dispatch": ("created_time", "assigned_time"),
        "pickup": ("assigned_time", "doing_time"),
        "response": ("created_time", "doing_time"),
        "work": ("doing_time", "closed_time"),
        "cycle": ("created_time", "closed_time"),
    }


def test_stage_times_of_a_whole_action():
    got = first(**WHOLE)
    assert {name: got[name] for name in STAGES} == {
        "dispatch": minutes(2),
        "pickup": minutes(3),
        "response": minutes(5),
        "work": minutes(25),
        "cycle": minutes(30),
    }
    assert got["outcome"] == "closed"
    assert not got[FLAGS].any()


@pytest.mark.parametrize(
    ("row", "outcome"),
    [
        ({}, "open"),
        ({"assigned": 1, "doing": 2}, "open"),
        ({"status": "doing"}, "open"),
        ({"closed": 9}, "closed"),
        ({"closed": 9, "status": "open"}, "closed"),
        ({"closed": 9, "status": "closed"}, "closed"),
        *(({"status": text}, "unknown") for text in ENDED),
        *(({"status": text}, "canceled") for text in CANCELED),
        *(({"status": text}, "open") for text in GOING_ON),
        ({"closed": 9, "status": "cancelled"}, "canceled"),
        ({"created": None}, "open"),
        ({"created": None, "closed": 9}, "closed"),
        ({"fetched": None}, "open"),
    ],
)
def test_outcome(row, outcome):
    assert first(**row)["outcome"] == outcome


@pytest.mark.parametrize(
    ("row", "flags"),
    [
        ({}, []),
        (WHOLE, []),
        ({**WHOLE, "assigned": 6}, ["out_of_order"]),
        ({**WHOLE, "closed": -1}, ["out_of_order"]),
        ({**WHOLE, "closed": 4}, ["out_of_order"]),
        ({**WHOLE, "assigned": 0, "doing": 0, "closed": 0}, []),
        ({**WHOLE, "assigned": None}, ["skipped_stage"]),
        ({**WHOLE, "doing": None}, ["skipped_stage"]),
        ({"closed": 1, "status": "canceled"}, ["skipped_stage"]),
        ({"doing": 4}, []),
        ({"status": "done"}, ["ended_without_time"]),
        ({"status": "Cancelled"}, ["ended_without_time"]),
        ({**WHOLE, "fetched": 29}, []),
        ({**WHOLE, "fetched": 28.99}, ["after_as_of"]),
        ({"created": 62}, ["after_as_of"]),
        ({**WHOLE, "fetched": None}, []),
        ({**WHOLE, "fetched": 30 - DAY}, ["after_as_of"]),
        ({**WHOLE, "fetched": 29.999 - DAY}, ["after_as_of", "absurd"]),
        ({"closed": "9999-12-31T23:59:59Z"}, ["skipped_stage", "after_as_of", "absurd"]),
        ({**WHOLE, "assigned": "1900-01-01T00:00Z"}, ["out_of_order", "absurd"]),
        ({**WHOLE, "doing": "1970-01-01T00:00Z", "fetched": None}, ["out_of_order", "absurd"]),
        ({**WHOLE, "created": "1999-12-31T23:59Z"}, ["absurd"]),
        ({**WHOLE, "created": "2000-01-01T00:00Z"}, []),
    ],
)
def test_flags(row, flags):
    got = first(**row)[FLAGS]
    assert [name for name in FLAGS if got[name]] == flags


def test_a_bad_interval_is_null_and_its_record_stays():
    got = first(assigned=6, doing=5, closed=30)
    assert pd.isna(got["pickup"])
    assert got["out_of_order"]
    assert (got["dispatch"], got["response"], got["cycle"]) == (minutes(6), minutes(5), minutes(30))


# For each stage: the names of its first and last milestone.
ENDS = {
    name: [getattr(stage, side).removesuffix("_time") for side in ("start", "end")] for name, stage in STAGES.items()
}
each_stage = pytest.mark.parametrize(("start", "end", "stage"), [(*ends, name) for name, ends in ENDS.items()])
open_ended = pytest.mark.parametrize(
    ("start", "end", "stage"), [(*ends, name) for name, ends in ENDS.items() if ends[1] != "closed"]
)


@each_stage
class TestStageEntry:
    """The rules, in their order, for each of the five stages; the start is at minute 10."""

    def test_1_no_start(self, start, end, stage):
        row = {"created": 0, "assigned": 1, "doing": 2, "closed": 3, start: None}
        assert enters(stage, **row) == ("not_started", None)
        assert enters(stage, **{**row, "status": "canceled", "closed": None, end: 4}) == ("not_started", None)

    def test_1_created_after_the_moment(self, start, end, stage):
        assert enters(stage, as_of=at(9), **{"created": 10, start: 10, end: 12}) == ("not_started", None)

    def test_2_the_end_lies_before_the_start(self, start, end, stage):
        assert enters(stage, **{start: 10, end: 9.9}) == ("invalid", None)
        assert enters(stage, **{start: 10, end: 9.9, "status": "canceled"}) == ("invalid", None)

    def test_2_it_was_fetched_before_the_start(self, start, end, stage):
        assert enters(stage, **{start: 10, "fetched": 8.99}) == ("invalid", None)
        assert enters(stage, **{start: 10, end: 8.99, "fetched": 8.99}) == ("invalid", None)

    def test_2_clocks_differ_by_up_to_a_minute(self, start, end, stage):
        assert enters(stage, **{start: 10, "fetched": 9.9}) == ("open", 0)
        assert enters(stage, **{start: 10, "fetched": 9}) == ("open", 0)
        assert enters(stage, **{start: 10, "fetched": 9.9, "status": "done"}) == ("unknown", None)
        assert enters(stage, **{start: 10, end: 9.99, "fetched": 9.9}) == ("invalid", None)

    @pytest.mark.parametrize("none", NO_TIMES)
    def test_2_a_time_that_stands_for_none(self, start, end, stage, none):
        assert enters(stage, **{start: none, end: 12}) == ("invalid", None)
        assert enters(stage, **{start: none}) == ("invalid", None)
        assert enters(stage, **{start: 10, end: none}) == ("invalid", None)
        assert enters(stage, **{start: 10, "closed": none}) == ("invalid", None)

    def test_2_only_the_stages_made_of_an_absurd_time(self, start, end, stage):
        others = {"created_time", "assigned_time", "doing_time"} - {STAGES[stage].start, STAGES[stage].end}
        row = {name.removesuffix("_time"): "1970-01-01T00:00Z" for name in others}
        assert enters(stage, **{**row, start: 10, end: 12}) == ("event", 2)

    def test_3_both_ends(self, start, end, stage):
        assert enters(stage, **{start: 10, end: 12.5}) == ("event", 2.5)
        assert enters(stage, **{start: 10, end: 10}) == ("event", 0)
        assert enters(stage, **{start: 10, end: 12, "fetched": None}) == ("event", 2)
        assert enters(stage, **{start: 10, end: 12, "status": "done"}) == ("event", 2)

    def test_3_canceled_at_the_end(self, start, end, stage):
        expected = "canceled" if end == "closed" else "event"
        assert enters(stage, **{start: 10, end: 12, "status": "Cancelled"}) == (expected, 2)

    def test_6_ended_nobody_knows_when(self, start, end, stage):
        assert enters(stage, **{start: 10, "status": "canceled"}) == ("unknown", None)
        assert enters(stage, **{start: 10, "status": "Resolved"}) == ("unknown", None)

    def test_6_nobody_knows_when_it_was_seen(self, start, end, stage):
        assert enters(stage, **{start: 10, "fetched": None}) == ("unknown", None)

    def test_7_still_open(self, start, end, stage):
        assert enters(stage, **{start: 10}) == ("open", 50)
        assert enters(stage, **{start: 10, "fetched": 10}) == ("open", 0)
        assert enters(stage, **{start: 10, "status": "nobody knows this one"}) == ("open", 50)

    def test_7_still_open_at_the_moment(self, start, end, stage):
        assert enters(stage, as_of=at(12), **{start: 10, end: 12.1}) == ("open", 2)
        assert enters(stage, as_of=at(12), **{start: 10, end: 12}) == ("event", 2)

    def test_a_moment_after_the_fetch_is_the_fetch(self, start, end, stage):
        assert enters(stage, as_of=at(600), **{start: 10}) == ("open", 50)
        assert enters(stage, as_of=at(30), **{start: 10, "fetched": None}) == ("open", 20)

    def test_other_milestones_do_not_matter(self, start, end, stage):
        others = {name: 1 for name in ("created", "assigned", "doing") if name not in (start, end)}
        assert enters(stage, **{**others, start: 10, end: 12}) == ("event", 2)


@open_ended
class TestLeaversAndSkippers:
    def test_4_canceled_before_the_end(self, start, end, stage):
        assert enters(stage, **{start: 10, "closed": 14, "status": "canceled"}) == ("left", 4)
        assert enters(stage, **{start: 10, "closed": 10, "status": "canceled"}) == ("left", 0)

    def test_5_closed_without_a_record_of_the_end(self, start, end, stage):
        assert enters(stage, **{start: 10, "closed": 14}) == ("skipped", 4)
        assert enters(stage, **{start: 10, "closed": 14, "status": "closed", "fetched": None}) == ("skipped", 4)
        assert enters(stage, **{start: 10, "closed": 10, "status": "doing"}) == ("skipped", 0)

    def test_5_not_before_it_was_closed(self, start, end, stage):
        assert enters(stage, as_of=at(13), **{start: 10, "closed": 14, "status": "closed"}) == ("open", 3)
        assert enters(stage, as_of=at(14), **{start: 10, "closed": 14, "status": "closed"}) == ("skipped", 4)

    def test_2_closed_before_the_start(self, start, end, stage):
        assert enters(stage, **{start: 10, "closed": 9}) == ("invalid", None)
        assert enters(stage, **{start: 10, "closed": 9.99, "fetched": 9.99}) == ("invalid", None)

    def test_3_closed_before_both_ends_is_invalid_for_other_stages_alone(self, start, end, stage):
        row = {"created": 10, start: 10, end: 12, "closed": 9}
        assert enters(stage, **row) == ("event", 2)
        assert enters("cycle", **row) == ("invalid", None)


@pytest.mark.parametrize(
    ("as_of", "row", "outcome", "cycle", "flags"),
    [
        (29, WHOLE, "open", ("open", 29), []),
        (30, WHOLE, "closed", ("event", 30), []),
        (29, {**WHOLE, "status": "canceled"}, "open", ("open", 29), []),
        (30, {**WHOLE, "status": "canceled"}, "canceled", ("canceled", 30), []),
        (29, {"status": "canceled"}, "canceled", ("unknown", None), ["ended_without_time"]),
        (29, {"status": "done"}, "unknown", ("unknown", None), ["ended_without_time"]),
        (-1, {"status": "done"}, "not_started", ("not_started", None), []),
        (-1, {"closed": -5}, "not_started", ("not_started", None), []),
        (0, WHOLE, "open", ("open", 0), []),
        (3, {"assigned": 6, "doing": 2}, "open", ("open", 3), []),
        (6, {"assigned": 6, "doing": 2}, "open", ("open", 6), ["out_of_order"]),
        (4, {"created": None, "closed": 9}, "open", ("not_started", None), []),
    ],
)
def test_replay_of_a_moment(as_of, row, outcome, cycle, flags):
    got = first(as_of=at(as_of), **row)
    assert got["outcome"] == outcome
    assert [name for name in FLAGS if got[name]] == flags
    assert enters("cycle", as_of=at(as_of), **row) == cycle


def test_replay_takes_later_milestones_back():
    got = first(as_of=at(3), **WHOLE)
    assert got["dispatch"] == minutes(2)
    assert got[["pickup", "response", "work", "cycle"]].isna().all()


@pytest.mark.parametrize(
    "as_of",
    [
        at(3),
        at(3).isoformat(),
        at(3).to_pydatetime(),
        at(3).tz_convert("Europe/London"),
        datetime(2024, 7, 1, 14, 3, tzinfo=timezone(timedelta(hours=-5))),
    ],
)
def test_a_moment_can_be_written_in_several_ways(as_of):
    pd.testing.assert_frame_equal(pk.stage_times(actions(WHOLE), as_of), pk.stage_times(actions(WHOLE), at(3)))


@pytest.mark.parametrize("as_of", ["2024-07-01T19:03:00", datetime(2024, 7, 1), "yesterday", 3, pd.NaT])
def test_a_moment_that_is_none_is_refused(as_of):
    with pytest.raises(pk.ArgumentError, match="as_of"):
        pk.stage_times(actions(WHOLE), as_of=as_of)


def test_index_order_and_input_are_kept():
    given = actions(WHOLE, {}, {"closed": 3}).set_axis(["b", "a", "b"])
    before = given.copy(deep=True)
    got = pk.stage_times(given)
    assert got.index.tolist() == ["b", "a", "b"]
    assert got["outcome"].tolist() == ["closed", "open", "closed"]
    pd.testing.assert_frame_equal(given, before)


def test_columns_and_dtypes_hold_for_no_rows():
    none, some = pk.stage_times(frame([])), pk.stage_times(actions(WHOLE))
    pd.testing.assert_series_equal(none.dtypes, some.dtypes)
    assert [*some.columns] == [*STAGES, "outcome", *FLAGS]
    assert (some.dtypes[[*STAGES]] == "timedelta64[us]").all()
    assert (some.dtypes[FLAGS] == "bool").all()
    assert len(none) == 0


def test_a_microsecond_is_not_lost():
    given = actions(WHOLE)
    given["closed_time"] += pd.Timedelta(365 * 100, "D") + pd.Timedelta(1, "us")
    assert pk.stage_times(given)["cycle"].iloc[0] == minutes(30) + pd.Timedelta(36500, "D") + pd.Timedelta(1, "us")


@pytest.mark.parametrize("night", ["2024-03-31T00:30Z", "2024-10-27T00:30Z"])
@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_clock_changes_units_and_zones_do_not_matter(night, unit):
    """London's clocks jump at 01:00 UTC; an hour stays an hour."""
    utc = actions({**WHOLE, "closed": 60, "assigned": None})
    times = [*MILESTONES, "fetched_at"]
    utc[times] = utc[times] + (pd.Timestamp(night) - at(0))
    local = utc.assign(**{name: utc[name].dt.as_unit(unit).dt.tz_convert("Europe/London") for name in times})
    pd.testing.assert_frame_equal(pk.stage_times(local), pk.stage_times(utc))
    assert pk.stage_times(local)["cycle"].iloc[0] == pd.Timedelta(hours=1)
    pd.testing.assert_frame_equal(pk.cycle_times(local), pk.cycle_times(utc))
    pd.testing.assert_frame_equal(pk.workload(local), pk.workload(utc))


@pytest.mark.parametrize("column", [*MILESTONES, "status"])
def test_a_missing_column_is_named(column):
    with pytest.raises(pk.SchemaError, match=column):
        pk.stage_times(actions(WHOLE).drop(columns=column))


@pytest.mark.parametrize("column", [*MILESTONES, "fetched_at"])
@pytest.mark.parametrize("wrong", [pd.Timestamp("2024-07-01T19:00"), "2024-07-01T19:00Z", 1_719_860_400])
def test_a_column_that_holds_no_utc_times_is_named(column, wrong):
    with pytest.raises(pk.SchemaError, match=column):
        pk.stage_times(actions(WHOLE).assign(**{column: wrong}))


def test_a_column_of_several_kinds_or_there_twice_is_named():
    given = actions(WHOLE, {})
    with pytest.raises(pk.SchemaError, match="status"):
        pk.stage_times(given.assign(status=pd.Series(["closed", 5], dtype="object")))
    with pytest.raises(pk.SchemaError, match="status"):
        pk.stage_times(pd.concat([given, given[["status"]]], axis=1))


def test_without_fetched_at_the_moment_must_be_given():
    given = actions(WHOLE, {}).drop(columns="fetched_at")
    with pytest.raises(pk.SchemaError, match="as_of"):
        pk.stage_times(given)
    assert pk.stage_times(given, as_of=at(40))["outcome"].tolist() == ["closed", "open"]
    assert not pk.stage_times(given, as_of=at(40))["after_as_of"].any()


def test_only_a_pandas_frame_has_rows_to_keep():
    with pytest.raises(pk.ArgumentError, match="pandas"):
        pk.stage_times(ENGINES["polars"](frame([action()])))


def test_columns_of_nulls_alone_may_have_any_dtype():
    given = frame([action(**WHOLE), action()]).assign(assigned_time=None, doing_time=float("nan"), status=None)
    got = pk.stage_times(given)
    assert got["dispatch"].isna().all()
    assert got["outcome"].tolist() == ["closed", "open"]
