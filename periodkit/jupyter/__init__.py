"""Notebooks as files, the kernel that runs them, what their cells show, and JupyterLab itself."""

from periodkit.jupyter.files import execute, normalise, notebooks_folder, parameterise, report_notebook
from periodkit.jupyter.lab import copy_notebooks, run_lab
from periodkit.jupyter.output import say, show_as
from periodkit.jupyter.png import in_few_colours

__all__ = [
    "copy_notebooks",
    "execute",
    "in_few_colours",
    "normalise",
    "notebooks_folder",
    "parameterise",
    "report_notebook",
    "run_lab",
    "say",
    "show_as",
]
