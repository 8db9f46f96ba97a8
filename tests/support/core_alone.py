"""Run by the Python of a venv that holds the core alone: every public metric and plot is called, on a simulated season.

Prints as JSON what was called. The season is drawn in the process: serving it over HTTP needs the extra ``sandbox``.
"""

import importlib.util
import inspect
import json
import sys
import warnings
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt

import periodkit as pk
from periodkit.parse import Answer, parse_actions, parse_periods
from periodkit.sandbox.season import make_season

EXTRAS = ("altair", "deltalake", "duckdb", "nbconvert", "openpyxl", "polars", "pyspark", "starlette")


def season_frames() -> tuple[Any, Any]:
    data = make_season().dataset

    def answer(kind: str, records: list[Any], period: int | None = None) -> Answer:
        return Answer(json.dumps({kind: records}).encode(), data.as_of, period)

    bodies = [answer("actions", records, period) for period, records in data.actions.items()]
    return parse_periods([answer("periods", data.periods)]), parse_actions(bodies)


def main() -> None:
    found = [name for name in EXTRAS if importlib.util.find_spec(name)]
    assert not found, f"the core alone was asked for, and {found} came along"
    periods, actions = season_frames()
    last = actions[actions["period_id"] == periods["period_id"].iloc[-1]]
    ax = pk.plots.cycle_time_ecdf(last)
    given = {
        "actions": last, "periods": periods, "frame": last, "history": actions, "found": pk.quality(last),
        "target": "15min", "horizon": "10min", "arm": "ai_dispatched", "key": "a key of the season", "ax": ax,
    }  # fmt: skip
    homes = ("periodkit.metrics", "periodkit.milestones", "periodkit.frames", "periodkit.wording", "periodkit.plots")
    # Of a whole season, what compares its periods.
    whole = {"season", "season_chart", "unusual", "unusual_forest", "times_by_period", "marker_profile"}
    called = []
    for_notebooks = {"display"}  # it says which extra it needs
    for face in (pk, pk.plots):
        for name in face.__all__:
            function = getattr(face, name)
            if name in for_notebooks or not inspect.isfunction(function) or not function.__module__.startswith(homes):
                continue
            needs = [each for each in inspect.signature(function).parameters.values() if each.default is each.empty]
            values = given | ({"actions": actions} if name in whole else {})
            assert {each.name for each in needs} <= {*values}, f"say in {__file__} what {name} is to be called with"
            assert function(*(values[each.name] for each in needs)) is not None, name
            called.append(f"{face.__name__}.{name}")
            plt.close("all")
    print(json.dumps({"home": pk.__file__, "called": called}))


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    warnings.simplefilter("error")
    mpl.use("Agg")
    main()
