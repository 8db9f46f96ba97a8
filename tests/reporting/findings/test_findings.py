"""Findings: only what an interval supports, with the numbers of the metrics, in words that claim no cause."""

import re

import numpy as np
import pandas as pd
import pytest

import periodkit as pk
from periodkit import answers
from periodkit.reporting.findings.findings import _against_the_rest, _compare, event_findings, season_findings
from periodkit.wording import Target, compared, duration, limits_text, most_surprising

START = pd.Timestamp("2025-05-01T12:00Z")


def frame(rng, n, period=1, scale=600.0, ai=0.5, **columns):
    created = START + pd.to_timedelta(np.sort(rng.uniform(0, 4 * 3600, n)), unit="s") + pd.Timedelta(days=period)
    minutes = pd.to_timedelta(rng.exponential(scale, n), unit="s").floor("ms")
    given = {
        "period_id": pd.array([period] * n, dtype="Int64"),
        "action_id": pd.array(np.arange(n) + 10_000 * period, dtype="Int64"),
        "classification": rng.choice(["Cleaning", "Medical", "Security"], n),
        "sub_classification": "none",
        "channel": rng.choice(["North", "South"], n),
        "latest_channel": "North",
        "status": "closed",
        "created_time": created,
        "assigned_time": created + minutes * 0.1,
        "doing_time": created + minutes * 0.2,
        "closed_time": created + minutes,
        "ai_dispatched": pd.array(rng.random(n) < ai, dtype="boolean"),
        "fetched_at": START + pd.Timedelta(days=60),
    }
    made = pd.DataFrame(given | columns)
    for name in ("created_time", "assigned_time", "doing_time", "closed_time", "fetched_at"):
        made[name] = made[name].astype("datetime64[us, UTC]")
    return made.astype(dict.fromkeys(("classification", "channel", "latest_channel", "status"), "str"))


def periods(k):
    starts = pd.to_datetime([START + pd.Timedelta(days=each) for each in range(1, k + 1)]).as_unit("us")
    return pd.DataFrame(
        {
            "period_id": pd.array(range(1, k + 1), dtype="Int64"),
            "period_name": [f"Match {each}" for each in range(1, k + 1)],
            "start_date": starts,
            "end_date": starts + pd.Timedelta(hours=6),
        }
    )


def of_kind(found, kind):
    return [each for each in found.found if each.kind == kind]


def night(season_frames, name):
    """Return the actions and the period of one night, and what `unusual` says of it."""
    periods, actions = season_frames
    (key,) = periods.loc[periods["period_name"].str.endswith(name), "period_id"]
    return (
        actions[actions["period_id"] == key],
        periods[periods["period_id"] == key],
        pk.unusual(actions, periods, int(key)),
    )


def test_what_was_truly_unusual_is_found_with_the_metrics_own_numbers(season_frames):
    now, period, tonight = night(season_frames, "Riverside Wanderers")
    found = event_findings(now, period, tonight)
    (told,) = of_kind(found, "earlier")
    assert (told.measure, told.about, told.good) == ("response_p90", "Security P90 response", False)
    p90 = pk.cycle_times(now[now["channel"] == "Security"], stage="response").loc[0]
    assert f"Security P90 response: {duration(p90['p90'])} (an ordinary night: " in told.sentence
    assert told.sentence.endswith(f"; n = {p90['used']}).")
    row = tonight.query("measure == 'response_p90' and by == 'channel' and group == 'Security'").iloc[0]
    assert limits_text(row["low"], row["high"]) in told.sentence
    assert found.compared == len(most_surprising(tonight))


def test_an_ordinary_night_has_no_finding_but_of_its_records(season_frames):
    found = event_findings(*night(season_frames, "Thornbury City"))
    assert {finding.kind for finding in found.found} <= {"quality"}


def test_without_a_comparison_only_the_records_are_judged(season_frames):
    now, period, _ = night(season_frames, "Riverside Wanderers")
    found = event_findings(now, period)
    assert found.kinds == {"quality"}
    assert {finding.kind for finding in found.found} == {"quality"}


def test_a_slow_classification_is_found_and_the_rest_is_the_rest():
    rng = np.random.default_rng(2)
    slow = frame(rng, 150, classification="Lifts", scale=2400.0, channel="North")
    others = frame(rng, 450, channel="North")
    found = season_findings(pd.concat([others, slow], ignore_index=True), periods(1))
    told = {each.about: each for each in of_kind(found, "group")}["Classification Lifts"]
    p90 = pk.cycle_times(slow).loc[0, "p90"] / pd.Timedelta(minutes=1)
    rest = pk.cycle_times(others).loc[0, "p90"] / pd.Timedelta(minutes=1)
    assert told.sentence.startswith(f"Classification Lifts: P90 {duration(60 * p90)} (")
    assert told.sentence.endswith(f"in the rest ({duration(60 * rest)}).")
    assert told.contrast.estimate == pytest.approx(p90 / rest)
    assert told.good is False


def test_open_actions_count_in_what_is_found():
    # The slow ones have not ended: by the completed ones alone this group would look quick.
    rng = np.random.default_rng(3)
    stuck = frame(rng, 120, classification="Lifts")
    left = np.arange(120) % 3 > 0
    stuck.loc[left, ["closed_time"]] = pd.NaT
    stuck.loc[left, "status"] = "in_progress"
    found = season_findings(pd.concat([frame(rng, 300), stuck], ignore_index=True), periods(1))
    assert not [each for each in found.found if each.about == "Classification Lifts" and each.good]


def test_more_comparisons_ask_for_more_confidence():
    rng = np.random.default_rng(4)
    few, many = frame(rng, 900), frame(np.random.default_rng(4), 900)
    many["classification"] = [f"Kind {each % 20}" for each in range(900)]
    one, other = season_findings(few, periods(1)), season_findings(many, periods(1))
    assert other.compared == one.compared - 3 + 20


def test_small_groups_are_not_compared_and_null_ones_are_named():
    rng = np.random.default_rng(5)
    data = frame(rng, 300)
    data.loc[:18, "classification"] = "Rare"
    data.loc[100:180, "classification"] = None
    data.loc[100:180, "closed_time"] += pd.Timedelta(hours=3)
    about = {each.about for each in season_findings(data, periods(1)).found}
    assert "Classification Rare" not in about
    assert "Classification not given" in about


def test_defects_are_found_above_the_bound_alone():
    rng = np.random.default_rng(6)
    data = frame(rng, 400)
    assert not of_kind(event_findings(data), "quality")
    data.loc[:80, "channel"] = None
    (told,) = of_kind(event_findings(data), "quality")
    assert told.measure == "null_channel"
    assert "20.2 %" in told.sentence
    assert told.contrast.low > 0.01


def test_a_trend_is_told_once_and_a_measure_that_left_its_limits_too():
    rng = np.random.default_rng(7)
    data = pd.concat(
        [frame(rng, 120, each, ai=0.2 + 0.03 * each, scale=600.0 if each < 17 else 2400.0) for each in range(1, 21)],
        ignore_index=True,
    )
    found = season_findings(data, periods(20))
    (rising,) = [each for each in of_kind(found, "trend") if each.measure == "ai_rate"]
    assert rising.contrast.low < 0.03 < rising.contrast.high
    assert "Over 20 periods, the AI-dispatch rate rose by" in rising.sentence
    told = {each.measure: each for each in of_kind(found, "signal")}
    assert not {each.measure for each in of_kind(found, "trend")} & {*told}
    chart = pk.season(data, periods(20), "p50")
    assert chart["outside"].tail(4).all()
    assert told["p50"].sentence == answers.season(chart, "P50 cycle time")
    assert told["p50"].good is False


def test_a_night_unlike_those_before_it_is_found_and_told_of_once():
    rng = np.random.default_rng(7)
    data = pd.concat([frame(rng, 120, each) for each in range(1, 15)], ignore_index=True)
    data.loc[data["period_id"] == 12, "closed_time"] += pd.Timedelta(hours=2)
    found = season_findings(data, periods(14))
    (slow,) = of_kind(found, "period")
    assert (slow.about, slow.good) == ("Match 12 (12)", False)
    assert slow.sentence.startswith("Match 12 (12): ")
    every = pk.unusual_periods(data, periods(14))
    assert set(every.loc[every["unusual"], "period_id"]) == {12}
    first = most_surprising(every[every["unusual"]]).iloc[0].to_dict()
    assert compared(first) in slow.sentence
    assert not of_kind(season_findings(data, periods(8)), "period"), "eight nights have none before them to judge by"


def test_what_was_not_compared_is_not_said_to_be():
    rng = np.random.default_rng(12)
    assert season_findings(frame(rng, 5), periods(1)).kinds == {"quality"}
    assert season_findings(frame(rng, 200), periods(1)).kinds == {"quality", "group"}


@pytest.mark.parametrize("rows", [0, 1])
def test_next_to_nothing_finds_nothing(rows):
    data = frame(np.random.default_rng(8), 30).head(rows)
    assert not event_findings(data, periods(1)).found
    assert not season_findings(data, periods(1)).found


def test_no_sentence_claims_a_cause_and_each_has_a_number_and_an_interval(season_frames):
    listed, actions = season_frames
    told = [
        *event_findings(*night(season_frames, "Riverside Wanderers")).found,
        *season_findings(actions, listed).found,
    ]
    assert len(told) > 10
    for each in told:
        assert not re.search(r"caus|because|due to|effect|led to|thanks", each.sentence)
        assert re.search(r"\d \(?.*\((over |up to |(an )?ordinary( night)?: )?[−\d.]+", each.sentence), each.sentence
        assert each.contrast is None or each.contrast.excludes_null


def test_a_name_cannot_turn_a_sentence_around():
    rng = np.random.default_rng(9)
    hostile = "\u202e<script>alert(1)</script>\n" * 300
    slow = frame(rng, 200, classification=hostile, scale=4000.0)
    found = season_findings(pd.concat([frame(rng, 300), slow], ignore_index=True), periods(1))
    (told,) = [each for each in of_kind(found, "group") if "script" in each.sentence]
    assert "\u202e" not in told.sentence
    assert "\n" not in told.sentence
    assert len(told.sentence) < 300


def found_of_groups(data):
    """What `season_findings` finds of kind "group", without all the rest."""
    return [*_compare([*_against_the_rest(data, Target.read("20min"))]).found]


def test_groups_are_a_family_of_their_own(season_frames):
    listed, actions = season_frames
    some = listed.tail(1)
    data = actions[actions["period_id"].isin(some["period_id"])].assign(classification="Lifts")
    slow = data["action_id"] % 3 == 0
    data.loc[~slow, "classification"] = "Cleaning"
    data.loc[slow, "closed_time"] += pd.Timedelta(hours=1)
    found = found_of_groups(data)
    assert found
    assert found == of_kind(season_findings(data, some), "group")


# The most that may be wrong is the binomial's 99.9 % point.
@pytest.mark.parametrize(("frames", "most"), [(30, 6), pytest.param(300, 28, marks=pytest.mark.soak)])
def test_by_chance_alone_hardly_anything_is_found(frames, most):
    # Groups that are alike: with 95 % confidence of a kind, under one in twenty of the frames may find anything of it.
    rng = np.random.default_rng(10)
    wrong = sum(bool(found_of_groups(frame(rng, 200))) for _ in range(frames))
    assert wrong <= most
