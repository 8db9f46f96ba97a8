"""JupyterLab as a user starts it, and what a test does in its pages."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
import requests

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


def close_kernels(base, token):
    headers = {"Authorization": f"token {token}"}
    for session in requests.get(f"{base}/api/sessions", headers=headers, timeout=PATIENCE).json():
        requests.delete(f"{base}/api/sessions/{session['id']}", headers=headers, timeout=PATIENCE)


@dataclass
class Lab:
    """A running JupyterLab and a browser, shared by the tests of a session."""

    folder: Path
    base: str
    token: str
    context: object
    """The browser's, of which all pages are."""

    def open(self, name):
        """Open a notebook of the folder in a new page; returns it, the addresses it asks for and its errors."""
        page = self.context.new_page()
        asked, broken = set(), []
        page.on("request", lambda request: asked.add(request.url))
        page.on("pageerror", lambda error: broken.append(str(error)))
        self.go(page, name)
        return page, asked, broken

    def go(self, page, name):
        page.goto(f"{self.base}/lab/tree/{name}?token={self.token}&reset")
        page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=PATIENCE * 1000)
        wait_for_kernel(page, self.base, self.token)

    def off_site(self, asked):
        """Return the addresses that are not of this JupyterLab."""
        here = (self.base, self.base.replace("http", "ws", 1), "data:", "blob:")
        return [url for url in asked if not url.startswith(here)]


@contextlib.contextmanager
def lab_in_browser(folder, home):
    """Run JupyterLab on a folder and a browser beside it."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with running_lab(folder, home) as (base, token), sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        context = browser.new_context(
            viewport={"width": 1280, "height": 900}, permissions=["clipboard-read", "clipboard-write"]
        )
        yield Lab(folder, base, token, context)
        browser.close()
