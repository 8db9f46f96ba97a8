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
def pages(season, tmp_path_factory):
    """Pages by name, as files."""
    folder = tmp_path_factory.mktemp("pages")
    first = season.dataset.periods[0]
    records = season.dataset.actions[first["id"]]
    nothing, single, unclosed = (
        DataSet(season.dataset.as_of, "by hand", [first], {first["id"]: each})
        for each in ([], records[:1], [{**record, "closedTime": None} for record in records])
    )
    for name, data, options in (
        ("live", season.dataset, {"period_ids": 4176, "tz": "Europe/London"}),
        ("hostile", hostile_set(season), {"names": True}),
        ("hostile season", hostile_set(season), {"names": True, "season": True}),
        ("empty", nothing, {}),
        ("single", single, {}),
        ("unclosed", unclosed, {}),
    ):
        (folder / f"{name}.html").write_text(page_of(data, **options), encoding="utf-8")
    return folder


def open_page(chromium, path, width, scheme="light", media=None):
    """Open a page and return it, with what it asked for and what it complained of."""
    context = chromium.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme, offline=False)
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    if media:
        page.emulate_media(media=media)
    page.goto(Path(path).as_uri(), wait_until="load")
    own = {Path(path).as_uri()}
    return page, [url[:60] for url in asked if url not in own and not url.startswith("data:")], said


@pytest.fixture
def page_file(name, request, pages):
    """The page of that name; skipped where the data that it is made from are absent."""
    path = pages / f"{name}.html"
    if not path.exists():
        path.write_text(request.getfixturevalue(f"{name}_page"), encoding="utf-8")
    return path


NAMES = ["live", "season", "hostile", "hostile season", "empty", "single", "unclosed", "recorded"]


@pytest.mark.parametrize("width", [390, 1280, "print"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_asked_for_and_the_page_is_as_wide_as_the_screen(chromium, page_file, name, width):
    media, wide = ("print", 794) if width == "print" else (None, width)
    page, asked, said = open_page(chromium, page_file, wide, media=media)
    assert asked == []
    assert said == []
    assert page.evaluate("document.documentElement.scrollWidth") <= wide
    pictures = page.evaluate("[...document.images].map(one => one.complete && one.naturalWidth > 0)")
    assert all(pictures)
    if name not in ("empty", "single"):
        assert len(pictures) >= 6
    page.context.close()


@pytest.mark.parametrize("name", ["hostile", "hostile season"])
def test_hostile_text_is_text(chromium, pages, name):
    page, _, _ = open_page(chromium, pages / f"{name}.html", 390)
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


@pytest.mark.parametrize(
    ("name", "scheme"), [*((name, "light") for name in NAMES), *((name, "dark") for name in ("live", "season"))]
)
def test_axe_finds_nothing_that_keeps_people_out(chromium, page_file, name, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page, _, _ = open_page(chromium, page_file, 1280 if "season" in name else 390, scheme)
    found = axe.Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    assert [(each["id"], each["impact"], each["nodes"][0]["html"][:200]) for each in found] == []
    page.context.close()


def test_a_pdf_is_printed(pages, tmp_path, chromium):
    made = to_pdf(pages / "empty.html", tmp_path / "report.pdf")
    raw = made.read_bytes()
    assert raw.startswith(b"%PDF-")
    assert raw.count(b"/Type /Page\n") + raw.count(b"/Type /Page ") + raw.count(b"/Type /Page/") >= 1
    assert [*tmp_path.iterdir()] == [made]
