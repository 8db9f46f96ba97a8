"""A notebook's run that Ctrl-C and SIGTERM end at once, with its kernel."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

__all__ = ["interruptible_client"]

_SECONDS = 5.0


def interruptible_client() -> type[Any]:
    """Return nbclient's NotebookClient, with interrupts left to Python and the kernel ended when one comes."""
    from nbclient import NotebookClient  # noqa: PLC0415  (the extra "lab")

    class InterruptibleClient(NotebookClient):
        _loop: asyncio.AbstractEventLoop | None = None

        @contextlib.asynccontextmanager
        async def async_setup_kernel(self, **options: Any) -> AsyncGenerator[None, None]:  # noqa: ANN401
            self._loop = asyncio.get_running_loop()
            # nbclient would handle both signals itself, end the kernel and then report that it died.
            self._loop.add_signal_handler = _refuse  # type: ignore[assignment]
            try:
                async with super().async_setup_kernel(**options):
                    yield
            finally:
                vars(self._loop).pop("add_signal_handler", None)

        def execute(self, *given: Any, **named: Any) -> Any:  # noqa: ANN401
            try:
                return super().execute(*given, **named)
            except (KeyboardInterrupt, SystemExit):
                self._end()
                raise

        def _end(self) -> None:
            process = getattr(getattr(self.km, "provisioner", None), "process", None)
            if process is not None:
                process.kill()
                process.wait()
            if self._loop is not None and not self._loop.is_closed():
                tasks = asyncio.all_tasks(self._loop)
                for task in tasks:
                    task.cancel()
                if tasks:
                    self._loop.run_until_complete(asyncio.wait(tasks, timeout=_SECONDS))

    return InterruptibleClient


def _refuse(*_: object) -> None:
    # As it does outside of the main thread.
    raise RuntimeError("signals are handled elsewhere")
