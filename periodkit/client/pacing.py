"""When the next request may go out: one rule for all threads of a client."""

from __future__ import annotations

import random
import threading
import time
from datetime import UTC, datetime


class Clock:
    """Time and chance, so that a test can replace both."""

    def now(self) -> float:
        """Return seconds that only grow."""
        return time.monotonic()

    def utc(self) -> datetime:
        """Return the time of day, in UTC."""
        return datetime.now(UTC)

    def wait(self, seconds: float, stop: threading.Event) -> None:
        """Wait, but no longer than until `stop` is set."""
        stop.wait(seconds)

    def draw(self) -> float:
        """Return a number from 0 to 1."""
        return random.random()  # noqa: S311  (spreads waits, protects nothing)


class Gate:
    """Lets requests out one after the other.

    Parameters
    ----------
    per_second : float or None
        How many requests may begin in a second, evenly spaced; None sets no limit.
    clock : Clock
        What tells the time.
    """

    def __init__(self, per_second: float | None, clock: Clock) -> None:
        self._spacing = 0.0 if per_second is None else 1.0 / per_second
        self._clock = clock
        self._lock = threading.Lock()
        self._opens = float("-inf")
        self.reached = False
        """Whether the server has answered at all."""

    def enter(self, stop: threading.Event) -> bool:
        """Wait for this request's turn and return True, or False once `stop` is set."""
        while not stop.is_set():
            with self._lock:
                now = self._clock.now()
                if now >= self._opens:
                    self._opens = now + self._spacing
                    return True
                left = self._opens - now
            self._clock.wait(left, stop)
        return False

    def pause(self, seconds: float) -> None:
        """Let no request out for so many seconds: the server asked for a pause, and not of one thread alone."""
        with self._lock:
            self._opens = max(self._opens, self._clock.now() + seconds)
