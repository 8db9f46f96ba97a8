"""Which failures are worth another try, after how long, and when to give up.

`urllib3.util.Retry` is not used: it cannot see a body that is cut short, because `requests` reads bodies later; Ctrl-C
does not end its waits; a pause that the server asks for holds one thread only; and it has no time budget.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from periodkit.client.pacing import Clock, Gate
from periodkit.errors import ApiError, ConfigError, RateLimitError, TransportError

__all__ = ["RetryPolicy", "RetrySession"]

Result = TypeVar("Result")

_LOG = logging.getLogger("periodkit")
# If no request has succeeded, the URL is probably wrong: the user should learn it in seconds.
_ATTEMPTS_UNREACHED = 3
# Shorter waits are logged as information only.
_WORTH_A_WARNING = 3.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and for how long, a failed request is tried again.

    A request is tried again after a failed connection, a time-out, a body cut short, or a status of 429, 500 or above.
    Any other status is an answer. Before retry `n` a request waits a random time between 0 and
    ``backoff * 2 ** (n - 1)`` seconds (exponential backoff with full jitter), and never less than the server's
    ``Retry-After``.

    Parameters
    ----------
    attempts : int
        How often a request is sent at most, the first time included. Three times at most while the server has not
        answered any request of the client: the URL may be wrong.
    budget : float
        Seconds after which no further try begins. They count from the request's first try, or from when the server
        began to fail every request of this call, whichever was earlier. Longer than a rate window of a minute.
    backoff, backoff_cap : float
        Seconds: the bound of the first random wait, and the largest bound.
    retry_after_cap : float
        Seconds: the longest pause that a server can ask for.

    Raises
    ------
    ConfigError
        `attempts` is below 1, or a number of seconds is negative.

    Examples
    --------
    >>> policy = RetryPolicy(attempts=5)
    >>> [policy.wait(failures, asked=None, draw=1.0) for failures in (1, 2, 3, 4)]
    [1.0, 2.0, 4.0, 8.0]
    >>> policy.wait(1, asked=17.0, draw=0.5)
    17.0
    """

    attempts: int = 12
    budget: float = 300.0
    backoff: float = 1.0
    backoff_cap: float = 60.0
    retry_after_cap: float = 120.0

    def __post_init__(self) -> None:
        if self.attempts < 1:
            msg = f"attempts is {self.attempts}; it takes 1 or more. retry=None asks once."
            raise ConfigError(msg)
        for name in ("budget", "backoff", "backoff_cap", "retry_after_cap"):
            if not getattr(self, name) >= 0:
                msg = f"{name} is {getattr(self, name)}; it takes seconds, 0 or more."
                raise ConfigError(msg)

    def wait(self, failures: int, asked: float | None, draw: float) -> float:
        """Return the seconds to wait after so many failures.

        Parameters
        ----------
        failures : int
            How often the request has failed, 1 or more.
        asked : float or None
            What the server's ``Retry-After`` says, in seconds.
        draw : float
            A random number from 0 to 1.
        """
        bound = min(self.backoff_cap, self.backoff * 2.0 ** min(failures - 1, 64))
        return max(min(asked or 0.0, self.retry_after_cap), draw * bound)


class RetrySession:
    """What the requests of one call share: whether to stop, and since when the server has failed all of them.

    Parameters
    ----------
    policy : RetryPolicy or None
        None sends every request once.
    gate : Gate
        Where every request waits for its turn, retries included.
    clock : Clock
        Time and chance.
    """

    def __init__(self, policy: RetryPolicy | None, gate: Gate, clock: Clock) -> None:
        self.stop = threading.Event()
        self._policy = policy
        self._gate = gate
        self._clock = clock
        self._failing_since: float | None = None
        self._waits: tuple[float, str] = (float("-inf"), "")

    def run(self, path: str, send: Callable[[], Result]) -> Result:
        """Return the result of `send`, which is called again after failures that may pass."""
        began = self._clock.now()
        failures = 0
        while self._gate.enter(self.stop):
            try:
                result = send()
            except (ApiError, TransportError) as error:
                failed = error
            else:
                self._failing_since = None
                return result
            failures += 1
            wait = self._wait(failed, failures, began)
            if wait is None:
                raise _tried(failed, failures, self._clock.now() - began)
            self._announce(failed, failures, wait)
            if isinstance(failed, RateLimitError) or (isinstance(failed, ApiError) and failed.retry_after):
                self._gate.pause(wait)
            self._clock.wait(wait, self.stop)
        msg = f"{path} was not asked: the fetch was stopped. Ask again."
        raise TransportError(msg)

    def waiting(self) -> str:
        """Return what is being waited for, or an empty text."""
        until, why = self._waits
        left = until - self._clock.now()
        return f"{why}, waiting {left:.0f} s" if left > 0 else ""

    def _wait(self, failed: ApiError | TransportError, failures: int, began: float) -> float | None:
        """Return the seconds until the next try, or None where there is none."""
        if not failed.retryable:
            self._failing_since = None  # an answer, not a failure
            return None
        now = self._clock.now()
        since = self._failing_since
        self._failing_since = now if since is None else since
        if self._policy is None:
            return None
        attempts = self._policy.attempts if self._gate.reached else min(self._policy.attempts, _ATTEMPTS_UNREACHED)
        if failures >= attempts:
            return None
        asked = failed.retry_after if isinstance(failed, ApiError) else None
        wait = self._policy.wait(failures, asked, self._clock.draw())
        spent = now + wait - min(began, self._failing_since)
        return wait if spent <= self._policy.budget else None

    def _announce(self, failed: ApiError | TransportError, failures: int, wait: float) -> None:
        why = str(failed) if not isinstance(failed, ApiError) else f"HTTP {failed.status_code}"
        self._waits = max(self._waits, (self._clock.now() + wait, why.split(".")[0]))
        level = logging.WARNING if wait >= _WORTH_A_WARNING else logging.INFO
        _LOG.log(level, "%s Asking again in %.1f s (try %d failed).", failed, wait, failures)


def _tried(failed: ApiError | TransportError, failures: int, seconds: float) -> ApiError | TransportError:
    """Return the failure with how often it was tried, where that was more than once."""
    if failures == 1:
        return failed
    said = f"{failed} Tried {failures} times in {seconds:.0f} s."
    if isinstance(failed, ApiError):
        return type(failed)(failed.status_code, said, failed.retryable, failed.retry_after)
    return TransportError(said, failed.retryable)
