"""What a picture is sent: at most 5,000 points, and above that the cells of a grid; curves; ages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from periodkit._arguments import AsOf
from periodkit.jupyter.explorer.answer import DONE, Answer
from periodkit.metrics import open_actions
from periodkit.metrics.estimate import kaplan_meier
from periodkit.metrics.tally import count_stage
from periodkit.milestones import STAGES
from periodkit.wording import Target, clean_label, duration, label, named_groups, other, percent, unique_labels

__all__ = ["AI_KINDS", "ALL", "MOST_POINTS", "WAITS", "Groups", "Sent", "ages", "curves", "groups_of", "scatter"]

MOST_POINTS = 5000
AI_KINDS = ("AI-dispatched", "not AI-dispatched", "dispatch unknown")
WAITS = {"assignment": "unassigned", "start": "assigned, not begun", "closing": "being worked on"}
"""What an open action waits for, and how the static picture calls that."""

_GRID = (44, 26)
_MOST_GROUPS = 6
_CURVE_STEPS = 240
# Open actions extend the axis if they are at most so many times longer than those that ended.
_ABOVE = 8.0

ALL = "all chosen"
"""What the only curve is called where nothing is grouped by."""

_GROUP = "_group"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """What a picture is sent.

    Parameters
    ----------
    rows : pandas.DataFrame
        One row per point or cell.
    n : int
        How many actions they are.
    binned : bool
        Whether rows are cells, of ``n`` actions each.
    limits : tuple of float
        Least and greatest duration shown, in seconds; what is beyond is on the edge.
    """

    rows: pd.DataFrame
    n: int
    binned: bool
    limits: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Groups:
    """The group of each action: its position in `names`, of which the last may be "other"."""

    code: NDArray[np.int64]
    names: list[str]
    title: str
    rows: list[int]
    """The row of the table that each group but "other" is."""


def groups_of(found: Answer) -> Groups:
    """Return what the colours stand for: the groups, else AI dispatch."""
    frame, by = found.frame, found.choice.by
    if by is None:
        return Groups(_ai_code(frame), [*AI_KINDS], "AI dispatch", [])
    keys = found.table[by]
    kept = named_groups(found.table["n"].tolist(), _MOST_GROUPS, fewest=0)
    texts = [group_name(by, key, found.frame) for key in keys]
    names = unique_labels([texts[at] for at in kept], kept, 28, "group")
    values = [None if pd.isna(keys.iloc[at]) else keys.iloc[at] for at in kept]
    code = np.full(len(frame), len(kept), dtype=np.int64)
    column = frame[by]
    for position, value in enumerate(values):
        rows = column.isna() if value is None else column.isin([value])
        code[rows.to_numpy(dtype=bool)] = position
    if len(kept) < len(keys):
        names.append(other(len(keys) - len(kept)))
    return Groups(code, names, "period" if by in ("period_id", "period_name") else label(by), kept)


def group_name(by: str, key: object, frame: pd.DataFrame) -> str:  # noqa: ARG001
    """Return how a group is called."""
    if pd.isna(key):  # type: ignore[call-overload]
        return "dispatch unknown" if by == "ai_dispatched" else f"no {label(by)}"
    if by == "ai_dispatched":
        return AI_KINDS[0 if key else 1]
    return clean_label(key, 28)


def scatter(found: Answer, groups: Groups, target: Target, tz: tzinfo = UTC) -> Sent:
    """Return each action at the time its stage began, by its duration; more than 5,000 as the cells of a grid.

    Columns of points: ``at`` (wall clock of `tz`, as milliseconds), ``seconds``, ``drawn`` (the same within the limits),
    ``kind``, ``state``, and texts to hover on; of cells ``at``, ``drawn``, ``kind`` and ``n``.
    """
    states = found.states
    start = STAGES[found.choice.stage].start
    counted = states["state"].isin(["event", "open"]).to_numpy() & states[start].notna().to_numpy()
    rows = np.flatnonzero(counted)
    seconds = states["length"].iloc[rows].dt.total_seconds().to_numpy(dtype=np.float64)
    ended = (states["state"].iloc[rows] == "event").to_numpy()
    limits = _limits(seconds, ended, target.delta.total_seconds())
    at = _wall_clock(states[start].iloc[rows], tz)
    drawn = np.clip(seconds, limits[0] * 1.04, limits[1] / 1.04)
    code = groups.code[rows]
    if len(rows) > MOST_POINTS:
        return Sent(_cells(at, drawn, code, groups.names, limits), len(rows), True, limits)
    kinds = np.asarray(groups.names, dtype=object)[code]
    done = DONE[found.choice.stage]
    points = pd.DataFrame(
        {
            "at": at,
            "drawn": drawn,
            "kind": kinds,
            "state": np.where(ended, done, "open, at its age"),
            "began": _clock_texts(at),
            "took": [duration(one) for one in seconds],
        }
    )
    return Sent(points.assign(**_hover(found.frame.iloc[rows])), len(rows), False, limits)


def curves(found: Answer, groups: Groups, limits: tuple[float, float]) -> pd.DataFrame:
    """Return the share that had reached the stage's end by each duration (Kaplan-Meier), by group.

    Columns ``seconds``, ``share``, ``kind`` and texts to hover on; a curve of many steps is thinned to 240 of them.
    """
    # The same groups as in the other picture: its colours are those of the curves.
    by = found.choice.by is not None
    frame = found.frame.assign(**{_GROUP: groups.code}) if by else found.frame
    counts = count_stage(frame, found.choice.stage, _GROUP if by else None, found.choice.as_of)
    parts = []
    for at, table in enumerate(counts.life_tables("exclude")):
        if not table.n:
            continue
        name = groups.names[int(counts.groups[_GROUP].iloc[at])] if by else ALL
        curve = kaplan_meier(table)
        time, share = curve.time * (counts.unit / 1e6), 1 - curve.survival
        steps = np.flatnonzero(np.diff(share, prepend=0.0) > 0)
        if len(steps) > _CURVE_STEPS:
            # Even in the share: the curve keeps its shape.
            wanted = np.linspace(share[steps[0]], share[steps[-1]], _CURVE_STEPS)
            steps = steps[np.unique(np.searchsorted(share[steps], wanted).clip(max=len(steps) - 1))]
        line = pd.DataFrame({"seconds": np.r_[time[steps], time[-1:]], "share": np.r_[share[steps], share[-1:]]})
        line["took"] = [duration(each) for each in line["seconds"]]
        line["shown"] = [percent(each) for each in line["share"]]
        line["seconds"] = line["seconds"].clip(*limits)
        parts.append(line.assign(kind=name))
    return (
        pd.concat(parts, ignore_index=True)
        if parts
        else pd.DataFrame(columns=["seconds", "share", "kind", "took", "shown"])
    )


def ages(actions: pd.DataFrame, target: Target, as_of: AsOf | None = None) -> Sent:
    """Return the open actions, the oldest first, by what they wait for; of more than 5,000 every so many-th.

    Columns ``rank``, ``seconds``, ``waits``, ``age``, ``left`` and texts to hover on.
    """
    waiting = open_actions(actions, target.delta, as_of=as_of)
    seconds = waiting["age"].dt.total_seconds().to_numpy(dtype=np.float64)
    limits = _limits(seconds, np.zeros(len(seconds), dtype=bool), target.delta.total_seconds())
    every = -(-len(waiting) // MOST_POINTS) or 1
    shown = waiting.iloc[::every]
    rows = pd.DataFrame(
        {
            "rank": np.arange(1, len(waiting) + 1)[::every],
            "seconds": np.clip(seconds[::every], limits[0], limits[1]),
            "waits": [WAITS[each] for each in shown["waits_for"]],
            "age": [duration(each) for each in shown["age"]],
            "left": [
                f"{duration(each)} left" if each >= pd.Timedelta(0) else f"{duration(-each)} past it"
                for each in shown["left"]
            ],
        }
    )
    return Sent(rows.assign(**_hover(shown)), len(waiting), every > 1, limits)


def _hover(actions: pd.DataFrame) -> dict[str, list[str]]:
    """Return the texts that say which action it is; no people."""
    found = {}
    for column in ("action_id", "period_name", "classification", "channel"):
        if column in actions.columns:
            values = actions[column].tolist()
            known: dict[object, str] = {}
            texts = []
            for value in values:
                missing = value is None or value is pd.NA or value != value  # noqa: PLR0124  (NaN)
                text = "–" if missing else known.get(value) or known.setdefault(value, clean_label(value, 40))
                texts.append(text)
            found[column] = texts
    return found


def _ai_code(frame: pd.DataFrame) -> NDArray[np.int64]:
    code = np.full(len(frame), 2, dtype=np.int64)
    if "ai_dispatched" in frame.columns:
        code[frame["ai_dispatched"].isin([True]).to_numpy(dtype=bool)] = 0
        code[frame["ai_dispatched"].isin([False]).to_numpy(dtype=bool)] = 1
    return code


def _limits(seconds: Floats, ended: NDArray[np.bool_], target: float) -> tuple[float, float]:
    """Return limits around nearly all that ended, the target, and open ones that are not much longer."""
    took = seconds[ended & (seconds > 0)]
    took = took if took.size else seconds[seconds > 0]
    ends = [*np.quantile(took, [0.002, 0.995])] if took.size else [30.0, 3600.0]
    low, high = min(*ends, target or ends[0]), max(*ends, target or ends[1])
    near = seconds[~ended & (seconds < high * _ABOVE)]
    high = max([high, *near.max(initial=high, keepdims=True)]) if near.size else high
    stretch = max(float(np.sqrt(10 / (high / low))), 1.0)
    return float(low / stretch / 1.25), float(high * stretch * 1.25)


def _wall_clock(times: pd.Series, tz: tzinfo) -> Floats:
    """Return times as milliseconds that read as the wall clock of a zone when taken for UTC."""
    local = times.dt.tz_convert(tz).dt.tz_localize(None)
    at: Floats = local.to_numpy(dtype="datetime64[ms]").astype(np.int64).astype(np.float64)
    return at


def _clock_texts(at: Floats) -> list[str]:
    return pd.to_datetime(at, unit="ms").strftime("%Y-%m-%d %H:%M:%S").tolist()


def _cells(
    at: Floats, drawn: Floats, code: NDArray[np.int64], names: Sequence[str], limits: tuple[float, float]
) -> pd.DataFrame:
    """Return the cells of a grid that hold actions of a kind; never more than `MOST_POINTS`, however many kinds."""
    shrink = min(float(np.sqrt(MOST_POINTS / (_GRID[0] * _GRID[1] * len(names)))), 1.0)
    wide, high = (int(side * shrink) for side in _GRID)
    span = max(float(np.ptp(at)), 1.0)
    x = np.minimum(((at - at.min()) / span * wide).astype(np.int64), wide - 1)
    scale = np.log(limits[1] / limits[0])
    y = np.clip((np.log(drawn / limits[0]) / scale * high).astype(np.int64), 0, high - 1)
    cell, n = np.unique((code * high + y) * wide + x, return_counts=True)
    code, y, x = cell // (wide * high), cell // wide % high, cell % wide
    low, middle, top = (limits[0] * np.exp((y + part) / high * scale) for part in (0, 0.5, 1))
    # Kinds stand side by side in a cell, so that none hides another.
    beside = (code + 1) / (len(names) + 1)
    centre = at.min() + (x + beside) / wide * span
    took = [f"{duration(one)} to {duration(other)}" for one, other in zip(low, top, strict=True)]
    kinds = np.asarray(names, dtype=object)[code]
    cells = pd.DataFrame(
        {"at": centre, "drawn": middle, "kind": kinds, "n": n, "began": _clock_texts(centre), "took": took}
    )
    # Full cells first, so that they do not cover the others.
    return cells.sort_values("n", ascending=False, kind="stable", ignore_index=True)
