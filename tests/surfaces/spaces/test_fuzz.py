"""Requests made up from the register of routes and the OpenAPI document: whatever comes in, nothing breaks.

A small generator: for each operation, its parameters and its body from the schema, and here and there something
that the schema never meant. The answer is never a 5xx (but for "not yet"), and every error says a sentence.
"""

import json
import re
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from litestar import Litestar
from litestar.routes import HTTPRoute
from tests.surfaces.conftest import Person
from tests.surfaces.spaces.conftest import Hall

from folkmoot.app import openapi_document

DOCUMENT = json.loads(openapi_document())
SCHEMAS = DOCUMENT["components"]["schemas"]
# Endless: its answer never comes without a socket. tests/serve asks it.
ENDLESS = "/api/folkmoot/v1/spaces/{space_id}/events"
OPERATIONS = [
    (method.upper(), path, operation)
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if path != ENDLESS
]
# "Not yet": the recording is being closed, nothing was recorded so far.
MOMENTARY = frozenset({"not_closed", "nothing_yet", "not_yet_taken_out"})

STRINGS: list[str] = [
    "",
    " ",
    "\x00",
    "a\x00b",
    "\u202eevil",
    "́" * 500,
    "x" * 10_000,
    "🏳️‍🌈",
    "-1",
    "0",
    "1e3",
    "٣",
    "9" * 19,
    "9223372036854775807",
    "9223372036854775808",
    "9" * 5_000,
    "NaN",
    "null",
    "../../etc/passwd",
    "%00",
    "2026-02-31T00:00:00Z",
    "9999-12-31T23:59:59+14:00",
    "0001-01-01T00:00:00Z",
    "'; DROP TABLE spaces; --",
    "1,2,,3,a",
]
NUMBERS: list[int] = [-(2**63) - 1, -(2**63), -1, 0, 1, 59_999, 60_001, 2**31, 2**53, 2**63 - 1, 2**63, 10**30]
ODD: list[Any] = [None, True, [], {}, [[]], {"a": {"b": []}}, 1.5, -0.0, 1e308, *NUMBERS, *STRINGS]

# A request that fails is short anyway, and shrinking it would take minutes.
CHECKED = settings(
    max_examples=150,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=list(HealthCheck),
)

odd = st.sampled_from(ODD)
text = st.sampled_from(STRINGS) | st.text(max_size=40)
number = st.sampled_from(NUMBERS) | st.integers(0, 20_000)


class Known:
    """Ids that exist while a test runs: made-up ones would only ever meet 404."""

    def __init__(self) -> None:
        self.spaces: list[str] = ["1"]
        self.accounts: list[str] = ["1"]


KNOWN = Known()


def id_text() -> st.SearchStrategy[str]:
    return st.deferred(lambda: st.sampled_from([*KNOWN.spaces, *KNOWN.accounts])) | text


def of_schema(schema: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Values that fit a schema, as our document writes them."""
    if "$ref" in schema:
        return of_schema(SCHEMAS[schema["$ref"].rpartition("/")[2]], name)
    for several in ("oneOf", "anyOf"):
        if several in schema:
            return st.one_of([of_schema(one, name) for one in schema[several]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "const" in schema:
        return st.just(schema["const"])
    return _of_type(schema, name)


def _of_type(schema: dict[str, Any], name: str) -> st.SearchStrategy[Any]:
    match schema.get("type"):
        case "integer":
            return number
        case "boolean":
            return st.booleans()
        case "array":
            return st.lists(of_schema(schema.get("items", {}), name), max_size=4)
        case "object":
            return _object(schema)
        case "string":
            return id_text() if name in ("account", "space", "post", "invited", "ids", "creator") else text
        case _:
            return odd


def _object(schema: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    fields = {name: of_schema(one, name) for name, one in schema.get("properties", {}).items()}
    required = {name: strategy for name, strategy in fields.items() if name in schema.get("required", [])}
    optional = {name: strategy for name, strategy in fields.items() if name not in required}
    return st.fixed_dictionaries(required, optional=optional)


@st.composite
def mistaken(draw: st.DrawFn, schema: dict[str, Any]) -> Any:
    """A body as it should be, or with one field of it that is odd, too many or missing."""
    body = draw(of_schema(schema))
    if not isinstance(body, dict) or draw(st.booleans()):
        return body
    name = draw(st.sampled_from([*body, "unknown"]))
    if draw(st.integers(0, 3)) == 0:
        body.pop(name, None)
    else:
        body[name] = draw(odd)
    return body


@st.composite
def parameters(draw: st.DrawFn, operation: dict[str, Any], path: str) -> tuple[str, dict[str, str]]:
    """The path with its parameters filled in, and a query."""
    query: dict[str, str] = {}
    for one in operation.get("parameters", []):
        value = draw(_parameter(one))
        if one["in"] == "path":
            path = path.replace("{" + one["name"] + "}", _quoted(value))
        elif draw(st.integers(0, 4)):
            query[one["name"]] = str(value)
    return path, query


def _parameter(one: dict[str, Any]) -> st.SearchStrategy[Any]:
    match one["name"]:
        case "space_id":
            known = st.deferred(lambda: st.sampled_from(KNOWN.spaces))
            return st.one_of(known, known, known, number, text)
        case "codec":
            return st.sampled_from(["opus", "aac", "mp3", ""]) | text
        case "file":
            return st.sampled_from(["0.m4s", "1.m4s", "999999999.m4s", "-1.m4s", "01.m4s", "²\u200b.m4s"]) | text
        case _:
            return st.one_of(of_schema(one["schema"], one["name"]), odd)


def _quoted(value: Any) -> str:
    return httpx.QueryParams({"v": str(value)[:3_000]}).__str__().partition("=")[2].replace("+", "%20")


def require_fair(answer: httpx.Response) -> None:
    """Not our fault, and says so in a sentence."""
    if answer.status_code < 400:
        return
    assert "application/json" in answer.headers["content-type"], answer.text[:300]
    error = answer.json()
    assert error["error"], error
    assert answer.status_code < 500 or error["code"] in MOMENTARY, (
        answer.status_code,
        error,
        str(answer.url)[:300],
    )


def _bodies(operation: dict[str, Any]) -> st.SearchStrategy[Any]:
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return st.none()
    return mistaken(content["application/json"]["schema"])


@pytest.fixture
async def rooms(hall: Hall, alice: Person, bob: Person, client: httpx.AsyncClient) -> httpx.AsyncClient:
    """An ended Space with its recording, a live one, one that is scheduled; alice hosts them."""
    ended = await hall.ended(alice)
    live = await hall.live(alice)
    made = await client.post("/api/folkmoot/v1/spaces", json={"title": "Later"}, headers=alice.headers)
    KNOWN.spaces = [ended, live, made.json()["id"]]
    KNOWN.accounts = [str(alice.id), str(bob.id)]
    return client


@CHECKED
@given(data=st.data())
async def test_our_api_breaks_at_nothing(rooms: httpx.AsyncClient, alice: Person, bob: Person, data: Any) -> None:
    method, path, operation = data.draw(st.sampled_from(OPERATIONS))
    filled, query = data.draw(parameters(operation, path))
    who = data.draw(st.sampled_from([alice.headers, bob.headers, {}]))
    body = data.draw(_bodies(operation))
    sent: dict[str, Any] = {} if body is None else {"content": json.dumps(body)}
    headers = {**who, "content-type": "application/json", "x-forwarded-for": "203.0.113.1"}
    answer = await rooms.request(method, filled, params=query, headers=headers, **sent)
    require_fair(answer)


# Names that Mastodon's methods and our pages read, from queries and from bodies of three kinds.
FIELDS = [
    "acct",
    "id[]",
    "id",
    "limit",
    "max_id",
    "since_id",
    "min_id",
    "pinned",
    "only_media",
    "url",
    "format",
    "maxwidth",
    "ticket",
    "q",
    "status",
    "media_ids[]",
    "in_reply_to_id",
    "visibility",
    "sensitive",
    "spoiler_text",
    "language",
    "poll",
    "scheduled_at",
    "description",
    "display_name",
    "note",
    "avatar",
    "fields_attributes",
    "client_name",
    "redirect_uris",
    "scopes",
    "website",
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "grant_type",
    "code",
    "code_verifier",
    "token",
    "username",
    "password",
    "decision",
]
VALUES: dict[str, list[Any]] = {
    "response_type": ["code"],
    "grant_type": ["authorization_code", "client_credentials", "password"],
    "url": ["http://moot.test/@alice", "http://moot.test/spaces/1", "http://[", "http://moot.test:99999/"],
    "code_challenge_method": ["S256", "plain"],
    "visibility": ["public", "private", "direct"],
}
DOCUMENTED = {path for _, path, _ in OPERATIONS} | {ENDLESS}


def _others(app: Litestar) -> list[tuple[str, str]]:
    return sorted(
        (method, route.path_format)
        for route in app.routes
        if isinstance(route, HTTPRoute) and route.path_format not in DOCUMENTED
        for method in route.methods
        if method not in ("OPTIONS", "HEAD")
    )


@st.composite
def fields(draw: st.DrawFn) -> list[tuple[str, Any]]:
    names = draw(st.lists(st.sampled_from(FIELDS), max_size=6))
    return [(name, draw(st.one_of(st.sampled_from(VALUES.get(name, ["1"])), id_text(), odd))) for name in names]


def encoded(kind: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A body in one of the three forms, or in one that lies about itself."""
    if kind == "json":
        return {"content": json.dumps(dict(pairs)), "headers": {"content-type": "application/json"}}
    if kind == "form":
        return {"data": {name: str(value) for name, value in pairs}}
    if kind == "multipart":
        return {"files": [(name, (None, str(value))) for name, value in pairs] or [("a", (None, ""))]}
    types = {"broken json": "application/json", "broken multipart": "multipart/form-data; boundary=x"}
    return {"content": b"--x\r\n{\xff\x00[" + repr(pairs).encode(), "headers": {"content-type": types[kind]}}


@CHECKED
@given(data=st.data())
async def test_the_other_surfaces_break_at_nothing(
    rooms: httpx.AsyncClient, app: Litestar, alice: Person, data: Any
) -> None:
    method, path = data.draw(st.sampled_from(_others(app)))
    for name in re.findall(r"{(\w+)", path):
        value = data.draw(st.one_of(id_text(), st.sampled_from(["@alice", f"{KNOWN.accounts[0]}.m4a"]), odd))
        path = path.replace("{" + name + "}", _quoted(value))
    body: dict[str, Any] = {}
    if method != "GET":
        kind = data.draw(st.sampled_from(["json", "form", "multipart", "broken json", "broken multipart"]))
        body = encoded(kind, data.draw(fields()))
    headers = {**data.draw(st.sampled_from([alice.headers, {}])), **body.pop("headers", {})}
    query: list[tuple[str, str | int | float | bool | None]] = [
        (name, str(value)) for name, value in data.draw(fields())
    ]
    answer = await rooms.request(method, path, params=query, headers=headers, **body)
    assert answer.status_code < 500 or answer.json()["code"] == "client_not_built", (
        method,
        path,
        answer.text[:300],
    )
