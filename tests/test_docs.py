"""What the guides show runs, as it stands there and in its order."""

import ast
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.axes import Axes

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


@pytest.mark.parametrize(
    "name", ["README.md", "docs/tutorial.md", "docs/client.md", "docs/archive.md", "docs/explore.md"]
)
def test_the_code_of_a_guide_runs(name, sandbox, monkeypatch, tmp_path):
    monkeypatch.setenv("ALO_BASE_URL", sandbox.base_url)
    monkeypatch.setenv("ALO_API_TOKEN", sandbox.token)
    monkeypatch.setenv("OLD_QUAY_TOKEN", sandbox.token)
    monkeypatch.chdir(tmp_path)
    names = {}
    found = blocks(name)
    assert found
    for line, code in found:
        # With its own lines in the traceback.
        exec(compile("\n" * (line - 1) + code, str(ROOT / name), "exec"), names)


TASKS = {
    "P50 and P90 by classification, of the last three events": lambda shown: "P90 (min)" in shown.to_html(),
    "The AI-dispatch rate by event, as a picture": lambda shown: isinstance(shown, Axes),
    "Response times of AI-dispatched actions and of the others, by channel": lambda shown: (
        len(shown) > 4 and shown["std_difference"].notna().any()
    ),
    "The share on time, by local hour": lambda shown: shown["hour"].is_monotonic_increasing and len(shown) > 6,
    "By a form field": lambda shown: shown["form.department"].notna().sum() > 1,
    "Arrivals per 15 minutes around Kick-off": lambda shown: len(shown) == 20,
    "An Excel file for the boss": lambda shown: (
        [*pd.read_excel(shown, sheet_name=None)] == ["Response times", "Actions"]
    ),
    "What is open and over its target now": lambda shown: len(shown) and (shown["age"] > pd.Timedelta("20min")).all(),
    "Tonight against the season": lambda shown: len(shown) == 7,
    "Two venues together": lambda shown: shown["venue"].nunique() == 2,
    "Who had most in hand at once": lambda shown: shown["max_open"].is_monotonic_decreasing,
}


def test_every_task_of_the_how_tos_takes_five_lines_at_most_and_answers(sandbox, monkeypatch, tmp_path):
    pytest.importorskip("openpyxl")
    for name in ("ALO_API_TOKEN", "OLD_QUAY_TOKEN"):
        monkeypatch.setenv(name, sandbox.token)
    monkeypatch.setenv("ALO_BASE_URL", sandbox.base_url)
    monkeypatch.chdir(tmp_path)
    text = (ROOT / "docs/how-to.md").read_text(encoding="utf-8")
    start, *sections = text.split("\n## ")
    names = {}
    (code,) = re.findall(r"```python\n(.*?)```", start, re.DOTALL)
    exec(code, names)
    assert [section.split("\n", 1)[0] for section in sections] == [*TASKS]
    for section in sections:
        (code,) = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
        assert len(code.strip().splitlines()) <= 5
        *before, last = ast.parse(code).body
        exec(compile(ast.Module(before, []), "how-to.md", "exec"), names)
        assert TASKS[section.split("\n", 1)[0]](eval(compile(ast.Expression(last.value), "how-to.md", "eval"), names))
    assert (tmp_path / "ai-rate.png").stat().st_size > 10_000
