"""The measures of each night, counted at once: as they are, and on the scale on which nights are compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd

from periodkit.frames import collect, hand_on, on_cluster, open_frame, require_same_ids
from periodkit.metrics.estimate import Floats, log_count, log_time, logit_share, survival_quantiles
from periodkit.metrics.season import lay_out
from periodkit.metrics.tally import Ints, StageCounts, checked_resolution, count_flags, count_stage, grouping
from periodkit.milestones import MILESTONES

__all__ = ["TIME_MEASURES", "Series", "measured", "rows_of"]

TIME_MEASURES = ("p50", "p90", "response_p90")
"""The measures that are times."""
_ROUTES = ["ai_dispatched", "channel", "latest_channel"]
_NEEDED = ["period_id", *MILESTONES, "status", *_ROUTES]
_BAND = 0.95  # of the intervals from which the error of a quantile is read


def rows_of(actions: Any, order: pd.DataFrame, names: list[str], resolution: str | None) -> tuple[Any, str]:  # noqa: ANN401
    """Return the actions of the periods looked at, read into memory unless they are on a cluster; and the resolution."""
    needed = dict.fromkeys([*_NEEDED, *names])
    frame = open_frame(actions, [*needed, "fetched_at"], needed)
    require_same_ids(frame, order)
    ids, dtype = order["period_id"].tolist(), frame.collect_schema()["period_id"]
    frame = frame.filter(nw.col("period_id").is_in([*map(float, ids)] if dtype.is_float() else ids))
    unit = checked_resolution(resolution, frame)
    return hand_on(frame) if on_cluster(frame) else collect(frame), unit


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """A measure of each group at each period: as it is, on how many actions, and on its scale with its variance."""

    value: Floats
    n: Ints
    y: Floats
    v: Floats

    def windows(self, judged: Ints, earlier: int) -> Series:
        """Return a row for each of these periods and each group: the period last, and up to so many before it."""

        def cut(values: Any, absent: float) -> Any:  # noqa: ANN401  (an array of any kind)
            padded = np.pad(values, ((0, 0), (earlier + 1, 0)), constant_values=absent)
            seen = np.lib.stride_tricks.sliding_window_view(padded, earlier + 1, axis=1)[:, judged + 1]
            return seen.swapaxes(0, 1).reshape(-1, earlier + 1)

        value, y, v = (cut(each, np.nan) for each in (self.value, self.y, self.v))
        return Series(value, cut(self.n, 0), y, v)


def measured(
    rows: Any,  # noqa: ANN401
    order: pd.DataFrame,
    name: str | None,
    limit: int | None,
    unit: str,
) -> tuple[pd.DataFrame, dict[str, Series]]:
    """Count, and return the groups and the series of each measure: a row a group and a column a period."""
    keys = list(grouping([*([] if name is None else [name]), "period_id"]))
    cycle, response = (count_stage(rows, stage, keys, resolution=unit) for stage in ("cycle", "response"))
    first, last = (nw.col(each).cast(nw.String) for each in ("channel", "latest_channel"))
    ai = nw.col("ai_dispatched").cast(nw.Boolean)
    flags = {"ai": ai, "not ai": ~ai, "rerouted": first != last, "stayed": first == last}
    flagged = count_flags(rows, {f"_{flag}": holds for flag, holds in flags.items()}, keys, _ROUTES)
    counts: dict[str, Ints] = {"actions": flagged["n"].to_numpy()}
    counts |= {flag: flagged[f"_{flag}"].to_numpy() for flag in flags}
    if limit is not None:
        told = limit % cycle.unit == 0
        counts["met"], counts["missed"] = _on_time(
            cycle if told else count_stage(rows, "cycle", keys, around=limit), limit
        )
    shares = {"ai_rate": ("ai", "not ai"), "reroute_rate": ("rerouted", "stayed")}
    if limit is not None:
        shares = {"on_time": ("met", "missed"), **shares}
    times = dict(zip(TIME_MEASURES, [*_times(cycle, [0.5, 0.9]), *_times(response, [0.9])], strict=True))
    for measure, stage in zip(TIME_MEASURES, (cycle, cycle, response), strict=True):
        counts[measure] = stage.sum_by_group(stage.only("event", "open"))
    flat = [*counts.values(), *(side for sides in times.values() for side in sides)]
    groups, laid = lay_out(flagged[keys], flat, keys[:-1], order)
    table = dict(zip(counts, (each.astype(np.int64) for each in laid), strict=False))
    series = {"actions": Series(laid[0], table["actions"], *log_count(table["actions"]))}
    for at, measure in enumerate(TIME_MEASURES):
        used = table[measure]
        value, low, high = (np.where(used > 0, side, np.nan) for side in laid[len(counts) + 3 * at :][:3])
        series[measure] = Series(value, used, *log_time(value, low, high, used, _BAND))
    for measure, (hit, miss) in shares.items():
        hits, n = table[hit], table[hit] + table[miss]
        share = np.divide(hits, n, out=np.full(n.shape, np.nan), where=n > 0)
        series[measure] = Series(share, n, *logit_share(hits, n))
    return groups, series


def _on_time(counts: StageCounts, limit: int) -> tuple[Ints, Ints]:
    """Return how many of each group met the limit, and how many missed it."""
    events, still = counts.only("event"), counts.only("open")
    micros = counts.duration * counts.unit
    missed = events * (micros > limit) + still * (micros >= limit)
    return counts.sum_by_group(events * (micros <= limit)), counts.sum_by_group(missed)


def _times(counts: StageCounts, quantiles: list[float]) -> list[Floats]:
    """Return of each quantile its estimate and limits, in microseconds."""
    found = survival_quantiles(counts, quantiles, "exclude", _BAND) * counts.unit
    return [found[:, position].T for position in range(len(quantiles))]
