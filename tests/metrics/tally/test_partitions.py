"""Frames in parts: the example of the documentation runs on Dask and gives what the whole frame gives."""

import re
from pathlib import Path

import pandas as pd

import periodkit as pk

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "scale.md"


def test_the_example_on_dask_gives_what_the_whole_frame_gives(season_frames):
    import dask.dataframe as dd  # noqa: PLC0415

    frame = dd.from_pandas(season_frames[1].drop(columns=["assigned_user_names", "notes"]), npartitions=5)
    (code,) = (block for block in re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL) if "dask" in block)
    *lines, last = code.strip().splitlines()
    names = {"frame": frame}
    exec("\n".join(lines), names)
    expected = pk.cycle_times(frame.compute(), "channel", "response", resolution="s")
    pd.testing.assert_frame_equal(eval(last.partition("#")[0], names), expected)
