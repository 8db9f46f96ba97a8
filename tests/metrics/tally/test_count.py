"""Counting: the same in every engine, in any order, in one go or in parts; and by R's figures per period."""

import functools
import operator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest import mock

import duckdb
import narwhals as nw
import numpy as np
import oracle
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from laws import law
from strategies import BY, ENGINES, FRAMES, ROW, action, at, frame

import periodkit as pk
from periodkit.frames import SHARED
from periodkit.frames.engines import reading
from periodkit.metrics.estimate.survival import kaplan_meier, survival_quantile
from periodkit.metrics.tally import cells, count, stage_counts
from periodkit.metrics.tally.count import count_stage
from periodkit.metrics.tally.stage_counts import StageCounts
from periodkit.milestones import STAGES, STATES, stage_states

stages = st.sampled_from([*STAGES])
keys = st.sampled_from([None, "classification", "ai_dispatched", list(BY)])
moments = st.sampled_from([None, 5, 9]).map(at)
methods = st.sampled_from(["kaplan-meier", "observed"])
ways = st.sampled_from(["censor", "exclude"])
skips = st.sampled_from(["exclude", "at_close"])

METRICS: dict[str, Any] = {
    "cycle_times": lambda a, stage, by, as_of: pk.cycle_times(a, by, stage, as_of=as_of),
    "cycle_times observed": lambda a, stage, by, as_of: pk.cycle_times(
        a, by, stage, canceled="exclude", as_of=as_of, method="observed"
    ),
    "cycle_times at close": lambda a, stage, by, as_of: pk.cycle_times(
        a, by, stage, canceled="censor", skipped="at_close", as_of=as_of
    ),
    "outcome_curve": lambda a, stage, by, as_of: pk.outcome_curve(a, stage, by, as_of=as_of),
    "on_time": lambda a, stage, by, as_of: pk.on_time(a, "3min", stage, by, as_of=as_of),
    "on_time at close": lambda a, stage, by, as_of: pk.on_time(a, "3min", stage, by, skipped="at_close", as_of=as_of),
    "ai_dispatch_rate": lambda a, stage, by, as_of: pk.ai_dispatch_rate(a, by, of="assigned"),
    "reroute_rate": lambda a, stage, by, as_of: pk.reroute_rate(a, by),
    "routing_matrix": lambda a, stage, by, as_of: pk.routing_matrix(a),
    "workload": lambda a, stage, by, as_of: pk.workload(a, "2min", as_of=as_of),
}


def same_counts(one: StageCounts, other: StageCounts) -> None:
    pd.testing.assert_frame_equal(one.groups, other.groups)
    for name in ("bounds", "duration", "state", "n"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)


@contextmanager
def in_small_parts():
    sizes = ((reading, "_BATCH", 3), (count, "_BLOCK", 5), (stage_counts, "_PART", 4), (cells, "_PART", 4))
    with ExitStack() as stack:
        for module, name, size in sizes:
            stack.enter_context(mock.patch.object(module, name, size))
        yield


# What is expected of a frame is found once for all engines and metrics; hypothesis prints what was noted last, which fails.
@law(20)
@given(FRAMES, stages, keys, moments, st.sampled_from([None, "us", "ms", "s", "min"]))
def test_every_engine_counts_the_same(actions, stage, by, as_of, resolution):
    expected = count_stage(actions, stage, by, as_of, resolution)
    around = count_stage(actions, stage, by, as_of, around=120_000_000)
    for engine, convert in {"pandas": lambda table: table, **ENGINES}.items():
        theirs = convert(actions)
        note(engine)
        same_counts(count_stage(theirs, stage, by, as_of, resolution), expected)
        note(f"{engine} around a target")
        same_counts(count_stage(theirs, stage, by, as_of, around=120_000_000), around)
        note(f"{engine} in small batches")
        with in_small_parts():
            same_counts(count_stage(theirs, stage, by, as_of, resolution), expected)


@law(20)
@given(FRAMES, stages, keys, moments)
def test_an_engine_that_hands_over_no_rows_counts_where_it_is(actions, stage, by, as_of):
    expected = count_stage(actions, stage, by, as_of)
    with mock.patch.object(count, "batches", return_value=None):
        for engine in ("polars lazy", "duckdb"):
            note(engine)
            same_counts(count_stage(ENGINES[engine](actions), stage, by, as_of), expected)


@law(8)
@given(FRAMES, stages, keys, moments)
def test_every_engine_gives_the_same_result(actions, stage, by, as_of):
    theirs = {engine: convert(actions) for engine, convert in ENGINES.items()}
    for metric, measure in METRICS.items():
        expected = measure(actions, stage, by, as_of)
        for engine, given_ in theirs.items():
            note(f"{metric}, {engine}")
            pd.testing.assert_frame_equal(measure(given_, stage, by, as_of), expected)


@law(10)
@given(FRAMES, stages, keys, moments)
def test_the_size_of_the_parts_does_not_matter(actions, stage, by, as_of):
    for metric, measure in METRICS.items():
        note(metric)
        expected = measure(actions, stage, by, as_of)
        with in_small_parts():
            pd.testing.assert_frame_equal(measure(actions, stage, by, as_of), expected)


@law(10)
@given(st.data(), FRAMES, stages, keys, moments)
def test_row_order_does_not_matter(data, actions, stage, by, as_of):
    mixed = actions.iloc[data.draw(st.permutations(range(len(actions))))]
    for metric, measure in METRICS.items():
        note(metric)
        pd.testing.assert_frame_equal(measure(mixed, stage, by, as_of), measure(actions, stage, by, as_of))


@law(20)
@given(st.lists(FRAMES, min_size=1, max_size=4), stages, keys, moments)
def test_adding_counts_is_counting_the_whole(parts, stage, by, as_of):
    whole = pd.concat(parts, ignore_index=True)
    added = functools.reduce(operator.add, (count_stage(part, stage, by, as_of) for part in parts))
    same_counts(added, count_stage(whole, stage, by, as_of))


@law(20)
@given(FRAMES, stages, keys, moments)
def test_counts_of_every_period_add_up(actions, stage, by, as_of):
    parts = [part for _, part in actions.groupby("period_id", dropna=False)] or [actions]
    added = functools.reduce(operator.add, (count_stage(part, stage, by, as_of) for part in parts))
    same_counts(added, count_stage(actions, stage, by, as_of))


@law(10)
@given(FRAMES, stages, moments)
def test_by_period_each_gets_what_it_gets_alone(actions, stage, as_of):
    def of(table, period):
        same = table["period_id"].isna() if pd.isna(period) else table["period_id"] == period
        return table[same.fillna(value=False)]

    alone = {period: of(actions, period) for period in actions["period_id"].unique()}
    for metric, measure in METRICS.items():
        if metric in ("routing_matrix", "workload"):
            continue
        note(metric)
        together = measure(actions, stage, "period_id", as_of)
        for period, own in alone.items():
            found = of(together, period).drop(columns="period_id").reset_index(drop=True)
            pd.testing.assert_frame_equal(found, measure(own, stage, None, as_of))


@law(20)
@given(FRAMES, moments)
def test_routes_and_load_of_the_periods_add_up(actions, as_of):
    parts = [part for _, part in actions.groupby("period_id", dropna=False)] or [actions]
    routes = pd.concat([pk.routing_matrix(part) for part in parts])
    added = routes.groupby(["channel", "latest_channel"], dropna=False, as_index=False)["n"].sum()
    pd.testing.assert_frame_equal(added, pk.routing_matrix(actions).drop(columns="share"))
    moves = ["arrivals", "departures"]
    loads = pd.concat([pk.workload(part, "2min", as_of=as_of) for part in parts]).groupby("time")[moves].sum()
    whole = pk.workload(actions, "2min", as_of=as_of).set_index("time")
    pd.testing.assert_frame_equal(loads.reindex(whole.index, fill_value=0), whole[moves], check_dtype=False)
    assert (whole["in_progress"] == (whole["arrivals"] - whole["departures"]).cumsum()).all()


@law(20)
@given(FRAMES, stages, keys, moments, methods, ways, skips)
def test_n_is_used_plus_every_exclusion(actions, stage, by, as_of, method, canceled, skipped):
    got = pk.cycle_times(actions, by, stage, canceled=canceled, skipped=skipped, as_of=as_of, method=method)
    assert got["n"].sum() == len(actions)
    left_out = ["not_started", "invalid", "unknown"]
    left_out += ["canceled", "left"] if canceled == "exclude" or method == "observed" else []
    left_out += ["skipped"] if skipped == "exclude" else []
    left_out += ["open"] if method == "observed" else []
    assert (got["n"] == got["used"] + got[left_out].sum(axis=1)).all()
    used = ["events", *(name for name in ("open", "canceled", "left") if name not in left_out)]
    assert (got["used"] == got[used].sum(axis=1)).all()
    late = pk.on_time(actions, "4min", stage, by, canceled, skipped, as_of=as_of)
    if method != "observed":
        counts = [*got.columns[: got.columns.get_loc("unknown") + 1]]
        pd.testing.assert_frame_equal(late[counts], got[counts])
    curve = pk.outcome_curve(actions, stage, by, ["0s"], skipped, as_of=as_of)
    unused = ["not_started", "invalid", "unknown", *(["skipped"] if skipped == "exclude" else [])]
    assert (curve["n"] == curve["used"] + curve[unused].sum(axis=1)).all()


@law(20)
@given(st.data(), FRAMES, stages, keys, moments, ways)
def test_quantiles_at_close_are_never_above_those_of_later_closings(data, actions, stage, by, as_of, canceled):
    options = {"stage": stage, "quantiles": [0.1, 0.5, 0.9], "canceled": canceled, "as_of": as_of}
    columns = ["p10", "p50", "p90"]
    before = pk.cycle_times(actions, by, skipped="at_close", **options)
    # Those that were skipped are closed later, but seen to be so: by then, and no later than what may be true.
    later = pd.to_timedelta(
        data.draw(st.lists(st.integers(0, 90), min_size=len(actions), max_size=len(actions))), "min"
    )
    states = stage_states(actions, stage, as_of)
    moved = actions.assign(fetched_at=actions["fetched_at"] + pd.Timedelta(hours=3)) if as_of is None else actions
    moved = moved.assign(
        closed_time=actions["closed_time"].where(states["state"] != "skipped", actions["closed_time"] + later)
    )
    if (stage_states(moved, stage, as_of)["state"] != states["state"]).any():
        return
    after = pk.cycle_times(moved, by, skipped="at_close", **options)
    for name in columns:
        reached = after[name].notna()
        assert (before.loc[reached, name] <= after.loc[reached, name]).all()


@law(20)
@given(FRAMES, stages, st.sampled_from([0.1, 0.25, 0.5, 0.75, 0.9]))
def test_with_nothing_open_nor_canceled_it_is_the_empirical_distribution(actions, stage, q):
    ended = actions.assign(status="closed")
    states = stage_states(ended, stage)
    length = states["length"][states["state"] == "event"]
    first, last = STAGES[stage].start, STAGES[stage].end
    ended = ended[ended[first].notna() & ended[last].notna()]
    got = pk.cycle_times(ended, stage=stage, quantiles=[q])
    assert got["events"].item() == got["used"].item() == len(length)
    if len(length):
        # The tolerance of the estimate, in numpy's terms: a share that falls on a step belongs to the step.
        expected = np.quantile(length.dt.floor("ms"), max(0, q - 1e-9), method="inverted_cdf")
        assert got.iloc[0, -3] == expected
    else:
        assert pd.isna(got.iloc[0, -3])


@law(20)
@given(FRAMES, stages, keys, moments)
def test_outcome_shares_sum_to_one(actions, stage, by, as_of):
    got = pk.outcome_curve(actions, stage, by, as_of=as_of)
    some = got[got["used"] > 0]
    np.testing.assert_allclose(some[["closed", "canceled", "open"]].sum(axis=1), 1, rtol=0, atol=1e-12)
    assert got.loc[got["used"] == 0, ["closed", "canceled", "open"]].isna().all(axis=None)
    for share in ("closed", "canceled", "open"):
        assert (some[f"{share}_low"] <= some[share] + 1e-12).all()
        assert (some[share] <= some[f"{share}_high"] + 1e-12).all()


@law(20)
@given(FRAMES, stages, keys, moments, ways, skips)
def test_on_time_lies_between_worst_and_best(actions, stage, by, as_of, canceled, skipped):
    got = pk.on_time(actions, "4min", stage, by, canceled, skipped, as_of=as_of)
    assert (got["used"] == got["met"] + got["missed"] + got["undetermined"]).all()
    assert (got["skipped_late"] <= got[["missed", "skipped"]].min(axis=1)).all()
    some = got[got["met"] + got["missed"] > 0]
    for less, more in (("worst", "rate"), ("rate", "best"), ("low", "rate"), ("rate", "high")):
        assert (some[less] <= some[more] + 1e-12).all()


@law(8)
@given(st.lists(ROW, max_size=14), keys)
def test_input_is_never_changed(rows, by):
    actions = frame(rows)
    before = actions.copy(deep=True)
    for metric in METRICS.values():
        metric(actions, "response", by, at(6))
    pd.testing.assert_frame_equal(actions, before)


@pytest.mark.parametrize("stage", oracle.R_NAMES)
@pytest.mark.parametrize("by", [None, "ai_dispatched", "classification"])
def test_periods_cut_off_at_their_end_agree_with_r(recorded_frames, stage, by):
    """Every period is counted as it stood at its own end, and the counts are added."""
    periods, actions = recorded_frames
    ends = dict(zip(periods["period_id"], periods["end_date"], strict=True))
    counts = functools.reduce(
        operator.add,
        (count_stage(part, stage, by, as_of=ends[period]) for period, part in actions.groupby("period_id")),
    )
    found = counts.keys()[by].astype(str).str.removesuffix(".0").tolist() if by else ["all"]
    for canceled in ("censor", "exclude"):
        want = oracle.survival("survival_period_end", oracle.R_NAMES[stage], f"{canceled}_exclude")
        groups = {None: {"all": want["km_overall"]}, "ai_dispatched": want["km_ai"], "classification": want["km_class"]}
        tables = dict(zip((name.lower() for name in found), counts.life_tables(canceled), strict=True))
        for name, group in groups[by].items():
            table = tables[name.lower()]
            assert (table.n, table.event.sum()) == (group["n"], group["events"])
            curve, rows = kaplan_meier(table), oracle.quantiles(group)
            probs = (0.5, 0.85, 0.9, 0.95)[: len(rows[0])]
            got = np.transpose([survival_quantile(curve, q) for q in probs]) * counts.unit / 1e6
            np.testing.assert_array_equal(got, rows, err_msg=name)


def test_a_night_on_which_clocks_are_changed_is_no_hour_longer_in_any_engine():
    # New York is the zone of the sessions, and is four or five hours behind.
    rows = [
        action(created="2024-03-09T20:00Z", closed="2024-03-10T20:00Z", fetched="2024-03-11T00:00Z"),
        action(created="2024-11-02T20:00Z", closed="2024-11-03T20:00Z", fetched="2024-11-04T00:00Z"),
        action(created="2024-01-01T20:00Z", closed="2024-07-01T20:00Z", fetched="2024-07-02T00:00Z"),
    ]
    actions = frame(rows)
    for make in ENGINES.values():
        assert count_stage(make(actions), resolution="s").duration.tolist() == [86_400, 182 * 86_400]
        lengths = stage_states(make(actions))["length"].sort_values()
        assert lengths.tolist() == [pd.Timedelta(days=days) for days in (1, 1, 182)]


def test_ends_are_counted_at_the_first_whole_unit_by_which_they_had_come_and_open_ones_at_the_last_seen():
    rows = [action(closed=1.5, status="closed"), action(closed=1.0001), action(closed=3, status="canceled")]
    actions = frame([*rows, action(created=57.5)])
    got = count_stage(actions, resolution="min")
    states = [STATES[state] for state in got.state]
    assert (got.duration.tolist(), states, got.n.tolist()) == ([2, 2, 3], ["event", "open", "canceled"], [2, 1, 1])
    assert count_stage(actions, resolution="s").duration.tolist() == [61, 90, 150, 180]
    assert count_stage(actions, resolution="us").duration.tolist() == [60_006_000, 90_000_000, 150_000_000, 180_000_000]


def test_counts_of_different_kinds_do_not_add():
    actions = frame([action()])
    for other, said in (
        (count_stage(actions, resolution="s"), "same resolution: these have 'ms' and 's'"),
        (count_stage(actions, by="channel"), r"same by: these have \(\) and \('channel',\)"),
        (count_stage(actions, around=5), "same resolution"),
        (count_stage(actions, "response"), "same stage: these have 'cycle' and 'response'"),
    ):
        with pytest.raises(pk.ArgumentError, match=said):
            count_stage(actions) + other


def test_long_durations_ask_for_a_coarser_resolution():
    rows = [action(channel=str(number)) for number in range(3000)]
    actions = frame(rows).assign(created_time=pd.Timestamp("2000-01-01", tz="UTC").as_unit("us"))
    assert count_stage(actions, by="channel").only("open").sum() == 3000
    with pytest.raises(pk.ArgumentError, match="resolution"):
        count_stage(actions, by="channel", resolution="us")


def test_what_is_no_frame_is_named():
    with pytest.raises(pk.ArgumentError, match="list"):
        pk.cycle_times([1, 2])
    with pytest.raises(pk.SchemaError, match="created_time"):
        pk.cycle_times(pa.table({"status": ["closed"]}))


def test_categories_and_odd_keys_group_like_what_they_hold():
    actions = frame([action(channel=name, closed=2) for name in ("b", None, "a", "b")])
    plain = pk.cycle_times(actions, by="channel")
    category = pk.cycle_times(actions.astype({"channel": "category", "status": "category"}), by="channel")
    assert isinstance(category["channel"].dtype, pd.CategoricalDtype)
    pd.testing.assert_frame_equal(category.astype({"channel": "str"}), plain)


def test_a_list_is_no_key():
    actions = frame([action(assigned_user_names=["Ann", "Bo"])])
    with pytest.raises(pk.ArgumentError, match="assigned_user_names"):
        count_stage(actions, by="assigned_user_names")


@pytest.mark.parametrize("name", ["_timed", "_micros", "_STATE", "_n", "_flag0", "_seen"])
def test_a_key_with_a_name_that_counting_uses_is_refused(name):
    table = frame([action(closed=2)]).assign(**{name: "Bar"})
    for actions in (table, ENGINES["duckdb"](table)):
        for metric in (pk.cycle_times, pk.ai_dispatch_rate):
            with pytest.raises(pk.ArgumentError, match=f"by is or holds '{name}'.* Rename the column"):
                metric(actions, by=name)


def test_no_column_that_counting_adds_can_be_a_key(monkeypatch):
    """A key of such a name would be counted as the column, without a word."""
    added = set()
    for kind in (nw.DataFrame, nw.LazyFrame):

        def noted(self, *given, plain=kind.with_columns, **named):
            added.update(named)
            return plain(self, *given, **named)

        monkeypatch.setattr(kind, "with_columns", noted)
    actions = frame([action(closed=2, assigned_user_names=["Ann", "Bo"]), action(period_id=8)])
    lazy = pl.from_pandas(actions).lazy()
    for table in (actions, lazy, duckdb.from_arrow(lazy.collect().to_arrow())):
        for metric in METRICS.values():
            metric(table, "response", "assigned_user_names", at(9))
        for metric in (pk.season, pk.load):
            metric(table)
    own = {name for name in added if name.startswith("_")}
    assert {"_state", "_micros", SHARED} <= own
    for name in own:
        with pytest.raises(pk.ArgumentError, match="a name that periodkit counts by itself"):
            count.grouping(name)


def test_parts_may_be_summed():
    actions = frame([action(channel=name, closed=2) for name in ("a", "b", "a")])
    parts = [count_stage(actions.iloc[[row]], by="channel") for row in range(3)]
    same_counts(sum(parts), count_stage(actions, by="channel"))
    for other in (0, 5):
        with pytest.raises(TypeError):
            parts[0] + other
    with pytest.raises(TypeError):
        sum(parts, 1)
    with pytest.raises(pk.ArgumentError, match="same around: these have 5 and None"):
        count_stage(actions, around=5) + count_stage(actions, resolution="us")
    with pytest.raises(pk.ArgumentError, match="only if their keys are of the same kind"):
        count_stage(actions, by="channel") + count_stage(actions.assign(channel=7), by="channel")


@pytest.mark.parametrize("engine", ENGINES)
def test_a_duration_that_has_no_room_beside_its_state_asks_for_a_coarser_resolution(engine):
    table = ENGINES["pyarrow"](frame([action(closed=2)]))
    for name, value in (("closed_time", 2**62), ("fetched_at", None)):
        times = pa.array([value], pa.timestamp("us", "UTC"))
        table = table.set_column(table.column_names.index(name), name, times)
    actions = {"pyarrow": table, "polars": pl.from_arrow(table), "polars lazy": pl.from_arrow(table).lazy()}
    actions |= {"duckdb": duckdb.from_arrow(table)}
    with pytest.raises(pk.ArgumentError, match="too long for this resolution"):
        pk.cycle_times(actions[engine], resolution="us")
    assert pk.cycle_times(actions[engine])["n"].item() == 1
