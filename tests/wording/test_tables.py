"""Metric frames as people read them: every kind of value, and text that is only ever text."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from strategies import action, actions, at, frame

import periodkit as pk
from periodkit import answers
from periodkit.wording import duration, estimate
from periodkit.wording.tables import format_value, label, readable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (pd.Timedelta("90s"), "1.5 min"),
        (pd.Timedelta(0), "0 s"),
        (pd.Timedelta("2D"), "2 d"),
        (pd.Timedelta("-1min"), "-1 min"),
        (0.0, "0.0 %"),
        (np.float64(1), "100.0 %"),
        (0.98765, "98.8 %"),
        (0, "0"),
        (1_234_567, "1,234,567"),
        (np.int64(5), "5"),
        (True, "yes"),
        (np.bool_(False), "no"),
        (pd.Timestamp("2024-07-01T19:05:09Z"), "2024-07-01 19:05"),
        ("Bar", "Bar"),
        ("", ""),
        ([], "–"),
        (["Ann", 1234], "Ann, 1234"),
        *((null, "–") for null in (None, np.nan, pd.NA, pd.NaT)),
    ],
)
def test_values(value, text):
    assert format_value(value) == text


def test_an_id_has_no_commas():
    assert format_value(12345, grouped=False) == "12345"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0421, "0.0421 s"),
        (0.9996, "1 s"),
        (59.94, "59.9 s"),
        (59.96, "1 min"),
        (754.6, "12.6 min"),
        (119.4 * 60, "119 min"),
        (7200, "2 h"),
        (47.9 * 3600, "47.9 h"),
        (47.99 * 3600, "2 d"),
        (12345 * 86400, "12,345 d"),
    ],
)
def test_a_duration_has_three_digits_in_the_unit_that_fits(seconds, text):
    assert duration(seconds) == text
    assert duration(pd.Timedelta(seconds=seconds)) == text
    assert duration(-seconds) == f"-{text}"


def test_a_column_has_one_unit_and_a_limit_that_does_not_exist_is_said():
    hours = pd.to_timedelta(pd.Series([0.5, 3, 60, None, None]), unit="h")
    frame = pd.DataFrame({"p90": hours, "p90_low": hours - pd.Timedelta("6min"), "p90_high": hours * np.nan})
    frame.loc[0, "p90_high"] = pd.Timedelta("36min")
    frame.loc[3, "p90_low"] = pd.Timedelta("192min")
    assert readable(frame).to_dict("list") == {
        "P90 (h)": ["0.5 (0.4–0.6)", "3 (over 2.9)", "60 (over 59.9)", "over 3.2", "not reached"]
    }


def test_sentences_tables_and_plots_write_an_estimate_alike(season_frames):
    _, actions = season_frames
    row = pk.cycle_times(actions).iloc[0]
    text = estimate(row["p90"], row["p90_low"], row["p90_high"])
    assert text in answers.in_short(pk.describe(actions))
    assert text in pk.plots.alt_text(pk.plots.cycle_time_ecdf(actions))
    assert text == readable(pk.describe(actions)).set_index("measure").loc["cycle P90", "value"]
    plt.close("all")


@pytest.mark.parametrize(
    ("column", "text"),
    [
        ("p50", "P50"),
        ("p99.9", "P99.9"),
        ("period_name", "period"),
        ("ai", "AI"),
        ("not_ai", "not AI"),
        ("ai_dispatched", "AI-dispatched"),
        ("form.department", "department"),
        ("sub_classification", "sub classification"),
        ("phase", "phase"),
    ],
)
def test_labels(column, text):
    assert label(column) == text


def test_cycle_times():
    data = actions(*({"closed": k, "status": "closed", "channel": "Bar"} for k in range(1, 11)), {"channel": None})
    got = readable(pk.cycle_times(data, by="channel"))
    assert got.columns.tolist()[0] == "channel"
    assert got.columns.tolist()[-2:] == ["P50 (min)", "P90 (min)"]
    assert got["channel"].tolist() == ["Bar", "–"]
    assert got["P50 (min)"].tolist() == ["5 (1–8)", "not reached"]
    assert got["P90 (min)"].tolist()[0].startswith("9 (over "), "an upper limit that is not reached is said"
    assert got["n"].tolist() == ["10", "1"]
    assert (got.dtypes == "str").all()


def test_rates_curves_and_load():
    data = actions({"ai_dispatched": True, "closed": 2}, {"ai_dispatched": None}, {"ai_dispatched": False})
    assert readable(pk.ai_dispatch_rate(data))["rate"].tolist() == ["50.0 % (9.5–90.5)"]
    curve = readable(pk.outcome_curve(data, times=["5min"]))
    assert curve["closed"].iloc[0].startswith("33.3 % (")
    assert not [name for name in curve.columns if name.endswith(("se", "low", "high"))]
    assert readable(pk.workload(data))["time"].iloc[0] == "2024-07-01 19:00"
    assert readable(pk.on_time(data, "5min"))["worst"].tolist() == ["33.3 %"]


def test_ratios_and_tests_are_no_shares():
    row = {"share_ratio": 1.2345, "share_ratio_low": 0.98, "share_ratio_high": 123.4, "logrank_p": 1e-9, "e_value": 2.0}
    got = readable(pd.DataFrame([row | {"difference": -0.02, "difference_low": -0.05, "difference_high": 0.01}]))
    assert got.iloc[0].tolist() == ["1.23 (0.980–123)", "< 0.001", "2.00", "-2.0 % (-5.0 to 1.0)"]
    assert (
        readable(pd.DataFrame([row | {"share_ratio": np.nan, "share_ratio_low": np.nan}])).iloc[0, 0] == "– (up to 123)"
    )


def test_each_value_of_describe_in_its_own_way():
    got = readable(pk.describe(frame([action(closed=4, status="closed", ai_dispatched=True)])))
    assert got.columns.tolist() == ["measure", "value", "n"]
    values = dict(zip(got["measure"], got["value"], strict=True))
    assert values["actions"] == "1"
    assert values["cycle P50"] == "4 min", "one action sets no limits"
    assert values["AI-dispatch rate"].startswith("100.0 % (")
    assert values["pickup P50"] == "–"


def test_an_id_is_no_count():
    data = actions({"period_id": 12345}, {"period_id": 12345})
    assert readable(pk.ai_dispatch_rate(data, by="period_id"))["period id"].tolist() == ["12345"]


def test_two_columns_that_people_call_alike_are_both_kept():
    data = actions({}).assign(**{"form.channel": "Roof"})
    got = readable(pk.ai_dispatch_rate(data, by=["channel", "form.channel"]))
    assert got.columns.tolist()[:2] == ["channel", "form.channel"]


def test_no_rows_and_no_columns():
    assert readable(pk.cycle_times(frame([]), by="channel")).shape == (0, 13)
    assert len(pk.format_table(pk.workload(frame([]))).to_html()) > 0
    assert readable(pd.DataFrame()).empty


NASTY = "<script>alert(1)</script>&\"'"


def test_text_is_only_ever_text():
    data = actions({"channel": NASTY}).assign(**{f"form.{NASTY}": NASTY})
    made = pk.format_table(pk.ai_dispatch_rate(data, by=["channel", f"form.{NASTY}"]), caption=NASTY).to_html()
    assert "<script" not in made
    assert made.count("&lt;script&gt;") == 4  # two cells, a heading, the caption


def test_the_same_content_gives_the_same_page():
    got = pk.cycle_times(frame([action(closed=3, fetched=9)]), as_of=at(8))
    assert pk.format_table(got).to_html() == pk.format_table(got.copy()).to_html()
    assert pk.format_table(got).to_html() != pk.format_table(got.assign(n=7)).to_html()


def test_numbers_stand_to_the_right():
    made = pk.format_table(pk.ai_dispatch_rate(actions({}), by="channel")).to_html()
    assert ".col0 {\n  text-align: left" in made
    assert ".col1 {\n  text-align: right" in made


def test_the_frame_is_not_changed():
    got = pk.describe(frame([action(closed=1)]))
    before = got.copy(deep=True)
    pk.format_table(got).to_html()
    pd.testing.assert_frame_equal(got, before)


def test_a_night_against_others_shows_numbers_as_numbers(season_frames):
    periods, actions = season_frames
    tonight = pk.unusual(actions, periods, by=[None])
    shown = readable(tonight)
    assert shown["expected"].iloc[0] == f"{tonight['expected'].iloc[0]:,.0f}"
    assert shown["expected"].iloc[1].endswith(" min")
    assert shown["expected"].iloc[5].endswith(" %")
    assert shown["t"].iloc[5] == f"{tonight['t'].iloc[5]:#.3g}"


@pytest.mark.parametrize(("rows", "more"), [(20, None), (21, "1 more row"), (1033, "1,013 more rows")])
def test_a_notebook_folds_what_is_beyond_twenty_rows(rows, more):
    table = pd.DataFrame({"channel": [f"<{number}>" for number in range(rows)], "n": range(rows)})
    style = pk.format_table(table, caption="Channels")
    shown, whole = style._repr_html_(), style.to_html()
    assert "<details" not in whole
    assert [f"&lt;{number}&gt;" in shown for number in range(rows)] == [True] * rows
    assert shown.count("<caption") == 1
    if more is None:
        assert shown == whole
        return
    first, _, rest = shown.partition(f"<details><summary>{more}</summary>")
    assert (first.count("<td"), rest.count("<td")) == (40, 2 * (rows - 20))
    ids = re.findall(r' id="([^"]+)"', shown)
    assert len(ids) == len(set(ids))
    assert f"#{ids[0]} .col1 {{" in first.replace("\n", " ")
