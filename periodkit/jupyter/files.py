"""Notebooks as files: find them, set their parameters, execute them and remove what changes from run to run."""

from __future__ import annotations

import atexit
import importlib.util
import os
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from periodkit.errors import ArgumentError, ConfigError, PeriodkitError
from periodkit.jupyter.interrupt import interruptible_client
from periodkit.jupyter.kernel import kernel_manager
from periodkit.jupyter.png import shrink

__all__ = [
    "as_committed",
    "execute",
    "normalise",
    "notebooks_folder",
    "open_notebook",
    "parameterise",
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


def parameterise(path: Path, parameters: Mapping[str, Any]) -> Notebook:
    """Read a notebook and set values after its cell tagged ``parameters``.

    Raises
    ------
    ArgumentError
        The notebook has no parameter of that name.
    ConfigError
        The extra ``lab`` is not installed.
    """
    require("papermill")
    from papermill.inspection import inspect_notebook  # noqa: PLC0415
    from papermill.iorw import load_notebook_node  # noqa: PLC0415
    from papermill.parameterize import parameterize_notebook  # noqa: PLC0415

    known = inspect_notebook(str(path))
    wrong = [name for name in parameters if name not in known]
    if wrong:
        msg = f"The notebook has no parameter {wrong[0]!r}; it has {', '.join(known) or 'none'}."
        raise ArgumentError(msg)
    filled = parameterize_notebook(load_notebook_node(str(path)), dict(parameters))
    for cell in filled.cells:
        if "injected-parameters" in cell.metadata.get("tags", []):
            cell["id"] = "injected-parameters"  # papermill's own is random
    return filled


def execute(
    notebook: Notebook,
    folder: Path,
    environment: Mapping[str, str] | None = None,
    timeout: int = 300,
    on_cell: Callable[[], object] | None = None,
) -> Notebook:
    """Run every cell in a fresh kernel of this Python and return the notebook with its outputs.

    Where the kernel dies or does not start, all of it is run once more in another.

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
    on_cell : callable, optional
        Called after each code cell.

    Raises
    ------
    PeriodkitError
        A cell failed or took too long, or two kernels died; the message says what to do.
    """
    require("nbclient")
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError  # noqa: PLC0415

    with tempfile.TemporaryFile() as stderr:
        try:
            try:
                _run(notebook, folder, environment, timeout, stderr, on_cell)
            except RuntimeError:  # it died, or did not answer when it should have started
                _run(notebook, folder, environment, timeout, stderr, on_cell)
        except CellExecutionError as error:
            raise PeriodkitError(f"A notebook cell failed: {error.ename}: {error.evalue}") from None
        except CellTimeoutError:
            raise PeriodkitError(f"A notebook cell took longer than {timeout} s. Ask for fewer periods.") from None
        except DeadKernelError:
            msg = (
                "The notebook's kernel died before it was done, and so did a second one, most often because memory ran out. "
                "Ask for fewer periods, or compare with fewer, and close other kernels; open the notebook with `periodkit "
                f"lab` to see which cell it is.{_last_line(stderr)}"
            )
            raise PeriodkitError(msg) from None
        except RuntimeError as error:
            msg = (
                f"The notebook's kernel did not start, nor did a second one: {error}. Close other programs, or check that "
                f"`{sys.executable} -m ipykernel --version` works.{_last_line(stderr)}"
            )
            raise PeriodkitError(msg) from None
    return notebook


def _run(
    notebook: Any,  # noqa: ANN401
    folder: Path,
    environment: Mapping[str, str] | None,
    timeout: int,
    stderr: BinaryIO,
    on_cell: Callable[[], object] | None,
) -> None:
    """Run every cell in one kernel. What the kernel itself writes goes to `stderr`: it is noise unless the kernel dies."""
    from traitlets.config import Config  # noqa: PLC0415

    client = interruptible_client()(
        notebook,
        kernel_manager_class=kernel_manager(),
        config=Config({"KernelManager": {"transport_encryption": "auto"}}),
        timeout=timeout,
        startup_timeout=120,
        iopub_timeout=60,  # on a busy machine outputs come late; by default they would be left out after 4 s
        kernel_name="python3",
        record_timing=False,
        store_widget_state=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_executed=None if on_cell is None else lambda **_: on_cell(),
    )
    try:
        client.execute(env={**os.environ, **(environment or {})}, stderr=stderr)
    except Exception:
        # At Ctrl-C nbclient ends the kernel, and then fails with whatever comes of that.
        if hasattr(client, "_async_cleanup_kernel_future"):
            raise KeyboardInterrupt from None
        raise
    finally:
        # nbclient leaves this behind where a kernel did not start, and it prints a traceback at exit.
        atexit.unregister(client._cleanup_kernel)


def _last_line(stderr: BinaryIO) -> str:
    """Return what a kernel wrote last, as the end of a message."""
    stderr.seek(0)
    lines = stderr.read().decode("utf-8", "replace").split("\n")
    return next((f" It wrote: {line.strip()}" for line in reversed(lines) if line.strip()), "")


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
