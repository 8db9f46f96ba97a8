"""What all plots share: their style, the Axes they are drawn on, titles and alt texts."""

from __future__ import annotations

import functools
import re
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, ParamSpec

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from periodkit._arguments import named
from periodkit.errors import ArgumentError
from periodkit.plots._drawing.text import drawable
from periodkit.wording import count, sentences

__all__ = [
    "ABOVE",
    "BESIDE",
    "COLOURS",
    "FAINT",
    "INK",
    "LINES",
    "MARKS",
    "MUTED",
    "SMALL",
    "alt_text",
    "explain",
    "figure_of",
    "finish",
    "is_own",
    "nothing_of",
    "off_screen",
    "open_axes",
    "points_of",
    "reserve_strip",
    "styled",
    "write",
]

P = ParamSpec("P")

_OFF_SCREEN: ContextVar[tuple[float, float] | None] = ContextVar("off_screen", default=None)
# matplotlib has one set of settings for all threads.
_ONE_AT_A_TIME = threading.RLock()

# Okabe and Ito's colours, ordered so that neighbours differ in grey; each has its line style and mark.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (8, 2, 2, 2)), (0, (3, 1, 1, 1, 1, 1)))
MARKS = ("o", "s", "D", "^", "v", "P", "X")
INK, MUTED, FAINT = "#222222", "#595959", "#DDDDDD"

WIDTH, HEIGHT, DPI = 8.0, 4.5, 110
# Text is sized relative to the font, which shrinks on small Axes.
SMALL = "small"
# Coordinates of text: a share of the width beside a value on the y axis, or of the height above one on the x axis.
BESIDE, ABOVE = ("axes fraction", "data"), ("data", "axes fraction")
_FONT, _LABEL, _TITLE, _IN_SMALL = 10.5, 10.0, 12.0, 0.833
# Axes of at least this many points have text of full size.
_ROOMY = (420.0, 220.0)
_ALT, _OWNED, _STRIP = "_periodkit_alt", "_periodkit_owned", "_periodkit_strip"
_STYLE: Any = {
    "text.usetex": False,
    "text.color": INK,
    "axes.facecolor": "white",
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titleweight": "bold",
    "axes.titlecolor": INK,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "axes.autolimit_mode": "data",
    "axes.xmargin": 0.02,
    "axes.ymargin": 0.05,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
    "figure.max_open_warning": 0,
    "legend.frameon": True,
    "legend.framealpha": 0.9,
    "legend.edgecolor": FAINT,
    "legend.facecolor": "white",
    "legend.fontsize": SMALL,
    "legend.labelcolor": INK,
    "hatch.linewidth": 0.6,
}


def styled(draw: Callable[P, Axes]) -> Callable[P, Axes]:
    """Run a plot function in the package's style, sized to the Axes it is given; the caller's settings stay as they are."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Axes:
        before = set(plt.get_fignums())
        given = next((value for value in (*args, *kwargs.values()) if isinstance(value, Axes)), None)
        try:
            with _settings(_STYLE | _sizes(given)):
                return draw(*args, **kwargs)
        except Exception:
            # A notebook would show a half-drawn figure at the end of the cell.
            for number in set(plt.get_fignums()) - before:
                plt.close(number)
            raise

    return drawn


@contextmanager
def _settings(style: dict[str, Any]) -> Iterator[None]:
    # Not rc_context, which restores every setting: the first figure of a notebook turns interactive mode on, and later
    # figures need that to be shown.
    settings: Any = mpl.rcParams
    before = {name: settings[name] for name in style}
    try:
        settings.update(style)
        yield
    finally:
        settings.update(before)


@contextmanager
def off_screen(width: float, dpi: float) -> Iterator[None]:
    """Draw in matplotlib's default style, on figures that neither pyplot nor a window knows, whatever the caller has set.

    Parameters
    ----------
    width : float
        The width of the figures in inches.
    dpi : float
        Dots per inch.
    """
    mark = _OFF_SCREEN.set((width, dpi))
    try:
        with _ONE_AT_A_TIME, mpl.rc_context():
            mpl.rcdefaults()
            yield
    finally:
        _OFF_SCREEN.reset(mark)


def _sizes(given: Axes | None) -> dict[str, float]:
    scale = 1.0
    if given is not None:
        shares = [size / roomy for size, roomy in zip(points_of(given), _ROOMY, strict=True)]
        scale = float(np.clip(np.sqrt(min(shares)), 0.7, 1.0))
    return {
        "font.size": _FONT * scale,
        "axes.labelsize": _LABEL * scale,
        "axes.titlesize": _TITLE * scale,
        "lines.linewidth": 2.0 * scale,
    }


def is_own(ax: Axes) -> bool:
    """Return whether `open_axes` opened the figure of the Axes."""
    return bool(getattr(ax, _OWNED, False))


def points_of(ax: Axes) -> tuple[float, float]:
    """Return the current width and height of the Axes in points."""
    box, dpi = ax.get_window_extent(), figure_of(ax).dpi
    return float(72 * box.width / dpi), float(72 * box.height / dpi)


def reserve_strip(ax: Axes, points: float) -> None:
    """Keep so many points free above the Axes, between them and the subtitle."""
    setattr(ax, _STRIP, points)


def open_axes(given: object, height: float = HEIGHT) -> Axes:
    """Return the Axes to draw on: those given, or those of a new figure."""
    if given is None:
        ax = _new_axes(height)
        setattr(ax, _OWNED, True)
    elif isinstance(given, Axes):
        ax = given
    else:
        msg = f"ax is {named(given)}; it takes a matplotlib Axes, such as plt.subplots() returns."
        raise ArgumentError(msg)
    # Axes that the caller made have the caller's style.
    ax.set_facecolor("white")
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=SMALL, colors=MUTED, labelcolor=INK, length=3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(MUTED)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(mpl.rcParams["axes.labelsize"])
        axis.label.set_color(INK)
    return ax


def _new_axes(height: float) -> Axes:
    """Return the Axes of a new figure; within `off_screen`, of one that is drawn with Agg alone."""
    off = _OFF_SCREEN.get()
    width, dpi = off or (WIDTH, DPI)
    options: Any = {"figsize": (width, height), "dpi": dpi, "layout": "constrained"}
    figure = plt.figure(**options) if off is None else FigureCanvasAgg(Figure(**options)).figure
    return figure.add_subplot()


def finish(ax: Axes, title: str, subtitle: str, alt: str) -> Axes:
    """Write the title and the subtitle above the plot, and keep its alt text."""
    _settle(ax)
    size, small = float(mpl.rcParams["axes.titlesize"]), _IN_SMALL * float(mpl.rcParams["font.size"])
    # Average widths of the default font, in em; a title that is too wide would push the plot aside.
    room = _points_to_the_right(ax)
    lines = _wrap(title, room / (0.59 * size), 4)
    notes = _wrap_parts(subtitle, room / (0.58 * small), 4)
    strip = float(getattr(ax, _STRIP, 0.0))
    ax.set_title(
        drawable("\n".join(lines)),
        loc="left",
        pad=strip + 0.8 * small + 1.3 * small * len(notes),
        fontsize=size,
        fontweight="bold",
        color=INK,
        linespacing=1.15,
    )
    write(
        ax,
        "\n".join(notes),
        (0, 1),
        (0, strip + 0.65 * small),
        "axes fraction",
        va="bottom",
        color=MUTED,
        linespacing=1.2,
    )
    setattr(ax, _ALT, " ".join(alt.split()))
    figure = figure_of(ax)
    # Notebooks ask the figure for metadata of the image.
    figure._repr_mimebundle_ = functools.partial(_bundle, figure_alt_text(figure))  # type: ignore[attr-defined]
    return ax


def write(
    ax: Axes,
    text: str,
    place: tuple[float, float],
    offset: tuple[float, float] = (0, 0),
    coords: str | tuple[str, str] = "data",
    *,
    boxed: bool = False,
    **style: Any,  # noqa: ANN401  (of matplotlib's Text)
) -> None:
    """Write small text at a place, moved by an offset in points; boxed on white, so that lines do not cross it."""
    box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.5} if boxed else None
    style = {"va": "center", "fontsize": SMALL, "color": INK} | style
    ax.annotate(drawable(text), place, offset, xycoords=coords, textcoords="offset points", bbox=box, **style)


def figure_alt_text(figure: Figure) -> str:
    """Return the alt texts of all plots on a figure."""
    return " ".join(text for ax in figure.axes if (text := getattr(ax, _ALT, "")))


def _bundle(alt: str, **_: object) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    return {}, {"image/png": {"alt": alt}}


def explain(given: object, what: str, reason: str, subtitle: str = "") -> Axes:
    """Write a sentence on the Axes instead of a plot; such Axes have no data."""
    ax = open_axes(given, 2.0)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)
    size = float(mpl.rcParams["axes.titlesize"])
    lines = _wrap(reason, points_of(ax)[0] / (0.56 * size), 4)
    ax.text(0.5, 0.5, drawable("\n".join(lines)), ha="center", va="center", fontsize=size, color=MUTED)
    return finish(ax, what, subtitle, sentences(f"{what}: {reason[:1].lower()}{reason[1:]}", subtitle))


def nothing_of(n: int, why: str) -> str:
    """Say why there is nothing to draw: there are no actions, or none of the `n` qualifies."""
    return f"{'No action' if n == 1 else f'None of {count(n)}'} {why}" if n else "No actions to show"


def alt_text(ax: Axes) -> str:
    """Return the alt text of a plot.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of `periodkit.plots` returned.

    Returns
    -------
    str
        One paragraph, from the same numbers as the plot.

    Raises
    ------
    ArgumentError
        `ax` was not drawn by `periodkit.plots`.

    Examples
    --------
    >>> import pandas as pd
    >>> import periodkit as pk
    >>> actions = pd.DataFrame({"ai_dispatched": pd.array([True, True, False], dtype="boolean")})
    >>> ax = pk.plots.dispatch_rate(actions)
    >>> alt_text(ax)
    'AI dispatched 66.7 % (20.8–93.9) of 3 actions, in brackets the 95 % interval.'
    >>> ax.figure.clear()
    """
    text = getattr(ax, _ALT, None)
    if not isinstance(text, str):
        msg = "ax has no alt text: it was not drawn by periodkit.plots. Pass what one of its functions returned."
        raise ArgumentError(msg)
    return text


def figure_of(ax: Axes) -> Figure:
    """Return the figure that holds the Axes, possibly in a subfigure."""
    figure = ax.get_figure(root=True)
    if not isinstance(figure, Figure):
        msg = "ax is no longer on a figure; draw it again."
        raise ArgumentError(msg)
    return figure


def _wrap(text: str, width: float, lines: int) -> list[str]:
    # A number and what it counts stay on one line.
    held = re.sub(r"(?<=\d) (?=[\w%])", "\N{NO-BREAK SPACE}", text)
    widths = range(max(int(width), 16), 15, -1)
    wrapped = [textwrap.wrap(held, size, max_lines=lines, placeholder=" …", break_on_hyphens=False) for size in widths]
    # Of the wrappings with as few lines as the widest, the narrowest: it leaves no word alone on the last line.
    same = [way for way in wrapped if len(way) == len(wrapped[0]) and " ".join(way) == " ".join(wrapped[0])]
    return [line.replace("\N{NO-BREAK SPACE}", " ") for line in same[-1]]


def _wrap_parts(text: str, width: float, lines: int) -> list[str]:
    # Lines break between the parts of a subtitle, and within a part only if it is longer than a line.
    wide = max(int(width), 16)
    rows: list[str] = []
    for part in filter(None, text.split(" · ")):
        if rows and len(rows[-1]) + 3 + len(part) <= wide:
            rows[-1] += f" · {part}"
        else:
            rows += textwrap.wrap(part, wide)
    return rows if len(rows) <= lines else textwrap.wrap(text, wide, max_lines=lines, placeholder=" …")


def _settle(ax: Axes) -> None:
    # The room for a title is known only after the layout of the labels.
    engine = figure_of(ax).get_layout_engine()
    if is_own(ax) and engine is not None:
        engine.execute(figure_of(ax))


def _points_to_the_right(ax: Axes) -> float:
    figure = figure_of(ax)
    box = ax.get_window_extent()
    right = figure.bbox.x1 if is_own(ax) else box.x1
    return float(72 * (right - box.x0) / figure.dpi)
