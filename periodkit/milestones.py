"""What happened to an action: stage times, outcome, flags.

The rules are stated once, as narwhals expressions, so a pandas frame, a Polars frame or a DuckDB relation over an
archive are all read by the same sentences. Differences are whole microseconds: floats would lose the last one.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from periodkit._arguments import AsOf, one_of, read_moment, require_columns
from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames import (
    EARLIEST,
    UTC_MICROS,
    collect,
    epoch_micros,
    in_utc,
    open_frame,
    require_pandas,
    with_read_text,
)

__all__ = [
    "MILESTONES",
    "STAGES",
    "STATES",
    "TIMED",
    "Stage",
    "checked_stage",
    "enter_stage",
    "enter_times",
    "existing",
    "flag_records",
    "read_states",
    "read_statuses",
    "stage_states",
    "stage_times",
    "status_text",
]

MILESTONES = ("created_time", "assigned_time", "doing_time", "closed_time")
CANCELED = ("canceled", "cancelled")
ENDED = ("closed", "complete", "completed", "done", "finished", "resolved")
_TIMES = (*MILESTONES, "fetched_at")
# Engines disagree on what white space is, so it is listed: Unicode's, and the marks of no width.
_SPACE = "".join(map(chr, (*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C), 0x2028, 0x2029)))
_SPACE += "\u202f\u205f\u2060\u3000\ufeff"
_FLAGS = ("out_of_order", "skipped_stage", "ended_without_time", "after_as_of", "absurd")
# In microseconds: whole numbers, which engines do sums with sooner than with times, and which know no change of clocks.
_SKEW, _AHEAD, _EARLIEST = (
    span // timedelta(microseconds=1)
    for span in (timedelta(minutes=1), timedelta(days=1), EARLIEST - datetime(1970, 1, 1, tzinfo=UTC))
)
_SILENT, _ENDED, _CANCELED = range(3)  # what a status says
_SAID = 3


@dataclass(frozen=True, slots=True)
class Stage:
    """The time between two milestones.

    Parameters
    ----------
    start, end : str
        Columns of its first and last milestone.
    question : str
        What its length answers.
    """

    start: str
    end: str
    question: str


STAGES: Mapping[str, Stage] = MappingProxyType(
    {
        "dispatch": Stage("created_time", "assigned_time", "how long until it was someone's"),
        "pickup": Stage("assigned_time", "doing_time", "how long until they started"),
        "response": Stage("created_time", "doing_time", "how long until anyone was on it"),
        "work": Stage("doing_time", "closed_time", "how long the work took"),
        "cycle": Stage("created_time", "closed_time", "the whole of it"),
    }
)

STATES = ("not_started", "invalid", "event", "skipped", "canceled", "left", "unknown", "open")
"""How an action enters a stage's statistics; `enter_stage` gives the position in this tuple."""
TIMED = ("event", "skipped", "canceled", "left", "open")
"""The states that have a duration."""


def stage_times(actions: pd.DataFrame, as_of: AsOf | None = None) -> pd.DataFrame:
    """Return the stage times, outcome and flags of each action.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment: what came later has not happened yet. Never later than a row's ``fetched_at``, after which
        nothing is known of it. By default each row's ``fetched_at``.

    Returns
    -------
    pandas.DataFrame
        One row per action; index and order are those of `actions`.

        - ``dispatch, pickup, response, work, cycle``: ``timedelta64[us]``; null unless both ends exist, in order.
        - ``outcome``: ``canceled`` if the status says so; else ``closed`` if there is a ``closed_time``; else
          ``unknown`` if the status says that it ended; else ``open``; ``not_started`` if created after `as_of`.
        - ``out_of_order``: a later milestone lies before an earlier one.
        - ``skipped_stage``: there is a ``closed_time``, but no assigned or no doing time.
        - ``ended_without_time``: the status says ended or canceled, but there is no ``closed_time``.
        - ``after_as_of``: a milestone lies more than a minute after ``fetched_at``.
        - ``absurd``: a milestone lies before the year 2000 or more than a day after ``fetched_at``, which is what systems
          write for "none".

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        `as_of` cannot be read or has no time zone.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.to_datetime(["2024-07-01T19:00Z", "2024-07-01T19:02Z", "2024-07-01T19:30Z"]).as_unit("us")
    >>> actions = pd.DataFrame({"created_time": t[:1], "assigned_time": t[1:2], "doing_time": pd.NaT,
    ...                         "closed_time": t[2:], "status": "closed", "fetched_at": t[2:]})
    >>> stage_times(actions)[["dispatch", "cycle", "outcome"]].iloc[0].tolist()
    [Timedelta('0 days 00:02:00'), Timedelta('0 days 00:30:00'), 'closed']
    """
    require_pandas(actions)
    columns = [*MILESTONES, "status"]
    frame = flag_records(open_frame(actions, [*columns, "fetched_at"], columns), as_of, columns)
    stages = {}
    for name, stage in STAGES.items():
        micros = epoch_micros(frame, nw.col(stage.end)) - epoch_micros(frame, nw.col(stage.start))
        stages[name] = nw.when(micros >= 0).then(micros)
    result = collect(frame.select(**stages, **{name: nw.col(f"_{name}") for name in ("outcome", *_FLAGS)}))
    for position, name in enumerate(stages):
        result = result.set_column(position, name, result[name].cast(pa.duration("us")))
    times: pd.DataFrame = result.to_pandas()
    return times.set_axis(actions.index)


def flag_records(frame: Any, as_of: AsOf | None, columns: Iterable[str]) -> Any:  # noqa: ANN401
    """Return a narwhals frame with each action's outcome and flags, as `stage_times` has them.

    Parameters
    ----------
    frame : narwhals DataFrame or LazyFrame
        Actions in any engine.
    as_of : datetime or text, optional
        The moment to replay.
    columns : iterable of str
        Columns that must be there; the milestones among them are checked to be UTC times.

    Returns
    -------
    narwhals DataFrame or LazyFrame
        `frame` with its milestones replayed, ``_outcome``, and the flags, each with a line before its name.
    """
    frame = in_utc(frame, _TIMES)
    schema = frame.collect_schema()
    # Taken before a replay, which nulls what lies after its moment.
    has_fetched = "fetched_at" in schema
    fetched = epoch_micros(frame, nw.col("fetched_at")) if has_fetched else None
    moments = [epoch_micros(frame, nw.col(name)) for name in MILESTONES]
    skewed = [] if fetched is None else [moment > fetched + _SKEW for moment in moments]
    absurd = [_is_absurd(moment, fetched) for moment in moments]
    found = {"_after_as_of": skewed, "_absurd": absurd}
    frame = frame.with_columns(**{name: _any(conditions).fill_null(False) for name, conditions in found.items()})
    frame = _with_status(_prepare(frame, as_of, columns))
    outcome = (
        nw.when(~nw.col("_exists"))
        .then(nw.lit("not_started"))
        .when(nw.col("_said") == _CANCELED)
        .then(nw.lit("canceled"))
        .when(~nw.col("closed_time").is_null())
        .then(nw.lit("closed"))
        .when(nw.col("_said") == _ENDED)
        .then(nw.lit("unknown"))
        .otherwise(nw.lit("open"))
    )
    closed = ~nw.col("closed_time").is_null()
    flags = {
        "out_of_order": _any(_lies_before(later, earlier) for earlier, later in _pairs(MILESTONES)),
        "skipped_stage": closed & (nw.col("assigned_time").is_null() | nw.col("doing_time").is_null()),
        "ended_without_time": (nw.col("_said") != _SILENT) & ~closed & nw.col("_exists"),
        "after_as_of": nw.col("_after_as_of"),
        "absurd": nw.col("_absurd"),
    }
    return frame.with_columns(_outcome=outcome, **{f"_{name}": flag for name, flag in flags.items()})


def stage_states(actions: Any, stage: str = "cycle", as_of: AsOf | None = None) -> pd.DataFrame:  # noqa: ANN401
    """Return how each action enters a stage's statistics, with the times that decided it.

    Everything that looks at single actions stands on this, and everything that counts them on the same rules
    (`enter_stage`): a picture, a list of what is open and a quantile agree on what is open.

    Parameters
    ----------
    actions : pandas, Polars or Spark frame, pyarrow.Table or DuckDB relation
        Actions.
    stage : {"cycle", "dispatch", "pickup", "response", "work"}
        Between which milestones.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        The moment to replay, see `stage_times`.

    Returns
    -------
    pandas.DataFrame
        One row per action, with the index of a pandas frame: the milestones as they stood, null where they are absurd;
        ``seen``, the last moment at which the action was known; ``state``, one of `STATES`; ``length``, the time in the
        stage as ``timedelta64[us]``, null unless the state is one of `TIMED`.

    Raises
    ------
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        `stage` or `as_of` is not one that can be.

    Examples
    --------
    >>> import pandas as pd
    >>> t = pd.to_datetime(["2024-07-01T19:00Z", "2024-07-01T19:30Z"]).as_unit("us")
    >>> actions = pd.DataFrame({"created_time": t[:1], "assigned_time": t[:1], "doing_time": pd.NaT,
    ...                         "closed_time": t[1:], "status": "closed", "fetched_at": t[1:]})
    >>> [stage_states(actions, stage)["state"].item() for stage in STAGES]
    ['event', 'skipped', 'skipped', 'not_started', 'event']
    """
    chosen = checked_stage(stage)
    columns = [*MILESTONES, "status"]
    frame = enter_stage(open_frame(actions, [*columns, "fetched_at"], columns), chosen, as_of, columns)
    fetched = nw.col("_fetched") if "fetched_at" in frame.collect_schema() else None
    sound = {
        name: nw.when(~_is_absurd(epoch_micros(frame, nw.col(name)), fetched)).then(nw.col(name)) for name in MILESTONES
    }
    table = collect(frame.select("_seen", "_state", "_micros", **sound))
    state = table["_state"].to_numpy().astype(np.int64)
    times = {name: table[name].cast(UTC_MICROS) for name in MILESTONES} | {"seen": table["_seen"].cast(UTC_MICROS)}
    found: pd.DataFrame = pa.table(times).to_pandas()
    found["state"] = np.array(STATES, dtype=object)[state]
    timed = np.isin(state, [STATES.index(name) for name in TIMED])
    found["length"] = table["_micros"].cast(pa.duration("us")).to_pandas().where(timed)
    return found.set_axis(actions.index) if isinstance(actions, pd.DataFrame) else found


def enter_stage(frame: Any, stage: Stage, as_of: AsOf | None, columns: Iterable[str]) -> Any:  # noqa: ANN401
    """Return a narwhals frame with how each action enters a stage's statistics.

    The first rule that fits decides, as the package's documentation of methods lists them.

    Parameters
    ----------
    frame : narwhals DataFrame or LazyFrame
        Actions in any engine.
    stage : Stage
        Between which milestones.
    as_of : datetime or text, optional
        The moment to replay.
    columns : iterable of str
        Columns that must be there; the milestones among them are checked to be UTC times.

    Returns
    -------
    narwhals DataFrame or LazyFrame
        `frame` with its milestones replayed, and ``_seen`` (last moment at which the row was known), ``_state`` (position
        in `STATES`) and ``_micros`` (time in the stage in microseconds, for the states in `TIMED`).
    """
    frame = _with_status(enter_times(frame, stage, as_of, columns))
    return frame.with_columns(_state=_state(stage))


def enter_times(frame: Any, stage: Stage, as_of: AsOf | None, columns: Iterable[str]) -> Any:  # noqa: ANN401
    """Return what `enter_stage` does, but for ``_state``: what it would be if the status said nothing, as ``_timed``.

    The times are quick to read where they are, and the status is not; but there are few different ones.
    """
    frame = _prepare(frame, as_of, columns)
    start, end, closed = nw.col(stage.start), nw.col(stage.end), nw.col("closed_time")
    has_fetched = "fetched_at" in frame.collect_schema()
    moments = {
        "_from": start,
        "_until": end if stage.end == "closed_time" else nw.coalesce(end, closed),
        "_last": nw.col("_seen"),
    }
    if has_fetched:
        moments["_fetched"] = nw.col("fetched_at")
    frame = frame.with_columns(**{name: epoch_micros(frame, time) for name, time in moments.items()})
    begun, stop, seen = nw.col("_from"), nw.col("_until"), nw.col("_last")
    frame = frame.with_columns(_micros=nw.coalesce(stop, seen) - begun)
    micros = nw.col("_micros")
    # Servers' clocks show whole seconds: one created a moment before it was fetched can seem to be created after that.
    negative = (micros < 0) & (~stop.is_null() | (micros < -_SKEW))
    fetched = nw.col("_fetched") if has_fetched else None
    absurd = _is_absurd(begun, fetched) | _is_absurd(stop, fetched)
    if frame.implementation.is_duckdb():
        # It has no number for infinity.
        absurd = absurd | (begun.is_null() & ~start.is_null()) | (stop.is_null() & ~(end.is_null() & closed.is_null()))
    number = {name: nw.lit(position, dtype=nw.Int8) for position, name in enumerate(STATES)}
    reached = number["event"]
    if stage.end != "closed_time":
        reached = nw.when(~end.is_null()).then(number["event"]).otherwise(number["skipped"])
    timed = (
        nw.when(start.is_null() | ~nw.col("_exists"))
        .then(number["not_started"])
        .when((negative | absurd).fill_null(False))
        .then(number["invalid"])
        .when(~stop.is_null())
        .then(reached)
        .when(seen.is_null())
        .then(number["unknown"])
        .otherwise(number["open"])
    )
    return frame.with_columns(_timed=timed, _micros=nw.when(micros < 0).then(0).otherwise(micros))


def read_statuses(rows: pa.Table) -> NDArray[np.int8]:
    """Return what the statuses of rows in memory say, to be handed to `read_states`."""
    said: NDArray[np.int8] = collect(_with_status(nw.from_native(rows.select(["status"]), eager_only=True)))[
        "_said"
    ].to_numpy()
    return said


def read_states(timed: NDArray[np.int8], said: NDArray[np.int8], stage: Stage) -> NDArray[np.int8]:
    """Return the states, as positions in `STATES`, of rows with what `enter_times` and `read_statuses` gave for them."""
    states: NDArray[np.int8] = _all_states(stage)[timed * np.int8(_SAID) + said]
    return states


@functools.cache
def _all_states(stage: Stage) -> NDArray[np.int8]:
    """Return the state for each of the two numbers that decide it."""
    timed, said = np.divmod(np.arange(len(STATES) * _SAID, dtype=np.int8), np.int8(_SAID))
    table = nw.from_native(pa.table({"_timed": timed, "_said": said}), eager_only=True).select(_state=_state(stage))
    states: NDArray[np.int8] = collect(table)["_state"].to_numpy().astype(np.int8)
    return states


def _state(stage: Stage) -> nw.Expr:
    """Return the state, given what the times say and what the status says."""
    number = {name: nw.lit(position, dtype=nw.Int8) for position, name in enumerate(STATES)}
    timed, said = nw.col("_timed"), nw.col("_said")
    reached = "canceled" if stage.end == "closed_time" else "event"
    is_at = {name: timed == position for position, name in enumerate(STATES)}
    return (
        nw.when(is_at["open"] & (said != _SILENT))
        .then(number["unknown"])
        .when(is_at["event"] & (said == _CANCELED))
        .then(number[reached])
        .when(is_at["skipped"] & (said == _CANCELED))
        .then(number["left"])
        .otherwise(timed)
    )


def _prepare(frame: Any, as_of: AsOf | None, columns: Iterable[str]) -> Any:  # noqa: ANN401
    """Return a frame as it stood at `as_of`, with ``_seen`` and ``_exists`` (created by then)."""
    schema = frame.collect_schema()
    require_columns(schema, columns)
    frame = in_utc(frame, _TIMES)
    milestones = [name for name in MILESTONES if name in schema]
    has_fetched = "fetched_at" in schema
    if as_of is not None:
        return _replay(frame, read_moment(as_of, "as_of", ArgumentError), milestones, has_fetched)
    if not has_fetched:
        msg = "Without a column 'fetched_at' it cannot be told when open actions were last seen. Pass as_of."
        raise SchemaError(msg)
    return frame.with_columns(_seen=nw.col("fetched_at"), _exists=nw.lit(True))


def existing(frame: Any, as_of: AsOf) -> Any:  # noqa: ANN401
    """Return those rows of a narwhals frame that were not created later than a moment."""
    frame = in_utc(frame, ["created_time"])
    return frame.filter(~_lies_after(nw.col("created_time"), nw.lit(read_moment(as_of, "as_of", ArgumentError))))


def checked_stage(name: object) -> Stage:
    """Return the stage of that name, or say which there are."""
    return STAGES[one_of(name, "stage", STAGES)]


def status_text(status: nw.Expr) -> nw.Expr:
    """Return statuses in lower case and without white space around them."""
    # Engines also disagree on the lower case of the dotted capital I: the Turkish FİNİSHED.
    bare = status.cast(nw.String).str.strip_chars(_SPACE).str.replace_all("İ", "i", literal=True)
    return bare.str.to_lowercase()


def _with_status(frame: Any) -> Any:  # noqa: ANN401
    """Return a frame with what its status says, as ``_said``."""
    return with_read_text(frame, "status", "_said", _said)


def _said(status: nw.Expr) -> nw.Expr:
    text = status_text(status)
    canceled = _any(text.str.starts_with(start) for start in CANCELED)
    number = {said: nw.lit(said, dtype=nw.Int8) for said in range(_SAID)}
    said = nw.when(canceled).then(number[_CANCELED]).when(text.is_in(ENDED)).then(number[_ENDED])
    return said.otherwise(number[_SILENT])


def _replay(frame: Any, moment: datetime, milestones: list[str], has_fetched: bool) -> Any:  # noqa: ANN401
    at = nw.lit(moment)
    seen = nw.when(nw.col("fetched_at") < at).then(nw.col("fetched_at")).otherwise(at) if has_fetched else at
    later = {name: _lies_after(nw.col(name), at) for name in milestones}
    never = nw.lit(False)
    # What was closed later had no such status then.
    status = nw.when(~later.get("closed_time", never)).then(nw.col("status"))
    frame = frame.with_columns(_seen=seen, _exists=~later.get("created_time", never), status=status)
    return frame.with_columns(
        **{name: nw.when(nw.col("_exists") & (nw.col(name) <= at)).then(nw.col(name)) for name in milestones}
    )


def _is_absurd(moment: nw.Expr, fetched: nw.Expr | None) -> nw.Expr:
    """Whether a moment is one that systems write for "none"; both in microseconds since 1970."""
    early = moment < _EARLIEST
    return (early if fetched is None else early | (moment > fetched + _AHEAD)).fill_null(False)


def _lies_after(one: nw.Expr, other: nw.Expr) -> nw.Expr:
    return (one > other).fill_null(False)


def _lies_before(later: str, earlier: str) -> nw.Expr:
    return _lies_after(nw.col(earlier), nw.col(later))


def _pairs(names: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    return ((earlier, later) for i, earlier in enumerate(names) for later in names[i + 1 :])


def _any(conditions: Iterable[nw.Expr]) -> nw.Expr:
    return functools.reduce(operator.or_, conditions, nw.lit(False))
