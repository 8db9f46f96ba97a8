"""Whose data an archive holds, and what may go into it."""

import json
from datetime import UTC, datetime, timedelta

import duckdb
import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from platforms import Platform

import periodkit as pk


def client_of(platform, origin):
    client = platform.client()
    client.origin = origin
    return client


HERE, THERE, SEASON = "https://api.example/v1", "https://other.example", "sandbox: synthetic season"


@pytest.mark.parametrize(("first", "second"), [(HERE, SEASON), (HERE, THERE), (SEASON, HERE)])
def test_data_of_another_origin_are_refused_and_change_nothing(tmp_path, first, second):
    archive = pk.Archive(tmp_path / "a")
    archive.sync(client_of(Platform(periods=2), first))
    before = archive.recorded_hash()
    with pytest.raises(pk.ArchiveError, match="holds the data of") as refused:
        archive.sync(client_of(Platform(periods=3, actions=7), second))
    assert first in str(refused.value)
    assert second in str(refused.value)
    assert "--origin-changed" in str(refused.value)
    assert archive.recorded_hash() == before
    assert archive.status()["origin"] == first


def test_an_origin_that_has_moved_is_accepted_when_told(tmp_path):
    archive = pk.Archive(tmp_path / "a")
    assert archive.sync(client_of(Platform(), HERE)).notes == ()
    result = archive.sync(client_of(Platform(), THERE), origin_changed=True)
    assert f"The archive's origin was {HERE}; it is now {THERE}." in result.notes
    with pytest.raises(pk.ArchiveError):
        archive.sync(client_of(Platform(), HERE))


def test_an_archive_without_an_origin_adopts_the_next_one_and_says_so(tmp_path):
    archive = pk.Archive(tmp_path / "a")
    archive.sync(client_of(Platform(), HERE))
    marker = tmp_path / "a" / "archive.json"
    marker.write_text(json.dumps({k: v for k, v in json.loads(marker.read_text()).items() if k != "origin"}))
    assert archive.status()["origin"].startswith("not recorded")
    result = archive.sync(client_of(Platform(), THERE))
    assert f"it takes the data of {THERE} only" in repr(result)
    with pytest.raises(pk.ArchiveError):
        archive.sync(client_of(Platform(), HERE))


@pytest.mark.parametrize("status", [401, 403, 500])
def test_a_first_sync_that_is_refused_leaves_nothing(tmp_path, status):
    platform = Platform()
    client = platform.client()
    platform.answer = lambda path, headers=None: (status, {}, {"message": "No"})
    with pytest.raises(pk.PeriodkitError):
        pk.Archive(tmp_path / "a").sync(client)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "use",
    [
        lambda archive: archive.actions(),
        lambda archive: archive.periods(),
        lambda archive: archive.scan(),
        lambda archive: archive.verify(),
        lambda archive: archive.snapshot("x"),
        lambda archive: archive.snapshots(),
        lambda archive: archive.at("abcdef"),
        lambda archive: archive.forget("x"),
        lambda archive: archive.prune(),
        lambda archive: archive.status(),
        lambda archive: archive.held(),
    ],
)
def test_where_there_is_no_archive_every_method_says_so(tmp_path, use):
    with pytest.raises(pk.ArchiveError, match=r"There is no archive at .*nope. Make it with: periodkit sync --archive"):
        use(pk.Archive(tmp_path / "nope"))
    assert list(tmp_path.iterdir()) == []


def test_a_venue_tells_the_frames_of_several_archives_apart(tmp_path):
    for name in ("north", "south"):
        pk.Archive(tmp_path / name).sync(client_of(Platform(), f"https://{name}.example"))
    north, south = (pk.Archive(tmp_path / name, venue=f"{name}'s") for name in ("north", "south"))
    both = pd.concat([north.actions(), south.actions()], ignore_index=True)
    assert both.columns[0] == "venue"
    assert both["venue"].dtype == "str"
    assert pk.cycle_times(both, by="venue")["n"].tolist() == [12, 12]
    assert north.periods()["venue"].tolist() == ["north's"] * 3
    assert north.scan().project("venue").distinct().fetchall() == [("north's",)]
    connection = duckdb.connect()
    first, second = north.scan(connection), south.scan(connection)
    united = connection.sql("FROM first UNION ALL BY NAME FROM second")
    assert_frame_equal(pk.cycle_times(united, by="venue"), pk.cycle_times(both, by="venue"))
    assert (first.columns, second.columns) == (united.columns, united.columns)
    with pytest.raises(pk.ConfigError, match="connection is 'memory'"):
        north.scan("memory")
    assert north.actions(columns=["venue", "channel"]).columns.tolist() == ["venue", "channel"]
    assert north.actions(columns=["channel"]).columns.tolist() == ["channel"]
    taken = north.snapshot("now")
    assert north.at("now").actions()["venue"].tolist() == ["north's"] * 12
    assert north.verify().empty
    assert north.fingerprint().total == taken.hash
    assert north.changes("now").empty
    plain = pk.Archive(tmp_path / "north")
    assert_frame_equal(north.actions().drop(columns="venue"), plain.actions())


@pytest.mark.parametrize("venue", ["", "  ", 5, True, b"north", ["north"], "\ud800"])
def test_a_venue_without_a_name_is_refused(tmp_path, venue):
    with pytest.raises(pk.ArgumentError, match="venue"):
        pk.Archive(tmp_path / "a", venue=venue)


def test_a_venue_field_of_the_api_is_not_overwritten(tmp_path):
    platform = Platform()
    platform.actions[7][0]["venue"] = "theirs"
    pk.Archive(tmp_path / "a").sync(platform.client())
    assert "theirs" in pk.Archive(tmp_path / "a").actions()["venue"].tolist()
    archive = pk.Archive(tmp_path / "a", venue="ours")
    for read in (archive.actions, archive.scan):
        with pytest.raises(pk.ArchiveError, match="of its own"):
            read()


@pytest.mark.parametrize(
    ("origin", "shown"), [(5, "5"), (["x"], "['x']"), ("\x1b[2J", r"\x1b[2J"), ("x" * 10**6, "xxx")]
)
def test_an_origin_that_others_wrote_is_shown_in_short_and_not_obeyed(tmp_path, origin, shown):
    archive = pk.Archive(tmp_path / "a")
    archive.sync(client_of(Platform(), HERE))
    marker = tmp_path / "a" / "archive.json"
    marker.write_text(json.dumps(json.loads(marker.read_text()) | {"origin": origin}))
    assert archive.origin.startswith(shown)
    with pytest.raises(pk.ArchiveError, match="holds the data of") as refused:
        archive.sync(client_of(Platform(), HERE))
    assert shown in str(refused.value)
    assert str(refused.value).isprintable()
    assert len(str(refused.value)) < 1000


class TestFormFields:
    def synced(self, tmp_path, fields):
        platform = Platform()
        platform.actions[7][0]["department"] = "Bar"
        archive = pk.Archive(tmp_path / "a")
        return archive, platform, archive.sync(platform.client(), form_fields=fields)

    def test_one_that_no_action_has_is_named(self, tmp_path):
        _, _, result = self.synced(tmp_path, ["department", "departmnet"])
        assert len(result.notes) == 1
        assert "no archived action" in result.notes[0].casefold()
        assert "--forget-field 'departmnet'" in repr(result)

    def test_it_can_be_forgotten(self, tmp_path):
        archive, platform, _ = self.synced(tmp_path, ["department", "departmnet"])
        before = archive.recorded_hash()
        assert "form.departmnet" in archive.actions().columns
        result = archive.sync(platform.client(), forget_fields=["departmnet"])
        assert (result.fetched, result.refreshed, result.notes) == (0, 0, ())
        assert "form.departmnet" not in archive.actions().columns
        assert "Bar" in archive.actions()["form.department"].tolist()
        assert archive.recorded_hash() == before
        assert archive.verify().empty
        platform.requests.clear()
        archive.sync(platform.client(), refresh=True)
        assert not archive.sync(platform.client()).notes
        with pytest.raises(pk.ArgumentError, match=r"does not fetch a form field 'departmnet'. It fetches: department"):
            archive.sync(platform.client(), forget_fields=["departmnet"])

    def test_values_of_a_forgotten_field_stay(self, tmp_path):
        archive, platform, _ = self.synced(tmp_path, ["department"])
        archive.sync(platform.client(), forget_fields=["department"])
        assert "Bar" in archive.actions()["form.department"].tolist()


DUE = (1, 3, 7, 15, 31, 63, 127, 217, 307, 397)


class TestWhenAPeriodIsDue:
    """A period that ended long ago: asked again after 1, 2, 4, ... days, at most 90."""

    @pytest.fixture
    def kept(self, tmp_path):
        platform = Platform(periods=1)
        # Forgotten open actions keep nothing from becoming old.
        platform.actions[7][0] |= {"closedTime": None, "status": "open"}
        archive = pk.Archive(tmp_path / "a")
        archive.sync(platform.client())
        return archive, platform

    def asked_on(self, archive, platform, days):
        """Sync at each of these numbers of days after now; return those on which the period was fetched."""
        start, fetched = platform.now, []
        for day in days:
            platform.now = start + timedelta(days=day)
            if archive.sync(platform.client()).refreshed:
                fetched.append(day)
        return fetched

    @pytest.mark.parametrize(
        "days",
        [
            pytest.param(sorted({*range(0, 420, 42), *(day + i for day in DUE for i in (-1, 0, 1))}), id="some days"),
            pytest.param(range(420), id="each day", marks=pytest.mark.soak),
        ],
    )
    def test_the_interval_doubles_up_to_90_days(self, kept, days):
        assert self.asked_on(*kept, days) == list(DUE)

    def test_a_change_starts_again_at_a_day(self, kept):
        archive, platform = kept
        assert self.asked_on(archive, platform, [1, 3]) == [1, 3]
        platform.actions[7][1]["channel"] = "South"
        assert self.asked_on(archive, platform, range(1, 10)) == [4, 5, 7]  # days after the third
        assert "South" in archive.actions()["channel"].tolist()

    def test_a_reopening_in_an_old_period_is_seen(self, kept):
        archive, platform = kept
        self.asked_on(archive, platform, [1, 3, 7])
        archive.snapshot("before")
        platform.actions[7][2] |= {"closedTime": None, "status": "open"}
        self.asked_on(archive, platform, range(9))
        assert archive.changes("before")["change"].tolist().count("reopened") == 1

    def test_until_settle_after_each_sync_asks(self, tmp_path):
        platform = Platform(periods=1)
        platform.now -= timedelta(days=18)
        archive = pk.Archive(tmp_path / "a")
        archive.sync(platform.client())
        assert self.asked_on(archive, platform, [0, 0.1, 3, 5, 5.1]) == [0, 0.1, 3, 5, 5.1]
        assert self.asked_on(archive, platform, [2, 2.5, 3.5]) == [2, 3.5]

    def test_refresh_asks_for_all(self, kept):
        archive, platform = kept
        assert archive.sync(platform.client(), refresh=True).refreshed == 1

    def test_a_changed_record_is_fetched_at_once(self, kept):
        archive, platform = kept
        platform.periods[0]["name"] = "Moved"
        assert archive.sync(platform.client()).refreshed == 1

    @pytest.mark.parametrize("days", [800, 30, -30])
    def test_a_clock_that_is_far_off_settles_nothing(self, tmp_path, days):
        now = datetime.now(UTC).replace(microsecond=0)
        platform = Platform(periods=2, now=now + timedelta(days=days), first=now - timedelta(days=100))
        archive = pk.Archive(tmp_path / "a")
        archive.sync(client_of(platform, HERE))
        result = archive.sync(client_of(platform, HERE))
        assert (result.refreshed, result.unchanged) == (2, 0)
        assert "clock" in repr(result)
        platform.now = now  # the clock is right again: nothing counts that the wrong one has said
        assert archive.sync(client_of(platform, HERE)).refreshed == (2 if abs(days) else 0)
        assert archive.sync(client_of(platform, HERE)).unchanged == 2


def test_the_season_is_not_fetched_twice(tmp_path, sandbox, season):
    archive = pk.Archive(tmp_path / "a")
    with pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        first = archive.sync(client)
        second = archive.sync(client)
    assert first.fetched == len(season.dataset.periods)
    recent = [
        period
        for period in season.dataset.periods
        if pd.Timestamp(period["end_date"]) > season.dataset.as_of - timedelta(days=7)
    ]
    assert second.refreshed == len(recent)
    assert second.unchanged == first.fetched - len(recent)
