"""Notebooks as files, the kernel that runs them, what their cells show, and JupyterLab itself."""

from importlib import import_module as _import
from typing import TYPE_CHECKING

from periodkit.jupyter.cells import count_cells, run_cells
from periodkit.jupyter.files import execute, normalise, notebooks_folder, report_notebook
from periodkit.jupyter.lab import copy_notebooks, run_lab
from periodkit.jupyter.output import say, show_as
from periodkit.jupyter.png import in_few_colours

if TYPE_CHECKING:
    from periodkit.jupyter.board import live
    from periodkit.jupyter.explorer import explore

__all__ = [
    "copy_notebooks",
    "count_cells",
    "execute",
    "explore",
    "in_few_colours",
    "live",
    "normalise",
    "notebooks_folder",
    "report_notebook",
    "run_cells",
    "run_lab",
    "say",
    "show_as",
]


# They draw, and what only runs notebooks does not: each is loaded when it is first used.
_HOMES = {"explore": "explorer", "live": "board"}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(_import(f"{__name__}.{_HOMES[name]}"), name)
    return value
