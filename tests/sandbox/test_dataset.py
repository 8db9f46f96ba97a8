"""Recorded data sets: what goes into a file comes out again, and a bad file says what is wrong with it."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pytest

from periodkit.errors import ConfigError, PeriodkitError, SchemaError
from periodkit.sandbox.dataset import DataSet

GOOD = {
    "as_of": "2025-01-01T00:00:00.500Z",
    "source": "by hand",
    "periods": [{"id": 1, "name": "Métro"}, {"id": 2, "name": "B"}],
    "actions": {"1": [{"periodId": 1, "actionId": 5}], "2": []},
    "form_values": {"1": {"5": {"department": "Safety"}}},
}


@pytest.fixture
def written(tmp_path):
    def write(body) -> str:
        path = tmp_path / "data.json"
        path.write_text(body if isinstance(body, str) else json.dumps(body), encoding="utf-8")
        return str(path)

    return write


def test_load_reads_every_part(written):
    data = DataSet.load(written(GOOD))
    assert data.as_of == datetime(2025, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)
    assert data.period_ids == [1, 2]
    assert data.actions == {1: [{"periodId": 1, "actionId": 5}], 2: []}
    assert data.form_values == {1: {5: {"department": "Safety"}}}


@pytest.mark.parametrize("name", ["data.json", "data.json.gz"])
def test_save_and_load(written, tmp_path, name):
    data = DataSet.load(written(GOOD))
    paths = [tmp_path / "a" / name, tmp_path / "b" / name]
    for path in paths:
        path.parent.mkdir()
        data.save(path)
    assert DataSet.load(paths[0]) == data
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert paths[0].read_bytes().startswith(b"\x1f\x8b") == name.endswith(".gz")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"as_of": "yesterday"}, "as_of"),
        ({"as_of": "2025-01-01T00:00:00"}, "no time zone"),
        ({"as_of": None}, "as_of"),
        ({"periods": {}}, "periods is dict"),
        ({"periods": [1]}, r"periods\[0\] is int"),
        ({"periods": [{"id": 1}, {"id": "2"}]}, r"periods\[1\]: id is '2'"),
        ({"periods": [{"id": True}]}, r"periods\[0\]: id is True"),
        ({"periods": [{"id": 1}, {"id": 1}], "actions": {}}, "id 1 stands there more than once"),
        ({"actions": []}, "actions is list"),
        ({"actions": {"x": []}}, "key 'x' is not an id"),
        ({"actions": {"9": []}}, "period 9 is not among the periods"),
        ({"actions": {"1": {}}}, r"actions\['1'\] is dict"),
        ({"actions": {"1": [None]}}, r"actions\['1'\]\[0\] is NoneType"),
        ({"form_values": {"1": {"5": []}}}, r"form_values\['1'\]\['5'\] is list"),
    ],
)
def test_bad_content_names_file_and_place(written, change, told):
    with pytest.raises(SchemaError, match=told) as caught:
        DataSet.load(written(GOOD | change))
    assert "data.json" in str(caught.value)


@pytest.mark.parametrize("key", ["as_of", "source", "periods", "actions"])
def test_a_missing_key_is_named(written, key):
    with pytest.raises(SchemaError, match=f"lacks {key}"):
        DataSet.load(written({name: value for name, value in GOOD.items() if name != key}))


@pytest.mark.parametrize("text", ["", "<html>", "[1]", "[" * 100_000, '{"as_of": '])
def test_what_is_no_data_set(written, text):
    with pytest.raises(SchemaError):
        DataSet.load(written(text))


def test_a_damaged_gzip_file(tmp_path):
    path = tmp_path / "cut.json.gz"
    path.write_bytes(gzip.compress(json.dumps(GOOD).encode())[:-20])
    with pytest.raises(SchemaError, match="cut short"):
        DataSet.load(path)


def test_no_such_file(tmp_path):
    with pytest.raises(ConfigError, match="No such file") as caught:
        DataSet.load(tmp_path / "none.json")
    assert isinstance(caught.value, PeriodkitError)
