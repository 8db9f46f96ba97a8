"""What a report was made from: read out of any file that claims to be one, and held against an archive."""

import html
import json

import pytest

import periodkit as pk
from periodkit.errors import ArchiveError, ConfigError
from periodkit.frames.fingerprint import fingerprint
from periodkit.reporting.material import collect
from periodkit.reporting.page.stamp import check_report, read_stamp, stamp_of, stamp_tags


class Frames:
    """An archive over frames that are there, with snapshots by name."""

    def __init__(self, periods, actions, **snapshots):
        self._periods, self._actions, self._snapshots = periods, actions, snapshots

    def periods(self):
        return self._periods

    def actions(self, periods):
        return self._actions[self._actions["period_id"].isin(periods["period_id"])]

    def at(self, name):
        if name not in self._snapshots:
            raise ArchiveError(f"There is no snapshot {name!r}.")
        return self._snapshots[name]


def page(tags, body=""):
    head = "".join(f'<meta name="{name}" content="{html.escape(content)}">' for name, content in tags.items())
    return f"<!DOCTYPE html><html><head><title>x</title>{head}</head><body>{body}</body></html>"


@pytest.fixture
def tags(season_frames):
    found = collect(Frames(*season_frames), [4170, 4173], compare=3)
    return stamp_tags(stamp_of(found, "t"), "may")


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "report.html"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return written


def test_what_was_written_is_read(tags, write, season_frames):
    periods, actions = season_frames
    stamp = read_stamp(write(page(tags)))
    assert [*stamp.periods] == [4170, 4173]
    assert len(stamp.compared) == 3
    assert stamp.snapshot == "may"
    assert stamp.as_of == "2025-05-17T15:08:00+00:00"
    two = periods["period_id"].isin([4170, 4173])
    assert stamp.hash == fingerprint(periods[two], actions[actions["period_id"].isin([4170, 4173])]).total


@pytest.mark.parametrize(
    "change",
    [
        {"periodkit:hash": "x" * 64},
        {"periodkit:hash": ""},
        {"periodkit:periods": "[" * 100_000},
        {"periodkit:periods": "[1]"},
        {"periodkit:periods": '{"x": "y"}'},
        {"periodkit:periods": "{"},
        {"periodkit:compared": '{"1": 5}'},
        {"periodkit:snapshot": "a\nb"},
        {"periodkit:snapshot": "a" * 1000},
        {"periodkit:as-of": ""},
    ],
)
def test_a_page_that_says_anything_else_is_refused(tags, write, change):
    with pytest.raises(ConfigError, match="has no stamp"):
        read_stamp(write(page(tags | change)))


@pytest.mark.parametrize("text", [b"", b"\x00\xff\xfe" * 1000, b"<meta name=periodkit:hash", b"<html><body>"])
def test_a_file_that_is_no_report_is_refused(write, text):
    with pytest.raises(ConfigError, match="Pass a file that `periodkit report` wrote"):
        read_stamp(write(text))


def test_a_page_whose_hash_is_not_that_of_its_periods_contradicts_itself(tags, write):
    with pytest.raises(ConfigError, match="has been changed"):
        read_stamp(write(page(tags | {"periodkit:hash": "0" * 64})))


def test_only_the_head_is_read_and_the_first_of_a_name(tags, write):
    forged = "".join(f'<meta name="{name}" content="forged">' for name in tags)
    assert read_stamp(write(page(tags, forged))).snapshot == "may"
    with pytest.raises(ConfigError):
        read_stamp(write(page({}, page(tags))))


def test_no_file_and_too_large_a_file_are_told(tmp_path, write):
    with pytest.raises(ConfigError, match="Cannot read"):
        read_stamp(tmp_path / "nowhere.html")
    with (tmp_path / "large.html").open("wb") as file:
        file.truncate(60_000_000)
    with pytest.raises(ConfigError, match="too large"):
        read_stamp(tmp_path / "large.html")


def test_the_same_records_are_the_same(tags, write, season_frames):
    path = write(page({name: each for name, each in tags.items() if name != "periodkit:snapshot"}))
    found = check_report(path, Frames(*season_frames))
    assert found.same
    assert not found.at_snapshot


def test_what_differs_and_what_is_missing_is_named(tags, write, season_frames):
    periods, actions = season_frames
    late = actions.copy()
    row = late.index[(late["period_id"] == 4173) & late["channel"].notna()][0]
    late.loc[row, "channel"] = "Elsewhere"
    before = min(json.loads(tags["periodkit:compared"]))
    fewer = periods[~periods["period_id"].isin([4170, int(before)])]
    found = check_report(write(page(tags)), Frames(fewer, late))
    assert not found.same
    assert (found.differs, found.missing, found.compared_differs) == ((4173,), (4170,), (int(before),))


def test_the_snapshot_that_is_named_is_looked_at_while_it_is_there(tags, write, season_frames):
    periods, actions = season_frames
    path = write(page(tags))
    now = actions.assign(channel="Elsewhere").astype({"channel": "str"})
    kept = check_report(path, Frames(periods, now, may=Frames(periods, actions)))
    assert kept.same
    assert kept.at_snapshot
    gone = check_report(path, Frames(periods, now))
    assert not gone.same
    assert not gone.at_snapshot


def test_a_real_archive_says_the_same(season_frames, sandbox, tmp_path, write):
    pytest.importorskip("deltalake")
    archive = pk.Archive(tmp_path / "archive")
    with pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        archive.sync(client, start="2024-08-01", end="2024-09-15")
        found = collect(client, 4110)
    path = write(page(stamp_tags(stamp_of(found, "t"), None)))
    assert check_report(path, archive).same
