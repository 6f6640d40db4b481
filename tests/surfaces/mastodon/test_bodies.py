"""A body is one whether it is sent as JSON, as a form or as multipart: of every method of Mastodon's API that takes
one, made up from the OpenAPI document that the server hands out."""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from litestar import Litestar
from tests.support.people import People
from tests.surfaces.conftest import Person
from tests.surfaces.mastodon.test_bad_requests import asked_often
from tests.surfaces.mastodon.test_registration import program

from folkmoot.app import openapi_document
from folkmoot.gate import Role
from folkmoot.surfaces import forms, http

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
KINDS = ("application/json", "application/x-www-form-urlencoded", "multipart/form-data")
# Which a browser has to have open.
PAGES = {f"post /oauth/authorize{page}" for page in ("", "/sign-in", "/second-factor")}
DOCUMENT: dict[str, Any] = msgspec.json.decode(openapi_document())


def methods() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """(method, path, schema of the body)."""
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {})
            if content and path.startswith(("/api/v1/", "/api/v2/", "/oauth/")):
                assert set(KINDS) <= content.keys(), (method, path)
                yield method, path, content[KINDS[0]]["schema"]


NUMBERS = count(1)


def made_up(schema: dict[str, Any]) -> Any:
    """Something that the schema allows, with every field that it knows; no two texts alike."""
    if "$ref" in schema:
        return made_up(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    if "anyOf" in schema:
        kinds = [one for one in schema["anyOf"] if one.get("type") != "null"]
        return made_up(next((one for one in kinds if one.get("type") == "string"), kinds[0]))
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "object":
            fields = {name: made_up(one) for name, one in schema.get("properties", {}).items()}
            others = schema.get("additionalProperties")
            return {**fields, "0": made_up(others)} if isinstance(others, dict) else fields
        case "array":
            return [made_up(schema["items"]) for _ in range(2)]
        case "boolean":
            return True
        case "integer":
            return max(600, schema.get("minimum", 0))
        case "number":
            return 0.5
    return str(next(NUMBERS))


def fields(document: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """The same as the fields of a form, as Rails names them."""
    match document:
        case dict():
            for key, value in document.items():
                yield from fields(value, f"{name}[{key}]" if name else key)
        case list():
            for value in document:
                yield from fields(value, f"{name}[]")
        case bool():
            yield name, str(document).lower()
        case _:
            yield name, str(document)


def sent(kind: str, document: Any) -> dict[str, Any]:
    if kind == KINDS[0]:
        return {"json": document}
    pairs = list(fields(document))
    if kind == KINDS[1]:
        return {"content": urlencode(pairs), "headers": {"content-type": kind}}
    return {"files": [(name, (None, value)) for name, value in pairs]}


async def test_a_body_is_read_alike_however_it_is_sent(
    app: Litestar, client: httpx.AsyncClient, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []

    def noted(document: Any, kind: type[Any]) -> Any:
        read.append(forms.as_sent(document, kind))
        return read[-1]

    monkeypatch.setattr(http, "as_sent", noted)
    keeper = {"Authorization": f"Bearer {await people.token(await people.create('keeper', Role.OWNER))}"}
    shown = {"/api/v1/accounts": await program(people)}
    wrong: dict[str, Any] = {}
    tried = 0
    for method, path, schema in methods():
        document, found = made_up(schema), []
        for kind in KINDS:
            asked_often(app)
            read.clear()
            request = sent(kind, document)
            request["headers"] = request.get("headers", {}) | shown.get(path, keeper)
            answer = await client.request(method, re.sub(r"{\w+}", "1", path), **request)
            found.append((*read, answer.status_code))
        tried += 1
        if len(found[0]) != 2 or found != [found[0]] * len(KINDS):
            wrong[f"{method} {path}"] = (document, found)
    assert wrong.keys() == PAGES, {name: why for name, why in wrong.items() if name not in PAGES}
    assert tried > 50


@pytest.mark.parametrize("kind", KINDS[1:])
async def test_rows_that_say_different_fields_stay_apart(
    client: httpx.AsyncClient, alice: Person, kind: str
) -> None:
    async def keywords(method: str, path: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        request = sent(kind, {"title": "drinks", "context": ["home"], "keywords_attributes": rows})
        request["headers"] = request.get("headers", {}) | alice.headers
        answer = await client.request(method, path, **request)
        assert answer.status_code == 200, answer.text
        made.append(answer.json()["id"])
        return list(answer.json()["keywords"])

    made: list[str] = []
    tea, milk, salt = await keywords(
        "POST", "/api/v2/filters", [{"keyword": word} for word in ("tea", "milk", "salt")]
    )
    rows = [
        {"id": tea["id"], "_destroy": True},
        {"id": milk["id"], "keyword": "oat milk"},
        {"id": salt["id"], "_destroy": True},
        {"keyword": "water", "whole_word": True},
        {"keyword": "juice"},
    ]
    # As in Rails, a row begins with the first field that the one before says already.
    found = await keywords("PUT", f"/api/v2/filters/{made[0]}", [*rows[:3], {"id": "", **rows[3]}, rows[4]])
    assert [one["keyword"] for one in found] == ["oat milk", "water", "juice"]


@pytest.mark.parametrize("kind", KINDS[1:])
async def test_rows_stay_in_their_order(client: httpx.AsyncClient, alice: Person, kind: str) -> None:
    """Numbered, as Tusky sends those of a profile; and one after another, as Mastodon's documentation has it."""
    rows = [{"name": name, "value": name.upper()} for name in "dbca"]
    for attributes in (dict(enumerate(rows)), rows):
        request = sent(kind, {"fields_attributes": attributes})
        request["headers"] = request.get("headers", {}) | alice.headers
        answer = await client.patch("/api/v1/accounts/update_credentials", **request)
        assert [{"name": one["name"], "value": one["value"]} for one in answer.json()["fields"]] == rows
