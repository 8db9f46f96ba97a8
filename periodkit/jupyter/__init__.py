"""Notebooks as files, the kernel that runs them, what their cells show, and JupyterLab itself."""

from periodkit.jupyter.cells import count_cells, run_cells
from periodkit.jupyter.files import execute, normalise, notebooks_folder, report_notebook
from periodkit.jupyter.lab import copy_notebooks, run_lab
from periodkit.jupyter.output import say, show_as
from periodkit.jupyter.png import in_few_colours

__all__ = [
    "copy_notebooks",
    "count_cells",
    "execute",
    "in_few_colours",
    "normalise",
    "notebooks_folder",
    "report_notebook",
    "run_cells",
    "run_lab",
    "say",
    "show_as",
]
