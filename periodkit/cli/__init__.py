"""The command line: a thin face over the package."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from cyclopts import CycloptsError

from periodkit.cli import archive, demo, report, snapshots  # noqa: F401  (they register their commands)
from periodkit.cli._app import app
from periodkit.errors import PeriodkitError

__all__ = ["app", "main"]


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code: 0 done, 1 failed, 2 called wrongly."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    try:
        app([each for each in given if each != "--debug"], exit_on_error=False, print_error=False)
    except CycloptsError as error:
        _complain(str(error).strip(), debug)
        print("periodkit --help says what there is.", file=sys.stderr)
        sys.exit(2)
    except PeriodkitError as error:
        _complain(str(error), debug)
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read, such as head, has had enough; what is still buffered would fail once more on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except KeyboardInterrupt as stop:
        print(" ".join(["periodkit: Interrupted.", *getattr(stop, "__notes__", ())]), file=sys.stderr)
        sys.exit(130)


def _complain(message: str, debug: bool) -> None:
    if debug:
        raise  # noqa: PLE0704  (called from within an except block)
    print(f"periodkit: {' '.join(message.split())}", file=sys.stderr)
