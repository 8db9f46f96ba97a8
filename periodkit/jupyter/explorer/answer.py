"""What is chosen -> the frames behind it and its key figures. Everything comes from the package's metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from periodkit.jupyter.explorer.choice import Choice, mask
from periodkit.metrics import ai_dispatch_rate, cycle_times, on_time
from periodkit.milestones import stage_states
from periodkit.wording import NULL, Target, count, estimate

__all__ = ["DONE", "Answer", "KeyFigure", "answer", "key_figures"]

DONE = {"dispatch": "assigned", "pickup": "begun", "response": "begun", "work": "closed", "cycle": "closed"}
"""What an action is at the end of each stage."""


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A number with its name and what is to be said of it."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """The frames of a choice.

    Parameters
    ----------
    choice : Choice
        What was chosen.
    frame : pandas.DataFrame
        The rows of the actions frame.
    table : pandas.DataFrame
        What `periodkit.cycle_times` returns of them, by group.
    states : pandas.DataFrame
        What `periodkit.milestones.stage_states` returns of them.
    overall, promise, dispatch : pandas.Series
        The rows of `cycle_times`, `on_time` and `ai_dispatch_rate` of all of them.
    """

    choice: Choice
    frame: pd.DataFrame
    table: pd.DataFrame
    states: pd.DataFrame
    overall: pd.Series
    promise: pd.Series
    dispatch: pd.Series | None


def answer(actions: pd.DataFrame, choice: Choice, target: Target) -> Answer:
    """Return what the package says of the actions chosen.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     actions = client.actions(client.periods().tail(1))
    >>> found = answer(actions, Choice(by="channel"), Target.read("20min"))
    >>> found.table.equals(pk.cycle_times(actions, by="channel"))
    True
    """
    chosen = mask(actions, choice)
    # A shallow copy: a column that the user adds to it does not appear in the explorer's own frame.
    frame = actions.copy(deep=False) if chosen is None else actions[chosen]
    stage, moment = choice.stage, choice.as_of
    table = cycle_times(frame, choice.by, stage, as_of=moment)
    overall = table if choice.by is None else cycle_times(frame, stage=stage, as_of=moment)
    there = frame if moment is None else frame[~(frame["created_time"] > pd.Timestamp(moment))]
    return Answer(
        choice=choice,
        frame=frame,
        table=table,
        states=stage_states(frame, stage, moment),
        overall=overall.iloc[0],
        promise=on_time(frame, target.delta, stage=stage, as_of=moment).iloc[0],
        dispatch=ai_dispatch_rate(there).iloc[0] if "ai_dispatched" in frame.columns else None,
    )


def key_figures(found: Answer, target: Target) -> list[KeyFigure]:
    """Return the key figures, with their intervals, in the words of a report."""
    row, promise, stage = found.overall, found.promise, found.choice.stage
    n, still = int(row["n"]), int(row["open"])
    figures = [KeyFigure("Actions", f"{n:,}", f"{int(row['events']):,} {DONE[stage]}, {still:,} open")]
    for name, text in (("p50", "median"), ("p90", "P90")):
        value = estimate(*(row[f"{name}{side}"] for side in ("", "_low", "_high"))) if row["used"] else NULL
        figures.append(KeyFigure(f"{stage.capitalize()} time, {text}", *_apart(value)))
    decided = int(promise["met"] + promise["missed"])
    rate = estimate(*(float(promise[name]) for name in ("rate", "low", "high"))) if decided else NULL
    figures.append(KeyFigure(f"{DONE[stage].capitalize()} within {target}", *_apart(rate, f"of {count(decided)}")))
    if found.dispatch is not None:
        known = int(found.dispatch["ai"] + found.dispatch["not_ai"])
        share = estimate(*(float(found.dispatch[name]) for name in ("rate", "low", "high"))) if known else NULL
        figures.append(KeyFigure("AI-dispatched", *_apart(share, f"of {known:,} known")))
    return figures


def shown_seconds(found: Answer) -> np.ndarray:
    """Return the seconds that each action was, or has been, in the stage; NaN where it is not counted."""
    seconds: np.ndarray = found.states["length"].dt.total_seconds().to_numpy(dtype=np.float64, na_value=np.nan)
    return seconds


def _apart(text: str, more: str = "") -> tuple[str, str]:
    """Return an estimate and what stands in brackets behind it apart."""
    value, _, rest = text.partition(" (")
    return value, ", ".join(filter(None, [rest.removesuffix(")"), more]))
