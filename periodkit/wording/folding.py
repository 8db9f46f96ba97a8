"""Styled tables that fold in a notebook if they are long."""

from __future__ import annotations

import pandas as pd
from pandas.io.formats.style import Styler

__all__ = ["FoldedStyler"]

_SHOWN = 20
"""How many rows a notebook shows before it folds the rest."""


class FoldedStyler(Styler):
    """A Styler of texts of which a notebook shows the first 20 rows, and the others to unfold.

    ``to_html()`` is the whole table in any case.
    """

    def _repr_html_(self) -> str | None:
        rows = len(self.data)
        if rows <= _SHOWN:
            whole: str | None = super()._repr_html_()
            return whole
        first = self._part(self.data.head(_SHOWN), "a")
        if self.caption is not None:
            first = first.set_caption(self.caption)
        rest = self._part(self.data.iloc[_SHOWN:], "b")
        more = f"{rows - _SHOWN:,} more row{'' if rows == _SHOWN + 1 else 's'}"
        return f"{first.to_html()}<details><summary>{more}</summary>{rest.to_html()}</details>"

    def _part(self, frame: pd.DataFrame, name: str) -> Styler:
        part = Styler(frame, uuid=f"{self.uuid}{name}").use(self.export())
        return part.format(escape="html").format_index(escape="html", axis="columns")
