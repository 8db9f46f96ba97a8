"""What is chosen, and the code that makes it: any text in the data, and the code still runs and gives equal frames."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import periodkit as pk
from periodkit.jupyter.explorer.answer import answer
from periodkit.jupyter.explorer.choice import AI_CHOICES, Choice, group_options, mask, options_of, period_options
from periodkit.jupyter.explorer.code import Names, code_for, find_names, literal
from periodkit.wording import Target

TARGET = Target.read("20min")
HOSTILE = [
    "Bar",
    "<img src=x onerror=alert(1)>",
    "He said \"no\" and 'yes'",
    "two\nlines\r\n\ttab \\ backslash\\",
    "\u202egnol\u202c",
    "{not} a %(format)s",
    "half \ud800",
    "]) or __import__('os').abort()  #",
    "long " * 2000,
    "",
    "None",
]


def run(code, **names):
    exec(compile(code, "cell", "exec"), names)
    return names


@given(st.one_of(st.text(), st.sampled_from(HOSTILE)))
def test_a_literal_is_one_line_that_gives_the_text_back(text):
    written = literal(text)
    assert eval(written) == text
    assert len(written.splitlines()) <= 1


@given(st.lists(st.one_of(st.none(), st.text(), st.sampled_from(HOSTILE)), min_size=1, max_size=4, unique=True))
def test_the_mask_and_the_code_keep_the_same_rows(values):
    values = [None if value is None else value for value in values]
    sound = [
        value for value in values if value is None or value.isascii() or value.encode(errors="ignore").decode() == value
    ]
    frame = pd.DataFrame({"channel": pd.Series([*HOSTILE[:6], None, *sound], dtype="object")})
    choice = Choice(channel=tuple(values))
    code = code_for(choice, Names("pk", "actions"), picture="cycle_scatter", options={}).splitlines()[0]
    found = run(code, actions=frame)["frame"]
    pd.testing.assert_frame_equal(found, frame[mask(frame, choice)])
    assert set(found["channel"].dropna()) <= set(values)
    assert len(found) == sum(value in values for value in frame["channel"].tolist() if value is not None) + (
        None in values
    ) * int(frame["channel"].isna().sum())


def made(season_frames, n=1200):
    periods, actions = season_frames
    actions = actions.tail(n).reset_index(drop=True)
    actions.loc[: len(HOSTILE) - 1, "channel"] = pd.array(
        [text.encode(errors="replace").decode() for text in HOSTILE], dtype="str"
    )
    actions.loc[20:30, ["channel", "ai_dispatched", "classification"]] = None
    actions.loc[40:42, "period_id"] = pd.NA
    return periods, actions


CHOICES = [
    Choice(),
    Choice(by="channel"),
    Choice(by="ai_dispatched", stage="response"),
    Choice(by="form.department", stage="dispatch", ai="AI-dispatched"),
    Choice(by="period_name", ai="dispatch unknown"),
    Choice(periods=(None,), classification=("Medical", None)),
    Choice(channel=tuple(HOSTILE[:6]), by="classification", as_of="2025-05-17T14:00:00Z"),
    Choice(channel=("nowhere",), stage="work", by="channel"),
]


@pytest.mark.parametrize("choice", CHOICES)
def test_the_code_makes_the_frames_behind_what_is_shown(season_frames, choice):
    periods, actions = made(season_frames)
    found = answer(actions, choice, TARGET)
    code = code_for(choice, Names("pk", "actions", "periods"), picture="cycle_scatter", options={"target": "20min"})
    lines = code.splitlines()
    assert len(lines) == 3
    assert lines[2].startswith("pk.plots.cycle_scatter(frame, periods")
    names = run("\n".join(lines[:2]), actions=actions, periods=periods, pk=pk)
    pd.testing.assert_frame_equal(names["frame"], found.frame)
    pd.testing.assert_frame_equal(names["table"], found.table)


def test_key_frames_are_those_of_the_metrics(season_frames):
    _, actions = made(season_frames)
    moment = "2025-05-17T14:00:00Z"
    found = answer(actions, Choice(as_of=moment, by="channel", stage="response"), TARGET)
    overall = pk.cycle_times(actions, stage="response", as_of=moment).iloc[0]
    promise = pk.on_time(actions, "20min", stage="response", as_of=moment).iloc[0]
    pd.testing.assert_series_equal(found.overall, overall)
    pd.testing.assert_series_equal(found.promise, promise)
    summary = pk.describe(actions, as_of=moment).set_index("measure")
    assert found.dispatch["rate"] == summary.loc["AI-dispatch rate", "value"]


def test_choices_of_all_kinds_partition_the_actions(season_frames):
    _, actions = made(season_frames)
    parts = [answer(actions, Choice(ai=name), TARGET).frame for name in AI_CHOICES if name != "all"]
    assert sum(map(len, parts)) == len(actions)
    assert not set.intersection(*(set(part.index) for part in parts))
    channels = [answer(actions, Choice(channel=(one.value,)), TARGET).frame for one in options_of(actions, "channel")]
    assert sum(map(len, channels)) == len(actions)
    assert all(map(len, channels))


def test_options_are_cleaned_counted_and_few(season_frames):
    periods, actions = made(season_frames)
    texts = [option.text for option in options_of(actions, "channel")]
    assert all(len(text) < 60 and text.isprintable() for text in texts)
    assert texts[-1].startswith("no channel (")
    many = pd.DataFrame({"channel": [f"c{at}" for at in range(5000)]})
    assert len(options_of(many, "channel")) == 300
    assert options_of(pd.DataFrame({"channel": [["a"], ["b"]]}), "channel") == []
    assert options_of(pd.DataFrame({"other": [1]}), "channel") == []
    ids = [option.value for option in period_options(actions, periods)]
    start = periods.set_index("period_id")["start_date"]
    assert ids[-1] is None
    assert all(start[one] <= start[two] for one, two in itertools.pairwise(ids[:-1]))


def test_people_cannot_be_grouped_by(season_frames):
    _, actions = made(season_frames)
    columns = {option.value for option in group_options(actions)}
    assert {"channel", "classification", "ai_dispatched", "form.department"} <= columns
    assert not columns & {"created_by_user_name", "assigned_user_names"}


def test_names_are_those_of_the_notebook():
    frame, other, explorer = pd.DataFrame(), pd.DataFrame(), object()
    space = {"_": frame, "_3": frame, "class": frame, "mine": frame, "other": pd.DataFrame(), "kit": pk}
    assert find_names(space, pk, frame, other, explorer) == Names("kit", "mine", None)
    assert find_names({"actions": frame, "a": frame}, pk, frame, None, None).actions == "actions"
    held = find_names({"look": explorer, "pk": pk}, pk, frame, other, explorer)
    assert held == Names("pk", "look.actions", "look.periods")
    assert find_names({}, pk, frame, other, explorer) == Names(None, None, None)


def test_the_code_overwrites_none_of_what_it_reads():
    lines = code_for(Choice(), Names("table", "frame", "chosen"), picture="aging", options={}).splitlines()
    assert lines == [
        "chosen_actions = frame",
        "numbers = table.cycle_times(chosen_actions)",
        "table.plots.aging(chosen_actions)",
    ]
    assert code_for(Choice(), Names(), picture="aging", options={}).startswith(
        "import periodkit as pk\nframe = actions\n"
    )


def test_an_empty_frame_has_an_answer(season_frames):
    _, actions = season_frames
    found = answer(actions.iloc[:0], Choice(by="channel"), TARGET)
    assert len(found.frame) == 0
    assert [*found.table.columns] == [*pk.cycle_times(actions, by="channel").columns]
    assert np.isnan(found.dispatch["rate"])
