"""A report's page, held against the page that its data give."""

import re

import pytest

import periodkit as pk
from periodkit.reporting.recheck import _differences, _options, _Page, check_page

pytest.importorskip("deltalake")

PAGE = """<html><head><meta name="periodkit:hash" content="aa"><style>p {{}}</style></head><body><main>
<h1>Cup final</h1><ul class="figures"><li><span>Median</span>: <strong>{median}</strong></li></ul>
<h2 id="Findings">Findings</h2><ul><li>Medical took longer{finding}</li></ul>
<h2>Rates</h2><table><caption>AI</caption><tr><th>Bar</th><td>{rate}</td></tr></table><img alt="{alt}" src="data:,">
<dl class="provenance"><div><dt>Data</dt><dd><code>{hash}</code></dd></div><div><dt>As of</dt><dd>{as_of}</dd></div>
<div><dt>Made with</dt><dd>periodkit 1</dd></div>
<div><dt>To make it again</dt><dd><code>{command}</code></dd></div></dl></main>
<footer>Data as of {as_of} · periodkit 1</footer></body></html>"""
COMMAND = "periodkit report --period 7 --from archive --archive ARCHIVE --snapshot x --target 15min"
VALUES = {
    "median": "4 min",
    "finding": " than the rest",
    "rate": "57 %",
    "alt": "P90 is 9 min",
    "hash": "ab12",
    "as_of": "2024-07-20",
    "command": COMMAND,
}


@pytest.mark.parametrize(
    ("changed", "section"),
    [
        ({"median": "2 min"}, "Cup final"),
        ({"finding": ""}, "Findings"),
        ({"finding": " than the rest</li><li>All was well"}, "Findings"),
        ({"rate": "75 %"}, "Rates"),
        ({"alt": "P90 is 1 min"}, "Rates"),
        ({"hash": "cd34"}, "Data"),
        ({"as_of": "2024-07-21"}, "As of"),
    ],
)
def test_whatever_the_page_states_otherwise_is_named(changed, section):
    stated, computed = _Page(PAGE.format(**VALUES | changed)), _Page(PAGE.format(**VALUES))
    found = list(_differences(stated.lines, computed.lines))
    assert found
    assert found[0].section == section
    assert found[0].stated != found[0].computed


@pytest.mark.parametrize(
    ("mark", "added"),
    [
        ("</main>", "<p>57 % more</p></main>"),
        ("</main>", "57 % more</main>"),
        ("</body>", "<script>document.title = 1</script></body>"),
        ("</body>", "<style>td {{ display: none }}</style></body>"),
        ("</html>", "</html>57 % more"),
        ("<footer>", "<img src='data:,'><footer>"),
        (" · periodkit 1<", " · periodkit 1 57 % more<"),
        ("<dt>Made with</dt>", "<dt>57 % more</dt>"),
        ("<dt>Made with</dt>", "57 % more<dt>Made with</dt>"),
        ("<dt>Made with</dt>", "<dt>Made with</dt><dd>57 % more</dd>"),
    ],
)
def test_what_is_added_to_the_end_of_a_page_is_named(mark, added):
    page = PAGE.format(**VALUES)
    assert mark in page
    assert list(_differences(_Page(page.replace(mark, added)).lines, _Page(page).lines))


def test_a_page_states_what_it_shows_and_no_markup():
    page = _Page(PAGE.format(**VALUES))
    assert page.lines == [
        ("Cup final", "Cup final"),
        ("Cup final", "Median: 4 min"),
        ("Findings", "Findings"),
        ("Findings", "Medical took longer than the rest"),
        ("Rates", "Rates"),
        ("Rates", "AI"),
        ("Rates", "Bar | 57 %"),
        ("Rates", "P90 is 9 min"),
        ("Data", "ab12"),
        ("As of", "2024-07-20"),
        ("", "Data as of 2024-07-20"),
    ]
    assert page.command == COMMAND
    assert page.made_with == "periodkit 1"


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (COMMAND, {"period": [7], "season": False, "names": False, "target": "15min"}),
        (
            "periodkit report --period 7 --period 8 --season --from api --tz Europe/London --names",
            {"period": [7, 8], "season": True, "names": True, "tz": "Europe/London"},
        ),
        ("periodkit report --period 7 --output /etc/passwd --pdf", {"period": [7], "season": False, "names": False}),
        (f"periodkit report --period {'9' * 5000}", None),
        ("rm -rf / --period 7", None),
        ("periodkit report --from api", None),
        ('periodkit report --period 7 "', None),
        ("", None),
    ],
)
def test_only_known_options_of_the_command_count(command, options):
    assert _options(command) == options


def test_a_report_is_what_its_archive_gives_and_an_edited_one_is_found_out(tmp_path, sandbox):
    archive = pk.Archive(tmp_path / "archive")
    with pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        archive.sync(client, start="2025-05-01")
    archive.snapshot("may")
    path = pk.report(archive=archive.path, snapshot="may", output=tmp_path / "report.html", compare=2)
    found = check_page(path, archive.path, "may")
    assert (found.differences, found.identical) == ((), True)
    assert found.lines > 50
    text = path.read_text(encoding="utf-8")
    changed = re.sub(r'(<strong class="value">)[^<]*', r"\g<1>9,999", text, count=1)
    assert changed != text
    path.write_text(changed, encoding="utf-8")
    found = check_page(path, archive.path, "may")
    assert [difference.section for difference in found.differences] == ["Key figures"]
    assert "9,999" in found.differences[0].stated
    assert "9,999" not in found.differences[0].computed
    assert not found.identical
