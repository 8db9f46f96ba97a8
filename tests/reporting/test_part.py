"""A report on a part: which actions belong to it, what is refused, and how it is said."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from periodkit.errors import ArgumentError, SchemaError
from periodkit.reporting.part import Part

ACTIONS = pd.DataFrame(
    {
        "action_id": pd.array([1, 2, 3, 4], dtype="Int64"),
        "channel": pd.array(["Medical", "Bar", None, "Medical"], dtype="str"),
        "ai_dispatched": pd.array([True, False, None, None], dtype="boolean"),
        "form.gate": pd.Series([3.0, 4.5, np.nan, "3"], dtype="object"),
        "assigned_user_names": [["Ada", "Bo"], [], None, ["Bo"]],
        "latest_channel": pd.array(["Medical", "", None, "Bar"], dtype="str"),
    }
)


def ids(where):
    return Part.read(where, names=True).of(ACTIONS)["action_id"].tolist()


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ({"channel": "Medical"}, [1, 4]),
        ({"channel": ["Medical", "Bar"]}, [1, 2, 4]),
        ({"channel": None}, [3]),
        ({"channel": [None, "Bar"]}, [2, 3]),
        ({"channel": pd.NA}, [3]),
        ({"channel": ("Medical",), "ai_dispatched": True}, [1]),
        ({"ai_dispatched": "true"}, [1]),
        ({"ai_dispatched": np.bool_(False)}, [2]),
        ({"ai_dispatched": None}, [3, 4]),
        ({"action_id": 2}, [2]),
        ({"action_id": np.int64(2)}, [2]),
        ({"action_id": "2"}, [2]),
        ({"form.gate": 3}, [1, 4]),
        ({"form.gate": "3"}, [1, 4]),
        ({"form.gate": 4.5}, [2]),
        ({"form.gate": float("nan")}, [3]),
        ({"assigned_user_names": "Bo"}, [1, 4]),
        ({"assigned_user_names": None}, [2, 3]),
        ({"latest_channel": ""}, [2]),
        ({"latest_channel": None}, [3]),
        ({"channel": pd.Series(["Bar"])}, [2]),
    ],
)
def test_values_in_a_list_are_or_and_columns_are_and(where, found):
    assert ids(where) == found


@given(
    st.lists(st.sampled_from(["Medical", "Bar", None]), min_size=1),
    st.lists(st.sampled_from([True, False, None]), min_size=1),
)
def test_a_part_of_a_part_is_the_part_of_both(channels, flags):
    both = Part.read({"channel": channels, "ai_dispatched": flags}).of(ACTIONS)
    one_by_one = Part.read({"ai_dispatched": flags}).of(Part.read({"channel": channels}).of(ACTIONS))
    pd.testing.assert_frame_equal(both, one_by_one)
    rest = [value for value in ("Medical", "Bar", None) if value not in channels]
    others = ids({"channel": rest}) if rest else []
    assert sorted(ids({"channel": channels}) + others) == [1, 2, 3, 4]


def test_of_no_actions_there_are_none_even_without_the_column():
    assert Part.read({"form.other": 1}).of(ACTIONS.head(0)).empty


@pytest.mark.parametrize("where", [None, {}])
def test_nothing_asked_for_is_all(where):
    assert Part.read(where) is None


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("channel=Medical", "where is 'channel=Medical'; it takes a mapping"),
        ({1: "x"}, "it takes a mapping from columns"),
        ({"channel": []}, "where gives no value for 'channel'"),
        ({"channel": ["x", {}]}, "where gives a dict for 'channel'"),
        ({"channel": pd.Timestamp(0)}, "it takes a text, a number"),
        ({"period_id": 7}, r"Name the period with period= \(--period\)"),
        ({"period_name": "Final"}, "Name the period"),
        ({"assigned_user_names": "Ada"}, r"its values are people\. Pass names=True \(--names\) too"),
        ({"created_by_user_name": "Ada"}, "its values are people"),
    ],
)
def test_what_cannot_be_a_part_is_refused(where, said):
    with pytest.raises(ArgumentError, match=said):
        Part.read(where)


@pytest.mark.parametrize(
    ("where", "error", "said"),
    [
        ({"chanel": "Medical"}, SchemaError, "no column 'chanel'; did you mean 'channel'?"),
        ({"form.gates": 1}, SchemaError, "did you mean 'form.gate'?"),
        ({"channel": "Medicla"}, ArgumentError, "No action has the channel 'Medicla'. Did you mean 'Medical'?"),
        ({"channel": ["Medical", "medical"]}, ArgumentError, "channel 'medical'. Did you mean 'Medical'?"),
        ({"channel": "Zoo"}, ArgumentError, "No action has the channel 'Zoo'. There are: Medical and Bar."),
        ({"action_id": None}, ArgumentError, "no action has one. Leave it out"),
        ({"channel": "\x1b[2J\u202e"}, ArgumentError, "No action has the channel '[2J'"),
    ],
)
def test_what_occurs_nowhere_is_answered_with_what_is_near(where, error, said):
    with pytest.raises(error) as refused:
        Part.read(where).check(ACTIONS)
    assert said in str(refused.value)


def test_many_values_are_counted():
    many = pd.DataFrame({"channel": [f"kind {at}" for at in range(40)]})
    with pytest.raises(ArgumentError, match=r"There are: kind 0, .* kind 4 and 35 more\."):
        Part.read({"channel": "Zoo"}).check(many)


def test_it_is_said_in_words_and_cleaned():
    part = Part.read({"channel": ["Medical", None], "form.gate": 3, "sub_classification": "\u202ex" * 200})
    assert part.words.startswith("channel Medical or not given, form.gate 3, sub classification x")
    assert "\u202e" not in part.words
    assert len(part.words) < 200
    assert part.single == {"form.gate", "sub_classification"}
    assert part.form_fields == ["gate"]
