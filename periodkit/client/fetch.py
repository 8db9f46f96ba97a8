"""Fetch the pages of one answer, or the answers of many periods at once, and keep what arrived whatever happens."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from functools import partial
from typing import TypeVar

import pandas as pd
import requests

from periodkit.client.arrivals import Arrivals, Pages
from periodkit.client.progress import Progress
from periodkit.client.retry import RetrySession
from periodkit.client.transport import Transport
from periodkit.client.workers import WorkerPool
from periodkit.errors import (
    AuthError,
    FetchInterrupted,
    PartialResultError,
    PeriodkitError,
    SchemaError,
    TransportError,
)
from periodkit.parse import ActionsParser, Answer, OnBad, PageInfo, page_info, parse_actions, parse_periods

__all__ = ["MOST_GROWTH", "Fetch"]

MOST_GROWTH = 2
"""How many times as many pages as the first one promised an answer may have."""

Result = TypeVar("Result")


class Fetch:
    """Fetches what the endpoints of `Client` ask for.

    Parameters
    ----------
    transport : Transport
        Sends requests.
    retries : callable
        Begins a `RetrySession` for one call.
    workers : int
        How many requests run at once.
    progress : bool or None
        Whether to show a progress bar.
    on_bad : {"raise", "null"}
        What to do with a value that is not of its kind.
    """

    def __init__(
        self,
        transport: Transport,
        retries: Callable[[], RetrySession],
        *,
        workers: int,
        progress: bool | None,
        on_bad: OnBad,
    ) -> None:
        self.transport = transport
        self._retries = retries
        self._workers = workers
        self._progress = progress
        self._on_bad = on_bad

    def periods(self, params: Mapping[str, str]) -> pd.DataFrame:
        """Return the frame of the periods."""
        answers = self._pages("/periods", params, "periods", self._retries())
        return self._read(answers[0].name, lambda: parse_periods(answers, self._on_bad))

    def actions(self, ids: Sequence[int], fields: list[str]) -> pd.DataFrame:
        """Return the frame of the actions of these periods, or raise with what arrived."""
        if len(ids) == 1:
            return self._parse(fields, self._period(ids[0], _params(fields), self._retries()))
        kept: dict[int, Pages] = {}
        parser = ActionsParser(fields, self._on_bad)
        interrupted = False
        try:
            with contextlib.closing(self._answers(ids, fields, kept)) as answers:
                for _, pages in answers:
                    if not isinstance(pages, PeriodkitError):
                        parser.read_ahead(pages)
        except KeyboardInterrupt:
            interrupted = True
        arrived = kept.copy()
        missing = TransportError("The fetch was interrupted before this period arrived. Ask again.")
        done: dict[int, list[Answer]] = {}
        failed: dict[int, Exception] = {}
        for period_id in ids:
            pages = arrived.get(period_id, missing)
            if isinstance(pages, PeriodkitError):
                failed[period_id] = pages
            else:
                done[period_id] = pages
        refusal = next((error for error in failed.values() if isinstance(error, AuthError)), None)
        if refusal is not None and not done and not interrupted:
            raise refusal
        try:
            frame, unreadable = self._parse_all(done, parser)
        except KeyboardInterrupt:  # once more: it takes a second, and what was fetched would be lost
            interrupted = True
            frame, unreadable = self._parse_all(done, parser)
        failed = {period_id: error for period_id in ids if (error := (failed | unreadable).get(period_id)) is not None}
        if interrupted:
            raise FetchInterrupted(frame, failed)
        if failed:
            raise PartialResultError(frame, failed)
        return frame

    def arrivals(self, ids: Sequence[int], fields: list[str]) -> Arrivals:
        """Return the periods as they arrive."""
        kept: dict[int, Pages] = {}
        return Arrivals(self._answers(ids, fields, kept), kept, partial(self._parse, fields))

    def _answers(
        self, ids: Sequence[int], fields: list[str], kept: dict[int, Pages]
    ) -> Generator[tuple[int, Pages], None, None]:
        """Yield each period's answers, or its error, as they arrive, under a progress bar when someone is watching.

        Each is in `kept` as soon as it has arrived: an interrupt on its way here loses nothing.
        """
        retry = self._retries()
        params = _params(fields)
        refused: list[AuthError] = []

        def fetch(period_id: int) -> Pages:
            pages: Pages
            try:
                pages = self._period(period_id, params, retry)
            except PeriodkitError as error:
                if isinstance(error, AuthError) and error.status_code == requests.codes.unauthorized:
                    refused.append(error)
                    retry.stop.set()  # the token will not become valid: spare the server the rest
                pages = refused[0] if refused and retry.stop.is_set() else error
            except Exception as error:  # noqa: BLE001  (one period's failure must not end the others)
                pages = self._unexpected(f"/periods/{period_id}/actions", error)
            kept[period_id] = pages
            return pages

        pool = WorkerPool(fetch, ids, self._workers)
        with contextlib.ExitStack() as stack:
            progress = stack.enter_context(contextlib.closing(Progress(len(ids), self._progress)))
            stack.callback(retry.stop.set)
            results = stack.enter_context(contextlib.closing(pool.results(lambda: progress.say(retry.waiting()))))
            for period_id, pages in results:
                progress.step()
                yield period_id, pages

    def _period(self, period_id: int, params: Mapping[str, str], retry: RetrySession) -> list[Answer]:
        return self._pages(f"/periods/{period_id}/actions", params, "actions", retry, period_id)

    def _pages(
        self, path: str, params: Mapping[str, str], key: str, retry: RetrySession, period_id: int | None = None
    ) -> list[Answer]:
        """Fetch an answer and, if it says that there are more pages, those."""
        answers = [self.transport.get(path, params, period_id, retry)]
        first = self._page_info(answers[0], key)
        arrived, page, total, count = set(first.keys), 1, first.total_pages, first.total_count or 0
        size = len(answers[0].body)
        while page < total:
            page += 1
            more = {"page": str(page)} | ({"per_page": str(first.per_page)} if first.per_page else {})
            answers.append(self.transport.get(path, {**params, **more}, period_id, retry))
            info = self._page_info(answers[-1], key, paged=True)
            size += len(answers[-1].body)
            total, count = max(total, info.total_pages), max(count, info.total_count or 0)
            problem = ""
            if info.page not in (None, page):
                problem = f"got page {info.page} again"
            elif info.keys <= arrived:
                problem = f"it brought no {key} that had not arrived before"
            elif total > MOST_GROWTH * first.total_pages:
                problem = (
                    f"{total} pages were promised, over {MOST_GROWTH} times the {first.total_pages} promised at first"
                )
            if problem:
                msg = f"{path}: asked for page {page} of {total}, {problem}. The answer is not whole, and was not kept."
                raise TransportError(f"{msg} Ask again; if it stays like this, report it to the platform.")
            if size > self.transport.max_bytes:
                msg = f"{path}: the first {page} pages are larger than {self.transport.max_bytes:,} bytes together."
                raise TransportError(f"{msg} If they may be, give Client a larger max_body_bytes.", retryable=False)
            arrived |= info.keys
        if len(arrived) < count:
            msg = f"{path}: {len(arrived)} of {count} {key} arrived, each counted once. Ask again; nothing was kept."
            raise TransportError(msg)
        return answers

    def _page_info(self, answer: Answer, key: str, *, paged: bool = False) -> PageInfo:
        return self._read(answer.name, lambda: page_info(answer, key, paged=paged))

    def _parse(self, fields: list[str], answers: list[Answer]) -> pd.DataFrame:
        return self._read(answers[0].name, lambda: parse_actions(answers, fields, self._on_bad))

    def _parse_all(
        self, answers: Mapping[int, list[Answer]], parser: ActionsParser
    ) -> tuple[pd.DataFrame, dict[int, Exception]]:
        """Parse all answers at once, or, if one is bad, all the others."""

        def frame(chosen: Mapping[int, list[Answer]]) -> pd.DataFrame:
            return self._read("actions", lambda: parser.frame(page for pages in chosen.values() for page in pages))

        bad: dict[int, Exception] = {}
        try:
            return frame(answers), bad
        except SchemaError:
            for period_id, pages in answers.items():
                try:
                    frame({period_id: pages})
                except SchemaError as error:
                    bad[period_id] = error
        return frame({period_id: pages for period_id, pages in answers.items() if period_id not in bad}), bad

    def _read(self, name: str, read: Callable[[], Result]) -> Result:
        """Return the result of `read`; neither its error nor the frames of the error show the token."""
        failed: PeriodkitError
        try:
            return read()
        except SchemaError as error:
            failed = SchemaError(self.transport.scrub(str(error)))
        except (PeriodkitError, Warning):
            raise
        except Exception as error:  # noqa: BLE001  (whatever a body makes a library raise is this answer's failure)
            failed = self._unexpected(name, error)
        raise failed

    def _unexpected(self, name: str, error: Exception) -> SchemaError:
        said = self.transport.scrub(str(error))[:300]
        msg = f"{name}: the answer cannot be read ({type(error).__name__}: {said})."
        return SchemaError(f"{msg} Report it to the developers of periodkit.")


def _params(form_fields: list[str]) -> dict[str, str]:
    return {"form_fields": json.dumps(form_fields, ensure_ascii=False, separators=(",", ":"))} if form_fields else {}
