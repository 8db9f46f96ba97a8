"""Names of any origin made safe to show; numbers, shares, durations and their intervals as text."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np
import pandas as pd
from pandas.api.typing import NaTType

__all__ = [
    "LEFT_TO_RIGHT",
    "LONGEST",
    "Scalar",
    "between",
    "clean_label",
    "count",
    "duration",
    "estimate",
    "interval",
    "joined",
    "listed",
    "percent",
    "round_duration",
    "sentences",
    "unique_labels",
    "unit_of",
    "was_or_were",
]

Scalar: TypeAlias = pd.Timedelta | NaTType | float
"""An estimate: a duration or a share; null where there is none."""

LONGEST = 48
"""The most characters of a name by default."""
LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"

_UNITS = {"s": 1.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
# From here on the next unit reads better: 119 min, but 2 h.
_MOST = {"s": 60, "min": 120, "h": 48, "d": np.inf}


def clean_label(text: object, limit: int = LONGEST) -> str:
    r"""Return text on one line, without control and direction characters, cut in its middle to `limit` characters.

    The end is kept because long names often differ there.

    Examples
    --------
    >>> clean_label("Gate\n\u202e5"), clean_label("North stand, upper tier, block 7", 20)
    ('Gate 5', 'North stand,…lock 7')
    """
    given, keep = str(text), 8 * limit
    # Only what can be shown is cleaned: a name may be megabytes long.
    long = len(given) > 2 * keep
    ends = [_clean(end) for end in ((given[:keep], given[-keep:]) if long else (given,))]
    name = ends[0] or "no text"
    if long or len(name) > limit:
        tail = limit // 3
        name = f"{ends[0][: limit - tail - 1].rstrip()}…{ends[-1][-tail:].lstrip() if tail else ''}"
    # A name that is written from right to left must not turn the sentence around it.
    turned = any(unicodedata.bidirectional(character) in ("R", "AL") for character in name)
    return f"{LEFT_TO_RIGHT}{name}{LEFT_TO_RIGHT}" if turned else name


def _clean(text: str) -> str:
    words = " ".join(text.split())
    return " ".join("".join(letter for letter in words if unicodedata.category(letter)[0] != "C").split())


def unique_labels(
    names: Iterable[object], ids: Iterable[object], limit: int = LONGEST, kind: str = "period"
) -> list[str]:
    """Return cleaned names, with the id where a name is missing or occurs more than once.

    Examples
    --------
    >>> unique_labels(["Derby", "Cup final", "Derby", None], [1, 2, 3, 4])
    ['Derby (1)', 'Cup final', 'Derby (3)', 'period 4']
    """
    pairs = [
        (clean_label(name, limit) if isinstance(name, str) else "", key) for name, key in zip(names, ids, strict=True)
    ]
    often = Counter(name for name, _ in pairs)
    labels = []
    for name, key in pairs:
        known = not pd.isna(key)  # type: ignore[call-overload]
        if not name:
            labels.append(f"{kind} {key}" if known else f"no {kind}")
        elif often[name] > 1 and known:
            mark = f" ({key})"
            labels.append(clean_label(name, max(limit - len(mark), 8)) + mark)
        else:
            labels.append(name)
    return labels


def unit_of(value: Scalar) -> str:
    """Return the unit that fits a timedelta, or a number of seconds.

    Examples
    --------
    >>> [unit_of(seconds) for seconds in (42, 59.99, 7100, 7200, 2 * 86400)]
    ['s', 'min', 'min', 'h', 'd']
    """
    seconds = abs(_seconds(value))
    # Rounded first, so that there are never 60 s or 120 min.
    return next(unit for unit, most in _MOST.items() if float(_three(seconds / _UNITS[unit])) < most)


def duration(value: Scalar, unit: str | None = None, *, named: bool = True) -> str:
    """Return a timedelta, or a number of seconds, to three digits in the unit that fits; null is "not reached".

    Examples
    --------
    >>> duration(42), duration(pd.Timedelta("13m48s")), duration(11 * 3600), duration(pd.NaT)
    ('42 s', '13.8 min', '11 h', 'not reached')
    """
    if pd.isna(value):
        return "not reached"
    unit = unit_of(value) if unit is None else unit
    number = _three(_seconds(value) / _UNITS[unit], grouped=True)
    return f"{number} {unit}" if named else number


def round_duration(seconds: float) -> str:
    """Return a length of time that someone chose, in the largest unit that gives a whole number.

    Examples
    --------
    >>> round_duration(900), round_duration(3600), round_duration(5400), round_duration(34.2)
    ('15 min', '1 h', '90 min', '34.2 s')
    """
    unit = next((unit for unit in reversed(_UNITS) if seconds and not seconds % _UNITS[unit]), None)
    return duration(seconds, unit)


def interval(value: Scalar, low: Scalar, high: Scalar, unit: str | None = None) -> str:
    """Return the limits of an estimate in its unit, which is left out; empty where there are none.

    Timedeltas are durations and floats are shares, as in `estimate`.

    Examples
    --------
    >>> interval(0.123, 0.101, 0.149), interval(pd.Timedelta("50s"), pd.Timedelta("30s"), pd.NaT)
    ('10.1–14.9', 'over 30')
    """
    if isinstance(value, float) and not np.isnan(value):
        texts = ["" if pd.isna(limit) else f"{100 * limit:.1f}" for limit in (low, high)]
    else:
        unit = unit or unit_of(next((limit for limit in (value, low, high) if not pd.isna(limit)), 0.0))
        texts = ["" if pd.isna(limit) else duration(limit, unit, named=False) for limit in (low, high)]
    return between(*texts)


def between(low: str, high: str) -> str:
    """Return two limits as a range; an empty one does not exist.

    Examples
    --------
    >>> between("1", "3"), between("1", ""), between("", "3"), between("", "")
    ('1–3', 'over 1', 'up to 3', '')
    >>> between("-1", "7")
    '-1 to 7'
    """
    if low and high:
        # A dash beside a minus cannot be read.
        return f"{low} to {high}" if {"-", "−"} & {low[0], high[0]} else f"{low}–{high}"
    return f"over {low}" if low else f"up to {high}" if high else ""


def estimate(
    value: Scalar, low: Scalar, high: Scalar, *, n: int | None = None, unit: str | None = None, named: bool = True
) -> str:
    """Return an estimate with its interval: a timedelta as a duration, a float as a share.

    Parameters
    ----------
    value, low, high : Timedelta or float
        The estimate and its limits; null where there is none.
    n : int, optional
        The number of actions that it rests on.
    unit : str, optional
        The unit of a duration, by default the one that fits.
    named : bool
        Whether to write the unit.

    Examples
    --------
    >>> minutes = [pd.Timedelta(minutes=number) for number in (12.4, 11.8, 13.1)]
    >>> estimate(*minutes), estimate(0.75, 0.6, 0.86, n=40), estimate(minutes[0], minutes[1], pd.NaT)
    ('12.4 min (11.8–13.1)', '75.0 % (60.0–86.0, n = 40)', '12.4 min (over 11.8)')
    >>> estimate(pd.NaT, minutes[1], pd.NaT), estimate(pd.NaT, pd.NaT, pd.NaT)
    ('over 11.8 min', 'not reached')
    """
    if pd.isna(value) and not pd.isna(low):
        # Too few have ended: only the lower limit is known.
        text, limits = f"over {duration(low, unit, named=named)}", ""
    else:
        text = percent(value, named=named) if isinstance(value, float) else duration(value, unit, named=named)
        limits = "" if pd.isna(value) else interval(value, low, high, unit)
    notes = ", ".join(filter(None, [limits, "" if n is None else f"n = {n:,}"]))
    return f"{text} ({notes})" if notes else text


def percent(share: float, *, named: bool = True) -> str:
    """Return a share in percent.

    Examples
    --------
    >>> percent(0.1234), percent(float("nan"))
    ('12.3 %', 'not known')
    """
    return "not known" if np.isnan(share) else f"{100 * share:.1f}" + (" %" if named else "")


def count(number: int, noun: str = "action") -> str:
    """Return a number of things.

    Examples
    --------
    >>> count(1), count(1200)
    ('1 action', '1,200 actions')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def was_or_were(number: int) -> str:
    """Return the verb that agrees with a number."""
    return "was" if number == 1 else "were"


def listed(parts: Iterable[str]) -> str:
    """Return parts as a list in a sentence, without the empty ones.

    Examples
    --------
    >>> listed(["a", "", "b", "c"])
    'a, b and c'
    """
    kept = [part for part in parts if part]
    return ", ".join(kept[:-1]) + " and " + kept[-1] if len(kept) > 1 else "".join(kept)


def joined(parts: Iterable[str]) -> str:
    """Return the parts that are not empty, with a dot between."""
    return " · ".join(part for part in parts if part)


def sentences(*parts: str) -> str:
    """Return the parts that are not empty as sentences.

    Examples
    --------
    >>> sentences("12 are open", "", "left out: 2 unknown.")
    '12 are open. Left out: 2 unknown.'
    """
    kept = [f"{part[0].upper()}{part[1:].rstrip('. ')}" for part in parts if part]
    return " ".join(part if part.endswith("?") else f"{part}." for part in kept)


def _seconds(value: Scalar) -> float:
    return value / pd.Timedelta(seconds=1) if isinstance(value, pd.Timedelta | NaTType) else float(value)


def _three(number: float, *, grouped: bool = False) -> str:
    """Return a number to three digits, all of them before the point, and no zeros behind it."""
    size = abs(number)
    places = 2 if size >= 0.995 else 2 - int(np.floor(np.log10(size))) if size > 1e-9 else 0
    places = 0 if size >= 99.95 else 1 if size >= 9.995 else places
    text = f"{number:{',' if grouped else ''}.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
