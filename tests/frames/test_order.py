"""Groups come in the order in which people count, whatever engine counted them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import law
from strategies import ENGINES, action, frame

import periodkit as pk
from periodkit.frames import natural, natural_order, sort_rows

TEXTS = st.text(alphabet="ab 0129ÄB", max_size=6)


def test_numbers_in_texts_count_as_numbers_and_null_is_last():
    keys = pd.DataFrame({"group": ["Group 10", None, "group 2", "Bar", "Group 2", "Group 1"]})
    assert keys["group"].iloc[natural_order(keys)].tolist()[:5] == ["Bar", "Group 1", "Group 2", "group 2", "Group 10"]
    assert pd.isna(keys["group"].iloc[natural_order(keys)[-1]])


@law(50)
@given(st.lists(TEXTS, min_size=2, max_size=8))
def test_natural_order_is_an_order(texts):
    ordered = sorted(texts, key=natural)
    assert sorted(ordered[::-1], key=natural) == ordered  # noqa: C415
    numbers = sorted((text for text in ordered if text.isascii() and text.isdecimal()), key=int)
    assert [int(text) for text in ordered if text in numbers] == [int(text) for text in numbers]


@law(50)
@given(st.lists(st.tuples(st.none() | st.integers(0, 3), st.none() | TEXTS, st.none() | st.booleans()), max_size=12))
def test_rows_are_in_order_column_by_column_with_nulls_last(rows):
    keys = pd.DataFrame(rows, columns=["number", "text", "flag"]).astype(
        {"number": "Int64", "text": "str", "flag": "boolean"}
    )
    order = natural_order(keys)
    said = [tuple(None if pd.isna(value) else value for value in rows[at]) for at in order]
    # Written anew: a null is beyond any value.
    reference = sorted(
        range(len(rows)),
        key=lambda at: tuple(
            (value is None, natural(value) if isinstance(value, str) else value or 0) for value in rows[at]
        ),
    )
    assert said == [rows[at] for at in reference]
    assert order.tolist() == reference


def test_ordered_categories_are_in_their_order_and_others_in_that_of_their_texts():
    ordered = pd.Categorical(["low", "high", None, "mid"], ["low", "mid", "high"], ordered=True)
    assert natural_order(pd.DataFrame({"level": ordered})).tolist() == [0, 3, 1, 2]
    unordered = pd.Categorical(["B10", "B9", None], ["B10", "B9"])
    assert natural_order(pd.DataFrame({"level": unordered})).tolist() == [1, 0, 2]
    numbers = pd.Categorical([10, None, 9], [11, 10, 9])
    assert natural_order(pd.DataFrame({"level": numbers})).tolist() == [2, 0, 1]


def test_values_of_several_kinds_and_very_long_numbers_have_an_order():
    keys = pd.DataFrame({"odd": pd.Series(["9" * 5000, 3, "a", 2.5, None, "1" * 5000], dtype="object")})
    assert natural_order(keys).tolist() == [3, 1, 5, 0, 2, 4]


def test_a_number_of_no_digits_but_zeros_is_zero():
    assert sorted(["a00", "a1", "a0"], key=natural) == ["a0", "a00", "a1"]


NIGHTS = [
    action(period_id=9, period_name="Derby 2", channel="Gate 10", created=0.0, closed=5.0, ai_dispatched=True),
    action(period_id=7, period_name="Derby 10", channel="Gate 2", created=10.0, closed=15.0, ai_dispatched=False),
    action(period_id=8, period_name="Cup", channel=None, created=11.0, closed=20.0),
    action(period_id=None, period_name=None, channel="Gate 1", created=1.0, closed=20.0),
]


@pytest.mark.parametrize("engine", [None, *ENGINES])
@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("channel", ["Gate 1", "Gate 2", "Gate 10", None]),
        ("period_id", [9, 7, 8, None]),
        ("period_name", ["Derby 2", "Derby 10", "Cup", None]),
    ],
)
def test_every_engine_gives_groups_in_the_same_order(engine, by, keys):
    actions = frame(NIGHTS)
    given = actions if engine is None else ENGINES[engine](actions)
    for result in (
        pk.cycle_times(given, by),
        pk.on_time(given, "20min", by=by),
        pk.ai_dispatch_rate(given, [by]) if by == "channel" else pk.cycle_times(given, [by, "channel"]),
        pk.stage_quantiles(given, by).iloc[::5],
        pk.load(given, by),
    ):
        assert [None if pd.isna(key) else key for key in result[by]] == keys


def test_a_time_that_means_none_begins_no_period():
    early = action(period_id=8, created="1970-01-01T00:00Z", closed=5.0)
    assert pk.cycle_times(frame([*NIGHTS, early]), "period_id")["period_id"].tolist()[:3] == [9, 7, 8]


def test_plots_have_the_same_order():
    actions = frame(NIGHTS)
    ax = pk.plots.season_chart(actions, measure="actions", by="channel")
    assert [panel.get_title(loc="left").split(":")[0] for panel in ax.child_axes][:3] == ["Gate 1", "Gate 2", "Gate 10"]
    ax.figure.clear()
    ax = pk.plots.dispatch_rate(actions, by="period_name")
    alt = pk.plots.alt_text(ax)
    by_period = alt[alt.index("By period") :]
    assert by_period.index("Derby 2") < by_period.index("Derby 10") < by_period.index("Cup")
    ax.figure.clear()


def test_a_result_is_sorted_by_a_column_on_request():
    actions = frame([*NIGHTS, action(channel="Gate 10", closed=1.0, period_id=9)])
    assert pk.cycle_times(actions, "channel", sort="n")["n"].tolist() == [2, 1, 1, 1]
    assert pk.cycle_times(actions, "channel", sort="n")["channel"].tolist()[:3] == ["Gate 10", "Gate 1", "Gate 2"]
    assert pk.cycle_times(actions, "period_id", sort="p90")["p90"].is_monotonic_decreasing
    assert pk.reroute_rate(actions, "channel", sort="n").attrs["note"]
    for sorted_by in (
        lambda sort: pk.on_time(actions, "9min", by="channel", sort=sort),
        lambda sort: pk.ai_dispatch_rate(actions, "channel", sort=sort),
    ):
        assert sorted_by("n")["n"].is_monotonic_decreasing
        with pytest.raises(pk.ArgumentError, match=r"sort is 'size'; it takes one of channel, n, "):
            sorted_by("size")


def test_sorting_keeps_ties_in_order_and_nulls_last():
    result = pd.DataFrame({"key": list("abcd"), "p50": [1.0, np.nan, 3.0, 1.0]})
    assert sort_rows(result, "p50")["key"].tolist() == ["c", "a", "d", "b"]
    assert sort_rows(result, None) is result
