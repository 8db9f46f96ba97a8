"""Work in progress is exactly what came less what went, in every engine."""

import duckdb
import oracle
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from laws import law
from rules import enter
from strategies import FRAMES, NO_TIMES, action, at, frame

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


def ends_unseen(actions):
    """Whether one closes years ahead and was never seen, so that nothing says that this is absurd."""
    return (actions["fetched_at"].isna() & (actions["closed_time"] > at(9999))).any()


@law(20)
@given(FRAMES)
def test_work_in_progress_is_what_came_less_what_went(actions):
    assume(not ends_unseen(actions))
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


@law(40)
@given(FRAMES, st.sampled_from(["5min", "7min", "1h"]), st.sampled_from([None, 4, 9]))
def test_it_is_what_a_count_action_by_action_gives(actions, freq, moment):
    as_of = at(moment)
    assume(as_of is not None or not ends_unseen(actions))
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
    origin = first.floor("D")
    begin, end = (origin + (moment - origin) // width * width for moment in (first, last))
    bins = pd.date_range(begin, end, freq=freq)
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


@pytest.mark.parametrize(
    ("freq", "begins"),
    [
        ("5min", "2024-07-02T00:00Z"),
        ("0.25h", "2024-07-02T00:00Z"),
        ("6h", "2024-07-02T00:00Z"),
        ("1D", "2024-07-02T00:00Z"),
        ("7min", "2024-07-02T00:00Z"),
        ("100min", "2024-07-02T00:00Z"),
        ("7h", "2024-07-02T00:00Z"),
        ("7D", "2024-07-02T00:00Z"),
        ("0.57min", "2024-07-02T00:01:08.4Z"),
    ],
)
def test_bins_begin_where_the_documentation_says(freq, begins):
    midnight = 5 * 60  # in minutes after 19:00
    late = 1.5 if freq == "0.57min" else 0.5
    load = pk.workload(frame([action(created=midnight + late, closed=midnight + 3, fetched=midnight + 9)]), freq)
    assert load["time"].iloc[0] == pd.Timestamp(begins)
    width = pd.Timedelta(milliseconds=34_200) if freq == "0.57min" else pd.Timedelta(freq)
    steps = load["time"] - load["time"].iloc[0].floor("D")
    assert (steps % width == pd.Timedelta(0)).all()


def test_a_length_that_divides_no_day_keeps_its_steps_over_midnight():
    load = pk.workload(frame([action(fetched=600)]), "7min")
    since = load["time"] - pd.Timestamp("2024-07-01", tz="UTC")
    assert load["time"].iloc[0] == pd.Timestamp("2024-07-01T18:54Z")
    assert (since % pd.Timedelta("7min") == pd.Timedelta(0)).all()


@pytest.mark.parametrize("absurd", [*NO_TIMES, 60 * 24 * 1000])
@pytest.mark.parametrize("which", ["created", "closed"])
def test_an_absurd_record_is_counted_and_makes_no_bins(absurd, which):
    usual = [action(created=number, closed=number + 5) for number in range(29)]
    odd = action(**({"closed": 3} | {which: absurd}))
    load = pk.workload(frame([*usual, odd]), "1s")
    assert len(load) == 33 * 60 + 1
    assert load["arrivals"].sum() == load["departures"].sum() == 29
    assert load[["n", "invalid"]].iloc[0].tolist() == [29, 1]
    alone = pk.workload(frame([odd]), "1s")
    assert (len(alone), list(alone.columns)) == (0, list(load.columns))
