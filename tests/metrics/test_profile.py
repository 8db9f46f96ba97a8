"""Around a marker: R's figures from the frames, every engine alike, and small cases by hand."""

import numpy as np
import pandas as pd
import pytest
from oracle import numbers, shared
from strategies import ENGINES, action, at, frame

import periodkit as pk

MINUTE = pd.Timedelta("1min")


def test_agrees_with_r_from_the_frames(recorded_frames):
    periods, actions = recorded_frames
    profile = pk.marker_profile(actions, periods)
    wanted = shared("oracle_profile")["markers"]
    assert profile["marker"].drop_duplicates().tolist() == [each["marker"] for each in wanted]
    for each in wanted:
        found = profile[profile["marker"] == each["marker"]]
        assert (found["low"] / MINUTE).tolist() == each["low_min"]
        assert ((found["high"] - found["low"]) == pd.Timedelta("15min")).all()
        assert found["occurrences"].eq(each["occurrences"]).all()
        assert (found["exposure"] / MINUTE).tolist() == each["exposure_min"]
        for name in ("n", "used", "events", "open"):
            assert found[name].tolist() == each[name], name
        for name in ("rate", "rate_low", "rate_high"):
            np.testing.assert_allclose(found[name], numbers(each[name]), rtol=1e-9, err_msg=name)
        for name in ("p50", "p50_low", "p50_high"):
            np.testing.assert_allclose(found[name].dt.total_seconds(), numbers(each[f"{name}_s"]), rtol=1e-9)


def test_typical_is_the_middle_of_single_nights(recorded_frames):
    periods, actions = recorded_frames
    found = pk.marker_profile(actions, periods, "EVENING").set_index("low")
    whole = periods.iloc[:14]  # the last one had not seen all of its evening
    for low in found.index:
        rates = []
        for _, row in whole.iterrows():
            when = (
                pk.markers(whole[whole["period_id"] == row["period_id"]])
                .set_index("marker")
                .loc["EVENING", "timestamp"]
            )
            own = actions[actions["period_id"] == row["period_id"]]["created_time"] - when
            rates.append(((own >= low) & (own < low + 15 * MINUTE)).sum() / 15)
        if low < pd.Timedelta("3h"):
            last = actions.loc[actions["period_id"] == periods["period_id"].iloc[14], "created_time"]
            last = last - pd.Timestamp("2020-04-21T00:00Z")
            rates.append(((last >= low) & (last < low + 15 * MINUTE)).sum() / 15)
        np.testing.assert_allclose(
            found.loc[low, ["typical_low", "typical_high"]].astype(float), np.quantile(rates, [0.1, 0.9]), atol=1e-12
        )


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_gives_the_same(recorded_frames, engine):
    periods, actions = recorded_frames
    for as_of in (None, "2020-04-15T20:00Z"):
        more = {"marker": ["NOON", "DAY"], "width": "40min", "as_of": as_of}
        other = pk.marker_profile(ENGINES[engine](actions), periods, **more)
        pd.testing.assert_frame_equal(other, pk.marker_profile(actions, periods, **more))


def one_night(*marks, start=-10, end=60, fetched=60):
    listed = [{"name": name, "timestamp": at(when).isoformat().replace("+00:00", "Z")} for name, when in marks]
    moments = {name: [at(value)] for name, value in (("start_date", start), ("end_date", end), ("fetched_at", fetched))}
    return pd.DataFrame({"period_id": [1], "period_name": ["Match"], "markers": [listed], **moments})


def test_an_action_counts_for_each_marker_of_its_own_period_and_bins_end_before_their_ends():
    rows = [action(created=when, closed=when + 2) for when in (-11, -10, 0, 9.9, 10, 59, 60)]
    rows.append(action(created=5, period_id=2))
    periods = one_night(("Doors", 0), ("Song", 20), ("Song", 40))
    found = pk.marker_profile(frame(rows), periods, ["Song", "Doors"], width="10min", before="12min", after="20min")
    assert found["marker"].drop_duplicates().tolist() == ["Doors", "Song"]
    doors, songs = (found[found["marker"] == name].reset_index(drop=True) for name in ("Doors", "Song"))
    assert (doors["low"] / MINUTE).tolist() == [-20, -10, 0, 10]
    assert doors["n"].tolist() == [0, 1, 2, 1]
    assert (doors["exposure"] / MINUTE).tolist() == [0, 10, 10, 10]
    assert doors["rate"].isna().tolist() == [True, False, False, False]
    assert songs["occurrences"].eq(2).all()
    assert songs["n"].tolist() == [2, 1, 0, 1]
    assert (songs["exposure"] / MINUTE).tolist() == [20, 20, 20, 20]
    assert songs["rate"].tolist() == [0.1, 0.05, 0, 0.05]
    np.testing.assert_allclose(songs["typical_high"], [0.18, 0.09, 0, 0.09], atol=1e-12)


def test_what_was_not_seen_is_no_exposure():
    rows = [action(created=when) for when in (1, 11, 21)]
    periods = one_night(("Doors", 0))
    more = {"width": "10min", "before": "0min", "after": "30min"}
    found = pk.marker_profile(frame(rows), periods, as_of=at(15), **more)
    assert found["n"].tolist() == [1, 1, 0]
    assert (found["exposure"] / MINUTE).tolist() == [10, 5, 0]
    assert found["typical_low"].isna().tolist() == [False, True, True]
    # As long as its actions were seen, be it longer than the period itself was; without actions as long as the period.
    assert (
        pk.marker_profile(frame(rows), one_night(("Doors", 0), fetched=5), **more)["exposure"] / MINUTE
    ).tolist() == [10] * 3
    none = pk.marker_profile(frame(rows).head(0), one_night(("Doors", 0), fetched=5), **more)
    assert (none["exposure"] / MINUTE).tolist() == [5, 0, 0]
    assert none["n"].sum() == 0


def test_no_markers_give_no_rows_and_the_same_columns():
    some = pk.marker_profile(frame([action()]), one_night(("Doors", 0)))
    none = pk.marker_profile(frame([action()]), one_night())
    assert none.empty
    pd.testing.assert_series_equal(none.dtypes, some.dtypes)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"marker": "Kick-off"}, "which no period has. The markers there are: Doors"),
        ({"marker": 3}, "marker is 3"),
        ({"width": "0min"}, "width is '0min'"),
        ({"width": "6h"}, "width is '6h'"),
        ({"before": "soon"}, "before is 'soon'"),
        ({"confidence": 0}, "confidence"),
        ({"as_of": "soon"}, "as_of is 'soon'"),
    ],
)
def test_bad_arguments_are_named(more, says):
    with pytest.raises(pk.ArgumentError, match=says):
        pk.marker_profile(frame([action()]), one_night(("Doors", 0)), **more)
