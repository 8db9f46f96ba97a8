"""What Sphinx-Gallery needs to know about periodkit: small pictures with alt text, and one season for all examples."""

import gc
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest.mock import patch

import matplotlib.pyplot as plt
from one_demo import one_demo
from sphinx.application import Sphinx
from sphinx_gallery.scrapers import figure_rst

import periodkit as pk
from periodkit.jupyter.png import in_few_colours


def save_with_alt_text(block: Any, block_vars: dict[str, Any], gallery_conf: dict[str, Any]) -> str:  # noqa: ANN401, ARG001
    """Save each figure of a block as a small PNG, and name its alt text."""
    rst = ""
    for number, path in zip(plt.get_fignums(), block_vars["image_path_iterator"], strict=False):
        ax = plt.figure(number).axes[0]
        Path(path).write_bytes(in_few_colours(pk.plots.to_png(ax, dpi=110)))
        rst += figure_rst([path], gallery_conf["src_dir"], pk.plots.alt_text(ax).replace("\n", " "))
    plt.close("all")
    return rst


_WHILE_EXAMPLES_RUN = ExitStack()


def share_one_season(_: Sphinx) -> None:
    """Let all examples have one demo: a season takes a second to simulate, and one to fetch."""
    _WHILE_EXAMPLES_RUN.enter_context(patch.object(pk, "demo_client", _WHILE_EXAMPLES_RUN.enter_context(one_demo())))
    # Sphinx-Gallery collects garbage after each example, and would go through all that Sphinx holds each time.
    gc.freeze()


def share_no_more(_: Sphinx) -> None:
    """Give back what the examples shared: the reference describes what is really there."""
    _WHILE_EXAMPLES_RUN.close()


def setup(app: Sphinx) -> dict[str, bool]:
    """Register with Sphinx, before and after Sphinx-Gallery runs the examples (at 500)."""
    app.connect("builder-inited", share_one_season, priority=100)
    app.connect("builder-inited", share_no_more, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
