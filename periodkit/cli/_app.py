"""The command line's app, which its commands register with, and what they share."""

from __future__ import annotations

from cyclopts import App, Parameter

from periodkit._version import __version__
from periodkit.cli._overview import ABOUT, EPILOGUE
from periodkit.visible import visible

app = App(
    name="periodkit",
    version=__version__,
    help=ABOUT,
    help_epilogue=EPILOGUE,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)

Switch = Parameter(negative=())
"""An option that has no --no-... form, or that may be repeated."""


def say(*lines: str) -> None:
    """Print lines, with control characters shown and not obeyed."""
    for line in lines:
        print(visible(line))
