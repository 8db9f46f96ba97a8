"""The sandbox's OpenAPI 3.1 description, made from the table of fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from periodkit.schema import ACTIONS, MARKERS, PERIODS, Field, Kind, Table

__all__ = [
    "INVALID_DATE",
    "INVALID_FORM_FIELDS",
    "INVALID_PAGE",
    "INVALID_PERIOD_ID",
    "MISDIRECTED",
    "NOT_FOUND",
    "SANDBOX_HEADER",
    "TIME_PATTERN",
    "UNAUTHORIZED",
    "description",
]

SANDBOX_HEADER = "X-Periodkit-Sandbox"

INVALID_PERIOD_ID = "Invalid period_id. It must be a valid integer for your team."
INVALID_FORM_FIELDS = "Invalid form_fields. It must be an array of strings."
NOT_FOUND = "Period not found"
# The API documents no text for these; they are the sandbox's own.
INVALID_DATE = "Invalid {}. It must be a time like 2025-05-17T15:30:00.000Z."
INVALID_PAGE = "Invalid {}. It must be a positive integer."
MISDIRECTED = "Misdirected. The sandbox answers as 127.0.0.1 or localhost only."
UNAUTHORIZED = "Unauthorized. Send your API key in the header 'Authorization: Bearer <key>'."

TIME_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
"""The one form of a time that the API documents for its parameters."""

Json = dict[str, Any]

_EXAMPLES: Json = {
    "id": 4101,
    "periodId": 4101,
    "name": "Cup final",
    "periodName": "Cup final",
    "start_date": "2024-07-01T17:00:00.000Z",
    "end_date": "2024-07-01T21:00:00.000Z",
    "markers": {"name": "Kick-off", "timestamp": "2024-07-01T19:00:00.000Z"},
    "periodActionId": 12,
    "actionId": 70012,
    "classification": "Medical",
    "subClassification": "First aid",
    "status": "closed",
    "createdTime": "2024-07-01T19:04:10.000Z",
    "assignedTime": "2024-07-01T19:04:52.000Z",
    "doingTime": "2024-07-01T19:09:30.000Z",
    "closedTime": "2024-07-01T19:31:05.000Z",
    "createdByUserName": "Control 1",
    "periodMarker": "Kick-off",
    "assignedUserNames": ["Medical 07"],
    "channel": "Stewards",
    "formType": "Incident",
    "latestChannel": "Medical",
    "aiDispatched": True,
    "notes": ["Form field not found: budget"],
}
_EXAMPLES_BY_KIND: Json = {
    Kind.ID: 1,
    Kind.TEXT: "text",
    Kind.TIME: "2024-06-20T08:00:00.000Z",
    Kind.FLAG: True,
    Kind.LIST: ["text"],
}


def description(version: str, paged: bool = False) -> Json:
    """Return the OpenAPI document.

    Parameters
    ----------
    version : str
        Version to name in it.
    paged : bool
        Whether the lists are answered page by page.

    Returns
    -------
    dict
        JSON-ready document.

    Examples
    --------
    >>> sorted(description("1.0")["paths"])
    ['/openapi.json', '/periods', '/periods/{period_id}/actions']
    """
    day = "Periods whose timeframe overlaps [start_date, end_date], both ends included."
    moment = {"type": "string", "format": "date-time", "pattern": TIME_PATTERN}
    periods = [_query(name, day, moment) | {"example": _EXAMPLES[name]} for name in _DATES]
    actions = [
        {
            "name": "period_id",
            "in": "path",
            "required": True,
            "schema": {"type": "integer", "minimum": 1},
            "example": _EXAMPLES["periodId"],
        },
        {
            "name": "form_fields",
            "in": "query",
            "required": False,
            "description": (
                "Form fields to send as keys of each action, as one JSON array, URL-encoded whole: "
                "form_fields=%5B%22department%22%2C%22budget%22%5D. Any other spelling, such as form_fields[]=department, "
                "is a 400."
            ),
            "content": {
                "application/json": {
                    "schema": {"type": "array", "items": {"type": "string"}},
                    "example": ["department", "budget"],
                }
            },
        },
    ]
    paging = [_query(name, "Page to answer.", {"type": "integer", "minimum": 1}) for name in ("page", "per_page")]
    if paged:
        periods, actions = periods + paging, actions + paging
    invalid_page = [INVALID_PAGE.format(name) for name in ("page", "per_page")] if paged else []
    found = {"401": ("No token, or a wrong one.", [UNAUTHORIZED])}
    return {
        "openapi": "3.1.0",
        "info": {"title": "periodkit sandbox", "version": version, "description": "Periods and actions of a venue."},
        "security": [{"bearer": []}],
        "paths": {
            "/periods": {
                "get": _operation(
                    "listPeriods",
                    "Periods.",
                    periods,
                    _list("periods", "Period", paged, _example(PERIODS)),
                    {"400": ("A date is not valid.", [*map(INVALID_DATE.format, _DATES), *invalid_page])} | found,
                )
            },
            "/periods/{period_id}/actions": {
                "get": _operation(
                    "listActions",
                    "All actions of one period.",
                    actions,
                    _list("actions", "Action", paged, _example(ACTIONS)),
                    {"400": ("A parameter is not valid.", [INVALID_PERIOD_ID, INVALID_FORM_FIELDS, *invalid_page])}
                    | found
                    | {"404": ("No such period.", [NOT_FOUND])},
                )
            },
            "/openapi.json": {
                "get": {
                    "operationId": "describe",
                    "summary": "This document.",
                    "security": [],
                    "responses": {
                        "200": _response("The document.", {"type": "object", "required": ["openapi"]}),
                        **_errors({}),
                    },
                }
            },
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "headers": {
                "Sandbox": {
                    "description": (
                        "What the sandbox serves: the synthetic season, or a recorded file's name, in ASCII and "
                        "percent-encoded where it is not. The real API does not send it."
                    ),
                    "required": True,
                    "schema": {"type": "string"},
                    "example": "synthetic season",
                }
            },
            "schemas": {
                "Period": _record(PERIODS) | {"additionalProperties": True},
                "Marker": _record(MARKERS),
                # Requested form fields arrive as further keys, whatever their values are.
                "Action": _record(ACTIONS) | {"additionalProperties": True},
                "Error": {
                    "type": "object",
                    "required": ["message"],
                    "properties": {"message": {"type": "string"}},
                    "additionalProperties": False,
                },
            },
        },
    }


_DATES = ("start_date", "end_date")


def _query(name: str, text: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}


def _response(text: str, schema: Json, **examples: Any) -> Json:  # noqa: ANN401
    return {
        "description": text,
        "headers": {SANDBOX_HEADER: {"$ref": "#/components/headers/Sandbox"}},
        "content": {"application/json": {"schema": schema, **examples}},
    }


def _errors(errors: Mapping[str, tuple[str, list[str]]]) -> Json:
    """Return the responses for these statuses, each with the messages that it can have."""
    every = {**errors, "421": ("Another host was asked for.", [MISDIRECTED])}
    schema = {"$ref": "#/components/schemas/Error"}
    return {
        code: _response(
            text, schema, examples={f"{i}": {"value": {"message": said}} for i, said in enumerate(messages, 1)}
        )
        for code, (text, messages) in every.items()
    }


def _example(table: Table) -> Json:
    return {name: _EXAMPLES.get(name, _EXAMPLES_BY_KIND[one.kind]) for name, one in table.by_api.items()}


def _operation(
    name: str, summary: str, parameters: list[Json], response: Json, errors: Mapping[str, tuple[str, list[str]]]
) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {"200": response, **_errors(errors)},
    }


def _list(key: str, record: str, paged: bool, example: Json) -> Json:
    properties: Json = {key: {"type": "array", "items": {"$ref": f"#/components/schemas/{record}"}}}
    if paged:
        properties |= {name: {"type": "integer"} for name in ("page", "per_page", "total_pages", "total_count")}
    schema = {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}
    paging = {"page": 1, "per_page": 100, "total_pages": 1, "total_count": 1} if paged else {}
    return _response(f"The {key}.", schema, example={key: [example], **paging})


def _record(table: Table) -> Json:
    fields = table.by_api
    return {
        "type": "object",
        "required": [name for name, one in fields.items() if not one.nullable],
        "properties": {name: _value(one) for name, one in fields.items()},
    }


def _value(one: Field) -> Json:
    if one.api == "markers":
        marker = {"$ref": "#/components/schemas/Marker"}
        return {"description": one.meaning, "anyOf": [{"type": "array", "items": marker}, marker, {"type": "null"}]}
    kind = one.kind.json
    if one.api == "notes":
        kind["type"] = ["array", "string"]
    types = kind["type"] if isinstance(kind["type"], list) else [kind["type"]]
    return kind | {"description": one.meaning, "type": [*types, "null"] if one.nullable else kind["type"]}
