"""What the guides show runs, as it stands there and in its order."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

pytest.importorskip("deltalake")
pytest.importorskip("duckdb")
pytest.importorskip("polars")

ROOT = Path(__file__).resolve().parents[1]


def blocks(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [
        (text[: found.start()].count("\n") + 2, found[1])
        for found in re.finditer(r"```python\n(.*?)```", text, re.DOTALL)
    ]


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")


@pytest.mark.parametrize("name", ["README.md", "docs/client.md", "docs/archive.md", "docs/explore.md"])
def test_the_code_of_a_guide_runs(name, sandbox, monkeypatch, tmp_path):
    monkeypatch.setenv("ALO_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("ALO_API_TOKEN", sandbox.token)
    monkeypatch.chdir(tmp_path)
    names = {}
    found = blocks(name)
    assert found
    for line, code in found:
        # With its own lines in the traceback.
        exec(compile("\n" * (line - 1) + code, str(ROOT / name), "exec"), names)
