"""Notebooks run in this process: what they show, and that nothing of the caller's changes."""

import builtins
import json
import os
import sys
import threading
import warnings
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import nbformat
import pytest

import periodkit as pk
from periodkit.errors import ArgumentError
from periodkit.jupyter import files, report_notebook, run_cells, say

BEFORE = "value = 1\nother = 2"


def notebook_of(folder, *sources):
    cells = [
        {
            "cell_type": "code",
            "id": f"cell-{at}",
            "metadata": {"tags": [] if at else ["parameters"]},
            "source": [source],
        }
        for at, source in enumerate(sources)
    ]
    path = folder / "made.ipynb"
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    return path


def test_cells_share_names_take_parameters_and_keep_what_they_show(tmp_path):
    path = notebook_of(
        tmp_path, BEFORE, "from periodkit.jupyter import say\nsay(f'{value} & {other}')\nsay('b')", "value"
    )
    before, told = path.read_bytes(), []
    cells = run_cells(path, {"value": 7}, lambda: told.append(1))["cells"]
    assert [[out["data"]["text/plain"] for out in cell["outputs"]] for cell in cells] == [[], ["7 & 2", "b"], []]
    assert cells[1]["outputs"][0]["data"]["text/html"] == "<p>7 &amp; 2</p>"
    assert len(told) == 3
    assert path.read_bytes() == before


def test_a_parameter_that_the_notebook_lacks_is_named(tmp_path):
    with pytest.raises(ArgumentError, match=r"no parameter 'perid'; it has value, other\."):
        run_cells(notebook_of(tmp_path, BEFORE, "1 / 0"), {"perid": 1})


def test_what_a_cell_raises_is_raised_and_says_where_and_nothing_more_is_collected(tmp_path, capsys):
    path = notebook_of(tmp_path, BEFORE, "raise LookupError('gone')")
    with pytest.raises(LookupError, match="gone") as raised:
        run_cells(path, {})
    assert raised.traceback[-1].path == "made.ipynb, cell cell-1"
    say("afterwards")
    assert "afterwards" in capsys.readouterr().out


def state():
    return {
        "settings": dict(mpl.rcParams),
        "figures": plt.get_fignums(),
        "interactive": plt.isinteractive(),
        "main": (sys.modules["__main__"], dict(vars(sys.modules["__main__"]))),
        "builtins": sorted(vars(builtins)),
        "hooks": (sys.displayhook, sys.excepthook, sys.stdout, sys.stderr, warnings.showwarning),
        "filters": list(warnings.filters),
        "folder": Path.cwd(),
        "environment": dict(os.environ),
    }


@pytest.fixture(scope="module")
def archive(sandbox, tmp_path_factory):
    pytest.importorskip("deltalake")
    made = pk.Archive(tmp_path_factory.mktemp("few") / "archive")
    with pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        made.sync(client, start="2025-05-01")
    return made.path


@pytest.fixture(scope="module")
def plain(archive, tmp_path_factory):
    """The report of the archive, as made in the main thread."""
    return pk.report(output=tmp_path_factory.mktemp("plain") / "a.html", archive=archive, compare=1).read_bytes()


def test_a_report_leaves_the_caller_as_it_was_and_does_not_depend_on_him(archive, plain, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    style = {"font.size": 30, "savefig.dpi": 20, "axes.facecolor": "black", "figure.figsize": (1, 1), "axes.grid": True}
    with mpl.rc_context(style):
        figure = plt.figure()
        before = state()
        styled = pk.report(output="b.html", archive=archive, compare=1).read_bytes()
        assert state() == before
        assert plt.gcf() is figure
        plt.close(figure)
    assert styled == plain
    assert capfd.readouterr() == ("", "")


def test_reports_in_threads_are_those_of_the_main_thread(archive, plain, tmp_path):
    def make(name):
        pk.report(output=tmp_path / name, archive=archive, compare=1)

    threads = [threading.Thread(target=make, args=(f"{at}.html",)) for at in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (tmp_path / "0.html").read_bytes() == (tmp_path / "1.html").read_bytes() == plain


def shown(cells):
    """Return what each cell shows, without the plain text that a notebook drops beside a richer form."""
    return [
        [{kind: each for kind, each in out["data"].items() if kind != "text/plain"} for out in cell["outputs"]]
        for cell in cells
        if cell["cell_type"] == "code"
    ]


@pytest.mark.notebook
def test_a_kernel_shows_what_is_collected_without_one_and_a_report_can_be_written_in_a_notebook(
    archive, plain, tmp_path
):
    path = report_notebook(season=False)
    parameters = {"archive": str(archive), "compare": 1, "phone": True}
    notebook = files.open_notebook(path)
    at = 1 + next(at for at, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    notebook.cells.insert(
        at, nbformat.v4.new_code_cell("\n".join(f"{name} = {each!r}" for name, each in parameters.items()))
    )
    notebook.cells.append(
        nbformat.v4.new_code_cell(f"pk.report(output='in.html', archive={str(archive)!r}, compare=1)")
    )
    in_kernel = files.execute(notebook, tmp_path).cells
    assert in_kernel[-1].outputs[0]["data"]["text/plain"] == "PosixPath('in.html')"
    assert len(in_kernel[-1].outputs) == 1
    assert (tmp_path / "in.html").read_bytes() == plain
    here = run_cells(path, parameters)["cells"]
    assert shown(in_kernel[:at] + in_kernel[at + 1 : -1]) == shown(here)
