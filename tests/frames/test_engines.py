"""Batches of an engine's rows: whatever the keys are, they come as they were; and a relation that changes is named."""

import uuid
from unittest import mock

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import periodkit as pk
from periodkit.frames import engines
from periodkit.metrics.tally import count

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
        patch.setattr(engines, "_BATCH", size)
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


@pytest.mark.parametrize("count", [pk.cycle_times, pk.ai_dispatch_rate], ids=["rows", "lines"])
@pytest.mark.parametrize("where", ["column", "session"])
def test_no_collation_makes_one_of_two_texts(count, where):
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE places (place VARCHAR{' COLLATE NOCASE' if where == 'column' else ''})")
    connection.execute("INSERT INTO places VALUES ('Bar'), ('bar'), ('BAR'), ('bar')")
    if where == "session":
        connection.execute("SET default_collation = 'NOCASE'")
    relation = connection.sql(
        "SELECT place, TIMESTAMPTZ '2024-07-01T19:00Z' AS created_time, created_time AS assigned_time, "
        "created_time AS closed_time, 'closed' AS status, created_time AS fetched_at, true AS ai_dispatched FROM places"
    )
    found = count(relation, by="place")
    assert found.set_index("place")["n"].to_dict() == {"BAR": 1, "Bar": 1, "bar": 2}
