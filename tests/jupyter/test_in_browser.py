"""JupyterLab in a real browser: every notebook, and the explorer and the live board used as a user uses them."""

import time

import nbformat
import pytest
import requests
from labs import CHROMIUM, PATIENCE, DeadKernelError, close_kernels, lab_in_browser, run_all
from nbformat.v4 import new_code_cell, new_notebook
from servers import scripted

from periodkit.jupyter import lab
from periodkit.jupyter.files import notebooks_folder

pytestmark = [pytest.mark.browser, pytest.mark.notebook]
NAMES = sorted(path.name for path in notebooks_folder().glob("*.ipynb"))
# What a report is made of; and pictures, tables and a widget of the plain kind.
SOME = ["04_after_action_report.ipynb", "05_live_event.ipynb"]
KERNEL = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
EXPLORE = """
import periodkit as pk
client = pk.demo_client()
periods = client.periods()
actions = client.actions(periods.head(2))  # as SVG, thousands of points would be slow
explorer = pk.explore(actions, periods)
for chart in explorer._panel._charts:  # as drawn on a canvas a legend cannot be found by its words
    chart.embed_options = {"actions": False, "renderer": "svg"}
explorer
"""
COMPARE = """
same = frame.equals(explorer.frame) and table.equals(explorer.table)
print("same" if same else "different", len(frame), len(actions), explorer.choice)
"""
WATCH = """
import periodkit as pk
client = pk.Client("{base_url}", "{token}", retry=None)
board = pk.live(client, every="1s")
board
"""


@pytest.fixture(scope="module")
def lab_server(tmp_path_factory):
    """One JupyterLab and one browser for all of these tests. Not for others: the browser keeps a loop running."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed, so no notebook is opened in a browser")
    home = tmp_path_factory.mktemp("lab")
    with lab_in_browser(home / "notebooks", home / "home") as running:
        yield running


def make_notebook(lab_server, name, *cells):
    lab_server.folder.mkdir(parents=True, exist_ok=True)
    notebook = new_notebook(metadata=KERNEL, cells=[new_code_cell(cell.strip()) for cell in cells])
    nbformat.write(notebook, lab_server.folder / name)


def until(page, true, what):
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, what
        page.wait_for_timeout(100)


@pytest.fixture
def opened(lab_server):
    """Return a function that opens a notebook; what its page asked for and said is checked at the end."""
    pages = []

    def open_notebook(name):
        page, asked, broken = lab_server.open(name)
        page.on("console", lambda said: broken.append(said.text) if said.type == "error" else None)
        pages.append((page, asked, broken))
        return page

    yield open_notebook
    for page, asked, broken in pages:
        page.close()
        assert broken == []
        assert lab_server.off_site(asked) == []
    close_kernels(lab_server.base, lab_server.token)


def run_next(page, cell, paste=False):
    """Run a cell, with the clipboard pasted into it if so; returns its output."""
    box = page.locator(".jp-Notebook .jp-CodeCell").nth(cell)
    box.locator(".cm-content").click()
    if paste:
        page.keyboard.press("Control+V")
    page.keyboard.press("Control+Enter")
    until(
        page,
        lambda: (
            "[*]" not in (text := box.locator(".jp-InputPrompt").first.inner_text()) and any(map(str.isdigit, text))
        ),
        text_of(box),
    )
    return box


def text_of(locator):
    return locator.inner_text()


def test_choose_slide_filter_copy_the_code_and_run_it(lab_server, opened):
    make_notebook(lab_server, "explore.ipynb", EXPLORE, "print(explorer.code)", "", COMPARE)
    page = opened("explore.ipynb")
    run_next(page, 0)
    look = page.locator(".periodkit")
    code = look.locator(".periodkit-code pre")
    marks = look.locator(".mark-symbol.role-mark path")
    look.locator(".vega-embed svg").nth(1).wait_for(timeout=PATIENCE * 1000)
    until(page, lambda: marks.count() > 500, "no points were drawn")
    # Choose: two channels, how AI dispatched them, another stage, by classification.
    look.locator("select[multiple]").nth(2).select_option(index=[0, 1])
    look.locator("select:not([multiple])").nth(0).select_option("response")
    look.locator("select:not([multiple])").nth(1).select_option("not AI-dispatched")
    look.locator("select:not([multiple])").nth(2).select_option("classification")
    until(
        page, lambda: 'by="classification"' in code.inner_text() and "isin([False])" in code.inner_text(), text_of(code)
    )
    # Slide: to somewhere in the middle of the event, by the mouse and by keys.
    look.locator(".noUi-base").click()
    until(page, lambda: 'as_of="2024-' in code.inner_text(), text_of(code))
    look.locator(".noUi-handle").focus()
    for _ in range(2):
        # The browser holds back what is pressed while the kernel works.
        was = text_of(code)
        page.keyboard.press("ArrowLeft")
        until(page, lambda was=was: text_of(code) != was, was)
    # Filter: one name in the legend keeps its points alone.
    until(page, lambda: 0 < marks.count() < 500, "the points are not those chosen")
    # A cell runs after all that the slider said, so what it prints is what will be shown.
    last = run_next(page, 1).locator(".jp-OutputArea-output").inner_text().strip()
    until(page, lambda: code.inner_text().strip() == last, last)
    before = marks.count()
    name = look.locator(".role-legend-label text").first
    name.click()
    until(page, lambda: marks.count() < before, "the legend does not filter")
    # Copy, and run in the next cell.
    shown = code.inner_text()
    look.get_by_role("button", name="Copy the code").click()
    look.get_by_text("Copied.").wait_for(timeout=PATIENCE * 1000)
    pasted = run_next(page, 2, paste=True)
    assert pasted.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").count() == 0
    assert pasted.locator("img").count() == 1  # the static picture of the same
    answer = run_next(page, 3).locator(".jp-OutputArea-output").inner_text()
    assert answer.startswith("same "), answer
    chosen, whole = map(int, answer.split()[1:3])
    assert 0 < chosen < whole
    assert "stage='response'" in answer
    assert 'stage="response"' in shown


def test_the_board_refreshes_pauses_and_ends_with_its_notebook(lab_server, opened, sandbox):
    broken = []

    def answer(path, headers):
        if broken:
            return 503, {}, {"message": "down"}
        own = {name: headers[name] for name in ("Authorization", "Host") if name == "Authorization"}
        found = requests.get(f"{sandbox.base_url}{path}", headers=own, timeout=PATIENCE)
        return found.status_code, {"Content-Type": "application/json", "Date": found.headers["Date"]}, found.content

    with scripted(answer) as (base_url, seen):
        make_notebook(lab_server, "board.ipynb", WATCH.format(base_url=base_url, token=sandbox.token))
        page = opened("board.ipynb")
        run_all(page)
        page.locator(".periodkit-ticker").wait_for(timeout=PATIENCE * 1000)
        first = len(seen)
        until(page, lambda: len(seen) >= first + 3, "it does not refresh itself")
        one = {path for path, _ in seen[first:]}
        assert len(one) == 1  # the actions of one period, and nothing else
        page.get_by_role("button", name="Pause").click()
        page.get_by_role("button", name="Resume").wait_for(timeout=PATIENCE * 1000)
        page.get_by_text("Paused.").wait_for(timeout=PATIENCE * 1000)
        still = len(seen)
        page.wait_for_timeout(2500)
        assert len(seen) <= still + 1  # one may have been on its way
        broken.append("now")
        page.get_by_role("button", name="Refresh now").click()
        page.get_by_text("The last refresh failed").wait_for(timeout=PATIENCE * 1000)
        broken.clear()
        page.get_by_role("button", name="Resume").click()
        page.get_by_text("The last refresh failed").wait_for(state="hidden", timeout=PATIENCE * 1000)
        page.goto("about:blank")  # the notebook is closed; its kernel lives on
        page.wait_for_timeout(1500)
        still = len(seen)
        page.wait_for_timeout(3000)
        assert len(seen) == still


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


@pytest.mark.parametrize("names", [SOME, pytest.param(NAMES, marks=pytest.mark.soak)], ids=["some", "all"])
def test_every_notebook_runs_in_jupyterlab_in_a_browser(tmp_path, lab_server, names):
    folder, shots = lab_server.folder, tmp_path / "screenshots"
    lab.copy_notebooks(folder)
    clear_outputs(folder)
    page, asked, broken = lab_server.open(names[0])
    for name in names:
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
    assert len([*shots.glob("*.png")]) == len(names)
