"""People's names, replaced by a keyed hash that is stable but tells nothing without the key."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Any

import numpy as np
import pandas as pd

from periodkit._arguments import require_pandas
from periodkit.errors import ArgumentError
from periodkit.schema import TABLES, Kind

__all__ = ["NAME_COLUMNS", "pseudonymize"]

_PERSONAL = [field for table in TABLES for field in table.fields if field.personal]
NAME_COLUMNS = tuple(field.column for field in _PERSONAL)
"""The columns that hold people's names."""

_PSEUDONYM = re.compile(r"person-[0-9a-f]{12}")


def pseudonymize(frame: pd.DataFrame, key: str | bytes) -> pd.DataFrame:
    """Replace the names of people in an actions frame by a keyed hash (HMAC-SHA-256).

    The same name under the same key is always the same pseudonym. Nulls stay null and pseudonyms stay as they are, so
    doing it twice changes nothing. Only the columns that the data dictionary calls personal are replaced,
    ``created_by_user_name`` and ``assigned_user_names``: names in free text, notes, form fields or unknown columns stay.
    A reader who has the key can test which name a pseudonym is.

    Parameters
    ----------
    frame : pandas.DataFrame
        An actions frame, or any frame with one of those columns; it is not changed.
    key : str or bytes
        The secret. Make a long random one, and keep it apart from the data:
        ``python -c "import secrets; print(secrets.token_hex(32))"``.

    Returns
    -------
    pandas.DataFrame
        A copy, row for row, with pseudonyms such as ``person-3fa9c1d2e4b0``, dtypes and index unchanged. Values of
        those fields that ``frame.attrs["bad_values"]`` quotes are left out.

    Raises
    ------
    ArgumentError
        The key is empty or not a text, or `frame` is no pandas frame.

    Examples
    --------
    >>> import pandas as pd
    >>> actions = pd.DataFrame({"created_by_user_name": ["Ada", None], "assigned_user_names": [["Ada", "Bo"], []]})
    >>> print(pseudonymize(actions, "an example of a key").to_string(index=False))
    created_by_user_name                        assigned_user_names
     person-55e3724f7872 [person-55e3724f7872, person-2f0ab8740259]
                     NaN                                         []
    """
    require_pandas(frame, "frame")
    secret = key_bytes(key)
    known: dict[str, str] = {}

    def pseudonym(name: Any) -> Any:  # noqa: ANN401
        if isinstance(name, list | tuple | np.ndarray):
            return [pseudonym(item) for item in name]
        if not isinstance(name, str):
            return name
        if name not in known:
            known[name] = name if _PSEUDONYM.fullmatch(name) else f"person-{keyed_hash(secret, name.encode())}"
        return known[name]

    changed = frame.copy()
    for field in _PERSONAL:
        if field.column in frame.columns:
            names = frame[field.column]
            dtype = "object" if field.kind is Kind.LIST else names.dtype
            changed[field.column] = pd.Series(map(pseudonym, names), index=frame.index, dtype=dtype)
    if "bad_values" in frame.attrs:
        changed.attrs["bad_values"] = [
            bad | {"value": "(left out)"} if bad.get("field") in {field.api for field in _PERSONAL} else bad
            for bad in frame.attrs["bad_values"]
        ]
    return changed


def key_bytes(key: object) -> bytes:
    """Return the key as bytes, or say what is wrong with it, never showing it."""
    if not isinstance(key, str | bytes) or not key:
        msg = "The key for pseudonyms is empty or not a text. Pass a long random text that you keep secret."
        raise ArgumentError(msg)
    return key.encode() if isinstance(key, str) else key


def keyed_hash(key: bytes, content: bytes) -> str:
    """Return the first twelve hexadecimal digits of the HMAC-SHA-256."""
    return hmac.new(key, content, hashlib.sha256).hexdigest()[:12]
