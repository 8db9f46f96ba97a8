"""All that the archive asks of Delta Lake; nothing else here knows the ``deltalake`` package."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import pyarrow as pa

from periodkit.archive.storage.folder import repair_command
from periodkit.errors import ArchiveError, ConfigError
from periodkit.visible import visible

if TYPE_CHECKING:
    from deltalake import DeltaTable

__all__ = [
    "LOG",
    "append",
    "compact",
    "create",
    "exists",
    "logged",
    "open_table",
    "opens",
    "overwrite",
    "reading",
    "require",
    "restore",
    "schema_of",
    "vacuum",
]

LOG = "_delta_log"
"""The folder within a table that holds its log, one file for each version."""

_CONFIGURATION = {
    # A snapshot must open in years, so the log is never shortened.
    "delta.logRetentionDuration": "interval 36500 days",
    "delta.enableExpiredLogCleanup": "false",
}


def require() -> None:
    """Raise a ConfigError that names the extra where a package is missing."""
    try:
        import deltalake  # noqa: F401, PLC0415
        import filelock  # noqa: F401, PLC0415
    except ImportError as error:
        msg = f'The archive needs the package {error.name}: pip install "periodkit[archive]"'
        raise ConfigError(msg) from None


def exists(folder: Path) -> bool:
    """Whether a Delta table has been created in the folder."""
    from deltalake import DeltaTable  # noqa: PLC0415

    with reading(folder):
        return DeltaTable.is_deltatable(folder.as_uri())


def logged(folder: Path) -> list[int]:
    """Return the versions of which the log has an entry, whole or not, in ascending order."""
    return sorted(int(path.stem) for path in (folder / LOG).glob("*.json") if path.stem.isdecimal())


def create(folder: Path, schema: pa.Schema, partition_by: str | None = None) -> None:
    """Create an empty table."""
    from deltalake import DeltaTable  # noqa: PLC0415

    with _explained(folder, "created"):
        DeltaTable.create(
            folder.as_uri(), schema, mode="ignore", partition_by=partition_by, configuration=_CONFIGURATION
        )


def open_table(folder: Path, version: int | None = None) -> DeltaTable:
    """Open a table at a version, by default the last one.

    Raises
    ------
    ArchiveError
        The log is damaged, or has no such version.
    """
    from deltalake import DeltaTable  # noqa: PLC0415

    with reading(folder):
        return DeltaTable(folder.as_uri(), version=version)


def opens(folder: Path, columns: pa.Schema, version: int | None = None) -> bool:
    """Whether a table can be opened at a version, and has these columns."""
    try:
        schema_of(open_table(folder, version), columns)
    except ArchiveError:
        return False
    return True


def schema_of(table: DeltaTable, columns: pa.Schema) -> pa.Schema:
    """Return the schema that a log gives a table.

    Raises
    ------
    ArchiveError
        It lacks one of `columns`, which every version writes, or gives it another type: the log has been changed.
    """
    folder = _where(table)
    with reading(folder):
        schema = pa.schema(table.schema().to_arrow())
    for column in columns:
        if column.name not in schema.names:
            raise ArchiveError(log_damage(folder, f"it has no column {column.name}"))
        found = schema.field(column.name).type
        if found != column.type:
            raise ArchiveError(log_damage(folder, f"its column {column.name} is {found}, not {column.type}"))
    return schema


@contextmanager
def reading(folder: Path) -> Iterator[None]:
    """Turn whatever the library raises while it reads a log, panics too, into an ArchiveError."""
    try:
        yield
    except BaseException as error:
        if not _is_ours(error):
            raise
        raise ArchiveError(log_damage(folder, _bad_entry(folder) or _first_line(error))) from error


def _is_ours(error: BaseException) -> bool:
    from deltalake.exceptions import DeltaError  # noqa: PLC0415

    # A panic of the library, which is written in Rust, is no Exception.
    return isinstance(error, DeltaError | OSError | pa.ArrowException) or type(error).__name__ == "PanicException"


def _bad_entry(folder: Path) -> str | None:
    """Name the first entry of a log that is missing or not whole."""
    for i, version in enumerate(logged(folder)):
        name = f"{i:020}.json"
        if version != i:
            return f"its entry {name} is missing"
        try:
            for line in (folder / LOG / name).read_text(encoding="utf-8").splitlines():
                json.loads(line)
        except (OSError, ValueError) as error:
            return f"its entry {name} cannot be read ({error})"
    return None


def log_damage(folder: Path, reason: str) -> str:
    """Say what is wrong with a table's log, and how to repair it."""
    return (
        f"The log {folder / LOG} is damaged: {reason}. To go on from the last state that can be read, and fetch again what "
        f"is not in it: {repair_command(folder.parent)}, or archive.sync(client, refresh=True). What cannot be read is set "
        "aside, not deleted."
    )


def append(table: DeltaTable, rows: pa.Table) -> None:
    """Add rows, and columns where the table lacks them, in one commit."""
    from deltalake import write_deltalake  # noqa: PLC0415

    with _explained(_where(table), "written"):
        write_deltalake(table, rows, mode="append", schema_mode="merge")


def overwrite(
    table: DeltaTable, rows: pa.Table, predicate: str | None = None, vouches: tuple[str, int] | None = None
) -> None:
    """Put rows in the place of those that a predicate over partitions selects, in one commit.

    With `vouches`, the commit carries a table's name and version, which `DeltaTable.transaction_version` gives back.
    """
    from deltalake import CommitProperties, Transaction, write_deltalake  # noqa: PLC0415

    carried = CommitProperties(app_transactions=[Transaction(*vouches)]) if vouches else None
    with _explained(_where(table), "written"):
        write_deltalake(
            table, rows, mode="overwrite", schema_mode="merge", predicate=predicate, commit_properties=carried
        )


def restore(table: DeltaTable, version: int) -> None:
    """Make an earlier version the last one."""
    with _explained(_where(table), "restored"):
        table.restore(version)


def compact(table: DeltaTable) -> None:
    """Compact the small files of each partition."""
    with _explained(_where(table), "compacted"):
        table.optimize.compact()


def vacuum(table: DeltaTable, hours: int, keep_versions: Sequence[int]) -> None:
    """Delete data files that neither a kept version nor the last `hours` need."""

    def run(*, dry_run: bool) -> list[str]:
        return table.vacuum(
            retention_hours=hours,
            dry_run=dry_run,
            enforce_retention_duration=False,
            full=True,
            keep_versions=list(keep_versions),
        )

    folder = _where(table)
    links = [Path(at) / name for at, names, _ in os.walk(folder) for name in names if (Path(at) / name).is_symlink()]
    if links:  # the library would follow it, and delete whatever the log does not name
        msg = f"{links[0]} is a link to another folder, whose files would be deleted. Nothing was. Remove the link."
        raise ArchiveError(msg)
    with _explained(folder, "vacuumed"):
        # Files that are long gone are listed too; a commit to delete nothing would only lengthen the log.
        if any((folder / unquote(name)).exists() for name in run(dry_run=True)):
            run(dry_run=False)


def _where(table: DeltaTable) -> Path:
    return Path(url2pathname(urlsplit(table.table_uri).path))


@contextmanager
def _explained(folder: Path, verb: str) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        if not _is_ours(error):
            raise
        msg = f"The table {folder} could not be {verb}: {_first_line(error)}. What was committed before stays as it is."
        raise ArchiveError(msg) from error


def _first_line(error: BaseException) -> str:
    line = (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
    return visible(re.sub(r"^((Generic delta k|K)ernel error: )+", "", line), one_line=True)
