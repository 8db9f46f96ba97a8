"""A running event that shows itself again every minute."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from datetime import tzinfo
from typing import TYPE_CHECKING, Any

import pandas as pd

from periodkit import plots
from periodkit._arguments import as_micros, named, zone
from periodkit.errors import ArgumentError, PartialResultError, PeriodkitError
from periodkit.frames import latest_period, ordered_periods, position_of
from periodkit.jupyter.board.pace import Pace
from periodkit.jupyter.board.view import View
from periodkit.jupyter.explorer import still, widgets
from periodkit.metrics import open_actions, outlook
from periodkit.wording import Span, Target

if TYPE_CHECKING:
    from periodkit.client import Client

__all__ = ["Board", "live"]

_EARLIER = 8
"""How many earlier periods are fetched as the history."""


def live(
    client: Client,
    target: Span = "20min",
    period: int | str | None = None,
    every: Span = "1min",
    *,
    history: pd.DataFrame | None = None,
    horizon: Span = "1h",
    tz: str | tzinfo | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Board:
    """Watch a running event: what is open, what passes the target next, and what will still be open later.

    The board shows itself at the end of a cell, in JupyterLab or another notebook that shows widgets (extra ``lab``), and
    refreshes itself with one request each time. Its timer lives in the page: once the notebook is closed, or its kernel,
    nothing is asked any more. While requests fail it asks less and less often, up to every 15 minutes, and says how old
    what it shows is.

    Parameters
    ----------
    client : Client
        Where the actions come from. It must stay open: make it without ``with``.
    target : timedelta or str
        The promised time from created to closed, such as ``"20min"``.
    period : int or str, optional
        The period's id or name; by default the one that began last. While there is none, it is looked for.
    every : timedelta or str
        From one refresh to the next, at least a second.
    history : pandas.DataFrame, optional
        Earlier actions, from which the outlook is taken; by default those of the eight periods before, fetched once. An
        empty frame means none.
    horizon : timedelta or str
        How far the outlook looks ahead.
    tz : str or tzinfo, optional
        The venue's time zone, for the times shown; by default UTC.
    clock : callable, optional
        For tests: returns seconds that only grow.

    Returns
    -------
    Board
        Its ``actions``, ``waiting`` (what `periodkit.open_actions` returns) and ``outlook`` are the frames behind what it
        shows; ``refresh()``, ``pause()``, ``resume()`` and ``close()`` do what they say.

    Raises
    ------
    ConfigError
        The extra ``lab`` is not installed.
    ArgumentError
        There is no such period, or an argument is not one that can be.
    ApiError, TransportError, SchemaError
        As the server answers the first request; later errors are shown on the board.

    Examples
    --------
    >>> import periodkit as pk
    >>> client = pk.demo_client()
    >>> board = pk.live(client, target="20min")
    >>> bool((board.waiting["left"] <= pd.Timedelta("20min")).all())
    True
    >>> board.close(); client.close()
    """
    widgets.require_lab()
    return Board(client, target, period, every, history=history, horizon=horizon, tz=tz, clock=clock)


class Board:
    """What `periodkit.live` returns.

    Parameters
    ----------
    client, target, period, every, history, horizon, tz, clock
        As for `periodkit.live`.
    """

    def __init__(
        self,
        client: Client,
        target: Span = "20min",
        period: int | str | None = None,
        every: Span = "1min",
        *,
        history: pd.DataFrame | None = None,
        horizon: Span = "1h",
        tz: str | tzinfo | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client, self._clock = client, clock
        self._target, self._zone = Target.read(target), zone(tz)
        self._horizon = Target(pd.Timedelta(as_micros(horizon, "horizon"), unit="us"))
        seconds = as_micros(every, "every") / 1e6
        if seconds < 1:
            raise ArgumentError(f'every is {named(every)}; it takes at least a second, such as "1min".')
        self._pace, self._lock = Pace(seconds), threading.Lock()
        self._paused = self._closed = self._busy = False
        self.period: pd.Series | None = None
        self.history = pd.DataFrame() if history is None else history
        self._own_history = history is None
        self._find(period)
        self.actions, self.waiting, self.outlook = self._read(self._fetch())
        self._pace.succeeded(clock())
        self._view = View(self._heard)
        self._show()

    @property
    def widget(self) -> Any:  # noqa: ANN401
        """All of it as one ipywidgets widget."""
        return self._view.page

    def refresh(self) -> None:
        """Fetch and show now, due or not; an error is shown, and does not come here."""
        self._answered(self._try())

    def pause(self) -> None:
        """Ask no more until `resume`."""
        self._paused = True
        self._tell()

    def resume(self) -> None:
        """Go on; what is due is fetched at once."""
        self._paused = False
        self._tell()

    def close(self) -> None:
        """Ask no more, and remove the board from the notebook and from the kernel."""
        self._closed = True
        self._tell()
        self._view.close()

    def _heard(self, kind: str) -> None:
        """Do what the ticker in the page asks for."""
        if kind in ("pause", "resume"):
            (self.pause if kind == "pause" else self.resume)()
        elif kind == "refresh" or (kind == "tick" and not self._paused and self._clock() >= self._pace.due):
            self._begin()
        else:
            self._tell()

    def _begin(self) -> None:
        """Fetch beside the kernel's loop, so that cells and other widgets go on; show on it."""
        if self._busy or self._closed:
            return
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self.refresh()
            return
        self._busy = True
        self._tell()

        def work() -> None:
            found = self._try()
            loop.call_soon_threadsafe(self._answered, found)

        # It ends with its answer, and as a daemon it does not keep a kernel that is shut down from ending.
        threading.Thread(target=work, name="periodkit-board", daemon=True).start()

    def _try(self) -> Any:  # noqa: ANN401
        try:
            return self._read(self._fetch())
        except PeriodkitError as error:
            return error

    def _find(self, period: Any) -> None:  # noqa: ANN401  (an id, a name, or a row of the frame)
        self.period, earlier = _event(self._client.periods(), period)
        if self._own_history:
            self.history = _history(self._client, earlier)

    def _fetch(self) -> pd.DataFrame:
        with self._lock:
            if self.period is None:
                self._find(None)
            return self._client.actions([] if self.period is None else int(self.period["period_id"]))

    def _read(self, actions: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame | None]:
        earlier = None if self.history.empty else self.history
        ahead = None if earlier is None else outlook(actions, earlier, self._horizon.delta)
        return actions, open_actions(actions, self._target.delta, earlier), ahead

    def _answered(self, found: Any) -> None:  # noqa: ANN401
        self._busy = False
        if self._closed:
            return
        now = self._clock()
        if isinstance(found, PeriodkitError):
            self._pace.failed(now, found)
            self._view.say(f"The last refresh failed: {found} What is shown is what came before.")
            self._tell()
            return
        self.actions, self.waiting, self.outlook = found
        self._pace.succeeded(now)
        self._show()

    def _show(self) -> None:
        called = "There is no period yet"
        if self.period is not None:
            name = self.period["period_name"]
            called = str(name) if isinstance(name, str) else f"period {self.period['period_id']}"
        self._view.say("")
        self._view.show(self.actions, self.waiting, self.outlook, self._target, self._horizon, self._zone, called)
        self._tell()

    def _tell(self) -> None:
        now = self._clock()
        due = max(self._pace.due - now, 0.0)
        state = {"age": self._pace.age(now), "due": due, "paused": self._paused, "busy": self._busy}
        self._view.tell({**state, "closed": self._closed})

    def __repr__(self) -> str:
        which = "no period" if self.period is None else f"period {self.period['period_id']}"
        return f"Board of {which}: {len(self.waiting):,} open"

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        drawn = plots.aging(self.actions, target=self._target.delta, tz=self._zone[0])
        return still.bundle(self.widget, drawn)


def _event(periods: pd.DataFrame, period: Any) -> tuple[pd.Series | None, list[int]]:  # noqa: ANN401
    """Return the period to watch, if there is one, and the ids of those before it."""
    order = ordered_periods(periods)
    if period is None and order.empty:
        return None, []
    at = position_of(latest_period(periods)["period_id"].item() if period is None else period, order)
    return order.iloc[at], order["period_id"].iloc[max(at - _EARLIER, 0) : at].tolist()


def _history(client: Client, earlier: list[int]) -> pd.DataFrame:
    if not earlier:
        return pd.DataFrame()
    try:
        return client.actions(earlier)
    except PartialResultError as error:
        # Those that came are a history as well.
        return error.done
