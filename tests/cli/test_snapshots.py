"""`periodkit snapshot` and `periodkit changes`, as a person meets them."""

import json
import subprocess
import sys

import pandas as pd
import pytest
from commands import run
from platforms import Platform

import periodkit as pk


@pytest.fixture
def platform(tmp_path, monkeypatch):
    """A platform with one action open, whose archive is the usual one of the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ALO_ARCHIVE", raising=False)
    platform = Platform(periods=3, actions=20)
    platform.actions[12][0] |= {"closedTime": None, "status": "open"}
    pk.Archive("periodkit-archive").sync(platform.client())
    return platform


def test_a_change_to_half_a_surrogate_pair_is_shown(platform, capsys):
    archive = pk.Archive("periodkit-archive")
    archive.snapshot("night")
    platform.actions[12][0] |= {"memo": "\ud800", "note": ["\udc80"]}
    archive.sync(platform.client(), refresh=[12])
    code, said = run(capsys, "changes", "night")
    assert code == 0
    assert r"\ud800" in said
    assert r"\udc80" in said


def test_a_late_closing_is_shown_since_the_snapshot(platform, capsys):
    archive = pk.Archive("periodkit-archive")
    code, said = run(capsys, "snapshot", "night")
    assert (code, said) == (0, f"Snapshot 'night': 3 periods, hash {archive.recorded_hash()}\n")
    assert run(capsys, "snapshot")[1].startswith("Snapshot: 3 periods, hash ")
    assert run(capsys, "changes", "night") == (0, "Nothing has changed.\n")
    closing = {"closedTime": "2024-07-02T00:00:00Z", "status": "closed", "assignedUserNames": ["Käte", "Li"]}
    platform.actions[12][0] |= closing
    archive.sync(platform.client(), refresh=[12])
    code, said = run(capsys, "changes", "night")
    assert code == 0
    lines = said.splitlines()
    assert lines[0] == "2 changed, 1 closed"
    (closed,) = [line.split() for line in lines if " closed_time " in line]
    assert closed == ["12", "12001", "closed", "closed_time", "-", "2024-07-02T00:00:00.000000Z"]
    code, said = run(capsys, "changes", "night", "-o", "c.csv")
    assert (code, said) == (0, "Wrote 3 changes to c.csv\n")
    written = pd.read_csv("c.csv").set_index("field")
    assert written.loc["closed_time", "after"] == "2024-07-02T00:00:00.000000Z"
    assert pd.isna(written.loc["closed_time", "before"])
    assert json.loads(written.loc["assigned_user_names", "after"]) == ["Käte", "Li"]
    archive.snapshot("later")
    assert run(capsys, "changes", "night", "--until", "later")[1].splitlines() == lines
    assert run(capsys, "changes", "later", "--until", "night")[1].splitlines()[0] == "2 changed, 1 reopened"


def test_what_became_of_the_periods_themselves(platform, capsys):
    run(capsys, "snapshot", "night")
    platform.periods[0]["name"] = "Cup final, moved"
    pk.Archive("periodkit-archive").sync(platform.client())
    said = run(capsys, "changes", "night", "--table", "periods")[1]
    assert said.splitlines()[0] == "1 changed"
    assert "Cup final, moved" in said
    assert run(capsys, "changes", "night") == (0, "Nothing has changed.\n")


def test_many_changes_are_cut_and_said_to_be(platform, capsys):
    run(capsys, "snapshot", "night")
    for action in [each for actions in platform.actions.values() for each in actions]:
        action["channel"] = "Elsewhere"
    pk.Archive("periodkit-archive").sync(platform.client(), refresh=True)
    lines = run(capsys, "changes", "night")[1].splitlines()
    assert len(lines) == 1 + 1 + 40 + 1
    assert lines[-1] == "and 20 more; --output changes.csv writes them all."


def test_a_snapshot_that_is_not_there_is_named(platform, capsys):
    code, said = run(capsys, "changes", "nope")
    assert code == 1
    assert "'nope' is not the name or hash of a snapshot" in said
    assert "periodkit status" in said


def test_a_reader_that_leaves_early_sees_no_traceback():
    script = "from periodkit import cli; cli.app.command(lambda: print('x' * 10**6), name='much'); cli.main(['much'])"
    with subprocess.Popen([sys.executable, "-c", script], stdout=-1, stderr=-1, text=True) as process:
        process.stdout.read(5)
        process.stdout.close()
        assert process.stderr.read() == ""
