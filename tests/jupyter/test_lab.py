"""`periodkit lab`: the working folder, the kernel, and every notebook in JupyterLab in a real browser."""

import importlib.util
import os
import shutil

import nbformat
import psutil
import pytest
from labs import PATIENCE, DeadKernelError, close_kernels, run_all, running_lab

from periodkit import cli, jupyter
from periodkit.errors import ConfigError
from periodkit.jupyter import lab
from periodkit.jupyter.files import notebooks_folder

NAMES = sorted(path.name for path in notebooks_folder().glob("*.ipynb"))


def first_source(path):
    return next(cell["source"] for cell in nbformat.read(path, 4).cells if cell["cell_type"] == "code")


def change_first_cell(path, text):
    notebook = nbformat.read(path, 4)
    notebook.cells[0]["source"] = text
    nbformat.write(notebook, path)


def test_notebooks_are_copied_once_and_the_users_own_are_kept(tmp_path):
    folder = tmp_path / "a folder" / "lab"
    assert lab.copy_notebooks(folder) == (NAMES, [])
    change_first_cell(folder / NAMES[0], "my own words")
    (folder / NAMES[1]).unlink()
    assert lab.copy_notebooks(folder) == ([NAMES[1]], [])
    assert nbformat.read(folder / NAMES[0], 4).cells[0]["source"] == "my own words"
    for name in NAMES[1:]:
        assert first_source(folder / name) == first_source(notebooks_folder() / name)
        nbformat.validate(nbformat.read(folder / name, 4))


def test_a_newer_version_is_said_and_the_users_own_is_kept(tmp_path, monkeypatch):
    shipped, folder = tmp_path / "shipped", tmp_path / "lab"
    shutil.copytree(notebooks_folder(), shipped)
    monkeypatch.setattr(lab, "notebooks_folder", lambda: shipped)
    lab.copy_notebooks(folder)
    before = (folder / NAMES[2]).read_bytes()
    change_first_cell(shipped / NAMES[2], "the new version")
    assert lab.copy_notebooks(folder) == ([], [NAMES[2]])
    assert (folder / NAMES[2]).read_bytes() == before


@pytest.mark.parametrize("text", ["", "no json", "[]", '{"metadata": null}'])
def test_a_file_of_that_name_that_is_no_notebook_is_kept(tmp_path, text):
    (tmp_path / NAMES[0]).write_text(text)
    assert lab.copy_notebooks(tmp_path)[1] == [NAMES[0]]
    assert (tmp_path / NAMES[0]).read_text() == text


def test_a_copy_made_by_hand_of_this_version_is_up_to_date(tmp_path):
    shutil.copy(notebooks_folder() / NAMES[0], tmp_path)
    assert lab.copy_notebooks(tmp_path)[1] == []


def test_a_folder_that_is_a_file(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match=r"file.*Name another folder"):
        lab.copy_notebooks(tmp_path / "file")


def test_without_jupyterlab_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=r"'jupyterlab'.*periodkit\[lab\]"):
        lab.run_lab(tmp_path)


def test_half_an_account_is_said_before_anything_is_copied(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ALO_BASE_URL", "https://venue.invalid")
    with pytest.raises(SystemExit):
        cli.main(["lab", str(tmp_path / "lab")])
    assert "Only one of ALO_BASE_URL and ALO_API_TOKEN is set" in capsys.readouterr().err
    assert not (tmp_path / "lab").exists()


@pytest.mark.parametrize("account", [True, False])
def test_it_says_whose_data_is_shown_and_never_the_token(tmp_path, monkeypatch, capsys, account):
    given = {}
    monkeypatch.setattr(jupyter, "run_lab", lambda folder, **options: given.update(options, folder=folder))
    if account:
        monkeypatch.setenv("ALO_BASE_URL", "https://venue.invalid")
        monkeypatch.setenv("ALO_API_TOKEN", "s3cr3t")
    cli.main(["lab", str(tmp_path), "--no-browser", "--port", "9123"])
    said = capsys.readouterr().out
    assert given == {"folder": tmp_path, "browser": False, "port": 9123}
    assert ("Data: the account at https://venue.invalid." in said) is account
    assert ("Data: the sandbox" in said) is not account
    assert "s3cr3t" not in said


@pytest.mark.notebook
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM to send")
def test_a_terminated_lab_takes_jupyterlab_with_it(tmp_path):
    with running_lab(tmp_path / "lab", tmp_path / "home", terminate=True):
        servers = [
            each for each in psutil.Process().children(recursive=True) if "jupyterlab" in " ".join(each.cmdline())
        ]
        assert servers
    _, alive = psutil.wait_procs(servers, timeout=PATIENCE)
    assert not alive


def pictures_of(path):
    """Return how many pictures a page shows: where the committed one stands in for a widget, the page has the widget."""
    cells = [cell for cell in nbformat.read(path, 4).cells if "pk.live(" not in cell.source]
    return sum("image/png" in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))


def clear_outputs(folder):
    """What is then in the page was made there."""
    for path in folder.glob("*.ipynb"):
        notebook = nbformat.read(path, 4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, path)


def check_notebook(running, page, name, shots):
    running.go(page, name)
    run_all(page)
    images = page.locator(".jp-OutputArea-output img")
    page.wait_for_function(
        "[...document.querySelectorAll('.jp-OutputArea-output img')].every(one => one.complete && one.naturalWidth > 0)",
        timeout=PATIENCE * 1000,
    )
    assert images.count() == pictures_of(notebooks_folder() / name), name
    # JupyterLab shows no alternative text, so each picture has its words beneath.
    words = page.locator(".jp-OutputArea-output details p").all_text_contents()
    assert len(words) == images.count()
    assert all(len(each) > 40 for each in words)
    for kind in ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr"):
        wrong = page.locator(f".jp-OutputArea-output[data-mime-type='{kind}']")
        assert wrong.count() == 0, f"{name}: {wrong.first.inner_text()}"
    assert page.locator(".jp-OutputArea-output").count() > images.count()
    assert page.locator(".jp-toast-button, .Toastify__toast").count() == 0, "JupyterLab asks something"
    tall = page.locator(".jp-Notebook-cell").evaluate_all(
        "cells => cells.reduce((sum, one) => sum + one.getBoundingClientRect().height, 0)"
    )
    page.set_viewport_size({"width": 1280, "height": int(tall) + 300})
    page.locator(".jp-Notebook-cell").first.scroll_into_view_if_needed()
    page.screenshot(path=shots / f"{name}.png")
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.browser
@pytest.mark.notebook
def test_every_notebook_runs_in_jupyterlab_in_a_browser(tmp_path, lab_server):
    folder, shots = lab_server.folder, tmp_path / "screenshots"
    lab.copy_notebooks(folder)
    clear_outputs(folder)
    page, asked, broken = lab_server.open(NAMES[0])
    for name in NAMES:
        try:
            check_notebook(lab_server, page, name, shots)
        except DeadKernelError:  # which may befall any kernel, once
            close_kernels(lab_server.base, lab_server.token)
            clear_outputs(folder)
            check_notebook(lab_server, page, name, shots)
        close_kernels(lab_server.base, lab_server.token)
    page.close()
    assert not broken
    assert lab_server.off_site(asked) == []
    assert len([*shots.glob("*.png")]) == len(NAMES)
