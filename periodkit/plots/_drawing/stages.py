"""The names of stages on plots, and notes on actions that are left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from periodkit.metrics.tally import EXCLUDED
from periodkit.milestones import STAGES
from periodkit.wording import count, listed

__all__ = ["DONE", "at_once", "axis_label", "confidence_words", "left_out", "noun", "the_only"]

DONE = {"dispatch": "assigned", "pickup": "begun", "response": "begun", "work": "closed", "cycle": "closed"}
"""An action at the end of each stage."""

_MILESTONES = {"created_time": "created", "assigned_time": "assigned", "doing_time": "begun", "closed_time": "closed"}


def noun(stage: str) -> str:
    """Return the name of a stage's duration."""
    return f"{stage} time"


def axis_label(stage: str) -> str:
    """Return the label of an axis of a stage's duration."""
    chosen = STAGES[stage]
    return f"{noun(stage)}: from {_MILESTONES[chosen.start]} to {_MILESTONES[chosen.end]} (log scale)"


def at_once(n: int, stage: str) -> str:
    """Say that no duration can be drawn on a log axis.

    Examples
    --------
    >>> at_once(3, "cycle")
    'All of 3 actions that were closed took no time at all'
    """
    which = f"All of {count(n)} that were" if n != 1 else "The only action that was"
    return f"{which} {DONE[stage]} took no time at all"


def the_only(n: int) -> str:
    """Return a name for the only one of `n` actions that is counted.

    Examples
    --------
    >>> the_only(1), the_only(187)
    ('The only action', 'The only action counted, of 187,')
    """
    return "The only action" if n == 1 else f"The only action counted, of {n:,},"


def left_out(counts: Mapping[str, Any] | pd.Series, states: Sequence[str] = EXCLUDED) -> str:
    """Return how many actions are not in a picture, and why; empty if all are.

    Parameters
    ----------
    counts : mapping or pandas.Series
        How many actions are in each state.
    states : sequence of str
        The states that are left out, see `periodkit.metrics.tally.unused_states`.

    Examples
    --------
    >>> left_out({"not_started": 2, "invalid": 0, "unknown": 1})
    'left out: 2 not started and 1 unknown'
    """
    reasons: Counter[str] = Counter()
    for name in states:
        # Those that left were canceled before the stage's end.
        reasons["canceled" if name == "left" else name.replace("_", " ")] += int(counts[name])
    some = listed([f"{n:,} {reason}" for reason, n in reasons.items() if n])
    return f"left out: {some}" if some else ""


def confidence_words(confidence: float) -> str:
    """Return the name of an interval.

    Examples
    --------
    >>> confidence_words(0.95)
    '95 % interval'
    """
    return f"{100 * confidence:g} % interval"
