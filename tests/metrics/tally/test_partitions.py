"""Frames in parts: they give what the whole frame gives, whoever makes the parts."""

from unittest import mock

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import BY, ENGINES, FRAMES

import periodkit as pk
from periodkit.frames.engines import reading
from periodkit.metrics.tally import count


@pytest.mark.parametrize("by", ["channel", "assigned_user_names"])
def test_an_engine_that_no_test_covers_is_refused(season_frames, by):
    import dask.dataframe as dd  # noqa: PLC0415

    frame = dd.from_pandas(season_frames[1].drop(columns=["notes", "assigned_user_names"]), npartitions=2)
    for metric in (pk.cycle_times, pk.ai_dispatch_rate):
        with pytest.raises(pk.ArgumentError, match=r"part by part: see docs/scale\.md"):
            metric(frame, by=by)


@settings(deadline=None, max_examples=30)
@given(FRAMES, st.sampled_from([None, "ai_dispatched", list(BY)]))
def test_an_engine_is_counted_a_block_at_a_time(actions, by):
    expected = pk.cycle_times(actions, by, resolution="s")
    with mock.patch.object(reading, "_BATCH", 3), mock.patch.object(count, "_BLOCK", 4):
        for engine in ("duckdb", "polars lazy"):
            pd.testing.assert_frame_equal(pk.cycle_times(ENGINES[engine](actions), by, resolution="s"), expected)
