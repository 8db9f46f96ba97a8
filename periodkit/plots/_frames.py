"""Actions of any engine, as pictures need them: the few columns they look at, in pandas."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import narwhals as nw
import pandas as pd

from periodkit._columns import MASKED
from periodkit.metrics.tally import open_frame

__all__ = ["in_pandas"]


def in_pandas(actions: Any, columns: Iterable[str]) -> pd.DataFrame:  # noqa: ANN401
    """Return a pandas frame as it is, and of another engine's frame those of the columns that it has."""
    if isinstance(actions, pd.DataFrame):
        return actions
    frame = open_frame(actions, dict.fromkeys(columns))
    table = (frame.collect("pyarrow") if isinstance(frame, nw.LazyFrame) else frame).to_arrow()
    return cast("pd.DataFrame", table.to_pandas(types_mapper=MASKED.get))
