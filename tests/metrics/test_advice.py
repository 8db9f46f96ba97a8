"""Every check of the records has advice, and what changes numbers comes first."""

import pandas as pd
import pytest

import periodkit as pk
from periodkit.metrics.checks import CHECKS


def test_every_check_has_advice_and_no_advice_is_without_a_check(season_frames):
    periods, actions = season_frames
    assert list(CHECKS) == pk.quality(actions, periods)["check"].tolist()
    assert all(text.endswith(".") for check in CHECKS.values() for text in (check.meaning, check.effect))


def test_counts_are_those_of_quality_and_empty_checks_are_left_out(season_frames):
    periods, actions = season_frames
    found = pk.quality(actions, periods).set_index("check")
    advice = pk.quality_advice(found.reset_index())
    assert set(advice["check"]) == set(found.index[found["count"] > 0])
    assert advice["count"].tolist() == found.loc[advice["check"], "count"].tolist()
    changing = advice[advice["changes"]]
    assert changing.index.tolist() == list(range(len(changing)))
    assert len(changing) > 2
    assert changing["count"].is_monotonic_decreasing


def test_a_check_that_could_not_be_made_is_no_finding(season_frames):
    found = pk.quality(season_frames[1])
    assert pd.isna(found.set_index("check").loc["outside_period", "count"])
    assert "outside_period" not in set(pk.quality_advice(found)["check"])


def test_a_new_check_says_what_it_means():
    found = pd.DataFrame({"check": ["new"], "count": [1], "share": [0.1], "examples": [[1]], "meaning": ["Something."]})
    assert pk.quality_advice(found)[["changes", "effect"]].iloc[0].tolist() == [True, "Something."]


def test_nothing_found_gives_the_same_columns(season_frames):
    found = pk.quality(season_frames[1])
    pd.testing.assert_series_equal(pk.quality_advice(found.head(0)).dtypes, pk.quality_advice(found).dtypes)


def test_another_frame_is_refused(season_frames):
    with pytest.raises(pk.SchemaError, match="'check'"):
        pk.quality_advice(season_frames[1])
