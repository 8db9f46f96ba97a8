"""Proxies: none for this machine, whatever the environment says, and none in clear without leave."""

import os

import pytest
import requests
from servers import raw, scripted

import periodkit as pk

TOKEN = "s3cret-t0ken-of-mine"
EMPTY = {"periods": []}
NAMES = ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


def connect(url, **options):
    return pk.Client(url, TOKEN, **{"progress": False, "retry": None} | options)


@pytest.mark.parametrize("variables", [["http_proxy"], ["all_proxy", "ALL_PROXY"], ["http_proxy", "https_proxy"]])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("own", [True, False], ids=["own session", "the caller's session"])
def test_this_machine_is_reached_without_a_proxy(monkeypatch, variables, host, own):
    with scripted(lambda path, sent: (200, {}, EMPTY)) as (proxy, taken):
        for name in variables:
            monkeypatch.setenv(name, proxy)
        with (
            scripted(lambda path, sent: (200, {}, {"periods": [{"id": 1}]})) as (url, seen),
            requests.Session() as session,
        ):
            assert session.get(url, timeout=60).json() == EMPTY, "the proxy is not used, so this would prove nothing"
            taken.clear()
            with connect(url.replace("127.0.0.1", host), session=None if own else session) as client:
                assert client.periods()["period_id"].tolist() == [1]
    assert taken == []
    assert len(seen) == 1


def test_nor_with_one_that_the_callers_session_names():
    with scripted(lambda path, sent: (200, {}, EMPTY)) as (proxy, taken), requests.Session() as session:
        session.proxies = {"http": proxy, "all": proxy}
        with scripted(lambda path, sent: (200, {}, {"periods": [{"id": 1}]})) as (url, _):
            with connect(url, session=session) as client:
                assert client.periods()["period_id"].tolist() == [1]
        assert session.proxies == {"http": proxy, "all": proxy}
    assert taken == []


def test_the_demos_data_come_from_the_sandbox(monkeypatch):
    with scripted(lambda path, sent: (200, {}, EMPTY)) as (proxy, taken):
        monkeypatch.setenv("http_proxy", proxy)
        with pk.demo_client(progress=False) as client:
            assert len(client.periods()) == 26
    assert taken == []


@pytest.mark.parametrize("host", ["api.invalid", "10.0.0.7", "[::2]"])
def test_plain_http_through_a_proxy_needs_leave(monkeypatch, host):
    with scripted(lambda path, sent: (200, {}, EMPTY)) as (proxy, taken):
        monkeypatch.setenv("http_proxy", proxy)
        with pytest.raises(pk.ConfigError, match=r"a proxy included.*allow_insecure=True"):
            connect(f"http://{host}/v1")
        assert taken == []
        with connect(f"http://{host}/v1", allow_insecure=True) as client:
            client.periods()
    assert [path for path, _ in taken] == [f"http://{host}/v1/periods"]


def test_a_proxy_of_https_does_not_see_the_token(monkeypatch):
    with raw(lambda path: [b"HTTP/1.1 502 No\r\n\r\n"]) as (proxy, seen):
        monkeypatch.setenv("https_proxy", proxy)
        with connect("https://api.invalid/v1") as client:
            with pytest.raises(pk.TransportError, match=r"Check the proxy that the environment names") as caught:
                client.periods()
    assert seen[0].startswith("CONNECT api.invalid:443 ")
    assert TOKEN not in "".join(seen) + str(caught.value)


def test_the_environment_is_left_as_it_was(monkeypatch):
    before = dict(os.environ)
    with scripted(lambda path, sent: (200, {}, {"actions": []})) as (url, _), connect(url) as client:
        client.actions(range(50))
    assert dict(os.environ) == before
