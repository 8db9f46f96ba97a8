"""Pages that take seconds to draw, made once for what is tested in them and for what a browser makes of them."""

from functools import cache

import pytest
from drawn import page_of

from periodkit.sandbox.dataset import DataSet


@pytest.fixture(scope="session")
def season_page(season):
    return page_of(season.dataset, season=True, tz="Europe/London")


@pytest.fixture(scope="session")
def live_page(season):
    """The page of the event that is still running."""
    return page_of(season.dataset, period_ids=4176, tz="Europe/London")


@pytest.fixture(scope="session")
def bare_page(season):
    """Return a function that gives the page of a period with next to nothing, made once."""
    first = season.dataset.periods[0]
    all_of_it = [{**record, "periodId": 1} for record in season.dataset.actions[first["id"]]]
    some = {
        "no action": [],
        "one empty action": [{"actionId": 1, "periodId": 1}],
        "one action": all_of_it[:1],
        "nothing closed": [{**record, "closedTime": None} for record in all_of_it],
    }

    @cache
    def make(what):
        start = {"start_date": first["start_date"]} if len(some[what]) > 1 else {}
        period = {"id": 1, "name": "Rained off", **start}
        return page_of(DataSet(season.dataset.as_of, "by hand", [period], {1: some[what]}))

    return make


@pytest.fixture(scope="session")
def recorded_page(recorded_path):
    data = DataSet.load(recorded_path)
    return page_of(data, period_ids=data.period_ids)
