"""People's names, replaced."""

import hashlib
import hmac

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal
from platforms import Platform

import periodkit as pk
from periodkit.frames.pseudonyms import NAME_COLUMNS

KEY = "a long random secret"


@pytest.fixture
def actions():
    return Platform().frames()[1]


def test_names_become_keyed_hashes(actions):
    found = pk.pseudonymize(actions, KEY)
    digest = hmac.new(KEY.encode(), "Ada Müller".encode(), hashlib.sha256).hexdigest()
    assert (found["created_by_user_name"] == f"person-{digest[:12]}").all()
    assert actions["created_by_user_name"].iloc[0] == "Ada Müller"
    assert not found.astype(str).apply(lambda column: column.str.contains("Müller|Bo|Dee")).any(axis=None)
    assert_frame_equal(found.drop(columns=list(NAME_COLUMNS)), actions.drop(columns=list(NAME_COLUMNS)))
    assert found.dtypes.equals(actions.dtypes)
    assert [None if each is None else len(each) for each in found["assigned_user_names"]] == [
        None if each is None else len(each) for each in actions["assigned_user_names"]
    ]


def test_the_same_name_is_the_same_person_everywhere(actions):
    actions.loc[0, "created_by_user_name"] = "Bo"
    found = pk.pseudonymize(actions, KEY)
    assert found["created_by_user_name"].iloc[0] in found["assigned_user_names"].iloc[1]
    assert pk.pseudonymize(actions, "another")["created_by_user_name"].iloc[0] != found["created_by_user_name"].iloc[0]


def test_twice_is_once_and_nothing_stays_nothing(actions):
    actions.loc[0, "created_by_user_name"] = None
    once = pk.pseudonymize(actions, KEY)
    assert once["created_by_user_name"].isna().tolist() == [True] + [False] * (len(actions) - 1)
    assert_frame_equal(pk.pseudonymize(once, KEY), once)
    assert_frame_equal(pk.pseudonymize(actions, KEY.encode()), once)
    empty = actions.iloc[:0]
    assert_frame_equal(pk.pseudonymize(empty, KEY), empty)


def test_other_frames_are_left_alone():
    frame = pd.DataFrame({"channel": ["Bo"]}, index=[5])
    assert_frame_equal(pk.pseudonymize(frame, KEY), frame)


def test_bad_values_do_not_tell_names_either(actions):
    actions.attrs["bad_values"] = [
        {"field": "assignedUserNames", "value": "Bo", "record": "r"},
        {"field": "closedTime", "value": "soon", "record": "r"},
    ]
    found = pk.pseudonymize(actions, KEY).attrs["bad_values"]
    assert [each["value"] for each in found] == ["(left out)", "soon"]
    assert actions.attrs["bad_values"][0]["value"] == "Bo"


@pytest.mark.parametrize("key", ["", b"", None, 5])
def test_a_key_that_is_none_is_refused_and_not_shown(actions, key):
    with pytest.raises(pk.ArgumentError, match="key for pseudonyms is empty or not a text"):
        pk.pseudonymize(actions, key)


def test_names_read_back_from_files_are_replaced_too(actions, tmp_path):
    once = pk.pseudonymize(actions, KEY)
    actions[[*NAME_COLUMNS]].to_parquet(tmp_path / "a.parquet")
    read = pk.pseudonymize(pd.read_parquet(tmp_path / "a.parquet"), KEY)
    for name in NAME_COLUMNS:
        assert read[name].astype("object").tolist() == once[name].astype("object").tolist()
    texts = pd.DataFrame({"assigned_user_names": ['["Ada", "Bo"]', None, pd.NA]})
    found = pk.pseudonymize(texts, KEY)["assigned_user_names"]
    assert found.iloc[0].startswith("person-")
    assert found.isna().tolist() == [False, True, True]
