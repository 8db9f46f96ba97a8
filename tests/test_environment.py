"""environment.yml and constraints.txt say what pyproject.toml says."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from rattler import MatchSpec

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS_FOR_CONDA = ("archive", "excel", "lab", "sandbox", "scale")
CONDA_NAMES = {"duckdb": "python-duckdb", "matplotlib": "matplotlib-base"}
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9.-]*)==(?P<version>[0-9][^ ;]*)(?: ; (?P<marker>.+))?")


def conda_specs(text):
    """Name and version range of each conda dependency, and the entries for pip."""
    dependencies = yaml.safe_load(text)["dependencies"]
    specs = [MatchSpec(entry, strict=True) for entry in dependencies if isinstance(entry, str)]
    names = [spec.name.normalized for spec in specs]
    assert len(set(names)) == len(names), "a package is named twice"
    pip = [line for entry in dependencies if isinstance(entry, dict) for line in entry["pip"]]
    return dict(zip(names, (spec.version for spec in specs), strict=True)), pip


def wanted_specs():
    """What pyproject.toml asks for, under the names that conda-forge uses."""
    lists = [PROJECT["dependencies"], *(PROJECT["optional-dependencies"][extra] for extra in EXTRAS_FOR_CONDA)]
    found = {Requirement(line).name: str(Requirement(line).specifier) for lines in lists for line in lines}
    return {CONDA_NAMES.get(name, name): bound for name, bound in found.items()}


@pytest.fixture
def environment():
    return (ROOT / "environment.yml").read_text(encoding="utf-8")


def test_conda_environment_is_what_pyproject_asks_for(environment):
    specs, pip = conda_specs(environment)
    assert specs.pop("python") == PROJECT["requires-python"]
    assert specs.pop("pip") is None
    assert specs == wanted_specs()
    assert pip == ["-e ."]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("pandas >=3.0.2", "pandas >=2.2"),
        ("  - numpy >=2.0\n", ""),
        ("  - pip\n", "  - pip\n  - lifelines >=0.30\n"),
        ("matplotlib-base", "matplotlib"),
    ],
)
def test_a_difference_would_be_seen(environment, old, new):
    assert old in environment
    specs, _ = conda_specs(environment.replace(old, new))
    del specs["python"], specs["pip"]
    assert specs != wanted_specs()


def test_every_name_that_differs_is_used():
    asked = {Requirement(line).name for line in PROJECT["dependencies"] + PROJECT["optional-dependencies"]["scale"]}
    assert set(CONDA_NAMES) <= asked


def test_constraints_hold_names_and_versions_only():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) > 100
    assert [line for line in lines if not PIN.fullmatch(line)] == []


def test_constraints_pin_every_requirement_within_its_range():
    pins = {}
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        pin = PIN.fullmatch(line)
        pins.setdefault(pin["name"], []).append(Version(pin["version"]))
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    asked = [Requirement(line) for lines in lists for line in lines]
    asked = [requirement for requirement in asked if requirement.name != PROJECT["name"]]
    assert {canonicalize_name(requirement.name) for requirement in asked} <= set(pins), "run make lock"
    for requirement in asked:
        for version in pins[canonicalize_name(requirement.name)]:
            assert version in requirement.specifier, f"{requirement} against {version}: run make lock"
