"""One hash per period over what its records say, however they are stored. Pure: no files, no clock.

``docs/archive.md`` says what is hashed, precisely enough to compute it without periodkit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from json.encoder import encode_basestring_ascii
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from periodkit._arguments import require_columns
from periodkit.errors import SchemaError
from periodkit.frames.columns import EXACT_IN_DOUBLE, UTC_MICROS, utc_text

__all__ = ["Fingerprint", "fingerprint", "json_texts", "total_of"]

HEADER = b"periodkit 1"
"""First line of everything that is hashed; a change of the rules changes it."""

_ROWS_AT_ONCE = 100_000
_NOT_PLAIN = r'[^\x20-\x7e]|["\\]'


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What periods and their actions say, as hashes.

    Parameters
    ----------
    total : str
        SHA-256 over the hashes of all periods, as hexadecimal digits.
    periods : mapping of int to str
        SHA-256 of each period with its actions, by period id in ascending order.
    """

    total: str
    periods: Mapping[int, str]

    def __repr__(self) -> str:
        return f"Fingerprint({self.total[:12]}…, {len(self.periods)} period(s))"


def fingerprint(
    periods: pd.DataFrame | None, actions: pd.DataFrame | None = None, *, fetched_at: bool = True
) -> Fingerprint:
    """Return the SHA-256 of each period with its actions, and one over all.

    Equal for equal content, whatever the order of rows and columns, the dtypes that hold the values, and columns that
    hold nothing but nulls.

    Parameters
    ----------
    periods : pandas.DataFrame or None
        A periods frame, or None.
    actions : pandas.DataFrame, optional
        An actions frame. Actions of periods that are not in `periods` count too.
    fetched_at : bool
        Whether the moment of fetching counts. Without it, a period that was fetched again and had not changed keeps
        its hash.

    Returns
    -------
    Fingerprint
        ``total`` and ``periods``, by period id.

    Raises
    ------
    SchemaError
        A frame lacks ``period_id``, has a null there, names a column twice, or holds times without a zone.

    Examples
    --------
    >>> import pandas as pd
    >>> periods = pd.DataFrame({"period_id": [7], "period_name": ["Cup final"]})
    >>> one = fingerprint(periods, pd.DataFrame({"period_id": [7, 7], "action_id": [1, 2]}))
    >>> other = fingerprint(periods, pd.DataFrame({"action_id": [2, 1], "period_id": [7, 7], "channel": None}))
    >>> one.total == other.total
    True
    """
    lines = {} if periods is None else dict(_lines(_kept(periods, fetched_at), "period "))
    hashes = {}
    if actions is not None:
        for period_id, own in _lines(_kept(actions, fetched_at), "action "):
            hashes[period_id] = _sha256(sorted(lines.pop(period_id, []) + own))
    hashes |= {period_id: _sha256(sorted(own)) for period_id, own in lines.items()}
    ordered = dict(sorted(hashes.items()))
    return Fingerprint(total_of(ordered), ordered)


def total_of(periods: Mapping[int, str]) -> str:
    """Return the hash over the hashes of all periods.

    Examples
    --------
    >>> total_of({})[:12]
    'd2fbde210b92'
    """
    return _sha256([f"{period_id} {periods[period_id]}".encode() for period_id in sorted(periods)])


def json_texts(values: pd.Series, name: str) -> pa.Array:
    """Return each value as canonical JSON in ASCII, null where it is null.

    Parameters
    ----------
    values : pandas.Series
        Values of any dtype that a frame may hold.
    name : str
        How a message calls the column.

    Raises
    ------
    SchemaError
        The values are times without a zone.
    """
    if values.dtype == object:
        return _object_texts(values)
    array = pa.array(values, from_pandas=True)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    if pa.types.is_large_string(array.type):
        # Rows come in bounded numbers, so that the texts of a column stay far below the 2 GiB of a plain string array.
        array = pc.cast(array, pa.string())
    if pa.types.is_timestamp(array.type):
        if array.type.tz is None and array.null_count < len(array):
            msg = f"The column {name!r} holds times without a zone. Read it with pd.to_datetime(..., utc=True)."
            raise SchemaError(msg)
        moments = pc.cast(pc.cast(array, UTC_MICROS, safe=False), pa.timestamp("us"))
        texts = pc.utf8_replace_slice(pc.cast(moments, pa.string()), 10, 11, "T")
        return pc.binary_join_element_wise('"', texts, 'Z"', "")
    for test, write in _WRITERS:
        if test(array.type):
            return write(array)
    return _object_texts(pd.Series(array.to_pylist(), dtype=object))


def _kept(frame: pd.DataFrame, fetched_at: bool) -> pd.DataFrame:
    if not frame.columns.is_unique:
        name = frame.columns[frame.columns.duplicated()][0]
        msg = f"The frame has several columns named {name!r}. Keep one of them."
        raise SchemaError(msg)
    require_columns(frame.columns, ["period_id"], "frames as client.periods() and client.actions() return them")
    if frame["period_id"].isna().any():
        msg = "The column 'period_id' holds a null, so its record belongs to no period. Drop it or give it an id."
        raise SchemaError(msg)
    return frame if fetched_at else frame.drop(columns="fetched_at", errors="ignore")


def _lines(frame: pd.DataFrame, prefix: str) -> Iterator[tuple[int, list[bytes]]]:
    """Yield the lines of each period, a bounded number of rows at once."""
    if frame.empty:
        return
    ids = frame["period_id"].to_numpy("int64")
    order = np.argsort(ids, kind="stable")
    ids = ids[order]
    starts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    ends = np.r_[starts[1:], len(ids)]
    first = 0
    while first < len(starts):
        begin = starts[first]
        last = max(first + 1, int(np.searchsorted(ends, begin + _ROWS_AT_ONCE, side="right")))
        lines = _json_lines(frame.iloc[order[begin : ends[last - 1]]], prefix)
        for i in range(first, last):
            yield int(ids[starts[i]]), lines[starts[i] - begin : ends[i] - begin]
        first = last


def _json_lines(frame: pd.DataFrame, prefix: str) -> list[bytes]:
    members = []
    for name in sorted(frame.columns):
        texts = json_texts(frame[name], name)
        if texts.null_count < len(texts):
            members.append(pc.binary_join_element_wise(f"{json.dumps(name)}:", texts, ""))
    lines = pc.binary_join_element_wise(*members, ",", null_handling="skip")
    whole = pc.binary_join_element_wise(f"{prefix}{{", lines, "}", "")
    encoded: list[bytes] = pc.cast(whole, pa.binary()).to_pylist()
    return encoded


def _sha256(lines: list[bytes]) -> str:
    return hashlib.sha256(b"\n".join([HEADER, *lines])).hexdigest()


def _text_texts(array: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring_regex(array, _NOT_PLAIN)).as_py():
        return pc.binary_join_element_wise('"', array, '"', "")
    coded = pc.dictionary_encode(array)
    texts = [None if value is None else encode_basestring_ascii(value) for value in coded.dictionary.to_pylist()]
    return pc.take(pa.array(texts, pa.string()), coded.indices)


def _float_texts(array: pa.Array) -> pa.Array:
    return pa.array([None if value is None else _number(value) for value in array.to_pylist()], pa.string())


def _list_texts(array: pa.Array) -> pa.Array:
    flat = pc.fill_null(_text_texts(array.flatten()), "null")
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    offsets = np.r_[0, np.cumsum(lengths.to_numpy(zero_copy_only=False))]
    mask = pc.is_null(array)
    lists = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), flat, mask=mask)
    return pc.binary_join_element_wise("[", pc.binary_join(lists, ","), "]", "")


def _is_text_list(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.ListType) and kind.value_type in {pa.string(), pa.null()}


_WRITERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], pa.Array]], ...] = (
    (pa.types.is_null, lambda array: pa.nulls(len(array), pa.string())),
    (pa.types.is_boolean, lambda array: pc.cast(array, pa.string())),
    (pa.types.is_integer, lambda array: pc.cast(array, pa.string())),
    (pa.types.is_floating, _float_texts),
    (pa.types.is_string, _text_texts),
    (_is_text_list, _list_texts),
)


def _object_texts(values: pd.Series) -> pa.Array:
    """Write Python objects; lists of texts, which are nearly all of them, take the quick way."""
    items = list(values)
    if any(isinstance(value, list | tuple | np.ndarray) for value in items) and not any(
        isinstance(value, str | bytes | dict) for value in items
    ):
        try:
            return _list_texts(pa.array(values, pa.list_(pa.string()), from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeEncodeError, TypeError):
            pass
    return pa.array([None if _is_null(value) else _dumps(value) for value in items], pa.string())


def _is_null(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and np.isnan(value))


def _dumps(value: object) -> str:
    return json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"))


def _canonical(value: Any) -> Any:  # noqa: ANN401
    """Bring equal values to one shape: whole numbers without a fraction, any sequence a list, a time its text."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return json.loads(_number(value))
    if isinstance(value, pd.Timestamp):
        return utc_text(value)
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _canonical(item) for key, item in value.items()}
    return value


def _number(value: float) -> str:
    whole = value.is_integer() and abs(value) <= EXACT_IN_DOUBLE
    return str(int(value)) if whole else json.dumps(value)
