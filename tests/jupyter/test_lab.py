"""`periodkit lab`: the working folder, the kernel, and every notebook in JupyterLab in a real browser."""

import contextlib
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
import requests

from periodkit import cli, jupyter
from periodkit.errors import ConfigError
from periodkit.jupyter import lab
from periodkit.jupyter.files import notebooks_folder

NAMES = sorted(path.name for path in notebooks_folder().glob("*.ipynb"))
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE = 240
"""Seconds that a busy machine may take for any one step."""
FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


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


@contextlib.contextmanager
def running_lab(folder, home, *, terminate=False):
    """Run `periodkit lab` as a user would; yields its address and token. It ends as its menu or as SIGTERM ends it."""
    runtime, settings = home / "runtime", home / "settings"
    tracker = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True)
    # Cells that are out of sight would not be there to look at.
    tracker.write_text('{"windowingMode": "none"}')
    # Another Python's kernel of the same name, which would be found first.
    other = home / "other" / "kernels" / "python3" / "kernel.json"
    other.parent.mkdir(parents=True)
    other.write_text(json.dumps({"argv": ["/bin/false"], "display_name": "Other", "language": "python"}))
    environment = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(runtime),
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "JUPYTER_PATH": str(home / "other"),
    }
    command = [sys.executable, "-m", "periodkit", "lab", str(folder), "--no-browser", "--port", "0"]
    with (
        (home / "log").open("w") as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True) as process,
    ):
        try:
            until = time.monotonic() + PATIENCE
            while not (found := [*runtime.glob("jpserver-*.json")]):
                assert process.poll() is None, (home / "log").read_text()
                assert time.monotonic() < until, (home / "log").read_text()
                time.sleep(0.2)
            server = whole_json(found[0])
            yield f"http://127.0.0.1:{server['port']}", server["token"]
            if terminate:
                process.terminate()
            else:
                headers = {"Authorization": f"token {server['token']}"}
                requests.post(f"http://127.0.0.1:{server['port']}/api/shutdown", headers=headers, timeout=PATIENCE)
            process.wait(PATIENCE)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == (128 + signal.SIGTERM if terminate else 0)
    assert "Data: the sandbox" in (home / "log").read_text()


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


def whole_json(path):
    """Read a file that may still be being written."""
    while True:
        with contextlib.suppress(ValueError):
            return json.loads(path.read_text())
        time.sleep(0.05)


class DeadKernelError(Exception):
    """JupyterLab starts another by itself, but does not run the notebook again."""


def kernel_ids():
    """Return the ids of the processes of all kernels that were started from here."""
    found = set()
    for process in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            if "ipykernel_launcher" in process.cmdline():
                found.add(process.pid)
    return found


def wait_for_kernel(page, base, token):
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        kernels = requests.get(f"{base}/api/kernels", headers={"Authorization": f"token {token}"}, timeout=PATIENCE)
        # While a kernel starts or is shut down the list itself may be refused.
        listed = kernels.json() if kernels.ok else []
        idle = [one for one in listed if one["execution_state"] == "idle" and one["connections"]]
        if idle and page.locator("#jp-main-statusbar", has_text="Idle").count():
            return
        time.sleep(0.2)
    pytest.fail(f"no kernel became idle: {kernels.text}")


def run_all(page):
    kernels = kernel_ids()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile(r"^Run All Cells$")).click()
    prompts = page.locator(".jp-CodeCell .jp-InputPrompt")
    failed = page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']")
    until = time.monotonic() + PATIENCE
    while not failed.count() and not all(re.search(r"\[\d+\]", prompt) for prompt in prompts.all_text_contents()):
        if kernels - kernel_ids():
            raise DeadKernelError
        assert time.monotonic() < until, prompts.all_text_contents()
        time.sleep(0.2)


def pictures_of(path):
    cells = nbformat.read(path, 4).cells
    return sum("image/png" in output.get("data", {}) for cell in cells for output in cell.get("outputs", []))


def close_kernels(base, token):
    headers = {"Authorization": f"token {token}"}
    for session in requests.get(f"{base}/api/sessions", headers=headers, timeout=PATIENCE).json():
        requests.delete(f"{base}/api/sessions/{session['id']}", headers=headers, timeout=PATIENCE)


def clear_outputs(folder):
    """What is then in the page was made there."""
    for path in folder.glob("*.ipynb"):
        notebook = nbformat.read(path, 4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        nbformat.write(notebook, path)


def check_notebook(page, base, token, name, shots):
    page.goto(f"{base}/lab/tree/{name}?token={token}&reset")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=PATIENCE * 1000)
    wait_for_kernel(page, base, token)
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
@pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed, so no notebook is opened in a browser")
def test_every_notebook_runs_in_jupyterlab_in_a_browser(tmp_path):
    sync_api = pytest.importorskip("playwright.sync_api")
    folder, shots = tmp_path / "lab", tmp_path / "screenshots"
    lab.copy_notebooks(folder)
    clear_outputs(folder)
    asked, broken = set(), []
    with running_lab(folder, tmp_path / "home") as (base, token), sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.on("request", lambda request: asked.add(request.url))
        page.on("pageerror", lambda error: broken.append(str(error)))
        for name in NAMES:
            try:
                check_notebook(page, base, token, name, shots)
            except DeadKernelError:  # which may befall any kernel, once
                close_kernels(base, token)
                clear_outputs(folder)
                check_notebook(page, base, token, name, shots)
            close_kernels(base, token)
        browser.close()
    assert not broken
    here = (base, base.replace("http", "ws", 1), "data:", "blob:")
    assert [url for url in asked if not url.startswith(here)] == []
    assert len([*shots.glob("*.png")]) == len(NAMES)
