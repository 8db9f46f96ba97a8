"""The table of fields, and what is made from it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from periodkit.schema import ACTIONS, MARKERS, PERIODS, TABLES, Kind, data_dictionary, snake_case

ROOT = Path(__file__).resolve().parents[1]
DTYPES = {
    Kind.ID: "Int64",
    Kind.TEXT: "str",
    Kind.TIME: "datetime64[us, UTC]",
    Kind.FLAG: "boolean",
    Kind.LIST: "object",
}


def test_the_data_dictionary_is_current():
    written = (ROOT / "docs" / "data-dictionary.md").read_bytes().decode()
    assert written == data_dictionary(), "run make docs"


def test_the_data_dictionary_names_every_column_and_field():
    text = data_dictionary()
    for table in TABLES:
        section = text.split(f"## `{table.name}`")[1].split("\n## ")[0]
        rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
        assert [row[0].removeprefix("| ") for row in rows] == [f"`{column}`" for column in table.columns]
        assert {row[1].strip("`") for row in rows} - {"(added)"} == set(table.by_api)
        assert {len(row) for row in rows} == {5}, "a meaning breaks the table"


def test_columns_are_the_snake_case_of_the_api_names_but_for_those_that_join_frames():
    renamed = {
        (table.name, field.api): field.column
        for table in TABLES
        for field in table.fields
        if field.api is not None and snake_case(field.api) != field.column
    }
    assert renamed == {
        ("periods", "id"): "period_id",
        ("periods", "name"): "period_name",
        ("markers", "name"): "marker",
    }


def test_columns_are_the_contract():
    assert PERIODS.columns == [
        "period_id", "period_name", "start_date", "end_date", "created_at", "updated_at", "markers", "fetched_at",
    ]  # fmt: skip
    assert MARKERS.columns == ["period_id", "marker", "timestamp"]
    assert ACTIONS.columns == [
        "period_id", "period_name", "period_action_id", "action_id", "classification", "sub_classification", "status",
        "created_time", "assigned_time", "doing_time", "closed_time", "created_by_user_name", "period_marker",
        "assigned_user_names", "channel", "form_type", "latest_channel", "ai_dispatched", "notes", "fetched_at",
    ]  # fmt: skip


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_an_empty_frame_has_the_whole_schema(table):
    frame = table.empty()
    assert len(frame) == 0
    assert list(frame.columns) == [field.column for field in table.fields]
    assert {column: str(dtype) for column, dtype in frame.dtypes.items()} == {
        field.column: DTYPES[field.kind] for field in table.fields
    }


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_names_are_unique_and_explained(table):
    assert len(set(table.columns)) == len(table.columns)
    sent = [field.api for field in table.fields if field.api is not None]
    assert list(table.by_api) == sent
    for field in table.fields:
        assert field.meaning.endswith(".")
        assert table[field.column] is field


@pytest.mark.parametrize(
    ("api", "column"),
    [
        ("createdTime", "created_time"),
        ("createdByUserName", "created_by_user_name"),
        ("aiDispatched", "ai_dispatched"),
        ("start_date", "start_date"),
        ("periodID", "period_id"),
        ("HTTPStatus", "http_status"),
        ("zone2Name", "zone2_name"),
        ("id", "id"),
    ],
)
def test_snake_case(api, column):
    assert snake_case(api) == column
    assert snake_case(column) == column


@pytest.mark.parametrize("kind", Kind, ids=str)
def test_each_kind_has_one_type_everywhere(kind):
    empty = pa.array([None], kind.arrow)
    series = pd.Series([None], dtype=kind.dtype)
    back = pa.array(series, from_pandas=True)
    assert back.cast(kind.arrow).equals(empty) if kind is not Kind.LIST else back.type == pa.null()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        assert connection.sql(f"SELECT NULL::{kind.sql} AS c").to_arrow_table().schema.field("c").type == kind.arrow
    kind.json["type"] = "changed"
    assert kind.json["type"] != "changed"


def test_people_are_named_in_personal_fields_alone():
    personal = [field.column for table in TABLES for field in table.fields if field.personal]
    assert personal == ["created_by_user_name", "assigned_user_names"]
    rows = [line for line in data_dictionary().splitlines() if "Personal data." in line]
    assert [line.split("`")[1] for line in rows] == personal


GROWN = """
import dataclasses, importlib.util, json, sys
from datetime import UTC, datetime

spec = importlib.util.spec_from_file_location("periodkit.schema", sys.argv[1])
schema = sys.modules["periodkit.schema"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(schema)
new = [
    schema.Field("closed_by", "closedBy", schema.Kind.TEXT, "Who closed it.", personal=True),
    schema.Field("tags", "tags", schema.Kind.LIST, "Its tags.", unit="texts"),
    schema.Field("watchers", "watchers", schema.Kind.LIST, "Who watches it.", personal=True),
]
schema.ACTIONS = dataclasses.replace(schema.ACTIONS, fields=(*schema.ACTIONS.fields, *new))
schema.TABLES = (schema.PERIODS, schema.MARKERS, schema.ACTIONS)

import periodkit as pk
from periodkit.parse import Answer, parse_actions
from periodkit.sandbox.openapi import description

body = {"actions": [{"actionId": 1, "closedBy": "Ada", "tags": ["wet"], "watchers": ["Bo", None]}, {"actionId": 2}]}
frame = parse_actions([Answer(json.dumps(body).encode(), datetime(2024, 7, 1, tzinfo=UTC), 7)])
hidden = pk.pseudonymize(frame, "key")
action = description("1")["components"]["schemas"]["Action"]["properties"]
print(json.dumps({
    "columns": list(frame.columns[-3:]),
    "dtypes": [str(frame[name].dtype) for name in frame.columns[-3:]],
    "tags": hidden["tags"].tolist(),
    "named": "Ada" in hidden.to_string() or "Bo" in hidden.to_string(),
    "kept": hidden["closed_by"].notna().tolist(),
    "types": [action[name]["type"] for name in ("closedBy", "tags")],
}))
"""


def test_a_new_field_is_one_line_of_the_table():
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", GROWN, ROOT / "periodkit" / "schema.py"],
        capture_output=True, text=True, timeout=120, check=False, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "columns": ["closed_by", "tags", "watchers"],
        "dtypes": ["str", "object", "object"],
        "tags": [["wet"], None],
        "named": False,
        "kept": [True, False],
        "types": [["string", "null"], ["array", "null"]],
    }
