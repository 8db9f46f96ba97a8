"""`periodkit report`: what it refuses before anything is made, and how it is stopped."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from commands import run
from processes import started

import periodkit as pk
from periodkit import jupyter
from periodkit.frames import export
from periodkit.reporting.request import checked_output, checked_periods


@pytest.fixture
def no_run(monkeypatch, tmp_path):
    """A working folder, in which no cell may run."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(jupyter, "run_cells", lambda *given, **named: pytest.fail("a cell was run"))
    return tmp_path


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-o", "x.pdf"], "a report is an HTML file: name it x.html. For a PDF beside it, add pdf=True, or --pdf"),
        (["-o", "x.docx"], "a report is an HTML file: name it x.html"),
        (["-o", "x.PDF", "--pdf"], "a report is an HTML file"),
        (["-o", "report"], "a report is an HTML file"),
        (["-o", "folder"], "is the folder 'folder'. Name a file in it"),
        (["-o", "file/x.html"], "cannot be written"),
        (["--tz", "Lodon"], "tz is 'Lodon', which is no time zone"),
        (["--tz", ""], "tz is ''"),
        (["--target", "15"], "target is '15'; it takes a length of time"),
        (["--target", "soon"], "target is 'soon'"),
        (["--target=-5min"], "target is '-5min'"),
        (["--compare", "-1"], "compare is -1"),
        (["--start", "yesterday"], "start is 'yesterday'"),
        (["--end", "2024-13-01"], "end is '2024-13-01'"),
        (["--archive", "absent"], "There is no archive at"),
        (["--from", "archive"], "There is no archive at"),
        (["--from", "api", "--snapshot", "x"], "the source is the API"),
        (["--period", "99999"], "There is no period '99999'"),
        (["--period", "nobody"], "There is no period 'nobody'"),
        (["--period", "Harbour Park"], "'Harbour Park' could be"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_before_anything_is_made(no_run, capsys, options, said):
    (no_run / "folder").mkdir()
    (no_run / "file").write_text("")
    code, told = run(capsys, "report", *options)
    assert code == 1
    assert said in told
    assert told.count("\n") == 1
    assert sorted(path.name for path in no_run.iterdir()) == ["file", "folder"]


@pytest.mark.parametrize("name", ["ALO_BASE_URL", "ALO_API_TOKEN"])
def test_half_an_account_is_refused_before_anything_is_made(no_run, capsys, monkeypatch, name):
    monkeypatch.setenv(name, "https://api.example")
    code, told = run(capsys, "report")
    assert code == 1
    assert "set the environment variable" in told
    assert list(no_run.iterdir()) == []


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("1003", ["1003"]),
        (1003, [1003]),
        (["1003", 4], ["1003", 4]),
        ("Cup final", ["Cup final"]),
        (None, None),
    ],
)
def test_a_period_is_an_id_or_a_name(given, wanted):
    assert checked_periods(given) == wanted


@pytest.mark.parametrize("kind", ["frame", "float", "bool", "None in a list"])
def test_anything_else_gets_a_sentence(season_frames, kind):
    periods = season_frames[0]
    given = {"frame": periods, "float": 1003.5, "bool": True, "None in a list": [None]}[kind]
    with pytest.raises(pk.ArgumentError) as refused:
        pk.report(given)
    assert "it takes the id or name of a period" in str(refused.value)
    assert len(str(refused.value)) < 250


def test_a_folder_is_made_for_the_report(tmp_path):
    assert checked_output(tmp_path / "a" / "b.html").parent.is_dir()
    assert list((tmp_path / "a").iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such modes")
@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.xlsx"])
def test_an_exported_file_is_its_owners_alone(season_frames, tmp_path, name):
    (tmp_path / name).write_text("")
    (tmp_path / name).chmod(0o644)
    export(season_frames[1].head(3), tmp_path / name)
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_output_that_cannot_be_encoded_is_replaced(tmp_path, encoding):
    script = (
        "from periodkit import cli; from periodkit.cli._app import say\n"
        "cli.app.command(lambda: say('Käte 東京 \\u202e…'), name='told'); cli.main(['told'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        env=os.environ | {"PYTHONIOENCODING": encoding, "PYTHONPATH": str(Path(pk.__file__).parents[1])},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert b"\\u6771\\u4eac \\u202e" in done.stdout


def test_the_overview_imports_neither_pandas_nor_cyclopts():
    script = (
        "import sys; from periodkit import cli; cli.main(['--help'])\n"
        "print([name for name in ('pandas', 'numpy', 'requests', 'cyclopts') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(pk.__file__).parents[1])},
        check=True,
    )
    assert done.stdout.endswith("[]\n")
    for command in ("periods", "sync", "report", "snapshot", "verify", "sandbox"):
        assert f"\n  {command} " in done.stdout


HEAVY = ("pandas", "numpy", "pyarrow", "matplotlib", "requests", "deltalake")


REFUSED = [
    ["-o", "x.pdf"],
    ["-o", "."],
    ["-o", "/dev/null/x.html"],
    ["--tz", "Lodon"],
    ["--target", "15"],
    ["--target", "soon"],
    ["--compare", "-1"],
    ["--start", "yesterday"],
    ["--from", "ftp"],
    ["--from", "api", "--snapshot", "x"],
    ["--where", "Medical"],
    ["--colour", "red"],
    [],
]


def test_what_is_refused_is_refused_before_pandas_is_loaded(tmp_path):
    script = (
        "import sys; from periodkit import cli\n"
        f"for options in {REFUSED}:\n"
        "    try: cli.main(['report', *options])\n"
        f"    except SystemExit as left: print(options, left.code, [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        # Half an account, which is what no option at all is refused for.
        env=os.environ | {"PYTHONPATH": str(Path(pk.__file__).parents[1]), "ALO_BASE_URL": "https://api.example"},
        cwd=tmp_path,
        check=True,
    )
    told = zip(done.stdout.splitlines(), REFUSED, strict=True)
    assert [line for line, each in told if line not in (f"{each} 1 []", f"{each} 2 []")] == [], done.stderr
    assert list(tmp_path.iterdir()) == []


STOPPED = """
import importlib, os, signal, sys, time
from periodkit import cli

home, name, number = sys.argv[1:]
module = importlib.import_module(home)

def stop(*given, **named):
    os.kill(os.getpid(), int(number))
    time.sleep(60)

setattr(module, name, stop)
cli.main(["report", "-o", "r.html", "--compare", "0"])
"""


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("place", "number"),
    [
        # Each place and each signal, and all of both where there is time.
        ("periodkit.reporting.material collect", signal.SIGINT),
        ("periodkit.plots to_image", signal.SIGTERM),
        ("periodkit.reporting.page.html to_html", signal.SIGINT),
        pytest.param("periodkit.reporting.material collect", signal.SIGTERM, marks=pytest.mark.soak),
        pytest.param("periodkit.plots to_image", signal.SIGINT, marks=pytest.mark.soak),
        pytest.param("periodkit.reporting.page.html to_html", signal.SIGTERM, marks=pytest.mark.soak),
    ],
)
def test_a_stopped_report_leaves_one_line_and_nothing_else(tmp_path, place, number):
    code, said = {
        signal.SIGINT: (130, "periodkit: Interrupted.\n"),
        signal.SIGTERM: (143, "periodkit: Terminated.\n"),
    }[number]
    environment = os.environ | {"PYTHONPATH": str(Path(pk.__file__).parents[1])}
    arguments = ("-c", STOPPED, *place.split(), int(number))
    with started(*arguments, stderr=-1, cwd=tmp_path, env=environment, start_new_session=True) as process:
        out, err = process.communicate(timeout=240)
    assert (process.returncode, out, err) == (code, "", said)
    assert list(tmp_path.iterdir()) == []
    left = subprocess.run(
        ["ps", "-o", "pid=,args=", "--sid", str(process.pid)], capture_output=True, text=True, check=False
    )
    assert left.stdout == "", "a child is left"
