"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from periodkit.errors import ConfigError

__all__ = ["encodable", "write_whole"]


def encodable(text: str) -> str:
    r"""Return a text that a file can hold: half a surrogate pair, which JSON's escapes can spell, is no character.

    Examples
    --------
    >>> encodable("Bar"), encodable("\ud83d")
    ('Bar', '\\ud83d')
    """
    return text.encode("utf-8", "backslashreplace").decode()


def write_whole(path: Path, write: Callable[[Path], object], *, private: bool = True) -> None:
    """Let `write` write a file beside `path`, and put it in its place once it is whole; if private, for its owner alone.

    Raises
    ------
    ConfigError
        The file cannot be written.
    """
    unfinished = path.with_name(f".{path.stem}.unfinished{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600 if private else 0o666)
        write(unfinished)
        unfinished.replace(path)
    except OSError as error:
        msg = f"{path} could not be written: {error.strerror or error}. Choose another place."
        raise ConfigError(msg) from None
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()
