"""The archive from the command line."""

import os
import signal
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from commands import run
from pandas.testing import assert_frame_equal
from platforms import TOKEN, Platform
from processes import shown_to_everyone, started
from servers import scripted

import periodkit as pk

SYNC = """
import sys
import periodkit as pk
from periodkit import cli
plain = pk.Client.iter_actions
class Told:
    def __init__(self, arrivals):
        self.arrived, self.arrivals = arrivals.arrived, arrivals
    def __iter__(self):
        for each in self.arrivals:
            yield each
            print(each[0], flush=True)
pk.Client.iter_actions = lambda *given, **named: Told(plain(*given, **named))
cli.main(["sync", "--archive", sys.argv[1]])
"""


@pytest.mark.skipif(os.name != "posix", reason="signals are sent to a process as POSIX has them")
def test_ctrl_c_keeps_what_came_and_says_so(tmp_path):
    platform, hang = Platform(periods=30), threading.Event()
    slow = set(platform.ids()[5:])

    def answer(path, headers):
        if path.startswith("/periods/") and int(path.split("/")[2]) in slow:
            hang.wait(600)
        return platform.answer(path, headers)

    folder = tmp_path / "a"
    with scripted(answer) as (url, _):
        environment = os.environ | {"ALO_BASE_URL": url, "ALO_API_TOKEN": TOKEN}
        try:
            with started("-c", SYNC, folder, stderr=-1, env=environment, cwd=tmp_path) as process:
                came = [int(process.stdout.readline()) for _ in range(5)]
                assert TOKEN.encode() not in shown_to_everyone(process)
                process.send_signal(signal.SIGINT)
                # Neither the requests that hang nor their threads are waited for: communicate() would time out.
                _, told = process.communicate(timeout=120)
        finally:
            hang.set()
    assert process.returncode == 130
    assert told.startswith("periodkit: Interrupted. 5 periods had arrived and were kept in the archive")
    assert "Sync again to fetch the rest." in told
    assert "Traceback" not in told
    archive = pk.Archive(folder)
    assert archive.periods()["period_id"].tolist() == sorted(came) == platform.ids()[:5]
    assert archive.verify().empty
    archive.sync(platform.client())
    assert_frame_equal(archive.actions(), platform.frames()[1])


@pytest.fixture
def account(monkeypatch, tmp_path):
    """An account with a small platform, and a working folder."""
    platform = Platform()
    monkeypatch.chdir(tmp_path)
    with scripted(platform.answer) as (url, _):
        monkeypatch.setenv("ALO_BASE_URL", url)
        monkeypatch.setenv("ALO_API_TOKEN", TOKEN)
        yield platform


def test_from_sync_to_export(account, capsys, tmp_path):
    account.actions[12][0] |= {"closedTime": None, "status": "open"}
    code, said = run(capsys, "sync")
    assert code == 0
    assert "3 fetched, 0 refreshed" in said
    assert str(tmp_path / "periodkit-archive") in said
    assert "0 fetched, 0 refreshed, 3 unchanged" in run(capsys, "sync")[1]
    archive = pk.Archive("periodkit-archive")
    taken = archive.snapshot("one")
    code, said = run(capsys, "status")
    assert code == 0
    for part in (
        "3 (2024-07-01)",
        "actions     12",
        "1 action(s) in 1 period(s)",
        "2024-07-20 06:30 UTC",
        "one",
        taken.hash,
    ):
        assert part in said
    assert run(capsys, "verify") == (0, f"Intact: 3 periods, hash {taken.hash}\n")
    assert run(capsys, "verify", "--snapshot", "one") == (0, f"Intact: 3 periods, hash {taken.hash}\n")
    assert "Wrote 12 actions" in run(capsys, "export", "a.csv")[1]
    assert "Wrote 4 actions" in run(capsys, "export", "a.parquet", "--period", "12")[1]
    assert "Wrote 1 period to" in run(capsys, "export", "p.xlsx", "--table", "periods", "--period", "12")[1]
    assert len(pd.read_csv("a.csv")) == 12
    assert "Deleted" in run(capsys, "prune", "--keep", "0D")[1]
    account.actions[12][0] |= {"closedTime": "2024-07-02T00:00:00Z"}
    assert "1 refreshed" in run(capsys, "sync", "--period", "event 12")[1]
    assert "Wrote 12 actions" in run(capsys, "export", "then.csv", "--snapshot", "one")[1]
    assert pd.read_csv("then.csv")["closed_time"].isna().sum() == 1


def test_options_reach_the_sync(account, capsys):
    for actions in account.actions.values():
        actions[0]["department"] = "Bar"
    options = ["--archive", "there", "--form-field", "department", "--end", account.periods[1]["start_date"]]
    assert "2 fetched" in run(capsys, "sync", *options)[1]
    archive = pk.Archive("there")
    assert archive.actions()["form.department"].dropna().tolist() == ["Bar", "Bar"]
    assert "1 fetched, 1 refreshed, 1 unchanged" in run(capsys, "sync", "--archive", "there", "--period", "12")[1]
    assert "0 fetched, 3 refreshed" in run(capsys, "sync", "--archive", "there", "--refresh")[1]


def test_the_folder_may_come_from_the_environment(account, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("ALO_ARCHIVE", str(tmp_path / "elsewhere"))
    run(capsys, "sync")
    assert len(pk.Archive(tmp_path / "elsewhere").periods()) == 3


@pytest.mark.parametrize("way", ["environment", "file"])
def test_the_key_comes_from_the_environment_or_a_file(account, capsys, monkeypatch, tmp_path, way):
    options = []
    if way == "environment":
        monkeypatch.setenv("ALO_PSEUDONYM_KEY", "a secret key")
    else:
        (tmp_path / "key").write_text("a secret key\n")
        options = ["--key-file", "key"]
    run(capsys, "sync", *options)
    wanted = pk.pseudonymize(account.frames()[1], "a secret key")
    assert_frame_equal(pk.Archive("periodkit-archive").actions(), wanted)
    monkeypatch.delenv("ALO_PSEUDONYM_KEY", raising=False)
    code, said = run(capsys, "sync")
    assert code == 1
    assert "holds pseudonyms" in said


def test_what_fails_is_exit_code_1_and_says_what_to_do(account, capsys):
    Path("periodkit-archive").mkdir()  # an empty folder is none yet
    for command in ("status", "verify", "prune", "export"):
        code, said = run(capsys, command, *(["a.csv"] if command == "export" else []))
        assert code == 1
        assert "There is no archive at" in said
        assert "periodkit sync --archive" in said
    account.failing[12] = 400
    code, said = run(capsys, "sync")
    assert code == 1
    assert "1 failed" in said
    archive = pk.Archive("periodkit-archive")
    archive.files()[0].unlink()
    code, said = run(capsys, "verify")
    assert code == 1
    assert "cannot be opened" in said
    assert "To fetch them again: periodkit sync --archive" in said
    assert run(capsys, "sync", "--key-file", "absent")[0] == 1


def test_without_an_account_invented_data_come_only_when_asked_for(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, said = run(capsys, "sync", "--start", "2025-05-01")
    assert code == 1
    assert "There is no account" in said
    assert "--demo" in said
    assert list(tmp_path.iterdir()) == []
    code, said = run(capsys, "sync", "--demo", "--start", "2025-05-01")
    assert code == 0
    assert " 0 failed" in said


def test_an_account_does_not_mix_with_the_demo(account, capsys):
    run(capsys, "sync")
    code, said = run(capsys, "sync", "--demo", "--start", "2025-05-01")
    assert code == 1
    assert "holds the data of" in said
    assert len(pk.Archive("periodkit-archive").periods()) == 3


@pytest.mark.parametrize("token", ["wrong", "", "Bearer x"])
def test_a_wrong_token_leaves_no_archive(capsys, monkeypatch, tmp_path, sandbox, token):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALO_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("ALO_API_TOKEN", token)
    code, said = run(capsys, "sync")
    assert code == 1
    assert said.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_periods_are_listed_with_their_names_dates_and_actions(account, capsys):
    account.periods[1]["name"] = "Cup final\n\x1b[2J"
    code, said = run(capsys, "periods", "--from", "api")
    assert code == 0
    assert [line.split()[0] for line in said.splitlines()] == ["id", "7", "12", "17"]
    assert "actions" not in said
    run(capsys, "sync")
    code, said = run(capsys, "periods")
    assert code == 0
    assert said.splitlines()[0].split() == ["id", "name", "start", "(UTC)", "end", "(UTC)", "actions"]
    assert said.splitlines()[1].split() == ["7", "Event", "7", "2024-07-01", "06:30", "2024-07-01", "09:30", "4"]
    assert "Cup final\\n\\x1b[2J" in said
    assert "\x1b" not in said
    pk.Archive("periodkit-archive").snapshot("one")
    assert run(capsys, "periods", "--snapshot", "one")[1] == said
    assert run(capsys, "periods", "--archive", "absent")[0] == 1


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("event 7", "Wrote 4 actions"),
        ("Event 12", "Wrote 4 actions"),
        ("17", "Wrote 4 actions"),
        ("event", "'event' could be 3 periods: 7 (Event 7), 12 (Event 12), 17 (Event 17). Give the id."),
        ("cup", "There is no period 'cup'. There are 3, the last of them 17 (Event 17)."),
        ("99999999999999999999999", "There is no period"),
    ],
)
def test_a_period_is_given_by_id_or_name(account, capsys, wanted, said):
    run(capsys, "sync")
    assert said in run(capsys, "export", "x.csv", "--period", wanted)[1]


@pytest.mark.parametrize("wanted", ["9" * 5000, "-" + "9" * 5000, "\N{SUPERSCRIPT TWO}"])
def test_a_number_that_is_no_id_is_refused_where_a_period_is_refreshed(account, capsys, wanted):
    run(capsys, "sync")
    code, said = run(capsys, "sync", "--period", wanted)
    assert code == 1
    assert "There is no period '" in said
    assert len(said) < 400


@pytest.mark.parametrize(
    ("name", "options", "said"),
    [
        ("periods.csv", [], "Wrote 3 periods"),
        ("Periods-2024.xlsx", [], "Wrote 3 periods"),
        ("actions.csv", [], "Wrote 12 actions"),
        ("periods.csv", ["--table", "actions"], "Wrote 12 actions"),
    ],
)
def test_an_export_writes_the_table_that_it_is_named_after(account, capsys, name, options, said):
    run(capsys, "sync")
    assert said in run(capsys, "export", name, *options)[1]
    if os.name == "posix":
        assert Path(name).stat().st_mode & 0o777 == 0o600


def test_a_field_that_no_action_has_is_said_and_forgotten(account, capsys):
    said = run(capsys, "sync", "--form-field", "departmnet")[1]
    assert "No archived action has the form field 'departmnet'" in said
    assert run(capsys, "sync", "--forget-field", "departmnet")[0] == 0
    assert "form.departmnet" not in pk.Archive("periodkit-archive").actions().columns
    code, said = run(capsys, "sync", "--forget-field", "departmnet")
    assert code == 1
    assert "does not fetch a form field" in said


def test_control_characters_of_the_server_are_shown_and_not_obeyed(account, capsys):
    run(capsys, "sync")
    taken = pk.Archive("periodkit-archive").snapshot("one")
    account.actions[12][1]["channel"] = "\x1b]0;owned\x07\r\nNorth\x9b31m\u202e"
    run(capsys, "sync", "--refresh")
    code, said = run(capsys, "changes", taken.hash[:8])
    assert code == 0
    assert "\\x1b]0;owned\\x07\\r\\nNorth\\x9b31m\\u202e" in said
    assert not set(said) & set("\x1b\x07\r\x9b\u202e")
    account.failing[12] = 400
    plain = account.answer

    def answer(path, headers=None):
        status, given, body = plain(path, headers)
        return (status, given, body if status == 200 else {"message": "It \x1b[31mfailed\x07"})

    account.answer = answer
    assert not set(run(capsys, "sync", "--refresh")[1]) & set("\x1b\x07")


def test_a_missing_package_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "deltalake", None)
    code, said = run(capsys, "status", "--archive", str(tmp_path))
    assert code == 1
    assert 'pip install "periodkit[archive]"' in said
