"""One body that the server sent, with what is known of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

OnBad = Literal["raise", "null"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One body that the server sent.

    Parameters
    ----------
    body : bytes
        The JSON as it came.
    fetched_at : datetime
        When the server answered (aware).
    period_id : int or None
        The period that was asked for; None for ``/periods``.
    """

    body: bytes = field(repr=False)
    fetched_at: datetime
    period_id: int | None = None

    @property
    def name(self) -> str:
        """How error messages call this answer."""
        return "/periods" if self.period_id is None else f"/periods/{self.period_id}/actions"
