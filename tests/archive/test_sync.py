"""What a sync asks for, what it keeps, and what it says."""

import itertools
import json
import multiprocessing
import os
import subprocess
import threading
import traceback
from datetime import datetime, timedelta

import pytest
from pandas.testing import assert_frame_equal
from platforms import TOKEN, Platform, make_action, stamp

import periodkit as pk
from periodkit.archive import writer
from periodkit.archive.storage import delta, folder
from periodkit.client.arrivals import Arrivals
from periodkit.parse import parse_actions


@pytest.fixture
def platform():
    return Platform()


@pytest.fixture
def archive(tmp_path):
    return pk.Archive(tmp_path / "a")


def asked(platform):
    """Return the periods that were asked for since the last look."""
    found = [int(path.split("/")[2]) for path in platform.requests if path.startswith("/periods/")]
    platform.requests.clear()
    return sorted(found)


def test_the_server_counts_one_request_for_each_period_that_is_due(archive):
    platform = Platform(periods=40, actions=1)
    for period_id in (17, 102):  # open for long, and no reason to ask each time
        platform.actions[period_id][0] |= {"status": "open", "closedTime": None}
    with platform.connected() as client:
        first = archive.sync(client)
        assert len(platform.requests) == 41
        platform.requests.clear()
        platform.periods[8]["updated_at"] = stamp(platform.now)
        second = archive.sync(client)
        assert len(platform.requests) == 1 + 1
        assert asked(platform) == [47]
    assert (first.fetched, first.refreshed, first.unchanged, first.rows) == (40, 0, 0, 40)
    assert (second.fetched, second.refreshed, second.unchanged, second.rows) == (0, 1, 39, 1)


@pytest.mark.parametrize(
    ("later", "settled"),
    [
        (timedelta(0), False),
        (timedelta(days=2), False),
        (timedelta(days=2, seconds=1), True),
        (timedelta(days=9), True),
    ],
)
def test_a_period_is_settled_some_days_after_its_end_by_the_servers_clock(tmp_path, platform, later, settled):
    archive = pk.Archive(tmp_path / "a", settle_after="2D")
    platform.now = datetime.fromisoformat(platform.periods[0]["end_date"]) + later
    platform.periods = platform.periods[:1]
    archive.sync(platform.client())
    asked(platform)
    archive.sync(platform.client())
    assert asked(platform) == ([] if settled else [7])


@pytest.mark.parametrize("field", ["updated_at", "name", "end_date", "markers"])
def test_a_changed_record_is_fetched_again(archive, platform, field):
    archive.sync(platform.client())
    asked(platform)
    platform.periods[1][field] = [] if field == "markers" else platform.periods[0][field]
    archive.sync(platform.client())
    assert asked(platform) == [12]
    assert_frame_equal(archive.periods().drop(columns="fetched_at"), platform.frames()[0].drop(columns="fetched_at"))


def test_a_period_without_an_end_never_settles(archive, platform):
    platform.periods[0]["end_date"] = None
    archive.sync(platform.client())
    asked(platform)
    archive.sync(platform.client())
    assert asked(platform) == [7]


def test_nothing_to_do_changes_nothing(archive, platform):
    archive.sync(platform.client())
    before = archive.snapshot()
    platform.now += timedelta(hours=23)
    assert archive.sync(platform.client()).unchanged == 3
    assert archive.snapshot() == before


def test_what_changed_late_takes_the_place_of_what_was(archive, platform):
    platform.actions[12][0] |= {"status": "open", "closedTime": None}
    archive.sync(platform.client())
    platform.actions[12][0] |= {"status": "closed", "closedTime": stamp(platform.now)}
    del platform.actions[12][2]
    platform.now += timedelta(days=1)
    result = archive.sync(platform.client())
    assert (result.refreshed, result.rows) == (3, 11)
    assert_frame_equal(archive.actions(12), platform.client().actions(platform.frames()[0].iloc[[1]]))
    assert archive.verify().empty


def test_refresh_of_what_was_hardly_begun_is_a_first_sync(archive, platform, monkeypatch):
    plain = delta.create
    monkeypatch.setattr(delta, "create", lambda *given, **named: (plain(*given, **named), 1 / 0))
    with pytest.raises(ZeroDivisionError):
        archive.sync(platform.client())
    monkeypatch.undo()
    result = archive.sync(platform.client(), refresh=True)
    assert (result.fetched, result.set_aside) == (3, None)
    assert not (archive.path / "damaged").exists()


def test_refresh_asks_for_all_or_for_some(archive, platform):
    archive.sync(platform.client())
    asked(platform)
    archive.sync(platform.client(), refresh=True)
    assert asked(platform) == [7, 12, 17]
    archive.sync(platform.client(), refresh=12)
    assert asked(platform) == [12]
    result = archive.sync(platform.client(), refresh=[17, 99])
    assert asked(platform) == [17]
    assert "did not list" in str(result.failed[99])


def test_form_fields_are_kept_and_fetched_for_all(archive, platform):
    for actions in platform.actions.values():
        actions[0] |= {"department": "Bar", "floor": 2}
    archive.sync(platform.client(), form_fields=["department"])
    asked(platform)
    archive.sync(platform.client())
    assert asked(platform) == []
    archive.sync(platform.client(), form_fields=["floor"])
    assert asked(platform) == [7, 12, 17]
    assert_frame_equal(archive.actions(), platform.frames(["department", "floor"])[1])
    archive.sync(platform.client(), form_fields=["floor"])
    archive.sync(platform.client(), refresh=True)
    assert_frame_equal(archive.actions(), platform.frames(["department", "floor"])[1])


def test_a_period_that_fails_is_named_and_comes_next_time(archive, platform):
    platform.failing[12] = 400
    with platform.connected() as client:
        result = archive.sync(client)
        assert isinstance(result.failed[12], pk.InvalidRequestError)
        assert "1 failed" in repr(result)
        assert "period 12: /periods/12/actions: It failed" in repr(result)
        assert archive.periods()["period_id"].tolist() == [7, 17]
        platform.failing.clear()
        assert archive.sync(client).fetched == 1
    assert_frame_equal(archive.actions(), platform.frames()[1])


def test_a_period_that_fails_keeps_what_was_archived(archive, platform):
    archive.sync(platform.client())
    platform.failing[12] = 500
    result = archive.sync(platform.client(), refresh=True)
    assert (result.refreshed, list(result.failed)) == (2, [12])
    platform.failing.clear()
    assert_frame_equal(archive.actions(), platform.frames()[1])


def test_a_refused_token_keeps_what_had_come(archive, platform):
    platform.failing |= {17: 401}
    with platform.connected(workers=1) as client:
        result = archive.sync(client)
    assert isinstance(result.failed[17], pk.AuthError)
    assert archive.periods()["period_id"].tolist() == [7, 12]


def test_a_deleted_period_is_kept_and_reported(archive, platform):
    archive.sync(platform.client())
    gone = platform.periods.pop(1)
    result = archive.sync(platform.client())
    assert result.gone == (12,)
    assert "no longer on the server, kept here: 12" in repr(result)
    assert archive.periods()["period_id"].tolist() == [7, 12, 17]
    assert len(archive.actions(12)) == 4
    with platform.connected() as client:
        assert archive.sync(client, end=platform.periods[0]["start_date"]).gone == ()
        assert archive.sync(client, start=platform.periods[0]["start_date"], end=gone["end_date"]).gone == (12,)


class Stop(BaseException):
    pass


class BreaksOff:
    """Arrivals that break off after so many periods."""

    def __init__(self, arrivals, count, error):
        self.arrivals, self.count, self.error = arrivals, count, error

    def __iter__(self):
        yield from itertools.islice(self.arrivals, self.count)
        raise self.error

    def arrived(self):
        return self.arrivals.arrived()


def interrupted_after(client, count, error):
    plain = client.iter_actions
    client.iter_actions = lambda *given, **named: BreaksOff(plain(*given, **named), count, error)
    return client


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Stop(), ValueError("a bug")])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_what_interrupts_a_sync_comes_through_and_loses_nothing(archive, platform, count, error):
    with pytest.raises(type(error)):
        archive.sync(interrupted_after(platform.client(), count, error))
    assert archive.periods()["period_id"].tolist() == platform.ids()[:count]
    assert archive.verify().empty
    asked(platform)
    archive.sync(platform.client())
    assert asked(platform) == platform.ids()[count:]
    assert_frame_equal(archive.actions(), platform.frames()[1])


def test_an_interrupted_sync_keeps_what_had_arrived_and_waited(archive, platform):
    """While a sync writes one period, others arrive."""
    client = platform.client()
    kept = {}

    def coming():
        for each in platform.client().iter_actions(platform.ids())._answers:
            kept[each[0]] = each[1]
        yield next(iter(kept.items()))
        raise KeyboardInterrupt

    client.iter_actions = lambda *given, **named: Arrivals(coming(), kept, parse_actions)
    with pytest.raises(KeyboardInterrupt) as stop:
        archive.sync(client)
    assert f"{len(platform.ids())} periods had arrived" in stop.value.__notes__[0]
    assert_frame_equal(archive.actions(), platform.frames()[1])


def test_an_interrupt_within_a_commit_keeps_what_had_arrived_too(archive, monkeypatch):
    platform = Platform(periods=6)
    client, kept = platform.client(), {}

    def coming():
        kept.update(platform.client().iter_actions(platform.ids())._answers)
        yield from list(kept.items())

    plain, calls = folder.Folder.move_head, []

    def interrupted_once(folder, head):
        calls.append(head)
        if len(calls) == 1:
            raise KeyboardInterrupt
        plain(folder, head)

    monkeypatch.setattr(writer, "BATCH_ROWS", 5)
    monkeypatch.setattr(folder.Folder, "move_head", interrupted_once)
    client.iter_actions = lambda *given, **named: Arrivals(coming(), kept, parse_actions)
    with pytest.raises(KeyboardInterrupt):
        archive.sync(client)
    assert len(calls) > 1
    assert_frame_equal(archive.actions(), platform.frames()[1])
    assert archive.verify().empty


def test_a_sync_puts_up_with_files_of_others_and_hands_over_only_what_is_new(archive, platform, monkeypatch):
    archive.sync(platform.client())
    (archive.path / "actions" / ".#lock").symlink_to(archive.path / "nowhere")
    flushed = []
    plain = folder._flush
    monkeypatch.setattr(folder, "_flush", lambda path: (flushed.append(path), plain(path)))
    before = {path for path in archive.path.rglob("*") if path.is_file()}
    archive.sync(platform.client(), refresh=platform.ids()[0])
    new = {path for path in archive.path.rglob("*") if path.is_file()} - before
    assert {path for path in new if path.parent.name != "snapshots"} <= set(flushed)
    assert not {path for path in before if path.suffix == ".parquet"} & set(flushed)


@pytest.mark.parametrize(("name", "value"), [("BATCH_ROWS", 5), ("BATCH_SECONDS", 0.0)])
def test_commits_come_in_batches_of_whole_periods(archive, monkeypatch, name, value):
    monkeypatch.setattr(writer, name, value)
    platform = Platform(periods=6)
    versions = []
    plain = delta.overwrite
    monkeypatch.setattr(delta, "overwrite", lambda *given, **named: (plain(*given, **named), versions.append(1)))
    archive.sync(platform.client())
    assert len(versions) == (3 if name == "BATCH_ROWS" else 6)
    assert_frame_equal(archive.actions(), platform.frames()[1])
    archive.sync(platform.client(), refresh=True)
    assert_frame_equal(archive.actions(), platform.frames()[1])
    assert archive.verify().empty


def test_scattered_files_are_brought_together(archive, monkeypatch):
    monkeypatch.setattr(writer, "BATCH_ROWS", 3)
    monkeypatch.setattr(writer, "FILES_PER_BUCKET", 0.5)
    platform = Platform(periods=30, actions=1)
    archive.sync(platform.client())
    buckets = {path.parent for path in archive.files()}
    assert len(archive.files()) == len(buckets) < 30
    assert_frame_equal(archive.actions(), platform.frames()[1])


def hold(path, held, done):
    from periodkit.archive.storage.folder import Folder  # noqa: PLC0415

    with Folder(path).locked(1):
        held.set()
        done.wait(300)


def test_two_syncs_at_once_one_waits_or_fails_clearly(archive, platform):
    archive.sync(platform.client())
    before = archive.snapshot()
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=hold, args=(archive.path, held, done))
    other.start()
    try:
        assert held.wait(300)
        with pytest.raises(pk.ArchiveError, match=r"Another process is writing .* after 0\.1 s .* Nothing was changed"):
            archive.sync(platform.client(), refresh=True, wait=0.1)
        assert len(archive.actions()) == 12
        threading.Timer(0.2, done.set).start()
        assert archive.sync(platform.client(), refresh=True, wait=300).refreshed == 3
    finally:
        done.set()
        other.join()
    assert archive.snapshot().hash == before.hash


def test_readers_are_never_blocked_and_see_whole_periods(archive, monkeypatch):
    monkeypatch.setattr(writer, "BATCH_ROWS", 12)
    platform = Platform(periods=5, actions=4)
    archive.sync(platform.client())
    problems, rounds, done = [], threading.Semaphore(0), threading.Event()

    def read():
        number = 0
        while not done.is_set():
            number += 1
            try:
                view = archive if number % 2 else archive.at(archive_state())
                actions = view.actions()
                sizes = actions.groupby("period_id").size()
                marks = actions.groupby("period_id")["status"].nunique()
                if not (sizes == 4).all() or not (marks == 1).all():
                    problems.append((sizes, marks))
                rounds.release()
            except Exception as error:  # noqa: BLE001
                problems.append(error)

    def archive_state():
        from periodkit.archive.snapshots import Snapshot  # noqa: PLC0415
        from periodkit.archive.storage.state import load  # noqa: PLC0415

        state = load(archive._folder)
        return Snapshot(None, "", state.hashes, state.periods_version, state.actions_version, platform.now)

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    for i in range(4):
        for actions in platform.actions.values():
            for action in actions:
                action["status"] = f"round {i}"
        archive.sync(platform.client(), refresh=True)
        if i % 2:
            archive.prune("1h")
    enough = all(rounds.acquire(timeout=120) for _ in range(4))
    done.set()
    for reader in readers:
        reader.join()
    assert problems == []
    assert enough


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_only_the_owner_can_read(archive, platform):
    archive.sync(platform.client(), refresh=True)
    archive.snapshot("one")
    archive.prune(0)
    modes = {path.relative_to(archive.path): path.stat().st_mode & 0o777 for path in archive.path.rglob("*")}
    assert modes
    assert {mode for path, mode in modes.items() if (archive.path / path).is_file()} == {0o600}
    assert {mode for path, mode in modes.items() if (archive.path / path).is_dir()} == {0o700}
    assert archive.path.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such permissions")
def test_nobody_else_can_read_while_it_is_written_whatever_the_folder_was(archive, platform, monkeypatch):
    archive.sync(platform.client())
    archive.path.chmod(0o755)
    seen = []
    plain = delta.append
    monkeypatch.setattr(
        delta, "append", lambda *given: (plain(*given), seen.append(archive.path.stat().st_mode & 0o777))
    )
    platform.periods += Platform(periods=4).periods[3:]
    platform.actions[22] = [make_action(22, 1, platform.now)]
    before = os.umask(0)
    try:
        archive.sync(platform.client())
    finally:
        os.umask(before)
    assert seen == [0o700]
    assert {path.stat().st_mode & 0o077 for path in archive.path.rglob("*")} == {0}


def test_the_token_is_nowhere_in_the_archive(archive, platform):
    with platform.connected() as client:
        archive.sync(client)
    archive.snapshot("one")
    everything = b"".join(path.read_bytes() for path in archive.path.rglob("*") if path.is_file())
    assert b"Event 12" in everything
    assert TOKEN.encode() not in everything


@pytest.fixture
def small_disk(tmp_path):
    if os.name != "posix" or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=600k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.decode().strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_a_clear_error_and_harms_nothing(small_disk, monkeypatch):
    monkeypatch.setattr(writer, "BATCH_ROWS", 30)
    platform = Platform(periods=30, actions=10)
    for i, actions in enumerate(platform.actions.values()):
        for j, action in enumerate(actions):
            action["noise"] = os.urandom(400).hex() + f"{i}-{j}"
    archive = pk.Archive(small_disk / "a")
    with pytest.raises(pk.ArchiveError, match=r"could not be written: .*[Nn]o space left.* stays as it is"):
        archive.sync(platform.client())
    kept = archive.periods()["period_id"].tolist()
    assert 0 < len(kept) < 30
    assert archive.verify().empty
    assert_frame_equal(archive.actions(), platform.client().actions(archive.periods()))
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    archive.sync(platform.client())
    assert_frame_equal(archive.actions(), platform.frames()[1])


def test_names_are_replaced_before_they_reach_the_disk(tmp_path, platform):
    platform.actions[7][0]["createdByUserName"] = "Zed Zebra"
    archive = pk.Archive(tmp_path / "a", pseudonymize="a key that nobody knows")
    with platform.connected() as client:
        archive.sync(client)
    everything = b"".join(path.read_bytes() for path in archive.path.rglob("*") if path.is_file())
    for secret in (b"Zed", "Müller".encode(), b"Dee", b"nobody knows"):
        assert secret not in everything
    wanted = pk.pseudonymize(platform.frames()[1], "a key that nobody knows")
    assert_frame_equal(archive.actions(), wanted)
    assert archive.verify().empty
    # Reading needs no key; writing needs the same one.
    assert_frame_equal(pk.Archive(archive.path).actions(), wanted)
    before = pk.Archive(archive.path).snapshot()
    for key, said in ((None, "holds pseudonyms. Pass pseudonymize="), ("another key", "under another key")):
        with pytest.raises(pk.ArchiveError, match=said):
            pk.Archive(archive.path, pseudonymize=key).sync(platform.client(), refresh=True)
    assert archive.snapshot() == before
    again = pk.Archive(archive.path, pseudonymize=b"a key that nobody knows").sync(platform.client(), refresh=True)
    assert again.refreshed == 3
    assert_frame_equal(archive.actions(), wanted)


def test_no_error_shows_the_key(tmp_path, platform):
    archive = pk.Archive(tmp_path / "a", pseudonymize="a key that nobody knows")
    archive.sync(platform.client())
    marker = archive.path / "archive.json"
    marker.write_text("{")
    for use in (archive.periods, lambda: pk.Archive(archive.path, pseudonymize="a key that " + "nobody knows")):
        with pytest.raises(pk.ArchiveError) as caught:
            use()
        trace = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
        frames = [line for line in trace.format() if __file__ not in line]
        assert len(frames) > 2
        assert "nobody knows" not in "".join(frames) + repr(archive) + repr(vars(archive))


def test_a_period_that_cannot_be_read_is_named_and_the_others_are_kept(archive, platform):
    platform.actions[12][1]["closedTime"] = "yesterday"
    result = archive.sync(platform.client())
    assert isinstance(result.failed[12], pk.SchemaError)
    assert "closedTime" in repr(result)
    assert archive.periods()["period_id"].tolist() == [7, 17]
    platform.actions[12][1]["closedTime"] = None
    assert archive.sync(platform.client()).fetched == 1
    assert_frame_equal(archive.actions(), platform.frames()[1])


def test_an_archive_of_names_refuses_a_key(archive, platform):
    archive.sync(platform.client())
    with pytest.raises(pk.ArchiveError, match="holds names, not pseudonyms"):
        pk.Archive(archive.path, pseudonymize="key").sync(platform.client())


def test_a_folder_of_other_things_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(
        pk.ArchiveError, match=r"is not empty and not an archive of periodkit \(archive\.json is missing\)"
    ):
        pk.Archive(tmp_path)
    with pytest.raises(pk.ArchiveError, match="is a file"):
        pk.Archive(tmp_path / "thesis.txt")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_path_that_would_be_misread_is_refused(tmp_path):
    with pytest.raises(pk.ArchiveError, match="which Delta Lake misreads"):
        pk.Archive(tmp_path / "a%20b")


def test_an_empty_folder_becomes_an_archive(tmp_path, platform):
    (tmp_path / "a").mkdir(mode=0o755)
    pk.Archive(tmp_path / "a").sync(platform.client())
    assert (tmp_path / "a").stat().st_mode & 0o777 == 0o700


def test_a_newer_format_is_refused_politely(archive, platform):
    archive.sync(platform.client())
    marker = archive.path / "archive.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"format": 2}))
    for use in (archive.periods, lambda: archive.sync(platform.client()), lambda: pk.Archive(archive.path)):
        with pytest.raises(
            pk.ArchiveError, match=r"has format 2; .* up to 1\. Nothing was changed\. Upgrade periodkit"
        ):
            use()


@pytest.mark.parametrize("value", ["soon", -1, "-1D", None, 7, "7", 7.0, True])
def test_a_length_of_time_that_is_none_is_refused(tmp_path, value):
    """A bare number would be nanoseconds."""
    with pytest.raises(pk.ArgumentError, match=r"settle_after is .* it takes a length of time"):
        pk.Archive(tmp_path / "a", settle_after=value)
    with pytest.raises(pk.ArgumentError, match=r"keep is .* it takes a length of time"):
        pk.Archive(tmp_path / "a").prune(keep=value)


@pytest.mark.parametrize("value", [0, "0D", timedelta(days=7), "12h"])
def test_lengths_of_time_as_people_write_them(tmp_path, value):
    archive = pk.Archive(tmp_path / "a", settle_after=value)
    archive.sync(Platform(periods=0).client())
    assert archive.prune(keep=value).files == 0


def test_what_asks_for_nothing_makes_no_folder(tmp_path, platform):
    archive = pk.Archive(tmp_path / "a")
    for refused in (
        archive.prune,
        archive.periods,
        lambda: archive.forget("x"),
        lambda: archive.at("x"),
        lambda: archive.sync(platform.client(), wait=-1),
        lambda: archive.sync(platform.client(), form_fields="department"),
        lambda: archive.sync(platform.client(), refresh="all"),
    ):
        with pytest.raises(pk.PeriodkitError):
            refused()
    assert not archive.path.exists()


def test_a_new_action_of_an_old_period_comes_when_its_record_moves(archive, platform):
    archive.sync(platform.client())
    platform.actions[7].append(make_action(7, 9, platform.now))
    platform.periods[0]["updated_at"] = stamp(platform.now)
    assert archive.sync(platform.client()).refreshed == 1
    assert len(archive.actions(7)) == 5
