"""Blocks of HTML: escaped, cleaned, cut, and tables that a screen reader can follow."""

import base64
import io
import re

import IPython.display
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

import periodkit as pk
from periodkit.errors import ConfigError, PeriodkitError
from periodkit.jupyter import say
from periodkit.reporting.page import blocks
from periodkit.reporting.page.pdf import to_pdf

HOSTILE = "\u202e</td><script>alert(1)</script>" + "W" * 10_000


@pytest.fixture
def shown(monkeypatch):
    seen = []
    monkeypatch.setattr(
        IPython.display, "display", lambda data, metadata=None, raw=False: seen.append((data, metadata))
    )
    return seen


def test_a_table_names_its_rows_and_columns_and_sets_numbers_to_the_right(shown):
    frame = pd.DataFrame(
        {
            "channel": ["North", "South"],
            "n": [1200, 3],
            "p50": pd.to_timedelta(["90s", "5min"]),
            "p50_low": pd.to_timedelta(["60s", None]),
            "p50_high": pd.to_timedelta([None, "6min"]),
            "status": ["closed", None],
        }
    )
    blocks.show_table(frame, "By channel", "As seen.")
    page = shown[0][0]["text/html"]
    assert re.findall(r'<th scope="col"( class="number")?>([^<]*)', page) == [
        ("", "channel"),
        (' class="number"', "n"),
        (' class="number"', "P50 (min)"),
        ("", "status"),
    ]
    assert re.findall(r'<th scope="row">([^<]*)', page) == ["North", "South"]
    cells = [re.sub("<.*?>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", page)]
    assert cells == ["1,200", "1.5 (over 1)", "closed", "3", "5 (up to 6)", "–"]
    assert "<caption><span>By channel</span></caption>" in page
    assert 'role="region" aria-label="By channel" tabindex="0"' in page
    assert '<p class="note">As seen.</p>' in page


def test_a_column_without_a_number_keeps_its_side_and_dates_are_one_word(shown):
    frame = pd.DataFrame(
        {"date": ["2025-05-17"], "p50": pd.to_timedelta([None]), "status": pd.Series([None], dtype="str")}
    )
    blocks.show_table(frame, "One")
    page = shown[0][0]["text/html"]
    assert re.findall(r'<t[hd] (?:scope="row" )?class="(\w+)">([^<]*)', page) == [
        ("when", "2025-05-17"),
        ("number", "–"),
    ]


def test_a_picture_of_nothing_is_a_sentence(shown):
    none = pd.DataFrame({"ai_dispatched": pd.array([], dtype="boolean")})
    for phone in (True, False):
        blocks.show_plot(pk.plots.dispatch_rate, none, phone=phone)
    assert [data["text/plain"] for data, _ in shown] == ["AI-dispatch rate: no actions to show."] * 2
    assert not plt.get_fignums()


def test_the_picture_of_a_report_is_that_of_the_plot_cropped_alike_and_known_to_no_window(shown):
    actions = pd.DataFrame(
        {"ai_dispatched": pd.array([True, False] * 30, dtype="boolean"), "channel": ["Gate", "A very long name"] * 30}
    )
    blocks.show_plot(pk.plots.dispatch_rate, actions, by="channel", phone=True)
    assert not plt.get_fignums()
    data, metadata = shown[0]
    assert metadata["image/png"]["alt"] == data["text/plain"]
    with pk.plots.off_screen(5.8, 220):
        ax = pk.plots.dispatch_rate(actions, by="channel")
        theirs = Image.open(io.BytesIO(pk.plots.to_png(ax, 220))).convert("RGB")
    ours = Image.open(io.BytesIO(base64.b64decode(data["image/png"]))).convert("RGB")
    assert ours.size == theirs.size
    assert 1200 < ours.width < 1400
    blurred = [np.asarray(each.resize((160, 120)), dtype=float) for each in (ours, theirs)]
    assert np.abs(blurred[0] - blurred[1]).mean() < 2


def test_what_stands_outside_of_a_figure_is_in_its_picture():
    with pk.plots.off_screen(5.8, 100):
        ax = pk.plots.dispatch_rate(pd.DataFrame({"ai_dispatched": pd.array([True, False], dtype="boolean")}))
        inside = pk.plots.to_image(ax).width
        ax.annotate("far", (0, 0), (900, 0), xycoords="figure fraction", textcoords="offset points").set_in_layout(True)
        ax.figure.set_layout_engine("none")
        assert pk.plots.to_image(ax).width > inside + 300


def test_hostile_text_is_escaped_cleaned_and_cut_wherever_it_stands(shown):
    frame = pd.DataFrame({HOSTILE: [HOSTILE], "n": [1]})
    blocks.show_table(frame, HOSTILE, HOSTILE)
    say(HOSTILE)
    html = "".join(data["text/html"] for data, _ in shown)
    html += blocks.render("head", kind=HOSTILE, title=HOSTILE, facts=[HOSTILE])
    html += blocks.render("figures", figures=[blocks.KeyFigure(HOSTILE, HOSTILE, HOSTILE, (HOSTILE,))])
    html += blocks.render("findings", groups=[(HOSTILE, [{"lead": HOSTILE, "rest": HOSTILE}], False)], note=HOSTILE)
    assert "<script" not in html
    assert html.count("&lt;script&gt;") > 10
    cells = "".join(re.findall(r"<t[hd][^>]*>([^<]*)", shown[0][0]["text/html"]))
    assert "\u202e" not in cells
    assert "W" * 100 not in cells


def test_no_rows_are_said(shown):
    blocks.show_table(pd.DataFrame({"channel": []}), "By channel")
    assert shown[0][0]["text/plain"] == "By channel: none."


def test_a_number_keeps_its_unit():
    assert blocks.held("P90 12.5 min (11.8–13.1, n = 30), 5.0 points") == (
        "P90 12.5\N{NO-BREAK SPACE}min (11.8–13.1, n\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}30), 5.0\N{NO-BREAK SPACE}points"
    )


def test_without_a_browser_a_pdf_is_refused_with_advice(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigError, match="apt install chromium"):
        to_pdf(tmp_path / "report.html", tmp_path / "report.pdf")


def test_a_browser_that_prints_nothing_is_told_and_leaves_nothing(tmp_path):
    (tmp_path / "report.html").write_text("<p>x</p>", encoding="utf-8")
    broken = tmp_path / "chromium"
    broken.write_text("#!/bin/sh\necho no display >&2\nexit 7\n", encoding="utf-8")
    broken.chmod(0o755)
    with pytest.raises(PeriodkitError, match=r"exit code 7: no display.*print it to PDF"):
        to_pdf(tmp_path / "report.html", tmp_path / "report.pdf", str(broken))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["chromium", "report.html"]
