"""A sync that dies at any moment leaves an archive that is whole, and that the next sync brings to the same end."""

import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import nursery as nursery_script
import pytest
from nursery import ACTIONS, PERIODS, STEPS, platform_at
from pandas.testing import assert_frame_equal

import periodkit as pk
from periodkit.archive import writer
from periodkit.archive.storage import delta
from periodkit.archive.storage.folder import Folder
from periodkit.frames.fingerprint import fingerprint

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked, which this system cannot do")


MOST_WRITES = 30


class Nursery:
    """A process that forks syncs and kills them."""

    def __init__(self):
        script = Path(nursery_script.__file__)
        self.process = subprocess.Popen(
            [sys.executable, str(script)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def run(self, folder, state, *, kill_after=None, step=None):
        """Run one sync, killed after so many seconds or at a step; returns whether it was killed, and how long it took."""
        asked = {"folder": str(folder), "state": state, "kill_after": kill_after, "step": step}
        began = time.monotonic()
        self.process.stdin.write(json.dumps(asked) + "\n")
        status = int(self.process.stdout.readline())
        assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the sync failed by itself; see stderr"
        return os.WIFSIGNALED(status), time.monotonic() - began

    def close(self):
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


@pytest.fixture(scope="module")
def nurseries():
    """Two of them: while one's child runs, what the other's left is looked at."""
    running = [Nursery(), Nursery()]
    for each in running:
        assert each.process.stdout.readline() == "ready\n"
    yield running
    for each in running:
        each.close()


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    """An archive of the first state, in the small batches of the nursery, to be copied."""
    path = tmp_path_factory.mktemp("begun") / "a"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "BATCH_ROWS", 2 * ACTIONS)
        patch.setattr(writer, "FILES_PER_BUCKET", 0.2)
        pk.Archive(path).sync(platform_at(1).client())
    return path


def with_each(nurseries, work, *cases):
    """Run `work(nursery, case)` for one case after the other with each nursery, both at once."""
    waiting = iter(cases)
    lock = threading.Lock()

    def run(nursery):
        found = []
        while True:
            with lock:
                case = next(waiting, None)
            if case is None:
                return found
            found.append(work(nursery, case))

    with ThreadPoolExecutor(len(nurseries)) as pool:
        return [each for one in list(pool.map(run, nurseries)) for each in one]


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(writer, "BATCH_ROWS", 2 * ACTIONS)
    monkeypatch.setattr(writer, "FILES_PER_BUCKET", 0.2)


def look(folder, states):
    """Open and verify what a killed sync left: each period is whole, in one of the states that it was in."""
    archive = pk.Archive(folder)
    held = archive.held()
    assert held.verify().empty
    hashes = held.hashes()
    for period_id, digest in hashes.items():
        assert any(digest == wanted[period_id] for wanted in states), (
            f"period {period_id} is in no state it ever was in"
        )
    return archive, hashes


@cache
def frames_of(state):
    return platform_at(state).frames()


@cache
def hashes_of(state):
    return fingerprint(*frames_of(state)).periods


def finish(archive, state):
    """Sync again; the end is that of a sync that nothing interrupted."""
    archive.sync(platform_at(state).client())
    held = archive.held()
    periods, actions = frames_of(state)
    assert_frame_equal(held.periods(), periods)
    assert_frame_equal(held.actions(), actions)


def leftovers(archive):
    """Return the files that neither the present state nor the logs need."""
    archive.prune(0)
    live = {str(path) for path in archive.files()}
    periods = delta.open_table(archive.path / "periods").file_uris()
    found = []
    for path in archive.path.rglob("*"):
        logged = path.parent.name == "_delta_log" and (
            path.suffix == ".json" or path.name == "_last_checkpoint" or ".checkpoint" in path.name
        )
        if path.is_file() and not logged and str(path) not in live and str(path) not in periods:
            found.append(path.relative_to(archive.path).as_posix())
    return sorted(set(found) - {"archive.json", "archive.lock", "head.json"})


LIFE = 5
"""So many syncs of one archive are killed, each of them after a change. More would read ever longer logs."""


def one_life(nursery, folder, seed, syncs):
    """Kill each sync of one archive; returns how many died, and how many of these between two commits."""
    chance = random.Random(seed)
    archive, last, killed, partial = None, {}, 0, 0
    for state in range(syncs):
        lasts = nursery.lasts[min(state, 1) + (state % 3 == 2)]
        died, _ = nursery.run(folder, state, kill_after=chance.uniform(0.02, 1.0) * lasts)
        wanted = hashes_of(state)
        if died and not last and not (folder / "archive.json").exists():  # before it had made the archive
            archive, hashes = pk.Archive(folder), {}
        else:
            archive, hashes = look(folder, [last, wanted] if last else [wanted])
        killed += died
        partial += died and 0 < sum(hashes.get(i) == wanted[i] != last.get(i) for i in wanted) < PERIODS
        finish(archive, state)
        last = wanted
    assert leftovers(archive) == []
    assert archive.verify().empty
    assert archive.hashes() == last
    return killed, partial


def kill_many(nurseries, tmp_path, lives, syncs=LIFE):
    def measure(nursery, name):
        nursery.lasts = [nursery.run(tmp_path / f"{name}{i}", state)[1] for i, state in ((0, 0), (0, 1), (0, 2))]

    def live(nursery, seed):
        return one_life(nursery, tmp_path / f"life{seed}", seed, syncs)

    with ThreadPoolExecutor(len(nurseries)) as pool:
        list(pool.map(measure, nurseries, ("one", "other")))
    found = with_each(nurseries, live, *range(lives))
    return sum(killed for killed, _ in found), sum(partial for _, partial in found)


def test_some_kills_at_random_moments(nurseries, tmp_path):
    """As many lives as it takes: how far a sync comes before it is killed depends on what else the machine does."""
    killed = 0
    for i in range(10):
        killed += kill_many(nurseries, tmp_path / str(i), 2, syncs=3)[0]
        if killed > 2:
            return
    pytest.fail(f"only {killed} of 60 syncs were killed before they were done")


@pytest.mark.soak
def test_two_hundred_kills_at_random_moments(nurseries, tmp_path):
    killed, partial = 0, 0
    for i in range(5):
        more = kill_many(nurseries, tmp_path / str(i), 42 if i == 0 else 4)
        killed, partial = killed + more[0], partial + more[1]
        if killed >= 200:
            break
    assert killed >= 200
    assert partial >= 20, "hardly any kill came in the midst of the commits"


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.soak)])
def test_a_death_at_each_write(nurseries, begun, tmp_path, every):
    """First syncs, later syncs and prunes, each dying right after its n-th write, until one has no n-th write."""

    lived = {None: MOST_WRITES, 1: MOST_WRITES}

    def live(nursery, case):
        step, start = case
        if step > lived[start]:
            return
        folder = tmp_path / f"{start}-{step}"
        states = []
        if start is not None:
            shutil.copytree(begun, folder)
            states.append(hashes_of(start))
        state = 2 if start is None else 5
        died, _ = nursery.run(folder, state, step=step)
        archive, _ = look(folder, [*states, hashes_of(state)])
        finish(archive, state)
        if step % 3 == 0:
            assert leftovers(archive) == []
        if not died:
            lived[start] = min(step, lived[start])

    with_each(nurseries, live, *itertools.product(range(0, MOST_WRITES, every), (None, 1)))
    assert all(5 < writes < MOST_WRITES for writes in lived.values())


class Stop(BaseException):
    pass


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", range(0, 16, 3))
def test_an_interruption_at_each_write_keeps_all_that_came(tmp_path, begun, small_batches, monkeypatch, step, after):
    archive = pk.Archive(shutil.copytree(begun, tmp_path / "a"))
    calls = []

    def stopping(plain):
        def called(*given, **named):
            calls.append(plain)
            mine = len(calls) == step + 1
            if mine and not after:
                raise Stop
            plain(*given, **named)
            if mine:
                raise Stop

        return called

    for name in STEPS:
        monkeypatch.setattr(delta, name, stopping(getattr(delta, name)))
    monkeypatch.setattr(Folder, "write_json", stopping(Folder.write_json))
    try:
        archive.sync(platform_at(4).client())
    except Stop:
        stopped = True
    else:
        stopped = False
    monkeypatch.undo()
    assert stopped == (len(calls) > step)
    assert archive.verify().empty
    assert set(archive.hashes()) == set(platform_at(1).ids())
    finish(archive, 4)
    assert leftovers(archive) == []


def after_a_power_cut(folder, copy, flushed, how):
    """Copy an archive as a disk may have it: of what was never flushed, nothing but the name, or not even that."""
    shutil.copytree(folder, copy)
    for path in folder.rglob("*"):
        # The log's first name for an entry goes when the second is there.
        if path.is_file() and path.stat().st_ino not in flushed:
            other = copy / path.relative_to(folder)
            other.write_bytes(b"") if how == "empty" else other.unlink()


@pytest.mark.parametrize("how", ["empty", "missing"])
def test_a_power_cut_at_any_write_undoes_nothing_that_was_reported(tmp_path, small_batches, monkeypatch, how):
    archive = pk.Archive(tmp_path / "a")
    flushed, cuts = set(), []
    plain = os.fsync
    monkeypatch.setattr(os, "fsync", lambda number: (plain(number), flushed.add(os.fstat(number).st_ino)))
    archive.sync(platform_at(1).client())

    def cutting(write):
        def called(*given, **named):
            write(*given, **named)
            cuts.append(tmp_path / f"cut{len(cuts)}")
            after_a_power_cut(archive.path, cuts[-1], flushed, how)

        return called

    for name in STEPS:
        monkeypatch.setattr(delta, name, cutting(getattr(delta, name)))
    archive.sync(platform_at(4).client())
    monkeypatch.undo()
    after_a_power_cut(archive.path, tmp_path / "end", flushed, how)
    assert_frame_equal(pk.Archive(tmp_path / "end").actions(), frames_of(4)[1])
    assert len(cuts) > 5
    nothing = platform_at(4)
    nothing.periods = []
    repaired = 0
    for place in cuts:
        cut = pk.Archive(place)
        try:
            cut.actions()
        except pk.ArchiveError:
            repaired += 1
            cut.sync(nothing.client(), refresh=True)  # with nothing from the server, so what is there was there
        cut, hashes = look(place, [hashes_of(1), hashes_of(4)])
        assert set(hashes) == set(hashes_of(1))
        finish(cut, 4)
    assert repaired < len(cuts)
