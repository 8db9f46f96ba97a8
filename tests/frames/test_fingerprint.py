"""The hash of a period is what the documentation says, and nothing else."""

import re
import sys
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import law
from platforms import Platform

import periodkit as pk
from periodkit.frames.columns import to_frame
from periodkit.frames.fingerprint import fingerprint, total_of
from periodkit.parse import parse_actions
from periodkit.parse.response import Answer
from periodkit.parse.values import as_texts

DOCS = Path(__file__).resolve().parents[2] / "docs" / "archive.md"


@pytest.fixture(scope="module")
def documented():
    """The functions that the documentation gives to an auditor."""
    (code,) = re.findall(r"```python\n(import hashlib.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)
    found = {}
    exec(code, found)
    return found


def as_python(frame):
    """Return the rows as an auditor has them: plain values, times as texts."""
    return [{name: plain(value) for name, value in row.items()} for row in frame.to_dict("records")]


def plain(value):
    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%dT%H:%M:%S.%f}Z"
    if not isinstance(value, list | dict) and pd.isna(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def by_the_book(documented, periods, actions):
    hashes = {}
    for period in as_python(periods):
        own = as_python(actions[actions["period_id"] == period["period_id"]])
        hashes[period["period_id"]] = documented["period_hash"](period, own)
    return hashes, documented["total_hash"](hashes)


def test_an_auditor_gets_the_same_without_periodkit(documented, season_frames):
    periods, actions = season_frames
    found = fingerprint(periods, actions)
    hashes, total = by_the_book(documented, periods, actions)
    assert (dict(found.periods), found.total) == (hashes, total)
    assert list(found.periods) == sorted(hashes)


values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.text(),
    st.recursive(st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
                 lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=5),
)  # fmt: skip


@law(40)
@given(
    column=st.lists(values, min_size=1, max_size=5),
    notes=st.lists(st.one_of(st.none(), st.text(), st.lists(st.text()))),
)
def test_whatever_the_values_are(documented, column, notes):
    kept = (notes + [None] * len(column))[: len(column)]
    columns = {
        "period_id": [7] * len(column),
        "value": column,
        "notes": [as_texts(each) for each in kept],
    }
    frame = to_frame(columns).astype({"period_id": "Int64"})
    lines = sorted(
        documented["line"]("action", {"period_id": 7, "value": value, "notes": note})
        for value, note in zip(column, columns["notes"], strict=True)
    )
    assert fingerprint(None, frame).periods == {7: documented["sha256"](lines)}


@pytest.fixture(scope="module")
def frames():
    platform = Platform(periods=4, actions=5)
    for number, action in enumerate(platform.actions[12]):
        action |= {"budget": number, "flagged": number % 2 == 0, "remark": 'näh "x"\n', "share": number / 2}
    return platform.frames()


def test_order_dtypes_and_empty_columns_do_not_matter(frames, tmp_path):
    periods, actions = frames
    wanted = fingerprint(periods, actions)
    shuffled = actions.sample(frac=1, random_state=1)[sorted(actions.columns, reverse=True)].reset_index(drop=True)
    assert fingerprint(periods.iloc[::-1], shuffled) == wanted
    assert fingerprint(periods, actions.assign(nothing=None, nan=np.nan, nat=pd.NaT)) == wanted
    actions.to_parquet(tmp_path / "a.parquet")
    for backend in ("numpy_nullable", "pyarrow"):
        assert fingerprint(periods, pd.read_parquet(tmp_path / "a.parquet", dtype_backend=backend)) == wanted
    assert fingerprint(periods, pd.read_parquet(tmp_path / "a.parquet")) == wanted
    odd = actions.astype(
        {"status": "category", "channel": object, "budget": "float64", "share": object, "flagged": object}
    )
    odd["created_time"] = odd["created_time"].dt.as_unit("ns").dt.tz_convert("Europe/London")
    assert fingerprint(periods, odd) == wanted


@pytest.mark.parametrize(
    "column", ["status", "created_time", "assigned_user_names", "ai_dispatched", "fetched_at", "budget"]
)
def test_every_value_matters(frames, column):
    periods, actions = frames
    changed = actions.copy()
    other = {"assigned_user_names": ["Bo", None], "ai_dispatched": True, "budget": 99, "status": "x"}
    at = actions.index[actions["period_id"] == 12][1]
    values = changed[column].tolist()
    values[at] = other.get(column, pd.Timestamp("2024-01-01", tz="UTC"))
    changed[column] = pd.Series(values, dtype=actions[column].dtype)
    before, after = fingerprint(periods, actions), fingerprint(periods, changed)
    assert [i for i in before.periods if before.periods[i] != after.periods[i]] == [12]
    assert before.total != after.total


def test_null_is_not_empty_and_text_is_not_a_number():
    def of(value):
        body = b'{"actions": [{"actionId": 1, "x": ' + value + b"}]}"
        return fingerprint(None, parse_actions([Answer(body, datetime(2024, 7, 1, tzinfo=UTC), 7)])).total

    texts = [b"null", b'""', b"[]", b"{}", b"0", b'"0"', b"false", b"[null]", b'["0"]', b"[0]", b'{"a": null}']
    assert len({of(text) for text in texts}) == len(texts)
    assert of(b"3") == of(b"3.0")


def test_without_the_moment_of_fetching_only_changes_count(frames):
    periods, actions = frames
    later = [frame.assign(fetched_at=frame["fetched_at"] + pd.Timedelta("1D")) for frame in frames]
    assert fingerprint(*later) != fingerprint(periods, actions)
    assert fingerprint(*later, fetched_at=False) == fingerprint(periods, actions, fetched_at=False)


def test_periods_are_hashed_one_by_one(frames, monkeypatch):
    periods, actions = frames
    whole = fingerprint(periods, actions)
    some = periods.iloc[[2, 0]]
    part = fingerprint(some, actions[actions["period_id"].isin(some["period_id"])])
    assert part.periods == {i: whole.periods[i] for i in sorted(some["period_id"])}
    assert part.total == total_of(part.periods) != whole.total
    monkeypatch.setattr(sys.modules["periodkit.frames.fingerprint"], "_ROWS_AT_ONCE", 3)
    assert fingerprint(periods, actions) == whole
    assert fingerprint(None).periods == {}
    assert "4 period(s)" in repr(whole)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame.drop(columns="period_id"), "no column 'period_id'"),
        (lambda frame: frame.assign(period_id=pd.array([None] * len(frame), "Int64")), "holds a null"),
        (lambda frame: pd.concat([frame, frame["status"]], axis=1), "several columns named 'status'"),
        (lambda frame: frame.assign(created_time=frame["created_time"].dt.tz_localize(None)), "times without a zone"),
    ],
)
def test_frames_that_cannot_be_hashed_are_refused(frames, change, said):
    with pytest.raises(pk.SchemaError, match=said):
        fingerprint(frames[0], change(frames[1]))
