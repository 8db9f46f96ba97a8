"""The archive's folder: its marker, its lock, who may read it."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import shlex
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from periodkit.archive.storage.small import read_json, whole_number
from periodkit.errors import ArchiveError, ArgumentError
from periodkit.frames import keyed_hash
from periodkit.visible import visible

FORMAT = 1
"""The layout that this code reads and writes; ``docs/archive.md`` describes it."""

_MARKER = "archive.json"
_HEAD = "head.json"
_LOCK = "archive.lock"
_KEY_CHECK = b"periodkit archive"
# What Delta Lake or DuckDB refuse in the name of a folder, or read as something else.
_MISREAD = re.compile(
    r"%[0-9A-Fa-f]{2}|(?<![^/\\])_delta_log(?![^/\\])|[\[\]|^*?\x00-\x1f\x7f\ud800-\udfff]"
    + (r"|\\" if os.sep == "/" else "")
)
# What a creation that was cut short may have left.
_BEFORE_MARKER = {_LOCK, f"{_MARKER}.new"}
_LONGEST_SAID = 200


@dataclass(frozen=True, slots=True)
class Head:
    """The last commit: the version of the table of periods, and the hash over all of it."""

    periods_version: int
    hash: str


@dataclass(frozen=True)
class Folder:
    """A folder that is, or may become, an archive.

    Parameters
    ----------
    path : Path
        Where it is.
    key : bytes or None
        The key for pseudonyms, where the archive is to hold these in place of names.
    """

    path: Path
    key: bytes | None = field(default=None, repr=False)

    @property
    def periods(self) -> Path:
        """The folder of the Delta table of periods."""
        return self.path / "periods"

    @property
    def actions(self) -> Path:
        """The folder of the Delta table of actions."""
        return self.path / "actions"

    @property
    def snapshots(self) -> Path:
        """The folder of the snapshots, one JSON file each."""
        return self.path / "snapshots"

    def check(self) -> bool:
        """Return whether there is an archive; refuse a folder that is something else, or too new.

        Raises
        ------
        ArchiveError
            The folder holds other things, its marker cannot be read, or its format is newer than this code.
        """
        misread = _MISREAD.search(str(self.path))
        if misread:
            msg = f"The path {str(self.path)!r} holds {misread.group()!r}, which Delta Lake misreads. Choose another folder."
            raise ArchiveError(msg)
        marker = self.path / _MARKER
        try:
            layout = whole_number(read_json(marker)["format"])
        except FileNotFoundError:
            self._refuse_other_things()
            return False
        except NotADirectoryError:
            msg = f"{self.path} is a file. Name a folder for the archive."
            raise ArchiveError(msg) from None
        except (ValueError, TypeError, KeyError, OSError) as error:
            msg = f"{marker} cannot be read ({error}). Put the file back from a copy of the archive."
            raise ArchiveError(msg) from None
        if layout > FORMAT:
            msg = (
                f"The archive {self.path} has format {layout}; this version of periodkit knows formats up to {FORMAT}. "
                "Nothing was changed. Upgrade periodkit: pip install --upgrade periodkit"
            )
            raise ArchiveError(msg)
        return True

    def require(self) -> None:
        """Raise an ArchiveError where there is no archive."""
        if not self.check():
            quoted = shlex.quote(str(self.path))
            msg = (
                f"There is no archive at {self.path}. Make it with: periodkit sync --archive {quoted} (without an account, "
                "add --demo)"
            )
            raise ArchiveError(msg)

    def prepare(self, origin: str, *, changed: bool = False) -> str | None:
        """Make the folder an archive if it is none yet, and check that these data belong into it.

        Parameters
        ----------
        origin : str
            Whose data will be written: a base URL, or a data set of the sandbox.
        changed : bool
            Whether the archive is to accept another origin than its own.

        Returns
        -------
        str or None
            What to tell the user about the origin, if anything.

        Raises
        ------
        ArchiveError
            As `check`; or the archive holds names or pseudonyms where the other is asked for, or another's data.
        """
        check = None if self.key is None else keyed_hash(self.key, _KEY_CHECK)
        if not self.check():
            new = {"format": FORMAT, "made_by": "periodkit", "key_check": check, "origin": origin}
            self.write_json(self.path / _MARKER, new)
        content = read_json(self.path / _MARKER)
        self._check_key(content.get("key_check"), check)
        known = content.get("origin")
        if known == origin:
            return None
        if known is not None and not changed:
            msg = (
                f"The archive {self.path} holds the data of {_said(known)}, and these are the data of {origin}. Nothing was "
                "changed. Use another folder. If it is the same account at a new address, pass --origin-changed, or "
                "archive.sync(client, origin_changed=True)."
            )
            raise ArchiveError(msg)
        self.write_json(self.path / _MARKER, content | {"origin": origin})
        return (
            f"This archive had no recorded origin; from now on it takes the data of {origin} only."
            if known is None
            else f"The archive's origin was {_said(known)}; it is now {origin}."
        )

    def origin(self) -> str | None:
        """Return whose data the archive holds, or None if that was never recorded."""
        found = read_json(self.path / _MARKER).get("origin")
        return None if found is None else _said(found)

    def _check_key(self, kept: str | None, check: str | None) -> None:
        if kept == check:
            return
        if kept is None:
            msg = "holds names, not pseudonyms. Leave pseudonymize out, or sync into a new folder with the key."
        elif check is None:
            msg = "holds pseudonyms. Pass pseudonymize= with its key, or no name would match those that are there."
        else:
            msg = "holds pseudonyms under another key. Pass the key that it was begun with."
        raise ArchiveError(f"The archive {self.path} {msg} Nothing was changed.")

    def has_head(self) -> bool:
        """Whether anything was ever committed."""
        return (self.path / _HEAD).exists()

    def head(self) -> Head | None:
        """Return what the last commit said of itself, or None before the first.

        Raises
        ------
        ArchiveError
            The file is damaged.
        """
        path = self.path / _HEAD
        try:
            said = read_json(path)
            return Head(whole_number(said["periods_version"]), str(said["hash"]))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError, OSError) as error:
            msg = (
                f"{path} cannot be read ({error}). It only repeats what the table of periods says: to write it anew, run "
                f"{repair_command(self.path)}, or archive.sync(client, refresh=True)."
            )
            raise ArchiveError(msg) from None

    def move_head(self, head: Head) -> None:
        """Write down which state was committed last, so that a log that lost its end is noticed."""
        self.write_json(self.path / _HEAD, {"periods_version": head.periods_version, "hash": head.hash})

    @contextlib.contextmanager
    def locked(self, wait: float) -> Iterator[None]:
        """Hold the archive's lock for writing, which the system frees should this process die.

        Raises
        ------
        ArchiveError
            Another process still writes after `wait` seconds, or the folder cannot be made.
        ArgumentError
            `wait` is below 0.
        """
        import filelock  # noqa: PLC0415  (comes with the extra)

        if not wait >= 0:
            msg = f"wait is {wait!r}; it takes seconds, 0 or more."
            raise ArgumentError(msg)
        self.check()
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            _make_private(self.path.resolve())  # new files rely on it until they have their own mode
            lock = filelock.FileLock(self.path / _LOCK, timeout=wait, mode=0o600)
            lock.acquire()
        except filelock.Timeout:
            msg = (
                f"Another process is writing to the archive {self.path}; after {wait:g} s it was not done. Nothing was "
                "changed. Try again when it has finished."
            )
            raise ArchiveError(msg) from None
        except OSError as error:
            msg = f"The archive {self.path} cannot be written: {error.strerror or error}. Choose a folder of your own."
            raise ArchiveError(msg) from None
        try:
            yield
        finally:
            self.keep_private()
            lock.release()

    def write_json(self, path: Path, content: dict[str, Any]) -> None:
        """Write a small file whole or not at all."""
        new = path.with_name(f"{path.name}.new")
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            new.unlink(missing_ok=True)  # it may be a link to somewhere else
            with new.open("x", encoding="utf-8") as file:
                file.write(json.dumps(content, indent=1, ensure_ascii=True) + "\n")
                file.flush()
                os.fsync(file.fileno())
            new.chmod(0o600)
            new.replace(path)
        except OSError as error:
            msg = f"{path} could not be written: {error.strerror or error}. Make room or choose another folder."
            raise ArchiveError(msg) from None

    def on_disk(self) -> set[Path]:
        """Return the files that the disk has had since the last commit; all that is younger may be in a cache still."""
        try:
            committed = (self.path / _HEAD).stat().st_mtime_ns
        except FileNotFoundError:
            return set()
        return {path for path in self._of_tables() if _changed_at(path) < committed}

    def to_disk(self, known: set[Path]) -> None:
        """Flush new files to disk, make them private and record them in `known`.

        Delta Lake leaves its files to the system's cache, so that a power cut could undo what a sync has reported.
        """
        new = [path for path in self._of_tables() if path not in known]
        for path in dict.fromkeys([*new, *(path.parent for path in new)]):
            _make_private(path)
            try:
                _flush(path)
            except OSError as error:
                msg = (
                    f"{path} could not be written: {error.strerror or error}. What was committed before stays as it is."
                )
                raise ArchiveError(msg) from None
        known.update(new)

    def _of_tables(self) -> list[Path]:
        """Return the files and folders of both tables."""
        tables = [table for table in (self.periods, self.actions) if table.exists()]
        walks = [walk for table in tables for walk in os.walk(table)]
        return tables + [Path(folder) / name for folder, folders, names in walks for name in (*folders, *names)]

    def keep_private(self) -> None:
        """Let the owner alone read the files, whatever they were created with."""
        for folder, folders, files in os.walk(self.path):
            for name in (*folders, *files):
                _make_private(Path(folder) / name)

    def sizes(self) -> dict[Path, int]:
        """Return how many bytes each file has."""
        return {path: path.stat().st_size for path in self.path.rglob("*") if path.is_file()}

    def _refuse_other_things(self) -> None:
        if self.path.is_dir() and not {path.name for path in self.path.iterdir()} <= _BEFORE_MARKER:
            msg = (
                f"The folder {self.path} is not empty and not an archive of periodkit ({_MARKER} is missing). Name "
                "another folder, or put that file back from a copy of the archive."
            )
            raise ArchiveError(msg)


def _said(value: object) -> str:
    """Return a value of a file as a message shows it."""
    return visible(str(value), one_line=True)[:_LONGEST_SAID]


def repair_command(archive: Path, periods: Sequence[int] = ()) -> str:
    """Return the command that repairs an archive, or these periods of it."""
    what = " ".join(f"--period {period_id}" for period_id in periods) or "--refresh"
    return f"periodkit sync --archive {shlex.quote(str(archive))} {what}"


def _make_private(path: Path) -> None:
    # Some disks know no owners, and that is no reason to keep nothing.
    with contextlib.suppress(OSError):
        found = path.lstat().st_mode
        if stat.S_ISLNK(found):  # what it points to is not the archive's
            return
        wanted = 0o700 if stat.S_ISDIR(found) else 0o600
        if stat.S_IMODE(found) != wanted:
            path.chmod(wanted)


def _changed_at(path: Path) -> float:
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return math.inf


def _flush(path: Path) -> None:
    folder = path.is_dir()
    if os.name != "posix":
        # Windows flushes only what is open for writing, and no folders.
        if not folder:
            with path.open("r+b") as file:
                os.fsync(file.fileno())
        return
    try:
        number = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # another program's, such as an editor's, that came and went
        return
    try:
        with contextlib.suppress(OSError) if folder else contextlib.nullcontext():  # some disks flush no folders
            os.fsync(number)
    finally:
        os.close(number)
