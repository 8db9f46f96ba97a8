"""The board on the screen."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from periodkit import answers
from periodkit._arguments import Zone
from periodkit.jupyter.explorer import pictures, points, widgets
from periodkit.wording import NULL, Target, clean_label, count, duration, percent

__all__ = ["View", "next_rows"]

_MOST_ROWS = 12
_SHOWN = ("action_id", "classification", "channel", "waits_for", "age", "left", "p_late")


class View:
    """What the board shows.

    Parameters
    ----------
    heard : callable
        Called with each message of the ticker: tick, hello, refresh, pause or resume.
    """

    def __init__(self, heard: Callable[[str], object]) -> None:
        import ipywidgets as w  # noqa: PLC0415  (the extra "lab")

        self.ticker = _ticker_class()()
        self.ticker.on_msg(lambda _, content, __: heard(str(content.get("kind"))))
        self._wrong, self._said, self._head, self._table = (w.HTML() for _ in range(4))
        self._chart = widgets.chart_widget()
        self.page = widgets.page(self.ticker, self._wrong, self._said, self._chart, self._head, self._table)

    def show(
        self,
        actions: pd.DataFrame,
        waiting: pd.DataFrame,
        ahead: pd.DataFrame | None,
        target: Target,
        horizon: Target,
        where: Zone,
        name: str,
    ) -> None:
        """Show what came."""
        moment = "as fetched"
        if len(actions):
            seen = actions["fetched_at"].max().tz_convert(where[0])
            moment = f"as of {seen:%d %b %Y %H:%M:%S} ({where[1]})"
        said = [f"{clean_label(name)}, {moment}.", answers.waiting(waiting, target)]
        if ahead is not None and len(waiting):
            said.append(answers.outlook(ahead, f"in {horizon}"))
        self._said.value = widgets.said_html(" ".join(said))
        self._chart.spec = pictures.aging_picture(points.ages(actions, target), target, moment)
        coming, heads, rows, numbers = next_rows(waiting)
        self._head.value = widgets.said_html(coming)
        self._table.value = widgets.table_html(heads, rows, numbers)

    def say(self, wrong: str) -> None:
        """Show what went wrong; nothing if it is empty."""
        self._wrong.value = widgets.said_html(wrong, wrong=True)

    def tell(self, state: dict[str, Any]) -> None:
        """Tell the ticker how old what is shown is and when the next refresh is due."""
        # The same state again would not be sent, and time has passed.
        self.ticker.state = {**state, "turn": self.ticker.state.get("turn", 0) + 1}

    def close(self) -> None:
        """Remove all of it from the notebook and from the kernel."""
        widgets.close_all(self.page)


def next_rows(waiting: pd.DataFrame) -> tuple[str, list[str], list[list[str]], list[bool]]:
    """Return what passes its target next, as a title, headings, texts and which columns hold numbers."""
    ahead = waiting[~waiting["past"]].sort_values("left", kind="stable")
    coming = ahead.head(_MOST_ROWS)
    columns = [name for name in _SHOWN if name in waiting.columns]
    cells = {
        name: [
            NULL
            if pd.isna(value)
            else duration(value)
            if isinstance(value, pd.Timedelta)
            else percent(value)
            if name == "p_late"
            else clean_label(value, 60)
            for value in coming[name]
        ]
        for name in columns
    }
    heads = {"action_id": "action", "p_late": "likely late", "left": "left to the target"}
    names = [heads.get(name, name.replace("_", " ")) for name in columns]
    most = f"the first {len(coming):,} of {count(len(ahead))}" if len(ahead) > len(coming) else count(len(coming))
    title = f"Next past the target: {most}" if len(coming) else "None is about to pass the target."
    numbers = [name in ("age", "left", "p_late") for name in columns]
    return title, names, [list(row) for row in zip(*cells.values(), strict=True)], numbers


@functools.cache
def _ticker_class() -> type[Any]:
    import anywidget  # noqa: PLC0415  (the extra "lab")
    import traitlets  # noqa: PLC0415

    class Ticker(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
        _esm = (Path(__file__).parent / "ticker.js").read_text(encoding="utf-8")
        _css = (Path(__file__).parent / "ticker.css").read_text(encoding="utf-8")
        state = traitlets.Dict({"age": None, "due": 0.0, "paused": True, "busy": False, "closed": False}).tag(sync=True)

    return Ticker
