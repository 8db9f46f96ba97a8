"""Where the token goes, and where it does not."""

import os
import signal
import textwrap
import time

import pytest
import requests
from processes import shown_to_everyone, started
from servers import head, raw, scripted

import periodkit as pk

TOKEN = "s3cret-t0ken-of-mine"
EMPTY = {"periods": []}


def connect(url, **options):
    return pk.Client(url, TOKEN, **{"progress": False, "retry": None} | options)


# Hosts


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "127.255.255.254:8000", "[::1]", "[::1]:8000"]
)
def test_plain_http_may_stay_on_this_machine(host):
    pk.Client(f"http://{host}/v1", TOKEN).close()


@pytest.mark.parametrize(
    "host",
    [
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example",
        "128.0.0.1",
        "0.0.0.0",
        "[::2]",
        "2130706433",
        "0x7f000001",
        "127.1",
        "localhost%2eevil.example",
        "localhosts",
    ],
)
def test_plain_http_leaves_this_machine_only_when_allowed(host):
    with pytest.raises(pk.ConfigError, match=r"allow_insecure=True|should look like"):
        pk.Client(f"http://{host}/v1", TOKEN)


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    "rest",
    [
        "127.0.0.1@evil.example",
        "127.0.0.1:80@evil.example",
        ":@127.0.0.1",
        "evil.example\\@127.0.0.1",
        "127.0.0.1\\@evil.example",
        "127.0.0.1\\.evil.example",
        "127.0.0.1#@evil.example",
        "127.0.0.1?@evil.example",
        "evil.example\n.127.0.0.1",
        "local\thost",
        "localhost ",
        "[::1]evil.example",
        "[::1].evil.example",
        "[localhost]",
    ],
)
def test_a_host_that_two_readers_could_read_differently_is_refused(scheme, rest):
    with pytest.raises(pk.ConfigError):
        pk.Client(f"{scheme}://{rest}/v1", TOKEN, allow_insecure=True)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_carries_the_token_nowhere(status):
    with scripted(lambda path, sent: (200, {}, EMPTY)) as (other, seen):
        port = other.rpartition(":")[2]
        for target in (f"http://localhost:{port}/periods", f"http://127.0.0.1:{port}/periods", f"//127.0.0.1:{port}/"):
            with scripted(lambda path, sent, to=target: (status, {"Location": to}, b"")) as (url, asked):
                with connect(url) as client, pytest.raises(pk.ApiError, match=f"redirects to .*:{port}") as caught:
                    client.periods()
            assert len(asked) == 1
            assert not caught.value.retryable
    assert seen == []


# Sessions and the environment


def authorization(**options):
    with scripted(lambda path, sent: (200, {}, EMPTY)) as (url, seen), connect(url, **options) as client:
        client.periods()
    return [value for name, value in seen[0][1].items() if name.lower() == "authorization"]


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    file = tmp_path / "netrc"
    file.write_text("machine 127.0.0.1 login someone password else\ndefault login any password body\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


@pytest.mark.usefixtures("netrc")
def test_credentials_of_this_machine_stay_at_home():
    with scripted(lambda path, sent: (200, {}, EMPTY)) as (url, seen):
        requests.get(url, timeout=5)
    assert seen[0][1]["Authorization"].startswith("Basic "), "the file is not read, so the test would prove nothing"
    assert authorization() == [f"Bearer {TOKEN}"]
    with requests.Session() as session:
        assert authorization(session=session) == [f"Bearer {TOKEN}"]


def test_the_token_is_that_of_the_client_whatever_the_session_says():
    with requests.Session() as session:
        session.auth = ("someone", "else")
        session.headers["Authorization"] = "Basic c29tZW9uZTplbHNl"
        assert authorization(session=session) == [f"Bearer {TOKEN}"]
        assert session.auth == ("someone", "else")


def test_a_session_that_reads_answers_itself_takes_nothing_away():
    with requests.Session() as session:
        session.hooks["response"] = lambda response, **options: response.content and None
        with scripted(lambda path, sent: (200, {}, {"periods": [{"id": 1}]})) as (url, _):
            with connect(url, session=session) as client:
                assert client.periods()["period_id"].tolist() == [1]


def test_a_proxy_that_the_environment_names_is_used(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "")
    monkeypatch.setenv("no_proxy", "")
    with scripted(lambda path, sent: (200, {}, EMPTY)) as (proxy, seen):
        monkeypatch.setenv("http_proxy", proxy)
        with connect("http://api.invalid/v1", allow_insecure=True) as client:
            client.periods()
    assert seen[0][0] == "http://api.invalid/v1/periods"


# A person who stops it

FETCH = """
import sys
import periodkit as pk
client = pk.Client(sys.argv[1], progress=False, timeout=60, workers={workers})
try:
    {call}
except KeyboardInterrupt as stop:
    print(type(stop).__name__, len(getattr(stop, "done", ())), len(getattr(stop, "failed", ())), flush=True)
    {after}
"""


def interrupted(tmp_path, answer, call, when, after="pass", workers=4):
    """Run `call` in a process of its own, interrupt it once `when(seen, log)`, and return what it printed."""
    script, log = tmp_path / "fetch.py", tmp_path / "log"
    script.write_text(FETCH.format(call=call, after=after, workers=workers))
    with raw(answer) as (url, seen), log.open("w") as errors:
        environment = os.environ | {"ALO_API_TOKEN": TOKEN}
        with started(script, url, stderr=errors, env=environment) as process:
            limit = time.monotonic() + 120
            while not when(seen, log.read_text()):
                assert process.poll() is None
                assert time.monotonic() < limit
                time.sleep(0.02)
            assert TOKEN.encode() not in shown_to_everyone(process)
            process.send_signal(signal.SIGINT)
            told, _ = process.communicate(timeout=60)
    return told.split()


pytestmark_posix = pytest.mark.skipif(os.name != "posix", reason="signals are sent to a process as POSIX has them")


def slow_from(number, pieces):
    """Answer periods below `number` at once, and the others with `pieces`."""

    def answer(path):
        body = b'{"actions": [{"actionId": 1}]}'
        return [head(body), body] if int(path.split("/")[2]) < number else pieces

    return answer


def all_are_stuck(number, workers=4):
    """The moment when every worker has asked for a slow period: it has kept the quick ones that it asked for before."""
    return lambda seen, log: sum(int(line.split("/")[2]) >= number for line in list(seen)) == workers


@pytestmark_posix
@pytest.mark.parametrize(
    ("pieces", "workers", "when"),
    [
        ([600.0], 4, all_are_stuck(10)),
        ([head(b"{}" * 99), b"{", 600.0], 4, all_are_stuck(10)),
        # One worker: the refusal stops all of them, also one that has not been answered yet.
        ([head(b"", "429 Slow", Retry_After="600")], 1, lambda seen, log: "Asking again in 120.0 s" in log),
    ],
    ids=["a request that is not answered", "a body that stops", "a wait before the next try"],
)
def test_ctrl_c_stops_at_once_and_keeps_what_came(tmp_path, pieces, workers, when):
    """Neither the error nor the end of the process waits for what is under way: communicate() would time out."""
    after = "assert list(stop.failed) == list(range(10, 200)) and stop.done['period_id'].tolist() == list(range(10))"
    answer = slow_from(10, pieces)
    told = interrupted(tmp_path, answer, "client.actions(range(200))", when, after, workers)
    assert told == ["FetchInterrupted", "10", "190"]


@pytestmark_posix
def test_ctrl_c_stops_one_period_and_an_iteration(tmp_path):
    answer = slow_from(3, [600.0])
    call = "client.actions(5)"
    assert interrupted(tmp_path, answer, call, lambda seen, log: seen) == ["KeyboardInterrupt", "0", "0"]
    file = tmp_path / "came"
    call = f"[print(i, file=open({str(file)!r}, 'a'), flush=True) for i, frame in client.iter_actions(range(50))]"
    when = lambda seen, log: file.exists() and file.read_text().count("\n") == 3  # noqa: E731
    assert interrupted(tmp_path, answer, call, when) == ["KeyboardInterrupt", "0", "0"]
    assert sorted(file.read_text().split()) == ["0", "1", "2"]


@pytestmark_posix
def test_what_an_interrupt_left_out_can_be_fetched(tmp_path):
    stopped = []

    def answer(path):
        return slow_from(5 if not stopped else 99, [600.0])(path)

    def when(seen, log):
        if not stopped and all_are_stuck(5)(seen, log):
            stopped.append(True)
        return stopped

    after = textwrap.dedent("rest = client.actions(stop.failed); print(len(stop.done) + len(rest), flush=True)")
    told = interrupted(tmp_path, answer, "client.actions(range(20))", when, after)
    assert told == ["FetchInterrupted", "5", "15", "20"]
