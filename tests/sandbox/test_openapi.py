"""The description at ``/openapi.json`` matches what the sandbox does: schemathesis tries to prove otherwise."""

from __future__ import annotations

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings

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
