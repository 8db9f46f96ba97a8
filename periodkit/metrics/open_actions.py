"""What is open at a moment, how old it is, and what passes its target next."""

from __future__ import annotations

from datetime import timedelta

import narwhals as nw
import numpy as np
import pandas as pd

from periodkit._arguments import AsOf, as_micros
from periodkit.frames import open_frame, require_pandas
from periodkit.milestones import MILESTONES, STAGES, STATES, prepare, stage_entry

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
    columns = [*MILESTONES, "status"]
    frame = prepare(open_frame(actions, [*columns, "fetched_at"], columns), as_of, columns)
    state, micros = stage_entry(STAGES["cycle"])
    table = frame.select(
        state=state, micros=micros, assigned=~nw.col("assigned_time").is_null(), begun=~nw.col("doing_time").is_null()
    )
    still = table["state"].to_numpy() == STATES.index("open")
    found: pd.DataFrame = actions.loc[still, [name for name in _SHOWN if name in actions.columns]].copy()
    begun, assigned = (table[name].to_numpy()[still].astype(bool) for name in ("begun", "assigned"))
    found["waits_for"] = pd.Series(
        np.select([begun, assigned], ["closing", "start"], "assignment"), found.index, dtype="str"
    )
    age = table["micros"].to_numpy()[still].astype(np.int64).view("timedelta64[us]")
    found["age"] = pd.Series(age, found.index)
    if limit is not None:
        found["left"] = (limit - found["age"]).astype("timedelta64[us]")
        found["past"] = found["age"] > limit
    return found.sort_values("age", ascending=False, kind="stable")
