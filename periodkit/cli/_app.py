"""The command line's app, which its commands register with."""

from cyclopts import App

from periodkit._version import __version__
from periodkit.client import BASE_URL_VARIABLE, TOKEN_VARIABLE

app = App(
    name="periodkit",
    version=__version__,
    help="Periods and actions of the ALO.ai venue platform: fetch them, measure them, report on them.",
    help_epilogue=(
        f"Your account: set {BASE_URL_VARIABLE} and {TOKEN_VARIABLE}. Exit codes: 0 done, 1 failed, 2 called wrongly. "
        "Add --debug to see where an error came from."
    ),
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)
