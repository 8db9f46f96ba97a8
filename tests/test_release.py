"""What is released: the same bytes wherever it is built, all that belongs in it, and types that a user's checker sees."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
from pathlib import Path

import pytest

import periodkit as pk

ROOT = Path(__file__).resolve().parents[1]

SCRIPT = """
import pandas as pd

import periodkit as pk


def slowest(client: pk.Client) -> pd.Timedelta:
    actions = client.actions(client.periods(start="2025-05-01"))
    times = pk.cycle_times(actions, by="classification", quantiles=[0.9])
    pk.plots.cycle_time_ecdf(actions, target="15min").set_title("")
    return pd.Timedelta(times["p90"].max())


try:
    with pk.demo_client() as client:
        print(slowest(client))
except pk.ApiError as error:
    reveal_type(error.retryable)
"""


# What `release` does twice, once.
BUILD = "import runpy, sys, pathlib; runpy.run_path(sys.argv[1])['build'](pathlib.Path(sys.argv[2]))"


def run(*command, **environment):
    done = subprocess.run(
        [sys.executable, *map(str, command)],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def dist(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release") / "dist"
    run(ROOT / ".ci" / "release.py", folder)
    return folder


def test_the_release_is_an_sdist_and_a_wheel_and_their_hashes(dist):
    version = pk.__version__
    names = {f"periodkit-{version}.tar.gz", f"periodkit-{version}-py3-none-any.whl"}
    assert {path.name for path in dist.iterdir()} == names | {"SHA256SUMS"}
    for line in (dist / "SHA256SUMS").read_text(encoding="utf-8").splitlines():
        digest, name = line.split()
        assert hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest
        names.remove(name)
    assert names == set()


@pytest.fixture(scope="module")
def unpacked(dist, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdist")
    (sdist,) = dist.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (root,) = folder.iterdir()
    return root


def test_from_its_own_sdist_elsewhere_and_later_it_is_the_same_wheel(dist, unpacked, tmp_path):
    run("-c", BUILD, unpacked / ".ci" / "release.py", tmp_path, TZ="Asia/Tokyo", PYTHONHASHSEED="7")
    (wheel,) = dist.glob("*.whl")
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


def test_the_sdist_holds_what_one_needs_to_test_and_document_it(unpacked):
    for name in (
        "Makefile",
        "LICENSE",
        "CHANGELOG.md",
        "constraints.txt",
        "environment.yml",
        ".ci/run",
        "docs/conf.py",
    ):
        assert (unpacked / name).is_file(), name
    for pattern in ("notebooks/*.ipynb", "tests/plots/baseline/*.png", "docs/gallery/*/*.py"):
        assert [*unpacked.glob(pattern)], pattern
    assert not [*unpacked.rglob("__pycache__")]


def test_its_version_is_that_of_the_changelog_and_the_citation():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {pk.__version__} " in changelog
    assert f"\nversion: {pk.__version__}\n" in (ROOT / "docs" / "CITATION.cff").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def checked(dist, tmp_path_factory):
    """Return a function that type-checks the script strictly against the installed wheel."""
    folder = tmp_path_factory.mktemp("user")
    venv.create(folder / "venv", with_pip=False, symlinks=True)
    python = folder / "venv" / "bin" / "python"
    site = Path(sysconfig.get_path("purelib", vars={"base": str(folder / "venv")}))
    (wheel,) = dist.glob("*.whl")
    shutil.unpack_archive(wheel, site, "zip")
    # The packages that it depends on, and their stubs, as they are installed for the tests.
    (site / "others.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    script = folder / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")

    # As strictly as the package itself, and so with what mypy already knows of the packages that it depends on: `make test`
    # has just checked the package, and reading pandas and the like anew takes half a minute.
    cache = folder / "cache"
    if (ROOT / ".mypy_cache").is_dir():
        shutil.copytree(ROOT / ".mypy_cache", cache)

    def check():
        options = [
            "--strict",
            "--python-executable",
            str(python),
            "--config-file",
            str(ROOT / "pyproject.toml"),
            "--cache-dir",
            str(cache),
        ]
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "MYPYPATH")}
        return subprocess.run(
            [sys.executable, "-m", "mypy", *options, str(script)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        ).stdout

    return check, site


def test_a_users_script_passes_a_strict_type_check_against_the_wheel(checked):
    check, site = checked
    said = check()
    assert 'Revealed type is "bool"' in said or 'Revealed type is "builtins.bool"' in said
    assert "error" not in said
    (site / "periodkit" / "py.typed").unlink()
    assert "py.typed" in check()
