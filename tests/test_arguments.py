"""What callers pass is read exactly, or refused by its name and type."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import action, frame

import periodkit as pk
from periodkit import _arguments as arguments
from periodkit.errors import ArgumentError, InvalidRequestError, SchemaError

ACTIONS = frame([action(closed=5), action(closed=9, classification="Fall")])
PERIODS = pd.DataFrame({"period_id": [7, 8], "period_name": ["Cup final", "Final"]})


@pytest.mark.parametrize(
    ("given", "micros"),
    [
        ("0.57min", 34_200_000),
        ("0.29h", 1_044_000_000),
        ("1.1s", 1_100_000),
        ("0.07 D", 6_048_000_000),
        ("4.35ms", 4_350),
        ("1h30min", 5_400_000_000),
        ("1 day, 2 hours", 93_600_000_000),
        ("2W", 1_209_600_000_000),
        ("2d", 172_800_000_000),
        ("00:15:00", 900_000_000),
        ("PT15M", 900_000_000),
        ("0 days", 0),
        (pd.Timedelta(minutes=0.57), 34_200_000),
        (timedelta(minutes=0.57), 34_200_000),
        (np.timedelta64(90, "s"), 90_000_000),
        (pd.offsets.Minute(5), 300_000_000),
    ],
)
def test_a_length_of_time_is_exact(given, micros):
    assert arguments.as_micros(given, "target") == micros


@given(st.integers(0, 10**7), st.integers(0, 6), st.sampled_from(["W", "D", "h", "min", "s", "ms", "us"]))
def test_every_decimal_text_is_exact(digits, places, unit):
    number = f"{digits / 10**places:.{places}f}"
    sizes = {"W": 604_800_000_000, "D": 86_400_000_000, "h": 3_600_000_000, "min": 60_000_000, "s": 1_000_000}
    micros = Fraction(number) * (sizes | {"ms": 1000, "us": 1})[unit]
    if micros <= 2**63 // 1000:
        assert arguments.as_micros(f"{number}{unit}", "target") == round(micros)


@pytest.mark.parametrize(
    "value",
    ["", "15", "1e3", "5M", "1min x", "-5min", "1,5min", "nan", "NaT", "99999999D", 5, 0.5, np.int64(5), True, None,
     np.timedelta64(5), np.timedelta64("NaT"), pd.NaT, timedelta(-1), timedelta(days=999_999), pd.Series(["1min"])],
    ids=repr,
)  # fmt: skip
def test_what_is_no_length_of_time_is_refused(value):
    with pytest.raises(ArgumentError, match=r"target is .*; it takes a length of time"):
        arguments.as_micros(value, "target")


@pytest.mark.parametrize(
    ("given", "moment"),
    [
        ("2024-07-01", datetime(2024, 7, 1, tzinfo=UTC)),
        (" 20240701 ", datetime(2024, 7, 1, tzinfo=UTC)),
        ("2024-07-01t21:00:00,5+02:00", datetime(2024, 7, 1, 19, 0, 0, 500_000, tzinfo=UTC)),
        ("2024-06-30T23:59:60z", datetime(2024, 7, 1, tzinfo=UTC)),
        (date(2024, 7, 1), datetime(2024, 7, 1, tzinfo=UTC)),
        (pd.Timestamp("2024-07-01T19:00:00.000000001Z"), datetime(2024, 7, 1, 19, tzinfo=UTC)),
    ],
)
def test_a_moment_is_read_in_utc(given, moment):
    assert arguments.read_moment(given, "as_of", ArgumentError) == moment


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("soon", "'soon', which is not an ISO 8601"),
        ("2024-07-01T19:00:00", "has no time zone"),
        (datetime(2024, 7, 1), "has no time zone"),
        ("9999-12-31T23:59:59-05:00", "is not an ISO 8601|outside the years 1 to 9999"),
        (datetime(1, 1, 1, tzinfo=pd.Timestamp("2024-01-01T00:00+05:00").tzinfo), "outside the years 1 to 9999"),
        (pd.NaT, "NaT, which is not a date"),
        (pd.Series(pd.to_datetime(["2024-07-01T19:00Z"])), "is a Series, which is not a date"),
    ],
)
def test_what_is_no_moment_is_refused(value, said):
    with pytest.raises(ArgumentError, match=said):
        arguments.read_moment(value, "as_of", ArgumentError)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: pk.cycle_times(ACTIONS, by=ACTIONS["channel"].rename(None)), "by is or holds a Series"),
        (lambda: pk.cycle_times(ACTIONS, by=ACTIONS[["channel"]]), "by is or holds a DataFrame"),
        (lambda: pk.ai_dispatch_rate(ACTIONS, by=[ACTIONS["channel"].rename(None)]), "by is or holds a Series"),
        (lambda: pk.cycle_times(ACTIONS, stage=ACTIONS["channel"]), "stage is a Series; it takes one of dispatch"),
        (lambda: pk.plots.cycle_time_ecdf(ACTIONS, stage=ACTIONS), "stage is a DataFrame"),
        (lambda: pk.on_time(ACTIONS, ACTIONS["closed_time"]), "target is a Series"),
        (lambda: pk.plots.event_ribbon(ACTIONS, tz=ACTIONS["channel"]), "tz is a Series, which is no time zone"),
        (lambda: pk.workload(ACTIONS, as_of=ACTIONS["fetched_at"]), "as_of is a Series"),
        (lambda: pk.cycle_times(ACTIONS, confidence=ACTIONS["channel"]), "confidence must .* not a Series"),
        (lambda: pk.ai_dispatch_rate(ACTIONS, of=ACTIONS), "of is a DataFrame"),
        (lambda: pk.plots.aging(ACTIONS, max_labels=ACTIONS), "max_labels is a DataFrame; it takes a whole number"),
    ],
)
def test_a_series_or_a_frame_is_named_by_its_type_and_never_printed(call, said):
    with pytest.raises(ArgumentError, match=said) as caught:
        call()
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("periods", "said"),
    [
        (PERIODS["period_name"].to_frame().iloc[0].index, "There is no period 'period_name'"),
        ([PERIODS["period_id"]], "periods is or holds a Series, which is not a whole number"),
        ([PERIODS], "periods is or holds a DataFrame, which"),
        (PERIODS["period_name"], "There is no period 'Cup final'"),
        (b"7", "holds b'7'"),
        ([True], "holds True"),
        (7.5, r"holds 7\.5"),
    ],
)
def test_what_is_no_period_id_is_named(client, periods, said):
    with pytest.raises((InvalidRequestError, ArgumentError), match=said):
        client.actions(periods)


def test_ids_are_taken_from_whatever_holds_them():
    assert arguments.period_ids(PERIODS) == arguments.period_ids(PERIODS["period_id"]) == [7, 8]
    assert arguments.period_ids(np.array([7.0, 8.0, 7.0])) == [7, 8]
    assert arguments.period_ids(PERIODS.iloc[1]) == arguments.period_ids([PERIODS.iloc[1]]) == [8]
    assert arguments.period_ids("7") == arguments.period_ids(np.int64(7)) == [7]
    with pytest.raises(SchemaError, match=r"no column 'period_id'; did you mean 'periodid'\?"):
        arguments.period_ids(PERIODS.rename(columns={"period_id": "periodid"}))
    with pytest.raises(SchemaError, match="several columns named 'period_id'"):
        arguments.period_ids(pd.concat([PERIODS, PERIODS], axis=1))


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("department", "is the text 'department'. Pass a list"),
        (PERIODS, "form_fields is a DataFrame"),
        (5, "form_fields is 5"),
        ([PERIODS["period_name"]], "form_fields holds a Series"),
        (["\ud800"], r"form_fields holds '\\ud800'"),
    ],
)
def test_what_is_no_form_field_is_named(fields, said):
    with pytest.raises(InvalidRequestError, match=said):
        arguments.checked_form_fields(fields)


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("clasification", "classification"),
        ("Channel", "channel"),
        ("LATEST_CHANEL", "latest_channel"),
        ("subClassification", "sub_classification"),
    ],
)
def test_a_misspelt_column_says_which_is_meant(wanted, meant):
    expected = rf"no column '{wanted}'; did you mean '{meant}'\? The frame has: period_id, .*fetched_at\."
    for look in (pk.cycle_times, pk.ai_dispatch_rate, pk.outcome_curve, pk.plots.p90_forest):
        with pytest.raises(SchemaError, match=expected):
            look(ACTIONS, by=wanted)


def test_a_misspelt_column_of_another_engine_says_which_is_meant():
    pl = pytest.importorskip("polars")
    lazy = pl.DataFrame({"ai_dispatched": [True], "klass": ["a"], "clas": ["b"]}).lazy()
    for rows in (lazy, lazy.collect(), lazy.collect().to_arrow()):
        with pytest.raises(SchemaError, match=r"'class'; did you mean 'clas'\? The frame has: ai_.*, klass, clas\."):
            pk.ai_dispatch_rate(rows, by="class")
    with pytest.raises(SchemaError, match=r"no column 'ai_dispatched'\. Pass an actions frame"):
        pk.ai_dispatch_rate(pl.DataFrame({"zone": [1]}))


def test_all_columns_that_are_missing_are_named():
    renamed = ACTIONS.rename(columns={"created_time": "createdTime", "status": "state"})
    said = r"no column 'created_time'; did you mean 'createdTime'\? Also missing: 'status'\. The frame has: "
    with pytest.raises(SchemaError, match=said):
        pk.cycle_times(renamed)
    with pytest.raises(
        SchemaError, match=r"no column 'form\.gate'\. Pass actions .* with form_fields=\['gate'\]\. The"
    ):
        pk.cycle_times(ACTIONS, by="form.gate")


def test_many_columns_are_not_all_listed():
    with pytest.raises(SchemaError, match="and 60 more"):
        arguments.require_columns([f"c{i}" for i in range(100)], ["nothing like it"])
    with pytest.raises(SchemaError, match="The frame has: no columns"):
        arguments.require_columns([], ["a"])


@pytest.mark.parametrize("value", [True, 1, 2.0, "3", None, np.float64(2), PERIODS])
def test_a_count_is_a_whole_number_that_is_large_enough(value):
    assert arguments.check_count(np.int64(2), "max_groups", 2) == arguments.check_count(2, "max_groups", 2) == 2
    with pytest.raises(ArgumentError, match=r"max_groups is .*; it takes a whole number from 2"):
        arguments.check_count(value, "max_groups", 2)


@pytest.mark.parametrize("tz", ["Mars/Olympus", "", "/etc/passwd", 5, PERIODS["period_name"]])
def test_what_is_no_zone_is_refused(tz):
    assert arguments.zone(None) == (UTC, "UTC")
    with pytest.raises(ArgumentError, match=r"tz is .*, which is no time zone"):
        arguments.zone(tz)


@pytest.mark.parametrize(
    "call",
    [pk.stage_times, pk.open_actions, pk.add_clock, pk.format_table, lambda frame: pk.pseudonymize(frame, b"x" * 32)],
    ids=["stage_times", "open_actions", "add_clock", "format_table", "pseudonymize"],
)
@pytest.mark.parametrize(
    ("given", "kind"), [(pl.DataFrame({"n": [1]}), "a polars DataFrame"), ([1], "a list"), (None, "a NoneType")]
)
def test_what_looks_at_records_names_what_is_no_pandas_frame(call, given, kind):
    with pytest.raises(ArgumentError, match=f"is {kind}. Pass a pandas frame, as .* returns it"):
        call(given)
