"""What Sphinx-Gallery needs to know about periodkit: small pictures with alt text, and one season for all examples."""

from functools import partial
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
from sphinx.application import Sphinx
from sphinx_gallery.scrapers import figure_rst

import periodkit as pk
from periodkit import sandbox
from periodkit.jupyter.png import in_few_colours
from periodkit.sandbox.season import make_season


def save_with_alt_text(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:  # noqa: ANN401, ARG001
    """Save each figure of a block as a small PNG, and name its alt text."""
    rst = ""
    for number, path in zip(plt.get_fignums(), block_vars["image_path_iterator"], strict=False):
        ax = plt.figure(number).axes[0]
        Path(path).write_bytes(in_few_colours(pk.plots.to_png(ax, dpi=110)))
        rst += figure_rst([path], gallery_conf["src_dir"], pk.plots.alt_text(ax).replace("\n", " "))
    plt.close("all")
    return rst


def share_one_season(app: Sphinx) -> None:
    """Let every sandbox of the build serve the same season, which takes a second to simulate."""
    plain = sandbox.Sandbox
    season = make_season().dataset
    sandbox.Sandbox = lambda data=None, **options: plain(season if data is None else data, **options)  # type: ignore[misc, assignment]
    app.connect("build-finished", partial(_restore, plain))


def _restore(plain: type[sandbox.Sandbox], *_: object) -> None:
    sandbox.Sandbox = plain  # type: ignore[misc]


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx, before Sphinx-Gallery runs the examples."""
    app.connect("builder-inited", share_one_season, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
