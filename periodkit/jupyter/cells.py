"""A notebook's cells, run in this process: without a kernel, in names of their own, with their outputs collected.

Nothing of the caller's is touched: no IPython shell is needed, so it works in a notebook, in a thread and without
IPython. The cells are plain Python, and show what they show with `show_as`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from periodkit.errors import ArgumentError
from periodkit.jupyter.output import collected

__all__ = ["count_cells", "run_cells"]


def count_cells(path: Path) -> int:
    """Return how many cells of a notebook are code."""
    return sum(cell["cell_type"] == "code" for cell in _read(path)["cells"])


def run_cells(path: Path, parameters: Mapping[str, Any], on_cell: Callable[[], object] | None = None) -> dict[str, Any]:
    """Run the code cells of a notebook file one after another and return the notebook with its outputs.

    Parameters
    ----------
    path : Path
        The notebook. It is left as it is.
    parameters : mapping
        Values that take the place of those in its cell tagged ``parameters``.
    on_cell : callable, optional
        Called after each code cell.

    Raises
    ------
    ArgumentError
        The notebook has no parameter of that name.
    Exception
        Whatever a cell raises.

    Examples
    --------
    >>> from periodkit.jupyter import report_notebook
    >>> run_cells(report_notebook(season=True), {"perid": 1})
    Traceback (most recent call last):
      ...
    periodkit.errors.ArgumentError: The notebook has no parameter 'perid'; it has period_ids, ...
    """
    notebook = _read(path)
    names: dict[str, Any] = {"__name__": path.stem}
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] != "code":
            continue
        with collected() as cell["outputs"]:
            exec(compile(cell["source"], f"{path.name}, cell {cell['id']}", "exec"), names)  # noqa: S102
        if "parameters" in cell["metadata"].get("tags", []):
            _fill(names, parameters)
        if on_cell is not None:
            on_cell()
    return notebook


def _fill(names: dict[str, Any], parameters: Mapping[str, Any]) -> None:
    known = [name for name in names if not name.startswith("__")]
    wrong = [name for name in parameters if name not in known]
    if wrong:
        msg = f"The notebook has no parameter {wrong[0]!r}; it has {', '.join(known) or 'none'}."
        raise ArgumentError(msg)
    names.update(parameters)


def _read(path: Path) -> dict[str, Any]:
    notebook: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return notebook
