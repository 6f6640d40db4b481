"""Files of other servers by way of this one."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from litestar import Litestar
from msgspec.structs import replace
from tests.support import uploads
from tests.support.elsewhere import Elsewhere, Said, elsewhere
from tests.support.people import People
from tests.support.web import visitor

from folkmoot.gate import Standing
from folkmoot.moderation.hosts.actions import decide
from folkmoot.surfaces.mastodon.remote_media import address_of
from folkmoot.surfaces.services import Services

PICTURE = uploads.photograph(8, 8)


@pytest.fixture
def other() -> Iterator[Elsewhere]:
    with elsewhere() as server:
        server.answers["/a.jpg"] = Said(PICTURE)
        yield server


@pytest.fixture
async def near(app: Litestar, services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """A visitor of a server that may fetch from this machine."""
    equipment = app.state.equipment
    equipment.use(replace(services, may_fetch_from=lambda _address, _port: True), equipment.passwords)
    async with visitor(app) as client:
        yield client


def path_of(services: Services, url: str) -> str:
    return address_of(services, url).removeprefix(services.site.base_url)


async def test_it_is_fetched_once_and_shown(near: httpx.AsyncClient, services: Services, other: Elsewhere) -> None:
    path = path_of(services, f"{other.url}/a.jpg")
    for _ in range(2):
        answer = await near.get(path)
        assert (answer.status_code, answer.content) == (200, PICTURE)
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert other.asked == ["/a.jpg"]
    assert (await near.get(path, headers={"if-none-match": answer.headers["etag"]})).status_code == 304


async def test_redirects_are_followed_a_few_times(
    near: httpx.AsyncClient, services: Services, other: Elsewhere
) -> None:
    other.answers |= {"/b": Said(status=301, location="/a.jpg"), "/c": Said(status=302, location="/c")}
    assert (await near.get(path_of(services, f"{other.url}/b"))).content == PICTURE
    assert (await near.get(path_of(services, f"{other.url}/c"))).status_code == 404
    assert other.asked.count("/c") == 4


async def test_only_what_this_server_wrote_is_fetched(
    near: httpx.AsyncClient, services: Services, other: Elsewhere
) -> None:
    seal, named = path_of(services, f"{other.url}/a.jpg").split("/")[2:]
    _, else_named = path_of(services, f"{other.url}/b.jpg").split("/")[2:]
    for path in (
        f"/proxy/{seal}/{else_named}",
        f"/proxy/x{seal}/{named}",
        "/proxy/none/none",
        f"/proxy/{seal}/%ff",
    ):
        assert (await near.get(path)).status_code == 404
    assert other.asked == []


async def test_this_machine_is_not_asked(client: httpx.AsyncClient, services: Services, other: Elsewhere) -> None:
    assert (await client.get(path_of(services, f"{other.url}/a.jpg"))).status_code == 404
    assert other.asked == []


async def test_a_suspended_host_is_not_asked_nor_shown(
    near: httpx.AsyncClient, services: Services, other: Elsewhere, people: People
) -> None:
    path = path_of(services, f"{other.url}/a.jpg")
    assert (await near.get(path)).status_code == 200
    await people.system(lambda acting: decide(acting, "127.0.0.1", Standing.SUSPENDED, own_host="moot.test"))
    assert (await near.get(path)).status_code == 404
    assert other.asked == ["/a.jpg"]
