"""An archive of an older version, read and written with a schema that has grown since.

``older_archive`` was written by ``make_older.py`` with version 0.1.0: three matches, the snapshot "July", and a sync
after it in which an open action has closed.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import periodkit as pk
from periodkit.frames import fingerprint

pytest.importorskip("deltalake")

HERE = Path(__file__).parent
PRESENT = "05881347c49ee055f34ec0f47293d1b16e2529e97565b59601ba313dcc7a4347"
JULY = "aa98509fd39044468642e740ba5948d42e7cff8960ce844169a13f9f47ec8b3a"
CHANGES = {"status": ["changed"], "closed_time": ["closed"]}
NEW = ["resolution", "resolved_time", "urgent", "severity", "score", "seen_time"]
MOMENTS = [f"2024-07-0{period_id}T18:0{minute}:00+00:00" for period_id in (1, 2, 3) for minute in (2, 3)]

GROWN = """
import dataclasses, importlib.util, json, sys
from datetime import UTC, datetime

# The grown schema stands in sys.modules before anything of the package reads it.
spec = importlib.util.spec_from_file_location("periodkit.schema", sys.argv[1])
schema = sys.modules["periodkit.schema"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(schema)

def grow(table, **kinds):
    fields = [schema.Field(column, api, schema.Kind(kind), "A new field.") for column, (api, kind) in kinds.items()]
    return dataclasses.replace(table, fields=(*table.fields, *fields))

schema.ACTIONS = grow(
    schema.ACTIONS,
    resolution=("resolution", "text"), resolved_time=("resolvedTime", "time"), urgent=("urgent", "flag"),
    severity=("severity", "text"), score=("score", "id"), seen_time=("seenTime", "time"),
)
schema.PERIODS = grow(schema.PERIODS, capacity=("capacity", "id"), venue_name=("venueName", "text"))

import make_older
import pandas as pd
import periodkit as pk

archive = pk.Archive(sys.argv[2])
NEW = ["resolution", "resolved_time", "urgent", "severity", "score", "seen_time"]

def texts(values):
    return [None if value is None or value is pd.NA or value != value else str(value) for value in values]

def scanned(frame):
    table = archive.scan().order("period_id, action_id").to_arrow_table()
    assert table.column_names == list(frame.columns)
    names = [*NEW, "notes", "form.department"]
    return {
        "types": [str(table.schema.field(name).type) for name in NEW],
        "differ": [name for name in names if texts(table[name].to_pylist()) != texts(frame[name])],
    }

def sync_grown():
    periods, actions = make_older.records()
    actions[2][1] |= make_older.CLOSED
    new = {"resolution": "moved", "resolvedTime": make_older.at(1, 40), "urgent": True, "seenTime": make_older.at(1, 9)}
    actions[1].append(make_older.action(1, 3, **new))
    for period in periods:
        period["capacity"] = 60_000
    return make_older.sync(archive, datetime(2024, 7, 20, 12, tzinfo=UTC), periods, actions, refresh=[1])
"""


@pytest.fixture
def older(tmp_path):
    return shutil.copytree(HERE / "older_archive", tmp_path / "older")


def grown(folder, script):
    """Run a script over an archive with a schema that has grown; return what it prints, as JSON."""
    root = Path(pk.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", GROWN + script, root / "periodkit" / "schema.py", folder],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(root), str(HERE)])},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_todays_schema_reads_it_as_the_older_version_did(older):
    archive = pk.Archive(older)
    for view, total in ((archive, PRESENT), (archive.at("July"), JULY)):
        assert view.recorded_hash() == view.fingerprint().total == total
        assert view.verify().empty
        assert fingerprint(view.periods(), view.actions()).total == total
        assert len(view.scan().to_arrow_table()) == 6
    assert archive.actions()["seen_time"].tolist() == [moment.replace("+00:00", ".000Z") for moment in MOMENTS]
    assert archive.changes("July").groupby("field")["change"].agg(list).to_dict() == CHANGES


@pytest.fixture(scope="module")
def read(tmp_path_factory):
    """What a grown schema reads of the older archive."""
    return grown(
        shutil.copytree(HERE / "older_archive", tmp_path_factory.mktemp("read") / "older"),
        """
frame, periods, then = archive.actions(), archive.periods(), archive.at("July")
print(json.dumps(scanned(frame) | {
    "columns": list(frame.columns[-7:]),
    "dtypes": [str(frame[name].dtype) for name in NEW],
    "nulls": [int(frame[name].isna().sum()) for name in NEW],
    "nulls then": [int(then.actions()[name].isna().sum()) for name in NEW],
    "seen": [moment.isoformat() for moment in frame["seen_time"]],
    "score": frame["score"].tolist(),
    "chosen": list(archive.actions(1, columns=["seen_time", "resolution"]).columns),
    "periods": [[str(periods[name].dtype), int(periods[name].isna().sum())] for name in ("capacity", "venue_name")],
    "hashes": [archive.recorded_hash(), then.recorded_hash()],
    "computed": [archive.fingerprint().total, then.fingerprint().total],
    "damaged": [len(archive.verify()), len(archive.verify("July"))],
    "changes": archive.changes("July").groupby("field")["change"].agg(list).to_dict(),
}, default=int))
""",
    )


def test_new_columns_are_null(read):
    assert read["columns"] == [*NEW, "form.department"]
    assert read["nulls"] == read["nulls then"] == [6, 6, 6, 1, 0, 0]
    assert read["chosen"] == ["seen_time", "resolution"]


def test_fields_that_were_unknown_get_their_kind(read):
    assert read["dtypes"] == ["str", "datetime64[us, UTC]", "boolean", "str", "Int64", "datetime64[us, UTC]"]
    assert read["seen"] == MOMENTS
    assert read["score"] == [1, 2] * 3
    assert read["periods"] == [["Int64", 3], ["str", 0]]


def test_a_scan_has_the_values_of_the_frame(read):
    assert read["types"] == ["string", "timestamp[us, tz=UTC]", "bool", "string", "int64", "timestamp[us, tz=UTC]"]
    assert read["differ"] == []


def test_hashes_and_changes_stay_what_they_were(read):
    assert read["hashes"] == read["computed"] == [PRESENT, JULY]
    assert read["damaged"] == [0, 0]
    assert read["changes"] == CHANGES


def test_a_sync_adds_the_new_columns_beside_the_old_ones(older):
    found = grown(
        older,
        """
result = sync_grown()
frame, periods, changes = archive.actions(), archive.periods(), archive.changes("July")
new = frame[frame["action_id"] == 103].iloc[0]
print(json.dumps(scanned(frame) | {
    "failed": {str(key): str(error) for key, error in result.failed.items()},
    "new": [new["resolution"], new["resolved_time"].isoformat(), bool(new["urgent"]), new["severity"], int(new["score"])],
    "seen": [moment.isoformat() for moment in frame["seen_time"]],
    "capacity": [None if value is pd.NA else value for value in periods["capacity"]],
    "venues": periods["venue_name"].tolist(),
    "damaged": [len(archive.verify()), len(archive.verify("July"))],
    "same": [archive.fingerprint().total == archive.recorded_hash(), archive.at("July").recorded_hash()],
    "added": changes.query("change == 'added'")["action_id"].tolist(),
    "changed": sorted(set(changes["field"].dropna())),
}, default=int))
""",
    )
    del found["types"]
    assert found == {
        "differ": [],
        "failed": {},
        "new": ["moved", "2024-07-01T18:40:00+00:00", True, "high", 3],
        "seen": [*MOMENTS[:2], "2024-07-01T18:09:00+00:00", *MOMENTS[2:]],
        "capacity": [60_000, 60_000, None],  # the third was not due
        "venues": ["Harbour Arena"] * 3,
        "damaged": [0, 0],
        "same": [True, JULY],
        "added": [103],
        "changed": ["closed_time", "status"],
    }
