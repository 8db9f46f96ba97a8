"""Keys as dictionaries: those that rows have, whatever else a dictionary holds; and numbers that are one to a reader."""

import uuid

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ENGINES, actions

import periodkit as pk
from periodkit.metrics.tally import count_stage, encode

TABLES = {"pandas": lambda frame: frame, **ENGINES}
VALUES = st.lists(st.sampled_from([None, "", "Bar", "Gate", "North"]), min_size=1, max_size=6)


@st.composite
def dictionaries(draw, rows):
    # A value may be there twice, or for no row; a row may have none, or the null of the dictionary.
    values = draw(VALUES)
    indices = st.one_of(st.none(), st.integers(0, len(values) - 1))
    chosen = draw(st.lists(indices, min_size=rows, max_size=rows))
    return pa.DictionaryArray.from_arrays(pa.array(chosen, pa.int16()), pa.array(values, pa.string()))


@given(st.integers(0, 12).flatmap(lambda rows: st.tuples(dictionaries(rows), dictionaries(rows))))
def test_a_dictionary_is_read_as_its_values(columns):
    as_they_are = pa.table([*columns], names=["channel", "place"])
    plain = pa.table(
        [column.to_pylist() for column in columns], schema=pa.schema([(n, pa.string()) for n in ("channel", "place")])
    )
    for names in (["channel"], ["channel", "place"]):
        keys, code = encode(as_they_are, names)
        assert keys.take(pa.array(code)).to_pylist() == plain.select(names).to_pylist()
        assert sorted(set(code.tolist())) == [*range(len(keys))]
        assert len({tuple(row.values()) for row in keys.to_pylist()}) == len(keys)


@pytest.mark.parametrize("kind", [pa.float32(), pa.float64()], ids=str)
@pytest.mark.parametrize("engine", TABLES)
def test_zeros_are_one_group_and_what_is_no_number_is_null(engine, kind):
    keys = pd.Series(pa.array([0.0, -0.0, float("nan"), 1.5, 1.5, None], kind), dtype=pd.ArrowDtype(kind))
    found = pk.cycle_times(TABLES[engine](actions(*[{"closed": 5}] * 6).assign(crowd=keys)), by="crowd")
    assert found["n"].tolist() == [2, 2, 2]
    assert found["crowd"].tolist()[:2] == [0, 1.5]


def test_periods_and_ids_are_groups():
    rows = actions(*[{"closed": 5}] * 3)
    months = pd.PeriodIndex(["2024-07", "2024-06", "2024-07"], freq="M")
    found = pk.cycle_times(rows.assign(month=months), by="month")
    assert found["month"].astype(str).tolist() == ["2024-06", "2024-07"]
    assert found["n"].tolist() == [1, 2]
    ids = [uuid.UUID(int=n) for n in (2, 1, 2)]
    assert pk.cycle_times(rows.assign(place=ids), by="place")["n"].tolist() == [1, 2]


@pytest.mark.parametrize(
    "place",
    [
        pa.array([{"floor": 1}]),
        pa.array([10**7], pa.date32()),
        pa.array([1], pa.time64("ns")),
    ],
    ids=["parts", "year", "nanosecond"],
)
def test_a_key_that_cannot_be_one_is_named(place):
    table = ENGINES["pyarrow"](actions({"closed": 5})).append_column("place", place)
    with pytest.raises(pk.ArgumentError, match="'place'"):
        pk.cycle_times(table, by="place")


@pytest.mark.parametrize("engine", TABLES)
def test_numbers_that_no_float_tells_apart_are_groups_of_their_own(engine):
    keys = pd.Series(pa.array([2**64 - 1, 2**64 - 2, None], pa.uint64()), dtype=pd.ArrowDtype(pa.uint64()))
    rows = TABLES[engine](actions(*[{"closed": 5}] * 3).assign(crowd=keys))
    counts = count_stage(rows, by="crowd")
    for each in (counts, counts + counts):
        assert each.groups["crowd"].tolist()[:2] == [2**64 - 2, 2**64 - 1]
        assert len(each.groups) == 3
