"""Tonight against the nights before: R's figures from the frames, every engine alike, and what cannot be said."""

import numpy as np
import pandas as pd
import pytest
from oracle import shared
from strategies import ENGINES

import periodkit as pk

R_NAMES = {"cycle_p50": "p50", "cycle_p90": "p90", "on_time_20min": "on_time"}


@pytest.fixture(scope="module")
def tonight(recorded_frames):
    periods, actions = recorded_frames
    return pk.unusual(actions, periods)


def number(value):
    return value.total_seconds() if isinstance(value, pd.Timedelta) else float(value)


def test_agrees_with_r_from_the_frames(tonight):
    found = {(row["measure"], row["by"], row["group"]): row for row in tonight.to_dict("records")}
    found = {tuple(None if pd.isna(part) else part for part in key): row for key, row in found.items()}
    series = shared("oracle_unusual")
    keys = [(R_NAMES.get(each["measure"], each["measure"]), each["by"], each["group"]) for each in series]
    back = {"log seconds": np.exp, "log count": np.exp, "logit": lambda y: 1 / (1 + np.exp(-y))}
    for key, each in zip(keys, series, strict=True):
        row = found[key]
        model = "trend" if each["trend"] is not None else "level"
        wanted = each[model]
        assert (row["model"], row["periods"]) == (model, wanted["k"]), key
        assert number(row["value"]) == pytest.approx(each["value"], rel=1e-9)
        assert row["tau"] ** 2 == pytest.approx(wanted["tau2"], rel=1e-6, abs=1e-15)
        for name in ("t", "p"):
            assert row[name] == pytest.approx(wanted[name], rel=1e-9), (key, name)
        for name in ("expected", "low", "high"):
            shown = back[each["scale"]](wanted[name])
            assert number(row[name]) == pytest.approx(shown, rel=1e-9, abs=6e-7 if "sec" in each["scale"] else 0), key
    judged = {key for key, row in found.items() if not np.isnan(row["p"])}
    assert judged == set(keys)


def test_families_are_all_actions_and_groups(tonight):
    whole = tonight["by"].isna()
    for family, least in ((whole, 7), (~whole, 40)):
        p = tonight.loc[family, "p"].dropna().sort_values()
        assert len(p) >= least
        holm = (p * np.arange(len(p), 0, -1)).cummax().clip(upper=1)
        np.testing.assert_allclose(tonight.loc[p.index, "p_adjusted"], (2 * holm).clip(upper=1))
    assert tonight["unusual"].tolist() == (tonight["p_adjusted"] <= 0.05).tolist()
    assert tonight["unusual"].dtype == bool


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same(recorded_frames, tonight, engine):
    periods, actions = recorded_frames
    pd.testing.assert_frame_equal(pk.unusual(ENGINES[engine](actions), periods), tonight)


def test_values_are_those_of_the_other_metrics(season_frames):
    periods, actions = season_frames
    chosen = int(periods["period_id"].iloc[-4])
    found = pk.unusual(actions, periods, chosen, by=["channel"], target="30min")
    own = actions[actions["period_id"] == chosen]
    times = pk.cycle_times(own, by="channel", canceled="exclude").set_index("channel")
    response = pk.cycle_times(own, by="channel", stage="response", canceled="exclude").set_index("channel")
    share = pk.on_time(own, "30min", by="channel", canceled="exclude").set_index("channel")
    ai, routed = (rate(own, by="channel").set_index("channel") for rate in (pk.ai_dispatch_rate, pk.reroute_rate))
    wanted = {
        "actions": (own.groupby("channel").size(), own.groupby("channel").size()),
        "p50": (times["p50"], times["used"]),
        "p90": (times["p90"], times["used"]),
        "response_p90": (response["p90"], response["used"]),
        "on_time": (share["rate"], share["met"] + share["missed"]),
        "ai_rate": (ai["rate"], ai["ai"] + ai["not_ai"]),
        "reroute_rate": (routed["rate"], routed["rerouted"] + routed["stayed"]),
    }
    assert found["measure"].tolist() == [*wanted] * found["group"].nunique()
    for row in found.to_dict("records"):
        value, n = wanted[row["measure"]]
        assert number(row["value"]) == pytest.approx(number(value[row["group"]]))
        assert row["n"] == n[row["group"]]


def test_a_night_that_was_three_times_as_slow_is_found(season_frames):
    periods, actions = season_frames
    chosen = int(periods["period_id"].iloc[-2])
    slow = (actions["period_id"] == chosen) & (actions["channel"] == "Cleaning")
    late = actions["closed_time"] + 2 * (actions["closed_time"] - actions["created_time"])
    changed = actions.assign(closed_time=late.where(slow, actions["closed_time"]))
    changed["fetched_at"] = changed["fetched_at"].max() + pd.Timedelta("7D")
    found = pk.unusual(changed, periods, chosen)
    named = found[found["unusual"]]
    assert (named["by"].eq("channel") & named["group"].eq("Cleaning") & named["measure"].eq("p50")).any()
    row = named[named["group"].eq("Cleaning") & named["measure"].eq("p50")].iloc[0]
    assert row["value"] > row["high"]
    assert row["t"] > 0


@pytest.mark.parametrize(("nights", "model"), [(7, "too_few"), (8, "level"), (11, "level"), (12, "trend")])
def test_as_many_nights_as_a_model_needs(season_frames, nights, model):
    periods, actions = season_frames
    found = pk.unusual(actions, periods, int(periods["period_id"].iloc[nights]), by=[None])
    assert found["model"].eq(model).all()
    assert found["periods"].eq(nights).all()
    assert found["p"].isna().eq(model == "too_few").all()
    assert not (found["unusual"] & (model == "too_few")).any()


def test_only_so_many_nights_are_looked_at(season_frames):
    periods, actions = season_frames
    few = periods.tail(11)
    kept = actions[actions["period_id"].isin(few["period_id"])]
    pd.testing.assert_frame_equal(pk.unusual(actions, periods, earlier=10), pk.unusual(kept, few))


def test_a_period_by_its_name_and_an_empty_one(season_frames):
    periods, actions = season_frames
    last = periods.iloc[-1]
    by_name = pk.unusual(actions, periods, last["period_name"], by=["channel"])
    pd.testing.assert_frame_equal(by_name, pk.unusual(actions, periods, by=["channel"]))
    missing = actions[actions["period_id"] != last["period_id"]]
    found = pk.unusual(missing, periods, target=None)
    assert "on_time" not in set(found["measure"])
    assert found["n"].eq(0).all()
    assert found["expected"].notna().any()
    assert found[["low", "high", "t", "p", "p_adjusted"]].isna().all(axis=None)
    assert not found["unusual"].any()


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"period": 1}, "period is 1, which is none"),
        ({"earlier": 0}, "earlier is 0"),
        ({"by": "channel"}, "by is 'channel'; it takes a list"),
        ({"by": [3]}, "by is or holds 3; it takes a column name"),
        ({"by": ["period_id"]}, "each column once"),
        ({"confidence": 95}, "confidence"),
        ({"target": "soon"}, "target is 'soon'"),
    ],
)
def test_bad_arguments_are_named(season_frames, more, says):
    periods, actions = season_frames
    with pytest.raises(pk.ArgumentError, match=says):
        pk.unusual(actions, periods, **more)


class TestPeriods:
    """Each period of a season, judged by those before it."""

    def test_each_is_judged_as_by_itself(self, season_frames):
        periods, actions = season_frames
        every = pk.unusual_periods(actions, periods, earlier=14)
        assert every["period_id"].drop_duplicates().tolist() == periods["period_id"].tolist()[8:]
        same = [name for name in every.columns if name not in ("p_adjusted", "unusual")]
        for key in (periods["period_id"].iloc[8], 4158, 4173):
            one = pk.unusual(actions, periods, int(key), earlier=14)
            own = every[every["period_id"] == key].reset_index(drop=True)
            # A group that has not been seen yet has no row of its own there.
            known = own[own["n"].gt(0) | own["expected"].notna()]
            merged = known.merge(one, on=["measure", "by", "group"], how="left", suffixes=("", "_one"))
            for name in {*same} - {"period_id", "period_name", "start_date", "measure", "by", "group", "model"}:
                left, right = (pd.to_numeric(merged[each].map(plain)) for each in (name, f"{name}_one"))
                np.testing.assert_allclose(left, right, rtol=1e-9, atol=1e-12, err_msg=name)
            assert (merged["model"] == merged["model_one"]).all()
            np.testing.assert_allclose(merged["p_adjusted"], (18 * merged["p_adjusted_one"]).clip(upper=1), rtol=1e-9)

    def test_the_nights_that_were_changed_stand_out_and_no_others(self, season_frames, season):
        periods, actions = season_frames
        every = pk.unusual_periods(actions, periods)
        found = set(every.loc[every["unusual"], "period_id"])
        assert found == {4158, 4173}
        assert found <= set(season.truth.anomalies["period_id"])

    @pytest.mark.parametrize("nights", [0, 3, 8])
    def test_too_few_nights_have_no_rows_but_all_columns(self, season_frames, nights):
        periods, actions = season_frames
        none, some = (pk.unusual_periods(actions, periods.head(n)) for n in (nights, 9))
        assert none.empty
        assert none.dtypes.equals(some.dtypes)


def plain(value):
    return np.nan if pd.isna(value) else value.total_seconds() if isinstance(value, pd.Timedelta) else float(value)


@pytest.mark.parametrize("engine", ENGINES)
def test_ids_that_pandas_made_floats_are_ids_and_texts_are_refused(recorded_frames, tonight, engine):
    periods, actions = recorded_frames
    convert = ENGINES[engine]
    found = pk.unusual(convert(actions.astype({"period_id": "Float64"})), periods)
    pd.testing.assert_frame_equal(found, tonight)
    with pytest.raises(pk.SchemaError, match="'period_id' of actions is String"):
        pk.unusual(convert(actions.astype({"period_id": "str"})), periods)
