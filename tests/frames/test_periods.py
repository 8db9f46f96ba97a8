"""Which period is the event that people mean."""

import warnings
from datetime import datetime

import duckdb
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import periodkit as pk
from periodkit.frames import find_periods
from periodkit.frames.export import export
from periodkit.schema import MARKERS

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


DOORS = {"name": "Doors", "timestamp": "2024-07-01T17:00:00.000Z"}
CELLS = [
    [DOORS, {"name": "Kick-off", "timestamp": "2024-07-01t19:00:00,5+00:00"}],
    [],
    [{"name": None, "timestamp": "2024-07-02T24:00:00Z"}, {"name": "Curfew", "timestamp": None}],
    [{"name": "Extra", "timestamp": None, "colour": "red"}],
]


@pytest.fixture
def held():
    """Periods with several markers, none, and one that says more than others."""
    times = pd.to_datetime(["2024-07-01T16:00Z"] * len(CELLS), utc=True).as_unit("us")
    ids = pd.array(range(7, 7 + len(CELLS)), dtype="Int64")
    frame = pd.DataFrame({"period_id": ids, "period_name": "Cup final", "start_date": times, "fetched_at": times})
    return frame.assign(end_date=times + pd.Timedelta("5h"), markers=pd.Series(CELLS, dtype="object"))


def through_duckdb(frame, zone="UTC"):
    with duckdb.connect() as connection:
        connection.execute(f"SET TimeZone = '{zone}'")
        table = pa.Table.from_pandas(frame, preserve_index=False)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # DuckDB's own use of pandas
            return connection.from_arrow(table).df()


def through(frame, path, write, read):
    getattr(frame, write)(path)
    return read(path)


READ_BACK = {
    "parquet": lambda frame, path: through(frame, path, "to_parquet", pd.read_parquet),
    "parquet, Arrow types": lambda frame, path: through(
        frame, path, "to_parquet", lambda path: pd.read_parquet(path, dtype_backend="pyarrow")
    ),
    "feather": lambda frame, path: through(frame, path, "to_feather", pd.read_feather),
    "pickle": lambda frame, path: through(frame, path, "to_pickle", pd.read_pickle),
    "duckdb": lambda frame, path: through_duckdb(frame),
    "duckdb elsewhere": lambda frame, path: through_duckdb(frame, "America/New_York"),
    "polars": lambda frame, path: pl.from_pandas(frame).to_pandas(),
    "arrow": lambda frame, path: pa.Table.from_pandas(frame).to_pandas(),
    "csv": lambda frame, path: (export(frame, path.with_suffix(".csv")), pd.read_csv(path.with_suffix(".csv")))[1],
    "exported parquet": lambda frame, path: (
        export(frame, path.with_suffix(".parquet")), pd.read_parquet(path.with_suffix(".parquet"))
    )[1],
    "tuples": lambda frame, path: frame.assign(markers=frame["markers"].map(tuple)),
}  # fmt: skip


@pytest.mark.parametrize("way", READ_BACK)
def test_markers_of_a_frame_that_was_written_and_read_are_the_same(held, tmp_path, way):
    read = READ_BACK[way](held, tmp_path / "periods.file")
    expected = pk.markers(held)
    assert expected["marker"].fillna("-").tolist() == ["Doors", "Kick-off", "-", "Curfew", "Extra"]
    assert expected["timestamp"].iloc[2] == pd.Timestamp("2024-07-03T00:00Z")
    pd.testing.assert_frame_equal(pk.markers(read), expected)


@pytest.mark.parametrize("way", [name for name in READ_BACK if name != "csv"])
def test_plots_take_periods_that_were_written_and_read(season_frames, tmp_path, way):
    periods, actions = (frame.tail(1) for frame in season_frames)
    periods = periods[periods["period_id"].isin(actions["period_id"])]
    actions = season_frames[1][season_frames[1]["period_id"].isin(periods["period_id"])]
    read = READ_BACK[way](periods.reset_index(drop=True), tmp_path / "periods.file")
    for draw in (pk.plots.event_ribbon, pk.plots.cumulative_flow, pk.plots.cycle_scatter):
        texts = []
        for frame in (periods, read):
            ax = draw(actions, frame)
            texts.append([*sorted(text.get_text() for text in ax.texts), ax.get_title(), ax.get_xlabel()])
            plt.close(ax.figure)
        assert texts[0] == texts[1]
        assert set(pk.markers(periods)["marker"]) & {*texts[0]}


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("Doors", "period 7: markers holds 'Doors', which is not an object"),
        ([["Doors"]], r"markers holds \['Doors'\], which"),
        (5, "markers holds 5, which"),
        ([{"name": "Doors", "timestamp": "soon"}], "period 7: the marker timestamp 'soon' is not an ISO 8601 time"),
        ([{"name": "Doors", "timestamp": "9999-12-31T23:59:59-05:00"}], "years 1 to 9999 in UTC"),
        ([{"name": "Doors", "timestamp": 1_719_860_400}], "timestamp 1719860400 is not"),
        ([{"name": "Doors", "timestamp": datetime(2024, 7, 1)}], "timestamp datetime.* is not"),
    ],
)
def test_what_is_no_marker_is_named(cell, said):
    with pytest.raises(pk.SchemaError, match=said):
        pk.markers(pd.DataFrame({"period_id": [7], "markers": pd.Series([cell], dtype="object")}))


@pytest.mark.parametrize(
    "cell", [None, float("nan"), pd.NA, [], (), np.array([]), {}, [{}], [{"name": None}], "[]", "null"]
)
def test_nothing_is_no_marker(cell):
    found = pk.markers(pd.DataFrame({"period_id": [7], "markers": pd.Series([cell], dtype="object")}))
    assert found.empty
    assert [str(dtype) for dtype in found.dtypes] == [field.kind.dtype for field in MARKERS.fields]


def test_one_object_and_times_of_other_types_are_taken():
    moment = pd.Timestamp("2024-07-01T19:00+02:00")
    cells = [DOORS, [{"name": "a", "timestamp": moment}], [{"name": "b", "timestamp": moment.to_pydatetime()}]]
    found = pk.markers(pd.DataFrame({"period_id": [1.0, 2.0, 3.0], "markers": pd.Series(cells, dtype="object")}))
    assert found["timestamp"].tolist() == [pd.Timestamp("2024-07-01T17:00Z")] * 3
    assert found["period_id"].tolist() == [1, 2, 3]


def test_what_is_no_frame_of_periods_is_named():
    for look in (pk.markers, pk.latest_period):
        with pytest.raises(pk.ArgumentError, match=r"periods is a list\. Pass a pandas frame"):
            look([7])
    with pytest.raises(pk.SchemaError, match=r"no column 'markers'; did you mean 'marker'\?"):
        pk.markers(pd.DataFrame({"period_id": [7], "marker": [None]}))


@pytest.mark.parametrize("wanted", ["9" * 5000, "-" + "9" * 5000, "x" * 5000])
def test_a_period_that_cannot_be_one_is_named_in_short(wanted):
    periods = pd.DataFrame({"period_id": [7], "period_name": ["Cup final"]})
    with pytest.raises(pk.ArgumentError, match="There is no period '") as refused:
        find_periods(periods, [wanted])
    assert len(str(refused.value)) < 300
