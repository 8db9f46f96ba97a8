"""Tables on disk: Delta Lake, the folder, its state and its layout."""

from periodkit.archive.storage.folder import Folder, Head, repair_command
from periodkit.archive.storage.layout import (
    ACTION_SCHEMA,
    BUCKET,
    BUCKETS,
    PERIOD_SCHEMA,
    Names,
    Stored,
    actions_to_arrow,
    bucket,
    extra_column,
    extra_columns,
    has_known_type,
    known_column,
    period_columns,
    period_records,
    read_columns,
)
from periodkit.archive.storage.state import VOUCHED, State, damage_message, load

__all__ = [
    "ACTION_SCHEMA",
    "BUCKET",
    "BUCKETS",
    "PERIOD_SCHEMA",
    "VOUCHED",
    "Folder",
    "Head",
    "Names",
    "State",
    "Stored",
    "actions_to_arrow",
    "bucket",
    "damage_message",
    "extra_column",
    "extra_columns",
    "has_known_type",
    "known_column",
    "load",
    "period_columns",
    "period_records",
    "read_columns",
    "repair_command",
]
