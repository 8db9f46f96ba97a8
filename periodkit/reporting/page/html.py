"""An executed notebook -> one self-contained HTML page: no script, no font, nothing from the network."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any, TypeAlias

import nbconvert
from traitlets.config import Config

from periodkit._version import __version__
from periodkit.reporting.page.blocks import NARROW, TEMPLATES
from periodkit.reporting.page.stamp import MIME, stamp_tags

__all__ = ["periods_of", "to_html"]

Notebook: TypeAlias = Any
"""A NotebookNode; nbformat is not typed."""

_MADE_WITH = ("pandas", "numpy", "scipy", "matplotlib", "nbconvert")


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
    notebook : NotebookNode
        The notebook; cells tagged ``notebook`` are left out.
    title : str, optional
        Title of the page; by default the one in the notebook's stamp.
    command : str
        The command that makes this page again.
    source, snapshot : str, optional
        Where the data came from: ``"api"`` or ``"archive"``, and the archive's snapshot.
    """
    stamp = _stamp(notebook)
    exporter = nbconvert.HTMLExporter(
        config=Config(),
        template_name=TEMPLATES.name,
        extra_template_basedirs=[str(TEMPLATES.parent)],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    values: dict[str, Any] = {
        "title": title or (stamp or {}).get("title") or "Report",
        "version": __version__,
        "narrow": NARROW,
        "tags": {} if stamp is None else stamp_tags(stamp, snapshot),
        "sections": _sections(notebook),
        "stamp": stamp,
        "source": source,
        "snapshot": snapshot,
        "command": command,
        "made_with": f"periodkit {__version__}, Python {platform.python_version()}, "
        + ", ".join(f"{name} {version(name)}" for name in _MADE_WITH),
    }
    page = str(exporter.from_notebook_node(notebook, {"periodkit": values})[0])
    for anchor, words in values["sections"]:
        page = page.replace(f"<h2>{words}</h2>", f'<h2 id="{anchor}">{words}</h2>', 1)
    # Blank lines of the templates.
    return re.sub(r"\n\s*\n+", "\n", page).strip() + "\n"


def periods_of(notebook: Notebook) -> list[int]:
    """Return the ids of the periods that an executed notebook reports on."""
    return [int(key) for key in (_stamp(notebook) or {}).get("periods", {})]


def _stamp(notebook: Notebook) -> dict[str, Any] | None:
    outputs = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    return next((dict(data[MIME]) for data in outputs if MIME in data), None)


def _sections(notebook: Notebook) -> Sequence[tuple[str, str]]:
    """Return the anchor and the title of every section."""
    sources = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    heads = [head for source in sources for head in re.findall(r"^## (.+)$", source, re.MULTILINE)]
    return [(head.replace(" ", "-"), head) for head in heads]
