"""The rules that hold for every surface."""

import json
import traceback

import httpx
import msgspec
import pytest
import structlog
from litestar import Litestar, get
from sqlalchemy import text
from tests.support.web import visitor

from folkmoot import app as application
from folkmoot.accounts.passwords import Passwords
from folkmoot.app import build_app, openapi_document
from folkmoot.gate import Register, Serves, Unregistered
from folkmoot.storage.database import Database
from folkmoot.surfaces.http import serves
from folkmoot.surfaces.services import Services


def anew(services: Services) -> Services:
    """For another application than the one that has registered its routes."""
    return msgspec.structs.replace(services, register=Register())


async def test_every_answer_carries_the_headers(client: httpx.AsyncClient) -> None:
    for path in ("/api/v2/instance", "/nowhere", "/oauth/authorize", "/static/forms.css", "/api/v1/accounts/x"):
        answer = await client.get(path)
        policy = answer.headers["content-security-policy"]
        for directive in ("default-src 'self'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"):
            assert directive in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"


async def test_a_body_that_is_too_large(client: httpx.AsyncClient) -> None:
    for body in ({"data": {"client_name": "x" * 1_100_000}}, {"json": {"client_name": "x" * 1_100_000}}):
        answer = await client.post("/api/v1/apps", **body)  # type: ignore[arg-type]
        assert answer.status_code == 413
        assert answer.json()["error"]


async def test_web_clients_elsewhere_may_ask_without_our_cookie(client: httpx.AsyncClient) -> None:
    headers = {"Origin": "https://client.test"}
    answer = await client.get("/api/v1/accounts/1", headers=headers)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in answer.headers
    assert "link" in answer.headers["access-control-expose-headers"].lower()
    asked = headers | {
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization, content-type",
    }
    preflight = await client.options("/oauth/token", headers=asked)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "*"
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()


async def test_the_whole_api_is_described(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/folkmoot/v1/openapi.json")
    assert answer.status_code == 200
    document = answer.json()
    assert json.loads(openapi_document()) == document
    assert document["info"]["title"] == "Folkmoot"
    session = document["paths"]["/api/folkmoot/v1/session"]["post"]
    assert session["requestBody"]["content"]["application/json"]
    assert "parameters" not in session
    posting = document["paths"]["/api/v1/statuses"]["post"]
    shape = {"$ref": "#/components/schemas/mastodon.CreateStatus"}
    assert [one["schema"] for one in posting["requestBody"]["content"].values()] == [shape] * 3
    assert [one["name"] for one in posting["parameters"]] == ["idempotency-key"]
    assert posting["security"] == [{"oauth": ["write:statuses"]}, {"session": []}]
    assert posting["responses"]["default"] == {"$ref": "#/components/responses/Error"}
    tagged = document["paths"]["/api/v1/timelines/tag/{tag}"]["get"]
    kinds = {one["name"]: (one["in"], one["schema"]["type"]) for one in tagged["parameters"]}
    assert kinds["tag"] == ("path", "string")
    assert (kinds["max_id"], kinds["only_media"]) == (("query", "integer"), ("query", "boolean"))
    assert tagged["security"][0] == {}


async def test_an_error_says_nothing_and_is_logged_without_the_query(
    services: Services, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    @get("/broken", opt=serves(Serves.NOBODY))
    async def broken() -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(application, "OTHERS", [broken])
    with structlog.testing.capture_logs() as logs:
        async with visitor(build_app(anew(services), passwords=passwords)) as client:
            answer = await client.get("/broken?code=canary")
    assert answer.status_code == 500
    assert answer.json() == {"error": "Something went wrong here. It has been logged.", "code": "internal"}
    assert [entry["path"] for entry in logs] == ["/broken"]
    assert "canary" not in repr(logs)


async def test_what_was_bound_to_a_statement_is_not_logged(
    services: Services, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    @get("/broken", opt=serves(Serves.NOBODY))
    async def broken(services: Services) -> None:
        async with services.database.read() as read:
            await read.connection.execute(
                text("SELECT * FROM nowhere WHERE secret = :secret"), {"secret": "canary"}
            )

    monkeypatch.setattr(application, "OTHERS", [broken])
    with structlog.testing.capture_logs() as logs:
        async with visitor(build_app(anew(services), passwords=passwords)) as client:
            assert (await client.get("/broken")).status_code == 500
    assert "nowhere" in str(logs[0]["exc_info"])
    assert "canary" not in "".join(traceback.format_exception(logs[0]["exc_info"]))


@pytest.mark.slow
async def test_a_database_that_is_away_is_no_fault_of_ours(
    services: Services, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Database("postgresql+psycopg://me@127.0.0.1:1/x")

    @get("/broken", opt=serves(Serves.NOBODY))
    async def broken() -> None:
        async with away.read() as read:
            await read.connection.execute(text("SELECT 1"))

    monkeypatch.setattr(application, "OTHERS", [broken])
    async with visitor(build_app(anew(services), passwords=passwords)) as client:
        answer = await client.get("/broken")
    await away.close()
    assert answer.status_code == 503
    assert answer.json()["code"] == "database_away"
    assert answer.headers["retry-after"]


@pytest.mark.parametrize("path", ["/api/folkmoot/v1/spaces/{}", "/api/folkmoot/v1/spaces/{}/seats", "/@carol/{}"])
@pytest.mark.parametrize("id_", [2**63 - 1, 2**63, 10**30])
async def test_an_id_that_no_row_can_have(client: httpx.AsyncClient, path: str, id_: int) -> None:
    assert (await client.get(path.format(id_))).status_code in (404, 503)  # 503: a page, with no client built


def test_a_route_that_never_asks_who_is_there_stops_the_start(
    services: Services, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    @get("/forgetful", opt=serves(Serves.SIGNED_IN))
    async def forgetful() -> None:
        return None

    monkeypatch.setattr(application, "OTHERS", [forgetful])
    with pytest.raises(Unregistered, match="never asks"):
        build_app(anew(services), passwords=passwords)


def test_a_silent_route_stops_the_start(
    services: Services, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    @get("/silent")
    async def silent() -> None:
        return None

    monkeypatch.setattr(application, "OTHERS", [silent])
    with pytest.raises(Unregistered, match="whom it serves"):
        build_app(anew(services), passwords=passwords)


def test_every_route_is_in_the_register(app: Litestar, services: Services) -> None:
    names = {surface.name for surface in services.register}
    assert {"GET /api/v1/accounts/{account_id}", "POST /oauth/token", "GET /oauth/authorize"} <= names
