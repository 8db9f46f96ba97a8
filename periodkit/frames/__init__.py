"""What frames are made of: columns, engines, periods, fingerprints, pseudonyms and files."""

from periodkit._arguments import require_columns
from periodkit.frames.clock import add_clock
from periodkit.frames.columns import (
    BAD_TIME,
    EARLIEST,
    EXACT_IN_DOUBLE,
    INT64,
    MASKED,
    UTC_MICROS,
    Column,
    as_lists,
    exact_in_double,
    infer_column,
    parse_times,
    python_values,
    to_frame,
    unknown_name,
    utc_text,
)
from periodkit.frames.engines import (
    ActionsFrame,
    aggregate,
    batches,
    collect,
    in_pandas,
    in_utc,
    open_frame,
    require_pandas,
    sum_by,
    with_flags,
)
from periodkit.frames.export import export
from periodkit.frames.files import write_whole
from periodkit.frames.fingerprint import Fingerprint, fingerprint, json_texts, total_of
from periodkit.frames.grouping import PERIOD_KEYS, SHARED, Keyed, grouped, keyed, period_starts
from periodkit.frames.order import natural, natural_order, sort_rows
from periodkit.frames.periods import find_periods, is_empty, latest_period, markers, ordered_periods, position_of
from periodkit.frames.pseudonyms import key_bytes, keyed_hash, pseudonymize
from periodkit.frames.workbook import Sheet, SheetColumn, write_book

__all__ = [
    "BAD_TIME",
    "EARLIEST",
    "EXACT_IN_DOUBLE",
    "INT64",
    "MASKED",
    "PERIOD_KEYS",
    "SHARED",
    "UTC_MICROS",
    "ActionsFrame",
    "Column",
    "Fingerprint",
    "Keyed",
    "Sheet",
    "SheetColumn",
    "add_clock",
    "aggregate",
    "as_lists",
    "batches",
    "collect",
    "exact_in_double",
    "export",
    "find_periods",
    "fingerprint",
    "grouped",
    "in_pandas",
    "in_utc",
    "infer_column",
    "is_empty",
    "json_texts",
    "key_bytes",
    "keyed",
    "keyed_hash",
    "latest_period",
    "markers",
    "natural",
    "natural_order",
    "open_frame",
    "ordered_periods",
    "parse_times",
    "period_starts",
    "position_of",
    "pseudonymize",
    "python_values",
    "require_columns",
    "require_pandas",
    "sort_rows",
    "sum_by",
    "to_frame",
    "total_of",
    "unknown_name",
    "utc_text",
    "with_flags",
    "write_book",
    "write_whole",
]
