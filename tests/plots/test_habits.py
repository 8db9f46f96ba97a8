"""What every picture keeps to: its own Axes, its input, the caller's settings, its words, and any frame at all."""

import copy
import inspect
import io
import json
import pickle
import subprocess
import sys
from itertools import pairwise

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from gallery_examples import examples
from matplotlib.axes import Axes
from matplotlib.text import Text
from turns import in_turn

import periodkit as pk
from periodkit.errors import ArgumentError, SchemaError
from periodkit.plots._drawing.labels import rows_for, spread

MILESTONES = ["created_time", "assigned_time", "doing_time", "closed_time"]
HOSTILE = [
    "$x^$ y_{",
    r"\$5 and \alpha",
    "<script>alert(1)</script>",
    "A" * 10_000,
    "שלום עולם",
    "مرحبا $ بالعالم",
    "\u202eevil",
    "中文频道",
    "😀",
    "_hidden",
    "",
    "a\nb\tc\x00",
    "%s {x}",
]

PLOTS = {
    "aging": lambda actions, periods, **more: pk.plots.aging(actions, target="15min", **more),
    "backlog": lambda actions, periods, **more: pk.plots.backlog(actions, periods, target="15min", **more),
    "ai_forest": lambda actions, periods, **more: pk.plots.ai_forest(actions, target="5min", **more),
    "ai_funnel": lambda actions, periods, **more: pk.plots.ai_funnel(actions, target="15min", **more),
    "cumulative_flow": pk.plots.cumulative_flow,
    "cycle_scatter": lambda actions, periods, **more: pk.plots.cycle_scatter(actions, periods, target="15min", **more),
    "cycle_time_ecdf": lambda actions, periods, **more: pk.plots.cycle_time_ecdf(
        actions, by="classification", target="15min", **more
    ),
    "dispatch_rate": lambda actions, periods, **more: pk.plots.dispatch_rate(actions, by="channel", **more),
    "dispatch_rate_periods": lambda actions, periods, **more: pk.plots.dispatch_rate(actions, by="period_name", **more),
    "event_ribbon": pk.plots.event_ribbon,
    "marker_profile": pk.plots.marker_profile,
    "outcome_areas": lambda actions, periods, **more: pk.plots.outcome_areas(actions, target="15min", **more),
    "p90_forest": lambda actions, periods, **more: pk.plots.p90_forest(actions, target="15min", **more),
    "routing_matrix": lambda actions, periods, **more: pk.plots.routing_matrix(actions, **more),
    "times_by_period": pk.plots.times_by_period,
    "season_chart": lambda actions, periods, **more: pk.plots.season_chart(actions, periods, target="15min", **more),
    "season_chart_groups": lambda actions, periods, **more: pk.plots.season_chart(
        actions, periods, "ai_rate", by="classification", **more
    ),
    "unusual_forest": pk.plots.unusual_forest,
}
PLOTS |= {each.name: each.draw for each in examples() if each.name not in PLOTS}
SEASONS = ("marker_profile", "season_chart", "season_chart_groups", "unusual_forest")
each_plot = pytest.mark.parametrize("draw", PLOTS.values(), ids=PLOTS.keys())
WORDS = {}


def words(draw, actions, periods):
    """Return what a picture of the event says in words, drawn once for all tests that compare with it."""
    if draw not in WORDS:
        WORDS[draw] = pk.plots.alt_text(draw(actions, periods))
        plt.close("all")
    return WORDS[draw]


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


@pytest.fixture
def running(request, season_frames):
    """The event that is running; for pictures of a season the nights before it as well."""
    params = request.node.callspec.params if hasattr(request.node, "callspec") else {}
    name = params.get("plot") or next((name for name, draw in PLOTS.items() if draw is params.get("draw")), None)
    periods, actions = season_frames
    kept = actions["period_id"].isin(periods["period_id"].tail(14 if name in SEASONS else 1))
    return periods, actions[kept].reset_index(drop=True)


def without(actions, columns, **values):
    nulls = {name: pd.Series(pd.NaT, index=actions.index, dtype=actions[name].dtype) for name in columns}
    return actions.assign(**nulls, **values)


def hostile(actions):
    names = [HOSTILE[at % len(HOSTILE)] for at in range(len(actions))]
    return actions.assign(classification=names, channel=names, latest_channel=names[::-1])


def many(actions):
    names = [f"A kind of thing that has a long name, number {at % 40}" for at in range(len(actions))]
    return actions.assign(classification=names, channel=names, latest_channel=names[::-1])


CASES = {
    "none": lambda actions: actions.iloc[:0],
    "one": lambda actions: actions.iloc[:1],
    "one closed": lambda actions: actions[actions["closed_time"].notna()].iloc[5:6],
    "one open": lambda actions: actions[actions["closed_time"].isna()].iloc[-1:],
    "all open": lambda actions: without(actions, MILESTONES[1:], status="open"),
    "no closed_time": lambda actions: without(actions, MILESTONES[3:]),
    "all null": lambda actions: without(
        actions,
        MILESTONES,
        ai_dispatched=pd.array([None] * len(actions), dtype="boolean"),
        **dict.fromkeys(("channel", "latest_channel", "classification", "status", "period_name")),
    ),
    "at once": lambda actions: actions.assign(**dict.fromkeys(MILESTONES[1:], actions["created_time"])),
    "hostile": hostile,
    "many": many,
}


@each_plot
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_any_frame_is_drawn_and_explained(running, draw, case):
    periods, actions = running
    marked = [{"name": name, "timestamp": f"2025-05-17T13:{at:02d}:00.000Z"} for at, name in enumerate(HOSTILE)]
    if case is hostile:
        periods = periods.tail(1).assign(markers=[marked])
    ax = draw(case(actions), periods)
    ax.figure.draw_without_rendering()
    assert ax.get_title(loc="left")
    assert len(pk.plots.alt_text(ax)) > 15
    assert "nan" not in pk.plots.alt_text(ax).lower().replace("maintenance", "")
    if case is CASES["none"]:
        assert any(text.get_text() == "No actions to show" for text in ax.texts)


@each_plot
def test_draws_on_the_axes_it_is_given_and_on_nothing_else_and_can_be_pickled(running, draw):
    periods, actions = running
    _, (first, second) = plt.subplots(1, 2, figsize=(12, 4))
    before = plt.get_fignums()
    settings = dict(mpl.rcParams)
    assert draw(actions, periods, ax=second) is second
    assert not first.has_data()
    assert first.get_title(loc="left") == ""
    assert plt.get_fignums() == before
    assert dict(mpl.rcParams) == settings
    assert second.has_data()
    again = pickle.loads(pickle.dumps(second.figure))
    assert pk.plots.alt_text(again.axes[second.figure.axes.index(second)]) == pk.plots.alt_text(second)


@each_plot
def test_leaves_its_input_as_it_was_and_no_order_nor_index_of_rows_matters(running, draw):
    periods, actions = running
    given = actions.sample(frac=1, random_state=2).set_axis(np.zeros(len(actions), dtype=int))
    events = periods.copy()
    kept, kept_events = copy.deepcopy(given), copy.deepcopy(events)
    said = pk.plots.alt_text(draw(given, events))
    pd.testing.assert_frame_equal(given, kept)
    pd.testing.assert_frame_equal(events, kept_events)
    assert said == words(draw, actions, periods)


@each_plot
def test_opens_one_figure_of_its_own_and_clips_nothing(running, draw):
    periods, actions = running
    settings = dict(mpl.rcParams)
    ax = draw(actions, periods)
    figure = ax.figure
    assert plt.get_fignums() == [figure.number]
    assert dict(mpl.rcParams) == settings
    figure.draw_without_rendering()
    page = figure.bbox.padded(4)
    ticks = [text for each in figure.findobj(Axes) for text in (*each.get_xticklabels(), *each.get_yticklabels())]
    for text in figure.findobj(Text):
        box = text.get_window_extent()
        if not text.get_visible() or not text.get_text() or not box.width:
            continue
        if text not in ticks:  # those beyond the limits are not drawn
            assert page.x0 <= box.x0, text
            assert box.x1 <= page.x1, text
            assert page.y0 <= box.y0, text
            assert box.y1 <= page.y1, text


@each_plot
def test_a_failed_drawing_leaves_no_figure(running, draw):
    periods, actions = running
    with pytest.raises(SchemaError):
        draw(actions.drop(columns=["channel", "status", "ai_dispatched"]), periods)
    assert plt.get_fignums() == []


@each_plot
def test_says_what_is_wrong_with_arguments(running, draw):
    periods, actions = running
    with pytest.raises(ArgumentError, match="actions is a list"):
        draw([], periods)
    with pytest.raises(ArgumentError, match="ax is 3"):
        draw(actions, periods, ax=3)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("aging", {"target": "soon"}, "target is 'soon'"),
        ("aging", {"target": "0min"}, "target is '0min'"),
        ("aging", {"tz": "Mars/Base"}, "tz is 'Mars/Base'"),
        ("aging", {"max_labels": 0}, "max_labels is 0"),
        ("ai_forest", {"measure": "mean"}, "measure is 'mean'"),
        ("ai_forest", {"strata": "ai_dispatched"}, "strata is"),
        ("ai_forest", {"max_groups": 1}, "max_groups is 1"),
        ("ai_funnel", {"target": "0min"}, "target is '0min'"),
        ("cycle_time_ecdf", {"stage": "nap"}, "stage is 'nap'"),
        ("cycle_time_ecdf", {"max_groups": 1}, "max_groups is 1"),
        ("cycle_time_ecdf", {"confidence": 2}, "confidence"),
        ("event_ribbon", {"freq": "often"}, "freq is 'often'"),
        ("event_ribbon", {"freq": "10ms"}, "freq is '10ms', which makes"),
        ("event_ribbon", {"as_of": "soon"}, "as_of is 'soon'"),
        ("routing_matrix", {"confidence": 95}, "confidence"),
        ("dispatch_rate", {"confidence": 0}, "confidence"),
        ("routing_matrix", {"max_groups": True}, "max_groups is True"),
        ("dispatch_rate", {"of": "some"}, "of is 'some'"),
        ("season_chart", {"measure": "p95"}, "measure is 'p95'"),
        ("season_chart", {"baseline": 0}, "baseline is 0"),
        ("season_chart", {"tz": "Mars/Base"}, "tz is 'Mars/Base'"),
        ("backlog", {"target": "0min"}, "target is '0min'"),
    ],
)
def test_bad_arguments_are_named(running, name, options, says):
    _, actions = running
    with pytest.raises(ArgumentError, match=says):
        getattr(pk.plots, name)(actions, **options)


@pytest.mark.parametrize(
    ("name", "options", "says"),
    [
        ("unusual_forest", {"period": "Nowhere"}, "period is 'Nowhere'"),
        ("unusual_forest", {"max_rows": 0}, "max_rows is 0"),
        ("marker_profile", {"marker": "Tea"}, "marker names 'Tea'"),
        ("marker_profile", {"width": "soon"}, "width is 'soon'"),
        ("marker_profile", {"max_groups": 0}, "max_groups is 0"),
    ],
)
def test_bad_arguments_of_pictures_of_periods_are_named(running, name, options, says):
    periods, actions = running
    with pytest.raises(ArgumentError, match=says):
        getattr(pk.plots, name)(actions, periods, **options)


def test_a_missing_column_is_named(running):
    _, actions = running
    with pytest.raises(SchemaError, match="'colour'"):
        pk.plots.p90_forest(actions, by="colour")
    with pytest.raises(SchemaError, match="periods"):
        pk.plots.event_ribbon(actions, actions[["channel"]])


def test_words_belong_to_pictures_of_this_package():
    _, ax = plt.subplots()
    with pytest.raises(ArgumentError, match="no alt text"):
        pk.plots.alt_text(ax)


def test_a_png_is_the_same_bytes_every_time(running):
    _, actions = running
    first, second = (pk.plots.to_png(pk.plots.dispatch_rate(actions, by="channel"), dpi=50) for _ in range(2))
    assert first == second
    assert b"Software" not in first
    assert b"Matplotlib" not in first


def test_display_sends_the_picture_with_its_words_and_closes_it(running, monkeypatch):
    display = pytest.importorskip("IPython.display")
    _, actions = running
    sent = []
    monkeypatch.setattr(display, "display", lambda data, **more: sent.append((data, more)))
    ax = pk.plots.dispatch_rate(actions)
    words = pk.plots.alt_text(ax)
    assert pk.plots.display(ax, dpi=50) is None
    (data, more), (beneath, _) = sent
    # JupyterLab does not pass alt texts on, so a screen reader finds the text beneath.
    assert beneath == {
        "text/html": f"<details><summary>This plot in words</summary><p>{words}</p></details>",
        "text/plain": words,
    }
    assert more == {"metadata": {"image/png": {"alt": words}}, "raw": True}
    assert data["text/plain"] == words
    assert data["image/png"].startswith("iVBORw0KGgo")
    json.dumps(data)
    assert plt.get_fignums() == []


def test_what_is_shown_beneath_a_picture_is_no_markup(running, monkeypatch):
    display = pytest.importorskip("IPython.display")
    sent = []
    monkeypatch.setattr(display, "display", lambda data, **more: sent.append(data))
    pk.plots.display(pk.plots.dispatch_rate(running[1].assign(channel="<img src=x onerror=alert(1)>"), by="channel"))
    assert "<img" not in sent[1]["text/html"]
    assert "&lt;img" in sent[1]["text/html"]


@each_plot
def test_fills_its_figure(season_frames, draw):
    periods, actions = season_frames
    figure = draw(actions, periods if any(draw is PLOTS[name] for name in SEASONS) else periods.tail(1)).figure
    figure.set_dpi(50)
    figure.canvas.draw()
    ink = np.flatnonzero((np.asarray(figure.canvas.buffer_rgba())[:, :, :3] < 250).any(axis=(1, 2)))
    assert ink[0] < 0.05 * figure.bbox.height
    assert ink[-1] > 0.95 * figure.bbox.height


def test_a_notebook_shows_any_picture_with_its_words(running):
    formatters = pytest.importorskip("IPython.core.formatters")
    _, actions = running
    _, (first, second) = plt.subplots(1, 2)
    pk.plots.dispatch_rate(actions, ax=first)
    pk.plots.dispatch_rate(actions, by="channel", ax=second)
    shown = formatters.DisplayFormatter().format(first.figure)[1]
    assert shown["image/png"]["alt"] == f"{pk.plots.alt_text(first)} {pk.plots.alt_text(second)}"


def test_a_png_holds_its_words(running):
    image = pytest.importorskip("PIL.Image")
    _, actions = running
    ax = pk.plots.dispatch_rate(actions)
    with image.open(io.BytesIO(pk.plots.to_png(ax, dpi=40))) as picture:
        assert picture.text["Description"] == pk.plots.alt_text(ax)


def test_settings_that_change_while_drawing_are_kept(running, monkeypatch):
    # The first figure of a notebook loads its backend, which switches interactive drawing on; else no later one shows.
    _, actions = running
    monkeypatch.setitem(mpl.rcParams, "interactive", False)
    open_figure = plt.figure
    monkeypatch.setattr(plt, "figure", lambda *a, **k: (plt.ion(), open_figure(*a, **k))[1])
    pk.plots.dispatch_rate(actions)
    assert mpl.is_interactive()


ORDER = (
    "actions periods period earlier marker measure by strata stage target width before after baseline rebase freq of "  # noqa: SIM905
    "canceled skipped confidence tz as_of max_groups max_labels max_rows tonight ax".split()
)


@pytest.mark.parametrize("name", sorted({name.removesuffix("_periods").removesuffix("_groups") for name in PLOTS}))
def test_arguments_have_one_name_and_one_order(name):
    names = list(inspect.signature(getattr(pk.plots, name)).parameters)
    assert names == sorted(names, key=ORDER.index)
    assert names[0] == "actions"
    assert names[-1] == "ax"


@pytest.mark.parametrize(("plot", "engine"), in_turn([*PLOTS], ["polars", "duckdb", "pyarrow"]))
def test_frames_of_any_engine_are_drawn_alike(running, plot, engine):
    periods, actions = running
    draw = PLOTS[plot]
    native = pytest.importorskip(engine)
    table = pa.Table.from_pandas(actions.drop(columns=["notes", "assigned_user_names"]), preserve_index=False)
    if engine == "polars":
        given = native.from_arrow(table).lazy()
    elif engine == "duckdb":
        connection = native.connect()
        connection.register("actions", table)
        given = connection.sql("SELECT * FROM actions")
    else:
        given = table
    assert pk.plots.alt_text(draw(given, periods)) == words(draw, actions, periods)


@each_plot
@pytest.mark.parametrize("case", ["hostile", "many", "one open"])
def test_small_axes_hold_their_labels(running, draw, case):
    periods, actions = running
    _, ax = plt.subplots(figsize=(4.5, 3), dpi=60, layout="constrained")
    draw(CASES[case](actions), periods, ax=ax)
    ax.figure.draw_without_rendering()
    assert ax.get_window_extent().width > 0.3 * ax.figure.bbox.width
    assert ax.get_window_extent().height > 0.25 * ax.figure.bbox.height
    for labels, turned in ((ax.get_xticklabels(), False), (ax.get_yticklabels(), True)):
        boxes = [text.get_window_extent() for text in labels if text.get_text() and not text.get_rotation()]
        spans = sorted((box.y0, box.y1) if turned else (box.x0, box.x1) for box in boxes)
        slack = 3 if turned else 0
        assert all(before[1] <= after[0] + slack for before, after in pairwise(spans)), spans


def test_importing_the_package_does_not_import_matplotlib():
    code = "import sys, periodkit; print('matplotlib' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_zone_is_named_and_used(running):
    periods, actions = running
    at = {}
    for tz in (None, "Europe/London", "America/Los_Angeles"):
        ax = pk.plots.event_ribbon(actions, periods, tz=tz)
        ax.figure.draw_without_rendering()
        assert ax.get_xlabel() == f"time on 17 May 2025 ({tz or 'UTC'})"
        at[tz] = [text.get_text() for text in ax.get_xticklabels() if text.get_text()]
    assert at[None][0] == "12:00"
    assert at["Europe/London"][0] == "13:00"
    assert at["America/Los_Angeles"][0] == "05:00"


@pytest.mark.parametrize(
    ("night", "shown"),
    [
        ("2024-03-31", ["00:00\nGMT", "02:00\nBST", "03:00", "04:00", "05:00", "06:00"]),
        ("2024-10-27", ["01:00\nBST", "01:00\nGMT", "02:00", "03:00", "04:00", "05:00"]),
    ],
)
def test_the_night_on_which_clocks_change_has_every_hour_once(night, shown):
    created = pd.date_range(f"{night}T00:00Z", periods=16, freq="20min", tz="UTC").as_unit("us")
    actions = pd.DataFrame(
        {
            **{name: created + pd.Timedelta(minutes=5 * at) for at, name in enumerate(MILESTONES)},
            "status": "closed",
            "fetched_at": created[-1] + pd.Timedelta("2h"),
        }
    )
    _, ax = plt.subplots(figsize=(6, 4))
    pk.plots.event_ribbon(actions, tz="Europe/London", ax=ax)
    ax.figure.draw_without_rendering()
    texts = [text.get_text() for text in ax.get_xticklabels()]
    assert texts == shown
    # An hour apart in truth, whatever the clocks showed.
    np.testing.assert_allclose(np.diff(ax.get_xticks()) * 24, 1, atol=1e-6)


def test_more_than_a_day_names_each_day(running):
    _, actions = running
    later = actions.assign(**{name: actions[name] + pd.Timedelta("1D") for name in [*MILESTONES, "fetched_at"]})
    ax = pk.plots.cumulative_flow(pd.concat([actions, later]), tz="Europe/London")
    ax.figure.draw_without_rendering()
    assert ax.get_xlabel() == "time, 17 May to 18 May 2025 (Europe/London)"
    shown = " ".join(text.get_text() for text in ax.get_xticklabels())
    assert "17 May" in shown
    assert "18 May" in shown


def test_labels_keep_out_of_each_others_way():
    moved = spread([5.0, 5.0, 5.0, 1.0], [2.0] * 4, 0.0, 10.0)
    assert np.all(np.diff(np.sort(moved)) >= 2.0)
    assert np.argsort(moved, kind="stable").tolist() == [3, 0, 1, 2]
    rows, left = rows_for([0, 1, 2, 60], [50] * 4, 100)
    assert rows == [0, 1, 2, 0] or left[-1]
    assert len(set(rows[:3])) == 3
