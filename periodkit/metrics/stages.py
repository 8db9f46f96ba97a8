"""Where the time goes: the quantiles of every stage, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from periodkit._moment import AsOf
from periodkit.metrics.tally import By, grouping
from periodkit.metrics.times import cycle_times

__all__ = ["stage_quantiles"]

# As an action goes through them; then the two that span several.
_ORDER = ("dispatch", "pickup", "work", "response", "cycle")


def stage_quantiles(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    by: By = None,
    quantiles: Sequence[float] = (0.5, 0.9),
    canceled: str = "censor",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
) -> pd.DataFrame:
    """Return what `cycle_times` says of every stage: where the time goes.

    Parameters
    ----------
    actions : pandas.DataFrame, polars frame, pyarrow.Table or DuckDB relation
        Actions.
    by, quantiles, canceled, confidence, as_of
        As for `periodkit.cycle_times`.

    Returns
    -------
    pandas.DataFrame
        One row per group and stage: the keys; ``stage``; then the counts and quantiles of `periodkit.cycle_times`. The
        stages stand as an action goes through them, dispatch, pickup and work; then response (dispatch and pickup) and
        cycle (all three). Medians of stages do not add up to the median of the whole.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(1))
    >>> stage_quantiles(actions)["stage"].tolist()
    ['dispatch', 'pickup', 'work', 'response', 'cycle']
    """
    keys = grouping(by, ["stage"])
    options: dict[str, Any] = {"quantiles": quantiles, "canceled": canceled, "confidence": confidence, "as_of": as_of}
    parts = [cycle_times(actions, by, stage, **options) for stage in _ORDER]
    for stage, part in zip(_ORDER, parts, strict=True):
        part.insert(len(keys), "stage", pd.Series(stage, index=part.index, dtype="str"))
    # Every stage has the same groups in the same order: rows of one group are brought together.
    stacked = pd.concat(parts)
    return stacked.sort_index(kind="stable").reset_index(drop=True)
