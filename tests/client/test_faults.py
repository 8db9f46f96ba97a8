"""What a server, or the way to it, can do to a fetch; `docs/client.md` has the same table for users.

No test waits for as long as it says: the client is given a clock that only records what it was asked to wait.
"""

import gzip
import itertools
import json
import logging
import subprocess
import sys
import threading
import tracemalloc

import pandas as pd
import pytest
from servers import RESET, bomb, head, raw

import periodkit as pk
from periodkit.client import Clock
from periodkit.client.pacing import Gate
from periodkit.client.retry import RetrySession
from periodkit.client.workers import WorkerPool

TOKEN = "s3cret-t0ken-of-mine"


class FastClock(Clock):
    """Waits take no time; every random draw is the highest."""

    def __init__(self):
        self.time = 0.0
        self.waits = []
        self.waited = threading.Event()

    def now(self):
        return self.time

    def wait(self, seconds, stop):
        self.waits.append(round(seconds, 6))
        self.time += seconds
        self.waited.set()

    def draw(self):
        return 1.0


@pytest.fixture
def clock():
    return FastClock()


def connect(url, **options):
    return pk.Client(url, TOKEN, **{"progress": False, "timeout": (30, 30)} | options)


def actions_body(*ids):
    return json.dumps({"actions": [{"actionId": i, "classification": "Medical"} for i in ids]}).encode()


WHOLE = actions_body(1, 2, 3)
LONG = actions_body(*range(1, 200))


def ok(body=WHOLE, **headers):
    return [head(body, **headers), body]


def refusal(status, message="no", **headers):
    body = json.dumps({"message": message}).encode()
    return [head(body, status, **headers), body]


def first_then(*answers):
    """Give these answers one after the other, then the whole one."""
    rest = iter(answers)
    return lambda path: next(rest, ok())


def forever(pieces):
    return lambda path: pieces


def assert_whole(frame):
    assert frame["action_id"].tolist() == [1, 2, 3]


# Failures that pass


def test_503_three_times_then_fine(clock):
    with raw(first_then(*[refusal("503 Busy")] * 3)) as (url, seen), connect(url, clock=clock) as client:
        assert_whole(client.actions(7))
    assert len(seen) == 4
    assert clock.waits == [1, 2, 4]


@pytest.mark.parametrize("status", ["429 Slow down", "500 Oops", "502 Bad", "503 Busy", "504 Late"])
def test_a_server_that_stays_ill_is_given_up_after_longer_than_a_rate_window(clock, status):
    with raw(forever(refusal(status))) as (url, seen), connect(url, clock=clock) as client:
        with pytest.raises(pk.ApiError, match=r"Tried \d+ times in \d+ s\.$") as caught:
            client.actions(7)
    assert type(caught.value) is (pk.RateLimitError if status.startswith("429") else pk.ServerError)
    assert caught.value.retryable
    assert 60 < sum(clock.waits) <= 300
    assert len(seen) == len(clock.waits) + 1 <= 12


@pytest.mark.parametrize("status", ["400 Bad", "401 Who", "403 No", "404 Where", "405 How", "418 Tea", "302 There"])
def test_no_other_status_is_asked_again(clock, status):
    with raw(forever(refusal(status))) as (url, seen), connect(url, clock=clock) as client:
        with pytest.raises(pk.ApiError):
            client.actions(7)
    assert len(seen) == 1
    assert clock.waits == []


@pytest.mark.parametrize(
    ("sent", "waited"),
    [
        ("17", 17),
        ("Tue, 02 Jul 2024 06:31:30 GMT", 90),
        ("86400", 120),
        ("9" * 400, 120),
        ("Tue, 02 Jul 2030 06:31:30 GMT", 120),
        ("Tue, 02 Jul 2019 06:31:30 GMT", 1),
        ("0", 1),
        ("-5", 1),
        ("soon", 1),
        ("", 1),
    ],
)
@pytest.mark.parametrize("status", ["429 Slow down", "503 Busy"])
def test_retry_after_is_honoured_and_capped(clock, status, sent, waited):
    with raw(first_then(refusal(status, Retry_After=sent))) as (url, _), connect(url, clock=clock) as client:
        assert_whole(client.actions(7))
    assert clock.waits == [waited]


def test_a_pause_that_the_server_asks_for_holds_for_all_workers(clock):
    times = []
    asked = itertools.count()

    def answer(path):
        times.append(clock.time)
        if next(asked) == 0:
            return refusal("429 Slow down", Retry_After="30")
        clock.waited.wait(60)  # or the others would ask for more before the client has read the refusal
        return ok()

    with raw(answer) as (url, _), connect(url, clock=clock, workers=4) as client:
        assert len(client.actions(range(12))) == 36
    # Those on their way when the answer came are not called back.
    assert sum(time < 30 for time in times) <= 4
    assert sum(time >= 30 for time in times) >= 9


def test_a_reset_connection_is_tried_again(clock):
    cut = [head(WHOLE), WHOLE[:20], RESET]
    with (
        raw(first_then([RESET], cut, [head(WHOLE)[:30], RESET], [])) as (url, seen),
        connect(url, clock=clock) as client,
    ):
        assert_whole(client.actions(7))
    assert len(seen) == 5


def test_a_server_that_was_never_reached_is_given_up_soon(clock):
    with raw(forever(ok())) as (url, _):
        pass
    with connect(url, clock=clock) as client, pytest.raises(pk.TransportError, match=r"refused.*Tried 3 times"):
        client.actions(7)
    assert clock.waits == [1, 2]
    with raw(forever([RESET])) as (url, seen), connect(url, clock=clock) as client:
        with pytest.raises(pk.TransportError, match="Check the base URL and the network"):
            client.actions(7)
    assert len(seen) == 3


def test_a_server_that_dies_midway_costs_one_budget_and_not_one_a_period(clock):
    asked = itertools.count()
    with (
        raw(lambda path: ok() if next(asked) < 5 else [RESET]) as (url, seen),
        connect(url, clock=clock, workers=1) as client,
    ):
        with pytest.raises(pk.PartialResultError) as caught:
            client.actions(range(100))
    assert caught.value.done["period_id"].unique().tolist() == [0, 1, 2, 3, 4]
    assert list(caught.value.failed) == list(range(5, 100))
    assert 60 < clock.time <= 300
    assert len(seen) < 5 + 95 + 3 * 12


def test_the_next_call_has_its_whole_budget_again(clock):
    with raw(first_then(*[refusal("503 Busy")] * 14)) as (url, _), connect(url, clock=clock) as client:
        with pytest.raises(pk.ServerError):
            client.actions(7)
        assert_whole(client.actions(7))


def test_no_policy_asks_once(clock):
    with raw(forever(refusal("503 Busy"))) as (url, seen), connect(url, clock=clock, retry=None) as client:
        with pytest.raises(pk.ServerError) as caught:
            client.actions(7)
    assert (len(seen), clock.waits) == (1, [])
    assert "Tried" not in str(caught.value)


def test_a_wait_is_logged(clock, caplog):
    caplog.set_level("INFO", logger="periodkit")
    with (
        raw(first_then(refusal("429 Slow", Retry_After="17"), refusal("500 Oops"))) as (url, _),
        connect(url, clock=clock) as client,
    ):
        client.actions(7)
    told = [(record.levelno, record.getMessage()) for record in caplog.records if record.name == "periodkit"]
    assert [level for level, _ in told] == [logging.WARNING, logging.INFO]
    assert "/periods/7/actions" in told[0][1]
    assert "Asking again in 17.0 s" in told[0][1]


def test_the_progress_bar_says_what_is_waited_for():
    class Watched(FastClock):
        def wait(self, seconds, stop):
            told.append(session.waiting())
            stop.set()

    clock = Watched()
    session = RetrySession(pk.RetryPolicy(), Gate(None, clock), clock)
    told = [session.waiting()]

    def send():
        raise pk.RateLimitError(429, "slow down", True, 17.0)

    with pytest.raises(pk.TransportError, match="was stopped"):
        session.run("/periods", send)
    assert told == ["", "HTTP 429, waiting 17 s"]
    ticked = threading.Event()
    pool = WorkerPool(lambda key: ticked.wait(60), [1], 1)
    assert list(pool.results(ticked.set, every=0.01)) == [(1, True)]


# Bodies that are not whole

FRAMINGS = {
    "length": lambda body: [head(body), body],
    "chunks": lambda body: [
        head(body, Content_Length=None, Transfer_Encoding="chunked"),
        b"".join(b"%x\r\n%s\r\n" % (len(body[i : i + 16]), body[i : i + 16]) for i in range(0, len(body), 16)),
        b"0\r\n\r\n",
    ],
    "close": lambda body: [head(body, Content_Length=None), body],
    "gzip": lambda body: [head(gzip.compress(body, mtime=0), Content_Encoding="gzip"), gzip.compress(body, mtime=0)],
    "gzip, no length": lambda body: [
        head(body, Content_Length=None, Content_Encoding="gzip"),
        gzip.compress(body, mtime=0),
    ],
}


@pytest.mark.parametrize("framing", FRAMINGS)
@pytest.mark.parametrize("tenth", range(10))
def test_a_body_cut_at_any_tenth_never_passes_for_whole(clock, framing, tenth):
    first, *body = FRAMINGS[framing](LONG)
    sent = b"".join(body)
    cut = [first, sent[: len(sent) * tenth // 10]]
    with raw(first_then(cut, cut)) as (url, seen), connect(url, clock=clock) as client:
        assert_whole(client.actions(7))
        assert len(seen) == 3
    with raw(forever(cut)) as (url, _), connect(url, clock=clock, retry=None) as client:
        with pytest.raises(pk.TransportError, match="/periods/7/actions") as caught:
            client.actions(7)
    assert caught.value.retryable


def test_a_body_cut_behind_a_brace_is_no_answer_either():
    """Without a length, nothing but the JSON tells."""
    cut = WHOLE[: WHOLE.index(b"}") + 1]
    with raw(forever(FRAMINGS["close"](cut))) as (url, _), connect(url, retry=None) as client:
        with pytest.raises(pk.SchemaError, match="not valid JSON"):
            client.actions(7)


def test_a_chunk_of_a_size_below_nothing_is_a_broken_answer(clock):
    odd = [head(b"", Content_Length=None, Transfer_Encoding="chunked"), b"-5\r\nhello\r\n0\r\n\r\n"]
    with raw(first_then(odd)) as (url, seen), connect(url, clock=clock) as client:
        assert_whole(client.actions(7))
        assert len(seen) == 2


@pytest.mark.parametrize("stated", [1, 40, len(WHOLE) - 1, len(WHOLE) + 1, 10**6])
def test_a_wrong_length_never_passes(clock, stated):
    wrong = [head(WHOLE, Content_Length=str(stated), Connection=None), WHOLE]
    with raw(first_then(wrong)) as (url, seen), connect(url, clock=clock) as client:
        assert_whole(client.actions(7))
    assert len(seen) == 2
    with raw(forever(wrong)) as (url, _), connect(url, clock=clock, retry=None) as client:
        with pytest.raises(pk.TransportError):
            client.actions(7)


def test_a_server_that_falls_silent_is_not_waited_for(clock):
    silent = [head(WHOLE), WHOLE[:20], 30.0]
    with raw(first_then(silent, [30.0])) as (url, seen), connect(url, clock=clock, timeout=(30, 0.2)) as client:
        assert_whole(client.actions(7))
    assert len(seen) >= 3  # a busy machine may let a whole answer wait for as long, too
    with raw(forever(silent)) as (url, _), connect(url, clock=clock, timeout=(30, 0.2), retry=None) as client:
        with pytest.raises(pk.TransportError, match="did not answer /periods/7/actions in time"):
            client.actions(7)


@pytest.mark.parametrize("begun", ["", "head", "body"])
def test_a_server_that_drips_is_not_waited_for(begun):
    """Each byte comes within the read time-out, the whole of them never."""
    fine = {"": b"", "head": head(WHOLE)[:20], "body": head(WHOLE) + WHOLE[:20]}[begun]
    rest = (head(WHOLE) + WHOLE)[len(fine) :]
    drip = itertools.chain([fine], *([bytes([byte]), 0.05] for byte in rest))
    with raw(lambda path: drip) as (url, _), connect(url, total_timeout=0.4, retry=None) as client:
        with pytest.raises(pk.TransportError, match="did not answer /periods/7/actions in time"):
            client.actions(7)


# Bodies that are too large


@pytest.mark.parametrize("times", [1, 2])
def test_a_gzip_bomb_is_not_unpacked(clock, times):
    packed = bomb(200, times)
    sent = [head(packed, Content_Encoding=", ".join(["gzip"] * times)), packed]
    with raw(forever(sent)) as (url, seen), connect(url, clock=clock, max_body_bytes=2**21) as client:
        tracemalloc.start()
        try:
            with pytest.raises(pk.TransportError, match=r"larger than 2,097,152 bytes.*max_body_bytes") as caught:
                client.actions(7)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert peak < 20 * 2**20
    assert len(seen) == 1
    assert not caught.value.retryable


def test_a_body_up_to_the_bound_is_taken():
    for bound, fits in ((len(WHOLE), True), (len(WHOLE) - 1, False)):
        with raw(forever(ok())) as (url, _), connect(url, max_body_bytes=bound) as client:
            if fits:
                assert_whole(client.actions(7))
            else:
                with pytest.raises(pk.TransportError, match="larger than"):
                    client.actions(7)


def test_an_error_page_without_end_is_not_read_to_its_end(clock):
    endless = itertools.chain([head(b"", "404 Where", Content_Length=None)], itertools.repeat(b"x" * 65536))
    with raw(lambda path: endless) as (url, _), connect(url, clock=clock) as client:
        with pytest.raises(pk.PeriodNotFoundError, match="HTTP 404"):
            client.actions(7)


def test_bodies_are_asked_for_packed():
    with raw(forever(FRAMINGS["gzip"](WHOLE))) as (url, seen), connect(url) as client:
        assert_whole(client.actions(7))
    assert "Accept-Encoding: gzip\r\n" in seen[0]


# Bodies that are not what the API promises


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"<!DOCTYPE html><title>Hotel Wi-Fi</title>", "begins '<!DOCTYPE html>"),
        (b'{"actions": [{"actionId": 1, "status": "a\x00b"}]}', "not valid JSON"),
        (
            b'{"actions": [{"actionId": 5, "status": "\\ud800"}]}',
            r"actions\[0\].status \(actionId 5\).*half a surrogate",
        ),
        (b'{"actions": [{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}", "nested too deeply"),
        (
            b'{"actions": [{"actionId": ' + b"9" * 400 + b"}]}",
            r"actions\[0\].actionId \(actionId 9+\.\.\.\): 9+\.\.\. does not fit",
        ),
        (b'{"actions": [{"actionId": 1e400}]}', r"actions\[0\].actionId: Infinity is not a whole number"),
        (b'{"actions": [{"actionId": 1, "actionId": 2}]}', "'actionId' stands twice"),
    ],
)
def test_a_body_that_cannot_be_meant_is_named_and_the_others_are_kept(clock, body, said):
    with raw(lambda path: ok(body) if "/8/" in path else ok()) as (url, seen), connect(url, clock=clock) as client:
        with pytest.raises(pk.PartialResultError) as caught:
            client.actions([7, 8, 9])
        with pytest.raises(pk.SchemaError, match="/periods/8/actions: .*" + said):
            client.actions(caught.value.failed)
    assert caught.value.done["period_id"].unique().tolist() == [7, 9]
    assert list(caught.value.failed) == [8]
    assert len(seen) == 4


def test_an_escaped_nul_is_a_character():
    with raw(forever(ok(b'{"actions": [{"actionId": 1, "status": "a\\u0000b"}]}'))) as (url, _), connect(url) as client:
        assert client.actions(7)["status"].tolist() == ["a\0b"]


# Several periods


def test_401_in_the_middle_keeps_what_came_and_stops(clock):
    answered = itertools.count()

    def answer(path):
        return refusal("401 Who", "Token expired") if next(answered) == 5 else ok()

    with raw(answer) as (url, seen), connect(url, clock=clock, workers=1) as client:
        with pytest.raises(pk.PartialResultError, match=r"Token expired.*Check the token") as caught:
            client.actions(range(50))
        assert len(seen) == 6
        assert list(caught.value.failed) == list(range(5, 50))
        assert {type(error) for error in caught.value.failed.values()} == {pk.AuthError}
        rest = client.actions(caught.value.failed)
        whole = client.actions(range(50))
    pd.testing.assert_frame_equal(pd.concat([caught.value.done, rest], ignore_index=True), whole)


def test_the_rest_fetched_later_makes_the_whole(clock):
    down = {3, 5}

    def answer(path):
        period_id = int(path.split("/")[2])
        if period_id in down:
            return refusal("500 Oops")
        record = {"actionId": period_id, "createdTime": "2024-07-01T19:00:00.000Z", "aiDispatched": True}
        return ok(json.dumps({"actions": [record | {"department": "Bar"} if period_id % 2 else record]}).encode())

    with raw(answer) as (url, _), connect(url, clock=clock, workers=2, retry=pk.RetryPolicy(attempts=2)) as client:
        with pytest.raises(pk.PartialResultError) as caught:
            client.actions(range(8), form_fields=["department"])
        error = caught.value
        assert list(error.failed) == [3, 5]
        assert {type(cause) for cause in error.failed.values()} == {pk.ServerError}
        down.clear()
        rest = client.actions(error.failed, form_fields=["department"])
        whole = client.actions(range(8), form_fields=["department"])
    joined = pd.concat([error.done, rest]).sort_values("period_id", ignore_index=True)
    pd.testing.assert_frame_equal(joined, whole)
    assert joined["form.department"].notna().sum() == 4


def page(path, last=3):
    number = int(path.partition("page=")[2].partition("&")[0] or 1)
    record = {"actions": [{"actionId": number}], "page": number, "total_pages": last, "total_count": last}
    return ok(json.dumps(record).encode())


def test_a_page_that_fails_is_asked_again_and_not_the_others(clock):
    failing = iter([refusal("503 Busy"), [RESET]])
    with raw(lambda path: next(failing, page(path)) if "page=2" in path else page(path)) as (url, seen):
        with connect(url, clock=clock) as client:
            assert client.actions(7)["action_id"].tolist() == [1, 2, 3]
    assert [line.split(" ")[1].partition("?")[2] for line in seen] == ["", "page=2", "page=2", "page=2", "page=3"]


def test_a_period_of_which_a_page_is_missing_is_missing(clock):
    def answer(path):
        return refusal("500 Oops") if path == "/periods/8/actions?page=2" else page(path)

    with raw(answer) as (url, _), connect(url, clock=clock, retry=pk.RetryPolicy(attempts=2)) as client:
        with pytest.raises(pk.PartialResultError) as caught:
            client.actions([7, 8, 9])
    assert caught.value.done["period_id"].tolist() == [7, 7, 7, 9, 9, 9]
    assert list(caught.value.failed) == [8]


# Pace


def test_requests_go_out_at_the_pace_that_was_asked_for(clock):
    times = []

    def answer(path):
        times.append(clock.time)
        return refusal("503 Busy") if len(times) == 2 else ok()

    with raw(answer) as (url, _), connect(url, clock=clock, workers=1, requests_per_second=4) as client:
        client.actions(range(5))
    assert len(times) == 6
    assert all(later - earlier >= 0.25 - 1e-9 for earlier, later in itertools.pairwise(times))
    assert times[-1] == pytest.approx(5 * 0.25 + 0.75)


@pytest.mark.parametrize("name", ["requests_per_second", "workers", "total_timeout", "max_body_bytes"])
def test_a_limit_of_nothing_is_refused(name):
    for value in (0, -1, float("nan")):
        with pytest.raises(pk.ConfigError, match=f"{name} is {value}"):
            pk.Client("https://api.example.com", TOKEN, **{name: value})


@pytest.mark.parametrize(
    "setting", [{"attempts": 0}, {"budget": -1}, {"backoff": float("nan")}, {"retry_after_cap": -1}]
)
def test_a_policy_that_cannot_be_meant_is_refused(setting):
    with pytest.raises(pk.ConfigError, match=next(iter(setting))):
        pk.RetryPolicy(**setting)


# Bodies that no one thought of

FUZZ = r"""
import random, sys
from datetime import UTC, datetime
from periodkit.errors import SchemaError
from periodkit.parse import Answer, page_info, parse_actions, parse_periods

WHEN = datetime(2024, 7, 2, tzinfo=UTC)
WHOLE = [
    b'{"actions": [{"actionId": 1, "status": "a", "notes": ["x", null], "createdTime": "2024-07-01T19:00:00Z",'
    b' "aiDispatched": true, "zone": "N", "risk": 1.5}, {"actionId": 2}], "page": 1, "total_pages": 1}',
    b'{"actions": []}',
    b'{"actions":[{"actionId":1, "formFields": {"department": "Bar"}, "assignedUserNames": ["a"]}]}',
]
BITS = [
    *(bytes([byte]) for byte in b'{}[],:" -\t\n\0\\\xff'), b"null", b"true", b"NaN", b"1e999", b"-0", b"\\ud800", b"\\u0000",
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"[" * 30000, b'{"a":' * 30000, b"9" * 400, b"9" * 5000, b'"actions"', b"//x\n",
    b"[null]", b'null{"actions":[]}', b'{"actions":[]}null', b'{"actions":[]}\r\n \tnull', b'{"actions":null}', b"{}",
]
draw = random.Random(int(sys.argv[1]))
refused = 0
for _ in range(int(sys.argv[2])):
    body = bytearray(draw.choice(WHOLE))
    for _ in range(draw.choice([1, 1, 2, 4])):
        start = draw.randrange(len(body) + 1)
        body[start : start + draw.choice([0, 0, 1, 6])] = draw.choice([b"", *BITS])
    answers = [Answer(bytes(body), WHEN, 7)] + [Answer(draw.choice(WHOLE), WHEN, 8)] * draw.choice([0, 0, 1])
    draw.shuffle(answers)
    for read in (
        lambda: parse_actions(answers, ["department"]),
        lambda: page_info(answers[0], "actions"),
        lambda: parse_periods([Answer(bytes(body).replace(b"actions", b"periods"), WHEN)]),
    ):
        try:
            read()
        except SchemaError:
            refused += 1
print(refused)
"""


@pytest.mark.parametrize(
    ("seed", "bodies"), [(1, 1_000), pytest.param(2, 20_000, marks=pytest.mark.soak)], ids=["few", "many"]
)
def test_no_body_ends_the_process(seed, bodies):
    """In a process of its own: the reader below crashes on some input, which must not reach it."""
    done = subprocess.run(
        [sys.executable, "-c", FUZZ, str(seed), str(bodies)], capture_output=True, text=True, timeout=400, check=False
    )
    assert (done.returncode, done.stderr[-2000:]) == (0, "")
    assert int(done.stdout) > bodies
