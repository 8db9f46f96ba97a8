"""When to ask again: at an even pace, and less often while the answer is an error. Knows no clock: it is told the time."""

from __future__ import annotations

from dataclasses import dataclass

from periodkit.errors import ApiError, PeriodkitError

__all__ = ["Pace"]

_LONGEST = 900.0
"""Seconds between two tries at most, unless the pace itself is slower."""


@dataclass(slots=True)
class Pace:
    """When the next refresh is due.

    Parameters
    ----------
    every : float
        Seconds from one refresh to the next.
    due : float
        When the next one is due, on the caller's clock.
    failures : int
        How many failed in a row.
    fetched : float, optional
        When the last one that succeeded was answered.

    Examples
    --------
    >>> pace = Pace(60.0)
    >>> waits = []
    >>> for _ in range(6):
    ...     pace.failed(0.0, PeriodkitError("no answer"))
    ...     waits.append(pace.due)
    >>> waits
    [60.0, 120.0, 240.0, 480.0, 900.0, 900.0]
    """

    every: float
    due: float = 0.0
    failures: int = 0
    fetched: float | None = None

    def succeeded(self, now: float) -> None:
        """Go on at the even pace."""
        self.failures, self.fetched, self.due = 0, now, now + self.every

    def failed(self, now: float, error: PeriodkitError) -> None:
        """Wait twice as long with each failure, and never less than the server asks for."""
        self.failures += 1
        wait = min(self.every * 2.0 ** min(self.failures - 1, 20), max(_LONGEST, self.every))
        asked = error.retry_after if isinstance(error, ApiError) and error.retry_after is not None else 0.0
        self.due = now + max(wait, asked)

    def age(self, now: float) -> float | None:
        """Return how many seconds old what is shown is; None where nothing is."""
        return None if self.fetched is None else max(now - self.fetched, 0.0)
