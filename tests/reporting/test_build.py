"""The report: self-contained, reproducible, and clear about the data behind it."""

import importlib
import re
from html.parser import HTMLParser
from itertools import pairwise

import nbformat
import pytest
from drawn import draw, page_of

import periodkit as pk
from periodkit.errors import ArchiveError, ArgumentError, ConfigError
from periodkit.reporting.page.html import to_html
from periodkit.reporting.page.stamp import check_report, read_stamp
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.server import Sandbox

LIVE = 4176
"""The period of the season that is still running."""


class Page(HTMLParser):
    """Collects the tags of a page with their attributes, and its headings with their words."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.heads = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if re.fullmatch(r"h\d", tag):
            self.heads.append([int(tag[1]), ""])

    def handle_data(self, data):
        if self.tags and re.fullmatch(r"h\d", self.tags[-1][0]):
            self.heads[-1][1] += data.strip()


def check_offline(text, token="sandbox-token"):
    page = Page(text)
    tags = page.tags
    assert {tag for tag, _ in tags} & {"script", "link", "iframe", "object", "form", "base", "svg"} == set()
    assert all(not name.startswith("on") for _, attributes in tags for name in attributes)
    for tag, attributes in tags:
        if tag == "img":
            assert attributes["src"].startswith("data:image/png;base64,")
            assert len(attributes["alt"]) > 20
        if tag == "a":
            assert attributes["href"].startswith("#")
        if tag == "th":
            assert attributes["scope"] in ("col", "row")
    assert [each for tag, each in tags if tag == "html"] == [{"lang": "en"}]
    assert sum(tag == "table" for tag, _ in tags) == sum(tag == "caption" for tag, _ in tags)
    levels = [level for level, _ in page.heads]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(later <= sooner + 1 for sooner, later in pairwise(levels))
    anchors = {attributes["href"][1:] for tag, attributes in tags if tag == "a"}
    assert anchors <= {attributes.get("id") for _, attributes in tags}
    policy = next(attributes["content"] for tag, attributes in tags if attributes.get("http-equiv"))
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    style = text[text.index("<style>") : text.index("</style>")]
    assert not re.search(r"@import|url\(", style)
    assert not re.search(r"127\.0\.0\.1|localhost|/tmp/", re.sub(r"base64,[^\"]*", "", text))
    assert token not in text
    assert len(text.encode()) < 2_000_000
    return page


@pytest.fixture(scope="module")
def archive(season, tmp_path_factory):
    """The season in an archive, with a snapshot of it."""
    pytest.importorskip("deltalake")
    made = pk.Archive(tmp_path_factory.mktemp("archive") / "store")
    with Sandbox(season.dataset) as sandbox, pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        made.sync(client)
    made.snapshot("may")
    return made


def test_the_name_is_the_function_whoever_imports_the_module():
    importlib.import_module("periodkit.reporting.build")
    assert callable(pk.report)
    assert pk.report.__name__ == "report"


def test_from_an_archive_twice_the_same_bytes_and_the_data_can_be_checked(archive, live_page, tmp_path):
    pages = [
        pk.report(LIVE, tmp_path / name, archive=archive.path, snapshot="may", tz="Europe/London")
        for name in ("a.html", "b.html")
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html"]
    text = pages[0].read_text(encoding="utf-8")
    assert pages[0].read_bytes() == pages[1].read_bytes()
    check_offline(text)
    assert str(archive.path) not in text
    stamp = read_stamp(pages[0])
    assert list(stamp.periods) == [LIVE]
    assert len(stamp.compared) == 24
    assert stamp.hash in text[text.index('<dl class="provenance">') :]
    command = f"periodkit report --period {LIVE} --from archive --archive ARCHIVE --snapshot may"
    assert f"{command} --target 20min --tz Europe/London" in text
    found = check_report(pages[0], archive)
    assert found.same
    assert found.at_snapshot
    # The same from the API: figures, findings and hash are those of the archive.
    assert between(live_page, "<main", "provenance") == between(text, "<main", "provenance")


def between(text, start, end):
    return text[text.index(start) : text.index(f'<dl class="{end}"')]


def test_what_a_cell_raises_reaches_the_caller(tmp_path, client):
    with pytest.raises(ArgumentError, match="There is no period 99"):
        pk.report(99, tmp_path / "report.html", client=client)
    assert not [*tmp_path.iterdir()]


def test_a_report_of_the_recorded_set(recorded_page):
    check_offline(recorded_page)
    for text in (
        "5,239 actions",
        "2020-04-21 03:00 UTC",
        "68.7 % (67.4–69.9)",
        "Medical Incident",
        "63.3 min (62.1–64.5)",
    ):
        assert text in recorded_page


def test_a_season_report(season_page):
    page = season_page
    heads = [words for _, words in check_offline(page).heads]
    order = ["Key figures", "Findings", "Getting better?", "Periods", "Stage times"]
    assert [words for words in heads if words in order] == order
    rows = between_table(page, "26 periods in order of time")
    assert len(rows) == 27
    assert "Over 26 periods, the AI-dispatch rate rose by" in page
    assert re.search(
        r"AI-dispatched actions were answered within [\d.]+ min \d+ points more often; among like work", page
    )
    assert len(between_table(page, "Busiest hours")) == 6
    (compared,) = [each["content"] for tag, each in Page(page).tags if each.get("name") == "periodkit:compared"]
    assert compared == "{}"


def between_table(page, caption):
    start = page.index(f"<caption><span>{caption}")
    return re.findall(r"<tr>.*?</tr>", page[start : page.index("</table>", start)], re.DOTALL)


def test_people_are_named_only_when_asked(client, season, live_page):
    people = {
        name
        for record in season.dataset.actions[LIVE]
        for name in [record.get("createdByUserName"), *(record.get("assignedUserNames") or [])]
        if name
    }
    assert len(people) > 50
    named = draw(client, period_ids=LIVE, names=True, compare=0)
    text = re.sub(r"base64,[^\"]*", "", live_page)
    # "Medical 22" is a person, and "Medical 22.5 %" is not.
    assert not [name for name in people if re.search(re.escape(name) + r"(?![\d.])", text)]
    assert "People are not named in this report." in live_page
    assert sum(name in named for name in people) > 20


@pytest.mark.parametrize("what", ["no action", "one empty action", "one action", "nothing closed"])
def test_a_period_with_next_to_nothing_has_a_report(what, bare_page):
    page = bare_page(what)
    check_offline(page)
    assert "Rained off" in page
    assert "Still open" in page
    if what == "one action":
        assert "The only action was closed within" in page
        assert "The only closed action" in page
        assert not re.search(r"\b[01] actions (was|were)|1 of 1 action", page)
    if what.startswith("no action"):
        assert "There are no actions." in page
        assert "<img" not in page
    if what == "nothing closed":
        assert "nine of ten" not in page
        assert "not reached" in page


def test_a_page_stays_small_whatever_is_in_it(season):
    first = season.dataset.periods[0]
    # Nothing closed, every action of a kind of its own, and each character one that escaping makes five.
    records = [
        {
            **record,
            "periodId": 1,
            "actionId": 1000 * copy + number,
            "closedTime": None,
            **dict.fromkeys(
                ("classification", "subClassification", "channel", "latestChannel", "status"),
                f"{number} {copy} " + "&" * 5000,
            ),
        }
        for copy in range(3)
        for number, record in enumerate(season.dataset.actions[first["id"]])
    ]
    page = page_of(DataSet(season.dataset.as_of, "by hand", [{"id": 1, "name": "Rained off"}], {1: records}))
    check_offline(page)
    still = int(re.search(r"Still open: ([\d,]+) actions, the 20 oldest", page)[1].replace(",", ""))
    assert still > 400
    assert f"And {still - 20:,} more, open for" in page
    assert len(between_table(page, "Still open: ")) == 21
    assert f"other ({len(records) - 59:,})" in page


def test_an_account_without_periods_is_told(season):
    with pytest.raises(ArgumentError, match="no period to report on"):
        page_of(DataSet(season.dataset.as_of, "by hand", [], {}))


def test_arguments_that_exclude_each_other_are_refused(tmp_path, monkeypatch):
    with pytest.raises(ArgumentError, match="source is the API"):
        pk.report(source="api", archive=tmp_path)
    with pytest.raises(ArgumentError, match="The archive is not given"):
        pk.report(snapshot="may")
    with pytest.raises(ArgumentError, match="source is 'ftp'"):
        pk.report(source="ftp")
    with pytest.raises(ArgumentError, match=r"period is or holds 1\.5"):
        pk.report(1.5)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="none is on PATH"):
        pk.report(pdf=True)
    for asked in (pk.connect, pk.report):
        with pytest.raises(ArchiveError, match="There is no archive at"):
            asked(archive=tmp_path / "nowhere")
    with pytest.raises(ConfigError, match="no archive is given"):
        pk.connect(snapshot="may")


def test_outputs_that_run_are_not_shown():
    cell = nbformat.v4.new_code_cell("x")
    cell.outputs = [
        nbformat.v4.new_output("display_data", {"application/javascript": "alert(1)"}),
        nbformat.v4.new_output("display_data", {"text/markdown": "<script>alert(2)</script>"}),
        nbformat.v4.new_output("display_data", {"image/svg+xml": "<svg onload='alert(3)'/>"}),
        nbformat.v4.new_output("display_data", {"text/latex": "alert(4)"}),
        nbformat.v4.new_output("stream", text="<b>noise</b>"),
    ]
    page = to_html(nbformat.v4.new_notebook(cells=[cell]), "t")
    assert "alert" not in page
    assert "noise" not in page
