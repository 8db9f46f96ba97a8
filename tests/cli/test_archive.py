"""The archive from the command line."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pandas as pd
import pytest
from commands import run
from pandas.testing import assert_frame_equal
from platforms import TOKEN, Platform
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
            hang.wait(60)
        return platform.answer(path, headers)

    folder = tmp_path / "a"
    with scripted(answer) as (url, _):
        environment = os.environ | {"ALO_BASE_URL": url, "ALO_API_TOKEN": TOKEN}
        process = subprocess.Popen(
            [sys.executable, "-c", SYNC, folder], stdout=-1, stderr=-1, env=environment, cwd=tmp_path, text=True
        )
        try:
            came = [int(process.stdout.readline()) for _ in range(5)]
            for shown in (Path(f"/proc/{process.pid}/cmdline"), *Path(f"/proc/{process.pid}/task").glob("*/comm")):
                assert not shown.exists() or TOKEN.encode() not in shown.read_bytes()
            process.send_signal(signal.SIGINT)
            # Neither the requests that hang nor their threads are waited for: communicate() would time out.
            _, told = process.communicate(timeout=30)
        finally:
            process.kill()
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
    assert "0 fetched, 1 refreshed, 2 unchanged" in run(capsys, "sync")[1]
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
    assert run(capsys, "verify") == (0, f"Intact: 3 period(s), hash {taken.hash}\n")
    assert run(capsys, "verify", "--snapshot", "one") == (0, f"Intact: 3 period(s), hash {taken.hash}\n")
    assert "Wrote 12 actions" in run(capsys, "export", "a.csv")[1]
    assert "Wrote 4 actions" in run(capsys, "export", "a.parquet", "--period", "12")[1]
    assert "Wrote 1 period to" in run(capsys, "export", "p.xlsx", "--table", "periods", "--period", "12")[1]
    assert len(pd.read_csv("a.csv")) == 12
    assert "Deleted" in run(capsys, "prune", "--keep", "0D")[1]
    account.actions[12][0] |= {"closedTime": "2024-07-02T00:00:00Z"}
    run(capsys, "sync")
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


def test_without_an_account_it_is_the_sandbox(capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    code, said = run(capsys, "sync", "--start", "2025-05-01")
    assert code == 0
    assert " 0 failed" in said


def test_a_missing_package_is_named(monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(sys.modules, "deltalake", None)
    code, said = run(capsys, "status", "--archive", str(tmp_path))
    assert code == 1
    assert 'pip install "periodkit[archive]"' in said
