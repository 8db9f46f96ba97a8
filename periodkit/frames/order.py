"""The order of groups: as people count, categories as they are ordered, nulls last."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from periodkit._arguments import one_of

__all__ = ["natural", "natural_order", "sort_rows"]

Ints: TypeAlias = NDArray[np.int64]
_DIGITS = re.compile(r"([0-9]+)")


def natural(text: str) -> tuple[Any, ...]:
    """Return what to sort a text by so that "Group 2" comes before "Group 10"; case matters only between equals.

    Examples
    --------
    >>> sorted(["Group 10", "group 2", "Bar", "Group 1"], key=natural)
    ['Bar', 'Group 1', 'group 2', 'Group 10']
    """
    parts = _DIGITS.split(text.casefold())
    # Texts and digits alternate. Numbers compare by how many digits they have, then by these.
    digits = [(len(short := part.lstrip("0")), short) for part in parts[1::2]]
    return (tuple(parts[:1]), *zip(digits, parts[2::2], strict=True)), text


def natural_order(keys: pd.DataFrame, began: Mapping[str, Mapping[Any, Any]] | None = None) -> Ints:
    """Return the positions that put the rows of a frame of keys in order: by the first column, then the second, ...

    Texts are in natural order, ordered categories in theirs, anything else by its value, and null is last. Equal rows
    keep their order.

    Parameters
    ----------
    keys : pandas.DataFrame
        The key columns.
    began : mapping of str to mapping, optional
        For a column of periods when each began: they come in that order.

    Examples
    --------
    >>> natural_order(pd.DataFrame({"group": ["Group 10", None, "Group 2"]})).tolist()
    [2, 0, 1]
    """
    if not len(keys.columns):
        return np.arange(len(keys))
    ranks = [_rank(keys[name], (began or {}).get(name)) for name in keys.columns]
    return np.lexsort(ranks[::-1])


def sort_rows(result: pd.DataFrame, sort: str | None) -> pd.DataFrame:
    """Return the rows of a result by one of its columns, the largest first and null last; None leaves them by key.

    Examples
    --------
    >>> sort_rows(pd.DataFrame({"channel": ["Bar", "Gate", "Lift"], "n": [2, 7, 2]}), "n")["channel"].tolist()
    ['Gate', 'Bar', 'Lift']
    """
    if sort is None:
        return result
    one_of(sort, "sort", [str(name) for name in result.columns])
    return result.sort_values(sort, ascending=False, kind="stable", ignore_index=True)


def _rank(values: pd.Series, began: Mapping[Any, Any] | None) -> Ints:
    """Return a number for each value, equal for equal values and in their order; that of null is the highest."""
    if isinstance(values.dtype, pd.CategoricalDtype):
        kinds = values.cat.categories
        ranks = np.arange(len(kinds)) if values.cat.ordered and began is None else _rank(pd.Series(kinds), began)
        return np.append(ranks, len(kinds))[values.cat.codes]  # the code of null is -1
    code, present = pd.factorize(values)
    position = np.empty(len(present) + 1, dtype=np.int64)
    position[_in_order(pd.Series(present), began)] = np.arange(len(present))
    position[-1] = len(present)  # where factorize's code of null, -1, points
    return position[code]


def _in_order(present: pd.Series, began: Mapping[Any, Any] | None) -> Sequence[int] | Ints:
    """Return the positions of distinct values, none of them null, in order."""
    if began is not None:
        moments = [began.get(value) for value in present]
        known = [moment is not None and not pd.isna(moment) for moment in moments]

        def begins(at: int) -> tuple[Any, ...]:
            return not known[at], moments[at] if known[at] else 0, _text(present[at])

        return sorted(range(len(moments)), key=begins)
    if present.dtype == object or isinstance(present.dtype, pd.StringDtype):
        texts = [_text(value) for value in present]
        return sorted(range(len(texts)), key=texts.__getitem__)
    return np.argsort(present.to_numpy(), kind="stable")


def _text(value: object) -> tuple[Any, ...]:
    """Return a sort key that any two values can be compared by: numbers before texts, and these before all else."""
    if isinstance(value, str):
        return 1, natural(value)
    if isinstance(value, int | float | np.number):
        return 0, value
    return 2, type(value).__name__, natural(str(value))
