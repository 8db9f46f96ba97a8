"""Answers in pages: each record counts once, every page brings something, and there is an end."""

from urllib.parse import parse_qs, urlsplit

import pytest
from servers import Canned

import periodkit as pk


def paged(page_of):
    """A client of a server that answers ``page_of(number) -> (ids, what stands beside them)``."""

    def body(request):
        number = int(parse_qs(urlsplit(request.url).query).get("page", ["1"])[0])
        ids, beside = page_of(number)
        if "/actions" in request.url:
            return {"actions": [{"actionId": i, "status": f"page {number}"} for i in ids], **beside}
        return {"periods": [{"id": i, "name": f"page {number}"} for i in ids], **beside}

    transport = Canned(body)
    return pk.Client(
        "https://api.example.com", "t0ken-of-mine", retry=None, progress=False, transport=transport
    ), transport


def fetch(client, what):
    return client.periods() if what == "periods" else client.actions(7)


both = pytest.mark.parametrize("what", ["periods", "actions"])


@both
@pytest.mark.parametrize(
    "ids",
    [
        {1: [1, 2], 2: [2, 3]},
        {1: [1, 2], 2: [2, 1, 3]},
        {1: [1, 2, 2], 2: [3]},
    ],
)
def test_records_are_counted_once(what, ids):
    """An insertion while the pages were fetched moved a record onto the next page, and another one out of sight."""
    client, _ = paged(lambda number: (ids[number], {"total_pages": 2, "total_count": 4}))
    with client, pytest.raises(pk.TransportError, match=f"3 of 4 {what} arrived, each counted once"):
        fetch(client, what)
    client, _ = paged(lambda number: (ids[number], {"total_pages": 2, "total_count": 3}))
    with client:
        assert fetch(client, what)[f"{what[:-1]}_id"].tolist() == [1, 2, 3]


def test_one_page_counts_too():
    client, _ = paged(lambda number: ([1, 1], {"total_count": 2}))
    with client, pytest.raises(pk.TransportError, match="1 of 2 actions arrived"):
        client.actions(7)


def test_records_without_an_id_are_told_apart_by_all_that_they_hold():
    client, _ = paged(lambda number: ([None], {"total_pages": 3, "total_count": 3}))
    with client:
        assert client.actions(7)["status"].tolist() == ["page 1", "page 2", "page 3"]


def test_a_later_page_that_says_nothing_of_pages_is_counted():
    client, _ = paged(lambda number: ([number], {"total_pages": 3, "total_count": 4} if number == 1 else {}))
    with client, pytest.raises(pk.TransportError, match="3 of 4 actions arrived"):
        client.actions(7)


def test_a_count_that_a_later_page_raises_holds():
    client, _ = paged(lambda number: ([number], {"total_pages": 2, "total_count": 1 + number}))
    with client, pytest.raises(pk.TransportError, match="2 of 3 actions arrived"):
        client.actions(7)


@both
@pytest.mark.parametrize(
    "second", [[1, 2], [2, 1], [2], []], ids=["the first again", "in another order", "a part of it", "nothing"]
)
def test_a_page_that_brings_nothing_new_ends_the_fetch(what, second):
    client, transport = paged(lambda number: ([1, 2] if number == 1 else second, {"page": number, "total_pages": 9}))
    with client, pytest.raises(pk.TransportError, match=f"asked for page 2 of 9, it brought no {what} that had not"):
        fetch(client, what)
    assert len(transport.seen) == 2


@both
@pytest.mark.parametrize(
    "promised", [lambda number: 2 + number, lambda number: 2 * number + 1, lambda number: 3 if number == 1 else 10**9]
)
def test_a_number_of_pages_that_grows_for_ever_ends(what, promised):
    client, transport = paged(lambda number: ([number], {"page": number, "total_pages": promised(number)}))
    with client, pytest.raises(pk.TransportError, match="over 2 times the 3 promised at first"):
        fetch(client, what)
    assert len(transport.seen) <= 6


def test_a_number_of_pages_may_double():
    client, _ = paged(lambda number: ([number], {"page": number, "total_pages": 3 if number == 1 else 6}))
    with client:
        assert client.actions(7)["action_id"].tolist() == [1, 2, 3, 4, 5, 6]


def test_pages_without_end_are_bounded_by_the_size_of_an_answer():
    client, transport = paged(lambda number: (range(1000 * number, 1000 * number + 1000), {"total_pages": 10**12}))
    client = pk.Client(
        "https://api.example.com", "t0ken-of-mine", transport=transport, max_body_bytes=500_000, progress=False
    )
    with (
        client,
        pytest.raises(pk.TransportError, match=r"pages are larger than 500,000 bytes together.*max_body_bytes"),
    ):
        client.actions(7)
    assert len(transport.seen) < 20


def test_one_period_whose_pages_do_not_end_keeps_no_other_from_coming():
    def body(request):
        number = int(parse_qs(urlsplit(request.url).query).get("page", ["1"])[0])
        if "/3/" in request.url:
            return {"actions": [{"actionId": number}], "total_pages": number + 1}
        return {"actions": [{"actionId": 1}]}

    with pk.Client("https://api.example.com", "t0ken-of-mine", transport=Canned(body), progress=False) as client:
        with pytest.raises(pk.PartialResultError) as caught:
            client.actions(range(5))
    assert list(caught.value.failed) == [3]
    assert caught.value.done["period_id"].tolist() == [0, 1, 2, 4]
