"""Blocks of HTML for reports. Whatever the API sent is cleaned and escaped here, so none of it can become markup."""

from __future__ import annotations

import base64
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes

from periodkit.jupyter import in_few_colours
from periodkit.plots import alt_text, display, explains, figure_of, to_png
from periodkit.wording import numeric, plain, readable

__all__ = [
    "NARROW",
    "TEMPLATES",
    "Figure",
    "held",
    "joined",
    "render",
    "show_as",
    "show_plot",
    "show_sentence",
    "show_table",
]

TEMPLATES = Path(__file__).parent / "templates" / "report"

LONGEST = 100
"""So many characters of a text are shown."""

NARROW = "application/vnd.periodkit.narrow-png"
"""What a notebook's output calls the picture for a phone."""

_PHONE, _TALL = 3.6, 4.2
_NUMBER = re.compile(r"[−\d…][\d,.]*( (%|min))?( \([\d…∞,.–]+\))?")
_WHEN = re.compile(r"\d{4}-\d\d-\d\d( \d\d:\d\d)?")
_HELD = re.compile(r"(?<=\d) (?=%|min\b|points\b)|(?<=\bn) (?==)|(?<=\bn =) ")
_NONE = ("–", "")


@dataclass(frozen=True)
class Figure:
    """One key figure.

    Parameters
    ----------
    name, value, unit : str
        What it is called, and what it is.
    lines : tuple of str
        Its interval and n, and what it is held against.
    """

    name: str
    value: str
    unit: str = ""
    lines: tuple[str, ...] = ()


def render(block: str, **values: Any) -> str:  # noqa: ANN401
    """Return a block of ``blocks.html.j2``, with everything that is put in escaped."""
    return str(getattr(_blocks(), block)(**values))


def show_sentence(text: str, kind: str = "") -> None:
    """Show a sentence."""
    show_as({"text/html": render("sentence", text=text, kind=kind), "text/plain": text})


def show_table(frame: pd.DataFrame, caption: str, note: str = "") -> None:
    """Show a metric frame as a table: minutes, percent, intervals beside their estimates, numbers to the right.

    Parameters
    ----------
    frame : pandas.DataFrame
        What a metric returned, or part of it; its first column names the rows.
    caption : str
        What the table shows.
    note : str
        What to know when reading it.
    """
    if frame.empty:
        show_sentence(f"{caption}: none.", "note")
        return
    shown = readable(_cleaned(frame))
    heads = [
        {"name": plain(name, LONGEST), "kind": _kind(shown[name], number=number)}
        for name, number in zip(shown.columns, numeric(frame), strict=True)
    ]
    html = render("table", caption=caption, heads=heads, rows=shown.to_numpy().tolist(), note=note)
    show_as({"text/html": html, "text/plain": shown.to_string()})


def show_plot(draw: Callable[..., Axes], *frames: Any, phone: bool = False, **options: Any) -> None:  # noqa: ANN401
    """Show a picture; for a report also as it is drawn for a phone. Where there is nothing to draw, say so.

    Parameters
    ----------
    draw : callable
        A function of `periodkit.plots`.
    *frames, **options
        What it takes.
    phone : bool
        Whether to draw it twice, finely: once wide, once narrow.
    """
    wide = draw(*frames, **options)
    words = alt_text(wide)
    if explains(wide):
        plt.close(figure_of(wide))
        show_sentence(words, "note")
        return
    if not phone:
        display(wide)
        return
    height = figure_of(wide).get_figheight()
    data = {"image/png": _encoded(wide), "text/plain": words}
    # Titles take more lines there.
    narrow = _narrow(draw, max(height, min(height + 1, _TALL)), *frames, **options)
    if narrow is not None:
        data[NARROW] = narrow
    show_as(data, {"image/png": {"alt": words}})


def _narrow(draw: Callable[..., Axes], height: float, *frames: Any, **options: Any) -> str | None:  # noqa: ANN401
    """Return a picture drawn for a phone, or None where its words leave no room for it."""
    figure, ax = plt.subplots(figsize=(_PHONE, height), dpi=110, layout="constrained")
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "constrained_layout not applied", UserWarning)
        try:
            return _encoded(draw(*frames, **options, ax=ax))
        except UserWarning:
            return None
        finally:
            plt.close(figure)


def _encoded(ax: Axes) -> str:
    picture = base64.b64encode(in_few_colours(to_png(ax, 160), smallest=False)).decode("ascii")
    plt.close(figure_of(ax))
    return picture


def show_as(data: Mapping[str, Any], metadata: Mapping[str, Any] | None = None) -> None:
    """Show something in all its forms at once."""
    from IPython.display import display as show_raw  # noqa: PLC0415  (the extra "lab")

    show_raw(dict(data), metadata=dict(metadata or {}), raw=True)


def _cleaned(frame: pd.DataFrame) -> pd.DataFrame:
    texts = [name for name in frame.columns if pd.api.types.is_string_dtype(frame[name])]
    return frame.assign(**{name: frame[name].map(_clean, na_action="ignore") for name in texts})


def _clean(value: object) -> object:
    return plain(value, LONGEST) if isinstance(value, str) else value


def _kind(cells: pd.Series, *, number: bool) -> str:
    """Return what a column holds, as the style sheet calls it."""
    known: Sequence[str] = [each for each in cells if each not in _NONE]
    if number or (known and all(_NUMBER.fullmatch(each) for each in known)):
        return "number"
    return "when" if known and all(_WHEN.fullmatch(each) for each in known) else ""


@cache
def _blocks() -> Any:  # noqa: ANN401
    from jinja2 import Environment, FileSystemLoader  # noqa: PLC0415

    environment = Environment(loader=FileSystemLoader(TEMPLATES), autoescape=True)
    return environment.get_template("blocks.html.j2").module


def held(text: str) -> str:
    """Return text in which a number and its unit stay on one line."""
    return _HELD.sub("\N{NO-BREAK SPACE}", text)


def joined(parts: Iterable[str]) -> str:
    """Return the parts that say something, with a dot between."""
    return " · ".join(each for each in parts if each)
