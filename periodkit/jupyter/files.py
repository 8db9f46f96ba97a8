"""Notebooks as files: find them, execute them in a kernel and remove what changes from run to run."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from periodkit.errors import ConfigError, PeriodkitError
from periodkit.jupyter.kernel import kernel_manager
from periodkit.jupyter.png import shrink

__all__ = [
    "as_committed",
    "execute",
    "kernel",
    "normalise",
    "notebooks_folder",
    "open_notebook",
    "report_notebook",
    "require",
]

_ADDRESS = re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=0x)[0-9a-f]{6,}")
_WIDGET = "application/vnd.jupyter.widget-view+json"


Notebook: TypeAlias = Any
"""A NotebookNode; nbformat is not typed."""


def notebooks_folder() -> Path:
    """Return the folder of the curated notebooks, in an installed package or in a checkout."""
    shipped = Path(__file__).parent / "curated"
    return shipped if any(shipped.glob("0*.ipynb")) else Path(__file__).parents[2] / "notebooks"


def report_notebook(*, season: bool) -> Path:
    """Return the notebook of the event report, or of the season report."""
    if season:
        return Path(__file__).parent / "curated" / "season_report.ipynb"
    return notebooks_folder() / "04_after_action_report.ipynb"


def open_notebook(path: Path) -> Notebook:
    """Read a notebook file."""
    import nbformat  # noqa: PLC0415

    return nbformat.read(path, as_version=4)


def execute(
    notebook: Notebook, folder: Path, environment: Mapping[str, str] | None = None, timeout: int = 300
) -> Notebook:
    """Run every cell in a fresh kernel of this Python and return the notebook with its outputs.

    Parameters
    ----------
    notebook : NotebookNode
        Changed in place.
    folder : Path
        The kernel's working folder.
    environment : mapping, optional
        Environment variables for the kernel, in addition to those of this process.
    timeout : int
        The most seconds that a cell may take.

    Raises
    ------
    PeriodkitError
        A cell failed.
    ConfigError
        The extra ``lab`` is not installed.
    """
    with kernel(folder, environment, timeout) as run:
        return run(notebook)


@contextmanager
def kernel(
    folder: Path, environment: Mapping[str, str] | None = None, timeout: int = 300
) -> Iterator[Callable[[Notebook], Notebook]]:
    """Start a kernel of this Python; yields what `execute` does in it, for one notebook after another."""
    require("nbclient")
    from nbclient import NotebookClient  # noqa: PLC0415
    from nbclient.exceptions import CellExecutionError  # noqa: PLC0415
    from nbformat.v4 import new_notebook  # noqa: PLC0415
    from traitlets.config import Config  # noqa: PLC0415

    client = NotebookClient(
        new_notebook(),
        kernel_manager_class=kernel_manager(),
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
        timeout=timeout,
        startup_timeout=120,
        iopub_timeout=60,  # on a busy machine outputs come late; by default they would be left out after 4 s
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
    )

    def run(notebook: Notebook) -> Notebook:
        client.nb = notebook
        try:
            # What a kernel itself writes is noise.
            client.execute(cleanup_kc=False, env={**os.environ, **(environment or {})}, stderr=subprocess.DEVNULL)
        except CellExecutionError as error:
            raise PeriodkitError(f"A notebook cell failed: {error.ename}: {error.evalue}") from None
        return notebook

    try:
        yield run
    finally:
        if client.km is not None:
            client._cleanup_kernel()


def normalise(notebook: Notebook) -> Notebook:
    """Remove what changes from run to run from an executed notebook, and plain text beside a richer output."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        cell.metadata.pop("execution", None)
        # A widget is nothing without its kernel; the picture that some have beside them is kept.
        cell.outputs = [one for one in cell.outputs if _WIDGET not in one.get("data", {}) or "image/png" in one["data"]]
        for output in cell.outputs:
            data = output.get("data", {})
            data.pop(_WIDGET, None)
            if len(data) > 1:
                data.pop("text/plain", None)
            for kind, value in data.items():
                if kind.startswith("text/"):
                    data[kind] = _ADDRESS.sub("0", value)
            if "text" in output:
                output["text"] = _ADDRESS.sub("0", output["text"])
    return notebook


def as_committed(notebook: Notebook) -> Notebook:
    """Return an executed notebook in the form that is committed: normalised, with small pictures."""
    for cell in normalise(notebook).cells:
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if "image/png" in data:
                data["image/png"] = shrink(data["image/png"])
    return notebook


def require(module: str) -> None:
    """Raise a ConfigError that names the extra if a package of it is missing."""
    if importlib.util.find_spec(module) is None:
        msg = f'This needs the package {module!r}; install it with: pip install "periodkit[lab]"'
        raise ConfigError(msg)


def main(paths: list[str]) -> None:
    """Execute notebooks in place, against the sandbox, and write them in the form that is committed."""
    import nbformat  # noqa: PLC0415

    for path in map(Path, paths):
        notebook = as_committed(execute(open_notebook(path), path.parent))
        nbformat.write(notebook, path)
        sys.stdout.write(f"{path.name}: executed\n")
