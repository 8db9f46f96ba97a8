"""What happens around a marker: arrivals and times against minutes from Doors, Kick-off, Half-time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from periodkit._arguments import PERIODS_FRAME, AsOf, as_micros, check_share, read_moment, require_columns
from periodkit.errors import ArgumentError
from periodkit.frames import (
    UTC_MICROS,
    collect,
    distinct_periods,
    markers,
    on_cluster,
    open_frame,
    require_one_venue,
    require_same_ids,
)
from periodkit.metrics.estimate import Floats, garwood, survival_quantiles
from periodkit.metrics.tally import (
    UNITS,
    Ints,
    StageCounts,
    checked_resolution,
    count_cells,
    join_entry,
    named_resolution,
    to_count,
)
from periodkit.metrics.times import as_timedelta
from periodkit.milestones import STAGES, enter_stage

__all__ = ["marker_profile"]

_NEEDED = ["period_id", "created_time", "closed_time", "status"]
_MINUTE = 60_000_000
_TYPICAL = (0.1, 0.9)
_MOST_BINS = 10_000


def marker_profile(
    actions: Any,  # noqa: ANN401  (any engine's frame)
    periods: pd.DataFrame,
    marker: str | Iterable[str] | None = None,
    width: str | timedelta = "15min",
    before: str | timedelta = "1h",
    after: str | timedelta = "4h",
    confidence: float = 0.95,
    as_of: AsOf | None = None,
    resolution: str | None = None,
) -> pd.DataFrame:
    """Return how many actions came, and how long they took, by the time from each marker.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    periods : pandas.DataFrame
        Their periods, with markers. An action belongs to the markers of its own period, and counts for each of them.
    marker : str or list of str, optional
        Names of markers; by default all, in the order in which they come in a period.
    width : timedelta or str
        Length of a bin; bins meet at the marker.
    before, after : timedelta or str
        How far from the marker to look, in whole bins.
    confidence : float
        Coverage of the intervals.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``.
    resolution : {None, "ms", "s", "us", "min"}
        Unit in which ``p50`` is counted, see `periodkit.cycle_times`.

    Returns
    -------
    pandas.DataFrame
        One row per marker and bin: ``marker``; ``low`` and ``high``, the bin's ends from the marker; ``occurrences`` of the
        marker; ``exposure``, how long the bin was inside a period that had begun and not ended, over all occurrences; ``n``
        actions created then; ``rate`` per minute and occurrence, with Garwood's exact Poisson limits ``rate_low`` and
        ``rate_high``; ``used``, ``events`` and ``open``, then ``p50``, ``p50_low``, ``p50_high`` of the cycle
        (Kaplan-Meier, without cancellations); ``typical_low`` to ``typical_high``, the middle 80 % of the rates of single
        occurrences that had the whole bin. Null where there was no exposure, or the median is not reached.
        ``attrs["resolution"]`` names the resolution.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        An argument is not one of those it takes.

    Notes
    -----
    Garwood (1936), Biometrika 28, 437-442. A rate's interval takes arrivals for a Poisson process at one rate in all
    occurrences; how much occurrences differ is what ``typical_low`` to ``typical_high`` shows.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods)
    >>> profile = marker_profile(actions, periods, "Half-time", before="15min", after="45min")
    >>> profile.loc[profile["rate"].idxmax(), ["low", "high"]].tolist()
    [Timedelta('0 days 00:00:00'), Timedelta('0 days 00:15:00')]
    """
    check_share(confidence, "confidence")
    edges = _edges(width, before, after)
    moment = None if as_of is None else int(pd.Timestamp(read_moment(as_of, "as_of", ArgumentError)).value // 1000)
    frame = open_frame(actions, [*_NEEDED, "fetched_at"], _NEEDED)
    periods = distinct_periods(periods)
    require_same_ids(frame, periods)
    require_one_venue(actions, periods)
    resolution = checked_resolution(resolution, frame)
    if on_cluster(frame):  # the rows of the periods asked for, and no others, come here
        frame = frame.filter(nw.col("period_id").is_in(periods["period_id"].dropna().unique().tolist()))
    frame = enter_stage(frame, STAGES["cycle"], as_of, _NEEDED)
    frame = frame.with_columns(_micros=to_count(nw.col("_micros"), UNITS[resolution]))
    table = collect(frame.filter(nw.col("_exists")).select("period_id", "created_time", "_seen", "_state", "_micros"))
    times = {
        name: table[name].cast(UTC_MICROS).cast("int64").to_pandas().to_numpy(dtype=np.float64, na_value=np.nan)
        for name in ("created_time", "_seen")
    }
    spans = _spans(periods, table["period_id"].to_pandas(), times["_seen"], moment)
    names, marks = _marks(periods, spans, marker)
    created, place = times["created_time"], spans.place
    inside = place >= 0
    inside[inside] &= (created[inside] >= spans.start[place[inside]]) & (created[inside] < spans.end[place[inside]])
    rows = np.flatnonzero(inside)
    rows = rows[np.argsort(place[rows], kind="stable")]
    bins, per_mark = len(edges) - 1, np.zeros((len(marks), len(edges) - 1), dtype=np.int64)
    hit_rows, hit_cells = [], []
    bounds = np.searchsorted(place[rows], np.arange(len(spans.start) + 1))
    for at, (code, period, when) in enumerate(marks):
        own = rows[bounds[period] : bounds[period + 1]]
        into = np.searchsorted(edges, created[own] - when, side="right") - 1
        kept = (into >= 0) & (into < bins)
        per_mark[at] = np.bincount(into[kept], minlength=bins)
        hit_rows.append(own[kept])
        hit_cells.append(code * bins + into[kept])
    which, cell = (np.concatenate([np.zeros(0, dtype=np.int64), *each]) for each in (hit_rows, hit_cells))
    exposure = _exposure(marks, spans, edges)
    counts = _count(table, which, cell, len(names) * bins, resolution)
    found = _as_frame(names, edges, [code for code, _, _ in marks], per_mark, exposure, counts, confidence)
    return named_resolution(found, counts)


def _edges(width: object, before: object, after: object) -> Floats:
    wide, early, late = (
        as_micros(each, name) for each, name in ((width, "width"), (before, "before"), (after, "after"))
    )
    if not wide or early + late < wide or (early + late) // wide > _MOST_BINS:
        raise ArgumentError(
            f"width is {width!r}; it takes a length of time that before and after hold 1 to {_MOST_BINS:,} of."
        )
    return np.arange(-(-early // wide) * -1, -(-late // wide) + 1, dtype=np.float64) * wide


@dataclass(frozen=True, slots=True, eq=False)
class _Spans:
    """From when until when each period was under way and seen, in microseconds, and the period of each action."""

    ids: list[Any]
    start: Floats
    end: Floats
    seen: Floats
    place: NDArray[np.integer[Any]]


def _spans(periods: pd.DataFrame, period_id: pd.Series, seen: Floats, moment: int | None) -> _Spans:
    require_columns(periods.columns, ["period_id", "start_date", "end_date", "markers"], PERIODS_FRAME)
    ids = periods["period_id"].astype("object")
    place = pd.Index(ids).get_indexer(pd.Index(period_id.astype("object")))
    start, end = (_micros(periods[name]) for name in ("start_date", "end_date"))
    # Seen as long as its actions were; without any, as long as the period itself.
    limit = _micros(periods["fetched_at"]) if "fetched_at" in periods.columns else np.full(len(periods), np.nan)
    own = place >= 0
    last = np.full(len(periods), -np.inf)
    np.fmax.at(last, place[own], seen[own])
    limit = np.where(np.isfinite(last), last, limit)
    if moment is not None:
        limit = np.fmin(limit, float(moment))
    end = np.where(np.isnan(end), np.inf, end)
    return _Spans(ids.tolist(), start, end, np.fmin(end, limit), place)


def _micros(times: pd.Series) -> Floats:
    whole = times.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    return np.where(np.isnat(whole), np.nan, whole.astype(np.int64).astype(np.float64))


def _marks(periods: pd.DataFrame, spans: _Spans, marker: object) -> tuple[list[str], list[tuple[int, int, float]]]:
    """Return the markers' names in the order of the event, and each occurrence: its name, its period, its moment."""
    found = markers(periods).dropna(subset=["marker", "timestamp"])
    place = pd.Index(spans.ids).get_indexer(pd.Index(found["period_id"].astype("object")))
    when = _micros(found["timestamp"])
    text = found["marker"].astype(str)
    if isinstance(marker, str):
        marker = [marker]
    elif marker is not None and not isinstance(marker, Iterable):
        raise ArgumentError(f"marker is {marker!r}; it takes the name of a marker or a list of names.")
    wanted = None if marker is None else list(marker)
    offset = pd.Series(when - spans.start[place], index=text.index).groupby(text).median()
    order = offset.reset_index(name="offset").sort_values(["offset", "marker"])["marker"].tolist()
    missing = [name for name in wanted or () if name not in order]
    if missing:
        there = ", ".join(order) if order else "none"
        raise ArgumentError(f"marker names {missing[0]!r}, which no period has. The markers there are: {there}.")
    names = [name for name in order if wanted is None or name in wanted]
    code = {name: at for at, name in enumerate(names)}
    each = zip(text, place.tolist(), when.tolist(), strict=True)
    return names, [(code[name], at, moment) for name, at, moment in each if name in code and at >= 0]


def _exposure(marks: list[tuple[int, int, float]], spans: _Spans, edges: Floats) -> Floats:
    """Return for each occurrence how much of each bin lay inside its period, as far as that was seen."""
    if not marks:
        return np.zeros((0, len(edges) - 1))
    _, period, when = (np.array(each) for each in zip(*marks, strict=True))
    at = when[:, np.newaxis] + edges
    start, stop = (each[period][:, np.newaxis] for each in (spans.start, spans.seen))
    length = np.minimum(at[:, 1:], stop) - np.maximum(at[:, :-1], start)
    return np.where(length > 0, length, 0.0)


def _count(table: Any, rows: Ints, cell: Ints, cells: int, resolution: str) -> StageCounts:  # noqa: ANN401
    """Count the stage times of rows, each in a cell; a row may stand in several."""
    state = table["_state"].to_numpy().astype(np.int8, copy=False)[rows]
    duration = table["_micros"].fill_null(0).to_numpy()[rows] // UNITS[resolution]
    counted = count_cells([cell], join_entry(duration, state), None, cells)
    return StageCounts(pd.DataFrame(index=range(cells)), *counted, by=(), resolution=resolution)


def _as_frame(
    names: list[str],
    edges: Floats,
    code: list[int],
    per_mark: Ints,
    exposure: Floats,
    counts: StageCounts,
    confidence: float,
) -> pd.DataFrame:
    bins, wide = len(edges) - 1, edges[1] - edges[0]
    total, length = np.zeros((len(names), bins), dtype=np.int64), np.zeros((len(names), bins))
    np.add.at(total, code, per_mark)
    np.add.at(length, code, exposure)
    rate, rate_low, rate_high = garwood(total.ravel(), length.ravel() / _MINUTE, confidence)
    typical = np.full((2, len(names), bins), np.nan)
    single = np.where(exposure == wide, per_mark / (wide / _MINUTE), np.nan)
    for at in range(len(names)):
        own = single[np.array(code, dtype=np.int64) == at]
        whole = ~np.isnan(own).all(axis=0)
        typical[:, at, whole] = np.nanquantile(own[:, whole], _TYPICAL, axis=0)
    p50 = survival_quantiles(counts, [0.5], "exclude", confidence)[:, 0]
    columns: dict[str, Any] = {
        "marker": pd.Series(np.repeat(np.array(names, dtype=object), bins), dtype="str"),
        "low": as_timedelta(np.tile(edges[:-1], len(names)), 1),
        "high": as_timedelta(np.tile(edges[1:], len(names)), 1),
        "occurrences": np.repeat(np.bincount(code, minlength=len(names)).astype(np.int64), bins)
        if names
        else np.zeros(0, dtype=np.int64),
        "exposure": as_timedelta(length.ravel(), 1),
        "n": total.ravel(),
        "rate": rate,
        "rate_low": rate_low,
        "rate_high": rate_high,
        "used": counts.sum_by_group(counts.only("event", "open")),
        "events": counts.sum_by_group(counts.only("event")),
        "open": counts.sum_by_group(counts.only("open")),
        **{name: as_timedelta(p50[:, side], counts.unit) for side, name in enumerate(("p50", "p50_low", "p50_high"))},
        "typical_low": typical[0].ravel(),
        "typical_high": typical[1].ravel(),
    }
    return pd.DataFrame(columns)
