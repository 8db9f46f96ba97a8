"""A client without an account: the sandbox on this machine."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from periodkit.client import BASE_URL_VARIABLE, TOKEN_VARIABLE, Client

__all__ = ["connect", "demo_client"]


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
    from periodkit.sandbox.dataset import DataSet  # noqa: PLC0415  (the sandbox is an optional extra)
    from periodkit.sandbox.server import Sandbox  # noqa: PLC0415

    sandbox = Sandbox(None if data is None else DataSet.load(data))
    client = Client(sandbox.base_url, sandbox.token, **options)
    client.on_close(sandbox.close)
    return client


def connect(**options: Any) -> Client:  # noqa: ANN401
    """Return a client of your account if the environment names one, else of the sandbox.

    Parameters
    ----------
    **options
        Passed on to `Client`.

    Raises
    ------
    ConfigError
        Only one of ``ALO_BASE_URL`` and ``ALO_API_TOKEN`` is set.

    Examples
    --------
    >>> with connect() as client:
    ...     periods = client.periods()
    >>> periods.empty
    False
    """
    options.pop("archive", None), options.pop("snapshot", None)
    if os.environ.get(BASE_URL_VARIABLE) or os.environ.get(TOKEN_VARIABLE):
        return Client(**options)
    return demo_client(**options)
