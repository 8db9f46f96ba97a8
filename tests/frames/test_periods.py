"""Which period is the event that people mean."""

import pandas as pd
import pytest

import periodkit as pk

SEEN = "2025-05-17T16:00Z"


def periods_of(*starts):
    times = pd.to_datetime(pd.Series(starts, dtype="object"), utc=True, format="ISO8601").astype("datetime64[us, UTC]")
    return pd.DataFrame({"period_id": range(1, len(starts) + 1), "start_date": times, "fetched_at": pd.Timestamp(SEEN)})


@pytest.mark.parametrize(
    ("starts", "expected"),
    [
        (["2025-05-17T15:00Z", "2025-05-10T15:00Z", "2025-05-24T15:00Z"], [1]),
        (["2025-05-10T15:00Z", SEEN], [2]),
        ([None, "2025-05-10T15:00Z"], [2]),
        (["2025-06-24T15:00Z", "2025-05-24T15:00Z"], [2]),
        ([None, None], [2]),
        ([], []),
    ],
    ids=["running", "begins now", "one has no start", "none has begun", "no start is known", "no periods"],
)
def test_latest_period(starts, expected):
    periods = periods_of(*starts)
    found = pk.latest_period(periods)
    assert found["period_id"].tolist() == expected
    assert found.dtypes.equals(periods.dtypes)


def test_the_running_event_of_the_season(season_frames):
    periods = season_frames[0]
    assert pk.latest_period(periods.sample(frac=1, random_state=1))["period_name"].tolist() == [
        "Harbour Park v Old Quay"
    ]
