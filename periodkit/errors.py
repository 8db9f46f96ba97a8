"""Everything that can go wrong, as one family, and what is left of an interrupted fetch.

Callers branch on the class (and on ``retryable``), never on the text of a message. All of them pickle, so they cross
process and thread boundaries whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ApiError",
    "ArchiveError",
    "ArgumentError",
    "AuthError",
    "BadValueWarning",
    "ConfigError",
    "FetchInterrupted",
    "InvalidRequestError",
    "PartialResultError",
    "PeriodNotFoundError",
    "PeriodkitError",
    "RateLimitError",
    "SchemaError",
    "ServerError",
    "TransportError",
]


class PeriodkitError(Exception):
    """Base class of every error that periodkit raises on purpose.

    Examples
    --------
    >>> import periodkit as pk
    >>> try:
    ...     pk.Client("ftp://venue.invalid", "token")
    ... except pk.PeriodkitError as error:
    ...     type(error).__name__
    'ConfigError'
    """


class ConfigError(PeriodkitError):
    """A setting or an optional package is missing; the message says which and how to supply it.

    Examples
    --------
    >>> import periodkit as pk
    >>> try:
    ...     pk.connect(snapshot="July")
    ... except pk.ConfigError as error:
    ...     print(error)
    snapshot is 'July', but no archive is given. Pass archive=PATH too.
    """


class ArgumentError(PeriodkitError, ValueError):
    """An argument of a metric, plot or report is not one of those it accepts.

    Examples
    --------
    >>> import pandas as pd
    >>> import periodkit as pk
    >>> try:
    ...     pk.cycle_times(pd.DataFrame(), canceled="ignore")
    ... except pk.ArgumentError as error:
    ...     print(error)
    canceled is 'ignore'; it takes "exclude" or "censor".
    """


class ApiError(PeriodkitError):
    """The API answered, and the answer is an error.

    Parameters
    ----------
    status_code : int or None
        HTTP status of the answer; None when periodkit refused to send the request at all.
    message : str
        What happened and what to do next.
    retryable : bool
        Whether the same request may succeed later.
    retry_after : float or None
        Seconds that the server asked to wait, where it said so.

    Examples
    --------
    >>> error = ApiError(503, "The server is busy. Try again later.", retryable=True, retry_after=30)
    >>> print(error, error.status_code, error.retryable, error.retry_after)
    The server is busy. Try again later. 503 True 30
    """

    def __init__(
        self, status_code: int | None, message: str, retryable: bool = False, retry_after: float | None = None
    ) -> None:
        # All four stay in ``args``: that is what pickle hands back to this constructor.
        super().__init__(status_code, message, retryable, retry_after)
        self.status_code = status_code
        self.message = message
        self.retryable = retryable
        self.retry_after = retry_after

    def __str__(self) -> str:
        return self.message


class AuthError(ApiError):
    """401 or 403: the token is missing, wrong, expired, or not allowed to read this.

    Parameters
    ----------
    status_code, message, retryable, retry_after
        As for `periodkit.ApiError`.

    Examples
    --------
    >>> error = AuthError(401, "The token is wrong.")
    >>> error.status_code, error.retryable, error.retry_after
    (401, False, None)
    """


class InvalidRequestError(ApiError):
    """400, or a request that periodkit would not send because the API cannot accept it (``status_code`` None).

    Parameters
    ----------
    status_code, message, retryable, retry_after
        As for `periodkit.ApiError`.

    Examples
    --------
    >>> error = InvalidRequestError(400, "Invalid period_id.")
    >>> error.status_code, error.retryable, error.retry_after
    (400, False, None)
    """


class PeriodNotFoundError(ApiError):
    """404: no such period, or no such path under the base URL.

    Parameters
    ----------
    status_code, message, retryable, retry_after
        As for `periodkit.ApiError`.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     try:
    ...         client.actions(1)
    ...     except pk.PeriodNotFoundError as error:
    ...         error.status_code, error.retryable
    (404, False)
    """


class RateLimitError(ApiError):
    """429: too many requests; ``retry_after`` says how long to wait, where the server said so.

    Parameters
    ----------
    status_code, message, retryable, retry_after
        As for `periodkit.ApiError`.

    Examples
    --------
    >>> error = RateLimitError(429, "Too many requests.", retryable=True, retry_after=60)
    >>> error.status_code, error.retryable, error.retry_after
    (429, True, 60)
    """


class ServerError(ApiError):
    """5xx: the server failed; the same request may succeed later.

    Parameters
    ----------
    status_code, message, retryable, retry_after
        As for `periodkit.ApiError`.

    Examples
    --------
    >>> error = ServerError(500, "The server failed.", retryable=True)
    >>> error.status_code, error.retryable, error.retry_after
    (500, True, None)
    """


class TransportError(PeriodkitError):
    """No whole answer arrived: unreachable host, time-out, reset, or a body that was cut short or is too large.

    Parameters
    ----------
    message : str
        What happened and what to do next.
    retryable : bool
        Whether the same request may succeed later.

    Examples
    --------
    >>> error = TransportError("The body was cut short after 1,024 of 4,096 bytes.")
    >>> error.retryable
    True
    """

    def __init__(self, message: str, retryable: bool = True) -> None:
        super().__init__(message, retryable)
        self.message = message
        self.retryable = retryable

    def __str__(self) -> str:
        return self.message


class SchemaError(PeriodkitError):
    """Data that is not what the API or a function promises; the message names the record and the field.

    Examples
    --------
    >>> import pandas as pd
    >>> import periodkit as pk
    >>> try:
    ...     pk.ai_dispatch_rate(pd.DataFrame({"status": ["open"]}))
    ... except pk.SchemaError as error:
    ...     print(error)
    The frame has no column 'ai_dispatched'. Pass an actions frame as client.actions() returns it. The frame has: status.
    """


class PartialResultError(PeriodkitError):
    """Some periods could not be fetched; those that could are kept here.

    Parameters
    ----------
    done : pandas.DataFrame
        The frame of everything that did arrive, complete in its columns and dtypes.
    failed : mapping of int to Exception
        Each period id that is missing from `done`, with its cause. ``client.actions(error.failed)`` fetches the rest.

    Examples
    --------
    >>> import pandas as pd
    >>> error = PartialResultError(pd.DataFrame({"action_id": [7, 8]}), {4711: ServerError(500, "The server failed.", True)})
    >>> len(error.done), [*error.failed]
    (2, [4711])
    """

    def __init__(self, done: pd.DataFrame, failed: Mapping[int, Exception]) -> None:
        super().__init__(done, failed)
        self.done = done
        self.failed = dict(failed)

    def __str__(self) -> str:
        first = next(iter(self.failed.items()), None)
        cause = f" The first: period {first[0]}: {first[1]}" if first else ""
        return (
            f"{len(self.failed)} period(s) could not be fetched; {len(self.done)} action(s) of the others are in "
            f"error.done, and client.actions(error.failed) fetches the rest.{cause}"
        )


class FetchInterrupted(KeyboardInterrupt):
    """Ctrl-C, or a notebook's stop button, while several periods were being fetched; what had arrived is kept here.

    A `KeyboardInterrupt` and not a `PeriodkitError`, so that no ``except`` that goes on after a failed period takes
    it for one. In a notebook that did not catch it, it is ``sys.last_value``.

    Parameters
    ----------
    done : pandas.DataFrame
        The frame of everything that had arrived, complete in its columns and dtypes.
    failed : mapping of int to Exception
        Each period id that is missing from `done`, with its cause. ``client.actions(error.failed)`` fetches the rest.

    Examples
    --------
    >>> import pandas as pd
    >>> error = FetchInterrupted(pd.DataFrame({"action_id": [7, 8]}), {4711: InterruptedError()})
    >>> len(error.done), [*error.failed], isinstance(error, Exception)
    (2, [4711], False)
    """

    def __init__(self, done: pd.DataFrame, failed: Mapping[int, Exception]) -> None:
        super().__init__(done, failed)
        self.done = done
        self.failed = dict(failed)

    def __str__(self) -> str:
        return (
            f"The fetch was interrupted; {len(self.done)} action(s) had arrived, {len(self.failed)} period(s) had not. "
            "With error = sys.last_value (after import sys), error.done is the frame of what arrived, and "
            "client.actions(error.failed) fetches the rest."
        )


class ArchiveError(PeriodkitError):
    """The local archive is damaged, locked, or newer than this version of periodkit.

    Examples
    --------
    >>> import tempfile
    >>> import periodkit as pk
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     try:
    ...         pk.connect(archive=f"{folder}/nothing")
    ...     except pk.ArchiveError as error:
    ...         "nothing" in str(error)
    True
    """


class BadValueWarning(UserWarning):
    """Values that the API should not have sent were nulled at the caller's wish (``on_bad="null"``).

    Examples
    --------
    >>> import warnings
    >>> import periodkit as pk
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always", pk.BadValueWarning)
    ...     warnings.warn("1 value of closedTime is not a time.", pk.BadValueWarning)
    >>> [str(each.message) for each in caught]
    ['1 value of closedTime is not a time.']
    """
