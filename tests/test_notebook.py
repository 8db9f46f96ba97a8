"""The curated notebooks: executed, compared with what is committed, and given parameters."""

import nbformat
import pytest

from periodkit import notebook as nb
from periodkit.errors import ArgumentError, PeriodkitError
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.server import Sandbox

NOTEBOOKS = sorted(nb.notebooks_folder().glob("*.ipynb"))


def outputs(notebook):
    """Return what a reader sees, pictures apart, by cell."""
    return {
        cell["id"]: [
            {
                kind: value
                for kind, value in output.get("data", {"text": output.get("text")}).items()
                if kind != "image/png"
            }
            for output in cell.get("outputs", [])
        ]
        for cell in notebook.cells
    }


def pictures(notebook):
    """Return the alt texts of the pictures."""
    return [
        output["metadata"].get("image/png", {}).get("alt", "")
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def test_there_are_notebooks():
    assert {"01_quickstart.ipynb", "04_after_action_report.ipynb"} <= {path.name for path in NOTEBOOKS}


@pytest.mark.notebook
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_committed_is_what_the_code_gives(path, tmp_path):
    committed = nbformat.read(path, as_version=4)
    executed = nb.normalise(nb.execute(nb.open_notebook(path), tmp_path, {"PYTHONWARNINGS": "default"}))
    streams = [out for cell in executed.cells for out in cell.get("outputs", []) if out.output_type == "stream"]
    assert not streams, f"a notebook shows tables and pictures, not {streams[0]}"
    assert outputs(executed) == outputs(committed), f"{path.name} has drifted: run `make notebooks` and look at it"
    assert pictures(executed) == pictures(committed)
    assert all(len(alt) > 40 for alt in pictures(executed))
    for cell in committed.cells:
        assert set(cell.metadata) <= {"tags"}


@pytest.mark.notebook
def test_the_quickstart_runs_on_recorded_data_unchanged(recorded_path, tmp_path):
    with Sandbox(DataSet.load(recorded_path)) as sandbox:
        account = {"ALO_BASE_URL": sandbox.base_url, "ALO_API_TOKEN": sandbox.token}
        executed = nb.execute(nb.open_notebook(nb.notebooks_folder() / "01_quickstart.ipynb"), tmp_path, account)
    shown = str(outputs(executed))
    for text in ("5,239", "68.7 % (67.4–69.9)", "63.6 min (62.4–64.6)", "Medical Incident", "SFFD watch 2020-04-20"):
        assert text in shown
    assert sandbox.token not in str(executed)
    assert len(pictures(executed)) == 2


def test_a_parameter_that_the_notebook_lacks_is_named():
    with pytest.raises(ArgumentError, match="no parameter 'perid'"):
        nb.parameterise(nb.notebooks_folder() / "04_after_action_report.ipynb", {"perid": 1})


@pytest.mark.notebook
def test_a_failing_cell_is_said(tmp_path):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("import periodkit as pk\npk.Client()")])
    with pytest.raises(PeriodkitError, match="ConfigError: No base_url"):
        nb.execute(notebook, tmp_path)
