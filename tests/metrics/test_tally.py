"""Counting: the same in every engine, in any order, in any parts."""

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import periodkit as pk
from periodkit.errors import ArgumentError, SchemaError
from periodkit.metrics.tally import COUNTED, count_stage
from periodkit.milestones import STAGES

START = pd.Timestamp("2024-07-01T19:00Z")
UTC = pd.DatetimeTZDtype("us", "UTC")

offsets = st.none() | st.integers(-3, 60)
rows = st.fixed_dictionaries(
    {
        "created_time": st.none() | st.integers(0, 30),
        "assigned_time": offsets,
        "doing_time": offsets,
        "closed_time": offsets,
        "status": st.sampled_from([None, "open", "closed", "Done", "CANCELED", "cancelled"]),
        "channel": st.sampled_from([None, "Bar", "Gate", ""]),
        "latest_channel": st.sampled_from([None, "Bar", "Gate"]),
        "ai_dispatched": st.sampled_from([None, True, False]),
    }
)


def frame(records):
    columns = ["created_time", "assigned_time", "doing_time", "closed_time"]
    made = pd.DataFrame(records, columns=[*columns, "status", "channel", "latest_channel", "ai_dispatched"])
    for name in columns:
        made[name] = (START + pd.to_timedelta(made[name].astype("Float64"), unit="min")).astype(UTC)
    made["fetched_at"] = pd.Series(START + pd.Timedelta("55min"), index=made.index).astype(UTC)
    kinds = {"status": "str", "channel": "str", "latest_channel": "str", "ai_dispatched": "boolean"}
    return made.astype(kinds)


frames = st.lists(rows, max_size=14).map(frame)
by = st.sampled_from([None, "channel", ["ai_dispatched", "channel"]])


def assert_same_counts(one, other):
    pd.testing.assert_frame_equal(one.groups, other.groups, check_dtype=False)
    for name in ("code", "duration", *COUNTED):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@settings(max_examples=25, deadline=None)
@given(frames, by, st.sampled_from(list(STAGES)), st.randoms(use_true_random=False))
def test_parts_add_up_to_the_whole_in_any_order(actions, by, stage, random):
    whole = count_stage(actions, stage, by)
    order = list(range(len(actions)))
    random.shuffle(order)
    cut = len(order) // 3
    parts = [actions.iloc[order[:cut]], actions.iloc[order[cut:]]]
    assert_same_counts(count_stage(parts[0], stage, by) + count_stage(parts[1], stage, by), whole)
    totals = whole.totals()
    assert totals["n"].sum() == len(actions)


@settings(max_examples=8, deadline=None)
@given(frames, by, st.sampled_from([None, "2024-07-01T19:25Z"]))
def test_every_engine_gives_the_same_results(actions, by, as_of):
    table = pa.Table.from_pandas(actions, preserve_index=False)
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'")
        engines = [table, pl.from_arrow(table), pl.from_arrow(table).lazy(), connection.from_arrow(table)]
        for engine in engines:
            for metric in (
                lambda data: pk.cycle_times(data, by=by, stage="response", as_of=as_of),
                lambda data: pk.outcome_curve(data, by=by, as_of=as_of),
                lambda data: pk.on_time(data, "10min", by=by, as_of=as_of),
                lambda data: pk.ai_dispatch_rate(data, by="channel"),
                lambda data: pk.reroute_rate(data, by="ai_dispatched"),
                pk.routing_matrix,
                lambda data: pk.workload(data, as_of=as_of),
            ):
                pd.testing.assert_frame_equal(metric(engine), metric(actions), check_dtype=False)


@settings(max_examples=25, deadline=None)
@given(frames, by, st.sampled_from(list(STAGES)), st.sampled_from(["censor", "exclude"]))
def test_n_is_what_was_used_and_every_exclusion(actions, by, stage, canceled):
    times = pk.cycle_times(actions, by=by, stage=stage, canceled=canceled)
    assert times["n"].sum() == len(actions)
    left_out = ["not_started", "invalid", "unknown"] + (["canceled", "left"] if canceled == "exclude" else [])
    assert (times["used"] + times[left_out].sum(axis=1) == times["n"]).all()
    used = ["events", "open"] + ([] if canceled == "exclude" else ["canceled", "left"])
    assert (times[used].sum(axis=1) == times["used"]).all()
    curve = pk.outcome_curve(actions, by=by, stage=stage)
    shares = curve[["closed", "canceled", "open"]].dropna().sum(axis=1)
    np.testing.assert_allclose(shares, 1, atol=1e-12)
    made = pk.on_time(actions, "10min", stage=stage, by=by, canceled=canceled)
    known = made.dropna(subset=["rate"])
    assert ((known["worst"] <= known["rate"] + 1e-12) & (known["rate"] <= known["best"] + 1e-12)).all()
    assert (made["met"] + made["missed"] + made["undetermined"] == made["used"]).all()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=1, max_size=40), st.sampled_from([0.1, 0.5, 0.9]))
def test_with_nothing_open_or_canceled_it_is_the_empirical_distribution(minutes, q):
    actions = frame([{"created_time": 0, "closed_time": m, "status": "closed"} for m in minutes])
    found = pk.cycle_times(actions, quantiles=[q]).filter(regex=r"^p\d+$").iloc[0, 0]
    assert found == pd.Timedelta(minutes=float(np.quantile(minutes, q, method="inverted_cdf")))


@settings(max_examples=40, deadline=None)
@given(frames)
def test_work_in_progress_is_what_came_less_what_went(actions):
    load = pk.workload(actions, freq="7min")
    if load.empty:
        return
    assert ((load["arrivals"] - load["departures"]).cumsum() == load["in_progress"]).all()
    assert load["arrivals"].sum() == load["n"].iloc[0]
    assert (load["in_progress_max"] >= load["in_progress"]).all()
    assert (load["in_progress"] >= 0).all()
    left_out = load[["not_started", "invalid", "unknown"]].iloc[0].sum()
    assert load["n"].iloc[0] + left_out == len(actions)


def test_a_long_time_in_duckdb_is_exact():
    actions = frame([{"created_time": 0, "closed_time": 60 * 24 * 400 + 1, "status": "closed"}])
    with duckdb.connect() as connection:
        relation = connection.from_arrow(pa.Table.from_pandas(actions, preserve_index=False))
        assert pk.cycle_times(relation)["p50"].iloc[0] == pd.Timedelta(minutes=60 * 24 * 400 + 1)


def test_what_cannot_be_counted_is_named():
    actions = frame([{"created_time": 0, "closed_time": 1, "status": "closed"}])
    with pytest.raises(SchemaError, match="'zone'"):
        pk.cycle_times(actions, by="zone")
    with pytest.raises(ArgumentError, match="resolution is 'h'"):
        count_stage(actions, resolution="h")
    with pytest.raises(ArgumentError, match="stage is 'cycles'"):
        pk.cycle_times(actions, stage="cycles")
    with pytest.raises(ArgumentError, match="dict"):
        pk.cycle_times({"created_time": []})
    with pytest.raises(ArgumentError, match="each column once"):
        pk.cycle_times(actions, by=["channel", "channel"])
    with pytest.raises(ArgumentError, match="added"):
        _ = count_stage(actions, by="channel") + count_stage(actions)
    with pytest.raises(ArgumentError, match="'lists'"):
        pk.cycle_times(actions.assign(lists=[["a"]]), by="lists")
