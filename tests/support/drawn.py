"""Reports drawn in this process: the notebook's own cells and the page made of them, without a kernel."""

import IPython.display
import matplotlib.pyplot as plt
import nbformat
import pytest

from periodkit.jupyter import files as nb
from periodkit.reporting.page.html import to_html
from periodkit.sandbox import Sandbox


def draw(monkeypatch, *, season=False, **parameters):
    """Return the page that the notebook makes with these parameters, against the account in the environment."""
    notebook = nb.parameterise(nb.report_notebook(season=season), {"phone": True, **parameters})
    shown = []

    def display(data, metadata=None, raw=False):
        assert raw
        shown.append(nbformat.v4.new_output("display_data", dict(data), metadata=metadata or {}))

    monkeypatch.setattr(IPython.display, "display", display)
    names = {}
    for cell in notebook.cells:
        if cell.cell_type == "code":
            shown.clear()
            exec(compile(cell.source, cell["id"], "exec"), names)
            cell.outputs = [*shown]
    assert not plt.get_fignums()
    return to_html(nb.normalise(notebook), command="periodkit report", source="api")


def account(monkeypatch, sandbox):
    """Let the environment name a sandbox as the account."""
    monkeypatch.setenv("ALO_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("ALO_API_TOKEN", sandbox.token)


def page_of(data, **parameters):
    """Return the page that the notebook makes of a data set."""
    with pytest.MonkeyPatch.context() as patch, Sandbox(data) as sandbox:
        account(patch, sandbox)
        page = draw(patch, **parameters)
    assert sandbox.token not in page
    return page
