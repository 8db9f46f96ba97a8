"""Batches of an engine's rows: whatever the keys are, they come as they were; and a relation that changes is named."""

import uuid
from unittest import mock

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import periodkit as pk
from periodkit.frames import engines
from periodkit.frames.engines import reading
from periodkit.metrics.tally import count, count_stage

TEXTS = st.sampled_from([None, "", "Bar", "bar", "Zürich", "a.b", 'say "now"'])
NUMBERS = st.sampled_from([None, 0, 1, 2**40])
ROWS = st.lists(st.tuples(TEXTS, NUMBERS, st.integers(0, 9)), max_size=30)


def lazy(table):
    return nw.from_native(duckdb.connect().from_arrow(table))


def read(frame, keys):
    """Return the rows as they are when the keys of each are looked up."""
    batches = engines.batches(frame, keys)
    return [
        rest | key
        for rows in batches.rows
        for rest, key in zip(
            rows.drop_columns(["_hash"]).to_pylist(), batches.keys.take(batches.place(rows)).to_pylist(), strict=True
        )
    ]


SCHEMA = pa.schema({"n": pa.int64(), "form.place": pa.string(), "number": pa.int64()})


@settings(deadline=None)
@given(ROWS, st.integers(1, 8))
def test_keys_come_as_they_were(rows, size):
    table = pa.table(
        {"form.place": [row[0] for row in rows], "number": [row[1] for row in rows], "n": [row[2] for row in rows]},
        schema=pa.schema([SCHEMA.field("form.place"), SCHEMA.field("number"), SCHEMA.field("n")]),
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reading, "_BATCH", size)
        found = read(lazy(table), ["form.place", "number"])
    expected = table.select(["n", "form.place", "number"]).to_pylist()
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_a_relation_that_changes_between_two_readings_is_named():
    connection = duckdb.connect()
    relation = connection.sql(
        "SELECT now() - INTERVAL 1 HOUR AS created_time, now() AS closed_time, 'closed' AS status, now() AS fetched_at, "
        "random() AS place FROM range(100)"
    )
    with pytest.raises(pk.ArgumentError, match="gave other rows when it was read again"):
        pk.cycle_times(relation, by="place")


def test_two_keys_with_one_hash_are_counted_apart(monkeypatch):
    table = pa.table({"form.place": ["Bar", "Gate"], "number": [1, 1], "n": [0, 0]})
    connection = duckdb.connect()
    connection.execute("CREATE MACRO hash(one, other) AS 1")
    assert engines.batches(nw.from_native(connection.from_arrow(table)), ["form.place", "number"]) is None


@pytest.mark.parametrize(
    "kind",
    [
        "ENUM ('Gate', 'Bar')",
        "VARCHAR",
        "BLOB",
        "DATE",
        "DECIMAL(10, 2)",
        "DOUBLE",
        "BOOLEAN",
        "TIMESTAMPTZ",
        "UUID",
        "HUGEINT",
    ],
)
def test_keys_of_any_kind_are_counted_as_they_are_in_rows(kind):
    texts = {
        "ENUM": ["Bar", "Gate"],
        "DATE": ["2024-07-01", "2024-07-02"],
        "BOOL": ["true", "false"],
        "UUID": [str(uuid.UUID(int=n)) for n in (1, 2)],
    }
    texts["TIME"] = texts["DATE"]
    one, other = texts.get(kind[:4], ["1", "2"])
    connection = duckdb.connect()
    relation = connection.sql(
        "SELECT TIMESTAMPTZ '2024-07-01T19:00Z' AS created_time, TIMESTAMPTZ '2024-07-01T19:10Z' AS closed_time, "
        "'closed' AS status, TIMESTAMPTZ '2024-07-01T20:00Z' AS fetched_at, "
        f"CASE i % 3 WHEN 0 THEN '{one}' WHEN 1 THEN '{other}' END::{kind} AS place FROM range(7) t(i)"
    )
    counted = pk.cycle_times(relation, by="place")
    with mock.patch.object(count, "batches", return_value=None):
        pd.testing.assert_frame_equal(pk.cycle_times(relation, by="place"), counted)
    assert sorted(counted["n"]) == [2, 2, 3]


ROW = (
    "TIMESTAMPTZ '2024-07-01T19:00Z' AS created_time, TIMESTAMPTZ '2024-07-01T19:10Z' AS closed_time, 'closed' AS status, "
    "TIMESTAMPTZ '2024-07-01T20:00Z' AS fetched_at, 'Bar' AS channel, 'Bar' AS latest_channel, true AS ai_dispatched"
)


@pytest.mark.parametrize("where", ["column", "session"])
def test_texts_that_a_collation_takes_for_one_are_groups_of_their_own(where):
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE places (place VARCHAR{' COLLATE NOCASE' if where == 'column' else ''})")
    connection.execute("INSERT INTO places VALUES ('Bar'), ('bar'), ('Gate')")
    if where == "session":
        connection.execute("SET default_collation = 'NOCASE'")
    relation = connection.sql(f"SELECT {ROW}, place FROM places")
    for metric in (pk.cycle_times, pk.reroute_rate):
        assert metric(relation, by="place")["place"].tolist() == ["Bar", "bar", "Gate"]


def test_a_column_that_is_needed_anyway_may_be_a_key():
    relation = duckdb.sql(f"SELECT {ROW}")
    for name in ("status", "fetched_at", "created_time", "closed_time"):
        for actions in (relation, relation.pl(), relation.pl().lazy(), relation.to_arrow_table()):
            assert pk.cycle_times(actions, by=name)["n"].tolist() == [1]


@pytest.mark.parametrize("name", ["*", "^c.*$"])
def test_a_name_that_is_a_pattern_is_named(name):
    relation = duckdb.sql(f'SELECT {ROW}, 1 AS "{name}"')
    for actions in (relation, relation.pl(), relation.pl().lazy()):
        with pytest.raises(pk.SchemaError, match="for a pattern"):
            pk.cycle_times(actions, by=name)
    assert pk.cycle_times(relation.to_arrow_table(), by=name)["n"].tolist() == [1]


@pytest.mark.parametrize("name", ["N", "Rate", "REROUTED"])
def test_a_key_may_be_a_count_but_for_the_case(name):
    relation = duckdb.sql(f'SELECT {ROW}, i AS "{name}" FROM (VALUES (7), (7), (8)) t(i)')
    for actions in (relation, relation.pl().lazy(), relation.to_arrow_table()):
        assert pk.reroute_rate(actions, by=name)["n"].tolist() == [2, 1]


@pytest.mark.parametrize(
    "setting",
    ["arrow_lossless_conversion = true", "produce_arrow_string_view = true", "preserve_insertion_order = false"],
)
def test_how_duckdb_is_set_to_hand_over_changes_nothing(setting):
    def counted(*settings):
        connection = duckdb.connect()
        for each in ("TimeZone = 'UTC'", *settings):
            connection.execute(f"SET {each}")
        relation = connection.sql(f"SELECT {ROW}, 1 AS period_id, 'Cup' AS period_name, 7 AS action_id, now() AS other")
        return [pk.cycle_times(relation, by="channel"), pk.reroute_rate(relation), pk.season(relation, measure="p50")]

    for one, other in zip(counted(), counted("arrow_output_version = '1.4'", setting), strict=True):
        pd.testing.assert_frame_equal(one, other)


@pytest.mark.parametrize(
    "encode",
    [lambda texts: texts.cast(pa.string_view()), pc.run_end_encode, pc.dictionary_encode],
    ids=["view", "runs", "dictionary"],
)
def test_how_arrow_lays_texts_out_changes_nothing(encode):
    table = duckdb.sql(
        f"SELECT {ROW}, assigned_time, assigned_time AS doing_time, i AS period_id, 'Night ' || i AS period_name "
        "FROM (SELECT NULL::TIMESTAMPTZ AS assigned_time, * FROM range(3) t(i))"
    ).to_arrow_table()
    other = table
    for at, field in enumerate(table.schema):
        if field.type == pa.string():
            other = other.set_column(at, field.name, encode(table[field.name].combine_chunks()))
    for metric in (
        lambda actions: pk.cycle_times(actions, by=["channel", "status"], as_of="2024-07-01T19:05Z"),
        pk.routing_matrix,
        lambda actions: pk.season(actions, measure="p50"),
    ):
        pd.testing.assert_frame_equal(metric(other), metric(table))


def test_what_arrow_has_no_kind_for_is_named():
    actions = duckdb.sql(f"SELECT {ROW}").to_arrow_table().to_pandas()
    for value in (2**70, 1j):
        with pytest.raises(pk.SchemaError, match="'place' holds values that Arrow has no kind for"):
            pk.cycle_times(actions.assign(place=[value]), by="place")
    for dtype in (pl.Object, pl.Int128):
        rows = pl.from_pandas(actions).with_columns(pl.Series("place", [1], dtype=dtype))
        for each in (rows, rows.lazy()):
            with pytest.raises(pk.SchemaError, match="'place' holds values that Arrow has no kind for"):
                pk.cycle_times(each, by="place")


@pytest.mark.parametrize("moment", ["infinity", "-infinity"])
@pytest.mark.parametrize("name", ["created_time", "closed_time"])
def test_a_moment_that_duckdb_has_no_number_for_is_absurd_as_in_every_engine(name, moment):
    relation = duckdb.sql(f"SELECT * REPLACE (TIMESTAMPTZ '{moment}' AS {name}) FROM (SELECT {ROW})")
    for actions in (relation, relation.pl().lazy(), relation.to_arrow_table()):
        for resolution in ("us", "s"):
            assert pk.cycle_times(actions, resolution=resolution)["invalid"].tolist() == [1]


NAIVE = "SELECT * REPLACE (TIMESTAMP '2024-07-01 20:00' AS created_time)"
TEXT = "SELECT * REPLACE ('2024-07-01T19:00:00.000Z' AS created_time)"
ADVISED = {
    "duckdb": (lambda rows: rows, lambda rows, advice: rows.project(f"* REPLACE ({advice} AS created_time)")),
    "polars": (
        lambda rows: rows.pl().lazy(),
        lambda rows, advice: rows.with_columns(created_time=eval(advice, {"pl": pl})),
    ),
    "pandas": (
        lambda rows: rows.to_arrow_table().to_pandas(),
        lambda rows, advice: rows.assign(created_time=eval(advice, {"pd": pd, "frame": rows})),
    ),
}


@pytest.mark.parametrize("engine", ADVISED)
@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (NAIVE, "holds times without a zone, not UTC times. Say which zone they are in: "),
        (TEXT, "holds text, not UTC times. Read ISO 8601 text with "),
    ],
)
def test_what_is_told_of_times_that_are_no_moments_makes_moments_of_them(engine, rows, said):
    make, mend = ADVISED[engine]
    frame = make(duckdb.sql(f"{rows} FROM (SELECT {ROW})"))
    with pytest.raises(pk.SchemaError) as caught:
        pk.cycle_times(frame)
    told, advice = str(caught.value).split(said)
    assert told == "The column 'created_time' "
    pd.testing.assert_frame_equal(
        pk.cycle_times(mend(frame, advice.rstrip("."))), pk.cycle_times(duckdb.sql(f"SELECT {ROW}"))
    )


def test_what_a_metric_of_pandas_alone_takes_is_told():
    relation = duckdb.sql(f"SELECT {ROW}, NULL::TIMESTAMPTZ AS assigned_time, NULL::TIMESTAMPTZ AS doing_time")
    for frame, call in (
        (relation, ".to_arrow_table().to_pandas()"),
        (relation.pl(), ".to_pandas()"),
        (relation.pl().lazy(), ".collect().to_pandas()"),
        (relation.to_arrow_table(), ".to_pandas()"),
    ):
        with pytest.raises(pk.ArgumentError, match="Filter it, then convert it with ") as caught:
            pk.stage_times(frame)
        assert str(caught.value).endswith(f" {call}.")
        assert len(pk.stage_times(eval(f"frame{call}", {"frame": frame}))) == 1


def test_an_expression_is_no_key():
    class Column:
        def __iter__(self):
            raise TypeError("Column is not iterable")

    for key in (pl.col("channel"), Column()):
        with pytest.raises(pk.ArgumentError, match=r"by is or holds an? [A-Z]\w+; it takes a column name"):
            pk.cycle_times(duckdb.sql(f"SELECT {ROW}"), by=key)


def with_times(**units):
    """One row whose times are in these units and, if a pair, this many of them since 1970."""
    table = duckdb.sql(f"SELECT {ROW}").to_arrow_table()
    for name, told in units.items():
        unit, value = told if isinstance(told, tuple) else (told, None)
        times = table[name].cast(pa.timestamp(unit, "UTC"))
        times = times if value is None else pa.array([value], pa.timestamp(unit, "UTC"))
        table = table.set_column(table.column_names.index(name), name, times)
    return table


EAGER_AND_LAZY = {
    "arrow": lambda table: table,
    "polars": pl.from_arrow,
    "lazy": lambda table: pl.from_arrow(table).lazy(),
}
each_making = pytest.mark.parametrize("make", EAGER_AND_LAZY.values(), ids=EAGER_AND_LAZY)


@each_making
@pytest.mark.parametrize("unit", ["s", "ms"])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_time_further_off_than_microseconds_reach_is_absurd(make, unit, sign):
    beyond = sign * 2 * 2**63 // {"s": 10**6, "ms": 10**3}[unit]
    for name in ("created_time", "closed_time"):
        found = pk.cycle_times(make(with_times(**{name: (unit, beyond)})))
        assert (found["n"].item(), found["invalid"].item()) == (1, 1)


@each_making
def test_what_is_finer_than_a_microsecond_is_cut_off(make):
    closed = 1_719_861_000 * 10**9
    for finer, used in ((1_999, 1), (-1_719_900_000 * 10**9 - 1, 0)):
        found = pk.cycle_times(make(with_times(created_time="ns", closed_time=("ns", closed + finer))), resolution="us")
        assert found["used"].item() == used
    counts = count_stage(make(with_times(closed_time=("ns", closed + 1_999))), resolution="us")
    assert counts.duration.tolist() == [600 * 1_000_000 + 1]


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_duckdb_counts_nanoseconds_in_any_session(zone):
    connection = duckdb.connect()
    connection.execute(f"SET TimeZone='{zone}'")
    actions = connection.from_arrow(with_times(created_time="ns", closed_time="ns", fetched_at="ns"))
    pd.testing.assert_frame_equal(pk.cycle_times(actions), pk.cycle_times(duckdb.sql(f"SELECT {ROW}")))
    assert (
        pk.reroute_rate(connection.sql(f"SELECT {ROW}"), by="fetched_at")["fetched_at"].dtype == "datetime64[us, UTC]"
    )


def test_a_name_that_occurs_twice_is_named_where_it_is_needed():
    twice = duckdb.sql(f"SELECT {ROW}, 'other' AS channel")
    table = duckdb.sql(f"SELECT {ROW}").to_arrow_table()
    for actions in (twice, table.append_column("channel", table["channel"])):
        with pytest.raises(pk.SchemaError, match=r"several columns named 'channel'\. Keep one of them"):
            pk.cycle_times(actions, by="channel")
    assert pk.cycle_times(twice, by="latest_channel")["n"].tolist() == [1]


def test_flags_that_arrow_holds_as_bytes_are_flags():
    table = duckdb.sql(f"SELECT {ROW} FROM range(3)").to_arrow_table()
    flags = pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8()))
    found = pk.cycle_times(table.append_column("late", flags), by="late")
    assert found["late"].astype("object").fillna("none").tolist() == [False, True, "none"]


@pytest.mark.parametrize("first", [0, 1])
def test_times_with_and_without_a_zone_in_one_column_are_refused(first):
    actions = duckdb.sql(f"SELECT {ROW} FROM range(2)").to_arrow_table().to_pandas()
    times = [*actions["created_time"].dt.to_pydatetime()]
    times[first] = times[first].replace(tzinfo=None)
    with pytest.raises(pk.SchemaError, match="'created_time' holds times with a zone and times without"):
        pk.cycle_times(actions.assign(created_time=pd.Series(times, dtype="object")))
