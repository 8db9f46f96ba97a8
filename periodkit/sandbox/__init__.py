"""The API on this machine, over real HTTP, with data whose truth is known.

`season` draws a synthetic season, `dataset` reads and writes recorded ones, `server` serves either. Only `server` needs
the extra packages of ``pip install "periodkit[sandbox]"``.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from periodkit.sandbox.dataset import DataSet
    from periodkit.sandbox.server import DEFAULT_TOKEN, Sandbox, serve, token_for

__all__ = ["DEFAULT_TOKEN", "DataSet", "Sandbox", "serve", "token_for"]

_HOMES = {"DataSet": "dataset"} | dict.fromkeys(("DEFAULT_TOKEN", "Sandbox", "serve", "token_for"), "server")


def __getattr__(name: str) -> object:
    # The server's packages are an optional extra.
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
