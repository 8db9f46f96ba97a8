"""Damage is found, named and survivable."""

import json
import os
import shutil

import pytest
from pandas.testing import assert_frame_equal
from platforms import Platform

import periodkit as pk
from periodkit.archive import verify
from periodkit.archive.storage import delta
from periodkit.archive.storage.layout import bucket

FIRST = 7
PERIODS = 5
ENOUGH = 12
"""Among so many periods, two share a file."""


@pytest.fixture
def platform():
    return Platform(PERIODS)


@pytest.fixture
def archive(tmp_path, synced):
    return synced(tmp_path / "a", PERIODS)


def file_of(archive, period_id):
    (path,) = [path for path in archive.files() if f"_bucket={bucket(period_id)}/" in path.as_posix()]
    return path


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def garble(path):
    # The length stays, so that only reading tells.
    path.write_bytes(os.urandom(path.stat().st_size))


def garble_inside(path):
    content = bytearray(path.read_bytes())
    content[4:200] = b"\xff" * 196
    path.write_bytes(content)


DAMAGES = {"truncated": truncate, "missing": os.unlink, "garbled": garble, "garbled inside": garble_inside}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_file_is_named_with_its_periods_and_the_way_out(archive, platform, how):
    path = file_of(archive, FIRST)
    mates = [i for i in platform.ids() if bucket(i) == bucket(FIRST)]
    whole = archive.actions()
    DAMAGES[how](path)
    with pytest.raises(pk.ArchiveError) as caught:
        archive.actions()
    for said in (
        str(path),
        f"Period {', '.join(map(str, mates))} ",
        f"periodkit sync --archive {archive.path} --period {FIRST}",
        f"refresh={mates}",
    ):
        assert said in str(caught.value)
    if how != "garbled inside":
        with pytest.raises(pk.ArchiveError, match=rf"Period {FIRST}.* is damaged|are damaged") as scanned:
            archive.scan()
        assert str(path) in str(scanned.value)
    others = [i for i in platform.ids() if i not in mates]
    assert_frame_equal(archive.actions(others), whole[whole["period_id"].isin(others)].reset_index(drop=True))
    found = archive.verify()
    assert found["period_id"].tolist() == mates
    assert found["problem"].str.contains(path.name, regex=False).all()
    assert archive.periods()["period_id"].tolist() == platform.ids()
    # What anyone can see from outside, the next sync repairs by itself; else it is told which to fetch.
    refresh = False if how in {"truncated", "missing"} else mates
    assert archive.sync(platform.client(), refresh=refresh).refreshed == len(mates)
    assert_frame_equal(archive.actions(), whole)
    assert archive.verify().empty


@pytest.fixture
def mates(tmp_path, synced):
    """An archive of which two periods share a file, the platform, the two, and the file."""
    platform = Platform(ENOUGH, actions=2)
    two = next(each for i in platform.ids() if len(each := [j for j in platform.ids() if bucket(j) == bucket(i)]) == 2)
    archive = synced(tmp_path / "a", ENOUGH, 2)
    return archive, platform, two, file_of(archive, two[0])


def test_damage_that_shows_only_beside_what_is_replaced_is_repaired_too(mates):
    """Nothing but reading the file tells that it is damaged, and only one of its periods is asked for."""
    archive, platform, (one, _), path = mates
    garble(path)
    result = archive.sync(platform.client(), refresh=one)
    assert (result.refreshed, result.failed) == (2, {})
    assert_frame_equal(archive.actions(), platform.frames()[1])


def alter(archive, period_id):
    """Rewrite a period's file and its place in the log."""
    table = delta.open_table(archive.path / "actions")
    table.update(updates={"status": "'resolved'"}, predicate=f"period_id = {period_id}")
    rows = delta.open_table(archive.path / "periods")
    delta.overwrite(rows, rows.to_pyarrow_table(), vouches=("actions", table.version()))


@pytest.mark.parametrize("rows", [0, 5, 10**6])
def test_however_much_is_read_at_once_the_same_is_found(mates, monkeypatch, rows):
    archive, _, two, path = mates
    monkeypatch.setattr(verify, "ROWS_AT_ONCE", rows)
    assert archive.verify().empty
    other = next(i for i in archive.row_counts() if i not in two)
    alter(archive, other)
    garble(path)
    found = archive.verify()
    assert found["period_id"].tolist() == sorted([*two, other])
    assert found["found"].isna().tolist() == [i in two for i in found["period_id"]]


@pytest.mark.parametrize("how", ["missing", "garbled"])
def test_what_cannot_be_fetched_again_now_is_asked_for_until_it_comes(mates, how):
    archive, platform, (one, other), path = mates
    DAMAGES[how](path)
    platform.failing[other] = 503
    result = archive.sync(platform.client(), refresh=one)
    assert set(result.failed) == {one, other}
    assert f"in one partition with period {other}, which cannot be read" in str(result.failed[one])
    assert sorted(archive.verify()["period_id"]) == sorted([one, other])
    platform.failing.clear()
    result = archive.sync(platform.client(), refresh=() if how == "missing" else one)
    assert (result.failed, result.refreshed) == ({}, 2)
    assert_frame_equal(archive.actions(), platform.frames()[1])


@pytest.mark.parametrize("gone", [True, False])
def test_a_file_that_was_away_for_a_while_is_not_given_up(mates, gone, tmp_path):
    """Its period is no longer on the server, or not in the range that was asked for."""
    archive, platform, (one, other), path = mates
    whole = archive.actions()
    away = path.rename(tmp_path / "away")
    ours, record = ({each["id"]: each for each in platform.periods}[i] for i in (one, other))
    if gone:
        platform.periods.remove(record)
        result = archive.sync(platform.client(), refresh=one)
    else:
        platform.periods.remove(record)
        result = archive.sync(platform.client(), start=ours["start_date"], end=ours["end_date"], refresh=one)
    assert set(result.failed) == {one}
    away.rename(path)
    archive.prune("0D")
    assert_frame_equal(archive.actions(), whole)
    assert archive.verify().empty


@pytest.mark.parametrize("how", ["garbled", "truncated"])
def test_a_repair_gives_up_what_nobody_has_any_more(mates, how):
    archive, platform, (one, other), path = mates
    DAMAGES[how](path)
    damaged = path.read_bytes()
    platform.periods = [record for record in platform.periods if record["id"] != other]
    assert set(archive.sync(platform.client(), refresh=one).failed) == {one}
    result = archive.sync(platform.client(), refresh=True)
    assert list(result.failed) == [other]
    assert "the server does not list it any more" in str(result.failed[other])
    assert result.gone == ()
    assert_frame_equal(archive.actions(), platform.frames()[1])
    assert archive.verify().empty
    assert [each.read_bytes() for each in result.set_aside.rglob(path.name)] == [damaged]
    assert archive.sync(platform.client()).failed == {}


def test_a_foreign_file_in_the_place_of_one_is_found(archive, platform):
    other = next(i for i in platform.ids() if bucket(i) != bucket(FIRST))
    shutil.copyfile(file_of(archive, other), file_of(archive, FIRST))
    with pytest.raises(pk.ArchiveError, match=rf"Period {FIRST}.* is damaged .* --period {FIRST}"):
        archive.actions(FIRST)
    assert FIRST in archive.verify()["period_id"].tolist()
    archive.sync(platform.client(), refresh=FIRST)
    assert archive.verify().empty


def test_a_stray_file_does_no_harm_and_is_pruned(archive):
    whole = archive.actions()
    stray = file_of(archive, FIRST).with_name("stray.parquet")
    shutil.copyfile(file_of(archive, FIRST), stray)
    assert_frame_equal(archive.actions(), whole)
    archive.prune(0)
    assert not stray.exists()
    assert_frame_equal(archive.actions(), whole)


def test_an_altered_value_is_found_by_verify(archive, platform):
    """Somebody rewrites a file and its place in the log: only the hash tells."""
    alter(archive, FIRST)
    assert (archive.actions(FIRST)["status"] == "resolved").all()
    found = archive.verify()
    assert found["period_id"].tolist() == [FIRST]
    assert found["problem"].tolist() == ["holds other values than were written"]
    assert (found["expected"] != found["found"]).all()
    archive.sync(platform.client(), refresh=FIRST)
    assert archive.verify().empty


@pytest.mark.parametrize("how", ["truncated", "missing", "garbled"])
def test_a_damaged_table_of_periods_is_repaired_from_the_last_state_that_can_be_read(archive, platform, how):
    gone = platform.periods.pop(0)
    archive.sync(platform.client(), refresh=platform.ids()[0])
    (uri,) = delta.open_table(archive.path / "periods").file_uris()
    DAMAGES[how](archive.path / uri)
    with pytest.raises(pk.ArchiveError, match=r"table of periods is damaged: .* --refresh"):
        archive.periods()
    with pytest.raises(pk.ArchiveError, match="table of periods is damaged"):
        archive.sync(platform.client())
    archive.sync(platform.client(), refresh=True)
    assert archive.periods()["period_id"].tolist() == [gone["id"], *platform.ids()]
    assert archive.verify().empty
    assert_frame_equal(archive.actions(platform.ids()), platform.frames()[1])


def entries(archive, table):
    return sorted((archive.path / table / "_delta_log").glob("*.json"))


def empty(path):
    path.write_text("")


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-30])


def replace_by_foreign(path):
    path.write_text('{"hello": 1}\n')


LOGS = {
    "the end of periods is gone": ("periods", -1, os.unlink, "it ends at version 2, and version 3 was committed"),
    "the end of periods is empty": ("periods", -1, empty, "its last version, 3, is not the one that was committed"),
    "the end of periods is cut short": ("periods", -1, cut_short, r"its entry 0{19}3\.json cannot be read"),
    "the end of periods is foreign": ("periods", -1, replace_by_foreign, "its last version, 3, is not the one"),
    "the end of actions is gone": ("actions", -1, os.unlink, "version 2"),
    "the end of actions is cut short": ("actions", -1, cut_short, r"its entry 0{19}3\.json cannot be read"),
    "periods have a gap": ("periods", 1, os.unlink, r"its entry 0{19}1\.json is missing"),
    "actions have a gap": ("actions", 1, os.unlink, r"its entry 0{19}1\.json is missing"),
    "the beginning of periods is gone": ("periods", 0, os.unlink, r"its entry 0{19}0\.json is missing"),
    "the beginning of actions is gone": ("actions", 0, os.unlink, r"its entry 0{19}0\.json is missing"),
    "the log of periods is gone": ("periods", None, shutil.rmtree, "it is missing"),
    "the log of actions is gone": ("actions", None, shutil.rmtree, "No files"),
}


@pytest.mark.parametrize("how", LOGS)
def test_a_damaged_log_is_named_and_repaired_and_nothing_is_deleted(archive, platform, how):
    table, place, damage, said = LOGS[how]
    for status in ("checked", "done"):
        platform.actions[FIRST][0]["status"] = status
        archive.sync(platform.client(), refresh=FIRST)
    damage(archive.path / table / "_delta_log" if place is None else entries(archive, table)[place])
    data = {path.name for path in archive.path.rglob("*.parquet")}
    for use in (archive.actions, archive.verify, archive.status, lambda: archive.sync(platform.client())):
        with pytest.raises(pk.ArchiveError, match=rf"{table}/_delta_log is damaged: .*{said}.* --refresh"):
            use()
    result = archive.sync(platform.client(), refresh=True)
    assert result.fetched + result.refreshed == len(platform.ids())
    assert_frame_equal(archive.actions(), platform.frames()[1])
    assert archive.verify().empty
    assert archive.sync(platform.client()).unchanged == len(platform.ids())
    assert data <= {path.name for path in archive.path.rglob("*.parquet")}
    if result.set_aside is not None:
        assert str(result.set_aside) in repr(result)
        archive.prune(0)
        assert any(path.is_file() for path in result.set_aside.rglob("*"))


def test_a_repair_that_cannot_reach_the_server_changes_nothing(archive, platform):
    entries(archive, "actions")[-1].unlink()
    before = {path: path.read_bytes() for path in archive.path.rglob("*") if path.is_file()}
    with pk.Client("http://127.0.0.1:1", "token", retry=None) as client, pytest.raises(pk.TransportError):
        archive.sync(client, refresh=True)
    assert {path: path.read_bytes() for path in archive.path.rglob("*") if path.is_file()} == before


def test_what_a_damaged_log_lost_for_good_is_named(archive, platform):
    archive.snapshot("one")
    gone = platform.periods.pop()
    shutil.rmtree(archive.path / "actions" / "_delta_log")
    result = archive.sync(platform.client(), refresh=True)
    assert list(result.failed) == [gone["id"]]
    assert "the server does not list it any more" in str(result.failed[gone["id"]])
    assert archive.periods()["period_id"].tolist() == platform.ids()
    # Its version of the actions has a new meaning now.
    assert archive.snapshots().empty
    assert len(list(result.set_aside.rglob("snapshots/*.json"))) == 1


def test_a_snapshot_of_which_the_log_is_damaged_is_named(archive):
    archive.snapshot("one")
    entries(archive, "actions")[0].unlink()
    with pytest.raises(pk.ArchiveError, match=r"'one' cannot be read: .* --refresh, .* copy of the archive; .*forget"):
        archive.at("one")


@pytest.mark.parametrize("table", ["periods", "actions"])
def test_a_damaged_checkpoint_costs_nothing_but_a_repair(archive, platform, table):
    delta.open_table(archive.path / table).create_checkpoint()
    archive.snapshot("one")
    (checkpoint,) = (archive.path / table / "_delta_log").glob("*.checkpoint.parquet")
    truncate(checkpoint)
    with pytest.raises(pk.ArchiveError, match="is damaged"):
        archive.actions()
    nothing = Platform(periods=0)
    result = archive.sync(nothing.client(), refresh=True)
    assert checkpoint.name in {path.name for path in result.set_aside.rglob("*")}
    assert_frame_equal(archive.actions(), platform.frames()[1])
    assert_frame_equal(archive.at("one").actions(), platform.frames()[1])


def test_a_repair_keeps_the_checkpoint_that_the_rest_of_a_log_is_read_from(archive, platform):
    for _ in range(2):
        archive.sync(platform.client(), refresh=[FIRST])
    delta.open_table(archive.path / "periods").create_checkpoint()
    for _ in range(2):
        archive.sync(platform.client(), refresh=[FIRST])
    whole = archive.actions()
    log = entries(archive, "periods")
    log[1].unlink()
    log[-1].write_text('{"add":')
    with pytest.raises(pk.ArchiveError, match="is damaged"):
        archive.actions()
    nothing = Platform(periods=0)
    archive.sync(nothing.client(), refresh=True)
    assert_frame_equal(archive.actions(), whole)


def test_a_damaged_head_is_named_and_repaired(archive, platform):
    (archive.path / "head.json").write_text("{")
    with pytest.raises(pk.ArchiveError, match=r"head\.json cannot be read .* --refresh"):
        archive.actions()
    archive.sync(platform.client(), refresh=True)
    assert_frame_equal(archive.actions(), platform.frames()[1])


def test_a_damaged_marker_is_named(archive):
    (archive.path / "archive.json").write_text("{")
    with pytest.raises(pk.ArchiveError, match=r"archive\.json cannot be read"):
        archive.periods()


DEEP = "[" * 200_000


@pytest.mark.parametrize("text", ["{}", "null", "[]", DEEP])
def test_a_damaged_snapshot_is_named(archive, text):
    archive.snapshot("one")
    (path,) = (archive.path / "snapshots").iterdir()
    path.write_text(text)
    for use in (archive.snapshots, archive.status, lambda: archive.at("one"), lambda: archive.forget("one")):
        with pytest.raises(pk.ArchiveError, match=r"snapshot .* cannot be read"):
            use()


WRONG = [
    *(("periods_version", value) for value in (-1, "x", [], 1.5, 2**70, float("inf"))),
    ("actions_version", 2**70),
    *(("hash", value) for value in (5, None, [])),
    *(("name", value) for value in (5, [])),
    *(("periods", value) for value in (None, [], "x", {"x": "y"}, {"1": 5})),
    *(("taken_at", value) for value in (5, "x", "2024-07-01", "0001-01-01T00:00:00+10:00")),
]


@pytest.mark.parametrize(("key", "value"), WRONG)
def test_a_snapshot_with_a_value_of_another_kind_is_named(archive, key, value):
    archive.snapshot("one")
    (path,) = (archive.path / "snapshots").iterdir()
    path.write_text(json.dumps(json.loads(path.read_text()) | {key: value}))
    for use in (archive.snapshots, archive.status, lambda: archive.at("one"), lambda: archive.at("0" * 12)):
        with pytest.raises(pk.ArchiveError, match=r"snapshot .* cannot be read"):
            use()


@pytest.mark.parametrize("name", ["archive.json", "head.json"])
@pytest.mark.parametrize("value", [float("inf"), float("nan"), -1, "1", None, DEEP])
def test_a_small_file_with_a_value_of_another_kind_is_named(archive, name, value):
    path = archive.path / name
    key = "format" if name == "archive.json" else "periods_version"
    path.write_text(DEEP if value is DEEP else json.dumps(json.loads(path.read_text()) | {key: value}))
    with pytest.raises(pk.ArchiveError, match=rf"{name} cannot be read"):
        archive.actions()
