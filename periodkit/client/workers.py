"""A small pool of daemon threads that yields results as they finish."""

from __future__ import annotations

import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable
from typing import Generic, TypeVar

from periodkit.errors import TransportError

Key = TypeVar("Key")
Result = TypeVar("Result")


class WorkerPool(Generic[Key, Result]):
    """Threads that call ``work(key)`` for each key.

    Not a `concurrent.futures.ThreadPoolExecutor`, for two reasons. The interpreter waits for its threads when it ends,
    so Ctrl-C would last as long as the slowest request; these are daemons. And it accepts all keys at once, so results
    pile up if the consumer is slow; these begin a key only while few results wait.

    Parameters
    ----------
    work : callable
        Called in a thread, once for each key. The consumer gets what it raises.
    keys : iterable
        The keys, in the order in which to begin them.
    size : int
        How many threads.
    name : str
        Name of the threads.
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
        """Yield each key with its result as it finishes; `tick` is called now and then while none does.

        Closing the iterator begins no further key. Work that has begun is neither waited for nor returned.
        """
        process = os.getpid()
        threads = 0
        begun = 0
        try:
            while True:
                if process != os.getpid():  # threads do not survive a fork, so no result would ever arrive
                    msg = "This iteration began in another process. Begin it again in this one."
                    raise TransportError(msg, retryable=False)
                # Twice the threads: none idles while the consumer works, and no more results than that pile up.
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
