"""The fast way from the API's JSON to columns: pyarrow's reader over whole bodies, several at a time.

It takes what is exactly as documented and declines all else by returning None, so its caller can go the exact way.
Bodies may be read while others are still on their way, and a large one is read by several threads at once.

A sample of the first records tells which further fields to expect. Letting pyarrow infer them instead would read texts
as times, round large numbers, and crash the process on deeply nested input.
"""

from __future__ import annotations

import json
import re
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pj

from periodkit._arguments import is_unicode
from periodkit.frames import EXACT_IN_DOUBLE, UTC_MICROS, Column, as_lists, parse_times
from periodkit.parse.response import Answer
from periodkit.schema import ACTIONS, FORM_CONTAINERS, FORM_PREFIX, Kind, snake_case

_BATCH_BYTES = 64 * 2**20
_SAMPLE_BYTES = 2**16
_SHARE_BYTES = 8 * 2**20
_BOM = b"\xef\xbb\xbf"
_SCALARS: dict[type, pa.DataType] = {str: pa.string(), bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
_ENVELOPE = [(name, pa.int64()) for name in ("page", "per_page", "total_pages", "total_count")]
# pyarrow crashes on a null that is a document of its own, so none may reach it, not even behind another document.
_NULL_DOCUMENT = re.compile(rb"\}\s*n")
_START = re.compile(r'"actions"\s*:\s*\[\s*')
_BETWEEN = re.compile(r"\s*,\s*")
_SEAM = re.compile(rb"\}(\s*,)\s*\{")
_OPENING, _CLOSING = b'{"actions":[', b"]}"

Read: TypeAlias = tuple[pa.StructArray, np.ndarray]
"""The records of some bodies, and how many each body holds."""


class ActionsReader:
    """Reads bodies into columns.

    Parameters
    ----------
    form_fields : sequence of str
        The form fields that were asked for.
    """

    def __init__(self, form_fields: Sequence[str] = ()) -> None:
        self._form_fields = form_fields
        self._extra: dict[str, pa.DataType] | None = None
        self._ahead: dict[int, tuple[Answer, Read | None]] = {}

    def read_ahead(self, answers: Sequence[Answer]) -> None:
        """Read these bodies now, so that `columns` has less to do."""
        for answer in answers:
            if self._extra is None:
                if next(_sample([answer]), None) is None:
                    continue
                self._extra = _expected_extras([answer], self._form_fields)
                if self._extra is None:
                    return
            self._ahead[id(answer)] = (answer, _read_batch([answer.body], _options(self._extra)))

    def columns(self, answers: Sequence[Answer]) -> dict[str, Column] | None:
        """Return the columns of all answers, in their order, or None where this way cannot take them."""
        extra = _expected_extras(answers, self._form_fields)
        if extra is None or not answers:
            return None
        # What was read ahead looked for the fields of the answer that came first: were they others, all is read anew.
        same = self._extra is not None and list(extra.items()) == list(self._extra.items())
        ahead = self._ahead if same else {}
        options = _options(extra)
        records, lengths = [], []
        for batch in _batches(answers, ahead):
            first = id(batch[0])
            read = ahead[first][1] if first in ahead else _read_batch([answer.body for answer in batch], options)
            if read is None:
                return None
            records.append(read[0])
            lengths.append(read[1])
        whole = pa.chunked_array(records).combine_chunks()
        return _columns(whole, np.concatenate(lengths), answers, self._form_fields, extra)


def _options(extra: dict[str, pa.DataType]) -> pj.ParseOptions:
    # Times are read as texts first: the reader knows fewer spellings.
    known = [(f.api, Kind.TEXT.arrow if f.kind is Kind.TIME else f.kind.arrow) for f in ACTIONS.by_api.values()]
    schema = pa.schema([("actions", pa.list_(pa.struct([*known, *extra.items()]))), *_ENVELOPE])
    return pj.ParseOptions(explicit_schema=schema, newlines_in_values=True, unexpected_field_behavior="error")


def _expected_extras(answers: Sequence[Answer], form_fields: Sequence[str]) -> dict[str, pa.DataType] | None:
    """Return the fields beyond the documented ones, with types, as the first records show them."""
    kinds: dict[str, set[type]] = {name: set() for name in form_fields if name not in ACTIONS.by_api}
    taken = {*ACTIONS.columns, *(FORM_PREFIX + name for name in form_fields)}
    for record in _sample(answers):
        for name, value in record.items():
            if name not in ACTIONS.by_api:
                kinds.setdefault(name, set()).add(type(value))
    extras = {}
    for name, seen in kinds.items():
        seen -= {type(None)}
        if len(seen) > 1 or not seen <= _SCALARS.keys() or name in FORM_CONTAINERS or not is_unicode(name):
            return None
        if name not in form_fields:
            column = snake_case(name)
            if not column or column in taken:
                return None
            taken.add(column)
        extras[name] = _SCALARS[seen.pop()] if seen else pa.string()
    return extras


def _sample(answers: Sequence[Answer]) -> Iterator[dict[str, Any]]:
    """Yield the first records of the first answer that has any."""
    decoder = json.JSONDecoder()
    for answer in answers:
        text = answer.body[:_SAMPLE_BYTES].decode("utf-8", "replace")
        match = _START.search(text)
        some = False
        while match is not None:
            try:
                record, end = decoder.raw_decode(text, match.end())
            except (ValueError, RecursionError):
                break
            if not isinstance(record, dict):
                break
            some = True
            yield record
            match = _BETWEEN.match(text, end)
        if some:
            return


def _batches(answers: Sequence[Answer], alone: Container[int]) -> Iterator[list[Answer]]:
    """Group answers so that many small bodies are read in one call; those of `alone` stay by themselves."""
    batch: list[Answer] = []
    size = 0
    for answer in answers:
        single = id(answer) in alone
        if batch and (single or size + len(answer.body) > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        if single:
            yield [answer]
            continue
        batch.append(answer)
        size += len(answer.body)
    if batch:
        yield batch


def _read_batch(bodies: list[bytes], options: pj.ParseOptions) -> Read | None:
    """Return the records of the bodies, and how many each holds."""
    bodies = [body.removeprefix(_BOM) for body in bodies]
    if not all(body.lstrip().startswith(b"{") for body in bodies):
        return None
    if len(bodies) == 1 and len(bodies[0]) > 2 * _SHARE_BYTES:
        shared = _read_shared(bodies[0], options)
        if shared is not None:
            return shared
    lists = _read_documents(b"\n".join(bodies) if len(bodies) > 1 else bodies[0], options)
    # Another number of rows than bodies: one of them is not a single document.
    if lists is None or len(lists) != len(bodies):
        return None
    records = lists.flatten()
    return None if records.null_count else (records, pc.list_value_length(lists).to_numpy(zero_copy_only=False))


def _read_shared(body: bytes, options: pj.ParseOptions) -> Read | None:
    """Read one large body in shares, as many at once as there are processors.

    It is cut where one record seems to end and the next to begin. Were that inside a text or a nested value, the
    brackets of the shares would not match, and the reader would refuse them; whole it may still take them.
    """
    matches = (_SEAM.search(body, at) for at in range(_SHARE_BYTES, len(body), _SHARE_BYTES))
    seams = sorted({match.span(1) for match in matches if match is not None})
    ends = [*(begin for begin, _ in seams), len(body)]
    begins = [0, *(end for _, end in seams)]

    def read(begin: int, end: int) -> pa.ListArray | None:
        parts = (_OPENING if begin else b"", memoryview(body)[begin:end], _CLOSING if end < len(body) else b"")
        return _read_documents(b"".join(parts), options)

    with ThreadPoolExecutor(pa.cpu_count()) as pool:
        read_shares = list(pool.map(read, begins, ends))
    lists = [share for share in read_shares if share is not None and len(share) == 1]
    if len(lists) < len(read_shares):
        return None
    records = pa.chunked_array([share.flatten() for share in lists]).combine_chunks()
    return None if records.null_count else (records, np.array([len(records)]))


def _read_documents(text: bytes, options: pj.ParseOptions) -> pa.ListArray | None:
    """Return the ``actions`` of each document in `text`."""
    if _NULL_DOCUMENT.search(text):
        return None
    try:
        _check_utf8(text)  # the reader does not
        table = pj.read_json(
            pa.BufferReader(text), pj.ReadOptions(use_threads=False, block_size=len(text) + 1), options
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    lists = table["actions"].combine_chunks()
    return None if lists.null_count else lists


def _check_utf8(text: bytes) -> None:
    """Raise ArrowInvalid where `text` is not UTF-8; a quarter of the time of ``text.decode()``, and no copy."""
    offsets = pa.py_buffer(np.array([0, len(text)], dtype=np.int64))
    pa.LargeStringArray.from_buffers(1, offsets, pa.py_buffer(text)).validate(full=True)


def _columns(
    records: pa.StructArray,
    lengths: np.ndarray,
    answers: Sequence[Answer],
    form_fields: Sequence[str],
    extra: dict[str, pa.DataType],
) -> dict[str, Column] | None:
    def per_row(values: list[Any], kind: pa.DataType) -> pa.Array:
        return pa.array(values, kind).take(pa.array(np.repeat(np.arange(len(values)), lengths)))

    sent = dict(zip((field.name for field in records.type), records.flatten(), strict=True))
    columns: dict[str, Column] = {}
    for field in ACTIONS.fields:
        if field.api is None:
            columns[field.column] = per_row([answer.fetched_at for answer in answers], UTC_MICROS)
            continue
        column = sent[field.api]
        if field.kind is Kind.TIME:
            column, bad = parse_times(column)
            if bad:
                return None
        columns[field.column] = as_lists(column) if field.kind is Kind.LIST else column
    asked = per_row([answer.period_id for answer in answers], pa.int64())
    if pc.any(pc.not_equal(columns["period_id"], asked)).as_py():
        return None
    columns["period_id"] = pc.coalesce(asked, columns["period_id"])
    if any(None in texts for texts in columns["notes"] if texts):
        return None
    for name in form_fields:
        if name in ACTIONS.by_api:
            columns[FORM_PREFIX + name] = pa.nulls(len(records), pa.string())
    for name in extra:
        if pa.types.is_floating(sent[name].type) and not _plain_numbers(sent[name]):
            return None
    columns |= {FORM_PREFIX + name: sent[name] for name in form_fields if name in extra}
    return columns | {snake_case(name): sent[name] for name in extra if name not in form_fields}


def _plain_numbers(column: pa.Array) -> bool:
    """Whether all are finite and small enough that no whole number was rounded."""
    return bool(pc.all(pc.less_equal(pc.abs(column), float(EXACT_IN_DOUBLE))).as_py() is not False)
