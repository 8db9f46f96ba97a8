"""An executed notebook -> one self-contained HTML page: no script, no font, nothing from the network."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from typing import Any, TypeAlias

import mistune

from periodkit._version import __version__
from periodkit.reporting.page.blocks import template
from periodkit.reporting.page.stamp import MIME, stamp_tags

__all__ = ["periods_of", "to_html", "where_in"]

Notebook: TypeAlias = Mapping[str, Any]
"""A notebook as its file holds it, with each source as one text; nbformat's NotebookNode is one."""

_MADE_WITH = ("pandas", "numpy", "scipy", "matplotlib")
_SHOWN = ("text/html", "image/png", "text/plain")
_RUNS = {"application/javascript", "text/markdown", "image/svg+xml", "text/latex"}
_TITLE = re.compile(r"^## (.+)$", re.MULTILINE)


def to_html(
    notebook: Notebook,
    title: str | None = None,
    command: str = "",
    source: str = "",
    snapshot: str | None = None,
) -> str:
    """Return an executed notebook as one HTML page: its text and outputs, without code.

    Parameters
    ----------
    notebook : mapping
        The notebook; Markdown cells tagged ``notebook`` are left out.
    title : str, optional
        Title of the page; by default the one in the notebook's stamp.
    command : str
        The command that makes this page again.
    source, snapshot : str, optional
        Where the data came from: ``"api"``, ``"archive"``, ``"frames"``, or ``"actions"`` without their periods; and the
        archive's snapshot.
    """
    stamp = _stamp(notebook)
    sections: list[tuple[str, str]] = []
    page = template("index.html.j2").render(
        title=title or (stamp or {}).get("title") or "Report",
        version=__version__,
        tags={} if stamp is None else stamp_tags(stamp, snapshot),
        cells=list(_cells(notebook, sections)),
        sections=sections,
        stamp=stamp,
        source=source,
        snapshot=snapshot,
        command=command,
        made_with=f"periodkit {__version__}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in _MADE_WITH),
    )
    # Blank lines of the templates.
    return re.sub(r"\n\s*\n+", "\n", page).strip() + "\n"


def periods_of(notebook: Notebook) -> list[int]:
    """Return the ids of the periods that an executed notebook reports on."""
    return [int(key) for key in (_stamp(notebook) or {}).get("periods", {})]


def where_in(notebook: Notebook) -> dict[str, list[str | None]]:
    """Return the part of the actions that an executed notebook reports on; empty for all."""
    return dict((_stamp(notebook) or {}).get("where", {}))


def _cells(notebook: Notebook, sections: list[tuple[str, str]]) -> Iterator[dict[str, Any]]:
    """Yield what the page shows of each cell, and note the anchor and the title of every section."""
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            outputs = [shown for output in cell.get("outputs", []) for shown in _output(output)]
            if outputs:
                yield {"outputs": outputs}
        elif "notebook" not in cell["metadata"].get("tags", []):
            # The text is the package's own; text from the API never reaches Markdown.
            words = str(mistune.html(cell["source"]))
            for title in _TITLE.findall(cell["source"]):
                anchor = title.replace(" ", "-")
                sections.append((anchor, title))
                words = words.replace(f"<h2>{title}</h2>", f'<h2 id="{anchor}">{title}</h2>', 1)
            yield {"words": words}


def _output(output: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the best form of an output; none of what could run, nor of printed text."""
    data = output.get("data", {})
    kind = next((kind for kind in _SHOWN if kind in data), None)
    if kind is not None and not (kind == "text/plain" and _RUNS & set(data)):
        yield {"kind": kind, "data": data, "alt": output.get("metadata", {}).get(kind, {}).get("alt", "")}


def _stamp(notebook: Notebook) -> dict[str, Any] | None:
    outputs = (output.get("data", {}) for cell in notebook["cells"] for output in cell.get("outputs", []))
    return next((dict(data[MIME]) for data in outputs if MIME in data), None)
