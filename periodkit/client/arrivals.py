"""The periods of one fetch, as they arrive."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import Self, TypeAlias

import pandas as pd

from periodkit.errors import PeriodkitError, SchemaError
from periodkit.parse import Answer

__all__ = ["Arrivals", "Pages"]

Pages: TypeAlias = list[Answer] | PeriodkitError
Arrival: TypeAlias = tuple[int, pd.DataFrame | PeriodkitError]


class Arrivals(Iterator[Arrival]):
    """Returned by `Client.iter_actions`: each period once, as it arrives, with its frame or its error.

    Parameters
    ----------
    answers : generator
        Fetches, and yields each period that has arrived.
    kept : dict
        Where `answers` puts the answers of a period before it yields the period.
    parse : callable
        Makes one period's frame.
    """

    def __init__(
        self,
        answers: Generator[tuple[int, Pages], None, None],
        kept: dict[int, Pages],
        parse: Callable[[list[Answer]], pd.DataFrame],
    ) -> None:
        self._answers = answers
        self._kept = kept
        self._parse = parse

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Arrival:
        period_id, _ = next(self._answers)
        return self._taken(period_id)

    def close(self) -> None:
        """Begin no further request."""
        self._answers.close()

    def arrived(self) -> Iterator[Arrival]:
        """Begin no further request, and yield the periods that have arrived: after an interruption, all there are."""
        self.close()
        for period_id in list(self._kept):
            yield self._taken(period_id)

    def _taken(self, period_id: int) -> Arrival:
        pages = self._kept[period_id]
        frame: pd.DataFrame | PeriodkitError
        if isinstance(pages, PeriodkitError):
            frame = pages
        else:
            try:
                frame = self._parse(pages)
            except SchemaError as error:
                frame = error
        del self._kept[period_id]
        return period_id, frame
