"""Pictures on their way out: the same bytes every time, with their words beside them."""

from __future__ import annotations

import base64
import html
import io

import matplotlib.pyplot as plt
from matplotlib.axes import Axes

from periodkit.errors import ConfigError
from periodkit.plots._drawing.canvas import alt_text, figure_of, words_of

__all__ = ["display", "to_png"]


def to_png(ax: Axes, dpi: float | None = None) -> bytes:
    """Return the picture as PNG, which holds its words, but neither the time nor the versions that made it.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of `periodkit.plots` returned.
    dpi : float, optional
        Dots per inch; by default the figure's.

    Returns
    -------
    bytes
        The whole figure, cut close; equal for equal pictures. Its words are in the text chunk ``Description``.

    Raises
    ------
    ArgumentError
        `ax` is on no figure.

    Examples
    --------
    >>> import pandas as pd
    >>> import periodkit as pk
    >>> ax = pk.plots.dispatch_rate(pd.DataFrame({"ai_dispatched": pd.array([True, False], dtype="boolean")}))
    >>> to_png(ax)[1:4], to_png(ax) == to_png(ax)
    (b'PNG', True)
    >>> ax.figure.clear()
    """
    figure = figure_of(ax)
    buffer = io.BytesIO()
    words = words_of(figure)
    figure.savefig(
        buffer,
        format="png",
        dpi=figure.dpi if dpi is None else dpi,
        facecolor=figure.get_facecolor(),
        transparent=False,
        bbox_inches="tight",
        pad_inches=0.08,
        metadata={"Software": None} | ({"Description": words} if words else {}),
    )
    return buffer.getvalue()


def display(ax: Axes, dpi: float | None = None) -> None:
    """Show the picture in a notebook with its words beneath, to unfold, and close its figure.

    The words are the picture's alternative text as well. That alone would not do: neither JupyterLab nor most code hosts
    hand it on to a screen reader. A picture that a notebook shows by itself, at the end of a cell, has only that.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of `periodkit.plots` returned.
    dpi : float, optional
        Dots per inch; by default the figure's.

    Raises
    ------
    ArgumentError
        `ax` was not drawn by `periodkit.plots`.
    ConfigError
        IPython is not installed.

    Examples
    --------
    >>> import periodkit as pk
    >>> pk.plots.display(pk.plots.cycle_time_ecdf(actions))  # doctest: +SKIP
    """
    try:
        from IPython.display import display as show  # noqa: PLC0415  (only notebooks have it)
    except ImportError:
        msg = "display() is for notebooks. Install periodkit[lab], or use to_png() or ax.figure.savefig()."
        raise ConfigError(msg) from None
    alt_text(ax)
    words = words_of(figure_of(ax))
    picture = base64.b64encode(to_png(ax, dpi)).decode("ascii")
    show({"image/png": picture, "text/plain": words}, metadata={"image/png": {"alt": words}}, raw=True)
    folded = f"<details><summary>This picture in words</summary><p>{html.escape(words)}</p></details>"
    show({"text/html": folded, "text/plain": words}, raw=True)
    plt.close(figure_of(ax))
