"""What frames are made of: columns, engines, periods, fingerprints, pseudonyms and files."""

from periodkit._arguments import require_columns
from periodkit.frames.columns import (
    BAD_TIME,
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
    with_flags,
)
from periodkit.frames.export import export
from periodkit.frames.fingerprint import Fingerprint, fingerprint, json_texts, total_of
from periodkit.frames.periods import is_empty, latest_period, markers, ordered_periods, position_of
from periodkit.frames.pseudonyms import key_bytes, keyed_hash, pseudonymize

__all__ = [
    "BAD_TIME",
    "EXACT_IN_DOUBLE",
    "INT64",
    "MASKED",
    "UTC_MICROS",
    "ActionsFrame",
    "Column",
    "Fingerprint",
    "aggregate",
    "as_lists",
    "batches",
    "collect",
    "exact_in_double",
    "export",
    "fingerprint",
    "in_pandas",
    "in_utc",
    "infer_column",
    "is_empty",
    "json_texts",
    "key_bytes",
    "keyed_hash",
    "latest_period",
    "markers",
    "open_frame",
    "ordered_periods",
    "parse_times",
    "position_of",
    "pseudonymize",
    "python_values",
    "require_columns",
    "require_pandas",
    "to_frame",
    "total_of",
    "unknown_name",
    "utc_text",
    "with_flags",
]
