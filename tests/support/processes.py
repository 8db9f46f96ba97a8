"""Processes of their own, which a test stops and others can see."""

import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def started(*arguments, **options):
    """A process of this Python; killed and waited for however the test leaves, so that a failure leaves nothing behind."""
    command = [sys.executable, *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def shown_to_everyone(process):
    """What any user of the machine may read of a process where there is /proc: its arguments and its threads' names."""
    folder = Path(f"/proc/{process.pid}")
    shown = b""
    for file in (folder / "cmdline", *folder.glob("task/*/comm")):
        # A thread may end after it was listed.
        with suppress(FileNotFoundError, ProcessLookupError):
            shown += file.read_bytes()
    return shown
