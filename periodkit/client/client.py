"""HTTP -> bytes -> frames. Knows the two endpoints, their errors and their pages; knows no analysis."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Generator, Iterable, Mapping
from functools import partial
from types import TracebackType
from typing import Self

import pandas as pd
import requests

from periodkit._arguments import PeriodIds, When, api_time, checked_form_fields, period_ids, read_moment
from periodkit._settings import BASE_URL_VARIABLE, TOKEN_VARIABLE
from periodkit.client.arrivals import Arrivals, Pages
from periodkit.client.pacing import Clock, Gate
from periodkit.client.progress import Progress
from periodkit.client.retry import Effort, RetryPolicy
from periodkit.client.transport import BearerAuth, Transport, checked_url
from periodkit.client.workers import Crew
from periodkit.errors import (
    AuthError,
    ConfigError,
    FetchInterrupted,
    InvalidRequestError,
    PartialResultError,
    PeriodkitError,
    SchemaError,
    TransportError,
)
from periodkit.parse import ActionsParser, Answer, OnBad, page_info, parse_actions, parse_periods

__all__ = ["Client"]


class Client:
    """The ALO.ai API as DataFrames.

    Parameters
    ----------
    base_url : str, optional
        Where the API is, such as ``https://api.example.com/v1``; else the environment variable ``ALO_BASE_URL``.
    token : str, optional
        The bearer token; else ``ALO_API_TOKEN``. It is shown nowhere.
    timeout : float or (float, float)
        Seconds to wait for a connection and for the next bytes.
    total_timeout : float, optional
        Seconds to wait for one whole answer, however steadily it drips; None waits for ever.
    workers : int
        How many requests run at once when several periods are asked for, over as many connections.
    requests_per_second : float, optional
        How many requests may begin in a second, retries included, whatever the workers; None sets no limit. A server
        that answers 429 pauses all of them in any case.
    retry : RetryPolicy, optional
        How often and for how long failed requests are tried again; None asks once. Waits are logged under
        ``periodkit``.
    max_body_bytes : int
        How large an answer may be, unpacked; a larger one is not read on. By default 512 MiB, which is about a million
        actions in one period.
    session : requests.Session, optional
        A session of your own (proxies, certificates); it is used as it is and left open.
    progress : bool, optional
        Whether to show a progress bar for several periods; by default only where someone is watching, that is in a
        terminal or a notebook.
    on_bad : {"raise", "null"}
        What to do with a value that is not of its documented kind, see `periodkit.parse.parse_actions`.
    allow_insecure : bool
        Allow plain ``http`` to another machine. The token then travels readable by anyone on the way.

    Attributes
    ----------
    origin : str
        Whose data it fetches, in words.

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
    ) -> None:
        auth = BearerAuth(_setting(token, "token", TOKEN_VARIABLE))
        del token  # some tracebacks show the variables of a frame
        url = checked_url(_setting(base_url, "base_url", BASE_URL_VARIABLE), allow_insecure)
        for name, value in {
            "workers": workers,
            "requests_per_second": requests_per_second,
            "total_timeout": total_timeout,
            "max_body_bytes": max_body_bytes,
        }.items():
            if value is not None and not value > 0:
                msg = f"{name} is {value}; it takes a number above 0."
                raise ConfigError(msg)
        self._clock = Clock()
        self._gate = Gate(requests_per_second, self._clock)
        self._retry = retry
        self._transport = Transport(
            url,
            auth,
            session=session,
            timeout=timeout,
            whole=total_timeout,
            connections=workers,
            gate=self._gate,
            max_bytes=max_body_bytes,
        )
        self.origin = f"the account at {url}"
        self._workers = workers
        self._progress = progress
        self._on_bad = on_bad
        self._resources = contextlib.ExitStack()
        self._resources.callback(self._transport.close)

    @property
    def base_url(self) -> str:
        """Where the API is."""
        return self._transport.base_url

    def __repr__(self) -> str:
        # A traceback may show one whose arguments were refused.
        return f"Client({self.base_url!r})" if "_transport" in vars(self) else "Client(...)"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that this client opened. A session that was passed in stays open."""
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
            or ``tzinfo``): one without is refused, since only you know which it is. Sent at milliseconds.

        Returns
        -------
        pandas.DataFrame
            One row per period (`periodkit.schema.PERIODS`); no rows, but every column, where there are none.

        Raises
        ------
        InvalidRequestError
            `start` or `end` cannot be read, has no zone, or `start` is after `end`.
        AuthError, ApiError, TransportError, SchemaError
            As the server answers.
        """
        bounds = {
            name: read_moment(value, argument, partial(InvalidRequestError, None))
            for name, argument, value in (("start_date", "start", start), ("end_date", "end", end))
            if value is not None
        }
        if len(bounds) == 2 and bounds["start_date"] > bounds["end_date"]:
            msg = f"start ({start}) is after end ({end}). Swap them."
            raise InvalidRequestError(None, msg)
        params = {name: api_time(value) for name, value in bounds.items()}
        return parse_periods(self._pages("/periods", params, "periods", self._effort()), self._on_bad)

    def actions(self, periods: PeriodIds, form_fields: Iterable[str] | None = None) -> pd.DataFrame:
        """Fetch the actions of one period or of several.

        Parameters
        ----------
        periods : int, iterable of int, or DataFrame
            A period id, several, or a periods frame. Each is fetched once, several at a time.
        form_fields : iterable of str, optional
            Form fields to fetch besides; each becomes a column ``form.<field>``.

        Returns
        -------
        pandas.DataFrame
            One row per action (`periodkit.schema.ACTIONS`), in the order of `periods`.

        Raises
        ------
        PartialResultError
            Several periods were asked for and some failed; the error holds what arrived, and why the rest did not.
        FetchInterrupted
            Ctrl-C while several periods were being fetched; a `KeyboardInterrupt` that holds what had arrived.
        InvalidRequestError
            An id is not a whole number, or `form_fields` is not a list of texts.
        AuthError, PeriodNotFoundError, ApiError, TransportError, SchemaError
            As the server answers, when a single period was asked for or nothing could be fetched for lack of rights.
        """
        ids = period_ids(periods)
        fields = checked_form_fields(form_fields)
        if len(ids) == 1:
            pages = self._period_answers(ids[0], _params(fields), self._effort())
            return parse_actions(pages, fields, self._on_bad)
        return self._several(ids, fields)

    def iter_actions(self, periods: PeriodIds, form_fields: Iterable[str] | None = None) -> Arrivals:
        """Fetch the actions of several periods and hand over each period as it arrives.

        For more than memory holds, or where each period shall be kept at once. Only a few periods are fetched ahead.

        Parameters
        ----------
        periods, form_fields
            As for `actions`.

        Returns
        -------
        iterator of tuple of int and (pandas.DataFrame or PeriodkitError)
            Each period's id, once, with its frame or with what kept it from coming; in the order in which they come.
            A refused token (`AuthError`, 401) will not become better: all further periods come with that same error,
            and the server is not asked again. Its ``close()`` begins no further request; ``arrived()`` then hands over
            what had arrived, so an interruption (`KeyboardInterrupt`) need not lose it.

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
        ids = period_ids(periods)
        fields = checked_form_fields(form_fields)
        kept: dict[int, Pages] = {}
        coming = self._answers(ids, _params(fields), kept)
        return Arrivals(coming, kept, partial(parse_actions, form_fields=fields, on_bad=self._on_bad))

    def _answers(
        self,
        ids: list[int],
        params: Mapping[str, str],
        kept: dict[int, Pages],
    ) -> Generator[tuple[int, Pages], None, None]:
        """Yield each period's answers, or its error, as they come, under a progress bar when someone is watching.

        All that comes also stands in `kept`, at once: nothing is lost to an interrupt on its way here.
        """
        effort = self._effort()
        refused: list[AuthError] = []

        def fetch(period_id: int) -> Pages:
            came: Pages
            try:
                came = self._period_answers(period_id, params, effort)
            except PeriodkitError as error:
                if isinstance(error, AuthError) and error.status_code == requests.codes.unauthorized:
                    refused.append(error)
                    effort.stop.set()  # the token will not become better: spare the server the rest
                came = refused[0] if refused and effort.stop.is_set() else error
            kept[period_id] = came
            return came

        crew = Crew(fetch, ids, self._workers)
        with contextlib.ExitStack() as stack:
            progress = stack.enter_context(contextlib.closing(Progress(len(ids), self._progress)))
            stack.callback(effort.stop.set)
            came = stack.enter_context(contextlib.closing(crew.results(lambda: progress.say(effort.waiting()))))
            for period_id, pages in came:
                progress.step()
                yield period_id, pages

    def _several(self, ids: list[int], fields: list[str]) -> pd.DataFrame:
        kept: dict[int, Pages] = {}
        parser = ActionsParser(fields, self._on_bad)
        interrupted = False
        try:
            with contextlib.closing(self._answers(ids, _params(fields), kept)) as answers:
                for _, came_now in answers:
                    if not isinstance(came_now, PeriodkitError):
                        parser.read_ahead(came_now)
        except KeyboardInterrupt:
            interrupted = True
        came = kept.copy()
        missing = TransportError("The fetch was interrupted before this period arrived. Ask again.")
        done: dict[int, list[Answer]] = {}
        failed: dict[int, Exception] = {}
        for period_id in ids:
            pages = came.get(period_id, missing)
            if isinstance(pages, PeriodkitError):
                failed[period_id] = pages
            else:
                done[period_id] = pages
        refusal = next((error for error in failed.values() if isinstance(error, AuthError)), None)
        if refusal is not None and not done and not interrupted:
            raise refusal
        try:
            frame, unreadable = _parsed(done, parser)
        except KeyboardInterrupt:  # once more: it takes a second, and what was fetched would be lost
            interrupted = True
            frame, unreadable = _parsed(done, parser)
        failed = {period_id: error for period_id in ids if (error := (failed | unreadable).get(period_id)) is not None}
        if interrupted:
            raise FetchInterrupted(frame, failed)
        if failed:
            raise PartialResultError(frame, failed)
        return frame

    def _effort(self) -> Effort:
        return Effort(self._retry, self._gate, self._clock)

    def _period_answers(self, period_id: int, params: Mapping[str, str], effort: Effort) -> list[Answer]:
        return self._pages(f"/periods/{period_id}/actions", params, "actions", effort, period_id)

    def _pages(
        self, path: str, params: Mapping[str, str], key: str, effort: Effort, period_id: int | None = None
    ) -> list[Answer]:
        """Fetch an answer and, where it says that there are more pages, those."""
        answers = [self._transport.get(path, params, period_id, effort)]
        first = page_info(answers[0], key)
        records, page, total = first.records, 1, first.total_pages
        while page < total:
            page += 1
            more = {"page": str(page)} | ({"per_page": str(first.per_page)} if first.per_page else {})
            answers.append(self._transport.get(path, {**params, **more}, period_id, effort))
            info = page_info(answers[-1], key)
            if info.page not in (None, page) or answers[-1].body == answers[-2].body:
                msg = f"{answers[-1].name}: asked for page {page} of {total}, got page {info.page or page - 1} again."
                raise TransportError(f"{msg} The answer is not whole; report it to the platform.")
            records = None if records is None or info.records is None else records + info.records
            total = max(total, info.total_pages)
        if first.total_count is not None and records is not None and records < first.total_count:
            msg = f"{answers[0].name}: {records} of {first.total_count} {key} arrived. Ask again; nothing was kept."
            raise TransportError(msg)
        return answers


def _parsed(answers: Mapping[int, list[Answer]], parser: ActionsParser) -> tuple[pd.DataFrame, dict[int, Exception]]:
    """Parse all answers in one go, or, where one is bad, all the others."""
    bad: dict[int, Exception] = {}
    try:
        return parser.frame(each for pages in answers.values() for each in pages), bad
    except SchemaError:
        for period_id, pages in answers.items():
            try:
                parser.frame(pages)
            except SchemaError as error:
                bad[period_id] = error
    return parser.frame(each for period_id, pages in answers.items() if period_id not in bad for each in pages), bad


def _params(form_fields: list[str]) -> dict[str, str]:
    return {"form_fields": json.dumps(form_fields, ensure_ascii=False, separators=(",", ":"))} if form_fields else {}


def _setting(value: str | None, argument: str, variable: str) -> str:
    found = (value if value is not None else os.environ.get(variable, "")).strip()
    if not found:
        msg = (
            f"No {argument}: pass {argument}=... to Client, or set the environment variable {variable}. "
            "To try periodkit without an account, use periodkit.demo_client()."
        )
        raise ConfigError(msg)
    return found
