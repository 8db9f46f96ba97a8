"""The wheel, installed with nothing but what it declares, in a new venv outside the checkout."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

import periodkit as pk

ROOT = Path(__file__).resolve().parents[1]


def run(*command, **more):
    done = subprocess.run(
        [str(each) for each in command], capture_output=True, text=True, timeout=500, check=False, **more
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    """Return the Python of a venv in which the wheel of this checkout, and what its core needs, are installed."""
    folder = tmp_path_factory.mktemp("core")
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    uv = shutil.which("uv", path=os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", ""))))
    venv.create(folder / "venv", with_pip=uv is None)
    python = folder / "venv" / "bin" / "python"
    install = [uv, "pip", "install", "--python", python] if uv else [python, "-m", "pip", "install"]
    environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never"}
    run(*install, "-q", "-c", ROOT / "constraints.txt", wheel, cwd=folder, env=environment)
    return python


@pytest.mark.slow
def test_every_metric_and_plot_works_with_the_core_alone(core):
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    said = json.loads(run(core, "-P", ROOT / "tests/support/core_alone.py", cwd=core.parent, env=environment))
    assert Path(said["home"]).is_relative_to(core.parents[1])
    assert len(said["called"]) == len(set(said["called"]))
    plots = {f"periodkit.plots.{name}" for name in pk.plots.__all__ if name != "display"}
    metrics = {
        f"periodkit.{name}" for name in ("cycle_times", "season", "unusual", "ai_effect", "quality", "stage_times")
    }
    assert plots | metrics <= {*said["called"]}
