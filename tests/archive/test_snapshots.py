"""Named states: read, verified and compared later."""

import copy
import pickle
import shutil
from datetime import timedelta

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from platforms import Platform, make_action, stamp

import periodkit as pk
from periodkit.frames.fingerprint import fingerprint


@pytest.fixture
def platform():
    platform = Platform()
    platform.actions[12][0] |= {"status": "open", "closedTime": None}
    return platform


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    return tmp_path_factory.mktemp("original") / "a"


@pytest.fixture
def archive(tmp_path, platform, original):
    if not original.exists():
        pk.Archive(original).sync(platform.client())
    return pk.Archive(shutil.copytree(original, tmp_path / "a"))


def go_on(archive, platform):
    """Let a day pass: one closes late, one is re-routed, one reopens, one comes, one goes."""
    platform.now += timedelta(days=1)
    platform.actions[12][0] |= {"status": "closed", "closedTime": stamp(platform.now)}
    platform.actions[12][1] |= {"latestChannel": "South"}
    platform.actions[12][2] |= {"status": "open", "closedTime": None}
    gone = platform.actions[12].pop(3)
    platform.actions[12].append(make_action(12, 9, platform.now, urgency=3))
    archive.sync(platform.client())
    return gone


def test_a_snapshot_is_the_hash_of_what_is_there(archive, platform):
    taken = archive.snapshot("morning")
    wanted = fingerprint(*platform.frames())
    assert (taken.name, taken.hash, dict(taken.periods)) == ("morning", wanted.total, dict(wanted.periods))
    assert archive.fingerprint() == wanted
    assert archive.snapshot("morning") == taken
    listed = archive.snapshots()
    assert listed[["name", "hash", "periods"]].to_numpy().tolist() == [["morning", wanted.total, 3]]
    assert listed["taken_at"].dtype == "datetime64[us, UTC]"
    with pytest.raises(AttributeError):
        taken.hash = "other"


@pytest.mark.parametrize("pruned", [False, True])
def test_a_named_state_can_be_read_when_things_have_moved_on(archive, platform, pruned):
    periods, actions = platform.frames()
    taken = archive.snapshot("Cup final / 50 % ö")
    for _ in range(3):
        go_on(archive, platform)
        platform.actions[12].append(make_action(12, 4, platform.now))
    if pruned:
        archive.prune(0)
    for wanted in (taken, taken.name, taken.hash, taken.hash[:6].upper()):
        then = archive.at(wanted)
        assert_frame_equal(then.periods(), periods)
        assert_frame_equal(then.actions(), actions)
        assert then.fingerprint().total == taken.hash
        assert then.verify().empty
        assert len(then.scan().to_arrow_table()) == len(actions)
    assert archive.verify(taken).empty
    assert len(archive.actions()) != len(actions)
    assert "3 period(s), 12 action(s)" in repr(archive.at(taken))


def test_a_state_without_a_name_goes_when_it_is_pruned(archive, platform):
    taken = archive.snapshot()
    assert archive.snapshot() == taken
    go_on(archive, platform)
    archive.prune("1h")
    assert archive.at(taken.hash).verify().empty
    archive.prune(0)
    assert archive.snapshots().empty
    with pytest.raises(pk.ArchiveError, match="is not the name or hash of a snapshot"):
        archive.at(taken.hash)
    with pytest.raises(pk.ArchiveError, match=f"The state {taken.hash[:12]} had no name, and has been pruned"):
        archive.at(taken)


def test_a_name_stands_for_one_state_until_it_is_given_up(archive, platform):
    archive.snapshot("one")
    go_on(archive, platform)
    with pytest.raises(pk.ArchiveError, match=r"a snapshot 'one' of another state, .*archive\.forget"):
        archive.snapshot("one")
    archive.forget("one")
    archive.snapshot("one")
    assert len(archive.snapshots()) == 1
    with pytest.raises(pk.ArchiveError, match="no snapshot called 'two'"):
        archive.forget("two")


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 101, "🎉" * 30])
def test_names_that_nobody_can_type_are_refused(archive, name):
    with pytest.raises(pk.ArchiveError, match="cannot be called"):
        archive.snapshot(name)


@pytest.mark.parametrize("wanted", ["nope", "", "abc", "../archive"])
def test_what_is_not_a_snapshot_is_named(archive, wanted):
    archive.snapshot("one")
    with pytest.raises(pk.ArchiveError, match="is not the name or hash of a snapshot"):
        archive.at(wanted)


def test_a_snapshot_of_another_archive_is_refused(archive, platform, tmp_path):
    other = pk.Archive(tmp_path / "other")
    platform.periods.pop()
    other.sync(platform.client())
    with pytest.raises(pk.ArchiveError, match="is not the state of this snapshot"):
        archive.at(other.snapshot("x"))


def test_a_snapshot_can_be_handed_to_another_process(archive):
    taken = archive.snapshot("one")
    assert pickle.loads(pickle.dumps(taken)) == copy.deepcopy(taken) == taken


def test_an_empty_archive_can_be_named(tmp_path):
    archive = pk.Archive(tmp_path / "empty")
    archive.sync(Platform(periods=0).client())
    taken = archive.snapshot("nothing")
    assert taken.hash == fingerprint(None).total
    archive.sync(Platform().client())
    assert archive.at("nothing").periods().empty
    assert archive.changes("nothing")["change"].tolist() == ["added"] * 12


def test_changes_show_what_the_api_does_not(archive, platform):
    before = archive.snapshot("before")
    gone = go_on(archive, platform)
    found = archive.changes(before)
    told = {(row.action_id, row.field): (row.change, row.before, row.after) for row in found.itertuples()}
    closed = pd.Timestamp(stamp(platform.now))
    assert told[12001, "closed_time"] == ("closed", None, closed)
    assert told[12001, "status"] == ("changed", "open", "closed")
    assert told[12002, "latest_channel"] == ("rerouted", "North", "South")
    assert told[12003, "closed_time"][0] == "reopened"
    assert told[12003, "closed_time"][2] is None
    rest = {key: value for key, value in told.items() if key[0] in {12009, gone["actionId"]}}
    assert [value[0] for value in rest.values()] == ["removed", "added"]
    assert len(told) == len(found) == 7
    assert set(found["period_id"]) == {12}
    assert (found["fetched_after"] - found["fetched_before"]).dropna().eq(pd.Timedelta("1D")).all()
    assert found["field"].isna().sum() == 2


def test_changes_of_the_periods_themselves(archive, platform):
    platform.periods[2]["venue"] = None
    archive.sync(platform.client(), refresh=True)
    archive.snapshot("before")
    platform.now += timedelta(days=1)
    platform.periods[0] |= {"name": "Cup final", "end_date": None, "markers": [], "venue": "Old Ground"}
    gone = platform.periods.pop(1)
    platform.periods += Platform(periods=4).periods[3:]
    platform.actions[22] = []
    archive.sync(platform.client(), refresh=True)
    found = archive.changes("before", of="periods")
    assert found.columns.tolist() == [
        "period_id", "change", "field", "before", "after", "fetched_before", "fetched_after",
    ]  # fmt: skip
    assert gone["id"] not in set(found["period_id"]), "what the server no longer lists is kept"
    told = {(row.period_id, row.field): (row.change, row.after) for row in found[:4].itertuples()}
    assert told == {
        (7, "period_name"): ("changed", "Cup final"),
        (7, "end_date"): ("changed", None),
        (7, "markers"): ("changed", []),
        (7, "venue"): ("changed", "Old Ground"),
    }
    assert found[["period_id", "change"]].iloc[4:].to_numpy().tolist() == [[22, "added"]]
    assert archive.changes("before").empty
    with pytest.raises(pk.ArgumentError, match=r"of is 'markers'; it takes one of actions, periods"):
        archive.changes("before", of="markers")


def test_between_equal_states_nothing_has_changed(archive, platform):
    before = archive.snapshot("before")
    platform.now += timedelta(days=1)
    archive.sync(platform.client(), refresh=True)
    assert archive.snapshot("after").hash != before.hash
    found = archive.changes("before", "after")
    assert found.empty
    assert found.columns.tolist() == [
        "period_id", "action_id", "change", "field", "before", "after", "fetched_before", "fetched_after",
    ]  # fmt: skip
    assert found.dtypes.astype(str).tolist()[:4] == ["Int64", "Int64", "str", "str"]
    assert archive.changes("after", "before").empty


def test_changes_of_actions_without_an_id_are_told_by_their_order(archive, platform):
    for action in platform.actions[12]:
        action["actionId"] = None
    archive.sync(platform.client(), refresh=[12])
    archive.snapshot("before")
    platform.actions[12][2]["channel"] = "East"
    archive.sync(platform.client(), refresh=[12])
    found = archive.changes("before")
    assert found[["field", "before", "after"]].to_numpy().tolist() == [["channel", "North", "East"]]


def test_pruning_leaves_one_file_for_each_partition(archive, platform):
    for _ in range(4):
        platform.now += timedelta(days=1)
        archive.sync(platform.client(), refresh=True)
    before = sum(path.stat().st_size for path in archive.path.rglob("*"))
    done = archive.prune(0)
    assert done.files > 8
    assert done.bytes > 0
    assert before > sum(path.stat().st_size for path in archive.path.rglob("*"))
    on_disk = sorted(archive.path.glob("actions/*/*.parquet"))
    assert on_disk == sorted(archive.files())
    assert archive.prune(0).files == 0
    assert_frame_equal(archive.actions(), platform.frames()[1])
