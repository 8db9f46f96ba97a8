"""A few threads that work through keys and hand back what came of each, in the order in which they finish."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Result = TypeVar("Result")


class Crew(Generic[Key, Result]):
    """Threads that call ``work(key)`` for each key.

    Not a `concurrent.futures.ThreadPoolExecutor`, for two reasons. Its threads are waited for when the interpreter
    ends, so Ctrl-C would last as long as the slowest request; these are daemons. And it takes in all keys at once, so
    results pile up behind a slow consumer; these begin a key only when few results wait.

    Parameters
    ----------
    work : callable
        Called in a thread, once for each key. What it raises, the consumer gets.
    keys : iterable
        What to work through, in this order.
    size : int
        How many threads.
    name : str
        What the threads are called.
    """

    def __init__(self, work: Callable[[Key], Result], keys: Iterable[Key], size: int, name: str = "periodkit") -> None:
        self._work = work
        self._keys = iter(keys)
        self._size = size
        self._name = name
        self._tasks: queue.SimpleQueue[Key | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[tuple[Key, Result | None, BaseException | None]] = queue.SimpleQueue()
        self._stopped = threading.Event()

    def results(
        self, tick: Callable[[], object] | None = None, every: float = 0.5
    ) -> Generator[tuple[Key, Result], None, None]:
        """Yield each key with its result as it comes; `tick` is called now and then while nothing does.

        Closing the iterator begins no further key. What has begun is neither waited for nor handed back.
        """
        threads = 0
        begun = 0
        try:
            while True:
                # Twice the threads: none idles while the consumer is at work, and no more results than that pile up.
                while begun < 2 * self._size and (key := next(self._keys, None)) is not None:
                    self._tasks.put(key)
                    begun += 1
                    if threads < min(begun, self._size):
                        threads += 1
                        threading.Thread(target=self._run, name=f"{self._name}-{threads}", daemon=True).start()
                if not begun:
                    return
                try:
                    key, result, error = self._results.get(timeout=every if tick is not None else None)
                except queue.Empty:
                    assert tick is not None  # noqa: S101
                    tick()
                    continue
                begun -= 1
                if error is not None:
                    raise error
                yield key, result  # type: ignore[misc]
        finally:
            self._stopped.set()
            for _ in range(threads):
                self._tasks.put(None)

    def _run(self) -> None:
        while (key := self._tasks.get()) is not None:
            if self._stopped.is_set():
                return
            try:
                self._results.put((key, self._work(key), None))
            except BaseException as error:  # noqa: BLE001  (it crosses to the consumer's thread, which raises it)
                self._results.put((key, None, error))
