"""`periodkit lab`: the working folder, the kernel, and every notebook in JupyterLab in a real browser."""

import importlib.util
import os
import shutil

import nbformat
import psutil
import pytest
from labs import PATIENCE, running_lab

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
