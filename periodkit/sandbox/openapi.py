"""The sandbox's OpenAPI 3.1 description, made from the table of fields."""

from __future__ import annotations

from typing import Any

from periodkit.schema import ACTIONS, MARKERS, PERIODS, Field, Kind, Table

__all__ = ["INVALID_DATE", "INVALID_FORM_FIELDS", "INVALID_PAGE", "INVALID_PERIOD_ID", "NOT_FOUND", "TIME_PATTERN"]
__all__ += ["UNAUTHORIZED", "description"]

INVALID_PERIOD_ID = "Invalid period_id. It must be a valid integer for your team."
INVALID_FORM_FIELDS = "Invalid form_fields. It must be an array of strings."
NOT_FOUND = "Period not found"
# The API documents no text for these; they are the sandbox's own.
INVALID_DATE = "Invalid {}. It must be a time like 2025-05-17T15:30:00.000Z."
INVALID_PAGE = "Invalid {}. It must be a positive integer."
UNAUTHORIZED = "Unauthorized. Send your API key in the header 'Authorization: Bearer <key>'."

TIME_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z$"
"""The one form of a time that the API documents for its parameters."""

Json = dict[str, Any]

_TYPES: dict[Kind, Json] = {
    Kind.ID: {"type": "integer"},
    Kind.TEXT: {"type": "string"},
    Kind.TIME: {"type": "string", "format": "date-time"},
    Kind.FLAG: {"type": "boolean"},
    Kind.LIST: {"type": "array", "items": {"type": "string"}},
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
    periods = [_query(name, day, {"type": "string", "format": "date-time", "pattern": TIME_PATTERN}) for name in _DATES]
    actions = [
        {"name": "period_id", "in": "path", "required": True, "schema": {"type": "integer", "minimum": 1}},
        {
            "name": "form_fields",
            "in": "query",
            "required": False,
            "description": "Form fields to send as keys of each action, as one JSON array, URL-encoded whole.",
            "content": {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}},
        },
    ]
    paging = [_query(name, "Page to answer.", {"type": "integer", "minimum": 1}) for name in ("page", "per_page")]
    if paged:
        periods, actions = periods + paging, actions + paging
    found = {"400": "A parameter is not valid.", "401": "No token, or a wrong one."}
    return {
        "openapi": "3.1.0",
        "info": {"title": "periodkit sandbox", "version": version, "description": "Periods and actions of a venue."},
        "security": [{"bearer": []}],
        "paths": {
            "/periods": {
                "get": _operation("listPeriods", "Periods.", periods, _list("periods", "Period", paged), found)
            },
            "/periods/{period_id}/actions": {
                "get": _operation(
                    "listActions",
                    "All actions of one period.",
                    actions,
                    _list("actions", "Action", paged),
                    found | {"404": "No such period."},
                )
            },
            "/openapi.json": {
                "get": {
                    "operationId": "describe",
                    "summary": "This document.",
                    "security": [],
                    "responses": {"200": _response("The document.", {"type": "object", "required": ["openapi"]})},
                }
            },
        },
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
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


def _response(text: str, schema: Json) -> Json:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _operation(name: str, summary: str, parameters: list[Json], answer: Json, errors: dict[str, str]) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "parameters": parameters,
        "responses": {
            "200": answer,
            **{code: _response(text, {"$ref": "#/components/schemas/Error"}) for code, text in errors.items()},
        },
    }


def _list(key: str, record: str, paged: bool) -> Json:
    properties: Json = {key: {"type": "array", "items": {"$ref": f"#/components/schemas/{record}"}}}
    if paged:
        properties |= {name: {"type": "integer"} for name in ("page", "per_page", "total_pages", "total_count")}
    schema = {"type": "object", "required": list(properties), "properties": properties, "additionalProperties": False}
    return _response(f"The {key}.", schema)


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
    kind = dict(_TYPES[one.kind])
    if one.api == "notes":
        kind["type"] = ["array", "string"]
    types = kind["type"] if isinstance(kind["type"], list) else [kind["type"]]
    return kind | {"description": one.meaning, "type": [*types, "null"] if one.nullable else kind["type"]}
