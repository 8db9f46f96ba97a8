"""Reports in a real browser: nothing is asked for, nothing runs, nothing breaks out, anyone can read them."""

import shutil
from pathlib import Path

import pytest
from drawn import page_of
from playwright.sync_api import sync_playwright

from periodkit.reporting.page.pdf import to_pdf
from periodkit.sandbox.dataset import DataSet

pytestmark = [pytest.mark.notebook, pytest.mark.browser]

HOSTILE = (
    "<script>window.ran=1</script><img src=https://example.org/x.png onerror=window.ran=1></style></title></table></main>"
    "<svg onload=window.ran=1>\"'><iframe src=https://example.org></iframe>[x](javascript:window.ran=1) "
    "![x](https://example.org/y.png) `a` $a_b$ {{7*7}} \u202e\u2066abc\u200f\u0000\ud800 "
)
LONG = "W" * 10_000


@pytest.fixture(scope="module")
def chromium():
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


def clean(text):
    """Return the text as JSON can carry it."""
    return text.replace("\ud800", "").replace("\u0000", "")


def hostile_set(season):
    """Return a set with hostile text in every text field, in unknown fields and in form fields."""
    first = season.dataset.periods[8]
    text = clean(HOSTILE)
    texts = (
        "subClassification",
        "status",
        "createdByUserName",
        "periodMarker",
        "periodName",
        "formType",
        "latestChannel",
        "channel",
        "classification",
    )
    records = []
    for number, record in enumerate(season.dataset.actions[first["id"]]):
        end = LONG if number % 2 else ""
        # What groups them stays apart, so that groups are compared and named.
        hostile = {
            name: f"{record.get(name)} {name} {text}{end if name == 'subClassification' else ''}" for name in texts
        }
        records.append(
            {
                **record,
                **hostile,
                "periodId": 1,
                "assignedUserNames": [text + LONG, text],
                "notes": [text],
                f"unknown {text}": text,
                "formFields": {f"field {text}": text + LONG},
            }
        )
    period = {
        **first,
        "id": 1,
        "name": text + LONG,
        "markers": [
            {"name": text + LONG, "timestamp": first["start_date"]},
            {"name": text, "timestamp": first["end_date"]},
        ],
        f"more {text}": text,
    }
    return DataSet(season.dataset.as_of, text, [period], {1: records})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pages")


@pytest.fixture
def page_file(name, request, season, bare_page, folder):
    """The page of that name, made once; skipped where the data that it is made from are absent."""
    path = folder / f"{name}.html"
    if not path.exists():
        if name.startswith("hostile"):
            page = page_of(hostile_set(season), names=True, season=name.endswith("season"))
        else:
            page = bare_page(name) if name in BARE else request.getfixturevalue(f"{name}_page")
        path.write_text(page, encoding="utf-8")
    return path


def open_page(chromium, path, width, scheme="light"):
    """Open a page and return it, with what it asked for and what it complained of."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=False)
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.goto(Path(path).as_uri(), wait_until="load")
    own = {Path(path).as_uri()}
    return page, [url[:60] for url in asked if url not in own and not url.startswith("data:")], said


BARE = ["no action", "one action", "nothing closed"]
NAMES = ["live", "season", "hostile", "hostile season", *BARE, "recorded"]


def violations(page):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    return [(each["id"], each["impact"], each["nodes"][0]["html"][:200]) for each in found]


def is_as_wide_as(page, wide):
    return page.evaluate("document.documentElement.scrollWidth") <= wide


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_asked_for_the_page_is_as_wide_as_the_screen_and_keeps_no_one_out(chromium, page_file, name):
    # On a page without scripts, another width is what that width is from the start.
    first, other = (1280, 390) if "season" in name else (390, 1280)
    page, asked, said = open_page(chromium, page_file, first)
    assert is_as_wide_as(page, first)
    pictures = page.evaluate("[...document.images].map(one => one.complete && one.naturalWidth > 0)")
    assert all(pictures)
    if name not in ("no action", "one action"):
        assert len(pictures) >= 6
    assert violations(page) == []
    page.set_viewport_size({"width": other, "height": 900})
    assert is_as_wide_as(page, other)
    page.set_viewport_size({"width": 794, "height": 900})
    page.emulate_media(media="print")
    assert is_as_wide_as(page, 794)
    assert asked == []
    assert said == []
    page.context.close()


@pytest.mark.parametrize("name", ["live", "season"])
def test_in_the_dark_it_keeps_no_one_out_either(chromium, page_file, name):
    page, asked, said = open_page(chromium, page_file, 1280 if name == "season" else 390, "dark")
    assert violations(page) == []
    assert asked == []
    assert said == []
    page.context.close()


@pytest.mark.parametrize("name", ["hostile", "hostile season"])
def test_hostile_text_is_text(chromium, page_file, name):
    page, _, _ = open_page(chromium, page_file, 390)
    assert page.evaluate("window.ran") is None
    assert page.evaluate("document.querySelectorAll('script, iframe, svg, object, form, base, link').length") == 0
    assert page.evaluate("[...document.images].every(one => one.src.startsWith('data:image/png'))")
    assert page.evaluate("[...document.links].every(one => one.getAttribute('href').startsWith('#'))")
    assert page.evaluate(
        "[...document.querySelectorAll('*')].every(one => ![...one.attributes].some(a => a.name.startsWith('on')))"
    )
    # All is still inside the page that it was put in.
    assert (
        page.evaluate(
            "document.body.querySelectorAll(':scope > main, :scope > nav, :scope > footer, :scope > a').length"
        )
        == 4
    )
    assert page.evaluate("document.body.children.length") == 4
    assert "<script>window.ran=1</script>" in page.locator("h1").inner_text()
    assert "<script>" in page.title()
    words = page.locator("main").inner_text()
    for field in ("classification", "channel", "subClassification", "status", "latestChannel", "unknown"):
        assert f"{field} <script>" in words, field
    assert "{{7*7}}" in page.locator("body").inner_html() or "7*7" not in words
    assert not [each for each in words if each in "\u202e\u2066\u200f"]
    assert "WWWWWWWWWW" * 20 not in words
    page.context.close()


@pytest.mark.parametrize("name", ["no action"])
def test_a_pdf_is_printed(page_file, tmp_path, chromium):
    made = to_pdf(page_file, tmp_path / "report.pdf")
    raw = made.read_bytes()
    assert raw.startswith(b"%PDF-")
    assert raw.count(b"/Type /Page\n") + raw.count(b"/Type /Page ") + raw.count(b"/Type /Page/") >= 1
    assert [*tmp_path.iterdir()] == [made]
