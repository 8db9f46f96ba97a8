"""The report: one file that asks for nothing, whatever the data say."""

import re
from html.parser import HTMLParser

import nbformat
import pytest

from periodkit.report import to_html, write_report
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.server import Sandbox

pytestmark = pytest.mark.notebook


def account(sandbox):
    return {"ALO_BASE_URL": sandbox.base_url, "ALO_API_TOKEN": sandbox.token}


class Page(HTMLParser):
    """Collects the tags of a page, with their attributes."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))


def check_offline(page, token):
    tags = Page(page).tags
    assert {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "form"} == set()
    assert all(not name.startswith("on") for _, attributes in tags for name in attributes)
    for tag, attributes in tags:
        if tag == "img":
            assert attributes["src"].startswith("data:image/png;base64,")
            assert attributes["alt"]
        assert "http" not in (attributes.get("href") or "")
    policy = next(attributes["content"] for tag, attributes in tags if attributes.get("http-equiv"))
    assert "default-src 'none'" in policy
    assert "@import" not in page
    assert not re.search(r"url\(", page)
    assert token not in page
    assert len(page) < 2_000_000


def test_a_report_of_the_recorded_set(recorded_path, tmp_path):
    with Sandbox(DataSet.load(recorded_path)) as sandbox:
        page = write_report(tmp_path / "report.html", environment=account(sandbox)).read_text(encoding="utf-8")
        check_offline(page, sandbox.token)
    for text in (
        "5,239 actions",
        "2020-04-21 03:00 UTC",
        "68.7 % (67.4–69.9)",
        "Medical Incident",
        "63.6 min (62.4–64.6)",
    ):
        assert text in page


def test_two_reports_of_the_same_data_are_the_same_bytes(season, tmp_path):
    last = season.dataset.periods[-1]["id"]
    pages = []
    for name in ("a.html", "b.html"):
        with Sandbox(season.dataset) as sandbox:
            pages.append(write_report(tmp_path / name, [last], environment=account(sandbox)).read_bytes())
    assert pages[0] == pages[1]
    check_offline(pages[0].decode(), "sandbox-token")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html"]


HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)></style>[x](javascript:alert(1)) $a_b$ \u202e"


def test_hostile_text_stays_text(tmp_path, season):
    period = {**season.dataset.periods[0], "id": 1, "name": HOSTILE}
    texts = (
        "classification",
        "subClassification",
        "channel",
        "latestChannel",
        "formType",
        "periodName",
        "createdByUserName",
    )
    records = [
        {**record, **dict.fromkeys(texts, HOSTILE), "periodId": 1, "assignedUserNames": [HOSTILE], "notes": [HOSTILE]}
        for record in season.dataset.actions[season.dataset.periods[0]["id"]]
    ]
    data = DataSet(season.dataset.as_of, HOSTILE, [period], {1: records})
    with Sandbox(data) as sandbox:
        page = write_report(tmp_path / "report.html", title=HOSTILE, environment=account(sandbox))
        check_offline(page.read_text(encoding="utf-8"), sandbox.token)
    assert "&lt;script&gt;" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("records", [[], [{"actionId": 1, "periodId": 1}]], ids=["no action", "one empty action"])
def test_a_period_with_next_to_nothing_has_a_report(records, season, tmp_path):
    data = DataSet(season.dataset.as_of, "by hand", [{"id": 1, "name": "Rained off"}], {1: records})
    with Sandbox(data) as sandbox:
        page = write_report(tmp_path / "report.html", environment=account(sandbox)).read_text(encoding="utf-8")
    assert "Rained off" in page


def test_outputs_that_run_are_not_shown():
    cell = nbformat.v4.new_code_cell("x")
    cell.outputs = [
        nbformat.v4.new_output("display_data", {"application/javascript": "alert(1)"}),
        nbformat.v4.new_output("display_data", {"text/markdown": "<script>alert(2)</script>"}),
        nbformat.v4.new_output("stream", text="<b>noise</b>"),
    ]
    page = to_html(nbformat.v4.new_notebook(cells=[cell]), "t")
    assert "alert" not in page
    assert "noise" not in page
