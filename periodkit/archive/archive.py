"""A local archive of periods and actions: fetched once, on disk, provably unchanged.

Two Delta Lake tables hold what the client returned; ``docs/archive.md`` describes them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pandas as pd

from periodkit._arguments import PeriodIds, When, as_micros, is_unicode, named
from periodkit.archive import snapshots
from periodkit.archive.changes import Of, changes
from periodkit.archive.prune import PruneResult, prune
from periodkit.archive.snapshots import Snapshot
from periodkit.archive.storage import Folder, State, delta, load, repair_command
from periodkit.archive.sync import Request, SyncResult, sync
from periodkit.archive.view import ArchiveView
from periodkit.client import Client
from periodkit.errors import ArchiveError, ArgumentError
from periodkit.frames import key_bytes

__all__ = ["Archive", "ArchiveView", "PruneResult", "Snapshot", "SyncResult"]

Duration = str | timedelta


class Archive(ArchiveView):
    """A folder that holds periods and actions as the client returned them, and how they were before.

    Every reading method reads the last state that was committed, and is never blocked by a sync; to read several times
    from one state, use ``archive.held()``.

    Parameters
    ----------
    path : str or path
        The folder. It need not exist: the first sync makes it, readable by its owner alone.
    pseudonymize : str or bytes, optional
        A key: people's names are replaced by `periodkit.pseudonymize` before anything reaches the disk. Needed for each
        sync of an archive that was begun with it; the key itself is not stored.
    settle_after : str or timedelta
        How long after its end a period is fetched by each sync; from then on more and more rarely.
    venue : str, optional
        A name for this archive's venue: frames get a column ``venue``, so that those of several archives can be joined.

    Raises
    ------
    ArchiveError
        The folder is something else than an archive, or an archive of a newer format.
    ConfigError
        The extra ``archive`` is not installed.
    ArgumentError
        `settle_after` is not a length of time, or the key is empty.

    Examples
    --------
    >>> import periodkit as pk, tempfile
    >>> with pk.demo_client() as client, tempfile.TemporaryDirectory() as folder:
    ...     archive = pk.Archive(folder)
    ...     first = archive.sync(client, start="2024-09-01", end="2024-10-01")
    ...     second = archive.sync(client, start="2024-09-01", end="2024-10-01")
    ...     same = archive.periods().equals(client.periods(start="2024-09-01", end="2024-10-01"))
    >>> first.fetched == second.unchanged + second.refreshed, same
    (True, True)
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        pseudonymize: str | bytes | None = None,
        settle_after: Duration = "7D",
        venue: str | None = None,
    ) -> None:
        delta.require()
        folder = Folder(Path(path), None if pseudonymize is None else key_bytes(pseudonymize))
        del pseudonymize  # some tracebacks show the variables of a frame
        self._folder = replace(folder, path=_expanded(folder.path))
        self._settle_after = _length(settle_after, "settle_after")
        if venue is not None and not _is_name(venue):
            raise ArgumentError(f"venue is {named(venue)}; it takes the name of a venue.")
        self._venue = venue
        self._folder.check()

    def __repr__(self) -> str:
        return f"Archive({str(self._folder.path)!r})"

    @property
    def path(self) -> Path:
        """The folder."""
        return self._folder.path

    def exists(self) -> bool:
        """Whether the folder is an archive already, if an empty one; the first sync makes it one."""
        return self._folder.check()

    def require(self) -> None:
        """Raise an ArchiveError if there is no archive in the folder yet."""
        self._folder.require()

    def _state(self) -> State:
        self._folder.require()
        return load(self._folder)

    def sync(
        self,
        client: Client,
        start: When | None = None,
        end: When | None = None,
        form_fields: Iterable[str] | None = None,
        refresh: bool | PeriodIds = False,
        *,
        forget_fields: Iterable[str] | None = None,
        origin_changed: bool = False,
        wait: float = 10.0,
    ) -> SyncResult:
        """Fetch the periods that are new or may have changed, and keep them.

        Until `settle_after` has passed since its end, each sync fetches a period again and replaces it whole. From then
        on it is fetched a day after the last time, then after 2, 4, 8, ... days, at most 90, as long as it is found
        unchanged; a change starts again at a day. A period whose record (name, dates, markers, ``updated_at``) has
        changed, or that lacks a form field that is asked for, is fetched in any case. What is fetched is committed
        regularly, so that an interruption (Ctrl-C, an error, a crash) loses little; run it again to go on.

        An archive belongs to one account, or to one data set of the sandbox: data of another origin are refused.

        Parameters
        ----------
        client : Client
            Where to fetch from.
        start, end : str, date or datetime, optional
            As for `Client.periods`.
        form_fields : iterable of str, optional
            Form fields to fetch besides those that the archive already has.
        refresh : bool, period id, several, or a periods frame
            True: fetch all periods, and repair damaged tables. Ids: fetch these again in any case.
        forget_fields : iterable of str, optional
            Form fields not to fetch any more. Values that the archive has of them stay until a period is replaced.
        origin_changed : bool
            Accept that the data come from another address than before, such as a base URL that has moved.
        wait : float
            Seconds to wait while another process writes to the archive.

        Returns
        -------
        SyncResult
            What was fetched, what was not, and why.

        Raises
        ------
        ArchiveError
            Another process writes, the disk is full, the key is not that of the archive, the data are another account's,
            or a table is damaged (``refresh=True`` repairs that). What was committed stays.
        ArgumentError
            `forget_fields` names a field that the archive does not fetch.
        AuthError, ApiError, TransportError, SchemaError
            The periods could not be listed. What fails for single periods is in ``SyncResult.failed``.
        """
        request = Request(
            start,
            end,
            form_fields,
            refresh,
            forget_fields,
            origin_changed=origin_changed,
            settle_after=self._settle_after,
        )
        return sync(self._folder, client, request, wait)

    def snapshot(self, name: str | None = None) -> Snapshot:
        """Name the present state, so that it can be read, verified and compared later.

        Parameters
        ----------
        name : str, optional
            What to call it. While it has a name, `prune` leaves its files alone.

        Returns
        -------
        Snapshot
            Its hash covers every value of every archived record.

        Raises
        ------
        ArchiveError
            The name stands for another state already.
        """
        self._folder.require()
        with self._folder.locked(10.0):
            return snapshots.keep(self._folder, self._state(), name)

    def snapshots(self) -> pd.DataFrame:
        """Return one row per snapshot, oldest first: ``name, hash, taken_at, periods, ...`` (name null: unnamed)."""
        self._folder.require()
        return snapshots.listing(self._folder)

    def forget(self, name: str) -> None:
        """Give a snapshot's name up, so that the next `prune` may remove the files that it alone needed."""
        self._folder.require()
        with self._folder.locked(10.0):
            snapshots.forget(self._folder, name)

    def at(self, snapshot: Snapshot | str) -> ArchiveView:
        """Return the archive as it was.

        Parameters
        ----------
        snapshot : Snapshot or str
            A snapshot, its name, its hash, or at least six digits of the hash that begin no other.

        Raises
        ------
        ArchiveError
            There is no such snapshot, or it had no name and has been pruned.
        """
        self._folder.require()
        found = snapshots.find(self._folder, snapshot)
        try:
            state = load(self._folder, found.periods_version or 0)
            _ = state.files
        except ArchiveError as error:
            why = str(error).partition(". ")[0]
            if found.name is None:
                msg = f"The state {found.hash[:12]} had no name, and has been pruned or damaged ({why})."
            else:
                msg = (
                    f"The snapshot {found.name!r} cannot be read: {why}. A damaged log or file may be mended by "
                    f"{repair_command(self.path)}, or put back from a copy of the archive; archive.forget(name) gives "
                    "the name up."
                )
            raise ArchiveError(msg) from None
        if state.hashes != dict(found.periods):
            msg = (
                f"The archive {self.path} at version {found.periods_version} is not the state of this snapshot: the "
                "archive was made anew, or the snapshot is another archive's."
            )
            raise ArchiveError(msg)
        return ArchiveView(state, self._venue)

    def verify(self, snapshot: Snapshot | str | None = None) -> pd.DataFrame:
        """Compute the hash of each period from what the files hold, and compare it with the one taken when written.

        Parameters
        ----------
        snapshot : Snapshot or str, optional
            Check the state of this snapshot, against its hashes; by default the present state.

        Returns
        -------
        pandas.DataFrame
            One row per period that differs or cannot be read: ``period_id, problem, expected, found`` (the hashes; null
            where there is none). No rows: intact.
        """
        return super().verify() if snapshot is None else self.at(snapshot).verify()

    def changes(
        self, since: Snapshot | str, until: Snapshot | str | None = None, *, of: Of = "actions"
    ) -> pd.DataFrame:
        """Return what has changed between two states: late closings, re-routes, reopenings.

        The API shows only how things are now; this shows what it said before.

        Parameters
        ----------
        since : Snapshot or str
            The earlier state.
        until : Snapshot or str, optional
            The later state; by default the present one.
        of : {"actions", "periods"}
            Whose fields: the actions', or the periods' own (name, start, end, markers, ...).

        Returns
        -------
        pandas.DataFrame
            One row per action (or period) and field that differs: ``period_id, action_id, change, field, before,
            after, fetched_before, fetched_after``; of periods without ``action_id``. ``change`` is ``closed``,
            ``reopened``, ``rerouted``, ``changed``, ``added`` or ``removed``; the last two have one row per action and a
            null ``field``. A null in ``before`` or ``after`` means that the field had no value. That a record was
            fetched again is no change of it.

        Raises
        ------
        ArchiveError
            There is no such snapshot, or a file is damaged.
        ArgumentError
            `of` is something else.
        """
        later = self.held() if until is None else self.at(until)
        return changes(self.at(since), later, of)

    def prune(self, keep: Duration = "30D", *, wait: float = 10.0) -> PruneResult:
        """Bring small files together, and delete superseded ones.

        Parameters
        ----------
        keep : str or timedelta
            Files that were in use within this time stay; so do those of the present state and of each named snapshot.
            Give readers that still run the time to finish.
        wait : float
            Seconds to wait while another process writes.

        Returns
        -------
        PruneResult
            How many files and bytes were deleted.

        Raises
        ------
        ArgumentError
            `keep` is no length of time; a bare number has no unit.
        ArchiveError
            Another process writes, or the archive is damaged. Nothing was deleted then.
        """
        return prune(self._folder, _length(keep, "keep"), wait)


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and is_unicode(value)


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser().absolute()
    except RuntimeError:
        msg = f"There is no user whose home {str(path)!r} could be in. Name another folder, or write ./~ for one called so."
        raise ArchiveError(msg) from None


def _length(value: object, argument: str) -> pd.Timedelta:
    # Nothing is nothing in any unit.
    micros = 0 if type(value) is int and value == 0 else as_micros(value, argument)
    return pd.Timedelta(micros, unit="us")
