"""The examples of the gallery: one file each, from which the site, `plots.md` and the tests of pictures are made."""

import ast
import re
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
from matplotlib.axes import Axes

import periodkit as pk

GALLERY = Path(__file__).resolve().parents[1] / "gallery"
THEMES = ("what_happened", "how_fast", "who_dispatched", "tonight", "is_it_true", "bigger_data")


class Example(NamedTuple):
    """An example: its file, and what that says."""

    path: Path
    title: str
    shows: str
    text: str
    call: str

    @property
    def name(self) -> str:
        """The plot or table that it is of."""
        return self.path.stem.partition("_")[2]

    def draw(self, actions: Any, periods: pd.DataFrame, **more: Any) -> Axes:  # noqa: ANN401
        """Do what it shows with other frames, and with more or other arguments."""
        call = ast.parse(self.call, mode="eval")
        assert isinstance(call.body, ast.Call)  # noqa: S101  (an example of a plot ends with drawing it)
        kept = [keyword for keyword in call.body.keywords if keyword.arg not in more]
        call.body.keywords = [*kept, ast.keyword(None, ast.Name("more", ast.Load()))]
        names = {"pk": pk, "actions": actions, "tonight": actions, "periods": periods, "more": more}
        code = compile(ast.fix_missing_locations(call), str(self.path), "eval")
        return eval(code, names)  # noqa: S307  (our own file)


def examples(kind: str = "plot") -> list[Example]:
    """Return the examples of plots, or of tables, by theme."""
    return [_read(path) for theme in THEMES for path in sorted((GALLERY / theme).glob(f"{kind}_*.py"))]


def _read(path: Path) -> Example:
    source = path.read_text(encoding="utf-8")
    tree = ast.parse(source)
    title, _, rest = (ast.get_docstring(tree) or "").partition("\n")
    shows, _, text = rest.partition("\n\n")[2].partition("\n\n")
    return Example(path, title, shows.rstrip("."), text, ast.get_source_segment(source, tree.body[-1]) or "")


def page() -> str:
    """Return `plots.md`: the plots of the gallery for those who read the repository."""
    notes = (GALLERY / "GALLERY_HEADER.rst").read_text(encoding="utf-8").partition(".. dropdown::")[2]
    parts = ["# Plots\n\nEach plot answers one question.\n", re.sub(r"(?m)^   ", "", notes.partition("\n\n")[2])]
    for each in examples():
        where = each.path.relative_to(GALLERY.parent).as_posix()
        parts.append(
            f"## {each.title}\n\n```python\n{each.call}\n```\n\n![{each.shows}](images/{each.name}.png)\n\n"
            f"{each.text}\n\n[The whole example]({where})\n"
        )
    # One backtick marks code in Markdown, where reStructuredText has two; three fence a block.
    return re.sub(r"(?<!`)``(?!`)", "`", "\n".join(parts))
