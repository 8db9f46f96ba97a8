"""Bodies as the API sends them, and as it should not."""

import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import law

from periodkit.errors import ArgumentError, BadValueWarning, SchemaError
from periodkit.frames.columns import to_frame
from periodkit.frames.periods import markers
from periodkit.parse import ActionsParser, parse_actions, parse_periods
from periodkit.parse.exact import Problems, exact_columns
from periodkit.parse.fast import ActionsReader
from periodkit.parse.pages import page_info
from periodkit.parse.response import Answer
from periodkit.schema import ACTIONS, MARKERS, PERIODS, Kind

FETCHED = datetime(2024, 7, 2, 6, 30, tzinfo=UTC)

ACTION = {
    "periodId": 7,
    "periodName": "Cup final",
    "periodActionId": 1,
    "actionId": 901,
    "classification": "Medical",
    "subClassification": "Fall",
    "status": "closed",
    "createdTime": "2024-07-01T19:00:00.000Z",
    "assignedTime": "2024-07-01T19:01:00.250Z",
    "doingTime": "2024-07-01T19:05:00Z",
    "closedTime": "2024-07-01T21:25:00+02:00",
    "createdByUserName": "Steward 07",
    "periodMarker": "Kick-off",
    "assignedUserNames": ["Medic 01", "Medic 02"],
    "channel": "First aid",
    "formType": "incident",
    "latestChannel": "First aid",
    "aiDispatched": True,
}


def body(*records, key="actions", **beside):
    return json.dumps({key: list(records), **beside}).encode()


def actions(*records, form_fields=(), on_bad="raise", **beside):
    return parse_actions([Answer(body(*records, **beside), FETCHED, 7)], form_fields, on_bad)


def periods(*records, on_bad="raise", **beside):
    return parse_periods([Answer(body(*records, key="periods", **beside), FETCHED)], on_bad)


def assert_schema(frame, table):
    dtypes = {field.column: field.kind.dtype for field in table.fields}
    assert list(frame.columns[: len(dtypes)]) == list(dtypes)
    assert {name: str(frame[name].dtype) for name in dtypes} == dtypes


def exactly(answers, form_fields=(), on_bad="raise"):
    return to_frame(exact_columns(answers, form_fields, Problems(on_bad)))


def test_a_whole_action_keeps_every_value():
    frame = actions(ACTION)
    assert_schema(frame, ACTIONS)
    row = frame.iloc[0]
    assert row["assigned_time"] == pd.Timestamp("2024-07-01T19:01:00.25Z")
    assert row["doing_time"] == pd.Timestamp("2024-07-01T19:05Z")
    assert row["closed_time"] == pd.Timestamp("2024-07-01T19:25Z")
    assert row["assigned_user_names"] == ["Medic 01", "Medic 02"]
    assert row["ai_dispatched"] is True or row["ai_dispatched"] == True  # noqa: E712
    assert row["fetched_at"] == pd.Timestamp(FETCHED)
    assert row["notes"] is None


@pytest.mark.parametrize("records", [[], [{}], [{"actionId": None}]])
def test_nothing_and_next_to_nothing_still_have_the_whole_schema(records):
    frame = actions(*records)
    assert_schema(frame, ACTIONS)
    assert len(frame) == len(records)
    assert frame["period_id"].tolist() == [7] * len(records)
    assert frame.drop(columns=["period_id", "fetched_at"]).isna().all().all()


def test_no_answers_at_all_is_an_empty_frame():
    assert_schema(parse_actions([]), ACTIONS)
    assert_schema(parse_periods([]), PERIODS)
    assert_schema(markers(parse_periods([])), MARKERS)


def test_null_ai_is_not_false():
    frame = actions(
        ACTION, ACTION | {"actionId": 2, "aiDispatched": None}, ACTION | {"actionId": 3, "aiDispatched": False}
    )
    assert frame["ai_dispatched"].tolist() == [True, pd.NA, False]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"name": "Doors", "timestamp": "2024-07-01T17:00:00.000Z"}, ["Doors"]),
        ([{"name": "Doors", "timestamp": None}, {"name": None, "timestamp": "2024-07-01T17:00:00Z"}], ["Doors", None]),
        ([], []),
        ({}, []),
        ([{}], []),
        ({"name": None, "timestamp": None}, []),
        ([{}, {"name": "Doors"}, {}, {"timestamp": "2024-07-01T17:00:00Z"}], ["Doors", None]),
        (None, []),
        ("absent", []),
    ],
)
def test_markers_in_every_shape(sent, expected):
    record = {"id": 7, "name": "Cup final"} | ({} if sent == "absent" else {"markers": sent})
    frame = periods(record, {"id": 8, "markers": {"name": "Curfew", "timestamp": "2024-07-02T01:00:00+02:00"}})
    assert_schema(frame, PERIODS)
    found = markers(frame)
    assert_schema(found, MARKERS)
    assert [None if pd.isna(name) else name for name in found["marker"]] == [*expected, "Curfew"]
    assert found["period_id"].tolist() == [7] * len(expected) + [8]
    assert found["timestamp"].iloc[-1] == pd.Timestamp("2024-07-01T23:00Z")


def test_markers_survive_a_null_cell_and_name_a_missing_column():
    frame = periods({"id": 7})
    frame["markers"] = [None]
    assert_schema(markers(frame), MARKERS)
    with pytest.raises(SchemaError, match="'markers'"):
        markers(frame[["period_id"]])


def test_form_fields_as_keys_of_the_action():
    frame = actions(
        ACTION | {"department": "Bar"},
        ACTION | {"actionId": 2, "notes": "Field budget not found"},
        form_fields=["department", "budget"],
    )
    assert list(frame.columns[len(ACTIONS.fields) :]) == ["form.department", "form.budget"]
    assert frame["form.department"].tolist()[0] == "Bar"
    assert frame["form.department"].isna().tolist() == [False, True]
    assert frame["form.budget"].isna().all()
    assert frame["notes"].tolist() == [None, ["Field budget not found"]]


@pytest.mark.parametrize("container", ["formFields", "form_fields"])
def test_form_fields_in_an_object(container):
    inner = {"department": "Bar", "status": "draft", "guests": 3}
    frame = actions(ACTION | {container: inner}, ACTION | {"actionId": 2}, form_fields=["department", "status"])
    assert list(frame.columns[len(ACTIONS.fields) :]) == ["form.department", "form.status", "form.guests"]
    assert frame["form.status"].tolist()[0] == "draft"
    assert frame["status"].tolist() == ["closed", "closed"]
    assert frame["form.guests"].tolist() == [3, pd.NA]


@pytest.mark.parametrize("container", ["formFields", "form_fields"])
def test_an_empty_container_of_form_fields_is_no_column(container):
    for empty in (None, {}):
        assert list(actions(ACTION | {container: empty}).columns) == ACTIONS.columns


def test_a_form_field_named_like_one_of_the_api_leaves_that_one_alone():
    frame = actions(ACTION, form_fields=["status"])
    assert frame["status"].tolist() == ["closed"]
    assert frame["form.status"].isna().all()


@pytest.mark.parametrize("notes", ["Form field not found: budget", ["Form field not found: budget"]])
def test_notes_beside_the_actions_reach_every_row(notes):
    frame = actions(ACTION | {"notes": ["own"]}, ACTION | {"actionId": 2}, notes=notes)
    text = "Form field not found: budget"
    assert frame["notes"].tolist() == [["own", text], [text]]
    assert actions(notes=notes).attrs["notes"] == [text]


def test_notes_of_any_kind_are_kept():
    frame = actions(ACTION | {"notes": {"missing": ["budget"]}}, ACTION | {"actionId": 2, "notes": [1, "x", None]})
    assert frame["notes"].tolist() == [['{"missing": ["budget"]}'], ["1", "x", "null"]]


def test_unknown_fields_become_columns_behind_the_known():
    more = {"riskScore": 1.5, "venueZone": "North", "tags": ["a"], "count": 4, "seen": True}
    frame = actions(ACTION | more, ACTION | {"actionId": 2})
    assert list(frame.columns[len(ACTIONS.fields) :]) == ["risk_score", "venue_zone", "tags", "count", "seen"]
    assert [str(dtype) for dtype in frame.dtypes.iloc[-5:]] == ["Float64", "str", "object", "Int64", "boolean"]
    assert frame["tags"].tolist() == [["a"], None]


def test_unknown_fields_never_overwrite_a_column():
    frame = actions(
        ACTION | {"created_time": "mine", "fetchedAt": "yours", "form.department": 1, "department": "Bar"},
        form_fields=["department"],
    )
    assert frame["created_time"].iloc[0] == pd.Timestamp("2024-07-01T19:00Z")
    assert frame.iloc[0][["extra.created_time", "extra.fetchedAt", "extra.form.department"]].tolist() == [
        "mine",
        "yours",
        1,
    ]
    assert frame["form.department"].tolist() == ["Bar"]


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("createdTime", "yesterday", '"yesterday" is not an ISO 8601 time'),
        ("createdTime", "", '"" is not an ISO 8601 time'),
        ("createdTime", "2024-07-01T19:00:00", "with Z or an offset"),
        ("closedTime", 1719860400, "1719860400 is not text"),
        ("actionId", "901", '"901" is not a whole number'),
        ("actionId", 1.5, "1.5 is not a whole number"),
        ("actionId", True, "true is not a whole number"),
        ("actionId", 10**400, "does not fit into 64 bits"),
        ("classification", 5, "5 is not text"),
        ("status", "\ud800", "half a surrogate"),
        ("aiDispatched", "yes", '"yes" is not true or false'),
        ("aiDispatched", 0, "0 is not true or false"),
        ("assignedUserNames", "Medic 01", '"Medic 01" is not a list'),
        ("assignedUserNames", ["Medic 01", 2], "is not text"),
        ("periodId", 8, "8 is not the period that was asked for"),
    ],
)
def test_a_bad_value_is_named_or_nulled(field, value, said):
    record = ACTION | {"actionId": 902, field: value}
    with pytest.raises(SchemaError, match=r"/periods/7/actions: actions\[1\]\." + field) as caught:
        actions(ACTION, record)
    assert said in str(caught.value)
    with pytest.warns(BadValueWarning, match=r"1 bad value\(s\) in 2 record") as warned:
        frame = actions(ACTION, record, on_bad="null")
    assert len(warned) == 1
    assert warned[0].filename == __file__
    assert_schema(frame, ACTIONS)
    assert len(frame) == 2
    (bad,) = frame.attrs["bad_values"]
    assert (bad["record"], bad["field"], bad["value"]) == ("/periods/7/actions: actions[1]", field, value)
    column = ACTIONS.by_api[field].column
    assert frame[column].iloc[1] == 7 if field == "periodId" else pd.isna(frame[column].iloc[1])


def test_a_bad_period_is_named_or_nulled():
    good = {"id": 1, "start_date": "2024-07-01T17:00:00.000Z"}
    for field, value in [
        ("start_date", "soon"),
        ("markers", "Doors"),
        ("markers", [{"timestamp": "noon"}]),
        ("name", []),
    ]:
        with pytest.raises(SchemaError, match=rf"/periods: periods\[1\]\.{field} \(id 2\)"):
            periods(good, {"id": 2, field: value})
        with pytest.warns(BadValueWarning):
            frame = periods(good, {"id": 2, field: value}, on_bad="null")
        assert frame.attrs["bad_values"][0]["value"] == value
        assert_schema(frame, PERIODS)
    for record in ({"id": None}, {}):
        with pytest.raises(SchemaError, match=r"periods\[1\]\.id"):
            periods(good, record)


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2024-07-01T19:00:00Z", "2024-07-01T19:00:00"),
        ("2024-07-01T19:00:00.5Z", "2024-07-01T19:00:00.500"),
        ("2024-07-01T19:00:00.123456Z", "2024-07-01T19:00:00.123456"),
        ("2024-07-01T19:00:00.1234567Z", "2024-07-01T19:00:00.123456"),
        ("2024-07-01T19:00:00.123456789+00:00", "2024-07-01T19:00:00.123456"),
        ("2024-07-01T19:00:00+05:30", "2024-07-01T13:30:00"),
        ("2024-07-01T19:00:00.000-0800", "2024-07-02T03:00:00"),
        ("2024-02-29T23:59:59.999Z", "2024-02-29T23:59:59.999"),
        ("2024-07-01t19:00:00z", "2024-07-01T19:00:00"),
        ("2024-07-01T19:00:00,25+02:00", "2024-07-01T17:00:00.250"),
        ("2024-07-01t19:00:00,1234567z", "2024-07-01T19:00:00.123456"),
        ("2024-07-01T24:00:00Z", "2024-07-02T00:00:00"),
        ("2024-12-31T24:00:00.000+01:00", "2024-12-31T23:00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00"),
        ("2017-01-01T00:59:60.5+01:00", "2017-01-01T00:00:00.500"),
        ("20240701T190000Z", "2024-07-01T19:00:00"),
        ("2024-W27-1T19:00Z", "2024-07-01T19:00:00"),
        ("2024-07-01T19:00:00\u221202:00", "2024-07-01T21:00:00"),
        ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00"),
        ("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999"),
        ("9999-12-31T24:00:00+01:00", "9999-12-31T23:00:00"),
    ],
)
def test_times_in_every_spelling(text, utc):
    moment = pd.Timestamp(utc, tz="UTC")
    frame = actions(ACTION | {"createdTime": text}, ACTION | {"actionId": 2})
    assert frame["created_time"].tolist() == [moment, pd.Timestamp("2024-07-01T19:00Z")]
    answers = [Answer(body(ACTION | {"createdTime": text}), FETCHED, 7)]
    assert ActionsReader().columns(answers)["created_time"].to_pylist() == [moment]
    assert exactly(answers)["created_time"].tolist() == [moment]
    found = markers(periods({"id": 7, "start_date": text, "markers": {"name": None, "timestamp": text}}))
    assert found["timestamp"].tolist() == [moment]


@pytest.mark.parametrize(
    "text",
    [
        "9999-12-31T23:59:59-05:00",
        "9999-12-31T24:00:00Z",
        "0001-01-01T00:00:00+05:00",
        "0000-12-31T23:59:59Z",
        "9999-12-31t23:59:60z",
        "2024-07-01T24:00:01Z",
        "2024-07-01T25:00:00Z",
        "2024-07-01T99:30:00Z",
        "2024-07-01T23:59:61Z",
        "2024-02-30T19:00:00Z",
        "2024-07-01T19:00:00+24:00",
        "2024-07-01T19:00:00+01:60",
        "2024-07-01x19:00:00Z",
        "2024-07-01T19:00:00",
        "2024-07-01",
        "٢٠٢٤-07-01T19:00:00Z",
    ],
)
def test_a_moment_that_is_none_or_that_utc_cannot_hold_is_a_bad_value(text):
    with pytest.raises(
        SchemaError, match=r"actions\[0\].closedTime .* is not an ISO 8601 time .* years 1 to 9999 in UTC"
    ):
        actions(ACTION | {"closedTime": text})
    with pytest.warns(BadValueWarning):
        frame = actions(ACTION | {"closedTime": text}, ACTION | {"actionId": 2}, on_bad="null")
    assert frame["closed_time"].isna().tolist() == [True, False]
    assert frame.attrs["bad_values"][0]["value"] == text
    assert ActionsReader().columns([Answer(body(ACTION | {"closedTime": text}), FETCHED, 7)]) is None
    assert repr(frame)
    for record in ({"id": 7, "end_date": text}, {"id": 7, "markers": [{"name": "Doors", "timestamp": text}]}):
        with pytest.raises(SchemaError, match="years 1 to 9999"):
            periods(record)
        with pytest.warns(BadValueWarning):
            assert markers(periods(record, on_bad="null")).empty


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html><title>Sign in</title>", "begins '<!DOCTYPE html>"),
        (b"[]", "is [], not an object"),
        (b"null", "is null, not an object"),
        (b'{"actions": []}\nnull\n{"actions": []}', "not valid JSON"),
        (b"{}", "'actions' is missing"),
        (b'{"actions": null}', "'actions' is null"),
        (b'{"actions": {}}', "'actions' is {}"),
        (b'{"actions": [null]}', "actions[0] is null"),
        (b'{"actions": [1]}', "actions[0] is 1"),
        (b'{"actions": []} {"actions": []}', "not valid JSON"),
        (b'{"actions": [{"actionId": 1}', "not valid JSON"),
        (b'{"actions": [{"actionId": NaN}]}', "NaN is not JSON"),
        (b'{"actions": [{"x": NaN}]}', "NaN is not JSON"),
        (b'{"actions": [{"actionId": 1, "actionId": 2}]}', "'actionId' stands twice"),
        (b'{"actions": [{"zone\\ud800": 2}]}', "the key 'zone\\ud800' holds half a surrogate"),
        (b'{"actions": [{"status": "\xff"}]}', "not UTF-8"),
        (b'{"actions": [{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}", "nested too deeply"),
        (b'{"actions": [{"actionId": ' + b"9" * 5000 + b"}]}", "not valid JSON"),
    ],
)
def test_what_is_not_an_answer_is_refused(raw, said):
    with pytest.raises(SchemaError) as caught:
        parse_actions([Answer(raw, FETCHED, 7)])
    assert said in str(caught.value)
    assert str(caught.value).startswith("/periods/7/actions: ")


def test_cut_at_any_byte_it_never_passes_for_whole():
    whole = body(ACTION, ACTION | {"actionId": 2})
    for end in range(len(whole)):
        with pytest.raises(SchemaError):
            parse_actions([Answer(whole[:end], FETCHED, 7)])


def test_a_byte_order_mark_and_a_nul_are_taken():
    raw = b"\xef\xbb\xbf" + body(ACTION | {"status": "a\u0000b"})
    frame = parse_actions([Answer(raw, FETCHED, 7), Answer(raw.replace(b"901", b"902"), FETCHED, 7)])
    assert frame["status"].tolist() == ["a\u0000b"] * 2


def test_duplicates_are_kept_once_and_counted():
    frame = actions(ACTION, ACTION | {"actionId": 2}, ACTION, ACTION | {"actionId": None}, ACTION | {"actionId": None})
    assert frame["action_id"].tolist() == [901, 2, pd.NA, pd.NA]
    assert frame.index.tolist() == [0, 1, 2, 3]
    assert frame.attrs["duplicates"] == 1
    other = {key: value for key, value in ACTION.items() if key != "periodId"}
    both = parse_actions([Answer(body(other), FETCHED, 7), Answer(body(other), FETCHED, 8)])
    assert both["period_id"].tolist() == [7, 8]
    assert periods({"id": 1}, {"id": 2}, {"id": 1}).attrs["duplicates"] == 1


@pytest.mark.parametrize(
    ("fetched", "kept"),
    [((0, 0), "second"), ((0, 1), "second"), ((1, 0), "first")],
    ids=["later page", "fetched later", "fetched earlier"],
)
def test_of_an_action_sent_twice_the_newer_copy_is_kept(fetched, kept):
    first = [ACTION | {"status": "first"}, ACTION | {"actionId": 2}, ACTION | {"actionId": None}]
    pages = [first, [ACTION | {"actionId": 3}, ACTION | {"status": "second"}, ACTION | {"actionId": None}]]
    answers = [
        Answer(body(*page), FETCHED + timedelta(seconds=seconds), 7)
        for page, seconds in zip(pages, fetched, strict=True)
    ]
    frame = parse_actions(answers)
    assert frame["action_id"].tolist() == [901, 2, pd.NA, 3, pd.NA]
    assert frame["status"].tolist() == [kept, "closed", "closed", "closed", "closed"]
    assert frame["fetched_at"].iloc[0] == FETCHED + timedelta(seconds=max(fetched))
    assert frame.index.tolist() == [0, 1, 2, 3, 4]
    assert frame.attrs["duplicates"] == 1


def test_of_three_copies_and_of_a_period_sent_twice_the_newest_is_kept():
    texts = ["one", "two", "three"]
    frame = actions(*(ACTION | {"status": text} for text in texts), ACTION | {"actionId": 2})
    assert (frame["status"].tolist(), frame.attrs["duplicates"]) == (["three", "closed"], 2)
    found = periods({"id": 1, "name": "old"}, {"id": 2}, {"id": 1, "name": "new"})
    assert found["period_name"].iloc[0] == "new"
    assert (found["period_id"].tolist(), found.attrs["duplicates"]) == ([1, 2], 1)


def test_on_bad_takes_two_words():
    with pytest.raises(ArgumentError, match="'drop'"):
        actions(ACTION, on_bad="drop")


@pytest.mark.parametrize(
    ("raw", "pages"),
    [
        (b'{"actions": []}', (None, 1, None, 0)),
        (
            b'{"actions": [{"actionId": 1}, {"actionId": 2}], "page": 1, "per_page": 2, "total_pages": 3, "total_count": 5}',
            (1, 3, 5, 2),
        ),
        (b'{"actions": [], "meta": {"page": 2, "total_pages": 2}}', (2, 2, None, 0)),
        (b'{"actions": [{"note": "total_pages"}]}', (None, 1, None, 1)),
    ],
)
def test_pages_are_read_wherever_they_stand(raw, pages):
    info = page_info(Answer(raw, FETCHED, 7), "actions")
    assert (info.page, info.total_pages, info.total_count, len(info.keys)) == pages


@pytest.mark.parametrize("value", ['"3"', "-1", "1.5", "true"])
def test_pages_that_cannot_be_counted_are_refused(value):
    with pytest.raises(SchemaError, match="total_pages"):
        page_info(Answer(b'{"actions": [], "total_pages": %s}' % value.encode(), FETCHED, 7), "actions")


scalars = (
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8)
)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
times = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)).map(
    lambda t: t.isoformat(timespec="milliseconds") + "Z"
)
GOOD = {
    Kind.ID: st.integers(0, 2**53),
    Kind.TEXT: st.text(max_size=8),
    Kind.TIME: times | st.just("2024-07-01T19:00:00.123456789+02:00"),
    Kind.FLAG: st.booleans(),
    Kind.LIST: st.lists(st.text(max_size=5), max_size=3),
}
known = st.fixed_dictionaries(
    {}, optional={api: st.none() | GOOD[field.kind] for api, field in ACTIONS.by_api.items() if api != "periodId"}
)
extras = st.dictionaries(
    st.sampled_from(["zone", "riskScore", "department", "created_time", "", "form_fields"]), anything, max_size=2
)
documented = st.tuples(known, extras | st.just({})).map(lambda pair: pair[0] | pair[1])
wild = st.builds(
    lambda good, broken: good | broken,
    documented,
    st.dictionaries(st.sampled_from(list(ACTIONS.by_api)), anything, max_size=2),
)


@law(60)
@given(st.lists(st.lists(documented, max_size=4), min_size=1, max_size=3))
def test_both_ways_give_the_same(bodies):
    answers = [Answer(body(*records), FETCHED, i) for i, records in enumerate(bodies)]
    exact = exactly(answers, ["department"])
    assert_schema(exact, ACTIONS)
    fast = ActionsReader(["department"]).columns(answers)
    if fast is not None:
        pd.testing.assert_frame_equal(to_frame(fast), exact, check_exact=True)


@law(40)
@given(st.lists(st.lists(documented, max_size=4), min_size=1, max_size=4), st.randoms())
def test_reading_ahead_in_any_order_changes_nothing(bodies, random):
    answers = [Answer(body(*records), FETCHED, i) for i, records in enumerate(bodies)]
    ahead = ActionsParser(["department"])
    for answer in random.sample(answers, random.randint(0, len(answers))):
        ahead.read_ahead([answer])
    pd.testing.assert_frame_equal(ahead.frame(answers), parse_actions(answers, ["department"]), check_exact=True)


# What looks like the end of one record and the beginning of the next, inside a text, a key and a nested value.
SEAMS = st.sampled_from(['{"}, {', '{"a": [{}, {}]}', '}, {"actionId": 7}]}', '"}, {"', "},{", "plain"])


@law(30)
@given(
    st.lists(
        st.tuples(documented, st.dictionaries(st.sampled_from(["classification", "Gate }, { 7"]), SEAMS, max_size=2)),
        max_size=8,
    ),
    st.lists(SEAMS, max_size=2),
    st.integers(8, 400),
)
def test_a_body_read_in_shares_is_the_same_as_read_whole(pairs, notes, share):
    records = [record | odd | {"notes": notes} for record, odd in pairs]
    answers = [Answer(body(*records, page=1, total_pages=1), FETCHED, 7)]
    whole = ActionsReader().columns(answers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("periodkit.parse.fast._SHARE_BYTES", share)
        shared = ActionsReader().columns(answers)
        frame = parse_actions(answers)
    pd.testing.assert_frame_equal(frame, parse_actions(answers), check_exact=True)
    assert (shared is None) == (whole is None)
    if shared is not None:
        pd.testing.assert_frame_equal(to_frame(shared), to_frame(whole), check_exact=True)


def test_a_large_body_is_read_in_shares_and_only_as_one_document(monkeypatch):
    """Without this the comparison above could hold by always declining."""
    monkeypatch.setattr("periodkit.parse.fast._SHARE_BYTES", 700)
    records = [ACTION | {"actionId": i} for i in range(40)]
    good = Answer(body(*records, page=1), FETCHED, 7)
    columns = ActionsReader().columns([good])
    assert columns is not None
    pd.testing.assert_frame_equal(to_frame(columns), exactly([good]), check_exact=True)
    for bad in (good.body + good.body, good.body + b"null", good.body[:-30], good.body.replace(b"closed", b"\xff")):
        assert ActionsReader().columns([Answer(bad, FETCHED, 7)]) is None


@law(30)
@given(st.lists(st.lists(known, max_size=4), min_size=1, max_size=3))
def test_the_fast_way_takes_what_is_documented(bodies):
    """Without this the comparison above could hold by always declining."""
    answers = [
        Answer(
            body(
                *(
                    r
                    | {
                        "aiDispatched": True,
                        "createdTime": None,
                        "assignedTime": None,
                        "doingTime": None,
                        "closedTime": "2024-07-01T19:00:00Z",
                        "notes": None,
                    }
                    for r in records
                )
            ),
            FETCHED,
            i,
        )
        for i, records in enumerate(bodies)
    ]
    fast = ActionsReader().columns(answers)
    assert fast is not None
    pd.testing.assert_frame_equal(to_frame(fast), exactly(answers), check_exact=True)


@law(60)
@given(st.lists(wild, max_size=4), anything)
def test_any_json_gives_the_schema_or_a_schema_error(records, notes):
    try:
        frame = actions(*records, notes=notes, form_fields=["department"])
    except SchemaError:
        return
    assert_schema(frame, ACTIONS)
    assert len(frame) + frame.attrs["duplicates"] == len(records)


@law(40)
@given(
    st.lists(
        st.fixed_dictionaries(
            {"id": st.integers(0, 9)}, optional={api: anything for api in PERIODS.by_api if api != "id"}
        ),
        max_size=4,
    )
)
def test_any_periods_give_the_schema_or_a_schema_error(records):
    try:
        frame = periods(*records)
        found = markers(frame)
    except SchemaError:
        return
    assert_schema(frame, PERIODS)
    assert_schema(found, MARKERS)
