"""What many tests share: the sandbox, the frames of its season, and the recorded data set where it is at hand."""

from pathlib import Path

import hypothesis
import matplotlib as mpl
import pytest
import shared_demo

import periodkit as pk
from periodkit.sandbox.dataset import DataSet
from periodkit.sandbox.season import make_season
from periodkit.sandbox.server import Sandbox

mpl.use("Agg")
# `make soak` tries every law on five times as many examples: tests/support/laws.py reads it.
hypothesis.settings.register_profile("soak", max_examples=500, deadline=None)

RECORDED = Path(__file__).resolve().parents[1].parent / "shared" / "data" / "sffd" / "sffd-2020-04.json.gz"

# What takes longest begins, and files that share what is slow to make are run by one worker, as one file is: pages of
# reports, kernels and browsers. Spark's tests are one file, so that one cluster serves them all.
TOGETHER = {
    "tests/frames/test_spark.py": "spark",
    "tests/docs/test_site.py": "site",
    "tests/jupyter/test_in_browser.py": "lab",
    "tests/jupyter/test_lab.py": "lab",
    "tests/reporting/test_browser.py": "pages",
    "tests/reporting/test_build.py": "pages",
    "tests/jupyter/test_files.py": "kernels",
    "tests/cli/test_cli.py": "kernels",
}


def pytest_configure(config):
    """Let the doctests of the package have what the tests share."""
    config.pluginmanager.register(shared_demo)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Hand out whole files, so that what the tests of one share is made once."""
    from xdist.scheduler import LoadFileScheduling  # noqa: PLC0415

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid):
            path = super()._split_scope(nodeid)
            return TOGETHER.get(path, path)

    config.option.loadscopereorder = False
    return Files(config, log)


def pytest_collection_modifyitems(config, items):
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.nodeid.split("::")[0] not in TOGETHER)


@pytest.fixture(autouse=True)
def no_account(monkeypatch):
    """Keep tests off any real account that the environment may name."""
    monkeypatch.delenv("ALO_BASE_URL", raising=False)
    monkeypatch.delenv("ALO_API_TOKEN", raising=False)


@pytest.fixture(scope="session")
def season():
    return make_season()


@pytest.fixture(scope="session")
def sandbox(season):
    with Sandbox(season.dataset) as running:
        yield running


@pytest.fixture
def client(sandbox):
    with pk.Client(sandbox.base_url, sandbox.token, progress=False) as connected:
        yield connected


@pytest.fixture(scope="session")
def season_frames(sandbox):
    """Periods and actions of the whole synthetic season."""
    with pk.Client(sandbox.base_url, sandbox.token, progress=False) as connected:
        periods = connected.periods()
        return periods, connected.actions(periods, form_fields=["department", "priority", "location"])


@pytest.fixture(scope="session")
def recorded_path():
    if not RECORDED.exists():
        pytest.skip(f"the recorded data set {RECORDED.name} is not beside this checkout")
    return RECORDED


@pytest.fixture(scope="session")
def recorded_frames(recorded_path):
    """Periods and actions of the fire-department set, fetched over HTTP."""
    with (
        Sandbox(DataSet.load(recorded_path)) as running,
        pk.Client(running.base_url, running.token, progress=False) as connected,
    ):
        periods = connected.periods()
        return periods, connected.actions(periods)
