"""A notebook + parameters -> one offline HTML file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from periodkit._version import __version__
from periodkit.notebook import execute, normalise, notebooks_folder, parameterise

__all__ = ["write_report"]

REPORT_NOTEBOOK = "04_after_action_report.ipynb"


def write_report(
    output: str | Path,
    periods: Sequence[int] | None = None,
    *,
    target: str = "20min",
    title: str = "After-action report",
    environment: Mapping[str, str] | None = None,
) -> Path:
    """Run the after-action notebook and write it as one self-contained HTML file.

    Parameters
    ----------
    output : path
        The file to write; it appears whole or not at all.
    periods : sequence of int, optional
        Period ids to report on; by default all that the account has.
    target : str
        The promised cycle time that the report holds the work against.
    title : str
        Title of the page.
    environment : mapping, optional
        ``ALO_BASE_URL`` and ``ALO_API_TOKEN`` for the notebook, where they are not those of this process. They reach the
        kernel as its environment and are written nowhere.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ConfigError
        The extra ``lab`` is not installed.
    PeriodkitError
        A cell of the notebook failed.
    """
    parameters = {"period_ids": None if periods is None else [int(each) for each in periods], "target": target}
    notebook = parameterise(notebooks_folder() / REPORT_NOTEBOOK, parameters)
    with tempfile.TemporaryDirectory() as folder:
        notebook = normalise(execute(notebook, Path(folder), environment))
    path = Path(output)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(to_html(notebook, title), encoding="utf-8", newline="\n")
    os.replace(unfinished, path)  # noqa: PTH105  (atomic, and overwrites on every system)
    return path


def to_html(notebook: Any, title: str) -> str:  # noqa: ANN401
    """Return an executed notebook as one HTML page: outputs and text without code, no script, no address."""
    from nbconvert import HTMLExporter  # noqa: PLC0415
    from traitlets.config import Config  # noqa: PLC0415

    templates = Path(__file__).parent / "templates"
    exporter = HTMLExporter(
        config=Config(),
        template_name="report",
        extra_template_basedirs=[str(templates)],
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
    )
    page, _ = exporter.from_notebook_node(notebook, {"periodkit": {"title": title, "version": __version__}})
    return str(page)
