"""An executed notebook -> one page that asks for nothing: no script, no font, no address."""

from __future__ import annotations

import platform
import re
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import nbconvert
from traitlets.config import Config

from periodkit._version import __version__
from periodkit.reporting.page.blocks import NARROW, TEMPLATES
from periodkit.reporting.page.stamp import MIME, stamp_tags

__all__ = ["periods_of", "to_html"]

_MADE_WITH = ("pandas", "numpy", "scipy", "matplotlib", "nbconvert")


def to_html(
    notebook: Any,  # noqa: ANN401
    title: str | None = None,
    command: str = "",
    source: str = "",
    snapshot: str | None = None,
) -> str:
    """Return an executed notebook as one HTML page: outputs and text without code, no script, no address.

    Parameters
    ----------
    notebook : NotebookNode
        The notebook; cells tagged ``notebook`` are for its readers alone and are left out.
    title : str, optional
        Title of the page; by default what the notebook says of itself.
    command : str
        The command that makes this page again.
    source, snapshot : str, optional
        Where the data came from: ``"api"`` or ``"archive"``, and which snapshot of it.
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


def periods_of(notebook: Any) -> list[int]:  # noqa: ANN401
    """Return the ids of the periods that an executed notebook reports on."""
    return [int(each) for each in (_stamp(notebook) or {}).get("periods", {})]


def _stamp(notebook: Any) -> dict[str, Any] | None:  # noqa: ANN401
    outputs = (output.get("data", {}) for cell in notebook.cells for output in cell.get("outputs", []))
    return next((dict(data[MIME]) for data in outputs if MIME in data), None)


def _sections(notebook: Any) -> Sequence[tuple[str, str]]:  # noqa: ANN401
    """Return the anchor and the words of every section."""
    sources = (cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    heads = [head for source in sources for head in re.findall(r"^## (.+)$", source, re.MULTILINE)]
    return [(head.replace(" ", "-"), head) for head in heads]
