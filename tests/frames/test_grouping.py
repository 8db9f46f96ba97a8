"""What to group by: a Series, a function or a list, the same in every metric and plot."""

import duckdb
import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import law
from strategies import ENGINES, action, frame

import periodkit as pk
from periodkit.frames import SHARED, keyed

ROWS = [
    action(
        channel="Bar", closed=5.0, assigned_user_names=["Ada", "Bo", "Ada"], ai_dispatched=True, doing=1.0, period_id=1
    ),
    action(channel="Bar", closed=9.0, assigned_user_names=["Bo"], ai_dispatched=False, doing=2.0, period_id=1),
    action(channel="Gate", closed=3.0, assigned_user_names=[], latest_channel="Bar", period_id=2),
    action(channel=None, assigned_user_names=None, period_id=2),
]
ACTIONS = frame(ROWS).set_index(pd.Index([40, 30, 20, 10]))
SHIFT = pd.Series(["late", "late", "early", None], index=[10, 20, 30, 40], name="shift", dtype="str")


def shift(actions):
    return SHIFT


METRICS = {
    "cycle_times": lambda by: pk.cycle_times(ACTIONS, by),
    "stage_quantiles": lambda by: pk.stage_quantiles(ACTIONS, by),
    "outcome_curve": lambda by: pk.outcome_curve(ACTIONS, by=by),
    "on_time": lambda by: pk.on_time(ACTIONS, "4min", by=by),
    "ai_dispatch_rate": lambda by: pk.ai_dispatch_rate(ACTIONS, by),
    "reroute_rate": lambda by: pk.reroute_rate(ACTIONS, by),
    "ai_funnel": lambda by: pk.ai_funnel(ACTIONS, "4min", by),
    "ai_effect": lambda by: pk.ai_effect(ACTIONS, strata=None, by=by),
    "season": lambda by: pk.season(ACTIONS, measure="actions", by=by),
    "load": lambda by: pk.load(ACTIONS, by),
    "outlook": lambda by: pk.outlook(ACTIONS, ACTIONS, "1min", by=by),
}
PLOTS = {
    "cycle_time_ecdf": lambda by: pk.plots.cycle_time_ecdf(ACTIONS, by),
    "p90_forest": lambda by: pk.plots.p90_forest(ACTIONS, by),
    "dispatch_rate": lambda by: pk.plots.dispatch_rate(ACTIONS, by),
    "season_chart": lambda by: pk.plots.season_chart(ACTIONS, measure="actions", by=by),
}


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("by", [SHIFT, shift, lambda actions: SHIFT, [SHIFT], ["channel", shift]])
def test_a_series_or_a_function_is_a_column_of_its_name(metric, by):
    named = ["channel", "shift"] if isinstance(by, list) and len(by) == 2 else "shift"
    plain = ACTIONS.assign(shift=SHIFT)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(globals(), "ACTIONS", plain)
        expected = METRICS[metric](named)
    pd.testing.assert_frame_equal(METRICS[metric](by), expected)
    assert "shift" not in ACTIONS.columns


@pytest.mark.parametrize("plot", PLOTS)
def test_plots_take_them_too(plot):
    alt = set()
    for by in (SHIFT, shift, [SHIFT]):
        ax = PLOTS[plot](by)
        alt.add(pk.plots.alt_text(ax))
        ax.figure.clear()
    assert len(alt) == 1
    assert "late" in alt.pop().casefold()


def test_open_actions_and_unusual_take_them_too():
    history = frame([action(created=-1440, closed=minute - 1440) for minute in range(1, 130)])
    late = pk.open_actions(ACTIONS, "90min", history=history, by=lambda actions: actions["channel"].rename("where"))
    assert late["judged_by"].tolist() == ["all kinds"]
    periods = pd.DataFrame(
        {"period_id": [1, 2], "period_name": ["A", "B"], "fetched_at": ACTIONS["fetched_at"].iloc[:2]}
    )
    periods["start_date"] = periods["fetched_at"]
    found = pk.unusual(ACTIONS, periods, period=2, by=[None, SHIFT])
    assert found["by"].dropna().unique().tolist() == ["shift"]
    with pytest.raises(pk.ArgumentError, match="by is a Series; it takes a list of"):
        pk.unusual(ACTIONS, periods, by=SHIFT)


@pytest.mark.parametrize(
    ("by", "said"),
    [
        (SHIFT.rename(None), "a Series without a name"),
        (lambda actions: list(actions["channel"]), "a Series without a name"),
        (lambda actions: actions["created_time"].dt.hour, "'created_time', but the frame has a column of that name"),
        (SHIFT.iloc[:3], "by index has no value for 1 of 4 actions"),
        (pd.concat([SHIFT, SHIFT]), "several values for one action"),
        (len, "the function 'len', which returns 4"),
        (SHIFT.to_frame(), "by is or holds a DataFrame"),
        ([SHIFT, 7], r"by is or holds 7"),
        ([SHIFT, "shift"], "takes each column once"),
        (SHIFT.rename("n"), "none that is a name in the result"),
    ],
)
def test_what_cannot_be_grouped_by_is_named(by, said):
    with pytest.raises(pk.ArgumentError, match=said):
        pk.cycle_times(ACTIONS, by)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(("by", "what"), [(SHIFT, "a Series"), (["channel", shift], "a function")])
def test_another_engine_takes_columns_only(engine, by, what):
    with pytest.raises(pk.ArgumentError, match=f"by is or holds {what}.*Only pandas frames take that"):
        pk.cycle_times(ENGINES[engine](ACTIONS), by)


def test_values_without_an_index_are_taken_in_order():
    def early(actions):
        return (actions["closed_time"] < pd.Timestamp("2024-07-01T19:04Z")).fillna(value=False).to_numpy()

    found = pk.ai_dispatch_rate(ACTIONS, early)
    assert found[["early", "n"]].to_numpy().tolist() == [[False, 3], [True, 1]]


def test_a_frame_with_repeated_index_takes_its_own_series():
    twice = pd.concat([ACTIONS, ACTIONS])
    assert pk.cycle_times(twice, twice["channel"])["n"].tolist() == [4, 2, 2]


LISTS = pa.table(
    {"who": pa.array([["b", "a", "b"], [], None, ["c", None], [None]], pa.list_(pa.string())), "i": range(5)}
)
SPREAD = [(0, "a", True), (0, "b", True), (1, None, False), (2, None, False), (3, "c", False), (4, None, False)]


MADE = {
    "pandas": lambda table: table.to_pandas(),
    "pyarrow": lambda table: table,
    "polars": pl.from_arrow,
    "polars lazy": lambda table: pl.from_arrow(table).lazy(),
    "duckdb": duckdb.from_arrow,
}
each_engine = pytest.mark.parametrize("made", MADE.values(), ids=MADE)


def rows_of(frame, *names):
    rows = nw.from_native(frame).lazy().select(*names).collect("pyarrow").to_native().to_pylist()
    return sorted((tuple(row[name] for name in names) for row in rows), key=str)


@each_engine
def test_every_engine_gives_an_action_a_row_for_each_item_of_a_list(made):
    found = keyed(made(LISTS), "who")
    assert rows_of(found.frame, "i", "who", SHARED) == sorted(SPREAD, key=str)
    assert found.lists == ("who",)


@each_engine
def test_two_lists_give_an_action_a_row_for_each_pair_of_their_items(made):
    table = LISTS.append_column("where", pa.array([[1, 2], [1], None, [2, 2], [1, None, 2]]))
    expected = [
        (0, "a", 1, True),
        (0, "a", 2, True),
        (0, "b", 1, True),
        (0, "b", 2, True),
        (1, None, 1, False),
        (2, None, None, False),
        (3, "c", 2, False),
        (4, None, 1, True),
        (4, None, 2, True),
    ]
    for by in (["who", "where"], ["where", "who"]):
        assert rows_of(keyed(made(table), by).frame, "i", "who", "where", SHARED) == sorted(expected, key=str)


CATEGORIES = pa.dictionary(pa.int32(), pa.string())


@pytest.mark.parametrize(
    ("made", "item"),
    [
        (MADE["pyarrow"], CATEGORIES),
        (MADE["pyarrow"], pa.string_view()),
        (MADE["polars"], CATEGORIES),
        # pandas takes no rows out of views.
        (lambda table: table.to_pandas(types_mapper=pd.ArrowDtype), CATEGORIES),
    ],
)
def test_how_the_texts_of_a_list_are_laid_out_changes_nothing(made, item):
    table = made(LISTS.set_column(0, "who", LISTS["who"].cast(pa.list_(item))))
    assert rows_of(keyed(table, "who").frame, "i", "who", SHARED) == sorted(SPREAD, key=str)


@each_engine
def test_a_list_of_a_fixed_length_is_taken_apart_as_any_other(made):
    pairs = pa.array([["b", "a"], ["c", None], None, ["a", "a"], [None, None]], pa.list_(pa.string(), 2))
    table = pa.table({"who": pairs, "other": pairs, "i": range(5)})
    expected = [(0, "a", True), (0, "b", True), (1, "c", False), (2, None, False), (3, "a", False), (4, None, False)]
    assert rows_of(keyed(made(table), "who").frame, "i", "who", SHARED) == expected


@law(30)
@given(st.lists(st.none() | st.lists(st.sampled_from(["Ada", "Bo", "Cy"]), max_size=4), max_size=8))
def test_people_are_counted_once_an_action(people):
    actions = frame([action(assigned_user_names=names, closed=5.0) for names in people])
    expected = {}
    for names in people:
        for name in {*names} if names else [None]:
            expected[name] = expected.get(name, 0) + 1
    found = pk.cycle_times(actions, by="assigned_user_names")
    said = {
        None if pd.isna(name) else name: n for name, n in zip(found["assigned_user_names"], found["n"], strict=True)
    }
    assert said == expected
    assert pk.load(actions)["n"].tolist() == found["n"].tolist()


def test_it_is_said_that_an_action_counts_for_each_person():
    note = "An action counts once for each of its assigned_user_names."
    assert pk.cycle_times(ACTIONS, "assigned_user_names").attrs["note"] == note
    assert pk.reroute_rate(ACTIONS, "assigned_user_names").attrs["note"].startswith(f"{note} The API shows")
    assert "note" not in pk.cycle_times(ACTIONS, "channel").attrs
    found = pk.ai_dispatch_rate(ACTIONS, ["assigned_user_names", SHIFT])
    assert found["assigned_user_names"].tolist()[:3] == ["Ada", "Bo", "Bo"]
    ax = pk.plots.p90_forest(ACTIONS, by="assigned_user_names")
    texts = [text.get_text() for text in ax.figure.findobj(lambda artist: hasattr(artist, "get_text"))]
    assert any("an action counts once for each" in text.replace("\n", " ") for text in texts)
    ax.figure.clear()


def test_a_list_is_no_kind_of_action():
    with pytest.raises(pk.ArgumentError, match="assigned_user_names"):
        pk.outlook(ACTIONS, ACTIONS, "1h", by="assigned_user_names")


def test_names_of_arguments_that_are_missing_are_told_as_python_does():
    with pytest.raises(TypeError, match=r"cycle_times\(\) missing 1 required positional argument: 'actions'"):
        pk.cycle_times()


def test_a_column_of_lists_beside_other_values_is_refused():
    mixed = ACTIONS.assign(odd=pd.Series([["a"], "b", 3, np.nan], index=ACTIONS.index, dtype="object"))
    with pytest.raises(pk.SchemaError, match="'odd' holds values of several kinds"):
        pk.cycle_times(mixed, "odd")


FLOATS = pa.table({"who": pa.array([[0.0, -0.0], [1.5], [-0.0, 1.5], None], pa.list_(pa.float64())), "i": range(4)})


@each_engine
def test_both_zeros_in_a_list_are_one(made):
    rows = [(0, 0.0, False), (1, 1.5, False), (2, 0.0, True), (2, 1.5, True), (3, None, False)]
    found = keyed(made(FLOATS), "who").frame
    read = nw.from_native(found).lazy().select("i", "who", SHARED).collect("pyarrow").to_native().to_pylist()
    assert sorted((row["i"], row["who"] is not None and row["who"] + 0.0, row[SHARED]) for row in read) == sorted(
        (i, who is not None and who, shared) for i, who, shared in rows
    )


VIEWS = pa.array([["b", "a", "b"], [], None, ["c", None], [None]], pa.list_view(pa.string_view()))


@pytest.mark.parametrize("made", [MADE["pyarrow"], lambda table: table.to_pandas(types_mapper=pd.ArrowDtype)])
def test_a_view_of_lists_is_taken_apart_as_any_other(made):
    if made is MADE["pyarrow"]:
        table = made(LISTS.set_column(0, "who", VIEWS))
    else:
        table = made(LISTS).assign(who=pd.Series(VIEWS, dtype=pd.ArrowDtype(VIEWS.type)))
    assert rows_of(keyed(table, "who").frame, "i", "who", SHARED) == sorted(SPREAD, key=str)


@each_engine
@pytest.mark.parametrize("item", [pa.list_(pa.int64()), pa.struct({"x": pa.int64()})])
def test_lists_of_what_is_no_single_value_are_no_key(made, item):
    value = [1] if pa.types.is_list(item) else {"x": 1}
    table = duckdb.sql("SELECT now() AS created_time, now() AS closed_time, 'closed' AS status, now() AS fetched_at")
    table = table.to_arrow_table().append_column("who", pa.array([[value]], pa.list_(item)))
    with pytest.raises(pk.ArgumentError, match="by names 'who', whose values are "):
        pk.cycle_times(made(table), by="who")


def test_what_yields_names_is_taken_as_a_list_of_them():
    for metric in (pk.cycle_times, pk.stage_quantiles, pk.ai_dispatch_rate, pk.reroute_rate, pk.outcome_curve):
        expected = metric(ACTIONS, by=["channel", "classification"])
        pd.testing.assert_frame_equal(metric(ACTIONS, by=(name for name in ("channel", "classification"))), expected)


def test_actions_that_nobody_was_assigned_to_are_of_nobody():
    for actions in (ACTIONS.assign(assigned_user_names=None), ACTIONS.iloc[:0]):
        found = pk.cycle_times(actions, "assigned_user_names")
        assert found["assigned_user_names"].dtype == "str"
        assert found["n"].sum() == len(actions)
        assert found.attrs["note"].startswith("An action counts once for each")


def test_a_column_of_ours_in_the_frame_is_not_read():
    plain = pk.load(ACTIONS, "channel")
    pd.testing.assert_frame_equal(pk.load(ACTIONS.assign(_shared=True), "channel"), plain)
