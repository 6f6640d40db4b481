"""Requests that no good client sends, at every address that there is: answered clearly, and nothing is lost.

What can be made from a description is in test_fuzz.py; here is what no description says.
"""

from collections.abc import Awaitable, Callable, Iterator
from itertools import cycle, islice
from typing import Any

import httpx
import msgspec
import pytest
from litestar import Litestar
from litestar.routes import HTTPRoute
from tests.support.people import People
from tests.surfaces.asking import Answer, ask
from tests.surfaces.conftest import Person

from folkmoot.gate import Serves, Surface
from folkmoot.surfaces.services import Services

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
STATUSES = "/api/v1/statuses"
ONE = "1"  # an id that nothing has
# Endless: httpx would wait for their end.
ENDLESS = ("/api/v1/streaming/", "/events")


@pytest.fixture
def addresses(app: Litestar) -> list[tuple[str, str]]:
    """(method, path) of every method of the API, with something in place of each parameter."""
    found: list[tuple[str, str]] = []
    for route in app.routes:
        if isinstance(route, HTTPRoute) and route.path_format.startswith(("/api/", "/oauth/")):
            path = route.path_format
            for part in [one for one in path.split("/") if one.startswith("{")]:
                path = path.replace(part, ONE)
            found += [(str(method), path) for method in sorted(route.methods - {"OPTIONS", "HEAD"})]
    return found


def asked_often(app: Litestar) -> None:
    """Nothing is too much from now on."""
    equipment = app.state.equipment
    equipment.use(equipment.services, equipment.passwords)


def require_refused(answer: httpx.Response) -> None:
    assert 400 <= answer.status_code < 500, (answer.request.url.path, answer.status_code, answer.text[:300])
    assert answer.json()["error"], answer.text


def reading(addresses: list[tuple[str, str]]) -> Iterator[str]:
    return (path for method, path in addresses if method == "GET" and not any(one in path for one in ENDLESS))


@pytest.mark.slow
async def test_a_slash_at_the_end_changes_nothing(
    app: Litestar, client: httpx.AsyncClient, alice: Person, addresses: list[tuple[str, str]]
) -> None:
    for path in reading(addresses):
        asked_often(app)
        without, with_one = [await client.get(one, headers=alice.headers) for one in (path, f"{path}/")]
        assert with_one.status_code == without.status_code, path
    for method, path in addresses:
        if method != "GET":
            asked_often(app)
            # Of nobody, whom each answers before it does anything.
            without, with_one = [await client.request(method, one, json={}) for one in (path, f"{path}/")]
            assert with_one.status_code == without.status_code, (method, path)
            assert without.is_success or with_one.text == without.text, (method, path)


async def test_what_is_sent_to_a_slash_is_done(client: httpx.AsyncClient, alice: Person) -> None:
    made = await client.post(f"{STATUSES}/", json={"status": "hear"}, headers=alice.headers)
    one = f"{STATUSES}/{made.json()['id']}/"
    edited = await client.put(one, data={"status": "hear, hear"}, headers=alice.headers)
    assert edited.json()["content"] == "<p>hear, hear</p>"
    named = {"display_name": (None, "Alice A.")}
    changed = await client.patch("/api/v1/accounts/update_credentials/", files=named, headers=alice.headers)
    assert changed.json()["display_name"] == "Alice A."
    assert (await client.delete(one, headers=alice.headers)).status_code == 200
    assert (await client.get(one)).status_code == 404


@pytest.mark.slow
async def test_every_address_says_what_it_takes(
    app: Litestar, client: httpx.AsyncClient, addresses: list[tuple[str, str]]
) -> None:
    asked = {
        "Origin": "https://client.test",
        "Access-Control-Request-Headers": "authorization, content-type, idempotency-key",
    }
    for method, path in addresses:
        asked_often(app)
        answer = await client.options(path, headers=asked | {"Access-Control-Request-Method": method})
        assert answer.status_code == 204, (method, path, answer.text)
        assert answer.headers["access-control-allow-origin"] == "*", path
        allowed = answer.headers["access-control-allow-methods"]
        assert method in allowed or allowed == "*", (method, path, allowed)
        plain = await client.options(path)
        assert plain.status_code == 204, (path, plain.text)
        assert method in plain.headers["allow"], path


@pytest.mark.slow
async def test_heads_come_without_bodies(
    app: Litestar, client: httpx.AsyncClient, addresses: list[tuple[str, str]]
) -> None:
    for path in reading(addresses):
        asked_often(app)
        answer = await client.head(path)
        assert answer.status_code < 500, path
        assert answer.content == b"", path


ODD_QUERIES = [
    "max_id=x", "max_id=-1", f"max_id={'9' * 30}", f"limit={'9' * 5_000}", "limit=", "limit=1&limit=2",
    "max_id=1&max_id=2", "id[]=%00", "q=%00", "id[]=1&" * 5_000, "&" * 1_000, "=%FF%FE", "a" * 60_000,
    "q=%ED%A0%80", "max_id=%D9%A3",
]  # fmt: skip


@pytest.mark.slow
async def test_odd_queries_are_answered(
    app: Litestar, client: httpx.AsyncClient, alice: Person, addresses: list[tuple[str, str]]
) -> None:
    """Four at each address: every query is at many of them."""
    queries = cycle(ODD_QUERIES)
    for path in reading(addresses):
        for query in islice(queries, 4):
            asked_often(app)
            answer = await client.get(f"{path}?{query}", headers=alice.headers)
            if answer.status_code >= 400 and "oauth/authorize" not in path:
                require_refused(answer)


@pytest.mark.parametrize("id_", ["0", "-1", "9" * 19, "9" * 400, "%00", "%ED%A0%80", "x", "1e3", "..%2F..", "٣"])
async def test_what_is_no_id_is_not_there(client: httpx.AsyncClient, alice: Person, id_: str) -> None:
    for path in ("accounts/{}", "statuses/{}", "polls/{}", "media/{}", "lists/{}", "statuses/{}/context"):
        answer = await client.get(f"/api/v1/{path.format(id_)}", headers=alice.headers)
        assert answer.status_code == 404, (path, answer.text)
        assert answer.json()["error"]


BAD_BODIES: dict[str, tuple[str, bytes]] = {
    "json cut short": ("application/json", b'{"status": "a'),
    "json of another kind": ("application/json", b"[]"),
    "json a thousand deep": ("application/json", b'{"status":' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
    "fields a thousand deep": ("application/x-www-form-urlencoded", b"status" + b"[a]" * 1_000 + b"=1"),
    "fields by the thousand": ("application/x-www-form-urlencoded", b"status=a" + b"&a" * 6_000),
    "an unpaired surrogate": ("application/json", rb'{"status": "\ud800"}'),
    "no UTF-8": ("application/json", b'{"status": "\xff\xfe"}'),
    "a number beyond all": ("application/json", b'{"in_reply_to_id": ' + b"9" * 5_000 + b"}"),
    "NaN": ("application/json", b'{"status": "a", "sensitive": NaN}'),
    "another content type": ("text/plain", b"status=hello"),
    "none at all": ("", b'{"status": "hello"}'),
    "a content type of nonsense": ("application/json; charset=\x7f/;;,", b"{"),
    "multipart without a boundary": ("multipart/form-data", b"--x\r\n\r\n"),
    "multipart of another boundary": ("multipart/form-data; boundary=y", b"--x\r\n\r\nhello\r\n--x--"),
    "multipart cut short": (
        "multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="status"\r\n',
    ),
    "multipart of two thousand parts": (
        "multipart/form-data; boundary=x",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n' * 2_000 + b"--x--",
    ),
}  # fmt: skip


@pytest.mark.parametrize("why", BAD_BODIES)
async def test_what_cannot_be_read_is_refused(client: httpx.AsyncClient, alice: Person, why: str) -> None:
    content_type, body = BAD_BODIES[why]
    answer = await client.post(STATUSES, content=body, headers=alice.headers | {"content-type": content_type})
    require_refused(answer)
    kept = await client.get(f"/api/v1/accounts/{alice.id}/statuses")
    assert kept.json() == []


@pytest.mark.slow
async def test_no_address_breaks_at_it(
    app: Litestar, client: httpx.AsyncClient, alice: Person, addresses: list[tuple[str, str]]
) -> None:
    """Three at each address: every body is at many of them."""
    bodies = cycle(BAD_BODIES.values())
    for method, path in addresses:
        for content_type, body in islice(bodies, 3 if method != "GET" else 0):
            asked_often(app)
            headers = alice.headers | {"content-type": content_type}
            answer = await client.request(method, path, content=body, headers=headers)
            assert answer.status_code < 500 or answer.json()["code"] == "no_mail", (method, path, answer.text)


async def test_a_nul_is_refused_wherever_text_goes(client: httpx.AsyncClient, alice: Person) -> None:
    sends: list[tuple[str, str, Any]] = [
        ("POST", STATUSES, {"status": "a\0b"}),
        ("POST", STATUSES, {"status": "a", "spoiler_text": "\0"}),
        ("PATCH", "/api/v1/accounts/update_credentials", {"display_name": "\0"}),
        ("POST", "/api/v1/lists", {"title": "\0"}),
        ("POST", "/api/v2/filters", {"title": "\0", "context": ["home"]}),
    ]
    for method, path, body in sends:
        require_refused(await client.request(method, path, json=body, headers=alice.headers))


async def test_cursors_of_another_list_are_only_numbers(
    client: httpx.AsyncClient, alice: Person, bob: Person
) -> None:
    await client.post(f"/api/v1/accounts/{bob.id}/follow", headers=alice.headers)
    made = await client.post(STATUSES, json={"status": "hello"}, headers=alice.headers)
    for path in (
        "timelines/home",
        "notifications",
        "favourites",
        f"accounts/{alice.id}/following",
        "conversations",
    ):
        for cursor in (made.json()["id"], str(bob.id), "1", str(2**63 - 1)):
            for name in ("max_id", "since_id", "min_id"):
                answer = await client.get(f"/api/v1/{path}?{name}={cursor}", headers=alice.headers)
                assert answer.status_code == 200, answer.text
                assert isinstance(answer.json(), list)


# Whoever shows no token, one of nonsense, or one whose scope is too small.
Shown = Callable[[People, Person], Awaitable[dict[str, str]]]


async def nothing(_people: People, _person: Person) -> dict[str, str]:
    return {}


async def nonsense(_people: People, _person: Person) -> dict[str, str]:
    return {"Authorization": "Bearer \x7f" + "x" * 3_000}


async def another_scope(people: People, person: Person) -> dict[str, str]:
    return {"Authorization": f"Bearer {await people.token(person.id, 'profile')}"}


@pytest.mark.slow
@pytest.mark.parametrize(("shown", "status"), [(nothing, 401), (nonsense, 401), (another_scope, 403)])
async def test_who_may_not_is_told_so(
    app: Litestar, services: Services, people: People, alice: Person, shown: Shown, status: int
) -> None:
    headers = {"host": "moot.test"} | await shown(people, alice)
    for surface in services.register:
        if not _is_for_programs(surface):
            continue
        asked_often(app)
        answer = await _open(app, services, surface, headers)
        assert answer.status == status, (surface.name, answer)
        assert msgspec.json.decode(answer.body)["error"]


def _is_for_programs(surface: Surface) -> bool:
    return (
        surface.serves is Serves.SIGNED_IN
        and bool(surface.scope)
        and surface.scope != "profile"
        and surface.name.partition(" ")[2].startswith("/api/v")
        and "streaming" not in surface.name
    )


async def _open(app: Litestar, services: Services, surface: Surface, headers: dict[str, str]) -> Answer:
    path = surface.name.partition(" ")[2]
    filled = "/".join(ONE if part.startswith("{") else part for part in path.split("/"))
    return await ask(app, services, surface.name, filled, headers)
