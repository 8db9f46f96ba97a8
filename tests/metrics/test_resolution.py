"""The unit in which durations are counted: named in the result, and no action changes sides of a target by it."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import law
from strategies import BY, FRAMES, action, frame

import periodkit as pk
from periodkit.errors import ArgumentError
from periodkit.milestones import STAGES

SECOND = pd.Timedelta("1s")
TARGETS = st.sampled_from(["60s", "150s", "420s"])

# Each of a frame, its periods and a resolution.
TIMED = {
    "cycle_times": lambda a, p, r: pk.cycle_times(a, "channel", resolution=r),
    "stage_quantiles": lambda a, p, r: pk.stage_quantiles(a, resolution=r),
    "on_time": lambda a, p, r: pk.on_time(a, "3min", resolution=r),
    "outcome_curve": lambda a, p, r: pk.outcome_curve(a, resolution=r),
    "season": lambda a, p, r: pk.season(a, p, "p50", resolution=r),
    "unusual": lambda a, p, r: pk.unusual(a, p, by=[None], resolution=r),
    "ai_effect": lambda a, p, r: pk.ai_effect(a, resolution=r),
    "compare": lambda a, p, r: pk.compare(a, "ai_dispatched", resolution=r),
    "marker_profile": lambda a, p, r: pk.marker_profile(a, p, resolution=r),
    "outlook": lambda a, p, r: pk.outlook(a, a, "1h", resolution=r),
}


@pytest.mark.parametrize("name", TIMED)
def test_the_result_names_its_resolution(season_frames, name):
    periods, actions = season_frames
    for given_, named in ((None, "us" if name == "on_time" else "ms"), ("s", "s"), ("us", "us")):
        assert TIMED[name](actions, periods, given_).attrs["resolution"] == named
    with pytest.raises(ArgumentError, match="resolution is 'h'"):
        TIMED[name](actions, periods, "h")


@law(20)
@given(FRAMES, st.sampled_from([*STAGES]), st.sampled_from([None, *BY]), TARGETS)
def test_a_whole_target_is_as_right_in_seconds_as_in_microseconds(actions, stage, by, target):
    fine, coarse = (pk.on_time(actions, target, stage, by, resolution=each) for each in ("us", "s"))
    pd.testing.assert_frame_equal(fine, coarse)
    # Who has ended by a time is the same. Among those that are open, the second at which it was seen is all that is known.
    settled = actions.assign(closed_time=actions["closed_time"].fillna(actions["created_time"]))
    fine, coarse = (pk.outcome_curve(settled, stage, by, [target], resolution=each) for each in ("us", "s"))
    shares = ["closed", "canceled", "open"]
    pd.testing.assert_frame_equal(fine[shares], coarse[shares], rtol=0, atol=1e-12)


@law(20)
@given(FRAMES, st.sampled_from([None, *BY]))
def test_a_quantile_of_what_ended_is_less_than_a_second_later_in_seconds(actions, by):
    fine, coarse = (pk.cycle_times(actions, by, method="observed", resolution=each) for each in ("us", "s"))
    late = (coarse["p50"] - fine["p50"]).dropna()
    assert late.ge(pd.Timedelta(0)).all()
    assert late.lt(SECOND).all()
    pd.testing.assert_frame_equal(fine.iloc[:, :9], coarse.iloc[:, :9])


def test_a_target_between_two_seconds_is_refused_where_it_could_not_be_right():
    actions = frame([action(closed=1.5, ai_dispatched=True), action(closed=2, ai_dispatched=False)])
    assert pk.on_time(actions, "90.5s")["met"].item() == 1
    for look in (
        lambda: pk.on_time(actions, "90.5s", resolution="s"),
        lambda: pk.outcome_curve(actions, times=["90.5s"], resolution="s"),
        lambda: pk.ai_effect(actions, target="90.5s", resolution="s"),
        lambda: pk.compare(actions, "ai_dispatched", target="90.5s", resolution="s"),
        lambda: pk.outlook(actions, actions, "90.5s", resolution="s"),
    ):
        with pytest.raises(ArgumentError, match=r"no whole number of units at resolution 's'"):
            look()
    assert pk.outcome_curve(actions, times=["90.5s"])["closed"].item() == 0.5
