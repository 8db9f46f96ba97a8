"""Work in progress is exactly what came less what went, in every engine."""

import duckdb
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metrics import oracle
from metrics.rules import enter
from metrics.strategies import FRAMES, action, at, frame

import periodkit as pk


@pytest.mark.parametrize("number", [0, 1])
def test_of_the_recorded_calls_it_is_what_r_counts(recorded_frames, number):
    want = oracle.expected("more")["workload"][number]
    got = pk.workload(recorded_frames[1], pd.Timedelta(seconds=want["freq_s"]))
    columns = ["arrivals", "departures", "in_progress", "in_progress_max"]
    assert got[columns].to_dict("list") == {name: want[name] for name in columns}
    assert got["time"].tolist() == [
        *pd.date_range(
            pd.Timestamp(want["first_bin"], unit="s", tz="UTC"),
            periods=want["bins"],
            freq=pd.Timedelta(seconds=want["freq_s"]),
        )
    ]
    for name in ("n", "not_started", "invalid", "unknown"):
        assert (got[name] == want[name]).all()
    assert got["in_progress_max"].max() == want["max_wip"]


@settings(max_examples=40, deadline=None)
@given(FRAMES)
def test_work_in_progress_is_what_came_less_what_went(actions):
    load = pk.workload(actions, freq="7min")
    if load.empty:
        return
    assert ((load["arrivals"] - load["departures"]).cumsum() == load["in_progress"]).all()
    assert load["arrivals"].sum() == load["n"].iloc[0]
    assert (load["in_progress_max"] >= load["in_progress"]).all()
    assert (load["in_progress"] >= 0).all()
    assert load["n"].iloc[0] + load[["not_started", "invalid", "unknown"]].iloc[0].sum() == len(actions)


def test_rows_that_do_not_count_leave_the_others_exact():
    actions = frame([action(), action(created=None)])
    assert pk.workload(actions)["arrivals"].sum() == 1


def test_duckdb_keeps_rates_and_long_times_exact():
    actions = frame([action(closed=60 * 24 * 400 + 1, fetched=60 * 24 * 401)])
    with duckdb.connect() as connection:
        relation = connection.from_arrow(pa.Table.from_pandas(actions, preserve_index=False))
        assert pk.cycle_times(relation)["p50"].iloc[0] == pd.Timedelta(minutes=60 * 24 * 400 + 1)
        assert pk.ai_dispatch_rate(relation.filter("false"))["n"].tolist() == [0]


@settings(max_examples=80, deadline=None)
@given(FRAMES, st.sampled_from(["1min", "7min", "1h"]), st.sampled_from([None, 4, 9]))
def test_it_is_what_a_count_action_by_action_gives(actions, freq, moment):
    as_of = at(moment)
    load = pk.workload(actions, freq, as_of=as_of)
    stays = []
    for row in actions.to_dict("records"):
        state, length, seen = enter(row, "cycle", as_of)
        if length is not None:
            came = row["created_time"]
            went = None if state == "open" else came + length
            stays.append((came, went, went or seen))
    assert load["n"].iloc[0] == len(stays) if len(load) else not stays
    if not stays:
        return
    width = pd.Timedelta(freq)
    first, last = min(came for came, _, _ in stays), max(max(came, end) for came, _, end in stays)
    bins = pd.date_range(first.floor(freq), last.floor(freq), freq=freq)
    assert load["time"].tolist() == bins.tolist()
    for start, row in zip(bins, load.to_dict("records"), strict=True):
        stop = start + width
        assert row["arrivals"] == sum(start <= came < stop for came, _, _ in stays)
        assert row["departures"] == sum(went is not None and start <= went < stop for _, went, _ in stays)
        assert row["in_progress"] == sum(came < stop and (went is None or went >= stop) for came, went, _ in stays)
        moments = {start, *(m for came, went, _ in stays for m in (came, went) if m is not None and start <= m < stop)}
        # Just before a moment's departures: who came by then and did not go earlier.
        most = max(sum(came <= m and (went is None or went >= m) for came, went, _ in stays) for m in moments)
        before = sum(came < start and (went is None or went >= start) for came, went, _ in stays)
        assert row["in_progress_max"] == max(most, before)


def test_an_event_fetched_months_later_ends_when_it_ended():
    closed = [action(closed=12, fetched=60 * 24 * 90), action(created=3, closed=7, fetched=60 * 24 * 90)]
    load = pk.workload(frame(closed), "1s")
    assert (len(load), load["in_progress"].iloc[-1]) == (12 * 60 + 1, 0)
    assert load["time"].iloc[-1] == at(12)


def test_while_something_is_open_it_ends_when_that_was_last_seen():
    load = pk.workload(frame([action(closed=12, fetched=200), action(fetched=60)]), "5min")
    assert load["time"].iloc[-1] == at(60)
    assert load["in_progress"].tolist() == [2, 2, *[1] * 11]


def test_too_many_bins_say_what_to_do():
    with pytest.raises(pk.ArgumentError, match=r"freq .* as_of"):
        pk.workload(frame([action(fetched=60 * 24 * 90)]), "1s")
