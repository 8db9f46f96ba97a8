"""What the boss opens: numbers that are numbers, local times, and texts that stay texts."""

import importlib.util
import stat
from datetime import datetime

import pandas as pd
import pytest
from strategies import action, frame

import periodkit as pk

openpyxl = pytest.importorskip("openpyxl")


def sheet(path, name=None):
    book = openpyxl.load_workbook(path)
    return book[name] if name else book.active


def column(page, heading):
    headings = [cell.value for cell in page[1]]
    return [page.cell(row, headings.index(heading) + 1) for row in range(2, page.max_row + 1)]


def test_metrics_are_numbers_with_units(tmp_path):
    minutes = pd.to_timedelta([12.5, None], unit="min")
    found = pd.DataFrame({"channel": ["Bar", "Gate"], "n": [1200, 3], "rate": [0.123, None]})
    found = found.assign(p90=minutes, p90_low=minutes)
    assert pk.to_excel(found, tmp_path / "a.xlsx") == tmp_path / "a.xlsx"
    page = sheet(tmp_path / "a.xlsx")
    assert [cell.value for cell in page[1]] == ["channel", "n", "rate", "P90 (min)", "P90 low (min)"]
    assert page.freeze_panes == "A2"
    assert page.auto_filter.ref == "A1:E3"
    assert all(cell.font.bold for cell in page[1])
    n, rate, p90 = (column(page, name) for name in ("n", "rate", "P90 (min)"))
    assert [cell.value for cell in n] == [1200, 3]
    assert n[0].number_format == "#,##0"
    assert (rate[0].value, rate[0].number_format, rate[1].value) == (0.123, "0.0%", None)
    assert (p90[0].value, p90[0].number_format, p90[1].value) == (12.5, "#,##0.0", None)
    widths = [page.column_dimensions[letter].width for letter in "ABCDE"]
    assert all(8 <= width <= 48 for width in widths)
    assert widths[4] > len("P90 low (min)")


def test_raw_actions_have_local_times_and_whole_ids(tmp_path):
    actions = frame(
        [
            action(
                created="2024-07-01T19:00Z",
                assigned_user_names=["Ada", "Bo"],
                closed="2024-01-01T12:00Z",
                period_id=4173,
            ),
            action(created="0001-01-01T00:00Z", closed=None, assigned_user_names=[]),
        ]
    )
    kept = actions.copy(deep=True)
    pk.to_excel(actions, tmp_path / "a.xlsx")
    pd.testing.assert_frame_equal(actions, kept)
    page = sheet(tmp_path / "a.xlsx")
    created, closed = (column(page, f"{name} (Europe/London)") for name in ("created time", "closed time"))
    assert created[0].value == datetime(2024, 7, 1, 20, 0)
    assert created[0].number_format == "yyyy-mm-dd hh:mm:ss"
    assert closed[0].value == datetime(2024, 1, 1, 12, 0)
    assert closed[1].value is None
    assert created[1].value.startswith("0001-01-01T00:00:00")  # Excel's calendar begins in 1900
    assert [cell.value for cell in column(page, "assigned user names")] == ["Ada, Bo", None]
    assert column(page, "period id")[0].number_format == "0"
    assert page.max_column == len(actions.columns)


def test_a_zone_is_that_which_is_asked_for(tmp_path):
    actions = frame([action(created="2024-07-01T19:00Z")])
    for tz, said, hour in (("America/New_York", "America/New_York", 15), (None, "UTC", 19)):
        pk.to_excel(actions, tmp_path / "a.xlsx", tz=tz)
        assert column(sheet(tmp_path / "a.xlsx"), f"created time ({said})")[0].value.hour == hour


def test_several_frames_are_sheets_and_mixed_columns_keep_their_kinds(tmp_path):
    values = pd.Series([pd.Timedelta("90s"), 0.25, 187], dtype="object")
    mixed = pd.DataFrame({"measure": ["p90", "ai_rate", "actions"], "value": values})
    days = pd.DataFrame({"day": pd.Categorical(["Mon", None, "Sun"])})
    pk.to_excel({"Tonight": mixed, "Days": days}, str(tmp_path / "a.xlsx"))
    cells = column(sheet(tmp_path / "a.xlsx", "Tonight"), "value")
    shown = [(cell.value, cell.number_format) for cell in cells]
    assert shown == [(1.5, '#,##0.0" min"'), (0.25, "0.0%"), (187, "#,##0")]
    assert [cell.value for cell in column(sheet(tmp_path / "a.xlsx", "Days"), "day")] == ["Mon", None, "Sun"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+44 20", "-", "@SUM(A1)", "#N/A", "=cmd|' /C calc'!A0", "\t=1", "a\r\nb", "0012"]
)
def test_texts_stay_texts(tmp_path, text):
    pk.to_excel(pd.DataFrame({text: [text], "list": [[text]]}), tmp_path / "a.xlsx")
    page = sheet(tmp_path / "a.xlsx")
    for cell in (page["A2"], page["B2"]):
        assert (cell.value, cell.data_type) == (text, "s")
        assert bool(cell.quotePrefix) == text.startswith(("=", "+", "-", "@", "\t"))
    assert page["A1"].data_type == "s"


def test_odd_values_are_written_or_named(tmp_path):
    odd = pd.DataFrame(
        {
            "number": [float("inf"), float("nan"), -1.5],
            "flag": pd.array([True, None, False], dtype="boolean"),
            "long": [2**62, 1, 2],
            "record": [{"a": 1}, None, "\ud800"],
            "when": pd.to_datetime(["2024-07-01 12:00", None, None]),
        }
    )
    pk.to_excel(odd, tmp_path / "a.xlsx")
    page = sheet(tmp_path / "a.xlsx")
    assert [cell.value for cell in column(page, "number")] == ["inf", None, -1.5]
    assert [cell.value for cell in column(page, "flag")] == [True, None, False]
    assert [cell.value for cell in column(page, "long")] == [str(2**62), "1", "2"]
    assert [cell.value for cell in column(page, "record")] == ['{"a": 1}', None, "\\ud800"]
    assert column(page, "when")[0].value == datetime(2024, 7, 1, 12)
    with pytest.raises(pk.ArgumentError, match=r"'note' does not fit into Excel: its row 1 holds '\\x01'"):
        pk.to_excel(pd.DataFrame({"note": ["a\x01"]}), tmp_path / "b.xlsx")
    assert not (tmp_path / "b.xlsx").exists()


def test_every_metric_can_be_written(tmp_path, season_frames):
    periods, actions = season_frames
    actions = actions[actions["period_id"].isin(periods["period_id"].tail(3))]
    frames = {
        "times": pk.cycle_times(actions, "classification"),
        "stages": pk.stage_quantiles(actions),
        "short": pk.describe(actions),
        "on time": pk.on_time(actions, "20min", by="channel"),
        "effect": pk.ai_effect(actions),
        "open": pk.open_actions(actions, "20min"),
        "load": pk.load(actions),
        "clock": pk.add_clock(actions, periods),
        "quality": pk.quality(actions, periods),
        "work": pk.workload(actions, "1h"),
        "profile": pk.marker_profile(actions, periods, marker="Kick-off"),
    }
    pk.to_excel(frames, tmp_path / "all.xlsx")
    book = openpyxl.load_workbook(tmp_path / "all.xlsx")
    assert book.sheetnames == [*frames]
    for name, each in frames.items():
        assert book[name].max_row == len(each) + 1 or each.empty
    assert stat.S_IMODE((tmp_path / "all.xlsx").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "at least one sheet"),
        ([1], "frame is or holds"),
        ({"a": 1}, "frame is or holds 1"),
        ({"a/b": pd.DataFrame()}, "a sheet called 'a/b'"),
        ({"x" * 32: pd.DataFrame()}, "up to 31 characters"),
        ({"": pd.DataFrame()}, "a sheet called ''"),
        ({"a": pd.DataFrame(), "A": pd.DataFrame()}, "differ in case alone"),
    ],
)
def test_what_is_no_book_is_named(tmp_path, given, said):
    with pytest.raises(pk.ArgumentError, match=said):
        pk.to_excel(given, tmp_path / "a.xlsx")


def test_the_file_must_be_one_of_excels_and_openpyxl_there(tmp_path, monkeypatch):
    with pytest.raises(pk.ArgumentError, match=r"ends in \.xlsx"):
        pk.to_excel(pd.DataFrame({"a": [1]}), tmp_path / "a.xls")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(pk.ConfigError, match=r'pip install "periodkit\[excel\]"'):
        pk.to_excel(pd.DataFrame({"a": [1]}), tmp_path / "a.xlsx")
