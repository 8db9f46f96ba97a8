"""What is open at a moment, how old it is, and what passes its target next."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf, as_micros, require_columns
from periodkit.errors import ArgumentError
from periodkit.frames import keyed, require_pandas
from periodkit.metrics.outlook import share_late
from periodkit.metrics.tally import By, grouping
from periodkit.milestones import stage_states

__all__ = ["open_actions"]

_SHOWN = ("period_id", "period_name", "action_id", "classification", "channel", "latest_channel", "created_time")


def open_actions(
    actions: pd.DataFrame,
    target: str | timedelta | None = None,
    history: Any = None,  # noqa: ANN401  (any engine's frame)
    by: By = "classification",
    as_of: AsOf | None = None,
) -> pd.DataFrame:
    """Return the actions that are open, the oldest first: what each waits for, and how long its target leaves it.

    With a history also how likely each is to go on past the target.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    target : timedelta or str, optional
        The promised time from created to closed, such as ``"20min"``.
    history : frame of any engine, optional
        Earlier actions, from which ``p_late`` is taken; needs a target. Replayed at `as_of` as well.
    by : str, Series, callable or list of these, optional
        What makes a kind of action: an action is compared with earlier ones of its kind.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``, from which its age is counted.

    Returns
    -------
    pandas.DataFrame
        One row per open action, with the index that it has in `actions`: ``period_id``, ``period_name``, ``action_id``,
        ``classification``, ``channel``, ``latest_channel`` and ``created_time``, where `actions` has them; ``waits_for``
        (``assignment``, ``start`` or ``closing``); ``age`` since it was created; and, with a target, ``left`` until the
        target (negative once past it) and ``past``. Exactly at the target is still on time. With a history ``p_late``, the
        share of earlier actions of its kind, unfinished at that age, that went on past the target (1 once past it), and
        ``judged_by``: ``own kind``, or ``all kinds`` where fewer than 20 of its kind got that old, or null where the history
        does not reach that far.

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
    >>> waiting = open_actions(actions, "20min")
    >>> bool((waiting["age"] + waiting["left"] == pd.Timedelta("20min")).all())
    True
    """
    if history is not None and target is None:
        raise ArgumentError('target is None: with a history, give a target, such as target="20min".')
    limit = None if target is None else pd.Timedelta(as_micros(target, "target"), unit="us")
    require_pandas(actions)
    states = stage_states(actions, as_of=as_of)
    still = (states["state"] == "open").to_numpy()
    states = states[still]
    found: pd.DataFrame = actions.loc[still, [name for name in _SHOWN if name in actions.columns]].copy()
    begun, assigned = (states[name].notna().to_numpy() for name in ("doing_time", "assigned_time"))
    found["waits_for"] = pd.Series(
        np.select([begun, assigned], ["closing", "start"], "assignment"), found.index, dtype="str"
    )
    found["age"] = states["length"]
    if limit is not None:
        found["left"] = (limit - found["age"]).astype("timedelta64[us]")
        found["past"] = found["age"] > limit
    if history is not None and limit is not None:
        known = keyed(actions, by, explode=False)
        keys = list(grouping(known.by))
        require_columns(known.frame.columns, keys)
        found["p_late"], found["judged_by"] = share_late(
            found["age"], limit, known.frame.loc[still, keys], history, by, as_of
        )
    return found.sort_values("age", ascending=False, kind="stable")
