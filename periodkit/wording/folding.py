"""Styled tables that fold in a notebook if they are long."""

from __future__ import annotations

from pandas.io.formats.style import Styler

__all__ = ["FoldedStyler"]


class FoldedStyler(Styler):
    """A Styler of which a notebook shows the first rows, and the others to unfold.

    ``to_html()`` is the whole table in any case.
    """

    _parts: tuple[Styler, Styler, str] | None = None

    def folded(self, first: Styler, rest: Styler, summary: str) -> FoldedStyler:
        """Set what a notebook shows: the first rows, the rest, and what stands there until that is unfolded."""
        self._parts = (first, rest, summary)
        return self

    def _repr_html_(self) -> str:
        if self._parts is None:
            return self.to_html()
        first, rest, summary = self._parts
        return f"{first.to_html()}<details><summary>{summary}</summary>{rest.to_html()}</details>"
