"""What lives in JupyterLab: notebooks as files, kernels, JupyterLab itself."""

from periodkit.jupyter.files import execute, normalise, notebooks_folder, parameterise, report_notebook, say
from periodkit.jupyter.lab import copy_notebooks, run_lab
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
]
