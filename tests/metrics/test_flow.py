"""Work in progress is exactly what came less what went, in every engine."""

import duckdb
import pandas as pd
import pyarrow as pa
from hypothesis import given, settings
from metrics.strategies import FRAMES, action, frame

import periodkit as pk


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
