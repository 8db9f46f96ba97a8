"""Commands that write reports."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from periodkit.cli._app import app


@app.command
def report(
    *,
    period: Annotated[list[int] | None, Parameter(negative=())] = None,
    output: Annotated[Path, Parameter(alias="-o")] = Path("report.html"),
    target: str = "20min",
) -> None:
    """Write an after-action report: one HTML file that asks for nothing from anywhere.

    Without an account in the environment it reports on the sandbox's season.

    Parameters
    ----------
    period
        Id of a period to report on; repeat for several. By default all that the account has.
    output
        The file to write.
    target
        The promised cycle time, such as 15min.
    """
    from periodkit.report import write_report  # noqa: PLC0415

    print(f"Wrote {write_report(output, period, target=target)}")
