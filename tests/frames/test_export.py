"""Archived frames as files for other programs."""

import csv
import json
import sys
from datetime import timedelta

import openpyxl
import pandas as pd
import pytest
from platforms import Platform

import periodkit as pk
from periodkit.frames.export import export
from periodkit.schema import ACTIONS

RISKY = ["=cmd|' /C calc'!A1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\n=1", "＝1"]


@pytest.fixture
def frames():
    platform = Platform(periods=2, actions=len(RISKY))
    for action, text in zip(platform.actions[7], RISKY, strict=True):
        action |= {"status": text, "budget": -1.5, "mixed": [1, {"a": "=1"}], "half": "\ud800"}
    platform.actions[12][0] |= {"half": "x", "mixed": "=1+1", "=head": "control \x85", "status": "näh \"q\", 'a'"}
    return platform.frames()


def test_csv_has_utc_times_json_lists_and_nothing_that_runs(frames, tmp_path):
    periods, actions = frames
    export(actions, tmp_path / "new" / "a.csv")
    with (tmp_path / "new" / "a.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == [f"'{name}" if name.startswith("=") else name for name in actions.columns]
    assert [row["status"] for row in rows[: len(RISKY)]] == [f"'{text}" for text in RISKY]
    assert not [cell for row in rows for cell in row.values() if cell[:1] in {"=", "+", "@", "\t", "\r"}]
    assert rows[0]["created_time"] == "2024-07-01T06:31:00.000000Z"
    assert rows[0]["budget"] == "-1.5"
    assert rows[0]["doing_time"] == ""
    assert json.loads(rows[1]["assigned_user_names"]) == actions["assigned_user_names"].iloc[1]
    assert json.loads(rows[0]["mixed"]) == [1, {"a": "=1"}]
    assert rows[len(RISKY)]["mixed"] == "'=1+1"
    assert rows[len(RISKY)]["status"] == "näh \"q\", 'a'"
    export(periods, tmp_path / "p.CSV")
    read = pd.read_csv(tmp_path / "p.CSV")
    assert json.loads(read["markers"].iloc[0]) == periods["markers"].iloc[0]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.csv"]


def test_excel_holds_texts_not_formulas(frames, tmp_path):
    export(frames[1], tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    names = [cell.value for cell in sheet[1]]
    status = [sheet.cell(row, names.index("status") + 1) for row in range(2, 3 + len(RISKY))]
    assert [cell.data_type for cell in status] == ["s"] * (1 + len(RISKY))
    assert [cell.value for cell in status[:-1]] == RISKY
    assert [cell.quotePrefix for cell in status] == [True] * len(RISKY) + [False]
    assert names == frames[1].columns.tolist()
    assert sheet.cell(2, names.index("created_time") + 1).value == "2024-07-01T06:31:00.000000Z"
    assert sheet.cell(2, names.index("budget") + 1).value == -1.5
    assert sheet.max_row == 1 + 2 * len(RISKY)


def test_parquet_keeps_types(frames, tmp_path):
    export(frames[1], tmp_path / "a.parquet")
    read = pd.read_parquet(tmp_path / "a.parquet")
    assert str(read["created_time"].dtype) == "datetime64[us, UTC]"
    assert read["status"].tolist() == frames[1]["status"].tolist()
    assert read["assigned_user_names"].iloc[1].tolist() == frames[1]["assigned_user_names"].iloc[1]
    assert json.loads(read["mixed"].iloc[0]) == [1, {"a": "=1"}]


@pytest.mark.parametrize("suffix", ["csv", "xlsx", "parquet"])
def test_nothing_is_a_file_of_headings(tmp_path, suffix):
    export(ACTIONS.empty(), tmp_path / f"a.{suffix}")
    read = {"csv": pd.read_csv, "xlsx": pd.read_excel, "parquet": pd.read_parquet}[suffix](tmp_path / f"a.{suffix}")
    assert len(read) == 0
    assert "created_time" in read.columns


def test_what_cannot_be_written_is_said(frames, tmp_path, monkeypatch):
    with pytest.raises(pk.ArgumentError, match=r"a\.pdf does not end in \.csv, \.parquet, \.xlsx"):
        export(frames[1], tmp_path / "a.pdf")
    (tmp_path / "file").write_text("x")
    with pytest.raises(pk.ConfigError, match="could not be written"):
        export(frames[1], tmp_path / "file" / "a.csv")
    with pytest.raises(pk.ArgumentError, match=r"column 'long' does not fit into Excel: its row 1 .*Export to \.csv"):
        export(frames[1].assign(long="x" * 40_000), tmp_path / "a.xlsx")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(pk.ConfigError, match=r"periodkit\[excel\]"):
        export(frames[1], tmp_path / "a.xlsx")
    assert not list(tmp_path.glob("*a.*"))


def test_times_before_1970_and_far_ahead(tmp_path):
    times = pd.to_datetime(["1969-12-31T23:59:59.5Z", "9999-12-31T00:00:00Z"], format="ISO8601").as_unit("us")
    export(pd.DataFrame({"t": times - timedelta(0)}), tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().splitlines()[1:] == [
        "1969-12-31T23:59:59.500000Z",
        "9999-12-31T00:00:00.000000Z",
    ]


TEXTS = [
    "plain", "#N/A", "#REF!", "#DIV/0!", "TRUE", "1.50", "00042", "1e5", "2024-07-01", "a\nb", "\n", "a\tb", "\ttab",
    " both ", "a\r\nb", "\r", "=1+1", "'quoted", "+49 30", "-", "@x", "_x_", "_x00zz_", "x0041_", "x005F_", "<a & b>",
    "é😀", "\x7f\x85\u2028", "NA", "null",
]  # fmt: skip


@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_every_text_comes_back_from_excel_as_it_went_in(tmp_path, text):
    frame = pd.DataFrame({"action_id": [1, 2], text: [text, None], "object": [[text], text]})
    export(frame, tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert [[cell.value for cell in row] for row in sheet] == [
        ["action_id", text, "object"],
        [1, text, json.dumps([text], ensure_ascii=False)],
        [2, None, text],
    ]
    assert {cell.data_type for row in sheet for cell in row if isinstance(cell.value, str)} == {"s"}
    read = pd.read_excel(tmp_path / "a.xlsx", keep_default_na=False, dtype="str")
    assert read[text].tolist() == [text, ""]


@pytest.mark.parametrize(
    "text", ["\x00", "a\x01", "\x0b", "\x1f", "\ufffe", "\uffff", "_x0041_", "a_x000a_b", "_xFFFE_"], ids=ascii
)
def test_what_excel_cannot_hold_names_its_column_and_row(tmp_path, text):
    for frame, said in (
        (pd.DataFrame({"a": [1, 2], "who": ["x", text]}), r"column 'who' does not fit into Excel: its row 2 holds"),
        (pd.DataFrame({"a": [1, 2], "who": [["x"], text]}), r"column 'who' does not fit into Excel: its row 2 holds"),
        (pd.DataFrame({text: [1]}), r"column .* does not fit into Excel: its name holds"),
    ):
        with pytest.raises(pk.ArgumentError, match=said):
            export(frame, tmp_path / "a.xlsx")
        export(frame, tmp_path / "a.csv")
        assert not list(tmp_path.glob("*.xlsx"))


@pytest.mark.parametrize("size", [10**14, 10**15, 123_456_789_012_345_678, 2**63 - 1])
def test_ids_keep_all_digits(tmp_path, size):
    frame = pd.DataFrame({"action_id": pd.array([size, -size, 7, None], dtype="Int64"), "n": [1, 2, 3, 4]})
    export(frame, tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    assert {cell.number_format for cell in sheet["B"][1:]} == {"0"}
    ids = [cell.value for cell in sheet["A"][1:]]
    assert ids == ([size, -size, 7, None] if size < 10**15 else [str(size), str(-size), "7", None])
    read = pd.read_excel(tmp_path / "a.xlsx", dtype={"action_id": "str"})
    assert read["action_id"].dropna().tolist() == [str(size), str(-size), "7"]


def test_more_rows_or_columns_than_excel_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["periodkit.frames.workbook"], "_ROWS", 2)
    with pytest.raises(pk.ArgumentError, match=r"3 rows of 1 columns do not fit into Excel.*Export to \.csv"):
        export(pd.DataFrame({"a": [1, 2, 3]}), tmp_path / "a.xlsx")
    export(pd.DataFrame({"a": [1.5, None], "b": [True, False]}), tmp_path / "a.xlsx")
    assert pd.read_excel(tmp_path / "a.xlsx")["b"].tolist() == [True, False]
