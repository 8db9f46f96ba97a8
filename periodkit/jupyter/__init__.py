"""Notebooks as files, the kernel that runs them, what their cells show, and JupyterLab itself."""

from importlib import import_module as _import
from typing import TYPE_CHECKING

from periodkit.jupyter.files import execute, normalise, notebooks_folder, parameterise, report_notebook
from periodkit.jupyter.lab import copy_notebooks, run_lab
from periodkit.jupyter.output import say, show_as
from periodkit.jupyter.png import in_few_colours

if TYPE_CHECKING:
    from periodkit.jupyter.explorer import explore

__all__ = [
    "copy_notebooks",
    "execute",
    "explore",
    "in_few_colours",
    "normalise",
    "notebooks_folder",
    "parameterise",
    "report_notebook",
    "run_lab",
    "say",
    "show_as",
]


def __getattr__(name: str) -> object:
    # It draws, and what only runs notebooks does not: each loads when it is first used.
    if name == "explore":
        return _import("periodkit.jupyter.explorer").explore
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
