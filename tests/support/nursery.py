"""Run as a script: imports all that a sync needs once, then forks a child for each line it reads, to be killed.

A line is JSON: the archive's folder, the number of the platform's state, and when or where the child is to die. Nothing here
uses Delta Lake before it forks, since its threads would not come along.
"""

import itertools
import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import deltalake  # noqa: F401  (imported before the forks, to spare each the time)
import filelock  # noqa: F401
from platforms import NOW, Platform

import periodkit as pk
from periodkit.archive import writer
from periodkit.archive.storage import delta, folder

PERIODS, ACTIONS = 5, 4
STEPS = ("create", "append", "overwrite", "restore", "compact", "vacuum")


def platform_at(state):
    """The platform in its state of that number: each differs in some periods from the one before."""
    # Recent periods, which each sync fetches.
    platform = Platform(periods=PERIODS, actions=ACTIONS, first=NOW - timedelta(days=3))
    for period_id, actions in platform.actions.items():
        for number, action in enumerate(actions):
            action["status"] = f"round {state // (1 + period_id % 3)}"
            if number % 3 == 0:
                action["closedTime"] = None
    if state % 2:
        for action in platform.actions[7]:
            action["lateField"] = state
    return platform


def work(folder, state):
    """What the child does: a sync in many small commits, and every third time a prune."""
    writer.BATCH_ROWS = 2 * ACTIONS
    writer.FILES_PER_BUCKET = 0.2
    archive = pk.Archive(folder)
    archive.sync(platform_at(state).client())
    if state % 3 == 2:
        archive.prune(0)


def die_after(step):
    """Let the process die right after its n-th write, which is as good as right before the next."""
    count = itertools.count()

    def dying(plain):
        def called(*given, **named):
            mine = next(count) == step
            result = plain(*given, **named)
            if mine:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return called

    for name in STEPS:
        setattr(delta, name, dying(getattr(delta, name)))
    folder.Folder.write_json = dying(folder.Folder.write_json)


def main():
    print("ready", flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            if asked["step"] is not None:
                die_after(asked["step"])
            try:
                work(asked["folder"], asked["state"])
            except BaseException as error:  # noqa: BLE001
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        if asked["kill_after"] is not None:
            time.sleep(asked["kill_after"])
            os.kill(child, signal.SIGKILL)  # not waited for yet, so the id is still its own
        _, status = os.waitpid(child, 0)
        print(status, flush=True)


if __name__ == "__main__":
    main()
