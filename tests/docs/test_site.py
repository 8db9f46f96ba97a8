"""The site, built from nothing: every link leads somewhere, and a browser opens it offline, at any width, light and dark."""

import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from site_links import broken_links
from site_reference import public_names

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "start": "index.html",
    "gallery": "gallery/index.html",
    "plot": "gallery/how_fast/plot_cycle_time_ecdf.html",
    "table": "gallery/how_fast/table_cycle_times.html",
    "function": "reference/periodkit.cycle_times.html",
    "class": "reference/periodkit.Client.html",
    "reference": "reference/index.html",
    "guide": "archive.html",
    "how-to": "how-to.html",
    "notebook": "notebooks/01_quickstart.html",
    "search": "search.html?q=cycle_times",
}


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of a site that was just built."""
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, str(ROOT / "docs" / "tools" / "site_build.py"), str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=550)
    assert done.returncode == 0, done.stdout + done.stderr
    print(done.stdout)
    return folder


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def test_no_link_is_broken(site):
    assert [*broken_links(site)] == []


def test_a_broken_link_is_seen(tmp_path):
    (tmp_path / "b.html").write_text('<a id="there" href="a.html">', encoding="utf-8")
    (tmp_path / "a.html").write_text(
        '<a href="b.html#there"> <a href="b.html#gone"> <img src="c.png"> <a href="https://x.invalid">',
        encoding="utf-8",
    )
    assert [*broken_links(tmp_path)] == [("a.html", "b.html#gone"), ("a.html", "c.png")]


def test_every_public_name_is_one_click_from_the_start_page(site):
    start = (site / "index.html").read_text(encoding="utf-8")
    missing = [each.page for each in public_names() if f'href="reference/{each.page}.html"' not in start]
    assert missing == []


def test_every_kind_of_page_is_there(site):
    start = (site / "index.html").read_text(encoding="utf-8")
    for page in (
        "tutorial",
        "guides",
        "notebooks",
        "methods",
        "glossary",
        "changelog",
        "decisions/index",
        "data-dictionary",
    ):
        assert f'href="{page}.html"' in start
    notebooks = {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert {path.stem for path in (site / "notebooks").glob("*.html")} == notebooks
    examples = {path.stem for path in (ROOT / "docs" / "gallery").rglob("*.py")}
    assert examples <= {path.stem for path in (site / "gallery").rglob("*.html")}


def test_nothing_is_asked_for_elsewhere(site):
    """Scripts, styles, fonts and pictures are all in the folder, on every page."""
    found = set()
    for path in site.rglob("*.html"):
        if "_static" not in path.parts:
            text = path.read_text(encoding="utf-8")
            found |= set(re.findall(r'<(?:script|img|link|iframe)\b[^>]*?\b(?:src|href)="((?:https?:)?//[^"]*)"', text))
    assert found == set()


def test_a_picture_of_a_notebook_or_plot_says_what_it_shows(site):
    for name in ("notebook", "plot"):
        alts = re.findall(r'<img[^>]*alt="([^"]*)"', (site / PAGES[name]).read_text(encoding="utf-8"))
        assert alts
        assert all(len(alt) > 60 for alt in alts), alts


@pytest.fixture(scope="module")
def opened(chromium, site):
    """Return a function that opens a page, in one tab for each way; it returns the tab and the page's complaints."""

    @cache
    def tab_of(width, scheme):
        context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        tab, asked, said = context.new_page(), [], []
        tab.on("request", lambda request: asked.append(request.url))
        tab.on("console", lambda each: said.append(each.text) if each.type in ("error", "warning") else None)
        tab.on("pageerror", lambda error: said.append(str(error)))
        return tab, asked, said

    def opened(page, width, scheme):
        tab, asked, said = tab_of(width, scheme)
        tab.goto("about:blank")
        asked.clear()
        said.clear()
        tab.set_viewport_size({"width": width, "height": 900})
        tab.goto(f"{site.as_uri()}/{PAGES[page]}", wait_until="load")
        assert [url for url in asked if not url.startswith((site.as_uri(), "data:"))] == []
        assert asked, "no requests are seen"
        return tab, said

    return opened


WAYS = [(390, "light"), (1280, "dark"), (390, "dark"), (1280, "light")]
# What is on a page of its own kind is looked at narrow and light, or wide and dark, and both ways where code, pictures
# and all that the pages share are; every page in all four ways takes a minute more.
BOTH = {"start", "guide", "notebook"}
SOME = {(page, way) for at, page in enumerate(PAGES) for way in (WAYS[:2] if page in BOTH else [WAYS[at % 2]])}
ALL = [
    pytest.param(page, *way, marks=() if (page, way) in SOME else pytest.mark.soak, id=f"{page}-{way[0]}-{way[1]}")
    for page in PAGES
    for way in WAYS
]


@pytest.mark.browser
@pytest.mark.parametrize(("page", "width", "scheme"), ALL)
def test_it_opens_offline_fits_and_keeps_no_one_out(opened, page, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    tab, said = opened(page, width, scheme)
    assert said == []
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    assert tab.evaluate("document.documentElement.dataset.theme") == scheme
    found = axe.Axe().run(tab, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    serious = [each for each in found if each["impact"] in ("serious", "critical")]
    assert [(each["id"], [node["html"][:160] for node in each["nodes"][:3]]) for each in serious] == []
    other = {390: 1280, 1280: 390}[width]
    tab.set_viewport_size({"width": other, "height": 900})
    assert tab.evaluate("document.documentElement.scrollWidth") <= other
    assert said == []


@pytest.mark.browser
def test_search_finds_a_function_offline(opened):
    tab, said = opened("search", 1280, "light")
    tab.wait_for_selector("#search-results li a", timeout=60_000)
    found = tab.eval_on_selector_all("#search-results li a", "links => links.map(link => link.getAttribute('href'))")
    assert any("reference/periodkit.cycle_times.html" in link for link in found)
    assert said == []
