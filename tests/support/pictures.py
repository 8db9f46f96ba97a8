"""Plots of what is counted, actions with keys of all kinds for them, and all that a picture says."""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pyarrow as pa
from matplotlib.axes import Axes
from matplotlib.collections import Collection
from matplotlib.lines import Line2D
from matplotlib.text import Text

import periodkit as pk

# Each of actions and periods: the plots that draw what is counted.
COUNTED: dict[str, Any] = {
    "cycle_time_ecdf": lambda a, p: pk.plots.cycle_time_ecdf(a),
    "cycle_time_ecdf dot": lambda a, p: pk.plots.cycle_time_ecdf(a, by="form.department", max_groups=3),
    "cycle_time_ecdf lists": lambda a, p: pk.plots.cycle_time_ecdf(a, by="assigned_user_names", max_groups=4),
    "p90_forest Channel": lambda a, p: pk.plots.p90_forest(a, by=["channel", "Channel"], stage="response"),
    "p90_forest periods": lambda a, p: pk.plots.p90_forest(a, by="period_id", max_groups=6),
    "dispatch_rate": lambda a, p: pk.plots.dispatch_rate(a, by="classification", max_groups=4, of="assigned"),
    "dispatch_rate periods": lambda a, p: pk.plots.dispatch_rate(a, by="period_name"),
    "season_chart": lambda a, p: pk.plots.season_chart(a, p, by="form.department", max_groups=3),
    "routing_matrix": lambda a, p: pk.plots.routing_matrix(a, max_groups=4),
    "ai_funnel": lambda a, p: pk.plots.ai_funnel(a, "20min"),
    "ai_forest": lambda a, p: pk.plots.ai_forest(a, strata="form.department", max_groups=3),
    "outcome_areas": lambda a, p: pk.plots.outcome_areas(a, stage="work"),
    "times_by_period": lambda a, p: pk.plots.times_by_period(a, p, target="20min"),
    "unusual_forest": lambda a, p: pk.plots.unusual_forest(a, p, by=[None]),
}


def keyed(actions: pd.DataFrame, name: str) -> tuple[pd.DataFrame, pa.Table]:
    """Return a part of a season for a plot: its keys are null, lists, or differ in case alone, or their names do."""
    part = actions.drop(columns="notes").sample(4000, random_state=1).sort_values("created_time", ignore_index=True)
    tenth = np.random.default_rng(1).integers(10, size=len(part))
    part["period_id"] = part["period_id"].where(tenth > 0)
    part["period_name"] = part["period_name"].where(tenth > 1).mask(tenth == 2, "Renamed")
    table = pa.Table.from_pandas(part, preserve_index=False)
    if "Channel" in name:
        part["Channel"] = part["status"]
        table = table.append_column("Channel", table["status"])
    return part, table


def picture(ax: Axes) -> tuple[Any, ...]:
    """Return all that a picture says: its texts, and the points of its lines and areas."""
    parts = ax.figure.findobj()
    texts = [pk.plots.alt_text(ax), *(part.get_text() for part in parts if isinstance(part, Text))]
    points = [part.get_xydata().tolist() for part in parts if isinstance(part, Line2D)]
    areas = [path.vertices.tolist() for part in parts if isinstance(part, Collection) for path in part.get_paths()]
    plt.close(ax.figure)
    return texts, points, areas
