"""Plots of what happened: frame in, matplotlib Axes out."""

from periodkit.plots._drawing import COLOURS as COLOURS  # for the interactive pictures, as the next three
from periodkit.plots._drawing import FAINT as FAINT
from periodkit.plots._drawing import INK as INK
from periodkit.plots._drawing import MUTED as MUTED
from periodkit.plots._drawing import alt_text, display, to_png
from periodkit.plots._drawing import off_screen as off_screen
from periodkit.plots._drawing import to_image as to_image
from periodkit.plots.aging import aging
from periodkit.plots.areas import outcome_areas
from periodkit.plots.backlog import backlog
from periodkit.plots.control import season_chart
from periodkit.plots.dispatch import dispatch_rate
from periodkit.plots.ecdf import cycle_time_ecdf
from periodkit.plots.effect import ai_forest
from periodkit.plots.flow import cumulative_flow
from periodkit.plots.forest import p90_forest
from periodkit.plots.funnel import ai_funnel
from periodkit.plots.profile import marker_profile
from periodkit.plots.ribbon import event_ribbon
from periodkit.plots.routing import routing_matrix
from periodkit.plots.scatter import cycle_scatter
from periodkit.plots.season import times_by_period
from periodkit.plots.unusual import unusual_forest

__all__ = [
    "aging",
    "ai_forest",
    "ai_funnel",
    "alt_text",
    "backlog",
    "cumulative_flow",
    "cycle_scatter",
    "cycle_time_ecdf",
    "dispatch_rate",
    "display",
    "event_ribbon",
    "marker_profile",
    "outcome_areas",
    "p90_forest",
    "routing_matrix",
    "season_chart",
    "times_by_period",
    "to_png",
    "unusual_forest",
]


def __dir__() -> list[str]:
    return [*__all__]
