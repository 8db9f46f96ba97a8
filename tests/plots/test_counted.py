"""What is counted is drawn of a DuckDB relation as of its rows in memory, and none of these is read."""

import duckdb
import pytest
from pictures import COUNTED, keyed, picture

import periodkit as pk
from periodkit.frames import engines, grouping


@pytest.mark.parametrize(
    "name", [name for name in COUNTED if "Channel" not in name]
)  # DuckDB knows one column of that name
def test_duckdb_counts_what_is_drawn(season_frames, name, monkeypatch):
    actions, table = keyed(season_frames[1], name)
    expected = picture(COUNTED[name](actions, season_frames[0]))
    for module in (engines, grouping):
        monkeypatch.setattr(module, "in_pandas", lambda actions, columns: pytest.fail("reads rows"))
    assert picture(COUNTED[name](duckdb.connect().from_arrow(table), season_frames[0])) == expected
    assert len(expected[0]) > 5


@pytest.mark.parametrize("why", ["two keys with one hash", "many keys"])
def test_rows_are_read_where_keys_cannot_be_told_in_place(season_frames, why, monkeypatch):
    actions, table = keyed(season_frames[1], "channel")
    connection = duckdb.connect()
    if why == "many keys":
        monkeypatch.setattr(engines, "_MOST_KEYS", 3)
    else:
        connection.execute("CREATE MACRO hash(one) AS 1")
    drawn = pk.plots.dispatch_rate(connection.from_arrow(table), by="channel")
    assert picture(drawn) == picture(pk.plots.dispatch_rate(actions, by="channel"))


def test_no_rows_are_drawn_as_none(season_frames):
    nothing, table = (each[:0] for each in keyed(season_frames[1], "channel"))
    for by in (None, "channel", "period_id"):
        drawn = pk.plots.cycle_time_ecdf(duckdb.connect().from_arrow(table), by=by)
        assert picture(drawn) == picture(pk.plots.cycle_time_ecdf(nothing, by=by))


@pytest.mark.parametrize("plot", ["cycle_time_ecdf", "dispatch_rate", "season_chart"])
def test_keys_that_were_not_there_at_first_are_told_of(season_frames, plot):
    connection = duckdb.connect()
    connection.register("actions", keyed(season_frames[1], "channel")[1])
    changing = connection.sql("SELECT *, random() AS place FROM actions LIMIT 100")
    with pytest.raises(pk.ArgumentError, match="gave other rows when it was read again"):
        getattr(pk.plots, plot)(changing, by="place")
