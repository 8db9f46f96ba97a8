"""The description at ``/openapi.json`` matches what the sandbox does: schemathesis tries to prove otherwise."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from servers import Canned

from periodkit.parse import Answer, parse_actions
from periodkit.sandbox.openapi import description
from periodkit.sandbox.season import make_season
from periodkit.sandbox.server import Sandbox
from periodkit.schema import ACTIONS, PERIODS

ACTIONS_PATH = "/periods/{period_id}/actions"

# The operations have to be known when tests are collected; that the server sends the same is a test of its own.
# (schemathesis' loader by fixture, which could ask the server, does not work with pytest 9.2.)
_FOUND = description("1")
# A period that is there: any other integer is answered with 404, which says little about actions.
_FOUND["paths"] = {ACTIONS_PATH: _FOUND["paths"][ACTIONS_PATH]}
_FOUND["paths"][ACTIONS_PATH]["get"]["parameters"][0]["schema"] = {"enum": [4101, 4176]}

WHOLE = schemathesis.openapi.from_dict(description("1"))
PAGED = schemathesis.openapi.from_dict(description("1", paged=True))
FOUND = schemathesis.openapi.from_dict(_FOUND)
for _schema in (WHOLE, PAGED, FOUND):
    # The API ignores parameters that it does not know, and OpenAPI has no word for that. The token is not fuzzed here:
    # `attempt` sends the right one, and schemathesis' own check repeats requests without it and with a wrong one.
    _schema.config.generation.update(allow_extra_parameters=False, with_security_parameters=False)

BOUNDED = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def whole():
    with Sandbox(make_season().dataset) as running:
        yield running


@pytest.fixture(scope="module")
def paged():
    with Sandbox(make_season().dataset, page_size=50) as running:
        yield running


def attempt(case, sandbox: Sandbox) -> None:
    case.call_and_validate(base_url=sandbox.base_url, headers={"Authorization": f"Bearer {sandbox.token}"})


@WHOLE.parametrize()
@BOUNDED
def test_no_request_contradicts_the_description(case, whole):
    attempt(case, whole)


@FOUND.parametrize()
@BOUNDED
def test_no_request_for_actions_contradicts_the_description(case, whole):
    attempt(case, whole)


@PAGED.parametrize()
@BOUNDED
def test_no_request_for_a_page_contradicts_the_description(case, paged):
    attempt(case, paged)


def test_the_description_is_served_without_a_token(whole, paged):
    for sandbox, is_paged in ((whole, False), (paged, True)):
        body = requests.get(sandbox.base_url + "/openapi.json", timeout=10).json()
        assert body == description("1", paged=is_paged)


def test_every_record_of_the_season_is_as_described(whole):
    headers = {"Authorization": f"Bearer {whole.token}"}
    for path, parts in [("/periods", [""]), (ACTIONS_PATH, whole.dataset.period_ids)]:
        for part in parts:
            url = whole.base_url + path.format(period_id=part)
            assert WHOLE[path]["GET"].is_valid_response(requests.get(url, headers=headers, timeout=10))


def test_the_description_lists_every_field_of_the_table():
    body = description("1")
    schemas = body["components"]["schemas"]
    assert body["openapi"] == "3.1.0"
    assert list(schemas["Period"]["properties"]) == list(PERIODS.by_api)
    assert list(schemas["Action"]["properties"]) == list(ACTIONS.by_api)
    assert schemas["Action"]["required"] == [name for name, field in ACTIONS.by_api.items() if not field.nullable]


def messages(operation, status):
    examples = operation["responses"][status]["content"]["application/json"]["examples"]
    return [example["value"]["message"] for example in examples.values()]


def test_the_description_has_the_examples_and_error_texts_of_the_document():
    body = description("1")
    periods, actions = (body["paths"][path]["get"] for path in ("/periods", ACTIONS_PATH))
    assert messages(actions, "400") == [
        "Invalid period_id. It must be a valid integer for your team.",
        "Invalid form_fields. It must be an array of strings.",
    ]
    assert messages(actions, "404") == ["Period not found"]
    assert (
        messages(periods, "401")
        == messages(actions, "401")
        == ["Unauthorized. Send your API key in the header 'Authorization: Bearer <key>'."]
    )
    (form_fields,) = [one for one in actions["parameters"] if one["name"] == "form_fields"]
    assert form_fields["content"]["application/json"]["example"] == ["department", "budget"]
    assert "form_fields=%5B%22department%22%2C%22budget%22%5D" in form_fields["description"]
    for name, parameter in zip(("start_date", "end_date"), periods["parameters"], strict=True):
        assert parameter["name"] == name
        assert parameter["example"].endswith(".000Z")


@pytest.mark.parametrize(("paged", "schema"), [(False, WHOLE), (True, PAGED)])
def test_every_example_is_what_it_is_an_example_of(paged, schema):
    body = description("1", paged=paged)
    for path, table, key in (("/periods", PERIODS, "periods"), (ACTIONS_PATH, ACTIONS, "actions")):
        example = body["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["example"]
        assert list(example[key][0]) == list(table.by_api)
        session = requests.Session()
        headers = {"Content-Type": "application/json", "X-Periodkit-Sandbox": "synthetic season"}
        session.mount("http://", Canned(example, headers=headers))
        assert schema[path]["GET"].is_valid_response(session.get("http://127.0.0.1/"))
    frame = parse_actions([Answer(json.dumps(example).encode(), datetime.now(UTC), 4101)])
    assert frame["action_id"].tolist() == [70012]


@pytest.mark.parametrize("wrong", [{"form_fields": "a"}, {"form_fields": "[1]"}])
def test_the_error_texts_are_those_that_it_sends(whole, wrong):
    headers = {"Authorization": f"Bearer {whole.token}"}
    body = description("1")["paths"][ACTIONS_PATH]["get"]
    for path, query in (("/periods/4101/actions", wrong), ("/periods/x/actions", {}), ("/periods/1/actions", {})):
        response = requests.get(whole.base_url + path, params=query, headers=headers, timeout=60)
        assert response.json()["message"] in messages(body, str(response.status_code))


def test_every_response_is_described_with_the_sandboxs_name():
    body = description("1", paged=True)
    for operations in body["paths"].values():
        for response in operations["get"]["responses"].values():
            assert response["headers"] == {"X-Periodkit-Sandbox": {"$ref": "#/components/headers/Sandbox"}}
    assert "recorded file's name" in body["components"]["headers"]["Sandbox"]["description"]
