"""What comes out of an archive is what the client returned."""

import warnings

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from laws import law
from pandas.testing import assert_frame_equal
from platforms import Platform, make_action

import periodkit as pk
from periodkit.frames.fingerprint import fingerprint
from periodkit.schema import ACTIONS, PERIODS


def assert_same(archive, platform, form_fields=()):
    periods, actions = platform.frames(form_fields)
    assert_frame_equal(archive.periods(), periods)
    assert archive.periods().attrs == periods.attrs
    assert_frame_equal(archive.actions(), actions)
    assert archive.actions().attrs == actions.attrs


def test_a_season_comes_back_as_it_came(client, season_frames, tmp_path):
    periods, actions = season_frames
    archive = pk.Archive(tmp_path / "a b ö % #1")
    result = archive.sync(client, form_fields=["department", "priority", "location"])
    assert (result.fetched, result.rows, result.failed) == (len(periods), len(actions), {})
    assert_frame_equal(archive.periods(), periods)
    assert_frame_equal(archive.actions(), actions)
    assert archive.actions().attrs == actions.attrs
    some = periods.iloc[[9, 2, 5]]
    wanted = client.actions(some, form_fields=["department", "priority", "location"])
    assert_frame_equal(archive.actions(some), wanted)
    assert_frame_equal(archive.actions(some["period_id"].tolist()), wanted)


def test_recorded_data_comes_back_as_it_came(recorded_path, recorded_frames, tmp_path):
    archive = pk.Archive(tmp_path / "a")
    with pk.demo_client(recorded_path, progress=False) as client:
        archive.sync(client)
    periods, actions = recorded_frames
    assert_frame_equal(archive.periods(), periods)
    assert_frame_equal(archive.actions(), actions)


def test_where_nothing_was_archived_frames_are_empty(tmp_path):
    archive = pk.Archive(tmp_path / "none")
    assert archive.sync(Platform(periods=0).client()).fetched == 0
    assert list(archive.periods().columns) == PERIODS.columns
    assert_frame_equal(archive.actions(), ACTIONS.empty(), check_index_type=False)
    assert list(archive.periods().columns) == PERIODS.columns
    assert archive.files() == []
    assert archive.verify().empty


def test_a_period_without_actions_keeps_its_notes(tmp_path):
    platform = Platform(periods=2)
    platform.actions[7] = []
    platform.periods[0]["markers"] = None
    archive = pk.Archive(tmp_path / "a")
    archive.sync(platform.client())
    assert_same(archive, platform)
    assert archive.actions(7).empty
    platform.actions[12] = []
    archive.sync(platform.client(), refresh=True)
    assert_same(archive, platform)
    assert archive.files() == []


ODD = {
    "whole": [1, -(2**62), None],
    "number": [1, 2.5, None],
    "huge": [2**70, 1, None],
    "text": ["=1+1", 'a "quoted" \\ line\n', "Größe \x00 中"],
    "flag": [True, False, None],
    "mixed": [1, "one", [1, {"a": None}]],
    "nested": [{"a": 1}, {"a": 1, "b": None}, None],
    "nothing": [None, None, None],
    "half": ["\ud800", "x", None],
    "large": [1e300, -0.5, None],
    "stamp": ["2024-07-01T19:00:00.000Z", None, None],
}


@pytest.mark.parametrize("name", ODD)
def test_fields_that_nobody_promised_keep_their_values(tmp_path, name):
    platform = Platform(periods=2, actions=3)
    for action, value in zip(platform.actions[7], ODD[name], strict=True):
        action |= {"someNewField": value, "formFields": {name: value}}
    for period, value in zip(platform.periods, ODD[name][:2], strict=True):
        period["venueField"] = value
    archive = pk.Archive(tmp_path / "a")
    archive.sync(platform.client(), form_fields=[name, "absent"])
    assert_same(archive, platform, [name, "absent"])
    assert archive.verify().empty


KINDS = {"text": "x", "whole": 1, "number": 1.5, "flag": True, "list": ["a"], "huge": 2**70, "far": 2**60, "null": None}


def test_a_field_may_change_its_kind_from_period_to_period(tmp_path):
    platform = Platform(periods=3, actions=2)
    pairs = [(first, second) for first in KINDS for second in KINDS]
    for i, period_id in enumerate((7, 12)):
        platform.actions[period_id][0] |= {f"{pair[0]}_{pair[1]}": KINDS[pair[i]] for pair in pairs}
    fields = [f"{pair[0]}_{pair[1]}" for pair in pairs[::2]]
    archive = pk.Archive(tmp_path / "a")
    archive.sync(platform.client(), form_fields=fields)
    assert_same(archive, platform, fields)
    assert archive.verify().empty
    for i in (0, 1):
        one = platform.copy()
        one.periods = [platform.periods[i]]
        assert_frame_equal(archive.actions(one.ids()), one.frames(fields)[1])
    scanned = archive.scan()
    assert scanned.columns == archive.actions().columns.tolist()
    rows = scanned.order("action_id").project('"form.whole_text", whole_whole, text_flag').to_arrow_table()
    assert rows.to_pylist()[::2] == [
        {"form.whole_text": "1", "whole_whole": 1, "text_flag": '"x"'},
        {"form.whole_text": '"x"', "whole_whole": 1, "text_flag": "true"},
        dict.fromkeys(["form.whole_text", "whole_whole", "text_flag"]),
    ]


@pytest.mark.parametrize(
    "names",
    [("Department", "department"), ("department", "DEPARTMENT", "Zone"), ("Maße", "MASSE", "maße")],
    ids=" ".join,
)
def test_fields_that_differ_in_case_only_give_the_groups_that_pandas_gives(tmp_path, names):
    platform = Platform(periods=2, actions=6)
    for i, action in enumerate([*platform.actions[7], *platform.actions[12]]):
        action |= {name: f"{name} {i % (2 + at)}" for at, name in enumerate(names)}
    archive = pk.Archive(tmp_path / "a")
    archive.sync(platform.client(), form_fields=names)
    actions, scanned = archive.actions(), archive.scan()
    fields = [f"form.{name}" for name in names]
    assert [name for name in scanned.columns if name.startswith("form.")] == fields
    for by in (*fields, fields, [*fields[::-1], "channel"], "channel", None):
        assert_frame_equal(pk.ai_dispatch_rate(scanned, by=by), pk.ai_dispatch_rate(actions, by=by), check_dtype=False)
        assert_frame_equal(pk.cycle_times(scanned, by=by), pk.cycle_times(actions, by=by), check_dtype=False)
    with pytest.raises(pk.SchemaError, match=f"no column '{fields[0].swapcase()}'; did you mean"):
        pk.cycle_times(scanned, by=fields[0].swapcase())


def test_a_field_that_appears_later_leaves_earlier_periods_as_they_were(tmp_path):
    platform = Platform(periods=1)
    archive = pk.Archive(tmp_path / "a")
    archive.sync(platform.client())
    before = archive.hashes()
    platform.periods += Platform(periods=2).periods[1:]
    platform.actions[12] = [make_action(12, 1, platform.now, urgency="high", Urgency=3, **{"a (b), c=d;%": 1})]
    archive.sync(platform.client())
    assert_same(archive, platform)
    assert archive.hashes()[7] == before[7]
    assert archive.actions(7).columns.tolist() == ACTIONS.columns
    assert archive.actions(columns=["a (b), c=d;%", "action_id"]).iloc[-1].tolist() == [1, 12001]


def test_other_tools_read_the_files_with_columns_that_came_later(tmp_path):
    platform = Platform(periods=3)
    archive = pk.Archive(tmp_path / "a")
    archive.sync(platform.client())
    platform.periods += Platform(periods=6).periods[3:]
    for period_id in platform.ids()[3:]:
        platform.actions[period_id] = [
            make_action(period_id, number, platform.now, urgency=number) for number in (1, 2)
        ]
    archive.sync(platform.client())
    platform.actions[7][0]["status"] = "replaced"
    archive.sync(platform.client(), refresh=7)
    paths = [str(path) for path in archive.files()]
    schema = pa.unify_schemas([pq.read_schema(path) for path in paths])
    wanted = archive.actions()[["period_id", "action_id", "status", "urgency"]]
    found = [
        ds.dataset(paths, schema=schema).to_table().to_pandas(),
        duckdb.read_parquet(paths, union_by_name=True, hive_partitioning=False).to_arrow_table().to_pandas(),
        pl.concat([pl.scan_parquet(path) for path in paths], how="diagonal").collect().to_pandas(),
    ]
    assert set(schema.names) == {"_row", "urgency", *ACTIONS.columns}
    for frame in found:
        assert set(frame.columns) == set(schema.names)
        rows = frame.sort_values(["period_id", "_row"], ignore_index=True)[wanted.columns]
        assert_frame_equal(rows.astype(wanted.dtypes.to_dict()), wanted.sort_values(["period_id"], kind="stable"))


def test_columns_are_read_alone_and_unknown_ones_are_named(tmp_path):
    platform = Platform()
    archive = pk.Archive(tmp_path / "a")
    archive.sync(platform.client())
    assert_frame_equal(
        archive.actions(12, columns=["closed_time", "assigned_user_names"]),
        archive.actions(12)[["closed_time", "assigned_user_names"]],
    )
    with pytest.raises(pk.SchemaError, match="no column 'nope'"):
        archive.actions(columns=["nope"])
    with pytest.raises(pk.ArchiveError, match=r"Period 99 and 1 more is not in the archive .* archive\.sync"):
        archive.actions([7, 99, 98])


def test_bad_values_that_were_made_null_stay_told_of(tmp_path):
    platform = Platform(periods=2)
    platform.actions[7][1]["closedTime"] = "yesterday"
    platform.periods[1]["name"] = 5
    archive = pk.Archive(tmp_path / "a")
    with platform.connected(on_bad="null") as client, warnings.catch_warnings():
        warnings.simplefilter("ignore", pk.BadValueWarning)
        archive.sync(client)
        periods = client.periods()
        actions = client.actions(periods)
    assert_frame_equal(archive.periods(), periods)
    assert_frame_equal(archive.actions(), actions)
    assert archive.periods().attrs == periods.attrs
    assert archive.actions().attrs == actions.attrs
    assert archive.actions(12).attrs["bad_values"] == []


values = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(allow_nan=False, allow_infinity=False), st.text(),
    st.lists(st.one_of(st.text(), st.integers())),
)  # fmt: skip
records = st.dictionaries(st.sampled_from(["alpha", "betaGamma", "Ünder (x)", "_row"]), values, max_size=4)


@law(6)
@given(periods=st.lists(st.lists(records, max_size=4), min_size=1, max_size=4))
def test_whatever_the_platform_sends_comes_back(tmp_path_factory, periods):
    platform = Platform(periods=len(periods))
    for period_id, extra in zip(platform.ids(), periods, strict=True):
        platform.actions[period_id] = [
            make_action(period_id, i, platform.now) | {"formFields": each} | each for i, each in enumerate(extra)
        ]
    archive = pk.Archive(tmp_path_factory.mktemp("archive"))
    archive.sync(platform.client())
    assert_same(archive, platform)
    assert archive.fingerprint() == fingerprint(*platform.frames())
    assert archive.verify().empty


def test_the_order_of_periods_is_the_servers(tmp_path):
    platform = Platform(periods=6)
    archive = pk.Archive(tmp_path / "a")
    whole = platform.periods
    platform.periods = whole[3:5]
    archive.sync(platform.client())
    platform.periods = whole[::-1]
    archive.sync(platform.client())
    assert_same(archive, platform)
    platform.periods = whole[:2]
    archive.sync(platform.client(), start=whole[0]["start_date"], end=whole[1]["end_date"])
    assert archive.periods()["period_id"].tolist() == [32, 27, 22, 17, 7, 12]


def test_times_keep_their_microseconds(tmp_path):
    platform = Platform(periods=1, actions=1)
    platform.actions[7][0] |= {
        "createdTime": "1969-12-31T23:59:59.999999Z",
        "closedTime": "9999-12-31T23:59:59.999999Z",
    }
    platform.periods[0]["updated_at"] = None
    archive = pk.Archive(tmp_path / "a")
    archive.sync(platform.client())
    assert_same(archive, platform)
    assert archive.actions()["created_time"].iloc[0] == pd.Timestamp("1969-12-31T23:59:59.999999Z")


def test_a_row_or_a_name_is_a_period(tmp_path):
    archive = pk.Archive(tmp_path / "store")
    archive.sync(Platform(periods=3).client())
    periods = archive.periods()
    row = periods.iloc[1]
    whole = archive.actions(int(row["period_id"]))
    pd.testing.assert_frame_equal(archive.actions(row), whole)
    pd.testing.assert_frame_equal(archive.actions(row["period_name"]), whole)
    with pytest.raises(pk.ArgumentError, match="There is no period 'nowhere'"):
        archive.actions("nowhere")
