"""HTTP -> bytes -> frames. Knows the two endpoints and the settings; knows no analysis."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import NoReturn, Self

import pandas as pd
import requests
from requests.adapters import BaseAdapter

from periodkit._arguments import PeriodIds, When, api_time, checked_form_fields, period_ids, read_range
from periodkit.client.arrivals import Arrivals
from periodkit.client.credentials import BearerAuth, checked_url, hide, not_texts, setting
from periodkit.client.fetch import Fetch
from periodkit.client.pacing import Clock, Gate
from periodkit.client.retry import RetryPolicy, RetrySession
from periodkit.client.transport import Transport
from periodkit.errors import ConfigError, InvalidRequestError
from periodkit.frames import finder
from periodkit.parse import OnBad
from periodkit.settings import BASE_URL_VARIABLE, TOKEN_VARIABLE

__all__ = ["Client"]


class Client:
    """The ALO.ai API as DataFrames.

    Parameters
    ----------
    base_url : str, optional
        The address of the API, such as ``https://api.example.com/v1``, without ``/periods``; by default the environment
        variable ``ALO_BASE_URL``.
    token : str, optional
        The bearer token, without the word Bearer; by default ``ALO_API_TOKEN``. It is shown nowhere.
    timeout : float or (float, float)
        Seconds to wait for a connection and for the next bytes.
    total_timeout : float, optional
        Seconds to wait for one whole answer, even if bytes keep arriving; None sets no limit.
    workers : int
        How many requests run at once when several periods are asked for, each over its own connection.
    requests_per_second : float, optional
        How many requests may begin in a second, retries included, for all workers together; None sets no limit. When
        the server answers 429, all of them pause in any case.
    retry : RetryPolicy, optional
        How often and for how long failed requests are tried again; None sends each request once. Waits are logged under
        ``periodkit``.
    max_body_bytes : int
        How large an answer may be, unpacked and with all its pages; the rest of a larger one is not read. By default
        512 MiB, which is about a million actions in one period.
    session : requests.Session, optional
        A session of your own, for certificates or proxies. It is used as it is and left open, but no proxy is used for
        an API on this machine.
    progress : bool, optional
        Whether to show a progress bar for several periods; by default only in a terminal or a notebook.
    on_bad : {"raise", "null"}
        What to do with a value that is not of its documented kind, see `periodkit.parse.parse_actions`.
    allow_insecure : bool
        Allow plain ``http`` to another machine, also through a proxy. Anyone on the way can then read the token.
    clock : Clock, optional
        For tests: replaces time and chance, so that waits take no time (`periodkit.client.Clock`).
    transport : requests.adapters.BaseAdapter, optional
        For tests: replaces the network. Its ``send`` gets each prepared request and returns a `requests.Response`.

    Raises
    ------
    ConfigError
        The base URL or the token is missing or cannot be used; the message says which.

    Examples
    --------
    >>> import periodkit as pk
    >>> with pk.demo_client() as client:
    ...     periods = client.periods(start="2024-09-01", end="2024-10-01")
    ...     actions = client.actions(periods.head(2))
    >>> actions["period_id"].nunique()
    2
    """

    def __init__(
        self,
        base_url: str | None = None,
        token: str | None = None,
        *,
        timeout: float | tuple[float, float] = (10.0, 60.0),
        total_timeout: float | None = 300.0,
        workers: int = 8,
        requests_per_second: float | None = None,
        retry: RetryPolicy | None = RetryPolicy(),  # noqa: B008  (frozen)
        max_body_bytes: int = 512 * 2**20,
        session: requests.Session | None = None,
        progress: bool | None = None,
        on_bad: OnBad = "raise",
        allow_insecure: bool = False,
        clock: Clock | None = None,
        transport: BaseAdapter | None = None,
    ) -> None:
        # Some tracebacks show the variables of a frame, so from here on none of them holds the token or what may be one.
        wrong = not_texts(base_url=base_url, token=token)
        base_url, token = hide(base_url), hide(token)
        if wrong:
            msg = f"{wrong[0]} is not a text. Pass it as one, or leave it out to use the environment."
            raise ConfigError(msg)
        auth = BearerAuth(setting(token, "token", TOKEN_VARIABLE))
        self._base_url = checked_url(setting(base_url, "base_url", BASE_URL_VARIABLE), auth, allow_insecure)
        for name, value in {
            "workers": workers,
            "requests_per_second": requests_per_second,
            "total_timeout": total_timeout,
            "max_body_bytes": max_body_bytes,
        }.items():
            if value is not None and not value > 0:
                msg = f"{name} is {value}; it takes a number above 0."
                raise ConfigError(msg)
        if session is not None and transport is not None:
            msg = (
                "session and transport were both given. Mount the transport on the session, and pass the session alone."
            )
            raise ConfigError(msg)
        clock = Clock() if clock is None else clock

        def connect() -> Fetch:
            gate = Gate(requests_per_second, clock)
            sender = Transport(
                self._base_url,
                auth,
                session=session,
                adapter=transport,
                timeout=timeout,
                whole=total_timeout,
                connections=workers,
                gate=gate,
                clock=clock,
                max_bytes=max_body_bytes,
            )
            retries = partial(RetrySession, retry, gate, clock)
            return Fetch(sender, retries, workers=workers, progress=progress, on_bad=on_bad)

        self._session = session
        self._connect = connect
        self._fetch = connect()
        self._process = os.getpid()
        self._resources = contextlib.ExitStack()

    @property
    def base_url(self) -> str:
        """The address of the API."""
        return self._base_url

    @property
    def origin(self) -> str:
        """Whose data it fetches: the base URL, or ``"sandbox: ..."`` once a server said that it is the sandbox."""
        name = self._fetch.transport.sandbox
        return self._base_url if name is None else f"sandbox: {name}"

    def __repr__(self) -> str:
        # A traceback can show a client whose arguments were refused.
        return f"Client({self.base_url!r})" if "_fetch" in vars(self) else "Client(...)"

    def __reduce__(self) -> NoReturn:
        msg = (
            "A client holds a token and connections, so it is neither copied nor pickled. Make one where it is needed."
        )
        raise TypeError(msg)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that this client opened. A session that was passed in stays open."""
        self._fetch.transport.close()
        self._resources.close()

    def on_close(self, callback: Callable[[], object]) -> None:
        """Call `callback` when the client is closed."""
        self._resources.callback(callback)

    def periods(self, start: When | None = None, end: When | None = None) -> pd.DataFrame:
        """Fetch the periods between two moments.

        Parameters
        ----------
        start, end : str, date or datetime, optional
            ISO 8601 texts, dates or datetimes. A date means midnight UTC. A time of day needs a zone (``Z``, an offset
            or ``tzinfo``), because only you know which it is. Sent at milliseconds.

        Returns
        -------
        pandas.DataFrame
            One row per period (`periodkit.schema.PERIODS`). Without periods it has no rows, but every column.

        Raises
        ------
        InvalidRequestError
            `start` or `end` cannot be read, has no zone, or `start` is after `end`.
        AuthError, ApiError, TransportError, SchemaError
            As the server answers.
        """
        bounds = read_range(start, end, partial(InvalidRequestError, None))
        params = {f"{name}_date": api_time(moment) for name, moment in bounds.items()}
        return self._own_fetch().periods(params)

    def actions(self, periods: PeriodIds, form_fields: Iterable[str] | None = None) -> pd.DataFrame:
        """Fetch the actions of one period or of several.

        Parameters
        ----------
        periods : int, str, iterable of these, or DataFrame
            A period id, several, a periods frame or a row of one. Each is fetched once, several at a time. A text that is
            no number is a name, or a part of one that no other period has; case does not matter. It costs a request for
            the list of periods.
        form_fields : iterable of str, optional
            Form fields to fetch as well; each becomes a column ``form.<field>``.

        Returns
        -------
        pandas.DataFrame
            One row per action (`periodkit.schema.ACTIONS`), in the order of `periods`.

        Raises
        ------
        PartialResultError
            Several periods were asked for and some failed; the error holds what arrived, and why the rest did not.
        FetchInterrupted
            Ctrl-C while several periods were being fetched; a `KeyboardInterrupt` that holds what arrived.
        InvalidRequestError
            An id is not a whole number, or `form_fields` is not a list of texts.
        ArgumentError
            No period has the name, or several could be meant; the message lists them.
        AuthError, PeriodNotFoundError, ApiError, TransportError, SchemaError
            As the server answers, when a single period was asked for or the token may read none of them.
        """
        ids = period_ids(periods, finder(self.periods))
        return self._own_fetch().actions(ids, checked_form_fields(form_fields))

    def iter_actions(self, periods: PeriodIds, form_fields: Iterable[str] | None = None) -> Arrivals:
        """Fetch the actions of several periods and return each period as it arrives.

        For more data than memory holds, or to store each period at once. Only a few periods are fetched ahead.

        Parameters
        ----------
        periods, form_fields
            As for `actions`.

        Returns
        -------
        iterator of tuple of int and (pandas.DataFrame or PeriodkitError)
            Each period's id, once, with its frame or its error, in the order in which they arrive. After a refused
            token (`AuthError`, 401) all further periods get that same error, and the server is not asked again.
            ``close()`` begins no further request; ``arrived()`` then yields the periods that had arrived, so that an
            interruption (`KeyboardInterrupt`) does not lose them.

        Raises
        ------
        InvalidRequestError
            An id is not a whole number, or `form_fields` is not a list of texts.

        Examples
        --------
        >>> import periodkit as pk
        >>> with pk.demo_client() as client:
        ...     sizes = {period_id: len(frame) for period_id, frame in client.iter_actions(client.periods().head(2))}
        >>> len(sizes)
        2
        """
        ids = period_ids(periods, finder(self.periods))
        return self._own_fetch().arrivals(ids, checked_form_fields(form_fields))

    def _own_fetch(self) -> Fetch:
        """Return what fetches, with connections of this process.

        After a fork both processes hold the same connections, and each would read answers that are meant for the other.
        """
        if self._process != os.getpid():
            if self._session is not None:
                self._session.close()  # in this process alone; a session opens its connections anew
            self._fetch, self._process = self._connect(), os.getpid()
        return self._fetch
