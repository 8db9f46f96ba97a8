"""What a cell shows: sentences, and anything else in several forms at once."""

from __future__ import annotations

import html
from collections.abc import Mapping

__all__ = ["say", "show_as"]


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
    from IPython.display import display  # noqa: PLC0415  (the extra "lab")

    display(dict(data), metadata=dict(metadata or {}), raw=True)
