"""What a report is about: which periods by default, which before, and what is said when there are none."""

import pandas as pd
import pytest

from periodkit.errors import ArgumentError
from periodkit.jupyter.output import collected
from periodkit.reporting.material import collect
from periodkit.reporting.page import MIME
from periodkit.reporting.sections import show_head


class Frames:
    """A source over frames that are there."""

    def __init__(self, periods, actions):
        self._periods, self._actions = periods, actions

    def periods(self):
        return self._periods

    def actions(self, periods):
        return self._actions[self._actions["period_id"].isin(periods["period_id"])]


@pytest.fixture
def source(season_frames):
    return Frames(*season_frames)


def test_by_default_it_is_about_the_latest_that_has_ended(source):
    found = collect(source)
    assert found.periods["period_id"].tolist() == [4173], "4176 is still running"
    assert set(found.actions["period_id"]) == {4173}
    assert len(found.earlier_periods) == 24
    assert found.earlier_periods["start_date"].max() < found.periods["start_date"].min()
    assert set(found.earlier["period_id"]) == set(found.earlier_periods["period_id"])


def test_of_an_account_whose_periods_all_run_it_is_about_the_one_under_way(season_frames):
    periods, actions = season_frames
    running = periods.assign(end_date=periods["end_date"].where(periods["end_date"].isna()))
    assert collect(Frames(running, actions)).periods["period_id"].tolist() == [4176]
    to_come = running.assign(start_date=running["fetched_at"] + pd.Timedelta(days=1))
    assert collect(Frames(to_come, actions)).periods["period_id"].tolist() == [4101]


def test_the_order_of_the_server_does_not_matter(season_frames):
    periods, actions = season_frames
    turned = collect(Frames(periods.iloc[::-1], actions), season=True)
    assert turned.periods["start_date"].is_monotonic_increasing
    assert turned.fingerprint == collect(Frames(periods, actions), season=True).fingerprint
    assert turned.earlier.empty


def test_periods_are_chosen_by_id_and_by_date(source):
    assert collect(source, [4104, 4101]).periods["period_id"].tolist() == [4101, 4104]
    assert collect(source, 4101).earlier_periods.empty
    assert len(collect(source, 4110, compare=2).earlier_periods) == 2
    assert collect(source, 4110, compare=0).earlier.empty
    autumn = collect(source, season=True, start="2024-09-01", end="2024-10-01")
    assert autumn.periods["start_date"].dt.strftime("%Y-%m").unique().tolist() == ["2024-09"]


def test_the_hash_is_of_exactly_what_is_reported_on(source):
    one, again, other = collect(source, 4173), collect(source, 4173, compare=3), collect(source, 4170)
    assert one.fingerprint.total == again.fingerprint.total != other.fingerprint.total
    assert one.earlier_fingerprint.total != again.earlier_fingerprint.total


@pytest.mark.parametrize(
    ("origin", "kind"),
    [
        ("sandbox: synthetic season", "After-action report on invented data"),
        ("sandbox: a file", "After-action report on the sandbox's data"),
        ("https://api.example.com", "After-action report"),
        (None, "After-action report"),
    ],
)
def test_invented_data_are_called_so_in_the_first_line(source, origin, kind):
    source.origin = origin
    with collected() as shown:
        show_head(collect(source, 4101))
    (head,) = shown
    assert head["data"]["text/plain"].splitlines()[0] == kind
    assert head["data"][MIME]["title"].startswith(f"{kind}: ")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"period_ids": 99}, "There is no period 99. There are 26, the last of them 4176."),
        ({"period_ids": []}, "There is no period asked for"),
        ({"start": "2030-01-01"}, "There is no period to report on"),
        ({"start": "soon"}, "start is 'soon'"),
        ({"compare": -1}, "compare is -1"),
        ({"target": "soon"}, "target"),
        ({"tz": "Europe/Atlantis"}, "no time zone"),
    ],
)
def test_what_cannot_be_is_refused_by_name(source, options, message):
    with pytest.raises(ArgumentError, match=message):
        collect(source, **options)
