"""Reports of a data set, as the package makes them, with what only tests look at."""

import matplotlib.pyplot as plt

import periodkit as pk
from periodkit.jupyter import report_notebook, run_cells
from periodkit.reporting.page.html import to_html
from periodkit.sandbox import Sandbox


def draw(client, *, season=False, **parameters):
    """Return the page that the notebook makes with these parameters."""
    notebook = run_cells(report_notebook(season=season), {"source": client, "phone": True, **parameters})
    assert not plt.get_fignums()
    return to_html(notebook, command="periodkit report", source="api")


def page_of(data, **parameters):
    """Return the page that the notebook makes of a data set."""
    with Sandbox(data) as sandbox, pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        page = draw(client, **parameters)
    assert sandbox.token not in page
    return page
