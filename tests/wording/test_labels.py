"""Names side by side: short, told apart, and the small groups as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from periodkit.wording import clean_label, named_groups, short_labels

NAMES = st.lists(st.text("ab ·", min_size=1, max_size=40), min_size=1, max_size=5)


@given(NAMES, st.integers(12, 40))
def test_no_label_is_longer_than_its_limit_and_what_fits_is_left_as_it_is(names, limit):
    labels = short_labels(names, limit)
    assert len(labels) == len(names)
    for name, label in zip(names, labels, strict=True):
        whole = clean_label(name, 1000)
        assert len(label) <= limit
        assert label == whole or len(whole) > limit


@pytest.mark.parametrize("limit", [20, 26, 30])
def test_names_that_differ_in_a_word_are_told_apart(limit):
    names = [f"A department with a long name · {word} at the end of the day" for word in ("early", "late", "never")]
    assert len({*short_labels(names, limit)}) == 3


@given(st.lists(st.integers(1, 100), max_size=30), st.one_of(st.none(), st.integers(2, 12)))
def test_every_group_stands_by_itself_or_with_others_and_no_larger_one_is_folded(sizes, most):
    kept = named_groups(sizes, most)
    folded = [size for at, size in enumerate(sizes) if at not in kept]
    assert kept == sorted({*kept})
    assert max(folded, default=0) <= min((sizes[at] for at in kept), default=100)
    assert len(folded) != 1 or (most is not None and len(sizes) > most)
    assert most is None or len(kept) + bool(folded) <= most


def test_groups_that_are_all_small_are_all_named():
    assert named_groups([5, 3, 2]) == [0, 1, 2]
    assert named_groups([50, 3, 2]) == [0, 1, 2]
    assert named_groups([50, 40, 2]) == [0, 1, 2]
    assert named_groups([50, 40, 2, 3]) == [0, 1]
