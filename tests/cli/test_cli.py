"""The command line as a person meets it."""

import os
import socket
import subprocess
import sys

import pytest
import requests

from periodkit import cli
from periodkit.errors import ConfigError


def run(*arguments, environment=None, timeout=300):
    return subprocess.run(
        [sys.executable, "-m", "periodkit", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **(environment or {})},
        check=False,
    )


def test_help_is_worth_reading():
    done = run("--help")
    assert done.returncode == 0
    for word in ("demo", "sandbox", "report", "lab", "ALO_BASE_URL", "ALO_API_TOKEN", "Exit codes", "--debug"):
        assert word in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nope"], 'Unknown command "nope"'),
        (["sandbox", "--port", "x"], "--port"),
        (["report", "--compare", "abc"], "--compare"),
        (["report", "--colour", "red"], "--colour"),
    ],
)
def test_being_called_wrongly_is_exit_code_2(capsys, arguments, said):
    with pytest.raises(SystemExit) as left:
        cli.main(arguments)
    assert left.value.code == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
    assert "Traceback" not in err


def test_a_failure_is_one_line_and_exit_code_1(capsys, tmp_path):
    with pytest.raises(SystemExit) as left:
        cli.main(["sandbox", "--data", str(tmp_path / "absent.json.gz")])
    assert left.value.code == 1
    err = capsys.readouterr().err
    assert err.startswith("periodkit: ")
    assert "absent.json.gz" in err
    assert err.count("\n") == 1


def test_debug_shows_where_it_came_from():
    with pytest.raises(ConfigError, match=r"absent\.json"):
        cli.main(["sandbox", "--data", "absent.json", "--debug"])


@pytest.mark.parametrize("recorded", [False, True], ids=["the season", "recorded data"])
def test_the_sandbox_serves_until_it_is_interrupted(season, recorded, tmp_path):
    season.dataset.save(tmp_path / "season.json")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "periodkit", "sandbox", "--port", str(port)]
    command += ["--data", str(tmp_path / "season.json")] if recorded else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            lines = [process.stdout.readline(), process.stdout.readline()]
            assert f"http://127.0.0.1:{port}" in lines[0]
            assert "export ALO_BASE_URL=" in lines[1]
            token = lines[1].split("ALO_API_TOKEN=")[1].strip()
            assert (token == "sandbox-token") is not recorded
            answer = requests.get(
                f"http://127.0.0.1:{port}/periods", headers={"Authorization": f"Bearer {token}"}, timeout=120
            )
            assert len(answer.json()["periods"]) >= 24
        finally:
            process.send_signal(2)
            process.wait(120)
        assert process.stderr.read() == ""


@pytest.mark.notebook
def test_the_demo_prints_two_tables_and_writes_a_report(tmp_path):
    done = run("demo", "--output", str(tmp_path / "out put"))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for text in (
        "Cycle time",
        "P90 (min)",
        "Medical",
        "AI-dispatch rate",
        "Guest Services",
        "make lab",
        "ALO_API_TOKEN=",
    ):
        assert text in done.stdout
    page = (tmp_path / "out put" / "report.html").read_text(encoding="utf-8")
    assert "AI-dispatch rate" in page
    assert sorted(path.name for path in (tmp_path / "out put").iterdir()) == ["report.html"]
