"""An archive on disk: fetch once, read offline, compare and verify later."""

from periodkit.archive.archive import Archive
from periodkit.archive.prune import PruneResult
from periodkit.archive.snapshots import Snapshot
from periodkit.archive.storage.folder import repair_command
from periodkit.archive.sync import SyncResult
from periodkit.archive.view import ArchiveView

__all__ = [
    "Archive",
    "ArchiveView",
    "PruneResult",
    "Snapshot",
    "SyncResult",
    "repair_command",
]
