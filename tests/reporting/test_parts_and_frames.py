"""Reports on a part of the actions, and on frames: what they say, what their hash is of, and what can be checked."""

import os
import re
import stat
import traceback

import pandas as pd
import pytest
from commands import run
from PIL import Image

import periodkit as pk
from periodkit.cli.demo import lab as lab_command
from periodkit.errors import ArgumentError, SchemaError
from periodkit.frames import fingerprint
from periodkit.reporting import check_page, check_report
from periodkit.reporting.given import Frames
from periodkit.reporting.material import collect
from periodkit.reporting.page.stamp import read_stamp
from periodkit.reporting.part import Part

pytest.importorskip("deltalake")

LAST = 4173
MEDICAL = {"channel": "Medical"}


@pytest.fixture(scope="module", autouse=True)
def pictures_that_are_not_looked_at():
    """Draw plots for their words alone; what is on their pictures is tested elsewhere, and takes half of a report's time."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("periodkit.plots.to_image", lambda ax: Image.new("RGB", (8, 8)))
        yield


@pytest.fixture(scope="module")
def archive(sandbox, tmp_path_factory):
    """The last three periods that have ended, with a form field."""
    made = pk.Archive(tmp_path_factory.mktemp("archive") / "store")
    with pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        made.sync(client, start="2025-04-15", form_fields=["priority"])
    made.snapshot("may")
    return made


@pytest.fixture(scope="module")
def frames(archive):
    periods = archive.periods()
    return periods, archive.actions(periods)


@pytest.fixture(scope="module")
def page(archive, tmp_path_factory):
    """A report on a part, from a snapshot."""
    where = {"channel": ["Medical", "Security"], "form.priority": ["high", None]}
    output = tmp_path_factory.mktemp("page") / "part.html"
    return pk.report(output=output, archive=archive.path, snapshot="may", where=where)


def text_of(path):
    return re.sub(r"base64,[^\"]*", "", path.read_text(encoding="utf-8"))


def test_its_title_its_facts_and_its_findings_name_the_part(page, frames):
    text, actions = text_of(page), frames[1]
    tonight = actions[actions["period_id"] == LAST]
    part = tonight[
        tonight["channel"].isin(["Medical", "Security"])
        & (tonight["form.priority"].isna() | (tonight["form.priority"] == "high"))
    ]
    assert 0 < len(part) < len(tonight)
    words = "channel Medical or Security, form.priority high or not given"
    assert re.search(rf"<title>After-action report on invented data: [^<]+: {words}</title>", text)
    assert f"{len(part):,} actions of {len(tonight):,}, only {words}" in text
    assert "compared with the same part of the " in text
    assert f"Of {len(part):,} actions, half were closed" in text
    assert (
        "--where 'channel=Medical' --where" in text.replace("&#39;", "'") or "--where channel=Medical --where" in text
    )
    assert "--where form.priority=" in text


def test_its_hash_is_of_the_part_alone(page, frames):
    periods, actions = frames
    there = periods[periods["period_id"] == LAST]
    part = actions[
        (actions["period_id"] == LAST)
        & actions["channel"].isin(["Medical", "Security"])
        & (actions["form.priority"].isna() | (actions["form.priority"] == "high"))
    ]
    stamp = read_stamp(page)
    assert stamp.hash == fingerprint(there, part).total
    assert dict(stamp.part.choices) == {"channel": ("Medical", "Security"), "form.priority": ("high", None)}


def test_a_page_on_a_part_is_recomputed_from_the_archive_and_an_edited_one_is_found_out(page, archive, tmp_path):
    assert check_report(page, archive).same
    found = check_page(page, archive.path, "may")
    assert (found.differences, found.identical) == ((), True)
    edited = tmp_path / "edited.html"
    edited.write_text(
        page.read_text(encoding="utf-8").replace("Medical or Security", "Medical or Radio"), encoding="utf-8"
    )
    assert check_page(edited, archive.path, "may").differences


@pytest.mark.parametrize(
    "tag", ["{", "[]", "{}", '{"channel": []}', '{"channel": "Medical"}', '{"channel": [1]}', '{"channel": [["x"]]}']
)
def test_a_stamp_with_another_part_is_refused(page, tmp_path, tag):
    changed = tmp_path / "changed.html"
    text = page.read_text(encoding="utf-8")
    new = re.sub(
        r'(<meta name="periodkit:where" content=")[^"]*', lambda match: match[1] + tag.replace('"', "&#34;"), text
    )
    assert new != text
    changed.write_text(new, encoding="utf-8")
    with pytest.raises(pk.ConfigError, match="no stamp"):
        read_stamp(changed)


def test_a_stamp_that_claims_another_part_is_not_the_same(page, archive, tmp_path):
    changed = tmp_path / "changed.html"
    changed.write_text(
        page.read_text(encoding="utf-8").replace("&#34;Medical&#34;", "&#34;Cleaning&#34;", 1), encoding="utf-8"
    )
    assert not check_report(changed, archive).same_values


def test_the_api_is_asked_for_the_form_fields_of_a_part(client):
    found = collect(client, LAST, compare=1, where={"form.priority": "high"})
    assert set(found.actions["form.priority"]) == set(found.earlier["form.priority"]) == {"high"}
    assert len(found.actions) < found.of


def test_a_kind_of_work_may_be_missing_tonight_but_not_be_unknown(frames):
    periods, actions = frames
    without = actions[(actions["period_id"] != LAST) | (actions["channel"] != "Medical")]

    class Source:
        def periods(self):
            return periods

        def actions(self, some):
            return without[without["period_id"].isin(some["period_id"])]

    found = collect(Source(), LAST, where=MEDICAL)
    assert (len(found.actions), len(found.earlier) > 0) == (0, True)
    with pytest.raises(ArgumentError, match=r"No action has the channel 'Medicla'\. Did you mean 'Medical'"):
        collect(Source(), LAST, where={"channel": "Medicla"})


def test_what_is_one_value_in_the_part_is_no_group_to_compare(client):
    periods = client.periods()
    whole, part = (collect(client, LAST, where=where) for where in (None, MEDICAL))
    assert "channel" in set(whole.tonight["by"].dropna())
    assert set(part.tonight["by"].dropna()) == {"classification"}
    assert len(part.earlier_periods) == len(periods[periods["start_date"] < part.periods["start_date"].item()])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--where", "chanel=Medical"], "did you mean 'channel'?"),
        (["--where", "channel=Medicla"], "Did you mean 'Medical'?"),
        (["--where", "channel"], "--where is 'channel'; it takes a column and a value"),
        (["--where", "assigned_user_names=Ada"], "Pass names=True (--names) too"),
    ],
)
def test_the_command_refuses_what_is_not_there_in_one_line(archive, tmp_path, monkeypatch, capsys, options, said):
    monkeypatch.chdir(tmp_path)
    code, told = run(capsys, "report", "--archive", str(archive.path), *options)
    assert code == 1
    assert said in told
    assert told.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_the_command_is_the_function(archive, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    words = ["--where", "form.priority=high", "--where", "form.priority=", "--where", "ai_dispatched=true"]
    code, told = run(capsys, "report", "--archive", str(archive.path), "--compare", "1", *words)
    assert (code, told) == (0, "Wrote report.html\n")
    where = {"form.priority": ["high", None], "ai_dispatched": True}
    again = pk.report(output="again.html", archive=archive.path, compare=1, where=where)
    assert again.read_bytes() == (tmp_path / "report.html").read_bytes()


def body(path):
    text = path.read_text(encoding="utf-8")
    return text[text.index("<main") : text.index('<dl class="provenance"')]


def test_frames_give_the_page_of_the_archive_and_need_neither_account_nor_archive(
    archive, frames, tmp_path, monkeypatch
):
    monkeypatch.setattr("periodkit.reporting.material.connect", lambda **_: pytest.fail("a source was opened"))
    periods, actions = frames
    before = periods.copy(), actions.copy()
    ours = pk.report(
        output=tmp_path / "frames.html", actions=actions, periods=periods, where=MEDICAL, tz="Europe/London"
    )
    pd.testing.assert_frame_equal(periods, before[0])
    pd.testing.assert_frame_equal(actions, before[1])
    monkeypatch.undo()
    theirs = pk.report(output=tmp_path / "archive.html", archive=archive.path, where=MEDICAL, tz="Europe/London")
    # Frames do not say whose data they are.
    assert body(ours) == body(theirs).replace(" on invented data", "")
    text = text_of(ours)
    assert "frames of actions and periods" in text
    assert "To make it again" not in text
    assert "It can show that an archive holds these records" in text
    assert check_report(ours, archive).same
    assert check_page(ours, archive.path, None) is None


def test_actions_alone_are_reported_on_as_a_whole(frames, tmp_path):
    actions = frames[1]
    some = actions[actions["period_id"].isin([LAST, 4170])].sample(frac=1, random_state=1)
    text = text_of(pk.report(output=tmp_path / "alone.html", actions=some))
    assert f"{len(some):,} actions" in text
    assert "2 periods, " in text
    assert "The time of the event is not recorded" in text
    assert "No archive can be compared with this page" in text
    one = text_of(pk.report(output=tmp_path / "one.html", actions=some[some["period_id"] == LAST]))
    assert some.loc[some["period_id"] == LAST, "period_name"].iloc[0] in one


def test_what_a_fetch_said_of_all_is_not_said_of_a_part(frames):
    actions = frames[1].copy()
    actions.attrs["duplicates"] = 5
    assert Part.read(MEDICAL).of(actions).attrs == {}
    assert Frames(actions, frames[0]).actions(frames[0].head(1)).attrs == {}
    assert Frames(actions, frames[0]).actions(frames[0]).attrs["duplicates"] == 5


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        (lambda p, a: {"periods": p}, ArgumentError, "periods is given without actions"),
        (lambda p, a: {"actions": a.drop(columns="status"), "periods": p}, SchemaError, "no column 'status'"),
        (lambda p, a: {"actions": a, "periods": p.drop(columns="markers")}, SchemaError, "no column 'markers'"),
        (lambda p, a: {"actions": a, "periods": p.head(1)}, ArgumentError, "which periods lacks"),
        (lambda p, a: {"actions": a, "season": True}, ArgumentError, "needs to know when the periods were"),
        (
            lambda p, a: {"actions": a.assign(period_id=a["period_id"].where(a.index > 0))},
            ArgumentError,
            "without a period_id",
        ),
        (lambda p, a: {"actions": a.to_dict("list")}, ArgumentError, "actions is a dict. Pass a pandas frame"),
        (lambda p, a: {"actions": a, "archive": "x"}, ArgumentError, "Both actions and archive are given"),
        (lambda p, a: {"actions": a, "source": "api"}, ArgumentError, "Both actions and source are given"),
        (lambda p, a: {"actions": a, "client": object()}, ArgumentError, "Both client and actions are given"),
        (lambda p, a: {"actions": a, "periods": p, "period": 99}, ArgumentError, "There is no period 99"),
    ],
)
def test_frames_that_cannot_be_are_refused(frames, tmp_path, change, error, said):
    with pytest.raises(error, match=said):
        pk.report(output=tmp_path / "r.html", **change(*frames))
    assert list(tmp_path.iterdir()) == []


def test_a_season_is_made_of_frames_too(frames, tmp_path):
    periods, actions = frames
    path = pk.report(output=tmp_path / "season.html", actions=actions, periods=periods, season=True, where=MEDICAL)
    assert "in order of time" in text_of(path)


FAKE_BROWSER = """#!/bin/sh
for word in "$@"; do case "$word" in --print-to-pdf=*) umask 022; echo %PDF > "${word#--print-to-pdf=}";; esac; done
"""


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
@pytest.mark.parametrize("names", [True, False])
def test_a_report_that_names_people_is_its_owners_alone_and_so_is_its_pdf(frames, tmp_path, monkeypatch, names):
    browser = tmp_path / "bin" / "chromium"
    browser.parent.mkdir()
    browser.write_text(FAKE_BROWSER)
    browser.chmod(0o755)
    monkeypatch.setenv("PATH", f"{browser.parent}{os.pathsep}{os.environ['PATH']}")
    before = os.umask(0o022)
    try:
        for name in ("r.html", "r.pdf"):  # what stood there before could be read by all
            (tmp_path / name).write_text("")
        periods, actions = frames
        # A report without actions draws nothing, and its files are made as any other's.
        none = actions.head(0)
        path = pk.report(LAST, tmp_path / "r.html", actions=none, periods=periods, compare=0, names=names, pdf=True)
    finally:
        os.umask(before)
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, path.with_suffix(".pdf"))]
    assert modes == ([0o600, 0o600] if names else [0o644, 0o644])
    assert sorted(each.name for each in tmp_path.iterdir()) == ["bin", "r.html", "r.pdf"]


def told(error):
    """Return a traceback with the variables of its frames, but for those of this file."""
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
        trace = trace.tb_next
    return "".join(traceback.TracebackException(type(error), error, trace, capture_locals=True).format())


def test_no_frame_of_a_report_that_fails_holds_the_token(sandbox, tmp_path, monkeypatch):
    monkeypatch.setenv("ALO_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("ALO_API_TOKEN", "s3cret-of-the-environment")
    with pytest.raises(pk.AuthError) as refused:
        pk.report(output=tmp_path / "r.html")
    assert "wanted = " in told(refused.value), "no variables were looked at"
    assert "s3cret" not in told(refused.value)
    monkeypatch.delenv("ALO_BASE_URL")
    with pytest.raises(pk.ConfigError) as half:
        pk.report(output=tmp_path / "r.html")
    with pytest.raises(pk.ConfigError) as lab:
        lab_command()
    assert "s3cret" not in told(half.value) + told(lab.value)
