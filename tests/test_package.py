"""The package as a whole: its public names, what importing it costs, what is shipped."""

import json
import os
import re
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest
from packaging.version import Version

import periodkit as pk
from periodkit import errors

ROOT = Path(__file__).resolve().parents[1]

IMPORT = """
import json, os, sys
asked, events, before = set(), [], set(sys.modules)
plain = os._Environ.__getitem__
def spied(self, key):
    asked.add(key)
    return plain(self, key)
os._Environ.__getitem__ = spied
watched = ("socket.", "subprocess.", "os.system", "_thread.start")
sys.addaudithook(lambda event, given: events.append((event, repr(given[-1]))) if event.startswith(watched) else None)
import periodkit
bare = sorted(set(sys.modules) - before)
import pandas
times = pandas.to_datetime(["2024-07-01T19:00Z", "2024-07-01T19:30Z"])
actions = pandas.DataFrame({"created_time": times[:1], "closed_time": times[1:], "fetched_at": times[1:]})
actions["status"] = "closed"
periodkit.on_time(actions, "20min"), periodkit.ai_dispatch_rate(actions.assign(ai_dispatched=True))
periodkit.Client, periodkit.cycle_times(actions), periodkit.stage_times, periodkit.connect, periodkit.format_table
print(json.dumps({"asked": sorted(asked), "events": events, "bare": bare, "modules": sorted(set(sys.modules) - before)}))
"""

HEAVY = {
    "deltalake", "duckdb", "filelock", "IPython", "ipywidgets", "jupyter_client", "jupyterlab", "matplotlib", "nbclient",
    "nbconvert", "papermill", "periodkit.sandbox", "polars", "scipy.optimize", "scipy.special", "scipy.stats", "starlette",
    "statsmodels", "tqdm.auto", "uvicorn",
}  # fmt: skip


@pytest.fixture(scope="module")
def importing():
    """What importing periodkit, and using names of it for the first time, does in a new interpreter."""
    environment = os.environ | {"ALO_BASE_URL": "https://venue.invalid", "ALO_API_TOKEN": "secret"}
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_public_names_are_sorted_unique_and_there():
    assert pk.__all__ == sorted(set(pk.__all__))
    for name in pk.__all__:
        assert getattr(pk, name) is not None


def test_nothing_else_of_ours_looks_public():
    ours = {name for name, value in vars(pk).items() if getattr(value, "__module__", "").startswith("periodkit.")}
    assert {"Client", "markers"} <= ours
    assert ours <= set(pk.__all__)


def test_dir_shows_what_is_public_and_nothing_else():
    assert {"Archive", "plots"} <= set(dir(pk))
    for module in (pk, pk.plots):
        assert dir(module) == sorted(module.__all__)


def test_every_error_is_public_and_of_one_family():
    assert set(errors.__all__) <= set(pk.__all__)
    bases = {
        "ConfigError": "PeriodkitError",
        "ApiError": "PeriodkitError",
        "AuthError": "ApiError",
        "InvalidRequestError": "ApiError",
        "PeriodNotFoundError": "ApiError",
        "RateLimitError": "ApiError",
        "ServerError": "ApiError",
        "TransportError": "PeriodkitError",
        "SchemaError": "PeriodkitError",
        "PartialResultError": "PeriodkitError",
        "ArchiveError": "PeriodkitError",
    }
    assert pk.FetchInterrupted.__bases__ == (KeyboardInterrupt,)
    for name, base in bases.items():
        assert getattr(pk, name).__bases__[0] is getattr(pk, base)


def test_importing_loads_nothing_heavy(importing):
    assert "periodkit.client.client" in importing["modules"], "the list of modules is not that of the import"
    assert HEAVY & set(importing["modules"]) == set()


def test_importing_alone_does_not_even_load_pandas(importing):
    assert "periodkit._version" in importing["bare"]
    assert {"pandas", "numpy", "pyarrow", "requests", "periodkit.client", "periodkit.metrics"} & set(
        importing["bare"]
    ) == set()


def test_importing_reads_no_setting_of_ours(importing):
    assert importing["asked"], "nothing was watched"
    assert [name for name in importing["asked"] if name.startswith("ALO")] == []


def test_importing_starts_nothing(importing):
    # urllib3 binds one socket on the loopback, for a moment, to learn whether the machine has IPv6.
    allowed = {"socket.__new__", "socket.bind"}
    assert [event for event in importing["events"] if event[0] not in allowed] == []
    assert {given for event, given in importing["events"] if event == "socket.bind"} <= {"('::1', 0)"}


def test_the_version_is_one_pep_440_string():
    assert str(Version(pk.__version__)) == pk.__version__
    assert (ROOT / "periodkit" / "_version.py").read_text(encoding="utf-8").count(pk.__version__) == 1


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Build the wheel in a new folder and return its path."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120)
    (built,) = folder.glob("*.whl")
    return built


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = [name for name in names if name.endswith(".dist-info/METADATA")]
        described = Parser().parsestr(archive.read(metadata).decode())
    information = metadata.removesuffix("METADATA")
    shipped = {name for name in names if not name.startswith(information)}
    sources = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "periodkit").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    sources |= {f"periodkit/jupyter/curated/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert shipped == sources
    assert {"periodkit/py.typed", "periodkit/sandbox/server.py"} <= shipped
    assert f"{information}licenses/LICENSE" in names
    assert described["Version"] == pk.__version__
    assert described["License-Expression"] == "Apache-2.0"


def test_no_tracked_file_names_a_folder_of_one_machine():
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    paths = [ROOT / name for name in listed.split("\0") if name]
    assert ROOT / "pyproject.toml" in paths
    folder = re.compile(r"(?<![\w.}])/(?:home|Users|root|work)/\w+")
    found = {
        path.relative_to(ROOT).as_posix(): match[0]
        for path in paths
        if path.is_file() and (match := folder.search(path.read_text(encoding="utf-8", errors="replace")))
    }
    assert found == {}
