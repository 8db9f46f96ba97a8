"""Which failures are worth another try, after how long, and when to give up.

`urllib3.util.Retry` is not used. It cannot see a body that is cut short, since `requests` reads bodies later; its waits
hold one thread that Ctrl-C does not wake, while the others go on asking; and it knows no budget of time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from periodkit.client.pacing import Clock, Gate
from periodkit.errors import ApiError, ConfigError, RateLimitError, TransportError

__all__ = ["Effort", "RetryPolicy"]

Result = TypeVar("Result")

_LOG = logging.getLogger("periodkit")
# A server that never answered is more likely misspelt than ill: its user should learn it in seconds.
_ATTEMPTS_UNREACHED = 3
# Shorter waits are nobody's concern.
_WORTH_A_WARNING = 3.0


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and for how long, a failed request is tried again.

    Tried again are: no connection, a time-out, a body cut short, and the statuses 429, 500 and above. Any other status
    is an answer. Before retry `n` a request waits a random time between 0 and ``backoff * 2 ** (n - 1)`` seconds
    (exponential backoff with full jitter), and never less than the server's ``Retry-After``.

    Parameters
    ----------
    attempts : int
        How often a request is sent at most, the first time included. While the server has not answered any request of
        the client at all, three times at most: its address may be misspelt.
    budget : float
        Seconds after which no further try begins, counted from the request's first try or from the moment since when
        the server has failed every request of this call, whichever came first. Longer than a rate window of a minute.
    backoff, backoff_cap : float
        Seconds: the bound of the first random wait, and what the bound does not grow past.
    retry_after_cap : float
        Seconds: a server that asks for a longer pause is asked again after this one.

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


class Effort:
    """What the requests of one call share: whether it goes on, and since when the server has failed them all.

    Parameters
    ----------
    policy : RetryPolicy or None
        None sends every request once.
    gate : Gate
        Where every request waits for its turn, retries too.
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
        """Return what `send` does, which is called again after failures that may pass."""
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
                self._gate.shut(wait)
            self._clock.wait(wait, self.stop)
        msg = f"{path} was not asked: the fetch was stopped. Ask again."
        raise TransportError(msg)

    def waiting(self) -> str:
        """Say what is being waited for, if anything is."""
        until, why = self._waits
        left = until - self._clock.now()
        return f"{why}, waiting {left:.0f} s" if left > 0 else ""

    def _wait(self, failed: ApiError | TransportError, failures: int, began: float) -> float | None:
        """Return the seconds until the next try, or None where there is none."""
        if not failed.retryable:
            self._failing_since = None  # an answer, and no failure
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
