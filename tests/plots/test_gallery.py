"""The gallery: an example of each plot, which runs as it stands, and the page and pictures that are made of it."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from gallery_examples import THEMES, examples, page
from matplotlib.axes import Axes

import periodkit as pk

pytest.importorskip("deltalake")
pytest.importorskip("duckdb")
pytest.importorskip("polars")

DOCS = Path(__file__).resolve().parents[2] / "docs"
PUBLIC = sorted(set(pk.plots.__all__) - {"alt_text", "display", "to_png"})
ALL = {each.path.stem: each for kind in ("plot", "table") for each in examples(kind)}


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def test_each_plot_has_one_example():
    assert sorted(each.name for each in examples()) == PUBLIC


def test_no_example_is_left_out():
    files = {path.stem for path in (DOCS / "gallery").rglob("*.py")}
    assert files == set(ALL)
    assert {each.path.parent.name for each in ALL.values()} == set(THEMES)


def test_the_page_for_readers_of_the_repository_says_what_the_examples_say():
    assert (DOCS / "plots.md").read_text(encoding="utf-8") == page(), "run: python docs/make_images.py"


@pytest.mark.parametrize("name", PUBLIC)
def test_its_picture_is_there_and_small(name):
    size = (DOCS / "images" / f"{name}.png").stat().st_size
    assert 2_000 < size < 40_000


@pytest.mark.parametrize("name", ALL)
def test_it_runs_as_it_stands(name, open_demo, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(pk, "demo_client", open_demo)
    example = ALL[name]
    names = {}
    exec(compile(example.path.read_text(encoding="utf-8"), str(example.path), "exec"), names)
    shown = eval(example.call, names)
    assert isinstance(shown, Axes if name.startswith("plot_") else pd.DataFrame | pd.io.formats.style.Styler)
    assert example.title
    assert example.shows
    assert example.text
    assert not [*tmp_path.iterdir()]
