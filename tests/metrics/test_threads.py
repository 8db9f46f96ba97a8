"""Work side by side: in order, a few parts at a time, and what fails is raised."""

import threading

import pytest

from periodkit.metrics.threads import side_by_side


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_results_come_in_the_order_of_the_parts(count):
    assert list(side_by_side(lambda part: part * part, iter(range(count)))) == [part * part for part in range(count)]


def test_two_parts_are_worked_on_at_once():
    meeting = threading.Barrier(2, timeout=60)
    assert len(list(side_by_side(lambda _: meeting.wait(), range(4)))) == 4


def test_no_more_parts_are_taken_than_are_needed():
    taken = []
    results = side_by_side(str, (taken.append(part) or part for part in range(100)))
    assert next(results) == "0"
    assert len(taken) <= 4
    results.close()


def test_what_fails_is_raised():
    with pytest.raises(ZeroDivisionError):
        list(side_by_side(lambda part: 1 // part, [1, 0, 1]))
