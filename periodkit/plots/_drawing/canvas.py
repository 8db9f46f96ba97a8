"""What all pictures share: how they look, where they are drawn, their title, and their words for who cannot see them."""

from __future__ import annotations

import functools
import re
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from periodkit.errors import ArgumentError
from periodkit.plots._drawing.text import drawable
from periodkit.wording import count

__all__ = [
    "COLOURS",
    "INK",
    "LINES",
    "MARKS",
    "MUTED",
    "SMALL",
    "alt_text",
    "explain",
    "explains",
    "finish",
    "is_own",
    "nothing_of",
    "open_axes",
    "points_of",
    "styled",
]

P = ParamSpec("P")

# Okabe and Ito's colours in an order that keeps neighbours apart in grey; each goes with a line style and a mark.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)), (0, (8, 2, 2, 2)), (0, (3, 1, 1, 1, 1, 1)))
MARKS = ("o", "s", "D", "^", "v", "P", "X")
INK, MUTED, FAINT = "#222222", "#595959", "#DDDDDD"

WIDTH, HEIGHT, DPI = 8.0, 4.5, 110
# Text is sized relative to the font, which is smaller on small Axes.
SMALL = "small"
_FONT, _LABEL, _TITLE, _IN_SMALL = 10.5, 10.0, 12.0, 0.833
# Axes of this many points hold text at its full size.
_ROOMY = (420.0, 220.0)
_ALT, _OWNED, _EXPLAINS = "_periodkit_alt", "_periodkit_owned", "_periodkit_explains"
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
    """Let a drawing function see the package's style, at the size of the Axes it is given, and nobody else."""

    @functools.wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Axes:
        before = set(plt.get_fignums())
        given = next((each for each in (*args, *kwargs.values()) if isinstance(each, Axes)), None)
        try:
            with _settings(_STYLE | _sizes(given)):
                return draw(*args, **kwargs)
        except Exception:
            # A half-drawn picture would show up at the end of a notebook cell.
            for number in set(plt.get_fignums()) - before:
                plt.close(number)
            raise

    return drawn


@contextmanager
def _settings(style: dict[str, Any]) -> Iterator[None]:
    # Not rc_context, which puts back every setting: the first picture of a notebook switches interactive drawing on,
    # and without that no later picture would be shown.
    settings: Any = mpl.rcParams
    before = {name: settings[name] for name in style}
    try:
        settings.update(style)
        yield
    finally:
        settings.update(before)


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
    """Return whether the Axes are on a figure that was opened for them, and so is laid out around them."""
    return bool(getattr(ax, _OWNED, False))


def points_of(ax: Axes) -> tuple[float, float]:
    """Return the present width and height of the Axes in points."""
    box, dpi = ax.get_window_extent(), figure_of(ax).dpi
    return float(72 * box.width / dpi), float(72 * box.height / dpi)


def open_axes(given: object, height: float = HEIGHT) -> Axes:
    """Return the Axes to draw on: the one given, or a new figure's."""
    if given is None:
        _, ax = plt.subplots(figsize=(WIDTH, height), dpi=DPI, layout="constrained")
        setattr(ax, _OWNED, True)
    elif isinstance(given, Axes):
        ax = given
    else:
        msg = f"ax is {given!r}; it takes a matplotlib Axes, such as plt.subplots() returns."
        raise ArgumentError(msg)
    # Axes that the caller made look as their settings had it, not as ours.
    ax.set_facecolor("white")
    ax.set_axisbelow(True)
    ax.tick_params(labelsize=SMALL, colors=MUTED, labelcolor=INK, length=3)
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(MUTED)
    for axis in (ax.xaxis, ax.yaxis):
        axis.label.set_fontsize(mpl.rcParams["axes.labelsize"])
        axis.label.set_color(INK)
    return ax


def finish(ax: Axes, title: str, subtitle: str, alt: str) -> Axes:
    """Put the finding above the picture, what it rests on below that, and keep the words for who cannot see it."""
    _settle(ax)
    size, small = float(mpl.rcParams["axes.titlesize"]), _IN_SMALL * float(mpl.rcParams["font.size"])
    # Average widths of the default font, in em; too narrow is better than a title that pushes the picture aside.
    room = _points_to_the_right(ax)
    lines = _wrap(title, room / (0.59 * size), 4)
    notes = _wrap_parts(subtitle, room / (0.58 * small), 4)
    ax.set_title(
        drawable("\n".join(lines)),
        loc="left",
        pad=0.8 * small + 1.3 * small * len(notes),
        fontsize=size,
        fontweight="bold",
        color=INK,
        linespacing=1.15,
    )
    ax.annotate(
        drawable("\n".join(notes)),
        (0, 1),
        (0, 0.65 * small),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="left",
        va="bottom",
        fontsize=SMALL,
        color=MUTED,
        linespacing=1.2,
        annotation_clip=False,
    )
    setattr(ax, _ALT, " ".join(alt.split()))
    figure = figure_of(ax)
    # Notebooks ask an object that they show for what belongs to its picture.
    figure._repr_mimebundle_ = functools.partial(_bundle, words_of(figure))  # type: ignore[attr-defined]
    return ax


def words_of(figure: Figure) -> str:
    """Return the words of all pictures on a figure."""
    return " ".join(text for each in figure.axes if (text := getattr(each, _ALT, "")))


def _bundle(words: str, **_: object) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    return {}, {"image/png": {"alt": words}}


def explain(given: object, what: str, reason: str, subtitle: str = "") -> Axes:
    """Draw a sentence where there is nothing else to draw."""
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
    setattr(ax, _EXPLAINS, True)
    return finish(ax, what, subtitle, f"{what}: {reason[:1].lower()}{reason[1:]}. {subtitle}")


def explains(ax: Axes) -> bool:
    """Return whether a sentence was drawn, because there is nothing else to draw."""
    return bool(getattr(ax, _EXPLAINS, False))


def nothing_of(n: int, why: str) -> str:
    """Say why there is nothing to draw: no actions at all, or none of the `n` that there are."""
    return f"{'No action' if n == 1 else f'None of {count(n)}'} {why}" if n else "No actions to show"


def alt_text(ax: Axes) -> str:
    """Return what a picture says, in words, for who cannot see it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of `periodkit.plots` returned.

    Returns
    -------
    str
        One paragraph, made from the numbers that were drawn.

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
    >>> alt_text(ax)[:54]
    'AI dispatched 66.7 % (95 % interval 20.8–93.9 %) of 3 '
    >>> ax.figure.clear()
    """
    text = getattr(ax, _ALT, None)
    if not isinstance(text, str):
        msg = "ax has no words: it was not drawn by periodkit.plots. Pass what one of its functions returned."
        raise ArgumentError(msg)
    return text


def figure_of(ax: Axes) -> Figure:
    """Return the whole figure that holds an Axes, be it in a subfigure or not."""
    figure = ax.get_figure(root=True)
    if not isinstance(figure, Figure):
        msg = "ax is on no figure any more; draw it again."
        raise ArgumentError(msg)
    return figure


def _wrap(text: str, width: float, lines: int) -> list[str]:
    # A number and what it counts stay on one line.
    held = re.sub(r"(?<=\d) (?=[\w%])", "\N{NO-BREAK SPACE}", text)
    widths = range(max(int(width), 16), 15, -1)
    wrapped = [textwrap.wrap(held, each, max_lines=lines, placeholder=" …", break_on_hyphens=False) for each in widths]
    # Of the ways that take as few lines as the widest, the one that leaves no word alone on the last; nothing is cut.
    same = [each for each in wrapped if len(each) == len(wrapped[0]) and " ".join(each) == " ".join(wrapped[0])]
    return [each.replace("\N{NO-BREAK SPACE}", " ") for each in same[-1]]


def _wrap_parts(text: str, width: float, lines: int) -> list[str]:
    # Lines break between the parts of a subtitle; only a part that is longer than a line breaks within.
    wide = max(int(width), 16)
    found: list[str] = []
    for part in filter(None, text.split(" · ")):
        if found and len(found[-1]) + 3 + len(part) <= wide:
            found[-1] += f" · {part}"
        else:
            found += textwrap.wrap(part, wide)
    return found if len(found) <= lines else textwrap.wrap(text, wide, max_lines=lines, placeholder=" …")


def _settle(ax: Axes) -> None:
    # The width left for a title is known only once the labels beside the axis have been given room.
    engine = figure_of(ax).get_layout_engine()
    if is_own(ax) and engine is not None:
        engine.execute(figure_of(ax))


def _points_to_the_right(ax: Axes) -> float:
    figure = figure_of(ax)
    box = ax.get_window_extent()
    right = figure.bbox.x1 if is_own(ax) else box.x1
    return float(72 * (right - box.x0) / figure.dpi)
