"""What is counted is drawn of a lazy frame as of its rows in memory, and none of these is read."""

from itertools import product

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from pictures import COUNTED, keyed, picture

import periodkit as pk
from periodkit.frames import grouping
from periodkit.frames.engines import in_place, opened

LAZY = {
    "duckdb": lambda table: duckdb.connect().from_arrow(table),
    "polars": lambda table: pl.from_arrow(table).lazy(),
}
each_lazy = pytest.mark.parametrize("made", LAZY.values(), ids=LAZY)


@pytest.mark.parametrize(
    ("engine", "name"),
    # DuckDB knows one column named channel or Channel.
    [pair for pair in product(LAZY, COUNTED) if pair[0] != "duckdb" or "Channel" not in pair[1]],
)
def test_what_is_counted_is_drawn_where_it_is(season_frames, engine, name, monkeypatch):
    actions, table = keyed(season_frames[1], name)
    expected = picture(COUNTED[name](actions, season_frames[0]))
    for module in (opened, grouping):
        monkeypatch.setattr(module, "in_pandas", lambda actions, columns: pytest.fail("reads rows"))
    assert picture(COUNTED[name](LAZY[engine](table), season_frames[0])) == expected
    assert len(expected[0]) > 5


KEYS = {
    "floats": [0.5, None, -0.0, 0.0, float("nan")],
    "flags": [True, None, False, True, True],
    "moments": pd.to_datetime(["2024-07-01T19:00Z", None, "2024-07-01T20:00Z"] + 2 * ["2024-07-01T19:00Z"]),
    "categories": pd.Categorical(["b", None, "a", "b", "b"], ["c", "b", "a"]),
}


@each_lazy
@pytest.mark.parametrize("kind", KEYS)
def test_keys_of_any_kind_are_drawn_where_they_are(season_frames, kind, made):
    actions, table = keyed(season_frames[1], "channel")
    values = pd.Series(KEYS[kind]).take(np.arange(len(actions)) % 5).set_axis(actions.index)
    actions["key"] = values
    table = table.append_column("key", pa.array(values, from_pandas=True))
    drawn = pk.plots.dispatch_rate(made(table), by=["key", "ai_dispatched"])
    assert picture(drawn) == picture(pk.plots.dispatch_rate(actions, by=["key", "ai_dispatched"]))


@pytest.mark.parametrize("why", ["two keys with one hash", "many keys"])
def test_rows_are_read_where_keys_cannot_be_told_in_place(season_frames, why, monkeypatch):
    actions, table = keyed(season_frames[1], "channel")
    connection = duckdb.connect()
    if why == "many keys":
        monkeypatch.setattr(in_place, "_MOST_KEYS", 3)
    else:
        connection.execute("CREATE MACRO hash(one) AS 1")
    drawn = pk.plots.dispatch_rate(connection.from_arrow(table), by="channel")
    assert picture(drawn) == picture(pk.plots.dispatch_rate(actions, by="channel"))


@each_lazy
def test_no_rows_are_drawn_as_none(season_frames, made):
    nothing, table = (each[:0] for each in keyed(season_frames[1], "channel"))
    for by in (None, "channel", "period_id"):
        drawn = pk.plots.cycle_time_ecdf(made(table), by=by)
        assert picture(drawn) == picture(pk.plots.cycle_time_ecdf(nothing, by=by))


@pytest.mark.parametrize("plot", ["cycle_time_ecdf", "dispatch_rate", "season_chart"])
def test_keys_that_were_not_there_at_first_are_told_of(season_frames, plot):
    connection = duckdb.connect()
    connection.register("actions", keyed(season_frames[1], "channel")[1])
    changing = connection.sql("SELECT *, random() AS place FROM actions LIMIT 100")
    with pytest.raises(pk.ArgumentError, match="gave other rows when it was read again"):
        getattr(pk.plots, plot)(changing, by="place")
