"""The synthetic season keeps its promises, and its truth agrees with its records."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest

from periodkit.sandbox.dataset import format_time
from periodkit.sandbox.season import Season, make_season
from periodkit.sandbox.simulation import Parameters
from periodkit.schema import ACTIONS, PERIODS

TIMES = ["createdTime", "assignedTime", "doingTime", "closedTime"]


@pytest.fixture(scope="module")
def season() -> Season:
    return make_season()


@pytest.fixture(scope="module")
def actions(season) -> pd.DataFrame:
    """One row per record as sent, times parsed, with what the truth says about it."""
    frame = pd.DataFrame([record for records in season.dataset.actions.values() for record in records])
    frame[TIMES] = frame[TIMES].apply(pd.to_datetime, utc=True, format="ISO8601")
    frame["canceled"] = frame["status"].isin(["canceled", "cancelled"])
    return frame.join(season.truth.actions.drop(columns="period_id"), on="actionId")


@pytest.fixture(scope="module")
def distinct(actions) -> pd.DataFrame:
    return actions.drop_duplicates("actionId")


def seconds(frame: pd.DataFrame, start: str, end: str) -> pd.Series:
    return (frame[end] - frame[start]).dt.total_seconds()


def test_a_seed_gives_the_same_bytes_and_another_seed_others(season):
    digests = [hashlib.sha256(make_season(seed).dataset.to_json()).hexdigest() for seed in (2024, 7)]
    assert digests[0] == hashlib.sha256(season.dataset.to_json()).hexdigest()
    assert digests[1] != digests[0]


def test_the_first_record(season):
    first = season.dataset.actions[4101][0]
    assert (first["periodId"], first["periodActionId"], first["actionId"]) == (4101, 1, 700001)
    assert first["createdTime"].startswith("2024-08-03T10:0")


def test_records_have_exactly_the_fields_of_the_table(season):
    period_keys = {field.api for field in PERIODS.fields if field.api}
    action_keys = {field.api for field in ACTIONS.fields if field.api} - {"notes"}
    assert all(set(period) == period_keys for period in season.dataset.periods)
    assert all(set(one) == action_keys for records in season.dataset.actions.values() for one in records)


def test_events_and_their_sizes(season):
    data = season.dataset
    sizes = {key: len({one["actionId"] for one in records}) for key, records in data.actions.items()}
    assert len(data.periods) >= 24
    assert list(sizes) == data.period_ids
    assert min(sizes.values()) >= 150
    assert 1200 <= max(sizes.values()) <= 1500
    festival = next(period for period in data.periods if "Festival" in period["name"])
    length = pd.Timestamp(festival["end_date"]) - pd.Timestamp(festival["start_date"])
    assert length > pd.Timedelta(days=2)
    days = {one["createdTime"][:10] for one in data.actions[festival["id"]]}
    assert len(days) == 3


def test_markers_are_arrays_but_for_one_single_object(season):
    kinds = [type(period["markers"]) for period in season.dataset.periods]
    assert kinds.count(dict) == 1
    assert kinds.count(list) == len(kinds) - 1
    for period in season.dataset.periods:
        listed = period["markers"] if isinstance(period["markers"], list) else [period["markers"]]
        stamps = [marker["timestamp"] for marker in listed]
        assert stamps == sorted(stamps)
        assert period["start_date"] <= stamps[0] <= stamps[-1] <= period["end_date"]
        assert stamps[-1] <= format_time(season.dataset.as_of)


def test_period_marker_is_the_one_in_force(season):
    for period in season.dataset.periods:
        listed = period["markers"] if isinstance(period["markers"], list) else [period["markers"]]
        for one in season.dataset.actions[period["id"]]:
            past = [marker["name"] for marker in listed if marker["timestamp"] <= one["createdTime"]]
            assert one["periodMarker"] == (past[-1] if past else None)


def test_arrivals_peak_around_markers(season):
    """Around kick-off there are at least three times as many as in the quietest hour of a league match."""
    counts = np.zeros(6)
    for period in season.dataset.periods:
        if " v " in period["name"] and isinstance(period["markers"], list):
            start = pd.Timestamp(period["start_date"])
            offset = [pd.Timestamp(one["createdTime"]) - start for one in season.dataset.actions[period["id"]]]
            counts += np.histogram([one.total_seconds() / 3600 for one in offset], bins=np.arange(7))[0]
    assert counts[2] > 3 * counts[0]
    assert counts[2] > 2 * counts[5]


def test_channels_and_classifications(distinct):
    used = set(distinct["channel"]) | set(distinct["latestChannel"])
    assert distinct["channel"].nunique() >= 8
    assert len(used) >= 10
    subs = distinct.groupby("classification")["subClassification"].nunique()
    assert len(subs) >= 6
    assert subs.min() >= 2
    assert 0.005 < distinct["subClassification"].isna().mean() < 0.04


def test_shares_of_oddities(actions, distinct):
    closed = distinct[(distinct["status"] == "closed") & distinct["closedTime"].notna()]
    out_of_order = (closed["doingTime"] < closed["assignedTime"]) | (closed["closedTime"] < closed["createdTime"])
    assert 0.06 < (distinct["channel"] != distinct["latestChannel"]).mean() < 0.10
    assert 0.005 < distinct["aiDispatched"].isna().mean() < 0.02
    assert 0.04 < closed["doingTime"].isna().mean() < 0.08
    assert 5 <= out_of_order.sum() <= 60
    assert 3 <= len(actions) - len(distinct) <= 40


def test_people_of_some_channels_skip_doing_and_the_true_times_are_kept(season, distinct):
    closed = distinct[(distinct["status"] == "closed") & distinct["closedTime"].notna()]
    skipped = closed["doingTime"].isna().groupby(closed["channel"]).mean()
    expected = dict(season.truth.parameters.skipped_doing_by_channel)
    for channel, share in skipped.items():
        assert share == pytest.approx(expected.get(channel, season.truth.parameters.skipped_doing), abs=0.02), channel
    assert (closed["dispatch"] + closed["pickup"]).notna().all()


def test_a_season_of_another_skipping_share_has_the_same_truth():
    none = make_season(3, Parameters(skipped_doing=0.0, skipped_doing_by_channel=()))
    many = make_season(3, Parameters(skipped_doing=0.5, skipped_doing_by_channel=()))
    pd.testing.assert_frame_equal(none.truth.actions, many.truth.actions)
    missing = [
        np.mean([one["doingTime"] is None for records in held for one in records if one["status"] == "closed"])
        for held in (none.dataset.actions.values(), many.dataset.actions.values())
    ]
    assert missing[0] == 0
    assert missing[1] == pytest.approx(0.5, abs=0.02)


def of_anomaly(season, distinct, kind):
    """Return the anomaly, and the event's actions of its channel beside those of ordinary nights."""
    (one,) = season.truth.anomalies.query("kind == @kind").to_dict("records")
    mine = distinct if pd.isna(one["channel"]) else distinct[distinct["channel"] == one["channel"]]
    here = mine["periodId"] == one["period_id"]
    return one, mine[here], mine[~here]


def test_a_channel_short_of_people_picks_up_three_times_as_slowly(season, distinct):
    one, tonight, others = of_anomaly(season, distinct, "short_of_people")
    ended = [
        period["id"] for period in season.dataset.periods if period["end_date"] < format_time(season.dataset.as_of)
    ]
    assert one["period_id"] == ended[-1], "it is the event that the demo shows"
    assert tonight["pickup"].median() / others["pickup"].median() == pytest.approx(one["size"], rel=0.35)
    assert tonight["dispatch"].median() / others["dispatch"].median() == pytest.approx(1.0, abs=0.35)


def test_ai_dispatched_nothing_while_it_failed(season, distinct):
    one, tonight, _ = of_anomaly(season, distinct, "ai_failure")
    offset = pd.to_timedelta(tonight["created_offset"], unit="s")
    failed = (offset >= one["start"]) & (offset < one["end"])
    assert not tonight.loc[failed, "ai"].any()
    assert tonight.loc[~failed, "ai"].mean() > 0.3
    assert one["end"] - one["start"] == pd.Timedelta(hours=2)


def test_a_surge_comes_on_top_of_what_is_usual(season, distinct):
    one, tonight, _ = of_anomaly(season, distinct, "surge")
    offset = pd.to_timedelta(tonight["created_offset"], unit="s")
    within = (offset >= one["start"]) & (offset < one["end"])
    everything = (distinct["periodId"] == one["period_id"]).sum()
    assert within.sum() > 0.08 * one["size"] * everything / 2
    assert within.sum() > (~within).sum()


def test_a_third_of_a_forgotten_channel_is_never_closed(season, distinct):
    one, tonight, others = of_anomaly(season, distinct, "never_closed")
    assert tonight["closedTime"].isna().mean() == pytest.approx(one["size"], abs=0.15)
    assert others["closedTime"].isna().mean() < 0.05


def test_without_anomalies_nothing_else_changes(season):
    ordinary = make_season(parameters=Parameters(anomalies=())).truth
    assert ordinary.anomalies.empty
    assert list(ordinary.anomalies.columns) == list(season.truth.anomalies.columns)
    untouched = ~season.truth.actions["period_id"].isin(season.truth.anomalies["period_id"])
    same = season.truth.actions[untouched].reset_index(drop=True)
    other = ordinary.actions[~ordinary.actions["period_id"].isin(season.truth.anomalies["period_id"])]
    pd.testing.assert_frame_equal(same, other.reset_index(drop=True))


def test_nights_differ_by_chance_as_much_as_they_are_told(season):
    factors = np.log([one for seed in range(8) for one in make_season(seed).truth.nights["time_factor"]])
    assert np.std(factors) == pytest.approx(season.truth.parameters.night_time_sigma, rel=0.15)
    same = make_season(parameters=Parameters(night_time_sigma=0.0)).truth.nights["time_factor"]
    assert (same == 1.0).all()


def test_duplicates_are_exact(season):
    for records in season.dataset.actions.values():
        seen = {}
        for one in records:
            assert seen.setdefault(one["actionId"], one) == one
        assert sorted({one["periodActionId"] for one in records}) == list(range(1, len(seen) + 1))


def test_cancellations(distinct):
    canceled = distinct[distinct["canceled"]]
    assert 0.04 < len(canceled) / len(distinct) < 0.08
    assert set(canceled["status"]) == {"canceled", "cancelled"}
    assert canceled.groupby("periodId")["status"].nunique().max() == 1
    assert 0.05 < canceled["assignedTime"].isna().mean() < 0.95
    assert 0.01 < canceled["closedTime"].isna().mean() < 0.10


def test_status_follows_the_milestones(distinct):
    closed = distinct["closedTime"].notna()
    assert set(distinct["status"]) == {"open", "assigned", "in_progress", "closed", "canceled", "cancelled"}
    assert (distinct.loc[closed & ~distinct["canceled"], "status"] == "closed").all()
    assert distinct.loc[distinct["status"] == "in_progress", "doingTime"].notna().all()
    assert (
        distinct.loc[distinct["status"].isin(["open", "assigned"]), ["doingTime", "closedTime"]].isna().all(axis=None)
    )
    assert (distinct["assignedTime"].isna() == (distinct["assignedUserNames"].str.len() == 0)).all()


def test_the_last_event_is_running_and_the_others_are_over(season, distinct):
    last = season.dataset.periods[-1]
    assert last["start_date"] < format_time(season.dataset.as_of) < last["end_date"]
    still_open = distinct["closedTime"].isna() & ~distinct["canceled"]
    shares = still_open.groupby(distinct["periodId"]).mean()
    assert 0.15 <= shares[last["id"]] <= 0.30
    assert 0 < shares.drop(last["id"]).mean() < 0.01
    as_of = pd.Timestamp(season.dataset.as_of)
    assert (distinct[TIMES].max() <= as_of).all()


def test_ai_grows_over_the_season(distinct):
    known = distinct[distinct["aiDispatched"].notna()]
    share = known.groupby("periodId")["aiDispatched"].apply(lambda flags: flags.astype(float).mean())
    assert share.iloc[:3].mean() == pytest.approx(0.12, abs=0.05)
    assert share.iloc[-3:].mean() == pytest.approx(0.58, abs=0.05)


def test_the_crude_ai_effect_overstates_the_true_one(season, distinct):
    frame = distinct[distinct["aiDispatched"].notna()].assign(response=lambda f: seconds(f, "createdTime", "doingTime"))
    frame = frame[frame["response"] > 0].assign(
        log=lambda f: np.log(f["response"]), arm=lambda f: f["ai"].astype(float)
    )
    crude = np.exp(frame.loc[frame["ai"], "log"].mean() - frame.loc[~frame["ai"], "log"].mean())
    inside = frame[["log", "arm"]] - frame.groupby("stratum")[["log", "arm"]].transform("mean")
    within = np.exp((inside["log"] * inside["arm"]).sum() / (inside["arm"] ** 2).sum())
    truth = season.truth.parameters.ai_factor
    assert crude < truth - 0.15
    assert within == pytest.approx(truth, abs=0.03)


def test_ai_changes_the_stages_before_the_work_by_its_factor_and_nothing_else():
    """The same draws with and without an effect: the one thing that differs is what AI multiplies."""
    with_effect, without = make_season(11).truth, make_season(11, Parameters(ai_factor=1.0)).truth
    both = with_effect.actions.index.intersection(without.actions.index)
    changed, plain = with_effect.actions.loc[both], without.actions.loc[both]
    ai = changed["ai"]
    ratio = (changed["dispatch"] + changed["pickup"]) / (plain["dispatch"] + plain["pickup"])
    # Whole milliseconds keep this from being exact.
    assert ratio[ai].to_numpy() == pytest.approx(0.85, rel=1e-3)
    assert (ratio[~ai] == 1.0).all()
    kept = ~changed["forgotten"]
    assert (changed.loc[kept, "work"] == plain.loc[kept, "work"]).all()


def test_the_true_effect_of_ai_is_that_of_the_same_actions_with_it_and_without(season):
    truth = season.truth
    with_ai, without = truth.response_if(True), truth.response_if(False)
    response, ai = truth.actions["dispatch"] + truth.actions["pickup"], truth.actions["ai"]
    assert (with_ai / without).to_numpy() == pytest.approx(truth.parameters.ai_factor)
    assert with_ai[ai].to_numpy() == pytest.approx(response[ai].to_numpy())
    assert without[~ai].to_numpy() == pytest.approx(response[~ai].to_numpy())
    # And it is what other draws with the opposite dispatch are like: by it, AI gains 6 points at five minutes.
    assert (with_ai <= 300).mean() - (without <= 300).mean() == pytest.approx(0.065, abs=0.015)


def test_busy_moments_are_slower(season):
    truth = season.truth.actions
    response = np.log(truth["dispatch"] + truth["pickup"])
    rest = response - response.groupby(truth["stratum"]).transform("mean")
    slope = np.polyfit(np.log(truth["load"]), rest, 1)[0]
    assert slope == pytest.approx(season.truth.parameters.load_exponent, abs=0.05)


def test_truth_covers_every_action_once(season, distinct):
    assert season.truth.actions.index.is_unique
    assert set(season.truth.actions.index) == set(distinct["actionId"])


def test_records_tell_the_truth_where_they_tell(season, distinct):
    """Recorded stages equal the drawn ones, but for the few that are out of order on purpose."""
    ended = distinct[(distinct["status"] == "closed") & distinct["closedTime"].notna()]
    same = np.isclose(seconds(ended, "createdTime", "closedTime"), ended["cycle"], rtol=0, atol=5e-4)
    assert 0.998 < same.mean() < 1.0
    early = distinct[distinct["assignedTime"].notna()]
    same = np.isclose(seconds(early, "createdTime", "assignedTime"), early["dispatch"], rtol=0, atol=5e-4)
    assert 0.998 < same.mean() < 1.0
    gone = distinct[distinct["canceled"] & distinct["closedTime"].notna()]
    assert np.isclose(seconds(gone, "createdTime", "closedTime"), gone["cancel"], rtol=0, atol=5e-4).all()
    assert (distinct.loc[distinct["canceled"], "cancel"] < distinct.loc[distinct["canceled"], "cycle"]).all()


def test_whatever_is_open_would_have_ended_after_as_of(season, distinct):
    still_open = distinct[distinct["closedTime"].isna() & ~distinct["canceled"]]
    age = (pd.Timestamp(season.dataset.as_of) - still_open["createdTime"]).dt.total_seconds()
    assert (still_open[["cycle", "cancel"]].min(axis=1) > age).all()
    known = distinct["aiDispatched"].notna()
    assert (distinct.loc[known, "aiDispatched"].astype(bool) == distinct.loc[known, "ai"]).all()


def test_stages_add_up(season):
    truth = season.truth.actions
    assert (truth["dispatch"] + truth["pickup"] + truth["work"]).to_numpy() == pytest.approx(truth["cycle"].to_numpy())
    assert (truth[["dispatch", "pickup", "work"]] > 0).all(axis=None)


def test_draws_come_from_the_population(season):
    truth = season.truth
    drawn = truth.draw(200_000, np.random.default_rng(1))
    assert list(drawn.columns) == ["created_offset", "cycle", "cancel", "ai"]
    for q in (0.5, 0.9):
        share = (drawn["cycle"] <= truth.cycle_quantile(q)).mean()
        assert share == pytest.approx(q, abs=0.005)
    assert drawn["ai"].mean() == pytest.approx(truth.ai_share, abs=0.005)
    assert truth.draw(5, np.random.default_rng(3)).equals(truth.draw(5, np.random.default_rng(3)))


def test_the_population_quantile_is_the_smallest_that_reaches_its_share(season):
    cycle = season.truth.actions["cycle"]
    for q in (0.25, 0.5, 0.9):
        value = season.truth.cycle_quantile(q)
        assert (cycle <= value).mean() >= q > (cycle < value).mean()


def test_form_values(season):
    data = season.dataset
    values = [one for records in data.form_values.values() for one in records.values()]
    assert set().union(*values) == {"department", "priority", "location"}
    assert 0 < sum("location" not in one for one in values) / len(values) < 0.10
    assert {key: set(records) for key, records in data.form_values.items()} == {
        key: {one["actionId"] for one in records} for key, records in data.actions.items()
    }
