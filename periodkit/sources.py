"""A client without an account: the sandbox on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import pandas as pd

from periodkit.client import BASE_URL_VARIABLE, TOKEN_VARIABLE, Client
from periodkit.errors import ConfigError

if TYPE_CHECKING:
    from periodkit.archive import ArchiveView

__all__ = ["connect", "demo_client", "existing_archive", "source"]


def demo_client(data: str | Path | None = None, **options: Any) -> Client:  # noqa: ANN401
    """Start the sandbox in this process and return a client of it.

    Parameters
    ----------
    data : path, optional
        A recorded data set (gzipped JSON) to serve; by default the synthetic season, whose truth is known.
    **options
        Passed on to `Client`.

    Returns
    -------
    Client
        Closing it stops the sandbox.

    Raises
    ------
    ConfigError
        The extra ``sandbox`` is not installed, or `data` cannot be read.

    Examples
    --------
    >>> with demo_client() as client:
    ...     periods = client.periods()
    >>> len(periods) >= 24
    True
    """
    from periodkit.sandbox import DataSet, Sandbox  # noqa: PLC0415  (an optional extra)

    sandbox = Sandbox(None if data is None else DataSet.load(data))
    client = Client(sandbox.base_url, sandbox.token, **options)
    client.origin = (
        "the sandbox, a synthetic season of an invented venue"
        if data is None
        else f"the sandbox, serving {Path(data).name}"
    )
    client.on_close(sandbox.close)
    return client


@overload
def connect(*, archive: None = None, snapshot: None = None, **options: Any) -> Client: ...  # noqa: ANN401


@overload
def connect(
    *,
    archive: str | Path | None,
    snapshot: str | None = None,
    **options: Any,  # noqa: ANN401
) -> Client | ArchiveView: ...


def connect(
    *,
    archive: str | Path | None = None,
    snapshot: str | None = None,
    **options: Any,
) -> Client | ArchiveView:
    """Return a client of your account if the environment names one, else of the sandbox; or an archive's frames.

    Both have ``periods()`` and ``actions(periods)``, so that what is written for one works with the other.

    Parameters
    ----------
    archive : path, optional
        The folder of an archive to read from, instead of the API.
    snapshot : str, optional
        A snapshot of the archive, by name or hash; by default its present state.
    **options
        Passed on to `Client`.

    Raises
    ------
    ConfigError
        Only one of ``ALO_BASE_URL`` and ``ALO_API_TOKEN`` is set, or there is no such archive.
    ArchiveError
        There is no such snapshot.

    Examples
    --------
    >>> with connect() as client:
    ...     periods = client.periods()
    >>> periods.empty
    False
    """
    if archive is None and snapshot is not None:
        msg = f"snapshot is {snapshot!r}, and no archive is named. Pass archive=PATH too."
        raise ConfigError(msg)
    if archive is not None:
        from periodkit.archive import Archive  # noqa: PLC0415  (an optional extra)

        opened = Archive(existing_archive(archive))
        return opened.held() if snapshot is None else opened.at(snapshot)
    if os.environ.get(BASE_URL_VARIABLE) or os.environ.get(TOKEN_VARIABLE):
        return Client(**options)
    return demo_client(**options)


def existing_archive(folder: str | Path) -> Path:
    """Return the folder of an archive, or raise a ConfigError if there is none: `Archive` would make it."""
    path = Path(folder).expanduser()
    if not path.is_dir():
        msg = f"There is no archive at {str(folder)!r}. `periodkit sync` makes one; check the path."
        raise ConfigError(msg)
    return path


def source(client: Client | ArchiveView, actions: pd.DataFrame) -> str:
    """Return whose data `connect` gave, how much of it, and of when, in one sentence.

    Parameters
    ----------
    client : Client or ArchiveView
        What `connect` returned. Whose data it is, the client itself knows: no setting is read.
    actions : pandas.DataFrame
        What it fetched.

    Examples
    --------
    >>> with connect() as client:
    ...     actions = client.actions(client.periods().head(2))
    >>> source(client, actions)
    'Data: the sandbox, a synthetic season of an invented venue. 2 periods with 652 actions, as of 2025-05-17 15:08 UTC.'
    """
    whose = client.origin if isinstance(client, Client) else "an archive"
    if actions.empty:
        return f"Data: {whose}. No actions."
    several = actions["period_id"].nunique()
    periods = "1 period" if several == 1 else f"{several:,} periods"
    moment = f"{actions['fetched_at'].max():%Y-%m-%d %H:%M} UTC"
    return f"Data: {whose}. {periods} with {len(actions):,} action{'' if len(actions) == 1 else 's'}, as of {moment}."
