"""Plots as PNG and in notebooks: the same bytes every time, with their alt texts."""

from __future__ import annotations

import base64
import html
import io

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from periodkit.errors import ConfigError
from periodkit.plots._drawing.canvas import alt_text, figure_alt_text, figure_of

__all__ = ["display", "to_image", "to_png"]

_MARGIN = 0.08
"""Inches around what is drawn."""


def to_png(ax: Axes, dpi: float | None = None) -> bytes:
    """Return the figure as PNG with its alt text, without times or versions.

    Parameters
    ----------
    ax : matplotlib.axes.Axes
        What a function of `periodkit.plots` returned.
    dpi : float, optional
        Dots per inch; by default the figure's.

    Returns
    -------
    bytes
        The whole figure, cropped; equal for equal figures. The alt text is in the text chunk ``Description``.

    Raises
    ------
    ArgumentError
        `ax` is not on a figure.

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
    alt = figure_alt_text(figure)
    figure.savefig(
        buffer,
        format="png",
        dpi=figure.dpi if dpi is None else dpi,
        facecolor=figure.get_facecolor(),
        transparent=False,
        bbox_inches="tight",
        pad_inches=_MARGIN,
        metadata={"Software": None} | ({"Description": alt} if alt else {}),
    )
    return buffer.getvalue()


def to_image(ax: Axes) -> Image.Image:
    """Return a figure made within `off_screen` as an image.

    It is cropped like `to_png`, and takes less time: the figure is laid out and drawn once, not twice.
    """
    figure = figure_of(ax)
    canvas, dpi = figure.canvas, figure.dpi
    assert isinstance(canvas, FigureCanvasAgg)  # noqa: S101
    canvas.draw()
    box = figure.get_tightbbox(canvas.get_renderer())
    pixels = np.asarray(canvas.buffer_rgba())
    height, width = (side / dpi for side in pixels.shape[:2])
    if min(box.x0, box.y0) < 0 or box.x1 > width or box.y1 > height:
        # Something stands outside of the figure, where nothing was drawn.
        with Image.open(io.BytesIO(to_png(ax))) as whole:
            return whole.convert("RGB")
    edges = np.array([box.x0, height - box.y1, box.x1, height - box.y0]) + _MARGIN * np.array([-1, -1, 1, 1])
    left, top, right, bottom = np.rint(dpi * edges).astype(int).tolist()
    page = Image.new("RGB", (right - left, bottom - top), "white")
    page.paste(Image.fromarray(pixels).convert("RGB"), (-left, -top))
    return page


def display(ax: Axes, dpi: float | None = None) -> None:
    """Show the figure in a notebook with its alt text beneath, to unfold, and close it.

    The text is also the image's alt attribute, but JupyterLab and most code hosts do not pass that on to screen readers.
    A figure that a notebook shows by itself, at the end of a cell, has only the attribute.

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
        msg = "display() works in notebooks. Install periodkit[lab], or use to_png() or ax.figure.savefig()."
        raise ConfigError(msg) from None
    alt_text(ax)
    alt = figure_alt_text(figure_of(ax))
    image = base64.b64encode(to_png(ax, dpi)).decode("ascii")
    show({"image/png": image, "text/plain": alt}, metadata={"image/png": {"alt": alt}}, raw=True)
    folded = f"<details><summary>This plot in words</summary><p>{html.escape(alt)}</p></details>"
    show({"text/html": folded, "text/plain": alt}, raw=True)
    plt.close(figure_of(ax))
