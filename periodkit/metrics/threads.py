"""Work on parts side by side: for NumPy and Arrow, which let other threads run while they count."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Part = TypeVar("Part")
Result = TypeVar("Result")

_THREADS = 2
"""More spare little: what hands out the parts, and what joins the results, is one thread."""


def side_by_side(work: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """Yield what `work` makes of each part, in their order; no more parts are held than are worked on, and one.

    Examples
    --------
    >>> list(side_by_side(abs, [-2, 1, -3]))
    [2, 1, 3]
    """
    waiting = iter(parts)
    first = list(islice(waiting, 2))
    if len(first) < 2:
        yield from map(work, first)
        return
    with ThreadPoolExecutor(_THREADS) as pool:
        running = deque(pool.submit(work, part) for part in first)
        try:
            for part in waiting:
                running.append(pool.submit(work, part))
                yield running.popleft().result()
            while running:
                yield running.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)
