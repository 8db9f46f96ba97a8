"""Responses that are not the API's: redirects, other statuses, and whatever makes a library fail."""

import gzip
import itertools
import threading
import tracemalloc
import zlib

import pytest
import requests
from servers import Canned, bomb, head, raw, scripted

import periodkit as pk

TOKEN = "s3cret-t0ken-of-mine"
WHOLE = b'{"actions": [{"actionId": 1}]}'


def connect(url="https://api.example.com", **options):
    return pk.Client(url, TOKEN, **{"progress": False, "retry": None} | options)


def peak(call):
    """The most memory that Python held during a call."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# Redirects


@pytest.mark.parametrize("own", [True, False], ids=["own session", "the caller's session"])
@pytest.mark.parametrize("status", ["302 Found", "301 Moved", "308 Moved"])
def test_the_body_of_a_redirect_is_not_unpacked(own, status):
    packed = bomb(300)
    sent = [head(packed, status, Content_Encoding="gzip", Location="/elsewhere"), packed]

    def fetch():
        with requests.Session() as session, raw(lambda path: sent) as (url, seen):
            with connect(url, session=None if own else session) as client:
                with pytest.raises(pk.ApiError, match="redirects to another path"):
                    client.actions(7)
            assert len(seen) == 1

    assert peak(fetch) < 20 * 2**20


def test_the_body_of_a_redirect_that_never_ends_is_not_waited_for():
    endless = itertools.chain(
        [head(b"", "302 Found", Content_Length=None, Location="/x")], itertools.repeat(b"x" * 65536)
    )
    with raw(lambda path: endless) as (url, _), connect(url) as client:
        with pytest.raises(pk.ApiError, match="redirects"):
            client.actions(7)


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("http://[::1", "to an address that cannot be read"),
        ("http://example.com:99999/", "to an address that cannot be read"),
        ("/caf\xe9\xff", "to another path"),
        ("http://\xff\xfe/", "to http://"),
        ("javascript:alert(1)", "to an address that is not http"),
        ("//other.example/periods", "to http://other.example"),
        ("https://me:secret@other.example:8443/?key=1", "to https://other.example:8443"),
        ("", "without saying where"),
        ("http://" + "x" * 60_000, "to http://xxx"),
    ],
)
@pytest.mark.parametrize("own", [True, False], ids=["own session", "the caller's session"])
def test_a_location_is_told_as_far_as_it_can_be_read(location, said, own):
    sent = head(b"", "302 Found", Location=location).decode().encode("latin-1")
    with requests.Session() as session, raw(lambda path: [sent] if "/3/" in path else [head(WHOLE), WHOLE]) as (url, _):
        with connect(url, session=None if own else session) as client:
            with pytest.raises(pk.PartialResultError) as caught:
                client.actions(range(9))
    assert caught.value.done["period_id"].tolist() == [0, 1, 2, 4, 5, 6, 7, 8]
    assert list(caught.value.failed) == [3]
    told = str(caught.value.failed[3])
    assert f"The server redirects {said}" in told
    assert "secret" not in told
    assert len(told) < 400


# Other statuses


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("204 No Content", r"No Content \(HTTP 204\)\. The API sends a list even where it is empty"),
        ("206 Partial Content", r"\(HTTP 206\)\. The server sent a part of the answer.*proxy or a cache"),
        ("304 Not Modified", r"\(HTTP 304\)\. The server answers that nothing has changed.*keeps no earlier answer"),
        ("202 Accepted", r"\(HTTP 202\)\. The API answers with status 200 alone"),
        ("203 Translated", r"\(HTTP 203\)\. The API answers with status 200 alone"),
        ("300 Choose", r"\(HTTP 300\)\. The server redirects without saying where"),
    ],
)
def test_a_status_that_is_no_answer_is_told_in_words_that_fit(status, said):
    with raw(lambda path: [head(WHOLE, status), WHOLE]) as (url, seen):
        with connect(url, retry=pk.RetryPolicy()) as client, pytest.raises(pk.ApiError, match=said) as caught:
            client.actions(7)
    assert type(caught.value) is pk.ApiError
    assert not caught.value.retryable
    assert len(seen) == 1


# Whatever makes a library fail


@pytest.mark.parametrize(
    "failure",
    [
        ValueError("Invalid IPv6 URL"),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        OverflowError("too large"),
        RecursionError("too deep"),
        MemoryError(),
        AssertionError(),
        requests.exceptions.ChunkedEncodingError("cut"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_an_exception_is_that_of_its_period(failure):
    def body(request):
        if "/3/" in request.url:
            raise failure
        return WHOLE

    with connect(transport=Canned(body)) as client:
        with pytest.raises(pk.PartialResultError) as caught:
            client.actions(range(9))
        arrived = dict(client.iter_actions(range(9)))
        with pytest.raises(pk.TransportError):
            client.actions(3)
    assert caught.value.done["period_id"].tolist() == [0, 1, 2, 4, 5, 6, 7, 8]
    for error in (caught.value.failed[3], arrived[3]):
        assert type(error) is pk.TransportError
        assert str(error)
    assert sum(isinstance(each, pk.PeriodkitError) for each in arrived.values()) == 1


@pytest.mark.parametrize("own_session_reads", [ValueError("a hook"), KeyError("a hook")])
def test_an_exception_of_the_callers_own_session_is_that_of_its_period(own_session_reads):
    def hook(response, **options):
        if "/3/" in response.url:
            raise own_session_reads

    with requests.Session() as session, scripted(lambda path, sent: (200, {}, WHOLE)) as (url, _):
        session.hooks["response"].append(hook)
        with connect(url, session=session) as client, pytest.raises(pk.PartialResultError) as caught:
            client.actions(range(9))
    assert list(caught.value.failed) == [3]
    assert "a hook" in str(caught.value.failed[3])


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry_After": "Tue, 02 Jul 99999999999999999999 06:30:00 GMT"},
        {"Retry_After": "Tue, 02 Jul 2024 06:30:00 -0000"},
        {"Date": "Tue, 02 Jul 99999999999999999999 06:30:00 GMT", "Retry_After": "Tue, 02 Jul 2024 06:30:00 GMT"},
    ],
)
def test_dates_that_cannot_be_read_are_none(headers):
    with raw(lambda path: [head(b"", "429 Slow", **headers)]) as (url, _), connect(url) as client:
        with pytest.raises(pk.RateLimitError):
            client.actions(7)


def test_a_date_without_an_offset_is_utc():
    with raw(lambda path: [head(WHOLE, Date="Tue, 02 Jul 2024 06:30:00 -0000"), WHOLE]) as (url, _):
        with connect(url) as client:
            assert str(client.actions(7)["fetched_at"].iloc[0]) == "2024-07-02 06:30:00+00:00"


@pytest.mark.parametrize("where", ["length of a chunk", "behind the last chunk"])
@pytest.mark.parametrize("total_timeout", [300, None])
def test_a_line_without_end_is_not_read_to_its_end(where, total_timeout):
    begun = [head(b"", Content_Length=None, Transfer_Encoding="chunked")]
    if where == "behind the last chunk":
        begun.append(b"%x\r\n%s\r\n0\r\n" % (len(WHOLE), WHOLE))
    sent = []

    def endless():
        yield from begun
        while True:
            sent.append(2**16)
            yield b"1" * 2**16

    with raw(lambda path: endless()) as (url, _), connect(url, total_timeout=total_timeout) as client:
        with pytest.raises(pk.TransportError, match="No whole answer"):
            client.actions(7)
    assert sum(sent) < 32 * 2**20


@pytest.mark.parametrize(("first", "then"), [(None, "invented"), ("invented", None), ("invented", "another")])
def test_actions_from_elsewhere_than_the_periods_are_not_taken(first, then):
    """Invented actions must not pass for an account's, whatever has come to answer at its address."""

    def answer(path, sent):
        name = then if "/7/" in path else first
        body = WHOLE if "/actions" in path else {"periods": []}
        return 200, {"X-Periodkit-Sandbox": name}, body

    with scripted(answer) as (url, _), connect(url) as client:
        client.periods()
        with pytest.raises(pk.PartialResultError) as caught:
            client.actions([6, 7, 8])
        assert list(caught.value.failed) == [7]
        assert "this answer comes" in str(caught.value.failed[7])
        assert client.origin == (url if first is None else f"sandbox: {first}")
        with pytest.raises(pk.TransportError, match="It was not kept"):
            client.actions(7)
        first = then
        client.periods()
        assert len(client.actions(7)) == 1


def test_no_cookie_is_kept():
    cookies = {"Set-Cookie": f"session={'x' * 4000}; Path=/"}
    with scripted(lambda path, sent: (200, cookies, WHOLE)) as (url, seen), connect(url, workers=1) as client:
        client.actions(range(5))
    assert all("Cookie" not in headers for _, headers in seen)


def test_an_iteration_is_not_waited_for_by_what_is_slow_elsewhere():
    """One period that hangs keeps none of the others from arriving."""
    stuck = threading.Event()

    def body(request):
        if "/0/" in request.url:
            stuck.wait(60)
        return WHOLE

    with connect(transport=Canned(body), workers=2) as client:
        arrivals = client.iter_actions(range(6))
        first = [next(arrivals)[0] for _ in range(3)]
        stuck.set()
        assert sorted([*first, *(period_id for period_id, _ in arrivals)]) == list(range(6))
    assert 0 not in first


def test_a_body_packed_in_another_way_is_bounded_too():
    packed = gzip.compress(zlib.compress(bytes(50 * 2**20), 9), 9)
    sent = [head(packed, Content_Encoding="deflate, gzip"), packed]

    def fetch():
        with raw(lambda path: sent) as (url, _), connect(url, max_body_bytes=2**20) as client:
            with pytest.raises(pk.TransportError, match="larger than"):
                client.actions(7)

    assert peak(fetch) < 20 * 2**20
