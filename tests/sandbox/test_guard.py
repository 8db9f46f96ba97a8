"""Whose sandbox it is, and who may ask it: its name, its hosts, its token, and the one spelling of form fields."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http.client import HTTPConnection

import pytest
import requests

import periodkit as pk
from periodkit.sandbox import DEFAULT_TOKEN, DataSet, Sandbox, token_for
from periodkit.sandbox.season import make_season

HEADER = "X-Periodkit-Sandbox"
INVALID_FIELDS = {"message": "Invalid form_fields. It must be an array of strings."}


def by_hand(source: str = "by hand", **more) -> DataSet:
    return DataSet(datetime(2025, 1, 3, 11, 0, tzinfo=UTC), source, [{"id": 1, "name": "One"}], {}, **more)


@pytest.fixture(scope="module")
def season():
    with Sandbox(make_season().dataset) as running:
        yield running


@pytest.fixture
def recorded(tmp_path):
    def write(name: str) -> DataSet:
        by_hand().save(tmp_path / name)
        return DataSet.load(tmp_path / name)

    return write


def ask(sandbox: Sandbox, host: str | None, path: str = "/periods") -> tuple[int, dict, str | None]:
    """Ask with a host of one's own choice, as a browser does whose name server lies."""
    connection = HTTPConnection("127.0.0.1", sandbox.port, timeout=60)
    try:
        connection.putrequest("GET", path, skip_host=True)
        for name in [] if host is None else host.split("\n"):
            connection.putheader("Host", name)
        connection.putheader("Authorization", f"Bearer {sandbox.token}")
        connection.endheaders()
        response = connection.getresponse()
        body = response.read()
        return response.status, json.loads(body) if body.startswith(b"{") else {}, response.getheader(HEADER)
    finally:
        connection.close()


# Its name


@pytest.mark.parametrize(
    "path", ["/periods", "/periods/4101/actions", "/periods/x/actions", "/nowhere", "/openapi.json"]
)
def test_every_response_says_that_it_is_the_sandboxs(season, path):
    assert requests.get(season.base_url + path, timeout=60).headers[HEADER] == "synthetic season"
    assert requests.delete(season.base_url + path, timeout=60).headers[HEADER] == "synthetic season"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("venue-2024.json.gz", "venue-2024.json.gz"),
        ("Zürich %41.json", "Z%C3%BCrich %2541.json"),
        ("a\nb: c.json", "a%0Ab: c.json"),
        ("x" * 120 + ".json", "x" * 100),
    ],
)
def test_a_recorded_set_is_named_by_its_file(recorded, name, header):
    with Sandbox(recorded(name)) as sandbox:
        authorization = {"Authorization": f"Bearer {sandbox.token}"}
        response = requests.get(sandbox.base_url + "/periods", headers=authorization, timeout=60)
        assert response.headers[HEADER] == header
        with pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
            client.periods()
            assert client.origin == f"sandbox: {name[:100]}".replace("\n", " ")


def test_the_clients_origin_is_whose_data_it_fetches(season):
    with pk.Client(season.base_url, season.token, progress=False) as client:
        assert client.origin == season.base_url, "nothing was asked yet"
        client.actions([4101, 4176])
        assert client.origin == "sandbox: synthetic season"
    with pk.demo_client(progress=False) as client:
        client.periods()
        assert client.origin == "sandbox: synthetic season"
    with Sandbox(by_hand()) as sandbox, pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        client.periods()
        assert client.origin == "sandbox: by hand"


@pytest.mark.parametrize("source", ["", "  ", "\ud800", "\x00\x1b[2J"])
def test_any_source_makes_a_name(source):
    with Sandbox(by_hand(source)) as sandbox, pk.Client(sandbox.base_url, sandbox.token, progress=False) as client:
        client.periods()
        assert client.origin.startswith("sandbox: ")
        assert client.origin.isprintable()


# Its hosts


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost:80", "127.0.0.1:9999"])
def test_it_answers_to_its_own_names(season, host):
    """At any port: one may lead to it from elsewhere on this machine."""
    assert ask(season, host)[0] == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8770",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "evil.example/127.0.0.1",
        "127.0.0.2",
        "[::1]",
        "0.0.0.0",
        "localhost:",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/periods", "/periods/4101/actions", "/openapi.json", "/nowhere"])
def test_it_answers_to_no_other_name(season, host, path):
    """A page on the web can let its own name lead to this machine, and read what it answers."""
    message = {"message": "Misdirected. The sandbox answers as 127.0.0.1 or localhost only."}
    assert ask(season, host, path) == (421, message, "synthetic season")


@pytest.mark.parametrize("host", [None, "127.0.0.1\nevil.example", "evil.example\n127.0.0.1"])
def test_nor_to_several_or_none(season, host):
    assert ask(season, host)[0] in (400, 421)


# Its token


def test_recorded_data_have_a_token_of_their_own(recorded, season):
    assert season.token == DEFAULT_TOKEN
    data = recorded("venue.json")
    assert len({token_for(data), token_for(data), DEFAULT_TOKEN}) == 3
    with Sandbox(data) as sandbox:
        assert len(sandbox.token) > 20
        assert sandbox.token not in repr(sandbox)
        headers = {"Authorization": f"Bearer {DEFAULT_TOKEN}"}
        assert requests.get(sandbox.base_url + "/periods", headers=headers, timeout=60).status_code == 401
    with Sandbox(data, token="mine") as sandbox:
        assert sandbox.token == "mine"


def test_the_demo_of_a_recorded_set_knows_its_token(recorded, tmp_path):
    recorded("venue.json.gz")
    with pk.demo_client(tmp_path / "venue.json.gz", progress=False) as client:
        assert client.periods()["period_id"].tolist() == [1]
        assert client.origin == "sandbox: venue.json.gz"


def test_a_saved_season_is_a_recorded_set(tmp_path):
    make_season().dataset.save(tmp_path / "season.json.gz")
    loaded = DataSet.load(tmp_path / "season.json.gz")
    assert loaded == make_season().dataset
    assert loaded.name == "season.json.gz"
    assert token_for(loaded) != DEFAULT_TOKEN


# The one spelling of form fields


@pytest.mark.parametrize(
    "query",
    [
        "form_fields[]=a",
        "form_fields%5B%5D=department",
        "form_fields[]=a&form_fields[]=b",
        "form_fields[0]=a",
        "form_fields=[]&form_fields[]=a",
        "form_fields[",
    ],
)
def test_a_list_in_brackets_is_the_documented_400(season, query):
    url = f"{season.base_url}/periods/4101/actions?{query}"
    response = requests.get(url, headers={"Authorization": f"Bearer {season.token}"}, timeout=60)
    assert (response.status_code, response.json()) == (400, INVALID_FIELDS)
