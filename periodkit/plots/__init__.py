"""Pictures of what happened: frame in, matplotlib Axes out."""

from periodkit.plots._canvas import alt_text
from periodkit.plots._output import display, to_png
from periodkit.plots.dispatch import dispatch_rate
from periodkit.plots.ecdf import cycle_time_ecdf

__all__ = ["alt_text", "cycle_time_ecdf", "dispatch_rate", "display", "to_png"]
