"""Answers with thousands of fields that nobody documented."""

import json
from datetime import UTC, datetime

import pytest

from periodkit.parse import Answer, parse_actions, parse_periods

WHEN = datetime(2024, 7, 2, tzinfo=UTC)
FIELDS = 2_000


def answer(key, records):
    return [Answer(json.dumps({key: records}).encode(), WHEN, 7 if key == "actions" else None)]


@pytest.mark.parametrize(
    "value",
    [["a", "b"], {"a": 1}, [], None],
    ids=["lists", "objects", "empty lists", "a list and a text in turn"],
)
def test_thousands_of_unknown_fields_are_joined_at_once(value):
    """Inserted one by one they took 160 s, and pandas warned, which is an error here."""
    records = [
        {"actionId": i} | {f"field{j}": value if value is not None else [i] if i % 2 else "x" for j in range(FIELDS)}
        for i in range(4)
    ]
    frame = parse_actions(answer("actions", records))
    assert frame.shape == (4, 20 + FIELDS)
    assert list(frame.columns[20:]) == [f"field{j}" for j in range(FIELDS)]
    assert frame[f"field{FIELDS - 1}"].tolist() == [record[f"field{FIELDS - 1}"] for record in records]
    assert frame["action_id"].dtype == "Int64"


def test_thousands_of_form_fields_in_an_object():
    records = [{"actionId": 1, "formFields": {f"field{j}": [j] for j in range(FIELDS)}}]
    frame = parse_actions(answer("actions", records), form_fields=["field0", "field7"])
    assert frame[f"form.field{FIELDS - 1}"].tolist() == [[FIELDS - 1]]
    assert list(frame.columns[20:23]) == ["form.field0", "form.field7", "form.field1"]


def test_thousands_of_unknown_fields_of_a_period():
    frame = parse_periods(answer("periods", [{"id": 1} | {f"field{j}": [j] for j in range(FIELDS)}]))
    assert frame[f"field{FIELDS - 1}"].tolist() == [[FIELDS - 1]]
    assert list(frame.columns[:2]) == ["period_id", "period_name"]
