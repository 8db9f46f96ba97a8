"""What a cell shows: sentences, and anything else in several forms at once."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["collected", "say", "show_as"]

_COLLECTED: ContextVar[list[dict[str, Any]] | None] = ContextVar("collected", default=None)


def say(text: str, *, lead: bool = False, note: bool = False, strong: bool = False) -> None:
    """Show a sentence; it may hold values from the API, and is escaped as HTML.

    Parameters
    ----------
    text : str
        The sentence.
    lead, note : bool
        Whether to show it larger, or smaller, in a report.
    strong : bool
        Whether to show it in bold, in a notebook too.
    """
    kind = ' class="lead"' if lead else ' class="note"' if note else ""
    words = html.escape(text)
    show_as({"text/html": f"<p{kind}>{f'<strong>{words}</strong>' if strong else words}</p>", "text/plain": text})


def show_as(data: Mapping[str, object], metadata: Mapping[str, object] | None = None) -> None:
    """Show something in several forms, by MIME type; the notebook takes the richest."""
    shown = _COLLECTED.get()
    if shown is not None:
        shown.append({"output_type": "display_data", "data": dict(data), "metadata": dict(metadata or {})})
        return
    from IPython.display import display  # noqa: PLC0415  (the extra "lab")

    display(dict(data), metadata=dict(metadata or {}), raw=True)


@contextmanager
def collected() -> Iterator[list[dict[str, Any]]]:
    """Collect what this thread shows as the outputs of a cell, instead of showing it."""
    shown: list[dict[str, Any]] = []
    before = _COLLECTED.set(shown)
    try:
        yield shown
    finally:
        _COLLECTED.reset(before)
