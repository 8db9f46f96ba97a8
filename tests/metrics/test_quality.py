"""Every check on records made by hand, with the counts that it must find and no others."""

import duckdb
import pandas as pd
import polars as pl
import pytest
from checks_by_row import checks_by_row
from hypothesis import given, note
from hypothesis import strategies as st
from laws import law
from strategies import ENGINES, ROW, action, actions, at, frame

import periodkit as pk
from periodkit.errors import SchemaError

CHECKS = ["duplicates", "out_of_order", "skipped_stage", "ended_without_time", "contradicting_status", "unknown_status"]
CHECKS += ["after_as_of", "absurd", "outside_period", "batch_closing"]
CHECKS += [f"null_{name}_time" for name in ("created", "assigned", "doing", "closed")]
CHECKS += ["null_classification", "null_sub_classification", "null_channel", "null_ai_dispatched"]
CHECKS += ["bad_values", "unknown_fields"]
WHOLE = {"assigned": 1, "doing": 2, "closed": 3, "status": "closed", "sub_classification": "Wet", "ai_dispatched": True}
PERIODS = pd.DataFrame(
    {
        "period_id": pd.array([1, 2], dtype="Int64"),
        "start_date": pd.to_datetime([at(-10), None], utc=True),
        "end_date": pd.to_datetime([at(10), at(10)], utc=True),
    }
)


def counts(data, periods=None):
    found = pk.quality(data, periods).set_index("check")["count"]
    return {check: count for check, count in found.items() if pd.notna(count) and count}


def whole(*changes, **common):
    return actions(*({**WHOLE, **common, **change} for change in changes))


def test_good_records_have_nothing_to_find():
    got = pk.quality(whole({}, {"closed": 4}), PERIODS)
    assert got["check"].tolist() == CHECKS
    assert [*got.columns] == ["check", "count", "of", "share", "examples", "meaning"]
    assert got["count"].tolist() == [0] * len(CHECKS)
    assert got["share"].tolist() == [0.0] * len(CHECKS)
    assert (got["of"].iloc[:-1] == 2).all()
    assert got["examples"].tolist() == [[]] * len(CHECKS)
    assert got["meaning"].str.endswith(".").all()


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"assigned": 2.5}, {"out_of_order"}),
        ({"closed": -1}, {"out_of_order"}),
        ({"doing": None}, {"skipped_stage", "null_doing_time"}),
        ({"assigned": None}, {"skipped_stage", "null_assigned_time"}),
        ({"closed": None}, {"ended_without_time", "null_closed_time"}),
        ({"closed": None, "status": "Cancelled"}, {"ended_without_time", "null_closed_time"}),
        ({"closed": None, "status": "open"}, {"null_closed_time"}),
        ({"status": "open"}, {"contradicting_status"}),
        ({"status": " Reopened\u00a0"}, {"contradicting_status"}),
        ({"status": "in_progress"}, {"contradicting_status"}),
        ({"status": "Cancelled - duplicate"}, set()),
        ({"status": "COMPLETE"}, set()),
        ({"status": None}, set()),
        ({"status": "  "}, set()),
        ({"fetched": 1.5}, {"after_as_of"}),  # closed 90 s after it was seen
        ({"fetched": 2}, set()),  # exactly a minute: clocks differ
        ({"created": -10}, set()),
        ({"created": -10.001}, {"outside_period"}),
        ({"created": 10, "assigned": 11, "doing": 12, "closed": 13}, set()),
        ({"created": 10.001, "assigned": 11, "doing": 12, "closed": 13}, {"outside_period"}),
        ({"created": -50, "period_id": 2}, set()),  # its period has no start
        ({"created": -50, "period_id": 3}, set()),  # of no known period
        ({"created": -50, "period_id": None}, set()),
        ({"created": None}, {"null_created_time"}),
        ({"classification": None}, {"null_classification"}),
        ({"sub_classification": None}, {"null_sub_classification"}),
        ({"channel": None}, {"null_channel"}),
        ({"ai_dispatched": None}, {"null_ai_dispatched"}),
        ({"ai_dispatched": False}, set()),
    ],
)
def test_one_odd_record_among_three(change, found):
    data = whole({"closed": 3.1}, change, {"closed": 3.2})
    assert counts(data, PERIODS) == dict.fromkeys(found, 1)
    rows = pk.quality(data, PERIODS).set_index("check")
    for check in found:
        assert rows.loc[check, "examples"] == [2], "the id of the record"
        assert rows.loc[check, "share"] == pytest.approx(1 / 3)


def test_duplicates_are_the_same_action_of_the_same_period():
    data = frame([action(**WHOLE)] * 4).assign(
        action_id=pd.array([7, 7, 7, None], dtype="Int64"), period_id=pd.array([1, 1, 2, 1], dtype="Int64")
    )
    assert counts(data) == {"duplicates": 1}
    data.attrs["duplicates"] = 3  # those that the parser left out
    row = pk.quality(data).set_index("check").loc["duplicates"]
    assert (row["count"], row["of"], row["examples"]) == (4, 7, [7])


def test_a_batch_is_five_of_one_period_within_one_second():
    second = 1 / 60
    assert counts(whole(*({"closed": 3 + k * second / 5} for k in range(5)))) == {"batch_closing": 5}
    assert counts(whole(*({"closed": 3 + k * second / 5} for k in range(4)))) == {}
    assert counts(whole(*({"closed": 3, "period_id": k % 2} for k in range(8)))) == {}
    assert counts(whole(*({"closed": 3 + k * second} for k in range(5)))) == {}


def test_what_the_parser_found_is_told():
    data = whole({}, {})
    data.attrs["bad_values"] = [{"actionId": 9}, {"actionId": 9}, {"actionId": 4}]
    row = pk.quality(data).set_index("check").loc["bad_values"]
    assert (row["count"], row["examples"]) == (3, [9, 4])


def test_statuses_that_nobody_knows_are_named_with_the_most_frequent_first():
    data = whole({"status": "parked"}, {"status": "Escalated"}, {"status": "parked"}, {"status": "closed"})
    row = pk.quality(data).set_index("check").loc["unknown_status"]
    assert (row["count"], row["of"], row["examples"]) == (3, 4, ["parked", "Escalated"])
    assert pk.stage_times(data)["outcome"].tolist() == ["closed"] * 4, "the times decide"


@pytest.mark.parametrize("column", ["created_time", "assigned_time", "doing_time", "closed_time"])
@pytest.mark.parametrize("moment", ["1970-01-01", "1900-01-01", "1999-12-31T23:59:59", "0001-01-01", "9999-12-31"])
def test_what_systems_write_for_none_is_counted_as_absurd(column, moment):
    data = whole({}, {}, {})
    data[column] = data[column].astype("datetime64[us, UTC]")
    data.loc[1, column] = pd.Timestamp(moment, tz="UTC").as_unit("us")
    row = pk.quality(data).set_index("check").loc["absurd"]
    assert (row["count"], row["examples"]) == (1, [2])


def test_columns_that_nobody_knows_are_named():
    data = whole({}).assign(**{"mood": "good", "form.department": "Bar"})
    row = pk.quality(data).set_index("check").loc["unknown_fields"]
    assert (row["count"], row["examples"], row["of"]) == (1, ["mood"], data.shape[1])


def test_without_periods_it_says_that_it_did_not_look():
    row = pk.quality(whole({"created": -500})).set_index("check").loc["outside_period"]
    assert pd.isna(row["count"])
    assert pd.isna(row["share"])
    assert "pass periods" in row["meaning"]


def test_five_examples_are_enough():
    row = pk.quality(whole(*[{"channel": None}] * 9)).set_index("check").loc["null_channel"]
    assert (row["count"], row["examples"]) == (9, [1, 2, 3, 4, 5])


# Few ids, periods and seconds, so that there are duplicates and batches.
RECORDS = st.lists(st.tuples(ROW, st.none() | st.integers(1, 3), st.sampled_from([0, 3, 3 + 1 / 90])), max_size=14)


@law(8)
@given(RECORDS, st.sampled_from([None, PERIODS]))
def test_every_engine_finds_the_same(records, periods):
    rows = [row if closed == 0 else {**row, "closed": closed, "period_id": 1} for row, _, closed in records]
    data = frame(rows).drop(columns=["assigned_user_names", "notes"])
    data = data.assign(action_id=pd.array([number for _, number, _ in records], dtype="Int64"), mood="good")
    expected = pk.quality(data, periods)
    by_check = expected.set_index("check")
    for check, (number, examples) in checks_by_row(data, periods).items():
        assert (by_check.loc[check, "count"], by_check.loc[check, "examples"]) == (number, examples), check
    for name, make in ENGINES.items():
        note(name)
        pd.testing.assert_frame_equal(pk.quality(make(data), periods), expected)


def test_a_column_that_is_not_there_is_named_in_every_engine():
    for make in ENGINES.values():
        with pytest.raises(SchemaError, match="'channel'"):
            pk.quality(make(whole({}).drop(columns="channel")))


def test_real_records_have_the_defects_that_are_known(recorded_frames):
    periods, data = recorded_frames
    found = counts(data, periods)
    assert found["null_closed_time"] == 19
    assert found["null_sub_classification"] == 397
    skipped = data["closed_time"].notna() & (data["doing_time"].isna() | data["assigned_time"].isna())
    assert found["skipped_stage"] == skipped.sum() >= 173


def test_unknown_statuses_are_in_order_of_their_text_where_they_are_an_enumeration():
    texts = frame([action(status=status) for status in ("x10", "x9", "b", "a")] * 2)
    listed = pl.from_pandas(texts).with_columns(pl.col("status").cast(pl.Enum(["x9", "x10", "b", "a"])))
    for each in (texts, listed, listed.lazy(), duckdb.from_arrow(listed.to_arrow())):
        examples = pk.quality(each).set_index("check").loc["unknown_status", "examples"]
        assert examples == ["a", "b", "x10", "x9"]
