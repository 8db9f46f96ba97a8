"""The venue's clock: local hours on both nights when clocks change, minutes that are real ones, and phases."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import law
from strategies import action, frame

import periodkit as pk
from periodkit.schema import CLOCK


def created(*times, **columns):
    return frame([action(created=time, **columns) for time in times])


def night(period_id, **marks):
    records = [{"name": name.replace("_", "-"), "timestamp": time} for name, time in marks.items()]
    return {"period_id": period_id, "markers": records}


@pytest.mark.parametrize(
    ("times", "hours", "dates"),
    [
        # Clocks go forward at 01:00 UTC: there is no hour 1.
        (["2024-03-31T00:59:59Z", "2024-03-31T01:00Z", "2024-03-31T02:00Z"], [0, 2, 3], ["2024-03-31"] * 3),
        # Clocks go back at 01:00 UTC: the hour 1 comes twice.
        (["2024-10-27T00:30Z", "2024-10-27T01:30Z", "2024-10-27T02:30Z"], [1, 1, 2], ["2024-10-27"] * 3),
        # In summer the day begins an hour earlier.
        (["2024-07-01T22:59Z", "2024-07-01T23:00Z"], [23, 0], ["2024-07-01", "2024-07-02"]),
    ],
)
def test_hours_and_dates_are_those_on_the_wall(times, hours, dates):
    found = pk.add_clock(created(*times))
    assert found["hour"].tolist() == hours
    assert found["date"].tolist() == dates
    assert str(found["hour"].dtype) == "Int64"


def test_minutes_are_real_ones_on_a_night_when_clocks_change():
    times = ["2024-10-27T00:30Z", "2024-10-27T01:30Z", "2024-03-31T00:30Z", "2024-03-31T01:30Z"]
    periods = pd.DataFrame([night(1, Kick_off="2024-10-27T00:00:00Z"), night(2, Kick_off="2024-03-31T00:00:00Z")])
    actions = created(*times).assign(period_id=pd.array([1, 1, 2, 2], dtype="Int64"))
    assert pk.add_clock(actions, periods)["minutes_from_marker"].tolist() == [30.0, 90.0, 30.0, 90.0]


def test_weekdays_are_in_the_order_of_the_week():
    found = pk.add_clock(created("2024-07-03T12:00Z", "2024-07-01T12:00Z", "2024-07-07T23:30Z", None))
    assert found["weekday"].tolist()[:3] == ["Wednesday", "Monday", "Monday"]
    assert found["weekday"].cat.ordered
    by_day = pk.ai_dispatch_rate(found, by="weekday")
    assert by_day["weekday"].tolist()[:2] == ["Monday", "Wednesday"]
    assert by_day["n"].tolist() == [2, 1, 1]
    assert isinstance(by_day["weekday"].dtype, pd.CategoricalDtype)


PERIODS = pd.DataFrame(
    [
        night(1, Doors="2024-07-01T18:00:00Z", Kick_off="2024-07-01T19:00:00Z", Full_time="2024-07-01T21:00:00Z"),
        night(2, Doors="2024-07-02T17:00:00Z"),
        night(3),
    ]
)


def test_phases_lie_between_the_markers_of_the_own_period():
    times = ["T17:59:59Z", "T18:00Z", "T19:00:30Z", "T21:00Z"]
    first = created(*(f"2024-07-01{time}" for time in times), period_id=1)
    rest = frame([action(created="2024-07-02T18:00Z", period_id=2), action(period_id=3), action(period_id=None)])
    found = pk.add_clock(pd.concat([first, rest], ignore_index=True), PERIODS)
    said = ["before Doors", "Doors to Kick-off", "Kick-off to Full-time", "after Full-time", "after Doors", None, None]
    assert [None if pd.isna(phase) else phase for phase in found["phase"]] == said
    order = ["before Doors", "after Doors", "Doors to Kick-off", "Kick-off to Full-time", "after Full-time"]
    assert found["phase"].cat.categories.tolist() == order
    minutes = found["minutes_from_marker"]
    assert minutes.iloc[:4].round(3).tolist() == [-60.017, -60.0, 0.5, 120.0]
    assert minutes.iloc[4:].isna().all()
    assert str(minutes.dtype) == "Float64"


def test_of_several_markers_of_the_name_the_nearest_counts():
    periods = pd.DataFrame(
        [
            {
                "period_id": 1,
                "markers": [{"name": "Kick-off", "timestamp": f"2024-07-01T{hour}:00:00Z"} for hour in (12, 15)],
            }
        ]
    )
    times = ["2024-07-01T11:50Z", "2024-07-01T13:00Z", "2024-07-01T14:45Z", "2024-07-01T13:30Z"]
    found = pk.add_clock(created(*times, period_id=1), periods)
    assert found["minutes_from_marker"].tolist() == [-10.0, 60.0, -15.0, 90.0]


@pytest.mark.parametrize("tz", ["Europe/London", "America/New_York", "Asia/Kolkata", "UTC"])
@law(20)
@given(
    st.lists(
        st.datetimes(pd.Timestamp("2020-01-01").to_pydatetime(), pd.Timestamp("2030-01-01").to_pydatetime()), max_size=6
    )
)
def test_columns_are_those_of_the_clock_of_any_zone(tz, moments):
    times = pd.Series(pd.to_datetime(moments, utc=True)).astype("datetime64[us, UTC]")
    actions = pd.DataFrame({"created_time": times, "period_id": pd.array([1] * len(times), dtype="Int64")})
    kept = actions.copy()
    found = pk.add_clock(actions, PERIODS, tz=tz)
    pd.testing.assert_frame_equal(actions, kept)
    assert [*found.columns] == [*actions.columns, *CLOCK]
    for row, moment in zip(found.itertuples(), times, strict=True):
        local = moment.tz_convert(tz)
        assert (row.hour, row.weekday, row.date) == (local.hour, local.day_name(), local.date().isoformat())
        since = (moment - pd.Timestamp("2024-07-01T19:00Z")) / pd.Timedelta(minutes=1)
        assert np.isclose(row.minutes_from_marker, since)
    pd.testing.assert_frame_equal(pk.add_clock(found, PERIODS, tz=tz), found)


def test_without_periods_there_are_no_columns_of_markers():
    assert [*pk.add_clock(created("2024-07-01T12:00Z")).columns][-3:] == ["hour", "weekday", "date"]


def test_an_empty_event_has_the_columns():
    found = pk.add_clock(frame([]), PERIODS)
    assert found.empty
    assert {*CLOCK} <= {*found.columns}
    assert pk.cycle_times(found, "phase").empty


def test_every_metric_and_plot_takes_them(season_frames):
    periods, actions = (each.head(3000) for each in season_frames)
    found = pk.add_clock(actions, periods)
    hours = pk.on_time(found, "20min", by="hour")
    assert hours["hour"].is_monotonic_increasing
    assert int(hours["n"].sum()) == len(found)
    for by in ("hour", "weekday", "date", "phase"):
        ax = pk.plots.p90_forest(found, by=by)
        ax.figure.clear()
    phases = pk.cycle_times(found, by="phase")["phase"].dropna().tolist()
    assert phases == [each for each in found["phase"].cat.categories if each in set(phases)]


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (
            lambda a: pk.add_clock(a, PERIODS, marker="Kick"),
            pk.ArgumentError,
            "'Kick', which no period has",
        ),
        (lambda a: pk.add_clock(a, tz="Mars/Base"), pk.ArgumentError, "tz is 'Mars/Base'"),
        (lambda a: pk.add_clock(a.drop(columns="created_time")), pk.SchemaError, "no column 'created_time'"),
        (
            lambda a: pk.add_clock(a.astype({"created_time": "str"})),
            pk.SchemaError,
            "'created_time' holds text, not UTC",
        ),
        (lambda a: pk.add_clock(a.drop(columns="period_id"), PERIODS), pk.SchemaError, "no column 'period_id'"),
        (lambda a: pk.add_clock(a, [1]), pk.ArgumentError, "periods is a list"),
    ],
)
def test_what_it_cannot_take_is_named(call, error, said):
    with pytest.raises(error, match=said):
        call(created("2024-07-01T12:00Z"))
