"""The explorer without a browser: its controls, its frames, its code, what it shows and where there is no kernel."""

import asyncio
import importlib.util
import json

import ipywidgets
import pandas as pd
import pytest

import periodkit as pk
from periodkit.errors import ArgumentError, ConfigError, SchemaError
from periodkit.jupyter.explorer.widgets import Later, table_html, ticks_html


@pytest.fixture
def event(season_frames):
    periods, actions = season_frames
    last = periods.tail(3)
    return last, actions[actions["period_id"].isin(last["period_id"])]


@pytest.fixture
def explorer(event):
    periods, actions = event
    made = pk.explore(actions, periods, tz="Europe/London")
    yield made
    made.close()


def shown(explorer):
    """All texts and specs that the front end is sent."""
    found, left = [], [explorer.widget]
    while left:
        widget = left.pop()
        found.append(
            json.dumps(
                {name: widget.get_state().get(name) for name in ("value", "spec", "code", "options")}, default=str
            )
        )
        left += getattr(widget, "children", ())
    return "\n".join(found)


def position_of(explorer, name, text):
    options = [label for label, _ in explorer.controls[name].options]
    return next(at for at, label in enumerate(options) if label.startswith(text))


def test_what_is_chosen_is_what_the_code_makes(explorer, event):
    periods, actions = event
    explorer.controls["periods"].value = (0, 2)
    explorer.controls["channel"].value = (position_of(explorer, "channel", "Medical"), 1)
    explorer.controls["ai"].value = "not AI-dispatched"
    explorer.controls["stage"].value = "response"
    explorer.controls["by"].value = "classification"
    explorer.controls["as_of"].value = 150
    names = {"actions": actions, "periods": periods, "pk": pk}
    code = explorer.code
    exec("\n".join(line for line in code.splitlines() if "plots" not in line), names)
    pd.testing.assert_frame_equal(names["frame"], explorer.frame)
    pd.testing.assert_frame_equal(names["table"], explorer.table)
    assert 0 < len(explorer.frame) < len(actions)
    assert 'stage="response", target="20min", tz="Europe/London", as_of="2025-' in code
    assert json.dumps(code) in shown(explorer)


def test_frames_are_new_at_once_even_while_a_cell_runs(explorer):
    async def cell():
        explorer.controls["by"].value = "channel"
        return explorer.table  # the loop has not run since

    assert "channel" in asyncio.run(cell()).columns


def test_a_dragged_slider_is_answered_once(event):
    ran = []

    async def drag():
        later = Later(lambda: ran.append(1), 0.01)
        for _ in range(20):
            later.ask()
        assert not ran
        while not ran:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)

    asyncio.run(drag())
    assert ran == [1]


def test_closing_leaves_no_widget_and_no_timer(event):
    alive = ipywidgets.widgets.widget._instances
    before = set(alive)

    async def use():
        made = pk.explore(event[1], event[0])
        made.controls["by"].value = "channel"
        made.close()
        return [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]

    assert asyncio.run(use()) == []
    assert set(alive) == before


def test_people_and_hostile_texts_are_not_in_what_is_shown(event):
    periods, actions = event
    bad = "</td><script>alert(1)</script>"
    actions = actions.assign(classification=bad, created_by_user_name="Ada Personal")
    periods = periods.assign(period_name=bad)
    actions["period_name"] = bad
    made = pk.explore(actions, periods)
    made.controls["by"].value = "classification"
    sent = shown(made)
    assert "Ada Personal" not in sent
    values = [
        part.value for part in [*made._panel._heads, *made._panel._tables, made._panel._figures, made._panel._moment]
    ]
    assert not any("<script" in value for value in values)
    assert any("&lt;script&gt;" in value for value in values)
    assert "<b" not in ticks_html([(0.5, "<b>x</b>")], 9)
    assert "<b" not in table_html(["<b>"], [["<b>"]], [False])
    made.close()


def test_one_output_holds_the_widget_and_a_picture_in_words(explorer):
    data, metadata = explorer._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == explorer.widget.model_id
    assert data["image/png"].startswith("iVBOR")
    assert metadata["image/png"]["alt"] == data["text/plain"]
    assert "Every action by the time it was created" in data["text/plain"]
    explorer.controls["picture"].value = "aging"
    assert explorer._repr_mimebundle_()[0]["text/plain"].startswith("Ages of open actions")


@pytest.mark.parametrize("rows", [0, 1])
def test_an_event_of_nothing_and_of_one(event, rows):
    periods, actions = event
    made = pk.explore(actions.head(rows), periods)
    for name, value in (("picture", "aging"), ("stage", "work"), ("by", ""), ("picture", "cycle_scatter")):
        made.controls[name].value = value
    assert len(made.frame) == rows
    assert made._repr_mimebundle_()[0]["image/png"]
    made.close()


def test_frames_of_an_archive(client, tmp_path):
    pytest.importorskip("deltalake")
    archive = pk.Archive(tmp_path / "archive")
    archive.sync(client, start="2025-05-10")
    with pk.connect(archive=tmp_path / "archive") as view:
        periods, actions = view.periods(), view.actions(view.periods())
    made = pk.explore(actions, periods)
    made.controls["by"].value = "channel"
    pd.testing.assert_frame_equal(made.table, pk.cycle_times(actions, by="channel"))
    made.close()


def test_what_it_cannot_take_is_said(event, monkeypatch):
    periods, actions = event
    with pytest.raises(ArgumentError, match="target is 'soon'"):
        pk.explore(actions, periods, target="soon")
    with pytest.raises(ArgumentError, match="actions is a list"):
        pk.explore([], periods)
    with pytest.raises(SchemaError, match="'created_time'"):
        pk.explore(actions.drop(columns="created_time"))
    with pytest.raises(SchemaError, match="'start_date'"):
        pk.explore(actions, periods.drop(columns="start_date"))
    plain = importlib.util.find_spec
    for missing in ("ipywidgets", "altair", "anywidget", "vl_convert"):
        monkeypatch.setattr(
            importlib.util, "find_spec", lambda name, gone=missing: None if name == gone else plain(name)
        )
        with pytest.raises(ConfigError, match=rf"'{missing}'.*periodkit\[lab\]"):
            pk.explore(actions, periods)
