"""Pages that take seconds to draw, made once for what is tested in them and for what a browser makes of them."""

import pytest
from drawn import page_of

from periodkit.sandbox.dataset import DataSet


@pytest.fixture(scope="session")
def season_page(season):
    return page_of(season.dataset, season=True, tz="Europe/London")


@pytest.fixture(scope="session")
def recorded_page(recorded_path):
    data = DataSet.load(recorded_path)
    return page_of(data, period_ids=data.period_ids)
