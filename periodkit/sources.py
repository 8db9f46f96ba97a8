"""Where frames come from: an account, the sandbox or an archive, behind one call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

import pandas as pd

from periodkit.answers import Answer
from periodkit.errors import ConfigError
from periodkit.settings import ARCHIVE_VARIABLE, BASE_URL_VARIABLE, DEFAULT_ARCHIVE, TOKEN_VARIABLE

if TYPE_CHECKING:
    from periodkit.archive import Archive, ArchiveView
    from periodkit.client import Client

__all__ = ["connect", "demo_client", "has_account", "open_archive", "source"]

_ACCOUNT = {"base_url", "token"}


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

    if _ACCOUNT & options.keys():
        options.clear()
        msg = "demo_client serves the sandbox, with a base_url and a token of its own. For your account, use Client."
        raise ConfigError(msg)
    sandbox = Sandbox(None if data is None else DataSet.load(data))
    try:
        client = _make_client(options | {"base_url": sandbox.base_url, "token": sandbox.token})
    except BaseException:
        sandbox.close()
        raise
    client.on_close(sandbox.close)
    return client


def _make_client(options: dict[str, Any]) -> Client:
    from periodkit.client import Client  # noqa: PLC0415  (requests, which an archive does not need)

    try:
        return Client(**options)
    finally:
        options.clear()  # a traceback can show it, and the token in it


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
    """Return a client of your account if one is named, else of the sandbox; or an archive's frames.

    An account is named by the environment, or by the arguments ``base_url`` and ``token``.

    Both have ``periods()`` and ``actions(periods)``, so that what is written for one works with the other.

    Parameters
    ----------
    archive : path, optional
        The folder of an archive to read from, instead of the API.
    snapshot : str, optional
        A snapshot of the archive, by name or hash; by default its present state.
    **options
        Passed on to `Client`.

    Returns
    -------
    Client or ArchiveView
        What gives ``periods()`` and ``actions(periods)``.

    Raises
    ------
    ConfigError
        Only one of ``ALO_BASE_URL`` and ``ALO_API_TOKEN`` is set.
    ArchiveError
        There is no such archive or snapshot.

    Examples
    --------
    >>> with connect() as client:
    ...     periods = client.periods()
    >>> periods.empty
    False
    """
    if archive is None and snapshot is not None:
        msg = f"snapshot is {snapshot!r}, but no archive is given. Pass archive=PATH too."
        raise ConfigError(msg)
    if archive is not None:
        opened = open_archive(archive)
        return opened.held() if snapshot is None else opened.at(snapshot)
    if has_account() or _ACCOUNT & options.keys():
        return _make_client(options)
    return demo_client(**options)


def has_account() -> bool:
    """Whether the environment names an account."""
    return bool(os.environ.get(BASE_URL_VARIABLE) or os.environ.get(TOKEN_VARIABLE))


def open_archive(folder: str | Path | None = None, *, create: bool = False, pseudonymize: str | None = None) -> Archive:
    """Return the archive in a folder, by default that of ``ALO_ARCHIVE``, else ``periodkit-archive``.

    Parameters
    ----------
    folder : path, optional
        Where it is.
    create : bool
        Whether it may be missing: its first sync makes it.
    pseudonymize : str, optional
        As for `Archive`.

    Raises
    ------
    ArchiveError
        There is no archive, or the folder holds something else.
    """
    from periodkit.archive import Archive  # noqa: PLC0415  (an optional extra)

    archive = Archive(folder or os.environ.get(ARCHIVE_VARIABLE) or DEFAULT_ARCHIVE, pseudonymize=pseudonymize)
    if not create:
        archive.require()
    return archive


def source(client: Client | ArchiveView, actions: pd.DataFrame) -> Answer:
    """Return a sentence on whose data `connect` gave, how much, and as of when, that a notebook shows.

    Parameters
    ----------
    client : Client or ArchiveView
        What `connect` returned. Its ``origin`` says whose data it is: no setting is read.
    actions : pandas.DataFrame
        The actions that it returned.

    Returns
    -------
    str
        One line of plain text: whose data, how many periods and actions, and the latest ``fetched_at``.

    Examples
    --------
    >>> with connect() as client:
    ...     actions = client.actions(client.periods().head(2))
    >>> source(client, actions)
    'Data: the sandbox, a synthetic season of an invented venue. 2 periods with 652 actions, as of 2025-05-17 15:08 UTC.'
    """
    whose = "" if client.origin is None else _whose(client.origin)
    if hasattr(client, "hashes"):  # an archive, whose class needs an extra to be imported
        whose = f"an archive of {whose}" if whose else "an archive"
    if actions.empty:
        return Answer(f"Data: {whose}. No actions.", strong=False)
    several = actions["period_id"].nunique()
    periods = "1 period" if several == 1 else f"{several:,} periods"
    moment = f"{actions['fetched_at'].max():%Y-%m-%d %H:%M} UTC"
    n = f"{len(actions):,} action{'' if len(actions) == 1 else 's'}"
    return Answer(f"Data: {whose}. {periods} with {n}, as of {moment}.", strong=False)


def _whose(origin: str) -> str:
    kind, _, served = origin.partition("sandbox: ")
    if kind:
        return f"the account at {origin}"
    return "the sandbox, " + (
        "a synthetic season of an invented venue" if served == "synthetic season" else f"serving {served}"
    )
