"""The command line: a thin face over the package. Its modules import the package only when a command runs."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib import import_module
from types import FrameType
from typing import TYPE_CHECKING, TextIO

from periodkit.cli._overview import MODULES, overview
from periodkit.errors import PeriodkitError
from periodkit.visible import visible

if TYPE_CHECKING:
    from cyclopts import App

    from periodkit.cli._app import app

__all__ = ["app", "main"]

_TERMINATED = 128 + signal.SIGTERM


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code.

    0 done, 1 failed, 2 called wrongly, 3 not checked in full, 130 or 143 stopped.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    for stream in (sys.stdout, sys.stderr):
        _replace_what_cannot_be_encoded(stream)
    if given in ([], ["--help"], ["-h"]):
        print(overview())
        return
    from cyclopts import CycloptsError  # noqa: PLC0415  (takes longer than the overview)

    app = _loaded()
    with _termination():
        try:
            app([word for word in given if word != "--debug"], exit_on_error=False, print_error=False)
        except CycloptsError as error:
            _complain(str(error).strip(), debug)
            print("Run periodkit --help for the commands.", file=sys.stderr)
            sys.exit(2)
        except PeriodkitError as error:
            _complain(str(error), debug)
            sys.exit(1)
        except BrokenPipeError:
            # The reader, such as head, has had enough; flushing the rest on the way out would fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(1)
        except KeyboardInterrupt as stop:
            _stopped("Interrupted.", stop)
            sys.exit(130)
        except _Terminated as stop:
            _stopped("Terminated.", stop)
            sys.exit(_TERMINATED)


def _loaded() -> App:
    for module in MODULES:
        import_module(f"{__name__}.{module}")  # registers its commands
    found: App = import_module(f"{__name__}._app").app
    return found


def __getattr__(name: str) -> App:
    if name == "app":
        return _loaded()
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


class _Terminated(SystemExit):
    """SIGTERM, as an exception that cleans up on its way out."""


@contextlib.contextmanager
def _termination() -> Iterator[None]:
    """Turn SIGTERM into an exception for a while."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise _Terminated(_TERMINATED)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _replace_what_cannot_be_encoded(stream: TextIO) -> None:
    # A caller's stream may be no text file at all.
    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="backslashreplace")


def _complain(message: str, debug: bool) -> None:
    if debug:
        raise  # noqa: PLE0704  (called from within an except block)
    print(f"periodkit: {visible(' '.join(message.split()))}", file=sys.stderr)


def _stopped(word: str, stop: BaseException) -> None:
    print(visible(" ".join([f"periodkit: {word}", *getattr(stop, "__notes__", ())]), one_line=True), file=sys.stderr)
