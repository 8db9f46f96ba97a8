"""Lengths of time as people write them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from periodkit.errors import ArgumentError

__all__ = ["as_micros"]


def as_micros(value: Any, argument: str) -> int:  # noqa: ANN401
    """Return a length of time in microseconds, or say that it is none.

    Examples
    --------
    >>> as_micros("15min", "target"), as_micros(np.timedelta64(15, "m"), "target")
    (900000000, 900000000)
    """
    msg = f'{argument} is {value!r}; it takes a length of time such as "15min", "7D" or a timedelta.'
    # pandas would take a number, or a text that is one, for nanoseconds.
    bare = isinstance(value, int | float | np.number) and not isinstance(value, np.timedelta64)
    if bare or (isinstance(value, str) and _is_number(value)):
        raise ArgumentError(msg)
    try:
        delta = pd.Timedelta(value)
    except (ValueError, TypeError):
        raise ArgumentError(msg) from None
    if not delta >= pd.Timedelta(0):  # NaT is neither
        raise ArgumentError(msg)
    return int(delta // pd.Timedelta(microseconds=1))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
