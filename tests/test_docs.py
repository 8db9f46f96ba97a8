"""What the guides show runs, as it stands there and in its order."""

import ast
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from matplotlib.axes import Axes
from pandas.testing import assert_frame_equal

import periodkit as pk

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


@pytest.mark.filterwarnings("ignore:The inplace keyword")  # Dask's own way with pandas
def test_the_examples_of_scale_give_the_same_on_every_engine(sandbox, monkeypatch, tmp_path):
    """Those on Spark are run with its tests."""
    import dask.dataframe as dd  # noqa: PLC0415

    monkeypatch.chdir(tmp_path)
    names = {}

    def shown(code):
        """Run code and return what its last lines are worth, if they are no assignments."""
        found = []
        for line in ast.parse(code).body:
            part = ast.Module([line], []) if not isinstance(line, ast.Expr) else ast.Expression(line.value)
            if isinstance(line, ast.Expr):
                found.append(eval(compile(part, "scale.md", "eval"), names))
            else:
                exec(compile(part, "scale.md", "exec"), names)
        return found

    venues, _, counts, rates = (code for _, code in blocks("docs/scale.md"))
    over_duckdb, over_polars = shown(venues)
    both = pd.concat([archive.actions() for archive in names["archives"]], ignore_index=True)
    assert_frame_equal(over_duckdb, pk.cycle_times(both, by=["venue", "classification"], resolution="s"))
    assert_frame_equal(over_polars, over_duckdb)
    archive = names["archives"][0]
    names["frame"] = dd.read_parquet([str(path) for path in archive.files()])
    (found,) = shown(counts)
    expected = pk.cycle_times(archive.actions(), "channel", "response", resolution="s")
    assert_frame_equal(found.astype({"channel": "str"}), expected)
    shown(rates)
    expected = pk.ai_dispatch_rate(archive.actions(), by="channel").set_index("channel")
    sums = names["sums"].set_axis(names["sums"].index.astype("str"))
    assert_frame_equal(sums[["n", "ai", "rate", "low", "high"]], expected[["n", "ai", "rate", "low", "high"]])


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
