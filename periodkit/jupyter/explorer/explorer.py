"""Look around in JupyterLab: choose, see, and take the code that makes what is seen."""

from __future__ import annotations

import sys
from datetime import timedelta, tzinfo
from typing import Any

import pandas as pd

from periodkit._arguments import PERIODS_FRAME, require_columns, zone
from periodkit.errors import PeriodkitError
from periodkit.frames import require_pandas
from periodkit.jupyter.explorer import choice as choices
from periodkit.jupyter.explorer import panel, still
from periodkit.jupyter.explorer.answer import Answer, answer
from periodkit.jupyter.explorer.choice import Choice
from periodkit.jupyter.explorer.code import code_for, find_names
from periodkit.jupyter.explorer.widgets import Later, require_lab
from periodkit.wording import Span, Target

__all__ = ["Explorer", "explore"]

_PAUSE = 0.08
"""Seconds without a further change, such as of a slider that is being dragged, before one is answered."""


def explore(
    actions: pd.DataFrame,
    periods: pd.DataFrame | None = None,
    target: Span = "20min",
    tz: str | tzinfo | None = None,
) -> Explorer:
    """Look around in actions: choose, slide along the event, and copy the code that makes what is shown.

    Needs JupyterLab, or another notebook that shows widgets, and the extra ``lab``. Nothing is loaded from the network.

    Parameters
    ----------
    actions : pandas.DataFrame
        An actions frame, of a client or of an archive.
    periods : pandas.DataFrame, optional
        The periods frame, for the names, the order and the markers of the periods.
    target : timedelta or str
        The promised time, such as ``"20min"``.
    tz : str or tzinfo, optional
        The venue's time zone, for the times shown; by default UTC.

    Returns
    -------
    Explorer
        Shows itself at the end of a cell. Its ``frame`` holds the actions chosen, its ``table`` what
        `periodkit.cycle_times` says of them, and its ``code`` the lines that make both.

    Raises
    ------
    ConfigError
        The extra ``lab`` is not installed.
    SchemaError
        A needed column is missing or does not hold UTC times.
    ArgumentError
        A frame is not one of pandas, or `target` or `tz` is not one that can be.

    Notes
    -----
    A picture is sent at most 5,000 points; more actions are binned, as its title then says. People's names are not shown.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods()
    ...     actions = client.actions(periods.tail(1))
    >>> explorer = pk.explore(actions, periods)
    >>> explorer.controls["by"].value = "channel"
    >>> explorer.table.equals(pk.cycle_times(actions, by="channel"))
    True
    >>> explorer.close()
    """
    require_lab()
    return Explorer(actions, periods, target, tz)


class Explorer:
    """What `periodkit.explore` returns.

    Parameters
    ----------
    actions, periods, target, tz
        As for `periodkit.explore`.
    """

    def __init__(
        self,
        actions: pd.DataFrame,
        periods: pd.DataFrame | None = None,
        target: str | timedelta | Any = "20min",  # noqa: ANN401
        tz: str | tzinfo | None = None,
    ) -> None:
        require_pandas(actions)
        choices.check_columns(actions)
        if periods is not None:
            require_pandas(periods, "periods")
            require_columns(periods.columns, ["period_id", "period_name", "start_date", "end_date"], PERIODS_FRAME)
        self.actions, self.periods = actions, periods
        self.target = Target.read(target)
        self._zone = zone(tz)
        self._panel = panel.Panel(actions, periods, self._zone)
        self._answer = answer(actions, self.choice, self.target)
        self._later = Later(self.refresh, _PAUSE)
        self._panel.observe(self._later.ask)
        self.refresh()

    @property
    def controls(self) -> dict[str, Any]:
        """The widgets that choose, by name: their ``value`` can be set by code as well."""
        return self._panel.controls

    @property
    def widget(self) -> Any:  # noqa: ANN401
        """All of it as one ipywidgets widget."""
        return self._panel.page

    @property
    def choice(self) -> Choice:
        """What is chosen at present."""
        return self._panel.choice

    @property
    def frame(self) -> pd.DataFrame:
        """The actions chosen: rows of the frame that was given."""
        return self._now().frame

    @property
    def table(self) -> pd.DataFrame:
        """What `periodkit.cycle_times` returns of the actions chosen, by what is grouped by."""
        return self._now().table

    @property
    def code(self) -> str:
        """Lines that make ``frame``, ``table`` and the static picture from the frames that were given."""
        options = {"target": still.span(self.target), "tz": still.zone_name(self._zone)}
        return code_for(self.choice, self._names(), picture=self._panel.picture, options=options)

    def refresh(self) -> None:
        """Show what is chosen at present."""
        self._later.cancel()
        try:
            self._panel.show(self._now(), self.target, self.code)
        except PeriodkitError as error:
            self._panel.say(str(error))

    def close(self) -> None:
        """Remove it from the notebook and from the kernel."""
        self._later.cancel()
        self._panel.close()

    def _now(self) -> Answer:
        if self._answer.choice != self.choice:
            self._answer = answer(self.actions, self.choice, self.target)
        return self._answer

    def _names(self) -> Any:  # noqa: ANN401
        import periodkit  # noqa: PLC0415  (where the notebook's name for it is looked up)

        ipython = sys.modules.get("IPython")
        shell = None if ipython is None else ipython.get_ipython()
        namespace = {} if shell is None else shell.user_ns
        return find_names(namespace, periodkit, self.actions, self.periods, self)

    def __repr__(self) -> str:
        return f"Explorer of {len(self.actions):,} actions; {len(self.frame):,} chosen"

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        drawn = still.draw(self._now(), self.periods, self.target, self._zone, self._panel.picture)
        return still.bundle(self.widget, drawn)
