"""Commands that need no account: the demo, the sandbox, the notebooks."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from periodkit.cli._app import app
from periodkit.errors import ConfigError
from periodkit.settings import BASE_URL_VARIABLE, TOKEN_VARIABLE

if TYPE_CHECKING:
    import pandas as pd


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
    from periodkit.client import Client  # noqa: PLC0415
    from periodkit.metrics import ai_dispatch_rate, cycle_times  # noqa: PLC0415
    from periodkit.reporting import report  # noqa: PLC0415
    from periodkit.sandbox import Sandbox  # noqa: PLC0415

    began = time.monotonic()
    with Sandbox() as sandbox, Client(sandbox.base_url, sandbox.token) as client:
        print(f"The sandbox, a synthetic season of an invented venue, answers at {sandbox.base_url}.")
        periods = client.periods()
        actions = client.actions(periods)
        print(f"Fetched {len(periods)} periods and {len(actions):,} actions as of {_latest(actions)} UTC.\n")
        print("Cycle time, created to closed; actions still open count as not closed yet (95 % intervals)\n")
        times = cycle_times(actions, by="classification")
        _print_table(
            times[["classification", "n", "open", *(name for name in times.columns if str(name).startswith("p"))]]
        )
        print("\nAI-dispatch rate, of the actions with a known value (95 % Wilson intervals)\n")
        _print_table(ai_dispatch_rate(actions, by="channel"))
        print("\nWriting the report on the latest event that has ended, from a notebook ...")
        path = report(output=output / "report.html", client=client)
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
    from periodkit.sandbox import DataSet, serve, token_for  # noqa: PLC0415

    dataset = None if data is None else DataSet.load(data)
    token = token_for(dataset)

    def announce(base_url: str) -> None:
        print(f"The sandbox answers at {base_url}; its description is at {base_url}/openapi.json. Stop it with Ctrl-C.")
        print(f"To use it: export {BASE_URL_VARIABLE}={base_url} {TOKEN_VARIABLE}={token}", flush=True)

    serve(dataset, token, port, announce=announce, page_size=page_size)


@app.command
def lab(
    folder: Path = Path("periodkit-lab"),
    *,
    browser: Annotated[bool, Parameter(negative="--no-browser")] = True,
    port: int | None = None,
) -> None:
    """Open the curated notebooks in JupyterLab.

    They are copied into a working folder; files that are already there are kept. Without an account in the environment
    each notebook shows the sandbox's season.

    Parameters
    ----------
    folder
        The working folder.
    browser
        Whether to open a browser.
    port
        Port on this machine; by default 8888 or the next free one.
    """
    from periodkit.jupyter import copy_notebooks, run_lab  # noqa: PLC0415

    base_url = os.environ.get(BASE_URL_VARIABLE)
    # A traceback can show variables, so none holds the token.
    account = [bool(base_url), bool(os.environ.get(TOKEN_VARIABLE))]
    if any(account) and not all(account):
        msg = f"Only one of {BASE_URL_VARIABLE} and {TOKEN_VARIABLE} is set; set both, or neither for the sandbox."
        raise ConfigError(msg)
    copied, outdated = copy_notebooks(folder)
    print(f"Notebooks: {folder.resolve()} ({len(copied)} copied; files that were there are kept).")
    for name in outdated:
        print(
            f"{name} is from another version of periodkit. Yours is kept; to get the new one, move it and run this again."
        )
    if all(account):
        print(f"Data: the account at {base_url}.")
    else:
        print("Data: the sandbox, a synthetic season of an invented venue. Your own: stop this with Ctrl-C, then")
        print(f"  export {BASE_URL_VARIABLE}=https://... {TOKEN_VARIABLE}=...")
    sys.stdout.flush()
    run_lab(folder, browser=browser, port=port)


def _latest(actions: pd.DataFrame) -> str:
    return f"{actions['fetched_at'].max():%Y-%m-%d %H:%M}"


def _print_table(frame: pd.DataFrame) -> None:
    from periodkit.wording import readable  # noqa: PLC0415

    shown = readable(frame)
    # pandas aligns every column to the right; names read from the left.
    name = shown.columns[0]
    width = max([len(name), *shown[name].str.len()])
    shown = shown.assign(**{name: shown[name].str.ljust(width)}).rename(columns={name: name.ljust(width)})
    print(shown.to_string(index=False))
