"""Words for people: names of any origin made safe to show, durations, shares and numbers as they are said."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

__all__ = [
    "LEFT_TO_RIGHT",
    "be",
    "count",
    "duration",
    "exact",
    "interval",
    "listed",
    "percent",
    "plain",
    "told_apart",
    "with_interval",
]

LONGEST = 48
LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"
_SECOND, _MINUTE, _HOUR, _DAY = 1.0, 60.0, 3600.0, 86400.0


def plain(text: object, limit: int = LONGEST) -> str:
    r"""Return text on one line, without control and direction characters, cut in its middle to `limit` characters.

    Names that are long are often told apart by how they end.

    Examples
    --------
    >>> plain("Gate\n\u202e5"), plain("North stand, upper tier, block 7", 20)
    ('Gate 5', 'North stand,…lock 7')
    """
    given, keep = str(text), 8 * limit
    # Only what can be shown is cleaned: a name may be megabytes long.
    long = len(given) > 2 * keep
    ends = (given[:keep], given[-keep:]) if long else (given,)
    kept = [_clean(each) for each in ends]
    name = kept[0] or "no text"
    if long or len(name) > limit:
        tail = limit // 3
        name = f"{kept[0][: limit - tail - 1].rstrip()}…{kept[-1][-tail:].lstrip() if tail else ''}"
    # A name that is written from right to left must not turn the sentence around it.
    turned = any(unicodedata.bidirectional(each) in ("R", "AL") for each in name)
    return f"{LEFT_TO_RIGHT}{name}{LEFT_TO_RIGHT}" if turned else name


def _clean(text: str) -> str:
    words = " ".join(text.split())
    return " ".join("".join(each for each in words if unicodedata.category(each)[0] != "C").split())


def told_apart(names: Iterable[object], ids: Iterable[object], limit: int = LONGEST, kind: str = "period") -> list[str]:
    """Return names of things that have ids, with the id where a name is missing or occurs more than once.

    Examples
    --------
    >>> told_apart(["Derby", "Cup final", "Derby", None], [1, 2, 3, 4])
    ['Derby (1)', 'Cup final', 'Derby (3)', 'period 4']
    """
    pairs = [(plain(name, limit) if isinstance(name, str) else "", key) for name, key in zip(names, ids, strict=True)]
    often = Counter(name for name, _ in pairs)
    found = []
    for name, key in pairs:
        known = not pd.isna(key)  # type: ignore[call-overload]
        if not name:
            found.append(f"{kind} {key}" if known else f"no {kind}")
        elif often[name] > 1 and known:
            mark = f" ({key})"
            found.append(plain(name, max(limit - len(mark), 8)) + mark)
        else:
            found.append(name)
    return found


def duration(value: Any) -> str:  # noqa: ANN401
    """Return a timedelta, or seconds, in the unit that people would use; minutes where tables have minutes.

    Examples
    --------
    >>> duration(42), duration(pd.Timedelta("13m48s")), duration(11 * 3600), duration(pd.NaT)
    ('42 s', '13.8 min', '11.0 h', 'not reached')
    """
    if pd.isna(value):
        return "not reached"
    seconds = value / pd.Timedelta(seconds=1) if isinstance(value, pd.Timedelta) else float(value)
    number, unit = _scaled(seconds)
    return f"{number} {unit}"


def exact(seconds: float) -> str:
    """Return a duration that someone chose, which is mostly a round one.

    Examples
    --------
    >>> exact(900), exact(95), exact(5400)
    ('15 min', '1.6 min', '90 min')
    """
    return duration(seconds).replace(".0 ", " ")


def interval(low: Any, high: Any) -> str:  # noqa: ANN401
    """Return the limits of an interval of durations; an end that was not reached is ∞.

    Examples
    --------
    >>> interval(pd.Timedelta("11m48s"), pd.Timedelta("13m6s")), interval(pd.Timedelta("30s"), pd.NaT)
    ('11.8–13.1 min', '30 s–∞')
    """
    lower, upper = ("…" if pd.isna(low) else duration(low)), ("∞" if pd.isna(high) else duration(high))
    same = lower.rpartition(" ")[2] == upper.rpartition(" ")[2] and " " in lower and " " in upper
    return f"{lower.rpartition(' ')[0]}–{upper}" if same else f"{lower}–{upper}"


def with_interval(value: Any, low: Any, high: Any) -> str:  # noqa: ANN401
    """Return a duration with its interval in brackets, if it has one, or that it was not reached."""
    if pd.isna(value):
        return "not reached"
    if pd.isna(low) and pd.isna(high):
        return duration(value)
    return f"{duration(value)} ({interval(low, high)})"


def percent(share: float) -> str:
    """Return a share in percent.

    Examples
    --------
    >>> percent(0.1234), percent(float("nan"))
    ('12.3 %', 'not known')
    """
    return "not known" if np.isnan(share) else f"{100 * share:.1f} %"


def count(number: int, noun: str = "action") -> str:
    """Return a number of things.

    Examples
    --------
    >>> count(1), count(1200)
    ('1 action', '1,200 actions')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def be(number: int) -> str:
    """Return the verb of that many."""
    return "was" if number == 1 else "were"


def listed(parts: list[str]) -> str:
    """Return parts as a list in a sentence, without the empty ones.

    Examples
    --------
    >>> listed(["a", "", "b", "c"])
    'a, b and c'
    """
    kept = [each for each in parts if each]
    return ", ".join(kept[:-1]) + " and " + kept[-1] if len(kept) > 1 else "".join(kept)


def _scaled(seconds: float) -> tuple[str, str]:
    if abs(seconds) < 0.9995 * _SECOND and seconds:
        return f"{seconds * 1000:.0f}", "ms"
    if abs(seconds) < 10:
        return f"{seconds:.2g}", "s"
    if round(abs(seconds)) < _MINUTE:
        return f"{seconds:.0f}", "s"
    if seconds < 10 * _HOUR:
        return f"{seconds / _MINUTE:,.1f}", "min"
    if seconds < 3 * _DAY:
        return f"{seconds / _HOUR:.1f}", "h"
    return f"{seconds / _DAY:,.1f}", "d"
