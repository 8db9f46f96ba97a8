"""Sentences hold the numbers of their frames, and compare only what is apart."""

import html
import pickle

import numpy as np
import pandas as pd
import pytest

import periodkit as pk
from periodkit import answers
from periodkit.wording import compared, most_surprising
from periodkit.wording.tables import format_value


def minutes(*values):
    return pd.to_timedelta(pd.Series(values, dtype="float64"), unit="min")


def times_of(*rows, key="channel"):
    """Rows of (name, n, P90, its low and high end in minutes)."""
    frame = pd.DataFrame(rows, columns=[key, "n", "p90", "p90_low", "p90_high"])
    return frame.assign(**{name: minutes(*frame[name]) for name in ("p90", "p90_low", "p90_high")})


@pytest.fixture
def empty(season_frames):
    return season_frames[1].head(0)


def test_no_actions_are_said_to_be_none(empty):
    for said in (
        answers.in_short(pk.describe(empty)),
        answers.slowest(pk.cycle_times(empty, by="channel")),
        answers.longest_stage(pk.stage_quantiles(empty)),
        answers.completed_only(pk.cycle_times(empty), pk.cycle_times(empty, method="observed")),
        answers.ai_share(pk.ai_dispatch_rate(empty)),
        answers.records(pk.quality_advice(pk.quality(empty)), 0),
    ):
        assert said == "There are no actions yet."
    assert answers.kept_target(pk.on_time(empty, "20min"), "20min") == "No action can be judged against 20 min yet."
    assert answers.ai_times(pk.cycle_times(empty, by="ai_dispatched")).startswith("There is nothing to compare")
    assert answers.ai_effect(pk.ai_effect(empty)) == "There are no actions yet."
    assert answers.ai_mix(pk.ai_dispatch_rate(empty, by="channel")).startswith("There is nothing to compare")
    assert answers.waiting(pk.open_actions(empty, "20min"), "20min") == "Nothing is open."


def test_the_frame_of_another_metric_is_refused_by_the_column_that_it_lacks(season_frames):
    actions = season_frames[1].head(20)
    sentences = [function for name, function in vars(answers).items() if name in answers.__all__ and name != "Answer"]
    assert len(sentences) > 12
    for say in sentences:
        others = [pd.DataFrame({"other": [1]})] * 2 if say is answers.completed_only else [pd.DataFrame({"other": [1]})]
        if say in (answers.kept_target, answers.waiting):
            others.append("20min")
        if say is answers.records:
            others.append(3)
        with pytest.raises(pk.ArgumentError, match=f"answers.{say.__name__} reads a column"):
            say(*others)
    with pytest.raises(pk.ArgumentError, match="'bound_shown'"):
        answers.recorded(pk.cycle_times(actions))


def test_numbers_are_those_of_the_frames(season_frames):
    actions = season_frames[1]
    whole = pk.cycle_times(actions).iloc[0]
    said = answers.in_short(pk.describe(actions))
    for value in (whole["p50"], whole["p90"], int(whole["n"])):
        assert format_value(value) in said
    rate = pk.ai_dispatch_rate(actions).iloc[0]
    assert answers.ai_share(pk.ai_dispatch_rate(actions)).startswith(f"AI dispatched {format_value(rate['rate'])} (")


def test_a_running_event_shows_the_bias_of_what_is_closed(season_frames):
    event = season_frames[1].tail(459)
    honest, closed = pk.cycle_times(event), pk.cycle_times(event, method="observed")
    said = answers.completed_only(honest, closed)
    assert f"is {format_value(closed['p50'][0])}; counting the open ones it is {format_value(honest['p50'][0])}" in said
    assert "is the same as that of all: " in answers.completed_only(closed, closed)


def test_what_overlaps_is_not_surely_longest():
    apart = times_of(("Bar", 9, 5, 4, 6), ("Lift", 9, 30, 20, 40))
    near = times_of(("Bar", 9, 25, 15, 30), ("Lift", 9, 30, 20, 40))
    endless = times_of(("Bar", 9, 25, 15, np.nan), ("Lift", 9, 30, 20, np.nan))
    assert answers.slowest(apart).startswith("Lift takes longest: ")
    assert "this is uncertain" in answers.slowest(near)
    assert "this is uncertain" in answers.slowest(endless)
    assert "25 min (over 15)" in answers.slowest(endless)


def test_groups_that_are_not_there_yet_are_named():
    some = times_of(("Bar", 9, 5, 4, 6), (None, 9, np.nan, 4, np.nan))
    assert answers.slowest(some) == (
        "Bar: nine of ten within 5 min (4–6). Too few actions are closed to rank not given."
    )
    assert answers.slowest(some.tail(1)) == "Too few of 9 actions are closed to rank the groups."
    many = times_of(*((f"G{at}", 1, np.nan, np.nan, np.nan) for at in range(6)), ("Bar", 9, 5, 4, 6))
    assert "to rank 6 groups." in answers.slowest(many)


@pytest.mark.parametrize(
    ("ai", "rest", "expected"),
    [
        ((3, 2, 4), (5, 4.5, 6), "AI dispatch is associated with a shorter response"),
        ((5, 4.5, 6), (3, 2, 4), "AI dispatch is associated with a longer response"),
        ((3, 2, 5), (5, 4.5, 6), "No difference in response is shown"),
        ((3, 2, np.nan), (5, 4.5, 6), "No difference in response is shown"),
        ((np.nan, 2, np.nan), (5, 4.5, 6), "There is nothing to compare"),
    ],
)
def test_association_only_where_the_intervals_are_apart(ai, rest, expected):
    frame = pd.DataFrame([rest, ai, (9, 8, 10)], columns=["p50", "p50_low", "p50_high"])
    frame = frame.apply(lambda column: minutes(*column)).assign(
        ai_dispatched=pd.array([False, True, None], dtype="boolean"), n=9
    )
    said = answers.ai_times(frame)
    assert said.startswith(expected)
    assert "caus" not in said


def effect_of(**changes):
    row = {"n": 900, "used": 900, "n_ai": 400, "n_not_ai": 500, "target": pd.Timedelta("5min"), "difference": 0.12}
    row |= {"std_difference": 0.03, "std_difference_low": -0.01, "std_difference_high": 0.07, "e_value": 1.31}
    return pd.DataFrame([row | {"one_arm_share": 0.14, "short_share": 0.0} | changes])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (
            {},
            "within 5 min 12 points more often; among like work it is 3 points (−1 to 7). 14 % of actions are of kinds that",
        ),
        ({"difference": -0.01}, "1 point less often; among like work it is −3 points (−7 to 1)."),
        ({"std_difference_low": 0.01}, "3 points (1 to 7). 14 %"),
        ({"std_difference": np.nan}, "12 points more often; among like work it cannot be said. 14 %"),
        ({"difference": np.nan}, "cannot be said plainly yet; among like work it is 3 points (−1 to 7)."),
        (
            {"one_arm_share": 0.0, "short_share": 0.001},
            "7). Under 1 % are of kinds that have not been seen for that long.",
        ),
        (
            {"target": pd.NaT},
            "There is nothing to compare yet: fewer than half of 900 actions are answered. Pass a target.",
        ),
        ({"n_ai": 0}, "There is nothing to compare: AI dispatched none of 900 actions."),
        ({"n_not_ai": 0}, "There is nothing to compare: AI dispatched all of 900 actions."),
        ({"used": 0, "n_ai": 0, "n_not_ai": 0}, "no action has both a time and known dispatch."),
    ],
)
def test_the_effect_is_said_with_what_limits_it(changes, says):
    said = answers.ai_effect(effect_of(**changes))
    assert says in said
    assert "caus" not in said
    assert "nan" not in said
    shown = changes.get("std_difference_low", -1) > 0
    assert ("risk ratio of 1.3 to explain it away" in said) == shown
    assert ("That interval includes 0" in said) == ("among like work it is" in said and not shown)


def test_the_effect_of_the_season_is_that_of_its_frame(season_frames):
    effect = pk.ai_effect(season_frames[1], "cycle", target="20min")
    said = answers.ai_effect(effect, "cycle")
    assert said.startswith(
        f"AI-dispatched actions were closed within 20 min {100 * effect['difference'][0]:.0f} points more"
    )
    assert f"among like work it is {100 * effect['std_difference'][0]:.0f} points (" in said


@pytest.mark.parametrize(("ai", "word"), [((60, 20), "other"), ((41, 39), "much the same")])
def test_the_mix_is_said(ai, word):
    rates = pd.DataFrame({"channel": ["Bar", None], "n": 100, "ai": ai, "not_ai": [40, 40]})
    assert answers.ai_mix(rates).startswith(f"AI was given {word} work: ")


def test_what_waits():
    found = pd.DataFrame(
        {"action_id": [7], "classification": [None], "age": minutes(5), "left": minutes(15), "past": [False]}
    )
    assert answers.waiting(found, "20min") == "1 action is open, not past 20 min. 7 will pass it in 15 min."
    late = found.assign(past=True)
    assert answers.waiting(late, "1h30min") == "1 action is open, past 90 min."


def test_a_target_with_nothing_undecided():
    share = {"met": [3], "missed": [1], "undetermined": [0], "rate": [0.75], "low": [0.3], "high": [0.95]}
    said = answers.kept_target(pd.DataFrame(share), "20min")
    assert said == "75.0 % (30.0–95.0) of 4 actions were closed within 20 min."


def test_records_without_a_defect(empty):
    none = pk.quality_advice(pk.quality(empty))
    assert answers.records(none, 5) == "Nothing that changes a number was found in 5 actions."


def test_a_single_action_is_no_half_of_anything(season_frames):
    actions = season_frames[1]
    one = actions[actions["status"] == "closed"].head(1)
    one = one.assign(closed_time=one["created_time"] + pd.Timedelta("12min"), ai_dispatched=pd.NA)
    one = one.astype({"closed_time": actions["closed_time"].dtype, "ai_dispatched": "boolean"})
    assert answers.in_short(pk.describe(one)) == "The only action was closed within 12 min."
    never = pd.Series(pd.NaT, index=one.index, dtype=one["closed_time"].dtype)
    assert answers.in_short(pk.describe(one.assign(closed_time=never, status="doing"))) == "The only action is open."
    ended = pk.describe(one.assign(closed_time=never))
    assert answers.in_short(ended) == "The only action is not known to be closed."
    assert answers.ai_share(pk.ai_dispatch_rate(one)) == "`ai_dispatched` is not known for the only action."
    said = answers.kept_target(pk.on_time(one, "20min"), "20min")
    assert said == "100.0 % (20.7–100.0) of 1 action was closed within 20 min."


class TestSeasonAndTonight:
    """What is said of a season, and of a night against those before it."""

    def test_too_few_nights_cannot_be_told(self, season_frames):
        periods, actions = season_frames
        said = answers.unusual(pk.unusual(actions, periods, int(periods["period_id"].iloc[5])))
        assert said == "Whether tonight was unusual cannot be told yet: it takes 8 earlier nights, and there are 5."
        nobody = actions[actions["period_id"] != periods["period_id"].iloc[-1]]
        said = answers.unusual(pk.unusual(nobody, periods))
        assert said == "Whether tonight was unusual cannot be told: there are too few actions tonight."

    def test_what_was_unusual_is_named_with_how_much_more_there_is(self, season_frames):
        periods, actions = season_frames
        chosen = int(periods["period_id"].iloc[-2])
        slow = actions["period_id"] == chosen
        late = actions["closed_time"] + 3 * (actions["closed_time"] - actions["created_time"])
        tonight = pk.unusual(actions.assign(closed_time=late.where(slow, actions["closed_time"])), periods, chosen)
        said = answers.unusual(tonight)
        assert said.startswith("Unusual tonight, against the 24 nights before: ")
        assert said.count("(ordinary: ") == 3
        most = most_surprising(tonight)
        assert said.endswith(f"; and {most['unusual'].sum() - 3} more.")

    def test_nothing_unusual_says_what_came_nearest(self, season_frames):
        periods, actions = season_frames
        tonight = pk.unusual(actions, periods, int(periods["period_id"].iloc[-2]), by=[None])
        near = tonight.sort_values("p").iloc[0]
        inside = near["low"] <= near["value"] <= near["high"]
        said = answers.unusual(tonight)
        start = (
            "Nothing tonight was outside the range of the 24 nights before" if inside else "Nothing tonight was unusual"
        )
        assert said.startswith(start)
        assert "Nearest: " in said

    def test_a_value_is_written_so_that_it_is_told_from_its_limits(self):
        row = {
            "measure": "actions",
            "by": None,
            "group": None,
            "value": 121,
            "expected": 100.0,
            "low": 80.0,
            "high": 119.6,
        }
        assert compared(row) == "number of all actions, 1.21 times the usual (ordinary: 0.80 to 1.20 times)"

    def test_a_season(self, season_frames):
        periods, actions = season_frames
        quiet = answers.season(pk.season(actions, periods, "p90"), "P90 cycle time")
        assert (
            quiet == "P90 cycle time stayed within its limits (36.1–58.9 min) in all of 26 periods, 2 of them near one."
        )
        rising = answers.season(pk.season(actions, periods))
        assert rising.startswith("AI-dispatch rate: 16 of 26 periods are outside the limits")
        few = answers.season(pk.season(actions, periods.head(1)))
        assert few == "AI-dispatch rate: too few periods to say what is ordinary, 1 period so far."
        none = answers.season(pk.season(actions.head(0), periods))
        assert none == "AI-dispatch rate: in no period is there enough to say."
        steady = pd.DataFrame({"value": [0.3, 0.31], "center": 0.3, "lower": 0.2, "upper": 0.4, "signal": False})
        assert answers.season(steady) == "AI-dispatch rate stayed within its limits (20.0–40.0 %) in all of 2 periods."


def test_an_answer_is_a_text_that_a_notebook_shows_as_a_sentence():
    formatters = pytest.importorskip("IPython.core.formatters")
    rates = pd.DataFrame({"channel": ["<Bar>", "Gate"], "n": 100, "ai": [60, 20], "not_ai": [40, 80]})
    said = answers.ai_mix(rates)
    assert isinstance(said, str)
    assert isinstance(said, answers.Answer)
    assert pickle.loads(pickle.dumps(said)) == said
    shown, metadata = formatters.DisplayFormatter().format(said)
    assert shown == {"text/plain": str(said), "text/html": f"<p><strong>{html.escape(said)}</strong></p>"}
    assert metadata == {}
    plain = formatters.DisplayFormatter().format(answers.Answer("a <b>", strong=False))[0]
    assert plain == {"text/plain": "a <b>", "text/html": "<p>a &lt;b&gt;</p>"}


def test_every_sentence_is_an_answer():
    assert {name for name in answers.__all__ if name != "Answer"} == {
        name for name in answers.__all__ if getattr(getattr(answers, name), "__wrapped__", None) is not None
    }


class TestAhead:
    """What will still be open, and which nights stand out."""

    def ahead(self, **changes):
        row = {"open": 41, "not_known": 0, "expected": 12.0, "low": 9, "high": 16} | changes
        return answers.outlook(pd.DataFrame([row]), "at the curfew")

    def test_how_many_will_be_left(self):
        assert self.ahead() == "Of 41 open, 9 to 16 will still be open at the curfew."
        assert self.ahead(high=9) == "Of 41 open, 9 will still be open at the curfew."
        assert self.ahead(open=0) == "Nothing is open."
        assert "(how 3 of them will go on is not known)" in self.ahead(not_known=3)
        assert self.ahead(not_known=41).endswith("is not known: too few earlier actions were open for so long.")

    def test_its_numbers_are_those_of_the_frame(self, season_frames):
        periods, actions = season_frames
        last = actions["period_id"] == periods["period_id"].iloc[-1]
        found = pk.outlook(actions[last], actions[~last], "1h")
        row = found.iloc[0]
        assert (
            answers.outlook(found) == f"Of {row['open']} open, {row['low']} to {row['high']} will still be open then."
        )

    def test_nights_that_stand_out_are_named_once_each(self, season_frames):
        periods, actions = season_frames
        every = pk.unusual_periods(actions, periods)
        said = answers.odd_nights(every)
        assert said.startswith(
            "2 of 18 nights stand out: Harbour Park v Marston Green (AI-dispatch rate of all actions, "
        )
        assert said.count("Riverside Wanderers") == 1
        none = answers.odd_nights(every.assign(unusual=False))
        assert none == "None of 18 nights stands out from those before it."
        few = answers.odd_nights(pk.unusual_periods(actions, periods.head(4)))
        assert few == "No night can be judged yet: each needs 8 before it."

    def test_a_handful_of_actions_leads_no_sentence(self):
        times = times_of(("Bar", 90, 5, 4, 6), ("Lift", 90, 30, 20, 40), ("Kiosk", 5, 300, 200, 400))
        said = answers.slowest(times)
        assert said.startswith("Lift takes longest: ")
        assert said.endswith("1 group of fewer than 20 actions not ranked.")
        rows = pd.DataFrame(
            {"measure": "actions", "by": "channel", "group": ["Kiosk", "Bar"], "n": [5, 90], "p": [0.001, 0.2]}
        )
        assert most_surprising(rows)["group"].tolist() == ["Bar", "Kiosk"]
