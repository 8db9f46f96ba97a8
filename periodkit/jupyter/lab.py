"""JupyterLab on the curated notebooks: a working folder, this Python's kernel, a server."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from periodkit.errors import ConfigError
from periodkit.jupyter.files import notebooks_folder, require
from periodkit.jupyter.kernel import write_kernelspec

__all__ = ["copy_notebooks", "run_lab"]

_MARK = "periodkit"


def copy_notebooks(folder: Path) -> tuple[list[str], list[str]]:
    """Copy the curated notebooks into a folder; files that are already there are kept.

    Each copy records its version, so that a later call can tell whether it is outdated.

    Parameters
    ----------
    folder : Path
        The working folder; made where it is missing.

    Returns
    -------
    copied, outdated : list of str
        Names of the notebooks that were copied, and of those that were kept although this periodkit has a newer version.

    Raises
    ------
    ConfigError
        The folder cannot be written to.
    """
    copied, outdated = [], []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for source in sorted(notebooks_folder().glob("0*.ipynb")):
            notebook = json.loads(source.read_text(encoding="utf-8"))
            version, target = _version(notebook), folder / source.name
            if target.exists():
                if _made_from(target) != version:
                    outdated.append(source.name)
                continue
            notebook["metadata"][_MARK] = {"version": version}
            text = json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"
            # "x" never overwrites a file that appeared in the meantime.
            with target.open("x", encoding="utf-8", newline="\n") as file:
                file.write(text)
            copied.append(source.name)
    except OSError as error:
        msg = f"The notebooks cannot be copied into {str(folder)!r}: {error.strerror or error}. Name another folder."
        raise ConfigError(msg) from error
    return copied, outdated


def run_lab(folder: Path, *, browser: bool = True, port: int | None = None) -> None:
    """Run JupyterLab on a folder until it is stopped.

    Its kernel "Python 3" is always this Python. It does not look for news or updates, so it works offline.

    Parameters
    ----------
    folder : Path
        The working folder.
    browser : bool
        Whether to open a browser.
    port : int, optional
        Port on this machine; by default JupyterLab takes 8888 or the next free one.

    Raises
    ------
    ConfigError
        JupyterLab is not installed, or ended with an error.
    """
    for module in ("jupyterlab", "ipykernel"):
        require(module)
    command = [sys.executable, "-m", "jupyterlab", str(folder)]
    command += [
        "--log-level=WARN",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        "--LabApp.extension_manager=readonly",
    ]
    # Containers often run as root; the server listens on this machine only and requires its token.
    command += ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command += [] if browser else ["--no-browser"]
    command += [] if port is None else [f"--port={port}", "--ServerApp.port_retries=0"]
    with tempfile.TemporaryDirectory(prefix="periodkit-lab-") as ours:
        write_kernelspec(Path(ours))
        _ask_for_no_news(Path(ours))
        first = {
            name: os.pathsep.join(filter(None, [ours, os.environ.get(name)]))
            for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH")
        }
        code = _wait(command, {**os.environ, **first})
    if code > 0:
        msg = f"JupyterLab ended with exit code {code}; see its messages above."
        raise ConfigError(msg)


def _ask_for_no_news(folder: Path) -> None:
    """Disable JupyterLab's news prompt, in a folder of JUPYTER_CONFIG_PATH."""
    home = folder / "labconfig"
    home.mkdir()
    page = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (home / "page_config.json").write_text(json.dumps(page), encoding="utf-8")


def _wait(command: list[str], environment: dict[str, str]) -> int:
    with subprocess.Popen(command, env=environment) as server:  # noqa: S603  (our own arguments)
        while True:
            try:
                return server.wait()
            except SystemExit:  # the command line makes one of SIGTERM
                server.terminate()
                raise
            except KeyboardInterrupt:
                # JupyterLab gets Ctrl-C too, and asks whether to stop.
                continue


def _version(notebook: dict[str, Any]) -> str:
    cells = [[cell["cell_type"], "".join(cell["source"])] for cell in notebook["cells"]]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:12]


def _made_from(path: Path) -> str | None:
    """Return the version that a file was copied from; if it has no record, the version of its content."""
    try:
        notebook = json.loads(path.read_text(encoding="utf-8"))
        mark = notebook["metadata"].get(_MARK)
        return str(mark["version"]) if mark else _version(notebook)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
