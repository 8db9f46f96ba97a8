"""What an archive's folder may be called, and what it does with logs, files and links that others have changed."""

import json
import os
import stat

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pandas.testing import assert_frame_equal
from platforms import Platform

import periodkit as pk
from periodkit.archive.storage import ACTION_SCHEMA, delta, state

MARKS = (" ", "ü", "#", "%", "'", '"', "{x}", "e\u0301", ":", "~", "<&>")

needs_posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no such names, links or modes")


@needs_posix
@pytest.mark.parametrize("mark", ["[", "]", "|", "^", "\\", "\n", "\t", "\x7f", "*", "?", "%41", "\udc80"])
def test_a_path_that_delta_lake_misreads_is_refused_before_anything_is_written(tmp_path, mark):
    with pytest.raises(pk.ArchiveError, match="Choose another folder") as refused:
        pk.Archive(tmp_path / f"a{mark}b")
    assert repr(mark) in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_with_the_name_of_a_log_is_refused(tmp_path):
    for path in (tmp_path / "_delta_log", tmp_path / "_delta_log" / "a"):
        with pytest.raises(pk.ArchiveError, match="Choose another folder"):
            pk.Archive(path)
    pk.Archive(tmp_path / "my_delta_log").sync(Platform().client())


@needs_posix
def test_the_home_of_a_user_who_is_not_there_is_refused():
    with pytest.raises(pk.ArchiveError, match="no user whose home '~nobody-of-that-name/a'"):
        pk.Archive("~nobody-of-that-name/a")


@needs_posix
@pytest.mark.parametrize(
    "path",
    [
        pytest.param("/".join(f"a{mark}b" for mark in MARKS), id="a folder with each"),
        *(pytest.param(f"a{mark}b", marks=pytest.mark.soak) for mark in MARKS),
    ],
)
def test_any_other_path_works(tmp_path, path):
    archive, platform = pk.Archive(tmp_path / path), Platform(periods=2)
    archive.sync(platform.client())
    archive.snapshot("one")
    archive.sync(platform.client(), refresh=True)
    archive.prune(0)
    assert archive.verify().empty
    assert len(archive.scan().to_arrow_table()) == 8
    assert_frame_equal(archive.at("one").actions(), platform.frames()[1])


@needs_posix
@pytest.mark.parametrize("mark", ["[", "|", "^"])
def test_a_panic_of_the_library_is_an_archive_error(tmp_path, capfd, mark):
    path = tmp_path / f"a{mark}b"
    delta.create(path, ACTION_SCHEMA)
    with pytest.raises(pk.ArchiveError, match="could not be written: Invalid object store url"):
        delta.append(delta.open_table(path), ACTION_SCHEMA.empty_table())
    capfd.readouterr()


@pytest.fixture
def kept(tmp_path, synced):
    return synced(tmp_path / "a"), Platform()


def rewrite_schema(table, change):
    """Change the schema in each entry of a table's log."""
    for path in sorted((table / "_delta_log").glob("*.json")):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        for line in lines:
            if "metaData" in line:
                schema = json.loads(line["metaData"]["schemaString"])
                for field in schema["fields"]:
                    change(field)
                line["metaData"]["schemaString"] = json.dumps(schema)
        path.write_text("\n".join(map(json.dumps, lines)) + "\n")


def rename(old, new):
    return lambda field: field.update(name=new) if field["name"] == old else None


def retype(name, kind):
    return lambda field: field.update(type=kind) if field["name"] == name else None


@pytest.mark.parametrize(
    ("table", "change", "said"),
    [
        ("actions", rename("channel", "chanel"), "no column channel"),
        ("actions", rename("_row", "_rows"), "no column _row"),
        ("actions", retype("closed_time", "string"), "column closed_time is string"),
        ("actions", retype("ai_dispatched", "string"), "column ai_dispatched is string"),
        ("periods", rename("_sha256", "_md5"), "no column _sha256"),
        ("periods", rename("markers", "marks"), "no column markers"),
    ],
)
def test_a_log_that_names_other_columns_is_an_error_and_can_be_repaired(kept, table, change, said):
    archive, platform = kept
    rewrite_schema(archive.path / table, change)
    for use in (archive.actions, archive.verify, archive.scan, archive.status):
        with pytest.raises(pk.ArchiveError, match=said) as error:
            use()
        assert "--refresh" in str(error.value)
    with pytest.raises(pk.ArchiveError, match=said):
        archive.sync(platform.client())
    result = archive.sync(platform.client(), refresh=True)
    assert not result.failed
    assert archive.verify().empty
    assert_frame_equal(archive.actions(), platform.frames()[1])


@needs_posix
@pytest.mark.parametrize("place", ["", "actions", "snapshots"])
def test_links_are_not_followed_when_rights_are_set(kept, tmp_path, place):
    archive, platform = kept
    archive.snapshot("one")
    outside, folder = tmp_path / "outside.txt", tmp_path / "others"
    outside.write_text("mine")
    outside.chmod(0o644)
    folder.mkdir(mode=0o755)
    (archive.path / place / "link").symlink_to(outside)
    (archive.path / place / "linked").symlink_to(folder)
    archive.sync(platform.client(), refresh=True)
    assert stat.S_IMODE(outside.stat().st_mode) == 0o644
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755


@needs_posix
@pytest.mark.parametrize("place", ["actions", "periods", "actions/_bucket=77"])
def test_prune_deletes_nothing_behind_a_link(kept, tmp_path, place):
    archive, _ = kept
    folder, link = tmp_path / "others", archive.path / place / "linked"
    folder.mkdir()
    (folder / "mine.parquet").write_text("mine")
    os.utime(folder / "mine.parquet", (1, 1))
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(folder)
    with pytest.raises(pk.ArchiveError, match=r"linked is a link to another folder.* Nothing was"):
        archive.prune(0)
    assert (folder / "mine.parquet").read_text() == "mine"
    link.unlink()
    archive.prune(0)
    assert len(archive.actions()) == 12


@needs_posix
@pytest.mark.parametrize("name", ["head.json.new", "archive.json.new"])
def test_a_link_in_the_place_of_a_new_file_is_not_written_through(kept, tmp_path, name):
    archive, platform = kept
    outside = tmp_path / "outside.txt"
    outside.write_text("mine")
    (archive.path / name).symlink_to(outside)
    client = platform.client()
    client.origin = "https://moved.example"
    archive.sync(client, refresh=True, origin_changed=True)
    assert outside.read_text() == "mine"
    assert archive.verify().empty


def test_a_page_with_a_wrong_checksum_is_not_read(tmp_path):
    table = pa.table({"period_id": pa.array(range(1000), pa.int64())})
    path = tmp_path / "pages.parquet"
    pq.write_table(table, path, write_page_checksum=True, compression="none", use_dictionary=False)
    assert state._scan([path], table.schema).equals(table)
    data = bytearray(path.read_bytes())
    data[2000] ^= 1
    path.write_bytes(data)
    with pytest.raises(OSError, match="checksum"):
        state._scan([path], table.schema)
