"""A promised time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

import numpy as np
import pandas as pd

from periodkit._arguments import as_micros
from periodkit.wording.phrases import round_duration

__all__ = ["Span", "Target"]

Span: TypeAlias = str | timedelta | np.timedelta64
"""A length of time as callers pass it."""


@dataclass(frozen=True, slots=True)
class Target:
    """A promised time, read once from what a caller passed; as text it is what people call it.

    Examples
    --------
    >>> target = Target.read("90min")
    >>> str(target), target.delta
    ('90 min', Timedelta('0 days 01:30:00'))
    """

    delta: pd.Timedelta

    @classmethod
    def read(cls, value: Span | Target) -> Target:
        """Return a target, or raise an ArgumentError that says what it takes."""
        return value if isinstance(value, Target) else cls(pd.Timedelta(as_micros(value, "target"), unit="us"))

    def __str__(self) -> str:
        return round_duration(self.delta.total_seconds())
