"""A page -> PDF, printed by an installed Chromium."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from functools import partial
from pathlib import Path

from periodkit.errors import ConfigError, PeriodkitError
from periodkit.frames import write_whole

__all__ = ["find_browser", "to_pdf"]

_BROWSERS = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "msedge",
    "microsoft-edge",
)
_SECONDS = 120


def find_browser() -> str:
    """Return the path of Chromium or a browser based on it.

    Raises
    ------
    ConfigError
        There is none on PATH.
    """
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        msg = (
            "Printing a PDF needs Chromium, and none is on PATH. Install it (on Debian and Ubuntu: apt install chromium), "
            "or open the HTML report in any browser and print it to PDF."
        )
        raise ConfigError(msg)
    return found


def to_pdf(page: Path, output: Path, browser: str | None = None, *, private: bool = False) -> Path:
    """Print a page to A4.

    Parameters
    ----------
    page : Path
        The HTML file.
    output : Path
        The PDF to write; it appears whole or not at all.
    browser : str, optional
        The browser to print with; by default that of `find_browser`.
    private : bool
        Whether only its owner may read it.

    Raises
    ------
    ConfigError
        There is no Chromium on PATH.
    PeriodkitError
        The browser wrote no PDF.
    """
    program = browser or find_browser()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        made = Path(folder) / "report.pdf"
        command = [
            program,
            "--headless=new",
            # With its own profile it works while the user's browser is open, and leaves that profile alone.
            f"--user-data-dir={folder}/profile",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-extensions",
            "--no-pdf-header-footer",
            "--generate-pdf-document-outline",
            f"--print-to-pdf={made}",
        ]
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            command.append("--no-sandbox")  # Chromium refuses to run as root with its sandbox on
        try:
            done = subprocess.run(  # noqa: S603
                [*command, page.resolve().as_uri()], capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            msg = f"{program} did not print the report: {error}. Open the HTML report in a browser and print it to PDF."
            raise PeriodkitError(msg) from None
        if not made.exists() or not made.stat().st_size:
            said = done.stderr.decode(errors="replace").strip().splitlines()
            msg = (
                f"{program} wrote no PDF (exit code {done.returncode}{': ' + said[-1] if said else ''}). "
                "Open the HTML report in a browser and print it to PDF."
            )
            raise PeriodkitError(msg)
        write_whole(output, partial(shutil.copyfile, made), private=private)
    return output
