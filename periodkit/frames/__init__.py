"""What frames are made of: columns, engines, periods, fingerprints, pseudonyms and files."""

from periodkit.frames.columns import (
    EXACT_IN_DOUBLE,
    INT64,
    MASKED,
    UTC_MICROS,
    Column,
    as_lists,
    exact_in_double,
    infer_column,
    parse_times,
    plain,
    to_frame,
    unknown_name,
    utc_text,
)
from periodkit.frames.engines import (
    as_arrow,
    as_utc,
    batches,
    check_columns,
    in_pandas,
    open_frame,
    require_columns,
    require_pandas,
)
from periodkit.frames.export import export
from periodkit.frames.fingerprint import Fingerprint, fingerprint, json_texts, total_of
from periodkit.frames.periods import latest_period, markers, ordered_periods, position_of
from periodkit.frames.pseudonyms import key_bytes, keyed_hash, pseudonymize

__all__ = [
    "EXACT_IN_DOUBLE",
    "INT64",
    "MASKED",
    "UTC_MICROS",
    "Column",
    "Fingerprint",
    "as_arrow",
    "as_lists",
    "as_utc",
    "batches",
    "check_columns",
    "exact_in_double",
    "export",
    "fingerprint",
    "in_pandas",
    "infer_column",
    "json_texts",
    "key_bytes",
    "keyed_hash",
    "latest_period",
    "markers",
    "open_frame",
    "ordered_periods",
    "parse_times",
    "plain",
    "position_of",
    "pseudonymize",
    "require_columns",
    "require_pandas",
    "to_frame",
    "total_of",
    "unknown_name",
    "utc_text",
]
