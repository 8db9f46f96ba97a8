"""What is open at a moment, how old it is, and what passes its target next."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pandas as pd

from periodkit._arguments import AsOf, as_micros
from periodkit.frames import require_pandas
from periodkit.milestones import stage_states

__all__ = ["open_actions"]

_SHOWN = ("period_id", "period_name", "action_id", "classification", "channel", "latest_channel", "created_time")


def open_actions(
    actions: pd.DataFrame,
    target: str | timedelta | None = None,
    as_of: AsOf | None = None,
) -> pd.DataFrame:
    """Return the actions that are open, the oldest first: what each waits for, and how long its target leaves it.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame.
    target : timedelta or str, optional
        The promised time from created to closed, such as ``"20min"``.
    as_of : datetime, Timestamp or ISO 8601 text, optional
        Replay that moment; by default each row's ``fetched_at``, from which its age is counted.

    Returns
    -------
    pandas.DataFrame
        One row per open action, with the index that it has in `actions`: ``period_id``, ``period_name``, ``action_id``,
        ``classification``, ``channel``, ``latest_channel`` and ``created_time``, where `actions` has them; ``waits_for``
        (``assignment``, ``start`` or ``closing``); ``age`` since it was created; and, with a target, ``left`` until the
        target (negative once past it) and ``past``. Exactly at the target is still on time.

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
    return found.sort_values("age", ascending=False, kind="stable")
