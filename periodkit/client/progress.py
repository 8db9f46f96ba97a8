"""A progress bar where someone is watching, and nothing elsewhere."""

from __future__ import annotations

import sys
from typing import Any


class Progress:
    """How far a fetch has come.

    Parameters
    ----------
    total : int
        How many periods there are.
    shown : bool or None
        Whether to draw a bar; None draws one in a terminal or a notebook.
    """

    def __init__(self, total: int, shown: bool | None) -> None:
        self._bar: Any = None
        if _someone_is_watching() if shown is None else shown:
            from tqdm.auto import tqdm  # noqa: PLC0415  (looks for a notebook when imported)

            self._bar = tqdm(total=total, unit="period", desc="Fetching actions", leave=False)

    def step(self) -> None:
        """Count one more period."""
        if self._bar is not None:
            self._bar.update()

    def say(self, text: str) -> None:
        """Show `text` after the bar, such as what is being waited for."""
        if self._bar is not None:
            self._bar.set_postfix_str(text)

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()


def _someone_is_watching() -> bool:
    return sys.stderr.isatty() or "ipykernel" in sys.modules
