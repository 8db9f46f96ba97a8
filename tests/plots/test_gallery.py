"""The page of plots: a picture of each, and calls that work as they stand there."""

import importlib.util
import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes

import periodkit as pk

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGE = (DOCS / "plots.md").read_text(encoding="utf-8")
PUBLIC = sorted(set(pk.plots.__all__) - {"alt_text", "display", "to_png"})


@pytest.fixture(scope="module")
def make_images():
    spec = importlib.util.spec_from_file_location("make_images", DOCS / "make_images.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def test_the_page_shows_each_plot_once(make_images):
    assert sorted(make_images.calls(PAGE)) == PUBLIC
    assert sorted(re.findall(r"images/(\w+)\.png", PAGE)) == PUBLIC


@pytest.mark.parametrize("name", PUBLIC)
def test_its_picture_is_there_and_small(name):
    size = (DOCS / "images" / f"{name}.png").stat().st_size
    assert 2_000 < size < 40_000


@pytest.mark.parametrize("name", PUBLIC)
def test_its_call_works(name, make_images, season_frames):
    periods, actions = season_frames
    tonight = actions[actions["period_id"] == periods["period_id"].iloc[-1]]
    known = {"pk": pk, "periods": periods, "actions": actions, "tonight": tonight}
    assert isinstance(eval(make_images.calls(PAGE)[name], known), Axes)
