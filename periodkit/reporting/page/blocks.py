"""Blocks of HTML for reports. Whatever the API sent is cleaned and escaped here, so none of it can become markup."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import pandas as pd

from periodkit.jupyter import in_few_colours, say, show_as
from periodkit.wording import NULL, clean_label, numeric, readable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["KeyFigure", "held", "render", "show_plot", "show_table", "template"]

Plot: TypeAlias = "Callable[..., Axes]"

TEMPLATES = Path(__file__).parent / "templates" / "report"

LONGEST = 100
"""The most characters of a text that are shown."""

# Of this width, text of 10.5 points is 9 pixels high on a phone and 17 on a screen.
_WIDTH, _DPI = 5.8, 220
_NUMBER = re.compile(r"(over )?−?\d[\d,.]*( (%|s|min|h|d))?( \((over |up to )?[\d,.–]+\))?|not reached")
_WHEN = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?")
_HELD = re.compile(r"(?<=\d) (?=%|(?:s|min|h|d|points)\b)|(?<=\bn) (?==)|(?<=\bn =) ")


@dataclass(frozen=True)
class KeyFigure:
    """A key figure.

    Parameters
    ----------
    name, value, unit : str
        Its name and value.
    lines : tuple of str
        Its interval and n, and its value in the periods before.
    """

    name: str
    value: str
    unit: str = ""
    lines: tuple[str, ...] = ()


def render(block: str, **values: object) -> str:
    """Return a block of ``blocks.html.j2`` with all values escaped."""
    return str(getattr(template("blocks.html.j2").module, block)(**values))


def show_table(frame: pd.DataFrame, caption: str, note: str = "") -> None:
    """Show a metric frame as a table, as `periodkit.format_table` writes it.

    Parameters
    ----------
    frame : pandas.DataFrame
        What a metric returned, or part of it; its first column names the rows.
    caption : str
        What the table shows.
    note : str
        A remark beneath it.
    """
    if frame.empty:
        say(f"{caption}: none.", note=True)
        return
    texts = [name for name in frame.columns if pd.api.types.is_string_dtype(frame[name])]
    shown = readable(frame.assign(**{name: frame[name].map(_clean, na_action="ignore") for name in texts}))
    heads = [
        {"name": clean_label(name, LONGEST), "kind": "number" if number else _kind(shown[name])}
        for name, number in zip(shown.columns, numeric(frame), strict=True)
    ]
    html = render("table", caption=caption, heads=heads, rows=shown.to_numpy().tolist(), note=note)
    show_as({"text/html": html, "text/plain": shown.to_string()})


def show_plot(draw: Plot, *frames: object, phone: bool = False, **options: object) -> None:
    """Show a plot; where there is nothing to draw, say so.

    Parameters
    ----------
    draw : callable
        A function of `periodkit.plots`.
    *frames, **options
        Its arguments.
    phone : bool
        Whether to draw it as a report does: sharp, and narrow enough to be read on a phone, too.
    """
    from periodkit.plots import alt_text, display, off_screen, to_image  # noqa: PLC0415  (slow to import)

    if not phone:
        ax = draw(*frames, **options)
        if ax.has_data():
            display(ax)
        else:
            import matplotlib.pyplot as plt  # noqa: PLC0415

            plt.close(ax.get_figure(root=True))
            say(alt_text(ax), note=True)
        return
    with off_screen(_WIDTH, _DPI):
        ax = draw(*frames, **options)
        words = alt_text(ax)
        if not ax.has_data():
            say(words, note=True)
            return
        picture = in_few_colours(to_image(ax), smallest=False)
    data = {"image/png": base64.b64encode(picture).decode("ascii"), "text/plain": words}
    show_as(data, {"image/png": {"alt": words}})


def _clean(value: object) -> object:
    return clean_label(value, LONGEST) if isinstance(value, str) else value


def _kind(cells: pd.Series) -> str:
    """Return the style sheet's class for a column of texts."""
    known = [cell for cell in cells if cell not in (NULL, "")]
    for kind, pattern in (("number", _NUMBER), ("when", _WHEN)):
        if known and all(pattern.fullmatch(cell) for cell in known):
            return kind
    return ""


@cache
def template(name: str) -> Any:  # noqa: ANN401
    """Return a template of reports; what it is given is escaped."""
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415

    return Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True).get_template(name)


def held(text: str) -> str:
    """Return text in which numbers and their units stay on one line."""
    return _HELD.sub("\N{NO-BREAK SPACE}", text)
