"""The command line: a thin face over the package."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pandas as pd
from cyclopts import App, CycloptsError, Parameter

from periodkit._version import __version__
from periodkit.client import BASE_URL_VARIABLE, TOKEN_VARIABLE, Client
from periodkit.errors import ConfigError, PeriodkitError
from periodkit.metrics import ai_dispatch_rate, cycle_times
from periodkit.notebook import notebooks_folder
from periodkit.present import readable

__all__ = ["app", "main"]

app = App(
    name="periodkit",
    version=__version__,
    help="Periods and actions of the ALO.ai venue platform: fetch them, measure them, report on them.",
    help_epilogue=(
        f"Your account: set {BASE_URL_VARIABLE} and {TOKEN_VARIABLE}. Exit codes: 0 done, 1 failed, 2 called wrongly. "
        "Add --debug to see where an error came from."
    ),
    result_action="return_value",
)


@app.command
def demo(output: Path = Path("periodkit-demo")) -> None:
    """Show what periodkit does, on a synthetic season that needs no account.

    Starts the sandbox (the API on this machine), fetches a season of events over HTTP, prints cycle times and
    AI-dispatch rates, and writes a report.

    Parameters
    ----------
    output
        Folder for report.html.
    """
    from periodkit.report import write_report  # noqa: PLC0415
    from periodkit.sandbox.server import Sandbox  # noqa: PLC0415

    began = time.monotonic()
    with Sandbox() as sandbox, Client(sandbox.base_url, sandbox.token) as client:
        print(f"The sandbox, a synthetic season of an invented venue, answers at {sandbox.base_url}.")
        periods = client.periods()
        actions = client.actions(periods)
        print(f"Fetched {len(periods)} periods and {len(actions):,} actions as of {_latest(actions)} UTC.\n")
        print("Cycle time, created to closed; actions still open count for what they tell (95 % intervals)\n")
        times = cycle_times(actions, by="classification")
        _print_table(
            times[["classification", "n", "open", *(name for name in times.columns if str(name).startswith("p"))]]
        )
        print("\nAI-dispatch rate, of the actions where it is known (95 % Wilson intervals)\n")
        _print_table(ai_dispatch_rate(actions, by="channel"))
        print("\nWriting the report from a notebook ...")
        environment = {BASE_URL_VARIABLE: sandbox.base_url, TOKEN_VARIABLE: sandbox.token}
        path = write_report(output / "report.html", title="After-action report: demo season", environment=environment)
    print(f"Done in {time.monotonic() - began:.0f} s: {path.resolve()}\n")
    print("Next: make lab (or: periodkit lab) opens the notebooks in JupyterLab.")
    print(f"Your own account: export {BASE_URL_VARIABLE}=https://... {TOKEN_VARIABLE}=..., then open them again.")


@app.command
def sandbox(port: int = 8770, data: Path | None = None, page_size: int | None = None) -> None:
    """Serve the API on this machine, until Ctrl-C.

    Parameters
    ----------
    port
        Port on 127.0.0.1; 0 takes a free one.
    data
        A recorded data set to serve: JSON, gzipped or not, with as_of, source, periods, and actions by period id.
        By default a synthetic season.
    page_size
        Answer in pages of so many records, as sibling endpoints of the API do.
    """
    from periodkit.sandbox.dataset import DataSet  # noqa: PLC0415
    from periodkit.sandbox.server import DEFAULT_TOKEN, serve  # noqa: PLC0415

    def announce(base_url: str) -> None:
        print(f"The sandbox answers at {base_url}; its description is at {base_url}/openapi.json. Stop it with Ctrl-C.")
        print(f"To use it: export {BASE_URL_VARIABLE}={base_url} {TOKEN_VARIABLE}={DEFAULT_TOKEN}", flush=True)

    serve(None if data is None else DataSet.load(data), port=port, announce=announce, page_size=page_size)


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


@app.command
def lab(folder: Path = Path("periodkit-lab"), *, browser: bool = True) -> None:
    """Open the curated notebooks in JupyterLab.

    They are copied into a working folder; files that are already there stay as they are. Without an account in the
    environment they use the sandbox.

    Parameters
    ----------
    folder
        The working folder.
    browser
        Whether to open a browser.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source in sorted(notebooks_folder().glob("*.ipynb")):
        if not (folder / source.name).exists():
            shutil.copyfile(source, folder / source.name)
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder}"]
    done = subprocess.run(command if browser else [*command, "--no-browser"], check=False)  # noqa: S603
    if done.returncode:
        msg = 'JupyterLab did not start; if it is not installed: pip install "periodkit[lab]"'
        raise ConfigError(msg)


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
    except KeyboardInterrupt:
        sys.exit(130)


def _complain(message: str, debug: bool) -> None:
    if debug:
        raise  # noqa: PLE0704  (called from within an except block)
    print(f"periodkit: {' '.join(message.split())}", file=sys.stderr)


def _latest(actions: pd.DataFrame) -> str:
    return f"{actions['fetched_at'].max():%Y-%m-%d %H:%M}"


def _print_table(frame: pd.DataFrame) -> None:
    shown = readable(frame)
    # pandas sets every column to the right, and names read from the left.
    name = shown.columns[0]
    width = max([len(name), *shown[name].str.len()])
    shown = shown.assign(**{name: shown[name].str.ljust(width)}).rename(columns={name: name.ljust(width)})
    print(shown.to_string(index=False))
