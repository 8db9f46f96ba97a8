"""The quality checks once more, on the rows of a pandas frame: what the package counts where the records are."""

from __future__ import annotations

import pandas as pd

import periodkit as pk
from periodkit.milestones import CANCELED, ENDED

EXAMPLES = 5
RUNNING = ["new", "open", "opened", "reopened", "re-opened", "created", "pending", "assigned", "accepted", "dispatched"]
RUNNING += ["doing", "started", "active", "in progress", "on hold", "paused"]
FLAGS = ("out_of_order", "skipped_stage", "ended_without_time", "after_as_of", "absurd")
SPACE = "".join(map(chr, (*range(9, 14), *range(28, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200C), 0x2028, 0x2029)))
SPACE += "\u202f\u205f\u2060\u3000\ufeff"


def checks_by_row(actions: pd.DataFrame, periods: pd.DataFrame | None) -> dict[str, tuple[int, list[object]]]:
    """Return the count and the examples of each check that looks at records."""
    times = pk.stage_times(actions)
    flags = {name: times[name] for name in FLAGS}
    texts = actions["status"].astype("str").str.strip(SPACE).str.replace("İ", "i", regex=False).str.lower()
    texts = texts.str.replace("_", " ")
    status = texts.mask(texts == "")
    flags["contradicting_status"] = status.isin(RUNNING) & actions["closed_time"].notna()
    for name in ("created_time", "assigned_time", "doing_time", "closed_time", "classification", "sub_classification"):
        flags[f"null_{name}"] = actions[name].isna()
    flags |= {f"null_{name}": actions[name].isna() for name in ("channel", "ai_dispatched")}
    closed = pd.to_datetime(actions["closed_time"], utc=True).dt.floor("s")
    together = actions.groupby([actions["period_id"], closed])["action_id"].transform("size")
    flags["batch_closing"] = (together >= 5).fillna(value=False)
    if periods is not None:
        bounds = periods.drop_duplicates("period_id").set_index("period_id")
        created = pd.to_datetime(actions["created_time"], utc=True)
        start, end = (
            pd.to_datetime(actions["period_id"].map(bounds[name].to_dict()), utc=True)
            for name in ("start_date", "end_date")
        )
        flags["outside_period"] = (created < start) | (created > end)
    found = {name: (int(flag.sum()), _ids(actions, flag)) for name, flag in flags.items()}
    again = actions.duplicated(["period_id", "action_id"]) & actions["action_id"].notna()
    ids = actions["action_id"][again.to_numpy()].drop_duplicates().sort_values().head(EXAMPLES).tolist()
    found["duplicates"] = (int(again.sum()), ids)
    known = status.isin([*RUNNING, *ENDED]) | status.str.startswith(CANCELED).fillna(value=False)
    unknown = actions["status"][(status.notna() & ~known).to_numpy()]
    most = unknown.value_counts().rename_axis("status").reset_index()
    most = most.sort_values(["count", "status"], ascending=[False, True]).head(EXAMPLES)
    found["unknown_status"] = (len(unknown), most["status"].tolist())
    return found


def _ids(actions: pd.DataFrame, flag: pd.Series) -> list[object]:
    return actions["action_id"][flag.to_numpy()].dropna().sort_values().head(EXAMPLES).tolist()
