"""The times of many periods: each under a name of its own, and with the metric's numbers."""

import matplotlib.pyplot as plt
import numpy as np

import periodkit as pk
from periodkit.plots import times_by_period
from periodkit.wording import duration


def test_periods_of_one_name_are_told_apart_and_drawn_with_the_metrics_numbers(season_frames):
    periods, actions = season_frames
    some = periods.head(3).assign(period_name=["Derby", "Cup $x^$ final", "Derby"])
    ax = times_by_period(actions, some)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["3 Aug\n2024", "17 Aug", "31 Aug"]
    found = pk.cycle_times(actions[actions["period_id"].isin(some["period_id"])], by="period_id")
    lines = [line.get_ydata() for line in ax.get_lines() if line.get_marker() in ("o", "D")]
    for line, name in zip(lines, ("p50", "p90"), strict=True):
        np.testing.assert_allclose(line, found[name].dt.total_seconds())
    words = pk.plots.alt_text(ax)
    assert "Derby (4101) P50" in words
    assert f"Derby (4107) P50 {duration(found['p50'].iloc[2])}" in words
    ax.figure.draw_without_rendering()
    plt.close("all")


def test_one_period_lies_between_nothing(season_frames):
    periods, actions = season_frames
    ax = times_by_period(actions, periods.head(1))
    assert ax.get_title(loc="left") == "P90 39.3 min by period"
    plt.close("all")
