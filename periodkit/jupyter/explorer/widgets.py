"""The explorer's widgets: controls, places for what is shown, the code with its button. Knows no frames."""

from __future__ import annotations

import functools
import html
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from periodkit.errors import ConfigError
from periodkit.jupyter.explorer.answer import KeyFigure
from periodkit.jupyter.explorer.choice import Option
from periodkit.jupyter.files import require

__all__ = [
    "chart_widget",
    "close_all",
    "code_widget",
    "figures_html",
    "page",
    "require_lab",
    "styles",
    "table_html",
    "ticks_html",
]


def require_lab() -> None:
    """Raise a ConfigError that says what to install unless all that interactive pictures need is there."""
    for module in ("ipywidgets", "anywidget", "altair", "vl_convert"):
        try:
            require(module)
        except ConfigError:
            msg = f'Interactive pictures need the package {module!r}; install it with: pip install "periodkit[lab]"'
            raise ConfigError(msg) from None


def _text_of(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")


@functools.cache
def _code_class() -> type[Any]:
    import anywidget  # noqa: PLC0415  (the extra "lab")
    import traitlets  # noqa: PLC0415

    class CodeLine(anywidget.AnyWidget):  # type: ignore[misc,unused-ignore]
        _esm = _text_of("code_line.js")
        _css = _text_of("code_line.css")
        code = traitlets.Unicode("").tag(sync=True)

    return CodeLine


def code_widget() -> Any:  # noqa: ANN401
    """Return a widget that shows its ``code``, with a button that copies it."""
    return _code_class()()


def chart_widget() -> Any:  # noqa: ANN401
    """Return a widget that draws its ``spec``, a Vega-Lite chart, and loads nothing from the network."""
    import altair as alt  # noqa: PLC0415

    alt.JupyterChart.enable_offline()
    # Given a chart instead of a spec, it would check all of it against the schema, in most of the time of an answer.
    make: Any = alt.JupyterChart
    shown = make(None, embed_options={"actions": False, "renderer": "canvas"})
    shown.add_class("periodkit-picture")
    return shown


def styles() -> Any:  # noqa: ANN401
    """Return the style sheet as a widget of no height."""
    import ipywidgets as w  # noqa: PLC0415

    return w.HTML(f"<style>{_text_of('explorer.css')}</style>", layout=w.Layout(display="none"))


def several(title: str, options: Sequence[Option]) -> Any:  # noqa: ANN401
    """Return a list to choose several of; none chosen means all."""
    import ipywidgets as w  # noqa: PLC0415

    box = w.SelectMultiple(
        options=[(option.text, at) for at, option in enumerate(options)],
        rows=min(max(len(options), 2), 5),
        layout=w.Layout(width="auto", margin="0"),
        tooltip=f"Ctrl or Shift for several; none chosen means all. {title}",
    )
    head = w.HTML(f"<small>{html.escape(title)}: none chosen means all</small>", layout=w.Layout(margin="0"))
    return box, w.VBox([head, box], layout=w.Layout(flex="1 1 170px", min_width="150px", overflow="hidden"))


def single(title: str, options: Sequence[tuple[str, Any]], value: Any) -> Any:  # noqa: ANN401
    """Return a list to choose one of."""
    import ipywidgets as w  # noqa: PLC0415

    layout = w.Layout(width="auto", flex="1 1 190px", min_width="170px")
    style = {"description_width": "60px"}
    return w.Dropdown(description=title, options=[*options], value=value, layout=layout, style=style)


def page(*rows: Any) -> Any:  # noqa: ANN401
    """Return widgets one below the other, as one."""
    import ipywidgets as w  # noqa: PLC0415

    whole = w.VBox([styles(), *rows], layout=w.Layout(width="100%", overflow="hidden", grid_gap="4px"))
    whole.add_class("periodkit")
    return whole


def row(*parts: Any, grow: bool = False) -> Any:  # noqa: ANN401
    """Return widgets side by side, that wrap where there is no room."""
    import ipywidgets as w  # noqa: PLC0415

    for part in parts if grow else ():
        part.layout.flex = "1 1 340px"
        part.layout.min_width = "300px"
    return w.Box(
        [*parts], layout=w.Layout(display="flex", flex_flow="row wrap", width="100%", grid_gap="8px", overflow="hidden")
    )


def figures_html(figures: Sequence[KeyFigure]) -> str:
    """Return key figures as HTML."""
    cells = "".join(
        f"<div><small>{html.escape(one.name)}</small><b>{html.escape(one.value)}</b><small>{html.escape(one.note)}</small></div>"
        for one in figures
    )
    return f'<div class="periodkit-figures">{cells}</div>'


def ticks_html(ticks: Sequence[tuple[float, str]], steps: int) -> str:
    """Return the markers below a slider, each at its place; those without room are left to hover on."""
    shown, free = [], 0.0
    for place, name in ticks:
        room = 0.011 * len(name) + 0.02
        left = place + room > 1
        text = name if (place - room if left else place) >= free else ""
        free = (place + 0.01 if left else place + room) if text else free
        side = f"right: {100 * (1 - place):.2f}%" if left else f"left: {100 * place:.2f}%"
        kind = ' class="left"' if left else ""
        shown.append(f'<span{kind} style="{side}" title="{html.escape(name)}">{html.escape(text) or "&nbsp;"}</span>')
    return f'<div class="periodkit-ticks">{"".join(shown)}</div>' if steps else ""


def table_html(heads: Sequence[str], rows: Sequence[Sequence[str]], numbers: Sequence[bool]) -> str:
    """Return texts as an HTML table that scrolls."""
    kinds = [' class="number"' if number else "" for number in numbers]
    head = "".join(f"<th{kind}>{html.escape(name)}</th>" for kind, name in zip(kinds, heads, strict=True))
    body = "".join(
        "<tr>" + "".join(f"<td{kind}>{html.escape(cell)}</td>" for kind, cell in zip(kinds, one, strict=True)) + "</tr>"
        for one in rows
    )
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="periodkit-table" tabindex="0">{table}</div>'


def said_html(text: str, *, wrong: bool = False) -> str:
    """Return a sentence as HTML."""
    return f'<p class="periodkit-said{" wrong" if wrong else ""}">{html.escape(text)}</p>' if text else ""


def close_all(widget: Any) -> None:  # noqa: ANN401
    """Close a widget with all that it holds: its parts, their layouts and styles, which ipywidgets leaves open."""
    import ipywidgets as w  # noqa: PLC0415

    held = [value for name in widget.keys for value in [getattr(widget, name)] if isinstance(value, w.Widget)]
    for part in (*getattr(widget, "children", ()), *held):
        close_all(part)
    widget.close()


class Later:
    """Runs a function once, a little after it was last asked for, on the kernel's loop; at once where there is no loop."""

    def __init__(self, run: Callable[[], object], seconds: float) -> None:
        self._run, self._seconds = run, seconds
        self._handle: Any = None

    def ask(self) -> None:
        """Ask for a run."""
        import asyncio  # noqa: PLC0415

        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._run()
            return
        self.cancel()
        self._handle = loop.call_later(self._seconds, self._run)

    def cancel(self) -> None:
        """Forget a run that was asked for."""
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None
